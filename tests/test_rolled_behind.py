"""The rules of RolledBehind, and interface properties of every environment."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

import unseen  # noqa: F401  registers the ids
from unseen.envs.core.device import host
from unseen.envs.core.rng import keys
from unseen.envs.errors import BadAction, BadParameter, BadSnapshot, ResetNeeded, UnknownEnvironment
from unseen.envs.planar.sight import exposed
from unseen.envs.planar.world import DARK, DUSK, REVEAL
from unseen.envs.suite import make, make_vec, resolve
from unseen.train.audit.subject import play

exposed = host(exposed)

ID = "Unseen/RolledBehind-v1"


@pytest.mark.parametrize("level", [1, 2])
def test_blocks_rest_fully_hidden_when_the_blackout_falls_and_when_it_ends(level: int) -> None:
    env = make_vec("RolledBehind", 300, level=level)
    env.reset(seed=0)
    for _ in range(env.horizon):
        before = env.world["light"].copy()
        env.step(np.full(300, 3))
        w = env.world
        turned = (w["light"] != before) & ((w["light"] == DARK) | (w["light"] == DUSK))
        for i in np.nonzero(turned)[0]:
            s = w[i]
            assert (s["disc_vx"][: s["n_discs"]] == 0).all()
            for k in range(s["n_discs"]):
                assert not exposed(s, s["agent_x"], s["agent_y"], s["disc_x"][k], s["disc_y"][k], s["disc_radius"][k])


def test_a_touch_ends_the_episode_with_the_lights_on() -> None:
    env = make_vec("RolledBehind", 200, level=2)
    obs, _ = env.reset(seed=1)
    oracle = env.reference("oracle")
    first, seen_end = np.ones(200, bool), 0
    for _ in range(env.horizon + 1):
        obs, reward, terminated, truncated, _ = env.step(oracle.act(obs, first))
        for i in np.nonzero(terminated | truncated)[0]:
            start, count, width = env.layout.discs
            assert env.world["light"][i] == REVEAL
            assert (obs[i, start : start + count * width : width] == 1).all()
            assert reward[i] in (0.0, 1.0)
            seen_end += 1
    assert seen_end >= 200


def test_the_act_phase_shows_no_block_until_one_is_touched() -> None:
    env = make_vec("RolledBehind", 300, level=2)
    obs, _ = env.reset(seed=2)
    rng = np.random.default_rng(0)
    start = env.layout.discs[0]
    for _ in range(env.horizon):
        obs, _, terminated, truncated, _ = env.step(rng.integers(0, 4, 300))
        hidden = (obs[:, env.layout.phase][:, 2] > 0.5) & ~(terminated | truncated) & (env.world["t"] > 0)
        assert (obs[hidden, start:] == 0).all()


def test_splits_share_no_key() -> None:
    seeds = np.arange(100_000)
    drawn = np.concatenate([keys(seeds, split) for split in ("train", "test", "shift")])
    assert len(np.unique(drawn)) == len(drawn)


def test_gymnasium_makes_it_all_ways() -> None:
    for env in (gym.make(ID, level=1), gym.make(f"unseen:{ID}")):
        obs, info = env.reset(seed=0)
        assert obs in env.observation_space and info == {}
        env.step(env.action_space.sample())
    vec = gym.make_vec(ID, num_envs=1024)
    assert type(vec.unwrapped).__name__ == "TaskVectorEnv"
    assert vec.reset(seed=0)[0].shape[0] == 1024


@pytest.mark.parametrize("obs", ["slots", "rays", "pixels", "dict", "state"])
def test_every_observation_lies_in_its_space(obs: str) -> None:
    env = make_vec("RolledBehind", 8, level=3, obs=obs)
    rows, _ = env.reset(seed=0)
    for _ in range(50):
        assert env.observation_space.contains(rows)
        rows, *_ = env.step(env.action_space.sample())


def test_continuous_actions_do_what_the_arcs_do() -> None:
    arcs, free = make("RolledBehind", level=1), make("RolledBehind", level=1, action="continuous")
    arcs.reset(seed=5)
    free.reset(seed=5)
    for action, row in ((0, (1, 0)), (1, (1, 1)), (2, (1, -1)), (3, (0, 0))) * 5:
        a, b = arcs.step(action), free.step(np.array(row, np.float32))
        assert np.array_equal(a[0], b[0]) and a[1:4] == b[1:4]
        if a[2]:
            break


def test_same_step_autoreset_gives_the_final_observation() -> None:
    same, following = (
        make_vec("RolledBehind", 64, level=1, autoreset_mode=mode)
        for mode in (AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP)
    )
    same.reset(seed=3)
    following.reset(seed=3)
    ended = 0
    for _ in range(30):
        actions = np.zeros(64, int)
        _, reward, *ends, infos = same.step(actions)
        other, same_reward, *same_ends, _ = following.step(actions)
        assert np.array_equal(reward, same_reward) and np.array_equal(ends, same_ends)
        over = ends[0] | ends[1]
        if over.any():
            assert np.array_equal(infos["_final_obs"], over)
            assert np.array_equal(np.stack(infos["final_obs"][over]), other[over])
            ended += over.sum()
            break
    assert ended


@pytest.mark.parametrize("action", [-1, 4, 1.0, float("nan"), "forward", np.array([0, 1]), None, True])
def test_bad_discrete_actions_are_named(action: object) -> None:
    env = make("RolledBehind")
    env.reset(seed=0)
    with pytest.raises(BadAction, match="action"):
        env.step(action)


@pytest.mark.parametrize("row", [[np.nan, 0], [2.0, 0], [0.0], "x", [[0, 0]]])
def test_bad_continuous_actions_are_named(row: object) -> None:
    env = make("RolledBehind", action="continuous")
    env.reset(seed=0)
    with pytest.raises(BadAction, match="action"):
        env.step(row)


@pytest.mark.parametrize("level", [1, 2, 3])
def test_the_tracker_measures_friction_which_shift_changes(level: int) -> None:
    env = make_vec("RolledBehind", 300, level=level, split="shift")
    assert play(env, "tracker", 0, 300).mean() > 0.97


@pytest.mark.parametrize(
    "overrides",
    [
        dict(level=9), dict(level=True), dict(obs="smell"), dict(action="walk"), dict(split="valid"),
        dict(colour="red"),
        dict(occluders=7), dict(occluders=2.5), dict(blocks=5), dict(blackout=(5, 2)), dict(blackout="long"),
        dict(glass=1), dict(query="never"), dict(bump=True), dict(ring=1.4, room=2.0), dict(named=1, order="colour"),
        dict(radius=float("nan")),
        dict(render_mode="ansi"),
    ],
)  # fmt: skip
def test_bad_keywords_are_named_with_what_is_allowed(overrides: dict) -> None:
    with pytest.raises(BadParameter) as caught:
        make("RolledBehind", **overrides)
    assert any(str(name) in str(caught.value) for name in overrides)


def test_a_renamed_keyword_is_told_its_new_name() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'curtain': it is now called 'blackout'"):
        make("RolledBehind", curtain=3)


def test_metrics_come_at_the_end_and_only_then() -> None:
    env = make_vec("RolledBehind", 200, level=1)
    obs, info = env.reset(seed=4)
    oracle, ended = env.reference("oracle"), 0
    assert info == {}
    for _ in range(env.horizon + 1):
        obs, reward, terminated, truncated, info = env.step(oracle.act(obs, np.zeros(200, bool)))
        over = terminated | truncated
        assert (info == {}) == (not over.any())
        if over.any():
            assert np.array_equal(info["_is_success"], over)
            assert np.array_equal(info["is_success"], reward > 0)
        ended += over.sum()
    assert ended >= 200


def test_step_needs_a_live_episode() -> None:
    env = make("RolledBehind", level=1)
    with pytest.raises(ResetNeeded):
        env.step(0)
    env.reset(seed=0)
    over = False
    while not over:
        _, _, terminated, truncated, _ = env.step(0)
        over = terminated or truncated
    with pytest.raises(ResetNeeded):
        env.step(0)


def test_foreign_snapshots_are_refused() -> None:
    env = make("RolledBehind", level=1)
    env.reset(seed=0)
    for data in (b"", env.snapshot()[:-1], make("RolledBehind", level=0).snapshot(), 7):
        with pytest.raises(BadSnapshot):
            env.restore(data)


def test_unknown_names_get_the_nearest() -> None:
    with pytest.raises(UnknownEnvironment, match="RolledBehind"):
        resolve("RoledBehind")


def test_every_level_can_be_shifted() -> None:
    for level in resolve("RolledBehind").levels:
        make_vec("RolledBehind", 200, level=level, split="shift").reset(seed=0)


def test_colours_are_visible_only_in_the_first_observation_of_level_3() -> None:
    env = make_vec("RolledBehind", 50, level=3)
    rows, _ = env.reset(seed=0)
    start, count, width = env.layout.discs
    discs = rows[:, start:].reshape(50, count, width)
    assert (discs[:, :, 0] == 1).all() and (discs[:, :, 5:].sum(-1) == 1).all()
    for _ in range(resolve("RolledBehind").task.levels[3].observe_steps - 1):
        rows, *_ = env.step(np.full(50, 3))
        discs = rows[:, start:].reshape(50, count, width)
        assert (discs[:, :, 0] == 1).any() and (discs[:, :, 5:] == 0).all()


@pytest.mark.parametrize("split", ["train", "shift"])
def test_after_a_volley_every_occluder_hides_one_block_and_none_where_it_was(split: str) -> None:
    env = make_vec("RolledBehind", 200, level=3, split=split)
    env.reset(seed=0)
    params = resolve("RolledBehind").task.levels[3]
    before = None
    for t in range(params.observe_steps + 8):
        if t == params.observe_steps - 1:
            before = env.world.copy()
        env.step(np.full(200, 3))
    assert before is not None
    for s, earlier in zip(env.world, before, strict=True):
        assert sorted(s["home"]) == list(range(6))
        for j in range(6):
            distance = np.hypot(s["box_x"] - s["disc_x"][j], s["box_y"] - s["disc_y"][j])
            assert distance.argmin() == s["home"][j]
            assert np.hypot(s["disc_x"][j] - earlier["disc_x"][j], s["disc_y"][j] - earlier["disc_y"][j]) > 0.5


def random_params(rng: np.random.Generator) -> dict:
    """Values of all parameters, drawn from their ranges, of which `check` accepts a part."""
    values = {}
    for name, spec in resolve("RolledBehind").task.params.specs().items():
        if spec.kind == "choice":
            values[name] = str(rng.choice(spec.options))
        elif spec.kind == "span":
            values[name] = tuple(int(k) for k in sorted(rng.integers(spec.low, spec.high + 1, 2)))
        elif spec.kind == "real":
            values[name] = float(rng.uniform(spec.low, spec.high))
        else:
            values[name] = bool(rng.integers(2)) if spec.kind == "flag" else int(rng.integers(spec.low, spec.high + 1))
    if rng.integers(2):  # else hardly any draw with bumps would be accepted
        values |= dict(occluders=6, blocks=6, room=4.5, breadth=0.3, depth=0.15, ring=1.3, jitter=0.05, radius=0.1)
        values |= dict(bump=False, volley=True, friction=float(rng.uniform(2.5, 8.0)), scramble=0.3)
    return values


def test_no_reset_fails_and_every_episode_ends_in_time_whatever_the_parameters() -> None:
    rng = np.random.default_rng(0)
    accepted = 0
    while accepted < 60:
        values = random_params(rng)
        try:
            env = make_vec("RolledBehind", 4, split=("train", "shift")[accepted % 2], **values)
        except BadParameter:
            continue
        accepted += 1
        env.reset(seed=accepted)
        over = np.zeros(4, bool)
        for _ in range(env.horizon):
            _, _, terminated, truncated, _ = env.step(np.full(4, 3))
            over |= terminated | truncated
        assert over.all(), values
