"""What a trainer's accuracy costs: the same networks on the same data, trained by both methods, ever more exactly."""

from time import perf_counter

import numpy as np
import pandas as pd

from ..domains import Hypercube
from ..ensembles.training.fit import fit
from ..kernels import architecture_from
from ..regression.ridge import kernel_regression

LONGEST = 1_000_000  # steps of the reference


def run(architecture, width, train_size, degrees, tolerances, dim=8, seeds=3, reference=0.03):
    """Compare trainers in function space on parities of a hypercube.

    Parameters
    ----------
    architecture : dict, width, train_size : int
        The cell.
    degrees : list of int
        Of the parities.
    tolerances : list of float
        Of gradient flow.
    reference : float
        Step of the reference, gradient descent, as a share of its stability limit. It is also run at twice that
        step: what then changes is the reference's own uncertainty.

    Returns
    -------
    DataFrame
        One row per degree, seed and trainer: method, accuracy (tolerance or step share), steps, seconds per network,
        converged, `difference` (root mean square over all points to the reference), `distance` (the same between the
        reference and its infinite-width kernel prediction).
    """
    domain, architecture = Hypercube(dim=dim), architecture_from(architecture)
    trainers = [("gradient_descent", "step_fraction", share) for share in (reference, 2 * reference, 0.5)]
    trainers += [("gradient_flow", "tolerance", tolerance) for tolerance in tolerances]
    tables = []
    for degree in degrees:
        target = domain.parity(degree)
        samples = [domain.sample(train_size, seed) for seed in range(seeds)]
        x = np.stack([x for x, _ in samples])
        y = np.stack([target(x, index) for x, index in samples])[..., None]
        wide = np.stack([kernel_regression(architecture, a, b, domain.points) for a, b in zip(x, y, strict=True)])
        exact = None
        for method, name, accuracy in trainers:
            began = perf_counter()
            limit = LONGEST if method == "gradient_descent" else 100_000
            result = fit(
                architecture,
                width,
                x,
                y,
                domain.points,
                range(seeds),
                method=method,
                max_steps=limit,
                **{name: accuracy},
            )
            seconds = (perf_counter() - began) / seeds
            exact = result.predictions if exact is None else exact
            table = {
                "degree": degree,
                "seed": range(seeds),
                "method": method,
                "accuracy": accuracy,
                "steps": result.steps,
                "seconds": seconds,
                "converged": result.converged,
                "difference": _rms(result.predictions - exact),
                "distance": _rms(exact - wide),
            }
            tables.append(pd.DataFrame(table))
    return pd.concat(tables, ignore_index=True)


def _rms(functions):
    return np.sqrt((functions.astype(float) ** 2).mean((1, 2)))
