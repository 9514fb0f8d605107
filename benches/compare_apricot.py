"""Subsets of rows against apricot-select, and graphs of neighbours against SciPy.

1,000 of 20,000 TF-IDF rows. The sum of what was selected is computed here for both, from the
definition, and ours checked to be no lower before anything is timed; of `feature_based` the rows
are the same.
"""

from __future__ import annotations

import argparse
import functools
import importlib.util
from typing import Any

import corpora
import measure

BENCH = "apricot"
ROWS, CHOSEN, NEIGHBOURS = 20_000, 1000, 100


def matrix(corpus: str) -> Any:
    import bowstring as bow

    return bow.counts.TfIdf().fit_transform(corpora.column(corpus)[:ROWS])


def exact_location(corpus: str) -> dict[str, float]:
    """Peak memory of exact facility location over what the process held before."""
    import bowstring as bow

    rows = matrix(corpus)
    measure.forget_peak()
    before = measure.memory()
    with measure.timed() as cost:
        chosen = bow.select.facility_location(rows, CHOSEN, threads=1)
    return {
        "cpu": cost.cpu,
        "bytes": measure.peak_memory() - before,
        "value": sum(chosen["gain"].to_pylist()),
    }


def neighbours_of_scipy(corpus: str) -> dict[str, float]:
    """What the graph takes by the product of all rows."""
    import numpy as np

    rows = matrix(corpus)
    measure.forget_peak()
    before = measure.memory()
    with measure.timed() as cost:
        product = (rows @ rows.T).tocsr()
        graph = []
        for row in range(rows.shape[0]):
            span = slice(product.indptr[row], product.indptr[row + 1])
            values = product.data[span]
            if len(values) > NEIGHBOURS:
                values = values[np.argpartition(values, -NEIGHBOURS)[-NEIGHBOURS:]]
            graph.append(values.sum())
    return {"cpu": cost.cpu, "bytes": measure.peak_memory() - before, "value": float(sum(graph))}


def neighbours_of_ours(corpus: str) -> dict[str, float]:
    """What the graph takes by ours."""
    import bowstring as bow

    rows = matrix(corpus)
    measure.forget_peak()
    before = measure.memory()
    with measure.timed() as cost:
        graph = bow.select.neighbours(rows, NEIGHBOURS, threads=1)
    return {
        "cpu": cost.cpu,
        "bytes": measure.peak_memory() - before,
        "value": float(graph.sum()),
    }


def cpu(call: Any) -> float:
    with measure.timed() as cost:
        call()
    return cost.cpu


def compare(corpus: str, runs: int) -> None:
    import numpy as np
    from apricot import FacilityLocationSelection, FeatureBasedSelection

    import bowstring as bow

    rows = matrix(corpus)
    graph = bow.select.neighbours(rows, NEIGHBOURS, symmetric=True)

    def of_features(chosen: Any) -> float:
        return float(np.sqrt(np.asarray(rows[chosen].sum(axis=0))).sum())

    def of_graph(chosen: Any) -> float:
        return float(graph[chosen].max(axis=0).sum())

    def features() -> Any:
        return bow.select.feature_based(rows, CHOSEN, threads=1)

    def located() -> Any:
        return bow.select.facility_location(graph, CHOSEN, similarity="precomputed", threads=1)

    def peer_features() -> Any:
        return (
            FeatureBasedSelection(CHOSEN, concave_func="sqrt", optimizer="lazy").fit(rows).ranking
        )

    def peer_located() -> Any:
        chosen = FacilityLocationSelection(CHOSEN, metric="precomputed", optimizer="lazy")
        return chosen.fit(graph).ranking

    for name, ours, peer, value, goal in (
        ("feature-based", features, peer_features, of_features, 100),
        ("facility location of a graph", located, peer_located, of_graph, 30),
    ):
        mine, theirs = ours(), [int(row) for row in peer()]
        values = value(mine["row"].to_pylist()), value(theirs)
        # Rows that tie by rounding may come in another order, and end a millionth apart.
        measure.check(values[0] >= values[1] * (1 - 1e-9), f"{name}: {values}, which")
        costs = measure.in_turn(
            {"ours": functools.partial(cpu, ours), "peer": functools.partial(cpu, peer)}, runs
        )
        measure.report(
            *(BENCH, corpus, f"{name}, {CHOSEN} of {ROWS} rows: CPU"),
            unit="s",
            ours=costs["ours"],
            peer=costs["peer"],
            ratio="peer/ours",
            at_least=goal,
            value=values[0],
            peer_value=values[1],
            same_rows=mine["row"].to_pylist() == theirs,
        )
    exact = measure.in_child(exact_location, corpus=corpus)
    measure.report(
        *(BENCH, corpus, "facility location of all pairs: peak memory beyond the rows"),
        unit="MB",
        ours=exact["bytes"] / 1e6,
        at_most=100,
        cpu=exact["cpu"],
        value=exact["value"],
    )
    ours = measure.in_child(neighbours_of_ours, corpus=corpus)
    theirs = measure.in_child(neighbours_of_scipy, corpus=corpus)
    measure.check(abs(ours["value"] / theirs["value"] - 1) < 1e-9, "graphs of neighbours")
    measure.report(
        *(BENCH, corpus, f"{NEIGHBOURS} neighbours of each row, against SciPy's product: CPU"),
        unit="s",
        ours=ours["cpu"],
        peer=theirs["cpu"],
        ratio="peer/ours",
        at_least=2,
        megabytes=round(ours["bytes"] / 1e6),
        peer_megabytes=round(theirs["bytes"] / 1e6),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", nargs="?", default="gcide")
    parser.add_argument("--runs", type=int, default=measure.RUNS)
    arguments = parser.parse_args()
    if importlib.util.find_spec("apricot") is None:
        measure.skip(BENCH, "apricot-select is not installed: pip install '.[peers]'")
        return
    measure.require_release()
    compare(arguments.corpus, arguments.runs)


if __name__ == "__main__":
    main()
