"""Distances between texts by compression, and the rows of a column that align with a target."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import pyarrow as pa

from bowstring import _core
from bowstring.columns import as_column, as_option, check_flags
from bowstring.errors import InvalidInput, UnsupportedType
from bowstring.frames import like
from bowstring.report import progress_callback

# What pyarrow's stubs do not know, or know wrongly.
_pa: Any = pa

Compressor: TypeAlias = Literal["gzip", "zlib", "deflate", "libdeflate", "lz4"]


def align(
    candidates: Any,
    target: Any,
    k: int | None = None,
    *,
    column: str | None = None,
    target_column: str | None = None,
    concatenate: bool = False,
    compressor: Compressor = "gzip",
    level: int | None = None,
    threads: int | None = None,
    progress: Any = None,
) -> Any:
    """Rank candidates by how well they compress together with the rows of a target.

    Parameters
    ----------
    candidates, target
        Columns of text or bytes: arrays, Series, lists, frames with `column` and `target_column`,
        or paths of files. Null rows are left out.
    k
        How many of the best to give; all by default.
    column, target_column
        The names of the columns, where there are several.
    concatenate
        Whether the target is one text, its rows end to end, rather than each row a text of its own.
    compressor
        `"gzip"`, `"zlib"`, `"deflate"`: zlib's lengths to the byte, with 18, 6 and 0 bytes around
        it. `"libdeflate"`: gzip's format by another program, with no more bytes at the same
        level, but not the same. `"lz4"`: its block format, faster still, which
        tells less.
    level
        1 to 9, of libdeflate to 12, of lz4 none; 9 by default. Level 0 is refused: it stores texts
        as they are, so that a ranking by it is one by length.
    threads
        Threads to use; all by default.
    progress
        True for a bar, or a callable that takes the phase, the pairs done and their total.

    Returns
    -------
    pyarrow.Table
        `row: uint64, score: double, rank: uint64`, the best first, of equal ones the first row;
        ranks from 1 on. The score is the mean over the target's rows y of 1 - `ncd(x, y)`. A polars
        or pandas frame if the candidates are of polars or pandas.

    Raises
    ------
    InvalidInput
        If the target is empty, `k` is larger than there are candidates, or compressor or level are
        none that there are.
    UnsupportedType
        If a column holds neither text nor bytes.

    Notes
    -----
    Obbad et al. (2024), ZIP-FIT: Embedding-free data selection via compression-based alignment.
    zlib's lengths are those of CPython's `gzip` and `zlib` to the byte (where CPython has zlib, not
    zlib-ng), of a kernel that makes the same choices and writes nothing. O(candidates · target)
    texts are compressed; a candidate once for all rows of the target, which changes no length.

    Examples
    --------
    >>> import bowstring as bow
    >>> rows = ["the cat sat on the mat", "SELECT x FROM y", "a cat sat on a mat"]
    >>> bow.select.align(rows, ["on the mat sat the cat"], k=2)["row"].to_pylist()
    [0, 2]
    """
    named = _compressor(compressor, level)
    source = as_column(candidates, column, "candidates")
    check_flags(concatenate=concatenate)
    with progress_callback(progress, source) as report:
        found = _core.align(
            source.stream,
            as_column(target, target_column, "target").stream,
            as_option(k, "k"),
            named,
            concatenate,
            as_option(threads, "threads"),
            report,
        )
    return like(pa.table(found), candidates)


def ncd(
    a: Any,
    b: Any,
    *,
    pairs: bool = False,
    compressor: Compressor = "gzip",
    level: int | None = None,
    threads: int | None = None,
    progress: Any = None,
) -> pa.Array[Any]:
    """Measure the normalised compression distance between the rows of two columns.

    Parameters
    ----------
    a, b
        Columns of text or bytes.
    pairs
        Whether to compare each row of `a` with the row of `b` at the same place, rather than with
        every one.
    compressor, level, threads, progress
        As in `align`.

    Returns
    -------
    pyarrow.Array
        `fixed_size_list<double>[len(b)]`, a row for each of `a`: `.values.to_numpy()` of shape
        `(len(a), len(b))`. With `pairs` an array of `double`. Null where a row is.

    Raises
    ------
    InvalidInput
        If `b` has no rows, or with `pairs` another number of them than `a`; if compressor or level
        are none that there are.
    UnsupportedType
        If a column holds neither text nor bytes.

    Notes
    -----
    (C(xy) - min(C(x), C(y))) / max(C(x), C(y)) of the compressed lengths C (Li et al. 2004, The
    similarity metric), x from `a` and first. It is no metric: not 0 of equal texts, nor quite
    symmetric, and it may exceed 1. gzip sees 32 kB back, so that of longer texts it compares ends
    with beginnings.

    Examples
    --------
    >>> import bowstring as bow
    >>> found = bow.select.ncd(["to be or not to be"], ["not to be or to be", "lorem ipsum"])
    >>> [round(distance, 3) for distance in found[0].as_py()]
    [0.229, 0.429]
    """
    named = _compressor(compressor, level)
    check_flags(pairs=pairs)
    source = as_column(a, None, "a")
    with progress_callback(progress, source) as report:
        found = _core.ncd(
            source.stream,
            as_column(b, None, "b").stream,
            pairs,
            named,
            as_option(threads, "threads"),
            report,
        )
    array: pa.Array[Any] = _pa.array(found)
    return array


def _compressor(name: Any, level: Any) -> tuple[str, int | None]:
    if not isinstance(name, str):
        raise UnsupportedType(f"compressor is {name!r}: give a name, such as 'gzip'")
    number = as_option(level, "level")
    if number is not None and number > 12:
        raise InvalidInput(f"level is {number}: give 1 to 9")
    return name, number
