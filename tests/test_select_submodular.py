"""Subsets of rows: naive greedy from the definitions, any input, any number of threads."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

import bowstring as bow

FUNCTIONS: dict[str, Any] = {
    "facility_location": bow.select.facility_location,
    "graph_cut": bow.select.graph_cut,
    "feature_based": bow.select.feature_based,
    "max_coverage": bow.select.max_coverage,
}
PAIRS = ("facility_location", "graph_cut")
TEXT = ["a red apple", "red apple pie", "blue sky", "blue sea", "the sea and the sky", "apple"]


def value(name: str, rows: np.ndarray, chosen: list[int], similarity: str = "dot") -> float:
    """The function itself, from its definition."""
    if not chosen:
        return 0.0
    if name == "feature_based":
        return float(np.sqrt(rows[chosen].sum(axis=0)).sum())
    if name == "max_coverage":
        return float((rows[chosen] != 0).any(axis=0).sum())
    similar = similarities(rows, similarity)
    if name == "facility_location":
        return float(similar[chosen].max(axis=0).sum())
    return float(similar[chosen].sum() - 0.5 * similar[np.ix_(chosen, chosen)].sum())


def similarities(rows: np.ndarray, similarity: str) -> np.ndarray:
    if similarity == "precomputed":
        return rows
    if similarity == "euclidean":
        return 1 / (1 + np.linalg.norm(rows[:, None] - rows[None], axis=2))
    if similarity == "cosine":
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        rows = np.divide(rows, norms, out=np.zeros_like(rows), where=norms > 0)
    return np.maximum(rows @ rows.T, 0.0)


def greedy(name: str, rows: np.ndarray, k: int, similarity: str = "dot") -> list[int]:
    """The first of the rows that add most, again and again."""
    chosen: list[int] = []
    for _ in range(k):
        left = [row for row in range(len(rows)) if row not in chosen]
        chosen.append(max(left, key=lambda row: value(name, rows, [*chosen, row], similarity)))
    return chosen


# Sums and products of quarters are exact, so that what ties, ties in every order.
quarters = st.integers(0, 6).map(lambda n: max(0, n - 3) / 4)
matrices = st.tuples(st.integers(1, 12), st.integers(1, 6)).flatmap(
    lambda shape: st.lists(
        st.lists(quarters, min_size=shape[1], max_size=shape[1]),
        min_size=shape[0],
        max_size=shape[0],
    ).map(np.array)
)


@settings(max_examples=30, deadline=None)
@given(rows=matrices)
@pytest.mark.parametrize("name", ["facility_location", "graph_cut", "max_coverage"])
def test_the_rows_that_naive_greedy_takes(name: str, rows: np.ndarray) -> None:
    options = {"similarity": "dot"} if name in PAIRS else {}
    expected = greedy(name, rows, len(rows))
    for data in (rows, sp.csr_matrix(rows), sp.coo_matrix(rows), rows.astype(np.float32)):
        found = FUNCTIONS[name](data, len(rows), **options)
        assert found["row"].to_pylist() == expected
        gains = found["gain"].to_pylist()
        assert math.isclose(sum(gains), value(name, rows, expected), abs_tol=1e-9)
        assert all(one >= other - 1e-12 for one, other in itertools.pairwise(gains))
        assert found["rank"].to_pylist() == list(range(1, len(rows) + 1))


@settings(max_examples=20, deadline=None)
@given(rows=matrices, similarity=st.sampled_from(["cosine", "dot", "euclidean"]))
@pytest.mark.parametrize("name", list(FUNCTIONS))
def test_gains_are_what_the_definition_says(name: str, rows: np.ndarray, similarity: Any) -> None:
    options = {"similarity": similarity} if name in PAIRS else {}
    for data in (rows, sp.csr_matrix(rows)):
        found = FUNCTIONS[name](data, len(rows), **options)
        chosen = found["row"].to_pylist()
        assert sorted(chosen) == list(range(len(rows)))
        sums = np.cumsum(found["gain"].to_pylist())
        for size in range(len(rows)):
            expected = value(name, rows, chosen[: size + 1], similarity)
            assert math.isclose(sums[size], expected, rel_tol=1e-9, abs_tol=1e-9)
        naive = FUNCTIONS[name](data, len(rows), method="naive", **options)
        assert naive.equals(found)


def drawn(rows: int, columns: int, seed: int = 1) -> Any:
    return sp.random(rows, columns, 0.1, "csr", random_state=seed)


@pytest.mark.parametrize("name", list(FUNCTIONS))
@pytest.mark.parametrize("options", [{}, {"method": "stochastic"}, {"partitions": 3}])
def test_threads_do_not_matter(name: str, options: Any) -> None:
    rows = drawn(600, 80)
    for data in (rows, rows.toarray()):
        first, *others = (
            FUNCTIONS[name](data, 40, threads=threads, **options) for threads in range(1, 5)
        )
        assert all(first.equals(other) for other in others)
        assert len(set(first["row"].to_pylist())) == 40


def test_negative_similarities_count_nothing() -> None:
    rows = np.random.default_rng(0).normal(size=(30, 4))
    for data in (rows, sp.csr_matrix(rows)):
        for name in PAIRS:
            # Later ones tie but for rounding: two rows that nothing else represents add the same.
            found = FUNCTIONS[name](data, 5)
            chosen = found["row"].to_pylist()
            assert chosen == greedy(name, rows, 5, "cosine")
            assert math.isclose(sum(found["gain"].to_pylist()), value(name, rows, chosen, "cosine"))


def test_concave_functions_and_weights() -> None:
    rows, weights = drawn(50, 10), np.arange(10.0)
    dense = rows.toarray()
    shapes = {
        "sqrt": np.sqrt,
        "log": np.log1p,
        "inverse": lambda x: x / (1 + x),
        "saturate": lambda x: np.minimum(x, 0.7),
    }
    for concave, shape in shapes.items():
        found = bow.select.feature_based(rows, 20, concave=concave, saturation=0.7, weights=weights)
        chosen = found["row"].to_pylist()
        expected = (weights * shape(dense[chosen].sum(axis=0))).sum()
        assert math.isclose(sum(found["gain"].to_pylist()), expected)
    covered = bow.select.max_coverage(rows, 5, weights=weights)
    chosen = covered["row"].to_pylist()
    assert sum(covered["gain"].to_pylist()) == weights[(dense[chosen] != 0).any(axis=0)].sum()
    located = bow.select.facility_location(rows, 5, weights=np.arange(50.0))
    similar = similarities(dense, "cosine")
    best = (similar[located["row"].to_pylist()].max(axis=0) * np.arange(50)).sum()
    assert math.isclose(sum(located["gain"].to_pylist()), best)


def test_a_budget_and_costs() -> None:
    rows = np.array([[1, 1, 1, 1, 0], [1, 1, 0, 0, 0], [0, 0, 1, 1, 0], [0, 0, 0, 0, 1]])
    # By what they add for their cost rows 1, 2 and 3 come first.
    found = bow.select.max_coverage(rows, costs=[10, 1, 1, 1], budget=3)
    assert found["row"].to_pylist() == [1, 2, 3]
    # The two cheap ones are better value, and the dear one is worth more than both.
    found = bow.select.max_coverage(rows, costs=[3.0, 1.0, 2.5, 1.0], budget=3)
    assert found["row"].to_pylist() == [0]
    frame = pl.DataFrame({"text": ["one two six", "two six ten", "sky"], "tokens": [3, 3, 2]})
    found = bow.select.max_coverage(
        frame.with_columns(text=pl.lit("red ") + pl.col("text")),
        column="text",
        costs="tokens",
        budget=4,
    )
    assert isinstance(found, pl.DataFrame) and found["row"].to_list() == [0]
    nothing = bow.select.max_coverage(rows, costs=[1, 1, 1, 1], budget=0)
    assert nothing.num_rows == 0
    free = bow.select.max_coverage(rows, costs=[0, 1, 1, 0], budget=0)
    assert free["row"].to_pylist() == [0, 3]


def test_initial_rows_and_least_gains() -> None:
    rows = drawn(60, 30)
    whole = bow.select.feature_based(rows, 10)
    first = whole["row"].to_pylist()[:4]
    rest = bow.select.feature_based(rows, 6, initial=first)
    assert rest["row"].to_pylist() == whole["row"].to_pylist()[4:]
    assert np.allclose(rest["gain"], whole["gain"].to_pylist()[4:])
    least = whole["gain"].to_pylist()[5]
    some = bow.select.feature_based(rows, 10, min_gain=least)
    assert some.num_rows == 6
    everything = bow.select.feature_based(rows, 0, initial=np.arange(60))
    assert everything.num_rows == 0


def test_stochastic_greedy_promises_its_expectation() -> None:
    rows = drawn(300, 60)
    best = sum(bow.select.feature_based(rows, 10)["gain"].to_pylist())
    values = [
        sum(bow.select.feature_based(rows, 10, method="stochastic", seed=seed)["gain"].to_pylist())
        for seed in range(20)
    ]
    assert len(set(values)) > 1
    # Greedy is no more than the best possible, of which the expectation is at least so much.
    assert np.mean(values) >= (1 - 1 / math.e - 0.1) * best
    every = bow.select.feature_based(rows, 10, method="stochastic", epsilon=1e-12)
    assert every.equals(bow.select.feature_based(rows, 10))


def test_partitions_come_near() -> None:
    rows = drawn(800, 60)
    for function in (bow.select.facility_location, bow.select.feature_based):
        best = sum(function(rows, 20)["gain"].to_pylist())
        for parts in (2, 7):
            found = function(rows, 20, partitions=parts)
            assert sum(found["gain"].to_pylist()) >= 0.9 * best
            apart = function(rows, 20, partitions=parts, merge=False)
            assert len(set(apart["row"].to_pylist())) == 20
            gains = apart["gain"].to_pylist()
            assert gains == sorted(gains, reverse=True)
    assert function(rows, 20, partitions=3, seed=1).equals(function(rows, 20, partitions=3, seed=1))


def test_neighbours_are_the_most_similar() -> None:
    rows = drawn(200, 50)
    similar = similarities(rows.toarray(), "cosine")
    for data in (rows.toarray(), rows):
        graph = bow.select.neighbours(data, 5)
        assert graph.shape == (200, 200) and graph.nnz <= 1000
        assert all(part.flags.writeable for part in (graph.data, graph.indices, graph.indptr))
        for row in range(200):
            best = np.sort(similar[row])[::-1][:5]
            found = np.sort(graph[row].data)[::-1]
            assert np.allclose(found, best[best > 1e-12])
    both = bow.select.neighbours(rows, 5, symmetric=True)
    assert (both != both.T).nnz == 0
    assert (both != graph.maximum(graph.T)).nnz == 0
    located = bow.select.facility_location(rows, 10, neighbours=5)
    assert located.equals(bow.select.facility_location(both, 10, similarity="precomputed"))
    cut = bow.select.graph_cut(rows, 10, neighbours=5)
    assert cut.equals(bow.select.graph_cut(both, 10, similarity="precomputed"))


def test_parts_of_given_similarities() -> None:
    similar = similarities(drawn(60, 20).toarray(), "cosine")
    for name in PAIRS:
        for merge in (True, False):
            options = {"similarity": "precomputed", "partitions": 3, "merge": merge}
            found = FUNCTIONS[name](sp.csr_matrix(similar), 9, **options)
            assert FUNCTIONS[name](similar, 9, **options).equals(found)
            if merge:
                chosen = found["row"].to_pylist()
                expected = value(name, similar, chosen, "precomputed")
                assert math.isclose(sum(found["gain"].to_pylist()), expected)


def test_rectangular_similarities() -> None:
    similar = np.random.default_rng(3).random((30, 7))
    expected = greedy("facility_location", similar, 30, "precomputed")
    for data in (similar, sp.csr_matrix(similar)):
        found = bow.select.facility_location(data, 30, similarity="precomputed")
        assert found["row"].to_pylist()[:6] == expected[:6]
    with pytest.raises(bow.InvalidInput, match="as many columns as rows"):
        bow.select.graph_cut(sp.csr_matrix(similar), 3, similarity="precomputed")


def test_any_input() -> None:
    # The last rows to be represented tie: each adds both.
    dense = np.random.default_rng(0).random((6, 3))
    expected = bow.select.facility_location(dense, 3)
    lists = dense.tolist()
    inputs: list[Any] = [
        lists,
        pa.array(lists),
        pa.chunked_array([pa.array(lists[:2]), pa.array(lists[2:])]),
        pa.array(lists, pa.list_(pa.float64(), 3)),
        pa.array(lists, pa.large_list(pa.float64())).slice(0),
        pl.Series(lists),
        pl.Series(lists, dtype=pl.Array(pl.Float64, 3)),
        pd.Series(lists),
        pd.Series(list(dense)),
        np.asfortranarray(dense),
        sp.csc_matrix(dense),
        sp.csr_array(dense),
        pa.table({"v": pa.array(lists)}),
    ]
    for data in inputs:
        found = bow.select.facility_location(data, 3)
        if isinstance(data, pl.Series):
            assert isinstance(found, pl.DataFrame)
            found = found.to_arrow()
        elif isinstance(data, pd.Series):
            assert isinstance(found, pd.DataFrame)
            found = pa.Table.from_pandas(found)
        assert found["row"].to_pylist() == expected["row"].to_pylist()
    frame = pl.DataFrame({"id": range(6), "v": lists})
    assert (
        bow.select.facility_location(frame, 3, column="v")["row"].to_list()
        == expected["row"].to_pylist()
    )
    halves = bow.select.facility_location(dense.astype(np.float16), 4)
    assert halves.num_rows == 4
    counts = bow.counts.NGramCounter().fit_transform(TEXT)
    assert bow.select.max_coverage(counts, 3).equals(bow.select.max_coverage(TEXT, 3))
    assert (
        bow.select.max_coverage(pd.Series(TEXT), 3)["row"].tolist()
        == bow.select.max_coverage(pa.array(TEXT), 3)["row"].to_pylist()
    )
    # Unsorted, and one entry twice: as SciPy means it, and left as it is.
    odd = sp.csr_matrix(([1.0, 2.0, 1.0], [2, 0, 0], [0, 3]), shape=(1, 3))
    assert math.isclose(bow.select.feature_based(odd, 1)["gain"][0].as_py(), 1 + math.sqrt(3))
    assert odd.nnz == 3


def test_schema() -> None:
    found = bow.select.max_coverage(TEXT, 2)
    assert found.schema == pa.schema(
        [
            pa.field(n, t, False)
            for n, t in (("row", "uint64"), ("gain", "double"), ("rank", "uint64"))
        ]
    ) or found.schema.types == [pa.uint64(), pa.float64(), pa.uint64()]
    assert found.column_names == ["row", "gain", "rank"]


REFUSED: list[tuple[Any, Any, str]] = [
    ({}, {"k": 7}, "k is 7, and data has 6 rows"),
    ({}, {"k": 5, "initial": [1, 2]}, "6 rows, 2 of them initial"),
    ({}, {}, "k is None"),
    ({}, {"k": 2, "costs": [1] * 6}, "belong together"),
    ({}, {"budget": 2.0, "costs": [1, 1, 1, -1, 1, 1]}, "costs is -1 in row 3"),
    ({}, {"budget": 2.0, "costs": [1.0, math.nan, 1, 1, 1, 1]}, "costs is NaN in row 1"),
    ({}, {"budget": 2.0, "costs": [1.0]}, "costs has 1 values"),
    ({}, {"budget": -1.0, "costs": [1.0] * 6}, "budget is -1"),
    ({}, {"budget": 1.0, "costs": [1.0] * 6, "method": "stochastic"}, "promises nothing"),
    ({}, {"k": 2, "initial": [6]}, "initial has row 6"),
    ({}, {"k": 2, "initial": [-1]}, "initial is -1"),
    ({}, {"k": 2, "method": "best"}, 'method is "best"'),
    ({}, {"k": 2, "method": "stochastic", "epsilon": 0}, "epsilon is 0"),
    ({}, {"k": 2, "partitions": 0}, "partitions is 0"),
    ({}, {"k": 2, "partitions": 7}, "partitions is 7"),
    ({}, {"k": 2, "min_gain": math.nan}, "min_gain is NaN"),
    ({}, {"k": -1}, "k is -1"),
    ({"data": []}, {"k": 0}, "no matrix|no rows|dimensions"),
    ({"data": np.empty((0, 3))}, {"k": 0}, "no rows"),
    ({"data": np.empty((3, 0))}, {"k": 0}, "no columns"),
    ({"data": sp.csr_matrix((0, 3))}, {"k": 0}, "no rows"),
    ({"data": np.array([[1.0, math.nan]])}, {"k": 1}, "data is NaN in row 0, column 1"),
    ({"data": np.array([[1.0, math.inf]])}, {"k": 1}, "data is inf in row 0, column 1"),
    ({"data": sp.csr_matrix([[1.0, math.nan]])}, {"k": 1}, "data is NaN in row 0, column 1"),
    ({"data": [[1.0], [1.0, 2.0]]}, {"k": 1}, "no matrix"),
    ({"data": pa.array([[1.0], [1.0, 2.0]])}, {"k": 1}, "rows of 1 and of 2"),
    ({"data": pa.array([[1.0], None])}, {"k": 1}, "1 null rows"),
    ({"data": pa.array([[1.0, None]])}, {"k": 1}, "null among its numbers"),
]


@pytest.mark.parametrize(("given_data", "options", "message"), REFUSED)
def test_what_cannot_be_meant_is_refused(given_data: Any, options: Any, message: str) -> None:
    data = given_data.get("data", TEXT)
    for name, function in FUNCTIONS.items():
        with pytest.raises(bow.BowstringError, match=message):
            function(data, **options)
        assert name


def test_more_that_is_refused() -> None:
    with pytest.raises(bow.InvalidInput, match="negative in row 0, column 0"):
        bow.select.feature_based([[-1.0]], 1)
    with pytest.raises(bow.InvalidInput, match="concave is"):
        bow.select.feature_based(TEXT, 1, concave="cube")
    with pytest.raises(bow.InvalidInput, match="saturation is"):
        bow.select.feature_based(TEXT, 1, concave="saturate", saturation=0)
    with pytest.raises(bow.InvalidInput, match="penalty is"):
        bow.select.graph_cut(TEXT, 1, penalty=-1)
    with pytest.raises(bow.InvalidInput, match="similarity is"):
        bow.select.graph_cut(TEXT, 1, similarity="jaccard")
    with pytest.raises(bow.InvalidInput, match="negative in row 0"):
        bow.select.graph_cut(sp.csr_matrix([[-1.0]]), 1, similarity="precomputed")
    with pytest.raises(bow.InvalidInput, match="weights has 1"):
        bow.select.facility_location(TEXT, 1, weights=[1.0])
    with pytest.raises(bow.InvalidInput, match="weights is -1"):
        bow.select.facility_location(TEXT, 1, weights=[-1.0] * 6)
    with pytest.raises(bow.InvalidInput, match="neighbours"):
        bow.select.facility_location(np.eye(2), 1, similarity="precomputed", neighbours=1)
    with pytest.raises(bow.InvalidInput, match="neighbours is 0"):
        bow.select.facility_location(TEXT, 1, neighbours=0)
    with pytest.raises(bow.UnsupportedType, match="column of bool"):
        bow.select.facility_location(pa.array([True]), 1)
    with pytest.raises(bow.UnsupportedType, match="complex"):
        bow.select.facility_location(np.eye(2) * 1j, 1)
    with pytest.raises(bow.InvalidInput, match="scale it down"):
        bow.select.feature_based(np.full((3, 3), 1e308), 3, concave="saturate", saturation=1.7e308)
    with pytest.raises(bow.InvalidInput, match="merge is False"):
        bow.select.max_coverage(TEXT, costs=[1] * 6, budget=3, partitions=2, merge=False)


def test_progress_is_told() -> None:
    told: list[tuple[str, int, int | None]] = []
    bow.select.feature_based(drawn(100, 20), 30, progress=lambda *one: told.append(one))
    assert told[0] == ("reading", 0, None)
    assert told[-1] == ("querying", 30, 30)


def test_samples_by_gain() -> None:
    chosen = bow.select.feature_based(drawn(100, 20), 50)
    drawn_rows = bow.select.sample(chosen, 20, seed=3)
    assert drawn_rows.equals(bow.select.sample(chosen, 20, seed=3, threads=3))
    assert len(set(drawn_rows.to_pylist())) == 20
    assert set(drawn_rows.to_pylist()) <= set(chosen["row"].to_pylist())
    assert not drawn_rows.equals(bow.select.sample(chosen, 20, seed=4))
    # The first of two: with 1 + 3 + 4.5 of 9.5 it is the one with gain 3.
    first = [bow.select.sample([0.0, 3.0], 1, seed=seed)[0].as_py() for seed in range(4000)]
    assert abs(np.mean(first) - 8.5 / 9.5) < 5 * math.sqrt(8.5 / 9.5 * 1 / 9.5 / 4000)
    assert bow.select.sample(pl.DataFrame({"row": [5], "gain": [1.0]}), 1).to_pylist() == [5]
    with pytest.raises(bow.InvalidInput, match="k is 3"):
        bow.select.sample([1.0], 3)
    with pytest.raises(bow.InvalidInput, match="gains is NaN"):
        bow.select.sample([math.nan], 1)
    with pytest.raises(bow.InvalidInput, match="no column 'gain'"):
        bow.select.sample({"row": [1]}, 1)


@settings(max_examples=20, deadline=None)
@given(rows=matrices, k=st.integers(1, 4), seed=st.integers(0, 9))
def test_medoids(rows: np.ndarray, k: int, seed: int) -> None:
    k = min(k, len(rows))
    others = np.random.default_rng(seed).integers(0, 4, (5, rows.shape[1])) / 4
    for distance, costs in {
        "euclidean": np.linalg.norm(rows[:, None] - others[None], axis=2),
        "sqeuclidean": ((rows[:, None] - others[None]) ** 2).sum(axis=2),
    }.items():
        found = bow.select.k_medoids(rows, k, others, distance=distance)
        chosen = found["row"].to_pylist()
        cost = float(found.schema.metadata[b"cost"])
        assert math.isclose(cost, costs[chosen].min(axis=0).sum(), abs_tol=1e-6)
        for out, row in itertools.product(range(k), range(len(rows))):
            other = [*chosen[:out], row, *chosen[out + 1 :]]
            assert cost <= costs[other].min(axis=0).sum() + 1e-6
        given_costs = bow.select.k_medoids(costs, k, distance="precomputed")
        assert math.isclose(float(given_costs.schema.metadata[b"cost"]), cost, abs_tol=1e-6)
        sparse = bow.select.k_medoids(
            sp.csr_matrix(rows), k, sp.csr_matrix(others), distance=distance
        )
        assert math.isclose(float(sparse.schema.metadata[b"cost"]), cost, abs_tol=1e-6)
        greedy_only = bow.select.k_medoids(rows, k, others, distance=distance, exchanges=0)
        assert float(greedy_only.schema.metadata[b"cost"]) >= cost - 1e-9
    first = bow.select.k_medoids(rows, 1, others, distance="sqeuclidean", exchanges=0)
    sums = costs.sum(axis=1)
    assert math.isclose(sums[first["row"][0].as_py()], sums.min())


def test_medoids_of_text_share_their_words() -> None:
    found = bow.select.k_medoids(TEXT, 1, ["blue sea", "blue"], distance="cosine")
    assert found["row"].to_pylist() == [3]
    assert bow.select.k_medoids(pl.Series(TEXT), 2, distance="cosine").columns == [
        "row",
        "gain",
        "rank",
    ]
    with pytest.raises(bow.InvalidInput, match="k is 7"):
        bow.select.k_medoids(TEXT, 7)
    with pytest.raises(bow.InvalidInput, match="2 columns and validation has 3"):
        bow.select.k_medoids(np.eye(2), 1, np.eye(3))
    with pytest.raises(bow.InvalidInput, match="negative distance"):
        bow.select.k_medoids(-np.eye(2), 1, distance="precomputed")
    with pytest.raises(bow.InvalidInput, match="distance is"):
        bow.select.k_medoids(TEXT, 1, distance="far")
