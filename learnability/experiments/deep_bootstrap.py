"""The deep bootstrap (Nakkiran et al. 2021, arXiv 2010.08127) in kernel regression: early stopping as a ridge.

A ridge delta stands for an effective training time n / delta. Until the training set is exhausted the test error at a
given time hardly depends on its size; then it stops falling.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float

from ..domains import target_from
from ..domains.kernel_on_domain import KernelOnDomain
from ..measurements.regression import kernel_experiment
from ..spectra.spectrum import Spectrum
from ..spectra.target import Target
from ..tables.means import Row, curve, mean_row, table
from ..tables.theory import theory_table
from ..theory.eigenlearning import Eigenlearning
from ..theory.prediction import predict
from .entries import Entry, Files

Times = Float[np.ndarray, " times"]  # effective times, or errors at each of them


def run(
    train_sizes: Sequence[int],
    decades: Sequence[int],
    domain: Entry | None = None,
    architecture: Entry | None = None,
    target: Entry | None = None,
    exponent: float = 2.0,
    modes: int = 500_000,
    seeds: int = 10,
    times: int = 12,
    files: Files | None = None,
) -> pd.DataFrame:
    """Test error against effective time n / ridge.

    Parameters
    ----------
    decades : [first, last], powers of ten of the effective time
    domain, architecture, target : dicts, optional
        A real kernel on a finite domain, measured by kernel regression at `times` effective times, off the training set
        (M E_test - n E_train)/(M - n); on a data set the theory is that of its samples, the spectrum's is "eigensystem".
        Missing: the power law lambda_i = v_i^2 = i^-exponent with `modes` modes.

    Returns
    -------
    DataFrame
        Rows "test_mse" against `time`, per train_size.
    """
    first, last = decades
    grid = np.logspace(first, last, 30 * (last - first) + 1)
    if domain is None:
        return table(_power_law(train_sizes, grid, exponent, modes))
    if architecture is None or target is None:
        raise ValueError("deep_bootstrap on a domain needs an architecture and a target too; give both, or no domain")
    learner = KernelOnDomain.of(domain, architecture, files=files)
    targets = {"target": target_from(learner.domain, target)}
    measured_times, rows = np.logspace(first, last, times), []
    for n in train_sizes:
        expected = _off_train(learner, targets, n, measured_times)
        if learner.domain.alike:
            rows += _curve(grid, _off_train(learner, targets, n, grid), n)
        else:
            spectral = _off_train(learner, targets, n, grid, "finite_population")
            rows += _curve(grid, spectral, n, source="eigensystem") + _curve(measured_times, expected, n)
        rows += _measured(learner, targets, n, measured_times, expected, seeds)
    return table(rows)


def _power_law(train_sizes: Sequence[int], grid: Times, exponent: float, modes: int) -> list[Row]:
    """The theory of a kernel and a target whose eigenvalues and powers fall as a power of the mode."""
    power = np.arange(1, modes + 1.0) ** -exponent
    spectrum, target = Spectrum(power), Target(power)
    sizes = np.array(train_sizes, dtype=float)[:, None]
    errors = predict(spectrum, target, sizes, sizes / grid, theory=Eigenlearning()).test_mse / power.sum()
    return [row for n, values in zip(train_sizes, errors, strict=True) for row in _curve(grid, values, n)]


def _off_train(
    learner: KernelOnDomain, targets: Mapping[str, Target], train_size: int, times: Times, theory: str = "auto"
) -> Times:
    """The predicted error off the training set at each effective time."""
    predictions = theory_table(learner, targets, [train_size], train_size / times, [0.0], theory)
    return predictions["test_mse_off_train"].to_numpy()


def _measured(
    learner: KernelOnDomain,
    targets: Mapping[str, Target],
    train_size: int,
    times: Times,
    expected: Times,
    seeds: int,
) -> list[Row]:
    """Kernel regression with the ridge that stands for each effective time, beside the theory."""
    rows = []
    for time, theory in zip(times.tolist(), expected, strict=True):
        table = kernel_experiment(
            learner.domain, targets, learner.blocks, [train_size], [train_size / time], [0.0], range(seeds)
        )
        errors = table["test_mse_off_train"]
        rows.append(mean_row("kernel", "test_mse", errors, theory, train_size=train_size, time=time))
    return rows


def _curve(times: Times, errors: Times, train_size: int, **source: str) -> list[Row]:
    return curve("test_mse", times, errors, "time", train_size=train_size, **source)
