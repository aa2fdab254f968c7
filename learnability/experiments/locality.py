r"""How many samples a sum of local functions takes, by a network's locality.

On a ring of d bits the target is f(x) = d^(-1/2) sum_i x_i x_(i+1) ... x_(i+b-1), the parities of b neighbouring bits. A dense
network must tell all parities of b bits apart, of which there are binom(d, b). Convolutions over windows of at least b bits
tell those of windows apart, of which there are of the order of d, and with pooling a single one: the dimension leaves the
exponent if windows are at least as large as the target's (Favero, Cagnetta & Wyart 2021, arXiv 2106.08619; Cagnetta, Favero &
Wyart 2022, arXiv 2208.01003).
"""

import numpy as np
import pandas as pd
from jaxtyping import Float

from ..common.errors import require, whole
from ..common.seeding import stream
from ..domains.hypercube import Hypercube
from ..domains.samples import Samples
from ..kernels import architecture_from
from ..regression.ridge import ridge_regression
from ..spectra.target import Target
from ..tables.means import mean_row, table
from ..theory.finite_population import FinitePopulation
from ..theory.prediction import predict
from .entries import Entry
from .least_size import least_size

LARGEST_DIM = 12  # of rings whose points are listed


def check(dim: int, bits: int = 3, **_: object) -> None:
    """ValueError for a ring that is too large to be listed or too small for the target."""
    whole("dim", dim, 2, LARGEST_DIM)
    whole("bits", bits, 1)
    require(bits < dim, f"bits: {bits} neighbouring bits on a ring of dim: {dim}; give fewer bits than dim")


def run(
    dim: int, architecture: Entry, bits: int = 3, error: float = 0.5, ridge: float = 1e-6, seeds: int = 5
) -> pd.DataFrame:
    """The least training size at which the error off the training set is below a share of the target's variance.

    Parameters
    ----------
    dim : int
        Bits on the ring; a point is a sequence of one channel, (1, dim).
    architecture : dict, e.g. convolutions with padding circular
    bits : int
        Of each local parity.
    ridge : float
        Points that a pooled network does not tell apart need one above 0.
    seeds : int
        Training sets over which the error of kernel regression is averaged, at each size.

    Returns
    -------
    DataFrame
        Rows "samples" against `dim`: sources theory, and kernel, compared to it.
    """
    check(dim, bits)
    points = Hypercube(dim).points
    f = local_parities(points, bits)
    kernel = architecture_from(architecture).kernel(points[:, None, :])
    spectrum, target = Samples(points, f).spectrum_of({"matrix": kernel}), Target(values=f)

    def predicted_error(n: int) -> float:
        theory = FinitePopulation(len(points))
        return float(np.asarray(predict(spectrum, target, n, ridge, theory=theory).test_mse_off_train))

    def learned_error(n: int) -> float:
        return float(np.mean([_error_off_train(kernel, f, n, ridge, seed) for seed in range(seeds)]))

    theory = least_size(predicted_error, error, len(points))
    measured = least_size(learned_error, error, len(points))
    return table([
        mean_row("kernel", "samples", [measured], theory, dim=dim),
        {"source": "theory", "measure": "samples", "dim": dim, "mean": theory},
    ])  # fmt: skip


def local_parities(points: Float[np.ndarray, "points dim"], bits: int) -> Float[np.ndarray, " points"]:
    """The sum over the ring of the parities of neighbouring bits, of variance 1."""
    windows = np.prod([np.roll(points, -shift, axis=1) for shift in range(bits)], axis=0)
    return windows.sum(1) / np.sqrt(points.shape[1])


def _error_off_train(
    kernel: Float[np.ndarray, "points points"],
    f: Float[np.ndarray, " points"],
    train_size: int,
    ridge: float,
    seed: int,
) -> float:
    """Of kernel regression on the training set of a seed."""
    order = stream("points of a ring", points=len(f), seed=seed).permutation(len(f))
    train, others = order[:train_size], order[train_size:]
    learned = ridge_regression(kernel[np.ix_(train, train)], kernel[np.ix_(others, train)], f[train], ridge)
    return float(((learned - f[others]) ** 2).mean()) if len(others) else 0.0
