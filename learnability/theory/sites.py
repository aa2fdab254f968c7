r"""Samples that coincide are one site, and a training set holds a binomial number of its copies.

A site of m copies, each selected with probability c, enters kernel regression with the weight pi, binomial (m, c), and with
the mean label of the selected copies. With sigma^2 the variance of a Gaussian process at the site given the others,
the residual shrinks by

    s = delta / (delta + pi sigma^2)

where pi copies are selected, and the site equation of docs/research/rates.md, E[s] = kappa Q_xx, reads with
mu = kappa - delta / m

    mu Q_xx = 1 - C,    C = E[pi (delta + m sigma^2) / (m (delta + pi sigma^2))],    sigma^2 = (1 - mu Q_xx) / Q_xx - delta / m.

C is c for a single sample, 1 - (1 - c)^m without a ridge, and c again at a large one.
"""

from dataclasses import dataclass

import numpy as np

EQUAL = 1e-12  # of the largest entry: two rows that differ by less are equal
TOUCHING = 1e-7  # the same between points that coincide, where kernels with a kink lose half of their digits
RARE = 1e-15  # probabilities below count as 0
EPSILON = np.finfo(float).eps


def binomial(count: np.ndarray, copies: np.ndarray, rate: np.ndarray) -> np.ndarray:
    """The probability that `count` of `copies` are selected, each with a probability `rate`, entry by entry."""
    from scipy.stats import binom  # not above: SciPy's statistics take half a second, and most jobs have no samples

    return binom.pmf(count, copies, rate)


@dataclass(frozen=True)
class Sites:
    """Which samples coincide."""

    of: np.ndarray  # (M,) of int: the site of every sample
    first: np.ndarray  # (S,) of int: a sample of every site
    copies: np.ndarray  # (S,) of int

    def mean(self, values: np.ndarray, rates: np.ndarray) -> np.ndarray:
        """(M, columns) -> (S, columns): means over the copies, weighted by their rates (M,)."""
        if len(self.first) == len(self.of):
            return values[self.first]
        total = np.zeros((len(self.first), values.shape[1]))
        np.add.at(total, self.of, rates[:, None] * values)
        return total / np.bincount(self.of, rates)[:, None]

    def within(self, groups: np.ndarray) -> "Sites":
        """Sites of samples that coincide in one group (M,) of int only."""
        pairs = self.of * (groups.max() + 1) + groups
        _, first, of, copies = np.unique(pairs, return_index=True, return_inverse=True, return_counts=True)
        return Sites(of.ravel(), first, copies)


def sites_of(matrix: np.ndarray) -> Sites:
    """The sites of the samples whose rows in a kernel matrix (M, M) coincide, numbered by their first samples."""
    size, largest = len(matrix), np.abs(matrix).max(initial=0.0)
    probe = matrix @ np.random.default_rng(0).standard_normal(size)  # coincident samples are neighbours in it
    window = 10 * TOUCHING * largest + EQUAL * size * largest
    representative = np.arange(size)
    leaders: list[int] = []
    for sample in np.argsort(probe, kind="stable"):
        for leader in reversed(leaders):
            if probe[sample] - probe[leader] > window:
                leaders.append(sample)
                break
            if _coincide(matrix, leader, sample, largest):
                representative[sample] = leader
                break
        else:
            leaders.append(sample)
    earliest = np.full(size, size)
    np.minimum.at(earliest, representative, np.arange(size))
    first, of, copies = np.unique(earliest[representative], return_inverse=True, return_counts=True)
    return Sites(of.ravel(), first, copies)


def _coincide(matrix: np.ndarray, one: int, other: int, largest: float) -> bool:
    difference = np.abs(matrix[one] - matrix[other])
    unequal = difference > EQUAL * largest
    touching = np.abs(matrix[one, unequal] - matrix[one, one]) <= TOUCHING * largest
    return bool(touching.all() and (difference <= TOUCHING * largest).all())


class Occupation:
    """The number of selected copies of every site of more than one, as a list of its values and their probabilities.

    Parameters
    ----------
    copies : (S,) of int
    rates : (S,), the probability c that a copy is selected
    """

    def __init__(self, copies: np.ndarray, rates: np.ndarray):
        self.copies, self.rates = copies, rates
        crowded = np.flatnonzero(copies > 1)
        site = np.repeat(crowded, copies[crowded] + 1)
        count = np.concatenate([np.arange(number + 1) for number in copies[crowded]] or [np.arange(0)])
        probability = binomial(count, copies[site], rates[site])
        likely = probability > RARE
        self.crowded, self.site = crowded, site[likely]
        self.count, self.probability = count[likely].astype(float), probability[likely]

    def _expected(self, values: np.ndarray) -> np.ndarray:
        """(crowded sites,): means of a function of pi, listed like `count`."""
        return np.bincount(self.site, self.probability * values, len(self.copies))[self.crowded]

    def share(self, variance: np.ndarray, ridge: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """C, 1 - C, dC / d sigma^2 and dC / d logit c, each (S,), at the variances sigma^2 (S,)."""
        share, rest = self.rates.copy(), 1 - self.rates
        slope, growth = np.zeros(len(self.copies)), self.rates * (1 - self.rates)
        if len(self.site):
            number, spread = self.copies[self.site], variance[self.site]
            taken = np.fmax(self.count, 1)
            weight = number * (ridge + taken * spread)
            part = np.where(self.count > 0, taken * (ridge + number * spread) / weight, 0)
            missing = np.where(self.count > 0, ridge * (number - taken) / weight, 1)
            steep = self.count * ridge * (number - self.count) / (number * (ridge + taken * spread) ** 2)
            share[self.crowded], rest[self.crowded] = self._expected(part), self._expected(missing)
            slope[self.crowded] = self._expected(steep)
            growth[self.crowded] = self._expected(part * (self.count - number * self.rates[self.site]))
        return share, np.fmax(rest, EPSILON), slope, growth

    def odds(self, variance: np.ndarray, ridge: float) -> np.ndarray:
        """(S,): (1 - E[s])^2 / Var[s], which is c / (1 - c) for a single sample."""
        with np.errstate(divide="ignore"):
            odds = self.rates / (1 - self.rates)
        if len(self.site):
            shrunk = shrinkage(self.count, variance[self.site], ridge)
            mean = self._expected(shrunk)
            spread = self._expected((shrunk - _listed(mean, self.crowded, self.site)) ** 2)
            odds[self.crowded] = (1 - mean) ** 2 / np.fmax(spread, EPSILON)
        return odds

    def squared_shrinkage(self, variance: np.ndarray, single: np.ndarray, ridge: float) -> np.ndarray:
        """(S,): E[s^2]; `single` (S,) is s of a selected single sample."""
        squares = 1 - self.rates + self.rates * single**2
        if len(self.site):
            squares[self.crowded] = self._expected(shrinkage(self.count, variance[self.site], ridge) ** 2)
        return squares

    def noise(self, variance: np.ndarray, ridge: float) -> tuple[np.ndarray, np.ndarray]:
        """What label noise and scattered labels add to the squared dual coefficient of a site, each (S,).

        Per unit of the noise's variance E[pi / (delta + pi sigma^2)^2], and per unit of the copies' variance
        E[pi (m - pi) / (m - 1) / (delta + pi sigma^2)^2]: pi copies are drawn from m without replacement.
        """
        own, scatter = self.rates / (ridge + variance) ** 2, np.zeros(len(self.copies))
        if len(self.site):
            weight = ridge + np.fmax(self.count, 1) * variance[self.site]
            own[self.crowded] = self._expected(self.count / weight**2)
            left = (self.copies[self.site] - self.count) / (self.copies[self.site] - 1)
            scatter[self.crowded] = self._expected(self.count * left / weight**2)
        return own, scatter


def shrinkage(count: np.ndarray | float, variance: np.ndarray, ridge: float) -> np.ndarray:
    """s = delta / (delta + pi sigma^2); 1 where no copy is selected."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(count == 0, 1.0, np.where(variance > 0, ridge / (ridge + count * variance), 1.0))


def _listed(values: np.ndarray, crowded: np.ndarray, site: np.ndarray) -> np.ndarray:
    return values[np.searchsorted(crowded, site)]
