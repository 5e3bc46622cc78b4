"""The rollout loop: outcomes, independence of episodes, and misbehaving agents."""

from __future__ import annotations

import ast
import re
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from unseen.agents.load import load_agent
from unseen.agents.protocol import Agent
from unseen.agents.references import RandomAgent
from unseen.agents.shared.envs import EnvConfig
from unseen.envs import suite
from unseen.train import rollout as module
from unseen.train.errors import AgentFailed, EvaluationError
from unseen.train.rollout import (
    MAX_TEXT,
    Rollout,
    check_actions,
    make_env_for,
    metrics_of,
    one_line,
    random_actions,
    rollout,
)

ROOT = Path(__file__).parents[1]
ENV = "RolledBehind"
MONITOR = str(ROOT / "examples" / "blind_monitor.py") + ":BlindMonitor"
NAN = float("nan")


def test_no_episode_is_played_besides_the_first_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is played is the same without `hold`, which only saves steps."""
    played = []
    for _ in range(2):
        agent = RandomAgent()
        env = make_env_for(agent, EnvConfig(ENV, 1), 6)
        played.append((rollout(agent, env, range(6)), env.world["t"].tolist()))
        monkeypatch.setattr(type(env), "hold", lambda self, where: None)
    (held, steps), (free, others) = played
    lengths = [outcome.length for outcome in held]
    assert held == free and steps == lengths and len(set(lengths)) > 1 and others != lengths


# --- actions ---


@pytest.mark.parametrize(
    ("answer", "wrong_rows", "named"),
    [
        ([0, 3, 1], [], ""),
        (np.array([0, 3, 1], np.uint8), [], ""),
        ([0, 4, 1], [1], "action 4, expected 0..3"),
        ([-1, 0, 9], [0, 2], "action -1"),
        ([0.0, 1.0, NAN], [0, 1, 2], "dtype float64"),
        ([True, False, True], [0, 1, 2], "dtype bool"),
        ([0, None, 1], [0, 1, 2], "dtype object"),
        (["0", "1", "2"], [0, 1, 2], "dtype <U1"),
        ([0, 1], [0, 1, 2], r"shape \(2,\), expected \(3,\)"),
        (2, [0, 1, 2], r"shape \(\)"),
        ([[0, 1], [2]], [0, 1, 2], "not an array: ValueError"),
        (None, [0, 1, 2], "shape"),
    ],
)
def test_discrete_actions(answer: Any, wrong_rows: list[int], named: str) -> None:
    actions, wrong = check_actions(answer, spaces.Discrete(4), 3)
    assert sorted(wrong) == wrong_rows
    assert actions.shape == (3,) and actions.dtype.kind in "iu"
    assert ((0 <= actions) & (actions <= 3)).all()  # fit to step with
    for reason in wrong.values():
        assert "expected" in reason or "not an array" in reason
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


def test_a_wrong_row_gets_an_action_of_the_space_even_where_zero_is_none() -> None:
    space = spaces.Box(np.array([2.0, -9.0], np.float32), np.array([4.0, -1.0], np.float32))
    actions, wrong = check_actions([[3.0, -2.0], [9.0, 0.0]], space, 2)
    assert sorted(wrong) == [1]
    assert all(space.contains(row.astype(np.float32)) for row in actions)


class Hostile:
    """Fails whatever is done with it."""

    def __array__(self, *args: object, **kwargs: object) -> np.ndarray:
        raise RuntimeError("requires grad")

    def __repr__(self) -> str:
        raise RuntimeError("no")

    __str__ = __repr__


@pytest.mark.parametrize("answer", [Hostile(), [Hostile(), Hostile(), Hostile()]])
def test_an_answer_that_fails_when_it_is_read_is_a_wrong_action(answer: Any) -> None:
    actions, wrong = check_actions(answer, spaces.Discrete(4), 3)
    assert sorted(wrong) == [0, 1, 2] and ((0 <= actions) & (actions <= 3)).all()


def test_an_error_becomes_one_short_line_that_any_file_takes() -> None:
    class Rude(Exception):
        def __str__(self) -> str:
            raise ValueError("no")

    assert one_line(KeyError("a\nb")) == "KeyError: 'a\\nb'"
    assert one_line(OSError("caf\udce9\n.npz")) == "OSError: caf? .npz"
    assert one_line(Rude()) == "Rude"
    assert len(one_line(ValueError("x" * 10**6))) == MAX_TEXT


def test_some_actions_are_of_the_space_and_the_same_every_time() -> None:
    for space in (
        spaces.Discrete(3, start=2),
        spaces.Box(np.array([2, -9], np.float32), np.array([4, -1], np.float32)),
    ):
        rows = random_actions(space, 5, 7)
        assert rows.shape[:2] == (5, 7) and all(space.contains(a.astype(space.dtype)) for row in rows for a in row)
        assert np.array_equal(rows, random_actions(space, 5, 7))


# --- episodes ---


class Scripted(Agent):
    """Wraps the tracker, and misbehaves on request."""

    name, obs = "scripted", "slots"

    def __init__(self, misbehave: Any = None) -> None:
        self.inner = load_agent("tracker", ENV, 1)
        self.misbehave = misbehave
        self.step = -1

    def attach(self, env: Any) -> None:
        self.inner.attach(env)

    def initial_state(self, seeds: np.ndarray) -> Any:
        assert seeds.dtype == np.uint64
        return self.inner.initial_state(seeds)

    def act(self, obs: np.ndarray, state: Any, first: np.ndarray, explore: bool = False) -> tuple[Any, Any]:
        self.step += 1
        assert not explore
        assert first.all() if self.step == 0 else True
        action, state = self.inner.act(obs, state, first)
        return (self.misbehave(self.step, np.array(action)) if self.misbehave else action), state


def play(agent: Any, seeds: Any = range(8), **options: Any) -> list[Any]:
    return rollout(agent, suite.make_vec(ENV, len(seeds), level=1, split="test"), seeds, name="culprit", **options)


def test_an_outcome_is_that_of_the_scalar_environment() -> None:
    """Scalar environments with the same seeds give the same returns, lengths and metrics."""
    outcomes = play(Scripted(), range(5, 11), metrics=("is_success",))
    for outcome in outcomes:
        agent = Scripted()
        vec = suite.make_vec(ENV, 1, level=1, split="test")
        agent.attach(vec)
        env = suite.make(ENV, level=1, split="test")
        obs, _ = env.reset(seed=outcome.seed)
        state, first = agent.initial_state(np.array([outcome.seed], np.uint64)), np.ones(1, bool)
        total, length, over, info = 0.0, 0, False, {}
        while not over:
            action, state = agent.act(obs[None], state, first)
            obs, reward, terminated, truncated, info = env.step(int(action[0]))
            total, length, over = total + reward, length + 1, terminated or truncated
            first = np.zeros(1, bool)
        assert (outcome.episode_return, outcome.length, outcome.error) == (total, length, "")
        assert outcome.metrics == info


@pytest.mark.parametrize("name", ["random", "tracker"])
def test_an_episode_is_the_same_alone_and_among_64(name: str) -> None:
    where = EnvConfig(ENV, 2, split="test")
    many = rollout(load_agent(name, ENV, 2), make_env_for(load_agent(name, ENV, 2), where, 64), range(64))
    for seed in (0, 17, 63):
        agent = load_agent(name, ENV, 2)
        assert rollout(agent, make_env_for(agent, where, 1), [seed]) == [many[seed]]


def test_an_agents_own_seed_matters_to_its_noise_alone() -> None:
    where = EnvConfig(ENV, 1, split="test")

    def lengths(seed: int) -> list[int]:
        outcomes = rollout(RandomAgent(), make_env_for(RandomAgent(), where, 32), range(32), agent_seed=seed)
        return [outcome.length for outcome in outcomes]

    assert lengths(0) == lengths(0) != lengths(1)


def test_continuous_actions_and_a_room_that_is_none() -> None:
    where = EnvConfig(MONITOR, 2, split="test")
    scores = {}
    for name in ("random", "reflex", "tracker", "oracle"):
        agent = load_agent(name, MONITOR, 2)
        outcomes = rollout(
            agent, make_env_for(agent, where, 200), range(200), metrics=metrics_of(where), fail_fast=True
        )
        scores[name] = np.mean([outcome.episode_return for outcome in outcomes])
        assert set(outcomes[0].metrics) == {"is_success", "worst_error"}
    assert scores["random"] < scores["reflex"] < 0.4 < 0.9 < scores["tracker"] and scores["oracle"] > 0.95


def test_an_environment_of_gymnasiums() -> None:
    agent, where = RandomAgent(), EnvConfig("CartPole-v1")
    env = make_env_for(agent, where, 5)
    outcomes = rollout(agent, env, range(5), metrics=metrics_of(where))
    assert all(outcome.episode_return == outcome.length > 5 for outcome in outcomes)
    assert outcomes == rollout(agent, env, range(5))  # again from the same seeds


def test_first_marks_what_opens_an_episode_and_nothing_else() -> None:
    """Also across autoresets: the terminal observation comes first, then the first one of the next episode."""
    seen: list[tuple[np.ndarray, np.ndarray]] = []

    class Watches(RandomAgent):
        def act(self, obs: np.ndarray, state: Any, first: np.ndarray, explore: bool = False) -> tuple[Any, Any]:
            seen.append((first.copy(), env.world["t"].copy()))
            return super().act(obs, state, first, explore)

    env = suite.make_vec(ENV, 6, level=1)
    steps = list(islice(Rollout(Watches(), env, range(6), once=False), 90))
    assert len(steps) == 90
    assert all(np.array_equal(first, t == 0) for first, t in seen)
    assert sum(first.sum() for first, _ in seen) > 12


def test_a_rollout_step_shows_the_state_of_the_environment() -> None:
    env = suite.make_vec(ENV, 4, level=1, split="test")
    run = Rollout(Scripted(), env, range(4), observe_final=True)
    steps = []
    for step in run:
        assert np.array_equal(step.obs, env.observe())
        assert (env.world["t"][step.live] == step.step).all()
        steps.append(step)
    assert not steps[-1].live.any() and steps[-2].live.any()  # the last look
    assert sum(step.reward.sum() for step in steps[:1]) == 0
    assert steps[-1].terminated.any() and run.outcomes[0].error == ""
    assert all(step.seconds > 0 for step in steps)


def test_an_agent_that_needs_another_observation_is_refused() -> None:
    with pytest.raises(EvaluationError, match="'scripted' needs obs='slots', not 'rays'"):
        make_env_for(Scripted(), EnvConfig(ENV, 1, obs="rays"), 2)
    assert make_env_for(RandomAgent(), EnvConfig(ENV, 1, obs="rays"), 2).obs_mode == "rays"
    assert make_env_for(RandomAgent(), EnvConfig(ENV, 1, action="continuous"), 2).action_kind == "continuous"


# --- agents that misbehave ---


def test_a_bad_action_in_one_row_fails_that_episode_alone() -> None:
    def misbehave(step: int, action: np.ndarray) -> Any:
        if step == 4:
            action[3] = 17
        return action

    good, bad = play(Scripted()), play(Scripted(misbehave))
    assert bad[3].error == "agent 'culprit' at step 4: action 17, expected 0..3"
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


@pytest.mark.parametrize("method", ["attach", "seed", "initial_state"])
def test_raising_before_the_first_step_fails_every_episode(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise KeyError("x")

    agent = Scripted()
    monkeypatch.setattr(agent, method, broken)
    assert [o.error for o in play(agent)] == ["agent 'culprit' at step 0: raised KeyError: 'x'"] * 8


def test_failing_fast_names_agent_step_and_cause() -> None:
    def misbehave(step: int, action: np.ndarray) -> Any:
        if step == 3:
            raise KeyError("x")
        return action

    with pytest.raises(AgentFailed, match="'culprit' at step 3: raised KeyError: 'x'") as caught:
        play(Scripted(misbehave), fail_fast=True)
    assert isinstance(caught.value.__cause__, KeyError) and caught.value.step == 3
    with pytest.raises(AgentFailed, match="'culprit' at step 0: action 1.*, expected 0..3"):
        play(Scripted(lambda step, action: action + 10), fail_fast=True)


def test_an_episode_without_an_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_STEPS", 5)
    for outcome in play(Scripted()):
        assert outcome.error.endswith("the episode did not end within 5 steps") and outcome.length == 5


# --- one loop ---


def test_nothing_else_in_train_asks_an_agent_to_act() -> None:
    def calls(path: Path) -> bool:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = [node.func.attr for node in ast.walk(tree) if isinstance(node, ast.Call) and hasattr(node.func, "attr")]
        return "act" in names

    acting = [str(path.relative_to(ROOT)) for path in sorted((ROOT / "train").rglob("*.py")) if calls(path)]
    wrappers = [
        "train/audit/leaks.py",
        "train/designers/study.py",
        "train/designs.py",
    ]  # agents that call the one inside
    shown = ["train/measures/decoding.py", "train/measures/map_error.py"]  # an agent is shown what another one has seen
    assert acting == [*wrappers, *shown, "train/rollout.py"]


@pytest.mark.parametrize("autoreset", ["SameStep", "Disabled"])
def test_another_autoreset_mode_or_number_of_environments_is_a_mistake(autoreset: str) -> None:
    with pytest.raises(AssertionError):
        Rollout(RandomAgent(), suite.make_vec(ENV, 2, autoreset_mode=autoreset), range(2))
    with pytest.raises(AssertionError):
        Rollout(RandomAgent(), suite.make_vec(ENV, 2), range(3))
