"""A data set as a domain: M samples, each with probability 1/M. Its eigenfunctions come from K / M = Phi Lambda Phi^T / M.

Duplicated samples and data of low rank give zero eigenvalues: what a target has there cannot be learned, and the theory
says so. Eigendecomposition is SciPy's divide and conquer, which took 5 s at M = 4000 where torch's took 23 s.
"""

from collections.abc import Mapping, Sequence
from copy import copy
from typing import TYPE_CHECKING
from warnings import warn

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike

from ..common.arrays import array, first_not_finite
from ..common.arrays import labels as labels_from
from ..common.errors import choose, require
from ..common.groups import group_numbers
from ..common.seeding import digest, hash_of
from ..common.threads import one_thread
from ..data.scaling import SCALES, scaled
from ..data.understanding import Understanding
from ..kernels.matrix import LARGEST_DECOMPOSED, Indexed, as_kernel
from ..spectra.spectrum import Spectrum
from ..spectra.target import Target
from .data import IMAGE_SHAPES, TestSets, raw_data
from .domain import Domain, FiniteDomain, Points

if TYPE_CHECKING:
    from ..kernels.kernel import Kernel, KernelLike


class Samples(FiniteDomain):
    """A data set, held in memory.

    Points keep the shape that they are given in: (dim,) for tables, (channels, length) for signals, (channels, height, width)
    for images. What the data set is, and so which training sets are drawn, does not depend on it: only the numbers count, in
    their order. A kernel says what it takes; fully connected networks flatten points for themselves.

    Parameters
    ----------
    x : (samples, dim) or of more axes, finite
    y : (samples,) or (samples, outputs), finite, optional
        Labels; `label` and `all` make targets of them. Booleans are two classes: True is +1, False is -1.
    names : list of str, optional
        Of the outputs.
    groups : (samples,) of numbers or texts, optional
        What each sample was measured on, such as a person: training sets are then whole groups, and errors off the training
        set those on other groups.

    Raises
    ------
    ValueError
        Fewer than 2 samples, x that is no matrix, values that are not finite, lengths that differ, an output that is constant,
        one group only.

    Examples
    --------
    >>> import numpy as np, learnability as lb
    >>> images = np.random.default_rng(0).standard_normal((40, 1, 3, 3))
    >>> data = lb.Samples(images, y=np.sign(images[:, 0, 1, 1]))
    >>> data.points.shape
    (40, 1, 3, 3)
    >>> spectrum = data.spectrum(lb.FullyConnected(depth=1, bias_std=0.1))
    >>> lb.predict(spectrum, data.label(0), train_size=20, population=40).test_mse_off_train.round(2).item()
    0.71
    """

    kind = "samples"
    targets = ("label", "all")
    alike = False

    def __init__(
        self,
        x: ArrayLike,
        y: ArrayLike | None = None,
        names: Sequence[str] | None = None,
        groups: ArrayLike | None = None,
    ) -> None:
        x = array("x", x)
        require(
            x.ndim >= 2, f"x must be an array (samples, dim), got shape {x.shape}; write x[:, None] for one feature"
        )
        require(len(x) >= 2, f"a data set needs at least 2 samples, got {len(x)}")
        first_not_finite("x", x)
        labels = np.empty((len(x), 0)) if y is None else labels_from("y", y, len(x))
        labels = labels.reshape(len(x), -1)
        if len(labels):
            same = np.flatnonzero(np.ptp(labels, axis=0) == 0)
            require(
                len(same) == 0,
                f"output {same[0] if len(same) else 0} of y has one value only: there is nothing to learn; drop it",
            )
        self._points, self.labels, self.size = x, labels, len(x)
        self.names = [str(name) for name in (range(labels.shape[1]) if names is None else names)]
        require(len(self.names) == labels.shape[1], f"{len(self.names)} names for {labels.shape[1]} outputs")
        flat = x.reshape(len(x), -1)
        content = digest([flat.shape, hash_of(flat), hash_of(labels)])
        self.identity = {"kind": self.kind, "content": content}
        self.groups = None if groups is None else group_numbers(groups, len(x))

    def sample(self, train_size: int, seed: int) -> Indexed:
        require(
            self.groups is None,
            "groups: training sets of studies and experiments are drawn by single rows; errors on new groups are predicted by "
            "`learnability predict` and `select` with --groups, lb.learning_curve and lb.select; leave groups out here",
        )
        return super().sample(train_size, seed)

    def in_groups(self, groups: ArrayLike) -> "Samples":
        """The same data set with the group of every sample, see `Samples`."""
        other = copy(self)
        other.groups = group_numbers(groups, self.size)
        return other

    @property
    def points(self) -> Points:
        return self._points

    def require_matrix(self) -> None:
        require(
            self.size <= LARGEST_DECOMPOSED,
            f"a kernel matrix on all {self.size} samples is needed, and {LARGEST_DECOMPOSED} are the most that are "
            f"decomposed; write fewer `samples`, or use the experiment large_spectrum",
        )

    def kernel_values(self, architecture: "Kernel | KernelLike", kind: str = "ntk") -> dict[str, np.ndarray]:
        self.require_matrix()
        return {"points": self.points, "matrix": as_kernel(architecture).kernel(self.points, kind=kind)}

    def spectrum_of(self, arrays: Mapping[str, np.ndarray]) -> Spectrum:
        """The spectrum, with eigenvectors, of the kernel matrix on all samples."""
        from scipy import linalg  # here, because jobs on other domains should not wait for it

        with one_thread:
            eigenvalues, vectors = linalg.eigh(arrays["matrix"] / self.size, driver="evd")
        noise = self.size * np.finfo(float).eps * eigenvalues[-1]
        order = np.argsort(-eigenvalues, kind="stable")
        eigenvalues = np.where(eigenvalues > noise, eigenvalues, 0.0)[order]
        return Spectrum(eigenvalues, eigenvectors=vectors[:, order] * np.sqrt(self.size))

    def target(self, values: ArrayLike, name: str = "values") -> Target:
        """Any function, given by its values at `points`, (size,) or (size, outputs); ValueError if they do not fit."""
        values = self._values(values, name)

        def function(x: Points, index: Int[np.ndarray, " points"] | None) -> Float[np.ndarray, "points ..."]:
            require(index is not None, "points of a data set are known by their index only, as `sample` returns it")
            return values[index]

        return Target(values=values, function=function, name=name, domain=str(self))

    def label(self, name: str | int) -> Target:
        """One output of y, by name or number."""
        choices = ", ".join(f"{{label: {each!r}}}" for each in self.names)
        require(
            str(name) in self.names,
            f"unknown label {name!r}; write {choices or 'a data set with labels'} or {{all: null}}",
        )
        return self.target(self.labels[:, self.names.index(str(name))], f"label {name}")

    def all(self) -> Target:
        """All outputs of y, learned together."""
        require(self.labels.shape[1] > 0, "the data set has no labels")
        return self.target(self.labels, "all")


def grouped(domain: Domain, groups: ArrayLike | None) -> Domain:
    """A data set with the group of every sample; ValueError where the domain is none."""
    if groups is None:
        return domain
    require(isinstance(domain, Samples), f"groups are of data sets, whose samples are rows; {domain} has none")
    assert isinstance(domain, Samples)
    return domain.in_groups(groups)


class DataSet(Samples):
    """A data set from a file or a known name.

    Training sets follow from the raw data and from what is made of them, not from rescaled numbers, whose last digit
    may differ between processors. Points have the shape (channels, height, width) in the named data sets of images, in a .npz
    or .h5 file the shape that x has there, without its first axis: grey images of shape (samples, height, width) are for
    convolutional networks to be saved as x[:, None]. Rows of tables are flat.

    Parameters
    ----------
    name : "digits", "mnist", "fashion_mnist" or "cifar10", optional
        The last three are downloaded once and cached by scikit-learn (in `folder`, or where scikit-learn keeps data).
    path : str, optional
        A .npz or .h5 file with arrays x and y, or a table (CSV of any separator, compressed or not, Parquet, Feather, Excel)
        whose column `label` (missing: the last) is y.
    samples : int, optional
        Take that many, drawn without replacement; missing: all.
    classes : list, optional
        Keep these classes only. Two of them become one output of +-1, more become one centred output per class.
    seed : int
        Of the draw of `samples`.
    scale : "all", "features" or "none", optional
        Centre every feature, then scale all by one number, or each column by its own (see `learnability.data.scaling`).
        Missing: "features" for a table, whose columns have units of their own, unless many of its columns are zero almost
        everywhere, else "all".
    labels : "standard" or "raw", optional
        Labels that are numbers are centred and scaled to unit variance, each output by its own, so that a test error of 1
        is that of the mean; or left as they are. Missing: "standard". Classes are +-1 or centred in either case.
    encode, missing, drop : optional
        What to do with columns of texts, gaps and columns of a table, see `learnability.data.table.understood_table`.
    groups : str, optional
        The column of a table that names what was measured repeatedly, such as a person; it is no input. Training sets are
        whole groups, see `Samples`.
    task : "regression" or "classification", optional
        Whether labels are numbers or classes; missing: decided as `learnability.data.labels` says.

    Attributes
    ----------
    understood : Understanding
        What was understood as data: `print(domain.understood)`. Its remarks are warnings, too.

    Raises
    ------
    ValueError
        An unknown name, a missing or unreadable file, columns that are not numeric, too few samples; the message says
        what to do.

    Examples
    --------
    >>> print(DataSet(name="digits", classes=[4, 9]).understood)
    digits: 361 of 1797 rows used (1436 left out: of other classes)
    label 'y': 2 classes (4: 181, 9: 180; as asked for); --task regression takes it as a number
    inputs: 64 numbers, scaled all by one number
    """

    def __init__(
        self,
        name: str | None = None,
        path: str | None = None,
        samples: int | None = None,
        classes: list | None = None,
        label: str | None = None,
        seed: int = 0,
        folder: str | None = None,
        scale: str | None = None,
        labels: str | None = None,
        encode: str | None = None,
        missing: str | None = None,
        task: str | None = None,
        drop: list[str] | None = None,
        groups: str | None = None,
    ) -> None:
        options = {"label": label, "encode": encode, "missing": missing, "drop": drop, "groups": groups}
        raw = raw_data(name, path, samples, classes, seed, folder, task, **options)
        standard = choose("labels", labels or "standard", ("standard", "raw")) == "standard"
        chosen = choose("scale", scale or raw.scale, SCALES)
        self.understood: Understanding = raw.understanding(scale)
        points, self._scaling = scaled(raw.x, chosen, raw.sources)
        points = points.reshape(len(raw.x), *IMAGE_SHAPES.get(name or "", raw.x.shape[1:]))
        super().__init__(points, *raw.outputs(classes, standard), groups=raw.groups)
        self._test_sets = TestSets.of(raw, classes, standard)
        self.identity = {"kind": self.kind, "content": raw.identity(classes, chosen, standard)}
        for remark in self.understood.remarks:
            warn(f"{self.understood.source}: {remark}", stacklevel=2)

    def test_set(self, path: str) -> tuple[Points, Float[np.ndarray, "tests outputs"]]:
        """Points and labels of another file, read, encoded and scaled as this one was, for `learnability.learning_curve`.

        Parameters
        ----------
        path : str
            A table with the same columns by name, or arrays x and y of samples of the same shape.

        Raises
        ------
        ValueError
            Columns that are missing or more than there were, of another kind, or with texts or classes that this data set
            does not have; what an unreadable file or a gap gives here, too.
        """
        x, outputs = self._test_sets.read(path)
        return self._scaling(x).reshape(len(x), *self.points.shape[1:]), outputs
