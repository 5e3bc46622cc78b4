"""Custom environments: `load` imports a file as the module `unseen.envs.own.NAME`.

NAME encodes the path of the file, so that any other process can import it, for example to unpickle one of its classes.
"""

import importlib
import importlib.abc
import importlib.util
import re
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

from unseen.envs.errors import UnknownEnvironment

__path__: list[str] = []  # makes this module a package, whose submodules `_Finder` provides
_PREFIX = __name__ + "."


def module_name(path: Path) -> str:
    """The module name that encodes an absolute path: "_" becomes "__", other non-alphanumerics _hex_."""
    spelt = re.sub(r"[^a-zA-Z0-9]", lambda m: "__" if m[0] == "_" else f"_{ord(m[0]):x}_", str(path))
    return _PREFIX + spelt


def path_of(name: str) -> Path:
    """The path that a module name encodes."""
    spelt = name.removeprefix(_PREFIX)
    return Path(re.sub(r"_([0-9a-f]*)_", lambda m: chr(int(m[1], 16)) if m[1] else "_", spelt))


class _Finder(importlib.abc.MetaPathFinder):
    """Finds the source files of submodules of this module."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not fullname.startswith(_PREFIX):
            return None
        return importlib.util.spec_from_file_location(fullname, path_of(fullname))


def load(file: Path) -> ModuleType:
    """Import a file, once per process.

    Raises:
        UnknownEnvironment: there is no such file, or it cannot be imported.
    """
    if not file.is_file():
        raise UnknownEnvironment(f"{file}: no such file")
    try:
        return importlib.import_module(module_name(file.resolve()))
    except Exception as error:
        raise UnknownEnvironment(f"{file}: could not be imported: {type(error).__name__}: {error}") from error


sys.meta_path.append(_Finder())
