r"""Few samples: learnability grows one sample at a time (derived for this project: docs/theory.md).

Without a ridge, one more sample x changes the learnability of mode i by exactly lambda_i E[e_i(x)^2 / v(x)], where e_i is
the error left on phi_i and v(x) = sum m_j lambda_j e_j(x)^2 the kernel's conditional variance. With means in the place of
both, and with each mode's error carried by the variance of the *other* modes,

    L_i(n + 1) = L_i(n) + lambda_i E_i(n) / sum m_j lambda_j E_j(n),                  L_i(0) = 0
    E_i(n)     = n (1 - L_i)^2 / (n - sum m_j L_j^2 + L_i^2),                         E_i(0) = 1

E_i is the test error of mode i. The sum of all L is n for every n; L is exact at n = 1 where all points are alike. In the
limit of many samples the step becomes a derivative and this is the conservation law of the paper. A size between two whole
numbers begins with a shorter step. Trace beyond the listed modes takes part with L = 0.
"""

import numpy as np

from ..common.errors import require
from .conservation import effective_regularization
from .solution import Solution


def solve(spectrum, power, beyond, n, delta, sigma):
    """The recursion on a flat grid.

    Parameters
    ----------
    spectrum : Spectrum
    power : (levels, outputs), beyond : (outputs,) power on modes in the tail
    n, delta, sigma : (grid,) training sizes, ridges (0), standard deviations of the label noise

    Returns
    -------
    Solution
        kappa is the paper's.

    Raises
    ------
    ValueError
        A ridge: the recursion knows none.
    """
    require(
        not delta.any(), f"correction 'few_samples' is for ridge 0, got {delta[delta > 0][:1]}; use population there"
    )
    learned, errors, common = _recursion(spectrum, n)
    own = errors @ power + common[:, None] * beyond  # sum v_i^2 E_i
    noise = sigma[:, None] ** 2
    bias = (1 - learned) ** 2 @ power + beyond
    test = own + common[:, None] * noise
    per_sample = np.where(n > 0, 1 / np.where(n > 0, n, 1.0), 0.0)
    rank = spectrum.multiplicities[spectrum.eigenvalues > 0].sum()
    unfitted = np.maximum(n - rank, 0) * per_sample if spectrum.tail == 0 else np.zeros(len(n))
    counts = np.maximum(spectrum.multiplicities, 1)[:, None]

    def coefficient_variance():
        others = test[:, None, :] - errors[:, :, None] * (power / counts)
        return (learned**2 * per_sample[:, None])[:, :, None] * others

    return Solution(
        kappa=effective_regularization(spectrum, n, delta),
        overfitting_coefficient=common,
        learnability=learned @ power / (power.sum(0) + beyond),
        bias=bias,
        test_mse=test,
        train_mse=unfitted[:, None] ** 2 * test,
        variance=test - bias - noise,
        mode_learnabilities=lambda: learned,
        coefficient_variance=coefficient_variance,
    )


def _recursion(spectrum, n):
    """L and E of every level, (grid, levels), and E of a mode with L = 0, (grid,)."""
    start = n - np.floor(n)
    runs, run = np.unique(start, return_inverse=True)
    learned = np.zeros((len(runs), len(spectrum)))
    found = np.zeros((3, len(n), len(spectrum)))
    for step in range(int(n.max(initial=0)) + 1):
        if step == 0:
            learned = _grown(spectrum, learned, np.zeros(len(runs)), runs)  # to sizes 0 <= start < 1
        here = np.flatnonzero(np.floor(n) == step)
        errors, common = _errors(spectrum, learned, runs + step)
        found[0, here], found[1, here] = learned[run[here]], errors[run[here]]
        found[2, here] = common[run[here], None]
        learned = _grown(spectrum, learned, runs + step, 1.0)
    return found[0], found[1], found[2, :, 0]


def _errors(spectrum, learned, n):
    """E_i(n), (runs, levels), and that of a mode of which nothing is learned, (runs,)."""
    squares = learned**2 @ spectrum.multiplicities
    some = n > 0
    room = np.where(some, np.maximum(n - squares, 1e-12 * np.maximum(n, 1)), 1.0)
    errors = np.where(some[:, None], n[:, None] / (room[:, None] + learned**2), 1.0) * (1 - learned) ** 2
    return errors, np.where(some, n / room, 1.0)


def _grown(spectrum, learned, n, step):
    """L after `step` more samples, at most 1."""
    errors, common = _errors(spectrum, learned, n)
    variance = errors @ (spectrum.multiplicities * spectrum.eigenvalues) + spectrum.tail * common
    gain = spectrum.eigenvalues * errors / np.where(variance > 0, variance, 1.0)[:, None]
    return np.minimum(learned + np.reshape(step, (-1, 1)) * gain, 1.0)
