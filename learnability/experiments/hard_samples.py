"""Which samples are hard: the error of each one where it is not in the training set, predicted and measured."""

import numpy as np

from ..curves.learning_curve import curve_of
from ..domains import target_from
from ..domains.kernel_on_domain import KernelOnDomain
from ..measurements.regression import learned_function
from ..measurements.task import LearningTask
from ..tables.means import mean_row, table
from ..theory.per_sample import PerSample


def run(domain, architecture, target, train_size, ridge=0.0, seeds=50, shown=8, files=None):
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
    data, kernel = learner.domain, learner.blocks
    target_function = target_from(data, target)
    task = LearningTask(data, {"target": target_function})
    predicted = curve_of(learner, target_function, train_size, ridge, theory=PerSample(data.size)).sample_errors
    errors = np.full((seeds, data.size), np.nan)
    for seed in range(seeds):
        training_set = task.training_set(train_size, seed)
        learned = learned_function(kernel, training_set.points, training_set.labels[0], task.test, ridge)
        off = training_set.off_train
        errors[seed, off] = ((task.values[0] - learned)[off] ** 2).mean(1)
    rows = [
        mean_row("kernel", "error of a sample", errors[:, sample], predicted[sample], sample=sample)
        for sample in range(data.size)
    ]
    for sample in np.argsort(-predicted, kind="stable")[:shown].tolist():
        for feature, value in enumerate(data.points[sample].ravel().tolist()):
            rows.append({"source": "theory", "measure": "input", "sample": sample, "feature": feature, "mean": value})
    return table(rows)
