"""Best-first search in worlds made by hand: it finds the known plans, accepts only what is probable, and drops duplicates."""

from __future__ import annotations

import numpy as np
import pytest
from gymnasium import spaces

from unseen.agents.errors import BadAgent
from unseen.agents.load import load_agent
from unseen.agents.protocol import Dynamics, Transition
from unseen.agents.shared.envs import EnvConfig
from unseen.agents.shared.planning_agent import PlanningAgent, Search, Situation
from unseen.agents.shared.search import BestFirst
from unseen.train.rollout import make_env_for, rollout

NO_WORDS = np.zeros(1, np.uint64)


class Line(Dynamics):
    """Positions 0 .. 9 on a line; right and left. Position 6 is rewarded, position -1 ends the episode."""

    space = spaces.Discrete(2)

    def __init__(self, reward: float = 1.0, log_prob: float = 0.0) -> None:
        self.reward, self.log_prob, self.imagined = reward, log_prob, 0

    def step(self, states: np.ndarray, actions: np.ndarray) -> Transition:
        self.imagined += len(states)
        after = np.minimum(states + np.where(actions == 0, 1.0, -1.0)[:, None], 9)
        at = after[:, 0]
        reward = np.where(at == 6, self.reward, 0)
        novelty = np.where(at == 3, 1.0, 0.1)
        return Transition(after, reward, np.where(at < 0, 1.0, 0.0), np.full(len(at), self.log_prob), novelty, after)


def test_it_finds_the_shortest_plan_and_says_what_will_happen() -> None:
    plan = BestFirst().plan(Line(), np.array([[2.0]]), 100, NO_WORDS)[0]
    assert plan is not None and plan.actions.tolist() == [0, 0, 0, 0] and plan.worth == 1
    assert plan.places.ravel().tolist() == [3, 4, 5, 6]


class Slide(Line):
    """The line, on which nothing has an effect from position 4 on: there it slides to the right."""

    def step(self, states: np.ndarray, actions: np.ndarray) -> Transition:
        out = super().step(states, np.where(states[:, 0] >= 4, 0, actions))
        return out._replace(acts=out.place[:, 0] < 4)


def test_where_nothing_has_an_effect_one_action_is_imagined() -> None:
    line = Slide()
    plan = BestFirst(width=1).plan(line, np.array([[3.0]]), 100, NO_WORDS)[0]
    assert plan is not None and plan.places.ravel().tolist() == [4, 5, 6]
    assert line.imagined == 2 + 1 + 1, "both actions once, then what follows from the first"


def test_starts_do_not_affect_each_other() -> None:
    starts = np.array([[2.0], [5.0], [9.0], [0.0]])
    together = BestFirst().plan(Line(), starts, 60, np.zeros(4, np.uint64))
    for start, plan in zip(starts, together, strict=True):
        alone = BestFirst().plan(Line(), start[None], 60, NO_WORDS)[0]
        assert plan is not None and alone is not None
        assert plan.actions.tolist() == alone.actions.tolist() and plan.worth == alone.worth


def test_a_plan_is_accepted_only_if_it_is_probable_and_rewarded() -> None:
    start = np.array([[4.0]])
    sure = BestFirst(hope=1.0).plan(Line(log_prob=np.log(0.9)), start, 100, NO_WORDS)[0]
    assert sure is not None and sure.worth == pytest.approx(0.81)
    for line in (Line(log_prob=np.log(0.6)), Line(reward=0.4)):  # .36 and .4: below .5
        doubtful = BestFirst(hope=1.0).plan(line, start, 100, NO_WORDS)[0]
        assert doubtful is not None and doubtful.worth == 0
        assert doubtful.places[-1, 0] == 3  # the most novel state instead
    hoped = BestFirst().plan(Line(reward=0.4), start, 100, NO_WORDS)[0]
    assert hoped is not None and hoped.worth == pytest.approx(0.4)


def test_improbable_paths_are_dropped() -> None:
    line = Line(log_prob=np.log(0.5))
    plan = BestFirst(trust=0.2).plan(line, np.array([[2.0]]), 1000, NO_WORDS)[0]
    assert plan is not None and len(plan.actions) <= 2  # .5 x .5 > .2 > .5 x .5 x .5
    assert line.imagined <= 2 + 4 + 8


def test_duplicates_and_ended_episodes_are_not_expanded() -> None:
    line = Line(reward=0.0)
    BestFirst().plan(line, np.array([[2.0]]), 10_000, NO_WORDS)
    assert line.imagined <= 2 * 11  # at most each of 10 positions, and the start once more


@pytest.mark.parametrize("imagined", [0, 1, 2, 7, 50])
def test_no_more_is_imagined_than_allowed(imagined: int) -> None:
    line = Line(reward=0.0)
    plan = BestFirst().plan(line, np.array([[4.0]]), imagined, NO_WORDS)[0]
    assert line.imagined <= imagined
    assert (plan is None) == (imagined < 2)


def test_the_risk_that_the_episode_ends_on_the_way_counts() -> None:
    class Risky(Line):
        def step(self, states: np.ndarray, actions: np.ndarray) -> Transition:
            after = super().step(states, actions)
            return after._replace(over=np.where(after.place[:, 0] < 6, 0.2, 0.0))

    plan = BestFirst(accept=0.4).plan(Risky(), np.array([[2.0]]), 100, NO_WORDS)[0]
    assert plan is not None and plan.worth == pytest.approx(0.8**3)  # it has to last through 3, 4 and 5


class Lever(Dynamics):
    """A corridor of 20 places and a lever at place 0, to be pulled 6 times."""

    space = spaces.Discrete(3)

    def __init__(self) -> None:
        self.imagined = 0

    def step(self, states: np.ndarray, actions: np.ndarray) -> Transition:
        self.imagined += len(states)
        after, nothing = states.copy(), np.zeros(len(states))
        after[:, 0] = np.clip(after[:, 0] + np.array([1, -1, 0])[actions], 0, 19)
        after[:, 2] += (actions == 2) & (states[:, 0] == 0)
        return Transition(after, (after[:, 2] == 6).astype(float), nothing, nothing, nothing, after)


def test_what_has_been_imagined_least_is_expanded_first() -> None:
    lever = Lever()
    plan = BestFirst(width=1).plan(lever, np.zeros((1, 4)), 10_000, NO_WORDS)[0]
    assert plan is not None and plan.actions.tolist() == [2] * 6
    assert lever.imagined < 150, "in the order of their length, all 20 places would be tried after each pull"


class Walker(PlanningAgent):
    """Sees its position on the line."""

    name = "walker"

    def __init__(self, imagined: int = 100, plans: int = 3) -> None:
        super().__init__(Search(BestFirst(), imagined, plans, follow=50))
        self.dynamics = Line()

    def no_situation(self, n: int) -> Situation:
        return Situation(np.zeros((n, 1)), np.zeros((n, 1)), np.zeros(n, bool))

    def situation(self, obs: np.ndarray, *_: object) -> Situation:
        return Situation(obs, obs, np.ones(len(obs), bool))


def test_a_plan_is_followed_until_something_else_happens() -> None:
    agent = Walker()
    state, first = agent.initial_state(np.arange(2, dtype=np.uint64)), np.ones(2, bool)
    at = np.array([[2.0], [2.0]])
    seen = []
    for step in range(4):
        actions, state = agent.act(at, state, first)
        seen.append(actions.tolist())
        at = at + np.where(actions == 0, 1, -1)[:, None]
        first = np.zeros(2, bool)
        if step == 1:
            at[1] = 1.0  # pushed back
    assert seen == [[0, 0]] * 4
    assert state.searches.tolist() == [1, 2] and state.surprised.tolist() == [0, 1]
    assert state.followed.tolist() == [3, 3]
    _, opened = agent.act(at, state, np.ones(2, bool))
    assert opened.searches.tolist() == [1, 1] and opened.followed.tolist() == [0, 0]
    assert state.searches.tolist() == [1, 2], "an agent does not modify its memory"


def test_planning_off_is_random_play() -> None:
    agent = Walker(imagined=0)
    n = 400
    at = np.full((n, 1), 2.0)
    actions, state = agent.act(at, agent.initial_state(np.arange(n, dtype=np.uint64)), np.ones(n, bool))
    assert 0.4 < actions.mean() < 0.6 and not state.searches.any()


def test_the_simulator_is_exact_and_plans_solve_what_random_play_does_not() -> None:
    env = EnvConfig("Detour", 1, split="train")
    agent = load_agent("simulator-mpc", "Detour", 1, imagined=3000)
    vector = make_env_for(agent, env, 12)
    outcomes = rollout(agent, vector, range(12), fail_fast=True)
    assert np.mean([o.episode_return for o in outcomes]) > 0.8
    idle = load_agent("simulator-mpc", "Detour", 1, imagined=0)
    assert np.mean([o.episode_return for o in rollout(idle, make_env_for(idle, env, 12), range(12))]) < 0.4


def test_the_simulator_plans_once_actions_matter() -> None:
    env = EnvConfig("Unblock", 1, split="train")
    agent = load_agent("simulator-mpc", "Unblock", 1, imagined=2000)
    assert isinstance(agent, PlanningAgent)
    vector = make_env_for(agent, env, 12)
    agent.attach(vector)
    obs, _ = vector.reset(seed=0)
    state, first = agent.initial_state(np.arange(12, dtype=np.uint64)), np.ones(12, bool)
    while (vector.world["phase"] < 2).all():
        assert not state.searches.any()
        actions, state = agent.act(obs, state, first)
        obs, *_ = vector.step(actions)
        first = np.zeros(12, bool)
    outcomes = rollout(agent, make_env_for(agent, env, 12), range(12), fail_fast=True)
    assert np.mean([o.episode_return for o in outcomes]) > 0.7


def test_only_planners_have_a_number_of_imagined_steps() -> None:
    with pytest.raises(BadAgent, match="oracle does not plan"):
        load_agent("oracle", "Detour", 1, imagined=10)
