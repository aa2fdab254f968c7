"""Rows of a learning curve for more samples than a data set has, and the word of a prediction on itself.

Both rest on the kernel matrix of some samples: an extrapolation costs up to forty factorizations of it, a check dozens of
regressions on its halves. So both take at most so many samples, drawn at random.
"""

import numpy as np
from jaxtyping import Float

from ..common.errors import require
from ..common.groups import number_of
from ..domains.kernel_on_domain import KernelOnDomain
from ..kernels.matrix import LARGEST_MATRIX
from ..spectra.target import Target
from ..theory.extrapolation import FARTHEST, FEWEST, Extrapolation, extrapolate
from ..theory.self_check import log_loss_remark, self_check
from .test_set import TestSet

EXTRAPOLATED = 1024  # samples: twenty seconds of a processor
CHECKED = 500  # samples: a tenth of a second, and two where the prediction fails and a ridge is looked for
FEWEST_CHECKED, FEWEST_GROUPS = 8, 4  # samples and groups, of which halves say something
GROUPS_CHECKED = 16  # groups of mean size, even if they have more than 500 samples


def extrapolations(
    learner: KernelOnDomain,
    target: Target,
    train_sizes: Float[np.ndarray, " sizes"],
    ridges: Float[np.ndarray, " sizes"],
) -> tuple[dict[float, Extrapolation], list[str]]:
    """The extrapolation at each ridge, with a row per size that goes with it, and remarks on what they rest on.

    Raises
    ------
    ValueError
        Sizes above 16 times the samples, fewer than 20 samples; see `learnability.extrapolate`.

    Examples
    --------
    >>> import numpy as np, learnability as lb
    >>> x = np.random.default_rng(0).standard_normal((60, 2))
    >>> data = lb.Samples(x, np.sin(x[:, 0]) + x[:, 1])
    >>> learner = KernelOnDomain(data, lb.FullyConnected(1))
    >>> curves, _ = extrapolations(learner, data.all(), np.array([120.0, 240.0]), np.array([0.1, 0.1]))
    >>> curves[0.1].table["train_size"].tolist()
    [120.0, 240.0]
    """
    size = learner.domain.size
    assert size is not None  # of a data set
    largest = train_sizes.max()
    require(
        size >= FEWEST,
        f"train_size {largest:g} is more than the {size} samples of {learner.domain}, and a curve is extrapolated from at "
        f"least {FEWEST}; ask for fewer or give more samples",
    )
    most = min(max(EXTRAPOLATED, int(np.ceil(largest / FARTHEST))), LARGEST_MATRIX)
    farthest = FARTHEST * min(size, most)
    require(
        largest <= farthest,
        f"train_size {largest:g} is beyond what {size} samples can tell; ask for at most {farthest:g}",
    )
    index = learner.samples(most)
    matrix, labels = learner.matrix(index), np.asarray(target.values)[index]
    curves = {
        float(ridge): extrapolate(matrix, labels, np.unique(train_sizes[ridges == ridge]), float(ridge))
        for ridge in np.unique(ridges)
    }
    remarks = [f"beyond the data, ridge {ridge:g}: {text}" for ridge, curve in curves.items() for text in curve.remarks]
    if len(index) < size:
        remarks.append(f"beyond the data: extrapolated from {len(index)} of {size} samples, drawn at random")
    return curves, remarks


def checks(
    learner: KernelOnDomain,
    target: Target,
    train_size: float,
    ridges: Float[np.ndarray, " ridges"],
    test_set: TestSet | None = None,
) -> list[str]:
    """Where regression on random training sets of some samples contradicts the theory: remarks for each ridge.

    They are drawn from at most 500 samples, or 16 groups.

    With a test set both errors are those on it; the log-loss of classes is checked without one.

    Parameters
    ----------
    train_size : float
        The two are compared there, or at half of the samples that are taken where it is larger.

    Examples
    --------
    >>> import numpy as np, learnability as lb
    >>> x = np.random.default_rng(0).standard_normal((100, 1))
    >>> data = lb.Samples(x, np.sin(3 * x[:, 0]) + 0.1 * np.cos(40 * x[:, 0]))
    >>> len(checks(KernelOnDomain(data, lb.Gaussian(1.0)), data.all(), 50, np.array([0.0, 0.1])))
    1
    """
    all_groups, most = learner.domain.groups, CHECKED
    if all_groups is not None:
        of_groups = GROUPS_CHECKED * len(all_groups) // number_of(all_groups)
        most = min(max(CHECKED, of_groups), LARGEST_MATRIX)
    index = learner.samples(most)
    if len(index) < FEWEST_CHECKED:
        return []
    groups = learner.groups(index)
    if groups is not None and number_of(groups) < FEWEST_GROUPS:
        return [f"{number_of(groups)} groups are too few to check a prediction for new ones by regression"]
    matrix, labels = learner.matrix(index), np.asarray(target.values)[index]
    size = int(np.clip(train_size, 2, len(index) // 2))
    tests = None if test_set is None else test_set.seen_by(learner, index)
    remarks = []
    for ridge in np.unique(ridges).tolist():
        remarks.append(self_check(matrix, labels, size, ridge, tests=tests, groups=groups).remark())
        if tests is None:
            remarks.append(log_loss_remark(matrix, labels, size, ridge, groups=groups))
    return [remark for remark in remarks if remark is not None]
