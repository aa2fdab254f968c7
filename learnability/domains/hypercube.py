r"""The boolean hypercube {-1, +1}^dim. Eigenfunctions of any kernel of x.x' are the parities chi_S = prod_{i in S} x_i.

All parities of degree k share the eigenvalue (Simon et al. 2021, app. B; Yang & Salman 2019, arXiv 1907.10599)

    lambda_k = 2^-dim sum_j C(dim, j) K(1 - 2j/dim) kappa_k(j),

kappa_k(j) the Krawtchouk polynomial divided by C(dim, k), so |kappa_k(j)| <= 1. The polynomials are computed in exact
integer arithmetic, because their recurrence overflows and cancels in dimension 100.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from math import comb, fsum
from os import PathLike
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from ..common.errors import require, whole
from ..common.seeding import stream
from ..kernels.matrix import Indexed
from ..spectra.spectrum import Spectrum
from ..spectra.target import Target
from .domain import ROUNDING, SymmetricFiniteDomain

LARGEST_DIM = 1000  # C(1000, 500) is 3e299: multiplicities still fit a float64
LARGEST_LISTED = 20  # 2^20 points are the most that are ever listed


class Hypercube(SymmetricFiniteDomain):
    """The hypercube {-1, +1}^dim; point number i has x_j = -1 where bit j of i is set.

    Up to dimension 20 all points are listed. Beyond, training sets are drawn with replacement (two equal points in n draws have
    probability below n^2 / 2^(dim + 1)), learned functions are measured on random points, and `size` is None: training sets do
    not feel that the points are finitely many.

    Parameters
    ----------
    dim : int
    test_points : int
        Points on which learned functions are measured beyond dimension 20.

    Raises
    ------
    ValueError
        dim is not a positive integer; or a listing of points is asked for beyond dimension 20.

    Examples
    --------
    >>> import learnability as lb
    >>> cube = lb.Hypercube(dim=8)
    >>> spectrum = cube.spectrum(lb.FullyConnected(depth=4, weight_std=1.4, bias_std=0.1))
    >>> lb.predict(spectrum, cube.parity(2), train_size=[32, 128]).learnability.round(2).tolist()
    [0.3, 0.8]
    >>> cube.parity(2).name, cube.majority(3)(cube.points[:4]).tolist()
    ('parity 2', [1.0, 1.0, 1.0, -1.0])
    """

    kind = "hypercube"
    targets = ("parity", "monomial", "majority", "conjunction", "truth_table")

    def __init__(self, dim: int, test_points: int = 10_000) -> None:
        self.dim, self.test_points = whole("dim", dim, 1, LARGEST_DIM), whole("test_points", test_points, 1)
        self.listed = self.dim <= LARGEST_LISTED
        self.size = 1 << self.dim if self.listed else None  # type: ignore[assignment]  # listed domains have one
        self.identity = {"kind": self.kind, "dim": self.dim}
        if not self.listed:
            self.identity["test_points"] = self.test_points

    @property
    def sampling_identity(self) -> dict[str, Any]:
        return {"kind": self.kind, "dim": self.dim}

    @cached_property
    def points(self) -> Float[np.ndarray, "size dim"]:
        require(self.listed, f"the points of a hypercube are listed up to dim {LARGEST_LISTED} only")
        bits = np.arange(self.size)[:, None] >> np.arange(self.dim) & 1
        return 1.0 - 2.0 * bits

    def sample(self, train_size: int, seed: int) -> Indexed:
        if self.listed:
            return super().sample(train_size, seed)
        train_size = whole("train_size", train_size)
        return self._drawn(train_size, train_size=train_size, seed=whole("seed", seed)), None

    def evaluation(self) -> Indexed:
        return super().evaluation() if self.listed else (self._test_set, None)

    @cached_property
    def _test_set(self) -> Float[np.ndarray, "points dim"]:
        return self._drawn(self.test_points, test_points=self.test_points)

    def _drawn(self, number: int, **identity: int) -> Float[np.ndarray, "points dim"]:
        rng = stream("points on the hypercube", domain=self.sampling_identity, **identity)
        return 1.0 - 2.0 * rng.integers(0, 2, (number, self.dim))

    def index_of(self, x: Float[np.ndarray, "points dim"]) -> Int[np.ndarray, " points"]:
        return (np.asarray(x) < 0) @ (1 << np.arange(self.dim))

    # --- spectrum -------------------------------------------------------------------------------------------

    def profile_points(self) -> Float[np.ndarray, "points dim"]:
        """Points at Hamming distance 0, 1, ..., dim from the first: (dim + 1, dim)."""
        return np.where(np.arange(self.dim)[None, :] < np.arange(self.dim + 1)[:, None], -1.0, 1.0)

    def moved(self, x: Float[np.ndarray, "points dim"], rng: np.random.Generator) -> Float[np.ndarray, "points dim"]:
        return x[:, rng.permutation(self.dim)] * (1.0 - 2.0 * rng.integers(0, 2, self.dim))

    def spectrum_of_profile(self, profile: Float[np.ndarray, " points"]) -> Spectrum:
        table = krawtchouk(self.dim)
        counts = [comb(self.dim, k) for k in range(self.dim + 1)]
        weights = [count / (1 << self.dim) for count in counts]
        terms = [
            [w * kernel * (value / count) for w, kernel, value in zip(weights, profile, row, strict=True)]
            for row, count in zip(table, counts, strict=True)
        ]
        eigenvalues = np.array([fsum(row) for row in terms])
        noise = ROUNDING * np.array([fsum(map(abs, row)) for row in terms])
        return Spectrum.resolved(eigenvalues, np.array(counts, dtype=float), float(profile[0]), noise)

    def zonal_functions(
        self,
    ) -> tuple[
        Int[np.ndarray, " levels"],
        Float[np.ndarray, " levels"],
        Float[np.ndarray, "levels points"],
        Float[np.ndarray, " points"],
    ]:
        counts = [comb(self.dim, k) for k in range(self.dim + 1)]
        zonal = [[value / count for value in row] for row, count in zip(krawtchouk(self.dim), counts, strict=True)]
        weights = np.array([count / (1 << self.dim) for count in counts])
        return np.arange(self.dim + 1), np.array(counts, dtype=float), np.array(zonal), weights

    # --- eigenfunctions and targets ---------------------------------------------------------------------------

    def eigenfunctions(self) -> tuple[Int[np.ndarray, " size"], Float[np.ndarray, "size size"]]:
        subsets = np.arange(self.size)
        signs = np.bitwise_count(subsets[:, None] & subsets[None, :]) & 1
        return np.bitwise_count(subsets).astype(int), 1.0 - 2.0 * signs

    def power(
        self, values: Float[np.ndarray, "size ..."]
    ) -> tuple[Int[np.ndarray, " levels"], Float[np.ndarray, "levels ..."]]:
        coefficients = walsh_hadamard(values)
        degree = np.bitwise_count(np.arange(self.size))
        power = np.zeros((self.dim + 1, *values.shape[1:]))
        np.add.at(power, degree, coefficients**2)
        return np.arange(self.dim + 1), power

    def monomial(self, bits: int | Sequence[int]) -> Target:
        """The parity of the listed coordinates, an eigenfunction of level len(bits); no points are listed."""
        several = isinstance(bits, list | tuple | range | np.ndarray)
        listed = [whole("a bit of a monomial", bit, 0, self.dim - 1) for bit in (bits if several else (bits,))]  # type: ignore[union-attr]
        distinct = len(set(listed)) == len(listed)
        require(distinct, f"monomial needs distinct coordinates between 0 and {self.dim - 1}, got {listed}")
        name = f"monomial {listed if several else listed[0]}"
        return Target(
            np.ones(1), np.array([len(listed)]), lambda x, index: np.prod(x[:, listed], axis=1), name, domain=str(self)
        )

    def parity(self, degree: int) -> Target:
        """The parity of the first `degree` bits; degree 0 is the constant 1."""
        degree = whole("the number of bits of a parity", degree, 0, self.dim)
        target = self.monomial(list(range(degree)))
        return replace(target, name=f"parity {degree}")

    def majority(self, bits: int) -> Target:
        """The sign of the sum of the first `bits` coordinates; `bits` is odd."""
        bits = whole("the number of bits of a majority", bits, 1, self.dim)
        require(bits % 2 == 1, f"majority needs an odd number of bits, got {bits}")
        return self.target(np.sign(self.points[:, :bits].sum(1)), f"majority {bits}")

    def conjunction(self, bits: int) -> Target:
        """Logical AND of the first `bits` coordinates: +1 where all of them are +1, else -1."""
        bits = whole("the number of bits of a conjunction", bits, 1, self.dim)
        return self.target(np.where((self.points[:, :bits] > 0).all(1), 1.0, -1.0), f"conjunction {bits}")

    def truth_table(self, path: str | PathLike) -> Target:
        """A function from a text file of 2^dim numbers, one per point in the order of `points`."""
        try:
            values = np.loadtxt(path, ndmin=1)
        except (OSError, ValueError) as error:
            raise ValueError(f"truth_table: cannot read {path}: {error}") from error
        require(values.shape == (self.size,), f"truth_table: {path} has {values.size} values, needs {self.size}")
        return self.target(values, f"truth_table {path}")


def krawtchouk(dim: int) -> list[list[int]]:
    """Exact integers K_k(j) for k, j = 0..dim: the sum of all parities of degree k at Hamming weight j."""
    rows = [[1] * (dim + 1), [dim - 2 * j for j in range(dim + 1)]]
    for k in range(1, dim):
        rows.append(
            [
                ((dim - 2 * j) * now - (dim - k + 1) * before) // (k + 1)
                for j, (now, before) in enumerate(zip(rows[k], rows[k - 1], strict=True))
            ]
        )
    return rows


def walsh_hadamard(values: Float[np.ndarray, "size ..."]) -> Float[np.ndarray, "size ..."]:
    """Coefficients E[f chi_S] of f (2^dim, outputs...), S as a bit mask, by the fast transform."""
    coefficients = np.array(values, dtype=np.float64)
    half = 1
    while half < len(coefficients):
        pairs = coefficients.reshape(-1, 2, half, *coefficients.shape[1:])
        coefficients = np.stack([pairs[:, 0] + pairs[:, 1], pairs[:, 0] - pairs[:, 1]], 1)
        coefficients = coefficients.reshape(np.shape(values))
        half *= 2
    return coefficients / len(coefficients)
