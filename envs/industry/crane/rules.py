"""The rules of Crane: state, reset, step and what is observed. Metres, seconds, radians; a step is a fifth of a second."""

import math

from unseen.envs.core.device import device
from unseen.envs.core.rng import SHIFT, normal, uniform
from unseen.envs.core.task import FLOAT, INT, record
from unseen.envs.industry.kit.pendulum import amplitude, frequency, swing

STEPS = 300  # time limit
SECONDS, PARTS = 0.2, 4  # s of a step, and the substeps in which it is integrated
PUSH, WINDING = 0.8, 0.3  # m/s^2, m/s: the most that trolley and hoist can do
FASTEST = 2.5  # m/s, trolley
SHORTEST, LONGEST = 3.0, 12.0  # m, rope by the hoist's reading
BEYOND = 4.0  # m from start and target to the buffers
CALL = 0.8  # |a[2]| above which the load is set down (positive) or maintenance is called (negative), at the second step in a row
SERVICE = 60  # steps that maintenance takes
RIGHTEST, OFFSET = 0.08, 0.15  # least and greatest relative error of the hoist's reading
DRAG, DRAG_SPREAD = 0.0175, 0.0125  # 1/s: the middle of the range, and how far it reaches to either side
CALM = 0.004  # 1/s: on the split "shift" the drag is below this, and so below any in training
STILL, WILD = 0.01, 0.03  # rad, amplitude up to which the quality factor is 1; from which it is 0
NEAR, FAR = 0.15, 0.5  # m from the target, likewise; also in height
# Greatest costs: of time (all steps), of swing (a mean |angle| of SWUNG or more over all steps), of wear (1 or more).
TIME, SWING, WEAR = 0.15, 0.1, 0.1
SWUNG = 0.1  # rad
GOOD = 0.8  # quality of a success
TORN = 1.0  # rad: the load tears loose
MOST_ANGLE, MOST_RATE, MOST_WAY = 3.0, 20.0, 1e3  # rad, rad/s, m: the state has diverged
WINDOW = 16  # steps without a sighting after which the audit probes the last observations for the rope's length
DELIVERED, LEFT, FAILED, BUFFER, LOST, DIVERGED, RIDING = 0, 1, 2, 3, 4, 5, 6  # how an episode ended

STATE = record(
    ("x", FLOAT), ("v", FLOAT), ("push", FLOAT), ("target", FLOAT),  # trolley: m, m/s, m/s^2 in the last step; m
    ("hoist", FLOAT), ("winding", FLOAT), ("depth", FLOAT),  # the reading, m; m/s in the last step; m, of the target
    ("angle", FLOAT), ("rate", FLOAT), ("offset", FLOAT), ("drag", FLOAT),  # rad, rad/s; part of the reading; 1/s
    ("seen_angle", FLOAT), ("seen_rate", FLOAT), ("since", INT),  # the last sight and its age
    ("wear", FLOAT), ("logged", FLOAT), ("worn", FLOAT), ("service", INT),  # now; at the last inspection; caused; steps left
    ("calls", INT), ("swung", FLOAT), ("quality", FLOAT), ("ended_by", INT),  # in a row; sum of |angle|
)  # fmt: skip
# Where things are in the panel's row.
(WAY, SPEED, ACCEL, PLACE, HOIST, WOUND, LOWER, ANGLE, RATE, SEEN, AGE, ROPE, GAUGE, GAUGED, LOG, SERVICED, CALLED, CLOCK,
 PANEL_PARTS) = range(19)  # fmt: skip
STATE_EXTRA = 6


@device
def reset(s, p):
    """Draw a crane and a swinging load; trolley and hoist stand still."""
    s.x = s.v = s.push = s.winding = 0.0
    s.target = uniform(s, p.distance_low, p.distance_high)
    s.hoist = uniform(s, p.rope_low, p.rope_high)
    s.depth = uniform(s, p.rope_low, p.rope_high)
    v = p.variability
    s.offset = v * uniform(s, RIGHTEST, OFFSET)
    s.drag = DRAG + v * uniform(s, -DRAG_SPREAD, DRAG_SPREAD)
    if p.split == SHIFT:
        s.drag = uniform(s, 0.0, CALM)
    if uniform(s, 0.0, 1.0) < 0.5:
        s.offset = -s.offset
    start = 0.001 * uniform(s, p.swing_low, p.swing_high)
    s.angle = start * uniform(s, -1.0, 1.0)
    s.rate = math.sqrt(start * start - s.angle * s.angle) * frequency(length_of(s))
    if uniform(s, 0.0, 1.0) < 0.5:
        s.rate = -s.rate
    s.wear = s.logged = 0.01 * uniform(s, p.worn_low, p.worn_high)
    s.worn = s.swung = s.quality = 0.0
    s.service = s.calls = 0
    s.ended_by = RIDING
    look(s, p)
    return True


@device
def length_of(s):
    """The true length of the rope, m."""
    return s.hoist * (1.0 + s.offset)


@device
def look(s, p):
    """The load is seen every `blind` steps, with noise."""
    if s.t % p.blind == 0:
        s.seen_angle = min(max(s.angle + p.noise * normal(s), -TORN), TORN)
        s.seen_rate = min(max(s.rate + p.noise * normal(s), -2.0), 2.0)
        s.since = 0
    else:
        s.since += 1


@device
def falling(value, good, worthless):
    """1 up to `good`, 0 from `worthless` on."""
    return min(max((worthless - value) / (worthless - good), 0.0), 1.0)


@device
def quality(swinging, off, high):
    """Quality of a delivery, 0 to 1, by amplitude of the swing (rad), and error of the place along the rail and in height (m)."""
    return falling(swinging, STILL, WILD) * falling(abs(off), NEAR, FAR) * falling(abs(high), NEAR, FAR)


@device
def bill(s):
    """Cost of the swing and wear of the whole ride."""
    return SWING * min(s.swung / (SWUNG * STEPS), 1.0) + WEAR * min(s.worn, 1.0)


@device
def finish(s, info, how):
    """Fill `info` at the end of an episode. Returns the cost of swing and wear, which is charged only now."""
    s.ended_by = how
    info[0] = s.quality >= GOOD
    info[1] = s.quality
    info[2] = s.t * SECONDS
    info[3] = amplitude(s.angle, s.rate, length_of(s))
    info[4] = s.x + length_of(s) * s.angle - s.target
    info[5] = s.worn
    info[6] = s.swung / s.t
    info[7] = how
    return bill(s)


@device
def drive(s, p):
    """Advance trolley, hoist, load and wear by one step."""
    dt = SECONDS / PARTS
    for _ in range(PARTS):
        s.angle, s.rate = swing(
            s.angle, s.rate, length_of(s), s.winding * (1.0 + s.offset), s.push, s.drag, dt
        )  # fmt: skip
        s.hoist += s.winding * dt
        s.x += (s.v + 0.5 * s.push * dt) * dt
        s.v += s.push * dt
        worn = p.wear * s.push * s.push * (1.0 + abs(s.angle)) * dt
        s.worn += worn
        s.wear += worn
    if p.gust > 0.0:
        s.rate += p.gust * normal(s)
    s.swung += abs(s.angle)


@device
def command(s, a):
    """Set acceleration, winding and calls of this step from the action, within the limits."""
    push, winding, call = PUSH * a[0], WINDING * a[1], a[2]
    if s.service > 0:  # all stand still
        push, winding, call = -s.v / SECONDS, 0.0, 0.0
    push = min(max(push, -PUSH), PUSH)
    s.push = (min(max(s.v + push * SECONDS, -FASTEST), FASTEST) - s.v) / SECONDS
    s.winding = (min(max(s.hoist + winding * SECONDS, SHORTEST), LONGEST) - s.hoist) / SECONDS
    s.calls = max(s.calls, 0) + 1 if call > CALL else min(s.calls, 0) - 1 if call < -CALL else 0


@device
def diverged(s, info):
    """Fill `info` when the state has diverged."""
    s.ended_by = info[7] = DIVERGED


@device
def step(s, a, p, info):
    """One step; a: acceleration of the trolley, speed of the hoist (positive: down), and a call, each in [-1, 1]."""
    command(s, a)
    drive(s, p)
    if not (
        abs(s.angle) < MOST_ANGLE and abs(s.rate) < MOST_RATE and abs(s.x) < MOST_WAY and s.wear < MOST_WAY
    ):  # a NaN, too
        return math.nan, True, False
    reward = -TIME / STEPS
    if s.service > 0:
        s.service -= 1
        if s.service == 0:
            s.wear = s.logged = 0.0
    elif s.calls <= -2:
        s.service, s.calls = SERVICE, 0
    look(s, p)
    if s.wear >= 1.0:
        return reward - finish(s, info, FAILED), True, False
    if abs(s.angle) > TORN:
        return reward - finish(s, info, LOST), True, False
    if s.x < -BEYOND or s.x > s.target + BEYOND:
        return reward - finish(s, info, BUFFER), True, False
    if s.calls >= 2:
        rope = length_of(s)
        s.quality = quality(amplitude(s.angle, s.rate, rope), s.x + rope * s.angle - s.target, s.depth - s.hoist)
        return reward + s.quality - finish(s, info, DELIVERED), True, False
    if s.t >= STEPS:
        return reward - finish(s, info, LEFT), False, True
    return reward, False, False


@device
def write_panel(s, p, o):
    """What the driver has: trolley and hoist, the load while it is seen, the log of maintenance, and the clock."""
    seen = s.since == 0
    o[WAY] = (s.target - s.x) / 10.0
    o[SPEED] = s.v
    o[ACCEL] = s.push
    o[PLACE] = s.x / 10.0
    o[HOIST] = s.hoist / 10.0
    o[WOUND] = s.winding
    o[LOWER] = (s.depth - s.hoist) / 10.0
    o[ANGLE] = s.seen_angle if seen else 0.0
    o[RATE] = s.seen_rate if seen else 0.0
    o[SEEN] = seen
    o[AGE] = s.since * SECONDS / 60.0
    o[ROPE] = length_of(s) / 10.0 if p.gauges else 0.0
    o[GAUGE] = min(s.wear, 1.5) if p.gauges else 0.0
    o[GAUGED] = p.gauges
    o[LOG] = s.logged
    o[SERVICED] = s.service / SERVICE
    o[CALLED] = (s.calls > 0) - 1.0 * (s.calls < 0)
    o[CLOCK] = s.t / STEPS


@device
def write_state(s, p, o):
    """The panel's row, then angle and rate, rope length and drag, wear and accumulated swing."""
    write_panel(s, p, o)
    i = PANEL_PARTS
    o[i], o[i + 1] = min(max(s.angle, -TORN), TORN), min(max(s.rate, -2.0), 2.0)
    o[i + 2], o[i + 3] = length_of(s) / 10.0, s.drag * 10.0
    o[i + 4], o[i + 5] = min(s.wear, 1.5), s.swung / STEPS


@device
def write_hidden(s, p, out):
    """Relative error of the rope: true length / hoist's reading - 1."""
    out[0] = s.offset


@device
def blind(s, p):
    """The load has not been seen for 16 steps."""
    return s.since >= WINDOW and not p.gauges


@device
def change_rope(s, p):
    """Flip the sign of the rope's relative error; the swing so far stays the same."""
    s.offset = -s.offset
    return s.offset != 0.0


@device
def found(s, p):
    """The load is seen, or the ride is over."""
    return s.since == 0 or s.ended_by != RIDING
