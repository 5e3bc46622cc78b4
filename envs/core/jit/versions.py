"""Which way of compiling is taken."""

TESTED = {"0.68"}  # versions of Numba whose inside `linked` and `linking` know


def way(numba_version: str, disabled: bool, asked: str) -> str:
    """One of "linked", "plain" and "interpreted": see `unseen.envs.core.jit`.

    Args:
        disabled: Numba is told not to compile.
        asked: "linked" or "plain" to choose; "" to go by the version.
    """
    if disabled:
        return "interpreted"
    if asked in ("linked", "plain"):
        return asked
    return "linked" if ".".join(numba_version.split(".")[:2]) in TESTED else "plain"
