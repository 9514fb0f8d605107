"""Columns that ride along with rows: kept with an index, given back with its answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import hypothesis.strategies as st
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from hypothesis import given

import bowstring as bow
from bowstring.metadata import Metadata

NewPath = Callable[[], Path]

TEXTS = ["banana", None, "bandana", "", "ananas"]
TABLE = pa.table(
    {
        "text": pa.array(TEXTS, pa.string()),
        "url": ["a.org", "b.org", None, "d.org", "e.org"],
        "year": pa.array([2001, 2002, 2003, None, 2005], pa.int16()),
    }
)
NAMES = ["url", "year"]


def _plain(table: Any) -> list[dict[str, Any]]:
    return [{"url": one["url"], "year": one["year"]} for one in table.to_pylist()]


ALL = _plain(TABLE)


def _written(folder: Path, end: str) -> Path:
    path = folder / f"table{end}"
    if end == ".parquet":
        pq.write_table(TABLE, path)
    elif end == ".csv":
        pyarrow.csv.write_csv(TABLE, path)
    else:
        TABLE.to_pandas().to_json(path, orient="records", lines=True)
    return path


SOURCES: dict[str, Callable[[Path], Any]] = {
    "table": lambda _: TABLE,
    "batch": lambda _: TABLE.to_batches()[0],
    "polars": lambda _: pl.from_arrow(TABLE),
    "lazy": lambda _: pl.from_arrow(TABLE).lazy(),  # type: ignore[union-attr]
    "pandas": lambda _: TABLE.to_pandas(types_mapper=pd.ArrowDtype),
    "duckdb": lambda _: duckdb.from_arrow(TABLE),
    "dataset": lambda _: ds.dataset(TABLE),
    "parquet": lambda folder: _written(folder, ".parquet"),
    "path as str": lambda folder: str(_written(folder, ".parquet")),
    "jsonl": lambda folder: _written(folder, ".jsonl"),
    "csv": lambda folder: _written(folder, ".csv"),
}


@pytest.mark.parametrize("source", SOURCES)
def test_columns_of_every_source_ride_along(source: str, tmp_path: Path, new_path: NewPath) -> None:
    for path in (None, new_path()):
        index = bow.index(SOURCES[source](tmp_path), "text", metadata=NAMES, path=path)
        given = _plain(index.metadata(range(5)))
        if source == "csv":  # nothing in CSV tells a number from text
            assert [one["year"] for one in given] == ["2001", "2002", "2003", None, "2005"]
        elif source == "jsonl":
            assert [one["year"] and int(one["year"]) for one in given] == [
                one["year"] for one in ALL
            ]
        else:
            assert given == ALL
        assert [one["url"] for one in given] == [one["url"] for one in ALL]
        assert index.info.metadata == ("url", "year")


OTHERS: dict[str, Any] = {
    "dict": TABLE.select(NAMES).to_pydict(),
    "table": TABLE.select(NAMES),
    "polars": pl.from_arrow(TABLE.select(NAMES)),
    "pandas": TABLE.select(NAMES).to_pandas(types_mapper=pd.ArrowDtype),
}


@pytest.mark.parametrize("other", OTHERS)
def test_a_table_rides_along_with_a_column(other: str, new_path: NewPath) -> None:
    for path in (None, new_path()):
        index = bow.index(TEXTS, metadata=OTHERS[other], path=path)
        assert _plain(index.metadata(range(5))) == ALL


def test_a_stream_rides_along() -> None:
    stream = pa.RecordBatchReader.from_batches(
        TABLE.select(NAMES).schema, TABLE.select(NAMES).to_batches(2)
    )
    assert _plain(bow.index(TEXTS, metadata=stream).metadata(range(5))) == ALL


@pytest.mark.parametrize("form", [("suffix", None), ("fm", "fast"), ("fm", "compact")])
def test_answers_bring_it(form: tuple[str, str | None], new_path: NewPath) -> None:
    kind, profile = form
    for path in (None, new_path()):
        index = bow.index(TABLE, "text", metadata=NAMES, path=path, kind=kind, profile=profile)
        assert index.rows("dan").to_pylist() == [{"row": 2, "count": 1, "url": None, "year": 2003}]
        table = index.rows(["nas", "x", None, "ba"], metadata="url")
        assert table.column_names == ["query", "row", "count", "url"]
        assert table["query"].to_pylist() == [0, 3, 3]
        assert table["url"].to_pylist() == ["e.org", "a.org", None]
        assert index.rows("dan", metadata=False).column_names == ["row", "count"]
        assert index.rows("absent").schema.names == ["row", "count", "url", "year"]
        context = index.context("an", width=1, metadata=["year"])
        assert context.column_names == ["row", "start", "left", "match", "right", "year"]
        assert context["year"].to_pylist() == [2001, 2001, 2003, 2003, 2005, 2005]
        assert _plain(index.metadata(index.locate("nas")["row"])) == [ALL[4]]
        assert index.metadata(3, "url").to_pydict() == {"url": ["d.org"]}


def test_it_survives_all_that_an_index_does(new_path: NewPath) -> None:
    for path in (None, new_path()):
        index = bow.index(TABLE, "text", metadata=NAMES, path=path)
        other = index if path is None else bow.open(path)
        index.append(TABLE, "text")  # columns of the same names
        index.append(TEXTS, metadata=TABLE.select(["year", "url"]))  # in any order
        assert _plain(index.metadata(range(15))) == ALL * 3
        # A reader that was there before answers from what it opened, or from now on.
        assert _plain(other.metadata(range(5))) == ALL
        index.compact()
        assert _plain(index.metadata(range(15))) == ALL * 3
        index.verify()
        for to in (None, new_path()):
            made = index.convert("fm", to, profile="compact")
            assert _plain(made.metadata(range(15))) == ALL * 3
            assert made.rows("nas")["url"].to_pylist() == ["e.org"] * 3
            if to is not None:
                assert _plain(bow.open(to).metadata([14, 0])) == [ALL[4], ALL[0]]
        if path is not None:
            opened = bow.open(path)
            assert _plain(opened.metadata(range(15))) == ALL * 3
            assert bow.index(["x"], path=path, overwrite=True).info.metadata == ()
            assert bow.open(path).metadata(0).column_names == []
            names = {file.suffix for file in path.iterdir()}
            assert ".arrow" not in names


def test_no_rows() -> None:
    index = bow.index(TABLE.slice(0, 0), "text", metadata=NAMES)
    assert index.info.metadata == ("url", "year")
    index.append(TABLE, "text")
    assert _plain(index.metadata(range(5))) == ALL


def test_values_of_a_dictionary_ride_along(new_path: NewPath) -> None:
    chunks = [pa.array(["a", "b"]).dictionary_encode(), pa.array(["c"]).dictionary_encode()]
    table = pa.table({"text": ["x", "y", "z"], "kind": pa.chunked_array(chunks)})
    index = bow.index(table, "text", metadata=["kind"], path=new_path())
    assert index.metadata([2, 1])["kind"].to_pylist() == ["c", "b"]


@given(
    st.lists(st.lists(st.integers(0, 99), max_size=5), min_size=1, max_size=5),
    st.data(),
)
def test_rows_of_many_batches(pieces: list[list[int]], data: st.DataObject) -> None:
    held = Metadata([pa.table({"at": pa.array(piece, pa.int64())}) for piece in pieces])
    values = [one for piece in pieces for one in piece]
    assert held.rows == len(values)
    rows = data.draw(st.lists(st.integers(0, max(0, len(values) - 1)))) if values else []
    taken = held.take(pa.array(rows, pa.uint64()))
    assert taken["at"].to_pylist() == [values[row] for row in rows]
    assert taken.schema.names == ["at"]


def test_many_rows(new_path: NewPath) -> None:
    table = pa.table(
        {"text": pa.array(map(str, range(200_000))), "at": pa.array(np.arange(200_000))}
    )
    index = bow.index(table, "text", metadata="at", path=new_path())
    for found in (index.rows("99"), bow.open(str(index.info.path)).rows("99")):
        assert found["at"].to_pylist() == found["row"].to_pylist()
        assert found.num_rows > 1000


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "too few": ({"metadata": {"url": ["a"]}}, "metadata has 1 rows, and the index 5; give"),
    "too many": ({"metadata": {"url": ["a"] * 6}}, "metadata has 6 rows, and the index 5; give"),
    "no such column": ({"metadata": ["ulr"]}, "data has no column 'ulr': did you mean 'url'"),
    "taken": ({"metadata": {"row": [1] * 5}}, "metadata has a column 'row', as answers have"),
    "none": ({"metadata": []}, "metadata has no columns: name one, or leave it out"),
    "twice": ({"metadata": ["url", "url"]}, "metadata names a column twice"),
    "no table": ({"metadata": 7}, "metadata is a int: give a table"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_cannot_ride_along_is_refused(wrong: str, new_path: NewPath) -> None:
    arguments, message = WRONG[wrong]
    for path in (None, new_path()):
        with pytest.raises((bow.InvalidInput, bow.UnsupportedType)) as error:
            bow.index(TABLE, "text", path=path, **arguments)
        assert message in str(error.value)
        assert path is None or not (path / "manifest.json").exists()


def test_a_stream_that_is_read_once_has_no_other_columns() -> None:
    with pytest.raises(bow.InvalidInput, match="give metadata a table"):
        bow.index(TABLE.to_reader(), "text", metadata=["url"])


def test_all_rows_have_metadata_or_none(new_path: NewPath) -> None:
    for path in (None, new_path()):
        index = bow.index(TABLE, "text", metadata=NAMES, path=path)
        with pytest.raises(bow.InvalidInput, match="give metadata a table"):
            index.append(["more"])
        with pytest.raises(bow.InvalidInput, match="lacks 'year'"):
            index.append(["more"], metadata={"url": ["f"]})
        with pytest.raises(bow.UnsupportedType, match="as that of the index"):
            index.append(["more"], metadata={"url": ["f"], "year": ["never"]})
        with pytest.raises(bow.InvalidInput, match="metadata has 7 rows, and the index 6"):
            index.append(["more"], metadata={"url": ["f", "g"], "year": [1, 2]})
        assert len(index) == 5
        assert _plain(index.metadata(range(5))) == ALL
        bare = bow.index(["text"], path=None if path is None else new_path())
        with pytest.raises(bow.InvalidInput, match="metadata has 1 rows, and the index 2"):
            bare.append(["more"], metadata={"url": ["f"]})
        for wrong in ("url", ["url"]):
            with pytest.raises(bow.InvalidInput, match="the index has none"):
                bare.rows("text", metadata=wrong)
        assert bare.rows("text").column_names == ["row", "count"]


def test_rows_that_are_not_there() -> None:
    index = bow.index(TABLE, "text", metadata=NAMES)
    with pytest.raises(bow.InvalidInput, match="rows holds 5, and the index has 5 rows"):
        index.metadata([0, 5])
    with pytest.raises(bow.InvalidInput, match="rows holds a null"):
        index.metadata([0, None])
    with pytest.raises(bow.InvalidInput, match="did you mean 'url'"):
        index.rows("an", metadata="urls")


def test_a_damaged_file_is_refused(new_path: NewPath) -> None:
    path = new_path()
    bow.index(TABLE, "text", metadata=NAMES, path=path)
    (file,) = path.glob("*.arrow")
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])
    with pytest.raises(bow.CorruptIndex, match=r"arrow.*bytes long"):
        bow.open(path)
    for at in range(0, len(whole), 7):
        damaged = bytearray(whole)
        damaged[at] ^= 16
        file.write_bytes(damaged)
        try:
            index = bow.open(path)
        except bow.CorruptIndex:
            continue
        with pytest.raises(bow.CorruptIndex, match="checksum"):
            index.verify()
    file.unlink()
    with pytest.raises((FileNotFoundError, bow.CorruptIndex, bow.InvalidInput)):
        bow.open(path)
