r"""Spectra from a random part of the points: the cheap and biased alternatives to quadrature.

Nystroem (Williams & Seeger 2001): with C = K(points, landmarks) and W = K(landmarks, landmarks), the matrix C W^-1 C^T of
rank m stands for K. Its eigenvalues, and the target's projections on its eigenvectors, follow from m x m matrices:

    W = U s U^T,   A = U s^-1/2,   A^T C^T C A = V lambda V^T,   u_i . y = V_i^T A^T C^T y / sqrt(lambda_i)

What it misses of the trace becomes the spectrum's `tail`, what it misses of the target is power beyond. Eigenvalues are
below the true ones.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int
from scipy import linalg

from ..common.errors import require
from ..common.threads import one_thread
from .quadrature import LargeSpectrum
from .spectrum import Spectrum
from .target import Target

ROWS = 4096  # of C held at a time
SMALLEST = 1e-10  # eigenvalue of W over its largest: below, its inverse is rounding


@one_thread
def nystrom(
    kernel: Callable,
    x: Float[np.ndarray, "size ..."],
    y: Float[np.ndarray, "size ..."],
    landmarks: Int[np.ndarray, " landmarks"],
    trace: float,
) -> LargeSpectrum:
    """The spectrum of K / size from the kernel's columns at some of the points.

    Parameters
    ----------
    kernel : callable (x, x2) -> (points, points2)
    x : (size, ...)
    y : (size,) or (size, outputs), the target on the points
    landmarks : (m,) indices of points
    trace : float, E[K(x, x)]

    Returns
    -------
    LargeSpectrum

    Raises
    ------
    ValueError
        Values that do not fit the points.
    """
    require(len(y) == len(x), f"the target has {len(y)} values for {len(x)} points")
    chosen = x[landmarks]
    s, vectors = linalg.eigh(kernel(chosen, None), driver="evd")
    resolved = s > SMALLEST * s[-1]
    half = vectors[:, resolved] / np.sqrt(s[resolved])
    columns = y.reshape(len(x), -1)
    square, projected = np.zeros((half.shape[1],) * 2), np.zeros((half.shape[1], columns.shape[1]))
    for first in range(0, len(x), ROWS):
        rows = slice(first, first + ROWS)
        part = kernel(x[rows], chosen) @ half
        square += part.T @ part
        projected += part.T @ columns[rows]
    eigenvalues, rotation = linalg.eigh(square, driver="evd")
    eigenvalues, rotation = np.maximum(eigenvalues[::-1], 0.0), rotation[:, ::-1]
    resolved = eigenvalues > len(x) * np.finfo(float).eps * eigenvalues[0]
    eigenvalues, rotation = eigenvalues[resolved], rotation[:, resolved]
    power = (rotation.T @ projected) ** 2 / eigenvalues[:, None] / len(x)
    beyond = np.maximum((columns**2).mean(0) - power.sum(0), 0.0)
    if len(eigenvalues) == len(x):  # nothing is missed
        tail, beyond = 0.0, np.zeros_like(beyond)
    else:  # at least a place for what is missed of the target
        tail = max(trace - eigenvalues.sum() / len(x), np.finfo(float).eps * trace)
    spectrum = Spectrum(eigenvalues / len(x), tail=tail)
    power = np.vstack([power, beyond]).reshape(-1, *y.shape[1:])
    modes = np.arange(len(power))  # the last is not listed
    return LargeSpectrum(spectrum, Target(power, modes, name="target"), [], len(x), 0)
