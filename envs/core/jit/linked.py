"""Device functions and kernels that are compiled piece by piece, stored by what they say, and linked.

A device function is stored by its own content and the names and interfaces of what it calls; what the callees return
is compared when it is loaded. So an edit compiles the edited function alone, and its callers only where the type of
what it returns is another. Kernels are stored as machine code by the fingerprint of all that they reach.
"""

import contextlib
import functools
import hashlib
import inspect
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import llvmlite
import llvmlite.binding as llvm
import numba
import numpy as np
from numba.core import config, serialize, sigutils, types
from numba.core.compiler import CompileResult, compile_result
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import CPUDispatcher

from unseen.envs.core.jit import announce, cache, linking
from unseen.envs.core.jit.fingerprint import own_content, reach
from unseen.envs.core.jit.linking import DeviceCompiler, DeviceLibrary, KernelCompiler, shortcuts

_OURSELVES = hashlib.sha256(b"".join(Path(file).read_bytes() for file in (__file__, linking.__file__))).hexdigest()
_SETTINGS = ("OPT", "BOUNDSCHECK", "DEBUGINFO_DEFAULT", "LOOP_VECTORIZE", "SLP_VECTORIZE", "LLVM_REFPRUNE_FLAGS")
# Nothing is allocated in a kernel, so references are not counted, which also makes its calls cheaper.
_OPTIONS = dict(nopython=True, boundscheck=None, error_model="numpy", no_cfunc_wrapper=True, _nrt=False)


class _Function(CPUDispatcher):
    """A function that is compiled when it is needed, once for each combination of argument types.

    Attributes:
        path: module and name.
        ordinal: tells functions of one path apart: closures, by the functions that they hold (a factory that serves several
            tasks must not give names that depend on the order of their imports), then further ones, defined anew.
    """

    options: dict[str, Any]
    compiler: Any
    _defined: Counter[str] = Counter()

    # The further arguments are those by which Numba unpickles a function; options are the class's.
    def __init__(self, py_func, locals=None, targetoptions=None, pipeline_class=None) -> None:
        super().__init__(py_func, locals, dict(self.options), self.compiler)
        self.path = f"{py_func.__module__}.{py_func.__qualname__}"
        held = "".join(f"{each.path} {each.ordinal}," for each in _held(py_func))
        kind = hashlib.sha256(held.encode()).hexdigest()[:8] if held else ""
        self.ordinal = f"u{self._defined[self.path + kind]}{kind}"
        self._defined[self.path + kind] += 1

    def compile(self, sig) -> Any:
        """The entry point for a signature, loaded or compiled where there is none yet."""
        with global_compiler_lock:
            args, return_type = sigutils.normalize_signature(sig)
            if args not in self.overloads:
                with self._compiling_counter:
                    self.add_overload(self._obtain(args, return_type))
            return self.overloads[args].entry_point

    def _obtain(self, args, return_type) -> CompileResult:
        raise NotImplementedError

    def _make(self, args, return_type) -> CompileResult:
        self.compiler.under_way.append(self)
        try:
            return self._compiler.compile(args, return_type)
        finally:
            self.compiler.under_way.pop()

    def _name(self, kind: str, *what: Any) -> str:
        """Of an entry in the cache that depends on `what`, and on the versions and settings of the compiler."""
        versions = (numba.__version__, llvmlite.__version__, np.__version__, sys.version_info[:2], _OURSELVES)
        settings = [(name, str(getattr(config, name))) for name in _SETTINGS]
        digest = hashlib.sha256(repr((self.path, self.ordinal, what, versions, settings)).encode()).hexdigest()
        return f"{self.py_func.__name__}-{digest[:24]}.{kind}"


def _held(closure: Any) -> Iterator["_Function"]:
    """The functions for compiled code in the cells of a closure; cells may be still empty."""
    for cell in closure.__closure__ or ():
        with contextlib.suppress(ValueError):
            if isinstance(cell.cell_contents, _Function):
                yield cell.cell_contents


class DeviceFunction(_Function):
    """A function that kernels and other device functions call. For Python, which rarely does, there is `host`."""

    options = _OPTIONS | dict(no_cpython_wrapper=True)
    compiler = DeviceCompiler

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return host(self)(*args, **kwargs)

    def get_call_template(self, args, kws) -> Any:
        """As for any integer where it is called with a constant one: LLVM folds constants after inlining, too."""
        plain = {name: types.unliteral(arg) for name, arg in kws.items()}
        return super().get_call_template([types.unliteral(arg) for arg in args], plain)

    def _obtain(self, args, return_type) -> CompileResult:
        content, callees = own_content(self, DeviceFunction)
        entry = self._entry(args, content, callees)
        result = self._load(entry, callees) if entry else None
        if result is None:
            result = self._make(args, return_type)
            if entry and not (result.lifted or result.library.has_dynamic_globals):
                self._save(entry, result, callees)
        result.library.content, result.library.signature = content, result.signature
        announce.advance()
        return result

    def _entry(self, args, content: str, callees) -> str:
        """The name under which this version is stored; "" where functions among the arguments forbid it."""
        if any(isinstance(arg, types.Callable) for arg in args):
            return ""
        interfaces = [(each.path, each.ordinal, str(inspect.signature(each.py_func))) for each in callees]
        triple = self.targetctx.codegen().magic_tuple()[0]
        return self._name("device", content, interfaces, [str(arg) for arg in args], triple)

    def _load(self, entry: str, callees) -> CompileResult | None:
        stored = _unpacked(entry)
        if stored is None:
            return None
        bitcode, descriptor, environment, signature, calls, reload_init = stored
        libraries = []
        for position, args, returns in calls:
            callees[position].compile(args)
            version = callees[position].overloads[args]
            if version.signature.return_type != returns:
                return None
            libraries.append(version.library)
        library = DeviceLibrary(self.targetctx.codegen(), descriptor.qualname)
        library.function = self
        library.adopt(llvm.parse_bitcode(bitcode), tuple(libraries))
        for initialise in reload_init:
            initialise()
        point = self.targetctx.get_executable(library, descriptor, environment)
        self.targetctx.insert_user_function(point, descriptor, [library])
        return compile_result(
            typing_context=self.typingctx, target_context=self.targetctx, entry_point=point, signature=signature,
            objectmode=False, lifted=(), fndesc=descriptor, library=library, environment=environment,
            reload_init=reload_init, referenced_envs=(),
        )  # fmt: skip

    def _save(self, entry: str, result: CompileResult, callees) -> None:
        library, descriptor = result.library, result.fndesc
        if not all(callee.function in callees for callee in library.callees):
            return  # one was handed over by other means than a name
        calls = [
            (callees.index(callee.function), callee.signature.args, callee.signature.return_type)
            for callee in library.callees
        ]
        descriptor.typemap = descriptor.calltypes = None
        bitcode = library._final_module.as_bitcode()
        stored = (bitcode, descriptor, result.environment, result.signature, calls, result.reload_init)
        cache.write(entry, serialize.dumps(stored))


class Kernel(_Function):
    """A loop over many environments, which Python calls without the interpreter's lock.

    Attributes:
        label: what it is called where its compilation is announced.
    """

    options = _OPTIONS | dict(nogil=True)
    compiler = KernelCompiler
    label = ""

    def _obtain(self, args, return_type) -> CompileResult:
        self.targetctx.refresh()
        content, functions = reach(self)
        parts = [each for each in functions if isinstance(each, DeviceFunction)]
        machine = self.targetctx.codegen().magic_tuple()
        names = [(each.path, each.ordinal) for each in parts]
        entry = self._name("kernel", content, names, [str(arg) for arg in args], machine)
        result = self._load(entry)
        if result is None:
            what = self.label or self.path
            with cache.lock(entry, lambda: announce.waiting(what)):
                result = self._load(entry)
                if result is None:
                    with announce.Announcement(what, sum(not part.overloads for part in parts)), shortcuts():
                        result = self._make(args, return_type)
                    self._save(entry, result)
        return result

    def _load(self, entry: str) -> CompileResult | None:
        stored = _unpacked(entry)
        if stored is None:
            return None
        result = CompileResult._rebuild(self.targetctx, *stored)
        self.targetctx.insert_user_function(result.entry_point, result.fndesc, [result.library])
        return result

    def _save(self, entry: str, result: CompileResult) -> None:
        for environment in result._find_referenced_environments():  # those of device functions were not set yet
            result.library.codegen.set_env(environment.env_name, environment)
        if result.lifted or result.library.has_dynamic_globals:
            return
        # What was compiled before a constant was changed in this process keeps the old one, as in Numba itself.
        parts = result.library.parts
        if all(part.content == own_content(part.function, DeviceFunction)[0] for part in parts):
            cache.write(entry, serialize.dumps(result._reduce()))
            cache.trim()


def _unpacked(entry: str) -> Any:
    """What an entry holds; None where there is none, or where its modules are not those of this process."""
    data = cache.read(entry)
    if data is None:
        return None
    try:
        return serialize.loads(data)
    except Exception:
        cache.discard(entry)
        return None


device = DeviceFunction
kernel = Kernel


@functools.cache
def host(function: DeviceFunction) -> Any:
    """A version of a device function that Python can call."""
    return numba.njit(error_model="numpy")(function.py_func)
