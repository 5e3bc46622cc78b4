"""Progress: lines on a pipe at the start, periodically and at the end; bars on a terminal."""

from __future__ import annotations

import sys

import pytest

from unseen.train import progress
from unseen.train.progress import Progress


def test_lines_at_start_and_end(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "EVERY", 1e9)
    with Progress({"all": 3, "mapper": 2}) as shown:
        for _ in range(3):
            shown.advance("all")
        shown.advance("mapper", 2, "level 1")
    said = capsys.readouterr()
    lines = [line.replace("(0 s)", "") for line in said.err.splitlines()]
    assert [line.strip() for line in lines] == [
        "unseen: all 0/3",
        "unseen: all 3/3 , level 1",
    ]
    assert said.out == ""


def test_lines_in_between(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "EVERY", 0.0)
    with Progress({"all": 3, "ppo": 1, "mapper": 2}) as shown:
        shown.advance("all")
        shown.advance("mapper")
        shown.advance("all", 2)
    lines = [line.partition(" (")[0] for line in capsys.readouterr().err.splitlines()]
    assert lines == [
        "unseen: all 0/3",
        "unseen: all 1/3",
        "unseen: all 1/3, mapper 1/2",  # beside the whole, what is under way
        "unseen: all 3/3, mapper 1/2",  # and not again at the end
    ]


def test_no_last_line_where_something_went_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyError), Progress({"all": 3}):
        raise KeyError
    assert capsys.readouterr().err.count("\n") == 1


def test_bars_on_a_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("FORCE_COLOR", "1")
    with Progress({"all": 3}) as shown:
        shown.advance("all", 3, "level 1")
    said = capsys.readouterr().err
    assert "all" in said and "3/3" in said and "level 1" in said and "unseen:" not in said
