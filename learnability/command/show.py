"""What is in a result file, for a reader two years later."""

import json
from pathlib import Path

import pandas as pd

from ..common.store import opened, read_frame, read_h5, read_table

MOST_COLUMNS = 8  # of a table whose rows are shown as lines; a wider one is shown column by column


def described(path: str | Path, rows: int) -> str:
    """A page of text: what made the file, shapes and types of its arrays, the first rows of its table."""
    if Path(path).suffix == ".csv":
        table = read_table(path)
        return f"{path}: {len(table)} rows, {len(table.columns)} columns\n\n{_first(table, rows)}"
    arrays, parameters = read_h5(path)
    with opened(path) as file:
        version, code = file.attrs["package_version"], file.attrs["code_version"]
    lines = [f"{path}: made by learnability {version}, code {code}, from"]
    lines += [f"    {name}: {json.dumps(value)}" for name, value in parameters.items()]
    plain = {name: array for name, array in arrays.items() if not name.startswith("rows/")}
    if plain:
        lines += ["", "arrays:"]
        lines += [f"    {name}: {array.shape} {array.dtype}" for name, array in plain.items()]
    table = read_frame(path)
    if len(table.columns):
        lines += [
            "",
            f"table: {len(table)} rows, {len(table.columns)} columns",
            _first(table, rows),
        ]
    return "\n".join(lines)


def _first(table: pd.DataFrame, rows: int) -> str:
    first = table.head(rows)
    return first.to_string(index=False) if len(table.columns) <= MOST_COLUMNS else first.T.to_string(header=False)
