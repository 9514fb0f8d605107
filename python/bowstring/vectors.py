"""Vectors of tokens from which tokens stand near which: co-occurrence counts and bit ciphers."""

from __future__ import annotations

import os
from typing import Any, Literal, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from bowstring import _core
from bowstring.columns import as_option
from bowstring.cutting import TOKEN_PATTERN, Cutting, long_table, need, scipy_csr
from bowstring.errors import InvalidInput
from bowstring.report import progress_callback

Weight: TypeAlias = Literal["flat", "harmonic", "linear"]
Progress: TypeAlias = Any

_pa: Any = pa
_pc: Any = pc
_WEIGHTS = ("flat", "harmonic", "linear")


class Cooccurrence:
    r"""How often tokens stand near each other.

    Parameters
    ----------
    data
        A column of text, or of lists of tokens with `analyzer="token"`.
    column
        The name of the column, where `data` has several.
    window
        The furthest that tokens are near each other, in tokens, on both sides; rows are apart.
    weight
        What a pair at distance d counts: `"flat"` 1; `"harmonic"` 1 / d, as GloVe (Pennington et
        al. 2014); `"linear"` (window + 1 - d) / window, as word2vec's windows on average.
    min_count
        Tokens of fewer occurrences are taken out of the rows first.
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
    O(tokens · window) time; beside the result a dense row of sums a thread.

    Examples
    --------
    >>> import bowstring as bow
    >>> near = bow.vectors.Cooccurrence(["red apple red"], window=1)
    >>> near.tokens.to_pylist(), near.matrix().toarray().tolist()
    (['apple', 'red'], [[0.0, 2.0], [2.0, 0.0]])
    """

    def __init__(
        self,
        data: Any,
        column: str | None = None,
        *,
        window: int = 5,
        weight: Weight = "flat",
        min_count: int = 1,
        analyzer: Literal["word", "whitespace", "token"] = "word",
        lowercase: bool = True,
        token_pattern: str = TOKEN_PATTERN,
        stop_words: Any = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> None:
        if weight not in _WEIGHTS:
            raise InvalidInput(f'weight is {weight!r}: give "flat", "harmonic" or "linear"')
        cutting = _cutting(analyzer, lowercase, token_pattern, stop_words)
        source = cutting.source(data, column)
        with progress_callback(progress, source) as report:
            table, *triple = _core.cooccurrence(
                source.stream,
                *cutting.core(),
                as_option(min_count, "min_count", required=True),
                as_option(window, "window", required=True),
                weight,
                as_option(threads, "threads"),
                report,
            )
        self._table = pa.table(table)
        self._triple: Any = tuple(_pa.array(part) for part in triple)

    @property
    def tokens(self) -> Any:
        """The tokens of the rows and columns, in order."""
        return self._table["token"].combine_chunks()

    @property
    def counts(self) -> Any:
        """How often each token occurs."""
        return self._table["count"].combine_chunks()

    def matrix(self) -> Any:
        """Give tokens by tokens as a SciPy CSR matrix of float64.

        Examples
        --------
        >>> import bowstring as bow
        >>> bow.vectors.Cooccurrence(["a b c"], analyzer="whitespace", window=2).matrix().nnz
        6
        """
        return scipy_csr(self._triple, len(self._table), None)

    def table(self) -> pa.Table:
        """Give pairs as `token, near, weight`, in the order of tokens.

        Examples
        --------
        >>> import bowstring as bow
        >>> near = bow.vectors.Cooccurrence(["red apple"], weight="harmonic")
        >>> near.table().to_pylist()[0]
        {'token': 'apple', 'near': 'red', 'weight': 1.0}
        """
        starts, columns, data = self._triple
        table = long_table(starts, columns, data, self.tokens)
        token: Any = _pa.DictionaryArray.from_arrays(
            table["row"].combine_chunks().cast(pa.int64()), self.tokens
        )
        pairs: pa.Table = _pa.table(
            {"token": token, "near": table["term"], "weight": table["count"]}
        )
        return pairs


class BitCipher:
    r"""Vectors of tokens without training: each token's bits, added up over what stands near it.

    The tokens, most frequent first, get the numbers of `bits` bits with one bit set, then with two
    and so on, as vectors of length 1 (Zhao and Williams 2023). A token's vector is the sum, over
    what stands near it, of `ln(count + 1)` times that one's bits.

    Parameters
    ----------
    data
        A column of text, or of lists of tokens with `analyzer="token"`.
    column
        The name of the column, where `data` has several.
    bits
        Bits of a token; there must be fewer tokens than 2 to this power.
    window
        The furthest that tokens are near each other, in tokens, on both sides.
    aggregate
        `"sum"`: of all places of the window, vectors of `bits`; `"concatenate"`: each place's own
        sum side by side, from the leftmost on, vectors of `2 · window · bits`.
    min_count
        Tokens of fewer occurrences are taken out of the rows first.
    analyzer, lowercase, token_pattern, stop_words, threads, progress
        As in `Cooccurrence`.

    Raises
    ------
    InvalidInput
        If there are more tokens than codes, or an option has a value that cannot be meant.

    Examples
    --------
    >>> import bowstring as bow
    >>> rows = ["red apple pie", "green apple pie", "red cherry pie", "green cherry pie"]
    >>> vectors = bow.vectors.BitCipher(rows, bits=4, window=1)
    >>> vectors.nearest("apple", k=1)["token"].to_pylist()
    ['cherry']
    """

    def __init__(
        self,
        data: Any,
        column: str | None = None,
        *,
        bits: int = 50,
        window: int = 5,
        aggregate: Literal["sum", "concatenate"] = "sum",
        min_count: int = 1,
        analyzer: Literal["word", "whitespace", "token"] = "word",
        lowercase: bool = True,
        token_pattern: str = TOKEN_PATTERN,
        stop_words: Any = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> None:
        if aggregate not in ("sum", "concatenate"):
            raise InvalidInput(f'aggregate is {aggregate!r}: give "sum" or "concatenate"')
        bits = as_option(bits, "bits", required=True)
        window = as_option(window, "window", required=True)
        if not 1 <= bits <= 63 or window < 1:
            raise InvalidInput(
                f"bits is {bits} and window is {window}: give bits from 1 to 63, a window from 1 on"
            )
        cutting = _cutting(analyzer, lowercase, token_pattern, stop_words)
        source = cutting.source(data, column)
        with progress_callback(progress, source) as report:
            table, codes, vectors = _core.cipher_vectors(
                source.stream,
                *cutting.core(),
                as_option(min_count, "min_count", required=True),
                window,
                bits,
                aggregate == "concatenate",
                as_option(threads, "threads"),
                report,
            )
        width = bits * (2 * window if aggregate == "concatenate" else 1)
        lists = _pa.FixedSizeListArray.from_arrays(_pa.array(vectors), width)
        whole = pa.table(table)
        whole = whole.append_column("code", _pa.array(codes))
        self._hold(whole.append_column("vector", lists), as_option(threads, "threads"))

    def _hold(self, table: pa.Table, threads: int | None) -> None:
        self._table = table.combine_chunks()
        self._threads = threads

    @property
    def tokens(self) -> Any:
        """The tokens, in order."""
        return self._table["token"].combine_chunks()

    def table(self) -> pa.Table:
        """Give `token, count, code, vector`, in the order of tokens.

        Examples
        --------
        >>> import bowstring as bow
        >>> vectors = bow.vectors.BitCipher(["a b"], analyzer="whitespace", bits=2)
        >>> vectors.table()["code"].to_pylist()
        [1, 2]
        """
        return self._table

    def matrix(self) -> Any:
        """Give the vectors as a NumPy array of float32, a row a token.

        Examples
        --------
        >>> import bowstring as bow
        >>> bow.vectors.BitCipher(["a b"], analyzer="whitespace", bits=2).matrix().shape
        (2, 2)
        """
        need("numpy", "sklearn")
        vectors: Any = self._table["vector"].combine_chunks()
        return vectors.flatten().to_numpy().reshape(len(vectors), vectors.type.list_size)

    def nearest(self, tokens: Any, k: int = 10) -> pa.Table:
        """Find the tokens whose vectors are nearest by cosine, others than the token itself.

        Parameters
        ----------
        tokens
            A token, or a column of them.
        k
            The most tokens for each.

        Returns
        -------
        pyarrow.Table
            `query: uint64, token: large_string, score: float, rank: uint32`, nearest first, ties
            in the order of tokens. What is no token, or has nothing near it, adds no rows.

        Examples
        --------
        >>> import bowstring as bow
        >>> vectors = bow.vectors.BitCipher(["a b c a b"], analyzer="whitespace", bits=2)
        >>> vectors.nearest(["a", "nothing"], k=1).select(["query", "token"]).to_pylist()
        [{'query': 0, 'token': 'c'}]
        """
        k = as_option(k, "k", required=True)
        asked = _pa.array([tokens] if isinstance(tokens, str) else tokens, pa.large_string())
        own = _pc.index_in(asked, self.tokens)
        vectors: Any = self._table["vector"].combine_chunks()
        known = own.drop_null()
        places = _pa.array([at for at, one in enumerate(own.to_pylist()) if one is not None])
        found = pa.table(
            _core.nearest(
                vectors.flatten(),
                vectors.take(known).flatten().cast(pa.float32()),
                vectors.type.list_size,
                k + 1,
                self._threads,
            )
        )
        itself = _pc.equal(found["row"], known.take(found["query"]).cast(pa.uint32()))
        found = found.filter(_pc.invert(itself))
        # What was itself is gone: ranks count on.
        ranks: list[int] = []
        last = None
        for query in found["query"].to_pylist():
            ranks.append(ranks[-1] + 1 if query == last else 1)
            last = query
        found = found.set_column(3, "rank", _pa.array(ranks, pa.uint32()))
        found = found.filter(_pc.less_equal(found["rank"], k))
        nearest: pa.Table = _pa.table(
            {
                "query": places.cast(pa.uint64()).take(found["query"]),
                "token": self.tokens.take(found["row"]),
                "score": found["score"],
                "rank": found["rank"],
            }
        )
        return nearest

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write `table()` as an Arrow IPC file.

        Examples
        --------
        >>> import bowstring as bow, tempfile, pathlib
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "vectors.arrow"
        >>> bow.vectors.BitCipher(["a b"], analyzer="whitespace", bits=2).save(path)
        >>> bow.vectors.BitCipher.open(path).tokens.to_pylist()
        ['a', 'b']
        """
        with _pa.ipc.new_file(os.fspath(path), self._table.schema) as sink:
            sink.write_table(self._table)

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, threads: int | None = None) -> BitCipher:
        """Map a file that `save` wrote.

        Raises
        ------
        InvalidInput
            If it is another file.

        Examples
        --------
        See `save`.

        >>> import bowstring as bow
        >>> bow.vectors.BitCipher.open("nowhere") # doctest: +IGNORE_EXCEPTION_DETAIL
        Traceback (most recent call last):
        FileNotFoundError: nowhere
        """
        mapped = _pa.memory_map(os.fspath(path))
        try:
            table = _pa.ipc.open_file(mapped).read_all()
        except pa.ArrowInvalid as error:
            raise InvalidInput(f"path is {os.fspath(path)!r}, no Arrow file: {error}") from None
        if table.column_names != ["token", "count", "code", "vector"]:
            raise InvalidInput(f"path is {os.fspath(path)!r}, which holds {table.column_names}")
        opened = cls.__new__(cls)
        opened._hold(table, as_option(threads, "threads"))
        return opened


def _cutting(analyzer: str, lowercase: bool, token_pattern: str, stop_words: Any) -> Cutting:
    if analyzer not in ("word", "whitespace", "token"):
        raise InvalidInput(f'analyzer is {analyzer!r}: give "word", "whitespace" or "token"')
    return Cutting(analyzer, (1, 1), lowercase, token_pattern, stop_words)
