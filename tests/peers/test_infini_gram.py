"""Counts over a token index against infini-gram's engine."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bowstring as bow
from oracles import search as oracle

engine_module = pytest.importorskip("infini_gram.engine", reason="the peer is not installed")

# The engine finds its files by these words in the whole path.
_WORDS = ("tokenized", "table", "offset", "metadata", "metaoff", "unigram")


def _write(rows: list[list[int]], folder: Path, width: int) -> None:
    """Write the files of one shard: little-endian tokens, a separator before each row."""
    dtype = f"<u{width}"
    separator = 256**width - 1
    tokens = [symbol for row in rows for symbol in (separator, *row)]
    raw = np.array(tokens, dtype).tobytes()
    starts = np.cumsum([0, *(width * (1 + len(row)) for row in rows[:-1])])
    # Its order of suffixes is that of the little-endian bytes, not of the tokens.
    suffixes = sorted(range(0, len(raw), width), key=lambda at: raw[at:])
    pointer = math.ceil(math.log2(len(raw)) / 8)
    (folder / "tokenized.0").write_bytes(raw)
    (folder / "table.0").write_bytes(b"".join(at.to_bytes(pointer, "little") for at in suffixes))
    (folder / "offset.0").write_bytes(starts.astype("<u8").tobytes())


@pytest.mark.parametrize(("width", "most"), [(1, 200), (2, 300), (2, 65_534), (4, 100_000)])
def test_counts_are_the_peers(width: int, most: int, tmp_path: Path) -> None:
    if any(word in str(tmp_path) for word in _WORDS):
        pytest.skip(f"infini-gram cannot open files under {tmp_path}")
    random = np.random.default_rng(width)
    words = random.integers(0, most, (40, 3)).tolist()
    rows: list[list[int]] = []
    for length in (0, 1, 200, 57, 0, 300, 2):
        row = [symbol for at in random.integers(0, 40, length) for symbol in words[at]]
        rows.append(row[:length])
    _write(rows, tmp_path, width)
    engine: Any = engine_module.InfiniGramEngine(
        index_dir=str(tmp_path),
        eos_token_id=0,
        vocab_size=256**width - 1,
        token_dtype=f"u{8 * width}",
        ds_prefetch_depth=0,
        sa_prefetch_depth=0,
        od_prefetch_depth=0,
    )
    index = bow.index(rows, segment_symbols=301)
    assert len(index.info.segments) > 1
    queries: list[list[int]] = []
    for row in rows:
        for length in (1, 2, 3, 5, 9):
            queries += [row[at : at + length] for at in range(0, len(row) - length + 1, 11)]
            queries.append(random.integers(0, most, length).tolist())
    theirs = [engine.count(input_ids=query)["count"] for query in queries]
    assert sum(theirs) > len(theirs)
    assert [index.count(query) for query in queries] == theirs
    assert index.count(queries).to_pylist() == theirs
    assert theirs == [oracle.count(rows, query) for query in queries]


def _engine(rows: list[list[int]], folder: Path) -> Any:
    if any(word in str(folder) for word in _WORDS):
        pytest.skip(f"infini-gram cannot open files under {folder}")
    _write(rows, folder, 2)
    return engine_module.InfiniGramEngine(
        index_dir=str(folder),
        eos_token_id=_EOS,
        vocab_size=65_535,
        token_dtype="u16",
        ds_prefetch_depth=0,
        sa_prefetch_depth=0,
        od_prefetch_depth=0,
        max_support=10**9,
    )


_EOS = 60_000


def _repetitive_rows() -> list[list[int]]:
    random = np.random.default_rng(3)
    words = random.integers(0, 500, (30, 4)).tolist()
    return [
        [symbol for at in random.integers(0, 30, 40) for symbol in words[at]][:length]
        for length in (5, 120, 77, 160, 1)
    ]


def test_probabilities_and_distributions_are_the_peers(tmp_path: Path) -> None:
    rows = _repetitive_rows()
    engine = _engine(rows, tmp_path)
    model = bow.LanguageModel(bow.index(rows, segment_symbols=170))
    assert len(model.index.info.segments) > 1
    asked = 0
    for row in rows:
        for start in range(0, len(row) - 1, 3):
            for length in (1, 2, 4, 9):
                prompt, token = row[start : start + length], row[(start + length) % len(row)]
                theirs = engine.prob(prompt_ids=prompt, cont_id=token)
                assert model.prob(prompt, token) == pytest.approx(theirs["prob"])
                # What does not occur before what does, so that there is something to back off from.
                prompt = [499, *prompt]
                theirs = engine.infgram_prob(prompt_ids=prompt, cont_id=token)
                ours = model.infgram_prob(prompt, token)
                assert ours == bow.Prediction(
                    pytest.approx(theirs["prob"]),
                    theirs["cont_cnt"],
                    theirs["prompt_cnt"],
                    theirs["suffix_len"],
                )
                theirs = engine.infgram_ntd(prompt_ids=prompt)
                assert not theirs["approx"]
                found = model.infgram_ntd(prompt).to_pylist()
                assert {row["suffix_length"] for row in found} == {theirs["suffix_len"]}
                assert {
                    _EOS if row["token"] is None else row["token"]: row["count"] for row in found
                } == {token: one["cont_cnt"] for token, one in theirs["result_by_token_id"].items()}
                asked += 1
    assert asked > 200


def test_matches_are_the_peers(tmp_path: Path) -> None:
    rows = _repetitive_rows()
    engine = _engine(rows, tmp_path)
    index = bow.index(rows, segment_symbols=170)
    random = np.random.default_rng(4)
    for length, min_length, max_count in ((30, 1, 10), (90, 2, 4), (90, 3, 1000)):
        pieces = [rows[at % 5][at % 7 : at % 7 + 6] for at in random.integers(0, 99, length)]
        text = [symbol for piece in pieces for symbol in piece][:length]
        theirs = engine.attribute(
            input_ids=text,
            delim_ids=[int(text[3])],
            min_len=min_length,
            max_cnt=max_count,
            enforce_bow=False,
        )
        ours = bow.matches(
            index, text, min_length=min_length, max_count=max_count, delimiters=[text[3]]
        )
        found = [(row["start"], row["stop"], row["count"]) for row in ours.to_pylist()]
        expected = [(span["l"], span["r"], span["count"]) for span in theirs["spans"]]
        assert found == expected
        assert found


def test_a_combination_of_frequent_texts_is_counted_exactly(tmp_path: Path) -> None:
    """Where the peer samples clauses, and says so, ours gives the rows."""
    if any(word in str(tmp_path) for word in _WORDS):
        pytest.skip(f"infini-gram cannot open files under {tmp_path}")
    random = np.random.default_rng(7)
    rows = [random.integers(0, 4, 30).tolist() for _ in range(60)]
    _write(rows, tmp_path, 2)
    engine: Any = engine_module.InfiniGramEngine(
        index_dir=str(tmp_path), eos_token_id=0, vocab_size=65_535, token_dtype="u16"
    )
    clauses = [[[0, 1]], [[2, 3], [3, 3]]]
    answer = engine.count_cnf(cnf=clauses, max_clause_freq=20, max_diff_tokens=100)
    assert answer["approx"]
    tree = oracle.And(((0, 1), oracle.Or(((2, 3), (3, 3)))))
    found = bow.index(rows).search(clauses)
    assert found.to_pylist() == oracle.search(rows, tree)
    assert found.num_rows > 20
