"""How Dosing is drawn: a patient monitor. What the agent cannot sense is dashed, and drawn only in views that show hidden things."""

from typing import Any

import numpy as np

from unseen.envs.core.view import Gauge, Gauges
from unseen.envs.industry.dosing.rules import (
    ASLEEP,
    AWOKE,
    BIS,
    DEEPEST,
    FASTEST,
    GIVEN_UP,
    LIGHTEST,
    RATE,
    SHOWN,
)


def bis(s: np.void, params: Any) -> float:
    """The reading on the monitor; the true BIS while there is none."""
    return s["reading"] if s["since"] == 0 else s["bis"]


def blind(s: np.void, params: Any) -> bool:
    return bool(s["since"] > 0)


def shown(obs: np.ndarray) -> np.ndarray:
    """The readings in observations (..., d), NaN where the monitor shows none."""
    return np.where(obs[..., SHOWN] > 0.5, 100.0 * obs[..., BIS], np.nan)


def is_announced(s: np.void, params: Any) -> bool:
    return bool(s["t"] >= s["end"] - params.notice)


def clock(steps: int) -> str:
    """Steps of 10 s as minutes and seconds."""
    return f"{steps // 6}:{steps % 6}0"


def caption(s: np.void, params: Any) -> str:
    """One sentence about the monitor or the surgery."""
    if s["done"]:
        return {
            AWOKE: f"Awake {clock(s['t'] - s['end'])} after the end.",
            ASLEEP: "Still asleep ten minutes after the end.",
            GIVEN_UP: "Too deep for two minutes.",
        }.get(int(s["ended_by"]), "The state has diverged.")
    if s["t"] >= s["end"]:
        return f"Surgery is over. {clock(s['t'] - s['end'])} min to wake up so far."
    if is_announced(s, params):
        return f"Surgery ends in {clock(s['end'] - s['t'])} min."
    return (
        "The monitor shows."
        if s["since"] == 0
        else f"Blind for {clock(s['since'])} min, last reading {s['reading']:.0f}."
    )


LOOK = Gauges(
    request="asleep at BIS 40 to 60, then awake",
    gauges=(
        Gauge("BIS", bis, 0.0, 100.0, hidden=blind, target=lambda s, params: (DEEPEST, LIGHTEST), sensed=shown),
        Gauge("effect site", lambda s, params: s["drug"]["ce"], 0.0, 8.0, "ug/ml", hidden=lambda s, params: True),
        Gauge(
            "propofol", lambda s, params: s["rate"], 0.0, FASTEST, "mg/min", bars=True,
            sensed=lambda obs: FASTEST * obs[..., RATE],
        ),
    ),
    controls=(
        Gauge("pump", lambda s, params: s["rate"], 0.0, FASTEST, "mg/min"),
        Gauge("given", lambda s, params: s["total"] / s["weight"], 0.0, 20.0, "mg/kg"),
    ),
    caption=caption,
    succeeded=lambda s, params: bool(s["ended_by"] == AWOKE),
    outcome={True: "awake", False: "failure", None: "end of the episode"},
    appointment=lambda s, params: (int(s["end"]), "end") if is_announced(s, params) else None,
    time=("min", 1.0 / 6.0),
)  # fmt: skip
