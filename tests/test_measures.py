"""Measures of a model on agents whose answers are known: perfect and frozen models, exact and overconfident planners."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from unseen.agents.load import load_agent
from unseen.agents.protocol import Agent, Plan, Transition
from unseen.agents.roster import learner_class
from unseen.agents.shared import envs, sightings
from unseen.agents.shared.envs import EnvConfig
from unseen.agents.simulator_mpc import SimulatorAgent, SimulatorDynamics
from unseen.envs.core.view import Belief, Imagined
from unseen.train.cli import main
from unseen.train.measures import TITLES, decoding, imagination, map_error, measures, plans, things
from unseen.train.measures import counterfactual as cf
from unseen.train.measures.played import Played, play

ROLLED, REX = EnvConfig("RolledBehind", 1, split="test"), EnvConfig("Rex", 1, split="test")
EPISODES = 30


class Knowing(Agent):
    """Acts at random and knows the true state: its map, its memory and its model are exact. Its discs are colours, or slots."""

    name = "knowing"

    def __init__(self, config: EnvConfig, by_slot: bool = False) -> None:
        self.config, self.by_slot = config, by_slot

    def attach(self, env: Any) -> None:
        self.env, self.layout = env, envs.layout_and_rays(env)[0]
        self.model = envs.make(self.config, env.num_envs).vector
        self.model.reset(seed=1)

    def initial_state(self, seeds: np.ndarray) -> Any:
        return np.random.default_rng(0)

    def act(self, obs: Any, state: Any, first: np.ndarray, explore: bool = False) -> tuple[np.ndarray, Any]:
        rng = np.random.default_rng(int(obs[:, :4].astype(np.float64).sum() * 1e6) % 2**32)
        truth = np.eye(int(self.env.task.hidden.classes(self.env.params)))[self.env.batch.hidden()]
        return rng.integers(4, size=len(obs)), SimpleNamespace(world=self.env.world.copy(), truth=truth)

    def latent(self, state: Any) -> np.ndarray | None:
        return state.truth

    def places(self, world: np.ndarray) -> np.ndarray:
        if self.by_slot:
            return np.stack([world["disc_x"], world["disc_y"]], -1)[:, : self.layout.sizes.disc_slots]
        return things.truth(world, self.layout)[1][:, : self.layout.colours]

    def belief(self, state: Any) -> Belief | None:
        xy = self.places(state.world)
        return Belief(np.ones(xy.shape[:2]), xy, by_slot=self.by_slot)

    def imagine(self, state: Any, horizon: int = 15, actions: np.ndarray | None = None) -> Imagined | None:
        assert actions is not None
        self.model.world[:] = state.world
        over = state.world["done"] != 0
        steps: list[tuple[np.ndarray, ...]] = []
        for t in range(horizon):
            before = self.model.world.copy()
            _, reward, terminated, truncated, _ = self.model.step(actions[:, t])
            world = np.where(over, before, self.model.world)
            boxes = np.stack([world["box_x"], world["box_y"]], -1)[:, : self.layout.sizes.box_slots]
            pose = np.stack([world["agent_x"], world["agent_y"], *[np.zeros(len(world))] * 2], -1)
            steps.append((self.places(world), pose, np.where(over, 0, reward), 1.0 - (terminated & ~over), boxes))
            over |= terminated | truncated
            self.model.world[over] = world[over]
        xy, pose, reward, cont, boxes = (np.stack(part, 1) for part in zip(*steps, strict=True))
        return Imagined(xy, pose, reward, cont, actions, box_xy=boxes)


class Frozen(Knowing):
    """Its map is where things were last seen, and in its model nothing ever happens."""

    name = "frozen"

    def act(self, obs: Any, state: Any, first: np.ndarray, explore: bool = False) -> tuple[np.ndarray, Any]:
        before = getattr(state, "last", np.full((len(obs), self.layout.colours, 2), np.inf))
        seen, xy = (part[:, : self.layout.colours] for part in sightings.observed(obs, self.layout))
        last = np.where(first[:, None, None], np.inf, before)
        last = np.where(seen[..., None], xy * self.layout.scale, last)
        actions, now = super().act(obs, state, first)
        now.last = last
        return actions, now

    def belief(self, state: Any) -> Belief | None:
        known = np.isfinite(state.last).all(-1)
        return Belief(known.astype(float), np.where(known[..., None], state.last, 0.0))

    def imagine(self, state: Any, horizon: int = 15, actions: np.ndarray | None = None) -> Imagined | None:
        belief = self.belief(state)
        assert belief is not None
        pose = np.stack([state.world["agent_x"], state.world["agent_y"], *[np.zeros(len(state.world))] * 2], -1)
        xy, seen, poses = (np.stack([part] * horizon, 1) for part in (belief.xy, belief.seen, pose))
        return Imagined(xy, poses, np.zeros(seen.shape[:2]), np.ones(seen.shape[:2]), actions, seen=seen)


@pytest.fixture(scope="module")
def exact() -> Played:
    return play(Knowing(ROLLED), ROLLED, EPISODES)


@pytest.fixture(scope="module")
def frozen() -> Played:
    return play(Frozen(ROLLED), ROLLED, EPISODES)


def test_an_exact_map_has_no_error_and_its_controls_have(exact: Played) -> None:
    table = map_error.map_table(exact)
    assert table.columns == map_error.COLUMNS
    for column in ("asked, hidden", "all, hidden", "all, in sight"):
        assert table.value("map", column) == 0.0
    assert table.value("last seen", "all, in sight") == pytest.approx(0, abs=1e-6)
    assert table.value("last seen", "asked, hidden") > 0.5, "blocks roll on after they were last seen"
    assert table.value("tracker", "asked, hidden") < 0.05, "it computes where they come to rest"
    assert table.value("steps", "asked, hidden") > 100


def test_through_rays_the_same_things_are_in_sight(exact: Played) -> None:
    rays = replace(ROLLED, obs="rays")
    table, slots = map_error.map_table(play(Knowing(rays), rays, EPISODES)), map_error.map_table(exact)
    for column in ("asked, hidden", "all, hidden", "all, in sight"):
        assert table.value("map", column) == 0.0
    assert 0 < table.value("last seen", "all, in sight") < 0.15, "half a sector"
    assert table.value("last seen", "asked, hidden") > 0.5
    assert table.value("steps", "asked, hidden") == pytest.approx(slots.value("steps", "asked, hidden"), rel=0.1)


def test_a_map_of_what_was_last_seen_is_the_row_of_that_name(frozen: Played) -> None:
    table = map_error.map_table(frozen)
    for column in table.columns:
        assert table.value("map", column) == table.value("last seen", column)


@pytest.mark.parametrize("by_slot", [False, True])
def test_maps_of_slots_and_of_colours_are_told_apart(by_slot: bool) -> None:
    """In Rex 1 there are as many slots as colours, and the dog in a slot has any collar."""
    played = play(Knowing(REX, by_slot), REX, EPISODES)
    table = map_error.map_table(played)
    assert table.value("map", "asked, hidden") == 0.0
    assert table.value("tracker", "asked, hidden") < 0.05
    swapped = [replace(belief, by_slot=not by_slot) for belief in played.beliefs if belief]
    found = np.stack([things.mapped(b, w, played.layout)[1] for b, w in zip(swapped, played.world, strict=True)])  # type: ignore[arg-type]
    true = things.truth(np.stack(played.world), played.layout)[1]  # type: ignore[arg-type]
    assert np.abs(found - true).max() > 0.5, "the other reading takes one dog for the other"


def test_constant_velocity_goes_on_as_last_seen(exact: Played) -> None:
    assert exact.layout is not None
    seen = things.sights(exact, exact.layout)
    still, rolled = [], []
    for t in range(len(seen.seen) - 1):
        moving = np.linalg.norm(seen.velocity[t], axis=-1) > 0.1
        both = seen.seen[t] & seen.seen[t + 1] & moving & exact.live[t + 1][:, None]
        still += np.linalg.norm(seen.nothing_moves(t) - seen.true[t + 1], axis=-1)[both].tolist()
        rolled += np.linalg.norm(seen.constant_velocity(t, 1) - seen.true[t + 1], axis=-1)[both].tolist()
    assert len(still) > 50 and np.median(rolled) < 0.2 * np.median(still)


def test_the_truth_in_the_latent_is_decoded_and_noise_is_not(exact: Played) -> None:
    train = play(Knowing(replace(ROLLED, split="train")), ROLLED, 2 * EPISODES, "train")
    table = decoding.decoding_table(train, exact)
    assert table.row("latent").values == (1.0, 1.0)
    assert table.value("present observation", "first hidden step") < 0.7
    assert table.value("most frequent class", "every hidden step") < 0.7
    assert "roster" in table.row("untrained network").why and not table.row("untrained network").values
    assert table.value("steps, test", "first hidden step") == EPISODES


def test_ridge_regression_of_a_vector() -> None:
    rng = np.random.default_rng(0)
    x = [rng.normal(size=(20, n, 5)) for n in (40, 20)]
    y = tuple(part[..., :2] * 3 + 1 for part in x)
    masks = tuple(np.ones(part.shape[:2], bool) for part in x)
    probe = decoding._Probe(y, masks, None)
    assert probe.score(*x) == pytest.approx(1.0, abs=1e-3)
    assert probe.score(*(rng.normal(size=part.shape) for part in x)) == pytest.approx(0.0, abs=0.1)
    assert probe.base == pytest.approx(0.0, abs=0.05)


def test_an_exact_model_imagines_without_error(exact: Played) -> None:
    table = imagination.imagination_table(exact, (1, 4, 8))
    assert table.columns == ("1", "4", "8")
    for group in ("things in sight", "hidden things", "own position"):
        values = [v for v in table.row(f"{group}: model").values if v is not None]
        assert values and max(values) < 1e-6
    assert table.value("hidden things: nothing moves", "8") > 0.3
    assert table.value("hidden things: placed", "4") == 1.0
    assert table.value("own position: nothing moves", "4") > 0.1
    assert table.value("hidden things: cases", "1") > 100


def test_a_frozen_model_is_the_row_nothing_moves(frozen: Played) -> None:
    table = imagination.imagination_table(frozen)
    for group in ("things in sight", "hidden things", "own position"):
        assert table.row(f"{group}: model").values == table.row(f"{group}: nothing moves").values
    assert table.value("hidden things: nothing moves", "1") > 0.1


def test_an_exact_model_knows_what_other_actions_lead_to(exact: Played) -> None:
    table = cf.counterfactual_table(exact)
    for what in ("reward", "end", "discs", "boxes"):
        assert table.value(what, "accuracy") == 1.0
    assert 0 < table.value("reward", "differs") < 1
    assert table.value("reward", "balanced") == 1.0


def test_a_frozen_model_is_at_the_base_rate(frozen: Played) -> None:
    table = cf.counterfactual_table(frozen)
    for what in ("reward", "end"):
        assert table.value(what, "accuracy") == pytest.approx(1 - table.value(what, "differs"))
        assert table.value(what, "balanced") == pytest.approx(table.value(what, "chance"))


def test_other_actions_differ_at_first_and_half_of_them_only_there(exact: Played) -> None:
    own = imagination.future(exact, 3, 6)
    other = cf.other_actions(own, exact.env.single_action_space, np.random.default_rng(0))
    assert (other[:, 0] != own[:, 0]).all() and other.min() >= 0 and other.max() <= 3
    same = (other[:, 1:] == own[:, 1:]).all(1)
    assert 0.2 < same.mean() < 0.8


def planned(claimed: list[float], worked: list[bool]) -> Played:
    """Episodes of two steps with one plan each; with `worked` the second step is rewarded."""
    many = tuple(Plan(np.zeros(2, int), np.zeros((2, 1)), p, success=p) for p in claimed)
    n = len(many)
    agent = SimulatorAgent(ROLLED)
    live = np.array([[True] * n, [True] * n, [False] * n])
    reward = np.array([[0.0] * n, worked, [0.0] * n])
    states: list[Any] = [SimpleNamespace(plans=many)] * 2 + [SimpleNamespace(plans=(None,) * n)]
    return Played(agent, ROLLED, None, [], [], states, [], [], reward, live)  # type: ignore[arg-type]


def test_a_calibrated_planner_and_an_overconfident_one() -> None:
    good = plans.calibration_table(planned([0.7] * 10 + [0.95] * 20, [True] * 7 + [False] * 3 + [True] * 19 + [False]))
    assert good.row("claims 0.6 to 0.8").values == (10, pytest.approx(0.7), 0.7)
    assert good.row("claims 0.9 to 1").values == (20, pytest.approx(0.95), 0.95)
    brier, base = good.value("Brier score", "worked"), good.value("Brier score of the base rate", "worked")
    assert brier == pytest.approx((10 * 0.21 + 20 * 0.0475) / 30) and brier < base
    wishful = plans.calibration_table(planned([1.0] * 10, [True] * 5 + [False] * 5))
    assert wishful.row("all plans").values == (10, 1.0, 0.5)
    assert wishful.value("Brier score", "worked") == 0.5
    assert wishful.value("Brier score of the base rate", "worked") == 0.25


def test_plans_that_claim_nothing_and_plans_that_go_on() -> None:
    played = planned([0.8, 0.6], [True, False])
    silent = replace(played.states[0].plans[0], success=None)
    played.states[0] = SimpleNamespace(plans=(silent, played.states[0].plans[1]))
    claimed, worked = plans.claims(played)
    assert claimed.tolist() == [0.8, 0.6] and worked.tolist() == [1.0, 0.0]


class Static(SimulatorDynamics):
    """The simulator, but it predicts that nothing changes."""

    def step(self, states: np.ndarray, actions: np.ndarray) -> Transition:
        return super().step(states, actions)._replace(place=self.place(self.simulator.rows(states)))


class Mistaken(SimulatorAgent):
    """Plans well, and is surprised by whatever happens."""

    def surprises(self, state: Any, actions: np.ndarray, obs: np.ndarray) -> np.ndarray | None:
        exact = self.dynamics
        assert isinstance(exact, SimulatorDynamics)
        self.dynamics = object.__new__(Static)
        self.dynamics.__dict__.update(exact.__dict__)
        try:
            return super().surprises(state, actions, obs)
        finally:
            self.dynamics = exact


def test_the_simulator_is_never_surprised_and_a_static_model_mostly() -> None:
    config = EnvConfig("Detour", 1, split="test")
    true, mistaken = SimulatorAgent(config), Mistaken(config)
    true.imagined = mistaken.imagined = 300
    table = plans.surprise_table(play(true, config, 6))
    assert table.row(plans.PLANNED).values[1] == 0.0 and table.row(plans.PLANNED).values[0] > 10
    assert table.row(plans.RANDOM).values[1] == 0.0
    wrong = plans.surprise_table(play(mistaken, config, 6))
    assert wrong.value(plans.PLANNED, "surprised") > 0.9


def test_the_control_of_the_probe_is_an_untrained_network_of_the_same_shape() -> None:
    pytest.importorskip("torch")
    agent = load_agent("dreamer", "RolledBehind", 1)
    control = decoding.untrained(agent, ROLLED)
    played = play(agent, ROLLED, 8)
    ours, theirs = played.states, decoding._replayed(control, played)
    assert decoding._latents(agent, ours).shape == decoding._latents(control, theirs).shape
    assert not np.allclose(ours[5].latent, theirs[5].latent)
    np.testing.assert_array_equal(theirs[5].last, played.actions[5])


def test_agents_roll_out_given_actions() -> None:
    for name, env, run in (("dreamer", "RolledBehind", 1), ("slot-search", "Detour", 0)):
        config = EnvConfig(env, 1, split="test")
        agent = load_agent(name, env, 1, run)
        played = play(agent, config, 3)
        state = played.states[-2]
        own = agent.imagine(state, 4)
        assert own is not None and own.action is not None and own.seen is not None
        again = agent.imagine(state, 4, own.action)
        assert again is not None
        np.testing.assert_array_equal(own.xy, again.xy)
        np.testing.assert_array_equal(own.pose, again.pose)
        other = agent.imagine(state, 4, (own.action + 1) % 4)
        assert other is not None and not np.array_equal(own.pose, other.pose)


def test_what_an_agent_does_not_offer_is_a_reason_and_no_number(capsys: pytest.CaptureFixture[str]) -> None:
    found = measures(load_agent("reflex", "RolledBehind", 1), ROLLED, 4)
    assert [table.title for table in found] == list(TITLES) and all(table.why and not table.rows for table in found)
    found = measures(load_agent("random", "CartPole-v1", None), EnvConfig("CartPole-v1"), 4)
    assert len(found) == len(TITLES) and all("no true state" in table.why for table in found)
    args = ["evaluate", "ppo", "RolledBehind", "--level", "1", "--episodes", "5", "--model"]
    assert main(args) == 0
    said = capsys.readouterr().out
    assert all(title in said for title in TITLES) and "ppo has no world model" in said and "it draws no map" in said
    assert main([*args, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)["model"]
    assert [table["title"] for table in printed] == list(TITLES) and all(table["why"] for table in printed)


def test_places_differ_where_a_thing_is_moved_and_where_one_is_unknown_they_do_not() -> None:
    here, there, unknown, nothing = (np.full((1, 1, 2), v) for v in (0.0, 1.0, np.inf, np.nan))
    assert cf._moved(here, there).item() == 1 and cf._moved(here, here + 0.05).item() == 0
    assert cf._moved(here, unknown).item() == 0 and cf._moved(nothing, here).item() == -2
    none, one = np.zeros(1), np.ones(1)
    stays, goes = (cf.Outcome(none, none, None, xy, none) for xy in (here, there))
    told, found = cf._differences((stays, goes), (stays, stays))["boxes"]
    assert told.item() == 1 and found.item() == 0
    won = cf.Outcome(one, one, None, here, none)
    assert [side.item() for side in cf._differences((won, stays), (stays, won))["reward"]] == [-1, 1]
    assert [side.item() for side in cf._differences((won, stays), (stays, won))["end"]] == [-1, 1]


@pytest.mark.parametrize(
    ("name", "kind", "settings"),
    [
        ("latent-mpc", "discrete", {}),
        ("latent-mpc", "continuous", {}),
        ("jepa-mpc", "discrete", {}),
        ("jepa-mpc", "continuous", {"map": "none"}),
    ],
)
def test_measures_of_agents_that_plan_in_latents(name: str, kind: str, settings: dict[str, Any]) -> None:
    """Their plans have a worth but claim no probability of success, and their states cannot be told apart."""
    pytest.importorskip("torch")
    small = {"envs": 2, "hidden": 8, "imagined": 16, "depth": 2} | settings
    sizes = {"context": 8, "embedding": 8} if name == "jepa-mpc" else {"deter": 8, "groups": 2, "classes": 4}
    config = replace(ROLLED, action=kind)
    agent = learner_class(name)(config, config=small | sizes).policy()
    map_table, decoded, imagined_table, other, surprise, calibration = measures(agent, config, 20)
    own_map = settings.get("map", "hindsight" if name == "jepa-mpc" else "slots")
    belief = play(agent, config, 2).beliefs[0]
    assert (belief is None) == (own_map == "none") == bool(map_table.why)
    assert belief is None or belief.by_slot == (own_map == "slots")
    assert decoded.row("latent").values and "stored" in decoded.row("untrained network").why
    assert imagined_table.value("own position: cases", "1") > 0
    named = {row.name for row in other.rows}
    assert {"reward", "end"} <= named and ("boxes" in named) == (name == "latent-mpc")
    assert "cannot tell states apart" in surprise.why and "no plan claims" in calibration.why
