"""The learned function at samples and at points that are never selected: mean, spread, errors and classes.

A sample of a site of m copies has a case for every number of the other copies selected: docs/research/rates.md, "Copies".
"""

from dataclasses import dataclass

import numpy as np

from .classes import ClassOutputs, class_of
from .group_equations import GroupSolution
from .sample_equations import SampleSolution
from .sample_layout import Layout
from .sites import RARE, binomial, shrinkage


@dataclass(frozen=True)
class Cases:
    """How many other copies of a sample's site are selected: a list of (sample, number) with probabilities.

    A sample that coincides with no other is one case.
    """

    row: np.ndarray  # (cases,) of int, in ascending order: the sample, among those that can be drawn
    others: np.ndarray  # (cases,): selected copies
    probability: np.ndarray  # (cases,)
    samples: int

    @classmethod
    def of(cls, layout: Layout, solution: SampleSolution | GroupSolution) -> "Cases":
        """The cases at one solution; where groups are selected as a whole, so are all copies."""
        if isinstance(solution, GroupSolution):
            samples = len(layout.site)
            return cls(np.arange(samples), np.zeros(samples), np.ones(samples), samples)
        copies = layout.pool.copies[layout.site]
        row = np.repeat(np.arange(len(copies)), copies)
        others = np.arange(len(row)) - np.repeat(np.cumsum(copies) - copies, copies)
        probability = binomial(others, copies[row] - 1, solution.rates[layout.site][row])
        likely = probability > RARE
        return cls(row[likely], others[likely].astype(float), probability[likely], len(copies))

    def mean(self, values: np.ndarray) -> np.ndarray:
        """(cases, ...) -> (samples, ...)."""
        if len(self.row) == self.samples:
            return values
        result = np.zeros((self.samples, *values.shape[1:]))
        np.add.at(result, self.row, values * self.probability.reshape(-1, *[1] * (values.ndim - 1)))
        return result


@dataclass(frozen=True)
class Learned:
    """Mean and spread of y - fhat over training sets, at a list of cases or points.

    Without noise; `noise` is the variance of fhat per unit variance of label noise, `own_noise` that of y - fhat where y is
    the label that fhat was trained on.
    """

    mean: np.ndarray  # (cases, outputs)
    spread: np.ndarray  # (cases, pairs): covariances
    noise: np.ndarray  # (cases,)
    own_noise: np.ndarray  # (cases,)
    pairs: tuple[np.ndarray, np.ndarray]

    @classmethod
    def at_samples(
        cls, layout: Layout, solution: SampleSolution, cases: Cases, ridge: float, selected: bool
    ) -> "Learned":
        """Where a sample is selected, or is not; docs/research/rates.md, "Copies"."""
        (first, second), site = layout.pool.pairs, layout.site[cases.row]
        copies, others = layout.pool.copies[site], cases.others
        count = others + selected
        shrunk = np.where(count == 1, solution.trained[site], shrinkage(count, solution.variance[site], ridge))
        followed = (1 - shrunk) / np.fmax(count, 1)  # how far fhat follows the sum of the selected labels' deviations
        rest = np.fmax(copies - 1, 1)
        deviation = layout.deviation[cases.row]
        sum_of_deviations = (selected - others / rest)[:, None] * deviation
        cavity = solution.off_residual[site]
        products = deviation[:, first] * deviation[:, second]
        of_others = (copies[:, None] * layout.pool.scatter[site] - products) / rest[:, None] - products / rest[
            :, None
        ] ** 2
        drawn = others * (rest - others) / np.fmax(rest - 1, 1)  # without replacement
        spread = solution.off_train[site] - cavity[:, first] * cavity[:, second]
        own = shrunk**2 * solution.noise[site]
        return cls(
            mean=deviation + shrunk[:, None] * cavity - followed[:, None] * sum_of_deviations,
            spread=shrunk[:, None] ** 2 * spread + (followed**2 * drawn)[:, None] * of_others,
            noise=own + followed**2 * count,
            own_noise=own + followed**2 * count + 1 - 2 * followed,
            pairs=layout.pool.pairs,
        )

    @classmethod
    def at_groups(cls, layout: Layout, solution: GroupSolution, selected: bool) -> "Learned":
        """Where the group of a sample is selected, or is not."""
        (first, second), site = layout.pool.pairs, layout.site
        if selected:
            mean, products, noise = solution.trained_mean, solution.trained_products, solution.trained_noise
        else:
            mean, products, noise = solution.mean, solution.products, solution.noise
        followed = solution.followed[site] if selected else 0.0
        return cls(
            mean=layout.deviation + mean[site],
            spread=(products - mean[:, first] * mean[:, second])[site],
            noise=noise[site],
            own_noise=noise[site] + 1 - 2 * followed,
            pairs=layout.pool.pairs,
        )

    @classmethod
    def at_points(cls, layout: Layout, solution: SampleSolution | GroupSolution) -> "Learned":
        """At the points that are never selected."""
        (first, second), mean = layout.pool.pairs, solution.cross_residual
        spread, noise = solution.cross_errors - mean[:, first] * mean[:, second], solution.cross_noise
        return cls(mean, spread, noise, noise + 1, layout.pool.pairs)

    def part(self, which: slice) -> "Learned":
        """Some of the cases or points."""
        return Learned(self.mean[which], self.spread[which], self.noise[which], self.own_noise[which], self.pairs)

    def errors(self, own: np.ndarray, noise: float) -> np.ndarray:
        """(cases, outputs): mean squared, against new labels; own : which pairs are of one output."""
        return self.mean**2 + self.spread[:, own] + noise * (self.noise[:, None] + 1)

    def outputs(self, labels: np.ndarray, noise: float) -> ClassOutputs:
        """The learned function's outputs where labels (cases, outputs) are classes; taken as Gaussian."""
        outputs = labels.shape[1]
        covariance = np.empty((len(labels), outputs, outputs))
        covariance[:, self.pairs[0], self.pairs[1]] = covariance[:, self.pairs[1], self.pairs[0]] = self.spread
        covariance += noise * self.noise[:, None, None] * np.eye(outputs)
        return ClassOutputs(labels - self.mean, covariance, class_of(labels))
