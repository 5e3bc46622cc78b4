"""Hashes of roll-outs: what every environment does, to the byte. `python tests/traces.py` compares,
`--write` makes the table anew.

Each value is a hash of observations, rewards and ends along a fixed sequence of actions, or of the actions that a
reference chose. Rules may change only together with the environment's version, and then this table is made anew.
"""

import hashlib
import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from unseen.envs.suite import SUITE, make_vec

TABLE = Path(__file__).parent / "traces.json"
STEPS = 130


def canary() -> str:
    """A hash of what this machine's mathematics library computes: traces are comparable where it is the same."""
    x = np.linspace(-7.0, 7.0, 4001)
    rows = [[f(v) for v in x.tolist()] for f in (math.sin, math.cos)]
    rows.append([math.atan2(v, 1.3) for v in x.tolist()])
    return hashlib.sha256(np.array(rows).tobytes()).hexdigest()[:16]


def cases(name: str) -> Iterator[tuple[str, dict]]:
    """The key of every trace of one environment, and what to make it with."""
    task = SUITE[name].task
    for level in [*task.levels, *task.presets]:
        for obs in task.sensors:
            yield f"{name}/{level}/{obs}", dict(level=level, obs=obs)
        first = next(iter(task.sensors))
        for split in ("test", "shift"):
            yield f"{name}/{level}/{first}/{split}", dict(level=level, split=split)
        if task.action_low:
            yield f"{name}/{level}/{first}/continuous", dict(level=level, action="continuous")
        for reference in ("reflex", "tracker", "oracle"):
            yield f"{name}/{level}/{first}/{reference}", dict(level=level, reference=reference)


def trace(name: str, reference: str = "", **kwargs) -> str:
    """The hash of one roll-out; "absent" where the environment has no such reference."""
    n = 4 if kwargs.get("obs") == "pixels" or (name in SUITE and not SUITE[name].task.actions) else 24  # cars are slow
    env = make_vec(name, n, **kwargs)
    digest = hashlib.sha256()
    obs, _ = env.reset(seed=11)
    digest.update(obs.tobytes())
    if reference and reference not in env.task.references:
        return "absent"
    policy = env.reference(reference) if reference else None
    rng = np.random.default_rng(7)
    first, ended = np.ones(n, bool), np.zeros(n, bool)
    for _ in range(STEPS):
        if policy is not None:
            actions = policy.act(obs, first)
            actions[ended] = 0  # the step after an end only resets
            digest.update(np.asarray(actions, np.int64 if env.task.actions else np.float32).tobytes())
        elif kwargs.get("action") == "continuous" or not env.task.actions:
            low, high = env.single_action_space.low, env.single_action_space.high
            actions = rng.uniform(low, high, (n, len(low))).astype(np.float32)
        else:
            actions = rng.integers(0, len(env.task.actions), n)
        first = ended
        obs, reward, terminated, truncated, _ = env.step(actions)
        for part in (obs, reward, terminated, truncated):
            digest.update(np.ascontiguousarray(part).tobytes())
        ended = terminated | truncated
    return digest.hexdigest()[:16]


def compute(names: list[str]) -> dict[str, str]:
    return {key: trace(name, **kwargs) for name in names for key, kwargs in cases(name)}


if __name__ == "__main__":  # names of environments: compare them; --write: make the table anew
    names = [name for name in sys.argv[1:] if name != "--write"] or list(SUITE)
    stored = json.loads(TABLE.read_text())
    assert "--write" in sys.argv or stored["canary"] == canary(), "made on a machine with other mathematics"
    found = compute(names)
    wrong = [key for key, value in found.items() if stored["traces"].get(key) != value]
    print(f"{len(found) - len(wrong)} equal, {len(wrong)} differ", *wrong)
    if "--write" in sys.argv:
        TABLE.write_text(json.dumps({"canary": canary(), "traces": stored["traces"] | found}, indent=0) + "\n")
