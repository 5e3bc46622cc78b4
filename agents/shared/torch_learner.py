"""Base class of the learners: settings, environments, policy, export and checkpoints."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar

from gymnasium import spaces

from unseen.agents.errors import BadAgent
from unseen.agents.onnx.export import write_onnx
from unseen.agents.protocol import Agent, Learner, UpdateTime
from unseen.agents.roster import maps_slots
from unseen.agents.shared import envs
from unseen.agents.shared.checkpoint import Reader, Store, Writer
from unseen.agents.shared.envs import AutoresetMode, EnvConfig, Environments
from unseen.agents.shared.graph_agent import GraphAgent
from unseen.agents.shared.planning_agent import GraphPlanningAgent, Search
from unseen.agents.shared.repeat import with_repeat
from unseen.agents.shared.settings import configure
from unseen.agents.shared.torch_graph import TorchGraph


class TorchLearner(Learner):
    """Base of learners written in torch.

    Subclasses define `name`, `config_class`, `advance`, `act_graph`, `sync` and, if they have a world model, `imagine_graph`.
    """

    config_class: ClassVar[type]
    autoreset: ClassVar[AutoresetMode] = AutoresetMode.NEXT_STEP
    needs_snapshots: ClassVar[bool] = True
    """whether exact resumption needs snapshots of the environments; False if state is only saved between episodes"""

    def __init__(
        self, env: EnvConfig, seed: int = 0, device: str = "cpu", config: Mapping[str, Any] | None = None
    ) -> None:
        self.config = configure(self.config_class, config)
        self.repeat: int = getattr(self.config, "repeat", 1)
        self.envs = self._make(env)
        self.resumes_exactly = self.envs.has_snapshots or not self.needs_snapshots
        self.notes = tuple(_notes(env.label, self.envs, self.resumes_exactly))
        self.update_time = UpdateTime()
        self.limit_cuts = self._limit_cuts(env)
        """whether a time limit truncates an episode, so that the value of its last observation counts"""

    @contextmanager
    def timed(self, updates: int = 1) -> Iterator[None]:
        """Add the gradient updates made in this context, and the time that they take, to `update_time`."""
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.update_time.updates += updates
        self.update_time.wall_s += time.perf_counter() - wall
        self.update_time.cpu_s += time.process_time() - cpu

    @abstractmethod
    def act_graph(self) -> TorchGraph:
        """The current policy; see `unseen.agents.shared.graph_agent`."""

    def imagine_graph(self) -> TorchGraph | None:
        """One imagined step; None without a world model."""
        return None

    @abstractmethod
    def sync(self, store: Store) -> None:
        """Pass the complete training state to `store`."""

    def move(self, env: EnvConfig) -> None:
        """Continue in another environment. Raises BadAgent if its observations or actions differ."""
        made = self._make(env)
        before, after = (one.vector.single_action_space for one in (self.envs, made))
        if (made.observation, made.layout, after) != (self.envs.observation, self.envs.layout, before):
            raise BadAgent(f"{self.name} cannot go on in {env.label}: other observations or actions")
        self.envs, self.limit_cuts = made, self._limit_cuts(env)

    def _make(self, env: EnvConfig) -> Environments:
        return with_repeat(envs.make(env, self.config.envs, self.autoreset), self.repeat)

    def _limit_cuts(self, env: EnvConfig) -> bool:
        """What the setting `time_limit` means in `env`. In free play the limit does not belong to the task, so it truncates."""
        setting = getattr(self.config, "time_limit", "auto")
        return setting == "cuts" or (setting == "auto" and (env.entry is None or env.free))

    @property
    def slot_map(self) -> bool:
        """Whether the entries of the learner's map are slots; see `maps_slots`."""
        return maps_slots(self.name, asdict(self.config))

    def policy(self) -> Agent:
        graphs, made = (self.act_graph(), self.imagine_graph()), self.envs
        agent = GraphAgent(self.name, *graphs, made.obs_mode, made.action_kind, self.scale, self.slot_map)
        agent.repeat = self.repeat
        return agent

    def planning_policy(self, search: Search) -> GraphPlanningAgent:
        """The current policy with planning by `search`, for a learner whose graphs are those of a `GraphPlanningAgent`."""
        graph, made = self.imagine_graph(), self.envs
        assert graph is not None, "planning needs a world model"
        space = made.vector.single_action_space
        assert isinstance(space, spaces.Discrete | spaces.Box)
        more = made.obs_mode, made.action_kind, self.scale, self.slot_map
        agent = GraphPlanningAgent(self.name, self.act_graph(), graph, search, space, *more)
        agent.repeat = self.repeat
        return agent

    @property
    def scale(self) -> float:
        """Metres per unit of an observed position."""
        return 1.0 if self.envs.layout is None else self.envs.layout.scale

    def export(self, path: Path) -> None:
        write_onnx(self.act_graph(), path)
        imagine = self.imagine_graph()
        if imagine is not None:
            write_onnx(imagine, path.with_suffix(".imagine.onnx"))

    def save(self, folder: Path) -> None:
        writer = Writer(self.name, asdict(self.config))
        self.sync(writer)
        writer.write(folder)

    def load(self, folder: Path) -> None:
        self.sync(Reader(folder, self.name, asdict(self.config)))


def _notes(name: str, made: Environments, resumes_exactly: bool) -> Iterator[str]:
    if not resumes_exactly:
        yield f"{name} has no snapshots: a resumed run starts new episodes"
    if made.ignored:
        yield f"{name}: non-numeric observations are ignored: {', '.join(made.ignored)}"


def first_episode_seed(seed: int, iteration: int, n: int) -> int:
    """First environment seed of the n episodes of an iteration, for learners that play whole episodes.

    Different training seeds share no episodes.
    """
    return 1_000_000_007 * (seed + 1) + iteration * n


def environment_seed(seed: int, n: int) -> int:
    """First environment seed for a training seed with n environments. Different training seeds share no episodes."""
    return 1_000 * (seed + 1) * n
