"""Rendering of a drive along a street: the scene from above with what the driver cannot see, the whole street, speed and grip."""

import math

import numpy as np
import pygame

from unseen.envs.core.params import Params
from unseen.envs.core.task import Task
from unseen.envs.core.view import Belief, Imagined
from unseen.envs.industry.views.street import Pedestrian, Scene, Street
from unseen.envs.watch import theme
from unseen.envs.watch.page import Page
from unseen.envs.watch.painter import FRAME, Painter
from unseen.envs.watch.plain import CARD_WIDE, close_card, close_frame, draw_end, draw_step, open_card, open_frame
from unseen.envs.watch.theme import RGB, mix

FINE = 3  # supersampling factor, for antialiasing
ROADS: tuple[tuple[str, RGB, RGB], ...] = (  # by grip: name, colour, colour of its marks
    ("dry", (62, 65, 73), (74, 77, 86)),
    ("wet", (44, 58, 80), (76, 102, 138)),
    ("icy", (150, 162, 180), (206, 216, 228)),
)
PAVEMENT: RGB = (86, 84, 82)
PLAIN: RGB = (56, 59, 66)  # a road of unknown grip
CAR: RGB = (250, 194, 92)
BRAKES: RGB = (246, 92, 84)
VAN: RGB = (206, 212, 224)
HOUSES, DOORS = (70, 52, 48), (172, 122, 84)
WALL = 4.3  # m to the left of the middle
RETURNER, OTHER = (250, 142, 140), (126, 220, 214)  # people with empty hands; people who carry something
FOG = (16, 18, 24, 165)
BEHIND = 9.0  # m of street behind the car that the scene shows
ACROSS = 10.6  # m that the scene shows from side to side
BRAKING = -1.0  # m/s^2 from which on a track is drawn as braked
G = 9.81


class StreetPainter(Painter):
    """Draws tasks whose view is `unseen.envs.core.view.Street`. Belief and imagination are not drawn.

    The tracks are of the steps that this painter has drawn since the reset.
    """

    def __init__(self, width: int = FRAME[0], height: int = FRAME[1], hidden: bool = True, keys: str = "") -> None:
        super().__init__(width, height, hidden, keys)
        self._track: list[tuple[int, float, float, float, float, float]] = []  # step, x, y, speed, accel, lateral
        self._ended = False

    def frame(
        self,
        record: np.void,
        params: Params,
        task: type[Task],
        reward: float = 0.0,
        belief: Belief | None = None,
        imagined: Imagined | None = None,
        message: str = "",
    ) -> np.ndarray:
        view, scene = self._note(record, params, task)
        page = open_frame(self.size, view.request, message or task.__name__)
        page.text(view.caption(record, params), 24, 66, 15, theme.INK, fit=560)
        draw_step(page, record, params, reward, 66)
        self._scene(page, scene, 24, 90, 912, 196)
        self._overview(page, scene, 24, 300, 912, 40)
        self._speed(page, scene, 24, 356, 470, 166, 13)
        self._grip(page, scene, 520, 356, 170, 166, 13)
        self._key(page, scene, 716, 372, 220, 13)
        draw_end(page, view, record, params, 480, 98, 400)
        return close_frame(page, record, params, self.keys)

    def card(
        self,
        record: np.void,
        params: Params,
        task: type[Task],
        reward: float = 0.0,
        belief: Belief | None = None,
        imagined: Imagined | None = None,
        message: str = "",
    ) -> np.ndarray:
        view, scene = self._note(record, params, task)
        page = open_card(self.size, view.request, message)
        self._scene(page, scene, 12, 46, CARD_WIDE, 148)
        self._overview(page, scene, 12, 200, CARD_WIDE, 22)
        self._speed(page, scene, 12, 236, 238, 122, 12)
        self._grip(page, scene, 262, 236, 126, 122, 12)
        self._key(page, scene, 20, 378, CARD_WIDE, 12)
        draw_end(page, view, record, params, 12 + CARD_WIDE / 2, 52, CARD_WIDE - 90)
        page.text(view.caption(record, params), 12, 472, 13, theme.INK, fit=CARD_WIDE)
        return close_card(page, record, params)

    def remember(self, record: np.void, params: Params, task: type[Task]) -> None:
        self._note(record, params, task)

    def _note(self, record: np.void, params: Params, task: type[Task]) -> tuple[Street, Scene]:
        """Add the current state to the tracks. Returns the task's view and the scene."""
        view, step = task.view, int(record["t"])
        assert isinstance(view, Street)
        scene = view.scene(record, params)
        last = self._track[-1][0] if self._track else -1
        if step < last or (self._ended and step != last):
            self._track = []
        self._ended = bool(record["done"])
        if self._track and self._track[-1][0] == step:
            self._track.pop()
        self._track.append((step, scene.car[0], scene.car[1], scene.speed, scene.accel, scene.lateral))
        return view, scene

    def _road(self, scene: Scene) -> tuple[str, RGB, RGB]:
        """Name and colours of the road: of its grip, if that may be shown."""
        grip, sensed = scene.grip
        if not (sensed or self.hidden):
            return "grip unknown", PLAIN, mix(PLAIN, theme.INK, 0.08)
        name, ground, mark = ROADS[0 if grip > 0.7 else 1 if grip > 0.4 else 2]
        return f"{name}, grip {grip:.2f}", ground, mark

    def _scene(self, page: Page, scene: Scene, x: float, y: float, wide: float, tall: float) -> None:
        """The street around the car, with the same scale along and across."""
        area = page.rect(x, y, wide, tall)
        scale = area.height * FINE / ACROSS
        pixel = (
            FINE / scale
        )  # m: the scene moves by whole pixels, so that what stands still looks the same in all frames
        view = _View(
            (area.width * FINE, area.height * FINE), math.floor((scene.car[0] - BEHIND) / pixel) * pixel, scale
        )
        self._ground(view, scene)
        self._tracks(view, 1.6)
        for box in scene.vans:
            _draw_van(view, box, scene.glass)
        if not scene.glass:
            _draw_fog(view, scene)
        for someone in scene.people:
            self._person(view, someone)
        _draw_car(view, scene)
        if scene.hit is not None:
            _draw_crash(view, scene.hit)
        page.surface.blit(pygame.transform.smoothscale(view.surface, area.size), area)
        pygame.draw.rect(page.surface, theme.LINE, area, 1)
        page.text(self._road(scene)[0], x + wide - 10, y + 11, 11, theme.INK, right=True)

    def _ground(self, view: "_View", scene: Scene) -> None:
        _, ground, mark = self._road(scene)
        view.surface.fill(PAVEMENT)
        left, right = view.x0 - 5, view.x0 + view.surface.get_width() / view.scale + 5
        for joint in range(int(left), int(right) + 1, 2):
            pygame.draw.line(view.surface, mix(PAVEMENT, theme.BACK, 0.12), view.at(joint, -9), view.at(joint, 9), FINE)
        bottom = min((box[2] for box in scene.vans), default=-scene.half)
        view.box(left, bottom - 0.1, right, scene.half, ground)
        for cell in range(int(left) // 2, int(right) // 2 + 1):
            rng = np.random.default_rng(abs(cell) + 7)  # marks of the weather, fixed to the road
            for _ in range(2):
                px, py = 2 * cell + rng.uniform(0, 2), rng.uniform(bottom, scene.half)
                pygame.draw.circle(view.surface, mark, view.at(px, py), max(1.0, 0.07 * view.scale))
        for edge in (scene.half, -scene.half):
            pygame.draw.line(
                view.surface, mix(ground, theme.INK, 0.55), view.at(left, edge), view.at(right, edge), 2 * FINE
            )
        for post in range(int(left), int(right) + 1, 3):
            pygame.draw.circle(view.surface, (60, 62, 68), view.at(post, scene.half + 0.15), 0.12 * view.scale)
        view.box(scene.length, bottom, scene.length + 0.5, scene.half, theme.GOOD)
        view.box(left, WALL, right, WALL + 3.0, HOUSES)
        for _, end, _, _ in scene.vans:
            view.box(end, WALL, end + 1.0, WALL + 0.35, DOORS, FINE)

    def _tracks(self, view: "_View", wide: float) -> None:
        for one, two in zip(self._track, self._track[1:], strict=False):
            if two[0] == one[0] + 1 and two[4] < BRAKING:
                for side in (-0.6, 0.6):
                    ends = view.at(one[1], one[2] + side), view.at(two[1], two[2] + side)
                    pygame.draw.line(view.surface, mix(BRAKES, PLAIN, 0.25), *ends, max(1, int(wide * FINE)))

    def _person(self, view: "_View", who: Pedestrian) -> None:
        """Somebody in sight, or where the agent last saw them; where they are now is drawn for those who may see it."""
        rgb = RETURNER if who.empty else OTHER
        if who.seen:
            _draw_person(view, who.x, who.y, rgb)
            return
        if who.last_y is not None:
            _draw_ghost(view, who.x, who.last_y, rgb)
        if self.hidden:
            pygame.draw.circle(view.surface, mix(rgb, PAVEMENT, 0.4), view.at(who.x, who.y), 0.32 * view.scale)

    def _overview(self, page: Page, scene: Scene, x: float, y: float, wide: float, tall: float) -> None:
        """The whole street; lengths across are larger than lengths along."""
        area = page.rect(x, y, wide, tall)
        view = _View((area.width * FINE, area.height * FINE), 0.0, area.width * FINE / (scene.length + 4.0))
        view.across = area.height * FINE / ACROSS
        _, ground, _ = self._road(scene)
        view.surface.fill(mix(PAVEMENT, theme.BACK, 0.35))
        view.box(0.0, -4.1, scene.length, scene.half, ground)
        view.box(scene.length, -4.1, scene.length + 1.0, scene.half, theme.GOOD)
        for _, at, side, _, accel, _ in self._track:
            rgb = BRAKES if accel < BRAKING else mix(CAR, ground, 0.45)
            view.box(at - 0.4, side - 0.5, at + 0.5, side + 0.5, rgb)
        for box in scene.vans:
            view.box(box[0], box[2], box[1], box[3], mix(VAN, theme.BACK, 0.25))
        for who in scene.people:
            rgb = RETURNER if who.empty else OTHER
            if who.seen or self.hidden:
                pygame.draw.circle(view.surface, rgb, view.at(who.x, who.y), 2.6 * FINE, 0 if who.seen else FINE)
            elif who.last_y is not None:
                pygame.draw.circle(view.surface, rgb, view.at(who.x, who.last_y), 2.6 * FINE, FINE)
        at = scene.car[0]
        view.box(at - scene.outline[1], scene.car[1] - 1.0, at + scene.outline[0], scene.car[1] + 1.0, CAR)
        page.surface.blit(pygame.transform.smoothscale(view.surface, area.size), area)
        pygame.draw.rect(page.surface, theme.LINE, area, 1)

    def _speed(self, page: Page, scene: Scene, x: float, y: float, wide: float, tall: float, size: float) -> None:
        """Speed over the way, red where the car brakes."""
        page.text("speed, red: braking", x, y + 6, size, theme.MUTED)
        page.text(f"{3.6 * scene.speed:.0f} km/h", x + wide, y + 6, size + 2, CAR, bold=True, right=True)
        box = page.rect(x + 28, y + 20, wide - 28, tall - 36)
        pygame.draw.rect(page.surface, theme.PANEL, box)
        pygame.draw.lines(page.surface, theme.LINE, False, [box.topleft, box.bottomleft, box.bottomright])
        most = 1.12 * scene.top

        def at(way: float, speed: float) -> tuple[float, float]:
            part = min(max(way / scene.length, 0.0), 1.0)
            return box.left + part * box.width, box.bottom - min(max(speed / most, 0.0), 1.0) * box.height

        for van in scene.vans:
            pygame.draw.line(page.surface, theme.LINE, at(van[1], 0.0), at(van[1], most))
        for one, two in zip(self._track, self._track[1:], strict=False):
            rgb = BRAKES if two[4] < BRAKING else CAR
            pygame.draw.line(page.surface, rgb, at(one[1], one[3]), at(two[1], two[3]), max(1, page.px(2)[0]))
        pygame.draw.circle(page.surface, CAR, at(scene.car[0], scene.speed), page.px(3.5)[0])
        top = page.units(round(at(0.0, scene.top)[1]))
        page.text(f"{3.6 * scene.top:.0f}", x + 24, top, 0.85 * size, theme.FAINT, right=True)
        page.text("0", x + 24, y + tall - 18, 0.85 * size, theme.FAINT, right=True)
        page.text(f"{scene.length:.0f} m; lines: vans", x + wide, y + tall - 6, 0.85 * size, theme.FAINT, right=True)

    def _grip(self, page: Page, scene: Scene, x: float, y: float, wide: float, tall: float, size: float) -> None:
        """Accelerations so far, and the circle of the grip for those who may see it."""
        page.text("acceleration", x, y + 6, size, theme.MUTED)
        area = page.rect(x, y + 20, wide, tall - 36)
        fine = pygame.Surface((area.width * FINE, area.height * FINE))
        fine.fill(theme.PANEL)
        middle = (fine.get_width() / 2, 0.36 * fine.get_height())
        unit = 0.54 * fine.get_height() / (1.1 * G)
        for part in (0.5, 1.0):
            pygame.draw.circle(fine, theme.LINE, middle, part * G * unit, FINE)
        pygame.draw.line(fine, theme.LINE, (0, middle[1]), (fine.get_width(), middle[1]), FINE)
        pygame.draw.line(fine, theme.LINE, (middle[0], 0), (middle[0], fine.get_height()), FINE)
        grip, sensed = scene.grip
        if sensed or self.hidden:
            pygame.draw.circle(fine, theme.MIND, middle, grip * G * unit, 2 * FINE)
        n = len(self._track)
        for k, (_, _, _, _, accel, lateral) in enumerate(self._track):
            at = (middle[0] - lateral * unit, middle[1] - accel * unit)
            rgb = mix(theme.PANEL, BRAKES if accel < BRAKING else CAR, 0.3 + 0.7 * (k + 1) / n)
            pygame.draw.circle(fine, rgb, at, (3.5 if k == n - 1 else 2) * FINE)
        page.surface.blit(pygame.transform.smoothscale(fine, area.size), area)
        circle = "blue: grip" if sensed or self.hidden else "circles: 0.5 g, 1 g"
        page.text(
            circle, x + wide, y + tall - 6, 0.85 * size, theme.MIND if "blue" in circle else theme.FAINT, right=True
        )

    def _key(self, page: Page, scene: Scene, x: float, y: float, wide: float, size: float) -> None:
        """The legend, with only the symbols that can be in the picture."""
        rows = [(RETURNER, False, "with empty hands: will come back"), (OTHER, False, "carries something: will not")]
        if not scene.glass:
            rows.append((RETURNER, True, "ring: where last seen"))
        if self.hidden:
            rows.append((mix(RETURNER, PAVEMENT, 0.4), False, "faint: hidden, shown only to you"))
        for k, (rgb, ghost, text) in enumerate(rows):
            at = y + 1.7 * size * k
            if ghost:
                pygame.draw.circle(page.surface, rgb, page.px(x, at), page.px(0.4 * size)[0], max(1, page.px(1)[0]))
            else:
                pygame.draw.circle(page.surface, rgb, page.px(x, at), page.px(0.4 * size)[0])
            page.text(text, x + size, at, size, theme.MUTED, fit=wide - size)
        if not scene.glass and wide < 300:
            page.text("dark: out of the driver's sight", x - 0.4 * size, y + 1.7 * size * len(rows), size, theme.MUTED)


class _View:
    """A supersampled picture of a part of the street."""

    def __init__(self, size: tuple[int, int], x0: float, scale: float) -> None:
        self.surface = pygame.Surface(size)
        self.x0, self.scale, self.across = x0, scale, 0.0
        self.middle = 0.52 * size[1]

    def at(self, x: float, y: float) -> tuple[float, float]:
        return (x - self.x0) * self.scale, self.middle - y * (self.across or self.scale)

    def box(self, x0: float, y0: float, x1: float, y1: float, rgb: RGB, radius: int = 0) -> None:
        (left, bottom), (right, top) = self.at(x0, y0), self.at(x1, y1)
        rect = pygame.Rect(round(left), round(top), max(round(right - left), 1), max(round(bottom - top), 1))
        pygame.draw.rect(self.surface, rgb, rect, border_radius=radius)


def _draw_van(view: _View, box: tuple[float, float, float, float], glass: bool) -> None:
    x0, x1, y0, y1 = box
    if glass:
        corners = [view.at(x0, y0), view.at(x1, y0), view.at(x1, y1), view.at(x0, y1)]
        pygame.draw.polygon(view.surface, mix(theme.MIND, PLAIN, 0.72), corners)
        pygame.draw.polygon(view.surface, theme.MIND, corners, 2 * FINE)
        return
    radius = int(0.25 * view.scale)
    view.box(x0, y0, x1, y1, VAN, radius)
    view.box(x1 - 1.5, y0 + 0.18, x1 - 0.75, y1 - 0.18, theme.EYE, radius // 2)
    for rib in np.arange(x0 + 0.9, x1 - 1.8, 0.9):
        pygame.draw.line(view.surface, mix(VAN, theme.BACK, 0.18), view.at(rib, y0 + 0.2), view.at(rib, y1 - 0.2), FINE)


def _draw_fog(view: _View, scene: Scene) -> None:
    """Darken what vans hide from the driver: the shadow of each, as seen from the eye."""
    fog = pygame.Surface(view.surface.get_size(), pygame.SRCALPHA)
    ex, ey = scene.eye
    for x0, x1, y0, y1 in scene.vans:
        corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
        for a, b in zip(corners, corners[1:] + corners[:1], strict=True):
            facing = (b[0] - a[0]) * (ey - a[1]) - (b[1] - a[1]) * (ex - a[0])
            if facing <= 0.0:  # a side that the eye sees casts the shadow
                far = [(ex + 60.0 * (px - ex), ey + 60.0 * (py - ey)) for px, py in (b, a)]
                pygame.draw.polygon(fog, FOG, [view.at(*p) for p in (a, b, *far)])
    for x0, x1, y0, y1 in scene.vans:  # roofs are seen
        pygame.draw.polygon(fog, (0, 0, 0, 0), [view.at(x0, y0), view.at(x1, y0), view.at(x1, y1), view.at(x0, y1)])
    view.surface.blit(fog, (0, 0))


def _draw_person(view: _View, x: float, y: float, rgb: RGB) -> None:
    """Shoulders and head, from above."""
    middle, r = view.at(x, y), 0.36 * view.scale
    body = pygame.Rect(0, 0, round(1.1 * r), round(2.0 * r))
    body.center = (round(middle[0]), round(middle[1]))
    pygame.draw.ellipse(view.surface, theme.BACK, body.inflate(2 * FINE, 2 * FINE))
    pygame.draw.ellipse(view.surface, rgb, body)
    pygame.draw.circle(view.surface, mix(rgb, theme.BACK, 0.55), middle, 0.5 * r)


def _draw_ghost(view: _View, x: float, y: float, rgb: RGB) -> None:
    """A dashed ring where somebody was last seen."""
    (cx, cy), r = view.at(x, y), 0.5 * view.scale
    for k in range(0, 20, 2):
        start, end = ((cx + r * math.cos(a), cy + r * math.sin(a)) for a in (0.314 * k, 0.314 * (k + 1)))
        pygame.draw.line(view.surface, rgb, start, end, 2 * FINE)


def _draw_car(view: _View, scene: Scene) -> None:
    x, y, yaw = scene.car
    nose, tail, broad = scene.outline
    cos, sin = math.cos(yaw), math.sin(yaw)

    def shape(x0: float, x1: float, half: float) -> list[tuple[float, float]]:
        corners = ((x0, -half), (x1, -half), (x1, half), (x0, half))
        return [view.at(x + a * cos - b * sin, y + a * sin + b * cos) for a, b in corners]

    pygame.draw.polygon(view.surface, theme.BACK, shape(-tail - 0.08, nose + 0.08, broad + 0.08))
    pygame.draw.polygon(view.surface, CAR, shape(-tail, nose, broad))
    pygame.draw.polygon(view.surface, theme.EYE, shape(0.1, 0.75, 0.8 * broad))
    pygame.draw.polygon(view.surface, theme.EYE, shape(-1.75, -1.35, 0.75 * broad))
    if scene.pedal < 0.0:
        for side in (-0.62, 0.62):
            at = view.at(x - tail * cos - side * sin, y - tail * sin + side * cos)
            pygame.draw.circle(view.surface, BRAKES, at, 0.2 * view.scale)


def _draw_crash(view: _View, where: tuple[float, float]) -> None:
    cx, cy = view.at(*where)
    points = []
    for k in range(20):
        r = view.scale * (1.5 if k % 2 == 0 else 0.8)
        points.append((cx + r * math.cos(0.1 * math.pi * k), cy + r * math.sin(0.1 * math.pi * k)))
    pygame.draw.polygon(view.surface, theme.BAD, points, 3 * FINE)
