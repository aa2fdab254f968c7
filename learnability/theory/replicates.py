"""Standard errors of predictions from a spectrum that was estimated with random probes (jackknife)."""

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from ..common.errors import require
from ..spectra.quadrature import LargeSpectrum
from .prediction import predict


def standard_errors(
    large: LargeSpectrum,
    measure: str,
    train_size: ArrayLike,
    ridge: ArrayLike = 0.0,
    noise_std: ArrayLike = 0.0,
    population: ArrayLike | None = None,
) -> Float[np.ndarray, "..."] | np.floating:
    """How far the probes' noise may move a prediction.

    Parameters
    ----------
    large : LargeSpectrum with replicates
    measure : str, a field of `Prediction`: "test_mse", "kappa", ...
    train_size, ridge, noise_std, population
        As of `learnability.predict`.

    Returns
    -------
    Array of the shape of that field, (grid) or (grid, outputs): sqrt((p - 1)/p sum_i (value without probe i - their mean)^2)
    for p probes (Efron & Stein 1981).

    Raises
    ------
    ValueError
        A spectrum without replicates: it was not estimated with probes.

    Examples
    --------
    >>> import learnability as lb
    >>> x = lb.GaussianSamples(dim=8, samples=1000).points
    >>> large = lb.large_spectrum(lb.FullyConnected(1), x, x[:, 0] * x[:, 1], steps=10)
    >>> (lb.standard_errors(large, "test_mse", [8, 200]) < 0.001).tolist()
    [True, True]
    """
    require(len(large.replicates) > 1, f"{large!r} has no replicates: no random probes made it")
    values = np.array([
        getattr(predict(spectrum, large.target, train_size, ridge, noise_std, population=population), measure)
        for spectrum in large.replicates
    ])  # fmt: skip
    return np.sqrt((len(values) - 1) * values.var(0))
