"""`unseen prefill`: compile ahead of time, into the user's cache or into a file to ship with a wheel."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro

from unseen.envs import suite


@dataclass(frozen=True)
class PrefillConfig:
    """What to compile."""

    envs: Annotated[tuple[str, ...], tyro.conf.Positional] = ()
    """environments (default: the whole suite)"""
    pack: Path | None = None
    """write the compiled device functions to this file instead of the cache"""


def prefill(config: PrefillConfig) -> None:
    """Compile and print a summary. Raises UnknownEnvironment, OSError."""
    entries = [suite.resolve(name) for name in config.envs] or list(suite.SUITE.values())
    if config.pack is None:
        for entry in entries:
            compile_all(entry)
        print(f"compiled {', '.join(entry.label for entry in entries)}")
        return
    from unseen.envs.core.jit import cache

    with tempfile.TemporaryDirectory() as folder:
        os.environ["UNSEEN_CACHE"] = folder
        for entry in entries:
            compile_all(entry)
        count = cache.pack(config.pack, "device")
    print(f"{config.pack}: {count} device functions, {config.pack.stat().st_size:,} bytes")


def compile_all(entry: suite.Entry) -> None:
    """Compile every kernel of an environment: sensors, references and the hidden variable."""
    task = entry.task
    default = suite.make_vec(entry.name)
    for sensor in task.sensors:
        suite.make_vec(entry.name, obs=sensor).reset(seed=0)
    if task.hidden is not None:
        default.batch.hidden()
        default.batch.must_hide()
    for name, reference in task.references.items():
        env = default if reference.reads == "world" else suite.make_vec(entry.name, obs=reference.reads)
        obs, _ = env.reset(seed=0)
        env.reference(name).act(obs, np.ones(1, bool))
