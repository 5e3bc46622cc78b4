"""How Bedroom looks, and what its captions say."""

from unseen.envs.permanence.bedroom.rules import NAMES
from unseen.envs.planar.task import ENDS, Look
from unseen.envs.planar.world import DARK


def _observe(record, params):
    return "Look around before the light goes out." if params.dark else "Look around; the light stays on."


def _act(record, params):
    if record["light"] == DARK:
        return "Night: the agent senses bumps and touch, but not where it is. It counts its own moves."
    return "Night: the agent senses only its pose, bumps and touch."


LOOK = Look(
    boxes=NAMES,
    discs=("cat",),
    queries=NAMES,
    request="go to the {}",
    request_unknown="where to go will be shown in the dark",
    captions=ENDS
    | {
        "observe": _observe,
        "blackout": "Blackout. The agent is moved to a new position.",
        "act": _act,
        "lit": "The light stays on: everything in view is visible.",
    },
    won="found it",
    lost="wrong place, or broke something",
    signals=("bump",),
    counts={"bump": lambda p: 1},
)
