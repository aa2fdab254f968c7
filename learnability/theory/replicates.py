"""Standard errors of predictions from a spectrum that was estimated with random probes (jackknife)."""

import numpy as np

from ..common.errors import require
from .prediction import predict


def standard_errors(large, measure, train_size, ridge=0.0, noise_std=0.0, population=None):
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
    """
    require(len(large.replicates) > 1, f"{large!r} has no replicates: no random probes made it")
    values = np.array([
        getattr(predict(spectrum, large.target, train_size, ridge, noise_std, population=population), measure)
        for spectrum in large.replicates
    ])  # fmt: skip
    return np.sqrt((len(values) - 1) * values.var(0))
