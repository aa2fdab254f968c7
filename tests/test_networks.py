import h5py
import numpy as np
import pandas as pd
import pytest
import torch

import join_study
import learnability as lb
import train_networks
from learnability.common.store import read_frame, read_h5
from learnability.ensembles.networks import Ensemble, tangent_kernel
from learnability.ensembles.training.gradient_descent import gradient_descent
from learnability.kernels.activations import ACTIVATIONS


@pytest.fixture
def reference(data):
    with h5py.File(data / "networks.h5") as file:
        net, sets = file["net/hypercube8_k1/relu_d1"], file["data/hypercube8_k1"]
        architecture = lb.FullyConnected(1, "relu", net.attrs["W_std"], net.attrs["b_std"])
        weights = [torch.from_numpy(net[f"init/W{layer}"][:])[None] for layer in (0, 1)]
        biases = [torch.from_numpy(net[f"init/b{layer}"][:])[None, None] for layer in (0, 1)]
        arrays = {name: torch.from_numpy(sets[name][:]) for name in ("train_X", "train_y", "test_X")}
        names = ("init_train_out", "empirical_ntk_train", "empirical_ntk_test_train", "test_y_hat", "train_y_hat")
        yield Ensemble(architecture, weights, biases), arrays, {name: net[name][:] for name in names}


def test_forward_and_tangent_kernel_agree_with_neural_tangents(reference):
    ensemble, arrays, expected = reference
    x, x_test = arrays["train_X"], arrays["test_X"]
    assert np.abs(ensemble.forward(x)[0].numpy() - expected["init_train_out"]).max() < 1e-12
    assert np.abs(tangent_kernel(ensemble, x)[0].numpy() - expected["empirical_ntk_train"]).max() < 1e-12
    assert np.abs(tangent_kernel(ensemble, x_test, x)[0].numpy() - expected["empirical_ntk_test_train"]).max() < 1e-12


def test_thirty_steps_of_gradient_descent_agree(reference):
    ensemble, arrays, expected = reference
    x, y, x_test = arrays["train_X"], arrays["train_y"], arrays["test_X"]
    before, before_test = ensemble.forward(x), ensemble.forward(x_test)
    gradient_descent(ensemble, x[None], y[None], x_test, 0.0, 30, learning_rate=0.2, step_fraction=0.5)
    assert np.abs((ensemble.forward(x) - before)[0].numpy() - expected["train_y_hat"]).max() < 1e-12
    assert np.abs((ensemble.forward(x_test) - before_test)[0].numpy() - expected["test_y_hat"]).max() < 1e-12


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize(("depth", "outputs"), [(0, 1), (1, 2), (3, 1), (3, 3)])
def test_linearization_is_automatic_differentiation(activation, depth, outputs):
    architecture = lb.FullyConnected(depth, activation, 1.3, 0.2)
    ensemble = Ensemble.initial(architecture, 4, 7, [1, 2], outputs, torch.float64)
    x = torch.randn(2, 5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    parameters = [p.clone().requires_grad_() for p in ensemble.parameters()]
    layers = depth + 1
    copy = Ensemble(architecture, parameters[:layers], parameters[layers:])
    values = copy.forward(x)
    rows = [
        torch.autograd.grad(
            values[:, i, o].sum(), parameters, retain_graph=True, allow_unused=True, materialize_grads=True
        )
        for o in range(outputs)
        for i in range(5)
    ]
    jacobian = torch.stack([torch.cat([g.reshape(2, -1) for g in row], 1) for row in rows], 1)
    expansion = ensemble.linearize(x)
    assert torch.allclose(expansion.values, values.detach(), atol=1e-13)
    assert torch.allclose(expansion.tangent_kernel(), jacobian @ jacobian.mT, atol=1e-11)
    cotangent = torch.randn(2, 5, outputs, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    if outputs > 1:
        product = (jacobian @ (jacobian.mT @ cotangent.mT.reshape(2, -1, 1))).view(2, outputs, 5).mT
        assert torch.allclose(expansion.tangent_product(cotangent), product, atol=1e-11)
    moved = expansion.descend(ensemble, cotangent)
    change = torch.cat(
        [(p - q).reshape(2, -1) for p, q in zip(ensemble.parameters(), moved.parameters(), strict=True)], 1
    )
    expected = (jacobian.mT @ cotangent.mT.reshape(2, -1, 1))[..., 0]
    assert torch.allclose(change, expected, atol=1e-12)


def test_weights_follow_from_identity():
    architecture = lb.FullyConnected(2, "tanh", 1.5, 0.1)
    block = Ensemble.initial(architecture, 3, 8, [4, 5, 6])
    single = Ensemble.initial(architecture, 3, 8, [6], dtype=torch.float64)
    for a, b in zip(block.parameters(), single.parameters(), strict=True):
        assert torch.equal(a[2], b[0].float())
    other = Ensemble.initial(lb.FullyConnected(2, "tanh", 1.5, 0.2), 3, 8, [6])
    assert not torch.equal(other.weights[0][0], block.weights[0][2])


def test_bad_width():
    with pytest.raises(ValueError, match="width must be a whole number >= 1, got 0"):
        Ensemble.initial(lb.FullyConnected(1), 3, 0, [0])


def test_deviations_of_the_tangent_kernel_fall_with_the_width():
    """Mean square deviation of the empirical kernel from the infinite one falls as one over the width."""
    architecture, x = lb.FullyConnected(2, "tanh", 1.5, 0.1), np.random.default_rng(0).standard_normal((6, 5))
    wide, squares = architecture.kernel(x), []
    for width in (64, 1024):
        ensemble = Ensemble.initial(architecture, 5, width, range(40), dtype=torch.float64)
        found = tangent_kernel(ensemble, torch.from_numpy(x)).numpy()
        squares.append(((found - wide) ** 2).mean())
    assert 10 < squares[0] / squares[1] < 25  # 16 up to the fluctuation of a mean over 40 networks


def test_sizes_that_share_a_job_are_trained_as_if_alone(tmp_path):
    common = {
        "domain": {"kind": "hypercube", "dim": 4},
        "architecture": {"depth": 1},
        "targets": {"two": {"parity": 2}},
    }
    common |= {"noise_stds": [0.0, 0.5], "width": 16, "seeds": [1, 3], "training": {}}
    found = {}
    for sizes in ([2, 4, 8], [2], [4], [8]):
        path = tmp_path / f"{len(sizes)}-{sizes[0]}.h5"
        train_networks.main({**common, "train_sizes": sizes}, threads=1, gpu=0, functions=path)
        found[tuple(sizes)] = read_frame(path).drop(columns="time"), read_h5(path, "functions")[0]["functions"]
    alone = [found[n,] for n in (2, 4, 8)]
    together, functions = found[2, 4, 8]
    pd.testing.assert_frame_equal(
        together, pd.concat([table for table, _ in alone], ignore_index=True), check_exact=True
    )
    assert np.array_equal(functions, np.concatenate([each for _, each in alone]))


def test_a_file_of_other_sizes_is_not_joined(tmp_path):
    """A training size that was added between others does not change the name of their file."""
    given = {"domain": {"kind": "hypercube", "dim": 4}, "architecture": {"depth": 1}, "targets": {"two": {"parity": 2}}}
    given |= {"noise_stds": [0.0], "width": 16, "training": {}, "train_sizes": [2, 8], "seeds": [0, 0]}
    path = tmp_path / "n2-8.h5"
    train_networks.main(given, threads=1, gpu=0, functions=path)
    columns = {"source": "network", "architecture": "net"}
    files = {"theory": [], "regression": [], "networks": [path], "csv": tmp_path / "t.csv", "h5": tmp_path / "t.h5"}
    assert len(read_frame(path, given)) == 2
    parts = {"theory": [], "regression": [], "networks": [(columns, {**given, "train_sizes": [2, 4, 8]})]}
    with pytest.raises(
        ValueError, match=r"n2-8.h5 was made from train_sizes \[2, 8\], and its place says \[2, 4, 8\]; delete it"
    ):
        join_study.main({"study": "curve"}, parts, **files)
