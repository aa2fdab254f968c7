"""Spectra of many samples without their kernel matrix: what they cost, and predictions from them beside the dense ones."""

from pathlib import Path
from time import perf_counter, process_time

import numpy as np

from ..domains import domain_from, target_from
from ..domains.large import large_spectrum
from ..kernels import architecture_from
from ..tables.means import mean_row, table
from ..theory.finite_population import FinitePopulation
from ..theory.prediction import predict
from ..theory.replicates import standard_errors

MEASURES = ("test_mse", "kappa")


def run(
    domain,
    architecture,
    target,
    samples,
    method,
    train_sizes=(),
    ridge=0.0,
    probes=16,
    steps=20,
    memory_mb=1024,
    landmarks=1000,
    compare_up_to=4000,
):
    """Find a spectrum by one method, predict from it, and compare with the dense eigensystem where that is small enough.

    Parameters
    ----------
    domain, architecture, target : dicts
    samples : int
        Points drawn from the domain by identity, the data set.
    method : "quadrature", "nystrom" or "subsample", see `learnability.large_spectrum`; or "dense"
    train_sizes : sequence; those below `samples` are predicted
    compare_up_to : int
        Most samples for which the dense eigensystem is found too, after the method's time and memory have been taken.
    probes, steps, memory_mb, landmarks : of the method

    Returns
    -------
    DataFrame
        Rows "test_mse" (off the training set) and "kappa" against train_size, of source method, with the probes' standard
        error and the dense prediction as theory; rows "seconds", "cpu seconds" and "megabytes" (peak of the process,
        most of 300 of which are PyTorch).
    """
    input_domain, network = domain_from(domain), architecture_from(architecture)
    x, index = input_domain.sample(samples, seed=0)
    y = np.asarray(target_from(input_domain, target)(x, index))
    began, worked = perf_counter(), process_time()
    if method == "dense":
        large = _dense(x, y, network)
    elif method == "quadrature":
        large = large_spectrum(network, x, y, memory=int(memory_mb) << 20, probes=probes, steps=steps)
    else:
        large = large_spectrum(network, x, y, method=method, landmarks=min(landmarks, samples))
    cost = {"seconds": perf_counter() - began, "cpu seconds": process_time() - worked}
    cost["megabytes"] = _peak_megabytes()
    rows = [{"source": method, "measure": name, "mean": value} for name, value in cost.items()]
    sizes = np.array([n for n in train_sizes if n < samples], dtype=float)
    if method == "dense" or len(sizes) == 0:
        return table(rows).assign(samples=samples)
    predicted = _predicted(large, sizes, ridge)
    exact = _predicted(_dense(x, y, network), sizes, ridge) if samples <= compare_up_to else {}
    for measure in MEASURES:
        error = np.full(len(sizes), np.nan)
        if large.replicates:
            field = "test_mse_off_train" if measure == "test_mse" else measure
            error = _over_outputs(standard_errors(large, field, sizes, ridge, population=samples))
        for number, n in enumerate(sizes):
            theory = exact[measure][number] if exact else np.nan
            row = mean_row(method, measure, [predicted[measure][number]], theory, train_size=int(n))
            rows.append({**row, "standard_error": error[number]})
    return table(rows).assign(samples=samples)


def _peak_megabytes():
    """Peak of resident memory; nan but on Linux. That of getrusage may be the parent's, from before the process began."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.is_file() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), np.nan)


def _dense(x, y, network):
    return large_spectrum(network, x, y, method="subsample", landmarks=len(x))


def _predicted(large, sizes, ridge):
    p = predict(large.spectrum, large.target, sizes, ridge, theory=FinitePopulation(large.size))
    return {"test_mse": _over_outputs(p.test_mse_off_train), "kappa": p.kappa}


def _over_outputs(values):
    return values.reshape(len(values), -1).mean(1)
