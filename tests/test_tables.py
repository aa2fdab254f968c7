"""Tables as people have them: what is read is what a careful hand would have made of them, and what was decided is said."""

import doctest
import gzip
import warnings
import zipfile

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from sklearn.kernel_ridge import KernelRidge
from sklearn.model_selection import LeaveOneOut, cross_val_predict

import learnability as lb
from learnability.command.main import main
from learnability.command.sizes import sizes_of
from learnability.data import columns, delimited, encoding, labels, leaks, numbers, scaling
from learnability.data import files as data_files
from learnability.data.files import rows_in
from learnability.data.labels import outputs_of, understood_labels
from learnability.data.numbers import as_numbers
from learnability.data.scaling import scaled
from learnability.domains import domain_from, samples
from learnability.domains.samples import DataSet

ROWS = 60
CLEAN = {"kind": "data"}


@pytest.fixture(scope="module")
def clean():
    """Three columns of numbers and a price, as a careful hand would have written them."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal((ROWS, 3))
    price = x @ [3, -2, 1] + 0.5 * rng.standard_normal(ROWS) + 20
    return pd.DataFrame(x, columns=["area", "age", "rooms"]).assign(price=price)


def standard(values):
    values = np.asarray(values, dtype=float)
    return (values - values.mean(0)) / values.std(0)


def load(path, **options):
    """A data set, and what was said while it was read."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        data = DataSet(path=str(path), **options)
    assert [str(one.message) for one in said] == [f"{path}: {remark}" for remark in data.understood.remarks]
    return data


def check(data, inputs, label):
    """The data set is that of hand-made inputs and a label that is a number."""
    assert np.allclose(data.points, standard(inputs), rtol=0, atol=1e-9)
    assert np.allclose(data.labels[:, 0], standard(label), rtol=0, atol=1e-9)
    assert data.labels.shape[1] == 1 and data.understood.task == "regression"


def written(tmp_path, table, name="t.csv", **options):
    path = tmp_path / name
    table.to_csv(path, index=False, **options)
    return path


@pytest.mark.parametrize("mark", ["?", ".", "-", "unknown", "NA", "n/a", "abc", ""])
@pytest.mark.parametrize("column", ["price", "age"])
def test_one_mark_among_numbers_makes_no_classes_and_no_texts(tmp_path, clean, mark, column):
    table = clean.astype(object)
    table.loc[17, column] = mark
    path = written(tmp_path, table)
    with pytest.raises(ValueError, match=f"column '{column}' .*line 19.*missing: .*drop"):
        load(path)
    whole = clean.drop(index=17)
    data = load(path, missing="drop")
    check(data, whole.iloc[:, :3], whole["price"])
    assert f"{ROWS - 1} of {ROWS} rows used (1 left out:" in data.understood.lines[0]
    data = load(path, missing="median")
    if column == "price":
        check(data, whole.iloc[:, :3], whole["price"])
    else:
        filled = clean.assign(age=clean["age"].where(clean.index != 17, whole["age"].median()))
        check(data, filled.iloc[:, :3], filled["price"])
        assert "gaps filled by the median: age 1" in data.understood.lines[2]
    assert (mark == "abc") == any("no numbers, such as 'abc', were taken as gaps" in r for r in data.understood.remarks)


@pytest.mark.parametrize(
    "texts, numbers",
    [
        (["$1,200", "$900", "$12"], [1200, 900, 12]),
        (["1,200", "2,000,000.5", "30"], [1200, 2000000.5, 30]),
        (["1,5", "2,25", "10"], [1.5, 2.25, 10]),
        (["1.200,5 €", "2 €", "3 €"], None),  # a comma is decimal or groups thousands, and this file says neither
        (["45 %", "5%", "12.5%"], [45, 5, 12.5]),
        (["1 200", "13'000", "5"], [1200, 13000, 5]),
        (["-$5", "+7", "1e3"], [-5, 7, 1000]),
        (["5 kg", "12.5kg", "1,200 kg"], [5, 12.5, 1200]),
        (["5 kg", "3 lb"], None),
        (["red", "1", "2"], None),
        (["1", "2", "3", "4", "5 kg"], [1, 2, 3, 4, np.nan]),
    ],
)
def test_texts_that_are_numbers(texts, numbers):
    read = as_numbers(pd.Series(texts))
    assert (read is None) == (numbers is None)
    if numbers is not None:
        assert np.array_equal(read.values, numbers, equal_nan=True)


def test_decimal_commas_of_a_file():
    read = as_numbers(pd.Series(["1.200,5 €", "2 €", "1.000"]), decimal=",")
    assert read.values.tolist() == [1200.5, 2, 1000]
    assert as_numbers(pd.Series(["1,200", "2,5"]), decimal=",").values.tolist() == [1.2, 2.5]


def test_prices_with_a_currency_are_numbers_and_it_is_said(tmp_path, clean):
    prices = (1000 * clean["price"]).round()
    path = written(tmp_path, clean.assign(price=[f"${value:,.0f}" for value in prices]))
    data = load(path)
    check(data, clean.iloc[:, :3], prices)
    assert any("in 'price' was read as" in remark for remark in data.understood.remarks)


def test_whole_numbers_are_classes_only_where_they_are_few_and_small_and_task_overrides(tmp_path, clean):
    ratings = np.clip(clean["price"].round() - 15, 0, 9).astype(int)
    path = written(tmp_path, clean.assign(price=ratings))
    data = load(path)
    assert data.understood.task == "classification" and len(data.names) == ratings.nunique()
    assert "whole numbers from 0 to 20); --task regression takes it as a number" in data.understood.lines[1]
    check(load(path, task="regression"), clean.iloc[:, :3], ratings)
    hundreds = written(tmp_path, clean.assign(price=100 * (ratings + 1)))
    check(load(hundreds), clean.iloc[:, :3], ratings)
    assert load(hundreds, task="classification").names == [str(value) for value in np.unique(100 * (ratings + 1))]
    with pytest.raises(ValueError, match="unknown task 'clasification'; did you mean 'classification'"):
        load(path, task="clasification")
    with pytest.raises(ValueError, match="needs numbers, and the labels are texts such as 'low'"):
        load(written(tmp_path, clean.assign(price=["low", "high"] * 30)), task="regression")


def test_labels_written_in_any_way_are_the_same_outputs(tmp_path):
    codes = np.random.default_rng(0).integers(0, 3, 40)
    expected = outputs_of(understood_labels(codes), "y")[0]
    for values in (
        codes.astype(float),
        np.eye(3)[codes],
        5 * np.eye(3)[codes] - 1,
        np.array(["a", "b", "c"])[codes],
        codes[:, None],
    ):
        labels = understood_labels(values)
        assert labels.task == "classification" and np.array_equal(outputs_of(labels, "y")[0], expected)
    two = outputs_of(understood_labels((codes > 0) * 1), "y")[0]
    assert np.array_equal(outputs_of(understood_labels(codes > 0), "y")[0], -two)  # True is +1, as in arrays
    for values in (np.array(["no", "yes"])[(codes > 0) * 1], np.eye(2)[(codes > 0) * 1]):
        assert np.array_equal(outputs_of(understood_labels(values), "y")[0], two)
    assert understood_labels(np.random.default_rng(0).random((9, 2))).task == "regression"
    x = np.random.default_rng(1).standard_normal((40, 4))
    np.savez(tmp_path / "codes.npz", x=x, y=codes)
    np.savez(tmp_path / "one_hot.npz", x=x, y=np.eye(3)[codes])
    one, other = (load(tmp_path / f"{name}.npz") for name in ("codes", "one_hot"))
    assert one.identity == other.identity and np.array_equal(one.labels, other.labels) and one.names == other.names


def test_an_index_or_names_of_rows_are_no_inputs(tmp_path, clean):
    """Sorted rows are predicted from their number, cars from their names."""
    table = clean.sort_values("price", ignore_index=True)
    names = [f"Car {number}" for number in range(ROWS)]
    for number, (added, options) in enumerate(
        [
            ({}, {"index": True}),
            ({"id": np.arange(1, ROWS + 1)}, {"index": False}),
            ({"customer_id": np.random.default_rng(0).permutation(ROWS) + 5000}, {"index": False}),
            ({"model": names}, {"index": False}),
        ]
    ):
        path = tmp_path / f"{number}.csv"
        table.assign(**added)[[*added, *table]].to_csv(path, **options)
        data = load(path)
        check(data, table.iloc[:, :3], table["price"])
        assert len(data.understood.inputs.dropped) == 1 and "dropped: " in data.understood.lines[2]


def test_a_counter_with_another_name_is_used_and_remarked(tmp_path, clean):
    path = written(tmp_path, clean.assign(day=np.arange(ROWS))[["day", "area", "price"]])
    data = load(path)
    assert data.points.shape == (ROWS, 2) and "'day' rises by one from row to row" in data.understood.remarks[0]
    check(load(path, drop=["day"]), clean[["area"]], clean["price"])
    with pytest.raises(ValueError, match="unknown column 'dya'; did you mean 'day'"):
        load(path, drop=["dya"])
    with pytest.raises(ValueError, match="'price' is the label and cannot be dropped"):
        load(path, drop=["price"])


def test_row_names_of_r_and_a_gap(tmp_path, clean):
    lines = clean.to_csv(index=False, sep=" ").splitlines()
    rows = [f'"row {number}" {line}' for number, line in enumerate(lines[1:])]
    rows[4] = " ".join([*rows[4].rsplit(" ", 2)[:1], "NA", rows[4].rsplit(" ", 1)[1]])
    path = tmp_path / "r.txt"
    path.write_text("\n".join([lines[0], *rows]) + "\n")
    with pytest.raises(
        ValueError, match=r"column 'rooms' has missing values \('NA'\), the first in line 6; write missing"
    ):
        load(path)
    whole = clean.drop(index=4)
    check(load(path, missing="drop"), whole.iloc[:, :3], whole["price"])


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda lines: [lines[0], lines[1] + ",", *lines[2:]], "line 2 has 5 fields and the first line 4"),
        (lambda lines: [lines[0] + ",", *lines[1:]], "the first line has 5 fields and all others 4; name every column"),
        (lambda lines: [*lines[:9], lines[9].rsplit(",", 1)[0], *lines[10:]], "line 10 has 3 fields"),
        (lambda lines: ["area,price,rooms,price", *lines[1:]], "columns 2 and 4 are both called 'price' and differ"),
        (lambda lines: [lines[0]], "no rows of values"),
    ],
)
def test_lines_that_do_not_fit_are_named(tmp_path, clean, change, message):
    path = tmp_path / "t.csv"
    path.write_text("\n".join(change(clean.to_csv(index=False).splitlines())) + "\n")
    with pytest.raises(ValueError, match=f"t.csv: .*{message}"):
        load(path)


def test_forms_of_the_same_table(tmp_path, clean):
    lines = clean.to_csv(index=False).splitlines()
    texts = {
        "no header": "\n".join(lines[1:]),
        "closed": "\n".join(line + "," for line in lines),
        "closed rows": "\n".join([lines[0], *(line + "," for line in lines[1:])]),
        "constant": "\n".join([f"k,{lines[0]}", *(f"14.62,{line}" for line in lines[1:])]),
        "empty": "\n".join([f"remark,{lines[0]}", *(f",{line}" for line in lines[1:])]),
        "blank lines": "\n\n" + "\n\n".join(lines),
    }
    for name, text in texts.items():
        path = tmp_path / f"{name}.csv"
        path.write_text(text + "\n")
        data = load(path)
        check(data, clean.iloc[:, :3], clean["price"])
        assert name == "blank lines" or data.understood.remarks or data.understood.inputs.dropped, name
    spectra = tmp_path / "spectra.csv"
    spectra.write_text(
        "\n".join(["400,410.5,415,kind", *(f"{line.rsplit(',', 1)[0]},k{i % 2}" for i, line in enumerate(lines[1:]))])
    )
    assert load(spectra).size == ROWS and load(spectra).names == ["k0 or k1"]
    spectra.write_text("\n".join(spectra.read_text().splitlines()[1:]))
    assert load(spectra).size == ROWS and "no line of column names" in load(spectra).understood.remarks[0]
    numbered = tmp_path / "numbered.csv"
    numbered.write_text("\n".join(["0,1,2,3", *lines[1:]]))
    check(load(numbered, label="3"), clean.iloc[:, :3], clean["price"])
    repeated = tmp_path / "repeated.csv"
    clean.assign(copy=clean["price"])[["area", "copy", "price"]].to_csv(
        repeated, index=False, header=["area", "price", "price"]
    )
    check(load(repeated), clean[["area"]], clean["price"])


def test_a_copy_of_the_label_is_remarked(tmp_path, clean):
    path = written(tmp_path, clean.assign(euros=2 * clean["price"] + 1)[["euros", "area", "price"]])
    assert any(
        "'euros' says the label 'price' itself; write --drop 'euros'" in r for r in load(path).understood.remarks
    )
    kinds = pd.Series(["a", "b", "c"] * 20)
    table = clean.assign(code=kinds.map({"a": 7, "b": 1, "c": 4}), price=kinds)
    assert any("'code' says" in remark for remark in load(written(tmp_path, table), label="price").understood.remarks)


@pytest.mark.parametrize(
    "name", ["T.CSV", "t.tsv", "t.csv.gz", "t.csv.xz", "t.csv.zip", "t.txt", "utf16.csv", "semicolons.csv"]
)
def test_formats_of_text(tmp_path, clean, name):
    options = {
        "t.tsv": {"sep": "\t"},
        "t.txt": {"sep": " "},
        "utf16.csv": {"encoding": "utf-16"},
        "semicolons.csv": {"sep": ";", "decimal": ","},
    }
    path = written(tmp_path, clean, name, **options.get(name, {}))
    check(load(path), clean.iloc[:, :3], clean["price"])
    assert ROWS <= rows_in(path) <= ROWS + 1


@pytest.mark.parametrize("name, reader", [("t.parquet", "pyarrow"), ("t.feather", "pyarrow"), ("t.xlsx", "openpyxl")])
def test_formats_of_other_programs(tmp_path, clean, name, reader):
    path = tmp_path / name
    try:
        __import__(reader)
    except ImportError:
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("xl/workbook.xml", "")  # by which pandas recognizes Excel
        with pytest.raises(ValueError, match=f"its reader is not installed; run pip install {reader}"):
            load(path)
        return
    write = {"t.parquet": clean.to_parquet, "t.feather": clean.to_feather, "t.xlsx": clean.to_excel}[name]
    write(path, **({"index": False} if name == "t.xlsx" else {}))
    check(load(path), clean.iloc[:, :3], clean["price"])
    assert rows_in(path) == ROWS


def test_a_home_folder_is_written_as_a_tilde(tmp_path, clean, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    written(tmp_path, clean)
    check(load("~/t.csv"), clean.iloc[:, :3], clean["price"])


def test_a_country_called_na_and_a_class_called_none_are_values(tmp_path, clean):
    country = np.array(["NA", "DE", "US"])[np.arange(ROWS) % 3]
    path = written(tmp_path, clean.assign(country=country)[["country", "price"]])
    data = load(path, encode="one_hot")
    assert data.points.shape == (ROWS, 3) and "texts (country: one-hot of 3)" in data.understood.lines[2].replace(
        "text ", "texts "
    )
    assert "'NA' in column 'country' is taken as a value" in data.understood.remarks[0]
    grades = np.array(["None", "mild", "severe"])[np.arange(ROWS) % 3]
    data = load(written(tmp_path, clean.assign(price=grades)))
    assert data.names == ["None", "mild", "severe"] and data.size == ROWS


def test_points_and_commas_of_a_file(tmp_path):
    for name, rows, prices in (
        ("a.csv", "a;price\n1,5;1.200\n2,5;12.000\n-3;900", [1200, 12000, 900]),
        ("b.tsv", "a\tprice\n1.5\t1,200\n2.5\t12,000\n-3\t900", [1200, 12000, 900]),
        ("c.csv", 'a,price\n"1,5","1,200.5"\n"2,5","12,000"\n-3,900', [1200.5, 12000, 900]),
        ("d.csv", "a;price\n1.5;1200\n2.5;12000\n-3;900", [1200, 12000, 900]),
    ):
        (tmp_path / name).write_text(rows + "\n")
        check(load(tmp_path / name), [[1.5], [2.5], [-3]], prices)


def test_booleans_with_marks_of_gaps(tmp_path, clean):
    owns = np.array(["TRUE", "FALSE"])[np.arange(ROWS) % 2].astype(object)
    path = written(tmp_path, clean.assign(owns=np.where(np.arange(ROWS) == 5, "NA", owns))[["owns", "price"]])
    with pytest.raises(ValueError, match=r"column 'owns' has missing values \('na'\), the first in line 7"):
        load(path)
    check(load(path, missing="drop"), np.delete([[owner == "TRUE"] for owner in owns], 5, 0), clean["price"].drop(5))
    answers = np.array(["none", "unknown"])[np.arange(ROWS) % 2]
    assert load(written(tmp_path, clean.assign(price=answers))).names == ["none or unknown"]


def test_dates_are_days(tmp_path, clean):
    pytest.importorskip("skrub")
    days = np.random.default_rng(0).permutation(ROWS) * 3
    dates = pd.Timestamp("2024-01-31") + pd.to_timedelta(days, "D")
    for form in ("%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%y", "%b %d, %Y", "%Y-%m-%dT%H:%M:%S"):
        table = clean.assign(date=dates.strftime(form))[["date", "area", "price"]]
        data = load(written(tmp_path, table))
        check(data, np.column_stack([days, clean["area"]]), clean["price"])
        assert "1 date (date: days since 2024-01-31)" in data.understood.lines[2]
    late = table.assign(date=table["date"].where(table.index != 5, "soon"))
    with pytest.raises(
        ValueError, match="column 'date' holds dates, and 1 of its values are none, the first in line 7: 'soon'"
    ):
        load(written(tmp_path, late))
    data = load(written(tmp_path, late), missing="drop")
    check(data, np.delete(np.column_stack([days, clean["area"]]), 5, 0), clean["price"].drop(5))
    data = load(written(tmp_path, clean.assign(price=dates.strftime("%Y-%m-%d"))))
    check(data, clean.iloc[:, :3], days)
    assert "days since 2024-01-31" in data.understood.lines[1]


def test_times_are_hours(tmp_path, clean):
    hours = np.arange(ROWS) % 24 + 0.25
    table = clean.assign(time=[f"{int(hour)}:15" for hour in hours])[["time", "area", "price"]]
    data = load(written(tmp_path, table))
    check(data, np.column_stack([hours, clean["area"]]), clean["price"])
    assert "1 date (time: hours)" in data.understood.lines[2]


def test_texts_of_many_values_take_no_gigabytes(tmp_path):
    pytest.importorskip("skrub")
    rng = np.random.default_rng(0)
    words = np.array([f"street {number} of {number % 7}" for number in range(150)])
    table = pd.DataFrame(
        {"a": rng.standard_normal(600), "t": words[rng.integers(0, 150, 600)], "y": rng.standard_normal(600)}
    )
    path = written(tmp_path, table)
    data = load(path, encode="one_hot")
    assert data.points.shape == (600, 31) and "1 text (t: 30 numbers from the letters of" in data.understood.lines[2]
    assert (data.points[:, 1:] ** 2).mean(0).sum() == pytest.approx(
        (data.points[:, 0] ** 2).mean()
    )  # t counts as one column
    with pytest.raises(
        ValueError, match="'t' has 14. classes in 600 rows, and 100 are the most .*; choose another label"
    ):
        load(path, label="t")


def test_persons_measured_repeatedly_are_remarked_and_drawn_as_groups(tmp_path):
    rng = np.random.default_rng(0)
    person = np.repeat(np.arange(20), 10)
    age = rng.integers(20, 70, 20)[person]
    table = pd.DataFrame(
        {"person": person, "age": age, "pulse": rng.standard_normal(200), "y": age + rng.standard_normal(200)}
    )
    path = written(tmp_path, table)
    assert "'person' has 20 values in 200 rows and seems to name what was measured" in load(path).understood.remarks[0]
    named = written(tmp_path, table.rename(columns={"person": "patient_id"}).drop(columns="age"))
    assert "'patient_id' has 20 values in 200 rows" in load(named).understood.remarks[0]
    written(tmp_path, table)
    assert "--groups 'person' predicts these" in load(path).understood.remarks[0]
    data = load(path, groups="person")
    assert data.groups.tolist() == person.tolist() and data.points.shape == (200, 2)
    assert "20 groups by 'person', of 10 rows each" in str(data.understood) and data.understood.remarks == []
    other = table.drop(columns="person")
    other.to_csv(tmp_path / "others.csv", index=False)
    assert np.array_equal(data.test_set(str(tmp_path / "others.csv"))[0], data.test_set(str(path))[0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"groups": "preson"}, "unknown column 'preson'; did you mean 'person'"),
        ({"groups": "y"}, "'y' names the groups, which are no input; it cannot be the label, too"),
        ({"groups": "person", "drop": ["person"]}, "it cannot be dropped, too; leave --drop out"),
        ({"groups": "place", "missing": "drop"}, "the groups 'place' have one value in 38 rows.*leave groups out"),
        ({"groups": "visit"}, "'visit' names the groups and is empty in 2 rows, the first in line 5; .*--missing drop"),
        ({"groups": "visit", "missing": "median"}, "'visit' names the groups and is empty in 2 rows"),
    ],
)
def test_columns_that_cannot_name_groups(options, message, tmp_path):
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {"person": [f"p{each // 4}" for each in range(40)], "place": "here", "visit": np.arange(40) // 5}
    )
    table = table.assign(x=rng.standard_normal(40), y=rng.standard_normal(40))
    table["visit"] = table["visit"].astype(object)
    table.loc[[3, 20], "visit"] = None
    path = written(tmp_path, table)
    with pytest.raises(ValueError, match=message):
        load(path, label="y", **{"encode": "one_hot", **options})
    data = load(path, groups="visit", encode="one_hot", missing="drop")
    assert data.size == 38 and data.groups.max() == 7


def test_repeated_rows_are_counted(tmp_path, clean):
    path = written(tmp_path, pd.concat([clean, clean, clean.head(5).assign(price=0.5)]))
    data = load(path)
    assert (data.understood.repeated, data.understood.contradicting) == (ROWS + 5, 5)
    assert "65 repeat the inputs of an earlier row, 5 of them with another label" in data.understood.lines[0]
    assert not any("measured repeatedly" in remark for remark in data.understood.remarks)


def test_an_infinity_and_gaps_are_told_at_once_and_their_remedies_work(tmp_path, clean):
    table = clean.copy()
    table.loc[3, "area"], table.loc[4, "price"], table.loc[9, "age"] = None, None, np.inf
    path = written(tmp_path, table)
    with pytest.raises(ValueError) as error:
        load(path)
    lines = str(error.value).splitlines()
    assert len(lines) == 3 and "'age' has infinite values, the first in line 11" in lines[0]
    with pytest.raises(ValueError, match="'age' has infinite values, the first in line 11"):
        load(path, missing="median")
    table.loc[9, "age"] = 0.0
    path = written(tmp_path, table)
    for remedy, rows in (("median", ROWS - 1), ("drop", ROWS - 2)):
        assert load(path, missing=remedy).size == rows


def test_a_column_that_is_empty_where_there_are_labels_is_dropped(tmp_path, clean):
    table = clean.assign(late=np.where(np.arange(ROWS) < 9, 1.5, np.nan))[["late", *clean]]
    table.loc[:8, "price"] = None
    data = load(written(tmp_path, table.assign(late=table["late"] * (1 + np.arange(ROWS)))), missing="median")
    check(data, clean.iloc[9:, :3], clean["price"][9:])
    assert data.understood.inputs.dropped == {"late": "empty"}
    marks = written(tmp_path, clean.assign(late="NA")[["late", *clean]])
    assert load(marks).understood.inputs.dropped == {"late": "empty"}


def test_codes_keep_their_leading_zeros(tmp_path, clean):
    codes = np.array(["0301", "0302", "1203"])[np.arange(ROWS) % 3]
    path = written(tmp_path, clean.assign(district=codes)[["district", *clean]])
    with pytest.raises(ValueError, match="column 'district' is not numeric"):
        load(path)
    assert load(path, label="district", task="classification").names == ["0301", "0302", "1203"]


def test_classes_yes_and_no_are_booleans_in_yaml(tmp_path, clean):
    path = written(tmp_path, clean.assign(price=["no", "yes"] * 30))
    with pytest.raises(ValueError, match=r"classes: \[False, True\] do not occur; .*write \['no', 'yes'\]"):
        load(path, classes=[False, True])
    assert load(path, classes=["no", "yes"]).names == ["no or yes"]


def test_rare_values_are_not_blown_up():
    rng = np.random.default_rng(0)
    x = np.column_stack([rng.standard_normal(1000), np.arange(1000) == 7, np.arange(1000) % 2 == 0]).astype(float)
    usual = scaled(x[:, [0, 2]], "features")[0]
    assert np.allclose(usual, standard(x[:, [0, 2]]))
    points = scaled(x, "features")[0]
    assert np.abs(points[:, 1]).max() < 1.5**0.5 / 0.3 and (points**2).sum(1).mean() == pytest.approx(3)
    # a column of texts counts as one, however many values it has
    kinds = np.eye(20)[rng.integers(0, 20, 1000)]
    points = scaled(np.column_stack([x[:, 0], kinds]), "features", np.array([0, *[1] * 20]))[0]
    assert (points[:, 1:] ** 2).mean(0).sum() == pytest.approx((points[:, 0] ** 2).mean(), rel=0.01)


def test_a_column_that_is_constant_to_rounding_is_nothing():
    x = np.column_stack([np.arange(10.0), np.full(10, 14.62)])
    assert not scaled(x, "features")[0][:, 1].any() and not scaled(x + 1e-16, "features")[0][:, 1].any()


def test_pixels_in_a_table_are_scaled_by_one_number(tmp_path):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 255, (80, 30)) * (rng.random((80, 30)) < np.linspace(0.02, 0.9, 30))
    path = written(tmp_path, pd.DataFrame(pixels).assign(y=rng.standard_normal(80)))
    data = load(path)
    centred = (pixels - pixels.mean(0))[:, pixels.any(0)]
    assert np.allclose(data.points, centred / centred.std())
    assert "zero almost everywhere" in data.understood.lines[2]
    assert "each by its own spread" in load(path, scale="features").understood.lines[2]


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("a.npz", b"", "a.npz: cannot be read"),
        ("a.npz", b"PK\x03\x04 damaged", "a.npz: cannot be read"),
        ("a.h5", b"nothing", "a.h5: cannot be read"),
        ("a.csv", b"", "a.csv: cannot be read as CSV .*empty"),
        ("a.csv.gz", gzip.compress(b"a,b\n1,2\n", mtime=0)[:-9], "a.csv.gz: cannot be read"),
        ("a.csv.zip", b"nothing", "a.csv.zip: cannot be read"),
        ("a.doc", b"", "unknown kind of file; use one of .npz, .csv, .h5"),
    ],
)
def test_files_that_cannot_be_read(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        load(tmp_path / name)
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(ValueError, match="folder.csv: is a folder"):
        load(tmp_path / "folder.csv")


def test_arrays_that_are_none(tmp_path):
    np.savez(tmp_path / "none.npz")
    with pytest.raises(ValueError, match="no array 'x'; it holds nothing; save inputs as x and labels as y"):
        load(tmp_path / "none.npz")
    np.savez(tmp_path / "texts.npz", x=np.array([["a"], ["b"]]), y=[1, 2])
    with pytest.raises(ValueError, match="inputs are numbers"):
        load(tmp_path / "texts.npz")
    np.savez(tmp_path / "nan.npz", x=[[1.0, 2.0], [3.0, np.nan]], y=[1, 2])
    with pytest.raises(ValueError, match=r"nan.npz: x holds 1 values that are not finite, the first at \[\[1, 1\]\]"):
        load(tmp_path / "nan.npz")


@pytest.mark.parametrize(
    "module",
    [columns, data_files, delimited, encoding, labels, leaks, numbers, scaling, samples],
    ids=lambda m: m.__name__,
)
def test_examples(module):
    assert doctest.testmod(module).failed == 0


def ran(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_the_command_says_what_it_understood_and_which_sizes_it_chose(tmp_path, clean):
    path = written(tmp_path, clean.assign(id=np.arange(ROWS), kind=["a", "b"] * 30)[["id", "kind", *clean]])
    done = ran("predict", path, "--encode", "one_hot", "--drop", "rooms", "--task", "regression", "--scale", "features")
    lines = done.stderr.splitlines()
    assert lines[0] == f"{path}: 60 of 60 rows used" and lines[1].startswith("label 'price': a number (")
    assert lines[2].startswith(
        "inputs: 2 numbers (area, age), 1 text (kind: one-hot of 2), scaled each by its own spread; dropped: "
    )
    assert "rooms (as asked for), id (numbers the rows)" in lines[2]
    assert lines[3].startswith("note: ") and lines[4].startswith(
        "training-set sizes 3, 7, 15, 30, 60, 120, 240, 480, from some of the 60 rows to 8 times as many"
    )
    assert (
        done.exit_code == 0 and len(done.stdout.splitlines()) == 1 + 8 + 1
    )  # a header, the sizes, samples that are needed
    domain = f"{{kind: data, path: '{path}', encode: one_hot, drop: [rooms]}}"
    assert ran("predict", "--domain", domain, "--target", "{all: null}", "-n", 3).stderr.splitlines()[2] == lines[2]
    assert ran("select", path, "--encode", "one_hot", "--depth", 1, "--activation", "relu").exit_code == 0
    assert sizes_of(lb.Hypersphere(dim=4), (), "") == [32, 64, 128, 256] and sizes_of(
        lb.Samples(np.eye(2)), (), ""
    ) == [1]


@pytest.mark.parametrize("command", ["predict", "select"])
def test_a_table_that_cannot_be_written_is_refused_before_anything_is_read(tmp_path, command):
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file" / "out.csv", tmp_path):
        done = ran(command, "missing.csv", "-n", 4, "--csv", place)
        assert done.exit_code == 1 and done.output.startswith(f"Error: cannot write {place}")
    assert (
        "missing.csv: no such file"
        in ran(command, "missing.csv", "-n", 4, "--csv", tmp_path / "new" / "out.csv").output
    )
    assert not (tmp_path / "new").exists()


def test_the_theory_on_a_messy_table_is_that_on_the_clean_one(tmp_path, clean):
    """Prediction for a table with an index, a name, a constant and a mark is the prediction for what a hand makes of it."""
    table = clean.assign(name=[f"row {i}" for i in range(ROWS)], k=3.3).astype({"price": object})
    table.loc[17, "price"] = "unknown"
    path = tmp_path / "messy.csv"
    table[["name", "k", *clean]].to_csv(path)
    messy, whole = load(path, missing="drop"), clean.drop(index=17)
    kernel = lb.FullyConnected(1, "relu", 2**0.5, 0.1).kernel
    x, y = standard(whole.iloc[:, :3]), standard(whole["price"])
    expected = lb.predict_samples(kernel(x), y, [10, 30], 0.1).test_mse_off_train
    found = lb.predict_samples(kernel(messy.points), messy.labels[:, 0], [10, 30], 0.1).test_mse_off_train
    assert np.allclose(found, expected, rtol=1e-9)
    # without one row, scikit-learn's kernel ridge regression makes the errors that the theory of all samples predicts
    model = KernelRidge(alpha=0.1, kernel="precomputed")
    left_out = y - cross_val_predict(model, kernel(x), y, cv=LeaveOneOut())
    predicted = lb.predict_samples(kernel(messy.points), messy.labels[:, 0], messy.size, 0.1).test_mse_off_train
    assert (
        predicted == pytest.approx((left_out**2).mean(), rel=1e-6) and 1 - predicted > 0.9
    )  # R2 is no negative number
    assert domain_from({"kind": "data", "path": str(path), "missing": "drop"}).identity == messy.identity
