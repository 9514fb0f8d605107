"""What retrieved rows are worth: all subsets as the oracle, any table, what to drop."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bowstring as bow


def retrievals(utilities: list[list[float]], sources: list[list[Any]] | None = None) -> pa.Table:
    queries = [q for q, row in enumerate(utilities) for _ in row]
    names = sources or [list(range(len(row))) for row in utilities]
    return pa.table(
        {
            "query": pa.array(queries, pa.int64()),
            "source": [one for row in names for one in row],
            "utility": pa.array([one for row in utilities for one in row], pa.float64()),
        }
    )


def by_source(table: pa.Table, column: str = "importance") -> list[float]:
    return table.sort_by("source")[column].to_pylist()


def expected(utilities: list[float], weights: list[float], k: int) -> float:
    """The mean over every subset of the sources, by how probable it is."""
    total = 0.0
    for there in itertools.product([False, True], repeat=len(utilities)):
        chance = math.prod(w if t else 1 - w for w, t in zip(weights, there, strict=True))
        first = [u for u, t in zip(utilities, there, strict=True) if t][:k]
        total += chance * sum(first) / k
    return total


GOLDEN: list[tuple[list[float], Any, int, list[float], int]] = [
    (
        [1, 0.3, 0, 1, 0.7, 0],
        None,
        2,
        [0.54924409, 0.50230869, 0.48219, 0.54924409, 0.53170994, 0.5],
        8,
    ),
    ([1, 1, 0, 1, 1, 0], None, 3, [0.5666, 0.5666, 0.4652, 0.5666, 0.5666, 0.5], 4),
    (
        [1, 1, 0, 1, 1, 0],
        {0: "a", 1: "b", 2: "c", 3: "b", 4: "a", 5: "c"},
        3,
        [0.5664, 0.5664, 0.4826, 0.5664, 0.5664, 0.4826],
        4,
    ),
]


@pytest.mark.parametrize(("utilities", "groups", "steps", "golden", "digits"), GOLDEN)
def test_golden_values_of_the_reference(
    utilities: list[float], groups: Any, steps: int, golden: list[float], digits: int
) -> None:
    found = bow.select.importance(
        retrievals([utilities]), k=3, steps=steps, learning_rate=0.1, groups=groups
    )
    assert np.allclose(by_source(found.table), golden, rtol=0, atol=0.6 * 10**-digits)


numbers = st.floats(-2, 2).map(lambda number: round(number, 3))


@settings(max_examples=20, deadline=None)
@given(
    utilities=st.lists(st.lists(numbers, min_size=1, max_size=7), min_size=1, max_size=3),
    weights=st.lists(st.floats(0, 1), min_size=7, max_size=7),
    k=st.integers(1, 8),
)
def test_gradients_and_utilities_are_those_of_all_subsets(
    utilities: list[list[float]], weights: list[float], k: int
) -> None:
    count = max(map(len, utilities))
    start = dict(enumerate(weights[:count]))
    found = bow.select.importance(retrievals(utilities), k=k, steps=0, start=start)

    def mean(weights: list[float]) -> float:
        return sum(expected(row, weights[: len(row)], k) for row in utilities) / len(utilities)

    assert math.isclose(found.expected_utility, mean(weights), abs_tol=1e-9)
    gradient = by_source(found.gradient(), "gradient")
    for source in range(count):
        with_it, without = ([*weights[:source], w, *weights[source + 1 :]] for w in (1.0, 0.0))
        assert math.isclose(gradient[source], mean(with_it) - mean(without), abs_tol=1e-9)


def random_retrievals(queries: int = 60, length: int = 12, count: int = 40) -> pa.Table:
    random = np.random.default_rng(5)
    sources = [random.permutation(count)[:length].tolist() for _ in range(queries)]
    # More than a hundred levels, closer than a hundredth.
    return retrievals([[random.random() * (one % 3) for one in row] for row in sources], sources)


def test_steps_follow_the_gradient() -> None:
    table = random_retrievals()
    weights = dict.fromkeys(range(40), 0.5)
    for _ in range(3):
        gradient = bow.select.importance(table, k=4, steps=0, start=weights).gradient()
        slope = dict(
            zip(gradient["source"].to_pylist(), gradient["gradient"].to_pylist(), strict=True)
        )
        weights = {one: min(1.0, max(0.0, weights[one] + 90 * slope[one])) for one in weights}
    found = bow.select.importance(table, k=4, steps=3, learning_rate=90)
    assert np.allclose(by_source(found.table), [weights[one] for one in range(40)])
    assert {0.0, 1.0} <= set(by_source(found.table))
    more = bow.select.importance(table, k=4, steps=40, learning_rate=20).expected_utility
    assert more > bow.select.importance(table, k=4, steps=0).expected_utility


def test_threads_do_not_matter() -> None:
    table = random_retrievals(300)
    first, *others = (
        bow.select.importance(table, k=4, steps=5, threads=threads) for threads in range(1, 5)
    )
    for other in others:
        assert first.table.equals(other.table)
        assert first.expected_utility == other.expected_utility


def test_dropping_sources_says_what_it_comes_to() -> None:
    table = random_retrievals()
    found = bow.select.importance(table, k=4, steps=3, learning_rate=30)
    worth = dict(
        zip(found.table["source"].to_pylist(), found.table["importance"].to_pylist(), strict=True)
    )

    def mean(dropped: set[int], rows: pa.Table) -> float:
        total, queries = 0.0, set(rows["query"].to_pylist())
        for query in queries:
            left = [
                row["utility"]
                for row in rows.to_pylist()
                if row["query"] == query and row["source"] not in dropped
            ]
            total += sum(left[:4]) / 4
        return total / len(queries)

    path = found.path()
    for row in path.to_pylist()[::7]:
        threshold = -1.0 if row["threshold"] is None else row["threshold"]
        dropped = {one for one, weight in worth.items() if weight <= threshold}
        assert len(dropped) == row["dropped"]
        assert math.isclose(row["utility"], mean(dropped, table), abs_tol=1e-12)
    dropped = found.drop()
    told = {name.decode(): float(one) for name, one in dropped.schema.metadata.items()}
    assert math.isclose(told["utility_before"], mean(set(), table))
    assert math.isclose(told["utility_after"], max(path["utility"].to_pylist()))
    assert math.isclose(told["utility_after"], mean(set(dropped["source"].to_pylist()), table))
    assert told["utility_after"] > told["utility_before"]
    assert max(dropped["importance"].to_pylist()) == told["threshold"]
    # Other retrievals decide, of which some sources were never seen.
    other = retrievals([[0.0, 1.0, 1.0], [1.0]], [[39, 0, 1000], [1001]])
    chosen = found.drop(other)
    own = {name.decode(): one for name, one in chosen.schema.metadata.items()}
    gone = set(chosen["source"].to_pylist())
    assert math.isclose(float(own["utility_after"]), mean(gone, other), abs_tol=1e-12)
    nothing = bow.select.importance(retrievals([[1.0, 1.0]]), k=1, steps=1).drop()
    assert nothing.num_rows == 0 and nothing.schema.metadata[b"threshold"] == b""


def test_tables_of_any_shape() -> None:
    utilities = [[1.0, 0.0, 0.5], [0.0, 1.0]]
    names = [["a", "b", "c"], ["c", "a"]]
    rows = retrievals(utilities, names)
    expected_table = bow.select.importance(rows, k=2, steps=3).table
    mixed = rows.append_column("rank", pa.array([1, 2, 3, 1, 2])).take([4, 1, 3, 0, 2])
    scored = rows.append_column("score", pa.array([0.9, 0.8, 0.1, 5.0, 4.0])).take([4, 1, 3, 0, 2])
    nested = [
        {"source": name, "utility": utility} for name, utility in zip(names, utilities, strict=True)
    ]
    for data in (
        mixed,
        scored,
        nested,
        pa.Table.from_pylist(nested),
        rows.to_pydict(),
        rows.rename_columns(["query", "row", "utility"]),
        pl.DataFrame(nested),
        pl.from_arrow(rows),
        pl.from_arrow(rows).lazy(),
        rows.to_pandas(),
        rows.set_column(1, "source", rows["source"].cast(pa.dictionary(pa.int32(), pa.string()))),
    ):
        found = bow.select.importance(data, k=2, steps=3).table
        kind = {pl.DataFrame: pl.DataFrame, pd.DataFrame: pd.DataFrame}.get(type(data), pa.Table)
        if not isinstance(data, pl.LazyFrame):
            assert isinstance(found, kind)
        found = found if isinstance(found, pa.Table) else pa.table(pl.DataFrame(found).to_arrow())
        assert dict(
            zip(found["source"].to_pylist(), found["importance"].to_pylist(), strict=True)
        ) == (
            dict(
                zip(*(expected_table[n].to_pylist() for n in ("source", "importance")), strict=True)
            )
        )
    other = bow.select.importance(
        {"q": [7, 7], "page": [1, 2], "right": [1, 0]},
        query="q",
        source="page",
        utility="right",
        k=1,
    )
    assert other.table["source"].to_pylist() == [1, 2]
    assert expected_table["count"].to_pylist() == [
        {"a": 2, "b": 1, "c": 2}[one] for one in expected_table["source"].to_pylist()
    ]


def test_groups_of_any_shape() -> None:
    rows = random_retrievals()
    sites = {one: f"site{one % 5}" for one in range(30)}
    found = bow.select.importance(rows, k=4, steps=3, groups=sites)
    worth = dict(zip(*(found.table[n].to_pylist() for n in ("source", "importance")), strict=True))
    for site in range(5):
        assert len({worth[one] for one in range(site, 30, 5)}) == 1
    assert len({worth[one] for one in range(30, 40)}) > 1
    table = pa.table({"source": list(sites), "group": list(sites.values())})
    assert bow.select.importance(rows, k=4, steps=3, groups=table).table.equals(found.table)
    own = [sites.get(one, f"alone{one}") for one in rows["source"].to_pylist()]
    column = rows.append_column("site", pa.array(own))
    assert bow.select.importance(column, k=4, steps=3, groups="site").table.equals(found.table)


def test_after_a_search() -> None:
    ranking = bow.rank.BM25(["red apple", "green apple", "blue sky"])
    found = ranking.search(["apple", "sky", "green apple"], k=2)
    useful = found.append_column(
        "utility", pa.array([float(row == 1) for row in found["row"].to_pylist()])
    )
    worth = bow.select.importance(useful, k=1, steps=5)
    assert worth.table["source"][0].as_py() == 1


REFUSED: list[tuple[Any, Any, str]] = [
    ({"query": [0, 0], "source": [1, 1], "utility": [0.0, 1.0]}, {}, "twice for query 0"),
    ({"query": [0], "source": [1], "utility": [math.nan]}, {}, "utility is NaN at position 0"),
    ({"query": [0], "source": [1], "utility": [None]}, {}, "no column of numbers|1 nulls"),
    ({"query": [0], "source": [None], "utility": [1.0]}, {}, "source has 1 nulls"),
    ({"query": [None], "source": [1], "utility": [1.0]}, {}, "query has 1 nulls"),
    ({"query": [0], "utility": [1.0]}, {}, "no column 'source'"),
    ({"source": [0], "utility": [1.0]}, {}, "no column 'query'"),
    ({"source": [[0, 1]], "utility": [[1.0]]}, {}, "other lengths"),
    ({"query": [0], "source": [1], "utility": ["x"]}, {}, "no column of numbers"),
    (
        pa.table(
            {
                "query": pa.array([], pa.int64()),
                "source": pa.array([], pa.int64()),
                "utility": pa.array([], pa.float64()),
            }
        ),
        {},
        "no queries",
    ),
    ([1, 2], {}, "give a table"),
    (None, {"k": 0}, "k is 0"),
    (None, {"steps": -1}, "steps is -1"),
    (None, {"learning_rate": math.inf}, "learning_rate is inf"),
    (None, {"start": 1.5}, "weights is 1.5"),
    (None, {"start": {0: 0.5}}, "no weight of 1"),
    (None, {"groups": "site"}, "no such column"),
    (None, {"groups": 3}, "give a dictionary"),
    (None, {"groups": {"a": 1}}, "sources of string"),
    (None, {"groups": {"source": [0]}}, "sources of"),
]


@pytest.mark.parametrize(("data", "options", "message"), REFUSED)
def test_what_cannot_be_meant_is_refused(data: Any, options: Any, message: str) -> None:
    with pytest.raises(bow.BowstringError, match=message):
        bow.select.importance(retrievals([[1.0, 0.0]]) if data is None else data, **options)


def test_no_retrieved_rows_and_more_than_there_are() -> None:
    found = bow.select.importance({"source": [["a"], []], "utility": [[1.0], []]}, k=5, steps=0)
    assert found.gradient()["gradient"].to_pylist() == [0.1]
    assert math.isclose(found.expected_utility, 0.05)
