"""The card beside a trained agent: what it is, how it was trained, and how well it did. JSON, read as if hostile."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from unseen.agents.errors import BadCheckpoint
from unseen.envs.errors import nearest

MAX_BYTES = 1 << 20
MAX_TEXT = 200  # characters of a name, version or setting
MAX_NAMES = 200  # settings, or packages
MAX_POINTS = 100_000  # of a learning curve
MAX_COUNT = 2**53  # of steps, episodes and seeds: JSON's numbers are exact up to here


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > MAX_TEXT or not value.isprintable():
        raise ValueError(f"a printable text of at most {MAX_TEXT} characters")
    return value


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_COUNT:
        raise ValueError("an integer from 0 on")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e300:  # False for NaN
        raise ValueError("a finite number")
    return float(value)


def _duration(value: Any) -> float:
    if _number(value) < 0:
        raise ValueError("a number from 0 on")
    return float(value)


def _scale(value: Any) -> float:
    if not 1e-6 <= _number(value) <= 1e6:
        raise ValueError("a positive number of metres")
    return float(value)


def _level(value: Any) -> int | str:
    if isinstance(value, str):
        return _text(value)
    if _count(value) > 100:
        raise ValueError("a level, or the name of a preset")
    return value


def _names(value: Any, check: Callable[[Any], Any]) -> Mapping[str, Any]:
    if not isinstance(value, dict) or len(value) > MAX_NAMES:
        raise ValueError(f"an object of at most {MAX_NAMES} names")
    return {_text(name): check(part) for name, part in value.items()}


def _setting(value: Any) -> bool | int | float | str:
    if isinstance(value, str):
        return _text(value)
    if not isinstance(value, bool):
        _number(value)
    return value


def _settings(value: Any) -> Mapping[str, Any]:
    return _names(value, _setting)


def _versions(value: Any) -> Mapping[str, str]:
    return _names(value, _text)


def _curve(value: Any) -> tuple[tuple[int, float, float], ...]:
    if not isinstance(value, list) or len(value) > MAX_POINTS:
        raise ValueError(f"a list of at most {MAX_POINTS} points")
    return tuple(_point(point) for point in value)


def _point(value: Any) -> tuple[int, float, float]:
    if not isinstance(value, list) or len(value) != 3:
        raise ValueError("points of environment steps, CPU seconds and episode return")
    return _count(value[0]), _duration(value[1]), _number(value[2])


def _checked(check: Callable[[Any], Any], default: Any = None) -> Any:
    return field(default=default, metadata={"check": check})


def _named(check: Callable[[Any], Any]) -> Any:
    return field(default_factory=dict, metadata={"check": check})


@dataclass(frozen=True)
class Card:
    """What is known of a trained agent; None, or empty, where its card does not say."""

    agent: str = _checked(_text, "")
    """name in the roster"""
    env: str = _checked(_text, "")
    """id of the environment that it learned in"""
    level: int | str | None = _checked(_level)
    obs: str = _checked(_text, "")
    """observation mode that it needs; empty: the environment's default"""
    action: str = _checked(_text, "")
    """"discrete" or "continuous"; empty: the environment's default"""
    scale: float = _checked(_scale, 1.0)
    """metres of one unit of an observed place"""
    seed: int | None = _checked(_count)
    """of its training"""
    config: Mapping[str, Any] = _named(_settings)
    """all settings of the algorithm"""
    overrides: Mapping[str, Any] = _named(_settings)
    """those that were given by hand"""
    steps: int | None = _checked(_count)
    """environment steps of its training"""
    cpu_s: float | None = _checked(_duration)
    """CPU seconds of its training"""
    episode_return: float | None = _checked(_number)
    """mean return on held-out episodes at the end: the success rate where rewards are 0 or 1"""
    episodes: int | None = _checked(_count)
    """held-out episodes of that mean"""
    curve: tuple[tuple[int, float, float], ...] = _checked(_curve, ())
    """(environment steps, CPU seconds, mean return on held-out episodes) as training went"""
    versions: Mapping[str, str] = _named(_versions)
    """package -> version, of what trained it"""

    def as_json(self) -> str:
        """The text of the card's file."""
        given = {name: value for name, value in vars(self).items() if value is not None}
        return json.dumps(given, indent=1, allow_nan=False) + "\n"


def make_card(given: Mapping[str, Any], where: str) -> Card:
    """A card of named values as JSON has them. Raises BadCheckpoint naming `where` and the field."""
    known = {part.name: part.metadata["check"] for part in fields(Card)}
    checked = {}
    for name, value in given.items():
        if name not in known:
            raise BadCheckpoint(f"{where}: a card has no field {_short(name)}; {nearest(name[:MAX_TEXT], known)}")
        if value is None:
            continue
        try:
            checked[name] = known[name](value)
        except (ValueError, OverflowError) as error:
            raise BadCheckpoint(f"{where}: {name} is {_short(value)}; due is {error}") from error
    return Card(**checked)


def read_card(path: Path) -> Card:
    """The card at `path`. Raises BadCheckpoint."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadCheckpoint(f"{path}: a card has at most {MAX_BYTES} bytes")
        card = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadCheckpoint(f"{path}: not a readable card: {_short(error)}") from error
    if not isinstance(card, dict):
        raise BadCheckpoint(f"{path}: a card is a JSON object, not {type(card).__name__}")
    return make_card(card, str(path))


def _short(value: Any) -> str:
    """A value for a message, however large it is."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > MAX_COUNT:
        return "an integer beyond 2^53"
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, list | dict):
        return f"{'a list' if isinstance(value, list) else 'an object'} of {len(value)}"
    text = str(value) if isinstance(value, BaseException) else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
