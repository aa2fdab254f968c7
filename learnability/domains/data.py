"""Data sets: scikit-learn's digits, MNIST, Fashion-MNIST and CIFAR-10 through OpenML, and a user's own file.

Inputs are centred and scaled so that |x|^2 averages to the number of features: the kernels' weight_std and bias_std then
mean the same for every data set.
"""

from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

from ..common.arrays import signs
from ..common.errors import choose, require, whole
from ..common.seeding import stream
from ..common.store import IN_USE

OPENML = {
    "mnist": {"data_id": 554},
    "fashion_mnist": {"data_id": 40996},
    "cifar10": {"data_id": 40927},
}
VALUES = {"mnist": (70_000, 785), "fashion_mnist": (70_000, 785), "cifar10": (60_000, 3073)}  # with the labels
IMAGE_SHAPES = {  # channels, height, width, in the order of the columns
    "digits": (1, 8, 8),
    "mnist": (1, 28, 28),
    "fashion_mnist": (1, 28, 28),
    "cifar10": (3, 32, 32),
}
IMAGES = tuple(IMAGE_SHAPES)  # of ten classes each
MOST_CLASSES = 20  # different whole numbers that are taken as classes


def selected(name, path, samples, classes, label, seed, folder, encode, missing):
    """The rows of the raw data that are asked for: x (samples, ...), y, the label's name, the scale if none is given."""
    require((name is None) != (path is None), "a data set needs either `name` or `path`")
    seed = whole("seed", seed)
    samples = samples if samples is None else whole("samples", samples, 2)
    require(classes is None or isinstance(classes, list | tuple), f"classes must be a list, got {classes!r}")
    table = path is not None and Path(path).suffix == ".csv"
    require(table or (encode is None and missing is None), "encode and missing are for .csv tables only")
    x, y, column = _named(name, folder) if path is None else _read(Path(path), label, encode, missing)
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
    return x, y, column, "features" if table else "all"


def prepared(x, y, column, usual_scale, classes, scale, labels):
    """Scaled inputs (samples, dim), outputs (samples, outputs) and the outputs' names."""
    outputs, names = _encoded(y, classes, column)
    if choose("labels", labels or "standard", ("standard", "raw")) == "standard" and not are_classes(y, classes):
        spread = outputs.std(0)
        outputs = (outputs - outputs.mean(0)) / np.where(spread > 0, spread, 1.0)
    scale = choose("scale", scale or usual_scale, ("all", "features", "none"))
    return _scaled(x, scale), outputs, names


def _named(name, folder):
    choose("data set", name, IMAGES)
    from sklearn import datasets

    if name == "digits":
        return *datasets.load_digits(return_X_y=True), "y"
    source = {**OPENML[name], "data_home": folder, "as_frame": False, "return_X_y": True, "parser": "liac-arff"}
    try:
        x, y = datasets.fetch_openml(**source)
        return (
            np.asarray(x).astype(np.uint8),
            np.asarray(y),
            "y",
        )  # pixels: an eighth of the memory until they are scaled
    except OSError as error:
        raise ValueError(
            f"data set {name!r} is not cached and cannot be downloaded ({error}); fetch it once on a machine with "
            f"network access, or use name: digits"
        ) from error


def openml_bytes(name):
    """Bytes that reading a data set of OpenML takes: scikit-learn holds all of its values twice, as float64."""
    rows, columns = VALUES[name]
    return 2 * 8 * rows * columns


def import_readers(path):
    """Import the libraries that read a data set, which else are imported on first use; path as of `DataSet`."""
    if path is None or Path(path).suffix == ".csv":
        import sklearn.datasets
        import sklearn.impute
        import sklearn.preprocessing  # noqa: F401


def _read(path, label, encode, missing):
    """Inputs, labels and their name; ValueError for files that cannot be read, with the remedy."""
    require(path.suffix in READERS, f"{path}: unknown kind of file; use one of {', '.join(READERS)}")
    require(path.is_file(), f"{path}: no such file")
    return READERS[path.suffix](path, label, encode, missing)


def _from_csv(path, label, encode, missing):
    from .csv import read_csv  # here, because pandas takes long to import

    return read_csv(path, label, encode, missing)


def _from_npz(path, *_):
    with _readable(path), np.load(path, allow_pickle=False) as file:
        arrays = {key: file[key] for key in file.files}
    return _inputs_and_labels(path, arrays)


def _from_h5(path, *_):
    with _readable(path), h5py.File(path) as file:
        arrays = {key: file[key][()] for key in file if isinstance(file[key], h5py.Dataset)}
    return _inputs_and_labels(path, arrays)


READERS = {".npz": _from_npz, ".csv": _from_csv, ".h5": _from_h5}


@contextmanager
def _readable(path):
    try:
        yield
    except (
        BlockingIOError
    ) as error:  # locks are heeded: a user's file carries no check sums that would notice half a change
        raise ValueError(f"{path}: {IN_USE}") from error
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: cannot be read ({error})") from error


def _inputs_and_labels(path, arrays):
    for key in ("x", "y"):
        require(key in arrays, f"{path}: no array {key!r}; it holds {', '.join(arrays) or 'nothing'}")
    x, y = arrays["x"], arrays["y"]
    require(len(x) == len(y), f"{path}: x has {len(x)} rows, y {len(y)}")
    return x, y.astype(str) if y.dtype.kind in "SO" else y, "y"


def are_classes(y, classes):
    """Whether labels are classes: if classes are listed, of texts, and of whole numbers of at most 20 values."""
    if y.ndim == 2 and y.shape[1] > 1:
        return y.dtype.kind == "b"
    if classes or y.dtype.kind in "OUSb":
        return True
    values = np.unique(y).astype(float)
    return len(values) <= MOST_CLASSES and bool(np.all(values == np.round(values)))


def _encoded(y, classes, column):
    """Outputs (samples, outputs) and their names."""
    if y.ndim == 2 and y.shape[1] > 1:
        return signs(y) if y.dtype.kind == "b" else y.astype(float), [str(number) for number in range(y.shape[1])]
    y = y.ravel()
    if not are_classes(y, classes):
        return y.astype(float)[:, None], [column]
    values = [str(value) for value in classes or np.unique(y)]
    if set(values) == {"True", "False"} and not classes:
        values = ["True", "False"]  # the sign of a boolean label in an array, too
    require(len(values) >= 2, f"the labels have one value only, {values[0]!r}: there is nothing to learn")
    require(
        len(values) <= 1000, f"the labels are {len(values)} different texts; give numbers to regress on, or classes"
    )
    member = y.astype(str)[:, None] == np.array(values)[None, :]
    if len(values) == 2:
        return np.where(member[:, :1], 1.0, -1.0), [f"{values[0]} or {values[1]}"]
    return member - 1.0 / len(values), values


def _scaled(x, scale):
    """The inputs as float64, centred and scaled in place: no second copy of them is made."""
    x = np.array(x.reshape(len(x), -1), dtype=np.float64)
    if scale == "none":
        return x
    x -= x.mean(0)
    square = np.einsum("ij,ij->j", x, x) / len(x)
    size = np.sqrt(square if scale == "features" else square.mean())
    require(bool(np.any(size > 0)), "all samples have the same inputs: there is nothing to tell them apart by")
    x /= np.where(size > 0, size, 1.0)
    return x
