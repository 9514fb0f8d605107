"""Contamination of 10,000 items, against the straightforward way: sets of n-grams in Python.

Half of the items are passages of the corpus, the other half entries of a dictionary. Each
definition is also written down with a set or a dictionary of the items' n-grams, which see the
beginning of the corpus only: scores must be the same. The peer's CPU seconds are those of preparing
the items, and of the beginning as often as the corpus has it.

    python benches/compare_contamination.py [CORPUS ...] [--items N]
"""

from __future__ import annotations

import argparse
import math
import random
import re
import string
from collections.abc import Iterator
from typing import Any

import corpora
import measure

import bowstring as bow

BENCH = "contamination"
HEAD = 2_000_000
# Items of many lengths are looked for as wholes, each length on its own.
HEAD_WHOLE = 200_000
DELETED = str.maketrans("", "", string.punctuation)

METHODS: tuple[Any, ...] = (
    "ngram",
    "palm",
    "llama2",
    "llama3",
    "windows",
    "token-match",
    "ngram-match",
    "token-extend",
    "longest-match",
    "whole",
)
SIZES = {"ngram": 13, "llama2": 10}


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


def _share(part: int, of: int) -> float | None:
    return part / of if of else None


def by_sets(method: str, items: list[str], rows: list[str]) -> list[float | None]:
    """Score items with a set of n-grams, or of windows of characters."""
    if method == "windows":
        windows = []
        for item in items:
            starts = [match.start() for match in re.finditer(r"(?<!\S)\S", item)]
            whole = [item] if item and not item[0].isspace() else []
            fit = [item[at : at + 50] for at in starts if at + 50 <= len(item)]
            windows.append(fit if len(item) >= 50 else whole)
        wanted = {window for own in windows for window in own}
        lengths = {len(window) for window in wanted}
        found = {
            row[at : at + length]
            for row in rows
            for length in lengths
            for at in range(len(row) - length + 1)
            if row[at : at + length] in wanted
        }
        return [_share(sum(one in found for one in own), len(own)) for own in windows]
    n = SIZES.get(method, 8)
    texts = [_words(item) for item in items]
    grams = {gram for text in texts for gram in _grams(text, n)}
    hits: set[tuple[str, ...]] = set()
    for row in rows:
        hits.update(gram for gram in _grams(_words(row), n) if gram in grams)
    scores = []
    for text in texts:
        places = [at for at, gram in enumerate(_grams(text, n)) if gram in hits]
        count = max(len(text) - n + 1, 0)
        if method in ("llama3", "token-match"):
            covered = {at for place in places for at in range(place, place + n)}
            scores.append(_share(len(covered), len(text) if count else 0))
        else:
            scores.append(_share(len(places), count))
    return scores


def by_seeds(method: str, items: list[str], rows: list[str]) -> list[float | None]:
    """Score items by matches around n-grams, with a dictionary of the places where each stands."""
    n = SIZES.get(method, 8)
    skips, left, longer = (4, False, 1) if method == "llama2" else (5, True, 0)
    texts = [_words(item) for item in items]
    places: dict[tuple[str, ...], list[tuple[int, int]]] = {}
    for number, text in enumerate(texts):
        for at, gram in enumerate(_grams(text, n)):
            places.setdefault(gram, []).append((number, at))
    spans: list[set[tuple[int, int]]] = [set() for _ in items]

    def reaches(text: list[str], row: list[str], at: int, other: int, step: int) -> list[int]:
        found, length, last = [], 0, 0
        while 0 <= at < len(text) and 0 <= other < len(row) and len(found) <= skips:
            length += 1
            if text[at] == row[other]:
                last = length
            else:
                found.append(last)
            at, other = at + step, other + step
        return (found + [last] * (skips + 1))[: skips + 1]

    for words in map(_words, rows):
        for other, gram in enumerate(_grams(words, n)):
            for number, at in places.get(gram, ()):
                text = texts[number]
                after = reaches(text, words, at + n, other + n, 1)
                before = reaches(text, words, at - 1, other - 1, -1) if left else [0] * (skips + 1)
                for used in range(skips + 1):
                    spans[number].add((at - before[used], at + n + after[skips - used]))
    scores = []
    for text, own in zip(texts, spans, strict=True):
        of = len(text) if len(text) >= n else 0
        if method == "longest-match":
            scores.append(_share(max((stop - start for start, stop in own), default=0), of))
        else:
            long = [range(*span) for span in own if span[1] - span[0] >= n + longer]
            scores.append(_share(len({at for span in long for at in span}), of))
    return scores


def by_wholes(items: list[str], rows: list[str]) -> list[float | None]:
    """Say which items stand in a row as a whole, with a set of them for each length."""
    texts = [tuple(_words(item)) for item in items]
    wanted = {text for text in texts if text}
    lengths = sorted({len(text) for text in wanted})
    found = set()
    for words in map(_words, rows):
        for length in lengths:
            found.update(gram for gram in _grams(words, length) if gram in wanted)
    return [float(text in found) if text else None for text in texts]


def straightforward(method: str, items: list[str], rows: list[str]) -> list[float | None]:
    """Score items as the method's definition is written down first."""
    if method == "whole":
        return by_wholes(items, rows)
    if method in ("llama2", "token-extend", "longest-match"):
        return by_seeds(method, items, rows)
    return by_sets(method, items, rows)


def _head(corpus: str, most: int) -> list[str]:
    rows, size = [], 0
    for row in corpora.rows(corpus):
        rows.append(row)
        size += len(row.encode())
        if size > most:
            break
    return rows


def _same(left: list[float | None], right: list[float | None]) -> bool:
    pairs = zip(left, right, strict=True)
    return all(a == b or (a and b and math.isclose(a, b)) for a, b in pairs)


def compare(corpus: str, count: int, runs: int) -> None:
    items = sample(corpus if corpus != "linux" else "linux100m", count)
    column = corpora.column(corpus)
    size = corpora.text_bytes(corpus)
    for method in METHODS:
        head = _head(corpus, HEAD_WHOLE if method == "whole" else HEAD)
        head_size = sum(len(row.encode()) for row in head)
        with measure.timed() as cost:
            scores = straightforward(method, items, head)
        ours = bow.contamination(head, items, method=method).items["score"].to_pylist()
        measure.check(_same(ours, scores), f"the scores of method={method!r}")
        with measure.timed() as prepared:
            straightforward(method, items, [])
        peer = prepared.cpu + (cost.cpu - prepared.cpu) / head_size * size
        taken, wall = [], []
        for _ in range(runs):
            with measure.timed() as cost:
                bow.contamination(column, items, method=method)
            taken.append(cost.cpu)
            wall.append(cost.wall)
        measure.report(
            *(BENCH, corpus, f"{count:,} items, method={method!r}: CPU"),
            unit="s",
            ours=taken,
            peer=peer,
            ratio="peer/ours",
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
