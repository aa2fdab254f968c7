"""Reading and writing of result files: HDF5 and CSV, written beside and renamed into place.

Readers never see half a file. Every HDF5 file carries the parameters, the package version and a hash of
the library's source that made it, so that a number can always be traced to its code.
"""

import hashlib
import json
import os
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from .. import __version__


@cache
def code_version():
    """Hash (12 hex digits) of every source file of the library, in a fixed order."""
    root = Path(__file__).parent.parent
    content = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        content.update(str(path.relative_to(root).as_posix()).encode() + b"\0" + path.read_bytes())
    return content.hexdigest()[:12]


@contextmanager
def replacing(path):
    """Yield a temporary path beside `path`; rename it into place on success, remove it on failure."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def write_h5(path, arrays, parameters):
    """Write arrays and their provenance to an HDF5 file, atomically and without time stamps.

    Parameters
    ----------
    path : path-like
    arrays : dict of str to array
        Slashes in a name make groups. Text arrays are stored as UTF-8.
    parameters : dict
        JSON-serialisable; what the file was computed from.
    """
    with replacing(path) as partial, h5py.File(partial, "w", track_order=True) as file:
        file.attrs["parameters"] = json.dumps(parameters, sort_keys=True)
        file.attrs["package_version"] = __version__
        file.attrs["code_version"] = code_version()
        for name, values in arrays.items():
            values = np.asarray(values)
            if values.dtype == object and all(v is None or isinstance(v, bool | float) for v in values):
                values = np.array([np.nan if v is None else float(v) for v in values])  # booleans with gaps
            if values.dtype.kind in "UO":
                file.create_dataset(name, data=values.astype(object), dtype=h5py.string_dtype())
            else:
                large = values.nbytes > 1 << 16
                file.create_dataset(name, data=values, **({"compression": "gzip", "shuffle": True} if large else {}))


def read_h5(path, *names):
    """Read arrays from a result file.

    Returns
    -------
    dict of str to array, and the file's parameters (dict). Without `names`, every dataset.

    Raises
    ------
    ValueError
        The file is missing, damaged or lacks one of the datasets; the message names it and the remedy.
    """
    try:
        with h5py.File(path) as file:
            found = []  # in the order of writing
            file.visititems(lambda name, item: found.append(name) if isinstance(item, h5py.Dataset) else None)
            missing = [name for name in names if name not in found]
            if missing:
                raise ValueError(f"{path} has no dataset {missing[0]!r}; it holds {', '.join(found)}")
            arrays = {name: _load(file[name]) for name in (names or found)}
            return arrays, json.loads(file.attrs["parameters"])
    except (OSError, KeyError) as error:
        raise ValueError(f"cannot read {path} ({error}); delete it and run snakemake again to make it anew") from error


def _load(dataset):
    text = h5py.check_string_dtype(dataset.dtype) is not None
    return np.asarray(dataset.asstr()[()] if text else dataset[()])


def write_frame(path, table, parameters, **arrays):
    """Write a table to HDF5, one dataset per column in the group `rows`, and arrays beside it; gaps in text are empty."""
    columns = {}
    for name, column in table.items():
        text = any(isinstance(value, str) for value in column)
        columns[f"rows/{name}"] = (column.fillna("") if text else column).to_numpy()
    write_h5(path, {**columns, **arrays}, parameters)


def read_frame(path):
    """Read the table of a file made by `write_frame`."""
    arrays, _ = read_h5(path)
    prefix = "rows/"
    return pd.DataFrame({name.removeprefix(prefix): a for name, a in arrays.items() if name.startswith(prefix)})


def write_table(csv, h5, table, parameters):
    """Write one tidy table twice: as CSV, and as HDF5 with one dataset per column."""
    write_csv(csv, table)
    write_frame(h5, table, parameters)


def write_csv(path, table):
    """Write a table as CSV, atomically; floats keep 17 significant digits only where they need them."""
    with replacing(path) as partial:
        table.to_csv(partial, index=False)


def read_table(path):
    """Read a table written by `write_table` (.csv), exactly."""
    return pd.read_csv(path, low_memory=False)
