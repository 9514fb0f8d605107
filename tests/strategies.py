"""Columns and queries to generate, and one column held in every way an index can hold it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

import bowstring as bow
from oracles import infini_gram
from oracles.search import symbols

EDGES = (0, 1, 254, 255, 256, 65534, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 3, 2**32 - 2)
"""Tokens around the places where a symbol must widen."""


@dataclass(frozen=True)
class Kind:
    """A kind of column: what its rows are made of."""

    name: str
    type: pa.DataType
    query_type: pa.DataType
    alphabets: tuple[Sequence[Any], ...]
    join: Callable[[Sequence[Any]], Any]
    """Make a row, or a query, of items of an alphabet."""

    def __str__(self) -> str:
        return self.name


STRING = Kind(
    "string",
    pa.large_string(),
    pa.string(),
    (
        "a",
        "ab",
        "abc \n'\"\\()",
        "aé€𝄞",
        # Characters of which one's bytes are another's beginning or end.
        "\x7f\x80\xff\u0800\uffff\U00010000\U0010ffff",
        "\0\x01a",
    ),
    "".join,
)
BINARY = Kind(
    "binary",
    pa.large_binary(),
    pa.binary(),
    (
        [b"a"],
        [b"\0", b"\xff"],
        [b"\xff"],
        [b"\0", b"\x01", b"\xfe", b"\xff"],
        [bytes([value]) for value in range(256)],
        [b"\xc3", b"\xa9", b"a"],
    ),
    b"".join,
)
TOKENS = Kind(
    "tokens",
    pa.large_list(pa.uint32()),
    pa.list_(pa.int64()),
    ([7], [0, 1], list(EDGES[:4]), list(EDGES[3:7]), list(EDGES), list(range(300))),
    list,
)
KINDS = (STRING, BINARY, TOKENS)


@dataclass(frozen=True)
class Case:
    """A generated column, and what to ask of it."""

    kind: Kind = field(repr=False)
    rows: list[Any]
    queries: list[Any]
    pieces: list[list[Any]]
    """The rows cut for `append`."""

    def column(self) -> pa.Array:
        return pa.array(self.rows, self.kind.type)

    def query_column(self) -> pa.Array:
        return pa.array(self.queries, self.kind.query_type)


@st.composite
def cases(draw: st.DrawFn, kind: Kind) -> Case:
    """Rows that repeat themselves, so that queries occur, and queries that do and do not."""
    alphabet = draw(st.sampled_from(kind.alphabets))
    words = st.lists(st.sampled_from(alphabet), max_size=10)
    long = st.builds(lambda word, n: word * n, words, st.integers(1, 30))
    nulls = draw(st.sampled_from([st.none(), st.none(), st.nothing()]))
    rows: list[Any] = draw(st.lists(nulls | words | words | long, max_size=10))
    # Enough rows now and then for several of the keys that stand for 128 suffixes each.
    rows *= draw(st.sampled_from([1, 1, 1, 4]))
    queries: list[Any] = [[*draw(words), draw(st.sampled_from(alphabet))]]
    filled = [row for row in rows if row]
    for _ in range(draw(st.integers(0, 6)) if filled else 0):
        row = draw(st.sampled_from(filled))
        start = draw(st.integers(0, len(row) - 1))
        queries.append(row[start : draw(st.integers(start + 1, min(len(row), start + 12)))])
    if filled:
        # What stands around the end of a row, and more than the longest row.
        queries.append(filled[0][-2:] + filled[-1][:2])
        queries.append(max(filled, key=len) + filled[0][:1])
    queries.insert(draw(st.integers(0, len(queries))), None)
    cuts = sorted(draw(st.lists(st.integers(0, len(rows)), max_size=6)))
    pieces = [rows[a:b] for a, b in itertools.pairwise([0, *cuts, len(rows)])]

    def joined(texts: list[Any]) -> list[Any]:
        return [None if text is None else kind.join(text) for text in texts]

    return Case(kind, joined(rows), joined(queries), [joined(piece) for piece in pieces])


def held(case: Case, new_path: Callable[[], Path]) -> Iterator[tuple[str, bow.Index]]:
    """The column in one segment and in several, in memory and on disk, appended, compacted."""
    column = case.column()
    yield "memory", bow.index(column)
    longest = max((len(symbols(row)) for row in case.rows if row is not None), default=0)
    total = sum(len(symbols(row)) + 1 for row in case.rows if row is not None)
    most = max(longest + 1, -(-total // 4), 2)
    several = bow.index(column, segment_symbols=most, threads=1)
    assert all(segment.symbols <= most for segment in several.info.segments)
    assert len(several.info.segments) >= total / most
    yield "segments", several
    path = new_path()
    bow.index(column, path=path, segment_symbols=most, threads=2)
    yield "disk", bow.open(path)
    for where in (None, new_path()):
        label = "memory" if where is None else "disk"
        grown = bow.index(pa.array(case.pieces[0], case.kind.type), path=where)
        for piece in case.pieces[1:]:
            grown.append(pa.array(piece, case.kind.type))
        yield f"{label}, appended", grown
        if where is not None:
            yield "disk, appended, opened", bow.open(where)
        grown.compact()
        assert len(grown.info.segments) <= 1
        yield f"{label}, compacted", grown
    assert where is not None
    yield "disk, compacted, opened", bow.open(where)
    for profile in ("fast", "compact"):
        yield f"fm, {profile}", bow.index(column, kind="fm", profile=profile)
    where = new_path()
    several = bow.index(
        column, path=where, kind="fm", profile="compact", segment_symbols=most, threads=2
    )
    assert several.info.kind == "fm"
    yield "fm, compact, segments, disk", bow.open(where)
    if case.kind is TOKENS and None not in case.rows:
        # Written by another program; it has no null rows.
        folder, width = new_path(), infini_gram.width_of(case.rows)
        folder.mkdir()
        for shard, piece in enumerate(case.pieces):
            infini_gram.write(piece, folder, width, shard)
        yield "infini-gram", bow.interop.infini_gram.open(folder)
