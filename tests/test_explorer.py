"""The explorer page in headless Chromium: what it draws are the table's means, and it asks no network for anything."""

import json

import numpy as np
import pandas as pd
import pytest

from learnability.explorer.page import curves, page, thinned

MEASURES = (
    "learnability",
    "train_mse",
    "test_mse",
    "test_mse_off_train",
    "nmse",
    "r2",
    "accuracy",
    "accuracy_off_train",
)


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    rows = []
    for target in ("parity 1", "parity 2"):
        for n in (2, 8, 32):
            keys = {"architecture": "relu", "target": target, "ridge": 0.0, "noise_std": 0.0, "train_size": n}
            rows.append({"source": "theory", **keys, **dict.fromkeys(MEASURES, 1 / n)})
            for source, width in (("kernel", np.nan), ("network", 50.0), ("network", 500.0)):
                for seed in range(4):
                    values = dict(zip(MEASURES, 1 / n + 0.1 * rng.standard_normal(len(MEASURES))))
                    rows.append({"source": source, "width": width, "seed": seed, **keys, **values, "converged": None})
    return pd.DataFrame(rows)


@pytest.fixture
def opened(browser, table, tmp_path):
    """The page, with what it said on the console and what it asked the network for."""
    path = tmp_path / "explorer.html"
    path.write_text(page({"first": table, "second": table[table["target"] == "parity 2"]}), encoding="utf-8")
    tab = browser.new_page(viewport={"width": 1280, "height": 800}, accept_downloads=True)
    said, asked = [], []
    tab.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("request", lambda request: asked.append(request.url) if request.url.startswith("http") else None)
    tab.goto(path.as_uri())
    tab.wait_for_selector("#plot .main-svg")
    yield tab
    assert said == [] and asked == []
    tab.close()


def drawn(tab):
    script = "() => document.getElementById('plot').data.map(t => ({name: t.name, x: [...t.x], y: [...t.y]}))"
    return {trace["name"]: trace for trace in tab.evaluate(script)}


@pytest.mark.xdist_group("browser")
def test_what_is_drawn_are_the_means_of_the_table(opened, table):
    opened.select_option("#target", "parity 2")
    opened.select_option("#measure", "test_mse")
    traces = drawn(opened)
    assert set(traces) == {"theory", "kernel regression", "trained networks, width 50", "trained networks, width 500"}
    part = table[(table["target"] == "parity 2") & (table["width"] == 500)]
    expected = part.groupby("train_size")["test_mse"].mean()
    found = traces["trained networks, width 500"]
    assert found["x"] == expected.index.tolist() and np.allclose(found["y"], expected, rtol=1e-4)
    assert traces["theory"]["y"] == [1 / 2, 1 / 8, 1 / 32]
    assert opened.locator("#plot .scatterlayer .trace").count() == 4
    opened.select_option("#study", "second")
    assert not opened.locator("#target").is_visible(), "a choice of one is no choice"


@pytest.mark.xdist_group("browser")
def test_downloads_are_what_is_shown(opened, tmp_path):
    opened.select_option("#measure", "accuracy")
    with opened.expect_download() as download:
        opened.click("#csv")
    shown = pd.read_csv(download.value.path())
    assert set(shown["measure"]) == {"accuracy"} and len(shown) == 3 * 4
    with opened.expect_download() as download:
        opened.click("#svg")
    assert "<svg" in download.value.path().read_text(encoding="utf-8")[:300]
    opened.check("#logy")
    assert opened.evaluate("() => document.getElementById('plot').layout.yaxis.type") == "log"


@pytest.mark.xdist_group("browser")
def test_the_link_leads_to_the_table_of_the_study(opened, table, tmp_path):
    (tmp_path / "studies").mkdir()
    table.to_csv(tmp_path / "studies" / "second.csv", index=False)
    opened.select_option("#study", "second")
    with opened.expect_download() as download:
        opened.click("#rows")
    assert len(pd.read_csv(download.value.path())) == len(table)


def test_the_page_holds_strict_json(table):
    text = page({"a</script>": table})
    data = json.loads(text.split('type="application/json">')[1].split("</script>")[0])
    study = data["studies"]["a</script>"]
    assert study["sizes"] == [[2, 8, 32]] and len(study["curves"]) == len(MEASURES) * 2 * 4


def test_a_fine_curve_keeps_its_measured_sizes_and_its_shape():
    fine = np.unique([*np.linspace(0, 256, 200), *np.geomspace(0.1, 256, 200), 3.0, 128.0])
    drawn = fine[thinned(fine, {3.0, 128.0})]
    assert {3.0, 128.0, 256.0} <= {*drawn} and len(drawn) <= 66
    rows = fine >= drawn[0]
    falling = 1 / (1 + fine[rows] / 20) ** 2
    assert np.abs(np.interp(fine[rows], drawn, 1 / (1 + drawn / 20) ** 2) - falling).max() < 2e-3


def test_two_studies_of_the_headline_figures_size_take_less_than_half_a_megabyte():
    sizes = np.unique([*np.linspace(0, 6, 200), *np.geomspace(0.1, 6, 200)])
    cases = [(a, t) for a in ("relu1", "relu4", "tanh1", "tanh4") for t in range(11)]
    rows = [pd.DataFrame({"train_size": sizes, "architecture": a, "target": f"target {t}"}) for a, t in cases]
    table = pd.concat(rows, ignore_index=True).assign(
        source="theory", width=np.nan, seed=np.nan, ridge=0.0, noise_std=0.0
    )
    values = np.random.default_rng(0).random((len(table), len(MEASURES)))
    table = pd.concat([table, pd.DataFrame(values, columns=MEASURES)], axis=1)
    assert len(json.dumps(curves(table), separators=(",", ":"))) < 500_000
