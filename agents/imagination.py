"""Learning a policy in imagined roll-outs of any world model (Hafner et al. 2023, DreamerV3).

Differences from DreamerV3:

- Training sequences are whole episodes up to `sequence` steps, so that the cue to be remembered is not cut off.
- The actor is trained only after `actor_warmup_updates` model updates; until then actions are uniformly random. An actor
  trained before the model remembers the cue converges to one fixed choice.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from unseen.agents.models.latent import LatentModel
from unseen.agents.models.latent_graphs import ActGraph, ImagineGraph
from unseen.agents.shared.actions import action_head
from unseen.agents.shared.actor_critic import ActorCritic, lambda_returns, largest_return
from unseen.agents.shared.checkpoint import Store
from unseen.agents.shared.collector import Collector
from unseen.agents.shared.encoders import prepare
from unseen.agents.shared.envs import EnvConfig
from unseen.agents.shared.questions import asked_episode, can_ask, touched_things
from unseen.agents.shared.replay import EpisodeReplay
from unseen.agents.shared.settings import TimeLimit
from unseen.agents.shared.sightings import map_columns
from unseen.agents.shared.torch_graph import TorchGraph
from unseen.agents.shared.torch_learner import TorchLearner, environment_seed

UPDATES_PER_ADVANCE = 8
MAX_STEPS_PER_ADVANCE = 64  # steps of every environment in one `advance`, when fewer updates than that are due


@dataclass(frozen=True)
class ImaginationConfig:
    """Hyperparameters. The defaults were tuned on RolledBehind, for a dreamer whose latent carried a map."""

    hidden: int = 128
    """hidden units of every layer"""
    envs: int = 16
    """parallel environments"""
    replay_ratio: float = 128.0
    """replayed steps per environment step, or per decision if it lasts several"""
    batch: int = 32
    """episodes per update"""
    sequence: int = 128
    """maximum sequence length in steps; from a longer episode a random segment is drawn"""
    replay_steps: int = 1_000_000
    """replay capacity in environment steps"""
    prefill: int = 64
    """episodes collected before the first update"""
    actor_warmup_updates: int = 1200
    """model updates before the actor is trained; until then actions are uniformly random"""
    model_lr: float = 1e-3
    """learning rate of the world model, except of parts that have their own"""
    actor_lr: float = 6e-4
    """learning rate of actor and critic"""
    repeat: int = 1
    """environment steps per decision: its action is repeated. Episodes, sequences, roll-outs and the discount then count decisions"""
    horizon: int = 12
    """length of imagined roll-outs in steps"""
    imagination_starts: int = 128
    """imagined roll-outs per update"""
    gamma: float = 0.97
    """discount"""
    time_limit: TimeLimit = "auto"
    """what a time limit does to an episode: it "ends" it, or "cuts" it off, so that the value of the last observation counts; "auto": it
    ends where the limit belongs to the task, as in this suite, and cuts in other Gymnasium environments"""
    lam: float = 0.95
    """lambda of the TD(lambda) returns"""
    entropy: float = 0.03
    """initial weight of the entropy bonus"""
    entropy_end: float = 0.01
    """final weight of the entropy bonus"""
    entropy_anneal_steps: int = 100_000
    """environment steps over which the entropy weight changes linearly from `entropy` to `entropy_end`"""
    return_floor: float = 0.1
    """lower bound on the scale that advantages are divided by"""
    tau: float = 0.02
    """update rate of the target critic"""
    grad_clip: float = 10.0
    """maximum gradient norm"""


class ImaginationLearner(TorchLearner):
    """Trains a world model, and an actor and a critic in its imagination, on any torch device, with any observations and actions.

    Subclasses define `build_model` and `update_model`.

    Attributes:
        map_labels: the labels of the model's map, if it has one: those of LABELS, or "none".
    """

    map_labels: str = "none"

    config_class: ClassVar[type[ImaginationConfig]]
    config: ImaginationConfig
    model: LatentModel

    def __init__(
        self, env: EnvConfig, seed: int = 0, device: str = "cpu", config: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(env, seed, device, config)
        c = self.config
        self.device = torch.device(device)
        self.layout = self.envs.layout
        self.head = action_head(self.envs.vector.single_action_space)
        self.rng = np.random.Generator(np.random.Philox(seed))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.model = self.build_model().to(self.device)
            self.ac = ActorCritic(self.model.actor_inputs, self.head, c.hidden).to(self.device)
        self.noise = torch.Generator(device=self.device).manual_seed(seed)
        self.model_opt = torch.optim.Adam(self.model_groups(), c.model_lr, fused=True)
        learned = [p for p in self.ac.parameters() if p.requires_grad]
        self.ac_opt = torch.optim.Adam(learned, c.actor_lr, fused=True)
        self.collector = collector = Collector(self.envs, self.head, environment_seed(seed, c.envs))
        self.replay = EpisodeReplay(c.replay_steps, collector.obs, collector.action, self.target_size())
        self.latent = torch.zeros(c.envs, self.model.size, device=self.device)
        self.updates = 0
        self.update_credit = 0.0

    @property
    def steps(self) -> int:  # type: ignore[override]
        return self.collector.steps

    @property
    def episodes(self) -> int:  # type: ignore[override]
        return self.collector.returns.episodes

    @abstractmethod
    def build_model(self) -> LatentModel:
        """The world model, with new parameters."""

    @abstractmethod
    def update_model(self, batch: dict[str, Tensor]) -> tuple[Tensor, dict[str, float]]:
        """One gradient step on replayed episodes. Returns their latents (T, B, F) and metrics.

        batch: time-major columns of `EpisodeReplay.sample`, with prepared observations.
        """

    def model_groups(self) -> list[dict[str, Any]]:
        """Parameter groups of the model's optimiser; the gradients of each are clipped separately."""
        return [{"params": list(self.model.parameters())}]

    def target_size(self) -> int:
        """Number of values in the labels of the model's map at a step."""
        return 0 if self.model.map is None else 5 * self.model.map.entities

    def targets(self, obs: np.ndarray, length: np.ndarray) -> np.ndarray:
        """The labels of the map (n, T, target_size) for episodes with observations `obs` (n, T, ...) and lengths `length` (n,)."""
        if self.model.map is None or self.layout is None:
            return np.zeros((*obs.shape[:2], 0), np.float32)
        return map_columns(obs, length, self.map_labels, self.layout, self.envs.observation.rays)

    # --- free play, then questions ---

    def ask(self, env: EnvConfig) -> None:
        """See `Learner`. Replayed episodes are cut off at the first touch, and each gets a random query."""
        layout = can_ask(self.name, env, self.layout)
        self.move(env)
        self.collector.move(self.envs)
        things = touched_things(self.replay.ring.everything()["obs"], layout)
        self.replay.relabel(lambda steps: asked_episode(steps, layout, self.rng, things))

    @torch.no_grad()
    def think(self, updates: int) -> dict[str, float]:
        figures: dict[str, float] = {}
        for _ in range(updates if len(self.replay) else 0):
            with self.timed():
                figures = self._update()
        return figures

    # --- act ---

    @torch.no_grad()
    def advance(self) -> dict[str, float]:
        figures: dict[str, float] = {}
        updates = steps = 0
        while updates < UPDATES_PER_ADVANCE and steps < MAX_STEPS_PER_ADVANCE:
            if steps and self.stop_at is not None and self.episodes >= self.stop_at:
                break
            self._collect()
            steps += 1
            while self.update_credit >= 1:
                self.update_credit -= 1
                with self.timed():
                    figures = self._update()
                updates += 1
        return figures | {"episode_return": self.collector.returns.mean, "updates": float(self.updates)}

    def _collect(self) -> None:
        """Step every environment once. After the end of an episode the step only resets."""
        c, collector = self.config, self.collector
        self.replay.step(collector.obs, collector.action, collector.reward, collector.first)
        if collector.done.any():
            self._finish(np.flatnonzero(collector.done))
        obs = torch.tensor(
            collector.obs, device=self.device
        )  # copied into aligned memory: rounding depends on alignment
        action = self.head.encode(torch.as_tensor(collector.action, device=self.device))
        keep = torch.as_tensor(~collector.first, device=self.device).float()[:, None]
        noise = self.uniform(c.envs, self.model.groups)
        self.latent = self.model.observe(self.latent, action, self.model.encode(obs), keep, noise)
        if self.updates < c.actor_warmup_updates:
            actions = self.head.random(self.rng, c.envs)
        else:
            policy = self.ac.policy(self.model.actor_input(self.latent))
            actions = self.head.decode(policy.sample(self.uniform(c.envs, self.head.noise))).cpu().numpy()
        stepped = collector.step(actions)
        if self.replay.episodes >= c.prefill:
            length = self.replay.mean_length if self.envs.horizon is None else self.envs.horizon + 1
            self.update_credit += stepped * c.replay_ratio / (c.batch * min(length, c.sequence))

    def _finish(self, ended: np.ndarray) -> None:
        """Move the finished episodes of the environments `ended` (m,) into the replay."""
        rewards = self.replay.rewards(ended)
        over = self.collector.terminated if self.limit_cuts else self.collector.done
        self.replay.finish(ended, over, self.targets(*self.replay.running_obs(ended)))
        for reward, ends in zip(rewards, over[ended], strict=True):
            self.model.twohot.extend_range(float(np.abs(reward).max()))
            self.ac.twohot.extend_range(largest_return(reward.tolist(), bool(ends), self.config.gamma))

    def uniform(self, *shape: int) -> Tensor:
        """Uniform noise in [0, 1) from the learner's generator."""
        return torch.rand(shape, generator=self.noise, device=self.device)

    # --- loss ---

    def _update(self) -> dict[str, float]:
        """Update the world model and, after the warm-up, actor and critic. Returns metrics."""
        c = self.config
        sample = self.replay.sample(self.rng, c.batch, c.sequence)
        batch = {name: torch.tensor(value, device=self.device) for name, value in sample.items()}
        batch["obs"] = prepare(batch["obs"], self.envs.observation)
        with torch.enable_grad():
            latent, figures = self.update_model(batch)
        self.updates += 1
        if self.updates >= c.actor_warmup_updates:
            latents, actions = self._imagine(self._imagination_starts(latent.detach(), batch))
            with torch.enable_grad():
                figures |= self._update_actor(latents, actions)
        return figures

    def _imagination_starts(self, latent: Tensor, batch: dict[str, Tensor]) -> Tensor:
        """Latents (N, F) to start roll-outs from, at random non-terminal steps at which actions have an effect."""
        may_act = (batch["mask"] > 0) & (batch["terminated"] == 0)
        if self.layout is not None:
            may_act &= self.layout.acts(batch["obs"])
        rows = may_act.flatten().nonzero()[:, 0].cpu().numpy()
        pick = torch.as_tensor(self.rng.choice(rows, self.config.imagination_starts), device=self.device)
        return latent.flatten(0, 1)[pick]

    def _imagine(self, latent: Tensor) -> tuple[Tensor, Tensor]:
        """Roll out the model under the policy: latents (H + 1, N, F) and encoded actions (H, N, A)."""
        c = self.config
        model_noise = self.uniform(c.horizon, len(latent), self.model.groups)
        actor_noise = self.uniform(c.horizon, len(latent), self.head.noise)
        latents, actions = [latent], []
        for t in range(c.horizon):
            actions.append(self.ac.policy(self.model.actor_input(latents[-1])).sample(actor_noise[t]))
            latents.append(self.model.imagine_step(latents[-1], actions[-1], model_noise[t]))
        return torch.stack(latents), torch.stack(actions)

    def _update_actor(self, latents: Tensor, actions: Tensor) -> dict[str, float]:
        """One gradient step of actor and critic on imagined roll-outs. Returns metrics."""
        c, ac = self.config, self.ac
        with torch.no_grad():
            reward = self.model.reward(latents)
            cont = self.model.continues(latents)
            cont[0] = 1
            inputs = self.model.actor_input(latents)
            last = ac.value(inputs[-1:])
            target_value = ac.target_value(inputs[:-1])
        logits = ac.critic(inputs[:-1])
        with torch.no_grad():
            value = torch.cat([ac.twohot.mean(logits), last])
            discount = c.gamma * cont
            target = lambda_returns(reward, discount, value, c.lam)
            weight = torch.cumprod(torch.cat([cont[:1], discount[1:-1]]), 0)
            return_scale = ac.return_scale(target, c.return_floor)
            advantage = (target - value[:-1]) / return_scale
        policy = ac.policy(inputs[:-1])
        entropy = policy.entropy()
        bonus = c.entropy + (c.entropy_end - c.entropy) * min(1.0, self.steps / c.entropy_anneal_steps)
        actor_loss = -(weight * (policy.log_prob(actions) * advantage + bonus * entropy)).mean()
        critic_loss = (weight * (ac.twohot.loss(logits, target) + ac.twohot.loss(logits, target_value))).mean()
        self.ac_opt.zero_grad()
        (actor_loss + critic_loss).backward()
        nn.utils.clip_grad_norm_(self.ac_opt.param_groups[0]["params"], c.grad_clip)
        self.ac_opt.step()
        ac.update_target(c.tau)
        figures = {"return": target.mean(), "entropy": entropy.detach().mean(), "return_scale": return_scale}
        return {name: float(value) for name, value in figures.items()}

    def descend(self, loss: Tensor) -> None:
        """One step of the model's optimiser down the gradient of `loss`."""
        self.model_opt.zero_grad()
        loss.backward()
        for group in self.model_opt.param_groups:
            nn.utils.clip_grad_norm_(group["params"], self.config.grad_clip)
        self.model_opt.step()

    # --- export and checkpoints ---

    def act_graph(self) -> TorchGraph:
        return ActGraph(self.model, self.ac, self.layout).graph(self.envs.observation)

    def imagine_graph(self) -> TorchGraph:
        return ImagineGraph(self.model, self.ac, self.layout).graph()

    def sync(self, store: Store) -> None:
        self.collector.sync(store)
        self.replay.sync(store)
        store.module("model", self.model)
        store.module("ac", self.ac)
        store.optimizer("model_opt", self.model_opt)
        store.optimizer("ac_opt", self.ac_opt)
        store.generator("noise", self.noise)
        store.rng("rng", self.rng)
        self.latent = store.tensor("latent", self.latent)
        self.updates = store.scalar("updates", self.updates)
        self.update_credit = store.scalar("update_credit", self.update_credit)
