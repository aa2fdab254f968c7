"""A kernel's spectrum, with the target's power all that the theory needs to know.

Eigenvalues belong to the uniform probability measure on the domain, E_x'[K(x, x') phi(x')] = lambda phi(x) with
E[phi_i phi_j] = delta_ij, so that sum(multiplicity * eigenvalue) + tail = E[K(x, x)]. They are never normalised.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from ..common.errors import require

UNRESOLVED_SHARE = 1e-12  # of the trace: below it, what the listed levels miss is rounding


@dataclass(frozen=True, repr=False)
class Spectrum:
    """Eigenvalues grouped in levels of equal eigenvalue.

    Parameters
    ----------
    eigenvalues : (levels,) finite, >= 0, in the kernel's own units
    multiplicities : (levels,), optional
        How many eigenfunctions share the eigenvalue; 1 if missing. Floats: they exceed 2^53 in high dimension.
    tail : float
        Trace beyond the listed levels. Modes that small cannot be learned; they act as a ridge (Simon et al.
        2021, sec. 3.3; Canatar et al. 2021).
    modes : (levels,), optional
        Integer labels (parity degree, frequency, harmonic degree, rank); 0, 1, 2, ... if missing.
    eigenvectors : (points, levels), optional
        Eigenfunctions of a data set as columns, E[phi_i phi_j] = delta_ij.
    domain : str, optional
        The domain that it belongs to, as a message names it.

    Raises
    ------
    ValueError
        A negative or non-finite eigenvalue, multiplicity or tail, or lengths that differ.

    Examples
    --------
    >>> import learnability as lb
    >>> spectrum = lb.Spectrum([1.0, 0.1], multiplicities=[1, 10], tail=0.5)
    >>> spectrum, spectrum.trace
    (<Spectrum: 2 levels, eigenvalues 1, 0.1, tail 0.5>, 2.5)
    """

    eigenvalues: np.ndarray
    multiplicities: np.ndarray = None  # type: ignore[assignment]  # set where it is missing
    tail: float = 0.0
    modes: np.ndarray = None  # type: ignore[assignment]  # set where it is missing
    eigenvectors: np.ndarray | None = None
    domain: str | None = None

    def __post_init__(self) -> None:
        values = np.atleast_1d(np.asarray(self.eigenvalues, dtype=np.float64))
        counts = np.ones(len(values)) if self.multiplicities is None else self.multiplicities
        counts = np.atleast_1d(np.asarray(counts, dtype=np.float64))
        modes = np.atleast_1d(np.arange(len(values)) if self.modes is None else np.asarray(self.modes))
        require(values.ndim == 1, f"eigenvalues must be a vector, got shape {values.shape}")
        for name, array in (("multiplicities", counts), ("modes", modes)):
            require(array.shape == values.shape, f"{name} has shape {array.shape}, eigenvalues {values.shape}")
        for name, array in (
            ("eigenvalues", values),
            ("multiplicities", counts),
            ("tail", np.asarray(self.tail, dtype=float)),
        ):
            wrong = ~(np.isfinite(array) & (array >= 0))
            require(not wrong.any(), f"{name} must be finite and >= 0, got {np.extract(wrong, array)[:3]}")
        for name, array in (("eigenvalues", values), ("multiplicities", counts), ("modes", modes)):
            object.__setattr__(self, name, array)
        object.__setattr__(self, "tail", float(self.tail))

    @classmethod
    def resolved(
        cls,
        eigenvalues: ArrayLike,
        multiplicities: ArrayLike,
        trace: float,
        noise: ArrayLike,
        modes: ArrayLike | None = None,
    ) -> Self:
        """The spectrum that rounding lets us see, in descending order.

        Parameters
        ----------
        eigenvalues : (levels,) computed values, perhaps negative by cancellation
        trace : float
            E[K(x, x)], known exactly.
        noise : float or (levels,)
            Bound on the rounding error of each eigenvalue.

        Returns
        -------
        Spectrum
            Levels below the noise are not passed on as numbers. If the others already exhaust the trace they are
            zero eigenvalues; if not, they are left out and their trace is the `tail`. The list ends where two levels
            in a row (one even, one odd) are below the noise. A level whose multiplicity exceeds a float64 is far below
            it and is left out.
        """
        counts = np.asarray(multiplicities, dtype=np.float64)
        countable = np.isfinite(counts)
        modes = np.arange(len(counts)) if modes is None else np.asarray(modes)
        eigenvalues, noise, modes, counts = (
            np.broadcast_to(a, countable.shape)[countable] for a in (eigenvalues, noise, modes, counts)
        )
        above = eigenvalues > noise
        lost = np.flatnonzero(~above[1:] & ~above[:-1])
        if len(lost):
            above[lost[0] :] = False
        tail = float(trace - np.sum((eigenvalues * counts)[above]))
        if tail <= UNRESOLVED_SHARE * trace:
            eigenvalues, tail = np.where(above, eigenvalues, 0.0), 0.0
        else:
            eigenvalues, counts, modes = eigenvalues[above], counts[above], modes[above]
        order = np.argsort(-eigenvalues, kind="stable")
        return cls(eigenvalues[order], counts[order], tail, modes[order])

    def __len__(self) -> int:
        return len(self.eigenvalues)

    def __repr__(self) -> str:
        domain = f" on {self.domain}" if self.domain else ""
        largest = ", ".join(f"{value:.4g}" for value in self.eigenvalues[:3])
        more = ", ..." if len(self) > 3 else ""
        tail = f", tail {self.tail:.3g}" if self.tail else ""
        return f"<Spectrum{domain}: {len(self)} levels, eigenvalues {largest}{more}{tail}>"

    @property
    def trace(self) -> float:
        """sum(multiplicity * eigenvalue) + tail = E[K(x, x)]."""
        return float(self.multiplicities @ self.eigenvalues) + self.tail
