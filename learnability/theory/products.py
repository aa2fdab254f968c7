"""Sums over products of the eigenfunctions of a symmetric domain, and a spectrum on all its modes.

For kernels a and b with eigenvalues a_j and b_k, the pointwise product a(x, z) b(x, z) is again a kernel of the domain, with
eigenvalues sum_jk a_j b_k E[phi_i phi_j phi_k]^2 (the squares summed over the level of i, per mode of it).
"""

import numpy as np

from ..common.errors import require


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

    def __init__(self, domain, spectrum):
        known = hasattr(domain, "zonal_functions")
        require(known, f"fourth moments are known on hypercube, circle and sphere, not on {domain!r}")
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

    def learnabilities(self, kappa):
        """lambda / (lambda + kappa), (modes,), for one kappa or one each."""
        return self.eigenvalues / (self.eigenvalues + kappa)

    def product(self, first, second):
        """Eigenvalues (modes,) of the pointwise product of two kernels with eigenvalues (modes,)."""
        return self._zonal @ (self._weights * self.profile(first) * self.profile(second))

    def profile(self, eigenvalues):
        """The values of a kernel at the domain's profile points."""
        return (self.counts * eigenvalues) @ self._zonal
