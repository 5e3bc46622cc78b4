"""A table of the distinct changes that occur in data, so that a model can predict a class and its roll-outs stay exact."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

MIN_COUNT = 2  # a change seen less often gets no class of its own
FEW = 24  # with more distinct changes than this, similar ones share a class
NEAR, NEAR_IF_MANY = 0.01, 0.05  # changes of no larger L1 distance share a class
NEVER = -1e3  # logit of a class that is not in use
IGNORED = -100  # label of what is not known: a class is not learned from it


class Changes(nn.Module):
    """At most `most` changes of width k; those found stay.

    Attributes:
        codes: (most, k).
        known: (most,) bool, the code is in use.
        rough: bool, changes have been found that are near a code only roughly, within `NEAR_IF_MANY`.
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
        """Add the changes (N, k) that are not yet near a code, the most frequent first, as far as there is room."""
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
        """Logits (..., most), with those of classes that are not in use at `NEVER`."""
        return torch.where(self.known, logits, NEVER)


def distinct(changes: Tensor) -> tuple[Tensor, Tensor]:
    """Distinct changes to 3 decimals, means of their members (m, k), the most frequent first; and counts (m,)."""
    flat = changes.double().cpu()
    _, inverse, counts = np.unique(np.round(flat.numpy(), 3), axis=0, return_inverse=True, return_counts=True)
    total = torch.zeros(len(counts), flat.shape[1], dtype=flat.dtype)
    total.index_add_(0, torch.from_numpy(inverse.reshape(-1)), flat)
    order = torch.from_numpy(np.argsort(-counts, kind="stable"))
    tally = torch.from_numpy(counts)
    return (total / tally[:, None])[order].float(), tally[order]
