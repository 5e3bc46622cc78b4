"""docs/new_environment.md keeps its word: its tutorial passes the audit, and its tables lack nothing."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
from pathlib import Path

import pytest

from unseen.envs.core import params
from unseen.envs.core.task import HEADER, Task
from unseen.envs.planar.task import Look, PlanarTask
from unseen.envs.planar.world import planar
from unseen.envs.suite import resolve
from unseen.train import cli

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "new_environment.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`\n]+)`", PAGE))))


@pytest.fixture(scope="module")
def recall(tmp_path_factory: pytest.TempPathFactory) -> str:
    tutorial = PAGE[PAGE.index("## A first task") : PAGE.index("## A task in a room")]
    file = tmp_path_factory.mktemp("tutorial") / "recall.py"
    file.write_text("\n\n".join(re.findall(r"```python\n(.*?)```", tutorial, flags=re.DOTALL)))
    return f"{file}:Recall"


def test_the_tutorial_passes_the_whole_audit(recall: str) -> None:
    assert cli.main(["audit", recall]) == 0


def test_the_tutorial_is_drawn(recall: str, tmp_path: Path) -> None:
    assert cli.main(["watch", "tracker", recall, "--save", str(tmp_path / "film.gif")]) == 0


def test_the_introduction_runs() -> None:
    before = PAGE[: PAGE.index("## A first task")]
    (block,) = re.findall(r"```python\n(.*?)```", before, flags=re.DOTALL)
    subprocess.run([sys.executable, "-c", block], cwd=ROOT, check=True)


def test_commands_parse_and_files_exist() -> None:
    lines = re.findall(r"^unseen .*$", PAGE, flags=re.MULTILINE)
    assert lines
    for line in lines:
        _, name, *words = line.split()
        _, config = cli.COMMANDS[name].load()
        assert isinstance(cli.parse(name, config, words), config), line
    links = re.findall(r"\]\((?!http|#)([^)#]+)\)", PAGE)
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []


def test_tables_name_every_field() -> None:
    fields = {name for name, *_ in HEADER} | set(planar(1, 1).names or ())
    pieces = {name for name in Task.__annotations__ if not name.startswith("_")}
    looks = {field.name for field in dataclasses.fields(Look)}
    kinds = {"integer", "real", "flag", "choice", "span", "vector", "derived"}
    assert all(hasattr(params, kind) for kind in kinds)
    assert (fields | pieces | looks | kinds | set(PlanarTask.actions)) - NAMED == set()


def test_what_it_says_to_import_is_there() -> None:
    """The rows of the table of modules."""
    for module, names in re.findall(r"^\| `(unseen\.envs\.planar\.\w+)` \| (.*) \|$", PAGE, flags=re.MULTILINE):
        known = vars(__import__(module, fromlist=["_"]))
        assert set(re.findall(r"`(\w+)`", names)) - set(known) == set()


# --- examples/press.py ---

PRESS = str(ROOT / "examples" / "press.py") + ":Press"


@pytest.mark.parametrize("level", ["0", "1", "2"])
def test_the_press_passes_the_audit(level: str) -> None:
    assert cli.main(["audit", PRESS, "--quick", "--levels", level]) == 0


def test_the_press_is_drawn_and_drops(tmp_path: Path) -> None:
    task = resolve(PRESS).task
    assert len(task.view.props) == 3  # type: ignore[attr-defined]
    assert cli.main(["watch", "oracle", PRESS, "--level", "1", "--save", str(tmp_path / "film.png")]) == 0
