"""Learning curves extrapolated from a part of a table, against exact regression on up to eight times as many samples."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from ..common.errors import choose
from ..common.seeding import stream
from ..kernels import architecture_from
from ..regression.ridge import dual_coefficients
from ..theory.best_ridge import best_ridge
from ..theory.extrapolation import extrapolate

MULTIPLES = (2, 4, 8)
FOLDS = 10  # of the table, one of which is left out of every training set
ROWS = 1000  # of the synthetic tables and of the digits


def run(
    table: str,
    architecture: dict,
    parts: tuple = (1 / 9, 1 / 4.5),
    ridges: tuple = ("none", "tuned"),
    seeds: int = 2,
    draws: int = 20,
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

    Returns
    -------
    DataFrame
        Rows "fall" and "error" per table, ridge, known, multiple and seed: measured (mean), predicted (theory), the ends of
        the 90 % interval (low, high), the remarks and whether there are any (doubtful), and `last`, the same by the last value,
        which promises no fall.
    """
    x, y = TABLES[choose("table", table, TABLES)]()
    kernel = architecture_from(architecture).kernel(x)
    rows = []
    for part in parts:
        known = round(part * len(x))
        multiples = [multiple for multiple in MULTIPLES if multiple * known <= (1 - 1 / FOLDS) * len(x)]
        for seed in range(seeds):
            index = stream("known part of a table", table=table, known=known, seed=seed).permutation(len(x))[:known]
            inner, labels = kernel[np.ix_(index, index)], y[index]
            for ridge in ridges:
                keys = {"source": "kernel", "table": table, "ridge": ridge, "known": known, "seed": seed}
                rows += _compared(kernel, y, inner, labels, ridge, multiples, draws, keys)
    return pd.DataFrame(rows)


def _compared(
    kernel: np.ndarray,
    y: np.ndarray,
    inner: np.ndarray,
    labels: np.ndarray,
    ridge: str,
    multiples: list[int],
    draws: int,
    keys: dict,
) -> list[dict]:
    known = len(inner)
    value = {"none": 0.0, "best": "best"}.get(ridge)
    if value is None:
        value = float(best_ridge(inner, labels, [known])[0][0])
    curve = extrapolate(inner, labels, [known * multiple for multiple in (1, *multiples)], value)
    sizes = [known * multiple for multiple in (1, *multiples)]
    errors = _measured(kernel, y, sizes, curve.ridges, draws)
    means, rows = errors.mean(0), []
    for number, multiple in enumerate(multiples, 1):
        row, keys = curve.table.iloc[number], {**keys, "multiple": multiple, "doubtful": bool(curve.remarks)}
        keys["remarks"] = "; ".join(curve.remarks)
        fall, scatter = means[number] / means[0], errors[:, number] / means[number] - errors[:, 0] / means[0]
        scatter = scatter.std(ddof=1) / np.sqrt(draws)
        rows.append({**keys, "measure": "fall", "mean": fall, "standard_error": fall * scatter, "theory": row["fall"],
                     "low": row["fall_low"], "high": row["fall_high"], "last": 1.0})  # fmt: skip
        spread = errors[:, number].std(ddof=1) / np.sqrt(draws)
        rows.append({**keys, "measure": "error", "mean": means[number], "standard_error": spread, "theory": row["test_mse"],
                     "low": row["low"], "high": row["high"], "last": curve.table["test_mse"].iloc[0]})  # fmt: skip
    return rows


def _measured(kernel: np.ndarray, y: np.ndarray, sizes: list[int], ridges: np.ndarray, draws: int) -> np.ndarray:
    """(draws, sizes): errors of exact regression on nested training sets, all of one draw on the same test samples."""
    errors = np.empty((draws, len(sizes)))
    for draw in range(draws):
        order = stream("measured part of a table", size=len(y), round=draw // FOLDS).permutation(len(y))
        test = order[draw % FOLDS :: FOLDS]
        rest = np.setdiff1d(order, test, assume_unique=True)
        rest = stream("order of a measured part", size=len(y), draw=draw).permutation(rest)
        for number, (size, ridge) in enumerate(zip(sizes, ridges, strict=True)):
            train = rest[:size]
            alpha, _ = dual_coefficients(kernel[np.ix_(train, train)], y[train], ridge)
            errors[draw, number] = ((y[test] - kernel[np.ix_(test, train)] @ alpha) ** 2).mean()
    return errors


def _standard(values: np.ndarray) -> np.ndarray:
    spread = values.std(0)
    return (values - values.mean(0)) / np.where(spread > 0, spread, 1.0)


def _loaded(name: str) -> Callable[[], tuple[np.ndarray, np.ndarray]]:
    """A table of scikit-learn: standardised columns, and a number as label, or +-1 for two classes."""

    def load() -> tuple[np.ndarray, np.ndarray]:
        from sklearn import datasets

        x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
        labels = y - y.mean() if name != "wine" else np.eye(3)[y] - np.eye(3)[y].mean(0)
        return _standard(x), (labels / labels.std(0)).reshape(len(x), -1)

    return load


def _digits(even: bool) -> Callable[[], tuple[np.ndarray, np.ndarray]]:
    """Digits, even or odd as +-1, or ten outputs; images share one scale."""

    def load() -> tuple[np.ndarray, np.ndarray]:
        from sklearn import datasets

        x, y = datasets.load_digits(return_X_y=True)
        index = stream("digits of beyond_the_data").permutation(len(x))[:ROWS]
        x, y = x[index] - x.mean(0), y[index]
        labels = np.where(y % 2 == 0, 1.0, -1.0)[:, None] if even else 10 * (np.eye(10)[y] - 0.1)
        return x / x.std(), labels

    return load


def _synthetic(kind: str, noise: float) -> Callable[[], tuple[np.ndarray, np.ndarray]]:
    """Friedman's functions, in standardised columns, with noise in units of the label's standard deviation."""

    def load() -> tuple[np.ndarray, np.ndarray]:
        from sklearn import datasets

        x, y = getattr(datasets, f"make_{kind}")(n_samples=ROWS, noise=0.0, random_state=0)
        y = _standard(y) + noise * stream("noise of beyond_the_data", kind=kind).standard_normal(ROWS)
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
