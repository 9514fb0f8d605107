"""How much rows repeat themselves."""

from __future__ import annotations

import math
from random import Random
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bowstring as bow
from oracles import repetition as oracle

TEXTS = st.one_of(
    st.text("ab \n", max_size=60),
    st.text("aé€ \n\t\x1c\u2003", max_size=40),
    st.lists(st.sampled_from(["to", "be", "or", "not", "\n", "\n\n", "é"]), max_size=60).map(
        " ".join
    ),
)

RULES = {
    "dup_para_frac": 0.3,
    "dup_para_char_frac": 0.2,
    "dup_line_frac": 0.3,
    "dup_line_char_frac": 0.2,
    "top_2_gram": 0.2,
    "top_3_gram": 0.18,
    "top_4_gram": 0.16,
    "dup_5_gram": 0.15,
    "dup_6_gram": 0.14,
    "dup_7_gram": 0.13,
    "dup_8_gram": 0.12,
    "dup_9_gram": 0.11,
    "dup_10_gram": 0.10,
}


@pytest.mark.parametrize("definition", ["datatrove", "dolma", "nemo"])
def test_shares_agree_with_the_definitions(definition: Any) -> None:
    define = getattr(oracle, definition)

    @settings(max_examples=300)
    @given(st.lists(TEXTS.filter(bool), min_size=1, max_size=5))
    def check(texts: list[str]) -> None:
        found = bow.repetition(texts, definition=definition)
        kept = bow.repetition(texts, definition=definition, filter="gopher").to_pylist()
        for text, row, verdict in zip(texts, found.to_pylist(), kept, strict=True):
            expected = define(text, text.split())
            for name, share in expected.items():
                assert (row[name] is None) == (share is None), name
                assert share is None or math.isclose(row[name], share, abs_tol=1e-12), name
            if definition != "nemo":
                broken = [name for name, most in RULES.items() if (expected[name] or 0) > most]
                assert verdict == {"keep": not broken, "reason": broken[0] if broken else None}

    check()


def test_dolma_s_own_figures() -> None:
    (row,) = bow.repetition(["a b c d e f a b c d e f x\nq\nq"], definition="dolma").to_pylist()
    expected = {
        "top_2_gram": 0.26667,
        "top_3_gram": 0.4,
        "top_4_gram": 0.53333,
        "dup_5_gram": 0.363636,
        "dup_6_gram": 0.2,
        "dup_line_frac": 0.66667,
        "dup_line_char_frac": 0.13333,
    }
    assert {name: round(row[name], len(str(value)) - 2) for name, value in expected.items()} == (
        expected
    )


def test_against_datatrove() -> None:
    module = pytest.importorskip(
        "datatrove.pipeline.filters.gopher_repetition_filter", reason="datatrove is not installed"
    )
    from datatrove.data import Document

    random = Random(1)
    texts = [
        " ".join(random.choices(["to", "be", "or", "not", "é", "a\n", "b\n\n"], k=length))
        for length in range(120)
        for _ in range(3)
    ]
    peer = module.GopherRepetitionFilter()
    split, module.split_into_words = module.split_into_words, lambda text, _: text.split()
    names = {f"duplicated_{n}_n_grams": f"dup_{n}_gram" for n in range(5, 11)}
    try:
        for text, row in zip(
            texts, bow.repetition(texts, filter="gopher").to_pylist(), strict=True
        ):
            verdict = peer.filter(Document(text=text, id="0"))
            reason = None if verdict is True else names.get(verdict[1], verdict[1])
            assert row == {"keep": reason is None, "reason": reason}, text
    finally:
        module.split_into_words = split


@given(st.lists(st.none() | st.text("aé ", max_size=20), max_size=6))
def test_repeats_and_loops_of_text(texts: list[str | None]) -> None:
    column = pa.array(texts, pa.string())
    for threads in (1, 3):
        found = bow.repetition(column, threads=threads).to_pylist()
        for text, row in zip(texts, found, strict=True):
            if text is None:
                assert set(row.values()) == {None}
                continue
            parts = [text[a:b] for a in range(len(text)) for b in range(a + 1, len(text) + 1)]
            twice = [part for part in parts if text.find(part, text.find(part) + 1) >= 0]
            longest = max((len(part.encode()) for part in twice), default=0)
            assert row["longest_repeat"] == longest
            if longest:
                data, start = text.encode(), row["longest_repeat_start"]
                part = data[start : start + longest]
                assert data.find(part) == start
                assert data.find(part, start + 1) > start
                part.decode()
            assert row["row_count"] == texts.count(text)
            names = ("loop_start", "loop_length", "loop_period")
            best = max(_loops(text), key=lambda it: (it[1], -it[0], -it[2]), default=(None,) * 3)
            assert tuple(row[name] for name in names) == best
            if best[0] is not None:
                assert row["loop_times"] == best[1] / best[2] >= 2


def _loops(text: str) -> list[tuple[int, int, int]]:
    """Start, length and period of all maximal repetitions of characters, in bytes."""
    found: dict[tuple[int, int], int] = {}
    for period in range(1, len(text) // 2 + 1):
        start = 0
        for at in range(len(text) - period + 1):
            if at < len(text) - period and text[at] == text[at + period]:
                continue
            if at + period - start >= 2 * period:
                found.setdefault((start, at + period), period)
            start = at + 1
    places = [len(text[:at].encode()) for at in range(len(text) + 1)]
    return [
        (places[start], places[stop] - places[start], places[start + period] - places[start])
        for (start, stop), period in found.items()
    ]


@settings(max_examples=150)
@given(st.lists(st.none() | st.text("aé€", max_size=24), max_size=4), st.integers(1, 8))
def test_all_loops(texts: list[str | None], least: int) -> None:
    found = bow.loops(pa.array(texts, pa.string()), min_length=least, min_times=2.5)
    expected = [
        {"row": row, "start": start, "stop": start + length, "period": period, "times": times}
        for row, text in enumerate(texts)
        for start, length, period in sorted(_loops(text or ""), key=lambda it: (it[0], it[2]))
        if length >= least and (times := length / period) >= 2.5
    ]
    assert found.to_pylist() == expected


def test_loops_of_tokens_and_bytes() -> None:
    assert bow.loops([[7, 8, 7, 8, 7], [1]]).to_pylist() == [
        {"row": 0, "start": 0, "stop": 5, "period": 2, "times": 2.5}
    ]
    assert bow.loops([b"\xff\xff\xfe"])["stop"].to_pylist() == [2]
    long = "".join(chr(97 + at % 26) for at in range(1000)) * 3
    assert bow.loops([long], min_length=3000).to_pylist()[0]["period"] == 1000


def test_tokens_and_given_words() -> None:
    found = bow.repetition([[1, 2, 1, 2, 1], [], None])
    assert "top_2_gram" not in found.column_names
    first, second, third = found.to_pylist()
    assert (first["words"], first["rep_2"], first["longest_repeat"]) == (5, 0.5, 3)
    assert (first["loop_period"], first["loop_times"]) == (2, 2.5)
    assert (second["words"], second["rep_1"], second["loop_period"]) == (0, None, None)
    assert third["words"] is None
    texts = ["abab", "cd"]
    given_words = [["a", "b", "a", "b"], ["cd"]]
    assert bow.repetition(texts, words=given_words)["words"].to_pylist() == [4, 1]
    assert bow.repetition(texts, words=pa.array(given_words))["distinct_2"].to_pylist()[0] == 2 / 3
    assert bow.repetition(["ab" * 500], compression=True)["compression_ratio"][0].as_py() < 0.1


def test_what_cannot_be_asked() -> None:
    with pytest.raises(bow.InvalidInput, match="definition is"):
        bow.repetition(["a"], definition="gopher")  # type: ignore[arg-type]
    with pytest.raises(bow.InvalidInput, match="filter is 'c4'"):
        bow.repetition(["a"], filter="c4")  # type: ignore[arg-type]
    with pytest.raises(bow.UnsupportedType, match="tokens"):
        bow.repetition([[1]], filter="gopher")
    with pytest.raises(bow.InvalidInput, match="words has 1 rows"):
        bow.repetition(["a", "b"], words=[["a"]])
    with pytest.raises(bow.UnsupportedType, match="lists of strings"):
        bow.repetition(["a"], words=pa.array([1]))
    with pytest.raises(bow.InvalidInput, match=r"min_times is 1\.5"):
        bow.loops(["a"], min_times=1.5)
    with pytest.raises(bow.UnsupportedType, match="double"):
        bow.loops(pa.array([1.5]))
