"""How a flat of Unblock is drawn: walls with doorways between two to four rooms, and crates in or near the doorways.

One wall runs from side to side of the flat, and up to two arms branch off it.
"""

from unseen.envs.core.device import device
from unseen.envs.core.rng import below
from unseen.envs.grid.cells import bit, count, index, neighbours, nth, square
from unseen.envs.grid.floor import SLIM, box_in, box_over

CRATE, WALL = 0, 1  # kinds of boxes
MAX_CRATES = 5
MAX_WALLS = 7  # boxes: three of the wall from side to side, two of each arm


@device
def _on_line(flip, upright, line, i):
    """Cell i of a line of cells, as a mask: x = line if `upright`, else y = line; the other way round if flipped."""
    return bit(line, i) if upright != flip else bit(i, line)


@device
def _draw_wall(s, doorways, flip, upright, line, low, high):
    """Wall in cells low..high of a line but for doorways, one box for each run of cells; takes them out of s.free."""
    first = low
    for i in range(low, high + 2):
        if i <= high and _on_line(flip, upright, line, i) & doorways == 0:
            s.free &= ~_on_line(flip, upright, line, i)
            continue
        if i > first:
            if upright != flip:
                box_over(s, WALL, 0.5, line, first, line, i - 1)
            else:
                box_over(s, WALL, 0.5, first, line, i - 1, line)
        first = i + 1


@device
def draw_walls(s, p, n):
    """Draw the walls of a flat of n x n cells: writes s.free and the boxes, behind those in s. Returns the doorways."""
    s.free = square(n)
    flip = below(s, 2)
    line = 2 + below(s, n - 4)  # where the wall from side to side stands
    arm = 2 + below(s, n - 4)
    left = p.rooms == 4 or (p.rooms == 3 and below(s, 2) == 0)
    right = p.rooms == 4 or (p.rooms == 3 and not left)
    if p.rooms == 2:
        doorways = _on_line(flip, 1, line, below(s, n))
    else:
        doorways = _on_line(flip, 1, line, below(s, arm)) | _on_line(flip, 1, line, arm + 1 + below(s, n - 1 - arm))
    if left:
        doorways |= _on_line(flip, 0, arm, below(s, line))
    if right:
        doorways |= _on_line(flip, 0, arm, line + 1 + below(s, n - 1 - line))
    if p.rooms > 2 and below(s, 2) == 0:  # half of the flats lack one doorway
        doorways ^= nth(doorways, below(s, count(doorways)))
    _draw_wall(s, doorways, flip, 1, line, 0, n - 1)
    if left:
        _draw_wall(s, doorways, flip, 0, arm, 0, line - 1)
    if right:
        _draw_wall(s, doorways, flip, 0, arm, line + 1, n - 1)
    return doorways


@device
def draw_crates(s, p, doorways):
    """Draw the crates, each in a doorway or within two cells of one, the first in one: writes s.crates, s.crate_cell and
    the first boxes of the record."""
    s.crates = 0
    near = neighbours(doorways) & s.free
    near = (neighbours(near) | near | doorways) & s.free
    walls = s.n_boxes
    s.n_boxes = 0
    for k in range(p.crates):
        spots = doorways & ~s.crates
        if spots == 0 or (k > 0 and below(s, 2) == 0):
            spots = near & ~s.crates
        cell = nth(spots, below(s, count(spots)))
        s.crates |= cell
        s.crate_cell[k] = index(cell)
        box_in(s, CRATE, SLIM, cell)
    s.n_boxes = walls
