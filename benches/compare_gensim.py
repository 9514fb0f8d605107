"""Finding phrases against gensim's Phrases, pairs and triples as it finds them in two passes.

Pairs and their scores are checked to be equal before anything is timed.
"""

from __future__ import annotations

import argparse
import importlib.util
from typing import Any

import corpora
import measure

BENCH = "gensim"
# Joined by a blank, which no token has: an underscore is in many names of a program, and the peer
# cuts its phrases at it.
OPTIONS: dict[str, Any] = {
    "min_count": 5,
    "threshold": 0.5,
    "scoring": "npmi",
    "max_vocab_size": 1 << 40,
    "delimiter": " ",
}


def compare(corpus: str, runs: int) -> None:
    from gensim.models.phrases import Phrases

    import bowstring as bow

    column = corpora.column(corpus)
    # The peer is given its tokens: what cutting takes counts for us alone.
    counter = bow.counts.NGramCounter()._cutting()
    rows: Any = [counter_row(row) for row in column.to_pylist()]
    assert counter.kernel == "word"
    with measure.timed() as first:
        peer = Phrases(rows, **OPTIONS)
        expected = peer.export_phrases()
    lexicon = bow.lexicon.Lexicon(
        column, max_length=2, score="npmi", min_count=5, threshold=0.5, threads=1
    )
    found = lexicon.table()
    mine = dict(zip(found["phrase"].to_pylist(), found["score"].to_pylist(), strict=True))
    mine = {name: score for name, score in mine.items() if score > 0.5}
    measure.check(
        mine.keys() == expected.keys()
        and all(abs(mine[name] - score) < 1e-9 for name, score in expected.items()),
        "phrases",
    )
    with measure.timed() as second:
        Phrases(peer[rows], **OPTIONS)

    def once() -> float:
        with measure.timed() as cost:
            bow.lexicon.Lexicon(column, max_length=3, score="t", top=150_000, threads=1)
        return cost.cpu

    measure.report(
        *(BENCH, corpus, "300,000 phrases of 2 and 3 words: CPU"),
        unit="s",
        ours=[once() for _ in range(runs)],
        peer=first.cpu + second.cpu,
        ratio="peer/ours",
        at_least=15,
    )


def counter_row(row: str) -> list[str]:
    import re

    return re.findall(r"(?u)\b\w\w+\b", row.lower())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", nargs="?", default="linux100m")
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    if importlib.util.find_spec("gensim") is None:
        measure.skip(BENCH, "gensim is not installed: pip install '.[peers]'")
        return
    measure.require_release()
    compare(arguments.corpus, arguments.runs)


if __name__ == "__main__":
    main()
