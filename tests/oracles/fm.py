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
        starts, levels, codes = self.starts, self.levels, self.codes
        leaves = self.packed("leaves", alphabet, len(codes))
        blocks = -(-length // size)
        numbers = self.packed("leaf_numbers", alphabet, blocks * alphabet)
        offsets, found = self.offsets, []
        for block in range(blocks):
            first, last = starts[2 * block], starts[2 * block + 2]
            leaf, behind = starts[2 * block + 1], starts[2 * block + 3]
            by_code = {codes[nth]: leaves[nth] for nth in range(leaf, behind)}
            held = {numbers[block * alphabet + s] - 1: s for s in range(alphabet)}
            assert all(held[nth - leaf] == leaves[nth] for nth in range(leaf, behind))
            count = min(size, length - block * size)
            matrix, going = [], count
            for level in range(first, last):
                head, tail, zeros, after, ended = levels[5 * level : 5 * level + 5]
                bits = self.bits("bwt", head, tail, going)
                assert zeros == going - sum(bits)
                assert all(code % 64 > level - first for code in codes[leaf + ended : behind])
                ranks = np.concatenate([[0], np.cumsum(bits)]).tolist()
                matrix.append((bits, ranks, zeros, after))
                going = after
            for begin in range(count):
                place, code = begin, 0
                for depth, (bits, ranks, zeros, after) in enumerate(matrix):
                    bit, rank = bits[place], ranks[place]
                    code = (code | bit << (6 + depth)) // 64 * 64 + depth + 1
                    place = zeros + rank if bit else place - rank
                    if place >= after:
                        break
                symbol = by_code[code]
                row = (offsets[block * alphabet + symbol] + place) % 2**32
                found.append((symbol, row))
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
    low = _low(count) if count else 0
    return -(-(count * low + count + (BITS >> low)) // 8) if count else 0


def _places(bits: int, count: int) -> list[int]:
    if not count:
        return []
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
