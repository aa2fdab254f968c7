"""A target function: its power in a kernel's eigenbasis, its values, or both."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from ..common.errors import require

if TYPE_CHECKING:
    from .spectrum import Spectrum
from ..common.threads import one_thread


@dataclass(frozen=True, repr=False)
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
    domain : str, optional
        The domain that it is a function on, as a message names it.

    Raises
    ------
    ValueError
        Neither power nor values; power that is negative, not finite or of another shape than its modes.

    Examples
    --------
    >>> import learnability as lb
    >>> target = lb.Target(power=[0.5, 0.5], name="two levels")
    >>> lb.predict(lb.Spectrum([1.0, 0.1], [1, 10]), target, train_size=5).learnability.round(2).item()
    0.64
    """

    power: np.ndarray | None = None
    modes: np.ndarray | None = None
    function: Callable | None = None
    name: str = "target"
    values: np.ndarray | None = None
    domain: str | None = None

    def __post_init__(self) -> None:
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

    @one_thread
    def power_in(self, spectrum: "Spectrum") -> tuple[Float[np.ndarray, "levels ..."], Float[np.ndarray, "..."]]:
        """Power on the spectrum's levels (levels, outputs...) and the power on modes it does not list (outputs...).

        Raises
        ------
        ValueError
            A spectrum of another domain; power on a mode that the spectrum neither lists nor may hold in its tail.
        """
        require(
            None in (self.domain, spectrum.domain) or self.domain == spectrum.domain,
            f"target {self.name!r} is a function on {self.domain}, the spectrum belongs to {spectrum.domain}; take both "
            "from one domain",
        )
        if self.power is None:
            if spectrum.eigenvectors is None or self.values is None:
                raise ValueError(f"target {self.name!r} needs a spectrum with eigenvectors")
            power = (spectrum.eigenvectors.T @ self.values / len(self.values)) ** 2
            return power, np.zeros(power.shape[1:])
        if self.modes is None:
            require(len(self.power) == len(spectrum), f"{len(self.power)} powers for {len(spectrum)} eigenvalues")
            return self.power, np.zeros(self.power.shape[1:])
        level_of = {mode: level for level, mode in enumerate(spectrum.modes.tolist())}
        aligned = np.zeros((len(spectrum), *self.power.shape[1:]))
        beyond = np.zeros(self.power.shape[1:])
        for mode, power in zip(self.modes.tolist(), self.power, strict=True):
            if mode in level_of:
                aligned[level_of[mode]] += power
            elif np.any(power > 0):
                require(spectrum.tail > 0, f"the target has power on mode {mode}, which the spectrum does not list")
                beyond += power
        return aligned, beyond

    def __repr__(self) -> str:
        return f"<Target {self.name!r}{f' on {self.domain}' if self.domain else ''}>"

    def __call__(self, x: ArrayLike, index: ArrayLike | None = None) -> Float[np.ndarray, "points ..."]:
        """The target's values at points; raises ValueError if only its power is known."""
        if self.function is None:
            raise ValueError(f"target {self.name!r} is known by its power only")
        return self.function(x, index)
