"""`unseen info`: describe one environment or one agent."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from unseen.agents.errors import MissingExtra
from unseen.agents.load import list_runs
from unseen.agents.roster import ROSTER, Row, learner_class
from unseen.agents.shared.envs import EnvConfig
from unseen.envs.core.sensor import Sensor
from unseen.envs.core.task import Task
from unseen.envs.errors import UnknownEnvironment, nearest
from unseen.envs.suite import SUITE, resolve
from unseen.train.arguments import LevelArgument
from unseen.train.errors import UsageError

__all__ = ["InfoConfig", "info"]

Rows = list[tuple[str, ...]]


@dataclass(frozen=True)
class InfoConfig(LevelArgument):
    """Which environment, with which options, or which agent to describe."""

    name: str
    """name of an environment or an agent, or file.py:Class"""


def info(config: InfoConfig) -> None:
    """Print the description.

    Raises UsageError for an unknown name; UnknownEnvironment, BadParameter.
    """
    from rich.console import Console

    if config.name.lower() in ROSTER:
        card = agent_card(ROSTER[config.name.lower()])
    else:
        card = environment_card(_env_config(config))
    console = Console(highlight=False)
    for heading, content in card.items():
        _print(console, heading, content)


def _env_config(config: InfoConfig) -> EnvConfig:
    """The configuration of the environment. Raises UsageError if there is neither such an environment nor such an agent."""
    try:
        resolve(config.name)
    except UnknownEnvironment as error:
        if ".py:" in config.name:
            raise
        near = nearest(config.name, [*SUITE, *ROSTER])
        raise UsageError(f"no environment or agent {config.name!r}; {near}") from error
    return config.env_config(config.name, config.level, "train")


# --- environments ---


def environment_card(env_config: EnvConfig) -> dict[str, Any]:
    """Heading -> text or table rows, for a configured environment."""
    entry, level = env_config.entry, env_config.chosen_level
    assert entry is not None and level is not None
    task = entry.task
    params = task.at(level, env_config.overrides)
    name = env_config.obs or next(iter(task.sensors))
    levels: list[int | str] = [*task.levels, *task.presets]
    return {
        entry.id: f"{task.title}  ({entry.group}; shown at level {level})",
        "about": _unwrapped(task.__doc__ or ""),
        "hidden from the agent": _hidden(task, params),
        f"observation obs={name!r}": _observation(task.sensors[name], params) if name in task.sensors else name,
        "all sensors": [(name, *_sensor(sensor, params)) for name, sensor in task.sensors.items()],
        "actions": _actions(task),
        "score": _score(task),
        "ends": f"after at most {params.horizon} steps",
        "levels": [(str(key), *_differences(task, key)) for key in levels],
        f"parameters, at level {level}": [
            (name, _short(getattr(params, name)), spec.allowed, spec.doc) for name, spec in params.specs().items()
        ],
        "anchors": [
            (f"level {key}", f"random {anchor.random:g}", f"ablated {anchor.ablated}", f"oracle {anchor.oracle:g}")
            for key, anchor in entry.anchors.items()
        ],
        "demands": "\n".join(
            f"- {name}: {faculty.demand}; without it: {', '.join(faculty.policies)}"
            for name, faculty in task.faculties.items()
        ),
        "references": [
            (
                name,
                f"reads {reference.reads}",
                "remembers" if reference.memory is not None and reference.remembers else "",
            )
            for name, reference in task.references.items()
        ],
        "curves": [(name, ", ".join(map(_short, values))) for name, values in task.curves.items()],
    }


def _unwrapped(text: str) -> str:
    """A docstring with each paragraph and each item of a list on one line, to be wrapped by the terminal.

    Tables, and paragraphs that are indented by four spaces, are left alone.
    """
    return "\n\n".join(map(_one_line, inspect.cleandoc(text).split("\n\n")))


def _one_line(paragraph: str) -> str:
    if re.search(r"^( {4}|\|)", paragraph, re.MULTILINE):
        return paragraph
    return "\n".join(" ".join(item.split()) for item in re.split(r"\n(?=- )", paragraph))


def _hidden(task: type[Task], params: Any) -> str:
    """Description of the hidden truth."""
    if task.hidden is None:
        return "nothing; the task requires planning"
    about = inspect.getdoc(task.hidden.write) or ""
    kind = f"one of {task.hidden.classes(params)}" if task.hidden.classes is not None else _numbers(task.hidden.size)
    return f"{about} ({kind})".strip()


def _observation(sensor: Sensor, params: Any) -> Rows:
    """Index, name, unit and range of every part of the observation."""
    if sensor.parts is None:
        return [("all", "image", "x".join(map(str, sensor.shape(params))), "0 .. 255")]
    rows: Rows = [("index", "name", "unit", "range")]
    at = 0
    for part in sensor.parts(params):
        index = str(at) if part.size == 1 else f"{at} - {at + part.size - 1}"
        rows.append((index, part.name, part.unit, f"{part.low:g} .. {part.high:g}"))
        at += part.size
    return rows


def _sensor(sensor: Sensor, params: Any) -> tuple[str, str]:
    shape = " x ".join(map(str, sensor.shape(params)))
    return f"{shape} {sensor.dtype}", "privileged" if sensor.privileged else ""


def _actions(task: type[Task]) -> Rows:
    """Every discrete action with its key and vector, and names and bounds of continuous actions."""
    rows: Rows = [
        (str(i), name, f"key {task.keys[name]}" if name in task.keys else "", _short(row))
        for i, (name, row) in enumerate(task.actions.items())
    ]
    if task.action_low:
        bounds = ("", "") if task.action_names else (_short(task.action_low), _short(task.action_high))
        rows.append(("continuous", _numbers(len(task.action_low)), *bounds))
        each = zip(task.action_names, task.action_low, task.action_high, strict=False)
        rows += [("", name, f"{low:g} .. {high:g}", "") for name, low, high in each]
    return rows


def _score(task: type[Task]) -> str:
    """Range and meaning of the return, and the metrics."""
    low = "-inf" if task.score.low is None else f"{task.score.low:g}"
    high = "inf" if task.score.high is None else f"{task.score.high:g}"
    return f"episode return in {low} .. {high}: {task.score.unit}. The last step's info has {', '.join(task.metrics)}"


def _differences(task: type[Task], level: int | str) -> tuple[str, str]:
    """Parameters of a level that differ from the defaults."""
    params, defaults = task.at(level), task.params.defaults()
    given = [f"{name}={_short(value)}" for name, value in params.values().items() if value != defaults[name]]
    mark = "visible twin" if level == 0 else "default" if level == task.default_level else ""
    return mark, " ".join(given)


def _numbers(n: int) -> str:
    return "1 number" if n == 1 else f"{n} numbers"


def _short(value: Any) -> str:
    if isinstance(value, tuple):
        return f"({','.join(map(_short, value))})"
    return f"{value:g}" if isinstance(value, float) else str(value)


# --- agents ---


def agent_card(row: Row) -> dict[str, Any]:
    """Heading -> text or table rows, for an agent of the roster."""
    card: dict[str, Any] = {
        row.name: f"{row.summary}  ({row.kind})",
        "supervision besides reward": row.supervision,
    }
    if not row.trainable:
        return card
    card["training"] = f"{row.steps:,} environment steps by default: unseen train {row.name} ENV"
    card["settings, changed by --set NAME=VALUE"] = _settings(row.name)
    shipped = [
        run for entry in SUITE.values() for level in entry.levels for run in list_runs(row.name, entry.name, level)
    ]
    card["trained agents included"] = [
        (f"{run.env} level {run.level}", f"seed {run.seed}", f"mean return {_known(run.card.episode_return)}")
        for run in shipped
    ]
    return card


def _known(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f}"


def _settings(name: str) -> Rows:
    try:
        return list(settings_of(name))
    except MissingExtra as error:
        return [("unavailable", str(error))]


def settings_of(name: str) -> list[tuple[str, str, str]]:
    """Name, default and description of every setting of a learner. Raises UnknownAgent, MissingExtra."""
    kind = learner_class(name).config_class
    meanings = field_docs(kind)
    return [(field.name, _short(field.default), meanings.get(field.name, "")) for field in fields(kind)]


def field_docs(kind: type) -> dict[str, str]:
    """Field -> the docstring below it, for a dataclass and its bases."""
    found: dict[str, str] = {}
    for cls in reversed(kind.__mro__[:-1]):
        found |= dict(_docs_of(ast.parse(textwrap.dedent(inspect.getsource(cls)))))
    return found


def _docs_of(tree: ast.Module) -> Iterator[tuple[str, str]]:
    body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
    for node, below in zip(body, body[1:], strict=False):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and isinstance(below, ast.Expr):
            value = below.value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield node.target.id, " ".join(value.value.split())


# --- printing ---


def _print(console: Any, heading: str, content: str | Rows) -> None:
    """Print a heading with a text or a table; nothing if it is empty."""
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    if not content:
        return
    console.print(Text(heading, style="bold"))
    if isinstance(content, str):
        console.print(Padding(Text(content), (0, 0, 1, 2)))
        return
    table = Table.grid(padding=(0, 2))
    for k in range(len(content[0])):
        table.add_column(no_wrap=k < 2, overflow="fold")
    for row in content:
        table.add_row(*map(Text, row))
    console.print(Padding(table, (0, 0, 1, 2)))
