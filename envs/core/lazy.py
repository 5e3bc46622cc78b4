"""Things that are named as "module:attribute" and imported when they are first used."""

import importlib
from typing import Any


def load(name: str) -> Any:
    """The attribute of the module that "module:attribute" names."""
    module, attribute = name.split(":")
    return getattr(importlib.import_module(module), attribute)
