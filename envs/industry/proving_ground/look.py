"""How ProvingGround is drawn: the last test on the track, with the benchmark car, and what is known about the design."""

from typing import Any

import numpy as np

from unseen.envs.industry.proving_ground.design import VARIABLES
from unseen.envs.industry.proving_ground.manoeuvres import CRASH, ENERGY, FAMILIES, METRICS, RIDE, SURFACES
from unseen.envs.industry.proving_ground.scenarios import FURTHEST
from unseen.envs.industry.views.track import Track


def caption(s: np.void, params: Any) -> str:
    """What was tested last, or how certification ended."""
    if s["certified"]:
        worst = int(np.argmin(s["passed"]))
        return f"Certified: {100 * s['passed'][worst]:.0f} % pass in the worst family, {FAMILIES[worst]}."
    if not s["tests"]:
        return "No prototype has been built."
    sc = s["scenario"]
    where = "" if sc["family"] in (CRASH, RIDE, ENERGY) else f" on a {SURFACES[sc['surface']]} road"
    fate = " The car spun." if s["rig"]["spun"] else ""
    return f"Prototype {s['prototypes']}: {FAMILIES[sc['family']]}{where}, {3.6 * sc['speed']:.0f} km/h.{fate}"


LOOK = Track(
    families=FAMILIES,
    metrics=METRICS,
    surfaces=SURFACES,
    variables=VARIABLES,
    furthest=FURTHEST,
    request="design a car that passes, with few prototypes",
    caption=caption,
)
