"""Free play: an environment without its question.

The world and its dynamics are the same. But nothing is asked for and nothing is rewarded, a touch ends nothing, and an episode
lasts as long as its time. So neither rewards, metrics, lengths nor the lit end depend on what would have been asked.
"""

from unseen.envs.core.device import device

FREE = ("no", "yes", "shown")  # "shown": free play in which the question shows, a control
ASKED, HIDDEN, SHOWN = 0, 1, 2


@device
def shows_query(p):
    """Whether the query is observed."""
    return p.free != HIDDEN


@device
def without_question(p, info, reward, over):
    """Reward and end of a step; in free play there are none, and no metrics."""
    if p.free == ASKED:
        return reward, over
    for i in range(info.shape[0]):
        info[i] = 0.0
    return 0.0, False
