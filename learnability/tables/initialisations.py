"""Several initialisations of a network in a table: means of what is predicted for each, and their spread.

A network has one kernel per initialisation. Its prediction is the mean of theirs, never that of their mean kernel, which is the
kernel of a wider network (`learnability.kernels.torch_module`).
"""

import pandas as pd

from .columns import KEYS, MEASURES, SPREAD

NUMBERS = [*MEASURES, "learnability_std", "kappa", "overfitting_coefficient"]  # that differ between initialisations


def averaged(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of a study's table that differ in the initialisation alone as one, with the means of their numbers.

    Parameters
    ----------
    table : DataFrame
        With the columns `KEYS`; without a column `initialisation`, or without a value there, rows stay as they are.

    Returns
    -------
    DataFrame
        With `initialisations`, how many there are, and of every measure its standard deviation over them, `test_mse_spread`.

    Examples
    --------
    >>> rows = pd.DataFrame({"train_size": [8, 8], "initialisation": ["seed0", "seed1"], "test_mse": [0.5, 0.7]})
    >>> averaged(rows.reindex(columns=[*KEYS, "initialisation", "test_mse"]))["test_mse"].tolist()
    [0.6]
    """
    if "initialisation" not in table:
        return table
    several = table["initialisation"].notna()
    groups = table[several].groupby(KEYS, dropna=False, sort=False)
    numbers = [name for name in NUMBERS if name in table]
    measures = [name for name in MEASURES if name in table]
    means = groups.first().drop(columns="initialisation")
    means[numbers] = groups[numbers].mean()
    spreads = groups[measures].std().add_suffix(SPREAD)
    means = means.join(spreads).assign(initialisations=groups.size()).reset_index()
    return pd.concat([table[~several].drop(columns="initialisation"), means], ignore_index=True)
