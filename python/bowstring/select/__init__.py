"""Which rows are worth having: subsets that inform most, and what retrieved rows are worth."""

from bowstring.select.importance import Importance, importance
from bowstring.select.sieve import Sieve
from bowstring.select.submodular import (
    facility_location,
    feature_based,
    graph_cut,
    k_medoids,
    max_coverage,
    neighbours,
    sample,
)
from bowstring.select.transport import transport

__all__ = [
    "Importance",
    "Sieve",
    "facility_location",
    "feature_based",
    "graph_cut",
    "importance",
    "k_medoids",
    "max_coverage",
    "neighbours",
    "sample",
    "transport",
]
