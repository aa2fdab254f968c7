"""What a trainer's accuracy costs: the same networks on the same data, trained by both methods, ever more exactly."""

from collections.abc import Sequence
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from ..domains import Hypercube
from ..ensembles.training.fit import fit
from ..kernels import architecture_from
from ..measurements.task import LearningTask
from ..regression.ridge import kernel_regression
from .entries import Entry

LONGEST = 1_000_000  # steps of the reference


def run(
    architecture: Entry,
    width: int,
    train_size: int,
    degrees: Sequence[int],
    tolerances: Sequence[float],
    dim: int = 8,
    seeds: int = 3,
    reference: float = 0.03,
) -> pd.DataFrame:
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
    domain, network = Hypercube(dim=dim), architecture_from(architecture)
    trainers = [("gradient_descent", "step_fraction", share) for share in (reference, 2 * reference, 0.5)]
    trainers += [("gradient_flow", "tolerance", tolerance) for tolerance in tolerances]
    tables = []
    for degree in degrees:
        task = LearningTask(domain, {"target": domain.parity(degree)})
        training_sets = [task.training_set(train_size, seed) for seed in range(seeds)]
        x = np.stack([training_set.points[0] for training_set in training_sets])
        y = np.concatenate([training_set.labels for training_set in training_sets])
        wide = np.stack([kernel_regression(network, *pair, domain.points) for pair in zip(x, y, strict=True)])
        exact = None
        for method, name, accuracy in trainers:
            began = perf_counter()
            limit = LONGEST if method == "gradient_descent" else 100_000
            options: dict[str, Any] = {"max_steps": limit, name: accuracy}
            result = fit(network, width, x, y, domain.points, range(seeds), method=method, **options)
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


def _rms(functions: Float[np.ndarray, "networks points outputs"]) -> Float[np.ndarray, " networks"]:
    """Root mean square over points and outputs."""
    return np.sqrt((functions.astype(float) ** 2).mean((1, 2)))
