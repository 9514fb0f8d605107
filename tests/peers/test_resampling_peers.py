"""Importance weights against DSIR's own package."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest

import bowstring as bow

CHANCE = random.Random(5)
WORDS = ["Sum", "of", "primes", "été", "don't", "3.14", "watches!!", "ÉTÉ", "x_1", "(and)", "𝄞"]
ROWS = [" ".join(CHANCE.choices(WORDS, k=CHANCE.randrange(0, 40))) for _ in range(150)] + ["primes"]
TARGET = [" ".join(CHANCE.choices(WORDS[:6], k=20)) for _ in range(20)]


def test_weights_of_data_selection(tmp_path: Path) -> None:
    peer = pytest.importorskip("data_selection", reason="data-selection is not there")
    for name, rows in (("raw", ROWS), ("target", TARGET)):
        lines = "".join(json.dumps({"text": row}) + "\n" for row in rows)
        (tmp_path / f"{name}.jsonl").write_text(lines)
    dsir = peer.HashedNgramDSIR(
        [str(tmp_path / "raw.jsonl")],
        [str(tmp_path / "target.jsonl")],
        cache_dir=str(tmp_path / "cache"),
        num_proc=1,
        min_example_length=20,
    )
    dsir.fit_importance_estimator(num_tokens_to_fit="all")
    expected = np.array([dsir.importance_estimator(dsir.featurizer(row)) for row in ROWS])
    found = bow.select.resample(ROWS, TARGET, hash="sha256", draw=False)
    rows = found["row"].to_numpy()
    assert np.allclose(found["score"].to_numpy(), expected[rows], rtol=1e-9, atol=1e-9)
    # The same rows are long enough.
    lengths = np.array([dsir.get_perexample_metadata(None, dsir.featurizer(row)) for row in ROWS])
    long = bow.select.resample(ROWS, TARGET, hash="sha256", min_length=20)
    assert set(long["row"].to_pylist()) == set(np.flatnonzero(lengths >= 20).tolist())


def test_buckets_of_data_selection() -> None:
    peer = pytest.importorskip(
        "data_selection.hashed_ngram_dsir", reason="data-selection is not there"
    )
    counts = bow.counts.HashedCounter.dsir(1000).transform(ROWS).toarray()
    expected = [peer.get_ngram_counts(row, num_buckets=1000) for row in ROWS]
    assert (counts == np.array(expected)).all()
