"""Predictions on a grid of training sizes, ridges and noise levels, by the system of equations that is asked for."""

from dataclasses import dataclass
from functools import partial
from warnings import warn

import numpy as np

from ..common.errors import choose, reals, require
from ..spectra.spectrum import Spectrum
from . import eigenlearning, few_samples, finite_population, fourth_moments, random_features
from .solution import Solution


@dataclass(frozen=True, repr=False)
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
    test_mse_off_train: np.ndarray | None  # of a finite population, at points not in the training set
    solution: Solution

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

    def to_frame(self):
        """A tidy table, a row per grid point (and output, where there are several), the columns of a study's table.

        Returns
        -------
        DataFrame
            train_size, ridge, noise_std, kappa, overfitting_coefficient, learnability, train_mse, test_mse, bias, variance, and
            test_mse_off_train where a population is known.
        """
        import pandas as pd  # here, because theory alone loads in a tenth of a second without it

        names = ["learnability", "train_mse", "test_mse", "bias", "variance", "test_mse_off_train"]
        names = [name for name in names if getattr(self, name) is not None]
        shared = ("train_size", "ridge", "noise_std", "kappa", "overfitting_coefficient")
        outputs = self.power.shape[1:]
        columns = {}
        for name in (*shared, *names):
            values = getattr(self, name)
            if name in shared and outputs:
                values = np.broadcast_to(values[..., None], (*values.shape, *outputs))
            columns[name] = np.ravel(values)
        table = pd.DataFrame(columns)
        if outputs:
            table.insert(0, "output", np.tile(np.arange(outputs[0]), len(table) // outputs[0]))
        return table

    def plot(self, measure="test_mse", axis=None):
        """Draw one measure against the training-set size, a line per ridge, noise level and output.

        Parameters
        ----------
        measure : str, a column of `to_frame`
        axis : matplotlib Axes, optional
            Missing: those of a new figure.

        Returns
        -------
        The axes.
        """
        table = self.to_frame()
        choose(
            "measure", measure, [name for name in table if name not in ("output", "train_size", "ridge", "noise_std")]
        )
        if axis is None:
            from matplotlib import pyplot

            axis = pyplot.figure(layout="constrained").add_subplot()
        several = [name for name in ("ridge", "noise_std", "output") if name in table and table[name].nunique() > 1]
        for values, part in table.groupby(several) if several else [((), table)]:
            part = part.sort_values("train_size")
            label = ", ".join(f"{name} {value:g}" for name, value in zip(several, values, strict=True))
            axis.plot(part["train_size"], part[measure], label=label)
        axis.set(xlabel="training-set size $n$", ylabel=measure.replace("_", " "))
        if several:
            axis.legend()
        return axis

    def __repr__(self):
        return f"Prediction from {self.spectrum!r}:\n{self.to_frame().to_string(index=False, max_rows=10)}"

    def _repr_html_(self):
        return self.to_frame().to_html(index=False, max_rows=20)


def predict(
    spectrum,
    target,
    train_size,
    ridge=0.0,
    noise_std=0.0,
    *,
    population=None,
    features=None,
    correction=None,
    domain=None,
):
    """Predict generalization from a kernel's spectrum alone (Simon et al., arXiv 2110.03922, sec. 4.1, and extensions).

    On a data set `learnability.predict_samples`, which knows its samples, is closer to what is measured.

    Eigenvalues belong to the uniform probability measure, the ridge is absolute, errors are mean squared and against labels as
    noisy as those of training. The arrays of the result have the shape of the broadcast arguments, (grid), and one axis more,
    (grid, outputs), for a target of several outputs.

    Parameters
    ----------
    spectrum : Spectrum
    target : Target
        Its power per level; the norm need not be 1.
    train_size, ridge, noise_std : floats or arrays, broadcast against each other
        n (any real >= 0), the absolute ridge delta, the standard deviation of the label noise sigma.
    population : float or array, optional, broadcast with the others
        Training sets are drawn without replacement from that many points, as on a hypercube, a circle or a data set
        (`learnability.theory.finite_population`). Missing or infinite: with replacement, the paper's equations.
    features : float or array, optional, broadcast with the others
        Regression on that many random features of the kernel, e.g. the last hidden layer of a network of that width with
        only its readout trained, averaged over features (`learnability.theory.random_features`). Then train_size may be
        infinite. Missing: the kernel itself, the paper's equations (`learnability.theory.eigenlearning`).

    correction : "few_samples" or "fourth_moments", optional
        "fourth_moments": the next order in 1/n, with any ridge and noise, for kernels of hypercube, circle and sphere; training
        sets are drawn without replacement from a domain that is a list of points (`learnability.theory.fourth_moments`).
        "few_samples": learnability grows sample by sample, and a mode's error is carried by the others; without a ridge, for
        any spectrum with one dominant mode and n below about 16 (`learnability.theory.few_samples`).
    domain : SymmetricDomain, with correction "fourth_moments" only
        The domain that the spectrum belongs to.

    Returns
    -------
    Prediction

    Raises
    ------
    ValueError
        A negative or non-finite train_size, ridge or noise_std; powers that do not fit the spectrum; no features; a
        population smaller than train_size or than the spectrum's number of modes; a domain that is not the spectrum's.
    """
    several = sum(option is not None for option in (population, features, correction)) > 1
    require(not several, "give one of population, features and correction: no theory knows two of them")
    given = {"train_size": train_size, "ridge": ridge, "noise_std": noise_std}
    equations = eigenlearning
    if features is not None:
        given["features"], equations = features, random_features
    elif population is not None:
        sizes = reals("population", population, infinite=True)
        require(bool((sizes > 0).all()), f"population must be > 0, got {population!r}")
        finite = np.isfinite(sizes)
        require(
            bool(finite.all() or not finite.any()),
            f"population holds finite and infinite sizes, {population!r}; predict them one after the other",
        )
        given["population"], equations = sizes, finite_population if finite.any() else eigenlearning
    elif correction is not None:
        equations = CORRECTIONS[choose("correction", correction, CORRECTIONS)]
    required = correction == "fourth_moments"
    require(required == (domain is not None), "correction 'fourth_moments' and domain are given together, or neither")
    solve = partial(equations.solve, domain=domain) if required else equations.solve
    endless = ("train_size", "features") if features is not None else ("population",)
    grids = np.broadcast_arrays(*(reals(name, value, infinite=name in endless) for name, value in given.items()))
    grids = dict(zip(given, (grid.copy() for grid in grids), strict=True))
    if equations is eigenlearning:
        grids.pop("population", None)  # infinite: the paper's equations do not ask for it
    power, beyond = target.power_in(spectrum)
    columns = power[:, None] if power.ndim == 1 else power
    if not np.all(power.sum(0) + beyond > 0):
        warn(f"target {target.name!r} is zero everywhere: its learnability is undefined (nan)", stacklevel=2)
    solution = solve(spectrum, columns, np.atleast_1d(beyond), *(grid.ravel() for grid in grids.values()))
    shape = grids["train_size"].shape

    def shaped(name):
        values = getattr(solution, name)
        outputs = power.shape[1:] if name in PER_OUTPUT else ()
        return None if values is None else values.reshape((*shape, *outputs))

    return Prediction(
        spectrum=spectrum,
        power=power,
        beyond=beyond,
        **{name: grids[name] for name in ("train_size", "ridge", "noise_std")},
        **{name: shaped(name) for name in ("kappa", "overfitting_coefficient", *PER_OUTPUT)},
        solution=solution,
    )


CORRECTIONS = {"few_samples": few_samples, "fourth_moments": fourth_moments}
PER_OUTPUT = ("learnability", "bias", "test_mse", "train_mse", "variance", "test_mse_off_train")
