"""`unseen audit`: checks of an environment at every level, derived from what its task declares.

**References.** Scripted policies play episodes of the split "test". Mean returns must reach the gates in `score.gates`; returns
must lie within the bounds of `score`; the mean returns of random and oracle must match the frozen anchors (if the level has
any, with its own parameters). On level 0, the visible twin, `reflex` must come within 5 % of `oracle`. On other levels of tasks
with something hidden, `reflex` may return at most `chance(params)`. In tasks without, which require planning, it may return at
most half of the score's range, from level 2 on.

**Draws.** No reset fails. A hidden class is uniformly distributed, a hidden vector varies.

**Leak probe.** A network is trained to decode the hidden truth from the last 1, 4 or 16 observations of random play, at the steps
where `hidden.when` holds, excluding the final observation, which may reveal everything. On held-out episodes it must not be
better than chance. A window of 1 is judged from level 1 on, one of 4 from level 2, one of 16 from level 3; for presets only the
window of 1 is judged. Level 0 is not probed.

**History probe.** A recurrent network must be able to decode the truth from all observations and actions up to the first such step
(up to the last one, if the first is the reset): the task is solvable from the history. Judged on levels 1 and 2. Level 3 is an
open challenge, for which this much data is not enough; there `tracker` shows that the task is solvable. Skipped with --quick.

For a hidden class the score is accuracy, with chance 1 / classes. For a hidden vector it is R2 relative to the mean over episodes
at that step, so that knowing the time gives no score. Probes use the sensor given by --obs, by default the first one. Images are
downsampled first, so leaks in finer detail are not found.

**Determinism.** A scalar environment is bit-identical to a row of a batch. Replays, threads, snapshots, copies and pickles agree.

**Surface.** Observations lie in their space, the checkers of Gymnasium and stable-baselines3 pass, and close() can be called twice.
"""

from unseen.train.audit.command import AuditConfig, audit, checks
from unseen.train.audit.report import Check
from unseen.train.audit.subject import Subject, play

__all__ = ["AuditConfig", "Check", "Subject", "audit", "checks", "play"]
