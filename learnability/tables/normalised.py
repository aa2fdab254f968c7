"""Normalised errors as columns of a study's table, derived here and nowhere else (see `learnability.domains.normalisation`)."""

import pandas as pd

from ..domains.normalisation import normalised


def with_normalised(table: pd.DataFrame) -> pd.DataFrame:
    """The table with the columns nmse and r2 = 1 - nmse, from test_mse_off_train, target_variance and noise_std.

    The theory's rows have the target's variance; rows without one take that of the rows with the same target.
    """
    with_variance = table.loc[table["target_variance"].notna()].drop_duplicates("target")
    variance = table["target"].map(with_variance.set_index("target")["target_variance"])
    nmse = normalised(table["test_mse_off_train"], variance, table["noise_std"])
    return table.assign(target_variance=variance, nmse=nmse, r2=1 - nmse)
