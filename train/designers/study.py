"""What imagination is worth to a designer: the runs of `unseen designers`.

Every design is certified on private scenarios of its programme. Programmes are of the split "test", and no two training seeds share one.
The environment's limit of 24 steps applies to the scripted references only. Designers that learn from past programmes are trained once for
each seed, and evaluated during training. What is stored is not run again, and nothing is trained if all of that is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from unseen.agents.load import load_agent
from unseen.agents.protocol import Agent
from unseen.agents.shared.design_agent import DesignAgent, DesignState
from unseen.agents.shared.designing import Belief, choose, draw_contexts
from unseen.agents.shared.envs import EnvConfig
from unseen.agents.surrogate_designer import SurrogateDesignerLearner
from unseen.envs.industry.proving_ground import rules
from unseen.envs.industry.proving_ground.design import BRIEF, PARTS
from unseen.train.designers.baselines import BASELINES
from unseen.train.designers.controls import CONTROLS, Recaller, Target, lessons
from unseen.train.designs import Submission, submissions
from unseen.train.errors import EvaluationError

ENV = "ProvingGround"
REFERENCES = ("universal", "reflex", "portfolio", "tracker", "oracle")
PUBLIC = 8  # scenarios of a family, by which the search in the true simulator compares designs
APART = 1_000_000  # offset between the seeds of these scenarios and those of certificates

Say = Callable[[str], None]


@dataclass(frozen=True)
class StudyConfig:
    """What a study runs.

    Attributes:
        level: of ProvingGround.
        seeds: of training.
        programmes: number of held-out programmes for each seed.
        each: private scenarios of each family in a certificate.
        past: numbers of past programmes.
        tests: budgets of real tests in a programme.
        usual: the budget of tests used when other things are compared.
        imagined: numbers of designs imagined for a decision; the last but one is used when other things are compared.
        curve: numbers of past programmes at which all of `imagined` are run; from the first of them on, the control with another
            programme's latent is run, too.
        few: number of programmes for the largest of `imagined`.
        searches: numbers of designs that random search tries in the true simulator.
    """

    level: int | str
    seeds: tuple[int, ...] = (0, 1, 2)
    programmes: int = 12
    each: int = 50
    past: tuple[int, ...] = (10, 30, 100, 300, 1000)
    tests: tuple[int, ...] = (8, 24, 72)
    usual: int = 24
    imagined: tuple[int, ...] = (1, 10, 100, 1000, 10_000)
    curve: tuple[int, ...] = (100, 1000)
    few: int = 4
    searches: tuple[int, ...] = (100, 1000, 10_000)


QUICK = StudyConfig(
    2,
    seeds=(0,),
    programmes=3,
    each=10,
    past=(4, 8),
    tests=(8, 12),
    usual=12,
    imagined=(1, 10, 20),
    curve=(4, 8),
    few=2,
    searches=(20,),
)
"""To test the code; its numbers mean nothing."""


@dataclass(frozen=True)
class Row:
    """Scores of one designer, with one training seed.

    Attributes:
        designer: its name.
        seed: of training; it also selects the programmes.
        past: number of past programmes that it has learned from.
        tests: real tests in a programme.
        imagined: designs imagined for a decision; 0: it imagines none.
        scores: pass rate of the worst family on the private certificate, for each programme.
        claims: the score that the designer expected, for each programme; empty if it does not predict one.
        cpu_s: CPU-seconds a programme, without the certificate.
        note: what a control is; "" otherwise.
    """

    designer: str
    seed: int
    past: int
    tests: int
    imagined: int
    scores: tuple[float, ...]
    claims: tuple[float, ...] = ()
    cpu_s: float = 0.0
    note: str = ""


class _Remembered(DesignAgent):
    """A designer whose notes can be read after it has played."""

    def __init__(self, agent: DesignAgent, tests: int, imagined: int) -> None:
        super().__init__(agent.name, agent.forecast, replace(agent.thinking, tests=tests, imagined=imagined))

    def act(
        self, obs: np.ndarray, state: DesignState, first: np.ndarray, explore: bool = False
    ) -> tuple[np.ndarray, DesignState]:
        actions, after = super().act(obs, state, first, explore)
        self.notes = after.notes
        return actions, after


class Study:
    """Runs what is missing of a plan.

    Args:
        rows, speeds: stored results.

    Attributes:
        rows: all results so far.
        speeds: scenarios per CPU-second, "imagined" and "simulated".
    """

    def __init__(
        self,
        plan: StudyConfig,
        say: Say = lambda text: None,
        rows: Sequence[Row] = (),
        speeds: Mapping[str, float] | None = None,
    ) -> None:
        self.plan, self.say, self.rows = plan, say, list(rows)
        self.env = EnvConfig(ENV, plan.level, obs="file", action="continuous", split="test")
        self.speeds = dict(speeds or {})

    def run(self) -> None:
        """Run everything that is missing. Raises MissingExtra, EvaluationError."""
        for seed in self.plan.seeds:
            searches = [(kind, tests) for kind in BASELINES for tests in self.plan.tests]
            missing = [(kind(tests), tests) for kind, tests in searches if not self._has(kind.name, seed, tests=tests)]
            self._references(seed)  # after what may raise MissingExtra
            for agent, tests in missing:
                self._add(seed, agent.name, agent, tests=tests)
            self._true_search(seed)
            self._learn(seed)

    def _has(self, designer: str, seed: int, **where: int) -> bool:
        """Whether there is a row of a designer with these values of other fields."""
        return any(
            row.designer == designer and row.seed == seed and all(getattr(row, k) == v for k, v in where.items())
            for row in self.rows
        )

    def programmes(self, seed: int, count: int | None = None) -> range:
        """Seeds of the held-out programmes of a training seed."""
        return range(seed * self.plan.programmes, seed * self.plan.programmes + (count or self.plan.programmes))

    def _references(self, seed: int) -> None:
        for name in REFERENCES:
            if self._has(name, seed):
                continue
            agent = load_agent(name, ENV, self.plan.level)
            self._add(seed, name, agent, config=replace(self.env, obs=agent.obs))

    def _add(
        self,
        seed: int,
        name: str,
        agent: Agent,
        count: int | None = None,
        config: EnvConfig | None = None,
        *,
        past: int = 0,
        tests: int | None = None,
        imagined: int = 0,
    ) -> None:
        """Let an agent play, certify its designs, and keep the row. Without `tests`, the row has the mean number of tests made."""
        started = time.process_time()
        found = submissions(agent, config or self.env, self.programmes(seed, count), endless=name not in REFERENCES)
        spent = (time.process_time() - started) / len(found)
        if bad := [one.error for one in found if one.error]:
            raise EvaluationError(bad[0])
        used = round(float(np.mean([one.tests for one in found]))) if tests is None else tests
        self._keep(Row(name, seed, past, used, imagined, self._scores(found), cpu_s=spent))

    def _scores(self, found: Sequence[Submission]) -> tuple[float, ...]:
        return tuple(float(one.certify(self.plan.each).rates.min()) for one in found)

    def _keep(self, row: Row) -> None:
        self.rows.append(row)
        imagined = f", {row.imagined:,} imagined" if row.imagined else ""
        past = f", {row.past:,} past programmes" if row.past else ""
        self.say(
            f"seed {row.seed}: {row.designer}{past}, {row.tests} tests{imagined}{row.note and ', ' + row.note}: {np.mean(row.scores):.3f}"
        )

    def _true_search(self, seed: int) -> None:
        """Random search with the true simulator and the true offsets, which no budget of real tests buys."""
        found = submissions(load_agent("universal", ENV, self.plan.level), self.env, self.programmes(seed))
        rng = np.random.default_rng(seed)
        for count in self.plan.searches:
            if self._has("random search, true simulator", seed, imagined=count):
                continue
            started, claims = time.process_time(), []
            for one in found:
                public = one.programme.scenarios(APART + one.seed, PUBLIC)
                designs = rng.uniform(-1.0, 1.0, (count, PARTS))
                best, claim = one.programme.best(designs, public)
                one.design = designs[best]
                claims.append(claim)
            spent = (time.process_time() - started) / len(found)
            name = "random search, true simulator"
            self._keep(Row(name, seed, 0, 0, count, self._scores(found), tuple(claims), spent))

    def _learn(self, seed: int) -> None:
        learner = SurrogateDesignerLearner(replace(self.env, split="train"), seed)
        missing = {past: self._missing(seed, past) for past in self.plan.past}
        last = max((past for past, cells in missing.items() if cells), default=0)
        for past in (one for one in self.plan.past if one <= last):
            learner.stop_at = past
            while (learner.episodes or 0) < past:
                learner.advance()
            targets = self._targets(learner) if any(name in CONTROLS for name, _, _ in missing[past]) else {}
            for name, tests, imagined in missing[past]:
                if name in CONTROLS:
                    own = learner.policy()
                    agent = Recaller(name, own.forecast, replace(own.thinking, tests=tests), targets[name])
                    self._add(seed, name, agent, past=past, tests=tests)
                else:
                    self._design(learner, seed, past, tests, imagined)
        if not self.speeds:
            self._time(learner)

    def _missing(self, seed: int, past: int) -> list[tuple[str, int, int]]:
        """What has to be run after so many past programmes: designer, real tests, and designs imagined."""
        plan, name, usual = self.plan, SurrogateDesignerLearner.name, self.plan.imagined[-2]
        curve = plan.imagined[1:] if past in plan.curve else ()
        cells = [(name, tests, usual) for tests in plan.tests]
        cells += [(name, plan.usual, imagined) for imagined in (1, *curve) if imagined != usual]
        cells += [(control, tests, 0) for control in CONTROLS for tests in plan.tests]
        return [
            (who, tests, imagined)
            for who, tests, imagined in cells
            if not self._has(who, seed, past=past, tests=tests, imagined=imagined)
        ]

    def _targets(self, learner: SurrogateDesignerLearner) -> dict[str, Target]:
        """What the controls want to be built, by the past programmes of a learner."""
        found = lessons(learner.past, learner.policy().forecast)
        return {name: make(found) for name, make in CONTROLS.items()}

    def _design(self, learner: SurrogateDesignerLearner, seed: int, past: int, tests: int, imagined: int) -> None:
        """Let the learner design, and where other things are compared, also with another programme's latent."""
        plan, usual = self.plan, self.plan.imagined[-2]
        agent = _Remembered(learner.policy(), tests, imagined)
        self._add(
            seed, learner.name, agent, plan.few if imagined > usual else None, past=past, tests=tests, imagined=imagined
        )
        claims = tuple(note.chosen.claim for note in agent.notes if note.chosen is not None)
        self.rows[-1] = replace(self.rows[-1], claims=claims)
        if (tests, imagined) == (plan.usual, usual) and past >= plan.curve[0]:
            self._other_factory(agent, seed, past, tests, usual)

    def _other_factory(self, agent: _Remembered, seed: int, past: int, tests: int, imagined: int) -> None:
        """A control: repeat the final decision with the offsets inferred for the next programme instead."""
        found = submissions(load_agent("universal", ENV, self.plan.level), self.env, self.programmes(seed))
        for k, one in enumerate(found):
            note, other = agent.notes[k], agent.notes[(k + 1) % len(found)]
            assert note.belief is not None and other.belief is not None
            known = note.rows[-1][rules.KNOWN + PARTS : rules.DRAWN] > 0.5
            belief = Belief(np.where(known, note.belief.offsets, other.belief.offsets), note.belief.covariance)
            rng = np.random.default_rng(one.seed)
            contexts = draw_contexts(note.rows[-1][:BRIEF], agent.thinking.scenarios, rng)
            one.design = choose(agent.forecast, belief, contexts, imagined, agent.thinking.caution, rng).design
        row = Row(agent.name, seed, past, tests, imagined, self._scores(found), note="another programme's latent")
        self._keep(row)

    def _time(self, learner: SurrogateDesignerLearner) -> None:
        """Scenarios per CPU-second, imagined and in the simulator."""
        forecast, rng = learner.policy().forecast, np.random.default_rng(0)
        one = submissions(load_agent("universal", ENV, self.plan.level), self.env, [0])[0]
        contexts = draw_contexts(np.zeros(BRIEF), 6, rng)
        designs, offsets = rng.uniform(-1.0, 1.0, (250, PARTS)), np.zeros((forecast.members, PARTS))
        started = time.process_time()
        forecast.scores(designs, offsets, contexts)
        imagined = len(designs) * len(contexts) / (time.process_time() - started)
        scenarios = one.programme.scenarios(0, 100)
        started = time.process_time()
        one.programme.drive(one.design, scenarios)
        simulated = len(scenarios) / (time.process_time() - started)
        self.speeds = {"imagined": imagined, "simulated": simulated}
