"""Second-order statistics: mean, variance and covariance of the learned coefficients of a target of several modes."""

import numpy as np

from ..common.seeding import stream
from ..domains.kernel_on_domain import KernelOnDomain
from ..measurements.learned import learned_functions
from ..measurements.metrics import coefficients
from ..tables.means import mean_row, table
from ..theory.covariance import coefficient_covariance
from ..theory.eigenlearning import Eigenlearning
from ..theory.fourth_moments import FourthMoments
from ..theory.prediction import predict


def run(
    domain,
    architecture,
    width,
    train_sizes,
    coefficients_by_mode=None,
    random_modes=None,
    kernel_seeds=2000,
    network_seeds=100,
    shown=12,
    files=None,
):
    """The paper's E[vhat_i] = L_i v_i, Var[vhat_i] = E_test L_i^2 / n and no covariance, and those of fourth moments.

    Parameters
    ----------
    coefficients_by_mode : list of float
        The target's coefficients on the domain's eigenfunctions, in the order of their modes.
    random_modes : int
        Instead of given coefficients: random ones, of unit norm, on that many eigenfunctions.
    shown : int
        How many eigenfunctions are measured.

    Returns
    -------
    DataFrame
        Rows "coefficient" and "coefficient variance" against `mode`, "covariance" against mode and mode2 > mode; theory is
        that of fourth moments, paper the paper's. The standard error of a covariance is that of its mean over draws.
    """
    given = KernelOnDomain.of(domain, architecture, files=files)
    cube, spectrum, kernel = given.domain, given.spectrum, given.blocks
    modes, basis = cube.eigenfunctions()
    order = np.argsort(modes, kind="stable")
    modes, basis = modes[order], basis[:, order]
    if coefficients_by_mode is None:
        coefficients_by_mode = stream("target coefficients", modes=random_modes).standard_normal(random_modes)
        coefficients_by_mode /= np.linalg.norm(coefficients_by_mode)
    given = np.zeros(cube.size)
    given[: len(coefficients_by_mode)] = coefficients_by_mode
    target = cube.target(basis @ given, "several modes")
    level = np.array([spectrum.modes.tolist().index(mode) for mode in modes.tolist()])
    rows = []
    for train_size in train_sizes:
        p = predict(spectrum, target, train_size, theory=Eigenlearning())
        fourth = predict(spectrum, target, train_size, theory=FourthMoments(cube))
        matrix = coefficient_covariance(cube, spectrum, target, train_size, shown=order[:shown])
        theory = (fourth.mode_learnabilities[level] * given, matrix)
        paper = (p.mode_learnabilities[level] * given, np.diag(p.coefficient_variance[level[:shown]]))
        for source, size, seeds in (("kernel", None, kernel_seeds), ("network", width, network_seeds)):
            functions = learned_functions(cube, kernel, target, train_size, seeds, size)
            found = coefficients(basis[:, :shown], functions)  # (seeds, shown)
            rows += _second_order(source, found[np.isfinite(found).all(1)], theory, paper, train_size)
    return table(rows)


def _second_order(source, found, theory, paper, train_size):
    """Means, variances and covariances of learned coefficients (seeds, modes) beside (mean, covariance) of two theories."""
    several = len(found) > 1  # one draw has no variance
    centred = (found - found.mean(0)) * np.sqrt(len(found) / (len(found) - 1)) if several else found[:0]
    rows = []

    def add(measure, draws, moment, place, **keys):
        row = mean_row(source, measure, draws, theory[moment][place], train_size=train_size, **keys)
        rows.append({**row, "paper": float(paper[moment][place])})

    for i in range(found.shape[1]):
        add("coefficient", found[:, i], 0, i, mode=i)
        add("coefficient variance", centred[:, i] ** 2, 1, (i, i), mode=i)
        for j in range(i + 1, found.shape[1]):
            add("covariance", centred[:, i] * centred[:, j], 1, (i, j), mode=i, mode2=j)
    return rows
