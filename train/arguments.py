"""The arguments that every command shares: which environment, and how it is set."""

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

LEVELS = "(default: 0 1 2 to compare, all to audit)"
TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
DEFAULT = "(default: the environment's)"

# Options that may be left out, and whose help says what is then done.
OptionalInt = Annotated[int | None, arg(metavar="INT", help_behavior_hint="")]
OptionalFloat = Annotated[float | None, arg(metavar="FLOAT", help_behavior_hint="")]
OptionalPath = Annotated[Path | None, arg(metavar="PATH", help_behavior_hint="")]


@dataclass(frozen=True, kw_only=True)
class EnvArguments:
    """How the environment is set, but for its level."""

    obs: Annotated[str, arg(metavar="SENSOR", help_behavior_hint=DEFAULT)] = ""
    """what the agent observes: one of the environment's sensors, such as slots"""
    action: Annotated[str, arg(metavar="KIND", help_behavior_hint=DEFAULT)] = ""
    """discrete or continuous"""
    split: Annotated[str, arg(metavar="SPLIT", help_behavior_hint="(default: train to learn and play, else test)")] = ""
    """seeds of train, test or shift; shift draws from other ranges too"""
    parameters: Annotated[UseAppendAction[tuple[str, ...]], arg(name="env", metavar="NAME=VALUE")] = ()
    """set a parameter of the environment: --env blackout=5,15 --env glass=true"""

    def env_config(self, env: str, level: int | str | None, split: str) -> EnvConfig:
        """The environment called `env`, set by these arguments.

        Args:
            split: what is meant where none was given.

        Raises:
            UnknownEnvironment, BadParameter, UnknownKeyword, BadTask: there is no such environment, or it cannot be so.
        """
        bare = EnvConfig(env, level, self.obs, self.action, self.split or split)
        entry = bare.entry
        if entry is None:
            return EnvConfig(env, level, self.obs, self.action, overrides=_read(self.parameters, None))
        overrides = _read(self.parameters, entry.task.params)
        words = {"obs": self.obs or None, "action": self.action or None, "split": bare.split}
        suite.make(entry.name, level=level, **words, **overrides)  # whatever is wrong with it is said at once
        return EnvConfig(entry.name, level, self.obs, self.action, bare.split, overrides)


@dataclass(frozen=True, kw_only=True)
class LevelArgument(EnvArguments):
    """The environment at one level."""

    level: Annotated[int | str | None, arg(metavar="LEVEL", help_behavior_hint=DEFAULT)] = None
    """difficulty, 0 to 3, or the name of a preset"""


@dataclass(frozen=True, kw_only=True)
class LevelsArgument(EnvArguments):
    """The environment at several levels."""

    level: Annotated[tuple[int | str, ...], arg(metavar="LEVEL", aliases=("--levels",), help_behavior_hint=LEVELS)] = ()
    """difficulties, 0 to 3, or names of presets"""


def as_options(env_config: EnvConfig, split: str) -> str:
    """How an environment is set beside its level, as on the command line; empty: as it is by default.

    Args:
        split: what the default is.
    """
    words = {
        "--obs": env_config.obs,
        "--action": env_config.action,
        "--split": env_config.split if env_config.split != split else "",
    }
    said = [f"{word} {value}" for word, value in words.items() if value]
    return " ".join(said + [f"--env {name}={value}".replace(", ", ",") for name, value in env_config.overrides.items()])


def _read(items: tuple[str, ...], params: type[Params] | None) -> dict[str, Any]:
    """NAME=VALUE pairs as keywords: by the parameter's declaration, or as Python literals where there is none."""
    specs: Mapping[str, Spec] = {} if params is None else params.specs()
    found: dict[str, Any] = {}
    for item in items:
        name, equals, text = item.partition("=")
        if not equals or not name:
            raise BadParameter(f"--env {item}: give NAME=VALUE (an environment is named without --env)")
        spec = specs.get(name)
        found[name] = _literal(text) if spec is None else spec.check(name, _value(text.strip(), spec.kind))
    return found


def _value(text: str, kind: str) -> Any:
    """The text as a value of that kind of parameter; as it stands where it is none, which the check then says."""
    if kind == "choice":
        return text
    if kind == "flag":
        return TRUTH.get(text.lower(), text)
    return _literal(text)


def _literal(text: str) -> Any:
    """A number, or a pair or list of them: 5  .5  5,15  (5,15)  [[1,2],[3,4]]. Else the text itself."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return {"true": True, "false": False, "none": None}.get(text.lower(), text)
