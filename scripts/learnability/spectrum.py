"""A kernel's spectrum and a target's power in its eigenbasis: all that the theory needs to know.

Eigenvalues belong to the uniform probability measure on the domain, E_x'[K(x, x') phi(x')] = lambda phi(x) with
E[phi_i phi_j] = delta_ij, so that sum(multiplicity * eigenvalue) + tail = E[K(x, x)]. They are never normalised.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .errors import require

UNRESOLVED_SHARE = 1e-12  # of the trace: below it, what the listed levels miss is rounding


@dataclass(frozen=True)
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

    Raises
    ------
    ValueError
        A negative or non-finite eigenvalue, multiplicity or tail, or lengths that differ.
    """

    eigenvalues: np.ndarray
    multiplicities: np.ndarray = None
    tail: float = 0.0
    modes: np.ndarray = None
    eigenvectors: np.ndarray = None

    def __post_init__(self):
        values = np.atleast_1d(np.asarray(self.eigenvalues, dtype=np.float64))
        counts = np.ones(len(values)) if self.multiplicities is None else self.multiplicities
        counts = np.atleast_1d(np.asarray(counts, dtype=np.float64))
        modes = np.atleast_1d(np.arange(len(values)) if self.modes is None else np.asarray(self.modes))
        require(values.ndim == 1, f"eigenvalues must be a vector, got shape {values.shape}")
        for name, array in (("multiplicities", counts), ("modes", modes)):
            require(array.shape == values.shape, f"{name} has shape {array.shape}, eigenvalues {values.shape}")
        for name, array in (("eigenvalues", values), ("multiplicities", counts), ("tail", np.float64(self.tail))):
            wrong = ~(np.isfinite(array) & (array >= 0))
            require(not wrong.any(), f"{name} must be finite and >= 0, got {np.extract(wrong, array)[:3]}")
        for name, array in (("eigenvalues", values), ("multiplicities", counts), ("modes", modes)):
            object.__setattr__(self, name, array)
        object.__setattr__(self, "tail", float(self.tail))

    @classmethod
    def resolved(cls, eigenvalues, multiplicities, trace, noise, modes=None):
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
            in a row (one even, one odd) are below the noise.
        """
        eigenvalues, counts = np.asarray(eigenvalues), np.asarray(multiplicities, dtype=np.float64)
        modes = np.arange(len(eigenvalues)) if modes is None else np.asarray(modes)
        seen = eigenvalues > noise
        lost = np.flatnonzero(~seen[1:] & ~seen[:-1])
        if len(lost):
            seen[lost[0] :] = False
        tail = float(trace - np.sum((eigenvalues * counts)[seen]))
        if tail <= UNRESOLVED_SHARE * trace:
            eigenvalues, tail = np.where(seen, eigenvalues, 0.0), 0.0
        else:
            eigenvalues, counts, modes = eigenvalues[seen], counts[seen], modes[seen]
        order = np.argsort(-eigenvalues, kind="stable")
        return cls(eigenvalues[order], counts[order], tail, modes[order])

    def __len__(self):
        return len(self.eigenvalues)

    @property
    def trace(self):
        """sum(multiplicity * eigenvalue) + tail = E[K(x, x)]."""
        return float(self.multiplicities @ self.eigenvalues) + self.tail


@dataclass(frozen=True)
class Target:
    """A target function as the theory and the experiments see it.

    Parameters
    ----------
    power : (levels,) or (levels, outputs)
        Sum of squared coefficients in each level. Missing: it follows from `values` and the spectrum's eigenvectors.
    modes : (levels,), optional
        The labels the powers belong to. Missing: power is in the order of the spectrum it is used with.
    function : callable, optional
        (x, index) -> (points,) or (points, outputs): the target at points x (points, dim) with their indices in a
        finite domain (None in a continuous one).
    name : str
    values : (points,) or (points, outputs), optional
        The target on all samples of a data set, where the eigenfunctions depend on the kernel.
    """

    power: np.ndarray = None
    modes: np.ndarray = None
    function: Callable | None = None
    name: str = "target"
    values: np.ndarray = None

    def __post_init__(self):
        if self.power is None:
            require(self.values is not None, "a target needs its power or its values")
            return
        power = np.asarray(self.power, dtype=np.float64)
        require(power.ndim in (1, 2), f"power must be (levels,) or (levels, outputs), got shape {power.shape}")
        require(bool(np.isfinite(power).all() and (power >= 0).all()), "power must be finite and >= 0")
        object.__setattr__(self, "power", power)
        if self.modes is not None:
            object.__setattr__(self, "modes", np.atleast_1d(np.asarray(self.modes)))
            require(self.modes.shape == power.shape[:1], f"{len(self.modes)} modes for {len(power)} powers")

    def power_in(self, spectrum):
        """Power on the spectrum's levels (levels, outputs...) and the power on modes it does not list (outputs...).

        Raises
        ------
        ValueError
            Power on a mode that the spectrum neither lists nor may hold in its tail.
        """
        if self.power is None:
            require(spectrum.eigenvectors is not None, f"target {self.name!r} needs a spectrum with eigenvectors")
            power = (spectrum.eigenvectors.T @ self.values / len(self.values)) ** 2
            return power, np.zeros(power.shape[1:])
        if self.modes is None:
            require(len(self.power) == len(spectrum), f"{len(self.power)} powers for {len(spectrum)} eigenvalues")
            return self.power, np.zeros(self.power.shape[1:])
        place = {mode: i for i, mode in enumerate(spectrum.modes.tolist())}
        aligned = np.zeros((len(spectrum), *self.power.shape[1:]))
        beyond = np.zeros(self.power.shape[1:])
        for mode, power in zip(self.modes.tolist(), self.power, strict=True):
            if mode in place:
                aligned[place[mode]] += power
            elif np.any(power > 0):
                require(spectrum.tail > 0, f"the target has power on mode {mode}, which the spectrum does not list")
                beyond = beyond + power
        return aligned, beyond

    def __call__(self, x, index=None):
        """The target's values at points; raises ValueError if only its power is known."""
        require(self.function is not None, f"target {self.name!r} is known by its power only")
        return self.function(x, index)
