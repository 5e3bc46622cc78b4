"""Observations of entity slots as tokens: agent, boxes, discs and the room's four walls, and how they lie to each other."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from unseen.agents.shared.envs import Layout

WALL = (1.1, 0.1, 1.2)  # centre and half extents of a wall of the room, in half rooms
FAR = 4.0  # steps: how far away something is, is not told beyond this
GEOMETRY = 15  # features of how a token lies to a receiver
_MIRROR = torch.tensor([1.0, -1.0])


class Tokens(NamedTuple):
    """B x S tokens: agent, boxes, discs, walls of the room.

    Attributes:
        present: (B, S).
        xy, axis, half: (B, S, 2) position, cos and sin of the orientation, half extents.
        kind: (B, S, C) all that is told of a token but its geometry.
    """

    present: Tensor
    xy: Tensor
    axis: Tensor
    half: Tensor
    kind: Tensor


def kinds(layout: Layout) -> int:
    """The size of `Tokens.kind`."""
    return 4 + layout.sizes.box_kinds + layout.sizes.colours + 1


def asked(layout: Layout, state: Tensor) -> tuple[Tensor, Tensor]:
    """Which boxes (B, m) and discs (B, n) states (B, d) ask for.

    A query names colours of discs, and after them kinds of boxes, if it is long enough. A disc is known by its slot where each
    colour has its own, else by the colour that was seen.
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
    by_box, by_disc = asked(layout, state)
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
    """How every token lies to each of the receivers (R,), indices of tokens: (B, R, S, GEOMETRY). See `seen_from`."""
    return seen_from(at, at.xy[:, receivers], ahead, step)


def seen_from(at: Tokens, places: Tensor, ahead: Tensor, step: Tensor) -> Tensor:
    """How every token lies to each of the places (B, R, 2): (B, R, S, GEOMETRY).

    Distances are in steps, seen in the direction `ahead` (B, 2); what is told of a token is where it lies, its half extents,
    its orientation, and how far outside of it are the place and the points one and two steps ahead of it, along the token's
    own axes, from the side where the place is, and the larger of both: below 0 inside of it or beyond.

    step: length of a step.
    """
    apart = (at.xy[:, None] - places[:, :, None]) / step  # (B, R, S, 2)
    u = ahead[:, None, None]
    axis = at.axis[:, None].expand_as(apart)
    half = at.half[:, None].expand_as(apart) / step
    own = turned(apart, axis)  # along the token's axes
    onward = turned(u.expand_as(apart), axis)
    side = torch.where(
        own < 0, -1.0, 1.0
    )  # on which side of the token the place is, so that passing through it is seen
    outside = torch.stack([side * (own - k * onward) - half for k in range(3)], -2)  # (B, R, S, 3, 2)
    most = outside.amax(-1)
    return torch.cat([turned(apart, u), half, outside.flatten(-2), most, turned(axis, u)], -1).clamp(-FAR, FAR)


def turned(xy: Tensor, axis: Tensor) -> Tensor:
    """Vectors (..., 2) in the frame whose x axis has the given cos and sin (..., 2)."""
    x, y = xy.split(1, -1)
    cos, sin = axis.split(1, -1)
    return torch.cat([x * cos + y * sin, y * cos - x * sin], -1)


def turned_back(xy: Tensor, axis: Tensor) -> Tensor:
    """The inverse of `turned`."""
    return turned(xy, axis * _MIRROR.to(axis))


def half_turns(cos: Tensor, sin: Tensor) -> Tensor:
    """Cos and sin (..., 2) of twice an angle: a box turned by half a turn is the same."""
    return torch.stack([cos * cos - sin * sin, 2 * cos * sin], -1)


def _slots(state: Tensor, part: tuple[int, int, int]) -> Tensor:
    start, count, width = part
    if not count:
        return state.new_zeros(*state.shape[:-1], 0, width)
    return state[..., start : start + count * width].unflatten(-1, (count, width))


def _kind(like: Tensor, index: int, rest: Tensor) -> Tensor:
    """One-hot type of token, followed by what else is told of it."""
    types = F.one_hot(torch.full(like.shape[:2], index, device=like.device), 4).to(like.dtype)
    return torch.cat([types, rest], -1)
