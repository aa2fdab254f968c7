r"""What training makes of the kernel: a target under the infinite-width, the initial and the after-training tangent kernel.

The after-kernel has seen the labels of the network's training set. All three kernels are therefore judged on the points that
the network did *not* see: what would each learn of the target from n further of them? The theory of these points (per sample,
and by the eigensystem) stands beside kernel regression on random draws of n. The alignment y^T K y / (|K| y^T y), with the
Frobenius norm, is that of Cristianini et al. (2001, On kernel-target alignment).
"""

import numpy as np

from ..common.errors import require
from ..common.seeding import stream
from ..domains import domain_from, target_from
from ..domains.domain import Domain
from ..domains.samples import Samples
from ..ensembles.networks import Ensemble
from ..ensembles.tangent_kernel import TangentKernel
from ..ensembles.training.fit import fit
from ..kernels import architecture_from
from ..regression.ridge import ridge_regression
from ..spectra.target import Target
from ..tables.means import mean_row, table
from ..theory.finite_population import FinitePopulation
from ..theory.per_sample import PerSample
from ..theory.prediction import predict

KERNELS = ("infinite width", "at initialisation", "after training")


def check(domain, train_size, **_) -> None:
    """ValueError if too few points are left to judge kernels on."""
    _require_points(domain_from(domain), train_size)


def run(domain, architecture, target, width, train_size, ridge=0.0, seeds=10, draws=5, training=None):
    """Train networks and compare their kernels on the points that they did not see.

    Parameters
    ----------
    domain, architecture, target : dicts; the domain is finite, with at least 2 train_size points, the target has one output
    train_size : int
        Of the networks, and of the kernel regressions on other points.
    seeds, draws : int
        Networks, each on its own training set, and draws of further points for each.
    training : dict, optional
        Settings of `learnability.ensembles.training.fit.fit`: method, target_mse, ...

    Returns
    -------
    DataFrame
        Rows "learnability" and "test_mse_off_train" for every `kernel`: sources kernel (regression), theory (per sample) and
        eigensystem, mean and spread over networks. Rows "alignment" and "alignment on the training set", source matrix.
        Rows "error with the network's samples", of kernel regression on the network's own training set, and of the network
        itself (source network, kernel "network"). Networks that did not converge are left out.
    """
    input_domain, network = domain_from(domain), architecture_from(architecture)
    points, everywhere = input_domain.evaluation()
    _require_points(input_domain, train_size)
    f = np.asarray(target_from(input_domain, target)(points, everywhere), dtype=float).reshape(input_domain.size, -1)
    require(f.shape[1] == 1, f"target: {target} has {f.shape[1]} outputs, a tangent kernel has one")
    index = np.stack([input_domain.sample(train_size, seed)[1] for seed in range(seeds)])
    result = fit(network, width, points[index], f[index], points, range(seeds), keep_networks=True, **(training or {}))
    start, wide = Ensemble.initial(network, points[0].size, width, range(seeds)), network.kernel(points)
    judgements = []
    for seed in np.flatnonzero(result.converged).tolist():
        kernels = [wide, *(TangentKernel(networks, seed).kernel(points) for networks in (start, result.networks))]
        unseen = np.setdiff1d(everywhere, index[seed])
        for name, matrix in zip(KERNELS, kernels, strict=True):
            rng = stream("further points", domain=input_domain.identity, train_size=train_size, seed=seed)
            judgements.append({"kernel": name, **_judged(matrix, f[:, 0], index[seed], unseen, ridge, draws, rng)})
        error = ((result.predictions[seed] - f)[unseen] ** 2).mean()
        judgements.append({"kernel": "network", ("network", "error with the network's samples"): error})
    return table(_rows(judgements, train_size=train_size, width=width))


def _require_points(input_domain: Domain, train_size: int) -> None:
    require(
        input_domain.size is not None and input_domain.size >= 2 * train_size,
        f"train_size: {train_size} leaves fewer than {train_size} points of {input_domain} to judge kernels on",
    )


def _judged(matrix, f, seen, unseen, ridge, draws, rng):
    """One kernel matrix on all points, {(source, measure): value}."""
    n, rest, y = len(seen), matrix[np.ix_(unseen, unseen)], f[unseen]
    sample = PerSample().solve(rest, y, n, ridge, 0.0)
    spectrum = Samples(np.zeros((len(unseen), 1))).spectrum_of({"matrix": rest})
    eigen = predict(spectrum, Target(values=y), n, ridge, theory=FinitePopulation(len(unseen)))
    learned, errors = [], []
    for _ in range(draws):
        train = rng.permutation(len(unseen))[:n]
        row = np.full(len(unseen), -1)
        row[train] = np.arange(n)
        function = ridge_regression(rest[np.ix_(train, train)], rest[:, train], y[train], ridge, row)
        learned.append(y @ function / (y @ y))
        errors.append(((y - function)[row < 0] ** 2).mean())
    own = ridge_regression(matrix[np.ix_(seen, seen)], matrix[np.ix_(unseen, seen)], f[seen], ridge)
    values = {
        ("kernel", "learnability"): np.mean(learned),
        ("kernel", "test_mse_off_train"): np.mean(errors),
        ("kernel", "error with the network's samples"): ((y - own) ** 2).mean(),
        ("matrix", "alignment"): alignment(rest, y),
        ("matrix", "alignment on the training set"): alignment(matrix[np.ix_(seen, seen)], f[seen]),
    }
    for source, p in (("theory", sample), ("eigensystem", eigen)):
        values |= {(source, name): float(getattr(p, name)) for name in ("learnability", "test_mse_off_train")}
    return values


def alignment(matrix, y):
    """y^T K y / (|K| y^T y), between 0 and 1: the cosine of the angle between K and y y^T as vectors."""
    return float(y @ matrix @ y / (np.linalg.norm(matrix) * (y @ y)))


def _rows(judgements, **keys):
    """Means over networks of every kernel, source and measure.

    Every network has a kernel, and so a theory, of its own: where kernel regression is compared, the standard error is that
    of its difference to theory.
    """
    rows = []
    for kernel in (*KERNELS, "network"):
        own = [values for values in judgements if values["kernel"] == kernel]
        for source, measure in dict.fromkeys(key for values in own for key in values if key != "kernel"):
            draws = np.array([values[source, measure] for values in own])
            row = mean_row(source, measure, draws, np.nan, kernel=kernel, **keys)
            if source == "kernel" and ("theory", measure) in own[0]:
                theory = np.array([values["theory", measure] for values in own])
                row |= {
                    "theory": theory.mean(),
                    "standard_error": mean_row(source, measure, draws - theory, 0)["standard_error"],
                }
            rows.append(row)
    return rows
