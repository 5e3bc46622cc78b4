"""An exclusive lock on a folder, which the system itself releases when its holder dies."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from unseen.train.errors import StoreLocked

if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        os.lseek(handle, 1 << 20, os.SEEK_SET)  # a byte behind the process id, which others may then read
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        os.lseek(handle, 0, os.SEEK_SET)

else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


class FolderLock:
    """Held from construction to `release`; the file `path` in the folder says by whom.

    Raises:
        StoreLocked: another process holds it; the message has its process id.
        OSError: the file cannot be made, or is a link.
    """

    def __init__(self, path: Path) -> None:
        no_links = getattr(os, "O_NOFOLLOW", 0)  # not on Windows
        self._handle: int | None = os.open(path, os.O_RDWR | os.O_CREAT | no_links, 0o644)
        try:
            _lock(self._handle)
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
