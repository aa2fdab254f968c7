"""Learning curves extrapolated from a part of a table, against exact regression on up to eight times as many samples."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from scipy.interpolate import CubicSpline

from ..common.errors import choose
from ..common.seeding import stream
from ..kernels import architecture_from
from ..regression.ridge import dual_coefficients
from ..theory.best_ridge import best_ridge
from ..theory.extrapolation import extrapolate

MULTIPLES = (2, 4, 8)
LADDER = 10.0 ** np.arange(-5, 1.1)  # ridges, in units of the mean of the kernel's diagonal
FOLDS = 10  # of the table, one of which is left out of every training set
ROWS = 1000  # of the synthetic tables and of the digits, unless asked for


def run(
    table: str,
    architecture: dict,
    parts: Sequence[float] = (1 / 9, 1 / 4.5),
    ridges: Sequence[str] = ("none", "tuned"),
    seeds: int = 2,
    draws: int = 20,
    rows: int = ROWS,
) -> pd.DataFrame:
    """Extrapolate from parts of a table and measure what they ask for.

    Parameters
    ----------
    table : str
        One of TABLES, from scikit-learn.
    architecture : dict
    parts : shares of the table that are known; errors are asked for at 2, 4 and 8 times as many, up to 90 % of the table
    ridges : of "none", "tuned" (the best at the known samples, the same at every size) and "best" (retuned at every size)
    seeds : int, parts that are drawn
    draws : int
        Training sets per measured mean; all sizes of one draw are scored on the same tenth of the table, each tenth in turn.
    rows : int
        Of the synthetic tables, and at most of the digits, which are 1,797; other tables are taken whole.

    Returns
    -------
    DataFrame
        Rows "fall" and "error" per table, ridge, known, multiple and seed: measured (mean), predicted (theory), the ends of
        the 90 % interval (low, high), the remarks and whether there are any (doubtful), and `last`, the same by the last value,
        which promises no fall.
    """
    x, y = TABLES[choose("table", table, TABLES)](rows)
    kernel = architecture_from(architecture).kernel(x)
    measured, compared = _Measured(kernel, y, draws), list[dict]()
    for part in parts:
        known = round(part * len(x))
        sizes = [known * multiple for multiple in (1, *MULTIPLES) if multiple * known <= (1 - 1 / FOLDS) * len(x)]
        for seed in range(seeds):
            index = stream("known part of a table", table=table, known=known, seed=seed).permutation(len(x))[:known]
            for ridge in ridges:
                keys = {"source": "kernel", "table": table, "ridge": ridge, "known": known, "seed": seed}
                compared += _compared(measured, sizes, kernel[np.ix_(index, index)], y[index], ridge, keys)
    return pd.DataFrame(compared)


def _compared(
    measured: "_Measured", sizes: list[int], matrix: np.ndarray, labels: np.ndarray, ridge: str, keys: dict
) -> list[dict]:
    ridges: dict[str, float | str] = {"none": 0.0, "best": "best"}
    fixed = ridges[ridge] if ridge in ridges else float(best_ridge(matrix, labels, [len(matrix)])[0])
    curve = extrapolate(matrix, labels, sizes, fixed)
    errors = measured.errors(sizes, curve.ridges)
    now, *later = errors.T
    keys |= {"doubtful": bool(curve.remarks), "remarks": "; ".join(curve.remarks)}
    rows = []
    for number, at_size in enumerate(later, 1):
        row, place = curve.table.iloc[number], {**keys, "multiple": round(sizes[number] / len(matrix))}
        fall, error = at_size.mean() / now.mean(), at_size.mean()
        scatter = fall * _standard_error(at_size / error - now / now.mean())
        rows.append({**place, "measure": "fall", "mean": fall, "standard_error": scatter, "theory": row["fall"],
                     "low": row["fall_low"], "high": row["fall_high"], "last": 1.0})  # fmt: skip
        rows.append({**place, "measure": "error", "mean": error, "standard_error": _standard_error(at_size),
                     "theory": row["test_mse"], "low": row["low"], "high": row["high"],
                     "last": curve.table["test_mse"].iloc[0]})  # fmt: skip
    return rows


def _standard_error(values: np.ndarray) -> float:
    return values.std(ddof=1) / np.sqrt(len(values))


class _Measured:
    """Exact regression on nested training sets at a ladder of ridges; all sizes of one draw share their test samples."""

    def __init__(self, kernel: np.ndarray, y: np.ndarray, draws: int):
        self.kernel, self.y = kernel, y
        self.ridges = np.diag(kernel).mean() * np.concatenate([[0.0], LADDER])
        self.draws = [self._draw(draw) for draw in range(draws)]
        self.of_size: dict[int, np.ndarray] = {}  # (draws, ridges)

    def _draw(self, draw: int) -> tuple[np.ndarray, np.ndarray]:
        """The samples that are scored, and the others in the order that training sets take them in."""
        order = stream("measured part of a table", size=len(self.y), round=draw // FOLDS).permutation(len(self.y))
        test = order[draw % FOLDS :: FOLDS]
        rest = np.setdiff1d(order, test, assume_unique=True)
        return test, stream("order of a measured part", size=len(self.y), draw=draw).permutation(rest)

    def _at(self, size: int) -> np.ndarray:
        errors = np.empty((len(self.draws), len(self.ridges)))
        for draw, (test, rest) in enumerate(self.draws):
            train = rest[:size]
            inner, across = self.kernel[np.ix_(train, train)], self.kernel[np.ix_(test, train)]
            for place, ridge in enumerate(self.ridges):
                alpha, _ = dual_coefficients(inner, self.y[train], ridge)
                errors[draw, place] = ((self.y[test] - across @ alpha) ** 2).mean()
        return errors

    def errors(self, sizes: list[int], ridges: np.ndarray) -> np.ndarray:
        """(draws, sizes): at a ridge per size, cubic in log ridge between those of the ladder; without one below it."""
        logs = np.log(self.ridges[1:])
        errors = np.empty((len(self.draws), len(sizes)))
        for number, (size, ridge) in enumerate(zip(sizes, ridges, strict=True)):
            if size not in self.of_size:
                self.of_size[size] = self._at(size)
            curve = np.log(self.of_size[size])
            if ridge < self.ridges[1]:
                errors[:, number] = self.of_size[size][:, 0]
            else:
                errors[:, number] = np.exp(CubicSpline(logs, curve[:, 1:], axis=1)(min(np.log(ridge), logs[-1])))
        return errors


def _standard(values: np.ndarray) -> np.ndarray:
    spread = values.std(0)
    return (values - values.mean(0)) / np.where(spread > 0, spread, 1.0)


def _loaded(name: str) -> Callable[[int], tuple[np.ndarray, np.ndarray]]:
    """A table of scikit-learn: standardised columns, and a number as label, or +-1 for two classes."""

    def load(rows: int) -> tuple[np.ndarray, np.ndarray]:
        from sklearn import datasets

        x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
        labels = y - y.mean() if name != "wine" else np.eye(3)[y] - np.eye(3)[y].mean(0)
        return _standard(x), (labels / labels.std(0)).reshape(len(x), -1)

    return load


def _digits(even: bool) -> Callable[[int], tuple[np.ndarray, np.ndarray]]:
    """Digits, even or odd as +-1, or ten outputs; images share one scale."""

    def load(rows: int) -> tuple[np.ndarray, np.ndarray]:
        from sklearn import datasets

        x, y = datasets.load_digits(return_X_y=True)
        index = stream("digits of beyond_the_data").permutation(len(x))[:rows]
        x, y = x[index] - x.mean(0), y[index]
        labels = np.where(y % 2 == 0, 1.0, -1.0)[:, None] if even else 10 * (np.eye(10)[y] - 0.1)
        return x / x.std(), labels

    return load


def _synthetic(kind: str, noise: float) -> Callable[[int], tuple[np.ndarray, np.ndarray]]:
    """Friedman's functions, in standardised columns, with noise in units of the label's standard deviation."""

    def load(rows: int) -> tuple[np.ndarray, np.ndarray]:
        from sklearn import datasets

        x, y = getattr(datasets, f"make_{kind}")(n_samples=rows, noise=0.0, random_state=0)
        y = _standard(y) + noise * stream("noise of beyond_the_data", kind=kind).standard_normal(rows)
        return _standard(x), _standard(y)[:, None]

    return load


TABLES = {
    "diabetes": _loaded("diabetes"),
    "breast_cancer": _loaded("breast_cancer"),
    "wine": _loaded("wine"),
    "digits": _digits(even=False),
    "even_digits": _digits(even=True),
    "friedman1": _synthetic("friedman1", 0.3),
    "friedman2": _synthetic("friedman2", 0.0),
    "friedman3": _synthetic("friedman3", 0.1),
}
