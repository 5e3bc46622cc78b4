"""Table and figure of `unseen designers`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from unseen.train.curves import INK, plain_settings
from unseen.train.designers.baselines import BASELINES, made
from unseen.train.designers.controls import CONTROLS
from unseen.train.designers.study import PUBLIC, REFERENCES, Row, StudyConfig
from unseen.train.leaderboard import charts
from unseen.train.leaderboard import statistics as st
from unseen.train.leaderboard.statistics import Interval

LEARNED = "surrogate-designer"
COLOURS = {8: "#7fb5b0", 24: "#0b7a75", 72: "#06403d"}
LINES = {"oracle": "#22252b", "tracker": "#4f86d9", "reflex": "#c8781a", "universal": "#a8481f"}
DESCRIPTIONS = {
    "oracle": "knows the factory",
    "tracker": "knows the physics, 10 tests",
    "reflex": "knows the benchmark, no test",
    "universal": "one design for all",
}
RECALL = dict(zip(CONTROLS, ("#9aa0aa", "#8e3fa8", "#b0417a"), strict=True))
SEARCH = {"random search": "#9aa0aa", "local search": "#8e3fa8", "Bayesian optimisation": "#b0417a"}


def pick(rows: Sequence[Row], designer: str, note: str = "", **where: Any) -> list[Row]:
    """The rows of a designer with this note, and with these values of other fields."""
    return [
        row
        for row in rows
        if row.designer == designer and row.note == note and all(getattr(row, k) == v for k, v in where.items())
    ]


def interval(rows: Sequence[Row], of: Callable[[Row], Sequence[float]] = lambda row: row.scores) -> Interval | None:
    """Mean of the values `of` the rows, over all programmes of all seeds, with a bootstrap interval over programmes; None without rows."""
    return st.bootstrap([np.concatenate([of(row) for row in rows])]) if rows else None


def text(found: Interval | None) -> str:
    return "" if found is None else f"{found.point:.2f} ({found.low:.2f}-{found.high:.2f})"


def counted(rows: Sequence[Row]) -> int:
    """Number of programmes in these rows."""
    return sum(len(row.scores) for row in rows)


def markdown(plan: StudyConfig, rows: Sequence[Row], speeds: Sequence[dict[str, float]]) -> str:
    """The report as Markdown. speeds: scenarios per CPU-second, "imagined" and "simulated", of each seed."""
    usual = plan.imagined[-2]
    tests = " | ".join(f"{b} tests" for b in plan.tests)
    line = "|---" * (len(plan.tests) + 2) + "|"
    out = [
        "# Designing cars in imagination",
        "",
        f"`unseen designers`: ProvingGround level {plan.level}, {len(plan.seeds)} training seed{'s' * (len(plan.seeds) > 1)}, "
        f"{plan.programmes} held-out programmes for each. "
        f"Score: the share of private scenarios that passes in the worst family, of {6 * plan.each} a programme. "
        "Means over the programmes of all seeds, with 95 % bootstrap intervals over them, which do not show how training runs differ.",
        "",
        "![Score against past programmes, imagined designs and real tests](score.svg)",
        "",
        "## Equal real budgets",
        "",
        f"| designer | {tests} | programmes |",
        line,
    ]

    def row(title: str, of: Callable[[int], Sequence[Row]]) -> str:
        each = [of(b) for b in plan.tests]
        return f"| {title} | " + " | ".join(text(interval(some)) for some in each) + f" | {counted(each[0])} |"

    for kind in BASELINES:
        out.append(row(f"{kind.name}, no past programme", lambda b, name=kind.name: pick(rows, name, tests=b)))  # type: ignore[misc]
    for name in CONTROLS:
        for past in plan.past:
            out.append(
                row(
                    f"{name}, {past:,} past programmes, none imagined",
                    lambda b, name=name, past=past: pick(rows, name, past=past, tests=b),  # type: ignore[misc]
                )
            )
    for past in plan.past:
        out.append(
            row(
                f"{LEARNED}, {past:,} past programmes, {usual:,} designs imagined",
                lambda b, past=past: pick(rows, LEARNED, past=past, tests=b, imagined=usual),  # type: ignore[misc]
            )
        )
    if fewer := [f"{made(b)} of {b}" for b in plan.tests if made(b) != b]:
        out += ["", f"The searches test every candidate in all families, so they make only {', '.join(fewer)} tests."]
    out += ["", "| scripted | tests | score |", "|---|---|---|"]
    for name in REFERENCES:
        some = pick(rows, name)
        out.append(f"| {name} | {some[0].tests if some else ''} | {text(interval(some))} |")
    out += ["", "## Random search in the true simulator", ""]
    out += [f"Designs are compared on {6 * PUBLIC} scenarios in the true factory, which no real budget buys.", ""]
    out += ["| designs tried | claimed | private |", "|---|---|---|"]
    for count in plan.searches:
        some = pick(rows, "random search, true simulator", imagined=count)
        out.append(f"| {count:,} | {text(interval(some, lambda row: row.claims))} | {text(interval(some))} |")
    out += ["", f"## What imagination is worth, {plan.usual} tests", ""]
    out += [
        "| past programmes | designs imagined | score | what it expected | CPU-s a programme | programmes |",
        "|---|---|---|---|---|---|",
    ]
    for past in plan.past:
        for name in CONTROLS:
            if some := pick(rows, name, past=past, tests=plan.usual):
                cpu = np.mean([one.cpu_s for one in some])
                out.append(f"| {past:,} | none: {name} | {text(interval(some))} | | {cpu:.2f} | {counted(some)} |")
        for imagined in plan.imagined:
            if some := pick(rows, LEARNED, past=past, tests=plan.usual, imagined=imagined):
                cpu = np.mean([one.cpu_s for one in some])
                claimed = text(interval(some, lambda row: row.claims))
                out.append(
                    f"| {past:,} | {imagined:,} | {text(interval(some))} | {claimed} | {cpu:.2f} | {counted(some)} |"
                )
        other = pick(rows, LEARNED, note="another programme's latent", past=past)
        if other:
            out.append(
                f"| {past:,} | {usual:,}, with another programme's latent | {text(interval(other))} | | | {counted(other)} |"
            )
    out += [
        "",
        "One design imagined is planning off: the middle of the box, whatever the brief, corrected by what is believed of the factory. "
        "The controls that imagine none learn from the same past programmes and make the same real tests. They want to build the best "
        "design tested for the nearest brief, or what a ridge regression says from the brief to the best design of each past programme, or "
        "to the mean of those that passed, corrected in the same way. The best design of a past programme is the one whose worst margin "
        "stood out most among all tests of its family; each was tested once. "
        f"From the eleventh on, past programmes tested designs near what {LEARNED} would have built, so the controls "
        "profit from its imagination there.",
    ]
    fast, real = (float(np.median([one[name] for one in speeds])) for name in ("imagined", "simulated"))
    out += [
        "",
        f"Scenarios per CPU-second on one core: {fast:,.0f} imagined (each by the whole ensemble), {real:,.0f} in the simulator "
        "(the mean of the six families, with the benchmark car). Shared, busy cores.",
        "",
    ]
    return "\n".join(out)


def draw(plan: StudyConfig, rows: Sequence[Row], path: Path) -> None:
    """Write the figure to `path` as SVG. Raises OSError."""
    import matplotlib
    from matplotlib.figure import Figure

    usual = plan.imagined[-2]
    with matplotlib.rc_context(plain_settings()):
        figure = Figure(figsize=(10.6, 4.4), layout="constrained", facecolor="white")
        left, middle, right = figure.subplots(1, 3, sharey=True)
        for budget in plan.tests:
            colour = COLOURS.get(budget, "#0b7a75")
            points = [(past, pick(rows, LEARNED, past=past, tests=budget, imagined=usual)) for past in plan.past]
            _line(left, points, colour, "-", f"{budget} tests, {usual:,} designs imagined")
        off = [(past, pick(rows, LEARNED, past=past, tests=plan.usual, imagined=1)) for past in plan.past]
        _line(left, off, COLOURS.get(plan.usual, "#0b7a75"), "--", f"{plan.usual} tests, the middle of the box")
        for name, colour in RECALL.items():
            own = [(past, pick(rows, name, past=past, tests=plan.usual)) for past in plan.past]
            _line(left, own, colour, "--", f"{plan.usual} tests, {name}")
        for name, colour in LINES.items():
            if found := interval(pick(rows, name)):
                for axes in (left, middle, right):
                    axes.axhline(found.point, color=colour, lw=1, ls=(0, (1, 1.5)))
                label = f"{name}: " + DESCRIPTIONS[name].replace(", ", ",\n")
                right.text(
                    1.03,
                    found.point,
                    label,
                    color=colour,
                    fontsize=7,
                    va="center",
                    transform=right.get_yaxis_transform(),
                )
        left.set_xlabel("past programmes")
        left.set_ylabel("share that passes in the worst family")
        for past, colour in zip(plan.curve, ("#7fb5b0", "#0b7a75"), strict=False):
            own = [(k, pick(rows, LEARNED, past=past, tests=plan.usual, imagined=k)) for k in plan.imagined]
            _line(middle, own, colour, "-", f"{past:,} past programmes")
            claims = [(k, interval(some, lambda row: row.claims)) for k, some in own if some]
            if claims:
                middle.plot(
                    [k for k, c in claims if c],
                    [c.point for _, c in claims if c],
                    color=colour,
                    lw=1,
                    ls=":",
                    label="what it expects",
                )
        middle.set_xlabel(f"designs imagined, {plan.usual} tests")
        for past in (plan.past[0], plan.past[len(plan.past) // 2], plan.past[-1]):
            own = [(b, pick(rows, LEARNED, past=past, tests=b, imagined=usual)) for b in plan.tests]
            colour = dict(zip((plan.past[0], plan.past[len(plan.past) // 2]), ("#c3dcd9", "#7fb5b0"), strict=True)).get(
                past, "#0b7a75"
            )
            _line(right, own, colour, "-", f"imagines, {past:,} past programmes")
        for name, colour in SEARCH.items():
            _line(right, [(made(b), pick(rows, name, tests=b)) for b in plan.tests], colour, "--", name)
        right.set_xlabel("real tests in a programme")
        for axes in (left, middle, right):
            if axes.lines:
                axes.set_xscale("log")
            axes.set_ylim(-0.02, 1.04)
            axes.xaxis.set_major_formatter(lambda value, _: charts.short(value))
            axes.xaxis.set_minor_formatter(lambda value, _: "")
        right.set_xticks(plan.tests, [str(b) for b in plan.tests])
        for axes in (left, middle, right):
            if axes.lines:
                axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), fontsize=7, frameon=False, labelcolor=INK)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, format="svg", metadata={"Date": None})


def _line(axes: Any, points: Sequence[tuple[float, Sequence[Row]]], colour: str, dash: str, label: str) -> None:
    """Plot the means of rows against x, with their intervals as a band."""
    found = [(x, one) for x, some in points if (one := interval(some))]
    if not found:
        return
    x = [at for at, _ in found]
    axes.plot(x, [one.point for _, one in found], color=colour, lw=1.8, ls=dash, marker="o", ms=3, label=label)
    axes.fill_between(x, [one.low for _, one in found], [one.high for _, one in found], color=colour, alpha=0.1, lw=0)
