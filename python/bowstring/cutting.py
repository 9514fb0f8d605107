r"""How rows become tokens, and what the sparse counters share."""

from __future__ import annotations

import ctypes
import importlib
import re
from collections.abc import Iterable
from typing import Any, Literal, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from bowstring import _core
from bowstring.characters import characters
from bowstring.columns import TEXT, Source, as_column, as_option
from bowstring.errors import InvalidInput, MissingPackage, UnsupportedType
from bowstring.stop_words import ENGLISH

Analyzer: TypeAlias = Literal["word", "char", "char_wb", "whitespace", "token"]

_pa: Any = pa
_pc: Any = pc

TOKEN_PATTERN = r"(?u)\b\w\w+\b"
"""Words of two characters or more: scikit-learn's default."""

# Patterns that the core has kernels for, and the kernel's name.
_KERNELS = {
    TOKEN_PATTERN: "word",
    r"\b\w\w+\b": "word",
    r"\w\w+": "word",
    r"(?u)\w\w+": "word",
    r"(?u)\b\w+\b": "word1",
    r"\b\w+\b": "word1",
    r"(?u)\w+": "word1",
    r"\w+": "word1",
    r"\S+": "whitespace",
    r"(?u)\S+": "whitespace",
    r"\w+|[^\w\s]+": "marks",
    r"\w+|[^\w\s]": "mark",
}
_ANALYZERS = ("word", "char", "char_wb", "whitespace", "token")


def need(package: str, extra: str) -> Any:
    """Import a package that an optional feature needs."""
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise MissingPackage(
            f"this needs {package.partition('.')[0]}, which is not installed: "
            f"pip install 'bowstring[{extra}]'"
        ) from error


class Cutting:
    """How rows become tokens: what the options of counters say, for the core."""

    def __init__(
        self,
        analyzer: str,
        ngram_range: tuple[int, int],
        lowercase: bool,
        token_pattern: str,
        stop_words: Any,
    ) -> None:
        if analyzer not in _ANALYZERS:
            names = ", ".join(f'"{name}"' for name in _ANALYZERS)
            raise InvalidInput(f"analyzer is {analyzer!r}: give one of {names}")
        try:
            least, most = ngram_range
        except (TypeError, ValueError):
            raise InvalidInput(
                f"ngram_range is {ngram_range!r}: give the fewest and the most tokens, as (1, 2)"
            ) from None
        self.least = as_option(least, "ngram_range", required=True)
        self.most = as_option(most, "ngram_range", required=True)
        if not 1 <= self.least <= self.most <= 255:
            raise InvalidInput(
                f"ngram_range is {ngram_range!r}: give two numbers from 1 to 255, the smaller first"
            )
        self.lowercase = bool(lowercase)
        self.stop_words: set[str] = set()
        self.pattern: re.Pattern[str] | None = None
        self.kernel = analyzer
        if analyzer == "word":
            self.kernel = _KERNELS.get(token_pattern, "given")
            if self.kernel == "given":
                self.pattern = _compiled(token_pattern)
        if analyzer in ("word", "whitespace"):
            self.stop_words = _stop_words(stop_words)

    @property
    def orders(self) -> tuple[int, int]:
        """The fewest and the most tokens of an n-gram as the core counts them."""
        return (1, 1) if self.pattern is not None else (self.least, self.most)

    @staticmethod
    def column(data: Any, column: str | None) -> Source:
        """Find the column, as it is."""
        if isinstance(data, str):
            raise InvalidInput("data is one string, not a column: write [data]")
        return as_column(data, column)

    def source(self, data: Any, column: str | None) -> Source:
        """Find the column, its rows cut into n-grams by Python where no kernel does it."""
        source = self.column(data, column)
        if self.pattern is None:
            return source
        rows = _pa.chunked_array(source.stream) if not is_arrow(source.stream) else source.stream
        grams = [self._grams(text) for text in rows.to_pylist()]
        return Source(_pa.array(grams, pa.large_list(TEXT)), source.rows, source.nbytes)

    def _grams(self, text: str | bytes | None) -> list[str] | None:
        assert self.pattern is not None
        if text is None:
            return None
        text = text.decode() if isinstance(text, bytes) else text
        text = text.lower() if self.lowercase else text
        tokens = [token for token in self.pattern.findall(text) if token not in self.stop_words]
        return [
            " ".join(tokens[at : at + order])
            for order in range(self.least, min(self.most, len(tokens)) + 1)
            for at in range(len(tokens) - order + 1)
        ]

    def core(self) -> tuple[str, _core.Characters, bool, set[str]]:
        """Give the arguments that every reading call of the core takes."""
        return self.kernel, characters(), self.lowercase, self.stop_words


def is_arrow(stream: Any) -> bool:
    """Say whether a stream is an array in memory."""
    return isinstance(stream, pa.Array | pa.ChunkedArray)


def _compiled(token_pattern: Any) -> re.Pattern[str]:
    try:
        pattern = re.compile(token_pattern)
    except (re.error, TypeError) as error:
        raise InvalidInput(
            f"token_pattern is {token_pattern!r}, no regular expression: {error}"
        ) from None
    if pattern.groups > 1:
        raise InvalidInput(
            f"token_pattern is {token_pattern!r}, with {pattern.groups} groups: keep at most one, "
            "or write (?:...)"
        )
    return pattern


def _stop_words(given: Any) -> set[str]:
    if given is None:
        return set()
    if isinstance(given, str):
        if given == "english":
            return set(ENGLISH)
        raise InvalidInput(f'stop_words is {given!r}: give "english" or a list of words')
    if not isinstance(given, Iterable):
        raise UnsupportedType(f'stop_words is {given!r}: give "english" or a list of words')
    words = set(given)
    if other := [word for word in words if not isinstance(word, str)]:
        raise UnsupportedType(f"stop_words holds {other[0]!r}: give strings")
    return words


def long_table(starts: Any, columns: Any, data: Any, terms: Any) -> pa.Table:
    """Make sparse rows a table of `row, term, count`.

    Examples
    --------
    >>> starts = pa.array([0, 1], pa.int32())
    >>> columns = pa.array([1], pa.int32())
    >>> long_table(starts, columns, pa.array([5]), pa.array(["a", "b"])).to_pylist()
    [{'row': 0, 'term': 'b', 'count': 5}]
    """
    rows = _pa.LargeListArray.from_arrays(starts.cast(pa.int64()), columns)
    row = _pc.list_parent_indices(rows).cast(pa.uint64())
    term = _pa.DictionaryArray.from_arrays(columns, terms)
    counts = data.cast(pa.uint64()) if pa.types.is_integer(data.type) else data
    return pa.table({"row": row, "term": term, "count": counts})


def scipy_csr(triple: Any, width: int, dtype: Any) -> Any:
    """Make the core's arrays a SciPy matrix, without a copy."""
    sparse = need("scipy.sparse", "sklearn")
    starts, columns, data = (_writable(_pa.array(part)) for part in triple)
    if dtype is not None:
        data = data.astype(dtype, copy=False)
    matrix = sparse.csr_matrix((data, columns, starts), shape=(len(starts) - 1, width))
    matrix.has_sorted_indices = True
    matrix.has_canonical_format = True
    return matrix


def _writable(array: Any) -> Any:
    """Make an array that the core made and nobody else has NumPy's, writable and without a copy."""
    numpy = need("numpy", "sklearn")
    view = array.to_numpy(zero_copy_only=True)
    if not len(array):
        return view.copy()
    held: Any = (ctypes.c_byte * view.nbytes).from_address(view.ctypes.data)
    held.owner = array  # which lives as long as the memory is looked at
    return numpy.frombuffer(held, dtype=view.dtype)
