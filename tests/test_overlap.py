"""Maximal matches of texts in an index."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bowstring as bow
from oracles import search as oracle
from strategies import KINDS, Case, Kind, cases, held

NewPath = Callable[[], Path]


def _matches(rows: list[Any], text: Any, least: int, most: int | None) -> list[dict[str, Any]]:
    """The longest part that occurs from each place on, unless it is within the one before."""
    own = oracle.symbols(text)
    cut = [at for at in range(len(own) + 1) if not isinstance(text, str) or _whole(own, at)]
    found: list[dict[str, Any]] = []
    for start in cut:
        for stop in reversed([at for at in cut if at > start]):
            part = own[start:stop].decode() if isinstance(text, str) else own[start:stop]
            count = sum(len(oracle.starts(row, part)) for row in rows)
            if count:
                longer = not found or stop > found[-1]["stop"]
                if longer and stop - start >= least and count <= (most or count):
                    found.append({"start": start, "stop": stop, "count": count, "match": part})
                break
    return found


def _whole(text: bytes, at: int) -> bool:
    return at == len(text) or text[at] & 0xC0 != 0x80


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_matches_agree_with_the_definition(kind: Kind, new_path: NewPath) -> None:
    @settings(max_examples=40)
    @given(cases(kind), st.integers(1, 4), st.none() | st.integers(1, 9))
    def check(case: Case, least: int, most: int | None) -> None:
        texts = [None if text is None else text[:12] for text in case.queries]
        expected = [
            {"query": at, **row}
            for at, text in enumerate(texts)
            if text is not None
            for row in _matches(case.rows, text, least, most)
        ]
        for where, index in held(case, new_path):
            found = bow.matches(
                index, pa.array(texts, kind.query_type), min_length=least, max_count=most
            )
            assert found.drop_columns(["unigram_logprob"]).to_pylist() == expected, where

    check()


def test_where_matches_occur_and_how_probable_they_are() -> None:
    index = bow.index([[1, 2, 3], [1, 2, 4, 4], None])
    found = bow.matches(index, [9, 1, 2, 4], where=1)
    (row,) = found.to_pylist()
    assert row["match"] == [1, 2, 4]
    assert row["where"] == [{"row": 1, "start": 0, "stop": 3}]
    assert math.isclose(row["unigram_logprob"], math.log(2 / 7 * 2 / 7 * 2 / 7))
    column = bow.matches(index, [[1, 2], None, [9]], where=10)
    assert column["query"].to_pylist() == [0]
    assert len(column["where"][0].as_py()) == 2


def test_the_least_probable_ones() -> None:
    index = bow.index(["aaaa aaaa", "xyz"])
    text = "aaaa-xyz"
    assert bow.matches(index, text)["match"].to_pylist() == ["aaaa", "xyz"]
    assert bow.matches(index, text, density=0.1)["match"].to_pylist() == ["xyz"]
    assert bow.matches(index, text, density=0.0).num_rows == 0


def test_words_and_delimiters() -> None:
    index = bow.index(["one two. three four", "tea"])
    text = "bone two. three fours"
    assert bow.matches(index, text, min_length=4)["match"].to_pylist() == ["one two. three four"]
    words = bow.matches(index, text, min_length=4, boundary="word")
    assert words["match"].to_pylist() == [" two. three "]
    cut = bow.matches(index, text, min_length=4, delimiters=".")
    assert cut["match"].to_pylist() == ["one two.", " three four"]
    tokens = bow.index([[1, 10, 2, 11, 1, 12]])
    begin = bow.matches(tokens, [10, 2, 11, 1, 13], word_starts=[1, 2])
    assert begin["match"].to_pylist() == [[2, 11]]


def test_what_cannot_be_asked() -> None:
    text, tokens = bow.index(["ab"]), bow.index([[1]])
    for options, message in (
        ({"min_length": 0}, "min_length is 0"),
        ({"boundary": "line"}, "boundary is 'line'"),
        ({"density": 2.0}, "density is 2"),
        ({"delimiters": "é"}, "delimiters is 'é'"),
        ({"delimiters": [-1]}, "delimiters is -1"),
    ):
        with pytest.raises(bow.InvalidInput, match=message):
            bow.matches(text, "a", **options)  # type: ignore[arg-type]
    with pytest.raises(bow.InvalidInput, match="word_starts"):
        bow.matches(tokens, [1], boundary="word")
    with pytest.raises(bow.UnsupportedType, match="texts is text"):
        bow.matches(tokens, "a")
