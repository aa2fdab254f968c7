"""The workflow of a checkout of the repository, run by Snakemake with the library of that checkout."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from ..studies.schema import load_config

CONFIGURATIONS = (".yaml", ".yml", ".json")


def checkout(folder: Path) -> Path | None:
    """The checkout of the repository that a folder lies in, or None."""
    folder = Path(folder).resolve()
    with_snakefile = [parent for parent in (folder, *folder.parents) if (parent / "Snakefile").is_file()]
    return next((root for root in with_snakefile if (root / "learnability").is_dir()), None)


def workflow_file(name: str) -> Path:
    """A file of the workflow: of the checkout that we stand in, else of the one that this library belongs to."""
    root = checkout(Path.cwd()) or checkout(Path(__file__))
    if root is None:
        raise ValueError("the workflow is not part of an installed package: run this in a checkout of the repository")
    return root / name


def use_the_library_of_the_workflow(*arguments: str) -> None:
    """Start `learnability` with these arguments anew if this library is not the one of the workflow's checkout.

    An environment that several checkouts share has the library of one of them, or a released one, installed.
    """
    library = workflow_file("learnability")
    if library.resolve() != Path(__file__).resolve().parents[1]:
        path = os.pathsep.join(filter(None, [str(library.parent), os.environ.get("PYTHONPATH")]))
        command = [sys.executable, "-m", "learnability", *arguments]
        os.execve(sys.executable, command, {**os.environ, "PYTHONPATH": path})


def become_snakemake(arguments: Sequence[str]) -> None:
    """Run Snakemake in the place of this process, so that signals and exit codes are its own.

    Raises
    ------
    ValueError
        A configuration that cannot be read or asks Snakemake to evaluate it; Snakemake itself checks what it means.
    """
    configurations, options, targets = sorted_out(arguments)
    for path in configurations:
        load_config(path)
    named = ["--configfile", *configurations] if configurations else []
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(workflow_file("Snakefile"))]
    os.execv(sys.executable, [*command, *options, *named, *(["--", *targets] if targets else [])])


def sorted_out(arguments: Sequence[str]) -> tuple[list[str], list[str], list[str]]:
    """Arguments for Snakemake as configurations, options, and targets that stand after `--` or a configuration.

    A YAML or JSON file in the place of a target is a configuration, and so is every file after --configfile, of which
    Snakemake itself would take the last option only. -j limits the cores, as it does where no profile names them.
    """
    from snakemake.cli import get_argument_parser  # what is a target depends on all of its options

    end = [*arguments, "--"].index("--")
    reader = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    reader.add_argument("--configfile", "--configfiles", nargs="+", action="append", default=[])
    named, options = reader.parse_known_args([*arguments[:end]])
    files, targets = [], [*arguments[end + 1 :]]
    for first, *others in named.configfile:
        files += [first, *filter(_is_configuration, others)]
        targets += [other for other in others if not _is_configuration(other)]
    parser = get_argument_parser()
    parser.prog = "snakemake"
    parsed = parser.parse_args(options)
    bare = [*filter(_is_configuration, parsed.targets)]
    for path in bare:
        options.remove(path)
    if parsed.jobs is not None and parsed.cores is None and parsed.executor is None and not parsed.profile:
        options += ["--cores", str(parsed.jobs)]
    return [*bare, *files], options, targets


def _is_configuration(path: str) -> bool:
    return path.endswith(CONFIGURATIONS)
