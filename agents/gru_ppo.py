"""GRU-PPO: PPO (Schulman et al. 2017) with a recurrent network, on whole episodes, with an optional map of places.

Each iteration plays one episode in each environment from its start to its end, and trains on all of them from their start: a
sequence is never cut off from the cue to be remembered. The policy is trained only on steps at which actions have an effect.

With `map`, a head of the GRU learns where everything is from labels that it makes itself (`unseen.agents.shared.sightings`), and the
policy looks up in it what is asked for. The map starts learning first: until `map_updates` the policy is not trained.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor, nn

from unseen.agents.errors import BadAgent
from unseen.agents.models.recurrent import RecurrentActorCritic, RecurrentGraph
from unseen.agents.shared.actions import action_head
from unseen.agents.shared.actor_critic import largest_return
from unseen.agents.shared.checkpoint import Store
from unseen.agents.shared.collector import EpisodeReturns
from unseen.agents.shared.envs import EnvConfig
from unseen.agents.shared.episodes import Episodes, advantages, play
from unseen.agents.shared.sightings import LABELS
from unseen.agents.shared.torch_graph import TorchGraph
from unseen.agents.shared.torch_learner import TorchLearner, first_episode_seed


@dataclass(frozen=True)
class GRUPPOConfig:
    """Hyperparameters."""

    map: Literal["none", "last-seen", "hindsight"] = "none"
    """labels of the map of places; "none" for no map"""
    envs: int = 256
    """parallel environments, and episodes per iteration"""
    batch: int = 64
    """episodes per minibatch"""
    epochs: int = 4
    """passes over the episodes of an iteration"""
    longest: int = 1000
    """steps after which an episode is cut off"""
    lr: float = 1e-3
    """initial learning rate"""
    lr_end: float = 3e-4
    """final learning rate"""
    entropy: float = 0.03
    """initial weight of the entropy bonus"""
    entropy_end: float = 0.01
    """final weight of the entropy bonus"""
    anneal_steps: int = 1_000_000
    """environment steps over which learning rate and entropy weight change linearly"""
    gamma: float = 0.97
    """discount"""
    lam: float = 0.95
    """lambda of generalised advantage estimation"""
    clip: float = 0.2
    """clip range of the probability ratio"""
    value_weight: float = 0.5
    """weight of the value loss"""
    map_updates: int = 128
    """updates of the map before the policy is trained"""
    hidden: int = 128
    """hidden units per layer, and size of the GRU"""
    grad_clip: float = 1.0
    """maximum gradient norm of memory and map, and of actor and critic"""


class GRUPPOLearner(TorchLearner):
    """Trains GRU-PPO on flat, ray or image observations and any actions; a map needs entity slots."""

    name = "gru-ppo"
    config_class: ClassVar[type[GRUPPOConfig]] = GRUPPOConfig
    config: GRUPPOConfig
    needs_snapshots = False

    def __init__(
        self, env: EnvConfig, seed: int = 0, device: str = "cpu", config: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(env, seed, device, config)
        c = self.config
        for name in ("batch", "epochs", "longest", "anneal_steps", "hidden"):
            if getattr(c, name) < 1:
                raise BadAgent(f"setting {name}={getattr(c, name)}: must be positive")
        self.device = torch.device(device)
        self.layout = self.envs.layout
        if c.map != "none" and self.layout is None:
            raise BadAgent(f"{self.name} with map={c.map}: a map needs entity slots, which {env.label} has not")
        self.head = action_head(self.envs.vector.single_action_space)
        self.rng = np.random.Generator(np.random.Philox(seed))
        self.training_seed = seed
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            map_layout = self.layout if c.map != "none" else None
            self.net = RecurrentActorCritic(self.envs.observation, self.head, c.hidden, map_layout).to(self.device)
        self.optimizer = torch.optim.Adam(self.net.parameters(), c.lr, eps=1e-5, fused=True)
        self.returns = EpisodeReturns(c.envs)
        self.steps = self.iterations = self.updates = 0

    @property
    def episodes(self) -> int:  # type: ignore[override]
        return self.iterations * self.config.envs

    def advance(self) -> dict[str, float]:
        c = self.config
        played, memory = self._play()
        done = min(1.0, self.steps / c.anneal_steps)
        for group in self.optimizer.param_groups:
            group["lr"] = c.lr + (c.lr_end - c.lr) * done
        self.steps += played.steps
        self.iterations += 1
        self.returns.add(played.reward.sum(0), np.ones(c.envs, bool))
        data = self._training_data(played, memory)
        entropy_weight = c.entropy + (c.entropy_end - c.entropy) * done
        figures: list[dict[str, float]] = []
        for _ in range(c.epochs):
            order = self.rng.permutation(c.envs)
            for start in range(0, c.envs, c.batch):
                with self.timed():
                    figures.append(self._update(data, order[start : start + c.batch], played.length, entropy_weight))
        means = {name: float(np.mean([f[name] for f in figures if name in f])) for name in figures[-1]}
        return means | {"episode_return": self.returns.mean}

    @torch.no_grad()
    def _play(self) -> tuple[Episodes, Tensor]:
        """Episodes of the current policy, and its memory at their ends (n, size)."""
        n, net = self.config.envs, self.net
        memory = torch.zeros(n, net.size, device=self.device)

        def choose(obs: np.ndarray, rows: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
            seen = torch.as_tensor(obs, device=self.device)
            features = net.step(seen, memory[rows])
            memory[rows] = features
            inputs = net.inputs(features, seen)
            policy = self.head.distribution(net.actor(inputs))
            noise = self.rng.random((len(rows), self.head.noise), np.float32)
            action = policy.sample(torch.as_tensor(noise, device=self.device))
            return action.cpu(), policy.log_prob(action).cpu(), net.value(inputs).cpu()

        limit = min(self.envs.horizon or self.config.longest, self.config.longest)
        first_seed = first_episode_seed(self.training_seed, self.iterations, n)
        return play(self.envs, self.head, choose, first_seed, limit), memory

    @torch.no_grad()
    def _training_data(self, played: Episodes, memory: Tensor) -> dict[str, Tensor]:
        """Time-major tensors of all that the losses need."""
        c, net = self.config, self.net
        last = torch.as_tensor(played.obs[played.length, np.arange(c.envs)], device=self.device)
        after = net.value(net.inputs(net.step(last, memory), last)).cpu().numpy()
        advantage = advantages(played, after, c.gamma, c.lam)
        acts = alive = played.alive
        if self.layout is not None:
            acts = alive & self.layout.acts(played.obs[:-1])
        chosen = advantage[acts]
        columns = {
            "obs": played.obs[:-1],
            "action": played.action,
            "log_prob": played.log_prob,
            "target": advantage + played.value,
            "advantage": (advantage - chosen.mean()) / (chosen.std() + 1e-8),
            "alive": alive,
            "acts": acts,
        }
        if c.map != "none":
            assert self.layout is not None  # see __init__
            known, places = LABELS[c.map](played.obs, played.length + 1, self.layout)
            columns |= {"known": known[:-1].astype(np.float32), "places": places[:-1]}
        net.twohot.extend_range(
            max(
                largest_return(list(reward[:n]), bool(over), c.gamma)
                for reward, n, over in zip(played.reward.T, played.length, played.terminated, strict=True)
            )
        )
        return {name: torch.as_tensor(column, device=self.device) for name, column in columns.items()}

    def _update(
        self, data: dict[str, Tensor], episodes: np.ndarray, length: np.ndarray, entropy_weight: float
    ) -> dict[str, float]:
        """One gradient step on the given episodes. Returns metrics."""
        c, net = self.config, self.net
        pick = torch.as_tensor(episodes)
        batch = {name: column[: length[episodes].max(), pick] for name, column in data.items()}
        features = net.remember(batch["obs"])
        figures: dict[str, Tensor] = {}
        loss = torch.zeros((), device=self.device)
        if net.map is not None:
            alive = batch["alive"]
            figures["map"] = net.map.loss(features[alive], batch["known"][alive], batch["places"][alive]).mean()
            loss = loss + figures["map"]
        if net.map is None or self.updates >= c.map_updates:
            acts = batch["acts"]
            inputs = net.inputs(features[acts], batch["obs"][acts])
            policy = self.head.distribution(net.actor(inputs))
            ratio = (policy.log_prob(batch["action"][acts]) - batch["log_prob"][acts]).exp()
            advantage = batch["advantage"][acts]
            clipped = ratio.clamp(1 - c.clip, 1 + c.clip)
            figures["policy"] = -torch.minimum(ratio * advantage, clipped * advantage).mean()
            figures["value"] = net.twohot.loss(net.critic(inputs), batch["target"][acts]).mean()
            figures["entropy"] = policy.entropy().mean()
            loss = loss + figures["policy"] + c.value_weight * figures["value"] - entropy_weight * figures["entropy"]
        self.optimizer.zero_grad()
        loss.backward()
        for group in net.groups():
            nn.utils.clip_grad_norm_(group, c.grad_clip)
        self.optimizer.step()
        self.updates += 1
        return {name: float(value.detach()) for name, value in figures.items()}

    def act_graph(self) -> TorchGraph:
        return RecurrentGraph(self.net).graph()

    def sync(self, store: Store) -> None:
        self.steps = store.scalar("steps", self.steps)
        self.iterations = store.scalar("iterations", self.iterations)
        self.updates = store.scalar("updates", self.updates)
        self.training_seed = store.scalar("training_seed", self.training_seed)
        self.returns.sync(store)
        store.module("net", self.net)
        store.optimizer("optimizer", self.optimizer)
        store.rng("rng", self.rng)


@dataclass(frozen=True)
class GRUMapperConfig(GRUPPOConfig):
    """Hyperparameters of `GRUPPOConfig`, with a map."""

    map: Literal["none", "last-seen", "hindsight"] = "hindsight"
    """labels of the map of places; "none" for no map"""


class GRUMapperLearner(GRUPPOLearner):
    """GRU-PPO with a hindsight map."""

    name = "gru-mapper"
    config_class: ClassVar[type[GRUPPOConfig]] = GRUMapperConfig
