# Memory and time that a job asks for, from the size of what it computes. A retry asks for twice as much.

BASE_MB = 1000  # Python, PyTorch and what a job holds beside its matrices
KNOWN_SAMPLES = {"digits": 1797, "mnist": 70_000, "fashion_mnist": 70_000, "cifar10": 60_000}


def points_of(domain):
    """Points of a domain entry whose kernel matrix is kept whole, at most; of an own file estimated from its size."""
    if domain["kind"] == "data":
        known = KNOWN_SAMPLES.get(domain.get("name")) or 4000
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
