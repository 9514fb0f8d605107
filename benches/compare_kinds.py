"""The kinds of index against each other: what each takes on disk, to build, and to ask.

`fm` replaces the text, and is smaller than it; `suffix` is there for the time of an answer.
"""

from __future__ import annotations

import argparse
from typing import Any

import corpora
import measure

BENCH = "kinds"
LENGTH = 20
SINGLE = 1_000
SPAN = 1_000
MADE: dict[str, dict[str, str]] = {
    "suffix": {},
    "fm, fast": {"kind": "fm", "profile": "fast"},
    "fm, compact": {"kind": "fm", "profile": "compact"},
}
LARGEST = {"fm, fast": 0.60, "fm, compact": 0.33}
LARGEST_ENGLISH = {"fm, fast": 0.60, "fm, compact": 0.36}


def build(corpus: str, path: str, made: dict[str, str]) -> dict[str, float]:
    """Index a Parquet file into a directory."""
    import bowstring as bow

    before = measure.memory()
    with measure.timed() as cost:
        bow.index(corpora.parquet(corpus), "text", path=path, overwrite=True, **made)
    return vars(cost) | {"peak": measure.peak_memory() - before}


def ask(corpus: str, path: str, suffix: str, number: int, runs: int) -> dict[str, list[float]]:
    """Microseconds of each question, after the answers of the `suffix` index have been given."""
    import numpy as np

    import bowstring as bow

    text = np.memmap(corpora.raw(corpus), np.uint8, "r")
    asked, other = bow.open(path), bow.open(suffix)
    column = measure.as_column(measure.sample_patterns(text, number, LENGTH))
    some = column.slice(0, SINGLE)
    # Rows with room for the span, of characters that it cannot cut.
    random = np.random.default_rng(3)
    rows_read = asked.text(range(min(2_000, len(asked)))).to_pylist()
    lengths = np.array([len(row) if row.isascii() else 0 for row in rows_read])
    long = np.flatnonzero(lengths > SPAN)
    rows = random.choice(long, SINGLE)
    starts = [int(random.integers(0, lengths[row] - SPAN)) for row in rows]
    spans = [(int(row), start) for row, start in zip(rows, starts, strict=True)]

    def read(index: bow.Index, span: tuple[int, int]) -> Any:
        row, start = span
        return index.text([row], [start], [start + SPAN])

    rare = [one for one in some.to_pylist() if other.count(one) == 1][:SINGLE]
    measure.check(asked.count(some).equals(other.count(some)), "the counts")
    measure.check(asked.locate(rare).equals(other.locate(rare)), "the places")
    ends = other.text(range(50)).equals(asked.text(range(50)))
    measure.check(ends, "the rows")

    def column_cost(threads: int | None) -> float:
        with measure.timed() as cost:
            asked.count(column, threads=threads)
        return cost.wall * 1e6 / number

    def median(call: Any, queries: Any) -> float:
        return float(np.median(measure.latencies(call, queries))) / 1e3

    return measure.in_turn(
        {
            "count, one call": lambda: median(asked.count, some.to_pylist()),
            "count, a column on 1 thread, a query": lambda: column_cost(1),
            "count, a column on all threads, a query": lambda: column_cost(None),
            "locate what occurs once, one call": lambda: median(asked.locate, rare),
            f"text of {SPAN:,} bytes, one call": lambda: median(
                lambda one: read(asked, one), spans
            ),
        },
        runs,
    )


def compare(corpus: str, number: int, runs: int) -> None:
    size = corpora.text_bytes(corpus)
    with measure.scratch() as folder:
        paths = {name: str(folder / name.replace(", ", "-")) for name in MADE}
        costs = measure.in_turn(
            {
                name: lambda name=name: measure.in_child(
                    build, corpus=corpus, path=paths[name], made=MADE[name]
                )
                for name in MADE
            },
            runs,
        )
        asked = {
            name: measure.in_child(
                ask, corpus=corpus, path=path, suffix=paths["suffix"], number=number, runs=runs
            )
            for name, path in paths.items()
        }
        largest = LARGEST_ENGLISH if corpus == "gcide" else LARGEST
        for name, path in paths.items():
            disk = measure.directory_bytes(folder / path) / size
            measure.report(
                *(BENCH, corpus, f"{name}: index on disk"),
                unit="bytes a byte of text",
                ours=disk,
                at_most=largest.get(name),
            )
    for name in MADE:
        for figure, field, unit, scale in (
            ("build: CPU", "cpu", "s", 1),
            ("build: peak memory above that before", "peak", "bytes a byte of text", size),
        ):
            measure.report(
                *(BENCH, corpus, f"{name}: {figure}"),
                unit=unit,
                ours=[run[field] / scale for run in costs[name]],
                runs=runs,
            )
        for figure, ours in asked[name].items():
            measure.report(
                *(BENCH, corpus, f"{name}: {figure}"),
                unit="us",
                ours=ours,
                peer=asked["suffix"][figure],
                ratio="ours/peer",
                runs=runs,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpora", nargs="*", default=["linux100m", "gcide"], metavar="CORPUS")
    parser.add_argument("--runs", type=int, default=measure.RUNS)
    parser.add_argument("--queries", type=int, default=200_000)
    arguments = parser.parse_args()
    measure.require_release()
    for corpus in arguments.corpora:
        compare(corpus, arguments.queries, arguments.runs)


if __name__ == "__main__":
    main()
