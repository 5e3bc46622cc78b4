"""Planning of continuous actions by sampling action sequences in rounds, with a policy prior and a terminal value.

Sequences are sampled around a mean, which is refitted to the best ones, weighted by their return (MPPI: Williams et al. 2015; with equal
weights, the cross-entropy method). The first round contains roll-outs of the policy, and returns include the critic's value of the last
state (TD-MPC2: Hansen et al. 2024). The mean itself is evaluated, the best sequences of a round are kept for the next, and the best
sequence ever evaluated is the plan (iCEM: Pinneri et al. 2020).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from gymnasium import spaces

from unseen.agents.protocol import Dynamics, Plan, Planner
from unseen.agents.shared.priors import encoded, scaled, squashed

LEAST_STD, FIRST_STD = 0.05, 1.0  # smallest and initial standard deviation of actions, which are in [-1, 1]
DROPPED = 6  # rejected sequences that a plan keeps, to be drawn


@dataclass(frozen=True)
class Shooting(Planner):
    """Evaluates rounds of `population` sequences, as many as the imagined steps allow.

    A larger number of imagined steps continues the same search, so imagining more never finds a worse plan.

    Attributes:
        discount: of one step.
        horizon: length of a sequence in steps.
        population: sequences in a round.
        elites: number of best sequences to which mean and standard deviation are fitted.
        guided: number of samples of the policy in the first round.
        temperature: of the weights of the elites, as a fraction of the range of their returns.
        hold: number of steps for which noise is held constant.
    """

    discount: float = 0.97
    horizon: int = 8
    population: int = 32
    elites: int = 8
    guided: int = 8
    temperature: float = 0.5
    hold: int = 1

    def plan(
        self,
        dynamics: Dynamics,
        states: np.ndarray,
        imagined: int,
        words: np.ndarray,
        begun: Sequence[np.ndarray | None] | None = None,
    ) -> list[Plan | None]:
        """See `Planner`. `begun` is the first mean, continued by zeros, the middle of the range."""
        assert isinstance(dynamics.space, spaces.Box)
        space, left = dynamics.space, imagined // self.horizon
        if left == 0:
            return [None] * len(states)
        n, h, a = len(states), self.horizon, dynamics.space.shape[0]
        streams = [np.random.Generator(np.random.Philox(key=int(word))) for word in words]
        mean, std = np.zeros((n, h, a)), np.full((n, h, a), FIRST_STD)
        for row, actions in enumerate(begun or ()):
            if actions is not None and len(actions):
                mean[row, : len(actions)] = encoded(space, actions[:h])
        tried, returns = np.zeros((n, 0, h, a)), np.zeros((n, 0))
        first = True
        while left > 0:
            noise = np.stack([stream.standard_normal((self.population, -(-h // self.hold), a)) for stream in streams])
            noise = noise.repeat(self.hold, axis=2)[:, : min(left, self.population), :h]
            left -= noise.shape[1]
            guided = self.guided if first and dynamics.prior(states[:1]) is not None else 0
            new, found = self._imagine(dynamics, states, mean, std, noise, guided)
            first = False
            tried, returns = np.concatenate([tried, new], 1), np.concatenate([returns, found], 1)
            order = np.argsort(-returns, axis=1, kind="stable")[:, : self.elites + DROPPED]
            tried = np.take_along_axis(tried, order[..., None, None], 1)
            returns = np.take_along_axis(returns, order, 1)
            mean, std = self._refit(tried[:, : self.elites], returns[:, : self.elites])
        return [
            Plan(actions[0], np.zeros((h, 0)), float(worth[0]), tuple(actions[1:][-DROPPED:]))
            for actions, worth in zip(scaled(space, tried), returns, strict=True)
        ]

    def _imagine(
        self, dynamics: Dynamics, states: np.ndarray, mean: np.ndarray, std: np.ndarray, noise: np.ndarray, guided: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Sequences in [-1, 1] (n, p, h, a) for noise of that shape, and their returns (n, p), from states (n, ...).

        mean, std: (n, h, a). If `guided`, the first sequence is a roll-out of the policy's most likely actions, the second is the mean, and
        the next `guided` ones are samples of the policy. Otherwise the first is the mean.
        """
        space = dynamics.space
        assert isinstance(space, spaces.Box)
        n, p, h, a = noise.shape
        noise[:, : 2 if guided else 1] = 0
        tried = np.clip(mean[:, None] + std[:, None] * noise, -1, 1)
        number = np.arange(p)
        by_policy = np.tile((number < 2 + guided) & (number != 1) & (guided > 0), n)
        at, alive = np.repeat(states, p, axis=0), np.arange(n * p)
        follows, total = np.ones(n * p), np.zeros(n * p)
        flat, drawn = tried.reshape(n * p, h, a), noise.reshape(n * p, h, a)
        for t in range(h):
            guided_now = by_policy[alive]
            if guided_now.any():
                prior = dynamics.prior(at[guided_now])
                assert prior is not None
                flat[alive[guided_now], t] = squashed(prior, drawn[alive[guided_now], t])
            after = dynamics.step(at, scaled(space, flat[alive, t]))
            total[alive] += follows[alive] * after.reward
            follows[alive] *= self.discount * (1 - after.over)
            goes_on = after.over < 0.5
            at, alive = after.state[goes_on], alive[goes_on]
            if not len(alive):
                break
        if len(alive):
            total[alive] += follows[alive] * dynamics.value(at)
        return flat.reshape(tried.shape), total.reshape(n, p)

    def _refit(self, elites: np.ndarray, returns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation (n, h, a) of sequences (n, e, h, a), weighted by their returns (n, e), best first."""
        best, worst = returns[:, :1], returns[:, -1:]
        spread = np.maximum(best - worst, 1e-9) * self.temperature
        weight = np.exp((returns - best) / spread)
        weight = (weight / weight.sum(1, keepdims=True))[..., None, None]
        mean = (weight * elites).sum(1)
        std = np.sqrt((weight * (elites - mean[:, None]) ** 2).sum(1))
        return mean, np.maximum(std, LEAST_STD)
