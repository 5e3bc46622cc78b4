"""`pixels`: a first-person image over the whole field of view, 64 x 64 x 3, above a strip with non-visual signals."""

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.planar.camera.lens import CLOTH, DISCS
from unseen.envs.planar.camera.picture import paint
from unseen.envs.planar.camera.raster import STRIP, draw
from unseen.envs.planar.free import shows_query
from unseen.envs.planar.world import NIGHT

_WHITE = np.array([255.0, 255.0, 255.0])


@device
def write_pixels(s, p, o):
    """Write the image into o (64, 64, 3) uint8.

    Its lowest STRIP rows show the queried colour (dark while there is no query). Their left end is white in a step in
    which a bump is heard; their right end has the colour of the touched object. The lower half of the strip shows the
    task's signals, if any, from dark (-1) to bright (1).
    """
    if s.light <= NIGHT:
        paint(s, o, s.fov)
    else:
        draw(s, o)
    width = o.shape[1]
    eighth = width // 8
    _fill_strip(o, 0, eighth, _WHITE, s.bump != 0)
    _fill_strip(o, eighth, width - eighth, DISCS[max(s.query, 0)], s.query >= 0 and shows_query(p))
    _fill_strip(o, width - eighth, width, DISCS[max(s.contact, 0)], s.contact >= 0)
    for i in range(p.signals):
        level = np.uint8(127.5 + 127.5 * min(max(s.signal[i], -1.0), 1.0))
        for x in range(width * i // p.signals, width * (i + 1) // p.signals):
            for y in range(o.shape[0] - STRIP // 2, o.shape[0]):
                o[y, x, 0] = level
                o[y, x, 1] = level
                o[y, x, 2] = level


@device
def _fill_strip(o, left, right, rgb, lit):
    """Fill columns left..right of the strip with a colour if `lit`, else with dark cloth."""
    r = np.uint8(rgb[0] if lit else 0.4 * CLOTH[0])
    g = np.uint8(rgb[1] if lit else 0.4 * CLOTH[1])
    b = np.uint8(rgb[2] if lit else 0.4 * CLOTH[2])
    for y in range(o.shape[0] - STRIP, o.shape[0]):
        for x in range(left, right):
            o[y, x, 0] = r
            o[y, x, 1] = g
            o[y, x, 2] = b
