"""Tree search and shooting on small exact problems whose optimum is known: a chain, grids, and linear dynamics with quadratic costs."""

from __future__ import annotations

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.agents.protocol import Dynamics, Plan, Planner, Transition
from unseen.agents.shared import noise, priors
from unseen.agents.shared.shooting import Shooting
from unseen.agents.shared.tree_search import TreeSearch

GAMMA = 0.9


def words(n: int, seed: int = 0) -> np.ndarray:
    return noise.words(noise.start(seed, np.arange(n, dtype=np.uint64)), noise.ACTION, 1)[:, 0]


def outcome(state: np.ndarray, reward: np.ndarray, over: np.ndarray | None = None) -> Transition:
    nothing = np.zeros(len(state))
    return Transition(state, reward, nothing if over is None else over, nothing, nothing, np.zeros((len(state), 0)))


class Table(Dynamics):
    """A finite problem: `after` and `reward` (states, actions); states are rows (m, 1) of their numbers.

    The policy is `logits` (states, actions), and the critic knows exactly what it is worth, if `critic`.
    """

    def __init__(
        self, after: np.ndarray, reward: np.ndarray, logits: np.ndarray | None = None, critic: bool = True,
        over: np.ndarray | None = None,
    ) -> None:  # fmt: skip
        self.after, self.reward, self.imagined = after, reward, 0
        self.space = spaces.Discrete(after.shape[1])
        self.over = np.zeros(after.shape) if over is None else over
        self.logits = np.zeros(after.shape) if logits is None else logits
        policy = np.exp(priors.log_softmax(self.logits))
        self.values = np.zeros(len(after))
        for _ in range(500 if critic else 0):
            self.values = (policy * self.q(self.values)).sum(-1)
        self.best = np.zeros(len(after))
        for _ in range(500):
            self.best = self.q(self.best).max(-1)

    def q(self, values: np.ndarray) -> np.ndarray:
        return self.reward + GAMMA * (1 - self.over) * values[self.after]

    def step(self, states: np.ndarray, actions: np.ndarray) -> Transition:
        self.imagined += len(states)
        at = states[:, 0].astype(int), actions
        return outcome(self.after[at][:, None].astype(float), self.reward[at], self.over[at])

    def prior(self, states: np.ndarray) -> np.ndarray:
        return self.logits[states[:, 0].astype(int)]

    def value(self, states: np.ndarray) -> np.ndarray:
        return self.values[states[:, 0].astype(int)]


def chain(n: int, logits: np.ndarray | None = None, critic: bool = False) -> Table:
    """States 0 .. n - 1: on or back to the start. The step from the last state is rewarded and ends the episode; turning back
    brings a little at once."""
    at = np.arange(n)
    after = np.stack([np.minimum(at + 1, n - 1), 0 * at], 1)
    reward = np.stack([1.0 * (at == n - 1), 0 * at + 0.02], 1)
    over = np.stack([1.0 * (at == n - 1), 0 * at], 1)
    return Table(after, reward, logits, critic, over)


def grid(wide: int, goal: tuple[int, int], logits: np.ndarray | None = None) -> Table:
    """A square of cells, four directions; entering the goal is rewarded and ends the episode."""
    x, y = np.meshgrid(np.arange(wide), np.arange(wide), indexing="ij")
    steps = [(1, 0), (-1, 0), (0, 1), (0, -1)]
    clip = [(np.clip(x + dx, 0, wide - 1), np.clip(y + dy, 0, wide - 1)) for dx, dy in steps]
    after = np.stack([(u * wide + v).ravel() for u, v in clip], 1)
    there = (after == goal[0] * wide + goal[1]).astype(float)
    return Table(after, there, logits, over=there)


def act(planner: Planner, problem: Dynamics, state: np.ndarray, imagined: int, seed: int = 0) -> Plan | None:
    return planner.plan(problem, state[None], imagined, words(1, seed))[0]


def achieved(planner: Planner, problem: Table, start: int, imagined: int, steps: int = 12) -> float:
    """The return of planning anew at every step."""
    at, total, follows = start, 0.0, 1.0
    for _ in range(steps):
        plan = act(planner, problem, np.array([float(at)]), imagined)
        action = int(problem.logits[at].argmax()) if plan is None else int(plan.actions[0])
        total += follows * problem.reward[at, action]
        follows *= GAMMA * (1 - problem.over[at, action])
        at = problem.after[at, action]
    return total


# --- discrete actions ----------------------------------------------------------------------------------------


def test_tree_search_goes_to_the_end_of_the_chain() -> None:
    search = TreeSearch(GAMMA, temperature=0.01)
    for critic in (False, True):
        problem = chain(4, critic=critic)
        plan = act(search, problem, np.array([0.0]), 400)
        assert plan is not None and plan.actions[:4].tolist() == [0] * 4
        assert plan.worth == pytest.approx(problem.best[0], abs=0.05)
        assert problem.imagined <= 400
    short = act(search, chain(4), np.array([0.0]), 6)  # the end is not found: a little is better than nothing
    assert short is not None and short.actions[0] == 1


def test_tree_search_finds_the_way_in_a_grid() -> None:
    problem = grid(5, (4, 3))
    for start in (0, 7, 22):
        plan = act(TreeSearch(GAMMA, temperature=1e-3), problem, np.array([float(start)]), 2000)
        assert plan is not None
        at = start
        for action in plan.actions:
            at = problem.after[at, action]
            if at == 23:
                break
        way = abs(start // 5 - 4) + abs(start % 5 - 3)
        assert at == 23 and plan.worth == pytest.approx(GAMMA ** (way - 1), abs=0.01)
        assert len(plan.dropped) == 3 and {int(d[0]) for d in plan.dropped} | {int(plan.actions[0])} == {0, 1, 2, 3}


def test_a_good_prior_saves_imagined_steps() -> None:
    after = grid(7, (6, 6)).after
    best = np.where(np.isin(np.arange(4), [0, 2]), 2.0, 0.0) * np.ones((len(after), 1))
    needed = {}
    for name, logits in (("none", None), ("good", best)):
        problem = grid(7, (6, 6), logits)
        problem.values[:] = 0  # the prior alone
        for imagined in (40, 100, 400, 1000, 4000, 10_000):
            plan = act(TreeSearch(GAMMA, temperature=1e-3), problem, np.array([30.0]), imagined)
            if plan is not None and plan.worth > 0.1:
                needed[name] = imagined
                break
    assert needed["good"] < needed["none"]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), actions=st.integers(2, 4), temperature=st.sampled_from([1e-3, 0.1, 1.0]))
def test_more_imagined_steps_never_lower_what_is_found(seed: int, actions: int, temperature: float) -> None:
    """In any exact finite problem, with the critic of the prior's policy."""
    rng = np.random.Generator(np.random.Philox(seed))
    n = 12
    over = (rng.random((n, actions)) < 0.1).astype(float)
    problem = Table(
        rng.integers(0, n, (n, actions)),
        rng.standard_normal((n, actions)),
        rng.standard_normal((n, actions)),
        over=over,
    )
    search, found = TreeSearch(GAMMA, temperature), [problem.values[0]]
    for imagined in (actions, 3 * actions, 10 * actions, 40 * actions):
        plan = act(search, problem, np.zeros(1), imagined)
        assert plan is not None
        found.append(plan.worth)
    assert (np.diff(found) >= -1e-9).all(), found
    assert found[-1] <= problem.best[0] + 1e-9


def test_more_imagined_steps_are_worth_more_when_acted_on() -> None:
    rng = np.random.Generator(np.random.Philox(0))
    gained = []
    for _ in range(12):
        problem = Table(rng.integers(0, 40, (40, 3)), rng.standard_normal((40, 3)), rng.standard_normal((40, 3)))
        search = TreeSearch(GAMMA, temperature=0.02)
        gained.append([achieved(search, problem, 0, imagined) for imagined in (0, 3, 30, 150)])
    means = np.mean(gained, 0)
    assert (np.diff(means) > 0).all(), means


def test_with_a_high_temperature_the_prior_decides() -> None:
    logits = np.tile([0.0, 1.0], (6, 1))
    for temperature, first in ((1e-3, 0), (100.0, 1)):
        plan = act(TreeSearch(GAMMA, temperature), chain(6, logits), np.array([3.0]), 200)
        assert plan is not None and plan.actions[0] == first


# --- continuous actions --------------------------------------------------------------------------------------


class Quadratic(Dynamics):
    """x' = A x + B u with reward -(x Q x + u R u), u in [-5, 5]; the critic is that of the infinite horizon, if `critic`."""

    space = spaces.Box(-5, 5, (1,), np.float32)
    A, B = np.array([[1.0, 0.2], [0.0, 1.0]]), np.array([[0.0], [0.2]])
    Q, R = np.diag([1.0, 0.1]), np.array([[0.05]])

    def __init__(self, critic: bool = True, policy: float = 0.0) -> None:
        self.P, self.imagined, self.policy = self.riccati(2000), 0, policy
        self.critic = critic
        self.gain = self.gain_of(self.P)

    def gain_of(self, P: np.ndarray) -> np.ndarray:
        return np.linalg.solve(self.R / GAMMA + self.B.T @ P @ self.B, self.B.T @ P @ self.A)

    def riccati(self, steps: int, P: np.ndarray | None = None) -> np.ndarray:
        """Cost-to-go of `steps` steps (discounted Riccati recursion; costs count before the step)."""
        P = np.zeros((2, 2)) if P is None else P
        for _ in range(steps):
            K = self.gain_of(P)
            P = self.Q + K.T @ self.R @ K + GAMMA * (self.A - self.B @ K).T @ P @ (self.A - self.B @ K)
        return P

    def step(self, states: np.ndarray, actions: np.ndarray) -> Transition:
        self.imagined += len(states)
        x, u = states, actions.astype(float)
        cost = np.einsum("mi,ij,mj->m", x, self.Q, x) + np.einsum("mi,ij,mj->m", u, self.R, u)
        return outcome(x @ self.A.T + u @ self.B.T, -cost)

    def prior(self, states: np.ndarray) -> np.ndarray | None:
        if not self.policy:
            return None
        mean = np.arctanh(np.clip(-self.policy * states @ self.gain.T / 5, -0.99, 0.99))
        return np.concatenate([mean, np.full_like(mean, 0.3)], 1)

    def value(self, states: np.ndarray) -> np.ndarray:
        return -np.einsum("mi,ij,mj->m", states, self.P, states) * self.critic


def test_shooting_finds_the_optimum_of_a_linear_quadratic_problem() -> None:
    problem = Quadratic()
    for seed, start in enumerate(([1.0, 0.0], [-0.5, 0.8], [0.3, -0.6])):
        x = np.array(start)
        plan = act(Shooting(GAMMA, horizon=6), problem, x, 6 * 640, seed)
        best = -x @ problem.P @ x
        assert plan is not None and best - 1e-9 <= plan.worth + 0.02 * abs(best) and plan.worth <= best + 1e-6
        assert plan.actions.shape == (6, 1) and plan.actions.dtype == np.float32
        assert plan.actions[0, 0] == pytest.approx(-(problem.gain @ x).item(), abs=0.5)


def test_without_a_critic_it_finds_the_optimum_of_the_horizon() -> None:
    problem, x = Quadratic(critic=False), np.array([1.0, -0.5])
    plan = act(Shooting(GAMMA, horizon=5), problem, x, 5 * 640)
    best = -x @ problem.riccati(5) @ x
    assert plan is not None and best * 1.02 <= plan.worth <= best + 1e-6


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    policy=st.sampled_from([0.0, 0.3, 1.0]),
    x=st.tuples(st.floats(-1, 1), st.floats(-1, 1)),
)
def test_more_sequences_never_find_less(seed: int, policy: float, x: tuple[float, float]) -> None:
    problem, found = Quadratic(policy=policy), []
    for imagined in (4, 17, 60, 128, 400, 1000):
        plan = act(Shooting(GAMMA, horizon=4), problem, np.array(x), imagined, seed)
        assert plan is not None
        found.append(plan.worth)
    assert (np.diff(found) >= -1e-9).all(), found  # rounding depends on the size of a batch


def test_the_first_sequence_is_what_the_policy_would_do() -> None:
    """So a plan is never worth less, by the model, than the policy."""
    problem, x = Quadratic(policy=1.0), np.array([0.7, 0.2])
    plan = act(Shooting(GAMMA, horizon=5), problem, x, 5)
    assert plan is not None and problem.imagined == 5
    for action in plan.actions:
        assert action[0] == pytest.approx(-(problem.gain @ x).item(), abs=0.02)
        x = problem.A @ x + problem.B @ action
    assert act(Shooting(GAMMA, horizon=5), problem, x, 4) is None


def test_what_has_begun_is_tried_again() -> None:
    problem, x = Quadratic(), np.array([1.0, 0.0])
    search = Shooting(GAMMA, horizon=6)
    good = act(search, problem, x, 6 * 640)
    assert good is not None
    cold = search.plan(problem, x[None], 12, words(1))[0]
    warm = search.plan(problem, x[None], 12, words(1), [good.actions])[0]
    assert cold is not None and warm is not None and warm.worth >= good.worth - 1e-6 > cold.worth


class Cliff(Dynamics):
    """One step right of 0 the episode ends, without reward; to the left each step brings what was walked."""

    space = spaces.Box(-1, 1, (1,), np.float32)

    def step(self, states: np.ndarray, actions: np.ndarray) -> Transition:
        assert (states <= 0).all(), "an episode that is over goes on"
        after = states + actions
        return outcome(after, -actions[:, 0], (after[:, 0] > 0).astype(float))


def test_episodes_end_in_imagination() -> None:
    plan = act(Shooting(GAMMA, horizon=5), Cliff(), np.array([0.0]), 5 * 200)
    assert plan is not None and (plan.actions < -0.8).all()


# --- both ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("planner", "problem", "states"),
    [
        (TreeSearch(GAMMA), grid(5, (4, 3)), np.arange(8.0)[:, None]),
        (Shooting(GAMMA, horizon=4, hold=2), Quadratic(policy=0.5), np.linspace(-1, 1, 16).reshape(8, 2)),
    ],
    ids=["tree", "shooting"],
)
def test_starts_do_not_affect_each_other(planner: Planner, problem: Dynamics, states: np.ndarray) -> None:
    together = planner.plan(problem, states, 120, words(8))
    for row, plan in enumerate(together):
        alone = planner.plan(problem, states[row : row + 1], 120, words(8)[row : row + 1])[0]
        assert plan is not None and alone is not None and plan.worth == alone.worth
        np.testing.assert_array_equal(plan.actions, alone.actions)
        assert len(plan.dropped) == len(alone.dropped) > 0


@pytest.mark.parametrize("imagined", [0, 1, 3, 4, 7, 50, 333])
def test_no_more_is_imagined_than_allowed(imagined: int) -> None:
    for planner, problem, x in (
        (TreeSearch(GAMMA), grid(4, (3, 3)), np.zeros(1)),
        (Shooting(GAMMA, horizon=4), Quadratic(policy=0.5), np.ones(2)),
    ):
        plan = act(planner, problem, x, imagined)
        assert problem.imagined <= imagined and (plan is None) == (imagined < 4)
