"""Spectra of many points without their matrix, against the dense eigensystem."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import learnability as lb
from learnability.kernels import tiles
from learnability.kernels.tiles import KernelTiles
from learnability.spectra.quadrature import lanczos_quadrature
from learnability.theory.replicates import standard_errors

RNG = np.random.default_rng(0)
X = RNG.standard_normal((1500, 12)) * np.arange(1, 13) ** -0.4
Y = np.column_stack([X[:, 0] + X[:, 1] * X[:, 2], np.sign(X[:, 3])])
RELU = lb.FullyConnected(3, "relu", 1.4, 0.1)
SIZES = np.array([5, 20, 100, 400, 750, 1100])


@pytest.fixture(scope="module")
def dense():
    data = lb.Samples(X, Y)
    return data.spectrum(RELU), data.all()


@pytest.fixture(scope="module")
def large():
    return lb.large_spectrum(RELU, X, Y)


@pytest.mark.parametrize("storage", ["memory", "file", "none", "part"])
def test_products_are_those_of_the_matrix_however_tiles_are_kept(storage, monkeypatch, tmp_path):
    monkeypatch.setattr(tiles, "SIDE", 64)
    memory = {"memory": 1 << 24, "part": 5 * 4 * 64**2}.get(storage, 0)
    kernel = KernelTiles(
        RELU, X[:300], memory=memory, scratch=tmp_path / "t.h5" if storage in ("file", "part") else None
    )
    vectors = torch.from_numpy(RNG.standard_normal((300, 3)))
    matrix = RELU.kernel(X[:300])
    for _ in range(2):  # the second product reads what the first has kept
        np.testing.assert_allclose(
            kernel.product(vectors), matrix @ vectors.numpy(), atol=1e-5 * np.abs(matrix).sum(1).max()
        )
    assert kernel.trace == pytest.approx(np.trace(matrix), rel=1e-12)
    assert RELU.diagonal(X[:300]).sum() == pytest.approx(np.trace(matrix), rel=1e-12)
    assert len(kernel.held) == {"memory": 15, "part": 5}.get(storage, 0)


def test_storage_does_not_change_a_bit(monkeypatch, tmp_path):
    monkeypatch.setattr(tiles, "SIDE", 64)
    options = {"probes": 4, "steps": 5}
    kept = lb.large_spectrum(RELU, X[:300], Y[:300], **options)
    for other in ({"memory": 0}, {"memory": 0, "scratch": tmp_path / "t.h5"}):
        again = lb.large_spectrum(RELU, X[:300], Y[:300], **options, **other)
        np.testing.assert_array_equal(kept.spectrum.eigenvalues, again.spectrum.eigenvalues)
        np.testing.assert_array_equal(kept.target.power, again.target.power)


def test_number_trace_and_moments_of_the_target(large, dense):
    spectrum, matrix = large.spectrum, RELU.kernel(X) / len(X)
    assert spectrum.multiplicities.sum() == pytest.approx(len(X), rel=1e-12)
    assert spectrum.trace == pytest.approx(np.trace(matrix), rel=1e-9)
    moment = Y.copy()
    for order in range(6):
        expected = (Y * moment).mean(0)
        np.testing.assert_allclose(
            spectrum.eigenvalues**order @ large.target.power, expected, rtol=1e-4, err_msg=str(order)
        )
        moment = matrix @ moment
    exact = slice(0, large.exact)
    np.testing.assert_allclose(spectrum.eigenvalues[exact], dense[0].eigenvalues[exact], rtol=1e-3)
    assert large.exact > 50


@pytest.mark.parametrize("ridge", [0.0, 0.3])
def test_predictions_are_those_of_the_dense_eigensystem(large, dense, ridge):
    p = lb.predict(*dense, SIZES, ridge, 0.2, population=len(X))
    q = lb.predict(large.spectrum, large.target, SIZES, ridge, 0.2, population=large.size)
    np.testing.assert_allclose(q.kappa, p.kappa, rtol=0.01)
    for measure in ("test_mse", "test_mse_off_train", "learnability"):
        np.testing.assert_allclose(getattr(q, measure), getattr(p, measure), rtol=0.01)
    error = standard_errors(large, "kappa", SIZES, ridge, 0.2, population=large.size)
    assert (np.abs(q.kappa - p.kappa) < 5 * error + 1e-3 * p.kappa).all()
    assert (error < 0.01 * p.kappa).all()


def test_standard_errors_are_the_scatter_over_seeds():
    options = {"probes": 4, "steps": 12}
    runs = [lb.large_spectrum(RELU, X[:600], Y[:600, 0], seed=seed, **options) for seed in range(30)]
    kappas = [lb.predict(one.spectrum, one.target, 200, population=600).kappa for one in runs]
    told = [standard_errors(one, "kappa", 200, population=600) for one in runs]
    assert np.mean(told) == pytest.approx(np.std(kappas, ddof=1), rel=0.5)  # of 30 runs and 4 probes


def test_a_kernel_of_low_rank_is_found_whole():
    large = lb.large_spectrum(lb.FullyConnected(0), X, Y[:, 0])
    positive = large.spectrum.multiplicities[large.spectrum.eigenvalues > 0]
    assert positive.sum() == pytest.approx(12, abs=1e-6)
    np.testing.assert_allclose(
        large.spectrum.eigenvalues[:12], np.linalg.eigvalsh(X.T @ X / 12 / len(X))[::-1], rtol=1e-5
    )


def test_eigenvalues_that_occur_more_often_than_the_block_has_columns():
    cube = lb.Hypercube(dim=10)
    target = cube.parity(2)
    large = lb.large_spectrum(RELU, cube.points, target(cube.points), probes=16)
    exact = cube.spectrum(RELU)
    for measure in ("kappa", "test_mse"):
        p = getattr(lb.predict(exact, target, [5, 50, 300, 900], population=1024), measure)
        q = getattr(lb.predict(large.spectrum, large.target, [5, 50, 300, 900], population=1024), measure)
        np.testing.assert_allclose(q, p, rtol=0.03)  # 16 probes: the levels of 45, 120, ... parities are all estimated


def test_nystroem_on_all_points_is_the_dense_eigensystem():
    data = lb.Samples(X[:200], Y[:200])
    p = lb.predict(data.spectrum(RELU), data.all(), [10, 50, 150], 0.1, population=200)
    large = lb.large_spectrum(RELU, X[:200], Y[:200], method="nystrom", landmarks=200)
    q = lb.predict(large.spectrum, large.target, [10, 50, 150], 0.1, population=200)
    np.testing.assert_allclose(q.test_mse, p.test_mse, rtol=1e-6)


def test_nystroem_and_subsample_know_the_trace_and_miss_part_of_the_spectrum(dense):
    large = lb.large_spectrum(RELU, X, Y, method="nystrom", landmarks=100)
    assert large.spectrum.trace == pytest.approx(dense[0].trace, rel=1e-9)
    assert (large.spectrum.eigenvalues <= dense[0].eigenvalues[:100] * (1 + 1e-9)).all()
    np.testing.assert_allclose(large.target.power.sum(0), (Y**2).mean(0), rtol=1e-9)
    part = lb.large_spectrum(RELU, X, Y, method="subsample", landmarks=100)
    assert (part.spectrum.multiplicities.sum(), part.size) == (100, len(X))
    with pytest.raises(ValueError, match="no replicates"):
        standard_errors(part, "kappa", 10)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"method": "lanczos"}, "unknown method 'lanczos'; allowed: quadrature, nystrom, subsample"),
        ({"y": Y[:10]}, "x has 1500 rows, y 10"),
        ({"y": np.where(Y > 0, np.nan, Y)}, "not finite"),
        ({"probes": 1}, "probes must be a whole number >= 2"),
        ({"method": "nystrom", "landmarks": 1501}, "landmarks must be a whole number from 2 to 1500"),
        ({"method": "nystrom", "probes": 4}, "probes: not of method 'nystrom'"),
    ],
)
def test_errors(change, message):
    arguments = {"x": X, "y": Y, "architecture": RELU} | change
    with pytest.raises(ValueError, match=message):
        lb.large_spectrum(**arguments)


MEMORY = """
import resource, sys
import numpy as np, torch
import learnability as lb
from learnability.kernels.tiles import KernelTiles
from learnability.spectra.quadrature import lanczos_quadrature
x = np.random.default_rng(0).standard_normal((6000, 10))
network = lb.FullyConnected(2)
lanczos_quadrature(KernelTiles(network, x[:2200], memory=1 << 24), x[:2200, 0], probes=4, steps=2)
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
before = peak()
lanczos_quadrature(KernelTiles(network, x, memory=32 << 20), x[:, 0], probes=8, steps=4)
print(peak() - before)
"""


ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(lb.__file__).parent.parent), "OMP_NUM_THREADS": "1"}


@pytest.mark.slow
def test_memory_stays_within_the_budget(tmp_path):
    """Of the matrix on 6000 points, 288 MB in double precision, no more is held than 32 MB of tiles and what one tile needs."""
    done = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True, env=ENVIRONMENT)
    assert float(done.stdout) < 32 + 48


def test_a_kernel_of_ones_own_is_an_object_with_products():
    class Diagonal:
        size, trace = 400, float(np.arange(1, 401).sum())

        def product(self, vectors):
            return torch.arange(1, 401, dtype=torch.float64)[:, None] * vectors.double()

    large = lanczos_quadrature(Diagonal(), np.ones(400), probes=20, steps=20)
    np.testing.assert_allclose(large.spectrum.eigenvalues.max(), 1.0, rtol=1e-5)
    assert large.target.power.sum() == pytest.approx(1.0, rel=1e-5)
