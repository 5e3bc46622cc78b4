"""Device functions as bitcode, and kernels that are linked from it: the inside of Numba, of the versions in `linked`.

As Numba does it, every function is optimised and made into machine code with all that it calls in it, and has two
wrappers for callers that it does not have here. Here a function keeps its own few lines alone, and a kernel is linked
from all functions that it reaches and optimised once, as a whole.
"""

import contextlib
import gc
import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

from numba.core import itanium_mangler, types
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler
from numba.core.runtime import rtsys
from numba.core.types.functions import BaseFunction

from unseen.envs.core.jit import announce


class _NoEnvironments:
    """For what has no machine code of its own: there is nowhere to write the address of its environment to."""

    def set_env(self, name: str, environment: Any) -> None:
        """Nothing; the kernel's own are set when it is ready."""


class DeviceLibrary(JITCodeLibrary):
    """One device function's own bitcode.

    Attributes:
        function: the device function; `content` what it said when this was compiled.
        symbol: its name in LLVM.
        signature: of this version of it.
        callees: libraries of the device functions that it calls.
    """

    function: Any = None
    content = ""
    symbol = ""
    signature: Any = None
    callees: tuple["DeviceLibrary", ...] = ()

    @property
    def codegen(self) -> Any:
        return _NoEnvironments()

    def finalize(self) -> None:
        """Take in Numba's own helpers, leave device functions out, and hide all but the function's symbol."""
        self._raise_if_finalized()
        libraries = dict.fromkeys(self._linking_libraries)
        self.callees = tuple(library for library in libraries if isinstance(library, DeviceLibrary))
        for library in libraries:
            if not isinstance(library, DeviceLibrary) and library is not rtsys.library:
                self._final_module.link_in(library._get_module_for_linking(), preserve=True)
        defined = [function for function in self._final_module.functions if not function.is_declaration]
        for function in defined:
            function.linkage = "linkonce_odr" if function.name == self.symbol else "internal"
        if self.symbol not in {function.name for function in defined}:
            raise RuntimeError(f"Numba has named {self.function.path} otherwise than {self.symbol}")
        self._final_module.verify()
        self.adopt(self._final_module, self.callees)

    def adopt(self, module: Any, callees: tuple["DeviceLibrary", ...]) -> None:
        """Be finished with this LLVM module."""
        self._final_module, self.callees = module, callees
        self._finalize_dynamic_globals()
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        self._ensure_finalized()
        return 0  # it is no machine code

    def _get_module_for_linking(self) -> Any:
        """For a caller of Numba's own kind, which expects all that is called to be in it."""
        self._ensure_finalized()
        if self._shared_module is None:
            self._shared_module = self._final_module.clone()
            for library in reached(self.callees):
                self._shared_module.link_in(library._final_module, preserve=True)
        return self._shared_module


def reached(libraries: Iterable[Any]) -> list[DeviceLibrary]:
    """The device libraries among these and all that they call, each once."""
    found = dict.fromkeys(library for library in libraries if isinstance(library, DeviceLibrary))
    pending = list(found)
    while pending:
        new = [callee for callee in pending.pop().callees if callee not in found]
        found.update(dict.fromkeys(new))
        pending += new
    return list(found)


class KernelLibrary(JITCodeLibrary):
    """A kernel with all that it calls.

    Attributes:
        parts: libraries of the device functions in it.
    """

    parts: tuple[DeviceLibrary, ...] = ()

    def finalize(self) -> None:
        announce.machine_code()
        self._own = {function.name for function in self._final_module.functions if not function.is_declaration}
        self.parts = tuple(reached(self._linking_libraries))
        self._linking_libraries = [each for each in self._linking_libraries if not isinstance(each, DeviceLibrary)]
        for part in self.parts:
            self._final_module.link_in(part._final_module, preserve=True)
        super().finalize()

    def _optimize_final_module(self) -> None:
        super()._optimize_final_module()
        for function in self._final_module.functions:  # else another kernel's version of one could be taken for it
            if not function.is_declaration and function.name not in self._own:
                function.linkage = "internal"


def symbol(name: str, argument_types: Iterable[Any], *, abi_tags: Any = (), uid: Any = None) -> str:
    """A name for LLVM that every process gives: Numba's own counts functions and record types as they come."""
    tag = hashlib.sha256("\n".join(map(str, argument_types)).encode()).hexdigest()[:16]
    return itanium_mangler.mangle(name, (), abi_tags=(tag,), uid=uid)


class _Compiler(Compiler):
    """Numba's compiler, which gives the function that is under way its own kind of library and a lasting name."""

    library: type = JITCodeLibrary
    under_way: list[Any] = []  # innermost last; held under Numba's compiler lock

    def _compile_bytecode(self) -> Any:
        state = self.state
        function = self.under_way[-1]
        state.targetctx.mangler = symbol
        state.func_id.unique_id = function.ordinal
        state.library = self.library(state.targetctx.codegen(), state.func_id.func_qualname)
        state.library.enable_object_caching()
        state.library.function = function
        state.library.symbol = symbol(function.path, state.args, uid=function.ordinal)
        return super()._compile_bytecode()


class DeviceCompiler(_Compiler):
    library = DeviceLibrary


class KernelCompiler(_Compiler):
    library = KernelLibrary


_PURE = (types.Number, types.Boolean, types.Literal, types.Array, types.BaseTuple, types.SliceType, types.NumberClass)


@contextlib.contextmanager
def shortcuts() -> Iterator[None]:
    """While a kernel is compiled: types of operations are looked up once, and no garbage is collected.

    Numba tries all versions of an operator each time it meets one, though the types of its arguments decide.
    """
    found: dict[Any, Any] = {}
    look_up = BaseFunction.get_call_type

    def get_call_type(self, context, args, kws):
        if kws or not all(isinstance(each, _PURE) for each in args):
            return look_up(self, context, args, kws)
        key = self, tuple(args)
        if key not in found:
            found[key] = look_up(self, context, args, kws)
        return found[key]

    collecting = gc.isenabled()
    BaseFunction.get_call_type = get_call_type
    gc.disable()
    try:
        yield
    finally:
        BaseFunction.get_call_type = look_up
        if collecting:
            gc.enable()
