import numpy as np
import pytest
import torch
from mpmath import besseli, besselk, cos, diff, exp, gamma, gegenbauer, mp, mpf, pi, quad, sin, sqrt
from sklearn.gaussian_process import kernels as reference

import learnability as lb
from learnability.domains import domain_from
from learnability.kernels.matrix import KernelMatrix
from learnability.measurements.regression import kernel_experiment

KERNELS = [lb.Gaussian(0.7), lb.Laplace(0.9), lb.Matern(1.1, 1.5), lb.Matern(0.8, 2.5)]


def test_values_are_scikit_learns():
    x = np.random.default_rng(0).standard_normal((9, 4))
    scaled = x / 2  # distances in units of sqrt(dim)
    for kernel in KERNELS:
        if kernel.kind == "gaussian":
            other = reference.RBF(kernel.length)
        else:
            other = reference.Matern(kernel.length, nu=getattr(kernel, "nu", 0.5))
        assert np.allclose(kernel.kernel(x), other(scaled), rtol=1e-13)
        assert np.allclose(kernel.kernel(x[:3], x), other(scaled[:3], scaled), rtol=1e-13)
        assert torch.is_tensor(kernel.kernel(torch.from_numpy(x)))


def test_gaussian_spectrum_on_the_sphere_is_the_published_one():
    """Minh, Niyogi & Yao (2006), theorem 2: modified Bessel functions. K = exp(-s (1 - t)) with t the cosine of the angle."""
    mp.dps = 30
    for dim, length in ((3, 1.0), (10, 0.7)):
        s = mpf(1) / mpf(length) ** 2  # radius sqrt(dim), distances over sqrt(dim)
        spectrum = lb.Hypersphere(dim).spectrum(lb.Gaussian(length))
        for mode, value in zip(spectrum.modes[:8], spectrum.eigenvalues[:8], strict=True):
            order = int(mode) + mpf(dim) / 2 - 1
            expected = exp(-s) * (2 / s) ** (mpf(dim) / 2 - 1) * besseli(order, s) * gamma(mpf(dim) / 2)
            assert value == pytest.approx(float(expected), rel=1e-10)


def test_matern_spectra_on_the_sphere_are_the_published_ones():
    """In three dimensions, from the addition theorem exp(-c r)/r = sum_l (2 l + 1) I_{l+1/2}(c) K_{l+1/2}(c) P_l(cos) (DLMF 10.60.3).

    Derivatives with respect to c make exp(-c r), Laplace's kernel, and r^k exp(-c r), Matern's, of it.
    """
    mp.dps = 25
    forms = {0.5: (1, 0, 0), 1.5: (1, 1, 0), 2.5: (1, 1, mpf(1) / 3)}  # of exp(-s), s exp(-s), s^2 exp(-s)
    for kernel in KERNELS[1:]:  # Laplace, then Matern
        nu = getattr(kernel, "nu", 0.5)
        c = sqrt(2 * mpf(nu)) / mpf(kernel.length)
        spectrum = lb.Hypersphere(3).spectrum(kernel)
        for degree in (0, 1, 2, 5, 9):

            def product(c, twice=2 * degree + 1):
                return besseli(mpf(twice) / 2, c) * besselk(mpf(twice) / 2, c)

            terms = [-((-c) ** k) * diff(product, c, k + 1) for k in range(3)]
            expected = sum(factor * term for factor, term in zip(forms[nu], terms, strict=True))
            found = spectrum.eigenvalues[spectrum.modes.tolist().index(degree)]
            assert found == pytest.approx(float(expected), rel=1e-10)


@pytest.mark.parametrize(("kernel", "dim"), [(lb.Laplace(1.0), 8), (lb.Matern(1.1, 1.5), 5)], ids=str)
def test_spectra_on_the_sphere_by_quadrature(kernel, dim):
    """Funk-Hecke with Gegenbauer polynomials, integrated by mpmath."""
    mp.dps = 20
    spectrum = lb.Hypersphere(dim).spectrum(kernel)
    alpha, norm = mpf(dim) / 2 - 1, quad(lambda a: sin(a) ** (dim - 2), [0, pi / 2, pi])
    for mode in (0, 2, 5):

        def integrand(a, k=mode):
            r = 2 * sin(a / 2) / mpf(kernel.length)
            value = exp(-r) if kernel.kind == "laplace" else (1 + sqrt(3) * r) * exp(-sqrt(3) * r)
            return value * gegenbauer(k, alpha, cos(a)) / gegenbauer(k, alpha, 1) * sin(a) ** (dim - 2) / norm

        found = spectrum.eigenvalues[spectrum.modes.tolist().index(mode)]
        assert found == pytest.approx(float(quad(integrand, [0, pi / 2, pi])), rel=1e-10)


@pytest.mark.parametrize("kernel", KERNELS[:3], ids=lambda k: k.kind)
@pytest.mark.parametrize("domain", [{"kind": "hypercube", "dim": 7}, {"kind": "circle", "points": 64}])
def test_regression_agrees_with_theory(kernel, domain):
    """Six cells, within four standard errors of 200 training sets."""
    place = domain_from(domain)
    target = place.parity(1) if domain["kind"] == "hypercube" else place.cosine(2)
    table = kernel_experiment(place, {"t": target}, KernelMatrix.on(place, kernel), [32], [0.1], [0.0], range(200))
    p = lb.predict(place.spectrum(kernel), target, 32, 0.1, population=place.size)
    for name in ("test_mse", "learnability"):
        values, expected = table[name], float(getattr(p, name))
        assert abs(values.mean() - expected) < 4 * values.std() / np.sqrt(200)


def test_kernels_without_networks_say_so():
    with pytest.raises(ValueError, match=r"Laplace\(length=1.0\) is a kernel only: it has no networks to train"):
        lb.train(lb.Laplace(), 8, np.eye(2), np.ones(2), np.eye(2), seeds=[0])
    with pytest.raises(ValueError, match="has no kind 'nngp'"):
        lb.Gaussian().kernel(np.eye(2), kind="nngp")
    for wrong in (lambda: lb.Gaussian(0.0), lambda: lb.Matern(1.0, 2.0)):
        with pytest.raises(ValueError, match="must be"):
            wrong()
