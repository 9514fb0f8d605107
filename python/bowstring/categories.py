"""Clean messy category columns: what their values share, the numbers in them, given substrings.

Fitted on one column and applied to later ones without learning anew; every class is a scikit-learn
estimator of one column of text, and takes columns of pyarrow, polars, pandas, NumPy and lists.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from bowstring import _core
from bowstring.columns import as_option, one_chunk
from bowstring.errors import InvalidInput, MissingPackage, UnsupportedType
from bowstring.frames import as_table, is_table, library, like, normalised, text_column
from bowstring.profiles import Profile, profile

try:
    import numpy as np
    from scipy import sparse
    from sklearn.base import BaseEstimator, TransformerMixin
    from sklearn.utils.validation import check_is_fitted
except ImportError as error:
    raise MissingPackage(
        f"bowstring.categories needs scikit-learn ({error}): pip install 'bowstring[sklearn]'"
    ) from error

__all__ = [
    "Consolidate",
    "NumberExtractor",
    "OverlapEncoder",
    "Profile",
    "SubstringSearch",
    "profile",
]

# What pyarrow's stubs do not know, or know wrongly.
_pa: Any = pa
_pc: Any = pc

Normalize: TypeAlias = Callable[["pa.Array[Any]"], Any] | bool
_EDGES = re.compile(r"^[\W_]+|[\W_]+$")


class _OneColumn(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """An estimator of one column of text."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.input_tags.allow_nan = True
        tags.no_validation = True
        return tags

    def _column(self, data: Any, fitting: bool = False) -> Any:
        """Read the column; when fitting, remember what it is called."""
        name: Any = getattr(data, "name", None)
        if is_table(data):
            table = as_table(data, "X")
            if table.num_columns != 1:
                raise InvalidInput(
                    f"X has {table.num_columns} columns: give one, or use a ColumnTransformer"
                )
            name = table.column_names[0]
            data = table.column(0)
        elif isinstance(data, np.ndarray) and data.ndim == 2:
            if data.shape[1] != 1:
                raise InvalidInput(f"X has {data.shape[1]} columns: give one")
            data = data[:, 0]
        if fitting:
            self.n_features_in_ = 1
            self._name = name if isinstance(name, str) and name else "x0"
        array = data if isinstance(data, pa.Array | pa.ChunkedArray) else None
        if array is not None and pa.types.is_dictionary(array.type):
            data = one_chunk(array).dictionary_decode()
        normalize = getattr(self, "normalize", False)
        found = text_column(data, "X")
        if normalize is True:
            return normalised(found)
        return found if normalize is False else text_column(normalize(found), "X")

    def _names(self) -> list[str]:
        raise NotImplementedError

    def get_feature_names_out(self, input_features: Any = None) -> Any:
        """Name the columns that `transform` gives.

        Parameters
        ----------
        input_features
            Not used: the names are those of the column that was fitted.

        Examples
        --------
        >>> OverlapEncoder(min_length=3).fit(["abc1", "abc2"]).get_feature_names_out().tolist()
        ['x0_abc']
        """
        check_is_fitted(self)
        return np.asarray(self._names(), dtype=object)

    def _given(self, columns: Mapping[str, Any], data: Any) -> Any:
        """Give columns back as the library of the input has them; NumPy for lists and NumPy."""
        if library(data) == "arrow" and not isinstance(data, pa.Array | pa.ChunkedArray | pa.Table):
            arrays = [one_chunk(column) for column in columns.values()]
            made = [np.asarray(a.to_numpy(zero_copy_only=False)) for a in arrays]
            texts = any(array.dtype == object for array in made)
            return np.column_stack([a.astype(object) for a in made] if texts else made)
        frame = like(_pa.table(dict(columns)), data)
        index = getattr(data, "index", None)
        if library(data) == "pandas" and index is not None:
            frame.index = index
        return frame


def _held(texts: Sequence[str], values: pa.Array[Any], ignore_case: bool = False) -> Any:
    """Give the numbers of the texts that each value holds, ascending, as lists."""
    needles = _pa.array(texts, pa.large_string())
    return _pa.array(_core.held_texts(needles, values, ignore_case, None))


def _matrix(held: Any, columns: int) -> Any:
    """Make lists of column numbers a sparse matrix of ones."""
    offsets = held.offsets.to_numpy() - held.offsets[0].as_py()
    places = held.flatten().to_numpy()
    ones = np.ones(len(places), np.int8)
    return sparse.csr_matrix((ones, places, offsets), shape=(len(held), columns))


class OverlapEncoder(_OneColumn):
    """Encode values by the substrings that they share with others.

    A substring is shared if two distinct values hold it. Keys are learned by `fit`; later values
    are parsed against them, and never change them.

    Parameters
    ----------
    keys
        `"maximal"`: shared substrings that are part of no longer one. `"per_value"`: of each value
        those that are part of no longer one in that value, so that "Cisco" stands beside "Cisco S".
    min_length
        The least characters of a key.
    encode
        `"indicators"`: a boolean column a key. `"longest"`: the value replaced by its longest key,
        the first of those of one length. `"ordinal"`: the number of that key, by support.
        `"binary"`: the pattern of keys that a value holds, as the bits of its number.
        `"contained"`: whole values that occur inside others, a boolean column each.
    tiers
        How often to look for keys again: 2 adds the keys of the keys. With `"longest"` and
        `"ordinal"` a column a tier; else their keys join the first ones'.
    min_rows
        Leave out keys held by fewer rows.
    max_features
        Keep at most so many keys, of the greatest support; None for all.
    trim
        Strip space and punctuation from the ends of keys.
    missing
        What becomes of values without a key in `"longest"`: `"keep"` them, or `"null"`.
    unknown
        `"parse"` values that were not fitted against the keys; or leave them `"ignore"`d: without
        any.
    sparse_output
        Give a scipy CSR matrix of the indicators.
    normalize
        True to compare without case, accents and punctuation; or a function of an Arrow column.

    Attributes
    ----------
    keys_ : pyarrow.Table
        `key, support, tier`: how many rows hold each.

    Notes
    -----
    The keys of both kinds come from one suffix array, linear in the text; parsing is one pass of an
    automaton over the distinct values.

    Examples
    --------
    >>> vendors = ["Cisco Systems", "Cisco SPVTG", "Cisco-Linksys", "Intel"]
    >>> encoder = OverlapEncoder(keys="per_value", min_length=4).fit(vendors)
    >>> encoder.keys_["key"].to_pylist()
    ['Cisco', 'Cisco S']
    >>> encoder.transform(["Cisco Meraki", "Unknown"]).tolist()
    [[True, False], [False, False]]
    """

    def __init__(
        self,
        *,
        keys: Literal["maximal", "per_value"] = "per_value",
        min_length: int = 5,
        encode: Literal["indicators", "longest", "ordinal", "binary", "contained"] = "indicators",
        tiers: int = 1,
        min_rows: int = 2,
        max_features: int | None = 100,
        trim: bool = False,
        missing: Literal["keep", "null"] = "keep",
        unknown: Literal["parse", "ignore"] = "parse",
        sparse_output: bool = False,
        normalize: Normalize = False,
    ) -> None:
        self.keys = keys
        self.min_length = min_length
        self.encode = encode
        self.tiers = tiers
        self.min_rows = min_rows
        self.max_features = max_features
        self.trim = trim
        self.missing = missing
        self.unknown = unknown
        self.sparse_output = sparse_output
        self.normalize = normalize

    def _check(self) -> None:
        for name, known in (
            ("keys", ("maximal", "per_value")),
            ("encode", ("indicators", "longest", "ordinal", "binary", "contained")),
            ("missing", ("keep", "null")),
            ("unknown", ("parse", "ignore")),
        ):
            if getattr(self, name) not in known:
                raise InvalidInput(f"{name} is {getattr(self, name)!r}: give one of {known}")
        for name in ("min_length", "tiers", "min_rows"):
            if as_option(getattr(self, name), name, required=True) == 0:
                raise InvalidInput(f"{name} is 0: give 1 or more")
        if as_option(self.max_features, "max_features") == 0:
            raise InvalidInput("max_features is 0: give 1 or more, or None for all")
        if self.sparse_output and self.encode not in ("indicators", "contained"):
            raise InvalidInput(f"sparse_output is for indicators, and encode is {self.encode!r}")

    def _found(self, values: pa.Array[Any]) -> list[str]:
        if self.encode == "contained":
            texts = [text for text in values.to_pylist() if text and len(text) >= self.min_length]
            if not texts:
                return []
            inside = Counter(at for held in _held(texts, values).to_pylist() for at in held or ())
            return [texts[at] for at, count in inside.items() if count > 1]
        found = _pa.table(_core.overlap_keys(values, self.min_length, self.keys, None))
        keys = found["key"].to_pylist()
        if self.trim:
            stripped = dict.fromkeys(_EDGES.sub("", key) for key in keys)
            keys = [key for key in stripped if len(key) >= self.min_length]
        return keys

    def fit(self, X: Any, y: Any = None) -> OverlapEncoder:  # noqa: N803
        """Learn the keys of a column.

        Parameters
        ----------
        X
            The column.
        y
            Not used.

        Raises
        ------
        InvalidInput
            If an option cannot be meant.
        UnsupportedType
            If the column is not text.

        Examples
        --------
        >>> OverlapEncoder(min_length=3).fit(["abc1", "abc2"]).keys_["support"].to_pylist()
        [2]
        """
        self._check()
        column = self._column(X, fitting=True)
        counted = _pc.value_counts(_pc.drop_null(column))
        values, counts = counted.field("values"), counted.field("counts").to_numpy()
        self._fitted = set(values.to_pylist())
        tiers: list[list[str]] = []
        support: dict[str, int] = {}
        source = values
        for _ in range(self.tiers):
            keys = [key for key in self._found(source) if key not in support]
            if not keys:
                break
            matrix = _matrix(_held(keys, values), len(keys))
            rows = np.asarray(matrix.T.astype(np.int64) @ counts).ravel().tolist()
            kept = [(key, n) for key, n in zip(keys, rows, strict=True) if n >= self.min_rows]
            support |= dict(kept)
            tiers.append([key for key, _ in kept])
            source = _pa.array(tiers[-1], pa.large_string())
        # By support, the most first, then by length and letters.
        order = sorted(support, key=lambda key: (-support[key], -len(key), key))
        chosen = order[: self.max_features]
        tier = {key: number for number, keys in enumerate(tiers) for key in keys}
        self.keys_ = _pa.table(
            {
                "key": _pa.array(chosen, pa.large_string()),
                "support": _pa.array([support[key] for key in chosen], pa.uint64()),
                "tier": _pa.array([tier[key] + 1 for key in chosen], pa.uint64()),
            }
        )
        self._keys = chosen
        self._tier = [tier[key] for key in chosen]
        self._patterns: dict[tuple[int, ...], int] = {}
        if self.encode == "binary":
            patterns = Counter[tuple[int, ...]]()
            for held, count in zip(self._parsed(values), counts.tolist(), strict=True):
                patterns[held] += count
            ranked = sorted(patterns, key=lambda pattern: (-patterns[pattern], pattern))
            self._patterns = {pattern: at for at, pattern in enumerate(ranked)}
        return self

    def _parsed(self, values: pa.Array[Any]) -> list[tuple[int, ...]]:
        if not self._keys:
            return [() for _ in values]
        held = [tuple(one or ()) for one in _held(self._keys, values).to_pylist()]
        if self.unknown == "ignore":
            texts = values.to_pylist()
            held = [
                one if text in self._fitted else () for one, text in zip(held, texts, strict=True)
            ]
        return held

    def _names(self) -> list[str]:
        match self.encode:
            case "longest" | "ordinal":
                return [f"{self._name}_{tier + 1}" for tier in range(self.tiers)]
            case "binary":
                return [f"{self._name}_bit{bit}" for bit in range(self._bits())]
        return [f"{self._name}_{key}" for key in self._keys]

    def _bits(self) -> int:
        # One number more, for a pattern that was not fitted.
        return max(1, len(self._patterns).bit_length())

    def transform(self, X: Any) -> Any:  # noqa: N803
        """Encode a column by the keys that were learned.

        Parameters
        ----------
        X
            The column.

        Returns
        -------
        table, or 2D array for lists and NumPy
            As `encode` says: `bool` indicators, `large_string` keys, `int64` ordinals (0 for no
            key), `bool` bits. A null holds no key, and is null where it is replaced. A scipy CSR
            matrix with `sparse_output`.

        Raises
        ------
        InvalidInput
            If there is more than one column.
        UnsupportedType
            If the column is not text.

        Examples
        --------
        >>> encoder = OverlapEncoder(min_length=3, encode="longest").fit(["abc1", "abc2"])
        >>> encoder.transform(["xabc", "none", None]).tolist()
        [['abc'], ['none'], [None]]
        """
        check_is_fitted(self)
        column = self._column(X)
        coded = _pc.dictionary_encode(column)
        values, codes = coded.dictionary.cast(pa.large_string()), coded.indices
        names = self._names()
        if self.encode in ("indicators", "contained"):
            matrix = self._indicators(values, codes)
            if self.sparse_output:
                return matrix
            dense = matrix.toarray().astype(bool)
            if library(X) == "arrow" and not isinstance(X, pa.Array | pa.ChunkedArray | pa.Table):
                return dense
            columns = {name: _pa.array(dense[:, at]) for at, name in enumerate(names)}
            return self._given(columns, X)
        held = self._parsed(values)
        if self.encode == "binary":
            return self._given(self._in_bits(held, codes, names), X)
        rank = {key: at + 1 for at, key in enumerate(self._keys)}
        columns = {}
        texts = values.to_pylist()
        current: list[str | None] = texts
        for tier, name in enumerate(names):
            found = [self._longest(one, tier) for one in held]
            if self.encode == "ordinal":
                made = _pa.array([rank.get(key or "", 0) for key in found], pa.int64())
            else:
                kept = current if self.missing == "keep" else [None] * len(texts)
                current = [key or old for key, old in zip(found, kept, strict=True)]
                made = _pa.array(current, pa.large_string())
            taken = made.take(codes)
            columns[name] = _pc.fill_null(taken, 0) if self.encode == "ordinal" else taken
        return self._given(columns, X)

    def _indicators(self, values: pa.Array[Any], codes: Any) -> Any:
        held = self._parsed(values)
        ends = np.cumsum([0, *map(len, held)])
        places = np.array([at for one in held for at in one], np.int64)
        shape = (len(held) + 1, len(self._keys))
        ends = np.append(ends, ends[-1])  # a row for nulls
        ones = np.ones(len(places), np.int8)
        matrix = sparse.csr_matrix((ones, places, ends), shape=shape)
        return matrix[_pc.fill_null(codes, len(held)).to_numpy()]

    def _longest(self, held: tuple[int, ...], tier: int) -> str | None:
        keys = [self._keys[at] for at in held if self._tier[at] == tier]
        return min(keys, key=lambda key: (-len(key), key), default=None)

    def _in_bits(
        self, held: list[tuple[int, ...]], codes: Any, names: list[str]
    ) -> dict[str, pa.Array[Any]]:
        other = len(self._patterns)
        numbers = _pa.array([self._patterns.get(one, other) for one in held], pa.int64())
        missing = self._patterns.get((), other)
        filled = np.asarray(_pc.fill_null(numbers.take(codes), missing).to_numpy())
        return {name: _pa.array((filled >> bit & 1) == 1) for bit, name in enumerate(names)}

    def inverse_transform(self, X: Any) -> pa.Array[Any]:  # noqa: N803
        """Give of each row the longest key that its encoding says it held; null for none.

        Parameters
        ----------
        X
            What `transform` gave: the values themselves are lost.

        Returns
        -------
        pyarrow.Array
            `large_string`.

        Examples
        --------
        >>> encoder = OverlapEncoder(min_length=3).fit(["abc1", "abc2"])
        >>> encoder.inverse_transform(encoder.transform(["abc9", "x"])).to_pylist()
        ['abc', None]
        """
        check_is_fitted(self)
        if sparse.issparse(X):
            rows = X.toarray()
        elif is_table(X):
            table = as_table(X, "X")
            rows = [*zip(*(column.to_pylist() for column in table.columns), strict=True)]
        else:
            rows = X
        width = len(self._names())
        if len(rows) and len(rows[0]) != width:
            raise InvalidInput(f"X has {len(rows[0])} columns and {width} were given by transform")
        patterns = {number: pattern for pattern, number in self._patterns.items()}
        found: list[str | None] = []
        for row in rows:
            if self.encode == "longest":
                found.append(row[0])
            elif self.encode == "ordinal":
                found.append(self._keys[int(row[0]) - 1] if row[0] else None)
            else:
                held = [at for at, one in enumerate(row) if one]
                if self.encode == "binary":
                    held = [*patterns.get(sum(1 << bit for bit in held), ())]
                keys = [self._keys[at] for at in held]
                found.append(min(keys, key=lambda key: (-len(key), key), default=None))
        return _pa.array(found, pa.large_string())


class NumberExtractor(_OneColumn):
    """Take the numbers out of texts, as columns of floats with nulls.

    Nothing is learned but, for `which="all"`, how many columns there are: later data is read as the
    first was.

    Parameters
    ----------
    style
        `"plain"`: 1234.5. `"comma"`: 1,234.5. `"european"`: 1.234,5 and 1 234,5.
    which
        `"first"`, `"longest"` (the most digits) or `"all"`.
    units
        Take only numbers of these units, case aside, such as `["$", "kg"]`: a currency sign before
        the number, or a sign or a word after it.
    as_text
        Give the numbers as they are written, leading zeros kept.

    Notes
    -----
    A sign counts where nothing that is a letter, a digit or a closing bracket stands before it:
    "12-13" holds 12 and 13. There are no exponents: "4E5" holds 4 and 5.

    Examples
    --------
    >>> NumberExtractor(style="comma").fit_transform(["No. 1,200", "none"]).tolist()
    [[1200.0], [nan]]
    """

    def __init__(
        self,
        *,
        style: Literal["plain", "comma", "european"] = "plain",
        which: Literal["first", "longest", "all"] = "first",
        units: Sequence[str] | None = None,
        as_text: bool = False,
    ) -> None:
        self.style = style
        self.which = which
        self.units = units
        self.as_text = as_text

    def fit(self, X: Any, y: Any = None) -> NumberExtractor:  # noqa: N803
        """Learn how many columns there are.

        Parameters
        ----------
        X
            The column.
        y
            Not used.

        Raises
        ------
        InvalidInput
            If an option cannot be meant.
        UnsupportedType
            If the column is not text.

        Examples
        --------
        >>> NumberExtractor(which="all").fit(["1 and 2"]).n_numbers_
        2
        """
        if isinstance(self.units, str):
            raise UnsupportedType(f"units is {self.units!r}: give a list of units")
        found = self._numbers(self._column(X, fitting=True))
        self.n_numbers_ = 1
        if self.which == "all":
            self.n_numbers_ = max(Counter(row for row, _ in found).values(), default=1)
        return self

    def _numbers(self, column: pa.Array[Any]) -> list[tuple[int, Any]]:
        which = self.which if self.units is None else "all"
        if self.which not in ("first", "longest", "all"):
            raise InvalidInput(f"which is {self.which!r}: give first, longest or all")
        table = _pa.table(_core.extract_numbers(column, self.style, which, None))
        if self.units is not None:
            wanted = _pa.array([unit.lower() for unit in self.units], pa.large_string())
            table = table.filter(_pc.is_in(_pc.utf8_lower(table["unit"]), value_set=wanted))
        rows = table["row"].to_pylist()
        values = table["text" if self.as_text else "value"].to_pylist()
        found = list(zip(rows, values, strict=True))
        if self.units is None or self.which == "all":
            return found
        digits = [sum(c.isdigit() for c in text) for text in table["text"].to_pylist()]
        best: dict[int, tuple[int, Any]] = {}
        for (row, value), count in zip(found, digits, strict=True):
            if row not in best or (self.which == "longest" and count > best[row][0]):
                best[row] = (count, value)
        return [(row, value) for row, (_, value) in best.items()]

    def _names(self) -> list[str]:
        if self.which != "all":
            return [f"{self._name}_number"]
        return [f"{self._name}_number{at + 1}" for at in range(self.n_numbers_)]

    def transform(self, X: Any) -> Any:  # noqa: N803
        """Take the numbers out of a column.

        Parameters
        ----------
        X
            The column.

        Returns
        -------
        table, or 2D array for lists and NumPy
            `double` columns (`large_string` with `as_text`), null, or NaN in NumPy, where there is
            no number. Numbers beyond the columns that were fitted are left out.

        Examples
        --------
        >>> extractor = NumberExtractor(which="all", style="european").fit(["1,5 2"])
        >>> extractor.transform(pa.array(["3.000,25", None])).to_pydict()
        {'x0_number1': [3000.25, None], 'x0_number2': [None, None]}
        """
        check_is_fitted(self)
        column = self._column(X)
        made: list[list[Any]] = [[None] * len(column) for _ in range(self.n_numbers_)]
        counts: Counter[int] = Counter()
        for row, value in self._numbers(column):
            if counts[row] < self.n_numbers_:
                made[counts[row]][row] = value
            counts[row] += 1
        dtype = pa.large_string() if self.as_text else pa.float64()
        columns = zip(self._names(), made, strict=True)
        return self._given({name: _pa.array(values, dtype) for name, values in columns}, X)


class SubstringSearch(_OneColumn):
    """Say which given substrings occur in each value, in one pass whatever their number.

    Parameters
    ----------
    substrings
        A list of substrings, or a mapping of names to a substring or a list of aliases, any of
        which counts.
    ignore_case
        Let ASCII letters of either case be the same.
    encode
        `"indicators"`: a boolean column a name. `"first"`: the first name, in the order given, that
        occurs.
    normalize
        True to compare without case, accents and punctuation, or a function of an Arrow column:
        of values and substrings alike.

    Examples
    --------
    >>> search = SubstringSearch({"cisco": "Cisco", "legal": ["Inc", "LLC", "Ltd"]})
    >>> search.fit_transform(["Cisco Systems, Inc", "Intel"]).tolist()
    [[True, True], [False, False]]
    """

    def __init__(
        self,
        substrings: Sequence[str] | Mapping[str, str | Sequence[str]] = (),
        *,
        ignore_case: bool = False,
        encode: Literal["indicators", "first"] = "indicators",
        normalize: Normalize = False,
    ) -> None:
        self.substrings = substrings
        self.ignore_case = ignore_case
        self.encode = encode
        self.normalize = normalize

    def fit(self, X: Any, y: Any = None) -> SubstringSearch:  # noqa: N803
        """Read the substrings; of the column only its name.

        Parameters
        ----------
        X
            The column.
        y
            Not used.

        Raises
        ------
        InvalidInput
            If a substring is empty, or an option cannot be meant.
        UnsupportedType
            If the substrings are neither a list nor a mapping.

        Examples
        --------
        >>> SubstringSearch(["a"]).fit(["abc"]).get_feature_names_out().tolist()
        ['x0_a']
        """
        if self.encode not in ("indicators", "first"):
            raise InvalidInput(f'encode is {self.encode!r}: give "indicators" or "first"')
        if isinstance(self.substrings, str) or not isinstance(self.substrings, Mapping | Sequence):
            raise UnsupportedType(f"substrings is {self.substrings!r}: give a list, or a mapping")
        given = self.substrings
        if not isinstance(given, Mapping):
            given = {text: text for text in given}
        named = {
            name: [texts] if isinstance(texts, str) else list(texts)
            for name, texts in given.items()
        }
        self._column(X, fitting=True)
        self._groups = list(named)
        self._texts = [text for texts in named.values() for text in texts]
        self._group = [at for at, texts in enumerate(named.values()) for _ in texts]
        if self.normalize is not False and self._texts:
            texts = _pa.array(self._texts, pa.large_string())
            made = normalised(texts) if self.normalize is True else self.normalize(texts)
            self._texts = text_column(made, "substrings").to_pylist()
        if not all(self._texts):
            raise InvalidInput("substrings holds an empty one: leave it out")
        self.fitted_ = True
        return self

    def _names(self) -> list[str]:
        if self.encode == "first":
            return [self._name]
        return [f"{self._name}_{group}" for group in self._groups]

    def transform(self, X: Any) -> Any:  # noqa: N803
        """Search a column.

        Parameters
        ----------
        X
            The column.

        Returns
        -------
        table, or 2D array for lists and NumPy
            `bool` columns, false for nulls; or one `large_string`, null where none occurs.

        Examples
        --------
        >>> search = SubstringSearch(["b", "a"], encode="first").fit(["x"])
        >>> search.transform(["ab", "x"]).tolist()
        [['b'], [None]]
        """
        check_is_fitted(self)
        column = self._column(X)
        found = [set[int]() for _ in column]
        if self._texts:
            for row, held in enumerate(_held(self._texts, column, self.ignore_case).to_pylist()):
                found[row] = {self._group[at] for at in held or ()}
        if self.encode == "first":
            first = [self._groups[min(one)] if one else None for one in found]
            return self._given({self._name: _pa.array(first, pa.large_string())}, X)
        columns = {
            name: _pa.array([at in one for one in found], pa.bool_())
            for at, name in enumerate(self._names())
        }
        if not columns:
            return np.zeros((len(column), 0), bool)
        return self._given(columns, X)


class Consolidate(_OneColumn):
    """Make categories of one another by a mapping, or by clusters of names that mean the same.

    Parameters
    ----------
    mapping
        Of each category its spellings: `{"Germany": ["DE", "Deutschland"]}`; or `"names"` to learn
        clusters with `bowstring.link.deduplicate_names`, whose representatives the categories are.
    other
        What becomes of values that are in none: None keeps them; a text replaces them.
    threshold
        Of learned clusters, as `deduplicate_names` has it.
    normalize
        True to compare spellings without case, accents and punctuation.

    Attributes
    ----------
    mapping_ : dict
        Of each spelling its category.

    Examples
    --------
    >>> Consolidate({"Germany": ["DE", "Deutschland"]}).fit_transform(["de", "France"]).tolist()
    [['Germany'], ['France']]
    """

    def __init__(
        self,
        mapping: Mapping[str, Sequence[str]] | Literal["names"] = "names",
        *,
        other: str | None = None,
        threshold: float | Literal["auto"] = "auto",
        normalize: Normalize = True,
    ) -> None:
        self.mapping = mapping
        self.other = other
        self.threshold = threshold
        self.normalize = normalize

    def fit(self, X: Any, y: Any = None) -> Consolidate:  # noqa: N803
        """Read the mapping, or learn clusters of the column.

        Parameters
        ----------
        X
            The column.
        y
            Not used.

        Raises
        ------
        InvalidInput
            If a spelling is of two categories.
        UnsupportedType
            If the mapping is neither one nor `"names"`.

        Examples
        --------
        >>> Consolidate(threshold=0.3).fit(["Intel Corp", "Intel Corp", "INTEL"]).mapping_["intel"]
        'Intel Corp'
        """
        from bowstring.link import deduplicate_names

        keys = self._column(X, fitting=True)
        self.mapping_: dict[str, str] = {}
        if isinstance(self.mapping, Mapping):
            for category, spellings in self.mapping.items():
                texts = [spellings] if isinstance(spellings, str) else list(spellings)
                given = _pa.array([category, *texts], pa.large_string())
                for key in self._normalised(given):
                    if self.mapping_.setdefault(key, category) != category:
                        raise InvalidInput(
                            f"mapping has {key!r} under {self.mapping_[key]!r} and {category!r}"
                        )
        elif self.mapping == "names":
            # The values as they are written: a category is one of them.
            written = self._written(X)
            found = deduplicate_names(keys, threshold=self.threshold, normalize=False)
            representatives: Any = found["representative"].to_pylist()
            for key, at in zip(keys.to_pylist(), representatives, strict=True):
                if key:
                    self.mapping_[key] = written[at]
        else:
            raise UnsupportedType(f'mapping is {self.mapping!r}: give a mapping, or "names"')
        return self

    def _normalised(self, values: pa.Array[Any]) -> Any:
        if self.normalize is False:
            return values.to_pylist()
        made = normalised(values) if self.normalize is True else self.normalize(values)
        return text_column(made, "mapping").to_pylist()

    def _written(self, data: Any) -> list[str]:
        normalize, self.normalize = self.normalize, False
        try:
            return self._column(data).to_pylist()
        finally:
            self.normalize = normalize

    def _names(self) -> list[str]:
        return [self._name]

    def transform(self, X: Any) -> Any:  # noqa: N803
        """Replace each value by its category.

        Parameters
        ----------
        X
            The column.

        Returns
        -------
        table, or 2D array for lists and NumPy
            One `large_string` column; nulls stay.

        Examples
        --------
        >>> one = Consolidate({"yes": ["y", "true"]}, other="no").fit(["y"])
        >>> one.transform(["TRUE", "maybe", None]).tolist()
        [['yes'], ['no'], [None]]
        """
        check_is_fitted(self)
        keys = self._column(X).to_pylist()
        made = [
            None
            if text is None
            else self.mapping_.get(key, text if self.other is None else self.other)
            for key, text in zip(keys, self._written(X), strict=True)
        ]
        return self._given({self._name: _pa.array(made, pa.large_string())}, X)
