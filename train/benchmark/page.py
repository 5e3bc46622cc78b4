"""Tables of a benchmark inside a page that is otherwise written by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from unseen.train.errors import StoreError
from unseen.train.files import write_text


def renew(page: Path, tables: Mapping[str, str]) -> None:
    """Put each table between the page's comments `<!-- benchmark NAME: begin -->` and `<!-- benchmark NAME: end -->`, if it has them.

    Raises StoreError if it has none of them, or cannot be read or written.
    """
    for name in tables_in(page, tables):
        before, after = split_at_markers(page, name)
        try:
            write_text(page, f"{before}\n{tables[name]}\n{after}")
        except OSError as error:
            raise StoreError(page, f"cannot be written: {error.strerror or error}") from error


def tables_in(page: Path, names: Iterable[str]) -> list[str]:
    """Those tables for which the page has comments. Raises StoreError if there are none, or if one has no end."""
    text, names = _read(page), list(names)
    found = [name for name in names if _markers(name)[0] in text]
    for name in found or names[:1]:
        split_at_markers(page, name)
    return found


def split_at_markers(page: Path, name: str) -> tuple[str, str]:
    """What stands before and after a table, the comments included. Raises StoreError without these comments, or if it cannot be read."""
    begin, end = _markers(name)
    before, found, rest = _read(page).partition(begin)
    _, found_end, after = rest.partition(end)
    if not found or not found_end:
        raise StoreError(page, f"needs the lines {begin} and {end}, between which the table goes")
    return before + begin, end + after


def _markers(name: str) -> tuple[str, str]:
    return f"<!-- benchmark {name}: begin -->", f"<!-- benchmark {name}: end -->"


def _read(page: Path) -> str:
    try:
        return page.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise StoreError(page, f"cannot be read: {getattr(error, 'strerror', None) or error}") from error
