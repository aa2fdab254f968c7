"""One unknown on a whole grid: Newton's method for log kappa, held in a bracket."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from ..spectra.measure import SpectralMeasure

Grid = Float[np.ndarray, " grid"]
MOST_STEPS = 200
NEARLY = 1e-12  # of log kappa: a step this short that is not half of the one before is rounding


def bracket(
    measure: SpectralMeasure,
    rank: float,
    n: Float[np.ndarray, " grid"],
    delta: Float[np.ndarray, " grid"],
    least: Float[np.ndarray, " grid"],
) -> tuple[Float[np.ndarray, " grid"], Float[np.ndarray, " grid"]]:
    """Bounds of log kappa that follow from the conservation law, (grid,): low, -inf where there is none, and high.

    Parameters
    ----------
    measure : SpectralMeasure, of `rank` modes in all
    n, delta : (grid,) training sizes > 0 and ridges, in the unit of the measure
    least : (grid,), the kappa that the ridge alone would give
    """
    trace = float(measure.nodes @ measure.weights[:, 0])
    smallest = measure.nodes.min(initial=np.inf)
    with np.errstate(divide="ignore", invalid="ignore"):
        low = np.log(np.fmax(least, np.where(n < rank, smallest * (rank - n) / n, 0.0)) / 2)
    return low, np.log(trace + delta) - np.log(n)


def solve_in_log(
    balance: Callable[[Grid], tuple[Grid, Grid, Grid]],
    low: Float[np.ndarray, " grid"],
    high: Float[np.ndarray, " grid"],
) -> Float[np.ndarray, " grid"]:
    """The kappa at which an increasing side equals a decreasing one, to relative precision.

    Parameters
    ----------
    balance : callable
        kappa (grid,) -> up, down, gradient: both sides, positive, and the derivative of log up - log down with respect to
        log kappa.
    low, high : (grid,)
        Bracket of log kappa; a side that is not finite is unknown.

    Returns
    -------
    kappa, (grid,)
    """
    x = np.where(np.isfinite(high + low), (high + low) / 2, high)
    high = high + 1e-9
    done, before = np.zeros(x.shape, dtype=bool), np.full(x.shape, np.inf)
    for _ in range(MOST_STEPS):
        up, down, gradient = balance(np.exp(x))
        step = (np.log(up) - np.log(down)) / gradient
        high = np.where(step > 0, np.minimum(high, x), high)
        low = np.where(step < 0, np.maximum(low, x), low)
        new = x - step
        new = np.where((new >= low) & (new <= high), new, (low + high) / 2)
        length = np.abs(new - x)
        x = np.where(done, x, new)
        done |= (length <= 4e-16 * np.maximum(1, np.abs(x))) | ((length <= NEARLY) & (length > before / 2))
        if done.all():
            break
        before = length
    return np.exp(x)
