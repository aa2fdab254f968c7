"""Files of tables and of arrays. Tables are read by pandas: a format is a suffix and a function here."""

import io
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import numpy as np

from ..common.errors import require
from ..common.store import IN_USE

if TYPE_CHECKING:
    import learnability.data.delimited

COMPRESSED = {".gz": "gzip", ".bz2": "bz2", ".xz": "lzma"}
TEXT = (".csv", ".tsv", ".tab", ".txt", ".dat")
PARQUET, FEATHER, EXCEL = (".parquet", ".pq"), (".feather", ".arrow"), (".xlsx", ".xls", ".xlsm", ".ods")
ARRAYS = (".npz", ".h5")
SUFFIXES = (".npz", ".csv", ".h5", *TEXT[1:], *PARQUET, *FEATHER, *EXCEL)


def kind_of(path: Path) -> str:
    """The suffix that says how a file is read, in lower case and without that of a compression; ValueError if none is.

    Examples
    --------
    >>> kind_of(Path("prices.CSV.gz"))
    '.csv'
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    compressed = suffixes and suffixes[-1] in (*COMPRESSED, ".zip")
    suffix = (suffixes[:-1] if compressed else suffixes)[-1:]
    require(
        suffix != [] and suffix[0] in (TEXT if compressed else SUFFIXES),
        f"{path}: unknown kind of file; use one of {', '.join(SUFFIXES)}, or compressed text as .csv.gz, .bz2, .xz or .zip",
    )
    return suffix[0]


def is_table(path: str | None) -> bool:
    """Whether a file holds columns with names, not arrays x and y; ValueError if its suffix is not known."""
    return path is not None and kind_of(located(path)) not in ARRAYS


def located(path: str) -> Path:
    """The path with `~` written out."""
    return Path(path).expanduser()


def read_table(path: str) -> "learnability.data.delimited.RawTable":
    """A table as `learnability.data.delimited.RawTable`; ValueError for files that cannot be read, with the remedy."""
    from .delimited import RawTable, read_delimited  # here and below, because pandas takes long to import

    place = _existing(path)
    kind = kind_of(place)
    with _readable(path):
        content = _content(place)
    if kind in TEXT:
        return read_delimited(path, content)
    import pandas as pd

    read: Callable = pd.read_parquet if kind in PARQUET else pd.read_feather if kind in FEATHER else pd.read_excel
    options = {"keep_default_na": False, "na_values": [""]} if kind in EXCEL else {}
    with _readable(path):
        frame = read(io.BytesIO(content), **options)
    first = 2 if kind in EXCEL else 1
    row_names = None
    if not isinstance(frame.index, pd.RangeIndex):
        frame = frame.reset_index()
        row_names = frame.columns[0]
    frame.columns = [str(name) for name in frame]
    if kind in EXCEL and frame.columns[0].startswith("Unnamed"):
        row_names = frame.columns[0]
    require(len(frame.columns) >= 2, f"{path}: needs columns of inputs and one of labels; it has {[*frame]}")
    require(len(frame) > 0, f"{path}: has column names and no rows of values")
    frame.index = pd.RangeIndex(first, first + len(frame))
    return RawTable(frame, "line" if kind in EXCEL else "row", row_names)


def read_arrays(path: str) -> tuple[np.ndarray, np.ndarray]:
    """Arrays x (samples, ...) and y of a .npz or .h5 file; ValueError for files that cannot be read."""
    place = _existing(path)
    with _readable(path):
        if kind_of(place) == ".npz":
            with np.load(place, allow_pickle=False) as file:
                require(hasattr(file, "files"), "a single array; np.savez writes x and y by name")
                arrays = {key: file[key] for key in file.files}
        else:
            with h5py.File(place) as file:
                arrays = {key: file[key][()] for key in file if isinstance(file[key], h5py.Dataset)}
    for key in ("x", "y"):
        require(
            key in arrays,
            f"{path}: no array {key!r}; it holds {', '.join(arrays) or 'nothing'}; save inputs as x and labels as y",
        )
    x, y = arrays["x"], arrays["y"]
    require(
        x.ndim >= 1 and y.ndim >= 1 and len(x) == len(y),
        f"{path}: x and y must have the same number of rows; x has shape {x.shape}, y {y.shape}",
    )
    require(
        x.dtype.kind in "biuf", f"{path}: x holds {x.dtype}, and inputs are numbers; a table of texts is written as CSV"
    )
    return x, np.array([_decoded(value) for value in y.ravel()]).reshape(y.shape) if y.dtype.kind in "SO" else y


def _decoded(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


@cache
def rows_in(path: str | Path) -> int:
    """How many samples a readable file holds at most, without reading the inputs of arrays and uncompressed text."""
    place = located(str(path))
    kind = kind_of(place)
    if kind in ARRAYS:
        with np.load(place) if kind == ".npz" else h5py.File(place) as file:
            return len(file["y"])
    if place.suffix.lower() in TEXT:
        with open(place, "rb") as file:
            return sum(part.count(b"\n") for part in iter(partial(file.read, 1 << 20), b""))
    return len(read_table(str(path)).frame)


def _existing(path: str) -> Path:
    place = located(path)
    kind_of(place)
    require(place.is_file(), f"{path}: {'is a folder' if place.is_dir() else 'no such file'}")
    return place


def _content(path: Path) -> bytes:
    """The bytes of a file, decompressed where its suffix says so."""
    from importlib import import_module

    suffix = path.suffix.lower()
    if suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
            require(len(names) == 1, f"holds {len(names)} files; pack one table alone")
            return archive.read(names[0])
    if suffix in COMPRESSED:
        with import_module(COMPRESSED[suffix]).open(path) as file:
            return file.read()
    return path.read_bytes()


@contextmanager
def _readable(path: str) -> Iterator[None]:
    """Whatever a reader raises becomes a ValueError that names the file, and a reader that is not installed."""
    try:
        yield
    except ImportError as error:
        needed = next((name for name in ("pyarrow", "openpyxl", "xlrd", "odfpy") if name in str(error)), "")
        raise ValueError(f"{path}: its reader is not installed; run pip install {needed or error}") from error
    except (MemoryError, KeyboardInterrupt):
        raise
    except (
        BlockingIOError
    ) as error:  # locks are heeded: a user's file has no check sums that would notice half a change
        raise ValueError(f"{path}: {IN_USE}") from error
    except (
        Exception
    ) as error:  # a damaged file comes as errors of many kinds, of zlib, zipfile, HDF5, pyarrow, openpyxl
        raise ValueError(f"{path}: cannot be read ({error})") from error
