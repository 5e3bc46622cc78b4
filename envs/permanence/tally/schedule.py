"""The moves of a Tally episode, drawn as a whole at the reset: how many marbles go in and come out, beat by beat."""

from unseen.envs.core.device import device
from unseen.envs.core.rng import below

MAX_BEATS = 28  # of the observe phase: a move or a pause each
MORE_MOVES = 2  # further moves in the shift
MIXED, ADD, SUBTRACT = 0, 1, 2  # kinds of sums: any moves; n + 1; n - 1


@device
def draw_schedule(s, p):
    """Draw the moves: for each group of marbles `goal`, `n_moves` and `last_move`; `group`, `ins`, `outs` of each beat.

    What is left, the number of moves and the last move (one marble, in or out) are drawn first and independently; the
    moves before lead there. Pauses fill the beats that no move takes. Leaves `left` at 0.
    """
    more = MORE_MOVES if p.split == 2 and p.operation == MIXED else 0
    s.n_beats = p.groups * (p.moves_high + more)
    for c in range(2):
        s.left[c] = 0
        s.goal[c] = p.least + below(s, p.most - p.least + 1)
        s.n_moves[c] = p.moves_low + below(s, p.moves_high - p.moves_low + 1) + more if c < p.groups else 0
        s.last_move[c] = 1 if below(s, 2) == 0 else -1
    for i in range(MAX_BEATS):
        s.ins[i] = 0
        s.outs[i] = 0
        s.group[i] = 0
    if p.operation != MIXED:
        s.last_move[0] = 1 if p.operation == ADD else -1
    _fill_beats(s, p)


@device
def _fill_beats(s, p):
    """Deal the moves of both groups, in their order, and the pauses evenly to the beats."""
    n_moves_0 = s.n_moves[0]
    n_moves_1 = s.n_moves[1]
    for i in range(s.n_beats):  # n_moves counts those that are still to be dealt; left, what they have led to
        pick = below(s, s.n_beats - i)
        c = 0 if pick < s.n_moves[0] else 1
        if pick >= s.n_moves[0] + s.n_moves[1]:
            continue
        s.n_moves[c] -= 1
        s.group[i] = c
        if s.n_moves[c] == 0:
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
    """Draw how many of n marbles come out and how many go in, with k moves still to follow: evenly from the moves after
    which `target` can still be reached. Returns ins, outs."""
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
    """Whether k moves can lead from n marbles behind the screen to `target`. One in and one out keeps n, but with
    nothing behind the screen nothing comes out."""
    if k == 0:
        return n == target
    return abs(target - n) <= p.together * k and (n > 0 or target > 0 or k > 1)
