import mpmath
import numpy as np
import pytest

import learnability as lb
from learnability.domains.sphere import gegenbauer, multiplicities


@pytest.mark.parametrize("dim", [3, 8, 64, 343, 784])
@pytest.mark.parametrize("bias_std", [0.0, 0.5])
def test_eigenvalues_and_tail_sum_to_the_trace(dim, bias_std):
    sphere = lb.Hypersphere(dim=dim)
    for architecture in (lb.FullyConnected(4, "relu", 1.4, bias_std), lb.FullyConnected(1, "erf", 1.4, bias_std)):
        spectrum = sphere.spectrum(architecture)
        x, _ = sphere.sample(1, 0)
        assert spectrum.trace == pytest.approx(architecture.kernel(x)[0, 0], rel=1e-12)
        assert (spectrum.eigenvalues >= 0).all() and spectrum.tail >= 0
        assert np.all(np.diff(spectrum.eigenvalues) <= 0)


def arc_cosine_ntk(t):
    """NTK of one hidden ReLU layer, weight_std sqrt(2), no bias, on |x|^2 = dim, at 30 digits."""
    angle = mpmath.acos(t)
    return (mpmath.sqrt(1 - t * t) + 2 * t * (mpmath.pi - angle)) / mpmath.pi


@pytest.mark.parametrize("dim", [3, 8, 64, 343])
def test_eigenvalues_agree_with_high_precision_quadrature(dim):
    mpmath.mp.dps = 30
    spectrum = lb.Hypersphere(dim=dim).spectrum(lb.FullyConnected(1, "relu", np.sqrt(2), 0.0))
    found = dict(zip(spectrum.modes.tolist(), spectrum.eigenvalues, strict=True))
    # the measure sin(t)^(dim-2) has width 1/sqrt(dim) around the equator
    cuts = [mpmath.pi * k / 16 for k in range(17)]
    norm = mpmath.quad(lambda t: mpmath.sin(t) ** (dim - 2), cuts)
    for degree in (0, 1, 2, 4, 6):
        order = mpmath.mpf(dim - 2) / 2

        def integrand(t, degree=degree, order=order):
            polynomial = mpmath.gegenbauer(degree, order, mpmath.cos(t)) / mpmath.gegenbauer(degree, order, 1)
            return arc_cosine_ntk(mpmath.cos(t)) * polynomial * mpmath.sin(t) ** (dim - 2)

        expected = mpmath.quad(integrand, cuts) / norm
        assert found[degree] == pytest.approx(float(expected), abs=1e-10 * found[0])
        assert found[degree] == pytest.approx(float(expected), rel=1e-3)  # what the theory needs: relative accuracy


def test_a_kernel_of_known_spectrum():
    """(x.x'/dim)^2 has degrees 0 and 2 only: 1/d + (1 - 1/d) C_2."""
    dim = 20
    sphere = lb.Hypersphere(dim=dim)
    points = sphere.profile_points()
    spectrum = sphere.spectrum_of_profile((points @ points[0] / dim) ** 2)
    values = dict(zip(spectrum.modes.tolist(), spectrum.eigenvalues, strict=True))
    assert values[0] == pytest.approx(1 / dim, rel=1e-13)
    assert values[2] == pytest.approx((1 - 1 / dim) / multiplicities(dim, np.array([2]))[0], rel=1e-12)
    assert sum(value > 0 for value in values.values()) == 2 and spectrum.tail == 0


def test_multiplicities():
    assert multiplicities(3, np.arange(6)).tolist() == [1, 3, 5, 7, 9, 11]
    assert multiplicities(8, np.arange(4)).tolist() == [1, 8, 35, 112]
    assert np.isfinite(multiplicities(1000, np.arange(60))).all()


def test_harmonics_are_orthonormal():
    sphere = lb.Hypersphere(dim=6, test_points=200_000)
    x, _ = sphere.evaluation()
    assert np.allclose((x**2).sum(1), 6)
    functions = [sphere.harmonic(k)(x) for k in range(4)] + [sphere.product(k)(x) for k in (2, 3)]
    gram = np.cov(functions[1:], bias=True)
    assert np.allclose(np.diag(gram), 1, atol=0.05) and np.abs(gram - np.diag(np.diag(gram))).max() < 0.03
    *_, last = gegenbauer(6, np.array([1.0, -1.0]), 5)
    assert last.tolist() == [1, -1]


def test_regression_matches_theory_with_bias_and_ridge():
    sphere = lb.Hypersphere(dim=8, test_points=3000)
    architecture = lb.FullyConnected(4, "relu", 1.4, 0.5)
    spectrum = sphere.spectrum(architecture)
    x_test, _ = sphere.evaluation()
    for degree in (1, 2, 3):
        target = sphere.product(degree)
        f = target(x_test)
        for train_size in (16, 64, 128):
            for ridge in (0.0, 0.5):
                errors, learned = [], []
                for seed in range(30):
                    x, _ = sphere.sample(train_size, seed)
                    found = lb.kernel_regression(architecture, x, target(x), x_test, ridge)
                    errors.append(((found - f) ** 2).mean())
                    learned.append((found * f).sum() / (f * f).sum())
                p = lb.predict(spectrum, target, train_size, ridge)
                for values, theory in ((errors, p.test_mse), (learned, p.learnability)):
                    z = (np.mean(values) - theory) / (np.std(values, ddof=1) / np.sqrt(30))
                    assert abs(z) < 4, (degree, train_size, ridge)


def test_messages():
    with pytest.raises(ValueError, match="dim must be a whole number >= 3, got 2"):
        lb.Hypersphere(dim=2)
    with pytest.raises(ValueError, match="radius must be finite and > 0"):
        lb.Hypersphere(dim=3, radius=-1)
    with pytest.raises(ValueError, match="from 0 to 5, got 6"):
        lb.Hypersphere(dim=5).product(6)


def test_the_linear_kernel_on_a_sphere_of_many_dimensions():
    """Multiplicities of high degrees exceed a float64; the spectrum ends before."""
    spectrum = lb.Hypersphere(dim=3072).spectrum(lb.FullyConnected(0))
    assert spectrum.eigenvalues[0] * 3072 == pytest.approx(spectrum.trace) and spectrum.modes[0] == 1
    assert np.isfinite(spectrum.multiplicities).all()


def test_label_noise_does_not_depend_on_the_test_points():
    from learnability.measurements.labels import labels

    noisy = []
    for test_points in (10, 20):
        sphere = lb.Hypersphere(dim=4, test_points=test_points)
        x, index = sphere.sample(5, 0)
        noisy.append(labels(sphere, {"f": sphere.product(1)}, x, index, 5, 0, [1.0]))
    assert np.array_equal(*noisy)
