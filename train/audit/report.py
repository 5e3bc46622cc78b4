"""Results of the audit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from unseen.train.rollout import one_line


@dataclass(frozen=True)
class Check:
    """One row of the table."""

    name: str
    want: str
    got: str
    passed: bool | None
    """None: reported, but not judged"""


def run_checks(checks: Mapping[str, Callable[[Any], str]], subject: Any) -> Iterator[Check]:
    """Run checks that return an error message or "". An exception counts as an error."""
    for name, check in checks.items():
        try:
            fault = check(subject)
        except Exception as error:
            fault = f"raised {one_line(error)}"
        yield Check(name, "holds", fault or "ok", not fault)
