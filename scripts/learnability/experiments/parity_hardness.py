"""How many samples the parity of all bits takes.

The full parity has the smallest eigenvalue of its kind, and at least 2^(d-1) eigenfunctions have larger ones. Its
learnability is therefore at most n / 2^(d-1), and a test error of eps needs n >= 2^(d-1) (1 - sqrt(eps)) (Simon et al.
2021, sec. 4): exponentially many.
"""

import numpy as np

from ..architectures import FullyConnected
from ..domains import Hypercube
from ..measures import mean_squared_error
from ..regression import ridge_regression
from ..theory import predict
from .results import measured, table


def run(dim, architecture, errors=(0.5,), seeds=10):
    """The least training size at which the mean test error over seeds is below each error level, by bisection.

    Returns
    -------
    DataFrame
        Rows "samples needed" against `dim`: sources kernel (compared to the theory), theory and bound.
    """
    place, network = Hypercube(dim), FullyConnected(**architecture)
    spectrum, target = place.spectrum(network), place.parity(dim)
    matrix = network.kernel(place.points)
    f = target(place.points)

    def learned_error(n):
        values = []
        for seed in range(seeds):
            _, index = place.sample(n, seed)
            values.append(mean_squared_error(f[:, None], _regress(matrix, f, index)[:, None]))
        return np.mean(values)

    rows = []
    for error in errors:
        keys = {"dim": dim, "error": error}
        theory = _least(lambda n: float(predict(spectrum, target, n).test_mse), error, place.size)
        found = _least(learned_error, error, place.size)
        rows.append(measured("kernel", "samples needed", [found], theory, **keys))
        rows.append({"source": "theory", "measure": "samples needed", **keys, "mean": theory})
        rows.append({"source": "bound", "measure": "samples needed", **keys, "mean": 2 ** (dim - 1) * (1 - error**0.5)})
    return table(rows)


def _regress(matrix, f, index):
    return ridge_regression(matrix[np.ix_(index, index)], matrix[:, index], f[index])


def _least(error_at, error, most):
    """The least n with error_at(n) <= error, for an error that falls once it has begun to (it is 0 at n = most)."""
    low, high = 0, most
    while high - low > max(1, most // 512):
        middle = (low + high) // 2
        low, high = (low, middle) if error_at(middle) <= error else (middle, high)
    return high
