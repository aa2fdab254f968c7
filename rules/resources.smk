# Memory and time that a job asks for, from the size of what it computes. A retry asks for twice as much.

from learnability.domains.data import rows_in

BASE_MB = 1000  # Python, PyTorch and what a job holds beside its matrices
CELL_MB = 1000  # draws and theory grids of an experiment's cell
KNOWN_SAMPLES = {
    **{"digits": 1797, "mnist": 70_000, "fashion_mnist": 70_000, "cifar10": 60_000},
    **{"gaussian_samples": 60_000, "mixture_samples": 60_000, "sphere_samples": 60_000},
}


def doubled(amount):
    """A resource function: an amount, or a function of the wildcards, times 1, 2, 4 ... at the tries of a job."""

    def resource(wildcards, attempt):
        return int(amount(wildcards) if callable(amount) else amount) * 2 ** (attempt - 1)

    return resource


def points_of(domain):
    """Points of a domain entry whose kernel matrix is kept whole, at most; an own file is counted."""
    if domain["kind"] == "data" or domain["kind"].endswith("_samples"):
        known = KNOWN_SAMPLES.get(domain.get("name", domain["kind"])) or rows_in(domain["path"])
        return domain.get("samples", known)
    size = domain.get("points", 2 ** min(domain.get("dim", 0), 12)) if domain["kind"] != "sphere" else 0
    return min(size, 4096)


def matrix_mb(domain, copies):
    """Megabytes of `copies` float64 matrices on all points."""
    return BASE_MB + int(copies * 8 * points_of(domain) ** 2 / 1e6)


def kernel_mb(wildcards, attempt):
    return attempt * matrix_mb(config["domains"][wildcards.domain], 3)


def spectrum_mb(wildcards, attempt):
    return attempt * matrix_mb(config["domains"][wildcards.domain], 6)


def study_mb(copies):
    """A resource function for jobs of a study that hold so many matrices on its domain."""
    return lambda wildcards, attempt: attempt * (1000 + matrix_mb(STUDIES[wildcards.study].domain, copies))


def cubic_minutes(wildcards, attempt):
    """An eigendecomposition of 4000 points takes seconds, and time grows like the third power."""
    return attempt * (30 + int((points_of(config["domains"][wildcards.domain]) / 4000) ** 3))


def network_mb(wildcards, attempt):
    """Networks are trained in blocks of 128 MiB, or one at a time; a step holds five copies of weights and activations."""
    return attempt * (BASE_MB + block_mb(*_sizes(wildcards)))


def block_mb(n, width, depth):
    """A block of networks beside what a job holds without any."""
    one = 4 * 5 * (depth * width**2 + 3 * depth * n * width) + 8 * 6 * n**2
    return 200 + int(1.5 * max(one, 128 * 2**20) / 1e6)


def network_minutes(wildcards, attempt):
    """Twenty times what is estimated, and a quarter of an hour."""
    n, width, _ = _sizes(wildcards)
    seconds = STUDIES[wildcards.study].seed_seconds(wildcards.architecture, width, n)
    return attempt * (15 + int(20 * (int(wildcards.last) - int(wildcards.first) + 1) * seconds / 60))


def cell_mb(wildcards):
    """Four matrices on a cell's domain (or on the cube of its `dim`), its `memory_mb`, a block of networks of its width."""
    options = options_of_cell(wildcards)
    domain = options.get("domain") or {"kind": "hypercube", "dim": options.get("dim", 0)}
    trained = options.get("width") or 0
    n = max([options.get("train_size", 0), *options.get("train_sizes", []), *options.get("shown_sizes", [])])
    depths = (options.get("architecture") or options.get("grid") or {}).get("depth", 1)
    deepest = max(depths) if isinstance(depths, list) else depths
    networks = block_mb(n, trained, deepest) if trained else 0
    return CELL_MB + matrix_mb(domain, 4) + options.get("memory_mb", 0) + networks


def _sizes(wildcards):
    depth = config["architectures"][wildcards.architecture].get("depth", 1)
    return int(wildcards.train_size), int(wildcards.width), depth
