"""torchrl's wrapper and checker accept environments with every observation and action space."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from unseen.envs.suite import make

pytest.importorskip("torchrl")

ID = "unseen:Unseen/RolledBehind-v1"  # which worker processes find too


@pytest.mark.sample(3)
@pytest.mark.parametrize(
    "keywords",
    [
        {},
        {"level": 1, "obs": "rays"},
        {"action": "continuous"},
        {"obs": "dict", "from_pixels": False},
        {"frame_skip": 2},
        {"num_envs": 2},
        {"categorical_action_encoding": True},
    ],
    ids=str,
)
def test_its_checker_is_content(keywords: dict) -> None:
    from torchrl.envs import GymEnv, check_env_specs

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of torchrl itself
        env = GymEnv(ID, **keywords)
        check_env_specs(env)
        rolled = env.rollout(60, break_when_any_done=False)
    assert rolled["next", "done"].any() and rolled["next", "terminated"].any()
    env.close()


def test_its_rollout_is_ours() -> None:
    import torch
    from torchrl.envs import GymEnv

    env, plain = GymEnv(ID, level=1, categorical_action_encoding=True), make("RolledBehind", level=1)
    env.set_seed(4)
    first = env.reset()
    plain.reset(seed=4)  # as `set_seed` does
    obs, _ = plain.reset()
    assert np.array_equal(first["observation"].numpy(), obs)
    for action in (0, 1, 2, 3):
        seen = env.step(first.set("action", torch.tensor(action)))["next"]
        obs, reward, *_ = plain.step(action)
        assert np.array_equal(seen["observation"].numpy(), obs) and float(seen["reward"]) == reward
