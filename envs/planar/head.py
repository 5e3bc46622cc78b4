"""The head of every observation row: pose, phase, bump, query, contact, signals."""

import math

from unseen.envs.core.device import device
from unseen.envs.planar.free import shows_query
from unseen.envs.planar.layout import HEAD
from unseen.envs.planar.world import DARK, REVEAL


@device
def pose_errs(s):
    """1 if the reported pose differs from the true pose, else 0."""
    return (
        1
        if s.light != REVEAL and (s.pose_error_x != 0.0 or s.pose_error_y != 0.0 or s.pose_error_heading != 0.0)
        else 0
    )


@device
def write_head(s, p, o):
    """Write pose, phase, bump, query, contact and signals into o, and zero the rest of the row."""
    for i in range(o.shape[0]):
        o[i] = 0.0
    if s.light != DARK:
        lost = pose_errs(s)
        o[0] = (s.agent_x + lost * s.pose_error_x) / p.room
        o[1] = (s.agent_y + lost * s.pose_error_y) / p.room
        o[2] = math.cos(s.heading + lost * s.pose_error_heading)
        o[3] = math.sin(s.heading + lost * s.pose_error_heading)
    o[4 + s.phase] = 1.0
    o[7] = s.bump
    if s.query >= 0 and shows_query(p):
        o[HEAD + s.query] = 1.0
    if s.contact >= 0:
        o[HEAD + p.queries + s.contact] = 1.0
    for i in range(p.signals):
        o[HEAD + 2 * p.queries + i] = s.signal[i]
