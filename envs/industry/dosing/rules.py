"""The rules of Dosing: state, reset, step and what is observed. Minutes, mg, ug/ml; a step is 10 s."""

import math

from unseen.envs.core.device import device
from unseen.envs.core.rng import below, normal
from unseen.envs.core.task import FLOAT, INT, record
from unseen.envs.industry.dosing.patients import STEP, draw_patient
from unseen.envs.industry.kit.pharmacology import AWAKE_BIS, DRUG, bis_of, infuse

FASTEST = 100.0  # mg/min, the pump at full rate
RATES = (0.0, 3.0, 6.0, 9.0, 12.0, 20.0, 40.0, 100.0)  # mg/min, of the discrete actions
LIGHTEST, DEEPEST = 60.0, 40.0  # BIS: the window in which the patient should be
WAKING, TOO_DEEP, DANGER = 75.0, 30.0, 20.0  # BIS: above it awake; below it penalised; below it dangerous
INDUCTION = 30  # steps for falling asleep, which are not scored
BEARABLE = 12  # steps in a row in danger after which the episode ends
RECOVERY = 60  # steps after surgery within which the patient has to wake up
TAUS = (1.0, 4.0, 15.0)  # min: time constants of the averages of the pump's rate
MOST = 1e3  # ug/ml: at such a concentration the state has diverged
ENOUGH, PROMPT = 0.8, 36  # success: this fraction of the time in the window, and awake within so many steps
WINDOW = 16  # steps without a reading after which the audit probes the last observations for the patient's sensitivity
AWOKE, ASLEEP, GIVEN_UP, DIVERGED = 0, 1, 2, 3  # how an episode ended

STATE = record(
    ("drug", DRUG), ("age", FLOAT), ("height", FLOAT), ("weight", FLOAT), ("male", INT),
    ("c50", FLOAT), ("gamma", FLOAT),  # of the patient's Hill curve
    ("bis", FLOAT), ("reading", FLOAT), ("since", INT),  # true; last shown, and so many steps ago
    ("end", INT),  # step at which surgery ends
    ("rate", FLOAT), ("lately", FLOAT, (3,)), ("total", FLOAT),  # of the pump, mg/min; its averages; mg given
    ("inside", INT), ("lowest", FLOAT), ("deep", INT), ("owed", FLOAT),  # steps in the window; BIS; steps in danger; reward
    ("ended_by", INT),
)  # fmt: skip
# Where things are in the monitor's row.
BIS, SHOWN, AGE_OF_READING, RATE, LATELY, TOTAL = 0, 1, 2, 3, 4, 7
WHO, CLOCK, ANNOUNCED, LEFT, MONITOR_PARTS = 8, 12, 13, 14, 15
STATE_EXTRA = 14
DECAYS = tuple(math.exp(-STEP / tau) for tau in TAUS)


@device
def reset(s, p):
    """Draw a patient, who is awake, and the length of the surgery."""
    draw_patient(s, p)
    s.end = p.surgery_low + below(s, p.surgery_high - p.surgery_low + 1)
    s.rate = s.total = s.owed = 0.0
    for i in range(3):
        s.lately[i] = 0.0
    s.inside = s.deep = s.ended_by = 0
    s.bis = s.lowest = AWAKE_BIS
    look_at_monitor(s, p)
    return True


@device
def look_at_monitor(s, p):
    """The monitor shows BIS every `blind` steps, with noise."""
    if s.t % p.blind == 0:
        s.reading = min(max(s.bis + p.noise * normal(s), 0.0), 100.0)
        s.since = 0
    else:
        s.since += 1


@device
def finish(s, p, info, how, late):
    """End the episode `late` steps after surgery. Returns what `step` returns."""
    s.ended_by = how
    within = s.inside / (s.end - INDUCTION)
    info[0] = how == AWOKE and within >= ENOUGH and late <= PROMPT
    info[1] = within
    info[2] = late * STEP if how == AWOKE else RECOVERY * STEP
    info[3] = s.lowest
    info[4] = s.total
    info[5] = how
    reward = s.owed
    s.owed = 0.0
    if how == AWOKE:
        reward += 0.5 * (1.0 - late / RECOVERY)
    return reward, how != ASLEEP, how == ASLEEP


@device
def diverged(s, info):
    """Fill `info` when the state has diverged."""
    s.ended_by = info[5] = DIVERGED


@device
def step(s, a, p, info):
    """One step; a[0] in [-1, 1]: the pump's rate, 0 to 100 mg/min."""
    s.rate = 0.5 * FASTEST * (a[0] + 1.0)
    s.total += s.rate * STEP
    for i in range(3):
        s.lately[i] += (1.0 - DECAYS[i]) * (s.rate - s.lately[i])
    infuse(s.drug, s.rate)
    if not (0.0 <= s.drug.c1 < MOST and 0.0 <= s.drug.ce < MOST):  # a NaN, too
        return math.nan, True, False
    s.bis = bis_of(s.drug.ce, s.c50, s.gamma)
    s.lowest = min(s.lowest, s.bis)
    look_at_monitor(s, p)
    late = s.t - s.end
    if s.t > INDUCTION and late <= 0:
        scored = s.end - INDUCTION
        if DEEPEST <= s.bis <= LIGHTEST:
            s.inside += 1
            s.owed += 0.5 / scored
        elif s.bis < TOO_DEEP or (s.bis > WAKING and late < 0):
            s.owed -= 1.0 / scored
    s.deep = s.deep + 1 if s.bis < DANGER else 0
    if s.deep >= BEARABLE:
        return finish(s, p, info, GIVEN_UP, 0)
    if late >= 0 and s.bis > WAKING:
        return finish(s, p, info, AWOKE, late)
    if late >= RECOVERY:
        return finish(s, p, info, ASLEEP, late)
    if s.since > 0:  # reward is held back until the next reading
        return 0.0, False, False
    reward = s.owed
    s.owed = 0.0
    return reward, False, False


@device
def announced(s, p):
    """Whether the end of the surgery has been announced."""
    return s.t >= s.end - p.notice


@device
def write_monitor(s, p, o):
    """What the anaesthetist sees: the monitor when it shows BIS, the pump, the patient's file, and the clock."""
    shown = s.since == 0
    o[BIS] = s.reading / 100.0 if shown or p.held else 0.0
    o[SHOWN] = shown
    o[AGE_OF_READING] = s.since * STEP / 10.0
    o[RATE] = s.rate / FASTEST
    for i in range(3):
        o[LATELY + i] = s.lately[i] / FASTEST
    o[TOTAL] = s.total / s.weight / 10.0
    o[WHO], o[WHO + 1], o[WHO + 2], o[WHO + 3] = s.age / 100.0, s.weight / 100.0, s.height / 100.0, s.male
    o[CLOCK] = s.t * STEP / 60.0
    o[ANNOUNCED] = announced(s, p)
    o[LEFT] = max(s.end - s.t, 0) * STEP / 10.0 if announced(s, p) else 0.0


@device
def write_state(s, p, o):
    """The monitor's row, then concentrations, patient, true BIS, last reading, end, steps in danger and reward held back."""
    write_monitor(s, p, o)
    d, i = s.drug, MONITOR_PARTS
    o[i], o[i + 1], o[i + 2], o[i + 3] = d.c1 / 10.0, d.c2 / 10.0, d.c3 / 10.0, d.ce / 10.0
    o[i + 4], o[i + 5], o[i + 6], o[i + 7] = d.k10, d.k31 * 100.0, d.ke0, s.c50 / 10.0
    o[i + 8], o[i + 9], o[i + 10], o[i + 11] = s.gamma, s.bis / 100.0, s.reading / 100.0, s.end / 360.0
    o[i + 12], o[i + 13] = s.deep / BEARABLE, s.owed


@device
def write_hidden(s, p, out):
    """How sensitive the patient is: the logarithm of C50."""
    out[0] = math.log(s.c50)


@device
def blind(s, p):
    """The monitor has shown nothing for 16 steps."""
    return s.since >= WINDOW and s.t < s.end


@device
def change_sensitivity(s, p):
    """Another patient, with a C50 1.5 times as high. The doses, the clock and the last reading stay the same."""
    s.c50 *= 1.5
    s.bis = bis_of(s.drug.ce, s.c50, s.gamma)
    return True


@device
def found(s, p):
    """The monitor shows BIS, the patient was in danger for too long, or surgery is over and the patient may wake up."""
    return s.since == 0 or s.deep >= BEARABLE or s.t >= s.end
