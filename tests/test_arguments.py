"""Command-line arguments of the environment, and parsing of parameters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from unseen.envs.errors import BadParameter, UnknownEnvironment, UnknownKeyword
from unseen.train import cli
from unseen.train.arguments import EnvArguments, LevelArgument, LevelsArgument, as_options

MONITOR = str(Path(__file__).parents[1] / "examples" / "blind_monitor.py") + ":BlindMonitor"
SHARED = ("play", "watch", "train", "evaluate", "sweep", "leaderboard", "audit", "info")


def read(*items: str, env: str = "RolledBehind") -> dict[str, Any]:
    return dict(EnvArguments(parameters=items).env_config(env, None, "test").overrides)


@pytest.mark.parametrize(
    ("item", "value"),
    [
        ("occluders=6", 6),
        ("occluders=6.0", 6),
        ("ring=1.25", 1.25),
        ("ring=.95", 0.95),
        ("glass=true", True),
        ("glass=No", False),
        ("query=late", "late"),
        ("blackout=5,15", (5, 15)),
        ("blackout=(5, 15)", (5, 15)),
        ("blackout=[5,15]", (5, 15)),
        ("blackout=7", (7, 7)),
    ],
)
def test_text_is_read_by_the_parameters_kind(item: str, value: Any) -> None:
    found = read(item)[item.partition("=")[0]]
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize(
    ("item", "error", "said"),
    [
        ("occluders=nine", BadParameter, "occluders='nine': must be an integer in 2..6"),
        ("occluders=5.5", BadParameter, "occluders=5.5"),
        ("occluders=inf", BadParameter, "occluders='inf'"),
        ("ring=nan", BadParameter, "ring='nan'"),
        ("ring=9", BadParameter, "in 0.9..1.4"),
        ("glass=perhaps", BadParameter, "glass='perhaps': must be True or False"),
        ("query=soon", BadParameter, "must be one of 'fixed', 'first', 'late'"),
        ("blackout=15,5", BadParameter, r"blackout=\(15, 5\)"),
        ("blackout=1,2,3", BadParameter, "pair"),
        ("blackout=__import__('os')", BadParameter, "pair"),
        ("blackout=" + "(" * 500, BadParameter, "pair"),
        ("blackout=0x" + "f" * 5000, BadParameter, "pair"),
        ("blackout", BadParameter, "give NAME=VALUE"),
        ("=5", BadParameter, "give NAME=VALUE"),
        ("curtain=5", UnknownKeyword, "now called 'blackout'"),
        ("level=1", UnknownKeyword, "unexpected keyword argument 'level'"),
        ("ocluders=5", UnknownKeyword, "did you mean 'occluders'"),
        ("occluders=3", BadParameter, "blocks=4"),  # an impossible combination
    ],
)
def test_what_cannot_be_is_named(item: str, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        read(item)


def test_numbers_in_a_row_and_tables(tmp_path: Path) -> None:
    text = Path(MONITOR.rpartition(":")[0]).read_text()
    text = text.replace(
        "    tolerance: float = real(",
        '    row: tuple = vector(0.0, 5.0, default=(1.0, 2.0), doc="a row")\n'
        '    table: tuple = vector(0.0, 5.0, default=((1.0, 2.0), (3.0, 4.0)), doc="a table")\n'
        "    tolerance: float = real(",
    ).replace("import Params, derived, integer, real, span", "import Params, derived, integer, real, span, vector")
    file = tmp_path / "tables.py"
    file.write_text(text)
    own = f"{file}:BlindMonitor"
    assert read("row=3,4", "table=((1,2),(0,.5))", env=own) == {"row": (3.0, 4.0), "table": ((1.0, 2.0), (0.0, 0.5))}
    with pytest.raises(BadParameter, match=r"row=3: must be numbers of shape \(2,\)"):
        read("row=3", env=own)


def test_gymnasiums_keywords_are_python_literals() -> None:
    items = ("sutton_barto_reward=true", "size=5", "pair=1,2", "name=text")
    env_config = EnvArguments(parameters=items).env_config("CartPole-v1", None, "test")
    assert env_config.overrides == {"sutton_barto_reward": True, "size": 5, "pair": (1, 2), "name": "text"}
    assert env_config.entry is None


def test_parameters_can_be_given_as_they_are() -> None:
    """As by a benchmark: only text is parsed."""
    given = {"blackout": [5, 15], "glass": True, "query": "late"}
    assert EnvArguments().env_config("RolledBehind", None, "test", given).overrides == given | {"blackout": (5, 15)}
    other = {"size": 5, "a=b": [1, 2], "name": "text", "pair": "1,2"}
    assert EnvArguments().env_config("CartPole-v1", None, "test", other).overrides == other | {"pair": (1, 2)}


def test_the_split_is_the_commands_own_unless_given() -> None:
    assert LevelArgument().env_config("rolledbehind", 1, "test").split == "test"
    assert LevelArgument(split="shift").env_config("RolledBehind", 1, "test").split == "shift"
    assert LevelArgument().env_config("rolledbehind", 1, "test").name == "RolledBehind"
    with pytest.raises(UnknownEnvironment, match="did you mean RolledBehind"):
        LevelArgument().env_config("RoledBehind", 1, "test")
    with pytest.raises(BadParameter, match="level=9"):
        LevelArgument().env_config("RolledBehind", 9, "test")


def test_a_setting_in_words() -> None:
    given = EnvArguments(obs="rays", split="shift", parameters=("blackout=5,15", "glass=true"))
    assert as_options(given.env_config("RolledBehind", 1, "test"), "test") == (
        "--obs rays --split shift --env blackout=(5,15) --env glass=True"
    )
    assert as_options(EnvArguments().env_config("RolledBehind", 1, "test"), "test") == ""


@pytest.mark.parametrize("name", SHARED)
def test_every_command_has_the_shared_arguments(name: str) -> None:
    _, config = cli.COMMANDS[name].load()
    assert issubclass(config, LevelArgument | LevelsArgument)
    words = cli.COMMANDS[name].example.split()[2:]
    words += ["--obs", "rays", "--action", "discrete", "--split", "shift", "--env", "blackout=5,15", "--env", "act=9"]
    parsed = cli.parse(name, config, [*words, "--level", "late-preset"])
    assert (parsed.obs, parsed.action, parsed.split) == ("rays", "discrete", "shift")
    assert parsed.parameters == ("blackout=5,15", "act=9")
    assert parsed.level in ("late-preset", ("late-preset",))
