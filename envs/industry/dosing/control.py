"""Dosing with a model of the patient: the rate to give now, given rate constants, concentrations and Hill curve."""

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.industry.dosing.rules import DEEPEST, FASTEST, INDUCTION, LIGHTEST, RECOVERY, TOO_DEEP, WAKING
from unseen.envs.industry.kit.pharmacology import DRUG, bis_of, infuse

AHEAD = 24  # steps within which the effect of a dose passes its peak
CANDIDATES = (1, 3, 9)  # delays, in steps, with which stopping now is compared


@device
def copy_step(to, d):
    """Copy to `to` what simulating steps of the drug d needs."""
    to.c1, to.c2, to.c3, to.ce = d.c1, d.c2, d.c3, d.ce
    for i in range(4):
        to.gain[i] = d.gain[i]
        for j in range(4):
            to.phi[i, j] = d.phi[i, j]


@device
def rate_for(d, w, target):
    """The highest rate for one step after which, with the pump off, the effect site stays at or below `target` ug/ml.

    w: scratch of dtype PLAN. The later concentration is linear in the rate, so two simulations suffice: one with the pump off, and one of
    a unit rate alone.
    """
    rest, pulse = w.rest, w.pulse
    copy_step(rest, d)
    copy_step(pulse, d)
    pulse.c1 = pulse.c2 = pulse.c3 = pulse.ce = 0.0
    infuse(rest, 0.0)
    infuse(pulse, 1.0)
    rate = FASTEST
    for _ in range(AHEAD):
        if pulse.ce > 0.0:
            rate = min(rate, (target - rest.ce) / pulse.ce)
        infuse(rest, 0.0)
        infuse(pulse, 0.0)
    return max(rate, 0.0)


@device
def worth_of_stopping(d, w, c50, gamma, t, end, wait, target):
    """The sum of rewards from now on if the effect site is held at `target` ug/ml for `wait` more steps, and the pump is then off."""
    sim = w.sim
    copy_step(sim, d)
    scored = end - INDUCTION
    worth = 0.0
    for k in range(t + 1, end + RECOVERY + 1):
        infuse(sim, rate_for(sim, w, target) if k - t <= wait else 0.0)
        bis = bis_of(sim.ce, c50, gamma)
        if INDUCTION < k <= end:
            if DEEPEST <= bis <= LIGHTEST:
                worth += 0.5 / scored
            elif bis < TOO_DEEP or (bis > WAKING and k < end):
                worth -= 1.0 / scored
        if k >= end and bis > WAKING:
            return worth + 0.5 * (1.0 - (k - end) / RECOVERY)
    return worth


@device
def should_stop(d, w, c50, gamma, t, end, target):
    """Whether turning the pump off now is worth at least as much as after any of CANDIDATES. The pump may be turned on again later."""
    now = worth_of_stopping(d, w, c50, gamma, t, end, 0, target)
    for wait in CANDIDATES:
        if worth_of_stopping(d, w, c50, gamma, t, end, wait, target) > now:
            return False
    return True


PLAN = np.dtype([("rest", DRUG), ("pulse", DRUG), ("sim", DRUG)], align=True)
