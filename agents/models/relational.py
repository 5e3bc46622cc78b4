"""A relational world model of entity slots, exact over long roll-outs.

Its latent is an observation in which the slots of things out of view keep their last seen contents. Agent, boxes, discs and the room's
four walls are tokens. Every token that can move receives a message from each other token about its relative position, max-pooled over
the senders (Battaglia et al. 2016, interaction networks; max-pooling as in PointNet, Qi et al. 2017).

An action is described by its step: the displacement that it makes most often. All geometry is relative to the direction of this step, so
that what is learned for one direction holds for all, and all actions that make a step share weights. Displacements are predicted as a
class, one of those found in the data, so that errors do not accumulate. Where there are too many for that, as when an agent slides along
things, similar ones share a class, and the residual is predicted by regression. Reward and termination are predicted from the state
reached. `building` models boxes that appear, disappear or turn, and `rolling` discs that roll; they cost nothing if the data has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unseen.agents.models import paths, tokens
from unseen.agents.models.building import HERE, Building
from unseen.agents.models.changes import NEAR_IF_MANY, Changes, cross_entropy, distinct
from unseen.agents.models.rolling import SLOW, Arrival, Rolling, Segments
from unseen.agents.models.tokens import GEOMETRY, Tokens, from_frame, to_frame
from unseen.agents.models.visits import CELLS, Visits
from unseen.agents.protocol import WorldModel
from unseen.agents.shared.envs import Layout

AGENT_CODES, BOX_CODES = 64, 24  # maximum numbers of distinct changes
STILL = 1e-5  # an agent whose pose changes by less stands still
MOVED = 0.01  # half rooms: smaller displacements do not count as motion
USUAL = 0.05  # an action that moves the agent in a smaller fraction of transitions makes no step
HEADING_RESOLUTION = 0.385  # of cos and sin: half a turn of 45 degrees
COARSE = 0.83  # resolution of positions, in steps: two positions one step apart never share a cell


class Logits(NamedTuple):
    """Predictions for one step from B states.

    Attributes:
        agent: (B, AGENT_CODES) over changes of the agent.
        residual: (B, 2) of its displacement, to be added to that of its class.
        boxes: (B, M, BOX_CODES) over displacements of the boxes that can move.
        built: (B, k, 1 + KINDS) over contents, see `Building`.
        launches: (B, 1 + LAUNCHES) for each disc that rolls, see `Rolling`.
    """

    agent: Tensor
    residual: Tensor
    boxes: Tensor
    built: Tensor
    launches: tuple[Tensor, ...]


class Parts(NamedTuple):
    """What changes in the data besides the agent.

    Attributes:
        moving: (M,) indices of boxes that move.
        built: (k,) indices of boxes that appear, disappear or turn.
        rolling: indices of discs that roll.
    """

    moving: Tensor
    built: Tensor
    rolling: tuple[int, ...]


class RelationalModel(nn.Module, WorldModel):
    """The model, for discrete actions, and for slots in the room's frame that each always show the same object.

    Call `discover` with data before the first use. Noise is not used: the most likely next state is imagined.

    Args:
        layout: of the slots.
        actions: number of actions.
        message: size of a message.
        hidden: units of hidden layers.
    """

    rolling: Sequence[Rolling]
    turns: Tensor
    steps: Tensor
    step: Tensor
    movable: Tensor
    resolution: Tensor
    idle: Tensor

    def __init__(self, layout: Layout, actions: int, message: int, hidden: int) -> None:
        super().__init__()
        self.layout, self.actions, self.size = layout, actions, layout.size
        sizes = layout.sizes
        self.features = GEOMETRY + tokens.kinds(layout) + 2 + sizes.signals + 1
        self.agent_changes = Changes(AGENT_CODES, 4 + sizes.signals)  # x, y, cos, sin, signals
        self.box_changes = Changes(BOX_CODES, 2)
        # First layers: index 0 for all actions that make a step, 1 + action for each action that makes none.
        self.box_in = nn.Parameter(torch.randn(1 + actions, self.features, message) * self.features**-0.5)
        self.agent_in = nn.Parameter(torch.randn(1 + actions, self.features, message) * self.features**-0.5)
        self.box_message, self.agent_message = nn.Linear(message, message), nn.Linear(message, message)
        self.box_hidden, self.box_out = nn.Linear(message, hidden), nn.Linear(hidden, BOX_CODES)
        self.told, self.box_told = nn.Linear(hidden, message, bias=False), nn.Linear(message, hidden, bias=False)
        self.agent_out = nn.Sequential(nn.Linear(message, hidden), nn.ReLU(), nn.Linear(hidden, AGENT_CODES + 2))
        self.outcome_message = nn.Sequential(
            nn.Linear(self.features, message), nn.ReLU(), nn.Linear(message, message), nn.ReLU()
        )
        self.outcome = nn.Linear(message, 2)
        width = layout.boxes[2]
        self.building = Building(sizes.box_slots, width, bool(sizes.box_shape), self.features, message, hidden)
        self.rolling = nn.ModuleList(Rolling(layout, k, message) for k in range(sizes.disc_slots))  # type: ignore[assignment]
        self.register_buffer("turns", torch.zeros((), dtype=torch.bool))  # steps are in the agent's frame
        self.register_buffer(
            "steps", torch.zeros(actions, 2)
        )  # the usual displacement; 0 for actions that make no step
        self.register_buffer("step", torch.ones(()))  # the length of a step
        self.register_buffer("movable", torch.zeros(sizes.box_slots, dtype=torch.bool))
        self.register_buffer("resolution", torch.ones(self._places))
        self.register_buffer("idle", torch.zeros((), dtype=torch.bool))  # actions have no effect while a disc rolls
        self.visits = Visits(layout)

    @property
    def _places(self) -> int:
        """Size k of `places`: pose, positions of boxes and discs, signals."""
        sizes = self.layout.sizes
        return 4 + sizes.signals + 2 * (sizes.box_slots + sizes.disc_slots)

    def boxes(self, state: Tensor) -> Tensor:
        """Box slots (..., n, width) of states (..., d)."""
        return tokens.boxes(self.layout, state)

    def discs(self, state: Tensor) -> Tensor:
        """Disc slots (..., n, width) of states (..., d)."""
        return tokens.discs(self.layout, state)

    # --- prediction ---

    def ahead(self, state: Tensor, action: Tensor) -> Tensor:
        """Unit vectors (B, 2) of the steps of one-hot actions (B, A); the agent's heading for actions that make no step."""
        heading, step = state[:, 2:4], action @ self.steps
        length = step.norm(dim=-1, keepdim=True)
        direction = step / length.clamp(min=1e-6)
        direction = torch.where(self.turns, from_frame(direction, heading), direction)
        return torch.where(length > 0, direction, heading)

    def pairs(self, state: Tensor, at: Tokens, receivers: Tensor, ahead: Tensor) -> Tensor:
        """Features (B, R, S, features) of all S tokens relative to each receiver, 0 for absent tokens.

        Args:
            state: (B, d).
            at: its tokens.
            receivers: (R,) indices of tokens.
            ahead: (B, 2) direction of the step.
        """
        lie = tokens.geometry(at, receivers, ahead, self.step)
        own = torch.cat([to_frame(state[:, 2:4], ahead), self._signals(state), torch.ones_like(ahead[:, :1])], -1)
        kind = torch.cat([at.kind, own[:, None].expand(-1, at.kind.shape[1], -1)], -1)
        features = torch.cat([lie, kind[:, None].expand(*lie.shape[:3], -1)], -1)
        return features * at.present[:, None, :, None]  # absent tokens send the same message to all receivers

    def _signals(self, state: Tensor) -> Tensor:
        """Signals in units of their smallest change."""
        return state[:, self.layout.signals] / self.resolution[self._places - self.layout.sizes.signals :]

    def parts(self) -> Parts:
        """What changes in the data that `discover` was given."""
        rolling = tuple(k for k, disc in enumerate(self.rolling) if disc.moves)
        return Parts(self.movable.nonzero()[:, 0], self.building.slots.nonzero()[:, 0], rolling)

    def logits(self, state: Tensor, action: Tensor, at: Tokens, parts: Parts) -> Logits:
        """Predictions for states (B, d), their tokens `at`, and one-hot actions (B, A)."""
        movable = parts.moving
        index = action.argmax(-1)
        index = torch.where((self.steps[index] != 0).any(-1), 0, 1 + index)
        receivers = torch.cat([torch.zeros_like(movable[:1]), 1 + movable]) if len(movable) else movable.new_zeros(1)
        pairs = self.pairs(state, at, receivers, self.ahead(state, action))
        first = torch.matmul(pairs[:, 0], self.agent_in[index])  # (B, S, message)
        found = boxes = state.new_zeros(state.shape[0], 0, BOX_CODES)
        if len(movable):
            message = torch.matmul(pairs[:, 1:], self.box_in[index][:, None]).relu_()
            heard = self.box_message(message).relu_().amax(2)
            found = F.relu(self.box_hidden(heard))  # (B, M, hidden)
            senders = F.one_hot(1 + movable, pairs.shape[2]).to(state.dtype)  # (M, S)
            first = first + torch.matmul(senders.T, self.told(found))
        heard = self.agent_message(first.relu_()).relu_().amax(1)
        if len(movable):
            boxes = self.box_changes.masked(self.box_out(F.relu(found + self.box_told(heard)[:, None])))
        out = self.agent_out(heard)
        rest = torch.where(self.agent_changes.rough, NEAR_IF_MANY * out[:, AGENT_CODES:].tanh(), 0.0)
        built = state.new_zeros(state.shape[0], 0, 1)
        if len(parts.built):
            seen = pairs[:, 0, 1 : 1 + self.layout.sizes.box_slots]
            built = self.building.logits(self.boxes(state), seen, heard, parts.built)
        launches = tuple(self.rolling[k].launch_logits(heard) for k in parts.rolling)
        return Logits(self.agent_changes.masked(out[:, :AGENT_CODES]), rest, boxes, built, launches)

    def predict(self, state: Tensor, action: Tensor) -> tuple[Tensor, Tensor]:
        """The most likely next states (B, d) and their log-probabilities (B,), for one-hot actions (B, A)."""
        return self.imagined(state, action, self.parts())[:2]

    def imagined(self, state: Tensor, action: Tensor, parts: Parts) -> tuple[Tensor, Tensor, tuple[Arrival, ...]]:
        """What `predict` returns, and what each disc that rolls did."""
        layout, movable = self.layout, parts.moving
        at = tokens.tokens(layout, state)
        guess = self.logits(state, action, at, parts)
        log_prob = guess.agent.log_softmax(-1).amax(-1)
        change, ahead = self.agent_changes.codes[guess.agent.argmax(-1)], self.ahead(state, action)
        xy = state[:, :2] + from_frame(change[:, :2] + guess.residual, ahead)
        slots = self.boxes(state)
        if len(movable):
            log_prob = log_prob + guess.boxes.log_softmax(-1).amax(-1).sum(-1)
            places = F.one_hot(movable, slots.shape[1]).to(state.dtype)  # (M, n)
            moved = from_frame(self.box_changes.codes[guess.boxes.argmax(-1)], ahead[:, None])
            moved = torch.matmul(places.T, moved) * slots[..., :1]
            slots = torch.cat([slots[..., :1], slots[..., 1:3] + moved, slots[..., 3:]], -1)
        if len(parts.built):
            slots, log_built = self.building.build(slots, xy, guess.built, parts.built)
            log_prob = log_prob + log_built
        discs, arrivals = list(self.discs(state).unbind(1)), []
        for k, launch in zip(parts.rolling, guess.launches, strict=True):
            where, velocity, log_rolled, arrival = self.rolling[k].predict(state, at, launch, self.step)
            discs[k] = torch.cat([discs[k][:, :1], where, velocity, discs[k][:, 5:]], -1)
            log_prob = log_prob + log_rolled
            arrivals.append(arrival)
        after = [
            xy,
            from_frame(change[:, 2:4], ahead),
            state[:, 4 : layout.signals.start],
            state[:, layout.signals] + change[:, 4:],
            slots.flatten(1),
            *discs,
        ]
        return torch.cat(after, -1), log_prob, tuple(arrivals)

    def outcomes(
        self, state: Tensor, at: Tokens | None = None, arrivals: tuple[Arrival, ...] = (), parts: Parts | None = None
    ) -> Tensor:
        """Logits (B, 2) of reward and termination in the states reached (B, d).

        at: their tokens, if known; arrivals: what each disc in `parts.rolling` did in the step.
        """
        at = tokens.tokens(self.layout, state) if at is None else at
        agent = torch.zeros(1, dtype=torch.long, device=state.device)
        pairs = self.pairs(state, at, agent, state[:, 2:4])
        logits = self.outcome(self.outcome_message(pairs[:, 0]).amax(1))
        for k, arrival in zip(parts.rolling if parts else (), arrivals, strict=True):
            logits = logits + self.rolling[k].outcomes(arrival, self.step)
        return logits

    def places(self, state: Tensor) -> Tensor:
        """`Transition.place` (B, k) of states (B, d). Where steps are in the room's frame, the heading does not count."""
        heading = torch.where(self.turns, state[:, 2:4], 0.0)
        parts = [state[:, :2], heading, self.boxes(state)[..., 1:3].flatten(1), self.discs(state)[..., 1:3].flatten(1)]
        return torch.cat([*parts, state[:, self.layout.signals]], -1) / self.resolution + self._orientation_offset(
            state
        )

    def _orientation_offset(self, state: Tensor) -> Tensor:
        """An offset of places (B, k), by which states also differ if a box that appears, disappears or turns differs in its orientation."""
        boxes = self.boxes(state)
        lies = 3 * boxes[..., 3].round() + boxes[..., 4].round() if self.layout.sizes.box_shape else 0 * boxes[..., 0]
        apart = 2 * CELLS * (5 + lies) * (boxes[..., 0] * self.building.slots)
        return F.pad(torch.stack([apart, 0 * apart], -1).flatten(1), (4, self._places - 4 - 2 * boxes.shape[1]))

    def relations(self, state: Tensor, at: Tokens, rolled: Sequence[Tensor], parts: Parts) -> tuple[Tensor, Tensor]:
        """Relations (B, n) of things to the agent, and of what moves or changes to each disc that has `rolled`; see `Visits`.

        Args:
            state: (B, d).
            at: its tokens.
            rolled: for each disc in `parts.rolling`, whether it has (B,).
        """
        found = [self.visits.relations(state, at, 0)]
        others = torch.ones(self.layout.sizes.disc_slots, dtype=torch.bool, device=state.device)
        changing = torch.cat([self.movable | self.building.slots, others])
        for k, now in zip(parts.rolling, rolled, strict=True):
            token = self.rolling[k].token
            index, present = self.visits.relations(state, at, token)
            besides = changing & (torch.arange(len(changing), device=state.device) != token - 1)
            found.append((index, present & besides & now[:, None]))
        index, present = (torch.cat(both, -1) for both in zip(*found, strict=True))
        return index, present

    def novelty(self, state: Tensor, at: Tokens, rolled: Sequence[Tensor], parts: Parts) -> Tensor:
        """Novelty (B,) of states (B, d), in [0, 1]; arguments as in `relations`."""
        return self.visits.novelty(*self.relations(state, at, rolled, parts))

    def acts(self, state: Tensor, parts: Parts) -> Tensor:
        """Whether actions have an effect (B,) in states (B, d), 1 or 0: not while a disc rolls, if in the data they never had one then."""
        speeds = [self.rolling[k].speed(state) for k in parts.rolling]
        rolls = torch.stack(speeds).amax(0) > SLOW if speeds else torch.zeros_like(state[:, 0], dtype=torch.bool)
        return 1 - (rolls & self.idle).to(state.dtype)

    # --- WorldModel ---

    def encode(self, obs: Tensor) -> Tensor:
        return obs

    def observe(self, latent: Tensor, action: Tensor, embedded: Tensor, keep: Tensor, noise: Tensor) -> Tensor:
        """See `WorldModel`; neither action nor noise is used."""
        return self.remember(latent * keep, embedded)

    def remember(self, state: Tensor, obs: Tensor) -> Tensor:
        """The observation (B, d), in which slots that show nothing are filled from the previous `state` (B, d).

        A box at the agent's own place that is no longer shown, although the agent has not moved, is gone. A box farther away may only be
        out of sight. A disc keeps the colour that was seen.
        """
        still = (obs[:, : self.layout.phase.stop] - state[:, : self.layout.phase.stop]).abs().amax(-1) < STILL
        box, before, disc, was = self.boxes(obs), self.boxes(state), self.discs(obs), self.discs(state)
        here = (before[..., 1:3] - state[:, None, :2]).norm(dim=-1) < HERE
        box = torch.where((box[..., :1] > 0.5) | (still[:, None] & here)[..., None], box, before)
        colour = torch.where(disc[..., 5:].sum(-1, keepdim=True) > 0.5, disc[..., 5:], was[..., 5:])
        disc = torch.where(disc[..., :1] > 0.5, torch.cat([disc[..., :5], colour], -1), was)
        return torch.cat([obs[:, : self.layout.head], box.flatten(1), disc.flatten(1)], -1)

    def imagine_step(self, latent: Tensor, action: Tensor, noise: Tensor) -> Tensor:
        return self.predict(latent, action)[0]

    def reward(self, latent: Tensor) -> Tensor:
        return torch.sigmoid(self.outcomes(latent)[..., 0])

    def continues(self, latent: Tensor) -> Tensor:
        return 1 - torch.sigmoid(self.outcomes(latent)[..., 1])

    def decode(self, latent: Tensor) -> Tensor:
        return latent

    # --- learning ---

    def agent_change(self, state: Tensor, action: Tensor, after: Tensor) -> Tensor:
        """Changes of the agent (B, 4 + signals): displacement and new heading, in the frame of the step; change of each signal."""
        ahead = self.ahead(state, action)
        signals = after[:, self.layout.signals] - state[:, self.layout.signals]
        return torch.cat([to_frame(after[:, :2] - state[:, :2], ahead), to_frame(after[:, 2:4], ahead), signals], -1)

    def box_change(self, state: Tensor, after: Tensor) -> Tensor:
        """Displacements of boxes (B, n, 2) in the room's frame; zero where a box was not seen before, appeared, disappeared or turned."""
        before, now = self.boxes(state), self.boxes(after)
        same = (before[..., 0] > 0.5) & ~self.building.changed(before, now)
        return (now - before)[..., 1:3] * same[..., None]

    @torch.no_grad()
    def discover(self, state: Tensor, action: Tensor, after: Tensor) -> None:
        """Find what occurs in transitions between states (N, d), with one-hot actions (N, A): steps, movable boxes, changes, relations.

        Steps are found in the first call. Changes and movable boxes are added to those already found. Visits are counted anew.
        """
        if not self.agent_changes.known.any():
            self._find_steps(state, action, after)
        boxes = self.box_change(state, after)
        self.movable |= (boxes.abs().amax(-1) > MOVED).any(0)
        self.agent_changes.extend(self.agent_change(state, action, after))
        self.box_changes.extend(to_frame(boxes, self.ahead(state, action)[:, None])[:, self.movable].flatten(0, 1))
        self.building.discover(self.boxes(state), self.boxes(after), after[:, :2])
        for disc in self.rolling:
            disc.discover(state, after)
        speeds = (
            torch.stack([disc.speed(state) for disc in self.rolling]) if len(self.rolling) else state.new_zeros(1, 1)
        )
        rolls = speeds.amax(0) > SLOW
        same = (after - state)[:, : self.layout.discs[0]].abs()
        same[:, self.layout.phase.start : self.layout.signals.start] = 0
        self.idle.fill_(bool(rolls.any()) and bool((same[rolls].amax(-1) < MOVED).all()))
        self._set_resolution()
        parts = self.parts()
        rolled = [self.rolling[k].rolled(state, after) for k in parts.rolling]
        self.visits.count(*self.relations(after, tokens.tokens(self.layout, after), rolled, parts))

    def _find_steps(self, state: Tensor, action: Tensor, after: Tensor) -> None:
        """Find the most frequent displacement of each action, in the room's or the agent's frame, whichever gives fewer distinct ones."""
        apart, heading = after[:, :2] - state[:, :2], state[:, 2:4]
        own = to_frame(apart, heading)
        self.turns.fill_(len(distinct(own)[0]) < len(distinct(apart)[0]))
        apart = torch.where(self.turns, own, apart)
        for k in range(self.actions):
            taken = apart[action[:, k] > 0]
            moved = taken[taken.norm(dim=-1) > MOVED]
            if len(moved) and len(moved) > USUAL * len(taken):
                self.steps[k] = distinct(moved)[0][0].to(self.steps)
        if (self.steps != 0).any():
            self.step.copy_(self.steps.norm(dim=-1).amax())

    def _set_resolution(self) -> None:
        """Set the resolution of positions to a little less than a step, and of signals to their smallest change."""
        self.resolution.fill_(COARSE * float(self.step))
        self.resolution[2:4] = HEADING_RESOLUTION
        self.visits.cell.copy_(self.resolution[0])
        signals, codes = self.layout.sizes.signals, self.agent_changes.codes[self.agent_changes.known]
        for k, moved in enumerate(codes[:, 4:].abs().T):
            smallest = float(moved[moved > 1e-4].min()) if (moved > 1e-4).any() else 1.0
            self.resolution[self._places - signals + k] = smallest

    @torch.no_grad()
    def segments(self, state: Tensor, action: Tensor, after: Tensor) -> list[Segments]:
        """The path segments of each disc that rolls, in transitions between states (N, d), with one-hot actions (N, A)."""
        parts = self.parts()
        found = []
        for n, k in enumerate(parts.rolling):
            disc = self.rolling[k]
            rows = disc.rolled(state, after).nonzero()[:, 0]
            at = tokens.tokens(self.layout, state[rows])
            launch = self.logits(state[rows], action[rows], at, parts).launches[n]
            segments = paths.segments(disc, state[rows], after[rows], launch)
            found.append(segments._replace(row=rows[segments.row]))
        return found

    def losses(self, state: Tensor, action: Tensor, after: Tensor, outcome: Tensor) -> dict[str, Tensor]:
        """Losses of a batch of transitions between states (B, d), by name.

        action: (B, A) one-hot. outcome: (B, 2), whether the transition was rewarded, and whether it ended the episode; 1 or 0.
        """
        parts, at = self.parts(), tokens.tokens(self.layout, state)
        guess = self.logits(state, action, at, parts)
        change = self.agent_change(state, action, after)
        nearest = self.agent_changes.nearest(change)
        left = (change - self.agent_changes.codes[nearest])[:, :2] - guess.residual
        arrived = [
            paths.observed_arrival(self.rolling[k], state, after, launch)
            for k, launch in zip(parts.rolling, guess.launches, strict=True)
        ]
        arrivals = tuple(arrival for arrival, _ in arrived)
        reached = self.outcomes(after, None, arrivals, parts)
        losses = {
            "agent": F.cross_entropy(guess.agent, nearest),
            "rest": F.smooth_l1_loss(left / NEAR_IF_MANY, torch.zeros_like(left)),
            "outcome": F.binary_cross_entropy_with_logits(reached, outcome),
        }
        if len(parts.moving):
            moved = to_frame(self.box_change(state, after)[:, parts.moving], self.ahead(state, action)[:, None])
            wanted = self.box_changes.nearest(moved.flatten(0, 1))
            losses["boxes"] = len(parts.moving) * F.cross_entropy(guess.boxes.flatten(0, 1), wanted)
        if len(parts.built):
            before, now = self.boxes(state), self.boxes(after)
            losses["built"] = self.building.loss(guess.built, before, now, after[:, :2], parts.built)
        if arrived:
            pairs = zip(arrived, guess.launches, strict=True)
            each = [cross_entropy(launch, label) for (_, label), launch in pairs]
            losses["launches"] = torch.stack(each).sum()
        return losses
