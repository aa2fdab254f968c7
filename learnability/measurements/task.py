"""From a training set to a row of results: draw, label, learn, score off the training set. Written here, and nowhere else.

A `LearningTask` is what is learned and where it is measured; a `TrainingSet` is what a learner is given. Kernel regression and
trained networks differ in how they learn from it, and in nothing else. Every table has one row per learned function. All
targets of a task have the same number of outputs; measures average over outputs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int, Shaped

from ..common.errors import require
from ..common.seeding import stream
from ..domains.domain import Domain
from ..spectra.target import Target
from .metrics import accuracy, balanced_accuracy, learnability, log_loss, mean_squared_error

# Points and their numbers in the domain; of a training set or of all, so that the number of points is not named.
Points = tuple[Shaped[np.ndarray, " _ *event"], Int[np.ndarray, " _"] | None]


@dataclass(frozen=True)
class TrainingSet:
    """One training set, and which evaluation points are not in it.

    Attributes
    ----------
    points : its points and their numbers in a finite domain
    labels : (functions, n, outputs), noise levels slow, targets fast
    off_train : (points,) mask over the task's evaluation points
    """

    seed: int
    points: Points
    labels: Float[np.ndarray, "functions samples outputs"]
    off_train: Bool[np.ndarray, " points"]


@dataclass(frozen=True)
class LearningTask:
    """Targets on a domain, and levels of label noise.

    Parameters
    ----------
    domain : Domain
    targets : dict of name to Target
    noise_stds : sequence of float
    """

    domain: Domain
    targets: Mapping[str, Target]
    noise_stds: Sequence[float] = (0.0,)

    @cached_property
    def test(self) -> Points:
        """The points on which learned functions are measured."""
        return self.domain.evaluation()

    @cached_property
    def values(self) -> Float[np.ndarray, "targets points outputs"]:
        """The targets on the evaluation points."""
        return truth(self.targets, self.test)

    def training_set(self, train_size: int, seed: int) -> TrainingSet:
        """The training set of a seed, with its labels."""
        points = self.domain.sample(train_size, seed)
        off_train = np.ones(len(self.test[0]), dtype=bool)
        if points[1] is not None:
            off_train[points[1]] = False
        return TrainingSet(seed, points, self._labels(points, train_size, seed), off_train)

    def _labels(self, points: Points, train_size: int, seed: int) -> Float[np.ndarray, "functions samples outputs"]:
        """Noisy labels. Noise follows from (domain, train_size, seed, target); levels differ in its scale only."""
        clean = truth(self.targets, points)
        identity = {"domain": self.domain.sampling_identity, "train_size": int(train_size), "seed": int(seed)}
        draws = [stream("label noise", target=name, **identity) for name in self.targets]
        noise = np.stack([draw.standard_normal(clean.shape[1:]) for draw in draws])
        noisy = clean + np.asarray(self.noise_stds)[:, None, None, None] * noise
        return noisy.reshape(len(self.noise_stds) * len(self.targets), *clean.shape[1:])

    def errors_off_train(
        self, training_set: TrainingSet, learned: Float[np.ndarray, "functions points outputs"]
    ) -> Float[np.ndarray, " functions"]:
        """Mean squared errors at the evaluation points that are not in the training set, against clean labels."""
        return np.asarray(mean_squared_error(self._repeated(learned), learned, training_set.off_train))

    def score(
        self,
        training_set: TrainingSet,
        learned: Float[np.ndarray, "functions points outputs"],
        train_mse: Float[np.ndarray, " functions"],
        **constants: object,
    ) -> pd.DataFrame:
        """One row per learned function: its measures, its target and noise level, and constant columns.

        The test error is against noisy labels, as in the theory: the error of the function plus noise_std^2.
        """
        rows = pd.DataFrame({
            "target": np.tile(list(self.targets), len(self.noise_stds)),
            "noise_std": np.repeat(np.asarray(self.noise_stds, dtype=float), len(self.targets)),
        }).assign(**constants, seed=training_set.seed)  # fmt: skip
        noise, values = rows["noise_std"].to_numpy() ** 2, self._repeated(learned)
        rows["learnability"] = learnability(values, learned)
        rows["train_mse"] = train_mse
        rows["test_mse"] = mean_squared_error(values, learned) + noise
        rows["test_mse_off_train"] = mean_squared_error(values, learned, training_set.off_train) + noise
        rows["accuracy"] = accuracy(values, learned)
        rows["accuracy_off_train"] = accuracy(values, learned, training_set.off_train)
        rows["balanced_accuracy_off_train"] = balanced_accuracy(values, learned, training_set.off_train)
        rows["log_loss_off_train"] = log_loss(values, learned, training_set.off_train)
        return rows

    def _repeated(
        self, learned: Float[np.ndarray, "functions points outputs"]
    ) -> Float[np.ndarray, "functions points outputs"]:
        """The targets' values once for every noise level."""
        return np.tile(self.values, (len(learned) // len(self.values), 1, 1))


def truth(targets: Mapping[str, Target], points: Points) -> Float[np.ndarray, "targets points outputs"]:
    """The targets on points; ValueError if their numbers of outputs differ."""
    values = [np.asarray(target(*points), dtype=float) for target in targets.values()]
    values = [v[:, None] if v.ndim == 1 else v for v in values]
    outputs = {v.shape[1] for v in values}
    require(len(outputs) == 1, f"the targets of a study need the same number of outputs, got {sorted(outputs)}")
    return np.stack(values)
