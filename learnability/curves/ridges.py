"""The ridge that is found, not asked for: the best one of each training-set size on a data set."""

import numpy as np
from jaxtyping import Float

from ..common.errors import require
from ..domains.kernel_on_domain import KernelOnDomain
from ..kernels.matrix import LARGEST_MATRIX
from ..spectra.target import Target
from ..theory.best_ridge import best_ridge

FEWEST = 2  # training samples: with fewer nothing tells ridges apart, and there is none


def best_ridges(
    learner: KernelOnDomain,
    target: Target,
    train_sizes: Float[np.ndarray, "*sizes"],
    noise_stds: Float[np.ndarray, "*noise_stds"],
) -> Float[np.ndarray, "*grid"]:
    """The best ridge on the broadcast grid of training-set sizes and noise levels, by the theory of samples.

    Beyond the samples of a data set it is the best one of all of them.

    Raises
    ------
    ValueError
        A domain that is no data set, sizes above the samples that the theory takes of a larger data set.

    Examples
    --------
    >>> import learnability as lb
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((60, 3))
    >>> data = lb.Samples(x, x[:, 0] + rng.standard_normal(60))
    >>> learner = KernelOnDomain(data, lb.FullyConnected(1))
    >>> bool((best_ridges(learner, data.all(), np.array([20.0, 40.0]), np.array(0.0)) > 0).all())
    True
    """
    domain = learner.domain
    require(not domain.alike, f'ridge "auto" is found on data sets; on {domain} give numbers, e.g. 0.1')
    index = learner.samples(LARGEST_MATRIX)
    sizes, noise = np.broadcast_arrays(train_sizes, noise_stds)
    whole = len(index) == domain.size
    require(
        whole or bool((sizes <= len(index)).all()),
        f'ridge "auto" is found for training sets of up to {len(index)} samples, got {sizes.max():g}; give numbers, e.g. 0.1',
    )
    sizes = np.minimum(sizes, len(index))
    matrix, labels = learner.matrix(index), np.asarray(target.values)[index]
    groups = learner.groups(index)
    ridges = np.zeros(sizes.shape)
    for level in np.unique(noise):
        chosen = (noise == level) & (sizes >= FEWEST)
        distinct, place = np.unique(sizes[chosen], return_inverse=True)
        ridges[chosen] = best_ridge(matrix, labels, distinct, float(level), groups)[place.ravel()]
    return ridges
