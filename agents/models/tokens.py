"""Observations of entity slots as tokens (agent, boxes, discs and the room's four walls), and the geometry between them."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from unseen.agents.shared.envs import Layout

WALL = (1.1, 0.1, 1.2)  # centre and half extents of a wall of the room, in half rooms
FAR = 4.0  # steps: distances are clipped to this
GEOMETRY = 15  # features of the position of a token relative to a receiver
_MIRROR = torch.tensor([1.0, -1.0])


class Tokens(NamedTuple):
    """B x S tokens: agent, boxes, discs, walls of the room.

    Attributes:
        present: (B, S).
        xy, axis, half: (B, S, 2) position, cos and sin of the orientation, half extents.
        kind: (B, S, C) all features of a token except its geometry: type, kind of box, colour, whether it is queried.
    """

    present: Tensor
    xy: Tensor
    axis: Tensor
    half: Tensor
    kind: Tensor


def kinds(layout: Layout) -> int:
    """The size of `Tokens.kind`."""
    return 4 + layout.sizes.box_kinds + layout.sizes.colours + 1


def queried(layout: Layout, state: Tensor) -> tuple[Tensor, Tensor]:
    """Which boxes (B, m) and discs (B, n) the query in states (B, d) names, 1 or 0.

    A query names a colour of disc or, if it is long enough to do so, a kind of box; its columns are in this order. A disc is
    recognised by its slot where each colour has its own, else by the colour that was seen.
    """
    sizes, query, box, disc = layout.sizes, state[:, layout.query], boxes(layout, state), discs(layout, state)
    named, kinds = query[:, : sizes.colours], query[:, sizes.colours :]
    if layout.order == "colour" and sizes.queries == sizes.disc_slots:
        by_disc = query
    elif sizes.queries in (sizes.colours, sizes.colours + sizes.box_kinds):
        by_disc = (disc[..., 5:] * named[:, None]).sum(-1)
    else:
        by_disc = torch.zeros_like(disc[..., 0])
    if sizes.box_kinds and kinds.shape[1] == sizes.box_kinds:
        by_box = (box[..., box.shape[-1] - sizes.box_kinds :] * kinds[:, None]).sum(-1)
    else:
        by_box = torch.zeros_like(box[..., 0])
    return by_box, by_disc


def boxes(layout: Layout, state: Tensor) -> Tensor:
    """Box slots (..., n, width) of states (..., d)."""
    return _slots(state, layout.boxes)


def discs(layout: Layout, state: Tensor) -> Tensor:
    """Disc slots (..., n, width) of states (..., d)."""
    return _slots(state, layout.discs)


def tokens(layout: Layout, state: Tensor) -> Tokens:
    """The tokens of states (B, d)."""
    sizes, n = layout.sizes, state.shape[0]
    box, disc, pose = boxes(layout, state), discs(layout, state), state[:, None, layout.pose]
    centre, thin, long = WALL
    rows = [[centre, 0, thin, long], [-centre, 0, thin, long], [0, centre, long, thin], [0, -centre, long, thin]]
    walls = torch.tensor(rows, device=state.device).expand(n, 4, 4)
    none, one = torch.zeros_like, torch.ones_like(pose[..., :1])
    shape = box[..., 3:7] if sizes.box_shape else none(box[..., :1]).expand(*box.shape[:2], 4)
    upright = torch.cat([torch.ones_like(walls[..., :1]), none(walls[..., :1])], -1)
    by_box, by_disc = queried(layout, state)
    rest = sizes.box_kinds + sizes.colours + 1
    kind = [
        _kind(one, 0, none(one).expand(n, 1, rest)),
        _kind(
            box[..., :1],
            1,
            torch.cat([F.pad(box[..., box.shape[-1] - sizes.box_kinds :], (0, sizes.colours)), by_box[..., None]], -1),
        ),
        _kind(disc[..., :1], 2, F.pad(torch.cat([disc[..., 5:], by_disc[..., None]], -1), (sizes.box_kinds, 0))),
        _kind(walls[..., :1], 3, none(walls[..., :1]).expand(n, 4, rest)),
    ]
    return Tokens(
        present=torch.cat([one, box[..., :1], disc[..., :1], torch.ones_like(walls[..., :1])], 1)[..., 0],
        xy=torch.cat([pose[..., :2], box[..., 1:3], disc[..., 1:3], walls[..., :2]], 1),
        axis=torch.cat(
            [pose[..., 2:], shape[..., :2], none(disc[..., :2]) + _MIRROR.clamp(min=0).to(state), upright], 1
        ),
        half=torch.cat([none(pose[..., :2]), shape[..., 2:], none(disc[..., :2]), walls[..., 2:]], 1),
        kind=torch.cat(kind, 1),
    )


def geometry(at: Tokens, receivers: Tensor, ahead: Tensor, step: Tensor) -> Tensor:
    """Geometry of every token relative to each receiver (B, R, S, GEOMETRY). receivers: (R,) indices of tokens. See `seen_from`."""
    return seen_from(at, at.xy[:, receivers], ahead, step)


def seen_from(at: Tokens, places: Tensor, ahead: Tensor, step: Tensor) -> Tensor:
    """Geometry of every token relative to each of the places (B, R, 2), as features (B, R, S, GEOMETRY).

    Distances are in steps, in the frame whose x axis is the direction `ahead` (B, 2). The features are the token's relative position (2),
    its half extents (2), signed distances from it (9), and its orientation as cos and sin (2). The signed distances are those of three
    points, the place itself and the points one and two steps ahead of it, along each of the token's own axes (2 each) and the larger of
    the two (1 each). They are measured from the side of the token on which the place is, and are negative inside the token and beyond.

    step: (), length of a step in units of position.
    """
    apart = (at.xy[:, None] - places[:, :, None]) / step  # (B, R, S, 2)
    u = ahead[:, None, None]
    axis = at.axis[:, None].expand_as(apart)
    half = at.half[:, None].expand_as(apart) / step
    own = to_frame(apart, axis)  # along the token's axes
    onward = to_frame(u.expand_as(apart), axis)
    side = torch.where(
        own < 0, -1.0, 1.0
    )  # on which side of the token the place is, so that a point beyond it shows a step through the token
    outside = torch.stack([side * (own - k * onward) - half for k in range(3)], -2)  # (B, R, S, 3, 2)
    most = outside.amax(-1)
    return torch.cat([to_frame(apart, u), half, outside.flatten(-2), most, to_frame(axis, u)], -1).clamp(-FAR, FAR)


def to_frame(xy: Tensor, axis: Tensor) -> Tensor:
    """Rotate vectors (..., 2) into the frame whose x axis has this cos and sin (..., 2)."""
    x, y = xy.split(1, -1)
    cos, sin = axis.split(1, -1)
    return torch.cat([x * cos + y * sin, y * cos - x * sin], -1)


def from_frame(xy: Tensor, axis: Tensor) -> Tensor:
    """Rotate vectors (..., 2) out of that frame: the inverse of `to_frame`."""
    return to_frame(xy, axis * _MIRROR.to(axis))


def half_turns(cos: Tensor, sin: Tensor) -> Tensor:
    """Cos and sin (..., 2) of twice an angle, given its cos and sin (...): the same for a box rotated by 180 degrees."""
    return torch.stack([cos * cos - sin * sin, 2 * cos * sin], -1)


def _slots(state: Tensor, part: tuple[int, int, int]) -> Tensor:
    start, count, width = part
    if not count:
        return state.new_zeros(*state.shape[:-1], 0, width)
    return state[..., start : start + count * width].unflatten(-1, (count, width))


def _kind(like: Tensor, index: int, rest: Tensor) -> Tensor:
    """One-hot type `index` of tokens (B, S, ...), followed by their other features `rest` (B, S, ...)."""
    types = F.one_hot(torch.full(like.shape[:2], index, device=like.device), 4).to(like.dtype)
    return torch.cat([types, rest], -1)
