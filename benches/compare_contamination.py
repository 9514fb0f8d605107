"""Contamination of 10,000 items, against the straightforward way: a set of n-grams in Python.

Half of the items are passages of the corpus, the other half entries of a dictionary. The set sees
the beginning of the corpus only; what counts is CPU seconds a byte.

    python benches/compare_contamination.py [CORPUS ...] [--items N]
"""

from __future__ import annotations

import argparse
import random
import string
from collections.abc import Iterator
from typing import Any

import corpora
import measure

import bowstring as bow

BENCH = "contamination"
HEAD = 4_000_000
DELETED = str.maketrans("", "", string.punctuation)


def sample(corpus: str, count: int) -> list[str]:
    """Passages of 60 words of the corpus, and as many dictionary entries."""
    drawn = random.Random(3)
    column = corpora.column(corpus)
    items = []
    while len(items) < count // 2:
        words = column[drawn.randrange(len(column))].as_py().split()
        if len(words) > 60:
            start = drawn.randrange(len(words) - 60)
            items.append(" ".join(words[start : start + 60]))
    entries = corpora.column("gcide")
    while len(items) < count:
        entry = entries[drawn.randrange(len(entries))].as_py()
        if len(entry.split()) >= 20:
            items.append(" ".join(entry.split()[:60]))
    return items


def _words(text: str) -> list[str]:
    return text.lower().translate(DELETED).split()


def _grams(words: list[str], n: int) -> Iterator[tuple[str, ...]]:
    return zip(*(words[at:] for at in range(n)), strict=False)


def set_of_grams(items: list[str], rows: list[str], n: int) -> list[bool]:
    """Which items have an n-gram of the rows, by a set."""
    wanted = {gram for item in items for gram in _grams(_words(item), n)}
    found: set[tuple[str, ...]] = set()
    for row in rows:
        found.update(gram for gram in _grams(_words(row), n) if gram in wanted)
    return [any(gram in found for gram in _grams(_words(item), n)) for item in items]


def _head(corpus: str) -> list[str]:
    rows, size = [], 0
    for row in corpora.rows(corpus):
        rows.append(row)
        size += len(row.encode())
        if size > HEAD:
            break
    return rows


def compare(corpus: str, count: int, runs: int) -> None:
    items = sample(corpus if corpus != "linux" else "linux100m", count)
    head = _head(corpus)
    ours = bow.contamination(head, items).items["grade"].to_pylist()
    theirs = set_of_grams(items, head, 13)
    measure.check([grade == "dirty" for grade in ours] == theirs, "the dirty items")
    column = corpora.column(corpus)
    size, head_size = corpora.text_bytes(corpus), sum(len(row.encode()) for row in head)

    def peer() -> float:
        with measure.timed() as cost:
            set_of_grams(items, head, 13)
        return cost.cpu / head_size * 1e9

    results: dict[str, Any] = {"peer": [peer() for _ in range(runs)]}
    for method in ("ngram", "palm", "llama2", "llama3", "windows", "longest-match", "whole"):
        taken, wall = [], []
        for _ in range(runs):
            with measure.timed() as cost:
                bow.contamination(column, items, method=method)
            taken.append(cost.cpu / size * 1e9)
            wall.append(cost.wall)
        compared = method == "ngram"
        measure.report(
            *(BENCH, corpus, f"{count:,} items, method={method!r}: CPU"),
            unit="s a GB",
            ours=taken,
            peer=results["peer"] if compared else None,
            ratio="peer/ours" if compared else None,
            items_a_second=round(count / measure.median(wall)),
            wall=round(measure.median(wall), 2),
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpora", nargs="*", default=["linux100m"], metavar="CORPUS")
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    measure.require_release()
    for corpus in arguments.corpora:
        compare(corpus, arguments.items, arguments.runs)


if __name__ == "__main__":
    main()
