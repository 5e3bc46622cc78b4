"""The three phases of an episode: observe, a blackout of random length, then act from a new pose.

Because of the blackout and the new pose, the agent cannot use its own position as a memory. A task calls `reset_stage`
when it draws an episode, may set `s.observe_steps`, and calls `next_phase` once per step.
"""

import math

from unseen.envs.core.device import device
from unseen.envs.core.rng import below, uniform
from unseen.envs.planar.free import without_question
from unseen.envs.planar.world import ACT, BLACKOUT, DARK, DAY, OBSERVE, REVEAL, reset_room

CLOCK = 128.0  # steps per unit of time in `state`
FIXED, FIRST, LATE = 0, 1, 2  # `query`: always the same; drawn and shown from the start; shown in the act phase


@device
def reset_stage(s, p):
    """Empty and light the room, put the agent on the mat, and draw the spawn pose and the length of the blackout.

    Writes every field of the room, the agent, the query and the phases.
    """
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
    """`Hidden.when` of tasks with phases: True in the act phase."""
    return s.phase == ACT


@device
def next_phase(s, light):
    """Enter the phase of step s.t. Writes phase, light and pose.

    The act phase starts at the spawn pose under `light`, or by day if boxes are of glass. Returns True in the step in
    which it starts.
    """
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
    """Set the query to `thing`: at once, or if `late` only in the act phase."""
    s.query = thing if not late or s.phase == ACT else -1


@device
def out_of_time(s, p):
    """Whether the act phase has lasted its p.act steps."""
    return s.t >= s.observe_steps + s.blackout_steps + p.act


@device
def outcome(s, p, info, reward, over, late):
    """The return value of `step`: terminated if the episode is `over` (won or lost), truncated if only time is up (`late`).

    At the end of an episode, writes `is_success` (reward > 0) and, with p.reveal, reveals everything. In free play only time ends it.
    """
    reward, over = without_question(p, info, reward, over)
    if over or late:
        if p.reveal != 0:
            s.light = REVEAL
        info[0] = 1.0 if reward > 0.0 else 0.0
    return reward, over, late and not over


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
