"""What people see of the suite's environments: captions fit their parameters, and what agents are told is drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unseen.agents.load import load_agent
from unseen.agents.shared.envs import EnvConfig
from unseen.envs import suite
from unseen.envs.core.lazy import load
from unseen.envs.planar import palette
from unseen.envs.planar.task import PlanarTask
from unseen.envs.planar.world import ACT, DARK, NIGHT
from unseen.envs.watch.page import Page
from unseen.envs.watch.painter import CARD, FRAME
from unseen.train.gallery import best_agent
from unseen.train.rollout import make_env_for
from unseen.train.watch import watched_steps

EVERY = [(entry.name, level) for entry in suite.SUITE.values() for level in (*entry.task.levels, *entry.task.presets)]


def records(name: str, level: int | str) -> tuple[Any, list[np.void]]:
    """The environment, and the states of an episode played by the tracker."""
    agent = load_agent("tracker", name, level)
    env = make_env_for(agent, EnvConfig(name, level, split="test"), 1)
    return env, [step.record for step in watched_steps(agent, env, 3, 1)]


def said(name: str, level: int | str, phase: str = "") -> list[str]:
    """The captions of an episode, each once, in order; of one phase, without the end, if it is given."""
    env, episode = records(name, level)
    view = env.task.view
    chosen = [s for s in episode if not phase or (view.phase(s).name == phase and not s["done"])]
    return list(dict.fromkeys(view.caption(s, env.params) for s in chosen))


def frame(env: Any, record: np.void, hidden: bool = False, **words: str) -> np.ndarray:
    painter = load(env.task.view.painter)(480, 300, hidden)
    return painter.frame(record, env.params, env.task, **words)


def changed(record: np.void, **fields: Any) -> np.void:
    other = record.copy()
    for field, value in fields.items():
        other[field] = value
    return other


@pytest.mark.parametrize(("name", "level"), EVERY)
def test_captions_fit_and_promise_no_lights_that_stay_off(name: str, level: int | str) -> None:
    env, episode = records(name, level)
    last = env.task.view.caption(episode[-1], env.params)
    assert ("Lights on" in last) == (issubclass(env.task, PlanarTask) and env.params.reveal)
    for caption in {env.task.view.caption(record, env.params) for record in episode}:
        assert caption, "there is always something to say"
        assert len(Page(FRAME, FRAME).wrapped(caption, 15, 424)) <= 2, caption
        assert len(Page(CARD, CARD).wrapped(caption, 13, CARD[0] - 24)) <= 2, caption


def test_captions_follow_the_parameters() -> None:
    blocks = [said("RolledBehind", level, "observe")[0] for level in (1, 3)]
    assert "look alike" not in blocks[0] and "look alike" in blocks[1]
    assert "heard" not in said("RolledBehind", 2, "blackout")[0] and "heard" in said("RolledBehind", 3, "blackout")[0]
    dogs = [said("Rex", level, "observe")[0] for level in (0, 1, 2, 3)]
    assert "always" in dogs[0] and "up close" in dogs[1]
    assert ["meet" in text for text in dogs] == [False, False, True, True]
    assert ["turn back" in text for text in dogs] == [False, False, False, True]
    assert "not where it is" in said("Bedroom", 3, "act")[-1] and "pose" in said("Bedroom", 2, "act")[-1]
    assert "stays on" in said("Bedroom", 0, "observe")[0]
    assert "glass" in said("Cups", 0, "act")[0] and "alike" in said("Cups", 1, "act")[0]
    assert "screen" in said("Cups", 2, "observe")[0] and "No cup moves" in said("Cups", "a-not-b", "observe")[0]
    assert "Red and blue" in said("Tally", 3, "observe")[0] and "Red" not in said("Tally", 2, "observe")[0]
    assert ["night" in text.lower() for text in said("Detour", 3)] == [True, True, False]
    assert "arrow" in said("Detour", 3)[0] and "arrow" not in said("Detour", "night-pocket")[0]
    assert said("Detour", "opaque-barrier")[:2] != said("Detour", "barrier")[:2]
    assert "stripes" in said("Tunnel", 2, "observe")[0] and "stripes" not in said("Tunnel", 1, "observe")[0]
    shut, open_ = said("Tunnel", "lever", "act")
    assert "lever" in shut and "closing" in open_


def test_a_tunnel_shows_what_its_signals_say() -> None:
    env, episode = records("Tunnel", 3)
    record = next(s for s in episode if env.task.view.phase(s).name == "act")
    exits = env.params.exits
    before = frame(env, record)
    for signal in (1, exits + 1):  # the gate of an exit, and the floor of its lane
        other = record.copy()
        other["signal"][signal] *= 0.5
        assert not np.array_equal(before, frame(env, other)), signal
    half, shut = record.copy(), record.copy()
    half["signal"][1], shut["signal"][1] = 0.1, 0.0
    assert not np.array_equal(frame(env, half), frame(env, shut)), "a gate that is shut is crossed out"
    siding = record.copy()
    siding["box_kind"][exits] = 2 - record["box_kind"][exits]
    assert not np.array_equal(before, frame(env, siding)), "the sign of a siding"
    assert np.array_equal(before, frame(env, changed(record, stood_on=1, factor=0.9))), (
        "nothing but the signals is shown"
    )


def test_the_lever_of_a_tunnel_looks_like_one() -> None:
    env, episode = records("Tunnel", "lever")
    block = episode[-1].copy()
    block["box_kind"][env.params.sizes.box_slots - 1] = 0
    assert not np.array_equal(frame(env, episode[-1]), frame(env, block))


def test_a_door_shows_the_way_through_it() -> None:
    env, episode = records("Detour", 3)
    turned = episode[0].copy()
    doors = np.flatnonzero(turned["box_kind"][: turned["n_boxes"]] == 1)
    assert len(doors) == 2
    for field in ("box_cos", "box_sin"):
        turned[field][doors[0]] *= -1
    assert not np.array_equal(frame(env, episode[0]), frame(env, turned))


def test_a_player_who_does_not_sense_the_pose_does_not_see_it() -> None:
    env, episode = records("Bedroom", 3)
    lost = next(s for s in episode if s["phase"] == ACT and s["light"] == DARK)
    moved = changed(lost, agent_x=lost["agent_x"] + 0.4)
    assert np.array_equal(frame(env, lost), frame(env, moved))
    touching = changed(lost, contact=0)
    elsewhere = touching.copy()
    elsewhere["box_x"] *= -1
    assert np.array_equal(frame(env, touching), frame(env, elsewhere))
    assert not np.array_equal(frame(env, lost, hidden=True), frame(env, moved, hidden=True))
    night = changed(lost, light=NIGHT)
    assert not np.array_equal(frame(env, night), frame(env, changed(moved, light=NIGHT)))


@pytest.mark.parametrize("name", ["RolledBehind", "Rex", "Tunnel"])
def test_letters_tell_colours_apart(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    env, episode = records(name, 3)
    first = episode[0]
    other = first.copy()
    other["disc_colour"][:2] = first["disc_colour"][:2][::-1]
    monkeypatch.setattr(palette, "SMALL", [(colour, (128, 128, 128)) for colour, _ in palette.SMALL])
    assert not np.array_equal(frame(env, first), frame(env, other))


def test_what_counts_is_written_as_a_number() -> None:
    env, episode = records("Unblock", 2)
    pushes = [np.round(s["signal"][0] * 12) for s in episode]
    assert pushes[-1] < pushes[0]
    assert not np.array_equal(frame(env, episode[0]), frame(env, changed(episode[0], signal=episode[-1]["signal"])))
    free = suite.make_vec("Unblock", 1, level=1, limited=False, final=False, trap=0.75)
    free.reset(seed=0)
    record = free.world[0].copy()
    assert np.array_equal(frame(free, record), frame(free, changed(record, signal=0.5))), "it gets no such signal"


def test_the_gallery_names_who_plays() -> None:
    """The best trained agent if one is included, else the tracker."""
    shown = [(agent.name, level) for agent, level in (best_agent(suite.resolve(n), None) for n in ("Ramps", "Kiln"))]
    assert shown == [("slot-search", 1), ("tracker", suite.resolve("Kiln").default_level)]
    env, episode = records("Ramps", 2)
    painter = load(env.task.view.painter)(*CARD)
    plain, named = (painter.card(episode[0], env.params, env.task, message=m) for m in ("", "tracker, level 2"))
    assert not np.array_equal(plain, named)
