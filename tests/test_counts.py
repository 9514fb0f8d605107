"""Sparse counts against their definitions, in every layout, in batches and from indexes."""

from __future__ import annotations

import collections
import itertools
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bowstring as bow
from bowstring import _core
from bowstring.characters import characters
from bowstring.counts import HashedCounter, NGramCounter, TfIdf, top_ngrams
from conftest import Layout

pytest.importorskip("scipy.sparse", reason="matrices are SciPy's")

EVERY = "".join(chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000)
TEXTS = st.lists(
    st.none()
    | st.text("abAB_ 0.,\n", max_size=30)
    | st.text("éÉßΣςİıΑ'\u0301\u200d\u2028\x1c a", max_size=15)
    | st.text(max_size=10),
    max_size=8,
)


def rows_of(matrix: Any, terms: list[str]) -> list[dict[str, int]]:
    return [
        {
            terms[matrix.indices[at]]: matrix.data[at]
            for at in range(matrix.indptr[row], matrix.indptr[row + 1])
        }
        for row in range(matrix.shape[0])
    ]


def grams(text: str | None, pattern: str, least: int, most: int) -> list[str]:
    tokens = re.findall(pattern, (text or "").lower())
    return [
        " ".join(tokens[at : at + order])
        for order in range(least, most + 1)
        for at in range(len(tokens) - order + 1)
    ]


def test_every_character_is_what_python_says() -> None:
    table = characters()
    # Alone and next to others, as the form of a sigma depends on what is around it.
    for text in (EVERY, "".join(f"A{c}Σ " for c in EVERY), "".join(f"AΣ{c}A " for c in EVERY)):
        assert table.lower(text) == text.lower()
    assert table.lower("".join(f"{c}Σ " for c in EVERY)) == "".join(f"{c}Σ " for c in EVERY).lower()


@pytest.mark.parametrize("pattern", [r"\w+", r"\w\w+", r"\S+", r"\w+|[^\w\s]+", r"\w+|[^\w\s]"])
def test_every_character_is_cut_as_by_python(pattern: str, thorough: bool) -> None:
    # Each character between letters, between blanks, and in pairs.
    rows = [
        " ".join(f"a{c}b {c} {c}{c}." for c in EVERY[at : at + 5000])
        for at in range(0, len(EVERY), 5000)
    ]
    rows = rows if thorough else rows[:30] + rows[-2:]
    found = NGramCounter(token_pattern=pattern, lowercase=False).frequencies(rows)
    expected = collections.Counter(token for row in rows for token in re.findall(pattern, row))
    assert dict(zip(found["term"].to_pylist(), found["count"].to_pylist(), strict=True)) == expected


@pytest.mark.parametrize(
    "pattern", [r"(?u)\b\w\w+\b", r"(?u)\b\w+\b", r"\S+", r"\w+|[^\w\s]", r"a\w"]
)
def test_counts_agree_with_the_definition(pattern: str) -> None:
    @settings(max_examples=60)
    @given(TEXTS, st.integers(1, 3), st.integers(0, 3), st.integers(1, 3), st.data())
    def check(rows: Any, least: int, more: int, threads: int, data: st.DataObject) -> None:
        expected = [collections.Counter(grams(row, pattern, least, least + more)) for row in rows]
        terms = sorted(set().union(*expected))
        options: Any = {"token_pattern": pattern, "ngram_range": (least, least + more)}
        column = pa.array(rows, pa.string())
        counter = NGramCounter(threads=threads, **options)
        if not terms:
            with pytest.raises(bow.InvalidInput, match="no terms"):
                counter.fit(column)
            return
        matrix = counter.fit_transform(column)
        assert counter.terms().to_pylist() == terms
        assert rows_of(matrix, terms) == expected
        assert matrix.has_sorted_indices
        assert matrix.indices.dtype == matrix.indptr.dtype == np.int32
        others = data.draw(TEXTS)
        again = rows_of(counter.transform(pa.array(others, pa.string())), terms)
        known = set(terms)
        assert again == [
            collections.Counter(g for g in grams(row, pattern, least, least + more) if g in known)
            for row in others
        ]
        table = counter.frequencies(column)
        assert table["count"].to_pylist() == [sum(row[t] for row in expected) for t in terms]
        assert table["rows"].to_pylist() == [sum(t in row for row in expected) for t in terms]

    check()


@settings(max_examples=40)
@given(TEXTS, st.integers(0, 8), st.integers(0, 8), st.sampled_from(["64KB", None]))
def test_batches_merge_to_the_whole(rows: Any, cut: int, limit: int, memory: Any) -> None:
    options: Any = {"ngram_range": (1, 2), "token_pattern": r"\w+", "min_df": 2}
    if limit:
        options["max_features"] = limit
    column = pa.array(rows, pa.string())
    whole = NGramCounter(**options)
    parts = [column.slice(0, cut), column.slice(cut)]
    one = NGramCounter(**options, memory=memory)
    try:
        whole.fit(column)
    except bow.InvalidInput:
        with pytest.raises(bow.InvalidInput):
            one.partial_fit(parts[0]).partial_fit(parts[1]).terms()
        return
    one.partial_fit(parts[0]).partial_fit(parts[1])
    other = NGramCounter(**options).partial_fit(parts[0])
    other.merge(NGramCounter(**options).partial_fit(parts[1]))
    for counter in (one, other, pickle.loads(pickle.dumps(one))):
        assert counter.terms().to_pylist() == whole.terms().to_pylist()
        assert (counter.transform(column) != whole.transform(column)).nnz == 0


def test_memory_spills_and_gives_the_same() -> None:
    words = [f"w{number}" for number in range(3000)]
    chance = np.random.default_rng(1)
    rows = [" ".join(chance.choice(words, 40)) for _ in range(2000)]
    whole = NGramCounter(ngram_range=(1, 2), min_df=2)
    bounded = NGramCounter(ngram_range=(1, 2), min_df=2, memory="1MB")
    assert (whole.fit_transform(rows) != bounded.fit_transform(rows)).nnz == 0
    assert bounded._spilled
    assert whole.terms().equals(bounded.terms())
    arrow = NGramCounter(min_df=2, memory="1MB").set_output(transform="arrow")
    assert arrow.fit_transform(rows).num_rows == NGramCounter(min_df=2).fit_transform(rows).nnz
    with pytest.raises(bow.InvalidInput, match="read once"):
        bounded.fit_transform(iter(rows))
    assert bounded.fit(iter(rows)).terms().equals(whole.terms())


def test_a_content_counts_alike_in_every_layout(layout: Layout) -> None:
    contents: dict[str, list[Any]] = {
        "string": ["to be or not to be", None, "", "Ünder the tree, to be"],
        "binary": [b"to be or not to be", b"", None, "Ünder".encode()],
        "tokens": [[1, 2, 3], None, [], [2, 3, 30000]],
    }
    values = contents[layout.kind]
    if not layout.fits(values):
        values = [value for value in values if value][:1] * 3
        if not layout.fits(values):
            pytest.skip("this layout cannot hold such a content")
    options: Any = {"analyzer": "token" if layout.kind == "tokens" else "word"}
    counter = NGramCounter(**options, ngram_range=(1, 2), threads=2)
    matrix = counter.fit_transform(layout.make(values), column=layout.column)
    expected = [
        collections.Counter(
            grams(v.decode() if isinstance(v, bytes) else v, r"\w\w+", 1, 2)
            if layout.kind != "tokens"
            else grams(" ".join(map(str, v or [])), r"\d+", 1, 2)
        )
        for v in values
    ]
    assert rows_of(matrix, counter.terms().to_pylist()) == expected


def test_outputs() -> None:
    rows = ["to be or not to be", None, "be"]
    table = NGramCounter().set_output(transform="arrow").fit_transform(rows)
    assert table.to_pylist()[-1] == {"row": 2, "term": "be", "count": 1}
    assert table.schema.types == [
        pa.uint64(),
        pa.dictionary(pa.int32(), pa.large_string()),
        pa.uint64(),
    ]
    polars = pytest.importorskip("polars")
    assert (
        NGramCounter()
        .set_output(transform="polars")
        .fit_transform(rows)
        .equals(polars.from_arrow(table))
    )
    frame = NGramCounter().set_output(transform="pandas").fit_transform(rows)
    assert frame["be"].tolist() == [2, 0, 1]
    hashed = HashedCounter(n_features=16, norm=None).set_output(transform="arrow").transform(rows)
    assert hashed["row"].to_pylist() == [0, 0, 0, 0, 2]
    weights = TfIdf().set_output(transform="arrow").fit_transform(rows)
    assert weights["count"].type == pa.float64()
    matrix = NGramCounter(dtype=np.float32).fit_transform(rows)
    assert matrix.dtype == np.float32
    matrix = NGramCounter().fit_transform(rows)
    matrix.data *= 2  # it is the caller's
    assert matrix.sum() == 14


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_results_do_not_depend_on_threads(threads: int) -> None:
    rows = [f"w{number % 7} w{number % 11} x" * (number % 3) for number in range(999)]
    one = NGramCounter(ngram_range=(1, 3), threads=1).fit_transform(rows)
    many = NGramCounter(ngram_range=(1, 3), threads=threads).fit_transform(rows)
    for part in ("data", "indices", "indptr"):
        assert getattr(one, part).tobytes() == getattr(many, part).tobytes()
    one = HashedCounter(ngram_range=(1, 3), threads=1).transform(rows)
    many = HashedCounter(ngram_range=(1, 3), threads=threads).transform(rows)
    for part in ("data", "indices", "indptr"):
        assert getattr(one, part).tobytes() == getattr(many, part).tobytes()


def test_the_most_frequent_ngrams_of_an_index() -> None:
    @settings(max_examples=40)
    @given(
        st.lists(st.text("abé𝄞", max_size=12), min_size=1, max_size=6),
        st.integers(1, 4),
        st.integers(1, 9),
    )
    def check(rows: list[str], n: int, k: int) -> None:
        seen = collections.Counter(
            row[at : at + n] for row in rows for at in range(len(row) - n + 1)
        )
        best = sorted(seen.items(), key=lambda item: (-item[1], item[0]))[:k]
        expected = [{"ngram": gram, "count": count} for gram, count in best]
        for index in (bow.index(rows), bow.index(rows, kind="fm", profile="fast")):
            assert top_ngrams(index, n, k).to_pylist() == expected
        assert top_ngrams(rows, n, k, analyzer="char").to_pylist() == expected

    check()
    tokens = bow.index([[1, 2, 1, 2, 70000], [2, 1]])
    assert top_ngrams(tokens, 2, 2).to_pylist() == [
        {"ngram": [1, 2], "count": 2},
        {"ngram": [2, 1], "count": 2},
    ]


def test_dsir_hashes_as_it_says() -> None:
    import hashlib

    found = HashedCounter.dsir(97).transform(["So, so... why?"]).toarray()[0]
    tokens = re.findall(r"\w+|[^\w\s]+", "so, so... why?")
    expected = np.zeros(97)
    for gram in tokens + [" ".join(pair) for pair in itertools.pairwise(tokens)]:
        expected[int(hashlib.sha256(gram.encode()).hexdigest(), 16) % 97] += 1
    assert found.tolist() == expected.tolist()


def test_what_cannot_be_asked() -> None:
    for options, message in (
        ({"analyzer": "line"}, "analyzer is 'line'"),
        ({"ngram_range": (2, 1)}, "ngram_range is"),
        ({"ngram_range": 3}, "ngram_range is 3"),
        ({"ngram_range": (1, 256)}, "ngram_range is"),
        ({"token_pattern": "("}, "no regular expression"),
        ({"token_pattern": "(a)(b)"}, "2 groups"),
        ({"stop_words": "french"}, "stop_words is 'french'"),
        ({"min_df": 1.5}, "min_df is 1.5"),
        ({"max_df": 0}, "max_df is 0"),
        ({"min_df": 3}, "no term"),
        ({"max_features": 0}, "max_features is 0"),
        ({"vocabulary": ["a", "a"]}, "twice"),
        ({"vocabulary": []}, "vocabulary is empty"),
        ({"vocabulary": {"a": 1}}, "must map terms"),
        ({"memory": "much"}, "memory is 'much'"),
        ({"threads": 0}, "threads is 0"),
    ):
        with pytest.raises(bow.InvalidInput, match=message):
            NGramCounter(**options).fit_transform(["one two", "one"])  # type: ignore[arg-type]
    with pytest.raises(bow.InvalidInput, match="no terms are known"):
        NGramCounter().transform(["a"])
    with pytest.raises(bow.InvalidInput, match="not a column"):
        NGramCounter().fit("text")
    with pytest.raises(bow.UnsupportedType, match='analyzer="token"'):
        NGramCounter().fit([[1, 2]])
    with pytest.raises(bow.UnsupportedType, match="text"):
        NGramCounter(analyzer="token").fit(["a"])
    with pytest.raises(bow.InvalidInput, match="not UTF-8"):
        NGramCounter().fit([b"ab", b"\xff\xfe"])
    with pytest.raises(bow.InvalidInput, match="no option 'x'"):
        NGramCounter().set_params(x=1)
    with pytest.warns(UserWarning, match="upper case"):
        NGramCounter(vocabulary=["A"]).fit(["a"])
    for options, message in (
        ({"n_features": 0}, "n_features is 0"),
        ({"norm": "l3"}, "norm is 'l3'"),
        ({"hash": "md5"}, "hash is 'md5'"),
    ):
        with pytest.raises(bow.InvalidInput, match=message):
            HashedCounter(**options).transform(["a"])  # type: ignore[arg-type]
    with pytest.raises(bow.InvalidInput, match="n is 0"):
        top_ngrams(["a"], 0)


def test_ctrl_c_stops_counting(run_python: Callable[..., str]) -> None:
    script = """
import os, signal, threading, time
import bowstring as bow
rows = ["the quick brown fox jumps over the lazy dog " * 40] * 60_000
bow.counts.NGramCounter().fit(rows[:10])
threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    for _ in range(1000):
        bow.counts.NGramCounter(ngram_range=(1, 5)).fit(rows)
except KeyboardInterrupt:
    print("stopped")
"""
    assert run_python(script) == "stopped\n"


def test_polars_counts_within_rows() -> None:
    pl = pytest.importorskip("polars")
    import bowstring.polars  # noqa: F401

    rows = ["to be or to be", None, "", "be"]
    frame = pl.LazyFrame({"text": rows}).select(
        pl.col("text").bow.ngrams(ngram_range=(1, 2), analyzer="whitespace")
    )
    assert frame.collect_schema()["text"] == pl.List(
        pl.Struct({"term": pl.String, "count": pl.UInt64})
    )
    found = frame.collect()["text"].to_list()
    expected = [
        None
        if row is None
        else [
            {"term": term, "count": count}
            for term, count in sorted(collections.Counter(grams(row, r"\S+", 1, 2)).items())
        ]
        for row in rows
    ]
    assert found == expected
    assert pl.Series([None], dtype=pl.String).bow.ngrams().to_list() == [None]
    assert pl.Series([[1, 1]]).bow.ngrams(analyzer="token").to_list() == [
        [{"term": "1", "count": 2}]
    ]


def test_damaged_runs_are_refused(tmp_path: Path) -> None:
    cutting = NGramCounter(ngram_range=(1, 2))._cutting()
    source = cutting.source(["to be or not to be", "be"], None)
    counted = _core.count_ngrams(source.stream, *cutting.core(), *cutting.orders, 1, None)
    path = tmp_path / "run"
    counted.run((1, 2, False)).save(str(path))
    good = path.read_bytes()
    damaged = [good[:length] for length in (*range(0, len(good), 61), len(good) - 1)]
    for at in range(len(good)):
        flipped = bytearray(good)
        flipped[at] ^= 1 << at % 8
        damaged.append(bytes(flipped))
    for number, content in enumerate(damaged):
        broken = tmp_path / str(number)
        broken.write_bytes(content)
        with pytest.raises((bow.CorruptIndex, bow.IndexFormatError)):
            _core.Run.open(str(broken), 1, 2, False)
    assert _core.Run.open(str(path), 1, 2, False).shape()[:2] == (2, 8)
