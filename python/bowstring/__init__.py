"""Exact answers about the strings in a dataframe column, from Arrow, fast."""

from typing import TYPE_CHECKING, Any

from bowstring import counts, hamming, interop, lexicon, link, membership, rank, select, vectors
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

if TYPE_CHECKING:
    from bowstring import categories

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
    "categories",
    "contamination",
    "copied",
    "counts",
    "coverage",
    "creativity",
    "deduplicate",
    "duplicates",
    "hamming",
    "index",
    "interop",
    "lexicon",
    "link",
    "matches",
    "membership",
    "open",
    "rank",
    "repetition",
    "select",
    "vectors",
]


def __getattr__(name: str) -> Any:
    # Estimators of scikit-learn, which takes a second to import.
    if name == "categories":
        from importlib import import_module

        return import_module("bowstring.categories")
    raise AttributeError(f"module 'bowstring' has no attribute {name!r}")
