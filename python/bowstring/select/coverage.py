"""Rows that together have most of a target's n-grams: facility location over n-grams."""

from __future__ import annotations

from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from bowstring import _core
from bowstring.columns import as_option, check_flags
from bowstring.cutting import TOKEN_PATTERN, Analyzer, Cutting
from bowstring.errors import InvalidInput
from bowstring.frames import like
from bowstring.report import progress_callback
from bowstring.select.resampling import rereadable

# What pyarrow's stubs do not know, or know wrongly.
_pa: Any = pa
_pc: Any = pc


def cover(
    candidates: Any,
    target: Any,
    k: int | None = None,
    *,
    column: str | None = None,
    target_column: str | None = None,
    analyzer: Analyzer = "word",
    ngram_range: tuple[int, int] = (1, 2),
    lowercase: bool = True,
    token_pattern: str = TOKEN_PATTERN,
    stop_words: Any = None,
    binary: bool = False,
    by: Literal["ngrams", "rows"] = "ngrams",
    threads: int | None = None,
    progress: Any = None,
) -> Any:
    """Pick candidates that together have as much of a target's n-grams as so many can.

    Facility location over shared n-grams: maximises `f(S) = Σ_u w_u max_{j in S} s_uj` over sets S
    of `k` candidates. By n-grams, u are those of the target, and s_uj is 1 if candidate j has u: a
    part of the target is covered by all picks together. By rows, u are the rows of the target, and
    s_uj is the share of the row's n-grams that candidate j has: each row is covered by one pick.

    Parameters
    ----------
    candidates, target
        Columns of text, or with `analyzer="token"` of tokens: arrays, Series, lists, frames with
        `column` and `target_column`, or paths of files. Null rows are left out.
    k
        How many to pick; all by default, though those after the last gain add nothing.
    column, target_column
        The names of the columns, where there are several.
    analyzer, ngram_range, lowercase, token_pattern, stop_words
        What n-grams are, as in `bowstring.counts.NGramCounter`.
    binary
        Whether each n-gram of the target weighs 1, rather than as much as it occurs there.
    by
        `"ngrams"` or `"rows"`: what of the target is covered.
    threads
        Threads to use; all by default.
    progress
        True for a bar, or a callable that takes the phase, the picks done and their total.

    Returns
    -------
    pyarrow.Table
        `row: uint64, gain: double, rank: uint64`, in the order of picks, ranks from 1 on. The gain
        is the weight of the target's n-grams that the row has and no pick before it; by rows, what
        it adds to the sum of their shares, which is at most the number of rows. A polars or pandas
        frame if the candidates are of polars or pandas.

    Raises
    ------
    InvalidInput
        If the target has no n-grams, `k` is larger than there are candidates, or an option has a
        value that it cannot have.
    UnsupportedType
        If a column holds no text.

    Notes
    -----
    Greedy: each pick adds the most, of equal ones the first row is picked. What so many rows cover
    is at least 1 - 1/e of the most that they can (Nemhauser, Wolsey and Fisher 1978). Rows are
    weighed again only when they may be the best (Minoux 1978), which changes no pick. O(text) time
    (by rows, also a candidate's shared n-grams times the rows that have each, whenever it is
    weighed), and 24 bytes for each n-gram that a candidate shares with the target.

    Examples
    --------
    >>> import bowstring as bow
    >>> rows = ["the cat", "the cat sat", "on the mat", "a dog"]
    >>> found = bow.select.cover(rows, ["the cat sat on the mat"], k=2, ngram_range=(1, 1))
    >>> found.to_pylist()
    [{'row': 1, 'gain': 4.0, 'rank': 1}, {'row': 2, 'gain': 2.0, 'rank': 2}]
    >>> found = bow.select.cover(rows, ["a cat", "the mat"], k=2, ngram_range=(1, 1), by="rows")
    >>> found["row"].to_pylist(), found["gain"].to_pylist()
    ([0, 2], [1.5, 0.5])
    """
    if by not in ("ngrams", "rows"):
        raise InvalidInput(f'by is {by!r}: give "ngrams" or "rows"')
    check_flags(binary=binary)
    cutting = Cutting(analyzer, ngram_range, lowercase, token_pattern, stop_words)
    least, most = cutting.orders
    thread_count, count = as_option(threads, "threads"), as_option(k, "k")
    # The rows of a target that are covered are counted again by what all of them have.
    once = rereadable(target, target_column, "target") if by == "rows" else None
    wanted = cutting.source(once().stream, None) if once else cutting.source(target, target_column)
    with progress_callback(progress, wanted) as report:
        counted = _core.count_ngrams(
            wanted.stream, *cutting.core(), least, most, thread_count, report
        )
        frequencies: Any = pa.table(counted.frequencies())
        if not frequencies.num_rows:
            raise InvalidInput(
                "target has no n-grams: give rows with words, or a smaller ngram_range"
            )
        vocabulary = counted.vocabulary(None, cutting.kernel)
        weights = frequencies["count"].cast(pa.float64())
        if binary:
            weights = _pa.repeat(pa.scalar(1.0), len(weights))

        def counts(source: Any, occurs: bool) -> Any:
            cut = cutting.source(source().stream, None).stream
            found = vocabulary.count(cut, *cutting.core()[1:], occurs, thread_count, report)
            starts, columns, numbers = (_pa.array(part) for part in found)
            return starts.cast(pa.int64()), columns, numbers.cast(pa.float64()), len(weights)

        opened = rereadable(candidates, column, "candidates")
        rows = counts(opened, True)
        # Null rows count nothing, but are no candidates.
        allowed = [_pc.is_valid(_plain(chunk)) for chunk in chunks(opened().stream)]
        found = _core.cover(
            rows,
            weights,
            counts(once, binary) if once else None,
            _pa.chunked_array(allowed, pa.bool_()),
            count,
            thread_count,
            report,
        )
    return like(pa.table(found), candidates)


def chunks(stream: Any) -> Any:
    """Go through the arrays of a stream, or of a column in memory.

    Examples
    --------
    >>> [len(chunk) for chunk in chunks(pa.chunked_array([["a"], ["b", "c"]]))]
    [1, 2]
    """
    if isinstance(stream, pa.Array):
        return iter([stream])
    return iter(stream.chunks) if isinstance(stream, pa.ChunkedArray) else iter(stream)


def _plain(chunk: Any) -> Any:
    """Decode dictionaries: their values may be null too."""
    return chunk.dictionary_decode() if pa.types.is_dictionary(chunk.type) else chunk
