"""What every domain offers. Spectrum, kernel regression and networks always see the very same points."""

from abc import ABC, abstractmethod

import numpy as np

from ..errors import require, whole
from ..seeding import stream
from ..spectrum import Target


class Domain(ABC):
    """An input domain with a uniform probability measure.

    Attributes
    ----------
    kind : str
        Its name in a configuration.
    targets : tuple of str
        Methods that build the targets a configuration may ask for.
    identity : dict
        What it is, for hashing and file attributes.
    symmetric : bool
        Whether the kernel's values on `profile_points` determine its spectrum; a data set has no symmetry.
    listable : bool
        Whether its evaluation points fit into memory; without them there is theory but no experiment.
    """

    kind: str
    targets: tuple
    symmetric = True
    listable = True

    def __repr__(self):
        parameters = ", ".join(f"{name}={value!r}" for name, value in self.identity.items() if name != "kind")
        return f"{type(self).__name__}({parameters})"

    @abstractmethod
    def sample(self, train_size, seed):
        """The training set of a seed: points x (train_size, dim) and their indices (train_size,) or None."""

    @abstractmethod
    def evaluation(self):
        """The points on which learned functions are measured, x (points, dim), and their indices or None."""

    @abstractmethod
    def profile_points(self):
        """Points (m, dim), the first of which stands for all: K(first, every) determines the spectrum."""

    @abstractmethod
    def spectrum_of_profile(self, profile):
        """The spectrum of the kernel whose values on `profile_points` are `profile` (m,)."""

    def spectrum(self, architecture, kind="ntk"):
        """The spectrum of an architecture's kernel on this domain, levels in descending order."""
        points = self.profile_points()
        return self.spectrum_of_profile(architecture.kernel(points[:1], points, kind)[0])


class FiniteDomain(Domain):
    """A domain that is a list of points; the whole of it is the evaluation set, sampling is without replacement."""

    size: int

    @property
    @abstractmethod
    def points(self):
        """All points, (size, dim) float64."""

    @abstractmethod
    def eigenfunctions(self):
        """Modes (size,) and a basis (size, size), one eigenfunction per column, E[phi_i phi_j] = delta_ij."""

    @abstractmethod
    def power(self, values):
        """Modes (levels,) and the power of a function (size, outputs...) on each, (levels, outputs...)."""

    @abstractmethod
    def index_of(self, x):
        """The numbers of points x (n, dim) of this domain."""

    def sample(self, train_size, seed):
        train_size, seed = whole("train_size", train_size), whole("seed", seed)
        require(
            train_size <= self.size,
            f"train_size {train_size} is larger than the domain: {self.kind} has {self.size} points",
        )
        points = self.points
        index = stream("training set", domain=self.identity, train_size=train_size, seed=seed)
        index = index.permutation(self.size)[:train_size]
        return points[index], index

    def evaluation(self):
        return self.points, np.arange(self.size)

    def target(self, values, name="values"):
        """Any function, given by its values at `points`, (size,) or (size, outputs).

        Raises
        ------
        ValueError
            Wrong length or values that are not finite.
        """
        values = np.asarray(values, dtype=np.float64)
        require(
            values.shape[:1] == (self.size,),
            f"target {name!r} has shape {values.shape}; {self.kind} has {self.size} points",
        )
        require(bool(np.isfinite(values).all()), f"target {name!r} holds values that are not finite")
        modes, power = self.power(values)
        return Target(power, modes, lambda x, index: values[self.index_of(x) if index is None else index], name)
