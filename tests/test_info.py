"""`unseen info` of environments and agents agrees with the declarations."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from unseen.agents.load import list_runs
from unseen.agents.roster import ROSTER
from unseen.envs.suite import SUITE, make
from unseen.train.cli import main
from unseen.train.info import field_docs

MONITOR = str(Path(__file__).parents[1] / "examples" / "blind_monitor.py") + ":BlindMonitor"


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


def told(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["info", *words]) == 0
    return capsys.readouterr().out


def test_continuous_actions_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    said = told(capsys, "ProvingGround")
    assert re.search(r"continuous +17 numbers *\n +brake bias +-1 \.\. 1 *\n +spring +-1 \.\. 1", said)


@pytest.mark.sample(3)
@pytest.mark.parametrize("name", SUITE)
def test_an_environment(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    said, env = told(capsys, name, "--level", "1"), make(name, level=1)
    assert SUITE[name].id in said and SUITE[name].title in said
    for parameter, spec in env.params.specs().items():
        assert re.search(rf"^  {parameter} .*{re.escape(spec.doc[:30])}", said, re.MULTILINE), parameter
    for word in (*env.task.actions, *env.task.sensors, *env.task.presets, *env.task.references, *env.task.curves):
        assert word in said
    for level, anchor in SUITE[name].anchors.items():
        assert re.search(rf"level {level} +random {anchor.random:g} .*oracle {anchor.oracle:g}", said)
    assert f"after at most {env.horizon} steps" in said
    last = env.observation_space.shape[0] - 1
    assert re.search(rf"^  (\d+ - )?{last} ", said, re.MULTILINE)  # the parts cover the whole row


@pytest.mark.parametrize("name", SUITE)
def test_lists_and_tables_of_a_docstring_are_printed_line_by_line(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = [line.rstrip() for line in told(capsys, name).splitlines()]
    for line in inspect.cleandoc(SUITE[name].task.__doc__ or "").splitlines():
        if line.startswith(("    ", "|")):
            assert f"  {line}" in printed


def test_each_item_of_a_list_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    said = told(capsys, "Rex")
    assert re.search(
        r"^  - where, remembering .* observations\). Level 1 declares an excess, because", said, re.MULTILINE
    )
    assert re.search(r"^  - long, following ", said, re.MULTILINE)


def test_a_score_table_fits_a_narrow_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    said = told(capsys, "Kiln")
    assert re.search(r"^ +level +0 +1 +2 +3 *\n +random +-.08 +-.08 +-.08 +-.08 *\n +tracker-1 +- ", said, re.MULTILINE)


def test_the_layout_has_index_name_unit_and_range(capsys: pytest.CaptureFixture[str]) -> None:
    said = told(capsys, MONITOR)
    assert re.search(r"index +name +unit +range", said)
    assert re.search(r"^  0 +drug in the blood +mg/l +0 \.\. 30", said, re.MULTILINE)
    assert re.search(r"^  3 +time +maximum length +0 \.\. 1", said, re.MULTILINE)
    assert re.search(r"continuous +1 number +\(0\) +\(1\)", said)
    assert "The patient's clearance, 1/h. (1 number)" in said
    assert "0 .. 1: fraction of time within tolerance. The last step's info has is_success, worst_error" in said
    assert re.search(r"^  3 +blind=\(60,100\)", said, re.MULTILINE)


def test_the_card_follows_level_sensor_and_parameters(capsys: pytest.CaptureFixture[str]) -> None:
    assert "one of 3" in told(capsys, "RolledBehind", "--level", "1")
    assert "one of 6" in told(capsys, "RolledBehind", "--level", "2", "--env", "occluders=6")
    assert re.search(r"image +64x64x3", told(capsys, "RolledBehind", "--obs", "pixels"))
    assert re.search(r"^  blackout +\(7,9\)", told(capsys, "RolledBehind", "--env", "blackout=7,9"), re.MULTILINE)


@pytest.mark.parametrize("name", ROSTER)
def test_an_agent(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    said, row = told(capsys, name), ROSTER[name]
    assert row.summary in said and row.kind in said and row.supervision in said
    assert ("settings" in said) == row.trainable
    if row.trainable:
        assert f"{row.steps:,} environment steps" in said
        if list_runs(name, "RolledBehind", 1):
            assert re.search(r"RolledBehind level 1 +seed 0 +mean return 0?\.?\d", said)
    if name == "mapper":
        assert re.search(r"replay_ratio +64 +replayed steps per environment step", said)
        assert re.search(r"memory_lr +0\.004\b", said)


def test_the_table_of_settings_is_that_of_the_code(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("sb3_contrib")
    assert main(["list", "--settings"]) == 0
    page = Path(__file__).parents[1] / "docs" / "settings.md"
    assert capsys.readouterr().out == page.read_text(encoding="utf-8"), "unseen list --settings > docs/settings.md"


def test_documentation_of_fields_is_read_off_the_source() -> None:
    assert field_docs(Derived) == {"a": "of the base", "b": "said anew", "c": "in two lines"}


@dataclass
class Base:
    """The base."""

    a: int = 1
    """of the base"""
    b: int = 2
    """of the base too"""


@dataclass
class Derived(Base):
    b: int = 3
    """said anew"""
    c: int = 4
    """in two
    lines"""
    d: int = 5
