"""How ProvingGroundDrive is drawn: the street from above. People out of sight are drawn only in views that show hidden things."""

import math
from typing import Any

import numpy as np

from unseen.envs.industry.proving_ground_drive.rules import (
    ARRIVED,
    DIVERGED,
    ENOUGH,
    HIT,
    LATE,
    LEFT,
    SPUN,
    STREET,
    TOP,
)
from unseen.envs.industry.proving_ground_drive.street import (
    AWAY,
    BROAD,
    DEEP,
    EYE,
    GAP,
    GONE,
    HALF,
    NOBODY,
    NOSE,
    SIDE,
    TAIL,
)
from unseen.envs.industry.views.street import Pedestrian, Scene, Street

ENDS = {
    ARRIVED: "The end of the street.",
    LATE: "The time is up.",
    HIT: "Somebody was hit.",
    LEFT: "The car has left its lane.",
    SPUN: "The car has spun.",
    DIVERGED: "The state has diverged.",
}


def finite(value: float, most: float) -> float:
    """A number that can be drawn: clipped to -most..most, and 0 if it is not finite."""
    return min(max(float(value), -most), most) if math.isfinite(value) else 0.0


def person(w: np.void) -> Pedestrian:
    last = float(w["last_y"]) if w["since"] >= 0 else None
    return Pedestrian(float(w["end"]) + GAP, float(w["y"]), bool(w["seen"]), last, bool(w["last_empty"]))


def scene(s: np.void, params: Any) -> Scene:
    raw = s["car"]["x"]
    x, y, yaw, speed = (finite(raw[i], 1e4) for i in (0, 1, 4, 3))
    vans = s["van"][: int(s["vans"])]
    outside = [w for w in vans if w["who"] != NOBODY and w["does"] not in (AWAY, GONE)]
    struck = s["van"][int(s["hit"])] if s["done"] and s["ended_by"] == HIT else None
    hit = None if struck is None else (float(struck["end"]) + GAP, float(struck["y"]))
    if s["done"] and s["ended_by"] in (LEFT, SPUN):
        hit = (x + NOSE, y)
    return Scene(
        length=STREET,
        half=HALF,
        car=(x, y, yaw),
        outline=(NOSE, TAIL, BROAD),
        eye=(x + EYE * math.cos(yaw), y + EYE * math.sin(yaw)),
        vans=tuple((float(w["end"]) - params.length, float(w["end"]), SIDE - DEEP, SIDE) for w in vans),
        glass=params.glass,
        people=tuple(person(w) for w in outside),
        speed=speed,
        top=TOP,
        accel=finite(s["accel"], 30.0),
        lateral=finite(raw[5] * raw[3], 30.0),
        pedal=float(s["pedal"]),
        grip=(float(s["grip"]), bool(params.sensor)),
        hit=hit,
    )


def caption(s: np.void, params: Any) -> str:
    """One sentence about who is in sight, or how the drive ended."""
    if s["done"]:
        return ENDS[int(s["ended_by"])]
    vans = s["van"][: int(s["vans"])]
    seen = int(((vans["seen"] == 1) & (vans["passed"] == 0)).sum())
    gone = int(((vans["seen"] == 0) & (vans["since"] >= 0) & (vans["passed"] == 0)).sum())
    speed = f"{3.6 * finite(s['car']['x'][3], 1e3):.0f} km/h"
    return f"{speed}. In sight: {seen}. Gone behind vans ahead: {gone}."


def succeeded(s: np.void, params: Any) -> bool:
    return bool(s["ended_by"] <= LATE and s["car"]["x"][0] + NOSE >= ENOUGH * STREET)


LOOK = Street(
    scene=scene,
    request="to the end of the street, and nobody is hit",
    caption=caption,
    succeeded=succeeded,
    outcome={True: "safely driven", False: "not well driven", None: "end of the episode"},
)
