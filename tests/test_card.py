"""Cards of trained agents: the included ones are valid; malformed ones are rejected with the faulty field."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from unseen.agents.card import Card, make_card, read_card
from unseen.agents.errors import BadCheckpoint
from unseen.agents.load import TRAINED
from unseen.agents.onnx.agent import OnnxAgent

SHIPPED = sorted(TRAINED.rglob("*.json"))


def test_shipped_cards_are_whole_and_survive_writing() -> None:
    assert len(SHIPPED) >= 30
    for path in SHIPPED:
        card = read_card(path)
        assert make_card(json.loads(card.as_json()), "again") == card
        assert card.agent and card.steps and card.cpu_s and card.episodes and card.versions
        assert card.curve and card.curve[-1][0] == card.steps
        assert card.curve[-1][2] == card.episode_return


def test_shipped_cards_name_the_settings_of_today() -> None:
    pytest.importorskip("sb3_contrib")
    from unseen.agents.roster import learner_class
    from unseen.agents.shared.settings import configure

    for path in SHIPPED:
        card = read_card(path)
        configure(learner_class(card.agent).config_class, card.config)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("steps", "NaN"),
        ("steps", "1e999"),
        ("steps", "9" * 400),
        ("steps", "-1"),
        ("steps", "true"),
        ("steps", "1.5"),
        ("cpu_s", "-Infinity"),
        ("cpu_s", "-0.1"),
        ("episode_return", "NaN"),
        ("episode_return", '"0.5"'),
        ("curve", "5"),
        ("curve", "[1, 2, 3]"),
        ("curve", '"text"'),
        ("curve", "[[1, 2]]"),
        ("curve", "[[1, 2, NaN]]"),
        ("curve", "[[1, 2, 1e999]]"),
        ("curve", "[[-1, 2, 0]]"),
        ("scale", '"x"'),
        ("scale", "0"),
        ("scale", "-2.5"),
        ("scale", "1e999"),
        ("level", "[]"),
        ("level", "-1"),
        ("seed", '"0"'),
        ("agent", "5"),
        ("agent", json.dumps("\x1b[31mred")),
        ("agent", json.dumps("a" * 10_000)),
        ("env", '"\\ud800"'),
        ("config", "[]"),
        ("config", '{"lr": NaN}'),
        ("config", '{"lr": [1]}'),
        ("versions", '{"torch": 2}'),
    ],
)
def test_a_wrong_field_is_named(name: str, text: str, tmp_path: Path) -> None:
    file = tmp_path / "agent.json"
    file.write_text(f'{{"{name}": {text}}}')
    with pytest.raises(BadCheckpoint, match=f"agent.json: {name} is ") as caught:
        read_card(file)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "not a readable card"),
        (b"\xff\xfe", "not a readable card"),
        (b"[" * 100_000 + b"]" * 100_000, "not a readable card"),
        (b'{"curve": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "not a readable card"),
        (b'{"steps": ' + b"9" * 10_000 + b"}", "not a readable card"),
        (b"[]", "list"),
        (b"5", "int"),
        (b" " * (2 << 20), "at most"),
        (b'{"sucess": 1}', "no field 'sucess'"),
        (b'{"episode_retrun": 1}', "did you mean episode_return"),
    ],
)
def test_what_is_no_card_is_refused(content: bytes, message: str, tmp_path: Path) -> None:
    file = tmp_path / "agent.json"
    with pytest.raises(BadCheckpoint, match="agent.json"):
        read_card(file)
    file.write_bytes(content)
    with pytest.raises(BadCheckpoint, match=message):
        read_card(file)


def test_a_missing_field_is_unknown() -> None:
    assert make_card({}, "x") == Card() and make_card({"steps": None}, "x").steps is None


def test_a_bad_card_is_refused_where_an_agent_is_loaded(tmp_path: Path) -> None:
    shipped = TRAINED / "RolledBehind" / "level1"
    (tmp_path / "a.onnx").write_bytes((shipped / "ppo-0.onnx").read_bytes())
    (tmp_path / "a.json").write_text('{"scale": "x"}')
    with pytest.raises(BadCheckpoint, match="scale is 'x'"):
        OnnxAgent(tmp_path / "a.onnx")
