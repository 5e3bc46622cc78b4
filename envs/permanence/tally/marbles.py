"""The motion of the marbles in Tally: in from a crate on one side, into a nest behind the screen, out to the other crate."""

import math

from unseen.envs.core.device import device
from unseen.envs.core.rng import below

MAX_MARBLES = 26  # in play at once
BEAT = 2  # steps from one move to the next
NEST_Y = 0.5  # y of the nest behind the screen, m; its x is 0
MOUTH = 1.55  # |x| at which marbles rest in front of a crate, m
MIDWAY = 1.15  # |x| at which they are seen rolling, m
ROLL_SPEED = 2.8  # m/s, there
LANE = 0.25  # m between marbles that roll side by side
STAGGER = 0.2  # m of offset in x per metre to the side, so that the order of slots depends on nothing hidden
BEHIND, ENTERING, LEAVING = 0, 1, 2  # `motion` of a marble
OWN, SAME, TWO = 0, 1, 2  # `looks`: a colour per marble, all alike, two colours


@device
def group_of(s, p, k):
    """The group that marble k belongs to: its colour if there are two colours, else 0."""
    return s.disc_colour[k] if p.looks == TWO else 0


@device
def one_behind(s, p, c):
    """A uniformly drawn marble of group c behind the screen; -1 for none."""
    found = 0
    marble = -1
    for k in range(s.n_discs):
        if s.motion[k] == BEHIND and group_of(s, p, k) == c:
            found += 1
            if below(s, found) == 0:
                marble = k
    return marble


@device
def clear_marbles(s):
    """Remove all marbles and zero their fields."""
    s.n_discs = 0
    for k in range(MAX_MARBLES):
        s.disc_x[k] = 0.0
        s.disc_y[k] = 0.0
        s.disc_vx[k] = 0.0
        s.disc_vy[k] = 0.0
        s.disc_radius[k] = 0.0
        s.disc_colour[k] = 0
        s.disc_cover[k] = 0
        s.motion[k] = 0
        s.since[k] = 0
        s.lane[k] = 0.0
        s.spot[k] = 0


@device
def remove_marble(s, k):
    """Remove marble k from the world. The last marble takes its index."""
    j = s.n_discs - 1
    s.disc_x[k] = s.disc_x[j]
    s.disc_y[k] = s.disc_y[j]
    s.disc_vx[k] = s.disc_vx[j]
    s.disc_vy[k] = s.disc_vy[j]
    s.disc_radius[k] = s.disc_radius[j]
    s.disc_colour[k] = s.disc_colour[j]
    s.disc_cover[k] = s.disc_cover[j]
    s.motion[k] = s.motion[j]
    s.since[k] = s.since[j]
    s.lane[k] = s.lane[j]
    s.spot[k] = s.spot[j]
    s.n_discs = j


@device
def move_marbles(s, p):
    """Move every marble to its position at step s.t, and start the move of a new beat.

    Entering: at rest in front of its crate, rolling, behind the screen. Leaving: rolling, at rest in front of the other
    crate, removed.
    """
    k = 0
    while k < s.n_discs:
        age = s.t - s.since[k]
        gone = False
        if s.motion[k] == ENTERING:
            if age == 1:
                _show(s, k, s.side * MIDWAY, -s.side * ROLL_SPEED)
            elif age == 2:
                _settle(s, k)
        elif s.motion[k] == LEAVING:
            if age == 1:
                _show(s, k, -s.side * MIDWAY, -s.side * ROLL_SPEED)
            elif age == 2:
                _show(s, k, -s.side * MOUTH, 0.0)
            else:
                remove_marble(s, k)
                gone = True
        if not gone:
            k += 1
    beat = s.t // BEAT
    if s.t % BEAT == 0 and beat < s.n_beats:
        _begin_move(s, p, beat)


@device
def _begin_move(s, p, beat):
    """Start the marbles that leave and enter in this beat, side by side. Updates s.left."""
    c = s.group[beat]
    for i in range(s.outs[beat]):
        k = one_behind(s, p, c)
        s.motion[k] = LEAVING
        s.since[k] = s.t
        s.lane[k] = LANE * (i - 0.5 * (s.outs[beat] - 1))
    for i in range(s.ins[beat]):
        k = s.n_discs
        s.disc_colour[k] = _draw_colour(s, p, c)
        s.n_discs = k + 1
        s.disc_radius[k] = s.marble_radius
        s.disc_vy[k] = 0.0
        s.motion[k] = ENTERING
        s.since[k] = s.t
        s.spot[k] = -1
        s.lane[k] = LANE * (i - 0.5 * (s.ins[beat] - 1))
        _show(s, k, s.side * MOUTH, 0.0)
    s.left[c] += s.ins[beat] - s.outs[beat]


@device
def _draw_colour(s, p, c):
    """A colour for a new marble of group c; if each has its own, uniform over those not in play."""
    if p.looks != OWN:
        return c
    found = 0
    colour = 0
    for i in range(p.colours):
        unused = True
        for k in range(s.n_discs):
            if s.disc_colour[k] == i:
                unused = False
        if unused:
            found += 1
            if below(s, found) == 0:
                colour = i
    return colour


@device
def _show(s, k, x, vx):
    """Place marble k in the open on its lane, at about x (m), with velocity vx (m/s)."""
    s.disc_x[k] = x + STAGGER * s.lane[k]
    s.disc_y[k] = NEST_Y + s.lane[k]
    s.disc_vx[k] = vx
    s.disc_cover[k] = 0


@device
def _settle(s, k):
    """Place marble k at rest in the nest, in the innermost free spot of a spiral."""
    spot = 0
    taken = True
    while taken:
        taken = False
        for j in range(s.n_discs):
            if j != k and s.motion[j] != ENTERING and s.disc_cover[j] != 0 and s.spot[j] == spot:
                taken = True
        spot += taken
    d = 1.15 * s.disc_radius[k] * math.sqrt(spot + 0.5)
    s.spot[k] = spot
    s.disc_x[k] = d * math.cos(2.4 * spot)
    s.disc_y[k] = NEST_Y + d * math.sin(2.4 * spot)
    s.disc_vx[k] = 0.0
    s.motion[k] = BEHIND
    s.disc_cover[k] = 1
