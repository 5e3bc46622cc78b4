"""How RolledBehind looks, and what its captions say."""

from unseen.envs.planar.task import ENDS, Look


def _observe(record, params):
    if params.named > 0:
        return "Colours show at first only; then all blocks look alike. They roll out of sight."
    return "Blocks roll out of sight, one after the other."


def _blackout(record, params):
    bumps = "Blocks bump into each other: heard, not seen. " if params.bump or params.volley else ""
    return f"Blackout. {bumps}The agent is moved to a new position."


LOOK = Look(
    captions=ENDS
    | {
        "observe": _observe,
        "blackout": _blackout,
        "act": "At dusk, small blocks are invisible until touched.",
        "lit": "Full light: everything in sight is visible.",
    },
)
