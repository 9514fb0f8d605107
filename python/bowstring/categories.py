"""Clean messy category columns: what their values share, the numbers in them, given substrings.

Fitted on one column and applied to later ones without learning anew; every class is a scikit-learn
estimator of one column of text, and takes columns of pyarrow, polars, pandas, NumPy and lists.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse
from sklearn.utils.validation import check_is_fitted

from bowstring import _core
from bowstring.columns import as_option, check_flags
from bowstring.errors import InvalidInput, UnsupportedType
from bowstring.estimators import Normalize, OneColumn
from bowstring.frames import as_table, as_texts, is_table, normalised_by
from bowstring.profiles import Profile, profile

__all__ = [
    "Consolidate",
    "NumberExtractor",
    "OverlapEncoder",
    "Profile",
    "SubstringSearch",
    "TextNormalizer",
    "profile",
]

# What pyarrow's stubs do not know, or know wrongly.
_pa: Any = pa
_pc: Any = pc


def _trim(text: str) -> str:
    """Strip space and punctuation, of Unicode's categories Z and P, from both ends."""
    kept = [at for at, one in enumerate(text) if not _is_edge(one)]
    return text[kept[0] : kept[-1] + 1] if kept else ""


def _is_edge(one: str) -> bool:
    return one.isspace() or unicodedata.category(one)[0] in "PZ"


def _held(texts: Any, values: pa.Array[Any], ignore_case: bool = False) -> Any:
    """Give the numbers of the texts that each value holds, ascending, as lists."""
    needles = _pa.array(texts, pa.large_string())
    return _pa.array(_core.held_texts(needles, values, ignore_case, None))


def _matrix(held: Any, columns: int) -> Any:
    """Make lists of column numbers a sparse matrix of ones."""
    offsets = held.offsets.to_numpy() - held.offsets[0].as_py()
    places = held.flatten().to_numpy()
    ones = np.ones(len(places), np.int8)
    return sparse.csr_matrix((ones, places, offsets), shape=(len(held), columns))


class OverlapEncoder(OneColumn):
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
        `"contained"`: whole values of `min_length` and more that occur inside others, a boolean
        column each.
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
    `transform` gives `bool` indicators, `large_string` keys, `int64` ordinals (0 for no key) or
    `bool` bits; with `sparse_output` a scipy CSR matrix. A null holds no key, and is null where it
    is replaced. The keys of both kinds come from the suffixes in order, near-linear in the text;
    parsing is one pass of an automaton over the distinct values.

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
        check_flags(trim=self.trim)
        if self.sparse_output and self.encode not in ("indicators", "contained"):
            raise InvalidInput(f"sparse_output is for indicators, and encode is {self.encode!r}")

    def _found(self, column: Any) -> Any:
        """Find the keys of a column, and how many of its rows hold each."""
        which = "whole" if self.encode == "contained" else self.keys
        return _pa.table(_core.overlap_keys(column, self.min_length, which, None))

    def _trimmed(self, keys: Sequence[str]) -> list[str]:
        stripped = dict.fromkeys(_trim(key) for key in keys)
        return [key for key in stripped if len(key) >= self.min_length]

    def _learn(self, column: Any, written: Any) -> None:
        counted = _pc.value_counts(_pc.drop_null(column))
        values, counts = counted.field("values"), counted.field("counts").to_numpy()
        self._fitted = set(values.to_pylist()) if self.unknown == "ignore" else set()
        tiers: list[Any] = []
        source: Any = column
        for number in range(self.tiers):
            found = self._found(source)
            keys, rows = found["key"].combine_chunks(), found["rows"].combine_chunks()
            if self.trim:
                keys = _pa.array(self._trimmed(keys.to_pylist()), pa.large_string())
            for tier in tiers:
                new = _pc.invert(_pc.is_in(keys, value_set=tier["key"].combine_chunks()))
                keys = keys.filter(new)
            if not len(keys):
                break
            if self.trim or number:
                matrix = _matrix(_held(keys, values), len(keys))
                rows = _pa.array(
                    np.asarray(matrix.T.astype(np.int64) @ counts).ravel(), pa.uint64()
                )
            lengths = _pc.utf8_length(keys)
            tiers.append(
                _pa.table(
                    {
                        "key": keys,
                        "support": rows,
                        "tier": _pa.array(np.full(len(keys), number + 1), pa.uint64()),
                        "length": lengths,
                    }
                ).filter(_pc.greater_equal(rows, self.min_rows))
            )
            source = tiers[-1]["key"]
            if not len(source):
                break
            source = source.combine_chunks()
        self.keys_: Any = self._chosen(tiers)
        self._keys: list[str] = self.keys_["key"].to_pylist()
        self._tier = [tier - 1 for tier in self.keys_["tier"].to_pylist()]
        self._patterns: dict[tuple[int, ...], int] = {}
        if self.encode == "binary":
            patterns = Counter[tuple[int, ...]]()
            for held, count in zip(self._parsed(values), counts.tolist(), strict=True):
                patterns[held] += count
            ranked = sorted(patterns, key=lambda pattern: (-patterns[pattern], pattern))
            self._patterns = {pattern: at for at, pattern in enumerate(ranked)}

    def _chosen(self, tiers: Sequence[pa.Table]) -> Any:
        """Keep the keys of the greatest support: the longest first, then by their letters."""
        empty = {"key": pa.large_string(), "support": pa.uint64(), "tier": pa.uint64()}
        if not tiers:
            return _pa.table({name: _pa.array([], type) for name, type in empty.items()})
        keys = _pa.concat_tables(tiers)
        order = [("support", "descending"), ("length", "descending"), ("key", "ascending")]
        if self.max_features is None or self.max_features >= len(keys):
            places = _pc.sort_indices(keys, sort_keys=order)
        else:
            places = _pc.select_k_unstable(keys, k=self.max_features, sort_keys=order)
        return keys.take(places).select(list(empty)).combine_chunks()

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

    def _made(self, column: Any, written: Any) -> Any:
        coded = _pc.dictionary_encode(column)
        values, codes = coded.dictionary.cast(pa.large_string()), coded.indices
        if self.encode in ("indicators", "contained"):
            matrix = self._indicators(values, codes)
            if self.sparse_output:
                return matrix
            dense = matrix.toarray().astype(bool)
            return [_pa.array(dense[:, at]) for at in range(dense.shape[1])]
        held = self._parsed(values)
        if self.encode == "binary":
            return self._in_bits(held, codes)
        rank = {key: at + 1 for at, key in enumerate(self._keys)}
        made = []
        texts = values.to_pylist()
        current: list[str | None] = texts
        for tier in range(self.tiers):
            found = [self._longest(one, tier) for one in held]
            if self.encode == "ordinal":
                numbers = _pa.array([rank.get(key or "", 0) for key in found], pa.int64())
                made.append(_pc.fill_null(numbers.take(codes), 0))
            else:
                kept = current if self.missing == "keep" else [None] * len(texts)
                current = [key or old for key, old in zip(found, kept, strict=True)]
                made.append(_pa.array(current, pa.large_string()).take(codes))
        return made

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

    def _in_bits(self, held: list[tuple[int, ...]], codes: Any) -> list[pa.Array[Any]]:
        other = len(self._patterns)
        numbers = _pa.array([self._patterns.get(one, other) for one in held], pa.int64())
        missing = self._patterns.get((), other)
        filled = np.asarray(_pc.fill_null(numbers.take(codes), missing).to_numpy())
        return [_pa.array((filled >> bit & 1) == 1) for bit in range(self._bits())]

    def inverse_transform(self, X: Any) -> pa.Array[Any]:  # noqa: N803
        """Give of each row the longest key of any tier that it is said to have held; else null.

        Parameters
        ----------
        X
            What `transform` gave: the values themselves are lost.

        Returns
        -------
        pyarrow.Array
            `large_string`.

        Raises
        ------
        InvalidInput
            If it has other columns, or the number of a key that there is not.
        UnsupportedType
            If it is neither a table nor a 2D array.

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
        for row in rows:
            if isinstance(row, str) or not hasattr(row, "__len__"):
                raise UnsupportedType(f"X holds {row!r}: give a table or 2D array, as transform")
            if len(row) != width:
                raise InvalidInput(f"X has {len(row)} columns and {width} were given by transform")
        patterns = {number: pattern for pattern, number in self._patterns.items()}
        known = set(self._keys)
        found: list[str | None] = []
        for row in rows:
            if self.encode == "longest":
                keys = [key for key in row if key in known]
            elif self.encode == "ordinal":
                numbers = [int(number or 0) for number in row]
                for number in numbers:
                    if not 0 <= number <= len(self._keys):
                        raise InvalidInput(f"X holds {number}: there are {len(self._keys)} keys")
                keys = [self._keys[number - 1] for number in numbers if number]
            else:
                held = [at for at, one in enumerate(row) if one]
                if self.encode == "binary":
                    held = [*patterns.get(sum(1 << bit for bit in held), ())]
                keys = [self._keys[at] for at in held]
            found.append(min(keys, key=lambda key: (-len(key), key), default=None))
        made: pa.Array[Any] = _pa.array(found, pa.large_string())
        return made


class NumberExtractor(OneColumn):
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
    `transform` gives `double` columns (`large_string` with `as_text`), null, or NaN in NumPy, where
    there is no number. Nothing is learned but, of all numbers, how many columns there are; further
    ones are left out. A sign counts where nothing that is a letter, a digit or a closing bracket
    stands before it: "12-13" holds 12 and 13. One before a currency counts, "-$5" holds -5, and is
    no part of what `as_text` gives. Behind a number there are no signs, "5-" and "(5)" hold 5, and
    no exponents: "4E5" holds 4 and 5.

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

    def _check(self) -> None:
        if self.which not in ("first", "longest", "all"):
            raise InvalidInput(f'which is {self.which!r}: give "first", "longest" or "all"')
        if isinstance(self.units, str):
            raise UnsupportedType(f"units is {self.units!r}: give a list of units")

    def _learn(self, column: Any, written: Any) -> None:
        found = self._numbers(column)
        self.n_numbers_ = 1
        if self.which == "all":
            self.n_numbers_ = max(Counter(row for row, _ in found).values(), default=1)

    def _numbers(self, column: pa.Array[Any]) -> list[tuple[int, Any]]:
        which = self.which if self.units is None else "all"
        table = _pa.table(_core.extract_numbers(column, self.style, which, None))
        if self.units is not None:
            wanted = _pa.array(
                [unit.lower() for unit in as_texts(self.units, "units")], pa.large_string()
            )
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

    def _made(self, column: Any, written: Any) -> Any:
        made: list[list[Any]] = [[None] * len(column) for _ in range(self.n_numbers_)]
        counts: Counter[int] = Counter()
        for row, value in self._numbers(column):
            if counts[row] < self.n_numbers_:
                made[counts[row]][row] = value
            counts[row] += 1
        dtype = pa.large_string() if self.as_text else pa.float64()
        return [_pa.array(values, dtype) for values in made]


class SubstringSearch(OneColumn):
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

    Notes
    -----
    `transform` gives `bool` columns, false for nulls; or one of `large_string`, null where none
    occurs.

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

    def _check(self) -> None:
        if self.encode not in ("indicators", "first"):
            raise InvalidInput(f'encode is {self.encode!r}: give "indicators" or "first"')
        if isinstance(self.substrings, str) or not isinstance(self.substrings, Mapping | Sequence):
            raise UnsupportedType(f"substrings is {self.substrings!r}: give a list, or a mapping")

    def _learn(self, column: Any, written: Any) -> None:
        given = self.substrings
        names = as_texts(given, "substrings")
        if not isinstance(given, Mapping):
            given = {text: text for text in names}
        named = {name: as_texts(texts, "substrings") for name, texts in given.items()}
        self._groups = list(named)
        self._texts = [text for texts in named.values() for text in texts]
        self._group = [at for at, texts in enumerate(named.values()) for _ in texts]
        texts = _pa.array(self._texts, pa.large_string())
        self._texts = normalised_by(self.normalize, texts, "substrings").to_pylist()
        if not all(self._texts):
            raise InvalidInput("substrings holds an empty one: leave it out")
        self.fitted_ = True

    def _names(self) -> list[str]:
        if self.encode == "first":
            return [self._name]
        return [f"{self._name}_{group}" for group in self._groups]

    def _made(self, column: Any, written: Any) -> Any:
        found = [set[int]() for _ in column]
        if self._texts:
            for row, held in enumerate(_held(self._texts, column, self.ignore_case).to_pylist()):
                found[row] = {self._group[at] for at in held or ()}
        if self.encode == "first":
            first = [self._groups[min(one)] if one else None for one in found]
            return [_pa.array(first, pa.large_string())]
        groups = range(len(self._groups))
        return [_pa.array([at in one for one in found], pa.bool_()) for at in groups]


class Consolidate(OneColumn):
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
        True to compare spellings without case, accents and punctuation, or a function of an Arrow
        column.

    Notes
    -----
    `transform` gives one `large_string` column; nulls stay.

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

    def _check(self) -> None:
        if not isinstance(self.mapping, Mapping) and self.mapping != "names":
            raise UnsupportedType(f'mapping is {self.mapping!r}: give a mapping, or "names"')

    def _learn(self, column: Any, written: Any) -> None:
        from bowstring.link import deduplicate_names

        self.mapping_: dict[str, str] = {}
        if isinstance(self.mapping, Mapping):
            for category, spellings in self.mapping.items():
                texts = [category, *as_texts(spellings, "mapping")]
                given = _pa.array(as_texts(texts, "mapping"), pa.large_string())
                for key in normalised_by(self.normalize, given, "mapping").to_pylist():
                    if self.mapping_.setdefault(key, category) != category:
                        raise InvalidInput(
                            f"mapping has {key!r} under {self.mapping_[key]!r} and {category!r}"
                        )
            return
        # A category is one of the values as they are written.
        found = deduplicate_names(column, threshold=self.threshold, normalize=False)
        representatives: Any = found["representative"].to_pylist()
        texts = written.to_pylist()
        for key, at in zip(column.to_pylist(), representatives, strict=True):
            if key:
                self.mapping_[key] = texts[at]

    def _names(self) -> list[str]:
        return [self._name]

    def _made(self, column: Any, written: Any) -> Any:
        made = [
            None
            if text is None
            else self.mapping_.get(key, text if self.other is None else self.other)
            for key, text in zip(column.to_pylist(), written.to_pylist(), strict=True)
        ]
        return [_pa.array(made, pa.large_string())]


class TextNormalizer(OneColumn):
    """Write values the same that differ in case, accents, punctuation or spaces.

    The first step of a pipeline whose later ones should not see the difference.

    Parameters
    ----------
    normalize
        True: without case, accents and punctuation, words by single spaces, as links compare names;
        or a function of an Arrow column, such as `pyarrow.compute.utf8_upper`.
    legal_forms
        Leave out "GmbH", "Inc." and their like, by cleanco's list.

    Notes
    -----
    `transform` gives one `large_string` column; nulls stay. Nothing is learned.

    Raises
    ------
    MissingPackage
        By `fit` and `transform`, if `legal_forms` is set and cleanco is not installed.

    Examples
    --------
    >>> TextNormalizer().fit_transform(["Société  Générale, S.A."]).tolist()
    [['societe generale s a']]
    """

    def __init__(self, *, normalize: Normalize = True, legal_forms: bool = False) -> None:
        self.normalize = normalize
        self.legal_forms = legal_forms

    def _check(self) -> None:
        check_flags(legal_forms=self.legal_forms)

    def _learn(self, column: Any, written: Any) -> None:
        self.fitted_ = True

    def _names(self) -> list[str]:
        return [self._name]

    def _normalised(self, column: Any) -> Any:
        from bowstring.link import prepared

        return prepared(column, self.normalize, self.legal_forms, "X")

    def _made(self, column: Any, written: Any) -> Any:
        return [column.cast(pa.large_string())]
