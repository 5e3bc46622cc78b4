"""Map labels: where each object was last seen, computed from the observations by a scripted tracker.

The columns are, in this order:

- for every disc that can be identified over time (`Layout.things`): seen, x, y, vx, vy in the room's frame and in units of
  the observation. A disc under a cover moves with the cover;
- where each disc has a fixed slot (`order="index"`): the colour last seen of each, one-hot;
- where there are several kinds of box: seen, x, y of each kind;
- the vector from the agent to the requested object: known, dx, dy.

The labels use no privileged information: they are a function of the observations so far. They do contain the answer to the
task, which an agent trained on reward alone has to find by itself.
"""

from __future__ import annotations

import numpy as np

from unseen.agents.shared.envs import Layout
from unseen.agents.shared.graph_agent import BOX_FIELDS, DISC_FIELDS

GOAL_FIELDS = 3  # known, dx, dy
COVER_STEP = 0.35  # maximum movement of a cover in one step, units of position; less than the distance between covers


def map_size(layout: Layout) -> int:
    """Width of `map_targets`."""
    colours = layout.things * layout.colours if layout.order == "index" else 0
    return DISC_FIELDS * layout.things + colours + BOX_FIELDS * layout.sizes.box_kinds + GOAL_FIELDS


def map_targets(obs: np.ndarray, layout: Layout) -> np.ndarray:
    """Map labels (n, T, map_size) for whole episodes of slot observations `obs` (n, T, d).

    The first DISC_FIELDS * things columns are the discs, the last GOAL_FIELDS the vector to the requested object.
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
    """State in which each disc was last seen, (n, T, things, 5): seen, x, y, vx, vy; and its last seen colour, one-hot,
    (n, T, things, colours)."""
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
        # Unless each disc has a fixed slot, a visible disc whose colour does not show cannot be identified.
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
    """Move each hidden disc of `now` (n, things, 5) that was seen before to the nearest visible cover, in place.

    Args:
        unseen: (n, things) bool, discs that are not visible now.
        entry: (n, slots, 5) visible discs.
        covers: (n, slots) bool, slots that hold a cover.
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
    """Where each kind of box was last seen, (n, T, kinds, 3): seen, x, y; kinds = 0 where all boxes look alike."""
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
    """Vector from the agent to where the requested object was last seen, (n, T, 3): known, dx, dy; zeros if unknown.

    The query is a one-hot over the colours, over the kinds of box, or over both in that order.
    """
    query = obs[..., layout.query]
    kinds, n_colours = layout.sizes.box_kinds, layout.colours
    goal = np.zeros((*obs.shape[:2], BOX_FIELDS), np.float32)
    if layout.sizes.queries in (n_colours, n_colours + kinds):
        match = (colours * query[..., None, :n_colours]).sum(-1, keepdims=True)
        goal += (match * seen[..., :BOX_FIELDS]).sum(-2)
        query = query[..., n_colours:]
    if kinds and query.shape[-1] == kinds:
        goal += (places * query[..., None]).sum(-2)
    pose = obs[..., layout.pose]
    pose_known = np.abs(pose[..., 2:4]).sum(-1, keepdims=True) > 0.5
    known = (goal[..., :1] > 0.5) * pose_known
    return np.concatenate([known, known * (goal[..., 1:3] - pose[..., :2])], -1).astype(np.float32)


def _to_room(x: np.ndarray, y: np.ndarray, rows: np.ndarray, shift: bool) -> tuple[np.ndarray, np.ndarray]:
    """Rotate vectors (n, slots) from the agent's frame into the room's, by the pose in `rows` (n, d); `shift` also translates."""
    px, py, cos, sin = (rows[:, i, None] for i in range(4))
    return x * cos - y * sin + px * shift, x * sin + y * cos + py * shift
