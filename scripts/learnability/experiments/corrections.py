"""Where the paper's equations fail and corrected ones hold: kernel regression against both, with their relative errors.

With ridges or noise the correction is the finite population (`learnability.theory.finite_population`), without them few
samples (`learnability.theory.few_samples`).
"""

import numpy as np

from ..common.errors import choose
from ..domains import target_from
from ..domains.kernel_on_domain import KernelOnDomain
from ..measurements.regression import kernel_experiment
from ..tables.means import mean_row, table
from ..theory.prediction import predict

MEASURES = {"population": ("test_mse", "train_mse"), "few_samples": ("learnability", "test_mse")}


def run(
    domain, architecture, targets, train_sizes, correction, ridges=(0.0,), noise_stds=(0.0,), seeds=100, files=None
):
    """Measure kernel regression on a finite domain, and predict it by the paper's and by corrected equations.

    Parameters
    ----------
    domain, architecture : dicts; targets : list of dicts
    correction : "population" or "few_samples"

    Returns
    -------
    DataFrame
        Rows "test_mse", "train_mse" or "learnability" of sources kernel (theory: corrected; paper: the paper's) and theory
        and paper (curves), with target, ridge, noise_std and train_size.
    """
    given = KernelOnDomain.of(domain, architecture, files=files)
    space, spectrum, kernel = given.domain, given.spectrum, given.kernel
    measures = MEASURES[choose("correction", correction, MEASURES)]
    option = {"population": space.size} if correction == "population" else {"correction": correction}
    grid, rows = np.unique(np.concatenate([np.geomspace(min(train_sizes), max(train_sizes), 60), train_sizes])), []
    for entry in targets:
        target = target_from(space, entry)
        found = kernel_experiment(space, {target.name: target}, kernel, train_sizes, ridges, noise_stds, range(seeds))
        for (ridge, noise), cells in found.groupby(["ridge", "noise_std"]):
            keys = {"target": target.name, "ridge": ridge, "noise_std": noise}
            theories = {"theory": predict(spectrum, target, grid, ridge, noise, **option)}
            theories["paper"] = predict(spectrum, target, grid, ridge, noise)
            for measure in measures:
                curves = {source: getattr(p, measure) for source, p in theories.items()}
                for source, values in curves.items():
                    for n, value in zip(grid, values, strict=True):
                        row = {"source": source, "measure": measure, **keys, "train_size": n, "mean": value}
                        rows.append(row)
                for n, cell in cells.groupby("train_size"):
                    theory, paper = (values[np.searchsorted(grid, n)] for values in curves.values())
                    row = mean_row("kernel", measure, cell[measure], theory, **keys, train_size=n)
                    rows.append({**row, "paper": paper})
    return table(rows)
