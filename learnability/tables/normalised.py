"""Normalised errors as columns of a study's table, derived here and nowhere else (see `learnability.domains.normalisation`)."""

from ..domains.normalisation import normalised


def with_normalised(table):
    """The table with the columns nmse and r2 = 1 - nmse, from test_mse_off_train, target_variance and noise_std.

    The target's variance is the theory's to tell: rows without one have that of the rows with the same target.
    """
    known = table.loc[table["target_variance"].notna()].drop_duplicates("target").set_index("target")["target_variance"]
    variance = table["target"].map(known)
    nmse = normalised(table["test_mse_off_train"], variance, table["noise_std"])
    return table.assign(target_variance=variance, nmse=nmse, r2=1 - nmse)
