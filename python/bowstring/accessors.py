"""What the polars and the pandas accessor share: questions, answered a list a query."""

from __future__ import annotations

import os
from typing import Any, TypeAlias

import pyarrow as pa

from bowstring.columns import as_array, nest
from bowstring.index import Index, open

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
