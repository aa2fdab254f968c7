"""Spectral measures: a spectrum of any length as a few hundred nodes and weights."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
from jaxtyping import Float

from .spectrum import Spectrum

MOST_MODES = 2048  # spectra with more levels are summed by quadrature
NODES = 16  # per unit of log(lambda): the error is (2 pi / 0.5)^-16 = 3e-18


@dataclass(frozen=True)
class SpectralMeasure:
    """A spectral measure sum_i w_i delta(lambda - lambda_i), for sums of f(lambda / kappa).

    Sums of functions of L = lambda/(lambda + kappa) are analytic in log(lambda) up to distance pi from the real axis.
    Many levels are therefore replaced, in each unit interval of log(lambda), by Chebyshev nodes whose weights
    integrate polynomials of degree 15 exactly (anterpolation): 500,000 power-law modes become a few hundred nodes
    at rounding error.
    """

    nodes: Float[np.ndarray, " nodes"]  # (nodes,) positive eigenvalues
    weights: Float[np.ndarray, "nodes columns"]  # (nodes, columns)

    @classmethod
    def of(cls, eigenvalues: Float[np.ndarray, " levels"], weights: Float[np.ndarray, "levels columns"]) -> Self:
        """eigenvalues (levels,) > 0; weights (levels, columns)."""
        return cls(eigenvalues, weights) if len(eigenvalues) <= MOST_MODES else cls.compressed(eigenvalues, weights)

    @classmethod
    def compressed(
        cls,
        eigenvalues: Float[np.ndarray, " levels"],
        weights: Float[np.ndarray, "levels columns"],
        per_unit: int = NODES,
    ) -> Self:
        """The same sums from so many nodes in each unit interval of log(lambda) that holds a level, in ascending intervals."""
        position = np.log(eigenvalues)
        cell = np.floor(position).astype(int)
        angles = (np.arange(per_unit) + 0.5) * np.pi / per_unit
        local = np.cos(angles) / 2 + 0.5
        barycentric = np.sin(angles) * (-1.0) ** np.arange(per_unit)
        nodes, compressed = [], []
        for number in np.unique(cell):
            inside = cell == number
            difference = (position[inside] - number)[:, None] - local
            on_node = difference == 0
            basis = barycentric / np.where(on_node, 1.0, difference)
            basis /= basis.sum(1, keepdims=True)
            basis = np.where(on_node.any(1, keepdims=True), on_node, basis)
            nodes.append(np.exp(number + local))
            compressed.append(basis.T @ weights[inside])
        return cls(np.concatenate(nodes), np.concatenate(compressed))

    @classmethod
    def of_spectrum(
        cls, spectrum: Spectrum, power: Float[np.ndarray, "levels outputs"] | None = None
    ) -> tuple[Self, float]:
        """The measure of a spectrum's positive eigenvalues, in units of the largest so that no scale can overflow.

        power : (levels, outputs), optional

        Returns
        -------
        SpectralMeasure with the multiplicities as its first column and the power as the others, and the unit
        """
        positive = spectrum.eigenvalues > 0
        unit = spectrum.eigenvalues.max(initial=0.0) or 1.0
        columns = [spectrum.multiplicities] if power is None else [spectrum.multiplicities, power]
        return cls.of(spectrum.eigenvalues[positive] / unit, np.column_stack(columns)[positive]), unit

    def sums(
        self, kappa: Float[np.ndarray, " kappas"], *functions: Callable
    ) -> list[Float[np.ndarray, "kappas columns"]]:
        """For each function of (L, 1 - L): the weighted sum at every kappa, shape (kappas, columns)."""
        totals = [np.empty((len(kappa), self.weights.shape[1])) for _ in functions]
        chunk = max(1, (1 << 22) // max(1, len(self.nodes)))
        for start in range(0, len(kappa), chunk):
            rows = slice(start, start + chunk)
            with np.errstate(over="ignore"):
                ratio = kappa[rows, None] / self.nodes
                learned = 1 / (1 + ratio)
                missed = 1 / (1 + 1 / np.where(ratio > 0, ratio, 1.0)) * (ratio > 0)
            for total, function in zip(totals, functions, strict=True):
                total[rows] = function(learned, missed) @ self.weights
        return totals
