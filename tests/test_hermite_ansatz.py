"""The Hermite ansatz against what is known in closed form: the Gaussian kernel on Gaussian data, and kernels on the sphere."""

from math import factorial

import numpy as np
import pytest

import learnability as lb
from learnability.domains.synthetic import power_law_covariance
from learnability.spectra.hermite_mixing import mixed_modes
from learnability.spectra.hermite_projection import project
from learnability.spectra.level_coefficients import level_coefficients
from learnability.spectra.multi_index import hermite_products, hermite_table, largest_products

LENGTH, DIM = 2.0, 30
COVARIANCE = power_law_covariance(DIM, 1.0)
SIGMA = LENGTH * np.sqrt(DIM)


def published_spectrum(covariance, sigma, number):
    """Rasmussen & Williams (2006), eqs. 4.39-4.40: in one dimension lambda_k = sqrt(2a/A) B^k; products in several."""
    a, b = 1 / (4 * covariance), 1 / (2 * sigma**2)
    A = a + b + np.sqrt(a**2 + 2 * a * b)
    return largest_products(b / A, np.full(15, np.sqrt(2 * a / A).prod()), number)


def published_overlaps(covariance, sigma, highest=15):
    """<h_k, phi_m> of eigenfunctions phi_m in one dimension (eq. 4.41), (dim, highest + 1, highest + 1), by quadrature."""
    z, weights = np.polynomial.hermite_e.hermegauss(100)
    found = []
    for a, x in zip(1 / (4 * covariance), z * np.sqrt(covariance)[:, None], strict=True):
        c = np.sqrt(a**2 + a / sigma**2)
        phi = hermite_table(np.sqrt(4 * c) * x, highest) * np.exp(-(c - a) * x**2) * (c / a) ** 0.25
        found.append((hermite_table(z, highest) * weights / weights.sum()) @ phi.T)
    return np.array(found)


def test_leading_modes_are_those_of_the_published_spectrum():
    expected, _ = published_spectrum(COVARIANCE, SIGMA, 200)
    spectrum, target = lb.hermite_ansatz(lb.Gaussian(LENGTH), COVARIANCE, mixed=500)
    assert target is None
    assert np.allclose(spectrum.eigenvalues[:30], expected[:30], rtol=3e-3)
    assert np.allclose(spectrum.eigenvalues[:200], expected, rtol=0.04)
    published = lb.hermite_ansatz(lb.Gaussian(LENGTH), COVARIANCE, mixed=0)[0].eigenvalues
    assert np.abs(published[1] / expected[1] - 1) > 0.05  # what mixing mends


def test_learning_curves_are_those_of_the_published_spectrum():
    """Within five percent of the exact theory, for a power-law target given by its coefficients."""
    terms = lb.GaussianSamples(DIM, 1.0).power_law_terms(1.5, 30)
    eigenvalues, indices = published_spectrum(COVARIANCE, SIGMA, 2000)
    ratios = published_overlaps(COVARIANCE, SIGMA)
    vacuum = ratios[:, 0, 0].copy()
    ratios /= vacuum[:, None, None]
    coefficients = np.zeros(len(indices))
    for index, v in terms.items():
        for mode, other in enumerate(indices):
            factors = [ratios[i, index.count(i), other.count(i)] for i in {*index, *other}]
            coefficients[mode] += v * vacuum.prod() * np.prod(factors)
    power = coefficients**2
    exact = lb.Spectrum(np.append(eigenvalues, 0.0), tail=1 - eigenvalues.sum())
    ansatz = lb.hermite_ansatz(lb.Gaussian(LENGTH), COVARIANCE, terms)
    n = [8, 16, 32, 64, 128]
    expected = lb.predict(exact, lb.Target(np.append(power, 1 - power.sum())), n, ridge=1e-3).test_mse
    assert np.allclose(lb.predict(*ansatz, n, ridge=1e-3).test_mse, expected, rtol=0.05)
    published = lb.predict(*lb.hermite_ansatz(lb.Gaussian(LENGTH), COVARIANCE, terms, mixed=0), n, ridge=1e-3).test_mse
    assert (published < 0.9 * expected).any()


@pytest.mark.parametrize("architecture", [lb.Gaussian(1.0), lb.Laplace(1.0), lb.FullyConnected(2, "relu", 1.4, 0.1)])
def test_eigenvalues_and_tail_are_the_trace(architecture):
    spectrum, _ = lb.hermite_ansatz(architecture, COVARIANCE, modes=2000, mixed=300)
    point = np.zeros((1, DIM))
    point[0, 0] = np.sqrt(DIM)
    assert spectrum.trace == pytest.approx(architecture.kernel(point)[0, 0], rel=1e-10)


def test_level_coefficients_of_the_gaussian_kernel_are_its_taylor_series():
    levels, diagonal = level_coefficients(lb.Gaussian(LENGTH).kernel, DIM, np.sqrt(DIM))
    expected = np.exp(-1 / LENGTH**2) * SIGMA ** (-2.0 * np.arange(7))
    assert np.allclose(levels[:7], expected, rtol=1e-3) and np.allclose(levels[:4], expected[:4], rtol=1e-8)
    assert diagonal == 1.0


@pytest.mark.parametrize(("kind", "series"), [("nngp", [1, np.pi / 2, 1 / 2, 0]), ("ntk", [1, np.pi, 3 / 2, 0])])
def test_level_coefficients_of_a_shallow_relu_network_are_its_taylor_series(kind, series):
    """pi K = sqrt(1 - t^2) + t (pi - arccos t), for the NTK plus t (pi - arccos t): no bias, |x|^2 = dim = 2."""
    kernel = lb.FullyConnected(1, "relu", np.sqrt(2), 0.0)
    levels, _ = level_coefficients(lambda x, y: kernel.kernel(x, y, kind), 2, np.sqrt(2))
    assert np.allclose(
        levels[:4], np.array(series) / np.pi * [1, 1 / 2, 1 / 2, 0], rtol=1e-9, atol=0
    )  # level 3 is none, not rounding


def test_isotropic_data_of_high_dimension_have_the_levels_of_the_sphere():
    dim = 200
    spectrum, _ = lb.hermite_ansatz(lb.Laplace(1.0), np.ones(dim), modes=2 * dim, mixed=0)
    sphere = lb.Hypersphere(dim, max_degree=20).spectrum(lb.Laplace(1.0))
    assert spectrum.eigenvalues[0] == pytest.approx(sphere.eigenvalues[0], rel=0.02)
    assert spectrum.eigenvalues[1] == pytest.approx(sphere.eigenvalues[1], rel=0.02)


def test_mixing_diagonalises_the_kernel():
    """Matrix elements of a homogeneous-decay kernel by Gauss-Hermite quadrature in two dimensions."""
    covariance, sigma = np.array([0.5, 0.3]), 1.0
    values, indices = largest_products(covariance, np.exp(-covariance.sum()) * np.ones(11), 66)
    found, vectors = mixed_modes(values, indices, 66, np.ones(11), covariance, np.sqrt(covariance.sum()))
    nodes, weights = np.polynomial.hermite_e.hermegauss(30)
    z = np.stack(np.meshgrid(nodes, nodes, indexing="ij"), -1).reshape(-1, 2)
    w = np.outer(weights, weights).ravel() / weights.sum() ** 2
    x = z * np.sqrt(covariance)
    kernel = np.exp(-((x[:, None] - x[None]) ** 2).sum(-1) / (2 * sigma**2))
    basis = hermite_products(z, indices) * w[:, None]
    matrix = basis.T @ kernel @ basis
    assert np.allclose((vectors * found) @ vectors.T, matrix, atol=2e-3)
    assert np.allclose(found[:10], np.linalg.eigvalsh(matrix)[::-1][:10], rtol=2e-3)


def test_coefficients_are_found_from_labels_and_their_power_is_not_overestimated():
    rng = np.random.default_rng(0)
    z = rng.standard_normal((2000, 6))
    indices = largest_products(np.full(6, 0.3), np.ones(5), 210)[1]
    truth = np.zeros(len(indices))
    truth[:4] = [0.5, -0.6, 0.4, 0.3]
    noise = rng.standard_normal(2000) * 0.5
    y = hermite_products(z, indices) @ truth + noise
    coefficients, total = project(z, y[:, None], indices)
    assert np.allclose(coefficients[:4, 0], truth[:4], atol=0.05)
    assert total[0] == pytest.approx((y**2).mean())
    assert (coefficients[4:] ** 2).sum() < 0.3 * 0.25 * 206 / 2000  # three tenths of what projections of the noise have


def test_labels_and_covariance_predict_kernel_regression():
    """From the statistics of 2000 samples to regression on others: within a tenth and four standard errors."""
    place, kernel = lb.GaussianSamples(DIM, 1.0, samples=5000), lb.Gaussian(LENGTH)
    f = place.power_law(1.5, 50).values
    ansatz = lb.hermite_ansatz(kernel, place.points[:2000], f[:2000], modes=3000, mixed=300)
    for n in (16, 64):
        errors = []
        for start in range(2000, 4700, 100):
            x, y = place.points[start : start + n], f[start : start + n]
            test = slice(start + n, start + n + 200)
            learned = lb.kernel_regression(kernel, x, y, place.points[test], ridge=1e-3)
            errors.append(((learned - f[test]) ** 2).mean())
        expected = float(lb.predict(*ansatz, n, ridge=1e-3).test_mse)
        assert abs(np.mean(errors) - expected) < 0.1 * expected + 4 * np.std(errors) / np.sqrt(len(errors))


def test_several_outputs_are_those_of_single_ones():
    place = lb.MixtureSamples(dim=8, classes=3, samples=400)
    kernel = lb.Gaussian(1.5)
    spectrum, together = lb.hermite_ansatz(kernel, place.points, place.labels, modes=300, mixed=50)
    _, single = lb.hermite_ansatz(kernel, place.points, place.labels[:, 1], modes=300, mixed=50)
    assert together.power.shape == (len(spectrum), 3) and np.allclose(together.power[:, 1], single.power)
    assert np.allclose(together.power.sum(0), (place.labels**2).mean(0), rtol=0.01)


def test_directions_without_variance_are_left_out():
    place = lb.GaussianSamples(5, 0.5, samples=200)
    flat = np.column_stack([place.points, np.zeros((200, 2))])
    expected = lb.hermite_ansatz(lb.Gaussian(1.0), place.points, place.points[:, 4], modes=100, mixed=20)
    kernel = lb.Gaussian(np.sqrt(5 / 7))  # lengths are in units of sqrt(dim)
    found = lb.hermite_ansatz(kernel, flat, place.points[:, 4], modes=100, mixed=20)
    assert np.allclose(found[0].eigenvalues, expected[0].eigenvalues)
    assert np.allclose(found[1].power, expected[1].power)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"x": np.ones((0, 2))}, r"x must be \(samples, dim\), or \(dim,\) eigenvalues"),
        ({"x": np.array([1.0, -1.0])}, "eigenvalues of a covariance must be >= 0"),
        ({"x": np.array([[1.0, np.nan]])}, "x holds values that are not finite"),
        ({"x": np.ones(3), "y": np.ones(3)}, "labels need the points they belong to"),
        ({"x": np.eye(3), "y": np.ones(4)}, "x has 3 rows, y 4"),
        ({"x": np.eye(3), "modes": 0}, "modes must be a whole number >= 1, got 0"),
        ({"x": np.zeros((3, 2))}, "all points are the origin"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        lb.hermite_ansatz(lb.Gaussian(), **arguments)


def test_multi_indices_count_their_factorials():
    """sum over alpha of level l of gamma^alpha / alpha! is (sum gamma)^l / l!."""
    covariance = np.array([0.7, 0.2, 0.1])
    for level in range(5):
        weights = np.zeros(level + 1)
        weights[level] = 1.0
        values, indices = largest_products(covariance, weights, 1000)
        shares = [v / np.prod([factorial(i.count(c)) for c in set(i)]) for v, i in zip(values, indices, strict=True)]
        assert sum(shares) == pytest.approx(1 / factorial(level))


def test_points_that_are_not_centred_are_refused():
    """Their mean would count as covariance; the mean of a sample of centred points is no mean."""
    x = np.random.default_rng(0).standard_normal((200, 4))
    network = lb.FullyConnected(1, bias_std=0.3)
    with pytest.raises(ValueError, match=r"x is not centred.*x - x\.mean\(0\)"):
        lb.hermite_ansatz(network, x + 5, x[:, 0], modes=50, mixed=0)
    for few in (x[:20], x - x.mean(0)):
        lb.hermite_ansatz(network, few, few[:, 0], modes=50, mixed=0)
