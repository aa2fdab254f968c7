"""What every kernel does, and what is taken for one: one suite for all of them."""

import json

import numpy as np
import pytest
import torch
from torch import nn

import learnability as lb
from learnability.domains import domain_from, label_of, target_from
from learnability.domains.kernel_on_domain import KernelOnDomain
from learnability.kernels.kernel import as_kernel
from learnability.kernels.matrix import KernelMatrix
from learnability.kernels.odd import misses_the_mean

DIM = 6
X = np.random.default_rng(0).standard_normal((30, DIM))
X[7], X[8], X[9], X[10] = X[3], -X[3], 2 * X[3], 0.0


class Patches(lb.Kernel):
    """A user's kernel of images: the mean over positions of squared products of patches of one pixel."""

    identity = {"kind": "patches"}
    event_dims = (3,)

    def _matrix(self, points, points2, kind):
        others = points if points2 is None else points2
        return torch.einsum("nchw,mchw->nmhw", points, others).square().mean((2, 3))


class Polynomial:
    """A user's kernel that is no `lb.Kernel`."""

    identity = {"kind": "polynomial", "degree": 3}

    def kernel(self, x, x2=None, kind="ntk"):
        assert x.ndim == 2
        return (1 + x @ (x if x2 is None else x2).T / x.shape[1]) ** 3

    def __repr__(self):
        return "Polynomial()"


def own(folder):
    (folder / "mine.py").write_text("def kernel(x, x2):\n    return (1 + x @ x2.T) ** 2")
    return lb.OwnKernel(str(folder / "mine.py"), allow_code=True)


def tangent(folder):
    return lb.TangentKernel(lb.Ensemble.initial(lb.FullyConnected(2, "tanh", 1.5, 0.3), DIM, 16, [0]))


def module(folder):
    def dense():
        return nn.Sequential(nn.Flatten(), nn.Linear(6, 40), nn.GELU(), nn.Linear(40, 3)).double()

    return lb.TorchModule(dense)


MAKERS = {
    "linear": lambda _: lb.FullyConnected(0),
    "relu": lambda _: lb.FullyConnected(3, "relu", 1.4, 0.1),
    "erf": lambda _: lb.FullyConnected(2, "erf", 1.4),
    "tanh": lambda _: lb.FullyConnected(2, "tanh", 1.5, 0.1),
    "residual": lambda _: lb.Residual(3, "relu", 1.0, 0.1),
    "gaussian": lambda _: lb.Gaussian(0.7),
    "laplace": lambda _: lb.Laplace(0.7),
    "matern": lambda _: lb.Matern(1.1, 2.5),
    "own": own,
    "tangent": tangent,
    "module": module,
    "convolution": lambda _: lb.Sequential([{"conv": {"kernel": 2, "bias_std": 0.1}}, "relu", "flatten", "dense"]),
    "pooling": lambda _: lb.Sequential([{"conv": {"kernel": 2}}, "erf", "global_avg_pool", "dense"]),
    "of images": lambda _: Patches(),
    "a user's": lambda _: as_kernel(Polynomial()),
}


@pytest.fixture(params=MAKERS)
def kernel(request, tmp_path):
    return MAKERS[request.param](tmp_path)


@pytest.fixture
def points(kernel):
    return X if kernel.event_dims is None else X.reshape(30, 1, 2, 3)


class TestEveryKernel:
    def test_symmetric_exactly_and_positive_semi_definite(self, kernel, points):
        for kind in kernel.kinds:
            matrix = kernel.kernel(points, kind=kind)
            assert matrix.dtype == np.float64 and np.array_equal(matrix, matrix.T)
            values = np.linalg.eigvalsh(matrix)
            assert values[0] > -1e-12 * values[-1]
            assert np.abs(kernel.kernel(points, points.copy(), kind) - matrix).max() < 1e-12 * np.abs(matrix).max()

    def test_diagonal(self, kernel, points, monkeypatch):
        for kind in kernel.kinds:
            expected = np.diag(kernel.kernel(points, kind=kind))
            for block in (64, 7):
                monkeypatch.setattr("learnability.kernels.kernel.DIAGONAL", block)
                np.testing.assert_allclose(kernel.diagonal(points, kind), expected, rtol=1e-12, atol=1e-12)
            assert torch.is_tensor(kernel.diagonal(torch.from_numpy(points), kind))

    def test_parts_are_those_of_the_whole(self, kernel, points):
        for kind in kernel.kinds:
            matrix = kernel.kernel(points, kind=kind)
            part = kernel.kernel(points[:5], points[5:], kind)
            assert np.abs(part - matrix[:5, 5:]).max() < 1e-12 * np.abs(matrix).max()
            assert kernel.kernel(points[:0], points, kind).shape == (0, 30)

    def test_numpy_for_numpy_and_tensors_for_tensors(self, kernel, points):
        for kind in kernel.kinds:
            matrix, tensor = kernel.kernel(points, kind=kind), kernel.kernel(torch.from_numpy(points), kind=kind)
            assert isinstance(matrix, np.ndarray) and tensor.dtype == torch.float64
            same = np.allclose if str(kernel) == "Polynomial()" else np.array_equal  # which rounds as its library does
            assert same(tensor.numpy(), matrix)
            single = kernel.kernel(torch.from_numpy(points).float(), kind=kind)
            assert single.dtype == torch.float64 and torch.allclose(single, tensor, rtol=1e-3, atol=1e-4)

    def test_points_of_any_shape_or_exactly_those_that_it_takes(self, kernel, points):
        if kernel.event_dims is None:
            images = points.reshape(30, 1, 2, 3)
            assert np.array_equal(kernel.kernel(images), kernel.kernel(points))
            assert np.array_equal(kernel.kernel(images[:4], points), kernel.kernel(points[:4], points))
        else:
            with pytest.raises(
                ValueError, match=r"must be .*\(points, channels, height, width\), got shape \(30, 1, 1, 2, 3\)"
            ):
                kernel.kernel(points[:, None])
            with pytest.raises(ValueError, match=r"same shape, got \(1, 2, 3\) and \(1, 3, 2\)"):
                kernel.kernel(points, points.reshape(30, 1, 3, 2))

    def test_what_it_refuses(self, kernel, points):
        if type(kernel).__name__ == "_Adapter":
            return  # the user's own
        for wrong, message in (
            (np.where(points > 1, np.nan, points), "not finite"),
            (np.ones(3), r"x must be .*\(points, .*got shape \(3,\)"),
        ):
            for as_given in (np.asarray, torch.as_tensor):
                with pytest.raises(ValueError, match=message):
                    kernel.kernel(as_given(wrong))
        with pytest.raises(ValueError, match="kind 'ntkk'"):
            kernel.kernel(points, kind="ntkk")

    def test_its_identity_is_json_and_says_whether_it_is_odd(self, kernel, points):
        assert json.loads(json.dumps(kernel.identity)) == kernel.identity
        odd = np.allclose(kernel.kernel(-points, points), -kernel.kernel(points), rtol=1e-10)
        assert isinstance(kernel.odd, bool) and kernel.odd == odd

    def test_on_a_data_set_it_has_a_spectrum_that_learns(self, kernel, points):
        data = lb.Samples(points, X[:, 0])
        spectrum = data.spectrum(kernel)
        assert spectrum.trace == pytest.approx(kernel.diagonal(points).mean(), rel=1e-9)
        large = lb.large_spectrum(kernel, points, X[:, 0], method="nystrom", landmarks=30)
        assert large.spectrum.trace == pytest.approx(spectrum.trace, rel=1e-6)
        learned = lb.kernel_regression(kernel, points, X[:, 0], points, ridge=0.1)
        assert learned.shape == (30,) and np.isfinite(learned).all()


def test_a_matrix_that_is_none_of_a_kernel_is_refused():
    class Wrong(lb.Kernel):
        identity = {"kind": "wrong"}

        def __init__(self, change):
            self.change = change

        def _matrix(self, points, points2, kind):
            return self.change(points @ (points if points2 is None else points2).T)

    with pytest.raises(ValueError, match=r"returns shape \(30, 29\), not K\(x, x2\) of \(30, 30\)"):
        Wrong(lambda k: k[:, 1:]).kernel(X)
    with pytest.raises(
        ValueError, match="not finite at row 0, column 0: it exceeds the largest float64; scale the inputs"
    ):
        Wrong(lambda k: k / 0).kernel(X)
    rounded = Wrong(lambda k: k + 1e-15 * torch.arange(30.0)[:, None]).kernel(X)
    assert np.array_equal(rounded, rounded.T)
    huge = Wrong(lambda k: torch.full_like(k, 1e308)).kernel(X)  # finite, with a sum that is not
    assert np.isfinite(huge).all()


def test_a_users_object_is_taken_wherever_a_kernel_is(cube):
    user, target = Polynomial(), cube.parity(2)
    spectrum = cube.spectrum(user)
    assert np.allclose(lb.predict(spectrum, cube.parity(4), [8, 16]).learnability, 0)  # of degree three
    assert len(lb.select(cube, {"mine": user, "net": lb.FullyConnected(1)}, target, [16]).table) == 2
    assert KernelOnDomain(cube, user).blocks.matrix.shape == (256, 256)
    x = np.random.default_rng(0).standard_normal((200, 4))
    x -= x.mean(0)
    assert lb.hermite_ansatz(user, x, x[:, 0], modes=50, mixed=10)[0].trace > 1
    images = lb.Samples(x.reshape(200, 1, 2, 2), x[:, 0])
    flat = lb.Samples(x, x[:, 0])
    assert np.array_equal(images.spectrum(user).eigenvalues, flat.spectrum(user).eigenvalues)
    large = lb.large_spectrum(user, images.points, x[:, 0], steps=5)
    assert large.spectrum.trace == pytest.approx(flat.spectrum(user).trace, rel=1e-4)
    assert KernelMatrix(user).block(images.sample(5, 0)).shape == (5, 5)
    assert lb.learning_curve(images, user, train_size=20).theory is not None


def test_a_users_object_says_what_it_is_where_it_does():
    class Odd:
        odd = True

        def kernel(self, x, x2=None, kind="ntk"):
            return x @ (x if x2 is None else x2).T

    assert as_kernel(Polynomial()).identity == Polynomial.identity and not as_kernel(Polynomial()).odd
    assert as_kernel(Odd()).identity == {"kind": "Odd"} and misses_the_mean(Odd(), np.ones(9))
    network = lb.FullyConnected(1)
    assert as_kernel(network) is network and repr(as_kernel(Polynomial())) == "Polynomial()"


@pytest.mark.wrong_types
def test_what_is_no_kernel_is_refused_with_the_order_of_arguments():
    x, y, network = X, X[:, 0], lb.FullyConnected(1)
    for call, message in (
        (lambda: lb.large_spectrum(x, y, network), r"got ndarray; call large_spectrum\(architecture, x, y, kind="),
        (lambda: lb.hermite_ansatz(x, y, network), r"got ndarray; call hermite_ansatz\(architecture, x, y, kind="),
        (
            lambda: lb.kernel_regression(x, y, x, network),
            r"got ndarray; call kernel_regression\(architecture, x_train, y_train",
        ),
        (lambda: lb.kernel_regression("relu", x, y, x), "must be a kernel, e.g. lb.FullyConnected.*got str"),
        (lambda: lb.Samples(x, y).spectrum(lb.FullyConnected), "must be a kernel"),
        (lambda: lb.Circle(8).spectrum(lb.FullyConnected), "must be a kernel"),
        (lambda: KernelOnDomain(lb.Samples(x, y), None), "must be a kernel.*got NoneType"),
    ):
        with pytest.raises(ValueError, match=message):
            call()


# --- points keep their shape --------------------------------------------------------------------------------------------


def test_a_data_set_is_the_same_in_every_shape():
    """The same training sets, spectra and trained networks from the same numbers in the same order."""
    flat, images = lb.Samples(X, X[:, 0]), lb.Samples(X.reshape(30, 1, 2, 3), X[:, 0])
    assert images.points.shape == (30, 1, 2, 3) and images.identity == flat.identity
    (x, index), (x2, index2) = flat.sample(9, 1), images.sample(9, 1)
    assert np.array_equal(index, index2) and np.array_equal(x2.reshape(9, 6), x) and x2.shape == (9, 1, 2, 3)
    network = lb.FullyConnected(2, "relu", 1.4, 0.1)
    assert np.array_equal(flat.spectrum(network).eigenvalues, images.spectrum(network).eigenvalues)
    learned = [
        lb.train(network, 16, x, X[index, 0], data.points, seeds=[0, 1]).predictions
        for data, x in ((flat, x), (images, x2))
    ]
    assert np.array_equal(*learned)
    curves = [lb.learning_curve(data, network, train_size=10).test_mse for data in (flat, images)]
    assert np.array_equal(*curves)


def test_images_of_known_data_sets_and_of_files_have_channels_height_and_width(tmp_path):
    digits = domain_from({"kind": "data", "name": "digits", "samples": 30})
    assert digits.points.shape == (30, 1, 8, 8)
    x, y = np.random.default_rng(0).random((12, 3, 4, 5)), np.arange(12) % 2
    np.savez(tmp_path / "images.npz", x=x, y=y)
    images = domain_from({"kind": "data", "path": str(tmp_path / "images.npz")})
    assert images.points.shape == x.shape
    assert np.allclose(images.points.reshape(12, 60).mean(0), 0) and np.isclose((images.points**2).mean(), 1)


# --- one name for one target --------------------------------------------------------------------------------------------

TARGETS = [
    ({"kind": "circle", "points": 16}, {"cosine": 2}, lambda domain: domain.cosine(2)),
    ({"kind": "circle", "points": 16}, {"sine": 1}, lambda domain: domain.sine(1)),
    ({"kind": "hypercube", "dim": 4}, {"parity": 3}, lambda domain: domain.parity(3)),
    ({"kind": "hypercube", "dim": 4}, {"monomial": [0, 2]}, lambda domain: domain.monomial([0, 2])),
    ({"kind": "hypercube", "dim": 4}, {"monomial": 1}, lambda domain: domain.monomial(1)),
    ({"kind": "hypercube", "dim": 4}, {"majority": 3}, lambda domain: domain.majority(3)),
    ({"kind": "hypercube", "dim": 4}, {"conjunction": 2}, lambda domain: domain.conjunction(2)),
    ({"kind": "sphere", "dim": 4}, {"harmonic": 2}, lambda domain: domain.harmonic(2)),
    ({"kind": "sphere", "dim": 4}, {"product": 2}, lambda domain: domain.product(2)),
    ({"kind": "gaussian_samples", "dim": 4, "samples": 9}, {"hermite": [2, 1]}, lambda domain: domain.hermite([2, 1])),
    ({"kind": "data", "name": "digits", "samples": 9}, {"all": None}, lambda domain: domain.all()),
    ({"kind": "data", "name": "digits", "samples": 9}, {"label": 0}, lambda domain: domain.label(0)),
]


@pytest.mark.parametrize(
    ("domain", "entry", "build"), TARGETS, ids=lambda value: str(value) if isinstance(value, dict) else ""
)
def test_a_target_has_one_name_in_python_tables_and_random_streams(domain, entry, build):
    domain = domain_from(domain)
    assert build(domain).name == target_from(domain, entry).name == label_of(entry)


def test_a_table_of_truths_and_a_power_law_too(tmp_path):
    (tmp_path / "t.txt").write_text("1 -1 1 1")
    entry = {"truth_table": str(tmp_path / "t.txt")}
    cube = lb.Hypercube(2)
    assert target_from(cube, entry).name == label_of(entry) == cube.truth_table(tmp_path / "t.txt").name
    law = {"power_law": {"exponent": 1.5, "terms": 20}}
    data = lb.GaussianSamples(3, samples=20)
    assert target_from(data, law).name == label_of(law) == data.power_law(1.5, 20).name == "power_law 1.5 20"
