"""BM25 against its formulas, files of it, feedback, and fusion of rankings."""

from __future__ import annotations

import contextlib
import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bowstring as bow
from bowstring.rank import BM25, Feedback, interpolate, reciprocal_rank

VARIANTS = ("lucene", "robertson", "atire", "bm25l", "bm25+")
WORDS = st.sampled_from(["aa", "bb", "cc", "dd", "ee", "ff", "gg"])
TEXTS = st.lists(st.lists(WORDS, max_size=8).map(" ".join) | st.none(), min_size=1, max_size=40)


def idf(variant: str, rows: int, having: int) -> float:
    return {
        "lucene": lambda: math.log(1 + (rows - having + 0.5) / (having + 0.5)),
        "robertson": lambda: math.log(max(1, (rows - having + 0.5) / (having + 0.5))),
        "atire": lambda: math.log(rows / having),
        "bm25l": lambda: math.log((rows + 1) / (having + 0.5)),
        "bm25+": lambda: math.log((rows + 1) / having),
    }[variant]()


def part(variant: str, count: int, length: float, k1: float, delta: float) -> float:
    if variant == "bm25l":
        c = count / length if count else 0
        return (k1 + 1) * (c + delta) / (k1 + c + delta)
    if variant == "bm25+":
        return ((k1 + 1) * count / (k1 * length + count) if count else 0) + delta
    if not count:
        return 0
    return count / (k1 * length + count) * (k1 + 1 if variant == "atire" else 1)


def scores(rows: list[Any], query: str, method: str, own: str, k1: float, b: float) -> list[Any]:
    texts = [(row or "").split() for row in rows]
    mean = sum(map(len, texts)) / len(texts) or 1
    found = []
    for row, text in enumerate(texts):
        total = 0.0
        for token in query.split():
            having = sum(token in other for other in texts)
            if having:
                length = 1 - b + b * len(text) / mean
                total += idf(own, len(texts), having) * part(
                    method, text.count(token), length or 1, k1, 0.5
                )
        if set(text) & set(query.split()):
            found.append((row, total))
    return found


@settings(max_examples=150)
@given(
    TEXTS,
    st.lists(st.lists(WORDS, max_size=4).map(" ".join), min_size=1, max_size=4),
    st.sampled_from(VARIANTS),
    st.sampled_from(VARIANTS),
    st.floats(0.1, 3),
    st.floats(0, 0.9),
    st.integers(1, 6),
    st.integers(0, 40),
)
def test_the_best_rows(
    rows: list[Any],
    queries: list[str],
    method: Any,
    own: Any,
    k1: float,
    b: float,
    k: int,
    cut: int,
) -> None:
    options: Any = {"method": method, "idf": own, "k1": k1, "b": b}
    ranking = BM25(pa.array(rows[:cut], pa.string()), **options)
    ranking.add(pa.array(rows[cut:], pa.string()))
    assert len(ranking) == len(rows)
    found = ranking.search(queries, k, threads=2)
    for at, query in enumerate(queries):
        expected = dict(scores(rows, query, method, own, k1, b))
        mine = found.filter(pa.compute.equal(found["query"], at))
        assert mine["rank"].to_pylist() == list(range(1, mine.num_rows + 1))
        positive = [row for row, score in expected.items() if score > 1e-6]
        assert min(k, len(positive)) <= mine.num_rows <= k
        got = list(zip(mine["row"].to_pylist(), mine["score"].to_pylist(), strict=True))
        for row, score in got:
            assert math.isclose(score, expected[row], rel_tol=1e-4, abs_tol=1e-5)
        assert got == sorted(got, key=lambda pair: (-pair[1], pair[0]))
        best = sorted(expected.values(), reverse=True)[: len(got)]
        assert np.allclose([score for _, score in got], best, rtol=1e-4, atol=1e-5)


def test_filters_files_and_pieces(tmp_path: Path) -> None:
    rows = [f"w{n % 13} w{n % 7} w{n % 3} x" for n in range(3000)]
    whole = BM25(rows, method="bm25+", k1=1.2)
    pieces = BM25(method="bm25+", k1=1.2, threads=1)
    for start in range(0, 3000, 700):
        pieces.add(rows[start : start + 700])
    queries = ["w1 w2", "x", "w12 w6 w2 x", "nothing", ""]
    expected = whole.search(queries, 25)
    assert pieces.search(queries, 25).equals(expected)
    path = tmp_path / "rows.bm25"
    whole.save(path)
    opened = BM25.open(path)
    assert opened.search(queries, 25).equals(expected)
    assert opened.add(["zz w1"]).search("zz w2", 1)["row"].to_pylist() == [3000]
    keep = [n % 5 == 0 for n in range(3000)]
    filtered = whole.search(queries, 25, where=keep)
    every = whole.search(queries, 3000)
    kept = every.filter(pa.array([keep[row] for row in every["row"].to_pylist()]))
    for at in range(len(queries)):
        best = kept.filter(pa.compute.equal(kept["query"], at)).slice(0, 25)
        mine = filtered.filter(pa.compute.equal(filtered["query"], at))
        assert mine.select(["row", "score"]).equals(best.select(["row", "score"]))
    data = path.read_bytes()
    for at in (0, 9, 30, len(data) // 2, len(data) - 70):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        with contextlib.suppress(bow.CorruptIndex, bow.IndexFormatError):
            BM25.open(path).search("w1")
    path.write_bytes(data[:-64])
    with pytest.raises(bow.CorruptIndex):
        BM25.open(path)
    with pytest.raises(FileNotFoundError):
        BM25.open(tmp_path / "nothing")
    tokens = BM25([[1, 2], [2, 3]], analyzer="token")
    assert tokens.search([3])["row"].to_pylist() == [1]
    assert tokens.search([[1], [3]])["row"].to_pylist() == [0, 1]


def test_feedback_is_what_its_formula_says() -> None:
    rows = ["red apple pie", "apple tart apple", "pie crust", "blue sky", "red wine"]
    ranking = BM25(rows)
    first = ranking.search("red", 2)
    weights: dict[str, float] = {}
    for row, score in zip(first["row"].to_pylist(), first["score"].to_pylist(), strict=True):
        tokens = rows[row].split()
        for token in tokens:
            weights[token] = weights.get(token, 0) + score / len(tokens)
    best = dict(sorted(weights.items(), key=lambda item: (-item[1], item[0]))[:3])
    query = {token: 0.4 * weight / sum(best.values()) for token, weight in best.items()}
    query["red"] = query.get("red", 0) + 0.6
    expected = dict.fromkeys(range(len(rows)), 0.0)
    for token, weight in query.items():
        for row, score in scores(rows, token, "lucene", "lucene", 1.5, 0.75):
            expected[row] += weight * score
    found = ranking.search("red", 9, feedback=Feedback(rows=2, tokens=3, original=0.6, max_df=1.0))
    order = sorted((-score, row) for row, score in expected.items() if score > 0)
    assert found["row"].to_pylist() == [row for _, row in order]
    assert np.allclose(found["score"].to_pylist(), [-score for score, _ in order], rtol=1e-5)
    rocchio = Feedback("rocchio", rows=1, alpha=1.0, beta=0.0, max_df=1.0)
    assert (
        ranking.search("red", 9, feedback=rocchio)["row"].to_pylist()[:2]
        == first["row"].to_pylist()
    )


@pytest.mark.parametrize("how", ["min_max", "z_score", "sum", "none"])
def test_interpolation(how: Any) -> None:
    chance = np.random.default_rng(4)
    tables = []
    for size in (6, 9):
        pairs = [(q, r) for q in range(5) for r in chance.permutation(12)[:size].tolist()]
        tables.append(
            pa.table(
                {
                    "query": [q for q, _ in pairs],
                    "row": [r for _, r in pairs],
                    "score": chance.normal(3, 2, len(pairs)),
                }
            )
        )
    found = interpolate(*tables, alpha=0.3, normalise=how, k=7)
    expected = []
    for query in range(5):
        sides = []
        for table in tables:
            own = {x["row"]: x["score"] for x in table.to_pylist() if x["query"] == query}
            values = np.array(list(own.values()))
            base, size = {
                "min_max": (values.min(), values.max() - values.min()),
                "z_score": (values.mean(), values.std()),
                "sum": (values.min(), (values - values.min()).sum()),
                "none": (0.0, 1.0),
            }[how]
            sides.append({row: (score - base) / size for row, score in own.items()})
        joined = {
            row: 0.3 * sides[0].get(row, min(sides[0].values()))
            + 0.7 * sides[1].get(row, min(sides[1].values()))
            for row in {*sides[0], *sides[1]}
        }
        best = sorted(joined.items(), key=lambda item: (-item[1], item[0]))[:7]
        expected += [(query, row, score) for row, score in best]
    assert found["query"].to_pylist() == [query for query, _, _ in expected]
    assert found["row"].to_pylist() == [row for _, row, _ in expected]
    assert np.allclose(found["score"].to_pylist(), [score for _, _, score in expected])
    ranks = reciprocal_rank(*tables, k=3)
    assert ranks["rank"].to_pylist() == [1, 2, 3] * 5


def test_what_cannot_be_asked() -> None:
    for options, message in (
        ({"method": "best"}, "method is"),
        ({"idf": "best"}, "idf is"),
        ({"k1": -1.0}, "k1 is -1"),
        ({"b": 2.0}, "b is 2"),
        ({"analyzer": "char"}, "analyzer is 'char'"),
    ):
        with pytest.raises(bow.InvalidInput, match=message):
            BM25(["a"], **options)  # type: ignore[arg-type]
    with pytest.raises(bow.InvalidInput, match="where has 1 values"):
        BM25(["aa", "bb"]).search("aa", where=[True])
    with pytest.raises(bow.InvalidInput, match="method is 'best'"):
        Feedback("best")  # type: ignore[arg-type]
    with pytest.raises(bow.InvalidInput, match="no column 'score'"):
        interpolate(pa.table({"query": [0], "row": [0]}), BM25(["aa"]).search("aa"))
    twice = pa.table({"query": [0, 0], "row": [1, 1], "score": [1.0, 2.0]})
    with pytest.raises(bow.InvalidInput, match="twice"):
        reciprocal_rank(twice)


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "whole.bm25"
    BM25(["red apple", "green apple", "sky", None], k1=1.2).save(path)
    good = path.read_bytes()
    damaged = [good[:length] for length in (*range(0, len(good), 61), len(good) - 1)]
    for at in range(len(good)):
        flipped = bytearray(good)
        flipped[at] ^= 1 << at % 8
        damaged.append(bytes(flipped))
    damaged.append(good + bytes(64))
    for number, content in enumerate(damaged):
        broken = tmp_path / str(number)
        broken.write_bytes(content)
        with pytest.raises((bow.CorruptIndex, bow.IndexFormatError)):
            BM25.open(broken)
    assert BM25.open(path).search("apple")["row"].to_pylist() == [0, 1]
