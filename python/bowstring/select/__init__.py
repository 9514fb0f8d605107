"""Choose rows: those most like a target, and those that inform most; weigh retrieved ones.

`align` ranks candidates by how well they compress together with a target (ZIP-FIT), `resample`
draws them by how much likelier their n-grams are in it (DSIR), and `cover` picks those that
together have most of its n-grams. All three take candidates, a target and `k`. The others select
among rows of numbers or text by what each adds to those selected before, and `importance` says what
the sources of retrieved rows are worth.
"""

from bowstring.select.compression import align, ncd
from bowstring.select.coverage import cover
from bowstring.select.importance import Importance, importance
from bowstring.select.resampling import resample
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
    "align",
    "cover",
    "facility_location",
    "feature_based",
    "graph_cut",
    "importance",
    "k_medoids",
    "max_coverage",
    "ncd",
    "neighbours",
    "resample",
    "sample",
    "transport",
]
