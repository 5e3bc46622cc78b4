"""SIGReg: keeps embeddings from collapsing, by pulling their distribution towards a standard normal one.

Sketched isotropic Gaussian regularisation (Balestriero and LeCun 2025, LeJEPA): a distribution is an isotropic normal one if all
its projections onto a line are normal. Each of a few random projections is compared by the statistic of Epps and Pulley (1983), the
weighted distance of characteristic functions. Its gradient is bounded, and its cost linear in rows and columns.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

KNOTS = 17  # of the integral
LIMIT = 3.0  # its upper end; beyond, the weight is below 1 %


class SIGReg(nn.Module):
    """The regulariser; 0 for a standard normal distribution, about .4 for a constant one."""

    knots: Tensor
    normal: Tensor
    weights: Tensor

    def __init__(self) -> None:
        super().__init__()
        knots = torch.linspace(0, LIMIT, KNOTS)
        normal = torch.exp(-(knots**2) / 2)  # the characteristic function
        spacing = torch.full((KNOTS,), LIMIT / (KNOTS - 1))
        spacing[[0, -1]] /= 2
        for name, value in (("knots", knots), ("normal", normal), ("weights", 2 * spacing * normal)):
            self.register_buffer(name, value, persistent=False)

    def forward(self, x: Tensor, directions: Tensor) -> Tensor:
        """The mean statistic () of x (n, d) along `directions` (d, slices), of any length, such as normal noise."""
        projected = x @ (directions / directions.norm(dim=0))
        angle = projected[..., None] * self.knots
        distance = (angle.cos().mean(0) - self.normal) ** 2 + angle.sin().mean(0) ** 2
        return (distance @ self.weights).mean()
