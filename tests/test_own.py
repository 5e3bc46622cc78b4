"""A user-defined environment, given as file.py:Class, in the commands and in Gymnasium."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

from unseen.envs.errors import UnknownEnvironment
from unseen.envs.suite import make, make_vec, resolve
from unseen.train.cli import main

EXAMPLE = str(Path(__file__).parents[1] / "examples" / "which_box.py")
OWN = EXAMPLE + ":WhichBox"


def test_the_example_passes_the_audit(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", OWN, "--quick", "--levels", "0", "1"]) == 0
    assert "Own/WhichBox-v0" in capsys.readouterr().out


def test_gymnasium_knows_it_and_pickles_find_it() -> None:
    env = gym.make(resolve(OWN).id, level=1)
    first, _ = env.reset(seed=4)
    twin = pickle.loads(pickle.dumps(make(OWN, level=1)))
    again, _ = twin.reset(seed=4)
    assert np.array_equal(first, again)
    assert gym.make_vec(resolve(OWN).id, num_envs=3).reset(seed=0)[0].shape[0] == 3


def test_the_references_stand_where_they_belong() -> None:
    for level in resolve(OWN).levels:
        env = make_vec(OWN, 500, level=level, split="test")
        score = {}
        for name in env.task.references:
            obs, _ = env.reset(seed=0)
            policy, over, total = env.reference(name), np.zeros(500, bool), np.zeros(500)
            while not over.all():
                obs, reward, terminated, _, _ = env.step(policy.act(obs, env.world["t"] == 0))
                total += np.where(over, 0, reward)
                over |= terminated
            score[name] = total.mean()
        assert score["oracle"] > 0.95 and score["tracker"] > 0.95
        assert score["reflex"] == pytest.approx(1.0 if level == 0 else 0.5, abs=0.09)


def test_it_stands_on_a_board_played_by_other_processes(tmp_path: Path) -> None:
    words = [OWN, "--level", "1", "--only", "tracker", "random", "--episodes", "40", "--out", str(tmp_path)]
    assert main(["leaderboard", *words]) == 0
    board = json.loads((tmp_path / "board.json").read_text())
    score = {entry["name"]: entry["overall"]["point"] for entry in board["sections"][0]["entries"]}
    assert score["tracker"] > 0.9 > 0.3 > score["random"]


def test_two_classes_of_one_name_are_not_mixed_up(tmp_path: Path) -> None:
    other = tmp_path / "which_box.py"
    other.write_text(Path(EXAMPLE).read_text().replace("default=0.15", "default=0.25"))
    depths = [make(f"{file}:WhichBox").unwrapped.params.depth for file in (EXAMPLE, other)]
    assert depths == [0.15, 0.25]
    assert gym.make("Own/WhichBox-v0").unwrapped.params.depth == 0.25  # the one that was named last


def test_without_anchors_there_is_no_normalised_score(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bare = tmp_path / "bare.py"
    text = Path(EXAMPLE).read_text()
    bare.write_text("\n".join(line for line in text.splitlines() if "anchors" not in line))
    assert resolve(f"{bare}:WhichBox").levels == (0, 1, 2)
    assert main(["evaluate", "oracle", f"{bare}:WhichBox", "--episodes", "20"]) == 0
    said = capsys.readouterr().out
    assert "return" in said and "normalised" not in said
    words = [
        f"{bare}:WhichBox",
        "--level",
        "1",
        "--only",
        "random",
        "oracle",
        "--episodes",
        "20",
        "--out",
        str(tmp_path),
    ]
    assert main(["leaderboard", *words]) == 0
    board = json.loads((tmp_path / "board.json").read_text())
    assert [entry["name"] for entry in board["sections"][0]["entries"]] == ["oracle", "random"]
    assert all(entry["overall"] is None for entry in board["sections"][0]["entries"])


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        (None, "X", "no such file"),
        ("import nothing_of_that_name", "X", "could not be imported: ModuleNotFoundError"),
        ("class Y: pass", "X", "no task 'X'; it defines Y"),
        ("X = 3", "X", "it defines no class"),
    ],
)
def test_what_is_wrong_with_a_file_is_named(text: str | None, name: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "own.py"
    if text is not None:
        file.write_text(text)
    with pytest.raises(UnknownEnvironment, match=message):
        resolve(f"{file}:{name}")
