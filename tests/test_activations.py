import numpy as np
import pytest
import torch

import learnability as lb
from learnability.ensembles.networks import Ensemble, tangent_kernel
from learnability.kernels.activations import ACTIVATIONS, Activation, activation_from

COVARIANCES = [(1.7, 0.6, 0.55), (0.3, 0.3, -0.29), (2.25, 1.0, 0.0), (4.0, 0.5, 1.2)]


def trapezoid(f, g, var1, var2, cov):
    """E[f(u) g(v)] on a dense grid: exponentially accurate for smooth functions."""
    step = 0.05
    z = torch.arange(-9, 9 + step, step, dtype=torch.float64)
    a = np.linalg.cholesky([[var1, cov], [cov, var2]])
    weight = torch.exp(-(z[:, None] ** 2 + z[None, :] ** 2) / 2) / (2 * np.pi) * step**2
    return float((f(a[0, 0] * z[:, None] + 0 * z) * g(a[1, 0] * z[:, None] + a[1, 1] * z) * weight).sum())


@pytest.mark.parametrize("covariance", COVARIANCES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_dual_is_the_gaussian_expectation(name, covariance):
    activation = ACTIVATIONS[name]
    var1, var2, cov = (torch.tensor([value], dtype=torch.float64) for value in covariance)
    k, kdot = activation.dual(activation.prepare(var1), activation.prepare(var2), cov[:, None].clone())
    kinked = name in ("relu", "leaky_relu", "abs")  # the grid is first order across a kink, second in the function
    assert float(k) == pytest.approx(
        trapezoid(activation.function, activation.function, *covariance), abs=5e-3 if kinked else 1e-12
    )
    slopes = trapezoid(activation.derivative, activation.derivative, *covariance)
    assert float(kdot) == pytest.approx(slopes, abs=5e-2 if kinked else 1e-12)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_derivative(name):
    activation = ACTIVATIONS[name]
    x = torch.linspace(-3, 3, 50, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(activation.function(x).sum(), x)
    assert torch.allclose(gradient, activation.derivative(x).detach(), atol=1e-9)


@pytest.mark.parametrize("name", ["erf", "gelu", "sin", "gaussian", "sigmoid_erf"])
def test_the_generic_rule_agrees_with_closed_forms(name):
    known = ACTIVATIONS[name]
    generic = Activation(name, known.function, known.derivative)
    variance = torch.tensor([0.0, 0.3, 1.0, 2.5], dtype=torch.float64)
    cov = 0.7 * (variance[:, None] * variance[None, :]).sqrt()
    expected = known.dual(known.prepare(variance), known.prepare(variance), cov.clone())
    found = generic.dual(generic.prepare(variance), generic.prepare(variance), cov.clone())
    for theirs, ours in zip(expected, found, strict=True):
        assert torch.allclose(theirs, ours, atol=1e-12, rtol=0)


@pytest.mark.parametrize("name", ["erf", "gelu", "gaussian", "sigmoid_erf"])
def test_large_variances_do_not_cancel(name):
    """At coincident points kdot(q, q, q) falls like a power of q for ever."""
    activation = ACTIVATIONS[name]
    slopes = []
    for variance in (1e8, 1e12, 1e16):
        q = torch.tensor([variance], dtype=torch.float64)
        slopes.append(float(activation.diagonal(activation.prepare(q))[1]))
    assert np.isfinite(slopes).all() and slopes[0] / slopes[1] == pytest.approx(slopes[1] / slopes[2], rel=1e-3)


def test_generic_rule_says_when_it_cannot_converge():
    with pytest.raises(ValueError, match="tanh.*scale the inputs"):
        activation_from("tanh").prepare(torch.tensor([1e6], dtype=torch.float64))


def test_misspelt_name_names_the_nearest():
    with pytest.raises(ValueError, match="'rellu'; did you mean 'relu'"):
        activation_from("rellu")


def test_leaky_relu_has_a_slope(relu4):
    """Slope 0 is relu, slope 1 the identity, slope -1 the absolute value; another is between, as its Hermite series says."""
    x = np.random.default_rng(0).standard_normal((7, 5))

    def kernel(activation):
        return lb.FullyConnected(2, activation, 1.4, 0.1).kernel(x)

    for slope, name in ((0.0, "relu"), (1.0, "identity"), (-1.0, "abs"), (0.01, "leaky_relu")):
        assert np.allclose(kernel({"kind": "leaky_relu", "slope": slope}), kernel(name), rtol=1e-13)
    assert not np.allclose(kernel({"kind": "leaky_relu", "slope": 0.5}), kernel("leaky_relu"), rtol=1e-2)
    with pytest.raises(ValueError, match="did you mean 'slope'"):
        kernel({"kind": "leaky_relu", "slop": 0.5})


def test_an_activation_of_ones_own(relu4):
    """softplus by its Hermite series: the kernel is that of wide networks, and a wrong derivative is noticed."""
    softplus = lb.Activation("softplus", torch.nn.functional.softplus, torch.sigmoid)
    network = lb.FullyConnected(1, softplus, 1.4, 0.1)
    x = np.random.default_rng(0).standard_normal((5, 4))
    ensemble = Ensemble.initial(network, 4, 2000, range(40), dtype=torch.float64)
    empirical = tangent_kernel(ensemble, torch.from_numpy(x)).mean(0).numpy()
    assert np.allclose(empirical, network.kernel(x), rtol=0.03)
    assert network.identity["activation"] == "softplus"
    with pytest.raises(ValueError, match="activation 'wrong': `derivative` is not the derivative of `function`"):
        lb.Activation("wrong", torch.tanh, torch.cos)
