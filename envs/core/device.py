"""Device functions, and the kernels that run them over a range of environments.

A *device function* is scalar code over one state record: it takes records, scalars and rows, and allocates
nothing, so that the same source runs for one environment, for a batch, and on other targets.

A *kernel* loops device functions over `lo..hi` of a record array. Numba's file cache looks at the defining file
alone, so that a constant changed in another module would leave a stale kernel behind. Kernels are therefore
written as source files into a cache folder whose name is a hash of every source they could depend on: a changed
file is another folder, and nothing in a folder ever goes stale. What a kernel could depend on is the import closure of
its task: the task's file, all files that this imports, and so on, without installed packages of others.
"""

import ast
import hashlib
import importlib.util
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numba
from numba import njit

# Not cached by itself: see the module's docstring. error_model: IEEE division, no exceptions inside kernels.
device = njit(error_model="numpy")

_sources: dict[str, tuple[bytes, tuple[str, ...]]] = {}
_built: dict[tuple[str, str], ModuleType] = {}


def cache_root() -> Path:
    """The folder for compiled kernels: $UNSEEN_CACHE, else the user's cache folder, else a temporary one."""
    named = os.environ.get("UNSEEN_CACHE")
    base = Path(named) if named else Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "unseen"
    try:
        base.mkdir(parents=True, exist_ok=True)
        probe = base / f".write-{os.getpid()}"
        probe.touch()
        probe.unlink()
        return base
    except OSError:
        return Path(tempfile.gettempdir()) / f"unseen-{os.getuid() if hasattr(os, 'getuid') else 'user'}"


def source_hash(*modules: ModuleType) -> str:
    """Hash of the sources in the modules' import closure, and of the compiler's version."""
    digest = hashlib.sha256(f"{numba.__version__} {sys.version_info[:2]}".encode())
    found: set[str] = set()
    waiting = [module.__name__ for module in modules]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _source(name)[1]
    for name in sorted(found):
        digest.update(name.encode() + b"\0" + _source(name)[0] + b"\0")
    return digest.hexdigest()[:16]


def _source(name: str) -> tuple[bytes, tuple[str, ...]]:
    """The source of a loaded module, and the modules that it imports, of this package or beside a file of one's own.

    Read once: a process that outlives an edit must not file old kernels under new sources.
    """
    if name not in _sources:
        file = getattr(sys.modules.get(name), "__file__", None)
        source = Path(file).read_bytes() if file and file.endswith(".py") else b""
        ours = {n for n in _imported(source) if n in sys.modules and _is_ours(n)}
        _sources[name] = (source, tuple(sorted(ours)))
    return _sources[name]


def _imported(source: bytes) -> list[str]:
    names: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return names


def _is_ours(name: str) -> bool:
    """Whether a module is of this package, or a file that lies outside of the installed packages."""
    file = getattr(sys.modules[name], "__file__", None) or ""
    return name.startswith("unseen.") or not ("site-packages" in file or file.startswith(sys.base_prefix) or not file)


def build(name: str, source: str, *depends: ModuleType) -> ModuleType:
    """Import `source` as a module from the cache folder of its dependencies' hash, writing it there at first.

    Args:
        name: a file name, unique for the source within one hash.
        source: Python source whose kernels use `njit(cache=True)`.
        depends: the task modules whose device functions it calls.
    """
    digest = source_hash(*depends)
    key = (digest, name)
    if key in _built:
        return _built[key]
    path = cache_root() / digest / f"{name}.py"
    if not path.exists() or path.read_text() != source:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}.tmp")
        draft.write_text(source)
        os.utime(draft, (0, 0))  # numba stamps by mtime and size: equal for everyone who writes this file
        os.replace(draft, path)
    spec = importlib.util.spec_from_file_location(f"unseen_kernels_{digest}_{name}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module  # a cached kernel is loaded by its module's name
    spec.loader.exec_module(module)
    _built[key] = module
    return module


def announced(kernel: Callable, what: str, args: tuple) -> Any:
    """Call a kernel, with one line on stderr when that has to compile it first."""
    if _on_disk(kernel):
        return kernel(*args)
    print(f"unseen: compiling {what}, once ...", end="", file=sys.stderr, flush=True)
    start = time.perf_counter()
    result = kernel(*args)
    print(f" done in {time.perf_counter() - start:.1f} s", file=sys.stderr, flush=True)
    return result


def _on_disk(kernel: Callable) -> bool:
    path = Path(kernel.py_func.__code__.co_filename)  # type: ignore[attr-defined]
    return any((path.parent / "__pycache__").glob(f"{path.stem}.{kernel.py_func.__name__}*.nbi"))  # type: ignore[attr-defined]
