"""The report of a benchmark, from its stored results: `report.md` with the tables, `curves.svg`, and `imagination.svg` if agents plan."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from unseen.train.benchmark.cells import Cell, Evaluation, Protocol, Spec
from unseen.train.benchmark.figure import draw, draw_asked, draw_imagination
from unseen.train.benchmark.results import Result, strangers
from unseen.train.benchmark.summary import Claim, Group, begun, claims, groups, median, overall, soonness
from unseen.train.errors import StoreError
from unseen.train.files import write_text
from unseen.train.leaderboard.report import count, number, short
from unseen.train.leaderboard.statistics import RANKING_RUNS, Interval

AXES = {"steps": "steps", "episodes": "episodes", "cpu_s": "CPU-s"}


def write_report(spec: Spec, results: Mapping[str, Result], folder: Path, path: Path) -> Path:
    """Write the report into the folder of the results, and return its path. Raises StoreError.

    Args:
        results: by cell id.
        path: of the spec, for the command in the report.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        figure, every = draw if spec.protocol is None else draw_asked, groups(spec, results)
        pictured = figure(spec, every, folder / "curves.svg")
        draw_imagination(spec, every, folder / "imagination.svg")
        report = folder / "report.md"
        write_text(report, markdown(spec, results, path.name, pictured, strangers(folder, spec)))
    except OSError as error:
        raise StoreError(folder, f"cannot be written: {error.strerror or error}") from error
    return report


def markdown(spec: Spec, results: Mapping[str, Result], file: str, pictured: bool, others: int = 0) -> str:
    """The report.

    Args:
        file: name of the spec.
        pictured: whether there is a curves.svg.
        others: number of stored results that are of none of its runs.
    """
    every = groups(spec, results)
    finished = sum(len(group.finished) for group in every)
    failed = sum(len(group.failed) for group in every)
    missing = len(spec.cells) - finished - failed
    parts = [
        f"# {_safe(spec.title)}",
        f"Made by `unseen benchmark {file} --report`. Runs: {len(spec.cells)} planned, {finished} finished, {failed} failed, "
        f"{missing} unfinished."
        + (f" **{others} stored results are of no run of this specification.**" if others else ""),
        f"Search budget of the settings: {_safe(spec.search)}",
    ]
    if pictured:
        parts.append("![Learning curves](curves.svg)" if spec.protocol is None else "![Asked](curves.svg)")
    if any(group.normalised() for group in every) and len(spec.envs) > 1 and spec.protocol is None:
        parts += ["## Overall", summary(spec, every)]
    for env in spec.envs:
        own = [group for group in every if group.env is env]
        if spec.protocol is None:
            parts += [f"## {_safe(env.label)}", _table(own, env.threshold), _rankings(own, env.threshold)]
            parts.append(_imagined_table(own, spec.evaluation.imagined))
        else:
            parts += [f"## {_safe(env.label)}", _asked_table(own, spec.protocol)]
    if failed:
        parts.append(_failures(spec, results))
    parts += ["## How to read this", _notes(spec, results)]
    return "\n\n".join(part for part in parts if part) + "\n"


def tables(spec: Spec, every: Sequence[Group]) -> dict[str, str]:
    """Tables over all environments for other pages, by name: the benchmark's, and "NAME imagined", scores by imagined steps."""
    if spec.protocol is not None:
        return {spec.name: _asked_summary(spec, every, spec.protocol)}
    budgets = spec.evaluation.imagined
    by_imagined = {f"{spec.name} imagined": _imagined_summary(every, budgets)} if budgets else {}
    return {spec.name: summary(spec, every)} | by_imagined


def summary(spec: Spec, every: Sequence[Group]) -> str:
    """One row for each agent, one column for each environment: score, and training to the threshold.

    Agents and environments that have not been run are named below.
    """
    agents, envs = begun(spec, every)
    rows = []
    for agent in agents:
        own = [group for group in every if group.agent is agent and group.env in envs]
        score = overall(own) if len(own) == len(envs) else None
        several = any(len(group.finished) > 1 for group in own)
        shown = "incomplete" if score is None else _spread(score, several)
        by_env = {group.env.label: _summarised(group) for group in own}
        scores = [by_env.get(env.label, "") for env in envs]
        rows.append([_safe(agent.label), _safe(agent.supervision), _runs_of_all(own), *scores, shown])
    columns = ["agent", "learns from, besides reward", "runs", *(_safe(env.label) for env in envs), "overall"]
    missing = [agent.label for agent in spec.agents if agent not in agents]
    missing += [env.label for env in spec.envs if env not in envs]
    note = f" Without a finished run yet: {_safe(', '.join(missing))}." if missing else ""
    return _grid(columns, rows) + f"\n\n{_summary_note(spec)}{note}"


def _summarised(group: Group) -> str:
    """The score of an agent in an environment, and, on a second line, real episodes and CPU-seconds to the threshold."""
    score = _interval(group.headline())
    if not group.agent.trains or not group.finished:
        return score
    episodes, seconds = (group.times(axis, group.env.threshold) for axis in ("episodes", "cpu_s"))
    reached, runs = sum(time < math.inf for time in seconds), len(seconds)
    parts = [_middle(episodes), f"{_middle(seconds)} s"] if 2 * reached > runs else []
    parts += [f"{reached} of {runs} runs"] if 0 < reached < runs else []
    return f"{score}<br>{', '.join(parts) or 'never'}"


def _runs_of_all(own: Sequence[Group]) -> str:
    """How many runs an agent has finished in each of its environments."""
    if not own or not own[0].agent.trains:
        return "scripted"
    finished, planned = {len(group.finished) for group in own}, {group.planned for group in own}
    text = " to ".join(map(str, sorted({min(finished), max(finished)})))
    failed = sum(len(group.failed) for group in own)
    text += "" if finished == planned else f" of {max(planned)}"
    return f"{text}, {failed} failed" if failed else text


def _middle(values: Sequence[float]) -> str:
    """The median; a dash where it was not counted."""
    return count(statistics.median(values)) if values else "—"


def _summary_note(spec: Spec) -> str:
    marks = ", ".join(sorted({number(env.threshold) for env in spec.envs}))
    return (
        f"Scores: {_what(spec.evaluation)}, median over runs. Below them: real episodes and CPU time of training until it is {marks}, "
        "medians. Overall: interquartile mean of the normalised scores over runs and environments."
    )


def _table(own: Sequence[Group], threshold: float) -> str:
    """One row for each agent in an environment."""
    at = number(threshold)
    head = ["agent", "supervision", "runs", "greedy", "sampled", "normalised"]
    head += [f"{name} to {at}" for name in AXES.values()] + ["trained for"]
    rows = []
    for group in own:
        agent = group.agent
        greedy, sampled = (_interval(group.scores(policy), agent.policy == policy) for policy in ("greedy", "sampled"))
        times = [_time(group.times(axis, threshold)) if agent.trains else "" for axis in AXES]
        row = [_safe(agent.label), _safe(agent.supervision), _runs(group), greedy, sampled]
        rows.append([*row, _interval(group.normalised()), *times, _trained(group)])
    return _grid(head, rows)


def _imagined_table(own: Sequence[Group], budgets: Sequence[int]) -> str:
    """One row for each agent that plans, one column for each maximum number of imagined steps a plan."""
    planning = [group for group in own if any(group.by_imagined(steps) for steps in budgets)]
    if not planning:
        return ""
    rows = [
        [_safe(group.agent.label), _runs(group), *(_interval(group.by_imagined(steps)) for steps in budgets)]
        for group in planning
    ]
    return _grid(["agent", "runs", *_imagined_columns(budgets)], rows)


def _imagined_summary(every: Sequence[Group], budgets: Sequence[int]) -> str:
    """Like `_imagined_table`, for all environments."""
    rows = [
        [_safe(group.env.label), _safe(group.agent.label), *(_interval(group.by_imagined(steps)) for steps in budgets)]
        for group in every
        if any(group.by_imagined(steps) for steps in budgets)
    ]
    return _grid(["environment", "agent", *_imagined_columns(budgets)], rows)


def _imagined_columns(budgets: Sequence[int]) -> list[str]:
    return [f"≤ {count(steps)} imagined" for steps in budgets]


def _asked_summary(spec: Spec, every: Sequence[Group], protocol: Protocol) -> str:
    """Like `_asked_table`, for all environments and with fewer columns."""
    head = ["environment", "agent", "learns from, besides reward", "runs", *_asked_columns(protocol), "CPU time"]
    rows = []
    for group in every:
        agent = group.agent
        scores = [_interval(group.asked(k)) for k in range(len(protocol.asked))]
        seconds = [one.cpu_s for one in group.finished if agent.trains]
        row = [_safe(group.env.label), _safe(agent.label), _safe(agent.supervision), _runs(group), *scores]
        rows.append([*row, f"{_middle(seconds)} s" if seconds else ""])
    first = "asked" if spec.free else "real"
    note = f"Scores: {_what(spec.evaluation)} on held-out episodes before the first {first} episode and after so many, median over runs."
    return _grid(head, rows) + f"\n\n{note}"


def _asked_columns(protocol: Protocol) -> list[str]:
    return ["zero-shot" if asked == 0 else f"after {count(asked)}" for asked in protocol.asked]


def _asked_table(own: Sequence[Group], protocol: Protocol) -> str:
    """One row for each agent in an environment, one column for each number of asked episodes."""
    head = ["agent", "supervision", "runs", *_asked_columns(protocol), "trained for"]
    rows = []
    for group in own:
        agent = group.agent
        scores = [_interval(group.asked(k), bold=True) for k in range(len(protocol.asked))]
        rows.append([_safe(agent.label), _safe(agent.supervision), _runs(group), *scores, _trained(group)])
    return _grid(head, rows)


def _interval(values: list[float], bold: bool = False) -> str:
    found = median(values)
    return "—" if found is None else _spread(found, len(values) > 1, "**" if bold else "")


def _spread(score: Interval, several: bool, mark: str = "") -> str:
    """A score, with its interval if there are several runs."""
    point = f"{mark}{number(score.point)}{mark}"
    return f"{point} ({short(score)})" if several else point


def _time(values: list[float]) -> str:
    """Median amount of training to the threshold and its range over runs; the number of runs that reached it, if not all."""
    if not values:
        return "—"
    known, middle = sorted(value for value in values if value < math.inf), statistics.median(values)
    text = count(middle) if middle < math.inf else "never"
    if len(known) > 1:
        text += f" ({count(known[0])}–{count(known[-1])})"
    return text if len(known) in (0, len(values)) else f"{text}, {len(known)} of {len(values)} runs"


def _runs(group: Group) -> str:
    if not group.agent.trains:
        return "scripted" if group.finished else "failed" if group.failed else "unfinished"
    text = str(len(group.finished)) + (f" of {group.planned}" if len(group.finished) < group.planned else "")
    more = [f"{len(group.failed)} failed"] if group.failed else []
    more += [f"{group.unfinished} unfinished"] if group.unfinished else []
    return ", ".join([text, *more])


def _trained(group: Group) -> str:
    if not group.agent.trains or not group.finished:
        return ""
    steps = statistics.median(one.steps for one in group.finished)
    seconds = statistics.median(one.cpu_s for one in group.finished)
    return f"{count(steps)} steps, {count(seconds)} CPU-s"


def _rankings(own: Sequence[Group], threshold: float) -> str:
    """Which agents are better than others, where there are enough runs to say so."""
    trained = [group for group in own if group.agent.trains]
    few = [f"{_safe(g.agent.label)} ({len(g.finished)})" for g in trained if len(g.finished) < RANKING_RUNS]
    lines = []
    if len(trained) - len(few) > 1:
        at = number(threshold)
        steps, cpu = (claims(trained, soonness(axis, threshold)) for axis in ("steps", "cpu_s"))
        both = {(claim.a, claim.b) for claim in cpu}
        lines += _claims("Higher final score", claims(trained, Group.headline))
        lines += _claims(f"Fewer environment steps to {at}", steps)
        lines += _claims(f"Fewer CPU-seconds to {at}", cpu)
        lines += _claims(f"Better on both axes to {at}", [claim for claim in steps if (claim.a, claim.b) in both])
        if not lines:
            lines = ["No difference between the agents is significant."]
    if few and len(trained) > 1:
        lines.append(f"Not ranked, with fewer than {RANKING_RUNS} finished runs: {', '.join(few)}.")
    return "  \n".join(lines)


def _claims(what: str, found: Sequence[Claim]) -> list[str]:
    pairs = [f"{_safe(c.a)} than {_safe(c.b)} ({short(c.probability)})" for c in found]
    return [f"{what}: {'; '.join(pairs)}."] if pairs else []


def _failures(spec: Spec, results: Mapping[str, Result]) -> str:
    def line(cell: Cell, result: Result) -> str:
        return f"- {_safe(cell.title)}, at {count(result.steps)} steps: {_safe(result.error)}"

    pairs = [(cell, results[cell.id]) for cell in spec.cells if cell.id in results]
    return "## Failed runs\n\n" + "\n".join(line(cell, one) for cell, one in pairs if one.error)


def _notes(spec: Spec, results: Mapping[str, Result]) -> str:
    scoring, known = spec.evaluation, list(results.values())
    finals = sorted({one.greedy.episodes for one in known if one.greedy})
    if spec.protocol is not None:
        lines = _asked_notes(spec.protocol, spec.free, scoring, finals)
    else:
        lines = _trained_notes(scoring, finals)
    machines = sorted({one.machine for one in known})
    if machines:
        lines.append(
            f"CPU time was measured on {'; '.join(map(_safe, machines))}. It is not comparable across machines."
        )
    for what, differ in (
        ("settings", _settings_differ(spec, results)),
        ("versions of packages", _versions_differ(known)),
    ):
        if differ:
            lines.append(f"**The {what} differ between runs: {differ}.**")
    return "\n".join(f"- {line}" for line in lines)


def _what(scoring: Evaluation) -> str:
    """What scores are, in words."""
    return (
        "mean return"
        if scoring.score == "return"
        else "success rate (mean return where an environment reports no success)"
    )


def _asked_notes(protocol: Protocol, free: bool, scoring: Evaluation, finals: Sequence[int]) -> list[str]:
    about_free_play = [
        "Free play: no reward, no question, and no end but by time. Then the agent is asked: the same environment, with question "
        "and reward.",
        "Goal given: when it is first asked, the agent is told that it has to touch what the query names, with the first touch, "
        "and labels by that what it remembers of free play. An agent without this begins with an untrained policy.",
    ]
    return [
        *(about_free_play if free else []),
        f"Columns: scores before the first {'asked' if free else 'real'} episode, and after some of them. Before each score, an agent that "
        f"remembers what it has seen trains on it: {protocol.think} update{'' if protocol.think == 1 else 's'}.",
        f"Score: {_what(scoring)} over {' or '.join(map(str, finals)) or 'no'} held-out episodes of the split "
        f"{scoring.split!r}; medians over finished runs, with 95 % bootstrap intervals over runs, which have less coverage from "
        "few runs (about 85 % from 3).",
    ]


def _trained_notes(scoring: Evaluation, finals: Sequence[int]) -> list[str]:
    return [
        f"Score: {_what(scoring)} over {' or '.join(map(str, finals)) or 'no'} "
        f"held-out episodes of the split {scoring.split!r} after training; {scoring.episodes} others for each point of a curve.",
        *_stop_note(scoring),
        "Greedy: the most likely action. Sampled: an action sampled from the policy. The bold one is used for curves, "
        "thresholds, normalised scores and rankings.",
        "Scores are medians over finished runs with 95 % bootstrap intervals over runs. Intervals from few runs have less than "
        "95 % coverage: about 85 % with 3 runs, 89 % with 5.",
        "Normalised: mean return with random = 0 and oracle = 1, by frozen anchors, not clipped.",
        "Steps, episodes and CPU-seconds to a score: of training, up to the first point of the curve at that "
        "score; median over runs, a run that never reached it counting as infinite, and the range over those that did.",
        f"Rankings: the probability that a run of one is better than a run of the other, from {RANKING_RUNS} runs of each on; "
        "listed if its 95 % interval (in brackets) lies above one half. A failed run counts as the worst.",
    ]


def _stop_note(scoring: Evaluation) -> list[str]:
    if scoring.stop is None:
        return []
    return [f"Training ended before its budget once two points of the curve in a row were at {number(scoring.stop)}."]


def _settings_differ(spec: Spec, results: Mapping[str, Result]) -> str:
    """Labels of agents whose runs had different settings, which happens if defaults were changed between runs."""
    seen: dict[str, list[Mapping[str, object]]] = {agent.label: [] for agent in spec.agents}
    for cell in spec.cells:
        found = results.get(cell.id)
        if found and found.settings and found.settings not in seen[cell.agent.label]:
            seen[cell.agent.label].append(found.settings)
    return ", ".join(_safe(label) for label, distinct in seen.items() if len(distinct) > 1)


def _versions_differ(known: Sequence[Result]) -> str:
    seen: dict[str, set[str]] = {}
    for one in known:
        for package, version in one.versions.items():
            seen.setdefault(package, set()).add(version)
    return ", ".join(f"{name} {' and '.join(sorted(found))}" for name, found in seen.items() if len(found) > 1)


def _grid(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _safe(text: str) -> str:
    """A text from a spec or an error, escaped for a cell of a Markdown table."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|").replace("\n", " ")
