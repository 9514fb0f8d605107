"""A tour that needs no data: index the source of Python's own library, and ask it."""

from __future__ import annotations

import os
import sys
import sysconfig
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
from rich.console import Console
from rich.text import Text

import bowstring as bow
from bowstring import report

T = TypeVar("T")

TEXTS = ("self.", "except Exception", "TODO", "if TYPE_CHECKING", "antigravity")
KEYWORD = "except Exception"
SEARCH = "'import asyncio' AND (subprocess OR 'import signal')"
NEAR, WITHIN = "'try:' AND 'except ImportError'", 60
SHOWN = 6
REPEATS = 5


def run(path: str | os.PathLike[str] | None = None, *, threads: int | None = None) -> None:
    """Show what an index does, on standard output.

    Parameters
    ----------
    path
        Where to put the index; in the user's cache directory by default.
    threads
        Threads to build with; all by default.
    """
    console = Console(soft_wrap=True, highlight=False)
    target = _cache() if path is None else Path(path)
    library = Path(sysconfig.get_path("stdlib"))
    names, texts = _sources(library)
    _say(console, f"The source of Python's library: {len(texts):,} files in {library}")

    target.parent.mkdir(parents=True, exist_ok=True)
    begun = time.perf_counter()
    index = bow.index(
        texts,
        path=target,
        threads=threads,
        # The cache is ours; what stands elsewhere is not.
        overwrite=path is None,
        progress=sys.stderr.isatty(),
    )
    taken = time.perf_counter() - begun
    info = index.info
    _say(
        console,
        f"Indexed {report.amount(info.symbols)}B of text on disk in {_duration(taken)}: "
        f"{report.amount(info.bytes)}B, every substring of it searchable.",
    )

    _head(console, "How often does a text occur?")
    for text in TEXTS:
        count, taken = _timed(partial(index.count, text))
        _answer(console, f"{text!r}", f"{count:,}", taken)
    longest = max(texts, key=len)
    count, taken = _timed(lambda: index.count(longest))
    _answer(console, f"all of {names[texts.index(longest)]}", f"{count:,}", taken)

    _head(console, f"Where does {KEYWORD!r} occur? {SHOWN} of them, drawn at random")
    table, taken = _timed(lambda: index.context(KEYWORD, width=30, limit=SHOWN, seed=1))
    files = pa.array(_named(names, table), pa.string())
    report.show_table(table.drop_columns(["row", "start"]).add_column(0, "file", files), sys.stdout)
    _say(console, f"in {_duration(taken)}")

    for title, query, within in (
        ("Which files hold a combination?", SEARCH, None),
        (f"And all of it within {WITHIN} bytes?", NEAR, WITHIN),
    ):
        _head(console, title)
        found, taken = _timed(partial(index.search, query, within=within))
        _answer(console, query, f"{found.num_rows:,} files", taken)
        some = _named(names, found.slice(0, SHOWN))
        _say(console, "  " + ", ".join(some) + (", ..." if found.num_rows > SHOWN else ""))

    _head(console, "Against a loop of str.count over the same texts in memory")
    text = TEXTS[0]
    looped, slow = _timed(lambda: sum(each.count(text) for each in texts))
    count, fast = _timed(lambda: index.count(text))
    _answer(console, f"loop: {text!r}", f"{looped:,}", slow)
    _answer(console, f"index: {text!r}", f"{count:,}", fast)
    same = "the same count" if count == looped else "ANOTHER COUNT: please report this"
    _say(console, f"  {same}, {slow / fast:,.0f} times as fast")

    _head(console, "Opened again, memory-mapped")
    again, taken = _timed(lambda: bow.open(target))
    same = "the same count" if again.count(text) == count else "ANOTHER COUNT: please report this"
    _say(console, f"  in {_duration(taken)}, with {same}")
    _say(console, f"\nThe index is {target}. Try next:")
    for line in (
        f'bowstring context "{target}" "lambda" --limit 10',
        f"bowstring search \"{target}\" \"'async def' AND 'yield'\" --within 300",
        f'python -c "import bowstring as bow; print(bow.open({str(target)!r}))"',
    ):
        _say(console, f"  {line}")


def _cache() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "bowstring" / "demo.bow"


def _sources(library: Path) -> tuple[list[str], list[str]]:
    """Read the files that are UTF-8; some of the library's tests are not, on purpose."""
    names, texts = [], []
    for path in sorted(library.rglob("*.py")):
        name = path.relative_to(library)
        if not {"site-packages", "dist-packages"} & set(name.parts):
            try:
                texts.append(path.read_bytes().decode())
            except (UnicodeDecodeError, OSError):
                continue
            names.append(name.as_posix())
    if not texts:
        raise bow.InvalidInput(f"{library} holds no Python source: this Python came without it")
    return names, texts


def _named(names: list[str], table: pa.Table) -> list[str]:
    rows: list[Any] = table["row"].to_pylist()
    return [names[row] for row in rows]


def _timed(ask: Callable[[], T]) -> tuple[T, float]:
    """Ask a few times, and keep the time of the fastest: the first may read from disk."""
    taken = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        answer = ask()
        taken.append(time.perf_counter() - begun)
    return answer, min(taken)


def _duration(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"


def _head(console: Console, title: str) -> None:
    console.print()
    console.print(Text(title, style="bold"))


def _answer(console: Console, question: str, answer: str, seconds: float) -> None:
    line = Text(f"  {question:55} ")
    line.append(f"{answer:>14}", style="bold green")
    line.append(f"   {_duration(seconds):>9}", style="dim")
    console.print(line)


def _say(console: Console, line: str) -> None:
    console.print(Text(line))
