"""RecurrentPPO by sb3-contrib: the model-free baseline with an LSTM.

Learning to remember needed large minibatches, long rollouts and ten epochs per rollout. `FusedLSTMPolicy` makes that cheap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from sb3_contrib import RecurrentPPO
from sb3_contrib.common.recurrent.buffers import RecurrentRolloutBuffer
from sb3_contrib.common.recurrent.policies import RecurrentActorCriticPolicy
from sb3_contrib.common.recurrent.type_aliases import RecurrentRolloutBufferSamples, RNNStates
from torch import Tensor, nn

from unseen.agents.sb3.acting import Acts
from unseen.agents.sb3.ppo import ActorGraph, OnPolicyConfig, OnPolicyLearner
from unseen.agents.shared.actions import ActionHead
from unseen.agents.shared.checkpoint import Store


@dataclass(frozen=True)
class RecurrentPPOConfig(OnPolicyConfig):
    """Hyperparameters of `OnPolicyConfig`, and the size of the LSTM."""

    lstm: int = 128
    """units of each LSTM"""


class FusedLSTMPolicy(RecurrentActorCriticPolicy):
    """sb3-contrib's LSTM policy with one LSTM call per sequence: the same results, several times faster.

    The original loops over time in Python if any episode starts within the minibatch, which is nearly always the case. That
    is not needed: the buffer splits sequences at episode starts, so the state is reset only at the first step of a sequence.
    """

    @staticmethod
    def _process_sequence(  # type: ignore[override]  # annotated there as one tensor, although it is a pair
        features: Tensor, lstm_states: tuple[Tensor, Tensor], episode_starts: Tensor, lstm: nn.LSTM
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        n = lstm_states[0].shape[1]
        sequence = features.reshape(n, -1, lstm.input_size).swapaxes(0, 1)
        keep = (1 - episode_starts.reshape(n, -1)[:, 0]).view(1, n, 1)
        out, states = lstm(sequence, (keep * lstm_states[0], keep * lstm_states[1]))
        return out.transpose(0, 1).flatten(0, 1), states


class ActingRecurrentBuffer(RecurrentRolloutBuffer):
    """The LSTM sees every step, the losses only those at which actions have an effect. A minibatch without any is used whole."""

    def __init__(self, *arguments: Any, acts: Acts, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.acts = acts

    def _get_samples(  # type: ignore[override]  # the base class has other arguments than those of its own base
        self, batch_inds: np.ndarray, env_change: np.ndarray, env: Any = None
    ) -> RecurrentRolloutBufferSamples:
        samples = super()._get_samples(batch_inds, env_change, env)
        acts = self.acts(self.observations[batch_inds])
        return samples._replace(mask=self.pad_and_flatten(acts.astype(np.float32))) if acts.any() else samples


class RecurrentPPOLearner(OnPolicyLearner):
    """Trains PPO with separate LSTMs for actor and critic, on flat, ray or image observations and any actions."""

    name = "recurrent-ppo"
    config_class: ClassVar[type[RecurrentPPOConfig]] = RecurrentPPOConfig
    positive: ClassVar[tuple[str, ...]] = (*OnPolicyLearner.positive, "lstm")
    config: RecurrentPPOConfig
    model: RecurrentPPO

    def build(self, device: str) -> RecurrentPPO:
        c = self.config
        policy = {"net_arch": [c.hidden], "lstm_hidden_size": c.lstm} | self.features()
        model = RecurrentPPO(FusedLSTMPolicy, policy_kwargs=policy, **self.arguments(device))
        acts = self.acts()
        if acts is not None:
            plain: Any = model.rollout_buffer
            spaces, shape = (model.observation_space, model.action_space), plain.hidden_state_shape
            model.rollout_buffer = ActingRecurrentBuffer(
                c.rollout, *spaces, shape, device, c.lam, c.gamma, c.envs, acts=acts
            )
        return model

    def graph(self) -> LSTMGraph:
        return LSTMGraph(self.model.policy, self.vec.rows.shape[1], self.head)

    def sync_memory(self, store: Store) -> None:
        states = self.model._last_lstm_states
        assert states is not None
        actor, critic = (
            tuple(store.tensor(f"lstm.{name}.{part}", value) for part, value in zip("hc", pair, strict=True))
            for name, pair in (("actor", states.pi), ("critic", states.vf))
        )
        self.model._last_lstm_states = RNNStates(actor, critic)

    def reset_environments(self) -> None:
        super().reset_environments()
        states = self.model._last_lstm_states
        assert states is not None
        actor, critic = (tuple(torch.zeros_like(value) for value in pair) for pair in (states.pi, states.vf))
        self.model._last_lstm_states = RNNStates(actor, critic)


class LSTMGraph(ActorGraph):
    """The policy graph of RecurrentPPO. Its state (n, 2 H) is the hidden state and the cell state."""

    def __init__(self, policy: Any, size: int, head: ActionHead) -> None:
        super().__init__(policy, size, head)
        self.lstm = policy.lstm_actor
        self.outputs.append("new_state")

    def example(self, n: int = 2) -> dict[str, Tensor]:
        memory = {"state": torch.zeros(n, 2 * self.lstm.hidden_size), "first": torch.ones(n, 1)}
        inputs = super().example(n)
        return {"obs": inputs.pop("obs")} | memory | inputs

    def forward(self, obs: Tensor, state: Tensor, first: Tensor, noise: Tensor | None = None) -> tuple[Tensor, ...]:
        r = self.lstm  # written out, so that one step is exported as a few plain operators
        h, c = (state * (1 - first)).chunk(2, -1)
        gates = F.linear(self.features(obs), r.weight_ih_l0, r.bias_ih_l0) + F.linear(h, r.weight_hh_l0, r.bias_hh_l0)
        i, f, g, o = gates.chunk(4, -1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        return (*self.choose(h, noise), torch.cat([h, c], -1))
