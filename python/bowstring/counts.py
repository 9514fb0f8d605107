r"""Sparse counts of a column: n-grams in rows, in the conventions of scikit-learn and of Arrow.

`NGramCounter` gives what `sklearn.feature_extraction.text.CountVectorizer` does, to the bit, in a
fraction of its time and memory, from any Arrow column, on all cores, and in batches.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from bowstring import _core
from bowstring.characters import characters
from bowstring.columns import TEXT, Source, as_column, as_option
from bowstring.errors import InvalidInput, MissingPackage, UnsupportedType
from bowstring.report import progress_callback
from bowstring.stop_words import ENGLISH

Analyzer: TypeAlias = Literal["word", "char", "char_wb", "whitespace", "token"]
Progress: TypeAlias = Any

_pc: Any = pc

TOKEN_PATTERN = r"(?u)\b\w\w+\b"
"""Words of two characters or more: scikit-learn's default."""

# Patterns that the core has kernels for, and the kernel's name.
_KERNELS = {
    TOKEN_PATTERN: "word",
    r"\b\w\w+\b": "word",
    r"\w\w+": "word",
    r"(?u)\w\w+": "word",
    r"(?u)\b\w+\b": "word1",
    r"\b\w+\b": "word1",
    r"(?u)\w+": "word1",
    r"\w+": "word1",
    r"\S+": "whitespace",
    r"(?u)\S+": "whitespace",
    r"\w+|[^\w\s]+": "marks",
    r"\w+|[^\w\s]": "mark",
}
_ANALYZERS = ("word", "char", "char_wb", "whitespace", "token")


def need(package: str, extra: str) -> Any:
    """Import a package that an optional feature needs."""
    import importlib

    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise MissingPackage(
            f"this needs {package.partition('.')[0]}, which is not installed: "
            f"pip install 'bowstring[{extra}]'"
        ) from error


class Cutting:
    """How rows become tokens: what the options of counters say, for the core."""

    def __init__(
        self,
        analyzer: str,
        ngram_range: tuple[int, int],
        lowercase: bool,
        token_pattern: str,
        stop_words: Any,
    ) -> None:
        if analyzer not in _ANALYZERS:
            names = ", ".join(f'"{name}"' for name in _ANALYZERS)
            raise InvalidInput(f"analyzer is {analyzer!r}: give one of {names}")
        try:
            least, most = ngram_range
        except (TypeError, ValueError):
            raise InvalidInput(
                f"ngram_range is {ngram_range!r}: give the fewest and the most tokens, as (1, 2)"
            ) from None
        self.least = as_option(least, "ngram_range", required=True)
        self.most = as_option(most, "ngram_range", required=True)
        if not 1 <= self.least <= self.most <= 255:
            raise InvalidInput(
                f"ngram_range is {ngram_range!r}: give two numbers from 1 to 255, the smaller first"
            )
        self.lowercase = bool(lowercase)
        self.stop_words: set[str] = set()
        self.pattern: re.Pattern[str] | None = None
        self.kernel = analyzer
        if analyzer == "word":
            self.kernel = _KERNELS.get(token_pattern, "given")
            if self.kernel == "given":
                self.pattern = _compiled(token_pattern)
        if analyzer in ("word", "whitespace"):
            self.stop_words = _stop_words(stop_words)

    @property
    def orders(self) -> tuple[int, int]:
        """The fewest and the most tokens of an n-gram as the core counts them."""
        return (1, 1) if self.pattern is not None else (self.least, self.most)

    def source(self, data: Any, column: str | None) -> Source:
        """Find the column, its rows cut into n-grams by Python where no kernel does it."""
        if isinstance(data, str):
            raise InvalidInput("data is one string, not a column: write [data]")
        source = as_column(data, column)
        if self.pattern is None:
            return source
        rows = pa.chunked_array(source.stream) if not _is_arrow(source.stream) else source.stream
        grams = [self._grams(text) for text in rows.to_pylist()]
        return Source(pa.array(grams, pa.large_list(TEXT)), source.rows, source.nbytes)

    def _grams(self, text: str | bytes | None) -> list[str]:
        assert self.pattern is not None
        if text is None:
            return []
        text = text.decode() if isinstance(text, bytes) else text
        text = text.lower() if self.lowercase else text
        tokens = [token for token in self.pattern.findall(text) if token not in self.stop_words]
        return [
            " ".join(tokens[at : at + order])
            for order in range(self.least, min(self.most, len(tokens)) + 1)
            for at in range(len(tokens) - order + 1)
        ]

    def core(self) -> tuple[str, _core.Characters, bool, set[str]]:
        """The arguments that every reading call of the core takes."""
        return self.kernel, characters(), self.lowercase, self.stop_words


def _is_arrow(stream: Any) -> bool:
    return isinstance(stream, pa.Array | pa.ChunkedArray)


def _compiled(token_pattern: Any) -> re.Pattern[str]:
    try:
        pattern = re.compile(token_pattern)
    except (re.error, TypeError) as error:
        raise InvalidInput(
            f"token_pattern is {token_pattern!r}, no regular expression: {error}"
        ) from None
    if pattern.groups > 1:
        raise InvalidInput(
            f"token_pattern is {token_pattern!r}, with {pattern.groups} groups: keep at most one, "
            "or write (?:...)"
        )
    return pattern


def _stop_words(given: Any) -> set[str]:
    if given is None:
        return set()
    if isinstance(given, str):
        if given == "english":
            return set(ENGLISH)
        raise InvalidInput(f'stop_words is {given!r}: give "english" or a list of words')
    if not isinstance(given, Iterable):
        raise UnsupportedType(f'stop_words is {given!r}: give "english" or a list of words')
    words = set(given)
    if other := [word for word in words if not isinstance(word, str)]:
        raise UnsupportedType(f"stop_words holds {other[0]!r}: give strings")
    return words


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

    _parameters = (
        "analyzer",
        "binary",
        "dtype",
        "lowercase",
        "max_df",
        "max_features",
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
        threads: int | None = None,
    ) -> None:
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
        self._count(data, column, progress, matrix=False)
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
        core = self._core()
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
        return self._frequencies

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
            return pa.array(_given_terms(self.vocabulary), TEXT)
        return pa.array(self._core().names())

    @property
    def vocabulary_(self) -> dict[str, int]:
        """Each term's column."""
        return {term: at for at, term in enumerate(self.terms().to_pylist())}

    def __getstate__(self) -> dict[str, Any]:
        state = dict(vars(self))
        if (core := state.pop("_fitted", None)) is not None and self.vocabulary is None:
            state["_parts"] = tuple(pa.array(part) for part in core.parts())
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        parts = state.pop("_parts", None)
        vars(self).update(state)
        if parts is not None:
            cutting = self._cutting()
            self._fitted = _core.Vocabulary.of_parts(*parts, cutting.kernel, *cutting.orders)

    def _cutting(self) -> Cutting:
        return Cutting(
            self.analyzer, self.ngram_range, self.lowercase, self.token_pattern, self.stop_words
        )

    def _threads(self) -> int | None:
        return as_option(self.threads, "threads")

    def _core(self) -> _core.Vocabulary:
        fitted: _core.Vocabulary | None = getattr(self, "_fitted", None)
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
        most = as_option(self.max_features, "max_features")
        if most == 0:
            raise InvalidInput("max_features is 0: give 1 or more, or None for all")
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
        limits = _limit(self.min_df, rows), _limit(self.max_df, rows)
        if limits[1] < limits[0]:
            raise InvalidInput(
                f"max_df is {self.max_df} and min_df is {self.min_df}, of {rows} rows: no term can "
                "be in at least as many and at most as many"
            )
        prunes = limits[0] > 1 or limits[1] < rows or (most is not None and most < distinct)
        kept = found = None
        if prunes or frequencies:
            found = pa.table(counted.frequencies())
        if prunes:
            kept = _kept(found, *limits, most)
            if not pc.any(kept).as_py():
                raise InvalidInput(
                    "no term is left: lower min_df, or raise max_df"
                )
        triple = counted.matrix(kept, bool(self.binary), threads) if matrix else None
        self._fitted = counted.vocabulary(kept, cutting.kernel)
        self._width = len(self._fitted)
        if found is not None and frequencies:
            found = found if kept is None else found.filter(kept)
            self._frequencies = found.add_column(0, "term", self.terms())
        return triple, self._width

    def _given(self, found: tuple[Any, int]) -> Any:
        triple, width = found
        starts, columns, data = (pa.array(part) for part in triple)
        if self._output in ("arrow", "polars"):
            table = long_table(starts, columns, data, self.terms())
            return table if self._output == "arrow" else need("polars", "polars").from_arrow(table)
        sparse = need("scipy.sparse", "sklearn")
        parts = [part.to_numpy(zero_copy_only=True) for part in (data, columns, starts)]
        if self.dtype is not None:
            parts[0] = parts[0].astype(self.dtype, copy=False)
        matrix = sparse.csr_matrix((*parts[:1], *parts[1:]), shape=(len(starts) - 1, width))
        matrix.has_sorted_indices = True
        matrix.has_canonical_format = True
        if self._output == "pandas":
            names = self.terms().to_pylist()
            return need("pandas", "pandas").DataFrame.sparse.from_spmatrix(matrix, columns=names)
        return matrix


def long_table(starts: Any, columns: Any, data: Any, terms: Any) -> pa.Table:
    """Make sparse rows a table of `row, term, count`.

    Examples
    --------
    >>> starts = pa.array([0, 1], pa.int32())
    >>> columns = pa.array([1], pa.int32())
    >>> long_table(starts, columns, pa.array([5]), pa.array(["a", "b"])).to_pylist()
    [{'row': 0, 'term': 'b', 'count': 5}]
    """
    rows = pa.LargeListArray.from_arrays(starts.cast(pa.int64()), columns)
    row = _pc.list_parent_indices(rows).cast(pa.uint64())
    term = pa.DictionaryArray.from_arrays(columns, terms)
    counts = data.cast(pa.uint64()) if pa.types.is_integer(data.type) else data
    return pa.table({"row": row, "term": term, "count": counts})


def _given_terms(vocabulary: Any) -> list[str]:
    if isinstance(vocabulary, Mapping):
        places = sorted((place, term) for term, place in vocabulary.items())
        if [place for place, _ in places] != list(range(len(places))):
            raise InvalidInput("vocabulary must map terms to 0, 1, 2 and so on, each once")
        terms = [term for _, term in places]
    elif isinstance(vocabulary, set | frozenset):
        terms = sorted(vocabulary)
    else:
        terms = pa.array(vocabulary).to_pylist() if _is_arrow(vocabulary) else list(vocabulary)
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
        raise InvalidInput(f"{name} is {value!r}: give a number of rows, or a share from 0.0 to 1.0")


def _limit(value: Any, rows: int) -> float:
    return value if hasattr(value, "__index__") else value * rows


def _kept(found: pa.Table, least: float, most: float, features: int | None) -> Any:
    rows = found["rows"].cast(pa.float64())
    kept: Any = _pc.and_(_pc.greater_equal(rows, float(least)), _pc.less_equal(rows, float(most)))
    kept = kept.combine_chunks()
    if features is None or pc.sum(kept).as_py() <= features:
        return kept
    numpy = need("numpy", "sklearn")
    mask = kept.to_numpy(zero_copy_only=False)
    counts = found["count"].to_numpy().astype(numpy.int64)
    # As scikit-learn does: which of equals stay is up to this sort.
    chosen = (-counts[mask]).argsort()[:features]
    stays = numpy.zeros(len(mask), dtype=bool)
    stays[numpy.where(mask)[0][chosen]] = True
    return pa.array(stays)
