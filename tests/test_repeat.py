"""Decisions that last several steps: what learners see of the environments, what agents do in between, export and resumption."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from unseen.agents.dreamer import DreamerLearner  # noqa: E402
from unseen.agents.errors import BadAgent, BadCheckpoint  # noqa: E402
from unseen.agents.gru_ppo import GRUPPOLearner  # noqa: E402
from unseen.agents.latent_mpc import LatentMPCLearner  # noqa: E402
from unseen.agents.load import load_agent  # noqa: E402
from unseen.agents.protocol import Agent  # noqa: E402
from unseen.agents.shared.envs import EnvConfig, make  # noqa: E402
from unseen.agents.shared.repeat import with_repeat  # noqa: E402
from unseen.train.leaderboard.protocol import LatencyTask, measure_latency  # noqa: E402
from unseen.train.measures import TITLES, measures  # noqa: E402

DOSING = EnvConfig("Dosing", 2)
REX = EnvConfig("Rex", 1)
GRU = {"envs": 8, "batch": 4, "epochs": 1, "hidden": 16}
DREAMER = {
    "envs": 4, "batch": 4, "prefill": 4, "hidden": 16, "deter": 16, "groups": 2, "classes": 4, "imagination_starts": 8,
    "actor_warmup_updates": 2, "replay_ratio": 512.0, "sequence": 32,
}  # fmt: skip


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.mark.parametrize("env", [DOSING, REX], ids=lambda env: env.label)
def test_a_decision_is_several_steps_but_ends_with_the_episode(env: EnvConfig) -> None:
    n, repeat = 4, 7
    plain, by_decision = make(env, 1), with_repeat(make(env, n), repeat)
    assert by_decision.horizon == -(-(plain.horizon or 0) // repeat)
    rng = np.random.default_rng(0)
    actions = rng.integers(0, by_decision.vector.single_action_space.n, (150, n))
    seen = [by_decision.vector.reset(seed=5)[0]]
    rewards, ends, steps, said = [], [], [], []
    for action in actions:
        obs, reward, terminated, truncated, infos = by_decision.vector.step(action)
        seen.append(obs)
        rewards.append(reward)
        ends.append(terminated | truncated)
        steps.append(infos["steps"])
        said.append({key: value for key, value in infos.items() if key != "steps"})
    assert np.sum(ends) > n
    for i in range(n):
        vector = make(env, 1).vector
        obs, _ = vector.reset(seed=5 + i)
        over = False
        for t, action in enumerate(actions[:, i]):
            np.testing.assert_array_equal(seen[t][i], obs[0])
            total, taken = 0.0, 0
            info: dict[str, Any] = {}
            if over:
                obs, *_ = vector.step([action])  # only resets
                over = False
            else:
                while taken < repeat and not over:
                    obs, reward, terminated, truncated, info = vector.step([action])
                    total, taken, over = total + reward[0], taken + 1, bool(terminated[0] | truncated[0])
            assert (rewards[t][i], steps[t][i], ends[t][i]) == (pytest.approx(total), taken, over)
            assert {key: value[i] for key, value in said[t].items() if said[t]["_" + key.lstrip("_")][i]} == {
                key: value[0] for key, value in info.items()
            }


def test_learners_count_environment_steps() -> None:
    made = GRUPPOLearner(DOSING, config=GRU | {"repeat": 6})
    played, _ = made._play()
    assert len(played.reward) <= 70 and (played.taken > 5 * played.length).all() and played.steps == played.taken.sum()
    dreamer = DreamerLearner(DOSING, config=DREAMER | {"repeat": 6})
    for _ in range(2):
        dreamer._collect()
    assert dreamer.steps == 2 * 6 * 4


def seeds(n: int) -> np.ndarray:
    return np.arange(n, dtype=np.uint64)


def actions_of(agent: Agent, rows: slice, first: np.ndarray, obs: np.ndarray) -> np.ndarray:
    """The actions (T, m) of some rows, in a batch of their own; first (T, n); obs (T, n, ...)."""
    state = agent.initial_state(seeds(first.shape[1])[rows])
    taken = []
    for t in range(len(first)):
        action, state = agent.act(obs[t][rows], state, first[t][rows], explore=True)
        taken.append(action)
    return np.stack(taken)


@pytest.mark.parametrize("kind", [GRUPPOLearner, DreamerLearner, LatentMPCLearner])
@pytest.mark.parametrize("action", ["discrete", "continuous"])
def test_an_agent_holds_its_action(kind: Any, action: str) -> None:
    settings = GRU if kind is GRUPPOLearner else DREAMER
    more = {"imagined": 12, "depth": 3} if kind is LatentMPCLearner else {}
    made = kind(EnvConfig("Dosing", 2, action=action), config=settings | more | {"repeat": 4})
    agent, n, steps = made.policy(), 5, 24
    obs = np.random.default_rng(0).random((steps, n, made.envs.observation.size), np.float32)
    first = np.zeros((steps, n), bool)
    first[0] = True
    first[[3, 9], [1, 2]] = True  # from there on out of step with the others
    taken = actions_of(agent, slice(None), first, obs)
    for i in range(n):
        np.testing.assert_array_equal(taken[:, i : i + 1], actions_of(agent, slice(i, i + 1), first, obs))
        start = 0
        for t in range(steps):
            start = t if first[t, i] else start
            if (t - start) % 4:
                np.testing.assert_array_equal(taken[t, i], taken[t - 1, i])
    decisions = taken[::4, 0]
    assert len(np.unique(decisions, axis=0)) > 1


@pytest.mark.parametrize("kind", [GRUPPOLearner, LatentMPCLearner])
def test_an_exported_agent_holds_its_action(kind: Any, tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    made = kind(DOSING, config=(GRU if kind is GRUPPOLearner else DREAMER) | {"repeat": 4})
    path = tmp_path / "agent.onnx"
    made.export(path)
    card = {"agent": made.name, "config": {"repeat": 4}}
    path.with_suffix(".json").write_text(json.dumps(card))
    assert load_agent(str(path), "Dosing", 2).repeat == 4
    for wrong in (0, True, 2.5, "4", 10**6):
        path.with_suffix(".json").write_text(json.dumps(card | {"config": {"repeat": wrong}}))
        with pytest.raises(BadCheckpoint, match="repeat"):
            load_agent(str(path), "Dosing", 2)


@pytest.mark.parametrize("kind", [GRUPPOLearner, DreamerLearner])
def test_resume_is_exact(kind: Any, tmp_path: Path) -> None:
    settings = (GRU if kind is GRUPPOLearner else DREAMER) | {"repeat": 5}
    one, other = kind(REX, config=settings), kind(REX, seed=3, config=settings)
    for _ in range(2):
        one.advance()
    one.save(tmp_path)
    other.load(tmp_path)
    for _ in range(2):
        assert one.advance() == other.advance()
    assert one.steps == other.steps > 0


@pytest.mark.parametrize(("env", "repeat"), [(DOSING, 0), (DOSING, 1001), (EnvConfig("CartPole-v1"), 2)])
def test_what_cannot_be_repeated_is_refused(env: EnvConfig, repeat: int) -> None:
    with pytest.raises(BadAgent, match=f"repeat={repeat}"):
        GRUPPOLearner(env, config=GRU | {"repeat": repeat})


def test_what_is_imagined_by_decision_is_not_compared_by_step() -> None:
    agent = LatentMPCLearner(DOSING, config=DREAMER | {"imagined": 12, "depth": 3, "repeat": 4}).policy()
    found = measures(agent, DOSING, 2)
    assert [table.title for table in found] == list(TITLES)
    assert all(table.why == "an imagined step of latent-mpc lasts 4 steps" for table in found[2:])
    assert not any("imagined step" in table.why for table in found[:2])


def test_the_time_of_a_decision_is_that_of_steps_that_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    agent = GRUPPOLearner(DOSING, config=GRU | {"repeat": 6}).policy()
    decide, calls = agent.decide, []  # type: ignore[attr-defined]
    monkeypatch.setattr(agent, "decide", lambda *args, **more: (calls.append(1), decide(*args, **more))[1])
    monkeypatch.setattr("unseen.train.leaderboard.protocol.load_agent", lambda *args: agent)
    assert measure_latency(LatencyTask("gru-ppo", None, DOSING, 20, 5)) is not None
    assert len(calls) == 25


def test_while_an_action_is_held_the_same_is_imagined() -> None:
    agent = DreamerLearner(DOSING, config=DREAMER | {"repeat": 3}).policy()
    envs = make(DOSING, 2).vector
    obs, _ = envs.reset(seed=0)
    state, first, seen = agent.initial_state(np.arange(2, dtype=np.uint64)), np.ones(2, bool), []
    for _ in range(6):
        action, state = agent.act(obs, state, first)
        found = agent.imagine(state, 4)
        assert found is not None
        seen.append(found.action)
        obs, first = envs.step(action)[0], np.zeros(2, bool)
    for t in range(6):
        assert np.array_equal(seen[t], seen[t // 3 * 3])
    assert not np.array_equal(seen[0], seen[3])


def test_only_rows_that_decide_are_shown_to_the_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two rows, of which the second begins an episode while the first holds its action: as if each played alone."""
    agent = GRUPPOLearner(DOSING, config=GRU | {"repeat": 3}).policy()
    decide, rows = agent.decide, []  # type: ignore[attr-defined]
    monkeypatch.setattr(agent, "decide", lambda obs, *args: (rows.append(len(obs)), decide(obs, *args))[1])
    rng = np.random.default_rng(0)
    obs = rng.random((7, 2, make(DOSING, 1).observation.size), np.float32)
    firsts = np.zeros((7, 2), bool)
    firsts[0], firsts[2, 1] = True, True

    def play(which: slice) -> list[np.ndarray]:
        state, actions = agent.initial_state(np.arange(2, dtype=np.uint64)[which]), []
        for seen, first in zip(obs[:, which], firsts[:, which], strict=True):
            action, state = agent.act(seen, state, first, True)
            actions.append(action)
        return actions

    both = play(slice(0, 2))
    assert rows == [2, 1, 1, 1, 1], "both at step 0; the second at 2, the first at 3, the second at 5, the first at 6"
    for k in range(2):
        assert np.array_equal(np.concatenate(play(slice(k, k + 1))), np.stack(both)[:, k])
