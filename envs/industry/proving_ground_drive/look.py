from unseen.envs.core.view import Gauge, Gauges
LOOK = Gauges(gauges=(Gauge("speed", lambda s, p: s["car"]["x"][3], 0, 15, "m/s"),), request="drive")
