r"""The approximation behind the theory, tested: the eigenmode's own kappa hardly depends on the training set.

For one eigenfunction, learnability on a given training set is exactly lambda / (lambda + kappa_D) with

    kappa_D = 1 / (phi^T K_-^-1 phi) = 1 / (phi^T K^-1 phi) - lambda,    K = Phi^T Lambda Phi,

K_- the kernel matrix without that mode (Simon et al. 2021, app. F). The theory replaces kappa_D by its mean, which
solves the conservation law.
"""

import numpy as np
from scipy import linalg

from ..domains import target_from
from ..domains.kernel_on_domain import KernelOnDomain
from ..measurements.metrics import coefficients
from ..tables.means import curve, mean_row, table
from ..theory.conservation import effective_regularization


def run(domain, architecture, targets, train_sizes, draws=1000, files=None):
    """Mean and relative variance of 1 / (phi^T K^-1 phi) and of kappa_D over training sets.

    Parameters
    ----------
    domain, architecture : dicts; the domain is finite
    targets : list of dict
        Eigenfunctions of the domain.

    Returns
    -------
    DataFrame
        Per target and training size: "kappa" (theory: the conservation law), "relative variance" of kappa_D + lambda.
    """
    learner = KernelOnDomain.of(domain, architecture, files=files)
    input_domain, spectrum, kernel = learner.domain, learner.spectrum, learner.blocks
    whole = kernel.block(input_domain.evaluation()) if kernel.matrix is None else kernel.matrix
    rows = []
    for specification in targets:
        target = target_from(input_domain, specification)
        phi = np.asarray(target(*input_domain.evaluation())).reshape(input_domain.size)
        grid = np.geomspace(min(train_sizes), max(train_sizes), 100)
        rows += curve("kappa", grid, effective_regularization(spectrum, grid), "train_size", target=target.name)
        eigenvalue = coefficients(phi[:, None], (whole @ phi) / input_domain.size)[0]
        for train_size in train_sizes:
            inverse = np.empty(draws)
            for draw in range(draws):
                train = input_domain.sample(train_size, draw)
                solution = linalg.solve(kernel.block(train), phi[train[1]], assume_a="pos")
                inverse[draw] = 1 / (phi[train[1]] @ solution)
            keys = {"target": target.name, "train_size": train_size}
            kappa = float(effective_regularization(spectrum, train_size))
            rows.append(mean_row("kernel", "kappa", inverse - eigenvalue, kappa, **keys))
            share = inverse.var(ddof=1) / inverse.mean() ** 2
            rows.append({**mean_row("kernel", "relative variance", [share], np.nan, **keys), "functions": draws})
    return table(rows)
