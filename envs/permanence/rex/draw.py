"""How an episode of Rex is drawn: furniture, the gap through which each dog runs, and meetings. Metres, radians."""

import math

from unseen.envs.core.device import device
from unseen.envs.core.rng import below, uniform
from unseen.envs.planar.world import place_box


@device
def place_furniture(s, p):
    """Place a ring of pieces of equal size, exactly one of a different kind. Returns the query for the odd kind."""
    s.n_boxes = p.pieces
    odd = below(s, 2)
    single = s.answer if s.asks_furniture != 0 else below(s, p.pieces)
    for k in range(p.pieces):
        s.angle[k] = 0.5 * math.pi + 2.0 * math.pi * k / p.pieces + uniform(s, -1.0, 1.0) * p.jitter
        cos = math.cos(s.angle[k])
        sin = math.sin(s.angle[k])
        place_box(s, k, odd if k == single else 1 - odd, p.ring * cos, p.ring * sin, cos, sin, p.depth, p.breadth)
    return p.colours + odd


@device
def draw_gaps(s, p):
    """Give every dog its own gap beside its piece, on a random side if both are free. Writes s.side.

    Starting from a vacant piece and going round, a gap can only have been taken by the dog of the previous piece. Without a
    vacant piece, all dogs take the same side.
    """
    way = 1 if below(s, 2) == 0 else -1
    if s.n_discs == p.pieces:
        for j in range(s.n_discs):
            s.side[j] = way
        return
    taken = False
    for i in range(1, p.pieces):
        j = s.behind[(s.home[p.pieces - 1] + way * i + p.pieces) % p.pieces]
        if j < 0:
            taken = False
            continue
        taken = taken or below(s, 2) == 0
        s.side[j] = way if taken else -way


@device
def draw_meetings(s, p):
    """Draw all meetings. Writes the script of the meetings and the dog that ends behind each piece."""
    for m in range(s.gap.shape[0]):
        s.gap[m], s.lower[m], s.upper[m], s.passes[m] = -1, -1, -1, 0
    if p.together == 0:
        for m in range(s.n_meetings):
            _draw_meeting(s, p, m)
        return
    first = below(s, 2)
    for m in range(s.n_meetings):
        # All gaps of one parity, then all of the other, so that no two meetings of a round share a piece.
        _meet(s, p, m, (2 * (m % p.pairs) + (first + m // p.pairs) % 2) % p.pieces)


@device
def _meet(s, p, m, k):
    """Let the dogs of pieces k and k + 1 meet: they run towards each other, and pass, which swaps their pieces, or turn back."""
    after = (k + 1) % p.pieces
    s.gap[m] = k
    s.lower[m] = s.behind[k]
    s.upper[m] = s.behind[after]
    s.passes[m] = 1 if p.feints == 0 else below(s, 2)
    if s.passes[m] != 0:
        s.behind[k], s.behind[after] = s.behind[after], s.behind[k]


@device
def _draw_meeting(s, p, m):
    """Draw meeting m of two dogs behind neighbouring pieces."""
    pairs = 0
    for k in range(p.pieces):
        pairs += s.behind[k] >= 0 and s.behind[(k + 1) % p.pieces] >= 0
    pick = below(s, pairs)
    for k in range(p.pieces):
        after = (k + 1) % p.pieces
        if s.behind[k] >= 0 and s.behind[after] >= 0:
            if pick == 0:
                _meet(s, p, m, k)
                return
            pick -= 1
