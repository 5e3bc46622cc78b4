"""Trained agents, run by onnxruntime, whatever framework trained them.

`<file>.onnx` is the policy, `<file>.imagine.onnx` one step of the world model (optional), `<file>.json` the card.
`unseen.agents.shared.graph_agent` documents inputs and outputs. Weights must be embedded in the graph: a graph that refers to
other files is rejected, since it could read any path.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from gymnasium import spaces

from unseen.agents.card import Card, read_card
from unseen.agents.errors import BadAgent, BadCheckpoint
from unseen.agents.onnx.files import refers_to_files
from unseen.agents.roster import maps_slots
from unseen.agents.shared import envs
from unseen.agents.shared.envs import EnvConfig
from unseen.agents.shared.graph_agent import Arrays, Graph, GraphAgent
from unseen.agents.shared.repeat import stored_repeat

Needs = Mapping[str, int | None]
"""Required inputs or outputs of a graph -> number of dimensions; None: any."""

MAX_BYTES = 256 << 20
"""Larger files are rejected. Shipped agents are under 2 MB."""

ROWS = 16  # batch size, where results depend on the batch size
_DTYPES = {"tensor(float)": np.float32, "tensor(int64)": np.int64}


class OnnxAgent(GraphAgent):
    """A trained agent.

    Args:
        path: the policy's .onnx file.
        env: the environment to check the agent against; None for no check.
        name: shown name; by default the one on the card.

    Raises:
        BadCheckpoint: a file is missing or invalid.
        BadAgent: the agent does not fit `env`.
    """

    def __init__(self, path: str | Path, env: EnvConfig | None = None, name: str | None = None) -> None:
        self.path = Path(path)
        card_path = self.path.with_suffix(".json")
        self.card = read_card(card_path) if card_path.is_file() else Card()
        act = OnnxGraph(self.path, {"obs": 2}, {"action": None})
        imagine_path = self.path.with_suffix(".imagine.onnx")
        imagine = None
        if imagine_path.is_file():
            outputs = {"new_state": 2, "reward": 1}
            imagine = OnnxGraph(imagine_path, {"state": 2, "action": None}, outputs)
        if act.width("state") and "new_state" not in act.outputs:
            raise BadCheckpoint(f"{self.path}: has an input state but no output new_state")
        if imagine is not None and imagine.width("state") != act.width("state"):
            raise BadCheckpoint(f"{imagine_path}: the state differs in size from that of {self.path.name}")
        shown = name or self.card.agent or self.path.stem
        slot_map = maps_slots(self.card.agent, self.card.config)
        super().__init__(shown, act, imagine, self.card.obs, self.card.action, self.card.scale, slot_map)
        self.repeat = stored_repeat(self.card.config, self.path)
        if env is not None:
            made = check_fits(self.path, act, env, self.obs, self.action)
            if made.layout is not None:
                self.scale = made.layout.scale
            space, logits = made.vector.single_action_space, act.output_shapes.get("logits")
            if isinstance(space, spaces.Discrete) and logits is not None and logits[-1] != space.n:
                raise BadAgent(f"{self.path}: has {logits[-1]} actions; {title(env)} has {space.n}")


def check_fits(path: Path, graph: OnnxGraph, env: EnvConfig, obs: str, action: str) -> envs.Environments:
    """Raise BadAgent unless a graph takes the observations of an environment. Returns the environment, closed."""
    made = envs.make(EnvConfig(env.name, env.level, obs, action, overrides=env.overrides), 1)
    made.vector.close()
    size = made.observation.size
    if graph.width("obs") != size:
        raise BadAgent(
            f"{path}: expects observations of size {graph.width('obs')}; those of {title(env)} have size {size}"
        )
    return made


def title(env: EnvConfig) -> str:
    """The environment and level in messages."""
    return env.label if env.chosen_level is None else f"{env.label} level {env.chosen_level}"


class OnnxGraph(Graph):
    """An ONNX file with embedded weights, run on one thread. Raises BadCheckpoint.

    Attributes:
        output_shapes: name -> shape, batch dimension included.
    """

    def __init__(self, path: Path, inputs: Needs, outputs: Needs) -> None:
        self.path = path
        self._session = _open(path)
        nodes = {node.name: node for node in self._session.get_inputs()}
        self.output_shapes = {node.name: tuple(node.shape) for node in self._session.get_outputs()}
        self.outputs = tuple(self.output_shapes)
        shapes = {name: tuple(node.shape) for name, node in nodes.items()}
        for have, need, word in ((shapes, inputs, "input"), (self.output_shapes, outputs, "output")):
            for name, rank in need.items():
                if name not in have:
                    raise BadCheckpoint(f"{path}: {word} {name!r} is missing; found {', '.join(have)}")
                if rank is not None and len(have[name]) != rank:
                    raise BadCheckpoint(f"{path}: {word} {name!r} has shape {have[name]}, not {rank} dims")
        self.inputs = {}
        self._dtypes = {}
        for name, node in nodes.items():
            if not all(isinstance(size, int) for size in node.shape[1:]):
                raise BadCheckpoint(f"{path}: input {name!r} has no fixed width: {node.shape}")
            if node.type not in _DTYPES:
                raise BadCheckpoint(f"{path}: input {name!r} has type {node.type}; supported are {', '.join(_DTYPES)}")
            self.inputs[name] = shapes[name][1:]
            self._dtypes[name] = _DTYPES[node.type]
        self.rows = 0 if self._is_batch_invariant() else ROWS

    def _is_batch_invariant(self) -> bool:
        """Whether a row's result is bit-identical in batches of any size on this machine.

        It is as long as onnxruntime packs constant weights, which this checks.
        """
        rng = np.random.Generator(np.random.Philox(0))
        n = 64
        given = {}
        for name, shape in self.inputs.items():
            drawn = rng.random((n, *shape), np.float32)
            given[name] = drawn if self._dtypes[name] == np.float32 else np.zeros((n, *shape), np.int64)
        try:
            whole = self.run(given)
            for rows in (1, 3, 16):
                part = self.run({name: value[:rows] for name, value in given.items()})
                if any(not np.array_equal(value, whole[name][:rows]) for name, value in part.items()):
                    return False
        except BadAgent as error:
            raise BadCheckpoint(str(error)) from error
        return True

    def run(self, inputs: Arrays) -> Arrays:
        try:
            out = self._session.run(None, inputs)
        except Exception as error:  # onnxruntime raises its own classes, which share no public base
            raise BadAgent(f"{self.path}: failed to run: {str(error).splitlines()[0]}") from error
        return dict(zip(self.outputs, out, strict=True))


def outputs_of(path: Path) -> tuple[str, ...]:
    """Names of a graph's outputs, which tell what kind of agent it is. Raises BadCheckpoint."""
    return tuple(node.name for node in _open(path).get_outputs())


def _open(path: Path):
    """Open a session. Raises BadCheckpoint."""
    import onnxruntime

    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise BadCheckpoint(f"{path}: {size >> 20} MB; the limit is {MAX_BYTES >> 20} MB")
        data = path.read_bytes()
    except OSError as error:
        raise BadCheckpoint(f"{path}: {error.strerror or error}") from error
    try:
        external = refers_to_files(data)
    except ValueError as error:
        raise BadCheckpoint(f"{path}: truncated, or not ONNX: {error}") from error
    if external:
        raise BadCheckpoint(f"{path}: its weights are stored in another file; export it with embedded weights")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises its own classes, which share no public base
        raise BadCheckpoint(f"{path}: truncated, or not ONNX: {str(error).splitlines()[0]}") from error
