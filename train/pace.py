"""How fast a core is. CPU-seconds mean little without it: of the same training, some processors take 2.4 times as many as others."""

from __future__ import annotations

import time

import torch
from torch import Tensor, nn

STEPS, SEQUENCES, UNITS, PASSES, TIMES = 32, 64, 128, 4, 3


def pace() -> float:
    """CPU-seconds that a fixed workload takes on this core: forward and backward passes of a GRU in one thread, the fastest of three times.

    The random number generator of torch is left as it was.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            gru, rows = nn.GRU(UNITS, UNITS), torch.zeros(STEPS, SEQUENCES, UNITS)
        return min(_passes(gru, rows) for _ in range(TIMES))
    finally:
        torch.set_num_threads(threads)


def _passes(gru: nn.GRU, rows: Tensor) -> float:
    started = time.process_time()
    for _ in range(PASSES):
        gru(rows)[0].sum().backward()
    return time.process_time() - started
