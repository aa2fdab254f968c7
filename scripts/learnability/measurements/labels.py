"""What sampled experiments share: labels of training sets, and the measures of what is learned from them.

Every experiment is a table with one row per learned function. All targets of an experiment have the same number of
outputs; measures average over outputs.
"""

import numpy as np
import pandas as pd

from ..common.errors import require
from ..common.seeding import stream
from .metrics import accuracy, learnability, mean_squared_error


def truth(targets, x, index):
    """The targets on points, (targets, points, outputs)."""
    values = [np.asarray(target(x, index), dtype=float) for target in targets.values()]
    values = [v[:, None] if v.ndim == 1 else v for v in values]
    outputs = {v.shape[1] for v in values}
    require(len(outputs) == 1, f"the targets of a study need the same number of outputs, got {sorted(outputs)}")
    return np.stack(values)


def labels(domain, targets, x, index, train_size, seed, noise_stds):
    """Noisy labels of one training set, (noise_stds * targets, n, outputs), noise levels slow.

    The noise follows from (domain, train_size, seed, target); it is the same at every level but for its scale.
    """
    clean = truth(targets, x, index)
    identity = {"domain": domain.sampling_identity, "train_size": int(train_size), "seed": int(seed)}
    noise = [stream("label noise", target=name, **identity).standard_normal(clean.shape[1:]) for name in targets]
    noisy = clean + np.asarray(noise_stds)[:, None, None, None] * np.stack(noise)
    return noisy.reshape(len(noise_stds) * len(targets), *clean.shape[1:])


def rows_of(targets, noise_stds, **constants):
    """One row per learned function, noise levels slow, targets fast."""
    columns = {
        "target": np.tile(list(targets), len(noise_stds)),
        "noise_std": np.repeat(np.asarray(noise_stds, dtype=float), len(targets)),
    }
    return pd.DataFrame(columns).assign(**constants)


def with_measures(rows, f, learned, train_mse, index):
    """Add the measures of learned functions (rows, points, outputs) to their rows.

    The test error is against noisy labels, as in the theory: the error of the function plus noise_std^2.
    """
    noise = rows["noise_std"].to_numpy() ** 2
    f = np.tile(f, (len(rows) // len(f), 1, 1))
    off = np.ones(f.shape[1], dtype=bool)
    if index is not None:
        off[index] = False
    rows["learnability"] = learnability(f, learned)
    rows["train_mse"] = train_mse
    rows["test_mse"] = mean_squared_error(f, learned) + noise
    rows["test_mse_off_train"] = mean_squared_error(f, learned, off) + noise
    rows["accuracy"] = accuracy(f, learned)
    rows["accuracy_off_train"] = accuracy(f, learned, off)
    return rows
