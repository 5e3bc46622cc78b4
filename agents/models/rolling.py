"""Rolling discs in a relational model: what sets them in motion, how they slow down, and what stops or turns them.

A disc rolls straight until it meets something. All numbers come from the data: how far it gets in a step and what speed it has
then, with how much speed, in which direction and from which thing it starts, and, for each token, whether a disc that comes that
way passes it, or stops, or leaves in another direction, and where. What stops or turns a disc is the nearest to that point,
of all whose middle it has not passed.

Lengths are in units of position, speeds in units of the observation. The kinds of `meetings` are (how far behind the near edge of
the token, x and y of the new direction seen in the old one; 0, 0 for a stop).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unseen.agents.models import tokens
from unseen.agents.models.changes import IGNORED, Changes, distinct
from unseen.agents.models.tokens import FAR, Tokens, half_turns, turned, turned_back
from unseen.agents.shared.envs import Layout

LAUNCHES, MEETINGS, SPEEDS = 12, 12, 64  # maximum numbers of distinct ones
MOST_MEETINGS = 3  # of a disc in a step
SLOW = 1e-3  # a disc that is slower rests
NEAR = 0.005  # in units of position
ACROSS, SINE = 1, 7  # features that change their sign in a mirror
_LEFT_RIGHT = torch.tensor([1.0, 1.0, -1.0])


class Arrival(NamedTuple):
    """How a disc went in a step, for B states.

    Attributes:
        rolled: (B,) 1 if it was in motion.
        xy, ahead: (B, 2) where it got and in which direction.
        rest: (B,) how far it could have rolled on, if nothing had stopped it.
        stopped: (B,) 1 if it has come to rest.
        met: (B, C) the `Tokens.kind` of what stopped it; 0 if nothing did.
    """

    rolled: Tensor
    xy: Tensor
    ahead: Tensor
    rest: Tensor
    stopped: Tensor
    met: Tensor


class Meetings(NamedTuple):
    """Straight ways of a disc, n of them, and what came at their ends.

    Attributes:
        row: (n,) index of the state.
        xy, ahead: (n, 2) start and direction.
        label: (n, S) for every token: 0 if it was passed, 1 + the kind of meeting, or IGNORED.
    """

    row: Tensor
    xy: Tensor
    ahead: Tensor
    label: Tensor


class Rolling(nn.Module):
    """The rolling of one disc, with index `disc` among the discs.

    Attributes:
        moves: bool, it has been seen to roll.
        start: index of the token from which it starts.
        speeds: (SPEEDS, 3) speed, how far it gets in a step, and its speed then; `ranges`: how far until it rests.
    """

    moves: Tensor
    start: Tensor
    speeds: Tensor
    known: Tensor
    ranges: Tensor

    def __init__(self, layout: Layout, disc: int, message: int) -> None:
        super().__init__()
        self.layout, self.disc = layout, disc
        self.token = 1 + layout.sizes.box_slots + disc
        self.launches = Changes(LAUNCHES, 4)  # direction, length of the first step, speed after it
        self.meetings = Changes(MEETINGS, 3)
        seen = 10 + tokens.kinds(layout)
        self.meets = nn.Sequential(
            nn.Linear(seen, message),
            nn.ReLU(),
            nn.Linear(message, message),
            nn.ReLU(),
            nn.Linear(message, 1 + MEETINGS),
        )
        self.launch = nn.Linear(message, 1 + LAUNCHES)
        self.outcome = nn.Sequential(nn.Linear(2 + tokens.kinds(layout), message), nn.ReLU(), nn.Linear(message, 2))
        self.register_buffer("moves", torch.zeros((), dtype=torch.bool))
        self.register_buffer("start", torch.zeros((), dtype=torch.long))
        self.register_buffer("speeds", torch.zeros(SPEEDS, 3))
        self.register_buffer("known", torch.zeros(SPEEDS, dtype=torch.bool))
        self.register_buffer("ranges", torch.zeros(SPEEDS))

    def slot(self, state: Tensor) -> Tensor:
        """Its slot (B, width) in states (B, d)."""
        return tokens.discs(self.layout, state)[:, self.disc]

    def speed(self, state: Tensor) -> Tensor:
        """Its speed (B,); 0 if it is not shown."""
        slot = self.slot(state)
        return slot[:, 3:5].norm(dim=-1) * slot[:, 0]

    def displaced(self, state: Tensor, after: Tensor) -> Tensor:
        """Whether it is shown elsewhere (B,)."""
        was, now = self.slot(state), self.slot(after)
        return (now[:, 0] > 0.5) & ((now - was)[:, 1:3].abs().amax(-1) > NEAR)

    def rolled(self, state: Tensor, after: Tensor) -> Tensor:
        """Whether it rolled in transitions (B,)."""
        return (self.speed(state) > SLOW) | (self.speed(after) > SLOW) | self.displaced(state, after)

    # --- prediction ---

    def freely(self, speed: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """How far a disc with a speed (B,) gets in a step, its speed then, and how far it gets until it rests."""
        at = torch.where(self.known, (speed[:, None] - self.speeds[:, 0]).abs(), torch.inf).argmin(-1)
        moving = (speed > SLOW).to(speed.dtype)
        return self.speeds[at, 1] * moving, self.speeds[at, 2] * moving, self.ranges[at] * moving

    def seen(self, at: Tokens, xy: Tensor, ahead: Tensor, step: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Every token, for the disc in xy (B, 2) that rolls ahead (B, 2).

        Returns features (B, S, features), how far ahead its middle is, and its half length that way, (B, S) each.
        """
        (x, y), (u, v) = (at.xy - xy[:, None]).unbind(-1), ahead[:, None].unbind(-1)
        (a, b), (long, wide) = at.axis.unbind(-1), at.half.unbind(-1)
        along, across = x * u + y * v, y * u - x * v
        cos, sin = a * u + b * v, b * u - a * v
        half, side = cos.abs() * long + sin.abs() * wide, sin.abs() * long + cos.abs() * wide
        far = torch.stack([along, across, half, side, across.abs() - side, along - half], -1) / step
        return torch.cat([far.clamp(-FAR, FAR), half_turns(cos, sin), at.half / step, at.kind], -1), along, half

    def predict(
        self, state: Tensor, at: Tokens, launch: Tensor, step: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Arrival]:
        """One step of the disc, for logits (B, 1 + LAUNCHES) of what sets it in motion.

        Returns its place (B, 2), its velocity (B, 2), the log-probability (B,), and how it went.
        """
        slot, speed = self.slot(state), self.speed(state)
        rolling = speed > SLOW
        log_launch, launched = launch.log_softmax(-1).max(-1)
        code = self.launches.codes[(launched - 1).clamp(min=0)]
        begins = (launched > 0) & ~rolling
        left, then, reach = self.freely(speed)
        left = torch.where(begins, code[:, 2], left)
        then = torch.where(begins, code[:, 3], then)
        reach = torch.where(begins, left + self.freely(then)[2], reach)
        xy = torch.where(begins[:, None], at.xy[:, self.start], slot[:, 1:3])
        ahead = torch.where(begins[:, None], code[:, :2], slot[:, 3:5] / speed.clamp(min=SLOW)[:, None])
        log_prob = torch.where(rolling, 0.0, log_launch)
        goes = rolling | begins
        others = self._others(at) > 0.5
        stopped, by = torch.zeros_like(goes), at.kind[:, 0] * 0
        for _ in range(MOST_MEETINGS):
            seen, along, half = self.seen(at, xy, ahead, step)
            log_met, met = self._masked(self.meets(seen)).log_softmax(-1).max(-1)  # (B, S)
            kind = self.meetings.codes[(met - 1).clamp(min=0)]  # (B, S, 3)
            where = along - half + kind[..., 0]
            on = others & (met > 0) & (where > NEAR)
            distance, which = torch.where(on, where, torch.inf).min(-1)
            hits = goes & (distance < left)
            way = torch.where(hits, distance, left) * goes
            near = others & (along + half > 0) & (along - half < way[:, None]) & goes[:, None]
            log_prob = log_prob + torch.where(near, log_met, 0.0).sum(-1)
            xy = xy + way[:, None] * ahead
            left, reach = left - way, reach - way
            new = _of(kind, which)[:, 1:]
            stops = hits & (new.abs().sum(-1) < 0.5)
            stopped = stopped | stops
            by = torch.where(stops[:, None], _of(at.kind, which), by)
            ahead = torch.where((hits & ~stops)[:, None], turned_back(new, ahead), ahead)
            goes = hits & ~stops
        rolled = rolling | begins
        then = torch.where(rolled & ~stopped, then, 0.0)
        velocity = ahead * then[:, None]
        xy = torch.where(rolled[:, None], xy, slot[:, 1:3])
        arrival = Arrival(rolled.to(xy), xy, ahead, reach, (then <= SLOW).to(xy), by)
        return xy, velocity, log_prob, arrival

    def outcomes(self, arrival: Arrival, step: Tensor) -> Tensor:
        """What its arrival adds to the logits (B, 2) of reward and end."""
        own = torch.stack([arrival.rest / step, arrival.stopped], -1)
        return self.outcome(torch.cat([own, arrival.met], -1)) * arrival.rolled[:, None]

    def _others(self, at: Tokens) -> Tensor:
        """Which tokens are present besides the disc itself, (B, S)."""
        own = F.one_hot(at.present.new_full((), self.token, dtype=torch.long), at.present.shape[1])
        return at.present * (1 - own)

    def _masked(self, logits: Tensor) -> Tensor:
        return torch.cat([logits[..., :1], self.meetings.masked(logits[..., 1:])], -1)

    def launch_logits(self, heard: Tensor) -> Tensor:
        """Logits (B, 1 + LAUNCHES) of what sets it in motion: nothing, or a launch."""
        out = self.launch(heard)
        return torch.cat([out[:, :1], self.launches.masked(out[:, 1:])], -1)

    # --- learning ---

    @torch.no_grad()
    def look(self, state: Tensor, after: Tensor) -> None:
        """Find how it rolls freely, from where, and with which launches, in transitions (N, d)."""
        speed, then = self.speed(state), self.speed(after)
        self.moves |= (then > SLOW).any()
        if not self.moves:
            return
        self._find_speeds(state, after, speed, then)
        rows = ((speed <= SLOW) & (then > SLOW)).nonzero()[:, 0]
        if len(rows):
            at = tokens.tokens(self.layout, state[rows])
            end, velocity = self.slot(after[rows])[:, 1:3], self.slot(after[rows])[:, 3:5]
            apart = end[:, None] - at.xy  # (n, S, 2)
            usable = (at.present > 0.5).float().mean(0) > 0.99
            counts = [len(distinct(apart[:, k])[0]) if usable[k] else len(rows) + 1 for k in range(apart.shape[1] - 4)]
            self.start.fill_(min(range(len(counts)), key=counts.__getitem__))
            way = apart[:, self.start]
            length, ahead = way.norm(dim=-1), velocity / velocity.norm(dim=-1, keepdim=True)
            straight = (way - length[:, None] * ahead).abs().amax(-1) < NEAR
            self.launches.extend(torch.cat([ahead, length[:, None], then[rows][:, None]], -1)[straight])

    def _find_speeds(self, state: Tensor, after: Tensor, speed: Tensor, then: Tensor) -> None:
        """For each speed, the farthest way in a step: nothing stopped it."""
        apart = self.slot(after)[:, 1:3] - self.slot(state)[:, 1:3]
        ahead = self.slot(state)[:, 3:5] / speed.clamp(min=SLOW)[:, None]
        straight = (speed > SLOW) & (turned(apart, ahead)[:, 1].abs() < NEAR)
        rows = straight.nonzero()[:, 0]
        found, which = torch.unique((speed[rows] * 1000).round(), return_inverse=True)
        self.known.fill_(False)
        for k in range(min(len(found), SPEEDS)):
            ours = rows[which == k]
            far = ours[apart[ours].norm(dim=-1).argmax()]
            self.speeds[k] = torch.stack([speed[far], apart[far].norm(), then[far]])
            self.known[k] = True
        for k in range(min(len(found), SPEEDS)):  # slow ones first
            self.ranges[k] = self.speeds[k, 1] + self.freely(self.speeds[k : k + 1, 2])[2][0]

    @torch.no_grad()
    def went(self, state: Tensor, after: Tensor, launch: Tensor) -> tuple[Arrival, Tensor]:
        """How it went in transitions (N, d), and the label (N,) of its launch; launch: (N, 1 + LAUNCHES) logits."""
        xy, ahead, left, reach, rolled, label = self._starts(state, after, launch)
        end, then = self.slot(after)[:, 1:3], self.speed(after)
        way = turned(end - xy, ahead)
        aside = torch.stack([torch.zeros_like(way[:, 1]), way[:, 1].sign()], -1)
        bent = way[:, 1].abs() > NEAR
        last = torch.where(bent[:, None], turned_back(aside, ahead), ahead)
        moving = then > SLOW
        last = torch.where(moving[:, None], self.slot(after)[:, 3:5] / then.clamp(min=SLOW)[:, None], last)
        rest = torch.where(moving, self.freely(then)[2], (reach - way.abs().sum(-1)).clamp(min=0))
        at = tokens.tokens(self.layout, state)
        held = rolled & ~moving & (rest > 2 * NEAR)
        met = _of(at.kind, self._nearest(at, end, last)[0]) * held[:, None]
        return Arrival(rolled.to(end), end, last, rest, (~moving).to(end), met), label

    def _nearest(self, at: Tokens, point: Tensor, ahead: Tensor) -> tuple[Tensor, Tensor]:
        """Index (B,) of the token nearest to a point (B, 2) of those whose middle a disc that rolls ahead has not passed there, and
        how far the near edge of that is (B,)."""
        _, along, half = self.seen(at, point, ahead, point.new_ones(()))
        far = (turned(at.xy - point[:, None], at.axis).abs() - at.half).clamp(min=0).norm(dim=-1)
        far = torch.where((self._others(at) > 0.5) & (along > -NEAR), far, torch.inf)
        far[:, 0] += NEAR  # of two that are equally near, not the agent
        nearest = far.argmin(-1)
        return nearest, torch.gather(along - half, 1, nearest[:, None])[:, 0]

    def _starts(self, state: Tensor, after: Tensor, launch: Tensor) -> tuple[Tensor, ...]:
        """Where (N, 2) it was at the start of a step, its direction (N, 2), how far it would get in the step and until it rests,
        whether it was in motion, and the label of its launch."""
        slot, speed, then = self.slot(state), self.speed(state), self.speed(after)
        rolling, begins = speed > SLOW, (speed <= SLOW) & (then > SLOW)
        guess = launch[:, 1:].argmax(-1)
        unclear = ~rolling & ~begins & self.displaced(state, after)  # perhaps stopped in its first step
        nearest = torch.where(self.launches.known, (then[:, None] - self.launches.codes[:, 3]).abs(), torch.inf).argmin(
            -1
        )
        which = torch.where(begins, nearest, guess)
        code = self.launches.codes[which]
        label = torch.where(begins, 1 + nearest, 0)
        label = torch.where(rolling | unclear, IGNORED, label)
        from_start = begins | unclear
        at = tokens.tokens(self.layout, state)
        left, next_, reach = self.freely(speed)
        left = torch.where(from_start, code[:, 2], left)
        reach = torch.where(from_start, left + self.freely(code[:, 3])[2], reach)
        xy = torch.where(from_start[:, None], at.xy[:, self.start], slot[:, 1:3])
        ahead = torch.where(from_start[:, None], code[:, :2], slot[:, 3:5] / speed.clamp(min=SLOW)[:, None])
        return xy, ahead, left, reach, rolling | from_start, label

    @torch.no_grad()
    def examples(self, state: Tensor, after: Tensor, launch: Tensor) -> Meetings:
        """The straight ways in transitions (N, d), and kinds of meetings among them, which are added to those known.

        A way with one bend has its corner where both directions meet; ways with more bends in a step are left out.
        """
        xy, ahead, left, _, rolled, _ = self._starts(state, after, launch)
        end, then = self.slot(after), self.speed(after)
        way, moving = turned(end[:, 1:3] - xy, ahead), then > SLOW
        on = turned(end[:, 3:5], ahead) / then.clamp(min=SLOW)[:, None]  # the new direction, seen in the old one
        bent = way[:, 1].abs() > NEAR
        aside = torch.stack([torch.zeros_like(way[:, 1]), way[:, 1].sign()], -1)
        clear = torch.where(bent, ~moving | ((on - aside).abs().amax(-1) < 0.01), ~moving | (on[:, 0] > 0.99))
        clear = clear & rolled & (way[:, 0] > -NEAR) & self.launches.known.any()
        short = ~moving & (way.abs().sum(-1) < left - 2 * NEAR)
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
        corner, onward = xy + way[:, :1] * ahead, turned_back(aside, ahead)
        second = (rows, corner[rows], onward[rows], way[rows, 1].abs(), short[rows], stop[rows])
        row, start, u, length, met, new = (torch.cat(both) for both in zip(first, second, strict=True))
        at = tokens.tokens(self.layout, state[row])
        culprit, edge = self._nearest(at, start + length[:, None] * u, u)
        kinds = torch.cat([-edge[:, None], new], -1)
        if met.any():
            self.meetings.extend(torch.cat([kinds[met], kinds[met] * _LEFT_RIGHT.to(kinds)]))
        along = self.seen(at, start, u, left.new_ones(()))[1]
        passed = (along < length[:, None] - NEAR) & (at.present > 0.5)
        label = torch.where(passed, 0, IGNORED)
        known = met & self.meetings.known.any()
        which = 1 + self.meetings.nearest(kinds)
        fits = (self.meetings.codes[which - 1] - kinds).abs().sum(-1) < 4 * NEAR
        hit = torch.where(
            known & fits, which, torch.where(met, IGNORED, torch.gather(label, 1, culprit[:, None])[:, 0])
        )
        label.scatter_(1, culprit[:, None], hit[:, None])
        label[:, self.token] = IGNORED
        return Meetings(row, start, u, label)

    def losses(self, state: Tensor, ways: Meetings, step: Tensor) -> Tensor:
        """Cross-entropy of what tokens do to a disc; state: (n, d) those of the ways. What holds on the left holds on the right."""
        seen = self.seen(tokens.tokens(self.layout, state), ways.xy, ways.ahead, step)[0]
        other = torch.ones_like(seen[0, 0])
        other[[ACROSS, SINE]] = -1
        codes = self.meetings.codes[(ways.label - 1).clamp(min=0)] * _LEFT_RIGHT.to(seen)
        turned_label = 1 + self.meetings.nearest(codes.flatten(0, 1)).view_as(ways.label)
        label = torch.cat([ways.label, torch.where(ways.label > 0, turned_label, ways.label)])
        logits = self._masked(self.meets(torch.cat([seen, seen * other])))
        hit, passed = (torch.where(chosen, label, IGNORED).flatten() for chosen in (label > 0, label == 0))
        return (
            sum(
                F.cross_entropy(logits.flatten(0, 1), wanted, ignore_index=IGNORED)
                for wanted in (hit, passed)
                if (wanted != IGNORED).any()
            )
            + logits.sum() * 0
        )


def _of(values: Tensor, which: Tensor) -> Tensor:
    """Of values (B, S, k) those (B, k) of the tokens `which` (B,)."""
    return torch.gather(values, 1, which[:, None, None].expand(-1, 1, values.shape[-1]))[:, 0]
