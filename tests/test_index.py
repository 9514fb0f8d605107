"""Every question of an index against plain Python over the rows, however the index is held."""

from __future__ import annotations

import itertools
import math
import os
import re
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bowstring as bow
from oracles import search as oracle
from strategies import EDGES, KINDS, STRING, Case, Kind, cases, held

NewPath = Callable[[], Path]


def answers(index: bow.Index, case: Case, threads: int | None = None) -> dict[str, Any]:
    """What the index says, question by question."""
    queries = case.query_column()
    asked = [query for query in case.queries if query is not None]
    every = list(range(len(case.rows)))
    options = {"threads": threads}

    def listed(table: pa.Table) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = table.to_pylist()
        return rows

    return {
        "length": len(index),
        "rows": index.info.rows,
        "symbols": index.info.symbols,
        "column": index.info.column,
        "count": index.count(queries, **options).to_pylist(),
        "count one": [index.count(query) for query in asked],
        "locate": listed(index.locate(queries, **options)),
        "locate one": [listed(index.locate(query, **options)) for query in asked],
        "locate 2": listed(index.locate(queries, limit=2, **options)),
        "rows of": listed(index.rows(queries, **options)),
        "rows of one": [listed(index.rows(query, **options)) for query in asked],
        "rows of 2": listed(index.rows(queries, limit=2, **options)),
        "context 0": listed(index.context(queries, width=0, **options)),
        "context 3": listed(index.context(queries, width=3, limit=4, **options)),
        "context all": [
            listed(index.context(query, width=10**6, limit=20, **options)) for query in asked
        ],
        "text": index.text(pa.array(every, pa.uint64()), **options).to_pylist(),
        "text one": [index.text(row) for row in every],
        "search": [
            listed(index.search([[a], [b, c]], within=within, limit=limit, **options))
            for a, b, c in itertools.islice(itertools.permutations(asked, 3), 4)
            for within, limit in ((None, None), (5, None), (None, 2))
        ],
        "sample": listed(index.locate(queries, limit=3, seed=7, **options)),
        "sample of context": listed(index.context(queries, limit=3, seed=7, **options)),
        "estimate": [
            listed(index.search([[a], [b]], max_matches=2, seed=5, **options))
            for a, b in itertools.islice(itertools.permutations(asked, 2), 4)
        ],
    }


def expected(case: Case) -> dict[str, Any]:
    """What it must say, as far as no sample is drawn."""
    rows, queries = case.rows, case.queries
    asked = [query for query in queries if query is not None]
    filled = [row for row in rows if row is not None]

    def many(answer: Callable[[Any], list[dict[str, Any]]]) -> list[dict[str, Any]]:
        return [
            {"query": number} | found
            for number, query in enumerate(queries)
            for found in answer(query)
        ]

    def plain(tree: Any) -> Any:
        return tuple(tree) if isinstance(tree, list) else tree

    def tree(a: Any, b: Any, c: Any) -> oracle.Tree:
        return oracle.And((plain(a), oracle.Or((plain(b), plain(c)))))

    return {
        "length": len(rows),
        "rows": len(rows),
        "symbols": sum(len(oracle.symbols(row)) for row in filled),
        "column": case.kind.name,
        "count": [oracle.count(rows, query) for query in queries],
        "count one": [oracle.count(rows, query) for query in asked],
        "locate": many(lambda query: oracle.locate(rows, query)),
        "locate one": [oracle.locate(rows, query) for query in asked],
        "locate 2": many(lambda query: oracle.locate(rows, query)[:2]),
        "rows of": many(lambda query: oracle.holding(rows, query)),
        "rows of one": [oracle.holding(rows, query) for query in asked],
        "rows of 2": many(lambda query: oracle.holding(rows, query)[:2]),
        "context 0": many(lambda query: oracle.context(rows, query, 0)),
        "context 3": many(lambda query: oracle.context(rows, query, 3, 4)),
        "context all": [oracle.context(rows, query, 10**6, 20) for query in asked],
        "text": rows,
        "text one": rows,
        "search": [
            oracle.search(rows, tree(a, b, c), within)[:limit]
            for a, b, c in itertools.islice(itertools.permutations(asked, 3), 4)
            for within, limit in ((None, None), (5, None), (None, 2))
        ],
    }


def check_samples(case: Case, given: dict[str, Any]) -> None:
    """A sample is of the right size, in order, and of what there is."""
    for number, query in enumerate(case.queries):
        spans = oracle.locate(case.rows, query)
        drawn = [
            {k: v for k, v in s.items() if k != "query"}
            for s in given["sample"]
            if s["query"] == number
        ]
        assert len(drawn) == min(3, len(spans))
        assert drawn == [span for span in spans if span in drawn]
    starts = [(s["query"], s["row"], s["start"]) for s in given["sample"]]
    assert starts == [(s["query"], s["row"], s["start"]) for s in given["sample of context"]]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_answers_are_the_oracles_however_the_index_is_held(kind: Kind, new_path: NewPath) -> None:
    @given(cases(kind))
    def check(case: Case) -> None:
        right = expected(case)
        first: dict[str, Any] = {}
        for label, index in held(case, new_path):
            given = answers(index, case)
            for question, answer in right.items():
                assert given[question] == answer, (label, question)
            first = first or given
            if label == "infini-gram":
                # Separators before rows, not behind them: what is drawn by position is another.
                check_samples(case, given)
            else:
                assert given == first, label
            index.verify()
            if label == "segments":
                assert answers(index, case, threads=1) == first
                assert answers(index, case, threads=2) == first
        check_samples(case, first)

    check()


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_spans_of_rows(kind: Kind, new_path: NewPath) -> None:
    @given(cases(kind), st.data())
    def check(case: Case, data: st.DataObject) -> None:
        if not case.rows:
            return
        rows, starts, stops = [], [], []
        for _ in range(data.draw(st.integers(0, 8))):
            number = data.draw(st.integers(0, len(case.rows) - 1))
            row = "" if case.rows[number] is None else case.rows[number]
            start = data.draw(st.integers(0, len(row)))
            stop = data.draw(st.integers(start, len(row)))
            rows.append(number)
            starts.append(len(oracle.symbols(row[:start])) if row else 0)
            stops.append(len(oracle.symbols(row[:stop])) if row else 0)
        spans = list(zip(rows, starts, stops, strict=True))
        right = [oracle.text(case.rows[row], start, stop) for row, start, stop in spans]
        heads = [oracle.text(case.rows[row], 0, stop) for row, _, stop in spans]
        tails = [oracle.text(case.rows[row], start) for row, start, _ in spans]
        columns = [pa.array(column, pa.int64()) for column in (rows, starts, stops)]
        for label, index in held(case, new_path):
            assert index.text(*columns).to_pylist() == right, label
            assert index.text(columns[0], None, columns[2]).to_pylist() == heads, label
            assert index.text(columns[0], columns[1]).to_pylist() == tails, label
            assert [index.text(*span) for span in spans] == right, label
            past = index.text(columns[0], columns[1], 10**9)
            assert past.to_pylist() == tails, label

    check()


@pytest.mark.parametrize("alphabet", [1, 2, 4, 26, 255, 256, 300, 70_000])
def test_counts_in_a_long_column(alphabet: int) -> None:
    """Enough symbols for every level of the search, and patterns of every length."""
    random = np.random.default_rng(alphabet)
    symbols = random.integers(0, alphabet, 6_000 if alphabet == 1 else 40_000)
    text = symbols.astype("<u4").tobytes()
    cuts = np.sort(random.integers(0, len(symbols), 30))
    if alphabet <= 256:
        rows: list[Any] = [piece.astype(np.uint8).tobytes() for piece in np.split(symbols, cuts)]
        column = pa.array(rows, pa.binary())
    else:
        rows = [piece.tolist() for piece in np.split(symbols, cuts)]
        column = pa.array(rows, pa.list_(pa.uint32()))
    queries: list[Any] = []
    for length in (1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 40, 200):
        for row in range(0, len(rows), 3):
            start = int(random.integers(0, max(1, len(rows[row]) - length)))
            if query := rows[row][start : start + length]:
                queries += [query, query[:-1] + query[:1]]
    if alphabet <= 256:
        right = [oracle.count(rows, query) for query in queries]
        asked = pa.array(queries, pa.binary())
    else:
        # Find the bytes of the tokens, where they stand at a token's beginning.
        def found(query: list[int]) -> int:
            starts = oracle.starts(text, np.array(query, "<u4").tobytes())
            ends = set(cuts.tolist())
            return sum(
                at % 4 == 0 and not any(at // 4 + step in ends for step in range(1, len(query)))
                for at in starts
            )

        right = [found(query) for query in queries]
        asked = pa.array(queries, pa.list_(pa.uint32()))
    assert sum(right) >= len(right) / 2
    for index in (bow.index(column), bow.index(column, segment_symbols=15_001)):
        assert index.count(asked).to_pylist() == right
        assert index.count(asked, threads=1).to_pylist() == right
        assert [index.count(query) for query in queries] == right
        located = Counter(index.locate(asked)["query"].to_pylist())
        assert [located[number] for number in range(len(queries))] == right


def test_a_column_of_queries_is_answered_like_each_of_them() -> None:
    """Many queries take another way through the core than one does."""
    random = np.random.default_rng(3)
    text = bytes(random.integers(97, 101, 20_000, dtype=np.uint8)).decode()
    index = bow.index([text[at : at + 50] for at in range(0, len(text), 50)])
    starts = random.integers(0, len(text) - 12, 30_000)
    queries = [text[at : at + 1 + at % 11] for at in starts.tolist()]
    queries[::1000] = [None] * len(queries[::1000])
    counts = index.count(queries, threads=2).to_pylist()
    assert counts == index.count(queries, threads=1).to_pylist()
    distinct = {query: index.count(query) for query in set(queries) if query is not None}
    assert counts == [None if query is None else distinct[query] for query in queries]


@pytest.mark.parametrize(
    "item", ["uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"]
)
@pytest.mark.parametrize("edge", EDGES)
def test_tokens_of_every_type_and_width(item: str, edge: int) -> None:
    """A token is found and never taken for the separator, whatever the symbols' width."""
    type = getattr(pa, item)()
    most = np.iinfo(item).max
    if edge > most:
        pytest.skip("does not fit the type")
    rows = [[edge], None, [], [0, edge, 0], [edge, edge]]
    index = bow.index(pa.array(rows, pa.list_(type)))
    assert index.count([edge]) == oracle.count(rows, [edge])
    assert index.count([0, edge]) == oracle.count(rows, [0, edge])
    assert index.text([0, 1, 2, 3, 4]).to_pylist() == rows
    for absent in (*EDGES, 2**32 - 1):
        if absent not in (0, edge):
            assert index.count([absent]) == 0, absent
            assert index.count([edge, absent]) == 0, absent
    (segment,) = index.info.segments
    assert segment.width == min(w for w in (1, 2, 4) if edge <= 256**w - 2)


def test_segments_of_several_widths_answer_as_one() -> None:
    rows = [[1, 2], [255, 1, 2], [65_535, 1, 2], [1, 70_000, 1, 2]]
    index = bow.index(rows[:1])
    for row in rows[1:]:
        index.append([row])
    assert [segment.width for segment in index.info.segments] == [1, 2, 4, 4]
    for query in ([1, 2], [255], [65_535], [70_000, 1], [255, 1, 2]):
        assert index.count(query) == oracle.count(rows, query), query
        assert index.locate(query).to_pylist() == oracle.locate(rows, query), query
    index.compact()
    assert [segment.width for segment in index.info.segments] == [4]
    assert index.text(range(4)).to_pylist() == rows


@pytest.mark.parametrize("byte", range(256))
def test_every_byte_beside_every_other(byte: int) -> None:
    """A binary column may use all bytes, then its symbols widen, or all but one."""
    one = bytes([byte])
    rows = [bytes(range(256)), one * 3, b"", None]
    missing = [bytes(value for value in range(256) if value != byte), b"", None]
    full, lacking = bow.index(pa.array(rows)), bow.index(pa.array(missing))
    assert full.info.segments[0].width == 2
    assert lacking.info.segments[0].width == 1
    assert full.count(one) == 4
    assert full.count(one * 2) == 2
    assert lacking.count(one) == 0
    assert lacking.count(bytes([(byte + 1) % 256])) == 1
    assert full.text([0, 1, 2, 3]).to_pylist() == rows
    assert lacking.text([0, 1, 2]).to_pylist() == missing


@pytest.mark.parametrize("rows", [[], [None], [""], [None, "", None], ["", ""]], ids=repr)
def test_columns_with_nothing_in_them(rows: list[Any], new_path: NewPath) -> None:
    column = pa.array(rows, pa.string())
    path = new_path()
    bow.index(column, path=path)
    for index in (bow.index(column), bow.open(path)):
        assert index.count("a") == 0
        assert index.count(["a", None]).to_pylist() == [0, None]
        assert index.locate("a").num_rows == 0
        assert index.rows(["a"]).num_rows == 0
        assert index.context("a").num_rows == 0
        assert index.search("a").num_rows == 0
        assert index.search("a OR b", max_matches=1).num_rows == 0
        assert index.text(pa.array(range(len(rows)), pa.uint8())).to_pylist() == rows
        assert len(index) == len(rows)
        assert index.info.symbols == 0
        index.compact()
        index.verify()
        index.append(column)
        index.append(["a", None])
        assert len(index) == 2 * len(rows) + 2
        assert index.rows("a").to_pylist() == [{"row": 2 * len(rows), "count": 1}]


def test_types_of_the_answers() -> None:
    span = [("row", pa.uint64()), ("start", pa.uint64()), ("stop", pa.uint64())]
    query = [("query", pa.uint64())]
    for rows, one, out in (
        (["abc"], "b", pa.large_string()),
        ([b"abc"], b"b", pa.large_binary()),
        ([[1, 2, 3]], [2], pa.large_list(pa.uint32())),
    ):
        index = bow.index(rows)
        for asked, lead in ((one, []), ([one], query)):
            shown = [("left", out), ("match", out), ("right", out)]
            for table, fields in (
                (index.locate(asked), span),
                (index.rows(asked), [("row", pa.uint64()), ("count", pa.uint64())]),
                (index.context(asked), span[:2] + shown),
            ):
                assert _fields(table) == _fields(pa.schema(lead + fields).empty_table())
                assert table.num_rows == 1
        assert index.count([one]).type == pa.uint64()
        assert type(index.count(one)) is int
        assert index.text([0]).type.equals(index.context(one)["left"].type)
        weighed = [("weight", pa.float64()), ("approximate", pa.bool_())]
        nested = [[one]]
        assert _fields(index.search(nested)) == [(n, t) for n, t in span]
        assert _fields(index.search(nested, max_matches=9)) == span + weighed
    many = bow.index(["abc"]).search(["b", "c"])
    assert _fields(many) == query + span
    assert many["query"].to_pylist() == [0, 1]


def _fields(table: pa.Table) -> list[tuple[str, pa.DataType]]:
    """Names and types, whatever a list's item is called."""
    return [
        (field.name, pa.large_list(field.type.value_type))
        if pa.types.is_large_list(field.type)
        else (field.name, field.type)
        for field in table.schema
    ]


def test_queries_of_every_form() -> None:
    strings = bow.index(["añb", "ñ"])
    assert strings.count("ñ") == strings.count("ñ".encode()) == 2
    assert strings.count(np.str_("ñ")) == 2
    for column in (
        ["ñ", "b"],
        np.array(["ñ", "b"]),
        pa.array(["ñ", "b"], pa.string_view()),
        pa.chunked_array([["ñ"], [], ["b"]]),
        pa.array(["ñ", "b"]).dictionary_encode(),
        pa.array(["ñ".encode(), b"b"]),
    ):
        assert strings.count(column).to_pylist() == [2, 1]
    binary = bow.index([b"a\xffb", "ñ".encode()])
    assert binary.count("ñ") == 1
    assert binary.count([b"\xff", b"\xc3"]).to_pylist() == [1, 1]
    tokens = bow.index([[1, 2, 3], [2, 3]])
    assert tokens.count([2, 3]) == tokens.count((2, 3)) == tokens.count(np.array([2, 3])) == 2
    assert tokens.count(np.array([2, 3], np.uint8)) == 2
    for lists in (
        [[2, 3], [1]],
        [np.array([2, 3]), np.array([1])],
        pa.array([[2, 3], [1]]),
        pa.array([[2, 3], [1]], pa.large_list(pa.uint64())),
    ):
        assert tokens.count(lists).to_pylist() == [2, 1]


def test_no_queries_at_all() -> None:
    index = bow.index(["abc"])
    none = pa.array([], pa.string())
    assert index.count(none).to_pylist() == []
    for table in (index.locate(none), index.rows(none), index.context(none)):
        assert table.num_rows == 0
        assert table.column_names[0] == "query"
    assert index.text(pa.array([], pa.int64())).to_pylist() == []


def test_a_sample_is_uniform() -> None:
    """Each of 60 occurrences is drawn as often as the others, over many seeds."""
    rows = ["ab" * (1 + number % 5) for number in range(20)]
    spans = [(span["row"], span["start"]) for span in oracle.locate(rows, "ab")]
    assert len(spans) == 60
    index = bow.index(rows, segment_symbols=40)
    assert len(index.info.segments) > 2
    drawn: Counter[tuple[int, int]] = Counter()
    draws, size = 600, 12
    for seed in range(draws):
        table = index.locate("ab", limit=size, seed=seed)
        assert table.num_rows == size
        drawn.update(zip(table["row"].to_pylist(), table["start"].to_pylist(), strict=True))
    share = size / len(spans)
    chi = sum((drawn[span] - draws * share) ** 2 for span in spans) / (draws * share * (1 - share))
    # Sampling without replacement: chi * (60 - 1) / 60 has 59 degrees of freedom; 5 sigma.
    assert abs(chi - 60) < 5 * math.sqrt(2 * 60)


def test_seeds_draw_differently_and_again() -> None:
    index = bow.index(["a" * 1000])
    samples = [index.locate("a", limit=5, seed=seed)["start"].to_pylist() for seed in range(20)]
    assert len({tuple(sample) for sample in samples}) > 15
    assert samples[3] == index.locate("a", limit=5, seed=3)["start"].to_pylist()
    assert index.locate("a", limit=5)["start"].to_pylist() == [0, 1, 2, 3, 4]
    everything = index.locate("a", limit=2000, seed=1)
    assert everything["start"].to_pylist() == list(range(1000))


def test_limits() -> None:
    index = bow.index(["aa", "a", "b"])
    for ask in (index.locate, index.rows, index.context):
        assert ask("a", limit=0).num_rows == 0
        assert ask("a", limit=2**63).equals(ask("a"))
    assert index.search("a", limit=0).num_rows == 0
    assert index.search("a", limit=1)["row"].to_pylist() == [0]


def test_append_and_compact_keep_row_numbers(new_path: NewPath) -> None:
    path = new_path()
    index = bow.index(["one", None], path=path)
    reader = bow.open(path)
    index.append(["two one", ""])
    index.append(pa.array([], pa.string()))
    assert index.rows("one").to_pylist() == [{"row": 0, "count": 1}, {"row": 2, "count": 1}]
    assert len(index) == 4
    assert len(reader) == 2
    assert reader.count("one") == 1
    assert bow.open(path).count("one") == 2
    before = index.locate(["one", "o", "t"]).to_pylist()
    index.compact()
    assert len(index.info.segments) == 1
    assert index.locate(["one", "o", "t"]).to_pylist() == before
    assert reader.text([0, 1]).to_pylist() == ["one", None]
    reader.verify()
    assert index.text(range(4)).to_pylist() == ["one", None, "two one", ""]


def test_an_index_is_replaced_only_on_request(new_path: NewPath) -> None:
    path = new_path()
    old = bow.index(["old"], path=path)
    with pytest.raises(bow.InvalidInput, match="overwrite"):
        bow.index(["new"], path=path)
    assert bow.open(path).count("old") == 1
    new = bow.index(["new", "newer"], path=path, overwrite=True)
    assert new.count("new") == bow.open(path).count("new") == 2
    assert bow.open(path).count("old") == 0
    assert old.count("old") == 1
    old.verify()


def test_two_writers_lose_nothing(new_path: NewPath) -> None:
    """A writer that has not seen the other's rows adds to them, or is told."""
    path = new_path()
    bow.index(["start"], path=path)
    first, second = bow.open(path), bow.open(path)
    first.append(["first"])
    expected = ["start", "first"]
    for change in (lambda: second.append(["second"]), second.compact):
        try:
            change()
        except bow.BowstringError as error:
            assert "open" in str(error)
        else:
            expected += ["second"] * ("second" not in expected)
        assert bow.open(path).text(range(len(bow.open(path)))).to_pylist() == expected


def test_a_failed_build_leaves_what_was(new_path: NewPath) -> None:
    path = new_path()
    bow.index(["old"], path=path)
    broken = _not_utf8(pa.chunked_array([[b"good"], [b"\xff"]]))
    for make in (
        lambda: bow.index(broken, path=path, overwrite=True),
        lambda: bow.open(path).append(broken),
    ):
        with pytest.raises(bow.InvalidInput, match="UTF-8"):
            make()
        assert bow.open(path).text([0]).to_pylist() == ["old"]
        bow.open(path).verify()
    files = sorted(file.name for file in path.iterdir())
    assert files == ["000001.seg", "lock", "manifest.json"]


def test_a_failed_build_can_be_repeated_at_once(new_path: NewPath) -> None:
    """No thread of the one that failed still holds the place."""
    good = pa.array([f"row {number}" for number in range(20_000)])
    broken = pa.chunked_array([good, *_not_utf8(pa.chunked_array([[b"\xff"]])).chunks])
    path = new_path()
    for _ in range(5):
        with pytest.raises(bow.InvalidInput, match="UTF-8"):
            bow.index(broken, path=path, segment_symbols=10_000, threads=2)
    assert len(bow.index(good, path=path)) == len(good)


def _not_utf8(binary: pa.ChunkedArray) -> pa.ChunkedArray:
    """The bytes as a string column, which nothing has checked."""
    chunks = [
        pa.Array.from_buffers(pa.string(), len(chunk), chunk.buffers()) for chunk in binary.chunks
    ]
    return pa.chunked_array(chunks, pa.string())


@pytest.mark.parametrize(
    "bytes_",
    [b"\xff", b"\xc3", b"a\x80", b"\xc0\x80", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xe2\x82"],
)
def test_strings_that_are_not_utf8(bytes_: bytes) -> None:
    for rows in ([bytes_], [b"a", bytes_], [bytes_, b"\x80"], [b"\xc3", b"\xa9"]):
        column = _not_utf8(pa.chunked_array([pa.array(rows)]))
        with pytest.raises(bow.InvalidInput, match=r"UTF-8"):
            bow.index(column)
    # Valid alone, cut between two rows: neither is.
    index = bow.index(["é"])
    with pytest.raises(bow.InvalidInput, match="UTF-8"):
        index.count(bytes_)
    with pytest.raises(bow.InvalidInput, match="UTF-8"):
        index.count(pa.array([b"a", bytes_]))


def test_bytes_beneath_a_null_may_be_anything() -> None:
    column = pa.Array.from_buffers(
        pa.string(), 2, [pa.py_buffer(b"\x02"), *pa.array([b"\xff", b"a"]).buffers()[1:]]
    )
    assert bow.index(column).text([0, 1]).to_pylist() == [None, "a"]


def test_text_never_cuts_a_character() -> None:
    index = bow.index(["a€b", None])
    assert index.text(0, 1, 4) == "€"
    for start, stop in ((2, 4), (1, 3), (2, 3), (0, 2)):
        with pytest.raises(bow.InvalidInput, match="character"):
            index.text(0, start, stop)
    assert bow.index([b"a\xe2\x82\xac"]).text(0, 2, 3) == b"\x82"


def test_what_the_context_shows_of_wide_characters() -> None:
    index = bow.index(["𝄞é€x€é𝄞"])
    (shown,) = index.context("x", width=2).to_pylist()
    assert (shown["left"], shown["right"]) == ("é€", "€é")
    (shown,) = index.context("x", width=3).to_pylist()
    assert (shown["left"], shown["right"]) == ("𝄞é€", "€é𝄞")


@cache
def text() -> bow.Index:
    return bow.index(["to be", None, "or not é"])


@cache
def raw() -> bow.Index:
    return bow.index([b"to \xff", b""])


@cache
def tokens() -> bow.Index:
    return bow.index([[1, 2, 3], [70_000]])


WRONG: list[tuple[str, Callable[[], object], type[Exception], str]] = [
    ("empty", lambda: text().count(""), bow.InvalidInput, "query"),
    ("empty bytes", lambda: raw().count(b""), bow.InvalidInput, "query"),
    ("empty tokens", lambda: tokens().count([]), bow.InvalidInput, "query"),
    ("empty in a column", lambda: text().count(["a", ""]), bow.InvalidInput, "quer"),
    ("empty, locate", lambda: text().locate(""), bow.InvalidInput, "query"),
    ("empty, rows", lambda: text().rows(""), bow.InvalidInput, "query"),
    ("empty, context", lambda: text().context(""), bow.InvalidInput, "query"),
    ("empty, search", lambda: text().search(""), bow.InvalidInput, "query"),
    ("empty text, search", lambda: text().search([["a"], [""]]), bow.InvalidInput, "empty"),
    ("empty clause, search", lambda: text().search([["a"], []]), bow.InvalidInput, "query"),
    ("lone surrogate", lambda: text().count("\ud800"), bow.InvalidInput, "query"),
    ("lone surrogates", lambda: text().count(["\ud800"]), bow.InvalidInput, "query"),
    ("number", lambda: text().count(5), bow.UnsupportedType, "query"),
    ("float", lambda: text().count([1.5]), bow.UnsupportedType, "quer"),
    ("tokens of text", lambda: text().count([1, 2]), bow.UnsupportedType, "quer"),
    ("token lists of text", lambda: text().count([[1, 2]]), bow.UnsupportedType, "quer"),
    ("tokens of text, arrow", lambda: text().locate(pa.array([[1]])), bow.UnsupportedType, "quer"),
    ("text of tokens", lambda: tokens().count("a"), bow.UnsupportedType, "quer"),
    ("bytes of tokens", lambda: tokens().count(b"a"), bow.UnsupportedType, "quer"),
    ("texts of tokens", lambda: tokens().count(["a"]), bow.UnsupportedType, "quer"),
    ("texts of tokens, arrow", lambda: tokens().rows(pa.array(["a"])), bow.UnsupportedType, "quer"),
    ("string searched in tokens", lambda: tokens().search("a"), bow.UnsupportedType, "quer"),
    ("text searched in tokens", lambda: tokens().search([["a"]]), bow.UnsupportedType, "quer"),
    ("tokens searched in text", lambda: text().search([[[1]]]), bow.UnsupportedType, "quer"),
    ("negative token", lambda: tokens().count([-1]), bow.InvalidInput, "-1"),
    ("negative tokens", lambda: tokens().count([[1], [-1]]), bow.InvalidInput, "-1"),
    ("None", lambda: text().count(None), bow.InvalidInput, "query"),
    ("no query", lambda: text().count(object()), bow.UnsupportedType, "query"),
    ("negative limit", lambda: text().locate("a", limit=-1), bow.InvalidInput, "limit"),
    ("negative limit, rows", lambda: text().rows("a", limit=-1), bow.InvalidInput, "limit"),
    ("negative limit, context", lambda: text().context("a", limit=-1), bow.InvalidInput, "limit"),
    ("negative limit, search", lambda: text().search("a", limit=-1), bow.InvalidInput, "limit"),
    ("negative width", lambda: text().context("a", width=-1), bow.InvalidInput, "width"),
    ("negative within", lambda: text().search("a", within=-1), bow.InvalidInput, "within"),
    ("negative seed", lambda: text().locate("a", limit=1, seed=-1), bow.InvalidInput, "seed"),
    ("seed alone", lambda: text().locate("a", seed=1), bow.InvalidInput, "limit"),
    ("seed alone, context", lambda: text().context("a", seed=1), bow.InvalidInput, "limit"),
    ("no threads", lambda: text().count(["a"], threads=0), bow.InvalidInput, "threads"),
    ("negative threads", lambda: text().rows("a", threads=-1), bow.InvalidInput, "threads"),
    ("no threads, index", lambda: bow.index(["a"], threads=0), bow.InvalidInput, "threads"),
    ("no threads, verify", lambda: text().verify(threads=0), bow.InvalidInput, "threads"),
    ("max_matches 0", lambda: text().search("a", max_matches=0), bow.InvalidInput, "max_matches"),
    (
        "negative max_matches",
        lambda: text().search("a", max_matches=-1),
        bow.InvalidInput,
        "max_matches",
    ),
    (
        "max_matches and limit",
        lambda: text().search("a", max_matches=5, limit=1),
        bow.InvalidInput,
        "max_matches",
    ),
    ("row too large", lambda: text().text(3), bow.InvalidInput, "row"),
    ("row too large in a column", lambda: text().text([0, 3]), bow.InvalidInput, "row"),
    ("negative row", lambda: text().text(-1), bow.InvalidInput, "row"),
    ("negative start", lambda: text().text(0, -1), bow.InvalidInput, "start"),
    ("negative stop", lambda: text().text(0, 0, -1), bow.InvalidInput, "stop"),
    ("start after stop", lambda: text().text(0, 3, 2), bow.InvalidInput, "start"),
    (
        "start after stop in a column",
        lambda: text().text([0, 0], [0, 3], 2),
        bow.InvalidInput,
        "start",
    ),
    ("starts of another length", lambda: text().text([0, 2], [0]), bow.InvalidInput, "start"),
    (
        "stops of another length",
        lambda: text().text([0, 2], 0, [1, 2, 3]),
        bow.InvalidInput,
        "stop",
    ),
    ("row of no number", lambda: text().text("a"), bow.UnsupportedType, "row"),
    ("row with a fraction", lambda: text().text(1.5), bow.UnsupportedType, "row"),
    ("numbers", lambda: bow.index([1, 2]), bow.UnsupportedType, "row 0"),
    ("floats", lambda: bow.index(pa.array([1.5])), bow.UnsupportedType, "double"),
    ("lists of strings", lambda: bow.index(pa.array([["a"]])), bow.UnsupportedType, "list"),
    ("lists of floats", lambda: bow.index(pa.array([[1.5]])), bow.UnsupportedType, "list"),
    ("lists of lists", lambda: bow.index(pa.array([[[1]]])), bow.UnsupportedType, "list"),
    (
        "dictionary of numbers",
        lambda: bow.index(pa.array([1]).dictionary_encode()),
        bow.UnsupportedType,
        "dictionary",
    ),
    ("no column", lambda: bow.index(object()), bow.UnsupportedType, "data"),
    ("nothing", lambda: bow.index(None), bow.UnsupportedType, "data"),
    ("mixed", lambda: bow.index(["a", 1]), bow.UnsupportedType, "data"),
    ("lone surrogate indexed", lambda: bow.index(["\ud800"]), bow.InvalidInput, "row 0"),
    ("negative tokens indexed", lambda: bow.index([[1], [-2]]), bow.InvalidInput, "-2"),
    ("token too large", lambda: bow.index([[2**32 - 1]]), bow.InvalidInput, str(2**32 - 1)),
    (
        "token far too large",
        lambda: bow.index(pa.array([[2**63]], pa.list_(pa.uint64()))),
        bow.InvalidInput,
        str(2**63),
    ),
    ("null token", lambda: bow.index(pa.array([[1, None]])), bow.InvalidInput, "null"),
    (
        "which column",
        lambda: bow.index(pa.table({"a": ["x"], "b": ["y"]})),
        bow.InvalidInput,
        "column",
    ),
    ("unknown column", lambda: bow.index(pa.table({"a": ["x"]}), "b"), bow.InvalidInput, "'b'"),
    ("memory", lambda: bow.index(["a"], memory="lots"), bow.InvalidInput, "memory"),
    ("no memory", lambda: bow.index(["a"], memory=0), bow.InvalidInput, "memory"),
    ("negative memory", lambda: bow.index(["a"], memory=-1), bow.InvalidInput, "memory"),
    (
        "no segment",
        lambda: bow.index(["a"], segment_symbols=0),
        bow.InvalidInput,
        "segment_symbols",
    ),
    (
        "segment too large",
        lambda: bow.index(["a"], segment_symbols=2**31),
        bow.InvalidInput,
        "segment_symbols",
    ),
    ("other kind appended", lambda: bow.index(["a"]).append([b"a"]), bow.UnsupportedType, "binary"),
    (
        "tokens appended to text",
        lambda: bow.index(["a"]).append([[1]]),
        bow.UnsupportedType,
        "tokens",
    ),
]


@pytest.mark.parametrize(
    ("ask", "error", "says"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG]
)
def test_errors(ask: Callable[[], object], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=re.escape(says)) as raised:
        ask()
    # The class itself, not one that happens to derive from it; and a sentence, not a number.
    assert type(raised.value) is error
    assert len(str(raised.value).split()) > 3


@pytest.mark.parametrize(
    "ask",
    [
        lambda: text().locate("a", limit=2**64),
        lambda: text().locate("a", limit=1, seed=2**64),
        lambda: text().context("a", width=2**64),
        lambda: text().search("a", within=2**64),
        lambda: text().search("a", max_matches=2**64),
        lambda: text().text(2**64),
        lambda: text().count(["a"], threads=2**64),
        lambda: tokens().count([2**64]),
        lambda: bow.index(["a"], memory=2**64),
        lambda: bow.index(["a"], segment_symbols=2**64),
        lambda: bow.index([[2**64]]),
    ],
)
def test_numbers_beyond_64_bits(ask: Callable[[], object]) -> None:
    """They are refused, or answered like any large number: no OverflowError of the bindings."""
    try:
        ask()
    except bow.InvalidInput as error:
        assert str(error)


def test_a_query_longer_than_the_column() -> None:
    assert text().count("to be or not to be" * 1000) == 0
    assert tokens().count([1, 2, 3] * 10_000) == 0
    assert raw().count(b"to \xff" + bytes(100)) == 0


def test_widths_limits_and_threads_without_end() -> None:
    most = 2**63 - 1
    (shown,) = text().context("be", width=most).to_pylist()
    assert (shown["left"], shown["right"]) == ("to ", "")
    assert text().search("to AND be", within=most)["stop"].to_pylist() == [5]
    assert text().text(0, 0, most) == "to be"
    assert text().count(["to"], threads=1000).to_pylist() == [1]


def test_info_and_repr(new_path: NewPath) -> None:
    path = new_path()
    index = bow.index(["to be", None], path=path)
    info = index.info
    assert (info.column, info.kind, info.rows, info.symbols, info.format) == (
        "string",
        "suffix",
        2,
        5,
        1,
    )
    assert info.path is not None
    assert Path(info.path).samefile(path)
    (segment,) = info.segments
    assert (segment.rows, segment.symbols, segment.width, segment.file) == (2, 7, 1, "000001.seg")
    assert segment.bytes == info.bytes == (path / "000001.seg").stat().st_size
    assert "2 rows" in repr(index)
    memory = bow.index(["to be"]).info
    assert memory.path is None
    assert memory.segments[0].file is None
    assert "in memory" in repr(bow.index(["to be"]))


def test_case_generation_reaches_what_matters() -> None:
    """The generated columns hold several keys' worth of symbols, nulls, and empty rows."""
    seen: Counter[str] = Counter()

    @settings(max_examples=200, derandomize=True)
    @given(cases(STRING))
    def collect(case: Case) -> None:
        filled = [row for row in case.rows if row is not None]
        seen["long"] += sum(map(len, filled)) > 300
        seen["null"] += len(filled) < len(case.rows)
        seen["empty"] += "" in filled
        seen["found"] += any(oracle.count(case.rows, query) for query in case.queries)

    collect()
    assert all(seen[what] for what in ("long", "null", "empty", "found")), seen


def test_counts_in_the_source_of_python() -> None:
    """What repeats itself as texts do: one call, a column and a scan agree."""
    files = sorted(Path(os.__file__).parent.glob("*.py"))
    rows = [file.read_bytes() for file in files]
    text = b"\xff".join(rows)
    assert len(text) > 2_000_000
    index = bow.index(pa.array(rows, pa.large_binary()))
    random = np.random.default_rng(1)
    starts = random.integers(0, len(text) - 40, 60_000).tolist()
    lengths = random.integers(1, 40, len(starts)).tolist()
    pieces = (text[at : at + length] for at, length in zip(starts, lengths, strict=True))
    queries = [piece for piece in pieces if b"\xff" not in piece]
    counts = index.count(pa.array(queries, pa.binary())).to_pylist()
    assert [index.count(query) for query in queries] == counts
    for query, count in list(zip(queries, counts, strict=True))[:100]:
        assert len(oracle.starts(text, query)) == count
