"""Kernels of one hidden layer against mpmath at 80 digits, from the points themselves."""

from functools import partial

import numpy as np
import pytest
import torch
from mpmath import asin, cosh, exp, mpf, pi, sinh, sqrt, workdps

import learnability as lb
from learnability.kernels.activations import ACTIVATIONS
from learnability.kernels.duals import SIGMOID_ERF_SCALE

WEIGHT, BIAS = 1.5, 0.1


def piecewise_linear(a, b, q1, q2, c):
    if q1 * q2 == 0:
        return a * a * c, a * a * mpf(1)
    root, angle = sqrt(q1 * q2 - c * c), asin(c / sqrt(q1 * q2))
    return b * b * 2 / pi * (root + c * angle) + a * a * c, b * b * 2 / pi * angle + a * a


def erf(q1, q2, c):
    product = (1 + 2 * q1) * (1 + 2 * q2)
    return 2 / pi * asin(2 * c / sqrt(product)), 4 / pi / sqrt(product - 4 * c * c)


def gelu(q1, q2, c):
    """E[x Phi(x) y Phi(y)]: k by Stein's lemma, kdot as the derivative of k by c."""

    def k(c):
        product = (1 + q1) * (1 + q2)
        density = 1 / (2 * pi * sqrt(product - c * c))
        cdf = mpf(1) / 4 + asin(c / sqrt(product)) / (2 * pi)
        return c * cdf + density * (q1 * q2 + c * c * (1 / (1 + q1) + 1 / (1 + q2) - 1))

    step = mpf(10) ** -40 * (1 + q1 + q2)
    return k(c), (k(c + step) - k(c - step)) / (2 * step)


def sine(q1, q2, c):
    return exp(-(q1 + q2) / 2) * sinh(c), exp(-(q1 + q2) / 2) * cosh(c)


def gaussian(q1, q2, c):
    determinant = (1 + 2 * q1) * (1 + 2 * q2) - 4 * c * c
    return determinant ** mpf(-0.5), 4 * c * determinant ** mpf(-1.5)


def sigmoid_erf(q1, q2, c):
    s2 = mpf(SIGMOID_ERF_SCALE) ** 2
    k, kdot = erf(q1 / s2, q2 / s2, c / s2)
    return mpf(1) / 4 + k / 4, kdot / (4 * s2)


DUALS = {
    "relu": partial(piecewise_linear, mpf(0.5), mpf(0.5)),
    "abs": partial(piecewise_linear, mpf(0), mpf(1)),
    "leaky_relu": partial(piecewise_linear, (1 + mpf(0.01)) / 2, (1 - mpf(0.01)) / 2),
    "erf": erf,
    "gelu": gelu,
    "sin": sine,
    "gaussian": gaussian,
    "sigmoid_erf": sigmoid_erf,
    "identity": lambda q1, q2, c: (c, mpf(1)),
}


def test_every_closed_form_has_a_reference():
    assert set(DUALS) == {name for name, phi in ACTIVATIONS.items() if phi.closed_form is not None}


def exact_kernel(dual, x, x2, kind, bias):
    """The kernel of one hidden layer between two points, to all digits of mpmath."""
    a, b = mpf(WEIGHT) ** 2, mpf(bias) ** 2

    def covariance(u, v):
        return a * sum(mpf(p) * mpf(q) for p, q in zip(u.tolist(), v.tolist(), strict=True)) / len(u) + b

    c = covariance(x, x2)
    k, kdot = dual(covariance(x, x), covariance(x2, x2), c)
    return k + kdot * c if kind == "ntk" else k


def points(scale):
    """Neighbours at all distances, equal and opposite points, points on one line, the origin."""
    x = np.random.default_rng(0).standard_normal(3)
    near = [x + step * np.array([1.0, -0.5, 0.3]) for step in (1e-2, 1e-6, 1e-11)]
    return scale * np.array([x, x, *near, -x, -near[1], 2 * x, x + 1e-9 * x, [0.3, 1.0, -2.0], np.zeros(3)])


@pytest.mark.parametrize("name", DUALS)
def test_kernels_are_exact_at_every_scale(name):
    for scale in (1e12, 1.7e9, 1e5, 1.0, 1e-5, 1e-12):
        for bias in (0.0, BIAS):
            x = points(scale)
            for kind in ("ntk", "nngp"):
                network = lb.FullyConnected(1, name, WEIGHT, bias)
                ours = {"one set": network.kernel(x, kind=kind), "two sets": network.kernel(x, x.copy(), kind)}
                with workdps(120):
                    exact = [[exact_kernel(DUALS[name], p, q, kind, bias) for q in x] for p in x]
                    size = [[sqrt(abs(exact[i][i] * exact[j][j])) for j in range(len(x))] for i in range(len(x))]
                    for way, matrix in ours.items():
                        for i, row in enumerate(matrix.tolist()):
                            for j, value in enumerate(row):
                                error = abs(mpf(value) - exact[i][j])
                                least = max(abs(exact[i][j]), size[i][j] * mpf(1e-3))
                                origin = mpf(1e-130)  # relu's stand-in for a standard deviation of 0
                                assert error <= mpf(1e-10) * least + origin, (
                                    scale,
                                    bias,
                                    kind,
                                    way,
                                    i,
                                    j,
                                    value,
                                    exact[i][j],
                                )


@pytest.mark.parametrize("name", ["erf", "gelu", "sigmoid_erf", "relu", "sin", "gaussian"])
@pytest.mark.parametrize("depth", [1, 3])
def test_raw_time_stamps_have_a_finite_kernel(name, depth):
    stamps = 1.7e9 + 1e5 * np.arange(50)
    for x in (stamps[:, None], np.stack([stamps, stamps + 3600.0], 1)):
        for weight_std in (1.4, 1.5):
            matrix = lb.FullyConnected(depth, name, weight_std, 0.1).kernel(x)
            assert np.isfinite(matrix).all()
            assert np.array_equal(matrix, matrix.T)


@pytest.mark.parametrize("name", DUALS)
def test_duals_of_equal_and_opposite_variables(name):
    """Whatever the variance: k(q, q, q) is the mean square, |k(q, q, -q)| no larger; both are finite."""
    variance = torch.tensor(10.0) ** torch.arange(-24, 25, 4)
    variance = torch.cat([torch.zeros(1), variance]).double()
    closed_form = ACTIVATIONS[name].closed_form
    same, opposite = closed_form(variance, variance, variance.clone()), closed_form(variance, variance, -variance)
    for values in (*same, *opposite):
        assert torch.isfinite(values).all()
    assert (opposite[0].abs() <= same[0] * (1 + 1e-12)).all()
