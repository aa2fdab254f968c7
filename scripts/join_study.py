"""All results of one study in one table."""

from collections.abc import Mapping, Sequence
from typing import Any

from job import run
from learnability.common.store import read_frame, write_table
from learnability.tables.joined import joined


def main(
    parameters: Mapping[str, Any],
    parts: Mapping[str, Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]],
    theory: Sequence[str],
    regression: Sequence[str],
    networks: Sequence[str],
    csv: str,
    h5: str,
) -> None:
    """Join theory, kernel regression and networks.

    parts : for each of "theory", "regression" and "networks", the constant columns of each input file and the parameters that
        it must have been made from
    """
    files = {"theory": theory, "regression": regression, "networks": networks}
    pieces = [
        (read_frame(path, made_from), constants)
        for kind in files
        for path, (constants, made_from) in zip(files[kind], parts[kind], strict=True)
    ]
    write_table(csv, h5, joined(pieces), parameters)


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
