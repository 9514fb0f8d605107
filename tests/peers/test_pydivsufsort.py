"""The suffix array on disk against libdivsufsort's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import bowstring as bow
from oracles import container

pydivsufsort = pytest.importorskip("pydivsufsort", reason="the peer is not installed")

TEXTS = {
    "prose": lambda random: b"to be, or not to be: that is the question. " * 2_000,
    "letters": lambda random: random.integers(97, 101, 80_000, dtype=np.uint8).tobytes(),
    "bytes": lambda random: random.integers(0, 255, 80_000, dtype=np.uint8).tobytes(),
    "one": lambda random: b"a" * 50_000,
    "few": lambda random: b"a",
}


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("rows", [1, 17])
def test_the_suffix_array_is_the_peers(text: str, rows: int, tmp_path: Path) -> None:
    raw = TEXTS[text](np.random.default_rng(1))
    size = -(-len(raw) // rows)
    column = pa.array([raw[at : at + size] for at in range(0, len(raw), size)], pa.binary())
    bow.index(column, path=tmp_path / "peer.bow")
    (segment,) = container.read_index(tmp_path / "peer.bow")
    symbols = segment.blocks["text"]
    assert len(symbols) == len(raw) + len(column)
    right = pydivsufsort.divsufsort(symbols.copy())
    assert np.array_equal(segment.blocks["suffix_array"], right)


@pytest.mark.parametrize("edge", [300, 70_000])
def test_the_suffix_array_of_tokens_is_the_peers(edge: int, tmp_path: Path) -> None:
    tokens = np.random.default_rng(2).integers(0, edge, 30_000)
    tokens[5_000:10_000] = tokens[15_000:20_000]
    rows = [piece.tolist() for piece in np.split(tokens, [1, 7_777, 20_000])]
    bow.index(rows, path=tmp_path / "peer.bow")
    (segment,) = container.read_index(tmp_path / "peer.bow")
    symbols = segment.blocks["text"]
    assert symbols.dtype.itemsize == (2 if edge == 300 else 4)
    # The peer sorts symbols up to 65,535: ranks sort as what they stand for.
    _, ranks = np.unique(symbols, return_inverse=True)
    assert ranks.max() < 2**16
    right = pydivsufsort.divsufsort(ranks.astype(np.uint16))
    assert np.array_equal(segment.blocks["suffix_array"], right)
