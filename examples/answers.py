"""Answer functions for `unseen audit ID --answer examples/answers.py:FUNCTION`: what some well-known memory tasks hide.

unseen audit minigrid:MiniGrid-MemoryS7-v0 --answer examples/answers.py:memory_cue
unseen audit popgym:popgym-RepeatFirstEasy-v0 --answer examples/answers.py:first_suit

Each takes an unwrapped environment and returns the label that the observations must not tell now, or None if they may.
"""

from typing import Any


def memory_cue(env: Any) -> str | None:
    """MiniGrid-Memory: the object in the start room, which is at the side to choose too; None while it is in view."""
    x, y = 1, env.height // 2 - 1
    return None if env.agent_sees(x, y) else env.grid.get(x, y).type


def key_room(env: Any) -> int | None:
    """MiniGrid-KeyCorridor: which of the rooms on the left has the key; None while it is in view, or after it was taken."""
    for x in range(env.width):
        for y in range(env.height):
            thing = env.grid.get(x, y)
            if thing is not None and thing.type == "key":
                return None if env.agent_sees(x, y) else y // (env.room_size - 1)
    return None


def first_suit(env: Any) -> int | None:
    """POPGym RepeatFirst: suit of the first card; None while it is shown."""
    return None if env.deck.deck_len == env.deck.num_cards - 1 else int(env.card)


def previous_suit(env: Any) -> int | None:
    """POPGym RepeatPrevious: suit of the card k back, which is asked for; None before there are k cards."""
    hand = env.deck["player"]
    return int(env.deck.suits_idx[hand[-env.k]]) if len(hand) >= env.k else None


def queried_count(env: Any) -> int | None:
    """POPGym CountRecall: how often the queried value was dealt; None until 20 cards were, of which few can be counted."""
    return int(env.counts[env.query]) if env.counts.sum() >= 20 else None


def recited_suit(env: Any) -> int | None:
    """POPGym Autoencode: suit of the card to recite next; None while cards are still shown."""
    return None if env.mode.name == "WATCH" else int(env.deck.suits_idx[env.deck["system"][-1]])
