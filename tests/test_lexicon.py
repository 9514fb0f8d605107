"""Phrases against the formulas of their scores, and cuts against all ways to cut."""

from __future__ import annotations

import collections
import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bowstring as bow
from bowstring.lexicon import Lexicon
from bowstring.vectors import BitCipher, Cooccurrence

ROWS = st.lists(
    st.none() | st.lists(st.sampled_from(["a", "b", "c", "dd"]), max_size=12).map(" ".join),
    min_size=1,
    max_size=8,
)


def score(how: str, gram: tuple[str, ...], counts: Any, least: int) -> float:
    size = len(gram)
    tokens = sum(count for g, count in counts.items() if len(g) == 1)
    places = sum(count for g, count in counts.items() if len(g) == size)
    distinct = sum(len(g) <= size for g in counts)
    count = counts[gram]
    alone = [counts[(token,)] / tokens for token in gram]
    p = count / places
    if how == "t":
        spread = math.sqrt(p * (1 - p) / places)
        return (p - math.prod(alone)) / spread if spread else math.inf
    pmi = math.log(count / tokens) - sum(map(math.log, alone))
    if how == "pmi":
        return pmi
    if how == "npmi":
        return pmi / (-(size - 1) * math.log(count / tokens))
    before, last = counts[gram[:-1]], counts[gram[-1:]]
    if how == "mikolov":
        return (count - least) / (before * last) * distinct
    cells = [[count, before - count], [last - count, tokens - before - last + count]]
    seen = np.array(cells, float)
    chance = seen.sum(1, keepdims=True) * seen.sum(0) / tokens
    there = (seen > 0) & (chance > 0)
    return 2 * float(np.sum(seen[there] * np.log(seen[there] / chance[there])))


def count_all(rows: list[Any], most: int) -> Any:
    counts: Any = collections.Counter()
    for row in rows:
        tokens = (row or "").split()
        for size in range(1, most + 1):
            counts.update(tuple(tokens[at : at + size]) for at in range(len(tokens) - size + 1))
    return counts


@settings(max_examples=150)
@given(
    ROWS,
    st.sampled_from(["t", "pmi", "npmi", "log_likelihood", "mikolov"]),
    st.integers(2, 4),
    st.integers(1, 3),
    st.none() | st.integers(1, 5),
)
def test_scores(rows: list[Any], how: Any, most: int, least: int, top: int | None) -> None:
    column = pa.array(rows, pa.string())
    lexicon = Lexicon(
        column, max_length=most, score=how, min_count=least, top=top, analyzer="whitespace"
    )
    counts = count_all(rows, most)
    expected = {
        gram: score(how, gram, counts, least)
        for gram, count in counts.items()
        if len(gram) > 1 and count >= least
    }
    table = lexicon.table()
    found = {tuple(row["phrase"].split()): row for row in table.to_pylist()}
    for gram, row in found.items():
        assert row["count"] == counts[gram]
        assert row["length"] == len(gram)
        assert math.isclose(row["score"], expected[gram], rel_tol=1e-9, abs_tol=1e-9)
    for size in range(2, most + 1):
        own = [gram for gram in expected if len(gram) == size]
        mine = [gram for gram in found if len(gram) == size]
        assert len(mine) == min(len(own), len(own) if top is None else top)
        if mine:
            worst = min(found[gram]["score"] for gram in mine)
            left = [expected[gram] for gram in own if gram not in found]
            assert all(value <= worst + 1e-9 * abs(worst) + 1e-9 for value in left)


@settings(max_examples=150)
@given(ROWS, ROWS, st.integers(2, 4), st.integers(1, 2))
def test_cuts_are_the_fewest(rows: list[Any], others: list[Any], most: int, least: int) -> None:
    lexicon = Lexicon(
        pa.array(rows, pa.string()), max_length=most, min_count=least, analyzer="whitespace"
    )
    known = set(lexicon.table()["phrase"].to_pylist())

    def cuts(tokens: list[str]) -> list[list[str]]:
        if not tokens:
            return [[]]
        found = []
        for size in range(1, len(tokens) + 1):
            piece = " ".join(tokens[:size])
            if size == 1 or piece in known:
                found += [[piece, *rest] for rest in best(tokens[size:])]
        return found

    def best(tokens: list[str]) -> list[list[str]]:
        found = cuts(tokens)
        fewest = min(map(len, found))
        kept = [cut for cut in found if len(cut) == fewest]
        return [max(kept, key=lambda cut: [len(piece.split()) for piece in cut])]

    column = pa.array(others, pa.string())
    expected = [best((row or "").split())[0] for row in others]
    assert lexicon.segment(column).to_pylist() == expected
    spans = lexicon.spans(column)
    assert spans["piece"].to_pylist() == [piece for row in expected for piece in row]
    for row in spans.to_pylist():
        tokens = (others[row["row"]] or "").split()[row["start"] : row["stop"]]
        assert " ".join(tokens) == row["piece"]
    joined = [" ".join(piece.replace(" ", "+") for piece in row) for row in expected]
    assert lexicon.join(column, delimiter="+").to_pylist() == joined


def test_blanks_within_tokens_are_no_joints() -> None:
    rows = ["new york,big apple,red", "new york,big apple", "red,new york", None]
    lexicon = Lexicon(rows, max_length=2, min_count=2, token_pattern="[^,]+")
    assert lexicon.table()["phrase"].to_pylist() == ["new york big apple"]
    joined = ["new york+big apple red", "new york+big apple", "red new york", ""]
    assert lexicon.join(rows, delimiter="+").to_pylist() == joined
    assert lexicon.segment(rows).to_pylist()[2:] == [["red", "new york"], []]
    assert lexicon.join(rows[:1], delimiter=" and ").to_pylist() == ["new york and big apple red"]
    with pytest.raises(bow.UnsupportedType, match="delimiter is 1"):
        lexicon.join(rows, delimiter=1)  # type: ignore[arg-type]


@settings(max_examples=80)
@given(ROWS, st.integers(1, 4), st.sampled_from(["flat", "harmonic", "linear"]), st.integers(1, 3))
def test_what_stands_near(rows: list[Any], window: int, weight: Any, least: int) -> None:
    texts = [(row or "").split() for row in rows]
    counts = collections.Counter(token for text in texts for token in text)
    kept = sorted(token for token, count in counts.items() if count >= least)
    sums: Any = collections.defaultdict(float)
    sides: Any = collections.Counter()
    for text in texts:
        text = [token for token in text if token in kept]
        for at, token in enumerate(text):
            for other in range(max(0, at - window), min(len(text), at + window + 1)):
                if other != at:
                    d = abs(other - at)
                    sums[token, text[other]] += {
                        "flat": 1,
                        "harmonic": 1 / d,
                        "linear": (window + 1 - d) / window,
                    }[weight]
                    sides[token, text[other], other - at] += 1
    column = pa.array(rows, pa.string())
    options: Any = {"window": window, "min_count": least, "analyzer": "whitespace"}
    near = Cooccurrence(column, weight=weight, threads=2, **options)
    assert near.tokens.to_pylist() == kept
    assert near.counts.to_pylist() == [counts[token] for token in kept]
    found = {(x["token"], x["near"]): x["weight"] for x in near.table().to_pylist()}
    assert found.keys() == sums.keys()
    assert all(math.isclose(found[pair], sums[pair]) for pair in sums)
    if not kept:
        return
    order = sorted(kept, key=lambda token: (-counts[token], token))
    codes = sorted(range(1, 16), key=lambda code: (code.bit_count(), code))
    code = dict(zip(order, codes, strict=False))
    for aggregate, width in (("sum", 4), ("concatenate", 8 * window)):
        vectors = BitCipher(column, bits=4, aggregate=aggregate, **options)  # type: ignore[arg-type]
        expected = np.zeros((len(kept), width))
        totals: Any = collections.Counter()
        for (token, other, offset), count in sides.items():
            place = 0
            if aggregate == "concatenate":
                place = 4 * (offset + window - (offset > 0))
            totals[token, other, place] += count
        for (token, other, place), count in totals.items():
            bits = np.array([code[other] >> bit & 1 for bit in range(4)], float)
            row = expected[kept.index(token), place : place + 4]
            row += math.log(count + 1) * bits / np.linalg.norm(bits)
        assert np.allclose(vectors.matrix(), expected, atol=1e-5)
        assert vectors.table()["code"].to_pylist() == [code[token] for token in kept]


def test_vectors_are_kept_and_compared(new_path: Any) -> None:
    rows = ["red apple pie", "green apple pie", "red cherry pie", "green cherry pie", "alone"]
    vectors = BitCipher(rows, bits=4, window=2)
    path = new_path()
    vectors.save(path)
    opened = BitCipher.open(path)
    assert opened.table().equals(vectors.table())
    found = opened.nearest(["apple", "alone", "nothing", "red"], k=2)
    matrix = vectors.matrix() / np.maximum(np.linalg.norm(vectors.matrix(), axis=1), 1e-9)[:, None]
    tokens = vectors.tokens.to_pylist()
    for row in found.to_pylist():
        mine = matrix[tokens.index(["apple", "alone", "nothing", "red"][row["query"]])]
        assert math.isclose(row["score"], mine @ matrix[tokens.index(row["token"])], abs_tol=1e-5)
    assert found["query"].to_pylist() == [0, 0, 3, 3]
    assert found["rank"].to_pylist() == [1, 2, 1, 2]
    new = new_path()
    new.write_bytes(b"text")
    with pytest.raises(bow.InvalidInput, match="no Arrow file"):
        BitCipher.open(new)


def test_what_cannot_be_asked() -> None:
    with pytest.raises(bow.InvalidInput, match="score is 'best'"):
        Lexicon(["a"], score="best")  # type: ignore[arg-type]
    with pytest.raises(bow.InvalidInput, match="max_length is 1"):
        Lexicon(["a"], max_length=1)
    with pytest.raises(bow.InvalidInput, match="window is 0"):
        Cooccurrence(["aa bb"], window=0)
    with pytest.raises(bow.InvalidInput, match="weight is 'x'"):
        Cooccurrence(["aa bb"], weight="x")  # type: ignore[arg-type]
    with pytest.raises(bow.InvalidInput, match="bits is 1, and there are 3 tokens; give from 2"):
        BitCipher(["aa bb cc"], bits=1)
    with pytest.raises(bow.InvalidInput, match="bits is 64"):
        BitCipher(["aa"], bits=64)
