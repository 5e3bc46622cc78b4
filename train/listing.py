"""`unseen list`: tables of the environments and agents."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from tyro.conf import Positional, arg

from unseen.agents.load import Run, list_runs
from unseen.agents.roster import ROSTER
from unseen.envs.suite import SUITE, Entry, resolve
from unseen.train import settings


@dataclass(frozen=True)
class ListConfig:
    """What to list."""

    env: Annotated[Positional[str | None], arg(help_behavior_hint="")] = None
    """only this environment and the agents trained on it"""
    json: bool = False
    """print JSON instead of tables"""
    settings: bool = False
    """print the settings of every learner, as Markdown, instead"""


def listing(config: ListConfig) -> None:
    """Print the environments and agents. Raises UnknownEnvironment; MissingExtra for `settings` without the extra `train`."""
    if config.settings:
        print(settings.page(), end="")
        return
    entries = [resolve(config.env)] if config.env else list(SUITE.values())
    if config.json:
        print(json.dumps({"environments": list(map(as_json, entries)), "agents": agents_as_json(entries)}, indent=2))
    else:
        show(entries)


def shipped(agent: str, entries: list[Entry]) -> Iterator[Run]:
    """The included training runs of an agent."""
    for entry in entries:
        for level in entry.levels:
            yield from list_runs(agent, entry.name, level)


def as_json(entry: Entry) -> dict[str, object]:
    anchors = {
        level: {"random": anchor.random, "ablated": anchor.ablated, "oracle": anchor.oracle}
        for level, anchor in entry.anchors.items()
    }
    return {"id": entry.id, "group": entry.group, "title": entry.title, "anchors": anchors}


def agents_as_json(entries: list[Entry]) -> list[dict[str, object]]:
    return [
        {
            "name": name,
            "kind": info.kind,
            "summary": info.summary,
            "trained": [{"env": r.env, "level": r.level, "seed": r.seed} for r in shipped(name, entries)],
        }
        for name, info in ROSTER.items()
    ]


def brief(runs: list[Run]) -> str:
    """One line per environment and level, such as "RolledBehind level 1 (3 seeds)"."""
    counts: dict[tuple[str, int | str], int] = {}
    for run in runs:
        counts[run.env, run.level] = counts.get((run.env, run.level), 0) + 1
    return "\n".join(
        f"{env} level {level} ({count} seed{'s' if count > 1 else ''})" for (env, level), count in counts.items()
    )


def show(entries: list[Entry]) -> None:
    """Print both tables."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table(title="Environments", title_justify="left")
    for heading in ("id", "group", "task", "level and scores"):
        table.add_column(heading, no_wrap=heading != "task")
    for entry in entries:
        scores = (
            f"{level}: {a.random:.2f} {'  - ' if a.ablated is None else f'{a.ablated:.2f}'} {a.oracle:.2f}"
            for level, a in entry.anchors.items()
        )
        table.add_row(entry.id, entry.group, entry.title, "\n".join(scores))
    console.print(table)
    console.print(
        "scores: random play, the best scripted policy that lacks one demanded faculty, and the oracle\n", style="dim"
    )

    table = Table(title="Agents", title_justify="left")
    for heading in ("name", "kind", "description", "trained on"):
        table.add_column(heading, no_wrap=heading == "name")
    for name, info in ROSTER.items():
        runs = brief(list(shipped(name, entries)))
        table.add_row(name, info.kind, info.summary, runs or ("none yet" if info.trainable else "not trained"))
    console.print(table)
