"""How ProvingGround is drawn."""

from unseen.envs.core.view import Gauge, Gauges

LOOK = Gauges(
    request="design a car that passes, with few prototypes",
    gauges=(Gauge("worst margin", lambda s, params: float(s["shown"].min()), -4.0, 4.0),),
)
