"""Experiments of their own kind: one module each, with `run(**options) -> DataFrame` and a figure of the same name.

`EXPERIMENTS` names the kinds that a configuration may ask for and their modules; a new kind is one file and one line
here, and one figure. An experiment is cut into cells, the cross product of its `vary` entries, one job each.

A module may also have `check(**options)`, which refuses, before a job starts, options that mean nothing together.

Cells that name the same domain and architecture share the kernel and spectrum files that studies read: a `run` that takes
`files` is given those that `READS` lists for its kind, and computes the same itself where it is given none.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import pandas as pd

from ..common.errors import choose, require

EXPERIMENTS = {
    "after_kernel": "learnability.experiments.after_kernel",
    "beyond_the_data": "learnability.experiments.beyond_the_data",
    "circle_fits": "learnability.experiments.circle_fits",
    "corrections": "learnability.experiments.corrections",
    "covariance": "learnability.experiments.covariance",
    "deep_bootstrap": "learnability.experiments.deep_bootstrap",
    "estimators": "learnability.experiments.estimators",
    "fidelity": "learnability.experiments.fidelity",
    "gradient_norm": "learnability.experiments.gradient_norm",
    "hard_samples": "learnability.experiments.hard_samples",
    "hermite_ansatz": "learnability.experiments.hermite_ansatz",
    "kappa_fluctuation": "learnability.experiments.kappa_fluctuation",
    "large_data": "learnability.experiments.large_data",
    "large_spectrum": "learnability.experiments.large_spectrum",
    "linear_regression": "learnability.experiments.linear_regression",
    "locality": "learnability.experiments.locality",
    "modules": "learnability.experiments.modules",
    "optimizers": "learnability.experiments.optimizers",
    "parity_hardness": "learnability.experiments.parity_hardness",
    "random_features": "learnability.experiments.random_features",
    "select": "learnability.experiments.select",
    "shifted_test": "learnability.experiments.shifted_test",
    "spectra": "learnability.experiments.spectra",
}
WITHOUT_MATRIX = (
    "hermite_ansatz",
    "large_spectrum",
)  # kinds for data sets whose kernel matrix is too large to decompose
DATA = ("data", "gaussian_samples", "mixture_samples", "sphere_samples")
LISTED = ("hypercube", "circle", *DATA)
DOMAINS = {  # the kinds of domain on which a kind of experiment is defined; those that are not listed run on all
    "after_kernel": LISTED,
    "circle_fits": ("circle",),
    "corrections": ("hypercube", "circle", "sphere"),
    "covariance": ("hypercube", "circle"),
    "estimators": LISTED,
    "gradient_norm": ("circle", "sphere"),
    "hard_samples": DATA,
    "hermite_ansatz": DATA,
    "kappa_fluctuation": LISTED,
    "large_data": ("hypercube", "circle", "sphere"),
    "modules": DATA,
    "random_features": LISTED,
    "select": LISTED,
}
UNLISTED = ("corrections", "large_data")  # kinds of these that do not need all points of a hypercube
OF_MODULES = ("modules",)  # kinds that train PyTorch modules as they are, with the outputs that the labels have
ONE_OUTPUT = ("after_kernel", "kappa_fluctuation", "random_features")  # kinds for targets with one output

KERNEL, SPECTRUM = {"values": "ntk"}, {"eigenvalues": "ntk"}
READS = {  # the files of its domain and architecture that a kind reads, and the kernel unless an option `kernel` says so
    "circle_fits": KERNEL | SPECTRUM,
    "corrections": KERNEL | SPECTRUM,
    "covariance": KERNEL | SPECTRUM,
    "deep_bootstrap": KERNEL | SPECTRUM,
    "estimators": KERNEL,
    "gradient_norm": KERNEL | SPECTRUM,
    "hard_samples": KERNEL,
    "kappa_fluctuation": KERNEL | SPECTRUM,
    "random_features": {"eigenvalues": "nngp"},
    "spectra": SPECTRUM,
}


def experiment(kind: str) -> Callable[..., pd.DataFrame]:
    """The function that runs one cell of an experiment; ValueError names the kinds there are."""
    return import_module(EXPERIMENTS[choose("experiment", kind, EXPERIMENTS)]).run


def check_domain(kind: str, domain_kind: str, size: int | None, outputs: dict[str, int]) -> None:
    """ValueError if a kind is not defined on a kind of domain of this size, or for so many outputs of targets by label."""
    allowed = DOMAINS.get(kind, (domain_kind,))
    require(
        domain_kind in allowed,
        f"experiment {kind} is not defined on a domain of kind {domain_kind}; give one of kind {', '.join(allowed)}",
    )
    require(
        size is not None or domain_kind != "hypercube" or kind in UNLISTED or kind not in DOMAINS,
        f"experiment {kind} needs all points of a hypercube, which are listed up to dim 20; give a smaller dim",
    )
    several = [label for label, number in outputs.items() if number > 1 and kind in ONE_OUTPUT]
    require(
        not several, f"experiment {kind} is defined for targets with one output, and {', '.join(several)} has several"
    )


def check(kind: str, options: Mapping[str, Any]) -> None:
    """ValueError if options of a kind mean nothing together."""
    module = import_module(EXPERIMENTS[kind])
    if hasattr(module, "check"):
        module.check(**options)
