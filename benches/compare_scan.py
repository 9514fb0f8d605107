"""Asking the index against reading the whole column: pyarrow's and polars' substring search.

Words are drawn in three classes by how many rows hold them. The last number of a line is how many
such queries pay for building the index.
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import random
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import corpora
import measure

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

    import bowstring as bow

BENCH = "scan"
WIDTH = 40
QUERIES = 5
TRIED = 5_000
# Shares of the rows that hold a word, from and to.
CLASSES = {"rare": (0.0, 0.002), "some": (0.005, 0.02), "frequent": (0.05, 1.0)}

Rows = list[int]
Contexts = list[tuple[int, str, str, str]]


def draw_words(index: bow.Index, column: pa.Array[Any], seed: int = 1) -> dict[str, list[str]]:
    """Words of each class, no end of which is a beginning: peers count no overlaps.

    Classes of which the text has too few words are left out.
    """
    chance = random.Random(seed)
    found: dict[str, list[str]] = {name: [] for name in CLASSES}
    seen: set[str] = set()
    while len(seen) < TRIED and any(len(words) < QUERIES for words in found.values()):
        text = column[chance.randrange(len(column))].as_py()
        words = re.findall(r"[A-Za-z_]{4,}", text)
        for word in chance.sample(words, min(len(words), 5)):
            if word in seen:
                continue
            seen.add(word)
            if any(word.endswith(word[:size]) for size in range(1, len(word))):
                continue
            share = index.rows(word).num_rows / len(column)
            for name, (low, high) in CLASSES.items():
                if low < share <= high and len(found[name]) < QUERIES:
                    found[name].append(word)
    return {name: words for name, words in found.items() if len(words) >= 3}


class Bowstring:
    """Ours."""

    def __init__(self, column: pa.Array[Any]) -> None:
        import bowstring as bow

        with measure.timed() as self.cost:
            self.index = bow.index(column)

    def rows(self, word: str) -> Any:
        return self.index.rows(word)["row"]

    def context(self, word: str) -> Any:
        return self.index.context(word, width=WIDTH)

    def search(self, words: list[str]) -> Any:
        first, second, third = words
        return self.index.search([[first], [second, third]])["row"]


class PyArrow:
    """`pyarrow.compute` over the column."""

    def __init__(self, column: pa.Array[Any]) -> None:
        self.column = column

    def _holds(self, word: str) -> Any:
        import pyarrow.compute as pc

        return pc.match_substring(self.column, word)

    def rows(self, word: str) -> Any:
        import pyarrow.compute as pc

        return pc.indices_nonzero(self._holds(word))

    def context(self, word: str) -> Contexts:
        rows = self.rows(word)
        texts: Any = self.column.take(rows)
        return contexts(rows.to_pylist(), texts.to_pylist(), word)

    def search(self, words: list[str]) -> Any:
        import pyarrow.compute as pc

        first, second, third = map(self._holds, words)
        return pc.indices_nonzero(pc.and_(first, pc.or_(second, third)))


class Polars:
    """polars over the column, as polars keeps it."""

    def __init__(self, column: pa.Array[Any]) -> None:
        import polars as pl

        self.column: pl.Series = pl.Series(column)

    def _holds(self, word: str) -> pl.Series:
        return self.column.str.contains(word, literal=True)

    def rows(self, word: str) -> Any:
        return self._holds(word).arg_true()

    def context(self, word: str) -> Contexts:
        rows = self.rows(word)
        return contexts(rows.to_list(), self.column.gather(rows).to_list(), word)

    def search(self, words: list[str]) -> Any:
        first, second, third = map(self._holds, words)
        return (first & (second | third)).arg_true()


def contexts(rows: Rows, texts: list[str], word: str) -> Contexts:
    """Every occurrence with what is around it, which neither peer does by itself."""
    found = []
    for row, text in zip(rows, texts, strict=True):
        at = text.find(word)
        while at >= 0:
            end = at + len(word)
            found.append((row, text[max(at - WIDTH, 0) : at], word, text[end : end + WIDTH]))
            at = text.find(word, at + 1)
    return found


def plain(answer: Any) -> list[Any]:
    """An answer as Python values, so that all can be compared."""
    if hasattr(answer, "column_names"):
        columns = [answer[name].to_pylist() for name in ("row", "left", "match", "right")]
        return list(zip(*columns, strict=True))
    if isinstance(answer, list):
        return answer
    values: list[Any] = answer.to_pylist() if hasattr(answer, "to_pylist") else answer.to_list()
    return values


def ask_all(corpus: str, runs: int) -> dict[str, Any]:
    """Time every question by every contestant; equal answers first."""
    column = corpora.column(corpus)
    ours = Bowstring(column)
    peers: dict[str, Any] = {"pyarrow": PyArrow(column)}
    if importlib.util.find_spec("polars") is not None:
        peers["polars"] = Polars(column)
    words = draw_words(ours.index, column)
    _check_counts(ours.index, column, words)
    figures: dict[str, Any] = {}
    for name, some in words.items():
        mixed = [[word, some[at - 1], some[at - 2]] for at, word in enumerate(some)]
        asked: dict[str, list[Any]] = {"rows": some, "context": some, "search": mixed}
        for question, queries in asked.items():
            contestants = {}
            for who, contestant in {"ours": ours, **peers}.items():
                ask = getattr(contestant, question)
                for query in queries:
                    same = plain(ask(query)) == plain(getattr(ours, question)(query))
                    measure.check(same, f"the answers of {who} to {question} of {query!r}")
                contestants[who] = _each(ask, queries)
            figures[f"{question}, {name} words"] = measure.in_turn(contestants, runs)
    numbers = {name: len(some) for name, some in words.items()}
    return {"build": ours.cost.wall, "figures": figures, "words": numbers}


def _check_counts(index: bow.Index, column: pa.Array[Any], words: dict[str, list[str]]) -> None:
    from pyarrow import compute

    pc: Any = compute

    for some in words.values():
        for word in some:
            theirs = pc.sum(pc.count_substring(column, word)).as_py()
            measure.check(index.count(word) == theirs, f"the counts of {word!r}")


def _each(ask: Callable[[Any], Any], queries: list[Any]) -> Callable[[], float]:
    """Milliseconds a query."""

    def once() -> float:
        with measure.timed() as cost:
            for query in queries:
                ask(query)
        return cost.wall * 1e3 / len(queries)

    return once


def compare(corpus: str, runs: int) -> None:
    result = measure.in_child(ask_all, corpus=corpus, runs=runs)
    for figure, taken in result["figures"].items():
        ours = taken.pop("ours")
        for peer, theirs in taken.items():
            saved = measure.median(theirs) - measure.median(ours)
            measure.report(
                *(BENCH, corpus, f"{figure}, peer {peer}"),
                unit="ms a query",
                ours=ours,
                peer=theirs,
                ratio="peer/ours",
                runs=runs,
                words=result["words"],
                build_seconds=round(result["build"], 3),
                paid_after=math.ceil(result["build"] * 1e3 / saved) if saved > 0 else None,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpora", nargs="*", default=["linux100m", "gcide"], metavar="CORPUS")
    parser.add_argument("--runs", type=int, default=measure.RUNS)
    arguments = parser.parse_args()
    measure.require_release()
    for corpus in arguments.corpora:
        compare(corpus, arguments.runs)


if __name__ == "__main__":
    main()
