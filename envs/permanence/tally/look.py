"""How Tally looks, and what its captions say."""

from unseen.envs.planar.task import ENDS, Look


def _observe(record, params):
    if params.looks == "two":
        return "Red and blue marbles roll behind the screen and out again. How many of each are left?"
    return "Marbles roll behind the screen and out again. How many are left?"


LOOK = Look(
    boxes=("screen", "crate"),
    discs=("marble",),
    request="collect all {} marbles that are left, then say done",
    request_unknown="collect all marbles that are left, then say done",
    captions={
        "observe": _observe,
        "blackout": "Blackout. The agent is moved to a new position.",
        "act": "Take the marbles behind the screen one by one. One reach too many loses.",
        "lit": "Full light and a glass screen: take all that are left, then say done.",
        "over": "Lights on: marbles still behind the screen are visible.",
        "end": ENDS["end"],
    },
    won="took them all",
    lost="wrong number",
    signals=("taken",),
    counts={"taken": lambda p: p.most},
)
