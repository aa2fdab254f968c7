"""The command and its subcommands; what they compute is the library's."""

import logging
import warnings
from collections.abc import Callable
from typing import Any, Literal

import click
from click.core import ParameterSource

from .. import __version__
from ..common.conditioning import one_warning
from ..curves.choice import NAMES


def each_once(context: click.Context, option: click.Parameter, values: tuple) -> tuple:
    """The values of an option that may be repeated, each once, in their order."""
    return tuple(dict.fromkeys(values))


def ridges_of(context: click.Context, option: click.Parameter, values: tuple) -> tuple | str:
    """Ridges, each once, or "auto"."""
    if "auto" in values and len(values) > 1:
        raise click.BadParameter("auto is the best ridge of every size; leave the others out")
    return "auto" if "auto" in values else each_once(context, option, values)


REPEATED: dict[str, Any] = {"multiple": True, "callback": each_once}
SIZES: dict[str, Any] = {
    **REPEATED,
    "type": click.IntRange(min=1),
    "help": "Training-set size; may be repeated: -n 64 -n 200. Unless given, chosen from the data and said.",
}
NOT_NEGATIVE = click.FloatRange(min=0)


class Ridge(click.ParamType):
    """A number, or auto."""

    name = "float or auto"

    def convert(self, value: Any, option: click.Parameter | None, context: click.Context | None) -> float | str:
        return value if value == "auto" else NOT_NEGATIVE.convert(value, option, context)


RIDGES: dict[str, Any] = {
    "multiple": True,
    "callback": ridges_of,
    "type": Ridge(),
    "help": "Absolute ridge; may be repeated. auto: of FILE the best one of every size.",
}


class Teaching(click.Group):
    """A group of commands in which a ValueError is a message, not a traceback, and a warning is a note."""

    def invoke(self, context: click.Context) -> Any:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("always", UserWarning)
                warnings.showwarning = lambda message, *_: click.echo(f"note: {message}", err=True)
                show_progress()
                with one_warning():
                    return super().invoke(context)
        except (ValueError, OSError) as error:
            raise click.ClickException(str(error)) from error


class Echo(logging.Handler):
    """Lines of a log on the terminal's standard error."""

    def emit(self, record: logging.LogRecord) -> None:
        click.echo(self.format(record), err=True)


def show_progress() -> None:
    """The library's word of how far a long computation is, where standard error is no terminal and has no bar."""
    log = logging.getLogger("learnability")
    if not log.handlers:
        log.addHandler(Echo())
        log.setLevel(logging.INFO)


@click.group(cls=Teaching, context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.version_option(__version__)
def main() -> None:
    """Predict how well a wide neural network generalizes before it is trained, and check the prediction.

    \b
    What to try first:
      learnability select TABLE.csv --label COLUMN    which network learns it best, how well, and how sure that is
      learnability predict TABLE.csv --ridge auto     how good one network will be, and with how many more rows
      learnability predict --domain '{kind: hypercube, dim: 8}' --target '{parity: 3}'    a problem of theory
      learnability run                                the headline figures: theory against trained networks
    """


def of_problem(command: Callable) -> Callable:
    """The arguments that say what is learned: a data file, or a domain and a target."""
    for option in (
        click.option("--test", help="Another file with the same columns: errors and accuracy are those there, too."),
        click.option("--target", help="In YAML, e.g. '{parity: 3}'; of a data set '{all: null}' unless given."),
        click.option("--domain", help="In YAML, e.g. '{kind: hypercube, dim: 8}', instead of a file."),
        click.option("--scale", help="Inputs: features (each by its own spread), all (by one number) or none."),
        click.option("--groups", help="The column of what was measured repeatedly: errors are those on new groups."),
        click.option("--drop", multiple=True, help="A column that is not used; may be repeated."),
        click.option("--missing", help="What fills gaps of a table: mean, median, most_frequent or drop."),
        click.option("--encode", help="How columns of texts become numbers: one_hot."),
        click.option("--task", help="Take labels as numbers (regression) or classes (classification)."),
        click.option("--label", help="The column to predict; the last unless given."),
        click.argument("file", required=False),
    ):
        command = option(command)
    return command


@main.command()
@of_problem
@click.option("--depth", default=1, help="Hidden layers.")
@click.option("--activation", default="relu")
@click.option("--weight-std", default=2**0.5, help="Of the hidden weights, times 1/sqrt(fan_in).")
@click.option("--bias-std", default=0.1)
@click.option("--kernel", default="ntk", type=click.Choice(["ntk", "nngp"]))
@click.option("--train-size", "-n", "train_sizes", **SIZES)
@click.option("--ridge", "ridges", default=[0.0], **RIDGES)
@click.option(
    "--noise-std",
    "noise_stds",
    default=[0.0],
    type=NOT_NEGATIVE,
    **REPEATED,
    help="Of label noise; may be repeated.",
)
@click.option("--theory", default="auto", type=click.Choice(NAMES), help="The system of equations.")
@click.option(
    "--population", default="domain", type=click.Choice(["domain", "infinite"]), help="infinite: theory eigenlearning."
)
@click.option("--csv", type=click.Path(), help="Write the whole table here.")
@click.option("--json", type=click.Path(), help="The same as a list of rows.")
@click.option("--figure", type=click.Path(), help="Draw error and learnability here (.png, .pdf or .svg).")
def predict(
    file: str | None,
    domain: str | None,
    target: str | None,
    test: str | None,
    depth: int,
    activation: str,
    weight_std: float,
    bias_std: float,
    kernel: str,
    train_sizes: tuple[int, ...],
    ridges: tuple[float, ...] | Literal["auto"],
    noise_stds: tuple[float, ...],
    theory: str,
    population: str,
    csv: str | None,
    json: str | None,
    figure: str | None,
    **table_options: Any,
) -> None:
    """Predict learnability, train and test error of one architecture on FILE or on a domain.

    FILE is a table (CSV and the like, compressed or not, Parquet, Feather, Excel) or arrays x and y (.npz, .h5); what was
    understood of it is shown first. With --groups training sets are whole groups, such as all rows of a person, and errors are
    those on new ones. Training sets may be up to eight times as large as FILE: what is beyond its rows comes with
    an interval of 90 %, test_mse_low to test_mse_high. A prediction from samples is checked by regression on some; a note says
    where the two disagree. test_mse_std is how much the error scatters from one training set to the next, by 24 regressions.

    nmse is the error off the training set over the variance of the labels: 1 is that of their mean, and r2 = 1 - nmse.
    Inputs are standardised, and so are labels that are numbers. Options for tables: --label to --scale.

    Example: learnability predict prices.csv --label price -n 32 -n 128 --ridge 0.1
    """
    from functools import partial

    import pandas as pd

    from ..common.store import write_csv, write_json
    from ..curves.learning_curve import curve_of
    from ..figures import format_of
    from ..kernels.fully_connected import FullyConnected
    from ..kernels.odd import warn_of_odd
    from .problem import (
        at_sizes,
        drawn,
        needed_lines,
        predicted,
        problem,
        require_writable,
        summary,
        test_set_of,
    )
    from .sizes import curve_sizes, sizes_of

    if figure:
        format_of(figure)
    require_writable(csv, json, figure)
    space, targets = problem(file, table_options, domain, target)
    tests = test_set_of(space, test)
    sizes = sizes_of(space, train_sizes, file or str(domain))
    network = FullyConnected(depth, activation, weight_std, bias_std)
    warn_of_odd(network, next(iter(targets.values()))(*space.evaluation()))
    rows = partial(
        predicted,
        space,
        targets,
        network,
        kernel,
        ridges=ridges,
        noise_stds=noise_stds,
        theory="eigenlearning" if population == "infinite" else theory,
    )
    within, beyond = curve_sizes(space, sizes) if figure else ([], [])
    told, extrapolated = rows([*dict.fromkeys([*sizes, *beyond])], test_set=tests)
    table = at_sizes(told, sizes)
    click.echo("\n".join([summary(table), *needed_lines(space, extrapolated)]))
    if csv:
        write_csv(csv, table)
    if json:
        write_json(json, table)
    if figure:
        curve = pd.concat([rows(within, solve=curve_of)[0], at_sizes(told, beyond)])
        drawn(
            curve, table, figure, f"{file or domain}: {activation}, depth {depth}, {kernel}", by_ridge=ridges != "auto"
        )


@main.command()
@of_problem
@click.option("--depth", "depths", default=[1, 2, 4], **REPEATED, help="Hidden layers; may be repeated, as all below.")
@click.option("--activation", "activations", default=["relu", "erf", "tanh"], **REPEATED)
@click.option("--weight-std", "weight_stds", default=[2**0.5], **REPEATED)
@click.option("--bias-std", "bias_stds", default=[0.1], **REPEATED)
@click.option(
    "--modules",
    metavar="FILE.py[:NAME,...]",
    help="Rank the PyTorch modules that functions of this file build, all of them or those named; the file is run.",
    **REPEATED,
)
@click.option("--seeds", default=3, type=click.IntRange(min=1), help="Initialisations of every module.")
@click.option("--architecture", "others", help="Rank it, too; in YAML, e.g. 'smooth: {kind: gaussian}'.", **REPEATED)
@click.option("--kernel", "kernels", default=["ntk"], **REPEATED, type=click.Choice(["ntk", "nngp"]))
@click.option("--train-size", "-n", "train_sizes", **SIZES)
@click.option("--ridge", "ridges", show_default="auto on FILE, else 0", **RIDGES)
@click.option(
    "--by",
    default="error",
    type=click.Choice(["error", "accuracy", "balanced_accuracy", "log_loss"]),
    help="What to rank by; all but the error are of classes.",
)
@click.option(
    "--reach", type=float, help="List how many samples each candidate needs to reach this normalised error, 1 - R2."
)
@click.option("--r2", type=float, help="The same for this R2 off the training set: --r2 0.8 is --reach 0.2.")
@click.option(
    "--fast/--full",
    default=True,
    help="Solve for up to 4096 rows of FILE in pools as small as sizes allow, or at once.",
)
@click.option("--csv", type=click.Path(), help="Write the whole ranking here.")
@click.option("--json", type=click.Path(), help="The same as a list of rows.")
@click.pass_context
def select(
    context: click.Context,
    file: str | None,
    domain: str | None,
    target: str | None,
    test: str | None,
    depths: tuple[int, ...],
    activations: tuple[str, ...],
    weight_stds: tuple[float, ...],
    bias_stds: tuple[float, ...],
    modules: tuple[str, ...],
    seeds: int,
    others: tuple[str, ...],
    kernels: tuple[str, ...],
    train_sizes: tuple[int, ...],
    ridges: tuple[float, ...] | Literal["auto"],
    by: str,
    reach: float | None,
    r2: float | None,
    fast: bool,
    csv: str | None,
    json: str | None,
    **table_options: Any,
) -> None:
    """Rank architectures on FILE (a table, or arrays x and y) or on a domain by predicted test error; nothing is trained.

    nmse is the error off the training set over the variance of the labels: 1 is that of their mean, and r2 = 1 - nmse.
    What is repeated counts once. At most 4096 rows are used, drawn at random, and in pools: within a minute, whatever their
    number; --full solves for all 4096 at once.
    Unless ridges are given each candidate has the best one at every size of FILE. With --test candidates are ranked by their
    errors on that file.

    With --modules or --architecture dense networks are ranked beside them where --depth or another of their options is given.
    A module has a kernel per initialisation: the errors of --seeds of them are averaged, their spread is told. That takes
    longer, as progress says; --seeds 1 is enough to rank. Trained with the squared error on about a hundred samples, modules
    had errors of a rank correlation of 0.7 to 0.9 with the predicted ones; which one is best, how large its error is, and what
    cross-entropy makes of it are not promised (docs/how-to/modules.md).

    Example: learnability select prices.csv --label price -n 32 -n 128 -n 512 --ridge 0 --ridge 1 --reach 0.5
    """
    from .. import select as ranked
    from ..common.store import write_csv, write_json
    from ..kernels import architecture_from
    from ..kernels.grid import expanded
    from ..selection.selection import level_of
    from .candidates import architectures_of, modules_of
    from .problem import prediction_command, problem, ranking, require_writable, test_set_of
    from .sizes import default_ridges, sizes_of

    level = None if reach is None and r2 is None else level_of(reach, r2)
    require_writable(csv, json)
    space, targets = problem(file, table_options, domain, target)
    tests = test_set_of(space, test)
    sizes = sizes_of(space, train_sizes, file or str(domain), ranked=True, modules=bool(modules))
    ridges = ridges or default_ridges(space, sizes)
    options: dict[str, tuple] = {
        "depth": depths,
        "activation": activations,
        "weight_std": weight_stds,
        "bias_std": bias_stds,
    }
    grid = {key: list(values) if len(values) > 1 else values[0] for key, values in options.items()}
    networks = {**modules_of(modules, seeds), **architectures_of(others)}
    asked = [context.get_parameter_source(name) for name in ("depths", "activations", "weight_stds", "bias_stds")]
    if networks and all(source is ParameterSource.DEFAULT for source in asked):
        grid = {}
    entries = expanded("net", grid) if grid else {}
    networks |= {name: architecture_from(entry) for name, entry in entries.items()}
    (wanted,) = targets.values()
    selection = ranked(space, networks, wanted, sizes, ridges, kernels=kernels, by=by, fast=fast, test_set=tests)
    click.echo(ranking(selection, {key: value for key, value in grid.items() if not isinstance(value, list)}, level))
    best = selection.best().iloc[-1]
    if file and best["architecture"] in entries:
        shared = [*table_options, "target", "test"]
        beyond = prediction_command(context, shared, file, entries[best["architecture"]], best["kernel"])
        what = "with all rows, and with more of them" if space.groups is None else "on new groups, with this network"
        click.echo(f"{what}: {beyond}")
    if csv:
        write_csv(csv, selection.table)
    if json:
        write_json(json, selection.table)


@main.command()
@click.argument("config")
def validate(config: str) -> None:
    """Check a configuration file: every key, name and size; all errors that do not hide each other are listed at once."""
    from .problem import check_config
    from .workflow import use_the_library_of_the_workflow

    use_the_library_of_the_workflow("validate", config)
    for remark in check_config(config):
        click.echo(f"note: {remark}")
    click.echo(f"{config}: no errors")


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option("--rows", default=5, help="Rows of a table to show.")
def show(file: str, rows: int) -> None:
    """What is in a result file: what made it, its arrays, the first rows of its table."""
    from .show import described

    click.echo(described(file, rows))


class Forwarding(click.Command):
    """A command that hands its arguments on as they are, `--` included; alone, -h and --help are its own."""

    def parse_args(self, context: click.Context, arguments: list[str]) -> list[str]:
        if arguments in (["-h"], ["--help"]):
            return super().parse_args(context, arguments)
        context.params["arguments"] = tuple(arguments)
        return []


@main.command(cls=Forwarding)
@click.argument("arguments", metavar="[CONFIG.yaml]... [OPTIONS AND TARGETS OF SNAKEMAKE]...", nargs=-1)
def run(arguments: tuple[str, ...]) -> None:
    """Run the workflow: snakemake on the Snakefile of this checkout, with results in the current folder.

    Of several configurations later ones win, key by key; without one, the two headline figures are drawn. `snakemake --help`
    lists its options.

    Example: learnability run my_study.yaml --dry-run
    """
    from .workflow import become_snakemake, use_the_library_of_the_workflow

    use_the_library_of_the_workflow("run", *arguments)
    become_snakemake(arguments)
