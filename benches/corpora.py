"""The texts that are measured: the Linux kernel's source and a dictionary, as Debian ships them.

    python benches/corpora.py [NAME ...] [--jsonl]

makes them (all by default) in the folder that the environment variable BOWSTRING_CORPORA names,
else in ~/.cache/bowstring/corpora. Each is one Parquet file with the column `text`, a row a
source file or dictionary entry. The other forms are made of that one when they are needed.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import json
import os
import random
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

KERNEL = Path("/usr/src/linux-source-6.1.tar.xz")
DICTIONARY = Path("/usr/share/dictd/gcide.dict.dz")
PACKAGES = {KERNEL: "linux-source-6.1", DICTIONARY: "dict-gcide"}
ENDINGS = (".c", ".h", ".rst", ".S", ".txt")

# Bytes of text; None for all there is. The smaller ones are beginnings of the larger ones, in an
# order drawn once, so that each holds a bit of every part of the kernel.
LINUX: dict[str, int | None] = {
    "linux10m": 10_000_000,
    "linux100m": 100_000_000,
    "linux300m": 300_000_000,
    "linux": None,
}
NAMES = (*LINUX, "gcide")
SMALL = "linux10m"
SEED = 7

SEPARATOR = b"\xff"
# Small enough that reading a row group costs little beside any memory budget that is tried.
GROUP_CHARACTERS = 8 << 20


def folder() -> Path:
    """Where the corpora are kept."""
    chosen = os.environ.get("BOWSTRING_CORPORA")
    path = Path(chosen) if chosen else Path.home() / ".cache" / "bowstring" / "corpora"
    path.mkdir(parents=True, exist_ok=True)
    return path


def parquet(name: str) -> Path:
    """The corpus as Parquet; made now if it is not there."""
    path = _place(name, "parquet")
    if not path.exists():
        make([name])
    return path


def raw(name: str) -> Path:
    """The rows end to end with 0xFF after each: what our segments hold and peers' sorters take."""

    def write(sink: Any) -> None:
        for row in rows(name):
            sink.write(row.encode() + SEPARATOR)

    return _derived(name, "bin", write)


def jsonl(name: str) -> Path:
    """The corpus as JSON Lines."""

    def write(sink: Any) -> None:
        for row in rows(name):
            sink.write(json.dumps({"text": row}).encode() + b"\n")

    return _derived(name, "jsonl", write)


def rows(name: str) -> Iterator[str]:
    """The rows, one row group in memory at a time."""
    with pq.ParquetFile(parquet(name)) as file:
        for batch in file.iter_batches(columns=["text"]):
            texts: Any = batch.column(0)
            yield from texts.to_pylist()


def column(name: str) -> pa.Array[Any]:
    """The column in memory, in one chunk."""
    table = pq.read_table(parquet(name), columns=["text"])
    whole: pa.Array[Any] = table["text"].cast(pa.large_string()).combine_chunks()
    return whole


def text_bytes(name: str) -> int:
    """Bytes of all rows, without separators."""
    return raw(name).stat().st_size - pq.read_metadata(parquet(name)).num_rows


def make(names: Iterable[str]) -> None:
    """Make those corpora that are not there."""
    missing = [name for name in names if not _place(name, "parquet").exists()]
    linux = [name for name in LINUX if name in missing]
    needed = [KERNEL] * bool(linux) + [DICTIONARY] * ("gcide" in missing)
    if packages := [PACKAGES[path] for path in needed if not path.exists()]:
        raise SystemExit(
            f"{' and '.join(missing)} are made from Debian packages that are not installed: "
            f"apt-get install {' '.join(packages)}"
        )
    if "gcide" in missing:
        _write_parquet("gcide", _entries())
    if linux:
        with _unpacked() as tree:
            files = _text_files(tree)
            for name in linux:
                _write_parquet(name, _chosen(files, LINUX[name]))


def _place(name: str, ending: str) -> Path:
    if name not in NAMES:
        raise SystemExit(f"there is no corpus {name!r}; there are {', '.join(NAMES)}")
    return folder() / f"{name}.{ending}"


@contextlib.contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """A name to write under; the file gets its own name once it is whole."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _derived(name: str, ending: str, write: Callable[[Any], None]) -> Path:
    path = _place(name, ending)
    if not path.exists():
        with _whole(path) as partial, partial.open("wb") as sink:
            write(sink)
    return path


def _write_parquet(name: str, texts: Iterator[str]) -> None:
    schema = pa.schema([("text", pa.string())])
    number = size = 0
    with (
        _whole(_place(name, "parquet")) as partial,
        pq.ParquetWriter(partial, schema, compression="zstd") as sink,
    ):
        for group in _groups(texts):
            array = pa.array(group, pa.string())
            sink.write_batch(pa.record_batch([array], schema=schema))
            number, size = number + len(array), size + sum(len(text.encode()) for text in group)
    print(f"{name}: {number:,} rows, {size:,} bytes of text", file=sys.stderr)


def _groups(texts: Iterator[str]) -> Iterator[list[str]]:
    group: list[str] = []
    held = 0
    for text in texts:
        group.append(text)
        held += len(text)
        if held >= GROUP_CHARACTERS:
            yield group
            group, held = [], 0
    if group:
        yield group


@contextlib.contextmanager
def _unpacked() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=folder()) as place:
        print(f"unpacking {KERNEL}", file=sys.stderr)
        subprocess.run(["tar", "-xf", KERNEL, "-C", place], check=True)
        yield Path(place) / "linux-source-6.1"


def _text_files(tree: Path) -> list[Path]:
    """Every source and documentation file that is UTF-8, in the order of their paths."""
    found = [path for path in tree.rglob("*") if path.name.endswith(ENDINGS) and path.is_file()]
    found.sort(key=lambda path: str(path.relative_to(tree)))
    return [path for path in found if _text(path) is not None]


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def _chosen(files: list[Path], limit: int | None) -> Iterator[str]:
    if limit is not None:
        files = files.copy()
        random.Random(SEED).shuffle(files)
    total = 0
    for path in files:
        text = _text(path) or ""
        total += len(text.encode())
        if limit is not None and total > limit:
            return
        yield text


def _entries() -> Iterator[str]:
    """The dictionary's entries: a line that is not indented begins one."""
    whole = gzip.decompress(DICTIONARY.read_bytes()).decode("utf-8", "replace")
    for entry in re.split(r"\n(?=\S)", whole):
        if stripped := entry.strip():
            yield stripped


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the corpora that the benchmarks measure.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(NAMES)}")
    parser.add_argument("--jsonl", action="store_true", help="make JSON Lines files too")
    arguments = parser.parse_args()
    names = arguments.names or list(NAMES)
    for name in names:
        _place(name, "parquet")
    make(names)
    for name in names:
        print(jsonl(name) if arguments.jsonl else parquet(name))


if __name__ == "__main__":
    main()
