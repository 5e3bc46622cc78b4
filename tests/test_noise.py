"""Noise is a function of (agent seed, episode seed, step), so episodes do not depend on the batch size."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unseen.agents.load import list_runs, load_agent
from unseen.agents.protocol import Agent
from unseen.agents.roster import ROSTER
from unseen.agents.shared import noise
from unseen.agents.shared.graph_agent import GraphAgent
from unseen.envs.errors import BadParameter
from unseen.envs.suite import SUITE, make_vec

N = 64
QUICK = [
    ("RolledBehind", 1, "random", None),
    ("RolledBehind", 1, "tracker", None),
    ("RolledBehind", 1, "oracle", None),
    ("RolledBehind", 1, "ppo", 0),
    ("RolledBehind", 1, "recurrent-ppo", 0),
    ("RolledBehind", 1, "dreamer", 1),
    ("RolledBehind", 1, "gru-mapper", 0),
]
"""One agent of each kind, with the training seed of those that were trained."""


def everyone() -> list[Any]:
    """Every agent that ships, and every reference at the default level, on every environment."""
    found: list[Any] = []
    for name, entry in SUITE.items():
        scripted = [agent for agent, row in ROSTER.items() if not row.trainable]
        found += [(name, entry.default_level, agent, None) for agent in scripted]
        for agent, row in ROSTER.items():
            for level in entry.levels if row.trainable else ():
                found += [(name, level, agent, run.seed) for run in list_runs(agent, name, level)]
    return [pytest.param(*each, marks=pytest.mark.slow) for each in found if each not in QUICK]


def uniform(agent_seed: int, seeds: list[int], purpose: int = 0, width: int = 8, steps: int = 1) -> np.ndarray:
    now = noise.start(agent_seed, np.array(seeds, np.uint64))
    drawn = []
    for _ in range(steps):
        drawn.append(noise.uniform(now, purpose, width))
        now = noise.advance(now)
    return np.stack(drawn)


def test_a_row_draws_the_same_in_any_batch() -> None:
    whole = uniform(3, list(range(N)), steps=20)
    for rows in ([5], list(range(16, 32)), [63, 0, 7]):
        np.testing.assert_array_equal(uniform(3, rows, steps=20), whole[:, rows])
    np.testing.assert_array_equal(uniform(3, [5], width=3, steps=20), whole[:, [5], :3])


def test_seed_episode_step_and_purpose_each_decide() -> None:
    drawn = [uniform(a, [s], p)[0, 0].tolist() for a in (0, 1, 2**63) for s in (0, 1, 2**62 - 1) for p in range(3)]
    drawn += uniform(0, [0], steps=4)[1:, 0].tolist()
    assert len({tuple(row) for row in drawn}) == len(drawn)


def test_numbers_are_uniform_and_uncorrelated() -> None:
    drawn = uniform(0, list(range(500)), width=20, steps=20)
    assert drawn.dtype == np.float32 and drawn.min() >= 0 and drawn.max() < 1
    counts = np.histogram(drawn, 16, (0, 1))[0]
    assert ((counts - drawn.size / 16) ** 2 / (drawn.size / 16)).sum() < 40  # chi-squared, 15 degrees of freedom
    for axis in range(3):  # neighbours in step, episode and column
        left, right = (np.take(drawn, range(k, drawn.shape[axis] - 1 + k), axis).ravel() for k in (0, 1))
        assert abs(np.corrcoef(left, right)[0, 1]) < 0.01


def test_a_row_that_opens_another_episode_draws_its_own_numbers() -> None:
    now = noise.start(0, np.arange(3, dtype=np.uint64))
    same = noise.next_episodes(0, now, np.ones(3, bool))  # nothing was decided yet: still the first episode
    assert same.number.tolist() == [0, 0, 0]
    later = noise.advance(noise.advance(now))
    opened = noise.next_episodes(0, later, np.array([True, False, True]))
    assert opened.number.tolist() == [1, 0, 1] and opened.step.tolist() == [0, 2, 0]
    drawn = noise.uniform(opened, 0, 8)
    np.testing.assert_array_equal(drawn[1], noise.uniform(later, 0, 8)[1])
    alone = noise.next_episodes(0, noise.advance(noise.start(0, np.array([2], np.uint64))), np.ones(1, bool))
    np.testing.assert_array_equal(drawn[2:], noise.uniform(alone, 0, 8))  # whatever the length of the one before
    assert not (drawn == noise.uniform(now, 0, 8)).any()


# --- agents --------------------------------------------------------------------------------------------------


def play(agent: Agent, env_name: str, level: int, seeds: range, explore: bool) -> tuple[list[list[Any]], np.ndarray]:
    """Actions and returns of two episodes per row, the second one started by autoreset."""
    n = len(seeds)
    modes = {name: mode for name, mode in (("obs", agent.obs), ("action", agent.action)) if mode}
    env = make_vec(env_name, n, level=level, split="test", **modes)
    agent.attach(env)
    obs, _ = env.reset(seed=list(seeds))
    state = agent.initial_state(np.array(seeds, np.uint64))
    actions: list[list[Any]] = [[] for _ in seeds]
    first, over, ended, returns = np.ones(n, bool), np.zeros(n, bool), np.zeros(n, int), np.zeros(n)
    while (ended < 2).any():
        action, state = agent.act(obs, state, first, explore)
        for row in np.flatnonzero(ended < 2):
            actions[row].append(action[row].tolist())
        obs, reward, terminated, truncated, _ = env.step(action)
        returns += np.where(ended < 2, reward, 0)
        first, over = over, terminated | truncated  # an ended row is reset by the next step
        ended += over
    env.close()
    return actions, returns


def check(agent: Agent, env_name: str, level: int) -> None:
    for explore in (False, True):
        actions, returns = play(agent, env_name, level, range(N), explore)
        for rows in (range(16, 32), range(20, 21)):
            random_actions, some_returns = play(agent, env_name, level, rows, explore)
            assert random_actions == actions[rows.start : rows.stop]
            np.testing.assert_array_equal(some_returns, returns[rows.start : rows.stop])


@pytest.mark.parametrize(("env", "level", "agent", "run"), [*QUICK, *everyone()])
def test_an_episode_is_the_same_alone_and_among_others(env: str, level: int, agent: str, run: int | None) -> None:
    acting = load_agent(agent, env, level, run)
    try:
        acting.attach(make_vec(env, 1, level=level))
    except BadParameter as error:  # where planning is what is asked for there need be no tracker
        assert "reference" in str(error)
        pytest.skip(f"{env} has no {agent}")
    check(acting, env, level)


def test_so_it_is_where_rows_are_computed_in_chunks() -> None:
    """For machines whose kernels round differently for different batch sizes."""
    agent = load_agent("gru-mapper", "RolledBehind", 1)
    assert isinstance(agent, GraphAgent)
    whole = play(agent, "RolledBehind", 1, range(20), False)
    agent._act.rows = 16
    np.testing.assert_equal(play(agent, "RolledBehind", 1, range(20), False), whole)
    check(agent, "RolledBehind", 1)


def test_so_it_is_with_the_policy_of_a_learner() -> None:
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    from unseen.agents.roster import learner_class
    from unseen.agents.shared.envs import EnvConfig

    for name, action in (("dreamer", "discrete"), ("ppo", "continuous")):
        learner = learner_class(name)(EnvConfig("RolledBehind", 1, action=action), config={"envs": 16})
        check(learner.policy(), "RolledBehind", 1)


def test_imagination_is_the_same_in_any_batch_and_disturbs_nothing() -> None:
    agent = load_agent("dreamer", "RolledBehind", 1)
    env = make_vec("RolledBehind", N, level=1, split="test")
    obs, _ = env.reset(seed=0)
    states = {}
    for rows in (range(N), range(16, 32), range(20, 21)):
        state = agent.initial_state(np.array(rows, np.uint64))
        first = np.ones(len(rows), bool)
        imagined = None
        for _ in range(3):
            _, state = agent.act(obs[rows.start : rows.stop], state, first)
            first = np.zeros(len(rows), bool)
            imagined = agent.imagine(state, horizon=6)
        assert imagined is not None and imagined.xy.shape == (len(rows), 6, 3, 2)
        states[rows] = state, imagined
    whole_state, whole = states[range(N)]
    for rows, (state, imagined) in states.items():
        for name in ("action", "reward", "cont", "xy", "pose"):
            expected = getattr(whole, name)[rows.start : rows.stop]
            np.testing.assert_array_equal(getattr(imagined, name), expected, err_msg=name)
        np.testing.assert_array_equal(state.latent, whole_state.latent[rows.start : rows.stop])
    silent = agent.initial_state(np.arange(N, dtype=np.uint64))
    for step in range(3):
        _, silent = agent.act(obs, silent, np.full(N, step == 0))
    np.testing.assert_array_equal(silent.latent, whole_state.latent)
    assert np.abs(whole.xy).max() < 10 and not (whole.reward[:, 0] == whole.reward[:, -1]).all()


def test_the_agent_seed_decides_too() -> None:
    agent = load_agent("random", "RolledBehind", 1)
    first, _ = play(agent, "RolledBehind", 1, range(8), False)
    agent.seed(1)
    other, _ = play(agent, "RolledBehind", 1, range(8), False)
    agent.seed(0)
    assert play(agent, "RolledBehind", 1, range(8), False)[0] == first != other
