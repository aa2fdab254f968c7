"""One HTML file on which the theory answers: spectra and equations are computed in the browser, without a run or a network.

`python -m mkdocs build` puts it beside the documentation, `snakemake explorer` beside the results.
"""

import json
from importlib.resources import files

from ..domains.domain import ROUNDING
from ..domains.sphere import NODES_PER_DEGREE, Hypersphere
from ..spectra.spectrum import UNRESOLVED_SHARE


def page() -> str:
    """The page as text.

    Examples
    --------
    >>> page().startswith("<!doctype html>")
    True
    """
    here = files(__package__)
    settings = {
        "rounding": ROUNDING,
        "unresolved": UNRESOLVED_SHARE,
        "nodes_per_degree": NODES_PER_DEGREE,
        "max_degree": Hypersphere(dim=3).max_degree,
        "digits": json.loads(here.joinpath("digits.json").read_text(encoding="utf-8")),
    }
    text = here.joinpath("predict.html").read_text(encoding="utf-8")
    for mark, part in {
        "/*SETTINGS*/": json.dumps(settings, separators=(",", ":")),
        "/*EQUATIONS*/": here.joinpath("equations.js").read_text(encoding="utf-8"),
        "/*PAGE*/": here.joinpath("predict.js").read_text(encoding="utf-8"),
    }.items():
        text = text.replace(mark, part)
    return text
