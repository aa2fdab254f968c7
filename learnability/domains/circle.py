"""M equally spaced points on the unit circle. Eigenfunctions of any rotation-invariant kernel are cosines and sines.

The eigenvalue of frequency k is the discrete Fourier transform of the kernel's values, divided by M (Simon et al.
2021, app. B). Frequencies 0 and, for even M, M/2 have one eigenfunction, the others two.
"""

import numpy as np

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
    """

    kind = "circle"
    targets = ("cosine", "sine")

    def __init__(self, points):
        self.size = whole("points", points, 2)
        self.angles = 2 * np.pi * np.arange(self.size) / self.size
        self.frequencies = np.arange(self.size // 2 + 1)
        self.identity = {"kind": self.kind, "points": self.size}

    @property
    def points(self):
        return np.stack([np.cos(self.angles), np.sin(self.angles)], 1)

    def index_of(self, x):
        return np.round(_angle(np.asarray(x)) * self.size / (2 * np.pi)).astype(int) % self.size

    def profile_points(self):
        return self.points

    def moved(self, x, rng):
        turned = _angle(np.asarray(x)) + 2 * np.pi * rng.integers(self.size) / self.size
        return np.stack([np.cos(turned), np.sin(turned)], 1)

    def spectrum_of_profile(self, profile):
        symmetric = (profile + np.roll(profile[::-1], 1)) / 2  # K(t) = K(-t), in spite of rounding
        eigenvalues = np.fft.rfft(symmetric).real / self.size
        noise = ROUNDING * np.abs(profile).mean()
        return Spectrum.resolved(eigenvalues, self._multiplicities(), float(profile[0]), noise, self.frequencies)

    def zonal_functions(self):
        cosines = np.cos(np.outer(self.frequencies, self.angles))
        return self.frequencies, self._multiplicities(), cosines, np.full(self.size, 1 / self.size)

    def _multiplicities(self):
        return np.where((self.frequencies == 0) | (2 * self.frequencies == self.size), 1.0, 2.0)

    def eigenfunctions(self):
        cosines = [self.cosine(k).function(self.points, None) for k in self.frequencies]
        sines = [self.sine(k).function(self.points, None) for k in self.frequencies[self._multiplicities() == 2]]
        modes = np.concatenate([self.frequencies, self.frequencies[self._multiplicities() == 2]])
        return modes, np.stack([*cosines, *sines], 1)

    def power(self, values):
        coefficients = np.fft.rfft(values, axis=0) / self.size
        weights = self._multiplicities().reshape(-1, *[1] * (values.ndim - 1))
        return self.frequencies, np.abs(coefficients) ** 2 * weights

    def cosine(self, frequency):
        """The cosine of the given frequency, scaled to unit mean square."""
        frequency = whole("the frequency of a cosine", frequency, 0, self.size // 2)
        scale = 1.0 if self._multiplicities()[frequency] == 1 else SQRT2
        return self._wave(frequency, lambda x, index: scale * np.cos(frequency * _angle(x)), f"cos {frequency}")

    def sine(self, frequency):
        """The sine of the given frequency, scaled to unit mean square."""
        frequency = whole("the frequency of a sine", frequency, 1, (self.size - 1) // 2)
        return self._wave(frequency, lambda x, index: SQRT2 * np.sin(frequency * _angle(x)), f"sin {frequency}")

    def _wave(self, frequency, function, name):
        return Target([1.0], [frequency], function, name, domain=str(self))


def _angle(x):
    return np.arctan2(x[:, 1], x[:, 0])
