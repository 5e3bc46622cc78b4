"""Device functions and kernels by Numba's public interface alone, for versions whose inside `linked` does not know.

Numba keeps the machine code of a function beside its source and looks at that one file to tell whether it is fresh. So
a kernel's source is written into a folder that is named by the fingerprint of all that it reaches: nothing in it can
go stale. Numba trusts what it finds there; a list of digests beside it says whether it may.
"""

import contextlib
import hashlib
import os
import shutil
import sys
import threading
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba

from unseen.envs.core.jit import announce, cache
from unseen.envs.core.jit.fingerprint import reach

device = numba.njit(error_model="numpy")
_OPTIONS: dict[str, Any] = dict(nogil=True, error_model="numpy")
_first_calls = threading.RLock()
_DIGESTS = "digests"


def host(function: Callable) -> Callable:
    """A version of a device function that Python can call: here, itself."""
    return function


class Kernel:
    """A loop over many environments, which Python calls without the interpreter's lock.

    Attributes:
        label: what it is called where its compilation is announced.
    """

    def __init__(self, function: Any) -> None:
        self.py_func, self.label = function, ""
        self._folder = Path()
        self._compiled: Any = None
        self._stored = 0  # versions, one for each combination of argument types, whose files are in the digests

    def __call__(self, *args: Any) -> Any:
        if self._compiled is None:
            return self._first(args)
        result = self._compiled(*args)
        if len(self._compiled.signatures) != self._stored:
            self._store()
        return result

    def _first(self, args: tuple) -> Any:
        """The first call, which loads or compiles the kernel."""
        with _first_calls:
            if self._compiled is not None:  # by another thread meanwhile
                return self._compiled(*args)
            content, functions = reach(numba.njit(error_model="numpy")(self.py_func))
            paths = sorted(f"{each.__module__}.{each.__qualname__}" for each in functions)
            version = hashlib.sha256(repr((content, paths, numba.__version__)).encode()).hexdigest()[:24]
            self._folder = cache.cache_folder() / f"plain-{self.py_func.__name__}-{version}"
            what = self.label or self.py_func.__module__
            with cache.lock(self._folder.name, lambda: announce.waiting(what)):
                sound = _is_sound(self._folder)
                if not sound:
                    shutil.rmtree(self._folder, ignore_errors=True)
                with contextlib.nullcontext() if sound else announce.Announcement(what, len(functions) - 1):
                    compiled = self._to_compile()
                    result = compiled(*args)
                self._compiled = compiled
                self._store()
            return result

    def _to_compile(self) -> Any:
        """The function for Numba, which stores it in the folder if there can be one."""
        try:
            return numba.njit(cache=True, **_OPTIONS)(self._defined_anew())
        except OSError:
            return numba.njit(**_OPTIONS)(self.py_func)

    def _store(self) -> None:
        """Note what Numba has written, which is trusted from now on."""
        self._stored = len(self._compiled.signatures)
        with contextlib.suppress(OSError):
            (self._folder / _DIGESTS).write_text(_digests(self._folder))
            cache.trim()

    def _defined_anew(self) -> Any:
        """This function, as if it stood in a file in the folder."""
        path, source = self._folder / "kernel.py", self.py_func.__globals__["__source__"]
        if not path.exists():
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.write_text(source)
            os.utime(path, (0, 0))  # Numba looks at time and size: equal for every process that writes it
        module = types.ModuleType(self._folder.name.replace("-", "_"))
        sys.modules[module.__name__] = module  # by whose name Numba loads what it stored
        exec(compile(source, str(path), "exec"), vars(module))
        return getattr(module, self.py_func.__name__).py_func


kernel = Kernel


def _digests(folder: Path) -> str:
    """One line for each file that Numba wrote or looks at."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != _DIGESTS)
    return "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()} {path.name}\n" for path in files)


def _is_sound(folder: Path) -> bool:
    """Whether the folder holds what was stored there, to the byte."""
    try:
        digests = (folder / _DIGESTS).read_text()
        return bool(digests) and digests == _digests(folder)
    except (OSError, ValueError):
        return False
