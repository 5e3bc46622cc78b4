"""Relabelling of what was seen in free play, as if a query had been given.

When an agent is first asked, and not before, it is told the goal of the environment: where `Layout.by_touch` holds, the first thing that
it touches must be the one that the query names. This determines the reward of every remembered observation for any query
(hindsight experience replay, Andrychowicz et al. 2017).
"""

from __future__ import annotations

import numpy as np

from unseen.agents.errors import BadAgent
from unseen.agents.shared.envs import EnvConfig, Layout

Columns = dict[str, np.ndarray]


def can_ask(agent: str, env: EnvConfig, layout: Layout | None) -> Layout:
    """The layout, if rewards can be computed from observations. Raises BadAgent if they cannot.

    agent: its name, for the message.
    """
    if layout is None or not layout.by_touch:
        raise BadAgent(
            f"{agent} cannot be asked after free play: in {env.label} no observation tells whether the goal is reached"
            if layout is not None
            else f"{agent} cannot be asked after free play without entity slots or rays"
        )
    return layout


def touches(rows: np.ndarray, layout: Layout) -> np.ndarray:
    """What the agent touches in the act phase, one-hot (..., queries), in observations (..., d); zeros where it touches nothing."""
    return rows[..., layout.contact] * layout.acts(rows)[..., None]


def touched_things(rows: np.ndarray, layout: Layout) -> np.ndarray:
    """Indices of all things touched anywhere in observations (n, d): those that the agent knows it can be asked for."""
    return np.flatnonzero(touches(rows, layout).any(0))


def with_query(rows: np.ndarray, layout: Layout, query: np.ndarray) -> np.ndarray:
    """Observations (n, d) with the queries (n,) filled in where they have none. query: index of the thing, or -1 for none."""
    out = rows.copy()
    none = (query >= 0) & ~out[:, layout.query].any(-1)
    out[none, layout.query.start + query[none]] = 1
    return out


def outcome(rows: np.ndarray, layout: Layout) -> tuple[np.ndarray, np.ndarray]:
    """Reward (n,) float32 for reaching observations (n, d) with a query, and whether the episode ends there, (n,) bool."""
    touched = touches(rows, layout)
    return (touched * rows[:, layout.query]).sum(-1).astype(np.float32), np.asarray(touched.any(-1))


def asked_episode(steps: Columns, layout: Layout, rng: np.random.Generator, things: np.ndarray) -> Columns:
    """An episode of an `EpisodeReplay`, as if one of `things` had been asked for, up to its first touch.

    Args:
        steps: columns (T, ...).
        things: indices to draw the query from; without any, there is no query.
    """
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
    """Transitions of slot-search, each with a query drawn from all things that were touched in any of them.

    Args:
        steps: columns `state` and `after` (n, d).

    Returns:
        Columns `state`, `after` (n, d) and `outcome` (n, 2): reward, and whether the episode ended.
    """
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
