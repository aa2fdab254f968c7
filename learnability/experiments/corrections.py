"""Where the paper's equations fail and corrected ones hold: kernel regression against both, with their relative errors.

With ridges or noise the correction is the finite population (`learnability.theory.finite_population`), on hypercube, circle
and sphere with or without them the next order in 1/n (`learnability.theory.fourth_moments`).
"""

import numpy as np

from ..common.errors import choose
from ..curves.choice import theory_for
from ..domains import target_from
from ..domains.kernel_on_domain import KernelOnDomain
from ..measurements.regression import kernel_experiment
from ..tables.means import mean_row, table
from ..theory.eigenlearning import Eigenlearning
from ..theory.prediction import predict

MEASURES = {
    "population": ("test_mse", "train_mse"),
    "fourth_moments": ("learnability", "test_mse", "train_mse"),
}
SYSTEMS = {"population": "auto", "fourth_moments": "fourth_moments"}


def run(
    domain, architecture, targets, train_sizes, correction, ridges=(0.0,), noise_stds=(0.0,), seeds=100, files=None
):
    """Measure kernel regression on a finite domain, and predict it by the paper's and by corrected equations.

    Parameters
    ----------
    domain, architecture : dicts; targets : list of dicts
    correction : "population" or "fourth_moments"

    Returns
    -------
    DataFrame
        Rows "test_mse", "train_mse" or "learnability" of sources kernel (theory: corrected; paper: the paper's) and theory
        and paper (curves), with target, ridge, noise_std and train_size.
    """
    learner = KernelOnDomain.of(domain, architecture, files=files)
    input_domain, spectrum, kernel = learner.domain, learner.spectrum, learner.blocks
    measures = [
        name for name in MEASURES[choose("correction", correction, MEASURES)] if name != "train_mse" or max(ridges)
    ]
    corrected = theory_for(input_domain, max(train_sizes), SYSTEMS[correction])
    grid = np.unique(np.concatenate([np.geomspace(min(train_sizes), max(train_sizes), 60), train_sizes]))
    targets = {target.name: target for target in (target_from(input_domain, entry) for entry in targets)}
    measured = kernel_experiment(input_domain, targets, kernel, train_sizes, ridges, noise_stds, range(seeds))
    _rescale(measured, targets, input_domain.evaluation())
    rows = []
    for (name, ridge, noise), cells in measured.groupby(["target", "ridge", "noise_std"], sort=False):
        keys = {"target": name, "ridge": ridge, "noise_std": noise}
        theories = {"theory": predict(spectrum, targets[name], grid, ridge, noise, theory=corrected)}
        theories["paper"] = predict(spectrum, targets[name], grid, ridge, noise, theory=Eigenlearning())
        for measure in measures:
            curves = {source: getattr(p, measure) for source, p in theories.items()}
            for source, values in curves.items():
                for n, value in zip(grid, values, strict=True):
                    rows.append({"source": source, "measure": measure, **keys, "train_size": n, "mean": value})
            for n, cell in cells.groupby("train_size"):
                theory, paper = (values[np.searchsorted(grid, n)] for values in curves.values())
                row = mean_row("kernel", measure, cell[measure], theory, **keys, train_size=n)
                rows.append({**row, "paper": paper})
    return table(rows)


def _rescale(measured, targets, test):
    """Test errors as if the target had its power on the test points too; they are random on a sphere."""
    for name, target in targets.items():
        rows = measured["target"] == name
        noise = measured.loc[rows, "noise_std"] ** 2
        scale = target.power.sum() / np.mean(target(*test) ** 2)
        measured.loc[rows, "test_mse"] = scale * (measured.loc[rows, "test_mse"] - noise) + noise
