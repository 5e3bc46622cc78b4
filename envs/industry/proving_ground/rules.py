"""The rules of ProvingGround: state, reset, step and what is observed."""

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.rng import normal
from unseen.envs.core.task import FLOAT, INT, record
from unseen.envs.industry.proving_ground.design import BRIEF, PARTS, VARIABLES, benchmark, draw_programme
from unseen.envs.industry.proving_ground.manoeuvres import FAMILIES, RIG, SCENARIO, SURFACES, assemble, clear
from unseen.envs.industry.proving_ground.scenarios import (
    FURTHEST,
    NUMBERS,
    compare,
    describe,
    draw_scenario,
    set_benchmark,
)  # fmt: skip

PROTOTYPE, TEST = 0.02, 0.005  # costs
MOST = 24  # maximum number of steps, the last of which certifies
ENOUGH = 0.9  # success: this share of scenarios passes in each family
FAMILY, SURFACE, COMMIT, ACTION = PARTS, PARTS + 1, PARTS + 6, PARTS + 7  # where things are in an action
ACTION_NAMES = (
    *(row[0] for row in VARIABLES),
    "family",
    "surface",
    "speed",
    "severity",
    "roughness",
    "slope",
    "commit",
)
COUNT = len(FAMILIES)
CERTIFIED, DIVERGED = 0, 1  # how an episode ended

STATE = record(
    ("brief", FLOAT, (BRIEF,)), ("offset", FLOAT, (PARTS,)), ("known", INT, (PARTS,)), ("order", INT, (PARTS,)),
    ("drawn", FLOAT, (PARTS,)), ("prototypes", INT), ("tests", INT),
    ("rig", RIG), ("other", RIG), ("spare", RIG), ("judge", RIG), ("zero", FLOAT, (PARTS,)),  # car, benchmark; the same in certification
    ("scenario", SCENARIO), ("certificate", SCENARIO), ("numbers", FLOAT, (NUMBERS,)), ("scratch", FLOAT, (NUMBERS,)),
    ("margin", FLOAT, (3,)), ("shown", FLOAT, (3,)), ("unused", FLOAT, (3,)),  # true and with noise, of the last test
    ("tried", INT, (COUNT,)), ("worst", FLOAT, (COUNT,)),  # this prototype's tests by family, and the worst margin shown
    ("passed", FLOAT, (COUNT,)), ("certified", INT),
)  # fmt: skip
# Where things are in the observation's row.
KNOWN = BRIEF  # known offsets, then flags
DRAWN, LAST = KNOWN + 2 * PARTS, KNOWN + 3 * PARTS + 1
SHOWN = LAST + COUNT + len(SURFACES) + NUMBERS
SUMMARY = SHOWN + 4
CLOCK = SUMMARY + 2 * COUNT
ROW = CLOCK + 2


@device
def reset(s, p):
    """Draw a programme. Nothing has been built."""
    draw_programme(s, p)
    for k in range(PARTS):
        s.drawn[k] = s.zero[k] = 0.0
    for i in range(NUMBERS):
        s.numbers[i] = s.scratch[i] = 0.0
    for i in range(3):
        s.margin[i] = s.shown[i] = s.unused[i] = 0.0
    s.prototypes = s.tests = s.certified = 0
    describe(s.scenario, s.brief, 0, 0, s.numbers)
    describe(s.certificate, s.brief, 0, 0, s.numbers)
    clear(s.rig)
    clear(s.other)
    clear(s.spare)
    clear(s.judge)
    for f in range(COUNT):
        s.passed[f] = 0.0
    forget_tests(s)
    set_benchmark(s.other, s.brief, s.zero)
    return True


@device
def forget_tests(s):
    """Reset the summary of tests, for a new prototype."""
    for f in range(COUNT):
        s.tried[f] = 0
        s.worst[f] = 0.0


@device
def build(s, a):
    """Build the action's design as a prototype, if it differs from the last one. Returns the cost.

    Designs are rounded to float32, as in the observation, so that repeating the observed design builds no new prototype.
    """
    same = s.prototypes > 0
    for k in range(PARTS):
        drawn = np.float32(a[k])
        same = same and drawn == s.drawn[k]
        s.drawn[k] = s.rig.drawn[k] = drawn
    if same:
        return 0.0
    s.prototypes += 1
    assemble(s.rig, s.offset)
    forget_tests(s)
    return PROTOTYPE


@device
def pick(x, n):
    """An index in 0..n-1 from a number in [-1, 1]."""
    return min(max(int(0.5 * (x + 1.0) * n), 0), n - 1)


@device
def test(s, a, p):
    """Test the prototype in the scenario of the action. Margins are shown with noise."""
    f = pick(a[FAMILY], COUNT)
    for i in range(NUMBERS):
        s.numbers[i] = a[SURFACE + 1 + i]
    describe(s.scenario, s.brief, f, pick(a[SURFACE], len(SURFACES)), s.numbers)
    compare(s.rig, s.other, s.scenario, s.brief, p.slack, s.margin)
    s.tests += 1
    s.tried[f] += 1
    least = FURTHEST
    for i in range(3):
        s.shown[i] = min(max(s.margin[i] + p.noise * normal(s), -FURTHEST), FURTHEST)
        least = min(least, s.shown[i])
    s.worst[f] = least if s.tried[f] == 1 else min(s.worst[f], least)


@device
def certify(s, p):
    """Drive held-out scenarios of every family. Returns the share that passes in the worst family.

    It has rigs of its own, so that the traces of the last test remain for the picture.
    """
    for k in range(PARTS):
        s.spare.drawn[k] = s.drawn[k]
    assemble(s.spare, s.offset)
    set_benchmark(s.judge, s.brief, s.zero)
    least = 1.0
    for f in range(COUNT):
        passed = 0
        for _ in range(p.certify):
            draw_scenario(s, s.certificate, f, s.scratch)
            passed += compare(s.spare, s.judge, s.certificate, s.brief, p.slack, s.unused)
        s.passed[f] = passed / p.certify
        least = min(least, s.passed[f])
    s.certified = 1
    return least


@device
def diverged(s, info):
    """Fill `info` when the state has diverged."""
    info[4 + COUNT] = DIVERGED


@device
def step(s, a, p, info):
    """Build the design of the action, and test it; or commit to it, which ends the episode. a: (ACTION,), each in [-1, 1]."""
    reward = -build(s, a)
    if a[COMMIT] <= 0.0 and s.t < MOST:
        test(s, a, p)
        return reward - TEST, False, False
    score = certify(s, p)
    info[0] = score >= ENOUGH
    info[1] = score
    for f in range(COUNT):
        info[2 + f] = s.passed[f]
    info[2 + COUNT] = s.prototypes
    info[3 + COUNT] = s.tests
    info[4 + COUNT] = CERTIFIED
    return reward + score, True, False


@device
def write_file(s, p, o):
    """What the engineers have on file: brief, known offsets, the prototype, its last test and a summary of its tests."""
    for i in range(BRIEF):
        o[i] = s.brief[i]
    for k in range(PARTS):
        o[KNOWN + k] = s.offset[k] if s.known[k] else 0.0
        o[KNOWN + PARTS + k] = s.known[k]
        o[DRAWN + k] = s.drawn[k]
    o[DRAWN + PARTS] = s.prototypes > 0
    i = LAST
    for f in range(COUNT):
        o[i + f] = s.tests > 0 and s.scenario.family == f
    i += COUNT
    for k in range(len(SURFACES)):
        o[i + k] = s.tests > 0 and s.scenario.surface == k
    i += len(SURFACES)
    for k in range(NUMBERS):
        o[i + k] = s.numbers[k]
    for k in range(3):
        o[SHOWN + k] = s.shown[k] / FURTHEST
    o[SHOWN + 3] = s.tests > 0 and s.rig.spun
    for f in range(COUNT):
        o[SUMMARY + f] = s.tried[f] / MOST
        o[SUMMARY + COUNT + f] = s.worst[f] / FURTHEST
    o[CLOCK], o[CLOCK + 1] = (MOST - s.t) / MOST, s.prototypes / MOST


@device
def write_state(s, p, o):
    """The file, then all offsets and the design that is built as the benchmark."""
    write_file(s, p, o)
    for k in range(PARTS):
        o[ROW + k] = s.offset[k]
        o[ROW + PARTS + k] = benchmark(s.brief, k) - s.offset[k]


@device
def write_hidden(s, p, out):
    """The unknown offsets; 0 for known ones."""
    for k in range(PARTS):
        out[k] = 0.0 if s.known[k] else s.offset[k]


@device
def untested(s, p):
    """No test has been made."""
    return s.tests == 0


@device
def tested(s, p):
    """A test or the certification has been made."""
    return s.tests > 0 or s.certified == 1


@device
def change_factory(s, p):
    """Another factory: flip the signs of the unknown offsets."""
    for k in range(PARTS):
        if not s.known[k]:
            s.offset[k] = -s.offset[k]
    return True
