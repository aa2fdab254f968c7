r"""Spectrum and target of a rotation-invariant kernel from data statistics alone: the Hermite eigenstructure ansatz.

With gamma_i the eigenvalues of the data's covariance, z_i the coordinates along its eigenvectors in units of sqrt(gamma_i), and
c_l the level coefficients of the kernel at the radius of the data, |x|^2 = sum_i gamma_i,

    lambda_alpha = c_|alpha| prod_i gamma_i^alpha_i,    phi_alpha = prod_i h_alpha_i(z_i),

one mode for each multi-index alpha (Karkada, Turnbull, Liu & Simon 2025, arXiv 2510.14878). No kernel matrix is made. It holds
for Gaussian data in the limit of many dimensions and of coefficients that fall fast; here the leading modes are mixed as they
are on Gaussian data of finite dimension (`learnability.spectra.hermite_mixing`).
"""

from collections.abc import Callable, Mapping

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from ..common.arrays import finite_array, labels
from ..common.errors import require, whole
from ..common.threads import one_thread
from ..kernels.kernel import Kernel, KernelLike, as_kernel
from .hermite_mixing import mixed_modes
from .hermite_projection import project
from .level_coefficients import level_coefficients
from .multi_index import largest_products
from .spectrum import Spectrum
from .target import Target

NEGLIGIBLE = 1e-10  # of the largest eigenvalue of the covariance: directions that the data do not have
SHARE = 0.01  # of the points' mean square, above which their mean matters
SIGNIFICANT = 3.0  # standard errors by which it is not an accident of the sample
STEP = 0.05  # relative change of the squared radius, for the coefficients' derivative


@one_thread
def hermite_ansatz(
    architecture: Kernel | KernelLike,
    x: ArrayLike,
    y: ArrayLike | Mapping[tuple[int, ...], float] | None = None,
    *,
    modes: int = 10_000,
    mixed: int = 1000,
    kind: str = "ntk",
) -> tuple[Spectrum, Target | None]:
    """The spectrum of a kernel, and a target in it, from the data's covariance and a few thousand labels.

    Parameters
    ----------
    architecture : Kernel, or anything with a method `kernel(x, x2, kind)`, invariant under rotations
    x : (samples, dim) or of more axes, which are flattened; or (dim,)
        Centred points, or the eigenvalues of their covariance.
    y : (samples,), (samples, outputs) or dict, optional
        Labels of the points, or the target's coefficients {multi-index: coefficient}; a multi-index is the tuple of its
        coordinates: (0, 0, 2) is h_2(z_0) h_1(z_2), coordinates in descending order of variance.
    modes : int
        How many eigenvalues are listed; the trace of the others is the spectrum's `tail`.
    mixed : int
        How many leading modes are mixed as on Gaussian data; the others are lowered where all together exceed the trace.
        0 is the ansatz as published, whose eigenvalues may exceed it.
    kind : "ntk" or "nngp"

    Returns
    -------
    Spectrum, Target
        For `predict`; the target is None without labels. The spectrum's last level, of eigenvalue 0, carries the power on what
        is not listed or is beyond the labels' resolution, which counts as never learned.

    Raises
    ------
    ValueError
        Points that are no matrix, not finite or not centred, labels that do not fit, fewer than one mode.

    Examples
    --------
    >>> import numpy as np, learnability as lb
    >>> x = np.random.default_rng(0).standard_normal((400, 4)) * [2.0, 1.0, 0.5, 0.2]
    >>> x -= x.mean(0)
    >>> spectrum, target = lb.hermite_ansatz(lb.Gaussian(length=2.0), x, x[:, 0] * x[:, 1], modes=200, mixed=100)
    >>> lb.predict(spectrum, target, train_size=[10, 100], ridge=1e-3).learnability.round(2).tolist()
    [0.73, 0.98]
    """
    kernel = as_kernel(architecture, "hermite_ansatz(architecture, x, y, kind=..., ...)")
    x = finite_array("x", x)
    modes, mixed = whole("modes", modes, 1), whole("mixed", mixed)
    require(x.ndim > 0 and len(x) > 0, f"x must be (samples, dim), or (dim,) eigenvalues; got shape {x.shape}")
    x = x if x.ndim == 1 else x.reshape(len(x), -1)
    if x.ndim == 2:
        _require_centred(x)
    require(
        y is None or isinstance(y, Mapping) or x.ndim == 2,
        "labels need the points they belong to: give x (samples, dim)",
    )
    inputs = x.shape[-1]
    covariance, axes = _principal(x)
    radius = np.sqrt(covariance.sum())
    levels, decay, trace = _levels(lambda a, b: kernel.kernel(a, b, kind), inputs, radius)
    values, indices = largest_products(covariance, levels, modes)
    eigenvalues, vectors, mixed = values.copy(), None, min(mixed, len(values))
    if mixed:
        decay = np.maximum(decay, -0.9 / covariance[0])  # features that grow faster have no norm
        eigenvalues[:mixed], vectors = mixed_modes(values, indices, mixed, decay, covariance, radius)
        rest = max(trace - eigenvalues[:mixed].sum(), 0.0)  # of the modes that are not mixed, at most
        eigenvalues[mixed:] *= min(1.0, rest / eigenvalues[mixed:].sum()) if len(values) > mixed else 1.0
    domain = f"Hermite polynomials of {inputs} coordinates"
    spectrum = Spectrum(np.append(eigenvalues, 0.0), tail=max(trace - eigenvalues.sum(), 0.0), domain=domain)
    if y is None:
        return spectrum, None
    coefficients, total = _coefficients(x, axes, covariance, y, indices)
    if vectors is not None:
        coefficients[:mixed] = vectors.T @ coefficients[:mixed]
    power = coefficients**2
    beyond = np.maximum(total - power.sum(0), 0.0)
    power = np.concatenate([power, beyond[None]])
    single = isinstance(y, Mapping) or np.asarray(y).ndim == 1
    return spectrum, Target(power[:, 0] if single else power, name="projected", domain=domain)


def _require_centred(x: Float[np.ndarray, "samples dim"]) -> None:
    """ValueError where the mean of the points is neither small nor an accident of the sample: it would count as covariance."""
    mean, square = (x.mean(0) ** 2).sum(), (x**2).sum(1).mean()
    require(
        mean <= SHARE * square or mean <= SIGNIFICANT**2 * (square - mean) / len(x),
        f"x is not centred: its mean makes {mean / square:.2g} of its mean square, and would count as covariance; give "
        "x - x.mean(0), and use the kernel on those points too",
    )


def _principal(
    x: Float[np.ndarray, "..."],
) -> tuple[Float[np.ndarray, " directions"], Float[np.ndarray, "dim directions"] | None]:
    """Eigenvalues of the covariance in descending order, and its eigenvectors as columns."""
    if x.ndim == 1:
        require(bool((x >= 0).all()) and x.max() > 0, "eigenvalues of a covariance must be >= 0, and one of them > 0")
        values, axes = np.sort(x)[::-1], None
    else:
        values, axes = np.linalg.eigh(x.T @ x / len(x))
        values, axes = values[::-1], axes[:, ::-1]
        require(values[0] > 0, "all points are the origin: there is nothing to tell them apart by")
    present = values > NEGLIGIBLE * values[0]
    return values[present], None if axes is None else axes[:, present]


def _levels(
    kernel: Callable, inputs: int, radius: float
) -> tuple[Float[np.ndarray, " levels"], Float[np.ndarray, " levels"], float]:
    """c_l, b_l = -d log c_l / d r^2, and the kernel's diagonal, at the radius."""
    levels, trace = level_coefficients(kernel, inputs, radius)
    outer, inner = (level_coefficients(kernel, inputs, radius * np.sqrt(1 + step))[0] for step in (STEP, -STEP))
    present = (outer > 0) & (inner > 0)
    ratio = np.log(np.where(present, inner, 1.0) / np.where(present, outer, 1.0))
    return levels, ratio / (2 * STEP * radius**2), trace


def _coefficients(
    x: Float[np.ndarray, "..."],
    axes: Float[np.ndarray, "dim directions"] | None,
    covariance: Float[np.ndarray, " directions"],
    y: ArrayLike | Mapping[tuple[int, ...], float],
    indices: list[tuple[int, ...]],
) -> tuple[Float[np.ndarray, "modes outputs"], Float[np.ndarray, " outputs"]]:
    """Coefficients of the target on the polynomials (modes, outputs), and its power (outputs,)."""
    if isinstance(y, Mapping):
        coefficients = np.array([[float(y.get(index, 0.0))] for index in indices])
        return coefficients, np.array([sum(float(v) ** 2 for v in y.values())])
    y = labels("y", y, len(x))
    y = y.reshape(len(y), -1)
    leading, total = project(x @ axes / np.sqrt(covariance), y, indices)
    coefficients = np.zeros((len(indices), y.shape[1]))
    coefficients[: len(leading)] = leading
    return coefficients, total
