"""Odd networks: with an odd activation and no biases f(-x) = -f(x), and there is no constant among what they learn.

On centred inputs the mean of the labels is then never learned, however many samples there are.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from ..common.errors import warn_caller
from .matrix import as_kernel

if TYPE_CHECKING:
    from .kernel import Kernel, KernelLike

SHARE = 0.01  # of the labels' mean square, above which their mean matters
SIGNIFICANT = 3.0  # standard errors by which it is not an accident of the sample


def misses_the_mean(architecture: "Kernel | KernelLike", labels: ArrayLike) -> bool:
    """Whether the architecture is odd and labels (points,) or (points, outputs) have a mean that is not small."""
    labels = np.asarray(labels, dtype=float)
    if not as_kernel(architecture).odd or not len(labels):
        return False
    labels = labels.reshape(len(labels), -1)
    mean, variance = (labels.mean(0) ** 2).sum(), labels.var(0).sum()
    return bool(mean > SHARE * (mean + variance) and mean > SIGNIFICANT**2 * variance / len(labels))


def remark(names: Sequence[str], label: str = "the labels") -> str:
    """What to say of such networks, by name."""
    odd = (
        f"network {names[0]} is an odd function"
        if len(names) == 1
        else f"networks {', '.join(names)} are odd functions"
    )
    return f"{odd} of the inputs (no bias) and cannot learn the mean of {label}; centre the labels, or write bias_std, e.g. 0.1"


def warn_of_odd(architecture: "Kernel | KernelLike", labels: ArrayLike) -> None:
    """Warn if the architecture misses the mean of its labels."""
    if misses_the_mean(architecture, labels):
        warn_caller(remark([repr(architecture)]))
