r"""Fully connected networks with residual connections.

From the second hidden layer on, a layer is added to the pre-activations before it,

    z_l+1 = z_l + weight_std/sqrt(width) phi(z_l) W + bias_std b.

Branch and shortcut are independent at infinite width, so that covariances and tangent kernels add (Huang et al. 2020, arXiv
2002.06262, whose branches have two layers). With D = weight_std^2 k(Sigma_l) + bias_std^2,

    Sigma_l+1 = Sigma_l + D,      Theta_l+1 = Theta_l + D + weight_std^2 kdot(Sigma_l) Theta_l.

The variance grows with every layer, for ReLU by 1 + weight_std^2/2; weight_std of the order of 1/sqrt(depth) bounds it.
"""

from dataclasses import dataclass
from typing import Any

from .fully_connected import FullyConnected


@dataclass(frozen=True)
class Residual(FullyConnected):
    """A fully connected network whose hidden layers, but for the first, are added to what they take.

    Parameters
    ----------
    depth, activation, weight_std, bias_std
        As of `FullyConnected`.

    Raises
    ------
    ValueError
        As of `FullyConnected`.

    Examples
    --------
    >>> import numpy as np, learnability as lb
    >>> lb.Residual(depth=3, weight_std=1.0).kernel(np.eye(2)).round(3).tolist()
    [[1.5, 0.305], [0.305, 1.5]]
    """

    @property
    def identity(self) -> dict[str, Any]:
        return {"kind": "residual", **super().identity}

    @property
    def shortcuts(self) -> list[bool]:
        return [False, *[True] * (self.depth - 1), False] if self.depth else [False]
