"""Exact answers about the strings in a dataframe column, from Arrow, fast."""

from bowstring import counts, interop, lexicon, rank, vectors
from bowstring._core import __version__
from bowstring.errors import (
    BowstringError,
    CorruptIndex,
    IndexFormatError,
    InvalidInput,
    MissingPackage,
    OutOfBudget,
    UnsupportedType,
)
from bowstring.index import Index, IndexInfo, SegmentInfo, index, open
from bowstring.language import LanguageModel, Mixture, Prediction, Scores
from bowstring.overlap import matches

__all__ = [
    "BowstringError",
    "CorruptIndex",
    "Index",
    "IndexFormatError",
    "IndexInfo",
    "InvalidInput",
    "LanguageModel",
    "MissingPackage",
    "Mixture",
    "OutOfBudget",
    "Prediction",
    "Scores",
    "SegmentInfo",
    "UnsupportedType",
    "__version__",
    "counts",
    "index",
    "interop",
    "lexicon",
    "matches",
    "open",
    "rank",
    "vectors",
]
