"""The roll of the ball in Ramps, step by step, after `lanes.ball_at`.

s.rolling is 0 while the ball is in the launcher, then the step number of the roll, and AT_REST after the roll.
"""

import math

from unseen.envs.core.device import device
from unseen.envs.grid.cells import ROW_BITS, index, shift
from unseen.envs.grid.floor import DT, FRICTION, middle
from unseen.envs.planar.physics import launch_speed
from unseen.envs.planning.ramps.lanes import BALL, BLOCK, KNOCKS, RESTS, ROLLS, STOPS, ball_at, run_of

STANCE = 0.3  # the builder stands this many cells south of a cell's centre, beside the deflector
AT_REST = -1


@device
def place_builder(s):
    """Move the builder, the launcher, and the ball if it is in the launcher, according to s.here."""
    s.agent_x, s.agent_y = middle(s, index(s.here))
    s.box_x[0] = s.west - 0.5 * s.cell_size
    s.box_y[0] = s.agent_y
    s.agent_y -= STANCE * s.cell_size
    if s.rolling == 0:
        s.disc_x[BALL] = s.box_x[0]
        s.disc_y[BALL] = s.box_y[0]


@device
def release(s):
    """Release the ball in the builder's row."""
    s.releases_left -= 1
    s.rolling = 1
    s.roll_row = index(s.here) // ROW_BITS


@device
def put_back(s):
    """After a miss: move the ball back into the launcher, and the block back to its cell."""
    s.rolling = 0
    s.disc_x[BLOCK], s.disc_y[BLOCK] = middle(s, index(s.goal))
    place_builder(s)


@device
def roll_steps(s, p, power):
    """Number of steps of a roll with this power, if nothing stops the ball."""
    return int(math.ceil(launch_speed(run_of(s, p, power), FRICTION) / FRICTION / DT))


@device
def _unit(d):
    """Direction d as a unit vector (east, north)."""
    return (1.0 - d if d % 2 == 0 else 0.0), (2.0 - d if d % 2 == 1 else 0.0)


@device
def _knock_block(s, d, way):
    """Move the block by up to `way` metres in direction d; deflectors and anything solid stop it."""
    cells = 0
    cell = shift(s.goal, d)
    while cell & s.free & ~(s.slash | s.back) != 0:
        cells += 1
        cell = shift(cell, d)
    x, y = middle(s, index(s.goal))
    way = min(way, cells * s.cell_size)
    east, north = _unit(d)
    s.disc_x[BLOCK] = x + way * east
    s.disc_y[BLOCK] = y + way * north


@device
def roll_ball(s, p):
    """Advance the roll by one step. Writes ball, block, bump and s.rolling.

    Returns whether the roll is over, and whether the ball came to rest against the block.
    """
    run = run_of(s, p, s.power)
    launched = launch_speed(run, FRICTION)
    t = s.rolling * DT
    way = run
    speed = 0.0
    if t < launched / FRICTION:
        way = (launched - 0.5 * FRICTION * t) * t
        speed = launched - FRICTION * t
    end, cell, d, beyond, gone = ball_at(s, p, s.free, s.slash, s.back, s.roll_row, run, way)
    x = s.west - 0.5 * s.cell_size
    y = (s.roll_row + 0.5) * s.cell_size - s.room_hy
    if cell != 0:
        x, y = middle(s, index(cell))
    east, north = _unit(d)
    s.disc_x[BALL] = x + beyond * east
    s.disc_y[BALL] = y + beyond * north
    moved = s.rolling == 1 or s.disc_vx[BALL] != 0.0 or s.disc_vy[BALL] != 0.0
    s.bump = 1 if moved and end != ROLLS else 0
    speed_now = speed if end == ROLLS else 0.0
    s.disc_vx[BALL] = speed_now * east
    s.disc_vy[BALL] = speed_now * north
    if end == KNOCKS:
        _knock_block(s, d, way - gone)
    over = end == RESTS or end == STOPS or speed == 0.0
    s.rolling = AT_REST if over else s.rolling + 1
    return over, end == RESTS
