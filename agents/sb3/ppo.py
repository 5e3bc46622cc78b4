"""PPO (Schulman et al. 2017) by stable-baselines3, on the present observation or on a stack of the last ones."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from torch import Tensor, nn
from torch.optim import Optimizer

from unseen.agents.errors import BadAgent
from unseen.agents.sb3.acting import ActingBuffer, Acts
from unseen.agents.sb3.learner import SB3Config, SB3Learner, annealed
from unseen.agents.sb3.relations import RelationalExtractor
from unseen.agents.shared.actions import ActionHead, ContinuousActions, normal


@dataclass(frozen=True)
class OnPolicyConfig(SB3Config):
    """Hyperparameters of PPO and RecurrentPPO, tuned on RolledBehind."""

    rollout: int = 128
    """steps per environment between updates"""
    batch: int = 2048
    """steps per minibatch"""
    epochs: int = 10
    """passes over each rollout"""
    lam: float = 0.95
    """lambda of generalised advantage estimation"""
    clip: float = 0.2
    """clip range of the probability ratio"""
    entropy: float = 0.03
    """initial weight of the entropy bonus"""
    entropy_end: float = 0.01
    """final weight of the entropy bonus"""
    value_weight: float = 0.5
    """weight of the value loss"""
    mask_idle: bool = False
    """train only on steps at which actions have an effect, where slots or rays tell which these are"""


class OnPolicyLearner(SB3Learner):
    """Base of PPO and RecurrentPPO. One `advance` is one rollout and its updates."""

    positive: ClassVar[tuple[str, ...]] = (*SB3Learner.positive, "epochs")
    config: OnPolicyConfig
    model: OnPolicyAlgorithm

    def arguments(self, device: str) -> dict[str, Any]:
        c = self.config
        return super().arguments(device) | dict(
            n_steps=c.rollout,
            batch_size=c.batch,
            n_epochs=c.epochs,
            gae_lambda=c.lam,
            clip_range=c.clip,
            ent_coef=c.entropy,
            vf_coef=c.value_weight,
        )

    def acts(self) -> Acts | None:
        """Whether actions have an effect, by the last observation of a row; None if all steps count."""
        layout, size = self.envs.layout, self.envs.observation.size
        if layout is None or not self.config.mask_idle:
            return None
        return lambda rows: layout.acts(rows[:, -size:])

    def optimizers(self) -> Mapping[str, Optimizer]:
        return {"optimizer": self.model.policy.optimizer}

    def stored_observations(self) -> Iterable[np.ndarray]:
        return [self.model.rollout_buffer.observations]

    def advance(self) -> dict[str, float]:
        c, model = self.config, self.model
        model._update_current_progress_remaining(self.steps, model._total_timesteps)
        model.ent_coef = annealed(c.entropy, c.entropy_end)(model._current_progress_remaining)
        with self.generators.active():
            model.collect_rollouts(self.vec, self._callback, model.rollout_buffer, c.rollout)
            with self.timed(c.epochs * math.ceil(c.envs * c.rollout / c.batch)):
                model.train()
        figures = self.figures()
        if math.isnan(figures["explained_variance"]):  # stable-baselines3's word for returns that do not vary
            del figures["explained_variance"]
        return figures


@dataclass(frozen=True)
class PPOConfig(OnPolicyConfig):
    """Hyperparameters of `OnPolicyConfig`, and the stack."""

    stack: int = 1
    """number of last observations that the policy sees"""
    relational: Literal["none", "room", "agent"] = "none"
    """read entity slots by the geometry that `slot-search` sees, in directions of the "room" or of the "agent"; "none": as a vector"""


class PPOLearner(OnPolicyLearner):
    """Trains PPO on flat, ray or image observations and any actions."""

    name = "ppo"
    config_class: ClassVar[type[PPOConfig]] = PPOConfig
    positive: ClassVar[tuple[str, ...]] = (*OnPolicyLearner.positive, "stack")
    config: PPOConfig

    @property
    def stack(self) -> int:  # type: ignore[override]
        return self.config.stack

    def build(self, device: str) -> PPO:
        arguments = self.arguments(device)
        acts = self.acts()
        if acts is not None:
            arguments |= dict(rollout_buffer_class=ActingBuffer, rollout_buffer_kwargs={"acts": acts})
        policy = {"net_arch": [self.config.hidden] * 2} | self.features()
        if self.config.relational != "none":
            policy |= self._relational_features()
        return PPO("MlpPolicy", policy_kwargs=policy, **arguments)

    def _relational_features(self) -> dict[str, Any]:
        c, layout = self.config, self.envs.slots
        if layout is None or self.stack > 1 or layout.frame != "room":
            raise BadAgent(f"setting relational={c.relational}: needs entity slots in the room's frame, and stack=1")
        arguments = {"layout": layout, "frame": c.relational, "hidden": c.hidden}
        return {"features_extractor_class": RelationalExtractor, "features_extractor_kwargs": arguments}

    def graph(self) -> PPOGraph:
        return PPOGraph(self.model.policy, self.vec.rows.shape[1], self.head)


@dataclass(frozen=True)
class PPOStackConfig(PPOConfig):
    """Hyperparameters of `PPOConfig`, with a longer stack."""

    stack: int = 16
    """number of last observations that the policy sees"""


class PPOStackLearner(PPOLearner):
    """Trains PPO on the last observations, which are all the memory that it has."""

    name = "ppo-stack"
    config_class: ClassVar[type[PPOConfig]] = PPOStackConfig


class ActorGraph(nn.Module):
    """Base of the policy graphs of PPO and RecurrentPPO, on rows (n, size); see `unseen.agents.shared.graph_agent`."""

    def __init__(self, policy: Any, size: int, head: ActionHead) -> None:
        super().__init__()
        self.size, self.head = size, head
        self.features = policy.pi_features_extractor
        self.body, self.out = policy.mlp_extractor.policy_net, policy.action_net
        self.outputs = ["action", "logits"]
        if isinstance(head, ContinuousActions):
            self.outputs = ["action", "explored"]
            self.log_std, self.low, self.high = policy.log_std, head.low, head.high

    def example(self, n: int = 2) -> dict[str, Tensor]:
        """Example inputs with batch size n, which define the shapes."""
        inputs = {"obs": torch.zeros(n, self.size)}
        return inputs if "logits" in self.outputs else inputs | {"noise": torch.zeros(n, self.head.noise)}

    def choose(self, hidden: Tensor, noise: Tensor | None) -> tuple[Tensor, Tensor]:
        """The most likely action, and the logits (discrete) or a sampled action (continuous)."""
        outputs = self.out(self.body(hidden))
        if noise is None:
            return outputs.argmax(-1), outputs
        low, high = self.low.to(outputs.device), self.high.to(outputs.device)
        drawn = outputs + self.log_std.exp() * normal(noise)
        return torch.clamp(outputs, low, high), torch.clamp(drawn, low, high)


class PPOGraph(ActorGraph):
    def forward(self, obs: Tensor, noise: Tensor | None = None) -> tuple[Tensor, ...]:
        return self.choose(self.features(obs), noise)
