"""`unseen build`: certify the designs that agents commit to in ProvingGround, in thousands of scenarios that nobody has tested.

Each programme has a private certificate: scenarios drawn for its brief with keys of their own, the same for every agent. Designs come from
agents that play the programme, or from a file with ten named numbers.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from tyro.conf import Positional, arg

from unseen.agents.load import load_agent
from unseen.agents.protocol import Agent
from unseen.agents.shared.envs import EnvConfig
from unseen.envs.core.lazy import load
from unseen.envs.errors import BadDesign, UnseenError, nearest
from unseen.envs.industry.proving_ground.certificate import EACH, Certificate, Programme
from unseen.envs.industry.proving_ground.design import PARTS, VARIABLES
from unseen.envs.industry.proving_ground.manoeuvres import CRASH, FAMILIES, METRICS, RIDE, SURFACES
from unseen.envs.industry.proving_ground.rules import ENOUGH
from unseen.train.arguments import LevelArgument, OptionalInt, OptionalPath
from unseen.train.errors import EvaluationError, UsageError
from unseen.train.film import Shot, save_film
from unseen.train.leaderboard import statistics as st
from unseen.train.leaderboard.statistics import Interval
from unseen.train.rollout import Rollout, make_env_for

__all__ = ["BuildConfig", "Built", "build", "certify", "read_design", "submissions"]

ENV, SPLIT = "ProvingGround", "test"
LISTED = 5  # failing scenarios of a programme that are printed
Z = 1.96  # of a 95 % interval
NAMES = [row[0] for row in VARIABLES]


@dataclass(frozen=True)
class BuildConfig(LevelArgument):
    """Whose designs to certify, and how."""

    agents: Annotated[Positional[tuple[str, ...]], arg(metavar="[AGENT ...]")] = ()
    """agents that play ProvingGround: names, .onnx files, folders of training runs, or file.py:Class"""
    design: OptionalPath = None
    """certify the design in this JSON file too: the ten variables by name, each in -1..1, as --json prints them"""
    programmes: int = 3
    """number of programmes"""
    seed: int = 0
    """seed of the first programme in its split; the others follow"""
    scenarios: int = len(FAMILIES) * EACH
    """private scenarios of each programme, a multiple of 6"""
    run: OptionalInt = None
    """training seed of included agents; by default the run with the median return"""
    imagined: OptionalInt = None
    """designs that an agent imagines for a decision; by default its own"""
    pictures: int = 3
    """pictures of failing scenarios, of each programme"""
    out: Path = Path("runs/build")
    """folder for the pictures"""
    json: bool = False
    """print JSON, with every failing scenario"""


@dataclass(frozen=True)
class Failure:
    """A scenario that was not passed. Margins below 0, in units, have failed."""

    family: str
    surface: str
    speed_kmh: float
    margins: Mapping[str, float]
    spun: bool
    picture: str = ""


@dataclass(frozen=True)
class Built:
    """The certificate of a design for one programme. With an `error`, there is no certificate."""

    seed: int
    error: str = ""
    design: Mapping[str, float] | None = None
    prototypes: int = 0
    tests: int = 0
    passed: Mapping[str, Interval] | None = None
    """the share of its scenarios that passes, of each family, with Wilson's interval"""
    worst: str = ""
    """the family with the lowest share"""
    failures: tuple[Failure, ...] = ()

    @property
    def score(self) -> float:
        """The share that passes in the worst family."""
        return 0.0 if self.passed is None else self.passed[self.worst].point


@dataclass(frozen=True)
class Report:
    """The certificates of one agent. `score` is the mean share of the worst family over programmes; None if one has failed."""

    agent: str
    error: str = ""
    score: Interval | None = None
    programmes: tuple[Built, ...] = ()


def build(config: BuildConfig) -> list[Report]:
    """Certify, print, and write pictures.

    An agent that fails is reported, and the others are certified all the same; then EvaluationError is raised.

    Raises:
        BadDesign: the file is not a design; nothing is certified.
        UsageError, BadParameter
    """
    for name in ("programmes", "scenarios", "seed", "pictures"):
        if getattr(config, name) < (name in ("programmes", "scenarios")):
            raise UsageError(
                f"--{name} {getattr(config, name)}: must be at least {int(name in ('programmes', 'scenarios'))}"
            )
    if config.scenarios % len(FAMILIES):
        raise UsageError(
            f"--scenarios {config.scenarios}: must be a multiple of {len(FAMILIES)}, the number of families"
        )
    if not config.agents and config.design is None:
        raise UsageError("nothing to certify: name an agent, or give --design FILE.json")
    env_config = config.env_config(ENV, config.level, SPLIT)
    given = None if config.design is None else read_design(config.design)
    reports = [_report(name, _played(name, config, env_config), config) for name in dict.fromkeys(config.agents)]
    if config.design is not None:
        reports.append(_report(config.design.name, _given(given, config, env_config), config))
    if config.json:
        print(json.dumps([asdict(report) for report in reports], indent=1))
    bad = [
        (one.agent, one.error or next(p.error for p in one.programmes if p.error))
        for one in reports
        if one.score is None
    ]
    if bad:
        raise EvaluationError("; ".join(f"{name}: {error}" for name, error in bad))
    return reports


# --- designs ---


def read_design(path: Path) -> np.ndarray:
    """The design (10,) in a file. Raises BadDesign."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadDesign(f"{path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise BadDesign(f"{path}: not JSON: {error}") from error
    if not isinstance(value, dict):
        raise BadDesign(f"{path}: expected an object with {PARTS} named numbers: {', '.join(NAMES)}")
    for name in value:
        if name not in NAMES:
            raise BadDesign(f"{path}: no variable {name!r}; {nearest(name, NAMES)}")
    for k, name in enumerate(NAMES):
        if name not in value:
            raise BadDesign(
                f"{path}: {name} is missing: a number in {_range(k)}; {len(value)} of {PARTS} variables are given"
            )
        if isinstance(value[name], bool) or not isinstance(value[name], int | float):
            raise BadDesign(f"{path}: {name}={value[name]!r}: must be a number in {_range(k)}")
    design = np.array([float(min(max(value[name], -1e300), 1e300)) for name in NAMES])
    if fault := fault_of(design):
        raise BadDesign(f"{path}: {fault}")
    return design


def fault_of(design: np.ndarray) -> str:
    """What is wrong with a design (10,), by variable and range; "" if it is one."""
    bad = [k for k, z in enumerate(np.asarray(design).tolist()) if not -1.0 <= z <= 1.0]
    return f"{NAMES[bad[0]]}={float(design[bad[0]]):g}: must be in {_range(bad[0])}" if bad else ""


def _range(k: int) -> str:
    _, unit, low, high, _ = VARIABLES[k]
    return f"-1..1, which is {low:g} to {high:g} {unit}".rstrip()


class Submission:
    """What an agent has committed to in a programme.

    Attributes:
        seed: of the programme.
        programme: for its certificate.
        design: (10,), meaningless with an `error`.
    """

    def __init__(
        self, seed: int, programme: Programme, design: np.ndarray, prototypes: int, tests: int, error: str
    ) -> None:
        self.seed, self.programme, self.design, self.error = seed, programme, design, error
        self.prototypes, self.tests = prototypes, tests


class _Checked(Agent):
    """Passes on what an agent does, and notes what is wrong with its designs.

    Attributes:
        faults: row -> the first fault.
    """

    def __init__(self, agent: Agent) -> None:
        self.agent, self.name, self.obs, self.action = agent, agent.name, agent.obs, agent.action
        self.faults: dict[int, str] = {}
        self.attach, self.seed = agent.attach, agent.seed  # type: ignore[method-assign]

    def initial_state(self, seeds: np.ndarray) -> Any:
        return self.agent.initial_state(seeds)

    def act(self, obs: np.ndarray, state: Any, first: np.ndarray, explore: bool = False) -> tuple[np.ndarray, Any]:
        actions, state = self.agent.act(obs, state, first)
        rows = np.asarray(actions)
        if rows.ndim == 2 and rows.shape[1] >= PARTS and rows.dtype.kind == "f":
            for row, fault in enumerate(map(fault_of, rows[:, :PARTS])):
                if fault:
                    self.faults.setdefault(row, fault)
        return actions, state


def submissions(
    agent: Agent, env_config: EnvConfig, seeds: Sequence[int], *, endless: bool = False
) -> list[Submission]:
    """Let an agent play one programme for each seed. Raises EvaluationError and BadAgent if it cannot play at all.

    Args:
        endless: a programme has as many tests as the agent likes, not only those of the environment. The clock then stands still.
    """
    n, checked = len(seeds), _Checked(agent)
    env: Any = make_env_for(agent, replace(env_config, action="continuous"), n)
    env.reset(seed=list(seeds))
    programmes = [Programme(env.world[k], env.params) for k in range(n)]
    run = Rollout(checked, env, seeds, name=agent.name, metrics=("prototypes", "tests"))
    designs = np.zeros((n, PARTS))
    for step in run:  # a programme's last action commits, whatever it asks for
        designs[step.live] = step.actions[step.live, :PARTS]
        if endless:
            env.world["t"][step.live] = 1
    env.close()
    found = []
    for k, outcome in enumerate(run.outcomes):
        error = f"agent {agent.name!r}: {checked.faults[k]}" if outcome.error and k in checked.faults else outcome.error
        prototypes, tests = (int(outcome.metrics.get(name, 0)) for name in ("prototypes", "tests"))
        found.append(Submission(outcome.seed, programmes[k], designs[k], prototypes, tests, error))
    return found


def _seeds(config: BuildConfig) -> range:
    return range(config.seed, config.seed + config.programmes)


def _played(name: str, config: BuildConfig, env_config: EnvConfig) -> list[Submission] | str:
    """What an agent submits, or why it cannot."""
    try:
        loaded = load_agent(name, ENV, env_config.level, config.run, env_config.overrides, config.imagined)
        return submissions(loaded, env_config, _seeds(config))
    except UnseenError as error:
        return " ".join(str(error).split())


def _given(design: np.ndarray | None, config: BuildConfig, env_config: EnvConfig) -> list[Submission]:
    """The same design for every programme."""
    assert design is not None
    seeds = _seeds(config)
    env: Any = make_env_for(
        _Checked(load_agent("random", ENV, env_config.level)), replace(env_config, action="continuous"), len(seeds)
    )
    env.reset(seed=list(seeds))
    return [Submission(seed, Programme(env.world[k], env.params), design, 1, 0, "") for k, seed in enumerate(seeds)]


# --- certificates ---


def certify(one: Submission, each: int) -> Certificate:
    """Drive the private certificate of a submission's programme, `each` scenarios of a family."""
    return one.programme.drive(one.design, one.programme.scenarios(one.seed, each))


def wilson(passed: int, n: int) -> Interval:
    """Wilson's 95 % interval of a share."""
    share, z2 = passed / n, Z * Z
    middle, half = (
        (share + z2 / (2 * n)) / (1 + z2 / n),
        Z / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n)),
    )
    return Interval(share, max(middle - half, 0.0), min(middle + half, 1.0))


def _report(name: str, found: list[Submission] | str, config: BuildConfig) -> Report:
    """Certify what an agent submits, and print it."""
    if isinstance(found, str):
        report = Report(name, found)
    else:
        rows = tuple(Built(one.seed, one.error) if one.error else _built(name, one, config) for one in found)
        whole = not any(row.error for row in rows)
        report = Report(name, "", st.bootstrap([[row.score for row in rows]]) if whole else None, rows)
    if not config.json:
        show(report, config)
    return report


def _built(name: str, one: Submission, config: BuildConfig) -> Built:
    certificate = certify(one, config.scenarios // len(FAMILIES))
    rates, family = certificate.rates, certificate.scenarios["family"]
    shares = {
        title: wilson(int(certificate.passed[family == f].sum()), int((family == f).sum()))
        for f, title in enumerate(FAMILIES)
    }
    failures = []
    for rank, k in enumerate(_worst_first(certificate)):
        failure = _failure(certificate, k)
        if rank < config.pictures:
            path = config.out / f"{re.sub(r'[^A-Za-z0-9_.-]', '-', name)}-{one.seed}-{rank}.png"
            _draw(path, name, one, certificate, k)
            failure = replace(failure, picture=str(path))
        failures.append(failure)
    design = dict(zip(NAMES, one.design.tolist(), strict=True))
    worst = FAMILIES[int(rates.argmin())]
    return Built(one.seed, "", design, one.prototypes, one.tests, shares, worst, tuple(failures))


def _worst_first(certificate: Certificate) -> list[int]:
    """Indices of the failing scenarios: the worst of each family, then the second of each, and so on."""
    least, family = certificate.margins.min(1), certificate.scenarios["family"]
    ranked = []
    for f in range(len(FAMILIES)):
        own = np.flatnonzero(~certificate.passed & (family == f))
        ranked += [(rank, least[k], k) for rank, k in enumerate(own[np.argsort(least[own], kind="stable")])]
    return [int(k) for _, _, k in sorted(ranked)]


def _failure(certificate: Certificate, k: int) -> Failure:
    sc = certificate.scenarios[k]
    family, margins = int(sc["family"]), certificate.margins[k]
    surface = "" if family in (CRASH, RIDE) else SURFACES[int(sc["surface"])]
    names = dict(zip(METRICS[family], margins.round(3).tolist(), strict=True))
    return Failure(FAMILIES[family], surface, round(3.6 * float(sc["speed"]), 1), names, bool(certificate.spun[k]))


def _draw(path: Path, name: str, one: Submission, certificate: Certificate, k: int) -> None:
    """A picture of the car in a failing scenario. Raises FilmError."""
    failure, task = _failure(certificate, k), EnvConfig(ENV).entry.task  # type: ignore[union-attr]
    state = one.programme.shown(one.design, certificate.scenarios[k], certificate.rates)
    state["t"] = one.tests + 1
    message = ", ".join(filter(None, (name, f"programme {one.seed}", failure.surface, f"{failure.speed_kmh:.0f} km/h")))
    message = f"{failure.family} fails: {message}"
    painter = load(task.view.painter)()
    image = painter.frame(state, one.programme.params, task, message=message)
    painter.close()
    save_film(path, [Shot(image, 1.0)])


# --- printing ---


def show(report: Report, config: BuildConfig) -> None:
    """Print the certificates of one agent; errors go to stderr."""
    from rich.console import Console
    from rich.text import Text

    console = Console(soft_wrap=True)
    if report.error:  # `build` raises it in the end
        return
    console.print(Text(f"{report.agent}, {config.scenarios:,} private scenarios a programme", style="bold"))
    for row in report.programmes:
        if row.passed is None:
            print(f"unseen: {report.agent}, programme {row.seed}: {row.error}", file=sys.stderr)
            continue
        spent = f"{row.prototypes} prototypes, {row.tests} tests" if row.tests else "not tested"
        console.print(Text(f"programme {row.seed}: {spent}; {len(row.failures)} scenarios fail"))
        for title, share in row.passed.items():
            mark = "  the worst" if title == row.worst else ""
            bounds = f"(95 %: {share.low:.3f}-{share.high:.3f})"
            console.print(
                Text(f"  {title:18} {share.point:.3f}  {bounds}{mark}", style="red" if share.point < ENOUGH else "")
            )
        for failure in row.failures[: max(LISTED, config.pictures)]:
            console.print(Text(f"    fails: {described(failure)}"))
    if report.score is not None:
        ready = sum(row.score >= ENOUGH for row in report.programmes)
        console.print(
            f"share that passes in the worst family: mean {report.score.point:.3f} (95 %: {report.score.low:.2f}-{report.score.high:.2f}, "
            f"over programmes); {ready} of {len(report.programmes)} can be built\n"
        )


def described(failure: Failure) -> str:
    """A failing scenario in one line: what it was, the margins that failed, and its picture."""
    where = f" on a {failure.surface} road" if failure.surface else ""
    lacks = ", ".join(f"{name.split(',')[0]} {margin:+.2f}" for name, margin in failure.margins.items() if margin < 0.0)
    fate = ", the car spun" if failure.spun else ""
    seen = f"  [{failure.picture}]" if failure.picture else ""
    return f"{failure.family}{where}, {failure.speed_kmh:.0f} km/h{fate}: {lacks}{seen}"
