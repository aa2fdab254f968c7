r"""A kernel of the user's own, from a function in a Python file that the configuration names.

The function takes two arrays of points, (n, dim) and (n2, dim), float64, and returns the matrix K(x, x2), (n, n2). Its file is
run, with all the rights of the user: a configuration must say `allow_code: true`. What the kernel *is* follows from the file's
content, so that results belong to it and a changed file makes them anew. What the file reads would escape that, and so would
modules beside it, which are not found.
"""

import hashlib
import sys
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import torch

from ..common.errors import choose, require
from ..common.threads import one_thread
from .points import kernel_values, matching_points

ASYMMETRY = 1e-8  # of the largest value
NEGATIVE = 1e-8  # the least eigenvalue, in units of the largest
MOST_CHECKED = 500  # points of a matrix whose eigenvalues are computed for a check


@dataclass(frozen=True)
class OwnKernel:
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
    """

    path: str
    function: str = "kernel"
    allow_code: bool = False

    kind = "callable"
    odd = False

    def __post_init__(self):
        require(
            self.allow_code is True,
            f"path: {self.path} would be run as Python code; read it, and write allow_code: true if you trust it",
        )
        source = _content(self.path)
        object.__setattr__(self, "_content", hashlib.sha256(source).hexdigest())
        object.__setattr__(self, "_call", _function(self.path, self.function, source, self._content))

    @property
    def identity(self):
        """What the kernel is, for hashing and for file attributes: the content of its file, wherever that lies."""
        return {"kind": self.kind, "function": self.function, "content": self._content}

    @one_thread
    def kernel(self, x, x2=None, kind="ntk"):
        """Kernel between two sets of points, shapes as `learnability.FullyConnected.kernel`."""
        require(kind == "ntk", f"{self._name} is no network's kernel: it has no kind {kind!r}; write kernel: ntk")
        points, points2 = (p.cpu().numpy() for p in matching_points(x, x2))
        try:
            values = np.asarray(self._call(points.copy(), points2.copy()))
        except Exception as error:
            raise ValueError(
                f"{self._name} fails on {len(points)} and {len(points2)} points: {_told(error)}"
            ) from error
        self._require_numbers(values, (len(points), len(points2)))
        matrix = values.astype(np.float64)
        if x2 is None:
            self._require_kernel(matrix)
            matrix = (matrix + matrix.T) / 2
        matrix = torch.from_numpy(matrix)
        return kernel_values(self, lambda *_: matrix, *map(torch.from_numpy, (points, points2)), x)

    @property
    def _name(self):
        return f"function {self.function!r} in {self.path}"

    def _require_numbers(self, values, shape):
        require(values.dtype.kind in "fiu", f"{self._name} must return an array of real numbers, got {values.dtype}")
        require(
            values.shape == shape, f"{self._name} must return the matrix K(x, x2) of shape {shape}, got {values.shape}"
        )
        require(bool(np.isfinite(values).all()), f"{self._name} returns values that are not finite")

    def _require_kernel(self, matrix):
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


def _content(path):
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ValueError(f"path: {path} cannot be read ({error.strerror or error})") from error


def _function(path, name, source, content):
    """The function of a file, which is run once per content in a process."""
    module = sys.modules.get(f"learnability_own_{content}")
    if module is None:
        module = module_from_spec(spec_from_file_location(f"learnability_own_{content}", Path(path).resolve()))
        sys.modules[module.__name__] = module  # where dataclasses look for it
        try:
            exec(compile(source, str(path), "exec"), vars(module))  # the very bytes that were hashed
        except Exception as error:
            del sys.modules[module.__name__]
            raise ValueError(f"path: {path} cannot be run: {_told(error)}") from error
    known = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
    return getattr(module, choose(f"function in {path}:", name, known))


def _told(error):
    """An error of the user's code in a line, with the line of the file where it happened, if that is known."""
    place, trace = getattr(error, "lineno", None), error.__traceback__
    while trace is not None:
        if "__name__" in trace.tb_frame.f_globals and trace.tb_frame.f_globals["__name__"].startswith(
            "learnability_own_"
        ):
            place = trace.tb_lineno
        trace = trace.tb_next
    return f"{type(error).__name__}: {error}" + (f" (line {place})" if place else "")
