"""How much the error of one training set scatters about the mean that theory predicts: measured by exact regressions."""

import numpy as np
from jaxtyping import Float

from ..domains.kernel_on_domain import KernelOnDomain
from ..regression.resampling import resample
from ..spectra.target import Target
from .test_set import TestSet

DRAWS = 24  # training sets; `Resampled.spread` says how well they tell it
POOL = 2048  # samples that they are drawn from
LARGEST = 1024  # training samples: larger sets cost more than what the theory takes


def scatter(
    learner: KernelOnDomain,
    target: Target,
    train_size: Float[np.ndarray, "*grid"],
    ridge: Float[np.ndarray, "*grid"],
    noise_std: Float[np.ndarray, "*grid"],
    test_set: TestSet | None = None,
) -> Float[np.ndarray, "*grid"]:
    """Standard deviation over training sets of the error on an endless test set, or on the one that there is.

    nan with label noise beyond the data, without two samples that are left out, and above 1024 training samples.

    Examples
    --------
    >>> import numpy as np, learnability as lb
    >>> x = np.random.default_rng(0).standard_normal((60, 2))
    >>> data = lb.Samples(x, x[:, 0] * x[:, 1])
    >>> n, none = np.array([10.0, 30.0]), np.zeros(2)
    >>> spread = scatter(KernelOnDomain(data, lb.FullyConnected(1)), data.all(), n, none, none)
    >>> bool(spread[1] < spread[0])
    True
    """
    index = learner.samples(POOL)
    matrix, labels = learner.matrix(index), np.asarray(target.values)[index]
    tests = None if test_set is None else test_set.seen_by(learner, index)
    groups = learner.groups(index)
    last = min(len(index) - 2, LARGEST)
    spread = np.full(train_size.shape, np.nan)
    measurable = (train_size >= 1) & (train_size <= last) & (train_size % 1 == 0) & (noise_std == 0)
    cells = np.stack([train_size[measurable], ridge[measurable]], 1)
    distinct, place = np.unique(cells, axis=0, return_inverse=True)
    found = [
        resample(matrix, labels, int(n), float(delta), DRAWS, tests=tests, groups=groups).spread
        for n, delta in distinct
    ]
    spread[measurable] = np.array(found)[place.ravel()]
    return spread
