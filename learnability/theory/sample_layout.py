"""Where samples stand in the pool of sites that the per-sample equations solve.

Several targets on the same samples are columns of one pool, since what has to be solved does not depend on labels.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .classes import are_classes
from .sample_equations import Columns, Pool
from .sites import sites_of


@dataclass(frozen=True)
class Layout:
    """Where the samples stand in the pool of sites that `along` solves."""

    pool: Pool
    labels: np.ndarray  # (M, outputs)
    test_labels: np.ndarray  # (T, outputs)
    relative: np.ndarray  # (M,)
    drawn: np.ndarray  # (M,) of bool: whether the sample can be selected
    site: np.ndarray  # (drawn samples,) of int
    deviation: np.ndarray  # (drawn samples, outputs): of the label from its site's
    targets: list[Columns]  # one per target
    group: np.ndarray | None = None  # (sites,) of int, where groups are selected as a whole

    @classmethod
    def of(
        cls,
        matrix: np.ndarray,
        targets: Sequence[np.ndarray],
        relative: np.ndarray,
        test_kernel: np.ndarray,
        test_targets: Sequence[np.ndarray],
        groups: np.ndarray | None = None,
    ) -> "Layout":
        """From the checked arguments of `predict_targets`; targets (M, outputs), test_targets (T, outputs) each.

        Samples that coincide are one site; of different groups they are none.
        """
        labels, test_y = np.concatenate(targets, 1), np.concatenate(test_targets, 1)
        columns, pairs = _columns(targets)
        drawn = relative > 0
        samples = np.flatnonzero(drawn)
        sites = sites_of(matrix if drawn.all() else matrix[np.ix_(drawn, drawn)])
        sites = sites if groups is None else sites.within(groups)
        rates, first = relative[drawn], samples[sites.first]
        means = sites.mean(labels[drawn], rates)
        deviation = labels[drawn] - means[sites.of]
        pool = Pool(
            matrix=matrix if np.array_equal(first, np.arange(len(matrix))) else matrix[np.ix_(first, first)],
            labels=means,
            copies=sites.copies,
            relative=sites.mean(rates[:, None], np.ones(len(rates)))[:, 0],
            scatter=sites.mean(deviation[:, pairs[0]] * deviation[:, pairs[1]], rates),
            pairs=pairs,
            cross=np.concatenate([test_kernel[:, first], matrix[np.ix_(~drawn, first)]]),
            cross_labels=np.concatenate([test_y, labels[~drawn]]),
            counted=int((~drawn).sum()),
        )
        group = None if groups is None else groups[first]
        return cls(pool, labels, test_y, relative, drawn, sites.of, deviation, columns, group)

    def part(self, own: Columns) -> "Layout":
        """That of one target."""
        first, second = (side[own.pairs] - own.outputs.start for side in self.pool.pairs)
        pool = replace(
            self.pool,
            labels=self.pool.labels[:, own.outputs],
            scatter=self.pool.scatter[:, own.pairs],
            pairs=(first, second),
            cross_labels=self.pool.cross_labels[:, own.outputs],
        )
        labels, test_labels, deviation = (
            columns[:, own.outputs] for columns in (self.labels, self.test_labels, self.deviation)
        )
        return replace(self, pool=pool, labels=labels, test_labels=test_labels, deviation=deviation)


def _columns(targets: Sequence[np.ndarray]) -> tuple[list[Columns], tuple[np.ndarray, np.ndarray]]:
    """The columns of each target, and the pairs of outputs whose errors are needed: of classes all, else each with itself."""
    listed: list[Columns] = []
    sides: list[tuple[np.ndarray, np.ndarray]] = []
    first_output = first_pair = 0
    for labels in targets:
        outputs = labels.shape[1]
        one, other = np.triu_indices(outputs) if are_classes(labels) else (np.arange(outputs),) * 2
        sides.append((one + first_output, other + first_output))
        end_output, end_pair = first_output + outputs, first_pair + len(one)
        listed.append(Columns(slice(first_output, end_output), slice(first_pair, end_pair)))
        first_output, first_pair = end_output, end_pair
    first, second = (np.concatenate(side) for side in zip(*sides, strict=True))
    return listed, (first, second)
