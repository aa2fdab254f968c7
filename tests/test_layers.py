"""Networks as lists of layers: reference kernels, one inherited suite for every network, identities between them, messages."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

import learnability as lb
from learnability.kernels import architecture_from
from learnability.kernels.activations import ACTIVATIONS
from learnability.kernels.grid import expanded
from learnability.kernels.layers import matrix

DATA = Path(__file__).parent / "data"
CONV = {"conv": {"kernel": 3, "weight_std": 1.4, "bias_std": 0.1}}
READOUT = {"dense": {"weight_std": 1, "bias_std": 0}}
RNG = np.random.default_rng(0)
IMAGES, OTHERS = RNG.standard_normal((5, 2, 5, 4)), RNG.standard_normal((3, 2, 5, 4))
NETWORKS = {
    "flatten": [CONV, "relu", CONV, "erf", "flatten", READOUT],
    "strides": [{"conv": {"kernel": [3, 2], "strides": [2, 1], "padding": "valid"}}, "abs", CONV, "relu", "flatten", READOUT],
    "circular": [{"conv": {"kernel": 3, "padding": "circular"}}, "tanh", "global_avg_pool", READOUT],
    "pooled": [CONV, "relu", {"avg_pool": {"window": 2}}, CONV, "gelu", "flatten", {"dense": {"weight_std": 2, "bias_std": 1}}, "sin", READOUT],
    "overlapping": [{"avg_pool": {"window": 3, "strides": 1, "padding": "same"}}, CONV, "relu", "global_avg_pool", READOUT],
    "normalised": [CONV, "layer_norm", "relu", CONV, "layer_norm", "relu", "global_avg_pool", READOUT],
    "residual": [
        CONV,
        {
            "residual": {
                "branch": ["relu", {"conv": {"kernel": 3, "strides": 2, "padding": 1}}, "relu", CONV],
                "shortcut": [{"conv": {"kernel": 1, "strides": 2}}],
            }
        },
        {"residual": {"branch": ["layer_norm", "relu", CONV]}},
        {"leaky_relu": {"slope": 0.2}},
        "global_avg_pool",
        READOUT,
    ],
    "linear": ["flatten", READOUT],
}  # fmt: skip


def reference_networks():
    with h5py.File(DATA / "convolutional.h5") as file:
        return [name for name in file if name != "inputs"]


def as_written_here(entries):
    """Layers of the reference file, whose paddings are in capitals, as `Sequential` takes them."""
    for name, *options in entries:
        named = {key: value.lower() if key == "padding" else value for key, value in (options or [{}])[0].items()}
        nested = {key: list(as_written_here(value)) for key, value in named.items() if key in ("branch", "shortcut")}
        yield {name: {**named, **nested}}


@pytest.mark.parametrize("name", reference_networks())
def test_reference_kernels(name):
    with h5py.File(DATA / "convolutional.h5") as file:
        group = file[name]
        x, x2 = (np.moveaxis(file["inputs"][group.attrs["kind"]][key][:], -1, 1) for key in ("x", "x2"))
        network = lb.Sequential(list(as_written_here(json.loads(group.attrs["layers"]))))
        for kind in ("ntk", "nngp"):
            expected, computed = group[kind][:], network.kernel(x, kind=kind)
            error = np.abs(computed - expected) / np.abs(expected).max()
            # arccos near coincident patches, which are the diagonal's, is known to half the digits only, in the reference too
            diagonal = 1e-7 if "relu" in name and kind == "ntk" else 1e-10
            assert error[~np.eye(len(x), dtype=bool)].max() < 1e-12 and error.diagonal().max() < diagonal
            pairs = group[f"{kind}_x2"][:]
            assert np.abs(network.kernel(x, x2, kind) - pairs).max() < 1e-12 * np.abs(pairs).max()


@pytest.mark.parametrize("name", NETWORKS)
def test_single_precision_is_right_to_a_millionth(name):
    """But where patches of different points coincide and the activation has a kink; zeros are finite there, too."""
    double, single = lb.Sequential(NETWORKS[name]), lb.Sequential(NETWORKS[name], dtype="float32")
    assert double.identity != single.identity and "dtype" not in double.identity
    for kind in ("ntk", "nngp"):
        expected, computed = double.kernel(IMAGES, kind=kind), single.kernel(IMAGES, kind=kind)
        assert computed.dtype == np.float64 and np.array_equal(computed.diagonal(), expected.diagonal())
        assert np.array_equal(computed, computed.T)
        assert 0 < np.abs(computed - expected).max() < 1e-6 * expected.max()
    near = IMAGES[[0, 0, 1, 1, 2]] * np.array([1, 1, 1, -1, 0])[:, None, None, None]
    near[1, 0, 2, 2] += 1
    expected, computed = double.kernel(near), single.kernel(near)
    assert np.abs(computed - expected).max() < 1e-3 * expected.max()
    weights = [next(network.module((2, 5, 4), 3).parameters()) for network in (double, single)]
    assert torch.equal(*weights)


@pytest.mark.parametrize("kind", ["ntk", "nngp"])
@pytest.mark.parametrize("name", NETWORKS)
class TestEveryNetwork:
    def test_is_symmetric_and_positive(self, name, kind):
        kernel = lb.Sequential(NETWORKS[name]).kernel(IMAGES, kind=kind)
        assert np.array_equal(kernel, kernel.T)
        assert np.linalg.eigvalsh(kernel).min() > -1e-13 * kernel.max()

    def test_pairs_are_those_of_the_whole_matrix(self, name, kind):
        network, both = lb.Sequential(NETWORKS[name]), np.concatenate([IMAGES, OTHERS])
        whole = network.kernel(both, kind=kind)
        assert np.allclose(network.kernel(IMAGES, OTHERS, kind), whole[:5, 5:], rtol=1e-12)
        assert np.allclose(network.kernel(both, both, kind), whole, rtol=1e-12)  # coincident points too
        assert network.kernel(IMAGES[:0], OTHERS, kind).shape == (0, 3)

    def test_in_tiles_and_blocks_it_is_the_same(self, name, kind, monkeypatch):
        network = lb.Sequential(NETWORKS[name])
        expected, expected2 = network.kernel(IMAGES, kind=kind), network.kernel(IMAGES, OTHERS, kind)
        monkeypatch.setattr(matrix, "CPU_TILE", 1)
        monkeypatch.setattr(matrix, "MEMORY", 1)
        kernel = network.kernel(IMAGES, kind=kind)
        assert np.array_equal(kernel, kernel.T)
        assert np.allclose(kernel, expected, rtol=1e-12)
        assert np.allclose(network.kernel(IMAGES, OTHERS, kind), expected2, rtol=1e-12)

    def test_zero_opposite_and_coincident_points_are_finite(self, name, kind):
        special = np.concatenate([np.zeros((2, 2, 5, 4)), np.ones((1, 2, 5, 4)), IMAGES[:1], -IMAGES[:1], IMAGES[:1]])
        network = lb.Sequential(NETWORKS[name])
        kernel = network.kernel(special, kind=kind)
        assert np.isfinite(kernel).all()
        for one, other in ((3, 5), (0, 1)):
            assert kernel[one, other] == pytest.approx(kernel[one, one], rel=1e-12)
        assert np.allclose(network.kernel(special, special, kind), kernel, rtol=1e-12)

    def test_torch_in_torch_out(self, name, kind):
        network = lb.Sequential(NETWORKS[name])
        kernel = network.kernel(torch.from_numpy(IMAGES), kind=kind)
        assert kernel.dtype == torch.float64 and np.array_equal(kernel.numpy(), network.kernel(IMAGES, kind=kind))

    def test_identity_makes_the_same_network(self, name, kind):
        network = lb.Sequential(NETWORKS[name])
        again = architecture_from(json.loads(json.dumps(network.identity)))
        assert again == network and hash(again) == hash(network)


@pytest.mark.parametrize("activation", [*ACTIVATIONS, {"kind": "leaky_relu", "slope": 0.3}])
@pytest.mark.parametrize("kind", ["ntk", "nngp"])
def test_dense_layers_are_the_fully_connected_network(activation, kind):
    x = RNG.standard_normal((6, 7))
    dense = {"dense": {"weight_std": 1.3, "bias_std": 0.2}}
    for x2 in (None, RNG.standard_normal((3, 7))):
        expected = lb.FullyConnected(2, activation, 1.3, 0.2).kernel(x, x2, kind)
        layers = [dense, activation, dense, activation, READOUT]
        assert np.allclose(lb.Sequential(layers).kernel(x, x2, kind), expected, rtol=1e-13, atol=1e-15)
        # one position is no different from none
        image = [x[:, :, None, None], None if x2 is None else x2[:, :, None, None]]
        conv = {"conv": {"kernel": 3, "padding": 1, "weight_std": 3 * 1.3, "bias_std": 0.2}}
        layers = [conv, activation, conv, activation, "flatten", READOUT]
        assert np.allclose(lb.Sequential(layers).kernel(*image, kind), expected, rtol=1e-12, atol=1e-14)
        expected = lb.Residual(2, activation, 1.3, 0.2).kernel(x, x2, kind)
        layers = [dense, {"residual": {"branch": [activation, dense]}}, activation, READOUT]
        assert np.allclose(lb.Sequential(layers).kernel(x, x2, kind), expected, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("kind", ["ntk", "nngp"])
def test_a_filter_as_large_as_the_image_is_a_dense_layer(kind):
    conv = {"conv": {"kernel": [5, 4], "padding": "valid", "weight_std": 1.3, "bias_std": 0.2}}
    dense = {"dense": {"weight_std": 1.3, "bias_std": 0.2}}
    expected = lb.FullyConnected(1, "erf", 1.3, 0.2).kernel(IMAGES.reshape(5, -1), kind=kind)
    for layers in (
        [conv, "erf", "flatten", READOUT],
        [conv, "erf", "global_avg_pool", READOUT],
        ["flatten", dense, "erf", READOUT],
    ):
        assert np.allclose(lb.Sequential(layers).kernel(IMAGES, kind=kind), expected, rtol=1e-13)


@pytest.mark.parametrize("padding", ["same", "valid", "circular"])
@pytest.mark.parametrize("end", ["flatten", "global_avg_pool"])
def test_sequences_are_images_of_height_one(padding, end):
    x, options = RNG.standard_normal((4, 2, 7)), {"padding": padding, "bias_std": 0.1}
    ends = [end, READOUT]
    line = [{"conv": {"kernel": 3, "strides": 2, **options}}, "relu", {"avg_pool": {"window": 2, "strides": 1}}, *ends]
    flat = {"conv": {"kernel": [1, 3], "strides": [1, 2], **options}}
    image = [flat, "relu", {"avg_pool": {"window": [1, 2], "strides": 1}}, *ends]
    assert np.allclose(lb.Sequential(line).kernel(x), lb.Sequential(image).kernel(x[:, :, None]), rtol=1e-13)


def test_on_a_ring_with_global_pooling_the_kernel_is_that_of_any_shift():
    circular = {"conv": {"kernel": 3, "padding": "circular", "bias_std": 0.1}}
    network = lb.Sequential([circular, "relu", circular, "erf", "global_avg_pool", READOUT])
    shifted = np.roll(IMAGES, (2, 1), (2, 3))
    assert np.allclose(network.kernel(IMAGES, shifted), network.kernel(IMAGES), rtol=1e-12)
    zeros = lb.Sequential([CONV, "relu", CONV, "erf", "global_avg_pool", READOUT])
    assert not np.allclose(zeros.kernel(IMAGES, shifted), zeros.kernel(IMAGES), rtol=1e-3)


def test_windows_are_those_of_pytorch():
    """A linear network of one convolution or pooling has the kernel of its own features, made by PyTorch."""
    x = torch.from_numpy(IMAGES)
    for size, stride, padding in ((3, 1, 0), (2, 2, 0), (3, 2, 1), (5, 1, 2), (4, 3, 2)):
        patches = torch.nn.functional.unfold(x, size, padding=padding, stride=stride).numpy()
        expected = np.einsum("icp,jcp->ij", patches, patches) / patches[0].size
        conv = lb.Sequential(
            [{"conv": {"kernel": size, "strides": stride, "padding": padding, "weight_std": 1}}, "flatten", READOUT]
        )
        assert np.allclose(conv.kernel(IMAGES, kind="nngp"), expected, rtol=1e-12)
        pooled = torch.nn.functional.avg_pool2d(x, size, stride, min(padding, size // 2)).reshape(5, -1).numpy()
        pool = {"avg_pool": {"window": size, "strides": stride, "padding": min(padding, size // 2)}}
        expected = pooled @ pooled.T / pooled.shape[1]
        assert np.allclose(lb.Sequential([pool, "flatten", READOUT]).kernel(IMAGES), expected, rtol=1e-12)


def test_same_and_circular_padding_put_the_odd_position_at_the_end():
    x = np.eye(4)[:, None]  # a point is one position
    for padding, after in (("same", 0.0), ("circular", 1.0)):
        pool = lb.Sequential([{"avg_pool": {"window": 2, "strides": 1, "padding": padding}}, "flatten", READOUT])
        windows = (np.eye(4) + np.eye(4, k=1)) / 2  # (window, position)
        windows[3, 0] = after / 2
        assert np.allclose(pool.kernel(x), windows.T @ windows / 4, rtol=1e-13)


def test_the_number_of_threads_does_not_matter(monkeypatch):
    monkeypatch.setattr(matrix, "CPU_TILE", 1 << 9)
    network = lb.Sequential(NETWORKS["normalised"])
    alone = network.kernel(IMAGES)
    torch.set_num_threads(3)
    try:
        assert np.array_equal(network.kernel(IMAGES), alone)
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(1)


def test_layer_norm_makes_a_network_blind_to_the_scale_of_points():
    dense = {"dense": {"weight_std": 1.3, "bias_std": 0}}
    x = RNG.standard_normal((4, 6))
    network = lb.Sequential([dense, "layer_norm", "relu", READOUT])
    assert np.allclose(network.kernel(7 * x), network.kernel(x), rtol=1e-13)
    assert np.allclose(network.kernel(x, kind="nngp").diagonal(), 0.5, rtol=1e-14)
    assert network.kernel(np.zeros((2, 6))).max() < 1e-200


def test_the_sum_of_independent_branches():
    """A residual connection whose parts are dense layers is a dense layer of the root of the summed squares."""
    x = RNG.standard_normal((4, 6))
    both = {
        "residual": {
            "branch": [{"dense": {"weight_std": 3}}],
            "shortcut": [{"dense": {"weight_std": 4, "bias_std": 1}}],
        }
    }
    one = {"dense": {"weight_std": 5, "bias_std": 1}}
    first = {"dense": {"weight_std": 1.2}}
    for kind in ("ntk", "nngp"):
        kernel, expected = (lb.Sequential([first, layer, "erf", READOUT]).kernel(x, kind=kind) for layer in (both, one))
        assert np.allclose(kernel, expected, rtol=1e-13)


def test_odd_networks():
    odd = {"conv": {"kernel": 3}}
    assert lb.Sequential([odd, "layer_norm", "erf", "flatten", READOUT]).odd
    assert lb.Sequential([odd, {"residual": {"branch": ["tanh", odd]}}, "sin", "global_avg_pool", "dense"]).odd
    for entry in (CONV, "relu", {"residual": {"branch": ["relu", odd]}}, {"dense": {"bias_std": 0.1}}):
        assert not lb.Sequential([odd, entry, "flatten", READOUT]).odd


def test_layers_are_objects_too():
    layers = lb.layers
    by_name = lb.Sequential(
        [{"conv": {"kernel": [3, 3]}}, "relu", {"kind": "avg_pool", "window": 2}, "flatten", "dense"]
    )
    by_hand = lb.Sequential(
        [
            layers.Conv((3, 3)),
            layers.Nonlinearity("relu"),
            layers.AvgPool(2, strides=2),
            layers.Flatten(),
            layers.Dense(),
        ]
    )
    assert by_name == by_hand and {by_name: 1}[by_hand] == 1
    own = lb.Activation("cubic", lambda z: z**3, lambda z: 3 * z**2)
    assert lb.Sequential(["dense", own, "dense"]).kernel(RNG.standard_normal((3, 2))).shape == (3, 3)


def test_a_layer_of_ones_own_is_one_class():
    from dataclasses import dataclass

    @dataclass(frozen=True)
    class Doubled(lb.layers.Layer):
        name = "doubled"

        def after(self, signal):
            return signal

        def propagate(self, state, left, right):
            return state.each(lambda tensor: tensor.mul_(4))

    x = RNG.standard_normal((3, 2))
    expected = lb.Sequential(["dense", "dense"]).kernel(2 * x)
    assert np.allclose(lb.Sequential(["doubled", "dense", "dense"]).kernel(x), expected, rtol=1e-14)


def test_unflatten_arranges_flat_points():
    layers = [CONV, "relu", "global_avg_pool", READOUT]
    arranged = lb.Sequential([{"unflatten": {"shape": [2, 5, 4]}}, *layers])
    flat, flat2 = IMAGES.reshape(5, 40), OTHERS.reshape(3, 40)
    assert np.array_equal(arranged.kernel(flat), lb.Sequential(layers).kernel(IMAGES))
    assert np.array_equal(arranged.kernel(flat, flat2), lb.Sequential(layers).kernel(IMAGES, OTHERS))
    ring = {"conv": {"kernel": 3, "padding": "circular", "bias_std": 0.1}}
    local = lb.Sequential([{"unflatten": {"shape": [1, 6]}}, ring, "relu", "flatten", READOUT])
    points = lb.Hypercube(dim=6).points
    spectrum = lb.Samples(points).spectrum(
        local
    )  # no longer that of the cube's symmetries: a local function is another one
    assert spectrum.trace == pytest.approx(local.kernel(points).diagonal().mean(), rel=1e-12)


def test_a_list_of_layers_is_one_architecture_and_no_grid():
    entry = {"kind": "sequential", "layers": ["dense", "relu", "dense"]}
    assert expanded("net", entry) == {"net": entry}


def empirical_kernel(module, x):
    """The tangent kernel of a module with one output, by automatic differentiation, point by point."""
    gradients = [torch.autograd.grad(module(point[None])[0, 0], [*module.parameters()]) for point in x]
    jacobian = torch.stack([torch.cat([part.flatten() for part in parts]) for parts in gradients])
    return jacobian @ jacobian.T


@pytest.mark.parametrize("name", NETWORKS)
def test_tangent_kernels_of_finite_networks_approach_it(name):
    """The squared distance falls as one over the width; linear networks without hidden layers have it exactly."""
    network, x = lb.Sequential(NETWORKS[name]), torch.from_numpy(IMAGES[:3])
    kernel, seeds = network.kernel(x), range(16)
    distances = []
    for width in (32, 128):
        modules = [network.module(x.shape[1:], width, seed=seed, dtype=torch.float64) for seed in seeds]
        squares = [(empirical_kernel(module, x) - kernel).square().mean() for module in modules]
        distances.append(float(sum(squares) / len(seeds) / kernel.square().mean()))
    if name == "linear":
        assert max(distances) < 1e-28
    else:
        assert 2.5 < distances[0] / distances[1] < 6, distances  # 4, up to the scatter of sixteen networks


def test_initial_weights_follow_from_what_the_network_is():
    network = lb.Sequential([CONV, "relu", "global_avg_pool", READOUT])
    x = torch.from_numpy(IMAGES)
    one, again, single = (
        network.module((2, 5, 4), 8, 3, 5, dtype) for dtype in (torch.float64,) * 2 + (torch.float32,)
    )
    assert torch.equal(one(x), again(x)) and one(x).shape == (5, 3)
    assert torch.allclose(single(x.float()).double(), one(x), atol=1e-5)
    assert not torch.allclose(network.module((2, 5, 4), 8, 3, 6, torch.float64)(x), one(x), atol=1e-2)
    with pytest.raises(ValueError, match="width must be a whole number >= 1"):
        network.module((2, 5, 4), 0)
    ends = lb.Sequential([CONV, {"residual": {"branch": ["relu", CONV], "shortcut": [CONV]}}, "global_avg_pool"])
    with pytest.raises(ValueError, match="last weights are those of a residual; add a readout"):
        ends.module((2, 5, 4), 8)


RING = RNG.standard_normal((3, 2, 6))
FLAT = RNG.standard_normal((3, 6))


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([], "there are none"),
        ("relu", "must be a list"),
        ([CONV, "rleu"], r"layer 2 \(rleu\): unknown layer 'rleu'; did you mean 'relu'"),
        (["con"], r"layer 1 .*did you mean 'conv'"),
        ([3], "layer 1: a layer is a name"),
        ([{"conv": {}, "relu": {}}], "layer 1 .*a layer is a name"),
        ([{"conv": 3}], r"layer 1 \(conv\): options of conv must be a mapping, got 3"),
        ([{"conv": {"kernal": 3}}], r"layer 1 \(conv\): unknown option of conv 'kernal'; did you mean 'kernel'"),
        (["conv"], "option of conv 'kernel' is missing"),
        ([{"conv": {"kernel": 0}}], "kernel must be a whole number >= 1, got 0"),
        ([{"conv": {"kernel": [3, 3, 3]}}], "kernel must be a whole number or a list of one or two"),
        ([{"conv": {"kernel": 3, "strides": 1.5}}], "strides must be a whole number"),
        ([{"conv": {"kernel": 3, "padding": "sane"}}], "unknown padding 'sane'; did you mean 'same'"),
        ([{"conv": {"kernel": 3, "padding": -1}}], "padding must be same, valid, circular or a whole number"),
        ([{"conv": {"kernel": 3, "weight_std": -1}}], "weight_std must be finite and >= 0, got -1"),
        ([{"avg_pool": {}}], "option of avg_pool 'window' is missing"),
        ([{"unflatten": {"shape": 6}}], r"layer 1 \(unflatten\): shape must be \[channels, length\]"),
        ([{"relu": {"slope": 1}}], r"layer 1 \(relu\)"),
        (
            [CONV, {"residual": {"branch": ["relu", "cnov"]}}],
            r"layer 2 \(residual\): branch: layer 2 \(cnov\): .*'conv'",
        ),
        ([CONV, {"residual": {"branch": ["layer_norm"]}}], "no weights of their own"),
        ([CONV, {"residual": {"branch": [{"residual": {"branch": ["relu", CONV]}}]}}], "no weights of their own"),
    ],
)
def test_lists_that_are_no_network(layers, message):
    with pytest.raises(ValueError, match=message):
        lb.Sequential(layers)


@pytest.mark.parametrize(
    ("layers", "points", "message"),
    [
        (["dense"], IMAGES, r"layer 1 \(dense\): .*5 x 4 positions; put flatten or global_avg_pool"),
        ([CONV, "relu", "flatten"], FLAT, r"layer 1 \(conv\): .*flat points"),
        ([{"avg_pool": {"window": 2}}, "dense"], FLAT, "avg_pool acts on positions .*flat points"),
        (["global_avg_pool", "dense"], FLAT, "global_avg_pool acts on positions"),
        ([CONV, "flatten", {"avg_pool": {"window": 2}}], IMAGES, r"layer 3 \(avg_pool\)"),
        (
            [{"avg_pool": {"window": 5}}],
            IMAGES,
            "window 5 is larger than the 4 positions of axis 2 with padding valid; write at most 4",
        ),
        ([{"conv": {"kernel": 9, "padding": 1}}], RING, "kernel 9 is larger than the 6 positions of axis 1"),
        (
            [{"conv": {"kernel": [3, 3]}}],
            RING,
            r"kernel \[3, 3\] is for 2 position axes, the points have 1; write kernel: \[3\]",
        ),
        ([{"conv": {"kernel": [3]}}], IMAGES, r"write kernel: \[3, 3\]"),
        ([{"conv": {"kernel": 3, "strides": [2]}}], IMAGES, r"strides \[2\] is for 1"),
        (
            [{"unflatten": {"shape": [1, 5]}}, "flatten", "dense"],
            FLAT,
            r"layer 1 .*\[1, 5\] holds 5 numbers, the points have 6",
        ),
        (
            [{"unflatten": {"shape": [2, 3]}}, "flatten", "dense"],
            IMAGES,
            "what reaches it has 5 x 4 positions; put it first",
        ),
        (["dense", {"unflatten": {"shape": [2, 3]}}, "dense"], FLAT, r"layer 2 \(unflatten\): .*put it first"),
        (["relu", "dense"], FLAT, r"layer 1 \(relu\): .*what reaches it are inputs; put a conv or dense layer between"),
        (["dense", "relu", "relu", "dense"], FLAT, r"layer 3 \(relu\): .*features"),
        ([CONV, "flatten", "relu", "dense"], IMAGES, "activations before flatten"),
        (["dense", "relu", "layer_norm", "dense"], FLAT, "layer_norm acts on pre-activations"),
        ([CONV, "relu"], IMAGES, "ends with 5 x 4 positions; add flatten or global_avg_pool and a readout"),
        (["dense", "relu"], FLAT, r"ends with features; add a readout, \{dense"),
        (["flatten"], IMAGES, "ends with inputs; add a readout"),
        (
            [CONV, {"residual": {"branch": ["relu", {"conv": {"kernel": 3, "strides": 2}}]}}],
            IMAGES,
            r"layer 2 \(residual\): the branch ends with 3 x 2 positions and the shortcut with 5 x 4 positions",
        ),
        (
            [CONV, {"residual": {"branch": [CONV, "relu"]}}],
            IMAGES,
            "the branch ends with features and only pre-activations",
        ),
        ([CONV, "relu", {"residual": {"branch": [CONV]}}], IMAGES, "the shortcut ends with features"),
        ([CONV, {"residual": {"branch": ["relu", "relu", CONV]}}], IMAGES, r"branch: layer 2 \(relu\)"),
    ],
)
def test_layers_that_do_not_fit(layers, points, message):
    with pytest.raises(ValueError, match=message):
        lb.Sequential(layers).kernel(points)


def test_points_that_do_not_fit():
    network = lb.Sequential([CONV, "relu", "flatten", "dense"])
    for x, x2, message in (
        (np.zeros(3), None, r"x must be a matrix \(points, dim\) or \(points, channels, length\) or"),
        (np.full((2, 1, 4), np.nan), None, "not finite"),
        (np.zeros((2, 0, 4)), None, "points without numbers"),
        (np.zeros((2, 1, 4)), np.zeros((2, 1, 5)), r"same shape, got \(1, 4\) and \(1, 5\)"),
        (np.zeros((2, 1, 4)), np.zeros((2, 4)), "same shape"),
    ):
        with pytest.raises(ValueError, match=message):
            network.kernel(x, x2)
    with pytest.raises(ValueError, match="unknown kernel kind 'nkt'"):
        network.kernel(np.zeros((2, 1, 4)), kind="nkt")


def test_memory_is_estimated_before_it_is_taken():
    pooled = lb.Sequential([CONV, "relu", "global_avg_pool", "dense"])
    with pytest.raises(
        ValueError, match="8100000000 for one pair of points: about .* GiB, and the machine has .*flatten"
    ):
        pooled.kernel(np.zeros((1, 1, 300, 300)))
    with pytest.raises(ValueError, match="takes 29802.3 GiB"):
        lb.Sequential(["dense"]).kernel(torch.zeros(1, 1).expand(2_000_000, 1))
