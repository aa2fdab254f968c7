"""Predictions as rows of a study's table."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ..curves.learning_curve import curves_of
from ..domains.kernel_on_domain import KernelOnDomain
from ..spectra.target import Target
from ..theory.theory import Theory


def theory_table(
    learner: KernelOnDomain,
    targets: Mapping[str, Target],
    train_sizes: ArrayLike,
    ridges: ArrayLike,
    noise_stds: ArrayLike,
    theory: str | Theory = "auto",
) -> pd.DataFrame:
    """Predictions on the grid train_sizes x ridges x noise_stds, one row per target and grid point; source is "theory"."""
    grid = np.meshgrid(train_sizes, ridges, noise_stds, indexing="ij")
    curves = curves_of(learner, [*targets.values()], *grid, theory)
    parts = [curve.to_frame().assign(target=name) for name, curve in zip(targets, curves, strict=True)]
    return pd.concat(parts, ignore_index=True).assign(source="theory")


def study_table(
    learner: KernelOnDomain,
    targets: Mapping[str, Target],
    train_sizes: ArrayLike,
    sample_sizes: ArrayLike,
    ridges: ArrayLike,
    noise_stds: ArrayLike,
    theory: str | Theory = "auto",
) -> pd.DataFrame:
    """The theory's rows of a study; where it knows the samples of a data set, the spectrum's beside them as "eigensystem".

    Parameters
    ----------
    train_sizes, sample_sizes : sequences of numbers
        Of theories that know the spectrum, and of those that know the samples, whose sizes cost factorizations.
    """
    if learner.domain.alike or theory not in ("auto", "per_sample"):
        return theory_table(learner, targets, train_sizes, ridges, noise_stds, theory)
    table = theory_table(learner, targets, sample_sizes, ridges, noise_stds, theory)
    if not learner.dense:
        return table
    spectral = theory_table(learner, targets, train_sizes, ridges, noise_stds, "finite_population")
    return pd.concat([table, spectral.assign(source="eigensystem")], ignore_index=True)
