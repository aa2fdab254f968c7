r"""A kernel of the user's own, from a function in a Python file that the configuration names.

The function takes two arrays of points, (n, dim) and (n2, dim), float64, and returns the matrix K(x, x2), (n, n2). Its file is
run, with all the rights of the user: a configuration must say `allow_code: true`. What the kernel *is* follows from the file's
content, so that results belong to it and a changed file makes them anew. What the file reads would escape that, and so would
modules beside it, which are not found.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from ..common.errors import require
from .kernel import Kernel, Matrix
from .user_code import in_a_line, user_function

ASYMMETRY = 1e-8  # of the largest value
NEGATIVE = 1e-8  # the least eigenvalue, in units of the largest
MOST_CHECKED = 500  # points of a matrix whose eigenvalues are computed for a check


@dataclass(frozen=True)
class OwnKernel(Kernel):
    """The kernel that a function in a Python file computes. It has no finite networks, and no kind but "ntk".

    Parameters
    ----------
    path : str
        A Python file; it may import what is installed, nothing from beside itself.
    function : str
        Its name in the file; called as function(x, x2).
    allow_code : bool
        Whether the file may be run; read it before you say true.

    Raises
    ------
    ValueError
        allow_code is not true; a file that is missing or fails, a function that it does not have. `kernel` raises it where
        the function fails, or returns what is no kernel: another shape, values that are not finite numbers, a matrix on
        equal points that is not symmetric or has negative eigenvalues (checked on up to 500 points).

    Examples
    --------
    >>> import numpy as np, learnability as lb
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "mine.py"
    ...     _ = path.write_text("def kernel(x, x2):\\n    return (1 + x @ x2.T) ** 2")
    ...     mine = lb.OwnKernel(str(path), allow_code=True)
    >>> mine.kernel(np.eye(2)).tolist()
    [[4.0, 1.0], [1.0, 4.0]]
    """

    path: str
    function: str = "kernel"
    allow_code: bool = False
    _content: str = field(init=False, repr=False, compare=False)
    _call: Callable = field(init=False, repr=False, compare=False)

    kind: ClassVar[str] = "callable"

    def __post_init__(self) -> None:
        call, content = user_function(self.path, self.function, self.allow_code)
        object.__setattr__(self, "_call", call)
        object.__setattr__(self, "_content", content)

    @property
    def identity(self) -> dict[str, Any]:
        """What the kernel is, for hashing and for file attributes: the content of its file, wherever that lies."""
        return {"kind": self.kind, "function": self.function, "content": self._content}

    def _matrix(self, points: Tensor, points2: Tensor | None, kind: str) -> Matrix:
        x, x2 = (part.cpu().numpy() for part in (points, points if points2 is None else points2))
        try:
            matrix = np.asarray(self._call(x.copy(), x2.copy()))
        except Exception as error:
            raise ValueError(f"{self._name} fails on {len(x)} and {len(x2)} points: {in_a_line(error)}") from error
        self._require_numbers(matrix, (len(x), len(x2)))
        matrix = matrix.astype(np.float64)
        if points2 is None:
            self._require_kernel(matrix)
        return torch.from_numpy(matrix)

    @property
    def _name(self) -> str:
        return f"function {self.function!r} in {self.path}"

    def _require_numbers(self, matrix: Shaped[np.ndarray, "..."], shape: tuple[int, int]) -> None:
        require(matrix.dtype.kind in "fiu", f"{self._name} must return an array of real numbers, got {matrix.dtype}")
        require(
            matrix.shape == shape, f"{self._name} must return the matrix K(x, x2) of shape {shape}, got {matrix.shape}"
        )
        require(bool(np.isfinite(matrix).all()), f"{self._name} returns values that are not finite")

    def _require_kernel(self, matrix: Float[np.ndarray, "points points"]) -> None:
        """Require a matrix on equal points to be symmetric and positive semi-definite, up to rounding."""
        scale = np.abs(matrix).max(initial=0.0)
        asymmetry = np.abs(matrix - matrix.T).max(initial=0.0)
        require(
            asymmetry <= ASYMMETRY * scale,
            f"{self._name} is not symmetric: K(x, x') and K(x', x) differ by up to {asymmetry:.3g}",
        )
        least, largest = np.linalg.eigvalsh(matrix[:MOST_CHECKED, :MOST_CHECKED])[[0, -1]] if len(matrix) else (0, 0)
        require(
            least >= -NEGATIVE * max(largest, scale),
            f"{self._name} is not positive semi-definite: on {min(len(matrix), MOST_CHECKED)} points it has the eigenvalue "
            f"{least:.3g}, its largest is {largest:.3g}",
        )
