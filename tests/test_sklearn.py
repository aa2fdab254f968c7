import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_digits
from sklearn.model_selection import ShuffleSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import learnability as lb
from learnability.sklearn import NTKClassifier, NTKRegressor


@pytest.mark.wrong_types
@parametrize_with_checks([NTKRegressor(), NTKClassifier()])
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


def test_it_is_kernel_regression(relu4):
    rng = np.random.default_rng(0)
    x, y, x_test = rng.standard_normal((20, 5)), rng.standard_normal((20, 2)), rng.standard_normal((7, 5))
    parameters = relu4.identity
    for kernel in ("ntk", "nngp"):
        found = NTKRegressor(**parameters, ridge=0.1, kernel=kernel).fit(x, y).predict(x_test)
        assert np.allclose(found, lb.kernel_regression(relu4, x, y, x_test, 0.1, kernel), rtol=1e-12)


def test_cross_validation_measures_what_theory_predicts(relu4):
    """Shuffle splits of a table draw training sets without replacement, as the per-sample theory assumes."""
    x, y = load_diabetes(return_X_y=True)
    x, y = StandardScaler().fit_transform(x), (y - y.mean()) / y.std()
    n = len(x) // 2
    predicted = lb.predict_samples(relu4.kernel(x), y, n, ridge=3.0).test_mse_off_train
    model = make_pipeline(NTKRegressor(**relu4.identity, ridge=3.0))
    splits = ShuffleSplit(20, train_size=n, random_state=0)
    errors = -cross_val_score(model, x, y, cv=splits, scoring="neg_mean_squared_error")
    assert errors.mean() == pytest.approx(predicted, abs=3 * errors.std() / np.sqrt(20))


def test_classes_are_learned_as_samples_codes_them():
    """Decisions are regression on the outputs of a data set, whatever classes are called."""
    rng = np.random.default_rng(0)
    x, x_test = rng.standard_normal((40, 3)), rng.standard_normal((9, 3))
    network = lb.FullyConnected(1, bias_std=0.1)
    for names in (["no", "yes"], [False, True], [0, 1], [3, 8], ["a", "b", "c"], [1, 2, 5]):
        codes = rng.integers(len(names), size=40) if len(names) == 3 else (x[:, 0] > 0).astype(int)
        coded = np.where(codes > 0, 1.0, -1.0) if len(names) == 2 else np.eye(3)[codes] - 1 / 3
        learned = lb.kernel_regression(network, x, coded, x_test, 0.1)
        model = NTKClassifier(ridge=0.1).fit(x, np.array(names)[codes])
        assert np.allclose(model.decision_function(x_test), learned, rtol=1e-12)
        chosen = (learned > 0).astype(int) if len(names) == 2 else learned.argmax(1)
        assert model.predict(x_test).tolist() == np.array(names)[chosen].tolist()
    with pytest.raises(ValueError, match="one class only"):
        NTKClassifier().fit(x, np.zeros(40, int))


def test_cross_validation_measures_the_accuracy_that_theory_predicts():
    """On digits 4 and 9."""
    data = lb.Samples(*_digits())
    x, y = data.points, data.labels[:, 0]
    network, n = lb.FullyConnected(1, bias_std=0.1), 60
    predicted = lb.learning_curve(data, network, train_size=n, ridge=1.0).accuracy_off_train
    splits = ShuffleSplit(20, train_size=n, random_state=0)
    shares = cross_val_score(NTKClassifier(ridge=1.0), x, y, cv=splits)
    assert shares.mean() == pytest.approx(float(predicted), abs=0.01)


def _digits():
    images, digits = load_digits(return_X_y=True)
    chosen = np.isin(digits, [4, 9])
    return (images[chosen] - images[chosen].mean(0)) / images[chosen].std(), np.where(digits[chosen] == 4, 1.0, -1.0)


@pytest.mark.parametrize("kernel", ["ntk", "nngp"])
def test_a_weight_counts_a_row_so_many_times(kernel):
    rng = np.random.default_rng(0)
    x, y, times = rng.standard_normal((15, 2)), rng.standard_normal((15, 2)), rng.integers(0, 4, 15)
    model = NTKRegressor(ridge=0.3, kernel=kernel)
    weighted = model.fit(x, y, sample_weight=times).predict(x, return_std=True)
    repeated = model.fit(np.repeat(x, times, 0), np.repeat(y, times, 0)).predict(x, return_std=True)
    assert np.allclose(weighted[0], repeated[0], rtol=1e-9)
    if kernel == "nngp":
        assert np.allclose(weighted[1], repeated[1], rtol=1e-7)


def test_the_spread_is_that_of_functions_drawn_from_the_prior():
    """A trained network is f0 + A (y - f0(D)); a Bayesian one has the spread of that with labels as noisy as the ridge says."""
    rng, draws = np.random.default_rng(0), 20_000
    x, x_test, network = *rng.standard_normal((2, 12, 3)), lb.FullyConnected(1, bias_std=0.1)
    both = np.concatenate([x, x_test])
    initial = np.linalg.cholesky(network.kernel(both, kind="nngp")) @ rng.standard_normal((24, draws))
    for kernel, noise in (("ntk", 0.0), ("nngp", 0.2)):
        seen = initial[:12] + np.sqrt(noise) * rng.standard_normal((12, draws))
        trained = initial[12:] + lb.kernel_regression(network, x, x[:, :1] - seen, x_test, 0.2, kernel)
        _, spread = NTKRegressor(ridge=0.2, kernel=kernel).fit(x, x[:, 0]).predict(x_test, return_std=True)
        assert np.allclose(spread, trained.std(1), rtol=0.03)
