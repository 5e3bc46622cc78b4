"""The audit matrix, sampled, on every registered environment; and that it can fail."""

import pytest

from unseen.envs.suite import SUITE, make_vec
from unseen.train.audit import AuditConfig, checks, probe_windows, random_play

CASES = [(entry, level) for entry in SUITE.values() for level in entry.levels]


@pytest.mark.parametrize(("entry", "level"), CASES, ids=lambda x: str(getattr(x, "name", x)))
def test_every_environment_passes(entry, level) -> None:
    failed = [check for check in checks(entry, level, AuditConfig(quick=True)) if check.passed is False]
    assert not failed


def test_the_leak_probe_finds_a_leak() -> None:
    env = make_vec("RolledBehind", 3000, level=1)
    data = random_play(env, 3000, seed=0)
    data.obs[..., -1] = data.answer[:, None]  # the answer, in plain sight
    score, _ = probe_windows(data, 1, 3, seed=0)
    assert score > 0.9
