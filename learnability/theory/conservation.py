"""The conservation law, solved for the effective regularization kappa (Simon et al., arXiv 2110.03922, sec. 3).

    n = sum m_i lambda_i / (lambda_i + kappa) + delta/kappa

Trace beyond the listed modes (`Spectrum.tail`) is added to delta.
"""

import numpy as np

from ..common.threads import one_thread
from ..spectra.measure import SpectralMeasure
from .newton import bracket, solve_in_log


@one_thread
def effective_regularization(spectrum, train_size, ridge=0.0):
    """Solve the conservation law for kappa, to relative precision.

    Parameters
    ----------
    spectrum : Spectrum
    train_size, ridge : broadcastable arrays, >= 0; train_size need not be whole

    Returns
    -------
    kappa, broadcast shape; 0 at ridge + tail = 0 and train_size >= rank, inf at train_size = 0.
    """
    n, delta = np.broadcast_arrays(np.asarray(train_size, dtype=float), np.asarray(ridge, dtype=float) + spectrum.tail)
    rank = spectrum.multiplicities[spectrum.eigenvalues > 0].sum()
    kappa = np.where(n > 0, 0.0, np.inf)
    open_ = (n > 0) & ((delta > 0) | (n < rank))
    if open_.any():
        measure, unit = SpectralMeasure.of_spectrum(spectrum)
        kappa[open_] = unit * _solve(measure, rank, n[open_], delta[open_] / unit)
    return kappa


def _solve(measure, rank, n, delta):
    """Newton's method on log(increasing side) = log(decreasing side).

    For n below half the rank the sides are n and sum m L + delta/kappa. Above it they are sum m (1 - L) + (n - rank)+
    and delta/kappa + (rank - n)+, which do not cancel when nearly everything is learned.
    """
    few = n <= rank / 2

    def balance(kappa):
        learned, missed, slope = (
            total[:, 0] for total in measure.sums(kappa, lambda L, M: L, lambda L, M: M, lambda L, M: L * M)
        )
        ridge = delta / kappa
        up = np.where(few, n, missed + np.maximum(n - rank, 0))
        down = np.where(few, learned + ridge, ridge + np.maximum(rank - n, 0))
        return up, down, np.where(few, (slope + ridge) / down, slope / up + ridge / down)

    return solve_in_log(balance, *bracket(measure, rank, n, delta, delta / n))
