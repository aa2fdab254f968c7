"""Learning curves beyond the samples, predictions that check themselves, best ridges and the spread over training sets."""

import numpy as np
import pytest
from scipy import linalg, optimize

import learnability as lb
from learnability.regression.resampling import _spread, resample
from learnability.theory.best_ridge import best_ridge
from learnability.theory.continuation import continued
from learnability.theory.curve_families import Posterior, members
from learnability.theory.self_check import self_check

RELU = lb.FullyConnected(1, "relu", 1.4, 0.1)


def smooth_table(size, dim=4, noise=0.3, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((size, dim))
    y = np.sin(x[:, 0]) + 0.5 * x[:, 1] * x[:, 2] + noise * rng.standard_normal(size)
    return x, (y - y.mean()) / y.std()


@pytest.fixture(scope="module")
def table():
    """Kernel matrix and labels of 100 samples."""
    x, y = smooth_table(100)
    return RELU.kernel(x), y


def test_points_that_are_all_alike_continue_by_one_equation(relu4):
    """nu Q = c - 1 for one number nu, and errors from sums over eigenvalues."""
    domain = lb.Circle(points=40)
    kernel, y, ridge = relu4.kernel(domain.points), domain.cosine(2)(domain.points)[:, None], 0.05
    values, vectors = linalg.eigh(kernel)
    curve = continued(kernel, y, ridge, (1.25, 2.0, 6.0))
    for c, errors in zip(curve.shares, curve.errors, strict=True):

        def excess(nu, c=c):
            return nu * (1 / (values + ridge - nu)).mean() - (c - 1)

        nu = optimize.brentq(excess, 0, (values.min() + ridge) * (1 - 1e-12), xtol=1e-15)
        inverse = 1 / (values + ridge - nu)
        own, alpha = inverse.mean(), (inverse * (vectors.T @ y)[:, 0]) ** 2
        theta = (inverse**2).mean() / own**2
        assert errors.mean() == pytest.approx(c * alpha.mean() / own**2 / (1 + (c - 1) * theta), rel=1e-4)
    assert len(curve.shares) == 3


def test_the_continuation_begins_at_the_leave_one_out_errors(table):
    kernel, y = table
    curve = continued(kernel, y[:, None], 0.1, (1.0001,))
    left_out = lb.predict_samples(kernel, y, 100, 0.1).off_train_errors
    assert np.allclose(curve.errors[0], left_out, rtol=2e-2, atol=1e-3 * left_out.max())
    before = lb.predict_samples(kernel, y, 99.99, 0.1).test_mse_off_train
    assert (before + curve.errors[0].mean()) / 2 == pytest.approx(left_out.mean(), rel=1e-6)  # smooth through n = M


def test_quantities_of_the_kernel_continue_to_twice_the_samples():
    """sigma^2 + delta = c / Q_xx, the variance at a sample that is left out, of 400 samples from 200 of them."""
    x, y = smooth_table(400)
    kernel = RELU.kernel(x)
    curve = continued(kernel[:200, :200], y[:200, None], 0.1, (1.25, 1.5, 2.0))
    half, whole = ((1 / np.diag(linalg.inv(kernel[:n, :n] + 0.1 * np.eye(n)))).mean() for n in (200, 400))
    assert 2 * 2**-curve.exponent == pytest.approx(whole / half, rel=0.1)


def test_a_family_member_is_recovered():
    shares = np.array([0.25, 0.5, 1.0, 1.5])
    rng = np.random.default_rng(0)
    for exponent, floor in ((0.5, 0.0), (1.5, 0.4)):
        truth = (1 - floor) * shares[:, None] ** -exponent + floor
        errors = truth * rng.chisquare(1, 2000)  # the same samples are hard at every size
        low, median, high = Posterior.of(shares, errors).quantiles(
            np.array([2.0]), np.array([0.05, 0.5, 0.95]), 0.0, 1.0
        )[:, 0]
        expected = np.log((1 - floor) * 2**-exponent + floor)
        assert low < expected < high and median == pytest.approx(expected, abs=0.1)
    assert np.allclose(members(np.array([1.0])), 1)


@pytest.mark.parametrize("ridge", [0.3, "best"])
def test_four_times_the_samples(ridge):
    x, y = smooth_table(500)
    kernel, measured = RELU.kernel(x), []
    curve = lb.extrapolate(kernel[:100, :100], y[:100], [100, 200, 400], ridge)
    for size, delta in zip((100, 200, 400), curve.ridges, strict=True):
        measured.append(resample(kernel, y, size, delta, draws=10).mean)
    falls = np.array(measured) / measured[0]
    assert (np.abs(curve.table["fall"] / falls - 1) < [1e-6, 0.1, 0.2]).all()
    assert (curve.table["fall_low"] <= falls * (1 + 1e-6)).all() and (
        falls <= curve.table["fall_high"] * (1 + 1e-6)
    ).all()
    assert (curve.table["low"] < measured).all() and (measured < curve.table["high"]).all()
    assert (curve.table["least"] <= falls * (1 + 1e-6)).all()
    assert list(curve.table) == ["train_size", "test_mse", "low", "high", "fall", "fall_low", "fall_high", "least"]
    now = lb.predict_samples(kernel[:100, :100], y[:100], 100, curve.ridges[0]).test_mse_off_train
    assert curve.table["test_mse"][0] == pytest.approx(float(now), rel=0.01)


def test_samples_needed_are_where_the_table_is(table):
    kernel, y = table
    curve = lb.extrapolate(kernel, y, [150, 300], 0.3)
    median, low, high = curve.samples_needed(fall=float(curve.table["fall"][1]))
    assert median == pytest.approx(300, rel=0.02) and low < 300 < high
    assert curve.samples_needed(error=float(curve.table["test_mse"][0]))[0] == pytest.approx(150, rel=0.03)
    assert curve.samples_needed(fall=1.0) == pytest.approx((100, 100, 100), rel=1e-4)
    assert curve.samples_needed(fall=1e-6) == (np.inf, np.inf, np.inf)
    wide, narrow = (lb.extrapolate(kernel, y, 300, 0.3, coverage=share).table.iloc[0] for share in (0.95, 0.5))
    assert wide["low"] < narrow["low"] < narrow["high"] < wide["high"]


def test_it_says_when_it_must_not_be_trusted(table, relu4):
    kernel, y = table
    rng, cube = np.random.default_rng(0), lb.Hypercube(dim=7)
    x, index = cube.points, rng.permutation(128)[:90]
    outlier = np.where(np.arange(100) == 3, 30.0, y)
    cases = [
        ((kernel, y, 0.3), None),
        ((kernel, smooth_table(100, noise=1.0)[1], 3.0), "little is learned yet"),
        ((kernel, rng.standard_normal(100), 0.0), "worse than predicting 0"),
        ((relu4.kernel(x[index]), cube.parity(2)(x[index]), 0.0), "still steepens"),
        ((kernel, outlier, 0.3), "samples make more than a quarter"),
        ((lb.Gaussian(1.0).kernel(rng.standard_normal((100, 1))), y, 0.0), "trust the measured value"),
    ]
    for (matrix, labels, ridge), text in cases:
        remarks = lb.extrapolate(matrix, labels, 200, ridge).remarks
        assert any(text in remark for remark in remarks) if text else remarks == [], (text, remarks)


def test_several_outputs_have_their_mean_error(table):
    """Classes in one-hot outputs too: turned labels have the same mean error."""
    kernel, y = table
    one_hot = np.eye(2)[(y > 0).astype(int)]
    both, single = (lb.extrapolate(kernel, labels, 200, 0.3).table for labels in (one_hot - 0.5, one_hot[:, 0] - 0.5))
    assert np.allclose(both, single, rtol=1e-6)


def test_samples_that_coincide_are_extrapolated_from_the_curve_up_to_them(table):
    kernel, y = table
    partly = np.arange(120) % 100
    curve = lb.extrapolate(kernel[np.ix_(partly, partly)], y[partly], 240)
    assert any("could not be continued" in remark for remark in curve.remarks)
    assert np.isfinite(curve.table.to_numpy()).all()
    twice = np.arange(200) % 100
    with pytest.raises(ValueError, match="give samples that coincide once"):
        lb.extrapolate(kernel[np.ix_(twice, twice)], y[twice], 400)


def test_a_prediction_checks_itself(table):
    kernel, y = table
    check = self_check(kernel, y, ridge=0.3)
    assert check.holds and check.remark() is None and check.train_size == 50
    assert check.predicted == pytest.approx(float(lb.predict_samples(kernel, y, 50, 0.3).test_mse_off_train))
    wrong = self_check(kernel, y, ridge=0.3, predicted=1.3 * check.predicted)
    assert not wrong.holds and "trust the measured value" in wrong.remark()


def test_nearly_singular_kernels_are_seen_and_a_ridge_is_recommended():
    """One column and a smooth kernel: interpolation has no mean worth the name; the recommended ridge has."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((120, 1))
    y = np.sin(2 * x[:, 0]) + 0.2 * rng.standard_normal(120)
    for kernel in (lb.Gaussian(1.0), lb.FullyConnected(1, "erf", 1.4, 0.3)):
        matrix = kernel.kernel(x)
        check = self_check(matrix, y)
        assert not check.holds and check.measured > 2 * check.predicted
        assert self_check(matrix, y, ridge=check.holding_ridge).holds


def test_the_best_ridge(table):
    """Its error is that of a fine grid within a per mille; a factor of 1.5 costs about a per cent; 0 where no ridge is best."""
    kernel, y = table
    ridges = best_ridge(kernel, y, [30, 60, 100])
    for size, ridge in zip((30, 60, 100), ridges, strict=True):
        values = lb.predict_samples(kernel, y, size, np.geomspace(1e-3, 10, 60)).test_mse_off_train
        beside = lb.predict_samples(kernel, y, size, [ridge / 1.5, ridge, ridge * 1.5]).test_mse_off_train
        assert beside[1] < 1.001 * values.min() and (beside < 1.02 * values.min()).all()
    both = best_ridge(kernel, np.column_stack([y, y]), [30])
    assert both[0] == pytest.approx(ridges[0], rel=1e-3)
    assert best_ridge(kernel, smooth_table(100)[0][:, 0], [60])[0] == 0  # without noise
    with pytest.raises(ValueError, match="train_sizes must be from 2 to the 100 samples"):
        best_ridge(kernel, y, [1])


def test_of_ten_training_samples_the_best_ridge_is_found_too():
    """Leave-one-out errors of a few tens of samples are too few: they said that no ridge is best, 23 % above the minimum."""
    from sklearn.datasets import load_diabetes

    x, y = load_diabetes(return_X_y=True)
    x, y = (x[:300] - x[:300].mean(0)) / x[:300].std(0), (y[:300] - y[:300].mean()) / y[:300].std()
    kernel = lb.FullyConnected(1, "relu", 2**0.5, 0.1).kernel(x)
    for size in (5, 10, 16):
        values = lb.predict_samples(kernel, y, size, [best_ridge(kernel, y, [size])[0], *np.geomspace(0.01, 10, 13)])
        assert values.test_mse_off_train[0] < 1.02 * values.test_mse_off_train.min()


def test_the_best_ridge_of_a_part_is_that_of_all():
    """The pool of 256 of 600 samples leads to an error within half a per cent of the smallest on all of them."""
    x, y = smooth_table(600)
    kernel = RELU.kernel(x)
    ridge = best_ridge(kernel, y, [60])[0]
    values = lb.predict_samples(kernel, y, 60, [ridge, *np.geomspace(0.03, 3, 12)]).test_mse_off_train
    assert values[0] < 1.005 * values.min()


@pytest.mark.parametrize(("size", "train_size"), [(300, 50), (150, 75)])
def test_the_spread_is_that_of_independent_training_sets_and_an_endless_test_set(size, train_size):
    """Against 100 disjoint training sets, all scored on 2,000 other samples."""
    x, y = smooth_table(2000 + 100 * train_size)
    measured = resample(RELU.kernel(x[:size]), y[:size], train_size, 0.1, draws=100)
    errors = []
    for draw in range(100):
        train = 2000 + train_size * draw + np.arange(train_size)
        alpha = linalg.solve(RELU.kernel(x[train]) + 0.1 * np.eye(train_size), y[train], assume_a="pos")
        errors.append(((y[:2000] - RELU.kernel(x[:2000], x[train]) @ alpha) ** 2).mean())
    assert measured.spread == pytest.approx(np.std(errors, ddof=1), rel=0.3)


@pytest.mark.parametrize(("share", "of_samples"), [(0.25, 0.1), (0.5, 0.1), (0.7, 0.15)])
def test_pairs_of_neighbours_count_for_nothing_in_the_spread(share, of_samples):
    """Samples that change the error by h_i + g_ix, g symmetric: the spread is that of h; the mean over 40 pools to 15 %."""
    size, rng = 200, np.random.default_rng(0)
    n, squares = int(share * size), []
    for _ in range(40):
        pairs = np.triu(rng.standard_normal((size, size)), 1)
        change = of_samples * rng.standard_normal((size, 1)) + pairs + pairs.T
        scored = np.full((24, size), np.nan)
        for errors in scored:
            train, rest = np.split(rng.permutation(size), [n])
            errors[rest] = change[np.ix_(train, rest)].sum(0)
        squares.append(_spread(scored, 1 - n / size, endless=True) ** 2)
    assert np.sqrt(np.nanmean(squares)) == pytest.approx(of_samples * np.sqrt(n), rel=0.15)


def test_a_draw_is_the_same_whatever_the_number_of_draws(table):
    kernel, y = table
    few, many = (resample(kernel, y, 50, 0.1, draws=number).errors for number in (5, 10))
    assert np.array_equal(few, many[:5])


def test_errors_teach(table):
    kernel, y = table
    for arguments, message in (
        ((kernel, y[:50], 200), "the matrix has 100 rows, y 50"),
        ((kernel[:50], y, 200), "square kernel matrix"),
        ((kernel, y, 50), "train_size must be from the 100 samples"),
        ((kernel, y, 2000), "16 times as many"),
        ((kernel[:10, :10], y[:10], 20), "at least 20 samples"),
        ((kernel, y, 200, "auto"), 'ridge must be a number or "best"'),
        ((kernel, y, 200, 0.0, 1.0), "coverage must be between 0 and 1"),
    ):
        with pytest.raises(ValueError, match=message):
            lb.extrapolate(*arguments)
    curve = lb.extrapolate(kernel, y, 200, 0.3)
    with pytest.raises(ValueError, match="either an error or a fall"):
        curve.samples_needed()
    with pytest.raises(ValueError, match="train_size must be a whole number from 1 to 99"):
        resample(kernel, y, 100)
