"""How far theory is from experiment."""

import numpy as np
import pandas as pd

from .columns import CURVES, EXPERIMENTS, KEYS, MEASURES, NAMES

HEADLINES = (("kernel", "test_mse"), ("network", "test_mse"), ("network", "learnability"))  # sources and measures
ROUNDING = 1e-14  # of what is measured: a theory below it is zero but for rounding
FEWEST = 5  # functions: the standard error of fewer is itself uncertain by half and more


def agreement(table: pd.DataFrame) -> pd.DataFrame:
    """How far the experiments' means are from the theory.

    Parameters
    ----------
    table : DataFrame from `joined`, or an experiment's (see `learnability.tables.means`)

    Returns
    -------
    DataFrame
        One row per source (kernel, network), architecture, width, target, ridge, noise_std, train_size and measure:
        number of converged functions, mean, standard error, theory, z = (mean - theory) / standard error, relative =
        mean / theory - 1. z is empty where the measure does not vary, or fewer than five functions were learned.
    """
    if "measure" in table:
        table = table.reindex(columns=dict.fromkeys([*table, "theory", "standard_error", "functions"]))
        return _distances(table[table["theory"].notna() & table["mean"].notna() & ~table["source"].isin(CURVES)].copy())
    keys = ["architecture", "target", "ridge", "noise_std", "train_size"]
    measures = [measure for measure in MEASURES if measure in table]
    theory = table[table["source"] == "theory"].set_index(keys)[measures]
    theory = theory[~theory.index.duplicated()]
    experiments = table[table["source"].isin(EXPERIMENTS)]
    usable = experiments[experiments["converged"].astype("boolean").fillna(True)]
    parts = []
    for measure in measures:
        groups = usable.groupby([*keys, "source", "width"], dropna=False)[measure]
        part = groups.agg(functions="count", mean="mean", standard_error="sem").reset_index()
        part.insert(part.columns.get_loc("functions"), "measure", measure)
        part["theory"] = theory[measure].reindex(pd.MultiIndex.from_frame(part[keys])).to_numpy()
        parts.append(part)
    return _distances(pd.concat(parts, ignore_index=True))


def _distances(table: pd.DataFrame) -> pd.DataFrame:
    """Add z and relative errors to means, standard errors and theory; sort, and drop what was not measured."""
    table = table[table["functions"] > 0]
    difference = table["mean"] - table["theory"]
    with np.errstate(divide="ignore", invalid="ignore"):
        varies = table["standard_error"] > 1e-12 * table["mean"].abs().clip(lower=1e-300)
        z = np.where(varies & ~(table["functions"] < FEWEST), difference / table["standard_error"], np.nan)
        above_rounding = table["theory"].abs() > ROUNDING * table["mean"].abs()
        relative = np.where(above_rounding, difference / table["theory"], np.nan)
    order = [*(key for key in KEYS if key != "seed"), "measure"]
    columns = [*order, "functions", "mean", "standard_error", "theory", "z", "relative"]
    table = table.assign(z=z, relative=relative).reindex(columns=columns)
    return table.sort_values(order, kind="stable", ignore_index=True)


def headlines(agreements: pd.DataFrame) -> list[str]:
    """The numbers that a run ends with: median relative differences of experiment and theory, as lines of text."""
    lines = []
    for source, measure in HEADLINES:
        part = agreements[(agreements["source"] == source) & (agreements["measure"] == measure)]
        relative = part["relative"].dropna().abs()
        if len(relative):
            lines.append(
                f"{NAMES[source]}, {measure}: median relative difference to theory {100 * relative.median():.2g} % "
                f"({len(relative)} means)"
            )
    return lines
