"""The common layout of experiments' tables: one row per measured mean, with what the theory says of it.

Columns: source (kernel, network, simulation, ... or theory for curves), measure, mean, standard_error, spread (standard
deviation over draws), theory, functions (number of draws), and the keys of the experiment.
"""

from collections.abc import Iterable, Mapping
from typing import Any, SupportsFloat

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

Row = dict[str, Any]  # of a table, {column: value}


def mean_row(source: str, measure: str, values: ArrayLike, theory: SupportsFloat, **keys: object) -> Row:
    """One row from draws (draws,) of a measure; draws that are not finite are left out and not counted."""
    draws = np.asarray(values, dtype=float)
    draws = draws[np.isfinite(draws)]
    number = len(draws)
    spread = draws.std(ddof=1) if number > 1 else np.nan
    return {
        "source": source,
        "measure": measure,
        **keys,
        "functions": number,
        "mean": draws.mean() if number else np.nan,
        "standard_error": spread / np.sqrt(number) if number else np.nan,
        "spread": spread,
        "theory": float(theory),
    }


def curve(
    measure: str, x: ArrayLike, values: ArrayLike, name: str, *, source: str = "theory", **keys: object
) -> list[Row]:
    """Rows of a curve, the theory's unless `source` says otherwise: one per entry of `x`, which goes to the column `name`."""
    pairs = zip(np.asarray(x).tolist(), np.asarray(values, dtype=float).tolist(), strict=True)
    return [{"source": source, "measure": measure, **keys, name: a, "mean": b} for a, b in pairs]


def table(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Rows as a DataFrame, keys first."""
    return pd.DataFrame(list(rows))
