"""Loading agents by name, file and class; validation of ONNX files; error messages."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unseen.agents import roster
from unseen.agents.errors import BadAgent, BadCheckpoint, BadObservation, MissingExtra, UnknownAgent
from unseen.agents.load import TRAINED, list_runs, load_agent
from unseen.agents.onnx.agent import OnnxAgent
from unseen.agents.onnx.files import refers_to_files
from unseen.agents.protocol import Agent
from unseen.agents.roster import KINDS, ROSTER, learner_class, supervision
from unseen.envs.suite import make_vec

OWN = """
import numpy as np
from unseen.agents.protocol import Agent

class Stays(Agent):
    def initial_state(self, seeds):
        return None
    def act(self, obs, state, first, explore=False):
        return np.full(len(obs), 3), state

class Raises(Stays):
    def __init__(self):
        raise RuntimeError("no luck")

class Idle(Agent):
    pass

class Duck:
    name, obs = "duck", "slots"
    def initial_state(self, seeds):
        return None
    def act(self, obs, state, first, explore=False):
        return np.full(len(obs), 3), state
"""

TYPED = """
from __future__ import annotations
from dataclasses import dataclass
import numpy as np
from unseen.agents.protocol import Agent

@dataclass
class Memory:
    steps: int = 0

class Typed(Agent):
    memory = Memory(7)
    def initial_state(self, seeds):
        return None
    def act(self, obs, state, first, explore=False):
        return np.zeros(len(obs), int), state
"""


def seeds(n: int) -> np.ndarray:
    return np.arange(n, dtype=np.uint64)


# --- the roster ----------------------------------------------------------------------------------------------


def test_the_roster_says_all_there_is_to_know() -> None:
    for name, row in ROSTER.items():
        assert name == row.name and row.kind in KINDS and row.summary and row.supervision
        assert row.trainable == (row.kind != "reference") == (row.steps > 0) == bool(row.extras)


def test_every_trainable_agent_has_its_learner() -> None:
    pytest.importorskip("sb3_contrib")
    for name in roster.trainable():
        assert learner_class(name).name == name


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError("No module named 'torch'", name="torch.nn")

    monkeypatch.setattr(roster.importlib, "import_module", missing)
    with pytest.raises(MissingExtra, match="unseen\\[train\\]"):
        learner_class("dreamer")


@pytest.mark.parametrize(
    ("name", "settings", "told"),
    [
        ("ppo", {"hidden": 8}, "none"),
        ("gru-ppo", {}, "none"),
        ("gru-ppo", {"map": "hindsight"}, "hindsight"),
        ("gru-mapper", {}, "hindsight"),
        ("gru-mapper", {"map": "last-seen"}, "last sights"),
        ("gru-mapper", {"map": "none"}, "none"),
        ("mapper", {}, "self-prediction, hindsight"),
        ("mapper", {"map": "none"}, "self-prediction"),
        ("jepa-mpc", {"map": "none"}, "self-prediction"),
    ],
)
def test_supervision_is_that_of_the_map_it_is_trained_with(name: str, settings: dict[str, Any], told: str) -> None:
    assert supervision(name, settings) == told


@pytest.mark.parametrize("name", [name for name, row in ROSTER.items() if row.kind == "reference"])
def test_references_act(name: str) -> None:
    env = make_vec("RolledBehind", 8, level=1)
    agent = load_agent(name, "RolledBehind", 1)
    assert isinstance(agent, Agent) and agent.name == name
    with pytest.raises(BadAgent, match="attach"):
        agent.act(np.zeros((8, 4)), agent.initial_state(seeds(8)), np.ones(8, bool))
    agent.attach(env)
    obs, _ = env.reset(seed=0)
    state, first = agent.initial_state(seeds(8)), np.ones(8, bool)
    for _ in range(5):
        action, state = agent.act(obs, state, first)
        obs, *_ = env.step(action)
        first = np.zeros(8, bool)
    belief = agent.belief(state)
    assert (belief is not None) == (name == "tracker")
    if belief is not None:
        assert belief.seen.shape == (8, 3) and belief.xy.shape == (8, 3, 2) and belief.box_xy is None
        assert belief.seen.any()


def test_random_acts_in_continuous_environments_too() -> None:
    env = make_vec("RolledBehind", 50, level=1, action="continuous")
    agent = load_agent("random", "RolledBehind", 1)
    agent.attach(env)
    actions, _ = agent.act(env.reset(seed=0)[0], agent.initial_state(seeds(50)), np.ones(50, bool))
    assert actions.shape == (50, 2) and env.single_action_space.contains(actions[0])
    assert np.ptp(actions) > 1.5


# --- loading -------------------------------------------------------------------------------------------------


def test_unknown_names_get_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UnknownAgent, match="tracker"):
        load_agent("traker", "RolledBehind", 1)
    with pytest.raises(UnknownAgent, match="no agent '': valid names: random"):
        load_agent("", "RolledBehind", 1)
    with pytest.raises(UnknownAgent, match="mapper"):
        learner_class("maper")
    with pytest.raises(UnknownAgent, match="no such file"):
        load_agent(f"{tmp_path}/none.py:Agent", "RolledBehind", 1)


def test_your_own_class(tmp_path: Path) -> None:
    file = tmp_path / "own.py"
    file.write_text(OWN)
    agent = load_agent(f"{file}:Stays", "RolledBehind", 1)
    assert (agent.name, agent.obs, agent.action) == ("own:Stays", "", "")
    assert agent.belief(None) is None and agent.imagine(None) is None
    for name, message in (("Raises", "no luck"), ("Idle", "initial_state"), ("Duck", "class Duck\\(Agent\\)")):
        with pytest.raises(BadAgent, match=message):
            load_agent(f"{file}:{name}", "RolledBehind", 1)
    with pytest.raises(UnknownAgent, match="Stays"):
        load_agent(f"{file}:Stay", "RolledBehind", 1)
    file.write_text("import nothing_of_this_name")
    with pytest.raises(BadAgent, match="nothing_of_this_name"):
        load_agent(f"{file}:Stays", "RolledBehind", 1)


def test_a_module_is_known_while_it_runs(tmp_path: Path) -> None:
    """Dataclasses with string annotations look up their module, and pickle does so later."""
    file = tmp_path / "typed.py"
    file.write_text(TYPED)
    agent = load_agent(f"{file}:Typed", "RolledBehind", 1)
    assert pickle.loads(pickle.dumps(agent.memory)).steps == 7


def test_a_file_does_not_shadow_the_roster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "ppo"
    folder.mkdir()
    (folder / "agent.onnx").write_bytes(b"not even ONNX")
    monkeypatch.chdir(tmp_path)
    assert load_agent("ppo", "RolledBehind", 1).path.is_relative_to(Path(roster.__file__).parent)
    with pytest.raises(BadCheckpoint):
        load_agent("./ppo", "RolledBehind", 1)


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


def test_the_typical_run_is_taken_unless_one_is_asked_for() -> None:
    returns = {run.seed: run.card.episode_return for run in list_runs("ppo", "RolledBehind", 1)}
    typical = load_agent("ppo", "RolledBehind", 1).card
    assert typical.episode_return == sorted(returns.values())[len(returns) // 2]
    assert load_agent("ppo", "RolledBehind", 1, run=1).card.seed == 1
    with pytest.raises(BadCheckpoint, match="unseen train ppo RolledBehind --level 1"):
        load_agent("ppo", "RolledBehind", 1, run=99)


def test_only_an_included_agent_has_runs_to_choose_from(tmp_path: Path) -> None:
    typical = list_runs("gru-mapper", "RolledBehind", 1)[0].path
    for name in ("oracle", "random", str(typical)):
        with pytest.raises(BadAgent, match="run=7: .* has no runs to choose from"):
            load_agent(name, "RolledBehind", 1, run=7)


@pytest.mark.parametrize("name", ["oracle", "tracker", "reflex", "simulator-mpc"])
def test_scripted_players_are_of_the_suite(name: str) -> None:
    with pytest.raises(BadAgent, match=f"{name} does not play CartPole-v1"):
        load_agent(name, "CartPole-v1", None)
    assert load_agent("random", "CartPole-v1", None).name == "random"


# --- ONNX ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"", b"\x00garbage", b"\x08\x01\x3a\x7f"])
def test_bad_files_are_named(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "bad.onnx"
    with pytest.raises(BadCheckpoint, match="bad.onnx"):
        OnnxAgent(file)
    file.write_bytes(content)
    with pytest.raises(BadCheckpoint, match="bad.onnx"):
        load_agent(str(file), "RolledBehind", 1)


def _graph(inputs: dict[str, int], location: int = 0, path: str = "") -> bytes:
    """A model whose action is the largest of 4 sums of `obs`, reading `inputs` of the given widths."""
    onnx = pytest.importorskip("onnx")
    helper, kinds = onnx.helper, onnx.TensorProto
    weights = helper.make_tensor("w", kinds.FLOAT, [inputs["obs"], 4], bytes(16 * inputs["obs"]), raw=True)
    if path:
        weights.ClearField("raw_data")
        weights.data_location = location
        entry = weights.external_data.add()
        entry.key, entry.value = "location", path
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
    good, bad = _graph({"obs": 5}), _graph({"obs": 5}, 1, "../../etc/passwd")
    assert not refers_to_files(good) and refers_to_files(bad)
    file = tmp_path / "far.onnx"
    file.write_bytes(bad)
    with pytest.raises(BadCheckpoint, match="another file"):
        OnnxAgent(file)


def _varint(value: int, length: int = 0) -> bytes:
    """A varint, padded to `length` bytes."""
    out = []
    while value > 127 or len(out) + 1 < length:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _field(tag: bytes, body: bytes) -> bytes:
    return tag + _varint(len(body)) + body


def _model(tensor: bytes, graph_tag: bytes = b"\x3a", tensor_tag: bytes = b"\x2a") -> bytes:
    """A model whose graph (field 7) holds one weight (field 5)."""
    return _field(graph_tag, _field(tensor_tag, tensor))


EXTERNAL = b"\x70\x01"  # data_location (field 14) = EXTERNAL


def test_the_guard_finds_a_tensor_however_its_way_is_written() -> None:
    assert refers_to_files(_model(EXTERNAL)) and not refers_to_files(_model(b"\x70\x00"))
    assert refers_to_files(_model(EXTERNAL, graph_tag=_varint(0x3A, 5)))  # padded to 5 bytes: still field 7
    assert refers_to_files(_model(b"\x70" + _varint(2**32 + 1)))  # a loader keeps 32 bits: 1
    assert refers_to_files(_model(b"\x6a\x00"))  # external_data (field 13), even empty


@pytest.mark.parametrize("tag", [0x3A, 0x2A])
@pytest.mark.parametrize("bit", [32, 33, 34])
def test_tags_that_a_loader_reads_otherwise_are_refused(tag: int, bit: int) -> None:
    """The fifth byte of a tag has three bits that loaders drop, so that they read another field."""
    written = {"graph_tag" if tag == 0x3A else "tensor_tag": _varint(tag | 1 << bit)}
    with pytest.raises(ValueError, match="tag"):
        refers_to_files(_model(EXTERNAL, **written))


@pytest.mark.parametrize(
    "model",
    [
        _varint(0x3A, 6) + b"\x00",  # a tag of six bytes
        b"\x02\x00",  # field 0
        b"\x3b\x00",  # a group
        b"\x3a" + b"\x80" * 5 + b"\x00",  # a length of six bytes
        b"\x3a\x05\x00",  # cut short
        b"\x08" + b"\xff" * 10 + b"\x01",  # a number of eleven bytes
    ],
)
def test_what_no_writer_of_protocol_buffers_writes_is_refused(model: bytes) -> None:
    with pytest.raises(ValueError):
        refers_to_files(model)


def test_the_loader_takes_a_padded_tag_for_a_graph_as_the_guard_does(tmp_path: Path) -> None:
    """Why overlong tags are rejected: onnxruntime loads a model whose graph has such a tag."""
    plain = _graph({"obs": 5})
    at = plain.rindex(b"\x3a", 0, 60)
    long = plain[:at] + _varint(0x3A, 5) + plain[at + 1 :]
    file = tmp_path / "long.onnx"
    file.write_bytes(long)
    assert OnnxAgent(file)._act.width("obs") == 5
    file.write_bytes(plain[:at] + _varint(0x3A | 1 << 33) + plain[at + 1 :])
    with pytest.raises(BadCheckpoint, match="tag"):
        OnnxAgent(file)


def test_graphs_that_do_not_fit_the_environment_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.onnx"
    file.write_bytes(_graph({"obs": 5}))
    with pytest.raises(BadAgent, match="expects observations of size 5"):
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
    action, state = agent.act(np.zeros((3, 5), np.float32), agent.initial_state(seeds(3)), np.ones(3, bool))
    assert action.tolist() == [0, 0, 0]
    assert agent.belief(state) is None and agent.imagine(state) is None
    drawn = []
    for _ in range(40):
        action, state = agent.act(np.zeros((3, 5), np.float32), state, np.zeros(3, bool), explore=True)
        drawn.append(action)
    assert set(np.ravel(drawn)) == {0, 1, 2, 3}


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_observations_that_are_not_finite_are_refused(value: float) -> None:
    env = make_vec("RolledBehind", 4, level=1)
    agent = load_agent("ppo", "RolledBehind", 1)
    obs, _ = env.reset(seed=0)
    obs[2, 5] = value
    with pytest.raises(BadObservation, match=f"element 5 of observation 2 is {value}"):
        agent.act(obs, agent.initial_state(seeds(4)), np.ones(4, bool))
    with pytest.raises(BadObservation, match="size 3, expected"):
        agent.act(np.zeros((4, 3)), agent.initial_state(seeds(4)), np.ones(4, bool))


def test_half_the_size_computes_the_same_to_sixteen_bits(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    import onnxruntime

    from unseen.agents.onnx.half import write_half

    rng = np.random.default_rng(0)
    weight = rng.normal(size=(64, 64)).astype(np.float32)
    large = np.full((64, 64), 1e6, np.float32)  # beyond what float16 can hold
    bias = rng.normal(size=64).astype(np.float32)
    helper, floats = onnx.helper, onnx.TensorProto.FLOAT
    nodes = [
        helper.make_node("MatMul", ["x", "weight"], ["y"]),
        helper.make_node("MatMul", ["y", "large"], ["z"]),
        helper.make_node("Add", ["z", "bias"], ["out"]),
    ]
    tensors = [onnx.numpy_helper.from_array(v, n) for n, v in (("weight", weight), ("large", large), ("bias", bias))]
    ends = [[helper.make_tensor_value_info(name, floats, ["n", 64])] for name in ("x", "out")]
    graph = helper.make_graph(nodes, "g", *ends, tensors)
    whole, half = tmp_path / "whole.onnx", tmp_path / "half.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9), str(whole))
    write_half(whole, half)
    assert half.stat().st_size < 0.8 * whole.stat().st_size  # one of the two matrices
    x = rng.normal(size=(3, 64)).astype(np.float32)
    (found,) = onnxruntime.InferenceSession(str(half)).run(None, {"x": x})
    exact = x @ weight.astype(np.float16).astype(np.float32) @ large + bias
    np.testing.assert_allclose(found, exact, rtol=1e-3, atol=1e3)
    write_half(half, tmp_path / "again.onnx")  # there is nothing left to round
    (again,) = onnxruntime.InferenceSession(str(tmp_path / "again.onnx")).run(None, {"x": x})
    assert (again == found).all()


def test_included_agents_are_small() -> None:
    assert sum(file.stat().st_size for file in TRAINED.rglob("*")) < 15e6
