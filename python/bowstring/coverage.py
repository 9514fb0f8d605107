"""How much of texts stands in a reference: n-gram coverage, creativity, what is copied."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from bowstring import _core
from bowstring.columns import TEXT, TOKENS, as_array, as_option, as_queries, one_chunk, widest
from bowstring.contamination import _corpus
from bowstring.errors import InvalidInput, MissingPackage, UnsupportedType
from bowstring.index import Index, Progress
from bowstring.index import index as make_index
from bowstring.report import progress_callback

# What pyarrow's stubs do not know, or know wrongly.
_pa: Any = pa
_pc: Any = pc

Unit = Literal["word", "character"]


def coverage(
    reference: Any,
    texts: Any,
    n: int | Iterable[int] = range(1, 6),
    *,
    unit: Unit | None = None,
    threads: int | None = None,
) -> pa.Table:
    """Measure how much of texts occurs in a reference, in n-grams of each length.

    Parameters
    ----------
    reference
        An index, or a column to make one of.
    texts
        A text (or list of tokens), or a column of them.
    n
        Units of an n-gram, or several.
    unit
        `"word"`: runs of letters, digits and underscores, with what stands between them; the
        default for text. `"character"`; bytes, of a binary column. Of tokens: leave it out.
    threads
        Threads to use; all by default.

    Returns
    -------
    pyarrow.Table
        `n, units, grams, found, covered: uint64, found_share, covered_share: double`, a row for
        each length, behind a leading `query: uint64` when `texts` is a column; null texts have
        none.
        `found` of the text's `grams` n-grams occur, overlapping ones included; `covered` of its
        `units` units lie in one that does. Shares are null of texts without n-grams, or units.

    Raises
    ------
    InvalidInput
        If a length is 0, or `unit` is given for tokens.
    UnsupportedType
        If a text is of another kind than the reference.

    Notes
    -----
    One pass of matching statistics over each text, whatever the lengths, O(log n) a symbol. A word
    n-gram starts and ends where words of the text do, and in the reference may stand within longer
    words, as infini-gram's strings do; make columns of tokens where words must be whole there.

    Examples
    --------
    >>> import bowstring as bow
    >>> found = bow.coverage(["to be or not to be"], "not to be, or to be", [1, 2, 3])
    >>> found["found"].to_pylist(), found["covered"].to_pylist()
    ([6, 3, 1], [6, 5, 3])
    """
    index = reference if isinstance(reference, Index) else make_index(reference)
    core = index._core
    if unit not in (None, "word", "character"):
        raise InvalidInput(f'unit is {unit!r}: give "word" or "character"')
    tokens = core.info()["column"] == "tokens"
    if tokens and unit is not None:
        raise InvalidInput(f"unit is {unit!r}, and the reference is of tokens: leave unit out")
    given = [n] if isinstance(n, int) else list(n)
    lengths = [as_option(one, "n", required=True) for one in given]
    if not lengths or 0 in lengths:
        raise InvalidInput(f"n is {n!r}: give 1 or more, or several")
    queries, _ = as_queries(texts, core, "texts")
    words = not tokens and unit != "character"
    found = pa.table(_core.coverage(core, queries, lengths, words, as_option(threads, "threads")))
    for name, of in (("found", "grams"), ("covered", "units")):
        found = found.append_column(f"{name}_share", _share(found[name], found[of]))
    return found


def creativity(
    reference: Any,
    texts: Any,
    lengths: Iterable[int] = range(5, 13),
    *,
    unit: Unit | None = None,
    threads: int | None = None,
) -> Any:
    """Measure the creativity index of texts: what of them no n-gram of a reference covers.

    Parameters
    ----------
    reference, texts, unit, threads
        As `coverage` has them.
    lengths
        The lengths L over which to sum; 5 to 12 in Lu et al. (2025).

    Returns
    -------
    float or pyarrow.DoubleArray
        The sum over L of the share of units that lie in no n-gram of L units or more which occurs:
        from 0, all of it is copied, to the number of lengths; null of texts without units.

    Raises
    ------
    InvalidInput, UnsupportedType
        As `coverage`.

    Notes
    -----
    The exact index of verbatim matches; that of near-verbatim ones needs word vectors, and is not
    supported.

    Examples
    --------
    >>> import bowstring as bow
    >>> bow.creativity(["to be or not to be"], "to be or not", [2, 5])
    1.0
    """
    sizes = list(lengths)
    found = coverage(reference, texts, sizes, unit=unit, threads=threads)
    missing = _pc.subtract(1.0, found["covered_share"])
    if "query" not in found.column_names:
        return _pc.sum(missing, skip_nulls=False).as_py()
    sums: dict[int, float] = {}
    queries: Any = found["query"].to_pylist()
    for query, share in zip(queries, missing.to_pylist(), strict=True):
        if share is not None:
            sums[query] = sums.get(query, 0.0) + share
    count = len(texts) if hasattr(texts, "__len__") else max(sums, default=-1) + 1
    return pa.array([sums.get(at) for at in range(count)], pa.float64())


def copied(
    reference: Any,
    texts: Any,
    *,
    column: str | None = None,
    unit: Unit | None = None,
    min_length: int | None = None,
    mismatches: int = 0,
    edits: int = 0,
    subsequence: bool = False,
    threads: int | None = None,
    progress: Progress = None,
) -> pa.Table:
    """Find the longest part of each text that stands in a reference, exactly or nearly.

    Parameters
    ----------
    reference
        An index, of which the rows are read, or anything that holds a column.
    texts
        A column of texts, or of lists of tokens.
    column
        The reference's column, where it has several.
    unit
        `"word"`, by whitespace, which is the default for text; or `"character"`. Of tokens: leave
        it out.
    min_length
        Units that are alike without a gap, at least: the seed of a match. By default 3 words, 8
        characters or 3 tokens.
    mismatches
        Units that may differ: the longest match of that Hamming distance around an exact seed.
    edits
        Units that may differ, be missing or be too many: the longest match of that edit distance
        around an exact seed. Give one of the two.
    subsequence
        Add `lcs`, the units of the longest common subsequence of the text and the row of its
        longest match, and `rouge_l`, its F-measure (Lin 2004); needs the package rapidfuzz.
    threads
        Threads to use; all by default.
    progress
        True for a bar, or a callable that takes the phase, the units done and the total.

    Returns
    -------
    pyarrow.Table
        A row a text: `units, length: uint64, share: double, start, stop, row, row_start, row_stop:
        uint64`. The match has `length` of the text's `units` units, from symbol `start` to `stop`
        of the text, and `row_start` to `row_stop` of the row, of more or fewer units where there
        are edits. Length 0 and null places where none is as long as `min_length`.

    Raises
    ------
    InvalidInput
        If `min_length` is 0, `unit` is given for tokens, or both mismatches and edits are.
    UnsupportedType
        If texts and reference are not of one kind.
    MissingPackage
        If `subsequence` is asked without rapidfuzz.

    Notes
    -----
    One pass over the reference; around each seed O(length) time, or O(k²) beside the units alike
    on the way for k edits (Ukkonen 1985). A match begins and ends where text and row are alike. Of
    matches as long the first of the text counts, where it first stands.

    Examples
    --------
    >>> import bowstring as bow
    >>> found = bow.copied(["it was the best of times"], ["was the worst of times"], mismatches=1,
    ...                    min_length=2)
    >>> found.select(["length", "share", "row_start"]).to_pylist()
    [{'length': 5, 'share': 1.0, 'row_start': 3}]
    >>> bow.copied(["it was the very best of times"], ["it was the best of times"], edits=1,
    ...            min_length=2)["length"].to_pylist()
    [6]
    """
    size = 0 if min_length is None else as_option(min_length, "min_length", required=True)
    if min_length is not None and size == 0:
        raise InvalidInput("min_length is 0: give 1 or more")
    if unit not in (None, "word", "character"):
        raise InvalidInput(f'unit is {unit!r}: give "word" or "character"')
    differing = as_option(mismatches, "mismatches", required=True)
    altered = as_option(edits, "edits", required=True)
    if differing and altered:
        raise InvalidInput(
            f"mismatches is {differing} and edits is {altered}: give one of them, edits are both"
        )
    if isinstance(texts, str | bytes):
        raise UnsupportedType("texts is one text: give a column, as [text]")
    array = one_chunk(as_array(texts, "texts"))
    type = widest(array.type)
    if type is None:
        raise UnsupportedType(f"texts is a column of {array.type}: give text or tokens")
    array = array.cast(TEXT if pa.types.is_null(type) else type)
    tokens = type == TOKENS
    if tokens and unit is not None:
        raise InvalidInput(f"unit is {unit!r}, and texts are tokens: leave unit out")
    units = "tokens" if tokens else "characters" if unit == "character" else "words"
    held, again = _corpus(reference, column)
    numbers = pa.array(range(len(array)), pa.uint64())
    with progress_callback(progress) as callback:
        table, _ = _core.contamination(
            held,
            array,
            numbers,
            units,
            size or (8 if units == "characters" else 3),
            False,
            True,
            False,
            differing or altered,
            altered > 0,
            True,
            (1, None),
            1,
            as_option(threads, "threads"),
            callback,
        )
    found = pa.table(table)
    result: pa.Table = _pa.table(
        {
            "units": found["units"],
            "length": found["longest"],
            "share": _share(found["longest"], found["units"]),
            **{name: found[name] for name in ("start", "stop", "row", "row_start", "row_stop")},
        }
    )
    if subsequence:
        for name, values in _subsequences(array, again, result, units).items():
            result = result.append_column(name, values)
    return result


def _subsequences(
    texts: Any, reference: Any, found: pa.Table, units: str
) -> dict[str, pa.Array[Any]]:
    """Compare each text with the row of its longest match."""
    try:
        from rapidfuzz.distance import LCSseq
    except ImportError as error:
        raise MissingPackage(
            "subsequence needs the package rapidfuzz: pip install 'bowstring[coverage]'"
        ) from error
    if reference is None:
        raise UnsupportedType(
            "subsequence asks a reference again that can be read once only: give an index or array"
        )

    def split(value: Any) -> Sequence[Any]:
        return value.split() if units == "words" else value  # type: ignore[no-any-return]

    lengths: list[int | None] = []
    measures: list[float | None] = []
    for text, row in zip(texts.to_pylist(), found["row"].to_pylist(), strict=True):
        if text is None or row is None:
            lengths.append(None)
            measures.append(None)
            continue
        other = reference.text([row])[0] if isinstance(reference, Index) else reference[row]
        left, right = split(text), split(other.as_py())
        length = LCSseq.similarity(left, right)
        lengths.append(length)
        # 2PR / (P + R), of which both have the length above.
        measures.append(2 * length / (len(left) + len(right)))
    return {"lcs": pa.array(lengths, pa.uint64()), "rouge_l": pa.array(measures, pa.float64())}


def _share(part: Any, of: Any) -> Any:
    whole = _pc.cast(of, pa.float64())
    whole = _pc.if_else(_pc.equal(whole, 0.0), None, whole)
    return _pc.divide(_pc.cast(part, pa.float64()), whole)
