"""Players of Unblock that know everything but plan at most a push or two ahead. They draw the rest at random.

The certificate of a reset requires that a panel of them fails; as references they show what a level demands. Masks as in
`crates`; r: a record with the generator `rng`.
"""

import numpy as np

from unseen.envs.core.device import device
from unseen.envs.core.rng import below
from unseen.envs.core.task import FLOAT
from unseen.envs.grid.cells import NONE, count, neighbours, nth, reachable
from unseen.envs.planning.unblock.crates import greedy_direction, move
from unseen.envs.planning.unblock.pushes import MAX_NODES, first_node, pushable, pushed, search_pushes, write_pushes

# How a player chooses among pushes of which none, nor a sequence within its foresight, opens a way.
ANY, NEARER, NO_FARTHER = 0, 1, 2
STYLES = 3
_FAR = 99

# The memory of `chance_of`: for each node of a TREE the probability of success with an even and with an odd number of pushes.
ODDS = np.dtype([("odds", FLOAT, (2, MAX_NODES))], align=True)


@device
def crates_between(free, crates, reach, goal):
    """The number of crates on a path from the cells `reach` to the goal on which there are fewest; _FAR if walls block all."""
    reached = reach
    for n in range(_FAR):
        reached = reachable(free & ~crates, reached)
        if reached & goal != 0:
            return n
        met = neighbours(reached) & crates & ~reached
        if met == 0:
            return _FAR
        reached |= met
        if reached & goal != 0:
            return n + 1
    return _FAR


@device
def _opens(free, crates, reach, goal):
    """A push after which the agent can walk to the goal, as (crate, direction); (0, NONE) if there is none."""
    for d in range(4):
        some = pushable(free, crates, reach, d)
        while some != 0:
            crate = some & -some
            some ^= crate
            if reachable(free & ~pushed(crates, crate, d), crate) & goal != 0:
                return crate, d
    return 0, NONE


@device
def opening(free, crates, reach, goal, foresight):
    """The first of one or, with foresight 2, two pushes that open a way, as (crate, direction); (0, NONE) if none do."""
    if foresight == 0:
        return 0, NONE
    crate, d = _opens(free, crates, reach, goal)
    if d >= 0 or foresight == 1:
        return crate, d
    for d in range(4):
        some = pushable(free, crates, reach, d)
        while some != 0:
            crate = some & -some
            some ^= crate
            after = pushed(crates, crate, d)
            _, then = _opens(free, after, reachable(free & ~after, crate), goal)
            if then >= 0:
                return crate, d
    return 0, NONE


@device
def limit_of(style, free, crates, reach, goal):
    """The most crates that may be in the way after a push, for the style."""
    if style == ANY:
        return _FAR
    if style == NO_FARTHER:
        return crates_between(free, crates, reach, goal)
    fewest = _FAR
    for d in range(4):
        some = pushable(free, crates, reach, d)
        while some != 0:
            crate = some & -some
            some ^= crate
            after = pushed(crates, crate, d)
            fewest = min(fewest, crates_between(free, after, reachable(free & ~after, crate), goal))
    return fewest


@device
def choices(style, limit, free, crates, reach, goal, d):
    """The crates that a player may choose to push in direction d: those after which at most `limit` are in the way."""
    some = pushable(free, crates, reach, d)
    if style == ANY:
        return some
    chosen = 0
    while some != 0:
        crate = some & -some
        some ^= crate
        after = pushed(crates, crate, d)
        if crates_between(free, after, reachable(free & ~after, crate), goal) <= limit:
            chosen |= crate
    return chosen


@device
def choose_push(r, style, foresight, free, crates, reach, goal):
    """The next push, as (crate, direction): one that opens a way within the foresight, else a random one; (0, NONE) if none.

    style: ANY: uniformly from all pushes; NEARER: from those after which the fewest crates are in the way; NO_FARTHER:
    from those after which no more are in the way than now.
    """
    crate, way = opening(free, crates, reach, goal, foresight)
    if way >= 0:
        return crate, way
    limit = limit_of(style, free, crates, reach, goal)
    n = 0
    for d in range(4):
        n += count(choices(style, limit, free, crates, reach, goal, d))
    pick = below(r, n)
    for d in range(4):
        some = choices(style, limit, free, crates, reach, goal, d)
        if pick < count(some):
            return nth(some, pick), d
        pick -= count(some)
    return 0, NONE


@device
def _near(w, k, goal, pushes):
    """Whether at most one or two `pushes` (0: none) lead from node k to the goal."""
    if pushes > 0 and k < w.expanded:
        for e in range(w.first_edge[k], w.first_edge[k + 1]):
            j = w.edge_to[e]
            if w.reach[j] & goal != 0:
                return True
            if pushes > 1 and j < w.expanded:
                for i in range(w.first_edge[j], w.first_edge[j + 1]):
                    if w.reach[w.edge_to[i]] & goal != 0:
                        return True
    return False


@device
def _value(w, v, style, foresight, free, goal, k, left):
    """The probability that a player reaches the goal from node k with `left` pushes, given those with one push less in v."""
    some = False
    for e in range(w.first_edge[k], w.first_edge[k + 1]):
        j = w.edge_to[e]
        some = some or w.reach[j] & goal != 0 or v.odds[1 - left % 2, j] > 0.0
    if not some:
        return 0.0
    if _near(w, k, goal, min(foresight, left)):
        return 1.0
    crates = w.crates[k]
    reach = w.reach[k]
    limit = limit_of(style, free, crates, reach, goal)
    n = 0
    value = 0.0
    for d in range(4):
        chosen = choices(style, limit, free, crates, reach, goal, d)
        n += count(chosen)
        for e in range(w.first_edge[k], w.first_edge[k + 1]):
            if w.edge_direction[e] == d and chosen & (1 << w.edge_crate[e]) != 0:
                j = w.edge_to[e]
                value += 1.0 if w.reach[j] & goal != 0 else v.odds[1 - left % 2, j]
    return value / max(n, 1)


@device
def chance_of(w, v, style, foresight, free, goal, strength):
    """The exact probability that a player reaches the goal with at most `strength` pushes. v: ODDS.

    w: TREE after a search with at least so many pushes, or with the fewest that lead to the goal if these are all.
    """
    fewest = w.depth[first_node(w, goal)]
    for k in range(w.nodes):  # also those that were not expanded, from which nothing is reached
        v.odds[0, k] = 0.0
        v.odds[1, k] = 0.0
    for left in range(1, strength + 1):
        for k in range(w.expanded):
            if w.depth[k] + left > strength:
                break
            if w.depth[k] + left >= fewest and w.reach[k] & goal == 0:  # otherwise it is 0, or does not matter
                v.odds[left % 2, k] = _value(w, v, style, foresight, free, goal, k, left)
    return v.odds[strength % 2, 0]


@device
def greedy_succeeds(free, crates, here, goal, strength, most):
    """Whether the greedy policy reaches the goal within `strength` pushes and `most` steps."""
    for _ in range(most):
        if here == goal:
            return True
        d = greedy_direction(free, crates, here, goal)
        if d < 0:
            return False
        here, after = move(free, crates, here, d)
        if after != crates:
            strength -= 1
            if strength < 0:
                return False
        crates = after
    return here == goal


@device
def puller_succeeds(r, w, free, crates, here, goal, strength):
    """Whether a player who plans as if crates could be pulled, and pushes at random where its plan asks for that, succeeds.

    w: TREE with the plan from the start. Later searches overwrite it.
    """
    reach = reachable(free & ~crates, here)
    planned = write_pushes(w, goal)
    next_ = 0
    for left in range(strength, 0, -1):
        if reach & goal != 0:
            return True
        if next_ == planned:
            planned = 0
            next_ = 0
            if search_pushes(w, free, crates, here, goal, left, 1) > 0:
                planned = write_pushes(w, goal)
        crate = 0
        d = NONE
        if next_ < planned and w.plan_direction[next_] < 4:
            crate = 1 << w.plan_crate[next_]
            d = w.plan_direction[next_]
            next_ += 1
        else:
            crate, d = choose_push(r, ANY, 1, free, crates, reach, goal)
            next_ = planned
        if d < 0:
            return False
        crates = pushed(crates, crate, d)
        here = crate
        reach = reachable(free & ~crates, here)
    return reach & goal != 0
