"""What counting the n-grams of a file takes with `memory=` and without: the terms are the same."""

from __future__ import annotations

import argparse

import corpora
import measure

BENCH = "counting_memory"


def peak(corpus: str, most: int, memory: str | None) -> tuple[int, int, float]:
    """Bytes at most beyond what the process held, terms, and CPU seconds."""
    from bowstring.characters import characters
    from bowstring.counts import NGramCounter

    characters()
    path = corpora.parquet(corpus)
    measure.forget_peak()
    before = measure.memory()
    counter = NGramCounter(ngram_range=(1, most), min_df=2, memory=memory, threads=1)
    with measure.timed() as cost:
        terms = len(counter.fit(path).terms())
    return measure.peak_memory() - before, terms, cost.cpu


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", nargs="?", default="linux100m")
    parser.add_argument("--most", type=int, default=2)
    parser.add_argument("--memory", default="128MB")
    arguments = parser.parse_args()
    measure.require_release()
    options = {"corpus": arguments.corpus, "most": arguments.most}
    whole, terms, cpu = measure.in_child(peak, **options, memory=None)
    bounded, same, more = measure.in_child(peak, **options, memory=arguments.memory)
    measure.check(terms == same, "terms")
    measure.report(
        *(BENCH, arguments.corpus, f"peak with memory={arguments.memory!r}, and without"),
        unit="bytes",
        ours=bounded,
        peer=whole,
        ratio="ours/peer",
        terms=terms,
    )
    measure.report(
        *(BENCH, arguments.corpus, f"CPU with memory={arguments.memory!r}, and without"),
        unit="s",
        ours=more,
        peer=cpu,
        ratio="ours/peer",
    )


if __name__ == "__main__":
    main()
