"""A state that diverges ends the episode with a reason in `info`, and no observation is NaN.

NaN and infinities are put into every float of the record, one after the other.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from unseen.envs.core.env import TaskEnv
from unseen.envs.core.vector_env import TaskVectorEnv
from unseen.envs.suite import SUITE, make, make_vec

REASON = {"Dosing": 3, "Kiln": 2, "ProvingGround": 1, "ProvingGroundDrive": 5, "Crane": 5}  # `ended_by`
SENSORS = {
    "Dosing": "monitor",
    "Kiln": "panel",
    "ProvingGround": "file",
    "ProvingGroundDrive": "cockpit",
    "Crane": "panel",
}
BAD = (math.nan, math.inf, -math.inf)
BEFORE, AFTER = 3, 4  # steps before and after the number is put in


def floats(dtype: np.dtype) -> Iterator[str]:
    """The path of every float field of a record, as in "car.x"."""
    for name in dtype.names or ():
        base = dtype[name].base
        if base.names:
            yield from (f"{name}.{inner}" for inner in floats(base))
        elif base.kind == "f":
            yield name


def field(world: np.ndarray, path: str) -> Any:
    """A view of a field of the records `world`."""
    for name in path.split("."):
        world = world[name]
    return world


def put(world: np.ndarray, path: str, value: float) -> None:
    """Set the first number of a field of the one record in `world`."""
    field(world, path).flat[0] = value


def no_action(env: Any) -> np.ndarray:
    """Continuous actions that do not end an episode: all 0, and ProvingGround tests a car."""
    row = np.zeros(env.action_space.shape, np.float32)
    if env.task.__name__ == "ProvingGround":
        row[..., -1] = -1.0
    return row


@functools.cache
def one(name: str, obs: str) -> TaskEnv:
    return make(name, action="continuous", level=1, obs=obs)


@functools.cache
def three(name: str, mode: AutoresetMode) -> TaskVectorEnv:
    return make_vec(name, 3, action="continuous", level=1, obs="state", autoreset_mode=mode)


FIELDS = [(name, path) for name in REASON for path in floats(SUITE[name].task.state)]


def test_every_environment_with_floats_and_no_room_says_when_it_has_diverged() -> None:
    industry = [name for name, entry in SUITE.items() if entry.group == "industry"]
    assert [name for name in industry if any(floats(SUITE[name].task.state))] == [*REASON]
    assert {name for name, entry in SUITE.items() if entry.task.diverged is not None} == {*REASON}


@pytest.mark.parametrize(("name", "path"), FIELDS)
def test_no_number_that_is_put_into_the_state_is_observed_or_goes_on(name: str, path: str) -> None:
    """The episode ends, unless the step has overwritten the number."""
    for obs_mode in (SENSORS[name], "dict", "state"):
        env = one(name, obs_mode)
        for value in BAD:
            env.reset(seed=0)
            for _ in range(BEFORE):
                env.step(no_action(env))
            put(env.world, path, value)
            for _ in range(AFTER):
                obs, reward, terminated, truncated, info = env.step(no_action(env))
                assert all(np.isfinite(row).all() for row in (obs.values() if obs_mode == "dict" else [obs]))
                assert math.isfinite(reward) and all(map(math.isfinite, info.values()))
                if terminated:
                    assert not truncated and reward == 0.0 and info.pop("ended_by") == REASON[name]
                    assert not any(info.values())
                    break
                assert np.isfinite(field(env.world, path)).all()


@pytest.mark.parametrize("mode", AutoresetMode)
@pytest.mark.parametrize("name", REASON)
def test_one_environment_of_a_batch_that_diverges_leaves_the_others_alone(name: str, mode: AutoresetMode) -> None:
    env, twin = three(name, mode), make_vec(name, 3, action="continuous", level=1, obs="state")
    ended = 0
    for path in floats(env.task.state):
        for each in (env, twin):
            each.reset(seed=0)
            each.step(no_action(each))
        put(env.world[1:2], path, math.nan)
        obs, reward, terminated, _, infos = env.step(no_action(env))
        clean, paid, *_ = twin.step(no_action(twin))
        assert np.isfinite(obs).all() and np.isfinite(reward).all()
        assert np.array_equal(obs[[0, 2]], clean[[0, 2]]) and np.array_equal(reward[[0, 2]], paid[[0, 2]])
        assert not terminated[[0, 2]].any()
        if terminated[1]:
            ended += 1
            if mode == AutoresetMode.SAME_STEP:
                assert np.isfinite(infos["final_obs"][1]).all()
                infos = infos["final_info"]
            assert infos["ended_by"].tolist() == [0, REASON[name], 0] and infos["_ended_by"].tolist() == [
                False,
                True,
                False,
            ]
    assert ended >= 10


@pytest.mark.parametrize(
    ("name", "path"),
    [("Dosing", "c50"), ("Dosing", "drug.ce"), ("Kiln", "slab.temp"), ("Crane", "angle"), ("ProvingGround", "offset"),
     ("ProvingGround", "brief"), ("ProvingGroundDrive", "car.x"), ("ProvingGroundDrive", "grip")],
)  # fmt: skip
@pytest.mark.parametrize("value", [*BAD, 1e300])
def test_a_state_that_diverges_ends_the_episode_at_once(name: str, path: str, value: float) -> None:
    env = one(name, "state")
    env.reset(seed=0)
    put(env.world, path, value)
    obs, reward, terminated, truncated, info = env.step(no_action(env))
    assert terminated and not truncated and reward == 0.0 and info["ended_by"] == REASON[name]
    assert env.observation_space.contains(obs)


@pytest.mark.parametrize("family", range(6))
def test_a_test_of_any_family_ends_if_the_factory_is_not_a_number(family: int) -> None:
    env = one("ProvingGround", "file")
    for value in BAD:
        env.reset(seed=0)
        env.world["offset"][:] = value
        row = no_action(env)
        row[10] = (2 * family + 1) / 6 - 1
        obs, reward, terminated, _, info = env.step(row)
        assert terminated and info["ended_by"] == REASON["ProvingGround"]
        assert np.isfinite(obs).all() and reward == 0.0


def test_an_episode_after_one_that_has_diverged_is_like_any_other() -> None:
    env, fresh = one("Dosing", "state"), make("Dosing", action="continuous", level=1, obs="state")
    env.reset(seed=0)
    put(env.world, "c50", math.nan)
    assert env.step(no_action(env))[2]
    for each in (env, fresh):
        each.reset(seed=1)
    assert env.world.tobytes() == fresh.world.tobytes()
