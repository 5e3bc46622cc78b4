"""`unseen audit`: checks of an environment at every level, derived from what its task declares.

**References.** Scripted policies play episodes of the split "test", starting with the seed --seed. Mean returns must reach the gates
in `score.gates` (in the split "shift", the gate or .9, whichever is lower); returns must lie within the bounds of `score`; the mean
returns of random and oracle must match the frozen anchors (if the level has any, with its own parameters). On level 0, the visible twin,
`reflex` must come within 5 % of `oracle`. On other levels of tasks with something hidden, `reflex` may return at most
`chance(params, split)` plus four standard errors. In tasks that hide nothing, which require planning, it may return at most half of the
score's range, from level 2 on. In the industry environments the best of the players that `reactive` names must come within .05 of
`oracle` on level 0, and stay at least .2 below it at level 3.

**Faculties.** For each faculty that a level demands, all policies that lack it play episodes of the splits "test" and "shift". In each
split, the best of them, less half the width of its 95 % interval, may return at most chance plus .1 (level 1) or .05 (levels 2 and 3), or
plus the declared excess, whose reason is printed. Chance is the return of random play where the task declares none.

**Draws.** No reset fails. In the splits "train" and "shift", a hidden class is uniformly distributed and independent of the number of
tries of a reset, and a hidden vector varies. Fields of the record that `hidden.independent` names are uniform over their values and
independent of the class. These are chi-squared tests with a Bonferroni correction, p = .001 for all tests of a level together.

**Instances.** No instance of "train" occurs in "test" or "shift", and there are at least 100,000 of them at every level but 0,
estimated from the pairs of resets that coincide. An instance is what the task's `instance` hashes or, if the task has none, the whole
record after a reset; then two resets that differ in any value are different instances.

**Leak probe.** A network is trained to decode the hidden truth from the last 1, 4 or 16 observations, at the steps where
`hidden.when` holds, until `hidden.found` does, excluding the final observation, which may reveal everything. A third of the episodes
is played at random, a third straight forward, a third forward with alternating turns. One network is trained on episodes of both
"train" and "shift", with the split as an input, so that a leak in only one split is found without training twice. On held-out episodes
it must not be better than chance in either split, neither at the first such step of an episode nor at later ones. A window of 1 is
judged from level 1 on, one of 4 from level 2 on, one of 16 at level 3; for presets only the window of 1 is judged. Level 0 is not probed.

**History probe.** A recurrent network must be able to decode the truth from all observations and actions up to the first such step
(up to the last one, if the first is the reset): the task is solvable from the history. Judged on levels 1 and 2. Level 3 is an
open challenge, for which this much data is not enough; there `tracker` shows that the task is solvable, as it does where
`hidden.unjudged` says why the probe cannot succeed. Skipped with --quick.

For a hidden class the score is accuracy, with chance 1 / classes. For a hidden vector it is R2 relative to the mean over episodes
at that step, so that knowing the time step alone scores 0. Leak probes use the sensor given by --obs, or else every sensor that is not
privileged (with --quick the first alone), and the history probe the first one. Images are downsampled first, so leaks in finer
detail are not found.

**Twins.** On the visible twin of a level, in which only the hiding is removed, the best of `reflex` and `tracker-1` must come within .05 of
`oracle`. Level 0 must have the parameters of the twin of level 1.

**Interference.** Pairs of environments that differ only in the hidden truth must give the same observations, rewards, ends and pictures
under the same actions, until the truth may be found. Pictures are compared right after the change and at every fourth step. A row for
which nothing was compared fails, unless `hidden.unjudged` says why there is no reward to compare. Only for tasks whose
`hidden.change` can change the truth; level 0 is left out.

**Determinism.** A scalar environment is bit-identical to a row of a batch. Replays, threads, snapshots, copies and pickles agree.

**Surface.** Observations lie in their space, the checkers of Gymnasium and stable-baselines3 pass, and close() can be called twice.
With --answer FUNCTION, a Gymnasium environment outside the suite is audited (`unseen.train.audit.foreign`). The function takes
the unwrapped environment and returns the label that is hidden now (any hashable value), or None if nothing is. Episodes are
recorded for at most 128 steps, half of them with uniformly random actions and half with actions that are held for some steps.

- Leak probe, windows of 1, 4 and 16; the window of 1 is judged. Chance is the accuracy of the most frequent label, or of the most
  frequent label of each step, if that is higher. If infos contain numbers, a further row shows what they add.
- History probe, as above. It finds the label only if this play reveals it.
- Determinism: the same seed and actions give the same bytes again, in a new environment and in another process.
- Overlap of seeds, with first observation and label as the instance. It is not judged, since episodes may differ beyond these.
- PPO from stable-baselines3 for 50,000 steps or 60 s of CPU (20 s with --quick), on one observation and on a stack of 16, and random
  play. These are not judged, since the environment does not declare a chance level.
"""

from unseen.train.audit.command import AuditConfig, audit, checks
from unseen.train.audit.report import Check
from unseen.train.audit.subject import Subject, play

__all__ = ["AuditConfig", "Check", "Subject", "audit", "checks", "play"]
