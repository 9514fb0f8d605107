r"""Sparse counts of a column: n-grams in rows, in the conventions of scikit-learn and of Arrow.

`NGramCounter` gives what `sklearn.feature_extraction.text.CountVectorizer` does, to the bit, in a
fraction of its time and memory, from any Arrow column, on all cores, and in batches.
"""

from __future__ import annotations

import heapq
import math
import shutil
import tempfile
import warnings
import weakref
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from bowstring import _core
from bowstring.columns import TEXT, ColumnStream, Source, as_option, parse_bytes
from bowstring.cutting import (
    TOKEN_PATTERN,
    Analyzer,
    Cutting,
    is_arrow,
    long_table,
    need,
    scipy_csr,
)
from bowstring.errors import InvalidInput, UnsupportedType
from bowstring.index import Index
from bowstring.kneser_ney import KneserNey
from bowstring.report import progress_callback

__all__ = ["HashedCounter", "KneserNey", "NGramCounter", "TfIdf", "top_ngrams"]

Progress: TypeAlias = Any

_pa: Any = pa
_pc: Any = pc


class Estimator:
    """The protocol of scikit-learn's estimators, without scikit-learn."""

    _parameters: tuple[str, ...] = ()

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Give the options by name.

        Examples
        --------
        >>> import bowstring as bow
        >>> bow.counts.NGramCounter(min_df=2).get_params()["min_df"]
        2
        """
        return {name: getattr(self, name) for name in self._parameters}

    def set_params(self, **params: Any) -> Any:
        """Set options by name.

        Raises
        ------
        InvalidInput
            If there is no such option.

        Examples
        --------
        >>> import bowstring as bow
        >>> bow.counts.NGramCounter().set_params(binary=True).binary
        True
        """
        for name, value in params.items():
            if name not in self._parameters:
                raise InvalidInput(f"there is no option {name!r}: {', '.join(self._parameters)}")
            setattr(self, name, value)
        return self

    def set_output(self, *, transform: str | None = None) -> Any:
        """Choose what `transform` gives: `"default"`, `"arrow"`, `"pandas"` or `"polars"`.

        `"default"` is a SciPy CSR matrix; `"pandas"` a frame of sparse columns; `"arrow"` and
        `"polars"` a long table of `row, term, count`.

        Examples
        --------
        >>> import bowstring as bow
        >>> counter = bow.counts.NGramCounter().set_output(transform="arrow")
        >>> counter.fit_transform(["be or not to be"]).to_pylist()[0]
        {'row': 0, 'term': 'be', 'count': 2}
        """
        if transform not in (None, "default", "arrow", "pandas", "polars"):
            raise InvalidInput(
                f'transform is {transform!r}: give "default", "arrow", "pandas" or "polars"'
            )
        if transform is not None:
            self._output = transform
        return self

    def __sklearn_tags__(self) -> Any:
        tags = need("sklearn.utils", "sklearn")
        return tags.Tags(
            estimator_type=None,
            target_tags=tags.TargetTags(required=False),
            transformer_tags=tags.TransformerTags(),
            input_tags=tags.InputTags(string=True, two_d_array=False),
        )

    def __repr__(self) -> str:
        said = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._parameters)
        return f"{type(self).__name__}({said})"

    _output = "default"


class NGramCounter(Estimator):
    r"""Count the n-grams of each row: a matrix of rows by terms, terms in the order of code points.

    What scikit-learn's `CountVectorizer` gives for the same options, equal in every number.

    Parameters
    ----------
    analyzer
        What an n-gram is made of: `"word"` (what `token_pattern` matches), `"char"` (characters,
        runs of white space as one blank), `"char_wb"` (characters within words, a blank on both
        sides), `"whitespace"` (what white space separates), or `"token"` (rows of token numbers).
    ngram_range
        The fewest and the most of them in an n-gram, each from 1 to 255.
    lowercase
        Whether to lower text first, as `str.lower` does.
    token_pattern
        What a word is, for `re.findall`. The default, `\w+`, `\S+`, `\w+|[^\w\s]+` and
        `\w+|[^\w\s]` run in the core with the `\w` and `\s` of the running Python; other patterns
        run in Python's `re`, several times slower.
    stop_words
        Words to leave out before n-grams are made: a list of them, or `"english"`.
    vocabulary
        The terms to count: a list of them in the order of the columns, or a mapping to columns.
    min_df, max_df
        Leave out terms that fewer or more rows have: a number of rows, or as a float a share.
    max_features
        Keep the most frequent terms only. Which of equally frequent ones stay is decided as in
        scikit-learn, by NumPy's `argsort`.
    binary
        Whether to say 1 for every count.
    dtype
        NumPy's type of the counts; int64 by default.
    memory
        Bytes, or text such as `"1GB"`, that counting may take: rows are then counted batch by
        batch, and n-grams of earlier batches wait on disk, sorted, to be merged. What `min_df` and
        `max_df` leave out is never in memory all at once.
    threads
        Threads to use; all by default.

    Attributes
    ----------
    vocabulary_ : dict[str, int]
        Each term's column; made when it is asked for.

    Notes
    -----
    One pass cuts rows into tokens and numbers them, one sort of windows numbers the n-grams; no
    table of n-grams is kept. O(tokens · n) time, 4 (n + 2) bytes a token beside the result. A null
    row counts nothing.

    Examples
    --------
    >>> import bowstring as bow
    >>> counter = bow.counts.NGramCounter()
    >>> counter.fit_transform(["to be or not to be", None]).toarray().tolist()
    [[2, 1, 1, 2], [0, 0, 0, 0]]
    >>> counter.get_feature_names_out().tolist()
    ['be', 'not', 'or', 'to']
    """

    _parameters: tuple[str, ...] = (
        "analyzer",
        "binary",
        "dtype",
        "lowercase",
        "max_df",
        "max_features",
        "memory",
        "min_df",
        "ngram_range",
        "stop_words",
        "threads",
        "token_pattern",
        "vocabulary",
    )

    def __init__(
        self,
        *,
        analyzer: Analyzer = "word",
        ngram_range: tuple[int, int] = (1, 1),
        lowercase: bool = True,
        token_pattern: str = TOKEN_PATTERN,
        stop_words: Any = None,
        vocabulary: Any = None,
        min_df: float = 1,
        max_df: float = 1.0,
        max_features: int | None = None,
        binary: bool = False,
        dtype: Any = None,
        memory: int | str | None = None,
        threads: int | None = None,
    ) -> None:
        self.memory = memory
        self.analyzer = analyzer
        self.ngram_range = ngram_range
        self.lowercase = lowercase
        self.token_pattern = token_pattern
        self.stop_words = stop_words
        self.vocabulary = vocabulary
        self.min_df = min_df
        self.max_df = max_df
        self.max_features = max_features
        self.binary = binary
        self.dtype = dtype
        self.threads = threads

    def fit(
        self, data: Any, y: Any = None, *, column: str | None = None, progress: Progress = None
    ) -> NGramCounter:
        """Learn the terms of a column.

        Parameters
        ----------
        data
            A column of text (or of tokens): an array, a Series, a list, a frame and `column`, or
            the path of a file.
        y
            Ignored, as scikit-learn's pipelines give it.
        column
            The name of the column, where `data` has several.
        progress
            True for a bar, or a callable that takes the phase, the rows done and their total.

        Raises
        ------
        InvalidInput
            If an option has a value that cannot be meant, or no term is left.
        UnsupportedType
            If `data` holds no column of text.

        Examples
        --------
        >>> import bowstring as bow
        >>> bow.counts.NGramCounter().fit(["a rose is a rose"]).vocabulary_
        {'is': 0, 'rose': 1}
        """
        if self.vocabulary is not None:
            self._fix_vocabulary(self._cutting())
            return self
        if self.memory is not None:
            self._forget()
            cutting = self._cutting()
            for batch in self._batches(data, column):
                self._add(cutting, batch, progress)
            self._learned()
            return self
        self._count(data, column, progress, matrix=False)
        return self

    def partial_fit(
        self, data: Any, y: Any = None, *, column: str | None = None, progress: Progress = None
    ) -> NGramCounter:
        """Count the terms of more rows: `min_df` and the other limits apply to all rows together.

        Parameters and errors are those of `fit`; that data has no terms is no error before
        they are asked for.

        Examples
        --------
        >>> import bowstring as bow
        >>> counter = bow.counts.NGramCounter(min_df=2)
        >>> counter.partial_fit(["to be"]).partial_fit(["be not"]).vocabulary_
        {'be': 0}
        """
        if self.vocabulary is not None:
            raise InvalidInput("vocabulary is given: there is nothing to learn from more rows")
        cutting = self._cutting()
        if not self._runs:
            self._forget()
        self._fitted = None
        for batch in [data] if self.memory is None else self._batches(data, column):
            self._add(cutting, batch, progress, column if batch is data else None)
        return self

    def merge(self, other: NGramCounter) -> NGramCounter:
        """Add what another counter counted by `partial_fit`, with the same options.

        Raises
        ------
        InvalidInput
            If either has counted nothing by `partial_fit`, or their options differ.

        Examples
        --------
        >>> import bowstring as bow
        >>> one = bow.counts.NGramCounter().partial_fit(["to be"])
        >>> other = bow.counts.NGramCounter().partial_fit(["to do"])
        >>> one.merge(other).vocabulary_
        {'be': 0, 'do': 1, 'to': 2}
        """
        names = ("analyzer", "ngram_range", "lowercase", "token_pattern", "stop_words")
        for name in names:
            if getattr(self, name) != getattr(other, name):
                raise InvalidInput(
                    f"{name} is {getattr(self, name)!r} here and {getattr(other, name)!r} in other"
                )
        if not self._runs or not other._runs:
            raise InvalidInput("there is nothing to merge: call partial_fit on both first")
        self._runs = [*self._runs, *other._runs]
        self._shares = [*self._shares, *other._shares]
        self._fitted = None
        return self

    def fit_transform(
        self, data: Any, y: Any = None, *, column: str | None = None, progress: Progress = None
    ) -> Any:
        """Learn the terms of a column, and count them in its rows.

        Parameters and errors are those of `fit`, what it gives is what `transform` does.

        Examples
        --------
        >>> import bowstring as bow
        >>> counter = bow.counts.NGramCounter(analyzer="char", ngram_range=(2, 2))
        >>> counter.fit_transform(["banana"]).toarray().tolist()
        [[2, 1, 2]]
        """
        if self.vocabulary is not None:
            self._fix_vocabulary(self._cutting())
            return self.transform(data, column=column, progress=progress)
        if self.memory is not None:
            if isinstance(data, Iterator) or hasattr(data, "read_next_batch"):
                raise InvalidInput(
                    "data can be read once only, and memory needs it twice: give an array, a "
                    "frame or a file, or call fit and then transform"
                )
            self.fit(data, column=column, progress=progress)
            return self._in_batches(data, column, progress)
        return self._given(self._count(data, column, progress, matrix=True))

    def transform(self, data: Any, *, column: str | None = None, progress: Progress = None) -> Any:
        """Count the terms that were learned in the rows of a column.

        Returns
        -------
        scipy.sparse.csr_matrix
            Rows by terms, int64, columns ascending in each row; indices of 32 bits where they
            fit, else 64. Or what `set_output` chose.

        Raises
        ------
        InvalidInput
            If nothing was learned.

        Examples
        --------
        >>> import bowstring as bow
        >>> bow.counts.NGramCounter().fit(["to be"]).transform(["be be not"]).toarray().tolist()
        [[2, 0]]
        """
        cutting = self._cutting()
        if self.vocabulary is not None:
            self._fix_vocabulary(cutting)
        core = self._known()
        source = cutting.source(data, column)
        with progress_callback(progress, source) as report:
            found = core.count(
                source.stream, *cutting.core()[1:], bool(self.binary), self._threads(), report
            )
        return self._given((found, self._width))

    def frequencies(
        self, data: Any, *, column: str | None = None, progress: Progress = None
    ) -> pa.Table:
        """Count every term of a column and the rows that have it, without a matrix.

        Returns
        -------
        pyarrow.Table
            `term: large_string, count: uint64, rows: uint64`, in the order of terms. `min_df`,
            `max_df` and `max_features` apply.

        Examples
        --------
        >>> import bowstring as bow
        >>> bow.counts.NGramCounter().frequencies(["to be or not to be", "be"]).to_pylist()[0]
        {'term': 'be', 'count': 3, 'rows': 2}
        """
        self._count(data, column, progress, matrix=False, frequencies=True)
        table: pa.Table = self.__dict__.pop("_frequencies")
        return table

    def get_feature_names_out(self, input_features: Any = None) -> Any:
        """Give the terms in the order of the columns, as a NumPy array of strings.

        Examples
        --------
        >>> import bowstring as bow
        >>> bow.counts.NGramCounter().fit(["to be"]).get_feature_names_out().tolist()
        ['be', 'to']
        """
        numpy = need("numpy", "sklearn")
        return numpy.asarray(self.terms().to_numpy(zero_copy_only=False), dtype=object)

    def terms(self) -> Any:
        """Give the terms in the order of the columns, as an Arrow array.

        Examples
        --------
        >>> import bowstring as bow
        >>> bow.counts.NGramCounter().fit(["to be"]).terms().to_pylist()
        ['be', 'to']
        """
        if self.vocabulary is not None:
            return _pa.array(_given_terms(self.vocabulary), TEXT)
        return _pa.array(self._known().names())

    @property
    def vocabulary_(self) -> dict[str, int]:
        """Each term's column."""
        return {term: at for at, term in enumerate(self.terms().to_pylist())}

    def __getstate__(self) -> dict[str, Any]:
        state = dict(vars(self))
        for name in ("_fitted", "_runs", "_shares", "_spilled"):
            state.pop(name, None)
        # Terms, not what they were counted from: more rows cannot be added to a copy.
        if self.vocabulary is None and (self._fitted is not None or self._runs):
            state["_parts"] = tuple(_pa.array(part) for part in self._known().parts())
            state["_width"] = self._width
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        parts = state.pop("_parts", None)
        vars(self).update(state)
        if parts is not None:
            cutting = self._cutting()
            words, symbols, lengths = parts
            self._fitted = _core.Vocabulary.of_parts(
                words, symbols, lengths, cutting.kernel, *cutting.orders
            )

    def _cutting(self) -> Cutting:
        return Cutting(
            self.analyzer, self.ngram_range, self.lowercase, self.token_pattern, self.stop_words
        )

    def _threads(self) -> int | None:
        return as_option(self.threads, "threads")

    # What `partial_fit` has counted: sorted runs, and the folders that hold those on disk.
    _runs: tuple[_core.Run, ...] | list[_core.Run] = ()
    _shares: tuple[Any, ...] | list[Any] = ()
    _fitted: _core.Vocabulary | None = None

    def _forget(self) -> None:
        self._runs, self._shares, self._fitted = [], [], None

    def _orders(self, cutting: Cutting) -> tuple[int, int, bool]:
        return (*cutting.orders, cutting.kernel == "char_wb")

    def _batches(self, data: Any, column: str | None) -> Iterator[Any]:
        """Cut the column into batches whose counting takes about half of `memory`."""
        memory = parse_bytes(self.memory) or 0
        cutting = self._cutting()
        # A token takes 4 bytes and 4 an order; a word of text is of some bytes, a character of one.
        most = 8 + 4 * (self.ngram_range[1] + 1 - self.ngram_range[0])
        share = 3 if cutting.kernel.startswith("char") else 1
        room = max(memory // (2 * most * share), 1 << 16)
        yield from batches(Cutting.column(data, column), room)

    def _add(
        self, cutting: Cutting, data: Any, progress: Progress, column: str | None = None
    ) -> None:
        source = cutting.source(data, column)
        with progress_callback(progress, source) as report:
            counted = _core.count_ngrams(
                source.stream, *cutting.core(), *cutting.orders, self._threads(), report
            )
        orders = self._orders(cutting)
        runs = [*self._runs, counted.run(orders)]
        memory = parse_bytes(self.memory)
        # Merged when one is not much smaller than the one before, so that each n-gram is merged a
        # few times in all; on disk they wait for one merge at the end.
        if memory is None:
            while len(runs) > 1 and runs[-2].shape()[1] < 2 * runs[-1].shape()[1]:
                runs[-2:] = [_core.merge_runs(runs[-2:], orders, 1, (1 << 64) - 1)]
        else:
            # Else what read the last batch stays beside what reads the next one.
            _pa.default_memory_pool().release_unused()
            if sum(run.shape()[2] for run in runs if run not in self._spilled) > memory // 2:
                runs = [self._spill(run, orders) for run in runs]
        self._runs = runs

    _spilled: frozenset[_core.Run] = frozenset()

    def _spill(self, run: _core.Run, orders: tuple[int, int, bool]) -> _core.Run:
        if run in self._spilled:
            return run
        if not self._shares:
            self._shares = [_Folder()]
        path = self._shares[0].new()
        run.save(path)
        opened = _core.Run.open(path, *orders)
        self._spilled = self._spilled | {opened}
        return opened

    def _learned(self) -> None:
        """Merge what was counted into the terms that the limits leave."""
        cutting = self._cutting()
        rows = sum(run.shape()[0] for run in self._runs)
        least, most = self._limits(rows)
        orders = self._orders(cutting)
        top = min(math.floor(most), (1 << 64) - 1)
        run = _core.merge_runs(self._runs, orders, max(math.ceil(least), 0), top)
        distinct = run.shape()[1]
        if not distinct:
            if not any(run.shape()[1] for run in self._runs):
                raise InvalidInput("data has no terms: it is empty, or of stop words alone")
            raise InvalidInput("no term is left: lower min_df, or raise max_df")
        features = as_option(self.max_features, "max_features")
        kept = None
        if features is not None and features < distinct:
            kept = _kept(pa.table(run.frequencies()), 0, rows, features, self.binary)
        self._fitted = run.vocabulary(kept, cutting.kernel)
        self._width = len(self._fitted)

    def _limits(self, rows: int) -> tuple[float, float]:
        _check_share(self.min_df, "min_df")
        _check_share(self.max_df, "max_df")
        if as_option(self.max_features, "max_features") == 0:
            raise InvalidInput("max_features is 0: give 1 or more, or None for all")
        limits = _limit(self.min_df, rows), _limit(self.max_df, rows)
        if limits[1] < limits[0]:
            raise InvalidInput(
                f"max_df is {self.max_df} and min_df is {self.min_df}, of {rows} rows: no term can "
                "be in at least as many and at most as many"
            )
        return limits

    def _in_batches(self, data: Any, column: str | None, progress: Progress) -> Any:
        sparse = need("scipy.sparse", "sklearn")
        output, self._output = self._output, "default"
        try:
            parts = [
                self.transform(batch, progress=progress) for batch in self._batches(data, column)
            ]
        finally:
            self._output = output
        matrix = sparse.vstack(parts, format="csr") if len(parts) != 1 else parts[0]
        if output == "default":
            return matrix
        triple = tuple(_pa.array(part) for part in (matrix.indptr, matrix.indices, matrix.data))
        return self._given((triple, self._width))

    def _known(self) -> _core.Vocabulary:
        if self._fitted is None and self._runs:
            self._learned()
        fitted = self._fitted
        if fitted is None:
            raise InvalidInput("no terms are known: call fit or fit_transform, or give vocabulary")
        return fitted

    def _fix_vocabulary(self, cutting: Cutting) -> None:
        terms = _given_terms(self.vocabulary)
        if self.lowercase and any(term != term.lower() for term in terms):
            warnings.warn(
                "vocabulary has upper case characters, which are in no row when lowercase is True",
                stacklevel=3,
            )
        self._fitted = _core.vocabulary_of_terms(terms, cutting.kernel, *cutting.orders)
        self._width = len(terms)

    def _count(
        self,
        data: Any,
        column: str | None,
        progress: Progress,
        *,
        matrix: bool,
        frequencies: bool = False,
    ) -> Any:
        cutting = self._cutting()
        _check_share(self.min_df, "min_df")
        _check_share(self.max_df, "max_df")
        self._forget()
        most = as_option(self.max_features, "max_features")
        threads = self._threads()
        source = cutting.source(data, column)
        with progress_callback(progress, source) as report:
            counted = _core.count_ngrams(
                source.stream, *cutting.core(), *cutting.orders, threads, report
            )
        rows, distinct = counted.shape()
        if not distinct:
            raise InvalidInput(
                "data has no terms: it is empty, or of stop words alone; or its words are shorter "
                "than token_pattern takes"
            )
        limits = self._limits(rows)
        prunes = limits[0] > 1 or limits[1] < rows or (most is not None and most < distinct)
        kept: Any = None
        found: Any = None
        if prunes or frequencies:
            found = pa.table(counted.frequencies())
        if prunes:
            kept = _kept(found, *limits, most, self.binary)
            if not _pc.any(kept).as_py():
                raise InvalidInput("no term is left: lower min_df, or raise max_df")
        triple = counted.matrix(kept, bool(self.binary), threads) if matrix else None
        self._fitted = counted.vocabulary(kept, cutting.kernel, threads)
        self._width = len(self._fitted)
        if found is not None and frequencies:
            found = found if kept is None else found.filter(kept)
            self._frequencies = found.add_column(0, "term", self.terms())
        return triple, self._width

    def _given(self, found: tuple[Any, int]) -> Any:
        triple, width = found
        if self._output in ("arrow", "polars"):
            starts, columns, data = (_pa.array(part) for part in triple)
            table = long_table(starts, columns, data, self.terms())
            return table if self._output == "arrow" else need("polars", "polars").from_arrow(table)
        matrix = scipy_csr(triple, width, self.dtype)
        if self._output == "pandas":
            names = self.terms().to_pylist()
            return need("pandas", "pandas").DataFrame.sparse.from_spmatrix(matrix, columns=names)
        return matrix


def row_ngrams(data: Any, **options: Any) -> pa.LargeListArray[Any]:
    """Count the n-grams of each row by itself: a list of `term, count`, null where the row is.

    Options are those of `NGramCounter` that say how rows are cut.

    Examples
    --------
    >>> row_ngrams(pa.array(["to be or to", None])).to_pylist()
    [[{'term': 'be', 'count': 1}, {'term': 'or', 'count': 1}, {'term': 'to', 'count': 2}], None]
    """
    counter = NGramCounter(**options)
    cutting = counter._cutting()
    source = cutting.source(data, None)
    counted = _core.count_ngrams(
        source.stream, *cutting.core(), *cutting.orders, counter._threads(), None
    )
    starts, columns, numbers = (
        _pa.array(part) for part in counted.matrix(None, bool(counter.binary), counter._threads())
    )
    names = _pa.array(counted.vocabulary(None, cutting.kernel, counter._threads()).names())
    rows = _pa.StructArray.from_arrays(
        [names.take(columns), numbers.cast(pa.uint64())], ["term", "count"]
    )
    nulls = _pc.is_null(data) if is_arrow(data) and data.null_count else None
    mask = nulls.combine_chunks() if isinstance(nulls, pa.ChunkedArray) else nulls
    lists: pa.LargeListArray[Any] = _pa.LargeListArray.from_arrays(
        starts.cast(pa.int64()), rows, mask=mask
    )
    return lists


class _Folder:
    """A folder that is gone with the last counter that keeps runs in it."""

    def __init__(self) -> None:
        self._path = Path(tempfile.mkdtemp(prefix="bowstring-"))
        self._number = 0
        weakref.finalize(self, shutil.rmtree, self._path, ignore_errors=True)

    def new(self) -> str:
        self._number += 1
        return str(self._path / str(self._number))


def batches(source: Source, room: int) -> Iterator[Any]:
    """Cut a column into arrays of at most `room` bytes each, or one row.

    Examples
    --------
    >>> from bowstring.columns import as_column
    >>> [len(batch) for batch in batches(as_column(pa.array(["ab", "cd", "e"]), None), 16)]
    [2, 1]
    """
    stream = source.stream
    if isinstance(stream, pa.Array):
        chunks: Any = [stream]
    elif isinstance(stream, pa.ChunkedArray):
        chunks = stream.chunks
    elif isinstance(stream, ColumnStream):
        chunks = stream
    else:
        chunks = _pa.chunked_array(stream).chunks
    held: list[Any] = []
    size = 0
    for chunk in chunks:
        # Rows of about the same size: those that are much longer make a batch so much larger.
        step = max(1, len(chunk) * room // max(chunk.nbytes, 1) // 2)
        for start in range(0, len(chunk), step):
            piece = chunk.slice(start, step)
            if held and size + piece.nbytes > room:
                yield _pa.chunked_array(held)
                held, size = [], 0
            held.append(piece)
            size += piece.nbytes
    if held:
        yield _pa.chunked_array(held)


def top_ngrams(
    data: Any,
    n: int,
    k: int = 10,
    *,
    column: str | None = None,
    analyzer: Analyzer = "word",
    lowercase: bool = True,
    token_pattern: str = TOKEN_PATTERN,
    stop_words: Any = None,
    threads: int | None = None,
    progress: Progress = None,
) -> pa.Table:
    """Find the most frequent n-grams, exactly.

    Parameters
    ----------
    data
        A column, or an index. Of an index n-grams are of its tokens, or of characters if it is
        over text, and the options of cutting do not apply.
    n
        Tokens in an n-gram.
    k
        The most n-grams to give.
    column, analyzer, lowercase, token_pattern, stop_words, threads, progress
        As in `NGramCounter`.

    Returns
    -------
    pyarrow.Table
        `ngram, count: uint64`, the most frequent first, ties in the order of n-grams. `ngram` is
        `large_string`; of a token index `large_list<uint32>`.

    Raises
    ------
    InvalidInput
        If `n` or `k` is 0, or an index is over bytes.

    Notes
    -----
    A column is counted whole. An index is asked for the most frequent beginnings first, and only
    for what goes on from those: none is longer looked at than it can still be among the first `k`.

    Examples
    --------
    >>> import bowstring as bow
    >>> bow.counts.top_ngrams(["to be or not to be"], 2, 1).to_pylist()
    [{'ngram': 'to be', 'count': 2}]
    >>> bow.counts.top_ngrams(bow.index(["banana"]), 2, 2).to_pylist()
    [{'ngram': 'an', 'count': 2}, {'ngram': 'na', 'count': 2}]
    """
    n, k = as_option(n, "n", required=True), as_option(k, "k", required=True)
    if not n or not k:
        raise InvalidInput(f"n is {n} and k is {k}: give 1 or more")
    if isinstance(data, Index):
        return _top_of_index(data, n, k, as_option(threads, "threads"))
    counter = NGramCounter(
        analyzer=analyzer,
        ngram_range=(n, n),
        lowercase=lowercase,
        token_pattern=token_pattern,
        stop_words=stop_words,
        threads=threads,
    )
    cutting = counter._cutting()
    source = cutting.source(data, column)
    with progress_callback(progress, source) as report:
        counted = _core.count_ngrams(
            source.stream, *cutting.core(), *cutting.orders, counter._threads(), report
        )
    if not counted.shape()[1]:
        return pa.table({"ngram": _pa.array([], TEXT), "count": _pa.array([], pa.uint64())})
    count = pa.table(counted.frequencies())["count"].combine_chunks()
    place = _pa.array(range(len(count)), pa.uint64())
    order: Any = [("count", "descending"), ("place", "ascending")]
    best = _pc.select_k_unstable(pa.table({"count": count, "place": place}), k, order)
    kept = _pc.is_in(place, best)
    names = _pa.array(counted.vocabulary(kept, cutting.kernel, counter._threads()).names())
    table = pa.table({"ngram": names, "count": count.filter(kept)})
    return table.sort_by([("count", "descending"), ("ngram", "ascending")])


def _top_of_index(index: Index, n: int, k: int, threads: int | None) -> pa.Table:
    kind = index.info.column
    if kind == "binary":
        raise InvalidInput("data is an index over bytes: give one over text or tokens")
    text = kind == "string"
    # By count from the greatest on, then in order; what is begun before what is whole, since it
    # may become one that comes before in order.
    heap: list[tuple[int, bool, Any]] = [(0, False, b"" if text else ())]
    found: list[tuple[int, Any]] = []
    while heap and len(found) < k:
        count, whole, gram = heapq.heappop(heap)
        if whole:
            found.append((-count, gram))
            continue
        # As many as are the most frequent so far are asked for together.
        begun = [gram]
        while heap and not heap[0][1] and len(begun) < 16:
            begun.append(heapq.heappop(heap)[2])
        for one, token, size in _next_tokens(index, begun, text, threads):
            longer = one + (bytes([token]) if text else (token,))
            whole = _length(longer, text) == n
            heapq.heappush(heap, (-size, whole, longer))
    counts = _pa.array([count for count, _ in found], pa.uint64())
    grams = [gram.decode() if text else list(gram) for _, gram in found]
    type = TEXT if text else pa.large_list(pa.uint32())
    return pa.table({"ngram": _pa.array(grams, type), "count": counts})


def _length(gram: Any, text: bool) -> float:
    """Tokens, or characters if the last one is whole; else half a character more."""
    if not text:
        return len(gram)
    try:
        return len(gram.decode())
    except UnicodeDecodeError:
        return len(gram.decode(errors="ignore")) + 0.5


def _next_tokens(
    index: Index, begun: list[Any], text: bool, threads: int | None
) -> Iterator[tuple[Any, int, int]]:
    type = pa.large_binary() if text else pa.large_list(pa.int64())
    prompts = _pa.array([gram if text else list(gram) for gram in begun], type)
    found = pa.table(_core.distributions(index._core, prompts, False, None, 0, threads))
    names = ("query", "token", "count")
    for query, token, size in zip(*(found[name].to_pylist() for name in names), strict=True):
        if token is not None:
            yield begun[query], token, size


def _given_terms(vocabulary: Any) -> list[str]:
    if isinstance(vocabulary, Mapping):
        places = sorted((place, term) for term, place in vocabulary.items())
        if [place for place, _ in places] != list(range(len(places))):
            raise InvalidInput("vocabulary must map terms to 0, 1, 2 and so on, each once")
        terms = [term for _, term in places]
    elif isinstance(vocabulary, set | frozenset):
        terms = sorted(vocabulary)
    else:
        terms = _pa.array(vocabulary).to_pylist() if is_arrow(vocabulary) else list(vocabulary)
    if other := [term for term in terms if not isinstance(term, str)]:
        raise UnsupportedType(f"vocabulary holds {other[0]!r}: give strings")
    if not terms:
        raise InvalidInput("vocabulary is empty: give terms, or None to learn them")
    if len(set(terms)) < len(terms):
        twice = next(term for at, term in enumerate(terms) if term in terms[:at])
        raise InvalidInput(f"vocabulary holds {twice!r} twice")
    return terms


def _check_share(value: Any, name: str) -> None:
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        raise UnsupportedType(f"{name} is {value!r}: give a number of rows, or a share of them")
    whole = hasattr(value, "__index__")
    if (whole and value < (1 if name == "max_df" else 0)) or not (whole or 0.0 <= value <= 1.0):
        raise InvalidInput(
            f"{name} is {value!r}: give a number of rows, or a share from 0.0 to 1.0"
        )


def _limit(value: Any, rows: int) -> float:
    return float(value if hasattr(value, "__index__") else value * rows)


def _kept(found: pa.Table, least: float, most: float, features: int | None, binary: bool) -> Any:
    rows = found["rows"].cast(pa.float64())
    kept: Any = _pc.and_(_pc.greater_equal(rows, float(least)), _pc.less_equal(rows, float(most)))
    kept = kept.combine_chunks()
    if features is None or _pc.sum(kept).as_py() <= features:
        return kept
    numpy = need("numpy", "sklearn")
    mask = kept.to_numpy(zero_copy_only=False)
    # A term that counts 1 in each row is as frequent as it has rows.
    counts = found["rows" if binary else "count"].to_numpy().astype(numpy.int64)
    # As scikit-learn does: which of equals stay is up to this sort.
    chosen = (-counts[mask]).argsort()[:features]
    stays = numpy.zeros(len(mask), dtype=bool)
    stays[numpy.where(mask)[0][chosen]] = True
    return _pa.array(stays)


class HashedCounter(Estimator):
    r"""Count the n-grams of each row in buckets by their hash: no vocabulary, nothing to fit.

    What scikit-learn's `HashingVectorizer` gives, equal in every number, and with `hash="sha256"`
    the features of DSIR.

    Parameters
    ----------
    n_features
        Buckets: columns of the result.
    hash
        `"murmur3"`: MurmurHash3 of 32 bits, its absolute value modulo the buckets, as in
        scikit-learn. `"sha256"`: SHA-256 as one number modulo the buckets, as in DSIR (Xie et al.
        2023), whose features are those of `HashedCounter.dsir()`.
    alternate_sign
        Whether a negative hash counts -1, so that what collides cancels out on average.
    norm
        `"l2"`, `"l1"` or None: what each row is scaled to.
    binary
        Whether to say 1 for every count before scaling.
    analyzer, ngram_range, lowercase, token_pattern, stop_words, threads
        As in `NGramCounter`.

    Examples
    --------
    >>> import bowstring as bow
    >>> counter = bow.counts.HashedCounter(n_features=8, norm=None)
    >>> counter.transform(["to be or not to be"]).toarray().tolist()
    [[0.0, 0.0, 0.0, 2.0, 1.0, 0.0, -2.0, 1.0]]
    """

    _parameters = (
        "alternate_sign",
        "analyzer",
        "binary",
        "dtype",
        "hash",
        "lowercase",
        "n_features",
        "ngram_range",
        "norm",
        "stop_words",
        "threads",
        "token_pattern",
    )

    def __init__(
        self,
        *,
        n_features: int = 1 << 20,
        hash: Literal["murmur3", "sha256"] = "murmur3",
        alternate_sign: bool = True,
        norm: Literal["l1", "l2"] | None = "l2",
        binary: bool = False,
        analyzer: Analyzer = "word",
        ngram_range: tuple[int, int] = (1, 1),
        lowercase: bool = True,
        token_pattern: str = TOKEN_PATTERN,
        stop_words: Any = None,
        dtype: Any = None,
        threads: int | None = None,
    ) -> None:
        self.n_features = n_features
        self.hash = hash
        self.alternate_sign = alternate_sign
        self.norm = norm
        self.binary = binary
        self.analyzer = analyzer
        self.ngram_range = ngram_range
        self.lowercase = lowercase
        self.token_pattern = token_pattern
        self.stop_words = stop_words
        self.dtype = dtype
        self.threads = threads

    @classmethod
    def dsir(cls, n_features: int = 10_000, *, threads: int | None = None) -> HashedCounter:
        r"""Make the counter of DSIR's features: words and marks, alone and in pairs, by SHA-256.

        Examples
        --------
        >>> import bowstring as bow
        >>> bow.counts.HashedCounter.dsir(10).transform(["so, so"]).sum()
        np.float64(5.0)
        """
        return cls(
            n_features=n_features,
            hash="sha256",
            norm=None,
            ngram_range=(1, 2),
            token_pattern=r"\w+|[^\w\s]+",
            threads=threads,
        )

    def fit(self, data: Any = None, y: Any = None) -> HashedCounter:
        """Do nothing, as scikit-learn's pipelines need it done.

        Examples
        --------
        >>> import bowstring as bow
        >>> bow.counts.HashedCounter(n_features=4).fit(["a"]).n_features
        4
        """
        return self

    def partial_fit(self, data: Any = None, y: Any = None) -> HashedCounter:
        """Do nothing, as `fit`.

        Examples
        --------
        >>> import bowstring as bow
        >>> bow.counts.HashedCounter(n_features=4).partial_fit(["a"]).n_features
        4
        """
        return self

    def fit_transform(
        self, data: Any, y: Any = None, *, column: str | None = None, progress: Progress = None
    ) -> Any:
        """Count as `transform` does.

        Examples
        --------
        >>> import bowstring as bow
        >>> bow.counts.HashedCounter(n_features=4).fit_transform(["to be"]).shape
        (1, 4)
        """
        return self.transform(data, column=column, progress=progress)

    def transform(self, data: Any, *, column: str | None = None, progress: Progress = None) -> Any:
        """Count the n-grams of each row by buckets.

        Returns
        -------
        scipy.sparse.csr_matrix
            Rows by buckets, float64; zeros where signs cancelled out are stored. With
            `set_output(transform="arrow")` a table of `row, bucket, count`.

        Raises
        ------
        InvalidInput
            If an option has a value that cannot be meant.
        UnsupportedType
            If `data` holds no column of text.

        Examples
        --------
        >>> import bowstring as bow
        >>> bow.counts.HashedCounter(n_features=4, norm="l1").transform(["to be"]).nnz
        2
        """
        if self.norm not in ("l1", "l2", None):
            raise InvalidInput(f'norm is {self.norm!r}: give "l1", "l2" or None')
        if self.hash not in ("murmur3", "sha256"):
            raise InvalidInput(f'hash is {self.hash!r}: give "murmur3" or "sha256"')
        buckets = as_option(self.n_features, "n_features", required=True)
        if not 1 <= buckets < 1 << 31:
            raise InvalidInput(f"n_features is {buckets}: give a number from 1 to 2^31 - 1")
        cutting = Cutting(
            self.analyzer, self.ngram_range, self.lowercase, self.token_pattern, self.stop_words
        )
        signed = "_signed" if self.hash == "murmur3" and self.alternate_sign else ""
        source = cutting.source(data, column)
        with progress_callback(progress, source) as report:
            triple = _core.count_hashed(
                source.stream,
                *cutting.core(),
                *cutting.orders,
                self.hash + signed,
                buckets,
                as_option(self.threads, "threads"),
                report,
            )
        matrix = scipy_csr(triple, buckets, self.dtype)
        if self.binary:
            matrix.data = need("numpy", "sklearn").ones_like(matrix.data)
        if self.norm is not None:
            _scale(matrix, self.norm)
        if self._output in ("arrow", "polars"):
            rows = _pa.LargeListArray.from_arrays(
                _pa.array(matrix.indptr, pa.int64()), _pa.array(matrix.indices)
            )
            row = _pc.list_parent_indices(rows).cast(pa.uint64())
            bucket, count = _pa.array(matrix.indices).cast(pa.uint64()), _pa.array(matrix.data)
            table = pa.table({"row": row, "bucket": bucket, "count": count})
            return table if self._output == "arrow" else need("polars", "polars").from_arrow(table)
        return matrix


class TfIdf(NGramCounter):
    """Count n-grams, and weigh them by how few rows have them.

    What scikit-learn's `TfidfVectorizer` gives for the same options.

    Parameters
    ----------
    norm
        `"l2"`, `"l1"` or None: what each row is scaled to.
    use_idf
        Whether to weigh by `ln(N / n) + 1`, of N rows of which n have the term.
    smooth_idf
        Whether both are counted as if one more row had every term.
    sublinear_tf
        Whether a count becomes `1 + ln(count)`.
    **options
        Those of `NGramCounter`.

    Examples
    --------
    >>> import bowstring as bow
    >>> weights = bow.counts.TfIdf(norm=None).fit_transform(["to be", "not to be"])
    >>> [round(weight, 3) for weight in weights.toarray()[1].tolist()]
    [1.0, 1.405, 1.0]
    """

    _parameters = tuple(
        sorted((*NGramCounter._parameters, "norm", "smooth_idf", "sublinear_tf", "use_idf"))
    )

    def __init__(
        self,
        *,
        norm: Literal["l1", "l2"] | None = "l2",
        use_idf: bool = True,
        smooth_idf: bool = True,
        sublinear_tf: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.norm = norm
        self.use_idf = use_idf
        self.smooth_idf = smooth_idf
        self.sublinear_tf = sublinear_tf

    def fit(
        self, data: Any, y: Any = None, *, column: str | None = None, progress: Progress = None
    ) -> TfIdf:
        """Learn the terms of a column and how many rows have each; see `NGramCounter.fit`.

        Examples
        --------
        >>> import bowstring as bow
        >>> bow.counts.TfIdf().fit(["to be", "to be"]).idf_.tolist()
        [1.0, 1.0]
        """
        self._learn(self._matrix(super().fit_transform, data, column, progress))
        return self

    def fit_transform(
        self, data: Any, y: Any = None, *, column: str | None = None, progress: Progress = None
    ) -> Any:
        """Learn the terms of a column, and weigh them in its rows.

        Examples
        --------
        >>> import bowstring as bow
        >>> bow.counts.TfIdf().fit_transform(["to be", "to be"]).shape
        (2, 2)
        """
        counts = self._matrix(super().fit_transform, data, column, progress)
        self._learn(counts)
        return self._weighed(counts)

    def transform(self, data: Any, *, column: str | None = None, progress: Progress = None) -> Any:
        """Weigh the terms that were learned in the rows of a column.

        Returns
        -------
        scipy.sparse.csr_matrix
            Rows by terms, float64. Or what `set_output` chose.

        Examples
        --------
        >>> import bowstring as bow
        >>> bow.counts.TfIdf().fit(["to be"]).transform(["be be"]).toarray().tolist()
        [[1.0, 0.0]]
        """
        if self.use_idf and not hasattr(self, "idf_"):
            raise InvalidInput("no terms are known: call fit or fit_transform")
        return self._weighed(self._matrix(super().transform, data, column, progress))

    def _matrix(self, count: Any, data: Any, column: str | None, progress: Progress) -> Any:
        if self.norm not in ("l1", "l2", None):
            raise InvalidInput(f'norm is {self.norm!r}: give "l1", "l2" or None')
        output, dtype = self._output, self.dtype
        # Weights come of counts as they are; what was chosen is made of the weights.
        self._output, self.dtype = "default", None
        try:
            return count(data, column=column, progress=progress)
        finally:
            self._output, self.dtype = output, dtype

    def _learn(self, counts: Any) -> None:
        numpy = need("numpy", "sklearn")
        rows, terms = counts.shape
        with_term = numpy.bincount(counts.indices, minlength=terms).astype(numpy.float64)
        if self.use_idf:
            more = float(bool(self.smooth_idf))
            with numpy.errstate(divide="ignore"):
                self.idf_ = numpy.log((rows + more) / (with_term + more)) + 1.0

    def _weighed(self, counts: Any) -> Any:
        numpy = need("numpy", "sklearn")
        weights = counts.astype(numpy.float64 if self.dtype is None else self.dtype)
        if self.sublinear_tf:
            numpy.log(weights.data, weights.data)
            weights.data += 1.0
        if self.use_idf:
            weights.data *= self.idf_.astype(weights.dtype)[weights.indices]
        if self.norm is not None:
            _scale(weights, self.norm)
        if self._output == "default":
            return weights
        triple = tuple(_pa.array(part) for part in (weights.indptr, weights.indices, weights.data))
        return self._given((triple, weights.shape[1]))


def _scale(matrix: Any, norm: str) -> None:
    """Scale each row to norm 1; rows of zeros stay."""
    numpy = need("numpy", "sklearn")
    lengths = numpy.diff(matrix.indptr)
    filled = matrix.indptr[:-1][lengths > 0]
    sizes = numpy.abs(matrix.data) if norm == "l1" else matrix.data * matrix.data
    sums = numpy.ones(len(lengths), dtype=matrix.dtype)
    if len(filled):
        sums[lengths > 0] = numpy.add.reduceat(sizes, filled)
    if norm == "l2":
        numpy.sqrt(sums, sums)
    sums[sums == 0] = 1
    matrix.data /= numpy.repeat(sums, lengths)
