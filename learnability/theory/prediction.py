"""Predictions on a grid of training sizes, ridges and noise levels, by the system of equations that is asked for."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ..common.errors import choose, reals, require, warn_caller
from ..common.threads import one_thread
from ..domains.domain import SymmetricDomain
from ..spectra.spectrum import Spectrum
from ..spectra.target import Target
from .eigenlearning import Eigenlearning
from .finite_population import FinitePopulation
from .fourth_moments import FourthMoments
from .random_features import RandomFeatures
from .solution import Solution
from .theory import SpectralTheory


@dataclass(frozen=True, repr=False)
class Prediction:
    """What the theory says of a learner, on the broadcast grid of train_size, ridge and noise_std (shape `grid`).

    Targets with several outputs add a last axis `outputs` to everything but kappa, overfitting_coefficient and
    mode_learnabilities.
    """

    spectrum: Spectrum
    theory: SpectralTheory
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
        from .drawing import lines  # here, because theory alone loads in a tenth of a second without matplotlib

        return lines(self.to_frame(), measure, ["ridge", "noise_std", "output"], axis)

    def __repr__(self):
        return f"Prediction from {self.spectrum!r}:\n{self.to_frame().to_string(index=False, max_rows=10)}"

    def _repr_html_(self):
        return self.to_frame().to_html(index=False, max_rows=20)


@one_thread
def predict(
    spectrum: Spectrum,
    target: Target,
    train_size: ArrayLike,
    ridge: ArrayLike = 0.0,
    noise_std: ArrayLike = 0.0,
    *,
    theory: SpectralTheory | None = None,
    population: ArrayLike | None = None,
    features: ArrayLike | None = None,
    correction: str | None = None,
    domain: SymmetricDomain | None = None,
) -> Prediction:
    """Predict generalization from a kernel's spectrum alone (Simon et al., arXiv 2110.03922, sec. 4.1, and extensions).

    `learnability.learning_curve` chooses the theory for a kernel on a domain. On a data set it knows the samples, and is closer
    to what is measured.

    Eigenvalues belong to the uniform probability measure, the ridge is absolute, errors are mean squared and against labels as
    noisy as those of training. The arrays of the result have the shape of the broadcast arguments, (grid), and one axis more,
    (grid, outputs), for a target of several outputs.

    Parameters
    ----------
    spectrum : Spectrum
    target : Target
        Its power per level; the norm need not be 1.
    train_size, ridge, noise_std : floats or arrays, broadcast against each other
        n (any real >= 0), the absolute ridge delta, the standard deviation of the label noise sigma. n may be infinite for
        random features.
    theory : SpectralTheory, optional
        The system of equations. Missing: the paper's, `Eigenlearning()`.
    population, features, correction, domain : optional
        Other names of theories, one at a time: population=M is `FinitePopulation(M)`, features=k is `RandomFeatures(k)`, and
        correction="fourth_moments" with domain=D is `FourthMoments(D)`. An infinite population is the paper's.

    Returns
    -------
    Prediction

    Raises
    ------
    ValueError
        A negative or non-finite train_size, ridge or noise_std; powers that do not fit the spectrum; no features; a
        population smaller than train_size or than the spectrum's number of modes; a domain that is not the spectrum's; two
        theories.

    Examples
    --------
    >>> import learnability as lb
    >>> cube = lb.Hypercube(dim=8)
    >>> spectrum = cube.spectrum(lb.FullyConnected(depth=4, activation="relu", weight_std=1.4, bias_std=0.1))
    >>> prediction = lb.predict(spectrum, cube.parity(1), train_size=[16, 64, 128])
    >>> prediction.learnability.round(3)
    array([0.42 , 0.828, 0.944])
    """
    named = _named_theories(population, features, correction, domain)
    chosen = [*([theory] if theory is not None else []), *named]
    require(len(chosen) <= 1, "give one of theory, population, features and correction: no theory knows two of them")
    equations = chosen[0] if chosen else Eigenlearning()
    require(
        isinstance(equations, SpectralTheory),
        f"theory: {equations!r} does not predict from a spectrum; use learning_curve, or one of "
        "Eigenlearning(), FinitePopulation(M), RandomFeatures(k), FourthMoments(domain)",
    )
    arguments = {"train_size": train_size, "ridge": ridge, "noise_std": noise_std, **equations.parameters}
    arrays = (reals(name, value, infinite=name in equations.endless) for name, value in arguments.items())
    grids = dict(zip(arguments, (grid.copy() for grid in np.broadcast_arrays(*arrays)), strict=True))
    power, beyond = target.power_in(spectrum)
    columns = power[:, None] if power.ndim == 1 else power
    if not np.all(power.sum(0) + beyond > 0):
        warn_caller(f"target {target.name!r} is zero everywhere: its learnability is undefined (nan)")
    flat = {name: grid.ravel() for name, grid in grids.items()}
    solution = equations.solve(spectrum, columns, np.atleast_1d(beyond), **flat)
    shape = grids["train_size"].shape

    def shaped(name):
        values = getattr(solution, name)
        outputs = power.shape[1:] if name in PER_OUTPUT else ()
        return None if values is None else values.reshape((*shape, *outputs))

    return Prediction(
        spectrum=spectrum,
        power=power,
        beyond=beyond,
        theory=equations,
        **{name: grids[name] for name in ("train_size", "ridge", "noise_std")},
        **{name: shaped(name) for name in ("kappa", "overfitting_coefficient", *PER_OUTPUT)},
        solution=solution,
    )


PER_OUTPUT = ("learnability", "bias", "test_mse", "train_mse", "variance", "test_mse_off_train")


def _named_theories(
    population: ArrayLike | None, features: ArrayLike | None, correction: str | None, domain: SymmetricDomain | None
) -> list[SpectralTheory]:
    """The theories that these keywords name."""
    together = (correction is None) == (domain is None)
    require(together, "correction 'fourth_moments' and domain are given together, or neither")
    theories: list[SpectralTheory] = []
    if features is not None:
        theories.append(RandomFeatures(features))
    if population is not None:
        sizes = reals("population", population, infinite=True)
        require(bool((sizes > 0).all()), f"population must be > 0, got {population!r}")
        finite = np.isfinite(sizes)
        require(
            bool(finite.all() or not finite.any()),
            f"population holds finite and infinite sizes, {population!r}; predict them one after the other",
        )
        theories.append(FinitePopulation(population) if finite.all() else Eigenlearning())
    if correction is not None:
        require(correction != "few_samples", "correction 'few_samples' is no more: 'fourth_moments' is more accurate")
        choose("correction", correction, ("fourth_moments",))
        theories.append(FourthMoments(domain))
    return theories
