import numpy as np
import pytest

import learnability as lb
from learnability.experiments import experiment
from learnability.experiments.linear_regression import exact_test_mse
from learnability.regression.cross_validation import estimate
from learnability.regression.ridge import ridge_regression
from learnability.theory.statistics import mean_squared_gradient, shifted_test_mse, sign_accuracy


def learned(domain, kernel, values, train_size, seeds, ridge=0.0):
    functions = []
    for seed in range(seeds):
        _, index = domain.sample(train_size, seed)
        functions.append(ridge_regression(kernel[np.ix_(index, index)], kernel[:, index], values[index], ridge))
    return np.array(functions)


def test_sign_accuracy(cube, relu4):
    kernel, spectrum, f = relu4.kernel(cube.points), cube.spectrum(relu4), cube.parity(3)(cube.points)
    for train_size in (32, 64, 128):
        found = np.mean(np.sign(learned(cube, kernel, f, train_size, 60)) == f, axis=1)
        predicted = float(sign_accuracy(lb.predict(spectrum, cube.parity(3), train_size), cube.size))
        assert np.mean(found) == pytest.approx(predicted, abs=0.02)
    ends = sign_accuracy(lb.predict(spectrum, cube.parity(3), [0, 256]), cube.size)
    assert ends.tolist() == pytest.approx([0.5, 1.0], abs=1e-6)


def test_sign_accuracy_is_not_claimed_with_ridge_or_noise(cube, relu4):
    spectrum = cube.spectrum(relu4)
    p = lb.predict(spectrum, cube.parity(2), 32, [0.0, 1.0, 0.0], [0.0, 0.0, 0.5])
    assert np.isnan(sign_accuracy(p, cube.size)).tolist() == [False, True, True]


def test_gradient_of_functions_on_the_circle(relu4):
    circle = lb.Circle(points=256)
    kernel, target = relu4.kernel(circle.points), circle.cosine(2)
    functions = learned(circle, kernel, target(circle.points), 64, 60)
    k = np.fft.fftfreq(256, 1 / 256)
    measured = ((np.abs(np.fft.fft(functions) / 256) ** 2) * k**2).sum(1)
    spectrum = circle.spectrum(relu4)
    predicted = float(mean_squared_gradient(lb.predict(spectrum, target, 64), spectrum.modes**2))
    assert measured.mean() == pytest.approx(predicted, rel=0.03)


def test_a_shifted_test_distribution(cube, relu4):
    """Test points from one half of the cube, on which all its eigenfunctions are correlated."""
    spectrum, kernel = cube.spectrum(relu4), relu4.kernel(cube.points)
    modes, basis = cube.eigenfunctions()
    value = dict(zip(spectrum.modes.tolist(), spectrum.eigenvalues, strict=True))
    fine = lb.Spectrum([value[mode] for mode in modes.tolist()])
    coefficients = np.zeros(256)
    coefficients[[1, 2, 7]] = 0.8, 0.5, 0.3
    f = basis @ coefficients
    half = cube.points[:, 0] + cube.points[:, 1] > 0
    overlap = basis[half].T @ basis[half] / half.sum()
    prediction = lb.predict(fine, lb.Target(coefficients**2), 48)
    assert shifted_test_mse(prediction, coefficients, np.eye(256)) == pytest.approx(float(prediction.test_mse))
    errors = ((learned(cube, kernel, f, 48, 200) - f)[:, half] ** 2).mean(1)
    difference = errors.mean() - shifted_test_mse(prediction, coefficients, overlap)
    assert abs(difference) < 4 * errors.std() / np.sqrt(200)
    assert abs(errors.mean() - prediction.test_mse) > 8 * errors.std() / np.sqrt(200)  # the shift is seen


def test_linear_regression_three_ways():
    """Theory, exact finite-sample formulas and simulation, below, at and above the rank."""
    rows = experiment("linear_regression")(20, [5, 10, 24, 40, 80], [0.0, 0.25], 0.5, draws=300, points=200)
    measured = rows[rows["source"] == "kernel"].set_index(["ridge", "train_size"])
    for train_size in (5, 10, 40, 80):
        row = measured.loc[(0.0, train_size)]
        assert abs(row["mean"] - exact_test_mse(20, train_size, 0.5)) < 4 * row["standard_error"] + 0.01
    assert ((measured.loc[0.25]["mean"] / measured.loc[0.25]["theory"] - 1).abs() < 0.06).all()
    at_rank = lb.predict(lb.Spectrum([1 / 20], [20]), lb.Target([1.0]), 20, 0.0, 0.5)
    assert at_rank.test_mse == np.inf and exact_test_mse(20, 20, 0.5) == np.inf
    for train_size in (10, 40):  # finite-size corrections are of order 1/dim
        theory = float(lb.predict(lb.Spectrum([1 / 20], [20]), lb.Target([1.0]), train_size, 0.0, 0.5).test_mse)
        assert exact_test_mse(20, train_size, 0.5) == pytest.approx(theory, rel=0.1)


def test_covariance_of_learned_coefficients(cube, relu4):
    """Means, variances and covariances within Monte-Carlo error; the paper misses a target's own variance."""
    degree = np.repeat([0, 1, 2], [1, 8, 28])  # the constant, parities of one bit, the first the target, and of two
    rows = experiment("covariance")(
        {"kind": "hypercube", "dim": 8},
        relu4.identity,
        None,
        [64],
        [0.0, 1.0],
        kernel_seeds=800,
        network_seeds=1,
        shown=len(degree),
    )
    rows = rows[rows["source"] == "kernel"].assign(z=(rows["mean"] - rows["theory"]) / rows["standard_error"])
    means, variances, pairs = (
        rows[rows["measure"] == measure] for measure in ("coefficient", "coefficient variance", "covariance")
    )
    assert means["z"].abs().max() < 4
    assert variances["z"].abs().max() < 4
    assert pairs["z"].abs().max() < 4.5 and pairs["z"].std() == pytest.approx(1, abs=0.1)
    # the target's own mode fluctuates less: its square is constant, where the theory's Gaussian modes have E[phi^4] = 3
    paper = lb.predict(cube.spectrum(relu4), cube.parity(1), 64)
    assert 0.28 < variances["mean"].iloc[1] / paper.coefficient_variance[1] < 0.36


def test_leave_one_out_is_leaving_one_out(cube, relu4):
    x, index = cube.sample(20, 0)
    kernel, y = relu4.kernel(x), np.column_stack([cube.parity(1)(x), cube.parity(2)(x)])
    for ridge in (0.0, 0.3):
        errors = []
        for left in range(20):
            rest = np.arange(20) != left
            found = ridge_regression(kernel[np.ix_(rest, rest)], kernel[left : left + 1, rest], y[rest], ridge)
            errors.append((found[0] - y[left]) ** 2)
        assert np.allclose(estimate(kernel, y, ridge).leave_one_out, np.mean(errors, 0), rtol=1e-8)


def test_estimators_agree_with_the_test_error(relu4):
    """On a domain much larger than the training set; without replacement there is none to leave."""
    cube = lb.Hypercube(dim=11)
    kernel, target, spectrum = relu4.kernel(cube.points), cube.parity(1), cube.spectrum(relu4)
    f = target(cube.points)
    for ridge in (0.0, 1.0):
        found = []
        for seed in range(40):
            _, index = cube.sample(64, seed)
            e = estimate(kernel[np.ix_(index, index)], f[index], ridge)
            off = np.ones(cube.size, dtype=bool)
            off[index] = False
            learned = ridge_regression(kernel[np.ix_(index, index)], kernel[:, index], f[index], ridge)
            found.append([e.gcv, e.leave_one_out, e.kappa, ((f - learned)[off] ** 2).mean()])
        gcv, loo, kappa, test = np.mean(found, 0)
        error = np.std(np.array(found)[:, :2] - np.array(found)[:, 3:], axis=0, ddof=1) / np.sqrt(40)
        assert abs(gcv - test) < 4 * error[0] and abs(loo - test) < 4 * error[1]
        assert kappa == pytest.approx(float(lb.predict(spectrum, target, 64, ridge).kappa), rel=0.03)


def test_estimates_need_a_definite_matrix():
    with pytest.raises(ValueError, match="remove duplicated points, or use a ridge"):
        estimate(np.ones((2, 2)), np.ones(2))


def test_kappa_of_a_mode_is_that_of_the_theory(relu4):
    rows = experiment("kappa_fluctuation")(
        {"kind": "hypercube", "dim": 8}, relu4.identity, [{"parity": 1}], [32], draws=200
    )
    rows = rows[rows["source"] == "kernel"]
    kappa, share = (rows[rows["measure"] == m].iloc[0] for m in ("kappa", "relative variance"))
    assert kappa["mean"] == pytest.approx(kappa["theory"], rel=0.05) and share["mean"] < 0.05


def test_the_parity_needs_exponentially_many_samples(relu4):
    rows = experiment("parity_hardness")(6, relu4.identity, seeds=5).set_index("source")["mean"]
    assert rows["bound"] < rows["kernel"] <= 64 and abs(rows["kernel"] - rows["theory"]) <= 3
