"""Base of the learners with a replay buffer, DQN and SAC."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from stable_baselines3.common.buffers import ReplayBuffer

from unseen.agents.sb3.learner import SB3Config, SB3Learner
from unseen.agents.shared.checkpoint import Store

UPDATES_PER_ADVANCE = 128
COLUMNS = ("observations", "next_observations", "actions", "rewards", "dones", "timeouts")
"""of a replay buffer"""


@dataclass(frozen=True)
class OffPolicyConfig(SB3Config):
    """Hyperparameters of DQN and SAC."""

    envs: int = 16
    """parallel environments"""
    rollout: int = 4
    """steps per environment between updates"""
    replay_ratio: float = 8.0
    """replayed steps per environment step"""
    batch: int = 256
    """transitions per update"""
    replay_steps: int = 200_000
    """replay capacity in environment steps"""
    random_steps: int = 2_000
    """environment steps of random play before the first update"""
    stack: int = 1
    """number of last observations that the policy sees"""


class OffPolicyLearner(SB3Learner):
    """Base of DQN and SAC. One `advance` is as many steps as UPDATES_PER_ADVANCE updates need, if `stop_at` allows."""

    positive: ClassVar[tuple[str, ...]] = (*SB3Learner.positive, "stack", "replay_steps")
    config: OffPolicyConfig

    @property
    def stack(self) -> int:  # type: ignore[override]
        return self.config.stack

    @property
    def updates_per_rollout(self) -> int:
        """Updates after each `rollout` steps of the environments."""
        c = self.config
        return max(1, round(c.replay_ratio * c.envs * c.rollout / c.batch))

    def arguments(self, device: str) -> dict[str, Any]:
        c = self.config
        return super().arguments(device) | dict(
            policy="MlpPolicy",
            policy_kwargs={"net_arch": [c.hidden] * 2} | self.features(),
            buffer_size=c.replay_steps,
            learning_starts=c.random_steps,
            batch_size=c.batch,
            train_freq=c.rollout,
            gradient_steps=self.updates_per_rollout,
        )

    def stored_observations(self) -> Iterable[np.ndarray]:
        replay = self.model.replay_buffer
        return [replay.observations, replay.next_observations]

    def advance(self) -> dict[str, float]:
        model, updates = self.model, self.updates_per_rollout
        with self.generators.active():
            for _ in range(math.ceil(UPDATES_PER_ADVANCE / updates)):
                model.collect_rollouts(
                    self.vec,
                    self._callback,
                    model.train_freq,
                    model.replay_buffer,
                    learning_starts=model.learning_starts,
                )
                if self.steps > model.learning_starts:
                    with self.timed(updates):
                        model.train(updates, model.batch_size)
                if self.stop_at is not None and self.episodes >= self.stop_at:
                    break
        return self.figures()

    def sync_more(self, store: Store) -> None:
        replay: ReplayBuffer = self.model.replay_buffer
        replay.pos = store.scalar("replay.pos", replay.pos)
        replay.full = store.scalar("replay.full", replay.full)
        for name in COLUMNS:
            column = getattr(replay, name)
            used = store.array(f"replay.{name}", column[: replay.size()], grows=True)
            if store.reading:
                column[: len(used)] = used
