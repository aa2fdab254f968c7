"""Products with the kernel matrix of many points, which is never held: tiles of it are kept as far as memory allows.

The matrix is symmetric: only tiles on and above the diagonal are made, and each serves twice. They are kept in single precision
(6e-8 of an entry), in units of the mean diagonal, whatever the kernel's scale; products are summed over tiles in double
precision. Tiles that do not fit into memory are kept in a scratch file, or made anew for every product where no file is given.
"""

import math
from itertools import combinations_with_replacement
from os import PathLike

import h5py
import torch
from jaxtyping import Float
from numpy.typing import ArrayLike
from torch import Tensor

from ..common.arrays import finite_array
from ..common.errors import require, whole
from ..common.threads import one_thread
from .kernel import Kernel, KernelLike, as_kernel

MEMORY = 1 << 30  # bytes
SIDE = 2048  # of a tile


class KernelTiles:
    """The kernel matrix K of all pairs of points, known by its products.

    Parameters
    ----------
    architecture : Kernel, or anything with a `kernel(x, x2, kind)` method
    x : (size, ...), points of any shape that the kernel takes
    kind : "ntk" or "nngp"
    memory : int
        Bytes that tiles may take, single precision: 2 size^2 bytes hold all of them.
    scratch : path, optional
        A file for the tiles beyond; it is overwritten, and may be deleted once the object is no longer used.
    device : str, optional
        Where tiles are made, kept and multiplied. Missing: CUDA if there is one, else the CPU.

    Raises
    ------
    ValueError
        Points or a kind that the architecture refuses; a negative memory.

    Examples
    --------
    >>> import numpy as np, torch, learnability as lb
    >>> tiles = KernelTiles(lb.FullyConnected(0), np.eye(3), device="cpu")
    >>> tiles.trace, tiles.product(torch.ones(3, 1)).round(decimals=3).tolist()
    (1.0, [[0.333], [0.333], [0.333]])
    """

    def __init__(
        self,
        architecture: Kernel | KernelLike,
        x: ArrayLike,
        kind: str = "ntk",
        memory: int = MEMORY,
        scratch: str | PathLike | None = None,
        device: str | torch.device | None = None,
    ) -> None:
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.architecture, self.kind = as_kernel(architecture), kind
        self.x = torch.as_tensor(finite_array("x", x), device=self.device)
        require(self.x.ndim >= 2, f"x must be points (size, dim) or of more axes, got shape {tuple(self.x.shape)}")
        self.size, self.made = len(self.x), 0
        self.trace = float(self.architecture.diagonal(self.x, kind).sum())
        self.unit = 2.0 ** round(math.log2(self.trace / self.size)) if self.trace > 0 else 1.0  # rounds nothing off
        parts = [slice(first, min(first + SIDE, self.size)) for first in range(0, self.size, SIDE)]
        self.pairs = list(combinations_with_replacement(parts, 2))
        self.held: dict[int, Tensor] = {}
        self.room = whole("memory", memory) // (4 * SIDE**2)
        self.scratch = None
        if scratch is not None and len(self.pairs) > self.room:
            shape = (len(self.pairs) - self.room, SIDE, SIDE)
            self.scratch = h5py.File(scratch, "w").create_dataset("tiles", shape, "f4", chunks=(1, SIDE, SIDE))

    @one_thread
    def product(self, vectors: Float[Tensor, "size columns"]) -> Float[Tensor, "size columns"]:
        """K V for vectors V (size, columns); float64 on the device."""
        vectors = vectors.to(self.device, torch.float32)
        total = torch.zeros(vectors.shape, dtype=torch.float64, device=self.device)
        for number, (rows, columns) in enumerate(self.pairs):
            tile = self._tile(number)
            total[rows] += tile @ vectors[columns]
            if rows != columns:
                total[columns] += tile.T @ vectors[rows]
        return total * self.unit

    def _tile(self, number: int) -> Float[Tensor, "rows columns"]:
        if number in self.held:
            return self.held[number]
        rows, columns = self.pairs[number]
        height, width = rows.stop - rows.start, columns.stop - columns.start
        if self.scratch is not None and self.room <= number < self.made:
            return torch.from_numpy(self.scratch[number - self.room, :height, :width]).to(self.device)
        other = None if rows == columns else self.x[columns]
        tile = (self.architecture.kernel(self.x[rows], other, self.kind) / self.unit).to(torch.float32)
        if number == self.made:  # the first pass
            self.made += 1
            if number < self.room:
                self.held[number] = tile
            elif self.scratch is not None:
                self.scratch[number - self.room, :height, :width] = tile.cpu().numpy()
        return tile
