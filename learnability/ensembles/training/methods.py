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

TARGET_MSE = 1e-5  # of any method, unless given: when training on the mean squared error ends,
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
class ByGradients:
    """What the methods have in common that follow gradients of a loss, see `learnability.ensembles.training.losses`.

    Parameters
    ----------
    loss : "mse" or "cross_entropy"
        The mean squared error, or the cross-entropy of classes, whose outputs are logits.
    target_loss : float > 0
        Of the cross-entropy: training ends when it falls below. The mean squared error has `target_mse`.
    centred : bool
        Whether outputs at initialisation are subtracted, as infinite width has it.
    """

    loss: str = "mse"
    target_loss: float = 0.01
    centred: bool = True

    def __post_init__(self) -> None:
        from .losses import LOSSES

        choose("loss", self.loss, LOSSES)
        require_positive(target_loss=self.target_loss)
        require(isinstance(self.centred, bool), f"centred must be true or false, got {self.centred!r}")

    def prepared(self, problem: Sequence[Any]) -> tuple[Sequence[Any], dict[str, Any]]:
        """A problem with its labels encoded and the target of the loss, and what a trainer takes of the options."""
        from .losses import MSE, loss_from

        ensemble, x, y, x_test, target_mse, *others = problem
        loss = loss_from(self.loss)
        target = target_mse if loss is MSE else self.target_loss
        own = {name: value for name, value in vars(self).items() if name not in SHARED}
        return (ensemble, x, loss.encoded(y), x_test, target, *others), {**own, "loss": loss, "centred": self.centred}


SHARED = [field.name for field in fields(ByGradients)]


@dataclass(frozen=True)
class GradientDescent(ByGradients):
    """Full-batch gradient descent, see `learnability.ensembles.training.gradient_descent`.

    Parameters
    ----------
    learning_rate : float > 0, optional
        The same rate for all networks; missing: `step_fraction` times the stability limit of each.
    step_fraction : float > 0
    loss, target_loss, centred : see `ByGradients`
    """

    learning_rate: float | None = None
    step_fraction: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        require_positive(step_fraction=self.step_fraction)
        if self.learning_rate is not None:
            require_positive(learning_rate=self.learning_rate)

    def train(self, *problem: Any, seeds: Sequence[int]) -> History:
        """Train an ensemble in place, see `learnability.ensembles.training.gradient_descent.gradient_descent`."""
        from .gradient_descent import gradient_descent

        prepared, options = self.prepared(problem)
        return gradient_descent(*prepared, **options)


@dataclass(frozen=True)
class SGD(ByGradients):
    """Mini-batch stochastic gradient descent, see `learnability.ensembles.training.mini_batches`.

    Parameters
    ----------
    learning_rate : float > 0, optional
        The same rate for all networks; missing: `step_fraction` (1 - momentum) times the stability limit of each.
    step_fraction : float > 0
    batch_size : int >= 1
        Larger than the training set: all of it.
    momentum : float, 0 <= momentum < 1
    loss, target_loss, centred : see `ByGradients`
    """

    learning_rate: float | None = None
    step_fraction: float = 0.5
    batch_size: int = 32
    momentum: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        require_positive(step_fraction=self.step_fraction)
        if self.learning_rate is not None:
            require_positive(learning_rate=self.learning_rate)
        whole("batch_size", self.batch_size, 1)
        require_share(momentum=self.momentum)

    def train(self, *problem: Any, seeds: Sequence[int]) -> History:
        """Train an ensemble in place, see `learnability.ensembles.training.mini_batches.sgd`."""
        from .mini_batches import sgd

        prepared, options = self.prepared(problem)
        return sgd(*prepared, seeds=seeds, **options)


@dataclass(frozen=True)
class Adam(ByGradients):
    """Mini-batch Adam, see `learnability.ensembles.training.mini_batches`.

    Parameters
    ----------
    learning_rate : float > 0
    batch_size : int >= 1
        Larger than the training set: all of it.
    betas : two floats, 0 <= beta < 1
    loss, target_loss, centred : see `ByGradients`
    """

    learning_rate: float = 1e-3
    batch_size: int = 32
    betas: Sequence[float] = (0.9, 0.999)

    def __post_init__(self) -> None:
        super().__post_init__()
        require_positive(learning_rate=self.learning_rate)
        whole("batch_size", self.batch_size, 1)
        require(np.shape(self.betas) == (2,), f"betas must be two numbers, got {self.betas!r}")
        object.__setattr__(self, "betas", tuple(self.betas))
        for beta in self.betas:
            require_share(betas=beta)

    def train(self, *problem: Any, seeds: Sequence[int]) -> History:
        """Train an ensemble in place, see `learnability.ensembles.training.mini_batches.adam`."""
        from .mini_batches import adam

        prepared, options = self.prepared(problem)
        return adam(*prepared, seeds=seeds, **options)


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
