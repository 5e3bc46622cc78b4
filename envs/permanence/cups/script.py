"""What will happen in an episode of Cups, drawn as a whole at the reset: the events, and where the ball goes under."""

from unseen.envs.core.device import device
from unseen.envs.core.rng import below, uniform

MAX_CUPS = 6
MAX_PLACES = MAX_CUPS + 1  # one may be free
MAX_EVENTS = 11  # the shift adds one to the most that `swaps` allows

# Kinds of events: two cups circle each other and trade places; two neighbours meet and part; they meet and tip, and a
# ball under one of them passes to the other.
SWAP, MEET, TIP = 0, 1, 2


@device
def draw_script(s, p):
    """Draw the events and where the ball ends; from these follows where it starts, so that the events tell nothing.

    Writes the final rank of the ball's cup, the free place, the events (kind, two places, which way round), the place
    at which the ball goes under, and the decoy place under which it is shown first (-1: none).
    """
    s.ball_rank = below(s, p.cups)
    s.free_place = below(s, p.places) if p.places > p.cups else -1
    place = s.ball_rank
    if 0 <= s.free_place <= place:
        place += 1
    one_more = 1 if p.split == 2 and p.swaps_high > 0 else 0
    s.n_events = p.swaps_low + below(s, p.swaps_high - p.swaps_low + 1) + one_more
    for q in range(s.n_events, MAX_EVENTS):  # nothing of an earlier episode stays in the record
        s.kind[q] = s.place_a[q] = s.place_b[q] = s.side[q] = 0
    for q in range(s.n_events):
        s.kind[q] = SWAP
        if uniform(s, 0.0, 1.0) < p.hops:
            s.kind[q] = MEET + below(s, 2)
        s.side[q] = 2 * below(s, 2) - 1
        if p.places == p.cups:
            _draw_places(s, p, q)
    for q in range(s.n_events - 1, -1, -1):
        if p.places > p.cups:  # the ball's cup alone moves, to the place that is free
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
def _draw_places(s, p, q):
    """Draw the two places of event q. Those of a swap are at most p.apart from each other, all pairs alike but that of
    a swap just before; neighbours meet."""
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
    """The place of the ball before event q, if it is at `place` after it; the other way round it is the same."""
    if s.kind[q] != MEET and place == s.place_a[q]:
        return s.place_b[q]
    if s.kind[q] != MEET and place == s.place_b[q]:
        return s.place_a[q]
    return place
