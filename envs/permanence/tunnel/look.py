"""How Tunnel looks: plates, gates and the carpets of lanes, drawn from the signals that every agent gets. Metres."""

import math

import numpy as np

from unseen.envs.permanence.tunnel.draw import SPACING
from unseen.envs.permanence.tunnel.rules import PLATE, PLATE_AT
from unseen.envs.planar.task import Look, Prop, stages

OPEN, SHUT, STEEL, CARPET, STRIPE = (112, 178, 232), (74, 68, 78), (58, 60, 72), (66, 62, 80), (246, 226, 190)
ROOF = 0.56  # m, just above the top of the tunnel
LEAF = 0.42  # half width of a gate with two leaves, m


def _exits(record, params):
    """x of each exit and how far its gate is open."""
    return [((k - 0.5 * (params.exits - 1)) * SPACING, float(record["signal"][k])) for k in range(params.exits)]


def _sector(x, y, part):
    """A sector of a plate as a polygon: `part` of the whole, from the north clockwise."""
    turn = 0.5 * math.pi - np.linspace(0.0, 2 * math.pi * part, 2 + round(40 * part))
    rim = np.stack([x + 0.88 * PLATE * np.cos(turn), y + 0.88 * PLATE * np.sin(turn)], axis=1)
    return rim if part == 1.0 else [(x, y), *rim]


def paint_plates(brush, record, params):
    """Each plate is a dial of how far its gate is open; it is crossed out when the gate is shut."""
    y = params.mouth - PLATE_AT
    for x, part in _exits(record, params):
        brush.plate(_sector(x, y, 1.0), 0.0, SHUT, -0.4)
        if part > 0.0:
            brush.plate(_sector(x, y, part), 0.0, OPEN)
            continue
        arm = 0.5 * PLATE
        for side in (-1, 1):
            brush.line([(x - arm, y - side * arm), (x + arm, y + side * arm)], 0.0, STRIPE, 0.06)


def paint_gates(brush, record, params):
    """The two leaves of each gate slide together in front of its exit as it shuts."""
    for x, part in _exits(record, params):
        wide = LEAF * (1.0 - part)
        if wide > 0.0:
            for left in (x - LEAF, x + LEAF - wide):
                brush.box(left, params.mouth - 0.06, left + wide, params.mouth - 0.02, 0.0, 0.34, STEEL, rim=0.5)


def paint_carpets(brush, record, params):
    """A carpet on the roof of each slow lane: the denser its stripes, the slower is a ball inside."""
    if params.carpet == 1.0:
        return
    low, high = params.mouth + 0.1, params.bend - 0.1
    for k, (x, _) in enumerate(_exits(record, params)):
        factor = float(record["signal"][params.exits + k])
        if factor == 1.0:
            continue
        brush.plate([(x + 0.2, high), (x - 0.2, high), (x - 0.2, low), (x + 0.2, low)], ROOF, CARPET, -0.3)
        for y in np.arange(low + 0.08, high - 0.04, 0.08 + 0.5 * max(factor - 0.3, 0.0)):
            brush.line([(x - 0.15, y), (x + 0.15, y)], ROOF, STRIPE, 0.035)


def _near_side(record, params):
    """Whether the agent is on the side of the exits."""
    return record["agent_y"] < params.mouth


def _observe(record, params):
    ball = "A ball rolls" if params.balls == 1 else "Balls roll"
    what = "how fast, and at what angle" if params.fork > 0 else "how fast, and into which lane"
    more = ""
    if params.siding and record["held_up"]:
        more = " The sign on the roof: the first comes out last."
    elif params.carpet < 1:
        more = " A lane with denser stripes is slower."
    return f"{ball} into the tunnel: {what}?{more}"


def _blackout(record, params):
    ball = "The ball keeps" if params.balls == 1 else "The balls keep"
    return f"Blackout. {ball} rolling inside; the agent is moved to the other side."


def _act(record, params):
    if params.lever > 0 and record["pulled_at"] < 0:
        return f"All gates are shut. The lever in the corner opens them once, for {params.lever} steps."
    if params.lever > 0:
        return "The gates are closing. Be on the plate of the right exit when the ball comes out."
    return "Be on the plate of the right exit when the ball comes out. Standing there shuts its gate."


LOOK = Look(
    boxes=("tunnel", "tunnel", "siding", "lever"),
    discs=("ball",),
    phases=stages(lambda record, params: params.horizon - record["observe_steps"] - record["blackout_steps"]),
    request="catch the {} ball as it comes out",
    request_unknown="which ball to catch will be shown after the blackout",
    captions={
        "observe": _observe,
        "blackout": _blackout,
        "act": _act,
        "lit": _act,
        "over": "Lights on: the ball is out, or a shut gate has stopped it.",
        "end": "The end. A ball shows only if it was caught.",
    },
    won="caught it",
    lost="missed it",
    props=(
        Prop(paint_plates),
        Prop(paint_carpets, over=True, opacity=lambda s, p: 1.0 if _near_side(s, p) else 0.5),
        Prop(paint_gates, over=True, opacity=lambda s, p: 1.0 if _near_side(s, p) else 0.0),
    ),
)
