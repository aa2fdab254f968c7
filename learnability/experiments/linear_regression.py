r"""Linear regression as the special case of a linear kernel: theory, exact finite-sample formulas and simulation.

Inputs are standard normal in `dim` dimensions and K(x, x') = x.x'/dim has `dim` eigenvalues 1/dim. For minimum-norm
least squares of a unit coefficient vector with label noise sigma^2 (Hastie et al. 2022, arXiv 1903.08560, finite n)

    n <= dim - 2:  E_test = 1 - n/dim + sigma^2 (dim - 1)/(dim - n - 1),
    n >= dim + 2:  E_test = sigma^2 (n - 1)/(n - dim - 1),

and infinite for sigma > 0 in between. The theory has n and dim in place of n - 1 and dim - 1: it diverges at n = dim.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from ..common.seeding import stream
from ..kernels.fully_connected import FullyConnected
from ..regression.ridge import kernel_regression
from ..spectra.spectrum import Spectrum
from ..spectra.target import Target
from ..tables.means import curve, mean_row, table
from ..theory.eigenlearning import Eigenlearning
from ..theory.prediction import predict


def run(
    dim: int,
    train_sizes: Sequence[int],
    ridges: Sequence[float],
    noise_std: float,
    draws: int = 200,
    points: int = 1000,
) -> pd.DataFrame:
    """Test error against training size at each ridge; in these units the optimal ridge is noise_std^2.

    Returns
    -------
    DataFrame
        Rows "test_mse" and "overfitting_coefficient" (theory only) against train_size, per ridge; sources theory, exact
        (ridge 0) and kernel (simulation).
    """
    spectrum, target = Spectrum(np.array([1 / dim]), np.array([dim])), Target(np.array([1.0]))
    grid = np.unique(np.concatenate([np.linspace(0, max(train_sizes), 400), [dim - 1e-3, dim + 1e-3]]))
    overfitting = predict(spectrum, target, grid, theory=Eigenlearning()).overfitting_coefficient
    rows = curve("overfitting_coefficient", grid, overfitting, "train_size", ridge=0.0)
    test = stream("linear test points", dim=dim).standard_normal((points, dim))
    for ridge in ridges:
        keys: dict[str, Any] = {"ridge": float(ridge)}
        predicted = predict(spectrum, target, grid, ridge, noise_std, theory=Eigenlearning()).test_mse
        rows += curve("test_mse", grid, predicted, "train_size", **keys)
        for train_size in train_sizes:
            errors = [_simulated_error(test, train_size, ridge, noise_std, draw) for draw in range(draws)]
            expected = float(predict(spectrum, target, train_size, ridge, noise_std, theory=Eigenlearning()).test_mse)
            rows.append(mean_row("kernel", "test_mse", errors, expected, **keys, train_size=train_size))
            if ridge == 0:
                exact = exact_test_mse(dim, train_size, noise_std)
                row = {"source": "exact", "measure": "test_mse", **keys, "train_size": train_size, "mean": exact}
                rows.append({**row, "theory": expected})
    return table(rows)


def _simulated_error(
    test: Float[np.ndarray, "points dim"], train_size: int, ridge: float, noise_std: float, draw: int
) -> float:
    """The test error of ridge regression on standard normal inputs, labelled by a random vector of unit norm."""
    dim = test.shape[1]
    rng = stream("linear regression", dim=dim, train_size=train_size, draw=draw)
    x = rng.standard_normal((train_size, dim))
    beta = rng.standard_normal((dim,))
    beta /= np.linalg.norm(beta)
    y = x @ beta + noise_std * rng.standard_normal(train_size)
    learned = kernel_regression(FullyConnected(0), x, y, test, ridge)
    return float(((test @ beta - learned) ** 2).mean() + noise_std**2)


def exact_test_mse(dim: int, train_size: int, noise_std: float) -> float:
    """Expected test error of minimum-norm least squares for standard normal inputs; inf where it does not exist."""
    if train_size <= dim - 2:
        noise = (dim - 1) / (dim - train_size - 1)
        return 1 - train_size / dim + noise_std**2 * noise
    if train_size >= dim + 2:
        return noise_std**2 * (train_size - 1) / (train_size - dim - 1)
    return np.inf if noise_std > 0 else max(0.0, 1 - train_size / dim)
