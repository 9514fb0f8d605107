"""Counting n-grams against scikit-learn's vectorisers and polars' group_by.

Matrices are checked to be equal before anything is timed; memory is what a process of its own holds
at most beyond what it held before it counted.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import corpora
import measure

BENCH = "scikit_learn"
# Analyzer, n-grams, rows; goals for CPU and for memory.
CASES: dict[str, tuple[str, tuple[int, int], int | None, float, float | None]] = {
    "words": ("word", (1, 1), None, 10, None),
    "words 1-3": ("word", (1, 3), None, 18, 5),
    "characters 3-5 of 32,000 rows": ("char", (3, 5), 32_000, 12, None),
}


def column(corpus: str, rows: int | None) -> Any:
    whole = corpora.column(corpus)
    return whole if rows is None else whole.slice(0, rows)


def ours(case: str, threads: int | None) -> Any:
    from bowstring.counts import NGramCounter

    analyzer, ngrams, *_ = CASES[case]
    return NGramCounter(analyzer=analyzer, ngram_range=ngrams, threads=threads)  # type: ignore[arg-type]


def peer(case: str) -> Any:
    from sklearn.feature_extraction.text import CountVectorizer

    analyzer, ngrams, *_ = CASES[case]
    return CountVectorizer(analyzer=analyzer, ngram_range=ngrams)


def peak(corpus: str, case: str, own: bool) -> int:
    """Bytes at most beyond what the process held, in a process of its own."""
    from bowstring.characters import characters

    characters()
    texts = column(corpus, CASES[case][2])
    given = texts if own else texts.to_pylist()
    counter = ours(case, 1) if own else peer(case)
    counter.fit_transform(given[:100])
    measure.forget_peak()
    before = measure.memory()
    counter.fit_transform(given)
    return measure.peak_memory() - before


def same(one: Any, other: Any) -> bool:
    other.sort_indices()
    parts = ("indptr", "indices", "data")
    return one.shape == other.shape and all(
        getattr(one, part).tobytes() == getattr(other, part).tobytes() for part in parts
    )


def cost(work: Callable[[], Any]) -> Callable[[], measure.Cost]:
    def once() -> measure.Cost:
        with measure.timed() as taken:
            work()
        return taken

    return once


def compare(corpus: str, case: str, runs: int, peer_runs: int) -> None:
    *_, rows, goal, goal_memory = CASES[case]
    texts = column(corpus, rows)
    listed = texts.to_pylist()
    expected = peer(case).fit_transform(listed)
    one = ours(case, 1).fit_transform(texts)
    measure.check(same(one, expected), f"matrices of {case}")
    measure.check(same(ours(case, 2).fit_transform(texts), one), f"matrices of {case}, two threads")
    del expected, one
    taken = measure.in_turn(
        {
            "one": cost(lambda: ours(case, 1).fit_transform(texts)),
            "two": cost(lambda: ours(case, 2).fit_transform(texts)),
        },
        runs,
    )
    others = [cost(lambda: peer(case).fit_transform(listed))() for _ in range(peer_runs)]
    measure.report(
        *(BENCH, corpus, f"{case}: CPU"),
        unit="s",
        ours=[one.cpu for one in taken["one"]],
        peer=[one.cpu for one in others],
        ratio="peer/ours",
        at_least=goal,
    )
    measure.report(
        *(BENCH, corpus, f"{case}: wall time of two threads against one"),
        unit="s",
        ours=[one.wall for one in taken["two"]],
        peer=[one.wall for one in taken["one"]],
        ratio="ours/peer",
        at_most=0.6,
    )
    mine, theirs = (
        measure.in_child(peak, corpus=corpus, case=case, own=own) for own in (True, False)
    )
    measure.report(
        *(BENCH, corpus, f"{case}: peak memory beyond the text"),
        unit="bytes",
        ours=mine,
        peer=theirs,
        ratio="peer/ours",
        at_least=goal_memory,
    )


def compare_hashes(corpus: str, runs: int, peer_runs: int) -> None:
    from sklearn.feature_extraction.text import HashingVectorizer

    from bowstring.counts import HashedCounter

    texts = column(corpus, None)
    listed = texts.to_pylist()
    one = HashedCounter(norm=None, threads=1)
    other = HashingVectorizer(norm=None)
    measure.check(same(one.transform(texts), other.transform(listed)), "hashes")
    mine = measure.in_turn({"ours": cost(lambda: one.transform(texts))}, runs)["ours"]
    theirs = [cost(lambda: other.transform(listed))() for _ in range(peer_runs)]
    measure.report(
        *(BENCH, corpus, "hashed words: CPU"),
        unit="s",
        ours=[one.cpu for one in mine],
        peer=[one.cpu for one in theirs],
        ratio="peer/ours",
        at_least=6,
    )


def compare_polars(corpus: str, runs: int) -> None:
    import polars as pl

    texts = column(corpus, None)
    frame = pl.DataFrame({"text": pl.Series(texts)}).with_row_index("row")

    def grouped() -> Any:
        tokens = frame.lazy().with_columns(
            pl.col("text").str.to_lowercase().str.extract_all(r"\b\w\w+\b")
        )
        return tokens.explode("text").drop_nulls("text").group_by("row", "text").len().collect()

    measure.check(
        abs(grouped().height - ours("words", 1).fit_transform(texts).nnz) < 1000,
        "numbers of distinct words in rows (Unicode versions aside)",
    )
    taken = measure.in_turn(
        {"ours": cost(lambda: ours("words", 1).fit_transform(texts)), "polars": cost(grouped)}, runs
    )
    measure.report(
        *(BENCH, corpus, "words, against polars' group_by: CPU"),
        unit="s",
        ours=[one.cpu for one in taken["ours"]],
        peer=[one.cpu for one in taken["polars"]],
        ratio="peer/ours",
        at_least=3,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", nargs="?", default="gcide")
    parser.add_argument("--cases", nargs="*", choices=[*CASES, "hashes", "polars"])
    parser.add_argument("--runs", type=int, default=measure.RUNS)
    parser.add_argument("--peer-runs", type=int, default=1, help="minutes each for n-grams")
    arguments = parser.parse_args()
    try:
        import sklearn  # noqa: F401
    except ImportError:
        measure.skip(BENCH, "scikit-learn is not installed: pip install '.[sklearn]'")
        return
    measure.require_release()
    for case in arguments.cases or [*CASES, "hashes", "polars"]:
        if case == "hashes":
            compare_hashes(arguments.corpus, arguments.runs, arguments.peer_runs)
        elif case == "polars":
            compare_polars(arguments.corpus, arguments.runs)
        else:
            compare(arguments.corpus, case, arguments.runs, arguments.peer_runs)


if __name__ == "__main__":
    main()
