"""A relational world model of entity slots, exact over long roll-outs.

Its latent is an observation in which what is out of view keeps what was last seen of it. Agent, boxes, discs and the room's
four walls are tokens; every movable token hears what all others say about their position relative to it, maximised over
them (Battaglia et al. 2016, interaction networks; max-pooling as in PointNet, Qi et al. 2017).

An action is described by the step that it usually makes, and everything is seen in the direction of this step: what holds
for one direction then holds for all, and all actions that make a step share their weights. What moves, moves by one of the
displacements found in the data, a class each, so that errors do not add up; where there are too many for that, as when an
agent slides along things, similar ones share a class, and the rest is a regression. Reward and end are read from the state
reached.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unseen.agents.models import tokens
from unseen.agents.models.changes import NEAR_IF_MANY, Changes, distinct
from unseen.agents.models.tokens import GEOMETRY, Tokens, turned, turned_back
from unseen.agents.protocol import WorldModel
from unseen.agents.shared.envs import Layout

AGENT_CODES, BOX_CODES = 64, 24  # maximum numbers of distinct changes
MOVED = 0.01  # what is displaced less has not moved, in units of position
USUAL = 0.05  # an action that moves the agent less often makes no step
HEADING_RESOLUTION = 0.385  # of cos and sin: half a turn of 45 degrees
COARSE = 0.83  # resolution of positions, in steps: two positions a step apart never share a cell
CELLS = 41  # along each axis, of relations that are told apart


class RelationalModel(nn.Module, WorldModel):
    """The model, for slots in the room's frame that each keep their object, and discrete actions.

    Call `look` with data before the first use. Noise is not used: the most likely next state is imagined.

    Args:
        actions: number of actions.
        message: size of a message.
        hidden: units of hidden layers.
    """

    turns: Tensor
    steps: Tensor
    step: Tensor
    movable: Tensor
    resolution: Tensor
    visits: Tensor

    def __init__(self, layout: Layout, actions: int, message: int, hidden: int) -> None:
        super().__init__()
        self.layout, self.actions, self.size = layout, actions, layout.size
        sizes = layout.sizes
        self.features = GEOMETRY + tokens.kinds(layout) + 2 + sizes.signals + 1
        self.agent_changes = Changes(AGENT_CODES, 4 + sizes.signals)  # x, y, cos, sin, signals
        self.box_changes = Changes(BOX_CODES, 2)
        # The first layer has weights of its own for each action that makes no step, and the first ones for all others.
        self.box_in = nn.Parameter(torch.randn(1 + actions, self.features, message) * self.features**-0.5)
        self.agent_in = nn.Parameter(torch.randn(1 + actions, self.features, message) * self.features**-0.5)
        self.box_message, self.agent_message = nn.Linear(message, message), nn.Linear(message, message)
        self.box_hidden, self.box_out = nn.Linear(message, hidden), nn.Linear(hidden, BOX_CODES)
        self.told = nn.Linear(hidden, message, bias=False)
        self.agent_out = nn.Sequential(nn.Linear(message, hidden), nn.ReLU(), nn.Linear(hidden, AGENT_CODES + 2))
        self.outcome_message = nn.Sequential(
            nn.Linear(self.features, message), nn.ReLU(), nn.Linear(message, message), nn.ReLU()
        )
        self.outcome = nn.Linear(message, 2)
        self.register_buffer("turns", torch.zeros((), dtype=torch.bool))  # steps turn with the agent
        self.register_buffer(
            "steps", torch.zeros(actions, 2)
        )  # the usual displacement; 0 for actions that make no step
        self.register_buffer("step", torch.ones(()))  # the length of a step
        self.register_buffer("movable", torch.zeros(sizes.box_slots, dtype=torch.bool))
        self.register_buffer("resolution", torch.ones(self._places))
        self.register_buffer("visits", torch.zeros((2 + sizes.box_kinds) * CELLS * CELLS))

    @property
    def _places(self) -> int:
        """Number of values that distinguish states: pose, positions of boxes and discs, signals."""
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
        """The direction (B, 2) in which one-hot actions (B, A) go; the agent's heading for those that make no step."""
        heading, step = state[:, 2:4], action @ self.steps
        length = step.norm(dim=-1, keepdim=True)
        direction = step / length.clamp(min=1e-6)
        direction = torch.where(self.turns, turned_back(direction, heading), direction)
        return torch.where(length > 0, direction, heading)

    def pairs(self, state: Tensor, at: Tokens, receivers: Tensor, ahead: Tensor) -> Tensor:
        """Features (B, R, S, features) of every token, relative to each of the receivers (R,), indices of tokens; 0 if absent."""
        lie = tokens.geometry(at, receivers, ahead, self.step)
        own = torch.cat([turned(state[:, 2:4], ahead), self._signals(state), torch.ones_like(ahead[:, :1])], -1)
        kind = torch.cat([at.kind, own[:, None].expand(-1, at.kind.shape[1], -1)], -1)
        features = torch.cat([lie, kind[:, None].expand(*lie.shape[:3], -1)], -1)
        return features * at.present[:, None, :, None]  # what is absent says nothing, the same to all

    def _signals(self, state: Tensor) -> Tensor:
        """Signals in units of their smallest change."""
        return state[:, self.layout.signals] / self.resolution[self._places - self.layout.sizes.signals :]

    def logits(self, state: Tensor, action: Tensor, movable: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits over changes of the agent (B, AGENT_CODES) and of boxes (B, M, BOX_CODES), and how far the agent's displacement
        is from that of its class (B, 2).

        Args:
            state: (B, d).
            action: (B, A) one-hot.
            movable: (M,) indices of the boxes that can move.
        """
        at = tokens.tokens(self.layout, state)
        index = action.argmax(-1)
        index = torch.where((self.steps[index] != 0).any(-1), 0, 1 + index)
        receivers = torch.cat([torch.zeros_like(movable[:1]), 1 + movable]) if len(movable) else movable.new_zeros(1)
        pairs = self.pairs(state, at, receivers, self.ahead(state, action))
        first = torch.matmul(pairs[:, 0], self.agent_in[index])  # (B, S, message)
        boxes = state.new_zeros(state.shape[0], 0, BOX_CODES)
        if len(movable):
            message = torch.matmul(pairs[:, 1:], self.box_in[index][:, None]).relu_()
            heard = self.box_message(message).relu_().amax(2)
            found = F.relu(self.box_hidden(heard))  # (B, M, hidden)
            boxes = self.box_changes.masked(self.box_out(found))
            senders = F.one_hot(1 + movable, pairs.shape[2]).to(state.dtype)  # (M, S)
            first = first + torch.matmul(senders.T, self.told(found))
        heard = self.agent_message(first.relu_()).relu_().amax(1)
        out = self.agent_out(heard)
        rest = torch.where(self.agent_changes.rough, NEAR_IF_MANY * out[:, AGENT_CODES:].tanh(), 0.0)
        return self.agent_changes.masked(out[:, :AGENT_CODES]), boxes, rest

    def predict(self, state: Tensor, action: Tensor) -> tuple[Tensor, Tensor]:
        """The most likely next states (B, d) and their log-probabilities (B,), for one-hot actions (B, A)."""
        return self.predict_moving(state, action, self.movable.nonzero()[:, 0])

    def predict_moving(self, state: Tensor, action: Tensor, movable: Tensor) -> tuple[Tensor, Tensor]:
        """`predict`, with the indices (M,) of the boxes that can move."""
        layout = self.layout
        agent, boxes, rest = self.logits(state, action, movable)
        log_prob = agent.log_softmax(-1).amax(-1)
        change, ahead = self.agent_changes.codes[agent.argmax(-1)], self.ahead(state, action)
        slots = self.boxes(state)
        if len(movable):
            log_prob = log_prob + boxes.log_softmax(-1).amax(-1).sum(-1)
            places = F.one_hot(movable, slots.shape[1]).to(state.dtype)  # (M, n)
            moved = turned_back(self.box_changes.codes[boxes.argmax(-1)], ahead[:, None])
            moved = torch.matmul(places.T, moved) * slots[..., :1]
            slots = torch.cat([slots[..., :1], slots[..., 1:3] + moved, slots[..., 3:]], -1)
        parts = [
            state[:, :2] + turned_back(change[:, :2] + rest, ahead),
            turned_back(change[:, 2:4], ahead),
            state[:, 4 : layout.signals.start],
            state[:, layout.signals] + change[:, 4:],
            slots.flatten(1),
            state[:, layout.discs[0] :],
        ]
        return torch.cat(parts, -1), log_prob

    def outcomes(self, state: Tensor, at: Tokens | None = None) -> Tensor:
        """Logits (B, 2) of reward and of the end, in the states reached (B, d), with these tokens."""
        at = tokens.tokens(self.layout, state) if at is None else at
        agent = torch.zeros(1, dtype=torch.long, device=state.device)
        pairs = self.pairs(state, at, agent, state[:, 2:4])
        return self.outcome(self.outcome_message(pairs[:, 0]).amax(1))

    def places(self, state: Tensor) -> Tensor:
        """What distinguishes states (B, k): see `Transition`. Where the dynamics do not turn with the agent, the heading does
        not count."""
        heading = torch.where(self.turns, state[:, 2:4], 0.0)
        parts = [state[:, :2], heading, self.boxes(state)[..., 1:3].flatten(1), self.discs(state)[..., 1:3].flatten(1)]
        return torch.cat([*parts, state[:, self.layout.signals]], -1) / self.resolution

    def relations(self, state: Tensor, at: Tokens | None = None) -> tuple[Tensor, Tensor]:
        """Where boxes and discs are relative to the agent, in cells: indices (B, n) into `visits`, and whether present (B, n).

        Boxes are told apart by kind, discs by whether they are asked for.
        """
        sizes = self.layout.sizes
        at = tokens.tokens(self.layout, state) if at is None else at
        things = slice(1, 1 + sizes.box_slots + sizes.disc_slots)
        cell = torch.round((at.xy[:, things] - at.xy[:, :1]) / self.resolution[0]).long()
        cell = cell.clamp(-(CELLS // 2), CELLS // 2) + CELLS // 2
        box = self.boxes(state)
        kind = box[..., box.shape[-1] - sizes.box_kinds :].argmax(-1) if sizes.box_kinds else box[..., 0].long() * 0
        asked = at.kind[:, 1 + sizes.box_slots : things.stop, -1].long()
        group = torch.cat([2 + kind, asked], 1) if sizes.box_kinds else torch.cat([kind, asked], 1)
        return (group * CELLS + cell[..., 0]) * CELLS + cell[..., 1], at.present[:, things] > 0.5

    def novelty(self, state: Tensor, at: Tokens | None = None) -> Tensor:
        """How new states (B, d) are, in (0, 1]: 1 / sqrt(1 + visits) of the relation to the agent that has occurred least."""
        index, present = self.relations(state, at)
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

    def agent_change(self, state: Tensor, action: Tensor, after: Tensor) -> Tensor:
        """How the agent changed (B, 4 + signals): displacement and new heading, seen in the direction of the step; signals."""
        ahead = self.ahead(state, action)
        signals = after[:, self.layout.signals] - state[:, self.layout.signals]
        return torch.cat([turned(after[:, :2] - state[:, :2], ahead), turned(after[:, 2:4], ahead), signals], -1)

    def box_change(self, state: Tensor, after: Tensor) -> Tensor:
        """Displacement of boxes (B, n, 2) in the room; zero where a box was not seen before."""
        before, now = self.boxes(state), self.boxes(after)
        return (now - before)[..., 1:3] * (before[..., :1] > 0.5)

    @torch.no_grad()
    def look(self, state: Tensor, action: Tensor, after: Tensor) -> None:
        """Find what occurs in transitions (N, d), with one-hot actions (N, A): steps, movable boxes, changes, relations.

        Steps are found in the first call; changes and movable boxes are added to those already found.
        """
        if not self.agent_changes.known.any():
            self._find_steps(state, action, after)
        boxes = self.box_change(state, after)
        self.movable |= (boxes.abs().amax(-1) > MOVED).any(0)
        self.agent_changes.extend(self.agent_change(state, action, after))
        self.box_changes.extend(turned(boxes, self.ahead(state, action)[:, None])[:, self.movable].flatten(0, 1))
        self._set_resolution()
        index, present = self.relations(after)
        self.visits.zero_().index_add_(0, index[present], torch.ones_like(index[present], dtype=torch.float32))

    def _find_steps(self, state: Tensor, action: Tensor, after: Tensor) -> None:
        """The usual displacement of each action, in the frame, the room's or the agent's, in which fewer distinct ones occur."""
        apart, heading = after[:, :2] - state[:, :2], state[:, 2:4]
        own = turned(apart, heading)
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
        """Positions to a little less than a step, signals to their smallest change."""
        self.resolution.fill_(COARSE * float(self.step))
        self.resolution[2:4] = HEADING_RESOLUTION
        signals, codes = self.layout.sizes.signals, self.agent_changes.codes[self.agent_changes.known]
        for k, moved in enumerate(codes[:, 4:].abs().T):
            smallest = float(moved[moved > 1e-4].min()) if (moved > 1e-4).any() else 1.0
            self.resolution[self._places - signals + k] = smallest

    def losses(self, state: Tensor, action: Tensor, after: Tensor, outcome: Tensor) -> dict[str, Tensor]:
        """Cross-entropies of a batch of transitions; outcome (B, 2): whether rewarded, whether over."""
        movable = self.movable.nonzero()[:, 0]
        agent, boxes, rest = self.logits(state, action, movable)
        change = self.agent_change(state, action, after)
        nearest = self.agent_changes.nearest(change)
        left = (change - self.agent_changes.codes[nearest])[:, :2] - rest
        losses = {
            "agent": F.cross_entropy(agent, nearest),
            "rest": F.smooth_l1_loss(left / NEAR_IF_MANY, torch.zeros_like(left)),
            "outcome": F.binary_cross_entropy_with_logits(self.outcomes(after), outcome),
        }
        if len(movable):
            moved = turned(self.box_change(state, after)[:, movable], self.ahead(state, action)[:, None])
            wanted = self.box_changes.nearest(moved.flatten(0, 1))
            losses["boxes"] = len(movable) * F.cross_entropy(boxes.flatten(0, 1), wanted)
        return losses
