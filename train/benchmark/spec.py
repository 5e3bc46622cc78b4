"""Reads a benchmark's specification, a TOML file. docs/benchmark.md describes every key."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from unseen.agents.protocol import MAX_TRAINING_SEED
from unseen.agents.roster import ROSTER, supervision
from unseen.envs.errors import UnknownKeyword, UnseenError, nearest, shown
from unseen.train.arguments import EnvArguments
from unseen.train.benchmark.cells import AgentEntry, Amount, Cell, EnvEntry, Evaluation, FreePlay, Protocol, Spec
from unseen.train.files import canonical

SPLIT = "train"
POLICIES = ("greedy", "sampled")
MOST = 10**15  # of whatever is counted


class BadSpec(UnseenError, ValueError):
    """A specification is invalid; the message names the key and what is allowed."""


# --- values: a check returns the value, converted, or raises ValueError with what is allowed ---

Check = Callable[[Any], Any]


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or not value.replace("\n", " ").isprintable():
        raise ValueError("a text")
    return " ".join(value.split())


def _name(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,60}", value):
        raise ValueError("lower-case letters, digits, - and _")
    return value


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST:
        raise ValueError("a positive integer, at most 10^15")
    return value


def _is_number(value: Any) -> bool:
    """Whether a value is a number that a float can hold; NaN, infinity and a bool are not."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def _seconds(value: Any) -> float:
    if not _is_number(value) or value <= 0:
        raise ValueError("a positive number of seconds")
    return float(value)


def _score(value: Any) -> float:
    if not _is_number(value):
        raise ValueError("a number")
    return float(value)


def _one_of(*allowed: str) -> Check:
    def check(value: Any) -> str:
        if value not in allowed:
            raise ValueError(" or ".join(map(repr, allowed)))
        return value

    return check


def _list_of(kind: type, words: str, low: int = -MOST, high: int = MOST) -> Check:
    def check(value: Any) -> tuple[Any, ...]:
        fine = isinstance(value, list) and value
        if not fine or not all(isinstance(v, kind) and not isinstance(v, bool) for v in value):
            raise ValueError(words)
        if len(set(value)) < len(value):
            raise ValueError(words)
        if any(isinstance(v, int) and not low <= v <= high for v in value):
            raise ValueError(words)
        return tuple(value)

    return check


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def _increasing(words: str, from_zero: bool = False) -> Check:
    def check(value: Any) -> tuple[int, ...]:
        found = _list_of(int, words, low=0)(value)
        if list(found) != sorted(found) or (from_zero and found[0] != 0):
            raise ValueError(words)
        return found

    return check


def _table(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("a table, such as { name = value }")
    return value


def _parameters(value: Any) -> dict[str, Any]:
    table = _table(value)
    try:
        canonical(table)
    except (TypeError, ValueError) as error:  # dates, infinite numbers, and those of thousands of digits
        raise ValueError("a table of finite numbers, texts, true, false, and lists of these") from error
    return table


def _tables(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not value or not all(isinstance(one, dict) for one in value):
        raise ValueError("one table or more, each under its own [[...]]")
    return value


_seeds = _list_of(int, f"a list of different integers in 0..{MAX_TRAINING_SEED}", low=0, high=MAX_TRAINING_SEED)
_free = _list_of(int, "a list of different integers in 0..10^15", low=0)
_names = _list_of(str, "a list of different names of environments")
_counts = _increasing("a list of increasing integers in 0..10^15")
_points = _increasing("a list of integers that begins with 0 and increases, up to 10^15", from_zero=True)
_levels = _list_of(int | str, "a list of different levels or presets")  # type: ignore[arg-type]

TOP: Mapping[str, Check] = {
    "name": _name, "title": _text, "search": _text, "threshold": _score, "seeds": _seeds, "budget": _table,
    "device": _text, "evaluation": _table, "agent": _tables, "environment": _tables, "protocol": _table,
}  # fmt: skip
AMOUNT: Mapping[str, Check] = {"steps": _count, "cpu_seconds": _seconds, "episodes": _count}
EVALUATION: Mapping[str, Check] = {
    "episodes": _count, "final_episodes": _count, "split": _one_of("test", "shift", "train"), "every": _table,
    "policy": _one_of(*POLICIES), "imagined": _counts, "stop": _score,
    "score": _one_of("success", "return"),
}  # fmt: skip
AGENT: Mapping[str, Check] = {
    "name": _one_of(*ROSTER), "label": _text, "supervision": _text, "set": _table, "seeds": _seeds, "budget": _table,
    "policy": _one_of(*POLICIES), "environments": _names, "free_episodes": _free, "shown": _flag,
    "imagined": _counts,
}  # fmt: skip
PROTOCOL: Mapping[str, Check] = {"free_episodes": _free, "asked": _points, "think": _count}
ENVIRONMENT: Mapping[str, Check] = {
    "name": _text, "label": _text, "levels": _levels, "set": _parameters, "obs": _text, "action": _text, "budget": _table,
    "threshold": _score,
}  # fmt: skip


def _read(table: Mapping[str, Any], where: str, checks: Mapping[str, Check], required: tuple[str, ...] = ()) -> Any:
    """The checked values of a table. Raises BadSpec."""
    found = {}
    for key, value in table.items():
        if key not in checks:
            raise BadSpec(f"{where}{key}: no such key; {nearest(key, checks)}")
        try:
            found[key] = checks[key](value)
        except ValueError as error:
            raise BadSpec(f"{where}{key} = {shown(value)}: expected {error}") from error
    for key in required:
        if key not in found:
            raise BadSpec(f"{where}{key}: missing")
    return found


# --- the file ---


def read_spec(path: Path) -> Spec:
    """Read and check a specification. Raises BadSpec, naming the file and the key."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadSpec(f"{path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:  # invalid TOML or UTF-8, or lists in lists in lists
        raise BadSpec(f"{path}: not TOML: {error}") from error
    try:
        return _spec(raw, re.sub(r"[^a-z0-9_-]", "-", path.stem.lower()))
    except BadSpec as error:
        raise BadSpec(f"{path}: {error}") from error


def _spec(raw: Mapping[str, Any], stem: str) -> Spec:
    top = _read(raw, "", TOP, ("search", "agent", "environment"))
    scoring = _read(top.get("evaluation", {}), "evaluation.", EVALUATION)
    policy = scoring.pop("policy", "greedy")
    scoring["every"] = _amount(scoring, "every", "evaluation.")
    evaluation = Evaluation(**scoring)
    budget = _amount(top, "budget", "")
    seeds = top.get("seeds", (0, 1, 2, 3, 4))
    protocol = Protocol(**_read(top["protocol"], "protocol.", PROTOCOL)) if "protocol" in top else None
    agents = tuple(
        agent
        for k, table in enumerate(top["agent"])
        for agent in _played_freely(_agent(table, f"agent[{k}].", seeds, policy), table, f"agent[{k}].", protocol)
    )
    threshold = top.get("threshold", 0.9)
    envs = tuple(e for k, table in enumerate(top["environment"]) for e in _envs(table, f"environment[{k}].", threshold))
    for what, labels in (("agent", [a.label for a in agents]), ("environment", [e.label for e in envs])):
        if twice := [label for label in labels if labels.count(label) > 1]:
            raise BadSpec(f"{what}: two are called {twice[0]!r}; give each its own label")
    _check_environments(agents, envs)
    pairs = [(agent, env, agent.budget or env.budget or budget) for agent in agents for env in envs if agent.plays(env)]
    if protocol is not None:
        _check_protocol(pairs, top.get("evaluation", {}))
    for agent, env, amount in pairs:
        if agent.trains and amount is None and protocol is None:
            raise BadSpec(f"budget: missing for {agent.label} on {env.label}; give steps, cpu_seconds or episodes")
    device = top.get("device", "cpu")
    cells = [
        Cell(agent, env, agent.seeds[turn], amount or Amount(), _scoring(evaluation, agent), device, protocol)
        for turn in range(max(len(agent.seeds) for agent in agents))
        for agent, env, amount in pairs
        if turn < len(agent.seeds)
    ]
    first: dict[str, Cell] = {}
    for cell in cells:
        if cell.id in first:
            raise BadSpec(f"agent: {cell.title} is the same run as {first[cell.id].title}")
        first[cell.id] = cell
    name = top.get("name", stem)
    return Spec(name, top.get("title", name), top["search"], evaluation, agents, envs, tuple(cells), protocol)


def _scoring(evaluation: Evaluation, agent: AgentEntry) -> Evaluation:
    return evaluation if agent.imagined is None else replace(evaluation, imagined=agent.imagined)


def _played_freely(
    agent: AgentEntry, table: Mapping[str, Any], where: str, protocol: Protocol | None
) -> Iterator[AgentEntry]:
    """With a protocol, one entry for each number of free episodes; else the entry as it is. Raises BadSpec.

    Labels say how many they are, unless nobody plays freely by default.
    """
    if protocol is None or not agent.trains:
        for key in ("free_episodes", "shown"):
            if key in table:
                raise BadSpec(f"{where}{key}: only for an agent that is trained, with a table [protocol]")
        yield agent
        return
    shown = table.get("shown", False)
    for episodes in table.get("free_episodes", protocol.free_episodes):
        label = agent.label if protocol.free_episodes == (0,) == (episodes,) else f"{agent.label}, {episodes} free"
        label += ", question shown" if shown else ""
        told = ", goal given" if episodes and ROSTER[agent.name].goal else ""
        yield replace(
            agent, label=label, supervision=agent.supervision + told, free=FreePlay(episodes, shown and episodes > 0)
        )


def _check_environments(agents: tuple[AgentEntry, ...], envs: tuple[EnvEntry, ...]) -> None:
    known = sorted({env.config.name for env in envs})
    for agent in agents:
        for name in agent.environments:
            if name not in known:
                raise BadSpec(
                    f"agent {agent.label!r}: environments: {name!r} is none of those here: {', '.join(known)}"
                )


def _check_protocol(pairs: list[tuple[AgentEntry, EnvEntry, Amount | None]], scoring: Mapping[str, Any]) -> None:
    for key in ("episodes", "every", "stop", "imagined"):
        if key in scoring:
            raise BadSpec(f"evaluation.{key}: not with a table [protocol], which says when runs are scored")
    for agent, env, amount in pairs:
        if agent.imagined is not None:
            raise BadSpec(f"agent {agent.label!r}: imagined: not with a table [protocol]")
        if amount:
            raise BadSpec("budget: not with a table [protocol], where asked episodes are counted")
        entry = env.config.entry
        if agent.free and agent.free.episodes and (entry is None or "free" not in entry.task.params.specs()):
            raise BadSpec(f"environment: {env.label} has no free play; for {agent.label}, give free_episodes = [0]")
        if env.config.free:
            raise BadSpec(f"environment: {env.label}: the protocol sets free itself")


def _amount(table: Mapping[str, Any], key: str, where: str) -> Amount | None:
    if key not in table:
        return None
    found = _read(table[key], f"{where}{key}.", AMOUNT)
    if not found:
        raise BadSpec(f"{where}{key}: empty; give steps, cpu_seconds or episodes")
    return Amount(**found)


def _agent(table: Mapping[str, Any], where: str, seeds: tuple[int, ...], policy: str) -> AgentEntry:
    found = _read(table, where, AGENT, ("name",))
    row = ROSTER[found["name"]]
    if not row.trainable:
        for key in ("set", "seeds", "budget"):
            if key in found:
                raise BadSpec(f"{where}{key}: not for {row.name}, which is not trained")
        seeds = (0,)
    settings = found.get("set", {})
    for name, value in settings.items():
        if not (isinstance(value, bool | str) or _is_number(value)):
            raise BadSpec(f"{where}set.{name} = {shown(value)}: expected a number, a text, true or false")
    label = found.get("label", " ".join([row.name, *(f"{name}={value}" for name, value in settings.items())]))
    return AgentEntry(
        row.name,
        label,
        found.get("supervision", supervision(row.name, settings)),
        found.get("policy", policy),
        settings,
        found.get("seeds", seeds),
        _amount(found, "budget", where),
        found.get("environments", ()),
        imagined=found.get("imagined"),
    )


def _envs(table: Mapping[str, Any], where: str, threshold: float) -> list[EnvEntry]:
    found = _read(table, where, ENVIRONMENT, ("name",))
    given = found.get("set", {})
    parameters = [f"{name}={value}" for name, value in given.items()]
    arguments = EnvArguments(obs=found.get("obs", ""), action=found.get("action", ""))
    levels, entries = found.get("levels", (None,)), []
    for level in levels:
        try:
            config = arguments.env_config(found["name"], level, SPLIT, given)
            if config.entry is None and level is not None:
                raise BadSpec("levels: Gymnasium environments have none")
            chosen = "" if config.chosen_level is None else f" {config.chosen_level}"
        except UnknownKeyword as error:
            raise BadSpec(f"{where}set: {error}") from error
        except UnseenError as error:
            key = "set." if str(error).startswith(tuple(f"{name}=" for name in given)) else ""
            raise BadSpec(f"{where}{key}{error}") from error
        options = "".join(f" {item}" for item in (found.get("obs"), found.get("action"), *parameters) if item)
        label = found.get("label", f"{config.label}{chosen}{options}")
        if "label" in found and len(levels) > 1:
            label += chosen
        entries.append(EnvEntry(label, config, found.get("threshold", threshold), _amount(found, "budget", where)))
    return entries
