"""The common layout of experiments' tables: one row per measured mean, with what the theory says of it.

Columns: source (kernel, network, simulation, ... or theory for curves), measure, mean, standard_error, spread (standard
deviation over draws), theory, functions (number of draws), and the keys of the experiment.
"""

import numpy as np
import pandas as pd


def mean_row(source, measure, values, theory, **keys):
    """One row from draws (draws,) of a measure; draws that are not finite are left out and not counted."""
    values = np.asarray(values, dtype=float)
    values = values[np.isfinite(values)]
    number = len(values)
    spread = values.std(ddof=1) if number > 1 else np.nan
    return {
        "source": source,
        "measure": measure,
        **keys,
        "functions": number,
        "mean": values.mean() if number else np.nan,
        "standard_error": spread / np.sqrt(number) if number else np.nan,
        "spread": spread,
        "theory": float(theory),
    }


def curve(measure, x, values, name, **keys):
    """Rows of a theory curve: one per entry of `x`, which goes to the column `name`."""
    pairs = zip(np.asarray(x).tolist(), np.asarray(values, dtype=float).tolist(), strict=True)
    return [{"source": "theory", "measure": measure, **keys, name: a, "mean": b} for a, b in pairs]


def table(rows):
    """Rows as a DataFrame, keys first."""
    return pd.DataFrame(rows)
