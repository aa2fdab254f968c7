r"""The fixed point of the theory of groups: rows that are selected together, each group with probability c.

    Q = (K + D)^-1,    D_g = (1 - c) (Q_gg)^-1 + N_g

D is block-diagonal over the groups g, N diagonal: the ridge delta, or delta / m for m equal rows of a group, which are one.
S_g = c (Q_gg)^-1 - N_g is the covariance of group g given what all others tell of it. With alpha = Q y,

    mu_g = (Q_gg)^-1 alpha_g
    O_g = mu_g mu_g^T + sum over h != g of (Q_gg)^-1 Q_gh ((1 - c) / c O_h + sigma^2 / c C_h) Q_hg (Q_gg)^-1

are the mean residual at the rows of a group that is not selected, and the mean of its products r r^T; C is the covariance of
unit label noise, 1 or 1 / m. A point t that is never selected reads its error off the groups: with W = K_t Q,

    o_t = (y_t - K_t alpha)^2 + sum over h of W_th ((1 - c) / c O_h + sigma^2 / c C_h) W_th^T.

Groups of one row give the equations of `learnability.theory.sample_equations`. Derivation: docs/research/groups.md.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from .blocks import Blocks, Coupling, Stacks
from .sample_equations import TOLERANCE, Columns, Pool, lower_inverse

STEPS = 60
COARSE = 1e-2  # precision of a Newton step far from the solution
PRECISE = 1e-8  # of the equation for second moments
BETWEEN = 1e-4  # the same for products of two outputs, which tell accuracies only


@dataclass(frozen=True)
class GroupSolution:
    """At one c and delta, at the rows of groups that are not selected, and of those that are.

    Label noise has unit variance in `noise`, `trained_noise` and `own_noise`, the last against the label trained on.
    """

    kappa: Float[np.ndarray, " rows"]  # the diagonal of D
    mean: Float[np.ndarray, "rows outputs"]  # of residuals
    trained_mean: Float[np.ndarray, "rows outputs"]
    products: Float[np.ndarray, "rows pairs"]  # means of products of two residuals
    trained_products: Float[np.ndarray, "rows pairs"]
    noise: Float[np.ndarray, " rows"]  # variance of fhat
    trained_noise: Float[np.ndarray, " rows"]
    followed: Float[np.ndarray, " rows"]  # by how much fhat at a selected row follows the noise of the row's mean label
    cross_residual: Float[np.ndarray, "tests outputs"]
    cross_errors: Float[np.ndarray, "tests pairs"]
    cross_noise: Float[np.ndarray, " tests"]
    steps: int

    def part(self, own: Columns) -> "GroupSolution":
        """That of one target."""
        return replace(
            self,
            mean=self.mean[:, own.outputs],
            trained_mean=self.trained_mean[:, own.outputs],
            products=self.products[:, own.pairs],
            trained_products=self.trained_products[:, own.pairs],
            cross_residual=self.cross_residual[:, own.outputs],
            cross_errors=self.cross_errors[:, own.pairs],
        )

    @property
    def overfitting(self) -> Float[np.ndarray, " rows"]:
        """No number of a single row: not known."""
        return np.full(len(self.kappa), np.nan)


def along_groups(
    pool: Pool, group: Int[np.ndarray, " rows"], shares: np.ndarray, ridges: np.ndarray, noisy: bool
) -> Iterator[GroupSolution]:
    """Solve at every (c, delta), in order: c increases at each delta.

    Parameters
    ----------
    pool : Pool of rows, equal rows of a group as one
    group : the group of every row, numbered from 0
    noisy : whether what label noise does is needed; it is 0 without
    """
    blocks = Blocks.of(group)
    order = blocks.order
    matrix, copies = pool.matrix[np.ix_(order, order)], pool.copies[order]
    before: tuple[float, float, Stacks] | None = None
    for share, delta in zip(shares, ridges, strict=True):
        own = delta / copies
        if share == 0:
            yield _nothing(pool, blocks, blocks.diagonal(matrix), own)
            continue
        odds = np.inf if share == 1 else share / (1 - share)
        if before is not None and before[0] == delta and share < 1:
            start = [stack * (before[1] / odds) for stack in before[2]]
        else:
            start = blocks.diagonal((matrix + np.diag(own)) / odds)
        state = _balance(matrix, blocks, own, odds, start)
        if share < 1:
            before = delta, odds, state[0]
        yield _moments(pool, blocks, own, share, odds, *state, noisy)


def _nothing(pool: Pool, blocks: Blocks, variances: Stacks, own: np.ndarray) -> GroupSolution:
    """Without a training row; what is said of selected groups is the limit of few of them."""
    order, back, (first, second) = blocks.order, np.argsort(blocks.order), pool.pairs
    nuggets = [part[:, :, None] * np.eye(part.shape[1]) for part in _split(blocks, own)]
    if own.any():
        shrink = [part @ np.linalg.inv(stack + part) for part, stack in zip(nuggets, variances, strict=True)]
    else:
        shrink = nuggets
    trained = blocks.times(shrink, pool.labels[order])[back]
    own_noise, followed = _own_noise(blocks, shrink, 1 / pool.copies[order])
    return GroupSolution(
        kappa=np.full(len(own), np.inf),
        mean=pool.labels,
        trained_mean=trained,
        products=pool.labels[:, first] * pool.labels[:, second],
        trained_products=trained[:, first] * trained[:, second],
        noise=np.zeros(len(own)),
        trained_noise=own_noise[back],
        followed=followed[back],
        cross_residual=pool.cross_labels,
        cross_errors=pool.cross_labels[:, first] * pool.cross_labels[:, second],
        cross_noise=np.zeros(len(pool.cross)),
        steps=0,
    )


def _own_noise(blocks: Blocks, shrink: Stacks, unit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """At selected rows: variance of fhat by the noise of the own group, and by how much fhat follows that of the row."""
    follow = [np.eye(stack.shape[-1]) - stack for stack in shrink]
    parts = _split(blocks, unit)
    variance = [f * part[:, None, :] @ f.swapaxes(1, 2) for f, part in zip(follow, parts, strict=True)]
    return _diagonal(variance), _diagonal(follow) * unit


def _balance(
    matrix: np.ndarray, blocks: Blocks, own: np.ndarray, odds: float, start: Stacks
) -> tuple[Stacks, np.ndarray, int]:
    """M = D - N and Q by Newton's method for M_g = (S_g(M) + N_g) / odds, S_g + N_g = (Q_gg)^-1 - M_g.

    The right side is increasing and concave in M, so that from a start above the solution every step stays above it and
    converges; with Q_gg = C C^T and Y = C^T dM C the step is that of the symmetric operator of the second moments.
    """
    for step in range(1, STEPS + 1):
        shifted = matrix.copy()
        blocks.add(shifted, start)
        inverse = lower_inverse(shifted, own)
        inverse += np.tril(inverse, -1).T
        if np.isinf(odds):
            return start, inverse, step
        roots = [np.linalg.cholesky(stack) for stack in blocks.diagonal(inverse)]
        retained = [root.swapaxes(1, 2) @ stack @ root for root, stack in zip(roots, start, strict=True)]
        excess = [(_one(stack) - stack) / odds - stack for stack in retained]
        largest = max(np.abs(stack).max() for stack in excess) * (1 + odds)
        if largest <= TOLERANCE:
            return start, inverse, step
        change = _coupling(blocks, inverse, roots).solve(1 / odds, excess, min(COARSE, largest))
        start = [
            _congruent(np.linalg.inv(root), _positive(stack + part, stack, odds))
            for root, stack, part in zip(roots, retained, change, strict=True)
        ]
    raise ArithmeticError(f"no convergence with groups at odds {odds:g}: D is still off by {largest:.1g}")


def _positive(wanted: np.ndarray, retained: np.ndarray, odds: float) -> np.ndarray:
    """The blocks of a Newton step, or where it leaves the positive matrices those of the plain iteration."""
    bad = np.linalg.eigvalsh(wanted)[:, 0] <= 0
    return np.where(bad[:, None, None], (_one(retained) - retained) / odds, wanted)


def _one(stack: np.ndarray) -> np.ndarray:
    return np.eye(stack.shape[-1])


def _congruent(inverse_root: np.ndarray, stack: np.ndarray) -> np.ndarray:
    """C^-T X C^-1, symmetric to the last bit."""
    product = inverse_root.swapaxes(1, 2) @ stack @ inverse_root
    return (product + product.swapaxes(1, 2)) / 2


def _coupling(blocks: Blocks, inverse: np.ndarray, roots: Stacks) -> Coupling:
    """T = C^-1 Q C^-T without its own blocks."""
    inverted = [np.linalg.inv(root) for root in roots]
    scaled = blocks.times(inverted, blocks.times(inverted, inverse).T)
    blocks.add(scaled, [-stack for stack in blocks.diagonal(scaled)])
    return Coupling(blocks, scaled)


def _moments(
    pool: Pool,
    blocks: Blocks,
    own: np.ndarray,
    share: float,
    odds: float,
    added: Stacks,
    inverse: np.ndarray,
    steps: int,
    noisy: bool,
) -> GroupSolution:
    """Means and products of residuals once D is known."""
    order, (first, second) = blocks.order, pool.pairs
    roots = [np.linalg.cholesky(stack) for stack in blocks.diagonal(inverse)]
    inverted = [np.linalg.inv(root) for root in roots]
    coupling, alpha = _coupling(blocks, inverse, roots), inverse @ pool.labels[order]
    scaled = blocks.times(inverted, alpha)  # C^T mu
    mean = blocks.times([stack.swapaxes(1, 2) for stack in inverted], scaled)
    shrink = [
        part[:, :, None] * (root @ root.swapaxes(1, 2)) / share
        for root, part in zip(roots, _split(blocks, own), strict=True)
    ]  # N Q_gg / c
    weights = pool.cross[:, order] @ inverse

    def told(stacks: Stacks) -> tuple[np.ndarray, np.ndarray]:
        """Of O in the basis C: its diagonal, and that at selected rows."""
        products = [_congruent(each, stack) for each, stack in zip(inverted, stacks, strict=True)]
        selected = [part @ stack @ part.swapaxes(1, 2) for part, stack in zip(shrink, products, strict=True)]
        return _diagonal(products), _diagonal(selected)

    def seen(stacks: Stacks) -> np.ndarray:
        """What sources in the basis C do to points that are never selected."""
        if not len(weights):
            return np.zeros(0)
        spread = blocks.times(
            [_congruent(each, stack) for each, stack in zip(inverted, stacks, strict=True)], weights.T
        )
        return (spread * weights.T).sum(0)

    solved = [
        coupling.solve(1 / odds, blocks.outer(scaled[:, i], scaled[:, j]), PRECISE if i == j else BETWEEN)
        for i, j in zip(first, second, strict=True)
    ]
    products, trained = (np.column_stack(part) for part in zip(*(told(stacks) for stacks in solved), strict=True))
    cross = np.column_stack([seen([stack / odds for stack in stacks]) for stacks in solved])
    cross_residual = pool.cross_labels - pool.cross[:, order] @ alpha
    noise, trained_noise, followed, cross_noise = (
        np.zeros(len(own)),
        np.zeros(len(own)),
        np.zeros(len(own)),
        np.zeros(len(weights)),
    )
    if noisy:
        unit = 1 / pool.copies[order]
        source = [
            root.swapaxes(1, 2) @ (part[:, :, None] * root) / share
            for root, part in zip(roots, _split(blocks, unit), strict=True)
        ]  # C^T C_h C / c
        responses = coupling.solve(1 / odds, coupling(source), PRECISE)
        noise, trained_noise = told(responses)
        own_noise, followed = _own_noise(blocks, shrink, unit)
        trained_noise = trained_noise + own_noise
        cross_noise = seen([stack / odds + part for stack, part in zip(responses, source, strict=True)])
    back = np.argsort(order)
    return GroupSolution(
        kappa=(own + _diagonal(added))[back],
        mean=mean[back],
        trained_mean=blocks.times(shrink, mean)[back],
        products=products[back],
        trained_products=trained[back],
        noise=noise[back],
        trained_noise=trained_noise[back],
        followed=followed[back],
        cross_residual=cross_residual,
        cross_errors=cross_residual[:, first] * cross_residual[:, second] + cross,
        cross_noise=cross_noise,
        steps=steps,
    )


def _split(blocks: Blocks, values: np.ndarray) -> list[np.ndarray]:
    """(rows,) as (groups, size) for every size."""
    return [values[part].reshape(shape) for part, shape in zip(blocks.rows(), blocks.shapes, strict=True)]


def _diagonal(stacks: Stacks) -> np.ndarray:
    """(rows,)."""
    return np.concatenate([np.diagonal(stack, axis1=1, axis2=2).ravel() for stack in stacks])
