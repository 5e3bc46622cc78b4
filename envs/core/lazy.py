"""Lazy imports: objects named as "module:attribute"."""

import importlib
from typing import Any


def load(name: str) -> Any:
    """Import and return the object that "module:attribute" names."""
    module, attribute = name.split(":")
    return getattr(importlib.import_module(module), attribute)
