"""Items of a benchmark in a corpus, by each definition."""

from __future__ import annotations

import math
import re
import string
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bowstring as bow

WORDS = st.lists(
    st.sampled_from(["The", "the", "cat,", "cat", "é", "—", "sat!", "..."]), max_size=14
)
TEXT = WORDS.map(" ".join)


def _normal(text: str | None) -> list[str]:
    words = (text or "").lower().translate(str.maketrans("", "", string.punctuation)).split()
    return [word for word in words if word]


def _windows(units: list[Any], n: int) -> list[tuple[Any, ...]]:
    return [tuple(units[at : at + n]) for at in range(len(units) - n + 1)]


def _matches(
    item: list[Any], row: list[Any], n: int, skips: int, left: bool
) -> set[tuple[int, int]]:
    """Stretches of both that end where they are alike and hold a seed, by definition."""
    found = set()
    for start in range(len(item)):
        for at in range(len(row)):
            for length in range(n, min(len(item) - start, len(row) - at) + 1):
                same = [item[start + k] == row[at + k] for k in range(length)]
                seeds = range(length - n + 1) if left else range(1)
                if (
                    same[0]
                    and same[-1]
                    and same.count(False) <= skips
                    and any(all(same[seed : seed + n]) for seed in seeds)
                ):
                    found.add((start, start + length))
    return found


def _covered(spans: Any) -> int:
    return len({at for start, stop in spans for at in range(start, stop)})


def _expected(method: str, item: list[str], rows: list[list[str]], n: int) -> float | None:
    grams = [gram for row in rows for gram in _windows(row, n)]
    hits = [at for at, gram in enumerate(_windows(item, n)) if gram in grams]
    if len(item) < n:
        return None
    if method in ("ngram", "palm", "ngram-match"):
        return len(hits) / (len(item) - n + 1)
    if method in ("llama3", "token-match"):
        return _covered((at, at + n) for at in hits) / len(item)
    skips, left = {"llama2": (4, False)}.get(method, (5, True))
    spans = [span for row in rows for span in _matches(item, row, n, skips, left)]
    if method == "longest-match":
        return max((stop - start for start, stop in spans), default=0) / len(item)
    longer = n + (method == "llama2")
    return _covered(span for span in spans if span[1] - span[0] >= longer) / len(item)


@pytest.mark.parametrize(
    "method",
    [
        "ngram",
        "palm",
        "llama2",
        "llama3",
        "token-match",
        "ngram-match",
        "token-extend",
        "longest-match",
    ],
)
def test_scores_agree_with_the_definitions(method: Any) -> None:
    @settings(max_examples=40)
    @given(
        st.lists(st.none() | TEXT, min_size=1, max_size=4),
        st.lists(TEXT, max_size=4),
        st.integers(1, 4),
    )
    def check(items: list[str | None], rows: list[str], n: int) -> None:
        corpus = [_normal(row) for row in rows]
        column = pa.array(rows, pa.string())
        for held in (column, bow.index(column)):
            found = bow.contamination(held, pa.array(items, pa.string()), method=method, n=n)
            for item, score in zip(items, found.items["score"].to_pylist(), strict=True):
                expected = _expected(method, _normal(item), corpus, n)
                assert (score is None) == (expected is None)
                assert score is None or math.isclose(score, expected)

    check()


@settings(max_examples=60)
@given(
    st.lists(st.none() | st.text("ab é", max_size=12), min_size=1),
    st.lists(st.text("ab é", max_size=20)),
)
def test_windows_of_characters(items: list[str | None], rows: list[str]) -> None:
    found = bow.contamination(
        pa.array(rows, pa.string()), pa.array(items, pa.string()), method="windows", n=5
    )
    for item, row in zip(items, found.items.to_pylist(), strict=True):
        text = item or ""
        starts = [match.start() for match in re.finditer(r"(?<!\S)\S", text)]
        windows = [text[at : at + 5] for at in starts if at + 5 <= len(text)]
        if len(text) < 5:
            windows = [text] if text and not text[0].isspace() else []
        hits = sum(any(window in other for other in rows) for window in windows)
        assert (row["grams"], row["found"]) == (len(windows), hits)
        score = hits / len(windows) if windows else None
        assert row["score"] == score
        grade = (
            None
            if score is None
            else ("clean", "suspicious", "dirty")[(score >= 0.2) + (score >= 0.8)]
        )
        assert row["grade"] == grade


@settings(max_examples=60)
@given(
    st.lists(st.tuples(TEXT, st.none() | TEXT), min_size=1, max_size=4), st.lists(TEXT, max_size=4)
)
def test_whole_items(items: list[tuple[str, str | None]], rows: list[str]) -> None:
    questions, answers = ([item[at] for item in items] for at in (0, 1))
    found = bow.contamination(
        pa.array(rows, pa.string()),
        {"q": pa.array(questions, pa.string()), "a": pa.array(answers, pa.string())},
        method="whole",
    )
    for item, row in zip(items, found.items.to_pylist(), strict=True):
        parts = [part for part in map(_normal, item) if part]
        holders = [
            at
            for at, other in enumerate(map(_normal, rows))
            if parts and all(tuple(part) in _windows(other, len(part)) for part in parts)
        ]
        grade = None if not parts else "contaminated" if holders else "clean"
        assert row["grade"] == grade
        if holders:
            assert row["row"] == holders[0]


def test_fields_apart_and_together() -> None:
    corpus = ["one two three four five six", "seven eight"]
    items = pa.table(
        {
            "set": ["x", "x", "y"],
            "question": ["One, two three FOUR!", "nothing of it is there", "five six"],
            "answer": ["seven eight nine ten", None, "a"],
        }
    )
    found = bow.contamination(
        corpus, items, benchmark="set", method="ngram-match", n=2, threshold=0.5
    )
    rows = found.items.to_pylist()
    assert [row["score"] for row in rows] == [4 / 6, 0.0, 1.0]
    assert [row["grade"] for row in rows] == ["contaminated", "clean", "contaminated"]
    first = rows[0]
    place = (first["field"], first["start"], first["stop"], first["row"], first["row_start"])
    assert place == ("question", 0, 20, 0, 0)
    assert first["row_stop"] == len("one two three four")
    apart = found.fields.select(["item", "field", "score"]).to_pylist()
    assert apart[1] == {"item": 0, "field": "answer", "score": 1 / 3}
    assert apart[3]["score"] is None
    assert found.summary.to_pylist() == [
        {"benchmark": "x", "items": 2, "graded": 2, "score": 1 / 3, "clean": 1, "contaminated": 1},
        {"benchmark": "y", "items": 1, "graded": 1, "score": 1.0, "clean": 0, "contaminated": 1},
    ]
    once = bow.contamination(corpus * 3, items, benchmark="set", n=2, max_count=2)
    assert set(once.items["grade"].to_pylist()) == {"clean"}
    often = bow.contamination(corpus * 3, items, benchmark="set", n=2, min_count=3)
    assert often.items["grade"].to_pylist() == ["dirty", "clean", "dirty"]


def test_tokens() -> None:
    corpus = [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 99, 12, 13], [7] * 5]
    items = [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 50], [5, 6]]
    for held in (corpus, bow.index(corpus), bow.index(corpus, segment_symbols=14)):
        found = bow.contamination(held, items, method="llama2")
        assert found.items["score"].to_pylist() == [13 / 14, None]
        assert found.items["grade"].to_pylist() == ["dirty", None]
    assert (
        bow.contamination(corpus, items, method="llama2", skip_budget=0).items["score"][0].as_py()
        == 0
    )


def test_a_bulletin(tmp_path: Path) -> None:
    corpus = ["before <b> the cat sat on the mat & slept </b> after"]
    items = {"q": ["Cat sat on the mat & slept", "no"], "a": ["<mat>", None]}
    found = bow.contamination(corpus, items, n=3, benchmark="cats")
    found.report(tmp_path / "page.html", title="A <bulletin>")
    page = (tmp_path / "page.html").read_text()
    assert "A &lt;bulletin&gt;" in page
    assert "<mark>Cat sat on the mat &amp; slept</mark>" in page
    assert "before &lt;b&gt; the <mark>cat sat on the mat &amp; slept</mark>" in page
    assert "http" not in page
    streamed = bow.contamination(iter(corpus), items, n=3)
    streamed.report(tmp_path / "page.html")
    assert "row 0 of the corpus" in (tmp_path / "page.html").read_text()


def test_threads_and_pieces_change_nothing() -> None:
    corpus = pa.array([f"the {n % 7} cats of {n % 5} and {n % 3} dogs" for n in range(500)])
    items = [f"cats of {n % 5} and {n % 4} dogs" for n in range(40)]
    once = bow.contamination(corpus, items, n=3, threads=1, method="token-extend")
    for threads in (2, 5):
        again = bow.contamination(corpus, items, n=3, threads=threads, method="token-extend")
        assert again.fields.equals(once.fields)


def test_what_cannot_be_asked() -> None:
    for options, message in (
        ({"method": "bloom"}, "method is 'bloom'"),
        ({"n": 0}, "n is 0"),
        ({"units": "line"}, "units is 'line'"),
        ({"threshold": 2.0}, "threshold is 2.0"),
        ({"min_count": 0}, "min_count is 0"),
        ({"method": "llama2", "min_count": 2}, "min_count is 2"),
        ({"fields": ["q"]}, "fields is"),
        ({"min_count": 3, "max_count": 2}, "max_count is 2 and min_count is 3"),
        ({"benchmark": ["a", "b"]}, "benchmark has 2"),
    ):
        with pytest.raises(bow.InvalidInput, match=message):
            bow.contamination(["a"], ["a"], **options)  # type: ignore[arg-type]
    with pytest.raises(bow.UnsupportedType, match="tokens"):
        bow.contamination([[1]], ["a"])
    with pytest.raises(bow.InvalidInput, match=r"a column of one row is \[items\]"):
        bow.contamination(["a"], "abc")
    found = bow.contamination(["a"], {"question": ["a"], "answer": ["b"]}, n=1, fields="answer")
    assert found.items["grade"].to_pylist() == ["clean"]
    with pytest.raises(bow.UnsupportedType, match="units is 'token'"):
        bow.contamination(["a"], ["a"], units="token")
