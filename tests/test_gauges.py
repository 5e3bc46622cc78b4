"""Rendering of tasks without a room: history, hidden values, and playing."""

from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pygame
import pytest

from unseen.envs.core.device import device
from unseen.envs.core.env import TaskEnv
from unseen.envs.core.params import Params, integer
from unseen.envs.core.sensor import Part, Sensor
from unseen.envs.core.task import FLOAT, INT, Task, record
from unseen.envs.core.view import Gauge, Gauges, Imagined
from unseen.envs.watch import theme
from unseen.envs.watch.curves import number, ticks
from unseen.envs.watch.gauges import GaugePainter
from unseen.envs.watch.painter import CARD
from unseen.envs.watch.play import NotPlayable, PlayConfig, keys_to_action, play

STATE = record(("level", FLOAT), ("inflow", FLOAT), ("blind", INT))


@device
def reset(s, p):
    s.level = 1.0
    s.inflow = 0.0
    s.blind = 0
    return True


@device
def step(s, a, p, info):
    s.inflow = a[0]
    s.level += 0.2 * a[0]
    s.blind = 1 if s.t > 3 else 0
    return 0.0, s.t >= p.steps, False


@device
def write_level(s, p, o):
    o[0] = 0.0 if s.blind != 0 else s.level


class TankParams(Params):
    steps: int = integer(1, 100_000, default=20, doc="steps of an episode")

    @property
    def horizon(self) -> int:
        return self.steps


class Tank(Task):
    """Hold the level of a tank whose gauge fails. Continuous, and without keys."""

    title = "hold the level"
    params = TankParams
    state = STATE
    sensors: ClassVar[dict[str, Sensor]] = {"gauge": Sensor(write_level, parts=lambda p: [Part("level", 1, 0, 5, "m")])}
    levels: ClassVar[dict[int, TankParams]] = {2: TankParams()}
    action_low, action_high = (-1.0,), (1.0,)
    reset, step = reset, step
    view: ClassVar[Gauges] = Gauges(
        gauges=(
            Gauge(
                "level", lambda s, p: s["level"], 0, 4, "m",
                hidden=lambda s, p: bool(s["blind"]), target=lambda s, p: (1.0, 2.0),
            ),
        ),
        controls=(Gauge("inflow", lambda s, p: s["inflow"], -1, 1, "m3/s"),),
        request="hold the level between 1 and 2 m",
        caption=lambda s, p: "The gauge has failed." if s["blind"] else "",
        succeeded=lambda s, p: bool(1 <= s["level"] <= 2),
    )  # fmt: skip


def a_record(t: int, level: float = 1.0, **fields: Any) -> np.void:
    s = np.zeros(1, STATE)[0]
    s["t"], s["level"] = t, level
    for name, value in fields.items():
        s[name] = value
    return s


def painted(painter: GaugePainter, records: list[np.void], steps: int = 20, task: type[Task] = Tank) -> np.ndarray:
    """The last picture of a sequence of records."""
    return [painter.frame(s, TankParams(steps=steps), task) for s in records][-1]


RISE = [a_record(t, 1 + 0.2 * t) for t in range(8)]


def differ(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(height, width) bool: where two pictures differ."""
    return np.any(a != b, axis=2)


def test_a_curve_holds_what_was_drawn_since_the_reset() -> None:
    painter = GaugePainter()
    long = painted(painter, RISE)
    assert long.shape == (600, 960, 3) and long.dtype == np.uint8
    assert differ(long, painted(GaugePainter(), RISE[-1:]))[64:526, :640].any(), "the past is drawn"
    assert np.array_equal(long, painted(painter, RISE[-1:])), "the same step again changes nothing"
    assert np.array_equal(painted(GaugePainter(), RISE[:1]), painted(painter, RISE[:1])), "a reset begins anew"


def test_a_restored_step_and_an_end_begin_anew() -> None:
    back, ended = GaugePainter(), GaugePainter()
    painted(back, RISE)
    painted(ended, [*RISE[:2], a_record(2, done=1)])
    assert np.array_equal(painted(back, RISE[3:4]), painted(GaugePainter(), RISE[3:4]))
    assert np.array_equal(painted(ended, RISE[5:6]), painted(GaugePainter(), RISE[5:6]))


def test_what_is_hidden_is_shown_to_the_human_and_not_to_a_player() -> None:
    """With `hidden=False` the picture is the same whatever the hidden values are."""
    low = [*RISE[:3], *(a_record(t, 0.5, blind=1) for t in range(3, 8))]
    high = [*RISE[:3], *(a_record(t, 3.5, blind=1) for t in range(3, 8))]
    assert np.array_equal(*(painted(GaugePainter(hidden=False), past) for past in (low, high)))
    assert differ(*(painted(GaugePainter(), past) for past in (low, high))).any()
    seen = [a_record(t, s["level"]) for t, s in enumerate(low)]
    assert differ(painted(GaugePainter(), low), painted(GaugePainter(), seen))[450:540, 660:].any(), "the key says so"


def test_a_hidden_curve_is_dashed() -> None:
    flat, blind = [a_record(t, 3.0) for t in range(16)], [a_record(t, 3.0, blind=int(t > 0)) for t in range(16)]
    solid, dashed = (painted(GaugePainter(), past) for past in (flat, blind))
    ground = painted(GaugePainter(hidden=False), blind)
    row = int(np.argmax(differ(dashed, ground)[90:500, 100:400].sum(axis=1))) + 90
    on = differ(dashed, ground)[row, 100:400]
    assert 0.3 < on.mean() < 0.8 and np.count_nonzero(np.diff(on.astype(int)) > 0) > 10, "dash, gap, dash"
    assert differ(solid, ground)[row, 100:400].all()


def test_the_target_the_controls_and_the_caption_are_shown() -> None:
    plain = type("Plain", (Tank,), {"view": Gauges(gauges=(Gauge("level", lambda s, p: s["level"], 0, 4, "m"),))})
    assert differ(painted(GaugePainter(), RISE), painted(GaugePainter(), RISE, task=plain))[100:500, 64:300].any()
    bars = [painted(GaugePainter(), [a_record(0, inflow=v)])[140:200, 672:936] for v in (-0.5, 0.0, 0.5)]
    assert [np.all(bar == theme.MIND, axis=2).any() for bar in bars] == [False, False, True]
    assert [np.all(bar == theme.PHASE["observe"], axis=2).any() for bar in bars] == [True, False, False]
    said, silent = (painted(GaugePainter(), [a_record(0, 1.0, blind=k)]) for k in (1, 0))
    assert differ(said, silent)[96:130, 672:936].any()


def viewed(**changes: Any) -> type[Task]:
    """Tank with another view."""
    return type("Tank", (Tank,), {"view": replace(Tank.view, **changes)})


def test_a_single_reading_between_blind_times_is_a_point() -> None:
    blind = [a_record(t, 3.0, blind=1) for t in range(10)]
    one = [*blind[:5], a_record(5, 3.0), *blind[6:]]
    with_reading, without = (painted(GaugePainter(hidden=False), past) for past in (one, blind))
    assert 9 < differ(with_reading, without)[90:500, 64:640].sum() < 200


def test_bars_have_the_height_of_their_values() -> None:
    bars = viewed(gauges=(replace(Tank.view.gauges[0], bars=True, target=None, hidden=lambda s, p: False),))
    low, high = (painted(GaugePainter(), [a_record(t, v) for t in range(6)], task=bars) for v in (1.0, 3.0))
    rows = [np.flatnonzero(np.any(differ(low, high)[90:500, 100:200], axis=1))]
    assert len(rows[0]) > 150, "two of four metres"


def test_an_appointment_is_a_line_with_a_name_at_its_time() -> None:
    plain = painted(GaugePainter(), RISE)
    pictures = [painted(GaugePainter(), RISE, task=viewed(appointment=lambda s, p, k=k: (k, "end"))) for k in (12, 16)]
    lines = [np.flatnonzero(differ(picture, plain)[100:480, 64:640].sum(axis=0) > 300) for picture in pictures]
    assert [0 < len(line) < 6 for line in lines] == [True, True]
    assert lines[1].mean() - lines[0].mean() == pytest.approx(4 / 20 * 568, abs=4)
    assert differ(pictures[0], plain)[505:532, 300:500].any(), "its name is below the axis"
    none = painted(GaugePainter(), RISE, task=viewed(appointment=lambda s, p: None))
    assert np.array_equal(none, plain)


def test_time_is_told_in_the_unit_of_the_view() -> None:
    minutes = painted(GaugePainter(), RISE, task=viewed(time=("min", 0.5)))
    changed = differ(minutes, painted(GaugePainter(), RISE))
    assert changed[505:532, 40:640].any() and not changed[90:500, 64:640].any()


@pytest.mark.parametrize(("level", "rgb"), [(1.5, theme.GOOD), (3.5, theme.BAD)])
@pytest.mark.parametrize("card", [False, True])
def test_an_end_is_called_what_it_was(level: float, rgb: theme.RGB, card: bool) -> None:
    painter = GaugePainter(*CARD) if card else GaugePainter()
    draw = painter.card if card else painter.frame
    image = draw(a_record(20, level, done=1), TankParams(), Tank)
    assert np.count_nonzero(np.all(image == rgb, axis=2)) > 1000
    assert not np.any(np.all(draw(a_record(3, 0.2), TankParams(), Tank) == rgb, axis=2))


def test_an_end_may_be_neither_success_nor_failure() -> None:
    view = Gauges(gauges=Tank.view.gauges)
    image = GaugePainter().frame(a_record(20, done=1), TankParams(), type("Plain", (Tank,), {"view": view}))
    assert np.count_nonzero(np.all(image == theme.MUTED, axis=2)) > 1000


@pytest.mark.parametrize("size", [(480, 300), (1280, 800), (640, 640)])
@pytest.mark.parametrize("n", [1, 5, 8])
def test_any_size_and_number_of_gauges(size: tuple[int, int], n: int) -> None:
    task = type("Many", (Tank,), {"view": Gauges(gauges=Tank.view.gauges * n, controls=Tank.view.controls * n)})
    frames = [painted(GaugePainter(*size), RISE[: k + 1], task=task) for k in (0, 7)]
    assert frames[0].shape == (size[1], size[0], 3) and differ(*frames).any()
    assert GaugePainter(*size).card(RISE[0], TankParams(), task).shape == (size[1], size[0], 3)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300, -5.0])
def test_values_off_the_axis_and_no_numbers_are_survived(value: float) -> None:
    image = painted(GaugePainter(), [*RISE[:3], a_record(3, value), *RISE[4:]])
    assert differ(image, painted(GaugePainter(), RISE)).any()


def test_a_long_episode_is_shown_in_a_part_of_its_time_axis() -> None:
    """Eight steps of 100,000 are no wider than a point, and in a part of the axis they are."""
    past = [a_record(t, 3.0) for t in range(0, 200, 5)]
    image = painted(GaugePainter(), past, steps=100_000)
    changed = np.flatnonzero(differ(image, painted(GaugePainter(), past[-1:], steps=100_000))[90:500].any(axis=0))
    assert np.ptp(changed) > 200


def test_round_numbers() -> None:
    assert ticks(0, 8, 4) == [0, 2, 4, 6, 8]
    assert ticks(-1, 1, 4) == [-1, -0.5, 0, 0.5, 1]
    assert ticks(36.1, 37.4, 4) == pytest.approx([36.5, 37.0])
    assert [number(v) for v in (0.0, 3.14159, 999.7, 1234.5, 2e9, np.nan)] == [
        "0",
        "3.14",
        "1,000",
        "1,234",
        "2e+09",
        "-",
    ]


def test_an_environment_is_drawn_by_the_painter_that_its_view_names() -> None:
    env = TaskEnv(Tank, render_mode="rgb_array", show_hidden=True)
    env.reset(seed=1)
    frames = [env.render()]
    for _ in range(4):
        env.step(np.array([1.0], np.float32))
        frames.append(env.render())
    records = [a_record(t, 1 + 0.2 * t, inflow=float(t > 0), blind=int(t > 3)) for t in range(5)]
    assert np.array_equal(frames[-1], painted(GaugePainter(), records))
    assert not np.shares_memory(frames[0], frames[1])
    env.close()


def test_a_task_without_keys_is_refused_with_the_reason() -> None:
    with pytest.raises(NotPlayable, match="Tank has no keys: it cannot be played by keyboard"):
        keys_to_action(Tank)
    with pytest.raises(NotPlayable, match="Tank has no keys"):
        play(PlayConfig(f"{Path(__file__)}:Tank"))
    assert not pygame.display.get_init(), "before a window opens"
    with pytest.raises(NotPlayable, match="Tank has no keys"):
        TaskEnv(Tank).get_keys_to_action()


# --- imagination ---


SENSED = viewed(gauges=(replace(Tank.view.gauges[0], sensed=lambda obs: obs[..., 0]),))


def imagining(rows: Any, ahead: Any = None) -> Imagined:
    """Roll-outs (R, H) of the level."""
    obs = np.array(rows, dtype=float)[None, :, :, None]
    h = obs.shape[2]
    none, ones = np.zeros((1, h, 0)), np.ones((1, h))
    return Imagined(none[..., None], none, ones, ones, obs=obs, ahead=None if ahead is None else np.array([ahead]))


def fan(found: Imagined | None, hidden: bool = True, blind: int = 0, task: type[Task] = SENSED) -> np.ndarray:
    painter = GaugePainter(hidden=hidden)
    for s in RISE[:-1]:
        painter.frame(s, TankParams(), task)
    return painter.frame(a_record(7, 2.4, blind=blind), TankParams(), task, imagined=found)


def test_roll_outs_are_drawn_from_now_on_and_named() -> None:
    plain, drawn = fan(None), fan(imagining([[2.5, 2.6, 2.7], [2.3, 2.0, 1.6]]))
    changed = differ(plain, drawn)
    across = np.flatnonzero(changed[64:526, :640].any(axis=0))
    now, end = (60 + 6 + step / 20 * (580 - 12) for step in (7, 10))
    assert now - 8 < across.min() and end - 4 < across.max() < end + 4, "from the present step to the third after it"
    assert changed[500:545, 660:940].any(), "the key says so"
    assert not changed[64:440, 660:].any()
    assert differ(drawn, fan(imagining([[2.5, 2.6, 2.7], [2.3, 2.3, 2.3]])))[64:526, :640].any()


def test_the_time_of_roll_outs_is_that_of_the_environment() -> None:
    rows = [[2.5, 2.6, 2.7]]
    plain = fan(None)
    ends = [np.flatnonzero(differ(plain, fan(found))[64:526, :640].any(axis=0)).max() for found in
            (imagining(rows), imagining(rows, [1, 2, 3]), imagining(rows, [3, 7, 11]))]  # fmt: skip
    assert ends[0] == ends[1] and ends[2] - ends[1] == pytest.approx(8 / 20 * 568, abs=3)


def test_what_is_not_told_is_not_drawn() -> None:
    plain, nothing = fan(None), imagining(np.full((2, 3), np.nan))
    assert np.array_equal(plain, fan(nothing))
    assert np.array_equal(fan(None, task=Tank), fan(imagining([[2.5, 2.6]]), task=Tank)), (
        "no observation tells this gauge"
    )
    single = imagining([[np.nan, 3.5, np.nan]])
    assert differ(plain, fan(single))[64:526, :640].any(), "a reading between two blind times"


@pytest.mark.parametrize("hidden", [False, True])
def test_roll_outs_start_where_the_agent_last_sensed_the_value(hidden: bool) -> None:
    """Where the hidden value is now does not show in them."""
    found = imagining([[2.5, 3.0]])
    pictures = []
    for level in (0.4, 3.8):
        painter = GaugePainter(hidden=hidden)
        for s in (*RISE[:4], *(a_record(t, level, blind=1) for t in range(4, 7))):
            painter.frame(s, TankParams(), SENSED)
        pair = [painter.frame(a_record(7, level, blind=1), TankParams(), SENSED, imagined=i) for i in (None, found)]
        pictures.append(differ(*pair)[64:526, 275:640])
    assert pictures[0].any() and np.array_equal(*pictures)


def test_the_time_axis_is_long_enough_for_roll_outs() -> None:
    record, params = a_record(100, 2.0), TankParams(steps=400)
    axes = []
    for found in (None, imagining([np.linspace(2, 3, 160)])):
        painter = GaugePainter()
        axes.append(painter.frame(record, params, SENSED, imagined=found))
        assert np.array_equal(axes[-1], painter.frame(record, params, SENSED, imagined=found))
    assert differ(*axes)[500:540, 60:640].any()


@pytest.mark.parametrize("size", [(300, 200), (1280, 800)])
def test_bars_and_cards_show_roll_outs(size: tuple[int, int]) -> None:
    task = viewed(gauges=(replace(SENSED.view.gauges[0], bars=True),))
    for kind in ("frame", "card"):
        pictures = [getattr(GaugePainter(*size), kind)(RISE[3], TankParams(), task, imagined=found) for found in
                    (None, imagining([[1.0, 3.0, 2.0], [2.0, 2.5, 3.0]]))]  # fmt: skip
        assert differ(*pictures).any()
