"""Read one column of files, a block at a time: Parquet, JSON Lines, CSV and plain text."""

from __future__ import annotations

import csv
import io
import itertools
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet as pq

from bowstring.columns import (
    TEXT,
    ColumnStream,
    Source,
    check_type,
    choose,
    from_dataset,
    widest,
)
from bowstring.errors import InvalidInput, UnsupportedType

BLOCK = 1 << 23
# Arrow's parsers refuse a row longer than a block: most files never need the larger ones.
BLOCKS = (BLOCK, 1 << 26, 1 << 29, (1 << 31) - 1)
# How far to look into a file for the names and types of its columns.
HEAD_BYTES = 1 << 20
HEAD_ROWS = 1000

COMPRESSED = (".gz", ".zst", ".bz2", ".lz4", ".br")


@dataclass(frozen=True, slots=True)
class _File:
    """One column of one file; `arrays` reads nothing until it is asked."""

    type: pa.DataType
    arrays: Iterator[pa.Array[Any]]
    rows: int | None = None
    nbytes: int | None = None


def open_column(paths: Sequence[Any], column: str | None, name: str = "data") -> Source:
    """Open the same column of one or more files, to be read one after another.

    The format follows the name: `.parquet`, `.jsonl` or `.ndjson`, `.csv`, `.tsv`, and text
    (a row a line) otherwise; all but Parquet also compressed (`.gz`, `.zst`, ...). A
    directory is a Parquet dataset. In CSV an empty field is null, and `""` an empty string.
    """
    found = [_existing(path, name, len(paths) == 1) for path in paths]
    if len(found) == 1:
        if found[0].is_dir():
            return _directory(found[0], column, name)
        file = _open(found[0], column, name)
        check_type(file.type, f"{name} ({found[0]})")
        return Source(ColumnStream(file.type, file.arrays), file.rows, file.nbytes)
    first = _open(found[0], column, name)
    type = TEXT if pa.types.is_null(first.type) else widest(first.type)
    if type is None:
        check_type(first.type, f"{name} ({found[0]})")
        raise UnsupportedType(f"{name}: the column of {found[0]} is of {first.type}")
    # Files may differ in offsets or encoding (string, large_string, dictionary): widen all.
    return Source(
        ColumnStream(type, _chained(first, found, column, name, type)), None, _total_size(found)
    )


def _chained(
    first: _File, paths: Sequence[Path], column: str | None, name: str, type: pa.DataType
) -> Iterator[pa.Array[Any]]:
    rest = (_open(path, column, name) for path in paths[1:])
    for path, file in zip(paths, itertools.chain([first], rest), strict=True):
        if widest(file.type) not in (type, pa.null()):
            raise UnsupportedType(
                f"{name}: the column of {path} is of {file.type}, that of {paths[0]} of "
                f"{first.type}: index them apart"
            )
        for array in file.arrays:
            yield array if array.type == type else array.cast(type)


def _existing(path: Any, name: str, alone: bool) -> Path:
    if not isinstance(path, os.PathLike) and not (alone and isinstance(path, str)):
        raise UnsupportedType(
            f"{name} mixes paths and {type(path).__name__} ({path!r:.60}): make each a pathlib.Path"
        )
    found = Path(path)
    try:
        if found.exists():
            return found
    except (OSError, ValueError):  # a text too long for a path, or with a NUL in it
        pass
    shown = repr(os.fspath(path))
    shown = shown if len(shown) <= 80 else shown[:77] + "..."
    if isinstance(path, str):
        raise InvalidInput(
            f"{name} is the str {shown}, and there is no such file; if it is a text, a column "
            f"of one row is [{name}]"
        )
    raise InvalidInput(f"{name}: there is no file {shown}")


def _open(path: Path, column: str | None, name: str) -> _File:
    where = f"{name} ({path})"
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if path.is_dir():
        raise InvalidInput(f"{where} is a directory: list the files in it")
    if suffixes and suffixes[-1] in (".parquet", ".pq"):
        return _parquet(path, column, where)
    if suffixes and suffixes[-1] in COMPRESSED:
        suffixes.pop()
    match suffixes[-1] if suffixes else "":
        case ".jsonl" | ".ndjson":
            return _json_lines(path, column, where)
        case ".csv":
            return _csv(path, column, where, ",")
        case ".tsv":
            return _csv(path, column, where, "\t")
        case _:
            if column is not None:
                raise InvalidInput(
                    f"column is {column!r}, but {where} is read as text, one row a line: leave "
                    "column out"
                )
            return _File(TEXT, _lines(path, where), None, _size(path))


def dataset_of(paths: Sequence[Path], names: Sequence[str]) -> Any:
    """Open files, to read columns of them that are named: Parquet, JSON Lines or CSV.

    What is named of CSV is text, since the first lines do not tell what the last ones hold.

    Raises
    ------
    InvalidInput
        If the format has no columns, or a file cannot be read.
    """
    import pyarrow.dataset as ds

    kinds = {".parquet": "parquet", ".pq": "parquet", ".jsonl": "json", ".ndjson": "json"}
    kinds |= {".csv": "csv", ".tsv": "csv"}
    suffixes = [suffix.lower() for suffix in paths[0].suffixes if suffix.lower() not in COMPRESSED]
    end = ".parquet" if paths[0].is_dir() else suffixes[-1] if suffixes else ""
    if end not in kinds:
        raise InvalidInput(f"data ({paths[0]}) is read as text, and has no columns for metadata")
    format: Any = kinds[end]
    if format == "csv":
        format = ds.CsvFileFormat(
            parse_options=pyarrow.csv.ParseOptions(
                delimiter="\t" if end == ".tsv" else ",", newlines_in_values=True
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(names, TEXT),
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                null_values=[""],
            ),
        )
    files = [str(path) for path in paths]
    with _named(f"data ({files[0]})", str(kinds[end])):
        return ds.dataset(files[0] if len(files) == 1 else files, format=format)


def _directory(path: Path, column: str | None, name: str) -> Source:
    import pyarrow.dataset as ds

    where = f"{name} ({path})"
    if (path / "manifest.json").exists():
        raise InvalidInput(f"{where} is a directory with an index: open it with bowstring.open")
    if not any(path.rglob("*.parquet")):
        raise InvalidInput(f"{where} is a directory without Parquet files: list its files")
    with _named(where, "Parquet"):
        return from_dataset(ds.dataset(path, format="parquet"), column, where)


def _parquet(path: Path, column: str | None, where: str) -> _File:
    with _named(where, "Parquet"):
        file = pq.ParquetFile(path, pre_buffer=False, buffer_size=HEAD_BYTES)
    schema = file.schema_arrow
    at = choose(schema.names, column, where)
    field = schema.field(at)
    # Rows and bytes of each group: rows of very different length lie in groups of their own.
    groups: list[tuple[int, int]] = []
    for group in map(file.metadata.row_group, range(file.metadata.num_row_groups)):
        leaves = [group.column(leaf) for leaf in range(group.num_columns)]
        ours = [leaf for leaf in leaves if leaf.path_in_schema.partition(".")[0] == field.name]
        groups.append((group.num_rows, sum(leaf.total_uncompressed_size for leaf in ours)))
    nbytes = sum(nbytes for _, nbytes in groups)

    def arrays() -> Iterator[pa.Array[Any]]:
        with file, _named(where, "Parquet"):
            for group, (rows, nbytes) in enumerate(groups):
                batch = max(1, min(1 << 17, BLOCK * rows // max(nbytes, 1)))
                for some in file.iter_batches(batch, row_groups=[group], columns=[field.name]):
                    yield some.column(some.schema.get_field_index(field.name))

    return _File(field.type, arrays(), file.metadata.num_rows, nbytes or None)


def _json_lines(path: Path, column: str | None, where: str) -> _File:
    names: dict[str, None] = {}
    values: dict[str, Any] = {}
    head, _ = _head(path, where)
    rows = [line for line in head.split("\n") if line.strip()][:HEAD_ROWS]
    for at, line in enumerate(rows):
        try:
            row = json.loads(line)
        except ValueError as error:
            raise InvalidInput(
                f"{where}: row {at} is not JSON ({error}); each line is one object"
            ) from None
        if not isinstance(row, dict):
            raise InvalidInput(f'{where}: row {at} is not an object such as {{"text": ...}}')
        names.update(dict.fromkeys(row))
        values.update((key, value) for key, value in row.items() if value is not None)
    if not rows:
        return _File(TEXT, iter(()), 0, 0)
    chosen = list(names)[choose(list(names), column, where)]
    # Arrow's parser has no lists with offsets of 64 bits; a block holds no more than 32 can say.
    kinds = {str: TEXT, list: pa.list_(pa.int64()), type(None): TEXT}
    kind = type(values.get(chosen))
    if kind not in kinds:
        raise UnsupportedType(
            f"{where}: column {chosen!r} holds {values[chosen]!r:.60}: each row must be a string "
            "or a list of integers"
        )
    schema = pa.schema([(chosen, kinds[kind])])
    parse = pyarrow.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")

    def reader(stream: Any, block: int) -> Any:
        read = pyarrow.json.ReadOptions(block_size=block)
        return pyarrow.json.open_json(stream, read_options=read, parse_options=parse)

    return _File(kinds[kind], _blocks(path, where, "JSON Lines", reader), None, _size(path))


def _csv(path: Path, column: str | None, where: str, delimiter: str) -> _File:
    head, whole = _head(path, where)
    rows = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
    names = next(rows, None)
    if names is None:
        raise InvalidInput(f"{where} is empty: its first line must name the columns")
    chosen = names[choose(names, column, where)]
    if whole and next(rows, None) is None:  # Arrow refuses a header that ends without a line end
        return _File(TEXT, iter(()), 0, 0)
    parse = pyarrow.csv.ParseOptions(
        delimiter=delimiter,
        newlines_in_values=True,
        # Where there is one column, an empty line is a null.
        ignore_empty_lines=len(names) > 1,
    )
    convert = pyarrow.csv.ConvertOptions(
        include_columns=[chosen],
        column_types={chosen: TEXT},
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
        null_values=[""],
    )

    def reader(stream: Any, block: int) -> Any:
        read = pyarrow.csv.ReadOptions(block_size=block)
        ends: Any = _WholeLineEnds(stream)
        file: Any = pa.PythonFile(ends, "r")
        return pyarrow.csv.open_csv(
            file, read_options=read, parse_options=parse, convert_options=convert
        )

    return _File(TEXT, _blocks(path, where, "CSV", reader), None, _size(path))


def _blocks(
    path: Path, where: str, format: str, open_reader: Callable[[Any, int], Any]
) -> Iterator[pa.Array[Any]]:
    """Read with the smallest block that holds each row, starting again behind what is done."""
    done = 0
    for block in BLOCKS:
        skip = done
        try:
            with _named(where, format), _stream(path) as stream:
                for batch in open_reader(stream, block):
                    array = batch.column(0)
                    if skip < len(array):
                        done += len(array) - skip
                        yield array[skip:]
                    skip = max(0, skip - len(array))
            return
        except _RowTooLongError:
            continue
    raise InvalidInput(f"{where}: row {done} or one soon after is longer than 2 GiB")


def _lines(path: Path, where: str) -> Iterator[pa.Array[Any]]:
    with _named(where, "text"), _stream(path) as stream:
        begun: list[bytes] = []
        offset = 0
        while block := stream.read(BLOCK):
            if offset == 0 and not begun:
                block = block.removeprefix(b"\xef\xbb\xbf")
            whole, newline, rest = block.rpartition(b"\n")
            if not newline:
                begun.append(block)
                continue
            lines = b"".join([*begun, whole])
            begun = [rest]
            yield _split(lines.removesuffix(b"\r"), where, offset)
            offset += len(lines) + 1
        last = b"".join(begun)
        if last:
            yield _split(last, where, offset)


def _split(lines: bytes, where: str, offset: int) -> pa.Array[Any]:
    """Cut at each LF or CR LF, and nowhere else; the last line has lost its own."""
    if b"\r\n" in lines:
        lines = lines.replace(b"\r\n", b"\n")
    try:
        text = pa.array([lines], pa.large_binary()).cast(TEXT)
    except pa.ArrowInvalid:
        try:
            lines.decode()
        except UnicodeDecodeError as error:
            line = lines.count(b"\n", 0, error.start)
            raise InvalidInput(
                f"{where} is not UTF-8 text: byte 0x{lines[error.start]:02x} in line {line} of "
                f"those that start at byte {offset}; convert it, or give the rows as bytes"
            ) from None
        raise
    return pc.split_pattern(text, "\n").values


def _head(path: Path, where: str) -> tuple[str, bool]:
    """Read the first lines of a file; True if they are all of it."""
    with _named(where, "text"), _stream(path) as stream:
        head = b""
        while more := stream.read(HEAD_BYTES):
            head += more
            if len(more) < HEAD_BYTES:
                return head.decode("utf-8-sig", "replace"), True
            if b"\n" in more:
                break
        else:
            return head.decode("utf-8-sig", "replace"), True
    return head[: head.rindex(b"\n") + 1].decode("utf-8-sig", "replace"), False


class _WholeLineEnds:
    """A stream of which no read ends between CR and LF.

    Where one does, Arrow's CSV reader drops the LF, even within quotes.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._kept = b""

    @property
    def closed(self) -> bool:
        return bool(self._stream.closed)

    def close(self) -> None:
        self._stream.close()

    def read(self, size: int) -> bytes:
        found: bytes = self._kept + self._stream.read(size - len(self._kept))
        more = len(found) > len(self._kept)
        self._kept = b"\r" if more and len(found) > 1 and found.endswith(b"\r") else b""
        return found.removesuffix(self._kept)


class _RowTooLongError(Exception):
    """A row does not fit Arrow's block."""


@contextmanager
def _named(where: str, format: str) -> Iterator[None]:
    """Say in an error of Arrow's which file it is about."""
    try:
        yield
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError, UnicodeError) as error:
        if "straddling object" in str(error):
            raise _RowTooLongError from None
        raise InvalidInput(f"{where} cannot be read as {format}: {error}") from error


def _stream(path: Path) -> Any:
    if path.is_file():
        return pa.input_stream(path, compression="detect")
    return pa.PythonFile(path.open("rb"), "r")  # a pipe: Arrow's own files seek


def _size(path: Path) -> int | None:
    """Give a bound for the bytes of text in a file; none is known where it is compressed."""
    return None if path.suffix.lower() in COMPRESSED else path.stat().st_size or None


def _total_size(paths: Sequence[Path]) -> int | None:
    sizes = [_size(path) for path in paths]
    return None if None in sizes else sum(size for size in sizes if size is not None)
