"""The arrows between the rooms (docs/architecture.md), read off every file's import statements."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = {"envs": "unseen.envs", "agents": "unseen.agents", "train": "unseen.train"}
SOURCES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))

LEARNING = {"torch", "stable_baselines3", "sb3_contrib", "onnx", "onnxruntime", "onnxscript", "safetensors"}

# For a file under the folder on the left: the parts of `unseen` it may import. The longest folder counts.
MAY_IMPORT = {
    "envs/engine": ("unseen.envs.engine", "unseen.envs.errors", "unseen.envs.watch.view", "unseen.envs.watch.play"),
    "envs/permanence": ("unseen.envs.permanence", "unseen.envs.engine", "unseen.envs.errors"),
    "envs/planning": ("unseen.envs.planning", "unseen.envs.engine", "unseen.envs.errors"),
    "envs": ("unseen.envs",),
    "agents": ("unseen.agents", "unseen.envs"),
    "train": ("unseen",),
}


def imported(source: str) -> list[str]:
    """Every absolute module name that a source imports, at the top and inside functions alike."""
    names: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import on line {node.lineno}"
            # `from unseen.envs import suite` names a module as well as `from unseen.envs.suite import SUITE`
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def within(name: str, modules: tuple[str, ...]) -> bool:
    return any(name == module or name.startswith(module + ".") for module in modules)


def violations(path: str, source: str) -> list[str]:
    """What a file at `path` (relative to the root) imports against the arrows."""
    folder = max((folder for folder in MAY_IMPORT if path.startswith(folder + "/")), key=len)
    wrong = [
        name
        for name in imported(source)
        if within(name, ("unseen",)) and name != "unseen.__version__" and not within(name, MAY_IMPORT[folder])
    ]
    if path.startswith("envs/"):
        wrong += [name for name in imported(source) if name.split(".")[0] in LEARNING]
    return wrong


@pytest.mark.parametrize("path", [str(path.relative_to(ROOT)) for path in SOURCES])
def test_imports_follow_the_arrows(path: str) -> None:
    assert violations(path, (ROOT / path).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("envs/engine/a.py", "from unseen.envs.permanence.rolled_behind import spec as rolled_behind"),
        ("envs/engine/a.py", "from unseen.envs import suite"),
        ("envs/permanence/a.py", "import unseen.envs.watch.scene"),
        ("envs/suite.py", "from unseen.agents.agent import Agent"),
        ("envs/watch/a.py", "def f():\n    import torch"),
        ("agents/a.py", "from unseen.train import logs"),
    ],
)
def test_an_import_against_the_arrows_is_found(path: str, line: str) -> None:
    assert violations(path, line)
