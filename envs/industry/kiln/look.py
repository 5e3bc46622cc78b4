"""How Kiln is drawn: the furnace in section, and its instruments. What the agent cannot sense is drawn only in views that show
hidden things."""

from typing import Any

import numpy as np

from unseen.envs.core.view import Gauge
from unseen.envs.industry.kiln.rules import (
    COOLEST,
    DISCHARGED,
    DIVERGED,
    ENOUGH,
    FURNACE,
    GOOD,
    HOTTEST,
    PROBE,
    PROBED,
    READING,
    SETPOINTS,
    SHOWN,
    SURFACE,
)
from unseen.envs.industry.views.section import Section


def core(s: np.void, params: Any) -> float:
    """The reading of the thermocouple, C; without one, the true temperature of the core."""
    temp = s["slab"]["temp"]
    return s["probe"] if params.probe else temp[0] - 0.125 * (temp[1] - temp[0])


def surface(s: np.void, params: Any) -> float:
    """The reading of the pyrometer, C; while the door is shut, the true temperature of the surface."""
    return s["reading"] if s["since"] == 0 else s["slab"]["surface"]


def shut(s: np.void, params: Any) -> bool:
    return bool(s["since"] > 0)


def unprobed(s: np.void, params: Any) -> bool:
    return not params.probe


def reading(obs: np.ndarray) -> np.ndarray:
    """The readings of the pyrometer in observations (..., d), C; NaN where the door is shut."""
    return np.where(obs[..., SHOWN] > 0.5, 1000.0 * obs[..., READING], np.nan)


def probed(obs: np.ndarray) -> np.ndarray:
    """The readings of the thermocouple in observations (..., d), C; NaN without one."""
    return np.where(obs[..., PROBED] > 0.5, 1000.0 * obs[..., PROBE], np.nan)


def caption(s: np.void, params: Any) -> str:
    """One sentence about the slab or the door."""
    if s["done"]:
        if s["ended_by"] == DISCHARGED:
            return f"Out after {s['t']} min. Growth {s['growth']:.1f}, quality {s['quality']:.2f}."
        return "The state has diverged." if s["ended_by"] == DIVERGED else "Still in the furnace after three hours."
    if s["calls"]:
        return "The extractor is on its way."
    slab = f"A slab of {2000 * s['nominal']:.0f} mm"
    if s["since"] == 0:
        return f"{slab}. The door is open."
    return f"{slab}. Door shut for {s['since']} min, last reading {s['reading']:.0f} C."


def profile(s: np.void, params: Any) -> np.ndarray:
    """Temperatures through half the slab, from the core outwards, C."""
    return np.append(s["slab"]["temp"], s["slab"]["surface"])


LOOK = Section(
    request=f"core at {ENOUGH:.0f} C for ten minutes, then out",
    gauges=(
        Gauge("surface", surface, 0.0, HOTTEST, "C", hidden=shut, target=lambda s, params: (ENOUGH, SURFACE), sensed=reading),
        Gauge("core", core, 0.0, HOTTEST, "C", hidden=unprobed, target=lambda s, params: (ENOUGH, SETPOINTS[4]), sensed=probed),
        Gauge("furnace", lambda s, params: s["furnace"], 0.0, HOTTEST, "C", sensed=lambda obs: 1000.0 * obs[..., FURNACE]),
    ),
    controls=(Gauge("set-point", lambda s, params: s["setpoint"], COOLEST, HOTTEST, "C"),),
    caption=caption,
    succeeded=lambda s, params: bool(s["ended_by"] == DISCHARGED and s["quality"] >= GOOD),
    outcome={True: "good steel", False: "poor steel", None: "end of the episode"},
    time=("min", 1.0),
    profile=profile,
    outer=surface,
    inner=core,
    shut=shut,
    unprobed=unprobed,
    around=lambda s, params: s["furnace"],
    half=lambda s, params: s["nominal"],
)  # fmt: skip
