"""Data sets: scikit-learn's digits, MNIST, Fashion-MNIST and CIFAR-10 through OpenML, and a user's own file.

Inputs are centred and scaled so that |x|^2 averages to the number of features: the kernels' weight_std and bias_std then
mean the same for every data set.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..common.arrays import first_not_finite
from ..common.errors import choose, require, whole
from ..common.seeding import digest, hash_of, stream
from ..data.files import is_table, located, read_arrays
from ..data.labels import Labels, only, outputs_like, outputs_of, understood_labels
from ..data.scaling import usual_scale
from ..data.understanding import Inputs, Understanding

if TYPE_CHECKING:
    from ..data.table import Table

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
WORDS = {"all": "all by one number", "features": "each by its own spread", "none": "not at all"}


@dataclass(frozen=True)
class RawData:
    """Inputs and labels before scaling.

    Attributes
    ----------
    x : (samples, ...) numbers
    labels : Labels, numbers or classes
    name : str, of the label
    source : str, the file or data set
    rows_read : int
    scale, scaling : str
        The scaling that is used unless another is asked for, and in words.
    sources : (columns,) int or None
        The column of a table that each input was made of.
    content : list of (samples, ...) arrays
        What the inputs were made of, without rounding that may differ between processors.
    inputs : Inputs
    left_out : dict of reason to number of rows
    remarks : list of str
    table : Table or None
        What they were made of, without its rows.
    groups : (samples,) texts or None
        What each was measured on.
    """

    x: np.ndarray
    labels: Labels
    name: str
    source: str
    rows_read: int
    scale: str
    scaling: str
    sources: np.ndarray | None
    content: list[np.ndarray]
    inputs: Inputs
    left_out: dict[str, int]
    remarks: list[str]
    table: "Table | None" = None
    groups: np.ndarray | None = None

    def take(self, rows: np.ndarray, reason: str) -> "RawData":
        """The same of some rows, (chosen,) int or (samples,) bool, the others left out for a reason."""
        labels = replace(self.labels, values=self.labels.values[rows])
        left_out = len(self.x) - len(labels.values)
        return replace(
            self,
            x=self.x[rows],
            labels=labels,
            content=[part[rows] for part in self.content],
            left_out=self.left_out | ({reason: left_out} if left_out else {}),
            groups=None if self.groups is None else self.groups[rows],
        )

    def outputs(self, classes: list | None, standard: bool) -> tuple[np.ndarray, list[str]]:
        """Outputs (samples, outputs) and their names; numbers are centred and have unit variance if `standard`."""
        outputs, names = outputs_of(self.labels, self.name, classes)
        return _standard(outputs, outputs, self.labels) if standard else outputs, names

    def identity(self, classes: list | None, scale: str, standard: bool) -> str:
        """A digest of the raw data and of what is made of them."""
        recipe = {"classes": classes, "scale": scale}
        if self.labels.task == "regression":
            recipe["labels"] = "standard" if standard else "raw"
        if self.groups is not None:
            recipe["groups"] = hash_of(self.groups)
        hashes = [*map(hash_of, self.content)]
        return digest([self.x.shape, hashes[0] if len(hashes) == 1 else hashes, hash_of(self.labels.values), recipe])

    def understanding(self, scale: str | None) -> Understanding:
        """What is shown before any number."""
        from ..data.leaks import repetitions  # here, because pandas takes long to import

        return Understanding(
            self.source,
            self.rows_read,
            self.left_out,
            *repetitions(self.x, self.labels.values),
            self.name,
            self.labels,
            self.inputs,
            WORDS[scale] if scale else self.scaling,
            self.remarks,
            *self._rows_of_groups(),
        )

    def _rows_of_groups(self) -> tuple[str, list[int]]:
        """The column that names the groups, and how many rows each has."""
        if self.groups is None or self.table is None or self.table.groups is None:
            return "", []
        return self.table.groups.name, np.unique(self.groups.astype(str), return_counts=True)[1].tolist()


@dataclass(frozen=True)
class TestSets:
    """Other files, read as the one of a data set was.

    Attributes
    ----------
    table : Table without rows, or None where the data are arrays
    labels : Labels, name : str, of the label; source : str
    shape : of one sample
    classes : list of classes that are kept, or None
    standard : bool, whether labels that are numbers are standardised
    """

    table: "Table | None"
    labels: Labels
    name: str
    source: str
    shape: tuple[int, ...]
    classes: list | None
    standard: bool

    @classmethod
    def of(cls, raw: RawData, classes: list | None, standard: bool) -> "TestSets":
        """As raw data are read and coded."""
        return cls(raw.table, raw.labels, raw.name, raw.source, raw.x.shape[1:], classes, standard)

    def read(self, path: str) -> tuple[np.ndarray, np.ndarray]:
        """Inputs (T, ...) before scaling and outputs (T, outputs)."""
        if self.table is None:
            x, values = read_arrays(path)
            first_not_finite(f"{path}: x", x)
            require(
                x.shape[1:] == self.shape,
                f"{path}: x has samples of shape {x.shape[1:]}, and {self.source} of {self.shape}",
            )
        else:
            from ..data.test_set import read_like  # here, because pandas takes long to import

            require(is_table(path), f"{path}: the test set of a table is a table with the same columns")
            x, values = read_like(path, self.table)
        outputs = outputs_like(values, self.labels, self.classes, path)
        own, _ = outputs_of(self.labels, self.name, self.classes)
        return x, _standard(outputs, own, self.labels) if self.standard else outputs


def _standard(outputs: np.ndarray, own: np.ndarray, labels: Labels) -> np.ndarray:
    """Outputs that are numbers, less the mean of the data's own and over their spread; others as they are."""
    if labels.task != "regression" or labels.values.dtype.kind == "b":
        return outputs
    spread = own.std(0)
    return (outputs - own.mean(0)) / np.where(spread > 0, spread, 1.0)


def raw_data(
    name: str | None,
    path: str | None,
    samples: int | None,
    classes: list | None,
    seed: int,
    folder: str | None,
    task: str | None,
    **table_options: object,
) -> RawData:
    """The rows that are asked for.

    Parameters
    ----------
    table_options : label, encode, missing, drop and groups, see `learnability.data.table.understood_table`
    others : as of `learnability.domains.samples.DataSet`
    """
    require((name is None) != (path is None), "a data set needs either `name` or `path`")
    seed = whole("seed", seed)
    samples = samples if samples is None else whole("samples", samples, 2)
    require(classes is None or isinstance(classes, list | tuple), f"classes must be a list, got {classes!r}")
    if path is not None and is_table(path):
        raw = _of_table(path, task, classes, table_options)
    else:
        unused = [option for option, value in table_options.items() if value is not None and option != "label"]
        require(not unused, f"{' and '.join(unused)}: for tables only, such as .csv")
        label = table_options["label"]
        require(label in (None, "y"), f"label: {label!r} is for tables; arrays and named data sets have one label, y")
        raw = _of_arrays(
            *(_named(name, folder) if path is None else read_arrays(path)), str(name or path), task, classes
        )
    if classes is not None:
        raw = raw.take(only(raw.labels.values, classes), "of other classes")
    if samples is not None:
        size = len(raw.x)
        require(2 <= samples <= size, f"samples: {samples} is not between 2 and the {size} there are")
        index = stream(
            "samples of a data set", name=name if path is None else located(path).name, samples=samples, seed=seed
        )
        raw = raw.take(np.sort(index.permutation(size)[:samples]), "more than the samples asked for")
    require(len(raw.x) >= 2, f"a data set needs at least 2 samples, got {len(raw.x)}")
    return raw


def _of_table(path: str, task: str | None, classes: list | None, options: dict) -> RawData:
    from ..data.table import understood_table  # here, because pandas takes long to import

    table = understood_table(path, task=task, **options)
    labels = understood_labels(
        table.labels, task or table.unit and "regression" or None, classes, f"{path}: column {table.label!r}"
    )
    return RawData(
        table.inputs,
        replace(labels, reason=table.unit or labels.reason),
        table.label,
        path,
        table.rows_read,
        *usual_scale(table.inputs, table.all_numbers),
        table.sources,
        table.content,
        table.understood,
        table.left_out,
        table.remarks,
        table.without_rows(),
        None if table.groups is None else table.groups.values,
    )


def _of_arrays(x: np.ndarray, y: np.ndarray, source: str, task: str | None, classes: list | None) -> RawData:
    bad = np.argwhere(~np.isfinite(x))
    require(
        len(bad) == 0,
        f"{source}: x holds {len(bad)} values that are not finite, the first at {bad[:1].tolist()}; remove or impute them",
    )
    labels = understood_labels(y, task, classes, source)
    inputs = Inputs(shape=f"{' x '.join(map(str, x.shape[1:])) or 1} numbers")
    return RawData(x, labels, "y", source, len(x), "all", WORDS["all"], None, [x], inputs, {}, [])


def _named(name: str | None, folder: str | None) -> tuple[np.ndarray, np.ndarray]:
    name = choose("data set", name, IMAGES)
    from sklearn import datasets

    if name == "digits":
        return datasets.load_digits(return_X_y=True)
    source = {**OPENML[name], "data_home": folder, "as_frame": False, "return_X_y": True, "parser": "liac-arff"}
    try:
        x, y = datasets.fetch_openml(**source)
        return np.asarray(x).astype(np.uint8), np.asarray(y)  # pixels: an eighth of the memory until they are scaled
    except OSError as error:
        raise ValueError(
            f"data set {name!r} is not cached and cannot be downloaded ({error}); fetch it once on a machine with "
            f"network access, or use name: digits"
        ) from error


def openml_bytes(name: str) -> int:
    """Bytes that reading a data set of OpenML takes: scikit-learn holds all of its values twice, as float64."""
    rows, columns = VALUES[name]
    return 2 * 8 * rows * columns


def import_readers(path: str | None) -> None:
    """Import the libraries that read a data set, which else are imported on first use; path as of `DataSet`."""
    if path is None or is_table(path):
        import sklearn.datasets
        import sklearn.impute
        import sklearn.preprocessing  # noqa: F401
