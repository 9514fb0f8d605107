"""Phrases of a column: n-grams that stand together more often than chance has it.

`Lexicon` finds them by one of five scores (Student's t is ERNIE-Gram's), and cuts columns into the
fewest pieces with them, as n-gram masking needs it.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from bowstring import _core
from bowstring.columns import TEXT, as_float, as_option
from bowstring.cutting import TOKEN_PATTERN, Cutting
from bowstring.errors import InvalidInput, UnsupportedType
from bowstring.report import progress_callback

Association: TypeAlias = Literal["t", "pmi", "npmi", "log_likelihood", "mikolov"]
Progress: TypeAlias = Any

_pa: Any = pa
_pc: Any = pc
_ASSOCIATIONS = ("t", "pmi", "npmi", "log_likelihood", "mikolov")


class Lexicon:
    r"""The phrases of a column, scored.

    Parameters
    ----------
    data
        A column of text, or of lists of tokens with `analyzer="token"`.
    column
        The name of the column, where `data` has several.
    max_length
        The most tokens of a phrase; the fewest are 2.
    score
        `"t"`: Student's t of an n-gram's share of the places for its length against the product of
        its tokens' shares (ERNIE-Gram, Xiao et al. 2021). `"pmi"`, `"npmi"`: pointwise mutual
        information, and by its greatest value (for pairs that of gensim). `"log_likelihood"`:
        Dunning's ratio of the last token and what is before it. `"mikolov"`: gensim's default.
    min_count
        The fewest occurrences of a phrase.
    top
        The most phrases of each length, those of the greatest scores, ties by their order.
    threshold
        The least score of a phrase.
    analyzer, lowercase, token_pattern, stop_words
        What tokens are, as in `bowstring.counts.NGramCounter`.
    threads
        Threads to use; all by default.
    progress
        True for a bar, or a callable that takes the phase, the rows done and their total.

    Raises
    ------
    InvalidInput
        If an option has a value that cannot be meant.
    UnsupportedType
        If `data` holds no column of text.

    Notes
    -----
    One sort of windows counts all n-grams; O(tokens · max_length) time and memory.

    Examples
    --------
    >>> import bowstring as bow
    >>> rows = ["new york is big", "i like new york", "new ideas", "york"]
    >>> lexicon = bow.lexicon.Lexicon(rows, max_length=2, min_count=2)
    >>> lexicon.table()["phrase"].to_pylist()
    ['new york']
    >>> lexicon.segment(["the new york times"]).to_pylist()
    [['the', 'new york', 'times']]
    """

    def __init__(
        self,
        data: Any,
        column: str | None = None,
        *,
        max_length: int = 3,
        score: Association = "t",
        min_count: int = 1,
        top: int | None = None,
        threshold: float | None = None,
        analyzer: Literal["word", "whitespace", "token"] = "word",
        lowercase: bool = True,
        token_pattern: str = TOKEN_PATTERN,
        stop_words: Any = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> None:
        if score not in _ASSOCIATIONS:
            names = ", ".join(f'"{name}"' for name in _ASSOCIATIONS)
            raise InvalidInput(f"score is {score!r}: give one of {names}")
        if analyzer not in ("word", "whitespace", "token"):
            raise InvalidInput(f'analyzer is {analyzer!r}: give "word", "whitespace" or "token"')
        self.score = score
        self._cutting = Cutting(analyzer, (1, 1), lowercase, token_pattern, stop_words)
        self._threads = as_option(threads, "threads")
        most = as_option(max_length, "max_length", required=True)
        source = self._cutting.source(data, column)
        with progress_callback(progress, source) as report:
            self._phrases, table = _core.find_phrases(
                source.stream,
                *self._cutting.core(),
                most,
                score,
                as_option(min_count, "min_count", required=True),
                as_option(top, "top"),
                None if threshold is None else as_float(threshold, "threshold"),
                self._threads,
                report,
            )
        self._table = pa.table(table)

    def __len__(self) -> int:
        return len(self._phrases)

    def __repr__(self) -> str:
        return f"<bowstring.lexicon.Lexicon: {len(self):,} phrases by {self.score}>"

    def table(self) -> pa.Table:
        """Give all phrases, the best of each length first.

        Returns
        -------
        pyarrow.Table
            `phrase: large_string, length: uint32, count: uint64, score: double`, by length, then
            by score from the greatest on, then by the order of phrases.

        Examples
        --------
        >>> import bowstring as bow
        >>> bow.lexicon.Lexicon(["a b", "a b", "b"], analyzer="whitespace").table().column_names
        ['phrase', 'length', 'count', 'score']
        """
        table = self._table.add_column(0, "phrase", _pa.array(self._phrases.names()))
        order: Any = [("length", "ascending"), ("score", "descending"), ("phrase", "ascending")]
        return table.sort_by(order)

    def segment(
        self, data: Any, column: str | None = None, *, progress: Progress = None
    ) -> pa.LargeListArray[Any]:
        """Cut each row into the fewest pieces, each a phrase or one token.

        Of several ways to cut into as few, the one whose first piece is longest, and so on.

        Returns
        -------
        pyarrow.LargeListArray
            Of each row a list of `large_string`, tokens of a phrase joined by blanks; an empty one
            for a null row.

        Notes
        -----
        Dynamic programming, O(tokens · max_length · log phrases) time.

        Examples
        --------
        >>> import bowstring as bow
        >>> lexicon = bow.lexicon.Lexicon(["to be", "to be or"], min_count=2)
        >>> lexicon.segment(["or to be to"]).to_pylist()
        [['or', 'to be', 'to']]
        """
        _, _, pieces, offsets = self._cut(data, column, progress)
        lists: pa.LargeListArray[Any] = _pa.LargeListArray.from_arrays(offsets, pieces)
        return lists

    def spans(self, data: Any, column: str | None = None, *, progress: Progress = None) -> pa.Table:
        """Cut each row as `segment` does, and say which tokens each piece holds.

        Returns
        -------
        pyarrow.Table
            `row: uint64, start: uint32, stop: uint32, piece: large_string`: tokens `start` up to
            `stop` of the row's.

        Examples
        --------
        >>> import bowstring as bow
        >>> lexicon = bow.lexicon.Lexicon(["to be", "to be or"], min_count=2)
        >>> lexicon.spans(["or to be"]).to_pylist()[1]
        {'row': 0, 'start': 1, 'stop': 3, 'piece': 'to be'}
        """
        start, stop, pieces, offsets = self._cut(data, column, progress)
        lists = _pa.LargeListArray.from_arrays(offsets, pieces)
        row = _pc.list_parent_indices(lists).cast(pa.uint64())
        return pa.table({"row": row, "start": start, "stop": stop, "piece": pieces})

    def join(
        self,
        data: Any,
        column: str | None = None,
        *,
        delimiter: str = "_",
        progress: Progress = None,
    ) -> Any:
        """Cut each row as `segment` does, and give the text of it with phrases joined.

        Returns
        -------
        pyarrow.LargeStringArray
            Pieces with blanks between them, and `delimiter` between the tokens of a phrase; blanks
            within a token, where `token_pattern` has some, stay as they are.

        Examples
        --------
        >>> import bowstring as bow
        >>> lexicon = bow.lexicon.Lexicon(["to be", "to be or"], min_count=2)
        >>> lexicon.join(["or to be to"]).to_pylist()
        ['or to_be to']
        """
        if not isinstance(delimiter, str):
            raise UnsupportedType(f"delimiter is {delimiter!r}: give a string")
        _, _, pieces, offsets = self._cut(data, column, progress, delimiter)
        rows = _pa.LargeListArray.from_arrays(offsets, pieces)
        return _pc.binary_join(rows, pa.scalar(" ", TEXT))

    def _cut(
        self, data: Any, column: str | None, progress: Progress, joint: str = " "
    ) -> tuple[Any, Any, Any, Any]:
        source = self._cutting.source(data, column)
        with progress_callback(progress, source) as report:
            start, stop, pieces, ends = _core.segment(
                self._phrases, joint, source.stream, *self._cutting.core(), self._threads, report
            )
        ends = _pa.array(ends).cast(pa.int64())
        offsets = _pa.concat_arrays([_pa.array([0], pa.int64()), ends])
        return _pa.array(start), _pa.array(stop), _pa.array(pieces), offsets
