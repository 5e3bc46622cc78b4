"""The tables of a benchmark, in Markdown."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from unseen.train.benchmark.cells import Evaluation, Protocol, Spec
from unseen.train.benchmark.summary import Claim, Group, begun, claims, median, overall, soonness
from unseen.train.leaderboard.report import count, number, short
from unseen.train.leaderboard.statistics import RANKING_RUNS, Interval

SAME_PACE = 1.3  # ratio of the paces of two cores, up to which CPU times are compared without a remark
AXES = {"steps": "steps", "episodes": "episodes", "cpu_s": "CPU-s"}


def tables(spec: Spec, every: Sequence[Group]) -> dict[str, str]:
    """Tables over all environments for other pages, by name: the benchmark's, and "NAME imagined", scores by imagined steps."""
    if spec.protocol is not None:
        return {spec.name: asked_summary(spec, every, spec.protocol)}
    by_imagined = {f"{spec.name} imagined": imagined_table(every, spec.imagined)} if spec.imagined else {}
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
        rows.append([safe(agent.label), safe(agent.supervision), _runs_of_all(own), *scores, shown])
    columns = ["agent", "learns from, besides reward", "runs", *(safe(env.label) for env in envs), "overall"]
    missing = [agent.label for agent in spec.agents if agent not in agents]
    missing += [env.label for env in spec.envs if env not in envs]
    note = f" Without a finished run yet: {safe(', '.join(missing))}." if missing else ""
    return grid(columns, rows) + f"\n\n{_summary_note(spec)}{note}"


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
        f"Scores: {measured(spec.evaluation)}, median over runs. Below them: real episodes and CPU time of training until it is {marks}, "
        "medians. Overall: interquartile mean of the normalised scores over runs and environments."
    )


def table(own: Sequence[Group], threshold: float) -> str:
    """One row for each agent in an environment."""
    at = number(threshold)
    head = ["agent", "supervision", "runs", "greedy", "sampled", "normalised"]
    head += [f"{name} to {at}" for name in AXES.values()] + ["trained for"]
    rows = []
    for group in own:
        agent = group.agent
        greedy, sampled = (_interval(group.scores(policy), agent.policy == policy) for policy in ("greedy", "sampled"))
        times = [_time(group.times(axis, threshold)) if agent.trains else "" for axis in AXES]
        row = [safe(agent.label), safe(agent.supervision), _runs(group), greedy, sampled]
        rows.append([*row, _interval(group.normalised()), *times, _trained(group)])
    return grid(head, rows)


def imagined_table(every: Sequence[Group], budgets: Sequence[int]) -> str:
    """One row for each agent that plans in an environment, one column for each maximum number of imagined steps a plan."""
    rows = [
        [safe(g.env.label), safe(g.agent.label), _runs(g), *(_interval(g.by_imagined(steps)) for steps in budgets)]
        for g in every
        if any(g.by_imagined(steps) for steps in budgets)
    ]
    return grid(["environment", "agent", "runs", *(f"≤ {count(steps)} imagined" for steps in budgets)], rows)


def asked_summary(spec: Spec, every: Sequence[Group], protocol: Protocol) -> str:
    """Like `asked_table`, for all environments and with fewer columns."""
    head = ["environment", "agent", "learns from, besides reward", "runs", *_asked_columns(protocol), "CPU time"]
    rows = []
    for group in every:
        agent = group.agent
        scores = [_interval(group.asked(k)) for k in range(len(protocol.asked))]
        seconds = [one.cpu_s for one in group.finished if agent.trains]
        row = [safe(group.env.label), safe(agent.label), safe(agent.supervision), _runs(group), *scores]
        rows.append([*row, f"{_middle(seconds)} s" if seconds else ""])
    first = "asked" if spec.free else "real"
    note = f"Scores: {measured(spec.evaluation)} on held-out episodes before the first {first} episode and after so many, median over runs."
    return grid(head, rows) + f"\n\n{note}"


def _asked_columns(protocol: Protocol) -> list[str]:
    return ["zero-shot" if asked == 0 else f"after {count(asked)}" for asked in protocol.asked]


def asked_table(own: Sequence[Group], protocol: Protocol) -> str:
    """One row for each agent in an environment, one column for each number of asked episodes."""
    head = ["agent", "supervision", "runs", *_asked_columns(protocol), "trained for"]
    rows = []
    for group in own:
        agent = group.agent
        scores = [_interval(group.asked(k), bold=True) for k in range(len(protocol.asked))]
        rows.append([safe(agent.label), safe(agent.supervision), _runs(group), *scores, _trained(group)])
    return grid(head, rows)


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


def rankings(own: Sequence[Group], threshold: float) -> str:
    """Which agents are better than others, where there are enough runs to say so."""
    trained = [group for group in own if group.agent.trains]
    few = [f"{safe(g.agent.label)} ({len(g.finished)})" for g in trained if len(g.finished) < RANKING_RUNS]
    lines = []
    if len(trained) - len(few) > 1:
        at = number(threshold)
        steps, cpu = (claims(trained, soonness(axis, threshold)) for axis in ("steps", "cpu_s"))
        both = {(claim.a, claim.b) for claim in cpu}
        ranked = [one for group in trained if len(group.finished) >= RANKING_RUNS for one in group.finished]
        paces = [one.pace for one in ranked if one.pace]
        several = len({one.machine for one in ranked}) > 1 or (paces and max(paces) > SAME_PACE * min(paces))
        mixed = ", on different processors" if several else ""
        lines += _claims("Higher final score", claims(trained, Group.headline))
        lines += _claims(f"Fewer environment steps to {at}", steps)
        lines += _claims(f"Fewer CPU-seconds to {at}{mixed}", cpu)
        lines += _claims(
            f"Better on both axes to {at}{mixed}", [claim for claim in steps if (claim.a, claim.b) in both]
        )
        if not lines:
            lines = ["No difference between the agents is significant."]
    if few and len(trained) > 1:
        lines.append(f"Not ranked, with fewer than {RANKING_RUNS} finished runs: {', '.join(few)}.")
    return "  \n".join(lines)


def _claims(what: str, found: Sequence[Claim]) -> list[str]:
    pairs = [f"{safe(c.a)} than {safe(c.b)} ({short(c.probability)})" for c in found]
    return [f"{what}: {'; '.join(pairs)}."] if pairs else []


def measured(scoring: Evaluation) -> str:
    """What scores are, in words."""
    return (
        "mean return"
        if scoring.score == "return"
        else "success rate (mean return where an environment reports no success)"
    )


def grid(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def safe(text: str) -> str:
    """A text from a spec or an error, escaped for a cell of a Markdown table."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|").replace("\n", " ")
