"""Surrogate-designer: learns from past programmes to predict tests of a car, and designs the next car in imagination.

Its model is an ensemble of small networks that predict the margins of a test (`unseen.agents.models.surrogate`). In a new programme it
makes real tests of few prototypes, infers the factory's offsets, imagines many designs in many scenarios, and commits to the best.

The first past programmes test random designs. Later ones test designs near what the designer would have built, since there the model
has to be accurate. A past programme uses all its tests, each of a different prototype. Training uses observations only, no certificates.

That known and unknown offsets are added to the drawing is built into the model; the observation says which offsets are known.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch

from unseen.agents.errors import BadAgent
from unseen.agents.models.surrogate import Fitter, Surrogate
from unseen.agents.onnx.export import write_onnx
from unseen.agents.protocol import Learner, UpdateTime
from unseen.agents.shared import envs
from unseen.agents.shared.checkpoint import Reader, Store, Writer
from unseen.agents.shared.design_agent import DesignAgent, Thinking
from unseen.agents.shared.designing import CONTEXT, PARTS, Forecast, Trials
from unseen.agents.shared.envs import EnvConfig
from unseen.agents.shared.settings import configure
from unseen.agents.shared.torch_graph import TorchGraph
from unseen.agents.shared.torch_learner import first_episode_seed
from unseen.envs.industry.proving_ground import rules

TABLE = (10, 30, 100, 300)  # numbers of past programmes after which the model is trained; from there on every 300
BATCH = 50  # programmes played in parallel


@dataclass(frozen=True)
class SurrogateDesignerConfig:
    """Hyperparameters."""

    members: int = 3
    """networks of the ensemble"""
    hidden: int = 96
    """hidden units"""
    updates: int = 1000
    """updates of each training of the model from 1,000 past programmes on; fewer before"""
    batch: int = 384
    """tests per update and member"""
    lr: float = 4e-3
    """learning rate of the networks after its warm-up; it then falls to zero; that of latents is three times as high"""
    weight_decay: float = 1e-2
    """weight decay of AdamW"""
    random_programmes: int = 10
    """number of first past programmes, in which random designs are tested"""
    explore: float = 0.2
    """standard deviation of the noise added to each tested design in later past programmes"""
    explore_imagined: int = 150
    """designs imagined for a decision in later past programmes"""
    tests: int = 12
    """real tests in a programme before it commits; each costs .005"""
    prototypes: int = 2
    """prototypes built for these tests"""
    imagined: int = 1000
    """designs imagined for a decision; 1: no planning, the middle of the box, corrected by the estimated offsets"""
    scenarios: int = 4
    """imagined scenarios of each family, for each design"""
    caution: float = 0.5
    """standard deviations over the ensemble by which a design's score is lowered"""


class SurrogateDesignerLearner(Learner):
    """Trains surrogate-designer in ProvingGround."""

    name = "surrogate-designer"
    config_class: ClassVar[type[SurrogateDesignerConfig]] = SurrogateDesignerConfig
    config: SurrogateDesignerConfig
    resumes_exactly = True
    notes: tuple[str, ...] = ()

    @classmethod
    def check(cls, env: EnvConfig, device: str) -> None:
        if env.entry is None or env.entry.name != "ProvingGround":
            raise BadAgent(f"{cls.name} plays ProvingGround only, not {env.label}")
        if device != "cpu":
            raise BadAgent(f"device={device!r}: {cls.name} trains on the cpu")

    def __init__(
        self, env: EnvConfig, seed: int = 0, device: str = "cpu", config: Mapping[str, Any] | None = None
    ) -> None:
        self.config = c = configure(self.config_class, config)
        self.check(env, device)
        for name in ("members", "hidden", "updates", "batch", "imagined", "scenarios", "explore_imagined"):
            if getattr(c, name) < 1:
                raise BadAgent(f"setting {name}={getattr(c, name)}: must be positive")
        if c.lr <= 0 or c.weight_decay < 0 or c.explore < 0 or c.random_programmes < 0:
            raise BadAgent(
                f"lr={c.lr}, weight_decay={c.weight_decay}, explore={c.explore}, random_programmes={c.random_programmes}: "
                "lr must be positive, the others at least 0"
            )
        if not 1 <= c.tests < rules.MOST or not 1 <= c.prototypes <= c.tests:
            raise BadAgent(f"tests={c.tests}, prototypes={c.prototypes}: 1 <= prototypes <= tests < {rules.MOST}")
        self.env = replace(env, obs="file", action="continuous")
        envs.make(self.env, 1).vector.close()
        self.training_seed, self.steps, self.played = seed, 0, 0
        self.update_time = UpdateTime()
        self.rng = np.random.Generator(np.random.Philox(seed))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.model = Surrogate(c.members, c.hidden)
        self.fitter = Fitter(self.model, c.lr, c.weight_decay)
        self.past = Trials.of(np.zeros((0, rules.ROW), np.float32))

    @property
    def episodes(self) -> int:  # type: ignore[override]
        return self.played

    def advance(self) -> dict[str, float]:
        until = next((n for n in TABLE if n > self.played), self.played + TABLE[-1])
        until = min(until, self.stop_at or until)
        returns: list[float] = []
        while self.played < until:
            left = (
                self.config.random_programmes - self.played
            )  # programmes with random designs, in batches of their own
            returns += self._play(min(until - self.played, BATCH, left if left > 0 else BATCH))
        share = min(self.played / 1000, 1.0)
        updates = max(int(self.config.updates * share**0.3), 1)
        return self._fit(updates) | {"episode_return": float(np.mean(returns))}

    def think(self, updates: int) -> dict[str, float]:
        return self._fit(updates) if len(self.past) else {}

    def _fit(self, updates: int) -> dict[str, float]:
        wall, cpu = time.perf_counter(), time.process_time()
        figures = self.fitter.fit(self.past, updates, self.config.batch, self.rng)
        self.update_time.updates += updates
        self.update_time.wall_s += time.perf_counter() - wall
        self.update_time.cpu_s += time.process_time() - cpu
        return figures

    def _play(self, n: int) -> list[float]:
        """Play n past programmes, with all their tests, and remember the tests. Returns the n episode returns."""
        vector = envs.make(self.env, n).vector
        start = first_episode_seed(self.training_seed, self.played, 1)
        random = self.played < self.config.random_programmes
        agent = self._agent(rules.MOST - 1, 1 if random else self.config.explore_imagined, 2)
        state = agent.initial_state(np.arange(start, start + n, dtype=np.uint64))
        obs, _ = vector.reset(seed=start)
        total, seen = np.zeros(n), []
        for step in range(rules.MOST):
            actions, state = agent.act(obs, state, np.full(n, step == 0), explore=True)
            if random:
                actions[:, :PARTS] = self.rng.uniform(-1.0, 1.0, (n, PARTS))
            obs, reward, *_ = vector.step(actions)
            total += reward
            seen.append(obs.copy())
        vector.close()
        for k in range(n):
            self.past = self.past + Trials.of(np.stack([rows[k] for rows in seen[:-1]]), self.played + k)
        self.played += n
        self.steps += n * rules.MOST
        return total.tolist()

    def graph(self) -> TorchGraph:
        """The ensemble; see `Forecast`."""
        members = self.config.members
        example = {"built": torch.zeros(2, members * PARTS), "context": torch.zeros(2, CONTEXT)}
        return TorchGraph(self.model, example, ("margins", "spreads", "prior"))

    def _agent(self, tests: int, imagined: int, scenarios: int) -> DesignAgent:
        c = self.config
        thinking = Thinking(tests, c.prototypes, imagined, scenarios, c.caution, c.explore)
        agent = DesignAgent(self.name, Forecast(self.graph()), thinking)
        agent.seed(self.training_seed)
        return agent

    def policy(self) -> DesignAgent:
        return self._agent(self.config.tests, self.config.imagined, self.config.scenarios)

    def save(self, folder: Path) -> None:
        writer = Writer(self.name, asdict(self.config))
        self.sync(writer)
        writer.write(folder)

    def load(self, folder: Path) -> None:
        self.sync(Reader(folder, self.name, asdict(self.config)))

    def sync(self, store: Store) -> None:
        self.steps = store.scalar("steps", self.steps)
        self.played = store.scalar("episodes", self.played)
        self.training_seed = store.scalar("training_seed", self.training_seed)
        store.module("model", self.model)
        latents = self.fitter.latents.transpose(0, 1).contiguous()
        self.fitter.latents = store.tensor("latents", latents, grows=True).transpose(0, 1)
        self.past = Trials(**{name: store.array(name, value, grows=True) for name, value in vars(self.past).items()})
        store.rng("rng", self.rng)

    def export(self, path: Path) -> None:
        """Write the ensemble; the settings of the search are on the card. See `unseen.agents.onnx.designer`."""
        write_onnx(self.graph(), path)
