"""The JSON card stored beside a trained agent: what it is, how it was trained and how well it scored.

Cards are validated on reading, as untrusted input.
"""

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
MAX_NAMES = 200  # of settings, or of packages
MAX_POINTS = 100_000  # on a learning curve
MAX_COUNT = 2**53  # largest step count, episode count or seed: JSON numbers are exact up to here


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > MAX_TEXT or not value.isprintable():
        raise ValueError(f"a printable text of at most {MAX_TEXT} characters")
    return value


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_COUNT:
        raise ValueError("a non-negative integer")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e300:  # False for NaN
        raise ValueError("a finite number")
    return float(value)


def _duration(value: Any) -> float:
    if _number(value) < 0:
        raise ValueError("a non-negative number")
    return float(value)


def _scale(value: Any) -> float:
    if not 1e-6 <= _number(value) <= 1e6:
        raise ValueError("a positive number of metres")
    return float(value)


def _level(value: Any) -> int | str:
    if isinstance(value, str):
        return _text(value)
    if _count(value) > 100:
        raise ValueError("a level number or the name of a preset")
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
        raise ValueError("points (environment steps, CPU seconds, episode return)")
    return _count(value[0]), _duration(value[1]), _number(value[2])


def _checked(check: Callable[[Any], Any], default: Any = None) -> Any:
    return field(default=default, metadata={"check": check})


def _named(check: Callable[[Any], Any]) -> Any:
    return field(default_factory=dict, metadata={"check": check})


@dataclass(frozen=True)
class Card:
    """Metadata of a trained agent. Fields the card does not give are None or empty."""

    agent: str = _checked(_text, "")
    """name in the roster"""
    env: str = _checked(_text, "")
    """id of the training environment"""
    level: int | str | None = _checked(_level)
    obs: str = _checked(_text, "")
    """required observation mode; empty for the environment's default"""
    action: str = _checked(_text, "")
    """"discrete" or "continuous"; empty: the environment's default"""
    scale: float = _checked(_scale, 1.0)
    """metres per unit of an observed position"""
    seed: int | None = _checked(_count)
    """training seed"""
    config: Mapping[str, Any] = _named(_settings)
    """all settings of the algorithm"""
    overrides: Mapping[str, Any] = _named(_settings)
    """settings that were changed from their defaults"""
    steps: int | None = _checked(_count)
    """environment steps of training"""
    training_episodes: int | None = _checked(_count)
    """episodes of training in the environment"""
    cpu_s: float | None = _checked(_duration)
    """CPU seconds of training"""
    episode_return: float | None = _checked(_number)
    """final mean return on held-out episodes; the success rate where returns are 0 or 1"""
    episodes: int | None = _checked(_count)
    """number of those held-out episodes"""
    curve: tuple[tuple[int, float, float], ...] = _checked(_curve, ())
    """learning curve: (environment steps, CPU seconds, mean return on held-out episodes)"""
    versions: Mapping[str, str] = _named(_versions)
    """package -> version used in training"""

    def as_json(self) -> str:
        """The text of the card's file."""
        given = {name: value for name, value in vars(self).items() if value is not None}
        return json.dumps(given, indent=1, allow_nan=False) + "\n"


def make_card(given: Mapping[str, Any], where: str) -> Card:
    """Validate a parsed JSON object and make a card of it. Raises BadCheckpoint naming `where` and the field."""
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
            raise BadCheckpoint(f"{where}: {name} is {_short(value)}: expected {error}") from error
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
    """A short text for a value of any size, for error messages."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > MAX_COUNT:
        return "an integer beyond 2^53"
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, list | dict):
        return f"{'a list' if isinstance(value, list) else 'an object'} of {len(value)}"
    text = str(value) if isinstance(value, BaseException) else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
