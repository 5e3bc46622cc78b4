"""An agent whose decisions are a graph's: the same class acts by torch while an algorithm learns, and by ONNX after.

The graph that acts has, with a batch of n,

| input  | shape                  |                                                                           |
|--------|------------------------|---------------------------------------------------------------------------|
| obs    | (n, d) f32             | observation, flattened                                                    |
| state  | (n, s) f32             | memory; absent in an agent without one; zeros before the first decision   |
| last   | (n,) i64 or (n, a) f32 | the action that was taken last; absent where the memory needs none        |
| first  | (n, 1) f32             | 1 where the observation opens an episode; absent without a memory         |
| noise  | (n, m) f32             | uniform in [0, 1); absent where nothing is drawn                          |

| output    | shape                  |                                                                        |
|-----------|------------------------|------------------------------------------------------------------------|
| action    | (n,) i64 or (n, a) f32 | the most likely action                                                 |
| logits    | (n, a) f32             | discrete: unnormalised log-probabilities of the actions, to explore by |
| explored  | (n, a) f32             | continuous: an action drawn from the policy                            |
| new_state | (n, s) f32             | the new memory                                                         |
| map       | (n, 5 k) f32           | of each disc the probability of having been seen, and its x, y, vx, vy |
| places    | (n, 3 m) f32           | likewise seen, x, y of each kind of box; `map` and `places` may lack   |

One step of imagination: inputs `state`, `action` (as `last`), `noise`; outputs `new_state`; `logits` or `next_action` of
the policy after the step; `reward` (n,), `continue` (n,) probability; `map`, and `pose` (n, 4) as observed (x, y, cos,
sin), which may lack. Places are in units of the observation.

Graphs hold no generator: all noise is given, and is a function of (agent seed, episode seed, step).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np

from unseen.agents.errors import BadAgent, BadObservation
from unseen.agents.protocol import Agent, Belief, Imagined
from unseen.agents.shared import noise

DISC_FIELDS = 5  # numbers of a disc in `map`: seen, x, y, vx, vy
BOX_FIELDS = 3  # numbers of a kind of box in `places`: seen, x, y

Arrays = dict[str, np.ndarray]


class Graph(ABC):
    """A function of named arrays, of which every row is computed by itself.

    Attributes:
        inputs: name -> shape without the batch.
        outputs: names.
        rows: how many rows are computed at once; 0: however many there are. Products of matrices of another height may
            be rounded otherwise, so a row is the same in any batch only if it is always computed among as many.
    """

    inputs: dict[str, tuple[int, ...]]
    outputs: tuple[str, ...]
    rows: int

    @abstractmethod
    def run(self, inputs: Arrays) -> Arrays:
        """The outputs for exactly the graph's inputs. Raises BadAgent."""

    def width(self, name: str) -> int:
        """Numbers of an input in a row; 0 where there is no such input."""
        return math.prod(self.inputs[name]) if name in self.inputs else 0

    def __call__(self, **values: np.ndarray) -> Arrays:
        """The outputs for n rows, of which those that the graph does not take are left out. Raises BadAgent."""
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
        episodes: which episode each row is in.
        latent: (n, s) the graph's own memory.
        last: (n,) or (n, a) the action that was taken.
        map, places: (n, k, 5) and (n, m, 3) as last drawn, in units of the observation; None for an agent without.
    """

    episodes: noise.Episodes
    latent: np.ndarray
    last: np.ndarray
    map: np.ndarray | None = None
    places: np.ndarray | None = None


class GraphAgent(Agent):
    """Acts by one graph, and imagines by another.

    Args:
        name, obs, action: see `Agent`.
        act: decides.
        imagine: one step of the world model; None for an agent without one.
        scale: metres of one unit of an observed place.
    """

    def __init__(
        self, name: str, act: Graph, imagine: Graph | None = None, obs: str = "", action: str = "", scale: float = 1.0
    ) -> None:
        self.name, self.obs, self.action, self.scale = name, obs, action, scale
        self._act, self._imagine = act, imagine
        self._seed = 0

    def seed(self, seed: int) -> None:
        self._seed = seed

    def initial_state(self, seeds: np.ndarray) -> GraphState:
        n = len(seeds)
        shape = self._act.inputs.get("last", ())
        last = np.zeros((n, *shape), np.float32 if shape else np.int64)
        return GraphState(noise.start(self._seed, seeds), np.zeros((n, self._act.width("state")), np.float32), last)

    def act(
        self, obs: np.ndarray, state: GraphState, first: np.ndarray, explore: bool = False
    ) -> tuple[np.ndarray, GraphState]:
        """See `Agent`. Raises BadObservation for what is not finite or not of the graph's width."""
        rows = self._rows(obs)
        opens = np.asarray(first, bool)
        episodes = noise.next_episodes(self._seed, state.episodes, opens)
        out = self._act(
            obs=rows,
            state=state.latent,
            last=state.last,
            first=opens.astype(np.float32)[:, None],
            noise=noise.uniform(episodes, noise.LATENT, self._act.width("noise")),
        )
        action = self._explored(out, episodes) if explore else out["action"]
        drawn = _entries(out, "map", DISC_FIELDS), _entries(out, "places", BOX_FIELDS)
        return action, GraphState(noise.advance(episodes), out.get("new_state", state.latent), action, *drawn)

    def _rows(self, obs: np.ndarray) -> np.ndarray:
        rows = np.ascontiguousarray(obs, np.float32).reshape(len(obs), -1)
        if rows.shape[1] != self._act.width("obs"):
            raise BadObservation(
                f"{self.name}: an observation of {rows.shape[1]} numbers, where {self._act.width('obs')} are due"
            )
        if not np.isfinite(rows).all():
            row, column = np.argwhere(~np.isfinite(rows))[0]
            raise BadObservation(f"{self.name}: number {column} of observation {row} is {rows[row, column]}")
        return rows

    def _explored(self, out: Arrays, episodes: noise.Episodes) -> np.ndarray:
        if "logits" not in out:
            return out.get("explored", out["action"])
        logits = out["logits"].astype(np.float64)
        weights = np.exp(logits - logits.max(-1, keepdims=True))
        sums = weights.cumsum(-1)
        threshold = noise.uniform(episodes, noise.ACTION, 1) * sums[:, -1:]
        return np.minimum((sums <= threshold).sum(-1), logits.shape[-1] - 1)

    def belief(self, state: GraphState) -> Belief | None:
        if state.map is None and state.places is None:
            return None
        n = len(state.latent)
        discs = np.zeros((n, 0, DISC_FIELDS), np.float32) if state.map is None else state.map
        boxes = np.zeros((n, 0, BOX_FIELDS), np.float32) if state.places is None else state.places
        return Belief(
            seen=discs[..., 0],
            xy=discs[..., 1:3] * self.scale,
            box_seen=boxes[..., 0],
            box_xy=boxes[..., 1:] * self.scale,
        )

    def imagine(self, state: GraphState, horizon: int = 15) -> Imagined | None:
        """See `Agent`. Raises BadAgent before the first decision."""
        graph = self._imagine
        if graph is None:
            return None
        if not state.episodes.step.all():
            raise BadAgent(f"{self.name} has decided nothing yet: act once, then imagine")
        n, width = len(state.latent), graph.width("noise")
        drawn = noise.uniform(state.episodes, noise.IMAGINATION, horizon * width).reshape(n, horizon, width)
        latent, action = state.latent, state.last
        steps: list[Arrays] = []
        for t in range(horizon):
            out = graph(state=latent, action=action, noise=drawn[:, t])
            steps.append({"taken": action} | out)
            latent = out["new_state"]
            action = out["logits"].argmax(-1) if "logits" in out else out["next_action"]

        def over_time(name: str, width: int = 0) -> np.ndarray:
            if name not in steps[0]:
                return np.zeros((n, horizon, width), np.float32)
            return np.stack([step[name] for step in steps], axis=1)

        pose = over_time("pose")
        pose[..., :2] *= self.scale
        places = over_time("map").reshape(n, horizon, -1, DISC_FIELDS)[..., 1:3] * self.scale
        return Imagined(places, pose, over_time("reward"), over_time("continue"), over_time("taken"))


def _entries(out: Arrays, name: str, width: int) -> np.ndarray | None:
    drawn = out.get(name)
    return None if drawn is None or drawn.shape[1] == 0 else drawn.reshape(len(drawn), -1, width)
