"""Contestants and arenas of the leaderboard, and their content-based identities."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from unseen.agents import load as agents
from unseen.agents.errors import BadCheckpoint, UnknownAgent
from unseen.agents.roster import ROSTER
from unseen.agents.shared.envs import EnvConfig
from unseen.envs.errors import UnknownEnvironment
from unseen.envs.suite import SUITE
from unseen.train.leaderboard.contestants import UNTRAINED, contestants, make_arena


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two runs of mapper on level 1, one of ppo on level 0, as files that are never opened."""
    monkeypatch.setattr(agents, "TRAINED", tmp_path)
    for name, level in (("mapper-0", 1), ("mapper-3", 1), ("ppo-0", 0), ("ppo-1", 1)):
        folder = tmp_path / "RolledBehind" / f"level{level}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.onnx").write_bytes(f"{name} {level}".encode())
        (folder / f"{name}.imagine.onnx").write_bytes(b"a dream")
        card = {
            "steps": 150_000,
            "training_episodes": 4_000,
            "cpu_s": 900.5,
            "curve": [[10, 1.0, 0.1], [150_000, 900.5, 0.9]],
        }
        (folder / f"{name}.json").write_text(json.dumps(card))
    return tmp_path


def test_every_training_run_enters(shipped: Path) -> None:
    found = contestants("mapper", make_arena(EnvConfig("rolledbehind", 1)))
    assert [(c.name, c.kind, c.run, c.load_run) for c in found] == [
        ("mapper", "model-based", 0, 0),
        ("mapper", "model-based", 3, 3),
    ]
    assert found[0].id != found[1].id
    assert (found[0].steps, found[0].cpu_seconds, len(found[0].curve)) == (150_000, 900.5, 2)
    assert found[0].training_episodes == 4_000
    assert contestants("mapper", make_arena(EnvConfig("RolledBehind", 2))) == []


INCLUDED = sorted(
    (name, path.parent.parent.name, int(path.parent.name.removeprefix("level")))
    for name in ROSTER
    for path in agents.TRAINED.glob(f"*/*/{name}-0.json")
)


@pytest.mark.parametrize(("name", "env", "level"), INCLUDED)
def test_every_included_agent_enters(name: str, env: str, level: int) -> None:
    arena = make_arena(EnvConfig(env, level))
    assert len(contestants(name, arena)) == len(agents.list_runs(name, env, level))


def test_the_twin_takes_those_of_level_1_unless_it_has_its_own(shipped: Path) -> None:
    twin = make_arena(EnvConfig("RolledBehind", 0))
    borrowed = contestants("mapper", twin)
    assert [c.trained_on for c in borrowed] == [1, 1]
    assert [c.id for c in borrowed] == [c.id for c in contestants("mapper", make_arena(EnvConfig("RolledBehind", 1)))]
    assert all(c.name == "mapper" and c.agent.endswith(".onnx") and c.load_run is None for c in borrowed)
    assert all(c.curve == [] and c.steps == 150_000 for c in borrowed)  # its curve is level 1's
    (own,) = contestants("ppo", twin)
    assert own.trained_on is None and own.agent == "ppo"


def test_a_changed_file_is_another_agent(shipped: Path) -> None:
    before = contestants("mapper", make_arena(EnvConfig("RolledBehind", 1)))
    (shipped / "RolledBehind/level1/mapper-3.onnx").write_bytes(b"retrained")
    after = contestants("mapper", make_arena(EnvConfig("RolledBehind", 1)))
    assert before[0].id == after[0].id and before[1].id != after[1].id


def test_your_own_file(tmp_path: Path) -> None:
    where = make_arena(EnvConfig("RolledBehind", 1))
    file = tmp_path / "mine.py"
    file.write_text("raise SystemExit('not run, only read')")
    (a,), (b,) = contestants(f"{file}:A", where), contestants(f"{file}:B", where)
    assert (a.name, a.kind, a.run) == ("A (mine.py)", "yours", UNTRAINED)
    assert a.id != b.id
    file.write_text("1")
    assert contestants(f"{file}:A", where)[0].id != a.id


def test_levels_are_other_environments() -> None:
    ids = {make_arena(EnvConfig("RolledBehind", level)).id for level in (0, 1, 2, 3)}
    assert len(ids) == 4


def test_how_an_environment_is_set_makes_another_arena_and_anchors_hold_for_the_level_alone() -> None:
    plain = make_arena(EnvConfig("RolledBehind", 1))
    anchor = SUITE["RolledBehind"].anchors[1]
    assert plain.normalise([anchor.random, anchor.oracle]) == pytest.approx([0.0, 1.0]) and plain.options == ""
    settings = [
        {"overrides": {"blackout": (9, 9)}}, {"split": "shift"}, {"obs": "rays"}, {"action": "continuous"},
    ]  # fmt: skip
    others = [make_arena(EnvConfig("RolledBehind", 1, **more)) for more in settings]
    assert len({plain.id, *(other.id for other in others)}) == 5
    assert [other.normalise(0.5) is None for other in others] == [True, True, False, False]
    assert [other.options for other in others] == [
        "--env blackout=(9,9)", "--split shift", "--obs rays", "--action continuous",
    ]  # fmt: skip
    preset = make_arena(EnvConfig("Cups", "a-not-b"))
    assert (preset.key, preset.title, preset.oracle) == ("Cups/a-not-b", "a-not-b", None)
    assert make_arena(EnvConfig("RolledBehind", "1")) == plain  # a level as text


def test_a_trained_agent_is_its_graph_and_how_its_card_uses_it(shipped: Path) -> None:
    (before,) = contestants("ppo", make_arena(EnvConfig("RolledBehind", 1)))
    card = shipped / "RolledBehind/level1/ppo-1.json"
    card.write_text(json.dumps(json.loads(card.read_text()) | {"obs": "rays"}))
    (after,) = contestants("ppo", make_arena(EnvConfig("RolledBehind", 1)))
    assert before.id != after.id


def test_a_reference_that_a_task_lacks_does_not_enter(tmp_path: Path) -> None:
    text = (Path(__file__).parents[1] / "examples" / "blind_monitor.py").read_text()
    file = tmp_path / "forgetful.py"
    file.write_text(text.replace('        "tracker": Reference(tracker, reads="monitor", memory=MEMORY),\n', ""))
    own = make_arena(EnvConfig(f"{file}:BlindMonitor", 1))
    assert contestants("tracker", own) == []
    assert [c.run for name in ("oracle", "random") for c in contestants(name, own)] == [UNTRAINED, UNTRAINED]


@pytest.mark.parametrize(
    ("name", "error"), [("oracel", UnknownAgent), ("nofile.py:A", UnknownAgent), ("nofile.onnx", BadCheckpoint)]
)
def test_what_does_not_exist_is_told(name: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        contestants(name, make_arena(EnvConfig("RolledBehind", 1)))


def test_an_unknown_environment_gets_the_nearest_name() -> None:
    with pytest.raises(UnknownEnvironment, match="did you mean RolledBehind"):
        make_arena(EnvConfig("RoledBehind", 1))


def test_a_planner_is_identified_by_its_model_and_its_search_too(tmp_path: Path) -> None:
    path = tmp_path / "agent.onnx"
    path.write_bytes(b"memory")
    path.with_suffix(".imagine.onnx").write_bytes(b"model")

    def identity(**config: int) -> str:
        path.with_suffix(".json").write_text(json.dumps({"config": config}))
        return contestants(str(path), make_arena(EnvConfig("Detour", 1)))[0].id

    first, deeper, policy = identity(imagined=10), identity(imagined=20), identity()
    path.with_suffix(".imagine.onnx").write_bytes(b"another")
    assert len({first, deeper, policy, identity(imagined=10)}) == 4
    assert identity() == policy
