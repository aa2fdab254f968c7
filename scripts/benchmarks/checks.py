"""What must hold on any device, as functions that raise AssertionError; they need no test framework."""

import numpy as np
import torch

from learnability.ensembles.networks import Ensemble, as_tensor, tangent_kernel
from learnability.ensembles.training.fit import fit
from learnability.ensembles.training.frozen_kernel import FrozenKernel, KrylovSpace
from learnability.kernels.activations import ACTIVATIONS
from learnability.kernels.fully_connected import FullyConnected

from .measured import CUBE, NETWORK, problem

SMALL = FullyConnected(2, "tanh", 1.4, 0.1)
WIDTH = 32


def _ensemble(
    device: str, dtype: torch.dtype = torch.float64, network: FullyConnected = NETWORK, outputs: int = 1
) -> Ensemble:
    return Ensemble.initial(network, CUBE.dim, WIDTH, range(3), outputs, dtype, device)


def _x(device: str) -> torch.Tensor:
    return as_tensor(CUBE.points[:12], torch.float64, device)


def weights_are_those_of_the_cpu(device: str) -> None:
    for weights, reference in zip(_ensemble(device).parameters(), _ensemble("cpu").parameters(), strict=True):
        assert weights.device.type == torch.device(device).type
        torch.testing.assert_close(
            weights.cpu(), reference, rtol=0, atol=1e-5
        )  # rounding of single precision, up to 6.8


def functions_and_tangent_kernels_are_those_of_the_cpu(device: str) -> None:
    for network in (NETWORK, SMALL):
        networks, reference = (_ensemble(d, network=network, outputs=2) for d in (device, "cpu"))
        torch.testing.assert_close(networks.forward(_x(device)).cpu(), reference.forward(_x("cpu")))
        torch.testing.assert_close(tangent_kernel(networks, _x(device)).cpu(), tangent_kernel(reference, _x("cpu")))


def kernels_of_all_activations_are_those_of_the_cpu_and_stay_on_the_device(device: str) -> None:
    for activation in ACTIVATIONS:
        for kind in ("ntk", "nngp"):
            network = FullyConnected(3, activation, 1.2, 0.3)
            matrix = network.kernel(_x(device), kind=kind)
            assert matrix.device.type == torch.device(device).type
            torch.testing.assert_close(matrix.cpu(), network.kernel(_x("cpu"), kind=kind), rtol=1e-9, atol=1e-12)


def a_frozen_kernel_follows_the_matrix_exponential(device: str) -> None:
    kernel = tangent_kernel(_ensemble(device), _x(device))
    residual = torch.ones(3, 12, 1, dtype=torch.float64, device=device)
    step = torch.full((3,), 0.3, dtype=torch.float64, device=device)
    decayed = FrozenKernel(kernel, 12).flow(residual).decayed(step)
    torch.testing.assert_close(decayed, torch.linalg.matrix_exp(-0.3 * kernel / 12) @ residual, rtol=1e-9, atol=1e-9)


def a_krylov_space_follows_the_flow(device: str) -> None:
    kernel = tangent_kernel(_ensemble(device), _x(device))
    residual = torch.ones(3, 12, 1, dtype=torch.float64, device=device)
    step = torch.full((3,), 0.3, dtype=torch.float64, device=device)
    space = KrylovSpace.of(lambda vector: kernel @ vector, residual)
    exact = FrozenKernel(kernel, 12).flow(residual).displacement(step)
    flow = space.flow(step, torch.full_like(step, 1e-9))
    torch.testing.assert_close(flow.displacement(step), exact, rtol=1e-6, atol=1e-6)


def a_singular_tangent_kernel_is_decomposed(device: str) -> None:
    twice = _x(device)[[0, 0, 1, 1]]
    kernel = FrozenKernel(tangent_kernel(_ensemble(device), twice), 4)
    assert bool((kernel.values >= 0).all()) and bool(torch.isfinite(kernel.vectors).all())


def results_do_not_depend_on_blocks(device: str) -> None:
    sets = problem([1, 3], 8, range(2))
    whole, cut = (fit(NETWORK, WIDTH, *sets, device=device, memory=m) for m in (1 << 30, 1))
    np.testing.assert_allclose(whole.predictions, cut.predictions, rtol=1e-3, atol=1e-4)
    assert whole.converged.all() and cut.converged.all()


def several_outputs_and_snapshots_are_learned(device: str) -> None:
    x, y, points, seeds = problem([1], 8, range(3))
    both = np.concatenate([y, -y], axis=2)
    for method in ("gradient_flow", "gradient_descent"):
        result = fit(SMALL, WIDTH, x, both, points, seeds, method=method, times=(0.0, 1.0, 1e9), device=device)
        assert result.converged.all() and np.isfinite(result.snapshots).all() and not result.snapshots[0].any()
        np.testing.assert_allclose(result.snapshots[2], result.predictions, atol=1e-5)


def flow_and_descent_agree_in_double_precision(device: str) -> None:
    sets = problem([1], 4, range(2))
    options = {"dtype": "float64", "device": device}
    flow = fit(SMALL, WIDTH, *sets, method="gradient_flow", tolerance=1e-4, **options)
    descent = fit(SMALL, WIDTH, *sets, method="gradient_descent", step_fraction=0.05, **options)
    np.testing.assert_allclose(flow.predictions, descent.predictions, atol=0.01)


def a_diverging_network_says_so(device: str) -> None:
    sets = problem([1], 8, range(2))
    result = fit(NETWORK, WIDTH, *sets, method="gradient_descent", learning_rate=1e4, max_steps=50, device=device)
    assert not result.converged.any()


CHECKS = (
    weights_are_those_of_the_cpu,
    functions_and_tangent_kernels_are_those_of_the_cpu,
    kernels_of_all_activations_are_those_of_the_cpu_and_stay_on_the_device,
    a_frozen_kernel_follows_the_matrix_exponential,
    a_krylov_space_follows_the_flow,
    a_singular_tangent_kernel_is_decomposed,
    results_do_not_depend_on_blocks,
    several_outputs_and_snapshots_are_learned,
    flow_and_descent_agree_in_double_precision,
    a_diverging_network_says_so,
)
