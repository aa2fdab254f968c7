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
    first = rows[(rows["source"] == "kernel") & (rows["measure"] == "test_mse")].iloc[0]
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
