"""Rankings, associations and models against the libraries that people use for them."""

from __future__ import annotations

import collections
import itertools
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bowstring as bow

CHANCE = random.Random(11)
WORDS = [f"w{n}" for n in range(120)]
ROWS = [
    " ".join(CHANCE.choices(WORDS, [1 / (n + 1) for n in range(120)], k=CHANCE.randrange(1, 30)))
    for _ in range(400)
]
QUERIES = [" ".join(CHANCE.choices(WORDS, k=CHANCE.randrange(1, 6))) for _ in range(50)]
VARIANTS = ("lucene", "robertson", "atire", "bm25l", "bm25+")


@pytest.mark.parametrize("method", VARIANTS)
@pytest.mark.parametrize("idf", [None, "lucene", "atire"])
def test_scores_of_bm25s(method: Any, idf: Any) -> None:
    bm25s = pytest.importorskip("bm25s", reason="bm25s is not there")
    peer = bm25s.BM25(method=method, idf_method=idf, k1=1.3, b=0.6, delta=0.7)
    peer.index([row.split() for row in ROWS], show_progress=False)
    ours = bow.rank.BM25(ROWS, method=method, idf=idf, k1=1.3, b=0.6, delta=0.7)
    found = ours.search(QUERIES, len(ROWS))
    for at, query in enumerate(QUERIES):
        tokens = [token for token in query.split() if token in peer.vocab_dict]
        expected = peer.get_scores(tokens)
        mine = found.filter(bow.rank._pc.equal(found["query"], at))
        rows = mine["row"].to_numpy()
        assert np.allclose(mine["score"].to_numpy(), expected[rows], rtol=1e-5, atol=1e-5)
        # Of Robertson's, frequent tokens weigh nothing.
        if "robertson" not in (method, idf):
            assert mine.num_rows == sum(bool({*row.split()} & {*tokens}) for row in ROWS)


def test_scores_of_rank_bm25() -> None:
    peer_of = pytest.importorskip("rank_bm25", reason="rank-bm25 is not there")
    peer = peer_of.BM25Plus([row.split() for row in ROWS], k1=1.5, b=0.75, delta=1)
    found = bow.rank.BM25(ROWS, method="bm25+", delta=1.0).search(QUERIES, 20)
    for at, query in enumerate(QUERIES):
        tokens = [token for token in query.split() if token in peer.idf]
        expected = peer.get_scores(tokens)
        mine = found.filter(bow.rank._pc.equal(found["query"], at))
        assert np.allclose(mine["score"].to_numpy(), expected[mine["row"].to_numpy()], rtol=1e-5)


def test_associations_of_nltk() -> None:
    metrics = pytest.importorskip("nltk.metrics", reason="nltk is not there").BigramAssocMeasures
    single, pairs = collections.Counter(), collections.Counter()
    for row in ROWS:
        tokens = row.split()
        single.update(tokens)
        pairs.update(itertools.pairwise(tokens))
    total = sum(single.values())
    for name, peer, factor in (
        ("pmi", metrics.pmi, np.log(2)),
        ("log_likelihood", metrics.likelihood_ratio, 1.0),
    ):
        table = bow.lexicon.Lexicon(ROWS, max_length=2, score=name).table()
        assert table.num_rows == len(pairs)
        for row in table.to_pylist():
            left, right = row["phrase"].split()
            expected = peer(pairs[left, right], (single[left], single[right]), total) * factor
            assert row["score"] == pytest.approx(expected, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("name", ["npmi", "mikolov"])
def test_associations_of_gensim(name: Any) -> None:
    phrases = pytest.importorskip("gensim.models.phrases", reason="gensim is not there")
    rows = [row.split() for row in ROWS]
    peer = phrases.Phrases(
        rows,
        min_count=3,
        threshold=0.05 if name == "npmi" else 0.1,
        scoring="npmi" if name == "npmi" else "default",
    )
    expected = peer.export_phrases()
    lexicon = bow.lexicon.Lexicon(
        ROWS, max_length=2, score=name, min_count=3, threshold=peer.threshold
    )
    found = {
        row["phrase"].replace(" ", "_"): row["score"]
        for row in lexicon.table().to_pylist()
        if row["score"] > peer.threshold
    }
    assert found.keys() == expected.keys()
    assert expected
    for phrase, score in expected.items():
        assert found[phrase] == pytest.approx(score, rel=1e-12)


def test_models_in_kenlm(tmp_path: Path) -> None:
    kenlm = pytest.importorskip("kenlm", reason="kenlm is not there")
    model = bow.counts.KneserNey(ROWS, order=4)
    path = tmp_path / "text.arpa"
    model.write_arpa(path)
    peer = kenlm.Model(str(path))
    for start in (True, False):
        found = model.score(QUERIES, start=start)["log10"].to_pylist()
        expected = [peer.score(query, bos=start, eos=True) for query in QUERIES]
        assert found == pytest.approx(expected, abs=1e-5)
