"""The pandas accessor answers as the index does, with the Series' own index and name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

import bowstring as bow
import bowstring.pandas

ROWS = ["banana", None, "bandana", "é ana"]
QUERIES = ["ana", None, "nowhere", "é", "ban"]
LABELS = list("vwxyz")
DTYPES: tuple[Any, ...] = (
    "str",
    object,
    "category",
    "string[python]",
    pd.ArrowDtype(pa.string()),
    pd.ArrowDtype(pa.string_view()),
)


@pytest.fixture(scope="module")
def index() -> bow.Index:
    return bow.index(ROWS)


def plain(answer: pd.Series) -> list[Any]:
    """Take an answer's values, null as None."""
    assert answer.index.tolist() == LABELS[: len(answer)]
    assert answer.name == "q"
    assert isinstance(answer.dtype, pd.ArrowDtype)
    values: list[Any] = pa.array(answer).to_pylist()
    return values


def nested(table: Any, queries: list[Any]) -> list[list[dict[str, Any]] | None]:
    """What the flat table of the index says of each query."""
    found: list[Any] = [None if query is None else [] for query in queries]
    for row in table.to_pylist():
        found[row.pop("query")].append(row)
    return found


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_answers(index: bow.Index, dtype: Any) -> None:
    series = pd.Series(QUERIES, index=LABELS, name="q", dtype=dtype)
    counts = series.bow.count(index)
    assert plain(counts) == [4, None, 0, 1, 2]
    assert counts.dtype == pd.ArrowDtype(pa.uint64())
    options: dict[str, Any]
    for verb, options in (
        ("rows", {}),
        ("rows", {"limit": 1}),
        ("locate", {}),
        ("locate", {"limit": 1, "seed": 5}),
        ("context", {"width": 2, "limit": 2}),
        ("search", {}),
        ("search", {"within": 3, "limit": 1}),
    ):
        expected = nested(getattr(index, verb)(QUERIES, **options), QUERIES)
        assert plain(getattr(series.bow, verb)(index, **options)) == expected


def test_text(index: bow.Index) -> None:
    for dtype in ("Int64", pd.ArrowDtype(pa.uint8())):
        rows = pd.Series([3, 1, None, 0], index=LABELS[:4], name="q", dtype=dtype)
        assert plain(rows.bow.text(index)) == ["é ana", None, None, "banana"]
    with pytest.raises(bow.UnsupportedType, match="Int64"):
        pd.Series([3, None]).bow.text(index)


@pytest.mark.parametrize(
    ("rows", "queries"), [([b"a\xff"], [b"\xff", None]), ([[1, 2], [2]], [[2], None])]
)
def test_bytes_and_tokens(rows: list[Any], queries: list[Any]) -> None:
    made = bow.index(rows)
    for dtype in (object, pd.ArrowDtype(pa.array(queries).type)):
        series = pd.Series(queries, index=LABELS[:2], name="q", dtype=dtype)
        assert plain(series.bow.count(made)) == [len(rows), None]
        assert plain(series.bow.context(made)) == nested(made.context(queries), queries)


@pytest.mark.parametrize("verb", ["count", "rows", "locate", "context", "search"])
@pytest.mark.parametrize("queries", [[], [None, None]])
@pytest.mark.parametrize("dtype", ["str", object])
def test_nothing_asked(index: bow.Index, verb: str, queries: list[Any], dtype: Any) -> None:
    series = pd.Series(queries, index=LABELS[: len(queries)], name="q", dtype=dtype)
    assert plain(getattr(series.bow, verb)(index)) == queries


def test_the_index_of_a_frame(index: bow.Index) -> None:
    frame = pd.DataFrame({"q": ["ana", "é"], "n": [1, 2]}, index=[("a", 1), ("b", 2)])
    frame["count"] = frame["q"].bow.count(index)
    assert frame["count"].tolist() == [4, 1]
    assert frame.sort_values("n", ascending=False)["q"].bow.count(index).tolist() == [1, 4]


def test_a_path(tmp_path: Path) -> None:
    bow.index(ROWS, path=tmp_path / "a.bow")
    for path in (tmp_path / "a.bow", str(tmp_path / "a.bow")):
        assert pd.Series(["ana"]).bow.count(path).tolist() == [4]
    with pytest.raises(FileNotFoundError):
        pd.Series(["ana"]).bow.count(tmp_path / "missing.bow")


def test_errors(index: bow.Index) -> None:
    with pytest.raises(bow.UnsupportedType, match="column of int64"):
        pd.Series([1]).bow.count(index)
    with pytest.raises(bow.InvalidInput, match="empty"):
        pd.Series([""]).bow.count(index)


def test_the_module_stays_out_of_the_way() -> None:
    assert bowstring.pandas.pd is pd
