"""The command `unseen`: output, one-line errors, exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from unseen import __version__
from unseen.envs.suite import SUITE
from unseen.train import cli

ENVIRONMENT = {**os.environ, "SDL_VIDEODRIVER": "dummy", "COLUMNS": "120", "NO_COLOR": "1"}


def unseen(*words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run one command line to its end."""
    command = [sys.executable, "-m", "unseen", *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=ENVIRONMENT)


def refused(*words: str, cwd: Path | None = None) -> str:
    """The message of a command line that must fail: one line, exit code 2, no traceback."""
    run = unseen(*words, cwd=cwd)
    assert run.returncode == 2, run
    (message,) = [line for line in run.stderr.splitlines() if not line.startswith("unseen: compiling")]
    assert message.startswith("unseen: ")
    return message


def test_help_names_every_command() -> None:
    run = unseen("--help")
    assert run.returncode == 0
    for name, command in cli.COMMANDS.items():
        assert f"  {name} " in run.stdout
        assert command.summary in run.stdout
    assert unseen().stdout == run.stdout


def test_version() -> None:
    assert unseen("--version").stdout == f"unseen {__version__}\n"


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_explains_itself_with_an_example_that_parses(name: str) -> None:
    run = unseen(name, "--help")
    assert run.returncode == 0, run.stderr
    command = cli.COMMANDS[name]
    assert command.example in run.stdout
    _, config = command.load()
    assert isinstance(cli.parse(name, config, command.example.split()[2:]), config)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["lits"], "did you mean list"),
        (["frobnicate"], "list or info or play"),
        (["list", "RoledBehind"], "did you mean RolledBehind"),
        (["list", "--jsn"], "did you mean --json?"),
        (["bench", "RolledBehnd"], "did you mean RolledBehind?"),
        (["bench", "--seconds", "fast"], "'fast'"),
        (["bench", "--seconds", "-1"], "seconds must be positive"),
        (["bench", "--seconds", "nan"], "seconds must be positive"),
        (["bench", "--level", "9"], "level=9"),
        (["bench", "--cold", "--level", "9"], "level=9"),
        (["bench", "--cold", "RolledBehnd"], "did you mean RolledBehind?"),
        (["play", "RolledBehnd"], "did you mean RolledBehind?"),
        (["watch", "mapper"], "ENV"),
        (["watch", "maper", "RolledBehind", "--save", "x.png"], "mapper"),
        (["watch", "tracker", "RolledBehnd", "--save", "x.png"], "did you mean RolledBehind?"),
        (["train", "maper", "RolledBehind"], "mapper"),
        (["train", "mapper", "RolledBehnd"], "did you mean RolledBehind?"),
        (["train", "tracker", "RolledBehind"], "tracker"),
        (["evaluate", "maper", "RolledBehind"], "mapper"),
        (["evaluate", "tracker", "RolledBehnd"], "did you mean RolledBehind?"),
        (["evaluate", "no_such_file.py:Agent", "RolledBehind"], "no_such_file.py"),
        (["audit", "RolledBehnd"], "did you mean RolledBehind?"),
        (["audit"], "--all"),
        (["info", "RolledBehnd"], "did you mean RolledBehind"),
        (["info", "maper"], "did you mean mapper, gru-mapper"),
        (["info", "RolledBehind", "--level", "9"], "level=9"),
        (["info", "nowhere.py:Task"], "nowhere.py: no such file"),
        (["evaluate", "random", "RolledBehind", "--level", "dusk"], "level='dusk': RolledBehind has levels 0, 1, 2, 3"),
        (["evaluate", "random", "RolledBehind", "--env", "ocluders=5"], "did you mean 'occluders'"),
        (["evaluate", "random", "RolledBehind", "--env", "curtain=5"], "it is now called 'blackout'"),
        (["evaluate", "random", "RolledBehind", "--env", "blackout=9,5"], "blackout=(9, 5): must be"),
        (["evaluate", "random", "RolledBehind", "--obs", "smell"], "obs='smell'"),
        (["evaluate", "tracker", "RolledBehind", "--obs", "rays"], "rays"),
        (["evaluate", "random", "RolledBehind", "--action", "telepathic"], "action='telepathic'"),
        (["evaluate", "random", "RolledBehind", "--split", "exam"], "split='exam'"),
        (["sweep", "reflex", "RolledBehind", "colour"], "choose from: blackout"),
        (["leaderboard", "--env", "Cups"], "NAME=VALUE"),
        (["leaderboard", "Cupps"], "did you mean Cups, Ramps?"),
        (["play", "RolledBehind", "--level", "9"], "level=9"),
        (["watch", "random", "CartPole-v1", "--save", "x.png"], "CartPole-v1"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_errors_are_one_line_that_says_what_to_do(words: list[str], said: str, tmp_path: Path) -> None:
    assert said in refused(*words, cwd=tmp_path)


def test_debug_shows_the_traceback() -> None:
    run = unseen("--debug", "list", "RoledBehind")
    assert run.returncode != 0
    assert "Traceback" in run.stderr
    assert "UnknownEnvironment" in run.stderr


def test_a_missing_extra_is_said_in_one_line() -> None:
    assert cli.explain(ModuleNotFoundError("no torch", name="torch.nn")) == (
        "torch is required: pip install 'unseen[train]'"
    )
    assert cli.explain(ModuleNotFoundError("a bug", name="unseen.nowhere")) == ""


def test_more_than_the_memory_holds_is_said_in_one_line(tmp_path: Path) -> None:
    words = ("build", "universal", "--scenarios", str(6 * 10**15), "--programmes", "1", "--pictures", "0")
    said = refused(*words, cwd=tmp_path)
    assert "out of memory: Unable to allocate" in said


def test_list_shows_environments_and_agents() -> None:
    run = unseen("list")
    assert run.returncode == 0
    for word in ("Unseen/RolledBehind-v1", "permanence", "mapper", "recurrent-ppo", "oracle"):
        assert word in run.stdout
    listed = json.loads(unseen("list", "--json").stdout)
    assert [entry["id"] for entry in listed["environments"]] == [entry.id for entry in SUITE.values()]
    assert {"random", "tracker", "mapper"} <= {agent["name"] for agent in listed["agents"]}


def test_list_survives_a_reader_that_leaves() -> None:
    run = subprocess.run(
        f"{sys.executable} -m unseen list | head -n 1", shell=True, capture_output=True, text=True, env=ENVIRONMENT
    )
    assert run.stderr == ""


def test_bench_prints_figures() -> None:
    run = unseen("bench", "--obs", "slots", "--sizes", "8", "--seconds", "0.05", "--no-neighbours", "--json")
    assert run.returncode == 0, run.stderr
    figures = json.loads(run.stdout)
    assert [(speed["obs"], speed["envs"]) for speed in figures["speeds"]] == [("slots", 1), ("slots", 8)]
    assert all(speed["per_second"] > 0 and speed["per_cpu_second"] > 0 for speed in figures["speeds"])
    assert figures["first_step_s"] > 0


def test_cold_starts_are_those_of_the_suite(tmp_path: Path) -> None:
    own = Path(__file__).parents[1] / "examples" / "which_box.py"
    assert "cold starts are measured of RolledBehind, Cups" in refused(
        "bench", "--cold", f"{own}:WhichBox", cwd=tmp_path
    )


@pytest.mark.slow
def test_bench_prints_cold_starts() -> None:
    run = unseen("bench", "Tunnel", "--cold", "--json")
    assert run.returncode == 0, run.stderr
    (figures,) = json.loads(run.stdout)["cold_starts_cpu_s"]
    assert figures["what"] == "Tunnel" and figures["obs"] == "slots"
    assert 0 < figures["cached"] < figures["one edit"] < figures["empty cache"]
    assert figures["cached"] < figures["pre-filled"] < figures["empty cache"]


def test_ctrl_c_is_130() -> None:
    command = [sys.executable, "-m", "unseen", "bench", "--obs", "slots", "--seconds", "600"]
    # A job that a shell runs in the background inherits an ignored SIGINT, and this test may be part of one.
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    assert process.stderr is not None
    assert process.stderr.readline().startswith("unseen: figures 0/")  # it is at work
    process.send_signal(signal.SIGINT)
    _, complaint = process.communicate()
    assert process.returncode == 130, complaint
    assert "Traceback" not in complaint


def test_sweep_prints_a_curve_and_says_where_an_agent_cannot_act() -> None:
    run = unseen("sweep", "reflex", "RolledBehind", "occluders", "--episodes", "40", "--json")
    points = json.loads(run.stdout)
    assert [point["value"] for point in points] == [4, 5, 6]
    assert all(0 <= point["score"]["point"] < 0.6 for point in points)
    assert "values of occluders 3/3" in run.stderr
    table = unseen("sweep", "gru-mapper", "RolledBehind", "occluders", "--level", "2", "--episodes", "10")
    assert "n/a" in table.stdout and "█" in table.stdout  # trained for four occluders, not for five


def test_sweep_takes_the_shared_arguments() -> None:
    words = ["sweep", "oracle", "RolledBehind", "blackout", "--level", "1", "--episodes", "20", "--json"]
    plain, shifted = (json.loads(unseen(*words, *more).stdout) for more in ((), ("--split", "shift", "--env", "act=4")))
    assert [point["value"] for point in plain] == [point["value"] for point in shifted] == [0, 5, 10, 20, 40]
    assert (
        plain[0]["score"]["point"] > 0.9 > shifted[0]["score"]["point"]
    )  # in four steps not even the oracle gets there


@pytest.mark.skipif(os.name != "posix", reason="limits of POSIX")
def test_too_few_open_files_for_worker_processes_is_one_line(tmp_path: Path) -> None:
    import resource

    command = [sys.executable, "-m", "unseen", "leaderboard", "RolledBehind", "--levels", "1", "--only", "random"]
    run = subprocess.run(
        [*command, "--episodes", "10", "--out", str(tmp_path)], capture_output=True, text=True, env=ENVIRONMENT,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (12, 12)),
    )  # fmt: skip
    assert run.returncode == 2 and "Traceback" not in run.stderr
    assert run.stderr.splitlines()[-1].startswith("unseen: too many open files")
