"""Memory (megabytes) and time (seconds) that the jobs of a study or experiment ask for, by the sizes of their domains.

Each function knows one rule of the workflow. A job loads its domain first and computes then, with the points in memory: it asks
for the larger of the two, beside Python and PyTorch themselves.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ..ensembles.memory import module_bytes, network_bytes
from ..experiments import WITHOUT_MATRIX
from ..kernels.matrix import LARGEST_MATRIX
from ..tables.curve_sizes import sample_curve_sizes
from .configuration import MODULES, Experiment, Study, candidates_in
from .costs import decomposition_seconds, kernel_seconds, regression_seconds
from .cutting import seed_seconds
from .sizes import DomainSize, Sizes

BASE_MB = 1000  # Python, PyTorch and what a job holds beside its arrays
GRID_MB = 1000  # grids of the theory, draws of an experiment's cell
BASE_MINUTES = 15
MARGIN = 20  # times what is estimated for a recent processor
BLOCK_BYTES = 128 << 20  # of the networks that are trained at once on a CPU, unless a single one takes more


def minutes(seconds: float) -> float:
    """What a job asks for that takes so long on a recent processor.

    Examples
    --------
    >>> minutes(0), minutes(60)
    (15.0, 35.0)
    """
    return BASE_MINUTES + MARGIN * seconds / 60


def kernel_mb(size: DomainSize) -> float:
    """A kernel's matrix, its copies in the file's image and what its layers hold.

    Examples
    --------
    >>> size = DomainSize(points=256, dim=8, matrix=256, alike=True, loading=10**6, held=10**5)
    >>> round(kernel_mb(size))
    1002
    """
    return _job_mb(size, _matrices(3, size.matrix))


def spectrum_mb(size: DomainSize) -> float:
    """The matrix, its eigenvectors and the work space of their decomposition.

    Examples
    --------
    >>> size = DomainSize(points=256, dim=8, matrix=256, alike=True, loading=10**6, held=10**5)
    >>> round(spectrum_mb(size))
    1003
    """
    return _job_mb(size, _matrices(6, size.matrix))


def theory_mb(study: Study, size: DomainSize) -> float:
    """The matrix of a data set and its factorizations; the targets on all points.

    Examples
    --------
    >>> from learnability.studies.example import example_study
    >>> study = example_study()
    >>> size = DomainSize(points=256, dim=8, matrix=256, alike=True, loading=10**6, held=10**5)
    >>> theory_mb(study, size) > GRID_MB + kernel_mb(size)
    True
    """
    return GRID_MB + _job_mb(size, _matrices(3, size.matrix) + _functions(study, size))


def regression_mb(study: Study, size: DomainSize) -> float:
    """The matrix, or the block between all points and a training set; the learned functions on all points, for all ridges.

    Examples
    --------
    >>> from learnability.studies.example import example_study
    >>> study = example_study()
    >>> size = DomainSize(points=256, dim=8, matrix=256, alike=True, loading=10**6, held=10**5)
    >>> regression_mb(study, size) > theory_mb(study, size)
    True
    """
    block = 8 * size.points * max(study.train_sizes)
    return GRID_MB + _job_mb(
        size, _matrices(4, size.matrix) + 4 * block + (1 + len(study.ridges)) * _functions(study, size)
    )


def networks_mb(
    study: Study, size: DomainSize, architecture: str, width: int | str, train_sizes: Sequence[int], seeds: int
) -> float:
    """A block of networks; all learned functions, and their copies while they are joined and written.

    Examples
    --------
    >>> from learnability.studies.example import example_study
    >>> study = example_study(widths=[50])
    >>> size = DomainSize(points=256, dim=8, matrix=256, alike=True, loading=10**6, held=10**5)
    >>> networks_mb(study, size, "net", 500, [4], seeds=30) > networks_mb(study, size, "net", 50, [4], seeds=10)
    True
    """
    module = study.module(architecture, width)
    if module is None:
        depth = study.architectures[architecture].get("depth", 1)
        block = _block(size, depth, int(width), max(train_sizes), study.outputs)
    else:
        block = _in_block(module_bytes(module, max(train_sizes), size.points, study.outputs))
    networks = seeds * len(train_sizes) * len(study.targets) * len(study.noise_stds)
    learned = 6 * 4 * networks * size.points * study.outputs
    return _job_mb(
        size,
        study.training["threads"] * block + _functions(study, size) + learned,
    )


def cell_mb(experiment: Experiment, cell: str, sizes: Sizes) -> float:
    """Four matrices on a cell's domain (or on the cube of its `dim`), its `memory_mb`, a block of the networks it trains."""
    options = experiment.cells[cell][0]
    size, matrix = _of_cell(experiment, cell, sizes)
    trained, train_size = options.get("width") or 0, _largest_train_size(options)
    architecture = options.get("architecture") or options.get("grid") or {}
    outputs = sizes.outputs.get(experiment.name, 1)
    networks = [options.get("architecture") or {}, *candidates_in(options).values()]
    dense = trained and any(network.get("kind") not in MODULES for network in networks if network)
    module = sizes.modules.get(experiment.name, {}).get(cell)
    blocks = [_block(size, _deepest(architecture), trained, train_size, outputs)] if dense else []
    blocks += [_in_block(module_bytes(module, train_size, size.points, outputs))] if module else []
    block = max(blocks, default=0)
    return GRID_MB + options.get("memory_mb", 0) + _job_mb(size, _matrices(4, matrix) + block)


def spectrum_seconds(size: DomainSize) -> float:
    """Of a kernel and of its decomposition.

    Examples
    --------
    >>> size = DomainSize(points=256, dim=8, matrix=256, alike=True, loading=10**6, held=10**5)
    >>> round(spectrum_seconds(size), 3)
    0.017
    """
    return decomposition_seconds(size.matrix)


def theory_seconds(study: Study, size: DomainSize) -> float:
    """On a data set the theory of its samples factorizes a matrix on them some times at each of its sizes and ridges.

    Examples
    --------
    >>> from learnability.studies.example import example_study
    >>> study = example_study()
    >>> size = DomainSize(points=256, dim=8, matrix=256, alike=True, loading=10**6, held=10**5)
    >>> theory_seconds(study, size)
    1
    """
    if size.alike:
        return 1
    return len(sample_curve_sizes(study.measured_sizes)) * len(study.ridges) / 3 * decomposition_seconds(size.matrix)


def regressions_seconds(study: Study, size: DomainSize) -> float:
    """Kernel regression on all training sets; without a matrix the kernel between them and all points is computed each time.

    Examples
    --------
    >>> from learnability.studies.example import example_study
    >>> study = example_study()
    >>> size = DomainSize(points=256, dim=8, matrix=256, alike=True, loading=10**6, held=10**5)
    >>> round(regressions_seconds(study, size), 2)
    0.36
    """
    depth = 0 if size.matrix else max(_deepest(entry) for entry in study.architectures.values())
    each = [
        regression_seconds(n, size.points, len(study.ridges)) + kernel_seconds(depth, size.points, n)
        for n in study.train_sizes
    ]
    return study.seeds * sum(each)


def networks_seconds(
    study: Study, architecture: str, width: int | str, train_sizes: Sequence[int], seeds: int
) -> float:
    """Training of all seeds at these sizes.

    Examples
    --------
    >>> from learnability.studies.example import example_study
    >>> study = example_study(widths=[50])
    >>> one, ten = (networks_seconds(study, "net", 50, [4], seeds) for seeds in (1, 10))
    >>> round(ten / one)
    10
    """
    return seeds * sum(seed_seconds(study, architecture, width, n) for n in train_sizes)


def _job_mb(size: DomainSize, work: float) -> float:
    """What a job takes whose arrays beside the domain's points take `work` bytes."""
    return BASE_MB + max(size.loading, size.held + work) / 1e6


def _matrices(number: int, points: int) -> int:
    """Bytes of float64 matrices on these points."""
    return number * 8 * points**2


def _functions(study: Study, size: DomainSize) -> int:
    """Bytes of the targets of a study on all points, at all levels of noise, and of as many functions beside them."""
    return 2 * 8 * size.points * study.outputs * len(study.targets) * len(study.noise_stds)


def _block(size: DomainSize, depth: int, width: int, train_size: int, outputs: int) -> float:
    """Bytes of a block of dense networks."""
    return _in_block(network_bytes([size.dim, *[width] * depth, outputs], train_size, size.points))


def _in_block(one: float) -> float:
    """Bytes of a block of networks that take so much each, half as much again for what PyTorch keeps, beside its libraries."""
    return 200e6 + 1.5 * max(one, BLOCK_BYTES)


def _of_cell(experiment: Experiment, cell: str, sizes: Sizes) -> tuple[DomainSize, int]:
    """The size of a cell's domain, and the points of the matrices that its kind makes on it."""
    options = experiment.cells[cell][0]
    if "domain" not in experiment.names[cell]:
        dim = options.get("dim", 0)
        points = min(2**dim, LARGEST_MATRIX)
        return DomainSize(points, dim, points, True, 0, 0), points
    size = sizes.domains[experiment.names[cell]["domain"]]
    samples_compared = min(size.matrix, LARGEST_MATRIX)
    return size, samples_compared if experiment.kind in WITHOUT_MATRIX else size.matrix


def _largest_train_size(options: Mapping[str, Any]) -> int:
    return max([options.get("train_size", 0), *options.get("train_sizes", []), *options.get("shown_sizes", [])])


def _deepest(architecture: Mapping[str, Any]) -> int:
    depths = architecture.get("depth", 1)
    return max(depths) if isinstance(depths, list) else depths
