"""What the polars and the pandas accessor share: questions, answered a list a query."""

from __future__ import annotations

import os
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from bowstring import select
from bowstring.columns import as_array, nest
from bowstring.errors import InvalidInput
from bowstring.index import Index, open

# What pyarrow's stubs do not know, or know wrongly.
_pa: Any = pa
_pc: Any = pc

SELECTIONS = (
    "align",
    "cover",
    "facility_location",
    "feature_based",
    "graph_cut",
    "k_medoids",
    "max_coverage",
    "resample",
)

IndexLike: TypeAlias = Index | str | os.PathLike[str]


def as_index(index: IndexLike) -> Index:
    """Open the index if it is a path."""
    return index if isinstance(index, Index) else open(index)


def counts(index: IndexLike, queries: Any, threads: int | None) -> pa.Array[Any]:
    """Count the occurrences of each query of a column."""
    array: pa.Array[Any] = as_index(index).count(as_array(queries, "queries"), threads=threads)
    return array


def lists(verb: str, index: IndexLike, queries: Any, **options: Any) -> pa.LargeListArray[Any]:
    """Ask `index.<verb>` about a column of queries: a list for each, null for a null one."""
    column = as_array(queries, "queries")
    return nest(getattr(as_index(index), verb)(column, **options), column)


def alignment(texts: Any, target: Any, options: dict[str, Any]) -> pa.Array[Any]:
    """Score each text by how well it compresses with a target; null for a null one."""
    column: Any = as_array(texts, "texts")
    found: Any = select.align(column, target, **options)
    rows = _pa.array(range(len(column)), pa.uint64())
    places = _pc.index_in(rows, value_set=found["row"].combine_chunks())
    scores: pa.Array[Any] = found["score"].combine_chunks().take(places)
    return scores


def selected(frame: Any, function: str, asked: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Ask a function of `bowstring.select` about a frame: `row` and what it says of each."""
    if function not in SELECTIONS:
        names = ", ".join(f'"{name}"' for name in SELECTIONS)
        raise InvalidInput(f"function is {function!r}: give one of {names}")
    found = getattr(select, function)(frame, *asked, **options)
    for name in found.columns[1:]:
        if name in frame.columns:
            raise InvalidInput(
                f"the frame has a column {name!r}, as the answer has: rename it first"
            )
    return found
