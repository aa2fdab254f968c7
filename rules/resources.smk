# Memory and time that a job asks for, from the size of what it computes; each retry asks for twice as much as the try before.

from snakemake.exceptions import WorkflowError

from learnability.domains.data import rows_in
from learnability.experiments import WITHOUT_MATRIX

BASE_MB = 1000  # Python, PyTorch and what a job holds beside its matrices
CELL_MB = 1000  # draws and theory grids of an experiment's cell
BASE_MINUTES = 15
TEST_POINTS = 1000  # on which networks are evaluated where points are not listed, unless a domain says
MARGIN = 20  # times what is estimated for a recent processor
KNOWN_SAMPLES = {
    **{"digits": 1797, "mnist": 70_000, "fashion_mnist": 70_000, "cifar10": 60_000},
    **{"gaussian_samples": 60_000, "mixture_samples": 60_000, "sphere_samples": 60_000},
}


def doubled(amount):
    """A resource function: an amount, or a function of the wildcards, times 1, 2, 4 ... at the tries of a job."""

    def resource(wildcards, attempt):
        return int(amount(wildcards) if callable(amount) else amount) * 2 ** (attempt - 1)

    return resource


def is_data(domain):
    return domain["kind"] == "data" or domain["kind"].endswith("_samples")


def points_of(domain):
    """Points of a domain entry whose kernel matrix is kept whole, at most; an own file is counted."""
    if is_data(domain):
        known = KNOWN_SAMPLES.get(domain.get("name", domain["kind"])) or rows_in(domain["path"])
        return domain.get("samples", known)
    size = domain.get("points", 2 ** min(domain.get("dim", 0), 12)) if domain["kind"] != "sphere" else 0
    return min(size, 4096)


def matrix_mb(domain, copies):
    """Megabytes of `copies` float64 matrices on all points."""
    return BASE_MB + copies * 8 * points_of(domain) ** 2 / 1e6


def domain_mb(copies):
    return doubled(lambda wildcards: matrix_mb(config["domains"][wildcards.domain], copies))


def study_mb(copies):
    return doubled(lambda wildcards: 1000 + matrix_mb(STUDIES[wildcards.study].domain, copies))


def minutes(seconds):
    """A resource function from a function (wildcards) -> estimated seconds."""
    return doubled(lambda wildcards: BASE_MINUTES + MARGIN * seconds(wildcards) / 60)


def time_of_spectrum(wildcards):
    return decomposition_seconds(points_of(config["domains"][wildcards.domain]))


def time_of_theory(wildcards):
    """On a data set the theory of its samples factorizes a matrix on them some times at each of its sizes and ridges."""
    study = STUDIES[wildcards.study]
    if not is_data(study.domain):
        return 60
    factorized = len(study.sample_theory_sizes()) * len(study.ridges)
    return factorized / 3 * decomposition_seconds(points_of(study.domain))


def time_of_regression(wildcards):
    study = STUDIES[wildcards.study]
    each = [regression_seconds(n, points_of(study.domain), len(study.ridges)) for n in study.train_sizes]
    return study.seeds * sum(each)


def network_mb(wildcards):
    """Each thread trains a block of 128 MiB, or one network; a step holds five copies of weights and activations.

    Four copies of all learned functions are held beside, while they are joined and written.
    """
    study, width, sizes, seeds = training_job(wildcards)
    depth = config["architectures"][wildcards.architecture].get("depth", 1)
    networks = seeds * len(sizes) * len(study.targets) * len(study.noise_stds)
    values = networks * study.outputs * max(points_of(study.domain), study.domain.get("test_points", TEST_POINTS))
    blocks = study.training["threads"] * block_mb(sizes[-1], width, depth, study.outputs)
    return BASE_MB + blocks + 4 * 4 * values / 1e6


def block_mb(n, width, depth, outputs=1):
    """A block of networks beside what a job holds without any."""
    one = 4 * 5 * (depth * width**2 + 3 * depth * n * width) + 8 * 6 * (outputs * n) ** 2
    return 200 + 1.5 * max(one, 128 * 2**20) / 1e6


def time_of_networks(wildcards):
    study, width, sizes, seeds = training_job(wildcards)
    return seeds * sum(seed_seconds(study, wildcards.architecture, width, n) for n in sizes)


def training_job(wildcards):
    """The study, the width, the training-set sizes and the number of seeds of a training job."""
    seeds = int(wildcards.last) - int(wildcards.first) + 1
    return STUDIES[wildcards.study], int(wildcards.width), sizes_of_networks(wildcards), seeds


def sizes_of_networks(wildcards):
    """The training-set sizes of a training job."""
    sizes = STUDIES[wildcards.study].sizes_between(int(wildcards.smallest), int(wildcards.largest))
    if not sizes:
        raise WorkflowError(
            f"study {wildcards.study} trains nothing with n = {wildcards.smallest} to {wildcards.largest}"
        )
    return sizes


def cell_mb(wildcards):
    """Four matrices on a cell's domain (or on the cube of its `dim`), its `memory_mb`, a block of networks of its width."""
    options = options_of_cell(wildcards)
    domain = options.get("domain") or {"kind": "hypercube", "dim": options.get("dim", 0)}
    trained = options.get("width") or 0
    n = max([options.get("train_size", 0), *options.get("train_sizes", []), *options.get("shown_sizes", [])])
    depths = (options.get("architecture") or options.get("grid") or {}).get("depth", 1)
    deepest = max(depths) if isinstance(depths, list) else depths
    networks = block_mb(n, trained, deepest) if trained else 0
    if EXPERIMENTS[wildcards.experiment].kind in WITHOUT_MATRIX:  # but for the samples with which they are compared
        domain = {"kind": "circle", "points": points_of(domain)}
    return CELL_MB + matrix_mb(domain, 4) + options.get("memory_mb", 0) + networks
