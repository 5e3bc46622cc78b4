"""Free play, then questions: the goal is the reward, what is remembered is labelled by it, and a run can be killed anywhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from unseen.agents.dreamer import DreamerLearner
from unseen.agents.errors import BadAgent
from unseen.agents.gru_ppo import GRUMapperLearner, GRUPPOLearner
from unseen.agents.mapper import MapperLearner
from unseen.agents.shared.envs import EnvConfig
from unseen.agents.shared.questions import asked_episode, asked_transitions, outcome, touched_things
from unseen.agents.slot_search import SlotSearchLearner
from unseen.envs.suite import make_vec
from unseen.train.benchmark import results as stored
from unseen.train.benchmark.asked import Course
from unseen.train.benchmark.cells import Spec
from unseen.train.benchmark.report import write_report
from unseen.train.benchmark.run import Task, run_cell
from unseen.train.benchmark.spec import BadSpec, read_spec
from unseen.train.benchmark.summary import groups

N = 64
SMALL: dict[str, dict[str, Any]] = {
    "gru-ppo": {"envs": 4, "batch": 4, "hidden": 16, "epochs": 1},
    "gru-mapper": {"envs": 4, "batch": 4, "hidden": 16, "epochs": 1, "map_batches": 2, "map_warmup": 2},
    "slot-search": {"envs": 4, "random_episodes": 4, "updates": 3, "batch": 8, "imagined": 40, "hidden": 8, "message": 8},
    "dreamer": {"envs": 4, "prefill": 4, "batch": 4, "deter": 8, "hidden": 8, "replay_ratio": 8.0, "actor_warmup_updates": 2},
}  # fmt: skip
SMALL["mapper"] = {name: value for name, value in SMALL["dreamer"].items() if name != "deter"}
LEARNERS = [GRUPPOLearner, GRUMapperLearner, SlotSearchLearner, DreamerLearner, MapperLearner]


def env(name: str, **overrides: Any) -> EnvConfig:
    return EnvConfig(name, 1, overrides=overrides)


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("RolledBehind", 1), ("RolledBehind", 3), ("Rex", 1), ("Rex", 2), ("Bedroom", 1), ("Bedroom", 2),
        ("Tunnel", 1), ("Tunnel", 3), ("Unblock", 1), ("Detour", 1), ("Detour", 2),
    ],
)  # fmt: skip
@pytest.mark.parametrize("player", ["oracle", "random"])
def test_the_goal_is_the_reward(name: str, level: int, player: str) -> None:
    """What an agent is told of the goal gives the reward of every step, and no end that there is not."""
    vector = make_vec(name, N, level=level, obs="slots", autoreset_mode="DISABLED")
    layout = vector.layout
    assert layout.by_touch
    obs, _ = vector.reset(seed=1)
    first, rng, won = np.ones(N, bool), np.random.default_rng(0), 0
    policy = vector.reference("oracle") if player == "oracle" else None
    for _ in range(vector.horizon):
        actions = policy.act(obs, first) if policy else rng.integers(0, vector.single_action_space.n, N)
        obs, reward, terminated, truncated, _ = vector.step(actions)
        told, over = outcome(obs, layout)
        assert np.array_equal(told, reward) and not (over & ~terminated).any()
        won += int(reward.sum())
        first = terminated | truncated
        if first.any():
            obs, _ = vector.reset(options={"reset_mask": first})
    assert won or player == "random"


def test_an_episode_is_cut_off_at_the_first_touch() -> None:
    vector = make_vec("RolledBehind", 1, level=1, obs="slots", free="yes")
    layout = vector.layout
    rows = np.zeros((6, layout.size), np.float32)
    rows[2:, layout.phase.stop - 1] = 1
    rows[1, layout.contact.start] = 1  # before the act phase: does not count
    rows[3, layout.contact.start + 1] = rows[5, layout.contact.start + 2] = 1
    assert list(touched_things(rows, layout)) == [1, 2]
    steps = {"obs": rows, "reward": np.zeros(6, np.float32), "terminated": np.zeros(6, np.float32)}
    rewards = set()
    for seed in range(10):
        found = asked_episode(steps, layout, np.random.default_rng(seed), np.array([1, 2]))
        query = found["obs"][:, layout.query].argmax(-1)
        assert len(found["obs"]) == 4 and len(set(query)) == 1 and (found["obs"][:, layout.query].sum(-1) == 1).all()
        assert list(found["terminated"]) == [0, 0, 0, 1] and list(found["reward"]) == [0, 0, 0, float(query[0] == 1)]
        rewards.add(float(found["reward"][-1]))
    assert rewards == {0.0, 1.0} and not rows[:, layout.query].any()
    nothing = asked_episode(steps, layout, np.random.default_rng(0), np.array([], int))
    assert not nothing["obs"][:, layout.query].any() and not nothing["reward"].any()
    shown = {**steps, "obs": rows.copy()}
    shown["obs"][:, layout.query.start + 2] = 1
    kept = asked_episode(shown, layout, np.random.default_rng(0), np.array([1]))
    assert (kept["obs"][:, layout.query].argmax(-1) == 2).all() and kept["reward"][-1] == 0
    moves = {"state": rows[:-1], "after": rows[1:], "outcome": np.zeros((5, 2), np.float32)}
    labelled = asked_transitions(moves, layout, np.random.default_rng(1))
    assert np.array_equal(labelled["outcome"][:, 1], [0, 0, 1, 0, 1])
    assert (labelled["state"][:, layout.query] == labelled["after"][:, layout.query]).all()


def test_no_reward_and_no_question_in_what_is_remembered() -> None:
    learner = DreamerLearner(env("RolledBehind", free="yes"), 0, config=SMALL["dreamer"])
    while learner.episodes < 30:
        learner.advance()
    layout, steps = learner.layout, learner.replay.ring.everything()
    assert layout is not None
    assert not steps["obs"][:, layout.query].any() and not steps["reward"].any() and not steps["terminated"].any()
    length = learner.replay.ring.written
    learner.ask(env("RolledBehind"))
    asked = learner.replay.sample(np.random.default_rng(0), 200, 1000)
    assert asked["reward"].any() and asked["terminated"].any() and asked["mask"].sum() and length
    assert ((asked["obs"][..., layout.query].sum(-1) == 1) == (asked["mask"] > 0)).all()
    assert not learner.collector.reward.any() and learner.collector.first.all()


@pytest.mark.parametrize("kind", LEARNERS)
def test_what_was_learned_is_kept_and_a_checkpoint_goes_on(kind: Any, tmp_path: Path) -> None:
    learner = kind(env("RolledBehind", free="yes"), 3, config=SMALL[kind.name])
    while learner.episodes < 12:
        learner.advance()
    steps, episodes = learner.steps, learner.episodes
    learner.ask(env("RolledBehind"))
    assert (learner.steps, learner.episodes) == (steps, episodes)
    remembers = kind not in (GRUPPOLearner, GRUMapperLearner)
    assert bool(learner.think(3)) == remembers
    learner.save(tmp_path)
    again = kind(env("RolledBehind"), 3, config=SMALL[kind.name])
    again.load(tmp_path)
    for one in (learner, again):
        one.stop_at = episodes + 4
        while one.episodes < one.stop_at:
            one.advance()
        assert one.episodes < one.stop_at + one.config.envs
        one.think(2)
    obs = torch.rand(8, learner.envs.observation.size).numpy()
    acts = []
    for one in (learner, again):
        policy = one.policy()
        acts.append(
            policy.act(obs, policy.initial_state(np.arange(8, dtype=np.uint64)), np.ones(8, bool), explore=True)
        )
    assert learner.steps == again.steps and np.array_equal(acts[0][0], acts[1][0])


def test_in_free_play_a_policy_learns_nothing_and_the_map_does() -> None:
    for kind, learns in ((GRUPPOLearner, False), (GRUMapperLearner, True)):
        learner = kind(env("RolledBehind", free="yes"), 0, config=SMALL[kind.name])
        before = {name: value.clone() for name, value in learner.net.state_dict().items()}
        for _ in range(4):
            learner.advance()
        changed = {name for name, value in learner.net.state_dict().items() if not torch.equal(value, before[name])}
        changed = {name for name in changed if not name.startswith("standardise")}  # statistics of what is seen
        assert bool(changed) == learns and not any(name.startswith(("actor", "critic", "glance")) for name in changed)
        rows = torch.rand(3, learner.envs.observation.size)
        rows[:, learner.layout.query] = 0  # type: ignore[union-attr]
        learner.ask(env("RolledBehind"))
        shown = rows.clone()
        shown[:, learner.layout.query] = 1  # type: ignore[union-attr]
        memory = torch.zeros(3, learner.net.size)
        assert torch.equal(learner.net.step(rows, memory), learner.net.step(shown, memory))


def test_who_cannot_be_asked_is_refused() -> None:
    learner = DreamerLearner(env("Cups", free="yes"), 0, config=SMALL["dreamer"])
    with pytest.raises(BadAgent, match="no observation tells whether the goal is reached"):
        learner.ask(env("Cups"))
    pixels = EnvConfig("RolledBehind", 1, obs="pixels")
    with pytest.raises(BadAgent, match="entity slots"):
        DreamerLearner(pixels, 0, config=SMALL["dreamer"]).ask(pixels)
    with pytest.raises(BadAgent, match="other observations"):
        GRUPPOLearner(env("RolledBehind", free="yes"), 0, config=SMALL["gru-ppo"]).ask(env("Rex"))
    from unseen.agents.sb3.ppo import PPOLearner

    with pytest.raises(BadAgent, match="cannot be asked"):
        PPOLearner(env("RolledBehind"), 0, config={"envs": 2}).ask(env("RolledBehind"))


SPEC = """
search = "none"
seeds = [0]
{protocol}
evaluation = {{ final_episodes = 10 }}
[[agent]]
name = "gru-mapper"
{agent}
[[agent]]
name = "random"
[[environment]]
name = "RolledBehind"
levels = [1]
{environment}
"""
PROTOCOL = "protocol = { free_episodes = [0, 8], asked = [0, 4, 8], think = 2 }"
SETTINGS = "set = { envs = 4, batch = 4, hidden = 16, epochs = 1, map_batches = 2, map_warmup = 2 }"


def spec(folder: Path, protocol: str = PROTOCOL, agent: str = SETTINGS, environment: str = "") -> Spec:
    path = folder / "asked.toml"
    path.write_text(SPEC.format(protocol=protocol, agent=agent, environment=environment))
    return read_spec(path)


def test_the_specification(tmp_path: Path) -> None:
    made = spec(tmp_path, agent=SETTINGS + '\nlabel = "map"')
    assert [agent.label for agent in made.agents] == ["map, 0 free", "map, 8 free", "random"]
    cells = {cell.id: cell for cell in made.cells}
    assert len(cells) == 3 and made.cells[1].content["protocol"]["free"] == {"episodes": 8, "shown": False}
    shown = spec(tmp_path, agent=SETTINGS + "\nfree_episodes = [8]\nshown = true")
    assert shown.agents[0].label.endswith("8 free, question shown") and shown.cells[0].id not in cells
    goal = spec(tmp_path, agent="").agents[1].supervision
    assert goal == "hindsight"
    for words, message in (
        ({"protocol": PROTOCOL.replace("[0, 4, 8]", "[4, 8]")}, "begins with 0 and increases"),
        ({"protocol": PROTOCOL + "\nbudget = { steps = 5 }"}, "not with a table"),
        ({"protocol": "budget = { steps = 5 }", "agent": "shown = true"}, "only for an agent that is trained"),
        ({"environment": 'set = { free = "yes" }'}, "sets free itself"),
        ({"environment": '[[environment]]\nname = "CartPole-v1"'}, "has no free play"),
    ):
        with pytest.raises(BadSpec, match=message):
            spec(tmp_path, **words)


def test_without_free_play_any_environment_counts_episodes(tmp_path: Path) -> None:
    path = tmp_path / "dosing.toml"
    path.write_text(
        SPEC.format(protocol="protocol = { free_episodes = [0], asked = [0, 4] }", agent="", environment="")
        .replace('"gru-mapper"', '"ppo"\nset = { envs = 4, rollout = 16, batch = 32, hidden = 8 }')
        .replace('"RolledBehind"', '"Dosing"')
    )
    cell = read_spec(path).cells[0]
    result = run_cell(Task(cell, tmp_path / cell.id, 60.0))
    assert isinstance(result, stored.Result) and result.status == "finished", result
    assert [point[1] for point in result.curve][0] == 0 and 4 <= result.curve[1][1] <= 8


def test_cells_without_a_protocol_are_known_by_the_same_ids() -> None:
    cell = read_spec(Path(__file__).parents[1] / "benchmarks" / "smoke.toml").cells[0]
    assert "protocol" not in cell.content and set(cell.content["budget"]) == {"steps", "cpu_seconds"}
    assert cell.id == "c1ba9dfbb35e"


def test_from_free_play_to_the_report(tmp_path: Path) -> None:
    made = spec(tmp_path)
    for cell in made.cells:
        result = run_cell(Task(cell, tmp_path / cell.id, 60.0))
        assert isinstance(result, stored.Result) and result.status == "finished", result
        if cell.agent.trains:
            free = cell.agent.free.episodes  # type: ignore[union-attr]
            assert [point[1] for point in result.curve] == [free, free + 4, free + 8]
        stored.write(tmp_path / "results", cell, result)
    found = stored.read(tmp_path / "results", made)
    report = write_report(made, found, tmp_path / "results", Path("asked.toml")).read_text()
    assert "| agent | supervision | runs | zero-shot | after 4 | after 8 | trained for |" in report
    assert "3 planned, 3 finished" in report and (tmp_path / "results" / "curves.svg").is_file()
    assert [len(group.asked(1)) for group in groups(made, found)] == [1, 1, 1]


@pytest.mark.parametrize(("broken", "points"), [("ask", 0), ("think", 1)])
def test_a_failed_run_keeps_what_training_took(
    broken: str, points: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It fails after free play, or after the first asked episodes."""
    calls = 0

    def fail(self: Any, given: Any) -> dict[str, float]:
        nonlocal calls
        calls += 1
        if calls > points:
            raise ValueError("lost the thread")
        return {}

    monkeypatch.setattr(GRUMapperLearner, broken, fail)
    cell = spec(tmp_path, agent=SETTINGS + "\nfree_episodes = [8]").cells[0]
    result = run_cell(Task(cell, tmp_path / cell.id, 60.0))
    assert isinstance(result, stored.Result) and result.status == "failed" and "lost the thread" in result.error
    assert result.steps and result.episodes == 8 + 4 * points and result.settings["hidden"] == 16
    assert len(result.curve) == points and result.greedy is None
    assert "lost the thread" in (tmp_path / cell.id / "error.txt").read_text()


@pytest.mark.parametrize("name", ["gru-mapper", "dreamer"])
@pytest.mark.parametrize("broken", [0, 1, 2])
def test_a_killed_run_ends_with_the_same_scores(name: str, broken: int, tmp_path: Path) -> None:
    """Killed at its first score, or later: it goes on from the last checkpoint."""
    settings = f"set = {json.dumps(SMALL[name]).replace(':', ' =')}\nfree_episodes = [8]"
    text = SPEC.format(protocol=PROTOCOL, agent=settings, environment="").replace('"gru-mapper"', f'"{name}"')
    (tmp_path / "asked.toml").write_text(text.replace('"envs"', "envs"))
    cell = read_spec(tmp_path / "asked.toml").cells[0]
    seen = 0

    def evaluate(policy: Any) -> dict[str, float]:
        nonlocal seen
        seen += 1
        if seen == broken + 1:
            raise KeyboardInterrupt
        obs = np.linspace(0, 1, 4 * width, dtype=np.float32).reshape(4, width)
        answer, _ = policy.act(obs, policy.initial_state(np.arange(4, dtype=np.uint64)), np.ones(4, bool), explore=True)
        return {"greedy": float(answer.sum()), "sampled": 0.0}

    width = make_vec("RolledBehind", 1, level=1).layout.size
    folder = tmp_path / "killed"
    folder.mkdir()
    with pytest.raises(KeyboardInterrupt):
        Course(cell, folder, evaluate, 1e6).run()
    resumed = Course(cell, folder, evaluate, 1e6).run().curve
    (tmp_path / "whole").mkdir()
    seen = 100
    whole = Course(cell, tmp_path / "whole", evaluate, 1e6).run().curve
    assert len(whole) == 3
    for a, b in zip(resumed, whole, strict=True):
        assert {k: v for k, v in a.items() if k != "cpu_s"} == {k: v for k, v in b.items() if k != "cpu_s"}
