"""A private certificate: the margins of a car in thousands of held-out scenarios of its programme.

For reports, and for searches in the true simulator. Privileged: agents have no access. Its scenarios are drawn with their own random
keys, so that they are neither those of training nor those of the certification that ends an episode.
"""

from typing import Any, NamedTuple

import numpy as np

from unseen.envs.core.device import device, host
from unseen.envs.core.rng import PRIVATE, keys
from unseen.envs.industry.proving_ground.design import PARTS
from unseen.envs.industry.proving_ground.manoeuvres import FAMILIES, RIG, SCENARIO, assemble, perform
from unseen.envs.industry.proving_ground.scenarios import NUMBERS, compare, draw_scenario, judge, set_benchmark

EACH = 500  # scenarios of a family


class Certificate(NamedTuple):
    """The results of a design in m scenarios.

    Attributes:
        scenarios: (m,) of dtype SCENARIO, family by family.
        margins: (m, 3) in units, without noise; a scenario is passed if none is negative.
        spun: (m,) bool.
    """

    scenarios: np.ndarray
    margins: np.ndarray
    spun: np.ndarray

    @property
    def passed(self) -> np.ndarray:
        """(m,) bool."""
        return np.asarray((self.margins >= 0.0).all(1))

    @property
    def rates(self) -> np.ndarray:
        """(6,) fraction of the scenarios of each family that are passed."""
        return np.array([self.passed[self.scenarios["family"] == f].mean() for f in range(len(FAMILIES))])


@device
def draw_all(s, scenarios, each, n):
    """Fill scenarios (6 each,), family by family. n: scratch (4,)."""
    for k in range(len(scenarios)):
        draw_scenario(s, scenarios[k], k // each, n)


@device
def drive_benchmark(s, scenarios, others):
    """Run the benchmark car in each of the scenarios (m,), on the rigs others (m,)."""
    for k in range(len(scenarios)):
        set_benchmark(others[k], s.brief, s.zero)
        perform(others[k], scenarios[k])


@device
def drive_all(s, slack, designs, scenarios, others, margins, spun):
    """Build each of the designs (m, 10), and run it in its scenario of scenarios (m,). Fills margins (m, 3) and spun (m,)."""
    for k in range(len(scenarios)):
        for i in range(PARTS):
            s.spare.drawn[i] = designs[k, i]
        assemble(s.spare, s.offset)
        perform(s.spare, scenarios[k])
        judge(s.spare, others[k], scenarios[k], s.brief, slack, margins[k])
        spun[k] = s.spare.spun


@device
def search_all(s, slack, designs, scenarios, others, order, each, margin):
    """The index of the design with the highest pass rate in its worst family, of designs (m, 10), and that rate.

    A design is abandoned as soon as it can no longer exceed the best so far, which does not change the result. order: (6,) families, in
    the order in which they are run; each: scenarios per family.
    """
    best, most = 0, -1
    for k in range(len(designs)):
        for i in range(PARTS):
            s.spare.drawn[i] = designs[k, i]
        assemble(s.spare, s.offset)
        least = each
        for f in order:
            passed, left = 0, each
            while left > 0 and passed + left > most:
                j = f * each + each - left
                perform(s.spare, scenarios[j])
                passed += judge(s.spare, others[j], scenarios[j], s.brief, slack, margin)
                left -= 1
            least = min(least, passed)
            if least <= most:
                break
        if least > most:
            best, most = k, least
    return best, most / each


CHEAPEST_FIRST = np.array([3, 4, 5, 0, 1, 2])  # families, by the cost of simulating a scenario


class Programme:
    """One programme of ProvingGround, for testing designs outside an episode.

    Args:
        record: the environment's state after a reset, copied.
        params: of the environment.
    """

    def __init__(self, record: np.void, params: Any) -> None:
        self.params, self.slack = params, float(params.slack)
        self._record = record.copy()

    def scenarios(self, seed: int, each: int = EACH) -> np.ndarray:
        """Private scenarios (6 each,) of dtype SCENARIO, family by family. They depend only on the programme's brief and the seed."""
        drawn = np.zeros(len(FAMILIES) * each, SCENARIO)
        self._record["rng"] = keys([seed], PRIVATE)[0]
        host(draw_all)(self._record, drawn, each, np.zeros(NUMBERS))
        return drawn

    def drive(self, designs: np.ndarray, scenarios: np.ndarray) -> Certificate:
        """Run one design (10,) in all scenarios (m,), or designs (m, 10) in one scenario each."""
        m = len(scenarios)
        rows = np.ascontiguousarray(np.broadcast_to(np.asarray(designs, np.float64), (m, PARTS)))
        margins, spun = np.zeros((m, 3)), np.zeros(m, np.int64)
        host(drive_all)(self._record, self.slack, rows, scenarios, self._benchmark(scenarios), margins, spun)
        return Certificate(scenarios, margins, spun > 0)

    def shown(self, design: np.ndarray, scenario: np.void, rates: np.ndarray) -> np.void:
        """A state for rendering, in which this design has just run this scenario, and was certified with these pass rates (6,)."""
        state = self._record.copy()
        state["drawn"] = state["rig"]["drawn"] = design
        state["scenario"], state["passed"] = scenario, rates
        state["prototypes"] = state["tests"] = state["certified"] = state["done"] = 1
        host(assemble)(state["rig"], state["offset"])
        host(set_benchmark)(state["other"], state["brief"], state["zero"])
        host(compare)(state["rig"], state["other"], scenario, state["brief"], self.slack, state["margin"])
        state["shown"] = state["margin"]
        return state

    def best(self, designs: np.ndarray, scenarios: np.ndarray) -> tuple[int, float]:
        """The index of the design with the highest pass rate in its worst family, of designs (m, 10), and that rate.

        scenarios: (6 each,), as returned by `scenarios`.
        """
        each = len(scenarios) // len(FAMILIES)
        others, rows = self._benchmark(scenarios), np.ascontiguousarray(designs, np.float64)
        return host(search_all)(self._record, self.slack, rows, scenarios, others, CHEAPEST_FIRST, each, np.zeros(3))

    def _benchmark(self, scenarios: np.ndarray) -> np.ndarray:
        others = np.zeros(len(scenarios), RIG)
        host(drive_benchmark)(self._record, scenarios, others)
        return others
