"""The page "predict" in headless Chromium: its JavaScript says what the library says, and keyboard and address work."""

import json
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pytest

import learnability as lb
from learnability.domains.samples import DataSet
from learnability.explorer import digits
from learnability.explorer.predict import page

pytestmark = pytest.mark.xdist_group("browser")

NETWORKS = [
    {"depth": 4, "activation": "relu", "weight_std": 1.4, "bias_std": 0.1},
    {"depth": 1, "activation": "erf", "weight_std": 2.0, "bias_std": 0.0},
    {"depth": 2, "activation": "gelu", "weight_std": 1.4, "bias_std": 0.5},
    {"depth": 3, "activation": "sin", "weight_std": 1.0, "bias_std": 0.2},
    {"depth": 1, "activation": "gaussian", "weight_std": 0.7, "bias_std": 1.3},
    {"depth": 2, "activation": "abs", "weight_std": 1.0, "bias_std": 0.1},
    {"depth": 6, "activation": "leaky_relu", "weight_std": 1.3, "bias_std": 0.4},
    {"depth": 0, "activation": "identity", "weight_std": 1.4, "bias_std": 0.1},
]
# domain, network, training samples, ridge, noise
SETTINGS = [
    ({"domain": "hypercube", "dim": 8, "k": 3}, 0, 64, 0.0, 0.0),
    ({"domain": "hypercube", "dim": 8, "k": 1}, 1, 200, 0.1, 0.3),
    ({"domain": "hypercube", "dim": 8, "k": 2}, 5, 256, 0.0, 0.5),
    ({"domain": "hypercube", "dim": 12, "k": 2}, 2, 3000, 1e-3, 0.0),
    ({"domain": "hypercube", "dim": 15, "k": 1}, 1, 10_000, 0.0, 0.1),
    ({"domain": "hypercube", "dim": 3, "k": 0}, 6, 5, 0.0, 0.0),
    ({"domain": "hypercube", "dim": 6, "k": 1}, 7, 40, 0.0, 0.2),
    ({"domain": "circle", "points": 64, "k": 2}, 0, 16, 0.0, 0.0),
    ({"domain": "circle", "points": 10, "k": 5}, 4, 6, 0.0, 0.1),
    ({"domain": "circle", "points": 1024, "k": 7}, 6, 100, 1e-2, 0.5),
    ({"domain": "circle", "points": 1024, "k": 3}, 3, 500, 0.0, 0.0),
    ({"domain": "circle", "points": 48, "k": 1}, 0, 48, 0.0, 0.3),
    ({"domain": "sphere", "sphere_dim": 8, "k": 2}, 0, 256, 0.0, 0.0),
    ({"domain": "sphere", "sphere_dim": 3, "k": 5}, 5, 2000, 1e-3, 0.2),
    ({"domain": "sphere", "sphere_dim": 25, "k": 1}, 2, 100, 1.0, 0.1),
    ({"domain": "sphere", "sphere_dim": 100, "k": 3}, 3, 100_000, 0.0, 0.0),
    ({"domain": "sphere", "sphere_dim": 5, "k": 1}, 7, 20, 0.0, 0.5),
    ({"domain": "sphere", "sphere_dim": 5, "k": 2}, 1, 1000, 0.0, 0.5),
]
ON_DIGITS = [
    ({"domain": "digits", "labels": "digit"}, 0, 100, 0.0, 0.0),
    ({"domain": "digits", "labels": "even"}, 0, 1000, 1e-2, 0.3),
    ({"domain": "digits", "labels": "digit"}, 0, 1790, 0.0, 0.1),
    ({"domain": "digits", "labels": "even"}, 0, 1797, 0.0, 0.0),
]
MEASURES = ("learnability", "test_mse_off_train", "test_mse", "train_mse", "kappa")


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "predict.html"
    path.write_text(page(), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def tab(browser, path):
    """The page, which must say nothing on the console and ask no network for anything."""
    tab = browser.new_page(viewport={"width": 1280, "height": 800})
    said, asked = [], []
    tab.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("request", lambda request: asked.append(request.url) if not request.url.startswith("file:") else None)
    tab.goto(path.as_uri())
    yield tab
    assert said == [] and asked == []
    tab.close()


def open_at(tab, **state):
    """Give the page an address, and wait until it has drawn what it says."""
    tab.evaluate(
        "hash => new Promise(done => { addEventListener('hashchange', () => done(), {once: true}); location.hash = hash; })",
        urlencode(state) + f"&visit={np.random.default_rng().integers(1 << 40)}",
    )


def answers(tab):
    values = tab.evaluate(
        "() => Object.fromEntries([...document.querySelectorAll('dd')].map(d => [d.id, d.dataset.value]))"
    )
    return {name: float(value) for name, value in values.items()}


def compared(tab, state, network, spectrum, target, population, n, ridge, noise):
    open_at(tab, **state, **network, ridge=ridge, noise_std=noise, n=n)
    theory = lb.predict(spectrum, target, n, ridge, noise, population=population)
    shown = answers(tab)
    for measure in MEASURES:
        expected = getattr(theory, measure)
        if expected is None:
            expected = theory.test_mse  # a training set of an infinite population has measure zero
        if np.ndim(expected):  # outputs, as `learning_curve` averages them
            weights = theory.power.sum(0) if measure == "learnability" else None
            expected = np.average(expected, weights=weights)
        assert np.isclose(shown[measure], expected, rtol=1e-6, atol=1e-12), (measure, shown[measure], expected)


@pytest.mark.parametrize(("state", "number", "n", "ridge", "noise"), SETTINGS)
def test_the_page_says_what_predict_says(tab, state, number, n, ridge, noise):
    network, k = NETWORKS[number], state["k"]
    if state["domain"] == "hypercube":
        domain = lb.Hypercube(state["dim"])
        target = domain.parity(k)
    elif state["domain"] == "circle":
        domain = lb.Circle(state["points"])
        target = domain.cosine(k)
    else:
        domain = lb.Hypersphere(state["sphere_dim"])
        target = domain.harmonic(k)
    spectrum = domain.spectrum(lb.FullyConnected(**network))
    compared(tab, state, network, spectrum, target, domain.size, n, ridge, noise)


@pytest.mark.parametrize("domain", ["hypercube", "circle", "sphere"])
def test_the_python_that_it_shows_gives_its_numbers(tab, domain):
    open_at(tab, domain=domain, depth=1, activation="gelu", ridge=0.5, noise_std=0.1, n=50, k=1)
    names = {}
    exec(tab.text_content("#python").replace("print(", "prediction = ("), names)
    assert np.isclose(answers(tab)["test_mse"], names["prediction"].test_mse, rtol=1e-6)


@pytest.mark.slow
def test_on_the_digits_the_page_says_what_predict_says(tab):
    """Of one network: the page's table is that of `digits.quadrature`, and says what the spectrum of 1797 modes says."""
    domain, network = DataSet(name="digits"), NETWORKS[0]
    spectrum = domain.spectrum(lb.FullyConnected(**network))
    targets = {"digit": domain.all(), "even": domain.target(digits.even(domain))}
    for state, _, n, ridge, noise in ON_DIGITS:
        compared(tab, state, network, spectrum, targets[state["labels"]], domain.size, n, ridge, noise)
        made = tab.text_content("#python").split("network =")[0]
        names = {}
        exec(made, names)
        assert np.array_equal(names["target"].values, targets[state["labels"]].values)


def test_the_table_of_digits_holds_the_grid(path):
    table = json.loads(path.read_text(encoding="utf-8").split('type="application/json">')[1].split("</script>")[0])[
        "digits"
    ]
    assert {name: table[name] for name in digits.GRID} == digits.GRID and table["local"] == digits.local_nodes()
    assert [*table["spectra"]] == [digits.key(network) for network in digits.networks()]
    assert path.stat().st_size < 1_000_000


@pytest.mark.parametrize("domain", ["hypercube", "circle", "sphere", "digits"])
@pytest.mark.parametrize("ridge", [0.0, 0.5])
def test_bars_sum_to_n(tab, domain, ridge):
    open_at(tab, domain=domain, ridge=ridge)
    bars = tab.evaluate(
        "() => [...document.querySelectorAll('.bar')].map(bar => "
        "[Number(bar.dataset.n), [...bar.querySelectorAll('rect')].map(part => Number(part.dataset.part))])"
    )
    assert len(bars) > 10
    for n, parts in bars:
        assert min(parts) > -1e-9 * n and np.isclose(sum(parts), n, rtol=1e-9)
        assert (parts[-1] > 1e-9 * n) == (ridge > 0)


def test_the_address_restores_the_state(tab, browser, path):
    open_at(
        tab, domain="circle", points=96, k=3, depth=2, activation="erf", bias_std=0.35, ridge=0.25, noise_std=0.1, n=20
    )
    tab.fill("#weight_std-number", "1.73")
    tab.press("#weight_std-number", "Tab")
    again = browser.new_page()
    again.goto(tab.url)
    assert answers(again) == answers(tab)
    assert again.input_value("#weight_std-number") == "1.73" and again.input_value("#points-number") == "96"
    again.goto(path.as_uri() + "#domain=nothing&depth=many&n=-5&weight_std=1e9&ridge=")
    again.reload()
    assert again.input_value("#domain") == "hypercube" and again.input_value("#n-number") == "1"
    assert all(np.isfinite(value) for value in answers(again).values())
    again.close()


def test_the_keyboard_reaches_and_moves_every_control(tab):
    open_at(tab, domain="sphere")
    tab.evaluate("() => document.activeElement.blur()")
    reached = []
    for _ in range(30):
        tab.keyboard.press("Tab")
        reached.append(tab.evaluate("() => document.activeElement.id"))
    fields = tab.evaluate(
        "() => [...document.querySelectorAll('input, select, button')].filter(f => f.offsetParent).map(f => f.id)"
    )
    assert set(fields) <= set(reached)
    unnamed = tab.evaluate(
        "() => [...document.querySelectorAll('input, select')].filter(f => !f.labels.length && !f.ariaLabel).map(f => f.id)"
    )
    assert unnamed == []
    before = answers(tab)["learnability"]
    tab.focus("#n")
    for _ in range(10):
        tab.keyboard.press("ArrowRight")
    tab.wait_for_function(
        "before => Number(document.getElementById('learnability').dataset.value) > before", arg=before
    )
    assert "learnability of the target is" in tab.inner_text("#summary") and "n=" in tab.url


def test_every_stop_of_a_slider_on_the_digits_is_one_of_the_table(tab):
    open_at(tab, domain="digits")
    for name, values in digits.GRID.items():
        if name == "activation":
            continue
        tab.focus(f"#{name}")
        tab.keyboard.press("Home")
        seen = [float(tab.input_value(f"#{name}-number"))]
        for _ in values[1:]:
            tab.keyboard.press("ArrowRight")
            seen.append(float(tab.input_value(f"#{name}-number")))
        assert seen == values


def test_a_telephone_shows_all_of_it(browser, path):
    phone = browser.new_page(viewport={"width": 360, "height": 740})
    for domain in ("hypercube", "sphere", "digits"):
        phone.goto(path.as_uri() + f"#domain={domain}")
        phone.reload()
        assert phone.evaluate("() => document.documentElement.scrollWidth") == 360
        wide = "() => Math.max(...[...document.querySelectorAll('svg')].map(s => s.getBoundingClientRect().right))"
        assert phone.evaluate(wide) <= 360
    phone.close()


def test_the_home_page_of_a_site_carries_it(browser, tmp_path):
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    (tmp_path / "docs").mkdir()
    frame = '<iframe src="predict.html" title="Predict" style="width: 100%; height: 62rem; border: 0"></iframe>'
    (tmp_path / "docs" / "index.md").write_text(f"# Home\n\n{frame}\n\n[alone](predict.html)\n")
    hook = Path(__file__).parent.parent / "docs" / "predict_page.py"
    (tmp_path / "mkdocs.yml").write_text(f"site_name: site\ntheme: mkdocs\nplugins: []\nhooks: ['{hook}']\n")
    build(load_config(str(tmp_path / "mkdocs.yml"), strict=True))
    home = browser.new_page()
    home.goto((tmp_path / "site" / "index.html").as_uri())
    inside = home.frame_locator("iframe")
    assert "learnability of the target is" in inside.locator("#summary").inner_text()
    home.close()
