"""`unseen audit`: what an environment must pass at every level, found out from what its task declares.

**References.** Each scripted policy plays episodes of the split "test". Its mean return reaches its gate in `score.gates`, returns
lie within the bounds of `score`, and those of random and oracle are the frozen anchors (where a level has some, at its own
parameters). `reflex` comes within 5 % of `oracle` on level 0, the visible twin. On other levels, where something is hidden,
it returns no more than `chance(params)`; where nothing is, at most half of the range of scores (from level 2 on): then a
plan is what is asked for.

**Draws.** No reset of many fails. A hidden class is uniform, a hidden vector varies.

**Leak probe.** A network is trained to decode the hidden truth from the last 1, 4 or 16 observations of random play, at the steps
where `hidden.when` holds (an episode's last observation, which may show everything, is left out), and must do no better than
chance on episodes that it was not trained on. A window of 1 is judged from level 1 on, one of 4 from level 2, one of 16 from
level 3; presets are judged by a window of 1. Level 0 is left out.

**History probe.** A recurrent network decodes the truth from all observations and actions up to the first such step (up to the
last one, where the first is the reset itself): what is asked can be known. Judged on levels 1 and 2, since level 3 is meant
to stay open; whether its history tells the truth is shown by `tracker`, not by this much data. Not with --quick.

A class is decoded as accuracy, whose chance is one in so many. A real vector is decoded as R2: the share of its variance that is
explained beyond its mean at that step over episodes, so that a clock tells nothing. Probes read the sensor that --obs names,
the default one without; images are averaged over blocks of pixels first, so that a probe finds nothing finer.

**Determinism.** One environment is a row of many, bit for bit; replays, threads, snapshots, copies and pickles agree.

**Surface.** Observations stay in their space; Gymnasium's and stable-baselines3's checkers are content; closing twice is harmless.
"""

from unseen.train.audit.command import AuditConfig, audit, checks
from unseen.train.audit.report import Check
from unseen.train.audit.subject import Subject, play

__all__ = ["AuditConfig", "Check", "Subject", "audit", "checks", "play"]
