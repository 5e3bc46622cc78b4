"""Pharmacology of propofol: a mammillary three-compartment model with an effect site, and the resulting depth of sleep (BIS).

Minutes, litres, mg, ug/ml (= mg/l). The model is linear,

    C1' = -(k10 + k12 + k13) C1 + k12 C2 + k13 C3 + u / V1
    C2' = k21 (C1 - C2)        with k12 = Cl2 / V1, k21 = Cl2 / V2
    C3' = k31 (C1 - C3)        with k13 = Cl3 / V1, k31 = Cl3 / V3
    Ce' = ke0 (C1 - Ce)        and k10 = Cl1 / V1

so a step at a constant rate u is exact: C <- phi C + gain u. phi and gain are Taylor series of the matrix exponential, which
converge to the precision of the machine.

Parameters: Schnider et al., Anesthesiology 88 (1998) 1170 and 90 (1999) 1502, with the lean body mass of James; Marsh et al., Br J
Anaesth 67 (1991) 41, with the ke0 of Struys et al., Anesthesiology 92 (2000) 399. BIS: the Hill curve of Bouillon et al.,
Anesthesiology 100 (2004) 1353. Schnider's clearance is known to be too high for the very obese, whose lean body mass James's
formula underestimates. The models are used for 18 to 95 years, 140 to 210 cm and 40 to 160 kg.

**Validated**: concentrations of 40 patients over an hour, by both models, and BIS against python-anesthesia-simulator; the step against
scipy's matrix exponential; a bolus against its three exponentials; times to peak effect against published ones (tests/pharmacology.py).
That shows that the published models are computed correctly. **Unvalidated**: that patients follow them, above all where they are older
or heavier than those of the studies.
"""

import math

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.task import FLOAT

AWAKE_BIS = 97.4  # of an undrugged patient
C50 = 4.47  # ug/ml at the effect site at which BIS is half of AWAKE_BIS, in a typical patient
GAMMA = 1.43  # steepness of the Hill curve there
TERMS = 18  # of the Taylor series; with a norm of at most 1/2 the remainder is below 1e-21
FASTEST = 0.5  # greatest norm of one step of the series

DRUG = np.dtype(
    [
        ("v1", FLOAT), ("k10", FLOAT), ("k12", FLOAT), ("k13", FLOAT), ("k21", FLOAT), ("k31", FLOAT), ("ke0", FLOAT),  # 1/min
        ("c1", FLOAT), ("c2", FLOAT), ("c3", FLOAT), ("ce", FLOAT),  # ug/ml
        ("phi", FLOAT, (4, 4)), ("gain", FLOAT, (4,)),  # of a step of the length given to `discretise`
    ],
    align=True,
)  # fmt: skip
"""The drug in a patient: volume (v1, l) and rates of the model, concentrations, and the matrices of a step."""


@device
def lean_body_mass(height, weight, male):
    """Lean body mass by James, kg."""
    ratio = (weight / height) ** 2
    return 1.1 * weight - 128.0 * ratio if male else 1.07 * weight - 148.0 * ratio


@device
def set_rates(d, v1, v2, v3, cl1, cl2, cl3, ke0):
    """Set the rates of a model from volumes (l), clearances (l/min) and ke0 (1/min)."""
    d.v1 = v1
    d.k10 = cl1 / v1
    d.k12 = cl2 / v1
    d.k13 = cl3 / v1
    d.k21 = cl2 / v2
    d.k31 = cl3 / v3
    d.ke0 = ke0


@device
def schnider(d, age, height, weight, male):
    """Set Schnider's model of a patient: years, cm, kg, 1 for a man and 0 for a woman."""
    lbm = lean_body_mass(height, weight, male)
    cl1 = 1.89 + 0.0456 * (weight - 77.0) - 0.0681 * (lbm - 59.0) + 0.0264 * (height - 177.0)
    set_rates(d, 4.27, 18.9 - 0.391 * (age - 53.0), 238.0, cl1, 1.29 - 0.024 * (age - 53.0), 0.836, 0.456)


@device
def marsh(d, weight):
    """Set Marsh's model of a patient of this weight, kg."""
    v1 = 0.228 * weight
    set_rates(d, v1, 0.463 * weight, 2.893 * weight, 0.119 * v1, 0.112 * v1, 0.042 * v1, 1.2)


@device
def empty(d):
    """No drug in the patient."""
    d.c1 = d.c2 = d.c3 = d.ce = 0.0


@device
def flow(d, rate, minutes):
    """Advance the concentrations exactly, with the pump at `rate` mg/min. For a step of fixed length `infuse` is faster."""
    norm = 2.0 * max(d.k10 + d.k12 + d.k13, d.k21, d.k31, d.ke0) * minutes
    parts = 1 + int(min(norm / FASTEST, 1e4))
    h = minutes / parts
    for _ in range(parts):
        x1, x2, x3, xe, u = d.c1, d.c2, d.c3, d.ce, rate / d.v1
        for k in range(1, TERMS + 1):  # x: the k-th derivative, times h^k / k!
            y1 = d.k12 * (x2 - x1) + d.k13 * (x3 - x1) - d.k10 * x1 + u
            y2 = d.k21 * (x1 - x2)
            y3 = d.k31 * (x1 - x3)
            ye = d.ke0 * (x1 - xe)
            x1, x2, x3, xe, u = y1 * h / k, y2 * h / k, y3 * h / k, ye * h / k, 0.0
            d.c1 += x1
            d.c2 += x2
            d.c3 += x3
            d.ce += xe


@device
def discretise(d, minutes):
    """Set `phi` and `gain` for steps of this length, min. Concentrations are set to 0."""
    for j in range(5):
        empty(d)
        if j == 0:
            d.c1 = 1.0
        elif j == 1:
            d.c2 = 1.0
        elif j == 2:
            d.c3 = 1.0
        elif j == 3:
            d.ce = 1.0
        flow(d, 1.0 if j == 4 else 0.0, minutes)
        if j < 4:
            d.phi[0, j], d.phi[1, j], d.phi[2, j], d.phi[3, j] = d.c1, d.c2, d.c3, d.ce
        else:
            d.gain[0], d.gain[1], d.gain[2], d.gain[3] = d.c1, d.c2, d.c3, d.ce
    empty(d)


@device
def infuse(d, rate):
    """Advance the concentrations by one step of the length given to `discretise`, with the pump at `rate` mg/min."""
    f, g = d.phi, d.gain
    c1 = f[0, 0] * d.c1 + f[0, 1] * d.c2 + f[0, 2] * d.c3 + g[0] * rate  # nothing flows back from the effect site
    c2 = f[1, 0] * d.c1 + f[1, 1] * d.c2 + f[1, 2] * d.c3 + g[1] * rate
    c3 = f[2, 0] * d.c1 + f[2, 1] * d.c2 + f[2, 2] * d.c3 + g[2] * rate
    ce = f[3, 0] * d.c1 + f[3, 1] * d.c2 + f[3, 2] * d.c3 + f[3, 3] * d.ce + g[3] * rate
    d.c1, d.c2, d.c3, d.ce = c1, c2, c3, ce


@device
def bis_of(ce, c50, gamma):
    """BIS at an effect-site concentration (ug/ml)."""
    if ce <= 0.0:
        return AWAKE_BIS
    return AWAKE_BIS / (1.0 + math.pow(ce / c50, gamma))


@device
def ce_of(bis, c50, gamma):
    """The effect-site concentration (ug/ml) at which BIS is `bis`, in 0 < bis < AWAKE_BIS."""
    return c50 * math.pow(AWAKE_BIS / bis - 1.0, 1.0 / gamma)
