"""Sensors: observation modes of a task."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from unseen.envs.core.lazy import load
from unseen.envs.core.params import Params


@dataclass(frozen=True)
class Part:
    """A contiguous part of a flat observation row.

    Attributes:
        name: description.
        size: number of elements.
        low, high: inclusive bounds.
        unit: unit; "" for flags and one-hot encodings.
    """

    name: str
    size: int
    low: float
    high: float
    unit: str = ""


@dataclass(frozen=True)
class Sensor:
    """An observation mode of a task: a flat float32 row described by `parts`, or a uint8 `image`.

    Attributes:
        write: device function (s, p, o) that fills the row or image `o`; "module:function" is imported on first use.
        parts: parameters -> the parts of the row, in order.
        image: (height, width, channels) of an image.
        privileged: whether it shows what the agent cannot sense. Privileged sensors are excluded from obs="dict".
        layout: parameters -> an object that tells agents where things are in the row; None if there is none.
    """

    write: Callable | str
    parts: Callable[[Any], Sequence[Part]] | None = None
    image: tuple[int, int, int] | None = None
    privileged: bool = False
    layout: Callable[[Any], Any] | None = None

    @property
    def function(self) -> Callable:
        """The device function itself."""
        return load(self.write) if isinstance(self.write, str) else self.write

    @property
    def dtype(self) -> np.dtype:
        return np.dtype(np.float32 if self.image is None else np.uint8)

    def shape(self, params: Params) -> tuple[int, ...]:
        """Shape of a single observation."""
        if self.image is not None:
            return self.image
        return (sum(part.size for part in self._parts(params)),)

    def bounds(self, params: Params) -> tuple[np.ndarray, np.ndarray]:
        """Elementwise bounds (low, high), each with the shape and dtype of the observation."""
        if self.image is not None:
            return np.zeros(self.image, np.uint8), np.full(self.image, 255, np.uint8)
        parts = self._parts(params)
        sizes = [part.size for part in parts]
        low, high = np.repeat([part.low for part in parts], sizes), np.repeat([part.high for part in parts], sizes)
        return low.astype(np.float32), high.astype(np.float32)

    def _parts(self, params: Params) -> Sequence[Part]:
        assert self.parts is not None, "a sensor has parts or an image"
        return self.parts(params)
