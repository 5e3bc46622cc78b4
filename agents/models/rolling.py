"""The part of a relational model that predicts rolling discs: what launches them, how they slow down, and what stops or deflects them.

A disc rolls straight until it meets something. Everything is learned from data: for each speed, how far a disc rolls in a step, and its
speed afterwards; the token from which it is launched, with which speed and in which direction; and for each token whether a disc that
rolls towards it passes, stops or is deflected, and where. `paths` reads the examples from transitions.

Lengths are in units of position, speeds in units of the observation. An entry of the table `meetings` is (distance behind the near edge
of the token, x and y of the new direction in the frame of the old one; 0, 0 for a stop).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unseen.agents.models import tokens
from unseen.agents.models.changes import IGNORED, NEVER, Changes, cross_entropy, distinct
from unseen.agents.models.tokens import FAR, Tokens, from_frame, half_turns, to_frame
from unseen.agents.shared.envs import Layout

LAUNCHES, MEETINGS, SPEEDS = 12, 12, 64  # maximum numbers of distinct ones
MOST_MEETINGS = 3  # of a disc in a step
SLOW = 1e-3  # a slower disc is at rest
NEAR = 0.005  # in units of position
ROUGH = 0.02  # a meeting lies within this distance of where its entry in the table puts it
MOST_CERTAIN = 1 - 1e-6  # largest probability, where its complement is needed
ACROSS, SINE = 1, 7  # indices of the features whose sign changes under reflection
LEFT_RIGHT = torch.tensor([1.0, 1.0, -1.0])


class Arrival(NamedTuple):
    """What a disc did in a step, for B states.

    Attributes:
        rolled: (B,) 1 if it was in motion.
        xy, ahead: (B, 2) its position and direction at the end.
        remaining: (B,) how much further it would roll if nothing stopped it.
        stopped: (B,) 1 if it is at rest at the end.
        met: (B, C) the `Tokens.kind` of what stopped it; 0 if nothing did.
    """

    rolled: Tensor
    xy: Tensor
    ahead: Tensor
    remaining: Tensor
    stopped: Tensor
    met: Tensor


class Segments(NamedTuple):
    """n straight path segments of a disc, and what each token did to it.

    Attributes:
        row: (n,) index of the state.
        xy, ahead: (n, 2) start and direction.
        length: (n,) how far the disc rolled.
        label: (n, S) 1 + index in `meetings` if the token stopped or deflected the disc at the end, 0 if it did not; IGNORED if that is
            unclear, for absent tokens and for the disc itself.
    """

    row: Tensor
    xy: Tensor
    ahead: Tensor
    length: Tensor
    label: Tensor


class Rolling(nn.Module):
    """Predicts how one disc rolls.

    Args:
        layout: of the slots.
        disc: index of the disc among the discs.
        message: size of the pooled message that the agent receives, and units of hidden layers.

    Attributes:
        moves: () bool, the disc has been seen to roll.
        start: () index of the token from which it is launched.
        speeds: (SPEEDS, 3) speed, distance rolled in a step, and speed afterwards, of an undisturbed disc.
        known: (SPEEDS,) bool, the row of `speeds` is in use.
        ranges: (SPEEDS,) distance rolled until it is at rest.
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
        """The disc's slot (B, width) in states (B, d)."""
        return tokens.discs(self.layout, state)[:, self.disc]

    def speed(self, state: Tensor) -> Tensor:
        """The disc's speed (B,) in states (B, d); 0 if it is not shown."""
        slot = self.slot(state)
        return slot[:, 3:5].norm(dim=-1) * slot[:, 0]

    def displaced(self, state: Tensor, after: Tensor) -> Tensor:
        """Whether the disc is shown in another position (B,) afterwards."""
        was, now = self.slot(state), self.slot(after)
        return (now[:, 0] > 0.5) & ((now - was)[:, 1:3].abs().amax(-1) > NEAR)

    def rolled(self, state: Tensor, after: Tensor) -> Tensor:
        """Whether the disc rolled (B,) in transitions between states (B, d)."""
        return (self.speed(state) > SLOW) | (self.speed(after) > SLOW) | self.displaced(state, after)

    # --- prediction ---

    def free_motion(self, speed: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Distance rolled in a step at a speed (B,), speed afterwards, and distance rolled until at rest, undisturbed; (B,) each."""
        at = torch.where(self.known, (speed[:, None] - self.speeds[:, 0]).abs(), torch.inf).argmin(-1)
        moving = (speed > SLOW).to(speed.dtype)
        return self.speeds[at, 1] * moving, self.speeds[at, 2] * moving, self.ranges[at] * moving

    def token_features(self, at: Tokens, xy: Tensor, ahead: Tensor, step: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Every token relative to a disc at xy (B, 2) that rolls in the direction `ahead` (B, 2); step: (), length of a step.

        Returns:
            Features (B, S, features); the distance to the token's centre and its half extent, (B, S) each, both along `ahead`.
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
        """Predict one step of the disc.

        Args:
            state: (B, d).
            at: its tokens.
            launch: (B, 1 + LAUNCHES) logits of `launch_logits`.
            step: (), length of a step.

        Returns:
            Its position (B, 2) and velocity (B, 2) afterwards, the log-probability (B,), and what it did.
        """
        slot, speed = self.slot(state), self.speed(state)
        rolling = speed > SLOW
        log_launch, launched = launch.log_softmax(-1).max(-1)
        code = self.launches.codes[(launched - 1).clamp(min=0)]
        begins = (launched > 0) & ~rolling
        left, then, reach = self.free_motion(speed)
        left = torch.where(begins, code[:, 2], left)
        then = torch.where(begins, code[:, 3], then)
        reach = torch.where(begins, left + self.free_motion(then)[2], reach)
        xy = torch.where(begins[:, None], at.xy[:, self.start], slot[:, 1:3])
        ahead = torch.where(begins[:, None], code[:, :2], slot[:, 3:5] / speed.clamp(min=SLOW)[:, None])
        log_prob = torch.where(rolling, 0.0, log_launch)
        goes = rolling | begins
        stopped, by = torch.zeros_like(goes), at.kind[:, 0] * 0
        for _ in range(MOST_MEETINGS):
            way, hits, which, meeting, log_met = self._first_meeting(at, xy, ahead, left, goes, step)
            log_prob = log_prob + log_met
            xy = xy + way[:, None] * ahead
            left, reach = left - way, reach - way
            new, stops = meeting[:, 1:], hits & _is_stop(meeting)
            stopped = stopped | stops
            by = torch.where(stops[:, None], at_token(at.kind, which), by)
            ahead = torch.where((hits & ~stops)[:, None], from_frame(new, ahead), ahead)
            goes = hits & ~stops
        rolled = rolling | begins
        then = torch.where(rolled & ~stopped, then, 0.0)
        velocity = ahead * then[:, None]
        xy = torch.where(rolled[:, None], xy, slot[:, 1:3])
        arrival = Arrival(rolled.to(xy), xy, ahead, reach, (then <= SLOW).to(xy), by)
        return xy, velocity, log_prob, arrival

    def _first_meeting(
        self, at: Tokens, xy: Tensor, ahead: Tensor, left: Tensor, goes: Tensor, step: Tensor
    ) -> tuple[Tensor, ...]:
        """The first thing that stops or deflects a disc which rolls straight on.

        Args:
            at: tokens.
            xy, ahead: (B, 2) position and direction.
            left: (B,) how far it rolls if it meets nothing.
            goes: (B,) whether it rolls at all.
            step: (), length of a step.

        Returns:
            How far it rolls (B,), whether it meets something (B,), the token that it meets (B,), the entry of `meetings` (B, 3), and the
            log-probability (B,) that it meets this and nothing before.
        """
        others = self.others(at) > 0.5
        seen, along, half = self.token_features(at, xy, ahead, step)
        log_p = self._masked(self.meets(seen)).log_softmax(-1)
        log_none, log_each = log_p[..., :1], log_p[..., 1:]  # (B, S, 1) and (B, S, MEETINGS)
        where, counts = self._places(along - half)
        log_none = torch.cat([log_none, torch.where(counts, NEVER, log_each)], -1).logsumexp(-1)
        log_met, met = torch.where(counts, log_each, NEVER).max(-1)
        distance = torch.gather(where, 2, met[..., None])[..., 0].clamp(min=0)
        distance, which = torch.where(others & (log_met > log_none), distance, torch.inf).min(-1)
        hits = goes & (distance < left)
        way = torch.where(hits, distance, left) * goes
        before = counts & (where < way[:, None, None] - NEAR)
        log_passed = torch.log1p(-torch.where(before, log_each.exp(), 0.0).sum(-1).clamp(max=MOST_CERTAIN))
        obstacle = (F.one_hot(which, at.present.shape[1]) > 0) & hits[:, None]
        log_prob = torch.where(obstacle, log_met, log_passed)
        log_prob = torch.where(others & goes[:, None], log_prob, 0.0).sum(-1)
        return way, hits, which, at_token(self.meetings.codes[met], which), log_prob

    def _places(self, edge: Tensor) -> tuple[Tensor, Tensor]:
        """Where each meeting with each token would be, and whether it counts; (B, S, MEETINGS) each.

        Those behind the disc do not count. A deflection must lie ahead, so that a token does not deflect a disc twice; a stop may lie
        slightly behind, since a disc may already touch what stops it.

        edge: (B, S) distance to the near edge of each token.
        """
        where = edge[..., None] + self.meetings.codes[:, 0]
        return where, where > torch.where(_is_stop(self.meetings.codes), -ROUGH, NEAR)

    def outcomes(self, arrival: Arrival, step: Tensor) -> Tensor:
        """What the disc's arrival adds to the logits (B, 2) of reward and termination."""
        own = torch.stack([arrival.remaining / step, arrival.stopped], -1)
        return self.outcome(torch.cat([own, arrival.met], -1)) * arrival.rolled[:, None]

    def others(self, at: Tokens) -> Tensor:
        """Which tokens other than the disc itself are present, (B, S), 1 or 0."""
        own = F.one_hot(at.present.new_full((), self.token, dtype=torch.long), at.present.shape[1])
        return at.present * (1 - own)

    def _masked(self, logits: Tensor) -> Tensor:
        return torch.cat([logits[..., :1], self.meetings.masked(logits[..., 1:])], -1)

    def launch_logits(self, heard: Tensor) -> Tensor:
        """Logits (B, 1 + LAUNCHES) of no launch and of each launch. heard: (B, message), the message that the agent receives."""
        out = self.launch(heard)
        return torch.cat([out[:, :1], self.launches.masked(out[:, 1:])], -1)

    # --- learning ---

    @torch.no_grad()
    def discover(self, state: Tensor, after: Tensor) -> None:
        """Find how the disc rolls undisturbed, where it is launched, and its launches, in transitions between states (N, d)."""
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
        """For each speed, keep the longest distance rolled in a step: nothing stopped the disc then."""
        apart = self.slot(after)[:, 1:3] - self.slot(state)[:, 1:3]
        ahead = self.slot(state)[:, 3:5] / speed.clamp(min=SLOW)[:, None]
        straight = (speed > SLOW) & (to_frame(apart, ahead)[:, 1].abs() < NEAR)
        rows = straight.nonzero()[:, 0]
        found, which = torch.unique((speed[rows] * 1000).round(), return_inverse=True)
        self.known.fill_(False)
        for k in range(min(len(found), SPEEDS)):
            ours = rows[which == k]
            far = ours[apart[ours].norm(dim=-1).argmax()]
            self.speeds[k] = torch.stack([speed[far], apart[far].norm(), then[far]])
            self.known[k] = True
        for k in range(min(len(found), SPEEDS)):  # slow ones first
            self.ranges[k] = self.speeds[k, 1] + self.free_motion(self.speeds[k : k + 1, 2])[2][0]

    def losses(self, state: Tensor, segments: Segments, step: Tensor) -> Tensor:
        """Loss of predicting what tokens do to a disc, on the segments and their mirror images. state: (n, d), at the start of each.

        For tokens that stopped or deflected it, this is the cross-entropy. For each other token some meetings are refuted: those that
        would have happened on the way, and all ahead if its centre has been passed, since a token behind is never taken for what stopped
        a disc. Its loss is minus the logarithm of the probability of the rest. Otherwise, a token that is never met where discs have
        rolled would stay untrained there, and could be imagined to stop them.
        """
        seen, along, half = self.token_features(tokens.tokens(self.layout, state), segments.xy, segments.ahead, step)
        other = torch.ones_like(seen[0, 0])
        other[[ACROSS, SINE]] = -1
        codes = self.meetings.codes[(segments.label - 1).clamp(min=0)] * LEFT_RIGHT.to(seen)
        mirrored_label = 1 + self.meetings.nearest(codes.flatten(0, 1)).view_as(segments.label)
        label = torch.cat([segments.label, torch.where(segments.label > 0, mirrored_label, segments.label)])
        logits = self._masked(self.meets(torch.cat([seen, seen * other])))
        where, counts = self._places(along - half)  # the same in the mirror
        end = segments.length[:, None]
        passed = ((along < end - NEAR)[..., None]) | (where < end[..., None] - ROUGH)
        refuted = passed & counts & self.meetings.known
        refuted = F.pad(refuted, (1, 0)).repeat(2, 1, 1)
        tells = (label == 0) & refuted.any(-1)
        log_rest = torch.where(refuted, NEVER, logits).logsumexp(-1) - logits.logsumexp(-1)
        hit = torch.where(label > 0, label, IGNORED).flatten()
        return cross_entropy(logits.flatten(0, 1), hit) - (log_rest * tells).sum() / tells.sum().clamp(min=1)


def _is_stop(kinds: Tensor) -> Tensor:
    """Whether meetings (..., 3), entries of the table, stop a disc."""
    return kinds[..., 1:].abs().sum(-1) < 0.5


def at_token(values: Tensor, which: Tensor) -> Tensor:
    """The values (B, k) of the tokens `which` (B,), of values (B, S, k)."""
    return torch.gather(values, 1, which[:, None, None].expand(-1, 1, values.shape[-1]))[:, 0]
