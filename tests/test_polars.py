"""The polars namespaces answer as the index does, a list a query."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

import bowstring as bow
import bowstring.polars

ROWS = ["banana", None, "bandana", "é ana"]
QUERIES = ["ana", None, "nowhere", "é", "ban"]
ENGINES = ("in-memory", "streaming")
SPANS = pl.List(pl.Struct({"row": pl.UInt64, "start": pl.UInt64, "stop": pl.UInt64}))
COUNTS = pl.List(pl.Struct({"row": pl.UInt64, "count": pl.UInt64}))


@pytest.fixture(scope="module")
def index() -> bow.Index:
    return bow.index(ROWS)


def nested(table: Any, queries: list[Any]) -> list[list[dict[str, Any]] | None]:
    """What the flat table of the index says of each query."""
    found: list[Any] = [None if query is None else [] for query in queries]
    for row in table.to_pylist():
        found[row.pop("query")].append(row)
    return found


def both(verb: str, index: Any, queries: list[Any], dtype: Any, **options: Any) -> list[Any]:
    """Ask through the Series and through the expression, in each engine and lazily."""
    series = pl.Series("q", queries, dtype)
    answer = getattr(series.bow, verb)(index, **options)
    assert answer.name == "q"
    frame = pl.LazyFrame({"q": series}).select(getattr(pl.col("q").bow, verb)(index, **options))
    assert frame.collect_schema() == {"q": answer.dtype}
    for engine in ENGINES:
        assert frame.collect(engine=engine)["q"].equals(answer, check_dtypes=True)
    assert frame.clear().collect().schema == {"q": answer.dtype}
    rows: list[Any] = answer.to_list()
    return rows


def test_count(index: bow.Index) -> None:
    assert both("count", index, QUERIES, pl.String) == [4, None, 0, 1, 2]
    assert pl.Series(QUERIES).bow.count(index).dtype == pl.UInt64


@pytest.mark.parametrize("limit", [None, 1, 2])
def test_tables(index: bow.Index, limit: int | None) -> None:
    for verb, options in (
        ("rows", {}),
        ("locate", {}),
        ("context", {"width": 2}),
        ("search", {}),
        ("search", {"within": 3}),
    ):
        options = {**options, "limit": limit}
        expected = nested(getattr(index, verb)(QUERIES, **options), QUERIES)
        assert both(verb, index, QUERIES, pl.String, **options) == expected
    sampled = nested(index.locate(QUERIES, limit=1, seed=3), QUERIES)
    assert both("locate", index, QUERIES, pl.String, limit=1, seed=3) == sampled


def test_types(index: bow.Index) -> None:
    queries = pl.Series(QUERIES)
    assert queries.bow.rows(index).dtype == COUNTS
    assert queries.bow.locate(index).dtype == queries.bow.search(index).dtype == SPANS
    fields = {"row": pl.UInt64, "start": pl.UInt64}
    for made, text in (
        (["a"], pl.String()),
        ([b"a"], pl.Binary()),
        ([[1]], pl.List(pl.UInt32)),
    ):
        other = bow.index(made)
        asked = pl.Series(made)
        expected = pl.List(pl.Struct({**fields, "left": text, "match": text, "right": text}))
        assert asked.bow.context(other).dtype == expected
        assert asked.bow.count(other).to_list() == [1]
        assert both("context", other, made, asked.dtype)[0][0]["match"] == made[0]
        assert both("text", other, [0, None], pl.Int64) == [made[0], None]


def test_text(index: bow.Index) -> None:
    assert both("text", index, [3, 1, None, 0], pl.UInt32) == ["é ana", None, None, "banana"]
    found = index.locate("ana")
    assert pl.from_arrow(found)["row"].bow.text(index).to_list() == [
        "banana",
        "banana",
        "bandana",
        "é ana",
    ]


@pytest.mark.parametrize("verb", ["count", "rows", "locate", "context", "search", "text"])
@pytest.mark.parametrize("queries", [[], [None, None]])
def test_nothing_asked(index: bow.Index, verb: str, queries: list[Any]) -> None:
    for dtype in (pl.Null, pl.Int64 if verb == "text" else pl.String):
        assert both(verb, index, queries, dtype) == queries


@pytest.mark.parametrize("dtype", [pl.Categorical, pl.Enum(["ana", "é"]), pl.Binary])
def test_queries_of_other_types(index: bow.Index, dtype: Any) -> None:
    queries: list[Any] = ["ana", None, "é"]
    if dtype == pl.Binary:
        queries = [b"ana", None, "é".encode()]
    assert both("count", index, queries, dtype) == [4, None, 1]


def test_a_path_is_opened_where_the_expression_is_written(index: bow.Index, tmp_path: Path) -> None:
    path = tmp_path / "a.bow"
    bow.index(ROWS, path=path)
    opened = []

    def counting(where: Any) -> bow.Index:
        opened.append(where)
        return bow.open(where)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bowstring.accessors.open", counting)
        for where in (path, str(path)):
            expression = pl.col("q").bow.count(where)
            frame = pl.LazyFrame({"q": QUERIES * 1000}).select(expression)
            for engine in ENGINES:
                assert frame.collect(engine=engine)["q"][:5].to_list() == [4, None, 0, 1, 2]
    assert len(opened) == 2
    with pytest.raises(FileNotFoundError):
        pl.col("q").bow.count(tmp_path / "missing.bow")


def test_elementwise(index: bow.Index) -> None:
    """Filters move below the question, and groups and windows may hold it."""
    frame = pl.LazyFrame({"q": QUERIES, "n": range(5)})
    asked = frame.with_columns(c=pl.col("q").bow.count(index))
    plan = asked.filter(pl.col("n") > 2).explain()
    assert plan.index("python_udf") < plan.index("FILTER")
    assert asked.filter(pl.col("c") > 1).collect()["q"].to_list() == ["ana", "ban"]
    summed = frame.group_by("n").agg(pl.col("q").bow.count(index).sum().alias("c"))
    assert sorted(summed.collect()["c"].to_list()) == [0, 0, 1, 2, 4]
    exploded = frame.select(pl.col("q").bow.rows(index)).explode("q").unnest("q").collect()
    assert exploded.columns == ["row", "count"]


def test_errors(index: bow.Index) -> None:
    with pytest.raises(bow.UnsupportedType, match="column of int64"):
        pl.Series([1]).bow.count(index)
    with pytest.raises(bow.InvalidInput, match="empty"):
        pl.Series([""]).bow.count(index)
    for engine in ENGINES:
        with pytest.raises(Exception, match="empty"):
            pl.LazyFrame({"q": [""]}).select(pl.col("q").bow.count(index)).collect(engine=engine)
    with pytest.raises(bow.InvalidInput):
        pl.Series([99]).bow.text(index)


def test_the_module_stays_out_of_the_way() -> None:
    assert bowstring.polars.pl is pl
    assert pl.Series(["a"]).bow is not None
