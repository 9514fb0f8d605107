"""Which items of a benchmark stand in a corpus, by each of the published definitions.

The benchmark's n-grams are looked up while the corpus goes past once: seconds for gigabytes,
whatever the definition.
"""

from __future__ import annotations

import html
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from bowstring import _core
from bowstring.columns import (
    TEXT,
    TOKENS,
    as_array,
    as_column,
    as_float,
    as_option,
    one_chunk,
    widest,
)
from bowstring.errors import InvalidInput, UnsupportedType
from bowstring.index import Index, Progress
from bowstring.report import progress_callback

# What pyarrow's stubs do not know, or know wrongly.
_pa: Any = pa
_pc: Any = pc

Method: TypeAlias = Literal[
    "ngram",
    "palm",
    "llama2",
    "llama3",
    "windows",
    "token-match",
    "ngram-match",
    "token-extend",
    "longest-match",
    "whole",
]

Score: TypeAlias = Callable[[dict[str, Any]], float | None]

DIRTY = ("clean", "dirty")


@dataclass(frozen=True, slots=True)
class _Definition:
    """One published definition: what is looked for, and how a score and a grade come of it."""

    n: int
    score: Callable[[Mapping[str, int]], tuple[int, int]]
    """What the score is a share of, of which sum."""
    units: str = "normalised"
    bounds: tuple[float, ...] = ()
    """Where grades change: a score at a bound has the higher grade."""
    grades: tuple[str, ...] = ("clean", "dirty")
    skips: int = 0
    left: bool = False
    longer: int = 0
    """Units by which a match is longer than its seed, at least."""
    word_starts: bool = False
    short: bool = False
    whole: bool = False
    positive: bool = False
    """Whether any score above 0 is of the highest grade."""


def _found(row: Mapping[str, int]) -> tuple[int, int]:
    return row["found"], row["grams"]


def _covered(row: Mapping[str, int]) -> tuple[int, int]:
    return row["covered"], row["units"]


def _extended(row: Mapping[str, int]) -> tuple[int, int]:
    return row["extended"], row["units"]


def _longest(row: Mapping[str, int]) -> tuple[int, int]:
    return row["longest"], row["units"]


METHODS: dict[str, _Definition] = {
    "ngram": _Definition(13, _found, positive=True),
    "palm": _Definition(8, _found, bounds=(0.7,), grades=("clean", "contaminated")),
    "llama2": _Definition(
        10, _extended, bounds=(0.2, 0.8), grades=("clean", "not clean", "dirty"), skips=4, longer=1
    ),
    "llama3": _Definition(8, _covered, grades=("clean", "contaminated")),
    "windows": _Definition(
        50,
        _found,
        units="characters",
        bounds=(0.2, 0.8),
        grades=("clean", "suspicious", "dirty"),
        word_starts=True,
        short=True,
    ),
    "token-match": _Definition(8, _covered, grades=("clean", "contaminated")),
    "ngram-match": _Definition(8, _found, grades=("clean", "contaminated")),
    "token-extend": _Definition(8, _extended, grades=("clean", "contaminated"), skips=5, left=True),
    "longest-match": _Definition(8, _longest, grades=("clean", "contaminated"), skips=5, left=True),
    "whole": _Definition(
        8, _found, grades=("clean", "contaminated"), bounds=(1.0,), short=True, whole=True
    ),
}


@dataclass(frozen=True, slots=True)
class Contamination:
    """What was found of a benchmark's items in a corpus; made by `contamination`."""

    method: str
    items: pa.Table
    """A row an item, all of its fields together: `item: uint64, benchmark: large_string, grade:
    large_string, score: double, units, grams, found, covered, extended, longest: uint64, field:
    large_string, start, stop, row, row_start, row_stop: uint64`. `grams` are the n-grams (windows)
    of the item, `found` those that occur often enough; `covered` the units in one of these,
    `extended` those in a match; `longest` the units of the longest match, from symbol `start` to
    `stop` of the item's `field`, in the corpus in row `row` from `row_start` to `row_stop`. Grade
    and score are null where an item is too short for the definition, the grade also where it has no
    threshold."""
    fields: pa.Table
    """The same, a row an item and field."""
    summary: pa.Table
    """A row a benchmark: `benchmark: large_string, items, graded: uint64, score: double`, the mean,
    and the number of items of each grade."""
    grades: tuple[str, ...]
    _texts: dict[str, Any]
    _corpus: Any

    def report(
        self, path: str | os.PathLike[str], *, title: str | None = None, limit: int = 100
    ) -> None:
        """Write a bulletin: one page of HTML that needs nothing else.

        It has the table of benchmarks with bars, and of the items with the highest scores what
        matches, highlighted, beside the row of the corpus that holds the longest match.

        Parameters
        ----------
        path
            The file to write.
        title
            The page's title.
        limit
            Items to show, at most.

        Examples
        --------
        >>> import tempfile
        >>> found = contamination(["the cat sat on the mat today"], ["cat sat on the"], n=3)
        >>> page = Path(tempfile.mkdtemp()) / "bulletin.html"
        >>> found.report(page)
        >>> "<mark>cat sat on the</mark>" in page.read_text()
        True
        """
        Path(path).write_text(_page(self, title or "Contamination", limit), encoding="utf-8")


def contamination(
    corpus: Any,
    items: Any,
    *,
    method: Method = "ngram",
    column: str | None = None,
    fields: Sequence[str] | None = None,
    benchmark: Any = None,
    n: int | None = None,
    units: Literal["word", "normalised word", "character", "alphanumeric", "token"] | None = None,
    threshold: float | Sequence[float] | None = None,
    skip_budget: int | None = None,
    min_count: int = 1,
    max_count: int | None = None,
    threads: int | None = None,
    progress: Progress = None,
) -> Contamination:
    """Judge which items of a benchmark stand in a corpus.

    Parameters
    ----------
    corpus
        An index, of which the rows are read, or anything that holds a column: text or tokens.
    items
        A column of items, or a table or dict of columns, such as questions and answers.
    method
        The definition, each with its own `n`, units and grades:

        - `"ngram"`: an item is dirty that has any n-gram of 13 words, in lower case and without
          punctuation, of the corpus (Brown et al. 2020, appendix C; Dolma, Soldaini et al. 2024);
        - `"palm"`: contaminated with 70 % of its 8-grams (Chowdhery et al. 2022, section 8, as
          Touvron et al. 2023, appendix A.6, put it);
        - `"llama2"`: the share of units in matches of more than 10, the first 10 of them alike and
          at most 4 after them, the last one excepted, not: their "skipgram budget"; clean below
          20 %, not clean from there, dirty from 80 % on (Touvron et al. 2023, appendix A.6, which
          repeats it with `n` 20, 30, 40 and 50);
        - `"llama3"`: the share of units in 8-grams that occur in the corpus (Llama Team 2024,
          section 5.1.4), whose threshold is chosen for each benchmark by the estimated gain;
        - `"windows"`: the share of windows of 50 characters, one from each word on, that stand in
          the corpus as they are; suspicious from 20 % on, dirty from 80 % on (Xu et al. 2025,
          infini-gram mini); a shorter item is one window;
        - `"token-match"`, `"ngram-match"`, `"token-extend"`, `"longest-match"`: ConTAM's four
          (Singh et al. 2024, arXiv 2411.03923), with the n-grams of 8 that they advise: the share
          of units in n-grams of the corpus; of n-grams; of units in matches that reach to both
          sides of an n-gram with at most 5 units not alike, the budget of the authors' program; the
          longest such match, a unit of the item;
        - `"whole"`: contaminated if one row holds all fields as they are but for case, punctuation
          and spaces (Elazar et al. 2024, WIMBD).
    column
        The corpus's column, where it has several.
    fields
        The columns of `items` to judge; all by default.
    benchmark
        The benchmark that each item belongs to: a column, the name of one of `items`, or another
        name, which is that of all.
    n
        Units of an n-gram, or of a window.
    units
        What n-grams are of: words, by whitespace; the same in lower case without the punctuation of
        ASCII, which is the default; characters; letters and digits alone; or tokens, if that is
        what corpus and items hold.
    threshold
        The score from which on an item is contaminated, or one for each higher grade.
    skip_budget
        Units that need not be alike in a match.
    min_count, max_count
        How often an n-gram occurs in the corpus to count: boilerplate occurs more often than
        `max_count`.
    threads
        Threads to use; all by default.
    progress
        True for a bar, or a callable that takes the phase, the units done and the total.

    Returns
    -------
    Contamination
        `items`, `fields`, `summary` and `report(path)`.

    Raises
    ------
    InvalidInput
        If an argument has a value that it cannot have.
    UnsupportedType
        If corpus and items are not both text, or both tokens.

    Notes
    -----
    One pass over the corpus, a look in a filter a unit; nothing is sampled, and no hash is trusted.
    Memory grows with the items, not with the corpus. The fields of an item are judged together by
    the sums of their counts, longest matches by the longest of them. A match is a stretch of text
    and row, unit by unit, that ends where the two are alike, and holds an n-gram of both; matches
    and `longest` do not depend on `min_count`.

    Examples
    --------
    >>> import bowstring as bow
    >>> corpus = ["It is known: the quick brown fox jumps over the lazy dog. Often."]
    >>> items = {"question": ["The quick, brown fox jumps over", "What?"], "answer": ["dog", "?"]}
    >>> found = bow.contamination(corpus, items, n=4)
    >>> found.items.select(["item", "grade", "found", "longest", "row"]).to_pylist()[0]
    {'item': 0, 'grade': 'dirty', 'found': 3, 'longest': 6, 'row': 0}
    >>> found.items["grade"].to_pylist()
    ['dirty', None]
    """
    if method not in METHODS:
        raise InvalidInput(f"method is {method!r}: give one of {', '.join(METHODS)}")
    own = METHODS[method]
    columns = _columns(items, fields, benchmark)
    one = not (isinstance(items, dict) or hasattr(items, "columns"))
    texts = {
        name: _plain(values, "items" if one else f"items, field {name!r}")
        for name, values in columns.items()
    }
    count = len(next(iter(texts.values())))
    names = list(texts)
    tokens = widest(next(iter(texts.values())).type) == TOKENS
    kind = _units(units, own, tokens)
    size = as_option(n, "n") or own.n
    if n == 0:
        raise InvalidInput("n is 0: give 1 or more")
    skips = (
        own.skips if skip_budget is None else as_option(skip_budget, "skip_budget", required=True)
    )
    least = as_option(min_count, "min_count", required=True)
    most = as_option(max_count, "max_count")
    if least == 0:
        raise InvalidInput("min_count is 0: an n-gram that counts occurs once or more")
    if most is not None and most < least:
        raise InvalidInput(
            f"max_count is {most} and min_count is {least}: no n-gram occurs so often, give a "
            "larger max_count"
        )
    if least > 1 and own.score in (_extended, _longest):
        raise InvalidInput(
            f"min_count is {least}, and {method!r} is of matches: leave it out, or choose a method "
            "of n-grams"
        )
    bounds = _bounds(threshold, own)
    flat = _pa.concat_arrays([texts[name] for name in names])
    numbers = _pa.array(list(range(count)) * len(names), pa.uint64())
    held, again = _corpus(corpus, column)
    with progress_callback(progress) as callback:
        table, rows = _core.contamination(
            held,
            flat,
            numbers,
            kind,
            size,
            own.word_starts,
            own.short,
            own.whole,
            skips,
            False,
            own.left,
            (least, most),
            size + own.longer if own.score in (_extended, _longest) else 1,
            as_option(threads, "threads"),
            callback,
        )
    evidence = pa.table(table).to_pylist()
    whole: list[int | None] = _pa.array(rows).to_pylist()
    by_field = []
    together = []
    labels = _labels(items, benchmark, count)
    for item in range(count):
        parts = [evidence[at * count + item] for at in range(len(names))]
        judged = []
        for name, part in zip(names, parts, strict=True):
            row = {"item": item, "benchmark": labels[item], "field": name, **part}
            found = bool(part["found"]) if own.whole else None
            judged.append(_judged(row, own, bounds, found))
        by_field += judged
        best = max(judged, key=lambda row: row["longest"])
        sums = {
            name: sum(part[name] for part in parts)
            for name in ("units", "grams", "found", "covered", "extended")
        }
        together.append(
            _judged({**best, **sums}, own, bounds, whole[item] is not None if own.whole else None)
        )
        if own.whole and whole[item] is not None and together[-1]["row"] != whole[item]:
            # The row that holds all fields, which need not be the first of any.
            together[-1] |= {"row": whole[item], "row_start": None, "row_stop": None}
    items_table = pa.Table.from_pylist(together, _SCHEMA)
    return Contamination(
        method,
        items_table,
        pa.Table.from_pylist(by_field, _FIELDS_SCHEMA),
        _summary(together, own.grades),
        own.grades,
        texts,
        again,
    )


_NUMBERS = ("units", "grams", "found", "covered", "extended", "longest")
_PLACES = ("start", "stop", "row", "row_start", "row_stop")
_SCHEMA: pa.Schema = _pa.schema(
    [("item", pa.uint64()), ("benchmark", TEXT), ("grade", TEXT), ("score", pa.float64())]
    + [(name, pa.uint64()) for name in _NUMBERS]
    + [("field", TEXT)]
    + [(name, pa.uint64()) for name in _PLACES]
)
_SPANS: Any = _pa.large_list(_pa.struct([(name, pa.uint64()) for name in _PLACES]))
_FIELDS_SCHEMA = _SCHEMA.append(pa.field("matches", _SPANS))


def _judged(
    row: dict[str, Any], own: _Definition, bounds: tuple[float, ...], whole: bool | None
) -> dict[str, Any]:
    """Add score and grade."""
    part, of = own.score(row)
    enough = row["grams"] > 0
    if whole is not None:
        part, of = int(whole), 1
    score = part / of if enough and of else None
    grade = None
    if score is not None and own.positive and not bounds:
        grade = own.grades[-1] if part else own.grades[0]
    elif score is not None and bounds:
        grade = own.grades[sum(score >= bound for bound in bounds)]
    return {**row, "score": score, "grade": grade}


def _bounds(threshold: float | Sequence[float] | None, own: _Definition) -> tuple[float, ...]:
    if threshold is None:
        return own.bounds
    given = threshold if isinstance(threshold, list | tuple) else [threshold]
    bounds = tuple(as_float(one, "threshold") for one in given)
    if len(bounds) != len(own.grades) - 1 or any(not 0 < bound <= 1 for bound in bounds):
        raise InvalidInput(
            f"threshold is {threshold!r}: give {len(own.grades) - 1} above 0 and up to 1, one for "
            f"each of the grades {', '.join(own.grades[1:])}"
        )
    if list(bounds) != sorted(bounds):
        raise InvalidInput(f"threshold is {threshold!r}: give lower ones first")
    return bounds


def _units(units: str | None, own: _Definition, tokens: bool) -> str:
    known = {
        "word": "words",
        "normalised word": "normalised",
        "character": "characters",
        "alphanumeric": "alphanumeric",
        "token": "tokens",
    }
    if units is None:
        return "tokens" if tokens else own.units
    if units not in known:
        raise InvalidInput(f"units is {units!r}: give one of {', '.join(map(repr, known))}")
    if (units == "token") != tokens:
        raise UnsupportedType(f"units is {units!r}, and items are {'tokens' if tokens else 'text'}")
    return known[units]


def _columns(items: Any, fields: Sequence[str] | None, benchmark: Any) -> dict[str, Any]:
    """Take the columns that hold what is judged."""
    if hasattr(items, "to_arrow") and not isinstance(items, pa.Table):
        items = items.to_arrow()
    if not isinstance(items, dict) and hasattr(items, "columns") and hasattr(items, "__getitem__"):
        names = items.column_names if isinstance(items, pa.Table) else list(items.columns)
        items = {str(name): items[name] for name in names}
    if not isinstance(items, dict):
        if fields is not None:
            raise InvalidInput(f"fields is {fields!r}, and items is one column: leave fields out")
        return {"text": items}
    if isinstance(fields, str):
        fields = [fields]
    if fields is None:
        fields = [name for name in items if not (isinstance(benchmark, str) and name == benchmark)]
    missing = [name for name in fields if name not in items]
    if missing or not fields:
        raise InvalidInput(f"fields is {list(fields)!r}: give some of {list(items)}")
    found = {str(name): items[name] for name in fields}
    sizes = {len(values) for values in found.values()}
    if len(sizes) > 1:
        raise InvalidInput(f"the columns of items have {sorted(sizes)} rows: give one length")
    return found


def _labels(items: Any, benchmark: Any, count: int) -> list[str | None]:
    if benchmark is None:
        return [None] * count
    if isinstance(benchmark, str):
        try:
            values = items[benchmark]
        except (KeyError, TypeError, ValueError):
            # One name for all of them.
            return [benchmark] * count
    else:
        values = benchmark
    labels: list[str | None] = as_array(values, "benchmark").to_pylist()
    if len(labels) != count:
        raise InvalidInput(
            f"benchmark has {len(labels)} values and items {count}: give one for each"
        )
    return labels


def _plain(values: Any, name: str) -> Any:
    array = one_chunk(as_array(values, name))
    type = widest(array.type)
    if type is None:
        raise UnsupportedType(f"{name} is a column of {array.type}: give text or tokens")
    return array.cast(TEXT if pa.types.is_null(type) else type)


def _corpus(corpus: Any, column: str | None) -> tuple[Any, Any]:
    """Make a corpus the core's, and keep it where it can be asked again."""
    if isinstance(corpus, Index):
        if column is not None:
            raise InvalidInput(f"column is {column!r}, but corpus is an index: leave column out")
        return corpus._core, corpus
    stream = as_column(corpus, column, "corpus").stream
    return stream, stream if isinstance(stream, pa.Array | pa.ChunkedArray) else None


def _summary(rows: list[dict[str, Any]], grades: tuple[str, ...]) -> pa.Table:
    benchmarks = sorted({row["benchmark"] for row in rows}, key=lambda name: (name is None, name))
    found = []
    for name in benchmarks:
        own = [row for row in rows if row["benchmark"] == name]
        scores = [row["score"] for row in own if row["score"] is not None]
        summary: dict[str, Any] = {
            "benchmark": name,
            "items": len(own),
            "graded": sum(row["grade"] is not None for row in own),
            "score": sum(scores) / len(scores) if scores else None,
        }
        found.append(
            summary | {grade: sum(row["grade"] == grade for row in own) for grade in grades}
        )
    schema: pa.Schema = _pa.schema(
        [
            ("benchmark", TEXT),
            ("items", pa.uint64()),
            ("graded", pa.uint64()),
            ("score", pa.float64()),
        ]
        + [(grade, pa.uint64()) for grade in grades]
    )
    return pa.Table.from_pylist(found, schema)


_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .6rem;
border-bottom:1px solid #ddd;vertical-align:top}.bar{display:flex;height:1rem;width:16rem;
background:#eee;border-radius:3px;overflow:hidden}.g0{background:#7fb77e}.g1{background:#e8a33d}
.g2{background:#c8443c}mark{background:#ffe08a}.item{display:grid;grid-template-columns:1fr 1fr;
gap:1rem;border-top:1px solid #ccc;padding:1rem 0}pre{white-space:pre-wrap;margin:0;
font:14px/1.4 ui-monospace,monospace;overflow-wrap:anywhere}h3{margin:0;font-size:1rem;
grid-column:1/3}small{color:#666}
"""


def _page(found: Contamination, title: str, limit: int) -> str:
    """Write the bulletin."""
    colours = {grade: f"g{at + 3 - len(found.grades)}" for at, grade in enumerate(found.grades)}
    colours[found.grades[0]] = "g0"
    head = "".join(
        f"<th>{html.escape(name)}</th>" for name in ("benchmark", "items", *found.grades)
    )
    lines = []
    for row in found.summary.to_pylist():
        graded = row["graded"] or 1
        shares = {grade: row[grade] / graded for grade in found.grades}
        bars = "".join(
            f'<span class="{colours[grade]}" style="width:{share:.1%}" '
            f'title="{html.escape(grade)}"></span>'
            for grade, share in shares.items()
        )
        cells = "".join(f"<td>{row[grade]:,} ({share:.1%})</td>" for grade, share in shares.items())
        name = html.escape(row["benchmark"] or "all items")
        mean = "" if row["score"] is None else f"{row['score']:.3f}"
        lines.append(
            f"<tr><td>{name}</td><td>{row['items']:,}</td>{cells}<td>{mean}</td>"
            f'<td><div class="bar">{bars}</div></td></tr>'
        )
    rows = sorted(
        (row for row in found.items.to_pylist() if row["longest"]),
        key=lambda row: (-(row["score"] or 0), -row["longest"], row["item"]),
    )[:limit]
    spans: dict[tuple[int, str], Any] = {}
    wanted = {row["item"] for row in rows}
    for field in found.fields.select(["item", "field", "matches"]).to_pylist():
        if field["item"] in wanted:
            spans[field["item"], field["field"]] = field["matches"]
    parts = [_item(found, row, spans) for row in rows]
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f"<style>{_STYLE}</style><h1>{html.escape(title)}</h1><p>Method: "
        f"<b>{html.escape(found.method)}</b>; {found.items.num_rows:,} items.</p><table><tr>{head}"
        f"<th>mean score</th><th></th></tr>{''.join(lines)}</table>"
        "<h2>Items and where they stand</h2>"
        f"{''.join(parts) or '<p>None of them does.</p>'}</html>"
    )


def _item(found: Contamination, row: dict[str, Any], spans: dict[tuple[int, str], Any]) -> str:
    shown = []
    for name, texts in found._texts.items():
        value = texts[row["item"]].as_py()
        if value is None:
            continue
        marked = [(one["start"], one["stop"]) for one in spans[row["item"], name]]
        label = f"<small>{html.escape(name)}</small>" if len(found._texts) > 1 else ""
        shown.append(f"{label}<pre>{_marked(value, marked)}</pre>")
    score = "" if row["score"] is None else f", score {row['score']:.3f}"
    name = f"{row['benchmark']}, item" if row["benchmark"] else "Item"
    return (
        f'<section class="item"><h3>{html.escape(name)} {row["item"]}: '
        f"{html.escape(row['grade'] or 'not graded')}{score}</h3><div>{''.join(shown)}</div>"
        f"<div><small>row {row['row']:,} of the corpus</small>{_source(found._corpus, row)}</div>"
        "</section>"
    )


def _source(corpus: Any, row: dict[str, Any]) -> str:
    """Show the row of the longest match, and what stands around it."""
    if corpus is None or row["row_start"] is None:
        return ""
    text = corpus.text([row["row"]])[0] if isinstance(corpus, Index) else corpus[row["row"]]
    value = text.as_py()
    data = value.encode() if isinstance(value, str) else value
    start, stop = row["row_start"], row["row_stop"]
    first, last = max(start - 200, 0), min(stop + 200, len(data))
    if isinstance(value, str):
        while first > 0 and data[first] & 0xC0 == 0x80:
            first -= 1
        while last < len(data) and data[last] & 0xC0 == 0x80:
            last += 1
        value = data[first:last].decode()
    else:
        value = data[first:last]
    before, after = "…" * (first > 0), "…" * (last < len(data))
    return f"<pre>{before}{_marked(value, [(start - first, stop - first)])}{after}</pre>"


def _marked(value: Any, spans: list[tuple[int, int]]) -> str:
    """Highlight spans of symbols of a text, bytes or tokens."""
    text = isinstance(value, str)
    data = value.encode() if text else value

    def written(part: Any) -> str:
        if isinstance(part, bytes):
            return html.escape(part.decode("utf-8", "backslashreplace"))
        return html.escape(" ".join(map(str, part)) + " ") if part else ""

    parts, at = [], 0
    for start, stop in spans:
        start = max(start, at)
        if stop > start:
            parts += [written(data[at:start]), "<mark>", written(data[start:stop]), "</mark>"]
            at = stop
    return "".join([*parts, written(data[at:])])
