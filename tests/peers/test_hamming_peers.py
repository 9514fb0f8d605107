"""Distances against other libraries' own."""

from __future__ import annotations

import numpy as np
import pytest

import bowstring as bow


@pytest.mark.parametrize("alphabet", [2, 4, 26])
@pytest.mark.parametrize("length", [1, 40, 700])
def test_as_scipy_convolves(alphabet: int, length: int) -> None:
    signal = pytest.importorskip("scipy.signal", reason="scipy is not installed")
    draw = np.random.default_rng(alphabet)
    text = draw.integers(97, 97 + alphabet, 5000, dtype=np.uint8)
    pattern = text[1000 : 1000 + length].copy()
    pattern[::5] = 97
    matches = np.zeros(len(text) - length + 1)
    for symbol in np.unique(pattern):
        indicator = (pattern[::-1] == symbol).astype(float)
        matches += signal.oaconvolve((text == symbol).astype(float), indicator, mode="valid")
    expected = length - np.rint(matches).astype(int)
    for method in (None, "direct", "sliced", "fft", "lists"):
        found = bow.hamming.distances(text.tobytes(), pattern.tobytes(), method=method)  # type: ignore[arg-type]
        assert (found.to_numpy() == expected).all()


def test_as_rapidfuzz_says_of_each_window() -> None:
    distance = pytest.importorskip("rapidfuzz.distance", reason="rapidfuzz is not installed")
    text, pattern = "the cat sat on the mat, and the rat ate the hat" * 9, "the mat"
    expected = [
        distance.Hamming.distance(text[at : at + len(pattern)], pattern)
        for at in range(len(text) - len(pattern) + 1)
    ]
    assert bow.hamming.distances(text, pattern).to_pylist() == expected
    near = [(at, d) for at, d in enumerate(expected) if d <= 2]
    found = bow.hamming.within(text, pattern, 2)
    assert list(zip(*found.to_pydict().values(), strict=True)) == near
