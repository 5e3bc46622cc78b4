"""Unblock's own rules: what a push does, what a reset certifies, and what stays hidden. The grid is read off the
boxes in the record, so that nothing here leans on the masks that the simulator and its search work with."""

from collections import deque

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.envs.core.device import host
from unseen.envs.errors import BadParameter
from unseen.envs.grid.cells import reachable, sideways, transposed, upside_down
from unseen.envs.planar.sight import exposed
from unseen.envs.planning.unblock.crates import greedy_direction
from unseen.envs.planning.unblock.pushers import ODDS, STYLES, chance_of, choices, limit_of, opening
from unseen.envs.planning.unblock.pushes import ANYWHERE, TREE, search_pushes
from unseen.envs.planning.unblock.pushes import pushed as after_push
from unseen.envs.suite import make, make_vec
from unseen.train.audit.subject import play

exposed, greedy_direction = map(host, (exposed, greedy_direction))
chance_of, choices, opening, limit_of = map(host, (chance_of, choices, opening, limit_of))
search_pushes = host(search_pushes)
after_push, reachable, sideways, transposed, upside_down = map(
    host, (after_push, reachable, sideways, transposed, upside_down)
)

OLD = "Unseen/Unblock-v0"
WAYS = ((1, 0), (0, 1), (-1, 0), (0, -1))
STAY = 4
MODES = ("slots", "rays", "pixels")


def cell_of(s, x, y) -> tuple[int, int]:
    return int((x + s["room_hx"]) // s["cell_size"]), int((y + s["room_hy"]) // s["cell_size"])


def boxes(s, kind: int) -> list[set[tuple[int, int]]]:
    """The cells of every box of a kind, in the order of the record."""
    out = []
    for k in range(s["n_boxes"]):
        if s["box_kind"][k] == kind:
            low = cell_of(s, s["box_x"][k] - s["box_hx"][k] + 0.1, s["box_y"][k] - s["box_hy"][k] + 0.1)
            high = cell_of(s, s["box_x"][k] + s["box_hx"][k] - 0.1, s["box_y"][k] + s["box_hy"][k] - 0.1)
            out.append({(x, y) for x in range(low[0], high[0] + 1) for y in range(low[1], high[1] + 1)})
    return out


def grid(s):
    """(open cells, crates in order, agent, block) of a record."""
    n = round(2 * s["room_hx"] / s["cell_size"])
    walls = set().union(*boxes(s, 1))
    floor = {(x, y) for x in range(n) for y in range(n)} - walls
    crates = [next(iter(b)) for b in boxes(s, 0)]
    return floor, crates, cell_of(s, s["agent_x"], s["agent_y"]), cell_of(s, s["disc_x"][0], s["disc_y"][0])


def pushed(floor, crates, agent, way):
    """Sokoban's rule once more, on sets of cells."""
    to = agent[0] + way[0], agent[1] + way[1]
    if to not in floor:
        return agent, crates
    if to in crates:
        beyond = to[0] + way[0], to[1] + way[1]
        if beyond not in floor or beyond in crates:
            return agent, crates
        crates = (crates - {to}) | {beyond}
    return to, crates


def shortest(floor, crates, agent, block) -> int | None:
    """Breadth-first over (agent, crates); None where there is no plan."""
    start = (agent, frozenset(crates))
    far, queue = {start: 0}, deque([start])
    while queue:
        state = queue.popleft()
        if state[0] == block:
            return far[state]
        for way in WAYS:
            after = pushed(floor, state[1], state[0], way)
            if after not in far:
                far[after] = far[state] + 1
                queue.append(after)
    return None


def fewest(floor, crates, agent, block, most: int, pulls: bool = False) -> int | None:
    """The fewest pushes (and pulls) that lead to the block, at most `most`; None where there is no such plan."""

    def walk(crates, agent):
        near, queue = {agent}, deque([agent])
        while queue:
            x, y = queue.popleft()
            for dx, dy in WAYS:
                to = (x + dx, y + dy)
                if to in floor and to not in crates and to not in near:
                    near.add(to)
                    queue.append(to)
        return frozenset(near)

    now = {(frozenset(crates), walk(crates, agent))}
    known = set(now)
    for n in range(most + 1):
        if any(block in near for _, near in now):
            return n
        after = set()
        for crates, near in now:
            for x, y in near:
                for dx, dy in WAYS:
                    crate, beyond, back = (x + dx, y + dy), (x + 2 * dx, y + 2 * dy), (x - dx, y - dy)
                    if crate not in crates:
                        continue
                    if beyond in floor and beyond not in crates:
                        moved = crates - {crate} | {beyond}
                        after.add((moved, walk(moved, crate)))
                    if pulls and back in near:
                        moved = crates - {crate} | {(x, y)}
                        after.add((moved, walk(moved, back)))
        now = after - known
        known |= now
    return None


def cells_of_mask(mask: int) -> set[tuple[int, int]]:
    return {(i % 8, i // 8) for i in range(64) if int(mask) >> i & 1}


def at_work(level: int | str, n: int, seed: int = 0, name: str = "Unblock", **parameters):
    """A batch whose act phase has come: no blackout, and the observe phase is over."""
    env = make_vec(name, n, level=level, blackout=0, **parameters)
    env.reset(seed=seed)
    for _ in range(6):
        env.step(np.full(n, STAY))
    assert (env.world["phase"] == 2).all()
    return env


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.lists(st.integers(0, 4), min_size=1, max_size=40))
def test_a_step_moves_at_most_one_crate_by_one_cell_and_nothing_overlaps(seed: int, actions: list[int]) -> None:
    env = at_work(3, 1, seed)
    for action in actions:
        floor, crates, agent, block = grid(env.world[0])
        left = int(env.world["strength"][0])
        _, reward, over, _, _ = env.step(np.array([action]))
        if over[0]:
            break
        _, after, now, _ = grid(env.world[0])
        want = (agent, set(crates)) if action == STAY else pushed(floor, set(crates), agent, WAYS[action])
        if left == 0 and want[1] != set(crates):
            want = agent, set(crates)  # no strength to push
        assert env.world["strength"][0] == left - (want[1] != set(crates))
        assert (now, set(after)) == want
        assert len(set(after)) == len(crates) and set(after) <= floor and now in floor - set(after)
        assert sum(a != b for a, b in zip(crates, after, strict=True)) <= 1  # crates keep their slots
        assert env.world["disc_cover"][0, 0] == (block in after)


@pytest.mark.parametrize("level", [0, 1, 2, 3])
def test_the_certified_plan_solves_the_task_in_exactly_its_steps(level: int) -> None:
    n = 200
    env = at_work(level, n)
    length, oracle, first = env.world["plan_steps"].copy(), env.reference("oracle"), np.zeros(n, bool)
    low, high = env.params.plan
    assert (length >= low).all() and (length <= high).all()
    won = np.full(n, -1)
    for t in range(length.max()):
        _, reward, over, _, infos = env.step(np.where(won < 0, oracle.act(None, first), STAY))
        ends = (won < 0) & (reward == 1)
        won[ends] = t + 1
        assert (over == (reward == 1))[won < 0].all()
        if ends.any():  # the length is told at the end, and at no other step
            assert (infos["plan_steps"][ends] == length[ends]).all() and infos["_plan_steps"][ends].all()
        assert not infos or (infos["_plan_steps"] == over).all()
    assert (won == length).all()


@pytest.mark.parametrize(("level", "n"), [(1, 60), (2, 60), (3, 6)])
def test_no_plan_of_the_old_version_is_shorter_than_the_certified_one(level: int, n: int) -> None:
    for s in at_work(level, n, name=OLD).world:
        assert shortest(*grid(s)) == s["plan_steps"]


@pytest.mark.parametrize(("level", "n"), [(1, 20), (2, 10), (3, 6), ("hidden-goal", 10)])
def test_the_strength_is_the_fewest_pushes_and_pulls_would_save_some(level: int | str, n: int) -> None:
    env = at_work(level, n)
    low, high = env.params.pushes
    for s in env.world:
        assert s["strength"] == s["pushes"] == fewest(*grid(s), most=high) and low <= s["pushes"] <= high
        assert not env.params.final or fewest(*grid(s), most=int(s["pushes"]) - 1, pulls=True) is not None


@pytest.mark.parametrize(("level", "n"), [(2, 60), (3, 10)])
def test_where_greedy_jams_nothing_can_be_done(level: int, n: int) -> None:
    env = at_work(level, n, name=OLD, trap=1.0, glass=True)
    reflex, first = env.reference("reflex"), np.zeros(n, bool)
    start = env.world.copy()
    obs = env.observe()
    for _ in range(int(env.params.act) - 1):
        obs, reward, *_ = env.step(reflex.act(obs, first))
        assert not reward.any()
    for s in env.world:
        floor, crates, agent, block = grid(s)
        assert shortest(floor, crates, agent, block) is None
        assert set(crates) == cells_of_mask(s["jam_crates"])
    for s in start:  # and yet any of the crates, alone, would not have stopped it
        floor, crates, _, _ = grid(s)
        for lone in crates:
            here, there = int(s["here"]), 1 << (8 * lone[1] + lone[0])
            for _ in range(50):
                way = greedy_direction(int(s["free"]), there, here, int(s["goal"]))
                agent, left = pushed(floor, cells_of_mask(there), cells_of_mask(here).pop(), WAYS[way])
                here, there = 1 << (8 * agent[1] + agent[0]), sum(1 << (8 * y + x) for x, y in left)
                if here == s["goal"]:
                    break
            assert here == s["goal"]


def test_greedy_of_the_old_version_falls_short_where_the_block_is_in_sight() -> None:
    for level, low, high in ((0, 0.95, 1.0), (1, 0.95, 1.0), (2, 0.1, 0.5), (3, 0.0, 0.5)):
        env = make_vec(OLD, 400, level=level, split="test", glass=True)
        assert low <= play(env, "reflex", 0, 400).mean() <= high


@pytest.mark.parametrize("level", [1, 2, 3])
def test_players_that_do_not_plan_fail_and_one_that_sees_all_does_not(level: int) -> None:
    n = 400
    env = make_vec("Unblock", n, level=level, split="test")
    chance = play(env, "random", 0, n).mean()
    for name, faculty in env.task.faculties.items():
        if level in faculty.levels:
            for player in faculty.policies:
                assert play(env, player, 0, n).mean() <= chance + faculty.limit(level, player) + 0.04, (name, player)
    twin = make_vec("Unblock", n, level=level, split="test", **env.task.visible)
    assert play(twin, "reflex", 0, n).mean() == 1.0
    assert play(env, "reflex", 0, n).mean() < 0.5


def test_the_preset_demands_memory_and_a_plan_at_once() -> None:
    n = 300
    env = make_vec("Unblock", n, level="hidden-goal", split="test")
    assert play(env, "tracker", 0, n).mean() == 1.0
    assert play(env, "reflex", 0, n).mean() < 0.5  # plans, but does not remember
    for player in ("tracker-4", "tracker-8", "tracker-16"):
        assert play(env, player, 0, n).mean() < 0.1
    for player in ("greedy", "random-pushes", "one-ahead"):  # know where it is, but do not plan
        assert play(env, player, 0, n).mean() < 0.25


def test_symmetries_of_the_floor() -> None:
    rng = np.random.default_rng(0)
    for n in (5, 6, 7):
        cells = {(int(x), int(y)) for x, y in rng.integers(n, size=(12, 2))}
        mask = sum(1 << (8 * y + x) for x, y in cells)
        assert cells_of_mask(sideways(mask, n)) == {(n - 1 - x, y) for x, y in cells}
        assert cells_of_mask(upside_down(mask, n)) == {(x, n - 1 - y) for x, y in cells}
        assert cells_of_mask(transposed(mask)) == {(y, x) for x, y in cells}


def test_level_0_is_the_twin_of_level_1() -> None:
    task = make("Unblock").task
    assert task.levels[0] == task.twin(1)


def test_the_oracle_and_the_tracker_solve_every_frame_and_split() -> None:
    for frame in ("room", "ego"):
        for split in ("train", "shift"):
            env = make_vec("Unblock", 100, level=2, split=split, frame=frame)
            assert play(env, "oracle", 0, 100).mean() == 1.0
            assert play(env, "tracker", 0, 100).mean() == 1.0


def test_the_oracle_finds_back_where_it_is_led_off_the_plan() -> None:
    n = 100
    env = at_work(2, n, name=OLD)
    rng, oracle, first = np.random.default_rng(0), env.reference("oracle"), np.zeros(n, bool)
    for _ in range(6):
        env.step(rng.integers(0, 4, n))
    still = env.world["done"] == 0
    left = np.array([shortest(*grid(s)) or 0 if alive else 0 for s, alive in zip(env.world, still, strict=True)])
    assert (left > 0).sum() > 30
    won = np.zeros(n, bool)
    for t in range(left.max()):
        _, reward, *_ = env.step(oracle.act(None, first))
        won |= (reward == 1) & (left == t + 1)
    assert won[left > 0].all()


@pytest.mark.parametrize("level", [1, 2, "allocentric"])
def test_the_block_is_seen_at_rest_and_then_hidden_behind_crates(level: int | str) -> None:
    n = 200
    env = make_vec("Unblock", n, level=level)
    obs, _ = env.reset(seed=0)
    start = env.layout.discs[0]
    assert (obs[:, start] == 1).all() and (np.abs(obs[:, start + 3 : start + 5]).sum(1) > 0).all()
    last = obs
    for _ in range(5):
        last, *_ = env.step(np.full(n, STAY))
    assert (last[:, start] == 1).all() and (last[:, start + 3 : start + 5] == 0).all()
    for _ in range(1 + env.params.blackout[1]):
        obs, *_ = env.step(np.full(n, STAY))
    assert (env.world["phase"] == 2).all() and (obs[:, start:] == 0).all()
    for s, row in zip(env.world, last, strict=True):
        assert not exposed(s, s["agent_x"], s["agent_y"], s["disc_x"][0], s["disc_y"][0], s["disc_radius"][0])
        floor, crates, agent, block = grid(s)
        assert cell_of(s, *(row[start + 1 : start + 3] * env.params.room)) == block
        assert shortest(floor - set(crates), [], agent, block) is None  # a crate stands in every way


def test_a_hidden_block_changes_no_observation() -> None:
    n = 60
    env = at_work(2, n, obs="dict")
    before = env.observe()
    moved = 0
    for s in env.world:
        floor, crates, agent, block = grid(s)
        for x, y in sorted(floor - set(crates) - {agent, block}):
            px, py = (x + 0.5) * s["cell_size"] - s["room_hx"], (y + 0.5) * s["cell_size"] - s["room_hy"]
            if not exposed(s, s["agent_x"], s["agent_y"], px, py, s["disc_radius"][0]):
                s["disc_x"][0], s["disc_y"][0], s["goal"] = px, py, 1 << (8 * y + x)
                moved += 1
                break
        for name in ("plan_steps", "trap", "jam_crates", "jam_here"):
            s[name] = 0
    after = env.observe()
    assert moved > n // 2
    for mode in MODES:
        assert np.array_equal(before[mode], after[mode])
    env.world["light"] = 4  # with the lights on it shows: the comparison above can fail
    assert not np.array_equal(before["slots"], env.observe()["slots"])


@pytest.mark.parametrize("obs", ["dict", "state"])
def test_every_observation_lies_in_its_space(obs: str) -> None:
    for split in ("train", "shift"):
        env = make_vec("Unblock", 8, level=3, obs=obs, split=split)
        rows, _ = env.reset(seed=0)
        for _ in range(60):
            assert env.observation_space.contains(rows)
            rows, *_ = env.step(env.action_space.sample())


def test_a_continuous_action_is_a_direction() -> None:
    grid_, free = (make("Unblock", level=1, blackout=0, action=kind) for kind in ("discrete", "continuous"))
    grid_.reset(seed=5)
    free.reset(seed=5)
    rows = ((0, (0.9, 0.2)), (1, (-0.6, 0.7)), (2, (-1, 1)), (3, (0.0, -0.51)), (4, (0.5, -0.5)))
    for action, row in ((4, (1.0, 1.0)),) * 6 + rows * 4:
        a, b = grid_.step(action), free.step(np.array(row, np.float32))
        assert np.array_equal(a[0], b[0]) and a[1:4] == b[1:4]
        if a[2]:
            break


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        (dict(crates=6), "0..5"), (dict(crates=-1), "0..5"), (dict(crates=1.5), "integer"), (dict(cells=8), "5..7"),
        (dict(rooms=5), "2..4"), (dict(plan=(9, 4)), "low <= high"), (dict(plan=(5, 70)), "1..64"),
        (dict(act=8), "act=8"), (dict(crates=0), "crates=0"), (dict(moved=3), "crates=2"), (dict(trap=1.5), "0..1"),
        (dict(plan=(1, 1)), "never hidden"), (dict(plan=(1, 2), crates=0, moved=0, trap=0.0), "never hidden"),
        (dict(plan=(31, 40), crates=0, moved=0, trap=0.0), "= 30"),
        (dict(order="distance"), "colour"), (dict(glass=1), "True"), (dict(crate=2), "crates"),
        (dict(limited=True), "trap=0.75"), (dict(limited=True, trap=0.0, rooms=2), "rooms=2"),
    ],
)  # fmt: skip
def test_bad_parameters_are_named_with_what_is_allowed(parameters: dict, told: str) -> None:
    with pytest.raises(BadParameter, match="|".join(parameters)) as caught:
        make(OLD, **parameters)
    assert told in str(caught.value)


def test_resets_never_fail() -> None:
    for level, n in ((0, 5_000), (1, 5_000), (2, 5_000), (3, 1_000)):
        env = make_vec(OLD, n, level=level, copy=False)
        env.reset(seed=0)
        assert abs(env.world["trap"].mean() - env.params.trap) < 0.05
        make_vec(OLD, 300, level=level, split="shift").reset(seed=0)
    for level in (0, 1, 2, 3, "hidden-goal"):
        for split in ("train", "shift"):
            make_vec("Unblock", 100, level=level, split=split).reset(seed=0)


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_accepted_parameters_never_fail_a_reset_and_keep_to_the_horizon(data: st.DataObject) -> None:
    low = data.draw(st.integers(1, 6))
    rival = data.draw(st.booleans())
    drawn = dict(
        cells=data.draw(st.integers(6, 7)), crates=data.draw(st.integers(3, 5)), pillars=data.draw(st.integers(0, 4)),
        pushes=(low, data.draw(st.integers(max(low, 5), 12))), rival=rival, moved=data.draw(st.integers(0, 2)),
        panel=data.draw(st.integers(0, 4 if rival else 16)), foresight=0 if rival else data.draw(st.integers(0, 2)),
        final=not rival and data.draw(st.booleans()), act=data.draw(st.integers(40, 90)),
    )  # fmt: skip
    try:
        env = make_vec("Unblock", 2, **drawn)
    except BadParameter:
        return
    env.reset(seed=0)
    ends = np.zeros(2, bool)
    for _ in range(env.horizon):  # who stays put is out of time
        _, _, terminated, truncated, _ = env.step(np.full(2, STAY))
        assert not terminated.any()
        ends |= truncated
    assert ends.all()


@pytest.mark.parametrize("level", [1, 2, 3, "hidden-goal"])
def test_walls_and_crates_of_one_split_are_not_in_another(level: int | str) -> None:
    """Arrangements are compared with all their mirror images and turns."""
    seen = {}
    for split in ("train", "test"):
        env = make_vec("Unblock", 400, level=level, split=split)
        env.reset(seed=0)
        seen[split] = {images(s)[0] for s in env.world}
    assert len(seen["train"]) > 390 and not seen["train"] & seen["test"]


def images(s) -> list[tuple]:
    """The eight images of walls and crates under the symmetries of the square, sorted."""
    n = round(2 * s["room_hx"] / s["cell_size"])
    found = []
    for turn in range(8):
        sets = []
        for mask in (s["free"], s["crates"]):
            cells = {(n - 1 - x if turn & 1 else x, n - 1 - y if turn & 2 else y) for x, y in cells_of_mask(mask)}
            sets.append(tuple(sorted((y, x) if turn & 4 else (x, y) for x, y in cells)))
        found.append(tuple(sets))
    return sorted(found)


def test_every_point_of_the_curves_can_be_drawn() -> None:
    task = make("Unblock").task
    for name, points in task.curves.items():
        for point in points:
            make_vec("Unblock", 100, **{name: point}).reset(seed=0)


def test_a_record_keeps_nothing_of_the_episodes_before() -> None:
    used, new = (make_vec("Unblock", 40, level=3) for _ in range(2))
    for seed in (1, 2):
        used.reset(seed=seed)
    used.reset(seed=5)
    new.reset(seed=5)
    assert used.snapshot() == new.snapshot()


@pytest.mark.parametrize(("level", "most"), [(1, 250), (2, 200), (3, 200), ("hidden-goal", 1000)])
def test_a_reset_needs_few_tries(level: int | str, most: int) -> None:
    env = make_vec("Unblock", 500, level=level)
    env.reset(seed=0)
    assert env.world["tries"].mean() < most


def odds_by_hand(style: int, foresight: int, free: int, crates: int, here: int, goal: int, left: int) -> float:
    """The probability of success of a player of the panel, by recursion over what it may do."""
    reach = reachable(free & ~crates, here)
    if reach & goal or left == 0:
        return float(reach & goal != 0)
    crate, way = opening(free, crates, reach, goal, foresight)
    limit = limit_of(style, free, crates, reach, goal)
    pushes = [(crate, way)] if way >= 0 else []
    for d in range(4) if way < 0 else ():
        chosen = choices(style, limit, free, crates, reach, goal, d)
        pushes += [(1 << i, d) for i in range(64) if chosen >> i & 1]
    after = [odds_by_hand(style, foresight, free, after_push(crates, c, d), c, goal, left - 1) for c, d in pushes]
    return sum(after) / max(len(after), 1)


@pytest.mark.parametrize(("level", "spare"), [(1, 0), (1, 1), (3, 0), ("hidden-goal", 1)])
def test_the_odds_of_the_panel_are_those_of_players_who_play(level: int | str, spare: int) -> None:
    tree, odds = np.zeros(1, TREE)[0], np.zeros(1, ODDS)[0]
    env = at_work(level, 2)
    for s in env.world:
        free, crates, here, goal = (int(s[name]) for name in ("free", "crates", "here", "goal"))
        strength, foresight = int(s["pushes"]) + spare, env.params.foresight
        goals = ANYWHERE if spare else reachable(free, here) & ~crates  # as in a reset
        search_pushes(tree, free, crates, here, goals, strength, 0)
        for style in range(STYLES):
            found = chance_of(tree, odds, style, foresight, free, goal, strength)
            assert found == pytest.approx(odds_by_hand(style, foresight, free, crates, here, goal, strength), abs=1e-12)


@pytest.mark.parametrize("level", [1, 2, 3])
def test_a_reset_does_not_depend_on_those_before_it(level: int) -> None:
    """The memory of a reset is not cleared in between."""
    n = 64
    together, reverse = (make_vec("Unblock", n, level=level) for _ in range(2))
    together.reset(seed=list(range(n)))
    reverse.reset(seed=list(range(n))[::-1])
    np.testing.assert_array_equal(together.world, reverse.world[::-1])
