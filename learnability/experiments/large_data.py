"""A learning curve predicted from many samples alone, beside the truth: points of a domain whose exact spectrum is known."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
from jaxtyping import Float

from ..domains import domain_from, target_from
from ..domains.large import large_spectrum
from ..kernels import architecture_from
from ..kernels.matrix import KernelMatrix
from ..measurements.regression import kernel_experiment
from ..spectra.quadrature import LargeSpectrum
from ..tables.means import curve, mean_row, table
from ..theory.eigenlearning import Eigenlearning
from ..theory.finite_population import FinitePopulation
from ..theory.prediction import predict
from ..theory.replicates import standard_errors
from .entries import Entry


def run(
    domain: Entry,
    architecture: Entry,
    targets: Sequence[Entry],
    samples: int,
    train_sizes: Sequence[int],
    regression_sizes: Sequence[int] = (),
    ridge: float = 0.0,
    seeds: int = 3,
    memory_mb: int = 1024,
    probes: int = 16,
    steps: int = 20,
) -> pd.DataFrame:
    """Predict from `samples` points by quadrature, from the exact spectrum, and measure kernel regression.

    Parameters
    ----------
    domain, architecture : dicts; targets : list of dicts
        A domain whose spectrum is exact: sphere or hypercube. The samples know nothing of it.
    train_sizes, regression_sizes : sequences
        Of predictions and of kernel regression on fresh training sets, measured on the domain's test points.
    seeds : int

    Returns
    -------
    DataFrame
        Rows "test_mse" against target and train_size: theory (the exact spectrum's curve), samples (from the samples) and
        kernel, both beside the theory. The standard error of samples is that of the probes and that of a mean over
        `samples` squared Gaussian residuals, sqrt(2/samples) of the error.
    """
    sampled, network = domain_from(domain), architecture_from(architecture)
    functions = {target.name: target for target in (target_from(sampled, entry) for entry in targets)}
    x, index = sampled.sample(samples, seed=0)
    values = np.column_stack([target(x, index) for target in functions.values()])
    large = large_spectrum(network, x, values, memory=int(memory_mb) << 20, probes=probes, steps=steps)
    spectrum, sizes = sampled.spectrum(network), np.array(train_sizes, dtype=float)
    predicted, errors = _from_samples(large, sizes, ridge)
    grid, rows, measured = np.geomspace(sizes.min(), sizes.max(), 100), [], pd.DataFrame()
    if len(regression_sizes):
        kernel, fresh_seeds = KernelMatrix(network), range(1, seeds + 1)
        measured = kernel_experiment(sampled, functions, kernel, regression_sizes, [ridge], [0.0], fresh_seeds)
    for number, (name, target) in enumerate(functions.items()):
        exact = partial(predict, spectrum, target, ridge=ridge, theory=Eigenlearning())
        rows += curve("test_mse", grid, exact(grid).test_mse, "train_size", target=name)
        truth = exact(sizes).test_mse
        for n, value, error, theory in zip(sizes, predicted[:, number], errors[:, number], truth, strict=True):
            row = mean_row("samples", "test_mse", [value], theory, target=name, train_size=int(n))
            rows.append({**row, "standard_error": error})
        for n in regression_sizes:
            cell = measured[(measured["target"] == name) & (measured["train_size"] == n)]
            rows.append(mean_row("kernel", "test_mse", cell["test_mse"], exact(n).test_mse, target=name, train_size=n))
    return table(rows)


def _from_samples(
    large: LargeSpectrum, train_sizes: Float[np.ndarray, " sizes"], ridge: float
) -> tuple[Float[np.ndarray, "sizes outputs"], Float[np.ndarray, "sizes outputs"]]:
    """The error predicted from samples alone, and its standard error from probes and from the samples' number."""
    prediction = predict(large.spectrum, large.target, train_sizes, ridge, theory=FinitePopulation(large.size))
    predicted = prediction.test_mse_off_train
    assert predicted is not None  # of a finite population
    of_probes = standard_errors(large, "test_mse_off_train", train_sizes, ridge, population=large.size)
    return predicted, np.hypot(of_probes, predicted * np.sqrt(2 / large.size))
