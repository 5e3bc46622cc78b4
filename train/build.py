"""`unseen build`: certify the designs that agents commit to in ProvingGround, in thousands of private scenarios.

Each programme has a private certificate: scenarios drawn for its brief with random keys that no episode uses, the same for every agent.
Designs come from agents that play the programme, or from a file with ten named numbers.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
from tyro.conf import Positional, arg

from unseen.agents.load import load_agent
from unseen.agents.shared.envs import EnvConfig
from unseen.envs.core.lazy import load
from unseen.envs.errors import UnseenError
from unseen.envs.industry.proving_ground.certificate import EACH, Certificate
from unseen.envs.industry.proving_ground.manoeuvres import CRASH, FAMILIES, METRICS, RIDE, SURFACES
from unseen.envs.industry.proving_ground.rules import ENOUGH
from unseen.train.arguments import LevelArgument, OptionalInt, OptionalPath
from unseen.train.designs import NAMES, Submission, read_design, submissions, submit_to_all
from unseen.train.errors import EvaluationError, UsageError
from unseen.train.film import Shot, save_film
from unseen.train.leaderboard import statistics as st
from unseen.train.leaderboard.statistics import Interval

__all__ = ["BuildConfig", "Built", "build"]

ENV, SPLIT = "ProvingGround", "test"
LISTED = 5  # failing scenarios of a programme that are printed, at least (if there are so many)
Z = 1.96  # standard deviations of a 95 % interval


@dataclass(frozen=True)
class BuildConfig(LevelArgument):
    """Whose designs to certify, and how."""

    agents: Annotated[Positional[tuple[str, ...]], arg(metavar="[AGENT ...]")] = ()
    """agents that play ProvingGround: names, .onnx files, folders of training runs, or file.py:Class"""
    design: OptionalPath = None
    """also certify the design in this JSON file: the ten variables by name, each in -1..1, as --json prints them"""
    programmes: int = 3
    """number of programmes"""
    seed: int = 0
    """seed of the first programme in its split; the others follow"""
    scenarios: int = len(FAMILIES) * EACH
    """private scenarios of each programme, a multiple of 6"""
    run: OptionalInt = None
    """training seed of included agents; by default the run with the median return"""
    imagined: OptionalInt = None
    """designs imagined for a decision, of an agent that plans; by default its own number"""
    pictures: int = 3
    """number of pictures of failing scenarios, for each programme"""
    out: Path = Path("runs/build")
    """folder for the pictures"""
    json: bool = False
    """print JSON, with every failing scenario"""


@dataclass(frozen=True)
class Failure:
    """A failing scenario. Margins are in units of ProvingGround; those below 0 failed."""

    family: str
    surface: str
    speed_kmh: float
    margins: Mapping[str, float]
    spun: bool
    picture: str = ""


@dataclass(frozen=True)
class Built:
    """The certificate of a design for one programme, by its seed. With an `error`, there is no certificate."""

    seed: int
    error: str = ""
    design: Mapping[str, float] | None = None
    prototypes: int = 0
    tests: int = 0
    passed: Mapping[str, Interval] | None = None
    """pass rate of each family, with Wilson's 95 % interval"""
    worst: str = ""
    """the family with the lowest pass rate"""
    failures: tuple[Failure, ...] = ()

    @property
    def score(self) -> float:
        """Pass rate of the worst family; 0 without a certificate."""
        return 0.0 if self.passed is None else self.passed[self.worst].point


@dataclass(frozen=True)
class Report:
    """The certificates of one agent. `score` is the mean over programmes of the worst family's pass rate; None if one has an error."""

    agent: str
    error: str = ""
    score: Interval | None = None
    programmes: tuple[Built, ...] = ()


def build(config: BuildConfig) -> list[Report]:
    """Certify designs, print the certificates, and write pictures. Returns one report per agent, then that of `--design`.

    If an agent raises or cannot play, the others are still certified; then EvaluationError is raised.

    Raises:
        BadDesign: the file is not a design; nothing is certified.
        UsageError, BadParameter: the arguments are invalid.
        EvaluationError: an agent has failed.
    """
    for name, least in (("programmes", 1), ("scenarios", 1), ("seed", 0), ("pictures", 0)):
        if getattr(config, name) < least:
            raise UsageError(f"--{name} {getattr(config, name)}: must be at least {least}")
    if config.scenarios % len(FAMILIES):
        raise UsageError(
            f"--scenarios {config.scenarios}: must be a multiple of {len(FAMILIES)}, the number of families"
        )
    if not config.agents and config.design is None:
        raise UsageError("nothing to certify: name an agent, or give --design FILE.json")
    env_config = config.env_config(ENV, config.level, SPLIT)
    given = None if config.design is None else read_design(config.design)
    reports = [_report(name, _played(name, config, env_config), config) for name in dict.fromkeys(config.agents)]
    if config.design is not None and given is not None:
        reports.append(_report(config.design.name, submit_to_all(given, env_config, _seeds(config)), config))
    if config.json:
        print(json.dumps([asdict(report) for report in reports], indent=1))
    bad = [
        (one.agent, one.error or next(p.error for p in one.programmes if p.error))
        for one in reports
        if one.score is None
    ]
    if bad:
        raise EvaluationError("; ".join(_about(name, error) for name, error in bad))
    return reports


def _seeds(config: BuildConfig) -> range:
    return range(config.seed, config.seed + config.programmes)


def _played(name: str, config: BuildConfig, env_config: EnvConfig) -> list[Submission] | str:
    """The designs that an agent submits, or an error message."""
    try:
        loaded = load_agent(name, ENV, env_config.level, config.run, env_config.overrides, config.imagined)
        return submissions(loaded, env_config, _seeds(config))
    except UnseenError as error:
        return " ".join(str(error).split())


def _about(name: str, error: str) -> str:
    """An error with the name of the agent, unless it begins with that, or with the file in it."""
    return error if error.startswith(name.partition(".py:")[0]) else f"{name}: {error}"


# --- certificates ---


def wilson(passed: int, n: int) -> Interval:
    """The share `passed` / n, with Wilson's 95 % interval."""
    share, z2 = passed / n, Z * Z
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(share * (1 - share) / n + z2 / (4 * n * n)) * Z / (1 + z2 / n)
    return Interval(share, max(middle - half, 0.0), min(middle + half, 1.0))


def _report(name: str, found: list[Submission] | str, config: BuildConfig) -> Report:
    """Certify the designs that an agent submits, and print the certificates unless --json was given."""
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
    certificate = one.certify(config.scenarios // len(FAMILIES))
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
    """Indices of the failing scenarios: the worst of each family, then the second worst of each, and so on."""
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
    """A failing scenario in one line: family, surface, speed, the margins that failed, and its picture."""
    where = f" on a {failure.surface} road" if failure.surface else ""
    lacks = ", ".join(f"{name.split(',')[0]} {margin:+.2f}" for name, margin in failure.margins.items() if margin < 0.0)
    fate = ", the car spun" if failure.spun else ""
    seen = f"  [{failure.picture}]" if failure.picture else ""
    return f"{failure.family}{where}, {failure.speed_kmh:.0f} km/h{fate}: {lacks}{seen}"
