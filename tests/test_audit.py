"""The audit passes on every environment (sampled), uses declarations only, and every check can fail."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unseen.agents.shared.envs import EnvConfig
from unseen.envs.core.faculty import Excess, Faculty
from unseen.envs.core.hidden import HISTORY, REWARDS
from unseen.envs.errors import BadParameter, BadTask
from unseen.envs.suite import SUITE, make_vec, resolve
from unseen.train.audit import Check, Subject, checks, play
from unseen.train.audit.determinism import _batches_agree, determinism
from unseen.train.audit.draws import draws
from unseen.train.audit.faculties import Ablated, _check
from unseen.train.audit.instances import coinciding_pairs, instance_keys, instances
from unseen.train.audit.interference import interference
from unseen.train.audit.leaks import MixedPlay, leaks, mixed_play, play_episodes
from unseen.train.audit.probes import FIRST, LATER, Episodes, features, probe_history, probe_windows
from unseen.train.audit.references import _reactive, references
from unseen.train.audit.subject import policy
from unseen.train.audit.surface import surface
from unseen.train.cli import main

CASES = [(name, level) for name, entry in SUITE.items() for level in entry.levels]
EXAMPLES = Path(__file__).parents[1] / "examples"
MONITOR, BOX = f"{EXAMPLES / 'blind_monitor.py'}:BlindMonitor", f"{EXAMPLES / 'which_box.py'}:WhichBox"


def subject(name: str, level: int | str, **more: Any) -> Subject:
    return Subject(resolve(name), EnvConfig(name, level, **more), quick=True)


def by_name(found: Any) -> dict[str, Check]:
    return {check.name: check for check in found}


def random_play(env: Any, seed: int) -> Episodes:
    return play_episodes(env, policy("random"), seed)


def values(data: Episodes, window: int) -> list[float]:
    return [score.value for score in probe_windows(data, window, seed=0)]


def changed(tmp_path: Path, *swaps: tuple[str, str]) -> str:
    """BlindMonitor with some of its text replaced."""
    text = (EXAMPLES / "blind_monitor.py").read_text()
    for old, new in swaps:
        assert old in text
        text = text.replace(old, new)
    file = tmp_path / f"changed{len(list(tmp_path.iterdir()))}.py"  # a file is imported once
    file.write_text(text)
    return f"{file}:BlindMonitor"


@pytest.mark.sample(3)
@pytest.mark.parametrize(("name", "level"), CASES)
def test_every_environment_passes(name: str, level: int) -> None:
    assert [check for check in checks(subject(name, level)) if check.passed is False] == []


@pytest.mark.parametrize(("name", "level"), [(MONITOR, 0), (MONITOR, 1), (MONITOR, 2), (BOX, 1)])
def test_the_examples_pass(name: str, level: int) -> None:
    found = by_name(checks(subject(name, level)))
    assert [check for check in found.values() if check.passed is False] == []
    assert ("leak probe, last 1 observation" in found) == (level > 0)


def test_play_gives_the_returns_of_its_seeds() -> None:
    env = make_vec("RolledBehind", 30, level=1, split="test")
    returns = play(env, "oracle", 5, 30)
    assert returns.shape == (30,) and returns.mean() > 0.95
    assert np.array_equal(returns[3:4], play(make_vec("RolledBehind", 1, level=1, split="test"), "oracle", 8, 1))
    assert 0 < play(env, "random", 0, 30).mean() < 0.5


# --- what is found ---


@pytest.mark.parametrize("window", [1, 4])
def test_the_leak_probe_finds_a_leak(window: int) -> None:
    data = random_play(make_vec("RolledBehind", 2000, level=1), seed=0)
    data.obs[:, window - 1 :, -1] = data.truth[:, : data.truth.shape[1] - window + 1]  # the answer, so many steps late
    first, later = probe_windows(data, window, seed=0)
    assert (first.when, later.when) == (FIRST, LATER) and first.split == "train"
    assert min(first.value, later.value) > 0.9 and first.tests == 500 >= later.tests > 400
    if window > 1:
        assert min(values(data, 1)) > 0.9  # it does not change, so the last row tells it too


def test_the_leak_probe_finds_a_hidden_vector_and_not_the_clock() -> None:
    """R2 is relative to each step's mean: a truth that depends only on the time scores nothing."""
    data = random_play(make_vec(MONITOR, 1500, level=2), seed=0)
    assert max(map(abs, values(data, 1))) < 0.06
    clock = dataclasses.replace(data, truth=data.obs[..., 3:4].astype(float))
    rng = np.random.default_rng(0)
    noisy = dataclasses.replace(data, truth=clock.truth + rng.normal(size=clock.truth.shape))
    assert max(values(noisy, 1)) < 0.06
    open_ = dataclasses.replace(data, obs=data.obs.copy())
    open_.obs[..., 2] = data.truth[..., 0]
    assert min(values(open_, 1)) > 0.9


def test_the_history_tells_what_the_windows_must_not() -> None:
    data = random_play(make_vec(MONITOR, 1600, level=1), seed=0)
    assert probe_history(data, seed=0) > 0.8
    shuffled = dataclasses.replace(data, truth=data.truth[np.random.default_rng(0).permutation(data.n)])
    assert probe_history(shuffled, seed=0) < 0.1


def test_random_play_stops_before_the_last_observation_and_knows_what_must_be_hidden() -> None:
    env = make_vec("RolledBehind", 50, level=1)
    data = random_play(env, seed=3)
    layout = env.layout
    act = data.obs[..., layout.phase][..., 2] > 0.5
    assert np.array_equal(data.hides, act & data.played)
    assert data.classes == 3 and set(np.unique(data.truth[data.played])) == {0, 1, 2}
    assert data.actions[data.played].sum() == data.played.sum()  # one-hot


def test_features_of_rows_images_and_dicts() -> None:
    image = np.zeros((2, 64, 64, 3), np.uint8)
    image[1, :4, :4] = 160
    found = features(image)
    assert (
        found.shape == (2, 16 * 16 * 3) and found.dtype == np.uint8 and found[1, 0] == 160 and found[1, 3:].max() == 0
    )
    rows = np.ones((2, 5), np.float32)
    assert features(rows) is rows
    assert features({"a": rows, "b": image}).shape == (2, 5 + 768)


def test_a_leak_of_one_environment_is_a_failed_check(tmp_path: Path) -> None:
    """In the first blind steps the truth can still be inferred from the last readings, so `when` must start later."""
    early = changed(tmp_path, ("return s.t >= p.lead + p.blind_low // 4", "return s.t >= p.lead"))
    found = by_name(leaks(subject(early, 2)))
    assert found["leak probe, last 1 observation"].passed and not found["leak probe, last 4 observations"].passed


def test_the_leak_probe_finds_what_only_forward_play_shows(tmp_path: Path) -> None:
    forward = changed(
        tmp_path, ("o[0] = s.blood if on else 0.0", "o[0] = s.blood if on else s.clearance * (s.rate == 1.0)")
    )
    (found,) = leaks(subject(forward, 1))
    assert found.passed is False
    alone = random_play(subject(forward, 1).make_vec(1500), seed=0)
    assert max(values(alone, 1)) < 0.06


@pytest.mark.parametrize("split", ["train", "shift"])
def test_the_leak_probe_finds_what_only_one_split_shows(tmp_path: Path, split: str) -> None:
    which = {"train": "p.split == 0", "shift": "p.split == 2"}[split]
    told = changed(tmp_path, ("o[0] = s.blood if on else 0.0", f"o[0] = s.blood if on else s.clearance * ({which})"))
    data = mixed_play(subject(told, 1), "monitor")
    found = {(score.split, score.when): score.value for score in probe_windows(data, 1, seed=0)}
    for (where, _), value in found.items():
        assert value > 0.5 if where == split else value < 0.06


def test_the_leak_probe_looks_at_the_first_step_and_at_later_ones() -> None:
    data = random_play(make_vec("RolledBehind", 2000, level=1), seed=0)
    first = data.hides.argmax(1)
    at_first = dataclasses.replace(data, obs=data.obs.copy())
    at_first.obs[np.arange(data.n), first, -1] = data.truth[np.arange(data.n), first]
    assert values(at_first, 1)[0] > 0.9 and values(at_first, 1)[1] < 0.45
    later = dataclasses.replace(data, obs=data.obs.copy())
    later.obs[..., -1] = np.where(np.arange(data.obs.shape[1]) > first[:, None], data.truth, 0)
    assert values(later, 1)[0] < 0.45 and values(later, 1)[1] > 0.9


def test_every_sensor_is_probed_in_a_full_audit(monkeypatch: pytest.MonkeyPatch) -> None:
    from unseen.train.audit import leaks as module

    monkeypatch.setattr(module, "_episodes", lambda *_: 600)
    monkeypatch.setattr(module, "probe_history", lambda *_: 1.0)
    found = [check.name for check in leaks(dataclasses.replace(subject("RolledBehind", 1), quick=False))]
    assert [name for name in found if " of " in name] == [
        "leak probe, last 1 observation of rays",
        "leak probe, last 1 observation of pixels",
    ]
    assert "leak probe, last 16 observations" in found and "history probe" in found


def test_mixed_play_is_random_forward_and_wiggling() -> None:
    env = make_vec("RolledBehind", 6, level=1)
    agent = MixedPlay(tuple(env.task.actions))
    agent.attach(env)
    obs, _ = env.reset(seed=0)
    state, rows = agent.initial_state(np.arange(6, dtype=np.uint64)), []
    for _ in range(12):
        actions, state = agent.act(obs, state, np.zeros(6, bool))
        rows.append(actions)
    played = np.array(rows)
    assert (played[:, 1::3] == 0).all() and len(np.unique(played[:, 0::3])) == 4
    assert (played[0::2, 2::3] == 1).all() and (played[1::2, 2::3] == 2).all()


def test_a_truth_that_never_has_to_be_hidden_is_no_pass(tmp_path: Path) -> None:
    never = changed(tmp_path, ("return s.t >= p.lead + p.blind_low // 4", "return s.t > 9999"))
    (found,) = leaks(subject(never, 1))
    assert found.passed is False


def test_gates_bounds_chance_and_anchors_can_fail(tmp_path: Path) -> None:
    sound = by_name(references(subject(MONITOR, 2)))
    assert all(check.passed for check in sound.values())
    assert {"oracle", "tracker", "reflex (memoryless)", "frozen anchor of random", "frozen anchor of oracle"} < set(
        sound
    )
    broken = changed(
        tmp_path,
        (
            'Score(unit="fraction of time within tolerance")',
            'Score(unit="share", low=0.3, high=0.9, gates={"oracle": 1.5, "reflex": 0.0, "nobody": 1.0})',
        ),
        ("2: (0.128, 1.0)", "2: (0.528, 1.0)"),
        ("return min(\n            1.0,", "return min(\n            0.1,"),
    )
    found = by_name(references(subject(broken, 2)))
    assert found["oracle"].passed is False and found["reflex"].passed is True and "nobody" not in found
    assert found["returns lie within the score's bounds"].passed is False
    assert found["reflex (memoryless)"].passed is False
    assert found["frozen anchor of random"].passed is False and found["frozen anchor of oracle"].passed is True


def test_scores_need_no_bounds(tmp_path: Path) -> None:
    """Margins then follow from the measured standard deviation."""
    free = changed(
        tmp_path,
        ('Score(unit="fraction of time within tolerance")', 'Score(unit="points", low=None, high=None, gates={})'),
        ("reward = 1.0 / (s.end - settled)", "reward = 100.0 / (s.end - settled)"),
        ("2: (0.128, 1.0)", "2: (12.8, 100.0)"),
        ("return min(\n            1.0, (1.0", "return 100.0 * min(\n            1.0, (1.0"),
    )
    found = by_name(references(subject(free, 2)))
    assert [check for check in found.values() if check.passed is False] == []
    assert "100.000 +- 0." in found["frozen anchor of oracle"].want
    assert found["returns lie within the score's bounds"].want == "-inf .. inf"


REACTS = "oracle - best reactive player"


def industrial(name: str, level: int) -> Subject:
    found = subject(name, level)
    return dataclasses.replace(found, entry=dataclasses.replace(found.entry, group="industry"))


def test_players_that_only_react_are_compared_with_the_oracle(tmp_path: Path) -> None:
    assert REACTS not in by_name(references(subject(MONITOR, 3)))
    assert REACTS not in by_name(references(industrial(MONITOR, 2)))
    assert by_name(references(industrial(MONITOR, 0)))[REACTS].passed is True
    assert by_name(references(industrial(MONITOR, 3)))[REACTS].passed is True
    knowing = changed(tmp_path, ("    score = Score(", '    reactive = ("reflex", "tracker")\n    score = Score('))
    found = by_name(references(industrial(knowing, 3)))[REACTS]
    assert found.passed is False and "tracker 1.0" in found.got and "reflex 0." in found.got
    weak = changed(tmp_path, ("a[0] = rate_for(o[2], blood, o[2], TYPICAL)", "a[0] = 0.0"))
    assert by_name(references(industrial(weak, 0)))[REACTS].passed is False
    strange = changed(tmp_path, ("    score = Score(", '    reactive = ("nobody-1",)\n    score = Score('))
    with pytest.raises(BadTask, match="'reactive' has unknown references: \\['nobody'\\]"):
        make_vec(strange, 1)


@pytest.mark.parametrize("level", [0, 3])
@pytest.mark.parametrize("name", [name for name, entry in SUITE.items() if entry.group == "industry"])
def test_players_that_only_react_need_all_to_be_shown(name: str, level: int) -> None:
    env = make_vec(name, 200, level=level, split="test")
    mean = {each: float(play(env, each, 0, 200).mean()) for each in ("oracle", *env.task.reactive)}
    assert _reactive(subject(name, level), mean).passed


def test_an_exception_is_printed_with_its_reason() -> None:
    faculty = Faculty("remember", without=("reflex",), levels=(1, 2), excess={2: Excess(0.3, "the room is small")})
    scores = [Ablated("reflex", 0.5, 0.01)]
    declared, plain = (_check(subject("Cups", level), "demands memory", faculty, scores, 0.25) for level in (2, 1))
    assert declared.passed and "(declared)" in declared.want and declared.got.endswith("declared: the room is small")
    assert plain.passed is False and "declared" not in plain.want + plain.got


def test_an_exception_for_one_policy_is_none_for_another() -> None:
    excess = {2: Excess(0.3, "the room is small", only=("tracker-4",))}
    faculty = Faculty("remember", without=("reflex",), windows=(4,), levels=(2,), excess=excess)
    room = subject("Cups", 2)
    long, short = Ablated("tracker-4", 0.5, 0.01), Ablated("reflex", 0.25, 0.01)
    fine = _check(room, "demands memory", faculty, [long, short], 0.25)
    assert fine.passed and fine.want == "<= 0.250 + 0.05; tracker-4 + 0.3 (declared)"
    for reflex, passed in ((0.30, True), (0.32, False), (0.49, False)):
        assert _check(room, "demands memory", faculty, [long, Ablated("reflex", reflex, 0.01)], 0.25).passed is passed


def test_own_parameters_have_no_anchors_and_another_sensor_is_probed() -> None:
    found = by_name(references(subject("RolledBehind", 1, overrides={"blackout": (5, 5)})))
    assert found["random"].passed is None and "frozen anchor of random" not in found
    rays = list(leaks(subject("RolledBehind", 1, obs="rays")))
    assert [(check.name, check.passed) for check in rays] == [("leak probe, last 1 observation", True)]


def test_planning_is_what_is_asked_for_where_nothing_is_hidden(tmp_path: Path) -> None:
    open_ = changed(tmp_path, ("    hidden = Hidden(write_hidden, size=1, when=long_blind)\n", ""))
    found = by_name(references(subject(open_, 2)))
    assert found["planning gap: reflex (greedy)"].want == "<= 0.5" and found["planning gap: reflex (greedy)"].passed
    assert by_name(references(subject(open_, 1)))["planning gap: reflex (greedy)"].passed is None
    assert list(leaks(subject(open_, 2))) == []


def test_draws_that_fail_or_are_not_uniform(tmp_path: Path) -> None:
    assert all(check.passed for check in draws(subject("RolledBehind", 1)))
    never = changed(
        tmp_path, ("    s.scored = s.hits = 0\n    return True", "    s.scored = s.hits = 0\n    return False")
    )
    failed = list(draws(subject(never, 1)))
    assert [check.passed for check in failed] == [False] * 3 and "no valid episode found" in failed[0].got
    alike = changed(tmp_path, ('0.6, default=0.5, doc="clear', '0.6, default=0.0, doc="clear'))
    assert by_name(draws(subject(alike, 1)))["hidden vector varies in train (standard deviations)"].passed is False
    tilted = changed(
        tmp_path,
        ("Hidden(write_hidden, size=1, when=long_blind)", "Hidden(write_hidden, classes=lambda p: 2, when=long_blind)"),
        ("out[0] = s.clearance", "out[0] = 1.0 if s.clearance > 0.9 else 0.0"),
    )
    assert by_name(draws(subject(tilted, 1)))["hidden class is uniform in train"].passed is False


TWO = ("Hidden(write_hidden, size=1, when=long_blind)", "Hidden(write_hidden, classes=lambda p: 2, when=long_blind)")
BIT = ("out[0] = s.clearance", "out[0] = s.bit")
FIELDS = ('("end", INT)', '("end", INT), ("bit", INT), ("coin", INT)')


def drawing(tmp_path: Path, lines: str, independent: str = "") -> dict[str, Check]:
    """The checks of draws where these lines draw the class `s.bit`, and `s.coin`."""
    swap = (TWO[0], TWO[1].replace("when=", f"independent=({independent}), when="))
    reset = ("    s.scored = s.hits = 0\n    return True", f"    s.scored = s.hits = 0\n{lines}    return True")
    return by_name(draws(subject(changed(tmp_path, swap, BIT, FIELDS, reset), 1)))


def failed(found: dict[str, Check]) -> set[str]:
    return {name for name, check in found.items() if check.passed is False}


def test_tilted_draws_are_found(tmp_path: Path) -> None:
    fair = "    s.bit = below(s, 2)\n    s.coin = below(s, 3)\n"
    found = drawing(tmp_path, fair, '"coin",')
    assert failed(found) == set() and len([name for name in found if "coin" in name]) == 4
    found = drawing(tmp_path, "    s.bit = uniform(s, 0.0, 1.0) < (0.55 if p.split == 2 else 0.5)\n")
    assert failed(found) == {"hidden class is uniform in shift"}
    found = drawing(tmp_path, fair + "    s.coin = (s.coin + (uniform(s, 0.0, 1.0) < 0.2)) % (3 - s.bit)\n", '"coin",')
    assert failed(found) == {
        f"{test} in {split}"
        for test in ("coin is uniform", "hidden class and coin are independent")
        for split in ("train", "shift")
    }


def test_tries_that_tell_the_class_are_found(tmp_path: Path) -> None:
    """The class stays uniform, as it is drawn once and kept, but the number of tries depends on it."""
    kept = "    if s.tries == 1:\n        s.bit = below(s, 2)\n    if uniform(s, 0.0, 1.0) < 0.3 + 0.1 * s.bit:\n        return False\n"
    assert failed(drawing(tmp_path, kept)) == {
        "hidden class and tries are independent in train",
        "hidden class and tries are independent in shift",
    }


def test_fields_that_are_declared_independent_exist(tmp_path: Path) -> None:
    for name in ("nobody", "blood", "rng"):
        strange = changed(tmp_path, ("Hidden(write_hidden, ", f'Hidden(write_hidden, independent=("{name}",), '))
        with pytest.raises(BadTask, match=f"independent='{name}'"):
            make_vec(strange, 1, level=1)


FEW = (
    ("uniform(s, -1.0, 1.0) * p.spread", "0.1 * (below(s, 9) - 4) * p.spread"),
    ("s.target = uniform(s, 0.6, 1.4)", "s.target = 1.0"),
    ("s.next_target = uniform(s, 0.6, 1.4)", "s.next_target = 1.2"),
)


def test_instances_that_meet_are_found(tmp_path: Path) -> None:
    assert failed(by_name(draws(subject(MONITOR, 1)))) == set()
    found = by_name(draws(subject(changed(tmp_path, *FEW), 1)))
    assert failed(found) == set()  # shown, not judged: it is not of the suite and declares no `instance`
    assert "2000 of 2000" in found["instance overlap of train and test"].got
    assert "about 9 (" in found["distinct instances"].got


SAME = """@device
def same(s, p):
    return fold(np.uint64(0), 100.0 * s.clearance)


class BlindMonitor(Task):"""


def test_declared_instances_are_what_is_compared(tmp_path: Path) -> None:
    """Splits are then disjoint in it, and what it leaves out makes no other instance."""
    folded = (
        ("from unseen.envs.core.sensor", "from unseen.envs.core.splits import fold\nfrom unseen.envs.core.sensor"),
        ("class BlindMonitor(Task):", SAME),
        ("from typing import Any, ClassVar", "from typing import Any, ClassVar\n\nimport numpy as np"),
        ("    reset, step = reset, step", "    reset, step, instance = reset, step, same"),
    )  # fmt: skip
    name = changed(tmp_path, *folded)
    assert failed(by_name(draws(subject(name, 1)))) == {"distinct instances"}
    env = make_vec(name, 50, level=1)
    env.reset(seed=0)
    assert len(np.unique(instance_keys(env))) < 50 and np.array_equal(instance_keys(env), env.batch.instances())
    with pytest.raises(BadParameter, match="declares no instance"):
        make_vec("RolledBehind", 1).batch.instances()


def test_the_number_of_instances_is_estimated_from_pairs() -> None:
    assert coinciding_pairs(np.array([1, 1, 1, 2, 2, 3], np.uint64)) == 4
    keys = np.random.default_rng(0).integers(0, 200_000, 20_000).astype(np.uint64)
    found = by_name(instances({"train": keys, "test": keys[:3]}, judged=True))
    assert found["distinct instances"].passed and "about 2" in found["distinct instances"].got
    assert failed(found) == {"instance overlap of train and test"}
    assert by_name(instances({"train": keys % 1000}, judged=True, many=False))["distinct instances"].passed is None
    assert list(instances({"test": keys}, judged=True)) == []


def test_an_observation_outside_of_its_space_is_found(tmp_path: Path) -> None:
    narrow = changed(tmp_path, ('Part("drug in the blood", 1, 0.0, 30.0, "mg/l")', 'Part("drug", 1, 0.0, 0.5, "mg/l")'))
    assert by_name(surface(subject(narrow, 1)))["observations lie in their space"].passed is False


def test_a_row_that_differs_from_the_same_seed_alone_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _batches_agree(subject("RolledBehind", 1)) == ""
    make = Subject.make_vec

    def another_split_alone(self: Subject, n: int, **more: Any) -> Any:
        return make(self, n, **more, split="shift" if n == 1 else "train")

    monkeypatch.setattr(Subject, "make_vec", another_split_alone)
    assert "differs from the same seed alone" in _batches_agree(subject("RolledBehind", 1))


def test_an_environment_that_raises_is_found(tmp_path: Path) -> None:
    broken = changed(tmp_path, ('lambda s, params: s["rate"]', 'lambda s, params: s["pace"]'))
    found = by_name(determinism(subject(broken, 1)))
    assert "KeyError" in found["pickle and deepcopy mid-episode"].got or "ValueError" in (
        found["pickle and deepcopy mid-episode"].got
    )
    assert found["snapshot and restore"].passed is True


SHOWN = "nothing shown depends on what is hidden"
AT_ONCE, LATER_ON = "p.lead + p.blind_low // 4", "p.lead + (s.end - p.lead) // 2"


def interfered(tmp_path: Path, *swaps: tuple[str, str], until: str = LATER_ON, more: str = "") -> dict[str, Check]:
    """The rows about interference in level 2 of BlindMonitor, where another patient is compared from the blind steps on, until
    one is past the step `until`. more: further arguments of Hidden."""
    told = changed(
        tmp_path,
        (TWO[0], f"Hidden(write_hidden, size=1, when=long_blind, change=another, found=told{more})"),
        (
            "@device\ndef rate_for",
            "@device\ndef another(s, p):\n    s.clearance = 2.0 * TYPICAL - s.clearance\n    return True\n\n\n"
            f"@device\ndef told(s, p):\n    return s.t > {until}\n\n\n@device\ndef rate_for",
        ),
        *swaps,
    )
    return by_name(interference(subject(told, 2)))


def test_what_does_not_depend_on_the_truth_passes(tmp_path: Path) -> None:
    found = interfered(tmp_path)
    assert set(found) == {SHOWN, REWARDS} and failed(found) == set()


def test_observations_and_rewards_that_depend_on_the_truth_are_found(tmp_path: Path) -> None:
    assert failed(interfered(tmp_path, ("o[2] = s.target", "o[2] = s.target if on else s.clearance"))) == {SHOWN}
    assert failed(interfered(tmp_path, ("    return reward, False", "    return s.effect, False"))) == {REWARDS}


@pytest.mark.parametrize("until", [AT_ONCE, LATER_ON])
def test_a_picture_that_depends_on_the_truth_is_found(tmp_path: Path, until: str) -> None:
    """Also where the truth is told in the very next step."""
    found = interfered(
        tmp_path, ('lambda s, params: s["rate"], 0.0', 'lambda s, params: s["clearance"], 0.0'), until=until
    )
    assert found[SHOWN].passed is False and "render() differs" in found[SHOWN].got


def test_a_comparison_of_nothing_is_no_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = interfered(tmp_path, until=AT_ONCE)
    assert failed(found) == {REWARDS} and found[REWARDS].got == "no step was compared"
    assert " 0 pictures" not in found[SHOWN].got
    monkeypatch.setattr("unseen.train.audit.interference.PICTURES", 0)
    found = interfered(tmp_path)
    assert failed(found) == {SHOWN} and found[SHOWN].got == "no picture was compared"


def test_what_a_task_declares_unjudged_is_shown_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    excuse = f", unjudged={{{REWARDS!r}: 'every step tells'}}"
    found = interfered(tmp_path, until=AT_ONCE, more=excuse)[REWARDS]
    assert found.passed is None and found.got == "no step was compared: every step tells"
    paid = ("    return reward, False", "    return s.effect, False")
    assert failed(interfered(tmp_path, paid, more=excuse)) == {REWARDS}
    monkeypatch.setattr("unseen.train.audit.leaks._episodes", lambda *_: 600)
    monkeypatch.setattr("unseen.train.audit.leaks.probe_history", lambda *_: 0.1)
    full = dataclasses.replace(subject("Crane", 1), quick=False)
    (crane,) = [check for check in leaks(full) if check.name == HISTORY]
    assert crane.passed is None and "one sighting does not tell" in crane.got
    (judged,) = [
        check for check in leaks(dataclasses.replace(subject(MONITOR, 1), quick=False)) if check.name == HISTORY
    ]
    assert judged.passed is False
    strange = changed(tmp_path, (TWO[0], "Hidden(write_hidden, size=1, unjudged={'surface': 'no'})"))
    with pytest.raises(BadTask, match="unjudged='surface'; only 'history probe'"):
        make_vec(strange, 1)


# --- the command ---


def audit_command(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "unseen", "audit", *words], capture_output=True, text=True)


def test_the_command_prints_a_table_and_its_progress_apart() -> None:
    run = audit_command(MONITOR, "--quick", "--level", "1", "--env", "lead=12")
    assert run.returncode == 0, run.stderr
    assert "Audit of Own/BlindMonitor-v0" in run.stdout and "no anchor" in run.stdout and "FAIL" not in run.stdout
    assert "levels of BlindMonitor 1/1" in run.stderr


def test_a_failed_audit_ends_with_1(tmp_path: Path) -> None:
    broken = changed(tmp_path, ("0: (0.115, 1.0)", "0: (0.515, 1.0)"))
    run = audit_command(broken, "--quick", "--level", "0")
    assert run.returncode == 1 and run.stdout.count("FAIL") == 1


@pytest.mark.parametrize("words", [[], [MONITOR, "--all"]])
def test_one_environment_or_all(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", *words]) == 2
    said = capsys.readouterr().err
    assert "--all" in said and "RolledBehind" in said and said.count("\n") == 1


def test_what_is_wrong_is_said_before_anything_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "RolledBehind", "--level", "1", "9"]) == 2
    said = capsys.readouterr()
    assert "level=9" in said.err and said.out == ""
