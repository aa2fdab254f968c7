import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.model_selection import ShuffleSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import learnability as lb
from learnability.sklearn import NTKRegressor


@pytest.mark.wrong_types
@parametrize_with_checks([NTKRegressor()])
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
