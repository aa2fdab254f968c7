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
    learner = KernelOnDomain.of(domain, architecture, files=files)
    cube, spectrum, kernel = learner.domain, learner.spectrum, learner.blocks
    modes, basis = cube.eigenfunctions()
    order = np.argsort(modes, kind="stable")
    modes, basis = modes[order], basis[:, order]
    if coefficients_by_mode is None:
        coefficients_by_mode = stream("target coefficients", modes=random_modes).standard_normal(random_modes)
        coefficients_by_mode /= np.linalg.norm(coefficients_by_mode)
    of_target = np.zeros(cube.size)
    of_target[: len(coefficients_by_mode)] = coefficients_by_mode
    target = cube.target(basis @ of_target, "several modes")
    level = np.array([spectrum.modes.tolist().index(mode) for mode in modes.tolist()])
    rows = []
    for train_size in train_sizes:
        p = predict(spectrum, target, train_size, theory=Eigenlearning())
        fourth = predict(spectrum, target, train_size, theory=FourthMoments(cube))
        matrix = coefficient_covariance(cube, spectrum, target, train_size, shown=order[:shown])
        theory = (fourth.mode_learnabilities[level] * of_target, matrix)
        paper = (p.mode_learnabilities[level] * of_target, np.diag(p.coefficient_variance[level[:shown]]))
        for source, size, seeds in (("kernel", None, kernel_seeds), ("network", width, network_seeds)):
            functions = learned_functions(cube, kernel, target, train_size, seeds, size)
            learned = coefficients(basis[:, :shown], functions)  # (seeds, shown)
            rows += _second_order(source, learned[np.isfinite(learned).all(1)], theory, paper, train_size)
    return table(rows)


def _second_order(source, learned, theory, paper, train_size):
    """Means, variances and covariances of learned coefficients (seeds, modes) beside (mean, covariance) of two theories."""
    several = len(learned) > 1  # one draw has no variance
    centred = (learned - learned.mean(0)) * np.sqrt(len(learned) / (len(learned) - 1)) if several else learned[:0]
    rows = []

    def add(measure, draws, moment, entry, **keys):
        row = mean_row(source, measure, draws, theory[moment][entry], train_size=train_size, **keys)
        rows.append({**row, "paper": float(paper[moment][entry])})

    for i in range(learned.shape[1]):
        add("coefficient", learned[:, i], 0, i, mode=i)
        add("coefficient variance", centred[:, i] ** 2, 1, (i, i), mode=i)
        for j in range(i + 1, learned.shape[1]):
            add("covariance", centred[:, i] * centred[:, j], 1, (i, j), mode=i, mode2=j)
    return rows
