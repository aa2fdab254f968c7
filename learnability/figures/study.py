"""What figures ask of a study before it runs."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable


@runtime_checkable
class Study(Protocol):
    """The settings of a study that decide whether a figure has something to draw."""

    @property
    def train_sizes(self) -> Sequence[float]:
        """Training-set sizes of the theory and of kernel regression."""

    @property
    def widths(self) -> Sequence[int | str]:
        """Widths of the trained networks."""

    @property
    def per_sample(self) -> bool:
        """Whether its theory is that of a data set's samples."""
