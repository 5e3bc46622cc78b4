"""ProvingGround: its physics against outside references, its rules, its bad inputs, and what its reference players are worth."""

from __future__ import annotations

import math
from typing import Any

import knobs
import numpy as np
import pytest
import vehicle as outside
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.envs.core.device import host
from unseen.envs.core.lazy import load
from unseen.envs.errors import BadAction, BadParameter
from unseen.envs.industry.kit import vehicle
from unseen.envs.industry.proving_ground import design, manoeuvres, rules, scenarios
from unseen.envs.industry.proving_ground.spec import GroundParams, ProvingGround
from unseen.envs.suite import make, make_vec
from unseen.train.audit.subject import play

ERRORS = outside.errors()
TEST, COMMIT = -1.0, 1.0


def action(drawn: Any = 0.0, family: int = 0, surface: int = 0, commit: float = TEST) -> np.ndarray:
    row = np.zeros(rules.ACTION, np.float32)
    row[: design.PARTS] = drawn
    row[rules.FAMILY], row[rules.SURFACE], row[rules.COMMIT] = (
        (2 * family + 1) / 6 - 1,
        (2 * surface + 1) / 3 - 1,
        commit,
    )
    return row


def optimum(env: Any) -> np.ndarray:
    world = env.world
    return world["brief"] @ design.BENCHMARK.T - world["offset"]


# --- physics ---


@pytest.mark.parametrize("what", ERRORS)
def test_the_physics_is_that_of_outside_references(what: str) -> None:
    error, tolerated, _ = ERRORS[what]
    assert error <= tolerated


@given(z=st.lists(st.floats(-1.5, 1.5), min_size=10, max_size=10), family=st.integers(0, 5), surface=st.integers(0, 2),
       numbers=st.lists(st.floats(-1, 1), min_size=4, max_size=4),
       brief=st.lists(st.floats(-1, 1.4), min_size=13, max_size=13))  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_every_car_in_every_scenario_has_finite_metrics(
    z: list[float], family: int, surface: int, numbers: list[float], brief: list[float]
) -> None:
    rig, sc = np.zeros(1, manoeuvres.RIG)[0], np.zeros(1, manoeuvres.SCENARIO)[0]
    rig["drawn"] = z
    host(manoeuvres.assemble)(rig, np.zeros(10))
    host(scenarios.describe)(sc, np.array(brief), family, surface, np.array(numbers))
    host(manoeuvres.perform)(rig, sc)
    assert np.isfinite(rig["metric"]).all() and np.isfinite(rig["path"][: rig["samples"]]).all()
    assert 0 <= rig["samples"] <= manoeuvres.SAMPLES


def test_a_car_that_spins_stops_the_manoeuvre() -> None:
    rig, sc = np.zeros(1, manoeuvres.RIG)[0], np.zeros(1, manoeuvres.SCENARIO)[0]
    rig["drawn"][design.GRAVITY], rig["drawn"][design.BIAS], rig["drawn"][design.ABS] = 1.5, -1.5, 1.5
    host(manoeuvres.assemble)(rig, np.zeros(10))
    host(scenarios.describe)(sc, np.ones(13), manoeuvres.CURVE, 0, np.ones(4))
    sc["across"], sc["along"] = 7.0, 8.0
    host(manoeuvres.perform)(rig, sc)
    assert rig["spun"] and np.isfinite(rig["metric"]).all()


@pytest.mark.parametrize("k", range(10))
def test_the_benchmark_is_a_compromise_in_every_variable(k: int) -> None:
    """Whichever way a variable is moved, some scenario gets worse than with the average benchmark."""
    rig, other, sc, margin = (
        np.zeros(1, manoeuvres.RIG)[0],
        np.zeros(1, manoeuvres.RIG)[0],
        np.zeros(1, manoeuvres.SCENARIO)[0],
        np.zeros(3),
    )
    brief = np.zeros(13)
    host(scenarios.set_benchmark)(other, brief, np.zeros(10))
    for change in (-0.4, 0.4):
        rig["drawn"] = other["drawn"]
        rig["drawn"][k] += change
        host(manoeuvres.assemble)(rig, np.zeros(10))
        worst = 9.0
        for family in range(6):
            for surface in range(3):
                host(scenarios.describe)(sc, brief, family, surface, np.zeros(4))
                host(scenarios.compare)(rig, other, sc, brief, 0.0, margin)
                worst = min(worst, float(margin.min()))
        assert worst < -0.1


def test_the_range_of_the_abs_holds_what_brakes_hardest_on_every_road() -> None:
    rig, sc = np.zeros(1, manoeuvres.RIG)[0], np.zeros(1, manoeuvres.SCENARIO)[0]
    slips = (0.02, 0.06, 0.08, 0.1, 0.15, 0.25, 0.4)
    best = []
    for surface in range(3):
        host(scenarios.describe)(sc, np.zeros(13), manoeuvres.BRAKING, surface, np.zeros(4))
        host(manoeuvres.assemble)(rig, np.zeros(10))
        hardest = []
        for slip in slips:
            rig["built"]["value"][design.ABS] = slip
            host(manoeuvres.perform)(rig, sc)
            hardest.append(-rig["metric"][2])
        best.append(slips[int(np.argmax(hardest))])
    assert best == [0.15, 0.1, 0.02]
    assert design.LOW[design.ABS] == min(best) and design.HIGH[design.ABS] > max(best)


# --- rules ---


def test_the_design_that_is_built_as_the_benchmark_passes_everything() -> None:
    for split in ("train", "test", "shift"):
        env = make_vec("ProvingGround", 40, action="continuous", level=3, split=split)
        env.reset(seed=0)
        drawn = optimum(env)
        assert (np.abs(drawn) <= 1.0).mean() > 0.99
        acts = np.stack([action(np.clip(z, -1, 1), commit=COMMIT) for z in drawn])
        _, reward, terminated, *_ = env.step(acts)
        inside = (np.abs(drawn) <= 1.0).all(1)
        assert terminated.all() and np.allclose(reward[inside], 1.0 - rules.PROTOTYPE)


def test_a_prototype_costs_when_it_changes_and_a_test_always() -> None:
    env = make("ProvingGround", action="continuous", level=2)
    env.reset(seed=0)
    rewards = [env.step(action(z, family))[1] for z, family in ((0.1, 0), (0.1, 3), (0.2, 3))]
    assert rewards == pytest.approx([-0.025, -0.005, -0.025])
    _, reward, terminated, truncated, info = env.step(action(0.2, commit=COMMIT))
    assert terminated and not truncated and reward == info["pass_rate"]
    assert info["prototypes"] == 2 and info["tests"] == 3
    assert info["pass_rate"] == min(v for k, v in info.items() if k.startswith("pass_") and k != "pass_rate")


def test_whoever_draws_what_is_observed_builds_nothing_new() -> None:
    """Also after a first drawing that was more precise than an observation."""
    env = make("ProvingGround", action="continuous", level=2)
    env.reset(seed=0)
    drawn = action(0.0).astype(np.float64)
    drawn[: design.PARTS] = np.linspace(-0.9, 0.9, design.PARTS) / 3
    seen = env.step(drawn)[0]
    drawn[: design.PARTS] = seen[rules.DRAWN : rules.DRAWN + design.PARTS]
    assert env.step(drawn)[1] == pytest.approx(-rules.TEST)


def test_a_programme_does_not_depend_on_the_one_before() -> None:
    used, fresh = (make_vec("ProvingGround", 1, action="continuous", level=3) for _ in range(2))
    used.reset(seed=1)
    for family in range(6):
        used.step(action(0.3, family)[None])
    used.step(action(0.3, commit=COMMIT)[None])
    for env in (used, fresh):
        env.reset(seed=2)
    assert used.world.tobytes() == fresh.world.tobytes()


def test_the_last_step_certifies_whatever_is_asked() -> None:
    env = make("ProvingGround", action="continuous", level=2)
    env.reset(seed=0)
    ends = [env.step(action(0.0, k % 6))[2] for k in range(rules.MOST)]
    assert ends == [False] * (rules.MOST - 1) + [True]


def test_what_is_known_of_the_factory_is_shown_and_the_rest_is_not() -> None:
    for level, hidden in ((0, 0), (1, 4), (2, 7), (3, 10)):
        env = make_vec("ProvingGround", 50, action="continuous", level=level)
        obs, _ = env.reset(seed=0)
        shown = obs[:, rules.KNOWN : rules.KNOWN + 10]
        flags = obs[:, rules.KNOWN + 10 : rules.KNOWN + 20] > 0
        assert (flags.sum(1) == 10 - hidden).all()
        assert np.allclose(shown, np.where(flags, env.world["offset"], 0.0))


def test_margins_are_those_of_the_car_as_built_with_noise() -> None:
    shown = []
    for noise in (0.0, 0.3):
        env = make_vec("ProvingGround", 200, action="continuous", level=3, noise=noise)
        env.reset(seed=0)
        env.step(np.tile(action(0.0, manoeuvres.RIDE), (200, 1)))
        within = np.abs(env.world["margin"]) < 2.5
        shown.append((env.world["shown"] - env.world["margin"])[within])
    assert (shown[0] == 0).all() and shown[1].std() == pytest.approx(0.3, rel=0.15)


def test_a_new_prototype_starts_a_new_summary() -> None:
    env = make("ProvingGround", action="continuous", level=2)
    env.reset(seed=0)
    env.step(action(0.0, 3))
    assert env.step(action(0.0, 3))[0][rules.SUMMARY + 3] == pytest.approx(2 / 24)
    assert env.step(action(0.1, 4))[0][rules.SUMMARY : rules.SUMMARY + 6] == pytest.approx([0, 0, 0, 0, 1 / 24, 0])


# --- bad input ---


@pytest.mark.parametrize("value", [math.nan, 1.1, -1.1, math.inf])
@pytest.mark.parametrize("k", [0, rules.FAMILY, rules.COMMIT])
def test_designs_outside_the_box_are_refused(value: float, k: int) -> None:
    env = make("ProvingGround", action="continuous")
    env.reset(seed=0)
    row = action()
    row[k] = value
    with pytest.raises(BadAction, match=r"must be in -1\.\.1"):
        env.step(row)


@pytest.mark.parametrize(
    ("keywords", "named"),
    [(dict(hidden=11), "hidden"), (dict(offset=0.5), "offset"), (dict(slack=-1.0), "slack"), (dict(noise=math.nan), "noise"),
     (dict(certify=0), "certify")],
)  # fmt: skip
def test_impossible_parameters_are_refused(keywords: dict[str, Any], named: str) -> None:
    with pytest.raises(BadParameter, match=named):
        make("ProvingGround", action="continuous", **keywords)


@given(keywords=knobs.knobs(GroundParams), seed=st.integers(0, 2**30), split=st.sampled_from(["train", "shift"]))
@settings(max_examples=10, deadline=None)
def test_extreme_knobs_and_designs_give_finite_numbers(keywords: dict[str, Any], seed: int, split: str) -> None:
    env = make_vec("ProvingGround", 2, action="continuous", split=split, **keywords)
    obs, _ = env.reset(seed=seed)
    rng = np.random.default_rng(seed)
    for t in range(8):
        assert env.observation_space.contains(obs)
        acts = rng.choice([-1.0, 1.0], (2, rules.ACTION))
        acts[:, rules.COMMIT] = COMMIT if t == 7 else TEST
        obs, reward, terminated, _, infos = env.step(acts.astype(np.float32))
        assert np.isfinite(reward).all() and terminated.all() == (t == 7)
    assert env.observation_space.contains(obs) and (infos["ended_by"] == rules.CERTIFIED).all()


# --- who plays it ---


def test_the_score_says_what_a_designer_knows() -> None:
    """Seeds and players are fixed, so the figures are: who neither tests nor knows the factory is far below the oracle, and
    who knows it needs no test."""
    returns = {
        (level, name): float(
            play(make_vec("ProvingGround", 100, action="continuous", level=level, split="test"), name, 0, 100).mean()
        )
        for level in (0, 3)
        for name in ("oracle", "tracker", "reflex", "universal", "briefless")
    }
    assert returns[0, "oracle"] - returns[0, "reflex"] <= 0.05
    assert returns[3, "oracle"] - max(returns[3, "reflex"], returns[3, "universal"]) >= 0.5
    assert returns[3, "tracker"] >= returns[3, "reflex"] + 0.4
    assert returns[3, "tracker"] >= returns[3, "briefless"] + 0.1


def test_random_designs_are_certified_now_and_then_where_limits_are_lenient() -> None:
    """A learner that explores at random then sees what a good design is worth; with the limits of the levels it never does."""
    designs = np.random.default_rng(0).uniform(-1, 1, (100, design.PARTS))
    acts = np.stack([action(z, commit=COMMIT) for z in designs])
    seen = {}
    for level in (2, "lenient"):
        env = make_vec("ProvingGround", 100, action="continuous", level=level)
        env.reset(seed=0)
        seen[level] = (env.step(acts)[1] > 0.0).mean()
    assert seen[2] <= 0.02 and 0.05 <= seen["lenient"] <= 0.2


@pytest.mark.parametrize("keywords", [dict(slack=0.5), dict(slack=1.0), dict(slack=1.0, hidden=10), dict(slack=1.5)])
def test_chance_follows_how_strict_the_limits_are(keywords: dict[str, Any]) -> None:
    env = make_vec("ProvingGround", 100, action="continuous", level=2, split="test", **keywords)
    assert play(env, "reflex", 0, 100).mean() == pytest.approx(ProvingGround.chance(env.params), abs=0.1)


def test_tests_tell_what_the_factory_does() -> None:
    env = make_vec("ProvingGround", 48, action="continuous", level=3, split="test")
    obs, _ = env.reset(seed=0)
    policy, first, offset = env.reference("tracker"), np.ones(48, bool), env.world["offset"].copy()
    for _ in range(10):
        obs, *_ = env.step(policy.act(obs, first))
        first = np.zeros(48, bool)
    policy.act(obs, first)
    left = (policy.memory["believed"] - offset).std()
    assert left < 0.5 * offset.std()


# --- what is drawn ---


def test_the_plain_picture_does_not_depend_on_what_is_hidden() -> None:
    env = make("ProvingGround", level=3, action="continuous")
    env.reset(seed=0)
    env.step(action(0.0, manoeuvres.LANE))
    other = env.world.copy()
    other["offset"] = -other["offset"]

    def picture(record: Any, hidden: bool) -> np.ndarray:
        return load(ProvingGround.view.painter)(480, 300, hidden).frame(
            np.asarray(record).reshape(1)[0], env.params, ProvingGround
        )

    assert np.array_equal(picture(env.world, False), picture(other, False))


def test_a_car_at_rest_stays_at_rest() -> None:
    car = np.zeros(1, vehicle.CAR)[0]
    host(vehicle.bmw)(car)
    host(vehicle.start)(car, 0.0)
    for _ in range(100):
        host(vehicle.drive)(car, 0.0, -5.0, 0.005)
    assert car["x"][3] == 0.0 and np.isfinite(car["x"]).all()
