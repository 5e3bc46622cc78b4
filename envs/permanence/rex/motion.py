"""The motion of the dogs in Rex, which follow a script drawn at the reset. Metres, seconds, radians."""

import math

from unseen.envs.core.device import device
from unseen.envs.planar.world import DT

BACK = 0.65  # m from a piece's centre to the spot behind it
GIVE_WAY = 0.19  # m by which each of two meeting dogs swerves
FEINT = 0.42  # fraction of the way to the next piece after which dogs turn back in a feint


@device
def spot_behind(s, k):
    """The spot (x, y) behind piece k."""
    return s.box_x[k] + BACK * s.box_cos[k], s.box_y[k] + BACK * s.box_sin[k]


@device
def _arc(s, k):
    """The angle (rad) from piece k to the next one, counter-clockwise."""
    if k == s.n_boxes - 1:
        return s.angle[0] + 2.0 * math.pi - s.angle[k]
    return s.angle[k + 1] - s.angle[k]


@device
def scripted_place(s, p, j, t):
    """The position (x, y) of dog j at step t.

    It runs through its gap to the dogs' ring, then along the ring to its spot. In a meeting, two neighbours run towards
    each other on the ring, swerve to their right, and pass or turn back. Opposite a vacant piece, a dog does so alone.
    """
    ring = p.ring + BACK
    before = (s.home[j] + s.n_boxes - 1) % s.n_boxes
    half = 0.5 * (_arc(s, s.home[j]) if s.side[j] > 0 else -_arc(s, before))
    u = min(max(t - s.launch[j], 0), s.run_steps + s.round_steps)
    d = s.start[j] + (ring - s.start[j]) * min(u / s.run_steps, 1.0)
    a = s.angle[s.home[j]] + half * (1.0 - max(u - s.run_steps, 0) / s.round_steps)
    for m in range(s.n_meetings):
        w = (t - s.first_meeting - m // p.pairs * s.meeting_steps) / s.meeting_steps
        if w <= 0.0:
            break
        way = (1.0 if s.lower[m] == j else 0.0) - (1.0 if s.upper[m] == j else 0.0)
        if way != 0.0:
            w = min(w, 1.0)
            f = w if s.passes[m] != 0 else 2.0 * FEINT * min(w, 1.0 - w)
            a += way * f * _arc(s, s.gap[m])
            d += way * GIVE_WAY * math.sin(math.pi * f)
    return d * math.cos(a), d * math.sin(a)


@device
def set_velocities(s, p):
    """Set the velocity of every dog to that of its next step."""
    for j in range(s.n_discs):
        x, y = scripted_place(s, p, j, s.t + 1)
        dx = x - s.disc_x[j]
        dy = y - s.disc_y[j]
        moves = abs(dx) + abs(dy) > 1e-9
        s.disc_vx[j] = dx / DT if moves else 0.0
        s.disc_vy[j] = dy / DT if moves else 0.0
