r"""Kernels of the distance between points, beside those of networks: Gaussian (RBF), Laplace and Matern.

With r = |x - x'| / sqrt(dim), so that a length means the same in every dimension for inputs of unit variance, and K(x, x) = 1:

    Gaussian  exp(-r^2 / (2 length^2))
    Matern    nu = 1/2: exp(-s),   3/2: (1 + s) exp(-s),   5/2: (1 + s + s^2/3) exp(-s),   s = sqrt(2 nu) r / length

(Rasmussen & Williams 2006, Gaussian Processes for Machine Learning, eqs. 4.9 and 4.14-17); Laplace is Matern with nu = 1/2.
"""

import math
from abc import abstractmethod
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from ..common.errors import real, require
from .kernel import Kernel, Matrix

SMOOTHNESS = (0.5, 1.5, 2.5)
FAR = 1e4  # exp(-FAR) is 0: beyond, the polynomial of a Matern kernel would overflow


@dataclass(frozen=True)
class Radial(Kernel):
    """A kernel of the distance. It has no finite networks, and no kind but "ntk", which stands for the kernel itself.

    Parameters
    ----------
    length : float > 0
        In units of sqrt(dim).

    Raises
    ------
    ValueError
        A length that is not finite and positive.
    """

    length: float = 1.0

    kind: ClassVar[str]

    def __post_init__(self) -> None:
        object.__setattr__(self, "length", real("length", self.length, positive=True))

    @property
    def identity(self) -> dict[str, Any]:
        """What the kernel is, for hashing and for file attributes."""
        return {"kind": self.kind, **asdict(self)}

    @abstractmethod
    def of_distance(self, r: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        """K at distances r in units of sqrt(dim), of the shape of r."""

    def _matrix(self, points: Tensor, points2: Tensor | None, kind: str) -> Matrix:
        others = points if points2 is None else points2
        distance = torch.cdist(points, others, compute_mode="donot_use_mm_for_euclid_dist")
        return self.of_distance(distance / math.sqrt(points.shape[1]))


@dataclass(frozen=True)
class Gaussian(Radial):
    """exp(-r^2 / (2 length^2)) with r = |x - x'| / sqrt(dim) (Rasmussen & Williams 2006, eq. 4.9).

    Parameters
    ----------
    length : float > 0
        In units of sqrt(dim).

    Raises
    ------
    ValueError
        A length that is not finite and positive.

    Examples
    --------
    >>> import numpy as np, learnability as lb
    >>> lb.Gaussian(length=1.0).kernel(np.eye(2)).round(3).tolist()
    [[1.0, 0.607], [0.607, 1.0]]
    """

    kind = "gaussian"

    def of_distance(self, r: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        """K at distances r in units of sqrt(dim), of the shape of r."""
        return torch.exp(-((r / self.length) ** 2) / 2)


@dataclass(frozen=True)
class Laplace(Radial):
    """exp(-r / length) with r = |x - x'| / sqrt(dim) (Rasmussen & Williams 2006, eq. 4.18).

    Parameters
    ----------
    length : float > 0
        In units of sqrt(dim).

    Raises
    ------
    ValueError
        A length that is not finite and positive.

    Examples
    --------
    >>> import numpy as np, learnability as lb
    >>> lb.Laplace(length=1.0).kernel(np.eye(2)).round(3).tolist()
    [[1.0, 0.368], [0.368, 1.0]]
    """

    kind = "laplace"

    def of_distance(self, r: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        """K at distances r in units of sqrt(dim), of the shape of r."""
        return torch.exp(-r / self.length)


@dataclass(frozen=True)
class Matern(Radial):
    """Matern kernel of the distance r = |x - x'| / sqrt(dim) (Rasmussen & Williams 2006, eqs. 4.14-17).

    Parameters
    ----------
    length : float > 0
        In units of sqrt(dim).
    nu : 0.5, 1.5 or 2.5
        Smoothness.

    Raises
    ------
    ValueError
        A length that is not finite and positive, another nu.

    Examples
    --------
    >>> import numpy as np, learnability as lb
    >>> lb.Matern(length=1.0, nu=2.5).kernel(np.eye(2)).round(3).tolist()
    [[1.0, 0.524], [0.524, 1.0]]
    """

    nu: float = 1.5

    kind = "matern"

    def __post_init__(self) -> None:
        super().__post_init__()
        smooth = real("nu", self.nu, positive=True) in SMOOTHNESS
        require(smooth, f"nu must be one of {', '.join(map(str, SMOOTHNESS))}, got {self.nu!r}")

    def of_distance(self, r: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        """K at distances r in units of sqrt(dim), of the shape of r."""
        s = (math.sqrt(2 * self.nu) * r / self.length).clamp(max=FAR)
        polynomial = {0.5: torch.ones_like(s), 1.5: 1 + s, 2.5: 1 + s + s * s / 3}[self.nu]
        return polynomial * torch.exp(-s)
