"""How Crane is drawn: from the side, over its instruments. What the agent cannot sense is drawn only in views that show hidden things."""

import math
from typing import Any

import numpy as np

from unseen.envs.core.view import Gauge
from unseen.envs.industry.crane.rules import (
    ANGLE,
    BEYOND,
    BUFFER,
    DELIVERED,
    FAILED,
    GOOD,
    LEFT,
    LOST,
    PUSH,
    SECONDS,
    SEEN,
    SERVICE,
    STILL,
    WINDING,
)
from unseen.envs.industry.kit.pendulum import GRAVITY
from unseen.envs.industry.views.hoist import Hoist, Ride


def angle(s: np.void, params: Any) -> float:
    """The angle that the agent sees, mrad; the true one while the load is not seen."""
    return 1000.0 * (s["seen_angle"] if s["since"] == 0 else s["angle"])


def unseen(s: np.void, params: Any) -> bool:
    return bool(s["since"] > 0)


def seen(obs: np.ndarray) -> np.ndarray:
    """The angles in observations (..., d), mrad; NaN where the load is not seen."""
    return np.where(obs[..., SEEN] > 0.5, 1000.0 * obs[..., ANGLE], np.nan)


def ride(s: np.void, params: Any) -> Ride:
    """The scene to draw."""
    return Ride(
        trolley=float(s["x"]),
        target=float(s["target"]),
        buffers=(-BEYOND, float(s["target"]) + BEYOND),
        depth=float(s["depth"]),
        hoist=float(s["hoist"]),
        seen=float(s["seen_angle"]),
        reach=math.hypot(s["seen_angle"], s["seen_rate"] * math.sqrt(max(s["hoist"], 0.0) / GRAVITY)),
        age=float(s["since"] * SECONDS),
        angle=float(s["angle"]),
        deepest=float(params.rope[1]),
        service=float(s["service"] / SERVICE),
        wear=float(s["wear"]),
        logged=float(s["logged"]),
        gauged=bool(params.gauges),
    )


def caption(s: np.void, params: Any) -> str:
    """One sentence about the load or the crane."""
    if s["done"]:
        return {
            DELIVERED: f"Set down after {s['t'] * SECONDS:.0f} s. Quality {s['quality']:.2f}.",
            LEFT: "Still on the hook after a minute.",
            FAILED: "The crane is worn out.",
            BUFFER: "The trolley hit the buffer.",
            LOST: "The load tore loose.",
        }.get(int(s["ended_by"]), "The state has diverged.")
    if s["service"] > 0:
        return f"Maintenance for another {math.ceil(s['service'] * SECONDS)} s."
    way, lower = s["target"] - s["x"], s["depth"] - s["hoist"]
    up = "" if abs(lower) < 0.1 else f", {abs(lower):.1f} m {'down' if lower > 0 else 'up'}"
    return f"{abs(way):.1f} m to go{up}. By the log the crane was worn to {100 * s['logged']:.0f} %."


LOOK = Hoist(
    request="set the load down at the target, hanging still",
    gauges=(
        Gauge(
            "swing", angle, -400.0, 400.0, "mrad", hidden=unseen, sensed=seen,
            target=lambda s, params: (-1000 * STILL, 1000 * STILL),
        ),
    ),
    controls=(
        Gauge("trolley", lambda s, params: s["push"], -PUSH, PUSH, "m/s²"),
        Gauge("hoist, down", lambda s, params: s["winding"], -WINDING, WINDING, "m/s"),
    ),
    caption=caption,
    succeeded=lambda s, params: bool(s["ended_by"] == DELIVERED and s["quality"] >= GOOD),
    outcome={True: "set down well", False: "not delivered well", None: "end of the episode"},
    time=("s", SECONDS),
    ride=ride,
)  # fmt: skip
