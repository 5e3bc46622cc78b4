"""Tables of a benchmark inside a page that is otherwise written by hand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from unseen.train.errors import StoreError
from unseen.train.files import write_text


def renew(page: Path, tables: Mapping[str, str]) -> None:
    """Put each table between the page's lines `<!-- benchmark NAME: begin -->` and `<!-- benchmark NAME: end -->`, if it has them.

    Raises StoreError if it has none of them, or cannot be read or written.
    """
    for name in tables_in(page, tables):
        before, after = split_at_markers(page, name)
        try:
            file = page.resolve()  # a link stays a link
            mode = file.stat().st_mode
            write_text(file, f"{before}\n{tables[name]}\n{after}")
            file.chmod(mode)
        except OSError as error:
            raise StoreError(page, f"cannot be written: {error.strerror or error}") from error


def tables_in(page: Path, names: Iterable[str]) -> list[str]:
    """Those tables for which the page has lines. Raises StoreError if there are none, or if they are not one pair."""
    lines, names = _read(page).splitlines(), list(names)
    found = [name for name in names if _markers(name)[0] in lines]
    for name in found or names[:1]:
        split_at_markers(page, name)
    return found


def split_at_markers(page: Path, name: str) -> tuple[str, str]:
    """What stands before and after a table, its two lines included. Raises StoreError without one pair of them, or if it cannot be read."""
    text = _read(page)
    ends = [
        [found.span() for found in re.finditer(rf"^{re.escape(line)}$", text, re.MULTILINE)] for line in _markers(name)
    ]
    if [len(found) for found in ends] != [1, 1] or ends[0] > ends[1]:
        begin, end = _markers(name)
        raise StoreError(page, f"needs the lines {begin} and {end} once, between which the table goes")
    return text[: ends[0][0][1]], text[ends[1][0][0] :]


def _markers(name: str) -> tuple[str, str]:
    return f"<!-- benchmark {name}: begin -->", f"<!-- benchmark {name}: end -->"


def _read(page: Path) -> str:
    try:
        return page.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise StoreError(page, f"cannot be read: {getattr(error, 'strerror', None) or error}") from error
