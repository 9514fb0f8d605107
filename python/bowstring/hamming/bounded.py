"""The windows that differ from a pattern in few symbols."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from bowstring import _core
from bowstring.columns import as_option, check_flags
from bowstring.errors import InvalidInput
from bowstring.hamming.symbols import Symbols, asked_of, texts_of
from bowstring.index import Index, Progress
from bowstring.report import progress_callback


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
    check_flags(best=best, overlapping=overlapping)
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
    columns, one_text, characters = texts_of(texts, "texts")
    needles, one_pattern, _ = texts_of(patterns, "patterns")
    asked = asked_of(columns, wildcard, ignore_case, symbol_map, None)
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
