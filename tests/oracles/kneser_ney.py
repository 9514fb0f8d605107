"""Interpolated modified Kneser-Ney smoothing, from its formulas (Chen and Goodman 1998)."""

from __future__ import annotations

import collections
import math
from collections.abc import Sequence

Gram = tuple[str, ...]


class Model:
    """Probabilities and back-offs, as base-10 logarithms, of all n-grams of all orders."""

    def __init__(self, rows: Sequence[Sequence[str]], order: int) -> None:
        self.order = order
        padded = [("<s>", *row, "</s>") for row in rows]
        raw = [
            collections.Counter(
                row[at : at + n] for row in padded for at in range(len(row) - n + 1)
            )
            for n in range(1, order + 1)
        ]
        counts = [dict(raw[order - 1])]
        for n in range(order - 1, 0, -1):
            left: dict[Gram, set[str]] = collections.defaultdict(set)
            for gram in raw[n]:
                left[gram[1:]].add(gram[0])
            counts.insert(
                0, {g: raw[n - 1][g] if g[0] == "<s>" else len(left[g]) for g in raw[n - 1]}
            )
        self.discounts: list[list[float]] = []
        self.fallback: list[bool] = []
        self.log10: dict[Gram, float] = {}
        self.backoff: dict[Gram, float] = {}
        probability: dict[Gram, float] = {}
        del counts[0][("<s>",)]
        words = len({word for row in padded for word in row}) - 1 + 1  # not <s>, but <unk>
        for n, level in enumerate(counts, 1):
            t = [sum(count == k for count in level.values()) for k in range(5)]
            discounts = [0.5, 1.0, 1.5]
            fails = 0 in t[1:]
            if not fails:
                y = t[1] / (t[1] + 2 * t[2])
                tried = [k - (k + 1) * y * t[k + 1] / t[k] for k in (1, 2, 3)]
                fails = any(not 0 <= d <= k for k, d in enumerate(tried, 1))
                discounts = discounts if fails else tried
            self.discounts.append(discounts)
            self.fallback.append(fails)
            total: dict[Gram, float] = collections.defaultdict(float)
            taken: dict[Gram, float] = collections.defaultdict(float)
            for gram, count in level.items():
                total[gram[:-1]] += count
                taken[gram[:-1]] += discounts[min(count, 3) - 1]
            for gram, count in level.items():
                context = gram[:-1]
                lower = probability[gram[1:]] if n > 1 else 1 / words
                own = count - discounts[min(count, 3) - 1]
                probability[gram] = own / total[context] + taken[context] / total[context] * lower
            for context in total:
                if context:
                    self.backoff[context] = math.log10(taken[context] / total[context])
            if n == 1:
                probability[("<unk>",)] = taken[()] / total[()] / words
        self.log10 = {gram: math.log10(p) for gram, p in probability.items()}

    def score(self, row: Sequence[str]) -> float:
        """The base-10 logarithm of a row's probability, its end included."""
        total = 0.0
        context: Gram = ("<s>",)
        for word in (*row, "</s>"):
            if (word,) not in self.log10:
                word = "<unk>"
            context = context[-(self.order - 1) :]
            while (*context, word) not in self.log10:
                total += self.backoff.get(context, 0.0)
                context = context[1:]
            total += self.log10[(*context, word)]
            context = (*context, word) if word != "<unk>" else ()
        return total
