"""Whether labels are numbers or classes, and why; classes as outputs.

Texts and booleans are classes, and so are one-hot rows, two whole numbers, and whole numbers from 0 to 20 (or -1 and 1). `task`
overrides. The same labels written in any of these ways are the same outputs.
"""

from dataclasses import dataclass

import numpy as np

from ..common.arrays import signs
from ..common.errors import choose, require

LARGEST_CLASS = 20  # of whole numbers that are taken as classes
MOST_CLASSES = 100  # that are learned together: products of outputs grow with their square
TASKS = ("regression", "classification")


@dataclass(frozen=True)
class Labels:
    """Labels with what they are.

    Attributes
    ----------
    values : (samples,) numbers or classes, or (samples, outputs) numbers
    task : "regression" or "classification"
    reason : str, why
    """

    values: np.ndarray
    task: str
    reason: str


def understood_labels(
    values: np.ndarray, task: str | None = None, classes: list | None = None, where: str = "labels"
) -> Labels:
    """Numbers or classes.

    Parameters
    ----------
    values : (samples,) or (samples, outputs)
    task : "regression" or "classification", optional
        Missing: decided from the values.
    classes : list, optional
        The classes that are kept; they make a classification.
    where : str, for messages

    Raises
    ------
    ValueError
        An unknown task, texts as numbers, classes for a regression.

    Examples
    --------
    >>> understood_labels(np.array([[0, 1], [1, 0], [1, 0]])).values.tolist()
    [1, 0, 0]
    >>> labels = understood_labels(np.array([120, 300, 250]))
    >>> labels.task, labels.reason
    ('regression', 'whole numbers beyond 0 to 20')
    """
    if task is not None:
        choose("task", task, TASKS)
    values = _in_one_column(np.asarray(values))
    require(
        not (classes and task == "regression"),
        f"{where}: classes {classes} are for classification, not task: regression",
    )
    if values.ndim == 2:
        require(
            task != "classification",
            f"{where}: {values.shape[1]} outputs of numbers are no classes; give one, or one-hot",
        )
        return Labels(values, "regression", f"{values.shape[1]} outputs")
    kind, reason = _kind(values)
    if task == "regression":
        require(
            values.dtype.kind in "biuf",
            f"{where}: task: regression needs numbers, and the labels are texts such as {_first(values)!r}",
        )
        return Labels(values.astype(float), task, "as asked for")
    if task == "classification" or classes:
        kind, reason = "classification", "as asked for"
    whole = kind == "classification" and values.dtype.kind == "f" and bool(np.all(values == np.round(values)))
    return Labels(values.astype(np.int64) if whole else values, kind, reason)


def _in_one_column(values: np.ndarray) -> np.ndarray:
    """One-hot rows as numbers of their classes, one column as a vector."""
    if values.ndim == 1 or values.shape[1] == 1:
        return values.ravel()
    values = values.reshape(len(values), -1)
    if values.dtype.kind in "biuf" and values.shape[1] > 1:
        high = values == values.max()
        one_hot = bool((high.sum(1) == 1).all()) and np.ptp(values[~high]) == 0
        if one_hot:
            return high.argmax(1)
    return values


def _kind(values: np.ndarray) -> tuple[str, str]:
    """The task that the values themselves suggest, and why."""
    if values.dtype.kind == "b":
        return "classification", "booleans"
    if values.dtype.kind not in "iuf":
        return "classification", "texts"
    different = np.unique(values)
    if not np.all(np.isfinite(different)) or not np.all(different == np.round(different)):
        return "regression", "not all whole"
    if len(different) <= 2:
        return "classification", "two whole numbers"
    if different[0] >= 0 and different[-1] <= LARGEST_CLASS:
        return "classification", f"whole numbers from 0 to {LARGEST_CLASS}"
    return "regression", f"whole numbers beyond 0 to {LARGEST_CLASS}"


def _first(values: np.ndarray) -> str:
    return str(values[0])


def only(values: np.ndarray, classes: list) -> np.ndarray:
    """Which labels are of the listed classes (samples,); ValueError if one does not occur.

    Examples
    --------
    >>> only(np.array([3, 4, 9, 4]), [4, 9]).tolist()
    [False, True, True, True]
    """
    there = {str(value) for value in np.unique(_comparable(values))}
    unknown = [value for value in classes if str(value) not in there]
    yaml = any(isinstance(value, bool) for value in unknown)
    hint = "; yes, no, on and off without quotes are booleans in YAML: write ['no', 'yes']" if yaml else ""
    require(not unknown, f"classes: {unknown} do not occur; the labels are {', '.join(sorted(there)[:20])}{hint}")
    return np.isin(_comparable(values).astype(str), [str(value) for value in classes])


def _comparable(values: np.ndarray) -> np.ndarray:
    return values.astype(str) if values.dtype.kind == "O" else values


def outputs_of(labels: Labels, name: str, classes: list | None = None) -> tuple[np.ndarray, list[str]]:
    """Outputs (samples, outputs) and their names: numbers as they are, two classes as +-1, more as one centred output each.

    Raises
    ------
    ValueError
        One value only; more than a hundred classes, or more than 20 of fewer than two rows each.

    Examples
    --------
    >>> outputs, names = outputs_of(understood_labels(np.array(["no", "yes", "no"])), "answer")
    >>> outputs.ravel().tolist(), names
    ([1.0, -1.0, 1.0], ['no or yes'])
    """
    values = labels.values
    if labels.task == "regression":
        require(
            values.ndim == 2 or len(np.unique(values)) > 1,
            f"the labels have one value only, {values[0]}: there is nothing to learn",
        )
        several = values.ndim == 2
        numbers = signs(values) if values.dtype.kind == "b" else values.astype(float)
        return numbers.reshape(len(values), -1), [str(i) for i in range(values.shape[1])] if several else [name]
    names = _names(values, classes)
    require(len(names) >= 2, f"the labels have one value only, {names[0]!r}: there is nothing to learn")
    require(
        len(names) <= MOST_CLASSES,
        f"the label {name!r} has {len(names)} classes in {len(values)} rows, and {MOST_CLASSES} are the most that are learned "
        f"together; choose another label, numbers, or fewer with `classes: [{names[0]}, {names[1]}]` in YAML or Python",
    )
    require(
        len(names) <= LARGEST_CLASS or 2 * len(names) <= len(values),
        f"the label {name!r} has {len(names)} classes in {len(values)} rows: there is nothing to learn of most; choose another "
        f"label, or numbers",
    )
    member = _comparable(values).astype(str)[:, None] == np.array(names)[None, :]
    return of_members(member), [f"{names[0]} or {names[1]}"] if len(names) == 2 else names


def outputs_like(values: np.ndarray, labels: Labels, classes: list | None = None, where: str = "labels") -> np.ndarray:
    """Outputs (samples, outputs) of further labels, coded as `outputs_of` codes the first ones.

    Parameters
    ----------
    values : (samples,) or (samples, outputs), as in the file
    labels : Labels, of the training table
    where : str, for messages

    Raises
    ------
    ValueError
        A class that the training table does not have, texts in the place of numbers, outputs of another number.

    Examples
    --------
    >>> answers = understood_labels(np.array(["no", "yes", "no"]))
    >>> outputs_like(np.array(["yes", "yes"]), answers).tolist()
    [[-1.0], [-1.0]]
    """
    values, known = _in_one_column(np.asarray(values)), labels.values
    require(
        values.ndim == known.ndim and values.shape[1:] == known.shape[1:],
        f"{where}: labels of shape {values.shape}, and {known.shape} in the training table",
    )
    if labels.task == "regression":
        require(
            values.dtype.kind in "biuf",
            f"{where}: labels are texts such as {_first(values)!r}, and numbers were learned",
        )
        return (signs(values) if known.dtype.kind == "b" else values.astype(float)).reshape(len(values), -1)
    if known.dtype.kind == "i" and values.dtype.kind == "f" and np.all(values == np.round(values)):
        values = values.astype(np.int64)
    names = _names(known, classes)
    member = _comparable(values).astype(str)[:, None] == np.array(names)[None, :]
    unknown = np.flatnonzero(~member.any(1))
    require(
        len(unknown) == 0,
        f"{where}: {len(unknown)} labels are of no class of the training table ({', '.join(names[:20])}), such as "
        f"{str(values[unknown[0]])!r}; remove these rows"
        if len(unknown)
        else "",
    )
    return of_members(member)


def _names(values: np.ndarray, classes: list | None) -> list[str]:
    names = [str(value) for value in classes or np.unique(_comparable(values))]
    if set(names) == {"True", "False"} and not classes:
        names = ["True", "False"]  # True is +1, as in arrays
    return names


def of_members(member: np.ndarray) -> np.ndarray:
    """Outputs of classes from who is in which, (samples, classes) bool: two as one of +-1, the first is +1, more centred.

    Examples
    --------
    >>> of_members(np.array([[True, False], [False, True]])).tolist()
    [[1.0], [-1.0]]
    """
    classes = member.shape[1]
    return np.where(member[:, :1], 1.0, -1.0) if classes == 2 else member - 1.0 / classes
