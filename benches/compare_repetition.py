"""Gopher's repetition rules over short rows, against datatrove's `GopherRepetitionFilter`.

Both take words to be what whitespace separates: what is measured is the filter, not a tokenizer.
The peer sees the beginning of the corpus only; what counts is seconds a byte, on one thread.

    python benches/compare_repetition.py [CORPUS ...] [--rows N]
"""

from __future__ import annotations

import argparse
from typing import Any

import corpora
import measure
import pyarrow as pa
import pyarrow.compute as pc

import bowstring as bow

BENCH = "repetition"
NAMES = {f"duplicated_{n}_n_grams": f"dup_{n}_gram" for n in range(5, 11)}


def _filter() -> tuple[Any, Any]:
    from datatrove.data import Document
    from datatrove.pipeline.filters import gopher_repetition_filter as module

    module.split_into_words = lambda text, _: text.split()
    return module.GopherRepetitionFilter(), Document


def _bytes(column: Any) -> int:
    return int(pc.sum(pc.binary_length(column)).as_py() or 0)


def compare(corpus: str, rows: int, runs: int) -> None:
    column = corpora.column(corpus)
    head = column.slice(0, rows)
    peer, document = _filter()
    documents = [document(text=text, id="0") for text in head.to_pylist()]

    def ours() -> float:
        with measure.timed() as cost:
            bow.repetition(column, filter="gopher", threads=1)
        return cost.cpu / _bytes(column) * 1e6

    def theirs() -> float:
        with measure.timed() as cost:
            for one in documents:
                peer.filter(one)
        return cost.cpu / _bytes(head) * 1e6

    verdicts = [peer.filter(one) for one in documents]
    reasons = [None if it is True else NAMES.get(it[1], it[1]) for it in verdicts]
    found = bow.repetition(head, filter="gopher")
    measure.check(found["reason"].to_pylist() == reasons, "the reasons")
    results = measure.in_turn({"ours": ours, "peer": theirs}, runs)
    measure.report(
        *(BENCH, corpus, "filter='gopher', one thread: CPU"),
        unit="s a MB",
        ours=results["ours"],
        peer=results["peer"],
        ratio="peer/ours",
        at_least=20,
        kept=float(pc.mean(found["keep"].cast(pa.int8())).as_py()),
    )
    with measure.timed() as cost:
        bow.repetition(column, threads=1)
    measure.report(
        *(BENCH, corpus, "all measures, one thread: CPU"),
        unit="s a MB",
        ours=cost.cpu / _bytes(column) * 1e6,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpora", nargs="*", default=["gcide"], metavar="CORPUS")
    parser.add_argument("--rows", type=int, default=10_000, help="rows that the peer sees")
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    measure.require_release()
    try:
        import datatrove  # noqa: F401
    except ImportError:
        measure.skip(BENCH, "datatrove is not installed")
        return
    for corpus in arguments.corpora:
        compare(corpus, arguments.rows, arguments.runs)


if __name__ == "__main__":
    main()
