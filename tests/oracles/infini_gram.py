"""The files of infini-gram's index, written by their definition."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from pathlib import Path


def width_of(rows: Sequence[Sequence[int]]) -> int:
    """The bytes of the narrowest token that leaves a separator."""
    most = max(itertools.chain.from_iterable(rows), default=0)
    return next(width for width in (1, 2, 4) if most < 256**width - 1)


def write(
    rows: Sequence[Sequence[int]],
    folder: Path,
    width: int,
    shard: int | str = 0,
    pointer: int | None = None,
    compared: int | None = None,
) -> None:
    """Write one shard: little-endian tokens, a separator before each row.

    Suffixes are told apart by so many bytes, all by default.
    """
    separator = b"\xff" * width
    starts, raw = [], b""
    for row in rows:
        starts.append(len(raw))
        raw += separator + b"".join(token.to_bytes(width, "little") for token in row)
    # Its order of suffixes is that of the little-endian bytes, not of the tokens.
    most = len(raw) if compared is None else compared
    suffixes = sorted(range(0, len(raw), width), key=lambda at: raw[at : at + most])
    pointer = pointer or max(1, math.ceil(math.log2(max(len(raw), 1)) / 8))
    name = f".{shard}" if shard != "" else ""
    table = b"".join(at.to_bytes(pointer, "little") for at in suffixes)
    (folder / f"tokenized{name}").write_bytes(raw)
    (folder / f"table{name}").write_bytes(table)
    (folder / f"offset{name}").write_bytes(b"".join(at.to_bytes(8, "little") for at in starts))


def write_metadata(lines: Sequence[str], folder: Path, shard: int = 0) -> None:
    """Write a line for each row of a shard."""
    encoded = [line.encode() for line in lines]
    starts = itertools.accumulate(map(len, encoded[:-1]), initial=0)
    (folder / f"metadata.{shard}").write_bytes(b"".join(encoded))
    (folder / f"metaoff.{shard}").write_bytes(b"".join(at.to_bytes(8, "little") for at in starts))
