"""Second-order statistics: mean, variance and covariance of the learned coefficients of a target of several modes."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float

from ..common.errors import require
from ..common.seeding import stream
from ..domains.circle import Circle
from ..domains.hypercube import Hypercube
from ..domains.kernel_on_domain import KernelOnDomain
from ..measurements.learned import learned_functions
from ..measurements.metrics import coefficients
from ..tables.means import Row, mean_row, table
from ..theory.covariance import coefficient_covariance
from ..theory.eigenlearning import Eigenlearning
from ..theory.fourth_moments import FourthMoments
from ..theory.prediction import predict
from .entries import Entry, Files, of_kind

Moments = tuple[Float[np.ndarray, " modes"], Float[np.ndarray, "shown shown"]]  # means and covariances of coefficients


def run(
    domain: Entry,
    architecture: Entry,
    width: int,
    train_sizes: Sequence[int],
    coefficients_by_mode: Sequence[float] | None = None,
    random_modes: int | None = None,
    kernel_seeds: int = 2000,
    network_seeds: int = 100,
    shown: int = 12,
    files: Files | None = None,
) -> pd.DataFrame:
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
    cube, spectrum, kernel = of_kind(learner.domain, Hypercube, Circle), learner.spectrum, learner.blocks
    modes, basis = cube.eigenfunctions()
    order = np.argsort(modes, kind="stable")
    modes, basis = modes[order], basis[:, order]
    first = _random_coefficients(random_modes) if coefficients_by_mode is None else coefficients_by_mode
    target_coefficients = np.zeros(cube.size)
    target_coefficients[: len(first)] = first
    target = cube.target(basis @ target_coefficients, "several modes")
    level = np.array([spectrum.modes.tolist().index(mode) for mode in modes.tolist()])
    rows = []
    for train_size in train_sizes:
        published = predict(spectrum, target, train_size, theory=Eigenlearning())
        fourth = predict(spectrum, target, train_size, theory=FourthMoments(cube))
        matrix = coefficient_covariance(cube, spectrum, target, train_size, shown=order[:shown])
        theory = (fourth.mode_learnabilities[level] * target_coefficients, matrix)
        paper = (
            published.mode_learnabilities[level] * target_coefficients,
            np.diag(published.coefficient_variance[level[:shown]]),
        )
        for source, size, seeds in (("kernel", None, kernel_seeds), ("network", width, network_seeds)):
            functions = learned_functions(cube, kernel, target, train_size, seeds, size)
            learned = coefficients(basis[:, :shown], functions)
            rows += _second_order(source, learned[np.isfinite(learned).all(1)], theory, paper, train_size)
    return table(rows)


def _random_coefficients(number: int | None) -> Float[np.ndarray, " coefficients"]:
    """Random coefficients of unit norm."""
    require(number is not None, "covariance needs random_modes or coefficients_by_mode; give one of them")
    drawn = stream("target coefficients", modes=number).standard_normal(number)
    return drawn / np.linalg.norm(drawn)


def _second_order(
    source: str, learned: Float[np.ndarray, "seeds shown"], theory: Moments, paper: Moments, train_size: int
) -> list[Row]:
    """Means, variances and covariances of learned coefficients (seeds, modes) beside (mean, covariance) of two theories."""
    number, shown = learned.shape
    centred = learned[:0]  # one draw has no variance
    if number > 1:
        centred = (learned - learned.mean(0)) * np.sqrt(number / (number - 1))
    (means, covariances), (paper_means, paper_covariances) = theory, paper
    rows = []

    def add(measure: str, draws: Float[np.ndarray, " seeds"], expected: float, published: float, **modes: int) -> None:
        row = mean_row(source, measure, draws, expected, train_size=train_size, **modes)
        rows.append({**row, "paper": float(published)})

    for i in range(shown):
        add("coefficient", learned[:, i], means[i], paper_means[i], mode=i)
        add("coefficient variance", centred[:, i] ** 2, covariances[i, i], paper_covariances[i, i], mode=i)
        for j in range(i + 1, shown):
            products = centred[:, i] * centred[:, j]
            add("covariance", products, covariances[i, j], paper_covariances[i, j], mode=i, mode2=j)
    return rows
