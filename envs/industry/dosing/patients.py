"""The patients of Dosing: who they are, and how they differ from a typical patient of their age, height, weight and sex."""

import math

from unseen.envs.core.device import device
from unseen.envs.core.rng import SHIFT, below, normal, uniform
from unseen.envs.industry.kit.pharmacology import C50, GAMMA, discretise, marsh, schnider

STEP = 1.0 / 6.0  # min; a step is 10 s
SCHNIDER = 0  # index of p.model
OLDER, HEAVIER = 15.0, 15.0  # years, kg: added on the split "shift"
# Standard deviations of logarithms. Those of V3 and Cl1 were published with Schnider's model; the others were chosen.
SD_V3, SD_CL1, SD_KE0, SD_C50, SD_GAMMA = 0.14, 0.10, 0.40, 0.26, 0.30


@device
def differ(s, sd, p):
    """A factor by which a parameter differs from that of a typical patient: log-normal, within 2.5 standard deviations."""
    return math.exp(p.variability * sd * min(max(normal(s), -2.5), 2.5))


@device
def typical(d, age, height, weight, male, p):
    """Set the drug model `d` to that of a typical patient. age: years; height: cm; weight: kg; male: 1 or 0."""
    if p.model == SCHNIDER:
        schnider(d, age, height, weight, male)
    else:
        marsh(d, weight)


@device
def draw_patient(s, p):
    """Draw a patient into the record. On the split "shift" patients are older than any of training, and heavier."""
    shift = p.split == SHIFT
    s.age = uniform(s, p.age_high, p.age_high + OLDER) if shift else uniform(s, p.age_low, p.age_high)
    s.weight = uniform(s, p.weight_low, p.weight_high) + HEAVIER * shift
    s.height = uniform(s, p.height_low, p.height_high)
    s.male = below(s, 2)
    typical(s.drug, s.age, s.height, s.weight, s.male, p)
    s.drug.k31 /= differ(s, SD_V3, p)
    s.drug.k10 *= differ(s, SD_CL1, p)
    s.drug.ke0 *= differ(s, SD_KE0, p)
    s.c50 = C50 * differ(s, SD_C50, p)
    s.gamma = GAMMA * differ(s, SD_GAMMA, p)
    discretise(s.drug, STEP)
