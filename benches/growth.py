"""How the cost of building and of asking grows with the text, and what a memory budget costs.

Growth is stated as the exponent e of cost = a * size^e, fitted to all sizes by least squares of
the logarithms: 1 is linear, 0 is no growth.
"""

from __future__ import annotations

import argparse
from typing import Any

import compare_libsais
import corpora
import measure

BENCH = "growth"
LENGTH = 20
SINGLE = 2_000
# In MB, of a million bytes each.
BUDGETS = {"4GB": 4_000, "2GB": 2_000}
# Costs and their units. Growth is fitted to all but memory, most of which is the interpreter's in
# the small builds.
COSTS = {
    "build: CPU": "s",
    "build: wall": "s",
    "build: peak memory": "MB",
    "count, one call: median": "us",
    "count, column on 1 thread(s)": "us a query",
    "count, column on all thread(s)": "us a query",
}


def ask(corpus: str, index: str, number: int, runs: int) -> dict[str, list[float]]:
    """Microseconds of a query, alone and in a column."""
    import numpy as np

    import bowstring as bow

    text = np.memmap(corpora.raw(corpus), np.uint8, "r")
    patterns = measure.sample_patterns(text, number, LENGTH)
    column = measure.as_column(patterns)
    mapped = bow.open(index)
    # Fresh ones each time, so that none is in the caches because it was asked before.
    alone = measure.as_column(measure.sample_patterns(text, SINGLE * (runs + 1), LENGTH, seed=2))
    begins = iter(range(0, len(alone), SINGLE))

    def single() -> float:
        fresh = alone.slice(next(begins), SINGLE).to_pylist()
        return float(np.median(measure.latencies(mapped.count, fresh))) / 1e3

    def batch(threads: int | None) -> float:
        with measure.timed() as cost:
            mapped.count(column, threads=threads)
        return cost.wall * 1e6 / number

    some = column.slice(0, SINGLE)
    counts = mapped.count(some).to_pylist()
    same = min(counts) > 0 and counts == [mapped.count(one) for one in some.to_pylist()]
    measure.check(same, "the counts of queries alone and in a column")
    return measure.in_turn(
        {
            "count, one call: median": single,
            "count, column on 1 thread(s)": lambda: batch(1),
            "count, column on all thread(s)": lambda: batch(None),
        },
        runs,
    )


def cost(corpus: str, memory: str | None, number: int, runs: int) -> dict[str, list[float]]:
    """Every cost of one corpus, each of several runs."""
    with measure.scratch() as folder:
        path = str(folder / "index.bow")

        def build() -> dict[str, Any]:
            arguments = {"corpus": corpus, "path": path, "memory": memory}
            built: dict[str, Any] = measure.in_child(compare_libsais.build_on_disk, **arguments)
            return built

        builds = measure.in_turn({"build": build}, runs)["build"]
        asked = measure.in_child(
            ask, corpus=corpus, index=path, number=number, runs=max(runs, measure.RUNS)
        )
        segments = len(list(folder.glob("index.bow/*.seg")))
    return {
        "build: CPU": [build["cpu"] for build in builds],
        "build: wall": [build["wall"] for build in builds],
        "build: peak memory": [build["peak"] / 1e6 for build in builds],
        "segments": [segments],
        **asked,
    }


def grow(names: list[str], number: int, runs: int) -> None:
    """Costs at each size, and the growth fitted to them."""
    import numpy as np

    costs = {}
    for name in names:
        costs[name] = cost(name, None, number, runs)
        for figure, unit in COSTS.items():
            measure.report(
                *(BENCH, name, figure),
                unit=unit,
                ours=costs[name][figure],
                text_bytes=corpora.text_bytes(name),
                segments=costs[name]["segments"][0],
                runs=len(costs[name][figure]),
            )
    if len(names) < 2:
        return
    sizes = np.log([corpora.text_bytes(name) for name in names])
    for figure in COSTS:
        if "memory" in figure:
            continue
        taken = np.log([measure.median(costs[name][figure]) for name in names])
        exponent = float(np.polyfit(sizes, taken, 1)[0])
        measure.report(
            *(BENCH, "+".join(names), f"{figure}: growth"),
            unit="exponent",
            ours=exponent,
            runs=runs,
        )


def budget(name: str, memory: str, number: int, runs: int) -> None:
    """A build within a budget, and what asking its segments takes."""
    costs = cost(name, memory, number, runs)
    measure.report(
        *(BENCH, name, f"build inside {memory}: peak memory, of the budget"),
        unit="times",
        ours=max(costs["build: peak memory"]) / BUDGETS[memory],
        at_most=1.1,
        runs=runs,
    )
    for figure, unit in COSTS.items():
        measure.report(
            *(BENCH, name, f"{figure}, inside {memory}"),
            unit=unit,
            ours=costs[figure],
            segments=costs["segments"][0],
            runs=len(costs[figure]),
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpora", nargs="*", default=[*corpora.LINUX], metavar="CORPUS")
    parser.add_argument("--runs", type=int, default=3, help="builds of each, one more as warm-up")
    parser.add_argument("--queries", type=int, default=1_000_000, help="queries of the column")
    parser.add_argument(
        "--budgets", nargs="*", choices=[*BUDGETS], default=[*BUDGETS], help="for the last corpus"
    )
    parser.add_argument("--no-growth", action="store_true", help="only the budgets")
    arguments = parser.parse_args()
    measure.require_release()
    if not arguments.no_growth:
        grow(arguments.corpora, arguments.queries, arguments.runs)
    for memory in arguments.budgets:
        budget(arguments.corpora[-1], memory, arguments.queries, 1)


if __name__ == "__main__":
    main()
