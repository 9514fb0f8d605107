"""Gopher's shares by three definitions, in plain Python."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

TOP = (2, 3, 4)
RECURRING = (5, 6, 7, 8, 9, 10)


def _grams(words: Sequence[str], n: int) -> list[tuple[str, ...]]:
    return [tuple(words[at : at + n]) for at in range(len(words) - n + 1)]


def _later(parts: Sequence[str]) -> tuple[int, int]:
    seen: set[str] = set()
    copies = [part for part in parts if part in seen or seen.add(part)]  # type: ignore[func-returns-value]
    return len(copies), sum(map(len, copies))


def datatrove(text: str, words: Sequence[str]) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    for name, parts in (
        ("para", re.split(r"\n{2,}", text.strip())),
        ("line", re.split(r"\n+", text)),
    ):
        number, characters = _later(parts)
        found[f"dup_{name}_frac"] = number / len(parts)
        found[f"dup_{name}_char_frac"] = characters / len(text)
    for n in TOP:
        counts = Counter(" ".join(gram) for gram in _grams(words, n)).most_common(1)
        found[f"top_{n}_gram"] = len(counts[0][0]) * counts[0][1] / len(text) if counts else None
    for n in RECURRING:
        seen: set[str] = set()
        at = repeated = 0
        while at + n <= len(words):
            joined = "".join(words[at : at + n])
            if joined in seen:
                repeated += len(joined)
                at += n
            else:
                seen.add(joined)
                at += 1
        found[f"dup_{n}_gram"] = repeated / len(text)
    return found


def dolma(text: str, words: Sequence[str]) -> dict[str, float | None]:
    characters = max(sum(map(len, words)), 1)
    lines = Counter(text.split("\n"))
    recurring = {line: count for line, count in lines.items() if count > 1}
    found: dict[str, float | None] = {
        "dup_para_frac": None,
        "dup_para_char_frac": None,
        "dup_line_frac": sum(recurring.values()) / sum(lines.values()),
        "dup_line_char_frac": sum(len(a) * b for a, b in recurring.items()) / characters,
    }
    for n in (*TOP, *RECURRING):
        counts = Counter(_grams(words, n))
        sizes = {gram: count * sum(map(len, gram)) for gram, count in counts.items()}
        name = f"top_{n}_gram" if n in TOP else f"dup_{n}_gram"
        if not counts:
            found[name] = None
        elif n in TOP:
            found[name] = sizes[counts.most_common(1)[0][0]] / characters
        else:
            twice = sum(size for gram, size in sizes.items() if counts[gram] > 1)
            found[name] = twice / max(sum(sizes.values()), 1)
    return found


def nemo(text: str, words: Sequence[str]) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    lines = [line for line in text.split("\n") if line.strip()]
    for name, parts in (("para", text.split("\n\n")), ("line", lines)):
        whole, once = len("".join(parts)), len("".join(set(parts)))
        found[f"dup_{name}_frac"] = 1 - len(set(parts)) / len(parts) if parts else None
        found[f"dup_{name}_char_frac"] = 1 - once / whole if whole else None
    for n in TOP:
        counts = Counter(_grams(words, n)).most_common(1)
        gram = " ".join(counts[0][0]) if counts else ""
        saved = len(text) - len(text.replace(gram, "")) if counts else len(text)
        found[f"top_{n}_gram"] = saved / len(text)
    for n in RECURRING:
        grams = _grams(words, n)
        seen: set[tuple[str, ...]] = set()
        total, counted = 0, 0
        for gram in grams:
            if gram in seen:
                fresh = n - counted
                total += sum(map(len, gram[counted:])) + min(fresh, n - 1)
                counted = n
            seen.add(gram)
            counted = max(counted - 1, 0)
        found[f"dup_{n}_gram"] = total / len(text) if grams else 1.0
    return found
