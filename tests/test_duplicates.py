"""Passages that occur more than once, and columns without them."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bowstring as bow
from bowstring.cli import main
from bowstring.duplicates import deduplicate_parquet
from strategies import KINDS, Case, Kind, cases, held

Row = str | bytes | list[int] | None

ROWS = st.lists(st.none() | st.text("ab€", max_size=16), max_size=7)


def _symbols(row: Row) -> Any:
    return b"" if row is None else row.encode() if isinstance(row, str) else row


def _cuts(row: Row) -> list[int]:
    """The places where a passage may start and end."""
    if not isinstance(row, str):
        return list(range(len(_symbols(row)) + 1))
    at = [0]
    for character in row:
        at.append(at[-1] + len(character.encode()))
    return at


def _key(symbols: Any) -> Any:
    return tuple(symbols) if isinstance(symbols, list) else symbols


def _windows(rows: list[Row], least: int) -> list[tuple[int, int, int, Any]]:
    """Every passage of at least so many symbols: row, start, stop and what it is."""
    found = []
    for number, row in enumerate(rows):
        symbols, cuts = _symbols(row), _cuts(row)
        for start in cuts:
            for stop in cuts:
                if stop - start >= least:
                    found.append((number, start, stop, _key(symbols[start:stop])))
    return found


def _passages(rows: list[Row], least: int, times: int) -> list[dict[str, int]]:
    windows = _windows(rows, least)
    counts = Counter(window[3] for window in windows)
    best: dict[tuple[int, int], tuple[int, Any]] = {}
    for row, start, stop, text in windows:
        if counts[text] >= times:
            best[row, start] = max(best.get((row, start), (0, None)), (stop, text))
    groups: dict[Any, int] = {}
    found: list[dict[str, int]] = []
    for (row, start), (stop, text) in sorted(best.items()):
        if found and found[-1]["row"] == row and found[-1]["stop"] >= stop:
            continue
        group = groups.setdefault(text, len(groups))
        found.append(
            {"row": row, "start": start, "stop": stop, "count": counts[text], "group": group}
        )
    return found


def _removed(rows: list[Row], least: int, times: int, keep: str) -> list[tuple[int, int, int]]:
    """What copies cover, by definition."""
    windows = _windows(rows, least)
    copies: dict[Any, list[tuple[int, int]]] = {}
    for row, start, _, text in windows:
        copies.setdefault(text, []).append((row, start))

    def order(place: tuple[int, int]) -> tuple[int, int, int]:
        return (-len(_symbols(rows[place[0]])) if keep == "longest" else 0, *place)

    spans = []
    for row, start, stop, text in windows:
        places = copies[text]
        kept = keep != "none" and min(places, key=order) == (row, start)
        if len(places) >= times and not kept:
            spans.append((row, start, stop))
    return _united(spans)


def _united(spans: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    united: list[tuple[int, int, int]] = []
    for row, start, stop in sorted(spans):
        if united and united[-1][0] == row and start <= united[-1][2]:
            united[-1] = (row, united[-1][1], max(stop, united[-1][2]))
        else:
            united.append((row, start, stop))
    return united


def _without(rows: list[Row], spans: list[tuple[int, int, int]]) -> list[Row]:
    left: list[Row] = []
    for number, row in enumerate(rows):
        if row is None:
            left.append(None)
            continue
        symbols = _symbols(row)
        gone = [(start, stop) for at, start, stop in spans if at == number]
        for start, stop in reversed(gone):
            symbols = symbols[:start] + symbols[stop:]
        left.append(symbols.decode() if isinstance(row, str) else symbols)
    return left


def _spans(report: pa.Table) -> list[tuple[int, int, int]]:
    return [(row["row"], row["start"], row["stop"]) for row in report.to_pylist()]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_passages_agree_with_the_definition(kind: Kind, new_path: Any) -> None:
    @settings(max_examples=30)
    @given(cases(kind), st.integers(1, 6), st.integers(2, 4))
    def check(case: Case, least: int, times: int) -> None:
        if sum(len(_symbols(row)) for row in case.rows) > 200:
            return
        expected = _passages(case.rows, least, times)
        for where, index in held(case, new_path):
            found = bow.duplicates(index, min_length=least, min_count=times)
            assert found.to_pylist() == expected, where

    check()


def _across(rows: list[Row], other: list[Row], least: int, times: int) -> list[dict[str, int]]:
    """Passages of rows that occur so often in others, by definition."""
    counts = Counter(window[3] for window in _windows(other, least))
    found: list[dict[str, int]] = []
    groups: dict[Any, int] = {}
    best: dict[tuple[int, int], tuple[int, Any]] = {}
    for row, start, stop, text in _windows(rows, least):
        if counts[text] >= times:
            best[row, start] = max(best.get((row, start), (0, None)), (stop, text))
    for (row, start), (stop, text) in sorted(best.items()):
        if found and found[-1]["row"] == row and found[-1]["stop"] >= stop:
            continue
        places = {"row": row, "start": start, "stop": stop, "count": counts[text]}
        found.append({**places, "group": groups.setdefault(text, len(groups))})
    return found


@settings(max_examples=60)
@given(ROWS, ROWS, st.integers(1, 4), st.integers(1, 3))
def test_passages_of_another_column(
    rows: list[Row], other: list[Row], least: int, times: int
) -> None:
    column, against = pa.array(rows, pa.string()), pa.array(other, pa.string())
    expected = _across(rows, other, least, times)
    index = bow.index(column, segment_symbols=60)
    for data, beside in ((column, against), (index, bow.index(against)), (column, other)):
        for memory in (None, 40 * 40):
            found = bow.duplicates(
                data, min_length=least, min_count=times, against=beside, memory=memory
            )
            assert found.to_pylist() == expected
    assert not any(row["count"] < times for row in expected)


@settings(max_examples=60)
@given(ROWS, st.integers(1, 6), st.integers(2, 4), st.sampled_from([25, 40, 80]))
def test_passages_are_the_same_in_pieces(
    rows: list[Row], least: int, times: int, symbols: int
) -> None:
    column = pa.array(rows, pa.string())
    expected = bow.duplicates(column, min_length=least, min_count=times)
    memory = (symbols + 120) * (18 + 4 * (times - 1))
    for data in (column, bow.index(column, segment_symbols=60)):
        found = bow.duplicates(data, min_length=least, min_count=times, memory=memory)
        assert found.equals(expected)


@settings(max_examples=60)
@given(ROWS, ROWS, st.integers(1, 4), st.integers(2, 3))
def test_what_occurs_often_in_another_column_is_taken_out(
    rows: list[Row], other: list[Row], least: int, times: int
) -> None:
    counts = Counter(window[3] for window in _windows(other, least))
    windows = _windows(rows, least)
    expected = _united([window[:3] for window in windows if counts[window[3]] >= times])
    clean = bow.deduplicate(
        pa.array(rows, pa.string()), min_length=least, min_count=times, against=other
    )
    assert _spans(clean.report) == expected


@settings(max_examples=150)
@given(ROWS, st.integers(1, 6), st.integers(2, 4), st.sampled_from(["none", "first", "longest"]))
def test_removals_agree_with_the_definition(
    rows: list[Row], least: int, times: int, keep: Any
) -> None:
    expected = _removed(rows, least, times, keep)
    column = pa.array(rows, pa.string())
    for threads in (1, 3):
        clean = bow.deduplicate(
            column, min_length=least, min_count=times, keep=keep, threads=threads
        )
        assert _spans(clean.report) == expected
        assert clean.column.type == pa.string()
        assert clean.column.to_pylist() == _without(rows, expected)
        assert clean.removed == sum(stop - start for _, start, stop in expected)


@settings(max_examples=60)
@given(ROWS, st.integers(1, 6), st.sampled_from(["none", "first", "longest"]), st.booleans())
def test_a_small_memory_changes_nothing(
    rows: list[Row], least: int, keep: Any, whole: bool
) -> None:
    column = pa.array(rows, pa.string())
    options = {"min_length": least, "keep": keep, "whole_rows": whole}
    once = bow.deduplicate(column, **options)
    bitwise = bow.deduplicate(column, **options, memory=110 * 14)
    assert bitwise.column.equals(once.column)
    assert bitwise.report.equals(once.report)


@settings(max_examples=80)
@given(ROWS, ROWS, st.integers(1, 6))
def test_against_another_column(rows: list[Row], other: list[Row], least: int) -> None:
    there = {window[3] for window in _windows(other, least)}
    expected = _united(
        [(row, start, stop) for row, start, stop, text in _windows(rows, least) if text in there]
    )
    column, against = pa.array(rows, pa.string()), pa.array(other, pa.string())
    index = bow.index(against)
    for asked in (against, index):
        for memory in (None, 110 * 30):
            clean = bow.deduplicate(column, min_length=least, against=asked, memory=memory)
            assert _spans(clean.report) == expected
    for row in clean.report.to_pylist():
        copy = _symbols(other[row["copy_row"]])[row["copy_start"] :]
        assert copy[:least] == _symbols(rows[row["row"]])[row["start"] :][:least]


@settings(max_examples=60)
@given(ROWS, st.integers(1, 6), st.sampled_from(["none", "first", "longest"]))
def test_until_nothing_is_found(rows: list[Row], least: int, keep: Any) -> None:
    clean = bow.deduplicate(pa.array(rows, pa.string()), min_length=least, keep=keep, passes=None)
    again = bow.deduplicate(clean.column, min_length=least, keep=keep)
    assert again.report.num_rows == 0
    assert again.column.equals(clean.column)


@given(ROWS, st.integers(1, 6))
def test_a_larger_min_length_finds_less(rows: list[Row], least: int) -> None:
    column = pa.array(rows, pa.string())
    less = bow.deduplicate(column, min_length=least + 1, keep="none").removed
    assert less <= bow.deduplicate(column, min_length=least, keep="none").removed


@given(ROWS, st.integers(1, 6), st.randoms())
def test_the_order_of_rows_does_not_matter_where_none_is_kept(
    rows: list[Row], least: int, random: Any
) -> None:
    order = list(range(len(rows)))
    random.shuffle(order)
    clean = bow.deduplicate(pa.array(rows, pa.string()), min_length=least, keep="none").column
    other = bow.deduplicate(
        pa.array([rows[at] for at in order], pa.string()), min_length=least, keep="none"
    )
    assert other.column.to_pylist() == [clean[at].as_py() for at in order]


def test_what_the_reference_tool_gets_wrong() -> None:
    # deduplicate-text-datasets loses what sorts last when it uses more threads.
    toy = b"aaaaaaaaaaaabbbcccccaaaaaaaaaaaaccccc"
    block = bytes([0xF0]) + bytes(range(1, 150))
    for threads in (1, 2, 8):
        clean = bow.deduplicate([toy], min_length=3, keep="none", threads=threads)
        assert _spans(clean.report) == [(0, 0, 12), (0, 15, 37)]
        clean = bow.deduplicate(
            [b"x" * 40 + block, b"y" * 50 + block], min_length=100, keep="first", threads=threads
        )
        assert _spans(clean.report) == [(1, 50, 200)]
    # It cuts characters, here behind the first byte that two have in common; and crosses rows.
    clean = bow.deduplicate(["0123456789é", "0123456789è"], min_length=10)
    assert clean.column.to_pylist() == ["0123456789é", "è"]
    assert bow.duplicates(["abc", "def", "abc", "def"], min_length=4).num_rows == 0
    # It fails above 100 bytes, and with repeats longer than 100,000.
    long = Random(1).randbytes(150_000)
    clean = bow.deduplicate([long + b"x", b"y" + long], min_length=120_000)
    assert clean.column.to_pylist() == [long + b"x", b"y"]


def test_separators_of_the_reference_tool_are_rows_of_one() -> None:
    # Its documents stand behind ff ff and a number of 32 bits, and are searched as one text.
    documents = [b"the same words here", b"the same words there", b"the same words here"]
    blob = b"".join(
        b"\xff\xff" + number.to_bytes(4, "little") + text for number, text in enumerate(documents)
    )
    found = bow.deduplicate([blob], min_length=10, keep="none").report
    windows = [blob[at : at + 10] for at in range(len(blob) - 9)]
    twice = [at for at, text in enumerate(windows) if windows.count(text) > 1]
    covered = {place for at in twice for place in range(at, at + 10)}
    spans = _spans(found)
    assert {place for _, start, stop in spans for place in range(start, stop)} == covered


def test_whole_rows() -> None:
    rows = ["one", "two", None, "one", "", "", "one"]
    clean = bow.deduplicate(rows, whole_rows=True, empty="null")
    assert clean.column.to_pylist() == ["one", "two", None, None, "", "", None]
    assert _spans(clean.report) == [(3, 0, 3), (6, 0, 3)]
    assert clean.report["copy_row"].to_pylist() == [0, 0]
    none = bow.deduplicate(rows, whole_rows=True, keep="none")
    assert none.column.to_pylist() == ["", "two", None, "", "", "", ""]
    assert none.report["copy_row"].to_pylist() == [3, 0, 0]
    assert bow.deduplicate(rows, whole_rows=True, min_count=4).report.num_rows == 0
    against = bow.deduplicate(rows, whole_rows=True, against=["two", "three"])
    assert against.column.to_pylist() == ["one", "", None, "one", "", "", "one"]


def test_columns_of_tokens_and_bytes() -> None:
    tokens = pa.array([[1, 2, 3, 4], [9, 2, 3, 4], None], pa.list_(pa.uint16()))
    clean = bow.deduplicate(tokens, min_length=3)
    assert clean.column.to_pylist() == [[1, 2, 3, 4], [9], None]
    assert clean.column.type == tokens.type
    table = pa.table({"a": [1, 2], "b": pa.array(["xyxyz", "xyz"]).dictionary_encode()})
    clean = bow.deduplicate(table, "b", min_length=3, empty="null")
    assert clean.column.to_pylist() == ["xyxyz", None]
    assert bow.deduplicate(pa.array([], pa.string())).column.to_pylist() == []
    assert bow.deduplicate([None, None]).column.to_pylist() == [None, None]
    chunked = pa.chunked_array([["abcd"], ["zabcd", "x"]])
    assert bow.deduplicate(chunked, min_length=4).column.to_pylist() == ["abcd", "z", "x"]


@pytest.mark.parametrize("memory", [None, 110 * 60])
def test_parquet_to_parquet(tmp_path: Path, memory: int | None) -> None:
    rows = ["a passage of text", None, "now a passage of text", "a passage of text", "end"]
    table = pa.table({"id": pa.array(range(5), pa.int8()), "text": rows, "x": list("abcde")})
    pq.write_table(table, tmp_path / "in.parquet", row_group_size=2)
    clean = bow.deduplicate(table, "text", min_length=8)
    report = deduplicate_parquet(
        tmp_path / "in.parquet", tmp_path / "out.parquet", "text", min_length=8, memory=memory
    )
    assert report.equals(clean.report)
    expected = table.set_column(1, "text", clean.column)
    assert pq.read_table(tmp_path / "out.parquet").equals(expected)
    deduplicate_parquet(
        tmp_path / "in.parquet", tmp_path / "out.parquet", "text", min_length=8, empty="drop"
    )
    assert pq.read_table(tmp_path / "out.parquet")["id"].to_pylist() == [0, 1, 2, 4]
    assert list(tmp_path.glob("*.partial")) == []


def test_parquet_of_one_large_row_group(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(sys.modules["bowstring.duplicates"], "BATCH", 100)
    random = Random(3)
    rows = ["".join(random.choices("abc", k=random.randrange(30))) for _ in range(200)]
    table = pa.table({"text": rows, "id": range(200)})
    pq.write_table(table, tmp_path / "in.parquet")
    clean = bow.deduplicate(table, "text", min_length=6)
    names = (tmp_path / "in.parquet", tmp_path / "out.parquet", "text")
    report = deduplicate_parquet(*names, min_length=6, memory=110 * 200)
    assert report.equals(clean.report)
    assert pq.read_table(tmp_path / "out.parquet").equals(table.set_column(0, "text", clean.column))
    assert pq.ParquetFile(tmp_path / "out.parquet").num_row_groups > 1
    pq.write_table(table.slice(0, 0), tmp_path / "in.parquet")
    assert deduplicate_parquet(*names).num_rows == 0
    assert pq.read_table(tmp_path / "out.parquet").num_rows == 0


def test_from_a_shell(tmp_path: Path, capsys: Any) -> None:
    rows = ["a passage of text", "now a passage of text", "a passage of text"]
    pq.write_table(pa.table({"text": rows}), tmp_path / "in.parquet")
    out, report = tmp_path / "out.parquet", tmp_path / "report.csv"
    call = ["deduplicate", str(tmp_path / "in.parquet"), "-o", str(out), "--min-length", "8"]
    assert main([*call, "--report", str(report), "--empty", "drop"]) == 0
    assert "34 symbols taken out of 2 rows" in capsys.readouterr().out
    assert pq.read_table(out)["text"].to_pylist() == ["a passage of text", "now "]
    assert report.read_text().splitlines()[1] == "1,4,21,0,0,1"
    out.unlink()
    assert main([*call, "--report", "report.txt"]) == 2
    assert not out.exists()
    pq.write_table(pa.table({"text": ["a passage", "a passage"]}), tmp_path / "other.parquet")
    call += ["--against", str(tmp_path / "other.parquet"), "--min-count"]
    assert main([*call, "3"]) == 0
    assert "0 symbols" in capsys.readouterr().out
    assert main([*call, "2"]) == 0
    assert pq.read_table(out)["text"].to_pylist() == [" of text", "now  of text", " of text"]


def test_what_cannot_be_asked() -> None:
    for options, message in (
        ({"min_length": 0}, "min_length is 0"),
        ({"min_count": 1}, "min_count is 1"),
        ({"keep": "last"}, "keep is 'last'"),
        ({"empty": "drop"}, "empty is 'drop'"),
        ({"passes": 0}, "passes is 0"),
        ({"min_count": 0, "against": ["a"]}, "min_count is 0: what occurs in against"),
    ):
        with pytest.raises(bow.InvalidInput, match=message):
            bow.deduplicate(["ab", "ab"], **options)  # type: ignore[arg-type]
    with pytest.raises(bow.UnsupportedType, match="against"):
        bow.deduplicate(["ab"], against=[[1, 2]])
    with pytest.raises(bow.OutOfBudget, match="row 0 has 1000 symbols"):
        bow.deduplicate(["a" * 1000, "b"], memory=2000)
    with pytest.raises(bow.UnsupportedType, match="double"):
        bow.duplicates(pa.array([1.5]))
    with pytest.raises(bow.UnsupportedType, match="against holds bytes and data text"):
        bow.duplicates(["ab"], against=[b"\xff"])
    with pytest.raises(bow.InvalidInput, match="against_column is 'x'"):
        bow.duplicates(["ab"], against=bow.index(["ab"]), against_column="x")
    with pytest.raises(bow.OutOfBudget, match="against does not fit at once"):
        bow.deduplicate(["ab"] * 50, against=["ab"] * 50, min_count=3, memory=110 * 14)
    assert bow.duplicates([b"abc"], min_length=2, against=["zabc"]).num_rows == 1
