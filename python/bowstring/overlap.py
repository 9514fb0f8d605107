"""What a text has in common with an index: the parts of it that occur there.

Maximal matches answer the questions of the creativity index (Lu et al. 2025) and of OLMoTrace
(Liu et al. 2025): which spans of this text stand word for word in that corpus, how often, where.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import pyarrow as pa

from bowstring import _core
from bowstring.columns import as_float, as_option, as_queries, nest, one_chunk
from bowstring.errors import InvalidInput, UnsupportedType
from bowstring.index import Index, check_index


def matches(
    index: Index,
    texts: Any,
    *,
    min_length: int = 1,
    max_count: int | None = None,
    boundary: Literal["symbol", "word"] = "symbol",
    word_starts: Iterable[int] | None = None,
    delimiters: str | bytes | Iterable[int] = (),
    density: float | None = None,
    where: int | None = None,
    threads: int | None = None,
) -> pa.Table:
    r"""Find the maximal matches of texts: the spans that occur in an index, none within another.

    Parameters
    ----------
    index
        The index to look in.
    texts
        A text (or list of tokens, where the index is over tokens), or a column of them.
    min_length
        The shortest match to give, in symbols: bytes of text, or tokens.
    max_count
        Leave out matches that occur more often than this: stock phrases.
    boundary
        `"word"` for matches that start and end where words of the text do; letters, digits and
        underscores are within one. In the index they may stand within longer words. Matches in
        a string column never cut a character.
    word_starts
        The tokens that begin a word, for the same over tokens.
    delimiters
        Symbols that end a match, which goes up to and with the first one in it: characters of
        ASCII such as `".\n"`, or numbers of tokens.
    density
        Give only the least probable matches, at most this many for each symbol of the text:
        0.05 as OLMoTrace has it, rounded up. Probable is what frequent symbols make up.
    where
        Add where each match occurs in the index: the first so many occurrences.
    threads
        Threads to use; all by default.

    Returns
    -------
    pyarrow.Table
        `start: uint64, stop: uint64, count: uint64, unigram_logprob: double, match`, ordered by
        start, behind a leading `query: uint64` when `texts` is a column. `match` is
        `large_string` (`large_binary` for a binary column, `large_list<uint32>` for tokens);
        `unigram_logprob` the natural logarithm of the product of its symbols' shares of the
        index. With `where`, also `where: large_list<struct<row, start, stop>>`.

    Raises
    ------
    InvalidInput
        If `min_length` is 0, `density` is not within 0 and 1, or a delimiter is no symbol.
    UnsupportedType
        If a text is of another kind than the index.

    Notes
    -----
    One pass of matching statistics over each text (Chang and Lawler 1994), O(log n) a symbol, not
    a search from each start; then O(log n + length) for each match. The column `match` takes as
    much memory as the matches are long, which overlap in repetitive text.

    Examples
    --------
    >>> import bowstring as bow
    >>> index = bow.index(["to be or not to be", "that is the question"])
    >>> bow.matches(index, "not to be, that is", min_length=5)["match"].to_pylist()
    ['not to be', 'that is']
    >>> bow.matches(index, "so not to beg", boundary="word", min_length=4)["match"].to_pylist()
    [' not to ']
    """
    core = check_index(index)._core
    if as_option(min_length, "min_length", required=True) == 0:
        raise InvalidInput("min_length is 0: give 1 or more")
    if boundary not in ("symbol", "word"):
        raise InvalidInput(f'boundary is {boundary!r}: give "symbol" or "word"')
    if boundary == "word" and word_starts is not None:
        raise InvalidInput('boundary is "word" and word_starts is given: leave one out')
    tokens = core.info()["column"] == "tokens"
    queries, _ = as_queries(texts, core, "texts")
    found = pa.table(
        _core.matches(
            core,
            queries,
            min_length,
            as_option(max_count, "max_count"),
            boundary == "word",
            None if word_starts is None else _symbols(word_starts, "word_starts", tokens),
            _symbols(delimiters, "delimiters", tokens),
            None if density is None else as_float(density, "density"),
            as_option(threads, "threads"),
        )
    )
    if where is None:
        return found
    texts_found = one_chunk(found["match"])
    located = index.locate(texts_found, limit=as_option(where, "where"), threads=threads)
    return found.append_column("where", nest(located, texts_found))


def _symbols(values: str | bytes | Iterable[int], name: str, tokens: bool) -> set[int]:
    """Make characters, or numbers, a set of symbols."""
    if isinstance(values, str | bytes):
        if tokens and values:
            raise UnsupportedType(f"{name} is {values!r}: give numbers of tokens")
        if not values.isascii():
            raise InvalidInput(f"{name} is {values!r}: give characters of ASCII")
        return set(values.encode() if isinstance(values, str) else values)
    if not isinstance(values, Iterable):
        raise UnsupportedType(f"{name} is {values!r}: give characters, or a list of numbers")
    most = (1 << 32) - 2 if tokens else 255
    found = {as_option(value, name, required=True) for value in values}
    if outside := [value for value in found if value > most]:
        raise InvalidInput(f"{name} holds {max(outside)}: symbols are from 0 to {most}")
    return found
