"""Columns that ride along with the rows of an index, and come back with its answers."""

from __future__ import annotations

import bisect
import itertools
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from bowstring import _core
from bowstring.columns import choose
from bowstring.errors import CorruptIndex, InvalidInput, UnsupportedType
from bowstring.frames import as_table, is_table, library

# What pyarrow's stubs do not know, or know wrongly.
_pc: Any = pc

# Rows that are read and written at once.
BATCH = 1 << 16

# The names of an answer's own columns.
TAKEN = ("query", "row", "count", "start", "stop", "left", "match", "right")


class Metadata:
    """Columns in the order of an index's rows: in memory, or files that are mapped.

    Examples
    --------
    >>> urls = Metadata([pa.table({"url": ["a", "b"]}), pa.table({"url": ["c"]})])
    >>> urls.take(pa.array([2, 0, 2])).to_pydict()
    {'url': ['c', 'a', 'c']}
    """

    __slots__ = ("batches", "checked", "rows", "schema", "starts")

    def __init__(self, tables: Sequence[pa.Table]) -> None:
        self.schema = tables[0].schema
        self.batches = [batch for table in tables for batch in table.to_batches(BATCH)]
        ends = list(itertools.accumulate(batch.num_rows for batch in self.batches))
        self.starts, self.rows = [0, *ends[:-1]], ends[-1] if ends else 0
        self.checked: set[int] = set()

    @classmethod
    def of(cls, core: _core.Index) -> Metadata | None:
        """Map the files of an index on disk; None if it has none."""
        tables: list[pa.Table] = []
        for path, rows in core.metadata():
            try:
                with pa.memory_map(os.fspath(path)) as file:
                    table = pa.ipc.open_file(file).read_all()
            except FileNotFoundError:
                raise
            except (pa.ArrowException, OSError, ValueError) as error:
                raise CorruptIndex(f"{path}: not a file of metadata: {error}") from None
            if table.num_rows != rows or (tables and table.schema != tables[0].schema):
                raise CorruptIndex(f"{path}: not the metadata that the manifest names")
            tables.append(table)
        return cls(tables) if tables else None

    def take(self, rows: pa.Array[Any], names: Sequence[str] | None = None) -> pa.Table:
        """Give the columns named, or all, of some rows; only batches that hold one are read.

        O(k log k) for k rows.
        """
        order = _pc.array_sort_indices(rows)
        ascending = rows.take(order)
        found, at = [], 0
        while at < len(ascending):
            nth = bisect.bisect_right(self.starts, ascending[at].as_py()) - 1
            batch, start = self._batch(nth), self.starts[nth]
            until = bisect.bisect_left(
                range(len(ascending)),
                start + batch.num_rows,
                at,
                key=lambda place: ascending[place].as_py(),
            )
            found.append(batch.take(_pc.subtract(ascending[at:until], start)))
            at = until
        table = pa.Table.from_batches(found, self.schema)
        if names is not None:
            table = table.select(list(names))
        return table.take(_pc.array_sort_indices(order))

    def _batch(self, nth: int) -> pa.RecordBatch:
        """Give a batch whose numbers point into it: those of a damaged file may not."""
        batch = self.batches[nth]
        if nth not in self.checked:
            try:
                batch.validate(full=True)
            except (pa.ArrowException, UnicodeError) as error:
                raise CorruptIndex(f"the index's metadata is damaged: {error}") from None
            self.checked.add(nth)
        return batch

    def joined(self, other: Metadata) -> Metadata:
        """Put others behind these."""
        return Metadata([self._table(), other._table()])

    def reader(self) -> pa.RecordBatchReader:
        """Read them anew."""
        return pa.RecordBatchReader.from_batches(self.schema, self.batches)

    def _table(self) -> pa.Table:
        return pa.Table.from_batches(self.batches, self.schema)

    def chosen(self, names: bool | Sequence[str] | str) -> list[str]:
        """Give the names of the columns that an argument asks for.

        Raises
        ------
        InvalidInput
            If there is no such column.
        """
        if isinstance(names, bool):
            return self.schema.names if names else []
        asked = [names] if isinstance(names, str) else list(names)
        return [self.schema.names[choose(self.schema.names, one, "metadata")] for one in asked]


def read(data: Any, metadata: Any, like: pa.Schema | None = None) -> pa.RecordBatchReader | None:
    """Read the columns that `metadata` names of `data`, or holds itself; None if it is None.

    Parameters
    ----------
    data
        What is indexed.
    metadata
        Names of columns of `data`, or a table of as many rows.
    like
        The columns that are there already, and to be continued.

    Raises
    ------
    InvalidInput
        If there is no such column, or its name is one of an answer's own.
    UnsupportedType
        If `metadata` is no table, or its types are not those of `like`.
    """
    if metadata is None:
        if like is None:
            return None
        metadata = like.names
    names: list[str] | None = None
    if isinstance(metadata, str):
        names = [metadata]
    elif isinstance(metadata, Sequence) and all(isinstance(one, str) for one in metadata):
        names = list(metadata)
    reader = _readable(metadata, "metadata") if names is None else _selected(data, names)
    for name in reader.schema.names:
        if name in TAKEN:
            raise InvalidInput(
                f"metadata has a column {name!r}, as answers have: rename it; the names of "
                f"answers are {', '.join(TAKEN)}"
            )
    if not reader.schema.names:
        raise InvalidInput("metadata has no columns: name one, or leave it out")
    if len(set(reader.schema.names)) < len(reader.schema.names):
        raise InvalidInput(f"metadata names a column twice: {reader.schema.names}")
    schema = like or pa.schema([_plain(field) for field in reader.schema])
    missing = [name for name in schema.names if name not in reader.schema.names]
    if missing:
        raise InvalidInput(f"metadata lacks {missing[0]!r}, which the index's rows have")

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in reader:
            try:
                yield from pa.table(batch).select(schema.names).cast(schema).to_batches(BATCH)
            except pa.ArrowException as error:
                raise UnsupportedType(f"metadata is not as that of the index: {error}") from None

    return pa.RecordBatchReader.from_batches(schema, batches())


@contextmanager
def attached(
    reader: pa.RecordBatchReader | None, to_file: bool
) -> Iterator[tuple[tuple[int, str | None] | None, Metadata | None]]:
    """Hold metadata for as long as the core needs to take it.

    Gives what the core takes, the number of rows and the file to copy, and the columns themselves
    where the index is in memory.
    """
    if reader is None:
        yield None, None
    elif not to_file:
        held = Metadata([reader.read_all()])
        yield (held.rows, None), held
    else:
        with tempfile.TemporaryDirectory(prefix="bowstring-") as folder:
            path = str(Path(folder, "metadata.arrow"))
            rows = 0
            with pa.OSFile(path, "wb") as sink, pa.ipc.new_file(sink, reader.schema) as file:
                for batch in reader:
                    file.write_batch(batch)
                    rows += batch.num_rows
            yield (rows, path), None


def _plain(field: Any) -> Any:
    """Write dictionaries as their values: a file of Arrow's has one dictionary for all batches."""
    type = field.type
    return field.with_type(type.value_type) if pa.types.is_dictionary(type) else field


def _readable(table: Any, name: str) -> pa.RecordBatchReader:
    if isinstance(table, pa.RecordBatchReader):
        return table
    return pa.RecordBatchReader.from_stream(as_table(table, name))


def _selected(data: Any, names: Sequence[str]) -> pa.RecordBatchReader:
    """Read columns of what is indexed beside its text, in a pass of their own."""
    files = data if isinstance(data, list | tuple) else [data]
    if isinstance(data, str) or (files and all(isinstance(one, os.PathLike) for one in files)):
        # Arrow's readers of files are slow to import, and most indexes need none.
        from bowstring.files import dataset_of

        data = dataset_of([Path(one) for one in files], names)
    if hasattr(data, "scanner"):  # a dataset
        has = data.schema.names
    elif not is_table(data):
        raise InvalidInput(
            f"metadata names columns of data, and data is a {type(data).__name__} without any that "
            "could be read once more: give metadata a table"
        )
    elif isinstance(data, pa.Table | pa.RecordBatch):
        has = data.schema.names
    elif type(data).__name__ == "LazyFrame":
        has = data.collect_schema().names()
    else:
        has = list(data.columns)
    chosen = [has[choose(has, one, "data")] for one in names]
    if hasattr(data, "scanner"):
        scanner = data.scanner(columns=chosen, batch_size=BATCH, batch_readahead=1)
        reader: pa.RecordBatchReader = scanner.to_reader()
        return reader
    if type(data).__name__ == "DuckDBPyRelation":
        quoted = ('"' + one.replace('"', '""') + '"' for one in chosen)
        return _readable(data.project(", ".join(quoted)), "data")
    if library(data) == "pandas":
        return _readable(data[chosen], "data")
    return _readable(data.select(chosen), "data")
