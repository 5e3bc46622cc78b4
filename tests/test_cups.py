"""The shell game's own rules: what moves, what is hidden, and what its presets do."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.envs.core.device import host
from unseen.envs.errors import BadParameter
from unseen.envs.permanence.cups.rules import BALL
from unseen.envs.permanence.cups.script import MEET, ROUND, SWAP, TIP
from unseen.envs.permanence.cups.spec import Cups, CupsParams
from unseen.envs.planar.sight import exposed
from unseen.envs.planar.world import ACT, DARK, DAY, DT, OBSERVE, REVEAL
from unseen.envs.suite import make, make_vec

exposed = host(exposed)

STAY = 3
N = 48
LEVELS = (0, 1, 2, 3, "a-not-b", "invisible-displacement")
MEETINGS = dict(cups=6, play="swap", swaps=(4, 6), apart=5, panels=1, hops=0.4)  # over level 3
_made: dict = {}


def batch(level, **overrides):
    """One batch a level, made once: hypothesis calls the same one again and again."""
    key = (level, *sorted(overrides.items()))
    if key not in _made:
        _made[key] = make_vec("Cups", N, level=level, **overrides)
    return _made[key]


def returns(env, name: str) -> np.ndarray:
    """Returns (n,) of one episode of each environment, played by a reference."""
    n = env.num_envs
    obs, _ = env.reset(seed=0)
    policy, first = env.reference(name), np.ones(n, bool)
    total, over = np.zeros(n), np.zeros(n, bool)
    while not over.all():
        obs, reward, terminated, truncated, _ = env.step(policy.act(obs, first))
        first[:] = False
        total += np.where(over, 0, reward)
        over |= terminated | truncated
    return total


def frames(env, seed: int) -> list[np.ndarray]:
    """The worlds from the reset to the first step of the act phase of the slowest."""
    env.reset(seed=seed)
    out = [env.world.copy()]
    for _ in range(int((env.world["observe_steps"] + env.world["blackout_steps"]).max())):
        env.step(np.full(N, STAY))
        out.append(env.world.copy())
    return out


@settings(max_examples=12, deadline=None)
@given(st.sampled_from(LEVELS), st.integers(0, 2**40))
def test_every_event_is_a_permutation_of_places_and_the_ball_follows_it(level, seed: int) -> None:
    env = batch(level)
    n, pace = env.params.cups, env.params.swap_steps
    history = frames(env, seed)
    for i in range(N):
        s = history[0][i]
        cup, place = s["cup_at"][: n + (s["free_place"] >= 0)].tolist(), int(s["first_place"])
        if s["free_place"] >= 0:  # the record keeps what is free at first; the script worked backwards to it
            assert cup[s["free_place"]] == -1
        for q in range(s["n_events"]):
            a, b, kind = int(s["place_a"][q]), int(s["place_b"][q]), s["kind"][q]
            after = history[s["events_at"] + q * (pace + 1) + pace][i]
            if kind == ROUND:
                partner = s["partner"][q][:n].tolist()
                stay = sum(k == j for j, k in enumerate(partner))
                assert [partner[k] for k in partner] == list(range(n)) and stay in (n % 2, n)
                cup = [cup[k] for k in partner]
                place = partner[place]
            else:
                assert a != b and (kind == SWAP or abs(a - b) == 1)
            if kind == SWAP:
                cup[a], cup[b] = cup[b], cup[a]
            if kind in (SWAP, TIP) and place in (a, b):
                place = a + b - place
            assert after["cup_at"][: len(cup)].tolist() == cup
            assert after["disc_cover"][n] == cup[place] + 1
            for k, j in enumerate(cup):
                if j >= 0:  # at rest, on its place
                    at = after["place_radius"][k] * np.array(
                        [np.cos(after["place_angle"][k]), np.sin(after["place_angle"][k])]
                    )
                    assert np.allclose([after["disc_x"][j], after["disc_y"][j]], at) and after["disc_vx"][j] == 0
        last = history[s["observe_steps"] + s["blackout_steps"]][i]
        assert last["phase"] == ACT
        ball = last["disc_cover"][n] - 1
        assert (last["disc_x"][n], last["disc_y"][n]) == (last["disc_x"][ball], last["disc_y"][ball])
        assert (last["disc_x"][:n] < last["disc_x"][ball]).sum() == s["ball_rank"] == env.batch.hidden()[i]


@settings(max_examples=8, deadline=None)
@given(st.sampled_from(LEVELS), st.integers(0, 2**40))
def test_things_go_where_their_velocities_say(level, seed: int) -> None:
    env = batch(level)
    history = frames(env, seed)
    moved = 0
    for before, after in zip(history, history[1:], strict=False):
        on = after["t"] < after["observe_steps"]
        for x, v in (("disc_x", "disc_vx"), ("disc_y", "disc_vy")):
            gap = np.abs(before[x] + before[v] * DT - after[x])[on]
            # A tip is the one jump: the ball passes from one cup to the other, out of sight.
            tip = (after["bump"][on] == 1)[:, None] & (np.arange(gap.shape[1]) == env.params.cups)
            assert gap[~tip].max(initial=0) < 1e-9
            moved += (before[v][on] != 0).sum()
    assert moved


def test_meetings_touch_and_only_tips_are_heard() -> None:
    env = batch(3, **MEETINGS)
    kinds = set()
    for seed in range(3):
        history = frames(env, 1000 * seed)
        pace = env.params.swap_steps
        for i in range(N):
            s = history[0][i]
            for q in range(s["n_events"]):
                start = s["events_at"] + q * (pace + 1)
                a, b = s["cup_at"][[s["place_a"][q], s["place_b"][q]]] if q == 0 else (None, None)
                heard = [int(history[start + u][i]["bump"]) for u in range(pace + 1)]
                assert sum(heard) == (s["kind"][q] == TIP)
                kinds.add(int(s["kind"][q]))
                if q == 0 and s["kind"][q] != SWAP:
                    w = [history[start + u][i] for u in range(pace + 1)]
                    gaps = [np.hypot(x["disc_x"][a] - x["disc_x"][b], x["disc_y"][a] - x["disc_y"][b]) for x in w]
                    assert min(gaps) == pytest.approx(2 * s["disc_radius"][a], abs=0.03)
    assert kinds == {SWAP, MEET, TIP}


def test_the_events_tell_nothing_of_the_answer() -> None:
    env = make_vec("Cups", 20_000, level=2, swaps=(2, 4))
    env.reset(seed=0)
    w, rows = env.world, np.arange(20_000)
    n, last = env.params.cups, w["n_events"] - 1
    before_last = w["partner"][rows, last, w["ball_rank"]]
    after_first = w["partner"][rows, 0, w["first_place"]]
    # Nor do the places of the ball, unless every round is known; with a single round, the first place and it would tell.
    for told in (w["partner"][rows, last] @ n ** np.arange(7), w["screened_place"], w["n_events"], w["first_place"],
                 before_last, after_first):  # fmt: skip
        for value in np.unique(told):
            count = np.bincount(w["ball_rank"][told == value], minlength=n)
            expected = count.sum() / n
            assert ((count - expected) ** 2 / expected).sum() < 24  # chi-squared with 4 dof, p = 1e-4


@pytest.mark.parametrize("level", [2, 3, "invisible-displacement"])
@pytest.mark.parametrize("split", ["train", "shift"])
def test_the_screen_hides_one_place_and_only_while_cups_move(level, split: str) -> None:
    env = batch(level, split=split)
    hidden_ends = 0
    for w in frames(env, 7):
        for s in w:
            cups = range(env.params.cups)
            watching = s["phase"] == OBSERVE and s["t"] < s["observe_steps"]
            assert s["n_boxes"] == (env.params.panels if watching and s["t"] > s["covered_at"] else 0)
            if not s["n_boxes"] or any(s["disc_vx"][j] != 0 for j in cups):
                continue
            shows = {
                int(j): bool(
                    exposed(s, s["agent_x"], s["agent_y"], s["disc_x"][j], s["disc_y"][j], s["disc_radius"][j])
                )
                for j in cups
            }
            first = s["screened_place"]
            behind = s["cup_at"][first : first + env.params.panels].tolist()
            assert shows == {j: j not in behind for j in cups}
            hidden_ends += s["disc_cover"][len(cups)] - 1 in behind
    assert hidden_ends  # the ball is behind it now and then


@pytest.mark.parametrize("level", [1, 2, 3])
def test_a_hidden_ball_changes_nothing_that_is_observed(level: int) -> None:
    env = batch(level, obs="dict")
    n = env.params.cups
    env.reset(seed=3)
    rng = np.random.default_rng(0)
    compared = 0
    for t in range(60):
        env.step(rng.integers(0, 4, N))
        w = env.world
        closed = (w["disc_cover"][:, n] != 0) & (w["light"] != REVEAL)
        if t % 4 or not closed.any():
            continue
        seen, kept = env.observe(), w.copy()
        for i in np.nonzero(closed)[0]:
            other = w["disc_cover"][i, n] % n  # the next cup
            w["disc_cover"][i, n] = other + 1
            for x in ("disc_x", "disc_y", "disc_vx", "disc_vy"):
                w[x][i, n] = w[x][i, other]
            for name in ("ball_rank", "first_place", "decoy_place", "n_events", "side"):
                w[name][i] = 0
        assert (w["disc_cover"] != kept["disc_cover"]).any()
        again = env.observe()
        for name in seen:
            assert np.array_equal(seen[name], again[name]), name
        w[:] = kept
        compared += int((closed & (w["phase"] == ACT)).sum())
    assert compared > 50


def test_glass_shows_the_ball_under_its_cup_in_every_mode() -> None:
    env = batch(0, obs="dict")
    n = env.params.cups
    env.reset(seed=3)
    while not (env.world["phase"] == ACT).all():
        env.step(np.full(N, STAY))
    seen = env.observe()
    for i in range(N):
        other = env.world["disc_cover"][i, n] % n
        env.world["disc_cover"][i, n] = other + 1
        for x in ("disc_x", "disc_y"):
            env.world[x][i, n] = env.world[x][i, other]
    again = env.observe()
    for name in seen:
        differs = (seen[name] != again[name]).reshape(N, -1).any(1)
        assert differs.mean() > (0.9 if name != "pixels" else 0.5), name  # pictures look ahead only


@pytest.mark.parametrize("order", ["place", "distance", "index"])
def test_the_act_phase_shows_every_cup_and_no_ball_in_any_order(order: str) -> None:
    env = make_vec("Cups", N, level=2, order=order)
    obs, _ = env.reset(seed=5)
    start, count, width = env.layout.discs
    n = env.params.cups
    assert (env.layout.order, count) == (order, n + 1)
    obs, kept, waiting = obs.copy(), env.world.copy(), np.ones(N, bool)
    for _ in range(env.horizon):  # each at its first step in the light of the act phase
        now, *_ = env.step(np.full(N, STAY))
        new = waiting & (env.world["light"] == DAY) & (env.world["phase"] == ACT)
        obs[new], kept[new] = now[new], env.world[new]
        waiting &= ~new
    assert not waiting.any()
    env.world[:] = kept
    rows = obs[:, start:].reshape(N, count, width)
    assert (rows[..., 0].sum(1) == n).all() and (rows[..., 5 + BALL] == 0).all()
    shown = rows[rows[..., 0] > 0.5].reshape(N, n, width)
    if order == "place":
        assert (np.diff(shown[..., 1]) > 0).all()
    # Lights on: also the ball shows, in the place of its cup.
    env.world["light"] = REVEAL
    rows = env.observe()[:, start:].reshape(N, count, width)
    assert (rows[..., 0] == 1).all()
    ball = rows[rows[..., 5 + BALL] == 1]
    assert (np.abs(rows[..., 1:3] - ball[:, None, 1:3]).max(-1) < 1e-6).sum() == 2 * N


def test_slots_by_place_do_not_keep_a_cups_identity() -> None:
    env = batch(2)
    env.reset(seed=11)
    start = env.layout.discs[0]
    for _ in range(30):
        before = env.observe()[:, start:]
        kept = env.world.copy()
        for x in ("disc_x", "disc_y", "disc_vx", "disc_vy"):  # two cups exchange bodies: nobody can tell
            env.world[x][:, [0, 1]] = env.world[x][:, [1, 0]]
        ties = np.abs(kept["disc_x"][:, 0] - kept["disc_x"][:, 1]) < 1e-9
        assert np.array_equal(before[~ties], env.observe()[~ties][:, start:])
        env.world[:] = kept
        env.step(np.full(N, STAY))


def test_the_first_cup_touched_ends_the_episode_and_is_right_only_over_the_ball() -> None:
    env = make_vec("Cups", 400, level=2)
    env.reset(seed=1)
    rng = np.random.default_rng(0)
    won = lost = 0
    for _ in range(100):
        _, reward, terminated, truncated, _ = env.step(rng.integers(0, 3, 400))
        w, over = env.world, terminated | truncated
        assert (truncated == (over & (w["touched"] < 0))).all() and (reward[~over] == 0).all()
        for i in np.nonzero(over)[0]:
            assert w["light"][i] == REVEAL
            touched = w["touched"][i]
            assert touched < env.params.cups, "the ball itself is never what is touched"
            assert reward[i] == float(touched >= 0 and w["disc_cover"][i, env.params.cups] == touched + 1)
            won += reward[i] == 1
            lost += touched >= 0 and reward[i] == 0
    assert won > 20 and lost > 60


def test_a_not_b_hides_twice_under_a_and_then_under_b() -> None:
    env = batch("a-not-b")
    n = env.params.cups
    history = frames(env, 0)
    for i in range(N):
        under = [int(w[i]["disc_cover"][n]) for w in history if w[i]["phase"] == OBSERVE]
        spells = [u for u, before in zip(under[1:], under, strict=False) if u and u != before]
        s = history[0][i]
        a, b = s["cup_at"][s["decoy_place"]] + 1, s["cup_at"][s["first_place"]] + 1
        assert spells == [a, a, b] and a != b
        for w in history[:-1]:
            assert w[i]["light"] == DARK or (w[i]["disc_vx"][:n] == 0).all()


def test_invisible_displacement_takes_the_ball_behind_the_screen_to_a_free_place() -> None:
    env = batch("invisible-displacement")
    n = env.params.cups
    history = frames(env, 0)
    for i in range(N):
        s, end = history[0][i], history[-1][i]
        moved = np.hypot(end["disc_x"] - s["disc_x"], end["disc_y"] - s["disc_y"])[:n] > 0.1
        assert np.nonzero(moved)[0].tolist() == [end["disc_cover"][n] - 1]
        assert s["free_place"] == s["screened_place"] == s["place_b"][0] and s["cup_at"][s["screened_place"]] == -1
        shows = [w[i] for w in history if w[i]["n_boxes"]]
        j = end["disc_cover"][n] - 1
        last = shows[-1]
        assert not exposed(
            last, last["agent_x"], last["agent_y"], last["disc_x"][j], last["disc_y"][j], last["disc_radius"][j]
        )


@pytest.mark.parametrize("level", LEVELS)
def test_the_references_stand_where_they_belong(level) -> None:
    env = make_vec("Cups", 1000, level=level, split="test")
    score = {name: returns(env, name).mean() for name in ("reflex", "tracker", "oracle")}
    assert score["oracle"] > 0.98 and score["tracker"] > 0.97
    chance = 1.0 if level == 0 else 1 / env.params.cups
    assert score["reflex"] == pytest.approx(chance, abs=0.07)


@pytest.mark.parametrize("split", ["train", "shift"])
@pytest.mark.parametrize("level", LEVELS)
def test_resets_never_fail_and_answers_are_uniform(level, split: str) -> None:
    env = make_vec("Cups", 20_000, level=level, split=split)
    env.reset(seed=0)
    k = Cups.hidden.classes(env.params)
    count = np.bincount(env.batch.hidden(), minlength=k)
    assert ((count - 20_000 / k) ** 2 / (20_000 / k)).sum() < 26
    steps = env.world["observe_steps"] + env.world["blackout_steps"] + env.params.act
    assert steps.max() <= env.horizon


def test_metrics_come_at_the_end_and_only_then() -> None:
    env = make_vec("Cups", 200, level=1)
    obs, info = env.reset(seed=4)
    oracle, ended = env.reference("oracle"), 0
    assert info == {}
    for _ in range(60):
        obs, reward, terminated, truncated, info = env.step(oracle.act(obs, np.zeros(200, bool)))
        ended_now = terminated | truncated
        assert (info == {}) == (not ended_now.any())
        if ended_now.any():
            assert np.array_equal(info["_is_success"], ended_now)
            assert np.array_equal(info["is_success"], reward > 0)
        ended += ended_now.sum()
    assert ended > 200


def accepted(**overrides) -> CupsParams | None:
    try:
        return CupsParams(**overrides)
    except BadParameter:
        return None


@settings(max_examples=30, deadline=None)
@given(
    st.fixed_dictionaries(
        dict(
            cups=st.integers(2, 6),
            swaps=st.tuples(st.integers(0, 10), st.integers(0, 10)).map(sorted),
            swap_steps=st.integers(3, 12),
            apart=st.integers(1, 5),
            screen=st.booleans(),
            hops=st.sampled_from([0.0, 0.5, 1.0]),
            hides=st.integers(0, 3),
            play=st.sampled_from(["swap", "move", "round"]),
            panels=st.integers(1, 2),
            reveal=st.booleans(),
            arc=st.floats(60, 170),
            blackout=st.integers(0, 8),
            act=st.integers(4, 12),
        )
    ).filter(lambda overrides: accepted(**overrides) is not None),
    st.sampled_from(["train", "shift"]),
)
def test_what_is_accepted_can_be_reset_and_ends_by_the_horizon(overrides: dict, split: str) -> None:
    env = make_vec("Cups", 8, split=split, **overrides)
    env.reset(seed=0)
    steps, over = 0, np.zeros(8, bool)
    while not over.all():
        _, _, terminated, truncated, _ = env.step(np.full(8, STAY))
        over |= terminated | truncated
        steps += 1
    assert steps <= env.horizon


def test_the_tracker_keeps_up_with_the_shift() -> None:
    for level in (1, 2, 3):
        assert returns(make_vec("Cups", 500, level=level, split="shift"), "tracker").mean() > 0.95


@pytest.mark.parametrize(
    ("overrides", "allowed"),
    [
        (dict(cups=7), "2..6"),
        (dict(cups=1), "2..6"),
        (dict(swaps=(3, 2)), "0..10"),
        (dict(swaps=11), "0..10"),
        (dict(swap_steps=2), "3..12"),
        (dict(apart=6), "1..5"),
        (dict(screen=1), "True or False"),
        (dict(hops=1.5), "0..1"),
        (dict(hops=float("nan")), "0..1"),
        (dict(hides=4), "0..3"),
        (dict(play="hide"), "'swap', 'move', 'round'"),
        (dict(play="round", hops=0.5), "must be 0"),
        (dict(play="swap", screen=True, panels=2), "must be 1"),
        (dict(play="round", cups=3, screen=True, panels=2), "at most half"),
        (dict(order="colour"), "'place', 'distance', 'index'"),
        (dict(order="identity"), "'place', 'distance', 'index'"),
        (dict(ring=2.0), "1.1..1.5"),
        (dict(cups=6, arc=60.0), "at least 0.45 m"),
        (dict(ring=1.5, jitter=0.06, room=1.9), "room"),
        (dict(play="move", screen=False), "screen=True"),
        (dict(play="move", screen=True, hops=0.5), "must be 0"),
        (dict(play="move", screen=True, hides=1), "must be 0"),
        (dict(level="b-not-a"), "a-not-b"),
        (dict(cup=3), "cups"),
    ],
)
def test_bad_keywords_are_named_with_what_is_allowed(overrides: dict, allowed: str) -> None:
    with pytest.raises(BadParameter) as caught:
        make("Cups", **overrides)
    assert any(str(name) in str(caught.value) for name in overrides) and allowed in str(caught.value)


def test_every_value_of_every_curve_can_be_played() -> None:
    for level in (1, 2, 3):
        for name, values in Cups.curves.items():
            for value in values:
                assert getattr(Cups.at(level, {name: value}), name) in (value, (value, value))


def test_the_twin_shows_the_ball_in_the_same_episodes() -> None:
    assert Cups.levels[0] == Cups.twin(1)
    for level in (2, 3):
        env = make_vec("Cups", 500, level=level, glass=True)
        assert returns(env, "reflex").mean() > returns(env, "oracle").mean() - 0.05


def test_version_0_keeps_its_levels() -> None:
    env = make_vec("Unseen/Cups-v0", 500, level=3, split="test")
    assert env.params.hops == 0.4 and env.params.play == "swap"
    assert returns(env, "tracker").mean() > 0.97
