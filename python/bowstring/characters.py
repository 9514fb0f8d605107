"""What the running Python calls a word character, white space and lower case, for the core."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

from bowstring import _core

_BLOCK = 1024
# No character of the other planes has case or is looked past: ideographs and private use.
_CASED_PLANES = (*range(0x20000), *range(0xE0000, 0xE1000))


@functools.cache
def characters() -> _core.Characters:
    r"""Give the core this interpreter's `\w`, `\s` and `str.lower`, taken once from themselves.

    Versions of Python differ in their version of Unicode: a table of any one of them would
    count otherwise than the `re` beside it.

    Examples
    --------
    >>> characters().lower("ΟΔΟΣ İ") == "ΟΔΟΣ İ".lower()
    True
    """
    every = "".join(chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000)
    near_sigma = [code for code in _CASED_PLANES if not 0xD800 <= code < 0xE000]
    # Blanks end the context that the form of a sigma depends on.
    alone = "".join(f"{chr(code)}\u03a3 " for code in near_sigma if code != 0x130).lower()
    behind = "".join(f"A{chr(code)}\u03a3 " for code in near_sigma if code != 0x130).lower()
    codes = [code for code in near_sigma if code != 0x130]
    cased = [code for code, form in zip(codes, alone[1::3], strict=True) if form == "\u03c2"]
    looked_past = [code for code, form in zip(codes, behind[2::4], strict=True) if form == "\u03c2"]
    known = set(cased)
    return _core.Characters.of(
        _spans(re.finditer(r"\w+", every)),
        _spans(re.finditer(r"\s+", every)),
        _runs([*cased, 0x130]),
        _runs(code for code in looked_past if code not in known),
        _lowered(every),
    )


def _lowered(every: str) -> dict[int, str]:
    changed: dict[int, str] = {}
    for at in range(0, len(every), _BLOCK):
        block = every[at : at + _BLOCK]
        if block.lower() != block:
            changed |= {ord(c): c.lower() for c in block if c.lower() != c}
    return changed


def _spans(found: Iterable[re.Match[str]]) -> list[tuple[int, int]]:
    """Code points of matches in the string of all characters, which lacks the surrogates."""
    spans = []
    for match in found:
        first, last = match[0][0], match[0][-1]
        if ord(first) < 0xD800 <= ord(last):
            spans.append((ord(first), 0xD800))
            first = "\ue000"
        spans.append((ord(first), ord(last) + 1))
    return spans


def _runs(codes: Iterable[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for code in sorted(codes):
        if runs and runs[-1][1] == code:
            runs[-1] = (runs[-1][0], code + 1)
        else:
            runs.append((code, code + 1))
    return runs
