"""Eigenvalues against mode, and the trace that they must sum to."""

import numpy as np
import pandas as pd
from jaxtyping import Float

from ..domains.domain import Domain, SymmetricDomain
from ..domains.kernel_on_domain import KernelOnDomain
from ..tables.means import curve, mean_row, table
from .entries import Entry, Files, finite


def run(
    domain: Entry,
    architecture: Entry,
    kernel: str = "ntk",
    max_mode: int | None = None,
    files: Files | None = None,
) -> pd.DataFrame:
    """The spectrum of one architecture on one domain.

    Parameters
    ----------
    domain, architecture : dicts
    max_mode : int, optional
        The largest mode label that is listed.

    Returns
    -------
    DataFrame
        Rows "eigenvalue" and "multiplicity" against `mode`; the row "trace" compares sum m lambda + tail to K(x, x).
    """
    learner = KernelOnDomain.of(domain, architecture, kernel, files)
    points, spectrum = _points(learner.domain), learner.spectrum
    trace = np.diag(learner.architecture.kernel(points, kind=kernel)).mean()
    order = np.argsort(spectrum.modes, kind="stable")
    listed = order if max_mode is None else order[spectrum.modes[order] <= max_mode]
    rows = curve("eigenvalue", spectrum.modes[listed], spectrum.eigenvalues[listed], "mode")
    rows += curve("multiplicity", spectrum.modes[listed], spectrum.multiplicities[listed], "mode")
    return table([*rows, mean_row("kernel", "trace", [trace], spectrum.trace)])


def _points(domain: Domain) -> Float[np.ndarray, "points ..."]:
    """The points whose K(x, x) has the mean over the domain: one of a symmetric domain, where all are alike."""
    if isinstance(domain, SymmetricDomain):
        return domain.profile_points()[:1]
    return finite(domain).points
