"""An exclusive lock on a file, which the system itself releases when its holder dies."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from unseen.train.errors import StoreLocked

if sys.platform == "win32":
    import msvcrt

    def _take(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _take(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


class FileLock:
    """Held from construction to :meth:`release`.

    Raises:
        StoreLocked: another process holds it; the message has its process id.
    """

    def __init__(self, path: Path):
        self._handle: int | None = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _take(self._handle)
        except OSError as error:
            owner = os.read(self._handle, 32).decode(errors="replace").strip() or "unknown"
            self.release()
            raise StoreLocked(path.parent, f"is in use by another process ({owner})") from error
        os.ftruncate(self._handle, 0)
        os.write(self._handle, f"{os.getpid()}\n".encode())

    def release(self) -> None:
        """Safe to call twice."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
