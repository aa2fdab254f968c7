import numpy as np
import pandas as pd
import pytest

from learnability.figures import FIGURES, drawing, save
from learnability.tables.agreement import agreement
from learnability.tables.joined import joined


def study(targets, sizes, converged=True):
    rng = np.random.default_rng(0)
    keys = [(t, float(n), s) for t in targets for n in sizes for s in range(3)]
    frame = pd.DataFrame(keys, columns=["target", "train_size", "seed"]).assign(ridge=0.0, noise_std=0.0)
    for measure in ("learnability", "train_mse", "test_mse", "test_mse_off_train", "accuracy"):
        frame[measure] = rng.uniform(0.4, 0.6, len(frame))
    theory = frame[frame["seed"] == 0].drop(columns="seed")
    common = {"architecture": "net"}
    return joined(
        [
            (theory, {"source": "theory", **common}),
            (frame, {"source": "kernel", **common}),
            (frame.assign(converged=converged), {"source": "network", "width": 16, **common}),
        ]
    )


def test_every_kind_draws_and_saves(tmp_path):
    table = study(["cosine 0", "cosine 1", "sine 1"], [2, 4])
    for kind in ("learning_curves", "conservation"):
        paths = [tmp_path / f"{kind}.{form}" for form in ("pdf", "svg", "png")]
        save(drawing(kind)(table), *paths)
        assert all(path.stat().st_size > 1000 for path in paths)
        again = [tmp_path / f"again.{form}" for form in ("pdf", "svg", "png")]
        save(drawing(kind)(table), *again)
        assert all(a.read_bytes() == b.read_bytes() for a, b in zip(paths, again, strict=True))
    assert set(FIGURES) >= {"learning_curves", "conservation"}


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
