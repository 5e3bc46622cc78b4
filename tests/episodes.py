"""One episode of an environment as a hash, to compare ways of compiling: `python tests/episodes.py Cups/slots/tracker ...`
prints a line for each key, NAME/OBSERVATION or NAME/OBSERVATION/REFERENCE.
"""

import hashlib
import sys

import numpy as np

from unseen.envs.suite import make_vec


def episode(key: str) -> str:
    """The hash of observations, actions, rewards, ends, metrics and the final state of one episode on level 1.

    Actions are a reference's, or random.
    """
    name, obs, *reference = key.split("/")
    env = make_vec(name, 1, level=1, obs=obs)
    policy = env.reference(*reference) if reference else None
    rng, first, space = np.random.default_rng(0), np.ones(1, bool), env.single_action_space
    seen, _ = env.reset(seed=3)
    digest = hashlib.sha256(seen.tobytes())
    for _ in range(env.horizon):
        if policy:
            actions = policy.act(seen, first)
        elif env.task.actions:
            actions = rng.integers(0, len(env.task.actions), 1)
        else:
            actions = rng.uniform(space.low, space.high, (1, len(space.low))).astype(np.float32)
        seen, reward, terminated, truncated, info = env.step(actions)
        for part in (actions, seen, reward, terminated, truncated, info.get("is_success", False)):
            digest.update(np.ascontiguousarray(part).tobytes())
        if terminated[0] or truncated[0]:
            break
        first = np.zeros(1, bool)
    else:
        raise AssertionError(f"{key}: no end within the horizon")
    digest.update(env.world.tobytes())
    if env.task.hidden is not None:
        digest.update(env.batch.hidden().tobytes() + env.batch.must_hide().tobytes())
    return digest.hexdigest()[:16]


if __name__ == "__main__":
    for each in sys.argv[1:]:
        print(each, episode(each), flush=True)
