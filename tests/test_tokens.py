"""Stochastic splits against every pair by hand, the loop of their authors, and real tokenizers."""

from __future__ import annotations

import base64
import collections
import itertools
import json
import random
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bowstring as bow
from bowstring import tokens

SMALL = [b"a", b"b", b"ab", None, b"aab", b"aa", b"abab"]
TEXTS = ["the cat sat on the mat", "un été à la plage, naïve!", "", "𝄞 clef\n\ttab  two"] * 3


def every_pair(vocabulary: list[bytes | None]) -> list[tuple[int, int, int]]:
    first = {token: number for number, token in reversed(list(enumerate(vocabulary)))}
    return [
        (number, first[token[:cut]], first[token[cut:]])
        for number, token in enumerate(vocabulary)
        if token is not None
        for cut in range(1, len(token))
        if token[:cut] in first and token[cut:] in first
    ]


def rows_of(table: pa.Table) -> list[tuple[int, ...]]:
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


vocabularies = st.lists(
    st.one_of(st.none(), st.text("abc", min_size=1, max_size=4).map(str.encode)),
    min_size=1,
    max_size=30,
).filter(any)


@given(vocabularies)
def test_a_token_splits_into_every_pair(vocabulary: list[bytes | None]) -> None:
    found = tokens.Vocabulary(vocabulary)
    assert len(found) == len(vocabulary) - len(
        list(itertools.takewhile(lambda one: one is None, reversed(vocabulary)))
    )
    assert rows_of(found.splits()) == every_pair(vocabulary)


@given(vocabularies, st.data(), st.floats(0, 4), st.integers(0, 2**64 - 1))
def test_bytes_stay_whatever_is_drawn(
    vocabulary: Any, data: Any, proportion: float, seed: int
) -> None:
    known = [number for number, token in enumerate(vocabulary) if token is not None]
    row = st.one_of(st.none(), st.lists(st.sampled_from(known), max_size=30))
    column = data.draw(st.lists(row, max_size=80))
    made = tokens.Vocabulary(vocabulary)
    array = pa.array(column, pa.list_(pa.int32()))
    found = tokens.stochastic_split(array, made, proportion, seed, threads=1)
    assert found.type == pa.large_list(pa.int32())
    merged = [None if r is None else b"".join(vocabulary[token] for token in r) for r in column]
    assert tokens.merge(array, made).to_pylist() == merged
    assert tokens.merge(found, made).to_pylist() == merged
    for before, after in zip(column, found.to_pylist(), strict=True):
        if before is not None:
            assert 0 <= len(after) - len(before) <= int(len(before) * proportion)
    # In parts, and by any number of threads, the same.
    cut = data.draw(st.integers(0, len(column)))
    parts = [
        tokens.stochastic_split(array[:cut], made, proportion, seed, threads=3),
        tokens.stochastic_split(array[cut:], made, proportion, seed, first_row=cut),
    ]
    assert pa.concat_arrays(parts) == found
    chunked = pa.chunked_array([array[:cut], array[cut:]])
    assert tokens.stochastic_split(chunked, made, proportion, seed).to_pylist() == found.to_pylist()


def authors_loop(pairs: Any, row: list[int], proportion: float, chance: random.Random) -> Any:
    for _ in range(int(len(row) * proportion)):
        at = chance.randrange(len(row))
        if row[at] in pairs:
            row = row[:at] + list(chance.choice(pairs[row[at]])) + row[at + 1 :]
    return tuple(row)


def test_splits_are_distributed_as_the_authors() -> None:
    pairs = collections.defaultdict(list)
    for token, left, right in every_pair(SMALL):
        pairs[token].append((left, right))
    row, times, chance = [6, 4, 1, 5], 40_000, random.Random(1)
    made = tokens.Vocabulary(SMALL)
    ours = collections.Counter(
        map(tuple, tokens.stochastic_split([row] * times, made, 1.0, seed=2).to_pylist())
    )
    theirs = collections.Counter(authors_loop(pairs, row, 1.0, chance) for _ in range(times))
    common = [one for one in ours | theirs if ours[one] + theirs[one] >= 20]
    square = sum((ours[one] - theirs[one]) ** 2 / (ours[one] + theirs[one]) for one in common)
    freedom = len(common) - 1
    assert freedom > 15
    assert square < freedom + 5 * (2 * freedom) ** 0.5
    # Uniform among the pairs of one token: 0.999 quantile with 1 degree of freedom.
    drawn = tokens.stochastic_split([[4]] * times, made, 1.0, seed=9).to_pylist()
    counts = collections.Counter(map(tuple, drawn))
    assert set(counts) == {(0, 2), (5, 1)}
    assert sum((count - times / 2) ** 2 / (times / 2) for count in counts.values()) < 10.8


def test_splits_end_where_nothing_splits() -> None:
    found = tokens.stochastic_split([[6, 3 - 1]], SMALL, proportion=1e12)
    assert found.to_pylist() == [[0, 1, 0, 1, 0, 1]]
    assert tokens.stochastic_split([[6] * 10], SMALL, 5.0, max_splits=3)[0].as_py().__len__() == 13
    assert tokens.stochastic_split([[6]], SMALL, 0.0).to_pylist() == [[6]]
    assert tokens.stochastic_split([[6] * 9], SMALL, 0.1).to_pylist() == [[6] * 9]


def test_what_is_special_stays() -> None:
    made = tokens.Vocabulary({b"a": 0, b"aa": 1, "<end>": 2, b"aaa": 3}, special=[1, "<end>"])
    assert rows_of(made.splits()) == []
    assert tokens.merge([[2, 3]], made).to_pylist() == [b"<end>aaa"]


def trained(model: str) -> Any:
    peer = pytest.importorskip("tokenizers", reason="tokenizers is not there")
    models, trainers = peer.models, peer.trainers
    special = ["[UNK]", "<|end|>"]
    if model == "byte-level":
        made = peer.Tokenizer(models.BPE())
        made.pre_tokenizer = peer.pre_tokenizers.ByteLevel(add_prefix_space=False)
        made.decoder = peer.decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=400,
            special_tokens=special,
            initial_alphabet=peer.pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
    elif model == "metaspace":
        made = peer.Tokenizer(models.Unigram())
        made.pre_tokenizer = peer.pre_tokenizers.Metaspace()
        made.decoder = peer.decoders.Metaspace()
        trainer = trainers.UnigramTrainer(
            vocab_size=120, special_tokens=special, unk_token="[UNK]", show_progress=False
        )
    else:
        made = peer.Tokenizer(models.WordPiece(unk_token="[UNK]"))
        made.pre_tokenizer = peer.pre_tokenizers.Whitespace()
        made.decoder = peer.decoders.WordPiece()
        trainer = trainers.WordPieceTrainer(
            vocab_size=200, special_tokens=special, show_progress=False
        )
    made.train_from_iterator(TEXTS * 20, trainer)
    return made


def test_byte_level_tokenizers_give_their_text_back(tmp_path: Path) -> None:
    tokenizer = trained("byte-level")
    made = tokens.Vocabulary.of(tokenizer)
    ids = [tokenizer.encode(text).ids for text in TEXTS]
    split = tokens.stochastic_split(ids, tokenizer, proportion=0.9, seed=4)
    assert split.type == pa.large_list(pa.int64())
    assert sum(map(len, split.to_pylist())) > sum(map(len, ids))
    for column in (ids, split):
        assert tokens.merge(column, made).cast(pa.large_string()).to_pylist() == TEXTS
    assert [tokenizer.decode(row) for row in split.to_pylist()] == TEXTS
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    for path in (tmp_path, tmp_path / "tokenizer.json", str(tmp_path / "tokenizer.json")):
        assert tokens.Vocabulary.of(path).splits() == made.splits()
    # The pairs that made each token are among those that it splits into.
    described = json.loads(tokenizer.to_str())["model"]
    pairs = set(rows_of(made.splits()))
    vocabulary = described["vocab"]
    for left, right in described["merges"]:
        assert (vocabulary[left + right], vocabulary[left], vocabulary[right]) in pairs
    special = {vocabulary["[UNK]"], vocabulary["<|end|>"]}
    assert not special & {number for pair in pairs for number in pair}


@pytest.mark.parametrize("model", ["metaspace", "wordpiece"])
def test_other_tokenizers_decode_to_the_same(model: str) -> None:
    tokenizer = trained(model)
    ids = [tokenizer.encode(text).ids for text in TEXTS]
    split = tokens.stochastic_split(ids, tokenizer, proportion=2.0, seed=4)
    assert split.to_pylist() != ids
    assert tokens.merge(split, tokenizer) == tokens.merge(ids, tokenizer)
    assert [tokenizer.decode(row) for row in split.to_pylist()] == [
        tokenizer.decode(row) for row in ids
    ]


def test_byte_fallback_stands_in_only_for_what_has_no_token() -> None:
    described = {
        "added_tokens": [{"id": 0, "content": "<s>", "special": True}],
        "decoder": {"type": "Sequence", "decoders": [{"pattern": {"String": "▁"}}]},
        "model": {
            "type": "BPE",
            "byte_fallback": True,
            "vocab": {"<s>": 0, "<0x61>": 1, "<0xC3>": 2, "<0xA9>": 3, "a": 4, "▁a": 5, "▁": 6}
            | {"é": 7},
        },
    }
    made = tokens._of_tokenizer(described, "vocabulary")
    assert rows_of(made.splits()) == [(5, 6, 4), (7, 2, 3)]
    assert tokens.merge([[0, 5, 7, 1]], made).to_pylist() == ["<s> aéa".encode()]


def test_tiktoken_tables(tmp_path: Path) -> None:
    ranks = {bytes([byte]): byte for byte in range(256)}
    for token in (b"th", b"the", b" t", b" the", b"at", b"cat"):
        ranks[token] = len(ranks)
    path = tmp_path / "ranks.tiktoken"
    lines = [f"{base64.b64encode(token).decode()} {rank}" for token, rank in ranks.items()]
    path.write_text("\n".join(lines) + "\n")
    made = tokens.Vocabulary.of(path)
    by_number = [token for token, _ in sorted(ranks.items(), key=lambda item: item[1])]
    assert rows_of(made.splits()) == every_pair(by_number)
    tiktoken = pytest.importorskip("tiktoken", reason="tiktoken is not there")
    encoding = tiktoken.Encoding(
        "ours",
        pat_str=r" ?\w+|\W",
        mergeable_ranks=ranks,
        special_tokens={"<|end|>": len(ranks)},
    )
    assert tokens.Vocabulary.of(encoding).splits() == made.splits()
    ids = [encoding.encode(text) for text in TEXTS]
    split = tokens.stochastic_split(ids, encoding, 1.5)
    assert [encoding.decode(row) for row in split.to_pylist()] == TEXTS
    assert tokens.merge(split, encoding).cast(pa.large_string()).to_pylist() == TEXTS


def test_frames_come_back_as_what_they_were() -> None:
    rows = [[6, 4], None, []]
    plain = tokens.stochastic_split(rows, SMALL, 1.0).to_pylist()
    series = pl.Series("ids", rows, dtype=pl.List(pl.UInt16))
    found = tokens.stochastic_split(series, SMALL, 1.0)
    assert (found.name, found.dtype) == ("ids", pl.List(pl.UInt16))
    assert found.to_list() == plain
    frame = tokens.stochastic_split(series.to_frame(), SMALL, 1.0, column="ids")
    assert frame.to_list() == plain
    index = pd.Index([5, 6, 7])
    arrow = pd.ArrowDtype(pa.list_(pa.int64()))
    mine = tokens.stochastic_split(pd.Series(rows, index, arrow, "ids"), SMALL, 1.0)
    assert (mine.name, list(mine.index)) == ("ids", [5, 6, 7])
    assert pa.array(mine).to_pylist() == plain
    assert tokens.merge(series, SMALL).to_list() == tokens.merge(rows, SMALL).to_pylist()


def test_no_rows() -> None:
    assert tokens.stochastic_split([], SMALL).to_pylist() == []
    assert tokens.stochastic_split([None], SMALL).to_pylist() == [None]
    assert tokens.merge([[]], SMALL).to_pylist() == [b""]


@pytest.mark.parametrize(
    ("rows", "vocabulary", "options", "error", "said"),
    [
        ([[0, 9]], SMALL, {}, bow.InvalidInput, "row 0 of tokens holds 9"),
        ([[], [3]], SMALL, {}, bow.InvalidInput, "row 1 of tokens holds 3"),
        ([[-1]], SMALL, {}, bow.InvalidInput, "-1"),
        ([[0]], SMALL, {"proportion": -0.5}, bow.InvalidInput, "proportion is -0.5"),
        ([[0]], SMALL, {"proportion": float("nan")}, bow.InvalidInput, "proportion"),
        ([[0]], SMALL, {"proportion": "much"}, bow.UnsupportedType, "proportion"),
        ([[0]], SMALL, {"seed": -1}, bow.InvalidInput, "seed"),
        (["text"], SMALL, {}, bow.UnsupportedType, "tokens is a column of large_string"),
        ([0, 1], SMALL, {}, bow.UnsupportedType, "tokens"),
        ([[0]], [], {}, bow.InvalidInput, "vocabulary"),
        ([[0]], [b""], {}, bow.InvalidInput, "without bytes"),
        ([[0]], [1], {}, bow.UnsupportedType, "give bytes or text"),
        ([[0]], {b"a": 0, b"b": 0}, {}, bow.InvalidInput, "each number once"),
        ([[0]], {b"a": -1}, {}, bow.InvalidInput, "-1"),
        ([[0]], {b"a": 1 << 40}, {}, bow.InvalidInput, "close to each other"),
        ([[0]], 7, {}, bow.UnsupportedType, "vocabulary is a int"),
        ([[0]], "no/such.json", {}, bow.InvalidInput, "no file"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    rows: Any, vocabulary: Any, options: Any, error: Any, said: str
) -> None:
    with pytest.raises(error, match=said):
        tokens.stochastic_split(rows, vocabulary, **options)


def test_files_that_are_no_vocabulary_are_refused(tmp_path: Path) -> None:
    for content, said in (("{", "not JSON"), ("{}", "no model"), ("a b c", "line 1")):
        path = tmp_path / "vocabulary"
        path.write_text(content)
        with pytest.raises(bow.InvalidInput, match=said):
            tokens.Vocabulary.of(path)
    with pytest.raises(bow.InvalidInput, match="in the directory"):
        tokens.Vocabulary.of(tmp_path)
