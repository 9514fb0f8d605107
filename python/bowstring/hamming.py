"""Hamming distances of a pattern to every window of a text: exact, bounded and approximate.

The distance at a shift is the number of symbols of the pattern that differ from those of the text
below them. Symbols are bytes of text, or tokens; `wildcard`, `ignore_case` and `symbol_map` say
which of them count as equal. And the same question of whole numbers: the sums of two collections,
and how many pairs give each.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import pyarrow as pa

from bowstring import _core
from bowstring.columns import (
    TEXT,
    as_array,
    as_float,
    as_option,
    is_text,
    one_chunk,
)
from bowstring.errors import InvalidInput, UnsupportedType
from bowstring.index import Index, Progress
from bowstring.report import progress_callback

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# What pyarrow's stubs know wrongly.
_pa: Any = pa

Method: TypeAlias = Literal["direct", "sliced", "fft", "lists"]
Guarantee: TypeAlias = Literal["additive", "relative"]
Engine: TypeAlias = Literal["windows", "bits", "fft", "sort"]
Symbols: TypeAlias = str | bytes | int | Iterable[int]

METHODS = ("direct", "sliced", "fft", "lists")
ENGINES = ("windows", "bits", "fft", "sort")


@dataclass(frozen=True, slots=True)
class Step:
    """What one kernel counts in a plan."""

    method: Method
    """The kernel."""
    symbols: int
    """Distinct symbols that it counts."""
    positions: int
    """Positions of the pattern that it counts."""
    nanoseconds: float
    """Predicted nanoseconds a window, on one core."""
    transform: int | None
    """Symbols of a transform; None but for `"fft"`."""
    pieces: int | None
    """Pieces that the pattern is cut into, so that transforms round right; None but for `"fft"`."""
    error_bound: float
    """Bound of the rounding error, below 1/2; 0 of kernels that count in whole numbers."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How distances would be counted; made by `plan`."""

    steps: tuple[Step, ...]
    """The kernels; together they count every position of the pattern that is no wildcard."""
    windows: int
    """Windows of the text."""
    nanoseconds: float
    """Predicted nanoseconds a window, on one core."""
    simd: str
    """The instructions that the kernels use: `"avx512"`, `"avx2"`, `"neon"` or `"portable"`."""


@dataclass(frozen=True, slots=True)
class Approximation:
    """Estimated distances, and how they came about; made by `approximate`."""

    distances: pa.Array[Any] = field(repr=False)
    """The estimate for each window: `float`."""
    method: Literal["exact", "sampling", "projection"]
    """`"exact"` where exact distances were predicted to cost less than the promise."""
    positions: int
    """Positions of the pattern that were sampled; 0 of the other methods."""
    trials: int
    """Random projections; 0 of the other methods."""
    error: float
    """99th percentile of the relative error, measured on a sample of 512 windows."""
    best: pa.Table = field(repr=False)
    """`start: uint64, distance: uint32`: the nearest windows, exactly, without a guarantee."""


def distances(
    text: Any,
    pattern: Any,
    *,
    wildcard: Symbols = (),
    ignore_case: bool = False,
    symbol_map: Mapping[Any, Any] | bytes | None = None,
    method: Method | None = None,
    threads: int | None = None,
    progress: Progress = None,
) -> Any:
    """Count the mismatches of a pattern with every window of a text.

    Parameters
    ----------
    text
        A `str`, `bytes`, list or array of whole numbers (tokens), or a column of those.
    pattern
        The same, as long as the text at most; or a column of patterns.
    wildcard
        Symbols that match anything, in the text and in the pattern: characters of ASCII, or
        numbers.
    ignore_case
        Let letters of ASCII match whatever their case.
    symbol_map
        Symbols that count as others: a mapping from characters of ASCII or numbers to such, or
        256 bytes as `bytes.maketrans` makes them.
    method
        The kernel to use, instead of those that `plan` predicts to cost least.
    threads
        Threads to use; all by default.
    progress
        True for a bar, or a callable that takes the phase, the windows counted so far (by each
        kernel of the plan) and the total.

    Returns
    -------
    pyarrow.Array
        The n - m + 1 distances of a text of n symbols and a pattern of m: `uint8` where m is at
        most 255, `uint16` to 65,535, else `uint32`. For a column of texts or of patterns one
        `large_list` of those for each, as wide as the longest needs: null where the text or
        pattern is, empty where a text is shorter than the pattern. For both a table of
        `text: uint64, pattern: uint64, distances`, a row a pair, in that order.

    Raises
    ------
    InvalidInput
        If a pattern is empty, or longer than the one text; if a wildcard is no symbol.
    UnsupportedType
        If one is text and the other tokens.

    Notes
    -----
    Characters of strings count as their bytes of UTF-8. Time is O(n m) in steps of 64 to 256
    pairs for short patterns, and at most O(n √(m log m)): transforms for symbols that are
    frequent in the pattern, lists of occurrences for the others (Abrahamson 1987). Memory is that
    of the distances, and 4 bytes for each occurrence that is listed. Every distance is exact: the
    error of the transforms is bounded below 1/2.

    Examples
    --------
    >>> import bowstring as bow
    >>> bow.hamming.distances("abracadabra", "abba").to_pylist()
    [1, 4, 3, 3, 3, 3, 3, 1]
    >>> bow.hamming.distances(["GATTACA", "TAC"], "TNC", wildcard="N").to_pylist()
    [[2, 2, 1, 0, 2], [0]]
    >>> bow.hamming.distances([1, 2, 3, 1, 2], [1, 2]).to_pylist()
    [0, 2, 2, 0]
    """
    texts, one_text, _ = _texts(text, "text")
    patterns, one_pattern, _ = _texts(pattern, "pattern")
    asked = _asked(texts, wildcard, ignore_case, symbol_map, method)
    one = one_text and one_pattern
    number = as_option(threads, "threads")
    with progress_callback(progress) as report:
        lent: Any = _core.hamming_distances(texts, patterns, one, asked, number, report)
    found: Any = pa.array(lent)
    if one or one_text or one_pattern:
        return found
    numbers = pa.array(range(len(patterns)), pa.uint64())
    places = [pa.array([at], pa.uint64()) for at in range(len(texts))]
    repeated = [_pa.repeat(place[0], len(patterns)) for place in places]
    empty = pa.array([], pa.uint64())
    return pa.table(
        {
            "text": pa.concat_arrays(repeated) if repeated else empty,
            "pattern": pa.concat_arrays([numbers] * len(places)) if places else empty,
            "distances": found,
        }
    )


def within(
    texts: Any,
    patterns: Any,
    k: int,
    *,
    best: bool = False,
    overlapping: bool = True,
    wildcard: Symbols = (),
    ignore_case: bool = False,
    symbol_map: Mapping[Any, Any] | bytes | None = None,
    threads: int | None = None,
    progress: Progress = None,
) -> pa.Table:
    """Find the windows that differ from a pattern in at most `k` symbols.

    Parameters
    ----------
    texts
        A text or a column of them, as in `distances`; or an `Index`, which is asked by its
        `search_within`.
    patterns
        A pattern, or a column of them.
    k
        The most symbols that may differ.
    best
        Only the windows of the least distance, for each pattern in each text.
    overlapping
        False for windows of a pattern in a text that do not overlap: the nearest ones first, the
        leftmost among equals.
    wildcard, ignore_case, symbol_map, threads, progress
        As in `distances`.

    Returns
    -------
    pyarrow.Table
        `start: uint64, distance: uint32`, behind `text: uint64` for a column of texts or an
        index, and `pattern: uint64` for a column of patterns; ordered by text, pattern and start
        (by pattern first, of an index). `start` counts symbols: bytes of a string, of which no
        window cuts a character.

    Raises
    ------
    InvalidInput, UnsupportedType
        As `distances`, but that a text may be shorter than the pattern; of an index also if `k`
        reaches the length of a pattern, or if one of the options is given.

    Notes
    -----
    256 windows at a time, rarest symbols first, until none of them is within `k`: about
    O(n k / (1 - p)) where a share p of the positions looked at match, whatever the pattern's
    length; never much more than all exact distances. With an index pieces of the pattern are
    looked up, and only what stands around them is read.

    Examples
    --------
    >>> import bowstring as bow
    >>> bow.hamming.within("the cat sat on the mat", "hat", 1).to_pylist()[:2]
    [{'start': 4, 'distance': 1}, {'start': 8, 'distance': 1}]
    >>> bow.hamming.within(["a mat", "the hat"], "hat", 1, best=True)["text"].to_pylist()
    [0, 1]
    """
    k = as_option(k, "k", required=True)
    _check_flags(best=best, overlapping=overlapping)
    if isinstance(texts, Index):
        others = (best, not overlapping, ignore_case, symbol_map is not None, wildcard != ())
        if any(others) or progress:
            raise InvalidInput(
                "best, overlapping, wildcard, ignore_case, symbol_map and progress are not for an "
                "index: leave them out, or give the texts"
            )
        found = texts.search_within(patterns, k, threads=threads)
        names = {"query": "pattern", "row": "text", "start": "start", "distance": "distance"}
        kept = [
            name for name in ("row", "query", "start", "distance") if name in found.schema.names
        ]
        return found.select(kept).rename_columns([names[name] for name in kept])
    columns, one_text, characters = _texts(texts, "texts")
    needles, one_pattern, _ = _texts(patterns, "patterns")
    asked = _asked(columns, wildcard, ignore_case, symbol_map, None)
    many = (not one_text, not one_pattern)
    with progress_callback(progress) as report:
        lent = _core.hamming_within(
            columns,
            needles,
            many,
            k,
            best,
            not overlapping,
            characters,
            asked,
            as_option(threads, "threads"),
            report,
        )
    return pa.table(lent)


def best(
    text: Any,
    pattern: Any,
    top: int = 1,
    *,
    wildcard: Symbols = (),
    ignore_case: bool = False,
    symbol_map: Mapping[Any, Any] | bytes | None = None,
    threads: int | None = None,
    progress: Progress = None,
) -> pa.Table:
    """Find the windows nearest to a pattern.

    Parameters
    ----------
    text, pattern
        As in `distances`.
    top
        How many windows to give, for each pattern in each text.
    wildcard, ignore_case, symbol_map, threads, progress
        As in `distances`.

    Returns
    -------
    pyarrow.Table
        `start: uint64, distance: uint32`, nearest first, the leftmost among equals; behind
        `text: uint64` and `pattern: uint64` for columns.

    Raises
    ------
    InvalidInput, UnsupportedType
        As `distances`, but that a text may be shorter than the pattern.

    Notes
    -----
    As `distances`, and O(log top) for each window that is among the nearest so far.

    Examples
    --------
    >>> import bowstring as bow
    >>> bow.hamming.best("abracadabra", "abba", 2).to_pylist()
    [{'start': 0, 'distance': 1}, {'start': 7, 'distance': 1}]
    """
    texts, one_text, _ = _texts(text, "text")
    patterns, one_pattern, _ = _texts(pattern, "pattern")
    asked = _asked(texts, wildcard, ignore_case, symbol_map, None)
    many = (not one_text, not one_pattern)
    number = as_option(top, "top", required=True)
    cores = as_option(threads, "threads")
    with progress_callback(progress) as report:
        lent = _core.hamming_nearest(texts, patterns, many, number, asked, cores, report)
    return pa.table(lent)


def approximate(
    text: Any,
    pattern: Any,
    epsilon: float = 0.05,
    delta: float = 0.001,
    seed: int = 0,
    *,
    guarantee: Guarantee | None = "additive",
    trials: int = 2,
    verify: int = 100,
    always: bool = False,
    wildcard: Symbols = (),
    ignore_case: bool = False,
    symbol_map: Mapping[Any, Any] | bytes | None = None,
    threads: int | None = None,
    progress: Progress = None,
) -> Approximation:
    """Estimate the distance of a pattern to every window of a text.

    Parameters
    ----------
    text, pattern
        One text and one pattern, as in `distances`.
    epsilon, delta
        What is promised: with probability 1 - `delta` an error of at most `epsilon` at every
        window.
    seed
        What positions and signs are drawn by: the same seed gives the same estimates.
    guarantee
        `"additive"`: the error is a share of the pattern's length. `"relative"`: of the distance.
        None: nothing is promised, and `epsilon` and `delta` are not used.
    trials
        Random projections, where nothing is promised.
    verify
        How many of the nearest windows to count exactly, where nothing is promised.
    always
        Estimate even where exact distances are predicted to cost less, which are given otherwise.
    wildcard, ignore_case, symbol_map, threads, progress
        As in `distances`.

    Returns
    -------
    Approximation
        The estimates, how they were made, and their measured error.

    Raises
    ------
    InvalidInput
        As `distances`; if `epsilon` or `delta` is not between 0 and 1.

    Notes
    -----
    Additive: ln(2n/δ) / (2ε²) sampled positions (Hoeffding 1963), whatever m is: 4,744 of them
    for n = 10⁷, ε = 0.05, δ = 0.001. Relative: correlations of random signs (Karloff 1993), of
    which 8 ln(2n/δ) / ε² keep the promise in the worst case; that is more than exact distances
    cost on nearly all alphabets, which then are what is given. A text with wildcards is never
    projected.

    Examples
    --------
    >>> import bowstring as bow
    >>> text, pattern = "to be or not to be " * 500, "to be or not to bee " * 50
    >>> found = bow.hamming.approximate(text, pattern, guarantee=None, always=True, verify=1)
    >>> found.method, found.trials, len(found.distances)
    ('projection', 2, 8501)
    """
    if guarantee not in ("additive", "relative", None):
        raise InvalidInput(f'guarantee is {guarantee!r}: give "additive", "relative" or None')
    _check_flags(always=always)
    texts, needles = _pair(text, pattern)
    asked = _asked(texts, wildcard, ignore_case, symbol_map, None)
    with progress_callback(progress) as report:
        found = _core.hamming_approximate(
            texts,
            needles,
            guarantee,
            as_float(epsilon, "epsilon"),
            as_float(delta, "delta"),
            as_option(trials, "trials", required=True),
            as_option(verify, "verify", required=True),
            as_option(seed, "seed", required=True),
            always,
            asked,
            as_option(threads, "threads"),
            report,
        )
    estimates, method, positions, tried, error, verified = found
    lent: Any = estimates
    return Approximation(pa.array(lent), method, positions, tried, error, pa.table(verified))


def plan(
    text: Any,
    pattern: Any,
    *,
    wildcard: Symbols = (),
    ignore_case: bool = False,
    symbol_map: Mapping[Any, Any] | bytes | None = None,
    method: Method | None = None,
) -> Plan:
    """Say which kernels would count the distances, at what predicted cost.

    Parameters
    ----------
    text, pattern
        One text and one pattern, as in `distances`.
    wildcard, ignore_case, symbol_map, method
        As in `distances`.

    Returns
    -------
    Plan
        The kernels, in order, with predictions and the bound of the rounding error.

    Raises
    ------
    InvalidInput, UnsupportedType
        As `distances`.

    Notes
    -----
    O(m + s²) for s distinct symbols, and a sample of the text; all of it where it may be closed,
    that is have no symbols but the pattern's.

    Examples
    --------
    >>> import bowstring as bow
    >>> plan = bow.hamming.plan("abracadabra", "abba")
    >>> [step.method for step in plan.steps], plan.windows
    (['direct'], 8)
    """
    texts, needles = _pair(text, pattern)
    asked = _asked(texts, wildcard, ignore_case, symbol_map, method)
    windows, nanoseconds, simd, steps = _core.hamming_plan(texts, needles, asked)
    return Plan(tuple(Step(**step) for step in steps), windows, nanoseconds, simd)


def profile(
    text: Any,
    pattern: Any,
    path: str | os.PathLike[str] | None = None,
    *,
    wildcard: Symbols = (),
    ignore_case: bool = False,
    symbol_map: Mapping[Any, Any] | bytes | None = None,
    threads: int | None = None,
) -> Figure:
    """Plot the distance of a pattern over the windows of a text.

    Where windows are more than pixels, each pixel shows the least and the largest of its windows,
    so that no near window is lost. The nearest one is marked.

    Parameters
    ----------
    text, pattern
        One text and one pattern, as in `distances`.
    path
        Where to write the figure: `.png`, `.svg` or `.pdf`.
    wildcard, ignore_case, symbol_map, threads
        As in `distances`.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.

    Raises
    ------
    InvalidInput
        As `distances`; if `path` ends in something else.
    MissingPackage
        If matplotlib is not installed: it comes with `bowstring[plot]`.

    Examples
    --------
    >>> import bowstring as bow
    >>> bow.hamming.profile("abracadabra", "abba").axes[0].get_ylabel()
    'mismatches'
    """
    from bowstring import plot

    if path is not None:
        plot.check_path(path, suffixes=plot.PICTURES)
    plot.check_matplotlib()
    _pair(text, pattern)
    found = distances(
        text,
        pattern,
        wildcard=wildcard,
        ignore_case=ignore_case,
        symbol_map=symbol_map,
        threads=threads,
    )
    figure = plot.profile_figure(found)
    if path is not None:
        figure.savefig(path)
    return figure


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


def _texts(value: Any, name: str) -> tuple[Any, bool, bool]:
    """Make one text, or a column of them, a column; say if it was one, and if it is of strings."""
    if isinstance(value, str):
        try:
            return _one_binary(value.encode()), True, True
        except UnicodeEncodeError as error:
            raise InvalidInput(
                f"{name} is not text: {error}; take the lone surrogates out"
            ) from None
    if isinstance(value, bytes | bytearray | memoryview):
        return _one_binary(value), True, False
    if value is None:
        raise InvalidInput(f"{name} is None: give a text, a list of tokens, or a column of them")
    if isinstance(value, list | tuple | range):
        if not value:
            return pa.array([], TEXT), False, False
        first = next((one for one in value if one is not None), None)
        if isinstance(first, int) or hasattr(first, "__index__"):
            return _one_list(_whole(value, name)), True, False
    elif _is_of_integers(value):
        return _one_list(_whole(value, name)), True, False
    column = as_array(value, name)
    return column, False, is_text(column.type)


def _pair(text: Any, pattern: Any) -> tuple[Any, Any]:
    """Make one text and one pattern columns of one."""
    texts, one_text, _ = _texts(text, "text")
    needles, one_pattern, _ = _texts(pattern, "pattern")
    for one, name in ((one_text, "text"), (one_pattern, "pattern")):
        if not one:
            raise UnsupportedType(f"{name} is a column: give one {name}")
    return texts, needles


def _is_of_integers(value: Any) -> bool:
    """Say whether an array is one of whole numbers, and so one text of tokens."""
    kind = getattr(getattr(value, "dtype", None), "kind", None)
    if kind is not None:  # NumPy's, or pandas'
        return kind in "iu" and getattr(value, "ndim", 1) == 1
    type = getattr(value, "type", None)
    if isinstance(type, pa.DataType):
        return pa.types.is_integer(type)
    return getattr(getattr(value, "dtype", None), "is_integer", lambda: False)() is True


def _whole(value: Any, name: str) -> Any:
    """Make a list or array of whole numbers an Arrow array of them."""
    if isinstance(value, pa.Array | pa.ChunkedArray):
        held: pa.Array[Any] = one_chunk(value)
        return held
    try:
        if hasattr(value, "__arrow_c_stream__"):
            array: Any = one_chunk(pa.chunked_array(value))
        else:
            array = pa.array(value)
    except OverflowError:
        raise InvalidInput(f"{name} holds a number that does not fit 64 bits") from None
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise UnsupportedType(f"{name} holds what is no whole number: {error}") from None
    if not pa.types.is_integer(array.type):
        raise UnsupportedType(f"{name} is a column of {array.type}: give whole numbers")
    return array


def _one_binary(data: bytes | bytearray | memoryview) -> pa.Array[Any]:
    """Lend bytes as a column of one, without a copy."""
    buffer = pa.py_buffer(data)
    offsets = pa.array([0, buffer.size], pa.int64()).buffers()[1]
    lent: pa.Array[Any] = pa.Array.from_buffers(pa.large_binary(), 1, [None, offsets, buffer])
    return lent


def _one_list(tokens: Any) -> pa.Array[Any]:
    """Make tokens a column of one list."""
    return pa.LargeListArray.from_arrays(pa.array([0, len(tokens)], pa.int64()), tokens)


def _asked(
    texts: Any,
    wildcard: Symbols,
    ignore_case: bool,
    symbol_map: Mapping[Any, Any] | bytes | None,
    method: Method | None,
) -> tuple[list[int], dict[int, int], str | None]:
    """Make what counts as equal, and the method, the core's."""
    tokens = pa.types.is_large_list(texts.type) or "list" in str(texts.type)
    most = (1 << 32) - 1 if tokens else 255
    _check_flags(ignore_case=ignore_case)
    if method is not None and method not in METHODS:
        raise InvalidInput(f"method is {method!r}: give one of {', '.join(METHODS)}, or None")
    if isinstance(wildcard, int):
        wildcard = (wildcard,)
    wildcards = sorted({_symbol(one, "wildcard", most) for one in wildcard})
    if ignore_case and tokens:
        raise UnsupportedType("ignore_case is for text, and text holds tokens: give a symbol_map")
    mapped: dict[int, int] = {}
    if ignore_case:
        mapped |= {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
    if isinstance(symbol_map, bytes | bytearray):
        if len(symbol_map) != 256:
            raise InvalidInput(
                f"symbol_map has {len(symbol_map)} bytes: give 256, as bytes.maketrans does"
            )
        symbol_map = {at: to for at, to in enumerate(symbol_map) if at != to}
    if symbol_map is not None:
        if not isinstance(symbol_map, Mapping):
            raise UnsupportedType(f"symbol_map is {symbol_map!r}: give a mapping or 256 bytes")
        given = {
            _symbol(one, "symbol_map", most): _symbol(to, "symbol_map", most)
            for one, to in symbol_map.items()
        }
        mapped = {one: mapped.get(to, to) for one, to in given.items()} | {
            one: given.get(to, to) for one, to in mapped.items() if one not in given
        }
    return wildcards, mapped, method


def _symbol(value: Any, name: str, most: int) -> int:
    """Make a character of ASCII, or a number, a symbol."""
    if isinstance(value, str | bytes) and len(value) == 1 and most == 255:
        if isinstance(value, bytes):
            return value[0]
        if value.isascii():
            return ord(value)
        raise InvalidInput(f"{name} holds {value!r}: give characters of ASCII, or bytes")
    if isinstance(value, str | bytes):
        raise UnsupportedType(f"{name} holds {value!r}: give single characters, or numbers")
    number = as_option(value, name, required=True)
    if number > most:
        raise InvalidInput(f"{name} holds {number}: symbols are from 0 to {most}")
    return number


def _check_flags(**flags: Any) -> None:
    """Refuse what is neither True nor False."""
    for name, value in flags.items():
        if not isinstance(value, bool):
            raise UnsupportedType(f"{name} is {value!r}: give True or False")


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
    array = _whole(value, name)
    if array.null_count:
        raise InvalidInput(f"{name} holds a null: drop the nulls")
    try:
        numbers: pa.Array[Any] = array.cast(pa.int64())
    except pa.ArrowInvalid as error:
        raise InvalidInput(f"{name} holds a number that does not fit int64: {error}") from None
    return numbers
