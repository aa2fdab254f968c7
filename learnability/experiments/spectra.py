"""Eigenvalues against mode, and the trace that they must sum to."""

import numpy as np

from ..domains.domain import SymmetricDomain
from ..domains.kernel_on_domain import KernelOnDomain
from ..tables.means import curve, mean_row, table


def run(domain, architecture, kernel="ntk", max_mode=None, files=None):
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
    input_domain, spectrum = learner.domain, learner.spectrum
    order = np.argsort(spectrum.modes, kind="stable")
    kept = order if max_mode is None else order[spectrum.modes[order] <= max_mode]
    points = input_domain.profile_points()[:1] if isinstance(input_domain, SymmetricDomain) else input_domain.points
    trace = np.diag(learner.architecture.kernel(points, kind=kernel)).mean()
    rows = curve("eigenvalue", spectrum.modes[kept], spectrum.eigenvalues[kept], "mode")
    rows += curve("multiplicity", spectrum.modes[kept], spectrum.multiplicities[kept], "mode")
    return table([*rows, mean_row("kernel", "trace", [trace], spectrum.trace)])
