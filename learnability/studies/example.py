"""The small configuration that the examples in this package's docstrings share."""

from typing import Any

from ..common.provenance import PACKAGE
from .configuration import Config, Study, studies_from
from .schema import load_schema
from .validation import checked


def example_config(**entries: Any) -> Config:
    """A checked configuration of one study of the 3-cube, with further entries of the study.

    Examples
    --------
    >>> example_config(widths=[50])["studies"]["one"]["train_sizes"]
    [4]
    """
    study = {"domain": "cube", "architectures": ["net"], "targets": [{"parity": 2}], "figure": "learning_curves"}
    config = {
        "domains": {"cube": {"kind": "hypercube", "dim": 3}},
        "architectures": {"net": {"depth": 1}},
        "studies": {"one": {**study, "train_sizes": [4], **entries}},
    }
    return checked(config, load_schema(PACKAGE.parent / "config" / "schema.yaml"))


def example_study(**entries: Any) -> Study:
    """The study of `example_config`.

    Examples
    --------
    >>> example_study(widths=[50]).widths
    [50]
    """
    (study,) = studies_from(example_config(**entries)).values()
    return study
