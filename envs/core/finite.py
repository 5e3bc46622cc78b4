"""The source of a device function that says whether all floats of a record are finite."""

from collections.abc import Iterator

import numpy as np

LARGEST = 1e30  # beyond this a float counts as infinite: an observation, which is float32, could not hold it

_FUNCTION = """
@device
def finite(s):
    {body}
    return True
"""


def source(dtype: np.dtype) -> str:
    """`finite(s)` for records of this dtype: False if any float in them, at any depth, is NaN or as good as infinite."""
    return _FUNCTION.format(body="\n    ".join(_tests(dtype, "s", 0)))


def _tests(dtype: np.dtype, path: str, loops: int) -> Iterator[str]:
    """Lines that return False for the first float that is not finite. `path` is the record, within so many loops."""
    for name in dtype.names or ():
        part = dtype[name]
        indices = [f"i{loops + k}" for k in range(part.ndim)]
        at = f"{path}.{name}" + (f"[{', '.join(indices)}]" if indices else "")
        if part.base.names:
            inner = list(_tests(part.base, at, loops + part.ndim))
        else:
            inner = [f"if not abs({at}) < {LARGEST}:", "    return False"] if part.base.kind == "f" else []
        for index, size in reversed([*zip(indices, part.shape, strict=True)] if inner else []):
            inner = [f"for {index} in range({size}):", *(f"    {line}" for line in inner)]
        yield from inner
