"""Streams of rows: every subset as the oracle, batches do not matter."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

import bowstring as bow


def value(function: str, rows: np.ndarray, chosen: list[int], reference: np.ndarray) -> float:
    if not chosen:
        return 0.0
    if function == "feature_based":
        return float(np.sqrt(rows[chosen].sum(axis=0)).sum())
    if function == "max_coverage":
        return float((rows[chosen] != 0).any(axis=0).sum())
    apart = np.linalg.norm(rows[chosen][:, None] - reference[None], axis=2)
    return float((1 / (1 + apart)).max(axis=0).sum())


def options(function: str, reference: np.ndarray) -> dict[str, Any]:
    if function != "facility_location":
        return {}
    return {"reference": reference, "similarity": "euclidean"}


FUNCTIONS = ("feature_based", "max_coverage", "facility_location")


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 1000),
    shape=st.tuples(st.integers(1, 9), st.integers(1, 5)),
    k=st.integers(1, 4),
    epsilon=st.floats(0.05, 0.5),
)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_half_of_the_best_in_any_batches(
    function: Any, seed: int, shape: tuple[int, int], k: int, epsilon: float
) -> None:
    random = np.random.default_rng(seed)
    rows = random.integers(0, 4, shape) * random.integers(0, 2, shape) / 4
    reference = random.random((4, shape[1]))
    tables = []
    for size in (1, 3, 9):
        for kind in (np.asarray, sp.csr_matrix):
            sieve = bow.select.Sieve(function, k, epsilon=epsilon, **options(function, reference))
            for start in range(0, len(rows), size):
                sieve.add(kind(rows[start : start + size]))
            assert sieve.seen == len(rows)
            tables.append(sieve.table())
    for table in tables[1:]:
        assert table["row"].equals(tables[0]["row"])
        assert np.allclose(table["gain"], tables[0]["gain"], atol=1e-6)
    chosen = tables[0]["row"].to_pylist()
    assert len(chosen) <= k
    own = sum(tables[0]["gain"].to_pylist())
    assert math.isclose(own, value(function, rows, chosen, reference), abs_tol=1e-6)
    subsets = itertools.combinations(range(len(rows)), min(k, len(rows)))
    best = max(value(function, rows, list(one), reference) for one in subsets)
    assert own >= (0.5 - epsilon) * best - 1e-9


def test_a_long_stream_comes_near_to_greedy() -> None:
    rows = sp.random(3000, 200, 0.05, "csr", random_state=3)
    best = sum(bow.select.feature_based(rows, 30)["gain"].to_pylist())
    sieve = bow.select.Sieve("feature_based", 30)
    for start in range(0, 3000, 500):
        sieve.add(rows[start : start + 500])
    table = sieve.table()
    assert sum(table["gain"].to_pylist()) >= 0.6 * best
    assert table["row"].to_pylist() == sorted(table["row"].to_pylist())
    dense = np.sqrt(np.asarray(rows[table["row"].to_pylist()].sum(axis=0))).sum()
    assert math.isclose(sum(table["gain"].to_pylist()), dense)


def test_weights_and_nothing() -> None:
    sieve = bow.select.Sieve("max_coverage", 1, weights=[1.0, 5.0])
    assert sieve.table().num_rows == 0 and sieve.seen == 0
    sieve.add(np.array([[0.0, 0.0]]))
    assert sieve.table().num_rows == 0
    sieve.add(np.array([[1.0, 0.0], [0.0, 1.0]]))
    assert sieve.table()["gain"].to_pylist() == [5.0]


def test_what_cannot_be_meant_is_refused() -> None:
    for call, message in (
        (lambda: bow.select.Sieve("graph_cut", 1), "function is 'graph_cut'"),  # type: ignore
        (lambda: bow.select.Sieve("max_coverage", 0), "k is 0"),
        (lambda: bow.select.Sieve("max_coverage", 1, epsilon=0), "epsilon is 0"),
        (lambda: bow.select.Sieve("facility_location", 1), "reference"),
        (lambda: bow.select.Sieve("max_coverage", 1, reference=np.eye(2)), "reference"),
        (lambda: bow.select.Sieve("max_coverage", 1, weights=[-1.0]), "weights is -1"),
        (lambda: bow.select.Sieve("max_coverage", 1).add(["a b"]), "HashedCounter"),
        (lambda: bow.select.Sieve("max_coverage", 1).add([[math.nan]]), "NaN in row 0"),
        (lambda: bow.select.Sieve("feature_based", 1).add([[-1.0]]), "negative in row 0"),
    ):
        with pytest.raises(bow.InvalidInput, match=message):
            call()
    sieve = bow.select.Sieve("max_coverage", 1)
    sieve.add(np.eye(2))
    with pytest.raises(bow.InvalidInput, match="3 columns, and what came before has 2"):
        sieve.add(np.eye(3))
