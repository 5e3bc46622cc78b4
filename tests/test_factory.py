"""Factory: its tunnel loses nothing, its rules, its bad inputs, and what its reference players are worth."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import knobs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.agents.references import ReferenceAgent
from unseen.envs.core.device import host
from unseen.envs.core.lazy import load
from unseen.envs.core.view import Belief
from unseen.envs.errors import BadParameter
from unseen.envs.industry.factory import rules, tunnel
from unseen.envs.industry.factory.spec import Factory, FactoryParams
from unseen.envs.suite import make, make_vec
from unseen.train.audit.subject import play

WAIT, FIRST, SECOND, TO_1, TO_2, TO_3, TO_BIN, RESTART = range(8)


def world(env: Any) -> np.void:
    return np.asarray(env.world).reshape(1)[0]


def inside(record: np.void) -> list[int]:
    """Kinds of the parts in the tunnel."""
    q = record["tunnel"]
    return [
        int(q["kind"][lane, (q["first"][lane] + i) % tunnel.INSIDE])
        for lane in range(tunnel.LANES)
        for i in range(q["count"][lane])
    ]


# --- the tunnel ---


@given(
    actions=st.lists(st.integers(0, 7), min_size=60, max_size=290), seed=st.integers(0, 2**30), level=st.integers(0, 3)
)
@settings(max_examples=30, deadline=None)
def test_no_part_is_lost_or_doubled_or_changed(actions: list[int], seed: int, level: int) -> None:
    """What has arrived waits, is inside, has come out or has fallen, kind by kind."""
    env = make("Factory", level=level)
    env.reset(seed=seed)
    gone: list[int] = []
    for action in actions:
        before = world(env).copy()
        _, _, terminated, truncated, _ = env.step(action)
        now = world(env)
        if now["out"]:
            gone.append(int(now["last_out"]))
        if now["fallen"] > before["fallen"]:
            gone.append(int(now["kinds"][now["arrived"] - 1]))
        waiting = now["slot"][: now["waiting"]].tolist()
        assert sorted(gone + waiting + inside(now)) == sorted(now["kinds"][: now["arrived"]].tolist())
        if terminated or truncated:
            break


@given(
    lengths=st.tuples(st.integers(20, 60), st.integers(20, 60)),
    lanes=st.lists(st.integers(0, 1), min_size=1, max_size=40),
)
@settings(max_examples=40, deadline=None)
def test_parts_of_a_lane_come_out_in_order_and_on_time(lengths: tuple[int, int], lanes: list[int]) -> None:
    q = np.zeros(1, tunnel.TUNNEL)[0]
    host(tunnel.empty)(q)
    q["length"][:] = lengths
    due: list[list[int]] = [[], []]
    for step in range(40 + 2 * max(lengths)):
        if step < len(lanes) and host(tunnel.has_room)(q, lanes[step], 2):
            host(tunnel.enter)(q, lanes[step], step % 4)
            due[lanes[step]].append(step)
        q["run"] += 1
        lane = host(tunnel.nearest)(q)
        if lane >= 0 and host(tunnel.distance)(q, lane) <= 0:
            entered = due[lane].pop(0)
            assert host(tunnel.leave)(q, lane) == entered % 4
            assert 0 <= step + 1 - entered - lengths[lane] <= 40, "it waits for parts of the other lane only"
    assert not any(due)


def test_jams_come_at_the_stated_rate() -> None:
    """A lane with parts in it jams at each step with probability 1 / jam: the mean of all runs between two jams."""
    env = make_vec("Factory", 400, level=2, jam=50)
    obs, _ = env.reset(seed=0)
    tracker, first, ran, jams = env.reference("tracker"), np.ones(400, bool), 0, 0
    for _ in range(150):
        before = env.world.copy()
        obs, *_ = env.step(tracker.act(obs, first))
        first = env.world["t"] == 0
        moved = env.world["tunnel"]["run"] - before["tunnel"]["run"]
        ran += int((moved[env.world["t"] > 0] * (env.world["tunnel"]["count"][env.world["t"] > 0] > 0)).sum())
        jams += int((env.world["jams"] - before["jams"])[env.world["t"] > 0].sum())
    assert ran / jams == pytest.approx(50, rel=4 / math.sqrt(jams) + 0.04)  # parts that leave as they jam are few


# --- rules ---


def fill(env: Any, kind: int) -> None:
    """All parts that wait or will arrive are of this kind."""
    record = world(env)
    env.world["kinds"][...] = kind
    env.world["slot"][...] = kind
    env.world["good"][...] = record["parts"]


def run(env: Any, *actions: int) -> list[float]:
    return [float(env.step(action)[1]) for action in actions]


def until_out(env: Any) -> float:
    """Wait until a part comes out. Returns its reward, in parts."""
    for _ in range(100):
        reward = float(env.step(WAIT)[1])
        if world(env)["out"]:
            return reward * float(world(env)["good"])
    raise AssertionError("nothing came out")


@pytest.mark.parametrize(
    ("kind", "gate", "worth"), [(0, TO_1, 1), (0, TO_2, -1), (0, TO_BIN, 0), (3, TO_3, -1), (3, TO_BIN, 0)]
)
def test_a_part_is_worth_what_its_machine_makes_of_it(kind: int, gate: int, worth: int) -> None:
    env = make("Factory", level=1, pace=60)
    env.reset(seed=0)
    fill(env, kind)
    run(env, FIRST, gate)
    assert until_out(env) == pytest.approx(worth)


def test_a_busy_machine_takes_nothing() -> None:
    env = make("Factory", level=1, gap=2, work=50, pace=60, transit=(20, 30), apart=5)
    env.reset(seed=0)
    fill(env, 1)
    env.world["waiting"][...] = 2
    run(env, TO_2, FIRST, WAIT, FIRST)
    assert until_out(env) == pytest.approx(1) and until_out(env) == pytest.approx(-1)


def test_good_parts_that_find_no_slot_cost_two() -> None:
    env = make("Factory", level=1, slots=1)
    env.reset(seed=0)
    fill(env, 0)
    rewards = run(env, *[WAIT] * 60)
    assert (
        sum(rewards) * float(world(env)["good"]) == pytest.approx(-2 * float(world(env)["fallen"]))
        and world(env)["fallen"] > 3
    )


def test_a_jammed_lane_stands_still_until_it_is_restarted() -> None:
    env = make("Factory", level=2, jam=0)
    env.reset(seed=0)
    run(env, FIRST)
    env.world["stopped"][..., 0] = rules.JAMMED
    before = world(env)["tunnel"]["run"].copy()
    run(env, *[WAIT] * 10)
    assert (world(env)["tunnel"]["run"] - before).tolist() == [0, 10]
    assert run(env, RESTART) == [0.0]
    run(env, *[WAIT] * (rules.REPAIR + 1))
    assert world(env)["tunnel"]["run"][0] == before[0] + 2
    assert run(env, RESTART)[0] < 0, "nothing stands still"


def test_a_shift_ends_when_all_is_out_or_its_time_is_up() -> None:
    env = make_vec("Factory", 8, level=1)
    returns = play(env, "oracle", 0, 8)
    assert returns.min() > 0.9 and returns.max() <= 1.0 + 1e-6
    one = make("Factory", level=1)
    one.reset(seed=0)
    for _ in range(300):
        _, _, terminated, truncated, info = one.step(WAIT)
        if terminated or truncated:
            break
    assert truncated and world(one)["t"] == 300 and info["sorted"] == 0 and not info["is_success"]


def test_lanes_of_shift_are_longer() -> None:
    lengths = {}
    for split in ("train", "test", "shift"):
        env = make_vec("Factory", 500, split=split)
        env.reset(seed=0)
        lengths[split] = env.world["tunnel"]["length"].copy()
    assert lengths["train"].max() <= 60 < lengths["shift"].max() <= 75
    assert (abs(np.diff(lengths["train"], axis=1)) >= 20).all()


# --- the same rules, stated anew ---


class Parts:
    """Factory without its rings: a list of parts a lane, each with its distance from the end. It is told when a lane jams."""

    def __init__(self, record: np.void, params: FactoryParams) -> None:
        self.p, self.good = params, int(record["good"])
        self.coming = record["kinds"][: record["parts"]].tolist()
        self.length = record["tunnel"]["length"].tolist()
        self.waiting, self.gate, self.t = [self.coming.pop(0)], 3, 0
        self.lanes: list[list[list[int]]] = [[], []]
        self.since, self.standing = (
            [10**6, 10**6],
            [0, 0],
        )  # belt steps since an entry; steps to stand still, -1: jammed
        self.busy = [0, 0, 0]

    def step(self, action: int, jams: list[bool]) -> float:
        """The reward, in parts."""
        self.t += 1
        worth = 0.0
        if action == RESTART:
            worth -= 0.0 if -1 in self.standing else 0.1
            self.standing = [rules.REPAIR if left == -1 else left for left in self.standing]
        elif action >= TO_1:
            self.gate = action - TO_1
        elif action != WAIT and self.waiting and self.since[action - FIRST] >= self.p.gap:
            lane = action - FIRST
            self.lanes[lane].append([self.waiting.pop(0), self.length[lane]])
            self.since[lane] = 0
        for lane, parts in enumerate(self.lanes):
            if self.standing[lane] == 0:
                self.since[lane] += 1
                for part in parts:
                    part[1] -= 1
                self.standing[lane] = -1 if jams[lane] else 0
            elif self.standing[lane] > 0:
                self.standing[lane] -= 1
        due = sorted((parts[0][1], lane) for lane, parts in enumerate(self.lanes) if parts and parts[0][1] <= 0)
        if due:
            kind, _ = self.lanes[due[0][1]].pop(0)
            if self.gate < 3:
                right = kind == self.gate and self.busy[kind] <= self.t
                worth += 1 if right else -1
                self.busy[self.gate] = self.t + self.p.work if right else self.busy[self.gate]
        if self.coming and self.t % self.p.pace == 0:
            kind = self.coming.pop(0)
            if len(self.waiting) < self.p.slots:
                self.waiting.append(kind)
            elif kind < 3:
                worth -= 2
        return worth


@pytest.mark.parametrize("level", [0, 1, 2, 3])
@pytest.mark.parametrize("player", ["tracker", "random"])
def test_an_independent_simulation_agrees_at_every_step(level: int, player: str) -> None:
    """Rewards, what waits and what is inside, over whole shifts of a good player and of a random one."""
    env = make_vec("Factory", 6, level=level)
    obs, _ = env.reset(seed=level)
    others = [Parts(record, env.params) for record in env.world.copy()]
    tracker, rng, first = env.reference("tracker"), np.random.default_rng(level), np.ones(6, bool)
    for _ in range(250):
        actions = tracker.act(obs, first) if player == "tracker" else rng.integers(0, 8, 6)
        before = env.world["stopped"].copy()
        obs, rewards, terminated, truncated, _ = env.step(actions)
        if (terminated | truncated).any():
            break
        first = np.zeros(6, bool)
        for i, other in enumerate(others):
            record = env.world[i]
            jams = [bool(a == 0 and b == rules.JAMMED) for a, b in zip(before[i], record["stopped"], strict=True)]
            assert other.step(int(actions[i]), jams) == pytest.approx(rewards[i] * other.good, abs=1e-4)
            assert other.waiting == record["slot"][: record["waiting"]].tolist()
            assert [kind for parts in other.lanes for kind, _ in parts] == inside(record)
    assert env.world["t"].max() > 200


def test_waiting_times_are_those_of_a_queue() -> None:
    """One lane that never jams serves a part every `gap` steps, and one arrives every `pace`: part i waits i (gap - pace) steps, and
    by Little's law the number that waits sums to what all wait, with the step in which each arrives."""
    pace, gap, parts = 10, 12, 22
    env = make("Factory", level=1, pace=pace, gap=gap, slots=6)
    env.reset(seed=0)
    assert world(env)["parts"] == parts
    released, total = [], int(world(env)["waiting"])
    for t in range(1, 290):
        before = int(world(env)["tunnel"]["last"][0])
        run(env, FIRST)
        total += int(world(env)["waiting"])
        if world(env)["tunnel"]["last"][0] != before:
            released.append(t)
    assert released == [1 + i * pace + i * (gap - pace) for i in range(parts)]
    assert total == sum(1 + i * (gap - pace) for i in range(parts)) and world(env)["fallen"] == 0


@pytest.mark.parametrize("jam", [15, 60])
def test_jams_slow_an_entry_by_their_repairs(jam: int) -> None:
    """A belt step takes 1 + REPAIR / jam steps on average, so that an entry before which parts always wait takes one every
    gap (1 + REPAIR / jam) steps."""
    n, steps, gap = 400, 200, 8
    env = make_vec("Factory", n, level=2, pace=2, gap=gap, jam=jam)
    env.reset(seed=0)
    entered = np.zeros(n)
    for _ in range(steps):
        before = env.world["tunnel"]["last"][:, 0].copy()
        jammed = env.world["stopped"][:, 0] == rules.JAMMED
        env.step(np.where(jammed, RESTART, FIRST))
        entered += env.world["tunnel"]["last"][:, 0] != before
    predicted = 1 + (steps - 1) / (gap * (1 + rules.REPAIR / jam)) - 0.5  # a part that is under way counts half
    assert entered.mean() == pytest.approx(predicted, abs=0.02 * predicted)


# --- bad input ---


@pytest.mark.parametrize(
    ("keywords", "named"),
    [(dict(apart=50), "apart"), (dict(transit=(0, 20)), "transit"), (dict(gap=1, transit=(20, 100)), "gap"), (dict(pace=0), "pace"),
     (dict(pace=1, steps=1000), "pace"),
     (dict(pace=30, steps=100), "no part"), (dict(cracked=math.nan), "cracked"), (dict(slots=7), "slots"), (dict(jam=-1), "jam")],
)  # fmt: skip
def test_impossible_parameters_are_refused(keywords: dict[str, Any], named: str) -> None:
    with pytest.raises(BadParameter, match=named):
        make("Factory", **keywords)


@pytest.mark.parametrize("action", [-1, 8, 2.5, math.nan])
def test_impossible_actions_are_refused(action: Any) -> None:
    env = make("Factory")
    env.reset(seed=0)
    with pytest.raises(Exception, match=r"action|Discrete|8"):
        env.step(action)


def with_possible_difference(found: dict[str, Any]) -> dict[str, Any]:
    """The knobs, with a difference that two lanes of these lengths can have."""
    return found | {"apart": min(found["apart"], (found["transit"][1] - found["transit"][0]) // 2)}


@given(
    keywords=knobs.knobs(FactoryParams).map(with_possible_difference),
    seed=st.integers(0, 2**30),
    split=st.sampled_from(["train", "shift"]),
)
@settings(max_examples=25, deadline=None)
def test_extreme_knobs_are_refused_or_give_finite_numbers(keywords: dict[str, Any], seed: int, split: str) -> None:
    try:
        env = make_vec("Factory", 4, split=split, **keywords)
    except BadParameter:
        return
    obs, _ = env.reset(seed=seed)
    tracker, rng, first = env.reference("tracker"), np.random.default_rng(seed), np.ones(4, bool)
    for t in range(120):
        assert np.isfinite(obs).all() and env.observation_space.contains(obs)
        actions = tracker.act(obs, first)
        obs, reward, *_ = env.step(actions if t % 4 else rng.integers(0, 8, 4))
        first = env.world["t"] == 0
        assert np.isfinite(reward).all()


# --- who plays it ---


def test_the_score_says_what_a_player_lacks() -> None:
    """Seeds and players are fixed, so the figures are."""

    def mean(level: int, name: str, **visible: bool) -> float:
        return float(play(make_vec("Factory", 200, level=level, split="test", **visible), name, 0, 200).mean())

    for level in (0, 1, 2, 3):
        twin = dict(Factory.visible)
        assert mean(level, "oracle", **twin) - mean(level, "reflex", **twin) <= 0.05, level
    for level in (1, 2, 3):
        best = max(mean(level, name) for name in ("reflex", "as-last", "in-order", "one-lane"))
        assert mean(level, "oracle") >= 0.9 and best <= 0.05, level
        assert mean(level, "tracker") >= 0.8, level
    assert mean(2, "unstoppable") <= 0.2 and mean(3, "unstoppable") <= 0.05


@pytest.mark.parametrize("level", [1, 2])
def test_a_tracker_knows_what_is_inside(level: int) -> None:
    """With lamps, its tunnel is the true one: the same parts in the same lanes, at the same distances."""
    env = make_vec("Factory", 32, level=level, split="test")
    obs, _ = env.reset(seed=0)
    tracker, first, same = env.reference("tracker"), np.ones(32, bool), []
    for _ in range(200):
        actions = tracker.act(obs, first)
        believed = tracker.memory["tunnel"].reshape(32)
        true = env.world["tunnel"].reshape(32)
        same.append((believed["count"] == true["count"]).all(axis=1))
        obs, *_ = env.step(actions)
        first = env.world["t"].reshape(32) == 0
    assert np.mean(same) > (0.999 if level == 1 else 0.95)


# --- what is drawn ---


def picture(record: np.void, params: Any, hidden: bool, size: tuple[int, int] = (480, 300)) -> np.ndarray:
    return load(Factory.view.painter)(*size, hidden).frame(record, params, Factory)


def test_the_plain_picture_does_not_depend_on_what_is_hidden() -> None:
    env = make("Factory", level=3)
    env.reset(seed=0)
    run(env, FIRST, WAIT, WAIT, WAIT, SECOND, *[WAIT] * 8)
    record = world(env).copy()
    assert record["tunnel"]["count"].sum() == 2 and record["waiting"] > 0
    other = record.copy()
    other["tunnel"]["kind"] = (other["tunnel"]["kind"] + 1) % 4
    other["slot"][1:] = (other["slot"][1:] + 1) % 4
    other["stopped"][0] = rules.JAMMED
    assert np.array_equal(picture(record, env.params, False), picture(other, env.params, False))
    assert not np.array_equal(picture(record, env.params, True), picture(other, env.params, True))


@pytest.mark.parametrize("size", [(480, 300), (1280, 800), (640, 640)])
@pytest.mark.parametrize("level", [0, 3])
def test_any_size_is_drawn(size: tuple[int, int], level: int) -> None:
    env = make("Factory", level=level)
    env.reset(seed=0)
    run(env, FIRST, *[WAIT] * 70)
    for hidden in (False, True):
        painter = load(Factory.view.painter)(*size, hidden)
        for draw in (painter.frame, painter.card):
            assert draw(world(env), env.params, Factory).shape == (size[1], size[0], 3)


def believed(level: int, steps: int) -> tuple[np.void, Any, Belief]:
    """A state of Factory that the tracker has led to, its parameters, and the tracker's belief."""
    env = make_vec("Factory", 1, level=level, obs="panel")
    agent = ReferenceAgent("tracker", "panel")
    agent.attach(env)
    obs, _ = env.reset(seed=4)
    first = np.ones(1, bool)
    for _ in range(steps):
        action, _ = agent.act(obs, None, first)
        obs, *_ = env.step(action)
        first = np.zeros(1, bool)
    agent.act(obs, None, first)
    belief = agent.belief(None)
    assert belief is not None
    return env.world[0].copy(), env.params, belief


def test_the_belief_of_the_tracker_names_lane_kind_and_place() -> None:
    record, params, belief = believed(1, 60)
    assert belief.parts is not None and belief.parts.shape == (1, tunnel.LANES, tunnel.INSIDE, 2)
    true = Factory.view.plant(record, params).lanes
    found = [[tuple(part) for part in lane if np.isfinite(part).all()] for lane in belief.parts[0]]
    assert found == [list(lane.parts) for lane in true] and all(found)


def test_the_belief_is_drawn_apart_from_the_true_parts() -> None:
    record, params, belief = believed(1, 60)
    assert belief.parts is not None
    elsewhere = belief.parts.copy()
    elsewhere[..., 1] += 4
    others = belief.parts.copy()
    others[..., 0] = (others[..., 0] + 1) % rules.KINDS
    for hidden in (False, True):
        painter = load(Factory.view.painter)(960, 600, hidden)
        for draw in (painter.frame, painter.card):
            seen = [replace(belief, parts=parts) for parts in (belief.parts, elsewhere, others)]
            pictures = [draw(record, params, Factory, belief=b).tobytes() for b in (None, *seen)]
            assert len(set(pictures)) == 4
