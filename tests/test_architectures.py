import h5py
import numpy as np
import pytest
import torch

import learnability as lb
from learnability.kernels.activations import ACTIVATIONS


def reference(data):
    with h5py.File(data / "kernels.h5") as file:
        inputs = {"": None, "_x2": file["X2"][:], "_edge": file["X_edge"][:]}
        for name, group in file.items():
            for kernel in group if isinstance(group, h5py.Group) else ():
                kind, _, suffix = kernel.partition("_")
                attributes = dict(group.attrs)
                architecture = lb.FullyConnected(
                    int(attributes["depth"]), attributes["activation"], attributes["W_std"], attributes["b_std"]
                )
                yield (
                    f"{name}/{kernel}",
                    architecture,
                    file["X"][:],
                    inputs["_" + suffix if suffix else ""],
                    kind,
                    group[kernel][:],
                )


def test_kernels_agree_with_neural_tangents(data):
    for name, architecture, x, x2, kind, expected in reference(data):
        coincident = name.startswith("relu") and name.endswith("ntk_edge")
        error = np.abs(architecture.kernel(x, x2, kind) - expected).max() / np.abs(expected).max()
        # sqrt(1 - rho^2) of coincident points amplifies rounding: the reference itself is good to 1e-8 there
        assert error < (1e-7 if coincident else 1e-12), name


@pytest.mark.parametrize("kind", ["ntk", "nngp"])
@pytest.mark.parametrize("depth", [0, 1, 3])
@pytest.mark.parametrize("activation", ACTIVATIONS)
class TestEveryKernel:
    """Symmetric, positive semi-definite, independent of blocks, exact at coincident and scaled points."""

    def points(self):
        x = np.random.default_rng(0).standard_normal((40, 5))
        x[7], x[8], x[9], x[10] = x[3], -x[3], 2 * x[3], 0.0
        return x

    def test_properties(self, activation, depth, kind, monkeypatch):
        architecture = lb.FullyConnected(depth, activation, 1.3, 0.2)
        x = self.points()
        kernel = architecture.kernel(x, kind=kind)
        scale = np.abs(kernel).max()
        assert np.array_equal(kernel, kernel.T)
        assert np.linalg.eigvalsh(kernel).min() > -1e-13 * len(x) * scale
        assert np.abs(architecture.kernel(x, x, kind) - kernel).max() < 1e-12 * scale
        assert np.abs(kernel[7] - kernel[3]).max() < 1e-12 * scale
        monkeypatch.setattr("learnability.kernels.fully_connected.CPU_BLOCK", 64)
        assert np.abs(architecture.kernel(x, kind=kind) - kernel).max() < 1e-13 * scale
        assert np.abs(architecture.kernel(x[:5], x[5:], kind) - kernel[:5, 5:]).max() < 1e-12 * scale

    def test_torch_in_torch_out(self, activation, depth, kind):
        architecture = lb.FullyConnected(depth, activation, 1.3, 0.2)
        x = torch.from_numpy(self.points())
        assert torch.equal(
            architecture.kernel(x, kind=kind), torch.from_numpy(architecture.kernel(x.numpy(), kind=kind))
        )


def test_wide_networks_have_this_tangent_kernel():
    from learnability.ensembles.networks import Ensemble, tangent_kernel

    x = np.random.default_rng(1).standard_normal((6, 3))
    for activation in ("relu", "tanh", "gelu"):
        architecture = lb.FullyConnected(2, activation, 1.4, 0.3)
        ensemble = Ensemble.initial(architecture, 3, 512, range(60), dtype=torch.float64)
        kernels = tangent_kernel(ensemble, torch.from_numpy(x)).numpy()
        error = kernels.std(0) / np.sqrt(len(kernels))
        assert np.abs((kernels.mean(0) - architecture.kernel(x)) / error).max() < 5


def test_depth_zero_is_linear_regression():
    x = np.random.default_rng(0).standard_normal((5, 3))
    assert np.allclose(lb.FullyConnected(0).kernel(x), x @ x.T / 3, atol=1e-15)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"depth": -1}, "depth must be a whole number from 0 to 100000, got -1"),
        ({"depth": 1, "activation": "tahn"}, "did you mean 'tanh'"),
        ({"depth": 1, "weight_std": -1.0}, "weight_std must be finite and >= 0"),
    ],
)
def test_bad_architectures(arguments, message):
    with pytest.raises(ValueError, match=message):
        lb.FullyConnected(**arguments)


def test_bad_points():
    architecture = lb.FullyConnected(1)
    with pytest.raises(ValueError, match="same dimension, got 3 and 4"):
        architecture.kernel(np.ones((2, 3)), np.ones((2, 4)))
    with pytest.raises(ValueError, match="not finite"):
        architecture.kernel(np.full((2, 3), np.nan))
    with pytest.raises(ValueError, match="did you mean 'ntk'"):
        architecture.kernel(np.ones((2, 3)), kind="ntkk")
