r"""Does the ranking of PyTorch modules hold for the training that users do, and does a network leave its tangent kernel?

Every initialisation has a kernel and so a prediction of its own; predictions are averaged, kernels never. The same
initialisations are trained in several ways. The kernel's change is |Theta_after - Theta_before| / |Theta_before|, in Frobenius
norms, on points that the network has not seen: where it is large, features are learned and the prediction is another network's.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import nn

from ..common.errors import require
from ..domains import domain_from, target_from
from ..domains.domain import Domain
from ..domains.kernel_on_domain import KernelOnDomain
from ..ensembles.modules import ModuleEnsemble
from ..ensembles.training.fit import fit
from ..kernels import architecture_from
from ..kernels.torch_module import TorchModule
from ..measurements.task import LearningTask, table_of
from ..spectra.target import Target
from ..tables.means import Row, mean_row, table
from ..tables.theory import theory_table
from .entries import Entry, finite

MEASURES = ("test_mse_off_train", "accuracy_off_train")
CHANGE = "change of the kernel"


def check(architecture: Entry, train_size: int, training: Mapping[str, Any], points: int = 100, **_: Any) -> None:
    """ValueError for an architecture that is no PyTorch module, and for no training."""
    require(
        architecture.get("kind") == "torch_module",
        f"architecture: kind {architecture.get('kind', 'fully_connected')} is no PyTorch module; write kind: torch_module",
    )
    require(len(training) > 0, "training: {} names no way of training; write e.g. {adam: {method: adam}}")


def run(
    domain: Entry,
    architecture: Entry,
    target: Entry,
    train_size: int,
    training: Mapping[str, Mapping[str, Any]],
    seeds: int = 3,
    points: int = 100,
) -> pd.DataFrame:
    """Predict a module's errors from its kernels at initialisation, and train it.

    Parameters
    ----------
    domain, architecture, target : dicts; the domain is a data set, the architecture of kind torch_module
    train_size : int
    training : dict of name to settings of `learnability.ensembles.training.fit.fit`, `method` among them
    seeds : int
        Initialisations, each with its own training set.
    points : int
        Beyond the training sets, on which the kernel's change is measured.

    Returns
    -------
    DataFrame
        Rows of the measures: source theory, mean over initialisations, and network with `training`, compared to it; of the
        cross-entropy accuracies only. Rows "change of the kernel" and "converged", the share of networks that did. Networks
        that did not converge count as well.
    """
    check(architecture, train_size, training)
    data = finite(domain_from(domain))
    targets = {"target": target_from(data, target)}
    candidates = [replace(_module(architecture), seed=seed) for seed in range(seeds)]
    predicted = [_predicted(data, candidate, targets, train_size) for candidate in candidates]
    expected = {name: float(np.mean([of_seed[name] for of_seed in predicted])) for name in MEASURES}
    rows: list[Row] = [
        mean_row("theory", name, [of_seed[name] for of_seed in predicted], expected[name], train_size=train_size)
        for name in MEASURES
    ]
    for name, settings in training.items():
        rows += _trained(data, candidates[0], targets, train_size, seeds, points, name, settings, expected)
    return table(rows)


def _module(architecture: Entry) -> TorchModule:
    kernel = architecture_from(architecture)
    assert isinstance(kernel, TorchModule)  # as `check` has it
    return kernel


def _predicted(
    data: Domain, candidate: TorchModule, targets: Mapping[str, Target], train_size: int
) -> Mapping[str, float]:
    """What the theory of samples says of one initialisation."""
    learner = KernelOnDomain(data, candidate, "ntk")
    row = theory_table(learner, targets, [train_size], [0.0], [0.0]).iloc[0]
    return {name: float(row[name]) for name in MEASURES}


def _trained(
    data: Domain,
    candidate: TorchModule,
    targets: Mapping[str, Target],
    train_size: int,
    seeds: int,
    points: int,
    name: str,
    settings: Mapping[str, Any],
    expected: Mapping[str, float],
) -> list[Row]:
    """What networks of all seeds learn, trained in one way."""
    task = LearningTask(data, targets)
    training_sets = [task.training_set(train_size, seed) for seed in range(seeds)]
    x = np.stack([training_set.points[0] for training_set in training_sets])
    y = np.concatenate([training_set.labels for training_set in training_sets])
    result = fit(candidate, None, x, y, task.test[0], range(seeds), keep_networks=True, **settings)
    scores = table_of([
        task.score(one, result.predictions[[seed]].astype(float), result.train_mse[[seed]])
        for seed, one in enumerate(training_sets)
    ])  # fmt: skip
    assert isinstance(result.networks, ModuleEnsemble)
    start = ModuleEnsemble.initial(candidate, x.shape[2:], None, range(seeds), y.shape[2])
    start = start.calibrated(torch.from_numpy(x).float().flatten(2))
    changes = [
        _change(start.module(seed), result.networks.module(seed), task.test[0][one.off_train][:points])
        for seed, one in enumerate(training_sets)
    ]
    keys = {"training": name, "train_size": train_size}
    compared = MEASURES if settings.get("loss", "mse") == "mse" else ("accuracy_off_train",)  # else outputs are logits
    rows = [mean_row("network", measure, scores[measure], expected[measure], **keys) for measure in compared]
    rows.append(mean_row("network", CHANGE, changes, np.nan, **keys))
    rows.append(mean_row("network", "converged", result.converged, np.nan, **keys))
    return rows


def _change(before: nn.Module, after: nn.Module, points: Float[np.ndarray, "points ..."]) -> float:
    """|Theta_after - Theta_before| / |Theta_before|."""
    first, second = (TorchModule(lambda: module).kernel(points) for module in (before, after))  # noqa: B023
    return float(np.linalg.norm(second - first) / np.linalg.norm(first))
