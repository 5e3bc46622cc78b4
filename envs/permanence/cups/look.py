"""How Cups looks, and what its captions say."""

from unseen.envs.planar.task import Look


def _observe(record, params):
    if params.play == "move":
        return "The ball rolls under a cup, which moves to a free place behind the screen."
    if params.swaps[1] == 0:
        again = ", and is shown again; in the end it goes under another one" if params.hides else ""
        return f"The ball is hidden under a cup{again}. No cup moves."
    swap = "in every round all cups pair off and swap" if params.play == "round" else "cups swap places"
    tip = " After a bump, a ball has passed to the other cup." if params.hops > 0 else ""
    screen = ", some of them behind the screen" if params.screen else ""
    return f"The ball rolls under a cup; then {swap}{screen}.{tip}"


def _act(record, params):
    if params.glass:
        return "Full light and glass cups: the ball is visible. The first cup touched is lifted."
    return "All cups look alike. The first one touched is lifted."


LOOK = Look(
    boxes=("screen",),
    discs=("ball", "cup"),
    queries=("ball", "cup"),
    request="lift the cup that hides the {}",
    captions={
        "observe": _observe,
        "blackout": "Blackout. The agent is moved to a new position.",
        "act": _act,
        "over": "Lights on: the ball is visible.",
        "end": "The end. Only the reward tells whether it was the right cup.",
    },
    won="lifted the right cup",
    lost="nothing under it",
)
