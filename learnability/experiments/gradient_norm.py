r"""Mean squared gradient of the learned function, E|grad fhat|^2 = sum_i mu_i E[vhat_i^2].

On the circle mu_k = k^2; on the sphere of radius R, mu_k = k (k + dim - 2) / R^2. Learned functions are differentiated
numerically: on the circle by the Fourier transform of their values, which is exact there; on the sphere along a random
tangent at each of a number of points, by central differences, E|grad f|^2 = (dim - 1) E[(df/du)^2].
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float

from ..common.seeding import stream
from ..domains import Circle, Hypersphere, target_from
from ..domains.kernel_on_domain import KernelOnDomain
from ..measurements.learned import learned_functions
from ..measurements.task import Points
from ..tables.means import curve, mean_row, table
from ..theory.eigenlearning import Eigenlearning
from ..theory.prediction import predict
from ..theory.statistics import mean_squared_gradient
from .entries import Entry, Files, of_kind

Functions = Float[np.ndarray, "seeds points"]
Measure = Callable[[Functions], Float[np.ndarray, " seeds"]]  # E|grad f|^2 from the values of functions
STEP = 1e-2  # radians; float32 networks leave 1e-5 of rounding in the quotient


def run(
    domain: Entry,
    architecture: Entry,
    width: int,
    target: Entry,
    train_sizes: Sequence[int],
    kernel_seeds: int = 100,
    network_seeds: int = 20,
    points: int = 1000,
    files: Files | None = None,
) -> pd.DataFrame:
    """Measure E|grad fhat|^2 of kernel regression and networks, and compare to the theory.

    Returns
    -------
    DataFrame
        Rows "gradient" against train_size.
    """
    learner = KernelOnDomain.of(domain, architecture, files=files)
    spectrum, kernel, function = learner.spectrum, learner.blocks, target_from(learner.domain, target)
    test: Points | None = None
    measure: Measure = _on_circle
    laplacian = spectrum.modes**2
    if not isinstance(learner.domain, Circle):
        sphere = of_kind(learner.domain, Hypersphere)
        laplacian = spectrum.modes * (spectrum.modes + sphere.dim - 2) / sphere.radius**2
        test, measure = _tangents(sphere, points)
    grid = np.geomspace(min(train_sizes) / 2, max(train_sizes), 100)
    predicted = mean_squared_gradient(predict(spectrum, function, grid, theory=Eigenlearning()), laplacian)
    rows = curve("gradient", grid, predicted, "train_size", target=function.name)
    for n in train_sizes:
        expected = mean_squared_gradient(predict(spectrum, function, n, theory=Eigenlearning()), laplacian)
        for source, size, seeds in (("kernel", None, kernel_seeds), ("network", width, network_seeds)):
            gradients = measure(learned_functions(learner.domain, kernel, function, n, seeds, size, test))
            rows.append(mean_row(source, "gradient", gradients, expected, target=function.name, train_size=n))
    return table(rows)


def _on_circle(functions: Functions) -> Float[np.ndarray, " seeds"]:
    """sum k^2 (power of frequency k) from values on equally spaced points, (seeds, points) -> (seeds,)."""
    size = functions.shape[1]
    k = np.fft.rfftfreq(size, 1 / size)
    weight = np.where((k == 0) | (2 * k == size), 1.0, 2.0)
    return (np.abs(np.fft.rfft(functions) / size) ** 2 * weight * k**2).sum(1)


def _tangents(sphere: Hypersphere, points: int) -> tuple[Points, Measure]:
    """Pairs of points a small angle apart, and the function that turns values on them into E|grad f|^2."""
    rng = stream("tangents", domain=sphere.identity, points=points)
    x = sphere.evaluation()[0][:points]
    direction = rng.standard_normal(x.shape)
    direction -= (direction * x).sum(1, keepdims=True) * x / sphere.radius**2
    direction *= sphere.radius / np.linalg.norm(direction, axis=1, keepdims=True)
    ends = [np.cos(STEP / 2) * x + sign * np.sin(STEP / 2) * direction for sign in (1, -1)]

    def measure(functions: Functions) -> Float[np.ndarray, " seeds"]:
        ahead, behind = functions[:, : len(x)], functions[:, len(x) :]
        slopes = (ahead - behind) / (STEP * sphere.radius)
        return (sphere.dim - 1) * (slopes**2).mean(1)

    return (np.concatenate(ends), None), measure
