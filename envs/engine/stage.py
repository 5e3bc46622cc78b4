"""The three acts of an episode: watch, then a curtain of random length, then act, carried to another place.

The curtain and the new pose are what keep the agent's own position from being its memory. A task calls `open_stage`
when it draws an episode and sets `s.watch`, and calls `advance` once a step; `free` says whether the agent may move.
"""

import math

from unseen.envs.engine.device import device
from unseen.envs.engine.rng import below, uniform
from unseen.envs.engine.world import ACT, CURTAIN, DAY, REVEAL, VEILED, WATCH

CLOCK = 128.0  # steps for one unit of time in `state`


@device
def open_stage(s, p):
    """An empty, lit room with the agent on the mat; draws its pose and the one after the curtain."""
    s.wx = p.room
    s.wy = p.room
    s.fov = p.fov * math.pi / 180.0
    s.light = DAY
    s.glass = p.glass
    s.near = 0.0
    s.plain = 0
    s.touched = -1
    s.held = -1
    s.heard = 0
    s.ask = -1
    s.phase = WATCH
    s.n_tall = 0
    s.n_small = 0
    s.ax = uniform(s, -0.1, 0.1)
    s.ay = uniform(s, -0.1, 0.1)
    s.ah = 0.5 * math.pi
    s.ox = 0.0
    s.oy = 0.0
    s.oh = 0.0
    s.px = uniform(s, -p.scramble, p.scramble)
    s.py = uniform(s, -p.scramble, p.scramble)
    s.ph = uniform(s, -math.pi, math.pi)
    s.curtain = p.curtain_low + below(s, p.curtain_high - p.curtain_low + 1)
    s.watch = p.watch


@device
def free(s):
    """Whether the agent may act."""
    return s.phase == ACT


@device
def advance(s, light):
    """Go on to the phase of step s.t (already counted); the act phase begins under `light`, or by day where things
    are of glass. True in the step in which it begins."""
    if s.t >= s.watch and s.phase == WATCH:
        s.phase = VEILED
        s.light = CURTAIN
    if s.t >= s.watch + s.curtain and s.phase != ACT:
        s.phase = ACT
        s.light = DAY if s.glass != 0 else light
        s.ax = s.px
        s.ay = s.py
        s.ah = s.ph
        return True
    return False


@device
def tell(s, thing, late):
    """Tell what is asked for; if it is asked late, only once the act phase has come."""
    s.ask = thing if not late or s.phase == ACT else -1


@device
def out_of_time(s, p):
    """Whether the act phase has lasted its p.act steps."""
    return s.t >= s.watch + s.curtain + p.act


@device
def outcome(s, reward, over):
    """What a step gives; at an episode's end the lights go on."""
    if over:
        s.light = REVEAL
    return reward, over, False


@device
def stage_state(s, p, o, at):
    """For `state`: the clock, what of the stage is still to come, and the light, in o[at:at + 7]."""
    o[at] = s.t / CLOCK
    o[at + 1] = s.curtain / CLOCK
    o[at + 2] = s.px / p.room
    o[at + 3] = s.py / p.room
    o[at + 4] = math.cos(s.ph)
    o[at + 5] = math.sin(s.ph)
    o[at + 6] = s.light
