"""How much rows repeat themselves: n-grams, lines, repeats, loops, and Gopher's rules."""

from __future__ import annotations

import zlib
from typing import Any, Literal, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from bowstring import _core
from bowstring.columns import TEXT, TOKENS, as_array, as_float, as_option, one_chunk, widest
from bowstring.errors import InvalidInput, UnsupportedType
from bowstring.index import Progress
from bowstring.report import progress_callback

# What pyarrow's stubs do not know, or know wrongly.
_pc: Any = pc

Definition: TypeAlias = Literal["datatrove", "dolma", "nemo"]


def repetition(
    data: Any,
    column: str | None = None,
    *,
    definition: Definition = "datatrove",
    words: Any = None,
    filter: Literal["gopher"] | None = None,
    compression: bool = False,
    threads: int | None = None,
    progress: Progress = None,
) -> pa.Table:
    r"""Measure of each row of a column how much it repeats itself.

    Parameters
    ----------
    data
        Anything that holds a column of text or tokens.
    column
        The column's name, where `data` has several.
    definition
        Whose shares of lines, paragraphs and n-grams, which differ: those of `"datatrove"`'s
        `GopherRepetitionFilter`, `"dolma"`'s `gopher_v1` tagger, or `"nemo"`, the filters of NeMo
        Curator.
    words
        The words of each row, a column of lists of strings, where another than whitespace is to
        say what they are.
    filter
        `"gopher"`: say of each row whether it keeps the rules of Rae et al. (2021), table A1,
        instead of the measures.
    compression
        Add `compression_ratio`: bytes that zlib makes of the row, a byte of it.
    threads
        Threads to use; all by default.
    progress
        True for a bar, or a callable that takes the phase, the units done and the total.

    Returns
    -------
    pyarrow.Table
        A row for each row, null where that is.

        - `words: uint64`: words between whitespace, or tokens; `row_count: uint64`: rows that are
          the same as this one, itself included;
        - `distinct_1` to `distinct_4: double`: distinct n-grams of words, a n-gram (Li et al.
          2016); `rep_1` to `rep_4`: 1 less that, the seq-rep-n of Welleck et al. (2020);
          `diversity`: the product of `distinct_2` to `distinct_4` (Su et al. 2022). Null where
          there are fewer words;
        - `longest_repeat, longest_repeat_start: uint64`: the longest part that occurs twice, in
          symbols, and where it first does; occurrences may overlap;
        - `loop_start, loop_length, loop_period: uint64, loop_times: double`: the longest part that
          repeats a shorter one end to end, twice at least; `loops` gives all of them;
        - `dup_para_frac, dup_para_char_frac, dup_line_frac, dup_line_char_frac, top_2_gram` to
          `top_4_gram, dup_5_gram` to `dup_10_gram: double`, for text: what Gopher's rules look at.

        With `filter`, `keep: bool, reason: large_string`, the first rule that the row breaks.

    Raises
    ------
    InvalidInput
        If an argument has a value that it cannot have, or `words` another number of rows.
    UnsupportedType
        If `data` holds no column of text or tokens, or `filter` is asked of tokens.

    Notes
    -----
    O(n) time for a row of n symbols, rows side by side. The longest repeat comes of the row's
    suffix array; loops of its Lyndon words (Bannai et al. 2017), of whole characters.

    *Lines and paragraphs.* datatrove: parts between runs of newlines (of two or more, in the text
    without spaces at its ends); the second and later copies, a part, and a character of the text.
    dolma: lines between newlines; all copies of what recurs, a line, and a character of the words;
    no paragraphs. NeMo Curator: lines that are not blank, paragraphs between two newlines; all but
    one of each, a part, and a character of the parts.
    *The most frequent n-gram*, the first of several. datatrove: its characters with spaces, times
    its count, even where that is 1. dolma: without spaces, a character of the words. NeMo Curator:
    what cutting it out of the text saves; 1 where there are fewer words.
    *N-grams that recur.* datatrove: from left to right, one that was seen counts, and is jumped.
    dolma: all copies of what recurs, a character of all n-grams. NeMo Curator: characters within
    second and later copies, with spaces; 1 where there are fewer words.

    Examples
    --------
    >>> import bowstring as bow
    >>> found = bow.repetition(["to be or not to be", "ha ha ha ha"])
    >>> found.select(["words", "longest_repeat", "loop_length", "loop_period"]).to_pylist()[1]
    {'words': 4, 'longest_repeat': 8, 'loop_length': 11, 'loop_period': 3}
    >>> bow.repetition(["ha ha ha ha"], filter="gopher").to_pylist()
    [{'keep': False, 'reason': 'top_2_gram'}]
    """
    if filter not in (None, "gopher"):
        raise InvalidInput(f'filter is {filter!r}: give "gopher", or leave it out')
    rows = one_chunk(as_array(data, "data", column))
    tokens = widest(rows.type) == TOKENS
    if tokens and filter is not None:
        raise UnsupportedType("data is a column of tokens: Gopher's rules are for text")
    if tokens and words is not None:
        raise UnsupportedType("data is a column of tokens, and words is given: leave words out")
    with progress_callback(progress) as callback:
        found = pa.table(
            _core.repetition(
                rows,
                *_words(words),
                definition,
                filter is not None,
                as_option(threads, "threads"),
                callback,
            )
        )
    if tokens:
        found = found.select([name for name in found.column_names if "_frac" not in name])
        found = found.select([name for name in found.column_names if not name.endswith("_gram")])
    if compression and filter is None:
        found = found.append_column("compression_ratio", _compressed(rows))
    return found


def loops(
    data: Any,
    column: str | None = None,
    *,
    min_length: int = 1,
    min_times: float = 2.0,
    threads: int | None = None,
    progress: Progress = None,
) -> pa.Table:
    """Find every loop of each row: what repeats a shorter part end to end.

    Parameters
    ----------
    data
        Anything that holds a column of text, bytes or tokens.
    column
        The column's name, where `data` has several.
    min_length
        The shortest loop to give, in symbols: bytes of text, or tokens.
    min_times
        How often the part is repeated, at least; 2 or more.
    threads
        Threads to use; all by default.
    progress
        True for a bar, or a callable that takes the phase, the units done and the total.

    Returns
    -------
    pyarrow.Table
        `row, start, stop, period: uint64, times: double`, ordered by row, start and period. The
        row's symbols from `start` to `stop` repeat their first `period` ones `times` times, which
        may end with a part; they would not if the loop were longer at either end, nor a part of
        fewer symbols. Loops may overlap.

    Raises
    ------
    InvalidInput
        If `min_times` is below 2.
    UnsupportedType
        If `data` holds no column of text or tokens.

    Notes
    -----
    O(n) time for a row of n symbols, which has fewer than n loops, and to put these in order: the
    runs of its Lyndon words in both orders of symbols (Bannai et al. 2017), how far each goes by
    the least common prefix between two ranks in constant time. Loops of text are of whole
    characters.

    Examples
    --------
    >>> import bowstring as bow
    >>> bow.loops(["so ha ha ha!"], min_times=3).to_pylist()
    [{'row': 0, 'start': 2, 'stop': 11, 'period': 3, 'times': 3.0}]
    """
    rows = one_chunk(as_array(data, "data", column))
    length = as_option(min_length, "min_length", required=True)
    times = as_float(min_times, "min_times")
    with progress_callback(progress) as callback:
        own = as_option(threads, "threads")
        return pa.table(_core.loops(rows, length, times, own, callback))


def _words(words: Any) -> tuple[Any, Any]:
    """Make lists of words one column of words, and how many each list has."""
    if words is None:
        return None, None
    if isinstance(words, list | tuple):
        lists: Any = pa.array(words, pa.large_list(TEXT))
    else:
        try:
            lists = words if isinstance(words, pa.Array | pa.ChunkedArray) else pa.array(words)
        except (pa.ArrowException, TypeError) as error:
            raise UnsupportedType(f"words: give a column of lists of strings ({error})") from None
    lists = one_chunk(lists)
    types = pa.types
    listed = types.is_list(lists.type) or types.is_large_list(lists.type)
    if not listed or widest(lists.type.value_type) != TEXT:
        raise UnsupportedType(f"words is a column of {lists.type}: give lists of strings")
    return _pc.list_flatten(lists), _pc.fill_null(_pc.list_value_length(lists), 0).cast(pa.int64())


def _compressed(rows: Any) -> pa.Array[Any]:
    """Compress each row with zlib."""
    if widest(rows.type) == TOKENS:
        raise UnsupportedType("compression is asked of a column of tokens: it is for text")
    ratios = []
    for row in rows:
        value = row.as_py()
        data = value.encode() if isinstance(value, str) else value
        ratios.append(len(zlib.compress(data)) / len(data) if data else None)
    return pa.array(ratios, pa.float64())
