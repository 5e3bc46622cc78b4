"""The command `unseen`. Each subcommand is a function of one dataclass, its configuration.

Only the module of the chosen subcommand is imported, so that `unseen --help` and errors in a name are fast.
Exit codes: 0 success, 1 a failed audit, 2 a user error, 130 interrupted by Ctrl-C.
"""

from __future__ import annotations

import contextlib
import difflib
import errno
import importlib
import io
import itertools
import os
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import unseen
from unseen.envs.errors import UnseenError
from unseen.train.errors import UsageError

TRAIN_EXTRA = {
    "torch",
    "stable_baselines3",
    "sb3_contrib",
    "safetensors",
    "onnx",
    "onnxscript",
    "tensorboard",
}
"""Top-level modules of the extra `train`."""


@dataclass(frozen=True)
class Command:
    """One subcommand: its function, the dataclass of its arguments, and an example."""

    summary: str
    module: str
    function: str
    config: str
    example: str

    def load(self) -> tuple[Callable[[Any], Any], type]:
        """Import the function and the dataclass of its arguments."""
        module = importlib.import_module(self.module)
        return getattr(module, self.function), getattr(module, self.config)


COMMANDS = {
    "list": Command(
        "list the environments and agents",
        "unseen.train.listing",
        "listing",
        "ListConfig",
        "unseen list",
    ),
    "info": Command(
        "describe an environment or an agent",
        "unseen.train.info",
        "info",
        "InfoConfig",
        "unseen info RolledBehind --level 2",
    ),
    "play": Command(
        "play an environment with the keyboard",
        "unseen.train.play",
        "play",
        "PlayConfig",
        "unseen play RolledBehind --level 2",
    ),
    "watch": Command(
        "watch an agent, with its map and its imagined roll-outs",
        "unseen.train.watch",
        "watch",
        "WatchConfig",
        "unseen watch gru-mapper RolledBehind --level 1 --save film.gif",
    ),
    "gallery": Command(
        "record a short film of every environment",
        "unseen.train.gallery",
        "gallery",
        "GalleryConfig",
        "unseen gallery RolledBehind",
    ),
    "train": Command(
        "train an agent; after Ctrl-C, continue with --resume",
        "unseen.train.trainer",
        "train",
        "TrainConfig",
        "unseen train gru-mapper RolledBehind --level 1 --steps 300000 --seed 0",
    ),
    "evaluate": Command(
        "score an agent on an environment",
        "unseen.train.evaluate",
        "evaluate",
        "EvaluateConfig",
        "unseen evaluate tracker RolledBehind --level 1 --episodes 200",
    ),
    "build": Command(
        "certify the design of an agent in thousands of private scenarios of ProvingGround",
        "unseen.train.build",
        "build",
        "BuildConfig",
        "unseen build tracker --programmes 3",
    ),
    "sweep": Command(
        "score an agent as a function of a difficulty parameter",
        "unseen.train.sweep",
        "sweep",
        "SweepConfig",
        "unseen sweep tracker RolledBehind blackout",
    ),
    "curves": Command(
        "plot the learning curves of the included agents",
        "unseen.train.curves",
        "curves",
        "CurvesConfig",
        "unseen curves --level 1 --out curves.svg",
    ),
    "leaderboard": Command(
        "compare agents in a table and on a web page",
        "unseen.train.leaderboard.runner",
        "leaderboard",
        "LeaderboardConfig",
        "unseen leaderboard RolledBehind --agent my_agent.py:MyAgent",
    ),
    "benchmark": Command(
        "train agents on environments by a specification, and compare them",
        "unseen.train.benchmark.command",
        "benchmark",
        "BenchmarkConfig",
        "unseen benchmark benchmarks/smoke.toml",
    ),
    "designers": Command(
        "measure what imagination is worth to a designer in ProvingGround",
        "unseen.train.designers.command",
        "designers",
        "DesignersConfig",
        "unseen designers --quick --out runs/designers",
    ),
    "audit": Command(
        "check an environment for correctness and information leaks",
        "unseen.train.audit",
        "audit",
        "AuditConfig",
        "unseen audit RolledBehind",
    ),
    "bench": Command(
        "measure steps per second",
        "unseen.train.bench",
        "bench",
        "BenchConfig",
        "unseen bench RolledBehind --seconds 2",
    ),
    "prefill": Command(
        "compile environments ahead of time",
        "unseen.envs.prefill",
        "prefill",
        "PrefillConfig",
        "unseen prefill RolledBehind Cups",
    ),
}


def overview() -> str:
    """The text of `unseen --help`."""
    width = max(map(len, COMMANDS))
    rows = [f"  {name:<{width}}  {command.summary}" for name, command in COMMANDS.items()]
    return "\n".join(
        [
            "usage: unseen COMMAND ...",
            "",
            "Reinforcement learning environments for object permanence and planning, in rooms and in industry.",
            "",
            "commands:",
            *rows,
            "",
            "options:",
            "  --version  print the version",
            "  --debug    with any command: show tracebacks of errors",
            "",
            "`unseen COMMAND --help` describes a command. To start:",
            "  unseen play RolledBehind",
        ]
    )


def main(args: Sequence[str] | None = None) -> int:
    """Run a command line, by default that of `sys.argv`, and return the exit code."""
    words = list(sys.argv[1:] if args is None else args)
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    try:
        return run(words)
    except KeyboardInterrupt:
        print("unseen: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:  # e.g. `unseen list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except (UnseenError, ModuleNotFoundError, OSError, MemoryError) as error:
        if debug or not (message := explain(error)):
            raise
        print(f"unseen: {message}", file=sys.stderr)
        return 2


def explain(error: Exception) -> str:
    """A one-line message for a user error; "" for an internal error."""
    if isinstance(error, ModuleNotFoundError) and not isinstance(error, UnseenError):
        missing = (error.name or "").split(".")[0]
        return f"{missing} is required: pip install 'unseen[train]'" if missing in TRAIN_EXTRA else ""
    if isinstance(error, MemoryError):
        return f"out of memory: {error}; ask for less at once"
    if isinstance(error, OSError) and not isinstance(error, UnseenError):
        many = error.errno in (errno.EMFILE, errno.ENFILE)
        return "too many open files; raise the limit, e.g. with `ulimit -n 1024`" if many else ""
    return " ".join(str(error).split()) or type(error).__name__


def run(words: list[str]) -> int:
    """Run the command line `words`. Raises UsageError, and whatever the command raises."""
    if not words or words[0] in ("-h", "--help", "help"):
        print(overview())
        return 0
    if words[0] == "--version":
        print(f"unseen {unseen.__version__}")
        return 0
    name, *rest = words
    if name not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS, n=2, cutoff=0.5) or list(COMMANDS)
        raise UsageError(f"no command {name!r}; did you mean {' or '.join(near)}?")
    function, config = COMMANDS[name].load()
    result = function(parse(name, config, rest))
    return result if type(result) is int else 0


def parse(name: str, config: type, words: list[str]) -> Any:
    """Parse `words` into the dataclass `config`; fields without a default are positional.

    Prints the help and exits on --help. Raises UsageError.
    """
    import tyro

    markers = (
        tyro.conf.PositionalRequiredArgs,
        tyro.conf.PositionalMetavarFromFieldName,
        tyro.conf.FlagCreatePairsOff,
    )
    summary = COMMANDS[name].summary
    about = f"{summary[0].upper()}{summary[1:]}.\n\nExample:\n  {COMMANDS[name].example}"
    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint):
            return tyro.cli(config, prog=f"unseen {name}", description=about, args=words, config=markers)
    except SystemExit as exit_:
        if exit_.code in (0, None):
            raise
        raise UsageError(f"{one_line(complaint.getvalue())} (see: unseen {name} --help)") from None


def one_line(box: str) -> str:
    """The essential line of tyro's boxed error message."""
    rows = [row.strip("│ ") for row in box.splitlines() if row.startswith("│")]
    sections = [
        " ".join(group)
        for is_rule, group in itertools.groupby(rows, key=lambda row: row.startswith("─"))
        if not is_rule
    ]
    if not sections:
        return " ".join(box.split())
    hints = [section for section in sections[1:] if section.startswith("Perhaps you meant")]
    near = dict.fromkeys(re.findall(r"--[a-z][\w-]*", " ".join(hints)))
    return sections[0] + (f"; did you mean {' or '.join(near)}?" if near else "")


if __name__ == "__main__":
    sys.exit(main())
