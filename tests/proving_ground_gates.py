"""Whether ProvingGround asks for a design that fits the programme: `python tests/proving_ground_gates.py` prints the figures.

The best universal design is searched for on 32 programmes of "train" and judged on 200 of "test". Nothing is tuned on the latter.
`python tests/proving_ground_gates.py slack` prints how often a learner that explores at random is rewarded, by how strict the limits are.
"""

import sys

import numpy as np

from unseen.envs.core.device import host
from unseen.envs.industry.proving_ground import design, manoeuvres, rules, scenarios
from unseen.envs.suite import make_vec

LEVEL = 3
rng = np.random.default_rng(0)


def scores(env, seed: int, drawn: np.ndarray, later: int = 0) -> np.ndarray:
    """Pass rates (n,) in the worst family of designs (n, 10) in the programmes from `seed` on. `later`: draw other scenarios."""
    env.reset(seed=seed)
    env.world["rng"] += np.uint64(later)
    action = np.concatenate([drawn, np.zeros((len(drawn), 6)), np.ones((len(drawn), 1))], axis=1)
    return env.step(action.astype(np.float32))[1] + rules.PROTOTYPE


def optimum(env, seed: int) -> np.ndarray:
    """The design of each programme (n, 10) that is built as the benchmark."""
    env.reset(seed=seed)
    return env.world["brief"] @ design.BENCHMARK.T - env.world["offset"]


def said(x: np.ndarray) -> str:
    return f"{x.mean():.3f} +- {1.96 * x.std() / len(x) ** 0.5:.3f}"


def universal() -> np.ndarray:
    """The best fixed design that the cross-entropy method finds on 32 programmes."""
    env = make_vec("ProvingGround", 32, action="continuous", level=LEVEL, split="train")
    mean, spread = optimum(env, 0).mean(0), np.full(design.PARTS, 0.25)
    for _ in range(8):
        tried = np.clip(mean + spread * rng.standard_normal((20, design.PARTS)), -1, 1)
        tried[0] = mean
        worth = [scores(env, 0, np.tile(row, (32, 1))).mean() for row in tried]
        best = tried[np.argsort(worth)[-5:]]
        mean, spread = best.mean(0), 0.7 * spread + 0.3 * best.std(0)
    return mean


def pass_rates() -> dict[str, np.ndarray]:
    """Family -> for each of 40 scenarios, the share of 100 random designs that pass it."""
    compare, assemble, describe, benchmark = map(
        host, (scenarios.compare, manoeuvres.assemble, scenarios.describe, scenarios.set_benchmark)
    )
    rig, other = (np.zeros(1, manoeuvres.RIG)[0] for _ in range(2))
    sc, zero, margin, found = np.zeros(1, manoeuvres.SCENARIO)[0], np.zeros(design.PARTS), np.zeros(3), {}
    slack = make_vec("ProvingGround", 1, action="continuous", level=LEVEL).params.slack
    for f, name in enumerate(manoeuvres.FAMILIES):
        passed = []
        for _ in range(40):
            brief = rng.uniform(-1, 1, design.BRIEF)
            surface = int(rng.choice(3, p=[host(scenarios.share_of)(brief, k) for k in range(3)]))
            describe(sc, brief, f, surface, rng.uniform(-1, 1, 4))
            benchmark(other, brief, zero)
            good = 0
            for _ in range(100):
                rig["drawn"] = rng.uniform(-1, 1, design.PARTS)
                assemble(rig, zero)
                good += compare(rig, other, sc, brief, slack, margin)
            passed.append(good / 100)
        found[name] = np.array(passed)
    return found


def by_slack() -> None:
    """Print scores of designs that use nothing of the programme, or only its brief, by `slack`."""
    print(
        f"ProvingGround, level {LEVEL}, 200 programmes of train: share of designs with a score above 0, and mean score\n"
    )
    around = {
        "random designs": 1.0,
        "middle +- .5": 0.5,
        "middle +- .2": 0.2,
        "middle of the box": 0.0,
        "brief only": 0.0,
    }
    print(f"{'slack':8}" + "".join(f"{name:>20}" for name in around))
    for slack in (0.5, 0.75, 1.0, 1.5, 2.0, 3.0):
        env = make_vec("ProvingGround", 200, action="continuous", level=LEVEL, split="train", slack=slack)
        env.reset(seed=0)
        brief_only, row = env.world["brief"] @ design.BENCHMARK.T, f"{slack:<8g}"
        for name, width in around.items():
            noise = (
                rng.uniform(-1, 1, (200, design.PARTS))
                if width == 1.0
                else width * rng.standard_normal((200, design.PARTS))
            )
            drawn = brief_only if name == "brief only" else np.clip(noise, -1, 1)
            found = scores(env, 0, drawn)
            row += f"{(found > 1e-6).mean():12.2f} {found.mean():7.3f}"
        print(row, flush=True)


def main() -> None:
    print(f"ProvingGround, level {LEVEL}: pass rates in the worst family, 95 % intervals\n")
    env = make_vec("ProvingGround", 200, action="continuous", level=LEVEL, split="test")
    own, fixed = optimum(env, 0), universal()
    oracle, one = scores(env, 0, own), scores(env, 0, np.tile(fixed, (200, 1)))
    print(f"each programme's optimum               {said(oracle)}, least {oracle.min():.2f}")
    print(f"best universal design                  {said(one)}")
    print(f"difference                             {said(oracle - one)}   wanted: >= .15")
    env.reset(seed=0)
    brief_only = env.world["brief"] @ design.BENCHMARK.T
    print(f"the benchmark as drawn (brief only)    {said(scores(env, 0, brief_only))}")
    other = np.roll(own + env.world["offset"], 1, axis=0) - env.world["offset"]
    print(f"optimum of another brief, own factory  {said(scores(env, 0, other))}")
    random = np.array([scores(env, 0, rng.uniform(-1, 1, (200, design.PARTS))) for _ in range(3)])
    print(f"random designs                         {said(random.ravel())}")
    small = make_vec("ProvingGround", 24, action="continuous", level=LEVEL, split="test")
    tried = rng.uniform(-1, 1, (100, 24, design.PARTS))
    worth = np.array([scores(small, 0, row) for row in tried])
    best = tried[worth.argmax(0), np.arange(24)]
    print(f"best of 100 random, on the same tests  {said(worth.max(0))}")
    print(f"the same, on held-out scenarios        {said(scores(small, 0, best, later=1_000_003))}")
    near = {}
    for split in ("test", "shift"):
        near[split] = optimum(make_vec("ProvingGround", 4_000, action="continuous", level=LEVEL, split=split), 0)
    print(
        "optima within 2 % of a bound           "
        + ", ".join(f"{k} {(np.abs(z) > 0.98).mean():.4f}" for k, z in near.items())
    )
    print("\nscore lost by the optimum if one offset is at the other end:")
    for k, row in enumerate(design.VARIABLES):
        env.reset(seed=0)
        moved = env.world["offset"].copy()
        moved[:, k] = np.where(moved[:, k] < 0, env.params.offset, -env.params.offset)
        env.world["offset"] = moved
        action = np.concatenate([own, np.zeros((200, 6)), np.ones((200, 1))], axis=1)
        lost = oracle - env.step(action.astype(np.float32))[1] - rules.PROTOTYPE
        print(f"  {row[0]:24} {said(lost)}")
    print("\nshare of scenarios that 2-98 % of random designs pass (40 scenarios, 100 designs); wanted: 1.00")
    print(f"  {'':24} 2-98 %   fewer    more   mean pass rate")
    for name, rates in pass_rates().items():
        fewer, more = (rates < 0.02).mean(), (rates > 0.98).mean()
        print(f"  {name:24}   {1.0 - fewer - more:.2f}    {fewer:.2f}    {more:.2f}   {rates.mean():.2f}")


if __name__ == "__main__":
    by_slack() if sys.argv[1:] == ["slack"] else main()
