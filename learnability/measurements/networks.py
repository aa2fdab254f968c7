"""What trained networks learn from training sets."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float

from ..common.threads import one_thread
from ..domains.domain import Domain
from ..ensembles.training.result import TrainingResult
from ..spectra.target import Target
from .task import LearningTask, table_of

Fit = Callable[[np.ndarray, np.ndarray, np.ndarray, list[int]], TrainingResult]


@one_thread
def network_experiment(
    domain: Domain,
    targets: Mapping[str, Target],
    train_size: int,
    noise_stds: Sequence[float],
    seeds: Sequence[int],
    fit: Fit,
) -> tuple[pd.DataFrame, Float[np.ndarray, "networks points outputs"], str]:
    """Finite networks on the training sets of the given seeds, all targets and noise levels in one ensemble.

    Parameters
    ----------
    fit : callable
        (x (networks, n, ...), y (networks, n, outputs), x_test, seeds) -> TrainingResult

    Returns
    -------
    table : DataFrame
        As `kernel_experiment`, with the columns converged, steps, learning_rate, time.
    functions : (networks, points, outputs) float32
        The learned functions on the evaluation points.
    device : str
        Where they were trained.
    """
    task = LearningTask(domain, targets, noise_stds)
    training_sets = [task.training_set(train_size, seed) for seed in seeds]
    each = len(training_sets[0].labels)
    x = np.repeat(np.stack([training_set.points[0] for training_set in training_sets]), each, axis=0)
    y = np.concatenate([training_set.labels for training_set in training_sets])
    result = fit(x, y, task.test[0], np.repeat(seeds, each).tolist())
    scores = []
    for number, training_set in enumerate(training_sets):
        own = slice(number * each, (number + 1) * each)
        learned = result.predictions[own].astype(float)
        scores.append(task.score(training_set, learned, result.train_mse[own], train_size=train_size, ridge=0.0))
    table = table_of(scores)
    for column in ("converged", "steps", "learning_rate", "time"):
        table[column] = getattr(result, column)
    return table, result.predictions.astype(np.float32), result.device
