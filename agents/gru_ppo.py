"""GRU-PPO: PPO (Schulman et al. 2017) with a recurrent network, on whole episodes, with an optional map of places.

Each iteration plays one whole episode in each environment, and trains on full sequences from the first step, so that the cue to be
remembered is never cut off. Actor and critic are trained only on steps at which actions have an effect.

With `map`, a head on the GRU learns where everything is, from labels made of the episode's own observations
(`unseen.agents.shared.sightings`), and the policy looks up in it what is asked for. The labels are equally valid whatever policy played,
so the GRU and the map learn from a replay of episodes, and from the map's loss alone: several passes over a few recent episodes, or
gradients of the policy, keep the map from learning what many episodes have in common (docs/agents.md). The map has a head start: for the
first `map_warmup` minibatches the policy is not trained.
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
from unseen.agents.shared.replay import EpisodeRing
from unseen.agents.shared.settings import TimeLimit
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
    """initial learning rate of actor and critic"""
    lr_end: float = 3e-4
    """final learning rate of actor and critic"""
    entropy: float = 0.03
    """initial weight of the entropy bonus"""
    entropy_end: float = 0.01
    """final weight of the entropy bonus"""
    anneal_steps: int = 1_000_000
    """environment steps over which learning rates and entropy weight change linearly"""
    repeat: int = 1
    """environment steps per decision: its action is repeated. Episodes, sequences, roll-outs and the discount then count decisions"""
    gamma: float = 0.97
    """discount"""
    time_limit: TimeLimit = "auto"
    """what a time limit does to an episode: it "ends" it, or "cuts" it off, so that the value of the last observation counts; "auto": it
    ends where the limit belongs to the task, as in this suite, and cuts in other Gymnasium environments"""
    lam: float = 0.95
    """lambda of generalised advantage estimation"""
    clip: float = 0.2
    """clip range of the probability ratio"""
    value_weight: float = 0.5
    """weight of the value loss"""
    memory_lr: float = 4e-3
    """initial learning rate of the memory (encoder and GRU) and of the map; it changes by the same factor as `lr`"""
    map_batches: int = 16
    """minibatches of replayed episodes per iteration on which GRU and map are trained"""
    map_warmup: int = 128
    """minibatches on which GRU and map are trained before the policy is"""
    replay_steps: int = 500_000
    """capacity of the replay that the map is trained on, in environment steps"""
    hidden: int = 128
    """hidden units per layer, and size of the GRU"""
    grad_clip: float = 1.0
    """maximum gradient norm, of memory and map together, and of actor and critic together"""


class GRUPPOLearner(TorchLearner):
    """Trains GRU-PPO on vector or image observations and any actions; a map needs entity slots or rays."""

    name = "gru-ppo"
    config_class: ClassVar[type[GRUPPOConfig]] = GRUPPOConfig
    config: GRUPPOConfig
    needs_snapshots = False

    def __init__(
        self, env: EnvConfig, seed: int = 0, device: str = "cpu", config: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(env, seed, device, config)
        c = self.config
        for name in ("batch", "epochs", "longest", "anneal_steps", "hidden", "map_batches"):
            if getattr(c, name) < 1:
                raise BadAgent(f"setting {name}={getattr(c, name)}: must be positive")
        for name in ("lr", "memory_lr"):
            if getattr(c, name) <= 0:
                raise BadAgent(f"setting {name}={getattr(c, name)}: must be positive")
        self.device = torch.device(device)
        self.layout = self.envs.layout
        if c.map != "none" and self.layout is None:
            raise BadAgent(f"{self.name} with map={c.map}: a map needs entity slots or rays, which {env.label} has not")
        self.head = action_head(self.envs.vector.single_action_space)
        self.rng = np.random.Generator(np.random.Philox(seed))
        self.training_seed = seed
        self.rewarded = not env.free
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            map_layout = self.layout if c.map != "none" else None
            self.net = RecurrentActorCritic(self.envs.observation, self.head, c.hidden, map_layout).to(self.device)
        memory, policy = self.net.parameter_groups()
        self.lr = [c.memory_lr, c.lr]
        self.optimizer = torch.optim.Adam([{"params": memory}, {"params": policy}], c.lr, eps=1e-5, fused=True)
        self.replay = None if self.net.map is None else self._replay(self.net.map.entities)
        self.returns = EpisodeReturns(c.envs)
        self.steps = self.iterations = self.mapped = 0

    def ask(self, env: EnvConfig) -> None:
        """See `Learner`. In free play only the map learns; without a map, only the standardisation of observations is updated."""
        self.move(env)
        if self.layout is not None and not self.rewarded:
            self.net.ignore(self.layout.query)
        self.rewarded = not env.free

    @property
    def episodes(self) -> int:  # type: ignore[override]
        return self.iterations * self.config.envs

    def advance(self) -> dict[str, float]:
        c = self.config
        played, memory = self._play()
        done = min(1.0, self.steps / c.anneal_steps)
        for group, lr in zip(self.optimizer.param_groups, self.lr, strict=True):
            group["lr"] = lr * (1 + (c.lr_end / c.lr - 1) * done)
        self.steps += played.steps
        self.iterations += 1
        self.returns.add(played.reward.sum(0), np.ones(c.envs, bool))
        if self.net.standardise is not None:  # changes the inputs of the policy that has just played, but only slightly
            self.net.standardise.update(torch.as_tensor(played.obs[:-1][played.alive], device=self.device))
        figures: list[dict[str, float]] = []
        if self.rewarded and (self.replay is None or self.mapped >= c.map_warmup):
            data = self._training_data(played, memory)
            entropy_weight = c.entropy + (c.entropy_end - c.entropy) * done
            for _ in range(c.epochs):
                order = self.rng.permutation(c.envs)
                for start in range(0, c.envs, c.batch):
                    with self.timed():
                        figures.append(
                            self._update(data, order[start : start + c.batch], played.length, entropy_weight)
                        )
        if self.replay is not None:
            self._keep(played, self.replay)
            with self.timed(c.map_batches):
                figures += [self._update_map(self.replay) for _ in range(c.map_batches)]
        names = {name for one in figures for name in one}
        means = {name: float(np.mean([f[name] for f in figures if name in f])) for name in sorted(names)}
        return means | {"episode_return": self.returns.mean}

    @torch.no_grad()
    def _play(self) -> tuple[Episodes, Tensor]:
        """Episodes of the current policy, one per environment, and its memory at their ends (n, size)."""
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
        """Time-major tensors (T, n, ...) of all that the losses need."""
        c, net = self.config, self.net
        after = np.zeros(c.envs, np.float32)
        if self.limit_cuts:
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
            "acts": acts,
        }
        if net.map is not None:
            columns["features"] = net.remember(torch.as_tensor(played.obs[:-1], device=self.device))
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
        """One gradient step on the given episodes (indices). Returns metrics."""
        c, net = self.config, self.net
        pick = torch.as_tensor(episodes)
        batch = {name: column[: length[episodes].max(), pick] for name, column in data.items()}
        features = net.remember(batch["obs"]) if net.map is None else batch["features"]
        acts = batch["acts"]
        inputs = net.inputs(features[acts], batch["obs"][acts])
        policy = self.head.distribution(net.actor(inputs))
        ratio = (policy.log_prob(batch["action"][acts]) - batch["log_prob"][acts]).exp()
        advantage = batch["advantage"][acts]
        clipped = ratio.clamp(1 - c.clip, 1 + c.clip)
        figures = {
            "policy": -torch.minimum(ratio * advantage, clipped * advantage).mean(),
            "value": net.twohot.loss(net.critic(inputs), batch["target"][acts]).mean(),
            "entropy": policy.entropy().mean(),
        }
        self._descend(figures["policy"] + c.value_weight * figures["value"] - entropy_weight * figures["entropy"])
        return {name: float(value.detach()) for name, value in figures.items()}

    def _update_map(self, replay: EpisodeRing) -> dict[str, float]:
        """One gradient step of GRU and map on replayed episodes. Returns metrics."""
        sample = replay.sample(self.rng, self.config.batch, self.config.longest + 1)
        batch = {name: torch.as_tensor(column, device=self.device) for name, column in sample.items()}
        assert self.net.map is not None
        valid = batch["mask"] > 0
        features = self.net.remember(batch["obs"])[valid]
        labels = (batch[name][valid] for name in ("known", "places", "numbers"))
        loss = self.net.map.loss(features, *labels).mean()
        self._descend(loss)
        self.mapped += 1
        return {"map": float(loss.detach())}

    def _descend(self, loss: Tensor) -> None:
        self.optimizer.zero_grad()
        loss.backward()
        for group in self.net.parameter_groups():
            nn.utils.clip_grad_norm_(group, self.config.grad_clip)
        self.optimizer.step()

    def _replay(self, entities: int) -> EpisodeRing:
        row = np.zeros((1, self.envs.observation.size), np.float32)
        each, place = np.zeros((1, entities), np.float32), np.zeros((1, entities, 3), np.float32)
        like = {"obs": row, "known": each, "places": place, "numbers": each}
        return EpisodeRing(self.config.replay_steps, like)

    def _keep(self, played: Episodes, replay: EpisodeRing) -> None:
        """Add episodes, including their last observations, and the map's labels to the replay."""
        assert self.layout is not None  # see __init__
        labels = LABELS[self.config.map](played.obs, played.length + 1, self.layout, self.envs.observation.rays)
        columns = {"obs": played.obs, **labels._asdict()}
        for i, n in enumerate(played.length + 1):
            replay.add({name: column[:n, i] for name, column in columns.items()})

    def act_graph(self) -> TorchGraph:
        return RecurrentGraph(self.net).graph()

    def sync(self, store: Store) -> None:
        self.steps = store.scalar("steps", self.steps)
        self.iterations = store.scalar("iterations", self.iterations)
        self.mapped = store.scalar("mapped", self.mapped)
        self.training_seed = store.scalar("training_seed", self.training_seed)
        self.returns.sync(store)
        store.module("net", self.net)
        store.optimizer("optimizer", self.optimizer)
        store.rng("rng", self.rng)
        if self.replay is not None:
            self.replay.sync(store)


@dataclass(frozen=True)
class GRUMapperConfig(GRUPPOConfig):
    """Hyperparameters of `GRUPPOConfig`, with a map."""

    map: Literal["none", "last-seen", "hindsight"] = "hindsight"
    """labels of the map of places; "none" for no map"""


class GRUMapperLearner(GRUPPOLearner):
    """GRU-PPO with a hindsight map."""

    name = "gru-mapper"
    config_class: ClassVar[type[GRUPPOConfig]] = GRUMapperConfig
