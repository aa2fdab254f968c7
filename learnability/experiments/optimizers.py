"""Does the prediction hold for the training that users do? Networks of one method beside theory and kernel regression."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from ..domains import target_from
from ..domains.kernel_on_domain import KernelOnDomain
from ..ensembles.training.fit import fit
from ..measurements.networks import network_experiment
from ..measurements.regression import kernel_experiment
from ..tables.means import Row, curve, mean_row, table
from ..tables.theory import theory_table
from .entries import Entry

MEASURES = ("test_mse_off_train", "learnability")
CURVE_POINTS, SAMPLE_CURVE_POINTS = 60, 16  # the theory of a data set costs factorizations


def run(
    domain: Entry,
    architecture: Entry,
    target: Entry,
    train_sizes: Sequence[int],
    width: int,
    method: str,
    seeds: int = 10,
    training: Mapping[str, Any] | None = None,
) -> pd.DataFrame:
    """Train networks by one method on the training sets of kernel regression.

    Parameters
    ----------
    domain, architecture, target : dicts; the domain is finite
    method : str
        See `learnability.ensembles.training.methods`; `vary` it to compare several.
    training : dict, optional
        Further settings of `learnability.ensembles.training.fit.fit`, the same for all methods.

    Returns
    -------
    DataFrame
        Rows of the measures against train_size: sources network, with `method`, and kernel, means over seeds beside the theory;
        theory, a curve. Rows "steps", and "converged": the share of networks that reached the target. The others are left out.
    """
    learner = KernelOnDomain.of(domain, architecture)
    targets = {"target": target_from(learner.domain, target)}
    number = CURVE_POINTS if learner.domain.alike else SAMPLE_CURVE_POINTS
    sizes = np.unique([*train_sizes, *np.geomspace(min(train_sizes), max(train_sizes), number)])
    theory = theory_table(learner, targets, sizes, [0.0], [0.0])
    rows: list[Row] = []
    for name in MEASURES:
        rows += curve(name, theory["train_size"], theory[name], "train_size")
    trained = partial(fit, learner.architecture, width, method=method, **(training or {}))
    for n in train_sizes:
        expected = theory[theory["train_size"] == n].iloc[0]
        kernels = kernel_experiment(learner.domain, targets, learner.blocks, [n], [0.0], [0.0], range(seeds))
        networks, _, _ = network_experiment(learner.domain, targets, n, [0.0], range(seeds), trained)
        converged = networks[networks["converged"]]
        keys = {"train_size": n, "width": width, "method": method}
        for name in MEASURES:
            rows.append(mean_row("kernel", name, kernels[name], expected[name], train_size=n))
            rows.append(mean_row("network", name, converged[name], expected[name], **keys))
        rows.append(mean_row("network", "steps", converged["steps"], np.nan, **keys))
        rows.append(mean_row("network", "converged", networks["converged"], np.nan, **keys))
    return table(rows)
