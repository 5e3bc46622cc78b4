"""Command-line arguments shared by several commands: the environment and its parameters."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from tyro.conf import UseAppendAction, arg

from unseen.agents.shared.envs import EnvConfig
from unseen.envs import suite
from unseen.envs.core.params import Params, Spec
from unseen.envs.errors import BadParameter

__all__ = [
    "EnvArguments",
    "LevelArgument",
    "LevelsArgument",
    "OptionalFloat",
    "OptionalInt",
    "OptionalPath",
    "as_options",
]

LEVELS = "(default: 0 1 2 for leaderboard, or 1 if no environment is named; all for audit)"
TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
DEFAULT = "(default: the environment's)"

# Optional arguments whose help text states the default.
OptionalInt = Annotated[int | None, arg(metavar="INT", help_behavior_hint="")]
OptionalFloat = Annotated[float | None, arg(metavar="FLOAT", help_behavior_hint="")]
OptionalPath = Annotated[Path | None, arg(metavar="PATH", help_behavior_hint="")]


@dataclass(frozen=True, kw_only=True)
class EnvArguments:
    """Options of the environment, except its level."""

    obs: Annotated[str, arg(metavar="SENSOR", help_behavior_hint=DEFAULT)] = ""
    """observation mode, such as slots, rays or pixels; `unseen info ENV` lists them"""
    action: Annotated[str, arg(metavar="KIND", help_behavior_hint=DEFAULT)] = ""
    """action space: discrete or continuous"""
    split: Annotated[
        str, arg(metavar="SPLIT", help_behavior_hint="(default: train for training and play, test for evaluation)")
    ] = ""
    """seed split: train, test or shift; shift also uses other parameter ranges"""
    parameters: Annotated[UseAppendAction[tuple[str, ...]], arg(name="env", metavar="NAME=VALUE")] = ()
    """set an environment parameter: --env blackout=5,15 --env glass=true"""

    def env_config(
        self, env: str, level: int | str | None, split: str, given: Mapping[str, Any] | None = None
    ) -> EnvConfig:
        """The configuration of environment `env` by these arguments, validated by making the environment.

        Args:
            split: default split.
            given: environment parameters, instead of `parameters`.

        Raises:
            UnknownEnvironment, BadParameter, UnknownKeyword, BadTask: the environment or an option is invalid.
        """
        given = _pairs(self.parameters) if given is None else given
        bare = EnvConfig(env, level, self.obs, self.action, self.split or split)
        entry = bare.entry
        if entry is None:
            return EnvConfig(env, level, self.obs, self.action, overrides=_read(given, None))
        overrides = _read(given, entry.task.params)
        words = {"obs": self.obs or None, "action": self.action or None, "split": bare.split}
        suite.make(entry.name, level=level, **words, **overrides)  # raises if anything is invalid
        return EnvConfig(entry.name, level, self.obs, self.action, bare.split, overrides)


@dataclass(frozen=True, kw_only=True)
class LevelArgument(EnvArguments):
    """Options of the environment, and one level."""

    level: Annotated[int | str | None, arg(metavar="LEVEL", help_behavior_hint=DEFAULT)] = None
    """level 0 to 3, or the name of a preset"""


@dataclass(frozen=True, kw_only=True)
class LevelsArgument(EnvArguments):
    """Options of the environment, and any number of levels."""

    level: Annotated[tuple[int | str, ...], arg(metavar="LEVEL", aliases=("--levels",), help_behavior_hint=LEVELS)] = ()
    """levels 0 to 3, or names of presets"""


def as_options(env_config: EnvConfig, split: str) -> str:
    """The command-line options, other than --level, that give this configuration; "" if all are defaults.

    Args:
        split: default split.
    """
    words = {
        "--obs": env_config.obs,
        "--action": env_config.action,
        "--split": env_config.split if env_config.split != split else "",
    }
    options = [f"{word} {value}" for word, value in words.items() if value]
    return " ".join(
        options + [f"--env {name}={value}".replace(", ", ",") for name, value in env_config.overrides.items()]
    )


def _pairs(items: tuple[str, ...]) -> dict[str, str]:
    """NAME=VALUE pairs by name."""
    found = {}
    for item in items:
        name, equals, text = item.partition("=")
        if not equals or not name:
            raise BadParameter(f"--env {item}: give NAME=VALUE (the environment itself is named without --env)")
        found[name] = text
    return found


def _read(given: Mapping[str, Any], params: type[Params] | None) -> dict[str, Any]:
    """Check values by the declared parameters, if there are any. Text is parsed, without any as Python literals."""
    specs: Mapping[str, Spec] = {} if params is None else params.specs()
    found: dict[str, Any] = {}
    for name, value in given.items():
        spec = specs.get(name)
        if params is not None and spec is None:
            params().replace(**{name: value})  # raises UnknownKeyword
        if isinstance(value, str):
            value = _literal(value) if spec is None else _value(value.strip(), spec.kind)
        found[name] = value if spec is None else spec.check(name, value)
    return found


def _value(text: str, kind: str) -> Any:
    """Parse a value of that kind of parameter. Invalid text is returned as it is, for `Spec.check` to reject."""
    if kind == "choice":
        return text
    if kind == "flag":
        return TRUTH.get(text.lower(), text)
    return _literal(text)


def _literal(text: str) -> Any:
    """Parse numbers and nested sequences of them: 5  .5  5,15  (5,15)  [[1,2],[3,4]]. Other text is returned as it is."""
    try:
        value = ast.literal_eval(text)
        repr(value)  # raises ValueError for an integer of thousands of digits, which no message could show
        return value
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return {"true": True, "false": False, "none": None}.get(text.lower(), text)
