r"""A family of learning curves and its posterior, given a curve that is known up to the samples at hand.

    E(c M) / E(M) = (1 - r) ((c + d) / (1 + d))^-b + r

Power laws (d = r = 0), floors (0 < r < 1: label noise, or what is never learned), rises (r > 1), and falls that still steepen
(d > 0). The posterior is a sum over a grid; the interval adds a discrepancy, calibrated on held-out data by the
workflow `beyond_the_data`.
"""

from dataclasses import dataclass

import numpy as np
from scipy import linalg
from scipy.special import ndtr

NEAR, RELATIVE = 0.01, 0.02  # what theory and family may differ by: per octave from M and one, per unit of log error
EACH, STEEP = 0.03, 0.1  # discrepancy of an extrapolated log error: per octave, and per unit of its fall
LEVEL, FALL = 1.9, 1.6  # factors on the naive sampling error of E(M), and on the discrepancy of falls
NEGLIGIBLE = 1e-4  # of the largest weight
SMALLEST = 1e-6  # of E(M): a member that falls below on the curve itself is impossible
GRID = 80  # points of a distribution function
AXES = (
    np.geomspace(0.03, 4, 100),
    np.r_[0, np.linspace(0.06, 0.96, 16), 1.1, 1.4, 2],
    np.array([0, 0.1, 0.3, 1, 3, 10, 30]),
)
B, R, D = (values.reshape(-1, 1) for values in np.meshgrid(*AXES, indexing="ij"))


def _log_prior() -> np.ndarray:
    """(members,): plain power laws around 1/2, one fifth that steepen, three tenths with a floor or a rise."""
    exponents = np.where(
        D == 0, np.log(0.8) - np.log(B / 0.5) ** 2 / 1.28, np.log(0.2 / 6) - np.log(B / 1.5) ** 2 / 0.72
    )
    return (exponents + np.where(R == 0, np.log(0.7 * 16), np.log(0.3)) - 2 * (R > 1))[:, 0]


def members(shares: np.ndarray) -> np.ndarray:
    """(members, shares): E(c M) / E(M) of every member."""
    return (1 - R) * ((shares + D) / (1 + D)) ** -B + R


@dataclass(frozen=True)
class Posterior:
    """Weights of the members that a curve leaves possible."""

    weights: np.ndarray  # (possible,)
    possible: np.ndarray  # (members,) of bool

    @classmethod
    def of(cls, shares: np.ndarray, errors: np.ndarray) -> "Posterior":
        """From a curve's errors of every sample (shares, M), of which one share is 1; means must be positive.

        Of the errors' sampling covariance only what moves the curve's shape counts: all is relative to n = M.
        """
        means, others = errors.mean(1), shares != 1
        now = int(np.flatnonzero(~others)[0])
        logs = np.log(means / means[now])
        influence = (errors / means[:, None] - errors[now] / means[now])[others]
        allowed = NEAR * (1 + np.abs(np.log2(shares))) + RELATIVE * np.abs(logs)
        covariance = LEVEL**2 * influence @ influence.T / errors.shape[1] ** 2 + np.diag(allowed[others] ** 2)
        values = members(shares)
        miss = (logs - np.log(np.fmax(values, SMALLEST)))[:, others]
        score = _log_prior() - 0.5 * ((miss @ linalg.inv(covariance)) * miss).sum(1)
        score[(values <= SMALLEST).any(1)] = -np.inf
        weights = np.exp(score - score.max())
        possible = weights > NEGLIGIBLE
        return cls(weights[possible] / weights[possible].sum(), possible)

    def quantiles(self, multiples: np.ndarray, tails: np.ndarray, level_error: float, factor: float) -> np.ndarray:
        """(tails, multiples): quantiles of log E(c M) / E(M).

        level_error : relative sampling error of E(M), for absolute errors; factor : on the discrepancy
        """
        centres = np.log(np.fmax(members(multiples)[self.possible], SMALLEST))
        discrepancy = factor * (EACH * np.log2(multiples) + STEEP * np.abs(centres))
        widths = np.sqrt(level_error**2 + discrepancy**2 + SMALLEST**2)
        columns = []
        for centre, width in zip(centres.T, widths.T, strict=True):
            grid = np.linspace((centre - 3.5 * width).min(), (centre + 3.5 * width).max(), GRID)
            columns.append(np.interp(tails, self.weights @ ndtr((grid - centre[:, None]) / width[:, None]), grid))
        return np.array(columns).T
