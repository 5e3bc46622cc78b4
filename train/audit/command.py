"""`unseen audit`: run the checks and print them as tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Annotated

from tyro.conf import Positional, arg

from unseen.agents.shared.envs import EnvConfig
from unseen.envs.errors import UnknownEnvironment
from unseen.envs.suite import SUITE, Entry, resolve
from unseen.train.arguments import LevelsArgument
from unseen.train.audit.determinism import determinism
from unseen.train.audit.draws import draws
from unseen.train.audit.faculties import faculties
from unseen.train.audit.foreign import Foreign, foreign_checks, load_answer
from unseen.train.audit.interference import interference
from unseen.train.audit.leaks import leaks
from unseen.train.audit.references import references
from unseen.train.audit.report import Check
from unseen.train.audit.subject import Subject
from unseen.train.audit.surface import surface
from unseen.train.audit.twins import twins
from unseen.train.errors import UsageError
from unseen.train.progress import Progress

WIDTH = 118  # minimum table width in columns if stdout is not a terminal


@dataclass(frozen=True)
class AuditConfig(LevelsArgument):
    """What to audit: one environment, or --all. The exit code is 1 if a check fails."""

    env: Annotated[Positional[str | None], arg(help_behavior_hint="")] = None
    """name of an environment, or file.py:Class"""
    all: bool = False
    """audit every environment of the suite"""
    answer: Annotated[str, arg(metavar="FUNCTION", help_behavior_hint="")] = ""
    """audit a Gymnasium id: module:function or file.py:function, which reads the hidden label from the environment"""
    quick: bool = False
    """smaller samples and no history probe, for CI"""
    seed: int = 0
    """seed of the probes, and of the first episode that reference policies play"""


def audit(config: AuditConfig) -> int:
    """Print the tables; 0 when all pass, 1 otherwise.

    Raises:
        UsageError, UnknownEnvironment, BadParameter: the arguments are invalid.
        BadAnswer, BadAgent: the answer function or the spaces of a Gymnasium environment are unsuitable.
    """
    if config.answer:
        subject = foreign(config)
        name = subject.env_config.id
        return 1 if _table(name, name, {"": foreign_checks(subject)}) else 0
    failed = 0
    for label, group in groupby(subjects(config), key=lambda subject: subject.entry.label):
        levels = list(group)
        failed += _table(label, levels[0].entry.id, {str(subject.level): checks(subject) for subject in levels})
    return 1 if failed else 0


def _table(label: str, env_id: str, levels: Mapping[str, Iterator[Check]]) -> int:
    """Run the checks of all levels and print them as a table. Returns the number of checks that failed."""
    from rich.console import Console
    from rich.table import Table

    failed = 0
    table = Table(title=f"Audit of {env_id}", title_justify="left")
    for heading in (
        ("level", "check", "required", "measured", "") if any(levels) else ("check", "required", "measured", "")
    ):
        table.add_column(heading)
    with Progress({f"levels of {label}": len(levels)}) as progress:
        for level, found in levels.items():
            for check in found:
                progress.advance(f"levels of {label}", 0, f"level {level}: {check.name}" if level else check.name)
                failed += check.passed is False
                mark = {True: "[green]pass", False: "[bold red]FAIL", None: "[dim]shown"}[check.passed]
                table.add_row(*filter(None, [level]), check.name, check.want, check.got, mark)
            progress.advance(f"levels of {label}")
            table.add_section()
    console = Console()
    (console if console.is_terminal else Console(width=max(console.width, WIDTH))).print(table)
    return failed


def foreign(config: AuditConfig) -> Foreign:
    """The Gymnasium environment to audit, validated before anything runs. Raises as `audit`."""
    if config.env is None or config.all:
        raise UsageError("--answer needs the id of one Gymnasium environment")
    if config.level or config.obs or config.action or config.split:
        raise UsageError(
            "--level, --obs, --action and --split are of the suite's environments: leave them out with --answer"
        )
    try:
        resolve(config.env)
    except UnknownEnvironment:
        env_config = config.env_config(config.env, None, "train")
    else:
        raise UsageError(f"--answer is for environments outside of the suite, not for {config.env}")
    subject = Foreign(env_config, load_answer(config.answer), config.quick, config.seed)
    subject.make().close()
    return subject


def subjects(config: AuditConfig) -> list[Subject]:
    """The environments and levels to audit, validated before anything runs. Raises as `audit`."""
    if (config.env is None) != config.all:
        raise UsageError(f"name one environment, or use --all for all of {', '.join(SUITE)}")
    found = []
    for entry in [_entry(config.env)] if config.env is not None else list(SUITE.values()):
        for level in config.level or entry.levels:
            subject = Subject(entry, config.env_config(entry.name, level, "train"), config.quick, config.seed)
            found.append(subject)
    return found


def _entry(name: str) -> Entry:
    try:
        return resolve(name)
    except UnknownEnvironment:
        if EnvConfig(name).entry is None:  # raises if Gymnasium has no such id
            raise UsageError(f"{name}: to audit a Gymnasium environment, give --answer module:function") from None
        raise


def checks(subject: Subject) -> Iterator[Check]:
    """All checks of one environment at one level."""
    yield from references(subject)
    yield from faculties(subject)
    yield from draws(subject)
    yield from leaks(subject)
    yield from twins(subject)
    yield from interference(subject)
    yield from determinism(subject)
    yield from surface(subject)
