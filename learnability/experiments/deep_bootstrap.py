"""The deep bootstrap (Nakkiran et al. 2021, arXiv 2010.08127) in kernel regression: early stopping as a ridge.

A ridge delta stands for an effective training time n / delta. Until the training set is exhausted the test error at a
given time hardly depends on its size; then it stops falling.
"""

import numpy as np

from ..domains import target_from
from ..domains.kernel_on_domain import KernelOnDomain
from ..measurements.regression import kernel_experiment
from ..spectra.spectrum import Spectrum
from ..spectra.target import Target
from ..tables.means import curve, mean_row, table
from ..tables.theory import theory_table
from ..theory.eigenlearning import Eigenlearning
from ..theory.prediction import predict


def run(
    train_sizes,
    decades,
    domain=None,
    architecture=None,
    target=None,
    exponent=2.0,
    modes=500_000,
    seeds=10,
    times=12,
    files=None,
):
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
    grid = np.logspace(*decades, 30 * (decades[1] - decades[0]) + 1)
    if domain is None:
        index = np.arange(1, modes + 1.0)
        spectrum, aim = Spectrum(index**-exponent), Target(index**-exponent)
        sizes = np.array(train_sizes, dtype=float)
        test = predict(spectrum, aim, sizes[:, None], sizes[:, None] / grid, theory=Eigenlearning())
        test = test.test_mse / aim.power.sum()
        return table([row for n, e in zip(train_sizes, test, strict=True) for row in _curve(grid, e, n)])
    learner = KernelOnDomain.of(domain, architecture, files=files)
    data, spectrum, kernel = learner.domain, learner.spectrum, learner.blocks
    aims = {"target": target_from(data, target)}
    measured_times, rows = np.logspace(*decades, times), []
    for n in train_sizes:
        expected = theory_table(learner, aims, [n], n / measured_times, [0.0])
        spectral = theory_table(learner, aims, [n], n / grid, [0.0], "auto" if data.alike else "finite_population")
        smooth = _curve(grid, spectral["test_mse_off_train"], n)
        if data.alike:
            rows += smooth
        else:
            rows += [{**row, "source": "eigensystem"} for row in smooth]
            rows += _curve(measured_times, expected["test_mse_off_train"], n)
        for time, theory in zip(measured_times, expected["test_mse_off_train"], strict=True):
            measured = kernel_experiment(data, aims, kernel, [n], [n / time], [0.0], range(seeds))["test_mse_off_train"]
            rows.append(mean_row("kernel", "test_mse", measured, theory, train_size=n, time=time))
    return table(rows)


def _curve(grid, values, train_size):
    return curve("test_mse", grid, values, "time", train_size=train_size)
