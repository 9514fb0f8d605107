"""Rank the rows of a column by how well they match a query: BM25, feedback, and fusion.

`BM25` keeps counts, not scores: rows are added without reading the others again, and one set of
postings answers in every variant. `interpolate` and `reciprocal_rank` join its ranking with any
other, such as that of an embedding model.
"""

from __future__ import annotations

import json
import os
from typing import Any, Literal, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from bowstring import _core
from bowstring.columns import TEXT, as_array, as_column, as_float, as_option
from bowstring.cutting import TOKEN_PATTERN, Cutting
from bowstring.errors import CorruptIndex, InvalidInput, UnsupportedType
from bowstring.report import progress_callback

Variant: TypeAlias = Literal["lucene", "robertson", "atire", "bm25l", "bm25+"]
Progress: TypeAlias = Any

_pc: Any = pc
_pa: Any = pa

_FORMAT = 1


class BM25:
    r"""The rows of a column by their tokens, to be ranked by BM25.

    Parameters
    ----------
    data
        A column of text, or of lists of tokens with `analyzer="token"`; None to begin without
        rows.
    column
        The name of the column, where `data` has several.
    method
        `"lucene"` (the default), `"robertson"`, `"atire"`, `"bm25l"` or `"bm25+"`, in the formulas
        of bm25s.
    idf
        The variant that gives the inverse document frequency; as `method` by default.
    k1, b, delta
        How soon more occurrences add no more; how much long rows count less, 0 to 1; what an
        occurrence adds at least, in BM25L and BM25+.
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
    Building is one pass over the text and O(postings) memory, 8 bytes each; 4 more once asked.
    Scores are of 32 bits. A row's score does not depend on `k`, `threads` or in how many pieces
    rows were added.

    Examples
    --------
    >>> import bowstring as bow
    >>> ranking = bow.rank.BM25(["a red apple", "a green apple, green", "the sky"])
    >>> ranking.search("green apple", k=2)["row"].to_pylist()
    [1, 0]
    """

    def __init__(
        self,
        data: Any = None,
        column: str | None = None,
        *,
        method: Variant = "lucene",
        idf: Variant | None = None,
        k1: float = 1.5,
        b: float = 0.75,
        delta: float = 0.5,
        analyzer: Literal["word", "whitespace", "token"] = "word",
        lowercase: bool = True,
        token_pattern: str = TOKEN_PATTERN,
        stop_words: Any = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> None:
        self._options = {
            "analyzer": analyzer,
            "lowercase": bool(lowercase),
            "token_pattern": token_pattern,
            "stop_words": stop_words if isinstance(stop_words, str | None) else list(stop_words),
        }
        if analyzer not in ("word", "whitespace", "token"):
            raise InvalidInput(f'analyzer is {analyzer!r}: give "word", "whitespace" or "token"')
        self._formula = (
            method,
            method if idf is None else idf,
            as_float(k1, "k1"),
            as_float(b, "b"),
            as_float(delta, "delta"),
        )
        self._threads = as_option(threads, "threads")
        self._weights: _core.Weights | None = None
        # Wrong constants are refused here, not at the first question.
        none = _pa.array([], pa.large_list(pa.int64()) if analyzer == "token" else TEXT)
        self._postings = self._read(none, None, None)
        self._weighed()
        if data is not None:
            self.add(data, column, progress=progress)

    def add(self, data: Any, column: str | None = None, *, progress: Progress = None) -> BM25:
        """Add rows behind those that are there, which are not read again.

        Examples
        --------
        >>> import bowstring as bow
        >>> ranking = bow.rank.BM25(["red"]).add(["green", "red green"])
        >>> len(ranking), ranking.search("green", k=1)["row"].to_pylist()
        (3, [1])
        """
        added = self._read(data, column, progress)
        rows, _ = self._postings.shape()
        self._postings = self._postings.joined(added) if rows else added
        self._weights = None
        return self

    def search(
        self,
        queries: Any,
        k: int = 10,
        *,
        where: Any = None,
        feedback: Feedback | None = None,
        threads: int | None = None,
    ) -> pa.Table:
        """Find the `k` rows that score best for each query, exactly.

        Parameters
        ----------
        queries
            A text, or a column of them. A token that stands in a query twice counts twice.
        k
            The most rows a query.
        where
            A column of booleans, one a row: only rows where it is true are ranked. What tokens
            weigh is that of all rows.
        feedback
            Widen each query by the rows that answer it best, and ask again.
        threads
            Threads to use; those of the class by default.

        Returns
        -------
        pyarrow.Table
            `query: uint64, row: uint64, score: float, rank: uint64`, by query and then from rank 1
            on; of equal scores the first row comes first. Rows without any token of the query, or
            of tokens only that weigh nothing (Robertson's of half the rows), are not among them.

        Raises
        ------
        InvalidInput
            If `where` is not as long as there are rows.

        Notes
        -----
        What cannot be among the best is passed over, by the greatest weight of each token and of
        each block of 128 of its rows (MaxScore and block-max), which changes no answer.

        Examples
        --------
        >>> import bowstring as bow
        >>> ranking = bow.rank.BM25(["red apple", "green apple", "sky"])
        >>> found = ranking.search(["apple", "sky"], k=1)
        >>> found.select(["query", "row", "rank"]).to_pylist()
        [{'query': 0, 'row': 0, 'rank': 1}, {'query': 1, 'row': 2, 'rank': 1}]
        >>> ranking.search("apple", where=[False, True, True])["row"].to_pylist()
        [1]
        """
        k = as_option(k, "k", required=True)
        one = isinstance(queries, str | bytes) or (
            isinstance(queries, list) and bool(queries) and isinstance(queries[0], int)
        )
        cutting = self._cutting()
        source = cutting.source(as_array([queries] if one else queries, "queries"), None)
        return pa.table(
            self._postings.search(
                self._weighed(),
                source.stream,
                *cutting.core(),
                min(k, 1 << 32),
                None if where is None else _booleans(where),
                None if feedback is None else feedback._widening(),
                self._threads if threads is None else as_option(threads, "threads"),
            )
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the postings to a file, in one piece or not at all.

        Examples
        --------
        >>> import bowstring as bow, tempfile, pathlib
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "text.bm25"
        >>> bow.rank.BM25(["red", "green"]).save(path)
        >>> bow.rank.BM25.open(path).search("green")["row"].to_pylist()
        [1]
        """
        said = {"format": _FORMAT, "options": self._options, "formula": self._formula}
        self._postings.save(os.fspath(path), json.dumps(said))

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, threads: int | None = None) -> BM25:
        """Map a file that `save` wrote; its postings are checked and stay on disk.

        Raises
        ------
        CorruptIndex
            If the file is damaged.
        IndexFormatError
            If it is another file.

        Examples
        --------
        See `save`.

        >>> import bowstring as bow
        >>> bow.rank.BM25.open("nowhere")
        Traceback (most recent call last):
        FileNotFoundError: [Errno 2] No such file or directory (os error 2): 'nowhere'
        """
        postings, text = _core.Postings.open(os.fspath(path))
        try:
            said = json.loads(text)
            method, idf, k1, b, delta = said["formula"]
            opened = cls(
                method=method, idf=idf, k1=k1, b=b, delta=delta, threads=threads, **said["options"]
            )
        except (KeyError, TypeError, ValueError) as error:
            raise CorruptIndex(f"{os.fspath(path)} says nothing of its options: {error}") from None
        opened._postings = postings
        opened._weights = None
        return opened

    def __len__(self) -> int:
        return self._postings.shape()[0]

    def __repr__(self) -> str:
        rows, tokens = self._postings.shape()
        return f"<bowstring.rank.BM25: {rows:,} rows, {tokens:,} distinct tokens>"

    def _cutting(self) -> Cutting:
        said: Any = self._options
        return Cutting(
            said["analyzer"],
            (1, 1),
            said["lowercase"],
            said["token_pattern"],
            said["stop_words"],
        )

    def _read(self, data: Any, column: str | None, progress: Progress) -> _core.Postings:
        cutting = self._cutting()
        source = cutting.source(data, column)
        with progress_callback(progress, source) as report:
            return _core.Postings.build(source.stream, *cutting.core(), self._threads, report)

    def _weighed(self) -> _core.Weights:
        if self._weights is None:
            self._weights = self._postings.weights(*self._formula, self._threads)
        return self._weights


class Feedback:
    """How a query is widened by the rows that answer it best (pseudo-relevance feedback).

    Parameters
    ----------
    method
        `"rm3"`, as Anserini has it, or `"rocchio"`.
    rows
        How many of the best rows widen the query.
    tokens
        How many tokens are taken of each of them, and in all.
    original
        RM3: the weight that the query keeps, 0 to 1.
    alpha, beta
        Rocchio: the weights of the query and of the rows.
    max_df
        Tokens that a greater share of the rows has are not taken.
    plain
        Whether only tokens of 2 to 20 of `a` to `z` and `0` to `9` are taken.

    Raises
    ------
    InvalidInput
        If `method` is another.

    Examples
    --------
    >>> import bowstring as bow
    >>> ranking = bow.rank.BM25(["red apple pie", "apple tart", "pie crust", "sky"])
    >>> wide = bow.rank.Feedback(rows=1, max_df=1.0)
    >>> ranking.search("red", feedback=wide)["row"].to_pylist()
    [0, 1, 2]
    """

    def __init__(
        self,
        method: Literal["rm3", "rocchio"] = "rm3",
        *,
        rows: int = 10,
        tokens: int = 10,
        original: float = 0.5,
        alpha: float = 1.0,
        beta: float = 0.75,
        max_df: float = 0.1,
        plain: bool = True,
    ) -> None:
        if method not in ("rm3", "rocchio"):
            raise InvalidInput(f'method is {method!r}: give "rm3" or "rocchio"')
        self.method = method
        self.rows = as_option(rows, "rows", required=True)
        self.tokens = as_option(tokens, "tokens", required=True)
        self.weights = (
            (as_float(original, "original"), 0.0)
            if method == "rm3"
            else (as_float(alpha, "alpha"), as_float(beta, "beta"))
        )
        if method == "rm3" and not 0.0 <= self.weights[0] <= 1.0:
            raise InvalidInput(f"original is {original}: give a weight from 0 to 1")
        if not all(0.0 <= weight < float("inf") for weight in self.weights):
            raise InvalidInput(f"alpha is {alpha} and beta is {beta}: give weights from 0 on")
        self.max_df = as_float(max_df, "max_df")
        self.plain = bool(plain)

    def _widening(self) -> tuple[str, float, float, int, int, float, bool]:
        return (self.method, *self.weights, self.rows, self.tokens, self.max_df, self.plain)


def interpolate(
    sparse: pa.Table,
    dense: pa.Table,
    *,
    alpha: float = 0.5,
    normalise: Literal["min_max", "z_score", "sum", "none"] = "none",
    k: int | None = None,
) -> pa.Table:
    """Join two rankings by a weighted sum of their scores.

    A row that one ranking lacks has that ranking's least score of the query.

    Parameters
    ----------
    sparse, dense
        Tables with `query`, `row` and `score`: an answer of `BM25.search`, before or after
        feedback, and any other.
    alpha
        The weight of `sparse`; that of `dense` is `1 - alpha`.
    normalise
        What is done to the scores of each query and ranking first: `"min_max"` to 0 to 1,
        `"z_score"` to mean 0 and standard deviation 1, `"sum"` to min 0 and sum 1, or `"none"`.
        Scores that are all the same become 0, with `"min_max"` and `"z_score"`.
    k
        The most rows a query; all by default.

    Returns
    -------
    pyarrow.Table
        `query: uint64, row: uint64, score: double, rank: uint64`, best first; of equal scores the
        first row comes first.

    Raises
    ------
    InvalidInput
        If a table lacks a column, or an option has a value that cannot be meant.

    Examples
    --------
    >>> import bowstring as bow, pyarrow as pa
    >>> one = pa.table({"query": [0, 0], "row": [4, 7], "score": [2.0, 1.0]})
    >>> other = pa.table({"query": [0, 0], "row": [7, 9], "score": [0.9, 0.1]})
    >>> found = bow.rank.interpolate(one, other, normalise="min_max")
    >>> found["row"].to_pylist(), found["score"].to_pylist()
    ([4, 7, 9], [0.5, 0.5, 0.0])
    """
    alpha = as_float(alpha, "alpha")
    if normalise not in ("min_max", "z_score", "sum", "none"):
        raise InvalidInput(
            f'normalise is {normalise!r}: give "min_max", "z_score", "sum" or "none"'
        )
    sides = []
    for name, table in (("sparse", sparse), ("dense", dense)):
        ranking = _ranking(table, name)
        sides.append(_normalised(ranking, normalise).rename_columns(["query", "row", name]))
    both = sides[0].join(sides[1], ["query", "row"], join_type="full outer")
    for name, side in zip(("sparse", "dense"), sides, strict=True):
        least = side.group_by("query").aggregate([(name, "min")])
        both = both.join(least, "query", join_type="left outer")
        # A query that one ranking does not know at all is scored by the other alone.
        filled = _pc.fill_null(_pc.coalesce(both[name], both[f"{name}_min"]), 0.0)
        both = both.drop_columns([name, f"{name}_min"]).append_column(name, filled)
    score = _pc.add(_pc.multiply(both["sparse"], alpha), _pc.multiply(both["dense"], 1.0 - alpha))
    return _ranked(both.select(["query", "row"]).append_column("score", score), k)


def reciprocal_rank(*rankings: pa.Table, constant: float = 60.0, k: int | None = None) -> pa.Table:
    """Join rankings by the sum of `1 / (constant + rank)` (Cormack, Clarke and Büttcher 2009).

    Parameters
    ----------
    *rankings
        Tables with `query`, `row` and `score`; ranks are by score, of equal ones the first row
        first.
    constant
        How little the first ranks count beyond the others.
    k
        The most rows a query; all by default.

    Returns
    -------
    pyarrow.Table
        As `interpolate` gives.

    Examples
    --------
    >>> import bowstring as bow, pyarrow as pa
    >>> one = pa.table({"query": [0, 0], "row": [4, 7], "score": [2.0, 1.0]})
    >>> other = pa.table({"query": [0], "row": [7], "score": [0.9]})
    >>> bow.rank.reciprocal_rank(one, other)["row"].to_pylist()
    [7, 4]
    """
    constant = as_float(constant, "constant")
    if not rankings:
        raise InvalidInput("rankings is empty: give two or more tables")
    shares = []
    for at, table in enumerate(rankings):
        ranked = _ranked(_ranking(table, f"rankings[{at}]"), None)
        share = _pc.divide(1.0, _pc.add(ranked["rank"].cast(pa.float64()), constant))
        shares.append(ranked.select(["query", "row"]).append_column("score", share))
    joined = _pa.concat_tables(shares).group_by(["query", "row"]).aggregate([("score", "sum")])
    return _ranked(joined.rename_columns(["query", "row", "score"]), k)


def _ranking(table: Any, name: str) -> pa.Table:
    if not isinstance(table, pa.Table):
        if not hasattr(table, "__arrow_c_stream__"):
            raise UnsupportedType(f"{name} is a {type(table).__name__}: give a table")
        table = pa.table(table)
    if missing := {"query", "row", "score"} - set(table.column_names):
        raise InvalidInput(f"{name} has no column {sorted(missing)[0]!r}: give query, row, score")
    whole = pa.table(
        {
            "query": table["query"].cast(pa.uint64()),
            "row": table["row"].cast(pa.uint64()),
            "score": table["score"].cast(pa.float64()),
        }
    )
    if whole.num_rows != whole.group_by(["query", "row"]).aggregate([]).num_rows:
        raise InvalidInput(f"{name} has a row twice for one query: keep one score of each")
    return whole


def _normalised(table: pa.Table, how: str) -> pa.Table:
    if how == "none":
        return table
    wanted: Any = {
        "min_max": [("score", "min"), ("score", "max")],
        "z_score": [("score", "mean"), ("score", "stddev")],
        "sum": [("score", "min"), ("score", "sum"), ("score", "count")],
    }[how]
    table = table.join(table.group_by("query").aggregate(wanted), "query")
    if how == "min_max":
        base, size = table["score_min"], _pc.subtract(table["score_max"], table["score_min"])
    elif how == "z_score":
        base, size = table["score_mean"], table["score_stddev"]
    else:
        base = table["score_min"]
        size = _pc.subtract(table["score_sum"], _pc.multiply(base, table["score_count"]))
    size = _pc.if_else(_pc.equal(size, 0.0), 1.0, size)
    score = _pc.divide(_pc.subtract(table["score"], base), size)
    return table.select(["query", "row"]).append_column("score", score)


def _ranked(table: pa.Table, k: int | None) -> pa.Table:
    """Sort by query, score and row, and number each query's rows from 1 on."""
    order: Any = [("query", "ascending"), ("score", "descending"), ("row", "ascending")]
    table = table.sort_by(order).combine_chunks()
    # Where each query starts, and so how far each row is behind it.
    starts = table.group_by("query", use_threads=False).aggregate([("row", "count")])
    before = _pc.subtract(_pc.cumulative_sum(starts["row_count"]), starts["row_count"])
    first = before.take(_pc.index_in(table["query"], starts["query"]))
    place = _pa.array(range(table.num_rows), pa.int64())
    rank = _pc.add(_pc.subtract(place, first), 1).cast(pa.uint64())
    table = table.append_column("rank", rank)
    k = as_option(k, "k")
    return table if k is None else table.filter(_pc.less_equal(table["rank"], k))


def _booleans(where: Any) -> Any:
    if isinstance(where, list | tuple):
        return _pa.array(where, pa.bool_())
    if hasattr(where, "__arrow_c_stream__") or isinstance(where, pa.Array | pa.ChunkedArray):
        return where
    if hasattr(where, "dtype"):
        return _pa.array(where)
    return as_column(where, None, "where").stream
