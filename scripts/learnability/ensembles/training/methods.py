"""Training methods: each is a frozen dataclass of its own options that trains an ensemble.

`METHODS` names the ones a configuration may ask for; a new one is one file and one line here. PyTorch is imported when
training begins, so that a workflow can read the options without it.
"""

from dataclasses import dataclass, fields

from ...common.errors import choose, real

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

    def __post_init__(self):
        require_positive(tolerance=self.tolerance)

    def train(self, *problem):
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

    def __post_init__(self):
        require_positive(step_fraction=self.step_fraction)
        if self.learning_rate is not None:
            require_positive(learning_rate=self.learning_rate)

    def train(self, *problem):
        """Train an ensemble in place, see `learnability.ensembles.training.gradient_descent.gradient_descent`."""
        from .gradient_descent import gradient_descent

        return gradient_descent(*problem, learning_rate=self.learning_rate, step_fraction=self.step_fraction)


METHODS = {"gradient_flow": GradientFlow, "gradient_descent": GradientDescent}


def trainer_from(method, **options):
    """The trainer of a name with its own options; ValueError names what is unknown."""
    kind = METHODS[choose("training method", method, METHODS)]
    for name in options:
        choose(f"option of {method}", name, [*options_of(method), "max_steps"])
    return kind(**options)


def options_of(method):
    """Names of the options of a method."""
    return [field.name for field in fields(METHODS[method])]


def require_positive(**options):
    """Require that every option is finite and > 0; the error names it."""
    for name, value in options.items():
        real(name, value, positive=True)
