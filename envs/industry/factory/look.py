"""How Factory is drawn."""

from unseen.envs.core.view import Gauge, Gauges

LOOK = Gauges(request="each part to its machine", gauges=(Gauge("sorted", lambda s, params: s["right"], 0.0, 60.0),))
