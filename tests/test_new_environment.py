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
from unseen.envs.errors import BadTask
from unseen.envs.planar.task import Look, PlanarTask
from unseen.envs.planar.world import planar
from unseen.envs.suite import make
from unseen.envs.watch.room import RoomPainter
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


def test_the_tutorial_passes_the_audit(recall: str) -> None:
    assert cli.main(["audit", recall, "--quick"]) == 0


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


def test_the_press_passes_the_audit() -> None:
    assert cli.main(["audit", PRESS, "--quick"]) == 0


def test_props_are_drawn_over_and_under() -> None:
    env = make(PRESS, level=1)
    env.reset(seed=0)
    task, record, params = env.task, env.world[0], env.params
    shown = RoomPainter().frame(record, params, task)
    room = (slice(64, 528), slice(24, 488))  # the room from above
    for some in (task.view.props[:1], task.view.props[1:]):  # the belt alone; the cover and the press alone
        bare = type("Bare", (task,), {"view": dataclasses.replace(task.view, props=some)})
        assert (RoomPainter().frame(record, params, bare)[room] != shown[room]).any(axis=2).mean() > 0.02


def test_a_look_that_asks_for_phases_that_are_not_there_is_refused(tmp_path: Path) -> None:
    text = Path(PRESS.rpartition(":")[0]).read_text()
    (tmp_path / "press.py").write_text(re.sub(r"phases=\(.*?\n        \),", "", text, flags=re.DOTALL))
    with pytest.raises(BadTask, match="Press: 'view' reads what is not there: .*no attribute 'act'"):
        make(f"{tmp_path / 'press.py'}:Press")
