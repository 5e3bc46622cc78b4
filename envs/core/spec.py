"""`env.spec` with the horizon, which can be passed to `gymnasium.make` again, pickled, or written as JSON.

Episodes end by their own rules within the horizon, so no environment needs a time limit. But Gymnasium stores both in
`max_episode_steps`, and wraps every environment made from a spec with that field set in a TimeLimit.
"""

import dataclasses
from dataclasses import dataclass

from gymnasium.envs.registration import EnvSpec


class Horizon(int):
    """The maximum number of steps in an episode, as a limit that never truncates.

    TimeLimit tests `elapsed >= limit`, which is never true for a Horizon. Otherwise it behaves as an int.
    """

    def __le__(self, elapsed: int) -> bool:
        return False


@dataclass
class HorizonSpec(EnvSpec):
    """An EnvSpec whose max_episode_steps is a Horizon, or the limit set by the user."""

    def to_json(self) -> str:
        """As in EnvSpec, without the Horizon, which is restored when the environment is made."""
        plain = dataclasses.replace(self, max_episode_steps=None)
        return EnvSpec.to_json(plain if isinstance(self.max_episode_steps, Horizon) else self)


def with_horizon(spec: EnvSpec, horizon: int, limit: int | None) -> HorizonSpec:
    """A copy of `spec` with the environment's limit, or with its horizon if there is no limit."""
    given = {field.name: getattr(spec, field.name) for field in dataclasses.fields(spec) if field.init}
    given["kwargs"] = {k: v for k, v in spec.kwargs.items() if not isinstance(v, Horizon)}  # make_vec puts one there
    given["max_episode_steps"] = Horizon(horizon) if limit is None else limit
    return HorizonSpec(**given)
