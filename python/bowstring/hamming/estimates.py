"""Estimated distances, with a promise or without."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import pyarrow as pa

from bowstring import _core
from bowstring.columns import as_float, as_option, check_flags
from bowstring.errors import InvalidInput
from bowstring.hamming.symbols import Symbols, asked_of, pair_of
from bowstring.index import Progress
from bowstring.report import progress_callback

Guarantee: TypeAlias = Literal["additive", "relative"]


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
    check_flags(always=always)
    texts, needles = pair_of(text, pattern)
    asked = asked_of(texts, wildcard, ignore_case, symbol_map, None)
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
