"""Override the settings of an algorithm, a frozen dataclass, by name."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from unseen.agents.errors import BadAgent
from unseen.envs.errors import nearest, shown

Config = TypeVar("Config")
TimeLimit = Literal["auto", "ends", "cuts"]


def configure(kind: type[Config], overrides: Mapping[str, Any] | None) -> Config:
    """An instance of dataclass `kind` with some defaults overridden. Raises BadAgent for an unknown name, or a value of the wrong type."""
    known: dict[str, Any] = {f.name: f.default for f in fields(kind)}  # type: ignore[arg-type]
    hints = get_type_hints(kind)
    typed: dict[str, Any] = {}
    for name, value in (overrides or {}).items():
        if name not in known:
            raise BadAgent(f"no setting {name!r}; {nearest(name, known)}")
        if get_origin(hints[name]) is Literal:
            if value not in get_args(hints[name]):
                raise BadAgent(f"setting {name}={shown(value)}: must be one of {', '.join(get_args(hints[name]))}")
            typed[name] = value
            continue
        want = type(known[name])
        given = int if want is int else int | want
        fits = isinstance(value, given) and abs(value) <= sys.float_info.max  # neither NaN nor infinite
        if isinstance(value, bool) != (want is bool) or not fits:
            raise BadAgent(f"setting {name}={shown(value)}: expected {want.__name__}")
        typed[name] = want(value)
    return replace(kind(), **typed)  # type: ignore[type-var]
