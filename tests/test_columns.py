"""What users hand in, as Arrow: objects, lists, files, queries, numbers."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bowstring as bow
from bowstring import files, report
from bowstring.columns import (
    ColumnStream,
    Source,
    as_column,
    as_numbers,
    as_queries,
    as_searches,
    nest,
    parse_bytes,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
COLUMN = st.lists(st.none() | TEXT, max_size=12)
TOKENS = st.lists(st.none() | st.lists(st.integers(0, 2**32 - 2), max_size=6), max_size=12)


class Core:
    """As much of the core as queries need: the kind of its column."""

    def __init__(self, column: str) -> None:
        self.column = column

    def info(self) -> dict[str, Any]:
        return {"column": self.column}


TEXT_CORE: Any = Core("string")
TOKEN_CORE: Any = Core("tokens")


def read(source: Source) -> list[Any]:
    """Read a source as the core does: through one method of the Arrow interface."""
    if hasattr(source.stream, "__arrow_c_stream__"):
        column = pa.chunked_array(source.stream)
    else:
        column = pa.array(source.stream)
    if pa.types.is_struct(column.type):
        assert column.type.num_fields == 1
        column = pc.struct_field(column, [0])
    return column.to_pylist()


def streamed(source: Source) -> ColumnStream:
    assert isinstance(source.stream, ColumnStream)
    return source.stream


# Objects


FRAME = {"number": [1, 2, 3], "text": ["a", None, "é"]}


@pytest.mark.parametrize(
    "make",
    [
        lambda: pa.table(FRAME),
        lambda: pa.RecordBatch.from_pydict(FRAME),
        lambda: pa.table(FRAME).to_reader(),
        lambda: pa.table(FRAME).to_struct_array(),
        lambda: pa.table(FRAME).to_struct_array().combine_chunks(),
        lambda: ds.dataset(pa.table(FRAME)),
        lambda: ds.dataset(pa.table(FRAME)).scanner(),
        lambda: pl.DataFrame(FRAME),
        lambda: pl.LazyFrame(FRAME),
        lambda: pl.DataFrame(FRAME).to_struct("s"),
        lambda: pd.DataFrame(FRAME),
        lambda: pd.DataFrame(FRAME, dtype=object),
        lambda: duckdb.from_arrow(pa.table(FRAME)),
    ],
)
def test_a_column_of_a_frame(make: Callable[[], Any]) -> None:
    assert read(as_column(make(), "text")) == FRAME["text"]
    with pytest.raises(bow.InvalidInput, match=r"did you mean 'text'\? .*'number', 'text'"):
        as_column(make(), "test")
    with pytest.raises(bow.InvalidInput, match=r"2 columns: set column to one of 'number', 'text'"):
        as_column(make(), None)
    with pytest.raises(bow.UnsupportedType, match="each row must be a string"):
        as_column(make(), "number")


@pytest.mark.parametrize(
    "make",
    [
        lambda: pa.table({"text": ["a"]}),
        lambda: pl.DataFrame({"text": ["a"]}),
        lambda: pl.LazyFrame({"text": ["a"]}),
        lambda: pd.DataFrame({"text": ["a"]}),
        lambda: duckdb.sql("select 'a' as text"),
    ],
)
def test_the_only_column_needs_no_name(make: Callable[[], Any]) -> None:
    assert read(as_column(make(), None)) == ["a"]


def test_column_names_that_are_hard() -> None:
    names = ['a "b".c', "a.b", " ", "é", "select"]
    table = pa.table([pa.array([name]) for name in names], names=names)
    for make in (pa.table, pl.DataFrame, pl.LazyFrame, ds.dataset, pa.Table.to_pandas):
        for name in names:
            assert read(as_column(make(table), name)) == [name]
    for name in names:
        assert read(as_column(duckdb.from_arrow(table), name)) == [name]


def test_two_columns_of_one_name() -> None:
    table = pa.table([pa.array(["a"]), pa.array(["b"])], names=["x", "x"])
    frame = pd.DataFrame([["a", "b"]], columns=["x", "x"])
    for data in (table, frame):
        with pytest.raises(bow.InvalidInput, match="2 columns named 'x'"):
            as_column(data, "x")


def test_a_column_has_no_columns() -> None:
    for data in (["a"], pa.array(["a"]), np.array(["a"]), (x for x in "a"), pd.Series(["a"])):
        with pytest.raises(bow.InvalidInput, match="leave column out"):
            as_column(data, "text")
    assert read(as_column(pl.Series("text", ["a"]), "text")) == ["a"]
    assert read(as_column(pd.Series(["a"], name="text"), "text")) == ["a"]
    with pytest.raises(bow.InvalidInput, match="named 'text'"):
        as_column(pl.Series("text", ["a"]), "other")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (["a", None, float("nan"), pd.NA, pd.NaT, ""], ["a", None, None, None, None, ""]),
        ([b"\xff", None], [b"\xff", None]),
        (("a", "b"), ["a", "b"]),
        ([[1, 2], None, [], (3,), np.array([4], np.uint8)], [[1, 2], None, [], [3], [4]]),
        ([None, None], [None, None]),
        ([[], []], [[], []]),
        ([], []),
        (iter(["a", None]), ["a", None]),
        (iter([None, [1], []]), [None, [1], []]),
        (iter([]), []),
        ({"a": 1}.keys(), ["a"]),
        (np.array(["a", "bc"]), ["a", "bc"]),
        (np.array([b"a", b"bc"]), [b"a", b"bc"]),
        (np.array(["a", None, np.nan], object), ["a", None, None]),
        (np.array(["a", "b"], np.dtypes.StringDType()), ["a", "b"]),
        (np.array([[1, 2], [3, 4]], np.uint16), [[1, 2], [3, 4]]),
        (np.array([[1, 2], [3, 4]]).T, [[1, 3], [2, 4]]),
        (np.zeros((2, 0), int), [[], []]),
        (np.zeros((0, 2), int), []),
        (pd.Series(["a", np.nan], dtype=object), ["a", None]),
        (pd.Series([b"a", None], dtype=object), [b"a", None]),
        (pd.Series([[1], None], dtype=object), [[1], None]),
        (pd.Series(["a", None], dtype="string[python]"), ["a", None]),
        (pd.Series(["a", None, "a"], dtype="category"), ["a", None, "a"]),
        (pd.Index(["a", "b"]), ["a", "b"]),
        (pl.Series([["a"]]).list.first(), ["a"]),
        (pl.Series([[1], None, []]), [[1], None, []]),
        (pl.Series([[], []]), [[], []]),
        (pa.array([[], None], pa.list_(pa.null())), [[], None]),
        (pa.array(["{}"], pa.json_()), ["{}"]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_column_of_any_kind(data: Any, expected: list[Any]) -> None:
    assert read(as_column(data, None)) == expected


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (["a", 1], r"row 1 is 1 \(int\)"),
        ([None, 1.5], r"row 1 is 1.5 \(float\)"),
        ([1, 2], r"row 0 is 1 \(int\): each row must be"),
        (["a", [1]], r"row 1 is \[1\] \(list\), but row 0 is text"),
        ([None, [1], None, "a"], r"row 3 is 'a' \(str\), but row 1 is a list of integers"),
        (["a", b"\xff"], r"row 1 is b'\\xff' \(bytes\), but row 0 is text"),
        ([[1], [1.5]], r"row 1 is \[1.5\]"),
        ([[1], [True]], r"row 1 is \[True\]"),
        ([[1], ["a"]], r"row 1 is \['a'\]"),
        ([["a"]], r"row 0 is \['a'\]"),
        ([[[1]]], r"row 0 is \[\[1\]\]"),
        ([True], r"row 0 is True \(bool\)"),
        ([{"a": 1}], r"row 0 is \{'a': 1\} \(dict\)"),
        (["x" * 10, object()], r"row 1 is <object"),
        (np.array(["a", 1], object), r"row 1 is 1 \(int\)"),
        (iter(["a"] * 9000 + [1]), r"row 9000 is 1 \(int\)"),
        (iter(["a"] * 9000 + [[1]]), r"row 9000 is \[1\] \(list\)"),
        (iter(["a"] * 8192 + [[1]]), "turns from large_string to large_list"),
        (np.array([1, 2]), r"column of int64: .*one row of tokens is \[data\]"),
        (np.array([1.5]), "float64"),
        (np.array([[1.5]]), "float64"),
        (np.array("a"), "0 dimensions"),
        (pd.Series([1, 2]), "column of int64"),
        (pl.Series([1, 2]), "column of int64"),
        (pl.Series([object()], dtype=pl.Object), "Python objects"),
        (pa.array([1.5]), "column of double"),
        (pa.array([["a"]]), "column of list<item: string>"),
        (3, "data is a int"),
        (None, "data is a NoneType"),
        ({"a": ["b"]}, "data is a dict"),
        ({"a", "b"}, "data is a set"),
    ],
    ids=str,
)
def test_what_is_no_column(data: Any, message: str) -> None:
    with pytest.raises(bow.UnsupportedType, match=message):
        read_or_raise(as_column(data, None))


def read_or_raise(source: Source) -> list[Any]:
    """Read a source; raise what it failed with, as the package does."""
    try:
        return read(source)
    except Exception:
        if source.failure is not None:
            raise source.failure from None
        raise


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (["a", "\ud800"], "row 1 is .*not valid Unicode"),
        ([[1], [2**63]], r"row 1 is \[9223372036854775808\]: a token is at most"),
        ([[1], [-(2**63) - 1]], "row 1"),
        (b"abc", r"one bytes, not a column: write \[data\]"),
        (bytearray(b"abc"), "one bytearray"),
        ("no such file", r"no such file; if it is a text, .* \[data\]"),
        ("a\0b", "no such file"),
        ("x" * 100_000, "no such file"),
        (Path("no such file"), "there is no file 'no such file'"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_cannot_be_a_column(data: Any, message: str) -> None:
    with pytest.raises(bow.InvalidInput, match=message) as raised:
        as_column(data, None)
    assert len(str(raised.value)) < 400


@given(COLUMN | TOKENS)
def test_lists_and_iterables_agree(rows: list[Any]) -> None:
    assert read(as_column(rows, None)) == rows
    assert read(as_column(iter(rows), None)) == rows


def test_nothing_is_copied() -> None:
    held = pa.array(["one", "two"])
    for data in (held, pa.table({"text": held}), pa.chunked_array([held])):
        lent = pa.chunked_array(as_column(data, None).stream)
        assert lent.chunk(0).buffers()[2].address == held.buffers()[2].address
    series = pl.Series(["long enough to stand outside of the view itself"])
    address = pa.chunked_array(series).chunk(0).buffers()[2].address
    assert pa.chunked_array(as_column(series, None).stream).chunk(0).buffers()[2].address == address
    tokens = np.arange(6, dtype=np.uint16).reshape(3, 2)
    lent = as_column(tokens, None).stream
    assert lent.values.buffers()[1].address == tokens.ctypes.data


def test_streams_are_read_as_they_are_asked() -> None:
    read_so_far = []

    def batches() -> Iterator[pa.RecordBatch]:
        for number in range(5):
            read_so_far.append(number)
            yield pa.record_batch({"text": [str(number)], "other": [number]})

    schema = pa.schema({"text": pa.string(), "other": pa.int64()})
    reader = pa.RecordBatchReader.from_batches(schema, batches())
    arrays = iter(streamed(as_column(reader, "text")))
    assert read_so_far == []
    assert next(arrays).to_pylist() == ["0"]
    assert read_so_far == [0]

    endless = (str(number) for number in iter(int, 1))
    assert len(next(iter(streamed(as_column(endless, None))))) > 0


def test_a_stream_is_read_once() -> None:
    source = as_column(iter(["a"]), None)
    assert read(source) == ["a"]
    with pytest.raises(bow.InvalidInput, match="read before"):
        read(source)


def test_a_stream_keeps_what_it_failed_with() -> None:
    def rows() -> Iterator[str]:
        yield from ["a"] * 10_000
        raise ZeroDivisionError("of my own")

    source = as_column(rows(), None)
    with (
        pytest.raises(ZeroDivisionError, match="of my own"),
        report.progress_callback(None, source),
    ):
        read(source)


def test_a_stream_that_is_lent_once() -> None:
    class Once:
        def __init__(self, data: Any, type: pa.DataType) -> None:
            self.data, self.type = data, type

        def __arrow_c_schema__(self) -> object:
            return self.type.__arrow_c_schema__()

        def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
            data, self.data = self.data, None
            return data.__arrow_c_stream__()

    column = pa.chunked_array([["a", None]])
    assert read(as_column(Once(column, column.type), None)) == ["a", None]
    table = pa.table({"text": column, "n": [1, 2]})
    assert read(as_column(Once(table, pa.struct(table.schema)), "text")) == ["a", None]


def test_sizes() -> None:
    source = as_column(["ab", "cde"], None)
    assert source.rows == 2
    assert source.nbytes is not None and source.nbytes >= 5
    source = as_column(iter(["ab"]), None)
    assert source.rows is None and source.nbytes is None


# Files

FORMATS = (".parquet", ".jsonl", ".ndjson", ".csv", ".tsv", ".txt", "")
COMPRESSIONS = ("", ".gz", ".zst")


def compress(content: bytes, suffix: str) -> bytes:
    if suffix == ".gz":
        half = len(content) // 2  # two members, as `cat` of two files makes
        return gzip.compress(content[:half]) + gzip.compress(content[half:])
    if suffix == ".zst":
        out: bytes = pa.compress(content, "zstd", asbytes=True)
        return out
    return content


def fits(rows: Sequence[Any], format: str) -> bool:
    if format in (".parquet", ".jsonl", ".ndjson"):
        return True
    if any(isinstance(row, list) for row in rows):
        return False
    if format in (".csv", ".tsv"):
        return True
    return not any(row is None or "\n" in row or row.endswith("\r") for row in rows)


def write(folder: Path, rows: Sequence[Any], format: str, compression: str = "") -> Path:
    path = folder / f"rows{format}{compression}"
    match format:
        case ".parquet":
            path = folder / "rows.parquet"
            table = pa.table({"other": [1] * len(rows), "text": pa.array(rows)})
            if pa.types.is_null(table["text"].type):
                table = table.set_column(1, "text", table["text"].cast(pa.string()))
            pq.write_table(table, path, row_group_size=4)
            return path
        case ".jsonl" | ".ndjson":
            lines = [
                # Any order of fields, any fields beside, and none at all for null.
                {"other": {"deep": [at]}, "text": row} if row is not None else {"other": None}
                for at, row in enumerate(rows)
            ]
            lines = [{"text": None}, *lines]  # name the column, whatever the rows
            content = "".join(
                json.dumps(line, ensure_ascii=at % 2 == 0) + "\n" for at, line in enumerate(lines)
            )
        case ".csv" | ".tsv":
            comma = "," if format == ".csv" else "\t"
            content = f"other{comma}text\r\n" + "".join(
                f"{at}{comma}" + ("" if row is None else '"' + row.replace('"', '""') + '"') + "\n"
                for at, row in enumerate(rows)
            )
        case _:
            content = "".join(row + "\n" for row in rows)
    path.write_bytes(compress(content.encode(), compression))
    return path


def column_of(format: str) -> str | None:
    return None if format in (".txt", "") else "text"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("format", FORMATS)
@given(rows=COLUMN | TOKENS)
def test_files_round_trip(folder: Path, format: str, compression: str, rows: list[Any]) -> None:
    if not fits(rows, format):
        return
    path = write(folder, rows, format, compression)
    expected = [None, *rows] if format in (".jsonl", ".ndjson") else rows
    assert read(as_column(path, column_of(format))) == expected
    assert read(as_column(str(path), column_of(format))) == expected


@pytest.mark.parametrize("format", FORMATS)
@given(rows=st.lists(st.none() | st.text('ab"\r\n\\é', max_size=300), max_size=12))
def test_rows_longer_than_a_block(folder: Path, format: str, rows: list[Any]) -> None:
    if not fits(rows, format):
        return
    path = write(folder, rows, format)
    expected = [None, *rows] if format in (".jsonl", ".ndjson") else rows
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "BLOCK", 64)
        patch.setattr(files, "BLOCKS", (64, 256, 1 << 16))
        assert read(as_column(path, column_of(format))) == expected


def test_a_row_longer_than_any_block(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(folder, ["a", "b" * 500], ".jsonl")
    monkeypatch.setattr(files, "BLOCKS", (64, 128))
    with pytest.raises(bow.InvalidInput, match="longer than"):
        read_or_raise(as_column(path, "text"))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", []),
        ("\n", [""]),
        ("a", ["a"]),
        ("a\n", ["a"]),
        ("a\n\nb", ["a", "", "b"]),
        ("a\r\nb\r\n", ["a", "b"]),
        ("a\r\r\nb", ["a\r", "b"]),
        ("a\rb\x0bc\x85d\u2028e\n", ["a\rb\x0bc\x85d\u2028e"]),
        ("\ufeffa\n", ["a"]),
    ],
)
@pytest.mark.parametrize("block", [1, 2, 3, 1 << 24])
def test_lines(
    tmp_path: Path, content: str, expected: list[str], block: int, monkeypatch: Any
) -> None:
    if content.startswith("\ufeff") and block < 3:
        pytest.skip("a block holds a byte order mark")
    path = tmp_path / "a.txt"
    path.write_bytes(content.encode())
    monkeypatch.setattr(files, "BLOCK", block)
    assert read(as_column(path, None)) == expected


def test_line_ends_within_quotes_at_the_end_of_a_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [f"{'x' * at}\r\n" for at in range(40)]
    path = write(tmp_path, rows, ".csv")
    monkeypatch.setattr(files, "BLOCKS", (128,))
    assert read(as_column(path, "text")) == rows


def test_csv_tells_null_from_empty(tmp_path: Path) -> None:
    two, one = tmp_path / "two.csv", tmp_path / "one.csv"
    two.write_text('text,n\n,1\n"",2\nNA,3\n\n"a\nb",4\n')
    assert read(as_column(two, "text")) == [None, "", "NA", "a\nb"]
    one.write_text('text\na\n\n""\nb')
    assert read(as_column(one, None)) == ["a", None, "", "b"]
    pl.DataFrame({"text": ["a", None, "", '"']}).write_csv(one)
    assert read(as_column(one, None)) == ["a", None, "", '"']


@pytest.mark.parametrize(
    ("name", "content", "column", "message"),
    [
        ("a.csv", "", None, "is empty"),
        ("a.csv", "a,b\n1,2\n", "c", r"no column 'c': .*'a', 'b'"),
        ("a.csv", "a,b\n1,2\n3\n", "a", "cannot be read as CSV.*Expected 2 columns"),
        ("a.csv", b"a,b\n\xff,2\n", "a", "cannot be read as CSV.*UTF8"),
        ("a.jsonl", '{"a": 1}\n', "a", "holds 1"),
        ("a.jsonl", '{"a": "x"}\n{"b": 1}\n', None, "2 columns"),
        ("a.jsonl", '{"a": "x"}\n', "b", "no column 'b'"),
        ("a.jsonl", '{"a": "x"}\n["b"]\n', "a", "row 1 is not an object"),
        ("a.jsonl", '{\n"a": "x"}\n', "a", "row 0 is not JSON"),
        ("a.jsonl", '{"a": "x"}\n' * 2000 + '{"a": 1}\n', "a", "cannot be read as JSON Lines"),
        ("a.jsonl", '{"a": [1]}\n' * 2000 + '{"a": [1.5]}\n', "a", "cannot be read as JSON Lines"),
        ("a.parquet", "PAR1", None, "cannot be read as Parquet"),
        ("a.txt", b"a\nb\n\xff\n", None, "not UTF-8 text: byte 0xff in line 2"),
        ("a.txt", "a\n", "text", "read as text"),
        ("a.txt.gz", "not gzip", None, "cannot be read as text"),
        ("a.txt.gz", gzip.compress(b"ab\n" * 1000)[:-20], None, "cannot be read as text"),
        ("a.jsonl.zst", "not zstd", "a", "cannot be read as text"),
    ],
)
def test_files_that_cannot_be_read(
    tmp_path: Path, name: str, content: str | bytes, column: str | None, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(bow.BowstringError, match=message) as raised:
        read_or_raise(as_column(path, column))
    assert name in str(raised.value)


def test_the_package_raises_what_the_file_is_wrong_with(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"a\n\xff\n")
    with pytest.raises(bow.InvalidInput, match="not UTF-8 text: byte 0xff in line 1"):
        bow.index(path)
    index = bow.index(["kept"])
    with pytest.raises(bow.InvalidInput, match="not UTF-8 text"):
        index.append(path)
    with pytest.raises(bow.UnsupportedType, match="row 1 is 1"):
        index.append(value for value in ["a", 1])
    assert len(index) == 1


def test_empty_files(tmp_path: Path) -> None:
    for name, content in (("a.jsonl", "\n"), ("a.csv", "text,b"), ("a.csv", "text\n")):
        (tmp_path / name).write_text(content)
        assert read(as_column(tmp_path / name, "text")) == []


def test_jsonl_as_people_write_it(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('\ufeff{"text": "a\u2028b"}\r\n\n{"n": 1}\n{"text": null}\n{"text": "\\u00e9"}')
    assert read(as_column(path, "text")) == ["a\u2028b", None, None, "é"]


def test_several_files(tmp_path: Path) -> None:
    table = pa.table({"text": pa.array(["p", None]).dictionary_encode(), "n": [1, 2]})
    paths = [tmp_path / name for name in ("a.parquet", "b.jsonl", "c.csv.gz", "d.parquet")]
    pq.write_table(table, paths[0])
    paths[1].write_text('{"text": "j"}\n')
    paths[2].write_bytes(gzip.compress(b"text,n\nc,1\n"))
    pq.write_table(pa.table({"text": pa.array([None], pa.string_view())}), paths[3])
    assert read(as_column(paths, "text")) == ["p", None, "j", "c", None]
    assert read(as_column([*reversed(paths)], "text")) == [None, "c", "j", "p", None]
    lines = [tmp_path / "e.txt", tmp_path / "f.txt"]
    for path in lines:
        path.write_text(path.name)
    assert read(as_column(lines, None)) == ["e.txt", "f.txt"]
    assert as_column(lines, None).nbytes == 10

    other = tmp_path / "other.jsonl"
    other.write_text('{"text": [1]}\n')
    with pytest.raises(bow.UnsupportedType, match=r"other\.jsonl is of list.*index them apart"):
        read_or_raise(as_column([paths[1], other], "text"))
    with pytest.raises(bow.InvalidInput, match="no file"):
        as_column([paths[0], tmp_path / "missing.txt"], "text")
    with pytest.raises(bow.UnsupportedType, match="mixes paths and str"):
        as_column([paths[0], "b.txt"], "text")


def test_a_list_of_strings_is_never_paths(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("inside")
    assert read(as_column([str(path)], None)) == [str(path)]


def test_directories(tmp_path: Path) -> None:
    dataset = tmp_path / "dataset"
    ds.write_dataset(
        pa.table({"text": ["a", "b"], "part": [1, 2]}),
        dataset,
        format="parquet",
        partitioning=["part"],
    )
    assert sorted(read(as_column(dataset, "text"))) == ["a", "b"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(bow.InvalidInput, match="without Parquet files"):
        as_column(tmp_path / "empty", None)
    bow.index(["a"], path=tmp_path / "a.bow")
    with pytest.raises(bow.InvalidInput, match=r"open it with bowstring\.open"):
        as_column(tmp_path / "a.bow", None)


def test_nested_columns_of_parquet(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    table = pa.table({"a": [{"b": "inner"}], "a.b": ["dotted"], "tokens": [[1, 2]]})
    pq.write_table(table, path)
    assert read(as_column(path, "a.b")) == ["dotted"]
    assert read(as_column(path, "tokens")) == [[1, 2]]


def test_sizes_of_files(tmp_path: Path) -> None:
    path = write(tmp_path, ["abc"] * 100, ".parquet")
    source = as_column(path, "text")
    assert source.rows == 100 and source.nbytes
    assert as_column(write(tmp_path, ["abc"], ".txt"), None).nbytes == 4
    assert as_column(write(tmp_path, ["abc"], ".txt", ".gz"), None).nbytes is None


# Queries


@pytest.mark.parametrize("query", ["a", b"a", ""])
def test_one_text_query(query: Any) -> None:
    assert as_queries(query, TEXT_CORE) == (query, True)


@pytest.mark.parametrize(
    "query",
    [
        [1, 2],
        (1, 2),
        range(1, 3),
        np.array([1, 2], np.uint8),
        [np.int64(1), np.uint8(2)],
        pa.array([1, 2]),
        pl.Series([1, 2]),
        pd.Series([1, 2]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_one_token_query(query: Any) -> None:
    found, one = as_queries(query, TOKEN_CORE)
    assert (found, one) == ([1, 2], True)
    assert all(type(token) is int for token in found)


def test_no_query_or_an_empty_one() -> None:
    assert as_queries([], TOKEN_CORE) == ([], True)
    column, one = as_queries([], TEXT_CORE)
    assert len(column) == 0 and column.type == pa.large_string() and not one


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (["a", None], ["a", None]),
        ([b"a"], [b"a"]),
        ([None], [None]),
        ([[1], [], None, (2, 3)], [[1], [], None, [2, 3]]),
        (np.array(["a"], object), ["a"]),
        (np.array([[1, 2]]), [[1, 2]]),
        (pd.Series(["a"]), ["a"]),
        (pl.DataFrame({"q": ["a"]}), ["a"]),
        (pl.LazyFrame({"q": ["a"]}), ["a"]),
        (iter(["a"]), ["a"]),
        (pa.chunked_array([["a"], ["b"]]), ["a", "b"]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_columns_of_queries(query: Any, expected: list[Any]) -> None:
    column, one = as_queries(query, TEXT_CORE)
    assert not one
    assert isinstance(column, pa.Array | pa.ChunkedArray)
    assert column.to_pylist() == expected


@pytest.mark.parametrize(
    ("query", "error", "message"),
    [
        (None, bow.InvalidInput, "query is None"),
        (5, bow.UnsupportedType, r"the list \[5\]"),
        (True, bow.UnsupportedType, "query is a bool"),
        (1.5, bow.UnsupportedType, "query is a float"),
        ([1, "a"], bow.UnsupportedType, r"query has 'a' \(str\) at position 1"),
        ([1, True], bow.UnsupportedType, "position 1"),
        ([1, None], bow.UnsupportedType, "position 1"),
        (pa.array([1, None]), bow.UnsupportedType, "position 1"),
        (["a", 1], bow.UnsupportedType, "row 1"),
        ([["a"]], bow.UnsupportedType, "row 0"),
    ],
    ids=str,
)
def test_what_is_no_query(query: Any, error: type[Exception], message: str) -> None:
    for index in (bow.index(["a"]), bow.index([[1]])):
        with pytest.raises(error, match=message):
            index.count(query)


def test_searches() -> None:
    assert as_searches("a AND b", TEXT_CORE) == "a AND b"
    assert as_searches([["a"], ("b", b"c")], TEXT_CORE) == [["a"], ["b", b"c"]]
    tokens = [[[1, 2]], [np.array([3]), (4, 5)]]
    assert as_searches(tokens, TOKEN_CORE) == [[[1, 2]], [[3], [4, 5]]]
    for column in (["a", None], pl.Series(["a", None]), np.array(["a", None], object)):
        assert as_searches(column, TEXT_CORE).to_pylist() == ["a", None]
    assert len(as_searches([], TEXT_CORE)) == 0


@pytest.mark.parametrize(
    ("query", "error", "message"),
    [
        (None, bow.InvalidInput, "query is None"),
        (b"a", bow.UnsupportedType, r"query is bytes.*\[\[query\]\]"),
        ([["a"], []], bow.InvalidInput, "clause 1 is empty"),
        ([["a"], "b"], bow.UnsupportedType, r"clause 1 is 'b'.*such as \['b'\]"),
        ([[1, 2], [3]], bow.UnsupportedType, "clause 0 holds 1"),
        ([["a", None]], bow.UnsupportedType, "clause 0 holds None"),
        ([[["a"]]], bow.UnsupportedType, "position 0"),
        ([1, 2], bow.UnsupportedType, "row 0"),
        (pa.array([[1]]), bow.UnsupportedType, "a column of searches holds strings"),
        ([b"a"], bow.UnsupportedType, "a column of searches holds strings"),
    ],
    ids=str,
)
def test_what_is_no_search(query: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        as_searches(query, TEXT_CORE)


# Numbers

NUMBERS = st.lists(st.none() | st.integers(0, 2**63 - 1), max_size=10)


@given(NUMBERS)
def test_numbers_from_anywhere(values: list[int | None]) -> None:
    signed = pa.array(values, pa.int64())
    for column in (
        values,
        tuple(values),
        signed,
        pa.chunked_array([signed, signed[:0]]),
        pl.Series(values, dtype=pl.Int64),
        pd.Series(values, dtype="Int64"),
        pd.Series(signed, dtype=pd.ArrowDtype(pa.int64())),
    ):
        found, one = as_numbers(column, "rows")
        assert found.to_pylist() == values
        assert found.type == pa.int64()
        assert isinstance(found, pa.Array) and not one
    if None not in values:
        assert as_numbers(np.array(values, np.int64), "rows")[0].to_pylist() == values
        unsigned = as_numbers(np.array(values, np.uint64), "rows", len(values))[0]
        assert unsigned.type == pa.uint64()
        assert unsigned.to_pylist() == values


@given(st.integers(0, 2**64 - 1), st.integers(0, 5))
def test_one_number(number: int, length: int) -> None:
    found, one = as_numbers(number, "rows")
    assert (found.to_pylist(), one) == ([number], True)
    found, one = as_numbers(number, "start", length)
    assert (found.to_pylist(), one) == ([number] * length, True)
    found.validate(full=True)
    assert as_numbers([number, None], "rows")[0].to_pylist() == [number, None]


@pytest.mark.parametrize("kind", [np.int8, np.uint64, np.intp])
def test_numbers_of_numpy(kind: Any) -> None:
    assert as_numbers(kind(3), "rows")[0].to_pylist() == [3]
    assert as_numbers([kind(3)], "rows")[0].to_pylist() == [3]
    assert as_numbers(np.array([], kind), "rows")[0].to_pylist() == []
    assert as_numbers(range(3), "rows")[0].to_pylist() == [0, 1, 2]
    assert as_numbers(np.array([]), "rows")[0].to_pylist() == []


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        (-1, bow.InvalidInput, "rows is -1"),
        (2**64, bow.InvalidInput, "rows is 18446744073709551616"),
        ([0, -7, -7], bow.InvalidInput, "rows is -7 at position 1"),
        (pl.Series([0, None, -7]), bow.InvalidInput, "rows is -7 at position 2"),
        ([0, 2**64], bow.InvalidInput, "at position 1"),
        ([2**63, -1], bow.InvalidInput, "rows is -1 at position 1"),
        (True, bow.UnsupportedType, r"rows is True \(bool\)"),
        (1.0, bow.UnsupportedType, r"rows is 1\.0 \(float\)"),
        ("1", bow.UnsupportedType, r"rows is '1' \(str\)"),
        (None, bow.InvalidInput, "rows is None"),
        ([1, True], bow.UnsupportedType, r"True \(bool\) at position 1"),
        ([1, 1.0], bow.UnsupportedType, "double"),
        (["1"], bow.UnsupportedType, "string"),
        ([[1]], bow.UnsupportedType, "list"),
        (np.array([1.0]), bow.UnsupportedType, "double"),
        (np.array([True]), bow.UnsupportedType, "bool"),
        (pd.Series([1, None]), bow.UnsupportedType, "double.*Int64"),
        (pl.Series([True]), bow.UnsupportedType, "bool"),
        (pa.table({"a": [1]}), bow.UnsupportedType, "struct"),
    ],
    ids=str,
)
def test_what_is_no_number(values: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        as_numbers(values, "rows")


def test_as_many_numbers_as_rows() -> None:
    with pytest.raises(bow.InvalidInput, match="start has 2 values and rows has 3"):
        as_numbers([1, 2], "start", 3)


# Memory


@given(st.integers(1, 2**50), st.sampled_from(["", "B", "k", "kB", "MB", "g", "TB"]))
def test_decimal_units(number: int, unit: str) -> None:
    power = {"": 0, "b": 0, "k": 1, "m": 2, "g": 3, "t": 4}[unit[:1].lower()]
    expected = number * 1000**power
    for text in (f"{number}{unit}", f" {number} {unit.lower()} ", f"{number}{unit.upper()}"):
        if expected < 2**63:
            assert parse_bytes(text) == expected
        else:
            with pytest.raises(bow.InvalidInput, match="memory is"):
                parse_bytes(text)


@pytest.mark.parametrize(
    ("memory", "expected"),
    [
        (None, None),
        (1, 1),
        (np.int64(5), 5),
        ("4GB", 4_000_000_000),
        ("512MiB", 512 * 2**20),
        ("1.5 GB", 1_500_000_000),
        (".5k", 500),
        ("2g", 2_000_000_000),
        ("1TiB", 2**40),
        ("9007199254740993", 2**53 + 1),
    ],
)
def test_memory(memory: Any, expected: int | None) -> None:
    assert parse_bytes(memory) == expected


@pytest.mark.parametrize(
    "memory",
    [0, -1, True, 1.5, "", "GB", "0", "-4GB", "4XB", "4 G B", "1e9", "4GBs", "٤GB", "nan", [1]],
)
def test_what_is_no_memory(memory: Any) -> None:
    with pytest.raises(bow.InvalidInput, match=r"memory is .*'4GB'"):
        parse_bytes(memory)


@given(st.text())
def test_any_text_is_memory_or_refused(text: str) -> None:
    try:
        found = parse_bytes(text)
    except bow.InvalidInput:
        return
    assert found is not None and found > 0


# Nesting


@given(st.lists(st.none() | st.lists(st.integers(0, 99), max_size=3), max_size=8), st.booleans())
def test_nesting_undoes_flattening(lists: list[list[int] | None], chunked: bool) -> None:
    flat = pa.table(
        {
            "query": pa.array([at for at, rows in enumerate(lists) for _ in rows or ()], "uint64"),
            "row": pa.array([row for rows in lists for row in rows or ()], "uint64"),
        }
    )
    queries: Any = pa.array([None if rows is None else "q" for rows in lists], "string")
    if chunked:
        queries = pa.chunked_array([queries[:1], queries[1:]])
    found = nest(flat, queries)
    found.validate(full=True)
    assert found.to_pylist() == [
        None if rows is None else [{"row": row} for row in rows] for rows in lists
    ]


def test_nesting_copies_nothing() -> None:
    flat = pa.table({"query": pa.array([0, 0, 1], "uint64"), "row": pa.array([1, 2, 3], "uint64")})
    found = nest(flat, pa.array(["a", "b"]))
    held = flat["row"].chunk(0).buffers()[1]
    assert found.values.field("row").buffers()[1].address == held.address
