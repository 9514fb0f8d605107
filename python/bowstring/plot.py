"""Scored text to look at: shaded by the length of the suffix that each prediction stood on.

The plots of Liu et al. (2024): the shaded text as a page or a figure, and how the share of
predicted symbols rises with the length of the suffix. Shades are fixed, a shade a power of two, so
that two plots compare.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import pyarrow as pa

from bowstring.columns import as_numbers, as_option
from bowstring.errors import InvalidInput, MissingPackage, UnsupportedType
from bowstring.report import VISIBLE

if TYPE_CHECKING:
    import os

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Decode: TypeAlias = Callable[[int], str] | Sequence[str] | Mapping[int, str]
"""What a token is as text."""

PICTURES = (".png", ".svg", ".pdf")
PAGES = (".html",)

# Viridis at ten even steps: perceptually uniform, and told apart by the colour blind.
SHADES = (
    *("#440154", "#482878", "#3e4989", "#31688e", "#26828e"),
    *("#1f9e89", "#35b779", "#6ece58", "#b5de2b", "#fde725"),
)
LABELS = ("0", "1", "2-3", "4-7", "8-15", "16-31", "32-63", "64-127", "128-255", "256+")
"""The lengths of each shade."""

END = "∎"

# As escapes, which every font has; new lines and tabs are the text's own layout.
_ESCAPES = {
    code: f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
    for code in VISIBLE
    if chr(code) not in "\n\t"
}

COLUMNS = 100
# A picture of more lines than this is higher than matplotlib draws.
MOST_LINES = 400


@dataclass(frozen=True, slots=True)
class Score:
    """What is said of one symbol, as the table of scores has it."""

    token: int | None
    suffix_length: int
    context_count: int
    count: int
    prob: float | None


@dataclass(frozen=True, slots=True)
class Cell:
    """A character or a token as it is shown, and what is said of it."""

    text: str
    score: Score
    symbols: int = 1

    @property
    def shade(self) -> int:
        """Its place in `SHADES`."""
        return min(self.score.suffix_length.bit_length(), len(SHADES) - 1)

    @property
    def predicted(self) -> bool:
        """Whether its probability is above one half."""
        return (self.score.prob or 0.0) > 0.5


@dataclass(frozen=True, slots=True)
class Shading:
    """Rows of scored text, cut into what is shown."""

    rows: list[tuple[int, list[Cell]]]
    """Each row's number and cells."""
    symbols: int
    """Symbols that are shown."""
    whole: int
    """Symbols that were asked for."""
    unit: str
    gap: str
    """What stands between two cells that is part of neither."""

    @property
    def caption(self) -> str:
        """How much of what is shown."""
        if self.symbols < self.whole:
            return f"The first {self.symbols:,} of {self.whole:,} {self.unit}s"
        return f"{self.whole:,} {self.unit}{'s' * (self.whole != 1)}"


def shade(
    table: pa.Table,
    column: str,
    count: int,
    rows: Any = None,
    *,
    decode: Decode | None = None,
    limit: int | None = None,
) -> Shading:
    r"""Cut scored rows into cells.

    Parameters
    ----------
    table
        The table of `Scores`, ordered by row and position.
    column
        What was scored: `"string"`, `"binary"` or `"tokens"`.
    count
        How many rows were scored, those without symbols included.
    rows, decode, limit
        As `Scores.html` takes them.

    Returns
    -------
    Shading
        Text by characters, bytes that are not UTF-8 as `\xff`; tokens one by one.

    Raises
    ------
    InvalidInput, UnsupportedType
        As `Scores.html`.

    Examples
    --------
    >>> import bowstring as bow
    >>> scores = bow.LanguageModel(bow.index(["né"])).score(["né"])
    >>> shading = shade(scores.table, "string", 1)
    >>> [(cell.text, cell.symbols) for cell in shading.rows[0][1]]
    [('n', 1), ('é', 2)]
    """
    tokens = column == "tokens"
    if decode is not None and not tokens:
        raise InvalidInput(f"decode is for tokens, and the scores are of a {column} column")
    most = as_option(limit, "limit")
    left = len(table) + count if most is None else most
    numbers = range(count) if rows is None else _numbers(rows, count)
    places: Any = table["row"]

    def start(row: int) -> int:
        return bisect_left(range(len(table)), row, key=lambda at: places[at].as_py())

    whole = len(table) if rows is None else sum(start(row + 1) - start(row) for row in numbers)
    found: list[tuple[int, list[Cell]]] = []
    shown = 0
    for row in numbers[:left]:
        if found and shown >= left:
            break
        begin = start(row)
        # Up to three more bytes, so that the last character is whole.
        scored = _scores(table, begin, min(start(row + 1), begin + left - shown + 3))
        cells: list[Cell] = []
        for cell in _tokens(scored, decode) if tokens else _characters(scored):
            if shown >= left:
                break
            cells.append(cell)
            shown += cell.symbols
        found.append((row, cells))
    unit = "token" if tokens else "byte"
    return Shading(found, shown, whole, unit, " " if tokens and decode is None else "")


def _numbers(rows: Any, count: int) -> Sequence[int]:
    numbers, _ = as_numbers(rows, "rows")
    chosen: list[int | None] = numbers.to_pylist()
    for at, row in enumerate(chosen):
        if row is None:
            raise InvalidInput(f"rows is null at position {at}: give the number of a row")
        if row >= count:
            raise InvalidInput(f"rows holds {row}, and {count} rows were scored, counted from 0")
    return [row for row in chosen if row is not None]


def _scores(table: pa.Table, start: int, stop: int) -> list[Score]:
    part = table.slice(start, max(0, stop - start))
    columns = (part[field.name].to_pylist() for field in fields(Score))
    return [Score(*values) for values in zip(*columns, strict=True)]


def _characters(scored: list[Score]) -> Iterator[Cell]:
    own = bytes(one.token for one in scored if one.token is not None)
    at = 0
    while at < len(own):
        lead = own[at]
        width = 1 + (lead >= 0xC0) + (lead >= 0xE0) + (lead >= 0xF0)
        try:
            text = own[at : at + width].decode()
        except UnicodeDecodeError:
            text, width = f"\\x{lead:02x}", 1
        # A character is no more predictable than its least predictable byte.
        weakest = min(scored[at : at + width], key=lambda one: one.prob or 0.0)
        yield Cell(text.translate(_ESCAPES), weakest, width)
        at += width
    for one in scored[at:]:
        yield Cell(END, one)


def _tokens(scored: list[Score], decode: Decode | None) -> Iterator[Cell]:
    for one in scored:
        if one.token is None:
            yield Cell(END, one)
        else:
            text = str(one.token) if decode is None else _decoded(one.token, decode)
            yield Cell(text, one)


def _decoded(token: int, decode: Decode) -> str:
    try:
        text: Any = decode(token) if callable(decode) else decode[token]
    except LookupError as error:
        raise InvalidInput(f"decode has no text for token {token}: {error}") from error
    if not isinstance(text, str):
        raise UnsupportedType(f"decode gives {text!r} for token {token}: it must give str")
    # What a page cannot hold: halves of characters.
    return text.translate(_ESCAPES).encode("utf-8", "backslashreplace").decode()


def _ink(shade: str) -> str:
    """Black or white, whichever is easier to read on a shade (WCAG's relative luminance)."""
    channels = (int(shade[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    luminance = sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    return "#000" if (luminance + 0.05) ** 2 > 0.05 * 1.05 else "#fff"


_STYLE = (
    ".bowstring{line-height:1.7}"
    ".bowstring .row{font-family:ui-monospace,monospace;white-space:pre-wrap;"
    "overflow-wrap:anywhere;tab-size:4;margin:.6em 0;padding-left:6em;position:relative;"
    "min-height:1.7em}"
    '.bowstring .row::before{content:"row " attr(data-row);position:absolute;left:0;opacity:.6}'
    ".bowstring .row>*{padding:.15em 0}"
    ".bowstring .legend>*{padding:.15em .4em}"
    ".bowstring u{text-decoration:underline 2px;text-underline-offset:.2em}"
    '.bowstring .n::before{content:"⏎";opacity:.6}'
    ".bowstring .end{font-size:.7em}"
) + "".join(
    f".bowstring .s{at}{{background:{shade};color:{_ink(shade)}}}"
    for at, shade in enumerate(SHADES)
)


def fragment(shading: Shading) -> str:
    """Write shaded text as one HTML element with its style, to stand in another page.

    Examples
    --------
    >>> fragment(Shading([], 0, 0, "byte", "")).startswith('<div class="bowstring"><style>')
    True
    """
    legend = "".join(f'<span class="s{at}">{label}</span>' for at, label in enumerate(LABELS))
    rows = "".join(
        f'<div class="row" data-row="{row}">{shading.gap.join(map(_tag, cells))}</div>\n'
        for row, cells in shading.rows
    )
    return (
        f'<div class="bowstring"><style>{_STYLE}</style>\n'
        f'<p class="caption">{shading.caption}, each shaded by the length in {shading.unit}s of '
        "the longest suffix before it that occurs; <u>underlined</u> if its probability is above "
        f'one half.</p>\n<p class="legend">{legend}</p>\n{rows}</div>\n'
    )


def page(shading: Shading) -> str:
    """Write shaded text as an HTML page that needs nothing else.

    Examples
    --------
    >>> page(Shading([], 0, 0, "byte", "")).splitlines()[0]
    '<!doctype html>'
    """
    return (
        '<!doctype html>\n<html><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{shading.caption} by suffix length</title>\n"
        "<style>:root{color-scheme:light dark}body{max-width:75em;margin:2em auto;padding:0 1em;"
        "font-family:system-ui,sans-serif}</style></head>\n"
        f"<body>\n{fragment(shading)}</body></html>\n"
    )


def _tag(cell: Cell) -> str:
    name = "u" if cell.predicted else "span"
    sign = " end" if cell.score.token is None else " n" if cell.text.startswith("\n") else ""
    prob = "none" if cell.score.prob is None else f"{cell.score.prob:.3g}"
    title = (
        f"suffix_length {cell.score.suffix_length}&#10;context_count {cell.score.context_count}"
        f"&#10;count {cell.score.count}&#10;prob {prob}"
    )
    return f'<{name} class="s{cell.shade}{sign}" title="{title}">{escape(cell.text)}</{name}>'


def figure(shading: Shading) -> Figure:
    """Draw shaded text.

    Raises
    ------
    MissingPackage
        If matplotlib is not installed.

    Examples
    --------
    >>> figure(Shading([], 0, 0, "byte", "")).axes[0].get_title(loc="left")
    '0 bytes'
    """
    check_matplotlib()
    import numpy as np
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.collections import LineCollection
    from matplotlib.colors import BoundaryNorm, ListedColormap
    from matplotlib.figure import Figure

    lines, starts = _wrapped(shading)
    caption = shading.caption
    if len(lines) > MOST_LINES:
        lines = lines[:MOST_LINES]
        caption = f"The first {MOST_LINES} lines of: {caption[0].lower()}{caption[1:]}"

    # In inches. A letter is 0.602 times as wide as its font is high in matplotlib's own, and drawn
    # in whole pixels: 12 are its width, so that no word grows out of its shade.
    dpi, letter = 150, 12 / 150
    size = letter / 0.602 * 72
    width, height = COLUMNS * letter, max(1, len(lines)) * 1.6 * size / 72
    left, right, above, below = 0.9, 0.3, 1.15, 0.2
    whole = (left + width + right, above + height + below)
    drawn = Figure(figsize=whole, dpi=dpi)
    FigureCanvasAgg(drawn)
    axes = drawn.add_axes((left / whole[0], below / whole[1], width / whole[0], height / whole[1]))
    shades = np.full((max(1, len(lines)), COLUMNS), -1)
    underlines, inks = [], []
    for at, line in enumerate(lines):
        for piece in line:
            end = piece.start + piece.width
            shades[at, piece.start : end] = piece.cell.shade
            ink = _ink(SHADES[piece.cell.shade])
            if piece.cell.predicted:
                underlines.append([(piece.start, at + 0.93), (end, at + 0.93)])
                inks.append(ink)
            if piece.text.strip():
                axes.text(
                    piece.start,
                    at + 0.5,
                    piece.text,
                    family="monospace",
                    size=size,
                    color=ink,
                    va="center_baseline",
                    parse_math=False,
                )
    norm = BoundaryNorm([at - 0.5 for at in range(len(SHADES) + 1)], len(SHADES))
    mesh = axes.pcolormesh(
        np.ma.masked_less(shades, 0), cmap=ListedColormap(SHADES), norm=norm, antialiased=False
    )
    axes.add_collection(LineCollection(underlines, colors=inks, linewidths=1.2))
    axes.set(xlim=(0, COLUMNS), ylim=(max(1, len(lines)), 0), xticks=[])
    shown = [(at, row) for at, row in starts if at < MOST_LINES]
    axes.set_yticks([at + 0.5 for at, _ in shown], [f"row {row}" for _, row in shown])
    axes.tick_params(left=False)
    axes.spines[:].set_visible(False)
    axes.set_title(caption, loc="left", pad=60)
    key = drawn.add_axes((left / whole[0], 1 - 0.65 / whole[1], width / whole[0], 0.16 / whole[1]))
    bar = drawn.colorbar(mesh, cax=key, orientation="horizontal", ticks=range(len(SHADES)))
    bar.set_label(
        f"length of the longest suffix before it that occurs ({shading.unit}s); "
        "underlined: probability above one half",
        size=size,
    )
    key.set_xticklabels(LABELS)
    key.tick_params(length=0, labelsize=size)
    return drawn


class _Piece(NamedTuple):
    start: int
    width: int
    text: str
    cell: Cell


def _wrapped(shading: Shading) -> tuple[list[list[_Piece]], list[tuple[int, int]]]:
    """Lay cells out in lines of `COLUMNS`; with the line and number of each row."""
    from rich.cells import cell_len

    lines: list[list[_Piece]] = []
    starts = []
    for row, cells in shading.rows:
        starts.append((len(lines), row))
        lines.append([])
        column = 0
        for cell in cells:
            for part in cell.text.replace("\t", "→   ").replace("\n", "⏎\n").splitlines(True):
                text = ""
                begin = column
                for letter in part.rstrip("\n"):
                    width = cell_len(letter)
                    if column + width > COLUMNS:
                        if text:
                            lines[-1].append(_Piece(begin, column - begin, text, cell))
                        lines.append([])
                        text, begin, column = "", 0, 0
                    text += letter
                    column += width
                if text:
                    lines[-1].append(_Piece(begin, column - begin, text, cell))
                if part.endswith("\n"):
                    lines.append([])
                    column = 0
            column += len(shading.gap)
        if not lines[-1] and cells:
            lines.pop()
    return lines, starts


def agreement_figure(agreement: pa.Table, unit: str, longest: int) -> Figure:
    """Draw the share of predicted symbols by suffix length, over how many there are of each.

    Parameters
    ----------
    agreement
        The table of `Scores.agreement`.
    unit
        What a symbol is: `"byte"` or `"token"`.
    longest
        The longest length that has a place of its own: longer ones share the last.

    Raises
    ------
    InvalidInput
        If `longest` is 0.
    MissingPackage
        If matplotlib is not installed.

    Examples
    --------
    >>> import bowstring as bow
    >>> scores = bow.LanguageModel(bow.index(["banana"])).score(["anan"])
    >>> agreement_figure(scores.agreement(), "byte", 32).axes[0].get_ylabel()
    'predicted: share with a probability above one half'
    """
    check_matplotlib()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    most = as_option(longest, "longest", required=True)
    if most == 0:
        raise InvalidInput("longest is 0: give the longest suffix length with a place of its own")
    symbols: dict[int, int] = {}
    predicted: dict[int, float] = {}
    for length, number, share in _rows(agreement):
        if share is None:
            continue
        place = min(length, most + 1)
        symbols[place] = symbols.get(place, 0) + number
        predicted[place] = predicted.get(place, 0.0) + share * number
    places = [place for place, number in symbols.items() if number]

    drawn = Figure(figsize=(8, 4.5), layout="constrained")
    FigureCanvasAgg(drawn)
    front = drawn.add_subplot()
    back: Axes = front.twinx()
    back.bar(places, [symbols[place] for place in places], width=0.9, color="#b8c4ce")
    # So that a bar of one is to be seen.
    back.set_yscale("log")
    back.set_ylim(bottom=0.5)
    back.set_ylabel(f"{unit}s (bars, log scale)")
    shares = [predicted[place] / symbols[place] for place in places]
    front.plot(places, shares, color=SHADES[0], marker="o", markersize=4)
    front.set(ylim=(0, 1.02), title=f"{sum(symbols.values()):,} {unit}s scored")
    front.set_xlabel(f"length of the longest suffix that occurs ({unit}s)")
    front.set_ylabel("predicted: share with a probability above one half")
    front.yaxis.set_major_formatter(PercentFormatter(1.0))
    # The line in front of the bars, whose axes matplotlib puts in front.
    front.set_zorder(back.get_zorder() + 1)
    front.patch.set_visible(False)
    front.xaxis.set_major_locator(MaxNLocator(integer=True))
    if most + 1 in places:
        ticks = [tick for tick in range(0, most, max(1, most // 8)) if tick <= most - most // 16]
        front.set_xticks([*ticks, most + 1], [*map(str, ticks), f"> {most}"])
    return drawn


def _rows(agreement: pa.Table) -> Iterable[tuple[int, int, float | None]]:
    names = ("suffix_length", "symbols", "predicted")
    return zip(*(agreement[name].to_pylist() for name in names), strict=True)


def check_path(
    path: str | os.PathLike[str], name: str = "path", suffixes: Sequence[str] = PICTURES + PAGES
) -> str:
    """Say what a plot is written as, by the suffix of its name, before any work is done.

    Raises
    ------
    InvalidInput
        If the suffix is none of `suffixes`.
    MissingPackage
        If it is a picture's and matplotlib is not installed.

    Examples
    --------
    >>> check_path("plot.HTML")
    '.html'
    """
    suffix = Path(path).suffix.lower()
    if suffix not in suffixes:
        *most, last = suffixes
        known = f"{', '.join(most)} or {last}"
        raise InvalidInput(f"{name} is {str(path)!r}: give a name that ends in {known}")
    if suffix in PICTURES:
        check_matplotlib()
    return suffix


def check_matplotlib() -> None:
    """Raise MissingPackage unless matplotlib is installed."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise MissingPackage(
            f"a figure needs matplotlib ({error}): pip install 'bowstring[plot]', or make a page "
            "with Scores.html, which needs nothing"
        ) from error


def profile_figure(distances: pa.Array[Any], columns: int = 2000) -> Figure:
    """Draw distances over shifts; the least and the largest of as many as share a column.

    Raises
    ------
    MissingPackage
        If matplotlib is not installed.

    Examples
    --------
    >>> profile_figure(pa.array([3, 0, 2], pa.uint8())).axes[0].get_title()
    '3 windows, the nearest at 1: 0 mismatches'
    """
    check_matplotlib()
    import pyarrow.compute as pc
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    number = len(distances)
    size = max(1, -(-number // columns))
    places = range(0, number, size)
    parts: list[Any] = [pc.min_max(distances.slice(start, size)).as_py() for start in places]
    least = [part["min"] for part in parts]
    near = pc.min(distances).as_py()
    at = pc.index(distances, near).as_py()

    drawn = Figure(figsize=(8, 4.5), layout="constrained")
    FigureCanvasAgg(drawn)
    axes = drawn.add_subplot()
    if size > 1:
        axes.fill_between(places, least, [part["max"] for part in parts], color="#b8c4ce", lw=0)
    axes.plot(places, least, color=SHADES[0], linewidth=0.8)
    axes.plot([at], [near], color=SHADES[5], marker="o", markersize=6)
    axes.set(ylim=(0, None), xlim=(0, max(1, number - 1)))
    axes.set(xlabel="start of the window (symbols)", ylabel="mismatches")
    axes.set_title(f"{number:,} windows, the nearest at {at:,}: {near:,} mismatches")
    return drawn
