"""Table, JSON and web page from synthetic episodes; the page also in a browser if there is one."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import asdict
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from unseen.agents.card import Card
from unseen.train.leaderboard import board as boards
from unseen.train.leaderboard import report
from unseen.train.leaderboard.board import Board
from unseen.train.leaderboard.contestants import UNTRAINED, Arena, Contestant
from unseen.train.leaderboard.page import render
from unseen.train.leaderboard.protocol import PROTOCOL, Latency
from unseen.train.measures.map_error import MapError
from unseen.train.rollout import Outcome

HOSTILE = "</script><script>document.title='owned'</script><img src=x onerror=document.title='owned'> $x^2$ & \"'"
MAPS = {"mapper": {"RolledBehind/1": MapError(0.0842, 1.07, 900), "RolledBehind/2": MapError(0.2, None, 9)}}
ARENAS = [Arena(f"e{level}", "RolledBehind", level, 0.1, 0.9) for level in (0, 1, 2)]


def outcomes(wins: int, of: int = 100, error: str = "") -> list[Outcome]:
    return [Outcome(i, float(i < wins), 12, error if i == 0 else "") for i in range(of)]


def make_board() -> Board:
    """oracle: 90 of 100; mapper: 3 runs, 80 70 60; ppo: 20 10 30, not trained for level 2; one that fails."""
    results = {}
    for arena in ARENAS:
        results[Contestant(f"o{arena.level}", "oracle", "oracle", "reference", arena, UNTRAINED)] = outcomes(90)
        results[Contestant(f"r{arena.level}", "random", "random", "reference", arena, UNTRAINED)] = outcomes(10)
        for run, (ours, theirs) in enumerate([(80, 20), (70, 10), (60, 30)]):
            card = Card(
                steps=150_000 + run,
                training_episodes=6_000 + run,
                cpu_s=600.0,
                curve=((1_000, 5.0, 0.1), (150_000, 600.0, 0.8)),
            )
            results[Contestant(f"m{arena.level}{run}", "mapper", "mapper", "model-based", arena, run, card=card)] = (
                outcomes(ours)
            )
            if arena.level < 2:
                results[Contestant(f"p{arena.level}{run}", "ppo", "ppo", "model-free", arena, run)] = outcomes(theirs)
        bad = Contestant(f"h{arena.level}", "x.py:X", HOSTILE, "yours", arena, UNTRAINED)
        results[bad] = outcomes(50, error=HOSTILE if arena.level == 1 else "")
    names = [
        ("random", "reference"),
        ("mapper", "model-based"),
        ("ppo", "model-free"),
        ("oracle", "reference"),
        (HOSTILE, "yours"),
    ]
    latency = {"mapper": {"RolledBehind/1": Latency(0.0412, 0.0931, 300)}}
    return Board(
        asdict(PROTOCOL) | {"id": PROTOCOL.id}, 100, boards.sections(names, ARENAS, results),
        boards.curves(list(results)), MAPS, latency, {"machine": "<b>box</b>", "python": "3.11"},
    )  # fmt: skip


def test_figures_by_hand() -> None:
    rows = {entry.name: entry for entry in make_board().entries}
    mapper = rows["mapper"].cells["RolledBehind/1"]
    assert mapper.raw is not None and mapper.normal is not None
    assert mapper.raw.point == pytest.approx(0.7) and mapper.normal.point == pytest.approx(0.75)  # (.7 - .1) / .8
    assert (mapper.raw.low, mapper.raw.high) == pytest.approx((0.6, 0.8), abs=0.034)  # resampled runs: 27 of them
    assert mapper.unit == "runs" and [run.score for run in mapper.runs] == [0.8, 0.7, 0.6]
    assert mapper.steps == 150_001 and mapper.cpu_seconds == 600 and mapper.training_episodes == 6_001
    # Two levels count (1 and 2): normalised .875 .75 .625 twice; one off each end leaves .875 .75 .75 .625
    assert rows["mapper"].overall is not None and rows["mapper"].overall.point == pytest.approx(0.75)
    oracle = rows["oracle"].cells["RolledBehind/2"]
    assert oracle.unit == "episodes" and oracle.normal is not None and oracle.normal.point == pytest.approx(1.0)
    assert oracle.normal.high > 1.0  # nothing is clipped


def test_what_is_incomplete_has_no_overall_score() -> None:
    rows = {entry.name: entry for entry in make_board().entries}
    assert rows["ppo"].cells["RolledBehind/2"].status == "missing" and rows["ppo"].overall is None
    failed = rows[HOSTILE].cells["RolledBehind/1"]
    assert (failed.status, failed.failed, failed.raw) == ("failed", 1, None) and rows[HOSTILE].overall is None


def test_rows_go_by_kind_then_score() -> None:
    assert [entry.name for entry in make_board().entries] == ["oracle", "random", "ppo", "mapper", HOSTILE]


def test_only_repeatedly_trained_agents_are_compared() -> None:
    results = {}
    for name, wins in (("a", (90, 80, 70)), ("b", (75, 75, 10))):
        for run, won in enumerate(wins):
            results[Contestant(name + str(run), name, name, "model-free", ARENAS[1], run)] = outcomes(won)
    rows = boards.entries([("a", "model-free"), ("b", "model-free")], ARENAS[1:2], results)
    found = {(c.left, c.right): c.probability.point for c in boards.comparisons(rows, ARENAS[1:2])}
    assert found == {("a", "b"): pytest.approx(7 / 9), ("b", "a"): pytest.approx(2 / 9)}  # 70 loses to two 75s
    (section,) = make_board().sections
    assert section.comparisons == []  # ppo lacks level 2, so mapper has no rival


def test_json_repeats_and_keeps_timings_apart() -> None:
    board = make_board()
    text = json.dumps(board.to_dict(), allow_nan=False)
    assert text == json.dumps(make_board().to_dict())
    assert "0.0412" in text and "0.0412" not in json.dumps(board.to_dict(timings=False))


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (report.number(0.934), ".93"), (report.number(1.0), "1.00"), (report.number(0.996), "1.00"), (report.number(0.995), ".99"),
        (report.number(-0.054), "-.05"), (report.number(10.0), "10.00"), (report.number(0.0), ".00"),
        (report.number(-0.001), ".00"), (report.count(150_000), "150 k"), (report.count(1_200_000), "1.2 M"),
        (report.count(999_900), "1 M"),
        (report.count(None), "—"), (report.duration(45), "45 s"), (report.duration(600), "10 min"),
        (report.duration(9000), "2.5 h"), (report.milliseconds(0.0412), "0.041"), (report.milliseconds(38.2), "38"),
    ],
)  # fmt: skip
def test_figures_as_text(shown: str, expected: str) -> None:
    assert shown == expected


def test_the_error_of_a_map_is_in_every_table(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    board = make_board()
    rows = {entry.name: entry for entry in board.entries}
    assert report.map_error(board, rows["mapper"], ARENAS[1]) == "map .08 m, last seen 1.07 m"
    assert report.map_error(board, rows["mapper"], ARENAS[2]) == "map .20 m, last seen unknown"
    assert report.map_error(board, rows["ppo"], ARENAS[1]) == ""
    report.print_board(board, tmp_path / "index.html")
    assert "map .08 m" in capsys.readouterr().out
    assert "; map .08 m, last seen 1.07 m |" in report.markdown(board)
    page = render(board)
    assert ">map .08 m<" in page and ">last seen 1.07 m<" in page
    assert board.to_dict(timings=False)["map_error"]["mapper"]["RolledBehind/1"]["map"] == 0.0842


def test_the_error_of_a_map_is_a_median_over_runs() -> None:
    found = [
        (Contestant(f"m{run}", "mapper", "mapper", "model-based", ARENAS[1], run), MapError(error, last, 10))
        for run, (error, last) in enumerate(((0.1, 1.0), (0.3, None), (0.5, 2.0)))
    ]
    assert boards.map_errors(found) == {"mapper": {"RolledBehind/1": MapError(0.3, 1.5, 30)}}


def test_the_terminal_shows_hostile_names_as_they_are(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    report.print_board(make_board(), tmp_path / "index.html")
    out = capsys.readouterr().out
    assert "mapper" in out and "untrained" in out and "1 of 100" in out and ".70  .75" in out
    assert "3 runs" in out and f"failed: {HOSTILE}"[:40] in out


class Reader(HTMLParser):
    """Elements and links of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.handlers: list[str] = []
        self.ids: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "xlink:href", "action", "data"):
                self.links.append(value or "")
            if name.startswith("on") or name == "style":
                self.handlers.append(f"{tag} {name}")
            if name == "id":
                self.ids.append(value or "")


def test_the_page_stands_alone_and_escapes() -> None:
    page = render(make_board())
    read = Reader(page)
    assert read.tags.count("script") == 1 and read.tags.count("style") == 1
    assert not {"img", "link", "iframe", "object", "base", "form"} & set(read.tags)
    assert read.handlers == []
    assert all(link.startswith("#") for link in read.links)  # matplotlib's own marks, in the page itself
    assert not re.findall(r"url\((?!#)", page)
    assert "&lt;script&gt;document.title" in page and "&lt;b&gt;box" in page
    assert "default-src &#39;none&#39;" in page and "unsafe" not in page


def test_ids_in_the_page_are_one_each() -> None:
    """Except matplotlib's markers and clip paths, whose ids are hashes of their content."""
    page = render(wide_board())
    ids = Reader(page).ids
    assert {"table-1", "table-2", "rivals-1", "rivals-2"} <= set(ids) and page.count("Probability of improvement") == 2
    assert [name for name in ids if ids.count(name) > 1 and not re.fullmatch(r"[mp][0-9a-f]{10}", name)] == []


def wide_board() -> Board:
    """Two sections, of six environments and of two, and two agents with several training runs."""
    names = ("RolledBehind", "Cups", "Rex", "Bedroom", "Tunnel", "Tally", "Unblock", "Detour")
    agents = [("gru-mapper", "model-free"), ("gru-ppo", "model-free")]
    results, arenas, maps = {}, [Arena(name, name, 1, 0.0, 1.0) for name in names], {}
    for arena in arenas:
        maps[arena.key] = MapError(0.07, 1.06, 9)
        for agent, kind in agents:
            for run in range(2):
                results[Contestant(f"{agent}{arena.id}{run}", agent, agent, kind, arena, run)] = outcomes(50 + run)
    sections = boards.sections(agents, arenas, results)
    return Board(asdict(PROTOCOL) | {"id": "p"}, 100, sections, [], {"gru-mapper": maps}, {}, {})


@pytest.mark.parametrize("columns", ["80", "120"])
def test_in_a_file_nothing_of_a_wide_table_is_cut(
    columns: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    report.print_board(wide_board(), tmp_path / "index.html")
    out = capsys.readouterr().out
    tables = out.split("Score: mean return")[0]
    assert tables.count("gru-mapper") == tables.count("gru-ppo") == 2 and "…" not in tables
    assert tables.count("last seen 1.06 m") == 8


def test_a_terminal_that_is_too_narrow_shows_no_maps(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("COLUMNS", "125")
    monkeypatch.setenv("FORCE_COLOR", "1")
    report.print_board(wide_board(), tmp_path / "index.html")
    tables = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out).split("Score: mean return")[0]
    assert tables.count("gru-mapper") == 2 and "last seen" not in tables and "…" not in tables


def test_the_page_repeats_byte_for_byte() -> None:
    assert render(make_board()) == render(make_board())


def test_pictures_take_the_colours_of_the_page() -> None:
    page = render(make_board())
    assert "var(--c4)" in page and not re.search(r"#0000\d\d\b", page)


def test_a_board_of_one_reference_is_a_page_too() -> None:
    results = {Contestant("r", "random", "random", "reference", ARENAS[1], UNTRAINED): outcomes(9)}
    sections = boards.sections([("random", "reference")], ARENAS[1:2], results)
    page = render(Board(asdict(PROTOCOL) | {"id": "p"}, 100, sections, [], {}, {}, {}))
    assert 'id="learning"' not in page and "random" in page


def test_many_environments_are_shown_by_group_and_level() -> None:
    names = ("RolledBehind", "Cups", "Rex", "Unblock", "Dosing")
    arenas = [Arena(f"{name}{level}", name, level, 0.0, 1.0) for name in names for level in (1, 2)]
    results = {Contestant(f"r{a.id}", "random", "random", "reference", a, UNTRAINED): outcomes(9) for a in arenas}
    for arena in arenas[:2]:
        results[Contestant(f"m{arena.id}", "mapper", "mapper", "model-based", arena, 0)] = outcomes(80)
    agents = [
        ("mapper", "model-based"),
        ("random", "reference"),
        ("dqn", "model-free"),
    ]  # dqn was asked for, and has no run
    found = boards.sections(agents, arenas, results)
    assert [(s.title, [a.key for a in s.arenas]) for s in found] == [
        ("Object permanence", [f"{name}/{level}" for name in names[:3] for level in (1, 2)]),
        ("Planning", ["Unblock/1", "Unblock/2"]),
        ("Industry", ["Dosing/1", "Dosing/2"]),
    ]
    rows = [[entry.name for entry in section.entries] for section in found]
    assert rows == [["random", "dqn", "mapper"], ["random", "dqn"], ["random", "dqn"]]
    more = [*arenas, Arena("t1", "Tally", 1, 0.0, 1.0), Arena("p", "Tally", "a-preset")]
    titles = [section.title for section in boards.sections(agents, more, results)]
    permanence = ["Object permanence, level 1", "Object permanence, level 2", "Object permanence, a-preset"]
    assert titles == [*permanence, "Planning", "Industry"]
    one = boards.sections(agents, arenas[:6], results)
    assert [section.title for section in one] == ["RolledBehind and Cups and Rex"]
    board = Board(asdict(PROTOCOL) | {"id": "p"}, 100, found, [], {}, {}, {})
    assert render(board).count("<table") == report.markdown(board).count("\n### ") + 1 == 3


def dump(page: str, folder: Path) -> tuple[str, str]:
    """The document after a browser has run it, and the browser's error messages."""
    (folder / "page.html").write_text(page, encoding="utf-8")
    flags = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    more = "--disable-component-update --disable-sync --enable-logging=stderr --v=0 --dump-dom"
    words = ["chromium", *flags.split(), *more.split(), f"--user-data-dir={folder / 'profile'}"]
    run = subprocess.run([*words, (folder / "page.html").as_uri()], capture_output=True, text=True)
    return run.stdout, run.stderr


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium")
def test_in_a_browser(tmp_path: Path) -> None:
    page = render(make_board())
    document, complaints = dump(page, tmp_path)
    assert "<title>unseen: leaderboard</title>" in document  # no hostile name has changed it
    assert "Content Security Policy" not in complaints  # the page keeps its own rules
    foreign = "<script>document.title = 'foreign'</script></body>"
    document, complaints = dump(page.replace("</body>", foreign), tmp_path)
    assert "<title>unseen: leaderboard</title>" in document and "Content Security Policy" in complaints

    free = re.sub(r"<meta http-equiv[^>]*>", "", page)
    press = "<script>document.querySelectorAll('thead button')[2].click()</script></body>"
    rows = [row_scores(dump(free.replace("</body>", press * times), tmp_path)[0]) for times in (1, 2)]
    assert rows == [[0.9, 0.1], [0.1, 0.9]]


def row_scores(document: str) -> list[float]:
    """Level 1 of the references, as the rows stand."""
    rows = document.split("<tbody")[1].split("</tbody")[0].split("<tr class")[2:]
    return [float(row.split("<td")[2].split('data-value="')[1].split('"')[0]) for row in rows]


def test_nothing_depends_on_global_random_numbers() -> None:
    np.random.seed(0)
    first = render(make_board())
    np.random.seed(1)
    assert render(make_board()) == first


def test_the_table_for_a_readme() -> None:
    lines = report.markdown(make_board()).splitlines()
    rows = [line for line in lines if line.startswith("|")]
    assert len(rows) == 2 + 5 and {row.replace("\\|", "").count("|") for row in rows} == {8}
    assert any(
        row.startswith("| mapper | .70 (.60–.80)") and "150 k steps, 6 k episodes, 10 min | 0.041 ms |" in row
        for row in rows
    )
    assert "<script" not in "\n".join(rows)
