"""The three phases of an episode: observe, then a blackout of random length, then act, carried to another place.

The blackout and the new pose are what keep the agent's own position from being its memory. A task calls `reset_stage`
when it draws an episode and sets `s.observe_steps`, and calls `next_phase` once a step; `may_act` says whether the agent
may move.
"""

import math

from unseen.envs.core.device import device
from unseen.envs.core.rng import below, uniform
from unseen.envs.planar.world import ACT, BLACKOUT, DARK, DAY, OBSERVE, REVEAL, reset_room

CLOCK = 128.0  # steps for one unit of time in `state`


@device
def reset_stage(s, p):
    """Empty and light the room, put the agent on the mat, and draw the spawn pose and the length of the blackout."""
    reset_room(s, p)
    s.agent_x = uniform(s, -0.1, 0.1)
    s.agent_y = uniform(s, -0.1, 0.1)
    s.spawn_x = uniform(s, -p.scramble, p.scramble)
    s.spawn_y = uniform(s, -p.scramble, p.scramble)
    s.spawn_heading = uniform(s, -math.pi, math.pi)
    s.blackout_steps = p.blackout_low + below(s, p.blackout_high - p.blackout_low + 1)
    s.observe_steps = p.observe_steps


@device
def may_act(s):
    """Whether the agent's actions have an effect now."""
    return s.phase == ACT


@device
def acting(s, p):
    """`Hidden.when` of tasks with phases: in the act phase no short window of observations may tell what is hidden."""
    return s.phase == ACT


@device
def next_phase(s, light):
    """Enter the phase of step s.t. The act phase begins under `light`, or by day where boxes are of
    glass, at the spawn pose. Returns True in the step in which it begins."""
    if s.t >= s.observe_steps and s.phase == OBSERVE:
        s.phase = BLACKOUT
        s.light = DARK
    if s.t >= s.observe_steps + s.blackout_steps and s.phase != ACT:
        s.phase = ACT
        s.light = DAY if s.glass != 0 else light
        s.agent_x = s.spawn_x
        s.agent_y = s.spawn_y
        s.heading = s.spawn_heading
        return True
    return False


@device
def set_query(s, thing, late):
    """Ask for `thing`: at once, or if `late` only in the act phase."""
    s.query = thing if not late or s.phase == ACT else -1


@device
def out_of_time(s, p):
    """Whether the act phase has lasted its p.act steps."""
    return s.t >= s.observe_steps + s.blackout_steps + p.act


@device
def outcome(s, info, reward, done):
    """What a step gives. At an episode's end the lights go on, and `is_success` says whether there was a reward."""
    if done:
        s.light = REVEAL
        info[0] = 1.0 if reward > 0.0 else 0.0
    return reward, done, False


@device
def write_stage(s, p, o, at):
    """Write the clock, the spawn pose, the blackout's length and the light into o[at:at + 7] of a `state` row."""
    o[at] = s.t / CLOCK
    o[at + 1] = s.blackout_steps / CLOCK
    o[at + 2] = s.spawn_x / p.room
    o[at + 3] = s.spawn_y / p.room
    o[at + 4] = math.cos(s.spawn_heading)
    o[at + 5] = math.sin(s.spawn_heading)
    o[at + 6] = s.light
