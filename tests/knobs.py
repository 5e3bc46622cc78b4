"""A strategy for property tests: any values that the parameters of a task allow, each for itself."""

from typing import Any

from hypothesis import strategies as st

from unseen.envs.core.params import Params


@st.composite
def knobs(draw: st.DrawFn, params: type[Params]) -> dict[str, Any]:
    """Values of all parameters by name."""
    found: dict[str, Any] = {}
    for name, spec in params.specs().items():
        if spec.kind == "span":
            found[name] = tuple(sorted(draw(st.integers(int(spec.low), int(spec.high))) for _ in range(2)))
        elif spec.kind == "integer":
            found[name] = draw(st.integers(int(spec.low), int(spec.high)))
        elif spec.kind == "real":
            found[name] = draw(st.floats(spec.low, spec.high))
        else:
            found[name] = draw(st.sampled_from(spec.options or (False, True)))
    return found
