"""Data sets: scikit-learn's digits, MNIST, Fashion-MNIST and CIFAR-10 through OpenML, and a user's own file.

Inputs are centred and scaled so that |x|^2 averages to the number of features: the kernels' weight_std and bias_std then
mean the same for every data set.
"""

from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from ..common.errors import choose, require
from ..common.seeding import stream

OPENML = {
    "mnist": {"data_id": 554},
    "fashion_mnist": {"data_id": 40996},
    "cifar10": {"data_id": 40927},
}
READERS = ("npz", "csv", "h5")


def load(name=None, path=None, samples=None, classes=None, label=None, seed=0, folder=None, scale=None):
    """A data set as arrays.

    Parameters
    ----------
    name : "digits", "mnist", "fashion_mnist" or "cifar10", optional
        The last three are downloaded once and cached by scikit-learn (in `folder`, or where scikit-learn keeps data).
    path : str, optional
        A .npz or .h5 file with arrays x and y, or a .csv table whose column `label` (missing: the last) is y.
    samples : int, optional
        Take that many, drawn without replacement; missing: all.
    classes : list, optional
        Keep these classes only. Two of them become one output of +-1, more become one centred output per class.
        Missing: integer or text labels with at most 20 values are classes, all others are numbers to regress on.
    seed : int
        Of the draw of `samples`.
    scale : "all", "features" or "none", optional
        Centre every feature, then scale all by one number, or each by its own. Missing: "features" for a .csv table,
        whose columns have units of their own, else "all".

    Returns
    -------
    x (samples, dim), y (samples, outputs), names of the outputs

    Raises
    ------
    ValueError
        An unknown name, a missing or unreadable file, columns that are not numeric, too few samples; the message says
        what to do.
    """
    return prepared(*selected(name, path, samples, classes, label, seed, folder), classes, scale)


def selected(name, path, samples, classes, label, seed, folder):
    """The rows of the raw data that are asked for: x (samples, ...), y, the label's name, the scale if none is given."""
    require((name is None) != (path is None), "a data set needs either `name` or `path`")
    require(samples is None or isinstance(samples, int), f"samples must be an integer, got {samples!r}")
    require(classes is None or isinstance(classes, list | tuple), f"classes must be a list, got {classes!r}")
    x, y, column = _named(name, folder) if path is None else _read(Path(path), label)
    if classes is not None:
        known = {str(value) for value in np.unique(y)}
        unknown = [value for value in classes if str(value) not in known]
        require(not unknown, f"classes: {unknown} do not occur; the labels are {', '.join(sorted(known)[:20])}")
        kept = np.isin(y.astype(str), [str(value) for value in classes])
        x, y = x[kept], y[kept]
    if samples is not None:
        require(2 <= samples <= len(x), f"samples: {samples} is not between 2 and the {len(x)} there are")
        index = stream("samples of a data set", name=name or Path(path).name, samples=samples, seed=seed)
        index = np.sort(index.permutation(len(x))[:samples])
        x, y = x[index], y[index]
    require(len(x) >= 2, f"a data set needs at least 2 samples, got {len(x)}")
    return x, y, column, "features" if path is not None and Path(path).suffix == ".csv" else "all"


def prepared(x, y, column, usual_scale, classes, scale):
    """Scaled inputs, outputs and their names, as `load` returns them."""
    outputs, names = _encoded(y, classes, column)
    scale = choose("scale", scale or usual_scale, ("all", "features", "none"))
    return _scaled(x.reshape(len(x), -1).astype(np.float64), scale), outputs, names


def _named(name, folder):
    choose("data set", name, ("digits", *OPENML))
    from sklearn import datasets

    if name == "digits":
        return *datasets.load_digits(return_X_y=True), "y"
    source = {**OPENML[name], "data_home": folder, "as_frame": False, "return_X_y": True, "parser": "liac-arff"}
    try:
        return *datasets.fetch_openml(**source), "y"
    except OSError as error:
        raise ValueError(
            f"data set {name!r} is not cached and cannot be downloaded ({error}); fetch it once on a machine with "
            f"network access, or use name: digits"
        ) from error


def _read(path, label):
    require(path.suffix.lstrip(".") in READERS, f"{path}: unknown kind of file; use .npz, .csv or .h5")
    require(path.is_file(), f"{path}: no such file")
    if path.suffix == ".csv":
        return _read_csv(path, label)
    try:
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as file:
                arrays = {key: file[key] for key in file.files}
        else:
            with h5py.File(path) as file:
                arrays = {key: file[key][()] for key in file if isinstance(file[key], h5py.Dataset)}
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: cannot be read ({error})") from error
    for key in ("x", "y"):
        require(key in arrays, f"{path}: no array {key!r}; it holds {', '.join(arrays) or 'nothing'}")
    require(len(arrays["x"]) == len(arrays["y"]), f"{path}: x has {len(arrays['x'])} rows, y {len(arrays['y'])}")
    y = arrays["y"]
    return arrays["x"], y.astype(str) if y.dtype.kind in "SO" else y, "y"


def _read_csv(path, label):
    try:
        table = pd.read_csv(path)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: cannot be read as CSV ({error})") from error
    there = list(table)
    require(len(there) >= 2, f"{path}: needs columns of inputs and one of labels, separated by commas; it has {there}")
    label = table.columns[-1] if label is None else choose("column", label, table.columns)
    inputs = table.drop(columns=label)
    text = [column for column in inputs if not pd.api.types.is_numeric_dtype(inputs[column])]
    require(not text, f"{path}: columns {', '.join(text[:5])} are not numeric; encode them as numbers or drop them")
    bad = table.isna() | table.isin([np.inf, -np.inf])
    for column in bad.columns[bad.any()]:
        row = int(bad[column].to_numpy().argmax())
        what = "missing" if pd.isna(table[column].iloc[row]) else "infinite"
        raise ValueError(
            f"{path}: column {column!r} has {what} values, the first in line {row + 2}; remove or impute them"
        )
    return inputs.to_numpy(float), table[label].to_numpy(), label


def _encoded(y, classes, column):
    """Outputs (samples, outputs) and their names."""
    y = np.asarray(y)
    if y.ndim == 2 and y.shape[1] > 1:
        return y.astype(float), [str(number) for number in range(y.shape[1])]
    y = y.ravel()
    text = y.dtype.kind in "OUSb"
    values = [str(value) for value in classes] if classes else [str(value) for value in np.unique(y)]
    whole = text or bool(np.all(np.asarray(y, float) == np.round(np.asarray(y, float))))
    if classes is None and not text and (not whole or len(values) > 20):
        return y.astype(float)[:, None], [column]
    require(len(values) >= 2, f"the labels have one value only, {values[0]!r}: there is nothing to learn")
    require(
        len(values) <= 1000, f"the labels are {len(values)} different texts; give numbers to regress on, or classes"
    )
    member = y.astype(str)[:, None] == np.array(values)[None, :]
    if len(values) == 2:
        return np.where(member[:, :1], 1.0, -1.0), [f"{values[0]} or {values[1]}"]
    return member - 1.0 / len(values), values


def _scaled(x, scale):
    if scale == "none":
        return x
    centred = x - x.mean(0)
    size = np.sqrt((centred**2).mean(0 if scale == "features" else None))
    require(bool(np.any(size > 0)), "all samples have the same inputs: there is nothing to tell them apart by")
    return centred / np.where(size > 0, size, 1.0)
