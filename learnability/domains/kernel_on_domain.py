"""A kernel on a domain: its matrix and its spectrum, from the pipeline's files where they are given, else computed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..common.errors import require
from ..common.groups import Groups, first_groups, number_of, renumbered, rows_of
from ..common.seeding import stream
from ..common.store import read_h5
from ..kernels import Described
from ..kernels.matrix import LARGEST_MATRIX, KernelMatrix, as_kernel, checked
from ..spectra.spectrum import Spectrum
from ..spectra.target import Target
from . import domain_from
from .domain import Domain, Points

if TYPE_CHECKING:
    from ..kernels.kernel import Kernel, KernelLike
    from ..spectra.quadrature import LargeSpectrum


@dataclass(frozen=True)
class KernelOnDomain:
    """A kernel on a domain, all that a theory or kernel regression needs of both.

    Parameters
    ----------
    domain : Domain
    source : Kernel, or what `as_kernel` takes for one; a Described is built when the files do not suffice
    kind : "ntk" or "nngp"
    files : dict of str to path
        Any of `values`, as build_kernel.py writes it, and `eigenvalues`, as decompose_kernel.py does.
    made_from : dict
        The parameters that the files must have been made from.

    Raises
    ------
    ValueError
        On first use of a file that is missing, damaged or made from another domain, architecture or kernel.

    Examples
    --------
    >>> import learnability as lb
    >>> learner = KernelOnDomain(lb.Hypercube(4), lb.FullyConnected(1))
    >>> learner.blocks.block(learner.domain.sample(3, seed=0)).shape, len(learner.spectrum)
    ((3, 3), 5)
    """

    domain: Domain
    source: "Kernel | KernelLike | Described"
    kind: str = "ntk"
    files: Mapping[str, str | PathLike] = field(default_factory=dict)
    made_from: Mapping[str, Any] = field(default_factory=dict)
    _large: dict = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "source", checked(self.source))

    @classmethod
    def of(
        cls,
        domain: Mapping[str, Any],
        architecture: Mapping[str, Any],
        kind: str = "ntk",
        files: Mapping[str, str | PathLike] | None = None,
    ) -> "KernelOnDomain":
        """From configuration entries; without files everything is computed."""
        made_from = {"domain": domain, "architecture": architecture, "kernel": kind}
        return cls(domain_from(domain), Described(architecture), kind, files or {}, made_from)

    @cached_property
    def architecture(self) -> "Kernel":
        """The kernel."""
        return as_kernel(self.source)

    @cached_property
    def blocks(self) -> KernelMatrix:
        """K between any points, whole on a domain small enough."""
        arrays = self._read("values") or self.domain.kernel_values(self.architecture, self.kind)
        return KernelMatrix(self.source, self.kind, arrays.get("matrix"))

    @cached_property
    def spectrum(self) -> Spectrum:
        """Its eigenvalues, on a data set with eigenvectors."""
        stored = self._read("eigenvalues")
        if stored is None:
            return self.domain.spectrum(self.architecture, self.kind)
        if "eigenvectors" in stored:  # in the order of memory that the decomposition leaves: sums agree to the last bit
            stored["eigenvectors"] = np.asfortranarray(stored["eigenvectors"])
        return Spectrum(**stored, domain=str(self.domain))  # type: ignore[arg-type]  # the tail is an array there

    def large_spectrum(self, target: Target) -> "LargeSpectrum":
        """The spectrum of a data set too large for its matrix, by quadrature, with the power of a target in it."""
        from .large import large_spectrum

        if target.values is None:
            raise ValueError(f"target {target.name!r} is not known on all samples of {self.domain}")
        if id(target) not in self._large:  # the target is kept too, so that its number stays its own
            large = large_spectrum(self.architecture, self.domain.evaluation()[0], target.values, kind=self.kind)
            self._large[id(target)] = target, large
        return self._large[id(target)][1]

    @property
    def dense(self) -> bool:
        """Whether `spectrum` is known, or cheap: that of a symmetric domain, of at most 4096 samples, or of a file."""
        small = self.domain.size is not None and self.domain.size <= LARGEST_MATRIX
        return self.domain.alike or small or "eigenvalues" in self.files

    def samples(self, most: int) -> NDArray[np.intp]:
        """The numbers of at most that many samples of a data set: all, or some drawn at random, in their order.

        Of a data set in groups they are whole groups, at least two.
        """
        size, groups = len(self.domain.evaluation()[0]), self.domain.groups
        if size <= most:
            return np.arange(size)
        rng = stream("samples of the theory", domain=self.domain.identity, most=most)
        if groups is not None:
            drawn = rows_of(groups, first_groups(groups, rng.permutation(number_of(groups)), most, least=False))
            require(
                len(drawn) <= LARGEST_MATRIX,
                f"groups: two of them have {len(drawn)} rows, and {LARGEST_MATRIX} are solved for at once; leave out some rows "
                "of every group",
            )
            return drawn
        return np.sort(rng.permutation(size)[:most])

    def groups(self, index: NDArray[np.intp]) -> Groups | None:
        """The groups of samples, numbered from 0; None where the data set has none."""
        return renumbered(self.domain.groups, index)

    def matrix(self, index: NDArray[np.intp]) -> NDArray[np.float64]:
        """The kernel between samples of a finite domain, (samples, samples)."""
        points = self.domain.evaluation()[0]
        if "values" not in self.files and len(index) < len(points):
            return self.architecture.kernel(points[index], kind=self.kind)
        return self.blocks.block((points[index], index))

    def cross(self, x: Points, index: NDArray[np.intp]) -> NDArray[np.float64]:
        """The kernel between other points and samples of a finite domain, (points, samples)."""
        return self.architecture.kernel(x, self.domain.evaluation()[0][index], self.kind)

    def _read(self, name: str) -> dict[str, NDArray] | None:
        return read_h5(self.files[name], made_from=dict(self.made_from))[0] if name in self.files else None
