"""A lower bound of the best return in Dosing: `python tests/dosing_bound.py` improves the oracle's rates, for 24 patients.

A local search: it begins at the oracle's own rates, and changes those of the last 20 minutes of surgery only, constant for half a minute
each, by the cross-entropy method on the reward itself. The best may return more than it finds.
"""

import numpy as np

from unseen.envs.industry.dosing.rules import DEEPEST, INDUCTION, LIGHTEST, RATES, RECOVERY, TOO_DEEP, WAKING
from unseen.envs.industry.kit.pharmacology import AWAKE_BIS
from unseen.envs.suite import make_vec

PATIENTS, ROUNDS, PLANS, ELITE = 24, 100, 120, 12
LAST, EACH = 120, 3  # steps


def returns(world: np.ndarray, rates: np.ndarray) -> np.ndarray:
    """Returns (n, plans) of plans (n, plans, steps) of rates in mg/min, which are 0 from the end of surgery on."""
    drug, end = world["drug"], world["end"][:, None]
    state, value = np.zeros((*rates.shape[:2], 4)), np.zeros(rates.shape[:2])
    awake = np.zeros(rates.shape[:2], bool)
    for t in range(1, rates.shape[2] + 1):
        state = np.einsum("nij,npj->npi", drug["phi"], state) + drug["gain"][:, None] * rates[:, :, t - 1, None]
        ratio = np.maximum(state[..., 3], 1e-12) / world["c50"][:, None]
        bis = AWAKE_BIS / (1.0 + ratio ** world["gamma"][:, None])
        scored = ~awake & (t > INDUCTION) & (t <= end)
        inside, bad = (bis >= DEEPEST) & (bis <= LIGHTEST), (bis < TOO_DEEP) | ((bis > WAKING) & (t < end))
        value += scored * (0.5 * inside - bad) / (end - INDUCTION)
        wakes = ~awake & (t >= end) & (bis > WAKING)
        value += wakes * 0.5 * (1.0 - (t - end) / RECOVERY)
        awake |= wakes | (t >= end + RECOVERY)
    return value


def main() -> None:
    env = make_vec("Dosing", PATIENTS, level=0, split="test")
    obs, _ = env.reset(seed=0)
    world, policy, first = env.world.copy(), env.reference("oracle"), np.ones(PATIENTS, bool)
    played = np.zeros((PATIENTS, env.horizon))
    for t in range(env.horizon):
        actions = policy.act(obs, first)
        played[:, t] = np.array(RATES)[actions] * (t < world["end"])
        obs, *_ = env.step(actions)
        first = np.zeros(PATIENTS, bool)
    oracle = returns(world, played[:, None])[:, 0]
    rng, best = np.random.default_rng(0), oracle.copy()
    spans = [slice(int(end) - LAST, int(end)) for end in world["end"]]
    mean = np.stack([row[span].reshape(-1, EACH).mean(1) for row, span in zip(played, spans, strict=True)])
    spread = np.full_like(mean, 6.0)
    for _ in range(ROUNDS):
        plans = np.clip(mean[:, None] + rng.standard_normal((PATIENTS, PLANS, mean.shape[1])) * spread[:, None], 0, 100)
        plans[rng.random(plans.shape) < 0.1] = 0.0
        plans[:, 0] = mean
        rates = np.repeat(played[:, None], PLANS, axis=1)
        for row, plan, span in zip(rates, plans, spans, strict=True):
            row[:, span] = np.repeat(plan, EACH, axis=-1)
        found = returns(world, rates)
        best = np.maximum(best, found.max(1))
        chosen = np.take_along_axis(plans, np.argsort(-found, axis=1)[:, :ELITE, None], axis=1)
        mean, spread = 0.4 * mean + 0.6 * chosen.mean(1), 0.7 * spread + 0.3 * (chosen.std(1) + 0.05)
    print(f"Dosing: mean returns of {PATIENTS} patients, level 0, split test (python tests/dosing_bound.py)\n")
    print(f"oracle                                               {oracle.mean():.4f}")
    print(f"the best that a local search from its rates found    {best.mean():.4f}")
    print(f"more than the oracle, in the patient with the most   {(best - oracle).max():.4f}")


if __name__ == "__main__":
    main()
