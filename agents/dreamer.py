"""Dreamer: learn a world model from episodes, practise in imagined roll-outs (after Hafner et al., DreamerV3).

What differs here, and why: sequences are whole episodes, so that no cue is cut off;
the actor starts only when the model has begun to remember, and acts at random until then, since an actor that
starts earlier settles on one corner before the memory tells it which; the end of an episode weighs more.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from unseen.agents.agent import Agent
from unseen.agents.errors import BadAgent, BadCheckpoint
from unseen.agents.learner import configure
from unseen.agents.nets import TwoHot, draw, mixed_probs, mlp
from unseen.agents.replay import EpisodeReplay
from unseen.agents.rssm import RSSM
from unseen.agents.stored import read_state
from unseen.envs.suite import make_vec

ACT_PHASE = 2


@dataclass(frozen=True)
class DreamerConfig:
    """Settings; the defaults are what learned RolledBehind as `mapper`."""

    envs: int = 16
    ratio: float = 128.0
    """replayed steps for one environment step"""
    batch: int = 32
    capacity: int = 20_000
    """episodes kept"""
    prefill: int = 64
    """episodes before the first update"""
    patience: int = 1200
    """updates of the model before the actor starts; until then actions are drawn at random"""
    deter: int = 128
    hidden: int = 128
    groups: int = 8
    classes: int = 8
    model_lr: float = 1e-3
    actor_lr: float = 6e-4
    free: float = 1.0
    """nats of KL that cost nothing"""
    rep: float = 0.1
    end_weight: float = 5.0
    obs_noise: float = 0.03
    horizon: int = 12
    starts: int = 128
    gamma: float = 0.97
    lam: float = 0.95
    entropy: float = 0.03
    entropy_end: float = 0.01
    anneal: int = 100_000
    """environment steps over which the entropy weight goes from one to the other"""
    return_floor: float = 0.1
    slow_rate: float = 0.02
    clip: float = 10.0


class ActorCritic(nn.Module):
    """Policy and value of what the model lets be read of a latent."""

    scale: Tensor

    def __init__(self, read: int, actions: int, hidden: int) -> None:
        super().__init__()
        self.actor = mlp(read, hidden, 2, actions)
        self.critic = mlp(read, hidden, 2, 41, zero=True)
        self.slow = mlp(read, hidden, 2, 41, zero=True).requires_grad_(False)
        self.slow.load_state_dict(self.critic.state_dict())
        self.twohot = TwoHot()
        self.register_buffer("scale", torch.zeros(2))  # running 5th and 95th percentile of returns

    def probs(self, read: Tensor) -> Tensor:
        return mixed_probs(self.actor(read))


class DreamerLearner:
    """See `unseen.agents.learner.Learner`. Any torch device; discrete actions, flat observations."""

    name = "dreamer"
    config_class: ClassVar[type[DreamerConfig]] = DreamerConfig

    def __init__(
        self, env_name: str, level: int, seed: int = 0, device: str = "cpu", config: dict[str, Any] | None = None
    ) -> None:
        self.config = c = configure(self.config_class, config)
        self.env = make_vec(env_name, c.envs, level=level)
        self.layout = self.env.layout
        self.device = torch.device(device)
        space = self.env.single_action_space
        shape = self.env.single_observation_space.shape or ()
        if not hasattr(space, "n") or len(shape) != 1:
            raise BadAgent(f"{self.name} needs discrete actions and flat observations, not {space}")
        self.obs_size = int(shape[0])
        self.actions = int(space.n)
        self.rng = np.random.Generator(np.random.Philox(seed))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.model = self.build().to(self.device)
            self.ac = ActorCritic(self.model.read_size, self.actions, c.hidden).to(self.device)
        self.noise = torch.Generator(device=self.device).manual_seed(seed)
        self.model_opt = torch.optim.Adam(self.model.parameters(), c.model_lr, fused=True)
        learned = [p for p in self.ac.parameters() if p.requires_grad]
        self.ac_opt = torch.optim.Adam(learned, c.actor_lr, fused=True)
        horizon = self.env.task.horizon(self.env.batch.values) + 1
        self.replay = EpisodeReplay(c.capacity, horizon, c.envs, self.obs_size, self.extra_size())
        self.steps = self.updates = 0
        self.debt = 0.0
        self.returns: deque[float] = deque(maxlen=300)
        self.touches: deque[float] = deque(maxlen=300)
        self.obs, _ = self.env.reset(seed=_env_seed(seed, c.envs))
        n = c.envs
        self.first = np.ones(n, bool)
        self.over = np.zeros(n, bool)
        self.terminated = np.zeros(n, bool)
        self.action = np.zeros(n, np.int64)
        self.reward = np.zeros(n, np.float32)
        self.h = torch.zeros(n, self.model.deter, device=self.device)
        self.z = torch.zeros(n, self.model.stoch, device=self.device)

    # --- what `mapper` changes ---

    def build(self) -> RSSM:
        c = self.config
        return RSSM(self.obs_size, self.actions, c.deter, c.hidden, c.groups, c.classes)

    def extra_size(self) -> int:
        """Width of further targets computed when an episode ends."""
        return 0

    def extra_targets(self, obs: np.ndarray) -> np.ndarray:
        """Those targets (n, T, width) of episodes obs (n, T, O), from the observation stream alone."""
        raise NotImplementedError

    def extra_loss(self, feat: Tensor, target: Tensor) -> Tensor:
        """Their loss (T, B)."""
        return feat.new_zeros(feat.shape[:2])

    # --- collecting ---

    @torch.no_grad()
    def advance(self) -> dict[str, float]:
        """Collect until eight updates were made (or 64 steps a environment before the first)."""
        figures: dict[str, float] = {}
        made = turns = 0
        while made < 8 and turns < 64:
            self._collect()
            turns += 1
            if self.replay.episodes < self.config.prefill:
                self.debt = 0.0
            while self.debt >= 1:
                self.debt -= 1
                figures = self._update()
                made += 1
        figures["success"] = float(np.mean(self.returns)) if self.returns else 0.0
        figures["touched"] = float(np.mean(self.touches)) if self.touches else 0.0
        figures["updates"] = float(self.updates)
        return figures

    def _collect(self) -> None:
        """One turn of every environment. A turn that follows an episode's end only brings the next one's start."""
        c = self.config
        self.replay.add(self.obs, self.action, self.reward, self.first)
        if self.over.any():
            self._finish(np.nonzero(self.over)[0])
        self._remember()
        if self.updates < c.patience:
            choice = self.rng.integers(0, self.actions, c.envs)
        else:
            probs = self.ac.probs(self.model.read(torch.cat([self.h, self.z], -1)))
            choice = draw(probs, self._uniform(c.envs, 1)).argmax(-1).cpu().numpy()
        self.first = self.over
        self.obs, reward, self.terminated, truncated, _ = self.env.step(choice)
        self.over = self.terminated | truncated
        self.reward = reward.astype(np.float32)
        self.action = np.where(self.first, 0, choice)
        stepped = int((~self.first).sum())
        self.steps += stepped
        self.debt += stepped * c.ratio / (c.batch * self.replay.horizon)

    def _finish(self, ended: np.ndarray) -> None:
        slots = self.replay.finish(ended, self.terminated)
        if self.extra_size():
            self.replay.extra[slots] = self.extra_targets(self.replay.obs[slots])
        self.returns.extend(self.replay.reward[slots].sum(1).tolist())
        if self.layout is not None:
            self.touches.extend((self.obs[ended][:, self.layout.contact].sum(1) > 0).astype(float).tolist())

    def _remember(self) -> None:
        """Bring the acting latent up to date with the present observation."""
        obs = torch.tensor(self.obs, device=self.device)  # a copy: aligned alike, hence rounded alike
        action = nn.functional.one_hot(torch.as_tensor(self.action, device=self.device), self.actions).float()
        keep = torch.as_tensor(~self.first, device=self.device).float()[:, None]
        uniform = self._uniform(len(obs), self.model.groups, 1)
        self.h, self.z = self.model.observe_step(self.h, self.z, action, obs, keep, uniform)

    def _uniform(self, *shape: int) -> Tensor:
        return torch.rand(shape, generator=self.noise, device=self.device)

    # --- learning ---

    def _update(self) -> dict[str, float]:
        c = self.config
        batch = {k: torch.tensor(v, device=self.device) for k, v in self.replay.sample(self.rng, c.batch).items()}
        with torch.enable_grad():
            h, z, figures = self._update_model(batch)
        self.updates += 1
        if self.updates >= c.patience:
            h, z = self._starts(h.detach(), z.detach(), batch)
            feats, actions = self._imagine(h, z)
            with torch.enable_grad():
                figures |= self._update_actor(feats, actions)
        return figures

    def _update_model(self, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor, dict[str, float]]:
        c = self.config
        obs, mask = batch["obs"], batch["mask"]
        action = nn.functional.one_hot(batch["action"], self.actions).float()
        action[0] = 0
        noisy = obs + c.obs_noise * torch.randn(obs.shape, generator=self.noise, device=self.device)
        h, z, post = self.model.observe(noisy, action, self._uniform(*obs.shape[:2], c.groups, 1))
        loss, parts = self.model.loss(h, z, post, batch, c.free, c.rep, c.end_weight)
        extra = self.extra_loss(torch.cat([h, z], -1), batch["extra"])
        total = mask.sum()
        objective = ((loss + extra) * mask).sum() / total
        self.model_opt.zero_grad()
        objective.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), c.clip)
        self.model_opt.step()
        figures = {k: float((v * mask).sum() / total) for k, v in parts.items()}
        figures["map"] = float((extra.detach() * mask).sum() / total)
        return h, z, figures

    def _starts(self, h: Tensor, z: Tensor, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Latents to imagine from: steps in which the agent may act and which are not an episode's last."""
        ok = (batch["mask"] > 0) & (batch["term"] == 0)
        if self.layout is not None:
            ok &= batch["obs"][..., self.layout.phase][..., ACT_PHASE] > 0.5
        rows = ok.flatten().nonzero()[:, 0].cpu().numpy()
        pick = torch.as_tensor(self.rng.choice(rows, self.config.starts), device=self.device)
        return h.flatten(0, 1)[pick], z.flatten(0, 1)[pick]

    def _imagine(self, h: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        """Roll-outs under the policy: latents (H + 1, N, F), one-hot actions (H, N, A)."""
        c = self.config
        uz = self._uniform(c.horizon, len(h), c.groups, 1).unbind(0)
        ua = self._uniform(c.horizon, len(h), 1).unbind(0)
        feats, actions = [torch.cat([h, z], -1)], []
        for t in range(c.horizon):
            action = draw(self.ac.probs(self.model.read(feats[-1])), ua[t])
            h, z = self.model.imagine_step(h, z, action, uz[t])
            feats.append(torch.cat([h, z], -1))
            actions.append(action)
        return torch.stack(feats), torch.stack(actions)

    def _update_actor(self, feats: Tensor, actions: Tensor) -> dict[str, float]:
        c, ac = self.config, self.ac
        with torch.no_grad():
            reward = self.model.twohot.mean(self.model.reward(feats))
            going = torch.sigmoid(self.model.going(feats)[..., 0])
            going[0] = 1
            read = self.model.read(feats)
            last = ac.twohot.mean(ac.critic(read[-1:]))
            slow = ac.twohot.mean(ac.slow(read[:-1]))
        logits = ac.critic(read[:-1])
        with torch.no_grad():
            value = torch.cat([ac.twohot.mean(logits), last])
            discount = c.gamma * going
            returns = [value[-1]]
            for t in range(c.horizon, 0, -1):
                ahead = (1 - c.lam) * value[t] + c.lam * returns[-1]
                returns.append(reward[t] + discount[t] * ahead)
            target = torch.stack(returns[:0:-1])
            weight = torch.cumprod(torch.cat([going[:1], discount[1:-1]]), 0)
            low, high = torch.quantile(target, torch.tensor([0.05, 0.95], device=self.device))
            ac.scale.lerp_(torch.stack([low, high]), 0.01)
            spread = (ac.scale[1] - ac.scale[0]).clamp(min=c.return_floor)
            advantage = (target - value[:-1]) / spread
        logp = ac.probs(read[:-1]).log()
        entropy = -(logp.exp() * logp).sum(-1)
        share = min(1.0, self.steps / c.anneal)
        bonus = c.entropy + (c.entropy_end - c.entropy) * share
        policy = -(weight * ((logp * actions).sum(-1) * advantage + bonus * entropy)).mean()
        critic = (weight * (ac.twohot.loss(logits, target) + ac.twohot.loss(logits, slow))).mean()
        self.ac_opt.zero_grad()
        loss = policy + critic
        loss.backward()
        nn.utils.clip_grad_norm_(self.ac_opt.param_groups[0]["params"], c.clip)
        self.ac_opt.step()
        with torch.no_grad():
            for s, p in zip(ac.slow.parameters(), ac.critic.parameters(), strict=True):
                s.lerp_(p, c.slow_rate)
        return {"return": float(target.mean()), "entropy": float(entropy.detach().mean()), "spread": float(spread)}

    # --- using and keeping it ---

    def policy(self) -> Agent:
        """The present policy as an agent of its own, with its own noise."""
        from unseen.agents.dreamer_agent import DreamerAgent

        return DreamerAgent(self.name, self.model, self.ac)

    def export(self, path: Path) -> None:
        """Write `path` and `<stem>.imagine.onnx`; see `unseen.agents.onnx_agent` for the graphs."""
        from unseen.agents.dreamer_agent import export_onnx

        export_onnx(self.model, self.ac, self.layout, self.obs_size, Path(path))

    def save(self, folder: Path) -> None:
        """Write everything needed to continue exactly."""
        from safetensors.torch import save_file

        tensors: dict[str, Tensor] = {"h": self.h, "z": self.z, "noise": self.noise.get_state()}
        for name, part in (("model", self.model), ("ac", self.ac)):
            tensors |= {f"{name}.{k}": v for k, v in part.state_dict().items()}
        for name, opt in (("model_opt", self.model_opt), ("ac_opt", self.ac_opt)):
            for i, state in opt.state_dict()["state"].items():
                tensors |= {f"{name}.{i}.{k}": v for k, v in state.items()}
        own = {"obs": self.obs, "first": self.first, "action": self.action, "reward": self.reward}
        own |= {"over": self.over, "terminated": self.terminated}
        own["snapshot"] = np.frombuffer(self.env.snapshot(), np.uint8)
        arrays = own | {f"replay.{k}": v for k, v in self.replay.arrays().items()}
        tensors |= {k: torch.from_numpy(np.array(v)) for k, v in arrays.items()}
        stored = {k: v.detach().cpu().contiguous().clone() for k, v in tensors.items()}
        save_file(stored, str(folder / "state.safetensors"))
        noise: dict[str, Any] = dict(self.rng.bit_generator.state)
        noise["state"] = {k: v.tolist() for k, v in noise["state"].items()}
        noise["buffer"] = noise["buffer"].tolist()
        meta = {
            "config": asdict(self.config), "steps": self.steps, "updates": self.updates, "debt": self.debt,
            "returns": list(self.returns), "touches": list(self.touches), "episodes": self.replay.episodes,
            "rng": noise,
        }  # fmt: skip
        (folder / "state.json").write_text(json.dumps(meta))

    def load(self, folder: Path) -> None:
        """Take up again what `save` wrote. Raises BadCheckpoint."""
        tensors, meta = read_state(folder, self.name, asdict(self.config))
        try:
            self._take(tensors, meta)
        except (KeyError, RuntimeError, ValueError) as error:
            raise BadCheckpoint(f"{folder}: does not fit {self.name} on this environment: {error}") from error

    def _take(self, tensors: dict[str, Tensor], meta: dict[str, Any]) -> None:
        def part(prefix: str) -> dict[str, Tensor]:
            return {k[len(prefix) + 1 :]: v for k, v in tensors.items() if k.startswith(prefix + ".")}

        self.model.load_state_dict(part("model"))
        self.ac.load_state_dict(part("ac"))
        for name, opt in (("model_opt", self.model_opt), ("ac_opt", self.ac_opt)):
            state: dict[int, dict[str, Tensor]] = {}
            for key, value in part(name).items():
                i, k = key.split(".", 1)
                state.setdefault(int(i), {})[k] = value
            opt.load_state_dict({"state": state, "param_groups": opt.state_dict()["param_groups"]})
        self.h, self.z = tensors["h"].to(self.device), tensors["z"].to(self.device)
        self.noise.set_state(tensors["noise"])
        self.env.restore(tensors["snapshot"].numpy().tobytes())
        self.obs, self.first = tensors["obs"].numpy(), tensors["first"].numpy().astype(bool)
        self.action, self.reward = tensors["action"].numpy(), tensors["reward"].numpy()
        self.over, self.terminated = (tensors[k].numpy().astype(bool) for k in ("over", "terminated"))
        self.replay.take({k: v.numpy() for k, v in part("replay").items()}, meta["episodes"])
        self.steps, self.updates, self.debt = meta["steps"], meta["updates"], meta["debt"]
        self.returns = deque(meta["returns"], maxlen=300)
        self.touches = deque(meta["touches"], maxlen=300)
        rng = meta["rng"]
        rng["state"] = {k: np.array(v, np.uint64) for k, v in rng["state"].items()}
        rng["buffer"] = np.array(rng["buffer"], np.uint64)
        self.rng.bit_generator.state = rng


def _env_seed(seed: int, envs: int) -> int:
    """Environments of different training seeds must not share episodes."""
    return 1_000 * (seed + 1) * envs
