"""What there is to draw, in plain Python: read once from a world record, drawn by everything.

`scene_of` works for every task with a planar world. What only some tasks have (an asked colour, phases) is read
where it is there and left out where it is not, so a new environment is watchable by being registered.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from unseen.envs.engine import palette
from unseen.envs.engine.world import AGENT_RADIUS, CURTAIN, DAY, DUSK, NIGHT, REVEAL
from unseen.envs.watch.fog import free_line, visible_polygon

__all__ = ["Box", "Disc", "Scene", "between", "scene_of"]

RGB = tuple[int, int, int]
LIGHTS = {CURTAIN: "curtain", NIGHT: "night", DUSK: "dusk", DAY: "day", REVEAL: "reveal"}
PHASES = ("watch", "curtain", "act")
CAPTIONS = {
    "watch": "Blocks roll out of sight, one after the other.",
    "curtain": "Nothing shows. The agent is carried elsewhere.",
    "act": "Dusk hides small blocks until one is touched.",
    "lit": "In full light: all that is in sight shows.",
    "over": "Lights on: now everything shows.",
}


@dataclass(frozen=True)
class Box:
    """A tall thing on the floor: centre and half extents in metres, direction of its first axis."""

    x: float
    y: float
    cos: float
    sin: float
    hx: float
    hy: float
    rgb: RGB


@dataclass(frozen=True)
class Disc:
    """A small thing: centre and radius in metres. `seen`: the agent sees now where it is and what it looks like."""

    x: float
    y: float
    radius: float
    name: str
    rgb: RGB
    seen: bool
    touched: bool = False


@dataclass(frozen=True)
class Scene:
    """One moment of a room, as a human is told about it (so with what is hidden from the agent)."""

    half: tuple[float, float]  # half extents of the room, m; it is centred on (0, 0)
    agent: tuple[float, float, float]  # x, y (m), heading (rad, 0 = +x, counter-clockwise)
    fov: float  # full angle, rad
    talls: tuple[Box, ...]
    smalls: tuple[Disc, ...]
    light: str  # "curtain" | "dusk" | "day" | "reveal"
    glass: bool  # tall things hide nothing
    agent_radius: float = AGENT_RADIUS
    asked: str | None = None  # name of the asked colour
    asked_rgb: RGB | None = None
    phase: str = "act"
    phases: tuple[str, ...] = ("act",)
    step: int = 0
    over: bool = False
    heard: bool = False
    reward: float = 0.0
    caption: str = ""
    title: str = ""
    timeline: tuple[tuple[str, int], ...] = ()  # how many steps each phase lasts at most, where that is known
    visible: np.ndarray = field(default_factory=lambda: np.zeros((0, 2)), compare=False)  # polygon, m

    @property
    def dark(self) -> bool:
        """Nothing shows at all."""
        return self.light == "curtain"


def scene_of(record: np.void, params: Any = None, task: Any = None, reward: float = 0.0) -> Scene:
    """Read a Scene from the world `record` of one environment.

    `params` is accepted for tasks whose pictures depend on it; `task` may offer `phases` (names, by the
    record's `phase`) and `captions` (sentence by phase name, "lit" for acting in full light, or "over"); its class
    name is the title.
    """
    names = record.dtype.names or ()
    get = lambda name, default: record[name] if name in names else default  # noqa: E731
    light = LIGHTS[int(record["light"])]
    glass = bool(record["glass"])
    talls = tuple(_box(record, i) for i in range(int(record["n_tall"])))
    agent = (float(record["ax"]), float(record["ay"]), float(record["ah"]))
    fov, half = float(record["fov"]), (float(record["wx"]), float(record["wy"]))
    phases = tuple(getattr(task, "phases", PHASES if "phase" in names else ("act",)))
    phase = phases[min(max(int(get("phase", 0)), 0), len(phases) - 1)]
    over = bool(record["over"])
    captions: Mapping[str, str] = getattr(task, "captions", CAPTIONS)
    told = "over" if over else "lit" if phase == "act" and light == "day" else phase
    ask = int(get("ask", -1))
    colour = palette.SMALL[ask] if 0 <= ask < len(palette.SMALL) else None
    scene = Scene(
        half=half, agent=agent, fov=fov, talls=talls, smalls=(), light=light, glass=glass,
        asked=colour[0] if colour else None, asked_rgb=_rgb(colour[1]) if colour else None,
        phase=phase, phases=phases, step=int(record["t"]), over=over, heard=bool(get("heard", 0)),
        reward=float(reward), caption=captions.get(told, ""),
        title="" if task is None else (task if isinstance(task, type) else type(task)).__name__,
        timeline=_timeline(record, params, phases),
        visible=visible_polygon(agent[:2], agent[2], fov, half, () if glass else talls),
    )  # fmt: skip
    smalls = tuple(_disc(record, i, scene) for i in range(int(record["n_small"])))
    return Scene(**{**scene.__dict__, "smalls": smalls})


def _timeline(record: np.void, params: Any, phases: tuple[str, ...]) -> tuple[tuple[str, int], ...]:
    """Lengths of the phases: fields of the record or of the parameters that are called like the phase."""
    parts = []
    for phase in phases:
        holder = next((h for h in (record, params) if h is not None and phase in (h.dtype.names or ())), None)
        if holder is None:
            return ()
        parts.append((phase, int(holder[phase])))
    return tuple(parts)


def _box(s: np.void, i: int) -> Box:
    x, y, cos, sin, hx, hy = (float(s[name][i]) for name in ("tx", "ty", "tc", "ts", "hx", "hy"))
    return Box(x, y, cos, sin, hx, hy, _rgb(palette.TALL[int(s["tk"][i]) % len(palette.TALL)]))


def _disc(s: np.void, i: int, scene: Scene) -> Disc:
    x, y, radius = (float(s[name][i]) for name in ("bx", "by", "br"))
    name, rgb = palette.SMALL[int(s["bk"][i]) % len(palette.SMALL)]
    touched = int(s["touched"]) == i
    return Disc(x, y, radius, name, _rgb(rgb), _seen(scene, x, y, radius, touched), touched)


def _seen(scene: Scene, x: float, y: float, radius: float, touched: bool) -> bool:
    """`unseen.envs.engine.sight.sees` once more in plain Python: a picture must not wait for a compiler."""
    if scene.light == "reveal":
        return True
    if scene.light == "curtain" or (scene.light == "dusk" and not touched):
        return False
    ax, ay, heading = scene.agent
    to = math.atan2(y - ay, x - ax)
    off = (to - heading + math.pi) % (2 * math.pi) - math.pi
    if touched:
        return True
    if scene.fov < 2 * math.pi - 1e-9 and abs(off) > scene.fov / 2:
        return False
    px, py = -math.sin(to) * radius, math.cos(to) * radius  # to the silhouette: a block peeping out shows
    boxes = () if scene.glass else scene.talls
    return any(free_line((ax, ay), (x + e * px, y + e * py), boxes) for e in (0, 1, -1))


def _rgb(colour: Any) -> RGB:
    r, g, b = (int(v) for v in (colour[1] if isinstance(colour[0], str) else colour))
    return r, g, b


def between(before: np.void, after: np.void, part: float) -> np.void:
    """A record on the way from `before` to `after` (`part` in [0, 1]), to draw a step as a smooth movement.

    Poses are interpolated, the rest is `before`'s. Jumps (a reset, a scramble behind the curtain) are not.
    """
    mid = before.copy()
    if part <= 0 or int(after["t"]) != int(before["t"]) + 1 or int(after["light"]) == CURTAIN:
        return mid
    if math.hypot(after["ax"] - before["ax"], after["ay"] - before["ay"]) < 2.5 * AGENT_RADIUS:
        mid["ax"] += part * (after["ax"] - before["ax"])
        mid["ay"] += part * (after["ay"] - before["ay"])
        turn = (float(after["ah"] - before["ah"]) + math.pi) % (2 * math.pi) - math.pi
        mid["ah"] += part * turn
    for name in ("bx", "by"):
        step = after[name] - before[name]
        mid[name] += part * np.where(np.abs(step) < 1.0, step, 0.0)
    return mid
