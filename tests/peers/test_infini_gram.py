"""Counts over a token index against infini-gram's engine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bowstring as bow
from oracles import infini_gram as files
from oracles import search as oracle

engine_module = pytest.importorskip("infini_gram.engine", reason="the peer is not installed")

# The engine finds its files by these words in the whole path.
_WORDS = ("tokenized", "table", "offset", "metadata", "metaoff", "unigram")


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
    files.write(rows, tmp_path, width)
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
    files.write(rows, folder, 2)
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
    files.write(rows, tmp_path, 2)
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


def _both(rows: list[list[int]], folder: Path, shards: int, **options: Any) -> tuple[Any, Any]:
    """The peer's engine and ours over the same files."""
    if any(word in str(folder) for word in _WORDS):
        pytest.skip(f"infini-gram cannot open files under {folder}")
    for shard in range(shards):
        files.write(rows[shard::shards], folder, 2, shard)
        files.write_metadata(
            [f'{{"n": {len(row)}}}\n' for row in rows[shard::shards]], folder, shard
        )
    arguments = {
        "index_dir": str(folder),
        "eos_token_id": 599,
        "vocab_size": 600,
        "max_support": 10**9,
        "max_clause_freq": 10**9,
        "precompute_unigram_logprobs": True,
        **options,
    }
    ours = bow.interop.infini_gram.InfiniGramEngine(**arguments)
    depths = {f"{name}_prefetch_depth": 0 for name in ("ds", "sa", "od")}
    return engine_module.InfiniGramEngine(**arguments, **depths), ours


@pytest.mark.parametrize("shards", [1, 3])
def test_the_engines_agree(shards: int, tmp_path: Path) -> None:
    rows = _repetitive_rows()
    # No shard ends with tokens that occur elsewhere: the peer counts what follows those as ends.
    rows += [*rows[2:4], *([token] for token in range(500, 500 + shards))]
    theirs, ours = _both(rows, tmp_path, shards)
    random = np.random.default_rng(5)

    def same(method: str, *arguments: Any, **named: Any) -> Any:
        right = getattr(theirs, method)(*arguments, **named)
        assert getattr(ours, method)(*arguments, **named) == right, (method, arguments, named)
        return right

    assert same("get_total_doc_cnt") == len(rows)
    for shard in range(shards):
        counts = same("compute_unigram_counts", shard)
        assert sum(counts.values()) == sum(len(row) + 1 for row in rows[shard::shards])
    for row in rows:
        for start in range(0, len(row), 7):
            for length in (0, 1, 2, 5):
                prompt = row[start : start + length]
                found = same("find", prompt)
                assert found["cnt"] > 0
                same("count", [*prompt, 499])
                same("ntd", prompt)
                same("infgram_ntd", [499, *prompt])
                for token in (row[(start + length) % len(row)], 3):
                    same("prob", prompt, token)
                    same("infgram_prob", [499, *prompt], token)
                if not prompt:
                    continue
                for shard, (low, high) in enumerate(found["segment_by_shard"]):
                    for rank in range(low, min(high, low + 3)):
                        same("get_doc_by_rank", shard, rank)
                        same("get_doc_by_rank", shard, rank, max_disp_len=5)
                        same("get_doc_by_rank_2", shard, rank, length, 4)
                        same("get_docs_by_ranks_2", [(shard, rank, length, 4)] * 2)
    absent = same("prob", [499, 499], 1)
    assert absent["prob"] == -1.0
    for document in range(7):
        same("get_doc_by_ix", document)
        same("get_doc_by_ix", document, max_disp_len=3)
        same("get_doc_by_ix_2", document, 3)
    same("get_docs_by_ixs", [0, 3, 6])
    same("get_docs_by_ixs_2", [(0, 1), (6, 4)])
    combined = 0
    for _ in range(60):
        row = rows[int(random.integers(0, 5))]
        places = random.integers(0, len(row), 4).tolist()
        texts = [row[at : at + 1 + at % 2] for at in places]
        for cnf in ([texts[:1]], [texts[:1], texts[1:2]], [texts[:2], texts[2:3], texts[3:]]):
            for reach in (1, 9, 1000):
                found = same("find_cnf", cnf, max_diff_tokens=reach)
                same("count_cnf", cnf, max_diff_tokens=reach)
                combined += found["cnt"]
                for shard, pointers in enumerate(found["ptrs_by_shard"]):
                    for ptr in pointers[:2]:
                        same("get_doc_by_ptr", shard, ptr, max_disp_len=7)
                        same("get_doc_by_ptr_2", shard, ptr, 1, 3)
                    same("get_docs_by_ptrs", [(shard, ptr) for ptr in pointers[:3]])
                    same("get_docs_by_ptrs_2", [(shard, ptr, 2, 1) for ptr in pointers[:3]])
    assert combined > 1000
    assert same("find_cnf", [[[499]], [[rows[0][0]]]])["ptrs_by_shard"] == []


@pytest.mark.parametrize("shards", [1, 2])
def test_the_engines_find_the_same_spans(shards: int, tmp_path: Path) -> None:
    rows = _repetitive_rows()
    words = tmp_path / "words.txt"
    starts = sorted({token for row in rows for token in row})[::2]
    words.write_text("\n".join(map(str, starts)))
    # Tokens below all that are asked for: the peer overlooks what would stand before the first.
    theirs, ours = _both([[0, 0], *rows], tmp_path, shards, bow_ids_path=str(words))
    random = np.random.default_rng(6)
    spans = 0
    for length in (0, 1, 30, 90):
        pieces = [rows[at % 5][at % 7 : at % 7 + 6] for at in random.integers(0, 99, length)]
        text = [symbol for piece in pieces for symbol in piece][:length]
        assert ours.creativity(text) == theirs.creativity(text)
        for enforce_bow in (False, True):
            for delimiters in ([], text[3:4]):
                for min_len, max_cnt in ((1, 10), (2, 3), (1, 1000)):
                    arguments = (text, delimiters, min_len, max_cnt, enforce_bow)
                    right = theirs.attribute(*arguments)["spans"]
                    found = ours.attribute(*arguments)["spans"]
                    for span in (*right, *found):
                        sum_ = span["unigram_logprob_sum"]
                        span["unigram_logprob_sum"] = pytest.approx(sum_)
                    assert found == right
                    spans += len(found)
    assert spans > 50


def test_the_engines_documents_are_the_texts(tmp_path: Path) -> None:
    """The peer draws at random; whatever it draws is one that ours knows by its number."""
    theirs, ours = _both(_repetitive_rows(), tmp_path, 2)
    text = _repetitive_rows()[1][3:5]
    drawn = theirs.search_docs(text, maxnum=20)
    whole = ours.search_docs(text, maxnum=1000)
    assert drawn["cnt"] == whole["cnt"] == len(whole["documents"])
    by_index = dict(zip(whole["idxs"], whole["documents"], strict=True))
    assert all(
        by_index[index] == document
        for index, document in zip(drawn["idxs"], drawn["documents"], strict=True)
    )


@pytest.mark.parametrize(("cores", "right"), [(1, True), (2, False)])
def test_tables_that_the_peer_builds_are_verified(cores: int, right: bool, tmp_path: Path) -> None:
    """On several cores it sorts small corpora wrongly, and does not say so."""
    random = np.random.default_rng(8)
    rows = [random.integers(0, 200, 300).tolist() for _ in range(100)]
    files.write(rows, tmp_path, 1)
    ours = (tmp_path / "table.0").read_bytes()
    (tmp_path / "table.0").unlink()
    (tmp_path / "in").mkdir()
    folders = ["--data_dir", str(tmp_path / "in"), "--save_dir", str(tmp_path)]
    limits = ["--cpus", str(cores), "--mem", "1", "--ulimit", "512", "--shards", "1"]
    built = subprocess.run(
        [sys.executable, "-m", "infini_gram.indexing", *folders, *limits, "--token_dtype", "u8"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    table = tmp_path / "table.0"
    if built.returncode or not table.exists():
        pytest.skip(f"infini-gram does not build here: {built.stderr[-200:]}")
    assert (table.read_bytes() == ours) == right
    index = bow.interop.infini_gram.open(tmp_path)
    if right:
        index.verify()
    else:
        with pytest.raises(bow.CorruptIndex, match=r"table\.0"):
            index.verify()
