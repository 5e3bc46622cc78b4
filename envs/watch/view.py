"""The composed picture: the room from above, the agent's own view beside it, the question, the phases, the score.

A stranger should understand it at once, so everything on it is either labelled or in the key at the bottom right.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import pygame

from unseen.envs.errors import UnseenError
from unseen.envs.watch import theme
from unseen.envs.watch.ahead import draw_ahead
from unseen.envs.watch.draw import draw_room
from unseen.envs.watch.mind import Mind, mind_of
from unseen.envs.watch.scene import Ask, Scene, scene_of
from unseen.envs.watch.theme import RGB, mix
from unseen.envs.watch.things import picture
from unseen.envs.watch.toys import COLLARED

__all__ = ["CARD", "NoDisplay", "Viewer"]

WIDTH, HEIGHT = 960, 600
CARD = (400, 520)  # width and height of the narrow picture
AHEAD = math.radians(100)  # what of an all-round view the picture beside the room shows


class NoDisplay(UnseenError, RuntimeError):
    """There is no screen to open a window on."""


class Viewer:
    """Draws frames, and shows them in a window when asked to.

    Args:
        width, height: of the picture in pixels; it is laid out for 960 x 600 and scaled to fit.
        hidden: show the human what is hidden from the agent; a player would rather remember.
        keys: a line of help at the bottom of a window, for those who have a keyboard.
    """

    def __init__(self, width: int = WIDTH, height: int = HEIGHT, hidden: bool = True, keys: str = "") -> None:
        self.width, self.height, self.hidden, self.keys = width, height, hidden, keys
        self._k = min(width / WIDTH, height / HEIGHT)
        self._window: pygame.Surface | None = None

    def frame(
        self,
        env_state: np.void,
        params: Any = None,
        task: Any = None,
        reward: float = 0.0,
        belief: Mapping[str, np.ndarray] | None = None,
        imagined: Mapping[str, np.ndarray] | None = None,
        message: str = "",
    ) -> np.ndarray:
        """The picture (height, width, 3) uint8 of one environment's world record.

        `belief` and `imagined` are what a world model's `belief` and `imagine` give for a batch of one, in metres;
        `message` is a line at the top right (who plays, which episode).
        """
        scene = scene_of(env_state, params, task, reward)
        mind = mind_of(belief, imagined, scene=scene)
        canvas = pygame.Surface((self.width, self.height))
        canvas.fill(theme.BACK)
        self._header(canvas, scene, message)
        self._room(canvas, scene, mind)
        self._ahead(canvas, scene, env_state)
        self._words(canvas, scene)
        self._key(canvas, scene, mind)
        self._timeline(canvas, scene)
        return np.ascontiguousarray(pygame.surfarray.array3d(canvas).swapaxes(0, 1))

    def card(
        self, env_state: np.void, params: Any = None, task: Any = None, reward: float = 0.0,
        belief: Mapping[str, np.ndarray] | None = None, imagined: Mapping[str, np.ndarray] | None = None,
    ) -> np.ndarray:  # fmt: skip
        """A narrow picture of the same for small places: the question, the room, what happens, and the time.

        It is laid out for a width of CARD[0] and wants a Viewer of that shape.
        """
        scene = scene_of(env_state, params, task, reward)
        mind = mind_of(belief, imagined, scene=scene)
        canvas = pygame.Surface((self.width, self.height))
        canvas.fill(theme.BACK)
        wide = CARD[0] - 24.0
        self._k = min(self.width / CARD[0], self.height / CARD[1])
        self._question(canvas, scene, 12, 24, wide, 17)
        self._room(canvas, scene, mind, 12, 48, wide)
        staged = len(scene.phases) > 1
        for k, line in enumerate(self._wrapped(scene.caption, 13, wide)[:2]):
            self._text(canvas, line, 12, 48 + wide + 18 + 16 * k, 13, theme.INK, fit=wide)
        self._timeline(canvas, scene, 12, CARD[1] - (38 if staged else 24), wide)
        return np.ascontiguousarray(pygame.surfarray.array3d(canvas).swapaxes(0, 1))

    def show(self, frame: np.ndarray) -> None:
        """Put a frame on the screen, opening the window at first, and let the window system breathe.

        Raises NoDisplay.
        """
        if self._window is None:
            try:
                pygame.display.init()
                driver = pygame.display.get_driver()
                if driver in ("offscreen", "dummy") and driver != os.environ.get("SDL_VIDEODRIVER"):
                    pygame.display.quit()  # SDL's way out: a window that nobody sees and nobody can close
                    raise pygame.error("no screen")
                self._window = pygame.display.set_mode((self.width, self.height))
            except pygame.error as error:
                raise NoDisplay(f"no window can be opened here ({error}); pictures can be saved without one") from None
            pygame.display.set_caption("unseen")
        pygame.event.pump()
        self._window.blit(pygame.surfarray.make_surface(frame.swapaxes(0, 1)), (0, 0))
        pygame.display.flip()

    def close(self) -> None:
        """Close the window, if it is open; harmless when repeated."""
        if self._window is not None:
            self._window = None
            pygame.display.quit()

    # --- parts, each in the design's 960 x 600 coordinates ------------------------------------------------------

    def _u(self, *lengths: float) -> tuple[int, ...]:
        return tuple(round(self._k * v) for v in lengths)

    def _text(
        self, canvas: pygame.Surface, text: str, x: float, y: float, size: float, rgb: RGB = theme.INK,
        bold: bool = False, right: bool = False, fit: float = 0.0,
    ) -> float:  # fmt: skip
        """Write at (x, y), the middle of the line's left (or right) end; gives the width in design units.

        `fit` > 0: smaller, where it would be wider than that.
        """
        image = theme.font(max(8, round(size * self._k)), bold).render(text, True, rgb)
        if fit and image.get_width() > fit * self._k:
            size *= fit * self._k / image.get_width()
            image = theme.font(max(6, int(size * self._k)), bold).render(text, True, rgb)
        left = self._k * x - (image.get_width() if right else 0)
        canvas.blit(image, (round(left), round(self._k * y - image.get_height() / 2)))
        return image.get_width() / self._k

    def _wrapped(self, text: str, size: float, wide: float) -> list[str]:
        """The text in lines that are at most `wide` design units long."""
        font = theme.font(max(8, round(size * self._k)))
        lines: list[str] = []
        for word in text.split():
            longer = f"{lines[-1]} {word}" if lines else word
            if lines and font.size(longer)[0] <= wide * self._k:
                lines[-1] = longer
            else:
                lines.append(word)
        return lines

    def _header(self, canvas: pygame.Surface, scene: Scene, message: str) -> None:
        """What is asked, and at the right who plays."""
        taken = self._text(canvas, message or scene.title, 936, 32, 14, theme.MUTED, right=True)
        self._question(canvas, scene, 24, 32, 912 - taken - 32, 21)

    def _question(self, canvas: pygame.Surface, scene: Scene, x: float, y: float, wide: float, size: float) -> None:
        """What is asked; smaller where it would be wider than `wide`."""
        asked, look = scene.asked, scene.look
        tall = asked is not None and not asked.small and look.request_tall
        request = look.request_tall if tall else look.request
        told = asked is not None or "{}" not in request
        before, chip, after = (request if told else look.untold).partition("{}")
        words = theme.font(100).size(before + after + ("" if asked is None else asked.name))[0] / 100
        size = min(size, (wide - (96 if chip else 0)) / max(words, 1.0))
        if before:
            x += self._text(canvas, before.strip(), x, y, size, theme.INK if told else mix(theme.INK, theme.MUTED, 0.5))
        if chip and asked is not None:
            x += 0.55 * size
            x += self._chip(canvas, asked, x, y, size) + 0.55 * size
            self._text(canvas, after.strip(), x, y, size)

    def _chip(self, canvas: pygame.Surface, ask: Ask, x: float, y: float, size: float) -> float:
        """A name on its colour, or beside its little picture; gives its width in design units."""
        word = theme.font(round(0.9 * size * self._k), True).render(ask.name, True, theme.BACK)
        image = None
        if ask.rgb is None or ask.kind not in ("block", "ball", "marble"):
            image = picture(ask.kind, self._u(36)[0], ask.rgb, ask.small)
        wide = word.get_width() / self._k + (24 if image is None else 56)
        chip = pygame.Rect(self._u(x, y - 16, wide, 32))
        pygame.draw.rect(canvas, ask.rgb or theme.PAPER, chip, border_radius=self._u(16)[0])
        if image is not None:
            middle = pygame.Vector2(self._u(x + 21, y))
            if ask.rgb is not None:
                pygame.draw.circle(canvas, theme.PAPER, middle, self._u(15)[0])
            canvas.blit(image, image.get_rect(center=middle))
        left = self._u(x + (12 if image is None else 42))[0]
        canvas.blit(word, (left, chip.centery - word.get_height() / 2))
        return wide

    def _room(
        self, canvas: pygame.Surface, scene: Scene, mind: Mind | None, x: float = 24, y: float = 64, wide: float = 464
    ) -> None:
        room = draw_room(scene, self._u(wide)[0], mind, self.hidden)
        canvas.blit(room, self._u(x, y))
        if scene.over:
            good = scene.reward > 0
            text = self._verdict(scene)
            self._badge(canvas, text, theme.GOOD if good else theme.BAD, good, x + wide / 2, y + 20, wide - 90)

    def _verdict(self, scene: Scene) -> str:
        look, asked, held = scene.look, scene.asked, scene.held
        if scene.reward > 0:
            return f"{look.won}: reward {scene.reward:.2g}"
        touched = next((disc.name for disc in scene.smalls if disc.touched), None)
        if touched is not None and (asked is None or (asked.small and touched != asked.name and len(look.small) == 1)):
            return f"{look.lost}: that is {touched}"
        if held is not None and not held.small and asked is not None and held.name != asked.name:
            return f"{look.lost}: that is the {held.name}"
        return "out of time" if scene.late and touched is None and held is None else look.lost

    def _badge(
        self, canvas: pygame.Surface, text: str, rgb: RGB, good: bool, middle: float, y: float, fit: float
    ) -> None:
        size = min(18.0, 18 * fit * self._k / theme.font(round(18 * self._k), True).size(text)[0])
        image = theme.font(round(size * self._k), True).render(text, True, theme.BACK)
        w = image.get_width() / self._k + 58
        x = middle - w / 2
        box = pygame.Rect(*self._u(x, y, w, 40))
        pygame.draw.rect(canvas, mix(rgb, theme.BACK, 0.75), box.inflate(6, 6), border_radius=self._u(23)[0])
        pygame.draw.rect(canvas, rgb, box, border_radius=self._u(20)[0])
        canvas.blit(image, self._u(x + 40, y + 20 - image.get_height() / 2 / self._k))
        if good:
            strokes = [[(16, 21), (22, 27), (32, 14)]]
        else:
            strokes = [[(17, 14), (30, 27)], [(30, 14), (17, 27)]]
        for stroke in strokes:
            pygame.draw.lines(canvas, theme.BACK, False, [self._u(x + a, y + b) for a, b in stroke], self._u(4)[0])

    def _ahead(self, canvas: pygame.Surface, scene: Scene, record: np.void) -> None:
        box = pygame.Rect(*self._u(512, 64, 424, 262))
        angle = min(scene.fov, AHEAD)
        canvas.blit(draw_ahead(scene, record, box.width, box.height, angle), box)
        pygame.draw.rect(canvas, theme.LINE, box, max(1, self._u(1)[0]))
        if scene.dark:
            self._text(canvas, "nothing to see", 724 - 52, 195, 15, theme.MUTED)
        tag = "its view, straight ahead"
        word = theme.font(round(13 * self._k)).render(tag, True, theme.INK)
        plate = pygame.Surface((word.get_width() + self._u(16)[0], self._u(24)[0]))
        plate.fill(theme.BACK)
        plate.set_alpha(176)
        canvas.blit(plate, box.topleft)
        canvas.blit(word, word.get_rect(center=plate.get_rect(topleft=box.topleft).center))

    def _words(self, canvas: pygame.Surface, scene: Scene) -> None:
        staged = len(scene.phases) > 1
        name = "lights on" if scene.over else scene.phase if staged else scene.title or "acting"
        rgb = theme.INK if scene.over or not staged else theme.phase(scene.phase, scene.phases)
        self._text(canvas, name, 512, 352, 20, rgb, bold=True)
        self._text(canvas, f"step {scene.step}     reward {scene.reward:g}", 936, 352, 14, theme.MUTED, right=True)
        lines = self._wrapped(scene.caption, 15, 424)
        for k, line in enumerate(lines):
            self._text(canvas, line, 512, 380 + 18 * k, 15, theme.INK, fit=424)
        said = []
        if scene.held is not None and not scene.over:
            said.append(f"it touches: {scene.held.name}")
        if scene.heard:
            said.append("bump!" if scene.light in ("day", "reveal") else "bump! heard, not seen")
        self._text(canvas, "     ".join(said), 512, 386 + 18 * len(lines), 14, theme.PHASE["observe"], fit=424)
        self._meters(canvas, scene)

    def _meters(self, canvas: pygame.Surface, scene: Scene) -> None:
        """The task's own numbers, each in [-1, 1]: a bar from the middle."""
        n = len(scene.signals)
        if not n:
            return
        wide = (424 - 12 * (n - 1)) / n
        for k, (name, value) in enumerate(scene.signals):
            x, y = 512 + k * (wide + 12), 434.0
            self._text(canvas, name, x, y, 12, theme.MUTED, fit=wide)
            track = pygame.Rect(self._u(x, y + 11, wide, 7))
            pygame.draw.rect(canvas, theme.LINE, track, border_radius=self._u(3)[0])
            part = min(max(value, -1.0), 1.0)
            left, right = sorted((track.centerx, round(track.centerx + part * track.width / 2)))
            bar = pygame.Rect(left, track.top, max(right - left, 1), track.height)
            pygame.draw.rect(canvas, theme.MIND if part >= 0 else theme.PHASE["observe"], bar)
            pygame.draw.rect(canvas, theme.INK, (track.centerx, track.top - 1, max(1, self._u(1)[0]), track.height + 2))

    def _key(self, canvas: pygame.Surface, scene: Scene, mind: Mind | None) -> None:
        """What the signs in the room mean; only signs that can be there now."""
        rows: list[tuple[str, str]] = []
        kinds = {disc.kind for disc in scene.smalls}
        noun = kinds.pop() if len(kinds) == 1 else "thing"
        if scene.light == "blackout":
            rows.append(("fog", "blackout: the agent sees nothing"))
        elif scene.light == "night":
            rows.append(("fog", "dark: the agent sees nothing, it only feels"))
        elif not scene.over:
            rows.append(("fog", "shaded: the agent cannot see it"))
        if self.hidden and not scene.over and scene.smalls:
            rows.append(("ghost", f"hidden {noun}, shown to you only"))
        if self.hidden and not scene.over and scene.near and noun in COLLARED:
            rows.append(("collar", "its collar, too far away for the agent to tell"))
        if mind is not None:
            if scene.smalls:
                rows.append(("ring", f"where its map puts a {noun}"))
            if mind.talls:
                rows.append(("place", "where its map puts what stands in the room"))
            if len(mind.way):
                rows.append(("way", "what it imagines doing next"))
        top = 470 if scene.signals else 450
        for k, (sign, text) in enumerate(rows):
            y = top + min(25, (532 - top) / max(len(rows), 1)) * k
            self._sign(canvas, sign, 524, y)
            self._text(canvas, text, 548, y, 14, theme.MUTED)

    def _sign(self, canvas: pygame.Surface, sign: str, x: float, y: float) -> None:
        rgb = (52, 112, 224)
        (px, py), r = self._u(x, y), self._u(8)[0]
        if sign == "fog":
            box = pygame.Rect(px - r, py - r, 2 * r, 2 * r)
            pygame.draw.rect(canvas, (228, 218, 202), box)
            pygame.draw.polygon(canvas, (84, 84, 104), [box.topleft, box.topright, box.bottomleft])
        elif sign == "ghost":
            patch = pygame.Surface((4 * r, 4 * r), pygame.SRCALPHA)
            pygame.draw.circle(patch, (*rgb, 90), (2 * r, 2 * r), r)
            canvas.blit(patch, (px - 2 * r, py - 2 * r))
            for k in range(8):
                arc = np.linspace(k * math.pi / 4, (k + 0.55) * math.pi / 4, 4)
                points = np.stack([px + r * np.cos(arc), py + r * np.sin(arc)], axis=1)
                pygame.draw.aalines(canvas, (110, 150, 236), False, points)
        elif sign == "collar":
            for k in range(8):
                arc = np.linspace(k * math.pi / 4, (k + 0.55) * math.pi / 4, 4)
                points = np.stack([px + r * np.cos(arc), py + r * np.sin(arc)], axis=1)
                pygame.draw.lines(canvas, (110, 150, 236), False, points, 2)
            pygame.draw.circle(canvas, (168, 168, 172), (px, py), r * 0.5)
        elif sign == "ring":
            pygame.draw.circle(canvas, theme.INK, (px, py), r + 1, 3)
            pygame.draw.circle(canvas, rgb, (px, py), r, 2)
        elif sign == "place":
            pygame.draw.rect(canvas, theme.INK, (px - r, py - r, 2 * r, 2 * r), 3, 4)
            pygame.draw.rect(canvas, theme.MIND, (px - r + 1, py - r + 1, 2 * r - 2, 2 * r - 2), 2, 4)
        else:
            for k in range(4):
                dot = mix(theme.MIND, theme.BACK, k / 4.5)
                pygame.draw.circle(canvas, dot, (px + (k - 1.5) * r * 0.75, py), max(2, r * (0.4 - 0.06 * k)))

    def _timeline(
        self, canvas: pygame.Surface, scene: Scene, x0: float = 24, y: float = 542, wide: float = 912
    ) -> None:
        """One cell a step, in the colour of its phase; the present one stands out."""
        parts = scene.timeline or ((scene.phase, max(scene.step + 1, 1)),)
        total = max(sum(steps for _, steps in parts), 1)
        tall, cell, at = 12.0, wide / total, 0
        edge = 1.0 if cell > 5 else 0.5
        names: list[tuple[bool, float, str, RGB]] = []
        for phase, steps in parts:
            hue = theme.phase(phase, scene.phases)
            now = scene.phase == phase and not scene.over
            if steps and len(scene.phases) > 1:
                names.append((not now, x0 + at * cell, phase, hue if now else theme.FAINT))
            for k in range(at, at + steps):
                rgb = hue if k < scene.step else mix(hue, theme.BACK, 0.80)
                if k == min(scene.step, total - 1) and not scene.over:
                    rgb = theme.INK
                left, right = self._u(x0 + k * cell + edge, x0 + (k + 1) * cell - edge)
                top, bottom = self._u(y, y + tall)
                size = (left, top, max(right - left, 1), bottom - top)
                pygame.draw.rect(canvas, rgb, size, border_radius=self._u(min(3.0, cell / 3))[0])
            at += steps
        taken: list[tuple[float, float]] = []
        for later, x, name, rgb in sorted(names):  # the present one first: where names would meet, the others wait
            end = x + theme.font(max(8, round(13 * self._k)), not later).size(name)[0] / self._k
            if all(end + 6 < left or x > right + 6 for left, right in taken):
                self._text(canvas, name, x, y + tall + 15, 13, rgb, bold=not later)
                taken.append((x, end))
        if self.keys:
            self._text(canvas, self.keys, 936, 589, 12, theme.FAINT, right=True, fit=912)
