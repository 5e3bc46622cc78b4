"""The summary table of a benchmark inside a page that is otherwise written by hand."""

from __future__ import annotations

from pathlib import Path

from unseen.train.errors import StoreError
from unseen.train.files import write_text


def check(page: Path, name: str) -> None:
    """Raise StoreError if the page lacks the comments for this benchmark, or cannot be read."""
    try:
        split_at_markers(page, page.read_text(encoding="utf-8"), name)
    except (OSError, UnicodeError) as error:
        raise StoreError(page, f"cannot be read: {getattr(error, 'strerror', None) or error}") from error


def renew(page: Path, name: str, table: str) -> None:
    """Put the table between the page's comments `<!-- benchmark NAME: begin -->` and `<!-- benchmark NAME: end -->`.

    Raises StoreError if the page lacks these comments, or cannot be read or written.
    """
    try:
        text = page.read_text(encoding="utf-8")
        before, after = split_at_markers(page, text, name)
        write_text(page, f"{before}\n{table}\n{after}")
    except (OSError, UnicodeError) as error:
        raise StoreError(page, f"cannot be renewed: {getattr(error, 'strerror', None) or error}") from error


def split_at_markers(page: Path, text: str, name: str) -> tuple[str, str]:
    """What stands before and after the table, the comments included. Raises StoreError without these comments."""
    begin, end = (f"<!-- benchmark {name}: {mark} -->" for mark in ("begin", "end"))
    before, found, rest = text.partition(begin)
    _, found_end, after = rest.partition(end)
    if not found or not found_end:
        raise StoreError(page, f"needs the lines {begin} and {end}, between which the table goes")
    return before + begin, end + after
