"""An agent that runs a computation graph: a torch module during training, an ONNX file afterwards.

Inputs and outputs of the policy graph, for batch size n:

| input  | shape                  |                                                                           |
|--------|------------------------|---------------------------------------------------------------------------|
| obs    | (n, d) f32             | flattened observation                                                     |
| state  | (n, s) f32             | memory, zeros before the first decision; absent without memory            |
| last   | (n,) i64 or (n, a) f32 | the previous action; absent if the memory does not use it                 |
| first  | (n, 1) f32             | 1 at the first step of an episode; absent without memory                  |
| noise  | (n, m) f32             | uniform in [0, 1); absent if nothing is sampled                           |

| output    | shape                  |                                                                        |
|-----------|------------------------|------------------------------------------------------------------------|
| action    | (n,) i64 or (n, a) f32 | the most likely action                                                 |
| logits    | (n, a) f32             | discrete actions: unnormalised log-probabilities, for exploration      |
| explored  | (n, a) f32             | continuous actions: a sample from the policy                           |
| new_state | (n, s) f32             | the new memory                                                         |
| map       | (n, 5 k) f32           | optional; for each disc: probability that it is known, x, y, vx, vy    |
| places    | (n, 3 m) f32           | optional; for each kind of box: probability that it is known, x, y     |

The graph of one imagined step has the inputs `state`, `action` (shaped as `last`) and `noise`. Its outputs are `new_state`; `logits`
(discrete actions) or `next_action` (continuous ones) of the policy after the step; `reward` (n,); `continue` (n,), the probability that
the episode continues; and optionally `explored`, as above; `map`; `boxes` (n, 3 b), for each box slot: probability that a box is there, x,
y; `pose` (n, 4): x, y, cos, sin; and `obs` (n, d), the predicted observation. Positions are in units of the observation.

Graphs contain no random number generator: noise is an input, a function of (agent seed, episode seed, step).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from unseen.agents.errors import BadAgent, BadObservation
from unseen.agents.protocol import Belief, Imagined
from unseen.agents.shared import noise
from unseen.agents.shared.repeat import HoldingAgent

DISC_FIELDS = 5  # columns per disc in `map`: known, x, y, vx, vy
BOX_FIELDS = 3  # columns per kind of box in `places`, and per box in `boxes`: known, x, y
ROLL_OUTS = 12  # that are imagined for `Imagined.obs`

Arrays = dict[str, np.ndarray]


class Graph(ABC):
    """A function of named arrays that computes every row independently of the others.

    Attributes:
        inputs: name -> shape without the batch dimension.
        outputs: names.
        rows: batch size to run with; 0 for any. Matrix products of different batch sizes may be rounded differently, so
            results are independent of the batch only if it always has the same size.
    """

    inputs: dict[str, tuple[int, ...]]
    outputs: tuple[str, ...]
    rows: int

    @abstractmethod
    def run(self, inputs: Arrays) -> Arrays:
        """Run the graph on exactly its inputs. Raises BadAgent."""

    def width(self, name: str) -> int:
        """Number of values in one row of an input; 0 if there is no such input."""
        return math.prod(self.inputs[name]) if name in self.inputs else 0

    def __call__(self, **values: np.ndarray) -> Arrays:
        """Run the graph on n rows. Values that are not inputs of the graph are ignored. Raises BadAgent."""
        given = {name: values[name] for name in self.inputs}
        n = len(next(iter(given.values())))
        if self.rows in (0, n):
            return self.run(given)
        parts = []
        for start in range(0, n, self.rows):
            stop = min(start + self.rows, n)
            part = {name: _padded(value[start:stop], self.rows) for name, value in given.items()}
            parts.append({name: value[: stop - start] for name, value in self.run(part).items()})
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _padded(value: np.ndarray, rows: int) -> np.ndarray:
    out = np.zeros((rows, *value.shape[1:]), value.dtype)
    out[: len(value)] = value
    return out


class GraphState(NamedTuple):
    """Memory of a `GraphAgent`.

    Attributes:
        episodes: the current episode of each row.
        latent: (n, s) state of the graph.
        last: (n,) or (n, a) the previous action.
        map, places: (n, k, 5) and (n, m, 3), the latest outputs in units of the observation; None without such outputs.
    """

    episodes: noise.Episodes
    latent: np.ndarray
    last: np.ndarray
    map: np.ndarray | None = None
    places: np.ndarray | None = None


class GraphAgent(HoldingAgent):
    """An agent with a policy graph and, optionally, a world-model graph.

    Args:
        name, obs, action: see `Agent`.
        act: the policy graph.
        imagine: graph of one imagined step; None without a world model.
        scale: metres per unit of an observed position.
        slot_map: whether the entries of `map` are the slots of the observation; see `Belief.by_slot`.
    """

    def __init__(
        self,
        name: str,
        act: Graph,
        imagine: Graph | None = None,
        obs: str = "",
        action: str = "",
        scale: float = 1.0,
        slot_map: bool = False,
    ) -> None:
        self.name, self.obs, self.action, self.scale, self.slot_map = name, obs, action, scale, slot_map
        self._act, self._imagine = act, imagine
        self._seed = 0

    def seed(self, seed: int) -> None:
        self._seed = seed

    def initial_state(self, seeds: np.ndarray) -> GraphState:
        n = len(seeds)
        shape = self._act.inputs.get("last", ())
        last = np.zeros((n, *shape), np.float32 if shape else np.int64)
        return GraphState(noise.start(self._seed, seeds), np.zeros((n, self._act.width("state")), np.float32), last)

    def decide(
        self, obs: np.ndarray, state: GraphState, first: np.ndarray, explore: bool = False
    ) -> tuple[np.ndarray, GraphState]:
        """See `Agent`. Raises BadObservation for observations that are not finite or have the wrong size."""
        rows = finite_rows(obs, self._act.width("obs"), self.name)
        opens = np.asarray(first, bool)
        episodes = noise.next_episodes(self._seed, state.episodes, opens)
        out = self._act(
            obs=rows,
            state=state.latent,
            last=state.last,
            first=opens.astype(np.float32)[:, None],
            noise=noise.uniform(episodes, noise.LATENT, self._act.width("noise")),
        )
        action = explored(out, noise.uniform(episodes, noise.ACTION, 1)) if explore else out["action"]
        drawn = _entries(out, "map", DISC_FIELDS), _entries(out, "places", BOX_FIELDS)
        return action, GraphState(noise.advance(episodes), out.get("new_state", state.latent), action, *drawn)

    def belief(self, state: GraphState) -> Belief | None:
        drawn = {"map": state.map, "places": state.places}
        return believed({name: value for name, value in drawn.items() if value is not None}, self.scale, self.slot_map)

    def latent(self, state: GraphState) -> np.ndarray | None:
        return state.latent if state.latent.shape[1] else None

    def imagine(self, state: GraphState, horizon: int = 15, actions: np.ndarray | None = None) -> Imagined | None:
        """See `Agent`. With given actions, only one roll-out is imagined. Raises BadAgent before the first call of `act`."""
        graph = self._imagine
        if graph is None:
            return None
        if not state.episodes.step.all():
            raise BadAgent(f"{self.name} call act before imagine")
        rolls = ROLL_OUTS if "obs" in graph.outputs and actions is None else 1
        m, width = len(state.latent) * rolls, graph.width("noise")
        at = self.at_decision(state.episodes)
        if rolls > 1:  # each has a stream of its own
            at = noise.start(self._seed, noise.words(at, noise.IMAGINATION, rolls).ravel())
        of_graph = noise.uniform(at, noise.IMAGINATION, horizon * width).reshape(m, horizon, width)
        of_policy = noise.uniform(at, noise.ACTION, horizon)[..., None]
        latent, action = np.repeat(state.latent, rolls, axis=0), np.repeat(state.last, rolls, axis=0)
        main = np.arange(m) % rolls == 0
        steps: list[Arrays] = []
        for t in range(horizon):
            if actions is not None:
                action = actions[:, t]
            out = graph(state=latent, action=action, noise=of_graph[:, t])
            steps.append({"taken": action} | out)
            latent = out["new_state"]
            action = out["logits"].argmax(-1) if "logits" in out else out["next_action"]
            if rolls > 1:
                action[~main] = explored(out, of_policy[:, t])[~main]
        return imagined(steps, self.scale, self.ahead(state.episodes, horizon), rolls)


def explored(out: Arrays, drawn: np.ndarray) -> np.ndarray:
    """Actions sampled from the policy in a graph's outputs; the most likely ones where it has none. drawn: (n, 1), uniform in [0, 1)."""
    if "logits" not in out:
        return next(out[name] for name in ("explored", "action", "next_action") if name in out)
    logits = out["logits"].astype(np.float64)
    weights = np.exp(logits - logits.max(-1, keepdims=True))
    sums = weights.cumsum(-1)
    return np.minimum((sums <= drawn * sums[:, -1:]).sum(-1), logits.shape[-1] - 1)


def imagined(steps: Sequence[Arrays], scale: float, ahead: np.ndarray, rolls: int = 1) -> Imagined:
    """Roll-outs of n rows from the outputs of their steps, each with the action that led to it as `taken`.

    Args:
        scale: metres per unit of a position.
        ahead: (n, H) as in `Imagined`.
        rolls: roll-outs of each row; `steps` have those of the first row first. All give their observations, the first one the rest.
    """
    n, horizon = len(steps[0]["taken"]) // rolls, len(steps)

    def over_time(name: str) -> np.ndarray:
        if name not in steps[0]:
            return np.zeros((n, horizon, 0), np.float32)
        return np.stack([step[name][::rolls] for step in steps], axis=1)

    obs = None
    if "obs" in steps[0]:
        rows, ended = (np.stack([step[name] for step in steps], axis=1) for name in ("obs", "continue"))
        obs = np.where(after_end(ended)[..., None], np.nan, rows).reshape(n, rolls, horizon, -1)
    pose = over_time("pose")
    pose[..., :2] *= scale
    discs = over_time("map").reshape(n, horizon, -1, DISC_FIELDS)
    boxes = over_time("boxes").reshape(n, horizon, -1, BOX_FIELDS)
    return Imagined(
        discs[..., 1:3] * scale,
        pose,
        over_time("reward"),
        over_time("continue"),
        over_time("taken"),
        seen=discs[..., 0],
        box_seen=boxes[..., 0],
        box_xy=boxes[..., 1:] * scale,
        obs=obs,
        ahead=ahead,
    )


def after_end(cont: np.ndarray) -> np.ndarray:
    """Which imagined steps (..., H) come after the end, by the probabilities (..., H) that the episode continues; 0: no step at all."""
    over = cont < 0.5
    return (np.cumsum(over, axis=-1) - over > 0) | (cont == 0)


def finite_rows(obs: np.ndarray, width: int, name: str) -> np.ndarray:
    """Observations (n, ...) as contiguous float32 rows (n, width). Raises BadObservation, naming the agent."""
    rows = np.ascontiguousarray(obs, np.float32).reshape(len(obs), -1)
    if rows.shape[1] != width:
        raise BadObservation(f"{name}: observation of size {rows.shape[1]}, expected {width}")
    if not np.isfinite(rows).all():
        row, column = np.argwhere(~np.isfinite(rows))[0]
        raise BadObservation(f"{name}: element {column} of observation {row} is {rows[row, column]}")
    return rows


def believed(out: Mapping[str, np.ndarray], scale: float, by_slot: bool) -> Belief | None:
    """The belief in the outputs `map` and `places` of a graph; None if both are missing.

    scale, by_slot: `scale` and `slot_map` of `GraphAgent`.
    """
    discs, boxes = _entries(out, "map", DISC_FIELDS), _entries(out, "places", BOX_FIELDS)
    if discs is None and boxes is None:
        return None
    n = len(next(iter(out.values())))
    discs = np.zeros((n, 0, DISC_FIELDS), np.float32) if discs is None else discs
    boxes = np.zeros((n, 0, BOX_FIELDS), np.float32) if boxes is None else boxes
    return Belief(discs[..., 0], discs[..., 1:3] * scale, boxes[..., 0], boxes[..., 1:] * scale, by_slot)


def _entries(out: Mapping[str, np.ndarray], name: str, width: int) -> np.ndarray | None:
    drawn = out.get(name)
    return None if drawn is None or drawn.shape[1] == 0 else drawn.reshape(len(drawn), -1, width)
