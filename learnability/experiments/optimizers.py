"""Does the prediction hold for the training that users do? Networks of one method beside theory and kernel regression."""

from functools import partial

import numpy as np

from ..domains import domain_from, target_from
from ..domains.kernel_on_domain import KernelOnDomain
from ..ensembles.training.fit import fit
from ..kernels import architecture_from
from ..measurements.networks import network_experiment
from ..measurements.regression import kernel_experiment
from ..tables.means import mean_row, table
from ..tables.theory import theory_table

MEASURES = ("test_mse_off_train", "learnability")
CURVE_POINTS, SAMPLE_CURVE_POINTS = 60, 16  # the theory of a data set costs factorizations


def run(domain, architecture, target, train_sizes, width, method, seeds=10, training=None):
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
    input_domain, network = domain_from(domain), architecture_from(architecture)
    targets = {"target": target_from(input_domain, target)}
    learner = KernelOnDomain(input_domain, network)
    number = CURVE_POINTS if input_domain.alike else SAMPLE_CURVE_POINTS
    sizes = np.unique([*train_sizes, *np.geomspace(min(train_sizes), max(train_sizes), number)])
    theory = theory_table(learner, targets, sizes, [0.0], [0.0])
    rows = [
        {"source": "theory", "measure": name, "train_size": n, "mean": value}
        for name in MEASURES
        for n, value in zip(theory["train_size"], theory[name], strict=True)
    ]
    trained = partial(fit, network, width, method=method, **(training or {}))
    for n in train_sizes:
        at = theory[theory["train_size"] == n].iloc[0]
        kernels = kernel_experiment(input_domain, targets, learner.blocks, [n], [0.0], [0.0], range(seeds))
        networks, _, _ = network_experiment(input_domain, targets, n, [0.0], range(seeds), trained)
        done = networks[networks["converged"]]
        keys = {"train_size": n, "width": width, "method": method}
        for name in MEASURES:
            rows.append(mean_row("kernel", name, kernels[name], at[name], train_size=n))
            rows.append(mean_row("network", name, done[name], at[name], **keys))
        rows.append(mean_row("network", "steps", done["steps"], np.nan, **keys))
        rows.append(mean_row("network", "converged", networks["converged"], np.nan, **keys))
    return table(rows)
