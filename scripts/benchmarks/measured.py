"""What all measurements share: the networks of Figure 1, times, rates, tables in Markdown."""

from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int

from learnability.domains.hypercube import Hypercube
from learnability.kernels.fully_connected import FullyConnected

Row = dict[str, Any]  # of a table, {column: value}
TrainingSets = tuple[
    Int[np.ndarray, " networks"], Float[np.ndarray, "networks n dim"], Float[np.ndarray, "networks n outputs"]
]
WIDTH = 500
NETWORK = FullyConnected(4, "relu", 1.4, 0.1)
CUBE = Hypercube(dim=8)
TRAIN_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)  # of Figure 1
DEGREES = (0, 1, 3, 8)


def seconds(work: Callable[[], object], repeats: int = 1) -> float:
    """Least wall time of a call, after one call to warm up when it is repeated; a GPU's queue is waited for."""
    times = []
    for _ in range(repeats + (repeats > 1)):
        synchronize()
        began = perf_counter()
        work()
        synchronize()
        times.append(perf_counter() - began)
    return min(times)


def synchronize() -> None:
    """Wait until the GPU, if there is one, has done what it was asked for."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def problem(degrees: Sequence[int], train_size: int, seeds: Sequence[int]) -> TrainingSets:
    """Training sets of Figure 1 as `fit` takes them, degrees fast, seeds slow.

    Returns
    -------
    x (networks, n, 8), y (networks, n, 1), all points, seeds (networks,)
    """
    targets = [CUBE.parity(degree) for degree in degrees]
    samples = [CUBE.sample(train_size, seed) for seed in seeds]
    x = np.repeat(np.stack([x for x, _ in samples]), len(targets), axis=0)
    y = np.stack([target(x, i) for x, i in samples for target in targets])[..., None]
    return x, y, CUBE.points, np.repeat(seeds, len(targets))


def matrix_rate(device: str = "cpu", networks: int = 8) -> float:
    """Measured rate of single-precision batched matrix products, operations per second."""
    a, b = (torch.randn(networks, rows, WIDTH, device=device) for rows in (256, WIDTH))
    return 2 * networks * 256 * WIDTH**2 / seconds(lambda: torch.bmm(a, b), 10)


def operations_per_step(train_size: int, width: int = WIDTH) -> int:
    """Matrix-product operations of one step of gradient flow on one network, n x n eigenproblem left out.

    Hidden products: forward and backward at the middle of the step, two updates, one forward at its end; then one
    product of inputs and one of signals per layer for the tangent kernel.
    """
    hidden = (NETWORK.depth - 1) * 2 * train_size * width**2
    return 5 * hidden + NETWORK.depth * 2 * 2 * train_size**2 * width


def markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """A table in Markdown of rows {column: value}, which have the same columns."""

    def cell(value: Any) -> str:
        return f"{value:.3g}" if isinstance(value, float | np.floating) else str(value)

    lines = [list(rows[0]), ["---"] * len(rows[0]), *([cell(value) for value in row.values()] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def within(rows: Sequence[Row], factor: float = 1.5) -> int:
    """How many rows have an expected time that is the measured one up to a factor.

    Examples
    --------
    >>> within([{"ratio": 0.7}, {"ratio": 1.6}])
    1
    """
    return sum(1 / factor <= row["ratio"] <= factor for row in rows)
