"""Design in imagination: infer from tests what the factory does, imagine designs in scenarios, and take the best.

Written in numpy. The model that predicts margins is a `Graph`, of torch or of onnxruntime, so that a trained agent acts without torch.
An *offset* is the difference between a variable as built and as drawn; margins are in the units of
`unseen.envs.industry.proving_ground.scenarios`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np

from unseen.agents.shared.graph_agent import Arrays, Graph
from unseen.envs.industry.proving_ground import rules
from unseen.envs.industry.proving_ground.design import BRIEF, PARTS
from unseen.envs.industry.proving_ground.manoeuvres import FAMILIES as NAMES
from unseen.envs.industry.proving_ground.manoeuvres import SURFACES
from unseen.envs.industry.proving_ground.scenarios import FURTHEST as LIMIT
from unseen.envs.industry.proving_ground.scenarios import NUMBERS

FAMILIES, MARGINS = len(NAMES), 3
SCENARIO = FAMILIES + len(SURFACES) + NUMBERS
CONTEXT = BRIEF + SCENARIO

NUDGE = 0.02  # change of an offset, for difference quotients
GAUSS_NEWTON = 8  # number of steps
LONGEST = 0.2  # largest change of an offset in one step
ODD = 3.0  # spreads: a test whose prediction is further off gets less weight
ELITE = 0.1  # fraction of the designs to which the next distribution is fitted
ROUNDS = 8  # maximum number of rounds of the cross-entropy method
AT_LEAST = 50  # minimum number of designs in a round, if there is more than one
SPREAD = 0.4  # standard deviation of the first designs
SLOPE = 0.05  # weight of the mean over families beside the worst one, so that designs that pass nothing differ
LOGISTIC = 1.7  # the logistic function of 1.7 x is close to the normal distribution function of x


@dataclass
class Trials:
    """m tests, as an agent has observed them, float32.

    Attributes:
        programme: (m,) int64, index of the programme.
        drawn: (m, 10) the design.
        offset, known: (m, 10) the known offsets, 0 where unknown; and 1 where an offset is known, else 0.
        context: (m, 26) brief and scenario: family and surface one-hot, four numbers.
        margins: (m, 3) in units.
    """

    programme: np.ndarray
    drawn: np.ndarray
    offset: np.ndarray
    known: np.ndarray
    context: np.ndarray
    margins: np.ndarray

    def __len__(self) -> int:
        return len(self.programme)

    def __getitem__(self, index: np.ndarray) -> Trials:
        """Some of the tests, by their indices."""
        return Trials(*(getattr(self, f.name)[index] for f in fields(Trials)))

    def __add__(self, other: Trials) -> Trials:
        return Trials(*(np.concatenate([getattr(self, f.name), getattr(other, f.name)]) for f in fields(Trials)))

    @classmethod
    def of(cls, rows: np.ndarray, programme: int = 0) -> Trials:
        """The tests shown by observations "file" (m, d) of one programme."""
        scenario = rows[:, rules.LAST : rules.SHOWN]
        return cls(
            np.full(len(rows), programme),
            rows[:, rules.DRAWN : rules.DRAWN + PARTS],
            rows[:, rules.KNOWN : rules.KNOWN + PARTS],
            rows[:, rules.KNOWN + PARTS : rules.DRAWN],
            np.concatenate([rows[:, :BRIEF], scenario], axis=1),
            rows[:, rules.SHOWN : rules.SHOWN + MARGINS] * np.float32(LIMIT),
        )


class Belief(NamedTuple):
    """The belief of an ensemble of e members about the offsets of a programme.

    Attributes:
        offsets: (e, 10) most probable values, including the known ones.
        covariance: (e, 10, 10), 0 for known offsets.
    """

    offsets: np.ndarray
    covariance: np.ndarray


class Forecast:
    """Predictions by an ensemble of e members.

    Args:
        graph: "built" (n, 10 e) and "context" (n, 26) -> "margins" (n, 3 e); "spreads" (n, 3 e), standard deviations of the margins around
            their predictions; and "prior" (n, 1), standard deviation of the unknown offsets.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph, self.members = graph, graph.width("built") // PARTS
        self.prior = float(self._run(np.zeros((1, self.members, PARTS)), np.zeros((1, CONTEXT)))["prior"][0, 0])

    def _run(self, built: np.ndarray, context: np.ndarray) -> Arrays:
        return self.graph.run(
            {"built": built.reshape(len(built), -1).astype(np.float32), "context": context.astype(np.float32)}
        )

    def margins(self, built: np.ndarray, context: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Margins of cars as built (n, e, 10), for each member, in contexts (n, 26), and their spreads, (n, e, 3) each."""
        out, shape = self._run(built, context), (len(built), self.members, MARGINS)
        return out["margins"].reshape(shape), out["spreads"].reshape(shape)

    def before(self, offset: np.ndarray, known: np.ndarray) -> Belief:
        """The belief before any test. offset, known: (10,), as in `Trials`."""
        free = np.flatnonzero(known < 0.5)
        covariance = np.zeros((self.members, PARTS, PARTS))
        covariance[:, free, free] = self.prior**2
        return Belief(np.tile(np.where(known > 0.5, offset, 0.0), (self.members, 1)), covariance)

    def after(self, tests: Trials) -> Belief:
        """The belief after tests of one programme: the most probable offsets, by Gauss-Newton steps from the prior."""
        known, offset = tests.known[0], tests.offset[0]
        belief = self.before(offset, known)
        free, e, m = np.flatnonzero(known < 0.5), self.members, len(tests)
        if not len(free):
            return belief
        seen = np.abs(tests.margins) < 0.99 * LIMIT
        _, spreads = self.margins(np.zeros((m, e, PARTS)), tests.context)
        weight = (seen[:, None] / spreads**2).transpose(1, 0, 2).reshape(e, -1)
        precision = np.eye(len(free)) / self.prior**2
        nudges = np.zeros((len(free) + 1, PARTS))
        nudges[np.arange(len(free)) + 1, free] = NUDGE
        context = np.tile(tests.context, (len(nudges), 1))
        offsets = belief.offsets.copy()
        for _ in range(GAUSS_NEWTON):
            built = tests.drawn[None, :, None] + offsets + nudges[:, None, None]
            out = self.margins(built.reshape(-1, e, PARTS), context)[0].reshape(len(nudges), m, e, MARGINS)
            predicted = out.transpose(2, 0, 1, 3).reshape(e, len(nudges), -1).astype(np.float64)
            slope, error = (predicted[:, 1:] - predicted[:, :1]) / NUDGE, tests.margins.reshape(-1) - predicted[:, 0]
            w = weight / (1.0 + np.abs(error) * np.sqrt(weight) / ODD)
            normal = np.einsum("eim,em,ejm->eij", slope, w, slope) + precision
            push = np.einsum("eim,em->ei", slope, w * error) - offsets[:, free] @ precision
            offsets[:, free] += np.clip(np.linalg.solve(normal, push[..., None])[..., 0], -LONGEST, LONGEST)
        belief.covariance[:, free[:, None], free] = np.linalg.inv(normal)
        return Belief(offsets, belief.covariance)

    def scores(self, designs: np.ndarray, offsets: np.ndarray, contexts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The fraction of scenarios that each member expects designs to pass in their worst family.

        Args:
            designs: (k, 10).
            offsets: (e, 10) of the members.
            contexts: (6 each, 26), family by family.

        Returns:
            The mean probability of passing, which is smooth, plus SLOPE times its mean over the families; and the fraction with no
            negative margin. (k, e) each.
        """
        k, e, m = len(designs), self.members, len(contexts)
        built = np.broadcast_to((designs[:, None] + offsets)[:, None], (k, m, e, PARTS)).reshape(-1, e, PARTS)
        out, spreads = self.margins(built, np.tile(contexts, (k, 1)))
        sure = np.clip(LOGISTIC * out / spreads, -30.0, 30.0)
        smooth = (1.0 / (1.0 + np.exp(-sure))).prod(-1).reshape(k, FAMILIES, -1, e).mean(2)
        hard = (out >= 0.0).all(-1).reshape(k, FAMILIES, -1, e).mean(2)
        return smooth.min(1) + SLOPE * smooth.mean(1), hard.min(1)


class Chosen(NamedTuple):
    """A design and what was expected of it.

    Attributes:
        design: (10,) in [-1, 1].
        claim: the fraction that passes in the worst family, predicted by the members on average.
        bound: the lower confidence bound by which it was chosen.
    """

    design: np.ndarray
    claim: float
    bound: float


def draw_contexts(brief: np.ndarray, each: int, rng: np.random.Generator) -> np.ndarray:
    """Imagined scenarios (6 each, 26) for a brief (13,), family by family; surfaces in equal shares, numbers uniform in [-1, 1]."""
    m = FAMILIES * each
    family = np.eye(FAMILIES)[np.repeat(np.arange(FAMILIES), each)]
    surface = np.eye(len(SURFACES))[np.tile(np.arange(each) % len(SURFACES), FAMILIES)]
    return np.concatenate([np.tile(brief, (m, 1)), family, surface, rng.uniform(-1.0, 1.0, (m, NUMBERS))], axis=1)


def choose(
    forecast: Forecast, belief: Belief, contexts: np.ndarray, imagined: int, caution: float, rng: np.random.Generator
) -> Chosen:
    """The best of `imagined` designs, by the cross-entropy method.

    The first candidate is the drawing that, by the belief, is built as the middle of the box; with `imagined` 1 it is the only one.
    Designs are ranked by the mean score of the members minus `caution` times its standard deviation.
    """
    mean = np.clip(-belief.offsets.mean(0), -1.0, 1.0)
    spread, best, value = np.full(PARTS, SPREAD), mean, -np.inf
    rounds = int(np.clip(imagined // AT_LEAST, 1, ROUNDS))
    claim = 0.0
    for index in range(rounds):
        count = imagined // rounds + (index < imagined % rounds)
        designs = np.clip(mean + spread * rng.standard_normal((count, PARTS)), -1.0, 1.0)
        if index == 0:
            designs[0] = mean
        smooth, hard = forecast.scores(designs, belief.offsets, contexts)
        worth = smooth.mean(1) - caution * smooth.std(1)
        order = np.argsort(-worth, kind="stable")
        if worth[order[0]] > value:
            best, value, claim = designs[order[0]], float(worth[order[0]]), float(hard[order[0]].mean())
        elite = designs[order[: max(int(ELITE * count), 5)]]
        mean, spread = elite.mean(0), elite.std(0) + 0.01
    return Chosen(best, claim, value)
