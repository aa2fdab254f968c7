r"""The empirical tangent kernel of a finite network as a kernel of its own: at initialisation, or after training.

Theta(x, x') = J(x) J(x')^T with J the network's Jacobian at its present parameters. The *after-kernel*, of a trained network,
tells what training has made of the kernel (Long 2021, arXiv 2105.10585; Atanasov, Bordelon & Pehlevan 2021, arXiv 2111.00034):
whatever takes a kernel takes it, kernel regression, spectra on a data set and the theory of its samples.
"""

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from ..common.errors import require, whole
from ..common.seeding import digest, hash_of
from ..kernels.kernel import Kernel, Matrix
from .networks import Ensemble, tangent_kernel

BLOCK = 512  # points at a time


@dataclass(frozen=True, repr=False)
class TangentKernel(Kernel):
    """The tangent kernel of one network of an ensemble.

    It depends on more than the distance or the angle of its points, so that it has a spectrum on a data set
    (`learnability.Samples`), not on a symmetric domain.

    Parameters
    ----------
    networks : Ensemble with one output
        As `Ensemble.initial` makes it, or `learnability.train(..., keep_networks=True)` leaves it in its result.
    number : int
        Which of its networks.

    Raises
    ------
    ValueError
        A number that the ensemble does not have, several outputs; points of another dimension than the network's.

    Examples
    --------
    >>> import numpy as np, learnability as lb
    >>> networks = lb.Ensemble.initial(lb.FullyConnected(1), input_dim=2, width=4096, seeds=[0])
    >>> lb.TangentKernel(networks).kernel(np.eye(2)).round(1).tolist()  # near lb.FullyConnected(1).kernel(np.eye(2))
    [[1.0, 0.2], [0.2, 1.0]]
    """

    networks: Ensemble
    number: int = 0

    def __post_init__(self) -> None:
        whole("number", self.number, 0, len(self.networks) - 1)
        require(
            self.networks.outputs == 1, f"a tangent kernel needs networks of one output, got {self.networks.outputs}"
        )
        one = self.networks.select(slice(self.number, self.number + 1))
        weights, biases = ([p.double() for p in parameters] for parameters in (one.weights, one.biases))
        object.__setattr__(self, "networks", replace(one, weights=weights, biases=biases))
        object.__setattr__(self, "number", 0)

    @property
    def identity(self) -> dict[str, Any]:
        """What the kernel is, for hashing and for file attributes: its architecture and all parameters."""
        parameters = digest([hash_of(p.cpu().numpy()) for p in self.networks.parameters()])
        return {
            "kind": "tangent_kernel",
            "architecture": self.networks.architecture.identity,
            "parameters": parameters,
        }

    def __repr__(self) -> str:
        width = self.networks.weights[-1].shape[1]
        return f"<TangentKernel of a network of width {width}, {self.networks.architecture}>"

    def _matrix(self, points: Tensor, points2: Tensor | None, kind: str) -> Matrix:
        dim = self.networks.weights[0].shape[1]
        require(points.shape[1] == dim, f"the network takes points of dimension {dim}, got {points.shape[1]}")
        left = points.to(self.networks.device)
        right = left if points2 is None else points2.to(self.networks.device)
        blocks = [
            torch.cat([tangent_kernel(self.networks, rows, columns)[0] for columns in right.split(BLOCK)], 1)
            for rows in left.split(BLOCK)
        ]
        return torch.cat(blocks)
