"""The shortest path to the target of Detour, for the oracle, the tracker and the reset. Metres, radians."""

from unseen.envs.core.device import device
from unseen.envs.planar.navigate import arc_towards
from unseen.envs.planar.world import TURN
from unseen.envs.planning.detour.distance_field import fill_distances, mark_forbidden, mark_obstacles, place_ahead
from unseen.envs.planning.detour.draw import DOOR

REACH = 0.45  # m, centre to centre, at which a block is touched
LOOK_AHEAD = 5  # cells ahead on the path to steer towards
FORWARD, LEFT, RIGHT, STAY = 0, 1, 2, 3  # actions


@device
def plan_path(s, f):
    """Write into the FIELD f the distance to the target, by paths that touch no other block and respect one-way doors."""
    mark_obstacles(s, f, DOOR)
    for k in range(s.n_discs):
        if k != s.target:
            mark_forbidden(s, f, k, REACH)
    fill_distances(s, f, s.target, REACH - 0.08)


@device
def arc_to(s, x, y):
    """The arc from the agent straight towards (x, y)."""
    return arc_towards(s.agent_x, s.agent_y, s.heading, x, y, TURN)


@device
def arc_along_path(s, f):
    """The arc that follows the path of the FIELD f; STAY if there is no path."""
    x, y, found = place_ahead(s, f, LOOK_AHEAD)
    if not found:
        return STAY
    if (x - s.agent_x) ** 2 + (y - s.agent_y) ** 2 < 0.01:
        return arc_to(s, s.disc_x[s.target], s.disc_y[s.target])
    return arc_to(s, x, y)
