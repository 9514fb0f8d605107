"""Counts, hashes and weights against scikit-learn: equal in every bit, over its options."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bowstring as bow
from bowstring.counts import HashedCounter, NGramCounter, TfIdf

text = pytest.importorskip("sklearn.feature_extraction.text", reason="scikit-learn is not there")

ROWS = st.lists(
    st.text("abAB_ 0.,\n\t", max_size=40)
    | st.text("éÉßΣςİıΑ'\u0301\u2028\x1c a", max_size=20)
    | st.text(max_size=12)
    | st.sampled_from(["to be or not to be", "That is the Question", "the THE tHe"]),
    min_size=1,
    max_size=8,
)
CUTS: Any = st.fixed_dictionaries(
    {
        "analyzer": st.sampled_from(["word", "char", "char_wb"]),
        "ngram_range": st.tuples(st.integers(1, 4), st.integers(0, 3)).map(
            lambda pair: (pair[0], pair[0] + pair[1])
        ),
        "lowercase": st.booleans(),
        "binary": st.booleans(),
        "token_pattern": st.sampled_from(
            [r"(?u)\b\w\w+\b", r"(?u)\b\w+\b", r"\S+", r"[ab]+", r"a(.)"]
        ),
        "stop_words": st.none() | st.just("english") | st.just(["to", "be", "aa"]),
    }
)
LIMITS: Any = st.fixed_dictionaries(
    {
        "min_df": st.integers(1, 3) | st.floats(0, 0.6),
        "max_df": st.integers(2, 6) | st.floats(0.4, 1),
        "max_features": st.none() | st.integers(1, 40),
    }
)


def same(ours: Any, peers: Any, tolerance: float = 0.0) -> None:
    peers.sort_indices()
    assert ours.shape == peers.shape
    for part in ("indptr", "indices", "data"):
        mine, other = getattr(ours, part), getattr(peers, part)
        assert mine.dtype == other.dtype
        assert len(mine) == len(other)
        assert (
            np.allclose(mine, other, rtol=tolerance, atol=0) if tolerance else (mine == other).all()
        )


def fitted(make: Any, rows: list[str]) -> Any:
    try:
        return make.fit_transform(rows)
    except ValueError:
        return None


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=200)
@given(ROWS, ROWS, CUTS, LIMITS)
def test_counts(rows: list[str], others: list[str], cuts: Any, limits: Any) -> None:
    peer = text.CountVectorizer(**cuts, **limits)
    ours = NGramCounter(**cuts, **limits)
    expected, found = fitted(peer, rows), fitted(ours, rows)
    assert (expected is None) == (found is None)
    if expected is None:
        return
    same(found, expected)
    assert ours.get_feature_names_out().tolist() == peer.get_feature_names_out().tolist()
    same(ours.transform(others), peer.transform(others))


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=100)
@given(ROWS, CUTS, st.lists(st.text("ab ", max_size=4), min_size=1, max_size=9, unique=True))
def test_given_vocabularies(rows: list[str], cuts: Any, terms: list[str]) -> None:
    expected = text.CountVectorizer(**cuts, vocabulary=terms).fit_transform(rows)
    same(NGramCounter(**cuts, vocabulary=terms).fit_transform(rows), expected)
    mapping = {term: at for at, term in enumerate(terms)}
    same(NGramCounter(**cuts, vocabulary=mapping).transform(rows), expected)


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=200)
@given(
    ROWS,
    CUTS,
    st.sampled_from([1, 3, 17, 1 << 20]),
    st.booleans(),
    st.sampled_from(["l1", "l2", None]),
)
def test_hashes(rows: list[str], cuts: Any, buckets: int, signed: bool, norm: Any) -> None:
    options = {**cuts, "n_features": buckets, "alternate_sign": signed, "norm": norm}
    found = HashedCounter(**options).transform(rows)
    expected = text.HashingVectorizer(**options).transform(rows)
    same(found, expected, 0.0 if norm is None else 1e-12)


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=80)
@given(
    ROWS,
    CUTS,
    st.fixed_dictionaries(
        {
            "norm": st.sampled_from(["l1", "l2", None]),
            "use_idf": st.booleans(),
            "smooth_idf": st.booleans(),
            "sublinear_tf": st.booleans(),
        }
    ),
)
def test_weights(rows: list[str], cuts: Any, options: Any) -> None:
    expected = fitted(text.TfidfVectorizer(**cuts, **options), rows)
    found = fitted(TfIdf(**cuts, **options), rows)
    assert (expected is None) == (found is None)
    if expected is not None:
        same(found, expected, 1e-12)


def test_among_equally_frequent_terms_the_same_stay() -> None:
    chance = np.random.default_rng(5)
    rows = [" ".join(f"w{n}" for n in chance.integers(0, 900, 30)) for _ in range(100)]
    peer, ours = text.CountVectorizer(max_features=300), NGramCounter(max_features=300)
    same(ours.fit_transform(rows), peer.fit_transform(rows))
    assert ours.vocabulary_ == peer.vocabulary_


def test_the_protocol_of_estimators() -> None:
    from sklearn.base import clone
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline

    rows = ["good film", "bad film", "good play", "bad play"] * 5
    for counter in (NGramCounter(min_df=2), TfIdf(sublinear_tf=True), HashedCounter(n_features=64)):
        assert clone(counter).get_params() == counter.get_params()
        pipeline = make_pipeline(counter, LogisticRegression())
        assert pipeline.fit(rows, [1, 0, 1, 0] * 5).score(rows, [1, 0, 1, 0] * 5) == 1
    grid = GridSearchCV(
        make_pipeline(NGramCounter(), LogisticRegression()),
        {"ngramcounter__ngram_range": [(1, 1), (1, 2)]},
        cv=2,
    )
    grid.fit(rows, [1, 0, 1, 0] * 5)
    assert isinstance(grid.best_estimator_[0], bow.counts.NGramCounter)
