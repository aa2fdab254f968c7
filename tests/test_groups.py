"""Sampling by groups: rows that are selected together, errors on groups that are not (docs/research/groups.md)."""

from itertools import product

import numpy as np
import pytest
from scipy import linalg

import learnability as lb

FIELDS = (
    "learnability", "test_mse", "test_mse_off_train", "train_mse", "kappas", "residual", "off_train_errors", "accuracy",
    "off_train_residual", "test_set_errors", "test_set_residual", "test_set_accuracy", "accuracy_off_train",
)  # fmt: skip


def persons(number=40, seed=0, sizes=(3, 8)):
    """Rows of persons with an offset of their own: x, y, group."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(number), rng.integers(*sizes, number))
    x = 0.7 * (rng.standard_normal((number, 3))[group] + rng.standard_normal((len(group), 3)))
    y = np.sin(x[:, 0]) + x[:, 1] + rng.standard_normal(number)[group] + 0.3 * rng.standard_normal(len(group))
    return x, y - y.mean(), group


@pytest.mark.parametrize("ridge", [0.0, 0.3])
def test_groups_of_one_row_are_single_samples(relu4, ridge):
    rng = np.random.default_rng(0)
    x, tests = rng.standard_normal((60, 3)), rng.standard_normal((7, 3))
    for labels in (np.sign, lambda z: z**3, lambda z: np.eye(3)[np.digitize(z, (-0.5, 0.5))]):
        arguments = (relu4.kernel(x), labels(x[:, 0]), [0, 4, 30, 55, 60], ridge, 0.4, None)
        arguments += (relu4.kernel(tests, x), labels(tests[:, 0]))
        p, q = lb.predict_samples(*arguments), lb.predict_samples(*arguments, groups=[f"row {i}" for i in range(60)])
        for name in FIELDS:
            assert np.allclose(getattr(q, name), getattr(p, name), rtol=1e-6, atol=1e-8, equal_nan=True), name


@pytest.mark.parametrize("ridge", [0.0, 0.4])
def test_groups_that_see_nothing_of_each_other_are_enumerated(ridge):
    """Three groups of 1, 2 and 4 rows, two of which coincide: no cavity fluctuates, and the theory is exact."""
    group, rng = np.array([0, 1, 2, 1, 2, 2, 2]), np.random.default_rng(0)
    z = rng.standard_normal((7, 7))
    z[5] = z[4]
    kernel, y = z @ z.T * (group[:, None] == group), rng.standard_normal((7, 2))
    c, noise, cross = 0.3, 0.5, rng.standard_normal((1, 7)) * (group == 2)
    cross[0, 5] = cross[0, 4]
    off, own, new, tests = np.zeros((2, 7)), np.zeros((2, 7)), np.zeros((2, 7)), np.zeros((2, 1))
    for subset in product((False, True), repeat=3):
        weight, chosen = np.prod(np.where(subset, c, 1 - c)), np.array(subset)[group]
        matrix = kernel[np.ix_(chosen, chosen)] + ridge * np.eye(chosen.sum())
        inverse = linalg.pinvh(matrix) if chosen.any() else matrix
        smoother, away = np.zeros((7, 7)), np.zeros((1, 7))
        smoother[:, chosen], away[:, chosen] = kernel[:, chosen] @ inverse, cross[:, chosen] @ inverse
        miss = (y - smoother @ y).T
        new_noise = noise**2 * (1 + (smoother**2).sum(1))
        off += weight * ~chosen * (miss**2 + new_noise) / (1 - c)
        own += weight * chosen * (miss**2 + noise**2 * ((np.eye(7) - smoother) ** 2).sum(1)) / c
        new += weight * (miss**2 + new_noise)
        tests += weight * ((1 - away @ y).T ** 2 + noise**2 * (1 + (away**2).sum(1)))
    p = lb.predict_samples(kernel, y, c * 7, ridge, noise, None, cross, np.ones((1, 2)), groups=group)
    assert np.allclose(p.off_train_errors, off.T, rtol=1e-6)
    assert np.allclose(p.test_mse, new.mean(1), rtol=1e-6) and np.allclose(
        p.train_mse, own.mean(1), rtol=1e-6, atol=1e-9
    )
    assert np.allclose(p.test_set_errors, tests.T, rtol=1e-6)


def test_all_groups_leave_one_group_out(relu4):
    """At n = M the error off the training set is that of each group where all others are trained on."""
    x, y, group = persons(12)
    kernel = relu4.kernel(x)
    p = lb.predict_samples(kernel, y, len(y), 0.3, groups=group)
    for each in range(12):
        out = group == each
        coefficients = linalg.solve(kernel[np.ix_(~out, ~out)] + 0.3 * np.eye((~out).sum()), y[~out])
        assert np.allclose(p.off_train_residual[out], y[out] - kernel[np.ix_(out, ~out)] @ coefficients, rtol=1e-7)
    assert np.allclose(p.off_train_errors, p.off_train_residual**2)


@pytest.mark.parametrize(("ridge", "within"), [(0.1, 0.03), (1.0, 0.02)])
def test_new_persons_as_regression_on_random_persons_measures_them(ridge, within):
    """60 persons, 200 training sets of 30 of them: within 2 or 3 per cent and three standard errors; rows are far off."""
    x, y, group = persons(60, sizes=(1, 9))
    kernel, rng = lb.FullyConnected(1).kernel(x), np.random.default_rng(0)
    labels, errors = np.column_stack([y, x[:, 2]]), []
    for _ in range(200):
        chosen = np.isin(group, rng.permutation(60)[:30])
        matrix = kernel[np.ix_(chosen, chosen)] + ridge * np.eye(chosen.sum())
        rest = labels[~chosen] - kernel[np.ix_(~chosen, chosen)] @ linalg.solve(matrix, labels[chosen], assume_a="pos")
        errors.append((rest**2).mean(0))
    measured, standard_error = np.mean(errors, 0), np.std(errors, 0) / np.sqrt(200)
    p = lb.predict_samples(kernel, labels, len(y) / 2, ridge, groups=group)
    assert np.all(np.abs(p.test_mse_off_train - measured) < within * measured + 3 * standard_error)
    assert lb.predict_samples(kernel, labels, len(y) / 2, ridge).test_mse_off_train[0] < 0.9 * measured[0]


def test_a_kernel_that_is_nearly_singular_is_solved_at_the_ridge_that_it_needs():
    x, y, group = persons(40)
    with pytest.warns(lb.IllConditioned, match="smaller ridges are replaced"):
        p = lb.predict_samples(lb.Gaussian(2.0).kernel(x[:, :1]), y, [10, len(y) / 2], groups=group)
    assert np.isfinite(p.test_mse_off_train).all() and (p.newton_steps < 15).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"groups": [0, 1, 1]}, r"groups must be \(6,\), one per sample, got shape \(3,\)"),
        ({"groups": ["a"] * 6}, "all 6 samples are of one group.*leave groups out"),
        ({"groups": [0, 0, 1, 1, 2, np.nan]}, "not finite; leave these samples out"),
        ({"groups": [0, 0, 1, 1, 2, 2], "rates": np.ones(6)}, "give one of the two"),
    ],
)
def test_groups_that_cannot_be(arguments, message):
    with pytest.raises(ValueError, match=message):
        lb.predict_samples(np.eye(6), np.arange(6.0), 2, **arguments)
