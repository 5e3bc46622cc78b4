"""Packaging: installed files, and the modules that imports load."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import unseen
from unseen.train.cli import TRAIN_EXTRA

ROOT = Path(__file__).parents[1]
ROOMS = ("envs", "agents", "train")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
HEAVY = {"torch", "pygame", "numba", "onnxruntime", "matplotlib", "scipy", "stable_baselines3"}
EXTRAS = PROJECT["optional-dependencies"]


def modules_after(code: str) -> set[str]:
    """Top-level modules loaded by a fresh interpreter that ran `code`."""
    script = f"import sys\n{code}\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    run = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, cwd="/")
    return set(run.stdout.split())


def test_every_folder_with_code_is_a_listed_package() -> None:
    found = {"unseen"} | {
        ".".join(["unseen", *init.parent.relative_to(ROOT).parts])
        for room in ROOMS
        for init in (ROOT / room).rglob("__init__.py")
    }
    assert set(PYPROJECT["tool"]["setuptools"]["packages"]) == found


def test_no_code_lies_outside_a_package() -> None:
    strays = [
        path for room in ROOMS for path in (ROOT / room).rglob("*.py") if not (path.parent / "__init__.py").exists()
    ]
    assert strays == []


@pytest.mark.parametrize("room", ROOMS)
def test_links_lead_to_the_rooms(room: str) -> None:
    assert (ROOT / "src/unseen" / room).resolve() == ROOT / room


def test_import_is_light() -> None:
    assert not modules_after("import unseen") & (HEAVY | {"rich", "tyro"})


def test_help_is_light() -> None:
    code = "from unseen.train.cli import main\nimport io, contextlib\n"
    code += "with contextlib.redirect_stdout(io.StringIO()): main(['--help'])"
    assert not modules_after(code) & HEAVY


def test_environments_load_no_torch() -> None:
    modules = "pkgutil.walk_packages(unseen.envs.__path__, 'unseen.envs.')"
    code = f"import pkgutil, importlib, unseen.envs\nfor m in {modules}: importlib.import_module(m.name)"
    assert not modules_after(code) & {"torch", "onnxruntime", "stable_baselines3"}


def test_version_is_said_once() -> None:
    assert "version" in PROJECT["dynamic"]
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {unseen.__version__}\n" in citation


def test_every_dependency_is_pinned_to_a_version_that_its_bound_admits() -> None:
    pins = dict(
        line.split("==")
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    )
    pins = {canonicalize_name(name): version for name, version in pins.items()}
    declared = (
        PROJECT["dependencies"] + EXTRAS["train"] + EXTRAS["test"] + EXTRAS["bench"] + EXTRAS["ray"] + EXTRAS["outside"]
    )
    for requirement in map(Requirement, declared):
        assert re.match(r">=\d", str(requirement.specifier)), f"{requirement} has no lower bound"
        assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)]), requirement


def test_torch_is_an_extra_and_all_is_all() -> None:
    core = {Requirement(line).name for line in PROJECT["dependencies"]}
    assert not core & {"torch", "stable-baselines3", "sb3-contrib", "onnx"}
    assert TRAIN_EXTRA == {Requirement(line).name.replace("-", "_") for line in EXTRAS["train"]}
    (everything,) = map(Requirement, EXTRAS["all"])
    assert everything.extras == set(EXTRAS) - {"all", "ray", "outside"}, "these are large, and few need them"
