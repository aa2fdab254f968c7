"""The theory for training sets drawn without replacement, against limits, linear algebra and exact regression."""

import numpy as np
import pytest
from scipy import linalg

import learnability as lb
from learnability.theory.statistics import mean_squared_gradient, sign_accuracy

STATISTICS = ("kappa", "overfitting_coefficient", "learnability", "bias", "test_mse", "train_mse", "variance")
SPECTRUM = lb.Spectrum([3.0, 1.0, 0.2, 0.01], [1, 4, 9, 30])
TARGET = lb.Target([0.5, 1.0, 0.25, 0.1])


@pytest.mark.parametrize("tail", [0.0, 0.3])
def test_an_infinite_population_gives_the_equations_of_the_paper(tail):
    spectrum = lb.Spectrum(SPECTRUM.eigenvalues, SPECTRUM.multiplicities, tail)
    grid = (
        np.array([0, 0.5, 3, 20, 44, 60])[:, None, None],
        np.array([0, 1e-3, 0.3, 30])[:, None],
        np.array([0.0, 0.5]),
    )
    paper, finite = (lb.predict(spectrum, TARGET, *grid, population=m) for m in (None, 1e18))
    for name in STATISTICS:
        assert np.allclose(getattr(finite, name), getattr(paper, name), rtol=1e-12, atol=0), name
    assert np.allclose(finite.coefficient_variance, paper.coefficient_variance, rtol=1e-12, atol=0)
    explicit = lb.predict(spectrum, TARGET, *grid, population=np.inf)
    assert all(np.array_equal(getattr(explicit, name), getattr(paper, name)) for name in STATISTICS)


def test_without_ridge_and_noise_the_population_does_not_matter():
    n = np.array([0, 1, 10, 30, 43.5])
    paper, finite = (lb.predict(SPECTRUM, TARGET, n, population=m) for m in (None, 50))
    for name in STATISTICS:
        assert np.allclose(getattr(finite, name), getattr(paper, name), rtol=1e-12, atol=0), name


@pytest.mark.parametrize("ridge", [0.0, 1e-6, 0.3])
def test_conservation_of_learnability(ridge):
    n = np.linspace(0.5, 43.9, 40)
    p = lb.predict(SPECTRUM, TARGET, n, ridge, population=44)
    learned = p.mode_learnabilities @ SPECTRUM.multiplicities
    assert np.allclose(ridge * (1 - learned / 44) - p.kappa * (n - learned), 0, atol=1e-9 * p.kappa * n)


def test_the_whole_population_is_linear_algebra(relu4, cube):
    """n = M: ridge regression on all points, exactly, with noise; off the training set is leaving one out."""
    kernel, f, noise = relu4.kernel(cube.points), cube.parity(2)(cube.points), 0.5
    for ridge in (0.0, 0.5, 20.0):
        p = lb.predict(cube.spectrum(relu4), cube.parity(2), 256, ridge, noise, population=256)
        inverse = np.linalg.inv(kernel + ridge * np.eye(256))
        smoother = kernel @ inverse
        alpha = (inverse @ f) ** 2 + noise**2 * (inverse**2).sum(1)
        assert p.train_mse == pytest.approx(ridge**2 * alpha.mean(), rel=1e-9)
        assert p.test_mse_off_train == pytest.approx((alpha / np.diag(inverse) ** 2).mean(), rel=1e-8)
        error = ((f - smoother @ f) ** 2).mean() + noise**2 * (smoother**2).sum() / 256 + noise**2
        assert p.test_mse == pytest.approx(error, rel=1e-9)
        assert p.learnability == pytest.approx(f @ smoother @ f / 256, rel=1e-9)
    nothing_left = lb.predict(cube.spectrum(relu4), cube.parity(2), 256, population=256)
    assert nothing_left.test_mse == 0 and nothing_left.train_mse == 0 and nothing_left.learnability == 1


def test_low_rank():
    """A rank below n: kappa is 0 without a ridge, and everything is finite but at n = rank."""
    p = lb.predict(lb.Spectrum([2.0, 1.0, 0.0], [1, 5, 10]), lb.Target([1.0, 1.0, 0.5]), [3, 6, 7, 16], population=16)
    assert p.kappa.tolist()[1:] == [0, 0, 0] and p.kappa[0] > 0
    assert p.test_mse[1] == np.inf and np.isfinite(p.test_mse[[0, 2, 3]]).all()
    assert p.test_mse[3] == pytest.approx(0.5) and p.train_mse[3] == pytest.approx(0.5)


def test_units_levels_and_outputs():
    grid = ([3, 20, 43], 0.3, 0.2)
    a = lb.predict(SPECTRUM, TARGET, *grid, population=50)
    b = lb.predict(
        lb.Spectrum(7 * SPECTRUM.eigenvalues, SPECTRUM.multiplicities), TARGET, grid[0], 2.1, 0.2, population=50
    )
    counts = SPECTRUM.multiplicities.astype(int)
    listed = lb.Target(np.repeat(TARGET.power / counts, counts))
    c = lb.predict(lb.Spectrum(np.repeat(SPECTRUM.eigenvalues, counts)), listed, *grid, population=50)
    both = lb.predict(SPECTRUM, lb.Target(np.column_stack([TARGET.power, TARGET.power[::-1]])), *grid, population=50)
    other = lb.predict(SPECTRUM, lb.Target(TARGET.power[::-1]), *grid, population=50)
    for name in (*STATISTICS[1:], "test_mse_off_train"):
        for found in (b, c):
            assert np.allclose(getattr(a, name), getattr(found, name), rtol=1e-11), name
        if name != "overfitting_coefficient":
            assert np.allclose(getattr(both, name), np.column_stack([getattr(a, name), getattr(other, name)])), name
    assert np.allclose(both.coefficient_variance[..., 1], other.coefficient_variance)
    assert np.allclose(a.coefficient_variance @ SPECTRUM.multiplicities, a.variance)


def test_a_tail_is_spread_over_the_modes_that_are_not_listed():
    a = lb.predict(lb.Spectrum([3.0, 1.0], [1, 4], tail=2.0), lb.Target([1.0, 1.0]), [4, 19], 0.1, population=25)
    b = lb.predict(lb.Spectrum([3.0, 1.0, 0.1], [1, 4, 20]), lb.Target([1.0, 1.0, 0.0]), [4, 19], 0.1, population=25)
    for name in STATISTICS:
        assert np.allclose(getattr(a, name), getattr(b, name), rtol=1e-12), name


@pytest.mark.slow
def test_free_eigenvectors():
    """Haar-random eigenvectors on 400 points, where the derivation's assumption holds: every output within 4 standard errors."""
    rng, size, draws = np.random.default_rng(0), 400, 150
    eigenvalues = np.repeat([1.0, 0.1, 0.01, 0.001], [4, 36, 160, 200])
    coefficients = rng.standard_normal(size) * eigenvalues**0.25
    for n, ridge, noise in ((100, 0.05, 0.0), (200, 0.5, 0.7), (300, 0.0, 0.5), (380, 0.1, 0.3)):
        found = []
        for _ in range(draws):
            found.append(_haar_draw(rng, eigenvalues, coefficients, n, ridge, noise, size))
        mean, error = np.mean(found, 0), np.std(found, 0, ddof=1) / np.sqrt(draws)
        p = lb.predict(lb.Spectrum(eigenvalues), lb.Target(coefficients**2), n, ridge, noise, population=size)
        expected = [
            p.test_mse,
            p.train_mse,
            p.test_mse_off_train,
            p.learnability,
            *p.coefficient_variance[[0, 10, 100, 350]],
        ]
        variances = np.array(found)[:, 4:]
        mean[4:], error[4:] = variances.var(0, ddof=1), variances.var(0) * np.sqrt(2 / draws)
        # deterministic equivalents are exact up to order 1/M: one per cent here
        assert (np.abs(mean - expected) <= 4 * error + 0.01 * np.abs(expected) + 1e-12).all(), (
            n,
            mean,
            expected,
            error,
        )


def _haar_draw(rng, eigenvalues, coefficients, n, ridge, noise, size):
    """Only the n rows of the training points are drawn; sums over all points are sums of squared coefficients."""
    gaussian = rng.standard_normal((n, size))
    vectors = linalg.solve_triangular(linalg.cholesky(gaussian @ gaussian.T, lower=True), gaussian, lower=True)
    vectors *= np.sqrt(size)
    kernel = (vectors * eigenvalues) @ vectors.T
    y = vectors @ coefficients + noise * rng.standard_normal(n)
    alpha = linalg.solve(kernel + ridge * np.eye(n), y, assume_a="pos")
    learned = eigenvalues * (vectors.T @ alpha)  # coefficients
    missed = coefficients - learned
    error = missed @ missed  # the mean over all points
    on_train = ((vectors @ missed) ** 2).sum()
    return [
        error + noise**2,
        ((ridge * alpha) ** 2).mean(),
        (size * error - on_train) / (size - n) + noise**2,
        learned @ coefficients / (coefficients @ coefficients),
        *learned[[0, 10, 100, 350]],
    ]


def test_the_cube(cube, relu4):
    """Errors within 5 % (train 3 %) where the equations of the paper are up to 400 % off; gradients and accuracies too."""
    kernel, spectrum, rng, draws = relu4.kernel(cube.points), cube.spectrum(relu4), np.random.default_rng(0), 200
    targets = [cube.parity(k) for k in (1, 3)]
    f = np.column_stack([target(cube.points) for target in targets])
    worst = 0.0
    for n, ridge, noise in ((64, 2.0, 0.5), (128, 0.05, 0.5), (192, 0.5, 0.0)):
        found = []
        for _ in range(draws):
            index = rng.permutation(256)[:n]
            y = f[index] + noise * rng.standard_normal((n, 2))
            alpha = linalg.solve(kernel[np.ix_(index, index)] + ridge * np.eye(n), y, assume_a="pos")
            learned = kernel[:, index] @ alpha
            found.append(
                [((f - learned) ** 2).mean(0) + noise**2, ridge**2 * (alpha**2).mean(0), (learned * f > 0).mean(0)]
            )
        mean, error = np.mean(found, 0), np.std(found, 0) / np.sqrt(draws)
        for column, target in enumerate(targets):
            p = lb.predict(spectrum, target, n, ridge, noise, population=256)
            expected = np.array([p.test_mse, p.train_mse, sign_accuracy(p, 256)])
            allowed = np.array([0.05, 0.03, 0.02]) * expected + 2 * error[:, column]
            assert (np.abs(mean[:, column] - expected) < allowed).all(), (n, ridge, noise, column, mean, expected)
            paper = lb.predict(spectrum, target, n, ridge, noise)
            worst = max(worst, abs(float(paper.train_mse) / mean[1, column] - 1))
    assert worst > 1  # the equations of the paper miss a train error by more than a factor of two
    laplacian = spectrum.modes.astype(float)
    p = lb.predict(spectrum, targets[0], 128, population=256)
    assert mean_squared_gradient(p, laplacian) == pytest.approx(
        float(p.coefficient_mean[1] ** 2 + (spectrum.multiplicities * laplacian) @ p.coefficient_variance)
    )


def test_errors_teach():
    with pytest.raises(ValueError, match="population 20 is smaller than the number of modes of the spectrum, 44"):
        lb.predict(SPECTRUM, TARGET, 4, population=20)
    with pytest.raises(ValueError, match=r"train_size \[60.\] is larger than the population \[50.\]"):
        lb.predict(SPECTRUM, TARGET, 60, population=50)
    with pytest.raises(ValueError, match="one of theory, population, features and correction"):
        lb.predict(SPECTRUM, TARGET, 4, population=50, features=3)
