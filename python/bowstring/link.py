"""Join tables on names that mean the same, and find the same name twice in a column.

Similarity weighs every shared word and 3-gram by how informative it is in the data at hand, so that
"corporation" says nothing and "Xilinx" all. Rows of several columns are linked by the evidence of
each (Fellegi and Sunter 1969), learned without labels.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any, Literal, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from bowstring import _core
from bowstring.aliases import AliasNetwork
from bowstring.columns import as_float, as_option, check_flags, one_chunk, parse_bytes
from bowstring.errors import InvalidInput, MissingPackage, UnsupportedType
from bowstring.frames import (
    as_table,
    cast_text,
    chosen,
    is_table,
    like,
    normalised_by,
    text_column,
    values,
)
from bowstring.plot import check_matplotlib, check_path
from bowstring.report import progress_callback

__all__ = [
    "AliasNetwork",
    "Evaluation",
    "Explanation",
    "Linkage",
    "deduplicate_names",
    "evaluate",
    "explain",
    "join",
    "link",
]

# What pyarrow's stubs do not know, or know wrongly.
_pa: Any = pa
_pc: Any = pc

How: TypeAlias = Literal["inner", "left", "full", "anti"]
Relation: TypeAlias = Literal["best", "one_to_one", "many"]
Normalize: TypeAlias = bool | Callable[["pa.Array[Any]"], Any]
Threshold: TypeAlias = float | Literal["auto"]


@dataclass(frozen=True)
class Explanation:
    """Why two rows are as alike as they are."""

    score: float
    """Their score, from 0 to 1."""
    left: str
    """The row on the left, as it was compared."""
    right: str
    """The row on the right, as it was compared."""
    table: pa.Table
    """Of names, `left, right, similarity, bits, score`, a row a pair of words, the most telling
    first; of several columns `column, left, right, agreement, bits`."""
    grams: float | None = None
    """What shared 3-grams add to the score of names."""

    def __str__(self) -> str:
        lines = [f"{self.left} ~ {self.right}: {self.score:.3f}"]
        for row in self.table.to_pylist():
            if self.grams is None:
                lines.append(
                    f"  {row['column']}: {row['left']} ~ {row['right']}: {row['agreement']}, "
                    f"{row['bits']:+.1f} bits"
                )
            else:
                lines.append(
                    f"  {row['left']} ~ {row['right']}: {row['similarity']:.2f} alike, "
                    f"{row['bits']:.1f} bits, adds {row['score']:.3f}"
                )
        if self.grams is not None:
            lines.append(f"  3-grams add {self.grams:.3f}")
        return "\n".join(lines)

    def html(self) -> str:
        """Write it as HTML: what carried the score is marked, the more the stronger.

        Examples
        --------
        >>> import bowstring as bow
        >>> linkage = bow.link.link(["Xilinx Corp"], ["XILINX, Inc."], threshold=0.3)
        >>> "<mark" in bow.link.explain(linkage).html()
        True
        """
        return (
            f'<p><span class="score">{self.score:.3f}</span> {self._side("left")} '
            f"&nbsp;~&nbsp; {self._side('right')}</p>"
        )

    def _side(self, side: str) -> str:
        if self.grams is None:
            return " · ".join(
                _marked(row[side] or "∅", max(row["bits"], 0.0) / 20)
                for row in self.table.to_pylist()
            )
        carried: dict[str, float] = {}
        for row in self.table.to_pylist():
            for word in row[side].split():
                carried[word] = max(carried.get(word, 0.0), row["score"])
        return " ".join(
            _marked(word, carried.get(word, 0.0)) for word in getattr(self, side).split()
        )


def _marked(text: str, strength: float) -> str:
    if strength <= 0:
        return escape(text)
    share = round(min(1.0, 0.15 + strength), 2)
    return f'<mark style="background:rgba(255,170,0,{share})">{escape(text)}</mark>'


@dataclass(frozen=True)
class Linkage:
    """The pairs of rows that mean the same; made by `link`."""

    matches: pa.Table
    """`left: uint64, right: uint64, score: double, margin: double, rank: uint64`, ordered by left
    and rank; `bits: double` too where several columns were compared. The score is from 0 to 1,
    of several columns the probability of a match; the margin how far it is above the best other
    answer to the row."""
    threshold: float
    """The least score of a match."""
    columns: tuple[str, ...]
    """The columns compared."""
    _core: _core.Linkage | _core.Evidence = field(repr=False)
    _left: list[pa.Array[Any]] = field(repr=False)
    _right: list[pa.Array[Any]] = field(repr=False)

    def __len__(self) -> int:
        return self.matches.num_rows

    @property
    def agreements(self) -> pa.Table:
        """How often columns agree among the same rows and by chance.

        `column, agreement, same, chance`: what the evidence of several columns was learned as.

        Raises
        ------
        InvalidInput
            If names of one column were compared, which learns none.

        Examples
        --------
        >>> import bowstring as bow
        >>> rows = {"first": ["Ann", "Bob"], "last": ["Li", "Ray"]}
        >>> bow.link.link(rows, rows, on=["first", "last"]).agreements.num_rows
        8
        """
        if isinstance(self._core, _core.Linkage):
            raise InvalidInput("agreements are learned from several columns: name them in on")
        found = _pa.table(self._core.agreements())
        names = _pa.array(self.columns).take(found["column"].combine_chunks())
        named: pa.Table = found.set_column(0, "column", names)
        return named

    def explain(self, left: int, right: int) -> Explanation:
        """Say what carries the score of two rows, matched or not.

        Parameters
        ----------
        left
            The row on the left.
        right
            The row on the right.

        Raises
        ------
        InvalidInput
            If there is no such row, or it has no name.

        Examples
        --------
        >>> import bowstring as bow
        >>> linkage = bow.link.link(["Xilinx Corp"], ["XILINX, Inc."], threshold=0.3)
        >>> linkage.explain(0, 0).table["left"].to_pylist()
        ['xilinx']
        """
        i = as_option(left, "left", required=True)
        j = as_option(right, "right", required=True)
        if isinstance(self._core, _core.Linkage):
            score, grams, table = self._core.explain(i, j)
            names = self._left[0][i].as_py(), self._right[0][j].as_py()
            return Explanation(score, *names, _pa.table(table), grams)
        found = _pa.table(self._core.explain(i, j))
        sides = [[column[at].as_py() for column in columns] for columns, at in self._sides(i, j)]
        bits = sum(found["bits"].to_pylist())
        prior = self._core.prior()
        odds = prior / (1 - prior) * 2.0 ** min(bits, 900.0)
        table = _pa.table(
            {
                "column": list(self.columns),
                "left": _pa.array(sides[0], pa.large_string()),
                "right": _pa.array(sides[1], pa.large_string()),
                "agreement": found["agreement"],
                "bits": found["bits"],
            }
        )
        shown = [" · ".join(value or "∅" for value in side) for side in sides]
        return Explanation(odds / (1 + odds), shown[0], shown[1], table)

    def _sides(self, left: int, right: int) -> list[tuple[list[pa.Array[Any]], int]]:
        return [(self._left, left), (self._right, right)]

    def calibrate(self, labels: Any) -> pa.Table:
        """Learn from labelled pairs how probable a match of each score is.

        Parameters
        ----------
        labels
            A table of `left`, `right` and `match`: row numbers, and whether they are the same.

        Returns
        -------
        pyarrow.Table
            `matches`, and `probability: double`: logistic regression on the score (Platt 1999).

        Raises
        ------
        InvalidInput
            If the labels are of one kind only.
        MissingPackage
            If scikit-learn is not installed.

        Examples
        --------
        >>> import bowstring as bow
        >>> names = ["Xilinx Corp", "Intel", "Realtek"]
        >>> linkage = bow.link.link(names, ["XILINX, Inc.", "Intel GmbH", "Altera"], threshold=0.3)
        >>> labels = {"left": [0, 1, 2], "right": [0, 1, 2], "match": [True, True, False]}
        >>> linkage.calibrate(labels)["probability"].to_pylist()[0] > 0.5
        True
        """
        try:
            from sklearn.linear_model import LogisticRegression
        except ImportError as error:
            raise MissingPackage(
                f"to calibrate needs scikit-learn ({error}): pip install 'bowstring[sklearn]'"
            ) from error
        rows = list(values(as_table(labels, "labels"), "left", "right", "match"))
        scores = [[_logit(self.explain(i, j).score)] for i, j, _ in rows]
        same = [bool(match) for *_, match in rows]
        if len(set(same)) < 2:
            raise InvalidInput("labels hold one kind of pair: give some that match and some not")
        model = LogisticRegression().fit(scores, same)
        found = [[_logit(score)] for (score,) in values(self.matches, "score")]
        probability = model.predict_proba(found)[:, 1].tolist() if found else []
        return self.matches.append_column("probability", _pa.array(probability, pa.float64()))

    def html(self, limit: int = 200) -> str:
        """Write the matches as an HTML page, the least sure first, what carried each marked.

        Parameters
        ----------
        limit
            The most matches to show.

        Examples
        --------
        >>> import bowstring as bow
        >>> bow.link.link(["Xilinx"], ["xilinx"]).html().splitlines()[0]
        '<!doctype html>'
        """
        most = as_option(limit, "limit", required=True)
        order = _pc.sort_indices(self.matches, sort_keys=[("score", "ascending")])[:most]
        rows = self.matches.take(order)
        shown = [self.explain(i, j).html() for i, j in values(rows, "left", "right")]
        return (
            '<!doctype html>\n<html><head><meta charset="utf-8">\n<title>Matches</title>\n'
            "<style>:root{color-scheme:light dark}body{max-width:75em;margin:2em auto;"
            "padding:0 1em;font-family:system-ui,sans-serif}mark{color:inherit}"
            ".score{font-variant-numeric:tabular-nums;opacity:.7;margin-right:1em}</style></head>\n"
            f"<body><h1>{len(self)} matches, score at least {self.threshold:.3f}</h1>\n"
            f"<p>{len(shown)} of them, the least sure first; what carried each is marked.</p>\n"
            + "\n".join(shown)
            + "\n</body></html>\n"
        )

    def report(self, path: str | os.PathLike[str], limit: int = 200) -> None:
        """Write the page of `html` to a file.

        Raises
        ------
        InvalidInput
            If the name does not end in .html.

        Examples
        --------
        >>> import tempfile, bowstring as bow
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     bow.link.link(["Xilinx"], ["xilinx"]).report(f"{folder}/matches.html")
        """
        check_path(path, suffixes=(".html", ".htm"))
        Path(path).write_text(self.html(limit), encoding="utf-8")


def _logit(score: float) -> float:
    kept = min(max(score, 1e-6), 1 - 1e-6)
    return math.log(kept / (1 - kept))


def link(
    left: Any,
    right: Any,
    on: str | Sequence[str] | None = None,
    *,
    left_on: str | Sequence[str] | None = None,
    right_on: str | Sequence[str] | None = None,
    relation: Relation = "best",
    threshold: Threshold = "auto",
    candidates: int = 20,
    min_cosine: float = 0.2,
    symmetric: bool = True,
    normalize: Normalize = True,
    legal_forms: bool = False,
    memory: int | str | None = None,
    threads: int | None = None,
    progress: Any = None,
) -> Linkage:
    """Find which rows of two tables, or values of two columns, mean the same.

    Parameters
    ----------
    left, right
        Tables of pyarrow, polars, pandas or DuckDB, or columns of names.
    on, left_on, right_on
        The columns to compare: one of names, or several whose evidence adds up. Left out, the only
        column.
    relation
        `"best"`: the best answer to each row on the left. `"one_to_one"`: at most one, on both
        sides, the best pairs first. `"many"`: all.
    threshold
        The least score of a match, from 0 to 1. `"auto"` estimates, without labels, the one of the
        greatest F1: of names, from the best answers to rows with a sure one that are other names;
        0.5, an even chance, of several columns; 0.7 for fewer than fifty names.
    candidates
        How many distinct names (rows, of several columns) are compared with each: those of the
        greatest cosine of 3-grams, exactly; of 5-grams among more than 50,000 distinct names.
    min_cosine
        The least cosine of a candidate: the higher, the less work.
    symmetric
        False to ask only how much of the left name the right one holds; of one column. Candidates
        are alike both ways: with right names of many more words, lower `min_cosine`.
    normalize
        True compares without case, accents and punctuation; False as it is, words by spaces; a
        function makes of an Arrow column of text another.
    legal_forms
        Leave out "GmbH", "Inc." and their like, by cleanco's list.
    memory
        The most that linking may take beside the tables and the matches, in bytes or as "4GB".
        Candidates are looked for in as many passes as it takes to stay below.
    threads
        Threads to use; all by default.
    progress
        True for a bar, or a callable that takes the phase, the rows done and the total.

    Returns
    -------
    Linkage

    Raises
    ------
    InvalidInput
        If an option cannot be meant, or a table has no such column.
    UnsupportedType
        If a column is not text.
    OutOfBudget
        If `memory` does not hold the names and their grams.
    MissingPackage
        If `legal_forms` is set and cleanco is not installed.

    Notes
    -----
    Null and empty names match nothing. Memory is that of the names, their 3-grams and `candidates`
    of each, never of all pairs. The result does not depend on the order of rows, ties aside, which
    go to the first row.

    Examples
    --------
    >>> import bowstring as bow
    >>> left = ["Xilinx Corporation", "Raster Ops Corp.", "Acme Limited"]
    >>> right = ["RASTEROPS CORPORATION", "XILINX, Inc.", "Other Corporation"]
    >>> bow.link.link(left, right, threshold=0.3).matches.select(["left", "right"]).to_pylist()
    [{'left': 0, 'right': 1}, {'left': 1, 'right': 0}]
    """
    if relation not in ("best", "one_to_one", "many"):
        raise InvalidInput(f'relation is {relation!r}: give "best", "one_to_one" or "many"')
    if on is not None and (left_on is not None or right_on is not None):
        raise InvalidInput("on is given beside left_on or right_on: give either")
    check_flags(symmetric=symmetric)
    lefts, names = _columns(
        left, on if left_on is None else left_on, "left", normalize, legal_forms
    )
    rights, others = _columns(
        right, on if right_on is None else right_on, "right", normalize, legal_forms
    )
    if len(names) != len(others):
        raise InvalidInput(f"left_on names {len(names)} columns and right_on {len(others)}")
    options = _options(candidates, min_cosine, threshold, memory)
    with progress_callback(progress) as callback:
        return _linked(lefts, rights, names, relation, options, symmetric, threads, callback)


def _options(
    candidates: int, min_cosine: float, threshold: Threshold, memory: int | str | None
) -> tuple[Any, ...]:
    if isinstance(threshold, str) and threshold != "auto":
        raise InvalidInput(f'threshold is {threshold!r}: give a number from 0 to 1, or "auto"')
    return (
        as_option(candidates, "candidates", required=True),
        as_float(min_cosine, "min_cosine"),
        None if isinstance(threshold, str) else as_float(threshold, "threshold"),
        parse_bytes(memory),
    )


def _linked(
    lefts: list[pa.Array[Any]],
    rights: list[pa.Array[Any]] | None,
    names: list[str],
    relation: str,
    options: Sequence[Any],
    symmetric: bool,
    threads: int | None,
    callback: Any,
) -> Linkage:
    least: tuple[Any, Any, Any] = (options[0], options[1], options[2])
    memory = options[3]
    asked = as_option(threads, "threads")
    if len(lefts) == 1:
        right = None if rights is None else rights[0]
        found: _core.Linkage | _core.Evidence = _core.link(
            lefts[0], right, relation, *least, symmetric, memory, asked, callback
        )
    else:
        if not symmetric:
            raise InvalidInput(
                "symmetric=False is for one column of names: what several say adds up either way"
            )
        found = _core.link_columns(lefts, rights, relation, *least, memory, asked, callback)
    matches = _pa.table(found.pairs())
    others = lefts if rights is None else rights
    return Linkage(matches, found.threshold(), tuple(names), found, lefts, others)


def _columns(
    data: Any, on: Any, name: str, normalize: Normalize, legal_forms: bool
) -> tuple[list[pa.Array[Any]], list[str]]:
    if is_table(data):
        table = as_table(data, name)
        names = chosen(on, table, name, "on")
        columns = [cast_text(table.column(one), f"{name}[{one!r}]") for one in names]
    else:
        names = ["value"]
        columns = [text_column(data, name)]
    return [prepared(column, normalize, legal_forms, name) for column in columns], names


def prepared(column: pa.Array[Any], normalize: Normalize, legal_forms: bool, name: str) -> Any:
    """Normalise a column of names as it is compared, without legal forms if asked.

    Examples
    --------
    >>> prepared(pa.array(["Société Générale"]), True, False, "left").to_pylist()
    ['societe generale']
    """
    if legal_forms:
        column = _without_legal_forms(column)
    return normalised_by(normalize, column, name)


def _without_legal_forms(column: pa.Array[Any]) -> Any:
    try:
        from cleanco import basename
    except ImportError as error:
        raise MissingPackage(
            f"legal_forms needs cleanco ({error}): pip install 'bowstring[link]'"
        ) from error
    coded = _pc.dictionary_encode(column)
    # A name that is nothing but legal forms is kept.
    bases = [basename(name) or name for name in coded.dictionary.to_pylist()]
    return _pa.array(bases, pa.large_string()).take(coded.indices)


def join(
    left: Any,
    right: Any,
    on: str | Sequence[str] | None = None,
    *,
    left_on: str | Sequence[str] | None = None,
    right_on: str | Sequence[str] | None = None,
    how: How = "inner",
    suffix: str = "_right",
    **options: Any,
) -> Any:
    """Join two tables on names that mean the same.

    Parameters
    ----------
    left, right
        Tables of pyarrow, polars, pandas or DuckDB.
    on, left_on, right_on
        The columns to compare: one of names, or several whose evidence adds up.
    how
        `"inner"`: the rows that match. `"left"`: all on the left, nulls where none matches.
        `"full"`: and all on the right behind them. `"anti"`: those on the left that match none.
    suffix
        Ends the names of columns on the right that the left has too.
    **options
        Those of `link`: `relation`, `threshold`, `candidates`, `symmetric`, `normalize`,
        `legal_forms`, `memory`, `threads`, `progress` and `min_cosine`.

    Returns
    -------
    table of the library of `left`, of pyarrow for a relation of DuckDB
        The columns of both, and `score`, `margin`, `rank` (and `bits`) as `Linkage.matches` has
        them; a column of that name is not overwritten but ends in `suffix`.

    Raises
    ------
    InvalidInput
        If an option cannot be meant, or a table has no such column.
    UnsupportedType
        If a column is not text.

    Examples
    --------
    >>> import bowstring as bow
    >>> left = {"vendor": ["Xilinx Corporation", "Acme"], "id": [1, 2]}
    >>> right = {"organisation": ["XILINX, Inc.", "Other"]}
    >>> joined = bow.link.join(
    ...     left, right, left_on="vendor", right_on="organisation", how="left", threshold=0.3
    ... )
    >>> joined.select(["id", "organisation"]).to_pylist()
    [{'id': 1, 'organisation': 'XILINX, Inc.'}, {'id': 2, 'organisation': None}]
    """
    if how not in ("inner", "left", "full", "anti"):
        raise InvalidInput(f'how is {how!r}: give "inner", "left", "full" or "anti"')
    if not isinstance(suffix, str):
        raise UnsupportedType(f"suffix is {suffix!r}: give a text")
    lefts, rights = as_table(left, "left"), as_table(right, "right")
    linkage = link(lefts, rights, on, left_on=left_on, right_on=right_on, **options)
    matches = linkage.matches
    rows = one_chunk(matches["left"]).cast(pa.int64())
    others = one_chunk(matches["right"]).cast(pa.int64())
    extra = matches.drop_columns(["left", "right"])
    if how == "anti":
        return like(lefts.take(_missing(rows, lefts.num_rows)), left)
    if how in ("left", "full"):
        lone = _missing(rows, lefts.num_rows)
        rows = _pa.concat_arrays([rows, lone])
        others = _pa.concat_arrays([others, _pa.nulls(len(lone), pa.int64())])
        order = _pc.sort_indices(
            _pa.table({"row": rows, "at": _pa.array(range(len(rows)))}),
            sort_keys=[("row", "ascending"), ("at", "ascending")],
        )
        rows, others, at = rows.take(order), others.take(order), order
    else:
        at = _pa.array(range(len(rows)), pa.int64())
    if how == "full":
        lone = _missing(_pc.drop_null(others), rights.num_rows)
        rows = _pa.concat_arrays([rows, _pa.nulls(len(lone), pa.int64())])
        others = _pa.concat_arrays([others, lone])
        at = _pa.concat_arrays([at.cast(pa.int64()), _pa.nulls(len(lone), pa.int64())])
    # What was added has no match.
    at = _pc.if_else(_pc.less(at.cast(pa.int64()), matches.num_rows), at, None)
    joined = lefts.take(rows)
    for part in (rights.take(others), extra.take(at)):
        for name, column in zip(part.column_names, part.columns, strict=True):
            while name in joined.column_names:
                name += suffix or "_"
            joined = joined.append_column(name, column)
    return like(joined, left)


def _missing(rows: pa.Array[Any], count: int) -> Any:
    every = _pa.array(range(count), pa.int64())
    return every.filter(_pc.invert(_pc.is_in(every, value_set=rows)))


def explain(linkage: Linkage, match: int = 0) -> Explanation:
    """Say what carried the score of a match.

    Parameters
    ----------
    linkage
        What `link` gave.
    match
        The row of `linkage.matches`.

    Raises
    ------
    InvalidInput
        If there is no such match.

    Examples
    --------
    >>> import bowstring as bow
    >>> linkage = bow.link.link(["Xilinx Corp"], ["XILINX, Inc."], threshold=0.3)
    >>> print(str(bow.link.explain(linkage)).splitlines()[0])
    xilinx corp ~ xilinx inc: 0.369
    """
    if not isinstance(linkage, Linkage):
        raise UnsupportedType(f"linkage is {linkage!r}: give what link gives")
    at = as_option(match, "match", required=True)
    if at >= len(linkage):
        raise InvalidInput(f"match is {at}: there are {len(linkage)}, numbered from 0")
    row = linkage.matches.slice(at, 1).to_pylist()[0]
    return linkage.explain(row["left"], row["right"])


def deduplicate_names(
    data: Any,
    on: str | Sequence[str] | None = None,
    *,
    threshold: Threshold = "auto",
    candidates: int = 20,
    min_cosine: float = 0.2,
    normalize: Normalize = True,
    legal_forms: bool = False,
    memory: int | str | None = None,
    threads: int | None = None,
    progress: Any = None,
) -> pa.Table:
    """Find the same name twice: clusters of the rows of one column or table.

    Parameters
    ----------
    data
        A column of names, or a table.
    on
        The columns of the table to compare: one of names, or several whose evidence adds up.
    threshold, candidates, min_cosine, normalize, legal_forms, memory, threads, progress
        As of `link`.

    Returns
    -------
    pyarrow.Table
        `row: uint64, cluster: uint64, representative: uint64, score: double`, a row each of `data`:
        clusters are numbered in the order of their first rows; the representative is the row
        whose name is the most frequent of the cluster, then the longest, then the first; the score
        says how alike a row is to it. A null is a cluster of its own.

    Raises
    ------
    InvalidInput
        If an option cannot be meant, or a table has no such column.
    UnsupportedType
        If a column is not text.

    Notes
    -----
    Pairs are joined from the best one on, and two clusters only if every row is at least
    `threshold` alike to the representative of both, so that no chain of small steps leads from one
    name to a far one.

    Examples
    --------
    >>> import bowstring as bow
    >>> names = ["Hewlett Packard", "Hewlett-Packard Co", "Intel", "HEWLETT PACKARD"]
    >>> found = bow.link.deduplicate_names(names, threshold=0.6)
    >>> found["cluster"].to_pylist(), found["representative"].to_pylist()
    ([0, 0, 1, 0], [0, 0, 2, 0])
    """
    columns, names = _columns(data, on, "data", normalize, legal_forms)
    options = _options(candidates, min_cosine, threshold, memory)
    count = len(columns[0])
    # Equal rows are one.
    keys = list(zip(*(column.to_pylist() for column in columns), strict=True))
    holders: dict[Any, list[int]] = {}
    for row, key in enumerate(keys):
        known = any(key)
        holders.setdefault(key if known else (row,), []).append(row)
    groups = [rows for rows in holders.values() if any(keys[rows[0]])]
    firsts = _pa.array([rows[0] for rows in groups], pa.int64())
    with progress_callback(progress) as callback:
        distinct = [column.take(firsts) for column in columns]
        linkage = _linked(distinct, None, names, "many", options, True, threads, callback)
    core = linkage._core
    heads = list(range(len(groups)))
    joined_by = [1.0] * len(groups)
    members: dict[int, list[int]] = {at: [at] for at in heads}

    def importance(at: int) -> tuple[int, int, int]:
        return len(groups[at]), sum(len(v or "") for v in keys[groups[at][0]]), -groups[at][0]

    def compare(a: int, b: int) -> float:
        if isinstance(core, _core.Linkage):
            return core.explain(a, b)[0]
        return linkage.explain(a, b).score

    order = _pc.sort_indices(
        linkage.matches,
        sort_keys=[("score", "descending"), ("left", "ascending"), ("right", "ascending")],
    )
    pairs = linkage.matches.take(order)
    for i, j, score in values(pairs, "left", "right", "score"):
        a, b = heads[i], heads[j]
        if a == b:
            continue
        keep, lose = (a, b) if importance(a) >= importance(b) else (b, a)
        alike = {at: score if {at, keep} == {i, j} else compare(keep, at) for at in members[lose]}
        if min(alike.values()) < linkage.threshold:
            continue
        for at in members.pop(lose):
            heads[at] = keep
            members[keep].append(at)
            joined_by[at] = alike[at]
    cluster: list[int] = [0] * count
    representative = list(range(count))
    scores = [1.0] * count
    for at, rows in enumerate(groups):
        for row in rows:
            representative[row] = groups[heads[at]][0]
            scores[row] = 1.0 if heads[at] == at else joined_by[at]
    numbers: dict[int, int] = {}
    for row in range(count):
        cluster[row] = numbers.setdefault(representative[row], len(numbers))
    made: pa.Table = _pa.table(
        {
            "row": _pa.array(range(count), pa.uint64()),
            "cluster": _pa.array(cluster, pa.uint64()),
            "representative": _pa.array(representative, pa.uint64()),
            "score": _pa.array(scores, pa.float64()),
        }
    )
    return made


@dataclass(frozen=True)
class Evaluation:
    """How well matches agree with the truth."""

    precision: float
    """The share of matches that are true; 1 if there are none."""
    recall: float
    """The share of the true pairs that were matched; 1 if there are none."""
    f1: float
    """Their harmonic mean."""
    best_f1: float
    """The greatest F1 of any threshold at or above the one of the matches."""
    best_threshold: float
    """That threshold."""
    curve: pa.Table
    """`threshold, precision, recall, f1`, a row a score, from the greatest down."""

    def plot(self, path: str | os.PathLike[str] | None = None) -> Any:
        """Draw precision over recall, as a matplotlib figure; written to `path` if given.

        Raises
        ------
        InvalidInput
            If the path has no suffix of a picture.
        MissingPackage
            If matplotlib is not installed.

        Examples
        --------
        >>> import bowstring as bow
        >>> truth = bow.link.evaluate([(0, 0)], [(0, 0)])
        >>> truth.plot().axes[0].get_xlabel()
        'recall'
        """
        if path is not None:
            check_path(path, suffixes=(".png", ".svg", ".pdf"))
        check_matplotlib()
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        drawn = Figure(figsize=(5, 4.5), layout="constrained")
        FigureCanvasAgg(drawn)
        axes = drawn.add_subplot()
        axes.plot(*zip(*values(self.curve, "recall", "precision"), strict=True))
        axes.plot([self.recall], [self.precision], "o", label=f"F1 {self.f1:.3f}")
        axes.set(xlim=(0, 1.02), ylim=(0, 1.02), xlabel="recall", ylabel="precision")
        axes.legend()
        if path is not None:
            drawn.savefig(path)
        return drawn


def evaluate(matches: Any, truth: Any) -> Evaluation:
    """Compare matches with the true pairs.

    Parameters
    ----------
    matches
        A `Linkage`, a table of `left`, `right` and perhaps `score`, or pairs of row numbers.
    truth
        A table of `left` and `right`, or pairs of row numbers: all that are the same.

    Returns
    -------
    Evaluation

    Examples
    --------
    >>> import bowstring as bow
    >>> found = bow.link.evaluate([(0, 0), (1, 2)], [(0, 0), (1, 1)])
    >>> found.precision, found.recall
    (0.5, 0.5)
    """
    found = _pairs(matches.matches if isinstance(matches, Linkage) else matches, "matches")
    true = {pair[:2] for pair in _pairs(truth, "truth")}
    found.sort(key=lambda pair: -pair[2])
    curve: dict[str, list[float]] = {"threshold": [], "precision": [], "recall": [], "f1": []}
    right = 0
    seen: set[tuple[int, int]] = set()
    for at, (i, j, score) in enumerate(found):
        if (i, j) in true and (i, j) not in seen:
            right += 1
        seen.add((i, j))
        if at + 1 < len(found) and found[at + 1][2] == score:
            continue
        precision, recall = right / (at + 1), right / len(true) if true else 1.0
        curve["threshold"].append(score)
        curve["precision"].append(precision)
        curve["recall"].append(recall)
        curve["f1"].append(_f1(precision, recall))
    precision = curve["precision"][-1] if found else 1.0
    recall = curve["recall"][-1] if found else float(not true)
    best = max(range(len(curve["f1"])), key=curve["f1"].__getitem__, default=None)
    return Evaluation(
        precision,
        recall,
        _f1(precision, recall),
        0.0 if best is None else curve["f1"][best],
        1.0 if best is None else curve["threshold"][best],
        _pa.table({name: _pa.array(values, pa.float64()) for name, values in curve.items()}),
    )


def _f1(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _pairs(data: Any, name: str) -> list[tuple[int, int, float]]:
    if is_table(data):
        table = as_table(data, name)
        if "score" in table.column_names:
            return list(values(table, "left", "right", "score"))
        return [(i, j, 1.0) for i, j in values(table, "left", "right")]
    if not isinstance(data, Iterable):
        raise UnsupportedType(f"{name} is a {type(data).__name__}: give a table, or pairs of rows")
    pairs = list(data)
    for pair in pairs:
        if isinstance(pair, str) or not hasattr(pair, "__len__") or len(pair) < 2:
            raise UnsupportedType(f"{name} holds {pair!r}: give pairs of row numbers")
    return [(int(pair[0]), int(pair[1]), 1.0) for pair in pairs]
