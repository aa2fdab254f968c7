"""Where samples stand in the pool of sites that the per-sample equations solve."""

from dataclasses import dataclass

import numpy as np

from .classes import are_classes
from .sample_equations import Pool
from .sites import sites_of


@dataclass(frozen=True)
class Layout:
    """Where the samples stand in the pool of sites that `along` solves."""

    pool: Pool
    labels: np.ndarray  # (M, outputs)
    test_labels: np.ndarray  # (T, outputs)
    relative: np.ndarray  # (M,)
    drawn: np.ndarray  # (M,) of bool: whether the sample can be selected
    site: np.ndarray  # (drawn samples,) of int
    deviation: np.ndarray  # (drawn samples, outputs): of the label from its site's

    @classmethod
    def of(
        cls, matrix: np.ndarray, labels: np.ndarray, relative: np.ndarray, test_kernel: np.ndarray, test_y: np.ndarray
    ) -> "Layout":
        """From the checked arguments of `predict_samples`; labels and test_y (rows, outputs)."""
        outputs = labels.shape[1]
        pairs = np.triu_indices(outputs) if are_classes(labels) else (np.arange(outputs),) * 2
        drawn = relative > 0
        samples = np.flatnonzero(drawn)
        sites = sites_of(matrix if drawn.all() else matrix[np.ix_(drawn, drawn)])
        rates, first = relative[drawn], samples[sites.first]
        means = sites.mean(labels[drawn], rates)
        deviation = labels[drawn] - means[sites.of]
        pool = Pool(
            matrix=matrix if len(first) == len(matrix) else matrix[np.ix_(first, first)],
            labels=means,
            copies=sites.copies,
            relative=sites.mean(rates[:, None], np.ones(len(rates)))[:, 0],
            scatter=sites.mean(deviation[:, pairs[0]] * deviation[:, pairs[1]], rates),
            pairs=pairs,
            cross=np.concatenate([test_kernel[:, first], matrix[np.ix_(~drawn, first)]]),
            cross_labels=np.concatenate([test_y, labels[~drawn]]),
            counted=int((~drawn).sum()),
        )
        return cls(pool, labels, test_y, relative, drawn, sites.of, deviation)
