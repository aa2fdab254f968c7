r"""Beyond the data: the learning curve for more samples than there are, with an interval.

1. The per-sample theory gives the curve of these samples at n = M/4 ... M without Monte-Carlo noise; at M it is the
   leave-one-out error.
2. Its equations continue to c = n/M > 1 (`learnability.theory.continuation`). Farther than c = 1.5 they rest on the labels'
   projections on the smallest eigenvalues, and flatten.
3. From there on a family of curves (`learnability.theory.curve_families`), by its posterior given 1 and 2.
4. The interval joins the posterior, the sampling error of E(M) and a discrepancy that was calibrated on held-out data.
5. No target falls faster than (kappa(n) / kappa(M))^2 / E_0(M); where the curve still steepens that is the low end.

Derivation and measurements: docs/research/beyond-the-data.md.
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ..common.errors import real, reals, require
from .best_ridge import best_ridge
from .continuation import continued
from .curve_families import FALL, LEVEL, Posterior
from .per_sample import predict_samples
from .sample_arguments import as_one_error, checked
from .sample_equations import smallest_ridge
from .self_check import self_check
from .sites import sites_of

SHARES = 2.0 ** np.arange(-2, 0.01, 0.5)  # of the M samples, for the theory
CONTINUED = (1.125, 1.25, 1.5)
FARTHEST = 16.0
MULTIPLES = np.geomspace(1, FARTHEST, 17)
FEWEST = 20  # samples
SMALLEST_RIDGE = (
    1e-9  # of the mean of the kernel's diagonal: stands for no ridge where a power law of best ridges is needed
)
LITTLE = 0.8  # of the labels' mean square: hardly anything is learned
FEW_SAMPLES, MUCH = 5, 0.25  # so many samples that carry more than this share of the error ...
HEAVY = 1.5  # ... and make its scatter so much larger than that of Gaussian residuals


@dataclass(frozen=True, repr=False)
class Extrapolation:
    """A learning curve beyond the samples.

    Attributes
    ----------
    table : DataFrame
        A row per train_size: test_mse (the median; against labels as noisy as these, averaged over outputs), low and
        high, the ends of its interval; fall, the error over that of all samples, with fall_low and fall_high, in which
        the level's sampling error cancels; least, a bound on the fall of any target with this kernel.
    remarks : list of str
        What makes the prediction doubtful; empty where nothing does.
    ridges : (sizes,)
        The ridge of every row.

    Examples
    --------
    >>> import numpy as np, learnability as lb
    >>> x = np.random.default_rng(0).standard_normal((200, 3))
    >>> curve = lb.extrapolate(lb.FullyConnected(1).kernel(x), np.sin(x[:, 0]), [200, 800], ridge=0.1)
    >>> curve.table["fall"].round(2).tolist()
    [1.0, 0.85]
    >>> median, low, high = curve.samples_needed(fall=0.9)
    >>> 200 < median < 800
    True
    """

    table: pd.DataFrame
    remarks: list[str]
    ridges: np.ndarray
    _size: int = field(repr=False)
    _errors: np.ndarray = field(repr=False)  # (3, multiples): low, median and high log error
    _falls: np.ndarray = field(repr=False)

    def samples_needed(self, error: float | None = None, fall: float | None = None) -> tuple[float, float, float]:
        """Samples that reach an error, or a share of the error of all samples: median, low and high.

        Infinite where 16 M samples do not reach it. Ask for a fall first: it is known better than an error.
        """
        require((error is None) != (fall is None), "samples_needed takes either an error or a fall")
        name, value = ("error", error) if fall is None else ("fall", fall)
        level = np.log(real(name, value, positive=True))
        low, median, high = self._errors if fall is None else self._falls
        best, least, most = (float(self._size * _crossing(curve, level)) for curve in (median, low, high))
        return best, least, most

    def __repr__(self) -> str:
        lines = [
            f"Extrapolation from {self._size} samples:",
            self.table.to_string(index=False, float_format="{:.4g}".format),
        ]
        return "\n".join([*lines, *(f"doubtful: {remark}" for remark in self.remarks)])

    def _repr_html_(self) -> str:
        return self.table.to_html(index=False)


def extrapolate(
    matrix: np.ndarray,
    y: np.ndarray,
    train_size: np.ndarray | list | float,
    ridge: float | str = 0.0,
    coverage: float = 0.9,
) -> Extrapolation:
    """Predict the error of kernel regression on more samples than there are.

    Parameters
    ----------
    matrix : (M, M)
        The kernel on all samples, not divided by M.
    y : (M,) or (M, outputs)
    train_size : sizes from M to 16 M
    ridge : float or "best"
        Absolute, the same at every size; "best" is the one with the smallest predicted error at each size up to M, and
        its power law beyond.
    coverage : float between 0 and 1, of the intervals

    Returns
    -------
    Extrapolation

    Raises
    ------
    ValueError
        A train_size outside M to 16 M, fewer than 20 samples, an error of 0, a coverage outside 0 to 1; see also
        `learnability.predict_samples`.

    Notes
    -----
    Fourteen to forty factorizations of (M, M). Ranking of candidates is not improved by it: rank at n = M.

    Examples
    --------
    >>> import numpy as np, learnability as lb
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((100, 4))
    >>> y = np.sin(x[:, 0]) + x[:, 1] + 0.1 * rng.standard_normal(100)
    >>> curve = lb.extrapolate(lb.FullyConnected(1, "relu").kernel(x), y, [200, 400], ridge=0.1)
    >>> bool((np.diff(curve.table["test_mse"]) < 0).all())
    True
    >>> median, low, high = curve.samples_needed(fall=0.7)
    >>> low <= median <= high
    True
    """
    matrix, y = checked(matrix, y)
    labels = as_one_error(y.reshape(len(y), -1))
    size, sizes = len(matrix), np.atleast_1d(reals("train_size", train_size))
    require(size >= FEWEST, f"a curve is extrapolated from at least {FEWEST} samples, the matrix has {size}")
    require(
        bool((sizes >= size).all() and (sizes <= FARTHEST * size).all()),
        f"train_size must be from the {size} samples there are to {FARTHEST:g} times as many, got {sizes.tolist()}; for fewer "
        "use predict_samples",
    )
    require(0 < coverage < 1, f"coverage must be between 0 and 1, got {coverage!r}")
    ridges, shares, errors, exponent, noise = _curve(matrix, labels, ridge)
    require(
        bool((shares == 1).any()),
        "the error off the training set is 0 at all samples, there is nothing to extrapolate: give samples that coincide once",
    )
    now = int(np.flatnonzero(shares == 1)[0])
    means = errors.mean(1)
    remarks, steep = _remarks(matrix, labels, ridges, shares, means, errors[now])
    tails = 0.5 + coverage / 2 * np.array([-1, 0, 1])
    posterior, level_error = Posterior.of(shares, errors), LEVEL * errors[now].std(ddof=1) / np.sqrt(size) / means[now]
    absolute = np.log(means[now]) + posterior.quantiles(MULTIPLES, tails, level_error, 1.0)
    falls = posterior.quantiles(MULTIPLES, tails, 0.0, FALL)
    least = np.where(MULTIPLES > 1, -2 * exponent * np.log(MULTIPLES) - np.log(noise), 0.0)
    if steep:
        absolute[0] = np.fmin(absolute[0], absolute[0, 0] + least)
        falls[0] = np.fmin(falls[0], least)
    columns = {
        "test_mse": absolute[1],
        "low": absolute[0],
        "high": absolute[2],
        "fall": falls[1],
        "fall_low": falls[0],
        "fall_high": falls[2],
        "least": least,
    }
    logs = np.log(sizes / size)
    values = {name: np.exp(np.interp(logs, np.log(MULTIPLES), curve)) for name, curve in columns.items()}
    table = pd.DataFrame({"train_size": sizes, **values})
    return Extrapolation(table, remarks, _ridges_at(sizes / size, shares, ridges), size, absolute, falls)


def _curve(
    matrix: np.ndarray, labels: np.ndarray, ridge: float | str
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float, float]:
    """Ridges and shares (shares,), errors of every sample (shares, M) with positive means, kappa's exponent and E_0 at M."""
    size, sites = len(matrix), sites_of(matrix)
    floor = smallest_ridge(matrix[np.ix_(sites.first, sites.first)])
    best = isinstance(ridge, str)
    if best:
        require(ridge == "best", f'ridge must be a number or "best", got {ridge!r}')
        floor = max(floor, SMALLEST_RIDGE * np.diag(matrix).mean())
        ridges = np.fmax(best_ridge(matrix, labels, SHARES * size), floor)
    else:
        ridges = np.full(len(SHARES), max(real("ridge", ridge), floor))
    errors = predict_samples(matrix, labels, SHARES * size, ridges).off_train_errors.mean(-1)
    copies, shares = len(sites.first) < size, SHARES
    regular = max(ridges[-1], smallest_ridge(matrix))
    # samples that coincide have no continuation: the posterior rests on the curve up to M alone
    reached = [] if copies else CONTINUED
    if best and not copies:
        beyond = _ridges_at(np.array(CONTINUED), SHARES, ridges)
        parts = [continued(matrix, labels, float(r), (c,)) for c, r in zip(CONTINUED, beyond, strict=True)]
    else:
        parts = [continued(matrix, labels, regular, tuple(reached))]
    continuation = np.concatenate([part.errors for part in parts])
    shares = np.concatenate([shares, *(part.shares for part in parts)])
    errors = np.concatenate([errors, continuation])
    ridges = _ridges_at(shares, SHARES, ridges)
    positive = errors.mean(1) > 0
    exponent = 1.0 if copies else parts[0].exponent
    return ridges[positive], shares[positive], errors[positive], exponent, parts[0].noise


def _ridges_at(wanted: np.ndarray, shares: np.ndarray, ridges: np.ndarray) -> np.ndarray:
    """Ridges at shares of M: interpolated up to 1, and the power law of the last octave, no steeper than 1, beyond."""
    if (ridges == ridges[0]).all():
        return np.full(len(wanted), ridges[0])
    logs = np.log(ridges)
    inside = np.exp(np.interp(np.log(wanted), np.log(shares), logs))
    last, before = (logs[np.isclose(shares, share)][0] for share in (1.0, 0.5))
    slope = np.clip((last - before) / np.log(2), -1, 1)
    return np.where(wanted > 1, np.exp(last + slope * np.log(np.fmax(wanted, 1))), inside)


def _remarks(
    matrix: np.ndarray, labels: np.ndarray, ridges: np.ndarray, shares: np.ndarray, means: np.ndarray, now: np.ndarray
) -> tuple[list[str], bool]:
    """What the method knows of its own failures, and whether the curve still steepens."""
    quarter, half, whole = (means[np.isclose(shares, share)][0] for share in (0.25, 0.5, 1))
    power = (labels**2).mean()
    ridge = float(ridges[np.isclose(shares, 0.5)][0])
    check = self_check(matrix, labels, len(matrix) // 2, ridge, predicted=float(half))
    heavy = now.std() > HEAVY * np.sqrt(2) * now.mean() and np.sort(now)[-FEW_SAMPLES:].sum() > MUCH * now.sum()
    steep = np.log2(half / whole) > 1.15 * np.log2(quarter / half) + 0.02
    distrust = [
        (not check.holds, check.remark()),
        (whole > power, "worse than predicting 0 at all samples: intervals mean nothing; use a larger ridge"),
        (whole > half, "the error rises with more samples: intervals mean nothing; use a larger ridge"),
        (
            LITTLE * power < whole <= power,
            "little is learned yet: what is learned later cannot be seen from these samples",
        ),
        (steep, "the curve still steepens: its fall is probably underestimated, the low end is a bound"),
        (heavy, f"{FEW_SAMPLES} samples make more than a quarter of the error: its level is uncertain"),
        (
            shares[-1] == 1,
            "the equations could not be continued beyond the samples: the curve up to them is all there is",
        ),
    ]
    return [text for doubtful, text in distrust if doubtful and text], bool(steep)


def _crossing(curve: np.ndarray, level: float) -> float:
    """The multiple of M at which a log curve first falls to a level; inf where it does not."""
    below = np.flatnonzero(curve <= level)
    if len(below) == 0 or below[0] == 0:
        return np.inf if len(below) == 0 else 1.0
    ends = [below[0], below[0] - 1]
    return float(np.exp(np.interp(level, curve[ends], np.log(MULTIPLES[ends]))))
