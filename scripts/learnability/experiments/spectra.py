"""Eigenvalues against mode, and the trace that they must sum to."""

import numpy as np

from ..architectures import FullyConnected
from ..domains import domain_from
from .results import curve, measured, table


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
    place, network = domain_from(domain), FullyConnected(**architecture)
    spectrum = place.spectrum(network, kernel)
    order = np.argsort(spectrum.modes)
    kept = order if max_mode is None else order[spectrum.modes[order] <= max_mode]
    points = place.profile_points()
    trace = np.diag(network.kernel(points if not place.symmetric else points[:1], kind=kernel)).mean()
    rows = curve("eigenvalue", spectrum.modes[kept], spectrum.eigenvalues[kept], "mode")
    rows += curve("multiplicity", spectrum.modes[kept], spectrum.multiplicities[kept], "mode")
    return table([*rows, measured("kernel", "trace", [trace], spectrum.trace)])
