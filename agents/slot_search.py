"""Slot-search: learns a relational world model of entity slots from play, and acts by best-first search in it.

There is no policy network and no value function. The first episodes are random; afterwards the agent plays as in evaluation, and learns
from these episodes. Where it accepts no plan, it goes to the most novel state that it imagines it can reach: one in which the position of
some object relative to the agent has occurred least so far. This finds rewards that random play seldom finds.

What is out of view is assumed to be where it was last seen; there is no other memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from gymnasium import spaces
from torch import nn

from unseen.agents.errors import BadAgent
from unseen.agents.models.relational import RelationalModel
from unseen.agents.models.relational_graphs import PredictGraph, RememberGraph
from unseen.agents.models.rolling import Segments
from unseen.agents.shared.checkpoint import Store
from unseen.agents.shared.collector import EpisodeReturns
from unseen.agents.shared.envs import EnvConfig
from unseen.agents.shared.planners import make_search
from unseen.agents.shared.planning_agent import GraphPlanningAgent, PlanningState
from unseen.agents.shared.questions import asked_transitions, can_ask
from unseen.agents.shared.replay import StepRing
from unseen.agents.shared.torch_graph import TorchGraph
from unseen.agents.shared.torch_learner import TorchLearner, first_episode_seed

ORDERS = ("colour", "index")  # orders of slots in which each slot keeps its object
PLAN_ROWS = 256  # imagined steps in one call of the model
REWARDED = 0.5  # a reward above this counts as one
WINDOW = 50  # updates between checks of whether the model is good enough
CHANGED = 0.01  # half rooms: a box displaced by more has moved


@dataclass(frozen=True)
class SlotSearchConfig:
    """Hyperparameters."""

    envs: int = 50
    """parallel environments, and episodes per round"""
    random_episodes: int = 100
    """episodes of random play before the first search"""
    updates: int = 400
    """maximum number of updates of the model per round"""
    loss_target: float = 0.02
    """mean loss over 50 updates below which training ends in a round"""
    batch: int = 128
    """transitions per update"""
    moved_fraction: float = 0.25
    """fraction of a batch drawn from transitions in which a box moved"""
    rewarded_fraction: float = 0.0625
    """fraction of a batch drawn from rewarded transitions"""
    ended_fraction: float = 0.0625
    """fraction of a batch drawn from transitions that terminated an episode without reward"""
    lr: float = 6e-3
    """learning rate at the start of a round; it falls to zero linearly"""
    weight_decay: float = 1e-2
    """weight decay of AdamW"""
    grad_clip: float = 5.0
    """maximum gradient norm"""
    message: int = 32
    """size of a message between tokens"""
    hidden: int = 64
    """hidden units"""
    replay_steps: int = 200_000
    """replay capacity in transitions"""
    longest: int = 1000
    """steps after which an episode is cut off"""
    imagined: int = 6000
    """maximum number of imagined steps for a plan; 0 for no planning: random actions"""
    plans: int = 8
    """maximum number of searches in an episode; after the last plan, actions are random"""
    accept: float = 0.5
    """worth, the probability of the path times the expected reward, above which a plan is accepted"""
    trust: float = 0.2
    """probability below which a path is dropped"""
    depth: int = 50
    """maximum length of a plan in steps"""


class SlotSearchLearner(TorchLearner):
    """Trains slot-search on slots in the room's frame that each keep their object, and discrete actions."""

    name = "slot-search"
    config_class: ClassVar[type[SlotSearchConfig]] = SlotSearchConfig
    config: SlotSearchConfig
    needs_snapshots = False

    def __init__(
        self, env: EnvConfig, seed: int = 0, device: str = "cpu", config: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(env, seed, device, config)
        c = self.config
        self.device = torch.device(device)
        space, layout = self.envs.vector.single_action_space, self.envs.slots
        if layout is None:
            raise BadAgent(f"{self.name} needs entity slots, which {env.label} has not")
        if layout.frame != "room" or layout.order not in ORDERS:
            raise BadAgent(
                f"{self.name} needs slots in the room's frame that keep their objects; those of {env.label} level "
                f"{env.chosen_level} are in the {layout.frame} frame, by {layout.order}"
            )
        if not isinstance(space, spaces.Discrete):
            raise BadAgent(f"{self.name} needs discrete actions")
        self.layout, self.space, self.actions = layout, space, int(space.n)
        self.training_seed = seed
        self.rng = np.random.Generator(np.random.Philox(seed))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.model = RelationalModel(layout, self.actions, c.message, c.hidden).to(self.device)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), c.lr, weight_decay=c.weight_decay, fused=True)
        row = np.zeros((1, layout.size), np.float32)
        outcome = np.zeros((1, 2), np.float32)
        like: dict[str, np.ndarray] = {"state": row, "after": row, "action": np.zeros(1, np.int64), "outcome": outcome}
        self.replay = StepRing(c.replay_steps, like)
        self.returns = EpisodeReturns(c.envs)
        self.steps = self.rounds = 0

    @property
    def episodes(self) -> int:  # type: ignore[override]
        return self.rounds * self.config.envs

    def advance(self) -> dict[str, float]:
        c = self.config
        searches = self.rounds * c.envs >= c.random_episodes
        figures = self._play(c.imagined if searches else 0)
        self.rounds += 1
        return self.think(c.updates) | figures | {"episode_return": self.returns.mean, "rounds": float(self.rounds)}

    def ask(self, env: EnvConfig) -> None:
        """See `Learner`. Each remembered transition gets a random query."""
        layout = can_ask(self.name, env, self.layout)
        self.move(env)
        self.replay.put(
            np.arange(self.replay.oldest, self.replay.written),
            asked_transitions(self.replay.everything(), layout, self.rng),
        )

    def think(self, updates: int) -> dict[str, float]:
        c = self.config
        if not self.replay.written:
            return {}
        data = self._data()
        action = nn.functional.one_hot(data["action"], self.actions).float()
        self.model.discover(data["state"], action, data["after"])
        segments = self.model.segments(data["state"], action, data["after"])
        moved = self.model.box_change(data["state"], data["after"]).abs().amax((1, 2)) > CHANGED
        rewarded, over = (data["outcome"] > 0).unbind(-1)
        groups = [(moved, c.moved_fraction), (rewarded, c.rewarded_fraction), (over & ~rewarded, c.ended_fraction)]
        pools = [(mask.nonzero()[:, 0].cpu().numpy(), int(share * c.batch)) for mask, share in groups]
        losses: list[dict[str, float]] = []
        for update in range(updates):
            for group in self.optimizer.param_groups:
                group["lr"] = c.lr * (1 - update / updates)
            with self.timed():
                losses.append(self._update(data, pools, segments))
            if (update + 1) % WINDOW == 0 and _mean_loss(losses[-WINDOW:]) < c.loss_target:
                break
        means = {name: float(np.mean([f[name] for f in losses])) for name in losses[-1]}
        return means | {"rewarded": float(data["outcome"][:, 0].sum()), "updates": float(len(losses))}

    def _agent(self, imagined: int) -> GraphPlanningAgent:
        c = self.config
        search = make_search(self.space, True, asdict(c) | {"imagined": imagined})
        agent = self.planning_policy(search)
        agent.seed(self.training_seed)
        return agent

    def policy(self) -> GraphPlanningAgent:
        return self._agent(self.config.imagined)

    def _play(self, imagined: int) -> dict[str, float]:
        """One episode in each environment, into the replay. Returns metrics of planning."""
        c, vector = self.config, self.envs.vector
        n = c.envs
        agent = self._agent(imagined)
        first_seed = first_episode_seed(self.training_seed, self.rounds, n)
        obs, _ = vector.reset(seed=first_seed)
        state = agent.initial_state(np.arange(first_seed, first_seed + n, dtype=np.uint64))
        live, first = np.ones(n, bool), np.ones(n, bool)
        for _ in range(min(self.envs.horizon or c.longest, c.longest)):
            shown = np.where(live[:, None], obs, np.float32(0))  # where an episode is over, nothing is planned
            actions, state = agent.act(shown, state, first)
            first = np.zeros(n, bool)
            obs, reward, terminated, truncated, _ = vector.step(actions)
            over = terminated | truncated
            self.returns.add(reward * live, over & live)
            self.steps += int(live.sum())
            self._keep(live, state, actions, obs, reward, terminated)
            live = live & ~over
            if not live.any():
                break
        return _planning_figures(state)

    @torch.no_grad()
    def _keep(
        self,
        live: np.ndarray,
        state: PlanningState,
        actions: np.ndarray,
        obs: np.ndarray,
        reward: np.ndarray,
        terminated: np.ndarray,
    ) -> None:
        """Add the transitions of running episodes in which the action had an effect."""
        rows = np.flatnonzero(live & self.layout.acts(state.now.state))
        if not len(rows):
            return
        before, seen = torch.from_numpy(state.now.state[rows]), torch.from_numpy(np.array(obs[rows], np.float32))
        after = self.model.remember(before.to(self.device), seen.to(self.device)).cpu().numpy()
        outcome = np.stack([reward[rows] > REWARDED, terminated[rows]], axis=-1).astype(np.float32)
        self.replay.add({"state": before.numpy(), "after": after, "action": actions[rows], "outcome": outcome})

    def _data(self) -> dict[str, torch.Tensor]:
        """All transitions in the replay."""
        return {name: torch.as_tensor(column, device=self.device) for name, column in self.replay.everything().items()}

    def _update(
        self, data: dict[str, torch.Tensor], pools: list[tuple[np.ndarray, int]], segments: list[Segments]
    ) -> dict[str, float]:
        """One gradient step on a batch, of which each pool (rows, count) supplies `count` transitions. Returns losses."""
        c = self.config
        pick = self.rng.integers(0, len(data["state"]), c.batch)
        at = 0
        for pool, count in pools:
            if len(pool):
                pick[at : at + count] = self.rng.choice(pool, count)
                at += count
        rows = torch.as_tensor(pick, device=self.device)
        action = nn.functional.one_hot(data["action"][rows], self.actions).float()
        losses = self.model.losses(data["state"][rows], action, data["after"][rows], data["outcome"][rows])
        losses |= self._roll(data["state"], segments)
        self.optimizer.zero_grad()
        torch.stack(list(losses.values())).sum().backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), c.grad_clip)
        self.optimizer.step()
        return {name: float(loss.detach()) for name, loss in losses.items()}

    def _roll(self, state: torch.Tensor, segments: list[Segments]) -> dict[str, torch.Tensor]:
        """The loss of a batch of path segments of each disc, in half of which something stops or deflects it."""
        half, each = self.config.batch // 2, []
        for disc, all_segments in zip(self.model.parts().rolling, segments, strict=True):
            if not len(all_segments.row):
                continue
            met = (all_segments.label > 0).any(-1)
            pools = [rows.nonzero()[:, 0].cpu().numpy() for rows in (met, ~met)]
            pick = np.concatenate([self.rng.choice(pool, half) for pool in pools if len(pool)])
            chosen = Segments(*(part[torch.as_tensor(pick, device=self.device)] for part in all_segments))
            each.append(self.model.rolling[disc].losses(state[chosen.row], chosen, self.model.step))
        return {"ways": torch.stack(each).sum()} if each else {}

    def act_graph(self) -> TorchGraph:
        return RememberGraph(self.model).graph()

    def imagine_graph(self) -> TorchGraph:
        return PredictGraph(self.model).graph(PLAN_ROWS)

    def sync(self, store: Store) -> None:
        self.steps = store.scalar("steps", self.steps)
        self.rounds = store.scalar("rounds", self.rounds)
        self.training_seed = store.scalar("training_seed", self.training_seed)
        self.returns.sync(store)
        self.replay.sync(store)
        store.module("model", self.model)
        store.optimizer("optimizer", self.optimizer)
        store.rng("rng", self.rng)


def _mean_loss(losses: list[dict[str, float]]) -> float:
    return float(np.mean([sum(figures.values()) for figures in losses]))


def _planning_figures(state: PlanningState) -> dict[str, float]:
    """Searches per episode, and the fraction of planned steps whose outcome was not the predicted one."""
    followed = int(state.followed.sum())
    return {"plans": float(state.searches.mean()), "surprised": float(state.surprised.sum()) / max(followed, 1)}
