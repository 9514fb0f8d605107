"""Ask an index from polars: `import bowstring.polars`, then `pl.col("query").bow.count(index)`.

Registers a namespace `bow` for expressions and for Series. The column holds queries, or row
numbers for `text`; a null query gives a null answer. An index is a `bowstring.Index` or the
path of one, which is opened once, where the expression is written. Expressions are elementwise:
filters move below them, and the streaming engine runs them batch by batch; but for
`stochastic_split`, whose draws depend on the numbers of rows.

Examples
--------
>>> import bowstring, polars as pl
>>> import bowstring.polars
>>> index = bowstring.index(["banana", None, "bandana"])
>>> pl.LazyFrame({"q": ["ana", None]}).select(pl.col("q").bow.count(index)).collect()["q"].to_list()
[3, None]
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Literal, TypeVar

import polars as pl

from bowstring import link, tokens
from bowstring.accessors import IndexLike, alignment, as_index, counts, lists, selected
from bowstring.columns import as_array
from bowstring.counts import row_ngrams
from bowstring.cutting import TOKEN_PATTERN
from bowstring.errors import UnsupportedType
from bowstring.frames import as_table
from bowstring.index import Index
from bowstring.select.compression import Compressor

T = TypeVar("T", pl.Expr, pl.Series)

_TEXT: dict[str, Any] = {
    "string": pl.String(),
    "binary": pl.Binary(),
    "tokens": pl.List(pl.UInt32),
}


def _structs(**fields: Any) -> pl.DataType:
    return pl.List(pl.Struct(fields))


class _Questions(Generic[T]):
    """The verbs, over whatever `_map` applies an answer to."""

    def _map(
        self,
        answer: Callable[[pl.Series], Any],
        dtype: pl.DataType | None,
        *,
        elementwise: bool = True,
    ) -> T:
        """Apply an answer of a dtype, or of the dtype of what was asked."""
        raise NotImplementedError

    def _lists(self, verb: str, index: Index, dtype: pl.DataType, **options: Any) -> T:
        return self._map(lambda queries: lists(verb, index, queries, **options), dtype)

    def count(self, index: IndexLike, *, threads: int | None = None) -> T:
        """Count the occurrences of each query; see `bowstring.Index.count`.

        Returns
        -------
        UInt64

        Examples
        --------
        >>> import bowstring, polars as pl
        >>> pl.Series(["an", "x"]).bow.count(bowstring.index(["banana"])).to_list()
        [2, 0]
        """
        opened = as_index(index)
        return self._map(lambda queries: counts(opened, queries, threads), pl.UInt64())

    def rows(self, index: IndexLike, *, limit: int | None = None, threads: int | None = None) -> T:
        """List the rows that hold each query; see `bowstring.Index.rows`.

        Returns
        -------
        List(Struct({"row": UInt64, "count": UInt64}))

        Examples
        --------
        >>> import bowstring, polars as pl
        >>> pl.Series(["an"]).bow.rows(bowstring.index(["banana"])).to_list()
        [[{'row': 0, 'count': 2}]]
        """
        dtype = _structs(row=pl.UInt64, count=pl.UInt64)
        return self._lists("rows", as_index(index), dtype, limit=limit, threads=threads)

    def locate(
        self,
        index: IndexLike,
        *,
        limit: int | None = None,
        seed: int | None = None,
        threads: int | None = None,
    ) -> T:
        """Say where each query occurs; see `bowstring.Index.locate`.

        Returns
        -------
        List(Struct({"row": UInt64, "start": UInt64, "stop": UInt64}))

        Examples
        --------
        >>> import bowstring, polars as pl
        >>> pl.Series(["an"]).bow.locate(bowstring.index(["banana"]), limit=1).to_list()
        [[{'row': 0, 'start': 1, 'stop': 3}]]
        """
        dtype = _structs(row=pl.UInt64, start=pl.UInt64, stop=pl.UInt64)
        options = {"limit": limit, "seed": seed, "threads": threads}
        return self._lists("locate", as_index(index), dtype, **options)

    def context(
        self,
        index: IndexLike,
        *,
        width: int = 40,
        limit: int | None = None,
        seed: int | None = None,
        threads: int | None = None,
    ) -> T:
        """Show what stands around each occurrence; see `bowstring.Index.context`.

        Returns
        -------
        List(Struct({"row": UInt64, "start": UInt64, "left", "match", "right"}))
            The last three String, Binary or List(UInt32), as the index.

        Examples
        --------
        >>> import bowstring, polars as pl
        >>> index = bowstring.index(["the quick brown fox"])
        >>> pl.Series(["brown"]).bow.context(index, width=2).to_list()
        [[{'row': 0, 'start': 10, 'left': 'k ', 'match': 'brown', 'right': ' f'}]]
        """
        opened = as_index(index)
        text = _TEXT[opened.info.column]
        dtype = _structs(row=pl.UInt64, start=pl.UInt64, left=text, match=text, right=text)
        options = {"width": width, "limit": limit, "seed": seed, "threads": threads}
        return self._lists("context", opened, dtype, **options)

    def search(
        self,
        index: IndexLike,
        *,
        within: int | None = None,
        limit: int | None = None,
        threads: int | None = None,
    ) -> T:
        """Find the rows that each search string combines; see `bowstring.Index.search`.

        Returns
        -------
        List(Struct({"row": UInt64, "start": UInt64, "stop": UInt64}))

        Examples
        --------
        >>> import bowstring, polars as pl
        >>> index = bowstring.index(["red apple", "green apple"])
        >>> pl.Series(["red AND apple"]).bow.search(index).to_list()
        [[{'row': 0, 'start': 0, 'stop': 9}]]
        """
        dtype = _structs(row=pl.UInt64, start=pl.UInt64, stop=pl.UInt64)
        options = {"within": within, "limit": limit, "threads": threads}
        return self._lists("search", as_index(index), dtype, **options)

    def text(self, index: IndexLike, *, threads: int | None = None) -> T:
        """Give back the rows with these numbers; see `bowstring.Index.text`.

        Returns
        -------
        String, Binary or List(UInt32), as the index

        Examples
        --------
        >>> import bowstring, polars as pl
        >>> pl.Series([1, None]).bow.text(bowstring.index(["a", "b"])).to_list()
        ['b', None]
        """
        opened = as_index(index)
        return self._map(lambda rows: opened.text(rows, threads=threads), _TEXT[opened.info.column])

    def ngrams(
        self,
        n: int = 1,
        *,
        analyzer: Literal["word", "char", "char_wb", "whitespace", "token"] = "word",
        ngram_range: tuple[int, int] | None = None,
        lowercase: bool = True,
        token_pattern: str = TOKEN_PATTERN,
        stop_words: Any = None,
        threads: int | None = None,
    ) -> T:
        """Count the n-grams of each row; see `bowstring.counts.NGramCounter` for the options.

        Returns
        -------
        List(Struct({"term": String, "count": UInt64}))
            In the order of terms. `ngram_range` counts several orders, in place of `n`.

        Examples
        --------
        >>> import bowstring.polars, polars as pl
        >>> pl.Series(["to be to be"]).bow.ngrams(2).to_list()
        [[{'term': 'be to', 'count': 1}, {'term': 'to be', 'count': 2}]]
        """
        options: dict[str, Any] = {
            "analyzer": analyzer,
            "ngram_range": (n, n) if ngram_range is None else ngram_range,
            "lowercase": lowercase,
            "token_pattern": token_pattern,
            "stop_words": stop_words,
            "threads": threads,
        }
        dtype = _structs(term=pl.String, count=pl.UInt64)
        return self._map(lambda rows: row_ngrams(as_array(rows, "rows"), **options), dtype)

    def alignment(
        self,
        target: Any,
        *,
        concatenate: bool = False,
        compressor: Compressor = "gzip",
        level: int | None = None,
        threads: int | None = None,
    ) -> T:
        """Score each text by how well it compresses with a target; see `bowstring.select.align`.

        Returns
        -------
        Float64

        Examples
        --------
        >>> import bowstring.polars, polars as pl
        >>> texts = pl.Series(["to be or not to be", "lorem ipsum", None])
        >>> texts.bow.alignment(["not to be or to be"]).round(2).to_list()
        [0.77, 0.61, None]
        """
        options: dict[str, Any] = {
            "concatenate": concatenate,
            "compressor": compressor,
            "level": level,
            "threads": threads,
        }
        rows: Any = as_array(target, "target")
        return self._map(lambda texts: alignment(texts, rows, options), pl.Float64())

    def stochastic_split(
        self,
        vocabulary: Any,
        proportion: float = 0.1,
        seed: int = 0,
        *,
        max_splits: int | None = None,
        threads: int | None = None,
    ) -> T:
        """Split tokens at random into pairs; see `bowstring.tokens.stochastic_split`.

        Rows are numbered as they stand in the column, so that this is not elementwise.

        Returns
        -------
        List of whole numbers, as the column

        Examples
        --------
        >>> import bowstring.polars, polars as pl
        >>> pl.Series([[2, 2]]).bow.stochastic_split([b"a", b"b", b"ab"], 9.0).to_list()
        [[0, 1, 0, 1]]
        """
        known = tokens.Vocabulary.of(vocabulary)

        def split(rows: pl.Series) -> Any:
            if isinstance(rows.dtype, pl.Array):
                raise UnsupportedType(
                    f"tokens is a column of {rows.dtype}, and rows become longer: cast it to List"
                )
            return tokens.stochastic_split(
                rows, known, proportion, seed, max_splits=max_splits, threads=threads
            )

        return self._map(split, None, elementwise=False)

    def merge_tokens(self, vocabulary: Any, *, threads: int | None = None) -> T:
        """Put the bytes of each row's tokens end to end; see `bowstring.tokens.merge`.

        Returns
        -------
        Binary

        Examples
        --------
        >>> import bowstring.polars, polars as pl
        >>> pl.Series([[0, 1], None]).bow.merge_tokens([b"a", b"b"]).to_list()
        [b'ab', None]
        """
        known = tokens.Vocabulary.of(vocabulary)
        return self._map(lambda rows: tokens.merge(rows, known, threads=threads), pl.Binary())


def _answered(
    queries: pl.Series, answer: Callable[[pl.Series], Any], dtype: pl.DataType | None
) -> pl.Series:
    dtype = queries.dtype if dtype is None else dtype
    if queries.dtype == pl.Null:
        return pl.Series(queries.name, [None] * len(queries), dtype)
    return pl.Series(queries.name, answer(queries)).cast(dtype)


@pl.api.register_expr_namespace("bow")
class ExprNamespace(_Questions[pl.Expr]):
    """The verbs over an expression of queries; made by `pl.col(...).bow`."""

    def __init__(self, expr: pl.Expr) -> None:
        self._expr = expr

    def _map(
        self,
        answer: Callable[[pl.Series], Any],
        dtype: pl.DataType | None,
        *,
        elementwise: bool = True,
    ) -> pl.Expr:
        return self._expr.map_batches(
            lambda queries: _answered(queries, answer, dtype),
            return_dtype=pl.self_dtype() if dtype is None else dtype,
            is_elementwise=elementwise,
        )


@pl.api.register_series_namespace("bow")
class SeriesNamespace(_Questions[pl.Series]):
    """The verbs over a Series of queries; made by `series.bow`."""

    def __init__(self, series: pl.Series) -> None:
        self._series = series

    def _map(
        self,
        answer: Callable[[pl.Series], Any],
        dtype: pl.DataType | None,
        *,
        elementwise: bool = True,
    ) -> pl.Series:
        return _answered(self._series, answer, dtype)


@pl.api.register_dataframe_namespace("bow")
class DataFrameNamespace:
    """Links of a DataFrame, and selections of its rows; made by `frame.bow`."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame

    def join_names(self, other: Any, on: Any = None, **options: Any) -> pl.DataFrame:
        """Join with another table on names that mean the same; see `bowstring.link.join`.

        Parameters
        ----------
        other
            The table on the right, of any library.
        on
            The columns to compare.
        **options
            Those of `bowstring.link.join`.

        Returns
        -------
        polars.DataFrame

        Examples
        --------
        >>> import polars as pl
        >>> import bowstring.polars
        >>> left = pl.DataFrame({"name": ["Crédit Agricole", "Acme"]})
        >>> right = pl.DataFrame({"name": ["credit agricole"], "id": [7]})
        >>> left.bow.join_names(right, on="name", threshold=0.9)["id"].to_list()
        [7]
        """
        joined: pl.DataFrame = link.join(self._frame, other, on, **options)
        return joined

    def deduplicate_names(self, on: Any = None, **options: Any) -> pl.DataFrame:
        """Find rows of the same name; see `bowstring.link.deduplicate_names`.

        Parameters
        ----------
        on
            The columns to compare.
        **options
            Those of `bowstring.link.deduplicate_names`.

        Returns
        -------
        polars.DataFrame
            The frame, and `cluster: UInt64` and `representative: UInt64`.

        Examples
        --------
        >>> import polars as pl
        >>> import bowstring.polars
        >>> frame = pl.DataFrame({"name": ["Intel", "INTEL", "Acme"]})
        >>> frame.bow.deduplicate_names("name", threshold=0.9)["cluster"].to_list()
        [0, 0, 1]
        """
        found = pl.DataFrame(link.deduplicate_names(self._frame, on, **options))
        return self._frame.with_columns(found["cluster"], found["representative"])

    def select(self, function: str, *asked: Any, **options: Any) -> pl.DataFrame:
        """Take the rows that a function of `bowstring.select` chooses, in its order.

        Parameters
        ----------
        function
            `"align"`, `"resample"` or `"cover"`; `"facility_location"`, `"graph_cut"`,
            `"feature_based"`, `"max_coverage"` or `"k_medoids"`.
        *asked, **options
            What the function takes after the candidates or the data.

        Returns
        -------
        polars.DataFrame
            The rows, and `score` or `gain`, and `rank`.

        Examples
        --------
        >>> import polars as pl
        >>> import bowstring.polars
        >>> frame = pl.DataFrame({"text": ["a red apple", "the sky", "red apple pie"]})
        >>> chosen = frame.bow.select("cover", ["red apple pie"], k=1, column="text")
        >>> chosen["text"].to_list(), chosen["rank"].to_list()
        (['red apple pie'], [1])
        """
        found = selected(self._frame, function, asked, options)
        rows: pl.DataFrame = self._frame[found["row"]]
        return rows.with_columns(found.drop("row"))


@pl.api.register_lazyframe_namespace("bow")
class LazyFrameNamespace:
    """Links of a LazyFrame, found when it is collected; made by `frame.bow`."""

    def __init__(self, frame: pl.LazyFrame) -> None:
        self._frame = frame

    def _map(
        self,
        answer: Callable[[pl.DataFrame], pl.DataFrame],
        of_none: Callable[[pl.DataFrame], pl.DataFrame],
    ) -> pl.LazyFrame:
        # Which rows and columns are asked for later must not change what is compared.
        return self._frame.map_batches(
            answer,
            predicate_pushdown=False,
            projection_pushdown=False,
            slice_pushdown=False,
            schema=of_none(self._frame.collect_schema().to_frame()).schema,
        )

    def join_names(self, other: Any, on: Any = None, **options: Any) -> pl.LazyFrame:
        """Join with another table on names that mean the same; see `bowstring.link.join`.

        What is asked wrongly is said at once, and what the rows cannot be asked when they are.

        Parameters
        ----------
        other
            The table on the right, of any library; a LazyFrame is collected when this one is.
        on
            The columns to compare.
        **options
            Those of `bowstring.link.join`.

        Returns
        -------
        polars.LazyFrame

        Examples
        --------
        >>> import polars as pl
        >>> import bowstring.polars
        >>> left = pl.LazyFrame({"name": ["Crédit Agricole", "Acme"]})
        >>> right = pl.LazyFrame({"name": ["credit agricole"], "id": [7]})
        >>> joined = left.bow.join_names(right, on="name", threshold=0.9)
        >>> joined.select("id").collect()["id"].to_list()
        [7]
        """
        if isinstance(other, pl.LazyFrame):
            empty: Any = other.collect_schema().to_frame()
        else:
            empty = as_table(other, "right").slice(0, 0)

        def joined(frame: pl.DataFrame, right: Any) -> pl.DataFrame:
            found: pl.DataFrame = link.join(frame, right, on, **options)
            return found

        return self._map(lambda frame: joined(frame, other), lambda frame: joined(frame, empty))

    def deduplicate_names(self, on: Any = None, **options: Any) -> pl.LazyFrame:
        """Find rows of the same name; see `bowstring.link.deduplicate_names`.

        Parameters
        ----------
        on
            The columns to compare.
        **options
            Those of `bowstring.link.deduplicate_names`.

        Returns
        -------
        polars.LazyFrame
            The frame, and `cluster: UInt64` and `representative: UInt64`.

        Examples
        --------
        >>> import polars as pl
        >>> import bowstring.polars
        >>> frame = pl.LazyFrame({"name": ["Intel", "INTEL", "Acme"]})
        >>> found = frame.bow.deduplicate_names("name", threshold=0.9)
        >>> found.collect()["cluster"].to_list()
        [0, 0, 1]
        """

        def found(frame: pl.DataFrame) -> pl.DataFrame:
            return DataFrameNamespace(frame).deduplicate_names(on, **options)

        return self._map(found, found)
