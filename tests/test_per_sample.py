"""The per-sample theory, against its limits, linear algebra and exact regression on real data."""

import numpy as np
import pytest
from scipy import linalg, stats
from sklearn.datasets import load_diabetes

import learnability as lb
from learnability.domains import domain_from
from learnability.domains.kernel_on_domain import KernelOnDomain
from learnability.tables.theory import theory_table
from learnability.theory import per_sample, sample_equations
from learnability.theory.classes import ClassOutputs

FIELDS = ("learnability", "test_mse", "test_mse_off_train", "train_mse")


@pytest.fixture(scope="module")
def digits():
    return domain_from({"kind": "data", "name": "digits", "samples": 300})


@pytest.fixture(scope="module")
def diabetes():
    x, y = load_diabetes(return_X_y=True)
    return lb.Samples((x - x.mean(0)) / x.std(0), (y - y.mean()) / y.std())


@pytest.mark.parametrize("kind", ["cube", "circle"])
def test_points_that_are_all_alike_have_the_closed_forms_of_a_finite_population(kind, relu4):
    domain = lb.Hypercube(dim=6) if kind == "cube" else lb.Circle(points=40)
    target = domain.parity(2) if kind == "cube" else domain.cosine(2)
    grid = (np.array([0, 1.5, 10, 30, 39])[:, None, None], np.array([0, 0.05, 2.0])[:, None], np.array([0.0, 0.5]))
    samples = lb.predict_samples(relu4.kernel(domain.points), target(domain.points), *grid)
    closed = lb.predict(domain.spectrum(relu4), target, *grid, population=domain.size)
    for name in FIELDS:
        assert np.allclose(getattr(samples, name), getattr(closed, name), rtol=1e-5, atol=1e-9), name
    assert np.allclose(samples.kappas[1:], closed.kappa[1:, ..., None], rtol=1e-5)


def test_the_whole_data_set_is_linear_algebra(diabetes, relu4):
    kernel, y, noise = relu4.kernel(diabetes.points), diabetes.labels[:, 0], 0.3
    size = len(y)
    p = lb.predict_samples(kernel, y, size, [0.5, 5.0], noise)
    for number, ridge in enumerate((0.5, 5.0)):
        inverse = np.linalg.inv(kernel + ridge * np.eye(size))
        smoother = kernel @ inverse
        alpha = (inverse @ y) ** 2 + noise**2 * (inverse**2).sum(1)
        assert p.train_mse[number] == pytest.approx(ridge**2 * alpha.mean(), rel=1e-8)
        assert np.allclose(p.off_train_errors[number], alpha / np.diag(inverse) ** 2, rtol=1e-8)
        error = ((y - smoother @ y) ** 2).mean() + noise**2 * (smoother**2).sum() / size + noise**2
        assert p.test_mse[number] == pytest.approx(error, rel=1e-8)
        assert np.allclose(p.residual[number], y - smoother @ y)
    assert lb.predict_samples(kernel, y, size).test_mse == pytest.approx(0, abs=1e-12)
    nothing = lb.predict_samples(kernel, y, 0, 1.0, noise)
    assert nothing.test_mse == pytest.approx((y**2).mean() + noise**2) and nothing.learnability == 0


def test_no_ridge_is_the_limit_of_a_small_one(digits, relu4):
    kernel = relu4.kernel(digits.points)
    exact, near = (lb.predict_samples(kernel, digits.labels, [50, 250], ridge) for ridge in (0.0, 1e-7))
    for name in FIELDS:
        assert np.allclose(getattr(exact, name), getattr(near, name), rtol=1e-3, atol=1e-6), name


def test_units_order_and_outputs(diabetes, relu4):
    kernel = relu4.kernel(diabetes.points)[:120, :120]
    y = np.column_stack([diabetes.labels[:120, 0], diabetes.points[:120, 3]])
    both = lb.predict_samples(kernel, y, [30, 100], 0.3, 0.2)
    order = np.random.default_rng(0).permutation(120)
    shuffled = lb.predict_samples(5 * kernel[np.ix_(order, order)], y[order], [30, 100], 1.5, 0.2)
    for name in FIELDS:
        assert np.allclose(getattr(both, name), getattr(shuffled, name), rtol=1e-5), name
        for output in range(2):
            single = lb.predict_samples(kernel, y[:, output], [30, 100], 0.3, 0.2)
            assert np.allclose(getattr(both, name)[:, output], getattr(single, name), rtol=1e-5), name
    assert np.allclose(both.off_train_errors[:, order], shuffled.off_train_errors, rtol=1e-4)
    clean = lb.predict_samples(kernel, y[:, 0], [30, 100], 0.3)
    assert np.allclose(clean.test_mse, (clean.overfitting_coefficients * clean.residual**2).mean(-1))


@pytest.mark.parametrize("name", ["digits", "diabetes"])
def test_real_data(name, request, relu4):
    """Within 5 % or 2.5 standard errors of exact regression, where the spectrum alone is up to 30 % off; hard samples are."""
    data, rng, draws = request.getfixturevalue(name), np.random.default_rng(0), 60
    kernel, y = relu4.kernel(data.points), data.labels
    size = len(y)
    for share, ridge in ((0.5, 0.0), (0.9, 0.0), (0.7, 0.1)):
        n = int(share * size)
        everywhere, off, sums, counts = [], [], np.zeros(size), np.zeros(size)
        for _ in range(draws):
            index = rng.permutation(size)[:n]
            alpha = linalg.solve(kernel[np.ix_(index, index)] + ridge * np.eye(n), y[index], assume_a="pos")
            errors = ((y - kernel[:, index] @ alpha) ** 2).mean(1)
            out = np.ones(size, dtype=bool)
            out[index] = False
            everywhere.append(errors.mean())
            off.append(errors[out].mean())
            sums[out] += errors[out]
            counts[out] += 1
        p = lb.predict_samples(kernel, y, n, ridge)
        for found, predicted in ((everywhere, p.test_mse), (off, p.test_mse_off_train)):
            allowed = max(0.05 * np.mean(found), 2.5 * np.std(found) / np.sqrt(draws))
            assert abs(np.mean(predicted) - np.mean(found)) < allowed, (
                share,
                ridge,
                np.mean(predicted),
                np.mean(found),
            )
        seen = counts >= 5
        measured, predicted = (sums[seen] / counts[seen], p.off_train_errors.mean(1)[seen])
        assert np.corrcoef(np.log(measured), np.log(predicted))[0, 1] > 0.9


def test_signs_are_predicted(relu4):
    data = domain_from({"kind": "data", "name": "digits", "classes": [4, 9]})
    kernel, f, rng = relu4.kernel(data.points), data.labels[:, 0], np.random.default_rng(0)
    right = []
    for _ in range(60):
        index = rng.permutation(len(f))[:40]
        alpha = linalg.solve(kernel[np.ix_(index, index)] + 1.0 * np.eye(40), f[index], assume_a="pos")
        right.append((np.sign(kernel[:, index] @ alpha) == f).mean())
    assert lb.predict_samples(kernel, f, 40, 1.0).accuracy == pytest.approx(np.mean(right), abs=0.01)


def test_the_largest_output_is_right_as_often_as_predicted(digits, relu4):
    kernel, y, rng, size = relu4.kernel(digits.points), digits.labels, np.random.default_rng(0), 300
    rights = y.argmax(1)
    for n, ridge, noise in ((200, 0.0, 0.0), (100, 0.5, 0.2)):
        everywhere, off = [], []
        for _ in range(60):
            index = rng.permutation(size)[:n]
            noisy = y[index] + noise * rng.standard_normal((n, 10))
            alpha = linalg.solve(kernel[np.ix_(index, index)] + ridge * np.eye(n), noisy, assume_a="pos")
            right = (kernel[:, index] @ alpha).argmax(1) == rights
            everywhere.append(right.mean())
            off.append(np.delete(right, index).mean())
        p = lb.predict_samples(kernel, y, n, ridge, noise)
        assert p.accuracy == pytest.approx(np.mean(everywhere), abs=0.01)
        assert p.accuracy_off_train == pytest.approx(np.mean(off), abs=0.015)
        mean_only = ((y - p.off_train_residual).argmax(1) == rights).mean()
        assert mean_only > max(np.mean(off), p.accuracy_off_train) + 0.005  # the spread is what makes errors
    assert np.isnan(lb.predict_samples(kernel, y @ np.diag(np.arange(1.0, 11)), 50).accuracy)


def test_the_largest_of_gaussian_outputs():
    """Two outputs: the closed form; equal means and variances: one in their number; three: SciPy's integral."""
    rng = np.random.default_rng(0)
    root = rng.standard_normal((20, 3, 3))
    covariance, mean = root @ root.swapaxes(1, 2), rng.standard_normal((20, 3))
    two = ClassOutputs(mean[:, :2], covariance[:, :2, :2], np.zeros(20, int)).right
    spread = np.sqrt(covariance[:, 0, 0] + covariance[:, 1, 1] - 2 * covariance[:, 0, 1])
    assert np.allclose(two, stats.norm.cdf((mean[:, 0] - mean[:, 1]) / spread), atol=0.03)
    contrast = np.array([[1.0, -1, 0], [1, 0, -1]])
    three = ClassOutputs(mean, covariance, np.zeros(20, int)).right
    for found, m, c in zip(three, mean, covariance, strict=True):
        integral = stats.multivariate_normal.cdf(contrast @ m, cov=contrast @ c @ contrast.T)
        assert found == pytest.approx(integral, abs=0.03)
    rounding = 1e-14 * np.eye(3)[[1, 2, 0]]  # turns the eigenvectors of equal eigenvalues
    alike = np.tile(np.eye(3), (20, 1, 1))
    one, other = (
        ClassOutputs(mean, alike + part + part.T, np.zeros(20, int)).right for part in (0 * rounding, rounding)
    )
    assert np.array_equal(one, other)
    equal = ClassOutputs(np.zeros((1, 10)), np.eye(10)[None], np.array([3])).right
    assert equal[0] == pytest.approx(0.1, abs=0.03)


def test_duplicated_samples_work(relu4):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((20, 3)), rng.standard_normal(20)
    kernel = relu4.kernel(np.concatenate([x, x[:5]]))
    p = lb.predict_samples(kernel, np.concatenate([y, y[:5]]), [5, 15, 24])
    assert np.isfinite(p.test_mse).all() and (np.diff(p.test_mse) < 0).all()


def test_targets_are_solved_together_and_predicted_as_if_alone(relu4):
    rng = np.random.default_rng(0)
    x, tests = rng.standard_normal((50, 3)), rng.standard_normal((7, 3))
    x[10] = x[11]  # samples that coincide
    classes = np.eye(3)[np.digitize(x[:, 0], [-0.5, 0.5])]
    targets = [x[:, 1], np.sign(x[:, 2]), classes - classes.mean(0), np.stack([x[:, 0], x[:, 1] ** 2], 1)]
    there = [tests[:, 0], np.sign(tests[:, 1]), np.roll(np.eye(3), 1)[[0, 1, 2, 0, 1, 2, 0]], tests[:, :2]]
    kernel, across = relu4.kernel(x), relu4.kernel(tests, x)
    grid, rates = ([5, 20], [[0.01], [1.0]], 0.3), np.where(x[:, 0] > -2, 1.0, 0.0)
    together = per_sample.predict_targets(kernel, targets, *grid, rates, (across, there))
    for prediction, y, test_y in zip(together, targets, there, strict=True):
        alone = lb.predict_samples(kernel, y, *grid, rates, across, test_y)
        for name, values in vars(alone).items():
            np.testing.assert_allclose(getattr(prediction, name), values, rtol=1e-10, atol=1e-12, err_msg=name)


def test_a_table_of_several_targets_costs_the_factorizations_of_one(relu4, monkeypatch):
    x = np.random.default_rng(0).standard_normal((40, 3))
    data = lb.Samples(x, np.stack([x[:, 0], np.sin(x[:, 1]), np.sign(x[:, 2])], 1))
    learner, factorized = KernelOnDomain(data, relu4), []
    inverse = sample_equations.lower_inverse
    monkeypatch.setattr(sample_equations, "lower_inverse", lambda *a: factorized.append(1) or inverse(*a))
    theory_table(learner, {"one": data.label(0)}, [5, 10, 20], [0.1], [0.0])
    of_one = len(factorized)
    table = theory_table(learner, {str(k): data.label(k) for k in range(3)}, [5, 10, 20], [0.1], [0.0])
    assert len(factorized) == 2 * of_one and table["target"].tolist() == [*3 * "0", *3 * "1", *3 * "2"]
    assert table["accuracy"].notna().tolist() == 6 * [False] + 3 * [True]


def test_errors_teach():
    y = np.ones(3)
    for arguments, message in (
        ((np.ones((3, 2)), y, 1), "square kernel matrix"),
        ((np.triu(np.ones((3, 3))), y, 1), "not symmetric"),
        ((np.eye(3), np.ones(4), 1), "the matrix has 3 rows, y 4"),
        ((np.eye(3), y, 4), "train_size 4 is more than the 3 samples"),
        ((np.eye(3), y, 1, -1.0), "ridge must be finite and >= 0"),
        ((np.full((3, 3), np.nan), y, 1), "not finite"),
        ((-np.eye(3), y, 1), "not positive semi-definite"),
    ):
        with pytest.raises(ValueError, match=message):
            lb.predict_samples(*arguments)
