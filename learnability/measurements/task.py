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


# Of rows of a table, by name: a table is made at once of those of all training sets, of each it would take longer than they.
Columns = Mapping[str, Shaped[np.ndarray, " rows"]]


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
        if not any(self.noise_stds):
            return np.tile(clean, (len(self.noise_stds), 1, 1))
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
    ) -> Columns:
        """One row per learned function, of a table that `table_of` makes: its measures, target and noise level, and constants.

        The test error is against noisy labels, as in the theory: the error of the function plus noise_std^2.
        """
        noise_stds = np.repeat(np.asarray(self.noise_stds, dtype=float), len(self.targets))
        noise, values = noise_stds**2, self._repeated(learned)
        constant = {
            name: np.full(len(learned), value) for name, value in {**constants, "seed": training_set.seed}.items()
        }
        return {
            "target": np.tile(list(self.targets), len(self.noise_stds)),
            "noise_std": noise_stds,
            **constant,
            "learnability": np.asarray(learnability(values, learned)),
            "train_mse": train_mse,
            "test_mse": mean_squared_error(values, learned) + noise,
            "test_mse_off_train": mean_squared_error(values, learned, training_set.off_train) + noise,
            "accuracy": accuracy(values, learned),
            "accuracy_off_train": accuracy(values, learned, training_set.off_train),
            **self._of_classes(values, learned, training_set.off_train),
        }

    def _of_classes(
        self,
        values: Float[np.ndarray, "functions points outputs"],
        learned: Float[np.ndarray, "functions points outputs"],
        points: Bool[np.ndarray, " points"],
    ) -> Columns:
        """What takes as long as kernel regression, or longer: only where a theory predicts it, on data sets."""
        measures = {"balanced_accuracy_off_train": balanced_accuracy, "log_loss_off_train": log_loss}
        if self.domain.alike:
            return {name: np.full(len(learned), np.nan) for name in measures}
        return {name: measure(values, learned, points) for name, measure in measures.items()}

    def _repeated(
        self, learned: Float[np.ndarray, "functions points outputs"]
    ) -> Float[np.ndarray, "functions points outputs"]:
        """The targets' values once for every noise level."""
        return np.tile(self.values, (len(learned) // len(self.values), 1, 1))


def table_of(scores: Sequence[Columns]) -> pd.DataFrame:
    """The rows of all scores, one below the other."""
    return pd.DataFrame({name: np.concatenate([score[name] for score in scores]) for name in scores[0]})


def truth(targets: Mapping[str, Target], points: Points) -> Float[np.ndarray, "targets points outputs"]:
    """The targets on points; ValueError if their numbers of outputs differ."""
    values = [np.asarray(target(*points), dtype=float) for target in targets.values()]
    values = [v[:, None] if v.ndim == 1 else v for v in values]
    outputs = {v.shape[1] for v in values}
    require(len(outputs) == 1, f"the targets of a study need the same number of outputs, got {sorted(outputs)}")
    return np.stack(values)
