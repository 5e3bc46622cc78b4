"""Import every module of `unseen` installed without extras.

Only modules of unseen.agents and unseen.train may fail, and only for a missing package of the `train` extra.
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
    skipped = []
    for name in names:
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            missing = (error.name or "").split(".")[0]
            if missing not in TRAIN_EXTRA or not name.startswith(("unseen.agents.", "unseen.train.")):
                raise
            skipped.append(f"{name} ({missing})")
    print(f"imported {len(names) - len(skipped)} modules from {unseen.__path__[0]}")
    print(f"skipped (train extra): {', '.join(skipped) or 'none'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
