"""Hamming distances and sums as their definitions have them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence


def distances(
    text: Sequence[int],
    pattern: Sequence[int],
    wildcards: Sequence[int] = (),
    mapped: Mapping[int, int] | None = None,
) -> list[int]:
    """The mismatches of each window; a symbol that stands for a wildcard is one."""
    mapped = mapped or {}

    def differ(a: int, b: int) -> bool:
        a, b = (
            mapped.get(a, a) if a not in wildcards else a,
            (mapped.get(b, b) if b not in wildcards else b),
        )
        return a not in wildcards and b not in wildcards and a != b

    windows = range(len(text) - len(pattern) + 1)
    return [
        sum(differ(a, b) for a, b in zip(text[at : at + len(pattern)], pattern, strict=True))
        for at in windows
    ]


def within(text: Sequence[int], pattern: Sequence[int], k: int) -> list[tuple[int, int]]:
    """Start and distance of each window within `k`."""
    return [(at, d) for at, d in enumerate(distances(text, pattern)) if d <= k]


def sums(a: Sequence[int], b: Sequence[int]) -> Counter[int]:
    """How many pairs have each sum."""
    return Counter(x + y for x in a for y in b)
