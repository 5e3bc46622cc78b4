"""Lens, light and colour arrays shared by both cameras."""

import math

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.planar import palette

WIDEST = 2.0 * math.pi / 3.0  # rad: the widest perspective field of view; wider ones are drawn as a panorama
FADE = 0.05  # attenuation of light per metre
VEIL = 0.34  # opacity of glass
LID = 1.1  # light on the top of a disc

TINT = np.array([[1.0, 1.0, 1.0], [0.56, 0.60, 0.78]])  # colour of the light by day and at dusk
DISCS = np.array([*(rgb for _, rgb in palette.SMALL), palette.UNKNOWN], np.float64)
UNKNOWN = len(palette.SMALL)  # index of the colour of an unidentified disc
BOXES = np.array(palette.TALL, np.float64)
WALL = np.array(palette.WALL, np.float64)
FLOOR = np.array(palette.FLOOR, np.float64)
SKY = np.array(palette.SKY, np.float64)
CLOTH = np.array([62.0, 48.0, 88.0])  # shown in a blackout


@device
def in_perspective(fov):
    """Whether a field of view of `fov` rad is drawn in perspective rather than as a panorama."""
    return fov <= WIDEST + 1e-9


@device
def box_light(nx, ny):
    """Light on a box face with outward normal (nx, ny). The light is directional, so that faces differ."""
    return 0.84 + 0.14 * (0.5 * ny - 0.85 * nx)
