"""Device functions, kernels, and kernel modules generated at run time.

A *device function* is scalar code over one state record. It takes records, scalars and rows and allocates nothing, so
the same source runs for one environment, for a batch, and on other targets. A *kernel* is called from Python and
applies device functions to every environment of a batch. `unseen.envs.core.jit` describes how both are compiled.

Environment variables:
    NUMBA_DISABLE_JIT=1: compile nothing, so that breakpoints work in device functions.
    UNSEEN_COMPILER=plain: use only Numba's public interface, the default for untested versions of Numba;
        UNSEEN_COMPILER=linked: the default for tested versions.
    UNSEEN_CACHE: folder for compiled code; see `unseen.envs.core.jit.cache`.
"""

import hashlib
import importlib
import linecache
import os
import sys
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numba

from unseen.envs.core.jit.versions import way

_disabled: bool = numba.config.DISABLE_JIT  # type: ignore[attr-defined]
_way = way(numba.__version__, bool(_disabled), os.environ.get("UNSEEN_COMPILER", ""))
_jit: Any = importlib.import_module(f"unseen.envs.core.jit.{_way}")
device, host, kernel = _jit.device, _jit.host, _jit.kernel

_built: dict[tuple[str, str, tuple[int, ...]], ModuleType] = {}
_building = threading.Lock()


def build(name: str, source: str, *depends: ModuleType) -> ModuleType:
    """Create a module of kernels from source code. Kernels are compiled on their first call.

    Args:
        name: shown in messages and tracebacks.
        source: Python source whose functions are decorated with `device` and `kernel` of this module.
        depends: modules that the source imports; if one of them is reloaded, the kernel module is built again.
    """
    with _building:
        key = name, source, tuple(map(id, depends))
        if key not in _built:
            _built[key] = _execute(name, source, depends)
        return _built[key]


def _execute(name: str, source: str, depends: tuple[ModuleType, ...]) -> ModuleType:
    digest = hashlib.sha256(source.encode()).hexdigest()[:8]
    module = ModuleType(f"unseen_kernels_{name}_{digest}")
    file = f"<unseen kernels {name} {digest}>"
    linecache.cache[file] = len(source), None, source.splitlines(True), file  # for tracebacks and debuggers
    vars(module).update(__file__=file, __source__=source, __depends__=depends)
    sys.modules[module.__name__] = module  # cached code is loaded by module name
    exec(compile(source, file, "exec"), vars(module))
    return module


def announced(kernel: Callable, what: str, args: tuple) -> Any:
    """Call a kernel, announcing its compilation, if any, under the name `what`."""
    return named(kernel, what)(*args)


def named(kernel: Callable, what: str) -> Callable:
    """The same kernel, labelled `what` for the message that announces its compilation."""
    kernel.label = what  # type: ignore[attr-defined]
    return kernel


__all__ = ["announced", "build", "device", "host", "kernel", "named"]
