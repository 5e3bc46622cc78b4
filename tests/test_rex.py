"""Rex: collars show only from near, dogs that meet may change places, there is one look, what is hidden stays hidden."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.envs.core.device import host
from unseen.envs.core.kernels import SENSE
from unseen.envs.core.vector_env import TaskVectorEnv
from unseen.envs.errors import BadParameter
from unseen.envs.permanence.rex.motion import BACK
from unseen.envs.permanence.rex.rules import ARMCHAIR, COUCH, REACH
from unseen.envs.permanence.rex.spec import Rex
from unseen.envs.planar.sight import exposed
from unseen.envs.planar.world import ACT, DARK, DT, DUSK, OBSERVE, REVEAL
from unseen.envs.suite import make, make_vec, resolve
from unseen.train.audit.subject import play

exposed = host(exposed)

LEVELS = (0, 1, 2, 3)
STAY = 3
seeds = st.integers(0, 2**40)
few = settings(max_examples=25, deadline=None)


@cache
def env_of(
    level: int | str, n: int = 8, obs: str = "slots", split: str = "train", **overrides: object
) -> TaskVectorEnv:
    if level == 2:  # so that all observe equally long
        overrides = {"crossings": (2, 2), **overrides}
    return make_vec("Rex", n, level=level, obs=obs, split=split, **overrides)


def stay(env: TaskVectorEnv, steps: int = 1) -> np.ndarray:
    for _ in range(steps):
        obs, *_ = env.step(np.full(env.num_envs, STAY))
    return obs


def until_act(env: TaskVectorEnv) -> None:
    while not (env.world["phase"] == ACT).all():
        stay(env)


def spots(s: np.void) -> np.ndarray:
    """The spots behind all pieces, (pieces, 2)."""
    n = s["n_boxes"]
    return np.stack([s["box_x"][:n] + BACK * s["box_cos"][:n], s["box_y"][:n] + BACK * s["box_sin"][:n]], 1)


def dogs(s: np.void) -> np.ndarray:
    """Where all dogs are, (dogs, 2)."""
    return np.stack([s["disc_x"], s["disc_y"]], 1)[: s["n_discs"]]


def places(s: np.void) -> list[int]:
    """The piece to whose spot each dog is nearest."""
    return [int(k) for k in np.linalg.norm(dogs(s)[:, None] - spots(s), axis=-1).argmin(1)]


@few
@given(seed=seeds, near=st.sampled_from([0.9, 1.2, 1.7]), level=st.sampled_from([1, 2]))
def test_a_collar_shows_exactly_within_near(seed: int, near: float, level: int) -> None:
    env = env_of(level, near=near)
    obs, _ = env.reset(seed=seed)
    start, count, width = env.layout.discs
    while (env.world["phase"] == OBSERVE).all():
        for s, row in zip(env.world, obs, strict=True):
            for slot in row[start : start + count * width].reshape(count, width):
                if slot[0] < 0.5:
                    assert (slot == 0).all()
                    continue
                j = int(np.linalg.norm(dogs(s) - slot[1:3] * env.layout.scale, axis=1).argmin())
                far = np.hypot(s["disc_x"][j] - s["agent_x"], s["disc_y"][j] - s["agent_y"])
                if abs(far - near) > 1e-6:
                    assert slot[5:].sum() == (far < near)
                if far < near:
                    assert slot[5:].argmax() == s["disc_colour"][j]
        obs = stay(env)


@few
@given(seed=seeds, level=st.sampled_from([1, 2, 3]), split=st.sampled_from(["train", "shift"]))
def test_at_first_all_dogs_stand_still_and_show_their_collars(seed: int, level: int, split: str) -> None:
    env = env_of(level, split=split)
    obs, _ = env.reset(seed=seed)
    start, count, width = env.layout.discs
    for _ in range(2):
        for s, row in zip(env.world, obs, strict=True):
            slots = row[start : start + count * width].reshape(count, width)
            assert slots[:, 0].sum() == slots[:, 5:].sum() == s["n_discs"]
            assert sorted(slots[slots[:, 0] > 0, 5:].argmax(1)) == sorted(s["disc_colour"][: s["n_discs"]])
            assert (slots[:, 3:5] == 0).all() or s["t"] == 2
        obs = stay(env)


@few
@given(seed=seeds, level=st.sampled_from([2, 3]), feints=st.booleans(), split=st.sampled_from(["train", "shift"]))
def test_meetings_are_permutations(seed: int, level: int, feints: bool, split: str) -> None:
    env = env_of(level, feints=feints, split=split)
    env.reset(seed=seed)
    pairs = env.params.pairs
    stay(env, int(env.world["first_meeting"][0]))
    for meetings in np.split(np.arange(env.world["n_meetings"][0]), env.params.crossings[0]):
        assert len(meetings) == pairs
        before = [places(s) for s in env.world]
        stay(env, int(env.world["meeting_steps"][0]))
        for s, place in zip(env.world, before, strict=True):
            assert len({*s["gap"][meetings], *(s["gap"][meetings] + 1) % s["n_boxes"]}) == 2 * pairs
            for m in meetings:
                k, after = s["gap"][m], (s["gap"][m] + 1) % s["n_boxes"]
                for dog, spot, other in ((s["lower"][m], k, after), (s["upper"][m], after, k)):
                    assert dog < 0 or place[dog] == spot
                    if dog >= 0 and s["passes"][m]:
                        place[dog] = other
                assert feints or s["passes"][m]
            assert places(s) == place and len(set(place)) == s["n_discs"]
    for s in env.world:
        assert [s["behind"][k] for k in places(s)] == list(range(s["n_discs"]))
        assert sorted(k for k in s["behind"][: s["n_boxes"]] if k >= 0) == list(range(s["n_discs"]))


@few
@given(seed=seeds, level=st.sampled_from([1, 2, 3]), split=st.sampled_from(["train", "shift"]))
def test_runs_are_continuous_and_no_dog_collides(seed: int, level: int, split: str) -> None:
    env = env_of(level, split=split)
    env.reset(seed=seed)
    while (env.world["phase"] == OBSERVE).all():
        before = env.world.copy()
        for s in before:
            n = s["n_discs"]
            apart = np.linalg.norm(dogs(s)[:, None] - dogs(s), axis=-1) + 9 * np.eye(n)
            assert (apart > 2 * s["disc_radius"][0]).all()
            assert (np.abs(dogs(s)) < s["room_hx"] - s["disc_radius"][0]).all()
            assert np.hypot(*(dogs(s) - [s["agent_x"], s["agent_y"]]).T).min() > 0.2 + s["disc_radius"][0]
        stay(env)
        for old, new in zip(before, env.world, strict=True):
            moved = dogs(new) - dogs(old)
            assert np.allclose(moved, DT * np.stack([old["disc_vx"], old["disc_vy"]], 1)[: old["n_discs"]])
    for s in env.world:
        assert s["light"] == DARK and (s["disc_vx"] == 0).all() and (s["disc_vy"] == 0).all()


@pytest.mark.parametrize("split", ["train", "shift"])
@pytest.mark.parametrize("level", [1, 2, 3])
def test_dogs_rest_fully_hidden_when_the_blackout_falls(level: int, split: str) -> None:
    env = env_of(level, split=split)
    for seed in range(0, 160, 8):
        env.reset(seed=seed)
        while (env.world["phase"] == OBSERVE).all():
            stay(env)
        for s in env.world:
            for x, y in dogs(s):
                assert not exposed(s, s["agent_x"], s["agent_y"], x, y, s["disc_radius"][0])


@few
@given(seed=seeds, level=st.sampled_from([*LEVELS, "couch"]))
def test_what_is_asked_for_is_in_one_place_and_that_is_the_answer(seed: int, level: int | str) -> None:
    env = env_of(level)
    env.reset(seed=seed)
    until_act(env)
    for s in env.world:
        colours, kinds, k = env.layout.colours, s["box_kind"][: s["n_boxes"]], int(s["answer"])
        assert sorted(np.bincount(kinds, minlength=2)) == [1, s["n_boxes"] - 1]
        if s["query"] >= colours:
            assert kinds[k] == s["query"] - colours and (kinds == kinds[k]).sum() == 1
            assert level == "couch"
        else:
            assert s["disc_colour"][s["behind"][k]] == s["query"]
            assert level == 3 or s["query"] == 0
        assert (s["box_hx"][: s["n_boxes"]] == s["box_hx"][0]).all() and (
            s["box_hy"][: s["n_boxes"]] == s["box_hy"][0]
        ).all()


@pytest.mark.parametrize("level", [*LEVELS, "couch"])
def test_one_look_behind_any_piece_ends_the_episode(level: int | str) -> None:
    env = env_of(level)
    empty = 0
    for place in range(env.params.pieces):
        env.reset(seed=7)
        until_act(env)
        for s in env.world:
            x, y = spots(s)[place]
            s["agent_x"], s["agent_y"] = x - 0.3 * s["box_sin"][place], y + 0.3 * s["box_cos"][place]
        _, reward, terminated, truncated, _ = env.step(np.full(8, STAY))
        assert terminated.all() and not truncated.any()
        assert (reward == (env.world["answer"] == place)).all()
        for s in env.world:
            dog, colours = s["behind"][place], env.layout.colours
            assert s["light"] == (DUSK if level == 3 else REVEAL) and s["touched"] == dog
            if dog >= 0 and not s["asks_furniture"]:
                assert s["contact"] == s["disc_colour"][dog]
            else:
                assert s["contact"] == (colours + s["box_kind"][place] if level == "couch" else -1)
            empty += dog < 0
    assert (empty > 0) == (level in (0, 1))


def test_an_empty_piece_shows_its_kind() -> None:
    env = env_of(2, pieces=4, request="both", blackout=1)
    env.reset(seed=7)
    until_act(env)
    for s in env.world:
        s["agent_x"], s["agent_y"] = spots(s)[s["behind"][:4].argmin()]
    env.step(np.full(8, STAY))
    for s in env.world:
        assert s["contact"] == env.layout.colours + s["box_kind"][s["behind"][:4].argmin()]


def test_an_episode_goes_on_while_there_is_no_look_and_time_is_left() -> None:
    env = env_of(2, blackout=(2, 2))
    env.reset(seed=3)
    until_act(env)
    for s in env.world:  # at the face of a piece, which hides its spot
        s["agent_x"], s["agent_y"] = 0.6 * s["box_x"][0], 0.6 * s["box_y"][0]
    _, reward, terminated, _, _ = env.step(np.full(8, STAY))
    assert not terminated.any() and (reward == 0).all()
    for _ in range(env.params.act - 1):
        assert not terminated.any()
        _, reward, terminated, truncated, _ = env.step(np.full(8, STAY))
    assert truncated.all() and not terminated.any() and (reward == 0).all() and (env.world["light"] == REVEAL).all()


@pytest.mark.parametrize("level", [1, 2, 3, "couch"])
def test_what_is_hidden_is_hidden_in_every_mode(level: int | str) -> None:
    env = env_of(level, obs="dict")
    env.reset(seed=11)
    stay(env, int(env.world["launch"].max()) + 3)
    rng = np.random.default_rng(0)

    def unchanged() -> bool:
        before = [o.copy() for o in env.batch.obs]
        env.batch.run(SENSE)
        return all(np.array_equal(a, b) for a, b in zip(before, env.batch.obs, strict=True))

    far = 0
    while (env.world["phase"] == OBSERVE).all():  # collars of dogs that are out of range
        for s in env.world:
            out = [
                j for j, d in enumerate(np.hypot(*(dogs(s) - [s["agent_x"], s["agent_y"]]).T)) if d > s["colour_range"]
            ]
            s["disc_colour"][out] = rng.permutation(s["disc_colour"][out])
            far += len(out)
        assert unchanged()
        stay(env)
    assert far
    acted = 0
    for _ in range(40):
        for s in env.world:  # and in the dusk everything but the agent's pose and the query
            if s["light"] == DUSK:
                s["disc_colour"][: s["n_discs"]] = rng.permutation(s["disc_colour"][: s["n_discs"]])
                s["disc_x"][: s["n_discs"]] = rng.uniform(-2, 2, s["n_discs"])
                s["behind"] = rng.permutation(s["behind"])
                s["box_kind"] = rng.integers(0, 2, len(s["box_kind"]))
                s["answer"], s["asks_furniture"] = rng.integers(s["n_boxes"]), rng.integers(2)
                acted += 1
        assert unchanged()
        stay(env)
    assert acted > 40


def test_a_changed_kind_shows_by_day_and_not_in_the_dusk() -> None:
    env = env_of("couch", obs="dict")
    env.reset(seed=1)
    for shows in (True, False):
        before = [o.copy() for o in env.batch.obs]
        env.world["box_kind"] = 1 - env.world["box_kind"]
        env.batch.run(SENSE)
        assert [not np.array_equal(a, b) for a, b in zip(before, env.batch.obs, strict=True)] == [shows] * 3
        until_act(env)


def test_level_0_shows_the_answer_throughout() -> None:
    env = env_of(0)
    obs, _ = env.reset(seed=5)
    until_act(env)
    obs = stay(env)
    start, count, width = env.layout.discs
    for s, row in zip(env.world, obs, strict=True):
        if s["done"]:
            continue
        assert row[start : start + count * width].reshape(count, width)[:, 5:].sum() == s["n_discs"]


@pytest.mark.parametrize(("request_", "kinds"), [("collar", set()), ("furniture", {COUCH, ARMCHAIR})])
def test_requests_of_one_sort(request_: str, kinds: set[int]) -> None:
    env = make_vec("Rex", 200, request=request_)
    env.reset(seed=0)
    asked = set((env.world["query"] - env.layout.colours).tolist())
    assert {k for k in asked if k >= 0} == kinds and (min(asked) < 0) == (request_ == "collar")


def test_an_episode_leaves_nothing_to_the_next_one() -> None:
    used, fresh = (make_vec("Rex", 64, level=2) for _ in range(2))
    used.reset(seed=100)
    stay(used, 50)
    used.reset(seed=0)
    fresh.reset(seed=0)
    for _ in range(30):
        assert used.world.tobytes() == fresh.world.tobytes()
        stay(used)
        stay(fresh)


def test_the_number_of_meetings_is_drawn() -> None:
    env = make_vec("Rex", 400, level=2, crossings=(0, 1))
    env.reset(seed=0)
    w = env.world
    assert 150 < w["n_meetings"].sum() < 250 and set(w["n_meetings"]) == {0, 1}
    assert (w["observe_steps"] == w["first_meeting"] + w["n_meetings"] * w["meeting_steps"] + 1).all()


def test_level_3_asks_only_after_the_blackout() -> None:
    env = env_of(3)
    obs, _ = env.reset(seed=0)
    while not (env.world["phase"] == ACT).any():
        assert (obs[:, env.layout.query] == 0).all()
        obs = stay(env)
    assert (obs[:, env.layout.query].sum(1) == (env.world["phase"] == ACT)).all()


@pytest.mark.parametrize("level", LEVELS)
def test_shift_draws_from_other_ranges(level: int) -> None:
    here, there = (make_vec("Rex", 20_000, level=level, split=split) for split in ("train", "shift"))
    for env in (here, there):
        env.reset(seed=0)
    assert there.world["first_meeting"].max() < here.world["first_meeting"].min()
    assert there.world["disc_radius"][0, 0] > here.world["disc_radius"][0, 0]
    if level in (1, 2):
        colours = set(range(here.layout.colours))
        assert set(here.world["query"]) & colours == {0} and (there.world["query"] != 0).all()
    assert (there.world["n_discs"] == here.world["n_discs"] - (level == 3)).all()
    for env in (here, there):
        k = env.params.pieces
        counts = np.bincount(env.batch.hidden(), minlength=k)
        assert len(counts) == k and np.abs(counts - 20_000 / k).max() < 5 * (20_000 / k) ** 0.5


@pytest.mark.parametrize("level", LEVELS)
def test_levels_are_of_a_playable_length(level: int) -> None:
    env = make("Rex", level=level)
    assert 20 <= env.horizon <= 150
    assert REACH < env.params.ring + BACK - 2**0.5 * env.params.scramble  # no agent starts behind a piece


@pytest.mark.parametrize("split", ["train", "shift"])
@pytest.mark.parametrize("pace", [1.0, 2.8, 4.0])
@pytest.mark.parametrize("level", LEVELS)
def test_the_longest_episode_takes_the_horizon(level: int, pace: float, split: str) -> None:
    most = Rex.at(level, {"pace": pace})
    env = make_vec(
        "Rex", 4, level=level, split=split, pace=pace, blackout=most.blackout[1], crossings=most.crossings[1]
    )
    env.reset(seed=0)
    steps, truncated = 0, np.zeros(4, bool)
    while not truncated.any():
        _, _, _, truncated, _ = env.step(np.full(4, STAY))
        steps += 1
    assert truncated.all() and steps <= env.horizon
    assert steps == env.horizon or split == "shift"


def test_metrics_come_at_the_end_and_only_then() -> None:
    env = make_vec("Rex", 200, level=1)
    obs, infos = env.reset(seed=4)
    oracle, ended = env.reference("oracle"), 0
    assert infos == {}
    for _ in range(40):
        obs, reward, terminated, _, infos = env.step(oracle.act(obs, np.zeros(200, bool)))
        assert (infos == {}) == (not terminated.any())
        if terminated.any():
            assert np.array_equal(infos["_is_success"], terminated)
            assert np.array_equal(infos["is_success"], reward > 0)
        ended += terminated.sum()
    assert ended > 200


def test_asking_the_oracle_leaves_the_world_as_it_is() -> None:
    env = make_vec("Rex", 8, level=3)
    obs, _ = env.reset(seed=0)
    oracle = env.reference("oracle")
    for _ in range(env.horizon):
        before = env.snapshot()
        actions = oracle.act(obs, np.zeros(8, bool))
        assert env.snapshot() == before
        obs, *_ = env.step(actions)


def test_continuous_actions_do_what_the_arcs_do() -> None:
    arcs, free = env_of(1), env_of(1, action="continuous")
    rows = np.array(list(arcs.task.actions.values()), np.float32)
    for env in (arcs, free):
        env.reset(seed=4)
    rng = np.random.default_rng(0)
    for _ in range(40):
        actions = rng.integers(0, 4, 8)
        a, b = arcs.step(actions), free.step(rows[actions])
        assert all(np.array_equal(x, y) for x, y in zip(a[:4], b[:4], strict=True))


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        (dict(dogs=4), "pieces=3"), (dict(dogs=0), "1..6"), (dict(dogs=2.5), "integer"), (dict(pieces=7), "2..6"),
        (dict(dogs=1), "neighbouring"), (dict(crossings=7), "0..6"), (dict(crossings=(2, 1)), "0..6"),
        (dict(together=True), "even"), (dict(order="colour"), "'identity'"), (dict(order="place"), "'identity'"),
        (dict(request="dog"), "'furniture'"), (dict(near=0.5), "0.85"),
        (dict(near=float("nan")), "in 0..3"), (dict(ring=1.6), "room=2.5"), (dict(pieces=6, dogs=5), "no gaps"),
        (dict(feints=1), "True or False"), (dict(collars=3), "unexpected keyword argument"),
    ],
)  # fmt: skip
def test_bad_parameters_are_named_with_what_is_allowed(overrides: dict, says: str) -> None:
    with pytest.raises(BadParameter) as caught:
        make("Rex", **overrides)
    assert any(name in str(caught.value) for name in overrides) and says in str(caught.value)


def test_every_point_of_the_curves_is_allowed() -> None:
    for name, values in Rex.curves.items():
        for value in values:
            assert getattr(Rex.at(Rex.default_level, {name: value}), name) in (value, (value, value))


def test_references_stand_where_they_belong() -> None:
    for level, split in ((0, "test"), (1, "test"), (2, "test"), (3, "test"), (3, "shift")):
        env = make_vec("Rex", 300, level=level, split=split)
        assert play(env, "oracle", 0, 300).mean() > 0.97
        assert play(env, "tracker", 0, 300).mean() > 0.97


@pytest.mark.parametrize("level", [1, 2, 3])
def test_no_level_can_be_solved_without_a_faculty_that_it_demands(level: int) -> None:
    n = 1_000
    env = make_vec("Rex", n, level=level, split="test")
    for faculty in Rex.faculties.values():
        if level in faculty.levels:
            for name in faculty.policies:
                score, sigma = play(env, name, 0, n).mean(), 0.5 / n**0.5
                assert score < 1 / env.params.pieces + faculty.limit(level, name) + 3 * sigma, name


@pytest.mark.parametrize("level", [1, 2, 3])
def test_in_the_visible_twin_no_memory_is_needed(level: int) -> None:
    env = make_vec("Rex", 300, level=level, **Rex.visible)
    assert play(env, "reflex", 0, 300).mean() > 0.95


def test_level_0_is_the_twin_of_level_1() -> None:
    assert Rex.levels[0] == Rex.twin(1)


def test_where_a_dog_hides_first_tells_nothing_at_level_2() -> None:
    env = make_vec("Rex", 20_000, level=2)
    env.reset(seed=0)
    w, n = env.world, 20_000
    before = w["home"][np.arange(n), (w["disc_colour"][:, :3] == 0).argmax(1)]
    counts = np.bincount(before * 3 + w["answer"], minlength=9)
    assert np.abs(counts - n / 9).max() < 5 * (n / 9) ** 0.5


def test_the_couch_is_asked_for_in_a_preset_that_demands_to_remember_it() -> None:
    env = make_vec("Rex", 400, level="couch", split="test")
    assert play(env, "tracker", 0, 400).mean() > 0.97 and play(env, "odd_piece", 0, 400).mean() > 0.97
    assert (env.world["asks_furniture"] == 1).all()
    for name in ("reflex", "tracker-16", "any_dog"):
        assert play(env, name, 0, 400).mean() < 0.25 + 0.1, name


def test_version_0_has_the_old_levels() -> None:
    old = resolve("Unseen/Rex-v0")
    assert old.task.levels[1] == Rex.levels[1] and old.task.levels[0] != Rex.levels[0]
    one, other = (make_vec(name, 16, level=1) for name in ("Rex", "Unseen/Rex-v0"))
    for env in (one, other):
        env.reset(seed=0)
    for _ in range(40):
        actions = one.action_space.sample()
        for a, b in zip(one.step(actions)[:4], other.step(actions)[:4], strict=True):
            assert np.array_equal(a, b)
    assert make_vec(old.id, 4, level=3, obs="state").observation_space.shape == (4, 146)
