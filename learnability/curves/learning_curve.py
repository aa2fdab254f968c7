"""Learning curves of a kernel on a domain, by the theory that fits the question (`learnability.curves.choice`)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from jaxtyping import Float, Int, Shaped
from numpy.typing import ArrayLike

from ..common.errors import choose, reals, require, warn_caller
from ..common.threads import one_thread
from ..domains.domain import Domain
from ..domains.kernel_on_domain import KernelOnDomain
from ..domains.normalisation import normalised, variances
from ..domains.samples import Samples
from ..spectra.spectrum import Spectrum
from ..spectra.target import Target
from ..theory.extrapolation import Extrapolation
from ..theory.per_sample import PerSample
from ..theory.prediction import Prediction, predict
from ..theory.statistics import off_training_mse, sign_accuracy
from ..theory.theory import SpectralTheory, Theory
from .beyond import checks, extrapolations
from .choice import BeyondTheData, theory_for
from .ridges import best_ridges

if TYPE_CHECKING:
    import matplotlib.axes

Columns = dict[str, np.ndarray]
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
INTERVAL = ("test_mse_low", "test_mse_high")


@dataclass(frozen=True, repr=False)
class LearningCurve:
    """What theory says of a learner on the broadcast grid of train_size, ridge and noise_std, of shape (grid).

    Errors are means over outputs, against labels as noisy as the training labels. What the theory does not say is nan. For
    more samples than a data set has, test_mse_off_train is the median of an interval of 90 per cent.

    Examples
    --------
    >>> import learnability as lb
    >>> cube = lb.Hypercube(dim=8)
    >>> curve = lb.learning_curve(cube, lb.FullyConnected(2), cube.parity(1), train_size=[16, 64])
    >>> curve.nmse.round(3), curve.r2.round(3)
    (array([0.278, 0.015]), array([0.722, 0.985]))
    >>> curve.to_frame()[["train_size", "learnability", "theory"]].round(3)
       train_size  learnability             theory
    0        16.0         0.569  finite_population
    1        64.0         0.919  finite_population
    """

    target: Target
    theory: Shaped[np.ndarray, "*grid"]  # of str: the system of equations that each number comes from
    train_size: Float[np.ndarray, "*grid"]
    ridge: Float[np.ndarray, "*grid"]
    noise_std: Float[np.ndarray, "*grid"]
    kappa: Float[np.ndarray, "*grid"]  # effective regularization
    overfitting_coefficient: Float[np.ndarray, "*grid"]  # E0
    learnability: Float[np.ndarray, "*grid"]  # <f, E[fhat]> / <f, f>
    learnability_std: Float[np.ndarray, "*grid"]  # its standard deviation over training sets
    train_mse: Float[np.ndarray, "*grid"]
    test_mse: Float[np.ndarray, "*grid"]  # over the domain, training points included
    test_mse_off_train: Float[np.ndarray, "*grid"]  # at points that are not in the training set
    accuracy: Float[np.ndarray, "*grid"]  # where labels are classes, over the domain
    accuracy_off_train: Float[np.ndarray, "*grid"]  # at points that are not in the training set
    population: Float[
        np.ndarray, "*grid"
    ]  # points from which training sets are drawn without replacement; inf: with replacement
    target_variance: float  # of the labels about their mean
    test_mse_low: Float[np.ndarray, "*grid"]  # the interval of test_mse_off_train beyond the data, nan elsewhere
    test_mse_high: Float[np.ndarray, "*grid"]
    remarks: tuple[str, ...] = ()  # why a number must not be trusted; `learning_curve` warns of each
    extrapolations: dict[float, Extrapolation] = field(default_factory=dict)  # by ridge: samples needed beyond the data
    samples: Int[np.ndarray, " samples"] | None = None  # which of a data set's the theory of samples was solved on
    sample_errors: Float[np.ndarray, "*grid samples"] | None = None  # of each where it is not in the training set

    @property
    def nmse(self) -> Float[np.ndarray, "*grid"]:
        """The error off the training set over the variance of the labels there; 1 is that of their mean."""
        return normalised(self.test_mse_off_train, self.target_variance, self.noise_std)

    @property
    def r2(self) -> Float[np.ndarray, "*grid"]:
        """1 - nmse."""
        return 1 - self.nmse

    def to_frame(self) -> pd.DataFrame:
        """A tidy table, a row per grid point, with the columns of a study's table, and of the interval beyond the data."""
        interval = INTERVAL if self.extrapolations else ()
        names = ("train_size", "ridge", "noise_std", *MEASURES, *interval, "nmse", "r2", "population", "theory")
        columns = {name: np.ravel(getattr(self, name)) for name in names}
        return pd.DataFrame(columns).assign(target=self.target.name, target_variance=self.target_variance)

    def plot(
        self, measure: str = "test_mse_off_train", axis: "matplotlib.axes.Axes | None" = None
    ) -> "matplotlib.axes.Axes":
        """Draw one measure against the training-set size, a line per ridge and noise level; returns the axes."""
        from ..theory.drawing import lines  # not above, because jobs of the theory draw nothing

        return lines(self.to_frame(), measure, ["ridge", "noise_std"], axis)

    def __repr__(self) -> str:
        table = self.to_frame().drop(columns=["target", "target_variance", "population"]).dropna(axis=1, how="all")
        remarks = "".join(f"\ndoubtful: {remark}" for remark in self.remarks)
        return f"LearningCurve of {self.target!r}:\n{table.to_string(index=False, max_rows=10)}{remarks}"

    def _repr_html_(self) -> str:
        return self.to_frame().to_html(index=False, max_rows=20)


@one_thread
def learning_curve(
    domain: Domain,
    kernel: Any,
    target: Target | None = None,
    train_size: ArrayLike = (),
    ridge: ArrayLike | Literal["auto"] = 0.0,
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
        n, the absolute ridge delta, the standard deviation of the label noise. Of a data set n may be up to 16 times its
        samples: what is beyond them is extrapolated, with an interval (`learnability.extrapolate`). On a data set the ridge
        may be "auto", the best one of each size up to 4096 samples (`learnability.theory.best_ridge`).
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
        Sizes that the domain does not have, a theory that it does not allow, a missing target, label noise beyond the data;
        what `lb.predict`, `lb.predict_samples` and `lb.extrapolate` refuse.

    Warns
    -----
    UserWarning
        Each of the curve's `remarks`: on a data set, regression on random training sets contradicts the theory at the
        largest size (`learnability.theory.self_check`, on at most 500 samples); an extrapolation is not to be trusted.

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
        if not isinstance(domain, Samples):
            raise ValueError(f"target is missing; {domain} has {', '.join(domain.targets)}, e.g. domain.parity(3)")
        target = domain.all()
    return checked_curve(KernelOnDomain(domain, kernel, kind), target, train_size, ridge, noise_std, theory)


@one_thread
def checked_curve(
    learner: KernelOnDomain,
    target: Target,
    train_size: ArrayLike,
    ridge: ArrayLike | Literal["auto"] = 0.0,
    noise_std: ArrayLike = 0.0,
    theory: str | Theory = "auto",
) -> LearningCurve:
    """`curve_of`, checked by regression where its theory is that of samples; each remark is a warning, too.

    Examples
    --------
    >>> import learnability as lb
    >>> cube = lb.Hypercube(dim=6)
    >>> checked_curve(KernelOnDomain(cube, lb.FullyConnected(1)), cube.parity(1), [8, 16]).remarks
    ()
    """
    curve = curve_of(learner, target, train_size, ridge, noise_std, theory)
    by_samples = curve.theory == PerSample.name
    if by_samples.any():
        found = checks(learner, target, curve.train_size[by_samples].max(), curve.ridge[by_samples])
        curve = replace(curve, remarks=(*found, *curve.remarks))
    for remark in curve.remarks:
        warn_caller(remark)
    return curve


@one_thread
def curve_of(
    learner: KernelOnDomain,
    target: Target,
    train_size: ArrayLike,
    ridge: ArrayLike | Literal["auto"] = 0.0,
    noise_std: ArrayLike = 0.0,
    theory: str | Theory = "auto",
) -> LearningCurve:
    """`learning_curve` of a kernel on a domain whose matrix and spectrum are kept, or lie in files."""
    if isinstance(ridge, str):
        choose("ridge", ridge, ["auto"])
        ridge = best_ridges(learner, target, reals("train_size", train_size), reals("noise_std", noise_std))
    sizes, ridges, noise_stds = np.broadcast_arrays(
        reals("train_size", train_size, infinite=True), reals("ridge", ridge), reals("noise_std", noise_std)
    )
    require(sizes.size > 0, "train_size, ridge and noise_std hold no value; write e.g. train_size=[32, 128]")
    flat = [array.ravel() for array in (sizes, ridges, noise_stds)]
    by_size = {n: theory_for(learner.domain, n, theory) for n in np.unique(sizes)}
    names = np.array([by_size[n].name for n in flat[0]])
    columns: dict[str, np.ndarray] = {"theory": names, **{name: np.full(len(names), np.nan) for name in INTERVAL}}
    beyond: dict[float, Extrapolation] = {}
    samples, remarks = None, list[str]()
    for system in {system.name: system for system in by_size.values()}.values():
        chosen = names == system.name
        grid = [array[chosen] for array in flat]
        if isinstance(system, BeyondTheData):
            require(
                not grid[2].any(),
                f"noise_std must be 0 beyond the {learner.domain.size} samples; labels have the noise that they hold",
            )
            beyond, remarks = extrapolations(learner, target, *grid[:2])
            part = _beyond_columns(beyond, *grid[:2])
        else:
            part, index = _solved(system, learner, target, grid)
            samples = samples if index is None else index
        for name, values in part.items():
            column = columns.setdefault(name, np.full((len(chosen), *values.shape[1:]), np.nan, values.dtype))
            column[chosen] = values
    columns = {name: values.reshape((*sizes.shape, *values.shape[1:])) for name, values in columns.items()}
    return LearningCurve(
        target=target,
        target_variance=float(variances(learner.domain, target).mean()),
        samples=samples,
        extrapolations=beyond,
        remarks=tuple(remarks),
        train_size=sizes.copy(),
        ridge=ridges.copy(),
        noise_std=noise_stds.copy(),
        **columns,
    )


def _solved(
    system: Theory, learner: KernelOnDomain, target: Target, grid: Sequence[Float[np.ndarray, " grid"]]
) -> tuple[Columns, Int[np.ndarray, " samples"] | None]:
    """The columns of a learning curve on a flat grid, and the samples that a theory of samples was solved on."""
    domain = learner.domain
    if isinstance(system, PerSample):
        return _of_samples(system, learner, target, grid)
    if not isinstance(system, SpectralTheory):
        raise ValueError(f"theory {system!r} is neither of a spectrum nor of samples")
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
    grid: Sequence[Float[np.ndarray, " grid"]],
    theory: SpectralTheory,
    points: int | None = None,
    signs: bool = False,
) -> Columns:
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


def _accuracies(prediction: Prediction, points: int | None) -> Columns:
    """Accuracies of a target of signs on a finite domain; nan where `points`, its size, is None."""
    if points is None:
        return dict.fromkeys(("accuracy", "accuracy_off_train"), np.full(prediction.kappa.shape, np.nan))
    return {
        "accuracy": sign_accuracy(prediction, points),
        "accuracy_off_train": sign_accuracy(prediction, points, off_train=True),
    }


def _of_samples(
    system: PerSample, learner: KernelOnDomain, target: Target, grid: Sequence[Float[np.ndarray, " grid"]]
) -> tuple[Columns, Int[np.ndarray, " samples"]]:
    """The columns of a learning curve by the theory of samples, and the samples that it was solved on."""
    index = learner.samples(system.most)
    labels, size = np.asarray(target.values)[index], learner.domain.size
    n, delta, sigma = grid
    p = system.solve(learner.matrix(index), labels, n, delta, sigma, population=size)
    power = (labels.reshape(len(labels), -1) ** 2).mean(0)
    learnability = p.learnability if labels.ndim == 1 else p.learnability @ (power / power.sum())
    errors = p.off_train_errors if labels.ndim == 1 else p.off_train_errors.mean(-1)
    unsaid = np.full(len(n), np.nan)
    columns = {
        "kappa": unsaid,
        "overfitting_coefficient": unsaid,
        "learnability": learnability,
        "learnability_std": unsaid,
        "train_mse": _mean_over_outputs(p.train_mse, n),
        "test_mse": _mean_over_outputs(p.test_mse, n),
        "test_mse_off_train": _mean_over_outputs(p.test_mse_off_train, n),
        "accuracy": p.accuracy,
        "accuracy_off_train": p.accuracy_off_train,
        "population": np.full(len(n), size, dtype=float),
        "sample_errors": errors,
    }
    return columns, index


def _beyond_columns(
    curves: Mapping[float, Extrapolation], train_size: Float[np.ndarray, " grid"], ridge: Float[np.ndarray, " grid"]
) -> Columns:
    """The columns of a learning curve beyond the data."""
    tables = {each: curve.table.set_index("train_size") for each, curve in curves.items()}
    rows = [tables[each].loc[n] for n, each in zip(train_size, ridge, strict=True)]
    names = {"test_mse_off_train": "test_mse", "test_mse_low": "low", "test_mse_high": "high"}
    return {
        **dict.fromkeys(MEASURES, np.full(len(rows), np.nan)),
        **{name: np.array([row[of_rows] for row in rows]) for name, of_rows in names.items()},
        "population": np.full(len(rows), np.inf),
    }


def _mean_over_outputs(
    values: Float[np.ndarray, "*grid_outputs"], grid: Float[np.ndarray, "*grid"]
) -> Float[np.ndarray, "*grid"]:
    return values if values.ndim == grid.ndim else values.mean(-1)


def _learnability_std(prediction: Prediction) -> Float[np.ndarray, "*grid"]:
    """Standard deviation of <f, fhat>/<f, f>; nan where the test error is infinite."""
    power = prediction.power.reshape(len(prediction.power), -1)
    spread = prediction.coefficient_variance.reshape(*prediction.kappa.shape, *power.shape)
    with np.errstate(invalid="ignore"):
        variance = (power * spread).sum((-2, -1)) / (power.sum() + prediction.beyond.sum()) ** 2
    return np.sqrt(np.where(np.isfinite(variance), variance, np.nan))
