"""One class runs every trained agent, whatever framework it was trained in, by onnxruntime.

The graph `<file>.onnx` has, with a dynamic batch n,

| input  | shape        |                                                                         |
|--------|--------------|-------------------------------------------------------------------------|
| obs    | (n, d) f32   | observation, flattened                                                  |
| state  | (n, s) f32   | memory; absent in an agent without one; its zeros are the initial state |
| last   | (n,) i64     | the action that was taken last; absent where the memory needs none      |
| first  | (n, 1) f32   | 1 where the observation opens an episode; absent without a memory       |
| noise  | (n, m) f32   | uniform [0, 1) for a stochastic latent; absent where nothing is drawn   |

| output    | shape        |                                                                      |
|-----------|--------------|----------------------------------------------------------------------|
| action    | (n,) i64     | the most likely action; or (n, a) f32, continuous                    |
| logits    | (n, a) f32   | unnormalised log-probabilities of the actions, for exploring         |
| new_state | (n, s) f32   | the new memory                                                       |
| map       | (n, 5 k) f32 | world models: of each thing, the probability of its having been seen |
|           |              | and its last seen x, y, vx, vy, in the units of the observation      |
| places    | (n, 3 k) f32 | likewise seen, x, y of each kind of tall thing; may be absent        |

A world model's `<file>.imagine.onnx` is one step of its dream: inputs `state` (n, s), `action` (n,) i64,
`noise` (n, m) uniform; outputs `new_state` (n, s), `logits` (n, a) of the policy after the step,
`map` (n, 5 k), `pose` (n, 4) as observed (x, y, cos, sin), `reward` (n,), `continue` (n,) probability.

Graphs carry no random numbers, so that a replay with the same noise is exact, and carry their own
weights: a graph that refers to another file is refused, since such a path may lead anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from unseen.agents.errors import BadAgent, BadCheckpoint
from unseen.agents.onnx_files import refers_to_files

Needs = Mapping[str, int | None]
"""Names that a graph must have, with their number of dimensions."""

MAX_BYTES = 256 << 20
"""Larger files are refused; shipped agents are under 2 MB."""


class OnnxState(NamedTuple):
    """Memory of an `OnnxAgent`."""

    latent: np.ndarray
    """(n, s)"""
    last: np.ndarray
    """(n,) the action that was taken"""
    map: np.ndarray | None
    """(n, k, 5) as drawn at the last observation, observation units; None for an agent without a map"""
    logits: np.ndarray | None
    """(n, a) of the last decision"""
    places: np.ndarray | None = None
    """(n, kinds, 3) where the map puts each kind of tall thing: seen, x, y in observation units"""


class OnnxAgent:
    """A trained agent. Raises BadCheckpoint for a bad file, BadAgent for one that does not fit `env_name`."""

    def __init__(
        self, path: str | Path, env_name: str | None = None, level: int | str = 2, name: str | None = None
    ) -> None:
        self.path = Path(path)
        card_path = self.path.with_suffix(".json")
        self.card: dict[str, Any] = {}
        if card_path.is_file():
            from unseen.agents.agent import read_card

            self.card = read_card(card_path)
        self.name = name or str(self.card.get("agent", self.path.stem))
        self.obs = str(self.card.get("obs", "slots"))
        self.scale = float(self.card.get("scale", 1.0))
        self._act = _Graph(self.path, {"obs": 2}, {"action": None})
        self._imagine: _Graph | None = None
        imagine = self.path.with_suffix(".imagine.onnx")
        if imagine.is_file():
            outputs = {"new_state": 2, "map": 2, "reward": 1}
            self._imagine = _Graph(imagine, {"state": 2, "action": 1}, outputs)
        self.width = self._act.width("state")
        if self.width and "new_state" not in self._act.outputs:
            raise BadCheckpoint(f"{self.path}: takes a state but gives no new_state")
        if self._imagine is not None and self._imagine.width("state") != self.width:
            raise BadCheckpoint(f"{imagine}: its state is not that of {self.path.name}")
        if env_name is not None:
            self._check_fits(env_name, level)
        self.seed(0)

    def _check_fits(self, env_name: str, level: int | str) -> None:
        from unseen.envs.suite import make_vec

        env = make_vec(env_name, 1, level=level, obs=self.obs)
        try:
            dim = int(np.prod(env.single_observation_space.shape or ()))
            actions = getattr(env.single_action_space, "n", None)
            self.scale = float(getattr(env.layout, "scale", self.scale))
        finally:
            env.close()
        where = f"{env_name} level {level}"
        if self._act.width("obs") != dim:
            raise BadAgent(f"{self.path}: takes {self._act.width('obs')} observations, {where} gives {dim}")
        n = self._act.outputs.get("logits")
        if actions is not None and n is not None and n[-1] != actions:
            raise BadAgent(f"{self.path}: chooses among {n[-1]} actions, {where} has {actions}")

    def seed(self, seed: int) -> None:
        """Restart the noise and the exploration."""
        self._rng = np.random.Generator(np.random.Philox(seed))
        # Its own numbers: an agent that is watched dreaming acts as one that is not.
        self._dreams = np.random.Generator(np.random.Philox(seed + 1))

    def initial_state(self, batch: int) -> OnnxState:
        return OnnxState(np.zeros((batch, self.width), np.float32), np.zeros(batch, np.int64), None, None)

    def act(
        self, obs: np.ndarray, state: OnnxState, first: np.ndarray, explore: bool = False
    ) -> tuple[np.ndarray, OnnxState]:
        n = len(obs)
        out = self._act(
            obs=np.ascontiguousarray(obs, np.float32).reshape(n, -1),
            state=state.latent,
            last=state.last,
            first=np.asarray(first, np.float32).reshape(n, 1),
            noise=self._noise(self._act, n),
        )
        logits = out.get("logits")
        action = out["action"] if not explore or logits is None else self._draw(logits)
        drawn = out["map"].reshape(n, -1, 5) if "map" in out else None
        places = out["places"].reshape(n, -1, 3) if "places" in out else None
        return action, OnnxState(out.get("new_state", state.latent), action, drawn, logits, places)

    def belief(self, state: OnnxState) -> dict[str, np.ndarray]:
        """Where it believes everything is: `seen` (n, k) probability, `xy` (n, k, 2) metres; `tall_seen` and `tall_xy`
        likewise for each kind of tall thing, for an agent that tells."""
        if state.map is None:
            raise BadAgent(f"{self.name} draws no map")
        believed = {"seen": state.map[..., 0], "xy": state.map[..., 1:3] * self.scale}
        if state.places is not None:
            believed |= {"tall_seen": state.places[..., 0], "tall_xy": state.places[..., 1:] * self.scale}
        return believed

    def imagine(self, state: OnnxState, actions: np.ndarray | None = None, horizon: int = 15) -> dict[str, np.ndarray]:
        """Dream on from `state`, along `actions` (n, H) or else by the agent's own policy.

        Returns `xy` (n, H, k, 2) and `pose` (n, H, 4: x, y, cos, sin) in metres, `reward`, `continue` and
        `action` (n, H). Raises BadAgent where there is no world model.
        """
        if self._imagine is None:
            raise BadAgent(f"{self.name} has no world model to imagine with")
        n, latent, logits = len(state.latent), state.latent, state.logits
        steps: dict[str, list[np.ndarray]] = {k: [] for k in ("xy", "pose", "reward", "continue", "action")}
        for t in range(horizon if actions is None else actions.shape[1]):
            if actions is not None:
                action = np.asarray(actions[:, t], np.int64)
            elif logits is not None:
                action = logits.argmax(-1)
            else:
                raise BadAgent(f"{self.name}: nothing was decided in this state; act once, or give actions")
            out = self._imagine(state=latent, action=action, noise=self._noise(self._imagine, n, self._dreams))
            latent, logits = out["new_state"], out.get("logits", logits)
            pose = out.get("pose", np.zeros((n, 4), np.float32)).copy()
            pose[:, :2] *= self.scale
            steps["xy"].append(out["map"].reshape(n, -1, 5)[..., 1:3] * self.scale)
            steps["pose"].append(pose)
            steps["reward"].append(out["reward"])
            steps["continue"].append(out.get("continue", np.ones(n, np.float32)))
            steps["action"].append(action)
        return {key: np.stack(values, axis=1) for key, values in steps.items()}

    def _noise(self, graph: _Graph, n: int, rng: np.random.Generator | None = None) -> np.ndarray:
        return (rng or self._rng).random((n, graph.width("noise")), dtype=np.float32)

    def _draw(self, logits: np.ndarray) -> np.ndarray:
        """One action a row from the softmax of `logits` (n, a), by the Gumbel trick."""
        return (logits - np.log(-np.log(self._rng.random(logits.shape) + 1e-12) + 1e-12)).argmax(-1)


class _Graph:
    """An ONNX file that holds all its own weights, opened for one thread."""

    def __init__(self, path: Path, inputs: Needs, outputs: Needs) -> None:
        import onnxruntime

        self.path = path
        try:
            size = path.stat().st_size
            if size > MAX_BYTES:
                raise BadCheckpoint(f"{path}: {size >> 20} MB; at most {MAX_BYTES >> 20} are accepted")
            data = path.read_bytes()
        except OSError as error:
            raise BadCheckpoint(f"{path}: {error.strerror or error}") from error
        try:
            external = refers_to_files(data)
        except ValueError as error:
            raise BadCheckpoint(f"{path}: truncated, or not ONNX: {error}") from error
        if external:
            raise BadCheckpoint(f"{path}: its weights lie in another file; export it with embedded weights")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            self._session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime raises its own classes, which share no public base
            raise BadCheckpoint(f"{path}: truncated, or not ONNX: {str(error).splitlines()[0]}") from error
        self.inputs = {node.name: node.shape for node in self._session.get_inputs()}
        self.outputs = {node.name: node.shape for node in self._session.get_outputs()}
        for have, need, word in ((self.inputs, inputs, "input"), (self.outputs, outputs, "output")):
            for name, rank in need.items():
                if name not in have:
                    raise BadCheckpoint(f"{path}: has no {word} {name!r}; it has {', '.join(have)}")
                if rank is not None and len(have[name]) != rank:
                    raise BadCheckpoint(f"{path}: {word} {name!r} has shape {have[name]}, not {rank} dims")

    def width(self, name: str) -> int:
        """Size of the last dimension of an input; 0 where there is none."""
        shape = self.inputs.get(name)
        if shape is None:
            return 0
        if not isinstance(shape[-1], int):
            raise BadCheckpoint(f"{self.path}: input {name!r} has no fixed width")
        return shape[-1]

    def __call__(self, **values: np.ndarray) -> dict[str, np.ndarray]:
        try:
            out = self._session.run(None, {name: values[name] for name in self.inputs})
        except Exception as error:
            raise BadAgent(f"{self.path}: failed to run: {str(error).splitlines()[0]}") from error
        return dict(zip(self.outputs, out, strict=True))
