import tracemalloc

import numpy as np
import pytest

import learnability as lb
from learnability.domains import DOMAINS, domain_from, target_from
from learnability.spectra.multi_index import hermite_products, largest_products
from learnability.studies.validation import check_meaning

SAMPLES = {
    "gaussian_samples": {"dim": 12, "exponent": 1.2, "samples": 4000},
    "mixture_samples": {"dim": 12, "classes": 3, "samples": 4000},
    "sphere_samples": {"dim": 5, "samples": 4000},
}


@pytest.mark.parametrize("kind", SAMPLES)
def test_points_follow_from_the_recipe_and_have_its_scale(kind):
    place, again = (domain_from({"kind": kind, **SAMPLES[kind]}) for _ in range(2))
    assert np.array_equal(place.points, again.points) and place.identity == again.identity
    assert (place.points**2).sum(1).mean() == pytest.approx(SAMPLES[kind]["dim"], rel=0.05)
    fewer = domain_from({"kind": kind, **SAMPLES[kind], "samples": 100})
    assert np.array_equal(fewer.points, place.points[:100])
    other = domain_from({"kind": kind, **SAMPLES[kind], "seed": 1})
    assert not np.allclose(other.points, place.points) and other.identity != place.identity
    x, index = place.sample(7, 0)
    assert np.array_equal(x, place.points[index]) and not place.alike and place.size == 4000


def test_the_covariance_is_a_power_law():
    place = lb.GaussianSamples(dim=12, exponent=1.2, samples=40_000)
    measured = np.cov(place.points.T)
    assert np.allclose(place.covariance / place.covariance[0], np.arange(1.0, 13) ** -1.2)
    assert place.covariance.sum() == pytest.approx(12)
    correlations = measured / np.sqrt(np.outer(place.covariance, place.covariance))
    assert np.abs(correlations - np.eye(12)).max() < 5 * np.sqrt(2 / 40_000)


def test_targets_have_the_coefficients_they_are_made_of():
    place = lb.GaussianSamples(dim=3, exponent=1.0, samples=40_000)
    terms = place.power_law_terms(1.5, 20)
    assert sum(v**2 for v in terms.values()) == pytest.approx(1)
    powers = np.array([*terms.values()]) ** 2
    assert np.allclose(powers / powers[0], np.arange(1.0, 21) ** -1.5)
    f = target_from(place, {"power_law": {"exponent": 1.5, "terms": 20}})
    # Gauss-Hermite quadrature in three dimensions integrates products of these polynomials exactly
    nodes, weights = np.polynomial.hermite_e.hermegauss(20)
    z = np.stack(np.meshgrid(nodes, nodes, nodes, indexing="ij"), -1).reshape(-1, 3)
    w = np.einsum("i,j,k->ijk", weights, weights, weights).ravel() / weights.sum() ** 3
    values = f(z * np.sqrt(place.covariance))
    projected = (hermite_products(z, [*terms]) * w[:, None]).T @ values
    assert np.allclose(projected, [*terms.values()], atol=1e-12)
    assert w @ values**2 == pytest.approx(1)


def test_a_hermite_target_is_the_textbook_polynomial():
    place = lb.GaussianSamples(dim=3, exponent=1.0, samples=50)
    x, index = place.sample(10, 0)
    z = x / np.sqrt(place.covariance)
    expected = (z[:, 0] ** 2 - 1) / np.sqrt(2) * (z[:, 2] ** 3 - 3 * z[:, 2]) / np.sqrt(6)
    target = target_from(place, {"hermite": [2, 0, 3]})
    assert np.allclose(target(x, index), expected) and np.allclose(target(x), expected)
    assert np.allclose(target.values[index], expected)


def test_samples_of_the_sphere_have_the_spectrum_and_targets_of_their_population():
    samples, sphere, kernel = lb.SphereSamples(dim=4, samples=2000), lb.Hypersphere(dim=4), lb.Gaussian(1.0)
    empirical, exact = samples.spectrum(kernel), sphere.spectrum(kernel)
    assert empirical.eigenvalues[0] == pytest.approx(exact.eigenvalues[0], rel=0.01)
    assert empirical.eigenvalues[1:5].mean() == pytest.approx(exact.eigenvalues[1], rel=0.05)
    target = target_from(samples, {"product": 2})
    assert np.allclose(target.values, sphere.product(2)(samples.points)) and abs((target.values**2).mean() - 1) < 0.1


def test_a_mixture_has_its_classes_as_labels():
    place = lb.MixtureSamples(dim=20, classes=4, separation=3.0, exponent=0.0, samples=2000)
    means = np.stack([place.points[place.labels.argmax(1) == c].mean(0) for c in range(4)])
    assert np.allclose(means * np.sqrt(10), place.centres, atol=0.5)  # |x|^2 = dim (1 + separation^2) is scaled to dim
    assert (place.centres**2).sum(1).mean() == pytest.approx(9 * 20)
    nearest = ((place.points[:, None] - means) ** 2).sum(2).argmin(1)
    assert (nearest == place.labels.argmax(1)).mean() > 0.99
    two = lb.MixtureSamples(dim=3, classes=2, samples=10)
    assert set(two.labels.ravel()) == {-1.0, 1.0} and two.label("0 or 1").values.shape == (10,)


def test_products_are_listed_in_descending_order_each_once():
    factors, levels = np.array([0.9, 0.5, 0.5, 0.1]), np.array([0.3, 0.0, 1.0, 0.8, 0.2])
    values, indices = largest_products(factors, levels, 40)
    grid = np.stack(np.meshgrid(*[range(5)] * 4, indexing="ij"), -1).reshape(-1, 4)
    grid = grid[grid.sum(1) <= 4]
    expected = np.sort(levels[grid.sum(1)] * (factors**grid).prod(1))[::-1]
    assert np.allclose(values, expected[:40]) and len(set(indices)) == 40
    assert np.allclose(values, [levels[len(i)] * factors[list(i)].prod() for i in indices])
    everything = largest_products(factors, levels, 1000)[1]
    assert len(everything) == len(set(everything)) == (expected > 0).sum()


CONFIG = {"domains": {"big": {"kind": "gaussian_samples", "dim": 4}}, "architectures": {"g": {"kind": "gaussian"}}}
DEFAULTS = {"training": {}, "studies": {}, "experiments": {}}
STUDY = {"figure": "learning_curves", "domain": "big", "architectures": ["g"], "targets": [{"power_law": 1.5}]}
STUDY |= {"train_sizes": [8], "ridges": [0.0], "noise_stds": [0.0], "widths": [], "seeds": 2, "kernel": "ntk"}
STUDY |= {"population": "finite", "figure_options": {}}


def test_a_matrix_of_sixty_thousand_samples_is_refused_by_name():
    message = r"studies.s: domain 'big': .*60000 samples.*fewer `samples`, or use the experiment large_spectrum"
    with pytest.raises(ValueError, match=message):
        check_meaning({**CONFIG, **DEFAULTS, "studies": {"s": STUDY}})
    options = {"domain": "big", "architecture": "g", "target": {"power_law": 1.5}, "train_sizes": [8]}
    entry = {"kind": "estimators", "vary": {}, "options": options, "figure_options": {}}
    with pytest.raises(ValueError, match="experiments.e: domain 'big': .*60000 samples"):
        check_meaning({**CONFIG, **DEFAULTS, "experiments": {"e": entry}})
    with pytest.raises(ValueError, match="60000 samples"):
        lb.GaussianSamples(dim=4).spectrum(lb.Gaussian())


def test_nothing_is_drawn_before_it_is_asked_for():
    tracemalloc.start()
    place = lb.GaussianSamples(dim=400)
    assert place.size == 60_000 and str(place).startswith("GaussianSamples(dim=400")
    assert tracemalloc.get_traced_memory()[1] < 1e6
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"kind": "gaussian_samples", "dim": 3, "exponent": -1}, "exponent must be a number from 0 to 20, got -1"),
        ({"kind": "gaussian_samples", "dim": 3, "samples": 1.5}, "samples must be a whole number >= 2, got 1.5"),
        ({"kind": "mixture_samples", "dim": 3, "samples": 4}, "samples: 4 are fewer than the 10 classes"),
        ({"kind": "mixture_samples", "dim": 3, "separation": -1}, "separation must be finite and >= 0, got -1"),
        ({"kind": "sphere_samples", "dim": 2}, "dim must be a whole number >= 3, got 2"),
    ],
)
def test_bad_recipes(entry, message):
    with pytest.raises(ValueError, match=message):
        domain_from(entry)
    assert entry["kind"] in DOMAINS


@pytest.mark.wrong_types
def test_bad_targets():
    place = lb.GaussianSamples(dim=3, samples=10)
    with pytest.raises(ValueError, match=r"write \[2, 0, 1\]"):
        target_from(place, {"hermite": 3})
    with pytest.raises(ValueError, match="allowed: hermite, power_law"):
        target_from(place, {"label": "x"})
