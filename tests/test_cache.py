"""The folder of compiled code is ours alone; its files are checked; its locks hold, and go with their holder."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from unseen.envs.core.jit import cache

posix = pytest.mark.skipif(os.name != "posix", reason="owners and modes are POSIX's")


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No variable points anywhere; temporary folders are made in the test's own."""
    for name in ("UNSEEN_CACHE", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.setattr(Path, "home", no_home)
    yield


def no_home() -> Path:
    """As Path.home does where there is neither HOME nor an entry for the user."""
    raise RuntimeError("Could not determine home directory.")


def is_temporary(path: Path) -> bool:
    """Whether it is a fresh folder, whose name nobody could know before."""
    return path.parent.name == "temporary" and path.is_dir() and stat.S_IMODE(path.stat().st_mode) == 0o700


def test_the_first_that_is_named_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    assert cache.choose_folder() == tmp_path / "home" / ".cache" / "unseen"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache.choose_folder() == tmp_path / "xdg" / "unseen"
    monkeypatch.setenv("UNSEEN_CACHE", str(tmp_path / "a" / "b"))
    assert cache.choose_folder() == tmp_path / "a" / "b"
    for path in (tmp_path / "home" / ".cache" / "unseen", tmp_path / "xdg" / "unseen", tmp_path / "a" / "b"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700


@pytest.mark.parametrize("variable", ["UNSEEN_CACHE", "XDG_CACHE_HOME"])
@pytest.mark.parametrize("value", ["", "relative", "./here", "~/cache"])
def test_an_empty_or_relative_path_counts_as_unset(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str, value: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    monkeypatch.setenv(variable, value)
    assert cache.choose_folder() == tmp_path / "home" / ".cache" / "unseen"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "temporary"]


def test_without_a_home_the_folder_is_a_fresh_one(capsys: pytest.CaptureFixture[str]) -> None:
    one, other = cache.choose_folder(), cache.choose_folder()
    assert one != other and is_temporary(one) and is_temporary(other)
    assert str(one) in capsys.readouterr().err


def _file(path: Path) -> None:
    path.write_text("")


def _world_writable(path: Path) -> None:
    path.mkdir()
    path.chmod(0o777)


def _group_writable(path: Path) -> None:
    path.mkdir()
    path.chmod(0o770)


def _sticky(path: Path) -> None:
    path.mkdir()
    path.chmod(0o1777)


def _dangling(path: Path) -> None:
    path.symlink_to(path.parent / "nowhere")


def _link_to_writable(path: Path) -> None:
    _world_writable(path.parent / "target")
    path.symlink_to(path.parent / "target")


@posix
@pytest.mark.parametrize(
    "make", [_file, _world_writable, _group_writable, _sticky, _dangling, _link_to_writable], ids=lambda f: f.__name__
)
def test_what_others_can_write_to_is_not_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], make
) -> None:
    path = tmp_path / "named"
    make(path)
    before = os.lstat(path).st_mode
    monkeypatch.setenv("UNSEEN_CACHE", str(path))
    assert is_temporary(cache.choose_folder())
    assert os.lstat(path).st_mode == before
    assert f"{path} " in capsys.readouterr().err  # a folder that was asked for is not passed over in silence


@posix
@pytest.mark.parametrize("mode", [0o755, 0o750, 0o711, 0o500])
def test_a_folder_of_ours_is_closed_to_others(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mode: int) -> None:
    path = tmp_path / "named"
    path.mkdir()
    path.chmod(mode)
    monkeypatch.setenv("UNSEEN_CACHE", str(path))
    assert cache.choose_folder() == path
    assert stat.S_IMODE(path.stat().st_mode) == 0o700


@posix
def test_a_link_of_ours_to_a_folder_of_ours_is_followed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "target")
    monkeypatch.setenv("UNSEEN_CACHE", str(tmp_path / "link"))
    assert cache.choose_folder() == tmp_path / "link"
    assert stat.S_IMODE((tmp_path / "target").stat().st_mode) == 0o700


@posix
@pytest.mark.parametrize("look", ["stat", "lstat"])
def test_a_folder_or_a_link_of_another_user_is_not_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, look: str
) -> None:
    """E2: who makes the folder first must not get code run."""
    path = tmp_path / "named"
    path.mkdir(mode=0o700)
    seen = getattr(os, look)

    def of_another(file, *args, **kwargs):
        status = seen(file, *args, **kwargs)
        other = status.st_uid + 1 if Path(file) == path else status.st_uid
        return SimpleNamespace(st_uid=other, st_mode=status.st_mode)

    monkeypatch.setenv("UNSEEN_CACHE", str(path))
    assert cache.choose_folder() == path
    monkeypatch.setattr(os, look, of_another)
    assert is_temporary(cache.choose_folder())


@posix
@pytest.mark.skipif(os.name == "posix" and os.geteuid() != 0, reason="only root can give files away")
def test_a_folder_that_really_is_another_users_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "named"
    path.mkdir(mode=0o700)
    os.chown(path, 12345, -1)
    monkeypatch.setenv("UNSEEN_CACHE", str(path))
    assert is_temporary(cache.choose_folder())


@posix
def test_a_folder_that_cannot_be_written_to_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refused(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setenv("UNSEEN_CACHE", str(tmp_path / "named"))
    monkeypatch.setattr(tempfile, "TemporaryFile", refused)
    assert is_temporary(cache.choose_folder())


def test_a_temporary_folder_goes_with_its_process(tmp_path: Path) -> None:
    script = "from unseen.envs.core.jit import cache\ncache.write('x', b'1')\nprint(cache.cache_folder())"
    env = {k: v for k, v in os.environ.items() if k not in ("UNSEEN_CACHE", "XDG_CACHE_HOME")}
    folder = tmp_path / "temporary"
    env |= {"HOME": "/dev/null", "TMPDIR": str(folder)}
    run = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True)
    assert Path(run.stdout.strip()).parent == folder
    assert not Path(run.stdout.strip()).exists() and list(folder.iterdir()) == []


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("UNSEEN_CACHE", str(tmp_path / "cache"))
    return cache.cache_folder()


DAMAGE = {
    "empty": lambda data: b"",
    "one byte": lambda data: data[:1],
    "halved": lambda data: data[: len(data) // 2],
    "one byte less": lambda data: data[:-1],
    "one byte more": lambda data: data + b"\0",
    "zeroed": lambda data: bytes(len(data)),
    "zeroed behind the digest": lambda data: data[:32] + bytes(len(data) - 32),
    "random": lambda data: os.urandom(len(data)),
    "one bit flipped": lambda data: data[:40] + bytes([data[40] ^ 1]) + data[41:],
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_entry_is_deleted(folder: Path, damage: str) -> None:
    cache.write("entry", b"content" * 20)
    assert cache.read("entry") == b"content" * 20
    path = folder / "entry"
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    assert cache.read("entry") is None and not path.exists()
    cache.write("entry", b"anew")
    assert cache.read("entry") == b"anew"


def test_an_entry_that_is_a_folder_is_passed_over(folder: Path) -> None:
    (folder / "entry").mkdir()
    assert cache.read("entry") is None
    cache.write("entry", b"content")
    assert cache.read("entry") is None and [path.name for path in folder.iterdir()] == ["entry"]


def test_a_full_disk_leaves_nothing_behind(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    cache.write("entry", b"content")
    assert list(folder.iterdir()) == [] and cache.read("entry") is None


def test_what_was_unused_for_longest_goes_first(folder: Path) -> None:
    for age, name in enumerate(("new", "used", "old", "oldest")):
        cache.write(name, bytes(968))
        os.utime(folder / name, (1000 - age, 1000 - age))
    (folder / "plain-folder").mkdir()
    (folder / "plain-folder" / "code").write_bytes(bytes(5000))
    os.utime(folder / "plain-folder", (1, 1))
    (folder / cache.LOCKS).touch()
    cache.read("oldest")
    cache.trim(3000)
    assert {path.name for path in folder.iterdir()} == {"new", "used", "oldest", cache.LOCKS}


@pytest.fixture
def prefilled(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file with two entries, as one comes with a wheel; the folder is empty."""
    file = tmp_path / "prefilled.xz"
    for name in ("one.device", "other.device", "whole.kernel"):
        cache.write(name, name.encode() * 20)
    assert cache.pack(file, "device") == 2
    for path in folder.iterdir():
        path.unlink()
    monkeypatch.setattr(cache, "PREFILLED", file)
    cache._shipped.cache_clear()
    yield file
    cache._shipped.cache_clear()


def test_entries_of_the_package_are_read_where_the_folder_has_none(prefilled: Path, folder: Path) -> None:
    assert cache.read("one.device") == b"one.device" * 20
    assert cache.read("whole.kernel") is None and cache.read("unknown.device") is None
    assert list(folder.iterdir()) == []
    cache.write("one.device", b"newer")
    assert cache.read("one.device") == b"newer"


@pytest.mark.parametrize("damage", [*DAMAGE, "missing"])
def test_a_damaged_file_of_the_package_does_no_harm(prefilled: Path, damage: str) -> None:
    if damage == "missing":
        prefilled.unlink()
    else:
        prefilled.write_bytes(DAMAGE[damage](prefilled.read_bytes()))
    assert cache.read("one.device") in (None, b"one.device" * 20)


HOLD = """
import sys
from unseen.envs.core.jit import cache
with cache.lock(sys.argv[1], lambda: print("waiting", flush=True)):
    print("held", flush=True)
    sys.stdin.readline()
"""


def holder(name: str) -> subprocess.Popen[str]:
    """A process that holds a lock until it is written to."""
    pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    return subprocess.Popen([sys.executable, "-c", HOLD, name], **pipes)  # type: ignore[call-overload]


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.parametrize("end", ["released", "killed"])
def test_a_lock_is_waited_for_and_goes_with_its_holder(folder: Path, end: str) -> None:
    with holder("a") as one:
        assert said(one) == "held"
        with holder("a") as other, holder("b") as third:
            assert said(other) == "waiting"
            assert said(third) == "held"  # another entry's
            if end == "killed":
                one.send_signal(signal.SIGKILL)
            else:
                one.communicate("go\n")
            assert said(other) == "held"
            for process in (other, third):
                process.communicate("go\n")


def test_without_a_file_for_locks_work_goes_on(folder: Path) -> None:
    (folder / cache.LOCKS).mkdir()
    with cache.lock("a", lambda: pytest.fail("nobody holds it")):
        pass
