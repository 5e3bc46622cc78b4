"""The script of a Cups episode, drawn at the reset: the events, and under which cup the ball goes."""

from unseen.envs.core.device import device
from unseen.envs.core.rng import SHIFT, below, shuffle, uniform

MAX_CUPS = 6
MAX_PLACES = MAX_CUPS + 1  # one may be free
MAX_EVENTS = 11  # one more than the maximum of `swaps`, for the shift

# Kinds of events. SWAP: two cups circle each other and swap places. MEET: two neighbours meet and part. TIP: they meet
# and tip, which passes a ball under one of them to the other. ROUND: all cups pair off, and every pair swaps places.
SWAP, MEET, TIP, ROUND = 0, 1, 2, 3

ROUNDS = 2  # index of `play="round"`


@device
def draw_script(s, p):
    """Draw the events and the final place of the ball, and compute its first place from these.

    The events are therefore independent of the final place. Writes the final rank of the ball's cup, the free place,
    the events (kind, two places, direction), the place where the ball is covered, and the decoy place where it is
    hidden first (-1: none).
    """
    s.ball_rank = below(s, p.cups)
    s.free_place = below(s, p.places) if p.places > p.cups else -1
    place = s.ball_rank
    if 0 <= s.free_place <= place:
        place += 1
    one_more = 1 if p.split == SHIFT and p.swaps_high > 0 else 0
    s.n_events = p.swaps_low + below(s, p.swaps_high - p.swaps_low + 1) + one_more
    for q in range(s.n_events, MAX_EVENTS):  # clear the previous episode
        s.kind[q] = s.place_a[q] = s.place_b[q] = s.side[q] = 0
        for i in range(MAX_PLACES):
            s.partner[q, i] = s.lane[q, i] = 0
    for q in range(s.n_events):
        if p.play == ROUNDS:
            _draw_round(s, p, q)
            continue
        s.kind[q] = SWAP
        if uniform(s, 0.0, 1.0) < p.hops:
            s.kind[q] = MEET + below(s, 2)
        s.side[q] = 2 * below(s, 2) - 1
        if p.places == p.cups:
            _draw_places(s, p, q)
    for q in range(s.n_events - 1, -1, -1):
        if p.places > p.cups:  # only the ball's cup moves, to the free place
            s.place_a[q] = s.free_place
            s.place_b[q] = place
            s.free_place = place
        place = _across(s, q, place)
    s.first_place = place
    s.decoy_place = -1
    if p.hides > 0:
        s.decoy_place = below(s, p.cups - 1)
        if s.decoy_place >= place:
            s.decoy_place += 1


@device
def _draw_round(s, p, q):
    """Draw round q: random pairs. Writes s.partner and s.lane.

    With an odd number of cups, one stays; with an even number, all stay in 1 of p.cups rounds. Either way a cup is equally
    likely to be at any place next, whatever its place is now.
    """
    s.kind[q] = ROUND
    s.place_a[q] = s.place_b[q] = s.side[q] = 0
    for i in range(p.cups):
        s.partner[q, i] = s.order[i] = i
        s.lane[q, i] = 0
    if p.cups % 2 == 0 and below(s, p.cups) == 0:
        return
    shuffle(s, s.order, p.cups)
    for pair in range(p.cups // 2):
        i = s.order[2 * pair]
        k = s.order[2 * pair + 1]
        s.partner[q, i] = k
        s.partner[q, k] = i
        s.lane[q, i] = (pair + 1) * (2 * below(s, 2) - 1)
        s.lane[q, k] = -s.lane[q, i]


@device
def _draw_places(s, p, q):
    """Draw the two places of event q. Writes s.place_a and s.place_b.

    A swap is uniform over pairs at most p.apart apart, except the pair of a swap just before. Meetings are of neighbours.
    """
    if s.kind[q] != SWAP:
        s.place_a[q] = below(s, p.places - 1)
        s.place_b[q] = s.place_a[q] + 1
        return
    pairs = 0
    excluded = -1
    apart = min(p.apart, p.places - 1)
    for d in range(1, apart + 1):
        for i in range(p.places - d):
            if q > 0 and s.kind[q - 1] == SWAP and s.place_a[q - 1] == i and s.place_b[q - 1] == i + d:
                excluded = pairs
            pairs += 1
    if pairs == 1:
        excluded = -1
    pick = below(s, pairs - (excluded >= 0))
    if 0 <= excluded <= pick:
        pick += 1
    for d in range(1, apart + 1):
        for i in range(p.places - d):
            if pick == 0:
                s.place_a[q] = i
                s.place_b[q] = i + d
            pick -= 1


@device
def _across(s, q, place):
    """The place of the ball before event q, given its `place` after it, or vice versa."""
    if s.kind[q] == ROUND:
        return s.partner[q, place]
    if s.kind[q] != MEET and place == s.place_a[q]:
        return s.place_b[q]
    if s.kind[q] != MEET and place == s.place_b[q]:
        return s.place_a[q]
    return place
