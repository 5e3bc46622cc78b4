"""What a disc did in observed transitions: the examples from which `rolling` learns.

What stopped or deflected a disc is taken to be the token nearest to that point, among those whose centre the disc has not passed.
"""

from __future__ import annotations

import torch
from torch import Tensor

from unseen.agents.models import tokens
from unseen.agents.models.changes import IGNORED
from unseen.agents.models.rolling import LEFT_RIGHT, NEAR, ROUGH, SLOW, Arrival, Rolling, Segments, at_token
from unseen.agents.models.tokens import Tokens, from_frame, to_frame


@torch.no_grad()
def observed_arrival(disc: Rolling, state: Tensor, after: Tensor, launch: Tensor) -> tuple[Arrival, Tensor]:
    """What the disc did in transitions between states (N, d), and the label (N,) of its launch.

    launch: (N, 1 + LAUNCHES) logits, by which a launch that was stopped in the same step is guessed.
    """
    xy, ahead, left, reach, rolled, label = _starts(disc, state, after, launch)
    end, then = disc.slot(after)[:, 1:3], disc.speed(after)
    way = to_frame(end - xy, ahead)
    aside = torch.stack([torch.zeros_like(way[:, 1]), way[:, 1].sign()], -1)
    bent = way[:, 1].abs() > NEAR
    last = torch.where(bent[:, None], from_frame(aside, ahead), ahead)
    moving = then > SLOW
    last = torch.where(moving[:, None], disc.slot(after)[:, 3:5] / then.clamp(min=SLOW)[:, None], last)
    rest = torch.where(moving, disc.free_motion(then)[2], (reach - way.abs().sum(-1)).clamp(min=0))
    at = tokens.tokens(disc.layout, state)
    held = rolled & ~moving & (rest > 2 * NEAR)
    met = at_token(at.kind, _nearest(disc, at, end, last)[0]) * held[:, None]
    return Arrival(rolled.to(end), end, last, rest, (~moving).to(end), met), label


def _nearest(disc: Rolling, at: Tokens, point: Tensor, ahead: Tensor) -> tuple[Tensor, Tensor]:
    """The token nearest to a point (B, 2), among those whose centre a disc rolling in the direction `ahead` (B, 2) has not passed.

    Returns its index (B,), and the distance from the point to its near edge along `ahead` (B,).
    """
    _, along, half = disc.token_features(at, point, ahead, point.new_ones(()))
    far = (to_frame(at.xy - point[:, None], at.axis).abs() - at.half).clamp(min=0).norm(dim=-1)
    far = torch.where((disc.others(at) > 0.5) & (along > -NEAR), far, torch.inf)
    far[:, 0] += NEAR  # of two that are equally near, not the agent
    nearest = far.argmin(-1)
    return nearest, torch.gather(along - half, 1, nearest[:, None])[:, 0]


def _starts(disc: Rolling, state: Tensor, after: Tensor, launch: Tensor) -> tuple[Tensor, ...]:
    """How the disc starts the step, in transitions between states (N, d).

    Returns:
        Its position (N, 2) and direction (N, 2) at the start; undisturbed, the distance rolled in the step and until at rest,
        (N,) each; whether it rolls (N,); and the label (N,) of its launch.
    """
    slot, speed, then = disc.slot(state), disc.speed(state), disc.speed(after)
    rolling, begins = speed > SLOW, (speed <= SLOW) & (then > SLOW)
    guess = launch[:, 1:].argmax(-1)
    unclear = ~rolling & ~begins & disc.displaced(state, after)  # perhaps launched and stopped in the same step
    nearest = torch.where(disc.launches.known, (then[:, None] - disc.launches.codes[:, 3]).abs(), torch.inf).argmin(-1)
    which = torch.where(begins, nearest, guess)
    code = disc.launches.codes[which]
    label = torch.where(begins, 1 + nearest, 0)
    label = torch.where(rolling | unclear, IGNORED, label)
    from_start = begins | unclear
    at = tokens.tokens(disc.layout, state)
    left, _, reach = disc.free_motion(speed)
    left = torch.where(from_start, code[:, 2], left)
    reach = torch.where(from_start, left + disc.free_motion(code[:, 3])[2], reach)
    xy = torch.where(from_start[:, None], at.xy[:, disc.start], slot[:, 1:3])
    ahead = torch.where(from_start[:, None], code[:, :2], slot[:, 3:5] / speed.clamp(min=SLOW)[:, None])
    return xy, ahead, left, reach, rolling | from_start, label


@torch.no_grad()
def segments(disc: Rolling, state: Tensor, after: Tensor, launch: Tensor) -> Segments:
    """The straight path segments in transitions between states (N, d). What stops or deflects a disc in them is added to `meetings`.

    A path with one bend gives two segments, which meet where the two directions intersect. Paths with more bends are left out.
    """
    xy, ahead, _, reach, rolled, _ = _starts(disc, state, after, launch)
    end, then = disc.slot(after), disc.speed(after)
    way, moving = to_frame(end[:, 1:3] - xy, ahead), then > SLOW
    on = to_frame(end[:, 3:5], ahead) / then.clamp(min=SLOW)[:, None]  # the new direction, in the frame of the old one
    bent = way[:, 1].abs() > NEAR
    aside = torch.stack([torch.zeros_like(way[:, 1]), way[:, 1].sign()], -1)
    clear = torch.where(bent, ~moving | ((on - aside).abs().amax(-1) < 0.01), ~moving | (on[:, 0] > 0.99))
    clear = clear & rolled & (way[:, 0] > -NEAR) & disc.launches.known.any()
    short = ~moving & (way.abs().sum(-1) < reach - 2 * NEAR)
    rows = clear.nonzero()[:, 0]
    stop = torch.zeros_like(aside)
    first = (
        rows,
        xy[rows],
        ahead[rows],
        way[rows, 0],
        (bent | short)[rows],
        torch.where(bent[:, None], aside, stop)[rows],
    )
    rows = (clear & bent).nonzero()[:, 0]
    corner, onward = xy + way[:, :1] * ahead, from_frame(aside, ahead)
    second = (rows, corner[rows], onward[rows], way[rows, 1].abs(), short[rows], stop[rows])
    row, start, u, length, met, new = (torch.cat(both) for both in zip(first, second, strict=True))
    at = tokens.tokens(disc.layout, state[row])
    obstacle, edge = _nearest(disc, at, start + length[:, None] * u, u)
    kinds = torch.cat([-edge[:, None], new], -1)
    if met.any():
        disc.meetings.extend(torch.cat([kinds[met], kinds[met] * LEFT_RIGHT.to(kinds)]))
    which = 1 + disc.meetings.nearest(kinds)
    fits = disc.meetings.known.any() & ((disc.meetings.codes[which - 1] - kinds).abs().sum(-1) < ROUGH)
    label = torch.where(at.present > 0.5, 0, IGNORED)
    hit = torch.where(met, torch.where(fits, which, IGNORED), 0)
    label.scatter_(1, obstacle[:, None], hit[:, None])
    label[:, disc.token] = IGNORED
    return Segments(row, start, u, length, label)
