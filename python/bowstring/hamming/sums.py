"""The sums of two collections of whole numbers, and how many pairs give each."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import pyarrow as pa

from bowstring import _core
from bowstring.columns import as_option, one_chunk
from bowstring.errors import InvalidInput, UnsupportedType
from bowstring.hamming.symbols import whole_numbers
from bowstring.index import Progress
from bowstring.report import progress_callback

Engine: TypeAlias = Literal["windows", "bits", "fft", "sort"]

ENGINES = ("windows", "bits", "fft", "sort")


def sumset(
    a: Any, b: Any, *, engine: Engine | None = None, progress: Progress = None
) -> pa.Array[Any]:
    """List the distinct sums of a number of `a` and one of `b`.

    Parameters
    ----------
    a, b
        Columns of whole numbers, of 64 bits with a sign.
    engine
        How to find them, instead of what is predicted to cost least: `"windows"` of counters,
        `"bits"`, one `"fft"`, or to `"sort"` all pairs.
    progress
        True for a bar, or a callable that takes the phase, the sums of the range or the pairs that
        are done, and the total.

    Returns
    -------
    pyarrow.Int64Array
        The sums, in ascending order.

    Raises
    ------
    InvalidInput
        If a number is null, a sum does not fit 64 bits, or `engine` cannot find the sums: `"bits"`
        and `"fft"` take a bit and 16 bytes for each number from the least to the largest sum.
    UnsupportedType
        If a column holds anything but whole numbers.

    Notes
    -----
    1-2 ns a pair by windows, 25 by sorting, 0.15 ns a number and 64 sums of the range by bits.

    Examples
    --------
    >>> import bowstring as bow
    >>> bow.hamming.sumset([0, 1], [10, 20, 21]).to_pylist()
    [10, 11, 20, 21, 22]
    """
    table = _sums(a, b, False, engine, progress)
    found: pa.Array[Any] = one_chunk(table["value"])
    return found


def sumset_counts(
    a: Any, b: Any, *, engine: Engine | None = None, progress: Progress = None
) -> pa.Table:
    """Count, for each sum of a number of `a` and one of `b`, the pairs that give it.

    Parameters
    ----------
    a, b, engine, progress
        As in `sumset`; but `"bits"` counts nothing. A number that is there twice counts twice.

    Returns
    -------
    pyarrow.Table
        `value: int64, count: uint64`, in ascending order of the values.

    Raises
    ------
    InvalidInput, UnsupportedType
        As `sumset`.

    Notes
    -----
    1-2 ns a pair where sums are dense, 25 where they are spread over a huge range; or two
    transforms of the range where pairs are many times more than sums, whose error is bounded
    below 1/2.

    Examples
    --------
    >>> import bowstring as bow
    >>> bow.hamming.sumset_counts([0, 1], [10, 11]).to_pylist()[1]
    {'value': 11, 'count': 2}
    """
    if engine == "bits":
        raise InvalidInput('engine is "bits", which says which sums there are and counts nothing')
    return _sums(a, b, True, engine, progress)


def count_3sum(
    a: Any, b: Any, c: Any, *, threads: int | None = None, progress: Progress = None
) -> pa.Array[Any]:
    """Count, for each number of `c`, the pairs of `a` and `b` whose sum it is.

    Parameters
    ----------
    a, b
        Columns of whole numbers. A number that is there twice counts twice.
    c
        The sums to count: a column of whole numbers, or a `range` of them.
    threads
        Threads to use; all by default.
    progress
        As in `sumset`, where all sums are counted.

    Returns
    -------
    pyarrow.UInt64Array
        The pairs of each number of `c`. Their total is the number of solutions of a + b = c.

    Raises
    ------
    InvalidInput, UnsupportedType
        As `sumset`.

    Notes
    -----
    O(|a| + |b|) a number of `c` in sorted order, or as `sumset_counts` where that costs less.
    Distances are the same question: with symbols s and positions i the pairs of s·2n + i in the
    text and i - s·2n in the reversed pattern that sum to a shift are its matches.

    Examples
    --------
    >>> import bowstring as bow
    >>> bow.hamming.count_3sum([1, 2], [10, 20], [11, 12, 13]).to_pylist()
    [1, 1, 0]
    >>> bow.hamming.count_3sum([1, 2], [1, 2], range(2, 5)).to_pylist()
    [1, 2, 1]
    """
    columns = _integers(a, "a"), _integers(b, "b"), _integers(c, "c")
    with progress_callback(progress) as report:
        lent: Any = _core.hamming_count_pairs(*columns, as_option(threads, "threads"), report)
    found: pa.Array[Any] = pa.array(lent)
    return found


def _sums(a: Any, b: Any, counted: bool, engine: Engine | None, progress: Progress) -> pa.Table:
    """List the sums of two columns, with or without the pairs of each."""
    if engine is not None and engine not in ENGINES:
        raise InvalidInput(f"engine is {engine!r}: give one of {', '.join(ENGINES)}, or None")
    columns = _integers(a, "a"), _integers(b, "b")
    with progress_callback(progress) as report:
        lent, _ = _core.hamming_sums(*columns, counted, engine, report)
    return pa.table(lent)


def _integers(value: Any, name: str) -> pa.Array[Any]:
    """Make a column of whole numbers one of 64 bits with a sign."""
    if isinstance(value, str | bytes) or not (
        isinstance(value, list | tuple | range) or hasattr(value, "__len__")
    ):
        raise UnsupportedType(f"{name} is {value!r}: give a column of whole numbers")
    if isinstance(value, list | tuple | range) and not value:
        return pa.array([], pa.int64())
    array = whole_numbers(value, name)
    if array.null_count:
        raise InvalidInput(f"{name} holds a null: drop the nulls")
    try:
        numbers: pa.Array[Any] = array.cast(pa.int64())
    except pa.ArrowInvalid as error:
        raise InvalidInput(f"{name} holds a number that does not fit int64: {error}") from None
    return numbers
