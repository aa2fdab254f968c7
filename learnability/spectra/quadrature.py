r"""Spectra of large kernel matrices by block Lanczos quadrature: what sums of f(lambda) need, from a few dozen products K V.

Theory needs a kernel's spectrum only in sums tr f(K) and y^T f(K) y. Lanczos' method on the block of vectors
[y, z_1, ..., z_p], z random, finds a basis in which K is a small block tridiagonal matrix T = S diag(theta) S^T. With
[y, z] = Q_1 R and g = R^T S (its first rows),

    y^T f(K) y ~ sum_j g_yj^2 f(theta_j),       tr f(K) ~ sum_j m_j f(theta_j)

(Golub & Meurant 2010, Matrices, Moments and Quadrature, ch. 6; Ubaru, Chen & Saad 2017). The first is exact for polynomials of
degree 2 steps - 1. Of the second, single eigenvalues that have converged count as m = 1, exactly; the rest is the mean over
probes z of g_zj^2, weighted so that the number of eigenvalues and the trace, both known, come out right (control variates).
What is left of the probes' noise is told by leaving out one probe at a time (jackknife).

Products are in single precision: eigenvalues below 1e-7 of the largest are not resolved, and count as zero.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import ArrayLike
from torch import Tensor

from ..common.arrays import labels
from ..common.errors import require, whole
from ..common.seeding import stream
from ..common.threads import one_thread
from .spectrum import Spectrum
from .target import Target

CONVERGED = 1e-2  # residual of a Ritz value over the value: its square bounds the relative error of isolated ones
SINGLE = float(np.finfo(np.float32).eps)


@dataclass(frozen=True, repr=False)
class LargeSpectrum:
    """A spectrum that stands for that of a large kernel matrix, with the target's power in it.

    Attributes
    ----------
    spectrum : Spectrum
        Its levels are nodes of quadrature; their multiplicities are not whole, and sum to `size`.
    target : Target
        Its power on the same levels.
    replicates : list of Spectrum
        The spectrum without one of the probes each, on the same levels; see `learnability.theory.replicates`.
    size : int
        Points of the data set: the `population` of `learnability.predict`.
    exact : int
        Levels that are single eigenvalues.

    Examples
    --------
    >>> import numpy as np, learnability as lb
    >>> x = np.random.default_rng(0).standard_normal((300, 5))
    >>> large = lb.large_spectrum(lb.FullyConnected(0), x, x[:, 0])
    >>> large.size, round(large.spectrum.trace, 3)  # E[K(x, x)]
    (300, 0.979)
    """

    spectrum: Spectrum
    target: Target
    replicates: list[Spectrum]
    size: int
    exact: int

    def __repr__(self) -> str:
        return f"<LargeSpectrum of {self.size} points: {len(self.spectrum)} levels, {self.exact} of them eigenvalues>"


@runtime_checkable
class Products(Protocol):
    """A symmetric matrix that is known by its products, as `learnability.kernels.tiles.KernelTiles` is."""

    size: int
    trace: float

    def product(self, vectors: Float[Tensor, "size columns"]) -> Float[Tensor, "size columns"]:
        """K V; float64."""


def unreported(done: int, total: int) -> None:
    """The progress of products that nobody watches."""


@one_thread
def lanczos_quadrature(
    kernel: Products,
    y: ArrayLike,
    probes: int = 16,
    steps: int = 20,
    seed: int = 0,
    report: Callable[[int, int], None] = unreported,
) -> LargeSpectrum:
    """The spectrum of a kernel matrix K / size, as far as predictions need it.

    Parameters
    ----------
    kernel : object with `size`, `trace` and `product(vectors)`, e.g. KernelTiles
    y : (size,) or (size, outputs), the target on the points
    probes : int >= 2
        Random vectors; the error of a sum over eigenvalues that have not converged falls like 1/sqrt(probes size).
    steps : int
        Products with blocks of outputs + probes vectors.
    report : callable, (products done, products)

    Returns
    -------
    LargeSpectrum

    Raises
    ------
    ValueError
        Values that do not fit the kernel or are not finite; fewer than two probes.
    """
    y = labels("the target", y)
    require(
        y.shape[:1] == (kernel.size,) and y.ndim <= 2,
        f"the target has shape {y.shape}, the kernel {kernel.size} points",
    )
    probes = whole("probes", probes, 2)
    columns = y.reshape(kernel.size, -1)
    random = stream("probes", size=kernel.size, seed=whole("seed", seed)).standard_normal((kernel.size, probes))
    random /= np.linalg.norm(random, axis=0)
    theta, first, residual = _block_lanczos(kernel, np.hstack([columns, random]), whole("steps", steps, 1), report)
    outputs = columns.shape[1]
    power = first[:outputs].T ** 2 / kernel.size
    resolved = theta > SINGLE * theta[-1]
    exact = _single(theta[::-1], residual[::-1], outputs + probes)

    def spectrum(chosen: Int[np.ndarray, " chosen"]) -> Spectrum:
        weights = _multiplicities(theta, (first[outputs:][chosen] ** 2).mean(0), exact, kernel)
        return Spectrum(np.where(resolved, theta, 0.0)[::-1] / kernel.size, weights[::-1])

    every = np.arange(probes)
    target = Target(power[::-1].reshape(-1, *y.shape[1:]), name="target")
    return LargeSpectrum(
        spectrum(every), target, [spectrum(np.delete(every, one)) for one in every], kernel.size, exact
    )


def _single(theta: Float[np.ndarray, " ritz"], residual: Float[np.ndarray, " ritz"], columns: int) -> int:
    """How many of the Ritz values, descending, are single eigenvalues.

    They have converged, and no eigenvalue is as often among them as the block has columns: it may be there more often.
    """
    same = theta[: len(theta) - columns + 1] - theta[columns - 1 :] <= CONVERGED * theta[: len(theta) - columns + 1]
    same = np.append(same, np.zeros(min(columns - 1, len(theta)), dtype=bool))[: len(theta)]
    return int(np.argmin(np.append((residual <= CONVERGED * theta) & ~same, False)))


def _multiplicities(
    theta: Float[np.ndarray, " ritz"], weights: Float[np.ndarray, " ritz"], exact: int, kernel: Products
) -> Float[np.ndarray, " ritz"]:
    """Eigenvalues that each node stands for: 1 for the `exact` largest, the probes' shares, adjusted, for the others."""
    rest = len(theta) - exact
    number, trace = kernel.size - exact, kernel.trace - theta[rest:].sum()
    if rest == 0 or number == 0:
        return np.ones(len(theta))
    w, t = weights[:rest] * (number / weights[:rest].sum()), theta[:rest]
    mean, spread = w @ t / number, w @ (t - w @ t / number) ** 2
    if spread > 0:
        w = np.maximum(w * (1 + (trace - w @ t) / spread * (t - mean)), 0.0)
    return np.append(w, np.ones(exact))


def _block_lanczos(
    kernel: Products, start: Float[np.ndarray, "size columns"], steps: int, report: Callable[[int, int], None]
) -> tuple[Float[np.ndarray, " ritz"], Float[np.ndarray, "columns ritz"], Float[np.ndarray, " ritz"]]:
    """Ritz values, ascending (m,), components of the starting vectors on their vectors (columns, m), and residuals (m,)."""
    block, first = _orthonormal(torch.from_numpy(start), SINGLE)
    basis, diagonal, below = [block.to(torch.float32)], [], []
    for step in range(steps):
        image = kernel.product(basis[-1]).cpu()
        report(step + 1, steps)
        diagonal.append(basis[-1].double().T @ image)
        for _ in range(2):  # once more takes away what rounding left
            for earlier in basis:
                image -= earlier.double() @ (earlier.double().T @ image)
        block, coupling = _orthonormal(image, SINGLE * float(torch.linalg.matrix_norm(diagonal[0], 2)))
        below.append(coupling)
        if block.shape[1] == 0 or step == steps - 1:
            break
        basis.append(block.to(torch.float32))
    ends = np.cumsum([0, *(len(d) for d in diagonal)])
    matrix = np.zeros((ends[-1], ends[-1]))
    for number, entries in enumerate(diagonal):
        block_rows = slice(ends[number], ends[number + 1])
        matrix[block_rows, block_rows] = entries
        if number + 1 < len(diagonal):
            next_rows = slice(ends[number + 1], ends[number + 2])
            matrix[next_rows, block_rows], matrix[block_rows, next_rows] = below[number], below[number].T
    theta, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    residual = np.linalg.norm(below[-1].numpy() @ vectors[ends[-2] :], axis=0)
    return theta, first.numpy().T @ vectors[: ends[1]], residual


def _orthonormal(
    block: Float[Tensor, "size columns"], least: float
) -> tuple[Float[Tensor, "size rank"], Float[Tensor, "rank columns"]]:
    """Q (size, rank), R (rank, columns) with block = Q R, without directions of norm below `least` sqrt(size)."""
    q, r = torch.linalg.qr(block)
    left, sizes, right = torch.linalg.svd(r, full_matrices=False)
    independent = sizes > least
    return q @ left[:, independent], sizes[independent, None] * right[independent]
