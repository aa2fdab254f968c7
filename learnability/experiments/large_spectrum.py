"""Spectra of many samples without their kernel matrix: what they cost, and predictions from them beside the dense ones."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
import pandas as pd
from jaxtyping import Float

from ..domains import domain_from, target_from
from ..domains.large import large_spectrum
from ..kernels import architecture_from
from ..kernels.kernel import Kernel
from ..spectra.quadrature import LargeSpectrum
from ..tables.means import Row, mean_row, table
from ..theory.finite_population import FinitePopulation
from ..theory.prediction import predict
from ..theory.replicates import standard_errors
from .entries import Entry

Sizes = Float[np.ndarray, " sizes"]  # training-set sizes, or numbers at each of them
FIELDS = {"test_mse": "test_mse_off_train", "kappa": "kappa"}  # of a prediction, by the measure they are


def run(
    domain: Entry,
    architecture: Entry,
    target: Entry,
    samples: int,
    method: str,
    train_sizes: Sequence[int] = (),
    ridge: float = 0.0,
    probes: int = 16,
    steps: int = 20,
    memory_mb: int = 1024,
    landmarks: int = 1000,
    compare_up_to: int = 4000,
) -> pd.DataFrame:
    """Find a spectrum by one method, predict from it, and compare with the dense eigensystem where that is small enough.

    Parameters
    ----------
    domain, architecture, target : dicts
    samples : int
        Points drawn from the domain by identity, the data set.
    method : "quadrature", "nystrom" or "subsample", see `learnability.large_spectrum`; or "dense"
    train_sizes : sequence; those below `samples` are predicted
    compare_up_to : int
        Most samples for which the dense eigensystem is computed too, after the method's time and memory have been taken.
    probes, steps, memory_mb, landmarks : of the method

    Returns
    -------
    DataFrame
        Rows "test_mse" (off the training set) and "kappa" against train_size, of source method, with the probes' standard
        error and the dense prediction as theory; rows "seconds", "cpu seconds" and "megabytes" (peak of the process,
        most of 300 of which are PyTorch).
    """
    sampled, network = domain_from(domain), architecture_from(architecture)
    x, index = sampled.sample(samples, seed=0)
    y = np.asarray(target_from(sampled, target)(x, index))
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
    dense = _dense(x, y, network) if samples <= compare_up_to else None
    return table([*rows, *_compared(method, large, dense, sizes, ridge)]).assign(samples=samples)


def _peak_megabytes() -> float:
    """Peak of resident memory; nan but on Linux. That of getrusage may be the parent's, from before the process began."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.is_file() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), np.nan)


def _dense(x: Float[np.ndarray, "points ..."], y: Float[np.ndarray, "points ..."], network: Kernel) -> LargeSpectrum:
    return large_spectrum(network, x, y, method="subsample", landmarks=len(x))


def _compared(
    method: str, large: LargeSpectrum, dense: LargeSpectrum | None, train_sizes: Sizes, ridge: float
) -> list[Row]:
    """Predictions with the standard errors of the probes, beside the dense ones where these are known."""
    predicted, rows = _predicted(large, train_sizes, ridge), []
    exact = {} if dense is None else _predicted(dense, train_sizes, ridge)
    for measure, field in FIELDS.items():
        unknown = np.full(len(train_sizes), np.nan)
        errors = unknown
        if large.replicates:
            errors = _over_outputs(standard_errors(large, field, train_sizes, ridge, population=large.size))
        columns = (train_sizes, predicted[measure], exact.get(measure, unknown), errors)
        for n, value, theory, error in zip(*columns, strict=True):
            row = mean_row(method, measure, [value], theory, train_size=int(n))
            rows.append({**row, "standard_error": error})
    return rows


def _predicted(large: LargeSpectrum, train_sizes: Sizes, ridge: float) -> Mapping[str, Sizes]:
    """Every measure's prediction, means over outputs."""
    prediction = predict(large.spectrum, large.target, train_sizes, ridge, theory=FinitePopulation(large.size))
    return {measure: _over_outputs(getattr(prediction, field)) for measure, field in FIELDS.items()}


def _over_outputs(values: Float[np.ndarray, "sizes ..."] | np.floating) -> Sizes:
    """Means over outputs, where there are several."""
    values = np.atleast_1d(values)
    return values.reshape(len(values), -1).mean(1)
