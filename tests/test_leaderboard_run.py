"""The whole command: a board from nothing, resumed after kill -9, with agents of all sorts of manners."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from unseen.agents.errors import UnknownAgent
from unseen.train.errors import AgentFailed, EvaluationError, StoreError
from unseen.train.leaderboard.runner import EvaluateConfig, LeaderboardConfig, evaluate, leaderboard

COMMAND = [sys.executable, "-m", "unseen.train.cli"]

SLOW = '''
import os, time
import numpy as np
from unseen.agents.protocol import Agent

class Slow(Agent):
    """Takes its time, and keeps a list of the blocks that it was asked to play."""
    def initial_state(self, seeds):
        if len(seeds) > 1:
            with open({log!r}, "a") as file:
                file.write("block\\n")
        return None
    def act(self, obs, state, first, explore=False):
        time.sleep(0.01 if len(obs) > 1 else 0)
        return np.full(len(obs), 1), state
'''

MANNERS = """
import os, signal
import numpy as np
from unseen.agents.protocol import Agent

class Straight(Agent):
    name = "<img src=x onerror=alert(1)>"
    def initial_state(self, seeds):
        return None
    def act(self, obs, state, first, explore=False):
        return np.zeros(len(obs), int), state

class Raises(Straight):
    def act(self, obs, state, first, explore=False):
        raise ValueError("<script>alert('own')</script>")

class Nan(Straight):
    def act(self, obs, state, first, explore=False):
        return np.full(len(obs), np.nan), state

class Dies(Straight):
    def act(self, obs, state, first, explore=False):
        os.kill(os.getpid(), signal.SIGKILL)
"""


def board_of(folder: Path) -> str:
    """The board's JSON, without timings."""
    board = json.loads((folder / "board.json").read_text())
    del board["latency"], board["machine"]
    return json.dumps(board)


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9")
def test_killed_and_resumed_equals_uninterrupted(tmp_path: Path) -> None:
    log = tmp_path / "log"
    agent = tmp_path / "slow.py"
    agent.write_text(SLOW.format(log=str(log)))
    words = ["leaderboard", "--agent", f"{agent}:Slow", "--only", "reflex", "--levels", "1", "2", "--episodes", "350"]
    cut, whole = tmp_path / "cut", tmp_path / "whole"

    process = subprocess.Popen([*COMMAND, *words, "--out", cut], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    journal = cut / "journal.jsonl"
    deadline = time.monotonic() + 120
    while not (journal.exists() and journal.read_bytes().count(b'["episode"') > 0 and log.exists()):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    while log.read_text().count("block") < 4:  # so that at least one of its blocks is stored
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    time.sleep(1.0)  # its workers end with the block they are at
    assert not (cut / "board.json").exists()
    played = log.read_text().count("block")
    own = journal.read_bytes().count(in_journal(f"{agent}:Slow")) / 100
    assert own in range(1, 8)  # whole blocks only

    subprocess.run([*COMMAND, *words, "--out", cut], check=True, stdout=subprocess.DEVNULL)
    assert log.read_text().count("block") - played == 8 - own  # nothing repeated, nothing lost
    subprocess.run([*COMMAND, *words, "--out", whole], check=True, stdout=subprocess.DEVNULL)
    assert board_of(cut) == board_of(whole)
    before = log.read_text()
    subprocess.run([*COMMAND, *words, "--out", cut], check=True, stdout=subprocess.DEVNULL)
    assert log.read_text() == before  # complete: not one more episode
    assert board_of(cut) == board_of(whole)


def in_journal(agent: str) -> bytes:
    """How the journal names an agent in an episode."""
    from unseen.train.leaderboard.field import arena, contestants

    (found,) = contestants(agent, arena("RolledBehind", 1))
    return f'"agent":"{found.id}"'.encode()


def test_bad_manners_harm_nobody_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "manners.py"
    file.write_text(MANNERS)
    own = tuple(f"{file}:{name}" for name in ("Straight", "Raises", "Nan", "Dies"))
    config = LeaderboardConfig(own, ("random", "oracle"), ("rolledbehind",), (1,), 100, out=tmp_path / "board")
    board = leaderboard(config)
    cells = {entry.name: entry.cells["RolledBehind/1"] for entry in board.entries}
    assert cells["oracle"].raw is not None and cells["oracle"].raw.point > 0.95
    assert cells["random"].normal is not None and abs(cells["random"].normal.point) < 0.15
    assert cells["Straight (manners.py)"].status == "ok"
    for name, reason in (
        ("Raises", "at step 0: raised ValueError: <script>"),
        ("Nan", "at step 0: action nan of dtype float64, where an integer of 0..3 is due"),
        ("Dies", "died (exit code -9), on its second try"),
    ):
        cell = cells[f"{name} (manners.py)"]
        assert cell.status == "failed" and cell.raw is None
        assert reason in cell.error and name in cell.error
    assert [entry.name for entry in board.entries if entry.overall] == ["oracle", "random", "Straight (manners.py)"]
    page = (tmp_path / "board" / "index.html").read_text()
    assert "<script>alert" not in page and "&lt;script&gt;alert" in page
    said = capsys.readouterr().out
    assert "failed: Raises (manners.py)" in said and str(tmp_path / "board" / "index.html") in said.replace("\n", "")

    # What an agent did is kept; what befell its worker is tried again.
    file.write_text(MANNERS + "\n# the same\n")  # another file is another agent
    again = leaderboard(config)
    assert len(again.failures) == 3


def test_more_episodes_only_add(tmp_path: Path) -> None:
    def run(episodes: int, out: Path) -> str:
        leaderboard(LeaderboardConfig((), ("random",), ("RolledBehind",), (0, 1), episodes, out=out))
        return board_of(out)

    run(10, tmp_path / "a")
    size = (tmp_path / "a" / "journal.jsonl").stat().st_size
    few = run(60, tmp_path / "a")
    assert (tmp_path / "a" / "journal.jsonl").stat().st_size == size  # the same block
    assert few == run(60, tmp_path / "b")
    assert run(150, tmp_path / "a") == run(150, tmp_path / "c") != few


def test_agents_of_one_name_are_kept_apart(tmp_path: Path) -> None:
    files = [tmp_path / folder / "mine.py" for folder in ("a", "b")]
    for file in files:
        file.parent.mkdir()
        file.write_text(MANNERS)
    own = tuple(f"{file}:Straight" for file in (*files, files[0]))
    board = leaderboard(
        LeaderboardConfig((*own, "random"), ("random",), levels=(1,), episodes=10, out=tmp_path / "out")
    )
    assert {entry.name for entry in board.entries} == {"random", "Straight (mine.py)", f"{files[1]}:Straight"}
    assert all(len(entry.cells["RolledBehind/1"].runs) == 1 for entry in board.entries)


@pytest.mark.parametrize(
    ("config", "error", "named"),
    [
        (dict(only=("mapr",)), UnknownAgent, "did you mean mapper"),
        (dict(agent=("nowhere.py:Agent",)), UnknownAgent, "nowhere.py"),
        (dict(levels=(9,)), EvaluationError, "RolledBehind has no level 9; it has 0, 1, 2, 3"),
        (dict(episodes=0), EvaluationError, "at least 1"),
        (dict(only=("none",)), EvaluationError, "no agent"),
        (dict(out=Path(__file__)), StoreError, "test_leaderboard_run.py"),
    ],
)
def test_what_cannot_be_is_told_before_anything_runs(
    tmp_path: Path, config: dict, error: type[Exception], named: str
) -> None:
    with pytest.raises(error, match=named):
        leaderboard(LeaderboardConfig(**(dict(out=tmp_path / "out", only=("random",)) | config)))
    assert not (tmp_path / "out").exists()


def test_the_command_fails_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    run = subprocess.run(
        [*COMMAND, "leaderboard", "--only", "random", "--out", tmp_path / "file" / "board"],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 2 and run.stdout == ""
    assert run.stderr.startswith("unseen: the store ") and run.stderr.count("\n") == 1


def test_evaluate(capsys: pytest.CaptureFixture[str]) -> None:
    result = evaluate(EvaluateConfig("reflex", "rolledbehind", 0, 40, json=True))
    assert result.raw is not None and result.raw.point > 0.9 and len(result.outcomes) == 40
    printed = json.loads(capsys.readouterr().out)
    assert printed["raw"]["point"] == result.raw.point and printed["latency"]["p50_ms"] > 0
    again = evaluate(EvaluateConfig("reflex", "RolledBehind", 0, 140))
    assert again.outcomes[:40] == result.outcomes
    assert "140 held-out episodes" in capsys.readouterr().out


def test_evaluate_names_an_agent_that_fails(tmp_path: Path) -> None:
    file = tmp_path / "manners.py"
    file.write_text(MANNERS)
    with pytest.raises(AgentFailed, match=r"manners.py:Nan.*every episode failed.*at step 0: action .*nan"):
        evaluate(EvaluateConfig(f"{file}:Nan", "RolledBehind", 1, 5))
