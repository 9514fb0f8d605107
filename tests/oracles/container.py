"""The files of an index, read and written with NumPy, json and zlib alone: docs/format.md."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

MAGIC = b"BOWSEG\r\n"
ALIGNMENT = 64
HEAD = 24
"""Bytes before the header: magic, header length, header checksum, zero."""
DTYPES = {"u8": "<u1", "u16": "<u2", "u32": "<u4", "u64": "<u8"}

Json: TypeAlias = dict[str, Any]
Edit: TypeAlias = Callable[[Json], object]


@dataclass(frozen=True)
class Segment:
    """One segment file: its header, and its blocks as arrays."""

    header: Json
    blocks: dict[str, npt.NDArray[Any]]

    def rows(self, text: npt.NDArray[Any] | None = None) -> list[npt.NDArray[Any] | None]:
        """The symbols of each row, None for a null row; of a text that is no block, if given."""
        text = self.blocks["text"] if text is None else text
        ends = self.blocks["row_ends"].astype(np.int64)
        begins = np.concatenate([[0], ends[:-1] + 1]) if len(ends) else ends
        valid = np.ones(len(ends), bool)
        if "validity" in self.blocks:
            bits = np.unpackbits(self.blocks["validity"], bitorder="little")
            valid = bits[: len(ends)].astype(bool)
        return [
            text[begin:end] if one else None
            for begin, end, one in zip(begins, ends, valid, strict=True)
        ]


def canonical(value: Json) -> bytes:
    """The bytes over which the manifest's checksum is taken."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def read_manifest(folder: Path) -> Json:
    """The manifest, its checksum checked."""
    raw = (folder / "manifest.json").read_bytes()
    outer = json.loads(raw)
    assert raw == canonical(outer) + b"\n"
    assert outer["crc32"] == zlib.crc32(canonical(outer["manifest"]))
    manifest: Json = outer["manifest"]
    return manifest


def write_manifest(folder: Path, manifest: Json) -> None:
    """Write the manifest with the checksum that belongs to it."""
    outer = {"crc32": zlib.crc32(canonical(manifest)), "manifest": manifest}
    (folder / "manifest.json").write_bytes(canonical(outer) + b"\n")


def read_header(data: bytes) -> Json:
    """The header of a segment file, everything about it checked."""
    assert data[:8] == MAGIC
    length = int.from_bytes(data[8:16], "little")
    assert (HEAD + length) % ALIGNMENT == 0
    raw = data[HEAD : HEAD + length]
    assert int.from_bytes(data[16:20], "little") == zlib.crc32(raw)
    assert data[20:24] == bytes(4)
    header: Json = json.loads(raw)
    assert header["length"] == len(data)
    return header


def read_segment(path: Path) -> Segment:
    """One segment file, every checksum and every padding byte checked."""
    data = path.read_bytes()
    header = read_header(data)
    end = HEAD + int.from_bytes(data[8:16], "little")
    blocks = {}
    for name, block in sorted(
        header["blocks"].items(), key=lambda item: (item[1]["offset"], item[1]["length"])
    ):
        start, stop = block["offset"], block["offset"] + block["length"]
        assert start % ALIGNMENT == 0
        assert data[end:start] == bytes(start - end), "the padding is zero"
        assert zlib.crc32(data[start:stop]) == block["crc32"], name
        blocks[name] = np.frombuffer(data[start:stop], DTYPES[block["dtype"]])
        end = stop
    assert data[end:] == bytes(-end % ALIGNMENT), "the file ends with its last block, padded"
    return Segment(header, blocks)


def read_index(folder: Path) -> list[Segment]:
    """All segments of an index, as the manifest lists them."""
    segments = []
    for entry in read_manifest(folder)["segments"]:
        segment = read_segment(folder / entry["file"])
        raw = (folder / entry["file"]).read_bytes()
        assert entry["length"] == segment.header["length"]
        assert entry["crc32"] == int.from_bytes(raw[16:20], "little")
        assert entry["rows"] == segment.header["meta"]["rows"]
        assert entry["symbols"] == segment.header["meta"]["symbols"]
        segments.append(segment)
    return segments


def forge(
    folder: Path,
    *,
    header: Edit | None = None,
    manifest: Edit | None = None,
    blocks: Callable[[dict[str, bytes]], object] | None = None,
) -> None:
    """Rewrite the first segment of an index with lies in it and every checksum right."""
    listed = read_manifest(folder)
    entry = listed["segments"][0]
    segment = read_segment(folder / entry["file"])
    contents = {name: array.tobytes() for name, array in segment.blocks.items()}
    if blocks is not None:
        blocks(contents)
    head = dict(segment.header)
    # A header of fixed length, so that a lie in it moves no block.
    length = 4096 - HEAD
    offset = HEAD + length
    body = b""
    for name, content in contents.items():
        padded = content + bytes(-len(content) % ALIGNMENT)
        head["blocks"][name] |= {
            "offset": offset + len(body),
            "length": len(content),
            "crc32": zlib.crc32(content),
        }
        body += padded
    head["length"] = offset + len(body)
    if header is not None:
        header(head)
    raw = canonical(head).ljust(length)
    assert len(raw) == length
    checksum = zlib.crc32(raw)
    data = MAGIC + length.to_bytes(8, "little") + checksum.to_bytes(4, "little") + bytes(4)
    data += raw + body
    (folder / entry["file"]).write_bytes(data)
    entry |= {"crc32": checksum, "length": len(data)}
    if manifest is not None:
        manifest(listed)
    write_manifest(folder, listed)
