"""Spectra of data sets too large for a dense kernel matrix: by quadrature, by Nystroem's method or from a part of them.

See `learnability.spectra.quadrature` (Golub & Meurant 2010) and `learnability.spectra.nystrom` (Williams & Seeger 2001).
"""

from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from ..common.arrays import finite_array, labels
from ..common.errors import choose, require, whole
from ..common.seeding import stream
from ..common.threads import one_thread
from ..kernels.kernel import Kernel, KernelLike, as_kernel
from ..kernels.tiles import MEMORY, KernelTiles
from ..spectra.nystrom import nystrom
from ..spectra.quadrature import LargeSpectrum, lanczos_quadrature
from ..spectra.target import Target
from .samples import Samples

METHODS = ("quadrature", "nystrom", "subsample")


@one_thread
def large_spectrum(
    architecture: Kernel | KernelLike,
    x: ArrayLike,
    y: ArrayLike,
    *,
    kind: str = "ntk",
    method: str = "quadrature",
    seed: int = 0,
    memory: int = MEMORY,
    landmarks: int = 1000,
    **options: Any,
) -> LargeSpectrum:
    """The spectrum of a kernel on many points, and a target's power in it.

    Predictions for training sets drawn from the points, and tested on the others, are
    `learnability.predict(large.spectrum, large.target, n, population=large.size).test_mse_off_train`; if the points are
    themselves drawn from a distribution, that is the error on new points.

    Parameters
    ----------
    architecture : Kernel, or anything with a `kernel(x, x2, kind)` method
    x : (size, dim) or of more axes, y : (size,) or (size, outputs)
        Points, and the target on them.
    kind : "ntk" or "nngp"
    method : "quadrature", "nystrom" or "subsample"
        By block Lanczos quadrature (`learnability.spectra.quadrature`): all that predictions need, with an error that is known
        (`learnability.standard_errors`); from the kernel's columns at `landmarks` random points
        (`learnability.spectra.nystrom`); or the dense spectrum of those alone. The last two are cheap, and biased where n
        comes near the number of landmarks.
    seed : int, of the probes or landmarks
    memory : int
        Bytes for tiles of the matrix (quadrature). 2 size^2 hold all; what does not fit is made anew for every product.
    landmarks : int
    options
        Of quadrature: probes, steps, report (see `learnability.spectra.quadrature.lanczos_quadrature`), scratch, device (see
        `learnability.kernels.tiles.KernelTiles`).

    Returns
    -------
    LargeSpectrum

    Raises
    ------
    ValueError
        An unknown method; shapes that do not match; more landmarks than points; another order of arguments.

    Examples
    --------
    >>> import numpy as np, learnability as lb
    >>> x = np.random.default_rng(0).standard_normal((300, 5))
    >>> large = lb.large_spectrum(lb.FullyConnected(1, bias_std=0.1), x, x[:, 0] * x[:, 1])
    >>> prediction = lb.predict(large.spectrum, large.target, train_size=[30, 200], ridge=0.1, population=large.size)
    >>> prediction.test_mse_off_train.round(1).tolist()
    [0.2, 0.0]
    """
    kernel = as_kernel(architecture, "large_spectrum(architecture, x, y, kind=..., ...)")
    x = finite_array("x", x)
    y = labels("y", y, len(x))
    if choose("method", method, METHODS) == "quadrature":
        storage = {name: options.pop(name) for name in ("scratch", "device") if name in options}
        tiles = KernelTiles(kernel, x, kind, memory, **storage)
        return lanczos_quadrature(tiles, y, seed=seed, **options)
    require(not options, f"{', '.join(options)}: not of method {method!r}")
    landmarks = whole("landmarks", landmarks, 2, len(x))
    chosen = stream("landmarks", size=len(x), seed=whole("seed", seed)).permutation(len(x))[:landmarks]
    if method == "subsample":
        return _subsample(kernel, Samples(x[chosen]), y[chosen], kind, len(x))
    return nystrom(lambda a, b: kernel.kernel(a, b, kind), x, y, chosen, float(kernel.diagonal(x, kind).mean()))


def _subsample(
    kernel: Kernel, samples: Samples, y: Float[np.ndarray, "landmarks ..."], kind: str, size: int
) -> LargeSpectrum:
    """The dense spectrum of a part of the samples, as if it were that of all."""
    spectrum = samples.spectrum(kernel, kind)
    power, _ = samples.target(y).power_in(spectrum)
    spectrum = replace(spectrum, eigenvectors=None, domain=None)
    return LargeSpectrum(spectrum, Target(power, name="target"), [], size, 0)
