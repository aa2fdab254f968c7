"""All sources of a study in one table."""

from collections.abc import Mapping, Sequence

import pandas as pd

from .columns import KEYS
from .initialisations import averaged
from .normalised import with_normalised


def joined(parts: Sequence[tuple[pd.DataFrame, Mapping[str, object]]]) -> pd.DataFrame:
    """All sources of a study in one table with normalised errors, sorted; the key columns first.

    Parameters
    ----------
    parts : sequence of (DataFrame, dict of constant columns such as source, architecture, width)
        Those with a constant `initialisation` are averaged (`learnability.tables.initialisations`).
    """
    table = with_normalised(pd.concat([part.assign(**constants) for part, constants in parts], ignore_index=True))
    table = averaged(table.reindex(columns=dict.fromkeys([*KEYS, *table])))
    others = [column for column in table if column not in KEYS]
    if "converged" not in others:  # no networks
        others.append("converged")
    return table.reindex(columns=KEYS + others).sort_values(KEYS, kind="stable", ignore_index=True)
