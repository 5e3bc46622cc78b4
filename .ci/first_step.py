"""Take the first step of an environment with an empty cache, and check that an installed wheel brought its device functions.

Usage: python .ci/first_step.py NAME
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path


def main(name: str) -> int:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["UNSEEN_CACHE"] = folder
        from unseen.envs.suite import make

        env = make(name)
        env.reset(seed=0)
        env.step(env.action_space.sample())
        compiled = sorted(path.name for path in Path(folder).glob("*.device"))
        kernels = len(list(Path(folder).glob("*.kernel")))
    print(f"first step of {name} after {time.process_time():.1f} CPU-s, {kernels} kernel(s) linked")
    for each in compiled:
        print(f"compiled, though the wheel should bring it: {each}")
    return bool(compiled) or kernels != 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
