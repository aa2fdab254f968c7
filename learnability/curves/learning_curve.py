"""Learning curves of a kernel on a domain, by the theory that fits the question (`learnability.curves.choice`)."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from jaxtyping import Float, Int, Shaped
from numpy.typing import ArrayLike

from ..common.conditioning import one_warning
from ..common.errors import choose, reals, require, warn_caller
from ..common.groups import number_of
from ..common.threads import one_thread
from ..domains.domain import Domain
from ..domains.kernel_on_domain import KernelOnDomain
from ..domains.normalisation import normalised, variances
from ..domains.samples import Samples, grouped
from ..kernels.matrix import LARGEST_MATRIX
from ..spectra.target import Target
from ..theory.extrapolation import Extrapolation
from ..theory.per_sample import PerSample
from ..theory.theory import Theory
from .beyond import checks, extrapolations
from .choice import BeyondTheData, theory_for
from .columns import INTERVAL, MEASURES, ON_TEST_SET, beyond_columns, solved
from .ridges import best_ridges
from .scatter import scatter
from .test_set import TestSet

if TYPE_CHECKING:
    import matplotlib.axes


@dataclass(frozen=True, repr=False)
class LearningCurve:
    """What theory says of a learner on the broadcast grid of train_size, ridge and noise_std, of shape (grid).

    Errors are means over outputs, against labels as noisy as the training labels. What the theory does not say is nan. For
    more samples than a data set has, test_mse_off_train is the median of an interval of 90 per cent. test_mse_std says how much
    the error of one training set scatters about the mean, measured by 24 exact regressions (`learnability.curves.scatter`).

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
    balanced_accuracy_off_train: Float[np.ndarray, "*grid"]  # the mean over classes, by the theory of samples
    log_loss_off_train: Float[np.ndarray, "*grid"]  # in nats, after temperature scaling (`learnability.theory.classes`)
    population: Float[
        np.ndarray, "*grid"
    ]  # points from which training sets are drawn without replacement; inf: with replacement
    target_variance: float  # of the labels about their mean
    test_mse_low: Float[np.ndarray, "*grid"]  # the interval of test_mse_off_train beyond the data, nan elsewhere
    test_mse_high: Float[np.ndarray, "*grid"]
    test_set_mse: Float[np.ndarray, "*grid"]  # on a test set of its own, nan without one
    test_set_accuracy: Float[np.ndarray, "*grid"]
    test_set_balanced_accuracy: Float[np.ndarray, "*grid"]
    test_set_log_loss: Float[np.ndarray, "*grid"]  # at the temperature that is best off the training set
    test_set_variance: float = np.nan  # of the labels there about their mean
    test_mse_std: Float[np.ndarray, "*grid"] | None = (
        None  # over training sets, on that test set or off the training set
    )
    remarks: tuple[str, ...] = ()  # why a number must not be trusted; `learning_curve` warns of each
    extrapolations: dict[float, Extrapolation] = field(default_factory=dict)  # by ridge: samples needed beyond the data
    samples: Int[np.ndarray, " samples"] | None = None  # which of a data set's the theory of samples was solved on
    sample_errors: Float[np.ndarray, "*grid samples"] | None = None  # of each where it is not in the training set
    test_set_errors: Float[np.ndarray, "*grid tests"] | None = None  # of each point of a test set
    train_groups: Float[np.ndarray, "*grid"] | None = None  # training groups, where training sets are whole groups

    @property
    def nmse(self) -> Float[np.ndarray, "*grid"]:
        """The error off the training set over the variance of the labels there; 1 is that of their mean."""
        return normalised(self.test_mse_off_train, self.target_variance, self.noise_std)

    @property
    def r2(self) -> Float[np.ndarray, "*grid"]:
        """1 - nmse."""
        return 1 - self.nmse

    @property
    def test_set_r2(self) -> Float[np.ndarray, "*grid"]:
        """1 - test_set_mse over the variance of the labels there, as scikit-learn scores it."""
        return 1 - normalised(self.test_set_mse, self.test_set_variance, self.noise_std)

    def to_frame(self) -> pd.DataFrame:
        """A tidy table, a row per grid point, with the columns of a study's table, and of all else that is known."""
        more = [] if self.train_groups is None else ["train_groups"]
        more += [*INTERVAL] if self.extrapolations else []
        more += [] if self.test_mse_std is None else ["test_mse_std"]
        more += [] if self.test_set_errors is None else [ON_TEST_SET[0], "test_set_r2", *ON_TEST_SET[1:]]
        names = ("train_size", "ridge", "noise_std", *MEASURES, *more, "nmse", "r2", "population", "theory")
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
    test_set: tuple[ArrayLike, ArrayLike] | None = None,
    groups: ArrayLike | None = None,
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
    test_set : ((T, ...), (T,) or (T, outputs)), optional
        Points and labels of any distribution, in the scale of the data set's points and the target's labels (of a file,
        `DataSet.test_set`). Errors and accuracy there are predicted, too (docs/research/rates.md); the ridge "auto" stays the
        best one of the data set itself.
    groups : (samples,) of numbers or texts, optional
        What every sample of a data set was measured on, such as a person. Training sets are then whole groups, and errors off
        the training set are those on other groups (docs/research/groups.md); n counts samples, `train_groups` groups.
        Missing: those that the data set has, or single samples.

    Returns
    -------
    LearningCurve

    Raises
    ------
    ValueError
        Sizes that the domain does not have, a theory that it does not allow, a missing target, label noise beyond the data;
        a test set that does not fit or that the theory of samples does not predict (symmetric domains, n above 4096 or beyond
        the data); groups beyond the data or of more than 4096 training samples;
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
    domain = grouped(domain, groups)
    if target is None:
        if not isinstance(domain, Samples):
            raise ValueError(f"target is missing; {domain} has {', '.join(domain.targets)}, e.g. domain.parity(3)")
        target = domain.all()
    return checked_curve(KernelOnDomain(domain, kernel, kind), target, train_size, ridge, noise_std, theory, test_set)


@one_thread
def checked_curve(
    learner: KernelOnDomain,
    target: Target,
    train_size: ArrayLike,
    ridge: ArrayLike | Literal["auto"] = 0.0,
    noise_std: ArrayLike = 0.0,
    theory: str | Theory = "auto",
    test_set: tuple[ArrayLike, ArrayLike] | TestSet | None = None,
) -> LearningCurve:
    """`curve_of`, checked by regression where its theory is that of samples, with the scatter over training sets.

    Each remark is a warning, too.

    Examples
    --------
    >>> import learnability as lb
    >>> cube = lb.Hypercube(dim=6)
    >>> checked_curve(KernelOnDomain(cube, lb.FullyConnected(1)), cube.parity(1), [8, 16]).remarks
    ()
    """
    tests = None if test_set is None else TestSet.of(test_set, learner.domain, target)
    curve = curve_of(learner, target, train_size, ridge, noise_std, theory, tests)
    by_samples = curve.theory == PerSample.name
    if by_samples.any():
        with one_warning():  # of dozens of training sets
            found = checks(learner, target, curve.train_size[by_samples].max(), curve.ridge[by_samples], tests)
            spread = scatter(learner, target, curve.train_size, curve.ridge, curve.noise_std, tests)
        curve = replace(curve, remarks=(*found, *curve.remarks), test_mse_std=spread)
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
    test_set: tuple[ArrayLike, ArrayLike] | TestSet | None = None,
) -> LearningCurve:
    """`learning_curve` of a kernel on a domain whose matrix and spectrum are kept, or lie in files."""
    if isinstance(ridge, str):
        choose("ridge", ridge, ["auto"])
        ridge = best_ridges(learner, target, reals("train_size", train_size), reals("noise_std", noise_std))
    tests = None if test_set is None else TestSet.of(test_set, learner.domain, target)
    return _curves(learner, [target], train_size, ridge, noise_std, theory, tests)[0]


@one_thread
def curves_of(
    learner: KernelOnDomain,
    targets: Sequence[Target],
    train_size: ArrayLike,
    ridge: ArrayLike = 0.0,
    noise_std: ArrayLike = 0.0,
    theory: str | Theory = "auto",
) -> list[LearningCurve]:
    """`curve_of` of several targets; what a theory of samples solves is the same for all, and solved once.

    Examples
    --------
    >>> import numpy as np, learnability as lb
    >>> x = np.random.default_rng(0).standard_normal((60, 2))
    >>> data = lb.Samples(x, np.stack([x[:, 0], x[:, 0] * x[:, 1]], 1))
    >>> learner = KernelOnDomain(data, lb.FullyConnected(1))
    >>> sums, products = curves_of(learner, [data.label(0), data.label(1)], [10, 30])
    >>> bool((sums.nmse < products.nmse).all())
    True
    """
    return _curves(learner, targets, train_size, ridge, noise_std, theory)


def _curves(
    learner: KernelOnDomain,
    targets: Sequence[Target],
    train_size: ArrayLike,
    ridge: ArrayLike,
    noise_std: ArrayLike,
    theory: str | Theory,
    tests: TestSet | None = None,
) -> list[LearningCurve]:
    """A curve per target; `tests` has labels of each."""
    sizes, ridges, noise_stds = np.broadcast_arrays(
        reals("train_size", train_size, infinite=True), reals("ridge", ridge), reals("noise_std", noise_std)
    )
    require(sizes.size > 0, "train_size, ridge and noise_std hold no value; write e.g. train_size=[32, 128]")
    flat = [array.ravel() for array in (sizes, ridges, noise_stds)]
    by_size = {n: theory_for(learner.domain, n, theory) for n in np.unique(sizes)}
    names = np.array([by_size[n].name for n in flat[0]])
    if tests is not None:
        others = [f"n = {n:g} by {name}" for n, name in zip(flat[0], names, strict=True) if name != PerSample.name]
        require(
            not others,
            f"test_set: the error on a test set is predicted by the theory of samples alone, up to {LARGEST_MATRIX} training "
            f"samples of those there are; leave out {', '.join(dict.fromkeys(others))}",
        )
    unsaid = {name: np.full(len(names), np.nan) for name in (*INTERVAL, *ON_TEST_SET)}
    columns: list[dict[str, np.ndarray]] = [{"theory": names, **unsaid} for _ in targets]
    beyond: list[dict[float, Extrapolation]] = [{} for _ in targets]
    samples, remarks = None, [list[str]() for _ in targets]
    for system in {system.name: system for system in by_size.values()}.values():
        chosen = names == system.name
        grid = [array[chosen] for array in flat]
        if isinstance(system, BeyondTheData):
            require(
                not grid[2].any(),
                f"noise_std must be 0 beyond the {learner.domain.size} samples; labels have the noise that they hold",
            )
            both = [extrapolations(learner, target, *grid[:2]) for target in targets]
            beyond, remarks = [curves for curves, _ in both], [texts for _, texts in both]
            parts = [beyond_columns(curves, *grid[:2]) for curves in beyond]
        else:
            parts, index = solved(system, learner, targets, grid, tests)
            samples = samples if index is None else index
        for own, part in zip(columns, parts, strict=True):
            for name, values in part.items():
                column = own.setdefault(name, np.full((len(chosen), *values.shape[1:]), np.nan, values.dtype))
                column[chosen] = values
    return [
        LearningCurve(
            target=target,
            target_variance=float(variances(learner.domain, target).mean()),
            test_set_variance=np.nan if tests is None else float(tests.distances.mean()),
            samples=samples,
            extrapolations=beyond[number],
            remarks=tuple(remarks[number]),
            train_groups=_groups_of(learner.domain, sizes),
            train_size=sizes.copy(),
            ridge=ridges.copy(),
            noise_std=noise_stds.copy(),
            **{name: values.reshape((*sizes.shape, *values.shape[1:])) for name, values in columns[number].items()},
        )
        for number, target in enumerate(targets)
    ]


def _groups_of(domain: Domain, sizes: Float[np.ndarray, "*grid"]) -> Float[np.ndarray, "*grid"] | None:
    """Groups in training sets of so many samples."""
    return None if domain.groups is None else np.asarray(sizes * (number_of(domain.groups) / len(domain.groups)))
