"""An exclusive lock on a folder, released by the operating system when its holder dies."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from unseen.train.errors import StoreLocked

if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        os.lseek(handle, 1 << 20, os.SEEK_SET)  # a byte after the process id, so that others can read the id
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        os.lseek(handle, 0, os.SEEK_SET)

else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


class FolderLock:
    """A lock held from construction until `release`. The lock file `path` contains the holder's process id.

    Raises:
        StoreLocked: another process holds the lock; the message has its process id.
        OSError: the file cannot be created, or is a symbolic link.
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
