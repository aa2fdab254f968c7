"""Training methods: each is a frozen dataclass of its own options that trains an ensemble.

`METHODS` names the ones a configuration may ask for; a new one is one file and one line here. PyTorch is imported when
training begins, so that a workflow can read the options without it. What a method draws at random follows from the networks'
`seeds`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ...common.errors import choose, real, require, whole

if TYPE_CHECKING:
    import learnability.ensembles.training.result

History: TypeAlias = "learnability.ensembles.training.result.History"

TARGET_MSE = 1e-5  # of any method, unless given: when training ends,
MAX_STEPS = 10_000  # or gives up,
DTYPE = "float32"  # and in which precision


@dataclass(frozen=True)
class GradientFlow:
    """Exact gradient flow, see `learnability.ensembles.training.gradient_flow`.

    Parameters
    ----------
    tolerance : float > 0
        Largest local error of a step times the residual at its start, both root mean squares over the training set in
        units of that of y; half of the loss that a step may gain or lose wrongly, as a share of the initial loss.
    """

    tolerance: float = 0.002

    def __post_init__(self) -> None:
        require_positive(tolerance=self.tolerance)

    def train(self, *problem: Any, seeds: Sequence[int]) -> History:
        """Train an ensemble in place, see `learnability.ensembles.training.gradient_flow.gradient_flow`."""
        from .gradient_flow import gradient_flow

        return gradient_flow(*problem, tolerance=self.tolerance)


@dataclass(frozen=True)
class GradientDescent:
    """Full-batch gradient descent, see `learnability.ensembles.training.gradient_descent`.

    Parameters
    ----------
    learning_rate : float > 0, optional
        The same rate for all networks; missing: `step_fraction` times the stability limit of each.
    step_fraction : float > 0
    """

    learning_rate: float | None = None
    step_fraction: float = 0.5

    def __post_init__(self) -> None:
        require_positive(step_fraction=self.step_fraction)
        if self.learning_rate is not None:
            require_positive(learning_rate=self.learning_rate)

    def train(self, *problem: Any, seeds: Sequence[int]) -> History:
        """Train an ensemble in place, see `learnability.ensembles.training.gradient_descent.gradient_descent`."""
        from .gradient_descent import gradient_descent

        return gradient_descent(*problem, learning_rate=self.learning_rate, step_fraction=self.step_fraction)


@dataclass(frozen=True)
class SGD:
    """Mini-batch stochastic gradient descent, see `learnability.ensembles.training.mini_batches`.

    Parameters
    ----------
    learning_rate : float > 0, optional
        The same rate for all networks; missing: `step_fraction` (1 - momentum) times the stability limit of each.
    step_fraction : float > 0
    batch_size : int >= 1
        Larger than the training set: all of it.
    momentum : float, 0 <= momentum < 1
    """

    learning_rate: float | None = None
    step_fraction: float = 0.5
    batch_size: int = 32
    momentum: float = 0.0

    def __post_init__(self) -> None:
        require_positive(step_fraction=self.step_fraction)
        if self.learning_rate is not None:
            require_positive(learning_rate=self.learning_rate)
        whole("batch_size", self.batch_size, 1)
        require_share(momentum=self.momentum)

    def train(self, *problem: Any, seeds: Sequence[int]) -> History:
        """Train an ensemble in place, see `learnability.ensembles.training.mini_batches.sgd`."""
        from .mini_batches import sgd

        return sgd(*problem, seeds=seeds, **vars(self))


@dataclass(frozen=True)
class Adam:
    """Mini-batch Adam, see `learnability.ensembles.training.mini_batches`.

    Parameters
    ----------
    learning_rate : float > 0
    batch_size : int >= 1
        Larger than the training set: all of it.
    betas : two floats, 0 <= beta < 1
    """

    learning_rate: float = 1e-3
    batch_size: int = 32
    betas: Sequence[float] = (0.9, 0.999)

    def __post_init__(self) -> None:
        require_positive(learning_rate=self.learning_rate)
        whole("batch_size", self.batch_size, 1)
        require(np.shape(self.betas) == (2,), f"betas must be two numbers, got {self.betas!r}")
        object.__setattr__(self, "betas", tuple(self.betas))
        for beta in self.betas:
            require_share(betas=beta)

    def train(self, *problem: Any, seeds: Sequence[int]) -> History:
        """Train an ensemble in place, see `learnability.ensembles.training.mini_batches.adam`."""
        from .mini_batches import adam

        return adam(*problem, seeds=seeds, **vars(self))


Method: TypeAlias = GradientFlow | GradientDescent | SGD | Adam
METHODS: dict[str, type[Method]] = {
    "gradient_flow": GradientFlow,
    "gradient_descent": GradientDescent,
    "sgd": SGD,
    "adam": Adam,
}


def trainer_from(method: str, **options: Any) -> Method:
    """The trainer of a name with its own options; ValueError names what is unknown."""
    kind = METHODS[choose("training method", method, METHODS)]
    for name in options:
        choose(f"option of {method}", name, [*options_of(method), "max_steps"])
    return kind(**options)


def options_of(method: str) -> list[str]:
    """Names of the options of a method."""
    return [field.name for field in fields(METHODS[method])]


def require_positive(**options: Any) -> None:
    """Require that every option is finite and > 0; the error names it."""
    for name, value in options.items():
        real(name, value, positive=True)


def require_share(**options: Any) -> None:
    """Require that every option is a number of [0, 1); the error names it."""
    for name, value in options.items():
        require(bool(0 <= value < 1), f"{name} must be >= 0 and < 1, got {value!r}")
