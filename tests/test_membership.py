"""Scores of membership, and how well they tell members from others."""

from __future__ import annotations

import math
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bowstring as bow
from bowstring import membership

TEXT = st.lists(st.sampled_from(["a", "b", "the"]), max_size=9).map(" ".join)


def _covered(generation: list[str], candidate: list[str], least: int) -> int:
    inside: set[int] = set()
    for start in range(len(generation)):
        for stop in range(start + least, len(generation) + 1):
            part = generation[start:stop]
            if any(candidate[at : at + len(part)] == part for at in range(len(candidate))):
                inside.update(range(start, stop))
    return len(inside)


@settings(max_examples=80)
@given(
    st.lists(st.tuples(TEXT, st.lists(TEXT, max_size=3)), max_size=4),
    st.sampled_from(["coverage", "creativity"]),
    st.sampled_from(["generation", "reference", "total"]),
    st.integers(1, 4),
)
def test_similarities_agree_with_the_definition(
    pairs: list[tuple[str, list[str]]], metric: Any, normalise: Any, n: int
) -> None:
    found = membership.ngram_coverage(
        pa.array([candidate for candidate, _ in pairs], pa.string()),
        [generations for _, generations in pairs],
        metric=metric,
        normalise=normalise,
        n=n,
        aggregate="mean",
    )
    expected = []
    for candidate, generations in pairs:
        values = []
        for generation in generations:
            x, ref = generation.split(), candidate.split()
            lengths = range(2, 13) if metric == "creativity" else [n]
            covered = sum(_covered(x, ref, max(length, n)) for length in lengths)
            most = max(len(x), len(ref))
            part, of = {
                "generation": (covered, len(x)),
                "reference": (covered, most),
                "total": (2 * covered, len(x) + most),
            }[normalise]
            values.append(part / of if of else 0.0)
        expected.append(values)
    assert found.similarities.to_pylist() == expected
    means = [math.fsum(values) / len(values) if values else None for values in expected]
    assert found.scores.to_pylist() == means
    assert found.rates is None


def test_longest_parts_and_aggregates() -> None:
    candidates, generations = ["the cat sat"], [["a cat sat up", "the dog", "he cat"]]

    def score(**options: Any) -> Any:
        return membership.ngram_coverage(candidates, generations, **options).scores[0].as_py()

    assert score(metric="longest_word") == 2
    assert score(metric="longest_character") == len(" cat sat")
    assert score(metric="longest_word", aggregate="median") == 1
    assert score(metric="longest_word", aggregate="min") == 1
    assert score(metric="longest_word", aggregate=2) == 1.5
    assert score(metric="longest_word", aggregate=9) == score(
        metric="longest_word", aggregate="mean"
    )


def test_longest_parts_agree_with_pylcs() -> None:
    pylcs = pytest.importorskip("pylcs", reason="pylcs is not installed")
    candidates = ["the cat sat on the mat", "abab", "x"]
    generations = [["on the cat mat"], ["babab"], ["yz"]]
    found = membership.ngram_coverage(candidates, generations, metric="longest_character")
    expected = [
        pylcs.lcs_string_length(own[0], one)
        for own, one in zip(generations, candidates, strict=True)
    ]
    assert found.scores.to_pylist() == expected


@given(
    st.lists(st.integers(0, 6), min_size=1, max_size=12),
    st.lists(st.integers(0, 6), min_size=1, max_size=12),
)
def test_rates_agree_with_the_definition(members: list[int], others: list[int]) -> None:
    labels = [True] * len(members) + [False] * len(others)
    found = membership.evaluate([*members, *others], labels, rates=(0.0, 0.25, 1.0), samples=5)
    wins = [(a > b) + (a == b) / 2 for a in members for b in others]
    assert math.isclose(found.auroc.value, sum(wins) / len(wins))
    for rate, interval in found.tpr_at_fpr.items():
        best = 0.0
        for limit in {*members, *others, -1}:
            false = sum(score > limit for score in others) / len(others)
            if false <= rate:
                best = max(best, sum(score > limit for score in members) / len(members))
        assert math.isclose(interval.value, best, abs_tol=1e-12)
        assert interval.low <= interval.high


def test_rates_agree_with_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is not installed")
    scores = [(at * 37 % 101) / 10 + (at < 60) for at in range(120)]
    labels = [at < 60 for at in range(120)]
    found = membership.evaluate(scores, labels, samples=200)
    assert math.isclose(found.auroc.value, metrics.roc_auc_score(labels, scores))
    false, true, _ = metrics.roc_curve(labels, scores)
    for rate, interval in found.tpr_at_fpr.items():
        assert math.isclose(interval.value, max(true[false <= rate]))
    assert found.auroc.low < found.auroc.value < found.auroc.high
    assert found == membership.evaluate(scores, labels, samples=200)


def test_labels_and_shift() -> None:
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    old = [f"it was reported in the year {1990 + n % 9} that {n % 7}" for n in range(40)]
    new = [f"somebody has posted in {2021 + n % 4} of {n % 7}" for n in range(40)]
    assert membership.shift(old, new, samples=50).value > 0.99
    same = membership.shift(old, list(reversed(old)), samples=50)
    assert same.value < 0.7
    assert membership.shift(["a b"] * 10, ["c d"] * 10, samples=5).value == 1.0
    with pytest.raises(bow.InvalidInput, match="no words"):
        membership.shift(["!"] * 10, ["?"] * 10)
    found = membership.ngram_coverage(
        ["one two three", "four five six"],
        [["one two three"], ["nothing"]],
        labels=[True, False],
        samples=10,
    )
    assert found.rates is not None
    assert found.rates.auroc.value == 1.0


def test_what_cannot_be_asked() -> None:
    for options, message in (
        ({"metric": "bleu"}, "metric is 'bleu'"),
        ({"normalise": "none"}, "normalise is 'none'"),
        ({"aggregate": "sum"}, "aggregate is 'sum'"),
        ({"aggregate": 0}, "aggregate is 0"),
        ({"n": 0}, "n and lengths"),
    ):
        with pytest.raises(bow.InvalidInput, match=message):
            membership.ngram_coverage(["a"], [["a"]], **options)  # type: ignore[arg-type]
    with pytest.raises(bow.InvalidInput, match="generations has 2 lists"):
        membership.ngram_coverage(["a"], [["a"], []])
    with pytest.raises(bow.UnsupportedType, match="lists of texts"):
        membership.ngram_coverage(["a"], pa.array([1]))
    with pytest.raises(bow.UnsupportedType, match="a text where a list of texts is due"):
        membership.ngram_coverage(["a"], ["a"])
    with pytest.raises(bow.InvalidInput, match=r"rates holds 2\.0"):
        membership.evaluate([1.0, 2.0], [True, False], rates=[2.0])
    with pytest.raises(bow.InvalidInput, match="labels mark 1 scores"):
        membership.evaluate([1.0], [True])
    with pytest.raises(bow.InvalidInput, match="labels has 1"):
        membership.evaluate([1.0, 2.0], [True])
