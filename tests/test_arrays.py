"""What users give as points, labels and numbers, at every entry of the library."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import learnability as lb
from learnability.common.arrays import array, labels
from learnability.regression.cross_validation import estimate
from learnability.sklearn import NTKRegressor

X = np.random.default_rng(0).standard_normal((20, 3))
Y = X[:, 0] * X[:, 1] + 0.1
NETWORK = lb.FullyConnected(1, bias_std=0.5)
SPECTRUM = lb.Spectrum([0.5, 0.3, 0.2], [1, 3, 9])
TARGET = lb.Target([0.0, 1.0, 0.0])

ENTRIES = {
    "kernel": lambda x, y: NETWORK.kernel(x),
    "gaussian": lambda x, y: lb.Gaussian().kernel(x),
    "kernel_regression": lambda x, y: lb.kernel_regression(NETWORK, x, y, X),
    "predict_samples": lambda x, y: lb.predict_samples(NETWORK.kernel(x), y, 5),
    "Samples": lambda x, y: lb.Samples(x, y),
    "NTKRegressor": lambda x, y: NTKRegressor().fit(x, y),
    "train": lambda x, y: lb.train(NETWORK, 20, x, y, X, seeds=[0]),
    "hermite_ansatz": lambda x, y: lb.hermite_ansatz(NETWORK, x, y, modes=20, mixed=0),
    "large_spectrum": lambda x, y: lb.large_spectrum(NETWORK, x, y, steps=2),
}


@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize(
    ("x", "words"),
    [
        (sparse.csr_array(X), "[Ss]parse"),
        (np.ma.masked_array(X, mask=X > 1), "masked"),
        (X.astype(str)[:, :1].repeat(3, 1) + "a", "texts|convert string"),
        (np.where(X > 1, np.nan, X), "not finite|NaN"),
        (np.where(X > 1, np.inf, X), "not finite|infinity"),
        (X + 1j, "[Cc]omplex"),
    ],
    ids=["sparse", "masked", "texts", "nan", "inf", "complex"],
)
def test_points_that_are_no_numbers_are_refused_with_the_remedy(entry, x, words):
    if entry == "predict_samples" and not isinstance(x, np.ndarray):
        x = x.toarray() + np.nan
        words = "not finite"
    with pytest.raises((ValueError, TypeError), match=words):
        ENTRIES[entry](x, Y)


@pytest.mark.parametrize("entry", [name for name in ENTRIES if name not in ("kernel", "gaussian")])
@pytest.mark.parametrize(
    ("y", "words"),
    [
        (np.where(Y > 0, "yes", "no"), "texts, not numbers|string|dtype"),
        (np.ma.masked_array(Y, mask=Y > 0.5), "masked"),
        (np.where(Y > 0.5, np.nan, Y), "not finite|NaN"),
        (Y[:-1], "20|19"),
        (Y + 1j, "[Cc]omplex"),
    ],
    ids=["texts", "masked", "nan", "short", "complex"],
)
def test_labels_that_are_no_numbers_are_refused_with_the_remedy(entry, y, words):
    with pytest.raises((ValueError, TypeError), match=words):
        ENTRIES[entry](X, y)


def test_an_array_without_masked_values_is_an_array():
    plain = np.ma.masked_array(X, mask=False)
    assert np.array_equal(NETWORK.kernel(plain), NETWORK.kernel(X))
    assert np.array_equal(array("x", pd.DataFrame(X)), X)
    with pytest.raises(ValueError, match="x holds None .* at place 1"):
        array("x", [[1.0, None]])


@pytest.mark.wrong_types
def test_boolean_labels_are_signs_everywhere(tmp_path):
    """In arrays as in files: True is +1, False is -1."""
    truth = Y > 0
    signs = np.where(truth, 1.0, -1.0)
    np.savez(tmp_path / "data.npz", x=X, y=truth)
    pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "y": truth}).to_csv(tmp_path / "data.csv", index=False)
    from learnability.domains.samples import DataSet

    several = np.stack([truth, ~truth, X[:, 0] > 0], 1)
    np.savez(tmp_path / "several.npz", x=X, y=several)
    assert np.array_equal(labels("y", truth), signs)
    assert np.array_equal(lb.Samples(X, truth).labels[:, 0], signs)
    for name in ("data.npz", "data.csv"):
        data = DataSet(path=str(tmp_path / name))
        assert np.array_equal(data.labels[:, 0], signs) and data.names == ["True or False"]
    assert np.array_equal(lb.Samples(X, several).labels, 2.0 * several - 1)
    assert np.array_equal(DataSet(path=str(tmp_path / "several.npz")).labels, 2.0 * several - 1)
    learned = lb.kernel_regression(NETWORK, X, signs, X[::-1], 0.1)
    assert np.array_equal(lb.kernel_regression(NETWORK, X, truth, X[::-1], 0.1), learned)
    assert np.allclose(NTKRegressor(bias_std=0.5, ridge=0.1).fit(X, truth).predict(X[::-1]), learned, rtol=1e-10)
    matrix = NETWORK.kernel(X)
    assert np.array_equal(
        lb.predict_samples(matrix, truth, 5, 0.1).test_mse, lb.predict_samples(matrix, signs, 5, 0.1).test_mse
    )
    assert estimate(matrix, truth, 0.1).gcv == estimate(matrix, signs, 0.1).gcv
    samples = lb.Samples(X)
    assert np.array_equal(samples.target(truth).values, signs)
    assert np.array_equal(lb.Hypercube(2).target([True, False, True, True]).function(None, np.arange(4)), [1, -1, 1, 1])


RIDGES = {
    "kernel_regression": lambda ridge: lb.kernel_regression(NETWORK, X, Y, X, ridge),
    "NTKRegressor": lambda ridge: NTKRegressor(ridge=ridge).fit(X, Y),
    "estimate": lambda ridge: estimate(NETWORK.kernel(X), Y, ridge),
    "predict": lambda ridge: lb.predict(SPECTRUM, TARGET, 5, ridge),
    "predict_samples": lambda ridge: lb.predict_samples(NETWORK.kernel(X), Y, 5, ridge),
    "noise": lambda noise: lb.predict(SPECTRUM, TARGET, 5, 0.1, noise),
    "train_size": lambda size: lb.predict(SPECTRUM, TARGET, size),
    "select": lambda ridge: lb.select(
        lb.Samples(X, Y), {"net": NETWORK}, lb.Samples(X, Y).label("0"), [5], ridges=[ridge]
    ),
    "noise of select": lambda noise: lb.select(
        lb.Samples(X, Y), {"net": NETWORK}, lb.Samples(X, Y).label("0"), [5], noise_std=noise
    ),
}


@pytest.mark.wrong_types
@pytest.mark.parametrize("entry", RIDGES)
@pytest.mark.parametrize("value", [-1, np.nan, np.inf, "1", True, None, 1j], ids=str)
def test_a_ridge_is_a_finite_number_not_below_zero(entry, value):
    with pytest.raises(ValueError, match="must be"):
        RIDGES[entry](value)


@pytest.mark.wrong_types
@pytest.mark.parametrize("value", [1.7, True, "1", None, [1.5], [True], ["1"]], ids=repr)
def test_whole_numbers_are_whole(value):
    """A bit, a degree, a frequency or a size that is no whole number is refused wherever it is asked for."""
    cube, circle, sphere = lb.Hypercube(3), lb.Circle(6), lb.Hypersphere(3, max_degree=5, test_points=10)
    gaussians = lb.GaussianSamples(3, samples=10)
    from learnability.domains.samples import DataSet

    calls = [
        cube.monomial, cube.parity, cube.majority, cube.conjunction, circle.cosine, circle.sine, sphere.harmonic,
        sphere.product, gaussians.hermite, lambda v: gaussians.power_law(1.0, v), lb.Hypercube, lb.Circle, lb.Hypersphere,
        lambda v: lb.Hypersphere(3, max_degree=v), lambda v: lb.GaussianSamples(3, samples=v),
        lambda v: lb.GaussianSamples(3, seed=v), lambda v: lb.MixtureSamples(3, classes=v, samples=20),
        lambda v: cube.sample(v, 0), lambda v: cube.sample(1, v), lb.FullyConnected, lambda v: DataSet("digits", seed=v),
    ]  # fmt: skip
    if value is not None:
        calls.append(lambda v: DataSet("digits", samples=v))
    for call in calls:
        with pytest.raises(ValueError, match="whole|list|distinct"):
            call(value)


@pytest.mark.wrong_types
def test_real_numbers_are_numbers():
    for call in (
        lambda v: lb.FullyConnected(1, weight_std=v),
        lb.Gaussian,
        lambda v: lb.Matern(nu=v),
        lambda v: lb.GaussianSamples(3, v),
        lambda v: lb.MixtureSamples(3, 2, v, samples=20),
        lambda v: lb.FullyConnected(1, {"kind": "leaky_relu", "slope": v}),
    ):
        for value in (True, "1", np.nan):
            with pytest.raises(ValueError, match="must be"):
                call(value)


def test_populations_of_a_prediction_may_be_many():
    target = lb.Target([0.0, 1.0, 0.0])
    together = lb.predict(SPECTRUM, target, 8, 0.1, population=np.array([256, 512]))
    for number, size in enumerate((256, 512)):
        alone = lb.predict(SPECTRUM, target, 8, 0.1, population=size)
        assert together.test_mse[number] == pytest.approx(float(alone.test_mse), rel=1e-12)
    infinite = lb.predict(SPECTRUM, target, [8, 9], 0.1, population=[np.inf, np.inf])
    assert np.array_equal(infinite.test_mse, lb.predict(SPECTRUM, target, [8, 9], 0.1).test_mse)
    for bad in (np.nan, -1, 0, "256", True):
        with pytest.raises(ValueError, match="population"):
            lb.predict(SPECTRUM, target, 8, 0.1, population=bad)
    with pytest.raises(ValueError, match="population .* finite and infinite"):
        lb.predict(SPECTRUM, target, 8, 0.1, population=[256, np.inf])


@pytest.mark.parametrize(
    "network", [lb.FullyConnected(200, weight_std=20.0), lb.Residual(200, weight_std=20.0)], ids=str
)
def test_a_kernel_that_overflows_says_which_depth_would_do(network):
    import re
    from dataclasses import replace

    x = np.array([[1e-3, 0.0], [1.0, 2.0], [0.5, -1.0]])
    for call in (lambda: network.kernel(x), lambda: network.kernel(x, x + 1), lambda: lb.Samples(x).spectrum(network)):
        with pytest.raises(ValueError, match="not finite.*depth .* weight_std 20") as error:
            call()
    with pytest.raises(ValueError) as error:
        network.kernel(x)
    depth, weight_std = re.search(r"depth (\d+) or less.* weight_std ([\d.]+) or less", str(error.value)).groups()
    assert np.isfinite(replace(network, depth=int(depth)).kernel(x)).all()
    assert np.isfinite(replace(network, weight_std=float(weight_std)).kernel(x)).all()


def test_inputs_that_are_too_large_are_named():
    x = np.eye(3) * 1e160
    for kernel in (lb.FullyConnected(1), lb.FullyConnected(1, "erf"), lb.FullyConnected(0)):
        with pytest.raises(ValueError, match="not finite.*scale the inputs"):
            kernel.kernel(x)
    assert np.array_equal(lb.Matern(nu=2.5).kernel(x), np.eye(3))


def test_large_kernels_keep_their_products():
    """Tiles are kept in single precision, whose largest number is 3e38."""
    x = np.random.default_rng(1).standard_normal((200, 3))
    small, large = (lb.large_spectrum(lb.FullyConnected(1), s * x, x[:, 0], steps=5) for s in (1.0, 2.0**70))
    assert np.allclose(large.spectrum.eigenvalues, 2.0**140 * small.spectrum.eigenvalues, rtol=1e-6)
