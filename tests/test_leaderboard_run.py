"""The leaderboard command: a complete run, resumption after kill -9, and misbehaving agents."""

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
from unseen.agents.shared.envs import EnvConfig
from unseen.envs.errors import BadParameter, UnknownEnvironment
from unseen.envs.suite import SUITE
from unseen.train import cli
from unseen.train.errors import EvaluationError, StoreError
from unseen.train.leaderboard.runner import LeaderboardConfig, leaderboard

COMMAND = [sys.executable, "-m", "unseen.train.cli"]

SLOW = '''
import os, time
import numpy as np
from unseen.agents.protocol import Agent

class Slow(Agent):
    """Acts slowly, and records the blocks it was given."""
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
    words = [
        "leaderboard",
        "RolledBehind",
        "--agent",
        f"{agent}:Slow",
        "--only",
        "reflex",
        "--levels",
        "1",
        "2",
        "--episodes",
        "350",
    ]
    cut, whole = tmp_path / "cut", tmp_path / "whole"

    process = subprocess.Popen(
        [*COMMAND, *words, "--out", cut],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # so that its workers can be waited for
    )
    journal = cut / "journal.jsonl"
    while not (journal.exists() and journal.read_bytes().count(b'["episode"') > 0 and log.exists()):
        assert process.poll() is None
        time.sleep(0.01)
    while log.read_text().count("block") < 4:  # so that at least one of its blocks is stored
        assert process.poll() is None
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    while any_left(process.pid):  # its workers end with the block they are at
        time.sleep(0.01)
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


def any_left(session: int) -> bool:
    """Whether a process of that session is alive."""
    try:
        os.killpg(session, 0)
    except ProcessLookupError:
        return False
    return True


def in_journal(agent: str) -> bytes:
    """How the journal names an agent in an episode."""
    from unseen.train.leaderboard.contestants import contestants, make_arena

    (found,) = contestants(agent, make_arena(EnvConfig("RolledBehind", 1)))
    return f'"agent":"{found.id}"'.encode()


def test_bad_manners_harm_nobody_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "manners.py"
    file.write_text(MANNERS)
    own = tuple(f"{file}:{name}" for name in ("Straight", "Raises", "Nan", "Dies"))
    config = LeaderboardConfig(own, ("random", "oracle"), ("rolledbehind",), 100, level=(1,), out=tmp_path / "board")
    board = leaderboard(config)
    cells = {entry.name: entry.cells["RolledBehind/1"] for entry in board.entries}
    assert cells["oracle"].raw is not None and cells["oracle"].raw.point > 0.95
    assert cells["random"].normal is not None and abs(cells["random"].normal.point) < 0.15
    assert cells["Straight (manners.py)"].status == "ok"
    for name, reason in (
        ("Raises", "at step 0: raised ValueError: <script>"),
        ("Nan", "at step 0: action nan of dtype float64, expected an integer in 0..3"),
        ("Dies", "died (exit code -9), on the second attempt"),
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
        leaderboard(LeaderboardConfig((), ("random",), ("RolledBehind",), episodes, level=(0, 1), out=out))
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
        LeaderboardConfig(
            (*own, "random"), ("random",), ("RolledBehind",), level=(1,), episodes=10, out=tmp_path / "out"
        )
    )
    assert {entry.name for entry in board.entries} == {"random", "Straight (mine.py)", f"{files[1]}:Straight"}
    assert all(len(entry.cells["RolledBehind/1"].runs) == 1 for entry in board.entries)


def test_a_budget_leaves_out_who_was_trained_on_more_or_does_not_know(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On RolledBehind 1, gru-mapper was trained on 14,848 episodes and gru-ppo on 15,104; ppo's card does not say."""
    own = tmp_path / "own.py"
    own.write_text(MANNERS)
    config = LeaderboardConfig(
        (f"{own}:Straight",), ("random", "gru-mapper", "gru-ppo", "ppo"), ("RolledBehind",), 10, 15_000, level=(1, 2), out=tmp_path
    )  # fmt: skip
    board = leaderboard(config)
    assert [entry.name for entry in board.entries] == ["random", "gru-mapper"]
    assert all(cell.raw for entry in board.entries for cell in entry.cells.values())
    stored = json.loads((tmp_path / "board.json").read_text())["budget"]
    assert stored == {"episodes": 15_000, "more": ["gru-ppo"], "unknown": ["Straight (own.py)", "ppo"]}
    said = " ".join(capsys.readouterr().out.split())
    for text in (said, (tmp_path / "index.html").read_text(), (tmp_path / "board.md").read_text()):
        assert "trained on at most 15000 real episodes" in text
        assert "(trained on more): gru-ppo." in text and "(unknown number): Straight (own.py), ppo." in text
    words = board.command.removeprefix("unseen leaderboard ").split()
    assert cli.parse("leaderboard", LeaderboardConfig, [*words, "--out", str(tmp_path)]) == config


@pytest.mark.parametrize(
    ("config", "error", "named"),
    [
        (dict(only=("dreamr",)), UnknownAgent, "dreamer"),
        (dict(agent=("nowhere.py:Agent",)), UnknownAgent, "nowhere.py"),
        (dict(level=(9,)), BadParameter, "level=9: RolledBehind has levels 0, 1, 2, 3"),
        (dict(parameters=("ocluders=5",)), BadParameter, "did you mean 'occluders'"),
        (dict(split="exam"), BadParameter, "exam"),
        (dict(env=("RoledBehind",)), UnknownEnvironment, "did you mean RolledBehind"),
        (dict(env=("CartPole-v1",)), UnknownEnvironment, "CartPole"),
        (dict(episodes=0), EvaluationError, "at least 1"),
        (dict(budget=0), EvaluationError, "at least 1"),
        (dict(only=("none",)), EvaluationError, "no agent"),
        (dict(only=("ppo",), budget=10), EvaluationError, "no agent .* on at most 10 real episodes"),
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
    assert run.stderr.startswith(f"unseen: {tmp_path}") and run.stderr.count("\n") == 1


def test_presets_and_own_parameters_are_scored_without_anchors(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    board = leaderboard(
        LeaderboardConfig((), ("random", "oracle"), ("Cups",), 20, level=(1, "a-not-b"), out=tmp_path / "presets")
    )
    assert [arena.key for arena in board.arenas] == ["Cups/1", "Cups/a-not-b"]
    best = {entry.name: entry for entry in board.entries}["oracle"]
    assert best.cells["Cups/a-not-b"].normal is None and best.cells["Cups/1"].normal is not None
    assert best.overall is not None and best.overall.point == best.cells["Cups/1"].normal.point  # counts alone
    said = " ".join(capsys.readouterr().out.split())
    assert "a-not-b" in said and "do not count overall" in said
    assert "a-not-b" in (tmp_path / "presets" / "index.html").read_text()

    config = LeaderboardConfig(
        (), ("random", "oracle"), ("RolledBehind",), 20, level=(1,), parameters=("blackout=9",), split="shift",
        out=tmp_path / "presets",
    )  # fmt: skip
    raw = leaderboard(config)
    assert [entry.name for entry in raw.entries] == ["oracle", "random"]
    assert all(entry.overall is None and entry.cells["RolledBehind/1"].raw for entry in raw.entries)
    assert raw.protocol["split"] == "shift" and raw.protocol["id"] != board.protocol["id"]
    said = capsys.readouterr().out
    assert "--split shift --env blackout=(9,9)" in said and "incomplete" not in said
    words = raw.command.removeprefix("unseen leaderboard ").split()
    assert cli.parse("leaderboard", LeaderboardConfig, [*words, "--out", str(config.out)]) == config


def test_progress_is_told_on_a_pipe(tmp_path: Path) -> None:
    words = [
        "leaderboard",
        "RolledBehind",
        "--only",
        "random",
        "--level",
        "1",
        "--episodes",
        "10",
        "--out",
        str(tmp_path),
    ]
    run = subprocess.run([*COMMAND, *words], capture_output=True, text=True, check=True)
    assert "blocks of episodes 1/1" in run.stderr and "decision latency 1/1" in run.stderr
    assert "blocks" not in run.stdout.split("page")[0]


def test_an_environment_is_named_without_env(tmp_path: Path) -> None:
    run = subprocess.run(
        [*COMMAND, "leaderboard", "--env", "Cups", "--out", tmp_path / "out"], capture_output=True, text=True
    )
    assert run.returncode == 2 and "NAME=VALUE" in run.stderr and "without --env" in run.stderr
    assert not (tmp_path / "out").exists()


def test_all_environments_are_shown_if_none_is_named(tmp_path: Path) -> None:
    board = leaderboard(LeaderboardConfig((), ("random",), episodes=1, out=tmp_path))
    assert [arena.key for arena in board.arenas] == [f"{name}/1" for name in SUITE]
    assert [section.title for section in board.sections] == ["Object permanence", "Planning", "Industry"]
    assert all(entry.overall is not None for entry in board.entries) and board.failures == []
