"""The language model: probabilities and distributions, scores, and what cannot be asked."""

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
from bowstring import LanguageModel, Prediction
from oracles import language as oracle
from oracles.search import symbols
from strategies import KINDS, Case, Kind, cases, held

NewPath = Callable[[], Path]


def _asked(case: Case) -> list[Any]:
    return [query for query in case.queries if query is not None]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_distributions_agree_with_the_definition(kind: Kind, new_path: NewPath) -> None:
    @settings(max_examples=40)
    @given(cases(kind))
    def check(case: Case) -> None:
        prompts = [*case.queries, case.kind.join([])]
        column = pa.array(prompts, kind.query_type)
        for backoff in (False, True):
            expected: list[Any] = [
                None if prompt is None else oracle.distribution(case.rows, prompt, backoff)
                for prompt in prompts
            ]
            for where, index in held(case, new_path):
                model = LanguageModel(index)
                ask = model.infgram_ntd if backoff else model.ntd
                for prompt, rows in zip(prompts, expected, strict=True):
                    if prompt is not None and (len(prompt) or kind.name != "tokens"):
                        assert ask(prompt).to_pylist() == rows, where
                flat = [
                    {"query": at, **row} for at, rows in enumerate(expected) for row in rows or []
                ]
                assert ask(column).to_pylist() == flat, where
                # As many occurrences as there are to look at are all of them.
                every = ask(column, max_support=10**6)
                assert every.drop_columns(["approximate"]).to_pylist() == flat

    check()


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_probabilities_agree_with_the_definition(kind: Kind, new_path: NewPath) -> None:
    @settings(max_examples=40)
    @given(cases(kind), st.data())
    def check(case: Case, data: st.DataObject) -> None:
        prompts = _asked(case)
        known = sorted({symbol for prompt in prompts for symbol in symbols(prompt)})
        tokens = [data.draw(st.sampled_from([*known, 3])) for _ in prompts]
        nexts: list[int | None] = [*tokens, None]
        for where, index in held(case, new_path):
            model = LanguageModel(index)
            columns: dict[bool, list[Any]] = {False: [], True: []}
            for prompt, token in zip([*prompts, prompts[0]], nexts, strict=True):
                own = list(symbols(prompt))
                for backoff, context in (
                    (False, own),
                    (True, oracle.backed_off(case.rows, own)),
                ):
                    found = oracle.following(case.rows, context)
                    total, count = found.total(), found[token]
                    expected = Prediction(
                        count / total if total else None, count, total, len(context)
                    )
                    columns[backoff].append(expected)
                    end = token is None
                    if backoff:
                        assert model.infgram_prob(prompt, token, end=end) == expected, where
                    else:
                        assert model.prob(prompt, token, end=end) == expected.prob, where
            column = pa.array(prompts, kind.query_type)
            flat = [one.prob for one in columns[False][:-1]]
            assert model.prob(column, pa.array(tokens, pa.uint32())).to_pylist() == flat
            table = model.infgram_prob(column, tokens)
            assert table.to_pylist() == [
                {
                    "prob": one.prob,
                    "count": one.count,
                    "prompt_count": one.prompt_count,
                    "suffix_length": one.suffix_length,
                }
                for one in columns[True][:-1]
            ]

    check()


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_scores_agree_with_the_definition(kind: Kind, new_path: NewPath) -> None:
    @settings(max_examples=40)
    @given(cases(kind), st.none() | st.integers(1, 4), st.booleans())
    def check(case: Case, order: int | None, end: bool) -> None:
        texts = [None if text is None else text[:30] for text in [*case.queries, *case.rows[:2]]]
        if kind.name == "string":
            texts = [None if text is None else text[:9] for text in texts]
        expected = oracle.score(case.rows, texts, order, end)
        column = pa.array(texts, kind.query_type)
        for where, index in held(case, new_path):
            for threads in (1, 2):
                scores = LanguageModel(index).score(column, order=order, end=end, threads=threads)
                assert scores.table.to_pylist() == expected, where

    check()


def test_the_end_of_a_row_is_a_continuation_like_any_other() -> None:
    model = LanguageModel(bow.index([[1, 2], [1, 2], [1], [], None]))
    by_token = {row["token"]: row["prob"] for row in model.ntd([1]).to_pylist()}
    assert by_token == {2: model.prob([1], 2), None: model.prob([1], end=True)}
    assert model.prob([1, 2], end=True) == 1.0
    assert model.prob([], end=True) == 5 / 10


def test_one_token_or_prompt_for_a_column() -> None:
    model = LanguageModel(bow.index(["abac", "ab"]))
    assert model.prob(["a", "b", None], "b").to_pylist() == [2 / 3, 0.0, None]
    assert model.prob("a", ["b", "c", None]).to_pylist() == [2 / 3, 1 / 3, None]
    assert model.prob(["a", "b"], end=True).to_pylist() == [0.0, 0.5]
    assert model.prob("a", pa.array([98, 99])).to_pylist() == [2 / 3, 1 / 3]
    assert model.prob("a", "bac") == 1 / 3
    tokens = LanguageModel(bow.index([[1, 2, 3], [1, 2]]))
    assert tokens.prob([[1], [2]], [[2, 3], [3]]).to_pylist() == [0.5, 0.5]
    assert tokens.prob([1], [2, 3]).to_pylist() == [1.0, 0.0]


def test_sampled_distributions_say_so_and_add_up() -> None:
    rows = [[1, 2 + at % 3] for at in range(900)]
    whole, pieces = bow.index(rows), bow.index(rows, segment_symbols=500)
    asked: dict[str, Any] = {"max_support": 300, "seed": 5}
    found = LanguageModel(whole).ntd([1], **asked)
    assert found == LanguageModel(pieces).ntd([1], **asked)
    assert found["approximate"].to_pylist() == [True] * 3
    assert math.isclose(sum(found["prob"].to_pylist()), 1.0, rel_tol=0.01)
    assert all(200 < count < 400 for count in found["count"].to_pylist())
    assert found != LanguageModel(whole).ntd([1], max_support=300, seed=6)


def test_what_scores_add_up_to() -> None:
    scores = LanguageModel(bow.index(["banana"])).score(["anan", None, ""], end=True)
    assert len(scores) == 6
    assert scores.table["token"].null_count == 2
    assert scores.predicted == 2 / 6
    assert scores.perplexity == math.inf
    empty = LanguageModel(bow.index(["banana"])).score(pa.array([], pa.string()))
    assert (len(empty), empty.predicted, empty.perplexity) == (0, None, None)
    agreement = scores.agreement()
    assert sum(agreement["symbols"].to_pylist()) == 6
    nothing = LanguageModel(bow.index(pa.array([], pa.string()))).score(["ab"])
    assert nothing.table["prob"].to_pylist() == [None, None]


def test_generated_text() -> None:
    model = LanguageModel(bow.index(["abcabcabd", None]))
    assert model.generate("xab", 100, temperature=0) == "cabcabd"
    assert model.generate("ab", 3, seed=1) == model.generate("ab", 3, seed=1)
    drawn = {model.generate("ab", 5, seed=seed) for seed in range(50)}
    assert drawn == {"cabca", "cabd", "d"}
    assert model.generate(["xab", None], 2, temperature=0).to_pylist() == ["ca", None]
    assert LanguageModel(bow.index([b"\xff\xfe"])).generate(b"\xff", 5) == b"\xfe"
    tokens = LanguageModel(bow.index([[1, 2, 3], [1, 2, 3, 70_000]]))
    assert tokens.generate([9, 1], 2, temperature=0) == [2, 3]
    assert tokens.generate([], 0) == []
    with pytest.raises(bow.InvalidInput, match="temperature is -1"):
        model.generate("a", 1, temperature=-1)
    with pytest.raises(bow.UnsupportedType, match="temperature is 'hot'"):
        model.generate("a", 1, temperature="hot")  # type: ignore[arg-type]


def test_rows_that_go_on_so() -> None:
    model = LanguageModel(bow.index(["naïve", "aïs", "x"]))
    found = model.next_rows("zzaï").to_pylist()
    assert found == [{"row": 0, "start": 1, "stop": 4}, {"row": 1, "start": 0, "stop": 3}]
    assert model.next_rows("zzaï", limit=1).num_rows == 1
    assert model.next_rows("q").num_rows == 0
    # The second byte of ï is one of ü's too, which does not occur.
    assert model.next_rows("ü").num_rows == 0
    with pytest.raises(bow.UnsupportedType, match="prompt is a column"):
        model.next_rows(["a", "b"])


def test_what_cannot_be_asked() -> None:
    text, tokens = LanguageModel(bow.index(["ab"])), LanguageModel(bow.index([[1, 2]]))
    with pytest.raises(bow.InvalidInput, match="neither given"):
        text.prob("a")
    with pytest.raises(bow.InvalidInput, match="both given"):
        text.prob("a", "b", end=True)
    with pytest.raises(bow.InvalidInput, match="token is 256"):
        text.prob("a", 256)
    with pytest.raises(bow.InvalidInput, match="token is -1"):
        text.prob("a", -1)
    with pytest.raises(bow.InvalidInput, match="token is empty"):
        text.prob("a", "")
    with pytest.raises(bow.InvalidInput, match="3 values and prompt has 2"):
        tokens.prob([[1], [2]], [1, 2, 3])
    with pytest.raises(bow.UnsupportedType, match="prompt is text"):
        tokens.prob("a", 1)
    with pytest.raises(bow.UnsupportedType, match="prompt 0 is a list of tokens"):
        text.ntd([[1], [2]])
    with pytest.raises(bow.UnsupportedType, match="data"):
        tokens.score(["a"])
    with pytest.raises(bow.InvalidInput, match="order is 0"):
        text.score(["a"], order=0)
    with pytest.raises(bow.UnsupportedType, match="index is a list"):
        LanguageModel(["a"])  # type: ignore[arg-type]


@pytest.mark.parametrize("length", [1, 50, 5000])
def test_runs_of_one_symbol(length: int) -> None:
    """A run longer than the index has goes on with all of that one's length."""
    model = LanguageModel(bow.index([" " * length + "b"]))
    table = model.score(["a" + " " * (2 * length) + "b"]).table
    lengths = [0, *(min(at, length) for at in range(2 * length + 1))]
    assert table["suffix_length"].to_pylist() == lengths
    assert table["count"].to_pylist()[-1] == 1
    assert table["prob"].to_pylist()[length + 2 : -1] == [0.0] * (length - 1)


def test_rows_that_stand_in_the_index_as_they_are() -> None:
    row = [(at * at) % 30_011 for at in range(20_000)]
    model = LanguageModel(bow.index([row, row, row[5:]], segment_symbols=30_000))
    assert len(model.index.info.segments) > 1
    table = model.score([row]).table
    assert table["suffix_length"].to_pylist() == list(range(len(row)))
    assert set(table["count"].to_pylist()[6:]) == {2}
