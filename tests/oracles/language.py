"""The language model by its definition: a dictionary of every context."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from oracles.search import Text, symbols

End = None


def following(rows: Sequence[Text | None], context: Sequence[int]) -> Counter[int | None]:
    """What comes next after a context, and how often; None for the end of a row.

    A null row has no symbols, and an end like any other.
    """
    found: Counter[int | None] = Counter()
    for row in rows:
        text = [] if row is None else list(symbols(row))
        for start in range(len(text) + 1):
            if text[start : start + len(context)] == list(context):
                stop = start + len(context)
                if stop <= len(text):
                    found[text[stop] if stop < len(text) else End] += 1
    return found


def backed_off(
    rows: Sequence[Text | None], context: Sequence[int], most: int | None = None
) -> list[int]:
    """The longest suffix that occurs, of at most so many symbols."""
    shortest = 0 if most is None else max(0, len(context) - most)
    for start in range(shortest, len(context)):
        if following(rows, context[start:]):
            return list(context[start:])
    return []


def distribution(rows: Sequence[Text | None], prompt: Text, backoff: bool) -> list[dict[str, Any]]:
    """Rows of `ntd`, or of `infgram_ntd`."""
    own = list(symbols(prompt))
    context = backed_off(rows, own) if backoff else own
    found = following(rows, context)
    order = sorted(found, key=lambda token: (token is End, token or 0))
    more = {"suffix_length": len(context)} if backoff else {}
    return [
        {"token": token, "count": found[token], "prob": found[token] / found.total(), **more}
        for token in order
    ]


def score(
    rows: Sequence[Text | None], texts: Sequence[Text | None], order: int | None, end: bool
) -> list[dict[str, Any]]:
    """Rows of `score`."""
    scored = []
    for row, text in enumerate(texts):
        if text is None:
            continue
        own = list(symbols(text))
        for position, token in enumerate([*own, End] if end else own):
            most = None if order is None else order - 1
            context = backed_off(rows, own[:position], most)
            found = following(rows, context)
            total = found.total()
            scored.append(
                {
                    "row": row,
                    "position": position,
                    "token": token,
                    "suffix_length": len(context),
                    "context_count": total,
                    "count": found[token],
                    "prob": found[token] / total if total else None,
                    "sparse": len(+found) == 1,
                }
            )
    return scored


def of_order(prompt: Sequence[int], order: int) -> list[int] | None:
    """The context that a model of an order has of a prompt; None if it is too short."""
    return list(prompt[len(prompt) - order + 1 :]) if len(prompt) >= order - 1 else None


def counts(
    rows: Sequence[Text | None],
    prompt: Text | None,
    orders: Sequence[int],
    candidates: Sequence[int | None] | None,
) -> tuple[list[list[int] | None] | None, list[int | None] | None]:
    """The numerators and denominators of one context."""
    if prompt is None or candidates is None:
        return None, None
    numerators: list[list[int] | None] = []
    denominators: list[int | None] = []
    for order in orders:
        context = of_order(symbols(prompt), order)
        found = None if context is None else following(rows, context)
        numerators.append(None if found is None else [found[one] for one in candidates])
        denominators.append(None if found is None else found.total())
    return numerators, denominators


def stupid_backoff(
    rows: Sequence[Text | None], context: Sequence[int], token: int | None, alpha: float
) -> float | None:
    """The score as Brants et al. define it, by recursion."""
    found = following(rows, context)
    if found[token]:
        return found[token] / found.total()
    if not context:
        return 0.0 if found.total() else None
    shorter = stupid_backoff(rows, context[1:], token, alpha)
    return None if shorter is None else alpha * shorter


def interpolated(
    rows: Sequence[Text | None],
    prompt: Sequence[int],
    token: int | None,
    weights: dict[int, float],
) -> float | None:
    """The weighted mean over the orders whose context occurs."""
    sums = []
    for order, weight in weights.items():
        context = of_order(prompt, order)
        found = following(rows, context) if context is not None else Counter()
        if weight and found.total():
            sums.append((weight, found[token] / found.total()))
    total = sum(weight for weight, _ in sums)
    return sum(weight * share for weight, share in sums) / total if sums else None
