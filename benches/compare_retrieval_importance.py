"""Importance of retrieved rows against schelterlabs' retrieval_importance.

Not on a registry: build it from its repository with maturin. The weights are checked to be equal
before anything is timed; of each, what it takes to make its own form of the retrievals is left out.
"""

from __future__ import annotations

import argparse
import importlib.util
from typing import Any

import measure

BENCH = "retrieval_importance"
K, STEPS, RATE = 10, 20, 100.0


def drawn(queries: int, length: int, levels: int) -> tuple[list[list[int]], list[list[float]]]:
    import numpy as np

    random = np.random.default_rng(5)
    sources = [random.permutation(2 * length)[:length].tolist() for _ in range(queries)]
    utilities = random.integers(0, levels, (queries, length)) / (levels - 1)
    return sources, utilities.round(6).tolist()


def compare(queries: int, length: int, levels: int, runs: int, goal: float) -> None:
    import numpy as np
    import pyarrow as pa
    from retrieval_importance import learn_importance

    import bowstring as bow

    sources, utilities = drawn(queries, length, levels)
    given: Any = [
        {"retrieved": source, "utility_contributions": utility}
        for source, utility in zip(sources, utilities, strict=True)
    ]
    table = pa.table({"source": pa.array(sources), "utility": pa.array(utilities)})

    def ours() -> Any:
        return bow.select.importance(table, k=K, steps=STEPS, learning_rate=RATE, threads=1)

    def peer() -> Any:
        return learn_importance(given, K, RATE, STEPS, 1, None)

    mine = ours().table.sort_by("source")["importance"].to_numpy()
    measure.check(np.allclose(mine, peer(), atol=1e-9), "weights")
    found = measure.in_turn({"ours": lambda: cpu(ours), "peer": lambda: cpu(peer)}, runs)
    measure.report(
        *(BENCH, "drawn", f"{queries} queries of {length}, {levels} utilities: CPU"),
        unit="s",
        ours=found["ours"],
        peer=found["peer"],
        ratio="peer/ours",
        at_least=goal,
    )


def cpu(call: Any) -> float:
    with measure.timed() as cost:
        call()
    return cost.cpu


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=measure.RUNS)
    arguments = parser.parse_args()
    if importlib.util.find_spec("retrieval_importance") is None:
        measure.skip(BENCH, "retrieval_importance is not installed: build it from its repository")
        return
    measure.require_release()
    for levels, goal in ((2, 3), (21, 10)):
        compare(500, 100, levels, arguments.runs, goal)


if __name__ == "__main__":
    main()
