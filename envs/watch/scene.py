"""What there is to draw, in plain Python: read once from a world record, drawn by everything.

`scene_of` works for every task with a planar world. How things look and what is asked is told by the task's `Look`;
what a task does not have (phases, a question, signals) is left out, so a new environment is watchable by being
registered.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from unseen.envs.core.task import Look
from unseen.envs.planar import palette
from unseen.envs.planar.layout import ORDERS
from unseen.envs.planar.world import ACT, AGENT_RADIUS, DARK, DAY, DUSK, NIGHT, REVEAL
from unseen.envs.watch.fog import free_line, visible_polygon

__all__ = ["Ask", "Box", "Disc", "Scene", "between", "look_of", "scene_of"]

RGB = tuple[int, int, int]
LIGHTS = {DARK: "blackout", NIGHT: "night", DUSK: "dusk", DAY: "day", REVEAL: "reveal"}


@dataclass(frozen=True)
class Box:
    """A tall thing on the floor: centre and half extents in metres, direction of its first axis.

    `kind` is the name of its look. `seen`: the agent sees it now; `told`: it can also tell what it is.
    """

    x: float
    y: float
    cos: float
    sin: float
    hx: float
    hy: float
    rgb: RGB
    kind: str = "block"
    seen: bool = True
    told: bool = True
    held: bool = False


@dataclass(frozen=True)
class Disc:
    """A small thing: centre and radius in metres, where it looks (rad).

    `kind` is the name of its look. `seen`: the agent sees now where it is; `told`: and also which colour it has.
    """

    x: float
    y: float
    radius: float
    name: str
    rgb: RGB
    seen: bool
    touched: bool = False
    kind: str = "block"
    told: bool = True
    covered: bool = False
    facing: float = 0.0
    index: int = 0  # in the record


@dataclass(frozen=True)
class Ask:
    """What can be asked for: its name, and its colour or the look of its picture."""

    name: str
    rgb: RGB | None
    kind: str
    small: bool


@dataclass(frozen=True)
class Scene:
    """One moment of a room, as a human is told about it (so with what is hidden from the agent)."""

    half: tuple[float, float]  # half extents of the room, m; it is centred on (0, 0)
    agent: tuple[float, float, float]  # x, y (m), heading (rad, 0 = +x, counter-clockwise)
    fov: float  # full angle, rad
    talls: tuple[Box, ...]
    smalls: tuple[Disc, ...]
    light: str  # "blackout" | "night" | "dusk" | "day" | "reveal"
    glass: bool  # tall things and covers hide nothing
    look: Look = field(default_factory=Look)
    agent_radius: float = AGENT_RADIUS
    own_slots: bool = False  # the agent tells small things apart by their own slots, not by colour
    near: float = 0.0  # m within which colours can be told; 0: from anywhere
    asked: Ask | None = None
    held: Ask | None = None  # what the agent is told that it touches
    phase: str = "act"
    phases: tuple[str, ...] = ("act",)
    free: bool = True  # the agent has a say now
    step: int = 0
    over: bool = False
    heard: bool = False
    reward: float = 0.0
    caption: str = ""
    title: str = ""
    signals: tuple[tuple[str, float], ...] = ()
    timeline: tuple[tuple[str, int], ...] = ()  # how many steps each phase lasts at most, where that is known
    visible: np.ndarray = field(default_factory=lambda: np.zeros((0, 2)), compare=False)  # polygon, m

    @property
    def dark(self) -> bool:
        """Nothing shows at all, but for what is touched at night."""
        return self.light in ("blackout", "night")

    @property
    def late(self) -> bool:
        """All the steps there are have been taken."""
        return bool(self.timeline) and self.step >= sum(steps for _, steps in self.timeline)


def look_of(task: Any) -> Look:
    """The task's `Look`, or the plain one."""
    return getattr(task, "look", None) or Look()


def scene_of(record: np.void, params: Any = None, task: Any = None, reward: float = 0.0) -> Scene:
    """Read a Scene from the world `record` of one environment; without `task` everything is a block.

    `params` (the task's parameters) tells the number of colours and of steps, where it is given.
    """
    look = look_of(task)
    light = LIGHTS[int(record["light"])]
    glass = bool(record["glass"])
    agent = (float(record["agent_x"]), float(record["agent_y"]), float(record["heading"]))
    fov, half = float(record["fov"]), (float(record["room_hx"]), float(record["room_hy"]))
    staged = len(look.phases) == 3 and (look.phases == Look().phases or "blackout" in getattr(task, "knobs", ()))
    phases = tuple(look.phases) or ("act",)
    phase = phases[min(max(int(record["phase"]), 0), len(phases) - 1)]
    over = bool(record["done"])
    lit = phase == phases[-1] and light == "day" and "lit" in look.captions
    told = "over" if over else "lit" if lit else phase
    scene = Scene(
        half=half, agent=agent, fov=fov, talls=(), smalls=(), light=light, glass=glass, look=look,
        own_slots=bool(_told(params, "order") == ORDERS.index("index")), near=float(record["colour_range"]),
        asked=_ask(int(record["query"]), look, params), held=_ask(int(record["contact"]), look, params),
        phase=phase, phases=phases, free=not staged or int(record["phase"]) >= ACT, step=int(record["t"]), over=over,
        heard=bool(record["bump"]), reward=float(reward), caption=look.captions.get(told, ""),
        title="" if task is None else (task if isinstance(task, type) else type(task)).__name__,
        signals=tuple((name, float(value)) for name, value in zip(look.signals, record["signal"], strict=False)),
        timeline=_timeline(record, params, task, staged, phases),
    )  # fmt: skip
    talls = tuple(box for box in _boxes(record, scene) if _in_room(scene, box.x, box.y))
    scene = replace(scene, talls=talls, visible=visible_polygon(agent[:2], agent[2], fov, half, () if glass else talls))
    smalls = (_disc(record, i, scene) for i in range(int(record["n_discs"])))
    return replace(scene, smalls=tuple(disc for disc in smalls if _in_room(scene, disc.x, disc.y)))


def _in_room(scene: Scene, x: float, y: float) -> bool:
    """Things are put out of the world by putting them far away."""
    return abs(x) < 2 * scene.half[0] and abs(y) < 2 * scene.half[1]


def _told(params: Any, name: str) -> Any:
    """A parameter of the task; None where there is none."""
    return params[name] if params is not None and name in (params.dtype.names or ()) else None


def _timeline(
    record: np.void, params: Any, task: Any, staged: bool, phases: tuple[str, ...]
) -> tuple[tuple[str, int], ...]:
    """How many steps each phase lasts at most: the last one as long as the task's horizon lets it."""
    parts = [int(record["observe_steps"]), int(record["blackout_steps"])] if staged else []
    if len(parts) + 1 != len(phases):
        return ()
    act = _told(params, "act")
    try:
        rest = int(act) if act is not None else int(task.horizon(_values(task, params))) - sum(parts)
    except (AttributeError, NotImplementedError):  # no task, or one that does not say
        return ()
    return tuple(zip(phases, [*parts, max(rest, 1)], strict=True))


def _values(task: Any, params: Any) -> dict[str, Any]:
    """The knobs' values, read back from the parameters."""
    values: dict[str, Any] = {}
    for name, knob in task.knobs.items():
        if knob.pair:
            values[name] = (int(params[f"{name}_low"]), int(params[f"{name}_high"]))
        else:
            values[name] = knob.choices[int(params[name])] if knob.choices else type(knob.default)(params[name])
    return values


def _ask(index: int, look: Look, params: Any) -> Ask | None:
    """The askable thing of an index: by the task's own name for it, else colours first and then tall kinds."""
    if index < 0:
        return None
    known = [name for name, _ in palette.SMALL]
    told = _told(params, "colours")
    colours = len(known) if told is None else min(int(told), len(known))
    name = look.asks[index] if index < len(look.asks) else ""
    words = name.split()
    if kind := next((kind for kind in look.tall if kind in words), ""):
        return Ask(name, None, kind, small=False)
    colour = next((k for k, word in enumerate(known) if word in words), index)
    if colour < colours or (colour != index and colour < len(known)):
        return Ask(name or known[colour], palette.SMALL[colour][1], _nth(look.small, colour), small=True)
    kind = _nth(look.tall, index - colours)
    return Ask(name or kind, None, kind, small=False)


def _nth(names: tuple[str, ...], index: int) -> str:
    """The name of an index; the last one stands for all further ones."""
    return names[min(max(index, 0), len(names) - 1)]


def _boxes(s: np.void, scene: Scene) -> tuple[Box, ...]:
    plain = bool(s["kinds_hidden"]) and scene.light == "dusk"
    boxes = []
    for i in range(int(s["n_boxes"])):
        x, y, cos, sin, hx, hy = (
            float(s[name][i]) for name in ("box_x", "box_y", "box_cos", "box_sin", "box_hx", "box_hy")
        )
        tk = int(s["box_kind"][i])
        rgb = _rgb(palette.TALL[tk % len(palette.TALL)])
        seen = scene.light == "reveal" or (not scene.dark and _in_view(scene, x, y))
        boxes.append(Box(x, y, cos, sin, hx, hy, rgb, _nth(scene.look.tall, tk), seen, not plain))
    if scene.held is not None and not scene.held.small:  # of the kind it is told that it touches, the nearest
        of_kind = [k for k, box in enumerate(boxes) if box.kind == scene.held.kind]
        near = min(of_kind, key=lambda k: _gap(boxes[k], scene.agent), default=-1)
        if near >= 0:
            boxes[near] = replace(boxes[near], held=True, told=True)
    return tuple(boxes)


def _gap(box: Box, agent: tuple[float, float, float]) -> float:
    """Metres from the agent's middle to the box."""
    x, y = agent[0] - box.x, agent[1] - box.y
    return math.hypot(
        max(abs(x * box.cos + y * box.sin) - box.hx, 0.0), max(abs(y * box.cos - x * box.sin) - box.hy, 0.0)
    )


def _disc(s: np.void, i: int, scene: Scene) -> Disc:
    x, y, radius, vx, vy = (float(s[name][i]) for name in ("disc_x", "disc_y", "disc_radius", "disc_vx", "disc_vy"))
    colour = int(s["disc_colour"][i]) % len(palette.SMALL)
    name, rgb = palette.SMALL[colour]
    touched, covered = int(s["touched"]) == i, bool(s["disc_cover"][i])
    ax, ay, _ = scene.agent
    told = scene.near == 0 or scene.light == "reveal" or touched or math.hypot(x - ax, y - ay) <= scene.near
    facing = math.atan2(vy, vx) if math.hypot(vx, vy) > 0.02 else math.atan2(ay - y, ax - x)  # at rest: at the agent
    seen = touched or ((scene.glass or not covered) and _seen(scene, x, y, radius))
    if scene.light in ("reveal", "blackout"):
        seen = scene.light == "reveal"
    return Disc(x, y, radius, name, _rgb(rgb), seen, touched, _nth(scene.look.small, colour), told, covered, facing, i)


def _in_view(scene: Scene, x: float, y: float) -> bool:
    """`unseen.envs.planar.sight.in_view` once more in plain Python: a picture must not wait for a compiler."""
    ax, ay, heading = scene.agent
    off = (math.atan2(y - ay, x - ax) - heading + math.pi) % (2 * math.pi) - math.pi
    return scene.fov >= 2 * math.pi - 1e-9 or abs(off) <= scene.fov / 2


def _seen(scene: Scene, x: float, y: float, radius: float) -> bool:
    """`unseen.envs.planar.sight.sees`, likewise, for an uncovered thing that is not touched."""
    if scene.light != "day" or not _in_view(scene, x, y):
        return False
    ax, ay, _ = scene.agent
    to = math.atan2(y - ay, x - ax)
    px, py = -math.sin(to) * radius, math.cos(to) * radius  # to the silhouette: a block peeping out shows
    boxes = () if scene.glass else scene.talls
    return any(free_line((ax, ay), (x + e * px, y + e * py), boxes) for e in (0, 1, -1))


def _rgb(colour: Any) -> RGB:
    r, g, b = (int(v) for v in colour)
    return r, g, b


def between(before: np.void, after: np.void, part: float) -> np.void:
    """A record on the way from `before` to `after` (`part` in [0, 1]), to draw a step as a smooth movement.

    Poses are interpolated, the rest is `before`'s. Jumps (a reset, a scramble behind the blackout) are not.
    """
    mid = before.copy()
    if part <= 0 or int(after["t"]) != int(before["t"]) + 1 or int(after["light"]) == DARK:
        return mid
    if math.hypot(after["agent_x"] - before["agent_x"], after["agent_y"] - before["agent_y"]) < 2.5 * AGENT_RADIUS:
        mid["agent_x"] += part * (after["agent_x"] - before["agent_x"])
        mid["agent_y"] += part * (after["agent_y"] - before["agent_y"])
        turn = (float(after["heading"] - before["heading"]) + math.pi) % (2 * math.pi) - math.pi
        mid["heading"] += part * turn
    for name in ("disc_x", "disc_y", "box_x", "box_y"):
        step = after[name] - before[name]
        mid[name] += part * np.where(np.abs(step) < 1.0, step, 0.0)
    cos, sin = (before[name] + part * (after[name] - before[name]) for name in ("box_cos", "box_sin"))
    length = np.maximum(np.hypot(cos, sin), 1e-9)
    mid["box_cos"], mid["box_sin"] = cos / length, sin / length
    return mid
