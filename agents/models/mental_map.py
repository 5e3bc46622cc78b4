"""The mental map as a target: what was last seen of everything, remembered from the observations alone.

For every disc that can be told apart over time (`Layout.things`): seen, x, y, vx, vy, in the room's frame and in the
units of the observation; what went under a cover moves on with the cover. Where discs have a slot of their own, also the
colour that each last showed. Where boxes are of several kinds, for every kind seen, x, y. Last the way from here to what
is asked for. Nothing privileged enters: an agent could keep this map by itself, and a world model is asked to. But it is a
scripted tracker that computes the labels, the way to what is asked for among them.
"""

from __future__ import annotations

import numpy as np

from unseen.agents.shared.envs import Layout
from unseen.agents.shared.graph_agent import BOX_FIELDS, DISC_FIELDS

GOAL_FIELDS = 3  # known, dx, dy
COVER_STEP = 0.35  # units of position that a cover moves in a step at most: less than the distance between covers


def map_size(layout: Layout) -> int:
    """Width of `map_targets`."""
    colours = layout.things * layout.colours if layout.order == "index" else 0
    return DISC_FIELDS * layout.things + colours + BOX_FIELDS * layout.sizes.box_kinds + GOAL_FIELDS


def map_targets(obs: np.ndarray, layout: Layout) -> np.ndarray:
    """The map (n, T, map_size) at every step of whole episodes of slots rows `obs` (n, T, d).

    The first ENTRY * things columns are the discs, the last GOAL the way to what is asked for.
    """
    n, horizon, _ = obs.shape
    seen, colours = last_seen_discs(obs, layout)
    parts = [seen.reshape(n, horizon, -1)]
    if layout.order == "index":
        parts.append(colours.reshape(n, horizon, -1))
    places = last_seen_boxes(obs, layout)
    parts += [places.reshape(n, horizon, -1), goal_vector(obs, seen, colours, places, layout)]
    return np.concatenate(parts, -1)


def last_seen_discs(obs: np.ndarray, layout: Layout) -> tuple[np.ndarray, np.ndarray]:
    """What was last seen of every disc: (n, T, things, 5) seen, x, y, vx, vy; and (n, T, things, colours) the colour
    that it last showed."""
    n, horizon, _ = obs.shape
    start, count, width = layout.discs
    slots = obs[..., start : start + count * width].reshape(n, horizon, count, width)
    out = np.zeros((n, horizon, layout.things, DISC_FIELDS), np.float32)
    colours = np.zeros((n, horizon, layout.things, layout.colours), np.float32)
    now, colour = np.zeros_like(out[:, 0]), np.zeros_like(colours[:, 0])
    for t in range(horizon):
        entry = slots[:, t, :, :DISC_FIELDS].copy()
        if layout.frame == "ego":
            entry[..., 1], entry[..., 2] = _to_room(entry[..., 1], entry[..., 2], obs[:, t], shift=True)
            entry[..., 3], entry[..., 4] = _to_room(entry[..., 3], entry[..., 4], obs[:, t], shift=False)
        visible, coloured = slots[:, t, :, 0] > 0.5, slots[:, t, :, DISC_FIELDS:].max(-1) > 0.5
        # Without a slot of its own, a disc whose colour does not show is seen, but nobody can tell which one it is.
        row, slot = np.nonzero(visible if layout.order == "index" else visible & coloured)
        thing = slot if layout.order == "index" else slots[row, t, slot, DISC_FIELDS:].argmax(-1)
        now[row, thing] = entry[row, slot]
        if layout.covers:
            unseen = np.ones((n, layout.things), bool)
            unseen[row, thing] = False
            covers = visible & np.isin(slots[:, t, :, DISC_FIELDS:].argmax(-1), layout.covers)
            _move_with_cover(now, unseen, entry, covers, layout)
        shown = coloured[row, slot]
        colour[row[shown], thing[shown]] = slots[row[shown], t, slot[shown], DISC_FIELDS:]
        out[:, t], colours[:, t] = now, colour
    return out, colours


def _move_with_cover(
    now: np.ndarray, unseen: np.ndarray, entry: np.ndarray, covers: np.ndarray, layout: Layout
) -> None:
    """Move what was seen before and is not seen now, of `now` (n, things, 5), to the nearest cover that is seen.

    Args:
        unseen: (n, things) what is not seen now.
        entry: (n, slots, 5) what is; `covers` (n, slots): those that are covers.
    """
    for thing in range(layout.things):
        if thing in layout.covers:
            continue
        distance = np.hypot(*(entry[..., 1:3] - now[:, None, thing, 1:3]).transpose(2, 0, 1))
        distance[~covers] = np.inf
        nearest = distance.argmin(-1)
        each = np.arange(len(now))
        moves = unseen[:, thing] & (now[:, thing, 0] > 0.5) & (distance[each, nearest] < COVER_STEP)
        now[moves, thing] = entry[moves, nearest[moves]]


def last_seen_boxes(obs: np.ndarray, layout: Layout) -> np.ndarray:
    """Where each kind of box was last seen: (n, T, kinds, 3) seen, x, y; no kinds where all are alike."""
    n, horizon, _ = obs.shape
    kinds = layout.sizes.box_kinds
    out = np.zeros((n, horizon, kinds, BOX_FIELDS), np.float32)
    if kinds == 0:
        return out
    start, count, width = layout.boxes
    slots = obs[..., start : start + count * width].reshape(n, horizon, count, width)
    now = np.zeros((n, kinds, BOX_FIELDS), np.float32)
    for t in range(horizon):
        entry = slots[:, t, :, :BOX_FIELDS].copy()
        if layout.frame == "ego":
            entry[..., 1], entry[..., 2] = _to_room(entry[..., 1], entry[..., 2], obs[:, t], shift=True)
        row, slot = np.nonzero((entry[..., 0] > 0.5) & (slots[:, t, :, width - kinds :].max(-1) > 0.5))
        now[row, slots[row, t, slot, width - kinds :].argmax(-1)] = entry[row, slot]
        out[:, t] = now
    return out


def goal_vector(
    obs: np.ndarray, seen: np.ndarray, colours: np.ndarray, places: np.ndarray, layout: Layout
) -> np.ndarray:
    """From the present place to where what is asked for was last seen: (n, T, 3) known, dx, dy; else zero.

    What can be asked for are the colours, or the kinds of boxes, or the ones and then the others.
    """
    query = obs[..., layout.query]
    kinds, n_colours = layout.sizes.box_kinds, layout.colours
    asked = np.zeros((*obs.shape[:2], BOX_FIELDS), np.float32)
    if layout.sizes.queries in (n_colours, n_colours + kinds):
        match = (colours * query[..., None, :n_colours]).sum(-1, keepdims=True)
        asked += (match * seen[..., :BOX_FIELDS]).sum(-2)
        query = query[..., n_colours:]
    if kinds and query.shape[-1] == kinds:
        asked += (places * query[..., None]).sum(-2)
    pose = obs[..., layout.pose]
    placed = np.abs(pose[..., 2:4]).sum(-1, keepdims=True) > 0.5
    known = (asked[..., :1] > 0.5) * placed
    return np.concatenate([known, known * (asked[..., 1:3] - pose[..., :2])], -1).astype(np.float32)


def _to_room(x: np.ndarray, y: np.ndarray, rows: np.ndarray, shift: bool) -> tuple[np.ndarray, np.ndarray]:
    """Vectors (n, slots) in the agent's frame, turned (and moved) into the room's by the pose in slots rows (n, d)."""
    px, py, cos, sin = (rows[:, i, None] for i in range(4))
    return x * cos - y * sin + px * shift, x * sin + y * cos + py * shift
