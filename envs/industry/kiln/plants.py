"""The plants of Kiln: which slab is charged, and how heat gets into it."""

from unseen.envs.core.device import device
from unseen.envs.core.rng import SHIFT, uniform
from unseen.envs.industry.kit.heat import fill

CONVECTION, CONVECTION_SPREAD = 35.0, 25.0  # W/m^2K: the middle of the range, and how far it reaches to either side
EMISSIVITY, EMISSIVITY_SPREAD = 0.75, 0.15
SCALED = 0.6  # emissivity below which no slab of training is; on the split "shift" slabs are brighter
BRIGHTEST = 0.5
TOLERANCE = 0.05  # of the thickness


@device
def draw_plant(s, p):
    """Draw a slab and its furnace into the record."""
    v = p.variability
    s.nominal = 0.001 * uniform(s, p.half_low, p.half_high)
    s.slab.half = s.nominal * (1.0 + v * uniform(s, -TOLERANCE, TOLERANCE))
    s.slab.h = CONVECTION + v * uniform(s, -CONVECTION_SPREAD, CONVECTION_SPREAD)
    s.slab.eps = EMISSIVITY + v * uniform(s, -EMISSIVITY_SPREAD, EMISSIVITY_SPREAD)
    if p.split == SHIFT:
        s.slab.eps = uniform(s, BRIGHTEST, SCALED)
    fill(s.slab, uniform(s, p.charge_low, p.charge_high))
