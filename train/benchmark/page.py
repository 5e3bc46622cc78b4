"""The summary table of a benchmark inside a page that is otherwise written by hand."""

from __future__ import annotations

from pathlib import Path

from unseen.train.errors import StoreError
from unseen.train.files import write_text


def renew(page: Path, name: str, table: str) -> None:
    """Put the table between the page's comments `<!-- benchmark NAME: begin -->` and `<!-- benchmark NAME: end -->`.

    Raises StoreError if the page lacks these comments, or cannot be read or written.
    """
    before, after = split_at_markers(page, name)
    try:
        write_text(page, f"{before}\n{table}\n{after}")
    except OSError as error:
        raise StoreError(page, f"cannot be written: {error.strerror or error}") from error


def split_at_markers(page: Path, name: str) -> tuple[str, str]:
    """What stands before and after the table, the comments included. Raises StoreError without these comments, or if it cannot be read."""
    begin, end = (f"<!-- benchmark {name}: {mark} -->" for mark in ("begin", "end"))
    try:
        before, found, rest = page.read_text(encoding="utf-8").partition(begin)
    except (OSError, UnicodeError) as error:
        raise StoreError(page, f"cannot be read: {getattr(error, 'strerror', None) or error}") from error
    _, found_end, after = rest.partition(end)
    if not found or not found_end:
        raise StoreError(page, f"needs the lines {begin} and {end}, between which the table goes")
    return before + begin, end + after
