"""The flagship's own rules. What every environment promises lies in test_core_*.py."""

import numpy as np
import pytest

from unseen.envs.planar.sight import exposed
from unseen.envs.planar.world import DARK, DUSK, REVEAL
from unseen.envs.suite import make_vec, resolve


@pytest.mark.parametrize("level", [1, 2])
def test_blocks_rest_fully_hidden_when_the_curtain_falls_and_when_it_rises(level: int) -> None:
    env = make_vec("RolledBehind", 300, level=level)
    env.reset(seed=0)
    for _ in range(40):
        before = env.world["light"].copy()
        env.step(np.full(300, 3))
        w = env.world
        turned = (w["light"] != before) & ((w["light"] == DARK) | (w["light"] == DUSK))
        for i in np.nonzero(turned)[0]:
            s = w[i]
            assert (s["disc_vx"][: s["n_discs"]] == 0).all()
            for k in range(s["n_discs"]):
                assert not exposed(s, s["agent_x"], s["agent_y"], s["disc_x"][k], s["disc_y"][k], s["disc_radius"][k])


def test_a_touch_ends_the_episode_with_the_lights_on() -> None:
    env = make_vec("RolledBehind", 200, level=2)
    obs, _ = env.reset(seed=1)
    oracle = env.reference("oracle")
    first, seen_end = np.ones(200, bool), 0
    for _ in range(40):
        obs, reward, terminated, _, _ = env.step(oracle.act(obs, first))
        for i in np.nonzero(terminated)[0]:
            start, count, width = env.layout.discs
            assert env.world["light"][i] == REVEAL
            assert (obs[i, start : start + count * width : width] == 1).all()
            assert reward[i] in (0.0, 1.0)
            seen_end += 1
    assert seen_end >= 200


def test_the_act_phase_shows_no_block_until_one_is_touched() -> None:
    env = make_vec("RolledBehind", 300, level=2)
    obs, _ = env.reset(seed=2)
    rng = np.random.default_rng(0)
    start = env.layout.discs[0]
    for _ in range(60):
        obs, _, terminated, _, _ = env.step(rng.integers(0, 4, 300))
        hidden = (obs[:, env.layout.phase][:, 2] > 0.5) & ~terminated & (env.world["t"] > 0)
        assert (obs[hidden, start:] == 0).all()


def test_every_level_can_be_shifted() -> None:
    for level in resolve("RolledBehind").levels:
        make_vec("RolledBehind", 200, level=level, split="shift").reset(seed=0)
