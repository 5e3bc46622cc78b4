"""Import rules of docs/architecture.md: allowed dependencies and no cycles, checked on every import statement.

Imports inside functions and under TYPE_CHECKING count like all others.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("envs", "agents", "train")
SOURCES = {str(path.relative_to(ROOT)): path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))}

LEARNING = {"torch", "stable_baselines3", "sb3_contrib", "onnx", "onnxruntime", "onnxscript", "safetensors"}

CORE = ("unseen.envs.core", "unseen.envs.errors")
PLANAR = (*CORE, "unseen.envs.planar")
TASK = (*PLANAR, "unseen.envs.grid")
# For a file under the folder on the left: the parts of `unseen` it may import. The longest folder counts; {name} is
# the folder of one environment, which sees no other.
MAY_IMPORT = {
    "envs/core": CORE,
    "envs/planar": PLANAR,
    "envs/grid": TASK,
    "envs/industry": (*CORE, *(f"unseen.envs.industry.{part}" for part in ("kit", "views", "{name}"))),
    "envs/industry/views": CORE,
    "envs/permanence": (*TASK, "unseen.envs.permanence.{name}"),
    "envs/planning": (*TASK, "unseen.envs.planning.{name}"),
    "envs/watch": (*PLANAR, "unseen.envs.watch", "unseen.envs.suite", "unseen.envs.industry.views"),
    "envs": ("unseen.envs",),
    "agents": ("unseen.agents", "unseen.envs"),
    "train": ("unseen",),
}


def imported(source: str) -> list[str]:
    """Every absolute module name that a source imports, wherever the statement stands."""
    names: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import on line {node.lineno}"
            # `from unseen.envs import suite` names a module as well as `from unseen.envs.suite import SUITE`
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def within(name: str, modules: Iterable[str]) -> bool:
    return any(name == module or name.startswith(module + ".") for module in modules)


def violations(path: str, source: str) -> list[str]:
    """What a file at `path` (relative to the root) imports against the arrows."""
    folder = max((folder for folder in MAY_IMPORT if path.startswith(folder + "/")), key=len)
    own = path.removeprefix(folder + "/").split("/")[0]
    allowed = [part.format(name=own) for part in MAY_IMPORT[folder]]
    wrong = [
        name
        for name in imported(source)
        if within(name, ("unseen",)) and name != "unseen.__version__" and not within(name, allowed)
    ]
    if path.startswith("envs/"):
        wrong += [name for name in imported(source) if name.split(".")[0] in LEARNING]
    return wrong


def module_of(path: str) -> str:
    return ".".join(["unseen", *Path(path).with_suffix("").parts]).removesuffix(".__init__")


def circle(graph: dict[str, set[str]]) -> list[str]:
    """Modules along one circle of the graph; empty where there is none."""
    state: dict[str, int] = {}
    way: list[str] = []

    def visit(module: str) -> list[str]:
        state[module] = 1
        way.append(module)
        for other in sorted(graph.get(module, ())):
            if state.get(other) == 1:
                return [*way[way.index(other) :], other]
            if other not in state and (found := visit(other)):
                return found
        state[module] = 2
        way.pop()
        return []

    for module in sorted(graph):
        if module not in state and (found := visit(module)):
            return found
    return []


def graph_of(sources: dict[str, str]) -> dict[str, set[str]]:
    """module -> modules that it imports, for sources by path."""
    modules = {module_of(path) for path in sources}

    def home(name: str) -> str | None:
        while name and name not in modules:
            name = name.rpartition(".")[0]
        return name or None

    graph: dict[str, set[str]] = {}
    for path, source in sources.items():
        me = module_of(path)
        found = {home(name) for name in imported(source) if within(name, ("unseen",))}
        graph[me] = {name for name in found if name and name != me}
    return graph


@pytest.mark.parametrize("path", SOURCES)
def test_imports_follow_the_arrows(path: str) -> None:
    assert violations(path, SOURCES[path].read_text(encoding="utf-8")) == []


def test_no_modules_import_one_another() -> None:
    assert circle(graph_of({path: file.read_text(encoding="utf-8") for path, file in SOURCES.items()})) == []


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("envs/core/a.py", "from unseen.envs.permanence.rex import spec"),
        ("envs/core/a.py", "from unseen.envs import suite"),
        ("envs/core/a.py", "from unseen.envs.planar.world import planar"),
        ("envs/core/a.py", "def f():\n    from unseen.envs.watch import view"),
        ("envs/planar/a.py", "from unseen.envs.watch import view"),
        ("envs/permanence/rex/a.py", "import unseen.envs.watch.scene"),
        ("envs/permanence/rex/a.py", "from unseen.envs.permanence.cups import rules"),
        ("envs/planning/ramps/a.py", "from unseen.envs.permanence.cups import rules"),
        ("envs/suite.py", "from unseen.agents.protocol import Agent"),
        ("envs/watch/a.py", "def f():\n    import torch"),
        ("agents/a.py", "from unseen.train import logs"),
    ],
)
def test_an_import_against_the_arrows_is_found(path: str, line: str) -> None:
    assert violations(path, line)


@pytest.mark.parametrize(
    "line",
    [
        "from unseen.agents.b import f",
        "from unseen.agents import b",
        "def f():\n    import unseen.agents.b",
        "if TYPE_CHECKING:\n    from unseen.agents.b import f",
    ],
)
def test_a_circle_is_found_wherever_its_imports_stand(line: str) -> None:
    sources = {
        "agents/a.py": line,
        "agents/b.py": "from unseen.agents.c import g",
        "agents/c.py": "import unseen.agents.a",
    }
    assert circle(graph_of(sources)) == ["unseen.agents.a", "unseen.agents.b", "unseen.agents.c", "unseen.agents.a"]
    assert circle(graph_of(sources | {"agents/c.py": ""})) == []
