"""Folders of infini-gram's: opened, verified, damaged, and asked by its engine's methods."""

from __future__ import annotations

import contextlib
import random
from pathlib import Path
from typing import Any

import pytest

import bowstring as bow
from bowstring.interop.infini_gram import InfiniGramEngine, InfiniGramIndex
from bowstring.interop.infini_gram import open as open_folder
from oracles import infini_gram as files

ROWS = [[1, 2, 3], [], [2, 3, 2, 3], [9]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files.write(ROWS, tmp_path, 2)
    return tmp_path


@pytest.mark.parametrize("width", [1, 2, 4])
@pytest.mark.parametrize("pointer", [None, 4, 5, 8])
def test_widths_of_tokens_and_pointers(width: int, pointer: int | None, tmp_path: Path) -> None:
    files.write(ROWS, tmp_path, width, pointer=pointer)
    for dtype in (None, f"u{8 * width}"):
        index = open_folder(tmp_path, token_dtype=dtype)
        assert index.info.segments[0].width == width
        assert index.text(range(4)).to_pylist() == ROWS
        assert index.count([2, 3]) == 3
        assert index.locate([3, 2]).to_pylist() == [{"row": 2, "start": 1, "stop": 3}]
        index.verify()


@pytest.mark.parametrize("width", [1, 2, 4])
@pytest.mark.parametrize("other", [1, 2, 4])
@pytest.mark.parametrize("long", [False, True])
def test_a_wrong_width_is_no_other_text(width: int, other: int, long: bool, tmp_path: Path) -> None:
    generator = random.Random(1)
    rows = [*ROWS, [generator.randrange(10, 200) for _ in range(70_000 * long)]]
    files.write(rows, tmp_path, width, compared=64)
    if other == width:
        assert open_folder(tmp_path, token_dtype=f"u{8 * other}").count([2, 3]) == 3
    else:
        with pytest.raises(bow.CorruptIndex, match=f"u{8 * other}|offsets"):
            open_folder(tmp_path, token_dtype=f"u{8 * other}")


def test_what_an_index_says_of_itself(folder: Path) -> None:
    index = open_folder(folder)
    assert isinstance(index, InfiniGramIndex)
    assert (index.info.kind, index.info.column) == ("infini-gram", "tokens")
    assert (index.info.rows, index.info.symbols, index.info.path) == (4, 8, None)
    assert index.info.bytes == sum(path.stat().st_size for path in folder.iterdir())


def test_shards_follow_one_another_in_the_order_of_their_names(tmp_path: Path) -> None:
    for shard in (0, 2, 10):
        files.write([[shard + 1]], tmp_path, 2, shard)
    # As infini-gram numbers them.
    assert open_folder(tmp_path).text(range(3)).to_pylist() == [[1], [11], [3]]
    other = tmp_path / "other"
    other.mkdir()
    files.write([[100]], other, 2, "")
    assert open_folder([other, str(tmp_path)]).text(0) == [100]
    assert len(open_folder([other, tmp_path]).info.segments) == 4


def test_it_goes_on_in_memory(folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    index = open_folder(folder)
    index.append([[2, 3]])
    assert index.count([2, 3]) == 4
    index.compact()
    assert index.info.kind == "suffix"
    assert index.text(range(5)).to_pylist() == [*ROWS, [2, 3]]
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_metadata(folder: Path) -> None:
    assert open_folder(folder).metadata(2) is None
    lines = [f'{{"path": "é{row}"}}\n' for row in range(4)]
    files.write_metadata(lines, folder)
    files.write([[5]], folder, 2, 1)
    files.write([[6], [7]], folder, 2, 2)
    files.write_metadata(["a\n", "b\n"], folder, 2)
    index = open_folder(folder)
    assert index.metadata(1) == lines[1]
    # A shard without metadata has none, and those behind it keep theirs.
    assert index.metadata([3, None, 4, 6]).to_pylist() == [lines[3], None, None, "b\n"]
    with pytest.raises(bow.InvalidInput, match="rows holds 7"):
        index.metadata(7)
    # Files beside that are none of the index's, and what is added or moved later.
    for name in ("tokenized", "metadata", "metaoff"):
        (folder / f"{name}.0.bak").write_bytes((folder / f"{name}.0").read_bytes())
    index = open_folder(folder)
    index.append([[8]])
    index.compact()
    assert index.metadata([3, 4, 6, 7]).to_pylist() == [lines[3], None, "b\n", None]
    (folder / "metaoff.0").write_bytes(b"123")
    with pytest.raises(bow.CorruptIndex, match="metaoff"):
        open_folder(folder)


def test_what_is_no_index(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(bow.IndexFormatError, match="tokenized"):
        open_folder(tmp_path_factory.mktemp("empty"))
    with pytest.raises(FileNotFoundError):
        open_folder(folder / "nowhere")
    with pytest.raises(bow.InvalidInput, match="token_dtype is 'u64'"):
        open_folder(folder, token_dtype="u64")
    with pytest.raises(bow.InvalidInput, match="path is empty"):
        open_folder([])
    for path in (None, 5, b"folder", [None]):
        with pytest.raises(bow.UnsupportedType, match="path is"):
            open_folder(path)  # type: ignore[arg-type]
    with pytest.raises(bow.CorruptIndex, match="no separator of u32"):
        open_folder(folder, token_dtype="u32")
    for name in ("table.0", "offset.0"):
        kept = (folder / name).read_bytes()
        (folder / name).unlink()
        with pytest.raises(FileNotFoundError, match=name):
            open_folder(folder)
        (folder / name).write_bytes(kept[:-1])
        with pytest.raises(bow.CorruptIndex):
            open_folder(folder)
        (folder / name).write_bytes(kept)
    open_folder(folder).verify()


def _out_of_order(folder: Path, shared: int) -> None:
    """A table with two suffixes swapped that share so many tokens."""
    row = [*range(100, 100 + shared), 7, *range(100, 100 + shared), 8]
    files.write([row], folder, 1)
    table = bytearray((folder / "table.0").read_bytes())
    first, second = table.index(1), table.index(1 + shared + 1)
    assert second == first + 1
    table[first], table[second] = table[second], table[first]
    (folder / "table.0").write_bytes(table)


@pytest.mark.parametrize("shared", [0, 1, 5, 50])
def test_a_table_out_of_order_is_told_with_what_it_still_answers(
    shared: int, tmp_path: Path
) -> None:
    if shared == 0:
        files.write([[1, 2]], tmp_path, 1)
        (tmp_path / "table.0").write_bytes(bytes([2, 1, 0]))
    else:
        _out_of_order(tmp_path, shared)
    index = open_folder(tmp_path)
    with pytest.raises(bow.CorruptIndex, match=f"queries of up to {shared} tokens are"):
        index.verify()
    if shared:
        # What it says holds, in counts of all texts so long.
        row = index.text(0)
        good = bow.index([row])
        for length in range(1, shared + 1):
            for at in range(len(row) - length + 1):
                query = row[at : at + length]
                assert index.count(query) == good.count(query)


def test_a_damaged_offset_far_in_is_an_error(tmp_path: Path) -> None:
    files.write([[row % 7, row % 5] for row in range(2000)], tmp_path, 1)
    offsets = bytearray((tmp_path / "offset.0").read_bytes())
    offsets[8 * 1500 : 8 * 1501] = b"\xff" * 8
    (tmp_path / "offset.0").write_bytes(offsets)
    index = open_folder(tmp_path)
    for row in (1499, 1500):
        with pytest.raises(bow.CorruptIndex):
            index.text(row)
    with pytest.raises(bow.CorruptIndex):
        index.verify()


def test_flipped_bytes_are_found_and_never_crash(folder: Path) -> None:
    generator = random.Random(0)
    found = 0
    for name in ("tokenized.0", "table.0", "offset.0"):
        kept = (folder / name).read_bytes()
        for at in range(len(kept)):
            broken = bytearray(kept)
            broken[at] ^= 1 << generator.randrange(8)
            (folder / name).write_bytes(broken)
            try:
                index = open_folder(folder, token_dtype="u16")
                for ask in (
                    lambda index: index.count([2, 3]),
                    lambda index: index.locate([3]),
                    lambda index: index.search([[[2]], [[3]]]),
                    lambda index: index.text(range(4)),
                    lambda index: bow.LanguageModel(index).infgram_ntd([9, 2]),
                    lambda index: bow.matches(index, [1, 2, 3, 2]),
                ):
                    with contextlib.suppress(bow.CorruptIndex):
                        ask(index)
                index.verify()
            except bow.CorruptIndex:
                found += 1
        if name != "tokenized.0":
            # A token is as good as another, where it does not change the order.
            assert found == len(kept)
        found = 0
        (folder / name).write_bytes(kept)


def _engine(folder: Path, **options: Any) -> InfiniGramEngine:
    return InfiniGramEngine(str(folder), eos_token_id=0, vocab_size=100, **options)


def test_the_engine_gives_errors_as_answers(folder: Path) -> None:
    engine = _engine(folder)
    for answer, message in (
        (engine.count((1, 2)), "input_ids is"),  # type: ignore[arg-type]
        (engine.count([1.5]), "input_ids"),  # type: ignore[list-item]
        (engine.find([65_535]), "input_ids holds 65535"),
        (engine.count_cnf([]), "cnf is"),
        (engine.find_cnf([[[1]]], max_diff_tokens=0), "max_diff_tokens is 0"),
        (engine.find_cnf([[[]]]), "empty"),
        (engine.prob([1], -1), "cont_id is -1"),
        (engine.search_docs([1], maxnum=0), "maxnum is 0"),
        (engine.get_doc_by_rank(0, 12), "ranks 12 to 13"),
        (engine.get_doc_by_rank(1, 0), "segment 1"),
        (engine.get_doc_by_ptr(0, 3), "ptr is 3"),
        (engine.get_doc_by_ptr(0, 24), "position 12"),
        (engine.get_doc_by_ix(4), "rows holds 4"),
        (engine.get_docs_by_ixs([0, 4]), "rows holds 4"),
        (engine.attribute([1], [], 1, 0, False), "max_cnt is 0"),
        (engine.attribute([1], [], 1, 1, "no"), "enforce_bow is 'no'"),  # type: ignore[arg-type]
        (engine.get_doc_by_rank(0, 2**64 - 1), "rank is"),
        (engine.get_docs_by_ranks([1]), "list_of_s_and_rank"),  # type: ignore[list-item]
        (engine.compute_unigram_counts(9), "segment 9"),
        (engine.ntd([1], 0), "max_support is 0"),
        (engine.count_cnf([[[1]]], max_clause_freq=-3), "max_clause_freq is -3"),
    ):
        assert message in answer["error"]


def test_what_the_engine_does_not_take(folder: Path) -> None:
    (folder / "words").write_text("1\nx\n")
    for options, message in (
        ({"version": 5}, "version is 5"),
        ({"max_disp_len": 0}, "max_disp_len is 0"),
        ({"token_dtype": None}, "token_dtype is None"),
        ({"bow_ids_path": folder / "words"}, "bow_ids_path holds 'x'"),
        ({"prev_shards_by_index_dir": {"a": []}}, "prev_shards_by_index_dir"),
    ):
        with pytest.raises(bow.InvalidInput, match=message):
            _engine(folder, **options)
    with pytest.raises(bow.InvalidInput, match="eos_token_id is 100"):
        InfiniGramEngine(str(folder), eos_token_id=100, vocab_size=100)


def test_the_end_of_a_document_is_the_same_wherever_it_is_asked(folder: Path) -> None:
    engine = _engine(folder)
    for prompt in ([], [2, 3], [9], [1]):
        ends = engine.ntd(prompt)["result_by_token_id"].get(0, {"cont_cnt": 0, "prob": 0.0})
        for token in (0, 65_535):
            answer = engine.prob(prompt, token)
            assert (answer["cont_cnt"], answer["prob"]) == (ends["cont_cnt"], ends["prob"])
    assert engine.prob([2, 3], 0)["cont_cnt"] == 2
    assert engine.infgram_prob([7, 9], 0) == {
        "prompt_cnt": 1,
        "cont_cnt": 1,
        "prob": 1.0,
        "suffix_len": 1,
    }


def test_documents_are_drawn_by_the_seed_and_once(folder: Path) -> None:
    files.write([[2, 3, 4]], folder, 2, 1)
    found = _engine(folder).search_docs([2, 3], maxnum=10)
    assert found["cnt"] == 4
    assert sorted(found["idxs"]) == [0, 1, 2, 3]
    assert sorted(one["doc_ix"] for one in found["documents"]) == [0, 2, 2, 4]
    for document in found["documents"]:
        needle = document["needle_offset"]
        assert document["token_ids"][needle : needle + 2] == [2, 3]
    assert _engine(folder).search_docs([2, 3], maxnum=10) == found
    orders = {
        tuple(_engine(folder, seed=n).search_docs([2, 3], maxnum=4)["idxs"]) for n in range(9)
    }
    assert len(orders) > 1
    both = _engine(folder).search_docs_cnf([[[2]], [[4], [1]]], maxnum=10)
    assert sorted({one["doc_ix"] for one in both["documents"]}) == [0, 4]
    assert _engine(folder).search_docs([50]) == {
        "cnt": 0,
        "approx": False,
        "idxs": [],
        "documents": [],
    }
