"""What a solution of the per-sample equations says at one point of the grid of train_size, ridge and noise_std."""

from dataclasses import dataclass

import numpy as np

from .classes import are_classes, balanced, class_of, predicted_sharpness
from .group_equations import GroupSolution
from .learned_function import Cases, Learned
from .sample_equations import SampleSolution
from .sample_layout import Layout

OF_CLASSES = (
    "accuracy", "accuracy_off_train", "balanced_accuracy_off_train", "log_loss_off_train",
    "test_set_accuracy", "test_set_balanced_accuracy", "test_set_log_loss",
)  # fmt: skip


@dataclass(frozen=True)
class _GridPoint:
    """A solution as samples see it: where they are not selected, where they are, and points that are never selected."""

    layout: Layout
    cases: Cases
    off: Learned
    on: Learned
    never: Learned
    tests: Learned
    probability: np.ndarray  # (M,): of being selected
    noise: float  # variance of the label noise

    @classmethod
    def of(
        cls, layout: Layout, solution: SampleSolution | GroupSolution, share: float, ridge: float, sigma: float
    ) -> "_GridPoint":
        cases = Cases.of(layout, solution)
        if isinstance(solution, GroupSolution):
            off, on = (Learned.at_groups(layout, solution, selected) for selected in (False, True))
        else:
            off, on = (Learned.at_samples(layout, solution, cases, ridge, selected) for selected in (False, True))
        points, tests = Learned.at_points(layout, solution), len(layout.test_labels)
        probability = np.where(layout.drawn, np.fmin(share * layout.relative, 1.0), 0.0)
        never = points.part(slice(tests, None))
        return cls(layout, cases, off, on, never, points.part(slice(tests)), probability, sigma**2)

    @property
    def left(self) -> np.ndarray | None:
        """(M,): weights of the errors off the training set; None where all are alike."""
        return None if np.ptp(self.probability) == 0 else 1 - self.probability

    @property
    def taken(self) -> np.ndarray | None:
        """(M,): weights of the errors on the training set, at n = 0 their limits; None where all are alike."""
        return None if np.ptp(self.layout.relative) == 0 else self.layout.relative

    def spread_out(self, values: np.ndarray, never_selected: np.ndarray) -> np.ndarray:
        """(M, ...) from values of cases, and of samples that are never selected."""
        everywhere = np.empty((len(self.probability), *values.shape[1:]))
        everywhere[self.layout.drawn] = self.cases.mean(values)
        everywhere[~self.layout.drawn] = never_selected
        return everywhere


def summary(layout: Layout, solution: SampleSolution | GroupSolution, share: float, ridge: float, sigma: float) -> dict:
    """The fields of SamplePrediction at one grid point; share is that of all samples that is trained on."""
    point = _GridPoint.of(layout, solution, share, ridge, sigma)
    return {
        **_errors(point),
        **_means(point),
        **_of_classes(point),
        "kappas": _of_samples(layout, solution.kappa * layout.pool.copies / len(layout.labels), np.inf),
        "overfitting_coefficients": _of_samples(layout, solution.overfitting, 1.0),
        "newton_steps": solution.steps,
    }


def _errors(point: _GridPoint) -> dict:
    own, noise = point.layout.pool.pairs[0] == point.layout.pool.pairs[1], point.noise
    never, tests = point.never.errors(own, noise), point.tests.errors(own, noise)
    off = point.spread_out(point.off.errors(own, noise), never)
    trained = point.spread_out(point.on.errors(own, 0.0) + noise * point.on.own_noise[:, None], never)
    new = point.spread_out(point.on.errors(own, noise), never)
    probability = point.probability[:, None]
    return {
        "test_mse": ((1 - probability) * off + probability * new).mean(0),
        "test_mse_off_train": np.average(off, axis=0, weights=point.left),
        "train_mse": np.average(trained, axis=0, weights=point.taken),
        "off_train_errors": off,
        "test_set_mse": tests.mean(0) if len(tests) else np.full(len(own[own]), np.nan),
        "test_set_errors": tests,
    }


def _means(point: _GridPoint) -> dict:
    labels, probability = point.layout.labels, point.probability[:, None]
    off, on = (point.spread_out(part.mean, point.never.mean) for part in (point.off, point.on))
    residual = (1 - probability) * off + probability * on
    with np.errstate(invalid="ignore"):
        learnability = 1 - (labels * residual).sum(0) / (labels**2).sum(0)
    return {
        "learnability": learnability,
        "residual": residual,
        "off_train_residual": off,
        "test_set_residual": point.tests.mean,
    }


def _of_classes(point: _GridPoint) -> dict:
    """The fields of `OF_CLASSES`, in their order."""
    layout, noise = point.layout, point.noise
    if not are_classes(layout.labels):
        return dict.fromkeys(OF_CLASSES, np.nan)
    of_cases, others = layout.labels[layout.drawn][point.cases.row], layout.labels[~layout.drawn]
    off = point.off.outputs(of_cases, noise)
    never, tests = point.never.outputs(others, noise), point.tests.outputs(layout.test_labels, noise)
    left = np.ones(len(layout.labels)) if point.left is None else point.left
    of_off = point.cases.probability * left[layout.drawn][point.cases.row]
    sharpness = predicted_sharpness([off, never], [of_off, left[~layout.drawn]])
    right = point.spread_out(off.right, never.right)
    trained = point.spread_out(point.on.outputs(of_cases, noise).right, never.right)
    losses = point.spread_out(off.log_loss(sharpness), never.log_loss(sharpness))
    found = [
        ((1 - point.probability) * right + point.probability * trained).mean(),
        np.average(right, weights=left),
        balanced(right, class_of(layout.labels), left),
        np.average(losses, weights=left),
    ]
    of_tests = [np.nan] * 3
    if len(layout.test_labels):
        of_tests = [tests.right.mean(), balanced(tests.right, tests.classes), tests.log_loss(sharpness).mean()]
    return dict(zip(OF_CLASSES, (*found, *of_tests), strict=True))


def _of_samples(layout: Layout, values: np.ndarray, never_selected: float) -> np.ndarray:
    """(sites,) -> (M,)."""
    result = np.full(len(layout.labels), never_selected)
    result[layout.drawn] = values[layout.site]
    return result
