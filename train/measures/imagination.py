"""Error of imagined positions, by the number of imagined steps.

Open loop: the model starts from the agent's memory at some step of an episode, and is given the actions that were then taken, without
further observations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from unseen.agents.protocol import Imagined
from unseen.agents.shared.envs import Layout
from unseen.train.measures.played import Played
from unseen.train.measures.tables import Row, Table, absent
from unseen.train.measures.things import Sights, no_map, of_discs, sights, slots_tell

TITLE = "Imagination error"
NOTE = "m, mean over what the model places, by imagined steps, under the actions really taken"
HORIZONS = (1, 2, 4, 8, 16)
EVERY = 3  # steps between the starts of roll-outs
IN_SIGHT, HIDDEN, OWN = "things in sight", "hidden things", "own position"
MODEL, NOTHING_MOVES, VELOCITY, PLACED, CASES = "model", "nothing moves", "constant velocity", "placed", "cases"
"""rows; placed: fraction of the things seen before that the model gives a position for; cases: number of these positions"""

Errors = dict[tuple[str, str], list[list[np.ndarray]]]
"""(group, row) -> for each horizon, parts of arrays"""


def imagination_table(played: Played, horizons: Sequence[int] = HORIZONS) -> Table:
    """Errors by horizon, with those of two predictions without a world model, over recorded episodes."""
    agent, layout = played.agent, played.layout
    if layout is None:
        return absent(TITLE, no_map(None, layout))
    longest = min(max(horizons), len(played.obs) - 1)
    horizons = [h for h in horizons if h <= longest]
    seen = sights(played, layout)
    errors: Errors = {}
    for t in range(0, len(played.obs) - 1, EVERY):
        if not played.live[t].any():
            continue
        imagined = agent.imagine(played.states[t], longest, future(played, t, longest))
        if imagined is None:
            return absent(TITLE, f"{agent.name} has no world model")
        for k, h in enumerate(horizons):
            if t + h < len(played.obs):
                _compare(played, layout, seen, imagined, t, h, _adder(errors, k, len(horizons)))
    rows = [
        Row(f"{group}: {name}", tuple(map(_total if name == CASES else _mean, parts)))
        for (group, name), parts in errors.items()
    ]
    if not rows:
        return absent(TITLE, f"the model of {agent.name} places nothing")
    return Table(TITLE, NOTE, tuple(str(h) for h in horizons), tuple(rows))


def future(played: Played, t: int, steps: int) -> np.ndarray:
    """The actions (n, steps, ...) from step t on. Beyond the end of the recording, its last actions are repeated."""
    last = len(played.actions) - 1
    return np.stack([played.actions[min(t + k, last)] for k in range(steps)], 1)


def _adder(errors: Errors, k: int, horizons: int) -> Callable[[str, str, np.ndarray], None]:
    def add(group: str, name: str, values: np.ndarray) -> None:
        errors.setdefault((group, name), [[] for _ in range(horizons)])[k].append(values)

    return add


def _total(parts: list[np.ndarray]) -> int:
    return int(np.concatenate(parts).sum()) if parts else 0


def _mean(parts: list[np.ndarray]) -> float | None:
    values = np.concatenate(parts) if parts else np.zeros(0)
    return float(values.mean()) if len(values) else None


def _compare(
    played: Played,
    layout: Layout,
    seen: Sights,
    imagined: Imagined,
    t: int,
    h: int,
    add: Callable[[str, str, np.ndarray], None],
) -> None:
    """Add the errors of roll-outs from step t, h steps later."""
    goes_on = played.live[t] & played.live[t + h]
    true = seen.true[t + h]
    placed = imagined_discs(imagined, h - 1, played, layout, t)
    if placed is not None:
        k = layout.colours
        still, moving = seen.nothing_moves(t)[:, :k], seen.constant_velocity(t, h)[:, :k]
        counts = goes_on[:, None] & (seen.there[t] & np.isfinite(seen.last[t]).all(-1))[:, :k]
        known = np.isfinite(placed).all(-1)
        for group, where in ((IN_SIGHT, seen.seen[t + h][:, :k]), (HIDDEN, ~seen.seen[t + h][:, :k])):
            mask = counts & where & known
            for name, xy in ((MODEL, placed), (NOTHING_MOVES, still), (VELOCITY, moving)):
                add(group, name, np.linalg.norm(xy[mask] - true[:, :k][mask], axis=-1))
            add(group, PLACED, known[counts & where].astype(float))
            add(group, CASES, np.array([mask.sum()]))
    if imagined.pose.shape[-1]:
        now, then = (np.stack([played.world[s]["agent_x"], played.world[s]["agent_y"]], -1) for s in (t, t + h))
        before = played.world[max(t - 1, 0)]
        speed = now - np.stack([before["agent_x"], before["agent_y"]], -1)
        guesses = ((MODEL, imagined.pose[:, h - 1, :2]), (NOTHING_MOVES, now), (VELOCITY, now + h * speed))
        mask = goes_on & played.acting[t] & played.acting[t + h]
        for name, xy in guesses:
            add(OWN, name, np.linalg.norm(xy[mask] - then[mask], axis=-1))
        add(OWN, CASES, np.array([mask.sum()]))


def imagined_discs(imagined: Imagined, step: int, played: Played, layout: Layout, t: int) -> np.ndarray | None:
    """Imagined positions of discs by colour (n, colours, 2), m, at an imagined step; infinite where the model gives none.

    None if no discs are imagined, or they cannot be distinguished. step: index of the imagined step; t: the step from which it starts.
    """
    belief = played.beliefs[t]
    if not imagined.xy.shape[2] or belief is None or (belief.by_slot and not slots_tell(layout)):
        return None
    xy = imagined.xy[:, step]
    if imagined.seen is not None:
        xy = np.where(imagined.seen[:, step, :, None] > 0.5, xy, np.inf)
    return of_discs(xy, played.world[t], layout, belief.by_slot)
