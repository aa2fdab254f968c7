"""The empirical tangent kernel of any PyTorch module."""

import copy
import warnings

import numpy as np
import pytest
import torch
from torch import nn
from torch.func import functional_call, jacrev

import learnability as lb
from learnability.kernels import architecture_from
from learnability.kernels.empirical import factors, layer_by_layer, tangent
from learnability.kernels.empirical.factors import WindowsAndSignals
from learnability.kernels.empirical.layer_by_layer import LayerByLayer
from learnability.kernels.empirical.samplewise import AllAtOnce, OneByOne
from learnability.kernels.empirical.tangent import ChosenMethod

IMAGES = np.random.default_rng(0).standard_normal((12, 1, 8, 8))
TOLERANCE = {torch.float32: 1e-6, torch.float64: 1e-12}


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.attend = nn.Linear(8, 12), nn.MultiheadAttention(12, 2, batch_first=True)
        self.position, self.norm, self.read = nn.Parameter(torch.randn(8, 12)), nn.LayerNorm(12), nn.Linear(12, 3)

    def forward(self, x):
        h = self.embed(x[:, 0]) + self.position
        return self.read(self.norm(h + self.attend(h, h, h, need_weights=False)[0]).mean(1))


class OwnAttention(nn.Module):
    """Attention of linear layers alone, at the positions of a sequence."""

    def __init__(self):
        super().__init__()
        self.query, self.value, self.norm, self.read = (
            nn.Linear(8, 5),
            nn.Linear(8, 8),
            nn.LayerNorm(8),
            nn.Linear(8, 3),
        )

    def forward(self, x):
        q = self.query(x[:, 0])
        return self.read(self.norm(torch.softmax(q @ q.mT, -1) @ self.value(x[:, 0])).mean(1))


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.norm = nn.Conv2d(1, 8, 3, padding="same"), nn.GroupNorm(2, 8)
        self.depthwise, self.read = nn.Conv2d(8, 8, 4, padding="same", groups=4, dilation=2), nn.Linear(8, 4)

    def forward(self, x):
        h = self.first(x)
        return self.read((h + self.depthwise(nn.functional.relu_(self.norm(h)))).mean((2, 3)))


class Tied(nn.Module):
    """A layer that is called twice, and one weight of two layers."""

    def __init__(self, twice=True):
        super().__init__()
        self.first, self.hidden, self.other, self.read = (
            nn.Linear(64, 9),
            nn.Linear(9, 9),
            nn.Linear(9, 9),
            nn.Linear(9, 2),
        )
        if twice:
            self.other = self.hidden
        else:
            self.other.weight = self.hidden.weight

    def forward(self, x):
        h = torch.tanh(self.first(x.flatten(1)))
        return self.read(torch.tanh(self.other(torch.tanh(self.hidden(h)))))


class Branching(nn.Module):
    """A branch on data, which vmap cannot do, and a parameter that no layer owns."""

    def __init__(self):
        super().__init__()
        self.read, self.gain = nn.Linear(64, 2), nn.Parameter(torch.tensor(1.5))

    def forward(self, x):
        x = x.flatten(1)
        return self.gain * self.read(x.sin() if x.sum() > 1e6 else x.cos())


class Remembering(nn.Module):
    """Keeps what it has computed, which is of no use to its output."""

    def __init__(self):
        super().__init__()
        self.read, self.gain = nn.Linear(64, 2), nn.Parameter(torch.tensor(1.5))

    def forward(self, x):
        self.last = self.gain * self.read(x.flatten(1))
        return 2 * self.last


class Functional(nn.Module):
    """A layer's weight that is used besides calling the layer."""

    def __init__(self):
        super().__init__()
        self.read = nn.Linear(64, 2)

    def forward(self, x):
        return self.read(x.flatten(1)) + x.flatten(1) @ self.read.weight.T**2


def frozen():
    net = nn.Sequential(
        nn.Conv2d(1, 6, 3), nn.ReLU(inplace=True), nn.Conv2d(6, 4, 3), nn.GELU(), nn.Flatten(), nn.Linear(64, 5)
    )
    net[0].requires_grad_(False)
    net[2].weight.requires_grad_(False)
    net[5].bias.requires_grad_(False)
    return net


def convolutions():
    conv = [nn.Conv2d(1, 6, 3, stride=2, padding=1), nn.ReLU(inplace=True), nn.Conv2d(6, 9, 3, bias=False), nn.GELU()]
    return nn.Sequential(*conv, nn.Flatten(), nn.Linear(36, 10))


def dense(outputs=10):
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.Dropout(), nn.ReLU(), nn.Linear(32, outputs))


def normalised():
    return nn.Sequential(nn.Conv2d(1, 5, 3), nn.BatchNorm2d(5), nn.ReLU(), nn.Flatten(), nn.Linear(180, 1))


def sequence():
    conv = nn.Conv1d(8, 5, 3, padding=1)
    return nn.Sequential(nn.Flatten(1, 2), conv, nn.Tanh(), nn.Flatten(), nn.Linear(40, 1), nn.Flatten(0))


MODULES = {
    "convolutions": (convolutions, LayerByLayer),
    "dense": (dense, LayerByLayer),
    "group norm": (Residual, LayerByLayer),
    "sequence": (sequence, LayerByLayer),
    "frozen": (frozen, LayerByLayer),
    "batch norm": (normalised, LayerByLayer),
    "own attention": (OwnAttention, LayerByLayer),
    "attention": (Attention, AllAtOnce | OneByOne),
    "called twice": (Tied, AllAtOnce | OneByOne),
    "tied": (lambda: Tied(twice=False), AllAtOnce | OneByOne),
    "functional": (Functional, AllAtOnce | OneByOne),
    "remembering": (Remembering, AllAtOnce | OneByOne),
    "branching": (Branching, OneByOne),
    "gru": (lambda: nn.Sequential(nn.Flatten(1, 2), Last(nn.GRU(8, 5, batch_first=True)), nn.Linear(5, 2)), OneByOne),
    "encoder": (lambda: nn.Sequential(nn.Flatten(1, 2), nn.TransformerEncoderLayer(8, 2, 12, batch_first=True), nn.Flatten(), nn.Linear(64, 2)), AllAtOnce | OneByOne),
    "weight norm": (lambda: nn.Sequential(nn.Flatten(), nn.utils.parametrizations.weight_norm(nn.Linear(64, 3))), AllAtOnce | OneByOne),
    "layers": (lambda: lb.Sequential([{"conv": {"kernel": 3}}, "relu", "flatten", "dense"]).module((1, 8, 8), 4, 2), AllAtOnce | OneByOne),
}  # fmt: skip


class Last(nn.Module):
    def __init__(self, recurrent):
        super().__init__()
        self.recurrent = recurrent

    def forward(self, x):
        return self.recurrent(x)[0][:, -1]


def brute_force(kernel, x):
    """The mean over outputs of J J^T, from Jacobians of the same weights in double precision."""
    module = copy.deepcopy(kernel._module).double()
    weights = {name: p.detach() for name, p in module.named_parameters() if p.requires_grad}
    points = torch.from_numpy(x)

    def outputs(values):
        results = [functional_call(module, values, (point[None],)).reshape(1, -1) for point in points]
        return torch.cat(results)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        jacobians = [j.reshape(*j.shape[:2], -1) for j in jacrev(outputs)(weights).values()]
    number = jacobians[0].shape[1]
    return sum(torch.einsum("iop,jop->ij", j, j) for j in jacobians).numpy() / number


def method_of(kernel):
    (measured,) = kernel._methods.values()
    return measured.method


@pytest.mark.filterwarnings("ignore:.*batch normalisation")
@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("name", MODULES)
def test_it_is_the_brute_force_kernel(name, dtype):
    build, method = MODULES[name]
    kernel = lb.TorchModule(lambda: build().to(dtype), seed=3)
    matrix = kernel.kernel(IMAGES)
    expected = brute_force(kernel, IMAGES)
    scale = TOLERANCE[dtype] * np.abs(expected).max()
    assert isinstance(method_of(kernel), method)
    assert np.abs(matrix - expected).max() < scale and np.array_equal(matrix, matrix.T) and matrix.dtype == np.float64
    assert np.abs(kernel.kernel(IMAGES[:3], IMAGES[2:]) - expected[:3, 2:]).max() < scale
    assert np.abs(kernel.diagonal(IMAGES) - expected.diagonal()).max() < scale


@pytest.mark.parametrize("method, few", [(AllAtOnce, 10**6), (OneByOne, 0)])
def test_a_module_that_keeps_what_it_computes_stays_as_it_was(method, few, monkeypatch):
    """Whichever method is taken, no tensor of its graph is left in the module: it can be copied, saved and used again."""
    monkeypatch.setattr(tangent, "FEW", few)
    kernel = lb.TorchModule(lambda: Remembering().double(), seed=3)
    matrix = kernel.kernel(IMAGES)
    assert isinstance(method_of(kernel), method)
    assert "last" not in vars(kernel._module) or not kernel._module.last.requires_grad
    assert np.abs(matrix - brute_force(kernel, IMAGES)).max() < 1e-12 * np.abs(matrix).max()


def test_the_method_follows_from_the_module_not_from_a_clock(monkeypatch):
    """Methods differ by rounding: two kernels of a module are the same bytes, and one of many parameters is no vmap's."""
    kernels = [lb.TorchModule(Attention, seed=1) for _ in range(3)]
    first, second = (kernel.kernel(IMAGES) for kernel in kernels[:2])
    assert np.array_equal(first, second) and isinstance(method_of(kernels[0]), AllAtOnce)
    monkeypatch.setattr(tangent, "FEW", 0)
    assert np.abs(kernels[2].kernel(IMAGES) - first).max() < 1e-5 * first.max()
    assert isinstance(method_of(kernels[2]), OneByOne)


def wide(channels=32):
    return nn.Sequential(
        nn.Conv2d(1, channels, 3, padding=1), nn.ReLU(), nn.Conv2d(channels, channels, 3, padding=1, groups=2), nn.ReLU(),
        nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(64 * channels, 10),
    ).double()  # fmt: skip


def test_jacobians_of_wide_convolutions_are_made_part_by_part(monkeypatch):
    """Held as inputs and signals, of which they are made for some units after the others, whatever the number of threads."""
    kernel = lb.TorchModule(wide)
    whole, across = kernel.kernel(IMAGES), kernel.kernel(IMAGES[:3], IMAGES[2:])
    kinds = [type(factor) for factor in method_of(kernel)(torch.from_numpy(IMAGES))]
    assert kinds.count(WindowsAndSignals) == 1
    monkeypatch.setattr(layer_by_layer, "SMALLER", 0)  # the convolution in two groups, too
    monkeypatch.setattr(factors, "PART", 1 << 20)
    monkeypatch.setattr(tangent, "BATCH", 5)
    expected = brute_force(kernel, IMAGES)
    in_parts = []
    for threads in (3, 1):
        torch.set_num_threads(threads)
        in_parts.append(kernel.kernel(IMAGES))
    assert np.array_equal(*in_parts) and np.array_equal(in_parts[0], in_parts[0].T)
    assert np.abs(in_parts[0] - expected).max() < 1e-12 * expected.max()
    assert np.abs(whole - expected).max() < 1e-12 * expected.max()
    assert np.abs(across - expected[:3, 2:]).max() < 1e-12 * expected.max()


@pytest.mark.parametrize("method", [LayerByLayer, AllAtOnce, OneByOne])
@pytest.mark.parametrize("memory", [1, 300_000, 1 << 30])
def test_methods_and_tiles_agree(method, memory):
    """A byte of memory means tiles of one point, made anew for every pair."""
    module, points = Residual().double(), torch.from_numpy(IMAGES)
    method = method(module, torch.eye(4, dtype=torch.float64) / 2)
    measured = ChosenMethod(method, [f.nbytes // len(points) for f in method(points)], 100)
    expected = brute_force(lb.TorchModule(lambda: module), IMAGES)
    for rows, columns in ((slice(None), None), (slice(2, 9), slice(4, None))):
        matrix = measured.matrix(points[rows], None if columns is None else points[columns], memory)
        part = expected[rows][:, rows if columns is None else columns]
        assert np.abs(matrix.numpy() - part).max() < 1e-12 * expected.max()


def test_a_random_direction_is_the_mean_kernel_on_average():
    class Directed(nn.Module):
        """One output, a direction among those of the dense network."""

        def __init__(self, direction):
            super().__init__()
            self.net, self.direction = dense(3), direction

        def forward(self, x):
            return self.net(x) @ self.direction

    one = lb.TorchModule(lambda: dense(3).double(), outputs="random", seed=1)
    direction = one._directions(3)[0]
    assert np.allclose(
        one.kernel(IMAGES), lb.TorchModule(lambda: Directed(direction).double(), 1).kernel(IMAGES), rtol=1e-10
    )
    assert direction.norm().item() == pytest.approx(1)
    other = lb.TorchModule(lambda: dense(3).double(), outputs="random", seed=2)
    assert not torch.allclose(direction, other._directions(3)[0])


def test_hidden_features_are_the_readouts_share():
    kernel = lb.TorchModule(dense, seed=2)
    with torch.no_grad():
        features = kernel._module[:-1](torch.from_numpy(IMAGES).float()).double().numpy()
    assert np.allclose(kernel.kernel(IMAGES, kind="nngp"), features @ features.T, rtol=1e-6)
    assert np.linalg.eigvalsh(kernel.kernel(IMAGES) - kernel.kernel(IMAGES, kind="nngp") / 10)[0] > 0
    with pytest.raises(ValueError, match='no nn.Linear .* use kind "ntk"'):
        lb.TorchModule(lambda: nn.Sequential(nn.Conv2d(1, 3, 8), nn.Flatten())).kernel(IMAGES, kind="nngp")


def test_seeds_decide_the_weights_and_leave_other_random_numbers_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    kernels = [lb.TorchModule(dense, seed=seed) for seed in (0, 0, 1)]
    assert torch.equal(torch.rand(3), expected)
    first, same, other = (kernel.kernel(IMAGES) for kernel in kernels)
    assert np.array_equal(first, same) and not np.allclose(first, other)
    assert kernels[0].identity == kernels[1].identity != kernels[2].identity
    assert torch.is_tensor(kernels[0].kernel(torch.from_numpy(IMAGES)))


def test_identity_is_that_of_the_module():
    def partly_frozen():
        net = dense()
        net[1].requires_grad_(False)
        return net

    identities = [lb.TorchModule(factory).identity for factory in (dense, partly_frozen, lambda: dense(9))]
    identities.append(lb.TorchModule(dense, outputs="random").identity)
    assert len({lb.common.seeding.digest(identity) for identity in identities}) == 4


FILE = """
from torch import nn

def small_cnn():
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 1))
"""


def test_a_configuration_names_a_file(tmp_path):
    entry = {"kind": "torch_module", "path": str(tmp_path / "models.py"), "function": "small_cnn", "seed": 1}
    (tmp_path / "models.py").write_text(FILE)
    with pytest.raises(ValueError, match="models.py would be run as Python code"):
        architecture_from(entry)
    one = architecture_from({**entry, "allow_code": True})
    assert one.kernel(IMAGES).shape == (12, 12)
    (tmp_path / "moved.py").write_text(FILE)
    assert (
        lb.TorchModule(path=str(tmp_path / "moved.py"), function="small_cnn", seed=1, allow_code=True).identity
        == one.identity
    )
    (tmp_path / "models.py").write_text(FILE + "\n")
    assert architecture_from({**entry, "allow_code": True}).identity != one.identity
    with pytest.raises(ValueError, match="unknown function in .*models.py: 'smallcnn'; did you mean 'small_cnn'"):
        architecture_from({**entry, "allow_code": True, "function": "smallcnn"})


def test_batch_normalisation_takes_its_statistics_once():
    kernel = lb.TorchModule(normalised)
    with pytest.warns(UserWarning, match="evaluation mode with the statistics of these 12 points"):
        whole = kernel.kernel(IMAGES)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.allclose(kernel.kernel(IMAGES[:4], IMAGES), whole[:4], rtol=1e-5)
        ready = lb.TorchModule(normalised).calibrated(IMAGES)
        assert np.allclose(ready.kernel(IMAGES[:4]), whole[:4, :4], rtol=1e-5)
    assert (
        ready.identity != lb.TorchModule(normalised).identity
        and ready.identity != ready.calibrated(IMAGES[:5]).identity
    )
    with pytest.raises(ValueError, match="at least two points; call .calibrated"):
        lb.TorchModule(normalised).kernel(IMAGES[:1])


class Call(nn.Module):
    """A linear layer, and a function of what it returns."""

    def __init__(self, function, inputs=64):
        super().__init__()
        self.linear, self.function = nn.Linear(inputs, 2), function

    def forward(self, x):
        return self.function(self.linear(x.flatten(1)))


REFUSED = {
    "module": (nn.Linear(2, 2), "a function that builds the module .* lambda"),
    "no module": (lambda: None, "must return a torch.nn.Module, got NoneType"),
    "broken": (lambda: nn.Linear(2), r"the function that builds the module fails: TypeError"),
    "lazy": (lambda: nn.LazyLinear(2), "lazy layers"),
    "no parameters": (nn.Flatten, "no trainable parameter"),
    "frozen": (lambda: nn.Linear(2, 2).requires_grad_(False), "no trainable parameter; leave requires_grad=True"),
    "random": (lambda: Call(lambda y: nn.functional.dropout(y, 0.5, True)), "random in evaluation.* nn.Dropout"),
    "half": (lambda: nn.Linear(64, 2).half(), "parameters are torch.float16; .* module.float"),
    "batch": (lambda: Call(lambda y: y - y.mean(0)), "depends on the other samples of its batch"),
    "batch norm": (lambda: nn.Sequential(nn.Flatten(), nn.BatchNorm1d(64, track_running_stats=False), nn.Linear(64, 1)), "depends on the other samples.*track_running_stats=True"),
    "tuple": (lambda: Call(lambda y: (y, y)), r"returns tuple; let forward return one tensor"),
    "image": (lambda: nn.Conv2d(1, 3, 3), r"of shape \(3, 3, 6, 6\) for 3 points; let forward return"),
    "shape": (lambda: Call(lambda y: y, 63), r"fails on points of shape \(1, 8, 8\).*: RuntimeError.* give x in the shape"),
    "constant": (lambda: Call(lambda y: y.detach()), "cannot be differentiated"),
    "dead": (lambda: Call(lambda y: torch.relu(y - 1e6)), "the ntk of .* vanishes: .* another initialisation"),
    "nan": (lambda: Call(lambda y: y.log()), "outputs are not finite"),
    "gradients": (lambda: Call(lambda y: (0 * y).sqrt()), "gradients are not finite"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_has_no_kernel_is_refused_with_the_remedy(case):
    factory, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        lb.TorchModule(factory).kernel(IMAGES)


def test_arguments_are_checked():
    for arguments, message in (
        ({"seed": -1}, "seed must be a whole number"),
        ({"outputs": "full"}, 'outputs="full" makes .* write "mean"'),
        ({"outputs": "means"}, "unknown outputs 'means'; did you mean 'mean'"),
        ({"path": "models.py"}, "needs one function"),
    ):
        with pytest.raises(ValueError, match=message):
            lb.TorchModule(dense, **arguments)
    with pytest.raises(ValueError, match="needs one function"):
        lb.TorchModule()


def test_it_takes_gradients_where_they_are_off():
    expected = lb.TorchModule(Attention).kernel(IMAGES)
    with torch.no_grad():
        assert np.allclose(lb.TorchModule(Attention).kernel(IMAGES), expected, rtol=1e-5)


def test_zeros_are_points():
    linear = lb.TorchModule(lambda: nn.Sequential(nn.Flatten(), nn.Linear(4, 1, bias=False)))
    points = np.eye(4).reshape(4, 2, 2)
    assert np.allclose(linear.kernel(points), np.eye(4)) and not linear.kernel(points[:1], points[1:]).any()
    assert not linear.kernel(0 * points).any() and linear.kernel(points[:0], points).shape == (0, 4)


@pytest.fixture(scope="module")
def digits():
    from learnability.domains.samples import DataSet

    return DataSet(name="digits", samples=40)


@pytest.mark.filterwarnings("ignore:.*ill-conditioned")  # 32 features of 40 samples
def test_select_ranks_initialisations(digits):
    candidates = {
        f"{build.__name__}-{seed}": lb.TorchModule(build, seed) for build in (dense, convolutions) for seed in (0, 1)
    }
    table = lb.select(digits, candidates, digits.all(), train_sizes=[10, 20], kernels=["ntk", "nngp"]).table
    assert len(table) == 16 and np.isfinite(table["test_mse"]).all() and table["test_mse"].nunique() == 16


def test_theory_and_regression_take_it(digits):
    kernel, y = lb.TorchModule(convolutions), digits.labels
    curve = lb.learning_curve(digits, kernel, digits.all(), train_size=[10, 20])
    assert curve.test_mse_off_train[1] < curve.test_mse_off_train[0]
    predicted = lb.kernel_regression(kernel, digits.points[:20], y[:20], digits.points[20:])
    error = ((predicted - y[20:]) ** 2).mean()
    assert error == pytest.approx(curve.test_mse_off_train[1], rel=0.3)  # one training set of twenty samples


def test_its_spectrum_by_quadrature_is_that_of_the_matrix(digits):
    kernel = lb.TorchModule(convolutions)
    large = lb.large_spectrum(kernel, digits.points, digits.labels)
    assert large.spectrum.trace == pytest.approx(kernel.diagonal(digits.points).mean(), rel=1e-6)
