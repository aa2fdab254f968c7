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


def arc_cosine_ntk(angle: mpmath.mpf) -> mpmath.mpf:
    """NTK of one hidden ReLU layer, weight_std sqrt(2), no bias, on |x|^2 = dim."""
    return (mpmath.sin(angle) + 2 * mpmath.cos(angle) * (mpmath.pi - angle)) / mpmath.pi


@pytest.mark.parametrize("dim", [3, 8, 64, 343])
def test_eigenvalues_agree_with_high_precision_quadrature(dim: int):
    """At 30 digits. All factors are analytic in the angle, so Gauss's rule on a quarter of the half circle does."""
    spectrum = lb.Hypersphere(dim=dim).spectrum(lb.FullyConnected(1, "relu", np.sqrt(2), 0.0))
    eigenvalues = dict(zip(spectrum.modes.tolist(), spectrum.eigenvalues, strict=True))
    order = mpmath.mpf(dim - 2) / 2

    def integral(degree, kernel):
        def integrand(angle):
            polynomial = mpmath.gegenbauer(degree, order, mpmath.cos(angle)) / mpmath.gegenbauer(degree, order, 1)
            return kernel(angle) * polynomial * mpmath.sin(angle) ** (dim - 2)

        quarters = [mpmath.pi * k / 4 for k in range(5)]
        value, error = mpmath.quad(integrand, quarters, method="gauss-legendre", error=True)
        assert error < 1e-20 * value
        return value

    with mpmath.workdps(30):
        norm = integral(0, lambda angle: 1)
        for degree in (0, 1, 2, 4, 6):
            expected = float(integral(degree, arc_cosine_ntk) / norm)
            assert eigenvalues[degree] == pytest.approx(expected, abs=1e-10 * eigenvalues[0])
            assert eigenvalues[degree] == pytest.approx(expected, rel=1e-3)  # what the theory needs: relative accuracy


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


@pytest.mark.slow
def test_regression_matches_theory_with_bias_and_ridge():
    """Three targets are three outputs of one regression."""
    sphere = lb.Hypersphere(dim=8, test_points=3000)
    architecture = lb.FullyConnected(4, "relu", 1.4, 0.5)
    spectrum = sphere.spectrum(architecture)
    x_test, _ = sphere.evaluation()
    targets = [sphere.product(degree) for degree in (1, 2, 3)]
    f = np.column_stack([target(x_test) for target in targets])
    for train_size in (16, 64, 128):
        for ridge in (0.0, 0.5):
            errors, learned = [], []
            for seed in range(30):
                x, _ = sphere.sample(train_size, seed)
                y = np.column_stack([target(x) for target in targets])
                prediction = lb.kernel_regression(architecture, x, y, x_test, ridge)
                errors.append(((prediction - f) ** 2).mean(0))
                learned.append((prediction * f).sum(0) / (f * f).sum(0))
            theories = [lb.predict(spectrum, target, train_size, ridge) for target in targets]
            for values, measure in ((errors, "test_mse"), (learned, "learnability")):
                theory = [float(getattr(one, measure)) for one in theories]
                z = (np.mean(values, 0) - theory) / (np.std(values, axis=0, ddof=1) / np.sqrt(30))
                assert (np.abs(z) < 4).all(), (train_size, ridge, measure, z)


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
    from learnability.measurements.task import LearningTask

    noisy = []
    for test_points in (10, 20):
        sphere = lb.Hypersphere(dim=4, test_points=test_points)
        noisy.append(LearningTask(sphere, {"f": sphere.product(1)}, [1.0]).training_set(5, 0).labels)
    assert np.array_equal(*noisy)
