"""A test set of its own: points that are never trained on, from any distribution, with their labels."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike

from ..common.arrays import finite_array, labels
from ..common.errors import require
from ..domains.domain import Domain, Points
from ..domains.kernel_on_domain import KernelOnDomain
from ..spectra.target import Target


@dataclass(frozen=True)
class TestSet:
    """Points of the domain's shape and scale, and labels as the target's.

    Examples
    --------
    >>> import learnability as lb
    >>> data = lb.Samples([[0.0], [1.0], [2.0]], [0.0, 1.0, 4.0])
    >>> TestSet.of(([[3.0], [4.0]], [9.0, 16.0]), data, data.all()).distances.tolist()
    [12.25, 12.25]
    """

    points: Points
    labels: Float[np.ndarray, "tests outputs"]

    @classmethod
    def of(cls, pair: "tuple[ArrayLike, ArrayLike] | TestSet", domain: Domain, target: Target) -> "TestSet":
        """From points and labels; ValueError if they do not fit the domain's and the target's."""
        if isinstance(pair, TestSet):
            return pair
        require(
            isinstance(pair, tuple | list) and len(pair) == 2,
            "test_set must be a pair of points and labels, as the test_set(path) of a data set gives it",
        )
        require(
            not domain.alike, f"test_set is for data sets; all points of {domain} have one error, there is no other"
        )
        points, shape = finite_array("points of the test set", pair[0]), domain.evaluation()[0].shape[1:]
        require(
            points.shape[1:] == shape and len(points) > 0,
            f"points of the test set must be of shape (tests, {', '.join(map(str, shape))}), got {points.shape}",
        )
        known, outputs = labels("labels of the test set", pair[1], len(points), "the test set"), _outputs(target)
        known = known.reshape(len(points), -1)
        require(
            known.shape[1] == outputs,
            f"labels of the test set have {known.shape[1]} outputs, and {target!r} has {outputs}",
        )
        return cls(points, known)

    def seen_by(
        self, learner: KernelOnDomain, index: Int[np.ndarray, " samples"]
    ) -> tuple[Float[np.ndarray, "tests samples"], Float[np.ndarray, "tests outputs"]]:
        """The kernel between the points and some samples of the domain, and the labels."""
        return learner.cross(self.points, index), self.labels

    @property
    def distances(self) -> Float[np.ndarray, " tests"]:
        """Squared distance of each label from their mean, averaged over outputs; their mean is the labels' variance."""
        return ((self.labels - self.labels.mean(0)) ** 2).mean(1)


def _outputs(target: Target) -> int:
    values = np.asarray(target.values)
    return values.size // len(values)
