"""`bowstring.hamming` and `Index.search_within` against their definitions."""

from __future__ import annotations

import itertools
import random
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bowstring as bow
from bowstring import hamming
from oracles import hamming as oracle
from oracles.search import symbols
from strategies import KINDS, STRING, Case, Kind, cases, held

ALPHABETS = (1, 2, 4, 36, 256, 50_000)


@st.composite
def texts_and_patterns(draw: st.DrawFn) -> tuple[list[int], list[int]]:
    alphabet = draw(st.sampled_from(ALPHABETS))
    symbol = st.integers(0, alphabet - 1)
    text = draw(st.lists(symbol, min_size=1, max_size=80))
    text *= draw(st.sampled_from([1, 1, 2, 20]))
    length = draw(st.sampled_from([1, len(text)]) | st.integers(1, len(text)))
    start = draw(st.integers(0, len(text) - length))
    pattern = text[start : start + length]
    for at in draw(st.lists(st.integers(0, length - 1), max_size=5)):
        pattern[at] = draw(symbol)
    return text, pattern


def forms(text: list[int]) -> list[Any]:
    """One text in every form that takes it."""
    found: list[Any] = [text, np.array(text, np.uint32), pa.array(text, pa.int64())]
    if max(text) < 256:
        found += [bytes(text), memoryview(bytes(text))]
    if max(text) < 128:
        found.append(bytes(text).decode())
    return found


@given(texts_and_patterns(), st.sampled_from([None, *hamming.METHODS]))
@settings(max_examples=100, deadline=None)
def test_all_distances(both: tuple[list[int], list[int]], method: Any) -> None:
    text, pattern = both
    expected = oracle.distances(text, pattern)
    for one, other in zip(forms(text), forms(pattern), strict=False):
        if isinstance(one, list | np.ndarray | pa.Array) != isinstance(
            other, list | np.ndarray | pa.Array
        ):
            continue
        found = bow.hamming.distances(one, other, method=method)
        assert found.to_pylist() == expected
    widths = [(255, pa.uint8()), (65_535, pa.uint16()), (1 << 32, pa.uint32())]
    assert found.type == next(type for most, type in widths if len(pattern) <= most)


@given(
    texts_and_patterns(),
    st.lists(st.integers(0, 5), max_size=3),
    st.dictionaries(st.integers(0, 5), st.integers(0, 5), max_size=3),
    st.sampled_from([None, *hamming.METHODS]),
)
@settings(max_examples=100, deadline=None)
def test_what_counts_as_equal(
    both: tuple[list[int], list[int]], wildcards: list[int], mapped: dict[int, int], method: Any
) -> None:
    text, pattern = both
    expected = oracle.distances(text, pattern, wildcards, mapped)
    options: dict[str, Any] = {"wildcard": wildcards, "symbol_map": mapped, "method": method}
    assert bow.hamming.distances(text, pattern, **options).to_pylist() == expected
    if max(text + pattern) < 256:
        found = bow.hamming.distances(bytes(text), bytes(pattern), **options)
        assert found.to_pylist() == expected


def test_letters_whatever_their_case() -> None:
    found = bow.hamming.distances("Hello, World", "hello", ignore_case=True)
    assert found[0].as_py() == 0
    assert bow.hamming.distances("Hello", "hello").to_pylist() == [1]
    table = bytes.maketrans(b"eo", b"aa")
    assert (
        bow.hamming.distances("Hello", "hAlla", ignore_case=True, symbol_map=table)[0].as_py() == 0
    )
    assert bow.hamming.distances("hello", "hallo", symbol_map={"e": "a"})[0].as_py() == 0
    assert bow.hamming.distances(b"\xff\0", b"a\0", wildcard=255).to_pylist() == [0]


@pytest.mark.parametrize("alphabet", ALPHABETS)
@pytest.mark.parametrize("length", [255, 256, 3000])
def test_long_patterns_by_every_kernel(alphabet: int, length: int) -> None:
    draw = np.random.default_rng(alphabet)
    text = draw.integers(0, alphabet, 40_000, dtype=np.uint32)
    pattern = text[7000 : 7000 + length].copy()
    pattern[::7] = alphabet - 1
    windows = np.lib.stride_tricks.sliding_window_view(text, length)
    chosen = [0, 1, 6999, 7000, 7001, len(windows) // 2, len(windows) - 1]
    expected = [int((windows[at] != pattern).sum()) for at in chosen]
    answers = [
        bow.hamming.distances(text, pattern, method=method, threads=threads).to_numpy()
        for method, threads in itertools.product([None, *hamming.METHODS], (1, 2))
    ]
    assert answers[0][chosen].tolist() == expected
    for other in answers[1:]:
        assert (other == answers[0]).all()


@pytest.mark.parametrize("mismatches", [255, 256, 65_535, 65_536])
def test_counters_at_their_borders(mismatches: int) -> None:
    text = b"a" * (mismatches + 300)
    for method in (None, *hamming.METHODS):
        found = bow.hamming.distances(text, b"b" * mismatches, method=method)
        assert found.unique().to_pylist() == [mismatches]


def test_columns_of_texts_and_patterns() -> None:
    texts = ["abcab", None, "a", "", "abc"]
    found = bow.hamming.distances(texts, "abc")
    assert found.to_pylist() == [[0, 3, 3], None, [], [], [0]]
    assert found.type == pa.large_list(pa.field("item", pa.uint8(), nullable=False))
    found = bow.hamming.distances("abcab", ["abc", None, "b", "abcabc"])
    assert found.to_pylist() == [[0, 3, 3], None, [1, 0, 1, 1, 0], []]
    table = bow.hamming.distances(pa.chunked_array([["ab"], ["b", None]]), ["a", "bb"])
    assert table.to_pylist() == [
        {"text": 0, "pattern": 0, "distances": [0, 1]},
        {"text": 0, "pattern": 1, "distances": [1]},
        {"text": 1, "pattern": 0, "distances": [1]},
        {"text": 1, "pattern": 1, "distances": []},
        {"text": 2, "pattern": 0, "distances": None},
        {"text": 2, "pattern": 1, "distances": None},
    ]
    assert bow.hamming.distances([], ["a"]).num_rows == 0
    assert bow.hamming.distances([[1, 2], [2]], [2]).to_pylist() == [[1, 0], [0]]
    wide = bow.hamming.distances(["ab", "a" * 400], ["b", "b" * 300])
    assert wide["distances"].type.value_type == pa.uint16()


@pytest.mark.parametrize("alphabet", [2, 4, 5, 40, 300])
def test_many_patterns_share_a_text(alphabet: int) -> None:
    draw = np.random.default_rng(alphabet)
    text = draw.integers(0, alphabet, 40_000)
    patterns = [text[at * 999 :][:length].copy() for at, length in enumerate((5000, 4900, 5000, 3))]
    patterns[0][::7] = alphabet  # a symbol that the text has not
    for method in (None, "fft"):
        found = bow.hamming.distances(text, [*map(list, patterns), None], method=method)
        assert found[-1].as_py() is None
        for one, pattern in zip(found, patterns, strict=False):
            alone = bow.hamming.distances(text, pattern, method="lists")
            assert one.values.to_pylist() == alone.to_pylist()


def test_progress_is_reported() -> None:
    text, pattern = bytes(range(256)) * 4000, bytes(range(200)) * 3
    calls: list[Any] = [
        lambda report: bow.hamming.distances(text, pattern, progress=report),
        lambda report: bow.hamming.distances(text, [pattern, pattern], progress=report),
        lambda report: bow.hamming.within([text, text], pattern, 3, progress=report),
        lambda report: bow.hamming.best(text, pattern, progress=report),
        lambda report: bow.hamming.approximate(text, pattern, progress=report),
        lambda report: bow.hamming.sumset([1, 5], [3, 10**7], engine="windows", progress=report),
    ]
    for call in calls:
        seen: list[tuple[str, int, int | None]] = []
        call(lambda *stage, seen=seen: seen.append(stage))
        phase, done, total = seen[-1]
        assert (phase, done) == ("querying", total) and done > 0
    with pytest.raises(bow.InvalidInput, match="progress"):
        bow.hamming.within(bow.index(["abc"]), "ab", 1, progress=print)


def test_a_long_text_among_short_ones() -> None:
    long = "ab" * (1 << 18)
    found = bow.hamming.distances(["aa", long, "bb", None], "aa")
    assert [None if one is None else len(one) for one in found.to_pylist()] == [1, 524_287, 1, None]
    assert found[1].values.unique().to_pylist() == [1]


@pytest.mark.parametrize("k", [0, 1, 3, 300])
@given(both=texts_and_patterns())
@settings(max_examples=40, deadline=None)
def test_windows_within(k: int, both: tuple[list[int], list[int]]) -> None:
    text, pattern = both
    expected = oracle.within(text, pattern, k)

    def got(**options: Any) -> list[tuple[int, int]]:
        found = bow.hamming.within(text, pattern, k, **options)
        assert found.schema.names == ["start", "distance"]
        return list(zip(*(found[name].to_pylist() for name in found.schema.names), strict=True))

    assert got() == expected
    least = min((distance for _, distance in expected), default=0)
    assert got(best=True) == [one for one in expected if one[1] == least]
    apart: list[tuple[int, int]] = []
    for one in sorted(expected, key=lambda one: (one[1], one[0])):
        if all(abs(one[0] - start) >= len(pattern) for start, _ in apart):
            apart.append(one)
    assert got(overlapping=False) == sorted(apart)


def test_within_columns_and_characters() -> None:
    found = bow.hamming.within(["abd", None, "xbc", "abc"], ["abc", None, "b"], 1)
    rows = [tuple(row.values()) for row in found.to_pylist()]
    expected = [(0, 0, 0, 1), (0, 2, 0, 1), (0, 2, 1, 0), (0, 2, 2, 1)]
    assert [row for row in rows if row[0] == 0] == expected
    assert {row[0] for row in rows} == {0, 2, 3}
    # "é" is two bytes, whose first "è" shares.
    assert bow.hamming.within("aèé", "é", 1).to_pylist() == [
        {"start": 1, "distance": 1},
        {"start": 3, "distance": 0},
    ]
    assert bow.hamming.within("aèé".encode(), "é".encode(), 1).num_rows == 2
    assert bow.hamming.within("aéa", "xx", 2)["start"].to_pylist() == [1]
    assert bow.hamming.within("aéa".encode(), b"xx", 2)["start"].to_pylist() == [0, 1, 2]


def test_within_where_everything_is_near() -> None:
    text = b"ab" * 60_000
    for k in (0, 10, 60):
        found = bow.hamming.within(text, b"ab" * 50 + b"x", k)
        expected = [] if k == 0 else list(range(0, len(text) - 100, 2))
        assert found["start"].to_pylist() == expected


@pytest.mark.parametrize("kind", KINDS, ids=str)
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_an_index_finds_what_is_near(
    kind: Kind, data: st.DataObject, tmp_path_factory: Any
) -> None:
    case: Case = data.draw(cases(kind))
    k = data.draw(st.integers(0, 3))
    queries = [q if q is not None and len(symbols(q)) > k else None for q in case.queries]
    expected = []
    for at, query in enumerate(queries):
        for row, text in enumerate(case.rows):
            if query is None or text is None:
                continue
            units, needle = symbols(text), symbols(query)
            for start, distance in oracle.within(units, needle, k):
                stop = start + len(needle)
                edges = [units[edge] for edge in (start, stop) if edge < len(units)]
                if kind is STRING and any(byte & 0xC0 == 0x80 for byte in edges):
                    continue
                expected.append((at, row, start, stop, distance))

    def new_path() -> Path:
        return Path(tmp_path_factory.mktemp("near")) / "index.bow"

    for label, index in held(case, new_path):
        found = index.search_within(pa.array(queries, kind.query_type), k)
        rows = list(zip(*(found[name].to_pylist() for name in found.schema.names), strict=True))
        assert rows == expected, label


@pytest.mark.parametrize("kind", ["suffix", "fm"])
def test_an_index_of_long_rows(kind: Any) -> None:
    draw = random.Random(5)
    rows = ["".join(draw.choices("acgt", k=6000)) for _ in range(6)]
    index = bow.index(rows, kind=kind, segment_symbols=13_000)
    query = rows[3][100:160]
    query = query[:20] + "x" + query[21:40] + "x" + query[41:]
    for k in (2, 5, 30, 40):
        found = index.search_within(query, k)
        near = bow.hamming.within(rows, query, k)
        assert found.drop_columns("stop").rename_columns(["text", "start", "distance"]) == near
        assert bow.hamming.within(index, query, k) == near
    assert index.search_within(query, 2)["row"].to_pylist() == [3]


def test_the_nearest_windows() -> None:
    draw = random.Random(1)
    text = bytes(draw.choices(b"ab", k=500))
    pattern = bytes(draw.choices(b"ab", k=12))
    expected = sorted(enumerate(oracle.distances(text, pattern)), key=lambda one: (one[1], one[0]))
    for top in (0, 1, 7, 1000):
        found = bow.hamming.best(text, pattern, top)
        rows = [(row["start"], row["distance"]) for row in found.to_pylist()]
        assert rows == expected[:top]
    columns = bow.hamming.best(["ab", "", "b"], ["a", "b"])
    assert columns.schema.names == ["text", "pattern", "start", "distance"]
    assert columns["text"].to_pylist() == [0, 0, 2, 2]


def test_promises_are_kept() -> None:
    draw = np.random.default_rng(3)
    text = draw.integers(0, 8, 30_000, dtype=np.uint8)
    pattern = text[9000:19_000].copy()
    pattern[draw.random(10_000) < 0.3] = 0
    exact = bow.hamming.distances(text.tobytes(), pattern.tobytes()).to_numpy().astype(float)
    broken = 0
    for seed in range(60):
        found = bow.hamming.approximate(
            text.tobytes(), pattern.tobytes(), 0.06, 0.2, seed, always=True
        )
        assert found.method == "sampling"
        assert found.positions == int(np.ceil(np.log(2 * len(exact) / 0.2) / (2 * 0.06**2)))
        off = np.abs(found.distances.to_numpy() - exact)
        broken += bool(off.max() > 0.06 * len(pattern))
    # At most a fifth of them may; Hoeffding and the union bound are far from tight.
    assert broken <= 60 * 0.2
    relative = bow.hamming.approximate(
        text.tobytes(), pattern.tobytes(), 0.5, 0.2, guarantee="relative", always=True
    )
    assert relative.method == "projection"
    assert (np.abs(relative.distances.to_numpy() - exact) <= 0.5 * exact).all()


def test_estimates_by_seed_and_the_exact_where_that_is_cheaper() -> None:
    draw = np.random.default_rng(4)
    text = draw.integers(97, 117, 40_000, dtype=np.uint8).tobytes()
    pattern = text[500:4500]
    options: dict[str, Any] = {"guarantee": None, "always": True}
    first = bow.hamming.approximate(text, pattern, seed=1, **options)
    again = bow.hamming.approximate(text, pattern, seed=1, threads=1, **options)
    assert first.distances == again.distances
    assert first.distances != bow.hamming.approximate(text, pattern, seed=2, **options).distances
    assert first.best.num_rows == 100
    assert first.best.slice(0, 1).to_pylist() == [{"start": 500, "distance": 0}]
    assert 0 < first.error < 0.5
    exact = bow.hamming.approximate(text, text[:8])
    assert exact.method == "exact"
    assert exact.error == 0
    assert exact.distances.to_pylist() == bow.hamming.distances(text, text[:8]).to_pylist()


def test_wildcards_in_the_text_of_an_estimate() -> None:
    draw = np.random.default_rng(6)
    text = draw.integers(97, 101, 20_000, dtype=np.uint8).tobytes()
    pattern = text[3000:9000]
    exact = bow.hamming.distances(text, pattern, wildcard="a").to_numpy().astype(float)
    found = bow.hamming.approximate(text, pattern, 0.1, 0.01, wildcard="a", always=True)
    assert found.method == "sampling"
    assert np.abs(found.distances.to_numpy() - exact).max() <= 600
    projected = bow.hamming.approximate(text, pattern, guarantee=None, wildcard="a", always=True)
    assert projected.method == "exact"


def test_plans_count_every_position() -> None:
    draw = np.random.default_rng(7)
    for alphabet, length in itertools.product((4, 90, 3000), (8, 500, 20_000)):
        text = draw.integers(0, alphabet, 100_000, dtype=np.uint32)
        plan = bow.hamming.plan(text, text[:length])
        assert plan.windows == 100_001 - length
        assert sum(step.positions for step in plan.steps) == length
        assert plan.nanoseconds == pytest.approx(sum(step.nanoseconds for step in plan.steps))
        assert all(0 <= step.error_bound < 0.5 for step in plan.steps)
        assert plan.simd in ("avx512", "avx2", "portable")
        forced = bow.hamming.plan(text, text[:length], method="lists")
        assert [step.method for step in forced.steps] == ["lists"]


@given(
    st.lists(st.integers(-50, 50), max_size=30),
    st.lists(st.integers(-50, 50) | st.integers(-(2**40), 2**40), max_size=30),
    st.lists(st.integers(-100, 100), max_size=30),
)
@settings(max_examples=100, deadline=None)
def test_sums(a: list[int], b: list[int], c: list[int]) -> None:
    expected = oracle.sums(a, b)
    assert bow.hamming.sumset(a, b).to_pylist() == sorted(expected)
    counted = bow.hamming.sumset_counts(np.array(a, np.int64), pa.array(b, pa.int64()))
    assert dict(zip(*counted.to_pydict().values(), strict=True)) == expected
    found = bow.hamming.count_3sum(a, b, c)
    assert found.to_pylist() == [expected.get(one, 0) for one in c]
    every = bow.hamming.count_3sum(a, b, range(-100, 101))
    assert every.to_pylist() == [expected.get(one, 0) for one in range(-100, 101)]


@pytest.mark.parametrize("engine", hamming.ENGINES)
def test_every_engine_finds_the_same_sums(engine: Any) -> None:
    draw = np.random.default_rng(2)
    a, b = (draw.choice(300_000, 3000, replace=False) - 1000 for _ in range(2))
    sums, counts = np.unique((a[:, None] + b[None]).reshape(-1), return_counts=True)
    assert (bow.hamming.sumset(a, b, engine=engine).to_numpy() == sums).all()
    if engine != "bits":
        table = bow.hamming.sumset_counts(a, b, engine=engine)
        assert (table["value"].to_numpy() == sums).all()
        assert (table["count"].to_numpy() == counts).all()


def test_a_profile(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    text = "abcdefghij" * 3000
    figure = bow.hamming.profile(text, "efghi", tmp_path / "profile.png")
    assert figure.axes[0].get_title() == "29,996 windows, the nearest at 4: 0 mismatches"
    assert (tmp_path / "profile.png").stat().st_size > 1000
    with pytest.raises(bow.InvalidInput, match=r"path is 'a\.txt'"):
        bow.hamming.profile("a", "a", "a.txt")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bow.hamming.distances("ab", "abc"), "pattern has 3 symbols and text has 2"),
        (lambda: bow.hamming.distances("ab", ""), "pattern is empty"),
        (lambda: bow.hamming.distances("ab", ["a", ""]), "pattern 1 is empty"),
        (lambda: bow.hamming.distances("ab", "a", wildcard="é"), "wildcard holds 'é'"),
        (lambda: bow.hamming.distances("ab", "a", wildcard=256), "wildcard holds 256"),
        (lambda: bow.hamming.distances([1, -2], [1]), "row 0 holds token -2"),
        (lambda: bow.hamming.distances("ab", "a", symbol_map=b"ab"), "symbol_map has 2 bytes"),
        (lambda: bow.hamming.distances("ab", "a", method="best"), "method is 'best'"),  # type: ignore[arg-type]
        (lambda: bow.hamming.distances(None, "a"), "text is None"),
        (lambda: bow.hamming.distances("\ud800", "a"), "text is not text"),
        (lambda: bow.hamming.within("ab", "a", -1), "k is -1"),
        (lambda: bow.hamming.approximate("ab", "a", 0.0), "epsilon is 0"),
        (lambda: bow.hamming.approximate("ab", "a", 0.1, 1.0), "delta is 1"),
        (lambda: bow.hamming.approximate("ab", "a", guarantee=None, trials=0), "trials is 0"),
        (lambda: bow.hamming.approximate("ab", "a", guarantee="all"), "guarantee is 'all'"),  # type: ignore[arg-type]
        (lambda: bow.hamming.sumset([2**63], [1]), "a holds a number that does not fit"),
        (lambda: bow.hamming.sumset([2**63 - 1], [1]), "do not fit 64 bits"),
        (lambda: bow.hamming.sumset([1, None], [1]), "a holds a null"),
        (lambda: bow.hamming.sumset([0, 2**50], [1], engine="fft"), 'engine is "fft"'),
        (lambda: bow.hamming.sumset_counts([0], [1], engine="bits"), 'engine is "bits"'),
        (lambda: bow.index(["ab"]).search_within("ab", 2), "query has 2 symbols and k is 2"),
        (lambda: bow.hamming.within(bow.index(["ab"]), "ab", 1, best=True), "not for an index"),
    ],
)
def test_what_cannot_be_answered(call: Any, message: str) -> None:
    with pytest.raises(bow.InvalidInput, match=message):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bow.hamming.distances("ab", [1]), "two kinds"),
        (lambda: bow.hamming.distances(1.5, "a"), "text is a float"),
        (lambda: bow.hamming.distances([1], [1], ignore_case=True), "ignore_case"),
        (lambda: bow.hamming.distances("a", "a", ignore_case=1), "ignore_case is 1"),  # type: ignore[arg-type]
        (lambda: bow.hamming.plan(["a"], "a"), "text is a column"),
        (lambda: bow.hamming.sumset("ab", [1]), "a is 'ab'"),
        (lambda: bow.hamming.sumset([1.5], [1]), "a is a column of double"),
        (lambda: bow.index(["ab"]).search_within([1, 2], 1), "query is a list of tokens"),
    ],
)
def test_what_has_the_wrong_type(call: Any, message: str) -> None:
    with pytest.raises(bow.UnsupportedType, match=message):
        call()


def test_columns_of_other_libraries() -> None:
    polars = pytest.importorskip("polars")
    pandas = pytest.importorskip("pandas")
    expected = [[1, 0], None]
    for texts in (polars.Series(["ab", None]), pandas.Series(["ab", None])):
        assert bow.hamming.distances(texts, "b").to_pylist() == expected
    assert bow.hamming.distances(polars.Series([1, 2]), [2]).to_pylist() == [1, 0]
    assert bow.hamming.distances(pandas.Series([1, 2]), [2]).to_pylist() == [1, 0]
    sliced = pa.array(["zz", "ab", None, "b"]).slice(1, 2)
    assert bow.hamming.distances(sliced, "b").to_pylist() == expected
