"""What a user gives as numbers, points or labels, turned into float64 arrays. Every entry of the library asks here.

Nothing is decided in silence: masked values, texts and sparse matrices are refused with the remedy, and boolean labels are the
same two classes everywhere, True is +1 and False is -1.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import require

Floats = NDArray[np.float64]
CLASSES = (
    "two classes become `np.where(y == first, 1.0, -1.0)`, more of them "
    "`(y[:, None] == np.unique(y)) - 1 / len(np.unique(y))`"
)


def array(name: str, values: ArrayLike) -> Floats:
    """Numbers of any shape as float64; they may be infinite or nan.

    Raises
    ------
    ValueError
        A sparse matrix, masked values, texts, dates, complex numbers, rows of different lengths, objects that are no numbers.
    """
    require(
        not (hasattr(values, "toarray") and hasattr(values, "nnz")),
        f"{name} is a sparse matrix; give {name}.toarray()",
    )
    masked = int(np.ma.getmaskarray(values).sum()) if isinstance(values, np.ma.MaskedArray) else 0
    require(masked == 0, f"{name} has {masked} masked values; fill them, {name}.filled(...), or leave out their rows")
    if hasattr(values, "detach"):  # a tensor, perhaps of another device
        values = values.detach().cpu()
    try:
        taken = np.asarray(values)
    except ValueError as error:
        raise ValueError(f"{name} is no array of numbers: {error}") from error
    if taken.dtype.kind == "O":
        taken = _numbers_of_objects(name, taken)
    what = {
        "U": "texts",
        "S": "texts",
        "T": "texts",
        "M": "dates",
        "m": "durations",
        "c": "complex numbers",
        "V": "records",
    }
    require(
        taken.dtype.kind in "biuf",
        f"{name} holds {what.get(taken.dtype.kind, taken.dtype)}, not numbers, e.g. {taken.flat[0].item()!r}"
        f"{_remedy(name, taken)}"
        if taken.size
        else f"{name} is an empty array of {taken.dtype}",
    )
    return taken.astype(np.float64, copy=False)


def finite_array(name: str, values: ArrayLike) -> Floats:
    """As `array`; ValueError for infinities and nan too."""
    taken = array(name, values)
    first_not_finite(name, taken)
    return taken


def labels(name: str, values: ArrayLike, rows: int | None = None, points: str = "x") -> Floats:
    """Labels (samples,) or (samples, outputs) as finite float64; booleans are +1 and -1.

    rows : int, optional
        The samples that there are, of the array called `points`.
    """
    booleans = np.asarray(values).dtype.kind == "b" if not hasattr(values, "nnz") else False
    taken = array(name, values)
    require(taken.ndim in (1, 2), f"{name} must be (samples,) or (samples, outputs), got shape {taken.shape}")
    require(rows is None or len(taken) == rows, f"{points} has {rows} rows, {name} {len(taken)}")
    first_not_finite(name, taken)
    return signs(taken) if booleans else taken


def signs(truth: NDArray) -> Floats:
    """Two classes as numbers: True is +1, False is -1."""
    return 2.0 * np.asarray(truth, dtype=np.float64) - 1.0


def first_not_finite(name: str, values: Floats) -> None:
    """ValueError that says how many values are not finite, and where the first is."""
    bad = ~np.isfinite(values)
    if bad.any():
        place = [int(i) for i in np.argwhere(bad)[0]]
        where = ", ".join(f"{axis} {i}" for axis, i in zip(("row", "column", "place", "place"), place, strict=False))
        raise ValueError(
            f"{name} holds values that are not finite, {bad.sum()} of {bad.size}"
            f"{f', the first in {where}' if where else ''}; remove or impute them"
        )


def _numbers_of_objects(name: str, values: NDArray) -> NDArray:
    """An array of Python objects as floats, where all of them are numbers; None and pandas.NA are gaps."""
    for place, value in enumerate(values.flat):
        number = isinstance(value, int | float | np.number | np.bool_)
        require(
            number,
            f"{name} holds {value!r} ({type(value).__name__}) at place {place}, which is no number"
            f"{_remedy(name, np.asarray([str(value)]))}",
        )
    return values.astype(np.float64)


def _remedy(name: str, values: NDArray) -> str:
    return f"; {CLASSES}" if name.startswith(("y", "label")) and values.dtype.kind in "US" else ""
