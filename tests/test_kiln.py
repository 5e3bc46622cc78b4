"""Kiln: its physics against outside references, its rules, its bad inputs, and what its reference players are worth."""

from __future__ import annotations

import math
from typing import Any

import heat as outside
import knobs
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from unseen.envs.core.device import host
from unseen.envs.core.lazy import load
from unseen.envs.errors import BadAction, BadParameter
from unseen.envs.industry.kiln import rules
from unseen.envs.industry.kiln.references import ACTIONS
from unseen.envs.industry.kiln.spec import Kiln, KilnParams
from unseen.envs.industry.kit import heat as kit
from unseen.envs.suite import make, make_vec
from unseen.train.audit.subject import play

ERRORS = outside.errors()
HOLD, FIRE, OUT = (np.array(ACTIONS[name], np.float32) for name in ("870 C", "1200 C", "discharge"))


# --- physics ---


@pytest.mark.parametrize("what", ERRORS)
def test_the_heat_is_that_of_outside_references(what: str) -> None:
    error, tolerated, _ = ERRORS[what]
    assert error <= tolerated


@given(
    half=st.floats(0.01, 0.13), h=st.floats(0, 100), eps=st.floats(0, 1), charged=st.floats(0, 1200), furnace=st.floats(20, 1200)
)  # fmt: skip
@example(half=0.01171875, h=0.0, eps=0.0, charged=1000.0, furnace=1000.0)  # rounding once added up to 1e-9 C
@settings(max_examples=40, deadline=None)
def test_a_slab_stays_between_what_it_was_and_its_furnace(
    half: float, h: float, eps: float, charged: float, furnace: float
) -> None:
    slab = np.zeros(1, kit.SLAB)[0]
    slab["half"], slab["h"], slab["eps"] = half, h, eps
    host(kit.fill)(slab, charged)
    low, high = min(charged, furnace), max(charged, furnace)
    slack = 0.02 * (high - low) + 1e-9  # extrapolation may overshoot a little in the first step
    for _ in range(60):
        host(kit.heat)(slab, furnace, furnace, 20.0)
        assert low - slack <= slab["temp"].min() and slab["temp"].max() <= high + slack
    assert charged != furnace or (slab["temp"] == charged).all(), "as hot as the furnace: exactly as it was"


def test_the_properties_of_steel_are_those_of_the_table() -> None:
    for temp, c, k in (
        (0, 510, 45),
        (200, 600, 41),
        (700, 731, 29.5),
        (800, 562, 27),
        (1000, 600, 23),
        (1500, 600, 23),
    ):
        assert host(kit.capacity)(temp) == pytest.approx(c) and host(kit.conductivity)(temp) == pytest.approx(k)
    assert math.isfinite(host(kit.capacity)(math.nan)) and host(kit.conductivity)(-1e300) == pytest.approx(45)


# --- rules ---


def episode(
    plan: list[np.ndarray], seed: int = 0, **keywords: Any
) -> tuple[list[np.ndarray], list[float], dict[str, Any], Any]:
    """Observations, rewards, the last info and the environment of an episode with these actions, of which the last is repeated."""
    env = make("Kiln", **{"action": "continuous", "level": 0} | keywords)
    obs, _ = env.reset(seed=seed)
    rows, rewards = [obs], []
    for t in range(rules.STEPS):
        obs, reward, terminated, truncated, info = env.step(plan[min(t, len(plan) - 1)])
        rows.append(obs)
        rewards.append(float(reward))
        if terminated or truncated:
            break
    return rows, rewards, info, env


def test_the_extractor_comes_when_it_is_called_twice() -> None:
    _, rewards, info, _ = episode([HOLD, OUT, HOLD, OUT, OUT])
    assert len(rewards) == 5 and info["ended_by"] == rules.DISCHARGED and info["minutes"] == 5
    assert info["quality"] == 0 and not info["is_success"], "the core was cold"


def test_a_slab_that_is_left_in_the_furnace_is_worth_nothing() -> None:
    _, rewards, info, env = episode([FIRE])
    assert len(rewards) == rules.STEPS and info["ended_by"] == rules.LEFT and info["quality"] == 0
    assert sum(rewards) == pytest.approx(-0.3, abs=0.01) and sum(rewards) >= Kiln.score.low
    assert info["hottest_C"] > 1150 and env.world["soak"] > 100


def test_a_good_firing_is_worth_1_less_time_and_fuel() -> None:
    env = make_vec("Kiln", 32, level=0, split="train")
    returns = play(env, "oracle", 0, 32)
    assert returns.min() > 0.8 and returns.max() < 1.0


@pytest.mark.parametrize(
    ("soak", "uneven", "hottest", "growth", "worth"),
    [(10, 25, 1000, 12, 1.0), (5, 25, 1000, 12, 0.5), (10, 50, 1000, 12, 0.5), (10, 25, 1025, 12, 0.5), (10, 25, 1000, 18, 0.5),
     (0, 0, 0, 0, 0.0), (99, 75, 900, 9, 0.0), (99, 0, 1050, 0, 0.0), (99, 0, 900, 24, 0.0)],
)  # fmt: skip
def test_quality_has_four_factors(soak: float, uneven: float, hottest: float, growth: float, worth: float) -> None:
    assert host(rules.quality)(soak, uneven, hottest, growth) == pytest.approx(worth)


def test_grains_grow_by_arrhenius() -> None:
    assert host(rules.growth_rate)(875.0) == pytest.approx(1.0)
    assert host(rules.growth_rate)(950.0) == pytest.approx(math.exp(250e3 / 8.314 * (1 / 1148.15 - 1 / 1223.15)))
    assert host(rules.growth_rate)(-273.149) == 0.0


@pytest.mark.parametrize("blind", [1, 5, 30])
def test_the_door_opens_as_often_as_asked(blind: int) -> None:
    rows, *_ = episode([HOLD], blind=blind, probe=False)
    shown = [row[rules.SHOWN] for row in rows]
    assert [t for t, value in enumerate(shown) if value] == list(range(0, rules.STEPS + 1, blind))
    assert all(row[rules.READING] == 0 for row, value in zip(rows, shown, strict=True) if not value)
    assert all(row[rules.PROBE] == row[rules.SOAK] == row[rules.PROBED] == 0 for row in rows)
    assert [round(float(row[rules.AGE]) * 60) for row in rows] == [t % blind for t in range(rules.STEPS + 1)]


def test_a_thermocouple_shows_the_core_and_counts_the_soak() -> None:
    rows, _, _, env = episode([FIRE] * 30 + [HOLD], noise=0.0)
    temp = np.ravel(env.world["slab"]["temp"])
    assert rows[-1][rules.PROBE] * 1000 == pytest.approx(temp[0] - (temp[1] - temp[0]) / 8, abs=1e-3)
    assert rows[-1][rules.SOAK] * 60 == pytest.approx(float(env.world["soak"].item()), abs=1e-4)


def test_slabs_of_shift_are_brighter() -> None:
    worlds = {}
    for split in ("train", "test", "shift"):
        env = make_vec("Kiln", 500, split=split)
        env.reset(seed=0)
        worlds[split] = env.world.copy()
    eps = {split: world["slab"]["eps"] for split, world in worlds.items()}
    assert eps["shift"].max() <= eps["train"].min() and eps["train"].max() <= 0.9
    assert not set(eps["train"]) & set(eps["test"])


def test_without_variability_plants_are_nominal() -> None:
    env = make_vec("Kiln", 50, variability=0.0)
    env.reset(seed=0)
    assert (env.world["slab"]["eps"] == 0.75).all() and (env.world["slab"]["half"] == env.world["nominal"]).all()


# --- bad input ---


@pytest.mark.parametrize("action", [(math.nan, 0.0), (1.1, 0.0), (0.0, -1.1), (0.0, math.inf)])
def test_impossible_actions_are_refused(action: tuple[float, float]) -> None:
    env = make("Kiln", action="continuous")
    env.reset(seed=0)
    with pytest.raises(BadAction, match=r"must be in -1\.\.1"):
        env.step(np.array(action))


@pytest.mark.parametrize(
    ("keywords", "named"),
    [(dict(half=(0, 50)), "half"), (dict(half=(50, 500)), "half"), (dict(charge=(900, 950)), "charge"), (dict(blind=0), "blind"),
     (dict(noise=math.nan), "noise"), (dict(variability=-1.0), "variability"), (dict(probe=2), "probe")],
)  # fmt: skip
def test_impossible_parameters_are_refused(keywords: dict[str, Any], named: str) -> None:
    with pytest.raises(BadParameter, match=named):
        make("Kiln", **keywords)


@given(keywords=knobs.knobs(KilnParams), seed=st.integers(0, 2**30), split=st.sampled_from(["train", "shift"]))
@settings(max_examples=25, deadline=None)
def test_extreme_knobs_give_finite_numbers(keywords: dict[str, Any], seed: int, split: str) -> None:
    env = make_vec("Kiln", 4, action="continuous", split=split, **keywords)
    obs, _ = env.reset(seed=seed)
    tracker = env.reference("tracker")
    rng, first = np.random.default_rng(seed), np.ones(4, bool)
    for t in range(60):
        assert np.isfinite(obs).all() and env.observation_space.contains(obs)
        actions = tracker.act(obs, first)
        assert np.isfinite(actions).all() and np.isfinite(tracker.memory["slabs"]["temp"]).all()
        held = rng.choice([-1.0, 1.0], (4, 2)) if t % 3 else rng.uniform(-1, 1, (4, 2))
        obs, reward, *_ = env.step(held.astype(np.float32))
        first = env.world["t"] == 0
        assert np.isfinite(reward).all() and np.isfinite(env.world["slab"]["temp"]).all()


@pytest.mark.parametrize("value", [math.nan, math.inf, -1e300, 1e300])
def test_a_state_that_diverges_ends_the_episode_and_says_so(value: float) -> None:
    env = make("Kiln", action="continuous")
    env.reset(seed=0)
    env.world["slab"]["temp"][:] = value
    _, reward, terminated, _, info = env.step(HOLD)
    assert terminated and info["ended_by"] == rules.DIVERGED and math.isfinite(reward)
    assert not any(info[name] for name in env.task.metrics if name != "ended_by")


# --- who plays it ---


def test_the_score_says_how_blind_a_player_is() -> None:
    """Seeds and players are fixed, so the figures are: the oracle is far above what reacts where little is shown, and not
    where all is."""
    returns = {
        (level, name): float(play(make_vec("Kiln", 100, level=level, split="test"), name, 0, 100).mean())
        for level in (0, 3)
        for name in ("random", "oracle", "tracker", "nominal", "reflex", "pid")
        if level == 3 or name in ("random", "oracle", "reflex", "tracker")
    }
    assert returns[0, "oracle"] - returns[0, "reflex"] <= 0.05 and returns[0, "oracle"] - returns[0, "tracker"] <= 0.05
    best = max(returns[3, name] for name in ("reflex", "pid", "nominal"))
    assert returns[3, "oracle"] - best >= 0.2
    assert returns[3, "tracker"] > best
    assert returns[0, "random"] < 0.1


def test_a_tracker_finds_out_how_the_slab_takes_up_heat() -> None:
    """With a reading every five minutes it knows the core ten times as well as who believes in a nominal slab."""
    env = make_vec("Kiln", 48, level=1, split="test")
    obs, _ = env.reset(seed=0)
    policies = {name: env.reference(name) for name in ("tracker", "nominal")}
    first = np.ones(48, bool)
    for t in range(31):
        for policy in policies.values():
            policy.act(obs, first)
        true = env.world["slab"]["temp"][:, 0].copy()
        first = np.zeros(48, bool)
        if t < 30:
            obs, *_ = env.step(np.full(48, list(ACTIONS).index("1200 C")))
    wrong = {
        name: float(np.sqrt(((p.memory["slabs"]["temp"][:, 0, 0] - true) ** 2).mean())) for name, p in policies.items()
    }
    assert wrong["tracker"] < 0.35 * wrong["nominal"] and wrong["tracker"] < 15


# --- what is drawn ---


def test_the_plain_picture_does_not_depend_on_what_is_hidden() -> None:
    env = make("Kiln", level=2)
    env.reset(seed=0)
    for _ in range(20):
        env.step(list(ACTIONS).index("1200 C"))
    other = env.world.copy()
    other["slab"]["eps"] *= 0.5
    other["slab"]["temp"] += 50.0
    other["slab"]["surface"] += 50.0
    other["growth"] += 3.0

    def picture(record: Any, hidden: bool) -> np.ndarray:
        return load(Kiln.view.painter)(480, 300, hidden).frame(np.asarray(record).reshape(1)[0], env.params, Kiln)

    assert np.array_equal(picture(env.world, False), picture(other, False))
    assert not np.array_equal(picture(env.world, True), picture(other, True))


@pytest.mark.parametrize("size", [(480, 300), (1280, 800), (640, 640)])
@pytest.mark.parametrize("temp", [20.0, 870.0, math.nan])
def test_any_size_and_temperature_is_drawn(size: tuple[int, int], temp: float) -> None:
    env = make("Kiln", level=0)
    env.reset(seed=0)
    record = np.asarray(env.world).reshape(1)[0].copy()
    record["slab"]["temp"] = record["slab"]["surface"] = temp
    for hidden in (False, True):
        painter = load(Kiln.view.painter)(*size, hidden)
        assert painter.frame(record, env.params, Kiln).shape == (size[1], size[0], 3)
        assert painter.card(record, env.params, Kiln).shape == (size[1], size[0], 3)
