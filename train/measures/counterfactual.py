"""Does the model know the outcomes of actions that the agent did not take?

From the same true state and the same memory, the agent's own actions and other ones are taken for a few steps, both in the true
environment and in the model. Does the model predict what differs between the two outcomes: the reward, the end of the episode, the place
of a thing?
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from gymnasium import spaces

from unseen.train.measures.imagination import future, imagined_discs
from unseen.train.measures.played import Played
from unseen.train.measures.tables import Row, Table, absent
from unseen.train.measures.things import slots_tell, truth

TITLE = "Counterfactual accuracy"
COLUMNS = ("cases", "differs", "accuracy", "base rate", "balanced", "chance")
REWARD, END, DISCS, BOXES = "reward", "end", "discs", "boxes"
STEPS = 8  # length of the sequences of actions
EVERY = 2  # steps between the states from which other actions are taken
REWARDED = 0.5  # returns count as different if they differ by more than this
MOVED = 0.1  # m: places count as different if they are further apart
BOX_PLACES = "box_x", "box_y"


class Outcome(NamedTuple):
    """The outcomes of n sequences of actions.

    Attributes:
        reward: (n,) return.
        over: (n,) bool or probability: the episode terminates; truncation does not count.
        discs, boxes: (n, k, 2) positions at the end, m; infinite where unknown, NaN where there is no thing; None if not predicted.
        late: (n,) bool: the episode was truncated, which cannot be known from observations; such cases are left out.
    """

    reward: np.ndarray
    over: np.ndarray
    discs: np.ndarray | None
    boxes: np.ndarray | None
    late: np.ndarray


def counterfactual_table(played: Played, steps: int = STEPS, seed: int = 0) -> Table:
    """Accuracy of a model's predictions of what differs, beside that of the most frequent class, over recorded episodes."""
    rng = np.random.default_rng(seed)
    pairs_by_name: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    for t in range(0, len(played.obs) - 1, EVERY):
        counts = played.acting[t]
        if not counts.any():
            continue
        own = future(played, t, steps)
        other = other_actions(own, played.env.single_action_space, rng)
        imagined = [_imagined(played, t, actions) for actions in (own, other)]
        if imagined[0] is None or imagined[1] is None:
            return absent(TITLE, f"{played.agent.name} has no world model")
        true = [_true(played, t, actions) for actions in (own, other)]
        counts &= ~(true[0].late | true[1].late)
        for name, (predicted, found) in _differences((imagined[0], imagined[1]), (true[0], true[1])).items():
            pairs_by_name.setdefault(name, []).append((predicted[counts].ravel(), found[counts].ravel()))
    rows = []
    for name, parts in pairs_by_name.items():
        predicted, found = (np.concatenate(part) for part in zip(*parts, strict=True))
        there = found >= -1  # things that are not there are left out
        if there.any():
            rows.append(Row(name, _scores(predicted[there], found[there])))
    note = f"of what differs after {steps} steps of other actions from the same state; balanced: mean over the answers"
    return Table(TITLE, note, COLUMNS, tuple(rows)) if rows else absent(TITLE, "the agent never acts")


def other_actions(own: np.ndarray, space: spaces.Space, rng: np.random.Generator) -> np.ndarray:
    """Other actions (n, h, ...) than `own` (n, h, ...): a different first one, followed by the same ones in half of the rows, and by random
    ones in the rest."""
    n, h = own.shape[:2]
    if isinstance(space, spaces.Discrete):
        other = rng.integers(space.n, size=(n, h))
        other[:, 0] = (own[:, 0] - space.start + rng.integers(1, space.n, n)) % space.n if space.n > 1 else 0
        other += space.start
    else:
        assert isinstance(space, spaces.Box)
        other = rng.uniform(space.low, space.high, (n, h, *space.shape)).astype(own.dtype)
    same = rng.random(n) < 0.5
    other[same, 1:] = own[same, 1:]
    return other


def _true(played: Played, t: int, actions: np.ndarray) -> Outcome:
    """The true outcomes of actions (n, h, ...) from the states at step t."""
    env, n = played.env, played.n
    env.world[:] = played.world[t]
    reward, over, late, world = np.zeros(n), ~played.live[t], np.zeros(n, bool), played.world[t].copy()
    for k in range(actions.shape[1]):
        _, got, terminated, truncated, _ = env.step(actions[:, k])
        reward += np.where(over | late, 0.0, got)
        running = ~(over | late)
        world[running] = env.world[running]
        over, late = over | (running & terminated), late | (running & truncated & ~terminated)
    layout = played.layout
    if layout is None:
        return Outcome(reward, over, None, None, late)
    there, places = truth(world, layout)
    discs = np.where(there[..., None], places, np.nan)[:, : layout.colours]
    boxes = np.stack([world[name] for name in BOX_PLACES], -1)
    boxes[np.arange(boxes.shape[1]) >= world["n_boxes"][:, None]] = np.nan
    return Outcome(reward, over, discs, boxes, late)


def _imagined(played: Played, t: int, actions: np.ndarray) -> Outcome | None:
    """The outcomes of actions (n, h, ...) from step t that the agent imagines; None without a world model."""
    n, h = actions.shape[:2]
    imagined = played.agent.imagine(played.states[t], h, actions)
    if imagined is None:
        return None
    goes_on = np.cumprod(np.concatenate([np.ones((n, 1)), imagined.cont], 1), 1)
    reward = (imagined.reward * goes_on[:, :-1]).sum(1)
    ended = goes_on[:, 1:] < 0.5
    at = np.where(ended.any(1), ended.argmax(1), h - 1)
    rows, layout = np.arange(n), played.layout
    discs = boxes = None
    if layout is not None:
        places = [imagined_discs(imagined, k, played, layout, t) for k in range(h)]
        if places[0] is not None:
            discs = np.stack([place for place in places if place is not None], 1)[rows, at]
        if imagined.box_xy is not None and imagined.box_xy.shape[2] and slots_tell(layout):
            boxes = imagined.box_xy[rows, at]
            if imagined.box_seen is not None:
                boxes = np.where(imagined.box_seen[rows, at][..., None] > 0.5, boxes, np.inf)
    return Outcome(reward, 1 - goes_on[:, -1], discs, boxes, np.zeros(n, bool))


def _differences(
    imagined: tuple[Outcome, Outcome], true: tuple[Outcome, Outcome]
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """For each quantity, the difference between the outcomes of two sequences of actions, as a class: imagined, and true.

    Reward and end: -1, 0, 1 if the other actions lead to less, the same or more. Places: 0, 1 if they lead to the same or another place,
    -2 if the thing is not there.
    """
    found = {
        REWARD: tuple(_sign(b.reward - a.reward, REWARDED) for a, b in (imagined, true)),
        END: tuple((b.over > 0.5).astype(int) - (a.over > 0.5).astype(int) for a, b in (imagined, true)),
    }
    for name, places in ((DISCS, lambda outcome: outcome.discs), (BOXES, lambda outcome: outcome.boxes)):
        pairs = [(places(a), places(b)) for a, b in (imagined, true)]
        if all(a is not None and b is not None and a.shape[1] for a, b in pairs):
            k = min(a.shape[1] for a, _ in pairs)
            found[name] = tuple(_moved(a[:, :k], b[:, :k]) for a, b in pairs)
    return {name: (predicted, actual) for name, (predicted, actual) in found.items()}


def _sign(difference: np.ndarray, least: float) -> np.ndarray:
    return np.where(np.abs(difference) > least, np.sign(difference), 0).astype(int)


def _moved(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Whether places (n, k, 2) differ: 0 or 1; 0 where one is unknown (infinite), -2 where nothing is there (NaN)."""
    known = np.isfinite(a).all(-1) & np.isfinite(b).all(-1)
    apart = np.zeros(known.shape)
    apart[known] = np.linalg.norm(b[known] - a[known], axis=-1)
    return np.where(np.isnan(a).any(-1) | np.isnan(b).any(-1), -2, apart > MOVED).astype(int)


def _scores(predicted: np.ndarray, found: np.ndarray) -> tuple[float | None, ...]:
    """Values of COLUMNS for predicted and true classes. The balanced accuracy and its chance level are None if there is only one class."""
    classes, counts = np.unique(found, return_counts=True)
    recalls = [float((predicted[found == c] == c).mean()) for c in classes]
    many = len(classes) > 1
    return (
        len(found),
        float((found != 0).mean()),
        float((predicted == found).mean()),
        float(counts.max() / len(found)),
        float(np.mean(recalls)) if many else None,
        1 / len(classes) if many else None,
    )
