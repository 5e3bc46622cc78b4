"""`unseen leaderboard` and `unseen evaluate`: run what is missing, store it, show it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from unseen.agents.load import load_agent
from unseen.agents.roster import ROSTER
from unseen.envs import suite
from unseen.train.errors import AgentFailed, EvaluationError, StoreError, WorkerLost
from unseen.train.leaderboard import board as boards
from unseen.train.leaderboard import statistics as st
from unseen.train.leaderboard.board import Board
from unseen.train.leaderboard.field import Arena, Contestant, arena, contestants
from unseen.train.leaderboard.machine import this_run
from unseen.train.leaderboard.protocol import PROTOCOL, Block, Latency, Outcome, Stopwatch, work
from unseen.train.leaderboard.rows import AgentRow, EnvRow, EpisodeRow, LatencyRow, RunRow
from unseen.train.leaderboard.store import Store
from unseen.train.leaderboard.workers import Pool

__all__ = ["EvaluateConfig", "LeaderboardConfig", "Result", "evaluate", "leaderboard"]


@dataclass(frozen=True)
class LeaderboardConfig:
    """What to compare, and where to keep it. Run again to go on where it stopped."""

    agent: tuple[str, ...] = ()
    """your own agents beside the others: file.py:Class, a .onnx file or a training run's folder"""
    only: tuple[str, ...] = ()
    """of the shipped agents, only these; "none" for none"""
    env: tuple[str, ...] = ("RolledBehind",)
    """environments"""
    levels: tuple[int, ...] = (0, 1, 2)
    """levels of each environment"""
    episodes: int = 500
    """episodes of every training run on every level, on held-out seeds"""
    workers: int = 2
    """processes that play"""
    out: Path = Path("runs/leaderboard")
    """folder of the store (SQLite and a journal), index.html, board.json and board.md"""
    json: bool = False
    """print the board as JSON instead of a table"""


@dataclass(frozen=True)
class EvaluateConfig:
    """Which agent to score, on what."""

    agent: str
    """name, a trained .onnx file or a run's folder, or file.py:Class"""
    env: str
    """name of the environment, such as RolledBehind"""
    level: int | None = None
    """difficulty; its default without"""
    episodes: int = 200
    """episodes, on the first seeds of the held-out split"""
    run: int | None = None
    """training seed of the shipped agent; the typical one without"""
    json: bool = False
    """print JSON"""


@dataclass(frozen=True)
class Result:
    """What `evaluate` found. Failed episodes carry an error, and then there is no score."""

    agent: str
    env: str
    level: int
    raw: st.Interval | None
    normal: st.Interval | None
    latency: Latency | None
    outcomes: list[Outcome]


def leaderboard(config: LeaderboardConfig) -> Board:
    """Play what the store lacks, then write `board.json`, `board.md` and `index.html` and print the table.

    Raises:
        StoreError, UnknownAgent, UnknownEnvironment, EvaluationError: before anything is played, or (a full
            disk) in the middle; run again and it goes on from there.
    """
    from unseen.train.leaderboard.page import render
    from unseen.train.leaderboard.report import markdown, print_board

    _check(config.episodes, config.workers)
    arenas = [arena(env, level) for env in dict.fromkeys(config.env) for level in sorted(set(config.levels))]
    field = _enter([*_shipped(config.only), *config.agent], arenas)
    entered = [contestant for own in field.values() for contestant in own]
    if not entered:
        raise EvaluationError("no agent to compare: none was chosen, or none was trained for these levels")
    with Store(config.out) as store:
        for note in store.notes:
            print(f"unseen: {note}", file=sys.stderr)
        run = this_run()
        store.add([run, *map(_arena_row, arenas), *dict.fromkeys(map(_agent_row, entered))])
        lost = _play(store, entered, run, config)
        _time(store, entered, run)
        results = {c: _outcomes(store, c, config.episodes, lost) for c in entered}
        latency: dict[str, dict[str, Latency]] = {}
        for c in entered:
            if found := store.latency(c.id, c.arena.id, run.id):
                own = latency.setdefault(c.name, {})
                own.setdefault(c.arena.key, Latency(found.p50_ms, found.p95_ms, found.decisions))
    names = dict.fromkeys((_shown(agent, own), _kind(agent)) for agent, own in field.items())
    rows = boards.entries(list(names), arenas, results)
    machine = {"machine": run.machine, **json.loads(run.versions)}
    board = Board(
        asdict(PROTOCOL) | {"id": PROTOCOL.id},
        config.episodes,
        arenas,
        rows,
        boards.comparisons(rows, arenas),
        boards.curves(entered),
        latency,
        machine,
    )
    write(config.out / "board.json", json.dumps(board.to_dict(), indent=1) + "\n")
    write(config.out / "board.md", markdown(board))
    page = config.out / "index.html"
    write(page, render(board))
    if config.json:
        print(json.dumps(board.to_dict(), indent=1))
    else:
        print_board(board, page)
    return board


def evaluate(config: EvaluateConfig) -> Result:
    """Score one agent in this process, without storing anything.

    Raises:
        AgentFailed: with the first error, when every episode failed.
    """
    from unseen.train.leaderboard.report import print_result

    _check(config.episodes, 1)
    entry = suite.resolve(config.env)
    level = entry.default_level if config.level is None else config.level
    where = arena(entry.name, level)
    load_agent(config.agent, where.name, level, run=config.run)  # an unknown name is told at once
    outcomes: list[Outcome] = []
    with _progress() as progress:
        bar = progress.add_task(config.agent, total=config.episodes)
        for seeds in _blocks(config.episodes):
            block = work(Block(config.agent, config.run, where.name, level, seeds))
            assert isinstance(block, list)
            outcomes += block
            progress.update(bar, completed=min(len(outcomes), config.episodes))
    outcomes = outcomes[: config.episodes]
    errors = [outcome.error for outcome in outcomes if outcome.error]
    if len(errors) == len(outcomes):
        raise AgentFailed(config.agent, f"every episode failed; the first: {errors[0]}")
    raw = normal = None
    if not errors:
        raw = st.bootstrap([[outcome.episode_return for outcome in outcomes]])
        ends = (float(st.normalise(end, where.random, where.oracle)) for end in asdict(raw).values())
        normal = st.Interval(*ends)
    found = work(Stopwatch(config.agent, config.run, where.name, level))
    latency = found if isinstance(found, Latency) else None
    result = Result(config.agent, where.name, level, raw, normal, latency, outcomes)
    if config.json:
        print(json.dumps(asdict(result), indent=1))
    else:
        print_result(result)
    return result


def write(path: Path, text: str) -> None:
    """Write a result beside the store, at once or not at all. Raises StoreError."""
    aside = path.with_name(path.name + ".new")
    try:
        aside.write_text(text, encoding="utf-8", newline="\n")
        aside.replace(path)
    except OSError as error:
        raise StoreError(path.parent, f"{path.name} cannot be written ({error}); every episode is stored") from error


def _check(episodes: int, workers: int) -> None:
    if episodes < 1 or workers < 1:
        raise EvaluationError("episodes and workers must be at least 1")


def _shipped(only: Sequence[str]) -> list[str]:
    if not only:
        return list(ROSTER)
    return [] if set(only) == {"none"} else list(dict.fromkeys(only))


def _enter(agents: Sequence[str], arenas: Sequence[Arena]) -> dict[str, list[Contestant]]:
    """The contestants of every agent. Two agents never share a shown name: a later one shows its whole path."""
    field: dict[str, list[Contestant]] = {}
    taken: set[str] = set()
    for agent in dict.fromkeys(agents):
        own = [c for where in arenas for c in contestants(agent, where)]
        if _shown(agent, own) in taken:
            own = [replace(c, name=agent) for c in own]
        taken.add(_shown(agent, own))
        field[agent] = own
    return field


def _shown(agent: str, own: list[Contestant]) -> str:
    return own[0].name if own else agent


def _kind(agent: str) -> str:
    return ROSTER[agent].kind if agent in ROSTER else "yours"


def _blocks(episodes: int) -> list[range]:
    """The blocks of seeds that hold the first `episodes`: always whole ones, so that scores never depend
    on how many were asked for (the last block's spare episodes are kept for when more are)."""
    size = PROTOCOL.block
    return [range(start, start + size) for start in range(0, episodes, size)]


def _play(store: Store, field: Sequence[Contestant], run: RunRow, config: LeaderboardConfig) -> dict[str, str]:
    """Play and store every block that is not in the store; what was lost with its workers, by contestant."""
    jobs: dict[Block | Stopwatch, Contestant] = {}
    lost: dict[str, str] = {}
    counts: dict[str, int] = {}
    for c in field:
        known = {row.seed for row in store.episodes(c.id, c.arena.id, PROTOCOL.id)}
        for seeds in _blocks(config.episodes):
            counts[c.name] = counts.get(c.name, 0) + 1
            if not known.issuperset(seeds):
                jobs[Block(c.agent, c.load_run, c.arena.name, c.arena.level, seeds)] = c
    if not jobs:
        return lost
    _warm_up({c.arena for c in jobs.values()})
    with _progress() as progress, Pool(work, min(config.workers, len(jobs))) as pool:
        whole = progress.add_task("all", total=sum(counts.values()))
        bars = {name: progress.add_task(name, total=count) for name, count in counts.items()}
        for name, count in counts.items():
            done = count - sum(c.name == name for c in jobs.values())
            progress.update(bars[name], completed=done)
            progress.advance(whole, done)
        for block, answer in pool.run(jobs):
            c = jobs[block]
            if isinstance(answer, WorkerLost):
                lost[_where(c)] = str(AgentFailed(c.name, str(answer)))
            elif isinstance(answer, list):
                store.add([_episode_row(c, outcome, run) for outcome in answer])
            progress.advance(bars[c.name])
            progress.advance(whole)
    return lost


def _time(store: Store, field: Sequence[Contestant], run: RunRow) -> None:
    """Measure the decision latencies that this machine lacks, with nothing else of ours running."""
    jobs: dict[Block | Stopwatch, Contestant] = {}
    for c in field:
        if store.latency(c.id, c.arena.id, run.id) is None:
            jobs[Stopwatch(c.agent, c.load_run, c.arena.name, c.arena.level)] = c
    if not jobs:
        return
    with _progress() as progress, Pool(work, 1) as pool:
        bar = progress.add_task("decision latency", total=len(jobs))
        for watch, found in pool.run(jobs):
            if isinstance(found, Latency):
                c = jobs[watch]
                row = LatencyRow(c.id, c.arena.id, run.id, found.p50_ms, found.p95_ms, found.decisions)
                store.add([row])
            progress.advance(bar)


def _outcomes(store: Store, c: Contestant, episodes: int, lost: dict[str, str]) -> list[Outcome]:
    rows = [row for row in store.episodes(c.id, c.arena.id, PROTOCOL.id) if row.seed < episodes]
    found = [Outcome(row.seed, row.episode_return, row.length, row.error) for row in rows]
    if _where(c) in lost:  # not stored: the next run tries again
        found.append(Outcome(-1, 0.0, 0, lost[_where(c)]))
    return found


def _where(c: Contestant) -> str:
    return f"{c.id} {c.arena.id}"


def _warm_up(arenas: Iterable[Arena]) -> None:
    """Compile the kernels once, here, where the line about it can be seen, and not in every worker at once."""
    for where in sorted(arenas, key=lambda a: a.key):
        env = suite.make_vec(where.name, 1, level=where.level, split=PROTOCOL.split)
        obs, _ = env.reset(seed=[0])
        env.reference("oracle").act(obs, np.ones(1, bool))
        env.close()


@contextmanager
def _progress() -> Iterator[Any]:
    """Progress bars on stderr, which leave nothing behind; silent where stderr is no terminal."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description:>16}", markup=False),
        BarColumn(bar_width=32),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield progress


def _agent_row(c: Contestant) -> AgentRow:
    return AgentRow(c.id, c.name, c.run, c.kind, "file" if c.kind == "yours" else "package")


def _arena_row(where: Arena) -> EnvRow:
    return EnvRow(where.id, where.name, where.level, where.random, where.oracle)


def _episode_row(c: Contestant, outcome: Outcome, run: RunRow) -> EpisodeRow:
    status = "failed" if outcome.error else "ok"
    what = (c.id, c.arena.id, PROTOCOL.id, outcome.seed, run.id, status)
    return EpisodeRow(*what, outcome.episode_return, outcome.length, outcome.error)
