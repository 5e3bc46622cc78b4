"""Can the hidden truth be decoded linearly from an agent's memory?

Ridge regression on the latent, at steps at which the truth is hidden, fitted on episodes of the train split and scored on those of the
test split. There are two controls: the present observation, and the latent of an untrained network of the same architecture on the same
episodes, since a random recurrent network retains much of its input.

At later steps, the agent's position may reveal the truth, even in the present observation; at the first hidden step it cannot.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from unseen.agents.errors import BadAgent
from unseen.agents.protocol import Agent
from unseen.agents.roster import ROSTER, learner_class
from unseen.agents.shared.envs import EnvConfig
from unseen.agents.shared.graph_agent import GraphState
from unseen.agents.shared.planning_agent import PlanningAgent, PlanningState
from unseen.envs.errors import UnseenError
from unseen.train.audit.probes import features
from unseen.train.measures.played import Played
from unseen.train.measures.tables import Row, Table, absent

TITLE = "Decoding of what is hidden"
COLUMNS = ("first hidden step", "every hidden step")
SPLITS = ("train", "test")
LATENT, UNTRAINED, PRESENT = "latent", "untrained network", "present observation"
PENALTIES = 10.0 ** np.arange(-2, 6)  # candidate weights of the squared norm, for standardised latents
HELD_OUT = 5  # one in this many training episodes is used to choose the penalty
LEAST = 20  # minimum number of steps in each split


def decoding_table(train: Played, test: Played) -> Table:
    """Scores of linear probes, on recorded episodes of the same agent in the two splits."""
    agent, hidden = test.agent, test.env.task.hidden
    if hidden is None:
        return absent(TITLE, "the environment declares no hidden variable")
    if agent.latent(test.states[0]) is None:
        return absent(TITLE, f"{agent.name} has no memory that it shows as numbers")
    truths, every = zip(*map(_truth, (train, test)), strict=True)
    first = tuple(mask & (mask.cumsum(0) == 1) for mask in every)
    if min(mask.sum() for mask in first) < LEAST:
        return absent(TITLE, "it is hidden in hardly any episode")
    classes = None if hidden.classes is None else int(hidden.classes(test.env.params))
    probes = [_Probe(truths, masks, classes) for masks in (first, every)]

    def row(name: str, *latents: np.ndarray) -> Row:
        return Row(name, tuple(probe.score(*latents) for probe in probes))

    rows = [row(LATENT, *(_latents(agent, played.states) for played in (train, test)))]
    try:
        control = untrained(agent, test.env_config)
        rows.append(row(UNTRAINED, *(_latents(control, _replayed(control, played)) for played in (train, test))))
    except UnseenError as error:
        rows.append(Row(UNTRAINED, why=str(error)))
    rows.append(row(PRESENT, *(np.stack([features(obs) for obs in played.obs]) for played in (train, test))))
    rows.append(Row("most frequent class" if classes else "mean", tuple(probe.base for probe in probes)))
    measure = "R2" if classes is None else f"accuracy among {classes} classes"
    rows += [Row(f"steps, {name}", tuple(int(m[k].sum()) for m in (first, every))) for k, name in enumerate(SPLITS)]
    return Table(TITLE, f"{measure}; fitted on the train split, scored on the test split", COLUMNS, tuple(rows))


def _truth(played: Played) -> tuple[np.ndarray, np.ndarray]:
    """The hidden variable (T, n) or (T, n, size), and whether it is hidden (T, n) bool."""
    batch, truths, masks = played.env.batch, [], []
    for world, live in zip(played.world, played.live, strict=True):
        batch.world[:] = world
        truths.append(batch.hidden())
        masks.append(live & batch.must_hide() & ~batch.found())
    return np.stack(truths), np.stack(masks)


def _latents(agent: Agent, states: list[Any]) -> np.ndarray:
    """Latents (T, n, F) of an agent's memories."""
    found = [agent.latent(state) for state in states]
    return np.stack([latent for latent in found if latent is not None])


def untrained(agent: Agent, env_config: EnvConfig) -> Agent:
    """An untrained agent with the architecture of a stored agent, as its learner initialises it.

    Raises BadAgent, UnknownAgent, MissingExtra or BadCheckpoint if it cannot be made.
    """
    from unseen.agents.onnx.agent import OnnxAgent
    from unseen.agents.onnx.planner import OnnxPlanner

    if not isinstance(agent, OnnxAgent | OnnxPlanner) or agent.card.agent not in ROSTER:
        raise BadAgent("only stored agents whose card names an agent of the roster have one")
    card = agent.card
    env = EnvConfig(env_config.name, env_config.level, card.obs, card.action, overrides=env_config.overrides)
    made = learner_class(card.agent)(env, seed=card.seed or 0, config=card.config).policy()
    if isinstance(made, PlanningAgent):
        made.imagined = 0  # only its memory is used
    made.seed(0)
    return made


def _replayed(agent: Agent, played: Played) -> list[Any]:
    """The memories of an agent that is given the observations and actions of recorded episodes, one for each step."""
    state, states = agent.initial_state(np.arange(played.n, dtype=np.uint64)), []
    for t, obs in enumerate(played.obs):
        first = np.ones(played.n, bool) if t == 0 else played.live[t - 1] & ~played.live[t]
        _, state = agent.act(obs, state, first)
        if isinstance(state, GraphState | PlanningState):
            state = state._replace(last=played.actions[t])
        states.append(state)
    return states


class _Probe:
    """Ridge regression of the truth, for two sets of episodes (train, test).

    Args:
        truths: of each set, (T, n) classes or (T, n, size) vectors.
        masks: of each set, (T, n) bool, the steps to decode at.
        classes: number of classes; None for vectors.
    """

    def __init__(self, truths: tuple[np.ndarray, ...], masks: tuple[np.ndarray, ...], classes: int | None) -> None:
        self.masks, self.classes = masks, classes
        rows = [truth[mask] for truth, mask in zip(truths, masks, strict=True)]
        self.targets = [np.eye(classes)[y] if classes else y.reshape(len(y), -1) for y in rows]
        episode = np.broadcast_to(np.arange(masks[0].shape[1]), masks[0].shape)[masks[0]]
        self.held = episode % HELD_OUT == 0

    @property
    def base(self) -> float:
        """Score on the test split of the best constant prediction on the train split."""
        mean = self.targets[0].mean(0)
        return self._compare(np.broadcast_to(mean, self.targets[1].shape), self.targets[1])

    def score(self, train: np.ndarray, test: np.ndarray) -> float:
        """Score on the test split of a probe on these latents, (T, n, F) for each split."""
        x, y = self._standardised(train, test)
        held, targets = self.held, self.targets[0]
        if held.any() and not held.all():
            tried = [self._compare(p, targets[held]) for p in _ridge(x[~held], targets[~held], x[held], PENALTIES)]
            penalty = PENALTIES[int(np.argmax(tried))]
        else:
            penalty = 1.0
        (predicted,) = _ridge(x, targets, y, [penalty])
        return self._compare(predicted, self.targets[1])

    def _standardised(self, train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x, y = train[self.masks[0]].astype(np.float64), test[self.masks[1]].astype(np.float64)
        mean, std = x.mean(0), x.std(0)
        used = std > 1e-6
        return (x - mean)[:, used] / std[used], (y - mean)[:, used] / std[used]

    def _compare(self, predicted: np.ndarray, targets: np.ndarray) -> float:
        """Accuracy, or R2 averaged over the components that vary."""
        if self.classes:
            return float((predicted.argmax(-1) == targets.argmax(-1)).mean())
        left, total = ((targets - predicted) ** 2).sum(0), ((targets - targets.mean(0)) ** 2).sum(0)
        varies = total > 0
        return float((1 - left[varies] / total[varies]).mean()) if varies.any() else 0.0


def _ridge(x: np.ndarray, y: np.ndarray, at: np.ndarray, penalties: Any) -> list[np.ndarray]:
    """Predictions at `at` (m, k) of ridge regressions of y (n, d) on x (n, k), for each penalty."""
    mean, centre = y.mean(0), x.mean(0)
    values, vectors = np.linalg.eigh((x - centre).T @ (x - centre))
    turned = vectors.T @ ((x - centre).T @ (y - mean))
    return [mean + (at - centre) @ (vectors @ (turned / (values.clip(0) + p)[:, None])) for p in penalties]
