"""Exact answers about the strings in a dataframe column, from Arrow, fast."""

from bowstring._core import __version__
from bowstring.errors import (
    BowstringError,
    CorruptIndex,
    IndexFormatError,
    InvalidInput,
    OutOfBudget,
    UnsupportedType,
)
from bowstring.index import Index, IndexInfo, SegmentInfo, index, open

__all__ = [
    "BowstringError",
    "CorruptIndex",
    "Index",
    "IndexFormatError",
    "IndexInfo",
    "InvalidInput",
    "OutOfBudget",
    "SegmentInfo",
    "UnsupportedType",
    "__version__",
    "index",
    "open",
]
