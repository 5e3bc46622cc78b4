"""Deflectors of Ramps: diagonal boxes in cells, after the `fixed_boxes` of the field, in the order of placement.

The masks `slash` (/) and `back` (\\) hold the cells with a deflector; `here` is the builder's cell.
"""

import math

from unseen.envs.core.device import device
from unseen.envs.grid.cells import count, index
from unseen.envs.grid.floor import cell_at, middle
from unseen.envs.planar.world import place_box
from unseen.envs.planning.ramps.draw import DEFLECTOR

MAX_DEFLECTORS = 3
ABSENT, SLASH, BACK = 0, 1, 2
THICK = 0.04  # m, half thickness


@device
def _place(s, k, way):
    """Place box k as a deflector (`way` is SLASH or BACK) in the builder's cell."""
    x, y = middle(s, index(s.here))
    sin = math.sqrt(0.5)
    place_box(s, k, DEFLECTOR, x, y, sin if way == SLASH else -sin, sin, 0.5 * s.cell_size, THICK)


@device
def _remove(s, k):
    """Remove box k, a deflector; the last deflector takes its index."""
    last = s.n_boxes - 1
    s.box_x[k], s.box_y[k], s.box_cos[k], s.box_sin[k] = s.box_x[last], s.box_y[last], s.box_cos[last], s.box_sin[last]
    place_box(s, last, 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    s.n_boxes = last


@device
def turn_deflector(s, p, onward):
    """Change the deflector in the builder's cell to its next state (none, /, \\, none), or to the previous one if not `onward`.

    Does nothing if another deflector would exceed p.deflectors. Writes boxes and masks.
    """
    way = SLASH if s.slash & s.here != 0 else BACK if s.back & s.here != 0 else ABSENT
    if way == ABSENT and count(s.slash | s.back) >= p.deflectors:
        return
    k = s.fixed_boxes
    while k < s.n_boxes and cell_at(s, s.box_x[k], s.box_y[k]) != s.here:
        k += 1
    s.slash &= ~s.here
    s.back &= ~s.here
    way = (way + (1 if onward else 2)) % 3
    if way == ABSENT:
        _remove(s, k)
        return
    if k == s.n_boxes:
        s.n_boxes = k + 1
    _place(s, k, way)
    if way == SLASH:
        s.slash |= s.here
    else:
        s.back |= s.here
