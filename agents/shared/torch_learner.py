"""What the learners here share: settings, environment, policy, export, and checkpoints."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar

from unseen.agents.onnx.export import write_onnx
from unseen.agents.protocol import Learner
from unseen.agents.shared import envs
from unseen.agents.shared.checkpoint import Reader, Store, Writer
from unseen.agents.shared.envs import AutoresetMode, EnvConfig, Environments
from unseen.agents.shared.graph_agent import GraphAgent
from unseen.agents.shared.settings import configure
from unseen.agents.shared.torch_graph import TorchGraph


class TorchLearner(Learner):
    """A subclass gives `name`, `config_class`, `advance`, `act_graph`, `sync`, and `imagine_graph` if it has a model."""

    config_class: ClassVar[type]
    autoreset: ClassVar[AutoresetMode] = AutoresetMode.NEXT_STEP

    def __init__(
        self, env: EnvConfig, seed: int = 0, device: str = "cpu", config: Mapping[str, Any] | None = None
    ) -> None:
        self.config = configure(self.config_class, config)
        self.envs: Environments = envs.make(env, self.config.envs, self.autoreset)
        self.resumes_exactly = self.envs.has_snapshots
        self.notes = tuple(_notes(env.label, self.envs))

    @abstractmethod
    def act_graph(self) -> TorchGraph:
        """The present policy, as `unseen.agents.shared.graph_agent` says."""

    def imagine_graph(self) -> TorchGraph | None:
        """One step of the world model; None for an algorithm without one."""
        return None

    @abstractmethod
    def sync(self, store: Store) -> None:
        """Hand all that the algorithm is made of to a store."""

    def policy(self) -> GraphAgent:
        layout = self.envs.layout
        scale = 1.0 if layout is None else layout.scale
        graphs = self.act_graph(), self.imagine_graph()
        return GraphAgent(self.name, *graphs, self.envs.obs_mode, self.envs.action_kind, scale)

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


def _notes(name: str, made: Environments) -> Iterator[str]:
    if not made.has_snapshots:
        yield f"{name} has no snapshots: a resumed run begins with new episodes"
    if made.ignored:
        yield f"{name}: not observed, since they are not numbers: {', '.join(made.ignored)}"


def environment_seed(seed: int, n: int) -> int:
    """Where n environments of a training seed begin to count: those of different training seeds share no episode."""
    return 1_000 * (seed + 1) * n
