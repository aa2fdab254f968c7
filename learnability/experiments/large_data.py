"""A learning curve predicted from many samples alone, beside the truth: points of a domain whose exact spectrum is known."""

from functools import partial

import numpy as np

from ..domains import domain_from, target_from
from ..domains.large import large_spectrum
from ..kernels import architecture_from
from ..kernels.matrix import KernelMatrix
from ..measurements.regression import kernel_experiment
from ..tables.means import curve, mean_row, table
from ..theory.eigenlearning import Eigenlearning
from ..theory.finite_population import FinitePopulation
from ..theory.prediction import predict
from ..theory.replicates import standard_errors


def run(
    domain,
    architecture,
    targets,
    samples,
    train_sizes,
    regression_sizes=(),
    ridge=0.0,
    seeds=3,
    memory_mb=1024,
    probes=16,
    steps=20,
):
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
    input_domain, network = domain_from(domain), architecture_from(architecture)
    aims = {target.name: target for target in (target_from(input_domain, entry) for entry in targets)}
    x, index = input_domain.sample(samples, seed=0)
    values = np.column_stack([target(x, index) for target in aims.values()])
    large = large_spectrum(network, x, values, memory=int(memory_mb) << 20, probes=probes, steps=steps)
    spectrum, sizes = input_domain.spectrum(network), np.array(train_sizes, dtype=float)
    of_samples = predict(
        large.spectrum, large.target, sizes, ridge, theory=FinitePopulation(samples)
    ).test_mse_off_train
    errors = standard_errors(large, "test_mse_off_train", sizes, ridge, population=samples)
    grid, rows = np.geomspace(sizes.min(), sizes.max(), 100), []
    kernel, measured = KernelMatrix(network), table([])
    if len(regression_sizes):
        measured = kernel_experiment(input_domain, aims, kernel, regression_sizes, [ridge], [0.0], range(1, seeds + 1))
    for number, (name, target) in enumerate(aims.items()):
        exact = partial(predict, spectrum, target, ridge=ridge, theory=Eigenlearning())
        rows += curve("test_mse", grid, exact(grid).test_mse, "train_size", target=name)
        truth = exact(sizes).test_mse
        for n, value, error, theory in zip(sizes, of_samples[:, number], errors[:, number], truth, strict=True):
            row = mean_row("samples", "test_mse", [value], theory, target=name, train_size=int(n))
            rows.append({**row, "standard_error": np.hypot(error, value * np.sqrt(2 / samples))})
        for n in regression_sizes:
            cell = measured[(measured["target"] == name) & (measured["train_size"] == n)]["test_mse"]
            rows.append(mean_row("kernel", "test_mse", cell, exact(n).test_mse, target=name, train_size=n))
    return table(rows)
