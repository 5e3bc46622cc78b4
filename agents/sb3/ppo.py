"""PPO (Schulman et al. 2017) by stable-baselines3: the model-free baseline without memory."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from torch import Tensor, nn

from unseen.agents.sb3.features import feature_arguments
from unseen.agents.sb3.generators import IsolatedRNG
from unseen.agents.sb3.vec import SB3Vec
from unseen.agents.shared.actions import ActionHead, ContinuousActions, action_head, normal
from unseen.agents.shared.checkpoint import Store
from unseen.agents.shared.collector import EpisodeReturns
from unseen.agents.shared.encoders import prepare
from unseen.agents.shared.envs import AutoresetMode, EnvConfig, ObservationSpec
from unseen.agents.shared.torch_graph import TorchGraph
from unseen.agents.shared.torch_learner import TorchLearner

SEED_STRIDE = 1_000_003  # between the first environment seeds of consecutive training seeds


@dataclass(frozen=True)
class PPOConfig:
    """Hyperparameters, tuned on RolledBehind."""

    envs: int = 128
    """parallel environments"""
    rollout: int = 128
    """steps per environment between updates"""
    batch: int = 2048
    """steps per minibatch"""
    epochs: int = 10
    """passes over each rollout"""
    lr: float = 5e-4
    """learning rate"""
    gamma: float = 0.97
    """discount"""
    lam: float = 0.95
    """lambda of generalised advantage estimation"""
    clip: float = 0.2
    """clip range of the probability ratio"""
    ent_coef: float = 0.03
    """weight of the entropy bonus"""
    vf_coef: float = 0.5
    """weight of the value loss"""
    hidden: int = 128
    """hidden units per layer"""


class PPOLearner(TorchLearner):
    """Trains PPO on flat, ray or image observations and any actions. One `advance` is one rollout and its updates."""

    name = "ppo"
    config_class: ClassVar[type[PPOConfig]] = PPOConfig
    config: PPOConfig
    autoreset = AutoresetMode.SAME_STEP

    def __init__(
        self, env: EnvConfig, seed: int = 0, device: str = "cpu", config: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(env, seed, device, config)
        self.vec = _ReturnCountingVec(self.envs.vector)
        self.head = action_head(self.envs.vector.single_action_space)
        self.generators = IsolatedRNG(seed)
        self.seed = SEED_STRIDE * (seed + 1)
        with self.generators.active():
            self.model = self.build(seed, device)
            self.vec.seed(self.seed)  # takes effect at the reset in _setup_learn
            _, self._callback = self.model._setup_learn(1 << 62, None)

    def build(self, seed: int, device: str) -> OnPolicyAlgorithm:
        features = feature_arguments(self.envs.observation, self.config.hidden)
        policy = {"net_arch": [self.config.hidden] * 2} | features
        return PPO("MlpPolicy", self.vec, policy_kwargs=policy, device=device, **self.arguments())

    def arguments(self) -> dict[str, Any]:
        """Constructor arguments common to PPO and RecurrentPPO."""
        c = self.config
        return dict(
            n_steps=c.rollout,
            batch_size=c.batch,
            n_epochs=c.epochs,
            learning_rate=c.lr,
            gamma=c.gamma,
            gae_lambda=c.lam,
            clip_range=c.clip,
            ent_coef=c.ent_coef,
            vf_coef=c.vf_coef,
            verbose=0,
        )

    @property
    def steps(self) -> int:  # type: ignore[override]
        return self.model.num_timesteps

    @property
    def episodes(self) -> int:  # type: ignore[override]
        return self.vec.returns.episodes

    def advance(self) -> dict[str, float]:
        model, c = self.model, self.config
        assert model.env is not None
        with self.generators.active():
            model.collect_rollouts(model.env, self._callback, model.rollout_buffer, c.rollout)
            with self.timed(c.epochs * math.ceil(c.envs * c.rollout / c.batch)):
                model.train()
        logged = model.logger.name_to_value
        figures = {k.removeprefix("train/"): float(v) for k, v in logged.items() if k.startswith("train/")}
        model.logger.name_to_value.clear()
        if math.isnan(figures.get("explained_variance", 0.0)):  # stable-baselines3's word for returns that do not vary
            del figures["explained_variance"]
        return figures | {"episode_return": self.vec.returns.mean}

    def act_graph(self) -> TorchGraph:
        graph = PPOGraph(self.model.policy, self.envs.observation, self.head)
        return TorchGraph(graph, graph.example(), graph.outputs)

    def sync(self, store: Store) -> None:
        model = self.model
        store.module("policy", model.policy)
        store.optimizer("optimizer", model.policy.optimizer)
        self.generators.sync(store)
        model.num_timesteps = store.scalar("steps", model.num_timesteps)
        model._n_updates = store.scalar("updates", model._n_updates)
        self.vec.returns.sync(store)
        if self.envs.has_snapshots:
            snapshot = store.data("snapshot", self.envs.snapshot())
            obs, starts = model._last_obs, model._last_episode_starts
            assert isinstance(obs, np.ndarray) and starts is not None  # _setup_learn made them
            model._last_obs, model._last_episode_starts = store.array("obs", obs), store.array("starts", starts)
            self.sync_memory(store)
            if store.reading:
                self.envs.restore(snapshot)
        elif store.reading:
            self.reset_environments()

    def sync_memory(self, store: Store) -> None:
        """Store or restore the recurrent state; none here."""

    def reset_environments(self) -> None:
        """Start new episodes in all environments, with other seeds than those of the first reset."""
        self.vec.returns.discard_running()
        assert self.model.env is not None
        self.model.env.seed(self.seed + self.steps + 1)
        self.model._last_obs = self.model.env.reset()  # type: ignore[assignment]
        self.model._last_episode_starts = np.ones(self.config.envs, bool)


class _ReturnCountingVec(SB3Vec):
    """Records episode returns. Observations are copied into torch's aligned memory: rounding depends on alignment, and a
    resumed run must be bit-identical."""

    def __init__(self, env: Any) -> None:
        super().__init__(env)
        self.returns = EpisodeReturns(env.num_envs)

    def reset(self) -> Any:
        return torch.tensor(super().reset()).numpy()

    def step_wait(self) -> Any:
        obs, reward, done, infos = super().step_wait()
        self.returns.add(reward, done)
        return torch.tensor(obs).numpy(), reward, done, infos


class PolicyGraph(nn.Module):
    """Base of the PPO and RecurrentPPO policy graphs; see `unseen.agents.shared.graph_agent`."""

    def __init__(self, policy: Any, observation: ObservationSpec, head: ActionHead) -> None:
        super().__init__()
        self.observation, self.head = observation, head
        self.features = policy.pi_features_extractor
        self.body, self.out = policy.mlp_extractor.policy_net, policy.action_net
        self.outputs = ["action", "logits"]
        if isinstance(head, ContinuousActions):
            self.outputs = ["action", "explored"]
            self.log_std, self.low, self.high = policy.log_std, head.low, head.high

    def example(self, n: int = 2) -> dict[str, Tensor]:
        """Example inputs with batch size n, which define the shapes."""
        inputs = {"obs": torch.zeros(n, self.observation.size)}
        return inputs if "logits" in self.outputs else inputs | {"noise": torch.zeros(n, self.head.noise)}

    def encode(self, obs: Tensor) -> Tensor:
        """Features of flattened observations (n, d)."""
        rows = prepare(obs.reshape(-1, *self.observation.shape), self.observation)
        return self.features(rows.permute(0, 3, 1, 2) if self.observation.image else rows)

    def choose(self, hidden: Tensor, noise: Tensor | None) -> tuple[Tensor, Tensor]:
        """The most likely action, and the logits (discrete) or a sampled action (continuous)."""
        outputs = self.out(self.body(hidden))
        if noise is None:
            return outputs.argmax(-1), outputs
        low, high = self.low.to(outputs.device), self.high.to(outputs.device)
        drawn = outputs + self.log_std.exp() * normal(noise)
        return torch.clamp(outputs, low, high), torch.clamp(drawn, low, high)


class PPOGraph(PolicyGraph):
    def forward(self, obs: Tensor, noise: Tensor | None = None) -> tuple[Tensor, ...]:
        return self.choose(self.encode(obs), noise)
