"""Ramps' own rules: what a release does, what a reset certifies, and what stays hidden. The field is read off the boxes
in the record, so that nothing here leans on the masks that the simulator and its search work with."""

import math
from collections import deque

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.envs.errors import BadParameter
from unseen.envs.suite import make, make_vec
from unseen.train.audit.subject import play

WAYS = ((1, 0), (0, 1), (-1, 0), (0, -1))
TURN, POWER, RELEASE, STAY = 4, 5, 6, 7
LAUNCHER, PILLAR, SCREEN, DEFLECTOR = range(4)
MODES = ("slots", "rays", "pixels")
FRICTION, DT = 4.0, 0.25
LEVELS = (0, 1, 2, 3)


def cell_of(s, x, y) -> tuple[int, int]:
    """The launcher's rail is column -1."""
    return int((x + s["room_hx"]) // s["cell_size"]) - 1, int((y + s["room_hy"]) // s["cell_size"])


def middle(s, cell) -> np.ndarray:
    return np.array([(cell[0] + 1.5) * s["cell_size"] - s["room_hx"], (cell[1] + 0.5) * s["cell_size"] - s["room_hy"]])


def covered(s, k) -> set[tuple[int, int]]:
    low = cell_of(s, s["box_x"][k] - s["box_hx"][k] + 0.05, s["box_y"][k] - s["box_hy"][k] + 0.05)
    high = cell_of(s, s["box_x"][k] + s["box_hx"][k] - 0.05, s["box_y"][k] + s["box_hy"][k] - 0.05)
    return {(x, y) for x in range(low[0], high[0] + 1) for y in range(low[1], high[1] + 1)}


def field(s) -> set[tuple[int, int]]:
    """The open cells."""
    nx, ny = round(2 * s["room_hx"] / s["cell_size"]) - 1, round(2 * s["room_hy"] / s["cell_size"])
    solid = [covered(s, k) for k in range(s["n_boxes"]) if s["box_kind"][k] in (PILLAR, SCREEN)]
    return {(x, y) for x in range(nx) for y in range(ny)} - set().union(*solid)


def deflectors(s) -> dict[tuple[int, int], str]:
    """In the order of the record."""
    return {
        cell_of(s, s["box_x"][k], s["box_y"][k]): "/" if s["box_cos"][k] * s["box_sin"][k] > 0 else "\\"
        for k in range(s["n_boxes"])
        if s["box_kind"][k] == DEFLECTOR
    }


def block_of(s) -> tuple[int, int]:
    return cell_of(s, s["disc_x"][1], s["disc_y"][1])


def rolled(s, p, row, power):
    """A roll once more, on sets of cells: (outcome, metres, where the ball ends)."""
    open_, at, mirrors, cell = field(s), block_of(s), deflectors(s), s["cell_size"]
    run, place, way, gone = power * p["cells_per_power"] * cell, (-1, row), (1, 0), 0.0
    while True:
        to = place[0] + way[0], place[1] + way[1]
        room = cell - 0.22 if to == at else cell if to in open_ else cell / 2 - 0.1
        if run - gone < room:
            return "short", run, middle(s, place) + (run - gone) * np.array(way)
        if to == at or to not in open_:
            end = middle(s, place) + room * np.array(way)
            left = run - gone - room
            return ("wall" if to != at else "rest" if left < p["cells_per_power"] * cell else "knock"), gone + room, end
        gone, place = gone + cell, to
        if place in mirrors:
            way = (way[1], way[0]) if mirrors[place] == "/" else (-way[1], -way[0])


def at_work(level: int, n: int, seed: int = 0, **parameters):
    """A batch whose act phase has come: no blackout, and the observe phase is over."""
    env = make_vec("Ramps", n, level=level, blackout=0, **parameters)
    env.reset(seed=seed)
    for _ in range(6):
        env.step(np.full(n, STAY))
    assert (env.world["phase"] == 2).all()
    return env


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.lists(st.integers(0, 5), max_size=40))
def test_a_release_does_what_the_rules_say_and_gains_no_energy(seed: int, actions: list[int]) -> None:
    env = at_work(3, 1, seed, releases=2)
    for action in actions:
        env.step(np.array([action]))
    s, p = env.world[0].copy(), env.batch.param_record[0]
    row = cell_of(s, s["agent_x"], s["agent_y"])[1]
    outcome, metres, end = rolled(s, p, row, s["power"])
    v = math.sqrt(2 * FRICTION * s["power"] * p["cells_per_power"] * s["cell_size"])
    fastest = v
    for t in range(1, 20):
        _, reward, over, _, _ = env.step(np.array([RELEASE if t == 1 else t % 8]))
        now = env.world[0]
        ball, block = (math.hypot(now["disc_vx"][k], now["disc_vy"][k]) for k in (0, 1))
        assert now["touched"] == 0 and ball <= fastest + 1e-9
        if ball > 0:  # no deflector on the way has cost any speed
            assert ball == pytest.approx(v - FRICTION * t * DT) and not now["bump"] and not reward[0]
        fastest = ball
        if now["rolling"] < 0:
            break
    assert np.allclose([now["disc_x"][0], now["disc_y"][0]], end) and reward[0] == (outcome == "rest") == over[0]
    assert t == math.ceil(v / FRICTION / DT) or outcome in ("rest", "wall")
    away = math.dist((now["disc_x"][1], now["disc_y"][1]), middle(s, block_of(s)))
    assert (
        away < 1e-6
        if outcome != "knock"
        else away <= s["power"] * p["cells_per_power"] * s["cell_size"] - metres + 1e-6
    )


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.lists(st.sampled_from([0, 1, 2, 3, 4, 4, 4, 5, 7]), min_size=1, max_size=50))
def test_building_is_walking_and_turning_and_nothing_else(seed: int, actions: list[int]) -> None:
    env = at_work(2, 1, seed)
    s, most = env.world[0], env.params.deflectors
    open_, block, want, power = field(s), block_of(s), {}, s["power"]
    here = cell_of(s, s["agent_x"], s["agent_y"])
    for action in actions:
        env.step(np.array([action]))
        if action < 4 and (here[0] + WAYS[action][0], here[1] + WAYS[action][1]) in open_:
            here = here[0] + WAYS[action][0], here[1] + WAYS[action][1]
        if action == TURN and here not in want and len(want) < most:
            want[here] = "/"
        elif action == TURN and want.get(here) == "/":
            want[here] = "\\"
        elif action == TURN and here in want:
            del want[here]
        power = power % env.params.powers + 1 if action == POWER else power
        assert cell_of(s, s["agent_x"], s["agent_y"]) == here and deflectors(s) == want and s["power"] == power
        assert cell_of(s, s["box_x"][0], s["box_y"][0]) == (-1, here[1])
        assert block_of(s) == block and s["touched"] == -1 and not s["bump"]
        assert s["signal"][:3] == pytest.approx([power / env.params.powers, (most - len(want)) / most, 1])
        assert not s["box_x"][s["n_boxes"] :].any()


@pytest.mark.parametrize("level", LEVELS)
def test_the_certified_plan_solves_the_task_within_its_steps(level: int) -> None:
    n = 200
    env = at_work(level, n)
    oracle, first, won = env.reference("oracle"), np.zeros(n, bool), np.zeros(n, int)
    steps, last, needed = env.world["plan_steps"].copy(), env.world["plan_steps"].max(), env.world["bends"].copy()
    oracle.act(None, first)  # it plans
    run = oracle.memory["power"] * env.params.cells_per_power * env.world["cell_size"]
    longest = np.ceil(np.sqrt(2 * run / FRICTION) / DT)
    placed = np.zeros(n, int)
    for t in range(last):
        still = won == 0
        _, reward, over, _, infos = env.step(oracle.act(None, first))
        placed = np.where(still & ~over, [len(deflectors(s)) for s in env.world], placed)
        won[still & (reward == 1)] = t + 1
        assert (over == (reward == 1))[still].all()
        if (still & over).any():  # what the plan was is told at the end
            assert (infos["plan_steps"][still & over] == steps[still & over]).all()
    # The ball is at rest against the block before the time in which its run would have ended, or just then.
    assert (won > 0).all() and (won <= steps).all() and (steps - won < longest).all()
    assert (placed == needed).all()


def fewest_bends(s, block) -> int | None:
    """0-1 breadth-first over (cell, heading)."""
    open_ = field(s)
    queue = deque((0, (-1, y), (1, 0)) for y in range(round(2 * s["room_hy"] / s["cell_size"])))
    known = set()
    while queue:
        bends, place, way = queue.popleft()
        if place == block:
            return bends
        if (place, way) in known:
            continue
        known.add((place, way))
        if place[0] >= 0:
            queue.extend((bends + 1, place, turned) for turned in ((way[1], way[0]), (-way[1], -way[0])))
        to = place[0] + way[0], place[1] + way[1]
        if to in open_:
            queue.appendleft((bends, to, way))
    return None


def behind_the_screen(s) -> set[tuple[int, int]]:
    bars = set().union(*[covered(s, k) for k in range(s["n_boxes"]) if s["box_kind"][k] == SCREEN])
    return {(x, y) for x, y in field(s) if any((k, y) in bars for k in range(x))}


@pytest.mark.parametrize("level", LEVELS)
def test_no_way_to_the_block_has_fewer_bends_and_the_field_leaves_in_doubt_where_it_is(level: int) -> None:
    env = at_work(level, 40)
    for s in env.world:
        assert fewest_bends(s, block_of(s)) == s["bends"]
        cells = field(s) if s["bends"] == 0 else behind_the_screen(s)
        assert block_of(s) in cells
        if level > 1:
            others = sum(fewest_bends(s, cell) == s["bends"] for cell in cells)
            assert others >= env.params.candidates


def test_exactly_one_power_fits_a_way() -> None:
    n = 60
    for level in (0, 2, 3):
        env = at_work(level, n, act=200)
        oracle, first = env.reference("oracle"), np.zeros(n, bool)
        for _ in range(60):  # build all; nobody releases
            actions = oracle.act(None, first)
            env.step(np.where(actions == RELEASE, STAY, actions))
        assert (oracle.act(None, first) == RELEASE).all()
        fits, built = oracle.memory["power"].copy(), env.snapshot()
        for s, fit in zip(env.world, fits, strict=True):
            row = cell_of(s, s["agent_x"], s["agent_y"])[1]
            ends = [rolled(s, env.batch.param_record[0], row, k + 1)[0] for k in range(env.params.powers)]
            assert ends.count("rest") == 1 and ends[fit - 1] == "rest"
            assert set(ends[: fit - 1]) <= {"short"} and set(ends[fit:]) <= {"knock"}
        for power in range(1, env.params.powers + 1):  # and so it is with real releases
            env.restore(built)
            env.world["power"] = power
            won, over = np.zeros(n, bool), np.zeros(n, bool)
            for _ in range(16):
                _, reward, ended, _, _ = env.step(np.full(n, RELEASE))
                won |= ~over & (reward == 1)
                over |= ended
            assert over.all() and (won == (fits == power)).all()


def test_one_deflector_is_enough_at_level_1_only_and_the_references_do_not_need_to_see_the_block() -> None:
    for level, low, high in ((0, 0.95, 1.0), (1, 0.95, 1.0), (2, 0.0, 0.1), (3, 0.0, 0.02)):
        env = make_vec("Ramps", 400, level=level, split="test", glass=True)
        assert low <= play(env, "one-deflector", 0, 400).mean() <= high
        assert play(env, "reflex", 0, 400).mean() == 1.0
    for frame in ("room", "ego"):
        for split in ("train", "shift"):
            for level in (1, 3):
                env = make_vec("Ramps", 100, level=level, split=split, frame=frame)
                assert play(env, "oracle", 0, 100).mean() == 1.0
                assert play(env, "tracker", 0, 100).mean() == 1.0


def test_greedy_never_succeeds_where_a_trap_is_certified() -> None:
    env = make_vec("Unseen/Ramps-v0", 400, level=2, glass=True)
    env.reset(seed=0)
    trap, bends = env.world["trap"].copy() == 1, env.world["bends"].copy()
    score = play(env, "reflex", 0, 400)
    assert 100 < trap.sum() and not score[trap].any()
    assert score[bends == 0].all() and score[(bends == 1) & ~trap].any() and not score[bends == 2].any()


@pytest.mark.parametrize(("level", "name", "most"), [
    (1, "straight", 0.13), (1, "random-build", 0.1), (2, "straight", 0.06), (2, "one-deflector", 0.06),
    (3, "one-deflector", 0.02), (3, "stepwise", 0.3), (3, "tracker-16", 0.02), (2, "tracker-16", 0.05),
    ("from-memory", "stepwise", 0.2),
])  # fmt: skip
def test_who_lacks_a_faculty_fails(level: int | str, name: str, most: float) -> None:
    assert play(make_vec("Ramps", 400, level=level, split="test"), name, 0, 400).mean() <= most


def test_level_0_is_the_visible_twin_of_level_1() -> None:
    task = make("Ramps").task
    assert task.levels[0] == task.twin(1)


def canonical(s) -> tuple:
    """Field and block, the same for a field and its mirror image."""
    kinds = {k: set() for k in (PILLAR, SCREEN)}
    for k in range(s["n_boxes"]):
        if s["box_kind"][k] in kinds:
            kinds[s["box_kind"][k]] |= covered(s, k)
    n = round(2 * s["room_hy"] / s["cell_size"])
    goal = int(s["goal"]).bit_length() - 1
    cells = [*kinds.values(), {(goal % 8, goal // 8)}]
    return min(
        tuple(tuple(sorted((x, n - 1 - y if flip else y) for x, y in part)) for part in cells) for flip in (0, 1)
    )


@pytest.mark.parametrize("level", [1, 2])
def test_no_field_is_in_two_splits(level: int) -> None:
    drawn = {}
    for split in ("train", "test"):
        env = make_vec("Ramps", 6_000, level=level, split=split, copy=False)
        env.reset(seed=0)
        drawn[split] = {canonical(s) for s in env.world}
    assert not drawn["train"] & drawn["test"]
    assert len(drawn["train"]) > 3_000


@pytest.mark.parametrize("split", ["train", "shift"])
def test_the_parity_of_the_row_is_drawn_before_the_field(split: str) -> None:
    for level in (1, 2):
        env = make_vec("Ramps", 4_000, level=level, split=split, copy=False)
        env.reset(seed=0)
        odd, tries = env.batch.hidden(), env.world["tries"]
        assert (odd == env.world["odd"]).all() and abs(odd.mean() - 0.5) < 0.03
        assert abs(np.log(tries[odd == 1]).mean() - np.log(tries[odd == 0]).mean()) < 0.25


def test_the_oracle_builds_its_plan_from_any_blueprint() -> None:
    n = 100
    env = at_work(3, n, act=200)
    rng, oracle, first = np.random.default_rng(0), env.reference("oracle"), np.zeros(n, bool)
    for _ in range(60):
        env.step(rng.choice([0, 1, 2, 3, 4, 4, 5], n))
    assert np.mean([len(deflectors(s)) for s in env.world]) > 2
    won = np.zeros(n, bool)
    for _ in range(100):
        _, reward, *_ = env.step(oracle.act(None, first))
        won |= reward == 1
    assert won.all()


@pytest.mark.parametrize("level", [1, 2, 3])
def test_the_block_is_seen_at_rest_and_then_not_any_more(level: int) -> None:
    n = 200
    env = make_vec("Ramps", n, level=level)
    obs, _ = env.reset(seed=0)
    start, _, width = env.layout.discs
    block = start + width
    assert (obs[:, block] == 1).all() and (np.abs(obs[:, block + 3 : block + 5]).sum(1) > 0).all()
    last = obs
    for _ in range(5):
        last, *_ = env.step(np.full(n, RELEASE))  # nothing has an effect yet
    assert (last[:, block] == 1).all() and (last[:, block + 3 : block + 5] == 0).all()
    for s, row in zip(env.world, last, strict=True):
        assert cell_of(s, *(row[block + 1 : block + 3] * env.params.room)) == block_of(s)
        if s["bends"] > 0:  # behind the screen: it stands between the block and the launcher's rail
            assert block_of(s) in behind_the_screen(s)
    for _ in range(1 + env.params.blackout[1]):
        obs, *_ = env.step(np.full(n, STAY))
    assert (env.world["phase"] == 2).all() and (obs[:, start:] == 0).all()


def test_a_hidden_block_changes_no_observation_wherever_the_builder_goes() -> None:
    n = 40
    one, other = (at_work(2, n, obs="dict") for _ in range(2))
    for s in other.world:
        x, y = sorted(field(s) - {block_of(s)})[7]
        s["disc_x"][1], s["disc_y"][1] = middle(s, (x, y))
        s["goal"] = 1 << (8 * y + x)
        for name in ("plan_steps", "bends", "trap"):
            s[name] = 0
    rng, met = np.random.default_rng(0), 0
    for _ in range(40):
        before, after = one.observe(), other.observe()
        assert all(np.array_equal(before[mode], after[mode]) for mode in MODES)
        met += sum(block_of(s) == cell_of(s, s["agent_x"], s["agent_y"]) for s in one.world)
        actions = rng.choice([0, 1, 2, 3, 4, 5, 7], n)
        for env in (one, other):
            _, reward, over, _, _ = env.step(actions)
            assert not reward.any() and not over.any()
    assert met > 10  # some have walked over the block's cell
    one.world["light"] = other.world["light"] = 4  # with the lights on it shows: the comparison above can fail
    assert not np.array_equal(one.observe()["slots"], other.observe()["slots"])


def test_a_miss_puts_all_back_and_the_last_release_ends_the_episode() -> None:
    n = 200
    env = at_work(1, n, releases=3, act=60, easy=1.0)
    start = env.world.copy()
    released, alive = np.zeros(n, int), np.ones(n, bool)
    for _ in range(50):
        ready = alive & (env.world["rolling"] <= 0)
        released += ready
        obs, reward, over, _, _ = env.step(np.full(n, RELEASE))
        lost = alive & over & (reward == 0)
        assert (released[lost] == 3).all() and (env.world["releases_left"] == 3 - released)[alive].all()
        rests = alive & ~over & (env.world["rolling"] < 0)
        alive &= ~over
        if rests.any():  # one step on they are back in their places, and nothing shows
            kept = env.batch.snapshot()
            obs, *_ = env.step(np.full(n, STAY))
            for name in ("disc_x", "disc_y"):
                assert np.allclose(env.world[name][rests], start[name][rests])
            assert (obs[rests, env.layout.discs[0] :] == 0).all()
            env.batch.restore(kept)
    assert not alive.any() and set(released) == {1, 3}


@pytest.mark.parametrize("obs", ["dict", "state"])
def test_every_observation_lies_in_its_space(obs: str) -> None:
    for split in ("train", "shift"):
        env = make_vec("Ramps", 8, level=3, obs=obs, split=split, releases=4)
        rows, _ = env.reset(seed=0)
        for _ in range(60):
            assert env.observation_space.contains(rows)
            rows, *_ = env.step(env.action_space.sample())


def test_a_continuous_action_is_its_largest_part() -> None:
    kinds = ("discrete", "continuous")
    plain, rows = (make("Ramps", level=3, blackout=0, act=100, releases=4, action=kind) for kind in kinds)
    plain.reset(seed=5)
    rows.reset(seed=5)
    pairs = (
        (0, (0.9, 0.2, 0, 0, 0)), (1, (-0.6, 0.7, 0.1, 0, 0)), (2, (-1, 1, 1, 1, 1)), (3, (0, -0.51, 0, 0, 0)),
        (TURN, (0.5, 0, 0.6, 0, 0)), (POWER, (0, 0, 0.7, 0.8, 0)), (STAY, (0.5, -0.5, 0.5, -0.5, 0.5)),
        (STAY, (0, 0, 0, 0, -1)), (RELEASE, (0, 0, 0, 0, 0.6)),
    )  # fmt: skip
    for action, row in ((STAY, (1.0, 1.0, 1.0, 1.0, 1.0)),) * 6 + pairs * 4:
        a, b = plain.step(action), rows.step(np.array(row, np.float32))
        assert np.array_equal(a[0], b[0]) and a[1:4] == b[1:4]
        if a[2]:
            break


def test_turn_and_power_go_the_other_way_round_below_zero() -> None:
    n = 20
    env = make_vec("Ramps", n, level=2, blackout=0, action="continuous")
    env.reset(seed=0)
    for _ in range(6):
        env.step(np.zeros((n, 5)))
    before = env.world["power"].copy()
    for way in ("\\", "/", ""):
        env.step(np.tile([0.0, 0, -1, 0, 0], (n, 1)))
        assert all("".join(deflectors(s).values()) == way for s in env.world)
    env.step(np.tile([0.0, 0, 0, -1, 0], (n, 1)))
    assert (env.world["power"] == np.where(before == 1, env.params.powers, before - 1)).all()


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        (dict(cells=8), "5..7"), (dict(cells=5.5), "integer"), (dict(screen=5), "0..4"), (dict(pillars=11), "0..10"),
        (dict(bends=(0, 4)), "0..3"), (dict(bends=(2, 1)), "low <= high"), (dict(deflectors=4), "0..3"),
        (dict(powers=0), "1..6"), (dict(cells_per_power=6), "1..5"), (dict(releases=0), "1..4"), (dict(releases=5), "1..4"),
        (dict(trap=1.5), "0..1"), (dict(room=1.0), "1.8..3"), (dict(order="distance"), "colour"),
        (dict(screen=4, cells=5), "cells - 2 = 3"), (dict(deflectors=1), "at least 3"),
        (dict(bends=2, pillars=1), "= 1"), (dict(pillars=3), "at least 4"),
        (dict(act=20), "at least 52"), (dict(screen=1), "candidates=5"), (dict(candidates=7), "1..6"),
        (dict(screen=0, pillars=0, trap=0.0), "nothing is in the way"),
        (dict(bends=0, trap=0.75), "trap=0.75"), (dict(bends=1, pillars=0, trap=0.75), "trap=0.75"),
        (dict(even_odds=False), "easy=0.03"), (dict(panel=1), "bends is 3"), (dict(powers=1, cells_per_power=1), "longest"),
        (dict(glass=1), "True"), (dict(pillar=2), "pillars"), (dict(reach=3), "'cells_per_power'"), (dict(doubt=3), "'candidates'"),
    ],
)  # fmt: skip
def test_bad_parameters_are_named_with_what_is_allowed(parameters: dict, told: str) -> None:
    with pytest.raises(BadParameter, match="|".join(parameters)) as caught:
        make("Ramps", **parameters)
    assert told in str(caught.value)


def test_resets_never_fail_and_bends_and_traps_keep_their_shares() -> None:
    for level in LEVELS:
        env = make_vec("Ramps", 20_000 if level < 3 else 5_000, level=level, copy=False)
        env.reset(seed=0)
        low, high = env.params.bends
        share = np.bincount(env.world["bends"], minlength=4) / env.num_envs
        assert np.allclose(share[low : high + 1], (1 - env.params.easy) / (high - low + 1), atol=0.015)
        assert abs(share[0] - env.params.easy) < 0.01
        if env.params.trap > 0:
            assert abs(env.world["trap"][env.world["bends"] > 0].mean() - env.params.trap) < 0.02
        shifted = make_vec("Ramps", 2_000, level=level, split="shift", copy=False)
        shifted.reset(seed=0)
        assert len(set(shifted.world["room_hy"]) | set(env.world["room_hy"])) == 2


def test_every_point_of_the_curves_can_be_drawn() -> None:
    task = make("Ramps").task
    for name, points in task.curves.items():
        for point in points:
            make_vec("Ramps", 100, **{name: point}).reset(seed=0)
    make_vec("Unseen/Ramps-v0", 100, bends=3, pillars=4, trap=1.0).reset(seed=0)


def test_a_record_keeps_nothing_of_the_episodes_before() -> None:
    used, new = (make_vec("Ramps", 40, level=3) for _ in range(2))
    for seed in (1, 2):
        used.reset(seed=seed)
        for _ in range(30):
            used.step(used.action_space.sample())
    used.reset(seed=5)
    new.reset(seed=5)
    assert used.snapshot() == new.snapshot()


@pytest.mark.parametrize("split", ["train", "shift"])
def test_accepted_parameters_can_be_drawn_and_end_by_their_horizon(split: str) -> None:
    rng, made = np.random.default_rng(0), 0
    while made < 25:
        low, high = sorted(rng.integers(0, 4, 2).tolist())
        drawn = dict(
            cells=int(rng.integers(5, 8)), screen=int(rng.integers(2, 5)), pillars=int(rng.integers(0, 11)),
            bends=(low, high), cells_per_power=int(rng.integers(1, 6)), candidates=int(rng.integers(1, 5)), trap=0.0,
            act=int(rng.integers(4, 100)), blackout=int(rng.integers(0, 30)), easy=0.0,
            even_odds=bool(rng.integers(2)),
        )  # fmt: skip
        try:
            env = make_vec("Ramps", 8, level=2, split=split, **drawn)
        except BadParameter:
            continue
        made += 1
        env.reset(seed=0)
        for t in range(1, env.horizon + 1):
            _, _, terminated, truncated, _ = env.step(np.full(8, STAY))
            assert not terminated.any() and truncated.all() == truncated.any() == (t == env.horizon)
        assert truncated.all()


@pytest.mark.parametrize(("level", "most"), [(1, 12), (2, 70), (3, 70)])
def test_a_reset_needs_few_tries(level: int, most: int) -> None:
    env = make_vec("Ramps", 500, level=level)
    env.reset(seed=0)
    assert env.world["tries"].mean() < most
