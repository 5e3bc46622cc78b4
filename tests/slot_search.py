"""Small learners of slot-search, and the steps that they have stored."""

from __future__ import annotations

from typing import Any

import torch

from unseen.agents.shared.envs import EnvConfig
from unseen.agents.slot_search import SlotSearchLearner

SMALL = {
    "envs": 8,
    "random_episodes": 8,
    "updates": 5,
    "batch": 16,
    "message": 8,
    "hidden": 8,
    "imagined": 60,
    "plans": 2,
}
ENV = EnvConfig("Detour", 1)


def learner(env: EnvConfig = ENV, seed: int = 0, **config: Any) -> SlotSearchLearner:
    return SlotSearchLearner(env, seed=seed, config=SMALL | config)


def stored(made: SlotSearchLearner) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """States, one-hot actions and next states in the replay."""
    data = made._data()
    return data["state"], torch.nn.functional.one_hot(data["action"], made.actions).float(), data["after"]
