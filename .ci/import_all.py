"""Import every module of an installed `unseen` that has no extras.

Training is an extra, so one rule excuses a module: it lies in unseen.agents or unseen.train, and what
it misses is a package of the `train` extra. Nothing excuses a module of unseen.envs.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys

import unseen
from unseen.train.cli import TRAIN_EXTRA


def main() -> int:
    modules = [module.name for module in pkgutil.walk_packages(unseen.__path__, "unseen.")]
    names = [name for name in modules if not name.endswith(".__main__")]
    excused = []
    for name in names:
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            missing = (error.name or "").split(".")[0]
            if missing not in TRAIN_EXTRA or not name.startswith(("unseen.agents.", "unseen.train.")):
                raise
            excused.append(f"{name} ({missing})")
    print(f"imported {len(names) - len(excused)} modules from {unseen.__path__[0]}")
    print(f"left to the train extra: {', '.join(excused) or 'none'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
