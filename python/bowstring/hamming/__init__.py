"""Hamming distances of a pattern to every window of a text: exact, bounded and approximate.

The distance at a shift is the number of symbols of the pattern that differ from those of the text
below them. Symbols are bytes of text, or tokens; `wildcard`, `ignore_case` and `symbol_map` say
which of them count as equal. And the same question of whole numbers: the sums of two collections,
and how many pairs give each.
"""

from bowstring.hamming.bounded import within
from bowstring.hamming.estimates import Approximation, Guarantee, approximate
from bowstring.hamming.exact import Plan, Step, best, distances, plan, profile
from bowstring.hamming.sums import ENGINES, Engine, count_3sum, sumset, sumset_counts
from bowstring.hamming.symbols import METHODS, Method, Symbols

__all__ = [
    "ENGINES",
    "METHODS",
    "Approximation",
    "Engine",
    "Guarantee",
    "Method",
    "Plan",
    "Step",
    "Symbols",
    "approximate",
    "best",
    "count_3sum",
    "distances",
    "plan",
    "profile",
    "sumset",
    "sumset_counts",
    "within",
]
