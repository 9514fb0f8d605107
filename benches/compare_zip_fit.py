"""Alignment by compression against the peer's way of it: CPython's gzip of every concatenation.

Lengths are checked to be those of gzip before anything is timed; our ranking is of all rows, the
peer's is left out of its time.
"""

from __future__ import annotations

import argparse
import gzip
from collections.abc import Callable
from typing import Any

import corpora
import measure
import numpy as np

import bowstring as bow

BENCH = "zip_fit"
# Characters of a row at least and at most, candidates and rows of the target.
CASES = {
    "short rows": ("gcide", 200, 420, 400, 50),
    "rows of 20 kB": ("linux10m", 15_000, 25_000, 30, 10),
}


def rows(corpus: str, least: int, most: int, number: int) -> list[str]:
    texts = corpora.column(corpus)
    found = [text for text in texts[:60_000].to_pylist() if least <= len(text) <= most]
    measure.check(len(found) >= number, f"rows of {corpus} and {number}")
    return found[:: len(found) // number][:number]


def peer(candidates: list[str], target: list[str], level: int = 9) -> list[float]:
    """ZIP-FIT's loop: the lengths of single texts are taken once, as it does."""

    def size(text: str) -> int:
        return len(gzip.compress(text.encode(), compresslevel=level))

    sizes = [size(text) for text in target]
    found = []
    for text in candidates:
        own = size(text)
        sums = 0.0
        for other, length in zip(target, sizes, strict=True):
            sums += 1 - (size(text + other) - min(own, length)) / max(own, length)
        found.append(sums / len(target))
    return found


def timed(work: Callable[[], Any]) -> Callable[[], measure.Cost]:
    def once() -> measure.Cost:
        with measure.timed() as taken:
            work()
        return taken

    return once


def compare(case: str, runs: int) -> None:
    corpus, least, most, number, others = CASES[case]
    drawn = rows(corpus, least, most, number + others)
    candidates, target = drawn[others:], drawn[:others]
    expected = peer(candidates, target)
    found = bow.select.align(candidates, target)
    scores = np.empty(number)
    scores[found["row"].to_numpy()] = found["score"].to_numpy()
    measure.check(np.allclose(scores, expected, rtol=0, atol=1e-12), f"alignments of {case}")
    taken = measure.in_turn(
        {
            "one": timed(lambda: bow.select.align(candidates, target, threads=1)),
            "libdeflate": timed(
                lambda: bow.select.align(candidates, target, compressor="libdeflate", threads=1)
            ),
            "two": timed(lambda: bow.select.align(candidates, target, threads=2)),
            "peer": timed(lambda: peer(candidates, target)),
        },
        runs,
    )
    pairs = number * others
    measure.report(
        *(BENCH, corpus, f"{case}: gzip 9, pairs a second of CPU"),
        unit="pairs/s",
        ours=[pairs / one.cpu for one in taken["one"]],
        peer=[pairs / one.cpu for one in taken["peer"]],
        ratio="ours/peer",
        at_least=1.4,
    )
    measure.report(
        *(BENCH, corpus, f"{case}: libdeflate 9, pairs a second of CPU"),
        unit="pairs/s",
        ours=[pairs / one.cpu for one in taken["libdeflate"]],
        peer=[pairs / one.cpu for one in taken["peer"]],
        ratio="ours/peer",
        at_least=1.4,
        rank_correlation=round(_agreement(candidates, target, scores), 5),
    )
    measure.report(
        *(BENCH, corpus, f"{case}: CPU of two threads against one"),
        unit="s",
        ours=[one.cpu for one in taken["two"]],
        peer=[one.cpu for one in taken["one"]],
        ratio="ours/peer",
        at_most=1.1,
        wall=[round(one.wall, 4) for one in taken["two"]],
    )


def _agreement(candidates: list[str], target: list[str], scores: np.ndarray) -> float:
    """How libdeflate's ranking goes with gzip's: Spearman's correlation."""
    found = bow.select.align(candidates, target, compressor="libdeflate")
    mine, theirs = np.empty(len(scores)), np.empty(len(scores))
    mine[found["row"].to_numpy()] = found["rank"].to_numpy()
    theirs[np.argsort(-scores, kind="stable")] = np.arange(1, len(scores) + 1)
    return float(np.corrcoef(mine, theirs)[0, 1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=measure.RUNS)
    arguments = parser.parse_args()
    measure.require_release()
    for case in CASES:
        compare(case, arguments.runs)


if __name__ == "__main__":
    main()
