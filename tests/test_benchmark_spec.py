"""Specifications: the cells they define, and errors that name the key."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from unseen.train.benchmark.cells import Spec
from unseen.train.benchmark.spec import BadSpec, read_spec
from unseen.train.cli import main

GOOD = """
search = "one setting"
seeds = [3, 4]
budget = { steps = 1000, cpu_seconds = 5 }

[[agent]]
name = "ppo"

[[agent]]
name = "ppo"
label = "ppo, wide"
supervision = "a hint"
seeds = [3]
set = { hidden = 256 }

[[agent]]
name = "oracle"

[[environment]]
name = "RolledBehind"
levels = [1, 2]

[[environment]]
name = "RolledBehind"
label = "always lit"
set = { blackout = [0, 0] }
budget = { steps = 50 }

[[environment]]
name = "CartPole-v1"
threshold = 450
"""

HUGE = "0x" + 5_000 * "f"  # more digits than Python writes


def read(tmp_path: Path, text: str) -> Spec:
    path = tmp_path / "Good one.toml"
    path.write_text(text)
    return read_spec(path)


def test_cells(tmp_path: Path) -> None:
    spec = read(tmp_path, GOOD)
    assert spec.name == "good-one" and [agent.label for agent in spec.agents] == ["ppo", "ppo, wide", "oracle"]
    assert [env.label for env in spec.envs] == ["RolledBehind 1", "RolledBehind 2", "always lit", "CartPole-v1"]
    assert [agent.supervision for agent in spec.agents] == ["none", "a hint", "scripted, with the full state"]
    assert [env.threshold for env in spec.envs] == [0.9, 0.9, 0.9, 450.0]
    assert len(spec.cells) == 4 * (2 + 1 + 1)
    assert [cell.seed for cell in spec.cells[:12]] == [3, 3, 3, 3, 3, 3, 3, 3, 0, 0, 0, 0]  # then the second seed
    lit = next(cell for cell in spec.cells if cell.env.label == "always lit")
    assert lit.budget.steps == 50 and lit.content["parameters"] == {"blackout": (0, 0)}
    assert spec.cells[0].every.steps == 40 and spec.cells[0].every.cpu_seconds == 0.2
    assert len({cell.id for cell in spec.cells}) == len(spec.cells)


def test_a_label_for_several_levels_says_which(tmp_path: Path) -> None:
    several = GOOD.replace('label = "always lit"', 'label = "always lit"\nlevels = [2, 3]')
    assert [env.label for env in read(tmp_path, several).envs][2:4] == ["always lit 2", "always lit 3"]


def test_a_budget_in_episodes(tmp_path: Path) -> None:
    cells = read(tmp_path, GOOD.replace("budget = { steps = 50 }", "budget = { episodes = 100 }")).cells
    cell = next(one for one in cells if one.env.label == "always lit")
    assert (cell.budget.episodes, cell.budget.steps, cell.every.episodes) == (100, None, 4)
    assert cell.content["budget"]["episodes"] == 100
    assert all("episodes" not in one.budget.content for one in cells if one.budget.episodes is None)


def test_a_search_of_settings_is_scored_on_training_instances(tmp_path: Path) -> None:
    cells = read(tmp_path, GOOD.replace("seeds = [3, 4]", "seeds = [3, 4]\nevaluation = { split = 'train' }")).cells
    assert {cell.evaluation.split for cell in cells} == {"train"}


def test_a_cell_is_known_by_what_defines_it(tmp_path: Path) -> None:
    ids = [cell.id for cell in read(tmp_path, GOOD).cells]
    assert ids == [cell.id for cell in read(tmp_path, GOOD.replace("a hint", "none").replace("wide", "broad")).cells]
    changed = [cell.id for cell in read(tmp_path, GOOD.replace("256", "257")).cells]
    assert [a == b for a, b in zip(ids, changed, strict=True)].count(False) == 4
    assert set(ids) < {cell.id for cell in read(tmp_path, GOOD.replace("[3, 4]", "[3, 4, 5]")).cells}
    final = 'evaluation = { final_episodes = 50 }\n[[agent]]\nname = "ppo"\n'
    assert not set(ids) & {c.id for c in read(tmp_path, GOOD.replace('[[agent]]\nname = "ppo"\n', final, 1)).cells}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("search =", "serach =", "serach: no such key; did you mean search"),
        ('search = "one setting"', "", "search: missing"),
        ("[3, 4]", "[3, 3]", "seeds = [3, 3]: expected a list of different integers"),
        ("[3, 4]", "[4294967296]", "seeds = [4294967296]: expected a list of different integers in 0..4294967295"),
        ("steps = 1000", "steps = -1", "budget.steps = -1: expected a positive integer"),
        ("steps = 1000", "step = 1", "budget.step: no such key; did you mean steps"),
        ('"oracle"', '"orakel"', "agent[2].name = 'orakel': expected"),
        ("hidden = 256", "hiden = 256", "agent[1].set: no setting 'hiden'; did you mean"),
        ("hidden = 256", "hidden = [256]", "agent[1].set.hidden"),
        ("hidden = 256", "lr = nan", "agent[1].set.lr = nan: expected a number"),
        ("hidden = 256", "lr = 1" + 400 * "0", "agent[1].set.lr = 1000"),
        ("seeds = [3, 4]", "threshold = 1" + 400 * "0", "threshold = 1000"),
        ("cpu_seconds = 5", "cpu_seconds = 1" + 400 * "0", "budget.cpu_seconds = 1000"),
        (
            "seeds = [3, 4]",
            f"seeds = [{HUGE}]",
            "seeds = [an integer of 20000 bits]: expected a list of different integers",
        ),
        (
            "threshold = 450",
            f"threshold = {HUGE}",
            "environment[2].threshold = an integer of 20000 bits: expected a number",
        ),
        (
            "steps = 1000",
            f"steps = {HUGE}",
            "budget.steps = an integer of 20000 bits: expected a positive integer, at most 10^15",
        ),
        ("steps = 1000", f"steps = 1{400 * '0'}", "expected a positive integer, at most 10^15"),
        ("levels = [1, 2]", f"levels = [{HUGE}]", "environment[0].levels = [an integer of 20000 bits]: expected"),
        (
            "blackout = [0, 0]",
            f"blackout = {HUGE}",
            "environment[1].set = {'blackout': an integer of 20000 bits}: expected",
        ),
        ("hidden = 256", f"hidden = {HUGE}", "agent[1].set.hidden = an integer of 20000 bits: expected a number"),
        ("seeds = [3, 4]", "seeds = " + 5_000 * "[" + 5_000 * "]", "not TOML: maximum recursion depth"),
        ('"oracle"', '"oracle"\nset = { a = 1 }', "agent[2].set: not for oracle"),
        ('label = "ppo, wide"', 'label = "ppo"', "agent: two are called 'ppo'"),
        ("set = { hidden = 256 }", "", "is the same run as"),
        ("levels = [1, 2]", "levels = [1, 9]", "environment[0]."),
        ("levels = [1, 2]", "level = 1", "environment[0].level: no such key; did you mean"),
        ("blackout = [0, 0]", "blackout = 99", "environment[1].set.blackout=99: must be"),
        (
            "blackout = [0, 0]",
            "blackot = 99",
            "environment[1].set: unexpected keyword argument 'blackot'; did you mean",
        ),
        ("blackout = [0, 0]", "level = 1", "environment[1].set: unexpected keyword argument 'level'"),
        ("blackout = [0, 0]", "'blackout=3' = 4", "environment[1].set: unexpected keyword argument 'blackout=3'"),
        (
            "threshold = 450",
            "set = { since = 2020-01-01 }",
            "environment[2].set = {'since': datetime.date(2020, 1, 1)}: expected",
        ),
        (
            "threshold = 450",
            "set = { since = nan }",
            "environment[2].set = {'since': nan}: expected a table of finite numbers",
        ),
        ('"CartPole-v1"', '"CartPole-v1"\nlevels = [1]', "environment[2].levels: Gymnasium environments have none"),
        ('"CartPole-v1"', '"CartPol"', "environment[2]."),
        (
            '"CartPole-v1"',
            '"CartPole-v1"',
            "oracle on CartPole-v1: oracle does not play CartPole-v1: only environments of this suite",
        ),
        ("budget = { steps = 1000, cpu_seconds = 5 }", "", "budget: missing for ppo on RolledBehind 1"),
        ("[[agent]]", "[agent", "not TOML"),
        (
            "hidden = 256 }",
            "hidden = 256 }\nenvironments = ['Cups']",
            "'ppo, wide': environments: 'Cups' is none of those here",
        ),
        (
            "seeds = [3, 4]",
            "evaluation = { imagined = [9, 3] }",
            "evaluation.imagined = [9, 3]: expected a list of increasing",
        ),
        (
            "seeds = [3, 4]",
            "seeds = [3, 4]\nprotocol = { asked = [0, 2] }\nevaluation = { stop = 0.9 }",
            "evaluation.stop: not with a table [protocol]",
        ),
        (
            "seeds = [3, 4]",
            "evaluation = { split = 'valid' }",
            "evaluation.split = 'valid': expected 'test' or 'shift' or 'train'",
        ),
    ],
)
def test_a_bad_specification_is_refused_in_one_line(
    old: str, new: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert old in GOOD
    assert_refused(GOOD.replace(old, new), message, tmp_path, capsys)


def assert_refused(text: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command refuses this specification before anything runs."""
    pytest.importorskip("stable_baselines3")
    path = tmp_path / "bad.toml"
    path.write_text(text)
    out = ["--out", str(tmp_path / "results"), "--work", str(tmp_path / "work")]
    assert main(["benchmark", str(path), *out]) == 2
    said = capsys.readouterr().err
    assert message in said and str(path) in said and said.count("\n") == 1
    assert not (tmp_path / "results").exists() and not (tmp_path / "work").exists()


@pytest.mark.parametrize(
    ("agent", "env", "device", "message"),
    [
        (
            "dqn",
            "ProvingGround",
            "cpu",
            "dqn on ProvingGround 2: dqn needs discrete actions; ProvingGround has only continuous",
        ),
        (
            "surrogate-designer",
            "Kiln",
            "cpu",
            "surrogate-designer on Kiln 2: surrogate-designer plays ProvingGround only",
        ),
        ("surrogate-designer", "ProvingGround", "cuda", "device='cuda': surrogate-designer trains on the cpu"),
        ("ppo", "RolledBehind", "gpu7", "device='gpu7': Invalid device string"),
    ],
)
def test_who_cannot_train_is_told_before_anything_runs(
    agent: str, env: str, device: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = f'''
search = "none"
budget = {{ steps = 1 }}
evaluation = {{ episodes = 1, final_episodes = 1 }}
device = "{device}"
seeds = [0]
[[agent]]
name = "{agent}"
[[environment]]
name = "{env}"
'''
    assert_refused(text, message, tmp_path, capsys)


def test_an_agent_can_play_some_of_the_environments(tmp_path: Path) -> None:
    ids = {cell.id for cell in read(tmp_path, GOOD).cells}
    less = read(tmp_path, GOOD.replace("hidden = 256 }", "hidden = 256 }\nenvironments = ['CartPole-v1']"))
    assert {cell.id for cell in less.cells} < ids
    assert [cell.env.label for cell in less.cells if cell.agent.label == "ppo, wide"] == ["CartPole-v1"]


def test_an_agent_has_its_own_numbers_of_imagined_steps(tmp_path: Path) -> None:
    own = GOOD.replace('label = "ppo, wide"', 'label = "ppo, wide"\nimagined = [0, 30]')
    spec = read(tmp_path, own.replace("[[agent]]", "[evaluation]\nimagined = [10]\n\n[[agent]]", 1))
    assert {cell.evaluation.imagined for cell in spec.cells if cell.agent.label == "ppo, wide"} == {(0, 30)}
    assert {cell.evaluation.imagined for cell in spec.cells if cell.agent.label == "ppo"} == {(10,)}
    assert spec.imagined == [0, 10, 30]


def test_a_label_that_is_left_out_is_made_of_the_settings(tmp_path: Path) -> None:
    spec = read(tmp_path, GOOD.replace('label = "ppo, wide"', ""))
    assert spec.agents[1].label == "ppo hidden=256"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadSpec, match="nothing.toml"):
        read_spec(tmp_path / "nothing.toml")


def test_the_specifications_of_the_repository_are_valid() -> None:
    found = list(Path(__file__).parents[1].glob("benchmarks/*.toml"))
    if find_spec("popgym") is None or find_spec("minigrid") is None or find_spec("bsuite") is None:
        found = [path for path in found if path.name != "outside.toml"]
    assert found and all(read_spec(path).cells for path in found)
