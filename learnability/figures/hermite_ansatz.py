"""The ansatz from data statistics: eigenvalues against rank, and learning curves, one colour for each data set or kernel."""

from matplotlib import rc_context
from matplotlib.lines import Line2D

from .style import MARKERS, SETTINGS, colours, panels

PANELS = {
    "eigenvalue": ("rank", "rank of the mode", r"eigenvalue $\lambda$"),
    "test_mse": ("train_size", "training-set size $n$", r"test error / power"),
}
CURVES = {"theory": {"linestyle": "-"}, "paper": {"linestyle": "--", "linewidth": 0.7}}


def told_apart(group: str = "architecture", panel: str = "domain", **_) -> set:
    """Columns of which the figure shows several values without mixing them."""
    return {"train_size", group, panel}


def draw(table, group="architecture", panel="domain", title=None):
    """One row for each value of `panel`, with eigenvalues on the left and test errors on the right.

    Parameters
    ----------
    table : DataFrame of `learnability.experiments.hermite_ansatz`
    group : str
        Column whose values get colours.
    panel : str
        Column whose values get rows.
    """
    with rc_context(SETTINGS):
        table = table.assign(**{name: "" for name in (group, panel) if name not in table})
        palette, rows = colours(table[group].unique()), table[panel].unique()
        figure, axes = panels(2, len(rows), height=2.3)
        for number, row in enumerate(rows):
            for axis, (measure, (x, xlabel, ylabel)) in zip(axes[2 * number :], PANELS.items(), strict=False):
                shown = table[(table["measure"] == measure) & (table[panel] == row)]
                for value, colour in palette.items():
                    _curves(axis, shown[shown[group] == value], x, colour)
                measured = shown.loc[shown["source"] == "kernel", "mean"]
                axis.set(xscale="log", yscale="log", ylabel=ylabel, title=row)
                axis.set_ylim(measured.min() / 2, measured.max() * 2)
                if x == "train_size":
                    sizes = sorted(shown.loc[shown["source"] == "kernel", x].unique())
                    axis.set_xticks(sizes, [f"{n:g}" for n in sizes])
                    axis.xaxis.minorticks_off()
                if number == len(rows) - 1:
                    axis.set_xlabel(xlabel)
        handles = [Line2D([], [], color=colour, label=value) for value, colour in palette.items() if value]
        handles += [
            Line2D(
                [], [], color="0.3", linestyle="", marker="o", markerfacecolor="white", markersize=4, label="kernel"
            ),
            Line2D([], [], color="0.3", label="from statistics, modes mixed", **CURVES["theory"]),
            Line2D([], [], color="0.3", label="as published", **CURVES["paper"]),
        ]
        figure.legend(handles=handles, loc="outside upper center", ncols=min(len(handles), 4), title=title)
        return figure


def _curves(axis, rows, x, colour):
    for source, style in CURVES.items():
        part = rows[rows["source"] == source].sort_values(x, kind="stable")
        axis.plot(part[x], part["mean"], color=colour, **style)
    found = rows[rows["source"] == "kernel"]
    axis.errorbar(
        found[x], found["mean"], found.get("standard_error"), fmt=MARKERS["kernel"], color=colour,
        markerfacecolor="white", markersize=3, markeredgewidth=0.7, elinewidth=0.7, capsize=1.5, zorder=3,
    )  # fmt: skip
