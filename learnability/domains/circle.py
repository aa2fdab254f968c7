"""M equally spaced points on the unit circle. Eigenfunctions of any rotation-invariant kernel are cosines and sines.

The eigenvalue of frequency k is the discrete Fourier transform of the kernel's values, divided by M (Simon et al.
2021, app. B). Frequencies 0 and, for even M, M/2 have one eigenfunction, the others two.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int

from ..common.errors import whole
from ..spectra.spectrum import Spectrum
from ..spectra.target import Target
from .domain import ROUNDING, SymmetricFiniteDomain

SQRT2 = np.sqrt(2)


class Circle(SymmetricFiniteDomain):
    """Equally spaced points (cos t, sin t), t = 2 pi j / points.

    Parameters
    ----------
    points : int >= 2

    Raises
    ------
    ValueError
        Fewer than 2 points.

    Examples
    --------
    >>> import learnability as lb
    >>> circle = lb.Circle(points=64)
    >>> spectrum = circle.spectrum(lb.FullyConnected(depth=2))
    >>> lb.predict(spectrum, circle.cosine(2), train_size=[4, 16]).learnability.round(2).tolist()
    [0.44, 0.95]
    """

    kind = "circle"
    targets = ("cosine", "sine")

    def __init__(self, points: int) -> None:
        self.size = whole("points", points, 2)
        self.angles = 2 * np.pi * np.arange(self.size) / self.size
        self.frequencies = np.arange(self.size // 2 + 1)
        self.identity = {"kind": self.kind, "points": self.size}

    @property
    def points(self) -> Float[np.ndarray, "size dim"]:
        return np.stack([np.cos(self.angles), np.sin(self.angles)], 1)

    def index_of(self, x: Float[np.ndarray, "points dim"]) -> Int[np.ndarray, " points"]:
        return np.round(_angle(np.asarray(x)) * self.size / (2 * np.pi)).astype(int) % self.size

    def profile_points(self) -> Float[np.ndarray, "size dim"]:
        return self.points

    def moved(self, x: Float[np.ndarray, "points dim"], rng: np.random.Generator) -> Float[np.ndarray, "points dim"]:
        turned = _angle(np.asarray(x)) + 2 * np.pi * rng.integers(self.size) / self.size
        return np.stack([np.cos(turned), np.sin(turned)], 1)

    def spectrum_of_profile(self, profile: Float[np.ndarray, " size"]) -> Spectrum:
        symmetric = (profile + np.roll(profile[::-1], 1)) / 2  # K(t) = K(-t), in spite of rounding
        eigenvalues = np.fft.rfft(symmetric).real / self.size
        noise = ROUNDING * np.abs(profile).mean()
        return Spectrum.resolved(eigenvalues, self._multiplicities(), float(profile[0]), noise, self.frequencies)

    def zonal_functions(
        self,
    ) -> tuple[
        Int[np.ndarray, " levels"],
        Float[np.ndarray, " levels"],
        Float[np.ndarray, "levels size"],
        Float[np.ndarray, " size"],
    ]:
        cosines = np.cos(np.outer(self.frequencies, self.angles))
        return self.frequencies, self._multiplicities(), cosines, np.full(self.size, 1 / self.size)

    def _multiplicities(self) -> Float[np.ndarray, " levels"]:
        return np.where((self.frequencies == 0) | (2 * self.frequencies == self.size), 1.0, 2.0)

    def eigenfunctions(self) -> tuple[Int[np.ndarray, " size"], Float[np.ndarray, "size size"]]:
        cosines = [self.cosine(k)(self.points) for k in self.frequencies.tolist()]
        sines = [self.sine(k)(self.points) for k in self.frequencies[self._multiplicities() == 2].tolist()]
        modes = np.concatenate([self.frequencies, self.frequencies[self._multiplicities() == 2]])
        return modes, np.stack([*cosines, *sines], 1)

    def power(
        self, values: Float[np.ndarray, "size ..."]
    ) -> tuple[Int[np.ndarray, " levels"], Float[np.ndarray, "levels ..."]]:
        coefficients = np.fft.rfft(values, axis=0) / self.size
        weights = self._multiplicities().reshape(-1, *[1] * (values.ndim - 1))
        return self.frequencies, np.abs(coefficients) ** 2 * weights

    def cosine(self, frequency: int) -> Target:
        """The cosine of the given frequency, scaled to unit mean square."""
        frequency = whole("the frequency of a cosine", frequency, 0, self.size // 2)
        scale = 1.0 if self._multiplicities()[frequency] == 1 else SQRT2
        return self._wave(frequency, lambda x, index: scale * np.cos(frequency * _angle(x)), f"cosine {frequency}")

    def sine(self, frequency: int) -> Target:
        """The sine of the given frequency, scaled to unit mean square."""
        frequency = whole("the frequency of a sine", frequency, 1, (self.size - 1) // 2)
        return self._wave(frequency, lambda x, index: SQRT2 * np.sin(frequency * _angle(x)), f"sine {frequency}")

    def _wave(self, frequency: int, function: Callable, name: str) -> Target:
        return Target(np.ones(1), np.array([frequency]), function, name, domain=str(self))


def _angle(x: Float[np.ndarray, "points dim"]) -> Float[np.ndarray, " points"]:
    return np.arctan2(x[:, 1], x[:, 0])
