"""Where the paper's equations fail and corrected ones hold: kernel regression against both, with their relative errors.

With ridges or noise the correction is the finite population (`learnability.theory.finite_population`), on hypercube, circle
and sphere with or without them the next order in 1/n (`learnability.theory.fourth_moments`).
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float

from ..common.errors import choose
from ..curves.choice import theory_for
from ..domains import target_from
from ..domains.kernel_on_domain import KernelOnDomain
from ..measurements.regression import kernel_experiment
from ..measurements.task import Points
from ..spectra.target import Target
from ..tables.means import Row, curve, mean_row, table
from ..theory.eigenlearning import Eigenlearning
from ..theory.prediction import Prediction, predict
from ..theory.theory import SpectralTheory
from .entries import Entry, Files

MEASURES = {
    "population": ("test_mse", "train_mse"),
    "fourth_moments": ("learnability", "test_mse", "train_mse"),
}
SYSTEMS = {"population": "auto", "fourth_moments": "fourth_moments"}


def run(
    domain: Entry,
    architecture: Entry,
    targets: Sequence[Entry],
    train_sizes: Sequence[int],
    correction: str,
    ridges: Sequence[float] = (0.0,),
    noise_stds: Sequence[float] = (0.0,),
    seeds: int = 100,
    files: Files | None = None,
) -> pd.DataFrame:
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
    measures = [
        name for name in MEASURES[choose("correction", correction, MEASURES)] if name != "train_mse" or max(ridges)
    ]
    corrected = theory_for(learner.domain, max(train_sizes), SYSTEMS[correction])
    if not isinstance(corrected, SpectralTheory):
        raise ValueError(f"corrections are those of theories of eigenvalues, and {learner.domain} is a data set")
    grid = np.unique(np.concatenate([np.geomspace(min(train_sizes), max(train_sizes), 60), train_sizes]))
    by_name = {target.name: target for target in (target_from(learner.domain, entry) for entry in targets)}
    measured = kernel_experiment(learner.domain, by_name, learner.blocks, train_sizes, ridges, noise_stds, range(seeds))
    _rescale(measured, by_name, learner.domain.evaluation())
    rows = []
    for (name, ridge, noise), cells in measured.groupby(["target", "ridge", "noise_std"], sort=False):
        predictions = {
            source: predict(learner.spectrum, by_name[name], grid, ridge, noise, theory=theory)
            for source, theory in (("theory", corrected), ("paper", Eigenlearning()))
        }
        for measure in measures:
            rows += _compared(measure, cells, grid, predictions, target=name, ridge=ridge, noise_std=noise)
    return table(rows)


def _compared(
    measure: str,
    cells: pd.DataFrame,
    grid: Float[np.ndarray, " grid"],
    predictions: Mapping[str, Prediction],
    **keys: object,
) -> list[Row]:
    """The curves of both theories, and the measured means beside them."""
    curves = {source: getattr(prediction, measure) for source, prediction in predictions.items()}
    rows = []
    for source, values in curves.items():
        rows += curve(measure, grid, values, "train_size", source=source, **keys)
    for n, cell in cells.groupby("train_size"):
        theory, paper = (values[np.searchsorted(grid, n)] for values in curves.values())
        row = mean_row("kernel", measure, cell[measure], theory, **keys, train_size=n)
        rows.append({**row, "paper": paper})
    return rows


def _rescale(measured: pd.DataFrame, targets: Mapping[str, Target], test: Points) -> None:
    """Test errors as if the target had its power on the test points too; they are random on a sphere."""
    for name, target in targets.items():
        rows = measured["target"] == name
        noise = measured.loc[rows, "noise_std"] ** 2
        assert target.power is not None  # targets of symmetric domains have one
        scale = target.power.sum() / np.mean(target(*test) ** 2)
        measured.loc[rows, "test_mse"] = scale * (measured.loc[rows, "test_mse"] - noise) + noise
