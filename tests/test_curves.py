"""Plots of learning curves: agents shown, best score without memory, and errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from unseen.agents.load import list_runs
from unseen.agents.roster import trainable
from unseen.envs.suite import SUITE, resolve
from unseen.train.cli import main
from unseen.train.curves import CurvesConfig, curves, memoryless


def test_every_environment_with_a_trained_agent_has_a_panel(tmp_path: Path) -> None:
    text = curves(CurvesConfig(out=tmp_path / "new" / "all.svg")).read_text()
    runs = {name: [run for agent in trainable() for run in list_runs(agent, name, 1)] for name in SUITE}
    trained = [name for name in SUITE if any(len(run.card.curve) > 1 for run in runs[name])]
    for name in SUITE:  # text is drawn as paths, and matplotlib notes it beside them
        assert (f"<!-- {name}, level 1 -->" in text) == (name in trained)
    assert text.count("<!-- best score without memory -->") == 1
    assert curves(CurvesConfig(out=tmp_path / "again.svg")).read_text() == text


def test_the_ceiling_is_chance_where_memory_is_needed_and_none_elsewhere() -> None:
    assert memoryless(resolve("RolledBehind"), 2) == 1 / 4
    assert memoryless(resolve("RolledBehind"), 0) is None
    assert memoryless(resolve("Detour"), 1) is None


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["RoledBehind"], "RolledBehind"),
        (["--level", "7"], "level 7"),
        (["RolledBehind", "--out", "{}/curves.doc"], "doc"),
        (["RolledBehind", "--out", "{}/file/curves.svg"], "file"),
    ],
)
def test_bad_words_are_named(
    words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert main(["curves", *(word.format(tmp_path) for word in words)]) == 2
    told = capsys.readouterr().err
    assert message in told and told.count("\n") == 1
