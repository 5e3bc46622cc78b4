"""Players of Unblock that know everything but plan at most a push or two ahead. They draw the rest at random.

The certificate of a reset requires that a panel of them fails; as references they show what a level demands. Masks as in
`crates`; r: a record with the generator `rng`.
"""

from unseen.envs.core.device import device
from unseen.envs.core.rng import below
from unseen.envs.grid.cells import NONE, neighbours, reachable
from unseen.envs.planning.unblock.crates import greedy_direction, move
from unseen.envs.planning.unblock.pushes import pushable, pushed, search_pushes, write_pushes

# How a player chooses among pushes of which none, nor a sequence within its foresight, opens a way.
ANY, NEARER, NO_FARTHER = 0, 1, 2
STYLES = 3
_FAR = 99


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
def choose_push(r, style, foresight, free, crates, reach, goal):
    """The next push, as (crate, direction): one that opens a way within the foresight, else a random one; (0, NONE) if none.

    style: ANY: uniformly from all pushes; NEARER: from those after which the fewest crates are in the way; NO_FARTHER:
    from those after which no more are in the way than now.
    """
    chosen, way = opening(free, crates, reach, goal, foresight)
    if way >= 0:
        return chosen, way
    best = _FAR + 1
    if style == NO_FARTHER:
        best = crates_between(free, crates, reach, goal)
    n = 0
    for d in range(4):
        some = pushable(free, crates, reach, d)
        while some != 0:
            crate = some & -some
            some ^= crate
            if style != ANY:
                after = pushed(crates, crate, d)
                left = crates_between(free, after, reachable(free & ~after, crate), goal)
                if left > best:
                    continue
                if left < best and style == NEARER:
                    best = left
                    n = 0
            n += 1
            if below(r, n) == 0:  # each of the n pushes so far is the chosen one with equal probability
                chosen = crate
                way = d
    return chosen, way


@device
def succeeds(r, style, foresight, free, crates, here, goal, strength):
    """Whether a player who plays once reaches the goal with at most `strength` pushes."""
    reach = reachable(free & ~crates, here)
    for _ in range(strength):
        if reach & goal != 0:
            return True
        crate, d = choose_push(r, style, foresight, free, crates, reach, goal)
        if d < 0:
            return False
        crates = pushed(crates, crate, d)
        reach = reachable(free & ~crates, crate)
    return reach & goal != 0


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

    w: TREE.
    """
    reach = reachable(free & ~crates, here)
    for left in range(strength, 0, -1):
        if reach & goal != 0:
            return True
        d = NONE
        crate = 0
        if search_pushes(w, free, crates, here, goal, left, 1) > 0:
            write_pushes(w, goal)
            crate = 1 << w.plan_crate[0]
            d = w.plan_direction[0]
        if d < 0 or d >= 4:
            crate, d = choose_push(r, ANY, 1, free, crates, reach, goal)
        if d < 0:
            return False
        crates = pushed(crates, crate, d)
        here = crate
        reach = reachable(free & ~crates, here)
    return reach & goal != 0
