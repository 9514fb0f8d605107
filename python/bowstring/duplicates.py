"""Passages that occur more than once in a column, and the column without them.

Exact substring deduplication (Lee et al. 2022), within rows and between whole characters: from one
suffix array and its common prefixes, whatever the length of the passages.
"""

from __future__ import annotations

import bisect
import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bowstring import _core
from bowstring.columns import (
    TEXT,
    TOKENS,
    as_array,
    as_option,
    choose,
    one_chunk,
    parse_bytes,
    widest,
)
from bowstring.errors import InvalidInput, OutOfBudget, UnsupportedType
from bowstring.index import Index, Progress
from bowstring.report import progress_callback

# What pyarrow's stubs do not know, or know wrongly.
_pa: Any = pa
_pc: Any = pc

Keep: TypeAlias = Literal["none", "first", "longest"]

# Symbols that are sorted at once, at most, and what each takes: itself twice, and a table; two for
# passages of more than so many symbols.
MOST_SYMBOLS = (1 << 31) - 2
BYTES_PER_SYMBOL = 7
LONG = 1024
BYTES_PER_SYMBOL_OF_LONG = 11
# The same for passages with their counts, beside what is known of the rows that others are told of.
BYTES_PER_PASSAGE = 18

# Bytes of a file that are read at once where not all are to be held, about.
BATCH = 1 << 26

_ROW = pa.uint64()

REPORT = pa.schema(
    [
        pa.field("row", pa.uint64(), nullable=False),
        pa.field("start", pa.uint64(), nullable=False),
        pa.field("stop", pa.uint64(), nullable=False),
        pa.field("copy_row", pa.uint64(), nullable=False),
        pa.field("copy_start", pa.uint64(), nullable=False),
        pa.field("pass", pa.uint32(), nullable=False),
    ]
)


@dataclass(frozen=True, slots=True)
class Deduplicated:
    """A column without its duplicates, and what was taken out of it."""

    column: pa.Array[Any]
    """The rows, as many as there were, of the type that they had."""
    report: pa.Table
    """A row a span that was taken out: `row, start, stop, copy_row, copy_start: uint64,
    pass: uint32`, in the order of passes, rows and starts. The first passage of the span also
    stands in row `copy_row` (of `against`, if that was given) at `copy_start`. Spans of the first
    pass, which is 1, are those of the column that was given; of later ones, of what was left."""

    @property
    def removed(self) -> int:
        """Symbols that were taken out."""
        spans = _pc.subtract(self.report["stop"], self.report["start"])
        return int(_pc.sum(spans).as_py() or 0)


def duplicates(
    data: Any,
    column: str | None = None,
    *,
    min_length: int = 100,
    min_count: int | None = None,
    against: Any = None,
    against_column: str | None = None,
    memory: int | str | None = None,
    threads: int | None = None,
    progress: Progress = None,
) -> pa.Table:
    """Find the passages that occur more than once: the longest ones, none within another.

    Parameters
    ----------
    data
        An index, or anything that holds a column.
    column
        The column's name, where `data` has several.
    min_length
        The shortest passage to give, in symbols: bytes of text, or tokens.
    min_count
        How often a passage occurs, at least: 2 or more, 2 by default; or in `against`, 1 or more,
        1 by default.
    against
        A column, or an index: give the passages of `data` that occur there instead.
    against_column
        The name of the column of `against`, where it has several.
    memory
        Memory to use, in bytes or such as `"4GB"`: rows for which it is too small, and any of more
        than 2^31 - 2 symbols, are compared piece by piece, with the same result, in time that grows
        with the square of the number of pieces.
    threads
        Threads to use; all by default.
    progress
        True for a bar, or a callable that takes the phase, the units done and the total.

    Returns
    -------
    pyarrow.Table
        `row, start, stop, count, group: uint64`, ordered by row and start. A passage is there
        wherever it occurs `min_count` times, in all rows, and would not if it were longer, and is
        not part of one before it in its row. `count` is how often it occurs, overlapping
        occurrences and those within longer passages included; the same passage has the same
        `group`, numbered from 0 in the order of their first rows.

    Raises
    ------
    InvalidInput
        If `min_length` is 0, or `min_count` too small.
    UnsupportedType
        If `data` holds no column of text or tokens, or `against` one of another kind.
    OutOfBudget
        If one row is larger than `memory` allows.

    Notes
    -----
    O(n log n) time for n symbols, which the suffix sorting and four passes over it take; 13 bytes
    a symbol beside the column, for the symbols that are sorted at once. The one segment of an index
    of kind `"suffix"` is asked as it is; several, and those of other kinds, are read and sorted
    together, so that answers do not depend on them. No passage runs from one row to the next, and
    none of a string column cuts a character.

    Examples
    --------
    >>> import bowstring as bow
    >>> rows = ["to be or not to be", "whether to be or not"]
    >>> bow.duplicates(rows, min_length=6).to_pylist()[0]
    {'row': 0, 'start': 0, 'stop': 12, 'count': 2, 'group': 0}
    >>> bow.duplicates(rows, min_length=6, against=["not to be or not to be"]).to_pylist()[1]
    {'row': 1, 'start': 7, 'stop': 20, 'count': 1, 'group': 1}
    """
    length, count = _options(min_length, min_count, against is not None)
    own = as_option(threads, "threads")
    held = data
    if not (isinstance(data, Index) and column is None):
        held = _held(data, column, "data")
    other = against
    if against is not None:
        if not isinstance(against, Index):
            other = _held(against, against_column, "against")
        elif against_column is not None:
            raise InvalidInput(
                f"against_column is {against_column!r}, but against is an index: leave it out"
            )
        other = _alike(held, other)
    room = _room(memory, BYTES_PER_PASSAGE + 4 * (count - 1))
    with progress_callback(progress) as callback:
        pieces = _in_pieces(held, room)
        others = None if other is None else _in_pieces(other, room)
        symbols = sum(piece.symbols for piece in [*pieces, *(others or [])])
        if symbols <= room:
            core = held._core if isinstance(held, Index) else held
            beside = other._core if isinstance(other, Index) else other
            return pa.table(_core.duplicates(core, beside, length, count, own, callback))
        if len(pieces) == 1 or (others is not None and len(others) == 1):
            # Two pieces are sorted together, so that none may be larger than half of the room.
            pieces = _in_pieces(held, room, halves=True)
            others = None if other is None else _in_pieces(other, room, halves=True)
        return _passages(pieces, others, length, count, own, callback)


def deduplicate(
    data: Any,
    column: str | None = None,
    *,
    min_length: int = 100,
    min_count: int | None = None,
    keep: Keep = "first",
    against: Any = None,
    against_column: str | None = None,
    whole_rows: bool = False,
    empty: Literal["empty", "null"] = "empty",
    passes: int | None = 1,
    memory: int | str | None = None,
    threads: int | None = None,
    progress: Progress = None,
) -> Deduplicated:
    """Take out of a column what occurs in it before, or in another column.

    A symbol goes if it lies in a passage of `min_length` symbols that is a copy: with
    `keep="first"` one that also stands in a lower row, or before it in its own. What is left of a
    row is joined.

    Parameters
    ----------
    data
        Anything that holds a column.
    column
        The column's name, where `data` has several.
    min_length
        The shortest passage that counts, in symbols: bytes of text, or tokens.
    min_count
        How often a passage occurs, at least, for its copies to go: 2 or more, 2 by default; or in
        `against`, 1 or more, 1 by default.
    keep
        Which copy of a passage stays: `"first"`, the one in the lowest row; `"longest"`, the one
        in the longest row, of rows as long in the lowest; `"none"`, no copy, as
        deduplicate-text-datasets has it.
    against
        A column, or an index: take out what occurs there, and leave copies within `data`. `keep` is
        of no consequence then.
    against_column
        The name of the column of `against`, where it has several.
    whole_rows
        Take out rows that as a whole are the same as others, rather than passages. `min_length` is
        of no consequence then.
    empty
        What a row becomes of which nothing is left: `"empty"`, or `"null"`.
    passes
        How often to do it. Where pieces of a row are joined, and where what stayed has lost its
        copy's surroundings, passages may occur twice that did not before: None goes on until a
        pass finds nothing.
    memory
        Memory to use, in bytes or such as `"4GB"`: a column for which it is too small is compared
        with itself piece by piece, with the same result, in time that grows with the square of
        their number.
    threads
        Threads to use; all by default.
    progress
        True for a bar, or a callable that takes the phase, the units done and the total.

    Returns
    -------
    Deduplicated
        `column`, of the type that it had, and `report`, a row a span that was taken out.

    Raises
    ------
    InvalidInput
        If an argument has a value that it cannot have.
    UnsupportedType
        If `data` holds no column of text or tokens, or `against` one of another kind.
    OutOfBudget
        If one row is larger than `memory` allows; or `min_count` is above 2 (above 1 with
        `against`) and the column (with `against`) does not fit at once: copies in pieces are known
        to be there, and not counted.

    Notes
    -----
    O(n) time for n symbols beside the suffix sorting; 5 bytes a symbol beside the column and its
    copy, 9 if `min_length` is above 1,024. What goes is what the windows of Lee et al. (2022)
    cover: up to that length neighbours in the suffix array are compared as they are, above it by
    their common prefixes and longest previous factors (Crochemore and Ilie 2008). A passage that
    stays may lose symbols to others that reach into it, whose first copies stand elsewhere.

    Examples
    --------
    >>> import bowstring as bow
    >>> rows = ["All rights reserved. One", "All rights reserved. Two", None]
    >>> clean = bow.deduplicate(rows, min_length=10)
    >>> clean.column.to_pylist()
    ['All rights reserved. One', 'Two', None]
    >>> clean.report.to_pylist()[0]
    {'row': 1, 'start': 0, 'stop': 21, 'copy_row': 0, 'copy_start': 0, 'pass': 1}
    """
    limits = _options(min_length, min_count, against is not None)
    if keep not in ("none", "first", "longest"):
        raise InvalidInput(f'keep is {keep!r}: give "none", "first" or "longest"')
    if empty not in ("empty", "null"):
        raise InvalidInput(f'empty is {empty!r}: give "empty" or "null"')
    most = as_option(passes, "passes")
    if most == 0:
        raise InvalidInput("passes is 0: give 1 or more, or None to go on until nothing is found")
    rows = _held(data, column, "data")
    other = against
    if against is not None and not isinstance(against, Index):
        other = _held(against, against_column, "against")
    if other is not None:
        other = _alike(rows, other)
    type, reports = rows.type, []
    with progress_callback(progress) as callback:
        options = _Options(*limits, keep, whole_rows, as_option(threads, "threads"), callback)
        for number in itertools.count(1):
            room = options.room(memory, against is not None)
            found = _removals(_in_pieces(rows, room), _others(other, room), options)
            if found.num_rows:
                rows = _cut(rows, found, empty == "null", options.threads)
            numbers = _pa.repeat(pa.scalar(number, pa.uint32()), found.num_rows)
            reports.append(found.append_column("pass", numbers).cast(REPORT))
            if not found.num_rows or number == most:
                break
    return Deduplicated(_like(rows, type), pa.concat_tables(reports).combine_chunks())


def deduplicate_parquet(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    column: str | None = None,
    *,
    min_length: int = 100,
    min_count: int | None = None,
    keep: Keep = "first",
    against: Any = None,
    against_column: str | None = None,
    whole_rows: bool = False,
    empty: Literal["empty", "null", "drop"] = "empty",
    memory: int | str | None = None,
    threads: int | None = None,
    progress: Progress = None,
) -> pa.Table:
    """Do `deduplicate` from one Parquet file to another.

    The file may be larger than memory: pieces of it that fit are compared two by two. It is read
    and written row group by row group, those that are larger some rows at a time, and all other
    columns are copied as they are.

    Parameters
    ----------
    source
        The Parquet file to read.
    target
        The Parquet file to write; it appears once it is whole.
    column
        The column's name, where the file has several.
    min_length, min_count, keep, against, against_column, whole_rows, memory, threads, progress
        As `deduplicate` has them.
    empty
        What a row becomes of which nothing is left, also `"drop"` to leave it out of the file.

    Returns
    -------
    pyarrow.Table
        The `report` of `deduplicate`; rows are those of `source`.

    Raises
    ------
    InvalidInput, UnsupportedType, OutOfBudget
        As `deduplicate` does.

    Examples
    --------
    >>> import tempfile, pyarrow.parquet as pq
    >>> folder = Path(tempfile.mkdtemp())
    >>> table = pa.table({"id": [1, 2], "text": ["a passage of text", "a passage of text"]})
    >>> pq.write_table(table, folder / "a.parquet")
    >>> report = deduplicate_parquet(
    ...     folder / "a.parquet", folder / "b.parquet", "text", min_length=8, empty="drop"
    ... )
    >>> pq.read_table(folder / "b.parquet")["id"].to_pylist()
    [1]
    """
    limits = _options(min_length, min_count, against is not None)
    if keep not in ("none", "first", "longest"):
        raise InvalidInput(f'keep is {keep!r}: give "none", "first" or "longest"')
    if empty not in ("empty", "null", "drop"):
        raise InvalidInput(f'empty is {empty!r}: give "empty", "null" or "drop"')
    other = against
    if against is not None and not isinstance(against, Index):
        other = _held(against, against_column, "against")
    with pq.ParquetFile(os.fspath(source)) as file, progress_callback(progress) as callback:
        names = file.schema_arrow.names
        at = choose(names, column, "source")
        if widest(file.schema_arrow.types[at]) is None:
            raise UnsupportedType(
                f"column {names[at]!r} is of {file.schema_arrow.types[at]}: give one of text, "
                "bytes or lists of integers"
            )
        if other is not None:
            rows = _pa.array([], file.schema_arrow.types[at])
            other = _alike(_held(rows, None, "source"), other)
        options = _Options(*limits, keep, whole_rows, as_option(threads, "threads"), callback)
        room = options.room(memory, against is not None)
        found = _removals(_file_pieces(file, at, room), _others(other, room), options)
        partial = Path(f"{os.fspath(target)}.partial")
        try:
            _rewrite(file, at, partial, found, empty, options, room)
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
    ones = _pa.repeat(pa.scalar(1, pa.uint32()), found.num_rows)
    return found.append_column("pass", ones).cast(REPORT)


@dataclass(frozen=True, slots=True)
class _Options:
    min_length: int
    min_count: int
    keep: str
    whole_rows: bool
    threads: int | None
    progress: Callable[[str, int, int | None], object] | None

    def room(self, memory: int | str | None, half: bool) -> int:
        """Say how many symbols may be sorted at once, or half of that."""
        long = self.min_length > LONG and not self.whole_rows
        most = _room(memory, BYTES_PER_SYMBOL_OF_LONG if long else BYTES_PER_SYMBOL)
        return most // 2 if half else most

    def ask(self, rows: Any, other: Any) -> pa.Table:
        """Ask the core for what is to be taken out of rows, which fit."""
        if self.whole_rows:
            return pa.table(
                _core.row_removals(rows, other, self.min_count, self.keep, self.threads)
            )
        return pa.table(
            _core.removals(
                rows,
                other,
                self.min_length,
                self.min_count,
                self.keep,
                self.threads,
                self.progress,
            )
        )


@dataclass(frozen=True, slots=True)
class _Piece:
    """Rows that are neighbours, read when they are needed."""

    first: int
    """The number of the first one."""
    symbols: int
    read: Callable[[], Any]


def _options(min_length: int, min_count: int | None, across: bool) -> tuple[int, int]:
    length = as_option(min_length, "min_length", required=True)
    if length == 0:
        raise InvalidInput("min_length is 0: give 1 or more")
    least = 1 if across else 2
    count = as_option(min_count, "min_count")
    if count is None:
        return length, least
    if count < least:
        why = "what occurs in against does so once or more, so give 1 or more"
        if not across:
            why = "a passage occurs twice or more, so give 2 or more"
        raise InvalidInput(f"min_count is {count}: {why}")
    return length, count


def _room(memory: int | str | None, bytes_per_symbol: int) -> int:
    """Say how many symbols may be sorted at once."""
    budget = parse_bytes(memory)
    if budget is None:
        return MOST_SYMBOLS
    return min(budget * 8 // 10 // bytes_per_symbol, MOST_SYMBOLS)


def _held(data: Any, column: str | None, name: str) -> Any:
    """Hold a column as one array of plain rows: text, bytes or lists."""
    if isinstance(data, Index):
        if column is not None:
            raise InvalidInput(f"column is {column!r}, but {name} is an index: leave column out")
        return data.text(pa.array(range(data.info.rows), pa.uint64()))
    array = one_chunk(as_array(data, name, column))
    type = widest(array.type)
    if type is None:
        raise UnsupportedType(f"{name} is a column of {array.type}: give text, bytes or tokens")
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    if pa.types.is_null(type):
        return array.cast(TEXT)
    return array.cast(type) if pa.types.is_dictionary(array.type) else array


def _kind(held: Any) -> str:
    """Say what rows hold: string, binary or tokens."""
    if isinstance(held, Index):
        return held.info.column
    type = widest(held.type)
    return "tokens" if type == TOKENS else "binary" if type == pa.large_binary() else "string"


def _alike(rows: Any, against: Any) -> Any:
    """Refuse to look for text among tokens or bytes; make bytes of text."""
    own, other = _kind(rows), _kind(against)
    if own == "binary" and other == "string" and not isinstance(against, Index):
        return against.cast(pa.large_binary())
    if own != other:
        names = {"tokens": "tokens", "string": "text", "binary": "bytes"}
        raise UnsupportedType(
            f"against holds {names[other]} and data {names[own]}: give two of one kind"
        )
    return against


def _lengths(rows: Any) -> Any:
    if pa.types.is_null(rows.type):
        rows = rows.cast(TEXT)
    wide = widest(rows.type)
    if wide == TOKENS:
        return _pc.list_value_length(rows).cast(pa.int64())
    return _pc.binary_length(rows.cast(wide) if wide is not None else rows).cast(pa.int64())


def _cut_up(
    lengths: Any, room: int, halves: bool, read: Callable[[int, int], Callable[[], Any]]
) -> list[_Piece]:
    """Cut rows of such lengths into pieces of which two can be sorted at once, unless it is one."""
    lengths = _pc.add(_pc.fill_null(lengths, 0), 1)
    total = int(_pc.sum(lengths).as_py() or 0)
    if total <= (room // 2 if halves else room):
        return [_Piece(0, total, read(0, len(lengths)))]
    most = room // 2
    ends: Any = _pc.cumulative_sum(lengths)
    pieces, first, before = [], 0, 0
    while first < len(lengths):
        after = bisect.bisect_right(
            range(len(lengths)), before + most, lo=first, key=lambda row: ends[row].as_py()
        )
        if after == first:
            raise OutOfBudget(
                f"row {first} has {lengths[first].as_py() - 1} symbols, and pieces of {most} are "
                "all that the memory allows: give more memory"
            )
        pieces.append(_Piece(first, ends[after - 1].as_py() - before, read(first, after)))
        first, before = after, ends[after - 1].as_py()
    return pieces


def _in_pieces(held: Any, room: int, halves: bool = False) -> list[_Piece]:
    """Cut a column or an index into pieces of which two can be sorted at once, unless it is one."""
    if not isinstance(held, Index):
        return _cut_up(
            _lengths(held),
            room,
            halves,
            lambda first, after: lambda: held.slice(first, after - first),
        )
    info = held.info
    symbols = info.symbols + info.rows
    if symbols <= (room // 2 if halves else room):
        return [_Piece(0, symbols, lambda: held._core)]
    # The text of one segment at a time, and only its lengths are kept.
    lengths, first = [], 0
    for segment in info.segments:
        lengths.append(_lengths(held.text(pa.array(range(first, first + segment.rows), _ROW))))
        first += segment.rows
    return _cut_up(
        _pa.concat_arrays(lengths),
        room,
        True,
        lambda first, after: lambda: held.text(pa.array(range(first, after), _ROW)),
    )


def _file_pieces(file: pq.ParquetFile, at: int, room: int) -> list[_Piece]:
    """Cut a column of a file into pieces, as `_in_pieces` does."""
    name = file.schema_arrow.names[at]
    lengths = [pa.array([], pa.int64())]
    # What is read to know its size is kept as long as all of it may fit.
    kept: list[Any] = []
    total = 0
    for batch in file.iter_batches(_batch_rows(file), columns=[name]):
        rows = batch.column(0)
        lengths.append(_lengths(rows))
        total += int(_pc.sum(lengths[-1]).as_py() or 0) + len(rows)
        kept = [*kept, rows] if total <= room and (kept or len(lengths) == 2) else []
    if kept:
        whole = pa.chunked_array(kept)
        return [_Piece(0, total, lambda: _held(whole, None, "source"))]
    return _cut_up(
        _pa.concat_arrays(lengths),
        room,
        False,
        lambda first, after: lambda: _read(file, name, first, after),
    )


def _batch_rows(file: pq.ParquetFile) -> int:
    """Say how many rows are about so many bytes."""
    groups = [file.metadata.row_group(at) for at in range(file.metadata.num_row_groups)]
    largest = max((group.total_byte_size // max(group.num_rows, 1) for group in groups), default=1)
    return min(max(BATCH // max(largest, 1), 1), 1 << 16)


def _read(file: pq.ParquetFile, name: str, first: int, after: int) -> Any:
    """Read some rows of a column: the batches that hold them, of the row groups that do."""
    chunks: list[Any] = []
    start, rows = 0, _batch_rows(file)
    for number in range(file.metadata.num_row_groups):
        stop = start + file.metadata.row_group(number).num_rows
        if start < after and first < stop:
            for batch in file.iter_batches(rows, row_groups=[number], columns=[name]):
                low, high = max(first - start, 0), min(after - start, batch.num_rows)
                if low < high:
                    chunks.append(batch.column(0).slice(low, high - low))
                start += batch.num_rows
        start = stop
    type = file.schema_arrow.field(name).type
    return _held(pa.chunked_array(chunks, type), None, "source")


def _others(against: Any, room: int) -> list[_Piece] | None:
    return None if against is None else _in_pieces(against, room)


def _passages(
    pieces: list[_Piece],
    others: list[_Piece] | None,
    least: int,
    count: int,
    threads: int | None,
    callback: Callable[[str, int, int | None], object] | None,
) -> pa.Table:
    """Find the passages of pieces, each compared with every other, and then count them."""
    options = (threads, callback)
    spans: list[pa.Table] = []
    for nth, piece in enumerate(pieces):
        own = piece.read()
        times = count if others is not None else count - 1
        held = _core.Piece.of(own, times, others is None, *options)
        for other, beside in enumerate(pieces if others is None else others):
            if others is not None or other != nth:
                held.meet(beside.read(), own, *options)
        spans.append(pa.table(held.passages(least, threads)))
        del held
    sums = [[0] * table.num_rows for table in spans]
    firsts: list[list[tuple[int, int] | None]] = [[None] * table.num_rows for table in spans]
    for beside in pieces if others is None else others:
        sorted_rows = _core.Piece.of(beside.read(), 0, True, *options)
        for nth, piece in enumerate(pieces):
            if not spans[nth].num_rows:
                continue
            names = ("row", "start", "stop")
            own = piece.read()
            row, start, stop = (spans[nth][name] for name in names)
            table = pa.table(sorted_rows.occurrences(own, row, start, stop, threads))
            places = zip(*(table[name].to_pylist() for name in ("count", *names[:2])), strict=True)
            for at, (found, first_row, first_start) in enumerate(places):
                sums[nth][at] += found
                if found and firsts[nth][at] is None:
                    firsts[nth][at] = (beside.first + first_row, first_start)
        del sorted_rows
    # The same passages are those that are as long and first occur at the same place.
    groups: dict[Any, int] = {}
    tables = []
    for piece, table, counts, places_of in zip(pieces, spans, sums, firsts, strict=True):
        sizes = _pc.subtract(table["stop"], table["start"]).to_pylist()
        numbers = [
            groups.setdefault((size, place), len(groups))
            for size, place in zip(sizes, places_of, strict=True)
        ]
        rows = _pc.add(table["row"], pa.scalar(piece.first, pa.uint64()))
        table = table.set_column(0, "row", rows)
        table = table.append_column("count", pa.array(counts, pa.uint64()))
        tables.append(table.append_column("group", pa.array(numbers, pa.uint64())))
    return pa.concat_tables(tables).combine_chunks()


def _removals(pieces: list[_Piece], others: list[_Piece] | None, options: _Options) -> pa.Table:
    """Find what is to be taken out, comparing pieces two by two where there are several."""
    if others is not None:
        pairs: Iterable[tuple[_Piece, _Piece]] = itertools.product(pieces, others)
        several = len(pieces) * len(others) > 1
        if options.min_count > 1 and len(others) > 1:
            raise OutOfBudget(
                f"min_count is {options.min_count}, and against does not fit at once: give more "
                "memory, or leave min_count out"
            )
        found = [
            _moved(options.ask(piece.read(), other.read()), [(0, piece.first)], [(0, other.first)])
            for piece, other in pairs
        ]
        return _merged(found, None) if several else found[0]
    if len(pieces) == 1:
        return options.ask(pieces[0].read(), None)
    if options.min_count > 2:
        raise OutOfBudget(
            f"min_count is {options.min_count}, and the column does not fit at once: give more "
            "memory, or leave min_count out"
        )
    lengths = None
    if options.keep == "longest":
        lengths = _pa.concat_arrays([_pc.fill_null(_lengths(piece.read()), 0) for piece in pieces])
    found = []
    for one, two in itertools.combinations(pieces, 2):
        first, second = one.read(), two.read()
        places = [(0, one.first), (len(first), two.first)]
        table = options.ask(pa.chunked_array([first, second]), None)
        found.append(_moved(table, places, places))
    return _merged(found, lengths)


def _moved(table: pa.Table, rows: list[tuple[int, int]], copies: list[tuple[int, int]]) -> pa.Table:
    """Give rows the numbers of the whole column: those from one on start at another."""
    for name, places in (("row", rows), ("copy_row", copies)):
        old: Any = table[name]
        new: Any = old
        for begin, first in places:
            moved = _pc.add(_pc.subtract(old.cast(pa.int64()), begin), first).cast(pa.uint64())
            new = _pc.if_else(_pc.greater_equal(old, pa.scalar(begin, pa.uint64())), moved, new)
        table = table.set_column(table.schema.get_field_index(name), name, new)
    return table


def _merged(found: list[pa.Table], lengths: Any) -> pa.Table:
    """Unite spans that overlap or touch; of several copies the one that is kept remains."""
    table = pa.concat_tables(found)

    def order(copy: tuple[int, int]) -> tuple[int, int, int]:
        return (0 if lengths is None else -lengths[copy[0]].as_py(), *copy)

    merged: dict[str, list[int]] = {name: [] for name in table.column_names}
    for row, start, stop, copy_row, copy_start in _sorted_rows(table):
        if merged["row"] and merged["row"][-1] == row and start <= merged["stop"][-1]:
            merged["stop"][-1] = max(merged["stop"][-1], stop)
            known = (merged["copy_row"][-1], merged["copy_start"][-1])
            if merged["start"][-1] != start or order(known) <= order((copy_row, copy_start)):
                continue
            merged["copy_row"][-1], merged["copy_start"][-1] = copy_row, copy_start
        else:
            values = (row, start, stop, copy_row, copy_start)
            for name, value in zip(merged, values, strict=True):
                merged[name].append(value)
    return pa.table({name: pa.array(values, pa.uint64()) for name, values in merged.items()})


def _sorted_rows(table: pa.Table) -> Iterator[tuple[int, ...]]:
    table = table.sort_by([("row", "ascending"), ("start", "ascending")])
    for batch in table.to_batches(max_chunksize=1 << 16):
        yield from zip(*(one.to_pylist() for one in batch.columns), strict=True)


def _cut(rows: Any, found: pa.Table, null: bool, threads: int | None) -> Any:
    spans = (found["row"], found["start"], found["stop"])
    return _pa.array(_core.cut(rows, *spans, null, threads))


def _like(rows: Any, type: pa.DataType) -> pa.Array[Any]:
    """Give rows the type that they had, where its offsets reach."""
    try:
        like: pa.Array[Any] = rows if rows.type == type else rows.cast(type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return rows  # type: ignore[no-any-return]
    return like


def _rewrite(
    file: pq.ParquetFile,
    at: int,
    target: Path,
    found: pa.Table,
    empty: str,
    options: _Options,
    room: int,
) -> None:
    """Write a file without the spans: its row groups, or of larger ones than fit some rows each."""
    schema = file.schema_arrow
    spans = found.select(["row", "start", "stop"])
    first = 0
    with pq.ParquetWriter(target, schema, compression=_compression(file)) as sink:
        for number in range(file.metadata.num_row_groups):
            group = file.metadata.row_group(number)
            if group.total_byte_size <= room:
                tables: Iterable[pa.Table] = [file.read_row_group(number)]
            else:
                batches = file.iter_batches(_batch_rows(file), row_groups=[number])
                tables = (pa.Table.from_batches([batch]) for batch in batches)
            for table in tables:
                left = _without(table, at, spans, first, empty, options)
                sink.write_table(left, row_group_size=max(left.num_rows, 1))
                first += table.num_rows


def _without(
    table: pa.Table, at: int, spans: pa.Table, first: int, empty: str, options: _Options
) -> pa.Table:
    """Cut the spans out of rows from one number on."""
    own = spans.filter((_pc.field("row") >= first) & (_pc.field("row") < first + table.num_rows))
    if not own.num_rows:
        return table
    field = table.schema.field(at)
    rows = _held(table.column(at), None, "source")
    moved = _pc.subtract(own["row"], pa.scalar(first, _ROW))
    left = _cut(rows, own.set_column(0, "row", moved), empty == "null", options.threads)
    table = table.set_column(at, field, _like(left, field.type))
    if empty == "drop":
        was, now = (_pc.fill_null(_lengths(one), 0) for one in (rows, left))
        table = table.filter(_pc.invert(_pc.and_(_pc.greater(was, 0), _pc.equal(now, 0))))
    return table


def _compression(file: pq.ParquetFile) -> Any:
    if not file.metadata.num_row_groups or not file.metadata.num_columns:
        return "zstd"
    name = str(file.metadata.row_group(0).column(0).compression).lower()
    return "none" if name == "uncompressed" else name
