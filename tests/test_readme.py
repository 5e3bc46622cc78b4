"""The README's Python code runs, and its commands and files exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from unseen.train import cli
from unseen.train.benchmark import results
from unseen.train.benchmark.page import split_at_markers
from unseen.train.benchmark.spec import read_spec
from unseen.train.benchmark.summary import groups
from unseen.train.benchmark.tables import tables

ROOT = Path(__file__).parents[1]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("results/*.md")]
README = (ROOT / "README.md").read_text(encoding="utf-8")
TABLES = [
    (page, name)
    for page in PAGES
    for name in re.findall(r"^<!-- benchmark ([^:]+): begin -->", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
]
PYTHON = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)


@pytest.mark.parametrize("block", range(len(PYTHON)))
def test_python_runs(block: int) -> None:
    script = "import gymnasium, unseen\n" + PYTHON[block]
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def test_the_id_works_without_an_import() -> None:
    script = "import gymnasium; gymnasium.make('unseen:Unseen/RolledBehind-v1').reset(seed=0)"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_commands_parse() -> None:
    lines = re.findall(r"^unseen .*$", README, flags=re.MULTILINE)
    assert lines
    for line in lines:
        _, name, *words = line.split("#")[0].split()
        _, config = cli.COMMANDS[name].load()
        assert isinstance(cli.parse(name, config, words), config), line


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^make (\w+)", README, flags=re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


@pytest.mark.parametrize(("page", "name"), TABLES, ids=lambda part: getattr(part, "name", part))
def test_tables_are_those_of_the_stored_results(page: Path, name: str) -> None:
    benchmark = name.split()[0]
    spec = read_spec(ROOT / "benchmarks" / f"{benchmark}.toml")
    made = tables(spec, groups(spec, results.read(ROOT / "results" / benchmark, spec)))
    before, after = split_at_markers(page, name)
    assert page.read_text(encoding="utf-8")[len(before) : -len(after)].strip() == made[name], "make tables"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_linked_files_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!http)([^)#]+)\)", text) + re.findall(r'src="(?!http)([^"]+)"', text)
    assert [link for link in links if not (page.parent / link).exists()] == []
