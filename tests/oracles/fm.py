"""The text of an `fm` segment, read with NumPy and Python alone: docs/format.md."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from oracles.container import Segment

BITS = 248
BLOCKS = 16
STREAM = 1 << 20
FEW = 7


@dataclass(frozen=True)
class FmSegment:
    """One segment, its blocks as docs/format.md names them."""

    segment: Segment

    def __getattr__(self, name: str) -> Any:
        return self.segment.blocks[name].tolist()

    @property
    def meta(self) -> dict[str, Any]:
        meta: dict[str, Any] = self.segment.header["meta"]
        return meta

    def packed(self, name: str, most: int, length: int) -> list[int]:
        """Numbers of as many bits as `most` has."""
        width = most.bit_length()
        whole = int.from_bytes(self.segment.blocks[name].tobytes(), "little")
        return [whole >> (at * width) & ((1 << width) - 1) for at in range(length)]

    def bits(self, name: str, head: int, tail: int, length: int) -> list[bool]:
        """So many bits of the stream that starts there."""
        if f"{name}_lines" in self.segment.blocks:
            return self._lines(name, head, length)
        found: list[bool] = []
        while len(found) < length:
            found += self._blocks(name, head, tail, sum(found))
            head += 1
        return found[:length]

    def _lines(self, name: str, head: int, length: int) -> list[bool]:
        words = self.segment.blocks[f"{name}_lines"].reshape(-1, 8)
        found: list[bool] = []
        while len(found) < length:
            line = np.unpackbits(words[head].view("u1"), bitorder="little")
            assert int(words[head, 0]) % 2**32 == sum(found)
            found += line[32:].astype(bool).tolist()
            head += 1
        return found[:length]

    def _blocks(self, name: str, head: int, tail: int, before: int) -> list[bool]:
        words = [
            int(word) for word in self.segment.blocks[f"{name}_heads"][4 * head : 4 * head + 4]
        ]
        sizes, counts = words[0] | words[1] << 64, words[2] | words[3] << 64
        assert sizes % 2**24 == before
        at = 8 * tail + (sizes >> 24) % 2**24
        found: list[bool] = []
        for nth in range(BLOCKS):
            size = sizes >> (48 + 5 * nth) & 31
            ones = counts >> (8 * nth) & 255
            raw = self.segment.blocks[f"{name}_bytes"][at : at + size].tobytes()
            block = _block(raw, ones)
            assert sum(block) == ones
            found += block
            at += size
        return found

    @cached_property
    def transform(self) -> list[tuple[int, int]]:
        """The number of the symbol before each row, and the row that it leads to."""
        meta, alphabet = self.meta, len(self.alphabet)
        length, size = meta["symbols"], 1 << meta["rates"]["block"]
        starts, tables = self.starts, self.tables
        blocks = -(-length // size)
        entries = self.packed("entries", 131 + 3 * alphabet, blocks * alphabet)
        found = []
        for block in range(blocks):
            table = tables[starts[block] :]
            own = entries[block * alphabet : (block + 1) * alphabet]
            held = {entry: symbol for symbol, entry in enumerate(own) if entry < table[0]}
            absent = [entry for entry in own if entry >= table[0]]
            assert absent == list(range(table[0], table[0] + len(absent)))
            count = min(size, length - block * size)
            matrix, going, at = [], count, 1
            leaves: dict[int, tuple[int, int]] = {}
            while at < table[0]:
                ended = 1 if table[0] == 4 else table[at + 4]
                if table[0] != 4:
                    head, tail, zeros, after = table[at : at + 4]
                    bits = self.bits("bwt", head, tail, going)
                    assert zeros == going - sum(bits)
                    ranks = np.concatenate([[0], np.cumsum(bits)]).tolist()
                    matrix.append((bits, ranks, zeros, after))
                    going, at = after, at + 5
                for _ in range(ended):
                    code, symbol, offset = table[at : at + 3]
                    assert code % 64 == len(matrix) and held.pop(at) == symbol
                    leaves[code] = symbol, offset
                    at += 3
            assert not held
            for begin in range(count):
                place, code = begin, 0
                for depth, (bits, ranks, zeros, after) in enumerate(matrix):
                    bit, rank = bits[place], ranks[place]
                    code = (code | bit << (6 + depth)) // 64 * 64 + depth + 1
                    place = zeros + rank if bit else place - rank
                    if place >= after:
                        break
                symbol, offset = leaves[code]
                found.append((symbol, (offset + place) % 2**32))
        return found

    @cached_property
    def text(self) -> tuple[npt.NDArray[Any], list[int]]:
        """The text, and where the suffix of each row starts."""
        length, primary = self.meta["symbols"], self.meta["primary"]
        alphabet = self.segment.blocks["alphabet"]
        text = np.zeros(length, alphabet.dtype)
        begins = [length] * (length + 1)
        row = 0
        for position in range(length - 1, -1, -1):
            assert row != primary
            symbol, row = self.transform[row - (row > primary)]
            text[position] = alphabet[symbol]
            begins[row] = position
        assert row == primary
        return text, begins

    def check_samples(self) -> None:
        """What is kept of the suffix array is what the text says."""
        length, rates = self.meta["symbols"], self.meta["rates"]
        begins = self.text[1][1:]
        rate = rates["sample"]
        samples = self.packed("samples", length // rate, -(-length // rate))
        assert samples == [begin // rate for begin in begins if begin % rate == 0]
        marks: list[bool] = []
        for stream in range(-(-length // STREAM)):
            before, head, tail = self.mark_starts[3 * stream : 3 * stream + 3]
            assert before == sum(marks)
            marks += self.bits("marks", head, tail, min(STREAM, length - len(marks)))
        assert marks == [begin % rate == 0 for begin in begins]
        rate = rates["inverse"]
        kept = self.packed("inverse", length, -(-length // rate))
        assert [begins[rank] for rank in kept] == list(range(0, length, rate))


def _low(count: int) -> int:
    return (BITS // count).bit_length() - 1


def _size(count: int) -> int:
    """Bytes of so many places."""
    if count <= FEW:
        return count
    low = _low(count)
    return -(-(count * low + count + (BITS >> low)) // 8)


def _places(bits: int, count: int) -> list[int]:
    if count <= FEW:
        return [bits >> (8 * nth) & 255 for nth in range(count)]
    low = _low(count)
    unary = bits >> (count * low)
    ends = [at for at in range(BITS) if unary >> at & 1][:count]
    return [
        (end - nth) << low | bits >> (nth * low) & ((1 << low) - 1) for nth, end in enumerate(ends)
    ]


def _block(raw: bytes, ones: int) -> list[bool]:
    if not raw:
        return [ones > 0] * BITS
    bits = int.from_bytes(raw, "little")
    fewer = min(ones, BITS - ones)
    if len(raw) < min(BITS // 8, _size(fewer)):
        found, bit, ends = [], bool(bits & 1), set(_places(bits >> 8, raw[0] >> 1))
        for at in range(BITS):
            bit ^= at in ends
            found.append(bit)
        return found
    if len(raw) == BITS // 8:
        return [bool(bits >> at & 1) for at in range(BITS)]
    listed = set(_places(bits, fewer))
    return [(at in listed) == (ones <= BITS - ones) for at in range(BITS)]
