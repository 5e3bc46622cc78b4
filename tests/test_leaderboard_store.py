"""The store after kill -9, bit flips, truncated files, a second writer and a full disk."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from unseen.train.errors import StoreError, StoreLocked
from unseen.train.leaderboard.journal import Journal, decode, encode
from unseen.train.leaderboard.rows import AgentRow, EpisodeRow
from unseen.train.leaderboard.store import Store


def episode(seed: int, value: float = 0.1, agent: str = "a") -> EpisodeRow:
    return EpisodeRow(agent, "e", "p", seed, "r", "ok", value + seed / 7, 3 + seed, "")


ROWS = [episode(seed) for seed in range(60)]


def fill(folder: Path) -> None:
    with Store(folder) as store:
        store.add([AgentRow("a", "näme <b>", -1, "reference", "package")])
        for start in range(0, 60, 20):
            store.add(ROWS[start : start + 20])


def read(folder: Path) -> tuple[list[EpisodeRow], list[str]]:
    with Store(folder) as store:
        return store.episodes("a", "e", "p"), store.notes


def test_what_goes_in_comes_out_exactly(tmp_path: Path) -> None:
    fill(tmp_path)
    assert read(tmp_path) == (ROWS, [])
    with Store(tmp_path) as store:
        assert store.episodes("b", "e", "p") == []
        assert store.count() == 60 and store.count("agent") == 1


def test_a_known_row_is_left_as_it_is(tmp_path: Path) -> None:
    fill(tmp_path)
    size = (tmp_path / "journal.jsonl").stat().st_size
    with Store(tmp_path) as store:
        store.add([episode(3, value=99.0)])
        store.add([])
    assert read(tmp_path)[0] == ROWS
    assert (tmp_path / "journal.jsonl").stat().st_size == size


def test_close_twice(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.close()
    store.close()


def test_a_second_writer_is_refused_by_name(tmp_path: Path) -> None:
    with Store(tmp_path), pytest.raises(StoreLocked, match=r"in use by another process \(\d+\)"):
        Store(tmp_path)
    Store(tmp_path).close()  # and let in afterwards


def flip(path: Path, at: int, bit: int = 3) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1 << bit
    path.write_bytes(data)


@pytest.mark.parametrize("name", ["board.sqlite", "journal.jsonl"])
def test_any_flipped_bit_is_survived(tmp_path: Path, name: str) -> None:
    """Thirty bits all over the file, one at a time: every row comes back, whatever it hit."""
    fill(tmp_path)
    sound = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    rng = random.Random(name)
    used = [at for at, byte in enumerate(sound[name]) if byte]  # a database is mostly empty pages
    noticed = 0
    for _ in range(30):
        for file, data in sound.items():
            (tmp_path / file).write_bytes(data)
        flip(tmp_path / name, rng.choice(used), rng.randrange(8))
        found, notes = read(tmp_path)
        assert found == ROWS
        noticed += bool(notes)
        assert read(tmp_path) == (ROWS, [])  # mended for good
    assert noticed >= 26  # a change counter in the database's header, say, does no harm


def test_a_changed_value_is_found_though_sqlite_is_content(tmp_path: Path) -> None:
    """A value altered inside a valid database is detected by the row's digest only."""
    fill(tmp_path)
    connection = sqlite3.connect(tmp_path / "board.sqlite")
    connection.execute("UPDATE episode SET episode_return = 1000 WHERE seed = 5")
    connection.commit()
    assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    connection.close()
    found, notes = read(tmp_path)
    assert found == ROWS
    assert "database was damaged" in notes[0]
    assert (tmp_path / "quarantine" / "board.sqlite.1").exists()


def _delete(path: Path) -> None:
    path.unlink()


def _halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _garble(path: Path) -> None:
    path.write_bytes(random.Random(0).randbytes(5_000))


def _empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("name", ["board.sqlite", "journal.jsonl"])
@pytest.mark.parametrize("harm", [_delete, _halve, _garble, _empty])
def test_either_copy_restores_the_other(tmp_path: Path, name: str, harm: Callable[[Path], None]) -> None:
    fill(tmp_path)
    harm(tmp_path / name)
    assert read(tmp_path)[0] == ROWS
    assert read(tmp_path) == (ROWS, [])
    other = {"board.sqlite": "journal.jsonl", "journal.jsonl": "board.sqlite"}[name]
    (tmp_path / other).unlink()  # the mended copy stands alone
    assert read(tmp_path)[0] == ROWS


def test_both_copies_damaged_keep_what_either_proves(tmp_path: Path) -> None:
    fill(tmp_path)
    journal = tmp_path / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join([lines[0], b"{}\n", *lines[2:]]))  # seeds 0 to 19 gone here
    connection = sqlite3.connect(tmp_path / "board.sqlite")
    connection.execute("UPDATE episode SET length = 0 WHERE seed IN (4, 30)")
    connection.commit()
    connection.close()
    found, notes = read(tmp_path)
    assert found == [row for row in ROWS if row.seed != 4]  # lost in both, so to be evaluated again
    assert len(notes) == 2 and len(list((tmp_path / "quarantine").iterdir())) == 2
    with Store(tmp_path) as store:
        store.add([ROWS[4]])
    assert read(tmp_path) == (ROWS, [])


def test_a_torn_last_line_is_dropped_without_fuss(tmp_path: Path) -> None:
    """After a power cut: half a line that was never acknowledged."""
    fill(tmp_path)
    with open(tmp_path / "journal.jsonl", "ab") as file:
        file.write(encode([("episode", {"seed": 1})])[:-20])
    assert read(tmp_path) == (ROWS, [])
    assert (tmp_path / "journal.jsonl").read_bytes().endswith(b"}\n")


def test_killed_between_journal_and_database(tmp_path: Path) -> None:
    fill(tmp_path)
    late = episode(60)
    journal = Journal(tmp_path / "journal.jsonl")
    journal.append([("episode", {**late.__dict__})])
    journal.close()
    assert read(tmp_path) == ([*ROWS, late], [])


@pytest.mark.parametrize("line", [b"", b"null", b"[]", b"{", b'{"rows":1,"sha":2}', b"\xff\xfe", b"[" * 100_000])
def test_hostile_journal_lines(line: bytes) -> None:
    assert decode(line) is None


def test_a_line_is_told_from_a_forged_one() -> None:
    line = encode([("episode", {"seed": 1})])
    assert decode(line) == [("episode", {"seed": 1})]
    assert decode(line.replace(b'"seed":1', b'"seed":2')) is None


def test_records_of_another_version_are_kept_and_passed_over(tmp_path: Path) -> None:
    fill(tmp_path)
    with open(tmp_path / "journal.jsonl", "ab") as file:
        file.write(encode([("dreams", {"id": 1}), ("episode", {"agent": "a"})]))
    assert read(tmp_path) == (ROWS, [])
    assert b"dreams" in (tmp_path / "journal.jsonl").read_bytes()


KILLED = """
import sys
from unseen.train.leaderboard.rows import EpisodeRow
from unseen.train.leaderboard.store import Store
with Store(sys.argv[1]) as store:
    start = store.count()
    for seed in range(start, 1_000_000):
        store.add([EpisodeRow("a", "e", "p", seed, "r", "ok", seed / 7, 3, "")])
        print(seed, flush=True)
"""


def test_kill_9_loses_no_acknowledged_row(tmp_path: Path) -> None:
    rng = random.Random(1)
    acknowledged = -1
    for _ in range(5):
        process = subprocess.Popen([sys.executable, "-c", KILLED, tmp_path], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        for _ in range(rng.randrange(1, 30)):
            acknowledged = int(process.stdout.readline())
        process.kill()
        rest = process.communicate()[0].split("\n")[:-1]
        acknowledged = int(rest[-1]) if rest else acknowledged
        found, notes = read(tmp_path)
        assert notes == []
        assert [row.seed for row in found] == list(range(len(found)))
        assert len(found) in (acknowledged + 1, acknowledged + 2)  # one may be written and not yet told


FULL = """
import resource, sys
from unseen.train.errors import StoreError
from unseen.train.leaderboard.rows import EpisodeRow
from unseen.train.leaderboard.store import Store
resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))
try:
    with Store(sys.argv[1]) as store:
        for block in range(1000):
            seeds = range(block * 50, block * 50 + 50)
            store.add([EpisodeRow("a", "e", "p", seed, "r", "ok", .5, 3, "") for seed in seeds])
            print(block, flush=True)
except StoreError as error:
    print(error, file=sys.stderr)
    sys.exit(2)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a file size limit")
def test_a_full_disk_stops_it_and_keeps_what_was_stored(tmp_path: Path) -> None:
    """A limit on file size gives the same short writes and errors as a full disk."""
    run = subprocess.run([sys.executable, "-c", FULL, tmp_path], capture_output=True, text=True)
    assert run.returncode == 2, run.stderr
    assert str(tmp_path) in run.stderr and "stored results are not affected" in run.stderr
    stored = int(run.stdout.split()[-1]) + 1
    assert stored > 2
    found, notes = read(tmp_path)
    assert notes == []
    assert len(found) in (50 * stored, 50 * (stored + 1))  # whole blocks only
    with Store(tmp_path) as store:  # room again
        store.add([episode(100_000)])


@pytest.mark.parametrize("where", ["file", "file/inside"])
def test_a_folder_that_cannot_be_is_named(tmp_path: Path, where: str) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match=r"file.*: cannot be opened"):
        Store(tmp_path / where)
    assert (tmp_path / "file").read_text() == "in the way"


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="needs a folder that even root cannot write")
def test_a_read_only_folder_is_named() -> None:
    with pytest.raises(StoreError, match="^/proc/sys/board: cannot be opened"):
        Store("/proc/sys/board")


def test_a_database_that_cannot_be_read_is_not_thrown_away(tmp_path: Path) -> None:
    """A folder in place of the file is not damage: nothing is moved, and the error names it."""
    fill(tmp_path)
    (tmp_path / "board.sqlite").unlink()
    (tmp_path / "board.sqlite").mkdir()
    with pytest.raises(StoreError, match="unable to open database file"):
        Store(tmp_path)
    assert not (tmp_path / "quarantine").exists()
    (tmp_path / "board.sqlite").rmdir()
    assert read(tmp_path) == (ROWS, [])
