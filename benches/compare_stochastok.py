"""Stochastic splits against the loop of StochasTok's authors, which cuts a list open at each draw.

Their program is not a package: the loop here is that of their `expand`, without its progress bar,
over the same table of pairs. The tables are checked to be equal, and that both splits have the same
bytes; draws differ.
"""

from __future__ import annotations

import argparse
import functools
import random
from collections.abc import Callable
from typing import Any

import corpora
import measure
import numpy as np
import pyarrow as pa

from bowstring import tokens

BENCH = "stochastok"
PROPORTION = 0.1


def vocabulary(texts: list[str]) -> Any:
    """A byte-level BPE of these texts."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    made.train_from_iterator(
        texts,
        trainers.BpeTrainer(vocab_size=8_000, initial_alphabet=alphabet, show_progress=False),
    )
    return made


def expand(ids: list[int], pairs: dict[int, list[tuple[int, int]]]) -> list[int]:
    """The authors' loop."""
    for _ in range(int(len(ids) * PROPORTION)):
        at = np.random.randint(len(ids))
        token = ids[at]
        if token in pairs:
            ids = ids[:at] + list(random.choice(pairs[token])) + ids[at + 1 :]
    return ids


def _expand_all(rows: list[list[int]], pairs: dict[int, list[tuple[int, int]]]) -> None:
    for row in rows:
        expand(row, pairs)


def by_dictionary(spelled: list[bytes]) -> dict[int, list[tuple[int, int]]]:
    """The pairs of every token, by looking up both parts."""
    numbers = {token: number for number, token in reversed(list(enumerate(spelled)))}
    found: dict[int, list[tuple[int, int]]] = {}
    for number, token in enumerate(spelled):
        for cut in range(1, len(token)):
            left, right = numbers.get(token[:cut]), numbers.get(token[cut:])
            if left is not None and right is not None:
                found.setdefault(number, []).append((left, right))
    return found


def cost(work: Callable[[], Any]) -> Callable[[], measure.Cost]:
    def once() -> measure.Cost:
        with measure.timed() as taken:
            work()
        return taken

    return once


def compare(runs: int) -> None:
    texts = corpora.column("gcide")[:20_000].to_pylist()
    tokenizer = vocabulary(texts[:4_000])
    made = tokens.Vocabulary.of(tokenizer)
    count = len(made)
    spelled = tokens.merge([[number] for number in range(count)], made).to_pylist()
    pairs = by_dictionary(spelled)
    triples = [(token, *pair) for token, found in sorted(pairs.items()) for pair in found]
    table = made.splits()
    ours_table = list(zip(*(column.to_pylist() for column in table.columns), strict=True))
    measure.check(ours_table == triples, "tables")
    short = [encoding.ids for encoding in tokenizer.encode_batch(texts)]
    every = [token for row in short for token in row]
    for figure, rows, peer_rows, goal in (
        ("short rows", short, short[:4_000], 20),
        ("rows of 10,000 tokens", _cut(every, 10_000), _cut(every, 10_000)[:2], 20),
        ("rows of 100,000 tokens", _cut(every, 100_000), _cut(every, 100_000)[:1], 20),
    ):
        column = pa.array(rows, pa.large_list(pa.uint32()))
        split = tokens.stochastic_split(column, made, PROPORTION)
        measure.check(tokens.merge(split, made) == tokens.merge(column, made), "bytes")
        size = sum(map(len, rows))
        peer_size = sum(map(len, peer_rows))
        ours = functools.partial(tokens.stochastic_split, column, made, PROPORTION, threads=1)
        taken = measure.in_turn({"ours": cost(ours)}, runs)["ours"]
        peer = functools.partial(_expand_all, peer_rows, pairs)
        others = [cost(peer)() for _ in range(min(runs, 3))]
        measure.report(
            *(BENCH, "gcide", f"{figure}: tokens a second of CPU"),
            unit="tokens/s",
            ours=[size / one.cpu for one in taken],
            peer=[peer_size / one.cpu for one in others],
            ratio="ours/peer",
            at_least=goal,
        )


def _cut(every: list[int], length: int) -> list[list[int]]:
    return [every[at : at + length] for at in range(0, len(every) - length + 1, length)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=measure.RUNS)
    arguments = parser.parse_args()
    measure.require_release()
    compare(arguments.runs)


if __name__ == "__main__":
    main()
