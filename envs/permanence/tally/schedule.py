"""The moves of a Tally episode, drawn at the reset: how many marbles go in and come out in each beat."""

from unseen.envs.core.device import device
from unseen.envs.core.rng import SHIFT, below

MAX_BEATS = 28  # beats of the observe phase, each a move or a pause
MAX_MOVES = 14  # moves of a group
MORE_MOVES = 2  # extra moves under shift
MIXED, ADD, SUBTRACT = 0, 1, 2  # `operation`: any moves; n + 1; n - 1


@device
def more_moves(p):
    """Extra moves of a group in this split."""
    return MORE_MOVES if p.split == SHIFT and p.operation == MIXED else 0


@device
def draw_schedule(s, p):
    """Draw the moves. Writes `goal`, `n_moves` and `last_move` of each group; `group`, `ins` and `outs` of each beat.

    The number left, the number of moves and the last move (one marble, in or out) are drawn first and independently; the
    earlier moves are drawn to lead there. The remaining beats are pauses. Leaves `left` at 0.
    """
    more = more_moves(p)
    s.n_beats = p.groups * (p.moves_high + more)
    for c in range(2):
        s.left[c] = 0
        s.goal[c] = p.least + below(s, p.most - p.least + 1)
        s.n_moves[c] = p.moves_low + below(s, p.moves_high - p.moves_low + 1) + more if c < p.groups else 0
        s.last_move[c] = 1 if below(s, 2) == 0 else -1
        for q in range(s.move_ins.shape[1]):
            s.move_ins[c, q] = 0
            s.move_outs[c, q] = 0
    for i in range(MAX_BEATS):
        s.ins[i] = 0
        s.outs[i] = 0
        s.group[i] = 0
    if p.operation != MIXED:
        s.last_move[0] = 1 if p.operation == ADD else -1
    if p.peak != 0:
        for c in range(p.groups):
            _draw_moves(s, p, c)
    _fill_beats(s, p)


@device
def _draw_moves(s, p, c):
    """Draw the moves of group c such that all but the first p.head of them are independent of the number left.

    These are drawn from the last to the first, such that they are possible whatever the number left: their sum from any
    of them to the end is at most p.least and at least p.most - p.cap, and never do more come out than there must be. The
    first ones then lead to the number with which they begin.
    """
    n = s.n_moves[c]
    total = s.last_move[c]  # of the moves drawn so far, in minus out
    s.move_ins[c, n - 1] = 1 if total > 0 else 0
    s.move_outs[c, n - 1] = 1 - s.move_ins[c, n - 1]
    for q in range(n - 2, p.head - 1, -1):
        found = 0
        ins = 0
        outs = 0
        for i in range(p.together + 1):
            for o in range(p.together + 1):
                then = total + i - o
                if i + o > 0 and p.most - p.cap <= then and o <= p.least - then:
                    found += 1
                    if below(s, found) == 0:
                        ins = i
                        outs = o
        s.move_ins[c, q] = ins
        s.move_outs[c, q] = outs
        total += ins - outs
    left = 0
    for q in range(p.head):
        ins, outs = _draw_move(s, p, left, s.goal[c] - total, p.head - 1 - q)
        s.move_ins[c, q] = ins
        s.move_outs[c, q] = outs
        left += ins - outs


@device
def _fill_beats(s, p):
    """Distribute the moves of both groups, in order, and the pauses uniformly over the beats."""
    n_moves_0 = s.n_moves[0]
    n_moves_1 = s.n_moves[1]
    for i in range(s.n_beats):  # n_moves: moves still to be distributed; left: the count so far
        pick = below(s, s.n_beats - i)
        c = 0 if pick < s.n_moves[0] else 1
        if pick >= s.n_moves[0] + s.n_moves[1]:
            continue
        s.n_moves[c] -= 1
        s.group[i] = c
        if p.peak != 0:
            q = (n_moves_0 if c == 0 else n_moves_1) - s.n_moves[c] - 1
            s.ins[i] = s.move_ins[c, q]
            s.outs[i] = s.move_outs[c, q]
        elif s.n_moves[c] == 0:
            s.ins[i] = 1 if s.last_move[c] > 0 else 0
            s.outs[i] = 1 - s.ins[i]
        else:
            s.ins[i], s.outs[i] = _draw_move(s, p, s.left[c], s.goal[c] - s.last_move[c], s.n_moves[c] - 1)
        s.left[c] += s.ins[i] - s.outs[i]
    s.n_moves[0] = n_moves_0
    s.n_moves[1] = n_moves_1
    s.left[0] = 0
    s.left[1] = 0


@device
def _draw_move(s, p, n, target, k):
    """Draw how many marbles go in and how many of n come out, uniform over moves after which k more can reach `target`.

    Returns ins, outs.
    """
    found = 0
    ins = 0
    outs = 0
    for i in range(p.together + 1):
        for o in range(min(p.together, n) + 1):
            then = n + i - o
            if i + o > 0 and then <= p.cap and _reachable(p, then, target, k):
                found += 1
                if below(s, found) == 0:
                    ins = i
                    outs = o
    return ins, outs


@device
def _reachable(p, n, target, k):
    """Whether k moves can lead from n marbles behind the screen to `target`.

    A move of one in and one out keeps n, but is impossible with n = 0.
    """
    if k == 0:
        return n == target
    return abs(target - n) <= p.together * k and (n > 0 or target > 0 or k > 1)
