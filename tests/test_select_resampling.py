"""Importance resampling and coverage against the formulas in plain Python."""

from __future__ import annotations

import collections
import hashlib
import itertools
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bowstring as bow

ROWS = [
    "The sum of two primes.",
    None,
    "buy cheap watches, now!",
    "Every even number is a sum",
    "",
    "été à la plage; ÉTÉ!!",
]
TARGET = ["two primes", None, "An even sum, of primes"]


def grams(text: str, most: int = 2) -> list[str]:
    tokens = re.findall(r"\w+|[^\w\s]+", text.lower())
    return [
        " ".join(tokens[at : at + order])
        for order in range(1, most + 1)
        for at in range(len(tokens) - order + 1)
    ]


def bucket(gram: str, buckets: int) -> int:
    return int(hashlib.sha256(gram.encode()).hexdigest(), 16) % buckets


def weights(rows: Any, target: Any, buckets: int, smoothing: float = 0) -> list[float | None]:
    def count(texts: Any) -> Any:
        counts = np.zeros(buckets)
        for text in texts:
            for gram in grams(text or ""):
                counts[bucket(gram, buckets)] += 1
        return counts

    of_target, of_all = count(target) + smoothing, count(rows)
    ratio = np.log(of_target / of_target.sum() + 1e-8) - np.log(of_all / of_all.sum() + 1e-8)
    return [
        None if text is None else math.fsum(ratio[bucket(gram, buckets)] for gram in grams(text))
        for text in rows
    ]


words = st.lists(st.one_of(st.none(), st.text("abAB é.,! ", max_size=30)), min_size=1, max_size=20)


@given(words, words, st.integers(1, 50), st.sampled_from([0.0, 0.5]))
def test_scores_are_those_of_the_formula(
    rows: Any, target: Any, buckets: int, smoothing: float
) -> None:
    if not any(map(grams, filter(None, rows))) or not any(map(grams, filter(None, target))):
        return
    found = bow.select.resample(
        rows, target, hash="sha256", n_features=buckets, draw=False, smoothing=smoothing
    )
    expected = weights(rows, target, buckets, smoothing)
    known = {row for row, text in enumerate(rows) if text is not None}
    assert set(found["row"].to_pylist()) == known
    scores = found["score"].to_pylist()
    assert np.allclose(scores, [expected[row] for row in found["row"].to_pylist()], atol=1e-9)
    assert scores == sorted(scores, reverse=True)
    # What is drawn has the same scores, in another order.
    drawn = bow.select.resample(
        rows, target, hash="sha256", n_features=buckets, smoothing=smoothing, seed=5
    )
    assert sorted(zip(drawn["row"].to_pylist(), drawn["score"].to_pylist(), strict=True)) == sorted(
        zip(found["row"].to_pylist(), scores, strict=True)
    )


def test_murmur_has_the_buckets_of_the_counter() -> None:
    def count(texts: Any) -> Any:
        counter = bow.counts.HashedCounter(
            n_features=64,
            alternate_sign=False,
            norm=None,
            ngram_range=(1, 2),
            token_pattern=r"\w+|[^\w\s]+",
        )
        return counter.transform(texts)

    rows, target = count(ROWS), np.asarray(count(TARGET).sum(axis=0)).ravel()
    whole = np.asarray(rows.sum(axis=0)).ravel()
    ratio = np.log(target / target.sum() + 1e-8) - np.log(whole / whole.sum() + 1e-8)
    expected = rows @ ratio
    found = bow.select.resample(ROWS, TARGET, n_features=64, draw=False)
    assert np.allclose(found["score"].to_numpy(), expected[found["row"].to_numpy()])


def test_draws_follow_the_weights() -> None:
    # Two rows, of which one is exp(score) times as likely.
    rows, target = ["a", "b"], ["a", "a", "b"]
    scores = dict(
        zip(
            *(
                bow.select.resample(rows, target, draw=False)[name].to_pylist()
                for name in ("row", "score")
            ),
            strict=True,
        )
    )
    share = 1 / (1 + math.exp(scores[1] - scores[0]))
    times = 2000
    first = sum(
        bow.select.resample(rows, target, 1, seed=seed, threads=1)["row"][0].as_py() == 0
        for seed in range(times)
    )
    assert abs(first - share * times) < 4 * math.sqrt(times * share * (1 - share))


def test_a_draw_depends_on_seed_and_row_alone(tmp_path: Path) -> None:
    rows = [None if text is None else f"{text} {at}" for at in range(50) for text in ROWS]
    expected = bow.select.resample(rows, TARGET, 20, seed=3, threads=1)
    assert bow.select.resample(rows, TARGET, 20, seed=4) != expected
    array = pa.array(rows)
    pq.write_table(pa.table({"a": array, "b": array}), tmp_path / "rows.parquet")
    layouts = [
        pa.chunked_array([array[:11], array[11:]]),
        array.dictionary_encode(),
        iter(rows),
        pa.table({"b": array}).to_reader(),
    ]
    for layout in layouts:
        assert bow.select.resample(layout, TARGET, 20, seed=3, threads=3) == expected
    path = tmp_path / "rows.parquet"
    for source in (path, str(path), [path], ds.dataset(path)):
        assert bow.select.resample(source, TARGET, 20, seed=3, column="b") == expected


def test_short_rows_are_left_out() -> None:
    found = bow.select.resample(ROWS, TARGET, min_length=7, draw=False)
    assert found["row"].to_pylist() == [5]
    with pytest.raises(bow.InvalidInput, match="k is 2"):
        bow.select.resample(ROWS, TARGET, 2, min_length=7)


def test_tokens_have_n_grams_too() -> None:
    found = bow.select.resample(
        [[1, 2, 3], [7, 8]], [[1, 2], [1]], analyzer="token", draw=False, k=1
    )
    assert found["row"].to_pylist() == [0]
    with pytest.raises(bow.UnsupportedType, match="token"):
        bow.select.resample([[1]], [[1]])


def test_frames_come_back_as_what_they_were() -> None:
    frame = pl.DataFrame({"text": ROWS})
    for choose in (bow.select.resample, bow.select.cover):
        plain = choose(ROWS, TARGET, 2).to_pylist()
        assert choose(frame, TARGET, 2, column="text").to_dicts() == plain
        found = choose(pd.Series(ROWS), pd.Series(TARGET), 2)
        assert isinstance(found, pd.DataFrame)
        assert found.to_dict("records") == plain


@pytest.mark.parametrize(
    ("rows", "target", "options", "said"),
    [
        (["a"], [""], {}, "target has no n-grams"),
        (["a"], [], {}, "target has no n-grams"),
        ([""], ["a"], {}, "candidates has no n-grams"),
        (["a"], ["a"], {"k": 2}, "k is 2"),
        (["a"], ["a"], {"smoothing": -1}, "smoothing is -1"),
        (["a"], ["a"], {"n_features": 0}, "n_features is 0"),
        (["a"], ["a"], {"hash": "md5"}, "md5"),
        (["a"], ["a"], {"token_pattern": "[a-z]+"}, "token_pattern"),
        (["a"], ["a"], {"ngram_range": (2, 1)}, "ngram_range"),
        ([b"\xff"], ["a"], {}, "row 0 is not UTF-8"),
    ],
)
def test_what_cannot_be_meant_is_refused(rows: Any, target: Any, options: Any, said: str) -> None:
    with pytest.raises(bow.InvalidInput, match=re.escape(said)):
        bow.select.resample(rows, target, **options)


def naive_cover(rows: Any, target: Any, binary: bool) -> list[tuple[int, float]]:
    def cut(text: str | None) -> list[str]:
        tokens = re.findall(r"\w\w+", (text or "").lower())
        pairs = [" ".join(pair) for pair in itertools.pairwise(tokens)]
        return tokens + pairs

    left = collections.Counter(gram for text in target for gram in cut(text))
    if binary:
        left = collections.Counter(dict.fromkeys(left, 1))
    free = [row for row, text in enumerate(rows) if text is not None]
    picked = []
    while free:
        gains = [sum(left[gram] for gram in set(cut(rows[row]))) for row in free]
        best = max(gains)
        row = free.pop(gains.index(best))
        for gram in cut(rows[row]):
            left[gram] = 0
        picked.append((row, float(best)))
    return picked


phrases = st.lists(
    st.one_of(
        st.none(),
        st.lists(st.sampled_from(["aa", "bb", "cc", "dd", "É1"]), max_size=6).map(" ".join),
    ),
    min_size=1,
    max_size=25,
)


@given(phrases, phrases, st.booleans())
def test_picks_are_those_of_weighing_every_row(rows: Any, target: Any, binary: bool) -> None:
    if not any(target):
        with pytest.raises(bow.InvalidInput, match="target has no n-grams"):
            bow.select.cover(rows, target)
        return
    expected = naive_cover(rows, target, binary)
    for column in (rows, pa.array(rows, pa.string()).dictionary_encode(), iter(rows)):
        found = bow.select.cover(column, target, binary=binary, threads=2)
        assert found.column_names == ["row", "gain", "rank"]
        assert list(zip(found["row"].to_pylist(), found["gain"].to_pylist(), strict=True)) == (
            expected
        )
    assert bow.select.cover(rows, target, len(expected) // 2, binary=binary)["row"].to_pylist() == [
        row for row, _ in expected[: len(expected) // 2]
    ]


@given(phrases, phrases, st.booleans())
def test_each_row_of_a_target_is_covered_by_its_best_pick(
    rows: Any, target: Any, binary: bool
) -> None:
    def cut(text: str | None) -> collections.Counter[str]:
        tokens = re.findall(r"\w\w+", (text or "").lower())
        pairs = [" ".join(pair) for pair in itertools.pairwise(tokens)]
        counts = collections.Counter(tokens + pairs)
        return collections.Counter(dict.fromkeys(counts, 1)) if binary else counts

    if not any(target):
        return
    wanted, has = [cut(text) for text in target], [cut(text) for text in rows]

    def value(picked: list[int]) -> float:
        def share(one: collections.Counter[str], row: int) -> float:
            return sum(count for gram, count in one.items() if gram in has[row]) / one.total()

        return sum(max((share(one, row) for row in picked), default=0) for one in wanted if one)

    found = bow.select.cover(rows, target, binary=binary, by="rows", threads=2)
    picked, before = found["row"].to_pylist(), 0.0
    assert sorted(picked) == [row for row, text in enumerate(rows) if text is not None]
    for at, gain in enumerate(found["gain"].to_pylist()):
        now = value(picked[: at + 1])
        assert abs(now - before - gain) < 1e-9
        assert all(value([*picked[:at], other]) < now + 1e-9 for other in picked[at + 1 :])
        before = now
    again = bow.select.cover(rows, iter(target), binary=binary, by="rows", threads=1)
    assert again == found


def test_cover_takes_any_pattern_and_refuses_too_many() -> None:
    found = bow.select.cover(["x1 y2", "x1"], ["x9 y9"], token_pattern="[a-z]", ngram_range=(1, 1))
    assert found["gain"].to_pylist() == [2.0, 0.0]
    with pytest.raises(bow.InvalidInput, match="k is 4"):
        bow.select.cover(["a", "b", None], ["to be"], 4)
    with pytest.raises(bow.InvalidInput, match="by is 'words'"):
        bow.select.cover(["a"], ["to be"], by="words")  # type: ignore[arg-type]
