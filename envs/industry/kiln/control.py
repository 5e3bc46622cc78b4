"""How to fire a slab whose temperatures are known or estimated: full heat, then the soak, then discharge.

The furnace lags, so the heat that it still gives after the set-point falls is anticipated. Constants were tuned by the cross-entropy
method, on plants of a copy of the rules with eight cells.
"""

from unseen.envs.core.device import device
from unseen.envs.industry.kiln.rules import EVEN, SETPOINTS, SOAKED

FIRE, HOLD, OUT = 7, 3, len(SETPOINTS)  # indices of discrete actions: full heat, soak, discharge


@device
def full_heat(mean, furnace, half, inertia, switch):
    """Whether to continue at full heat: the mean temperature that the slab would still reach is below `switch`, C.

    Args:
        mean: temperature of the slab, C.
        furnace: temperature, C.
        half: half the thickness, m.
        inertia: rise of the mean per K of the furnace above the soak temperature, times `half`, m.
    """
    return mean + inertia * (furnace - SETPOINTS[HOLD]) / half < switch


@device
def fire(mean, core, surface, soaked, furnace, half, inertia, switch, margin):
    """Index of the discrete action for a slab with these temperatures (C) that has soaked for `soaked` steps.

    margin: steps added to the required soak. The extractor comes one step after it is called, hence the 1. Other arguments as in
    `full_heat`.
    """
    if soaked >= SOAKED - 1 + margin and abs(surface - core) <= EVEN:
        return OUT
    return FIRE if full_heat(mean, furnace, half, inertia, switch) else HOLD
