"""Agents by name, by file and by class; what a bad one is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from unseen.agents.agent import AGENTS, Agent, list_runs, load_agent
from unseen.agents.errors import BadAgent, BadCheckpoint, UnknownAgent
from unseen.agents.learner import LEARNERS, configure, learner_class
from unseen.agents.onnx_agent import OnnxAgent
from unseen.agents.onnx_files import refers_to_files
from unseen.envs.suite import make_vec

OWN = """
import numpy as np

class Stays:
    def initial_state(self, batch):
        return None
    def act(self, obs, state, first, explore=False):
        return np.full(len(obs), 3), state

class Raises(Stays):
    def __init__(self):
        raise RuntimeError("no luck")

class Idle:
    pass
"""


@pytest.mark.parametrize("name", [name for name, info in AGENTS.items() if info.kind == "reference"])
def test_references_act(name: str) -> None:
    env = make_vec("RolledBehind", 8, level=1)
    agent = load_agent(name, "RolledBehind", 1)
    assert isinstance(agent, Agent) and agent.name == name
    if hasattr(agent, "attach"):
        agent.attach(env)
    obs, _ = env.reset(seed=0)
    state, first = agent.initial_state(8), np.ones(8, bool)
    for _ in range(5):
        action, state = agent.act(obs, state, first)
        obs, _, terminated, truncated, _ = env.step(action)
        first = np.zeros(8, bool)


def test_trainable_agents_have_learners() -> None:
    assert {name for name, info in AGENTS.items() if info.trainable} == set(LEARNERS)


def test_unknown_names_get_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UnknownAgent, match="tracker"):
        load_agent("traker", "RolledBehind", 1)
    with pytest.raises(UnknownAgent, match="mapper"):
        learner_class("maper")
    with pytest.raises(UnknownAgent, match="no such file"):
        load_agent(f"{tmp_path}/none.py:Agent", "RolledBehind", 1)


def test_your_own_class(tmp_path: Path) -> None:
    file = tmp_path / "own.py"
    file.write_text(OWN)
    agent = load_agent(f"{file}:Stays", "RolledBehind", 1)
    assert (agent.name, agent.obs) == ("own:Stays", "slots")
    with pytest.raises(BadAgent, match="no luck"):
        load_agent(f"{file}:Raises", "RolledBehind", 1)
    with pytest.raises(BadAgent, match="initial_state"):
        load_agent(f"{file}:Idle", "RolledBehind", 1)
    with pytest.raises(UnknownAgent, match="Stays"):
        load_agent(f"{file}:Stay", "RolledBehind", 1)
    file.write_text("import nothing_of_this_name")
    with pytest.raises(BadAgent, match="nothing_of_this_name"):
        load_agent(f"{file}:Stays", "RolledBehind", 1)


def test_runs_are_listed_by_seed_and_a_bad_card_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "RolledBehind" / "level1"
    folder.mkdir(parents=True)
    for seed in (10, 2):
        (folder / f"ppo-{seed}.json").write_text("{}")
    (folder / "recurrent-ppo-3.json").write_text("{}")
    assert [run.seed for run in list_runs("ppo", "rolledbehind", 1, tmp_path)] == [2, 10]
    (folder / "ppo-4.json").write_text("{")
    with pytest.raises(BadCheckpoint, match="ppo-4.json"):
        list_runs("ppo", "RolledBehind", 1, tmp_path)
    (folder / "ppo-4.json").write_text("[]")
    with pytest.raises(BadCheckpoint, match="list"):
        list_runs("ppo", "RolledBehind", 1, tmp_path)


@pytest.mark.parametrize("content", [b"", b"\x00garbage", b"\x08\x01\x3a\x7f"])
def test_bad_files_are_named(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "bad.onnx"
    with pytest.raises(BadCheckpoint, match="bad.onnx"):
        OnnxAgent(file)
    file.write_bytes(content)
    with pytest.raises(BadCheckpoint, match="bad.onnx"):
        load_agent(str(file), "RolledBehind", 1)


def _graph(inputs: dict[str, int], external: bool = False) -> bytes:
    """A model that answers action 0, reading `inputs` of the given widths."""
    onnx = pytest.importorskip("onnx")
    helper, kinds = onnx.helper, onnx.TensorProto
    weights = helper.make_tensor(
        "w", kinds.FLOAT, [next(iter(inputs.values())), 4], bytes(16 * inputs["obs"]), raw=True
    )
    if external:
        weights.ClearField("raw_data")
        weights.data_location = kinds.EXTERNAL
        entry = weights.external_data.add()
        entry.key, entry.value = "location", "../../etc/passwd"
    nodes = [
        helper.make_node("MatMul", ["obs", "w"], ["logits"]),
        helper.make_node("ArgMax", ["logits"], ["action"], axis=1, keepdims=0),
    ]
    ins = [helper.make_tensor_value_info(k, kinds.FLOAT, ["n", v]) for k, v in inputs.items()]
    outs = [
        helper.make_tensor_value_info("action", kinds.INT64, ["n"]),
        helper.make_tensor_value_info("logits", kinds.FLOAT, ["n", 4]),
    ]
    graph = helper.make_graph(nodes, "g", ins, outs, [weights])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def test_graphs_that_reach_for_other_files_are_refused(tmp_path: Path) -> None:
    good, bad = _graph({"obs": 5}), _graph({"obs": 5}, external=True)
    assert not refers_to_files(good) and refers_to_files(bad)
    file = tmp_path / "far.onnx"
    file.write_bytes(bad)
    with pytest.raises(BadCheckpoint, match="another file"):
        OnnxAgent(file)


def test_graphs_that_do_not_fit_the_environment_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.onnx"
    file.write_bytes(_graph({"obs": 5}))
    with pytest.raises(BadAgent, match="takes 5 observations"):
        load_agent(str(file), "RolledBehind", 1)
    file.write_bytes(_graph({"obs": 5, "state": 3}))
    with pytest.raises(BadCheckpoint, match="new_state"):
        OnnxAgent(file)
    file.write_bytes(_graph({"obs": 5})[:-20])
    with pytest.raises(BadCheckpoint, match="a.onnx"):
        OnnxAgent(file)


def test_an_agent_without_a_model_neither_believes_nor_imagines(tmp_path: Path) -> None:
    file = tmp_path / "a.onnx"
    file.write_bytes(_graph({"obs": 5}))
    agent = OnnxAgent(file)
    action, state = agent.act(np.zeros((3, 5), np.float32), agent.initial_state(3), np.ones(3, bool))
    assert action.tolist() == [0, 0, 0]
    agent.seed(1)
    drawn = [agent.act(np.zeros((3, 5), np.float32), state, np.zeros(3, bool), explore=True)[0] for _ in range(40)]
    assert set(np.ravel(drawn)) == {0, 1, 2, 3}
    with pytest.raises(BadAgent, match="no map"):
        agent.belief(state)
    with pytest.raises(BadAgent, match="no world model"):
        agent.imagine(state)


def test_settings_are_checked() -> None:
    pytest.importorskip("torch")
    from unseen.agents.baselines import PPOConfig

    assert configure(PPOConfig, {"lr": 1, "envs": 4}) == PPOConfig(lr=1.0, envs=4)
    for wrong, message in (({"ent": 0.1}, "ent_coef"), ({"envs": 1.5}, "int"), ({"lr": "x"}, "float")):
        with pytest.raises(BadAgent, match=message):
            configure(PPOConfig, wrong)
