"""Reference policies of every environment do not modify the state, and act in both action spaces."""

from collections.abc import Iterator

import numpy as np
import pytest

from unseen.envs.core.reference import WORLD
from unseen.envs.core.vector_env import TaskVectorEnv
from unseen.envs.suite import SUITE, make_vec

N = 8


def made(name: str, **kwargs) -> TaskVectorEnv:
    """Environments that observe what the task's references read."""
    reads = {reference.reads for reference in SUITE[name].task.references.values()} - {WORLD}
    return make_vec(name, N, obs=reads.pop() if len(reads) == 1 else "dict", **kwargs)


def episodes(env: TaskVectorEnv, actor: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Observation and `first` of every step until each environment has ended an episode, which `actor` plays."""
    obs, _ = env.reset(seed=3)
    policy, first, over = env.reference(actor), np.ones(N, bool), np.zeros(N, bool)
    for _ in range(env.horizon):
        yield obs, first
        obs, _, terminated, truncated, _ = env.step(policy.act(obs, first))
        first = env.world["t"] == 0
        over |= terminated | truncated
        if over.all():
            return
    raise AssertionError(f"an episode outlasted its horizon of {env.horizon} steps")


def copied(obs):
    return {name: rows.copy() for name, rows in obs.items()} if isinstance(obs, dict) else obs.copy()


@pytest.mark.parametrize("level", [1, 2, 3])
@pytest.mark.parametrize("name", SUITE)
def test_asking_a_reference_changes_neither_the_world_nor_the_observation(name: str, level: int) -> None:
    env = made(name, level=level)
    asked = {each: env.reference(each) for each in env.task.references}
    assert {"oracle", "reflex"} <= set(asked)
    steps = 0
    for obs, first in episodes(env, "tracker" if "tracker" in asked else "oracle"):
        before, seen = env.snapshot(), copied(obs)
        for each, policy in asked.items():
            policy.act(obs, first)
            assert env.snapshot() == before, f"{each} wrote into the world at step {steps}"
            np.testing.assert_equal(obs, seen, f"{each} wrote into the observation at step {steps}")
        steps += 1
    assert steps > 1


@pytest.mark.parametrize("name", SUITE)
def test_references_do_the_same_in_continuous_environments(name: str) -> None:
    task = SUITE[name].task
    if not task.actions or not task.action_low:
        pytest.skip("this environment has one kind of action only")
    table = np.array(list(task.actions.values()))
    for actor in task.references:
        discrete, continuous = made(name), made(name, action="continuous")
        rows, _ = continuous.reset(seed=3)
        policy = continuous.reference(actor)
        for obs, first in episodes(discrete, actor):
            np.testing.assert_equal(obs, rows)
            actions = policy.act(rows, first)
            assert actions.shape == (N, task.width()) and (actions[:, None] == table).all(-1).any(1).all()
            rows, *_ = continuous.step(actions)


@pytest.mark.parametrize("name", SUITE)
def test_a_reference_without_memory_depends_on_the_present_alone(name: str) -> None:
    env = made(name)
    references = env.task.references.items()
    memoryless = [each for each, reference in references if reference.memory is None or not reference.remembers]
    used = {each: env.reference(each) for each in memoryless}
    for t, (obs, first) in enumerate(episodes(env, "oracle")):
        for each, policy in used.items():
            actions = policy.act(obs, first)
            if t % 8 == 7:
                assert np.array_equal(actions, env.reference(each).act(obs, first)), each
    assert memoryless
