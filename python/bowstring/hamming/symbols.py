"""What a text, a pattern and equal symbols are: as the core takes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeAlias

import pyarrow as pa

from bowstring.columns import TEXT, as_array, as_option, check_flags, is_text, one_chunk
from bowstring.errors import InvalidInput, UnsupportedType

Method: TypeAlias = Literal["direct", "sliced", "fft", "lists"]
Symbols: TypeAlias = str | bytes | int | Iterable[int]

METHODS = ("direct", "sliced", "fft", "lists")


def texts_of(value: Any, name: str) -> tuple[Any, bool, bool]:
    """Make one text, or a column of them, a column; say if it was one, and if it is of strings."""
    if isinstance(value, str):
        try:
            return _one_binary(value.encode()), True, True
        except UnicodeEncodeError as error:
            raise InvalidInput(
                f"{name} is not text: {error}; take the lone surrogates out"
            ) from None
    if isinstance(value, bytes | bytearray | memoryview):
        return _one_binary(value), True, False
    if value is None:
        raise InvalidInput(f"{name} is None: give a text, a list of tokens, or a column of them")
    if isinstance(value, list | tuple | range):
        if not value:
            return pa.array([], TEXT), False, False
        first = next((one for one in value if one is not None), None)
        if isinstance(first, int) or hasattr(first, "__index__"):
            return _one_list(whole_numbers(value, name)), True, False
    elif _is_of_integers(value):
        return _one_list(whole_numbers(value, name)), True, False
    column = as_array(value, name)
    return column, False, is_text(column.type)


def pair_of(text: Any, pattern: Any) -> tuple[Any, Any]:
    """Make one text and one pattern columns of one."""
    texts, one_text, _ = texts_of(text, "text")
    needles, one_pattern, _ = texts_of(pattern, "pattern")
    for one, name in ((one_text, "text"), (one_pattern, "pattern")):
        if not one:
            raise UnsupportedType(f"{name} is a column: give one {name}")
    return texts, needles


def _is_of_integers(value: Any) -> bool:
    """Say whether an array is one of whole numbers, and so one text of tokens."""
    kind = getattr(getattr(value, "dtype", None), "kind", None)
    if kind is not None:  # NumPy's, or pandas'
        return kind in "iu" and getattr(value, "ndim", 1) == 1
    type = getattr(value, "type", None)
    if isinstance(type, pa.DataType):
        return pa.types.is_integer(type)
    return getattr(getattr(value, "dtype", None), "is_integer", lambda: False)() is True


def whole_numbers(value: Any, name: str) -> Any:
    """Make a list or array of whole numbers an Arrow array of them."""
    if isinstance(value, pa.Array | pa.ChunkedArray):
        held: pa.Array[Any] = one_chunk(value)
        return held
    try:
        if hasattr(value, "__arrow_c_stream__"):
            array: Any = one_chunk(pa.chunked_array(value))
        else:
            array = pa.array(value)
    except OverflowError:
        raise InvalidInput(f"{name} holds a number that does not fit 64 bits") from None
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise UnsupportedType(f"{name} holds what is no whole number: {error}") from None
    if not pa.types.is_integer(array.type):
        raise UnsupportedType(f"{name} is a column of {array.type}: give whole numbers")
    return array


def _one_binary(data: bytes | bytearray | memoryview) -> pa.Array[Any]:
    """Lend bytes as a column of one, without a copy."""
    buffer = pa.py_buffer(data)
    offsets = pa.array([0, buffer.size], pa.int64()).buffers()[1]
    lent: pa.Array[Any] = pa.Array.from_buffers(pa.large_binary(), 1, [None, offsets, buffer])
    return lent


def _one_list(tokens: Any) -> pa.Array[Any]:
    """Make tokens a column of one list."""
    return pa.LargeListArray.from_arrays(pa.array([0, len(tokens)], pa.int64()), tokens)


def asked_of(
    texts: Any,
    wildcard: Symbols,
    ignore_case: bool,
    symbol_map: Mapping[Any, Any] | bytes | None,
    method: Method | None,
) -> tuple[list[int], dict[int, int], str | None]:
    """Make what counts as equal, and the method, the core's."""
    tokens = pa.types.is_large_list(texts.type) or "list" in str(texts.type)
    most = (1 << 32) - 1 if tokens else 255
    check_flags(ignore_case=ignore_case)
    if method is not None and method not in METHODS:
        raise InvalidInput(f"method is {method!r}: give one of {', '.join(METHODS)}, or None")
    if isinstance(wildcard, int):
        wildcard = (wildcard,)
    wildcards = sorted({_symbol(one, "wildcard", most) for one in wildcard})
    if ignore_case and tokens:
        raise UnsupportedType("ignore_case is for text, and text holds tokens: give a symbol_map")
    mapped: dict[int, int] = {}
    if ignore_case:
        mapped |= {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
    if isinstance(symbol_map, bytes | bytearray):
        if len(symbol_map) != 256:
            raise InvalidInput(
                f"symbol_map has {len(symbol_map)} bytes: give 256, as bytes.maketrans does"
            )
        symbol_map = {at: to for at, to in enumerate(symbol_map) if at != to}
    if symbol_map is not None:
        if not isinstance(symbol_map, Mapping):
            raise UnsupportedType(f"symbol_map is {symbol_map!r}: give a mapping or 256 bytes")
        given = {
            _symbol(one, "symbol_map", most): _symbol(to, "symbol_map", most)
            for one, to in symbol_map.items()
        }
        mapped = {one: mapped.get(to, to) for one, to in given.items()} | {
            one: given.get(to, to) for one, to in mapped.items() if one not in given
        }
    return wildcards, mapped, method


def _symbol(value: Any, name: str, most: int) -> int:
    """Make a character of ASCII, or a number, a symbol."""
    if isinstance(value, str | bytes) and len(value) == 1 and most == 255:
        if isinstance(value, bytes):
            return value[0]
        if value.isascii():
            return ord(value)
        raise InvalidInput(f"{name} holds {value!r}: give characters of ASCII, or bytes")
    if isinstance(value, str | bytes):
        raise UnsupportedType(f"{name} holds {value!r}: give single characters, or numbers")
    number = as_option(value, name, required=True)
    if number > most:
        raise InvalidInput(f"{name} holds {number}: symbols are from 0 to {most}")
    return number
