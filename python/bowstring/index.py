"""Exact search of a text or token column: build an index once, ask it in microseconds."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, overload

import pyarrow as pa
import pyarrow.compute as pc

from bowstring import _core
from bowstring.columns import (
    as_column,
    as_numbers,
    as_option,
    as_queries,
    as_searches,
    one_chunk,
    parse_bytes,
)
from bowstring.errors import InvalidInput, UnsupportedType
from bowstring.metadata import Metadata, attached, read
from bowstring.report import progress_callback

# How often an open starts over because a writer replaced the files it was about to map.
OPEN_TRIES = 16

Progress: TypeAlias = bool | Callable[[str, int, int | None], object] | None


@dataclass(frozen=True, slots=True)
class SegmentInfo:
    """One immutable segment of an index."""

    rows: int
    symbols: int
    """Symbols held, one separator a row included."""
    width: int
    """Bytes a symbol: 1, 2 or 4."""
    bytes: int
    """Bytes the segment takes, on disk or in memory."""
    file: str | None
    """File name within the index's directory; None in memory."""


@dataclass(frozen=True, slots=True)
class IndexInfo:
    """What an index holds; see `Index.info`."""

    column: str
    """`"string"`, `"binary"` or `"tokens"`."""
    kind: str
    """`"suffix"` or `"fm"`; `"infini-gram"` of what `bowstring.interop.infini_gram.open` opens."""
    profile: str | None
    """`"fast"` or `"compact"` of kind `"fm"`, else None."""
    rows: int
    """Rows indexed, null rows included."""
    symbols: int
    """Symbols of all rows (bytes of text, or tokens), without separators."""
    bytes: int
    """Bytes that all segments take, on disk or in memory."""
    path: str | None
    """The index's directory; None for an index in memory."""
    format: int
    """Version of the file format."""
    metadata: tuple[str, ...]
    """Columns that ride along with the rows; see `Index.metadata`."""
    segments: tuple[SegmentInfo, ...]


class Index:
    """An exact full-text index over one column; made by `bowstring.index` or `bowstring.open`.

    Every question takes one query or a column of them. A text query is a `str`, or `bytes`
    (which must be UTF-8 when the index is over a string column); a query of a token index is
    a sequence of integers. One query gives a number or one table; a column of queries gives
    an array or one table with a leading `query: uint64`, the query's position in the column.
    A null query counts null and adds no rows to a table. An empty query is an `InvalidInput`:
    it would match everywhere.

    Answers do not depend on the number of segments or threads. Spans are half open and
    counted in symbols from the row's start: bytes of UTF-8 for text, tokens for tokens.
    Matches may overlap and never cross from one row to the next.

    The class is safe to share among threads; a question asked during `append` or `compact`
    is answered from the index as it was before.
    """

    __slots__ = ("_columns", "_core")

    def __init__(self, core: _core.Index, metadata: Metadata | None = None) -> None:
        self._core = core
        self._columns = metadata

    @overload
    def count(self, query: str | bytes | Sequence[int], *, threads: int | None = None) -> int: ...
    @overload
    def count(self, query: Any, *, threads: int | None = None) -> Any: ...
    def count(self, query: Any, *, threads: int | None = None) -> Any:
        """Count the occurrences of each query, overlapping ones included.

        Parameters
        ----------
        query
            One query, or a column of queries.
        threads
            Threads to use for a column; all by default.

        Returns
        -------
        int or pyarrow.UInt64Array
            The number of occurrences; null where the query is null.

        Raises
        ------
        InvalidInput
            If a query is empty, or is `bytes` that are not UTF-8 over a string column.
        UnsupportedType
            If a query has the wrong type for this index.

        Notes
        -----
        O(m + log n) time for a query of m symbols over n (binary search of the suffix array,
        Manber and Myers 1993); no memory beyond the answer.

        Examples
        --------
        >>> import bowstring as bow
        >>> index = bow.index(["banana", "bandana", None])
        >>> index.count("ana")
        3
        >>> index.count(["an", "x", None]).to_pylist()
        [4, 0, None]
        """
        if type(query) is str or type(query) is bytes:
            return self._core.count(query)
        query, one = as_queries(query, self._core)
        if one:
            return self._core.count(query)
        counts: Any = self._core.count_many(query, as_option(threads, "threads"))
        return pa.array(counts)

    def locate(
        self,
        query: Any,
        *,
        limit: int | None = None,
        seed: int | None = None,
        threads: int | None = None,
    ) -> pa.Table:
        """Say where each query occurs.

        Parameters
        ----------
        query
            One query, or a column of queries.
        limit
            At most this many occurrences a query: the first ones in row order.
        seed
            With `limit`, a uniform sample of that size instead of the first ones; the same
            seed draws the same sample.
        threads
            Threads to use; all by default.

        Returns
        -------
        pyarrow.Table
            `row: uint64, start: uint64, stop: uint64`, ordered by row and start; behind a
            leading `query: uint64` when `query` is a column.

        Raises
        ------
        InvalidInput
            As `count`; also when `seed` comes without `limit`.

        Notes
        -----
        O(m + log n + k log k) time and O(k) memory for k occurrences.

        Examples
        --------
        >>> import bowstring as bow
        >>> index = bow.index(["banana", "bandana"])
        >>> index.locate("ana").to_pylist()[:2]
        [{'row': 0, 'start': 1, 'stop': 4}, {'row': 0, 'start': 3, 'stop': 6}]
        """
        query, _ = as_queries(query, self._core)
        return pa.table(
            self._core.locate(
                query,
                as_option(limit, "limit"),
                as_option(seed, "seed"),
                as_option(threads, "threads"),
            )
        )

    def rows(
        self,
        query: Any,
        *,
        limit: int | None = None,
        metadata: bool | str | Sequence[str] = True,
        threads: int | None = None,
    ) -> pa.Table:
        """List the distinct rows that hold each query, and how often each does.

        Parameters
        ----------
        query
            One query, or a column of queries.
        limit
            At most this many rows a query: the first ones.
        metadata
            Columns of the index's metadata to add; all by default, none if False.
        threads
            Threads to use; all by default.

        Returns
        -------
        pyarrow.Table
            `row: uint64, count: uint64`, ordered by row; behind a leading `query: uint64`
            when `query` is a column, and before the metadata.

        Raises
        ------
        InvalidInput, UnsupportedType
            As `count`.

        Notes
        -----
        O(m + log n + k log k) time and O(k) memory for k occurrences.

        Examples
        --------
        >>> import bowstring as bow
        >>> index = bow.index(["banana", None, "bandana"])
        >>> index.rows("ana").to_pylist()
        [{'row': 0, 'count': 2}, {'row': 2, 'count': 1}]
        """
        query, _ = as_queries(query, self._core)
        found = pa.table(
            self._core.rows(query, as_option(limit, "limit"), as_option(threads, "threads"))
        )
        return self._described(found, metadata)

    def context(
        self,
        query: Any,
        *,
        width: int = 40,
        limit: int | None = None,
        seed: int | None = None,
        metadata: bool | str | Sequence[str] = True,
        threads: int | None = None,
    ) -> pa.Table:
        """Show each occurrence with what stands before and after it: keyword in context.

        Parameters
        ----------
        query
            One query, or a column of queries.
        width
            Characters (bytes of a binary column, tokens of a token column) to show on each
            side; fewer where the row ends. No character is cut.
        limit, seed
            As in `locate`.
        metadata
            Columns of the index's metadata to add; all by default, none if False.
        threads
            Threads to use; all by default.

        Returns
        -------
        pyarrow.Table
            `row: uint64, start: uint64, left, match, right`, the last three `large_string`
            (`large_binary` for a binary column, `large_list<uint32>` for a token column);
            behind a leading `query: uint64` when `query` is a column, and before the metadata.

        Raises
        ------
        InvalidInput
            As `locate`; also when `width` is negative.

        Notes
        -----
        O(m + log n + k (log k + width)) time for k occurrences.

        Examples
        --------
        >>> import bowstring as bow
        >>> index = bow.index(["the quick brown fox"])
        >>> index.context("brown", width=6).to_pylist()
        [{'row': 0, 'start': 10, 'left': 'quick ', 'match': 'brown', 'right': ' fox'}]
        """
        query, _ = as_queries(query, self._core)
        found = pa.table(
            self._core.context(
                query,
                as_option(width, "width", required=True),
                as_option(limit, "limit"),
                as_option(seed, "seed"),
                as_option(threads, "threads"),
            )
        )
        return self._described(found, metadata)

    def metadata(self, rows: Any, columns: str | Sequence[str] | None = None) -> pa.Table:
        """Give what rides along with rows: the columns that `bowstring.index` was given.

        Parameters
        ----------
        rows
            A row number, or a column of them, such as `row` of any answer.
        columns
            Names of columns; all by default.

        Returns
        -------
        pyarrow.Table
            A row for each of `rows`, in their order; no columns where the index has no metadata.

        Raises
        ------
        InvalidInput
            If a row is null or not in the index, or there is no such column.

        Notes
        -----
        O(k log k) for k rows; of a file only the batches are read that hold one.

        Examples
        --------
        >>> import bowstring as bow, pyarrow as pa
        >>> table = pa.table({"text": ["banana", "bandana"], "url": ["a.org", "b.org"]})
        >>> index = bow.index(table, "text", metadata=["url"])
        >>> index.rows("dan").to_pylist()
        [{'row': 1, 'count': 1, 'url': 'b.org'}]
        >>> index.metadata([1, 0])["url"].to_pylist()
        ['b.org', 'a.org']
        """
        numbers = one_chunk(as_numbers(rows, "rows")[0])
        if numbers.null_count:
            raise InvalidInput("rows holds a null: drop it")
        count = self._core.info()["rows"]
        if len(numbers) and (last := pc.max(numbers).as_py()) >= count:
            raise InvalidInput(f"rows holds {last}, and the index has {count} rows")
        held = self._held(numbers)
        if held is None:
            if columns:
                raise InvalidInput(f"columns is {columns!r}, and the index has no metadata")
            return pa.table({})
        return held.take(numbers, None if columns is None else held.chosen(columns))

    def _held(self, rows: pa.Array[Any]) -> Metadata | None:
        """Give what rides along; of these rows too, which others may have appended."""
        held = self._columns
        if held is not None and len(rows) and pc.max(rows).as_py() >= held.rows:
            held = self._columns = Metadata.of(self._core) or held
        return held

    def _described(self, found: pa.Table, metadata: bool | str | Sequence[str]) -> pa.Table:
        """Add what rides along with the rows of an answer."""
        if self._columns is None:
            if metadata not in (True, False):
                raise InvalidInput(f"metadata is {metadata!r}, and the index has none")
            return found
        rows = one_chunk(found["row"])
        held = self._held(rows)
        if held is None or not (names := held.chosen(metadata)):
            return found
        added = held.take(rows, names)
        for name in names:
            found = found.append_column(held.schema.field(name), added[name])
        return found

    def text(
        self,
        rows: Any,
        start: Any = None,
        stop: Any = None,
        *,
        threads: int | None = None,
    ) -> Any:
        """Give back rows, or spans of rows, from the index alone.

        Parameters
        ----------
        rows
            A row number, or a column of them.
        start, stop
            The span of each row, in symbols from its start: one number for all, or a column
            as long as `rows`. All of the row by default; a `stop` past its end is its end.
        threads
            Threads to use; all by default.

        Returns
        -------
        str, bytes, list of int, or pyarrow.Array
            The text of one row; for a column of rows a `large_string` array (`large_binary`
            for a binary column, `large_list<uint32>` for a token column). None, or null,
            where the row is null or `rows` is.

        Raises
        ------
        InvalidInput
            If a row is not in the index, if start > stop, or if a span of a string column
            cuts a character.

        Notes
        -----
        O(length of the answer) time and memory.

        Examples
        --------
        >>> import bowstring as bow
        >>> index = bow.index(["banana", None, "bandana"])
        >>> index.text(0, 1, 4)
        'ana'
        >>> index.text([2, 1]).to_pylist()
        ['bandana', None]
        """
        column, one = as_numbers(rows, "rows")
        spans = [
            None if bound is None else as_numbers(bound, name, len(column))[0]
            for bound, name in ((start, "start"), (stop, "stop"))
        ]
        lent: Any = self._core.text(column, spans[0], spans[1], as_option(threads, "threads"))
        text = pa.array(lent)
        return text[0].as_py() if one else text

    def search(
        self,
        query: Any,
        *,
        within: int | None = None,
        limit: int | None = None,
        max_matches: int | None = None,
        seed: int = 0,
        threads: int | None = None,
    ) -> pa.Table:
        """Find the rows in which a combination of texts occurs.

        Parameters
        ----------
        query
            A string such as `"'A' AND ('B' OR 'C')"`: texts in single or double quotes (a
            single word may go without), `AND` and `OR` in capitals, parentheses; `AND`
            binds tighter than `OR`. Within quotes a backslash takes the next character as
            it is. Or nested lists, an AND of ORs: `[["A"], ["B", "C"]]`, each text a `str`,
            `bytes` or list of tokens. Or a column of query strings.
        within
            Find only rows in which the whole combination stands in a stretch of at most
            this many symbols, matched texts included.
        limit
            At most this many rows a query: the first ones.
        max_matches
            Where the texts that lead to the rows occur more often than this, look at about
            this many of their occurrences, drawn with `seed`, instead of at all of them.
        seed
            Seed of that sample.
        threads
            Threads to use; all by default.

        Returns
        -------
        pyarrow.Table
            `row: uint64, start: uint64, stop: uint64`: each row with its tightest stretch
            that holds the combination, the leftmost of equals; ordered by row, behind a
            leading `query: uint64` when `query` is a column. With `max_matches` also
            `weight: float64, approximate: bool`: the sum of the weights is an unbiased
            estimate of the number of rows (exact, with weights of 1, where `approximate`
            is false).

        Raises
        ------
        InvalidInput
            If a query does not parse (the message shows where), or a text is empty; if
            `max_matches` is combined with `limit`.

        Notes
        -----
        Exact unless `max_matches` is given. The rarest clause is enumerated; the others are
        enumerated too, or looked for in the candidate rows, whichever costs less. The
        estimate is Horvitz and Thompson's (1952) over a Bernoulli sample of occurrences.

        Examples
        --------
        >>> import bowstring as bow
        >>> index = bow.index(["red apple", "green apple", "red pear", "apple, red"])
        >>> index.search("red AND (apple OR plum)")["row"].to_pylist()
        [0, 3]
        >>> index.search([["red"], ["apple"]], within=9).to_pylist()
        [{'row': 0, 'start': 0, 'stop': 9}]
        """
        query = as_searches(query, self._core)
        return pa.table(
            self._core.search(
                query,
                as_option(within, "within"),
                as_option(limit, "limit"),
                as_option(max_matches, "max_matches"),
                as_option(seed, "seed", required=True),
                as_option(threads, "threads"),
            )
        )

    def search_within(self, query: Any, k: int, *, threads: int | None = None) -> pa.Table:
        """Say where each query occurs with at most `k` of its symbols changed.

        Parameters
        ----------
        query
            One query, or a column of queries.
        k
            The most symbols that may differ: bytes of text, or tokens; less than a query has.
        threads
            Threads to use for a column; all by default.

        Returns
        -------
        pyarrow.Table
            `row: uint64, start: uint64, stop: uint64, distance: uint32`, ordered by row and
            start; behind a leading `query: uint64` when `query` is a column. No span of a string
            column cuts a character.

        Raises
        ------
        InvalidInput
            As `count`; also if a query has no more than `k` symbols, so that any text would do.

        Notes
        -----
        One of k + 1 pieces of the query occurs unchanged: they are cut so that together they
        occur least, and what stands around each is compared. O(k m log n), and O(m) for each of
        their occurrences; where that is more than reading the text, the text is read.

        Examples
        --------
        >>> import bowstring as bow
        >>> index = bow.index(["the cat sat", "the hat"])
        >>> index.search_within("the cap", 1).to_pylist()
        [{'row': 0, 'start': 0, 'stop': 7, 'distance': 1}]
        """
        query, _ = as_queries(query, self._core)
        number = as_option(k, "k", required=True)
        return pa.table(
            _core.hamming_search(self._core, query, number, as_option(threads, "threads"))
        )

    def append(
        self,
        data: Any,
        column: str | None = None,
        *,
        metadata: Any = None,
        memory: int | str | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> None:
        """Add rows behind the last one; parameters as in `bowstring.index`.

        The new rows become further segments: what is there is not rebuilt. On disk the
        index changes as a whole or, if this fails or is killed, not at all. An index that has
        metadata takes columns of the same names from `data`, unless `metadata` is given.

        Raises
        ------
        UnsupportedType
            If the column is of another kind (string, binary, tokens) than the index, or metadata
            of other types than its own.
        InvalidInput
            If metadata lacks a column of the index's, or is not of as many rows as `data`.

        Examples
        --------
        >>> import bowstring as bow
        >>> index = bow.index(["one"])
        >>> index.append(["two", "one and two"])
        >>> index.count("one")
        2
        """
        held = self._columns
        described = read(data, metadata, None if held is None else held.schema)
        source = as_column(data, column)
        with (
            attached(described, self._core.info()["path"] is not None) as (given, added),
            progress_callback(progress, source) as callback,
        ):
            self._core.append(
                source.stream,
                parse_bytes(memory),
                as_option(threads, "threads"),
                None,
                source.nbytes,
                given,
                callback,
            )
            if added is not None:
                self._columns = added if held is None else held.joined(added)
            elif described is not None:
                self._columns = Metadata.of(self._core)

    def compact(
        self,
        *,
        memory: int | str | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> None:
        """Merge segments into as few as `memory` allows: fewer segments answer faster.

        Answers stay the same. On disk the index changes as a whole or, if this fails or is
        killed, not at all; open readers keep the old one.

        Notes
        -----
        O(n) time: the merged segments are sorted anew.

        Examples
        --------
        >>> import bowstring as bow
        >>> index = bow.index(["one"])
        >>> index.append(["two"])
        >>> index.compact()
        >>> len(index.info.segments)
        1
        """
        with progress_callback(progress) as callback:
            self._core.compact(parse_bytes(memory), as_option(threads, "threads"), callback)

    def convert(
        self,
        kind: str,
        path: str | os.PathLike[str] | None = None,
        *,
        profile: str | None = None,
        memory: int | str | None = None,
        threads: int | None = None,
        progress: Progress = None,
        overwrite: bool = False,
        segment_symbols: int | None = None,
    ) -> Index:
        """Make an index of another kind of the same rows, from this one alone.

        Parameters are those of `bowstring.index`. This index stays as it is, unless `path` is its
        own and `overwrite` is true.

        Returns
        -------
        Index

        Raises
        ------
        InvalidInput
            If there is no such kind or profile, or `path` holds an index and `overwrite` is false.
        OutOfBudget
            As `bowstring.index`.

        Notes
        -----
        O(n) time.

        Examples
        --------
        >>> import bowstring as bow
        >>> compact = bow.index(["banana"]).convert("fm", profile="compact")
        >>> compact.count("ana"), compact.info.kind
        (2, 'fm')
        """
        held = self._columns
        described = None if held is None else held.reader()
        with (
            attached(described, path is not None) as (given, added),
            progress_callback(progress) as callback,
        ):
            core = self._core.convert(
                kind,
                profile,
                None if path is None else os.fspath(path),
                parse_bytes(memory),
                as_option(threads, "threads"),
                as_option(segment_symbols, "segment_symbols"),
                overwrite,
                given,
                callback,
            )
            return Index(core, added or Metadata.of(core))

    def verify(self, *, threads: int | None = None, progress: Progress = None) -> None:
        """Read every file of the index and check it against its checksums.

        Raises
        ------
        CorruptIndex
            If a byte differs from what was written; the message names the file and block.

        Notes
        -----
        O(n) time. `bowstring.open` checks headers, lengths and bounds only.

        Examples
        --------
        >>> import bowstring as bow
        >>> bow.index(["one"]).verify()
        """
        with progress_callback(progress) as callback:
            self._core.verify(as_option(threads, "threads"), callback)

    @property
    def info(self) -> IndexInfo:
        """Rows, symbols, size and segments.

        Examples
        --------
        >>> import bowstring as bow
        >>> bow.index(["one", "three"]).info.symbols
        8
        """
        info = self._core.info()
        segments = tuple(SegmentInfo(**segment) for segment in info.pop("segments"))
        names = () if self._columns is None else tuple(self._columns.schema.names)
        return IndexInfo(segments=segments, metadata=names, **info)

    def __len__(self) -> int:
        """Rows, null rows included."""
        return self.info.rows

    def __repr__(self) -> str:
        info = self.info
        where = "in memory" if info.path is None else f"at {info.path!r}"
        return (
            f"<bowstring.Index of {info.rows:,} rows, {info.symbols:,} symbols "
            f"({info.column}), {len(info.segments)} segments, {where}>"
        )


def check_index(index: Index) -> Index:
    """Refuse what is no index, in words of the caller's."""
    if not isinstance(index, Index):
        raise UnsupportedType(
            f"index is a {type(index).__name__}: give what bowstring.index or bowstring.open gives"
        )
    return index


def index(
    data: Any,
    column: str | None = None,
    *,
    path: str | os.PathLike[str] | None = None,
    metadata: Any = None,
    kind: str = "suffix",
    profile: str | None = None,
    memory: int | str | None = None,
    threads: int | None = None,
    progress: Progress = None,
    overwrite: bool = False,
    segment_symbols: int | None = None,
) -> Index:
    """Index a text or token column.

    Parameters
    ----------
    data
        The column: a pyarrow Array, ChunkedArray, RecordBatchReader or dataset; a polars
        Series, DataFrame or LazyFrame; a pandas Series or DataFrame; a DuckDB relation; a
        NumPy array; a list; anything with `__arrow_c_stream__` or `__arrow_c_array__`; or
        the path of a Parquet, JSONL, CSV or text file (a list of `pathlib.Path` for many).
        Its values are strings, binary, dictionaries of those, or lists of integers
        (tokens). Batches are read one at a time, so it may be larger than memory.
    column
        The column's name, where `data` has several.
    path
        Directory to build the index in, memory-mapped from then on; in memory by default.
    metadata
        What rides along with each row and comes back with `Index.rows`, `Index.context` and
        `Index.metadata`: names of other columns of `data` (read in a pass of their own, so `data`
        must not be a stream that can be read once only), or a table of as many rows. Kept in an
        Arrow IPC file beside the segments, or in memory.
    kind
        `"suffix"`: the text and its suffix array, the fastest, 5 bytes a byte of text. `"fm"`: an
        FM-index, which replaces the text and takes a part of its size; each answer takes longer.
    profile
        Of kind `"fm"`: `"fast"`, the default, or `"compact"`, the smallest.
    memory
        Bytes that the build may use, as a number or text such as `"4GB"` or `"512MiB"`;
        three quarters of what is available by default. Less memory makes more segments.
    threads
        Segments sorted side by side; all cores by default.
    progress
        True for a bar on standard error, or a callable taking the phase (`"reading"`,
        `"sorting"`, `"writing"`), the symbols done and the total if known.
    overwrite
        Replace the index that stands at `path`; it stays whole until the new one is.
    segment_symbols
        Most symbols in a segment; as many as `memory` allows by default, at most 2^31 - 1.

    Returns
    -------
    Index

    Raises
    ------
    UnsupportedType
        If the column is not of those types.
    InvalidInput
        If a token is negative or above 2^32 - 2, a string is not UTF-8, `column` is missing
        or unknown, or `path` holds an index and `overwrite` is false, or there is no such `kind`
        or `profile`, or metadata is not of as many rows as `data`.
    OutOfBudget
        If one row, or an index in memory, does not fit `memory`.

    Notes
    -----
    O(n) time; about 5 bytes of memory a byte of text for each segment being sorted (6 to 8
    a token). Suffix sorting by libsais (Nong, Zhang and Chan 2011; Grebnov 2021); FM-index by
    Ferragina and Manzini 2005.

    Examples
    --------
    >>> import bowstring as bow
    >>> index = bow.index(["to be, or not to be", None, "to be continued"])
    >>> index.count("to be")
    3
    """
    described = read(data, metadata)
    source = as_column(data, column)
    with (
        attached(described, path is not None) as (given, added),
        progress_callback(progress, source) as callback,
    ):
        core = _core.Index.build(
            source.stream,
            None if path is None else os.fspath(path),
            kind,
            profile,
            parse_bytes(memory),
            as_option(threads, "threads"),
            as_option(segment_symbols, "segment_symbols"),
            overwrite,
            source.nbytes,
            given,
            callback,
        )
        return Index(core, added or Metadata.of(core))


def open(path: str | os.PathLike[str]) -> Index:
    """Open an index on disk: memory-mapped, at once, whatever its size.

    Raises
    ------
    FileNotFoundError
        If there is no index at `path`.
    CorruptIndex
        If a file is truncated or altered where that shows without reading all of it; see
        `Index.verify`.
    IndexFormatError
        If the files are not an index of ours, or a newer bowstring wrote them.

    Examples
    --------
    >>> import bowstring as bow, tempfile
    >>> folder = tempfile.mkdtemp()
    >>> _ = bow.index(["banana"], path=folder + "/fruit.bow")
    >>> bow.open(folder + "/fruit.bow").count("ana")
    2
    """
    for _ in range(OPEN_TRIES):
        core = _core.Index.open(os.fspath(path))
        try:
            return Index(core, Metadata.of(core))
        except FileNotFoundError:  # replaced between the two
            continue
    raise InvalidInput(f"the index at {os.fspath(path)} changes too fast to be opened; try again")
