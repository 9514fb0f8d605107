"""Rows drawn by how much likelier their n-grams are in a target than among the candidates."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any, Literal

import pyarrow as pa

from bowstring import _core
from bowstring.columns import Source, as_array, as_column, as_float, as_option, check_flags
from bowstring.cutting import Analyzer, Cutting, is_arrow
from bowstring.errors import InvalidInput
from bowstring.frames import like
from bowstring.report import progress_callback

TOKEN_PATTERN = r"\w+|[^\w\s]+"
"""Words and runs of marks: DSIR's tokens."""


def resample(
    candidates: Any,
    target: Any,
    k: int | None = None,
    *,
    column: str | None = None,
    target_column: str | None = None,
    draw: bool = True,
    seed: int = 0,
    hash: Literal["murmur3", "sha256"] = "murmur3",
    n_features: int = 10_000,
    min_length: int = 0,
    smoothing: float = 0.0,
    analyzer: Analyzer = "word",
    ngram_range: tuple[int, int] = (1, 2),
    lowercase: bool = True,
    token_pattern: str = TOKEN_PATTERN,
    threads: int | None = None,
    progress: Any = None,
) -> Any:
    r"""Draw candidates by their importance: how much likelier their n-grams are in a target.

    Parameters
    ----------
    candidates, target
        Columns of text, or with `analyzer="token"` of tokens: arrays, Series, lists, frames with
        `column` and `target_column`, or paths of files. Candidates are read twice; paths and
        datasets are opened twice and never in memory as a whole. Null rows are left out.
    k
        How many to draw; all by default.
    column, target_column
        The names of the columns, where there are several.
    draw
        Whether to draw rows without replacement, in proportion to the exponential of their scores;
        else the highest scores are taken.
    seed
        The draw. A row's part in it depends on the seed and its number alone.
    hash
        `"murmur3"`, or `"sha256"`: the buckets of the authors' package, many times slower.
    n_features
        Buckets of n-grams.
    min_length
        Leave out rows of fewer tokens; the authors' package has 100.
    smoothing
        Added to the target's count of each bucket.
    analyzer, ngram_range, lowercase, token_pattern
        As in `bowstring.counts.HashedCounter`; the defaults are the authors', words and runs of
        marks alone and in pairs. Only patterns that run in the core.
    threads
        Threads to use; all by default.
    progress
        True for a bar, or a callable that takes the phase, the rows done and their total.

    Returns
    -------
    pyarrow.Table
        `row: uint64, score: double, rank: uint64`, in the order of the draw, or of scores; ranks
        from 1 on. The score is the logarithm of the importance weight. A polars or pandas frame if
        the candidates are of polars or pandas.

    Raises
    ------
    InvalidInput
        If target or candidates have no n-grams, `k` is larger than there are candidates of
        `min_length`, or an option has a value that it cannot have.
    UnsupportedType
        If a column holds no text.

    Notes
    -----
    DSIR: Xie et al. (2023), Data selection for language models via importance resampling. With p
    and q the shares of a bucket among the n-grams of the target and of the candidates, the score of
    a row is the sum of ln(p + 10⁻⁸) - ln(q + 10⁻⁸) over its n-grams: it grows with length, so that
    rows should be of like lengths. To draw is to add Gumbel noise and take the highest. O(text)
    time, twice; 24 bytes a row and 16 a bucket and thread.

    Examples
    --------
    >>> import bowstring as bow
    >>> rows = ["the sum of two primes", "buy cheap watches", "an even sum"]
    >>> found = bow.select.resample(rows, ["two primes", "an even sum"], k=2, draw=False)
    >>> found["row"].to_pylist()
    [2, 0]
    """
    if hash not in ("murmur3", "sha256"):
        raise InvalidInput(f'hash is {hash!r}: give "murmur3" or "sha256"')
    check_flags(draw=draw)
    buckets = as_option(n_features, "n_features", required=True)
    if not 1 <= buckets <= 1 << 28:
        raise InvalidInput(f"n_features is {buckets}: give a number from 1 to 2^28")
    cutting = Cutting(analyzer, ngram_range, lowercase, token_pattern, None)
    if cutting.pattern is not None:
        raise InvalidInput(
            rf"token_pattern is {token_pattern!r}: give one that runs in the core, such as \w+, "
            r"\S+ or \w+|[^\w\s]+"
        )
    length = as_option(min_length, "min_length", required=True)
    number = as_option(seed, "seed", required=True)
    open_again = rereadable(candidates, column, "candidates")
    source, again = open_again(), open_again()
    wanted = as_column(target, target_column, "target")
    with progress_callback(progress, source) as report:
        found = _core.resample(
            source.stream,
            again.stream,
            wanted.stream,
            *cutting.core(),
            cutting.least,
            cutting.most,
            hash,
            buckets,
            as_float(smoothing, "smoothing"),
            as_option(k, "k"),
            length,
            number if draw else None,
            as_option(threads, "threads"),
            report,
        )
    return like(pa.table(found), candidates)


def rereadable(data: Any, column: str | None, name: str) -> Callable[[], Source]:
    """Make what opens a column each time it is called; in memory only if it can be read but once.

    Examples
    --------
    >>> opened = rereadable(iter(["a", "b"]), None, "candidates")
    >>> opened().rows, opened().rows
    (2, 2)
    """
    dataset = sys.modules.get("pyarrow.dataset")
    kept = isinstance(data, str | os.PathLike) or (
        isinstance(data, list | tuple) and bool(data) and isinstance(data[0], os.PathLike)
    )
    if kept or (dataset is not None and isinstance(data, dataset.Dataset)):
        return lambda: as_column(data, column, name)
    source = as_column(data, column, name)
    if is_arrow(source.stream):
        return lambda: source
    held = as_array(source.stream, name)
    return lambda: Source(held, len(held), held.nbytes)
