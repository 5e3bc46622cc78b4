"""`unseen gallery`: record a short film of every environment, and write a page that shows them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from unseen.agents.load import list_runs, load_agent
from unseen.agents.protocol import Agent
from unseen.agents.roster import ROSTER
from unseen.agents.shared.envs import EnvConfig, has_reference
from unseen.envs import suite
from unseen.envs.core.vector_env import TaskVectorEnv
from unseen.train.film import FilmError, Shot, check_target, save_film
from unseen.train.progress import Progress
from unseen.train.rollout import make_env_for
from unseen.train.watch import END_SECONDS, STEP_SECONDS, WatchedStep, interpolate, painter_of, watched_steps

__all__ = ["GalleryConfig", "gallery"]

BYTES = 300_000
"""Maximum size of a film. A larger one is encoded again with fewer and smaller frames."""
LONGEST = 110  # steps to show one by one; of a longer episode only some are shown
SIZES = (
    (3, 1.0, LONGEST),
    (2, 1.0, LONGEST),
    (2, 0.85, LONGEST),
    (1, 0.85, LONGEST),
    (1, 0.85, 70),
    (1, 0.7, LONGEST),
    (1, 0.55, LONGEST),
)  # (frames per step, scale, steps to show at most), in order of preference
TRIES = 12  # seeds to search for a successful episode
SHOWABLE = 0.8  # minimum mean return of an agent to be shown
HORIZON = 12  # imagined steps to draw
LONG_PACE = 2.0  # how much faster a long episode is played when LONGEST of its steps are shown


@dataclass(frozen=True)
class GalleryConfig:
    """What to record, and where to store it."""

    env: Annotated[Positional[str | None], arg(help_behavior_hint="")] = None
    """record only this environment"""
    out: Path = Path("docs/media/gallery")
    """folder for the films"""
    page: Path = Path("docs/gallery.md")
    """Markdown page that shows the films"""
    level: Annotated[int | str | None, arg(metavar="LEVEL", help_behavior_hint="")] = None
    """level; by default that of the best included agent above level 0, or the environment's default level"""
    seed: int = 0
    """first seed of the search for a successful episode"""
    split: str = "test"
    """seed split: train, test or shift"""


def gallery(config: GalleryConfig) -> None:
    """Record the environments and write the page. Raises UnknownEnvironment, BadParameter, FilmError."""
    entries = [suite.resolve(config.env)] if config.env else list(suite.SUITE.values())
    for entry in entries:
        check_target(film_path(entry, config))
    with Progress({"films": len(entries)}) as progress:
        for entry in entries:
            print(film_one(entry, config))
            progress.advance("films")
    write_page(config)
    print(f"wrote {config.page}")


def film_one(entry: suite.Entry, config: GalleryConfig) -> str:
    """Record one environment. Returns a line that describes the film."""
    agent, level = best_agent(entry, config.level)
    target = film_path(entry, config)
    env = make_env_for(agent, EnvConfig(entry.name, level, split=config.split), 1)
    assert isinstance(env, TaskVectorEnv)
    try:
        steps = first_success(agent, env, config.seed)
        size = save_small(target, steps, env, f"{agent.name}, level {level}")
    finally:
        env.close()
    return f"wrote {target} ({size / 1e3:.0f} kB): {agent.name}, level {level}, seed {steps[0].seed}"


def film_path(entry: suite.Entry, config: GalleryConfig) -> Path:
    """Path of an environment's film."""
    return config.out / f"{entry.label.lower()}.gif"


def best_agent(entry: suite.Entry, level: int | str | None) -> tuple[Agent, int | str]:
    """The best included agent at the highest level that it solves, and that level; else the tracker (or the oracle).

    Agents with a hindsight map are preferred, then those with a world model, since there is something of theirs to draw.
    """
    levels = [level] if level is not None else [k for k in entry.levels if k > 0]
    runs = [
        ("hindsight" in info.supervision, info.kind == "model-based", run.level, run.card.episode_return, run)
        for name, info in ROSTER.items()
        if info.trainable
        for at in levels
        for run in list_runs(name, entry.name, at)
        if (run.card.episode_return or 0.0) >= SHOWABLE
    ]
    if runs:
        run = max(runs, key=lambda found: found[:4])[-1]
        return load_agent(run.agent, entry.name, run.level, run.seed), run.level
    at = entry.default_level if level is None else level
    name = "tracker" if has_reference(EnvConfig(entry.name, at), "tracker") else "oracle"
    return load_agent(name, entry.name, at), at


def first_success(agent: Agent, env: TaskVectorEnv, seed: int) -> list[WatchedStep]:
    """The first of `TRIES` episodes that ends with a positive reward; if none does, the first one."""
    first: list[WatchedStep] = []
    for k in range(TRIES):
        steps = list(watched_steps(agent, env, seed + k, HORIZON))
        if steps[-1].reward > 0:
            return steps
        first = first or steps
    return first


def save_small(target: Path, steps: list[WatchedStep], env: TaskVectorEnv, message: str) -> int:
    """Write the film, labelled with `message`, in the best quality of at most `BYTES`. Returns its size in bytes."""
    size = 0
    for parts, scale, most in SIZES:
        save_film(target, list(cards(steps, env, parts, scale, most, message)))
        size = target.stat().st_size
        if size <= BYTES:
            break
    return size


def cards(
    steps: list[WatchedStep], env: TaskVectorEnv, parts: int, scale: float, most: int, message: str
) -> Iterator[Shot]:
    """The frames of an episode in card format, `parts` per step; of an episode of more than `most` steps, one of some steps."""
    from unseen.envs.watch.painter import CARD

    painter = painter_of(env, round(CARD[0] * scale), round(CARD[1] * scale))
    every = -(-len(steps) // most)
    for current, record, belief in interpolate(steps, painter, parts if every == 1 else 1):
        if not current.last and int(record["t"]) % every:
            painter.remember(record, env.params, env.task)
            continue
        image = painter.card(record, env.params, env.task, current.reward, belief, current.imagined, message)
        pace = STEP_SECONDS / parts if every == 1 else STEP_SECONDS / LONG_PACE * LONGEST / most
        yield Shot(image, END_SECONDS if current.last else pace)


def write_page(config: GalleryConfig) -> None:
    """Write a table of all environments that have a film in the folder."""
    rows = []
    for entry in suite.SUITE.values():
        film = film_path(entry, config)
        if film.is_file():
            link = Path(os.path.relpath(film, config.page.parent)).as_posix()
            rows.append(f'| **{entry.name}**<br>{entry.group} | {entry.title} | <img src="{link}" width="300"> |')
    text = "\n".join(
        [
            "# Gallery",
            "",
            "Every environment, played by a trained agent if one is included, else by the scripted tracker; the picture says which, and",
            "at which level. The agent cannot see what is shaded, nor the translucent outlines of hidden objects. Recorded by",
            "`unseen gallery`.",
            "",
            "| environment | the task | |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )
    try:
        config.page.parent.mkdir(parents=True, exist_ok=True)
        config.page.write_text(text, encoding="utf-8")
    except OSError as error:
        raise FilmError(f"{config.page}: cannot be written: {error.strerror or error}") from None
