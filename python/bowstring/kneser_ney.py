"""N-gram models with modified Kneser-Ney smoothing: estimated, kept as ARPA, asked in batches."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from bowstring import _core
from bowstring.columns import as_option
from bowstring.cutting import Cutting
from bowstring.errors import InvalidInput
from bowstring.report import progress_callback

Progress: TypeAlias = Any

_pa: Any = pa
_pc: Any = pc


@dataclass(frozen=True, slots=True)
class Discounts:
    """What n-grams of one order lose to those that were not seen."""

    one: float
    two: float
    more: float
    """Of n-grams of count 1, 2, and 3 or more."""
    fallback: bool
    """Whether counts of counts gave no discounts, so that these are 0.5, 1 and 1.5."""


class KneserNey:
    r"""An n-gram model of a column with interpolated modified Kneser-Ney smoothing, unpruned.

    What lmplz estimates (Heafield et al. 2013) of the discounts of Chen and Goodman (1998), a row
    being a sentence. Where the counts of counts of an order give no discounts, as in small columns
    and of characters, those are 0.5, 1 and 1.5, and `discounts` says so.

    Parameters
    ----------
    data
        A column of text, or of lists of tokens with `analyzer="token"`.
    column
        The name of the column, where `data` has several.
    order
        The longest n-grams, 2 to 16.
    analyzer
        `"whitespace"` (the default, as lmplz), `"word"` with `token_pattern`, or `"token"`.
    lowercase, token_pattern
        As in `NGramCounter`; text is not lowered by default.
    threads
        Threads to use; all by default.
    progress
        True for a bar, or a callable that takes the phase, the rows done and their total.

    Raises
    ------
    InvalidInput
        If `order` is out of range, there are no rows, or a row holds `<s>`, `</s>` or `<unk>`.
    UnsupportedType
        If `data` holds no column of text.

    Notes
    -----
    O(tokens · order) time and memory (about 8 order bytes a token and 40 an n-gram), no
    temporary files.

    Examples
    --------
    >>> import bowstring as bow
    >>> model = bow.counts.KneserNey(["to be or not to be", "to be is to do"], order=3)
    >>> scores = model.score(["to be", "be to"])["log10"].to_pylist()
    >>> scores[0] > scores[1]
    True
    """

    def __init__(
        self,
        data: Any,
        column: str | None = None,
        *,
        order: int = 5,
        analyzer: Literal["word", "whitespace", "token"] = "whitespace",
        lowercase: bool = False,
        token_pattern: str = r"\w+|[^\w\s]",
        threads: int | None = None,
        progress: Progress = None,
    ) -> None:
        self._options(analyzer, lowercase, token_pattern, threads)
        source = self._cutting.source(data, column)
        with progress_callback(progress, source) as report:
            self._core = _core.KneserNey.estimate(
                source.stream,
                *self._cutting.core(),
                as_option(order, "order", required=True),
                self._threads,
                report,
            )

    def _options(
        self, analyzer: str, lowercase: bool, token_pattern: str, threads: int | None
    ) -> None:
        if analyzer not in ("word", "whitespace", "token"):
            raise InvalidInput(f'analyzer is {analyzer!r}: give "word", "whitespace" or "token"')
        self._cutting = Cutting(analyzer, (1, 1), lowercase, token_pattern, None)
        self._threads = as_option(threads, "threads")

    @property
    def order(self) -> int:
        """The longest n-grams."""
        return len(self.ngrams)

    @property
    def ngrams(self) -> tuple[int, ...]:
        """How many n-grams there are of each order."""
        return tuple(self._core.describe()[0])

    @property
    def discounts(self) -> tuple[Discounts, ...]:
        """The discounts of each order; none of a model that was read."""
        found = self._core.describe()[1]
        return tuple(Discounts(one, two, more, fallback) for (one, two, more), fallback in found)

    def __repr__(self) -> str:
        counts = " + ".join(f"{count:,}" for count in self.ngrams)
        return f"<bowstring.counts.KneserNey: {counts} n-grams>"

    def score(
        self,
        data: Any,
        column: str | None = None,
        *,
        start: bool = True,
        stop: bool = True,
        progress: Progress = None,
    ) -> pa.Table:
        """Score each row of a column.

        Parameters
        ----------
        data
            A column as the model was estimated from.
        column
            The name of the column, where `data` has several.
        start
            Whether a row begins as a sentence does.
        stop
            Whether its end counts as one more token.
        progress
            True for a bar, or a callable that takes the phase, the rows done and their total.

        Returns
        -------
        pyarrow.Table
            `log10: double` (the base-10 logarithm of the row's probability), `known_log10: double`
            (without unknown tokens), `tokens: uint64` (the end included), `unknown: uint64`; null
            where the row is.

        Examples
        --------
        >>> import bowstring as bow
        >>> model = bow.counts.KneserNey(["a b", "a c"], order=2)
        >>> model.score(["a z", None])["unknown"].to_pylist()
        [1, None]
        """
        source = self._cutting.source(data, column)
        with progress_callback(progress, source) as report:
            return pa.table(
                self._core.score(
                    source.stream,
                    *self._cutting.core(),
                    bool(start),
                    bool(stop),
                    self._threads,
                    report,
                )
            )

    def perplexity(self, data: Any, column: str | None = None, *, unknown: bool = True) -> float:
        """Give the perplexity of a column: 10 to the mean negative logarithm of a token.

        Parameters
        ----------
        data, column
            As in `score`.
        unknown
            Whether tokens that the model does not know count.

        Returns
        -------
        float
            NaN without tokens.

        Examples
        --------
        >>> import bowstring as bow
        >>> model = bow.counts.KneserNey(["a b", "a c"], order=2)
        >>> model.perplexity(["a b"]) < model.perplexity(["b a"])
        True
        """
        scores = self.score(data, column)
        total = _pc.sum(scores["log10" if unknown else "known_log10"]).as_py() or 0.0
        tokens = _pc.sum(scores["tokens"]).as_py() or 0
        if not unknown:
            tokens -= _pc.sum(scores["unknown"]).as_py() or 0
        return float(10 ** (-total / tokens)) if tokens else float("nan")

    def write_arpa(self, path: str | os.PathLike[str]) -> None:
        """Write the model in the ARPA format, whole or not at all.

        Examples
        --------
        >>> import bowstring as bow, tempfile, pathlib
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "text.arpa"
        >>> bow.counts.KneserNey(["a b", "a c"], order=2).write_arpa(path)
        >>> bow.counts.KneserNey.read_arpa(path).ngrams
        (6, 5)
        """
        self._core.write_arpa(os.fspath(path))

    @classmethod
    def read_arpa(
        cls,
        path: str | os.PathLike[str],
        *,
        analyzer: Literal["word", "whitespace", "token"] = "whitespace",
        lowercase: bool = False,
        token_pattern: str = r"\w+|[^\w\s]",
        threads: int | None = None,
    ) -> KneserNey:
        """Read a model in the ARPA format, of this library or another.

        Raises
        ------
        InvalidInput
            If the file is none, naming the line.

        Examples
        --------
        See `write_arpa`.

        >>> import bowstring as bow
        >>> bow.counts.KneserNey.read_arpa("nowhere")
        Traceback (most recent call last):
        FileNotFoundError: [Errno 2] No such file or directory (os error 2): 'nowhere'
        """
        model = cls.__new__(cls)
        model._options(analyzer, lowercase, token_pattern, threads)
        model._core = _core.KneserNey.read_arpa(os.fspath(path))
        return model
