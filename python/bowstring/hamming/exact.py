"""Exact distances of a pattern to every window, how they would be counted, and the nearest."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from bowstring import _core
from bowstring.columns import as_option
from bowstring.hamming.symbols import Method, Symbols, asked_of, pair_of, texts_of
from bowstring.index import Progress
from bowstring.report import progress_callback

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# What pyarrow's stubs know wrongly.
_pa: Any = pa


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
    texts, one_text, _ = texts_of(text, "text")
    patterns, one_pattern, _ = texts_of(pattern, "pattern")
    asked = asked_of(texts, wildcard, ignore_case, symbol_map, method)
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
    texts, one_text, _ = texts_of(text, "text")
    patterns, one_pattern, _ = texts_of(pattern, "pattern")
    asked = asked_of(texts, wildcard, ignore_case, symbol_map, None)
    many = (not one_text, not one_pattern)
    number = as_option(top, "top", required=True)
    cores = as_option(threads, "threads")
    with progress_callback(progress) as report:
        lent = _core.hamming_nearest(texts, patterns, many, number, asked, cores, report)
    return pa.table(lent)


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
    texts, needles = pair_of(text, pattern)
    asked = asked_of(texts, wildcard, ignore_case, symbol_map, method)
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
    pair_of(text, pattern)
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
