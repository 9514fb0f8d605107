"""Ask an index from pandas: `import bowstring.pandas`, then `df["query"].bow.count(index)`.

Registers an accessor `bow` for Series and DataFrames. The Series holds queries, or row numbers for
`text`; a null query gives a null answer. An index is a `bowstring.Index` or the path of one.
Answers are Series of `ArrowDtype` with the index and the name of the Series that asked.

Examples
--------
>>> import bowstring, pandas as pd
>>> import bowstring.pandas
>>> index = bowstring.index(["banana", None, "bandana"])
>>> pd.Series(["ana", None], name="q").bow.count(index).tolist()
[3, <NA>]
"""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa

from bowstring import tokens
from bowstring.accessors import IndexLike, alignment, as_index, counts, lists, selected
from bowstring.select.compression import Compressor


@pd.api.extensions.register_series_accessor("bow")
class SeriesAccessor:
    """The verbs over a Series of queries; made by `series.bow`."""

    def __init__(self, series: pd.Series) -> None:
        self._series = series

    def _answered(self, answer: pa.Array[Any]) -> pd.Series:
        return pd.Series(
            answer,
            index=self._series.index,
            name=self._series.name,
            dtype=pd.ArrowDtype(answer.type),
        )

    def _lists(self, verb: str, index: IndexLike, **options: Any) -> pd.Series:
        return self._answered(lists(verb, index, self._series, **options))

    def count(self, index: IndexLike, *, threads: int | None = None) -> pd.Series:
        """Count the occurrences of each query; see `bowstring.Index.count`.

        Returns
        -------
        Series of uint64

        Examples
        --------
        >>> import bowstring, pandas as pd
        >>> pd.Series(["an", "x"]).bow.count(bowstring.index(["banana"])).tolist()
        [2, 0]
        """
        return self._answered(counts(index, self._series, threads))

    def rows(
        self, index: IndexLike, *, limit: int | None = None, threads: int | None = None
    ) -> pd.Series:
        """List the rows that hold each query; see `bowstring.Index.rows`.

        Returns
        -------
        Series of lists of {row, count}

        Examples
        --------
        >>> import bowstring, pandas as pd
        >>> pd.Series(["an"]).bow.rows(bowstring.index(["banana"]))[0]
        [{'row': 0, 'count': 2}]
        """
        return self._lists("rows", index, limit=limit, threads=threads)

    def locate(
        self,
        index: IndexLike,
        *,
        limit: int | None = None,
        seed: int | None = None,
        threads: int | None = None,
    ) -> pd.Series:
        """Say where each query occurs; see `bowstring.Index.locate`.

        Returns
        -------
        Series of lists of {row, start, stop}

        Examples
        --------
        >>> import bowstring, pandas as pd
        >>> pd.Series(["an"]).bow.locate(bowstring.index(["banana"]), limit=1)[0]
        [{'row': 0, 'start': 1, 'stop': 3}]
        """
        return self._lists("locate", index, limit=limit, seed=seed, threads=threads)

    def context(
        self,
        index: IndexLike,
        *,
        width: int = 40,
        limit: int | None = None,
        seed: int | None = None,
        threads: int | None = None,
    ) -> pd.Series:
        """Show what stands around each occurrence; see `bowstring.Index.context`.

        Returns
        -------
        Series of lists of {row, start, left, match, right}

        Examples
        --------
        >>> import bowstring, pandas as pd
        >>> index = bowstring.index(["the quick brown fox"])
        >>> pd.Series(["brown"]).bow.context(index, width=2)[0]
        [{'row': 0, 'start': 10, 'left': 'k ', 'match': 'brown', 'right': ' f'}]
        """
        options = {"width": width, "limit": limit, "seed": seed, "threads": threads}
        return self._lists("context", index, **options)

    def search(
        self,
        index: IndexLike,
        *,
        within: int | None = None,
        limit: int | None = None,
        threads: int | None = None,
    ) -> pd.Series:
        """Find the rows that each search string combines; see `bowstring.Index.search`.

        Returns
        -------
        Series of lists of {row, start, stop}

        Examples
        --------
        >>> import bowstring, pandas as pd
        >>> index = bowstring.index(["red apple", "green apple"])
        >>> pd.Series(["red AND apple"]).bow.search(index)[0]
        [{'row': 0, 'start': 0, 'stop': 9}]
        """
        return self._lists("search", index, within=within, limit=limit, threads=threads)

    def text(self, index: IndexLike, *, threads: int | None = None) -> pd.Series:
        """Give back the rows with these numbers; see `bowstring.Index.text`.

        Returns
        -------
        Series of strings, bytes or lists of integers, as the index

        Examples
        --------
        >>> import bowstring, pandas as pd
        >>> pd.Series([1, 0]).bow.text(bowstring.index(["a", "b"])).tolist()
        ['b', 'a']
        """
        return self._answered(as_index(index).text(self._series, threads=threads))

    def alignment(
        self,
        target: Any,
        *,
        concatenate: bool = False,
        compressor: Compressor = "gzip",
        level: int | None = None,
        threads: int | None = None,
    ) -> pd.Series:
        """Score each text by how well it compresses with a target; see `bowstring.select.align`.

        Returns
        -------
        Series of double

        Examples
        --------
        >>> import bowstring.pandas, pandas as pd
        >>> texts = pd.Series(["to be or not to be", "lorem ipsum"])
        >>> texts.bow.alignment(["not to be or to be"]).round(2).tolist()
        [0.77, 0.61]
        """
        options: dict[str, Any] = {
            "concatenate": concatenate,
            "compressor": compressor,
            "level": level,
            "threads": threads,
        }
        return self._answered(alignment(self._series, target, options))

    def stochastic_split(
        self,
        vocabulary: Any,
        proportion: float = 0.1,
        seed: int = 0,
        *,
        max_splits: int | None = None,
        threads: int | None = None,
    ) -> pd.Series:
        """Split tokens at random into pairs; see `bowstring.tokens.stochastic_split`.

        Returns
        -------
        Series of lists of whole numbers

        Examples
        --------
        >>> import bowstring.pandas, pandas as pd
        >>> split = pd.Series([[2, 2]]).bow.stochastic_split([b"a", b"b", b"ab"], 9.0)
        >>> split[0]
        [0, 1, 0, 1]
        """
        found: pd.Series = tokens.stochastic_split(
            self._series, vocabulary, proportion, seed, max_splits=max_splits, threads=threads
        )
        return found

    def merge_tokens(self, vocabulary: Any, *, threads: int | None = None) -> pd.Series:
        """Put the bytes of each row's tokens end to end; see `bowstring.tokens.merge`.

        Returns
        -------
        Series of bytes

        Examples
        --------
        >>> import bowstring.pandas, pandas as pd
        >>> pd.Series([[0, 1], [1]]).bow.merge_tokens([b"a", b"b"]).tolist()
        [b'ab', b'b']
        """
        found: pd.Series = tokens.merge(self._series, vocabulary, threads=threads)
        return found


@pd.api.extensions.register_dataframe_accessor("bow")
class DataFrameAccessor:
    """Selections of a DataFrame's rows; made by `frame.bow`."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame

    def select(self, function: str, *asked: Any, **options: Any) -> pd.DataFrame:
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
        pandas.DataFrame
            The rows, with their index, and `score` or `gain`, and `rank`.

        Examples
        --------
        >>> import pandas as pd
        >>> import bowstring.pandas
        >>> frame = pd.DataFrame({"text": ["a red apple", "the sky", "red apple pie"]})
        >>> chosen = frame.bow.select("cover", ["red apple pie"], k=1, column="text")
        >>> chosen["text"].tolist(), chosen["rank"].tolist()
        (['red apple pie'], [1])
        """
        found = selected(self._frame, function, asked, options)
        said = {name: found[name].to_numpy() for name in found.columns[1:]}
        rows: pd.DataFrame = self._frame.iloc[found["row"].to_numpy()]
        return rows.assign(**said)
