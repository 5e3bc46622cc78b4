"""Dosing: its physics against outside references, its rules, its bad inputs, and what its reference players are worth."""

from __future__ import annotations

import math
from typing import Any

import knobs
import numpy as np
import pharmacology as outside
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.envs.core.device import host
from unseen.envs.core.lazy import load
from unseen.envs.errors import BadAction, BadParameter
from unseen.envs.industry.dosing import rules
from unseen.envs.industry.dosing.spec import Dosing, DosingParams
from unseen.envs.industry.kit import pharmacology as kit
from unseen.envs.suite import make, make_vec
from unseen.train.audit.subject import play

ERRORS = outside.errors()
OFF = -1.0  # the action of a pump that is off


# --- physics ---


@pytest.mark.parametrize("what", ERRORS)
def test_the_pharmacology_is_that_of_outside_references(what: str) -> None:
    error, tolerated, _ = ERRORS[what]
    assert error <= tolerated


@given(
    age=st.floats(18, 95), height=st.floats(140, 210), weight=st.floats(40, 160), male=st.booleans(), rate=st.floats(0, 100)
)  # fmt: skip
@settings(max_examples=30, deadline=None)
def test_no_drug_is_lost_or_made(age: float, height: float, weight: float, male: bool, rate: float) -> None:
    """What was infused is in the three compartments or was cleared; and no concentration is negative."""
    drug = np.zeros(1, kit.DRUG)[0]
    host(kit.schnider)(drug, age, height, weight, int(male))
    v1, k10, k12, k13 = (float(drug[name]) for name in ("v1", "k10", "k12", "k13"))
    v2, v3 = v1 * k12 / float(drug["k21"]), v1 * k13 / float(drug["k31"])
    cleared, parts, minutes = 0.0, 600, 10.0
    before = 0.0
    for _ in range(parts):
        host(kit.flow)(drug, rate, minutes / parts)
        cleared += k10 * v1 * 0.5 * (before + float(drug["c1"])) * minutes / parts
        before = float(drug["c1"])
        assert min(float(drug[name]) for name in ("c1", "c2", "c3", "ce")) >= 0.0
    held = v1 * float(drug["c1"]) + v2 * float(drug["c2"]) + v3 * float(drug["c3"])
    assert held + cleared == pytest.approx(rate * minutes, rel=1e-4, abs=1e-9)


def test_bis_falls_with_the_concentration_and_is_undone_by_its_inverse() -> None:
    levels = np.linspace(0.0, 20.0, 200)
    bis = [host(kit.bis_of)(ce, 4.47, 1.43) for ce in levels]
    assert bis[0] == kit.AWAKE_BIS and (np.diff(bis) < 0).all()
    for ce, value in zip(levels[1:], bis[1:], strict=True):
        assert host(kit.ce_of)(value, 4.47, 1.43) == pytest.approx(ce)


# --- rules ---


def episode(action: float, seed: int = 0, **keywords: Any) -> tuple[list[np.ndarray], list[float], dict[str, Any], Any]:
    """Observations, rewards, the last info and the environment of an episode with one action throughout."""
    env = make("Dosing", **{"action": "continuous", "level": 0} | keywords)
    obs, _ = env.reset(seed=seed)
    rows, rewards = [obs], []
    while True:
        obs, reward, terminated, truncated, info = env.step(np.array([action], np.float32))
        rows.append(obs)
        rewards.append(float(reward))
        if terminated or truncated:
            return rows, rewards, info, env


def test_nothing_is_given_and_the_patient_is_awake_at_the_end() -> None:
    rows, rewards, info, env = episode(OFF, noise=0.0, surgery=(100, 100))
    assert len(rewards) == 100 and info["ended_by"] == rules.AWOKE and not info["is_success"]
    assert info["minutes_to_wake"] == 0 and info["dose_mg"] == 0 and info["time_in_window"] == 0
    assert rows[50][rules.BIS] == pytest.approx(0.974)
    # awake during the surgery, but for its last step: penalised; awake at once after it: half
    assert sum(rewards) == pytest.approx(-69 / 70 + 0.5)


def test_full_rate_for_too_long_is_given_up() -> None:
    _, rewards, info, env = episode(1.0)
    assert info["ended_by"] == rules.GIVEN_UP and info["lowest_bis"] < rules.DANGER
    assert env.world["deep"] == rules.BEARABLE and len(rewards) < 60
    assert info["dose_mg"] == pytest.approx(100 * len(rewards) / 6)


@pytest.mark.parametrize("blind", [1, 18, 60])
def test_the_monitor_shows_as_often_as_asked(blind: int) -> None:
    rows, rewards, _, _ = episode(OFF, blind=blind, surgery=(150, 150))
    shown = [row[rules.SHOWN] for row in rows]
    assert [t for t, value in enumerate(shown) if value] == list(range(0, 151, blind))
    assert all(row[rules.BIS] == 0 for row, value in zip(rows, shown, strict=True) if not value)
    paid = [t for t, reward in enumerate(rewards, 1) if reward]
    assert all(t % blind == 0 or t == 150 for t in paid), "between readings nothing is paid"
    ages = [round(float(row[rules.AGE_OF_READING]) * 60) for row in rows]
    assert ages == [t % blind for t in range(151)]


def test_a_held_screen_keeps_the_last_reading() -> None:
    rows, *_ = episode(OFF, blind=60, held=True, surgery=(100, 100))
    assert len({float(row[rules.BIS]) for row in rows[:60]}) == 1 and rows[30][rules.BIS] > 0.8


def test_the_return_does_not_depend_on_how_often_the_monitor_shows() -> None:
    plan = np.random.default_rng(0).uniform(-1, -0.6, (200, 1)).astype(np.float32)
    returns = []
    for blind in (1, 18, 60):
        env = make("Dosing", action="continuous", blind=blind, noise=0.0, surgery=(120, 120))
        env.reset(seed=4)
        total, over = 0.0, False
        for action in plan:
            if over:
                break
            _, reward, terminated, truncated, _ = env.step(action)
            total, over = total + float(reward), terminated or truncated
        assert over
        returns.append(total)
    assert returns == pytest.approx([returns[0]] * 3)


def test_the_end_is_announced_in_time() -> None:
    rows, *_ = episode(OFF, surgery=(100, 100), notice=40)
    told = [t for t, row in enumerate(rows) if row[rules.ANNOUNCED]]
    assert told == list(range(60, 101))
    left = [round(float(row[rules.LEFT]) * 60) for row in rows]
    assert left == [0] * 60 + [100 - t for t in range(60, 101)]


def test_patients_of_shift_are_older_and_heavier() -> None:
    worlds = {}
    for split in ("train", "test", "shift"):
        env = make_vec("Dosing", 500, split=split)
        env.reset(seed=0)
        worlds[split] = env.world.copy()
    assert worlds["shift"]["age"].min() >= worlds["train"]["age"].max()
    assert worlds["shift"]["weight"].min() >= 65 and worlds["train"]["weight"].max() <= 100
    assert not set(worlds["train"]["age"]) & set(worlds["test"]["age"])
    for field, spread in (("c50", 0.26), ("gamma", 0.30)):
        assert np.log(worlds["train"][field]).std() == pytest.approx(spread, rel=0.15)


def test_without_variability_patients_are_typical() -> None:
    env = make_vec("Dosing", 50, variability=0.0)
    env.reset(seed=0)
    assert (env.world["c50"] == kit.C50).all() and (env.world["drug"]["ke0"] == 0.456).all()


# --- bad input ---


@pytest.mark.parametrize("action", [math.nan, 1.1, -1.1, math.inf])
def test_impossible_rates_are_refused(action: float) -> None:
    env = make("Dosing", action="continuous")
    env.reset(seed=0)
    with pytest.raises(BadAction, match=r"must be in -1\.\.1"):
        env.step(np.array([action]))


@pytest.mark.parametrize(
    ("keywords", "named"),
    [
        (dict(weight=(0, 50)), "weight"), (dict(age=(5, 9)), "age"), (dict(height=(0, 0)), "height"), (dict(blind=0), "blind"),
        (dict(noise=math.nan), "noise"), (dict(variability=-1.0), "variability"), (dict(model="none"), "schnider"),
        (dict(surgery=(10, 20)), "surgery"), (dict(notice=-1), "notice"),
        (dict(weight=(145, 145), height=(140, 140)), "body mass index"),
    ],
)  # fmt: skip
def test_impossible_parameters_are_refused(keywords: dict[str, Any], named: str) -> None:
    with pytest.raises(BadParameter, match=named):
        make("Dosing", **keywords)


@given(keywords=knobs.knobs(DosingParams), seed=st.integers(0, 2**30), split=st.sampled_from(["train", "shift"]))
@settings(max_examples=25, deadline=None)
def test_extreme_knobs_give_finite_numbers_or_a_typed_error(keywords: dict[str, Any], seed: int, split: str) -> None:
    try:
        env = make_vec("Dosing", 4, action="continuous", split=split, **keywords)
    except BadParameter:
        return
    obs, _ = env.reset(seed=seed)
    rng = np.random.default_rng(seed)
    for t in range(120):
        assert np.isfinite(obs).all() and env.observation_space.contains(obs)
        held = rng.choice([-1.0, 1.0], (4, 1)) if t % 3 else rng.uniform(-1, 1, (4, 1))
        obs, reward, *_ = env.step(held.astype(np.float32))
        assert np.isfinite(reward).all() and np.isfinite(env.world["bis"]).all()


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e300, -1.0])
def test_a_state_that_diverges_ends_the_episode_and_says_so(value: float) -> None:
    env = make("Dosing", action="continuous")
    env.reset(seed=0)
    env.world["drug"]["c1"] = value
    _, reward, terminated, _, info = env.step(np.array([-1.0]))
    assert terminated and info["ended_by"] == rules.DIVERGED and math.isfinite(reward)


# --- who plays it ---


def test_the_score_says_how_blind_a_player_is() -> None:
    """Seeds and players are fixed, so the figures are: the oracle is far above what reacts where little is shown, and not
    where all is."""
    returns = {
        (level, name): float(play(make_vec("Dosing", 200, level=level, split="test"), name, 0, 200).mean())
        for level in (0, 3)
        for name in ("random", "oracle", "tracker", "reflex", "pid", "pid-stop")
    }
    best = {level: max(returns[level, name] for name in ("reflex", "pid", "pid-stop")) for level in (0, 3)}
    assert returns[0, "oracle"] - best[0] <= 0.05
    assert returns[3, "oracle"] - best[3] >= 0.2
    assert returns[3, "tracker"] > best[3] and returns[0, "tracker"] > best[0]
    assert returns[0, "random"] < 0.05


def test_a_tracker_finds_out_who_the_patient_is() -> None:
    """After a dozen readings it knows how sensitive the patient is much better than before."""
    env = make_vec("Dosing", 64, level=1, split="test")
    obs, _ = env.reset(seed=0)
    policy, first = env.reference("tracker"), np.ones(64, bool)
    for _ in range(190):
        obs, *_ = env.step(policy.act(obs, first))
        first = env.world["t"] == 0
    going = env.world["t"] == 190
    prior = np.log(env.world["c50"][going] / kit.C50)
    believed = np.log(policy.memory["c50"][going] / kit.C50)
    assert going.sum() > 50 and (prior - believed).std() < 0.5 * prior.std()


# --- what is drawn ---


def test_the_plain_picture_does_not_depend_on_what_is_hidden() -> None:
    env = make("Dosing", level=2, action="continuous")
    env.reset(seed=0)
    for _ in range(20):
        env.step(np.array([-0.5]))
    other = env.world.copy()
    other["c50"] *= 1.5
    other["bis"] += 10.0
    other["drug"]["ce"] *= 2.0

    def picture(record: Any, hidden: bool) -> np.ndarray:
        return load(Dosing.view.painter)(480, 300, hidden).frame(np.asarray(record).reshape(1)[0], env.params, Dosing)

    assert np.array_equal(picture(env.world, False), picture(other, False))
    assert not np.array_equal(picture(env.world, True), picture(other, True))
