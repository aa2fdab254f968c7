"""Lists of layers, modules of PyTorch and their limits go wherever a kernel goes: each on images, in their shape."""

import numpy as np
import pytest
from sklearn.base import clone
from torch import nn

import learnability as lb
from learnability.domains.samples import DataSet
from learnability.sklearn import NTKRegressor


def convolutional():
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 10))


KERNELS = {
    "layers": lambda: lb.Sequential([{"conv": {"kernel": 3, "strides": 2}}, "relu", "global_avg_pool", "dense"]),
    "module": lambda: lb.TorchModule(convolutional),
    "limit": lambda: lb.infinite(convolutional()),
}


@pytest.fixture(scope="module")
def digits():
    return DataSet(name="digits", samples=60)


@pytest.mark.parametrize("name", KERNELS)
def test_theory_regression_and_estimator_agree_on_images(digits, name):
    kernel, x, y = KERNELS[name](), digits.points, digits.labels
    curve = lb.learning_curve(digits, kernel, digits.all(), train_size=[20, 40], ridge=0.1)
    assert curve.theory.tolist() == ["per_sample"] * 2 and curve.test_mse_off_train[1] < curve.test_mse_off_train[0]
    learned = lb.kernel_regression(kernel, x[:40], y[:40], x[40:], ridge=0.1)
    estimator = clone(NTKRegressor(architecture=kernel, ridge=0.1)).fit(x[:40], y[:40])
    assert np.allclose(estimator.predict(x[40:]), learned, rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", KERNELS)
def test_its_spectrum_is_known_from_the_matrix_and_by_quadrature(digits, name):
    kernel = KERNELS[name]()
    spectrum = digits.spectrum(kernel)
    large = lb.large_spectrum(kernel, digits.points, digits.labels)
    trace = kernel.diagonal(digits.points).mean()
    assert large.spectrum.trace == pytest.approx(trace, rel=1e-6)
    assert (spectrum.eigenvalues * spectrum.multiplicities).sum() == pytest.approx(trace, rel=1e-6)


def test_all_are_ranked_together(digits):
    kernels = {name: build() for name, build in KERNELS.items()} | {"laplace": lb.Laplace()}
    table = lb.select(digits, kernels, digits.all(), [20, 40], ridges="auto", kernels=["ntk"]).table
    assert set(table["architecture"]) == set(kernels) and (table["nmse"] < 1).all()
