"""Reading and writing of result files: HDF5 and CSV, written beside and renamed into place.

Readers never see half a file, nor one that has changed or was moved since it was written: every array carries its SHA-256, and
the file its place among the results and a SHA-256 of all that it says. Every HDF5 file carries the parameters, the package
version and a hash of the library's source that made it, so that a number can always be traced to its code.

That is why result files need no locks: a program that holds one open, even for writing, stops neither readers nor the writer.
"""

import hashlib
import json
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from glob import escape
from os import PathLike
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import __version__
from .errors import require
from .seeding import digest, hash_of

if TYPE_CHECKING:
    from pandas import DataFrame

AnyPath = str | PathLike

IN_USE = (
    "another program, such as a notebook with h5py.File(..., 'a'), holds it open for writing; close it there "
    "(file.close(), or end the notebook's kernel)"
)


@cache
def code_version() -> str:
    """Hash (12 hex digits) of every source file of the library, in a fixed order.

    Examples
    --------
    >>> len(code_version())
    12
    """
    root = Path(__file__).parent.parent
    content = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        content.update(str(path.relative_to(root).as_posix()).encode() + b"\0" + path.read_bytes())
    return content.hexdigest()[:12]


@contextmanager
def replacing(path: AnyPath) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it into place on success, remove it on failure.

    What a killed job has left there is removed first. OSError names the path: a full disk, no permission.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     with replacing(f"{folder}/a.txt") as partial:
    ...         _ = partial.write_text("whole")
    ...     Path(f"{folder}/a.txt").read_text()
    'whole'
    """
    path = Path(path)
    partial = path.with_name(f".{path.name}.{token_hex(4)}.partial")  # of this job alone, whatever the node
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for left in path.parent.glob(f".{escape(path.name)}.*.partial"):
            left.unlink(missing_ok=True)
        yield partial
        os.replace(partial, path)
    except OSError as error:
        raise OSError(
            f"cannot write {path} ({error}); make room, or allow writing there, and run the command or snakemake again"
        ) from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def write_h5(path: AnyPath, arrays: Mapping[str, ArrayLike], parameters: Mapping[str, Any]) -> None:
    """Write arrays and their provenance to an HDF5 file, atomically and without time stamps.

    Parameters
    ----------
    path : path-like
    arrays : dict of str to array
        Slashes in a name make groups. Text arrays are stored as UTF-8.
    parameters : dict
        JSON-serialisable; what the file was computed from.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_h5(f"{folder}/a.h5", {"x": [1, 2]}, {"n": 2})
    ...     read_h5(f"{folder}/a.h5")
    ({'x': array([1, 2])}, {'n': 2})
    """
    with h5py.File(str(path), "w", driver="core", backing_store=False, track_order=True) as file:
        file.attrs["parameters"] = json.dumps(parameters, sort_keys=True)
        file.attrs["package_version"] = __version__
        file.attrs["code_version"] = code_version()
        file.attrs["place"] = _place(path)
        hashes = {}
        for name, values in arrays.items():
            values = np.asarray(values)
            if values.dtype == object and all(v is None or isinstance(v, bool | float) for v in values):
                values = np.array([np.nan if v is None else float(v) for v in values])  # booleans with gaps
            if values.dtype.kind in "UO":
                dataset = file.create_dataset(name, data=values.astype(object), dtype=h5py.string_dtype())
            else:
                large = values.nbytes > 1 << 16
                options = {"compression": "gzip", "shuffle": True} if large else {}
                dataset = file.create_dataset(name, data=values, **options)
            dataset.attrs["sha256"] = hashes[name] = hash_of(values)
        file.attrs["sha256"] = _seal(file, hashes)
        file.flush()
        image = file.id.get_file_image()
    with replacing(path) as partial:  # written by Python: HDF5 itself crashes later where a disk was full
        partial.write_bytes(image)


def _seal(file: h5py.File, hashes: Mapping[str, str]) -> str:
    """Hash of everything that a file says beside its arrays, and of their hashes."""
    return digest([*(file.attrs[name] for name in ("parameters", "package_version", "code_version", "place")), hashes])


def _place(path: AnyPath) -> str:
    """Where below a folder `results` a file lies, or an empty text if there is no such folder on its path."""
    parts = Path(path).parts
    return "/".join(parts[len(parts) - parts[::-1].index("results") :]) if "results" in parts else ""


def opened(path: AnyPath) -> h5py.File:
    """A result file, open for reading: without HDF5's locks, which others may hold and not every file system has."""
    return h5py.File(path, "r", locking=False)


def _in_use(path: AnyPath) -> bool:
    """Whether another process has locked an HDF5 file, as HDF5 does where it is open for writing."""
    try:
        h5py.File(path, "r", locking=True).close()
    except BlockingIOError:
        return True
    except Exception:  # of a damaged file, or of a file system without locks
        return False
    return False


def read_h5(
    path: AnyPath, *names: str, made_from: Mapping[str, Any] | None = None
) -> tuple[dict[str, NDArray], dict[str, Any]]:
    """Read arrays from a result file, and verify that they are what was written.

    Parameters
    ----------
    made_from : dict, optional
        Parameters that the file must have been made from.

    Returns
    -------
    dict of str to array, and the file's parameters (dict). Without `names`, every dataset.

    Raises
    ------
    ValueError
        The file is missing, damaged, of another format, another result than its place says, made from other parameters or
        lacks one of the datasets; the message names it and the remedy, and a program that is changing the file.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_h5(f"{folder}/a.h5", {"x": [1, 2], "y": [0.5]}, {"n": 2})
    ...     arrays, parameters = read_h5(f"{folder}/a.h5", "y", made_from={"n": 2})
    >>> arrays, parameters
    ({'y': array([0.5])}, {'n': 2})
    """
    try:
        with opened(path) as file:
            found = []  # in the order of writing
            file.visititems(lambda name, item: found.append(name) if isinstance(item, h5py.Dataset) else None)
            arrays = {name: _load(file[name]) for name in found if not names or name in names}
            parameters = json.loads(file.attrs["parameters"])
            sealed = _sound(file, found, arrays)
            place = file.attrs.get("place", "")
    except Exception as error:  # what damage does to HDF5's own structures comes as errors of many kinds
        raise ValueError(f"cannot read {path} ({error}); {_remedy(path)}") from error
    remedy = REMEDY if sealed else _remedy(path)
    require(sealed is not None, f"{path} holds no check sums: another program or an older version wrote it; {remedy}")
    require(sealed, f"{path} is damaged: its content does not match its check sums; {remedy}")
    moved = place and _place(path) not in ("", place)
    require(not moved, f"{path} was written as {place}, and its place is that of another result; {remedy}")
    missing = [name for name in names if name not in found]
    require(not missing, f"{path} has no dataset {missing and missing[0]!r}; it holds {', '.join(found)}")
    for name, wanted in json.loads(json.dumps(made_from or {})).items():
        require(
            parameters.get(name) == wanted,
            f"{path} was made from {name} {parameters.get(name)!r}, and its place says {wanted!r}; {remedy}",
        )
    return arrays, parameters


REMEDY = "delete it and run snakemake again to make it anew"


def _remedy(path: AnyPath) -> str:
    """What to do about a result file whose content is not what was written."""
    return f"{IN_USE}, then {REMEDY}" if _in_use(path) else REMEDY


def _sound(file: h5py.File, stored: Collection[str], arrays: Mapping[str, NDArray]) -> bool | None:
    """Whether the arrays, and all else that the file says, are what was written; None if it has no check sums."""
    if not {"sha256", "place"} <= {*file.attrs} or not all("sha256" in file[name].attrs for name in stored):
        return None
    hashes = {name: file[name].attrs["sha256"] for name in stored}
    return file.attrs["sha256"] == _seal(file, hashes) and all(hash_of(a) == hashes[name] for name, a in arrays.items())


def _load(dataset: h5py.Dataset) -> NDArray:
    text = h5py.check_string_dtype(dataset.dtype) is not None
    return np.asarray(dataset.asstr()[()] if text else dataset[()])


def write_frame(path: AnyPath, table: "DataFrame", parameters: Mapping[str, Any], **arrays: ArrayLike) -> None:
    """Write a table to HDF5, one dataset per column in the group `rows`, and arrays beside it; gaps in text are empty.

    Examples
    --------
    >>> from pandas import DataFrame
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_frame(f"{folder}/a.h5", DataFrame({"width": [4]}), {})
    ...     list(read_h5(f"{folder}/a.h5")[0])
    ['rows/width']
    """
    columns = {}
    for name, column in table.items():
        text = any(isinstance(value, str) for value in column)
        columns[f"rows/{name}"] = (column.fillna("") if text else column).to_numpy()
    write_h5(path, {**columns, **arrays}, parameters)


def read_frame(path: AnyPath, made_from: Mapping[str, Any] | None = None) -> "DataFrame":
    """Read the table of a file made by `write_frame`; `made_from` as for `read_h5`.

    Examples
    --------
    >>> from pandas import DataFrame
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_frame(f"{folder}/a.h5", DataFrame({"width": [4]}), {})
    ...     read_frame(f"{folder}/a.h5")
       width
    0      4
    """
    import pandas as pd  # here, because jobs that only write arrays should not wait for it

    arrays, _ = read_h5(path, made_from=made_from)
    columns = {name.removeprefix("rows/"): a for name, a in arrays.items() if name.startswith("rows/")}
    gaps: Any = None
    return pd.DataFrame({name: np.where(a == "", gaps, a) if a.dtype == object else a for name, a in columns.items()})


def write_table(csv: AnyPath, h5: AnyPath, table: "DataFrame", parameters: Mapping[str, Any]) -> None:
    """Write one tidy table twice: as CSV, and as HDF5 with one dataset per column.

    Examples
    --------
    >>> from pandas import DataFrame
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_table(f"{folder}/a.csv", f"{folder}/a.h5", DataFrame({"width": [4]}), {})
    ...     read_table(f"{folder}/a.csv").equals(read_frame(f"{folder}/a.h5"))
    True
    """
    write_csv(csv, table)
    write_frame(h5, table, parameters)


def write_text(path: AnyPath, text: str) -> None:
    """Write a text file as UTF-8, atomically.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_text(f"{folder}/a.txt", "κ")
    ...     Path(f"{folder}/a.txt").read_text(encoding="utf-8")
    'κ'
    """
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_csv(path: AnyPath, table: "DataFrame") -> None:
    """Write a table as CSV, atomically; floats keep 17 significant digits only where they need them.

    Examples
    --------
    >>> from pandas import DataFrame
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_csv(f"{folder}/a.csv", DataFrame({"ridge": [0.1]}))
    ...     Path(f"{folder}/a.csv").read_text()
    'ridge\\n0.1\\n'
    """
    with replacing(path) as partial:
        table.to_csv(partial, index=False)


def write_json(path: AnyPath, table: "DataFrame") -> None:
    """A table as a list of rows, each an object; what is not finite is null."""
    with replacing(path) as partial:
        table.to_json(partial, orient="records", indent=1, double_precision=15)


def read_table(path: AnyPath) -> "DataFrame":
    """Read a table written by `write_table` (.csv), exactly.

    Examples
    --------
    >>> from pandas import DataFrame
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_csv(f"{folder}/a.csv", DataFrame({"ridge": [0.1]}))
    ...     read_table(f"{folder}/a.csv")["ridge"][0]
    np.float64(0.1)
    """
    import pandas as pd

    return pd.read_csv(path, low_memory=False)
