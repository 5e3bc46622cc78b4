"""proto"""
import importlib.util, sys, hashlib, linecache
from types import ModuleType
from numba import njit
from unseen.envs.core.jit.linked import device, kernel, host
_built = {}
def source_hash(*m): return "x"
def build(name, source, *depends):
    h = hashlib.sha256(source.encode()).hexdigest()[:8]
    key = (name, h)
    if key in _built: return _built[key]
    mod = ModuleType(f"unseen_kernels_{name}_{h}")
    sys.modules[mod.__name__] = mod
    file = f"<unseen {name}>"
    linecache.cache[file] = (len(source), None, source.splitlines(True), file)
    exec(compile(source, file, "exec"), mod.__dict__)
    _built[key] = mod
    return mod
def announced(kernel, what, args): return kernel(*args)
