"""Estimators from training data alone beside the error that they estimate, and kappa beside its theory."""

from matplotlib import rc_context
from matplotlib.lines import Line2D

from .style import SETTINGS, colours, panels

ESTIMATES = {
    "test_mse_off_train": ("measured off the training set", "o", 1.0),
    "leave-one-out": ("leave-one-out", "s", 0.96),
    "gcv": ("GCV (KARE)", "D", 1.04),
}
TOLD_APART = ("ridge", "train_size")


def draw(table, title=None):
    """Two panels against n: the error by each estimator, and kappa; one colour per ridge, means and standard errors.

    The standard error of an estimator is that of its difference to the measured error.
    """
    with rc_context(SETTINGS):
        palette = colours(sorted(table["ridge"].unique()))
        figure, axes = panels(2, height=2.7)
        for ridge, colour in palette.items():
            rows = table[table["ridge"] == ridge]
            error = rows[rows["measure"] == "test_mse_off_train"].sort_values("train_size", kind="stable")
            axes[0].plot(error["train_size"], error["theory"], color=colour, linewidth=0.9)
            for measure, (_, marker, shift) in ESTIMATES.items():
                _points(axes[0], rows[rows["measure"] == measure], marker, colour, shift)
            kappa = rows[rows["measure"] == "kappa"].sort_values("train_size", kind="stable")
            axes[1].plot(kappa["train_size"], kappa["theory"], color=colour)
            _points(axes[1], kappa, "o", colour, 1.0)
        axes[0].set(xscale="log", yscale="log", xlabel="training samples $n$", ylabel=r"test error $\mathcal{E}$")
        axes[1].set(xscale="log", yscale="log", xlabel="training samples $n$", ylabel=r"1/Tr $A^{-1}$")
        sizes = sorted(table["train_size"].unique().astype(int))
        for axis in axes:
            axis.set_xticks(sizes, [str(n) for n in sizes])
            axis.xaxis.minorticks_off()
        handles = [
            Line2D([], [], color="0.3", linestyle="", marker=marker, markerfacecolor="white", markersize=4, label=name)
            for name, marker, _ in ESTIMATES.values()
        ]
        handles.append(Line2D([], [], color="0.3", label="theory"))
        handles += [Line2D([], [], color=colour, label=f"ridge δ = {ridge:g}") for ridge, colour in palette.items()]
        figure.legend(handles=handles, loc="outside upper center", ncols=3, title=title)
        return figure


def _points(axis, rows, marker, colour, shift):
    axis.errorbar(
        rows["train_size"] * shift, rows["mean"], rows["standard_error"], fmt=marker, color=colour, markersize=3.4,
        markerfacecolor="white", markeredgewidth=0.8, elinewidth=0.7, capsize=1.5,
    )  # fmt: skip
