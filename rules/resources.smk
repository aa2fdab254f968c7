# Memory and time that a job asks for, from the size of what it computes; each retry asks for twice as much as the try before.

BASE_MB = 1000  # Python, PyTorch and what a job holds beside its matrices
BASE_MINUTES = 15
MARGIN = 20  # times what is estimated for a recent processor
KNOWN_SAMPLES = {"digits": 1797, "mnist": 70_000, "fashion_mnist": 70_000, "cifar10": 60_000}


def doubled(amount):
    """A resource function: an amount, or a function of the wildcards, times 1, 2, 4 ... at the tries of a job."""

    def resource(wildcards, attempt):
        return int(amount(wildcards) if callable(amount) else amount) * 2 ** (attempt - 1)

    return resource


@cache
def samples_in(path):
    """Samples in a file: the lines of a table; of arrays, which are not opened for that, a guess."""
    if not str(path).endswith(".csv") or not os.path.isfile(path):
        return 4000
    with open(path, "rb") as file:
        return sum(1 for line in file)


def points_of(domain):
    """Points of a domain entry whose kernel matrix is kept whole, at most."""
    if domain["kind"] == "data":
        known = KNOWN_SAMPLES[domain["name"]] if "name" in domain else samples_in(domain["path"])
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
    if study.domain["kind"] != "data":
        return 60
    factorized = len(study.sample_theory_sizes()) * len(study.ridges)
    return factorized / 3 * decomposition_seconds(points_of(study.domain))


def time_of_regression(wildcards):
    study = STUDIES[wildcards.study]
    each = [regression_seconds(n, points_of(study.domain), len(study.ridges)) for n in study.train_sizes]
    return study.seeds * sum(each)


def network_mb(wildcards):
    """Networks are trained in blocks of 128 MiB, or one at a time; a step holds five copies of weights and activations."""
    n, width, depth = _sizes(wildcards)
    one = 4 * 5 * (depth * width**2 + 3 * depth * n * width) + 8 * 6 * n**2
    return BASE_MB + 200 + 1.5 * max(one, 128 * 2**20) / 1e6


def time_of_networks(wildcards):
    n, width, depth = _sizes(wildcards)
    study = STUDIES[wildcards.study]
    networks = (int(wildcards.last) - int(wildcards.first) + 1) * len(study.targets) * len(study.noise_stds)
    return networks * network_seconds(depth, width, n)


def _sizes(wildcards):
    depth = config["architectures"][wildcards.architecture].get("depth", 1)
    return int(wildcards.train_size), int(wildcards.width), depth
