"""What an index must answer, in plain Python over the rows.

A row is a `str`, `bytes` or list of ints, or None; positions are counted in symbols, which are
bytes of UTF-8 for a `str`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

Text: TypeAlias = Any
"""A row or a query: `str`, `bytes` or a sequence of ints."""


@dataclass(frozen=True)
class And:
    """All of the parts."""

    parts: tuple[Tree, ...]


@dataclass(frozen=True)
class Or:
    """Any of the parts."""

    parts: tuple[Tree, ...]


Tree: TypeAlias = "And | Or | Text"


def symbols(text: Text) -> Any:
    """What the text is made of, as something that slices."""
    if isinstance(text, str):
        return text.encode()
    return text if isinstance(text, bytes) else list(text)


def starts(row: Text | None, query: Text) -> list[int]:
    """Where the query starts in the row, overlapping occurrences included."""
    if row is None:
        return []
    return list(_starts(symbols(row), symbols(query)))


def _starts(row: Any, query: Any) -> Iterator[int]:
    if isinstance(row, bytes):
        at = row.find(query)
        while at >= 0:
            yield at
            at = row.find(query, at + 1)
    else:
        for at in range(len(row) - len(query) + 1):
            if row[at : at + len(query)] == query:
                yield at


def count(rows: Sequence[Text | None], query: Text | None) -> int | None:
    """How often the query occurs; None for a null query."""
    return None if query is None else sum(len(starts(row, query)) for row in rows)


def locate(rows: Sequence[Text | None], query: Text | None) -> list[dict[str, int]]:
    """Every span of the query, by row and start."""
    if query is None:
        return []
    length = len(symbols(query))
    return [
        {"row": number, "start": at, "stop": at + length}
        for number, row in enumerate(rows)
        for at in starts(row, query)
    ]


def holding(rows: Sequence[Text | None], query: Text | None) -> list[dict[str, int]]:
    """The rows that hold the query, and how often each does."""
    if query is None:
        return []
    counts = [(number, len(starts(row, query))) for number, row in enumerate(rows)]
    return [{"row": number, "count": n} for number, n in counts if n]


def context(
    rows: Sequence[Text | None], query: Text | None, width: int, limit: int | None = None
) -> list[dict[str, Any]]:
    """The first occurrences with up to `width` characters on each side."""
    found = []
    for span in locate(rows, query)[:limit]:
        row = symbols(rows[span["row"]])
        before, match, after = (
            row[: span["start"]],
            row[span["start"] : span["stop"]],
            row[span["stop"] :],
        )
        if isinstance(rows[span["row"]], str):
            before, match, after = before.decode(), match.decode(), after.decode()
        found.append(
            {
                "row": span["row"],
                "start": span["start"],
                "left": before[max(0, len(before) - width) :],
                "match": match,
                "right": after[:width],
            }
        )
    return found


def text(row: Text | None, start: int = 0, stop: int | None = None) -> Text | None:
    """A span of a row, given in symbols."""
    if row is None:
        return None
    span = symbols(row)[start:stop]
    return span.decode() if isinstance(row, str) else span


def search(
    rows: Sequence[Text | None], tree: Tree, within: int | None = None
) -> list[dict[str, int]]:
    """Each row that holds the combination, with its tightest stretch, the leftmost of equals."""
    found = []
    for number, row in enumerate(rows):
        stretch = _tightest(row, tree)
        if stretch and (within is None or stretch[1] - stretch[0] <= within):
            found.append({"row": number, "start": stretch[0], "stop": stretch[1]})
    return found


def _tightest(row: Text | None, tree: Tree) -> tuple[int, int] | None:
    spans = {leaf: starts(row, leaf) for leaf in _leaves(tree)}
    stretches = [
        (stop - start, start, stop)
        for start in {at for found in spans.values() for at in found}
        if (stop := _first_stop(tree, start, spans)) is not None
    ]
    return min(stretches)[1:] if stretches else None


def _leaves(tree: Tree) -> Iterator[Text]:
    if isinstance(tree, And | Or):
        for part in tree.parts:
            yield from _leaves(part)
    else:
        yield tree


def _first_stop(tree: Tree, start: int, spans: dict[Text, list[int]]) -> int | None:
    """The first place where all that the tree asks for has stood since `start`."""
    if isinstance(tree, And):
        stops = [_first_stop(part, start, spans) for part in tree.parts]
        return None if None in stops else max(stop for stop in stops if stop is not None)
    if isinstance(tree, Or):
        stops = [_first_stop(part, start, spans) for part in tree.parts]
        return min((stop for stop in stops if stop is not None), default=None)
    length = len(symbols(tree))
    return next((at + length for at in spans[tree] if at >= start), None)
