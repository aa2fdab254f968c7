"""Sums over products of the eigenfunctions of a symmetric domain, and a spectrum on all its modes.

For kernels a and b with eigenvalues a_j and b_k, the pointwise product a(x, z) b(x, z) is again a kernel of the domain, with
eigenvalues sum_jk a_j b_k E[phi_i phi_j phi_k]^2 (the squares summed over the level of i, per mode of it).
"""

import numpy as np
from jaxtyping import Bool, Float, Int

from ..common.errors import require
from ..domains.domain import Domain, SymmetricDomain
from ..spectra.spectrum import Spectrum


class Products:
    """One spectrum on one domain; arrays over the levels of the domain, (modes,).

    Attributes
    ----------
    modes, counts : (modes,), labels and multiplicities
    eigenvalues : (modes,)
        On a list of points the tail of the spectrum is spread evenly over the modes that it does not list; on an infinite
        domain these have 0, and the trace beyond is `tail`.
    level : (levels,), where the spectrum's levels are among the modes
    listed, constant : (modes,) bool
    size : float, number of points

    Raises
    ------
    ValueError
        A domain without known eigenfunctions, or another one than the spectrum's.
    """

    modes: Int[np.ndarray, " modes"]
    counts: Float[np.ndarray, " modes"]
    eigenvalues: Float[np.ndarray, " modes"]
    level: Int[np.ndarray, " levels"]
    listed: Bool[np.ndarray, " modes"]
    constant: Bool[np.ndarray, " modes"]
    tail: float
    size: float

    def __init__(self, domain: Domain, spectrum: Spectrum) -> None:
        if not isinstance(domain, SymmetricDomain):
            raise ValueError(f"fourth moments are known on hypercube, circle and sphere, not on {domain!r}")
        same = spectrum.domain in (None, str(domain))
        require(same, f"the spectrum belongs to {spectrum.domain}, not to {domain}; take both from one domain")
        self.size = float(domain.size or np.inf)
        self.modes, self.counts, self._zonal, self._weights = domain.zonal_functions()
        self.level = np.searchsorted(self.modes, spectrum.modes)
        self.listed, self.constant = np.isin(self.modes, spectrum.modes), self.modes == 0
        self.eigenvalues = np.zeros(len(self.modes))
        self.eigenvalues[self.level] = spectrum.eigenvalues
        self.tail = spectrum.tail
        if np.isfinite(self.size) and self.tail > 0:
            self.eigenvalues[~self.listed] = self.tail / self.counts[~self.listed].sum()
            self.tail = 0.0

    def learnabilities(self, kappa: float | Float[np.ndarray, " modes"]) -> Float[np.ndarray, " modes"]:
        """lambda / (lambda + kappa), (modes,), for one kappa or one each."""
        return self.eigenvalues / (self.eigenvalues + kappa)

    def product(
        self, first: Float[np.ndarray, " modes"], second: Float[np.ndarray, " modes"]
    ) -> Float[np.ndarray, " modes"]:
        """Eigenvalues (modes,) of the pointwise product of two kernels with eigenvalues (modes,)."""
        return self._zonal @ (self._weights * self.profile(first) * self.profile(second))

    def profile(self, eigenvalues: Float[np.ndarray, " modes"]) -> Float[np.ndarray, " points"]:
        """The values of a kernel at the domain's profile points."""
        return (self.counts * eigenvalues) @ self._zonal
