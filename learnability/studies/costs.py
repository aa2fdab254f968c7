"""How long jobs take, for cutting a study into jobs and asking for time. Estimates never decide what is computed."""

from ..ensembles.memory import ModuleSize, is_decomposed

RATE = 5e10  # operations per second of one core in the trainer's matrix products (docs/performance.md)
STREAMED = 8e-9  # seconds per weight to read and write it, its gradient and the optimizer's means
EXACT_RATE = 1e10  # in the factorizations of float64 matrices
KERNEL_ENTRY = 2e-8  # seconds per entry of a kernel and layer: 11 to 17 ns for relu and erf, ten times as much for tanh
MODULE_RATE = 1e10  # multiplications per second of one core in the layers of PyTorch modules
MODULE_STEP = 1e-3  # seconds per step of a module beside them: what calls of PyTorch cost, and the optimizer
JOB_START = 1.0  # seconds until a job's script computes, and after: Python, imports, files
START = 0.012  # seconds to draw a network's weights and evaluate it

# Of gradient flow, fitted to the measurements in tests/data/training_seconds.csv:
INPUTS = 64  # dimensions of a point, where they are not known
DRAWN = 2.7e-8  # seconds per weight to draw it, and to evaluate the network before and after
STEP = 2e-4  # seconds of a step beside its arithmetic, in an ensemble
PASSED = 1.9e-8  # per unit and point in a step, for all passes over activations
DECOMPOSED = 1.5e-10  # per cubed row of a tangent kernel
PRODUCTS, GROWTH = 6.3, 0.23  # with a tangent kernel in a step: a factor and a power of n
PRODUCT_RATE = 8e10  # operations per second in these, which are more regular
PASSED_BY_PRODUCT = 1.2e-9  # per unit and point
ORTHOGONALIZED = 2.1e-7  # per row of a tangent kernel and product


def network_seconds(depth: int, width: int, train_size: int, outputs: int = 1) -> float:
    """Seconds to train one network by gradient flow on one core of a recent processor, in an ensemble.

    Of 43 measured ensembles, widths 50 to 1000, n = 8 to 512, one to eight ReLU layers, one and ten outputs, it is within a
    factor of 1.5 for more than nine in ten. Targets that are hard to learn take more steps than it knows of.

    Examples
    --------
    >>> network_seconds(4, 500, 64) < network_seconds(4, 500, 256)
    True
    """
    n, hidden = train_size, depth - 1 if depth else 0
    products = 10 * hidden * n * width**2 + 4 * (depth + 1) * n**2 * width
    step = STEP + products / RATE + PASSED * n * width * depth
    if is_decomposed(n, outputs):
        step += DECOMPOSED * (n * outputs) ** 3
    else:
        one = (4 * hidden * n * width**2 + 2 * (depth + 1) * n**2 * width) / PRODUCT_RATE
        one += PASSED_BY_PRODUCT * n * width * depth + ORTHOGONALIZED * n * outputs
        step += PRODUCTS * n**GROWTH * one
    steps = 6.0 * (1 + (5.5 * outputs**0.25 * depth**2 + 0.44 * n) / width)
    return DRAWN * (hidden * width**2 + INPUTS * width) + steps * step


def descent_seconds(depth: int, width: int, train_size: int, outputs: int = 1) -> float:
    """The same for gradient descent at half of its stability limit (docs/performance.md).

    Examples
    --------
    >>> round(descent_seconds(4, 500, 60) / network_seconds(4, 500, 60), 1)
    10.0
    """
    return network_seconds(depth, width, train_size, outputs) * max(1, train_size / 6)


def mini_batch_seconds(depth: int, width: int, train_size: int, batch_size: int) -> float:
    """Seconds for SGD and Adam, which take some 8 n steps at half of the stable rate; a step also streams all weights.

    Examples
    --------
    >>> mini_batch_seconds(2, 100, 64, 8) < mini_batch_seconds(2, 200, 64, 8)
    True
    """
    weights = depth * width**2
    return START + (100 + 8 * train_size) * weights * (6 * min(batch_size, train_size) / RATE + STREAMED)


def module_seconds(size: ModuleSize, train_size: int, batch_size: int) -> float:
    """Seconds to train a PyTorch module by gradients, in some 100 + 8 n steps, each thrice as much as an evaluation.

    Examples
    --------
    >>> small, large = (ModuleSize(parameter_bytes=4000, signal_bytes=4000, products=n) for n in (10_000, 1_000_000))
    >>> module_seconds(small, 64, 32) < module_seconds(large, 64, 32)
    True
    """
    step = MODULE_STEP + 3 * size.products * min(batch_size, train_size) / MODULE_RATE
    return START + (100 + 8 * train_size) * step


def decomposition_seconds(points: int) -> float:
    """Seconds for the eigenvalues and eigenvectors of a symmetric float64 matrix on one core, within a factor of three.

    Examples
    --------
    >>> decomposition_seconds(1000)
    1.0
    """
    return 10 * points**3 / EXACT_RATE


def regression_seconds(train_size: int, points: int, ridges: int) -> float:
    """Seconds for kernel regression on one training set, evaluated on all points, with several ridges.

    Examples
    --------
    >>> round(regression_seconds(1000, 1000, ridges=2), 2)
    0.21
    """
    return START + ridges * (train_size**3 + 4 * train_size * points) / EXACT_RATE


def kernel_seconds(depth: int, points: int, others: int) -> float:
    """Seconds for a kernel between two sets of points.

    Examples
    --------
    >>> round(kernel_seconds(4, 1000, 1000), 2)
    0.08
    """
    return KERNEL_ENTRY * depth * points * others
