"""Reactive dosing: from what the monitor shows, without a model of the patient.

All constants were tuned by random search on episodes of the split "train": those of `feedback` at level 0, those of `recipe` at level 2,
and those of the PI controller at levels 1 to 3.
"""

import math

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.task import FLOAT, INT
from unseen.envs.industry.dosing.rules import ANNOUNCED, BIS, CLOCK, FASTEST, LATELY, LEFT, SHOWN, TOTAL, WHO

CONTROL = np.dtype([("begun", INT), ("rate", FLOAT), ("error", FLOAT), ("since", INT)], align=True)


@device
def dosing_weight(o, lean):
    """The patient's weight, kg, reduced with age, since older patients need less. lean: relative reduction per 100 years above 45."""
    return o[WHO + 1] * 100.0 * (1.0 - lean * (o[WHO] - 0.45))


@device
def steps_left(o):
    """Steps until the end of surgery; 1e6 before it is announced."""
    return o[LEFT] * 60.0 if o[ANNOUNCED] > 0.5 else 1e6


@device
def feedback(o):
    """The rate (mg/min) from the present reading: correct the average rate of the last minutes, and lighten the sleep towards the end."""
    bis, left = o[BIS] * 100.0, steps_left(o)
    error = bis - (57.1 + 10.5 * min(max(1.0 - left / 23.2, 0.0), 1.0))
    if left <= 18.2 + 1.02 * (60.0 - bis) + 0.181 * o[CLOCK] * 60.0:
        return 6.0 if bis > 71.0 and left > 9.0 else 0.0
    lately = o[LATELY + 1] * FASTEST
    return lately * (1.0 + 0.018 * error) + 2.9 * error - 0.853 * (o[LATELY] * FASTEST - lately)


@device
def recipe(o):
    """The rate (mg/min) from weight and clock alone, used while nothing is shown."""
    minutes = o[CLOCK] * 60.0
    if steps_left(o) <= 24.4 + 0.143 * minutes:
        return 0.0
    return dosing_weight(o, 0.261) * (0.127 + 0.125 * math.exp(-minutes / 18.1))


@device
def react(o):
    """The rate (mg/min) from the present observation: a first dose by weight, then `feedback` while there is a reading, else `recipe`."""
    given = o[TOTAL] * 10.0  # mg/kg
    first = 0.623 * dosing_weight(o, 0.261) / (o[WHO + 1] * 100.0)
    if given < first:
        return FASTEST
    rate = feedback(o) if o[SHOWN] > 0.5 else recipe(o)
    if o[CLOCK] * 60.0 < 3.0 and given < 1.25:  # the first dose has yet to take effect
        return min(rate, recipe(o))
    return rate


@device
def pi_control(o, m, p, early):
    """The rate (mg/min) of a PI controller on the last reading, which stops `early` steps before the end.

    The longer the intervals between readings, the larger is the first dose, and the longer the proportional part acts on a reading.
    """
    weight = dosing_weight(o, 0.15)
    first = max(0.45 + 0.29 * math.log(p.blind / 18.0), 0.45)  # mg/kg
    if m.begun == 0:
        m.begun = 1
        m.rate = 0.18 * weight
        m.error, m.since = 0.0, 99
    m.since += 1
    if o[SHOWN] > 0.5 and o[CLOCK] * 60.0 > 1.0:
        m.error, m.since = o[BIS] * 100.0 - 53.5, 0
        slow = min(0.5 + p.blind / 36.0, 1.0)  # smaller corrections where readings are frequent
        m.rate = min(max(m.rate + 0.00112 * slow * m.error * weight, 0.0), FASTEST)
    if steps_left(o) <= early:
        return 0.0
    if o[TOTAL] * 10.0 < first * weight / (o[WHO + 1] * 100.0):
        return FASTEST
    return m.rate + (m.error * weight / 75.0 if m.since < 1.7 * math.sqrt(p.blind) else 0.0)
