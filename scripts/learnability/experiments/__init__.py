"""Experiments of their own kind: one module each, with `run(**options) -> DataFrame` and a figure of the same name.

`EXPERIMENTS` names the kinds that a configuration may ask for and their modules; a new kind is one file and one line
here, and one figure. An experiment is cut into cells, the cross product of its `vary` entries, one job each.
"""

from importlib import import_module

from ..common.errors import choose

EXPERIMENTS = {
    "after_kernel": "learnability.experiments.after_kernel",
    "circle_fits": "learnability.experiments.circle_fits",
    "corrections": "learnability.experiments.corrections",
    "covariance": "learnability.experiments.covariance",
    "deep_bootstrap": "learnability.experiments.deep_bootstrap",
    "estimators": "learnability.experiments.estimators",
    "fidelity": "learnability.experiments.fidelity",
    "gradient_norm": "learnability.experiments.gradient_norm",
    "hard_samples": "learnability.experiments.hard_samples",
    "kappa_fluctuation": "learnability.experiments.kappa_fluctuation",
    "large_data": "learnability.experiments.large_data",
    "large_spectrum": "learnability.experiments.large_spectrum",
    "linear_regression": "learnability.experiments.linear_regression",
    "optimizers": "learnability.experiments.optimizers",
    "parity_hardness": "learnability.experiments.parity_hardness",
    "random_features": "learnability.experiments.random_features",
    "select": "learnability.experiments.select",
    "spectra": "learnability.experiments.spectra",
}


def experiment(kind):
    """The function that runs one cell of an experiment; ValueError names the kinds there are."""
    return import_module(EXPERIMENTS[choose("experiment", kind, EXPERIMENTS)]).run
