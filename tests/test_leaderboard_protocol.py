"""Episodes: what counts, and what is done about an agent that misbehaves."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from unseen.agents.load import load_agent
from unseen.agents.protocol import Agent
from unseen.envs import suite
from unseen.train.leaderboard.protocol import (
    Block,
    Latency,
    Stopwatch,
    check_actions,
    evaluate_block,
    measure_latency,
    rollout,
)

ENV = "RolledBehind"
NAN = float("nan")


@pytest.mark.parametrize(
    ("answer", "wrong_rows", "named"),
    [
        ([0, 3, 1], [], ""),
        (np.array([0, 3, 1], np.uint8), [], ""),
        ([0, 4, 1], [1], "action 4, where 0..3"),
        ([-1, 0, 9], [0, 2], "action -1"),
        ([0.0, 1.0, NAN], [0, 1, 2], "dtype float64"),
        ([True, False, True], [0, 1, 2], "dtype bool"),
        ([0, None, 1], [0, 1, 2], "dtype object"),
        (["0", "1", "2"], [0, 1, 2], "dtype <U1"),
        ([0, 1], [0, 1, 2], r"shape \(2,\), where \(3,\)"),
        (2, [0, 1, 2], r"shape \(\)"),
        ([[0, 1], [2]], [0, 1, 2], "shape"),
        (None, [0, 1, 2], "shape"),
    ],
)
def test_discrete_actions(answer: Any, wrong_rows: list[int], named: str) -> None:
    actions, wrong = check_actions(answer, spaces.Discrete(4), 3)
    assert sorted(wrong) == wrong_rows
    assert actions.shape == (3,) and actions.dtype.kind in "iu"
    assert ((0 <= actions) & (actions <= 3)).all()  # fit to step with
    for reason in wrong.values():
        assert "due" in reason
    if named:
        assert re.search(named, wrong[wrong_rows[0]])


def test_the_value_is_named_row_by_row() -> None:
    _, wrong = check_actions([0.0, 1.0, NAN], spaces.Discrete(4), 3)
    assert "nan" in wrong[2] and "nan" not in wrong[1]


@pytest.mark.parametrize(
    ("answer", "wrong_rows"),
    [
        ([[0.5, -1.0], [1.0, 0.0]], []),
        ([[0.5, -1.0], [NAN, 0.0]], [1]),
        ([[np.inf, 0.0], [0.0, 1.1]], [0, 1]),
        (np.zeros((2, 2), np.int64), [0, 1]),
        (np.zeros((2, 3)), [0, 1]),
    ],
)
def test_continuous_actions(answer: Any, wrong_rows: list[int]) -> None:
    actions, wrong = check_actions(answer, spaces.Box(-1, 1, (2,)), 2)
    assert sorted(wrong) == wrong_rows
    assert actions.shape == (2, 2) and np.isfinite(actions).all()


class Scripted(Agent):
    """Wraps the tracker, and misbehaves when told."""

    name, obs = "scripted", "slots"

    def __init__(self, misbehave: Any = None) -> None:
        self.inner = load_agent("tracker", ENV, 1)
        self.misbehave = misbehave
        self.step = -1

    def attach(self, env: Any) -> None:
        self.inner.attach(env)

    def initial_state(self, seeds: np.ndarray) -> Any:
        return self.inner.initial_state(seeds)

    def act(self, obs: np.ndarray, state: Any, first: np.ndarray, explore: bool = False) -> tuple[Any, Any]:
        self.step += 1
        assert not explore
        assert first.all() if self.step == 0 else True
        action, state = self.inner.act(obs, state, first)
        return (self.misbehave(self.step, np.array(action)) if self.misbehave else action), state


def play(agent: Any, seeds: Any = range(8)) -> list[Any]:
    env = suite.make_vec(ENV, len(seeds), level=1, split="test")
    agent.attach(env)
    return rollout("culprit", agent, env, seeds)


def test_an_outcome_is_that_of_the_scalar_environment() -> None:
    """Played one by one in `make`, the same seeds give the same return and length."""
    outcomes = play(Scripted(), range(5, 11))
    for outcome in outcomes:
        agent = Scripted()
        vec = suite.make_vec(ENV, 1, level=1, split="test")
        agent.attach(vec)
        env = suite.make(ENV, level=1, split="test")
        obs, _ = env.reset(seed=outcome.seed)
        state, first, total, length, over = agent.initial_state(np.zeros(1, np.uint64)), np.ones(1, bool), 0.0, 0, False
        while not over:
            action, state = agent.act(obs[None], state, first)
            obs, reward, terminated, truncated, _ = env.step(int(action[0]))
            total, length, over = total + reward, length + 1, terminated or truncated
            first = np.zeros(1, bool)
        assert (outcome.episode_return, outcome.length, outcome.error) == (total, length, "")


def test_a_bad_action_in_one_row_fails_that_episode_alone() -> None:
    def misbehave(step: int, action: np.ndarray) -> Any:
        if step == 4:
            action[3] = 17
        return action

    good, bad = play(Scripted()), play(Scripted(misbehave))
    assert bad[3].error == "agent 'culprit' at step 4: action 17, where 0..3 is due"
    assert bad[3].length == 4
    assert [o for o in bad if o.seed != 3] == [o for o in good if o.seed != 3]


def test_nan_actions_fail_with_step_and_value() -> None:
    outcomes = play(Scripted(lambda step, action: np.full(len(action), NAN) if step == 2 else action))
    for outcome in outcomes:
        assert "'culprit' at step 2" in outcome.error and "nan" in outcome.error
        assert outcome.length == 2


def test_raising_in_the_middle_keeps_what_was_over() -> None:
    good = play(Scripted(), range(40))
    fatal = int(np.median([o.length for o in good]))

    def misbehave(step: int, action: np.ndarray) -> Any:
        if step == fatal:
            raise RuntimeError("no idea\nwhat to do")
        return action

    bad = play(Scripted(misbehave), range(40))
    over = [o.length <= fatal for o in good]
    assert any(over) and not all(over)
    for was, now, done in zip(good, bad, over, strict=True):
        if done:
            assert now == was
        else:
            assert now.error == f"agent 'culprit' at step {fatal}: raised RuntimeError: no idea what to do"


USERS = """
import sys
import numpy as np
from unseen.agents.protocol import Agent

class Fine(Agent):
    def initial_state(self, seeds):
        return None
    def act(self, obs, state, first, explore=False):
        return np.zeros(len(obs), int), state

class Blind(Fine):
    obs = "telepathy"

class Stillborn(Fine):
    def __init__(self):
        raise KeyError("weights")

class Quitter(Fine):
    def act(self, obs, state, first, explore=False):
        sys.exit(3)

class Half(Fine):
    def act(self, obs, state, first, explore=False):
        return np.zeros(len(obs), int)
"""


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("Stillborn", "could not be loaded: BadAgent: .*could not be made: KeyError: 'weights'"),
        ("Blind", "could not be loaded: BadParameter: obs='telepathy'"),
        ("Quitter", "at step 0: raised SystemExit: 3"),
        ("Half", "at step 0: raised"),
        ("Missing", "could not be loaded: UnknownAgent: .*it has: Fine, Blind"),
    ],
)
def test_a_users_class_that_fails_is_named(tmp_path: Path, name: str, error: str) -> None:
    file = tmp_path / "mine.py"
    file.write_text(USERS)
    outcomes = evaluate_block(Block(f"{file}:{name}", None, ENV, 1, range(3)))
    assert len(outcomes) == 3
    for outcome in outcomes:
        assert re.search(f"agent '.*mine.py:{name}'", outcome.error) and re.search(error, outcome.error)
    assert measure_latency(Stopwatch(f"{file}:{name}", None, ENV, 1, 5, 1)) is None


def test_a_block_repeats_exactly_noise_included() -> None:
    block = Block("random", None, ENV, 2, range(100, 130))
    assert evaluate_block(block) == evaluate_block(block)
    assert [o.seed for o in evaluate_block(block)] == list(range(100, 130))


def test_latency_is_measured_at_batch_one() -> None:
    found = measure_latency(Stopwatch("reflex", None, ENV, 1, 50, 5))
    assert isinstance(found, Latency)
    assert 0 < found.p50_ms <= found.p95_ms < 1000 and found.decisions == 50
