"""A rollout buffer that leaves steps without effect out of the losses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.type_aliases import RolloutBufferSamples

Acts = Callable[[np.ndarray], np.ndarray]
"""rows (n, ...) -> (n,) bool: whether actions have an effect"""


class ActingBuffer(RolloutBuffer):
    """Minibatches are of the steps at which actions have an effect. One without any is used whole."""

    def __init__(self, *arguments: Any, acts: Acts, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.acts = acts

    def _get_samples(self, batch_inds: np.ndarray, env: Any = None) -> RolloutBufferSamples:
        acts = self.acts(self.observations[batch_inds])
        return super()._get_samples(batch_inds[acts] if acts.any() else batch_inds, env)
