"""Columns from every library and layout in, results out without a copy, hostile producers."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given

import bowstring as bow
from conftest import Layout, Lender
from oracles import search as oracle
from strategies import BINARY, STRING, TOKENS, Case, cases

NewPath = Callable[[], Path]

CONTENTS: dict[str, list[str | None]] = {
    "mixed": ["to be", None, "", "or not to be é€𝄞", "to be", None, "\0 to\nbe", "ab" * 40],
    "even": ["abcd", "bcda", None, "aaaa", "abcd"],
    "dense": ["abcd", "bcda", "aaaa", "abcd"],
    "many": [None if n % 7 == 3 else f"row {n} of {n % 5} é" for n in range(100)],
    "nulls": [None, None],
    "empty rows": ["", "", None, ""],
    "one": ["to be"],
    "none": [],
}
QUERIES = ["to be", "b", "ab", "é", "aa", "row 1", "not there", "\0"]


def _as(kind: str, text: str | None) -> Any:
    if text is None or kind == "string":
        return text
    return text.encode() if kind == "binary" else list(text.encode())


@pytest.mark.parametrize("content", CONTENTS)
def test_every_layout_gives_the_same_answers(layout: Layout, content: str) -> None:
    rows = [_as(layout.kind, text) for text in CONTENTS[content]]
    if not layout.fits(rows):
        pytest.skip("this content has no such layout")
    index = bow.index(layout.make(rows), layout.column)
    assert index.info.column == layout.kind
    assert index.info.rows == len(rows)
    assert index.text(pa.array(range(len(rows)), pa.int32())).to_pylist() == rows
    for text in QUERIES:
        query = _as(layout.kind, text)
        assert index.count(query) == oracle.count(rows, query)
        assert index.locate(query).to_pylist() == oracle.locate(rows, query)


@pytest.mark.parametrize("content", ["mixed", "even", "dense", "none"])
def test_every_layout_appends(layout: Layout, content: str, new_path: NewPath) -> None:
    rows = [_as(layout.kind, text) for text in CONTENTS[content]]
    if not layout.fits(rows):
        pytest.skip("this content has no such layout")
    first = [_as(layout.kind, "to be")]
    index = bow.index(first, path=new_path())
    index.append(layout.make(rows), layout.column)
    assert index.text(range(1 + len(rows))).to_pylist() == first + rows
    for text in QUERIES:
        query = _as(layout.kind, text)
        assert index.count(query) == oracle.count(first + rows, query)


def test_generated_columns_in_every_layout(layout: Layout) -> None:
    """The layouts again, with columns that nobody wrote down."""
    kind = {"string": STRING, "binary": BINARY, "tokens": TOKENS}[layout.kind]

    @given(cases(kind))
    def check(case: Case) -> None:
        rows = case.rows[:60]
        if not layout.fits(rows) or _too_large(layout, rows):
            return
        index = bow.index(layout.make(rows), layout.column, segment_symbols=2_000)
        assert index.text(pa.array(range(len(rows)), pa.uint64())).to_pylist() == rows
        assert index.count(case.query_column()).to_pylist() == [
            oracle.count(rows, query) for query in case.queries
        ]

    check()


def _too_large(layout: Layout, rows: list[Any]) -> bool:
    """Whether a token is more than the layout's integers hold."""
    most = max((max(row, default=0) for row in rows if row), default=0)
    return (
        layout.kind == "tokens"
        and most > 2**15 - 1
        and layout.name
        not in (
            "list-list",
            "iterator",
            "pyarrow-list-int64",
            "pyarrow-list-uint64",
            "pyarrow-list-uint32",
            "polars-list",
            "numpy-object-list",
        )
    )


def test_query_columns_in_every_layout(layout: Layout) -> None:
    """What holds a column of rows holds a column of queries."""
    rows = [_as(layout.kind, text) for text in CONTENTS["mixed"]]
    index = bow.index(rows)
    for texts in (["to be", None, "b", "é€", "not there"], ["ab", "be", None], ["ab", "be"]):
        queries = [_as(layout.kind, text) for text in texts]
        if layout.column is not None or not layout.fits(queries):
            continue
        made = layout.make(queries)
        assert index.count(made).to_pylist() == [oracle.count(rows, q) for q in queries]


def _result(question: str) -> pa.Table:
    index = bow.index(["to be or not to be"] * 50 + [None])
    match question:
        case "locate":
            return index.locate(["be", "o"])
        case "rows":
            return index.rows("o")
        case "context":
            return index.context("be")
        case _:
            return index.search("to AND be", max_matches=1000)


def _addresses(table: pa.Table) -> dict[str, int]:
    return {
        name: table[name].chunk(0).buffers()[1].address
        for name in table.column_names
        if pa.types.is_primitive(table[name].type) and not pa.types.is_boolean(table[name].type)
    }


@pytest.mark.parametrize("question", ["locate", "rows", "context", "search"])
def test_results_are_one_chunk_and_flow_on_without_a_copy(question: str) -> None:
    table = _result(question)
    assert table.num_rows >= 50
    assert all(table[column].num_chunks == 1 for column in table.column_names)
    at = _addresses(table)
    assert at
    polars = pl.from_arrow(table)
    assert isinstance(polars, pl.DataFrame)
    assert polars.height == table.num_rows
    pandas = table.to_pandas(types_mapper=pd.ArrowDtype)
    for column, address in at.items():
        assert polars[column].to_numpy().__array_interface__["data"][0] == address
        assert pandas[column].array.__arrow_array__().chunk(0).buffers()[1].address == address
        numbers = table[column].chunk(0).to_numpy(zero_copy_only=True)
        assert numbers.__array_interface__["data"][0] == address
    first = next(iter(at))
    totals = duckdb.sql(f'select count(*), sum("{first}") from "table"').fetchall()
    assert totals == [(table.num_rows, sum(table[first].to_pylist()))]


def test_the_core_lends_what_it_holds() -> None:
    """Taken twice, a result has the same addresses: nothing on the way makes a copy."""
    index = bow.index(["to be or not to be"] * 50)
    held = index._core.locate("be", None, None, None)
    once, again = pa.table(held), pa.table(held)
    assert len(held) == once.num_rows == 100
    assert _addresses(once) == _addresses(again)
    assert len(_addresses(once)) == 3
    counts = index._core.count_many(pa.array(["be", None, "to"]), None)
    first, second = pa.array(counts), pa.array(counts)
    assert len(counts) == len(first) == 3
    assert first.buffers()[1].address == second.buffers()[1].address
    assert first.to_pylist() == [100, None, 100]
    # Polars reads it without pyarrow in between.
    frame = pl.DataFrame(held)
    assert frame["row"].to_numpy().__array_interface__["data"][0] == _addresses(once)["row"]


def test_results_outlive_the_index(new_path: NewPath) -> None:
    index = bow.index(["to be"] * 100, path=new_path())
    table, counts = index.context("be"), index.count(["be"] * 100)
    text = index.text(range(100))
    del index
    assert table["left"].to_pylist() == ["to "] * 100
    assert counts.to_pylist() == [100] * 100
    assert text.to_pylist() == ["to be"] * 100
    table.validate(full=True)
    text.validate(full=True)


def test_results_are_valid_arrow() -> None:
    for rows in (["é€", None, ""], [b"\xff", None], [[1, 2], None, []]):
        index = bow.index(rows)
        one = next(row for row in rows if row)[:1]
        index.text(range(len(rows))).validate(full=True)
        for queries in (one, [one, None, one]):
            if isinstance(queries, list) and index.info.column == "tokens":
                queries = pa.array([one, None, one])
            for table in (index.locate(queries), index.rows(queries), index.context(queries)):
                table.validate(full=True)
            count = index.count(queries)
            if not isinstance(count, int):
                count.validate(full=True)


def _raise() -> object:
    raise RuntimeError("boom")


def _spent() -> object:
    """A capsule whose stream was already taken out of it."""
    capsule = pa.chunked_array([["a"]]).__arrow_c_stream__()
    pa.chunked_array(Lender("__arrow_c_stream__", lambda: capsule))
    return capsule


def _spent_array() -> object:
    capsules = pa.array(["a"]).__arrow_c_array__()
    pa.array(Lender("__arrow_c_array__", lambda: capsules))
    return capsules


HOSTILE: list[tuple[str, str, Callable[..., object]]] = [
    ("raises", "__arrow_c_stream__", _raise),
    ("none", "__arrow_c_stream__", lambda: None),
    ("number", "__arrow_c_stream__", lambda: 7),
    ("schema for a stream", "__arrow_c_stream__", lambda: pa.string().__arrow_c_schema__()),
    ("arrays for a stream", "__arrow_c_stream__", lambda: pa.array(["a"]).__arrow_c_array__()),
    ("spent stream", "__arrow_c_stream__", _spent),
    ("array raises", "__arrow_c_array__", _raise),
    ("array none", "__arrow_c_array__", lambda: None),
    ("array one", "__arrow_c_array__", lambda: pa.array(["a"]).__arrow_c_array__()[:1]),
    ("array swapped", "__arrow_c_array__", lambda: pa.array(["a"]).__arrow_c_array__()[::-1]),
    ("array numbers", "__arrow_c_array__", lambda: (1, 2)),
    ("spent array", "__arrow_c_array__", _spent_array),
]


@pytest.mark.parametrize(
    ("method", "lend"), [case[1:] for case in HOSTILE], ids=[case[0] for case in HOSTILE]
)
def test_hostile_producers(method: str, lend: Callable[[], object], new_path: NewPath) -> None:
    """They give a Python error, from the package and from the core alone, and change nothing."""
    index = bow.index(["kept"], path=new_path())
    hostile = Lender(method, lend)
    for ask in (
        lambda: bow.index(hostile),
        lambda: index.append(hostile),
        lambda: index.count(hostile),
        lambda: index._core.append(hostile, None, None, None, None, None),
        lambda: index._core.count_many(hostile, None),
        lambda: index._core.text(hostile, None, None, None),
    ):
        with pytest.raises(Exception) as raised:
            ask()
        assert not type(raised.value).__name__.startswith("Panic")
        assert str(raised.value)
    assert index.text(range(len(index))).to_pylist() == ["kept"]


def test_a_method_that_is_none_is_no_method() -> None:
    class Odd:
        __arrow_c_stream__ = None

    with pytest.raises(Exception) as raised:
        bow._core.Index.build(Odd(), None, None, None, None, False, None, None)
    assert isinstance(raised.value, TypeError)


@pytest.mark.parametrize("good", [0, 1, 3])
def test_a_stream_that_fails_midway(good: int, new_path: NewPath) -> None:
    schema = pa.schema([("text", pa.string())])

    def batches() -> Iterator[pa.RecordBatch]:
        for _ in range(good):
            yield pa.record_batch([pa.array(["new"] * 10)], schema=schema)
        raise RuntimeError("the source went away")

    path = new_path()
    index = bow.index(["kept"], path=path)
    for ask in (
        lambda reader: bow.index(reader),
        lambda reader: bow.index(reader, path=path, overwrite=True),
        index.append,
    ):
        reader = pa.RecordBatchReader.from_batches(schema, batches())
        with pytest.raises(Exception, match="the source went away"):
            ask(reader)
    assert len(index) == len(bow.open(path)) == 1
    index.append(["more"])
    assert bow.open(path).text([0, 1]).to_pylist() == ["kept", "more"]


def test_a_stream_whose_type_is_not_a_column() -> None:
    two = pa.table({"a": ["x"], "b": ["y"]})
    for columns in (two, pa.chunked_array([[{"a": "x", "b": "y"}]])):
        with pytest.raises(bow.InvalidInput, match="column"):
            bow.index(Lender("__arrow_c_stream__", columns.__arrow_c_stream__))
    named = bow.index(Lender("__arrow_c_stream__", two.__arrow_c_stream__), "b")
    assert named.text(0) == "y"


def test_a_producer_that_asks_the_index_it_grows() -> None:
    """The index answers, as it was, while it reads what to append."""
    index = bow.index(["kept"])
    schema = pa.schema([("text", pa.string())])
    seen = []

    def batches() -> Iterator[pa.RecordBatch]:
        for number in range(3):
            seen.append((index.count("kept"), index.count("new"), len(index)))
            yield pa.record_batch([pa.array([f"new {number}"])], schema=schema)

    index.append(pa.RecordBatchReader.from_batches(schema, batches()))
    assert seen == [(1, 0, 1)] * 3
    assert index.count("new") == 3


def test_a_dictionary_whose_keys_point_nowhere() -> None:
    keys = pa.array([0, 7], pa.int8())
    wrong = pa.DictionaryArray.from_arrays(keys, pa.array(["a"]), safe=False)
    with pytest.raises(bow.BowstringError):
        bow.index(wrong)


def test_chunks_of_a_dictionary_may_differ() -> None:
    chunks = [pa.array(["a", "b"]).dictionary_encode(), pa.array(["b", "c"]).dictionary_encode()]
    assert bow.index(pa.chunked_array(chunks)).text(range(4)).to_pylist() == ["a", "b", "b", "c"]


def test_lists_are_read_only_where_they_are_valid() -> None:
    """Null rows of a fixed-size list hold nulls beneath them, as may what a slice leaves out."""
    fixed = pa.array([[1, 2], None, [3, 4]], pa.list_(pa.int8(), 2))
    assert bow.index(fixed).text(range(3)).to_pylist() == [[1, 2], None, [3, 4]]
    ragged = pa.array([[None], [-1], [5], [2**40]], pa.list_(pa.int64()))
    assert bow.index(ragged.slice(2, 1)).text(0) == [5]
    masked = pa.ListArray.from_arrays(
        pa.array([0, 1, 2]), pa.array([-1, 9]), mask=pa.array([True, False])
    )
    assert bow.index(masked).text([0, 1]).to_pylist() == [None, [9]]


def test_numpy_strings_keep_zeros_inside() -> None:
    """NumPy strips zeros at the end of its fixed-width strings, and only there."""
    assert bow.index(np.array([b"a\0b", b"c"])).text([0, 1]).to_pylist() == [b"a\0b", b"c"]
    assert bow.index(np.array(["a\0b", "\0c"])).text([0, 1]).to_pylist() == ["a\0b", "\0c"]
    assert bow.index(["\0a\0b"]).count(np.array(["\0a", "a\0b"])).to_pylist() == [1, 1]


def test_batches_of_many_sizes_are_one_column() -> None:
    schema = pa.schema([("text", pa.string())])
    sizes = [0, 1, 7, 0, 64, 8, 1000, 0, 3]
    rows = [f"{n}" if n % 3 else None for n in range(sum(sizes))]
    bounds = [0, *itertools.accumulate(sizes)]
    reader = pa.RecordBatchReader.from_batches(
        schema,
        (
            pa.record_batch([pa.array(rows[a:b], pa.string())], schema=schema)
            for a, b in itertools.pairwise(bounds)
        ),
    )
    index = bow.index(reader, segment_symbols=700)
    assert len(index.info.segments) > 3
    assert index.text(range(len(rows))).to_pylist() == rows
