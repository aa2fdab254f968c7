"""Which training-set sizes a command predicts at, and with which ridges, where they are not named; a choice is said."""

from collections.abc import Sequence
from typing import Literal

import click
import numpy as np

from ..common.errors import require
from ..common.groups import Groups, number_of
from ..curves.beyond import EXTRAPOLATED, FEWEST
from ..domains.domain import Domain
from ..kernels.matrix import LARGEST_MATRIX

SIZE_ON_NO_POINTS = 256  # the largest training set on a domain of infinitely many points, unless sizes are given
LARGEST_RANKED = 512  # training samples, unless sizes are given
LARGEST_OF_MODULES = 128  # the same of PyTorch modules: where their ranking was tried, from pools that are the cheapest
TIMES_THE_ROWS = 8  # the largest training set beyond the rows of a file
FEWEST_DRAWN = 2  # groups of a training set, unless sizes are given


def sizes_of(
    space: Domain, train_sizes: Sequence[int], what: str, ranked: bool = False, modules: bool = False
) -> list[int]:
    """The training-set sizes that are asked for, or a choice that is said.

    Parameters
    ----------
    ranked : bool
        Whether candidates are ranked there: then sizes are below the rows of a file, where they may else be up to eight times
        as many, and a choice is of sizes that many candidates are predicted at in a minute.
    modules : bool
        Whether PyTorch modules are among the candidates, whose kernels take longer.

    Raises
    ------
    ValueError
        Training sets that leave nothing to predict, or are farther beyond the data.
    """
    size = space.size
    if space.groups is not None:
        return _sizes_of_groups(space.groups, train_sizes, what, ranked)
    if not train_sizes:
        largest = SIZE_ON_NO_POINTS if size is None else max(1, size // 2)
        most = LARGEST_OF_MODULES if modules else LARGEST_RANKED
        largest = min(largest, most) if ranked else largest
        train_sizes = sorted({max(1, largest // part) for part in (8, 4, 2, 1)})
        points = "" if size is None else f", up to half of the {size} there are"
        if not ranked and not space.alike and size is not None and FEWEST <= size <= EXTRAPOLATED:
            train_sizes += [size, 2 * size, 4 * size, TIMES_THE_ROWS * size]
            points = f", from some of the {size} rows to {TIMES_THE_ROWS} times as many"
        if ranked and largest == most:
            points = ", at which the ranking of modules was tried" if modules else ", as many as take a minute"
        click.echo(f"training-set sizes {', '.join(map(str, train_sizes))}{points}; -n takes others", err=True)
    largest = max(train_sizes)
    if size is None:
        return [*train_sizes]
    if not ranked and not space.alike:
        require(
            largest <= TIMES_THE_ROWS * size,
            f"-n {largest}: {what} has {size} rows, which tell of training sets up to {TIMES_THE_ROWS} times as large, "
            f"-n {TIMES_THE_ROWS * size}",
        )
        return [*train_sizes]
    remedy = "" if space.alike else "; candidates are ranked at what there is, predict -n goes beyond the rows"
    require(
        largest < size,
        f"-n {largest}: {what} has {size} {'points' if space.alike else 'rows'}, and a training set must leave some of them"
        f"{remedy}",
    )
    return [*train_sizes]


def _sizes_of_groups(groups: Groups, train_sizes: Sequence[int], what: str, ranked: bool) -> list[int]:
    """`sizes_of` a data set in groups, also told as groups: up to half of them, and all unless candidates are ranked."""
    rows, number = len(groups), number_of(groups)
    largest = rows - 1 if ranked else min(rows, LARGEST_MATRIX)
    chosen = ""
    if not train_sizes:
        most = LARGEST_RANKED if ranked else LARGEST_MATRIX // 2
        half = max(1, min(number // 2, most * number // rows))
        counts = {max(min(FEWEST_DRAWN, half), half // part) for part in (8, 4, 2, 1)}
        train_sizes = sorted({max(1, min(round(count * rows / number), largest)) for count in counts})
        chosen = f", {'up to half of them' if half == number // 2 else 'as many as take a minute'}; -n takes others"
    require(
        max(train_sizes) <= largest,
        f"-n {max(train_sizes)}: {what} has {rows} rows in {number} groups, and errors on new groups are predicted for "
        f"training sets up to -n {largest}, not beyond the rows",
    )
    counts_told = ", ".join(f"{size * number / rows:.3g}" for size in train_sizes)
    click.echo(
        f"training-set sizes {', '.join(map(str, train_sizes))}: {counts_told} of the {number} groups{chosen}", err=True
    )
    return [*train_sizes]


def default_ridges(space: Domain, train_sizes: Sequence[int]) -> tuple[float, ...] | Literal["auto"]:
    """The best ridge where it can be found: on a data set, for training sets of up to 4096 samples. Else none."""
    return (0.0,) if space.alike or max(train_sizes) > LARGEST_MATRIX else "auto"


def curve_sizes(space: Domain, train_sizes: Sequence[int]) -> tuple[list[int], list[int]]:
    """Training-set sizes for a smooth curve through some: within the points of a domain, and beyond the rows of a file."""
    between = np.geomspace(max(1, min(train_sizes) / 2), max(train_sizes), 16)
    sizes = np.unique([*train_sizes, *between.round().astype(int)])
    last = np.inf if space.alike or space.size is None else space.size
    return sizes[sizes <= last].tolist(), sizes[sizes > last].tolist()
