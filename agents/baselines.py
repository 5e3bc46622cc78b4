"""The model-free baselines: PPO of stable-baselines3 and RecurrentPPO of sb3-contrib, as learners.

The settings were tuned so that the baselines have a fair chance. What made
the memory learnable by RecurrentPPO was large minibatches of long rollouts with ten epochs over each;
what made it cheap was `FusedLSTMPolicy` below.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from sb3_contrib import RecurrentPPO
from sb3_contrib.common.recurrent.policies import RecurrentActorCriticPolicy
from sb3_contrib.common.recurrent.type_aliases import RNNStates
from stable_baselines3 import PPO
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from torch import Tensor, nn

from unseen.agents.errors import BadCheckpoint
from unseen.agents.learner import configure
from unseen.agents.sb3_vec import SB3Vec
from unseen.agents.stored import read_state
from unseen.envs.suite import make_vec


@dataclass(frozen=True)
class PPOConfig:
    envs: int = 128
    rollout: int = 128
    """steps of every environment between updates"""
    batch: int = 2048
    epochs: int = 10
    lr: float = 5e-4
    gamma: float = 0.97
    lam: float = 0.95
    clip: float = 0.2
    ent_coef: float = 0.03
    vf_coef: float = 0.5
    hidden: int = 128


@dataclass(frozen=True)
class RecurrentPPOConfig(PPOConfig):
    lstm: int = 128


class FusedLSTMPolicy(RecurrentActorCriticPolicy):
    """sb3-contrib's LSTM policy, run over a whole sequence in one call: the same figures, several times faster.

    The original walks through time in Python whenever any episode starts within the minibatch, which is
    always. But its buffer cuts sequences where episodes start: only a first step ever restarts the memory.
    """

    @staticmethod
    def _process_sequence(  # type: ignore[override]  # the original's annotation forgets that the memory is a pair
        features: Tensor, lstm_states: tuple[Tensor, Tensor], episode_starts: Tensor, lstm: nn.LSTM
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        n = lstm_states[0].shape[1]
        sequence = features.reshape(n, -1, lstm.input_size).swapaxes(0, 1)
        keep = (1 - episode_starts.reshape(n, -1)[:, 0]).view(1, n, 1)
        out, states = lstm(sequence, (keep * lstm_states[0], keep * lstm_states[1]))
        return out.transpose(0, 1).flatten(0, 1), states


class PPOLearner:
    """See `unseen.agents.learner.Learner`. One `advance` is one rollout and the updates on it."""

    name = "ppo"
    config_class: ClassVar[type[PPOConfig]] = PPOConfig

    def __init__(
        self, env_name: str, level: int, seed: int = 0, device: str = "cpu", config: dict[str, Any] | None = None
    ) -> None:
        self.config = c = configure(self.config_class, config)
        self.env = make_vec(env_name, c.envs, level=level, autoreset="same_step")
        self.vec = _Counting(self.env)
        self.numbers = _OwnNumbers(seed)
        with self.numbers.used():
            self.model = self._build(seed, device)
            # Its first reset is here. The seed's own environments must not be another seed's.
            self.vec.seed(1_000_003 * (seed + 1))
            _, self._callback = self.model._setup_learn(1 << 62, None)

    def _build(self, seed: int, device: str) -> OnPolicyAlgorithm:
        kwargs = {"net_arch": [self.config.hidden] * 2}
        return PPO("MlpPolicy", self.vec, policy_kwargs=kwargs, device=device, **self._settings())

    def _settings(self) -> dict[str, Any]:
        c = self.config
        return dict(
            n_steps=c.rollout, batch_size=c.batch, n_epochs=c.epochs, learning_rate=c.lr, gamma=c.gamma,
            gae_lambda=c.lam, clip_range=c.clip, ent_coef=c.ent_coef, vf_coef=c.vf_coef, verbose=0,
        )  # fmt: skip

    @property
    def steps(self) -> int:
        return self.model.num_timesteps

    def advance(self) -> dict[str, float]:
        model = self.model
        with self.numbers.used():
            model.collect_rollouts(self.vec, self._callback, model.rollout_buffer, self.config.rollout)
            model.train()
        logged = model.logger.name_to_value
        figures = {k.removeprefix("train/"): float(v) for k, v in logged.items() if k.startswith("train/")}
        model.logger.name_to_value.clear()
        returns = self.vec.returns
        return figures | {"success": float(np.mean(returns)) if returns else 0.0}

    def graph(self) -> nn.Module:
        """The policy as a module of `unseen.agents.onnx_agent`'s inputs and outputs."""
        return PPOGraph(self.model.policy)

    def policy(self) -> TorchAgent:
        return TorchAgent(self.name, self.graph(), self._memory())

    def _memory(self) -> int:
        return 0

    def export(self, path: Path) -> None:
        from unseen.agents.dreamer_agent import write_onnx

        graph = self.graph().cpu()
        obs = torch.zeros(2, int(np.prod(self.env.single_observation_space.shape or (1,))))
        if self._memory():
            inputs: tuple[Tensor, ...] = (obs, torch.zeros(2, self._memory()), torch.ones(2, 1))
            write_onnx(graph, inputs, ["obs", "state", "first"], ["action", "logits", "new_state"], Path(path))
        else:
            write_onnx(graph, (obs,), ["obs"], ["action", "logits"], Path(path))

    def save(self, folder: Path) -> None:
        """Weights, optimiser, random numbers, environments: everything to continue exactly."""
        from safetensors.torch import save_file

        tensors = {f"policy.{k}": v for k, v in self.model.policy.state_dict().items()}
        for i, state in self.model.policy.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{i}.{k}": v for k, v in state.items()}
        tensors |= self._carried()
        arrays = {"obs": self.model._last_obs, "starts": self.model._last_episode_starts, "running": self.vec.running}
        arrays["snapshot"] = np.frombuffer(self.env.snapshot(), np.uint8)
        tensors |= {k: torch.from_numpy(np.array(v)) for k, v in arrays.items()}
        tensors |= self.numbers.tensors()
        stored = {k: v.detach().cpu().contiguous().clone() for k, v in tensors.items()}
        save_file(stored, str(folder / "state.safetensors"))
        meta = {
            "config": asdict(self.config), "steps": self.steps, "updates": self.model._n_updates,
            "returns": list(self.vec.returns),
        }  # fmt: skip
        (folder / "state.json").write_text(json.dumps(meta))

    def load(self, folder: Path) -> None:
        tensors, meta = read_state(folder, self.name, asdict(self.config))
        try:
            self._take(tensors, meta)
        except (KeyError, RuntimeError, ValueError) as error:
            raise BadCheckpoint(f"{folder}: does not fit {self.name} on this environment: {error}") from error

    def _take(self, tensors: dict[str, Tensor], meta: dict[str, Any]) -> None:
        policy = self.model.policy
        policy.load_state_dict({k[7:]: v for k, v in tensors.items() if k.startswith("policy.")})
        state: dict[int, dict[str, Tensor]] = {}
        for key, value in tensors.items():
            if key.startswith("optimizer."):
                _, i, name = key.split(".", 2)
                state.setdefault(int(i), {})[name] = value
        policy.optimizer.load_state_dict(
            {"state": state, "param_groups": policy.optimizer.state_dict()["param_groups"]}
        )
        self.env.restore(tensors["snapshot"].numpy().tobytes())
        self.model._last_obs = tensors["obs"].numpy()
        self.model._last_episode_starts = tensors["starts"].numpy().astype(bool)
        self.vec.running = tensors["running"].numpy()
        self.vec.returns = deque(meta["returns"], maxlen=300)
        self.model.num_timesteps, self.model._n_updates = int(meta["steps"]), int(meta["updates"])
        self.numbers.take(tensors)

    def _carried(self) -> dict[str, Tensor]:
        """Memory that the present episodes have reached."""
        return {}


class RecurrentPPOLearner(PPOLearner):
    """PPO with an LSTM each for actor and critic."""

    name = "recurrent-ppo"
    config_class = RecurrentPPOConfig
    config: RecurrentPPOConfig
    model: RecurrentPPO

    def _build(self, seed: int, device: str) -> OnPolicyAlgorithm:
        kwargs = {"net_arch": [self.config.hidden], "lstm_hidden_size": self.config.lstm}
        return RecurrentPPO(FusedLSTMPolicy, self.vec, policy_kwargs=kwargs, device=device, **self._settings())

    def graph(self) -> nn.Module:
        return LSTMGraph(self.model.policy)

    def _memory(self) -> int:
        return 2 * self.config.lstm

    def _carried(self) -> dict[str, Tensor]:
        assert self.model._last_lstm_states is not None
        (ph, pc), (vh, vc) = self.model._last_lstm_states
        return {"lstm.pi.h": ph, "lstm.pi.c": pc, "lstm.vf.h": vh, "lstm.vf.c": vc}

    def _take(self, tensors: dict[str, Tensor], meta: dict[str, Any]) -> None:
        super()._take(tensors, meta)
        ph, pc, vh, vc = (tensors[f"lstm.{k}"].to(self.model.device) for k in ("pi.h", "pi.c", "vf.h", "vf.c"))
        self.model._last_lstm_states = RNNStates((ph, pc), (vh, vc))  # type: ignore[assignment]


class _Counting(SB3Vec):
    """Keeps the returns of the last 300 episodes."""

    def __init__(self, env: Any) -> None:
        super().__init__(env)
        self.returns: deque[float] = deque(maxlen=300)
        self.running = np.zeros(env.num_envs)

    def reset(self) -> Any:
        return torch.tensor(super().reset()).numpy()

    def step_wait(self) -> Any:
        obs, reward, done, infos = super().step_wait()
        obs = torch.tensor(obs).numpy()  # see stored.aligned
        self.running += reward
        if done.any():
            self.returns.extend(self.running[done].tolist())
            self.running[done] = 0
        return obs, reward, done, infos


class _OwnNumbers:
    """stable-baselines3 draws from the global generators of torch and numpy; lends it a learner's own instead."""

    def __init__(self, seed: int) -> None:
        self._torch = torch.Generator().manual_seed(seed).get_state()
        self._numpy: Any = np.random.RandomState(seed).get_state()

    @contextmanager
    def used(self) -> Iterator[None]:
        theirs = torch.get_rng_state(), np.random.get_state()
        torch.set_rng_state(self._torch)
        np.random.set_state(self._numpy)
        try:
            yield
        finally:
            self._torch, self._numpy = torch.get_rng_state(), np.random.get_state()
            torch.set_rng_state(theirs[0])
            np.random.set_state(theirs[1])

    def tensors(self) -> dict[str, Tensor]:
        _, key, pos, has_gauss, gauss = self._numpy
        words = torch.from_numpy(key.astype(np.int64))
        rest = torch.tensor([pos, has_gauss, gauss], dtype=torch.float64)
        return {"numbers.torch": self._torch, "numbers.numpy": words, "numbers.numpy.rest": rest}

    def take(self, tensors: dict[str, Tensor]) -> None:
        pos, has_gauss, gauss = tensors["numbers.numpy.rest"].tolist()
        self._torch = tensors["numbers.torch"]
        words = tensors["numbers.numpy"].numpy().astype(np.uint32)
        self._numpy = ("MT19937", words, int(pos), int(has_gauss), gauss)


class PPOGraph(nn.Module):
    """obs (n, d) -> action (n,), logits (n, a)."""

    def __init__(self, policy: Any) -> None:
        super().__init__()
        self.body, self.head = policy.mlp_extractor.policy_net, policy.action_net

    def forward(self, obs: Tensor) -> tuple[Tensor, ...]:
        logits = self.head(self.body(obs))
        return logits.argmax(-1), logits


class LSTMGraph(nn.Module):
    """obs (n, d), state (n, 2 H: hidden, cell), first (n, 1) -> action (n,), logits (n, a), new state."""

    def __init__(self, policy: Any) -> None:
        super().__init__()
        self.lstm = policy.lstm_actor
        self.body, self.head = policy.mlp_extractor.policy_net, policy.action_net

    def forward(self, obs: Tensor, state: Tensor, first: Tensor) -> tuple[Tensor, ...]:
        r = self.lstm  # written out: one step exports to a handful of plain operators
        h, c = (state * (1 - first)).chunk(2, -1)
        gates = F.linear(obs, r.weight_ih_l0, r.bias_ih_l0) + F.linear(h, r.weight_hh_l0, r.bias_hh_l0)
        i, f, g, o = gates.chunk(4, -1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        logits = self.head(self.body(h))
        return logits.argmax(-1), logits, torch.cat([h, c], -1)


class TorchAgent:
    """One of these graphs as an `Agent`."""

    obs = "slots"

    def __init__(self, name: str, graph: nn.Module, memory: int) -> None:
        self.name, self.graph, self.memory = name, graph, memory
        self.device = next(graph.parameters()).device
        self.seed(0)

    def seed(self, seed: int) -> None:
        self._rng = np.random.Generator(np.random.Philox(seed))

    def initial_state(self, batch: int) -> Tensor:
        return torch.zeros(batch, self.memory, device=self.device)

    @torch.inference_mode()
    def act(
        self, obs: np.ndarray, state: Tensor, first: np.ndarray, explore: bool = False
    ) -> tuple[np.ndarray, Tensor]:
        rows = torch.as_tensor(obs, device=self.device)
        if not self.memory:
            action, logits = self.graph(rows)
        else:
            opens = torch.as_tensor(first, dtype=torch.float32, device=self.device)[:, None]
            action, logits, state = self.graph(rows, state, opens)
        if explore:
            gumbel = torch.as_tensor(self._rng.gumbel(size=tuple(logits.shape)), device=self.device)
            action = (logits + gumbel).argmax(-1)
        return action.cpu().numpy(), state
