"""How Detour looks, and what its captions say."""

from unseen.envs.planar.task import ENDS, UNSTAGED, Look
from unseen.envs.planning.detour.rules import LOOK_STEPS


def _act(record, params):
    return "Night: the agent senses where it is and what it touches. It walks the way from memory."


def _lit(record, params):
    if params.night:
        door = " A door lets through once, along its arrow." if params.doors else ""
        return f"Plan the way now: after {LOOK_STEPS} steps it is night.{door}"
    if params.barriers == 0:
        return "Nothing is in the way: go straight to the block."
    if not params.glass and record["t"] >= LOOK_STEPS:
        return "The wall is opaque now. Remember where the block is, and go around."
    if not params.glass:
        return f"A wall blocks the straight path. After {LOOK_STEPS} steps it is opaque and hides the block."
    return "Glass blocks the straight path: turn away from the block and go around."


LOOK = Look(
    boxes=("wall", "door"),
    request="go around to the {} block",
    phases=UNSTAGED,
    captions=ENDS | {"act": _act, "lit": _lit},
    won="reached it",
    lost="did not get there",
)
