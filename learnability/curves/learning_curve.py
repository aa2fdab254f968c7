"""Learning curves of a kernel on a domain, by the theory that fits the question (`learnability.curves.choice`)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ..common.errors import reals, require
from ..common.threads import one_thread
from ..domains.domain import Domain
from ..domains.kernel_on_domain import KernelOnDomain
from ..domains.normalisation import normalised, variances
from ..spectra.spectrum import Spectrum
from ..spectra.target import Target
from ..theory.drawing import lines
from ..theory.per_sample import PerSample
from ..theory.prediction import Prediction, predict
from ..theory.statistics import off_training_mse, sign_accuracy
from ..theory.theory import SpectralTheory, Theory
from .choice import theory_for

MEASURES = (
    "kappa",
    "overfitting_coefficient",
    "learnability",
    "learnability_std",
    "train_mse",
    "test_mse",
    "test_mse_off_train",
    "accuracy",
    "accuracy_off_train",
)


@dataclass(frozen=True, repr=False)
class LearningCurve:
    """What theory says of a learner on the broadcast grid of train_size, ridge and noise_std, of shape (grid).

    Errors are means over outputs, against labels as noisy as the training labels. What the theory does not know is nan.
    """

    target: Target
    theory: NDArray  # grid, of str: the system of equations that each number comes from
    train_size: NDArray  # grid
    ridge: NDArray
    noise_std: NDArray
    kappa: NDArray  # effective regularization
    overfitting_coefficient: NDArray  # E0
    learnability: NDArray  # <f, E[fhat]> / <f, f>
    learnability_std: NDArray  # its standard deviation over training sets
    train_mse: NDArray
    test_mse: NDArray  # over the domain, training points included
    test_mse_off_train: NDArray  # at points that are not in the training set
    accuracy: NDArray  # where labels are classes, over the domain
    accuracy_off_train: NDArray  # at points that are not in the training set
    population: NDArray  # points from which training sets are drawn without replacement; inf: with replacement
    target_variance: float  # of the labels about their mean
    samples: NDArray | None = None  # (samples,): which of a data set's the theory of samples has seen
    sample_errors: NDArray | None = None  # grid + (samples,): of each where it is not in the training set

    @property
    def nmse(self) -> NDArray:
        """The error off the training set over the variance of the labels there; 1 is that of their mean."""
        return normalised(self.test_mse_off_train, self.target_variance, self.noise_std)

    @property
    def r2(self) -> NDArray:
        """1 - nmse."""
        return 1 - self.nmse

    def to_frame(self) -> pd.DataFrame:
        """A tidy table, a row per grid point, with the columns of a study's table."""
        names = ("train_size", "ridge", "noise_std", *MEASURES, "nmse", "r2", "population", "theory")
        columns = {name: np.ravel(getattr(self, name)) for name in names}
        return pd.DataFrame(columns).assign(target=self.target.name, target_variance=self.target_variance)

    def plot(self, measure: str = "test_mse_off_train", axis=None):
        """Draw one measure against the training-set size, a line per ridge and noise level; returns the axes."""
        return lines(self.to_frame(), measure, ["ridge", "noise_std"], axis)

    def __repr__(self) -> str:
        table = self.to_frame().drop(columns=["target", "target_variance", "population"]).dropna(axis=1, how="all")
        return f"LearningCurve of {self.target!r}:\n{table.to_string(index=False, max_rows=10)}"

    def _repr_html_(self) -> str:
        return self.to_frame().to_html(index=False, max_rows=20)


@one_thread
def learning_curve(
    domain: Domain,
    kernel,
    target: Target | None = None,
    train_size: ArrayLike = (),
    ridge: ArrayLike = 0.0,
    noise_std: ArrayLike = 0.0,
    theory: str | Theory = "auto",
    *,
    kind: str = "ntk",
) -> LearningCurve:
    """Predict how well a kernel learns a target on a domain, by the theory that fits the domain.

    Parameters
    ----------
    domain : Domain
        `lb.Hypercube`, `lb.Circle`, `lb.Hypersphere`, `lb.Samples` and others.
    kernel : Kernel
        `lb.FullyConnected` or any other.
    target : Target on the domain, optional
        Missing: all labels of a data set.
    train_size, ridge, noise_std : floats or arrays, broadcast against each other
        n, the absolute ridge delta, the standard deviation of the label noise.
    theory : "auto", the name of a system of equations, or the system itself
        See `learnability.curves.choice`: "eigenlearning" (Simon et al., arXiv 2110.03922), "finite_population",
        "fourth_moments", "per_sample"; `lb.RandomFeatures(k)`.
    kind : "ntk" or "nngp"

    Returns
    -------
    LearningCurve

    Raises
    ------
    ValueError
        Sizes that the domain does not have, a theory that it does not allow, a missing target; what `lb.predict` and
        `lb.predict_samples` refuse.

    Examples
    --------
    >>> import learnability as lb
    >>> cube = lb.Hypercube(dim=8)
    >>> network = lb.FullyConnected(depth=4, activation="relu", weight_std=1.4, bias_std=0.1)
    >>> curve = lb.learning_curve(cube, network, cube.parity(1), train_size=[16, 64, 128])
    >>> curve.test_mse_off_train.round(3)
    array([0.446, 0.062, 0.014])
    >>> str(curve.theory[0])
    'finite_population'
    """
    if target is None:
        has_labels = hasattr(domain, "all")
        require(has_labels, f"target is missing; {domain} has {', '.join(domain.targets)}, e.g. domain.parity(3)")
        target = domain.all()
    return curve_of(KernelOnDomain(domain, kernel, kind), target, train_size, ridge, noise_std, theory)


@one_thread
def curve_of(
    learner: KernelOnDomain,
    target: Target,
    train_size: ArrayLike,
    ridge: ArrayLike = 0.0,
    noise_std: ArrayLike = 0.0,
    theory: str | Theory = "auto",
) -> LearningCurve:
    """`learning_curve` of a kernel on a domain whose matrix and spectrum are kept, or lie in files."""
    given = {"train_size": train_size, "ridge": ridge, "noise_std": noise_std}
    arrays = np.broadcast_arrays(
        *(reals(name, values, infinite=name == "train_size") for name, values in given.items())
    )
    require(arrays[0].size > 0, "train_size, ridge and noise_std hold no value; write e.g. train_size=[32, 128]")
    shape, flat = arrays[0].shape, [array.ravel() for array in arrays]
    by_size = {n: theory_for(learner.domain, n, theory) for n in np.unique(flat[0])}
    names = np.array([by_size[n].name for n in flat[0]])
    columns: dict[str, NDArray] = {"theory": names}
    samples = None
    for system in {system.name: system for system in by_size.values()}.values():
        chosen = names == system.name
        part, seen = _solved(system, learner, target, [array[chosen] for array in flat])
        samples = seen if seen is not None else samples
        for name, values in part.items():
            column = columns.setdefault(name, np.full((len(chosen), *values.shape[1:]), np.nan, values.dtype))
            column[chosen] = values
    columns = {name: values.reshape((*shape, *values.shape[1:])) for name, values in columns.items()}
    grids = dict(zip(given, (array.copy() for array in arrays), strict=True))
    variance = float(variances(learner.domain, target).mean())
    return LearningCurve(target=target, target_variance=variance, samples=samples, **grids, **columns)


def _solved(
    system: Theory, learner: KernelOnDomain, target: Target, grid: Sequence[NDArray]
) -> tuple[dict[str, NDArray], NDArray | None]:
    """The columns of a learning curve on a flat grid, and the samples that the theory has seen."""
    domain = learner.domain
    if isinstance(system, PerSample):
        return _of_samples(system, learner, target, grid)
    require(isinstance(system, SpectralTheory), f"theory {system!r} is neither of a spectrum nor of samples")
    if learner.dense:
        spectrum, aim = learner.spectrum, target
    else:
        large = learner.large_spectrum(target)
        spectrum, aim = large.spectrum, large.target
    values = target(*domain.evaluation())
    signs = values.size == len(values) and bool((abs(values) == 1).all())
    return spectral_columns(spectrum, aim, grid, system, domain.size, signs), None


def spectral_columns(
    spectrum: Spectrum,
    target: Target,
    grid: Sequence[NDArray],
    theory: SpectralTheory,
    points: int | None = None,
    signs: bool = False,
) -> dict[str, NDArray]:
    """The columns of a learning curve from a spectrum alone, each (grid,).

    Parameters
    ----------
    grid : train_size, ridge, noise_std, each (grid,)
    points : int, optional
        Size of a finite domain, for the error off the training set.
    signs : bool
        Whether the target has the values +-1, so that an accuracy is known.
    """
    p = predict(spectrum, target, *grid, theory=theory)
    n, _, noise = grid
    test, train = _mean_over_outputs(p.test_mse, n), _mean_over_outputs(p.train_mse, n)
    if p.test_mse_off_train is not None:
        off = _mean_over_outputs(p.test_mse_off_train, n)
    else:
        off = test if points is None else off_training_mse(test, train, n, points, noise)
    learnability = p.learnability if p.power.ndim == 1 else p.learnability @ (p.power.sum(0) / p.power.sum())
    return {
        "kappa": p.kappa,
        "overfitting_coefficient": p.overfitting_coefficient,
        "learnability": learnability,
        "learnability_std": _learnability_std(p),
        "train_mse": train,
        "test_mse": test,
        "test_mse_off_train": off,
        **_accuracies(p, points if signs else None),
        "population": np.broadcast_to(np.asarray(theory.parameters.get("population", np.inf), dtype=float), n.shape),
    }


def _accuracies(prediction: Prediction, points: int | None) -> dict[str, NDArray]:
    """Accuracies of a target of signs on a finite domain; nan where `points`, its size, is None."""
    if points is None:
        return dict.fromkeys(("accuracy", "accuracy_off_train"), np.full(prediction.kappa.shape, np.nan))
    return {
        "accuracy": sign_accuracy(prediction, points),
        "accuracy_off_train": sign_accuracy(prediction, points, off_train=True),
    }


def _of_samples(
    system: PerSample, learner: KernelOnDomain, target: Target, grid: Sequence[NDArray]
) -> tuple[dict[str, NDArray], NDArray]:
    index = learner.samples(system.most)
    labels, size = target.values[index], learner.domain.size
    p = system.solve(learner.matrix(index), labels, *grid, population=size)
    n = grid[0]
    power = (labels.reshape(len(labels), -1) ** 2).mean(0)
    learnability = p.learnability if labels.ndim == 1 else p.learnability @ (power / power.sum())
    errors = p.off_train_errors if labels.ndim == 1 else p.off_train_errors.mean(-1)
    unknown = np.full(len(n), np.nan)
    columns = {
        "kappa": unknown,
        "overfitting_coefficient": unknown,
        "learnability": learnability,
        "learnability_std": unknown,
        "train_mse": _mean_over_outputs(p.train_mse, n),
        "test_mse": _mean_over_outputs(p.test_mse, n),
        "test_mse_off_train": _mean_over_outputs(p.test_mse_off_train, n),
        "accuracy": p.accuracy,
        "accuracy_off_train": p.accuracy_off_train,
        "population": np.full(len(n), float(size)),
        "sample_errors": errors,
    }
    return columns, index


def _mean_over_outputs(values: NDArray, grid: NDArray) -> NDArray:
    return values if values.ndim == grid.ndim else values.mean(-1)


def _learnability_std(prediction: Prediction) -> NDArray:
    """Standard deviation of <f, fhat>/<f, f>; nan where the test error is infinite."""
    power = prediction.power.reshape(len(prediction.power), -1)
    spread = prediction.coefficient_variance.reshape(*prediction.kappa.shape, *power.shape)
    with np.errstate(invalid="ignore"):
        variance = (power * spread).sum((-2, -1)) / (power.sum() + prediction.beyond.sum()) ** 2
    return np.sqrt(np.where(np.isfinite(variance), variance, np.nan))
