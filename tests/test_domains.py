import numpy as np
import pandas as pd
import pytest

import learnability as lb
from learnability.domains import domain_from, target_from
from learnability.domains.hypercube import krawtchouk, walsh_hadamard

ARCHITECTURES = [lb.FullyConnected(d, a, 1.4, b) for d in (1, 3) for a in ("relu", "tanh", "erf") for b in (0.0, 0.1)]
FINITE = [lb.Hypercube(dim=6), lb.Circle(points=10), lb.Circle(points=9)]


def test_spectra_agree_with_the_reference(data):
    table = pd.read_csv(data / "spectra.csv")
    for (domain, name), rows in table.groupby(["domain", "arch"]):
        architecture = lb.FullyConnected(int(name[6]), "relu", np.sqrt(2), 0.1)
        place = lb.Hypercube(dim=8) if domain == "hypercube8" else lb.Circle(points=10)
        spectrum = place.spectrum(architecture)
        found = dict(zip(spectrum.modes.tolist(), spectrum.eigenvalues, strict=True))
        for k, eigenvalue in zip(rows["k"], rows["eigenvalue"], strict=True):
            level = k if domain == "hypercube8" else min(k, 10 - k)
            assert found[level] == pytest.approx(eigenvalue, rel=1e-12)
        assert spectrum.trace == pytest.approx(rows["trace"].iloc[0], rel=1e-14)
        assert spectrum.tail == 0


@pytest.mark.parametrize("domain", FINITE, ids=lambda d: str(d.identity))
class TestEveryFiniteDomain:
    def test_eigenfunctions_diagonalise_every_kernel(self, domain):
        modes, basis = domain.eigenfunctions()
        assert np.allclose(basis.T @ basis / domain.size, np.eye(domain.size), atol=1e-13)
        for architecture in ARCHITECTURES:
            spectrum = domain.spectrum(architecture)
            value = dict(zip(spectrum.modes.tolist(), spectrum.eigenvalues, strict=True))
            kernel = architecture.kernel(domain.points) / domain.size
            expected = basis * np.array([value[mode] for mode in modes.tolist()])
            assert np.abs(kernel @ basis - expected).max() < 1e-13 * spectrum.trace
            assert np.all(np.diff(spectrum.eigenvalues) <= 0)
            assert spectrum.trace == pytest.approx(kernel.trace(), rel=1e-12)

    def test_power_is_parseval_and_finds_eigenfunctions(self, domain):
        values = np.random.default_rng(0).standard_normal((domain.size, 2))
        target = domain.target(values)
        assert np.allclose(target.power.sum(0), (values**2).mean(0))
        modes, basis = domain.eigenfunctions()
        for mode, function in zip(modes, basis.T, strict=True):
            power = domain.target(function).power
            assert power[list(target.modes).index(mode)] == pytest.approx(1)

    def test_samples_are_without_replacement_and_follow_from_identity(self, domain):
        x, index = domain.sample(domain.size // 2, seed=3)
        assert len(set(index.tolist())) == domain.size // 2
        assert np.array_equal(x, domain.points[index])
        again = domain_from(domain.identity).sample(domain.size // 2, seed=3)[1]
        assert np.array_equal(index, again)
        assert not np.array_equal(index, domain.sample(domain.size // 2, seed=4)[1])
        with pytest.raises(ValueError, match="larger than the domain"):
            domain.sample(domain.size + 1, 0)


@pytest.mark.wrong_types
def test_hypercube_of_dimension_100():
    table = krawtchouk(100)
    assert table[50][0] == 100891344545564193334812497256 and table[100] == [(-1) ** j for j in range(101)]
    cube = lb.Hypercube(dim=100)
    spectrum = cube.spectrum(lb.FullyConnected(4, "relu", 1.4, 0.1))
    assert np.all(spectrum.eigenvalues > 0) and spectrum.tail > 0
    assert spectrum.trace == pytest.approx(
        float(lb.FullyConnected(4, "relu", 1.4, 0.1).kernel(np.ones((1, 100)))[0, 0]), rel=1e-13
    )
    # a kernel whose spectrum is known in closed form: prod (1 + s x_i x_i') = sum_k s^k sum_|S|=k chi_S chi_S'
    flips = np.arange(101)
    exact = cube.spectrum_of_profile((1.05 ** (100 - flips)) * (0.95**flips))
    assert np.allclose(exact.eigenvalues, 0.05**exact.modes, rtol=1e-6) and len(exact) > 8
    assert lb.predict(spectrum, cube.parity(80), 1000).learnability == 0


def test_zero_eigenvalues_are_zero_not_negative():
    spectrum = lb.Hypercube(dim=8).spectrum(lb.FullyConnected(1, "relu", 1.0, 0.0))
    odd = spectrum.eigenvalues[(spectrum.modes % 2 == 1) & (spectrum.modes > 1)]
    assert np.array_equal(odd, np.zeros(3)) and spectrum.tail == 0


def test_boolean_targets(tmp_path):
    cube = lb.Hypercube(dim=5)
    majority = cube.majority(3)
    assert np.allclose(majority.power, [0, 3 / 4, 0, 1 / 4, 0, 0])  # x1 + x2 + x3 - x1 x2 x3, all over 2
    conjunction = cube.conjunction(2)
    assert np.allclose(conjunction.power, [1 / 4, 2 / 4, 1 / 4, 0, 0, 0])  # (-1 + x1 + x2 + x1 x2) / 2
    table = tmp_path / "table.txt"
    np.savetxt(table, cube.monomial([0, 4])(cube.points))
    assert np.allclose(cube.truth_table(table).power, np.eye(6)[2])
    assert np.allclose(walsh_hadamard(cube.monomial([0, 4])(cube.points)), np.eye(32)[0b10001])


def test_targets_given_by_values_find_their_points():
    cube, circle = lb.Hypercube(dim=5), lb.Circle(points=7)
    for domain in (cube, circle):
        values = np.random.default_rng(0).standard_normal(domain.size)
        x, index = domain.sample(4, 0)
        assert np.array_equal(domain.target(values)(x), values[index])
    assert np.array_equal(cube.majority(3)(cube.points[5:6]), np.sign(cube.points[5:6, :3].sum(1)))
    with pytest.raises(ValueError, match="known by their index only"):
        lb.Samples(np.eye(3), np.arange(3.0)).label("0")(np.eye(3))


def test_circle_targets_have_unit_mean_square():
    circle = lb.Circle(points=10)
    for target in [circle.cosine(k) for k in range(6)] + [circle.sine(k) for k in range(1, 5)]:
        assert (target(circle.points) ** 2).mean() == pytest.approx(1)


@pytest.mark.wrong_types
@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: domain_from({"kind": "hypercub", "dim": 3}), "did you mean 'hypercube'"),
        (lambda: domain_from({"kind": "hypercube", "dims": 3}), "hypercube.*dims"),
        (lambda: domain_from({"kind": "hypercube", "dim": 0}), "dim must be a whole number from 1 to 1000, got 0"),
        (lambda: lb.Hypercube(dim=2000), "dim must be a whole number from 1 to 1000, got 2000"),
        (lambda: lb.Hypercube(dim=4).sample(2.5, 0), "train_size must be a whole number >= 0, got 2.5"),
        (lambda: lb.Hypersphere(dim=4).sample(2, 0.5), "seed must be a whole number >= 0, got 0.5"),
        (lambda: lb.Samples(3.0), "x must be an array"),
        (lambda: target_from(lb.Circle(points=5), {"parity": 1}), "unknown target on a circle 'parity'"),
        (lambda: lb.Hypercube(dim=4).parity(5), "bits of a parity must be a whole number from 0 to 4, got 5"),
        (lambda: lb.Hypercube(dim=4).majority(2), "odd number"),
        (lambda: lb.Hypercube(dim=4).truth_table("nowhere.txt"), "cannot read nowhere.txt"),
        (lambda: lb.Circle(points=10).sine(5), "frequency of a sine must be a whole number from 1 to 4, got 5"),
        (lambda: lb.Circle(points=4).target(np.ones(3)), "has shape .* 4 points"),
        (lambda: lb.Hypercube(dim=30).points, "up to dim 20"),
    ],
)
def test_messages(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_regression_on_a_hypercube_too_large_to_list(relu4):
    """In dimension 40 training sets and test points are random; regression agrees with the theory of infinitely many points."""
    cube, target = lb.Hypercube(40, test_points=2000), lb.Hypercube(40).parity(1)
    x_test, index = cube.evaluation()
    assert index is None and x_test.shape == (2000, 40) and set(np.unique(x_test)) == {-1.0, 1.0}
    errors = []
    for seed in range(20):
        x, index = cube.sample(60, seed)
        learned = lb.kernel_regression(relu4, x, target(x, index), x_test)
        errors.append(((learned - target(x_test)) ** 2).mean())
    predicted = float(lb.predict(cube.spectrum(relu4), target, 60).test_mse)
    assert np.mean(errors) == pytest.approx(predicted, abs=4 * np.std(errors) / np.sqrt(20) + 0.01 * predicted)
    with pytest.raises(ValueError, match="listed up to dim 20 only"):
        cube.majority(3)
