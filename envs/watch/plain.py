"""What frames and cards of tasks without a room have in common: request and name on top, step, end, timeline and keys."""

import numpy as np

from unseen.envs.core.params import Params
from unseen.envs.core.view import Captioned
from unseen.envs.watch import theme
from unseen.envs.watch.page import Page
from unseen.envs.watch.painter import CARD, FRAME

CARD_WIDE = CARD[0] - 24.0  # layout units, of what stands on a card


def open_frame(size: tuple[int, int], request: str, name: str) -> Page:
    """A page for a frame, with the request and a name on top."""
    page = Page(size, FRAME)
    taken = page.text(name, 936, 32, 14, theme.MUTED, right=True)
    page.text(request, 24, 32, 21, fit=912 - taken - 32)
    return page


def close_frame(page: Page, record: np.void, params: Params, keys: str) -> np.ndarray:
    """The frame's pixels, with the timeline and the keys at the bottom."""
    _timeline(page, record, params)
    if keys:
        page.text(keys, 936, 589, 12, theme.FAINT, right=True, fit=912)
    return page.pixels()


def open_card(size: tuple[int, int], request: str, message: str) -> Page:
    """A page for a card, with the request and, if there is one, the message on top."""
    page = Page(size, CARD)
    taken = page.text(message, CARD[0] - 12, 24, 12, theme.MUTED, right=True) + 12 if message else 0.0
    page.text(request, 12, 24, 17, fit=CARD_WIDE - taken)
    return page


def close_card(page: Page, record: np.void, params: Params) -> np.ndarray:
    """The card's pixels, with the timeline at the bottom."""
    _timeline(page, record, params, 12, CARD[1] - 24, CARD_WIDE)
    return page.pixels()


def draw_step(page: Page, record: np.void, params: Params, reward: float, y: float) -> None:
    """The step and its reward, on the right of a frame."""
    words = f"step {int(record['t'])} of {params.horizon}     reward {reward:.3g}"
    page.text(words, 936, y, 14, theme.MUTED, right=True)


def draw_end(page: Page, view: Captioned, record: np.void, params: Params, middle: float, y: float, fit: float) -> None:
    """The outcome, if the episode has ended."""
    if record["done"]:
        succeeded = view.succeeded(record, params)
        page.badge(view.outcome[succeeded], succeeded, middle, y, fit)


def _timeline(page: Page, record: np.void, params: Params, *place: float) -> None:
    page.timeline((("", params.horizon),), "", int(record["t"]), bool(record["done"]), *place)
