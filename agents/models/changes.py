"""A table of the distinct changes that occur in data. A model that predicts one of them, as a class, makes exact roll-outs."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

MIN_COUNT = 2  # a change that occurs less often gets no class
FEW = 24  # above this number of distinct changes, NEAR_IF_MANY applies instead of NEAR
NEAR, NEAR_IF_MANY = 0.01, 0.05  # changes within this L1 distance share a class
NEVER = -1e3  # logit of a class that is not in use
IGNORED = -100  # label where the class is not known: excluded from the loss


class Changes(nn.Module):
    """A table of at most `most` changes of width k. Changes are added, and never removed.

    Attributes:
        codes: (most, k).
        known: (most,) bool, the code is in use.
        rough: () bool, there are so many distinct changes that a code stands for all within `NEAR_IF_MANY`.
    """

    codes: Tensor
    known: Tensor
    rough: Tensor

    def __init__(self, most: int, width: int) -> None:
        super().__init__()
        self.register_buffer("codes", torch.zeros(most, width))
        self.register_buffer("known", torch.zeros(most, dtype=torch.bool))
        self.register_buffer("rough", torch.zeros((), dtype=torch.bool))

    @torch.no_grad()
    def extend(self, changes: Tensor) -> None:
        """Add the changes (N, k) that are not near a code yet, the most frequent first, until the table is full."""
        if not len(changes):
            return
        found, counts = distinct(changes)
        self.rough |= len(found) > FEW
        near = NEAR_IF_MANY if self.rough else NEAR
        n = int(self.known.sum())
        for change in found[counts >= MIN_COUNT].to(self.codes):
            if n == len(self.codes):
                return
            if n and float((self.codes[:n] - change).abs().sum(-1).min()) <= near:
                continue
            self.codes[n], self.known[n] = change, True
            n += 1

    def nearest(self, changes: Tensor) -> Tensor:
        """Index (N,) of the code nearest to each change (N, k)."""
        apart = (changes[:, None] - self.codes).abs().sum(-1)
        return torch.where(self.known, apart, torch.inf).argmin(-1)

    def masked(self, logits: Tensor) -> Tensor:
        """Logits (..., most), set to `NEVER` for classes that are not in use."""
        return torch.where(self.known, logits, NEVER)


def cross_entropy(logits: Tensor, label: Tensor) -> Tensor:
    """Mean cross-entropy of logits (N, classes) for labels (N,) that are not `IGNORED`; 0 if all are."""
    total = F.cross_entropy(logits, label, ignore_index=IGNORED, reduction="sum")
    return total / (label != IGNORED).sum().clamp(min=1)


def distinct(changes: Tensor) -> tuple[Tensor, Tensor]:
    """Changes (N, k) grouped by their values to 3 decimals: the mean of each group (m, k), the largest group first; and counts (m,)."""
    flat = changes.double().cpu()
    _, inverse, counts = np.unique(np.round(flat.numpy(), 3), axis=0, return_inverse=True, return_counts=True)
    total = torch.zeros(len(counts), flat.shape[1], dtype=flat.dtype)
    total.index_add_(0, torch.from_numpy(inverse.reshape(-1)), flat)
    order = torch.from_numpy(np.argsort(-counts, kind="stable"))
    tally = torch.from_numpy(counts)
    return (total / tally[:, None])[order].float(), tally[order]
