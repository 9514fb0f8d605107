"""Scored text to look at: what a page shows and says, figures, files, and what cannot be drawn."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import warnings
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bowstring as bow
from bowstring import LanguageModel, Scores, plot
from bowstring.cli import main
from strategies import BINARY, STRING, TOKENS, Case, Kind, cases

SIGNATURES = {".png": b"\x89PNG\r\n\x1a\n", ".svg": b"<?xml", ".pdf": b"%PDF-"}
SHOWN = re.compile(
    "[\0-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]",
)


class Page(HTMLParser):
    """What a page shows: the text of each row, its cells and what they say."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: list[tuple[int, str]] = []
        self.cells: list[tuple[str, dict[str, str | None], str]] = []
        self.open: list[str] = []
        self.texts: dict[str, str] = {}
        self.addresses: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src")]
        if tag == "meta":
            return
        if self.open and self.open[-1] == "row":
            self.cells.append((tag, given, ""))
        self.open.append(given.get("class") or tag)
        if self.open[-1] == "row":
            self.rows.append((int(given["data-row"] or ""), ""))

    def handle_endtag(self, tag: str) -> None:
        self.open.pop()

    def handle_data(self, data: str) -> None:
        for place in self.open:
            self.texts[place] = self.texts.get(place, "") + data
        if "row" not in self.open:
            return
        if self.open[-1] != "row":
            tag, given, text = self.cells[-1]
            self.cells[-1] = tag, given, text + data
            if "end" in (given["class"] or "").split():
                return
        row, text = self.rows[-1]
        self.rows[-1] = row, text + data


def told(cell: tuple[str, dict[str, str | None], str]) -> dict[str, float | None]:
    lines = [line.split() for line in (cell[1]["title"] or "").splitlines()]
    return {name: None if value == "none" else float(value) for name, value in lines}


def as_shown(row: Any) -> str:
    """A row as a page shows it, by Python's own decoder."""
    if row is None:
        return ""
    text = row if isinstance(row, str) else row.decode("utf-8", "backslashreplace")

    def escape(found: re.Match[str]) -> str:
        code = ord(found[0])
        return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"

    return SHOWN.sub(escape, text)


def score(known: Any, rows: Any, **options: Any) -> Scores:
    return LanguageModel(bow.index(known)).score(rows, **options)


@pytest.mark.parametrize("kind", [STRING, BINARY], ids=str)
def test_a_page_shows_the_text_as_it_is(kind: Kind) -> None:
    @given(cases(kind), st.booleans())
    def check(case: Case, end: bool) -> None:
        extra = (
            "<b>&amp;\"'</b>\r\n\t\x1b[31m\u202e\ufeffé€𝄞" if kind is STRING else b"\xc3(\xe2\x82<"
        )
        rows = [*case.rows, extra, None]
        scores = score(case.column(), pa.array(rows, kind.type), end=end)
        page = Page(scores.html(limit=None))
        assert page.rows == [(at, as_shown(row)) for at, row in enumerate(rows)]
        ends = [cell for cell in page.cells if cell[2] == plot.END]
        assert len(ends) == sum(row is not None for row in rows) * end

    check()


def test_a_page_shows_tokens_as_they_are() -> None:
    @given(cases(TOKENS), st.booleans())
    def check(case: Case, end: bool) -> None:
        scores = score(case.column(), case.column(), end=end)
        given = [row or [] for row in case.rows]
        shown = [text.rstrip(" ") for _, text in Page(scores.html(limit=None)).rows]
        assert shown == [" ".join(map(str, row)) for row in given]
        words = {token: f"<b>{token}&lt;\n" for row in given for token in row}
        for decode in (words, words.__getitem__):
            page = Page(scores.html(limit=None, decode=decode))
            assert [text for _, text in page.rows] == [
                "".join(words[token] for token in row) for row in given
            ]

    check()


def test_each_cell_tells_its_row_of_the_table() -> None:
    scores = score([[1, 2, 3, 4], [1, 2, 5]], [[9, 1, 2, 3, 4], [], [2]], end=True)
    page = Page(scores.html())
    rows = scores.table.to_pylist()
    assert len(page.cells) == len(rows) == 9
    for cell, row in zip(page.cells, rows, strict=True):
        numbers = told(cell)
        assert numbers.pop("prob") == pytest.approx(row["prob"], rel=1e-2)
        assert numbers == {name: row[name] for name in numbers}
        assert len(numbers) == 3
        assert cell[0] == ("u" if row["prob"] > 0.5 else "span")
        assert (cell[1]["class"] or "").split()[0] == f"s{row['suffix_length'].bit_length()}"
    assert {cell[0] for cell in page.cells} == {"u", "span"}
    nothing = Page(score(pa.array([], pa.string()), ["a"]).html())
    assert [(cell[0], told(cell)["prob"]) for cell in nothing.cells] == [("span", None)]


def test_a_character_is_as_predictable_as_its_least_predictable_byte() -> None:
    # C3 follows x always; A9 follows it in one of three.
    scores = score(["xé", "xè", "xê"], ["xé"])
    assert scores.table["prob"].to_pylist()[1:] == [1.0, 1 / 3]
    cell = Page(scores.html()).cells[1]
    assert (cell[0], cell[2]) == ("span", "é")
    assert told(cell) == {"suffix_length": 2, "context_count": 3, "count": 1, "prob": 0.333}
    # And the first byte the less predictable one.
    cell = Page(score(["xé", "xa", "xb"], ["xé"]).html()).cells[1]
    assert (cell[2], told(cell)["suffix_length"], told(cell)["prob"]) == ("é", 1, 0.333)


def test_shades_go_by_powers_of_two() -> None:
    lengths = [0, 1, 2, 3, 4, 7, 8, 127, 128, 255, 256, 511, 512, 10**6]
    shades = [plot.Cell("", plot.Score(1, length, 1, 1, 1.0)).shade for length in lengths]
    assert shades == [0, 1, 2, 2, 3, 3, 4, 7, 8, 8, 9, 9, 9, 9]
    for shade, length in zip(shades, lengths, strict=True):
        least, _, most = plot.LABELS[shade].rstrip("+").partition("-")
        assert int(least) <= length <= int(most or (least if int(least) < 2 else length))


def test_shades_are_viridis_and_their_ink_is_readable() -> None:
    from matplotlib import colormaps
    from matplotlib.colors import to_hex, to_rgb

    def luminance(colour: str) -> float:
        channels = (
            c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)
        )
        return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), channels, strict=True))

    last = len(plot.SHADES) - 1
    viridis = [to_hex(colormaps["viridis"](at / last)) for at in range(last + 1)]
    assert list(plot.SHADES) == viridis
    page = score(["a"], ["a"]).html()
    style = re.findall(r"\.s(\d)\{background:(#\w{6});color:(#\w{3})\}", page)
    assert [shade for _, shade, _ in style] == viridis
    for _, shade, ink in style:
        darker, lighter = sorted((luminance(shade), luminance(ink)))
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5


def test_a_page_stands_alone() -> None:
    page = score(["a<b"], ["a<b"]).html()
    read = Page(page)
    assert page.startswith("<!doctype html>") and '<meta charset="utf-8">' in page
    assert "color-scheme:light dark" in page
    assert read.addresses == [] and "url(" not in page and "<script" not in page
    assert read.texts["legend"] == "".join(plot.LABELS)
    assert "in bytes" in read.texts["caption"] and "one half" in read.texts["caption"]


def test_rows_and_limits() -> None:
    scores = score(["abé"], ["abc", None, "", "abé", "xyz"], end=True)
    texts = ["abc", "", "", "abé", "xyz"]

    def shown(*args: Any, **options: Any) -> list[tuple[int, str]]:
        return Page(scores.html(*args, **options)).rows

    assert shown() == list(enumerate(texts))
    assert shown(3) == [(3, "abé")]
    assert shown([4, 1, 4]) == [(4, "xyz"), (1, ""), (4, "xyz")]
    assert shown(pa.array([0], pa.uint8())) == [(0, "abc")]
    assert shown([]) == []
    assert shown(limit=0) == []
    assert Page(score(["a"], [""] * 9).html(limit=3)).rows == [(0, ""), (1, ""), (2, "")]
    # A limit inside of a character takes the whole of it, and no more.
    assert shown(3, limit=3) == [(3, "abé")]
    assert len(Page(scores.html(3, limit=3)).cells) == 3
    assert shown(3, limit=2) == [(3, "ab")]
    assert shown(limit=5)[-1] == (2, "")
    assert shown([3, 3], limit=6)[1] == (3, "a")
    assert "The first 5 of 14 bytes" in scores.html(limit=5)
    assert "The first 2 of 5 bytes" in scores.html(3, limit=2)
    assert ">14 bytes, " in scores.html(limit=14)
    none = score(["a"], pa.array([], pa.string()))
    assert (none.rows, Page(none.html()).rows) == (0, [])
    assert none.plot().axes[0].get_title(loc="left") == "0 bytes"
    assert none.plot_agreement().axes[0].get_title() == "0 bytes scored"


def test_notebooks_show_the_first_rows() -> None:
    scores = score(["ab"], ["ab" * 1500, "c"])
    fragment = scores._repr_html_()
    assert Page(fragment).rows == [(0, "ab" * 1000)]
    assert fragment.startswith("<div") and "<body" not in fragment
    # No rule of it reaches beyond it.
    rules = re.search(r"<style>(.*)</style>", fragment)
    assert rules is not None
    selectors = re.findall(r"(?:^|\})([^{}]+)\{", rules[1])
    assert len(selectors) > 10
    for selector in selectors:
        assert all(part.startswith(".bowstring") for part in selector.split(","))


def test_what_a_figure_shows(tmp_path: Path) -> None:
    scores = score(["banana $x$"], ["ban\n\tana $x$\x1b", None, "né"], end=True)
    drawn = scores.plot()
    axes, key = drawn.axes
    assert axes.get_title(loc="left") == "18 bytes"
    assert [label.get_text() for label in axes.get_yticklabels()] == ["row 0", "row 1", "row 2"]
    assert key.get_xlabel().startswith("length of the longest suffix before it that occurs (bytes)")
    assert [label.get_text() for label in key.get_xticklabels()] == list(plot.LABELS)
    lines: dict[float, str] = {}
    for text in axes.texts:
        lines[text.get_position()[1]] = lines.get(text.get_position()[1], "") + text.get_text()
    assert list(lines.values()) == ["ban⏎", "→   ana$x$\\x1b∎", "né∎"]
    (mesh,) = (
        one for one in axes.collections if hasattr(one, "norm") and one.get_array() is not None
    )
    shades = mesh.get_array()
    assert shades.shape == (4, plot.COLUMNS)
    lengths = scores.table["suffix_length"].to_pylist()
    assert shades[0].compressed().tolist() == [length.bit_length() for length in lengths[:4]]
    assert shades[2].compressed().tolist() == []
    underlined = next(one for one in axes.collections if one is not mesh).get_segments()
    assert len(underlined) == sum(
        cell.predicted for _, cells in scores._shaded(None, None, None).rows for cell in cells
    )


def test_lines_of_a_figure_wrap_and_end() -> None:
    scores = score([[1]], [[1] * 200, [7]])
    shades = scores.plot(decode={1: "abc", 7: "日本"}).axes[0].collections[0].get_array()
    assert shades.shape == (7, plot.COLUMNS)
    assert shades[5].count() == 100 and shades[6].count() == 4
    (text,) = score([[1]], [[1]]).plot(decode=["", "$x$"]).axes[0].texts
    assert (text.get_text(), text.get_parse_math()) == ("$x$", False)
    # Letters are as wide as their shades.
    axes = score([[1]], [[1]]).plot(decode=["", "m" * 90]).axes[0]
    (text,) = axes.texts
    share = text.get_window_extent().width / axes.get_window_extent().width
    assert share == pytest.approx(0.9, abs=0.01)
    # Numbers stand apart.
    assert scores.plot().axes[0].collections[0].get_array()[0].count() == 50
    long = score(["a"], ["\n" * 2000]).plot()
    assert long.axes[0].get_title(loc="left").startswith(f"The first {plot.MOST_LINES} lines of")
    # Nothing follows the last new line.
    assert score(["a"], ["a\n"]).plot().axes[0].collections[0].get_array().shape[0] == 1


def test_the_figure_of_agreement() -> None:
    scores = score([[1, 2, 3, 4, 5, 6], [1, 7]], [[1, 2, 3, 4, 5, 6], [9, 1, 7]])
    front, back = scores.plot_agreement().axes
    agreement = scores.agreement()
    (line,) = front.lines
    assert list(line.get_xdata()) == agreement["suffix_length"].to_pylist()
    assert list(line.get_ydata()) == agreement["predicted"].to_pylist()
    assert [bar.get_height() for bar in back.patches] == agreement["symbols"].to_pylist()
    assert front.get_title() == "9 tokens scored"
    assert "(tokens)" in front.get_xlabel() and "tokens" in back.get_ylabel()
    # Longer ones are one, each symbol with the same weight.
    lengths = {"suffix_length": [0, 2, 5], "symbols": [4, 1, 3], "predicted": [0.5, 1.0, 0.0]}
    front, back = plot.agreement_figure(pa.table(lengths), "token", 1).axes
    assert [bar.get_height() for bar in back.patches] == [4, 4]
    assert list(front.lines[0].get_ydata()) == [0.5, 0.25]
    assert front.get_xticklabels()[-1].get_text() == "> 1"
    nothing = score(pa.array([], pa.string()), ["a"]).plot_agreement()
    assert list(nothing.axes[0].lines[0].get_ydata()) == []
    with pytest.raises(bow.InvalidInput, match="longest is 0"):
        scores.plot_agreement(longest=0)


@pytest.mark.parametrize("suffix", plot.PICTURES)
def test_pictures_are_written(suffix: str, tmp_path: Path) -> None:
    scores = score(["banana"], ["anan"])
    for path, draw in (
        (tmp_path / f"text{suffix.upper()}", scores.plot),
        (tmp_path / f"agreement{suffix}", scores.plot_agreement),
    ):
        draw(path=path)
        written = path.read_bytes()
        assert written.startswith(SIGNATURES[suffix]) and len(written) > 2_000


def test_a_page_is_written(tmp_path: Path) -> None:
    scores = score([[1, 2]], [[1, 2]])
    scores.plot(path=str(tmp_path / "a.html"), decode=["", "é", "\ud800"])
    assert (tmp_path / "a.html").read_bytes().decode() == scores.html(decode=["", "é", "\\ud800"])


def test_the_command_draws(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bow.index(["to be, or not to be"], path=tmp_path / "a.bow")
    (tmp_path / "held.txt").write_text("not to be sure\n<b>\n")
    asked = ["lm", "score", str(tmp_path / "a.bow"), str(tmp_path / "held.txt"), "--plot"]
    assert main([*asked, str(tmp_path / "a.html")]) == 0
    assert "perplexity" in capsys.readouterr().out
    rows = Page((tmp_path / "a.html").read_text()).rows
    assert rows == [(0, "not to be sure"), (1, "<b>")]
    assert main([*asked, str(tmp_path / "a.png")]) == 0
    assert (tmp_path / "a.png").read_bytes().startswith(SIGNATURES[".png"])
    capsys.readouterr()
    # Refused before the index that is not there is opened.
    asked[2] = "no/such.bow"
    assert main([*asked, str(tmp_path / "a.gif")]) == 2
    assert "--plot is" in (err := capsys.readouterr().err) and ".svg, .pdf or .html" in err


def test_without_matplotlib(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    scores = score(["banana"], ["anan"])
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for draw in (scores.plot, scores.plot_agreement):
        with pytest.raises(bow.MissingPackage, match=r"pip install 'bowstring\[plot\]'") as found:
            draw()
        assert isinstance(found.value, ImportError)
    asked = ["lm", "score", "no/such.bow", "no/such.txt", "--plot"]
    assert main([*asked, str(tmp_path / "a.png")]) == 2
    assert Page(scores.html()).rows == [(0, "anan")]


def test_matplotlib_is_imported_late() -> None:
    code = (
        "import sys, bowstring as bow; "
        "s = bow.LanguageModel(bow.index(['a'])).score(['a']); s.html(); "
        "sys.exit('matplotlib' in sys.modules)"
    )
    assert importlib.util.find_spec("matplotlib") is not None
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_figures_leave_no_state_behind() -> None:
    scores = score(["banana"], ["anan"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scores.plot()
        scores.plot_agreement()
    assert "matplotlib.pyplot" not in sys.modules


def test_what_cannot_be_drawn() -> None:
    text, tokens = score(["ab"], ["ab", None]), score([[1, 2]], [[1, 2]])
    for draw in (text.html, text.plot):
        with pytest.raises(bow.InvalidInput, match="rows holds 2, and 2 rows were scored"):
            draw([0, 2])
        with pytest.raises(bow.InvalidInput, match="rows is -1"):
            draw(-1)
        with pytest.raises(bow.InvalidInput, match="rows is null at position 1"):
            draw([0, None])
        with pytest.raises(bow.UnsupportedType, match="rows is 'a'"):
            draw("a")
        with pytest.raises(bow.InvalidInput, match="limit is -1"):
            draw(limit=-1)
        with pytest.raises(bow.InvalidInput, match="decode is for tokens"):
            draw(decode=str)
    for lacking in ({1: "a"}, ["", "a"]):
        with pytest.raises(bow.InvalidInput, match="decode has no text for token 2"):
            tokens.html(decode=lacking)
    with pytest.raises(bow.UnsupportedType, match="decode gives b'a' for token 1"):
        tokens.html(decode=lambda _: b"a")  # type: ignore[arg-type, return-value]
    with pytest.raises(
        bow.InvalidInput, match=r"path is 'a.gif': .* \.png, \.svg, \.pdf or \.html"
    ):
        tokens.plot(path="a.gif")
    with pytest.raises(bow.InvalidInput, match=r"path is 'a.html': .* \.png, \.svg or \.pdf"):
        tokens.plot_agreement("a.html")
