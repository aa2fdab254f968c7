"""The samples that candidates are predicted from: all of a data set, or as many as take a minute.

What a prediction costs grows with the third power of the samples that are solved for together; what the choice of samples
leaves to chance falls with their number, whether they are solved for together or apart. A fast ranking therefore takes at most
4096 samples and cuts them, for each training size, into pools of twice as many as the training set, at least 512. Errors are
means over the pools.

Where training sets are whole groups, groups are drawn and cut in place of samples, by their mean distance.

Samples are drawn systematically, in equal steps from a random start through them in order of their labels' distance from the
mean, and so are the pools: errors go with that distance, and each sample has the same probability.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from ..common.errors import require
from ..common.groups import rows_of, sums_of
from ..common.seeding import stream
from ..domains.domain import Domain
from ..domains.normalisation import variances
from ..domains.samples import Samples
from ..kernels.matrix import LARGEST_MATRIX
from ..spectra.target import Target

SEEN = 4096  # samples of a large data set
TIMES, SMALLEST = 2, 512  # samples of a pool: times the training set, at least
FEWEST_GROUPS = 16  # of a pool, where training sets are whole groups
LEAST = 1.25  # times the training set: samples of the smallest pool of groups

Positions = Int[np.ndarray, " samples"]


@dataclass(frozen=True)
class Pools:
    """Samples, and how they are cut for a training size.

    Attributes
    ----------
    domain, target : Domain, Target, on all samples that are used
    samples : (samples,) of int or None
        Which of the data set they are; None: all.
    order : (samples,) of int or None
        Their numbers, or those of their groups, in the order that pools are drawn in; None: they are never cut.
    """

    domain: Domain
    target: Target
    samples: Positions | None = None
    order: Positions | None = None

    @classmethod
    def few(cls, domain: Domain, target: Target, largest: float) -> "Pools":
        """At most 4096 samples in pools; the domain as it is where it is no data set, or n is above 4096.

        Examples
        --------
        >>> import learnability as lb
        >>> x = np.random.default_rng(0).standard_normal((1200, 2))
        >>> data = lb.Samples(x, x[:, 0])
        >>> pools = Pools.few(data, data.all(), 100)
        >>> [len(positions) for positions in pools.of(100)], pools.samples is None
        ([600, 600], True)
        """
        if domain.alike or domain.size is None or largest > LARGEST_MATRIX:
            return cls(domain, target)
        rng = stream("samples of a ranking", domain=domain.identity)
        if domain.groups is not None:
            return cls._of_groups(domain, target, rng)
        order = rng.permutation(domain.size)
        order = order[np.argsort(variances(domain, target)[order], kind="stable")]
        if domain.size <= SEEN:
            return cls(domain, target, order=order)
        steps = (np.arange(SEEN) + rng.random()) * domain.size / SEEN
        index = order[steps.astype(int)]
        return cls(*_part(domain, target, index), index, np.arange(SEEN))

    @classmethod
    def _of_groups(cls, domain: Domain, target: Target, rng: np.random.Generator) -> "Pools":
        """Whole groups in place of samples, in the order of their mean distance."""
        order = _by_distance(domain, target, rng)
        groups, number = domain.groups, len(order)
        assert groups is not None
        if len(groups) <= SEEN:
            return cls(domain, target, order=order)
        index = np.arange(len(groups))
        while len(index) > SEEN and number > 2:
            number = min(number - 1, SEEN * len(order) // len(groups))
            steps = (np.arange(number) + rng.random()) * len(order) / number
            index = rows_of(groups, order[steps.astype(int)])
        require(
            len(index) <= SEEN,
            f"groups: two of them have {len(index)} rows, and {SEEN} are solved for at once; leave out some rows of "
            "every group",
        )
        part = _part(domain, target, index)
        return cls(*part, index, _by_distance(*part, rng))

    def of(self, train_size: float) -> list[Positions]:
        """The pools of one training size, as numbers of `domain`'s samples; no pool where it is not cut."""
        if self.order is None:
            return []
        groups = self.domain.groups
        if groups is not None:
            number = min(len(groups) // int(max(TIMES * train_size, SMALLEST)), len(self.order) // FEWEST_GROUPS)
            cut = [rows_of(groups, self.order[pool::number]) for pool in range(number)] if number > 1 else []
            return cut if cut and min(map(len, cut)) >= LEAST * train_size else []
        number = len(self.order) // int(max(TIMES * train_size, SMALLEST))
        return [np.sort(self.order[pool::number]) for pool in range(number)] if number > 1 else []

    def problem(self, positions: Positions | None) -> tuple[Domain, Target]:
        """The samples of a pool as a domain, with the target there; all where it is None."""
        if positions is None:
            return self.domain, self.target
        return _part(self.domain, self.target, positions)


def _by_distance(domain: Domain, target: Target, rng: np.random.Generator) -> Int[np.ndarray, " groups"]:
    """Groups in the order of the mean distance of their labels, equal ones at random."""
    assert domain.groups is not None
    distances = sums_of(domain.groups, variances(domain, target)) / np.bincount(domain.groups)
    order = rng.permutation(len(distances))
    return order[np.argsort(distances[order], kind="stable")]


def _part(domain: Domain, target: Target, positions: Positions) -> tuple[Domain, Target]:
    """Some samples of a data set as a domain, with the target there."""
    groups = None if domain.groups is None else domain.groups[positions]
    space = Samples(domain.evaluation()[0][positions], groups=groups)
    return space, space.target(np.asarray(target.values)[positions], target.name)
