"""The rules of Tally: the count is right at every step, is not leaked, and cannot be replaced by search or guessing."""

from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

import unseen  # noqa: F401  registers the ids
from unseen.envs.core.device import host
from unseen.envs.errors import BadParameter
from unseen.envs.permanence.tally.marbles import BEHIND
from unseen.envs.permanence.tally.references import DONE, STAY
from unseen.envs.permanence.tally.spec import SLOT_ORDERS, Tally, TallyParams
from unseen.envs.planar.sight import exposed
from unseen.envs.planar.world import ACT, OBSERVE, REVEAL
from unseen.envs.suite import make, make_vec

exposed = host(exposed)

KINDS = [0, 1, 2, 3, "addition", "subtraction"]
HIDDEN = [1, 2, 3, "addition", "subtraction"]
# The fields of a marble in the record.
MARBLE = (
    "disc_x", "disc_y", "disc_vx", "disc_vy", "disc_radius", "disc_colour", "disc_cover", "motion", "since", "lane", "spot",
)  # fmt: skip


@lru_cache
def vec(level, n: int = 1, **overrides):
    return make_vec("Tally", n, level=level, **overrides)


def to_act(env, seed: int) -> np.ndarray:
    """Reset and stay until every environment is in its act phase."""
    obs, _ = env.reset(seed=seed)
    while (env.world["phase"] != ACT).any():
        obs, *_ = env.step(np.full(env.num_envs, STAY))
    return obs


def moves_of(world: np.void, c: int) -> list[tuple[int, int]]:
    """The moves (in, out) of one class of things, in their order, without pauses."""
    n = int(world["n_beats"])
    rows = zip(world["ins"][:n], world["outs"][:n], world["group"][:n], strict=True)
    return [(int(i), int(o)) for i, o, of in rows if of == c and i + o]


def collect(env, seed: int, stop_at: np.ndarray) -> np.ndarray:
    """Rewards (n,) of going to the nest, as the oracle does, and saying done once `stop_at` things were taken."""
    obs, _ = env.reset(seed=seed)
    n = env.num_envs
    oracle, first = env.reference("oracle"), np.zeros(n, bool)
    total, over = np.zeros(n), np.zeros(n, bool)
    for _ in range(env.horizon + 1):
        # Where nothing is left the oracle would say done, but a sweeping hand still reaches: it stands at the nest.
        actions = oracle.act(obs, first)
        actions = np.where(env.world["taken"] >= stop_at, DONE, np.where(actions == DONE, STAY, actions))
        obs, reward, terminated, truncated, _ = env.step(actions)
        total += np.where(over, 0, reward)
        over |= terminated | truncated
    assert over.all()
    return total


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(KINDS), st.integers(0, 2**40), st.sampled_from(["train", "shift"]))
def test_what_went_in_less_what_came_out_is_what_is_left(level, seed: int, split: str) -> None:
    env = vec(level, 1, split=split)
    obs, _ = env.reset(seed=seed)
    p, tracker, first = env.params, env.reference("tracker"), np.ones(1, bool)
    while env.world["phase"][0] != ACT:
        s = env.world[0]
        two = p.looks == "two"
        for c in range(2 if two else 1):
            begun = min(int(s["t"]) // 2 + 1, int(s["n_beats"]))
            mine = s["group"][:begun] == c
            left = int((s["ins"][:begun] - s["outs"][:begun])[mine].sum())
            assert 0 <= left <= p.cap
            assert s["left"][c] == left
            k = np.arange(s["n_discs"])
            mine = (s["disc_colour"][k] == c) | (not two)
            coming = mine & (s["disc_cover"][k] == 0) & (s["disc_x"][k] * s["side"] > 0)
            staying = mine & (s["disc_cover"][k] == 1) & (s["motion"][k] == BEHIND)
            assert staying.sum() + coming.sum() == left
        tracker.act(obs, first)
        first[:] = False
        obs, *_ = env.step(np.array([STAY]))
    tracker.act(obs, first)
    # The tracker counted the same from slots alone.
    assert (tracker.memory["counted"][0][: s["left"].size] == env.world["left"][0]).all()
    assert env.world["left"][0][env.world["asked"][0]] == env.batch.hidden()[0] + p.least


@pytest.mark.parametrize("level", KINDS)
@pytest.mark.parametrize("split", ["train", "shift"])
def test_every_draw_is_sound_and_no_reset_fails(level, split: str) -> None:
    env = make_vec("Tally", 20_000, level=level, split=split)
    env.reset(seed=0)
    w, p = env.world, env.params
    slots = np.arange(w["ins"].shape[1])[None] < w["n_beats"][:, None]
    for c in range(2 if p.looks == "two" else 1):
        net = np.where(slots & (w["group"] == c), w["ins"] - w["outs"], 0).cumsum(1)
        assert net.min() >= 0 and net.max() <= max(p.most + 1, p.peak)
        assert (net[:, -1] == w["goal"][:, c]).all()
        count = (slots & (w["group"] == c) & (w["ins"] + w["outs"] > 0)).sum(1)
        more = 2 if split == "shift" and p.operation == "mixed" else 0
        assert count.min() == p.moves[0] + more and count.max() == p.moves[1] + more
    assert w["goal"].min() == p.least and w["goal"].max() == p.most
    assert max(w["ins"].max(), w["outs"].max()) <= p.together
    assert len(np.unique(w["observe_steps"])) == 1
    assert w["observe_steps"][0] + p.blackout[1] + p.act <= env.horizon


@pytest.mark.parametrize("level", [1, 2, 3])
def test_neither_the_number_of_moves_nor_the_last_move_nor_a_pause_tells_the_number(level: int) -> None:
    env = make_vec("Tally", 20_000, level=level)
    env.reset(seed=1)
    w, answers = env.world, env.batch.hidden()
    k = env.task.hidden.classes(env.params)
    slots = np.arange(w["ins"].shape[1])[None] < w["n_beats"][:, None]
    asked = slots & (w["group"] == w["asked"][:, None]) & (w["ins"] + w["outs"] > 0)
    last = w["ins"].shape[1] - 1 - asked[:, ::-1].argmax(1)
    rows = np.arange(len(answers))
    clues = {
        "moves": asked.sum(1),
        "last": w["ins"][rows, last] * 4 + w["outs"][rows, last],
        "when": last,
        "first pause": (slots & (w["ins"] + w["outs"] == 0)).argmax(1),
        "blackout": w["blackout_steps"],
        "side": w["side"] > 0,
        "angle": np.floor(w["spawn_heading"]).astype(int),
    }
    for name, clue in clues.items():
        table = np.array([np.bincount(answers[clue == v], minlength=k) for v in np.unique(clue)], float)
        want = table.sum(1, keepdims=True) * table.sum(0, keepdims=True) / table.sum()
        dof = max((len(table) - 1) * (k - 1), 1)
        assert ((table - want) ** 2 / want).sum() < dof + 4.5 * (2 * dof) ** 0.5 + 4, name
    # The test can fail: the number of things that went in is a clue.
    sure = np.where(asked, w["ins"], 0).sum(1)
    table = np.array([np.bincount(answers[sure == v], minlength=k) for v in np.unique(sure)], float)
    want = table.sum(1, keepdims=True) * table.sum(0, keepdims=True) / table.sum()
    assert ((table - want) ** 2 / want).sum() > 1000


@pytest.mark.parametrize("level", HIDDEN)
def test_nothing_that_is_told_depends_on_what_is_hidden(level) -> None:
    env = vec(level, 24, obs="dict")
    obs, _ = env.reset(seed=4)
    rng = np.random.default_rng(0)
    compared = touched = 0
    for t in range(env.horizon):
        live = (env.world["light"] != REVEAL) & (env.world["t"] > 0)
        kept, w = env.world.copy(), env.world
        seen = {name: rows.copy() for name, rows in obs.items()}
        for i in range(24):
            c = int(rng.integers(env.params.groups))
            hidden = [k for k in range(w["n_discs"][i]) if w["disc_cover"][i][k]]
            if hidden and t % 2:  # one less
                k, j = hidden[0], w["n_discs"][i] - 1
                for name in MARBLE:
                    w[name][i][k] = w[name][i][j]
                if w["touched"][i] == j:
                    w["touched"][i] = k
                w["n_discs"][i] = j
            elif w["n_discs"][i] < w["disc_x"].shape[1]:  # one more
                j = w["n_discs"][i]
                added = dict(disc_x=0.1, disc_y=0.5, disc_radius=0.08, disc_colour=c, disc_cover=1)
                for name, value in added.items():
                    w[name][i][j] = value
                w["n_discs"][i] = j + 1
            w["left"][i], w["goal"][i] = 7, 7
            w["ins"][i], w["outs"][i] = 0, 0
        for name, rows in env.observe().items():
            assert np.array_equal(rows[live], seen[name][live]), (t, name)
        compared += live.sum()
        touched += (live & (kept["touched"] >= 0)).sum()
        w[:] = kept
        actions = rng.integers(0, 4, 24)
        if t % 3 > 0:
            actions[::2] = env.reference("oracle").act(None, np.zeros(24, bool))[::2]
        actions[actions == DONE] = STAY
        obs, *_ = env.step(actions)
    assert compared > 300 and touched > 10


@pytest.mark.parametrize("level", [1, 2, 3])
def test_the_screen_hides_the_nest_and_shows_who_comes_and_goes(level: int) -> None:
    env = vec(level, 100)
    obs, _ = env.reset(seed=5)
    start, count, width = env.layout.discs
    while (env.world["phase"] == OBSERVE).all():
        for i, s in enumerate(env.world):
            k = np.arange(s["n_discs"])
            for j in k:
                assert exposed(s, s["agent_x"], s["agent_y"], s["disc_x"][j], s["disc_y"][j], s["disc_radius"][j]) == (
                    s["disc_cover"][j] == 0
                )
            shows = obs[i, start : start + count * width : width].sum()
            assert shows == (s["disc_cover"][k] == 0).sum()
        obs, *_ = env.step(np.full(100, STAY))


@pytest.mark.parametrize("level", HIDDEN)
def test_by_dusk_only_what_is_in_the_hand_shows_and_the_end_shows_all(level) -> None:
    env = make_vec("Tally", 200, level=level, reveal=True)
    obs = to_act(env, 6)
    start, count, width = env.layout.discs
    oracle, ended = env.reference("oracle"), np.zeros(200, bool)
    most = env.params.most
    for _ in range(40):
        obs, reward, terminated, _, _ = env.step(oracle.act(obs, np.zeros(200, bool)))
        live = ~ended & ~terminated
        shows = obs[:, start : start + count * width : width].sum(1)
        assert (shows[live] == (env.world["touched"][live] >= 0)).all()
        assert np.allclose(obs[live, env.layout.signals][:, 0], env.world["taken"][live] / most)
        now = terminated & ~ended
        assert (shows[now] == env.world["n_discs"][now]).all() and (reward[now] == 1).all()
        ended |= terminated
        if ended.all():
            break
    assert ended.all()


@pytest.mark.parametrize("level", [0, "addition"])
def test_through_glass_the_number_shows(level) -> None:
    env = make_vec("Tally", 300, level=level, glass=True)
    obs = to_act(env, 7)
    start, count, width = env.layout.discs
    first = env.world["t"] == env.world["observe_steps"] + env.world["blackout_steps"]
    assert first.sum() > 50
    shows = obs[:, start : start + count * width : width].sum(1)
    assert (shows[first] == env.batch.hidden()[first] + env.params.least).all()


@pytest.mark.parametrize("level", HIDDEN)
def test_without_the_number_neither_a_fixed_count_nor_a_sweep_beats_chance(level) -> None:
    n = 1200
    env = make_vec("Tally", n, level=level)
    k, least = env.task.hidden.classes(env.params), env.params.least
    for j in range(k):
        total = collect(env, 11, np.full(n, least + j))
        env.reset(seed=11)
        answers = env.batch.hidden()
        # It succeeds just where its count is the number, but for few whose way round the screen takes too long.
        assert not (total[answers != j] > 0).any() and (total[answers == j] > 0).mean() > 0.99
        assert abs(total.mean() - 1 / k) < 4.5 * (1 / k * (1 - 1 / k) / n) ** 0.5
    assert collect(env, 11, np.full(n, 99)).sum() == 0  # sweep until nothing is found
    assert collect(env, 11, np.random.default_rng(0).integers(least, least + k, n)).mean() < 1 / k + 0.06
    assert collect(env, 11, answers + least).mean() > 0.99


def test_done_counts_only_once_something_is_taken_and_ends_the_episode() -> None:
    env = make_vec("Tally", 300, level=2)
    to_act(env, 8)
    before = env.world.copy()
    _, reward, terminated, _, _ = env.step(np.full(300, DONE))
    fresh = (before["t"] < before["observe_steps"] + before["blackout_steps"] + 5) & (before["taken"] == 0)
    assert fresh.sum() > 200 and not terminated[fresh].any() and not reward.any()
    assert (env.world["agent_x"][fresh] == before["agent_x"][fresh]).all()
    # One step too early: one is still there.
    total = collect(env, 8, np.maximum(env.batch.hidden(), 1))
    assert total.max() in (0.0, 1.0)
    env.reset(seed=8)
    assert (total == (env.batch.hidden() == 0)).all()


def test_waiting_ends_with_nothing() -> None:
    env = make("Tally", level=2)
    env.reset(seed=0)
    steps, over = 0, False
    while not over:
        _, reward, terminated, truncated, _ = env.step(STAY)
        over = terminated or truncated
        steps += 1
    assert reward == 0.0
    assert steps == env.world["observe_steps"] + env.world["blackout_steps"] + env.params.act


def test_of_two_colours_only_the_asked_one_counts_and_it_is_told_late() -> None:
    env = make_vec("Tally", 400, level=3)
    obs, _ = env.reset(seed=9)
    assert (obs[:, env.layout.query] == 0).all()
    obs = to_act(env, 9)
    w = env.world
    assert (obs[:, env.layout.query].argmax(1) == w["asked"]).all() and set(w["asked"]) == {0, 1}
    other = w["goal"][np.arange(400), 1 - w["asked"]].copy()
    oracle, over, won = env.reference("oracle"), np.zeros(400, bool), 0
    while not over.all():
        obs, reward, terminated, _, _ = env.step(oracle.act(obs, np.zeros(400, bool)))
        for i in np.nonzero(terminated & ~over & (reward > 0))[0]:
            won += 1
            k = np.arange(w["n_discs"][i])
            assert (w["disc_colour"][i][k] == 1 - w["asked"][i]).all() and len(k) == other[i]
        over |= terminated
    assert won > 300  # the others began their act phase long before the last one did, and ran out of time


def test_where_each_has_its_own_colour_no_two_share_one_and_none_is_preferred() -> None:
    env = make_vec("Tally", 3000, level=1)
    obs, _ = env.reset(seed=10)
    for _ in range(14):
        w = env.world
        alive = np.arange(w["disc_colour"].shape[1])[None] < w["n_discs"][:, None]
        for i in range(0, 3000, 10):
            assert len(set(w["disc_colour"][i][alive[i]])) == alive[i].sum()
        obs, *_ = env.step(np.full(3000, STAY))
    oracle, held, answers = env.reference("oracle"), np.full(3000, -1), env.batch.hidden()
    to_act(env, 10)
    for _ in range(14):
        obs, *_ = env.step(np.minimum(oracle.act(obs, np.zeros(3000, bool)), STAY))
        new = (held < 0) & (env.world["contact"] >= 0)
        held[new] = env.world["contact"][new]
    for m in range(3):
        share = np.bincount(held[(answers == m) & (held >= 0)], minlength=6)
        assert abs(share / share.sum() - 1 / 6).max() < 0.07


@pytest.mark.parametrize("split", ["train", "test", "shift"])
def test_addition_and_subtraction_follow_wynn(split: str) -> None:
    for level, first, last in (("addition", (1, 2), (1, 0)), ("subtraction", (2, 3), (0, 1))):
        env = make_vec("Tally", 400, level=level, split=split)
        env.reset(seed=2)
        drawn = [moves_of(s, 0) for s in env.world]
        assert {len(m) for m in drawn} == {2} and {m[1] for m in drawn} == {last}
        assert {m[0] for m in drawn} == {(n, 0) for n in first}
        left = np.array([m[0][0] + last[0] - last[1] for m in drawn])
        assert (left == env.batch.hidden() + env.params.least).all()
    one_and_one = [(1, 0), (1, 0)]
    env = make_vec("Tally", 50, level="addition")
    env.reset(seed=0)
    assert any(moves_of(s, 0) == one_and_one and s["goal"][0] == 2 for s in env.world)


@pytest.mark.parametrize("level", KINDS)
def test_the_shift_changes_what_it_says_and_stays_solvable(level) -> None:
    env, plain = (make_vec("Tally", 300, level=level, split=split) for split in ("shift", "train"))
    for e in (env, plain):
        e.reset(seed=0)
    assert np.isclose(env.world["marble_radius"], 1.25 * plain.world["marble_radius"]).all()
    if env.params.operation == "mixed":
        assert (env.world["observe_steps"] > plain.world["observe_steps"]).all()
    if env.params.entry == "left":
        assert (plain.world["side"] == -1).all() and (env.world["side"] == 1).all()
    assert collect(env, 0, env.batch.hidden() + env.params.least).mean() > 0.98


def test_continuous_actions_do_what_the_arcs_do() -> None:
    arcs, free = make("Tally", level=1), make("Tally", level=1, action="continuous")
    oracle = arcs.reference("oracle")
    ends = 0
    for seed in range(6):
        a, _ = arcs.reset(seed=seed)
        free.reset(seed=seed)
        over = False
        while not over:
            action = int(oracle.act(a[None], np.zeros(1, bool))[0])
            a, reward, over, _, _ = arcs.step(action)
            b, other, end, _, _ = free.step(np.array(list(Tally.actions.values())[action], np.float32))
            assert np.array_equal(a, b) and (reward, over) == (other, end)
        ends += reward
    assert ends == 6


@pytest.mark.parametrize(
    ("overrides", "allowed"),
    [
        (dict(most=1), "2..10"), (dict(most=11), "2..10"), (dict(least=0), "1..9"), (dict(together=4), "1..3"),
        (dict(least=4), "most=4"), (dict(moves=3), "at least 4"), (dict(moves=(5, 13)), "2..12"),
        (dict(together=1, most=5, moves=6), "at least 7"), (dict(looks="many"), "'own', 'same', 'two'"),
        (dict(order="colour"), "'place', 'distance'"), (dict(order="index"), "'place', 'distance'"),
        (dict(looks="two"), "'distance'"), (dict(looks="own", order="colour"), "at most 6"),
        (dict(looks="two", order="distance", most=10, together=3, act=20), "at most 26"), (dict(act=13), "at least 14"),
        (dict(operation="add"), "moves=2"), (dict(operation="add", moves=2), "together >= 3"),
        (dict(fov=60.0), "100..360"), (dict(room=2.0), "2.4..5"), (dict(entry="right"), "'left', 'either'"),
        (dict(level="multiplication"), "addition"), (dict(number=3), "most"), (dict(radius=float("nan")), "0.05..0.1"),
    ],
)  # fmt: skip
def test_bad_keywords_are_named_with_what_is_allowed(overrides: dict, allowed: str) -> None:
    with pytest.raises(BadParameter) as caught:
        make("Tally", **({"peak": 0} | overrides))
    assert any(str(name) in str(caught.value) for name in overrides) and allowed in str(caught.value)


def test_every_point_of_the_curves_can_be_made() -> None:
    for level in (1, 2, 3):
        made = 0
        for name, values in Tally.curves.items():
            for value in values:
                try:
                    Tally.at(level, {name: value})
                    made += 1
                except BadParameter:
                    assert level != 2
        assert made > 5


def test_metrics_come_at_the_end_and_only_then() -> None:
    env = make_vec("Tally", 200, level=1)
    obs, info = env.reset(seed=4)
    oracle, ended = env.reference("oracle"), 0
    assert info == {}
    for _ in range(50):
        obs, reward, terminated, _, info = env.step(oracle.act(obs, np.zeros(200, bool)))
        assert (info == {}) == (not terminated.any())
        if terminated.any():
            assert np.array_equal(info["_is_success"], terminated)
            assert np.array_equal(info["is_success"], reward > 0)
        ended += terminated.sum()
    assert ended >= 200


@st.composite
def some_parameters(draw) -> TallyParams:
    looks = draw(st.sampled_from(["own", "same", "two"]))
    most = draw(st.integers(2, 6))
    low = draw(st.integers(5, 12))
    try:
        return TallyParams(
            looks=looks,
            order=draw(st.sampled_from(SLOT_ORDERS[looks])),
            most=most,
            least=draw(st.integers(1, most - 1)),
            moves=(low, draw(st.integers(low, 12))),
            together=draw(st.integers(1, 3)),
            blackout=draw(st.integers(0, 8)),
            act=draw(st.integers(16, 20)),
        )
    except BadParameter:
        reject()


@settings(max_examples=30, deadline=None)
@given(some_parameters(), st.sampled_from(["train", "shift"]))
def test_what_is_accepted_leads_to_the_drawn_number_and_ends_by_the_horizon(params: TallyParams, split: str) -> None:
    env = make_vec("Tally", 8, split=split, **params.values())
    env.reset(seed=0)
    steps, over = 0, np.zeros(8, bool)
    while not over.all():
        _, _, terminated, _, _ = env.step(np.full(8, STAY))
        ended = terminated & ~over
        groups = slice(env.params.groups)
        assert (env.world["left"][ended, groups] == env.world["goal"][ended, groups]).all()
        over |= terminated
        steps += 1
    assert steps <= env.horizon
