"""Imagined observations of environments without a room: shape, units, time, ends, other roll-outs, and what gauges read in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from unseen.agents.dreamer import DreamerLearner  # noqa: E402
from unseen.agents.jepa_mpc import JEPAMPCLearner  # noqa: E402
from unseen.agents.latent_mpc import LatentMPCLearner  # noqa: E402
from unseen.agents.load import load_agent  # noqa: E402
from unseen.agents.mapper import MapperLearner  # noqa: E402
from unseen.agents.protocol import Agent  # noqa: E402
from unseen.agents.shared.envs import EnvConfig, make  # noqa: E402
from unseen.agents.shared.graph_agent import ROLL_OUTS, after_end  # noqa: E402
from unseen.envs.industry.dosing.rules import BIS, MONITOR_PARTS, RATE, SHOWN, WHO  # noqa: E402
from unseen.envs.suite import make_vec  # noqa: E402

DOSING = EnvConfig("Dosing", 1)
CONTINUOUS = EnvConfig("Dosing", 1, action="continuous")
TINY = {
    "envs": 4, "batch": 4, "prefill": 4, "hidden": 16, "imagination_starts": 8, "actor_warmup_updates": 2, "replay_ratio": 512.0,
    "repeat": 6,
}  # fmt: skip
RSSM = TINY | {"deter": 16, "groups": 2, "classes": 4, "sequence": 32}
KINDS: dict[str, tuple[Any, dict[str, Any]]] = {
    "mapper": (MapperLearner, TINY | {"map": "none", "transitions": 64}),
    "dreamer": (DreamerLearner, RSSM),
    "latent-mpc": (LatentMPCLearner, RSSM | {"imagined": 24, "depth": 4}),
}
N, H = 3, 5


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def learner(kind: str, env: EnvConfig = DOSING, updates: int = 0) -> Any:
    made, config = KINDS[kind]
    found = made(env, config=config)
    while found.updates < updates:
        found.advance()
    with torch.no_grad():
        found.model.cont_head[-1].bias.fill_(8.0)  # it does not expect an end yet
    return found


def played(agent: Agent, env: EnvConfig, steps: int) -> tuple[np.ndarray, Any]:
    """The observations (N, d) after some steps, and what the agent remembers of them."""
    vector = make(env, N).vector
    obs, _ = vector.reset(seed=0)
    state, first = agent.initial_state(np.arange(N, dtype=np.uint64)), np.ones(N, bool)
    for _ in range(steps):
        action, state = agent.act(obs, state, first)
        before, first = obs.copy(), np.zeros(N, bool)
        obs, *_ = vector.step(action)
    return before, state


@pytest.mark.parametrize("env", [DOSING, CONTINUOUS], ids=["discrete", "continuous"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_trained_model_imagines_observations(kind: str, env: EnvConfig) -> None:
    agent = learner(kind, env, updates=4).policy()
    _, state = played(agent, env, 7)
    found = agent.imagine(state, H)
    assert found is not None and found.obs is not None
    assert found.obs.shape == (N, found.obs.shape[1], H, MONITOR_PARTS) and found.obs.shape[1] > 4
    assert np.isfinite(found.obs[:, 0, 0]).all()
    assert len({row.tobytes() for row in found.obs[0, :, :3].astype(np.float32)}) > 3, "roll-outs differ"
    again = agent.imagine(state, H)
    assert again is not None and np.array_equal(found.obs, again.obs, equal_nan=True)
    if kind != "latent-mpc":  # whose actions end with its plan
        given = agent.imagine(state, H, found.action)
        assert given is not None and given.obs is not None and found.obs.shape[1] == ROLL_OUTS
        assert given.obs.shape == (N, 1, H, MONITOR_PARTS)
        if kind == "mapper":
            np.testing.assert_array_equal(given.obs[:, 0], found.obs[:, 0])


def test_imagined_observations_are_in_the_units_of_the_sensor() -> None:
    """A model that predicts no change yet imagines the present observation, whatever its scale inside."""
    made = learner("mapper")
    rows = make(DOSING, 64).vector.reset(seed=1)[0]
    rows[:, [BIS, SHOWN, RATE]] = np.random.default_rng(0).random((64, 3))
    made.model.standardise.update(torch.from_numpy(rows))
    agent = made.policy()
    obs, state = played(agent, DOSING, 1)
    found = agent.imagine(state, H)
    assert found is not None and found.obs is not None
    who = slice(WHO, WHO + 4)
    np.testing.assert_allclose(
        found.obs[..., who], np.broadcast_to(obs[:, None, None, who], (N, ROLL_OUTS, H, 4)), 1e-4
    )
    np.testing.assert_allclose(found.obs[:, 0, 0, BIS], obs[:, BIS], 1e-4)


@pytest.mark.parametrize("kind", ["mapper", "latent-mpc"])
def test_an_imagined_step_lasts_as_long_as_a_decision(kind: str) -> None:
    agent = learner(kind).policy()
    for steps in (1, 2, 6, 7, 9):
        _, state = played(agent, DOSING, steps)
        found = agent.imagine(state, H)
        assert found is not None and found.ahead is not None
        held = (steps - 1) % 6
        assert found.ahead.tolist() == [[6 - held, 12 - held, 18 - held, 24 - held, 30 - held]] * N


def test_after_its_end_nothing_is_imagined() -> None:
    cont = np.array([[0.9, 0.4, 0.9, 0.1], [0.8, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, 0.2]])
    expected = [[False, False, True, True], [False, True, True, True], [False, False, False, False]]
    assert after_end(cont).tolist() == expected


def test_a_model_without_a_decoder_imagines_no_observations() -> None:
    config = TINY | {"context": 16, "embedding": 8, "sequence": 32, "imagined": 8, "depth": 2}
    agent = JEPAMPCLearner(DOSING, config=config).policy()
    found = agent.imagine(played(agent, DOSING, 2)[1], H)
    assert found is not None and found.obs is None


def test_an_exported_agent_imagines_the_same(tmp_path: Path) -> None:
    made = learner("mapper", CONTINUOUS, updates=4)
    made.export(tmp_path / "agent.onnx")
    (tmp_path / "agent.json").write_text('{"action": "continuous", "config": {"repeat": 6}}')
    ours, exported = made.policy(), load_agent(str(tmp_path), "Dosing", 1)
    found = [agent.imagine(played(agent, CONTINUOUS, 1)[1], 3) for agent in (ours, exported)]
    assert found[0] is not None and found[1] is not None and found[0].obs is not None and found[1].obs is not None
    np.testing.assert_allclose(found[0].obs, found[1].obs, atol=1e-3)
    assert np.array_equal(found[0].ahead, found[1].ahead)


@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize("name", ["Dosing", "Kiln", "Crane"])
def test_gauges_read_in_an_observation_what_is_sensed(name: str, level: int) -> None:
    env = make_vec(name, 4, level=level, action="discrete")
    obs, _ = env.reset(seed=3)
    gauges = [gauge for gauge in env.task.view.gauges if gauge.sensed is not None]
    assert gauges
    told = 0
    for action in np.random.default_rng(0).integers(0, 8, (45, 4)):
        for i, record in enumerate(env.world):
            for gauge in gauges:
                value = float(gauge.sensed(obs[i]))
                assert np.isnan(value) == gauge.hidden(record, env.params)
                if not np.isnan(value):
                    assert value == pytest.approx(gauge.read(record, env.params), rel=1e-5, abs=1e-3)
                    told += 1
        obs, *_ = env.step(action)
    assert told > 4
