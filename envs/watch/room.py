"""Rendering of tasks in a room: the room from above, the agent's own view, the query, phases and reward.

Everything is either labelled or explained in the legend at the bottom right.
"""

import math

import numpy as np
import pygame

from unseen.envs.core.params import Params
from unseen.envs.core.task import Task
from unseen.envs.core.view import Belief, Imagined
from unseen.envs.planar.task import PlanarParams
from unseen.envs.watch import theme
from unseen.envs.watch.ahead import draw_ahead
from unseen.envs.watch.draw import draw_room
from unseen.envs.watch.legend import draw_legend
from unseen.envs.watch.mind import Mind, mind_of
from unseen.envs.watch.page import Page
from unseen.envs.watch.painter import CARD, FRAME, Painter
from unseen.envs.watch.scene import Query, Scene, between, scene_of
from unseen.envs.watch.theme import mix
from unseen.envs.watch.things import picture

AHEAD = math.radians(100)  # the widest field of view that the picture beside the room shows


class RoomPainter(Painter):
    """Draws tasks whose view is a `unseen.envs.planar.task.Look`."""

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
        assert isinstance(params, PlanarParams)
        scene = scene_of(record, params, task, reward)
        mind = mind_of(belief, imagined, scene)
        page = Page(self.size, FRAME)
        taken = page.text(message or scene.title, 936, 32, 14, theme.MUTED, right=True)
        _draw_request(page, scene, 24, 32, 912 - taken - 32, 21)
        self._draw_room(page, scene, mind, 24, 64, 464)
        _draw_ahead(page, scene, record)
        _draw_words(page, scene)
        draw_legend(page, scene, mind, self.hidden)
        page.timeline(scene.timeline, scene.phase, scene.step, scene.done)
        if self.keys:
            page.text(self.keys, 936, 589, 12, theme.FAINT, right=True, fit=912)
        return page.pixels()

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
        assert isinstance(params, PlanarParams)
        scene = scene_of(record, params, task, reward)
        page = Page(self.size, CARD)
        wide = CARD[0] - 24.0
        _draw_request(page, scene, 12, 24, wide, 17)
        self._draw_room(page, scene, mind_of(belief, imagined, scene), 12, 48, wide)
        if message:
            _label(page, message, 12, 48 + wide - 24)
        for k, line in enumerate(page.wrapped(scene.caption, 13, wide)[:2]):
            page.text(line, 12, 48 + wide + 18 + 16 * k, 13, theme.INK, fit=wide)
        room_for_names = 38 if len(scene.timeline) > 1 else 24
        page.timeline(scene.timeline, scene.phase, scene.step, scene.done, 12, CARD[1] - room_for_names, wide)
        return page.pixels()

    def between(self, before: np.void, after: np.void, part: float) -> np.void:
        return between(before, after, part)

    def _draw_room(self, page: Page, scene: Scene, mind: Mind | None, x: float, y: float, wide: float) -> None:
        page.surface.blit(draw_room(scene, page.px(wide)[0], mind, self.hidden), page.px(x, y))
        if scene.done:
            page.badge(_verdict(scene), scene.reward > 0, x + wide / 2, y + 20, wide - 90)


FREE_PLAY = "free play: nothing is asked for"


def _draw_request(page: Page, scene: Scene, x: float, y: float, wide: float, size: float) -> None:
    """Draw the request; the font shrinks if it would be wider than `wide`."""
    query, look = scene.query, scene.look
    of_box = query is not None and not query.is_disc and look.request_box
    request = look.request_box if of_box else look.request
    known = query is not None or "{}" not in request
    if scene.free:
        request, query, known = FREE_PLAY, None, True
    before, chip, after = (request if known else look.request_unknown).partition("{}")
    words = theme.font(100).size(before + after + ("" if query is None else query.name))[0] / 100
    size = min(size, (wide - (96 if chip else 0)) / max(words, 1.0))
    if before:
        x += page.text(before.strip(), x, y, size, theme.INK if known else mix(theme.INK, theme.MUTED, 0.5))
    if chip and query is not None:
        x += 0.55 * size
        x += _draw_chip(page, query, x, y, size) + 0.55 * size
        page.text(after.strip(), x, y, size)


def _draw_chip(page: Page, query: Query, x: float, y: float, size: float) -> float:
    """Draw a name on its colour, or beside its icon. Returns the width."""
    word = page.words(query.name, 0.9 * size, theme.BACK, bold=True)
    image = None
    if query.rgb is None or query.kind not in ("block", "ball", "marble"):
        image = picture(query.kind, page.px(36)[0], query.rgb, query.is_disc)
    wide = page.units(word.get_width()) + (24 if image is None else 56)
    chip = page.rect(x, y - 16, wide, 32)
    pygame.draw.rect(page.surface, query.rgb or theme.PAPER, chip, border_radius=page.px(16)[0])
    if image is not None:
        middle = pygame.Vector2(page.px(x + 21, y))
        if query.rgb is not None:
            pygame.draw.circle(page.surface, theme.PAPER, middle, page.px(15)[0])
        page.surface.blit(image, image.get_rect(center=middle))
    left = page.px(x + (12 if image is None else 42))[0]
    page.surface.blit(word, (left, chip.centery - word.get_height() / 2))
    return wide


def _verdict(scene: Scene) -> str:
    """The label of the end of the episode."""
    look, query, contact = scene.look, scene.query, scene.contact
    if scene.free:
        return "the end"
    if scene.reward > 0:
        return f"{look.won}: reward {scene.reward:.2g}"
    touched = next((disc.name for disc in scene.discs if disc.touched), None)
    if touched is not None and (query is None or (query.is_disc and touched != query.name and len(look.discs) == 1)):
        return f"{look.lost}: that is {touched}"
    if contact is not None and not contact.is_disc and query is not None and contact.name != query.name:
        return f"{look.lost}: that is the {contact.name}"
    return "out of time" if scene.out_of_time and touched is None and contact is None else look.lost


def _draw_ahead(page: Page, scene: Scene, record: np.void) -> None:
    """Draw what the agent sees straight ahead."""
    box = page.rect(512, 64, 424, 262)
    page.surface.blit(draw_ahead(scene, record, box.width, box.height, min(scene.fov, AHEAD)), box)
    pygame.draw.rect(page.surface, theme.LINE, box, max(1, page.px(1)[0]))
    if scene.dark:
        page.text("nothing to see", 724 - 52, 195, 15, theme.MUTED)
    _label(page, "agent's view, straight ahead", 512, 64)


def _label(page: Page, text: str, x: float, y: float) -> None:
    """A text on a dark strip, to be read over any picture."""
    word = page.words(text, 13, theme.INK)
    plate = pygame.Surface((word.get_width() + page.px(16)[0], page.px(24)[0]))
    plate.fill(theme.BACK)
    plate.set_alpha(176)
    corner = page.px(x, y)
    page.surface.blit(plate, corner)
    page.surface.blit(word, word.get_rect(center=plate.get_rect(topleft=corner).center))


def _draw_words(page: Page, scene: Scene) -> None:
    """Draw phase, step and reward, the caption, what is touched and heard, and the task-specific values."""
    staged = len(scene.timeline) > 1
    name = (
        ("lights on" if scene.light == "reveal" else "the end")
        if scene.done
        else scene.phase
        if staged
        else scene.title
    )
    names = [name for name, _ in scene.timeline]
    rgb = theme.INK if scene.done or not staged else theme.phase(scene.phase, names)
    page.text(name, 512, 352, 20, rgb, bold=True)
    page.text(f"step {scene.step}     reward {scene.reward:g}", 936, 352, 14, theme.MUTED, right=True)
    lines = page.wrapped(scene.caption, 15, 424)
    for k, line in enumerate(lines):
        page.text(line, 512, 380 + 18 * k, 15, theme.INK, fit=424)
    said = []
    if scene.contact is not None and not scene.done:
        said.append(f"touching: {scene.contact.name}")
    if scene.bump:
        said.append("bump!" if scene.light in ("day", "reveal") else "bump! (heard, not seen)")
    page.text("     ".join(said), 512, 386 + 18 * len(lines), 14, theme.PHASE["observe"], fit=424)
    n = len(scene.signals)
    for k, (name, value, count) in enumerate(scene.signals):  # each in [-1, 1]
        wide = (424 - 12 * (n - 1)) / n
        x = 512 + k * (wide + 12)
        page.text(f"{name}: {round(value * count)}" if count else name, x, 434, 12, theme.MUTED, fit=wide)
        if count:
            page.bar(0.0, min(max(value, 0.0), 1.0), x, 445, wide)
        else:
            page.bar(0.5, (min(max(value, -1.0), 1.0) + 1) / 2, x, 445, wide)
