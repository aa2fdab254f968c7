"""How many samples the parity of all bits takes.

The full parity has the smallest eigenvalue among the parities of an even (or odd) number of bits, like its own, and of
these there are 2^(d-1), itself included. Its learnability is therefore at most n / 2^(d-1), and a test error of eps
needs n >= 2^(d-1) (1 - sqrt(eps)) (Simon et al. 2021, sec. 4): exponentially many.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ..domains.hypercube import Hypercube
from ..domains.kernel_on_domain import KernelOnDomain
from ..measurements.learned import learned_functions
from ..measurements.metrics import mean_squared_error
from ..tables.means import mean_row, table
from ..theory.eigenlearning import Eigenlearning
from ..theory.prediction import predict
from .entries import Entry, of_kind
from .least_size import least_size


def run(dim: int, architecture: Entry, errors: Sequence[float] = (0.5,), seeds: int = 10) -> pd.DataFrame:
    """The least training size at which the mean test error over seeds is below each error level, by bisection.

    Returns
    -------
    DataFrame
        Rows "samples needed" against `dim`: sources kernel (compared to the theory), theory and bound.
    """
    learner = KernelOnDomain.of({"kind": "hypercube", "dim": dim}, architecture)
    cube, spectrum, kernel = of_kind(learner.domain, Hypercube), learner.spectrum, learner.blocks
    target = cube.parity(dim)
    f = target(cube.points)

    def predicted_error(n: int) -> float:
        return float(predict(spectrum, target, n, theory=Eigenlearning()).test_mse)

    def learned_error(n: int) -> float:
        functions = learned_functions(cube, kernel, target, n, seeds)
        return float(np.mean(mean_squared_error(f[:, None], functions[:, :, None])))

    rows = []
    for error in errors:
        keys = {"dim": dim, "error": error}
        theory = least_size(predicted_error, error, cube.size)
        measured = least_size(learned_error, error, cube.size)
        rows.append(mean_row("kernel", "samples needed", [measured], theory, **keys))
        rows.append({"source": "theory", "measure": "samples needed", **keys, "mean": theory})
        rows.append({"source": "bound", "measure": "samples needed", **keys, "mean": 2 ** (dim - 1) * (1 - error**0.5)})
    return table(rows)
