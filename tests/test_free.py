"""Free play: neither question nor reward reaches the agent, by any sensor, metric, length or picture; the dynamics are the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unseen.envs.planar.layout import HEAD
from unseen.envs.suite import make_vec

N = 48
# level -> what in the record makes up the question: name of an array and the number of its values, in the order of the suite
QUESTIONS: dict[tuple[str, int | str], dict[str, int]] = {
    ("RolledBehind", 1): {"target": 3, "query": 3, "target_home": 3},
    ("RolledBehind", 3): {"target": 6, "query": 6, "target_home": 6},
    ("Cups", 1): {"query": 2},
    ("Cups", 2): {"query": 2},
    ("Rex", 1): {"wanted": 2, "answer": 3, "query": 2},
    ("Rex", 3): {"wanted": 6, "answer": 6, "query": 6},
    ("Rex", "couch"): {"wanted": 6, "answer": 4, "query": 6, "asks_furniture": 2},
    ("Bedroom", 1): {"target": 3, "answer": 4, "query": 3},
    ("Bedroom", 3): {"target": 5, "answer": 8, "query": 5},
    ("Tunnel", 1): {"query": 1},
    ("Tunnel", 3): {"target": 4, "answer": 5, "query": 4},
    ("Tally", 1): {"asked": 1},
    ("Tally", 3): {"asked": 2, "query": 2},
    ("Unblock", 1): {"query": 1},
    ("Detour", 1): {"target": 1, "query": 1, "limit": 60, "plan_steps": 60},
    ("Detour", 2): {"target": 3, "query": 3, "limit": 60, "plan_steps": 60},
    ("Ramps", 1): {"query": 2},
}


def actions(env: Any, steps: int) -> np.ndarray:
    """Random actions (steps, n), mostly the first one, which goes ahead: so that things are touched."""
    rng = np.random.default_rng(3)
    drawn = rng.integers(0, env.single_action_space.n, (steps, N))
    return np.where(rng.random((steps, N)) < 0.5, 0, drawn)


def ask_for_something_else(world: np.ndarray, question: dict[str, int]) -> None:
    for name, values in question.items():
        world[name] = (world[name] + 1) % values


def check_same(a: dict[str, Any], b: dict[str, Any]) -> None:
    assert a.keys() == b.keys()
    for name, value in a.items():
        assert np.array_equal(value, b[name]), name


@pytest.mark.parametrize(("name", "level"), QUESTIONS)
def test_nothing_depends_on_the_question(name: str, level: int | str) -> None:
    envs = [make_vec(name, N, level=level, obs="dict", free="yes", autoreset_mode="DISABLED") for _ in range(2)]
    for env in envs:
        env.reset(seed=11)
    ask_for_something_else(envs[1].world, QUESTIONS[name, level])
    check_same(envs[0].observe(), envs[1].observe())
    touched = np.zeros(N, bool)
    queries = envs[0].params.sizes.queries
    for given in actions(envs[0], envs[0].horizon):
        a, b = (env.step(given) for env in envs)
        check_same(a[0], b[0])
        check_same(a[4], b[4])
        for k in (1, 2, 3):
            assert np.array_equal(a[k], b[k])
        assert not a[1].any() and not a[2].any()
        assert not any(value.any() for key, value in a[4].items() if not key.startswith("_"))
        for mode in ("slots", "rays"):
            assert not a[0][mode][:, HEAD : HEAD + queries].any()
        touched |= a[0]["slots"][:, HEAD + queries : HEAD + 2 * queries].any(-1)
        if (over := a[3]).any():
            for env in envs:
                env.reset(options={"reset_mask": over})
            envs[1].world[over] = envs[0].world[over]
    assert touched.any() or name in ("Tunnel", "Unblock")  # where random play hardly ever touches anything


@pytest.mark.parametrize(("name", "level"), QUESTIONS)
def test_only_time_ends_an_episode(name: str, level: int | str) -> None:
    """The lights come on then, and not earlier."""
    env = make_vec(name, N, level=level, obs="slots", free="yes", autoreset_mode="DISABLED")
    env.reset(seed=5)
    length, live = np.zeros(N, int), np.ones(N, bool)
    for given in actions(env, env.horizon):
        over = env.step(given)[3]
        length += live
        live &= ~over
        lit = env.world["light"] == 4
        assert np.array_equal(lit, over & bool(env.params.reveal))
        if over.any():
            env.reset(options={"reset_mask": over})
        if not live.any():
            break
    assert not live.any()
    if name == "Detour":
        assert (length == env.params.act).all()
    elif name not in ("Tunnel", "Unblock", "Ramps"):
        world = env.world
        assert length.min() >= env.params.act and length.max() <= env.horizon and len(world) == N


@pytest.mark.parametrize(("name", "level"), QUESTIONS)
def test_the_same_world_until_the_end(name: str, level: int | str) -> None:
    """With the same seeds and actions, free play differs from the asked form by the query alone, until that ends."""
    asked, free, shown = (
        make_vec(name, N, level=level, obs="slots", free=kind, autoreset_mode="DISABLED")
        for kind in ("no", "yes", "shown")
    )
    queries = slice(HEAD, HEAD + asked.params.sizes.queries)
    before = [env.reset(seed=2)[0] for env in (asked, free, shown)]
    live, rewarded = np.ones(N, bool), np.zeros(N, bool)
    for given in actions(asked, asked.horizon):
        for row, other in zip(before[0][live], before[1][live], strict=True):
            different = np.flatnonzero(row != other)
            assert set(different) <= set(range(queries.start, queries.stop))
        assert np.array_equal(before[0][live], before[2][live])
        for env in (asked, free, shown):
            if env.batch.done.any():
                env.reset(options={"reset_mask": env.batch.done != 0})
        out = [env.step(given) for env in (asked, free, shown)]
        before = [one[0] for one in out]
        assert not out[1][1].any() and not out[2][1].any()
        rewarded |= live & (out[0][1] > 0)
        live &= ~(out[0][2] | out[0][3])
        if name == "Tally":  # the marble in the hand is one of those asked for
            live &= ~(out[0][0][:, queries.stop : queries.stop + 2].any(-1))
        if not live.any():
            break


@pytest.mark.parametrize("name", ["RolledBehind", "Cups", "Rex", "Bedroom", "Unblock"])
def test_pictures_do_not_show_the_question(name: str) -> None:
    frames = []
    for other in (False, True):
        env = make_vec(
            name, 1, level=1, free="yes", render_mode="rgb_array", show_hidden=True, autoreset_mode="DISABLED"
        )
        env.reset(seed=4)
        if other:
            ask_for_something_else(env.world, QUESTIONS[name, 1])
        frames.append(env.render()[0])
    assert np.array_equal(*frames)
