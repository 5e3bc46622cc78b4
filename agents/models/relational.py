"""A relational world model of entity slots, exact over long roll-outs.

Its latent is an observation in which what is out of view keeps what was last seen of it. Agent, boxes, discs and the room's
four walls are tokens; every movable token hears what all others say about their position relative to it, maximised over
them (Battaglia et al. 2016, interaction networks; max-pooling as in PointNet, Qi et al. 2017). What moves, moves by one of
the displacements found in the data, a class each, so that errors do not add up. Reward and end are read from the state reached.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unseen.agents.protocol import WorldModel
from unseen.agents.shared.envs import Layout
from unseen.agents.shared.graph_agent import DISC_FIELDS
from unseen.agents.shared.torch_graph import TorchGraph

AGENT_CODES, BOX_CODES = 64, 24  # maximum numbers of distinct changes
MIN_COUNT = 2  # a change seen less often gets no class of its own
FEW = 24  # with more distinct changes than this, similar ones share a class
NEAR, NEAR_IF_MANY = 0.01, 0.05  # changes of no larger L1 distance share a class
MOVED = 0.01  # a box that is displaced less has not moved, in units of position
HEADING_RESOLUTION = 0.385  # of cos and sin: half a turn of 45 degrees
COARSE = 0.83  # resolution of positions, in steps of the agent: two positions a step apart never share a cell
WALL = (1.1, 0.1, 1.2)  # centre and half extents of a wall of the room, in half rooms
CELLS = 41  # along each axis, of relations that are told apart
SCALE = 3.0  # of distances in features
NEVER = -1e3  # logit of a class that is not in use


class Tokens(NamedTuple):
    """B x S tokens: agent, boxes, discs, walls of the room.

    Attributes:
        present: (B, S).
        xy, axis, half: (B, S, 2) position, cos and sin of the orientation, half extents.
        kind: (B, S, C) all that is told of a token but its geometry.
        signals: (B, signals) values of the task, in units of their smallest change.
    """

    present: Tensor
    xy: Tensor
    axis: Tensor
    half: Tensor
    kind: Tensor
    signals: Tensor


class RelationalModel(nn.Module, WorldModel):
    """The model, for slots in the room's frame that each keep their object, and discrete actions.

    Call `learn_codes` with data before the first use. Noise is not used: the most likely next state is imagined.

    Args:
        actions: number of actions.
        message: size of a message.
        hidden: units of hidden layers.
    """

    walls: Tensor
    movable: Tensor
    resolution: Tensor
    turns: Tensor
    agent_codes: Tensor
    agent_known: Tensor
    box_codes: Tensor
    box_known: Tensor
    visits: Tensor

    def __init__(self, layout: Layout, actions: int, message: int, hidden: int) -> None:
        super().__init__()
        self.layout, self.actions, self.size = layout, actions, layout.size
        sizes = layout.sizes
        self.queried = sizes.queries == sizes.disc_slots  # so that the query names a slot
        self.change = 4 + sizes.signals  # x, y, cos, sin, signals
        kinds = 4 + sizes.box_kinds + sizes.colours + 1
        self.features = kinds + 13 + sizes.signals
        self.box_in = nn.Parameter(torch.randn(actions, self.features, message) * self.features**-0.5)
        self.agent_in = nn.Parameter(torch.randn(actions, self.features, message) * self.features**-0.5)
        self.box_message, self.agent_message = nn.Linear(message, message), nn.Linear(message, message)
        self.box_hidden, self.box_out = nn.Linear(message, hidden), nn.Linear(hidden, BOX_CODES)
        self.told = nn.Linear(hidden, message, bias=False)
        self.agent_out = nn.Sequential(nn.Linear(message, hidden), nn.ReLU(), nn.Linear(hidden, AGENT_CODES))
        self.outcome_message = nn.Sequential(
            nn.Linear(self.features, message), nn.ReLU(), nn.Linear(message, message), nn.ReLU()
        )
        self.outcome = nn.Linear(message, 2)
        centre, thin, long = WALL
        walls = [[centre, 0, thin, long], [-centre, 0, thin, long], [0, centre, long, thin], [0, -centre, long, thin]]
        self.register_buffer("walls", torch.tensor(walls))
        self.register_buffer("movable", torch.zeros(sizes.box_slots, dtype=torch.bool))
        self.register_buffer("resolution", torch.ones(self._places))
        self.register_buffer("turns", torch.zeros((), dtype=torch.bool))
        self.register_buffer("agent_codes", torch.zeros(AGENT_CODES, self.change))
        self.register_buffer("agent_known", torch.zeros(AGENT_CODES, dtype=torch.bool))
        self.register_buffer("box_codes", torch.zeros(BOX_CODES, 2))
        self.register_buffer("box_known", torch.zeros(BOX_CODES, dtype=torch.bool))
        self.register_buffer("visits", torch.zeros((2 + sizes.box_kinds) * CELLS * CELLS))

    # --- the layout ---

    @property
    def _places(self) -> int:
        """Number of values that distinguish states: pose, positions of boxes and discs, signals."""
        sizes = self.layout.sizes
        return self.change + 2 * (sizes.box_slots + sizes.disc_slots)

    def boxes(self, state: Tensor) -> Tensor:
        """Box slots (..., n, width) of states (..., d)."""
        return _slots(state, self.layout.boxes)

    def discs(self, state: Tensor) -> Tensor:
        """Disc slots (..., n, width) of states (..., d)."""
        return _slots(state, self.layout.discs)

    def tokens(self, state: Tensor) -> Tokens:
        """The tokens of states (B, d)."""
        layout, sizes = self.layout, self.layout.sizes
        n, boxes, discs = state.shape[0], self.boxes(state), self.discs(state)
        walls = self.walls.expand(n, 4, 4)
        none = torch.zeros_like
        pose = state[:, None, layout.pose]
        one = torch.ones_like(pose[..., :1])
        shape = boxes[..., 3:7] if sizes.box_shape else none(boxes[..., :1]).expand(*boxes.shape[:2], 4)
        upright = torch.cat([torch.ones_like(walls[..., :1]), none(walls[..., :1])], -1)
        asked = state[:, layout.query][..., None] if self.queried else none(discs[..., :1])
        present = [one, boxes[..., :1], discs[..., :1], torch.ones_like(walls[..., :1])]
        kind = [
            _kind(one, 0, none(one).expand(n, 1, sizes.box_kinds + sizes.colours + 1)),
            _kind(boxes[..., :1], 1, F.pad(boxes[..., boxes.shape[-1] - sizes.box_kinds :], (0, sizes.colours + 1))),
            _kind(discs[..., :1], 2, F.pad(torch.cat([discs[..., 5:], asked], -1), (sizes.box_kinds, 0))),
            _kind(present[3], 3, none(walls[..., :1]).expand(n, 4, sizes.box_kinds + sizes.colours + 1)),
        ]
        return Tokens(
            present=torch.cat(present, 1)[..., 0],
            xy=torch.cat([pose[..., :2], boxes[..., 1:3], discs[..., 1:3], walls[..., :2]], 1),
            axis=torch.cat([pose[..., 2:], shape[..., :2], none(discs[..., :2]), upright], 1),
            half=torch.cat([none(pose[..., :2]), shape[..., 2:], none(discs[..., :2]), walls[..., 2:]], 1),
            kind=torch.cat(kind, 1),
            signals=state[:, layout.signals] / self.resolution[self._places - sizes.signals :],
        )

    def pairs(self, tokens: Tokens, receivers: Tensor) -> Tensor:
        """Features (B, R, S, features) of every token, relative to each of the receivers (R,), indices of tokens; 0 if absent."""
        heading = tokens.axis[:, :1, None]  # (B, 1, 1, 2)
        apart = tokens.xy[:, None] - tokens.xy[:, receivers][:, :, None]  # (B, R, S, 2)
        axis = tokens.axis[:, None].expand_as(apart)
        half = tokens.half[:, None].expand_as(apart)
        kind = tokens.kind[:, None].expand(*apart.shape[:3], -1)
        own = torch.cat([heading[:, :, 0], tokens.signals[:, None]], -1)[:, :, None].expand(*apart.shape[:3], -1)
        geometry = [
            apart * SCALE,
            _turned(apart, heading) * SCALE,  # as the agent sees it
            half * SCALE,
            (_turned(apart, axis).abs() - half) * SCALE,  # how far outside of the token, along its own axes
            _turned(axis, heading),
        ]
        features = torch.cat([*geometry, kind, own, torch.ones_like(apart[..., :1])], -1)
        return features * tokens.present[:, None, :, None]  # what is absent says nothing, the same to all

    # --- prediction ---

    def logits(self, state: Tensor, action: Tensor, movable: Tensor) -> tuple[Tensor, Tensor]:
        """Logits over changes of the agent (B, AGENT_CODES) and of boxes (B, M, BOX_CODES).

        Args:
            state: (B, d).
            action: (B, A) one-hot.
            movable: (M,) indices of the boxes that can move.
        """
        tokens = self.tokens(state)
        index = action.argmax(-1)
        receivers = torch.cat([torch.zeros_like(movable[:1]), 1 + movable]) if len(movable) else movable.new_zeros(1)
        pairs = self.pairs(tokens, receivers)
        first = torch.matmul(pairs[:, 0], self.agent_in[index])  # (B, S, message)
        boxes = state.new_zeros(state.shape[0], 0, BOX_CODES)
        if len(movable):
            message = torch.matmul(pairs[:, 1:], self.box_in[index][:, None]).relu_()
            heard = self.box_message(message).relu_().amax(2)
            found = F.relu(self.box_hidden(heard))  # (B, M, hidden)
            boxes = torch.where(self.box_known, self.box_out(found), NEVER)
            senders = F.one_hot(1 + movable, pairs.shape[2]).to(state.dtype)  # (M, S)
            first = first + torch.matmul(senders.T, self.told(found))
        heard = self.agent_message(first.relu_()).relu_().amax(1)
        return torch.where(self.agent_known, self.agent_out(heard), NEVER), boxes

    def predict(self, state: Tensor, action: Tensor) -> tuple[Tensor, Tensor]:
        """The most likely next states (B, d) and their log-probabilities (B,), for one-hot actions (B, A)."""
        movable = self.movable.nonzero()[:, 0]
        return self.predict_moving(state, action, movable)

    def predict_moving(self, state: Tensor, action: Tensor, movable: Tensor) -> tuple[Tensor, Tensor]:
        """`predict`, with the indices (M,) of the boxes that can move."""
        layout = self.layout
        agent, boxes = self.logits(state, action, movable)
        log_prob = agent.log_softmax(-1).amax(-1)
        change = self.agent_codes[agent.argmax(-1)]
        slots = self.boxes(state)
        if len(movable):
            log_prob = log_prob + boxes.log_softmax(-1).amax(-1).sum(-1)
            places = F.one_hot(movable, slots.shape[1]).to(state.dtype)  # (M, n)
            moved = torch.matmul(places.T, self.box_codes[boxes.argmax(-1)]) * slots[..., :1]
            slots = torch.cat([slots[..., :1], slots[..., 1:3] + moved, slots[..., 3:]], -1)
        heading = state[:, 2:4]
        step = torch.where(self.turns, _turned(change[:, :2], heading * _MIRROR.to(state)), change[:, :2])
        new_heading = torch.where(self.turns, _turned(change[:, 2:4], heading * _MIRROR.to(state)), change[:, 2:4])
        parts = [
            state[:, :2] + step,
            new_heading,
            state[:, 4 : layout.signals.start],
            state[:, layout.signals] + change[:, 4:],
            slots.flatten(1),
            state[:, layout.discs[0] :],
        ]
        return torch.cat(parts, -1), log_prob

    def outcomes(self, state: Tensor) -> Tensor:
        """Logits (B, 2) of reward and of the end, in the states reached (B, d)."""
        tokens = self.tokens(state)
        agent = torch.zeros(1, dtype=torch.long, device=state.device)
        return self.outcome(self.outcome_message(self.pairs(tokens, agent)[:, 0]).amax(1))

    def places(self, state: Tensor) -> Tensor:
        """What distinguishes states (B, k): see `Transition`. Where the dynamics do not turn with the agent, the heading does
        not count."""
        heading = torch.where(self.turns, state[:, 2:4], 0.0)
        parts = [state[:, :2], heading, self.boxes(state)[..., 1:3].flatten(1), self.discs(state)[..., 1:3].flatten(1)]
        return torch.cat([*parts, state[:, self.layout.signals]], -1) / self.resolution

    def relations(self, state: Tensor) -> tuple[Tensor, Tensor]:
        """Where boxes and discs are relative to the agent, in cells: indices (B, n) into `visits`, and whether present (B, n).

        Boxes are told apart by kind, discs by whether they are asked for.
        """
        tokens, sizes = self.tokens(state), self.layout.sizes
        things = slice(1, 1 + sizes.box_slots + sizes.disc_slots)
        cell = torch.round((tokens.xy[:, things] - tokens.xy[:, :1]) / self.resolution[0]).long()
        cell = cell.clamp(-(CELLS // 2), CELLS // 2) + CELLS // 2
        box = self.boxes(state)
        kind = box[..., box.shape[-1] - sizes.box_kinds :].argmax(-1) if sizes.box_kinds else box[..., 0].long() * 0
        asked = tokens.kind[:, 1 + sizes.box_slots : things.stop, -1].long()
        group = torch.cat([2 + kind, asked], 1) if sizes.box_kinds else torch.cat([kind, asked], 1)
        return (group * CELLS + cell[..., 0]) * CELLS + cell[..., 1], tokens.present[:, things] > 0.5

    def novelty(self, state: Tensor) -> Tensor:
        """How new states (B, d) are, in (0, 1]: 1 / sqrt(1 + visits) of the relation to the agent that has occurred least."""
        index, present = self.relations(state)
        least = torch.where(present, self.visits[index], torch.inf).amin(-1)
        return (1 + least).rsqrt()

    # --- WorldModel ---

    def encode(self, obs: Tensor) -> Tensor:
        return obs

    def observe(self, latent: Tensor, action: Tensor, embedded: Tensor, keep: Tensor, noise: Tensor) -> Tensor:
        """See `WorldModel`; neither action nor noise is used."""
        return self.remember(latent * keep, embedded)

    def remember(self, state: Tensor, obs: Tensor) -> Tensor:
        """The observation (B, d), with the slots of what it does not show as they were in `state` (B, d)."""
        parts = [obs[:, : self.layout.head]]
        for slots in (self.boxes, self.discs):
            now = slots(obs)
            parts.append(torch.where(now[..., :1] > 0.5, now, slots(state)).flatten(1))
        return torch.cat(parts, -1)

    def imagine_step(self, latent: Tensor, action: Tensor, noise: Tensor) -> Tensor:
        return self.predict(latent, action)[0]

    def reward(self, latent: Tensor) -> Tensor:
        return torch.sigmoid(self.outcomes(latent)[..., 0])

    def continues(self, latent: Tensor) -> Tensor:
        return 1 - torch.sigmoid(self.outcomes(latent)[..., 1])

    def decode(self, latent: Tensor) -> Tensor:
        return latent

    # --- learning ---

    def agent_change(self, state: Tensor, after: Tensor, turns: Tensor) -> Tensor:
        """How the agent changed (B, change): displacement, heading, signals.

        Displacement and turn are in the agent's frame if `turns`; else the displacement is in the room's, with the new heading.
        """
        heading, new_heading, apart = state[:, 2:4], after[:, 2:4], after[:, :2] - state[:, :2]
        signals = after[:, self.layout.signals] - state[:, self.layout.signals]
        own = torch.cat([_turned(apart, heading), _turned(new_heading, heading)], -1)
        return torch.cat([torch.where(turns, own, torch.cat([apart, new_heading], -1)), signals], -1)

    def box_change(self, state: Tensor, after: Tensor) -> Tensor:
        """Displacement of boxes (B, n, 2); zero where a box was not seen before."""
        before, now = self.boxes(state), self.boxes(after)
        return (now - before)[..., 1:3] * (before[..., :1] > 0.5)

    @torch.no_grad()
    def learn_codes(self, state: Tensor, after: Tensor) -> None:
        """Find the changes that occur in transitions (N, d), keep those already found, and count relations for `novelty`.

        The first call also decides whether the dynamics turn with the agent: in whose frame fewer distinct changes occur.
        """
        if not self.agent_known.any():
            room, own = (
                len(_distinct(self.agent_change(state, after, torch.tensor(turns)))[0]) for turns in (False, True)
            )
            self.turns.fill_(own < room)
        agent, boxes = self.agent_change(state, after, self.turns), self.box_change(state, after)
        self.movable |= (boxes.abs().amax(-1) > MOVED).any(0)
        _extend(self.agent_codes, self.agent_known, agent)
        _extend(self.box_codes, self.box_known, boxes[:, self.movable].flatten(0, 1))
        self._set_resolution()
        index, present = self.relations(after)
        self.visits.zero_().index_add_(0, index[present], torch.ones_like(index[present], dtype=torch.float32))

    def _set_resolution(self) -> None:
        """Positions to a little less than the most frequent step, signals to their smallest change."""
        codes = self.agent_codes[self.agent_known]
        steps = codes[:, :2].norm(dim=-1)
        if (steps > MOVED).any():
            self.resolution.fill_(COARSE * float(steps[steps > MOVED][0]))
        self.resolution[2:4] = HEADING_RESOLUTION
        signals = self.layout.sizes.signals
        for k, moved in enumerate(codes[:, 4:].abs().T):
            smallest = float(moved[moved > 1e-4].min()) if (moved > 1e-4).any() else 1.0
            self.resolution[self._places - signals + k] = smallest

    def losses(self, state: Tensor, action: Tensor, after: Tensor, outcome: Tensor) -> dict[str, Tensor]:
        """Cross-entropies of a batch of transitions; outcome (B, 2): whether rewarded, whether over."""
        movable = self.movable.nonzero()[:, 0]
        agent, boxes = self.logits(state, action, movable)
        change = self.agent_change(state, after, self.turns)
        losses = {
            "agent": F.cross_entropy(agent, _nearest(self.agent_codes, self.agent_known, change)),
            "outcome": F.binary_cross_entropy_with_logits(self.outcomes(after), outcome),
        }
        if len(movable):
            moved = self.box_change(state, after)[:, movable].flatten(0, 1)
            wanted = _nearest(self.box_codes, self.box_known, moved)
            losses["boxes"] = len(movable) * F.cross_entropy(boxes.flatten(0, 1), wanted)
        return losses


_MIRROR = torch.tensor([1.0, -1.0])  # cos and sin of a rotation backwards


def _turned(xy: Tensor, axis: Tensor) -> Tensor:
    """Vectors (..., 2) in the frame whose x axis has the given cos and sin (..., 2)."""
    x, y, cos, sin = xy[..., 0], xy[..., 1], axis[..., 0], axis[..., 1]
    return torch.stack([x * cos + y * sin, y * cos - x * sin], -1)


def _slots(state: Tensor, part: tuple[int, int, int]) -> Tensor:
    start, count, width = part
    return (
        state[..., start : start + count * width].unflatten(-1, (count, width))
        if count
        else state.new_zeros(*state.shape[:-1], 0, width)
    )


def _kind(like: Tensor, index: int, rest: Tensor) -> Tensor:
    """One-hot type of token, followed by what else is told of it."""
    types = torch.zeros_like(like).expand(*like.shape[:2], 4).clone()
    types[..., index] = 1
    return torch.cat([types, rest], -1)


def _distinct(changes: Tensor) -> tuple[Tensor, Tensor]:
    """Distinct changes to 3 decimals, means of their members (m, k), the most frequent first; and counts (m,)."""
    flat = changes.double()
    _, inverse, counts = np.unique(np.round(flat.cpu().numpy(), 3), axis=0, return_inverse=True, return_counts=True)
    total = torch.zeros(len(counts), flat.shape[1], dtype=flat.dtype)
    total.index_add_(0, torch.from_numpy(inverse.reshape(-1)), flat.cpu())
    order = torch.from_numpy(np.argsort(-counts, kind="stable"))
    tally = torch.from_numpy(counts)
    return (total / tally[:, None])[order].float(), tally[order]


def _extend(codes: Tensor, known: Tensor, changes: Tensor) -> None:
    """Add the changes that are not yet near a code, the most frequent first, as far as there is room."""
    if not len(changes):
        return
    found, counts = _distinct(changes)
    near = NEAR if len(found) <= FEW else NEAR_IF_MANY
    n = int(known.sum())
    for change in found[counts >= MIN_COUNT].to(codes):
        if n == len(codes):
            return
        if n and float((codes[:n] - change).abs().sum(-1).min()) <= near:
            continue
        codes[n], known[n] = change, True
        n += 1


def _nearest(codes: Tensor, known: Tensor, changes: Tensor) -> Tensor:
    """Index (N,) of the code nearest to each change (N, k)."""
    apart = (changes[:, None] - codes).abs().sum(-1)
    return torch.where(known, apart, torch.inf).argmin(-1)


class RememberGraph(nn.Module):
    """The memory as a graph: (obs, state, first) -> what the planner starts from. See `unseen.agents.shared.graph_agent`."""

    OUTPUTS = ("new_state", "place", "acts", "map")

    def __init__(self, model: RelationalModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, obs: Tensor, state: Tensor, first: Tensor) -> tuple[Tensor, ...]:
        new_state = self.model.remember(state * (1 - first), obs)
        acts = obs[:, self.model.layout.phase][:, -1]
        return new_state, self.model.places(new_state), acts, _drawn(self.model, new_state)

    def graph(self) -> TorchGraph:
        obs = torch.zeros(2, self.model.size, device=self.model.walls.device)
        example = {"obs": obs, "state": obs.clone(), "first": obs[:, :1].clone()}
        return TorchGraph(self, example, self.OUTPUTS)


class PredictGraph(nn.Module):
    """One imagined step as a graph: (state, one-hot action) -> the next state and what it is worth."""

    OUTPUTS = ("new_state", "reward", "continue", "log_prob", "novelty", "place", "map", "pose")

    def __init__(self, model: RelationalModel) -> None:
        super().__init__()
        self.model = model
        self.movable = model.movable.nonzero()[:, 0]

    def forward(self, state: Tensor, action: Tensor) -> tuple[Tensor, ...]:
        model = self.model
        after, log_prob = model.predict_moving(state, action, self.movable)
        reward, over = torch.sigmoid(model.outcomes(after)).unbind(-1)
        drawn = _drawn(model, after), after[:, model.layout.pose]
        return after, reward, 1 - over, log_prob, model.novelty(after), model.places(after), *drawn

    def graph(self, rows: int) -> TorchGraph:
        zeros = torch.zeros(2, self.model.size, device=self.model.walls.device)
        example = {"state": zeros, "action": zeros[:, : self.model.actions].clone()}
        return TorchGraph(self, example, self.OUTPUTS, rows)


def _drawn(model: RelationalModel, state: Tensor) -> Tensor:
    """The discs of states (B, d) as the output `map` (B, 5 k)."""
    return model.discs(state)[..., :DISC_FIELDS].flatten(1)
