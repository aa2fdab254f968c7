"""The samples that candidates are predicted from: all of a data set, or as many as take a minute.

What a prediction costs grows with the third power of the samples that are solved for together; what the choice of samples
leaves to chance falls with their number, whether they are solved for together or apart. A fast ranking therefore takes at most
4096 samples and cuts them, for each training size, into pools of twice as many as the training set, at least 512. Errors are
means over the pools.

Samples are drawn systematically, in equal steps from a random start through them in order of their labels' distance from the
mean, and so are the pools: errors go with that distance, and each sample has the same probability.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from ..common.seeding import stream
from ..domains.domain import Domain
from ..domains.normalisation import variances
from ..domains.samples import Samples
from ..kernels.matrix import LARGEST_MATRIX
from ..spectra.target import Target

SEEN = 4096  # samples of a large data set
TIMES, SMALLEST = 2, 512  # samples of a pool: times the training set, at least

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
        Their numbers in the order that pools are drawn in; None: they are never cut.
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
        order = rng.permutation(domain.size)
        order = order[np.argsort(variances(domain, target)[order], kind="stable")]
        if domain.size <= SEEN:
            return cls(domain, target, order=order)
        steps = (np.arange(SEEN) + rng.random()) * domain.size / SEEN
        index = order[steps.astype(int)]
        space = Samples(domain.evaluation()[0][index])
        aim = space.target(np.asarray(target.values)[index], target.name)
        return cls(space, aim, index, np.arange(SEEN))

    def of(self, train_size: float) -> list[Positions]:
        """The pools of one training size, as numbers of `domain`'s samples; no pool where it is not cut."""
        if self.order is None:
            return []
        number = len(self.order) // int(max(TIMES * train_size, SMALLEST))
        return [np.sort(self.order[pool::number]) for pool in range(number)] if number > 1 else []

    def problem(self, positions: Positions | None) -> tuple[Domain, Target]:
        """The samples of a pool as a domain, with the target there; all where it is None."""
        if positions is None:
            return self.domain, self.target
        space = Samples(self.domain.evaluation()[0][positions])
        return space, space.target(np.asarray(self.target.values)[positions], self.target.name)
