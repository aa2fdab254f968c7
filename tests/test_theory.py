import numpy as np
import pandas as pd
import pytest

import learnability as lb
from learnability.spectra.measure import SpectralMeasure
from learnability.theory.conservation import effective_regularization


def random_spectrum(levels=40, seed=0):
    rng = np.random.default_rng(seed)
    return lb.Spectrum(np.sort(np.exp(rng.uniform(-12, 2, levels)))[::-1], rng.integers(1, 9, levels))


def test_predictions_agree_with_the_reference(data):
    spectra = pd.read_csv(data / "spectra.csv")
    for (name, mode), rows in pd.read_csv(data / "theory.csv").groupby(["arch", "mode"]):
        levels = spectra[(spectra["domain"] == "hypercube8") & (spectra["arch"] == name)]
        spectrum = lb.Spectrum(levels["eigenvalue"], levels["multiplicity"])
        target = lb.Target(np.eye(9)[mode])
        found = lb.predict(spectrum, target, rows["train_size"], rows["ridge"], rows["noise_std"])
        for column in ("kappa", "learnability", "overfitting_coefficient", "train_mse", "test_mse"):
            assert np.allclose(getattr(found, column), rows[column], rtol=1e-11, atol=1e-14), (name, mode, column)


@pytest.mark.parametrize("scale", [1e-15, 1.0, 1e15])
def test_conservation_law(scale):
    base = random_spectrum()
    spectrum = lb.Spectrum(base.eigenvalues * scale, base.multiplicities, tail=0.3 * scale)
    n = np.array([1e-9, 0.5, 1, 7, 60, base.multiplicities.sum(), 1000])[:, None]
    ridge = scale * np.array([0, 1e-9, 1e-3, 1, 1e6])
    p = lb.predict(spectrum, lb.Target(np.ones(40)), n, ridge)
    total = (p.mode_learnabilities * spectrum.multiplicities).sum(-1) + (ridge + spectrum.tail) / p.kappa
    assert np.allclose(total, n + 0 * ridge, rtol=1e-12)


@pytest.mark.parametrize("options", [{}, {"population": 600}, {"features": 100}])
def test_kappa_is_solved_until_only_rounding_is_left(options, monkeypatch):
    """Rounding moves the last digits of some point of a large grid at every step: that must not be waited for."""
    spectrum, sums, steps = lb.Spectrum(np.geomspace(1, 1e-6, 600)), SpectralMeasure.sums, []
    monkeypatch.setattr(SpectralMeasure, "sums", lambda *a: steps.append(1) or sums(*a))
    sizes = np.geomspace(0.1, 590, 400)
    prediction = lb.predict(spectrum, lb.Target(np.ones(600)), sizes, 1e-4, **options)
    assert len(steps) < 20
    monkeypatch.undo()
    alone = [lb.predict(spectrum, lb.Target(np.ones(600)), n, 1e-4, **options).kappa for n in sizes[::40]]
    np.testing.assert_allclose(prediction.kappa[::40], alone, rtol=1e-13)


def test_limits_at_and_beyond_the_rank():
    spectrum = lb.Spectrum([2.0, 1.0, 0.0], [1, 3, 5])
    seen, unseen = lb.Target([1, 2, 0]), lb.Target([1, 2, 3])
    at, beyond = lb.predict(spectrum, seen, [4, 10]), lb.predict(spectrum, unseen, [4, 10])
    assert np.array_equal(at.kappa, [0, 0]) and np.array_equal(at.learnability, [1, 1])
    assert np.array_equal(at.test_mse, [0, 0]) and np.array_equal(at.train_mse, [0, 0])
    assert beyond.test_mse[0] == np.inf and beyond.test_mse[1] == pytest.approx(3 * 10 / 6)
    assert beyond.train_mse[1] == pytest.approx(3 * 6 / 10)
    assert np.array_equal(beyond.learnability, [0.5, 0.5])
    noisy = lb.predict(spectrum, seen, 10, noise_std=2.0)  # linear regression: sigma^2 n / (n - r)
    assert noisy.test_mse == pytest.approx(4 * 10 / 6) and noisy.variance == pytest.approx(4 * 4 / 6)
    close = lb.predict(spectrum, seen, 4 - 1e-9)
    assert close.kappa == pytest.approx(1e-9 / (1 / 2 + 3), rel=1e-6)


def test_limits_at_no_data():
    spectrum = random_spectrum()
    target = lb.Target(np.arange(40.0))
    p = lb.predict(spectrum, target, 0, [0.0, 3.0], 0.5)
    assert np.array_equal(p.learnability, [0, 0]) and np.array_equal(p.kappa, [np.inf, np.inf])
    assert np.allclose(p.test_mse, target.power.sum() + 0.25) and np.array_equal(p.variance, [0, 0])
    ratio = 3 / (3 + spectrum.trace)
    assert np.allclose(p.train_mse, [0, ratio**2 * p.test_mse[1]])
    little = lb.predict(spectrum, target, 1e-12, [0.0, 3.0], 0.5)
    for name in ("learnability", "test_mse", "train_mse", "overfitting_coefficient"):
        assert np.allclose(getattr(little, name), getattr(p, name), atol=1e-9)


def test_slope_at_no_data():
    spectrum = random_spectrum()
    lam, m = spectrum.eigenvalues, spectrum.multiplicities
    expected = (m * lam**2).sum() / (m * lam).sum() ** 2 - 2 * lam / (m * lam).sum()
    for level in (0, 5, 30):
        test = lb.predict(spectrum, lb.Target(np.eye(40)[level]), [0, 1e-6]).test_mse
        assert (test[1] - test[0]) / 1e-6 == pytest.approx(expected[level], rel=1e-4, abs=1e-8)


def test_degenerate_spectra():
    empty = lb.predict(lb.Spectrum([0.0, 0.0]), lb.Target([1.0, 1.0]), [0, 3], 0.0)
    assert np.array_equal(empty.test_mse, [2, 2]) and np.array_equal(empty.learnability, [0, 0])
    ridged = lb.predict(lb.Spectrum([0.0]), lb.Target([1.0]), 4, 2.0)
    assert (
        ridged.kappa == pytest.approx(0.5)
        and ridged.test_mse == pytest.approx(1)
        and ridged.train_mse == pytest.approx(1)
    )


def test_bias_and_variance_add_up():
    spectrum = random_spectrum()
    p = lb.predict(spectrum, lb.Target(np.ones((40, 2))), [[3], [50]], [0.0, 0.1], 0.3)
    assert p.test_mse.shape == (2, 2, 2)
    assert np.allclose(p.bias + p.variance + 0.09, p.test_mse)
    spread = (p.coefficient_variance * spectrum.multiplicities[:, None]).sum(-2)
    assert np.allclose(spread, p.variance)
    assert np.allclose((1 - p.mode_learnabilities[..., None]) ** 2 @ np.ones(1), (1 - p.coefficient_mean[..., 0]) ** 2)


def test_half_a_million_modes():
    index = np.arange(1, 500_001.0)
    spectrum, target = lb.Spectrum(index**-2), lb.Target(index**-2)
    n, ridge = np.geomspace(1, 4e5, 40)[:, None], np.r_[0, np.geomspace(1e-10, 1e3, 30)]
    p = lb.predict(spectrum, target, n, ridge)
    for i, j in ((0, 0), (20, 0), (39, 0), (10, 15), (39, 30), (25, 5)):
        learned = index**-2 / (index**-2 + p.kappa[i, j])
        missed = p.kappa[i, j] / (index**-2 + p.kappa[i, j])
        assert learned.sum() + ridge[j] / p.kappa[i, j] == pytest.approx(n[i, 0], rel=1e-12)
        assert p.bias[i, j] == pytest.approx((missed**2 * index**-2).sum(), rel=1e-12)
        e0 = n[i, 0] / (n[i, 0] - (learned**2).sum())
        assert p.overfitting_coefficient[i, j] == pytest.approx(e0, rel=1e-8)


def test_one_by_one_equals_all_at_once():
    spectrum = random_spectrum()
    n, ridge = np.array([0.3, 5, 80, 200])[:, None], np.array([0, 1e-4, 2.0])
    together = effective_regularization(spectrum, n, ridge)
    single = [[effective_regularization(spectrum, a, b) for b in ridge] for a in n[:, 0]]
    assert np.allclose(together, single, rtol=1e-14)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"train_size": -1}, "train_size must be finite and >= 0"),
        ({"train_size": 1, "ridge": -1e-3}, "ridge must be finite and >= 0"),
        ({"train_size": 1, "noise_std": np.nan}, "noise_std must be finite"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        lb.predict(lb.Spectrum([1.0]), lb.Target([1.0]), **arguments)


def test_bad_spectra_and_targets():
    with pytest.raises(ValueError, match="eigenvalues must be finite and >= 0"):
        lb.Spectrum([1.0, -1e-3])
    with pytest.raises(ValueError, match=r"multiplicities has shape \(1,\)"):
        lb.Spectrum([1.0, 2.0], [1])
    with pytest.raises(ValueError, match="2 powers for 1 eigenvalues"):
        lb.predict(lb.Spectrum([1.0]), lb.Target([1.0, 2.0]), 1)
    with pytest.raises(ValueError, match="mode 7, which the spectrum does not list"):
        lb.predict(lb.Spectrum([1.0]), lb.Target([1.0], [7]), 1)


SPECTRUM, POWER = lb.Spectrum([3.0, 1.0, 0.2, 0.01], [1, 4, 9, 30]), lb.Target([0.5, 1.0, 0.25, 0.1])
STATISTICS = ("learnability", "bias", "test_mse", "train_mse", "variance", "overfitting_coefficient")


def test_the_scale_of_the_kernel_does_not_matter():
    """Predictions do not change under (c lambda, c delta); kappa scales."""
    a = lb.predict(SPECTRUM, POWER, [3, 10, 44, 60], 0.3, 0.2)
    b = lb.predict(lb.Spectrum(7 * SPECTRUM.eigenvalues, SPECTRUM.multiplicities), POWER, [3, 10, 44, 60], 2.1, 0.2)
    assert np.allclose(b.kappa, 7 * a.kappa, rtol=1e-13)
    for name in STATISTICS:
        assert np.allclose(getattr(a, name), getattr(b, name), rtol=1e-12), name


def test_levels_may_be_grouped_or_listed():
    counts = SPECTRUM.multiplicities.astype(int)
    listed = lb.Spectrum(np.repeat(SPECTRUM.eigenvalues, counts))
    power = np.repeat(POWER.power / counts, counts)
    a, b = (lb.predict(s, lb.Target(p), [3, 10, 50], 0.1, 0.3) for s, p in ((SPECTRUM, POWER.power), (listed, power)))
    for name in STATISTICS:
        assert np.allclose(getattr(a, name), getattr(b, name), rtol=1e-12), name
    assert np.allclose(np.repeat(a.coefficient_variance, counts, axis=1), b.coefficient_variance)


def test_power_that_cannot_be_learned_acts_as_noise():
    spectrum = lb.Spectrum([3.0, 1.0, 0.0], [1, 9, 5])
    a = lb.predict(spectrum, lb.Target([1.0, 1.0, 0.25]), [2, 5, 30], 0.1)
    b = lb.predict(spectrum, lb.Target([1.0, 1.0, 0.0]), [2, 5, 30], 0.1, 0.5)
    assert np.allclose(a.test_mse, b.test_mse, rtol=1e-13) and np.allclose(a.train_mse, b.train_mse, rtol=1e-13)


def test_spectrum_and_target_of_different_domains_refuse_each_other(relu4):
    cube, larger = lb.Hypercube(5), lb.Hypercube(6)
    with pytest.raises(
        ValueError, match=r"a function on Hypercube\(dim=5\), the spectrum belongs to Hypercube\(dim=6\)"
    ):
        lb.predict(larger.spectrum(relu4), cube.parity(2), 4)
    sphere, coarse = lb.Hypersphere(4, test_points=5), lb.Hypersphere(4)
    lb.predict(coarse.spectrum(relu4), sphere.harmonic(1), 4)  # the points of evaluation are no part of the theory


def test_a_zero_target_warns_and_texts_are_no_numbers():
    spectrum = lb.Spectrum([1.0, 0.5])
    with pytest.warns(UserWarning, match="is zero everywhere: its learnability is undefined"):
        assert lb.predict(spectrum, lb.Target([0.0, 0.0]), 1, noise_std=1.0).test_mse > 1
    with pytest.raises(ValueError, match="train_size must be a number or an array of numbers, got '4'"):
        lb.predict(spectrum, lb.Target([1.0, 0.0]), "4")


def test_predictions_as_tables_and_pictures(relu4):
    cube = lb.Hypercube(5)
    p = lb.predict(cube.spectrum(relu4), cube.parity(1), [[4], [8]], ridge=[0.0, 0.5], population=32)
    table = p.to_frame()
    assert np.array_equal(table["test_mse"], p.test_mse.ravel()) and table["train_size"].tolist() == [4, 4, 8, 8]
    assert "Hypercube(dim=5)" in repr(p) and len(repr(p).splitlines()) == 6 and "<table" in p._repr_html_()
    axis = p.plot("learnability")
    assert [line.get_ydata().tolist() for line in axis.lines] == p.learnability.T.tolist()
    several = lb.Target(np.eye(6)[:, :2], cube.spectrum(relu4).modes[:6])
    table = lb.predict(cube.spectrum(relu4), several, [4, 8]).to_frame()
    assert table["output"].tolist() == [0, 1, 0, 1] and table["kappa"].nunique() == 2


def test_predictions_of_samples_as_tables(relu4):
    x = np.random.default_rng(0).standard_normal((12, 3))
    p = lb.predict_samples(relu4.kernel(x), x[:, :2], [4, 8], 0.1)
    table = p.to_frame()
    assert np.array_equal(table["test_mse"], p.test_mse.ravel()) and table["output"].tolist() == [0, 1, 0, 1]
    assert "on 12 samples" in repr(p)
