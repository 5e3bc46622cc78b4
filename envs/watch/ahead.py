"""The agent's own view: the same drawings as in the view from above, seen by a camera at its eye.

The bare room is drawn like the pixels sensor. Boxes are taller than the eye and hide everything behind them, so the
visible part of a disc is determined column by column, as in that sensor.
"""

import math
from dataclasses import replace

import numpy as np
import pygame

from unseen.envs.planar.camera.lens import FADE
from unseen.envs.planar.camera.picture import render
from unseen.envs.watch.brush import CLOSE, FINE, WHITE, Ahead, times
from unseen.envs.watch.fog import box_corners
from unseen.envs.watch.scene import Box, Disc, Scene, distance_to
from unseen.envs.watch.theme import RGB
from unseen.envs.watch.things import clear, draw_box, draw_disc, draw_props

TINT: dict[str, RGB] = {"dusk": (143, 153, 199)}


def draw_ahead(scene: Scene, record: np.void, width: int, height: int, fov: float) -> pygame.Surface:
    """What the agent of `scene`, read from `record`, sees over `fov` radians ahead."""
    bare = record.copy()
    bare["n_boxes"] = bare["n_discs"] = 0
    room = pygame.surfarray.make_surface(np.asarray(render(bare, width, height, fov)).swapaxes(0, 1))
    if scene.dark:
        return room
    eye = Ahead((width * FINE, height * FINE), *scene.agent, fov)
    canvas = pygame.transform.smoothscale(room, eye.size)
    light = _light(scene, eye, 0.0, 0.0)
    draw_props(canvas, eye, scene.under, light)
    shown = [box for box in scene.boxes if _before(eye, box)]
    shown.sort(key=lambda box: -distance_to(box, (eye.x, eye.y)))
    solid = [box for box in shown if not clear(scene, box) and scene.light != "reveal"]
    for box in solid:
        falls = _light(scene, eye, box.x, box.y)
        draw_box(canvas, eye, box, [True] * 4, falls, falls, box.identified)
    reach = _reach(eye, solid)
    discs = [disc for disc in scene.discs if disc.seen]
    discs.sort(key=lambda disc: -math.hypot(disc.x - scene.agent[0], disc.y - scene.agent[1]))
    for disc in discs:
        _disc(canvas, eye, scene, disc, reach)
    rest = [box for box in shown if box not in solid]
    if rest:
        layer = pygame.Surface(eye.size, pygame.SRCALPHA)
        for box in rest:
            falls = _light(scene, eye, box.x, box.y)
            pane = replace(box, kind="glass", rgb=(196, 220, 230)) if clear(scene, box) else box
            draw_box(layer, eye, pane, [True] * 4, falls, falls, box.identified)
        layer.set_alpha(104)
        canvas.blit(layer, (0, 0))
    draw_props(canvas, eye, scene.over, light)
    return pygame.transform.smoothscale(canvas, (width, height))


def _light(scene: Scene, eye: Ahead, x: float, y: float) -> RGB:
    """The colour of the light on something at (x, y); it gets darker with distance."""
    left = 255 / (1 + FADE * math.hypot(x - eye.x, y - eye.y))
    return times(TINT.get(scene.light, WHITE), (round(left), round(left), round(left)))


def _before(eye: Ahead, box: Box) -> bool:
    """Whether any part of a box is in front of the camera."""
    return bool((eye.frame(box_corners(box))[:, 0] > CLOSE).any())


def _reach(eye: Ahead, boxes: list[Box]) -> np.ndarray:
    """For each fine column, the distance ahead of the nearest box, m."""
    w = eye.size[0]
    left = (w / 2 - (np.arange(w) + 0.5)) / eye.focal
    c, s = math.cos(eye.heading), math.sin(eye.heading)
    ray = np.stack([c - left * s, s + left * c], axis=1)  # one metre ahead
    reach = np.full(w, np.inf)
    for box in boxes:
        enter, leave = np.zeros(w), np.full(w, np.inf)
        for axis, half in (((box.cos, box.sin), box.hx), ((-box.sin, box.cos), box.hy)):
            start = (eye.x - box.x) * axis[0] + (eye.y - box.y) * axis[1]
            step = ray @ axis
            step = np.where(np.abs(step) < 1e-12, 1e-12, step)
            one, two = (-half - start) / step, (half - start) / step
            enter, leave = np.maximum(enter, np.minimum(one, two)), np.minimum(leave, np.maximum(one, two))
        reach = np.where(enter < leave, np.minimum(reach, enter), reach)
    return reach


def _disc(canvas: pygame.Surface, eye: Ahead, scene: Scene, disc: Disc, reach: np.ndarray) -> None:
    """Draw a disc in the columns in which no box is nearer."""
    ahead = float(eye.frame([(disc.x, disc.y)])[0, 0])
    if ahead <= CLOSE:
        return
    light = _light(scene, eye, disc.x, disc.y)
    (middle,) = eye.at([(disc.x, disc.y)])
    wide = 3 * disc.radius * eye.focal / ahead
    left, right = (int(np.clip(middle[0] + side * wide, 0, eye.size[0])) for side in (-1, 1))
    open_ = reach > ahead
    if disc.touched or open_[left:right].all():
        draw_disc(canvas, eye, disc, disc.identified, light)
        return
    layer = pygame.Surface(eye.size, pygame.SRCALPHA)
    draw_disc(layer, eye, disc, disc.identified, light)
    open_[:left] = open_[right:] = False
    edges = np.flatnonzero(np.diff(np.concatenate([[False], open_, [False]])))
    for start, end in edges.reshape(-1, 2):
        canvas.blit(layer, (start, 0), (start, 0, end - start, eye.size[1]))
