"""An agent for ProvingGround that designs in imagination, and commits to the design that it believes to be the best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from unseen.agents.protocol import Agent
from unseen.agents.shared import noise
from unseen.agents.shared.designing import Belief, Chosen, Forecast, Trials, choose, draw_contexts
from unseen.envs.industry.proving_ground import rules
from unseen.envs.industry.proving_ground.design import BRIEF, PARTS

# Families in the order in which they are tested: first those whose margins tell most about the offsets.
ORDER = (3, 4, 5, 0, 2, 1)


@dataclass(frozen=True)
class Thinking:
    """How an agent designs.

    Attributes:
        tests: number of real tests before it commits.
        prototypes: number of prototypes that are built for real, one after the other, with equal shares of the tests.
        imagined: number of imagined designs per decision. 1: no planning; it draws the design that should be built as the middle of the
            box.
        scenarios: number of imagined scenarios per design and family.
        caution: number of standard deviations of the ensemble that are subtracted from a design's score.
        explore: standard deviation of the noise that is added to a design for each test, when exploring.
    """

    tests: int
    prototypes: int
    imagined: int
    scenarios: int
    caution: float
    explore: float = 0.0


class Notebook(NamedTuple):
    """Memory of one programme.

    Attributes:
        rows: the observation (d,) after each test.
        chosen: the present design; None before the first.
        belief: the one by which it was chosen.
    """

    rows: tuple[np.ndarray, ...] = ()
    chosen: Chosen | None = None
    belief: Belief | None = None


class DesignState(NamedTuple):
    """Memory of a `DesignAgent`: the position of each row in its stream of random numbers, and its notes."""

    episodes: noise.Episodes
    notes: tuple[Notebook, ...]


class DesignAgent(Agent):
    """Repeats: test a prototype, infer what the factory does, imagine designs. Then commits.

    Args:
        name: see `Agent`.
        forecast: predicts margins.
        thinking: how the agent designs.
    """

    obs, action = "file", "continuous"

    def __init__(self, name: str, forecast: Forecast, thinking: Thinking) -> None:
        self.name, self.forecast, self.thinking = name, forecast, thinking
        self.imagined: int | None = None
        """number of imagined designs per decision, instead of that in `thinking`"""
        self._seed = 0

    def seed(self, seed: int) -> None:
        self._seed = seed

    def initial_state(self, seeds: np.ndarray) -> DesignState:
        return DesignState(noise.start(self._seed, seeds), (Notebook(),) * len(seeds))

    def act(
        self, obs: np.ndarray, state: DesignState, first: np.ndarray, explore: bool = False
    ) -> tuple[np.ndarray, DesignState]:
        """See `Agent`. When exploring, designs of tests are drawn around the present one."""
        opens = np.asarray(first, bool)
        episodes = noise.next_episodes(self._seed, state.episodes, opens)
        words = noise.words(episodes, noise.ACTION, 1)[:, 0]
        actions, notes = [], []
        for row, before, begins, word in zip(np.asarray(obs, np.float32), state.notes, opens, words, strict=True):
            action, note = self._decide(row, Notebook() if begins else before, bool(begins), int(word), explore)
            actions.append(action)
            notes.append(note)
        return np.array(actions, np.float32), DesignState(noise.advance(episodes), tuple(notes))

    def _decide(
        self, row: np.ndarray, note: Notebook, begins: bool, word: int, explore: bool
    ) -> tuple[np.ndarray, Notebook]:
        rng, t = np.random.default_rng(word), self.thinking
        rows = note.rows if begins else (*note.rows, row.copy())
        done = len(rows)
        commits = done >= t.tests
        share = [
            k * t.prototypes // t.tests for k in (done - 1, done)
        ]  # index of the prototype, at the last test and at this one
        if note.chosen is None or commits or share[0] < share[1]:
            belief = self.believe(row, rows)
            note = Notebook(rows, self.design(row[:BRIEF], belief, rng), belief)
        note = note._replace(rows=rows)
        assert note.chosen is not None
        action = np.zeros(rules.ACTION)
        action[:PARTS] = note.chosen.design
        if explore and not commits:
            action[:PARTS] = np.clip(action[:PARTS] + t.explore * rng.standard_normal(PARTS), -1.0, 1.0)
        action[rules.FAMILY] = (2 * ORDER[done % rules.COUNT] + 1) / rules.COUNT - 1.0
        action[rules.SURFACE : rules.COMMIT] = rng.uniform(-1.0, 1.0, rules.COMMIT - rules.SURFACE)
        action[rules.COMMIT] = 1.0 if commits else -1.0
        return action, note

    def design(self, brief: np.ndarray, belief: Belief, rng: np.random.Generator) -> Chosen:
        """The next design for a brief (13,)."""
        t = self.thinking
        contexts = draw_contexts(brief, t.scenarios, rng)
        imagined = max(t.imagined if self.imagined is None else self.imagined, 1)
        return choose(self.forecast, belief, contexts, imagined, t.caution, rng)

    def believe(self, row: np.ndarray, rows: tuple[np.ndarray, ...]) -> Belief:
        """The belief about the offsets. row: the present observation (d,); rows: the observations after each test."""
        if rows:
            return self.forecast.after(Trials.of(np.stack(rows)))
        return self.forecast.before(row[rules.KNOWN : rules.KNOWN + PARTS], row[rules.KNOWN + PARTS : rules.DRAWN])
