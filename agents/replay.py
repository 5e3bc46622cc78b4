"""Replay of whole episodes, aligned at their openings.

Memory can be learned only from sequences that hold the cue: a sequence therefore starts where its
episode starts. Episodes longer than `longest` are cut, and each later part keeps the latent with
which the agent entered it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass
class Batch:
    """Sequences, time first; rows beyond a sequence's end are zero and have mask 0."""

    obs: Tensor
    """(T, B, d)"""
    action: Tensor
    """(T, B) int64: the action that led to this observation, -1 at an opening"""
    reward: Tensor
    """(T, B): received together with this observation"""
    terminal: Tensor
    """(T, B): 1 where the episode ended for good here (not by a time limit from outside)"""
    mask: Tensor
    """(T, B)"""
    context: Tensor
    """(B, s): latent before the first row; zeros where the episode opens"""
    opening: Tensor
    """(B,): 1 where the sequence starts its episode"""


FIELDS = ("obs", "action", "reward", "terminal")


class Replay:
    """The latest `capacity` steps of `envs` environments, as sequences of at most `longest` steps."""

    def __init__(self, envs: int, obs_dim: int, latent: int, longest: int, capacity: int) -> None:
        self.longest, self.capacity = longest, capacity
        self.sequences: deque[dict[str, np.ndarray]] = deque()
        self.stored = 0
        self.length = np.zeros(envs, np.int64)
        self.open = {
            "obs": np.zeros((envs, longest, obs_dim), np.float32),
            "action": np.zeros((envs, longest), np.int64),
            "reward": np.zeros((envs, longest), np.float32),
            "terminal": np.zeros((envs, longest), np.float32),
        }
        self.context = np.zeros((envs, latent), np.float32)

    def __len__(self) -> int:
        return len(self.sequences)

    def append(
        self,
        obs: np.ndarray,
        action: np.ndarray,
        reward: np.ndarray,
        terminal: np.ndarray,
        done: np.ndarray,
        latent: np.ndarray,
    ) -> None:
        """One step of every environment; `latent` (n, s) is the agent's memory before it saw `obs` (n, d).

        `done` closes the episode after this step.
        """
        rows = np.arange(len(obs))
        starting = self.length == 0
        self.context[starting] = np.where((action >= 0)[:, None], latent, 0.0)[starting]
        for name, value in zip(FIELDS, (obs, action, reward, terminal), strict=True):
            self.open[name][rows, self.length] = value
        self.length += 1
        for i in np.flatnonzero(done | (self.length == self.longest)):
            self._close(i)

    def _close(self, i: int) -> None:
        n = int(self.length[i])
        sequence = {name: self.open[name][i, :n].copy() for name in FIELDS}
        sequence["context"] = self.context[i].copy()
        self.sequences.append(sequence)
        self.stored += n
        self.length[i] = 0
        while self.stored > self.capacity:
            self.stored -= len(self.sequences.popleft()["obs"])

    def sample(self, size: int, rng: np.random.Generator, device: torch.device) -> Batch:
        """`size` sequences drawn uniformly, as long as the longest of them."""
        chosen = [self.sequences[i] for i in rng.integers(len(self.sequences), size=size)]
        length = max(len(s["obs"]) for s in chosen)
        out = {k: np.zeros((length, size, *chosen[0][k].shape[1:]), chosen[0][k].dtype) for k in FIELDS}
        mask = np.zeros((length, size), np.float32)
        for b, sequence in enumerate(chosen):
            n = len(sequence["obs"])
            for name in FIELDS:
                out[name][:n, b] = sequence[name]
            mask[:n, b] = 1
        context = np.stack([s["context"] for s in chosen])
        opening = np.array([s["action"][0] < 0 for s in chosen], np.float32)
        tensors = {k: torch.from_numpy(v).to(device) for k, v in out.items()}
        to = {"mask": mask, "context": context, "opening": opening}
        return Batch(**tensors, **{k: torch.from_numpy(v).to(device) for k, v in to.items()})

    def state(self) -> dict[str, np.ndarray]:
        """Everything, as arrays."""
        state = {f"open.{k}": v for k, v in self.open.items()} | {"open.context": self.context}
        state["open.length"] = self.length
        state["lengths"] = np.array([len(s["obs"]) for s in self.sequences], np.int64)
        for name in FIELDS:
            empty = self.open[name][0, :0]
            state[name] = np.concatenate([empty, *(s[name] for s in self.sequences)])
        state["context"] = np.stack([self.context[0] * 0, *(s["context"] for s in self.sequences)])
        return state

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Take up what `state` gave."""
        for name in FIELDS:
            self.open[name][:] = state[f"open.{name}"]
        self.context[:] = state["open.context"]
        self.length[:] = state["open.length"]
        lengths = state["lengths"]
        ends = np.cumsum(lengths)
        self.sequences = deque(
            {k: state[k][e - n : e].copy() for k in FIELDS} | {"context": state["context"][i + 1].copy()}
            for i, (n, e) in enumerate(zip(lengths, ends, strict=True))
        )
        self.stored = int(lengths.sum())
