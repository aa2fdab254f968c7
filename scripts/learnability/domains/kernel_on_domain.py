"""A kernel on a domain: its matrix and its spectrum, from the pipeline's files where they are given, else computed."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..common.store import read_h5
from ..kernels import architecture_from
from ..kernels.matrix import KernelMatrix
from ..spectra.spectrum import Spectrum
from . import domain_from


@dataclass(frozen=True)
class KernelOnDomain:
    """The kernel of one architecture on one domain.

    Parameters
    ----------
    made_from : dict
        `domain` and `architecture` as in a configuration, `kernel` ("ntk" or "nngp").
    files : dict of str to path
        Any of `values`, as build_kernel.py writes it, and `eigenvalues`, as decompose_kernel.py does.

    Attributes
    ----------
    domain : Domain
    architecture : anything with a `kernel(x, x2, kind)` method
    kernel : KernelMatrix
        Whole where a kernel file would hold the matrix, else computed block by block.
    spectrum : Spectrum

    Raises
    ------
    ValueError
        On first use of a file that is missing, damaged or made from another domain, architecture or kernel.
    """

    made_from: dict
    files: dict

    @classmethod
    def of(cls, domain, architecture, kernel="ntk", files=None):
        """From configuration entries; without files everything is computed."""
        return cls({"domain": domain, "architecture": architecture, "kernel": kernel}, files or {})

    @cached_property
    def domain(self):
        """The domain itself."""
        return domain_from(self.made_from["domain"])

    @cached_property
    def architecture(self) -> Any:
        """Whatever has the kernel."""
        return architecture_from(self.made_from["architecture"])

    @cached_property
    def kernel(self):
        """K between any points, whole on a domain small enough."""
        kind = self.made_from["kernel"]
        values = self._read("values") or self.domain.kernel_values(self.architecture, kind)
        return KernelMatrix(self.architecture, kind, values.get("matrix"))

    @cached_property
    def spectrum(self):
        """Its eigenvalues, on a data set with eigenvectors."""
        stored = self._read("eigenvalues")
        if stored is None:
            return self.domain.spectrum(self.architecture, self.made_from["kernel"])
        if "eigenvectors" in stored:  # in the order of memory that the decomposition leaves: sums agree to the last bit
            stored["eigenvectors"] = np.asfortranarray(stored["eigenvectors"])
        return Spectrum(**stored, domain=str(self.domain))

    def _read(self, name):
        return read_h5(self.files[name], made_from=self.made_from)[0] if name in self.files else None
