"""Tables of any library into Arrow, and answers back into the library that asked."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from bowstring.columns import TEXT, as_array, choose, one_chunk
from bowstring.errors import InvalidInput, UnsupportedType

# What pyarrow's stubs do not know, or know wrongly.
_pa: Any = pa
_pc: Any = pc


def library(data: Any) -> str:
    """Name the library of a table or column: `polars`, `pandas`, or `arrow` for all others.

    Examples
    --------
    >>> library(pa.table({"a": [1]}))
    'arrow'
    """
    return next(
        (name for name in ("polars", "pandas") if type(data).__module__.split(".")[0] == name),
        "arrow",
    )


def is_table(data: Any) -> bool:
    """Say whether data is a table of columns rather than one column.

    Examples
    --------
    >>> is_table(pa.table({"a": [1]})), is_table(["a"])
    (True, False)
    """
    if isinstance(data, pa.Table | pa.RecordBatch | dict):
        return True
    return type(data).__name__ in ("DataFrame", "LazyFrame", "DuckDBPyRelation")


def as_table(data: Any, name: str) -> pa.Table:
    """Make a table of any library an Arrow table.

    Raises
    ------
    UnsupportedType
        If it is none.

    Examples
    --------
    >>> as_table({"a": ["x"]}, "left").column_names
    ['a']
    """
    if type(data).__name__ == "LazyFrame":
        data = data.collect()
    if library(data) == "pandas" and type(data).__name__ == "DataFrame":
        return pa.Table.from_pandas(data, preserve_index=False)
    if type(data).__name__ == "DuckDBPyRelation":
        read = getattr(data, "to_arrow_table", None) or data.arrow
        data = read()
    if not (isinstance(data, dict) or hasattr(data, "__arrow_c_stream__") or is_table(data)):
        raise UnsupportedType(
            f"{name} is a {type(data).__name__}: give a table of pyarrow, polars, pandas or DuckDB"
        )
    try:
        table = _pa.table(data)
    except (pa.ArrowException, TypeError) as error:
        raise UnsupportedType(f"{name} is no table: {error}") from None
    # Rows of views cannot be taken by pyarrow.
    plain = {pa.string_view(): pa.large_string(), pa.binary_view(): pa.large_binary()}
    fields = [field.with_type(plain.get(field.type, field.type)) for field in table.schema]
    made: pa.Table = table.cast(pa.schema(fields))
    return made


def like(table: pa.Table, data: Any) -> Any:
    """Give a table back in the library of `data`: polars, pandas, or pyarrow for all others.

    Examples
    --------
    >>> like(pa.table({"a": [1]}), {"a": [1]}).num_rows
    1
    """
    match library(data):
        case "polars":
            return sys.modules["polars"].from_arrow(table)
        case "pandas":
            return table.to_pandas()
    return table


def values(table: pa.Table, *names: str) -> Any:
    """Go through the rows of a table as tuples of the columns named.

    Raises
    ------
    InvalidInput
        If the table has no such column.

    Examples
    --------
    >>> list(values(pa.table({"a": [1, 2], "b": ["x", "y"]}), "b", "a"))
    [('x', 1), ('y', 2)]
    """
    for name in names:
        if name not in table.column_names:
            raise InvalidInput(f"the table has no column {name!r}: it has {table.column_names}")
    return zip(*(table[name].to_pylist() for name in names), strict=True)


def cast_text(column: Any, name: str) -> Any:
    """Make a column of any library's text, categories, numbers or dates one `large_string` array.

    Raises
    ------
    UnsupportedType
        If it cannot be written as text.

    Examples
    --------
    >>> cast_text(pa.array([1, None]), "values").to_pylist()
    ['1', None]
    """
    array = one_chunk(column)
    try:
        if pa.types.is_dictionary(array.type):
            # Rows of views cannot be taken by pyarrow.
            return array.dictionary.cast(TEXT).take(array.indices)
        return one_chunk(array.cast(TEXT))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise UnsupportedType(f"{name} is a column of {array.type}, not text: {error}") from None


def text_column(data: Any, name: str, column: str | None = None) -> Any:
    """Make a column of text one `large_string` array.

    Raises
    ------
    InvalidInput
        If `column` names none.
    UnsupportedType
        If the column is not text.

    Examples
    --------
    >>> text_column(["a", None], "values").to_pylist()
    ['a', None]
    """
    if isinstance(data, pa.Table):
        data = data.column(choose(data.column_names, column, name))
        column = None
        if data.type in (TEXT, pa.string()):
            return one_chunk(data.cast(TEXT))
    return cast_text(as_array(data, name, column), name)


def chosen(on: str | Sequence[str] | None, table: pa.Table, name: str, argument: str) -> list[str]:
    """Give the names of the columns that `on` means; the only one of the table if it is None.

    Raises
    ------
    InvalidInput
        If the table has no such column, or has several and none is named.

    Examples
    --------
    >>> chosen(None, pa.table({"a": ["x"]}), "left", "on")
    ['a']
    """
    if on is None or isinstance(on, str):
        return [table.column_names[choose(table.column_names, on, name)]]
    if isinstance(on, bytes) or not hasattr(on, "__len__"):
        raise UnsupportedType(f"{argument} is {on!r}: name one column, or give a list of names")
    if not len(on):
        raise InvalidInput(f"{argument} is empty: name one column or more")
    return [table.column_names[choose(table.column_names, one, name)] for one in on]


def normalised(names: Any) -> Any:
    r"""Reduce names to what tells them apart: no case, accents or punctuation, words by spaces.

    Compatibility characters are resolved (Unicode NFKD), marks dropped, letters lowered, and
    whatever is neither letter nor digit becomes one space.

    Examples
    --------
    >>> normalised(pa.array(["Société  Générale, S.A.", None])).to_pylist()
    ['societe generale s a', None]
    """
    found = _pc.utf8_normalize(names.cast(TEXT), form="NFKD")
    found = _pc.replace_substring_regex(found, r"\p{M}+", "")
    found = _pc.utf8_lower(found)
    found = _pc.replace_substring(found, "ß", "ss")
    found = _pc.replace_substring_regex(found, r"[^\p{L}\p{N}]+", " ")
    return _pc.utf8_trim(found, characters=" ")


def normalised_by(normalize: Any, column: Any, name: str) -> Any:
    """Normalise a column as `normalize` asks: `normalised`, not at all, or by a function.

    Raises
    ------
    UnsupportedType
        If it is neither True, False nor a function, or the function makes no column of text.
    InvalidInput
        If the function makes more values than it is given, or fewer.

    Examples
    --------
    >>> normalised_by(True, text_column(["Été"], "values"), "values").to_pylist()
    ['ete']
    """
    if normalize is True:
        return normalised(column)
    if normalize is False:
        return column
    if not callable(normalize):
        raise UnsupportedType(f"normalize is {normalize!r}: give True, False or a function")
    made = text_column(normalize(column), name)
    if len(made) != len(column):
        raise InvalidInput(f"normalize made {len(made)} values of {len(column)}")
    return made


def as_texts(given: Any, name: str) -> list[str]:
    """Make a text, or several, a list of texts.

    Raises
    ------
    UnsupportedType
        If it is neither, or one of them is no text.

    Examples
    --------
    >>> as_texts("kg", "units"), as_texts(("kg", "g"), "units")
    (['kg'], ['kg', 'g'])
    """
    if isinstance(given, str):
        return [given]
    if not isinstance(given, Iterable):
        raise UnsupportedType(f"{name} is {given!r}: give a text, or a list of them")
    texts = list(given)
    for text in texts:
        if not isinstance(text, str):
            raise UnsupportedType(f"{name} holds {text!r}: give texts")
    return texts
