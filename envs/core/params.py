"""`Params`: an environment's parameters as a frozen dataclass, whose levels and presets are instances.

Every field is declared with `integer`, `real`, `flag`, `choice`, `span` or `vector`, which set its range and
documentation. Values are validated on construction, so every instance is valid.
"""

import dataclasses
import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self, dataclass_transform

import numpy as np

from unseen.envs.core.rng import SPLITS
from unseen.envs.errors import BadParameter, UnknownKeyword, shown

# Old keyword -> new keyword, for the error message.
RENAMED = {"autoreset": "autoreset_mode"}
_SPEC = "unseen"  # key of a field's `Spec` in its metadata


@dataclass(frozen=True)
class Spec:
    """The type, range and documentation of a parameter.

    Attributes:
        kind: "integer", "real", "flag", "choice", "span" or "vector".
        low, high: inclusive bounds of a number, of both ends of a span, or of every element of a vector.
        options: the options of a choice.
        shape: the shape of a vector or table.
        doc: one line, with the unit.
    """

    kind: str
    low: float = 0.0
    high: float = 0.0
    options: tuple[str, ...] = ()
    shape: tuple[int, ...] = ()
    doc: str = ""

    @property
    def allowed(self) -> str:
        """A phrase that describes valid values, to follow "must be"."""
        within = f"in {self.low:g}..{self.high:g}"
        return {
            "integer": f"an integer {within}",
            "real": f"a number {within}",
            "flag": "True or False",
            "choice": "one of " + ", ".join(map(repr, self.options)),
            "span": f"an integer, or a pair (low, high) with low <= high, {within}",
            "vector": f"numbers of shape {self.shape}, each {within}",
        }[self.kind]

    def check(self, name: str, value: Any) -> Any:
        """The value in its canonical form. Raises BadParameter."""
        checked = getattr(self, f"_{self.kind}")(value)
        if checked is None:
            raise BadParameter(f"{name}={shown(value)}: must be {self.allowed}")
        return checked

    def _integer(self, value: Any) -> int | None:
        number = self._real(value)
        return int(number) if number is not None and number == int(number) else None

    def _real(self, value: Any) -> float | None:
        if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.integer, np.floating)):
            return None
        within = math.isfinite(value) if isinstance(value, (float, np.floating)) else True  # any int is finite
        return float(value) if within and self.low <= value <= self.high else None

    def _flag(self, value: Any) -> bool | None:
        return bool(value) if isinstance(value, (bool, np.bool_)) else None

    def _choice(self, value: Any) -> str | None:
        return value if isinstance(value, str) and value in self.options else None

    def _span(self, value: Any) -> tuple[int, int] | None:
        ends = list(value) if isinstance(value, (tuple, list)) else [value, value]
        if len(ends) != 2:
            return None
        low, high = map(self._integer, ends)
        return (low, high) if low is not None and high is not None and low <= high else None

    def _vector(self, value: Any) -> tuple | None:
        try:
            numbers = np.array(value)
        except ValueError:  # rows of different lengths
            return None
        if numbers.shape != self.shape or numbers.dtype.kind not in "iuf":
            return None
        numbers = numbers.astype(np.float64)
        if not ((numbers >= self.low) & (numbers <= self.high)).all():  # false for a NaN
            return None
        rows = numbers.tolist()
        return tuple(map(tuple, rows)) if len(self.shape) == 2 else tuple(rows)

    def fields(self, name: str) -> list[tuple]:
        """The record fields that hold a parameter of this name."""
        if self.kind == "span":
            return [(f"{name}_low", "i8"), (f"{name}_high", "i8")]
        if self.kind == "vector":
            return [(name, "f8", self.shape)]
        return [(name, "f8" if self.kind == "real" else "i8")]

    def store(self, row: np.void, name: str, value: Any) -> None:
        """Write a checked value into the record."""
        if self.kind == "span":
            row[f"{name}_low"], row[f"{name}_high"] = value
        else:
            row[name] = self.options.index(value) if self.kind == "choice" else value


def _field(default: Any, spec: Spec) -> Any:
    return dataclasses.field(default=default, metadata={_SPEC: spec})


def integer(low: int, high: int, *, default: int, doc: str) -> Any:
    """An integer parameter; p.name in kernels, int64."""
    return _field(default, Spec("integer", low, high, doc=doc))


def real(low: float, high: float, *, default: float, doc: str) -> Any:
    """A real parameter; p.name in kernels, float64."""
    return _field(default, Spec("real", low, high, doc=doc))


def flag(*, default: bool, doc: str) -> Any:
    """A boolean parameter; p.name in kernels, 1 or 0."""
    return _field(default, Spec("flag", doc=doc))


def choice(*options: str, default: str, doc: str) -> Any:
    """A choice among strings; p.name in kernels is the index into `options`."""
    return _field(default, Spec("choice", options=options, doc=doc))


def span(low: int, high: int, *, default: tuple[int, int], doc: str) -> Any:
    """A pair of integers low <= high from which each episode draws; p.name_low and p.name_high in kernels."""
    return _field(default, Spec("span", low, high, doc=doc))


def vector(low: float, high: float, *, default: Iterable, doc: str) -> Any:
    """A vector or table with the shape of its default; p.name in kernels, a float64 array."""
    return _field(default, Spec("vector", low, high, shape=np.array(default).shape, doc=doc))


class derived(property):
    """A property computed from the parameters that is also available in kernels, as p.name.

    Its value is an int, bool or float, or a dataclass of these. Each field of a dataclass becomes a separate p.field.
    """


@dataclass_transform(
    kw_only_default=True, frozen_default=True, field_specifiers=(integer, real, flag, choice, span, vector)
)
class Params:
    """Base class of an environment's parameters. Subclasses become frozen, keyword-only dataclasses automatically.

    Attributes:
        renamed: old name -> new name of a parameter, for the error message.

    Raises:
        BadParameter: a value is out of range, or the combination is invalid.
    """

    renamed: ClassVar[Mapping[str, str]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        dataclass(frozen=True, kw_only=True)(cls)

    def __post_init__(self) -> None:
        for name, spec in self.specs().items():
            object.__setattr__(self, name, spec.check(name, getattr(self, name)))
        self.check()

    def check(self) -> None:
        """Raise BadParameter if the combination of values is invalid."""

    @property
    def horizon(self) -> int:
        """The maximum number of steps in an episode."""
        raise NotImplementedError

    @classmethod
    def specs(cls) -> dict[str, Spec]:
        """The Spec of every parameter, by name."""
        return {f.name: f.metadata[_SPEC] for f in dataclasses.fields(cls) if _SPEC in f.metadata}  # type: ignore[arg-type]

    @classmethod
    def defaults(cls) -> dict[str, Any]:
        return {f.name: f.default for f in dataclasses.fields(cls) if _SPEC in f.metadata}  # type: ignore[arg-type]

    def values(self) -> dict[str, Any]:
        """The value of every parameter, by name."""
        return {name: getattr(self, name) for name in self.specs()}

    def replace(self, also: Iterable[str] = (), **overrides: Any) -> Self:
        """A copy with some parameters replaced.

        Args:
            also: other keywords of the environment, to list in the message about an unknown keyword.

        Raises:
            UnknownKeyword: there is no parameter of that name.
            BadParameter: a value is out of range, or the combination is invalid.
        """
        for name in overrides:
            if name not in self.specs():
                raise UnknownKeyword(self._unknown(name, [*also, *self.specs()]))
        return dataclasses.replace(self, **overrides)  # type: ignore[type-var]

    def _unknown(self, name: str, known: list[str]) -> str:
        says = f"unexpected keyword argument {name!r}"
        new = {**RENAMED, **self.renamed}.get(name)
        if new in known:
            return f"{says}: it is now called {new!r}"
        close = difflib.get_close_matches(name.lower(), known, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else "."
        return f"{says}{hint} Valid keywords: {', '.join(known)}"

    def record(self, split: str) -> np.ndarray:
        """The parameters as a record array of length 1, as kernels receive them. The first field is the split's index."""
        extra = self._derived()
        fields = [field for name, spec in self.specs().items() for field in spec.fields(name)]
        fields += [(name, "f8" if isinstance(value, float) else "i8") for name, value in extra.items()]
        row = np.zeros(1, np.dtype([("split", "i8"), *fields], align=True))
        row[0]["split"] = SPLITS.index(split)
        for name, spec in self.specs().items():
            spec.store(row[0], name, getattr(self, name))
        for name, value in extra.items():
            row[0][name] = value
        return row

    @classmethod
    def derived_names(cls) -> list[str]:
        """Names of the derived properties, sorted."""
        return sorted({name for base in cls.__mro__ for name, v in vars(base).items() if isinstance(v, derived)})

    def _derived(self) -> dict[str, int | float]:
        found: dict[str, int | float] = {}
        for name in self.derived_names():
            value = getattr(self, name)
            found |= dataclasses.asdict(value) if dataclasses.is_dataclass(value) else {name: value}  # type: ignore[arg-type]
        return found
