"""What a theory is: a system of equations for the first- and second-order statistics of a learned function.

There are two kinds. A `SpectralTheory` knows a kernel by its eigenvalues and a target by its power on them; a `SampleTheory`
knows the samples themselves, by their kernel matrix and their labels. An instance is a system of equations with the numbers
that it needs beside the training-set size, the ridge and the noise: `FinitePopulation(256)`, `RandomFeatures(500)`.
`learnability.learning_curve` chooses among them.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from ..spectra.spectrum import Spectrum
from .solution import Solution


class Theory(ABC):
    """A system of equations.

    Attributes
    ----------
    name : str
        As tables and configurations call it.
    """

    name: ClassVar[str]


class SpectralTheory(Theory):
    """Equations that need the kernel's eigenvalues and the target's power on them."""

    @property
    def parameters(self) -> Mapping[str, ArrayLike]:
        """Numbers of the theory's own that are broadcast with train_size, ridge and noise_std."""
        return {}

    @property
    def may_be_infinite(self) -> tuple[str, ...]:
        """Which of train_size, ridge, noise_std and `parameters` may be infinite."""
        return ()

    @abstractmethod
    def solve(
        self,
        spectrum: Spectrum,
        power: Float[np.ndarray, "levels outputs"],
        beyond: Float[np.ndarray, " outputs"],
        train_size: Float[np.ndarray, " grid"],
        ridge: Float[np.ndarray, " grid"],
        noise_std: Float[np.ndarray, " grid"],
    ) -> Solution:
        """The equations on a flat grid.

        Parameters
        ----------
        spectrum : Spectrum
        power : (levels, outputs)
            Of the target on the spectrum's levels.
        beyond : (outputs,)
            Power on modes in the spectrum's tail.
        train_size, ridge, noise_std : (grid,)
            A theory with `parameters` takes each of them as one more keyword, (grid,).

        Returns
        -------
        Solution
        """


class SampleTheory(Theory):
    """Equations that need the kernel matrix on a data set and the labels of its samples."""
