"""`unseen list`: the environments and the agents, as tables."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ListConfig:
    """What to list."""

    env: str | None = None
    """only the trained agents of this environment"""


def listing(config: ListConfig) -> None:
    print(config)
