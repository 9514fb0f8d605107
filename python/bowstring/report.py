"""What people look at: progress bars, and tables in a terminal or a pipe."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, TypeAlias

import pyarrow as pa

from bowstring.errors import InvalidInput, UnsupportedType

if TYPE_CHECKING:
    from bowstring.columns import Source

Callback: TypeAlias = Callable[[str, int, int | None], object]

# Characters that would move the cursor, break a line or turn the text around: shown instead.
VISIBLE = (
    {code: chr(0x2400 + code) for code in range(0x20)}
    | {ord("\n"): "⏎", ord("\t"): "→", 0x7F: "␡"}
    | {code: f"\\x{code:02x}" for code in range(0x80, 0xA0)}
    | {
        code: f"\\u{code:04x}"
        for code in (*range(0x200E, 0x2010), *range(0x2028, 0x202F), *range(0x2066, 0x206A))
    }
)


@contextmanager
def progress_callback(progress: Any, source: Source | None = None) -> Iterator[Callback | None]:
    """Make of `progress=` what the core calls with (phase, done, total).

    Raises, where reading `source` failed, what it failed with: the core knows but its text.

    Examples
    --------
    >>> with progress_callback(print) as report:
    ...     report("reading", 1, None)
    reading 1 None
    """
    try:
        if progress is None or progress is False:
            yield None
        elif progress is True:
            with _bar() as callback:
                yield callback
        elif callable(progress):
            yield progress
        else:
            raise UnsupportedType(
                f"progress is {progress!r}: give True for a bar, or a callable that takes the "
                "phase, the symbols done and the total"
            )
    except Exception as error:
        failure = source.failure if source else None
        if failure is None or failure is error:
            raise
        raise failure from None


def visible(value: Any) -> str:
    r"""Show a value on one line, with control characters as signs of their own.

    Examples
    --------
    >>> visible("a\tb\n"), visible(b"\xff"), visible([1, 2])
    ('a→b⏎', '\\xff', '[1, 2]')
    """
    if value is None:
        return ""
    return as_text(value).translate(VISIBLE)


def as_text(value: Any) -> str:
    r"""Write a value as text; bytes that are not UTF-8 as `\xff`, lists as JSON."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, bool | list | dict):
        return json.dumps(value)
    return str(value)


def show_table(table: pa.Table, out: IO[str]) -> None:
    """Print a table: ruled and coloured in a terminal, tab-separated lines elsewhere."""
    if out.isatty():
        _show_ruled(table, out)
        return
    out.write("\t".join(table.column_names) + "\n")
    for batch in table.to_batches(max_chunksize=1024):
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            out.write("\t".join(map(visible, row)) + "\n")


def write_table(table: pa.Table, format: str, out: IO[bytes]) -> None:
    """Write a table as `json` (one object a line), `csv` or `parquet`."""
    if format == "parquet":
        import pyarrow.parquet as pq

        pq.write_table(table, out)
        return
    text = io.TextIOWrapper(out, encoding="utf-8", newline="", write_through=True)
    try:
        if format == "json":
            for batch in table.to_batches(max_chunksize=1024):
                for row in batch.to_pylist():
                    text.write(json.dumps(row, ensure_ascii=False, default=as_text) + "\n")
        elif format == "csv":
            text.write(",".join(map(_csv_field, table.column_names)) + "\n")
            for batch in table.to_batches(max_chunksize=1024):
                for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                    text.write(",".join(map(_csv_field, values)) + "\n")
        else:
            raise InvalidInput(f"format is {format!r}: give json, csv or parquet")
    finally:
        text.detach()


def _csv_field(value: Any) -> str:
    """Write null as nothing and an empty text in quotes, as we read them."""
    if value is None:
        return ""
    text = as_text(value)
    # Python's own writer leaves a lone CR unquoted, where readers end the line.
    if text and set(text).isdisjoint('",\r\n'):
        return text
    return '"' + text.replace('"', '""') + '"'


def _show_ruled(table: pa.Table, out: IO[str]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(file=out)
    ruled = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    in_context = {"left", "match", "right"} <= set(table.column_names)
    for field in table.schema:
        number = pa.types.is_integer(field.type) or pa.types.is_floating(field.type)
        ruled.add_column(
            field.name,
            justify="right" if number or (in_context and field.name == "left") else "left",
            no_wrap=number or in_context,
            overflow="ellipsis" if in_context else "fold",
            style="dim" if number and in_context else "",
        )
    columns = [list(map(visible, column.to_pylist())) for column in table.columns]
    if in_context:
        # The words next to the match are the ones to keep, and a table keeps the first.
        names = table.column_names
        taken = sum(
            3 + max(map(len, [name, *columns[at]]))
            for at, name in enumerate(names)
            if name not in ("left", "right")
        )
        room = max(8, (console.width - taken - 8) // 2)
        left, right = names.index("left"), names.index("right")
        columns[left] = [_last_cells(text, room) for text in columns[left]]
        columns[right] = [text[:room] for text in columns[right]]
    for row in zip(*columns, strict=True):
        ruled.add_row(
            *(
                Text(text, style="bold red" if in_context and name == "match" else "")
                for name, text in zip(table.column_names, row, strict=True)
            )
        )
    console.print(ruled)


def _last_cells(text: str, width: int) -> str:
    from rich.cells import cell_len

    text = text[-width:]
    while cell_len(text) > width:
        text = text[1:]
    return text


@contextmanager
def _bar() -> Iterator[Callback]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        ProgressColumn,
        Task,
        TaskID,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Amount(ProgressColumn):
        def render(self, task: Task) -> Text:
            total = "" if task.total is None else f" / {amount(task.total)}"
            return Text(f"{amount(task.completed)}{total}", style="progress.download")

    class Remaining(TimeRemainingColumn):
        def render(self, task: Task) -> Text:
            return Text("") if task.total is None else super().render(task)

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        Amount(),
        TimeElapsedColumn(),
        Remaining(),
        console=Console(stderr=True),
    )
    tasks: dict[str, TaskID] = {}

    def callback(phase: str, done: int, total: int | None) -> None:
        total = None if total is not None and done > total else total  # it was an estimate
        if phase not in tasks:
            tasks[phase] = bar.add_task(phase, total=total)
        # `update` leaves a total as it is where it is given None, so set the task's own.
        bar.tasks[bar.task_ids.index(tasks[phase])].total = total
        bar.update(tasks[phase], completed=done)

    with bar:
        yield callback
        for task in bar.tasks:  # the core tells its last steps in its own time, or not at all
            bar.update(task.id, completed=task.total or task.completed)


def amount(number: float) -> str:
    """Round a number to three digits with a decimal unit.

    Examples
    --------
    >>> amount(999), amount(1_234_567)
    ('999', '1.23 M')
    """
    for unit in ("", " k", " M", " G"):
        if number < 999.5:
            return f"{number:.3g}{unit}"
        number /= 1000
    return f"{number:,.3g} T"
