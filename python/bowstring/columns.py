"""Turn what a caller hands in (frames, arrays, lists, files, streams) into Arrow columns."""

from __future__ import annotations

import contextlib
import difflib
import itertools
import math
import operator
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, overload

import pyarrow as pa
import pyarrow.compute as pc

from bowstring.errors import InvalidInput, UnsupportedType

if TYPE_CHECKING:
    from bowstring import _core

# What pyarrow's stubs do not know, or know wrongly.
_pa: Any = pa
_pc: Any = pc

Column: TypeAlias = "pa.Array[Any] | pa.ChunkedArray[Any]"

# Offsets of 64 bits: a column of more than 2 GiB must not be cut or refused.
TEXT = pa.large_string()
BYTES = pa.large_binary()
TOKENS = pa.large_list(pa.int64())

ADVICE = "each row must be a string, bytes or a list of integers"

# What is held at a time of an iterable: enough rows that Arrow's cost per call is lost.
_ITERABLE_ROWS = 8192
_ITERABLE_UNITS = 1 << 23


@dataclass(frozen=True, slots=True)
class Source:
    """One column, ready for the core, and what is known of its size."""

    stream: Any
    """Lends one column through `__arrow_c_stream__` or `__arrow_c_array__`."""
    rows: int | None
    nbytes: int | None
    """Bytes the column takes, for the length of a progress bar; None if unknown."""

    @property
    def failure(self) -> BaseException | None:
        """What stopped the column from being read: Arrow's streams carry only its text."""
        return self.stream.failure if isinstance(self.stream, ColumnStream) else None


class ColumnStream:
    """Arrays of one type, made one at a time while Arrow reads them.

    Lent as a stream of one-field structs: pyarrow lends a plain column only once all of it
    is in memory.
    """

    def __init__(self, type: pa.DataType, arrays: Iterable[pa.Array[Any]]) -> None:
        self.type = type
        self.failure: BaseException | None = None
        self._arrays: Iterator[pa.Array[Any]] | None = iter(arrays)

    def __iter__(self) -> Iterator[pa.Array[Any]]:
        arrays, self._arrays = self._arrays, None
        if arrays is None:
            raise InvalidInput("data: this stream was read before; open it again")
        return arrays

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        schema = pa.schema([("column", self.type)])
        reader = pa.RecordBatchReader.from_batches(schema, self._batches(iter(self), schema))
        capsule: object = reader.__arrow_c_stream__()  # type: ignore[no-untyped-call]
        return capsule

    def _batches(
        self, arrays: Iterator[pa.Array[Any]], schema: pa.Schema
    ) -> Iterator[pa.RecordBatch]:
        try:
            for array in arrays:
                yield pa.record_batch([array], schema=schema)
        except GeneratorExit:
            raise
        except BaseException as error:  # Ctrl-C too: Arrow would make it a text
            self.failure = error
            raise


def as_column(data: Any, column: str | None, name: str = "data") -> Source:
    """Find the one column that `data` and `column` mean; streams stay streams.

    Raises
    ------
    InvalidInput
        If `column` is unknown, or is needed and not given, or a file cannot be read.
    UnsupportedType
        If `data` is nothing that holds a column.

    Examples
    --------
    >>> as_column(["one", None], None).rows
    2
    """
    polars, duckdb = _loaded("polars"), _loaded("duckdb")
    dataset = _loaded("pyarrow.dataset")
    if isinstance(data, str | os.PathLike):
        return _from_files([data], column, name)
    if isinstance(data, bytes | bytearray | memoryview):
        raise InvalidInput(f"{name} is one {_type_name(data)}, not a column: write [{name}]")
    if isinstance(data, list | tuple):
        if data and isinstance(data[0], os.PathLike):
            return _from_files(data, column, name)
        return _from_column(from_values(data, name), column, name)
    array = _in_memory(data, name)
    if array is not None:
        return _from_column(array, column, name, label=getattr(data, "name", None))
    if isinstance(data, pa.Table | pa.RecordBatch):
        return _whole(data.column(choose(data.schema.names, column, name)), name)
    if isinstance(data, pa.RecordBatchReader):
        return _from_reader(data, column, name)
    if dataset and isinstance(data, dataset.Dataset):
        return from_dataset(data, column, name)
    if dataset and isinstance(data, dataset.Scanner):
        at = choose(data.projected_schema.names, column, name)
        type = data.projected_schema.types[at]
        return _streamed(type, (b.column(at) for b in _late(data.to_reader)), name)
    if polars and isinstance(data, polars.DataFrame):
        series = data.to_series(choose(data.columns, column, name))
        return as_column(series, None, name)
    if polars and isinstance(data, polars.LazyFrame):
        return _from_lazy_frame(data, column, name)
    if _is_pandas(data, "DataFrame"):
        return as_column(data.iloc[:, choose(list(data.columns), column, name)], None, name)
    if duckdb and isinstance(data, duckdb.DuckDBPyRelation):
        # A quoted name, so that DuckDB reads no other column and parses no expression.
        chosen = data.columns[choose(data.columns, column, name)].replace('"', '""')
        relation = data.project(f'"{chosen}"')
        read = getattr(relation, "to_arrow_reader", None) or relation.fetch_record_batch
        return _from_reader(read(), None, name)
    if hasattr(data, "__arrow_c_stream__"):
        # Ask for the type where that is offered: a stream may be given once only.
        if hasattr(data, "__arrow_c_schema__") and not pa.types.is_struct(_pa.field(data).type):
            return Source(data, None, None)
        try:
            reader = pa.RecordBatchReader.from_stream(data)
        except pa.ArrowInvalid:  # not a stream of structs: a column already
            return Source(data, None, None)
        return _from_reader(reader, column, name)
    if isinstance(data, Iterable) and not isinstance(data, dict | set | frozenset):
        return _from_iterable(data, column, name)
    raise UnsupportedType(
        f"{name} is a {_type_name(data)}, which holds no column: give a list, an array, a "
        "Series, a frame and the name of its column, or the path of a file"
    )


def as_array(data: Any, name: str, column: str | None = None) -> Any:
    """Hold the column that `data` and `column` mean as an array: queries are asked repeatedly."""
    stream = as_column(data, column, name).stream
    if isinstance(stream, pa.Array | pa.ChunkedArray):
        return stream
    if isinstance(stream, ColumnStream):
        return _pa.chunked_array(list(stream), stream.type)
    return pa.chunked_array(stream)


def as_queries(query: Any, core: _core.Index, name: str = "query") -> tuple[Any, bool]:
    """Tell one query (True) from a column of queries (False), and make it the core's."""
    if isinstance(query, (str, bytes)):  # a tuple is three times as fast as a union
        return query, True
    if type(query) is list and query and type(query[0]) is int:
        return query, True  # the core looks at each token
    if isinstance(query, bytearray | memoryview):
        return bytes(query), True
    if isinstance(query, list | tuple | range):
        if not query:
            # Nothing tells an empty query of tokens from no query: the index does.
            if core.info()["column"] == "tokens":
                return [], True
            return pa.array([], TEXT), False
        if _is_whole(query[0]):
            return _as_tokens(query, name), True
    if query is None:
        raise InvalidInput(f"{name} is None: give a text, a list of tokens, or a column of them")
    if _is_whole(query):
        raise UnsupportedType(f"{name} is {query!r}: a {name} of one token is the list [{query}]")
    array = _in_memory(query, name)
    if array is not None and pa.types.is_integer(array.type):
        return _as_tokens(array.to_pylist(), name), True
    return as_array(query if array is None else array, name), False


def as_symbols(values: Any, name: str, core: _core.Index) -> tuple[Any, bool]:
    """Tell one symbol or text (True) from a column of symbols or texts, and make it the core's."""
    if _is_whole(values):
        number = operator.index(values)
        if number < 0:
            raise InvalidInput(f"{name} is {number}: give a whole number from 0 on")
        return number, True
    if isinstance(values, str | bytes | bytearray | memoryview):
        return as_queries(values, core, name)
    if isinstance(values, float):
        raise UnsupportedType(f"{name} is {values!r}: give a whole number, or a text")
    values, whole = _looked_at(values, name)
    return (as_numbers(values, name)[0] if whole else as_array(values, name)), False


def _looked_at(values: Any, name: str) -> tuple[Any, bool | None]:
    """Say whether a column holds whole numbers, None if nothing tells; and take it into memory."""
    if isinstance(values, list | tuple | range):
        first = next((value for value in values if value is not None), None)
        return values, None if first is None else _is_whole(first)
    array = _in_memory(values, name)
    return (values, False) if array is None else (array, pa.types.is_integer(array.type))


def as_candidates(values: Any, name: str) -> tuple[pa.Array[Any], pa.Array[Any] | None]:
    """Make one list of symbols, or a column of lists, all symbols and how many each list has.

    Raises
    ------
    InvalidInput
        If a symbol is negative.
    UnsupportedType
        If the values are neither whole numbers nor lists of them.

    Examples
    --------
    >>> symbols, lengths = as_candidates([[1, None], [2]], "candidates")
    >>> symbols.to_pylist(), lengths.to_pylist()
    ([1, None, 2], [2, 1])
    """
    advice = "give a list of whole numbers, or a column of such lists"
    if values is None or _is_whole(values) or isinstance(values, str | bytes | float):
        raise UnsupportedType(f"{name} is {_short(values)}: {advice}")
    values, whole = _looked_at(values, name)
    if whole or whole is None:
        return as_numbers(values, name)[0], None
    lists = one_chunk(as_array(values, name))
    if widest(lists.type) != TOKENS:
        raise UnsupportedType(f"{name} is a column of {lists.type}: {advice}")
    lengths = _pc.list_value_length(lists).cast(pa.int64())
    return as_numbers(_pc.list_flatten(lists), name)[0], lengths


def as_shares(values: Any, name: str, length: int, whole: str) -> pa.Array[Any]:
    """Make a column of probabilities an array of them, as long as `whole` is.

    Raises
    ------
    InvalidInput
        If there are more or fewer, or one is not from 0 to 1.
    UnsupportedType
        If the column holds anything but numbers and nulls.

    Examples
    --------
    >>> as_shares([0.5, None, 1], "lm_probs", 3, "scores").to_pylist()
    [0.5, None, 1.0]
    """
    try:
        if isinstance(values, list | tuple):
            array = pa.array(values, pa.float64())
        elif _is_numpy(values):
            array = pa.array(values)
        elif hasattr(values, "__arrow_c_stream__") and not isinstance(values, pa.ChunkedArray):
            array = one_chunk(pa.chunked_array(values))
        else:
            array = one_chunk(_in_memory(values, name))
        types = pa.types
        known = types.is_floating(array.type) or types.is_integer(array.type)
        if not (known or types.is_decimal(array.type) or types.is_null(array.type)):
            raise TypeError(f"{array.type} is no number")
        shares = array.cast(pa.float64())
    except (pa.ArrowException, AttributeError, TypeError, ValueError) as error:
        raise UnsupportedType(
            f"{name} is {_short(values)} ({_type_name(values)}): give a column of numbers"
        ) from error
    if len(shares) != length:
        raise InvalidInput(
            f"{name} has {len(shares)} values and {whole} has {length}: give one for each symbol"
        )
    # NaN too lies in no range.
    inside: Any = _pc.and_(_pc.greater_equal(shares, 0.0), _pc.less_equal(shares, 1.0))
    at = pc.index(inside, False).as_py()
    if at >= 0:
        raise InvalidInput(
            f"{name} is {shares[at].as_py()} at position {at}: give probabilities from 0 to 1, "
            "not their logarithms"
        )
    return shares


def as_searches(query: Any, core: _core.Index) -> Any:
    """Make a search the core's: a query string, an AND of ORs, or a column of strings."""
    if isinstance(query, str):
        return query
    if isinstance(query, bytes | bytearray | memoryview):
        raise UnsupportedType(
            "query is bytes: a search is a str; or write [[query]] to look for the bytes as such"
        )
    if isinstance(query, list | tuple):
        if not query:
            return pa.array([], TEXT)
        if any(isinstance(clause, list | tuple) for clause in query):
            return [_as_clause(clause, at) for at, clause in enumerate(query)]
    if query is None:
        raise InvalidInput("query is None: give a search such as \"'A' AND 'B'\"")
    column = as_array(query, "query")
    if not (is_text(column.type) or pa.types.is_null(column.type)):
        raise UnsupportedType(
            f"query is a column of {column.type}: a column of searches holds strings; one "
            "search as nested lists looks like [['A'], ['B', 'C']]"
        )
    return column


def as_numbers(values: Any, name: str, length: int | None = None) -> tuple[pa.Array[Any], bool]:
    """Make one whole number, or a column of them, an Arrow array; True if it was one.

    Raises
    ------
    InvalidInput
        If a number is negative, or the column is not `length` long.
    UnsupportedType
        If it holds anything but whole numbers and nulls.

    Examples
    --------
    >>> as_numbers(3, "start", 2)[0].to_pylist()
    [3, 3]
    """
    if _is_whole(values):
        number = operator.index(values)
        if not 0 <= number < 1 << 64:
            raise InvalidInput(f"{name} is {number}: it must be from 0 to 2^64 - 1")
        # From the bytes: pyarrow imports pandas to look at the first Python value.
        copies = number.to_bytes(8, sys.byteorder) * (1 if length is None else length)
        type = pa.int64() if number < 1 << 63 else pa.uint64()
        return pa.Array.from_buffers(type, len(copies) // 8, [None, pa.py_buffer(copies)]), True
    if values is None:
        raise InvalidInput(f"{name} is None: give a whole number or a column of them")
    column = _whole_numbers(values, name)
    least = pc.min(column).as_py()
    if least is not None and least < 0:
        at = pc.index(column, least).as_py()
        raise InvalidInput(f"{name} is {least} at position {at}: it must not be negative")
    if length is not None and len(column) != length:
        raise InvalidInput(
            f"{name} has {len(column)} values and rows has {length}: give one number, or as "
            "many as there are rows"
        )
    return column, False


@overload
def as_option(value: Any, name: str) -> int | None: ...
@overload
def as_option(value: Any, name: str, *, required: Literal[True]) -> int: ...
def as_option(value: Any, name: str, *, required: bool = False) -> int | None:
    """Make a number that an argument sets the core's; None where it is left out.

    Raises
    ------
    InvalidInput
        If it is negative or above 2^64 - 1.
    UnsupportedType
        If it is no whole number.

    Examples
    --------
    >>> as_option(3, "limit"), as_option(None, "limit")
    (3, None)
    """
    if value is None and not required:
        return None
    if not _is_whole(value):
        raise UnsupportedType(f"{name} is {value!r}: give a whole number")
    number = operator.index(value)
    if not 0 <= number < 1 << 64:
        raise InvalidInput(f"{name} is {number}: it must be from 0 to 2^64 - 1")
    return number


def as_float(value: Any, name: str) -> float:
    """Make a number that an argument sets a float.

    Raises
    ------
    UnsupportedType
        If it is no number.
    InvalidInput
        If it is larger than a float.
    """
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        raise UnsupportedType(f"{name} is {value!r}: give a number")
    try:
        return float(value)
    except OverflowError:
        raise InvalidInput(f"{name} is larger than a number may be") from None
    except (TypeError, ValueError):
        raise UnsupportedType(f"{name} is {value!r}: give a number") from None


_UNITS = {
    unit + suffix: base**power
    for power, unit in enumerate(("", "k", "m", "g", "t", "p"))
    for base, suffix in ((1000, ""), (1000, "b"), (1024, "ib"))
    if unit or suffix != "ib"
}


def check_flags(**flags: Any) -> None:
    """Refuse what is neither True nor False."""
    for name, value in flags.items():
        if not isinstance(value, bool):
            raise UnsupportedType(f"{name} is {value!r}: give True or False")


def parse_bytes(memory: int | str | None) -> int | None:
    """Read a number of bytes: `4_000_000_000`, `"4GB"`, `"512MiB"`, `"1.5 GB"`, `"2g"`.

    kB, MB, GB, TB (and k, m, g, t) are decimal; KiB, MiB, GiB, TiB are binary.

    Examples
    --------
    >>> parse_bytes("1.5 GB"), parse_bytes("2KiB")
    (1500000000, 2048)
    """
    if memory is None:
        return None
    number = None
    if isinstance(memory, str):
        found = re.fullmatch(r"\s*([0-9]+\.?[0-9]*|\.[0-9]+)\s*([a-z]*)\s*", memory.lower())
        if found and (unit := _UNITS.get(found[2])):
            # Integers where they do: a float would round 2^53 + 1 bytes.
            number = int(found[1]) * unit if found[1].isdigit() else int(float(found[1]) * unit)
    elif _is_whole(memory):
        number = operator.index(memory)
    if number is None or not 0 < number < 1 << 63:
        raise InvalidInput(
            f"memory is {memory!r}: give a number of bytes above 0, or text such as '4GB' "
            "or '512MiB'"
        )
    return number


def nest(table: pa.Table, queries: Column) -> pa.LargeListArray[Any]:
    """Gather a result with a `query` column into one list of rows a query, without a copy.

    The list of a null query is null.

    Examples
    --------
    >>> flat = pa.table({"query": [0, 0, 2], "row": [5, 7, 5]})
    >>> nest(flat, pa.array(["a", None, "b"])).to_pylist()
    [[{'row': 5}, {'row': 7}], None, [{'row': 5}]]
    """
    # The column `query` ascends, so where its runs end is where the lists do.
    query = one_chunk(table["query"]).cast(pa.int64())
    runs = _pc.run_end_encode(query, run_end_type=pa.int64())
    run = pc.index_in(pa.array(range(len(queries)), pa.int64()), runs.values)
    ends = pc.fill_null(pc.fill_null_forward(runs.run_ends.take(run)), 0)
    offsets = pa.concat_arrays([pa.array([0], pa.int64()), ends])
    names = [name for name in table.column_names if name != "query"]
    rows = pa.StructArray.from_arrays([one_chunk(table[name]) for name in names], names)
    nulls = one_chunk(pc.is_null(queries)) if queries.null_count else None
    return pa.LargeListArray.from_arrays(offsets, rows, mask=nulls)


def choose(names: Sequence[Any], column: Any, name: str) -> int:
    """Find the position of `column` among `names`; of the only name if it is None."""
    if column is None:
        if len(names) == 1:
            return 0
        if not names:
            raise InvalidInput(f"{name} has no columns")
        raise InvalidInput(f"{name} has {len(names)} columns: set column to one of {_some(names)}")
    found = [at for at, other in enumerate(names) if other == column]
    if len(found) == 1:
        return found[0]
    if found:
        raise InvalidInput(f"{name} has {len(found)} columns named {column!r}: rename one")
    close = difflib.get_close_matches(str(column), [str(other) for other in names], 1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    raise InvalidInput(f"{name} has no column {column!r}: {hint}it has {_some(names)}")


def from_values(values: Any, name: str, first_row: int = 0) -> pa.Array[Any]:
    """Convert a list or object array; NaN, NA and NaT count as None, as in pandas.

    The type is `TEXT`, `BYTES` or `TOKENS`, or null where every row is.
    """
    cause = None
    try:
        type = widest(_pa.infer_type(values, from_pandas=True))
        if type is not None:
            return pa.array(values, type, from_pandas=True)
    except (pa.ArrowException, UnicodeError, OverflowError, TypeError, ValueError) as error:
        cause = error
    raise _refused(values, name, first_row, cause)


def from_dataset(data: Any, column: str | None, name: str) -> Source:
    """Stream one column of a `pyarrow.dataset.Dataset`."""
    import pyarrow.dataset as ds

    field = data.schema.field(choose(data.schema.names, column, name))
    # Arrow's own read-ahead is 16 batches of 131,072 rows: gigabytes where rows are long.
    read = data.scanner(
        columns={field.name: ds.field(field.name)},
        batch_size=8192,
        batch_readahead=4,
        fragment_readahead=1,
    ).to_reader
    return _streamed(field.type, (batch.column(0) for batch in _late(read)), name)


def is_text(type: pa.DataType) -> bool:
    """Say whether values of `type` are strings, through dictionaries too."""
    return widest(type) == TEXT


def widest(type: pa.DataType) -> pa.DataType | None:
    """Name the one type that columns like `type` share; None if it is no column of ours."""
    types = pa.types
    if isinstance(type, pa.BaseExtensionType):
        return widest(type.storage_type)
    if types.is_dictionary(type):
        values = widest(type.value_type)
        return None if values == TOKENS else values
    if types.is_string(type) or types.is_large_string(type) or types.is_string_view(type):
        return TEXT
    if (
        types.is_binary(type)
        or types.is_large_binary(type)
        or types.is_binary_view(type)
        or types.is_fixed_size_binary(type)
    ):
        return BYTES
    if types.is_list(type) or types.is_large_list(type) or types.is_fixed_size_list(type):
        inner = type.value_type
        return TOKENS if types.is_integer(inner) or types.is_null(inner) else None
    return type if types.is_null(type) else None


def _in_memory(data: Any, name: str) -> Any:
    """Turn an array of any library into an Arrow array; None if it is no array."""
    polars = _loaded("polars")
    if isinstance(data, pa.Array | pa.ChunkedArray):
        return data
    if _is_numpy(data):
        return _from_numpy(data, name)
    if _is_pandas(data, "Series") or _is_pandas(data, "Index"):
        if data.dtype == object:
            return from_values(data.to_numpy(), name)
        return pa.array(data)
    if polars and isinstance(data, polars.Series):
        if data.dtype == polars.Object:  # polars would lend the addresses of the objects
            raise UnsupportedType(f"{name} is a polars Series of Python objects: cast it")
        return pa.chunked_array(data)
    if hasattr(data, "__arrow_c_array__") and not isinstance(data, pa.RecordBatch):
        return pa.array(data)
    return None


def _from_numpy(data: Any, name: str) -> Any:
    kind = data.dtype.kind
    if data.ndim == 1:
        if kind == "O":
            return from_values(data, name)
        if kind in "UTS":
            # As Python values: from NumPy's own, pyarrow stops at the first NUL.
            return pa.array(data.tolist(), BYTES if kind == "S" else TEXT)
        if kind in "iu":
            return pa.array(data)
    if data.ndim == 2 and kind in "iu":
        rows, width = data.shape
        tokens = pa.array(data.reshape(-1))
        if width:
            return pa.FixedSizeListArray.from_arrays(tokens, width)
        return pa.LargeListArray.from_arrays(pa.array([0] * (rows + 1), pa.int64()), tokens)
    raise UnsupportedType(
        f"{name} is a NumPy array of {data.dtype} with {data.ndim} dimensions: give one "
        "dimension of strings, bytes or objects, or two of integers (a row of tokens each)"
    )


def _from_column(
    array: Column, column: str | None, name: str, label: object | None = None
) -> Source:
    """Make a source of an array; `column` may name a field of structs, or the array's `label`."""
    if pa.types.is_struct(array.type):
        names = [array.type.field(at).name for at in range(array.type.num_fields)]
        array = pc.struct_field(array, [choose(names, column, name)])
    elif column is not None and column != label:
        raise InvalidInput(
            f"column is {column!r}, but {name} is one column"
            + (" without a name" if label is None else f" named {label!r}")
            + ": leave column out"
        )
    return _whole(array, name)


def _whole(array: Column, name: str) -> Source:
    check_type(array.type, name)
    if widest(array.type) == TOKENS and pa.types.is_null(array.type.value_type):
        array = array.cast(TOKENS)  # no row has a token
    return Source(array, len(array), array.nbytes)


def _from_reader(reader: pa.RecordBatchReader, column: str | None, name: str) -> Source:
    at = choose(reader.schema.names, column, name)
    return _streamed(reader.schema.types[at], (batch.column(at) for batch in reader), name)


def _from_lazy_frame(data: Any, column: str | None, name: str) -> Source:
    polars = _loaded("polars")
    schema = data.collect_schema()
    chosen = schema.names()[choose(schema.names(), column, name)]
    # An empty Series says which Arrow type polars lends for its own.
    empty = _in_memory(polars.Series(chosen, [], schema[chosen]), name)

    def arrays() -> Iterator[pa.Array[Any]]:
        for frame in data.select(polars.col(chosen)).collect_batches():
            yield from pa.chunked_array(frame.to_series()).chunks

    return _streamed(empty.type, arrays(), name)


def _from_iterable(data: Iterable[Any], column: str | None, name: str) -> Source:
    if column is not None:
        raise InvalidInput(f"column is {column!r}, but {name} is one column: leave column out")
    batches = _batched(data)
    nulls = 0
    head: list[pa.Array[Any]] = []
    for batch in batches:
        array = from_values(batch, name, nulls)
        if not pa.types.is_null(array.type):
            head.append(array)
            break
        nulls += len(array)
    type = head[0].type if head else pa.null()

    def arrays() -> Iterator[pa.Array[Any]]:
        row = nulls
        if nulls:
            yield pa.nulls(nulls, type)
        for array in itertools.chain(head, (from_values(batch, name, row) for batch in batches)):
            if pa.types.is_null(array.type):
                yield pa.nulls(len(array), type)
            elif array.type == type:
                yield array
            else:
                raise UnsupportedType(
                    f"{name} turns from {type} to {array.type} at row {row} or soon after: a "
                    "column holds one type"
                )
            row += len(array)

    return Source(ColumnStream(type, arrays()), None, None)


def _batched(data: Iterable[Any]) -> Iterator[list[Any]]:
    batch: list[Any] = []
    units = 0
    for value in data:
        batch.append(value)
        with contextlib.suppress(TypeError):  # None, or what the conversion will refuse
            units += len(value)
        if len(batch) >= _ITERABLE_ROWS or units >= _ITERABLE_UNITS:
            yield batch
            batch, units = [], 0
    if batch:
        yield batch


def _from_files(paths: Sequence[Any], column: str | None, name: str) -> Source:
    # The readers of file formats are slow to import, and only needed here.
    from bowstring import files

    return files.open_column(paths, column, name)


def _streamed(type: pa.DataType, arrays: Iterable[pa.Array[Any]], name: str) -> Source:
    check_type(type, name)
    return Source(ColumnStream(type, arrays), None, None)


def _late(open_reader: Callable[[], pa.RecordBatchReader]) -> Iterator[pa.RecordBatch]:
    """Open a reader at the first batch asked for, as opening starts threads that read ahead."""
    yield from open_reader()


def check_type(type: pa.DataType, name: str) -> None:
    """Refuse a column whose rows are neither text nor tokens."""
    if widest(type) is None:
        hint = f"; one row of tokens is [{name}]" if pa.types.is_integer(type) else ""
        raise UnsupportedType(f"{name} is a column of {type}: {ADVICE}{hint}")


def _as_tokens(values: Sequence[Any], name: str) -> list[int]:
    if set(map(type, values)) == {int}:  # as a rule, and fast
        return list(values)
    for at, value in enumerate(values):
        if not _is_whole(value):
            raise UnsupportedType(
                f"{name} has {_short(value)} ({_type_name(value)}) at position {at}: tokens "
                "are whole numbers"
            )
    return [operator.index(value) for value in values]


def _as_clause(clause: Any, at: int) -> list[str | bytes | list[int]]:
    where = f"query, clause {at}"
    if not isinstance(clause, list | tuple):
        raise UnsupportedType(
            f"{where} is {_short(clause)}: each clause of nested lists is a list, "
            f"such as [{_short(clause)}]"
        )
    if not clause:
        raise InvalidInput(f"{where} is empty: no row can hold one of no texts")
    terms: list[str | bytes | list[int]] = []
    for term in clause:
        if isinstance(term, str | bytes):
            terms.append(term)
        elif isinstance(term, list | tuple):
            terms.append(_as_tokens(term, where))
        elif _is_numpy(term) and term.ndim == 1 and term.dtype.kind in "iu":
            terms.append(term.tolist())
        else:
            raise UnsupportedType(
                f"{where} holds {_short(term)} ({_type_name(term)}): each text is a str, bytes "
                "or a list of tokens, as in [[[1, 2]], [[3], [4, 5]]]"
            )
    return terms


def _whole_numbers(values: Any, name: str) -> Any:
    """Convert a column of whole numbers to int64, or to uint64 where it is unsigned."""
    if isinstance(values, list | tuple | range):
        array = _numbers_of_list(list(values), name)
    elif _is_numpy(values):
        # Without a type, NumPy makes an empty list an array of floats.
        empty = values.dtype.kind == "f" and not values.size
        array = pa.array(values.astype("int64") if empty else values)
    elif _is_pandas(values, "Series") or _is_pandas(values, "Index"):
        array = pa.array(values)
    else:
        found = _in_memory(values, name)
        if found is None and hasattr(values, "__arrow_c_stream__"):
            found = pa.chunked_array(values)
        if found is None:
            raise UnsupportedType(
                f"{name} is {_short(values)} ({_type_name(values)}): give a whole number or "
                "a column of them"
            )
        array = found
    array = one_chunk(array)
    if pa.types.is_null(array.type):
        return array.cast(pa.int64())
    if pa.types.is_unsigned_integer(array.type):
        return array.cast(pa.uint64())
    if pa.types.is_signed_integer(array.type):
        return array.cast(pa.int64())
    hint = (
        "; for a column of floats with gaps use pandas' Int64"
        if pa.types.is_floating(array.type)
        else ""
    )
    raise UnsupportedType(f"{name} is a column of {array.type}: give whole numbers{hint}")


def _numbers_of_list(values: list[Any], name: str) -> Any:
    try:
        try:
            return pa.array(values)
        except OverflowError:
            return pa.array(values, pa.uint64())
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        for at, value in enumerate(values):
            if value is not None and not _is_whole(value):
                raise UnsupportedType(
                    f"{name} has {_short(value)} ({_type_name(value)}) at position {at}: give "
                    "whole numbers"
                ) from None
            if value is not None and not 0 <= value < 1 << 64:
                raise InvalidInput(
                    f"{name} is {value} at position {at}: it must be from 0 to 2^64 - 1"
                ) from None
        raise


def _refused(values: Any, name: str, first_row: int, cause: Exception | None) -> Exception:
    """Name the first row that is no row of ours, or does not go with those before it."""
    first: tuple[int, str] | None = None
    for row, value in enumerate(values, first_row):
        kind = _kind(value)
        if kind is None:
            continue
        what = f"{name}: row {row} is {_short(value)}"
        if kind == "other":
            return UnsupportedType(f"{what} ({_type_name(value)}): {ADVICE}")
        if first is None:
            first = row, kind
        elif kind != first[1]:
            return UnsupportedType(
                f"{what} ({_type_name(value)}), but row {first[0]} is {first[1]}: "
                "a column holds one type"
            )
        try:
            if widest(_pa.infer_type([value], from_pandas=True)) is None:
                return UnsupportedType(f"{what}: {ADVICE}")
            _pa.array([value], {"text": TEXT, "bytes": BYTES}.get(kind, TOKENS))
        except UnicodeError as error:
            return InvalidInput(f"{what}, which is not valid Unicode: {error}")
        except OverflowError:
            return InvalidInput(f"{what}: a token is at most 2^32 - 2")
        except pa.ArrowException as error:
            return UnsupportedType(f"{what}: {ADVICE} ({error})")
    return UnsupportedType(f"{name}: {ADVICE} ({cause})")


def _kind(value: Any) -> str | None:
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return None
    if isinstance(value, float) and math.isnan(value):
        return None
    if isinstance(value, str):
        return "text"
    if isinstance(value, bytes | bytearray | memoryview):
        return "bytes"
    if isinstance(value, list | tuple) or _is_numpy(value):
        return "a list of integers"
    return "other"


def _is_whole(value: object) -> bool:
    """Say whether `value` is an integer of Python or NumPy; a bool is none."""
    if type(value) is int:
        return True
    numpy = _loaded("numpy")
    return (isinstance(value, int) and not isinstance(value, bool)) or (
        numpy is not None and isinstance(value, numpy.integer)
    )


def _loaded(module: str) -> Any:
    """Give the module if the caller imported it: else no value can be of its types."""
    return sys.modules.get(module)


def _is_numpy(value: object) -> bool:
    numpy = _loaded("numpy")
    return numpy is not None and isinstance(value, numpy.ndarray)


def _is_pandas(value: object, kind: str) -> bool:
    pandas = _loaded("pandas")
    return pandas is not None and isinstance(value, getattr(pandas, kind))


def one_chunk(array: Column) -> Any:
    """Make a column one array."""
    if isinstance(array, pa.ChunkedArray):
        return array.chunk(0) if array.num_chunks == 1 else array.combine_chunks()
    return array


def _type_name(value: object) -> str:
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _some(names: Sequence[Any]) -> str:
    shown = ", ".join(repr(name) for name in names[:20])
    return shown if len(names) <= 20 else f"{shown} and {len(names) - 20} more"
