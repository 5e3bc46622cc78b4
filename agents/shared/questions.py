"""What was seen in free play, as if something had been asked for.

An agent is told what it is asked to do, `Layout.by_touch`: to touch what the query names, with the first touch. That says what
every remembered observation would have been worth, for any query (Andrychowicz et al. 2017, hindsight experience replay). It is
told so when it is first asked, not before.
"""

from __future__ import annotations

import numpy as np

from unseen.agents.errors import BadAgent
from unseen.agents.shared.envs import EnvConfig, Layout

Columns = dict[str, np.ndarray]


def can_ask(agent: str, env: EnvConfig, layout: Layout | None) -> Layout:
    """The layout. Raises BadAgent where the goal cannot be told from an observation."""
    if layout is None or not layout.by_touch:
        raise BadAgent(
            f"{agent} cannot be asked after free play: in {env.label} no observation tells whether the goal is reached"
            if layout is not None
            else f"{agent} cannot be asked after free play without entity slots"
        )
    return layout


def touches(rows: np.ndarray, layout: Layout) -> np.ndarray:
    """What is touched in the act phase, one-hot (..., queries); zeros where nothing is."""
    return rows[..., layout.contact] * layout.acts(rows)[..., None]


def touched_things(rows: np.ndarray, layout: Layout) -> np.ndarray:
    """Indices of all that is touched anywhere in rows (n, d): what an agent can be asked for, as far as it knows."""
    return np.flatnonzero(touches(rows, layout).any(0))


def with_query(rows: np.ndarray, layout: Layout, query: np.ndarray) -> np.ndarray:
    """Rows (n, d) with the queries (n,), where they show none; -1 for no query."""
    out = rows.copy()
    none = (query >= 0) & ~out[:, layout.query].any(-1)
    out[none, layout.query.start + query[none]] = 1
    return out


def outcome(rows: np.ndarray, layout: Layout) -> tuple[np.ndarray, np.ndarray]:
    """Reward (n,) float32 of reaching rows (n, d) that show a query, and bool (n,) whether the episode ends there."""
    touched = touches(rows, layout)
    return (touched * rows[:, layout.query]).sum(-1).astype(np.float32), np.asarray(touched.any(-1))


def asked_episode(steps: Columns, layout: Layout, rng: np.random.Generator, things: np.ndarray) -> Columns:
    """An episode, columns (T, ...) of an `EpisodeReplay`, until its first touch; it asks for one of `things`."""
    query = int(rng.choice(things)) if len(things) else -1
    rows = with_query(steps["obs"], layout, np.full(len(steps["obs"]), query))
    reward, over = outcome(rows, layout)
    length = int(over.argmax()) + 1 if over.any() else len(rows)
    return {name: column[:length] for name, column in steps.items()} | {
        "obs": rows[:length],
        "reward": reward[:length],
        "terminated": over[:length].astype(np.float32),
    }


def asked_transitions(steps: Columns, layout: Layout, rng: np.random.Generator) -> Columns:
    """Transitions, columns (n, ...) `state`, `after` and `outcome` of slot-search; each asks for something that was touched in one."""
    things = touched_things(steps["after"], layout)
    n = len(steps["after"])
    query = rng.choice(things, n) if len(things) else np.full(n, -1)
    after = with_query(steps["after"], layout, query)
    reward, over = outcome(after, layout)
    return {
        "state": with_query(steps["state"], layout, query),
        "after": after,
        "outcome": np.stack([reward, over], axis=-1).astype(np.float32),
    }
