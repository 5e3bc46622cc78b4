"""One finding of the audit."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One row of the table."""

    name: str
    want: str
    got: str
    passed: bool | None
    """None: shown, not judged"""
