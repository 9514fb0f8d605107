"""Keys of overlapping categories against the definition, a hash of all substrings in Python.

Values are the organisation names of `--values`, a CSV file and its column, or synthetic ones.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path
from typing import Any

import measure
import pyarrow as pa
import synthetic

from bowstring import _core

BENCH = "categories"
MIN_LENGTH = 5


def ours(values: pa.Array, keys: str = "per_value") -> dict[str, int]:
    """Keys and how many values hold each."""
    found = pa.table(_core.overlap_keys(values, MIN_LENGTH, keys, None))
    return dict(zip(found["key"].to_pylist(), found["support"].to_pylist(), strict=True))


def by_hash(values: list[str]) -> dict[str, int]:
    """The keys of each value by counting all substrings."""
    count: dict[str, int] = {}
    for value in values:
        for part in {
            value[i:j] for i in range(len(value)) for j in range(i + MIN_LENGTH, len(value) + 1)
        }:
            count[part] = count.get(part, 0) + 1
    keys: set[str] = set()
    for value in values:
        shared = []
        for start in range(len(value)):
            stop = len(value)
            while stop - start >= MIN_LENGTH and count[value[start:stop]] < 2:
                stop -= 1
            if stop - start >= MIN_LENGTH:
                shared.append(value[start:stop])
        distinct = set(shared)
        keys |= {k for k in distinct if not any(k != o and k in o for o in distinct)}
    return {key: count[key] for key in keys}


def main() -> None:
    """Run what the arguments ask."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--values", type=Path, help="a CSV file")
    parser.add_argument("--column", default="Organization Name", help="its column")
    parser.add_argument("--large", type=int, default=1_000_000, help="synthetic values")
    arguments = parser.parse_args()
    measure.require_release()
    if arguments.values:
        with arguments.values.open(encoding="utf-8") as file:
            values = list(dict.fromkeys(row[arguments.column] for row in csv.DictReader(file)))
    else:
        values = list(dict.fromkeys(synthetic.words(20_000)[0].to_pylist()))
    column = pa.array(values)
    corpus = f"{len(values)} names"
    measure.check(ours(column) == by_hash(values), "keys")

    def cost(call: Any, given: Any) -> Any:
        def once() -> float:
            with measure.timed() as taken:
                call(given)
            return taken.cpu

        return once

    times = measure.in_turn({"ours": cost(ours, column), "peer": cost(by_hash, values)})
    measure.report(
        BENCH, corpus, "CPU of keys per value", unit="s", ours=times["ours"], peer=times["peer"],
        ratio="peer/ours",
    )  # fmt: skip
    kernel = measure.in_turn(
        {"ours": cost(lambda v: _core.overlap_keys(v, MIN_LENGTH, "per_value", None), column)}
    )
    measure.report(BENCH, corpus, "CPU of the kernel", unit="s", ours=kernel["ours"], at_most=0.1)
    for count in (arguments.large // 10, arguments.large):
        many = synthetic.words(count)[0]
        with measure.timed() as taken:
            keys = len(_core.overlap_keys(many, MIN_LENGTH, "per_value", None))
        measure.report(
            BENCH, f"{count} names", "CPU of the kernel", unit="s", ours=taken.cpu, keys=keys
        )


if __name__ == "__main__":
    main()
