"""Spectra of data sets too large for a dense kernel matrix: by quadrature, by Nystroem's method or from a part of them.

See `learnability.spectra.quadrature` (Golub & Meurant 2010) and `learnability.spectra.nystrom` (Williams & Seeger 2001).
"""

from dataclasses import replace

from ..common.arrays import finite_array, labels
from ..common.errors import choose, require, whole
from ..common.seeding import stream
from ..common.threads import one_thread
from ..kernels.tiles import MEMORY, KernelTiles, kernel_trace
from ..spectra.nystrom import nystrom
from ..spectra.quadrature import LargeSpectrum, lanczos_quadrature
from ..spectra.target import Target
from .samples import Samples

METHODS = ("quadrature", "nystrom", "subsample")


@one_thread
def large_spectrum(
    x, values, architecture, kind="ntk", method="quadrature", seed=0, memory=MEMORY, landmarks=1000, **options
):
    """The spectrum of a kernel on many points, and a target's power in it.

    Predictions for training sets drawn from the points, and tested on the others, are
    `learnability.predict(large.spectrum, large.target, n, population=large.size).test_mse_off_train`; if the points are
    themselves drawn from a distribution, that is the error on new points.

    Parameters
    ----------
    x : (size, dim), values : (size,) or (size, outputs)
        Points, and the target on them.
    architecture : anything with a `kernel(x, x2, kind)` method
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
        An unknown method; shapes that do not match; more landmarks than points.
    """
    x = finite_array("x", x)
    values = labels("values", values, len(x))
    if choose("method", method, METHODS) == "quadrature":
        place = {name: options.pop(name) for name in ("scratch", "device") if name in options}
        tiles = KernelTiles(architecture, x, kind, memory, **place)
        return lanczos_quadrature(tiles, values, seed=seed, **options)
    require(not options, f"{', '.join(options)}: not of method {method!r}")
    landmarks = whole("landmarks", landmarks, 2, len(x))
    chosen = stream("landmarks", size=len(x), seed=whole("seed", seed)).permutation(len(x))[:landmarks]
    if method == "subsample":
        return _subsample(Samples(x[chosen]), values[chosen], architecture, kind, len(x))
    trace = kernel_trace(architecture, x, kind) / len(x)
    return nystrom(lambda a, b: architecture.kernel(a, b, kind), x, values, chosen, trace)


def _subsample(data, values, architecture, kind, size):
    """The dense spectrum of a part of the samples, as if it were that of all."""
    spectrum = data.spectrum(architecture, kind)
    power, _ = data.target(values).power_in(spectrum)
    spectrum = replace(spectrum, eigenvectors=None, domain=None)
    return LargeSpectrum(spectrum, Target(power, name="target"), [], size, 0)
