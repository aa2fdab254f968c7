import numpy as np
import pytest

import learnability as lb
from learnability.experiments.random_features import draw_errors
from learnability.theory.prediction import predict
from learnability.theory.random_features import RandomFeatures, effective_regularization

MEASURES = ("kappa", "overfitting_coefficient", "learnability", "bias", "test_mse", "train_mse", "variance")
SIZES = [0, 1e-9, 0.5, 7, 60, 178, 1000]


def solve(*grids):
    *others, features = grids
    return vars(RandomFeatures(features).solve(*others))


def random_spectrum(tail=0.0, scale=1.0, levels=40):
    rng = np.random.default_rng(0)
    values = np.sort(np.exp(rng.uniform(-12, 2, levels)))[::-1]
    return lb.Spectrum(values * scale, rng.integers(1, 9, levels), tail * scale)


def grid(*axes):
    return [np.ravel(axis).astype(float) for axis in np.meshgrid(*axes, indexing="ij")]


def result(spectrum, power, n, ridge, noise, k, beyond=0.0):
    power = np.asarray(power, dtype=float).reshape(len(spectrum), -1)
    arguments = np.broadcast_arrays(*np.atleast_1d(n, ridge, noise, k))
    return solve(spectrum, power, np.full(power.shape[1], beyond), *(a.astype(float) for a in arguments))


@pytest.mark.parametrize("tail", [0.0, 0.3])
def test_infinitely_many_features_are_the_kernel(tail):
    spectrum, power = random_spectrum(tail), np.random.default_rng(1).random((40, 2))
    n, ridge, noise = grid(SIZES, [0, 1e-9, 1e-3, 1, 1e6], [0, 0.5])
    kernel = predict(spectrum, lb.Target(power), n, ridge, noise)
    found = result(spectrum, power, n, ridge, noise, np.inf)
    for name in MEASURES:
        assert np.allclose(found[name], getattr(kernel, name), rtol=1e-12, atol=0), name
    learned, spread = kernel.mode_learnabilities, kernel.coefficient_variance
    assert np.allclose(found["mode_learnabilities"](), learned, rtol=1e-12, atol=0)
    assert np.allclose(found["coefficient_variance"](), spread, rtol=1e-12, atol=0)
    many = result(spectrum, power, n, ridge, noise, 1e15)
    finite = np.isfinite(found["test_mse"])
    assert np.allclose(many["test_mse"][finite], found["test_mse"][finite], rtol=1e-10)


@pytest.mark.parametrize("tail", [0.0, 0.3])
@pytest.mark.parametrize("features", [0.3, 7, 60])
def test_infinitely_many_samples_are_limited_by_the_features(features, tail):
    spectrum, power = random_spectrum(tail), np.ones(40)
    found = result(spectrum, power, np.inf, [0.0, 3.0], 0.5, features, beyond=0.2)
    kappa = predict(spectrum, lb.Target(power), features).kappa  # k = sum m L + tail/kappa
    missed = 1 / (1 + spectrum.eigenvalues / kappa)
    assert np.allclose(found["kappa"], kappa, rtol=1e-12)
    assert np.allclose(found["test_mse"], missed.sum() + 0.2 + 0.25, rtol=1e-12)  # v^2 to the first power of 1 - L
    assert np.allclose(found["train_mse"], found["test_mse"], rtol=1e-12)
    assert np.array_equal(found["overfitting_coefficient"], [1, 1])
    many = result(spectrum, power, 1e15, [0.0, 3.0], 0.5, features, beyond=0.2)
    for name in MEASURES:
        assert np.allclose(many[name], found[name], rtol=1e-9), name


@pytest.mark.parametrize("tail", [0.0, 0.3])
@pytest.mark.parametrize("scale", [1e-15, 1.0, 1e15])
def test_conservation_law_and_the_equations_of_the_paper(scale, tail):
    spectrum, power = random_spectrum(tail, scale), np.random.default_rng(1).random(40)
    n, ridge, k = grid([0.5, 7, 60, 178, 1000], [1e-3, 1, 1e3], [0.3, 7, 61, 178, 300])
    ridge = ridge * scale
    found = result(spectrum, power, n, ridge, 0.5, k)
    lam, gamma = spectrum.eigenvalues, found["kappa"][:, None]
    learned = lam / (lam + gamma)
    z = learned @ spectrum.multiplicities + spectrum.tail / found["kappa"]
    q = learned**2 @ spectrum.multiplicities
    assert np.allclose((n - z) * (k - z), k * ridge / found["kappa"], rtol=1e-12, atol=1e-13 * (n * k).max())
    kappa = found["kappa"] * (1 - z / k)  # from the paper's sum over features
    apart = (1 - z / k > 1e-5) & (1 - z / n > 1e-5)  # elsewhere the paper's differences cancel, the library's do not
    assert apart.mean() > 0.8
    with np.errstate(divide="ignore"):
        overfitting = 1 / (1 - (q * (k - 2 * z) + z**2) / (n * (k - q)))
    unlearned = gamma / (lam + gamma) - (kappa * k / (k - q))[:, None] * lam / (lam + gamma) ** 2
    test = overfitting * (unlearned @ power + 0.25)
    train = (ridge / (n * kappa)) ** 2 * test
    assert np.allclose((z + ridge / kappa)[apart], n[apart], rtol=1e-9)
    for name, expected in (("overfitting_coefficient", overfitting), ("test_mse", test), ("train_mse", train)):
        assert np.allclose(found[name].reshape(len(n))[apart], expected[apart], rtol=1e-8), name


def test_kappa_is_symmetric_under_exchange_of_samples_and_features():
    for tail in (0.0, 0.3):
        spectrum = random_spectrum(tail)
        n, ridge, k = grid([0.5, 7, 60, 300], [0, 1e-6, 1, 1e3], [0.3, 7, 60, 178])
        here = effective_regularization(spectrum, n, ridge, k)
        there = effective_regularization(spectrum, k, ridge * k / n, n)
        assert np.allclose(here, there, rtol=1e-13, atol=0)
        least = predict(spectrum, lb.Target(np.ones(40)), np.minimum(n, k)).kappa
        assert np.allclose(here[ridge == 0], least[ridge == 0], rtol=1e-13, atol=0)


def test_thresholds():
    spectrum, power = random_spectrum(), np.ones(40)
    at = result(spectrum, power, 60, [0.0, 1e-30], 0.0, 60)
    assert at["test_mse"][0, 0] == np.inf and at["overfitting_coefficient"][0] == np.inf
    assert at["train_mse"][0, 0] == 0 and 1e10 < at["test_mse"][1, 0] < np.inf
    gap = np.array([1e-3, 1e-6, 1e-9])
    for n, k in ((60 - gap, 60), (60, 60 - gap)):  # test diverges like 1 / |n - k| from both sides
        products = result(spectrum, power, n, 0.0, 0.5, k)["test_mse"][:, 0] * gap
        assert np.allclose(products, products[-1], rtol=1e-2) and products[-1] > 1
    rank = spectrum.multiplicities.sum()
    learned = result(spectrum, power, [rank, rank, 2 * rank], 0.0, 0.0, [rank, 500, rank])
    assert np.array_equal(learned["kappa"], [0, 0, 0]) and np.array_equal(learned["test_mse"][:, 0], [0, 0, 0])
    noisy = result(spectrum, power, [rank, 2 * rank], 0.0, 0.5, 300)
    assert noisy["test_mse"][0, 0] == np.inf and noisy["test_mse"][1, 0] == pytest.approx(0.5)  # sigma^2 n / (n - r)
    n, ridge, noise, k = grid([*SIZES, 1e9, np.inf], [0, 1e-12, 1, 1e6], [0, 0.5], [0.3, 7, 60, 60 + 1e-9, 178, 1e9])
    for tail in (0.0, 0.3):
        found = result(random_spectrum(tail), power, n, ridge, noise, k)
        for value in filter(lambda value: value is not None, found.values()):
            value = value() if callable(value) else value
            assert not np.isnan(value).any() and (value >= 0).all()


def test_small_cases():
    zero = result(lb.Spectrum([2.0, 0.0], [1, 3]), [1, 2], [0, 1e-9, 4, 4], [0, 0, 0, 1], 0.0, 3)
    assert np.allclose(zero["test_mse"][:3, 0], [3, 3, 2 * 4 / 3]) and zero["bias"][2, 0] == 2
    assert np.array_equal(zero["mode_learnabilities"]()[:, 1], np.zeros(4))
    for value in ("mode_learnabilities", "coefficient_variance"):
        assert np.isfinite(zero[value]()).all()  # kappa = 0 on a zero eigenvalue
    nothing = result(lb.Spectrum([0.0]), [1.0], 4, [0.0, 2.0], 0.0, 3)
    assert np.allclose(nothing["test_mse"], 1) and np.allclose(nothing["train_mse"], 1)
    one = result(lb.Spectrum([2.0]), [1.0], 4, 0.5, 0.0, 3)  # (4 - L)(3 - L) = 3/2 / kappa
    kappa = one["kappa"][0]
    learned = 2 / (2 + kappa)
    assert (4 - learned) * (3 - learned) == pytest.approx(1.5 / kappa, rel=1e-13)


def test_the_variance_is_that_of_the_coefficients():
    spectrum, power = random_spectrum(), np.random.default_rng(1).random((40, 2))
    n, ridge, noise, k = grid([0.5, 7, 60, 300], [0, 1e-6, 1, 1e3], [0, 0.5], [0.3, 7, 61, 178])
    found = result(spectrum, power, n, ridge, noise, k)
    total = np.einsum("glo,l->go", found["coefficient_variance"](), spectrum.multiplicities)
    assert np.allclose(total, found["variance"], rtol=1e-12)
    sum_ = found["bias"] + found["variance"] + noise[:, None] ** 2
    assert np.allclose(sum_, found["test_mse"], rtol=1e-12)


def test_scaling_and_grouping():
    base, scaled = random_spectrum(0.3), random_spectrum(0.3, 1e12)
    power = np.random.default_rng(1).random(40)
    n, ridge, k = grid([0.5, 60, 300], [0, 1e-6, 1], [7, 60, 178])
    here, there = result(base, power, n, ridge, 0.5, k), result(scaled, power, n, ridge * 1e12, 0.5, k)
    number = base.multiplicities.astype(int)
    expanded = lb.Spectrum(np.repeat(base.eigenvalues, number), tail=0.3)
    listed = result(expanded, np.repeat(power / number, number), n, ridge, 0.5, k)
    for name in MEASURES[1:]:
        assert np.allclose(here[name], there[name], rtol=1e-11), name
        assert np.allclose(here[name], listed[name], rtol=1e-11), name
    assert np.allclose(here["kappa"] * 1e12, there["kappa"], rtol=1e-12, atol=0)


def test_a_tail_is_many_small_modes():
    small = 2_000_000  # each of them with eigenvalue 1.5e-7
    listed = lb.Spectrum([1.0, 0.1, 0.3 / small], [5, 50, small])
    n, ridge, k = grid([20, 100], [0.0, 1e-2], [30, 300])
    found = result(lb.Spectrum([1.0, 0.1], [5, 50], tail=0.3), [1, 2], n, ridge, 0.5, k, beyond=0.4)
    expected = result(listed, [1, 2, 0.4], n, ridge, 0.5, k)
    for name in MEASURES:
        assert np.allclose(found[name], expected[name], rtol=2e-4), name


def gaussian_draws(spectrum, v, n, ridge, noise, k, draws=300):
    """Learned coefficients (draws, modes) and train errors of Gaussian eigenfunctions under Gaussian projections."""
    root = np.sqrt(np.repeat(spectrum.eigenvalues, spectrum.multiplicities.astype(int)))
    learned, train = np.empty((draws, len(root))), np.empty(draws)
    for draw in range(draws):
        rng = np.random.default_rng(draw)
        projection = root[:, None] * rng.standard_normal((len(root), k)) / np.sqrt(k)
        phi = rng.standard_normal((n, len(root)))
        y = phi @ v + noise * rng.standard_normal(n)
        a = phi @ projection
        weights = np.linalg.lstsq(a, y)[0] if ridge == 0 else a.T @ np.linalg.solve(a @ a.T + ridge * np.eye(n), y)
        learned[draw], train[draw] = projection @ weights, ((y - a @ weights) ** 2).mean()
    return learned, train


@pytest.mark.parametrize("n, k, ridge", [(60, 120, 0.0), (120, 60, 0.0), (90, 45, 0.5), (80, 80, 0.5), (40, 200, 0.5)])
def test_gaussian_features(n, k, ridge):
    spectrum = lb.Spectrum([1.0, 0.3, 0.1, 0.03], [10, 40, 100, 150])
    power = np.array([1.0, 1.0, 0.5, 0.5])
    number = spectrum.multiplicities.astype(int)
    v = np.concatenate([np.r_[np.sqrt(p), np.zeros(m - 1)] for p, m in zip(power, number, strict=True)])
    learned, train = gaussian_draws(spectrum, v, n, ridge, 0.3, k)
    found = result(spectrum, power, n, ridge, 0.3, k)
    errors = ((learned - v) ** 2).sum(1) + 0.09
    finite_size = 0.02  # of order 1/n, beyond the theory's leading order
    for values, name in ((errors, "test_mse"), (train, "train_mse")):
        expected, doubt = found[name][0, 0], values.std() / np.sqrt(len(values))
        assert abs(values.mean() - expected) <= 4 * doubt + finite_size * expected + 1e-20, name
    spread = found["coefficient_variance"]()[0, :, 0]
    first = np.cumsum(number) - number
    for level, start in enumerate(first):
        in_level = learned[:, start + 1 : start + number[level]]  # eigenfunctions without power: many equal draws
        squares = (in_level**2).mean(1)
        doubt = squares.std() / np.sqrt(len(squares))
        assert abs(squares.mean() - spread[level]) <= 4 * doubt + finite_size * spread[level]
        mean, doubt = learned[:, start].mean(), learned[:, start].std() / np.sqrt(len(learned))
        expected = found["mode_learnabilities"]()[0, level] * v[start]
        assert abs(mean - expected) <= 4 * doubt + 0.01 * abs(v[start])


# measured deviations: relu features on the 8-cube up to 0.22 where k >= n (half of it remains for Gaussian features with
# the same kernel), erf features on the 10-cube up to 0.08
@pytest.mark.parametrize("dim, activation, tolerance", [(8, "relu", 0.25), (10, "erf", 0.1)])
@pytest.mark.parametrize("n, k", [(32, 16), (32, 128), (96, 48), (96, 512)])
def test_networks_whose_last_layer_is_trained(n, k, dim, activation, tolerance):
    architecture = lb.FullyConnected(1, activation, weight_std=1.4, bias_std=0.5)
    cube = lb.Hypercube(dim)
    spectrum, target = cube.spectrum(architecture, kind="nngp"), cube.parity(2)
    errors = draw_errors(cube, architecture, target, n, k, 0.01, draws=150 if dim == 8 else 40)
    expected = result(spectrum, target.power_in(spectrum)[0], n, 0.01, 0.0, k)["test_mse"][0, 0]
    doubt = errors.std() / np.sqrt(len(errors))
    assert abs(errors.mean() - expected) <= 2 * doubt + tolerance * expected


def test_more_is_better_at_the_optimal_ridge():
    spectrum, power = random_spectrum(0.3), np.random.default_rng(1).random(40)
    sizes = np.geomspace(2, 400, 12)
    n, k, ridge = grid(sizes, sizes, np.geomspace(1e-6, 1e4, 200))
    best = result(spectrum, power, n, ridge, 0.5, k)["test_mse"].reshape(12, 12, 200).min(2)
    assert (np.diff(best, axis=0) < 0).all() and (np.diff(best, axis=1) < 0).all()


def test_experiment_and_figure():
    from learnability.experiments.random_features import run
    from learnability.figures.random_features import draw

    network = {"depth": 1, "activation": "relu", "weight_std": 1.4, "bias_std": 0.5}
    table = run({"kind": "hypercube", "dim": 6}, network, {"parity": 2}, [8, 24], [8, 64], [0.1], draws=5)
    experiment = table[table["source"] == "kernel"]
    assert len(experiment) == 4 and (experiment["functions"] == 5).all() and experiment["theory"].notna().all()
    assert {"train_size", "features", "ridge"} <= set(table.columns)
    assert len(draw(table).axes) == 3
    with pytest.raises(ValueError, match="depth 1"):
        run({"kind": "hypercube", "dim": 6}, {"depth": 2}, {"parity": 2}, [8], [8], [0.1])


def test_errors_teach():
    spectrum, target = lb.Spectrum([1.0]), lb.Target([1.0])
    with pytest.raises(ValueError, match="features must be > 0"):
        predict(spectrum, target, 1, features=0)
    with pytest.raises(ValueError, match="train_size must be finite and >= 0, got -1"):
        predict(spectrum, target, -1, features=4)
    with pytest.raises(ValueError, match="must not both be infinite"):
        predict(spectrum, target, np.inf, features=np.inf)
    with pytest.raises(ValueError, match="train_size must be finite"):
        predict(spectrum, target, np.inf)
