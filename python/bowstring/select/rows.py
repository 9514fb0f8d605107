"""Rows of numbers, sparse or dense, of any library: what selections are made from."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from bowstring.columns import TEXT, as_numbers, choose, one_chunk, widest
from bowstring.counts import TfIdf
from bowstring.cutting import need
from bowstring.errors import InvalidInput, UnsupportedType
from bowstring.frames import as_table, is_table

# What pyarrow's stubs do not know, or know wrongly.
_pa: Any = pa

ADVICE = (
    "give a SciPy sparse matrix, a NumPy matrix of floats, a column of lists of floats, or a "
    "column of text"
)


def as_rows(data: Any, name: str, column: str | None = None, *, wide: bool = False) -> Any:
    """Make rows of numbers the core's: where rows start, columns, values and how many columns.

    Text becomes TF-IDF rows of length 1. Of `wide` rows, numbers are of 64 bits.

    Raises
    ------
    InvalidInput
        If the rows have not the same length, or a value is null.
    UnsupportedType
        If these are no rows of numbers.

    Examples
    --------
    >>> import numpy as np
    >>> starts, columns, values, width = as_rows(np.eye(2), "data")
    >>> starts, values.to_pylist(), width
    (None, [1.0, 0.0, 0.0, 1.0], 2)
    """
    if hasattr(data, "tocsr") and hasattr(data, "shape"):
        return _sparse(data, name)
    if is_table(data):
        table = as_table(data, name)
        data = table.column(choose(table.column_names, column, name))
    elif column is not None:
        raise InvalidInput(f"column is {column!r}, but {name} is no table: leave column out")
    array = _arrow(data)
    if array is None:
        return _dense(_numpy(data, name), name, wide)
    if widest(array.type) == TEXT:
        return _sparse(TfIdf().fit_transform(array), name)
    return _dense(_vectors(array, name), name, wide)


def as_two(
    left: Any, right: Any, names: tuple[str, str], columns: tuple[str | None, str | None]
) -> tuple[Any, Any]:
    """Make rows and others the core's, as `as_rows`; of text, by the words of the first.

    Examples
    --------
    >>> both = as_two(["red sky"], ["red", "blue"], ("left", "right"), (None, None))
    >>> both[0][3], both[1][0].to_pylist()
    (2, [0, 1, 1])
    """
    texts = [_text(*one) for one in zip((left, right), names, columns, strict=True)]
    if texts[0] is None or texts[1] is None:
        return (
            as_rows(left, names[0], columns[0], wide=True),
            as_rows(right, names[1], columns[1], wide=True),
        )
    words = TfIdf()
    first = words.fit_transform(texts[0])
    return _sparse(first, names[0]), _sparse(words.transform(texts[1]), names[1])


def is_text_rows(data: Any, name: str, column: str | None = None) -> bool:
    """Say whether rows are text.

    Examples
    --------
    >>> is_text_rows(["a"], "data"), is_text_rows([[1.0]], "data")
    (True, False)
    """
    return _text(data, name, column) is not None


def _text(data: Any, name: str, column: str | None) -> Any:
    """Find the column of text; None if it is none."""
    if is_table(data):
        table = as_table(data, name)
        data = table.column(choose(table.column_names, column, name))
    elif hasattr(data, "tocsr"):
        return None
    array = _arrow(data)
    return array if array is not None and widest(array.type) == TEXT else None


def _arrow(data: Any) -> Any:
    """Turn a column of any library into an Arrow array; None if it is none."""
    if isinstance(data, pa.Array | pa.ChunkedArray):
        return one_chunk(data)
    if isinstance(data, list | tuple):
        first = next((row for row in data if row is not None), None)
        return _pa.array(data, TEXT) if isinstance(first, str) else None
    module = type(data).__module__.split(".")[0]
    if module == "pandas" and type(data).__name__ == "Series":
        try:
            return one_chunk(_pa.array(data, from_pandas=True))
        except pa.ArrowException:
            return None
    if module != "numpy" and hasattr(data, "__arrow_c_stream__"):
        return one_chunk(_pa.chunked_array(data))
    if hasattr(data, "__arrow_c_array__"):
        return _pa.array(data)
    return None


def _vectors(array: Any, name: str) -> Any:
    """Make a column of lists of numbers a matrix."""
    types = pa.types
    numpy = need("numpy", "sklearn")
    listed = (
        types.is_list(array.type)
        or types.is_large_list(array.type)
        or types.is_fixed_size_list(array.type)
    )
    inner = array.type.value_type if listed else None
    if inner is None or not (types.is_floating(inner) or types.is_integer(inner)):
        raise UnsupportedType(f"{name} is a column of {array.type}: {ADVICE}")
    if array.null_count:
        raise InvalidInput(f"{name} has {array.null_count} null rows: drop or fill them")
    lengths = set(_pa.compute.list_value_length(array).unique().to_pylist())
    if len(lengths) > 1:
        raise InvalidInput(
            f"{name} has rows of {min(lengths)} and of {max(lengths)} numbers: give rows of one "
            "length"
        )
    values = array.flatten()
    if values.null_count:
        raise InvalidInput(f"{name} has a null among its numbers: fill it")
    width = lengths.pop() if lengths else 1
    return numpy.asarray(values).reshape(len(array), width)


def _numpy(data: Any, name: str) -> Any:
    numpy = need("numpy", "sklearn")
    try:
        matrix = numpy.asarray(data)
        if matrix.dtype.kind == "O" and matrix.ndim == 1:
            matrix = numpy.stack([numpy.asarray(row) for row in matrix])
    except (TypeError, ValueError) as error:
        raise UnsupportedType(f"{name} is no matrix of numbers ({error}): {ADVICE}") from None
    if matrix.dtype.kind not in "fiub" or matrix.ndim != 2:
        raise UnsupportedType(
            f"{name} is a {type(data).__name__} of {matrix.dtype} with {matrix.ndim} dimensions: "
            f"{ADVICE}"
        )
    return matrix


def _dense(matrix: Any, name: str, wide: bool) -> Any:
    numpy = need("numpy", "sklearn")
    rows, width = matrix.shape
    if not rows:
        raise InvalidInput(f"{name} has no rows: give one or more")
    if not width:
        raise InvalidInput(f"{name} has no columns: give one or more")
    narrow = matrix.dtype.kind == "f" and matrix.dtype.itemsize <= 4 and not wide
    flat = numpy.ascontiguousarray(matrix, numpy.float32 if narrow else numpy.float64)
    return None, None, _pa.array(flat.reshape(-1)), width


def _sparse(matrix: Any, name: str) -> Any:
    numpy = need("numpy", "sklearn")
    if matrix.dtype.kind not in "fiub" or len(matrix.shape) != 2:
        raise UnsupportedType(f"{name} is a sparse matrix of {matrix.dtype}: give real numbers")
    if not matrix.shape[0]:
        raise InvalidInput(f"{name} has no rows: give one or more")
    rows = matrix.tocsr()
    if not (rows.has_canonical_format and rows.has_sorted_indices):
        # The caller's stays as it is.
        rows = rows.copy() if rows is matrix else rows
        rows.sum_duplicates()
    return (
        _pa.array(rows.indptr.astype(numpy.int64, copy=False)),
        _pa.array(rows.indices),
        _pa.array(rows.data.astype(numpy.float64, copy=False)),
        rows.shape[1],
    )


def as_floats(values: Any, name: str) -> Any:
    """Make a column of numbers an array of float64.

    Raises
    ------
    InvalidInput
        If one is null.
    UnsupportedType
        If these are no numbers.

    Examples
    --------
    >>> as_floats([1, 2.5], "costs").to_pylist()
    [1.0, 2.5]
    """
    try:
        array = _arrow(values) if not isinstance(values, list | tuple) else None
        if array is None:
            array = _pa.array(values)
        types = pa.types
        known = types.is_floating(array.type) or types.is_integer(array.type)
        if not (known or types.is_decimal(array.type) or not len(array)):
            raise TypeError(f"{array.type} is no number")
        numbers = array.cast(pa.float64())
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise UnsupportedType(f"{name} is no column of numbers ({error}): give one") from None
    if numbers.null_count:
        raise InvalidInput(f"{name} has {numbers.null_count} nulls: fill them")
    return numbers


def as_places(values: Any, name: str) -> Any:
    """Make a column of row numbers an array of int64.

    Examples
    --------
    >>> as_places([3, 1], "initial").to_pylist()
    [3, 1]
    """
    if values is None:
        return pa.array([], pa.int64())
    if isinstance(values, list | tuple) and not values:
        return pa.array([], pa.int64())
    numbers = as_numbers(list(values) if isinstance(values, set | frozenset) else values, name)[0]
    if numbers.null_count:
        raise InvalidInput(f"{name} has a null: leave it out")
    return numbers.cast(pa.int64())
