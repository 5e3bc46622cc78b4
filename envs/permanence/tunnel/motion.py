"""The motion of the balls in Tunnel, an exact function of the step and of the drawn episode. Metres, seconds."""

from unseen.envs.core.device import device
from unseen.envs.permanence.tunnel.draw import exit_x
from unseen.envs.planar.world import DT

STRIP = 0.3  # m from an exit to the gutter into which balls disappear


@device
def opening(s, p, k):
    """How far the gate of exit k is open, from 1 to 0: it shuts."""
    part = max(0.0, 1.0 - s.stood_on[k] / (p.patience + 1.0))
    if p.lever > 0:
        part *= max(0.0, 1.0 - (s.t - s.pulled_at) / (p.lever + 1.0)) if s.pulled_at >= 0 else 0.0
    return part


@device
def move_ball(s, p, j):
    """Move ball j to its position at step s.t, and set s.out[j] when it reaches its gate.

    It rolls straight at its entry speed to the end of the hall, where it may be held up; then down the lane, more slowly
    on a carpet; then out at its entry speed and into the gutter, unless its gate is shut. With p.chute it is covered as it
    comes out.
    """
    k = s.exit[j]
    x = exit_x(p, k)
    v = s.speed[j]
    t = (s.t - s.launch[j]) * DT
    if t < 0.0:
        _set_ball(s, j, s.start_x[j], s.start_y[j], 0.0, 0.0, 0)
        return
    if v * t < s.to_lane[j]:
        y = s.start_y[j] + v * t * s.dir_y[j]
        _set_ball(s, j, s.start_x[j] + v * t * s.dir_x[j], y, v * s.dir_x[j], v * s.dir_y[j], 1 if y < p.top else 0)
        return
    t -= s.to_lane[j] / v + s.wait[j] * DT
    if t < 0.0:
        _set_ball(s, j, x, p.bend, 0.0, 0.0, 1)
        return
    slow = v * s.factor[k]
    if slow * t < p.lane:
        _set_ball(s, j, x, p.bend - slow * t, 0.0, -slow, 1)
        return
    if s.out[j] == 0:
        s.out[j] = 1 if opening(s, p, k) > 0.0 else -1
    past = v * (t - p.lane / slow)
    if s.out[j] < 0:
        _set_ball(s, j, x, p.mouth + s.disc_radius[j], 0.0, 0.0, 1)
    elif past < STRIP:
        _set_ball(s, j, x, p.mouth - past, 0.0, -v, p.chute)
    else:
        _set_ball(s, j, x, p.mouth - STRIP, 0.0, 0.0, 1)


@device
def _set_ball(s, j, x, y, vx, vy, covered):
    """Set position (m), velocity (m/s) and cover of ball j."""
    s.disc_x[j] = x
    s.disc_y[j] = y
    s.disc_vx[j] = vx
    s.disc_vy[j] = vy
    s.disc_cover[j] = covered
