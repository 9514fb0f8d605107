"""Subsets of rows and optimal transport against the libraries that people use for them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

import bowstring as bow

# Numbers that hardly tie, so that who comes first is nobody's choice.
RANDOM = np.random.default_rng(17)
ROWS = sp.random(400, 60, 0.1, "csr", random_state=17)
DENSE = ROWS.toarray()
NORMS = np.maximum(np.linalg.norm(DENSE, axis=1, keepdims=True), 1e-300)
COSINES = (DENSE / NORMS) @ (DENSE / NORMS).T


@pytest.mark.parametrize("concave", ["sqrt", "log"])
def test_feature_based_of_apricot(concave: Any) -> None:
    apricot = pytest.importorskip("apricot", reason="apricot-select is not there")
    peer = apricot.FeatureBasedSelection(40, concave_func=concave, optimizer="naive").fit(DENSE)
    found = bow.select.feature_based(ROWS, 40, concave=concave)
    assert found["row"].to_pylist() == [int(row) for row in peer.ranking]
    assert np.allclose(found["gain"], peer.gains)


def test_facility_location_of_apricot() -> None:
    apricot = pytest.importorskip("apricot", reason="apricot-select is not there")
    peer = apricot.FacilityLocationSelection(40, metric="precomputed", optimizer="naive")
    peer.fit(COSINES)
    expected = [int(row) for row in peer.ranking]
    for data, similarity in ((COSINES, "precomputed"), (ROWS, "cosine"), (DENSE, "cosine")):
        found = bow.select.facility_location(data, 40, similarity=similarity)
        assert found["row"].to_pylist() == expected
        assert np.allclose(found["gain"], peer.gains)


def test_max_coverage_of_apricot() -> None:
    apricot = pytest.importorskip("apricot", reason="apricot-select is not there")
    there = (DENSE > 0).astype(float)
    peer = apricot.MaxCoverageSelection(15, optimizer="naive").fit(there)
    found = bow.select.max_coverage(ROWS, 15)
    assert np.allclose(found["gain"], peer.gains)


def test_functions_of_submodlib() -> None:
    submodlib = pytest.importorskip("submodlib", reason="submodlib-py is not there")
    options: Any = {"mode": "dense", "sijs": COSINES.astype(np.float32), "separate_rep": False}
    location = submodlib.FacilityLocationFunction(n=400, **options)
    peer = location.maximize(budget=30, optimizer="LazyGreedy", show_progress=False)
    found = bow.select.facility_location(ROWS, 30)
    # Of 32 bits, later rows come in another order.
    assert found["row"].to_pylist()[:20] == [row for row, _ in peer][:20]
    assert np.allclose(found["gain"], [gain for _, gain in peer], rtol=1e-4)
    options.pop("separate_rep")
    cut = submodlib.GraphCutFunction(n=400, ggsijs=options.pop("sijs"), lambdaVal=0.4, **options)
    peer = cut.maximize(budget=30, optimizer="NaiveGreedy", show_progress=False)
    found = bow.select.graph_cut(ROWS, 30, penalty=0.4)
    assert np.allclose(found["gain"], [gain for _, gain in peer], rtol=1e-3)


def test_transport_of_pot() -> None:
    ot = pytest.importorskip("ot", reason="POT is not there")
    candidates, validation = RANDOM.normal(size=(60, 3)), RANDOM.normal(1.0, size=(15, 3))
    costs = np.linalg.norm(candidates[:, None] - validation[None], axis=2)

    def exact(rows: list[int]) -> float:
        return float(ot.emd2([], [], np.ascontiguousarray(costs[rows])))

    near = bow.select.k_medoids(candidates, 6, validation)
    before = exact(near["row"].to_pylist())
    found = bow.select.transport(near, candidates, validation, width=60)
    told = {name.decode(): float(value) for name, value in found.schema.metadata.items()}
    chosen = found["row"].to_pylist()
    assert math.isclose(told["cost_before"], before)
    assert math.isclose(told["cost"], exact(chosen), rel_tol=1e-9)
    assert told["cost"] < before and len(set(chosen)) == 6 and told["exchanges"] >= 1
    # No exchange of one row for any other is better.
    for out in range(6):
        for row in set(range(60)) - set(chosen):
            assert exact([*chosen[:out], row, *chosen[out + 1 :]]) >= told["cost"] - 1e-9
    same = bow.select.transport(
        near["row"].to_pylist(), costs, distance="precomputed", width=60, exchanges=0
    )
    assert sorted(near["row"].to_pylist()) == same["row"].to_pylist()
    for selected, message in (([], "0 rows"), ([1, 1], "2 rows"), ([60], "1 rows")):
        with pytest.raises(bow.InvalidInput, match=message):
            bow.select.transport(selected, candidates, validation)


def test_transport_without_pot(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "ot", None)
    with pytest.raises(bow.MissingPackage, match=r"bowstring\[transport\]"):
        bow.select.transport([0], np.eye(2), np.eye(2))
