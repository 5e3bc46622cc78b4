"""Tunnel: the law inside, gates and plates, and that nothing gives a hidden ball away."""

import dataclasses
import math

import numpy as np
import pytest
import traces
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.envs.core.kernels import SENSE
from unseen.envs.core.params import Spec
from unseen.envs.core.rng import MAX_SEED
from unseen.envs.core.vector_env import TaskVectorEnv
from unseen.envs.errors import BadParameter
from unseen.envs.permanence.tunnel.draw import LEVER_AT, SHIFT_CARPET, SPACING
from unseen.envs.permanence.tunnel.motion import STRIP
from unseen.envs.permanence.tunnel.references import STAY
from unseen.envs.permanence.tunnel.rules import MAT, PLATE, PLATE_AT
from unseen.envs.permanence.tunnel.spec import Tunnel, TunnelParams
from unseen.envs.planar.world import ACT, DAY, DT, REVEAL
from unseen.envs.suite import make, make_vec, resolve
from unseen.train.audit.subject import play

# Traces of version 0, from when it was the newest.
OLD_CANARY = "7877ee0f0b10246e"
OLD = {
    "1/slots": "27aa5ba549fd1698",
    "2/slots/shift": "9323d3278926c4ad",
    "3/state": "50af6a87a6ca4d0f",
    "3/slots/tracker": "269ea48333c59475",
}
SEEDS = st.integers(0, MAX_SEED - 1000)
PARAMETERS = st.fixed_dictionaries(
    {
        "exits": st.integers(2, 6),
        "balls": st.integers(2, 4),
        "fork": st.floats(0.3, 2.0),
        "lane": st.floats(0.5, 3.0),
        "carpet": st.sampled_from((0.5, 0.7)),
        "carpets": st.sampled_from(("half", "graded")),
        "siding": st.booleans(),
        "slack": st.tuples(st.integers(0, 8), st.integers(8, 20)),
        "radius": st.floats(0.06, 0.12),
        "apart": st.booleans(),
        "entry": st.sampled_from(("nearby", "anywhere")),
    }
)
ROOMY = PARAMETERS.filter(lambda overrides: not crowded(overrides))


def crowded(overrides: dict) -> bool:
    """Whether there are too many balls for the exits or the hall, or too little hall."""
    shallow = overrides["fork"] < (1.0 if overrides["entry"] == "anywhere" else 0.3 * (overrides["balls"] - 1) - 1e-9)
    return shallow or overrides["balls"] > overrides["exits"]


def exit_x(env: TaskVectorEnv, k: np.ndarray) -> np.ndarray:
    return (k - 0.5 * (env.params.exits - 1)) * SPACING


def stand(env: TaskVectorEnv, i: int, k: int) -> None:
    """Put agent i on the plate of exit k."""
    env.world["agent_x"][i], env.world["agent_y"][i] = exit_x(env, np.array(k)), env.params.mouth - PLATE_AT


def stay(env: TaskVectorEnv) -> tuple:
    return env.step(np.full(env.num_envs, STAY))


def film(env: TaskVectorEnv, seed: int) -> np.ndarray:
    """World records (T, n) of episodes in which the agent stays where it is, up to the step before the first end."""
    env.reset(seed=seed)
    frames = [env.world.copy()]
    while True:
        over = stay(env)[2]
        if over.any():
            return np.stack(frames)
        frames.append(env.world.copy())


@settings(max_examples=20, deadline=None)
@given(SEEDS, ROOMY)
def test_balls_keep_identity_order_and_the_law_of_travel(seed: int, overrides: dict) -> None:
    env = make_vec("Tunnel", 16, level=3, **overrides)
    p, n = env.params, env.params.balls
    s = film(env, seed)
    end = env.world  # at the first end: exits and times are still those of the film
    assert (s["disc_colour"] == s["disc_colour"][0]).all()
    assert (np.sort(s["disc_colour"][0, :, :n]) == np.arange(n)).all()
    for i in range(env.num_envs):
        held = int(s["held_up"][0, i])
        due = s["due"][0, i, :n]
        assert list(np.argsort(due)) == [(j + held) % n for j in range(n)]
        for j in range(n):
            x, y, vx, vy = (s[name][:, i, j] for name in ("disc_x", "disc_y", "disc_vx", "disc_vy"))
            moves = int(np.argmax(vy < 0))
            speed = math.hypot(vx[moves], vy[moves])
            # From what shows at the entry alone: where the straight way meets the lanes, and the time on each part.
            to_bend = (y[moves] - p.bend) / -vy[moves]
            k = int(np.argmin(np.abs(exit_x(env, np.arange(p.exits)) - (x[moves] + vx[moves] * to_bend))))
            steps = (to_bend + p.lane / (speed * s["factor"][0, i, k])) / DT + (p.hold if held and j == 0 else 0)
            assert k == s["exit"][0, i, j]
            assert moves + steps + 0.5 == pytest.approx(due[j], abs=1e-6)
            stride = np.hypot(np.diff(x), np.diff(y))
            assert (stride <= speed * DT + 1e-9).all()  # nothing jumps
            inside = (y < p.top - 1e-9) & (y > p.mouth)
            assert (s["disc_cover"][:, i, j][inside] == 1).all()
            assert (y[: due[j]] > p.mouth).all()
    assert (end["exit"] >= 0).all()


@settings(max_examples=15, deadline=None)
@given(SEEDS, st.integers(2, 6))
def test_no_ball_overtakes_in_a_lane_without_a_siding(seed: int, exits: int) -> None:
    env = make_vec("Tunnel", 64, level=3, siding=False, exits=exits, balls=2, apart=False, entry="nearby")
    s = film(env, seed)
    same = s["exit"][0, :, 0] == s["exit"][0, :, 1]
    assert (s["disc_y"][:, same, 0] <= s["disc_y"][:, same, 1])[5:].all()  # the first ball is in the tunnel by step 5


@pytest.mark.parametrize("level", [1, 2, 3])
def test_the_ball_comes_out_at_its_exit_in_the_step_that_ends_the_episode(level: int) -> None:
    env = make_vec("Tunnel", 200, level=level)
    env.reset(seed=4)
    p, w, ended = env.params, env.world, np.zeros(200, bool)
    while not ended.all():
        w["agent_x"], w["agent_y"] = 0.0, p.mouth - MAT  # between the plates and the wall: on no plate
        obs, reward, terminated, _, _ = stay(env)
        for i in np.nonzero(terminated & ~ended)[0]:
            j = w["target"][i]
            assert w["t"][i] == w["due"][i, j] and reward[i] == 0.0
            assert w["disc_x"][i, j] == pytest.approx(exit_x(env, w["answer"][i]))
            assert p.mouth - STRIP <= w["disc_y"][i, j] < p.mouth
            start, count, width = env.layout.discs
            shown = obs[i, start::width] == 1
            assert len(shown) == count == w["n_discs"][i]
            if level == 3:  # it drops out of sight, and nothing is revealed
                assert w["light"][i] == DAY and not shown.any()
            else:
                assert w["light"][i] == REVEAL and shown.all()
        ended |= terminated


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.integers(1, 6), st.integers(1, 8))
def test_a_gate_stays_open_for_patience_steps_and_no_longer(seed: int, patience: int, early: int) -> None:
    env = make_vec("Tunnel", 32, level=2, patience=patience)
    env.reset(seed=seed)
    w, ended = env.world, np.zeros(32, bool)
    while not ended.all():
        for i in np.nonzero(w["due"][:, 0] - w["t"] == early + 1)[0]:
            if w["phase"][i] == ACT:
                stand(env, i, int(w["answer"][i]))
        obs, reward, terminated, _, _ = stay(env)
        on = ~ended & ~terminated & (w["stood_on"].sum(1) > 0)
        gates = obs[on][:, env.layout.signals][:, :4]
        assert np.allclose(gates, np.maximum(1 - w["stood_on"][on][:, :4] / (patience + 1), 0))
        assert (reward[terminated & ~ended] == (early <= patience)).all()
        ended |= terminated


def test_a_ball_behind_a_shut_gate_never_comes_out() -> None:
    env = make_vec("Tunnel", 100, level=2)
    env.reset(seed=8)
    env.world["stood_on"] = 99
    ended = np.zeros(100, bool)
    while not ended.all():
        terminated = stay(env)[2]
        new = terminated & ~ended
        assert (env.world["disc_y"][new, 0] > env.params.mouth).all()
        ended |= terminated


def test_the_wrong_ball_ends_the_episode_with_nothing() -> None:
    env = make_vec("Tunnel", 300, level=3)
    env.reset(seed=5)
    w, ended, wrong = env.world, np.zeros(300, bool), 0
    while not ended.all():
        for i in range(300):
            other = 1 - w["target"][i]
            if w["due"][i, other] - w["t"][i] == 1:
                stand(env, i, int(w["exit"][i, other]))
        _, reward, terminated, _, _ = stay(env)
        for i in np.nonzero(terminated & ~ended)[0]:
            if w["touched"][i] == 1 - w["target"][i]:
                assert reward[i] == 0.0
                wrong += 1
        ended |= terminated
    assert wrong > 100


@pytest.mark.parametrize("level", [1, 2, 3])
def test_knowing_when_is_worth_chance_and_knowing_where_too_is_worth_everything(level: int) -> None:
    n = 6000
    for right in (False, True):
        env = make_vec("Tunnel", n, level=level)
        env.reset(seed=6)
        guess = np.random.default_rng(0).integers(0, env.params.exits, n)
        target = env.world["target"].copy()
        w, total, ended = env.world, np.zeros(n), np.zeros(n, bool)
        while not ended.all():
            w["agent_x"], w["agent_y"] = 0.0, env.params.mouth - MAT
            k = w["answer"] if right else guess
            now = (w["due"][np.arange(n), target] - w["t"] == 1) & ~ended
            w["agent_x"][now], w["agent_y"][now] = exit_x(env, k)[now], env.params.mouth - PLATE_AT
            _, reward, terminated, _, _ = stay(env)
            total += np.where(ended, 0, reward)
            ended |= terminated
        want = 1.0 if right else Tunnel.chance(env.params)
        assert total.mean() == pytest.approx(want, abs=4 * (want * (1 - want) / n) ** 0.5)
    assert 2 * PLATE < SPACING


@pytest.mark.parametrize("level", [1, 2, 3])
@pytest.mark.parametrize("obs", ["dict", "slots"])
def test_nothing_gives_a_hidden_ball_away_in_any_mode(level: int, obs: str) -> None:
    env = make_vec("Tunnel", 24, level=level, obs=obs)
    env.reset(seed=3)
    rng = np.random.default_rng(0)
    w, checked = env.world, 0
    for _ in range(36):
        env.step(rng.integers(0, 4, 24))
        hidden = (w["disc_cover"] == 1) & (w["light"] != REVEAL)[:, None]
        hidden &= np.arange(w["disc_cover"].shape[1]) < w["n_discs"][:, None]
        kept, before = w.copy(), [o.copy() for o in env.batch.obs]
        for name in ("disc_x", "disc_y", "disc_vx", "disc_vy", "speed"):
            w[name][hidden] += rng.uniform(-1.0, 1.0, hidden.sum())
        for name in ("due", "launch", "wait", "out"):
            w[name][hidden] += rng.integers(1, 9, hidden.sum())
        w["exit"][hidden] = (w["exit"][hidden] + 1) % env.params.exits
        w["answer"] = (w["answer"] + 1) % env.params.exits
        env.batch.run(SENSE)
        for a, b in zip(before, env.batch.obs, strict=True):
            assert np.array_equal(a, b)
        w[:] = kept
        checked += hidden[w["phase"] == ACT].sum()
    assert checked > 50


@pytest.mark.parametrize("level", [1, 2, 3])
def test_until_a_ball_is_out_its_exit_changes_nothing(level: int) -> None:
    one, other = (make_vec("Tunnel", 400, level=level) for _ in range(2))
    one.reset(seed=7)
    other.reset(seed=7)
    rng, live = np.random.default_rng(1), np.ones(400, bool)
    moved = False
    for _ in range(60):
        if not moved and (one.world["phase"] == ACT).all():
            w = other.world
            rows, j = np.arange(400), w["target"]
            w["exit"][rows, j] = w["answer"] = (w["answer"] + 1) % other.params.exits
            moved = True
        actions = rng.integers(0, 4, 400)
        a, b = one.step(actions), other.step(actions)
        live &= ~(a[2] | b[2])
        assert np.array_equal(a[0][live], b[0][live]) and np.array_equal(a[1][live], b[1][live])
        if not live.any():
            break
    assert moved


@pytest.mark.parametrize("level", [1, 2, 3])
def test_every_ball_is_seen_at_rest_and_then_on_the_move_and_all_are_hidden_after(level: int) -> None:
    env = make_vec("Tunnel", 200, level=level)
    obs, _ = env.reset(seed=9)
    start, count, width = env.layout.discs
    rows = []
    while (env.world["phase"] == 0).all():
        rows.append(obs[:, start:].reshape(200, count, width).copy())
        obs = stay(env)[0]
    seen = np.stack(rows)
    shows, moves = seen[..., 0] > 0.5, np.abs(seen[..., 3:5]).max(-1) > 0
    # Where slots are sorted by distance, only its colour says which ball it is.
    colour = seen[..., 5:]
    assert ((shows & ~moves)[..., None] * colour).sum((0, 2)).min() >= 2
    assert ((shows & moves)[..., None] * colour).sum((0, 2)).min() >= 2
    assert (env.world["disc_cover"][:, :count] == 1).all()


def test_exits_and_times_are_independent() -> None:
    env = make_vec("Tunnel", 20_000, level=2)
    env.reset(seed=0)
    w = env.world
    left = w["due"][:, 0] - w["observe_steps"] - w["blackout_steps"]
    means = np.array([left[w["answer"] == k].mean() for k in range(4)])
    assert np.ptp(means) < 6 * left.std() / 5000**0.5
    slow = w["factor"][np.arange(20_000), w["answer"]] < 0.75
    assert abs(slow.mean() - 0.5) < 0.02
    assert left[slow].mean() == pytest.approx(left[~slow].mean(), abs=6 * left.std() / 10_000**0.5)
    # Neither the place of entry alone gives the exit away, nor the angle alone: both are needed.
    assert abs(np.corrcoef(w["start_x"][:, 0], w["answer"])[0, 1]) < 0.03
    assert abs(np.corrcoef(w["dir_x"][:, 0], w["answer"])[0, 1]) < 0.9


@pytest.mark.parametrize("split", ["train", "shift"])
@pytest.mark.parametrize("level", [0, 1, 2, 3])
def test_no_reset_fails(level: int, split: str) -> None:
    make_vec("Tunnel", 20_000, level=level, split=split).reset(seed=1)


@settings(max_examples=40, deadline=None)
@given(PARAMETERS, st.sampled_from(("train", "shift")), st.integers(0, 5), st.floats(0.3, 1.0))
def test_combinations_are_refused_or_can_be_played(overrides: dict, split: str, blackout: int, carpet: float) -> None:
    try:
        env = make_vec("Tunnel", 64, level=3, split=split, **(overrides | {"blackout": blackout, "carpet": carpet}))
    except BadParameter as error:
        message = str(error)
        assert "balls" in message or "fork" in message if crowded(overrides) else "m/s" in message
        return
    env.reset(seed=0)
    w, n = env.world, env.params.balls
    assert (w["speed"][:, :n] > 0).all() and (w["speed"][:, :n] <= 3.0 + 1e-9).all()
    assert (np.abs(w["disc_x"][:, :n]) < w["room_hx"][:, None]).all() and (
        w["disc_y"][:, :n] < w["agent_y"][:, None] - 0.2
    ).all()


def test_shift_is_out_of_the_training_range() -> None:
    train, shift = (make_vec("Tunnel", 4000, level=2, split=split) for split in ("train", "shift"))
    train.reset(seed=0)
    shift.reset(seed=0)
    assert shift.world["lead"].min() > train.world["lead"].max()
    assert shift.world["disc_radius"][0, 0] == pytest.approx(1.25 * train.world["disc_radius"][0, 0])
    for end in (np.min, np.max):
        assert end(shift.world["factor"][:, :4]) == pytest.approx(
            SHIFT_CARPET * end(train.world["factor"][:, :4]), abs=1e-3
        )


@pytest.mark.parametrize("level", resolve("Tunnel").levels)
def test_references_hold_under_shift(level: int) -> None:
    env = make_vec("Tunnel", 300, level=level, split="shift")
    assert play(env, "tracker", 0, 300).mean() >= 0.9
    assert play(env, "oracle", 0, 300).mean() >= 0.95


@pytest.mark.parametrize("level", [0, 1, 2, 3, "lever"])
def test_in_a_glass_tunnel_one_look_is_enough(level: int | str) -> None:
    twin = Tunnel.twin(level)
    assert twin == dataclasses.replace(Tunnel.at(level), glass=True)
    assert play(make_vec("Tunnel", 500, level=level, glass=True), "reflex", 0, 500).mean() >= 0.95


def test_level_0_is_the_twin_of_level_1() -> None:
    assert Tunnel.at(0) == Tunnel.twin(1)


@pytest.mark.slow
@pytest.mark.parametrize("level", [1, 2, 3])
def test_without_one_faculty_no_policy_beats_chance_by_more_than_declared(level: int) -> None:
    n = 1000
    env = make_vec("Tunnel", n, level=level, split="test")
    for faculty in Tunnel.faculties.values():
        if level in faculty.levels:
            for name in faculty.policies:
                limit = Tunnel.chance(env.params) + faculty.limit(level, name)
                assert play(env, name, 0, n).mean() <= limit + 3 * (limit * (1 - limit) / n) ** 0.5, name


def test_chance_is_a_bound_on_knowing_only_where_or_only_when() -> None:
    assert Tunnel.chance(Tunnel.at(2)) == Tunnel.chance(Tunnel.at(2, dict(slack=(0, 5)))) == 0.25
    assert Tunnel.chance(Tunnel.at(2, dict(slack=(0, 29)))) == pytest.approx(0.1)
    # Balls that come out in sight tell when the next one may come out.
    assert Tunnel.chance(Tunnel.at(3, dict(slack=(0, 29), chute=False))) == pytest.approx(0.2)


@pytest.mark.parametrize("level", [2, 3])
def test_neither_the_blackout_nor_the_speed_tells_about_the_other(level: int) -> None:
    env = make_vec("Tunnel", 20_000, level=level)
    env.reset(seed=0)
    w = env.world
    for name in ("due", "speed"):
        assert abs(np.corrcoef(w["blackout_steps"], w[name][:, 0])[0, 1]) < 0.03
    spread = env.params.slack[1] - env.params.slack[0] + 1
    assert (np.bincount(w["lead"] - w["lead"].min()) > 0.9 * 20_000 / spread).all()
    assert w["blackout_steps"].min() >= 16  # longer than the longest window that the audit tries


def test_at_level_3_balls_come_out_apart_and_enter_anywhere() -> None:
    env = make_vec("Tunnel", 20_000, level=3)
    env.reset(seed=0)
    w = env.world
    exits = np.sort(w["exit"][:, :4], axis=1)
    assert (np.diff(exits, axis=1) > 0).all()
    for j in range(4):
        assert np.bincount(w["exit"][:, j], minlength=5) == pytest.approx(4000, abs=250)
        assert abs(np.corrcoef(w["start_x"][:, j], w["exit"][:, j])[0, 1]) < 0.03
    assert (np.abs(w["start_x"][:, :4]) < env.params.wide - 0.2).all()
    assert len(np.unique(w["factor"][:, :5])) > 90_000


def test_at_level_3_only_a_caught_ball_shows() -> None:
    env = make_vec("Tunnel", 300, level=3)
    obs, _ = env.reset(seed=5)
    oracle, first = env.reference("oracle"), np.ones(300, bool)
    start, _, width = env.layout.discs
    ended, caught = np.zeros(300, bool), 0
    while not ended.all():
        obs, reward, terminated, _, _ = env.step(oracle.act(obs, first))
        first = np.zeros(300, bool)
        shown = obs[:, start::width].sum(1)
        acting = ~ended & (env.world["phase"] == ACT)
        assert np.array_equal(shown[acting], (env.world["touched"] >= 0)[acting].astype(float))
        caught += (reward[~ended & terminated] > 0).sum()
        ended |= terminated
    assert caught > 280


def test_a_lever_opens_the_gates_once_and_for_a_while() -> None:
    env = make_vec("Tunnel", 100, level="lever")
    env.reset(seed=2)
    p, w = env.params, env.world
    while (w["phase"] != ACT).any():
        assert (stay(env)[0][:, env.layout.signals][:, :4] == 0).all()
    w["agent_x"], w["agent_y"] = p.wide - 0.5, p.mouth - LEVER_AT
    shown = stay(env)[0][:, env.layout.signals][:, :4]
    assert (shown == 1).all()
    for step in range(1, p.lever + 2):
        obs, _, ended, _, _ = stay(env)
        if ended.any():
            break
        assert obs[:, env.layout.signals][:, :4] == pytest.approx(max(1 - step / (p.lever + 1), 0))
    assert step > 3


def test_the_lever_needs_a_plan() -> None:
    env = make_vec("Tunnel", 500, level="lever", split="test")
    assert play(env, "oracle", 0, 500).mean() >= 0.95
    assert play(env, "tracker", 0, 500).mean() >= 0.9
    assert play(env, "hasty", 0, 500).mean() <= 0.05
    assert play(env, "reflex", 0, 500).mean() <= 0.05


def drawn(spec: Spec) -> st.SearchStrategy:
    """Values of a parameter, over its whole range."""
    if spec.kind == "span":
        return st.tuples(*2 * [st.integers(int(spec.low), int(spec.high))]).map(lambda ends: tuple(sorted(ends)))
    if spec.kind == "choice":
        return st.sampled_from(spec.options)
    if spec.kind == "flag":
        return st.booleans()
    integer = spec.kind == "integer"
    return st.integers(int(spec.low), int(spec.high)) if integer else st.floats(spec.low, spec.high)


@settings(max_examples=60, deadline=None)
@given(
    st.fixed_dictionaries({}, optional={name: drawn(spec) for name, spec in TunnelParams.specs().items()}),
    st.sampled_from((1, 2, 3)),
    st.sampled_from(("train", "shift")),
)
def test_accepted_parameters_never_fail_a_reset_and_keep_to_the_horizon(
    overrides: dict, level: int, split: str
) -> None:
    try:
        env = make_vec("Tunnel", 64, level=level, split=split, **overrides)
    except BadParameter:
        return
    env.reset(seed=1)
    due = env.world["due"][np.arange(64), env.world["target"]]
    assert (due <= env.horizon).all() and (due > env.world["observe_steps"] + env.world["blackout_steps"]).all()


@pytest.mark.skipif(traces.canary() != OLD_CANARY, reason="made with another mathematics library")
@pytest.mark.parametrize(("key", "value"), OLD.items())
def test_version_0_is_as_it_was(key: str, value: str) -> None:
    level, obs, *rest = key.split("/")
    extra = {"reference": rest[0]} if rest == ["tracker"] else {"split": rest[0]} if rest else {}
    assert traces.trace("Unseen/Tunnel-v0", level=int(level), obs=obs, **extra) == value


@settings(max_examples=30, deadline=None)
@given(SEEDS, ROOMY, st.sampled_from(("train", "shift")), st.integers(0, 5))
def test_no_episode_outlasts_the_horizon(seed: int, overrides: dict, split: str, blackout: int) -> None:
    try:
        env = make_vec("Tunnel", 16, level=3, split=split, **(overrides | {"blackout": (blackout, blackout + 3)}))
    except BadParameter:
        return
    env.reset(seed=seed)
    steps, ended = 0, np.zeros(16, bool)
    while not ended.all():
        env.world["agent_x"], env.world["agent_y"] = 0.0, env.params.mouth - MAT  # on no plate
        ended |= stay(env)[2]
        steps += 1
    assert steps <= env.horizon


def test_metrics_come_at_the_end_and_only_then() -> None:
    env = make_vec("Tunnel", 200, level=1)
    obs, infos = env.reset(seed=4)
    oracle, count = env.reference("oracle"), 0
    assert infos == {}
    for _ in range(60):
        obs, reward, ended, _, infos = env.step(oracle.act(obs, np.zeros(200, bool)))
        assert (infos == {}) == (not ended.any())
        if ended.any():
            assert np.array_equal(infos["_is_success"], ended)
            assert np.array_equal(infos["is_success"], reward > 0)
        count += ended.sum()
    assert count > 200


def test_every_value_of_the_curves_can_be_played() -> None:
    for name, values in Tunnel.curves.items():
        for value in values:
            make("Tunnel", **{name: value}).reset(seed=0)


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        (dict(exits=7), "exits=7: must be an integer in 2..6"),
        (dict(exits=2.5), "exits=2.5"),
        (dict(balls=0), "balls=0: must be an integer in 1..4"),
        (dict(carpet=0.0), "carpet=0.0: must be a number in 0.3..1"),
        (dict(fork=float("nan")), "fork=nan"),
        (dict(patience=0), "patience=0"),
        (dict(slack=(5, 2)), "slack=(5, 2): must be an integer, or a pair (low, high)"),
        (dict(siding=1), "siding=1: must be True or False"),
        (dict(siding=True), "siding=True needs"),
        (dict(siding=True, balls=2, fork=0.0), "siding=True needs"),
        (dict(balls=5, exits=4), "balls=5: must be an integer in 1..4"),
        (dict(balls=3, exits=2), "balls=3: must be at most exits=2"),
        (dict(balls=2, fork=0.0), "fork=0.0: must be at least 0.3 with balls=2"),
        (dict(query="late"), "query='late' needs at least two balls"),
        (dict(carpet=0.3, lane=3.0, fork=2.0, blackout=0), "m/s"),
        (dict(room=3.0), "unexpected keyword argument 'room'"),
        (dict(act=9), "unexpected keyword argument 'act'"),
        (dict(entry="anywhere", fork=0.5), "fork=0.5: must be 0 or at least 1"),
        (dict(lever=5), "lever=5: must be at least"),
        (dict(fov=90.0), "fov=90.0: must be a number in 180..360"),
    ],
)
def test_bad_parameters_are_named_with_what_is_allowed(overrides: dict, says: str) -> None:
    with pytest.raises(BadParameter, match=says.replace("(", r"\(").replace(")", r"\)").replace("..", r"\.\.")):
        make("Tunnel", **overrides)
