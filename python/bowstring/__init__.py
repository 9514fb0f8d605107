"""Exact answers about the strings in a dataframe column, from Arrow, fast."""

from bowstring import counts, hamming, interop, lexicon, membership, rank, vectors
from bowstring._core import __version__
from bowstring.contamination import Contamination, contamination
from bowstring.coverage import copied, coverage, creativity
from bowstring.duplicates import Deduplicated, deduplicate, duplicates
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
from bowstring.repetition import repetition

__all__ = [
    "BowstringError",
    "Contamination",
    "CorruptIndex",
    "Deduplicated",
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
    "contamination",
    "copied",
    "coverage",
    "creativity",
    "deduplicate",
    "duplicates",
    "hamming",
    "counts",
    "index",
    "interop",
    "lexicon",
    "matches",
    "membership",
    "open",
    "repetition",
    "rank",
    "vectors",
]
