"""Progress of long jobs: a bar on a terminal, a line now and then in a log file."""

import logging
import sys
from collections.abc import Iterable, Iterator
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from tqdm import tqdm

LINE_EVERY = 10.0  # seconds

Item = TypeVar("Item")
log = logging.getLogger(__name__)


def counted(items: Iterable[Item], name: str) -> Iterator[Item]:
    """The items, one after the other, with word of how many are done and how much time is left.

    Examples
    --------
    >>> [n**2 for n in counted([1, 2, 3], "squares")]
    [1, 4, 9]
    """
    items = list(items)
    if sys.stderr.isatty():
        yield from _bar(items, desc=name, leave=False, delay=2)
        return
    began = told = monotonic()
    for number, item in enumerate(items, start=1):
        yield item
        now = monotonic()
        if now - told >= LINE_EVERY:
            told = now
            log.info(
                "%s: %d of %d, about %.0f s left", name, number, len(items), (now - began) * (len(items) / number - 1)
            )


class Progress:
    """Counts networks; an instance is the `report` argument of `learnability.ensembles.training.fit`.

    Parameters
    ----------
    total : int
        Networks to train.
    name : str
        What is being trained.

    Examples
    --------
    >>> report = Progress(300, "width 500")
    >>> report(30, failed=1)
    """

    def __init__(self, total: int, name: str = "networks") -> None:
        self.total, self.name = total, name
        self.began = self.told = monotonic()
        self.bar = _bar(total=total, desc=name, unit="net") if sys.stderr.isatty() else None

    def __call__(self, finished: int, failed: int = 0) -> None:
        """finished networks so far, of which `failed` did not reach the target."""
        if self.bar is not None:
            self.bar.set_postfix(failed=failed)
            self.bar.update(finished - self.bar.n)
            return
        now = monotonic()
        if now - self.told >= LINE_EVERY or finished == self.total:
            left = (now - self.began) * (self.total / max(finished, 1) - 1)
            self.told = now
            log.info(
                "%s: %d of %d networks done, %d converged, %d failed, about %.0f s left",
                self.name, finished, self.total, finished - failed, failed, left,
            )  # fmt: skip


def _bar(*arguments: Any, **options: Any) -> "tqdm":
    from tqdm import tqdm  # not above: a machine with a GPU may have PyTorch, NumPy, SciPy and h5py alone

    return tqdm(*arguments, **options)
