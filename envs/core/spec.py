"""`env.spec` tells the horizon, and may be made again, pickled, or sent as JSON.

Episodes end by themselves within the horizon, so that no environment needs a time limit. But Gymnasium has one field for
both, `max_episode_steps`, and puts a TimeLimit of that many steps around whatever is made from a spec that fills it in.
"""

import dataclasses
from dataclasses import dataclass

from gymnasium.envs.registration import EnvSpec


class Horizon(int):
    """The most steps that an episode takes, as a limit that truncates nothing.

    TimeLimit asks `elapsed >= limit`, which is never true of a horizon: an episode that takes all its steps ends by its
    own rules. Otherwise it is an integer like any other.
    """

    def __le__(self, elapsed: int) -> bool:
        return False


@dataclass
class HorizonSpec(EnvSpec):
    """An EnvSpec whose max_episode_steps is a Horizon, or the limit that a user has set."""

    def to_json(self) -> str:
        """As Gymnasium's. JSON knows no Horizon: it is left out, and known again when the environment is made."""
        plain = dataclasses.replace(self, max_episode_steps=None)
        return EnvSpec.to_json(plain if isinstance(self.max_episode_steps, Horizon) else self)


def with_horizon(spec: EnvSpec, horizon: int, limit: int | None) -> HorizonSpec:
    """The spec of an environment that was made: with its limit, else with its horizon."""
    given = {field.name: getattr(spec, field.name) for field in dataclasses.fields(spec) if field.init}
    given["kwargs"] = {k: v for k, v in spec.kwargs.items() if not isinstance(v, Horizon)}  # make_vec puts one there
    given["max_episode_steps"] = Horizon(horizon) if limit is None else limit
    return HorizonSpec(**given)
