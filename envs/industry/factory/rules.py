"""The rules of Factory: state, reset, step and what is observed."""

from unseen.envs.core.device import device
from unseen.envs.core.rng import SHIFT, below, uniform
from unseen.envs.core.task import INT, record
from unseen.envs.industry.factory.tunnel import (
    LANES,
    NOWHERE,
    TUNNEL,
    distance,
    empty,
    enter,
    has_room,
    kind_of_first,
    leave,
    nearest,
)

MACHINES = 3  # kinds 0 to 2 are for these
CRACKED = 3  # the kind that belongs in the bin, which is gate 3
KINDS = MACHINES + 1
WAIT, RELEASE, GATE, RESTART = 0, 1, 3, 7  # actions: RELEASE + lane, GATE + kind
ACTIONS = 8
MOST_PARTS, MOST_SLOTS = 160, 6
DRAIN = 80  # steps at the end of a shift in which no part arrives
REPAIR = 8  # steps until a lane runs again
FALLEN = 2.0  # cost of a part that finds all slots taken; of a wrong machine 1
NEEDLESS = 0.1  # cost of a restart when no lane is jammed
ENOUGH = 0.9  # success: this fraction of the good parts in their machines
SLOWER = 1.25  # lanes of the split "shift" are longer by this factor
WINDOW = 16  # steps inside after which the audit probes the last observations for a part's kind

STATE = record(
    ("tunnel", TUNNEL), ("stopped", INT, (LANES,)),  # 0: runs; -1: jammed; else steps until it runs again
    ("kinds", INT, (MOST_PARTS,)), ("parts", INT), ("good", INT),  # of the shift, in order of arrival
    ("arrived", INT), ("slot", INT, (MOST_SLOTS,)), ("waiting", INT),  # what waits at the entry, first in first out
    ("gate", INT), ("free_at", INT, (MACHINES,)),  # the machine that the gate leads to; the step at which a machine is free
    ("out", INT), ("last_out", INT),  # whether a part has just come out, and which
    ("right", INT), ("wrong", INT), ("wasted", INT), ("fallen", INT), ("jams", INT),
)  # fmt: skip
JAMMED = -1
# Where things are in the panel's row.
FRONT, KIND, SLOTS, ROOM, RUNS, LENGTH, AT_GATE = 0, 1, 5, 6, 8, 10, 12
OUT, BUSY, NEXT, NEXT_KIND, CLOCK, PANEL_PARTS = 16, 17, 20, 22, 26, 27
STATE_EXTRA = LANES * 6 + 4
SCALE = 20.0  # steps: unit of times and distances in observations


@device
def reset(s, p):
    """Draw the parts of a shift and the lengths of the two lanes."""
    s.parts = min((p.steps - DRAIN) // p.pace, MOST_PARTS)
    s.good = 0
    for i in range(s.parts):
        s.kinds[i] = CRACKED if uniform(s, 0.0, 1.0) < p.cracked else below(s, MACHINES)
        s.good += s.kinds[i] != CRACKED
    for i in range(s.parts, MOST_PARTS):
        s.kinds[i] = 0
    for i in range(MOST_SLOTS):
        s.slot[i] = 0
    q = s.tunnel
    empty(q)
    for lane in range(LANES):
        q.length[lane] = p.transit_low + below(s, p.transit_high - p.transit_low + 1)
        s.stopped[lane] = 0
    if abs(q.length[0] - q.length[1]) < p.apart or s.good == 0:
        return False
    if p.split == SHIFT:
        for lane in range(LANES):
            q.length[lane] = int(SLOWER * q.length[lane])
    for machine in range(MACHINES):
        s.free_at[machine] = 0
    s.gate = CRACKED
    s.arrived = s.waiting = s.out = s.last_out = 0
    s.right = s.wrong = s.wasted = s.fallen = s.jams = 0
    arrive(s, p)
    return True


@device
def arrive(s, p):
    """The next part arrives at the entry. If all slots are taken it falls; returns the cost of this."""
    kind = s.kinds[s.arrived]
    s.arrived += 1
    if s.waiting == p.slots:
        s.fallen += 1
        return FALLEN if kind != CRACKED else 0.0
    s.slot[s.waiting] = kind
    s.waiting += 1
    return 0.0


@device
def release(s, lane, p):
    """Move the first waiting part into a lane, if there is one and the lane has room."""
    if s.waiting == 0 or not has_room(s.tunnel, lane, p.gap):
        return
    enter(s.tunnel, lane, s.slot[0])
    s.waiting -= 1
    for i in range(s.waiting):
        s.slot[i] = s.slot[i + 1]


@device
def restart(s):
    """Start repairing all jammed lanes. Returns the cost, which is 0 if there is one."""
    found = False
    for lane in range(LANES):
        if s.stopped[lane] == JAMMED:
            s.stopped[lane] = REPAIR
            found = True
    return 0.0 if found else NEEDLESS


@device
def left(s, lane):
    """Steps until the first part of a lane comes out, if a jammed one is restarted now and no other jams; NOWHERE if there is none."""
    away = distance(s.tunnel, lane)
    if away == NOWHERE:
        return NOWHERE
    return away + (REPAIR if s.stopped[lane] == JAMMED else s.stopped[lane])


@device
def coming(s):
    """The lane from which the next part comes; -1 if the tunnel is empty."""
    a, b = left(s, 0), left(s, 1)
    if a == b:
        return nearest(s.tunnel)
    return 0 if a < b else 1


@device
def move(s, p):
    """Advance belts that run and repairs, and jam running lanes at random."""
    for lane in range(LANES):
        if s.stopped[lane] > 0:
            s.stopped[lane] -= 1
        elif s.stopped[lane] == 0:
            s.tunnel.run[lane] += 1
            if p.jam > 0 and s.tunnel.count[lane] > 0 and uniform(s, 0.0, 1.0) * p.jam < 1.0:
                s.stopped[lane] = JAMMED
                s.jams += 1


@device
def come_out(s, p):
    """The part at the end of a lane, if there is one, goes to where the gate leads. Returns the reward for it."""
    q = s.tunnel
    lane = nearest(q)
    s.out = lane >= 0 and distance(q, lane) <= 0
    if not s.out:
        return 0.0
    kind = s.last_out = leave(q, lane)
    if s.gate == CRACKED:
        s.wasted += kind != CRACKED
        return 0.0
    if s.gate != kind or s.free_at[s.gate] > s.t:
        s.wrong += 1
        return -1.0
    s.free_at[s.gate] = s.t + p.work
    s.right += 1
    return 1.0


@device
def step(s, a, p, info):
    """One step; a[0]: index of the action."""
    action = int(a[0])
    worth = 0.0
    if action == RESTART:
        worth -= restart(s)
    elif action >= GATE:
        s.gate = action - GATE
    elif action >= RELEASE:
        release(s, action - RELEASE, p)
    move(s, p)
    worth += come_out(s, p)
    if s.arrived < s.parts and s.t % p.pace == 0:
        worth -= arrive(s, p)
    over = s.arrived == s.parts and s.waiting == 0 and nearest(s.tunnel) < 0
    late = s.t >= p.steps
    if over or late:
        info[0] = s.right >= ENOUGH * s.good
        info[1] = s.right / s.good
        info[2], info[3], info[4], info[5] = s.wrong, s.wasted, s.fallen, s.jams
    return worth / s.good, over, late and not over


@device
def write_panel(s, p, o):
    """What the operator sees: the camera at the entry, lamps, the gate, the light barrier at the exit, machines and the clock."""
    for i in range(PANEL_PARTS):
        o[i] = 0.0
    if s.waiting > 0:
        o[FRONT] = 1.0
        o[KIND + s.slot[0]] = 1.0
    o[SLOTS] = s.waiting / p.slots
    for lane in range(LANES):
        o[ROOM + lane] = has_room(s.tunnel, lane, p.gap)
        if p.lamps and s.stopped[lane] != JAMMED:
            o[RUNS + lane] = 1.0 if s.stopped[lane] == 0 else 0.5
        o[LENGTH + lane] = s.tunnel.length[lane] / SCALE
    o[AT_GATE + s.gate] = 1.0
    o[OUT] = s.out
    for machine in range(MACHINES):
        o[BUSY + machine] = max(s.free_at[machine] - s.t, 0) / SCALE
    lane = coming(s)
    if p.glass and lane >= 0:
        o[NEXT] = 1.0
        o[NEXT + 1] = max(left(s, lane), 0) / SCALE
        o[NEXT_KIND + kind_of_first(s.tunnel, lane)] = 1.0
    o[CLOCK] = s.t / p.steps


@device
def write_state(s, p, o):
    """The panel's row; then for each lane how far it has run, whether it stands still, number of parts, distance and kind of the
    first, and how far the belt has run since the last entered; numbers of parts arrived, right, wrong and fallen."""
    write_panel(s, p, o)
    i, q = PANEL_PARTS, s.tunnel
    for lane in range(LANES):
        full = q.count[lane] > 0
        o[i], o[i + 1], o[i + 2] = q.run[lane] / SCALE, s.stopped[lane] / REPAIR, q.count[lane]
        o[i + 3] = distance(q, lane) / SCALE if full else 0.0
        o[i + 4] = kind_of_first(q, lane) if full else -1.0
        o[i + 5] = min(q.run[lane] - q.last[lane], NOWHERE) / SCALE if q.last[lane] >= 0 else -1.0
        i += 6
    o[i], o[i + 1], o[i + 2], o[i + 3] = s.arrived, s.right, s.wrong, s.fallen


@device
def write_hidden(s, p, out):
    """The kind of the part that comes out next, or, if the tunnel is empty, of the first waiting part; one-hot."""
    for kind in range(KINDS):
        out[kind] = 0.0
    lane = coming(s)
    if lane >= 0:
        out[kind_of_first(s.tunnel, lane)] = 1.0
    elif s.waiting > 0:
        out[s.slot[0]] = 1.0


@device
def long_inside(s, p):
    """The part that comes out next has been inside for 16 steps of its lane."""
    lane = coming(s)
    return lane >= 0 and s.tunnel.length[lane] - distance(s.tunnel, lane) >= WINDOW


@device
def change_kind(s, p):
    """Change the part that comes out next to the next kind."""
    q = s.tunnel
    lane = coming(s)
    at = q.first[lane]
    before = q.kind[lane, at]
    q.kind[lane, at] = (before + 1) % KINDS
    return True


@device
def came_out(s, p):
    """A part has come out: the next one is another."""
    return s.out == 1
