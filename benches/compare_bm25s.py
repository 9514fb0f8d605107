"""Building and asking a BM25 ranking against bm25s, its compiled backend where numba is there.

Queries are 3 to 6 random words of a random row. Scores are checked to be equal before anything is
timed; the compiled backend is asked once before, so that its compiling does not count.
"""

from __future__ import annotations

import argparse
import importlib.util
import random
import re
from typing import Any

import corpora
import measure

BENCH = "bm25s"
PATTERN = r"(?u)\b\w\w+\b"
K = 10


def draw(rows: list[str], number: int, seed: int = 42) -> list[str]:
    chance = random.Random(seed)
    queries: list[str] = []
    while len(queries) < number:
        tokens = re.findall(PATTERN, chance.choice(rows).lower())
        if len(tokens) >= 6:
            queries.append(" ".join(chance.sample(tokens, chance.randint(3, 6))))
    return queries


def compare(corpus: str, number: int, runs: int, peer_runs: int) -> None:
    import bm25s
    import numpy as np

    import bowstring as bow

    column = corpora.column(corpus)
    rows = column.to_pylist()
    queries = draw(rows, number)
    compiled = importlib.util.find_spec("numba") is not None

    def build_ours() -> Any:
        return bow.rank.BM25(column, threads=1)

    def build_peer() -> Any:
        tokens = bm25s.tokenize(rows, token_pattern=PATTERN, stopwords=None, show_progress=False)
        ranking = bm25s.BM25(backend="numba" if compiled else "numpy")
        ranking.index(tokens, show_progress=False)
        return ranking

    ours, costs = build_ours(), []
    for _ in range(peer_runs):
        with measure.timed() as cost:
            peer = build_peer()
        costs.append(cost.cpu)

    def search_peer() -> Any:
        tokens = bm25s.tokenize(
            queries, token_pattern=PATTERN, stopwords=None, show_progress=False, return_ids=False
        )
        return peer.retrieve(tokens, k=K, show_progress=False, n_threads=1 if compiled else 0)

    expected = np.asarray(search_peer().scores, float)
    found = ours.search(queries, K, threads=1)
    mine = np.zeros_like(expected)
    mine[found["query"].to_numpy(), found["rank"].to_numpy() - 1] = found["score"].to_numpy()
    measure.check(np.allclose(mine, expected, rtol=1e-4, atol=1e-4), "the best scores")

    def timed(work: Any) -> Any:
        def once() -> float:
            with measure.timed() as cost:
                work()
            return cost.cpu

        return once

    builds = measure.in_turn({"ours": timed(build_ours)}, runs)["ours"]
    measure.report(
        *(BENCH, corpus, "build: CPU"),
        unit="s",
        ours=builds,
        peer=costs,
        ratio="peer/ours",
        at_least=10,
    )
    asked = measure.in_turn(
        {
            "ours": timed(lambda: ours.search(queries, K, threads=1)),
            "peer": timed(search_peer),
        },
        runs,
    )
    measure.report(
        *(BENCH, corpus, f"{number:,} queries, k = {K}, {'numba' if compiled else 'numpy'}: CPU"),
        unit="s",
        ours=asked["ours"],
        peer=asked["peer"],
        ratio="peer/ours",
        at_least=3,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", nargs="?", default="gcide")
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=measure.RUNS)
    parser.add_argument("--peer-runs", type=int, default=1)
    arguments = parser.parse_args()
    if importlib.util.find_spec("bm25s") is None:
        measure.skip(BENCH, "bm25s is not installed: pip install '.[peers]'")
        return
    measure.require_release()
    compare(arguments.corpus, arguments.queries, arguments.runs, arguments.peer_runs)


if __name__ == "__main__":
    main()
