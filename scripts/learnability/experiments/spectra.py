"""Eigenvalues against mode, and the trace that they must sum to."""

import numpy as np

from ..domains import domain_from
from ..domains.domain import SymmetricDomain
from ..kernels import architecture_from
from ..tables.means import curve, mean_row, table


def run(domain, architecture, kernel="ntk", max_mode=None):
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
    space, network = domain_from(domain), architecture_from(architecture)
    spectrum = space.spectrum(network, kernel)
    order = np.argsort(spectrum.modes)
    kept = order if max_mode is None else order[spectrum.modes[order] <= max_mode]
    points = space.profile_points()[:1] if isinstance(space, SymmetricDomain) else space.points
    trace = np.diag(network.kernel(points, kind=kernel)).mean()
    rows = curve("eigenvalue", spectrum.modes[kept], spectrum.eigenvalues[kept], "mode")
    rows += curve("multiplicity", spectrum.modes[kept], spectrum.multiplicities[kept], "mode")
    return table([*rows, mean_row("kernel", "trace", [trace], spectrum.trace)])
