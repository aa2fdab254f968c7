"""Which samples are hard: the error of each one where it is not in the training set, predicted and measured."""

import numpy as np
import pandas as pd
from jaxtyping import Float

from ..curves.learning_curve import curve_of
from ..domains import target_from
from ..domains.kernel_on_domain import KernelOnDomain
from ..kernels.matrix import KernelMatrix
from ..measurements.regression import learned_function
from ..measurements.task import LearningTask
from ..tables.means import mean_row, table
from ..theory.per_sample import PerSample
from .entries import Entry, Files, finite


def run(
    domain: Entry,
    architecture: Entry,
    target: Entry,
    train_size: int,
    ridge: float = 0.0,
    seeds: int = 50,
    shown: int = 8,
    files: Files | None = None,
) -> pd.DataFrame:
    """Predict and measure the error of every sample of a data set.

    Parameters
    ----------
    domain, architecture, target : dicts; the domain is a data set
    shown : int
        How many of the samples predicted hardest are listed with their inputs.

    Returns
    -------
    DataFrame
        Rows "error of a sample" against `sample`, sources kernel; rows "input" of the hardest, against sample and feature.
    """
    learner = KernelOnDomain.of(domain, architecture, files=files)
    data = finite(learner.domain)
    labels = target_from(data, target)
    predicted = curve_of(learner, labels, train_size, ridge, theory=PerSample(data.size)).sample_errors
    assert predicted is not None  # the theory of samples has them
    errors = _errors(LearningTask(data, {"target": labels}), learner.blocks, train_size, ridge, seeds)
    rows = [
        mean_row("kernel", "error of a sample", errors[:, sample], predicted[sample], sample=sample)
        for sample in range(data.size)
    ]
    for sample in np.argsort(-predicted, kind="stable")[:shown].tolist():
        for feature, value in enumerate(data.points[sample].ravel().tolist()):
            rows.append({"source": "theory", "measure": "input", "sample": sample, "feature": feature, "mean": value})
    return table(rows)


def _errors(
    task: LearningTask, kernel: KernelMatrix, train_size: int, ridge: float, seeds: int
) -> Float[np.ndarray, "seeds points"]:
    """The squared error of kernel regression at every point, nan where it is in the training set."""
    errors = np.full((seeds, len(task.test[0])), np.nan)
    for seed in range(seeds):
        training_set = task.training_set(train_size, seed)
        learned = learned_function(kernel, training_set.points, training_set.labels[0], task.test, ridge)
        off_train = training_set.off_train
        errors[seed, off_train] = ((task.values[0] - learned)[off_train] ** 2).mean(1)
    return errors
