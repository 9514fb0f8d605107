"""Models of several orders, mixtures with another model's probabilities, and their weights."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import bowstring as bow
from bowstring import LanguageModel, Mixture, Scores
from oracles import language as oracle
from oracles.search import symbols
from strategies import KINDS, Case, Kind, cases, held

NewPath = Callable[[], Path]
ROWS = [[1, 2, 3], [1, 2, 4], [2, 3], None]


def _known(case: Case) -> list[int]:
    return sorted({symbol for row in case.rows if row is not None for symbol in symbols(row)} | {3})


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_counts_agree_with_the_definition(kind: Kind, new_path: NewPath) -> None:
    @settings(max_examples=30)
    @given(cases(kind), st.data())
    def check(case: Case, data: st.DataObject) -> None:
        prompts = [*case.queries, case.kind.join([])]
        column = pa.array(prompts, kind.query_type)
        candidates = st.lists(st.none() | st.sampled_from(_known(case)), max_size=9)
        orders = data.draw(st.lists(st.integers(1, 6), min_size=1, max_size=3))
        one = data.draw(candidates)
        each = [data.draw(st.none() | candidates) for _ in prompts]
        lists = pa.array(each, pa.large_list(pa.int64()))
        same = [oracle.counts(case.rows, prompt, orders, one) for prompt in prompts]
        own = [
            oracle.counts(case.rows, prompt, orders, asked)
            for prompt, asked in zip(prompts, each, strict=True)
        ]
        for where, index in held(case, new_path):
            model = LanguageModel(index)
            for asked, expected in ((one, same), (lists, own)):
                for threads in (1, 2):
                    found = model.counts(column, orders, asked, threads=threads)
                    assert found[0].to_pylist() == [row[0] for row in expected], where
                    assert found[1].to_pylist() == [row[1] for row in expected], where
            for prompt, (numerators, denominators) in zip(prompts, same, strict=True):
                if prompt is not None:
                    alone = model.counts(prompt, orders, one)
                    assert alone[0].to_pylist() == numerators, where
                    assert alone[1].to_pylist() == denominators, where

    check()


def test_counts_of_more_candidates_than_occurrences_and_of_fewer() -> None:
    rows = [[1, at % 50] for at in range(200)] + [[1]]
    for most in (None, 60):
        model = LanguageModel(bow.index(rows, segment_symbols=most))
        for number in (10, 50, 400):
            numerators, denominators = model.counts([1], [2], [*range(2, number), None])
            expected = [4] * min(48, number - 2) + [0] * max(0, number - 50) + [5]
            assert numerators.to_pylist() == [expected]
            assert denominators.to_pylist() == [205]


def test_counts_are_one_array_of_numpy_without_a_copy() -> None:
    model = LanguageModel(bow.index(ROWS))
    prompts = [[1, 2], [], None, [9]] * 100
    numerators, denominators = model.counts(prompts, [1, 2], [3, 4, None])
    assert numerators.type == pa.list_(pa.large_list(pa.field("item", pa.uint64(), False)), 2)
    assert denominators.type == pa.list_(pa.uint64(), 2)
    flat = numerators.values.values.to_numpy(zero_copy_only=True).reshape(400, 2, 3)
    assert flat[:4].tolist() == [
        [[2, 1, 4], [2, 1, 0]],
        [[2, 1, 4], [0, 0, 0]],
        [[0, 0, 0], [0, 0, 0]],
        [[2, 1, 4], [0, 0, 0]],
    ]
    # More contexts than are counted at once.
    for found in (numerators, denominators):
        assert found.to_pylist() == found[:4].to_pylist() * 100
        assert [row is None for row in found[:4].to_pylist()] == [False, False, True, False]
        assert found[1].as_py()[1] is None
    # Where only the length of contexts leaves something open, that is null alone.
    short = model.counts([[1, 2], [2]], [3], [3])
    assert short[0].values.values.to_numpy(zero_copy_only=True).tolist() == [1, 0]
    assert (short[0].to_pylist(), short[1].to_pylist()) == ([[[1]], [None]], [[2], [None]])


def test_candidates_in_any_form() -> None:
    model = LanguageModel(bow.index(ROWS))
    expected = [[[2, 1]], [[2, 1]]]
    for one in (
        [3, 4],
        (3, 4),
        range(3, 5),
        np.array([3, 4], np.uint16),
        pa.array([3, 4]),
        pa.chunked_array([[3], [4]]),
        pl.Series([3, 4]),
        pd.Series([3, 4]),
    ):
        assert model.counts([[1, 2], [2]], [2], one)[0].to_pylist() == expected, one
    for lists in (
        [[3, 4], [3, 4]],
        [np.array([3, 4])] * 2,
        np.array([[3, 4], [3, 4]]),
        pa.array([[3, 4], [3, 4]], pa.list_(pa.uint8(), 2)),
        pa.chunked_array([[[0], [3, 4]], [[3, 4]]]).slice(1),
        pl.Series([[3, 4], [3, 4]]),
        pd.Series([[3, 4], [3, 4]]),
    ):
        assert model.counts([[1, 2], [2]], [2], lists)[0].to_pylist() == expected, lists
    assert model.counts([2], [2], [[3, 4]])[0].to_pylist() == expected[0]
    assert model.counts([[2], [2]], [2], [])[0].to_pylist() == [[[]], [[]]]
    assert model.counts([[2], [2]], [2], [[], None])[0].to_pylist() == [[[]], None]
    assert model.counts([[2]], [2], [None])[0].to_pylist() == [[[0]]]
    assert model.counts(pa.array([], pa.list_(pa.int8())), [2], [3])[0].to_pylist() == []


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_scores_of_several_orders_agree_with_the_definition(kind: Kind, new_path: NewPath) -> None:
    @settings(max_examples=30)
    @given(
        cases(kind),
        st.data(),
        st.integers(1, 6),
        st.floats(0, 1),
        st.dictionaries(st.integers(1, 6), st.integers(0, 3), min_size=1, max_size=3),
    )
    def check(
        case: Case, data: st.DataObject, order: int, alpha: float, weights: dict[int, int]
    ) -> None:
        weights = weights if any(weights.values()) else {1: 1}
        mixed = {order: float(weight) for order, weight in weights.items()}
        prompts = [*case.queries, case.kind.join([])]
        column = pa.array(prompts, kind.query_type)
        tokens = [data.draw(st.sampled_from(_known(case))) for _ in prompts]

        def of(prompt: Any, token: int | None) -> tuple[float | None, float | None]:
            if prompt is None:
                return None, None
            own = list(symbols(prompt))
            tail = own[max(0, len(own) - order + 1) :]
            return (
                oracle.stupid_backoff(case.rows, tail, token, alpha),
                oracle.interpolated(case.rows, own, token, mixed),
            )

        for ends in (False, True):
            asked: dict[str, Any] = {"end": True} if ends else {"token": pa.array(tokens)}
            expected = [
                of(prompt, None if ends else token)
                for prompt, token in zip(prompts, tokens, strict=True)
            ]
            for where, index in held(case, new_path):
                model = LanguageModel(index)
                backoff = model.stupid_backoff(column, order=order, alpha=alpha, **asked)
                means = model.interpolated(column, weights=mixed, **asked)
                both = zip(backoff.to_pylist(), means.to_pylist(), strict=True)
                for found, wanted in zip(both, expected, strict=True):
                    for one, other in zip(found, wanted, strict=True):
                        assert (one is None) == (other is None), where
                        assert one is None or math.isclose(one, other or 0.0, rel_tol=1e-12), where
                for at, prompt in enumerate(prompts):
                    if prompt is not None:
                        next = {} if ends else {"token": tokens[at]}
                        alone = model.stupid_backoff(
                            prompt, order=order, alpha=alpha, end=ends, **next
                        )
                        assert alone == backoff[at].as_py(), where
                        alone = model.interpolated(prompt, weights=mixed, end=ends, **next)
                        assert alone == means[at].as_py(), where

    check()


def test_one_token_or_prompt_for_a_column() -> None:
    model = LanguageModel(bow.index(["abac", "ab"]))
    assert model.stupid_backoff(["a", "b", None], "b").to_pylist() == [2 / 3, 0.4 * 2 / 8, None]
    assert model.stupid_backoff("a", ["b", "c", None]).to_pylist() == [2 / 3, 1 / 3, None]
    weights = {2: 1}
    assert model.interpolated("a", pa.array([98, 99, None]), weights=weights).to_pylist() == [
        2 / 3,
        1 / 3,
        None,
    ]
    assert model.interpolated(["a", "x", ""], "b", weights=weights).to_pylist() == [
        2 / 3,
        None,
        None,
    ]
    # Unigrams are what `prob` says of the empty prompt.
    assert model.stupid_backoff("", "b", order=1) == model.prob("", "b")
    assert model.interpolated("a", end=True, weights={1: 3}) == model.prob("", end=True)
    nothing = LanguageModel(bow.index(pa.array([], pa.string())))
    assert nothing.stupid_backoff("a", "b") is None
    assert nothing.interpolated("a", "b", weights={1: 1}) is None


def test_a_context_is_sparse_where_it_goes_on_in_one_way() -> None:
    model = LanguageModel(bow.index(["abx", "aby", "cd", "cd"]))
    scores = model.score(["abz", "cq", "cd"], end=True).table
    contexts = [row["suffix_length"] for row in scores.to_pylist()]
    assert contexts == [0, 1, 2, 0, 0, 1, 0, 0, 1, 2]
    # ab goes on with x and y, neither of which is asked; c with d only, which is asked once.
    assert scores["sparse"].to_pylist() == [
        *(False, True, False, False),
        *(False, True, False),
        *(False, True, True),
    ]


def _scores(own: list[float | None], sparse: list[bool]) -> Scores:
    return Scores(
        pa.table({"prob": pa.array(own, pa.float64()), "sparse": pa.array(sparse, pa.bool_())}),
        "tokens",
        1,
    )


shares = st.sampled_from([0.0, 1.0, 0.5, 1e-300]) | st.floats(0, 1)


@given(st.lists(st.tuples(st.none() | shares, st.none() | shares, st.booleans()), max_size=12))
@example([(0.0, 2.2250738585e-313, False)])
def test_tuned_weights_are_the_best_ones(symbols: list[tuple[float, float, bool]]) -> None:
    own, others, sparse = ([one[at] for one in symbols] for at in range(3))
    scores = _scores(own, sparse)
    lm_probs = pa.array(others, pa.float64())

    def logs(kinds: set[bool], lam: float) -> float:
        mixed = [
            lam * a + (1 - lam) * b
            for a, b, kind in symbols
            if a is not None and b is not None and kind in kinds and a + b > 0
        ]
        return sum(math.log(one) if one else -math.inf for one in mixed)

    steps = [at / 64 for at in range(65)]
    for by_sparsity, kinds in ((True, [{True}, {False}]), (False, [{True, False}] * 2)):
        tuned = scores.tune_interpolation(lm_probs, by_sparsity=by_sparsity)
        for lam, kind in zip(tuned.lam, kinds, strict=True):
            best = max(logs(kind, step) for step in steps)
            assert logs(kind, lam) >= best - 1e-6
        assert scores.interpolate(lm_probs, tuned).perplexity == tuned.perplexity
        assert scores.interpolate(lm_probs, 0).perplexity == tuned.lm_perplexity


def test_weights_that_are_known() -> None:
    # Of two symbols each model has one: half and half; and a quarter of four.
    scores = _scores([1.0, 0.0, 1.0, 0.0, 0.0, 0.0], [True] * 2 + [False] * 4)
    tuned = scores.tune_interpolation([0.0, 1.0, 0.0, 1.0, 1.0, 1.0])
    assert tuned.lam == pytest.approx((0.5, 0.25), abs=1e-9)
    assert tuned.lm_perplexity == math.inf
    logs = 2 * math.log(1 / 2) + math.log(1 / 4) + 3 * math.log(3 / 4)
    assert tuned.perplexity == pytest.approx(math.exp(-logs / 6))
    pooled = scores.tune_interpolation([0.0, 1.0, 0.0, 1.0, 1.0, 1.0], by_sparsity=False)
    assert pooled.lam == pytest.approx((1 / 3, 1 / 3), abs=1e-9)
    # What neither model holds possible does not keep the rest from being mixed.
    unlikely = _scores([1.0, 0.0, 0.0, None], [False] * 4)
    tuned = unlikely.tune_interpolation([0.0, 1.0, 0.0, 1.0])
    assert tuned.lam == pytest.approx((0.0, 0.5), abs=1e-9)
    assert tuned.perplexity == math.inf
    # Ends are met, and what makes no difference is left to the other model.
    for own, other, lam in ((0.5, 0.25, 1.0), (0.25, 0.5, 0.0), (0.5, 0.5, 0.0), (0.0, 0.0, 0.0)):
        assert _scores([own], [False]).tune_interpolation([other]).lam == (0.0, lam)
    assert _scores([], []).tune_interpolation([]) == Mixture((0.0, 0.0), None, None)


def test_a_mixture_is_scores_like_any_other() -> None:
    scores = LanguageModel(bow.index(["abab", "abac", "xy"])).score(["abx", "xy"])
    lm_probs = [0.5, 0.25, None, 0.125, 0.5]
    own = scores.table["prob"].to_pylist()
    sparse = scores.table["sparse"].to_pylist()
    assert sparse == [False, False, False, False, True]
    mixed = scores.interpolate(lm_probs, (0.75, 0.25))
    weights = [0.75 if one else 0.25 for one in sparse]
    assert mixed.table["prob"].to_pylist() == [
        None if p is None else w * q + (1 - w) * p
        for w, q, p in zip(weights, own, lm_probs, strict=True)
    ]
    assert mixed.table.drop_columns(["prob"]) == scores.table.drop_columns(["prob"])
    assert mixed.table.schema.names == scores.table.schema.names
    assert len(mixed.agreement()) == len(scores.agreement())
    for form in (
        tuple(lm_probs),
        pa.array(lm_probs),
        pa.chunked_array([lm_probs[:2], lm_probs[2:]]),
        pl.Series(lm_probs),
        pd.Series(lm_probs),
        pa.array(lm_probs, pa.float32()),
    ):
        assert scores.interpolate(form, (0.75, 0.25)).table == mixed.table, type(form)
    whole = np.array([1, 0, 1, 0, 1], np.float32)
    assert scores.interpolate(whole, 0.0).table["prob"].to_pylist() == [1, 0, 1, 0, 1]
    assert scores.interpolate(whole, 1).table["prob"].to_pylist() == own


def test_what_cannot_be_asked() -> None:
    text, tokens = LanguageModel(bow.index(["ab"])), LanguageModel(bow.index(ROWS))
    refused: list[tuple[type[Exception], str, Callable[[], Any]]] = [
        (bow.InvalidInput, "orders is empty", lambda: tokens.counts([1], [], [1])),
        (bow.InvalidInput, "orders: order 0", lambda: tokens.counts([1], [2, 0], [1])),
        (bow.InvalidInput, "orders is -1", lambda: tokens.counts([1], [-1], [1])),
        (bow.UnsupportedType, "orders is 2", lambda: tokens.counts([1], 2, [1])),  # type: ignore[arg-type]
        (bow.UnsupportedType, "orders is 'a'", lambda: tokens.counts([1], ["a"], [1])),  # type: ignore[list-item]
        (bow.UnsupportedType, "candidates is 5", lambda: tokens.counts([1], [1], 5)),
        (bow.UnsupportedType, "candidates is 'ab'", lambda: text.counts("a", [1], "ab")),
        (bow.UnsupportedType, "large_string", lambda: text.counts("a", [1], ["a"])),
        (bow.InvalidInput, "candidates is -1", lambda: tokens.counts([1], [1], [-1])),
        (bow.InvalidInput, "candidates holds 256", lambda: text.counts("a", [1], [256])),
        (
            bow.InvalidInput,
            "candidates has 1 lists and contexts has 2",
            lambda: tokens.counts([[1], [2]], [1], [[1]]),
        ),
        (bow.InvalidInput, "has 2 lists for one", lambda: tokens.counts([1], [1], [[1], [2]])),
        (bow.UnsupportedType, "contexts is text", lambda: tokens.counts("a", [1], [1])),
        (bow.InvalidInput, "neither given", lambda: tokens.stupid_backoff([1])),
        (bow.InvalidInput, "token is 2 symbols long", lambda: text.stupid_backoff("a", "ab")),
        (
            bow.InvalidInput,
            "token 1 is 2 symbols",
            lambda: text.interpolated("a", ["a", "ab"], weights={1: 1}),
        ),
        (bow.InvalidInput, "order: order 0", lambda: text.stupid_backoff("a", "b", order=0)),
        (bow.InvalidInput, "alpha is 1.5", lambda: text.stupid_backoff("a", "b", alpha=1.5)),
        (bow.InvalidInput, "alpha is NaN", lambda: text.stupid_backoff("a", "b", alpha=math.nan)),
        (bow.InvalidInput, "-1 for order 2", lambda: text.interpolated("a", 1, weights={2: -1})),
        (bow.InvalidInput, "weights: order 0", lambda: text.interpolated("a", 1, weights={0: 1})),
        (bow.InvalidInput, "add up to 0", lambda: text.interpolated("a", 1, weights={1: 0})),
        (bow.InvalidInput, "add up to 0", lambda: text.interpolated("a", 1, weights={})),
        (bow.UnsupportedType, "weights is", lambda: text.interpolated("a", 1, weights=[1])),  # type: ignore[arg-type]
    ]
    scores = text.score(["ab"])
    for lam, message in (
        (1.5, "lam is 1.5"),
        (math.nan, "lam is nan"),
        ((0.5, -1), "lam is -1"),
        ((0.5, 0.5, 0.5), "lam has 3 weights"),
    ):
        refused.append(
            (bow.InvalidInput, message, lambda lam=lam: scores.interpolate([0.5] * 2, lam))
        )
    for probs, error, message in (
        ([0.5] * 3, bow.InvalidInput, "lm_probs has 3 values and the scores' table has 2"),
        ([0.5, math.nan], bow.InvalidInput, "lm_probs is nan at position 1"),
        ([-0.5, 1], bow.InvalidInput, "-0.5 at position 0: .* not their logarithms"),
        ([0.5, 1.5], bow.InvalidInput, "1.5 at position 1"),
        (["a", "b"], bow.UnsupportedType, "lm_probs is"),
        (0.5, bow.UnsupportedType, "lm_probs is 0.5"),
    ):
        for ask in (lambda probs: scores.interpolate(probs, 0.5), scores.tune_interpolation):
            refused.append((error, message, lambda ask=ask, probs=probs: ask(probs)))
    for error, message, call in refused:
        with pytest.raises(error, match=message):
            call()
