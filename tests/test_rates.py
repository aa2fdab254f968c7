"""The per-sample theory with a rate for every sample, points that are never selected, and samples that coincide."""

from itertools import product

import numpy as np
import pytest
from scipy import linalg

import learnability as lb
from learnability.domains import domain_from
from learnability.theory.sites import sites_of

FIELDS = ("test_mse", "test_mse_off_train", "train_mse", "off_train_errors", "off_train_residual", "residual", "kappas")


def learned(kernel, y, index, ridge, across):
    """Kernel regression on a training set; the minimum-norm solution where copies make it singular."""
    matrix = kernel[np.ix_(index, index)] + ridge * np.eye(len(index))
    return across[:, index] @ linalg.pinvh(matrix) @ y[index]


@pytest.mark.parametrize("ridge", [0.0, 0.4])
def test_sites_that_see_nothing_of_each_other_are_enumerated(ridge):
    """Sites of 1, 2 and 3 copies with labels of their own and no correlation: no cavity fluctuates, the theory is exact."""
    sites = np.array([0, 1, 2, 1, 2, 2])
    kernel = np.diag([1.0, 2.0, 0.7])[np.ix_(sites, sites)]
    y, c, noise, size = np.random.default_rng(0).standard_normal((6, 2)), 0.3, 0.5, 6
    off, own, new, mean, chance = (np.zeros((2, 6)) for _ in range(5))
    for subset in product((0, 1), repeat=size):
        chosen = np.array(subset, dtype=bool)
        weight, index = np.prod(np.where(chosen, c, 1 - c)), np.flatnonzero(chosen)
        smoother = learned(kernel, np.eye(size), index, ridge, kernel)
        miss = (y - smoother @ y).T
        own_noise = noise**2 * ((np.eye(size) - smoother) ** 2).sum(1)
        new_noise = noise**2 * (1 + (smoother**2).sum(1))
        off += weight * ~chosen * (miss**2 + new_noise) / (1 - c)
        own += weight * chosen * (miss**2 + own_noise) / c
        new += weight * (miss**2 + new_noise)
        mean += weight * miss
        chance += weight * ~chosen * miss / (1 - c)
    p = lb.predict_samples(kernel, y, c * size, ridge, noise)
    assert np.allclose(p.off_train_errors, off.T, rtol=1e-6)
    assert np.allclose(p.off_train_residual, chance.T, rtol=1e-6)
    assert np.allclose(p.residual, mean.T, rtol=1e-6)
    assert np.allclose(p.train_mse, own.mean(1), rtol=1e-6) and np.allclose(p.test_mse, new.mean(1), rtol=1e-6)


def test_copies_without_a_ridge_are_one_sample_that_is_selected_more_often(relu4):
    rng, c = np.random.default_rng(0), 0.3
    x, f = rng.standard_normal((40, 3)), rng.standard_normal(40)
    both, y = np.concatenate([x, x]), np.concatenate([f, f])
    p = lb.predict_samples(relu4.kernel(both), y, 80 * c)
    q = lb.predict_samples(relu4.kernel(x), f, 40 * (1 - (1 - c) ** 2))
    assert np.allclose(p.off_train_errors[:40], (1 - c) * q.off_train_errors, rtol=1e-5)
    assert np.allclose(p.residual[40:], q.residual, rtol=1e-5)
    assert np.allclose(2 * p.kappas[:40] * 80, q.kappas * 40 * 4, rtol=1e-5)


def test_the_whole_data_set_with_copies_is_linear_algebra(relu4):
    rng, ridge, noise = np.random.default_rng(0), 0.3, 0.4
    x = rng.standard_normal((20, 3))[np.concatenate([np.arange(20), np.arange(8), np.arange(3)])]
    kernel, y = relu4.kernel(x), rng.standard_normal(31)
    inverse = np.linalg.inv(kernel + ridge * np.eye(31))
    alpha = (inverse @ y) ** 2 + noise**2 * (inverse**2).sum(1)
    p = lb.predict_samples(kernel, y, 31, ridge, noise)
    assert np.allclose(p.off_train_errors, alpha / np.diag(inverse) ** 2, rtol=1e-8)
    assert p.train_mse == pytest.approx(ridge**2 * alpha.mean(), rel=1e-8)


@pytest.mark.parametrize(("ridge", "scatter"), [(0.0, 0.0), (0.0, 0.5), (0.3, 0.5)])
def test_every_row_twice(ridge, scatter, relu4):
    """Within 6 % and three standard errors of exact regression where the theory for distinct samples says 0 at ridge 0."""
    rng, size, draws = np.random.default_rng(0), 200, 100
    x = np.tile(rng.standard_normal((100, 3)), (2, 1))
    y = np.sin(x[:, 0]) + x[:, 1] * x[:, 2] + scatter * rng.standard_normal(size)
    kernel = lb.FullyConnected(1, "relu", 1.4, 0.1).kernel(x)
    for n in (60, 120):
        errors = []
        for _ in range(draws):
            index = rng.permutation(size)[:n]
            rest = np.setdiff1d(np.arange(size), index)
            errors.append(((y[rest] - learned(kernel, y, index, ridge, kernel[rest])) ** 2).mean())
        predicted, measured = lb.predict_samples(kernel, y, n, ridge).test_mse_off_train, np.mean(errors)
        assert abs(predicted - measured) < 0.06 * measured + 3 * np.std(errors) / np.sqrt(draws), (
            n,
            predicted,
            measured,
        )


def test_equal_rates_change_nothing(relu4):
    rng = np.random.default_rng(0)
    kernel, y = relu4.kernel(rng.standard_normal((30, 4))), rng.standard_normal(30)
    plain, equal = (lb.predict_samples(kernel, y, [0, 5, 20, 30], 0.1, 0.2, rates=r) for r in (None, np.full(30, 0.7)))
    for name in FIELDS:
        assert np.allclose(getattr(plain, name), getattr(equal, name), rtol=1e-12, atol=1e-14), name


def test_independent_samples_with_rates_of_their_own():
    """A diagonal kernel: each sample is right when it is selected, which the theory says exactly."""
    rates, y = np.array([0.9, 0.5, 0.1, 1.0]), np.array([1.0, -2.0, 3.0, 0.5])
    p = lb.predict_samples(np.eye(4), y, rates.sum(), rates=rates)
    assert np.allclose(p.off_train_errors, y**2) and np.allclose(p.residual, (1 - rates) * y, atol=1e-9)
    assert p.test_mse == pytest.approx(((1 - rates) * y**2).mean())
    assert p.test_mse_off_train == pytest.approx(np.average(y**2, weights=1 - rates))


@pytest.fixture(scope="module")
def digits():
    """(pool inputs, labels, noisy test inputs, labels) of the digits 3 and 8; the test set has half the pixels' scale as noise."""
    data, rng = domain_from({"kind": "data", "name": "digits", "classes": [3, 8]}), np.random.default_rng(0)
    order = rng.permutation(data.size)
    pool, rest = order[:150], order[150:]
    noisy = data.points[rest] + 0.5 * np.sqrt((data.points**2).mean()) * rng.standard_normal(data.points[rest].shape)
    return data.points[pool], data.labels[pool, 0], noisy, data.labels[rest, 0]


@pytest.mark.parametrize("draw", ["uniform", "weighted", "stratified"])
def test_a_shifted_test_set_and_other_proportions(draw, digits):
    """Within 3 % and 2.5 standard errors of 150 exact regressions, for a test set that is never selected and for the pool."""
    x, y, x_test, y_test = digits
    architecture, ridge, draws, rng = lb.FullyConnected(2, "relu", 1.4, 0.1), 0.3, 150, np.random.default_rng(1)
    kernel, across = architecture.kernel(x), architecture.kernel(x_test, x)
    first, second = np.flatnonzero(y > 0), np.flatnonzero(y < 0)
    rates = {
        "uniform": np.full(150, 0.3),
        "weighted": np.random.default_rng(2).uniform(0.1, 0.8, 150),
        "stratified": np.where(y > 0, 40 / len(first), 12 / len(second)),
    }[draw]
    errors, right, sums, counts = [], [], np.zeros(150), np.zeros(150)
    for _ in range(draws):
        index = np.flatnonzero(rng.random(150) < rates)
        if draw == "stratified":
            index = np.concatenate([rng.permutation(first)[:40], rng.permutation(second)[:12]])
        f = learned(kernel, y, index, ridge, np.vstack([across, kernel]))
        errors.append(((f[: len(across)] - y_test) ** 2).mean())
        right.append((np.sign(f[: len(across)]) == y_test).mean())
        rest = np.setdiff1d(np.arange(150), index)
        sums[rest] += (f[len(across) :][rest] - y[rest]) ** 2
        counts[rest] += 1
    p = lb.predict_samples(kernel, y, rates.sum(), ridge, rates=rates, test_kernel=across, test_y=y_test)
    assert abs(p.test_set_mse / np.mean(errors) - 1) < 0.03 + 2.5 * np.std(errors) / np.sqrt(draws) / np.mean(errors)
    assert p.test_set_accuracy == pytest.approx(np.mean(right), abs=0.01)
    seen = counts > 20
    assert p.off_train_errors[seen].mean() == pytest.approx((sums[seen] / counts[seen]).mean(), rel=0.05)


def test_rows_that_are_never_selected_are_a_test_set(digits):
    x, y, x_test, y_test = digits
    architecture, noise = lb.FullyConnected(2, "relu", 1.4, 0.1), 0.2
    rates = np.where(y > 0, 0.5, 0.2)
    kernel, across = architecture.kernel(x), architecture.kernel(x_test, x)
    p = lb.predict_samples(kernel, y, rates.sum(), 0.3, noise, rates=rates, test_kernel=across, test_y=y_test)
    everything, labels = architecture.kernel(np.concatenate([x, x_test])), np.concatenate([y, y_test])
    q = lb.predict_samples(everything, labels, rates.sum(), 0.3, noise, rates=np.concatenate([rates, 0 * y_test]))
    assert np.allclose(q.off_train_errors, np.concatenate([p.off_train_errors, p.test_set_errors]), rtol=1e-9)
    clean = lb.predict_samples(everything, labels, rates.sum(), 0.3, rates=np.concatenate([rates, 0 * y_test]))
    assert clean.test_mse == pytest.approx((clean.overfitting_coefficients * clean.residual**2).mean(), rel=1e-8)


def test_a_test_set_that_is_the_pool_and_never_selected_has_the_mean_error(digits):
    """A point beside a sample, never selected itself, has the error of that sample over all training sets."""
    x, y, *_ = digits
    kernel = lb.FullyConnected(2, "relu", 1.4, 0.1).kernel(x)
    p = lb.predict_samples(kernel, y, 60, 0.3, test_kernel=kernel, test_y=y)
    assert p.test_set_mse == pytest.approx(float(p.test_mse), rel=1e-6)
    assert np.allclose(p.test_set_residual, p.residual, rtol=1e-6)


def test_which_samples_coincide(relu4):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((12, 3))
    x[[5, 9]], x[7] = x[2], x[1]
    for architecture in (relu4, lb.FullyConnected(1, "erf", 1.4, 0.1), lb.Laplace(1.0), lb.Gaussian(1.0)):
        sites = sites_of(architecture.kernel(x))
        assert sites.of.tolist() == [0, 1, 2, 3, 4, 2, 5, 1, 6, 2, 7, 8], architecture
        assert sites.copies.tolist() == [1, 2, 3, 1, 1, 1, 1, 1, 1]
    assert len(sites_of(np.ones((4, 4))).first) == 1


def test_errors_teach():
    y, kernel = np.ones(3), np.eye(3)
    for arguments, message in (
        ({"rates": [1.0, 1.0]}, "one per sample"),
        ({"rates": [1.0, -1.0, 1.0]}, "rates must be finite and >= 0"),
        ({"rates": np.zeros(3)}, "rates are all 0"),
        ({"rates": [3.0, 1.0, 1.0]}, "at most 1.66667 samples"),
        ({"test_kernel": np.ones((2, 3))}, "belong together"),
        ({"test_kernel": np.ones((2, 2)), "test_y": np.ones(2)}, r"must be \(T, 3\)"),
        ({"test_kernel": np.ones((2, 3)), "test_y": np.ones((2, 2))}, "test_y must be"),
    ):
        with pytest.raises(ValueError, match=message):
            lb.predict_samples(kernel, y, 2, **arguments)
