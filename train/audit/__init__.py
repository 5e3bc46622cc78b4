"""`unseen audit`: what an environment must pass at every level, found out from what its task declares.

| check | what is looked at | where |
|---|---|---|
| references | each scripted policy plays episodes of the test split; its mean return reaches its gate in `score.gates`; returns lie within the bounds of `score` | every level |
| the visible twin | `reflex`, without a memory, comes within 5 % of `oracle` | level 0 |
| memory is needed | `reflex` returns no more than `chance(params)` | other levels, where something is hidden |
| a plan is needed | `reflex` returns at most half of the range of scores | levels 2 and up, where nothing is hidden |
| anchors | `random` and `oracle` return what the frozen anchors say | levels with anchors, at their own parameters |
| draws | no reset of many fails; a hidden class is uniform, a hidden vector varies | every level |
| leak probe | a network is trained to decode the hidden truth from the last 1, 4 or 16 observations of random play, at the steps where `hidden.when` holds, and must not do better than chance on episodes that it was not trained on | window 1 from level 1, 4 from level 2, 16 from level 3 |
| history probe | a recurrent network decodes it from all observations up to the first such step (up to the last one, where that is the reset itself): what is asked can be known | levels 1 and 2; not with --quick |
| determinism | one environment is a row of many, bit for bit; replay; threads; snapshots; copies and pickles in mid-episode | every level |
| surface | observations stay in their space; Gymnasium's and stable-baselines3's checkers; closing twice | every level |

A class is decoded as accuracy, whose chance is one in so many. A real vector is decoded as R2, the share of the variance that
is explained beyond the mean of that step over episodes, so that a clock tells nothing. An episode's last observation is left out: it may
show everything. The probes read the sensor that is given by --obs, the default one without; images are averaged over blocks of
pixels first, so that a probe finds nothing finer.

Level 3 is meant to stay open: whether its history tells the truth is shown by `tracker`, not by this much data. Presets are
probed with a window of 1.
"""

from unseen.train.audit.command import AuditConfig, audit, checks
from unseen.train.audit.report import Check
from unseen.train.audit.subject import Subject, play

__all__ = ["AuditConfig", "Check", "Subject", "audit", "checks", "play"]
