r"""The approximation behind the theory, tested: the eigenmode's own kappa hardly depends on the training set.

For one eigenfunction, learnability on a given training set is exactly lambda / (lambda + kappa_D) with

    kappa_D = 1 / (phi^T K_-^-1 phi) = 1 / (phi^T K^-1 phi) - lambda,    K = Phi^T Lambda Phi,

K_- the kernel matrix without that mode (Simon et al. 2021, app. F). The theory replaces kappa_D by its mean, which
solves the conservation law.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float
from scipy import linalg

from ..domains import target_from
from ..domains.kernel_on_domain import KernelOnDomain
from ..kernels.matrix import KernelMatrix
from ..measurements.metrics import coefficients
from ..measurements.task import Points
from ..tables.means import curve, mean_row, table
from ..theory.conservation import effective_regularization
from .entries import Entry, Files, finite


def run(
    domain: Entry,
    architecture: Entry,
    targets: Sequence[Entry],
    train_sizes: Sequence[int],
    draws: int = 1000,
    files: Files | None = None,
) -> pd.DataFrame:
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
    listed, spectrum, kernel = finite(learner.domain), learner.spectrum, learner.blocks
    whole = kernel.block(listed.evaluation())
    rows = []
    for entry in targets:
        target = target_from(listed, entry)
        phi = np.asarray(target(*listed.evaluation()), dtype=float).reshape(listed.size)
        grid = np.geomspace(min(train_sizes), max(train_sizes), 100)
        rows += curve("kappa", grid, effective_regularization(spectrum, grid), "train_size", target=target.name)
        eigenvalue = coefficients(phi[:, None], (whole @ phi) / listed.size)[0]
        for train_size in train_sizes:
            inverse = np.array([_inverse(kernel, phi, listed.sample(train_size, draw)) for draw in range(draws)])
            keys = {"target": target.name, "train_size": train_size}
            kappa = float(effective_regularization(spectrum, train_size))
            rows.append(mean_row("kernel", "kappa", inverse - eigenvalue, kappa, **keys))
            share = inverse.var(ddof=1) / inverse.mean() ** 2
            rows.append({**mean_row("kernel", "relative variance", [share], np.nan, **keys), "functions": draws})
    return table(rows)


def _inverse(kernel: KernelMatrix, phi: Float[np.ndarray, " size"], training_set: Points) -> float:
    """1 / (phi^T K^-1 phi) on one training set."""
    on_train = phi[training_set[1]]
    return 1 / float(on_train @ linalg.solve(kernel.block(training_set), on_train, assume_a="pos"))
