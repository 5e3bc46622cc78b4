"""Rendering of a proving ground: the car from above with its trace, speed and grip, the margins of its tests, and the design."""

import math
from collections.abc import Sequence

import numpy as np
import pygame

from unseen.envs.core.params import Params
from unseen.envs.core.task import Task
from unseen.envs.core.view import Belief, Imagined
from unseen.envs.industry.views.track import Track
from unseen.envs.watch import theme
from unseen.envs.watch.page import Page
from unseen.envs.watch.painter import Painter
from unseen.envs.watch.plain import CARD_WIDE, close_card, close_frame, draw_step, open_card, open_frame
from unseen.envs.watch.theme import RGB, mix

FINE = 3  # supersampling factor, for antialiasing
GROUND: tuple[RGB, ...] = ((58, 61, 68), (44, 60, 84), (176, 186, 200))  # of the surfaces, then of its marks
MARK: tuple[RGB, ...] = ((72, 75, 83), (66, 92, 128), (214, 222, 232))
CAR, OTHER, BRAKES = (250, 194, 92), (150, 156, 172), (246, 92, 84)
LONG, WIDE = 4.5, 1.8  # m, of a car
SHORTEST = 26.0  # m of road that are shown, at least
CRASH, RIDE, HILL = 3, 4, 5  # families that are not driven on the track


class TrackPainter(Painter):
    """Draws tasks whose view is `unseen.envs.core.view.Track`. Belief and imagination are not drawn."""

    def frame(
        self, record: np.void, params: Params, task: type[Task], reward: float = 0.0,
        belief: Belief | None = None, imagined: Imagined | None = None, message: str = "",
    ) -> np.ndarray:  # fmt: skip
        view = task.view
        assert isinstance(view, Track)
        page = open_frame(self.size, view.request, message or task.__name__)
        page.text(view.caption(record, params), 24, 62, 15, theme.INK, fit=600)
        draw_step(page, record, params, reward, 62)
        self._scene(page, record, 24, 80, 600, 250)
        self._speed(page, record, 24, 346, 384, 180)
        self._grip(page, record, 424, 346, 200, 180)
        self._last_test(page, view, record, 648, 92, 288)
        self._families(page, view, record, 648, 208, 288)
        self._design(page, view, record, 648, 372, 288)
        return close_frame(page, record, params, self.keys)

    def card(
        self, record: np.void, params: Params, task: type[Task], reward: float = 0.0,
        belief: Belief | None = None, imagined: Imagined | None = None, message: str = "",
    ) -> np.ndarray:  # fmt: skip
        view = task.view
        assert isinstance(view, Track)
        page = open_card(self.size, view.request, message)
        self._scene(page, record, 12, 44, CARD_WIDE, 170)
        page.text(view.caption(record, params), 12, 228, 13, theme.INK, fit=CARD_WIDE)
        self._last_test(page, view, record, 12, 252, CARD_WIDE)
        self._families(page, view, record, 12, 346, CARD_WIDE, 18)
        return close_card(page, record, params)

    def _scene(self, page: Page, s: np.void, x: float, y: float, wide: float, tall: float) -> None:
        """The test: from above if the car is driven on the track, else from the side."""
        area = page.rect(x, y, wide, tall)
        surface, sc = pygame.Surface((area.width * FINE, area.height * FINE)), s["scenario"]
        unit = FINE * page.px(100)[0] / 100
        kind = int(sc["surface"])
        surface.fill(theme.PANEL)
        if not s["tests"]:
            pass
        elif sc["family"] in (CRASH, RIDE, HILL):
            _aside(surface, s, unit)
        else:
            _from_above(surface, s, unit, kind)
        page.surface.blit(pygame.transform.smoothscale(surface, area.size), area)
        pygame.draw.rect(page.surface, theme.LINE, area, 1)
        if s["tests"] and sc["family"] not in (CRASH, RIDE, HILL):
            ink = (40, 44, 54) if kind == 2 else theme.INK
            page.text("this prototype, braking in red", x + 12, y + tall - 14, 12, ink)
            page.text("grey: the benchmark", x + wide - 12, y + tall - 14, 12, ink, right=True)

    def _speed(self, page: Page, s: np.void, x: float, y: float, wide: float, tall: float) -> None:
        """Speed over the distance, of the car and of the benchmark."""
        page.text("speed over distance", x, y + 6, 13, theme.MUTED)
        box = _axes(page, x + 30, y + 18, wide - 34, tall - 36)
        rigs = [r for r in (s["other"], s["rig"]) if s["tests"] and r["samples"] > 1]
        if not rigs:
            return
        ways = [_distance(_trace(r)) for r in rigs]
        far, fast = max(w[-1] for w in ways), max(float(_trace(r)[:, 3].max()) for r in rigs)
        far, fast = max(far, 1.0), 1.1 * max(fast, 1.0)
        for rig, way in zip(rigs, ways, strict=True):
            mine = rig is rigs[-1] and len(rigs) == 2
            points = [
                (box.left + w / far * box.width, box.bottom - v / fast * box.height)
                for w, v in zip(way, _trace(rig)[:, 3], strict=True)
            ]
            pygame.draw.aalines(page.surface, CAR if mine else OTHER, False, points)
            if mine:
                pygame.draw.aalines(page.surface, CAR, False, [(a, b + 1) for a, b in points])
        page.text(f"{3.6 * fast / 1.1:.0f}", x + 26, y + 18 + (tall - 36) * (1 - 1 / 1.1), 12, theme.FAINT, right=True)
        page.text("km/h", x + 26, y + tall - 24, 12, theme.FAINT, right=True)
        page.text(f"{far:.0f} m", x + wide - 4, y + tall - 8, 12, theme.FAINT, right=True)

    def _grip(self, page: Page, s: np.void, x: float, y: float, wide: float, tall: float) -> None:
        """The use of the front tyre's grip, along and across, in the friction circle."""
        page.text("grip of the front tyre", x, y + 6, 13, theme.MUTED)
        area = page.rect(x, y + 18, wide, tall - 18)
        fine = pygame.Surface((area.width * FINE, area.height * FINE))
        fine.fill(theme.PANEL)
        middle = (fine.get_width() / 2, fine.get_height() / 2)
        radius = 0.42 * min(fine.get_size())
        for part in (0.5, 1.0):
            pygame.draw.circle(fine, theme.LINE, middle, part * radius, FINE)
        pygame.draw.line(fine, theme.LINE, (middle[0] - radius, middle[1]), (middle[0] + radius, middle[1]), FINE)
        pygame.draw.line(fine, theme.LINE, (middle[0], middle[1] - radius), (middle[0], middle[1] + radius), FINE)
        if s["tests"] and s["rig"]["samples"]:
            trace = _trace(s["rig"])
            for k, row in enumerate(trace):
                at = (middle[0] - row[5] * radius, middle[1] - row[4] * radius)
                pygame.draw.circle(fine, mix(theme.PANEL, CAR, 0.35 + 0.65 * k / len(trace)), at, 2.5 * FINE)
        page.surface.blit(pygame.transform.smoothscale(fine, area.size), area)
        page.text("drive", x + wide / 2 + 6, y + 26, 11, theme.FAINT)
        page.text("brake", x + wide / 2 + 6, y + tall - 8, 11, theme.FAINT)

    def _last_test(self, page: Page, view: Track, s: np.void, x: float, y: float, wide: float) -> None:
        """The three margins of the last test, as the test has shown them."""
        page.text("margins of the last test", x, y, 14, theme.INK, bold=True)
        names: Sequence[str] = view.metrics[int(s["scenario"]["family"])] if s["tests"] else ("", "", "")
        for k, name in enumerate(names):
            self._margin(
                page, name, float(s["shown"][k]) if s["tests"] else None, x, y + 24 + 24 * k, wide, view.furthest
            )

    def _families(self, page: Page, view: Track, s: np.void, x: float, y: float, wide: float, each: float = 22) -> None:
        """The worst margin of this prototype by family, or the share that passed certification."""
        certified = bool(s["certified"])
        page.text(
            "certified: share that passes" if certified else "worst margin so far", x, y, 14, theme.INK, bold=True
        )
        for k, name in enumerate(view.families):
            at = y + 24 + each * k
            if certified:
                share = float(s["passed"][k])
                page.text(name, x, at, 13, theme.MUTED, fit=0.5 * wide)
                _bar(page, x + 0.55 * wide, at, 0.27 * wide, 0.0, share, theme.GOOD if share >= 0.9 else theme.BAD)
                page.text(f"{100 * share:.0f} %", x + wide, at, 13, theme.INK, right=True)
            else:
                self._margin(page, name, float(s["worst"][k]) if s["tried"][k] else None, x, at, wide, view.furthest)

    def _margin(
        self, page: Page, name: str, margin: float | None, x: float, y: float, wide: float, furthest: float
    ) -> None:
        """One margin: green to the right of the limit, red to the left; a dash if there is none."""
        page.text(name, x, y, 13, theme.MUTED, fit=0.52 * wide)
        if margin is None:
            page.text("-", x + wide, y, 13, theme.FAINT, right=True)
            return
        part = 0.5 + 0.5 * margin / furthest
        _bar(page, x + 0.55 * wide, y, 0.27 * wide, 0.5, part, theme.GOOD if margin >= 0 else theme.BAD)
        page.text(f"{margin:+.1f}", x + wide, y, 13, theme.INK, right=True)

    def _design(self, page: Page, view: Track, s: np.void, x: float, y: float, wide: float) -> None:
        """The design as drawn and, for those who may see it, as built."""
        page.text("design as drawn", x, y, 14, theme.INK, bold=True)
        if self.hidden:
            page.text("as built", x + wide, y, 12, theme.MIND, right=True)
        for k, (name, unit, low, high, ratio) in enumerate(view.variables):
            at, z = y + 19 + 14.4 * k, float(s["drawn"][k])
            part = 0.5 * (z + 1.0)
            value = low * (high / low) ** part if ratio else low + (high - low) * part
            page.text(name, x, at, 12, theme.MUTED, fit=0.5 * wide)
            if not s["prototypes"]:
                continue
            _bar(page, x + 0.50 * wide, at, 0.24 * wide, part, part, CAR)
            if self.hidden:
                _bar(page, x + 0.50 * wide, at, 0.24 * wide, -1.0, part + 0.5 * float(s["offset"][k]), theme.MIND)
            page.text(_short(value, unit), x + wide, at, 12, theme.INK, right=True)


def _short(value: float, unit: str) -> str:
    if abs(value) >= 1e6:
        return f"{value / 1e6:.2f} M{unit}"
    return (
        f"{value / 1e3:.0f} k{unit}"
        if abs(value) >= 1e4
        else f"{value / 1e3:.1f} k{unit}"
        if abs(value) >= 1e3
        else f"{value:.2f} {unit}".strip()
    )


def _bar(page: Page, x: float, y: float, wide: float, start: float, end: float, rgb: RGB) -> None:
    """A bar along a track from `start` to `end`, in [0, 1]; a mark if both are equal, or if `start` is negative, without the track."""
    track, end = page.rect(x, y - 3.5, wide, 7), min(max(end, 0.0), 1.0)
    if start >= 0.0:
        pygame.draw.rect(page.surface, theme.LINE, track, border_radius=page.px(3)[0])
    to = track.left + end * track.width
    if start < 0.0 or start == end:
        pygame.draw.rect(page.surface, rgb, pygame.Rect(round(to) - 2, track.top - 2, 4, track.height + 4))
        return
    left, right = sorted((track.left + start * track.width, to))
    pygame.draw.rect(page.surface, rgb, pygame.Rect(round(left), track.top, max(round(right - left), 1), track.height))
    pygame.draw.rect(
        page.surface,
        theme.INK,
        pygame.Rect(round(track.left + start * track.width), track.top - 1, 1, track.height + 2),
    )


def _axes(page: Page, x: float, y: float, wide: float, tall: float) -> pygame.Rect:
    box = page.rect(x, y, wide, tall)
    pygame.draw.rect(page.surface, theme.PANEL, box)
    pygame.draw.lines(page.surface, theme.LINE, False, [box.topleft, box.bottomleft, box.bottomright])
    return box


def _trace(rig: np.void) -> np.ndarray:
    return rig["path"][: int(rig["samples"])]


def _distance(trace: np.ndarray) -> np.ndarray:
    """Way along a trace, m."""
    return np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(trace[:, :2], axis=0).T))])


def _from_above(surface: pygame.Surface, s: np.void, unit: float, kind: int) -> None:
    """Traces of both cars on the road, with the same scale along and across."""
    surface.fill(GROUND[kind])
    wide, tall = surface.get_size()
    rng = np.random.default_rng(kind)  # marks of the weather: the same in every frame
    for px, py, size in zip(rng.uniform(0, wide, 160), rng.uniform(0, tall, 160), rng.uniform(1, 3, 160), strict=True):
        if kind == 1:
            pygame.draw.line(surface, MARK[1], (px, py), (px - 4 * unit, py + 9 * unit), max(1, int(0.6 * unit)))
        else:
            pygame.draw.circle(surface, MARK[kind], (px, py), size * unit * (0.9 if kind == 2 else 0.4))
    rigs = [r for r in (s["other"], s["rig"]) if r["samples"] > 1]
    if not rigs:
        return
    points = np.concatenate([_trace(r)[:, :2] for r in rigs])
    low, high = points.min(0) - 4.0, points.max(0) + 4.0
    scale = min(wide / max(high[0] - low[0], SHORTEST), 0.86 * tall / max(high[1] - low[1], 9.0))
    middle = 0.5 * (low + high)

    def at(xy: np.ndarray) -> np.ndarray:
        return np.stack([wide / 2 + (xy[..., 0] - middle[0]) * scale, tall / 2 - (xy[..., 1] - middle[1]) * scale], -1)

    for rig in rigs:
        mine, trace = rig is rigs[-1], _trace(rig)
        road = at(trace[:, :2])
        for k in range(len(road) - 1):
            braking = mine and trace[k, 4] < -0.1
            pygame.draw.line(
                surface, BRAKES if braking else CAR if mine else OTHER, road[k], road[k + 1], int(1.6 * unit)
            )
        way = _distance(trace)  # so that cars do not overlap
        places = np.searchsorted(
            way, np.linspace(0.0, way[-1], min(5, 1 + int(way[-1] / 7.0)) if way[-1] > 7.0 else 1)[::-1]
        )
        places = np.unique([len(trace) - 1, *np.minimum(places[1:], len(trace) - 1)])
        for k in places if mine else places[-1:]:
            body = CAR if mine else OTHER
            _car(surface, at, trace[k], mix(GROUND[kind], body, 1.0 if k == len(trace) - 1 else 0.55))


def _car(surface: pygame.Surface, at, row: np.ndarray, rgb: RGB) -> None:
    """A car from above, with a windscreen."""
    cos, sin = math.cos(row[2]), math.sin(row[2])

    def outline(x0: float, x1: float, half: float) -> np.ndarray:
        corners = np.array([[x0, -half], [x1, -half], [x1, half], [x0, half]])
        return at(
            np.stack(
                [
                    row[0] + corners[:, 0] * cos - corners[:, 1] * sin,
                    row[1] + corners[:, 0] * sin + corners[:, 1] * cos,
                ],
                -1,
            )
        )

    pygame.draw.polygon(surface, rgb, outline(-0.5 * LONG, 0.5 * LONG, 0.5 * WIDE))
    pygame.draw.polygon(surface, theme.EYE, outline(0.1 * LONG, 0.22 * LONG, 0.4 * WIDE))
    pygame.draw.polygon(surface, theme.EYE, outline(-0.36 * LONG, -0.28 * LONG, 0.36 * WIDE))


def _aside(surface: pygame.Surface, s: np.void, unit: float) -> None:
    """A car from the side: at a barrier, on a rough road, or on a hill."""
    wide, tall = surface.get_size()
    family, rig, sc = int(s["scenario"]["family"]), s["rig"], s["scenario"]
    scale, floor = wide / 12.0, 0.78 * tall  # pixels per metre
    origin = np.array([3.2 * scale, floor])
    angle = math.atan(0.26) if family == HILL else 0.0
    xs = np.linspace(-0.3 * wide, 1.3 * wide, 260)
    bumps = np.zeros(260)
    if family == RIDE:
        bumps = (
            1.5e3
            * math.sqrt(float(sc["roughness"]))
            * unit
            * (np.sin(xs / wide * 40) + 0.6 * np.sin(xs / wide * 97 + 1))
        )
    crush = float(rig["metric"][0]) * float(rig["built"]["value"][5]) if family == CRASH else 0.0
    front = LONG - crush

    def at(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
        """Metres along the road and above it, in pixels."""
        cos, sin = math.cos(angle), math.sin(angle)
        return [(origin[0] + (x * cos - y * sin) * scale, origin[1] - (x * sin + y * cos) * scale) for x, y in points]

    road = at([((x - origin[0]) / scale, -b / scale) for x, b in zip(xs, bumps, strict=True)])
    pygame.draw.polygon(surface, GROUND[int(sc["surface"]) if family == HILL else 0], [(0, tall), *road, (wide, tall)])
    side = [(0, 0.33), (0, 0.93), (0.9, 1.08), (1.5, 1.53), (2.7, 1.53), (3.3, 1.08), (front, 0.93), (front, 0.33)]
    pygame.draw.polygon(surface, CAR, at(side))
    pygame.draw.polygon(surface, theme.EYE, at([(1.15, 1.1), (1.6, 1.43), (2.6, 1.43), (3.0, 1.1)]))
    for axle in (0.85, min(3.45, front - 0.2)):
        (middle,) = at([(axle, 0.33)])
        pygame.draw.circle(surface, theme.BACK, middle, 0.34 * scale)
        pygame.draw.circle(surface, OTHER, middle, 0.18 * scale)
    if family == CRASH:
        pygame.draw.polygon(surface, OTHER, at([(front, 0), (front, 1.7), (front + 0.5, 1.7), (front + 0.5, 0)]))
        for k in range(5):
            fold = at([(front - 0.9 * crush, 0.45 + 0.1 * k), (front, 0.5 + 0.1 * k)])
            pygame.draw.line(surface, BRAKES, fold[0], fold[1], int(unit))
        head, seat = at([(1.9 + float(rig["metric"][2]), 1.28), (1.9, 0.85)])
        pygame.draw.line(surface, CAR, head, seat, int(3 * unit))
        pygame.draw.circle(surface, theme.PAPER, head, 0.13 * scale)
