"""From learned functions to numbers. Functions are given by their values, (..., points, outputs)."""

import numpy as np
from jaxtyping import Bool, Float

from ..theory.classes import are_classes, balanced, class_of, least_log_loss


def learnability(
    target: Float[np.ndarray, "*functions points outputs"], learned: Float[np.ndarray, "*functions points outputs"]
) -> Float[np.ndarray, "*functions"] | np.floating:
    """<f, fhat> / <f, f> over points and outputs. nan for the zero function."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return (target * learned).sum((-2, -1)) / (target * target).sum((-2, -1))


def mean_squared_error(
    target: Float[np.ndarray, "*#functions points outputs"],
    learned: Float[np.ndarray, "*#functions points outputs"],
    points: Bool[np.ndarray, " points"] | None = None,
) -> Float[np.ndarray, "..."] | np.floating:
    """mean((f - fhat)^2) over points and outputs; `points`, a mask (points,), says over which points.

    nan where no point is left.
    """
    squared = ((target - learned) ** 2).mean(-1)
    if points is None:
        return squared.mean(-1)
    return squared[..., points].mean(-1) if points.any() else np.full(squared.shape[:-1], np.nan)


def accuracy(
    target: Float[np.ndarray, "*functions points outputs"],
    learned: Float[np.ndarray, "*functions points outputs"],
    points: Bool[np.ndarray, " points"] | None = None,
) -> Float[np.ndarray, "*functions"]:
    """Share of points classified rightly: by sign for one output of two opposite values, by the largest of several outputs.

    Over `points` as in `mean_squared_error`; nan for a target that is no class (`theory.classes.are_classes`).
    """
    if target.shape[-1] > 1:
        flat = target.reshape(-1, *target.shape[-2:])
        classes = np.reshape([are_classes(values) for values in flat], target.shape[:-2])
        right = target.argmax(-1) == learned.argmax(-1)
    else:
        classes = np.abs(target).min((-2, -1)) == np.abs(target).max((-2, -1))
        right = (np.sign(learned) == np.sign(target))[..., 0]
    if points is not None:
        right = right[..., points]
    return np.where(classes, right.mean(-1) if right.shape[-1] else np.nan, np.nan)


def balanced_accuracy(
    target: Float[np.ndarray, "functions points outputs"],
    learned: Float[np.ndarray, "functions points outputs"],
    points: Bool[np.ndarray, " points"],
) -> Float[np.ndarray, " functions"]:
    """The mean over classes of each class's accuracy, over `points` as in `mean_squared_error`; nan for no class."""
    shares = np.full(len(target), np.nan)
    for number, (given, values) in enumerate(zip(target[:, points], learned[:, points], strict=True)):
        if len(given) and are_classes(given):
            right = class_of(given) == class_of(values)
            shares[number] = balanced(right.astype(float), class_of(given))
    return shares


def log_loss(
    target: Float[np.ndarray, "functions points outputs"],
    learned: Float[np.ndarray, "functions points outputs"],
    points: Bool[np.ndarray, " points"],
) -> Float[np.ndarray, " functions"]:
    """The mean of -log of the right class's probability, in nats, over `points` as in `mean_squared_error`; nan for no class.

    Probabilities are those of temperature scaling at the temperature that is best on these points
    (`learnability.theory.classes`), of each function its own.
    """
    losses = np.full(len(target), np.nan)
    for number, (given, values) in enumerate(zip(target[:, points], learned[:, points], strict=True)):
        if len(given) and are_classes(given) and np.isfinite(values).all():
            losses[number] = least_log_loss(values, class_of(given))
    return losses


def coefficients(
    eigenfunctions: Float[np.ndarray, "points modes"], learned: Float[np.ndarray, "*functions points"]
) -> Float[np.ndarray, "*functions modes"]:
    """Eigencoefficients E[phi_i fhat] of learned functions on a finite domain."""
    return learned @ eigenfunctions / len(eigenfunctions)
