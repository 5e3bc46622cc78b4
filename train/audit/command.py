"""`unseen audit`: run the checks and print them as tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Annotated

from tyro.conf import Positional, arg

from unseen.envs.suite import SUITE, resolve
from unseen.train.arguments import LevelsArgument
from unseen.train.audit.determinism import determinism
from unseen.train.audit.draws import draws
from unseen.train.audit.faculties import faculties
from unseen.train.audit.interference import interference
from unseen.train.audit.leaks import leaks
from unseen.train.audit.references import references
from unseen.train.audit.report import Check
from unseen.train.audit.subject import Subject
from unseen.train.audit.surface import surface
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
    quick: bool = False
    """smaller samples and no history probe, for CI"""
    seed: int = 0
    """seed of the probes"""


def audit(config: AuditConfig) -> int:
    """Print the tables; 0 when all pass, 1 otherwise. Raises UsageError, UnknownEnvironment, BadParameter."""
    from rich.console import Console
    from rich.table import Table

    failed = 0
    for label, group in groupby(subjects(config), key=lambda subject: subject.entry.label):
        levels = list(group)
        table = Table(title=f"Audit of {levels[0].entry.id}", title_justify="left")
        for heading in ("level", "check", "required", "measured", ""):
            table.add_column(heading)
        with Progress({f"levels of {label}": len(levels)}) as progress:
            for subject in levels:
                for check in checks(subject):
                    progress.advance(f"levels of {label}", 0, f"level {subject.level}: {check.name}")
                    failed += check.passed is False
                    mark = {True: "[green]pass", False: "[bold red]FAIL", None: "[dim]shown"}[check.passed]
                    table.add_row(str(subject.level), check.name, check.want, check.got, mark)
                progress.advance(f"levels of {label}")
                table.add_section()
        console = Console()
        (console if console.is_terminal else Console(width=max(console.width, WIDTH))).print(table)
    return 1 if failed else 0


def subjects(config: AuditConfig) -> list[Subject]:
    """The environments and levels to audit, validated before anything runs. Raises as `audit`."""
    if (config.env is None) != config.all:
        raise UsageError(f"name one environment, or use --all for all of {', '.join(SUITE)}")
    found = []
    for entry in [resolve(config.env)] if config.env is not None else list(SUITE.values()):
        for level in config.level or entry.levels:
            subject = Subject(entry, config.env_config(entry.name, level, "train"), config.quick, config.seed)
            found.append(subject)
    return found


def checks(subject: Subject) -> Iterator[Check]:
    """All checks of one environment at one level."""
    yield from references(subject)
    yield from faculties(subject)
    yield from draws(subject)
    yield from leaks(subject)
    yield from interference(subject)
    yield from determinism(subject)
    yield from surface(subject)
