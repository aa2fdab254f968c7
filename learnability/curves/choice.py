"""Which system of equations predicts a learning curve: the one decision of Python, command, studies and experiments.

"auto" takes the most accurate one whose cost is that of its inputs:

    sphere, cube beyond dimension 20   eigenlearning       the spectrum; one scalar equation per training-set size
    hypercube, circle                  finite_population   the same: training sets are drawn without replacement
    data set, n up to 4096             per_sample          a kernel matrix on 4096 samples at most, three factorizations a size
    data set, n above 4096             finite_population   the spectrum of all samples by quadrature; too optimistic by a tenth
    data set, n above its samples      extrapolation       the per-sample equations beyond the data, with an interval
    data set in groups                 per_sample          errors on new groups; n up to its samples, and up to 4096

The per-sample theory of more than 4096 samples takes 4096 of them at random, for errors off the training set are those on
new samples, whatever the number of samples that were left out. `fourth_moments`, more accurate for few samples on
hypercube, circle and sphere, costs a hundred times more and is taken when it is asked for.
"""

from ..common.errors import choose, require
from ..domains.domain import Domain, SymmetricDomain
from ..kernels.matrix import LARGEST_MATRIX
from ..theory.eigenlearning import Eigenlearning
from ..theory.finite_population import FinitePopulation
from ..theory.fourth_moments import FourthMoments
from ..theory.per_sample import PerSample
from ..theory.theory import SampleTheory, Theory

NAMES = ("auto", "eigenlearning", "finite_population", "fourth_moments", "per_sample")


class BeyondTheData(SampleTheory):
    """The learning curve for more samples than there are: `learnability.extrapolate`."""

    name = "extrapolation"


def theory_for(domain: Domain, train_size: float, theory: str | Theory = "auto") -> Theory:
    """The system of equations for one training-set size on a domain.

    Parameters
    ----------
    domain : Domain
    train_size : float
    theory : str or Theory
        One of `NAMES`, or the system itself.

    Raises
    ------
    ValueError
        A misspelt name, with the nearest one; a theory that the domain does not allow.

    Examples
    --------
    >>> import learnability as lb
    >>> theory_for(lb.Hypercube(dim=8), 32)
    FinitePopulation(population=256)
    >>> theory_for(lb.Hypersphere(dim=8), 32)
    Eigenlearning()
    """
    if domain.groups is not None:
        _require_groups_allow(domain, train_size, theory)
    if isinstance(theory, Theory):
        return theory
    if choose("theory", theory, NAMES) == "auto":
        if not domain.alike and domain.size is not None and train_size > domain.size:
            return BeyondTheData()
        theory = _most_accurate(domain, train_size)
    if theory == "eigenlearning":
        return Eigenlearning()
    if theory == "finite_population":
        if domain.size is None:
            raise ValueError(
                f"theory: finite_population needs a domain of finitely many points, and {domain} is none; "
                "write eigenlearning"
            )
        return FinitePopulation(domain.size)
    if theory == "fourth_moments":
        require(
            isinstance(domain, SymmetricDomain),
            f"theory: fourth_moments is known on hypercube, circle and sphere, not on {domain}; write per_sample",
        )
        return FourthMoments(domain)
    require(
        not domain.alike,
        f"theory: per_sample is for data sets, whose samples differ; all points of {domain} are alike, write finite_population",
    )
    return PerSample()


def _require_groups_allow(domain: Domain, train_size: float, theory: str | Theory) -> None:
    name = theory if isinstance(theory, str) else theory.name
    require(
        name in ("auto", PerSample.name),
        f"theory: {name} draws single samples, and errors on new groups are predicted by per_sample; "
        "leave theory or groups out",
    )
    most = min(domain.size or LARGEST_MATRIX, LARGEST_MATRIX)
    require(
        train_size <= most,
        f"train_size {train_size:g}: errors on new groups are predicted for up to {most} of the {domain.size} samples, and not "
        "beyond the data; ask for fewer",
    )


def _most_accurate(domain: Domain, train_size: float) -> str:
    if not domain.alike and train_size <= LARGEST_MATRIX:
        return "per_sample"
    return "eigenlearning" if domain.size is None else "finite_population"
