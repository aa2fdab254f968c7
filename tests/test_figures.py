import itertools

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from learnability.figures import drawing, save
from learnability.figures.style import scale_of
from learnability.tables.agreement import agreement
from learnability.tables.joined import joined


def study(targets, sizes, converged=True):
    rng = np.random.default_rng(0)
    keys = [(t, float(n), s) for t in targets for n in sizes for s in range(3)]
    frame = pd.DataFrame(keys, columns=["target", "train_size", "seed"]).assign(ridge=0.0, noise_std=0.0)
    for measure in ("learnability", "train_mse", "test_mse", "test_mse_off_train", "accuracy"):
        frame[measure] = rng.uniform(0.4, 0.6, len(frame))
    theory = frame[frame["seed"] == 0].drop(columns="seed").assign(target_variance=0.5)
    common = {"architecture": "net"}
    return joined(
        [
            (theory, {"source": "theory", **common}),
            (frame, {"source": "kernel", **common}),
            (frame.assign(converged=converged), {"source": "network", "width": 16, **common}),
        ]
    )


STUDY_FIGURES = {
    "learning_curves": {},
    "conservation": {},
    "comparison": {"x": "train_size", "group": "target"},
    "small_n": {},
    "universal": {},
    "width_sweep": {},
}


@pytest.mark.parametrize("kind", STUDY_FIGURES)
def test_every_figure_of_a_study_draws_and_saves_the_same_bytes(kind, tmp_path):
    table = study(["cosine 0", "cosine 1", "sine 1"], [0, 0.1, 0.2, 2, 4] if kind == "small_n" else [2, 4])
    if kind == "width_sweep":
        wider = table[table["source"] == "network"].assign(width=32, learnability=0.55)
        table = pd.concat([table, wider], ignore_index=True)
    saved = []
    for name in ("first", "again"):
        paths = [tmp_path / f"{name}.{form}" for form in ("pdf", "svg", "png")]
        save(drawing(kind)(table, **STUDY_FIGURES[kind]), *paths)
        saved.append([path.read_bytes() for path in paths])
    assert saved[0] == saved[1] and all(len(content) > 1000 for content in saved[0])


def test_agreement_leaves_out_networks_that_did_not_converge_and_counts_them():
    table = study(["f"], [2, 4], converged=[True, True, False] * 2)
    rows = agreement(table)
    counts = rows[rows["measure"] == "test_mse"].set_index(["source", "train_size"])["functions"]
    assert counts["kernel", 2.0] == 3 and counts["network", 2.0] == 2
    assert rows["z"].isna().all() and rows["relative"].notna().any()  # three functions tell no standard error
    seeds = pd.concat(
        [table.assign(seed=table["seed"] + shift, test_mse=table["test_mse"] * (1 + shift)) for shift in (0, 10)]
    )
    first = agreement(seeds).query("source == 'kernel' and measure == 'test_mse'").iloc[0]
    assert first["functions"] == 6
    assert first["z"] == pytest.approx((first["mean"] - first["theory"]) / first["standard_error"])


def test_agreement_of_experiments():
    theory_only = pd.DataFrame({"source": ["theory"], "measure": ["test_mse"], "mean": [0.1]})
    assert len(agreement(theory_only)) == 0
    rows = {"source": ["kernel", "theory"], "measure": "kappa", "train_size": 4, "functions": 9.0}
    table = pd.DataFrame({**rows, "mean": [1.2, 1.0], "standard_error": [0.1, np.nan], "theory": [1.0, np.nan]})
    found = agreement(table)
    assert len(found) == 1 and found["z"][0] == pytest.approx(2) and found["relative"][0] == pytest.approx(0.2)


def test_estimators_stand_beside_what_they_estimate():
    keys = [
        (m, n, r) for m in ("test_mse_off_train", "leave-one-out", "gcv", "kappa") for n in (4, 8) for r in (0.0, 1.0)
    ]
    table = pd.DataFrame(keys, columns=["measure", "train_size", "ridge"])
    figure = drawing("estimators")(table.assign(mean=0.5, standard_error=0.1, theory=0.4))
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert {"leave-one-out", "GCV (KARE)", "ridge δ = 0", "ridge δ = 1"} <= set(labels)


def test_a_misspelt_measure_is_an_error():
    with pytest.raises(ValueError, match="unknown measure 'test_msee'; did you mean 'test_mse'"):
        drawing("comparison")(study(["f"], [2, 4]), x="train_size", measures=["test_msee"])


def test_figures_tell_how_many_networks_they_leave_out():
    table = study(["f"], [2, 4], converged=[True, True, False] * 2)
    for kind, options in (("learning_curves", {}), ("comparison", {"x": "train_size", "measures": ["test_mse"]})):
        labels = [text.get_text() for text in drawing(kind)(table, **options).legends[0].get_texts()]
        assert "2 of 6 did not converge: not shown" in labels


def test_unknown_kind():
    with pytest.raises(ValueError, match="did you mean 'conservation'"):
        drawing("conservaton")


def many_curves(names):
    rows = [
        {"source": source, "architecture": name, "train_size": n, "measure": measure, "mean": value, "spread": 0.0}
        for number, name in enumerate(names)
        for source in ("theory", "kernel")
        for n in (4, 16, 64)
        for measure, value in (
            ("nmse", (number + 1) / n),
            ("r2", 0.01 * n),
            ("kappa", 2.0 + n / 64),
            ("train_mse", 1e-30 * n),
        )
    ]
    return pd.DataFrame(rows)


def test_axes_are_logarithmic_where_what_is_measured_spans_a_decade():
    measures = ["nmse", "r2", "kappa", "train_mse"]
    draw = drawing("comparison")
    figure = draw(many_curves("ab"), x="train_size", group="architecture", measures=measures)
    assert [axis.get_yscale() for axis in figure.axes[:4]] == ["log", "linear", "linear", "log"]
    assert {axis.get_xscale() for axis in figure.axes[:4]} == {"log"}
    figure = draw(
        many_curves("ab"), x="train_size", group="architecture", measures=measures, xscale="linear", yscale="linear"
    )
    assert (
        {axis.get_yscale() for axis in figure.axes[:4]} == {axis.get_xscale() for axis in figure.axes[:4]} == {"linear"}
    )
    assert scale_of([0.0, 1e-17, 1.0, 5.0]) == "linear" and scale_of([-1.0, 100.0]) == "linear"


def test_many_curves_are_named_at_their_ends_and_apart():
    few, many = (
        drawing("comparison")(many_curves(names), x="train_size", group="architecture", measures=["nmse"])
        for names in (["one", "two"], [f"curve {number}" for number in range(10)])
    )
    assert [text.get_text() for text in few.legends[0].get_texts()][:2] == ["one", "two"] and not few.axes[0].texts
    named = {text.get_text() for text in many.legends[0].get_texts()}
    assert not any(name.startswith("curve") for name in named)
    texts = many.axes[0].texts
    FigureCanvasAgg(many).draw()
    boxes = sorted((Text.get_window_extent(text) for text in texts), key=lambda box: box.y0)
    assert [text.get_text() for text in sorted(texts, key=lambda text: text.xyann[1])] == [
        f"curve {k}" for k in range(10)
    ]
    assert all(below.y1 <= above.y0 + 2 for below, above in zip(boxes, boxes[1:])), "names lie on each other"
    assert all(box.x0 >= 0 and box.x1 <= many.bbox.x1 for box in boxes), "names are cut off"


def test_a_group_that_is_not_compared_takes_no_room():
    """Its empty line once lay at the figure's corner, and the panels shrank to make room for it."""
    cells = itertools.product(
        ("kernel", "theory", "paper"), (("test_mse", 1e3), ("train_mse", 1.0)), (1e-5, 1.0), (32, 250)
    )
    rows = [
        {
            "source": source,
            "measure": measure,
            "ridge": ridge,
            "train_size": n,
            "mean": scale * ridge / n,
            "standard_error": 0.0,
        }
        for source, (measure, scale), ridge, n in cells
    ]
    table = pd.DataFrame(rows).assign(theory=lambda t: t["mean"], paper=lambda t: t["mean"])
    figure = drawing("corrections")(table, group="ridge")
    figure.draw_without_rendering()
    assert min(axis.get_position().width for axis in figure.axes) > 0.3


@pytest.fixture(scope="module")
def two_widths():
    table = study(["cosine 0", "cosine 1"], [2, 4])
    curve = table[table["source"] == "theory"].iloc[[0]]
    between = [
        curve.assign(target=target, train_size=n) for target in ("cosine 0", "cosine 1") for n in (2.5, 3.0, 3.5)
    ]
    wider = table[table["source"] == "network"].assign(width=32)
    return pd.concat([table, wider, *between], ignore_index=True)


def lines_in(axis):
    """How many lines and groups of points of how many places an axis shows, by colour."""
    drawn = [(line.get_color(), len(line.get_xdata())) for line in axis.lines if len(line.get_xdata())]
    return sorted((str(colour), places) for colour, places in drawn)


def test_theory_and_kernel_regression_stand_beside_the_networks_of_every_width(two_widths):
    draw = drawing("comparison")
    options = {"measures": ["learnability"], "select": {"target": "cosine 0"}}
    figure = draw(two_widths, x="train_size", group="width", **options)
    grey = [places for colour, places in lines_in(figure.axes[0]) if colour == "0.3"]
    assert {2, 5} <= set(grey), "kernel regression at two sizes, the theory at five"
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels[:2] == ["width 16", "width 32"] and not any("nan" in label for label in labels)
    figure = draw(two_widths, x="train_size", panel="width", group="target", measures=["learnability"])
    first, second = (lines_in(axis) for axis in figure.axes)
    assert first == second and [axis.get_title() for axis in figure.axes] == ["width 16", "width 32"]
    options["select"] = {"target": "cosine 0", "train_size": 4}
    figure = draw(two_widths, x="width", **options)
    places = [sorted(line.get_xdata()) for line in figure.axes[0].lines if len(line.get_xdata()) == 2]
    assert places.count([16, 32]) >= 3, "theory, kernel regression and networks at both widths"


def test_curves_are_drawn_at_the_sizes_that_were_measured_where_these_are_groups_or_panels(two_widths):
    options = {"x": "width", "measures": ["learnability"]}
    figure = drawing("comparison")(two_widths, group="train_size", panel="target", **options)
    assert [text.get_text() for text in figure.legends[0].get_texts()][:2] == ["$n=$2", "$n=$4"]
    figure = drawing("comparison")(two_widths, group="target", panel="train_size", **options)
    assert [axis.get_title() for axis in figure.axes] == ["$n=$2", "$n=$4"]


def test_a_figure_without_rows_says_so(two_widths):
    with pytest.raises(ValueError, match="nothing to draw"):
        drawing("comparison")(two_widths, x="train_size", measures=["nmse"], select={"ridge": 3.0})


def test_a_selection_on_several_domains_has_a_row_of_panels_for_each():
    keys = {"measure": "test_mse_off_train", "source": "kernel", "activation": "relu", "standard_error": 0.01}
    rows = [
        {**keys, "domain": domain, "train_size": n, "mean": error, "theory": error}
        for domain, error in (("one", 0.2), ("two", 0.7))
        for n in (4, 8)
    ]
    axes = drawing("select")(pd.DataFrame(rows)).axes
    assert [axis.get_title() for axis in axes] == ["one $n=4$", "one $n=8$", "two $n=4$", "two $n=8$"]


def test_modules_are_rows_and_logits_have_no_panel_of_squared_errors():
    rows = []
    for module, error in (("worse", 0.4), ("better", 0.1)):
        theory = {"architecture": module, "source": "theory", "training": None}
        rows += [{**theory, "measure": "test_mse_off_train", "mean": error}]
        rows += [{**theory, "measure": "accuracy_off_train", "mean": 1 - error}]
        for training in ("cross-entropy", "SGD"):
            of_way = {"architecture": module, "source": "network", "training": training}
            if training == "SGD":
                rows += [{**of_way, "measure": "test_mse_off_train", "mean": 1.1 * error}]
            rows += [{**of_way, "measure": "accuracy_off_train", "mean": 1 - error / 2}]
            rows += [{**of_way, "measure": "change of the kernel", "mean": error}]
            rows += [{**of_way, "measure": "converged", "mean": 1.0}]
    figure = drawing("modules")(pd.DataFrame(rows).assign(spread=0.01))
    titles = [axis.get_title().splitlines() for axis in figure.axes[:4]]
    assert titles == [
        ["SGD", "rank correlation 1.00"],
        [],
        *([way, "rank correlation 1.00"] for way in ("SGD", "cross-entropy")),
    ]
    assert not figure.axes[1].axison
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["worse", "better"]
