"""Subsets of a stream of rows, each of which is seen once."""

from __future__ import annotations

from typing import Any, Literal

import pyarrow as pa

from bowstring import _core
from bowstring.columns import as_float, as_option
from bowstring.errors import InvalidInput
from bowstring.report import progress_callback
from bowstring.select.rows import as_floats, as_rows, is_text_rows

_FUNCTIONS = ("feature_based", "max_coverage", "facility_location")


class Sieve:
    r"""Select rows of a stream that is longer than memory, batch by batch.

    Sieve-Streaming++ (Kazemi et al. 2019): at every moment at least 1/2 - epsilon of the best
    possible among the rows seen, which are looked at once and not kept.

    Parameters
    ----------
    function
        `"feature_based"`, `"max_coverage"`, or `"facility_location"` of the rows of a
        `reference`: what is similar to rows that are not there cannot be known.
    k
        The most rows.
    epsilon
        What the promise is lowered by; there are O(log(k) / epsilon) sieves.
    concave, saturation, weights
        As in `feature_based`, `max_coverage` and `facility_location`; weights of the reference's
        rows in the last.
    reference
        Rows to represent, as in `facility_location`: a sample of what the stream will bring.
    similarity
        `"cosine"` or `"euclidean"`, to the rows of the reference.
    threads
        Threads to use; all by default.

    Raises
    ------
    InvalidInput
        If an option has a value that cannot be meant.

    Notes
    -----
    Memory: 8 bytes a column (a row of the reference) and sieve, whatever the stream's length.

    Examples
    --------
    >>> import bowstring as bow, numpy as np
    >>> sieve = bow.select.Sieve("max_coverage", 2)
    >>> for batch in (np.array([[1, 0, 0], [1, 1, 0]]), np.array([[0, 0, 1]])):
    ...     sieve.add(batch)
    >>> sieve.table().to_pylist()[0]
    {'row': 0, 'gain': 1.0, 'rank': 1}
    """

    def __init__(
        self,
        function: Literal["feature_based", "max_coverage", "facility_location"],
        k: int,
        *,
        epsilon: float = 0.1,
        concave: Literal["sqrt", "log", "inverse", "saturate"] = "sqrt",
        saturation: float = 1.0,
        weights: Any = None,
        reference: Any = None,
        similarity: Literal["cosine", "euclidean"] = "cosine",
        threads: int | None = None,
    ) -> None:
        if function not in _FUNCTIONS:
            names = ", ".join(f'"{name}"' for name in _FUNCTIONS)
            raise InvalidInput(f"function is {function!r}: give one of {names}")
        if similarity not in ("cosine", "euclidean"):
            raise InvalidInput(f'similarity is {similarity!r}: give "cosine" or "euclidean"')
        if (reference is None) == (function == "facility_location"):
            raise InvalidInput(
                "reference is what facility_location represents: give it with that, and not else"
            )
        self._threads = as_option(threads, "threads")
        self._core = _core.Sieve.of(
            (function, concave, as_float(saturation, "saturation")),
            None if reference is None else self._rows(reference, "reference", None),
            similarity,
            None if weights is None else as_floats(weights, "weights"),
            as_option(k, "k", required=True),
            as_float(epsilon, "epsilon"),
        )

    @staticmethod
    def _rows(data: Any, name: str, column: str | None) -> Any:
        if is_text_rows(data, name, column):
            raise InvalidInput(
                f"{name} is text, whose words would be other columns in each batch: count it with "
                "bowstring.counts.HashedCounter, or one TfIdf for all"
            )
        return as_rows(data, name, column, wide=True)

    def add(self, data: Any, *, column: str | None = None, progress: Any = None) -> None:
        """Look at more rows; their numbers count on from those before.

        Parameters
        ----------
        data, column
            Rows, as in `facility_location`, all of the same columns; no text.
        progress
            True for a bar, or a callable that takes the phase, the rows done and their total.

        Raises
        ------
        InvalidInput
            If the rows have other columns than those before, or a number that is not finite.

        Examples
        --------
        >>> import bowstring as bow
        >>> sieve = bow.select.Sieve("feature_based", 1)
        >>> sieve.add([[1.0, 4.0], [9.0, 9.0]])
        >>> sieve.seen
        2
        """
        with progress_callback(progress) as report:
            self._core.add(self._rows(data, "data", column), self._threads, report)

    @property
    def seen(self) -> int:
        """How many rows were looked at."""
        return self._core.seen()

    def table(self) -> pa.Table:
        """Give the best rows so far as `row: uint64, gain: double, rank: uint64`, as they came.

        Examples
        --------
        >>> import bowstring as bow
        >>> sieve = bow.select.Sieve("feature_based", 1)
        >>> sieve.add([[9.0, 9.0], [1.0, 4.0]])
        >>> sieve.table().to_pylist()
        [{'row': 0, 'gain': 6.0, 'rank': 1}]
        """
        return pa.table(self._core.table())
