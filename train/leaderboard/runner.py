"""`unseen leaderboard`: evaluate missing episodes, store them, and show the results."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from unseen.agents.roster import ROSTER
from unseen.envs import suite
from unseen.train.arguments import LevelsArgument, OptionalInt
from unseen.train.errors import AgentFailed, EvaluationError, StoreError, WorkerLost
from unseen.train.files import write_text
from unseen.train.leaderboard import board as boards
from unseen.train.leaderboard.board import Board
from unseen.train.leaderboard.contestants import Arena, Contestant, contestants, make_arena
from unseen.train.leaderboard.machine import this_run
from unseen.train.leaderboard.protocol import (
    PROTOCOL,
    SPLIT,
    EpisodeBlock,
    Latency,
    LatencyTask,
    MapTask,
    Protocol,
    Task,
    evaluate_block,
    run_task,
)
from unseen.train.leaderboard.rows import AgentRow, EnvRow, EpisodeRow, LatencyRow, MapErrorRow, RunRow
from unseen.train.leaderboard.store import Store
from unseen.train.leaderboard.workers import Pool
from unseen.train.measures.map_error import MapError
from unseen.train.progress import Progress
from unseen.train.rollout import Outcome

__all__ = ["LeaderboardConfig", "leaderboard"]

LEVELS = (0, 1, 2)
ALL_AT = (1,)
"""levels if no environment is named, and so all are shown"""
UNKNOWN = -1.0  # stands for an unknown distance in the store
ALL, MAPS, TIMING = "blocks of episodes", "errors of maps", "decision latency"


@dataclass(frozen=True)
class LeaderboardConfig(LevelsArgument):
    """What to compare, and where to store the results. An interrupted run continues when it is run again."""

    agent: Annotated[tuple[str, ...], arg(metavar="AGENT [AGENT ...]", help_behavior_hint="")] = ()
    """additional agents: file.py:Class, .onnx file or folder of a training run"""
    only: Annotated[tuple[str, ...], arg(metavar="AGENT [AGENT ...]", help_behavior_hint="")] = ()
    """restrict the included agents to these; "none" for none"""
    env: Annotated[
        Positional[tuple[str, ...]], arg(metavar="[ENV ...]", help_behavior_hint="(default: all of the suite)")
    ] = ()
    """names of environments, or file.py:Class"""
    episodes: int = 500
    """episodes per training run and level, on held-out seeds"""
    budget: OptionalInt = None
    """leave out agents that were trained on more real episodes, or on an unknown number"""
    workers: int = 2
    """worker processes"""
    out: Path = Path("runs/leaderboard")
    """folder for the store (SQLite and a journal), index.html, board.json and board.md"""
    json: bool = False
    """print JSON instead of a table"""


def leaderboard(config: LeaderboardConfig) -> Board:
    """Evaluate the episodes missing in the store, write `board.json`, `board.md` and `index.html`, and print the tables.

    Raises:
        UnknownAgent, UnknownEnvironment, EvaluationError: before anything is evaluated.
        StoreError: at any time, for example for a full disk; running it again continues from there.
    """
    from unseen.train.leaderboard.page import render
    from unseen.train.leaderboard.report import markdown, print_board

    if config.episodes < 1 or config.workers < 1 or (config.budget is not None and config.budget < 1):
        raise EvaluationError("episodes, workers and budget must be at least 1")
    protocol = replace(PROTOCOL, split=config.split or SPLIT)
    arenas = [found for env in dict.fromkeys(config.env or suite.SUITE) for found in _arenas(env, config)]
    found = _contestants_by_agent([*_included(config.only), *config.agent], arenas)
    asked = {*config.only, *config.agent}
    found = {agent: own for agent, own in found.items() if own or agent in asked}
    left_out = [c for own in found.values() for c in own if not c.within(config.budget)]
    by_agent = {agent: [c for c in own if c not in left_out] for agent, own in found.items()}
    by_agent = {agent: own for agent, own in by_agent.items() if own or not found[agent]}
    entered = [contestant for own in by_agent.values() for contestant in own]
    if not entered:
        within = "" if config.budget is None else f" on at most {config.budget} real episodes"
        raise EvaluationError(f"no agent to compare: none is selected, or none was trained for these levels{within}")
    with Store(config.out) as store:
        for note in store.notes:
            print(f"unseen: {note}", file=sys.stderr)
        run = this_run()
        store.add([run, *map(_arena_row, arenas), *dict.fromkeys(map(_agent_row, entered))])
        lost = _evaluate_missing(store, protocol, entered, run, config)
        results = {c: _outcomes(store, protocol, c, config.episodes, lost) for c in entered}
        fine = [c for c in entered if not any(outcome.error for outcome in results[c])]
        _measure_maps(store, fine, config.workers)
        _measure_latencies(store, entered, run)
        maps = [(c, error) for c in entered if (error := _stored_map_error(store, c))]
        latency: dict[str, dict[str, Latency]] = {}
        for c in entered:
            if row := store.latency(c.id, c.arena.id, run.id):
                own = latency.setdefault(c.name, {})
                own.setdefault(c.arena.key, Latency(row.p50_ms, row.p95_ms, row.decisions))
    names = dict.fromkeys((_shown(agent, own), _kind(agent)) for agent, own in by_agent.items())
    machine = {"machine": run.machine, **json.loads(run.versions)}
    board = Board(
        asdict(protocol) | {"id": protocol.id},
        config.episodes,
        boards.sections(list(names), arenas, results),
        boards.curves(entered),
        boards.map_errors(maps),
        latency,
        machine,
        _command(config),
        None if config.budget is None else boards.limited(config.budget, left_out),
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


def write(path: Path, text: str) -> None:
    """Write a result file atomically. Raises StoreError."""
    try:
        write_text(path, text)
    except OSError as error:
        raise StoreError(path.parent, f"{path.name} cannot be written ({error}); all episodes are stored") from error


def _command(config: LeaderboardConfig) -> str:
    """The command that evaluates the same."""
    options: dict[str, Sequence[object]] = {
        "--level": config.level,
        "--obs": [config.obs] if config.obs else [],
        "--action": [config.action] if config.action else [],
        "--split": [config.split] if config.split else [],
        "--only": config.only,
        "--agent": config.agent,
        "--episodes": [config.episodes],
        "--budget": [] if config.budget is None else [config.budget],
    }
    words = [str(word) for option, values in options.items() if values for word in (option, *values)]
    words += [word for pair in config.parameters for word in ("--env", pair)]
    return shlex.join(["unseen", "leaderboard", *config.env, *words])


def _arenas(env: str, config: LeaderboardConfig) -> list[Arena]:
    """The arenas of one environment at the requested levels."""
    wanted = LEVELS if config.env else ALL_AT
    levels = config.level or [level for level in suite.resolve(env).task.levels if level in wanted]
    ordered = sorted(
        dict.fromkeys(levels), key=lambda level: (isinstance(level, str), level if isinstance(level, int) else 0)
    )
    return [make_arena(config.env_config(env, level, SPLIT)) for level in ordered]


def _included(only: Sequence[str]) -> list[str]:
    if not only:
        return list(ROSTER)
    return [] if set(only) == {"none"} else list(dict.fromkeys(only))


def _contestants_by_agent(agents: Sequence[str], arenas: Sequence[Arena]) -> dict[str, list[Contestant]]:
    """Contestants of every agent. If two agents would have the same shown name, the later one is shown with its path."""
    by_agent: dict[str, list[Contestant]] = {}
    taken: set[str] = set()
    for agent in dict.fromkeys(agents):
        own = [c for arena in arenas for c in contestants(agent, arena)]
        if _shown(agent, own) in taken:
            own = [replace(c, name=agent) for c in own]
        taken.add(_shown(agent, own))
        by_agent[agent] = own
    return by_agent


def _shown(agent: str, own: list[Contestant]) -> str:
    return own[0].name if own else agent


def _kind(agent: str) -> str:
    return ROSTER[agent].kind if agent in ROSTER else "yours"


def blocks(episodes: int) -> list[range]:
    """Blocks of seeds that cover the first `episodes` seeds. Blocks are complete: surplus episodes are stored for later."""
    size = PROTOCOL.block
    return [range(start, start + size) for start in range(0, episodes, size)]


def _evaluate_missing(
    store: Store, protocol: Protocol, entered: Sequence[Contestant], run: RunRow, config: LeaderboardConfig
) -> dict[str, str]:
    """Evaluate and store the missing blocks. Returns errors of blocks lost with their workers, by contestant."""
    jobs: dict[Task, Contestant] = {}
    lost: dict[str, str] = {}
    counts: dict[str, int] = {}
    for c in entered:
        known = {row.seed for row in store.episodes(c.id, c.arena.id, protocol.id)}
        for seeds in blocks(config.episodes):
            counts[c.name] = counts.get(c.name, 0) + 1
            if not known.issuperset(seeds):
                jobs[EpisodeBlock(c.agent, c.load_run, c.arena.env_config, seeds)] = c
    if not jobs:
        return lost
    _warm_up(jobs.values())
    totals = {ALL: sum(counts.values())} | counts
    with Progress(totals) as progress, Pool(run_task, min(config.workers, len(jobs))) as pool:
        for name, count in counts.items():
            done = count - sum(c.name == name for c in jobs.values())
            progress.advance(name, done)
            progress.advance(ALL, done)
        for block, answer in pool.run(jobs):
            c = jobs[block]
            if isinstance(answer, WorkerLost):
                lost[_cell_id(c)] = str(AgentFailed(c.name, str(answer)))
            elif isinstance(answer, list):
                store.add([_episode_row(protocol, c, outcome, run) for outcome in answer])
            progress.advance(c.name)
            progress.advance(ALL)
    return lost


def _measure_maps(store: Store, entered: Sequence[Contestant], workers: int) -> None:
    """Measure missing errors of maps. An agent without a map is stored with 0 steps, so that it is measured only once."""
    jobs: dict[Task, Contestant] = {}
    for c in entered:
        if c.kind != "reference" and store.map_error(c.id, c.arena.id) is None:
            jobs[MapTask(c.agent, c.load_run, c.arena.env_config)] = c
    if not jobs:
        return
    with Progress({MAPS: len(jobs)}) as progress, Pool(run_task, min(workers, len(jobs))) as pool:
        for task, answer in pool.run(jobs):
            if not isinstance(answer, WorkerLost):
                c, found = jobs[task], answer if isinstance(answer, MapError) else MapError(None, None, 0)
                store.add([MapErrorRow(c.id, c.arena.id, _metres(found.map), _metres(found.last_seen), found.steps)])
            progress.advance(MAPS)


def _stored_map_error(store: Store, c: Contestant) -> MapError | None:
    """The stored error of a contestant's map; None if it has no map, or was not measured."""
    row = store.map_error(c.id, c.arena.id)
    if row is None or not row.steps:
        return None
    return MapError(_known(row.map_m), _known(row.last_seen_m), row.steps)


def _metres(distance: float | None) -> float:
    return UNKNOWN if distance is None else distance


def _known(distance: float) -> float | None:
    return None if distance == UNKNOWN else distance


def _measure_latencies(store: Store, entered: Sequence[Contestant], run: RunRow) -> None:
    """Measure missing decision latencies on this machine, one at a time."""
    jobs: dict[Task, Contestant] = {}
    for c in entered:
        if store.latency(c.id, c.arena.id, run.id) is None:
            jobs[LatencyTask(c.agent, c.load_run, c.arena.env_config)] = c
    if not jobs:
        return
    with Progress({TIMING: len(jobs)}) as progress, Pool(run_task, 1) as pool:
        for task, found in pool.run(jobs):
            if isinstance(found, Latency):
                c = jobs[task]
                row = LatencyRow(c.id, c.arena.id, run.id, found.p50_ms, found.p95_ms, found.decisions)
                store.add([row])
            progress.advance(TIMING)


def _outcomes(store: Store, protocol: Protocol, c: Contestant, episodes: int, lost: dict[str, str]) -> list[Outcome]:
    rows = [row for row in store.episodes(c.id, c.arena.id, protocol.id) if row.seed < episodes]
    found = [Outcome(row.seed, row.episode_return, row.length, row.error) for row in rows]
    if _cell_id(c) in lost:  # not stored, so that the next run retries
        found.append(Outcome(-1, 0.0, 0, lost[_cell_id(c)]))
    return found


def _cell_id(c: Contestant) -> str:
    return f"{c.id} {c.arena.id}"


def _warm_up(entered: Collection[Contestant]) -> None:
    """Compile the kernels once in this process, instead of in every worker."""
    scripted = {("random", c.arena) for c in entered} | {(c.agent, c.arena) for c in entered if c.kind == "reference"}
    for agent, arena in sorted(scripted, key=lambda pair: (pair[1].key, pair[0])):
        evaluate_block(EpisodeBlock(agent, None, arena.env_config, range(1)))


def _agent_row(c: Contestant) -> AgentRow:
    return AgentRow(c.id, c.name, c.run, c.kind, "file" if c.kind == "yours" else "package")


def _arena_row(arena: Arena) -> EnvRow:
    return EnvRow(arena.id, arena.name, arena.level, arena.random or 0.0, arena.oracle or 0.0)


def _episode_row(protocol: Protocol, c: Contestant, outcome: Outcome, run: RunRow) -> EpisodeRow:
    status = "failed" if outcome.error else "ok"
    what = (c.id, c.arena.id, protocol.id, outcome.seed, run.id, status)
    return EpisodeRow(*what, outcome.episode_return, outcome.length, outcome.error)
