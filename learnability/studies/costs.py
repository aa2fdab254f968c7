"""How long jobs take, for cutting a study into jobs and asking for time. Estimates never decide what is computed."""

from ..ensembles.memory import ModuleSize

RATE = 4e10  # operations per second of one core in the trainer's matrix products (docs/performance.md)
STREAMED = 8e-9  # seconds per weight to read and write it, its gradient and the optimizer's means
EXACT_RATE = 1e10  # in the factorizations of float64 matrices
KERNEL_ENTRY = 2e-8  # seconds per entry of a kernel and layer: 11 to 17 ns for relu and erf, ten times as much for tanh
MODULE_RATE = 1e10  # multiplications per second of one core in the layers of PyTorch modules
MODULE_STEP = 1e-3  # seconds per step of a module beside them: what calls of PyTorch cost, and the optimizer
START = 0.012  # seconds to draw a network's weights and evaluate it


def network_seconds(depth: int, width: int, train_size: int, outputs: int = 1) -> float:
    """Seconds to train one network by gradient flow on one core of a recent processor.

    Within a factor of three for one output, of five for ten, whose eigenproblems are those of outputs x n rows.

    Examples
    --------
    >>> network_seconds(4, 500, 64) < network_seconds(4, 500, 256)
    True
    """
    products = 10 * max(depth - 1, 0) * train_size * width**2 + 4 * (depth + 1) * train_size**2 * width
    eigenproblem = 25 * (outputs * train_size) ** 3
    return START + (4 + train_size / 20) * (products + eigenproblem) / RATE


def descent_seconds(depth: int, width: int, train_size: int, outputs: int = 1) -> float:
    """The same for gradient descent at half of its stability limit (docs/performance.md).

    Examples
    --------
    >>> descent_seconds(4, 500, 60) / network_seconds(4, 500, 60)
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
