"""The contents of a room, read once from a world record and used by all drawing code.

`scene_of` reads the record of any task whose view is a `Look`, which defines drawings, queries and phases.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from unseen.envs.core.task import Task
from unseen.envs.planar import palette
from unseen.envs.planar.free import ASKED, FREE, HIDDEN
from unseen.envs.planar.task import Look, PlanarParams
from unseen.envs.planar.world import AGENT_RADIUS, DARK, DAY, DUSK, NIGHT, REVEAL
from unseen.envs.watch.fog import free_line, visible_polygon
from unseen.envs.watch.theme import RGB

Painted = tuple[tuple[Callable[[Any], None], float], ...]  # functions of a Brush, and opacities
LIGHTS = {DARK: "blackout", NIGHT: "night", DUSK: "dusk", DAY: "day", REVEAL: "reveal"}
LETTERED = ("block", "ball", "dog")  # kinds that are asked for by their colour
LOST = "lost"  # as dark as a blackout, but in a phase in which the agent acts: it does not even sense where it is


@dataclass(frozen=True)
class Box:
    """A box on the floor: centre and half extents in metres, direction of its first axis.

    Attributes:
        kind: its name in `Look`.
        seen: the agent sees it now; `identified`: and can see its kind.
        touched: the agent touches it, according to `contact`.
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
    identified: bool = True
    touched: bool = False


@dataclass(frozen=True)
class Disc:
    """A disc: centre and radius in metres.

    Attributes:
        name, rgb: name and value of its colour.
        seen: the agent sees it now; `identified`: and can see its colour.
        touched: the agent touches it.
        kind: its name in `Look`.
        covered: something covers it.
        facing: its heading, rad.
        letter: the initial of its colour, if colours tell things of its kind apart; not everybody tells them by hue.
        index: its index in the record.
    """

    x: float
    y: float
    radius: float
    name: str
    rgb: RGB
    seen: bool
    touched: bool = False
    kind: str = "block"
    identified: bool = True
    covered: bool = False
    facing: float = 0.0
    letter: str = ""
    index: int = 0


@dataclass(frozen=True)
class Query:
    """An object that can be queried and touched: its name, and the colour or kind of its icon."""

    name: str
    rgb: RGB | None
    kind: str
    is_disc: bool


@dataclass(frozen=True)
class Scene:
    """The state of a room for the human, including what is hidden from the agent.

    Attributes:
        half: half extents of the room, m; it is centred on (0, 0).
        agent: x, y (m) and heading (rad, 0 = +x, counter-clockwise).
        fov: full angle, rad.
        light: one of LIGHTS' values, or LOST.
        glass: boxes and covers hide nothing.
        own_slots: discs are identified by their own slots, not by colour.
        colour_range: m within which colours are visible; 0: from anywhere.
        query: the current query, if any; `contact`: what the agent touches.
        free: nothing is asked for.
        phase: name of the current phase; `timeline`: name and maximum number of steps of each.
        bump: whether a bump was heard in this step.
        signals: names and values of the task-specific values, and of those that count something the number for which
            the value is 1, else 0.
        visible: polygon (m, 2) of the floor that the agent could see by day, m.
        under, over: how to paint the task's own things that lie under boxes and discs, and over them, and how opaque.
    """

    half: tuple[float, float]
    agent: tuple[float, float, float]
    fov: float
    light: str
    glass: bool
    look: Look
    boxes: tuple[Box, ...] = ()
    discs: tuple[Disc, ...] = ()
    own_slots: bool = False
    colour_range: float = 0.0
    query: Query | None = None
    free: bool = False
    contact: Query | None = None
    phase: str = "act"
    timeline: tuple[tuple[str, int], ...] = ()
    step: int = 0
    done: bool = False
    bump: bool = False
    reward: float = 0.0
    caption: str = ""
    title: str = ""
    signals: tuple[tuple[str, float, int], ...] = ()
    visible: np.ndarray = field(default_factory=lambda: np.zeros((0, 2)), compare=False)
    under: Painted = field(default=(), compare=False)
    over: Painted = field(default=(), compare=False)

    @property
    def dark(self) -> bool:
        """Nothing is visible, except what is touched at night."""
        return self.light in ("blackout", "night", LOST)

    @property
    def out_of_time(self) -> bool:
        """Whether the maximum number of steps has been reached."""
        return self.step >= sum(steps for _, steps in self.timeline)


def scene_of(record: np.void, params: PlanarParams, task: type[Task], reward: float = 0.0) -> Scene:
    """Read a Scene from the `record` of one environment of a task whose view is a Look."""
    look = task.view
    assert isinstance(look, Look)
    light = LIGHTS[int(record["light"])]
    agent = (float(record["agent_x"]), float(record["agent_y"]), float(record["heading"]))
    fov, half = float(record["fov"]), (float(record["room_hx"]), float(record["room_hy"]))
    phase, done = look.phase(record), bool(record["done"])
    if light == "blackout" and phase.can_act:
        light = LOST
    colours = params.sizes.colours
    scene = Scene(
        half=half, agent=agent, fov=fov, light=light, glass=bool(record["glass"]), look=look,
        own_slots=params.order == "index", colour_range=float(record["colour_range"]),
        query=_query(_shown_query(record, params), look, colours), contact=_query(int(record["contact"]), look, colours),
        phase=phase.name, timeline=_timeline(record, params, look), step=int(record["t"]), done=done,
        bump=bool(record["bump"]), reward=float(reward),
        caption=look.caption(record, params), title=task.__name__, free=params.free != FREE[ASKED],
        signals=_signals(record, params, look),
        under=_props(record, params, look, over=False), over=_props(record, params, look, over=True),
    )  # fmt: skip
    boxes = tuple(box for box in _boxes(record, scene) if _in_room(scene, box.x, box.y))
    hides = () if scene.glass else boxes
    scene = replace(scene, boxes=boxes, visible=visible_polygon(agent[:2], agent[2], fov, half, hides))
    discs = (_disc(record, i, scene, colours) for i in range(int(record["n_discs"])))
    return replace(scene, discs=tuple(disc for disc in discs if _in_room(scene, disc.x, disc.y)))


def _in_room(scene: Scene, x: float, y: float) -> bool:
    """Whether (x, y) is in the room; objects far outside are not part of the world."""
    return abs(x) < 2 * scene.half[0] and abs(y) < 2 * scene.half[1]


def _props(record: np.void, params: PlanarParams, look: Look, over: bool) -> Painted:
    return tuple(
        (lambda brush, paint=prop.paint: paint(brush, record, params), float(prop.opacity(record, params)))
        for prop in look.props if prop.over == over
    )  # fmt: skip


def _signals(record: np.void, params: PlanarParams, look: Look) -> tuple[tuple[str, float, int], ...]:
    """Name, value and count of each signal that the agent gets."""
    names = look.signals[: params.sizes.signals]
    counts = [int(look.counts[name](params)) if name in look.counts else 0 for name in names]
    return tuple(
        (name, float(record["signal"][i]), count) for i, (name, count) in enumerate(zip(names, counts, strict=True))
    )


def _timeline(record: np.void, params: PlanarParams, look: Look) -> tuple[tuple[str, int], ...]:
    """Name and maximum number of steps of each phase; the last one has at least one cell."""
    parts = [(phase.name, int(phase.steps(record, params))) for phase in look.phases]
    name, steps = parts[-1]
    return (*parts[:-1], (name, max(steps, 1)))


def _shown_query(record: np.void, params: PlanarParams) -> int:
    """Index of what the agent knows to be asked for; -1 if nothing is."""
    return -1 if params.free == FREE[HIDDEN] else int(record["query"])


def _query(index: int, look: Look, colours: int) -> Query | None:
    """The Query of an index; see `Look.queries`."""
    if index < 0:
        return None
    known = [name for name, _ in palette.SMALL]
    colours = min(colours, len(known))
    name = look.queries[index] if index < len(look.queries) else ""
    words = name.split()
    if kind := next((kind for kind in look.boxes if kind in words), ""):
        return Query(name, None, kind, is_disc=False)
    colour = next((k for k, word in enumerate(known) if word in words), index)
    if colour < colours or (colour != index and colour < len(known)):
        return Query(name or known[colour], palette.SMALL[colour][1], _nth(look.discs, colour), is_disc=True)
    kind = _nth(look.boxes, index - colours)
    return Query(name or kind, None, kind, is_disc=False)


def _nth(names: tuple[str, ...], index: int) -> str:
    """The name at an index; the last one also for all further indices."""
    return names[min(max(index, 0), len(names) - 1)]


def _boxes(s: np.void, scene: Scene) -> tuple[Box, ...]:
    identified = not (bool(s["kinds_hidden"]) and scene.light == "dusk")
    boxes = []
    for i in range(int(s["n_boxes"])):
        x, y, cos, sin, hx, hy = (
            float(s[name][i]) for name in ("box_x", "box_y", "box_cos", "box_sin", "box_hx", "box_hy")
        )
        kind = int(s["box_kind"][i])
        seen = scene.light == "reveal" or (not scene.dark and _in_view(scene, x, y))
        rgb = palette.TALL[kind % len(palette.TALL)]
        boxes.append(Box(x, y, cos, sin, hx, hy, rgb, _nth(scene.look.boxes, kind), seen, identified))
    if scene.contact is not None and not scene.contact.is_disc:  # the nearest box of the touched kind
        of_kind = [k for k, box in enumerate(boxes) if box.kind == scene.contact.kind]
        near = min(of_kind, key=lambda k: distance_to(boxes[k], scene.agent[:2]), default=-1)
        if near >= 0:
            boxes[near] = replace(boxes[near], touched=True, identified=True)
    return tuple(boxes)


def distance_to(box: Box, point: tuple[float, float]) -> float:
    """Metres from a point to the nearest point of a box."""
    x, y = point[0] - box.x, point[1] - box.y
    return math.hypot(
        max(abs(x * box.cos + y * box.sin) - box.hx, 0.0), max(abs(y * box.cos - x * box.sin) - box.hy, 0.0)
    )


def _disc(s: np.void, i: int, scene: Scene, colours: int) -> Disc:
    x, y, radius, vx, vy = (float(s[name][i]) for name in ("disc_x", "disc_y", "disc_radius", "disc_vx", "disc_vy"))
    colour = int(s["disc_colour"][i]) % len(palette.SMALL)
    name, rgb = palette.SMALL[colour]
    touched, covered = int(s["touched"]) == i, bool(s["disc_cover"][i])
    ax, ay, _ = scene.agent
    near = scene.colour_range == 0 or math.hypot(x - ax, y - ay) <= scene.colour_range
    identified = near or touched or scene.light == "reveal"
    facing = math.atan2(vy, vx) if math.hypot(vx, vy) > 0.02 else math.atan2(ay - y, ax - x)  # at rest: at the agent
    seen = touched or ((scene.glass or not covered) and _seen(scene, x, y, radius))
    if scene.light in ("reveal", "blackout", LOST):
        seen = scene.light == "reveal"
    kind = _nth(scene.look.discs, colour)
    alike = [_nth(scene.look.discs, k) for k in range(colours)].count(kind) > 1
    letter = name[0].upper() if alike and kind in LETTERED else ""
    return Disc(x, y, radius, name, rgb, seen, touched, kind, identified, covered, facing, letter, i)


def _in_view(scene: Scene, x: float, y: float) -> bool:
    """`unseen.envs.planar.sight.in_view` in plain Python, so that drawing does not wait for compilation."""
    ax, ay, heading = scene.agent
    off = (math.atan2(y - ay, x - ax) - heading + math.pi) % (2 * math.pi) - math.pi
    return scene.fov >= 2 * math.pi - 1e-9 or abs(off) <= scene.fov / 2


def _seen(scene: Scene, x: float, y: float, radius: float) -> bool:
    """`unseen.envs.planar.sight.sees` in plain Python, for an uncovered disc that is not touched."""
    if scene.light != "day" or not _in_view(scene, x, y):
        return False
    ax, ay, _ = scene.agent
    to = math.atan2(y - ay, x - ax)
    px, py = -math.sin(to) * radius, math.cos(to) * radius  # to the silhouette: a partly visible disc is seen
    boxes = () if scene.glass else scene.boxes
    return any(free_line((ax, ay), (x + e * px, y + e * py), boxes) for e in (0, 1, -1))


def between(before: np.void, after: np.void, part: float) -> np.void:
    """A record interpolated between `before` and `after` (`part` in [0, 1]), for smooth animation.

    Only poses are interpolated, and not over jumps (a reset, or the new pose after a blackout).
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
