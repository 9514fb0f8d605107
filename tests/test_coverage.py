"""How much of texts stands in a reference, and what is copied."""

from __future__ import annotations

import math
import re
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bowstring as bow

TOKENS = st.lists(st.integers(0, 3), max_size=12)


def _inside(text: list[int], rows: list[list[int]], n: int) -> tuple[int, int]:
    """How many n-grams occur, and how many units lie in one."""

    def occurs(part: list[int]) -> bool:
        return any(row[at : at + n] == part for row in rows for at in range(len(row) - n + 1))

    hits = [at for at in range(len(text) - n + 1) if occurs(text[at : at + n])]
    return len(hits), len({place for at in hits for place in range(at, at + n)})


@settings(max_examples=80)
@given(st.lists(TOKENS, min_size=1, max_size=5), st.lists(st.none() | TOKENS, max_size=4))
def test_coverage_agrees_with_the_definition(
    rows: list[list[int]], texts: list[list[int] | None]
) -> None:
    type = pa.list_(pa.int32())
    column, asked = pa.array(rows, type), pa.array(texts, type)
    for reference in (column, bow.index(column, segment_symbols=15), bow.index(column, kind="fm")):
        found = bow.coverage(reference, asked, [1, 2, 3]).to_pylist()
        expected = []
        for query, text in enumerate(texts):
            for n in (1, 2, 3):
                if text is not None:
                    grams = max(len(text) - n + 1, 0)
                    expected.append((query, n, len(text), grams, *_inside(text, rows, n)))
        names = ("query", "n", "units", "grams", "found", "covered")
        assert [tuple(row[name] for name in names) for row in found] == expected


@settings(max_examples=60)
@given(
    st.lists(st.text("ab é", max_size=12), min_size=1, max_size=4), st.text("abé ,", max_size=14)
)
def test_units_of_text(rows: list[str], text: str) -> None:
    index = bow.index(pa.array(rows, pa.string()))
    (row,) = bow.coverage(index, text, 2, unit="character").to_pylist()
    hits = [at for at in range(len(text) - 1) if any(text[at : at + 2] in row for row in rows)]
    covered = {place for at in hits for place in (at, at + 1)}
    assert (row["units"], row["found"], row["covered"]) == (len(text), len(hits), len(covered))
    words = [match.span() for match in re.finditer(r"\w+", text)]
    hits = [
        at
        for at in range(len(words) - 1)
        if any(text[words[at][0] : words[at + 1][1]] in row for row in rows)
    ]
    (row,) = bow.coverage(index, text, 2).to_pylist()
    assert (row["units"], row["found"]) == (len(words), len(hits))


def test_the_creativity_index() -> None:
    rows, texts = [[1, 2, 3, 4, 5, 6, 7]], [[1, 2, 3, 4, 5, 9, 9, 9], [9, 9], [], None]
    found = bow.creativity(rows, texts)
    # The first five are covered up to L = 5, and by nothing longer.
    assert math.isclose(found[0].as_py(), 3 / 8 + 7)
    assert found.to_pylist()[1:] == [8.0, None, None]
    assert bow.creativity(rows, [1, 2, 3, 4, 5, 6, 7], [7]) == 0.0


def _longest(text: list[Any], rows: list[list[Any]], seed: int, mismatches: int) -> int:
    best = 0
    for row in rows:
        for start in range(len(text)):
            for at in range(len(row)):
                for length in range(1, min(len(text) - start, len(row) - at) + 1):
                    same = [text[start + k] == row[at + k] for k in range(length)]
                    seeds = range(length - min(seed, len(text)) + 1)
                    seeded = any(all(same[k : k + min(seed, len(text))]) for k in seeds)
                    ends = same[0] and same[-1]
                    if seeded and ends and same.count(False) <= mismatches:
                        best = max(best, length)
    return best


@settings(max_examples=60)
@given(
    st.lists(st.text("abé", max_size=9), max_size=3),
    st.lists(st.none() | st.text("abé", max_size=9), min_size=1, max_size=3),
    st.integers(1, 3),
    st.integers(0, 2),
)
def test_what_is_copied(
    rows: list[str], texts: list[str | None], seed: int, mismatches: int
) -> None:
    found = bow.copied(
        pa.array(rows, pa.string()),
        pa.array(texts, pa.string()),
        unit="character",
        min_length=seed,
        mismatches=mismatches,
    )
    for text, row in zip(texts, found.to_pylist(), strict=True):
        if text and len(text) >= seed:
            expected = _longest(list(text), [list(row) for row in rows], seed, mismatches)
            assert row["length"] == expected
            assert row["share"] == expected / len(text)
        if row["length"]:
            part = (text or "").encode()[row["start"] : row["stop"]]
            other = rows[row["row"]].encode()[row["row_start"] : row["row_stop"]]
            assert len(part.decode()) == len(other.decode()) == row["length"]
            assert mismatches or part == other


def _distance(a: str, b: str) -> int:
    costs = list(range(len(b) + 1))
    for row, x in enumerate(a, 1):
        corner, costs[0] = costs[0], row
        for at, y in enumerate(b, 1):
            corner, costs[at] = costs[at], min(corner + (x != y), costs[at] + 1, costs[at - 1] + 1)
    return costs[-1]


def _reach(text: str, row: str, edits: int) -> list[int]:
    """How many characters of a text so many edits make the beginning of a row, by definition."""
    found = [0] * (edits + 1)
    for x in range(1, len(text) + 1):
        for y in range(1, len(row) + 1):
            if text[x - 1] == row[y - 1]:
                for used in range(_distance(text[: x - 1], row[: y - 1]), edits + 1):
                    found[used] = max(found[used], x)
    return found


@settings(max_examples=60)
@given(
    st.lists(st.text("abé", max_size=9), max_size=3),
    st.text("abé", min_size=1, max_size=9),
    st.integers(1, 3),
    st.integers(1, 3),
)
def test_what_is_copied_with_edits(rows: list[str], text: str, seed: int, edits: int) -> None:
    column = pa.array(rows, pa.string())
    (found,) = bow.copied(
        column, [text], unit="character", min_length=seed, edits=edits
    ).to_pylist()
    size = min(seed, len(text))
    best = 0
    for row in rows:
        for place in range(len(text) - size + 1):
            for at in range(len(row) - size + 1):
                if text[place : place + size] == row[at : at + size]:
                    left = _reach(text[:place][::-1], row[:at][::-1], edits)
                    right = _reach(text[place + size :], row[at + size :], edits)
                    sides = max(left[used] + right[edits - used] for used in range(edits + 1))
                    best = max(best, size + sides)
    assert found["length"] == best
    if best:
        part = text.encode()[found["start"] : found["stop"]].decode()
        other = rows[found["row"]].encode()[found["row_start"] : found["row_stop"]].decode()
        assert len(part) == best
        assert _distance(part, other) <= edits


def test_subsequences() -> None:
    pytest.importorskip("rapidfuzz", reason="rapidfuzz is not installed")
    reference = ["the cat sat on the mat", "unrelated"]
    texts = ["a cat sat quietly on the rug", None, "nothing"]
    for held in (reference, bow.index(reference)):
        found = bow.copied(held, texts, min_length=2, subsequence=True).to_pylist()
        assert found[0]["lcs"] == 4
        assert math.isclose(found[0]["rouge_l"], 2 * (4 / 7) * (4 / 6) / (4 / 7 + 4 / 6))
        assert found[1]["lcs"] is None
        assert found[2]["length"] == 0


def test_subsequences_agree_with_rouge_score() -> None:
    scorer = pytest.importorskip("rouge_score.rouge_scorer", reason="rouge-score is not installed")
    pytest.importorskip("rapidfuzz", reason="rapidfuzz is not installed")
    left, right = "one two three four five six", "zero two three nine five six six"
    (row,) = bow.copied([right], [left], min_length=2, subsequence=True).to_pylist()
    peer = scorer.RougeScorer(["rougeL"]).score(right, left)["rougeL"].fmeasure
    assert math.isclose(row["rouge_l"], peer)


def test_what_cannot_be_asked() -> None:
    with pytest.raises(bow.InvalidInput, match="n is 0"):
        bow.coverage(["a"], "a", 0)
    with pytest.raises(bow.InvalidInput, match="unit is 'word', and the reference is of tokens"):
        bow.coverage([[1]], [1], unit="word")
    with pytest.raises(bow.InvalidInput, match="unit is 'line'"):
        bow.copied(["a"], ["a"], unit="line")  # type: ignore[arg-type]
    with pytest.raises(bow.InvalidInput, match="min_length is 0"):
        bow.copied(["a"], ["a"], min_length=0)
    with pytest.raises(bow.InvalidInput, match="mismatches is 1 and edits is 2"):
        bow.copied(["a"], ["a"], mismatches=1, edits=2)
    with pytest.raises(bow.UnsupportedType, match="one text"):
        bow.copied(["a"], "a")
