"""How to fire a slab whose temperatures are known: full heat, then the soak, then out. All players who know or believe them do this.

The furnace lags, so what it still gives after the set-point falls is counted beforehand. Constants were
tuned by the cross-entropy method, on plants of a copy of the rules with eight cells.
"""

from unseen.envs.core.device import device
from unseen.envs.industry.kiln.rules import EVEN, SETPOINTS, SOAKED

FIRE, HOLD, OUT = 7, 3, len(SETPOINTS)  # indices of discrete actions: full heat, soak, discharge


@device
def full_heat(mean, furnace, half, inertia, switch):
    """Whether to go on at full heat: the mean temperature (C) that the furnace would still bring about is below `switch`."""
    return mean + inertia * (furnace - SETPOINTS[HOLD]) / half < switch


@device
def fire(mean, core, surface, soaked, furnace, half, inertia, switch, margin):
    """Index of the discrete action for a slab with these temperatures (C), soaked for so many steps, of half the thickness `half` m.

    The extractor is called a step before it comes, hence the 1.
    """
    if soaked >= SOAKED - 1 + margin and abs(surface - core) <= EVEN:
        return OUT
    return FIRE if full_heat(mean, furnace, half, inertia, switch) else HOLD
