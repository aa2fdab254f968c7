"""Predictions on a grid of training sizes, ridges and noise levels, by the system of equations that is asked for."""

from dataclasses import dataclass, field

import numpy as np

from ..common.errors import require
from ..spectra.spectrum import Spectrum
from . import eigenlearning, random_features
from .solution import Solution


@dataclass(frozen=True)
class Prediction:
    """What the theory says of a learner, on the broadcast grid of train_size, ridge and noise_std (shape `grid`).

    Targets with several outputs add a last axis `outputs` to everything but kappa, overfitting_coefficient and
    mode_learnabilities.
    """

    spectrum: Spectrum
    power: np.ndarray  # (levels,) or (levels, outputs)
    beyond: np.ndarray  # () or (outputs,): power on modes in the tail
    train_size: np.ndarray  # grid
    ridge: np.ndarray
    noise_std: np.ndarray
    kappa: np.ndarray  # effective regularization
    overfitting_coefficient: np.ndarray  # E0
    learnability: np.ndarray  # sum v^2 L / sum v^2
    bias: np.ndarray  # sum (1 - L)^2 v^2
    test_mse: np.ndarray  # against noisy labels: contains noise_std^2
    train_mse: np.ndarray
    variance: np.ndarray  # sum_i Var[vhat_i] = test - bias - noise_std^2
    solution: Solution = field(repr=False)

    @property
    def mode_learnabilities(self):
        """L_i of every level, grid + (levels,)."""
        return self.solution.mode_learnabilities().reshape(*self.kappa.shape, len(self.spectrum))

    @property
    def coefficient_mean(self):
        """E[vhat] = L v of a level's normalised component of the target, v = sqrt(power); grid + (levels, outputs)."""
        learned, coefficients = self.mode_learnabilities, np.sqrt(self.power)
        return learned * coefficients if self.power.ndim == 1 else learned[..., None] * coefficients

    @property
    def coefficient_variance(self):
        """Var[vhat_i] of each eigenfunction in the level; grid + (levels, outputs)."""
        return self.solution.coefficient_variance().reshape(*self.kappa.shape, *self.power.shape)


def predict(spectrum, target, train_size, ridge=0.0, noise_std=0.0, *, features=None):
    """Predict generalization from a kernel's spectrum alone.

    Parameters
    ----------
    spectrum : Spectrum
    target : Target
        Its power per level; the norm need not be 1.
    train_size, ridge, noise_std : floats or arrays, broadcast against each other
        n (any real >= 0), the absolute ridge delta, the standard deviation of the label noise sigma.
    features : float or array, optional, broadcast with the others
        Regression on that many random features of the kernel, e.g. the last hidden layer of a network of that width with
        only its readout trained, averaged over features (`learnability.theory.random_features`). Then train_size may be
        infinite. Missing: the kernel itself, the paper's equations (`learnability.theory.eigenlearning`).

    Returns
    -------
    Prediction

    Raises
    ------
    ValueError
        A negative or non-finite train_size, ridge or noise_std; powers that do not fit the spectrum; no features.
    """
    given = {"train_size": train_size, "ridge": ridge, "noise_std": noise_std}
    if features is not None:
        given["features"] = features
    grids = np.broadcast_arrays(*(_checked(name, value, features is not None) for name, value in given.items()))
    grids = dict(zip(given, (grid.copy() for grid in grids), strict=True))
    power, beyond = target.power_in(spectrum)
    equations = eigenlearning if features is None else random_features
    columns = power[:, None] if power.ndim == 1 else power
    solution = equations.solve(spectrum, columns, np.atleast_1d(beyond), *(grid.ravel() for grid in grids.values()))
    shape = grids["train_size"].shape
    return Prediction(
        spectrum=spectrum,
        power=power,
        beyond=beyond,
        train_size=grids["train_size"],
        ridge=grids["ridge"],
        noise_std=grids["noise_std"],
        **{name: getattr(solution, name).reshape(shape) for name in ("kappa", "overfitting_coefficient")},
        **{name: getattr(solution, name).reshape((*shape, *power.shape[1:])) for name in PER_OUTPUT},
        solution=solution,
    )


PER_OUTPUT = ("learnability", "bias", "test_mse", "train_mse", "variance")


def _checked(name, value, endless):
    """An argument as an array; ValueError if it is negative, or infinite where nothing is."""
    values = np.asarray(value, dtype=float)
    finite = np.isfinite(values) | (endless and name in ("train_size", "features")) & (values == np.inf)
    require(bool((finite & (values >= 0)).all()), f"{name} must be finite and >= 0, got {value!r}")
    return values
