"""How Factory is drawn: the tunnel from above. Parts inside are drawn only in views that show hidden things."""

from typing import Any

import numpy as np

from unseen.envs.core.device import host
from unseen.envs.industry.factory.rules import CRACKED, ENOUGH, JAMMED, MACHINES, coming, left
from unseen.envs.industry.factory.tunnel import INSIDE, LANES, has_room, kind_of_first
from unseen.envs.industry.views.conveyor import Conveyor, Lane, Plant

NAMES = ("machine 1", "machine 2", "machine 3", "the bin")


def lane(s: np.void, params: Any, k: int) -> Lane:
    q = s["tunnel"]
    inside = [(int(q["first"][k]) + i) % INSIDE for i in range(int(q["count"][k]))]
    stopped = int(s["stopped"][k])
    return Lane(
        length=int(q["length"][k]),
        parts=tuple((int(q["kind"][k, at]), int(q["entered"][k, at] + q["length"][k] - q["run"][k])) for at in inside),
        free=bool(host(has_room)(q, k, params.gap)),
        state="jammed" if stopped == JAMMED else "restarting" if stopped else "runs",
        lamp=params.lamps,
    )


def glass(s: np.void, params: Any) -> tuple[int, int, int] | None:
    at = host(coming)(s) if params.glass else -1
    return (at, int(host(kind_of_first)(s["tunnel"], at)), max(int(host(left)(s, at)), 0)) if at >= 0 else None


def plant(s: np.void, params: Any) -> Plant:
    return Plant(
        waiting=tuple(int(kind) for kind in s["slot"][: int(s["waiting"])]),
        slots=params.slots,
        lanes=tuple(lane(s, params, k) for k in range(LANES)),
        out=int(s["last_out"]) if s["out"] else None,
        gate=int(s["gate"]),
        busy=tuple(bool(s["free_at"][machine] > s["t"]) for machine in range(MACHINES)),
        glass=glass(s, params),
        counts=(("right", int(s["right"])), ("wrong", int(s["wrong"])), ("fallen", int(s["fallen"]))),
    )


def caption(s: np.void, params: Any) -> str:
    """One sentence about the shift."""
    if s["done"]:
        return f"{s['right']} of {s['good']} good parts in their machines."
    if s["out"]:
        return f"A part comes out. The gate leads to {NAMES[s['gate']]}."
    if params.lamps and (s["stopped"] == JAMMED).any():
        return "A lane is jammed."
    if s["waiting"] == 0:
        return "Nothing waits at the entry."
    kind = int(s["slot"][0])
    return "The camera sees a cracked part." if kind == CRACKED else f"The camera sees a part for {NAMES[kind]}."


LOOK = Conveyor(
    plant=plant,
    request="each part to its machine",
    caption=caption,
    succeeded=lambda s, params: bool(s["right"] >= ENOUGH * s["good"]),
    outcome={True: "well sorted", False: "badly sorted", None: "end of the episode"},
)
