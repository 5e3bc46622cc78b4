"""How to read the report of a benchmark, and what differs between its runs."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from unseen.train.benchmark.cells import AgentEntry, Evaluation, Protocol, Spec
from unseen.train.benchmark.results import Result
from unseen.train.benchmark.tables import measured, safe
from unseen.train.leaderboard.report import number
from unseen.train.leaderboard.statistics import RANKING_RUNS


def notes(spec: Spec, results: Mapping[str, Result]) -> str:
    scoring, known = spec.evaluation, list(results.values())
    finals = sorted({one.greedy.episodes for one in known if one.greedy})
    if spec.protocol is not None:
        lines = _asked_notes(spec.protocol, spec.free, scoring, finals)
    else:
        lines = _trained_notes(scoring, finals)
    chosen = [f"{safe(agent.label)}: {_settings(agent)}" for agent in spec.agents if agent.settings]
    if chosen:
        lines.append(f"Settings other than the defaults: {'; '.join(chosen)}.")
    machines = sorted({one.machine for one in known})
    if machines:
        lines.append(
            f"CPU time was measured on {'; '.join(map(safe, machines))}. It is not comparable across machines."
        )
    if paces := _paces(spec, results):
        lines.append(
            f"CPU time of a fixed workload on the cores that trained, ms, median and range (`unseen.train.pace`): {paces}."
        )
    for what, differ in (
        ("settings", _settings_differ(spec, results)),
        ("versions of packages", _versions_differ(known)),
    ):
        if differ:
            lines.append(f"**The {what} differ between runs: {differ}.**")
    return "\n".join(f"- {line}" for line in lines)


def _paces(spec: Spec, results: Mapping[str, Result]) -> str:
    """The pace of the cores that trained each agent, and how many runs have none; "" if none has."""
    found = []
    for agent in spec.agents:
        own = [results[c.id] for c in spec.cells if c.agent is agent and agent.trains and c.id in results]
        paces = sorted(one.pace for one in own if one.pace)
        if paces:
            low, middle, high = (f"{1000 * pace:.0f}" for pace in (paces[0], statistics.median(paces), paces[-1]))
            spread = f" ({low}–{high})" if low != high else ""
            unknown = f", unknown for {len(own) - len(paces)} of {len(own)} runs" if len(paces) < len(own) else ""
            found.append(f"{safe(agent.label)} {middle}{spread}{unknown}")
    return "; ".join(found)


def _settings(agent: AgentEntry) -> str:
    return ", ".join(f"{name}={safe(str(value))}" for name, value in agent.settings.items())


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
        f"Score: {measured(scoring)} over {' or '.join(map(str, finals)) or 'no'} held-out episodes of the split "
        f"{scoring.split!r}; medians over finished runs, with 95 % bootstrap intervals over runs, which have less coverage from "
        "few runs (about 85 % from 3).",
    ]


def _trained_notes(scoring: Evaluation, finals: Sequence[int]) -> list[str]:
    return [
        f"Score: {measured(scoring)} over {' or '.join(map(str, finals)) or 'no'} "
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
    return ", ".join(safe(label) for label, distinct in seen.items() if len(distinct) > 1)


def _versions_differ(known: Sequence[Result]) -> str:
    seen: dict[str, set[str]] = {}
    for one in known:
        for package, version in one.versions.items():
            seen.setdefault(package, set()).add(version)
    return ", ".join(f"{name} {' and '.join(sorted(found))}" for name, found in seen.items() if len(found) > 1)
