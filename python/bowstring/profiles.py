"""What a column of categories looks like, at a glance."""

from __future__ import annotations

import heapq
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from itertools import accumulate
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from bowstring import _core
from bowstring.columns import as_option
from bowstring.frames import normalised, text_column
from bowstring.plot import check_path

# What pyarrow's stubs do not know, or know wrongly.
_pa: Any = pa
_pc: Any = pc
_RUNS = re.compile(r"[^\W\d_]+|\d+")
_SEPARATORS = re.compile(r"[^\w\s]|_|\s+")


@dataclass(frozen=True)
class Profile:
    """A summary of a column; made by `profile`."""

    table: pa.Table
    """`kind, value, rows, distinct, example`: what there is, such as a shared `prefix` or a
    `template`; how many rows and distinct values have it; one of them."""

    def html(self) -> str:
        """Write it as an HTML page that needs nothing else.

        Examples
        --------
        >>> profile(["A-1", "A-2"]).html().splitlines()[0]
        '<!doctype html>'
        """
        rows = "\n".join(
            "<tr>" + "".join(f"<td>{escape(str(value))}</td>" for value in row.values()) + "</tr>"
            for row in self.table.to_pylist()
        )
        heads = "".join(f"<th>{name}</th>" for name in self.table.column_names)
        return (
            '<!doctype html>\n<html><head><meta charset="utf-8">\n<title>Profile</title>\n'
            "<style>:root{color-scheme:light dark}body{max-width:75em;margin:2em auto;"
            "padding:0 1em;font-family:system-ui,sans-serif}table{border-collapse:collapse}"
            "td,th{text-align:left;padding:.2em .8em;border-bottom:1px solid #8884;"
            "white-space:pre-wrap}</style></head>\n"
            f"<body><table><tr>{heads}</tr>\n{rows}\n</table></body></html>\n"
        )

    def report(self, path: str | os.PathLike[str]) -> None:
        """Write the page of `html` to a file.

        Raises
        ------
        InvalidInput
            If the name does not end in .html.

        Examples
        --------
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     profile(["A-1", "A-2"]).report(f"{folder}/profile.html")
        """
        check_path(path, suffixes=(".html", ".htm"))
        Path(path).write_text(self.html(), encoding="utf-8")


def template(value: str) -> str:
    """Reduce a text to its shape: words to `Aa`, `A` or `a`, numbers to `9`, all else as it is.

    Examples
    --------
    >>> template("Suite 12b, NY")
    'Aa 9a, A'
    """
    return _RUNS.sub(_shape, value)


def _shape(run: re.Match[str]) -> str:
    text = run[0]
    if text.isdigit():
        return "9"
    if text.isupper():
        return "A"
    return "Aa" if text[0].isupper() else "a"


def profile(data: Any, column: str | None = None, *, min_length: int = 4, top: int = 10) -> Profile:
    """Summarise a column of categories: what its values share, look like and hold.

    Parameters
    ----------
    data
        A column of text, or a table.
    column
        The column of the table.
    min_length
        The least characters of a shared prefix, suffix or infix.
    top
        How many of each kind to give, those of the most rows first.

    Returns
    -------
    Profile
        Of kinds `rows`, `null`, `empty`, `distinct`, `value`, `prefix` and `suffix` (shared ones
        that not all of their values go on with alike), `infix` (the `"per_value"` keys of
        `OverlapEncoder` that are neither in most of their values), `template`, `number` (texts
        that hold one), `separator` (characters that part words) and `near_duplicate` (values the
        same but for case, accents, punctuation and space).

    Raises
    ------
    InvalidInput
        If there is no such column, or `min_length` or `top` is 0.
    UnsupportedType
        If the column is not text.

    Examples
    --------
    >>> table = profile(["Room 12", "Room 7", "room 7"]).table
    >>> [row["value"] for row in table.to_pylist() if row["kind"] == "template"]
    ['Aa 9', 'a 9']
    """
    least = as_option(min_length, "min_length", required=True)
    most = as_option(top, "top", required=True)
    values = text_column(data, "data", column)
    counted = _pc.value_counts(_pc.drop_null(values))
    texts = counted.field("values").to_pylist()
    counts = dict(zip(texts, counted.field("counts").to_pylist(), strict=True))
    rows: list[tuple[str, str, int, int, str]] = []

    def add(kind: str, groups: Iterable[tuple[str, list[str]]]) -> None:
        made = [(value, sum(counts[text] for text in held), held) for value, held in groups]
        made.sort(key=lambda one: (-one[1], one[0]))
        rows.extend((kind, value, n, len(held), held[0]) for value, n, held in made[:most])

    empty = counts.get("", 0)
    rows.append(("rows", "", len(values), len(texts), ""))
    rows.append(("null", "", values.null_count, 0, ""))
    rows.append(("empty", "", empty, int(empty > 0), ""))
    rows.append(("distinct", "", len(values) - values.null_count, len(texts), ""))
    add("value", ((text, [text]) for text in texts))
    add("prefix", _shared_starts(texts, counts, least, most))
    ends = _shared_starts(
        [text[::-1] for text in texts], {text[::-1]: n for text, n in counts.items()}, least, most
    )
    add("suffix", ((key[::-1], [text[::-1] for text in held]) for key, held in ends))
    add("infix", _shared_infixes(texts, counted.field("values"), least))
    add("template", _grouped(texts, lambda text: [template(text)]))
    found = _pa.table(_core.extract_numbers(counted.field("values"), "plain", "first", None))
    with_number = [texts[row] for row in found["row"].to_pylist()]
    if with_number:
        add("number", [("", with_number)])
    add("separator", _grouped(texts, lambda text: set(_SEPARATORS.findall(text))))
    keys = normalised(counted.field("values")).to_pylist()
    same: dict[str, list[str]] = {}
    for key, text in zip(keys, texts, strict=True):
        same.setdefault(key, []).append(text)
    add("near_duplicate", ((key, held) for key, held in same.items() if len(held) > 1))
    kinds, names, numbers, distinct, examples = (list(part) for part in zip(*rows, strict=True))
    return Profile(
        _pa.table(
            {
                "kind": kinds,
                "value": _pa.array(names, pa.large_string()),
                "rows": _pa.array(numbers, pa.uint64()),
                "distinct": _pa.array(distinct, pa.uint64()),
                "example": _pa.array(examples, pa.large_string()),
            }
        )
    )


def _grouped(texts: list[str], of: Any) -> Iterable[tuple[str, list[str]]]:
    groups: dict[str, list[str]] = {}
    for text in texts:
        for one in of(text):
            groups.setdefault(one, []).append(text)
    return groups.items()


def _shared_starts(
    texts: list[str], counts: Mapping[str, int], min_length: int, top: int
) -> list[tuple[str, list[str]]]:
    """Find the longest common prefixes of texts in order that the most rows have: LCP intervals."""
    ordered = sorted(texts)
    rows = [0, *accumulate(counts[text] for text in ordered)]
    found: list[tuple[int, str, int, int]] = []
    open_since = [(0, 0)]
    for at in range(1, len(ordered) + 1):
        length = _common(ordered[at - 1], ordered[at]) if at < len(ordered) else 0
        start = at - 1
        while open_since[-1][0] > length:
            own, start = open_since.pop()
            if own >= min_length:
                found.append((rows[start] - rows[at], ordered[start][:own], start, at))
        if open_since[-1][0] < length:
            open_since.append((length, start))
    best = heapq.nsmallest(top, found)
    return [(prefix, ordered[start:stop]) for _, prefix, start, stop in best]


def _common(one: str, other: str) -> int:
    differ = (at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return next(differ, min(len(one), len(other)))


def _shared_infixes(
    texts: list[str], values: pa.Array[Any], min_length: int
) -> list[tuple[str, list[str]]]:
    """Find shared substrings that stand amid most of the values that hold them."""
    groups: list[tuple[str, list[str]]] = []
    keys = _pa.table(_core.overlap_keys(values, min_length, "per_value", None))["key"]
    if not len(keys):
        return groups
    holders: dict[int, list[str]] = {}
    needles = keys.combine_chunks()
    held = _pa.array(_core.held_texts(needles, values, False, None)).to_pylist()
    for text, numbers in zip(texts, held, strict=True):
        for number in numbers:
            holders.setdefault(number, []).append(text)
    for number, key in enumerate(needles.to_pylist()):
        own = holders[number]
        amid = sum(not (text.startswith(key) or text.endswith(key)) for text in own)
        if 2 * amid > len(own):
            groups.append((key, own))
    return groups
