"""What the agent of Bedroom touches, reaches and hears. Metres."""

import math

from unseen.envs.core.device import device
from unseen.envs.permanence.bedroom.draw import VASE, spot_of
from unseen.envs.planar.geometry import disc_box
from unseen.envs.planar.world import AGENT_RADIUS

REACH = 0.72  # m from a spot within which its place is reached: each piece, inflated by the agent's radius, fits inside
TOUCH = 0.05  # m between the agent and a vase or crate at which they touch
CAT_REACH, PURR = 0.35, 1.0  # m from the cat's centre within which it is stepped on, and heard


@device
def _reached(s, p):
    """The place whose spot is nearest, if it is within REACH; else -1."""
    best = REACH
    near = -1
    for k in range(p.places):
        x, y = spot_of(s, k)
        d = math.sqrt((x - s.agent_x) ** 2 + (y - s.agent_y) ** 2)
        if d < best:
            best = d
            near = k
    return near


@device
def _touched_loose(s, p):
    """The box index of the vase or crate that the agent touches; -1 for none."""
    r = AGENT_RADIUS + TOUCH
    for k in range(p.places, s.n_boxes):
        depth, _, _ = disc_box(
            s.agent_x, s.agent_y, r, s.box_x[k], s.box_y[k], s.box_cos[k], s.box_sin[k], s.box_hx[k], s.box_hy[k]
        )
        if depth > 0.0:
            return k
    return -1


@device
def feel(s, p, x, y, acts):
    """Write contact, touched, and bump (1 if the cat is heard), for an agent that was at (x, y) one step ago.

    Returns the reward and whether the episode ends, which count only if the agent `acts`.
    """
    place = _reached(s, p)
    loose = _touched_loose(s, p)
    if loose >= 0:
        s.contact = s.box_kind[loose]
    elif place >= 0:
        s.contact = place
    stepped_on = False
    if s.n_discs > 0:
        d = math.sqrt((s.disc_x[0] - s.agent_x) ** 2 + (s.disc_y[0] - s.agent_y) ** 2)
        s.bump = 1 if d < PURR else 0
        # Only if the agent came nearer: the cat may also walk up to the agent.
        stepped_on = d < CAT_REACH and d < math.sqrt((s.disc_x[0] - x) ** 2 + (s.disc_y[0] - y) ** 2)
    if stepped_on and acts:
        s.touched = 0
    lost = stepped_on or s.contact == VASE
    return (1.0 if place == s.target and not lost else 0.0), lost or place >= 0
