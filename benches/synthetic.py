"""Names made up, as many as are asked for, and the same names as another source might spell them.

`words` makes them of syllables alone; `organisations` after real names, so that what is frequent in
those ("technology co ltd") is as frequent here, and what is rare ("xilinx") as rare.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Iterator, Sequence

import pyarrow as pa

SEED = 1

RARE = 5
"""Words of fewer names are what tells names apart."""

LETTERS = "abcdefghijklmnopqrstuvwxyz"

Names = tuple[pa.Array, pa.Array, list[int]]
"""Names, their other spellings in another order, and of each spelling the number of its name."""


def words(count: int) -> Names:
    """Names of two rare words and two frequent ones, and the same with an edit."""
    pick = random.Random(SEED)
    syllables = [a + b for a in "bcdfghklmnprstvwz" for b in ("a", "e", "i", "o", "u", "an", "er")]
    rare = ["".join(pick.choices(syllables, k=3)) for _ in range(30_000)]
    frequent = ["".join(pick.choices(syllables, k=4)) for _ in range(300)]
    names = [
        " ".join([*pick.choices(rare, k=2), *pick.choices(frequent, k=2)]) for _ in range(count)
    ]
    order = list(range(count))
    pick.shuffle(order)
    edited = []
    for at in order:
        place = pick.randrange(len(names[at]))
        edited.append(names[at][:place] + pick.choice("aeiou") + names[at][place + 1 :])
    return pa.array(names), pa.array(edited), order


def organisations(real: Sequence[str], count: int) -> Names:
    """Distinct names after real ones, and the same with typing errors and other legal forms.

    Each takes the frequent words of a real name where they stand, and others in the place of its
    rare ones: real rare words, then words coined of two halves of them, drawn by Zipf's law.
    """
    pick = random.Random(SEED)
    spelled = [name.split() for name in real]
    seen = Counter(word for name in spelled for word in dict.fromkeys(name))
    frequent = {word for word, names in seen.items() if names >= RARE}
    rare = [word for word in seen if word not in frequent and len(word) > 2 and word.isalpha()]
    pick.shuffle(rare)
    drawn = _by_zipf(pick, _coined(pick, rare, max(len(rare), count // 4)))
    names: dict[str, None] = {}
    while len(names) < count:
        name = [word if word in frequent else next(drawn) for word in pick.choice(spelled)]
        if not frequent.issuperset(name):
            names[" ".join(name)] = None
    ends = [name[-1] for name in spelled if name and name[-1] in frequent]
    written = list(names)
    order = list(range(count))
    pick.shuffle(order)
    other = [_respelled(pick, written[at], ends) for at in order]
    return pa.array(written), pa.array(other), order


def _coined(pick: random.Random, rare: Sequence[str], count: int) -> list[str]:
    found = dict.fromkeys(rare)
    while len(found) < count:
        begin, end = pick.choices(rare, k=2)
        found[begin[: (len(begin) + 1) // 2] + end[len(end) // 2 :]] = None
    return list(found)


def _by_zipf(pick: random.Random, vocabulary: Sequence[str]) -> Iterator[str]:
    weights = list(itertools.accumulate(1 / (rank + 50) for rank in range(len(vocabulary))))
    while True:
        yield from pick.choices(vocabulary, cum_weights=weights, k=10_000)


def _respelled(pick: random.Random, name: str, ends: Sequence[str]) -> str:
    spelled = name.split()
    if len(spelled) > 1 and pick.random() < 0.3:
        spelled[-1:] = [pick.choice(ends)] if pick.random() < 0.5 else []
    text = " ".join(spelled)
    if pick.random() < 0.6:
        at = pick.randrange(len(text))
        match pick.randrange(4):
            case 0:
                text = text[:at] + pick.choice(LETTERS) + text[at + 1 :]
            case 1:
                text = text[:at] + text[at + 1 :]
            case 2:
                text = text[:at] + pick.choice(LETTERS) + text[at:]
            case _:
                text = text[:at] + text[at : at + 2][::-1] + text[at + 2 :]
    return text
