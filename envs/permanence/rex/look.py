"""How Rex looks, and what its captions say."""

from unseen.envs.planar.task import ENDS, Look


def _observe(record, params):
    collars = "Collars show only up close" if params.near > 0 else "Collars always show"
    if params.crossings[1] == 0:
        return f"{collars}. The dogs run and hide behind furniture."
    meet = "pass each other or turn back" if params.feints else "pass each other"
    return f"{collars}. The dogs run and hide; those that meet {meet}."


LOOK = Look(
    boxes=("couch", "armchair"),
    discs=("dog",),
    request="find the dog with the {} collar",
    request_box="find the {} (grey at dusk)",
    request_unknown="what to find will be shown after the blackout",
    captions=ENDS
    | {
        "observe": _observe,
        "blackout": "Blackout. The agent is moved to a new position.",
        "act": "At dusk, dogs are invisible and furniture is grey. The first look behind a piece counts.",
        "lit": "Full light: everything in sight is visible. The first look behind a piece counts.",
    },
    won="found",
    lost="not here",
)
