"""What each kind of theory says, as columns of a learning curve on a flat grid of train_size, ridge and noise_std."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float, Int

from ..common.errors import require
from ..domains.kernel_on_domain import KernelOnDomain
from ..spectra.spectrum import Spectrum
from ..spectra.target import Target
from ..theory.extrapolation import Extrapolation
from ..theory.per_sample import PerSample, SamplePrediction, predict_targets
from ..theory.prediction import Prediction, predict
from ..theory.statistics import off_training_mse, sign_accuracy
from ..theory.theory import SpectralTheory, Theory
from .test_set import TestSet

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
    "balanced_accuracy_off_train",
    "log_loss_off_train",
)
INTERVAL = ("test_mse_low", "test_mse_high")
ON_TEST_SET = ("test_set_mse", "test_set_accuracy", "test_set_balanced_accuracy", "test_set_log_loss")


def solved(
    system: Theory,
    learner: KernelOnDomain,
    targets: Sequence[Target],
    grid: Sequence[Float[np.ndarray, " grid"]],
    tests: TestSet | None,
) -> tuple[list[Columns], Int[np.ndarray, " samples"] | None]:
    """The columns of each target's learning curve on a flat grid, and the samples that a theory of samples was solved on."""
    if isinstance(system, PerSample):
        return _of_samples(system, learner, targets, grid, tests)
    if not isinstance(system, SpectralTheory):
        raise ValueError(f"theory {system!r} is neither of a spectrum nor of samples")
    return [_of_spectrum(system, learner, target, grid) for target in targets], None


def _of_spectrum(
    system: SpectralTheory, learner: KernelOnDomain, target: Target, grid: Sequence[Float[np.ndarray, " grid"]]
) -> Columns:
    domain = learner.domain
    if learner.dense:
        spectrum, aim = learner.spectrum, target
    else:
        large = learner.large_spectrum(target)
        spectrum, aim = large.spectrum, large.target
    values = target(*domain.evaluation())
    signs = values.size == len(values) and bool((abs(values) == 1).all())
    return spectral_columns(spectrum, aim, grid, system, domain.size, signs)


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
        **dict.fromkeys(("balanced_accuracy_off_train", "log_loss_off_train"), np.full(n.shape, np.nan)),
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
    system: PerSample,
    learner: KernelOnDomain,
    targets: Sequence[Target],
    grid: Sequence[Float[np.ndarray, " grid"]],
    tests: TestSet | None,
) -> tuple[list[Columns], Int[np.ndarray, " samples"]]:
    """The columns of each target's learning curve by the theory of samples, and the samples that it was solved on."""
    index, size = learner.samples(system.most), learner.domain.size
    assert size is not None  # of a data set
    labels = [np.asarray(target.values)[index] for target in targets]
    test_set = None
    if tests is not None:
        kernel, there = tests.seen_by(learner, index)
        test_set = kernel, [there.reshape(len(there), *y.shape[1:]) for y in labels]
    n, delta, sigma = grid
    groups = learner.groups(index)
    require(
        groups is None or bool((n <= len(index)).all()),
        f"train_size {n.max():g}: {len(index)} of the {size} samples are solved for at once, whole groups drawn at random; ask "
        f"for at most {len(index)}",
    )
    predictions = predict_targets(
        learner.matrix(index), labels, n, delta, sigma, tests=test_set, population=size, groups=groups
    )
    return [_of_prediction(p, y, n, size) for p, y in zip(predictions, labels, strict=True)], index


def _of_prediction(
    p: SamplePrediction, labels: Float[np.ndarray, "samples ..."], n: Float[np.ndarray, " grid"], population: int
) -> Columns:
    """The columns of one target's learning curve."""
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
        "balanced_accuracy_off_train": p.balanced_accuracy_off_train,
        "log_loss_off_train": p.log_loss_off_train,
        "population": np.full(len(n), population, dtype=float),
        "sample_errors": errors,
    }
    if p.test_set_errors.shape[1] > 0:
        errors = p.test_set_errors
        columns |= {
            "test_set_mse": _mean_over_outputs(p.test_set_mse, n),
            "test_set_accuracy": p.test_set_accuracy,
            "test_set_balanced_accuracy": p.test_set_balanced_accuracy,
            "test_set_log_loss": p.test_set_log_loss,
            "test_set_errors": errors if errors.ndim == 2 else errors.mean(-1),
        }
    return columns


def beyond_columns(
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
