"""Where compiled code is kept: a folder that no other user can write to, files with digests, and locks.

What is read from the folder is unpickled and run, so it must be ours alone. Files that are cut short or damaged are
deleted, and what they held is compiled again.
"""

import atexit
import contextlib
import functools
import hashlib
import lzma
import os
import pickle
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

PREFILLED = Path(__file__).parent / "prefilled.xz"  # entries that came with a wheel: `make dist`
LIMIT = 1 << 29  # bytes in the folder above which the entries unused for longest go
LOCKS = "locks"  # the file whose bytes are locks
_DIGEST = 32  # bytes of SHA-256 before each entry


def cache_folder() -> Path:
    """The folder that this process uses, chosen once for each setting of the environment's variables."""
    return _chosen(*(os.environ.get(name) for name in ("UNSEEN_CACHE", "XDG_CACHE_HOME", "HOME")))


@functools.cache
def _chosen(*variables: str | None) -> Path:
    return choose_folder()


def choose_folder() -> Path:
    """The first of $UNSEEN_CACHE, $XDG_CACHE_HOME/unseen and ~/.cache/unseen that can be used, made if need be.

    It must be an absolute path to a folder of this user's that no other can write to; one that others can read is
    closed to them. Where none will do, it is a fresh temporary folder, which goes when the process ends.
    """
    for path in _candidates():
        reason = _refusal(path)
        if not reason:
            return path
        if path == Path(os.environ.get("UNSEEN_CACHE", "")):
            _say(f"the cache folder {path} {reason}, and is not used")
    return _temporary()


def _candidates() -> Iterator[Path]:
    """Folders in the order in which they are tried. An empty variable counts as unset."""
    if os.environ.get("UNSEEN_CACHE"):
        yield Path(os.environ["UNSEEN_CACHE"])
    if os.environ.get("XDG_CACHE_HOME"):
        yield Path(os.environ["XDG_CACHE_HOME"]) / "unseen"
    with contextlib.suppress(RuntimeError):  # there is neither HOME nor an entry for this user
        yield Path.home() / ".cache" / "unseen"


def _refusal(path: Path) -> str:
    """Why a folder cannot be the cache; "" if it can. A folder of ours that others can read is closed to them."""
    if not path.is_absolute():
        return "is not an absolute path"
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.name == "posix":
            link, folder = os.lstat(path), os.stat(path)
            if {link.st_uid, folder.st_uid} != {os.geteuid()}:
                return "belongs to another user"
            if folder.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                return "can be written by other users"
            if stat.S_IMODE(folder.st_mode) != stat.S_IRWXU:
                os.chmod(path, stat.S_IRWXU)
        with tempfile.TemporaryFile(dir=path):
            return ""
    except OSError as error:
        return f"cannot be used ({error.strerror})"


def _temporary() -> Path:
    """A private folder of this process and its children; it goes when this process ends."""
    path, pid = Path(tempfile.mkdtemp(prefix="unseen-")), os.getpid()
    atexit.register(lambda: shutil.rmtree(path, ignore_errors=True) if os.getpid() == pid else None)
    _say(f"no folder for compiled kernels; they are kept in {path} until this process ends. Name one by UNSEEN_CACHE")
    return path


def _say(text: str) -> None:
    print(f"unseen: {text}", file=sys.stderr, flush=True)


def read(name: str) -> bytes | None:
    """The entry `name`, of the folder or of those that came with the package; None where there is no sound one."""
    path = cache_folder() / name
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return _prefilled(name)
    except OSError:
        return None
    body = data[_DIGEST:]
    if hashlib.sha256(body).digest() != data[:_DIGEST]:
        discard(name)
        return None
    with contextlib.suppress(OSError):
        os.utime(path)  # entries that are in use are not the oldest
    return body


def _prefilled(name: str) -> bytes | None:
    data = _shipped().get(name, b"")
    body = data[_DIGEST:]
    return body if data and hashlib.sha256(body).digest() == data[:_DIGEST] else None


@functools.cache
def _shipped() -> dict[str, bytes]:
    """The entries that came with the package; none where they are missing or damaged."""
    try:
        return pickle.loads(lzma.decompress(PREFILLED.read_bytes()))
    except (OSError, lzma.LZMAError, pickle.UnpicklingError, EOFError):
        return {}


def write(name: str, body: bytes) -> None:
    """Store an entry, whole or not at all. A full disk is no error: what is not stored is compiled again."""
    folder = cache_folder()
    draft = ""
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".draft-", delete=False) as file:
            draft = file.name
            file.write(hashlib.sha256(body).digest() + body)
        os.replace(draft, folder / name)
    except OSError:
        if draft:
            with contextlib.suppress(OSError):
                os.unlink(draft)


def discard(name: str) -> None:
    """Delete an entry, if it is there."""
    with contextlib.suppress(OSError):
        (cache_folder() / name).unlink()


def trim(limit: int = LIMIT) -> None:
    """Delete what was unused for longest until the folder holds no more than `limit` bytes."""
    with contextlib.suppress(OSError):
        found = sorted(
            (entry.stat(follow_symlinks=False).st_mtime, Path(entry)) for entry in os.scandir(cache_folder())
        )
        sizes = {path: _size(path) for _, path in found if path.name != LOCKS}
        excess = sum(sizes.values()) - limit
        for path, size in sizes.items():
            if excess <= 0:
                return
            shutil.rmtree(path) if path.is_dir() else path.unlink()
            excess -= size


def _size(path: Path) -> int:
    return sum(file.stat().st_size for file in path.rglob("*")) if path.is_dir() else path.stat().st_size


def pack(file: Path, kind: str) -> int:
    """Write the folder's entries of a kind into a file to ship as PREFILLED; returns how many there are.

    Where the Python, the Numba or the processor's family is another, entries have other names: the file does no harm.
    """
    entries = {path.name: path.read_bytes() for path in sorted(cache_folder().glob(f"*.{kind}"))}
    file.write_bytes(lzma.compress(pickle.dumps(entries)))  # as a whole: they have much in common
    return len(entries)


if os.name == "posix":
    import fcntl

    def _take(handle: int, at: int) -> None:
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, at)

else:
    import msvcrt

    def _take(handle: int, at: int) -> None:
        os.lseek(handle, at, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]


@contextlib.contextmanager
def lock(name: str, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the lock of an entry, after any other process that holds it; `waiting` is called once if there is one.

    Locks are bytes of one file, which the system itself sets free when a holder dies. Threads of one process do not
    lock each other out: the compiler has a lock of its own for them.
    """
    try:
        handle = os.open(cache_folder() / LOCKS, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:  # nothing can be stored either
        yield
        return
    at = int(hashlib.sha256(name.encode()).hexdigest()[:7], 16)
    try:
        waited = False
        while not _taken(handle, at):
            if not waited:
                waiting()
                waited = True
            time.sleep(0.05)
        yield
    finally:
        os.close(handle)


def _taken(handle: int, at: int) -> bool:
    try:
        _take(handle, at)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:  # a file system without locks
        pass
    return True
