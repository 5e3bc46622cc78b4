"""The plants of Kiln: the slab that is charged, and its heat transfer."""

from unseen.envs.core.device import device
from unseen.envs.core.rng import SHIFT, uniform
from unseen.envs.industry.kit.heat import fill

CONVECTION, CONVECTION_SPREAD = 35.0, 25.0  # W/m^2K: centre and half width of the range
EMISSIVITY, EMISSIVITY_SPREAD = 0.75, 0.15
SCALED = (
    0.6  # lower bound of the emissivity in training, and upper bound on the split "shift", whose slabs are brighter
)
BRIGHTEST = 0.5  # lower bound of the emissivity on the split "shift"
TOLERANCE = 0.05  # fraction of the thickness


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
