"""Membership inference from generations alone.

N-gram coverage (Hallinan et al. 2025), how well its scores tell members from others, and whether
the split itself can be told without a model.
"""

from __future__ import annotations

import bisect
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from bowstring import _core
from bowstring.columns import TEXT, TOKENS, as_array, as_float, as_option, one_chunk, widest
from bowstring.errors import InvalidInput, MissingPackage, UnsupportedType

# What pyarrow's stubs do not know, or know wrongly.
_pa: Any = pa
_pc: Any = pc

Metric: TypeAlias = Literal["coverage", "creativity", "longest_word", "longest_character"]
Aggregate: TypeAlias = Literal["max", "mean", "median", "min"] | int

RATES = (0.001, 0.005, 0.01, 0.05)


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure, and between which values 95 % of its bootstrap samples lie."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Rates:
    """How well scores tell members from others; made by `evaluate`."""

    auroc: Interval
    tpr_at_fpr: dict[float, Interval]
    """For a rate of false positives, the rate of true ones at no more of them."""
    members: int
    non_members: int


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of candidates; made by `ngram_coverage`."""

    scores: pa.Array[Any]
    """A number a candidate, the higher the likelier it is a member; null without generations."""
    similarities: pa.Array[Any]
    """`large_list<double>`: the similarity of each of the candidate's generations."""
    rates: Rates | None
    """How well the scores tell the labels, if there were any."""


def ngram_coverage(
    candidates: Any,
    generations: Any,
    *,
    metric: Metric = "coverage",
    n: int = 3,
    lengths: Sequence[int] = tuple(range(2, 13)),
    normalise: Literal["generation", "reference", "total"] = "total",
    aggregate: Aggregate = "max",
    labels: Any = None,
    seed: int = 0,
    samples: int = 1000,
    threads: int | None = None,
) -> Scores:
    """Score texts by how much of them a model gives back, continuing their beginnings.

    Parameters
    ----------
    candidates
        A column: of each text that may have been trained on, the part that was not in the prompt.
    generations
        A column of lists: of each candidate, what the model made of its prompt, many times.
    metric
        Of generation and candidate: `"coverage"`, the share of words in an n-gram of `n` or more
        that both have; `"creativity"`, the sum of that share over `lengths`, which grows with what
        is copied; `"longest_word"` and `"longest_character"`, the length of the longest part that
        both have.
    n
        Words of an n-gram that counts, at least; also of creativity.
    lengths
        The lengths that creativity sums over; 2 to 12 in the paper.
    normalise
        What covered words are a share of: those of the `"generation"` x; of x or the candidate
        ("`reference`"), whichever has more, m; or twice the covered ones of x + m (`"total"`).
    aggregate
        How similarities become a score: `"max"`, `"mean"`, `"median"`, `"min"`, or a number: the
        mean of so many highest.
    labels
        Whether each candidate is a member, for `rates`; null where that is not known.
    seed, samples
        Of the bootstrap of `rates`.
    threads
        Threads to use; all by default.

    Returns
    -------
    Scores
        `scores`, `similarities`, and with labels `rates`.

    Raises
    ------
    InvalidInput
        If an argument has a value that it cannot have, or columns differ in length.
    UnsupportedType
        If candidates are no texts, or generations no lists of them.

    Notes
    -----
    O(length) time a generation, by the suffix automaton of its candidate. Words are what whitespace
    separates, compared as they are; the authors' program takes NLTK's words and looks for them as
    characters, so that "he cat" is in "the cat". Give their words joined by spaces to have them.

    Examples
    --------
    >>> from bowstring import membership
    >>> found = membership.ngram_coverage(
    ...     ["the cat sat on the mat", "to be or not"],
    ...     [["a cat sat on the rug", "dogs"], ["what to do", "or else"]],
    ... )
    >>> [round(score, 3) for score in found.scores.to_pylist()]
    [0.667, 0.0]
    """
    if metric not in ("coverage", "creativity", "longest_word", "longest_character"):
        raise InvalidInput(
            f'metric is {metric!r}: give "coverage", "creativity", "longest_word" or '
            '"longest_character"'
        )
    if normalise not in ("generation", "reference", "total"):
        raise InvalidInput(f'normalise is {normalise!r}: give "generation", "reference" or "total"')
    _check_aggregate(aggregate)
    least = as_option(n, "n", required=True)
    sizes = [as_option(one, "lengths", required=True) for one in lengths]
    if least == 0 or 0 in sizes or not sizes:
        raise InvalidInput("n and lengths are lengths of n-grams: give 1 or more")
    texts = one_chunk(as_array(candidates, "candidates"))
    type = widest(texts.type)
    if type is None or type == TOKENS:
        raise UnsupportedType(f"candidates is a column of {texts.type}: give text")
    texts = texts.cast(TEXT if pa.types.is_null(type) else type)
    lists = _lists(generations, len(texts))
    counts = _pc.fill_null(_pc.list_value_length(lists), 0).to_pylist()
    of = [at for at, count in enumerate(counts) for _ in range(count)]
    # N-grams shorter than n do not count, whatever the length that is summed.
    asked = [least] if metric != "creativity" else [max(size, least) for size in sizes]
    table = pa.table(
        _core.shared(
            _pc.list_flatten(lists).cast(TEXT),
            texts,
            pa.array(of, pa.int64()),
            metric != "longest_character",
            sorted(set(asked)),
            as_option(threads, "threads"),
        )
    )
    similarities: list[list[float]] = [[] for _ in counts]
    for candidate, row in zip(of, table.to_pylist(), strict=True):
        if row["units"] is None:
            continue
        if metric in ("longest_word", "longest_character"):
            value = float(row["longest"])
        else:
            covered = sum(row[f"covered_{size}"] for size in asked)
            value = _normalised(covered, row["units"], row["partner_units"], normalise)
        similarities[candidate].append(value)
    scores = [_aggregated(values, aggregate) for values in similarities]
    rates = None
    if labels is not None:
        rates = evaluate(scores, labels, seed=seed, samples=samples)
    nested = pa.array(similarities, pa.large_list(pa.float64()))
    return Scores(pa.array(scores, pa.float64()), nested, rates)


def evaluate(
    scores: Any,
    labels: Any,
    *,
    rates: Sequence[float] = RATES,
    seed: int = 0,
    samples: int = 1000,
) -> Rates:
    """Measure how well scores tell members from others, with bootstrap intervals.

    Parameters
    ----------
    scores
        A column of numbers, the higher the likelier a member; nulls are left out.
    labels
        A column of booleans, True for members; nulls are left out.
    rates
        Rates of false positives at which to give those of true ones.
    seed, samples
        Of the bootstrap: members and others are drawn anew, each among themselves.

    Returns
    -------
    Rates
        The area under the receiver operating characteristic, in which ties count half, and the
        largest rate of true positives at a threshold with no more false ones than each rate.

    Raises
    ------
    InvalidInput
        If the columns differ in length, or there are no members, or none but these.

    Notes
    -----
    O(s m log m) time for m scores and s samples.

    Examples
    --------
    >>> from bowstring import membership
    >>> found = membership.evaluate([0.9, 0.8, 0.3, 0.1], [True, True, False, False])
    >>> found.auroc.value, found.tpr_at_fpr[0.01].value
    (1.0, 1.0)
    """
    values, marks = _numbers(scores, "scores"), _marks(labels)
    rates = [as_float(rate, "rates") for rate in rates]
    if wrong := [rate for rate in rates if not 0 <= rate <= 1]:
        raise InvalidInput(f"rates holds {wrong[0]}: give rates of false positives from 0 to 1")
    if len(values) != len(marks):
        raise InvalidInput(
            f"labels has {len(marks)} values and scores {len(values)}: give one each"
        )
    members = sorted(a for a, b in zip(values, marks, strict=True) if b and a is not None)
    others = sorted(a for a, b in zip(values, marks, strict=True) if b is False and a is not None)
    if not members or not others:
        raise InvalidInput(
            f"labels mark {len(members)} scores as members' and {len(others)} as others': give both"
        )
    drawn = random.Random(seed)
    tries = [
        _rates(
            sorted(drawn.choices(members, k=len(members))),
            sorted(drawn.choices(others, k=len(others))),
            rates,
        )
        for _ in range(as_option(samples, "samples", required=True))
    ]
    value = _rates(members, others, rates)
    intervals = [_interval(one, [it[at] for it in tries]) for at, one in enumerate(value)]
    return Rates(
        intervals[0], dict(zip(rates, intervals[1:], strict=True)), len(members), len(others)
    )


def shift(
    members: Any,
    non_members: Any,
    *,
    folds: int = 5,
    seed: int = 0,
    samples: int = 1000,
) -> Interval:
    """Say how well a bag of words tells members from others, without any model.

    An area far from 0.5 means that the split itself can be told: by date, topic or form. No score
    of membership on it says anything of memory then.

    Parameters
    ----------
    members, non_members
        Columns of text.
    folds
        Parts that are held out, each in turn.
    seed, samples
        Of the folds, and of the bootstrap of the interval.

    Returns
    -------
    Interval
        The area under the receiver operating characteristic of the texts that were held out, and
        between which values 95 % of its bootstrap samples lie.

    Raises
    ------
    InvalidInput
        If there are fewer texts of one kind than folds, or too few words in them.
    MissingPackage
        If scikit-learn is not installed: it is in the extra `bowstring[membership]`.

    Notes
    -----
    Counts of words and pairs of them in at least two texts, logistic regression, as in Das et al.
    (2024), Blind baselines beat membership inference attacks. Null texts are left out.

    Examples
    --------
    >>> from bowstring import membership
    >>> old = [f"it was reported in {1990 + n % 9}" for n in range(40)]
    >>> new = [f"it was posted in {2021 + n % 4}" for n in range(40)]
    >>> membership.shift(old, new).value  # doctest: +SKIP
    1.0
    """
    try:
        from sklearn.feature_extraction.text import CountVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.model_selection import StratifiedKFold, cross_val_predict
        from sklearn.pipeline import make_pipeline
    except ImportError as error:
        raise MissingPackage(
            "shift needs the package scikit-learn: pip install 'bowstring[membership]'"
        ) from error
    parts = []
    for name, column in (("members", members), ("non_members", non_members)):
        texts = one_chunk(as_array(column, name))
        if widest(texts.type) != TEXT:
            raise UnsupportedType(f"{name} is a column of {texts.type}: give text")
        parts.append([text for text in texts.to_pylist() if text is not None])
    parted = as_option(folds, "folds", required=True)
    if parted < 2 or min(map(len, parts)) < parted:
        raise InvalidInput(
            f"folds is {folds}: give 2 or more, and no more than there are texts of each kind "
            f"({len(parts[0])} and {len(parts[1])})"
        )
    texts = [*parts[0], *parts[1]]
    labels = [1] * len(parts[0]) + [0] * len(parts[1])
    model = make_pipeline(
        # The default leaves out words of one letter.
        CountVectorizer(
            ngram_range=(1, 2), min_df=2 if len(texts) > 20 else 1, token_pattern=r"(?u)\b\w+\b"
        ),
        LogisticRegression(max_iter=1000),
    )
    held_out = StratifiedKFold(parted, shuffle=True, random_state=seed)
    try:
        predicted = cross_val_predict(model, texts, labels, cv=held_out, method="predict_proba")
    except ValueError as error:
        raise InvalidInput(
            "members and non_members hold no words that two of the texts have, to tell them by: "
            f"give more texts ({error})"
        ) from None
    scores = [float(one) for one in predicted[:, 1]]
    marks = [label == 1 for label in labels]
    return evaluate(scores, marks, rates=(), seed=seed, samples=samples).auroc


def _rates(members: list[float], others: list[float], rates: Sequence[float]) -> list[float]:
    """Area and rates, of sorted scores."""
    wins = sum(
        bisect.bisect_left(others, score) + bisect.bisect_right(others, score) for score in members
    )
    found = [wins / (2 * len(members) * len(others))]
    for rate in rates:
        # The scores above so few of the others' are taken for members'.
        allowed = math.floor(rate * len(others) + 1e-9)
        limit = others[len(others) - 1 - allowed] if allowed < len(others) else -math.inf
        found.append(1 - bisect.bisect_right(members, limit) / len(members))
    return found


def _interval(value: float, tries: list[float]) -> Interval:
    if not tries:
        return Interval(value, math.nan, math.nan)
    tries = sorted(tries)
    last = len(tries) - 1
    return Interval(value, tries[round(0.025 * last)], tries[round(0.975 * last)])


def _normalised(covered: int, own: int, other: int, normalise: str) -> float:
    most = max(own, other)
    part, of = {
        "generation": (covered, own),
        "reference": (covered, most),
        "total": (2 * covered, own + most),
    }[normalise]
    return part / of if of else 0.0


def _check_aggregate(aggregate: Aggregate) -> None:
    if isinstance(aggregate, str):
        if aggregate not in ("max", "mean", "median", "min"):
            raise InvalidInput(
                f'aggregate is {aggregate!r}: give "max", "mean", "median", "min" or a number'
            )
    elif as_option(aggregate, "aggregate", required=True) == 0:
        raise InvalidInput("aggregate is 0: give 1 or more of the highest similarities to average")


def _aggregated(values: list[float], aggregate: Aggregate) -> float | None:
    if not values:
        return None
    values = sorted(values)
    if aggregate == "max":
        return values[-1]
    if aggregate == "min":
        return values[0]
    if aggregate == "median":
        middle = len(values) // 2
        return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2
    if isinstance(aggregate, int):
        values = values[-aggregate:]
    return math.fsum(values) / len(values)


def _lists(generations: Any, count: int) -> Any:
    """Make a column of lists of texts one array."""
    if isinstance(generations, list | tuple) and any(
        isinstance(one, str | bytes) for one in generations
    ):
        raise UnsupportedType(
            "generations holds a text where a list of texts is due: give [[text, ...], ...]"
        )
    try:
        if isinstance(generations, list | tuple):
            lists: Any = pa.array(generations, pa.large_list(TEXT))
        elif isinstance(generations, pa.Array | pa.ChunkedArray):
            lists = one_chunk(generations)
        else:
            lists = one_chunk(_pa.chunked_array(generations))
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise UnsupportedType(f"generations: give a column of lists of texts ({error})") from None
    types = pa.types
    if not (types.is_list(lists.type) or types.is_large_list(lists.type)) or (
        widest(lists.type.value_type) not in (TEXT, pa.null())
    ):
        raise UnsupportedType(f"generations is a column of {lists.type}: give lists of texts")
    if len(lists) != count:
        raise InvalidInput(
            f"generations has {len(lists)} lists and candidates {count}: give one list for each"
        )
    return lists


def _numbers(values: Any, name: str) -> list[float | None]:
    try:
        array = values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values)
        numbers: list[float | None] = array.cast(pa.float64()).to_pylist()
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise UnsupportedType(f"{name}: give a column of numbers ({error})") from None
    if any(number is not None and math.isnan(number) for number in numbers):
        raise InvalidInput(f"{name} holds NaN: give null where there is none")
    return numbers


def _marks(labels: Any) -> list[bool | None]:
    try:
        array = labels if isinstance(labels, pa.Array | pa.ChunkedArray) else pa.array(labels)
        marks: list[bool | None] = array.cast(pa.bool_()).to_pylist()
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise UnsupportedType(f"labels: give a column of booleans ({error})") from None
    return marks
