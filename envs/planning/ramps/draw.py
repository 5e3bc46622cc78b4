"""How a field of Ramps is drawn: a screen and padded pillars on a square floor of cells."""

from unseen.envs.core.device import device
from unseen.envs.core.rng import below
from unseen.envs.grid.cells import EAST, bit, count, nth, square
from unseen.envs.grid.floor import SLIM, box_in, box_over
from unseen.envs.planning.ramps.lanes import swept

LAUNCHER, PILLAR, SCREEN, DEFLECTOR = 0, 1, 2, 3  # kinds of boxes, in the order of the record
MAX_PILLARS = 10


@device
def draw_field(s, p, n):
    """Draw a screen, at least one column from the rail and two from the eastern wall, and pillars: writes s.free,
    s.pillars and their boxes. Returns the cells where the block may lie: behind the screen, if it shall take a
    deflector to get there."""
    s.free = square(n)
    allowed = s.free
    x = 0
    y = 0
    if p.screen > 0:
        x = 1 + below(s, n - 3)
        y = below(s, n - p.screen + 1)
        screen = 0
        for k in range(p.screen):
            screen |= bit(x, y + k)
        if s.bends > 0:
            allowed = swept(screen, s.free, EAST)
        s.free &= ~screen
    s.pillars = 0
    for _ in range(p.pillars):
        cell = nth(s.free, below(s, count(s.free)))
        s.free ^= cell
        s.pillars |= cell
        box_in(s, PILLAR, SLIM, cell)  # its padding fills the cell
    if p.screen > 0:
        box_over(s, SCREEN, SLIM, x, y, x, y + p.screen - 1)
    return allowed & s.free
