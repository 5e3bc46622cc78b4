"""What both cameras share: the lens, the light, and the colours of things as arrays."""

import math

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.planar import palette

WIDEST = 2.0 * math.pi / 3.0  # rad: the widest field of view in perspective; beyond it a picture is a panorama
FADE = 0.05  # share of the light that a metre takes away
VEIL = 0.34  # how much of what is behind it glass covers
LID = 1.1  # light on the top of a disc

TINT = np.array([[1.0, 1.0, 1.0], [0.56, 0.60, 0.78]])  # of the light by day and in the dusk
DISCS = np.array([*(rgb for _, rgb in palette.SMALL), palette.UNKNOWN], np.float64)
UNKNOWN = len(palette.SMALL)  # index of a disc whose colour cannot be told
BOXES = np.array(palette.TALL, np.float64)
WALL = np.array(palette.WALL, np.float64)
FLOOR = np.array(palette.FLOOR, np.float64)
SKY = np.array(palette.SKY, np.float64)
CLOTH = np.array([62.0, 48.0, 88.0])  # what shows in a blackout


@device
def in_perspective(fov):
    """Whether a field of view of `fov` rad is shown in perspective, else as a panorama."""
    return fov <= WIDEST + 1e-9


@device
def box_light(nx, ny):
    """Light on the side of a box with the outward normal (nx, ny); it comes from one side, so that sides differ."""
    return 0.84 + 0.14 * (0.5 * ny - 0.85 * nx)
