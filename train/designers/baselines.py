"""Designers that learn from the tests of one programme alone: random search, local search and Bayesian optimisation.

Each candidate is tested for real once in every family, in a random scenario, and its worth is its worst margin; the agent commits to the
best one. So a budget of `tests` allows tests // 6 candidates (at least one). All agents correct their drawings by the known offsets.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import NamedTuple

import numpy as np

from unseen.agents.errors import MissingExtra
from unseen.agents.protocol import Agent
from unseen.agents.shared import noise
from unseen.envs.industry.proving_ground import rules
from unseen.envs.industry.proving_ground.design import PARTS
from unseen.envs.industry.proving_ground.scenarios import FURTHEST

STEP = 0.2  # standard deviation of a step of the local search
CANDIDATES = 2_000  # of which expected improvement takes the best


def made(tests: int) -> int:
    """The number of real tests that a search makes of a budget of `tests`: all candidates are tested in every family."""
    return max(tests // rules.COUNT, 1) * rules.COUNT


class Tried(NamedTuple):
    """The candidates of one programme.

    Attributes:
        built: candidates, the designs that known offsets should lead to, k arrays (10,); the last may still be being tested.
        worth: worst margin of each candidate whose tests are finished.
        left: remaining tests of the last candidate.
        margin: worst margin in the finished tests of the last candidate.
    """

    built: tuple[np.ndarray, ...] = ()
    worth: tuple[float, ...] = ()
    left: int = 0
    margin: float = FURTHEST


class Searches(NamedTuple):
    """Memory of a `SearchAgent`."""

    episodes: noise.Episodes
    rows: tuple[Tried, ...]


class SearchAgent(Agent):
    """Tests candidates, and commits to the best.

    Args:
        tests: the most real tests before it commits; see `made`.
    """

    obs, action = "file", "continuous"

    def __init__(self, tests: int = 18) -> None:
        self.candidates = made(tests) // rules.COUNT
        self._seed = 0

    @abstractmethod
    def propose(self, tried: np.ndarray, worth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """The next candidate (10,), given those already tested, (k, 10), and their worth, (k,)."""

    def seed(self, seed: int) -> None:
        self._seed = seed

    def initial_state(self, seeds: np.ndarray) -> Searches:
        return Searches(noise.start(self._seed, seeds), (Tried(),) * len(seeds))

    def act(
        self, obs: np.ndarray, state: Searches, first: np.ndarray, explore: bool = False
    ) -> tuple[np.ndarray, Searches]:
        opens = np.asarray(first, bool)
        episodes = noise.next_episodes(self._seed, state.episodes, opens)
        words = noise.words(episodes, noise.ACTION, 1)[:, 0]
        actions, rows = [], []
        for row, before, begins, word in zip(obs, state.rows, opens, words, strict=True):
            action, tried = self._decide(row, Tried() if begins else before, np.random.default_rng(int(word)))
            actions.append(action)
            rows.append(tried)
        return np.array(actions, np.float32), Searches(noise.advance(episodes), tuple(rows))

    def _decide(self, row: np.ndarray, t: Tried, rng: np.random.Generator) -> tuple[np.ndarray, Tried]:
        if t.built:
            shown = float(row[rules.SHOWN : rules.SHOWN + 3].min()) * FURTHEST
            t = t._replace(left=t.left - 1, margin=min(t.margin, shown))
        if t.built and not t.left:
            t = t._replace(worth=(*t.worth, t.margin), margin=FURTHEST)
        commits = len(t.worth) == self.candidates
        if commits:
            built = t.built[int(np.argmax(t.worth))]
        elif not t.left:
            built = self.propose(np.array(t.built).reshape(-1, PARTS), np.array(t.worth), rng)
            t = t._replace(built=(*t.built, built), left=rules.COUNT)
        else:
            built = t.built[-1]
        action = np.zeros(rules.ACTION)
        action[:PARTS] = np.clip(built - row[rules.KNOWN : rules.KNOWN + PARTS], -1.0, 1.0)
        action[rules.FAMILY] = (2 * (t.left % rules.COUNT) + 1) / rules.COUNT - 1.0
        action[rules.SURFACE : rules.COMMIT] = rng.uniform(-1.0, 1.0, rules.COMMIT - rules.SURFACE)
        action[rules.COMMIT] = 1.0 if commits else -1.0
        return action, t


class RandomSearch(SearchAgent):
    """Uniformly random designs."""

    name = "random search"

    def propose(self, tried: np.ndarray, worth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return rng.uniform(-1.0, 1.0, PARTS)


class LocalSearch(SearchAgent):
    """The universal design first, then steps from the best so far: an evolution strategy, (1 + 1)."""

    name = "local search"

    def propose(self, tried: np.ndarray, worth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        if not len(tried):
            return np.zeros(PARTS)
        return np.clip(tried[worth.argmax()] + STEP * rng.standard_normal(PARTS), -1.0, 1.0)


class BayesianSearch(SearchAgent):
    """The universal design first, then the greatest expected improvement by a Gaussian process (scikit-learn)."""

    name = "Bayesian optimisation"

    def __init__(self, tests: int = 18) -> None:
        super().__init__(tests)
        try:
            import sklearn.gaussian_process  # noqa: F401
        except ModuleNotFoundError as error:
            raise MissingExtra(f"Bayesian optimisation needs {error.name}: pip install 'unseen[bench]'") from error

    def propose(self, tried: np.ndarray, worth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        if not len(tried):
            return np.zeros(PARTS)
        far = rng.uniform(-1.0, 1.0, (CANDIDATES // 2, PARTS))
        near = np.clip(tried[worth.argmax()] + STEP * rng.standard_normal((CANDIDATES // 2, PARTS)), -1.0, 1.0)
        some = np.concatenate([far, near])
        return some[self._improvement(tried, worth, some).argmax()]

    def _improvement(self, tried: np.ndarray, worth: np.ndarray, some: np.ndarray) -> np.ndarray:
        """Expected improvement (m,) of candidates (m, 10)."""
        import warnings
        from math import erf, pi

        from sklearn.exceptions import ConvergenceWarning
        from sklearn.gaussian_process import GaussianProcessRegressor
        from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

        kernel = ConstantKernel(1.0, (0.1, 10.0)) * Matern(1.0, (0.2, 5.0), nu=2.5) + WhiteKernel(0.1, (1e-3, 1.0))
        process = GaussianProcessRegressor(kernel, normalize_y=True, random_state=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            process.fit(tried, worth)
        mean, spread = process.predict(some, return_std=True)
        z = (mean - worth.max()) / np.maximum(spread, 1e-9)
        below = 0.5 * (1.0 + np.vectorize(erf)(z / np.sqrt(2.0)))
        return spread * (z * below + np.exp(-0.5 * z * z) / np.sqrt(2.0 * pi))


BASELINES: tuple[type[SearchAgent], ...] = (RandomSearch, LocalSearch, BayesianSearch)
