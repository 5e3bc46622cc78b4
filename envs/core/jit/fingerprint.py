"""What a function says: a hash of its bytecode and constants and, recursively, of every value that it names.

Numba freezes a function's globals when it compiles it, so compiled code is right only as long as none of them has
changed, in whichever file it stands. Files, line numbers, comments and docstrings do not enter, nor does the order of
definitions. Bytecode does: fingerprints are comparable within one minor version of Python.
"""

import dataclasses
import enum
import functools
import hashlib
import sys
import types
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numba.extending import is_jitted

# Attributes and keys that say something about a thing and change nothing of what it does.
_SAID = {
    "__annotations__", "__dict__", "__doc__", "__firstlineno__", "__module__", "__static_attributes__", "__weakref__",
    "doc", "title",
}  # fmt: skip
_SCALARS = (bool, int, float, complex, str, bytes, range, types.NoneType, types.EllipsisType)


def fingerprint(*values: Any, without: Iterable[str] = ()) -> str:
    """A hash of values and of all that they name: functions, classes, arrays, dtypes, containers, numbers.

    Args:
        without: attributes of classes that do not enter.
    """
    reader = _Reader(values, without=without)
    for value in values:
        reader.value(value)
    reader.finish()
    return reader.digest.hexdigest()


def reach(function: Any) -> tuple[str, tuple[Any, ...]]:
    """The fingerprint of a compiled function, and all compiled functions that it can call, itself first."""
    reader = _Reader((function,))
    reader.value(function)
    reader.finish()
    return reader.digest.hexdigest(), tuple(node for node in reader.nodes if is_jitted(node))


def own_content(function: Any, apart: type) -> tuple[str, tuple[Any, ...]]:
    """A hash of what a compiled function says itself, and the functions of class `apart` that it names, in order."""
    reader = _Reader((function,), apart)
    reader.compiled(function)
    reader.finish()
    return reader.digest.hexdigest(), tuple(node for node in reader.nodes if isinstance(node, apart))


class _Reader:
    """Feeds values to a hash. Functions, classes and objects get numbers as they are met, and are read in that order,
    so that what refers to itself, by however long a way, is read once.

    Args:
        roots: where reading begins. Packages of theirs are read; what other installed packages hold is taken by name.
        apart: a class of functions that are met and not read.
        without: attributes of classes that are left out.
    """

    def __init__(self, roots: Iterable[Any], apart: type | None = None, without: Iterable[str] = ()) -> None:
        self.digest = hashlib.sha256()
        self.nodes: list[Any] = []  # in the order of their numbers; held, so that no id is given twice
        self._number: dict[int, int] = {}
        self._apart = apart
        self._left_out = _SAID.union(without)
        classes = [cls for root in roots if isinstance(root, type) for cls in root.__mro__]
        modules = [value.__module__ for value in (*roots, *classes) if _has_place(value)]
        self._own = {module.partition(".")[0] for module in modules} - {"builtins"} | {"unseen"}

    def finish(self) -> None:
        """Read all that has been met."""
        for node in self.nodes:  # which grows on the way
            if self._apart is None or not isinstance(node, self._apart):
                self._read(node)

    def item(self, tag: str, data: bytes | str = b"") -> None:
        """One piece of the hash; its length goes before it, so that no two sequences of pieces look alike."""
        data = data.encode() if isinstance(data, str) else data
        self.digest.update(f"{tag} {len(data)} ".encode() + data)

    def value(self, value: Any) -> None:
        """Enter a plain value, or the number of a function, class or object."""
        if isinstance(value, enum.Enum):
            self.item("enum", f"{_place(type(value))}.{value.name} {value.value!r}")
        elif type(value) in _SCALARS:
            self.item(type(value).__name__, repr(value))
        elif isinstance(value, np.dtype):
            self._dtype(value)
        elif isinstance(value, np.ndarray | np.generic):
            self._array(np.asarray(value))
        elif isinstance(value, tuple | list):
            self.item(_place(type(value)), str(len(value)))
            for each in value:
                self.value(each)
        elif isinstance(value, set | frozenset):
            self.item("set", repr(sorted(map(repr, value))))
        elif isinstance(value, Mapping):
            self.item("mapping", str(len(value)))
            for key, each in value.items():
                if key not in _SAID:
                    self.value((key, each))
        elif isinstance(value, types.ModuleType):
            self.item("module")  # what is used of it is read where it is named
        elif isinstance(value, types.CodeType):
            self._code(value, None)
        elif isinstance(value, staticmethod | classmethod | types.MethodType):
            self.item(str(type(value).__name__))
            self.value(value.__func__)
        elif isinstance(value, property):
            self.item("property")
            self.value(value.fget)
        elif isinstance(value, functools.cached_property):
            self.item("cached_property")
            self.value(value.func)
        elif isinstance(value, functools.partial):
            self.item("partial")
            self.value((value.func, value.args, value.keywords))
        elif isinstance(value, dataclasses.Field):
            self.value((value.name, value.default, value.default_factory, value.metadata))
        elif not is_jitted(value) and self._is_foreign(value):
            self.item("foreign", _place(value) if _has_place(value) else _looks(value))
        else:
            number = self._number.setdefault(id(value), len(self.nodes))
            if number == len(self.nodes):
                self.nodes.append(value)
            self.item("number", str(number))

    def _read(self, node: Any) -> None:
        if is_jitted(node):
            self.compiled(node)
        elif isinstance(node, types.FunctionType):
            self._function(node)
        elif isinstance(node, type):
            self._class(node)
        elif dataclasses.is_dataclass(node):
            self.value((type(node), {field.name: getattr(node, field.name) for field in dataclasses.fields(node)}))
        else:
            self.value((type(node), vars(node) if hasattr(node, "__dict__") else _looks(node)))

    def compiled(self, function: Any) -> None:
        """A function that Numba compiles, with the options that change what it computes."""
        options = {name: function.targetoptions.get(name) for name in ("error_model", "fastmath")}
        if options != {"error_model": "numpy", "fastmath": None}:  # what `device` sets, and Python does without Numba
            self.value(options)
        self._function(function.py_func)

    def _function(self, f: types.FunctionType) -> None:
        self.item("function")
        self._code(f.__code__, f.__doc__)
        self.value((f.__defaults__, f.__kwdefaults__))
        self._named(sorted(_names(f.__code__)), f.__globals__, set())
        for name, cell in zip(f.__code__.co_freevars, f.__closure__ or (), strict=True):
            self.item("cell", name)
            try:
                self.value(cell.cell_contents)
            except ValueError:  # not bound yet
                self.item("empty")

    def _named(self, names: list[str], scope: dict[str, Any], entered: set[int]) -> None:
        """What `names` stand for in the globals of a module, and in the modules that are named there."""
        entered.add(id(scope))
        for name in names:
            if name in scope:
                value = scope[name]
                self.item("name", name)
                self.value(value)
                if isinstance(value, types.ModuleType) and id(vars(value)) not in entered:
                    self._named(names, vars(value), entered)

    def _code(self, code: types.CodeType, doc: str | None) -> None:
        """Bytecode, names and constants; the docstring, which stands first among these, left out."""
        self.item("code", code.co_code)
        self.item("exceptions", code.co_exceptiontable)
        counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
        self.value((counts, code.co_names, code.co_varnames, code.co_freevars))
        constants = code.co_consts
        self.value((None, *constants[1:]) if doc is not None and constants[:1] == (doc,) else constants)

    def _class(self, cls: type) -> None:
        self.item("class", cls.__name__)
        self.value(cls.__bases__)
        made = dataclasses.is_dataclass(cls)  # by its fields: Python writes its other methods
        for name, value in sorted(vars(cls).items()):
            special = made and name.startswith("__") and name not in ("__dataclass_fields__", "__post_init__")
            if not special and name not in self._left_out:
                self.item("attribute", name)
                self.value(value)

    def _dtype(self, dtype: np.dtype) -> None:
        self.item("dtype", f"{dtype.str} {dtype.itemsize} {dtype.alignment} {dtype.shape}")
        if dtype.subdtype is not None:
            self._dtype(dtype.subdtype[0])
        for name in dtype.names or ():
            field, offset = dtype.fields[name][:2]  # type: ignore[index]
            self.item("field", f"{name} {offset}")
            self._dtype(field)

    def _array(self, array: np.ndarray) -> None:
        self._dtype(array.dtype)
        self.item("shape", str(array.shape))
        if array.dtype.hasobject:
            self.value(array.ravel().tolist())
        else:
            self.item("array", array.tobytes())

    def _is_foreign(self, value: Any) -> bool:
        """Whether it comes with Python, or from an installed package that is none of the roots'."""
        module = (value if _has_place(value) else type(value)).__module__ or ""
        top = module.partition(".")[0]
        if top in self._own:
            return False
        file = getattr(sys.modules.get(module), "__file__", None) or ""
        return top in sys.stdlib_module_names or "site-packages" in file or "dist-packages" in file


def _has_place(value: Any) -> bool:
    """Whether it stands in a module under a name of its own, as functions and classes do."""
    return hasattr(value, "__module__") and hasattr(value, "__qualname__")


def _place(value: Any) -> str:
    return f"{value.__module__}.{value.__qualname__}"


def _looks(value: Any) -> str:
    """Its repr, unless that is the common one, which shows an address."""
    return _place(type(value)) if type(value).__repr__ is object.__repr__ else repr(value)


def _names(code: types.CodeType) -> set[str]:
    """All names of globals and attributes in a code object and in those inside it."""
    inner = (const for const in code.co_consts if isinstance(const, types.CodeType))
    return set(code.co_names).union(*map(_names, inner))
