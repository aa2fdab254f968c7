"""Spectra of networks on scikit-learn's digits, small enough for a page: eigenvalues and targets as quadratures.

Of each network the page needs sums of f(lambda) over 1797 modes, weighted by 1 and by the squared coefficients of two
targets. Eight Chebyshev nodes in each unit interval of log(lambda) give them to 1e-8 (`SpectralMeasure.compressed`). They
take two seconds a network, so that they are kept in `digits.json`, which `python scripts/tabulate_digits.py` writes.
"""

import base64
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
from jaxtyping import Float

from ..common.threads import one_thread
from ..domains.samples import DataSet
from ..kernels.fully_connected import FullyConnected
from ..spectra.measure import SpectralMeasure

GRID: dict[str, list[Any]] = {
    "depth": [1, 2, 4],
    "activation": ["relu", "erf", "gelu"],
    "weight_std": [1.0, 1.4, 2.0],
    "bias_std": [0.0, 0.1, 0.5],
}
PER_UNIT = 8  # nodes of each unit interval of log(lambda)


def networks() -> Iterator[dict[str, Any]]:
    """The arguments of every `FullyConnected` on the grid.

    Examples
    --------
    >>> next(networks())
    {'depth': 1, 'activation': 'relu', 'weight_std': 1.0, 'bias_std': 0.0}
    """
    return (dict(zip(GRID, values, strict=True)) for values in product(*GRID.values()))


def key(network: dict[str, Any]) -> str:
    """What a network is called in the table: its arguments as JavaScript writes numbers."""
    return " ".join(f"{value:g}" if isinstance(value, float) else str(value) for value in network.values())


def even(digits: DataSet) -> Float[np.ndarray, " samples"]:
    """1 of even digits, -1 of odd ones."""
    return 1.0 - 2.0 * (digits.labels.argmax(1) % 2)


@one_thread
def quadrature(digits: DataSet, network: dict[str, Any]) -> dict[str, Any]:
    """The table's entry of a network.

    Returns
    -------
    dict
        `cells`, the unit intervals of log(lambda), ascending, and `weights`, (cells, nodes, 3) float32 in base64: modes,
        squared coefficients of the digit (mean over ten outputs) and of even or odd.
    """
    spectrum = digits.spectrum(FullyConnected(**network))
    digit, _ = digits.all().power_in(spectrum)
    parity, _ = digits.target(even(digits)).power_in(spectrum)
    columns = np.column_stack([spectrum.multiplicities, digit.mean(1), parity])
    positive = spectrum.eigenvalues > 0
    measure = SpectralMeasure.compressed(spectrum.eigenvalues[positive], columns[positive], PER_UNIT)
    cells = np.unique(np.floor(np.log(spectrum.eigenvalues[positive])).astype(int))
    return {
        "cells": cells.tolist(),
        "weights": base64.b64encode(measure.weights.astype("<f4").tobytes()).decode(),
    }


def local_nodes() -> list[float]:
    """The nodes in the interval from 0 to 1, (nodes,), in the order of the weights."""
    return (np.cos((np.arange(PER_UNIT) + 0.5) * np.pi / PER_UNIT) / 2 + 0.5).tolist()


def table() -> dict[str, Any]:
    """What `digits.json` holds."""
    digits = DataSet(name="digits")
    spectra = {key(network): quadrature(digits, network) for network in networks()}
    return {"samples": digits.size, "local": local_nodes(), **GRID, "spectra": spectra}
