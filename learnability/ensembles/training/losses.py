"""What training makes small: a loss has a value, a gradient with respect to outputs, and its own encoding of labels.

`LOSSES` names those that a configuration may ask for; a new one is one class and one line here. All are means over samples.
"""

from typing import Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from ...common.errors import choose, require

Outputs = Float[Tensor, "networks samples outputs"]


@runtime_checkable
class Loss(Protocol):
    """A mean over samples of a function of a sample's outputs and labels."""

    def encoded(self, labels: Outputs) -> Outputs:
        """Labels as data sets have them, in the way that `value` takes them; ValueError for labels without a meaning here."""

    def value(self, outputs: Outputs, labels: Outputs) -> Float[Tensor, " networks"]:
        """The loss of every network."""

    def gradient(self, outputs: Outputs, labels: Outputs) -> Outputs:
        """Its derivative with respect to the outputs."""

    def sharpness(self, outputs: int) -> float:
        """The largest eigenvalue that the Hessian of one sample's loss with respect to its outputs can have."""

    def pace(self, outputs: int) -> float:
        """The time of gradient flow that passes in a step of rate 1."""


class MeanSquaredError:
    """mean((y - f)^2) over samples and outputs; labels are what the outputs shall be."""

    def encoded(self, labels: Outputs) -> Outputs:
        """The labels themselves."""
        return labels

    def value(self, outputs: Outputs, labels: Outputs) -> Float[Tensor, " networks"]:
        """The loss of every network."""
        return (outputs - labels).square().mean((1, 2))

    def gradient(self, outputs: Outputs, labels: Outputs) -> Outputs:
        """2 (f - y) / (samples outputs)."""
        return (outputs - labels) * (2 / labels[0].numel())

    def sharpness(self, outputs: int) -> float:
        """2 / outputs, everywhere."""
        return 2 / outputs

    def pace(self, outputs: int) -> float:
        """2 / outputs: the flow is that of half the sum over outputs of squares, whose kernel is Theta / n."""
        return 2 / outputs


class CrossEntropy:
    """-log p(class), p the softmax of the outputs, or for one output f the sigmoid of f; the outputs are logits.

    Labels are classes: one output is +-1, of several the largest is the class.
    """

    def encoded(self, labels: Outputs) -> Outputs:
        """Probabilities of the classes, 0 and 1: (networks, samples, outputs).

        Raises
        ------
        ValueError
            Labels that are no classes, noisy ones among them.
        """
        if labels.shape[2] == 1:
            classes, probabilities = bool((labels.abs() == 1).all()), (labels > 0).to(labels)
        else:
            high = labels == labels.amax(2, keepdim=True)
            others = labels[~high]
            classes = bool((high.sum(2) == 1).all()) and bool((others == others[0]).all())
            probabilities = high.to(labels)
        require(
            classes,
            "loss cross_entropy needs classes as labels: +-1, or of several outputs one high and all others equal; "
            "take loss mse for numbers and for labels with noise",
        )
        return probabilities

    def value(self, outputs: Outputs, labels: Outputs) -> Float[Tensor, " networks"]:
        """The loss of every network."""
        if outputs.shape[2] == 1:
            return functional.binary_cross_entropy_with_logits(outputs, labels, reduction="none").mean((1, 2))
        return -(labels * outputs.log_softmax(2)).sum(2).mean(1)

    def gradient(self, outputs: Outputs, labels: Outputs) -> Outputs:
        """(p - labels) / samples."""
        probabilities = outputs.sigmoid() if outputs.shape[2] == 1 else outputs.softmax(2)
        return (probabilities - labels) / outputs.shape[1]

    def sharpness(self, outputs: int) -> float:
        """1/4 for the sigmoid, 1/2 for the softmax (Boehning 1992)."""
        return 1 / 4 if outputs == 1 else 1 / 2

    def pace(self, outputs: int) -> float:
        """1: the flow is that of the loss."""
        return 1.0


MSE = MeanSquaredError()
LOSSES: dict[str, Loss] = {"mse": MSE, "cross_entropy": CrossEntropy()}


def loss_from(name: str) -> Loss:
    """The loss of a name; ValueError names those that there are."""
    return LOSSES[choose("loss", name, LOSSES)]
