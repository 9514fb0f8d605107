"""The command line, and what it prints."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bowstring as bow
from bowstring import demo, report
from bowstring.cli import main
from bowstring.columns import as_array
from oracles import infini_gram

ROWS = ["to be, or not to be", None, "to be\n\tcontinued", "not \x1b[31m red"]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("index") / "text.bow"
    bow.index(ROWS, path=path)
    return str(path)


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("index") / "tokens.bow"
    bow.index([[1, 2, 3, 2, 3], [2, 3], [7]], path=path)
    return str(path)


@pytest.fixture(scope="module")
def binary(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("index") / "binary.bow"
    bow.index([b"a\xffb", "é".encode()], path=path)
    return str(path)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def call(*arguments: object) -> tuple[int, str, str]:
        status = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return status, out, err

    return call


Run = Callable[..., tuple[int, str, str]]


def spawn(*arguments: object, **options: Any) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "bowstring", *map(str, arguments)],
        capture_output=True,
        check=False,
        timeout=120,
        **options,
    )


# Building


def test_build_append_compact_verify(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "one", "n": 1}\n{"text": null}\n')
    (tmp_path / "b.csv").write_text("text,n\ntwo,2\n")
    index = tmp_path / "x.bow"
    status, out, err = run(
        "index", tmp_path / "a.jsonl", tmp_path / "b.csv", "--column", "text", "-o", index
    )
    assert (status, err) == (0, "")
    assert out.startswith(f"{index} (string): 3 rows, 6 symbols, 1 segment, ")
    status, _, err = run("index", tmp_path / "b.csv", "--column", "text", "-o", index)
    assert status == 2 and str(index) in err
    assert run("append", index, tmp_path / "b.csv", "--column", "text", "--memory", "1GB")[0] == 0
    assert len(bow.open(index).info.segments) == 2
    assert run("compact", index)[0] == 0
    assert len(bow.open(index).info.segments) == 1
    assert bow.open(index).text(range(4)).to_pylist() == ["one", None, "two", "two"]
    status, out, _ = run("verify", index)
    assert status == 0 and "as they were written" in out
    assert run("index", tmp_path / "b.csv", "--column", "text", "-o", index, "--overwrite")[0] == 0
    assert len(bow.open(index)) == 1


def test_kinds(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("banana\nbandana\n")
    index, other = tmp_path / "a.bow", tmp_path / "b.bow"
    made = ("index", tmp_path / "a.txt", "-o", index, "--kind", "fm")
    status, _, err = run(*made, "--profile", "tiny")
    assert status == 2 and 'profile is "tiny"' in err
    assert run(*made, "--profile", "compact")[0] == 0
    assert bow.open(index).info.profile == "compact"
    status, out, _ = run("convert", index, "suffix", "-o", other)
    assert status == 0 and "2 rows" in out
    assert bow.open(other).info.kind == "suffix"
    assert run("convert", index, "fm", "-o", other)[0] == 2
    assert run("convert", index, "fm", "-o", other, "--overwrite")[0] == 0
    assert run("count", other, "an")[:2] == run("count", index, "an")[:2]


def test_whole_files(run: Run, tmp_path: Path) -> None:
    files = [tmp_path / "a.py", tmp_path / "b.py", tmp_path / "c.py"]
    for file, text in zip(files, ("one\r\ntwo\n", "", "é"), strict=True):
        file.write_bytes(text.encode())
    index = tmp_path / "x.bow"
    assert run("index", *files, "--whole-files", "-o", index)[0] == 0
    assert bow.open(index).text(range(3)).to_pylist() == ["one\r\ntwo\n", "", "é"]
    files[1].write_bytes(b"\xff")
    status, _, err = run("index", *files, "--whole-files", "-o", tmp_path / "y.bow")
    assert status == 2
    assert "b.py is not UTF-8" in err and len(err.splitlines()) == 1
    assert not (tmp_path / "y.bow").exists()
    status, _, err = run("index", *files, "--whole-files", "--column", "a", "-o", index)
    assert status == 2 and "leave --column out" in err


@pytest.mark.skipif(not Path("/dev/stdin").exists(), reason="no /dev/stdin")
def test_standard_input(tmp_path: Path) -> None:
    done = spawn("index", "-", "-o", tmp_path / "x.bow", input=b"one\ntwo\n")
    assert done.returncode == 0, done.stderr
    assert bow.open(tmp_path / "x.bow").text([0, 1]).to_pylist() == ["one", "two"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.txt"], "there is no file 'missing.txt'"),
        (["{folder}/a.csv"], "2 columns: set column to one of 'text', 'n'"),
        (["{folder}/a.csv", "--column", "txt"], "did you mean 'text'"),
        (["{folder}/a.csv", "--column", "text", "--memory", "x"], "memory is 'x'"),
        (["{folder}/bad.txt"], "bad.txt) is not UTF-8 text"),
    ],
)
def test_building_in_vain(run: Run, tmp_path: Path, arguments: list[str], message: str) -> None:
    (tmp_path / "a.csv").write_text("text,n\ntwo,2\n")
    (tmp_path / "bad.txt").write_bytes(b"\xff\n")
    arguments = [argument.format(folder=tmp_path) for argument in arguments]
    status, out, err = run("index", *arguments, "-o", tmp_path / "x.bow")
    assert (status, out) == (2, "")
    assert err.startswith("bowstring: ") and message in err
    assert len(err.splitlines()) == 1 and "Traceback" not in err


# Asking


def test_count(run: Run, path: str) -> None:
    assert run("count", path, "to be") == (0, "3\n", "")
    assert run("count", path, "nowhere") == (1, "0\n", "")
    assert run("count", path, "nowhere", "--format", "json") == (1, '{"count": 0}\n', "")
    assert run("count", path, "not", "nowhere") == (
        0,
        "query\ttext\tcount\n0\tnot\t2\n1\tnowhere\t0\n",
        "",
    )
    assert run("count", path, "--", "-x")[0] == 1


def test_queries_from_a_file(run: Run, path: str, tokens: str, tmp_path: Path) -> None:
    queries = tmp_path / "q.jsonl"
    queries.write_text('{"q": "to", "n": 1}\n{"q": null}\n{"q": "zzz"}\n')
    status, out, _ = run(
        "count", path, "--queries", queries, "--query-column", "q", "--format", "json"
    )
    assert status == 0
    assert [json.loads(line) for line in out.splitlines()] == [
        {"query": 0, "text": "to", "count": 3},
        {"query": 1, "text": None, "count": None},
        {"query": 2, "text": "zzz", "count": 0},
    ]
    lines = tmp_path / "q.txt"
    lines.write_text("[2, 3]\n[7]\n")
    status, out, _ = run("count", tokens, "--queries", lines, "--format", "csv")
    assert out == 'query,text,count\n0,"[2, 3]",3\n1,[7],1\n'
    status, out, _ = run("rows", tokens, "--queries", lines, "--format", "csv")
    assert out == "query,row,count\n0,0,2\n0,1,1\n1,2,1\n"
    status, _, err = run("count", path, "a", "--queries", lines)
    assert status == 2 and "leave one out" in err


def test_search_within(run: Run, path: str) -> None:
    status, out, _ = run("search-within", path, "to me", "-k", "1", "--format", "csv")
    assert status == 0
    assert out.splitlines()[:2] == ["row,start,stop,distance", "0,0,5,1"]
    assert run("search-within", path, "nothing there", "--mismatches", "1")[0] == 1
    assert run("search-within", path, "to", "--mismatches", "2")[0] == 2


def test_locate_rows_context_search(run: Run, path: str) -> None:
    assert run("locate", path, "to be", "--limit", "2") == (
        0,
        "row\tstart\tstop\n0\t0\t5\n0\t14\t19\n",
        "bowstring: 1 more; --limit 0 shows all\n",
    )
    assert run("locate", path, "to be", "--limit", "0")[1].count("\n") == 4
    assert run("rows", path, "to be") == (0, "row\tcount\n0\t2\n2\t1\n", "")
    assert run("rows", path, "to be", "--limit", "1") == (
        0,
        "row\tcount\n0\t2\n",
        "bowstring: some more; --limit 0 shows all\n",
    )
    assert run("context", path, "be\n", "--width", "3") == (
        0,
        "row\tstart\tleft\tmatch\tright\n2\t3\tto \tbe⏎\t→co\n",
        "",
    )
    assert run("search", path, "'to be' AND not") == (0, "row\tstart\tstop\n0\t10\t19\n", "")
    assert run("search", path, "'to be' AND continued", "--within", "5")[0] == 1
    for verb in ("locate", "rows", "context", "search"):
        status, out, err = run(verb, path, "nowhere")
        assert (status, err) == (1, "") and out.count("\n") == 1
        assert run(verb, path, "nowhere", "nowhere")[0] == 0


def test_more_than_a_screen(run: Run, tmp_path: Path) -> None:
    index = tmp_path / "x.bow"
    bow.index(["ab" * 30] * 30, path=index)
    for verb in ("locate", "context"):
        status, out, err = run(verb, index, "ab")
        assert (status, out.count("\n")) == (0, 21)
        assert err == "bowstring: 880 more; --limit 0 shows all\n"
        assert run(verb, index, "ab", "ba")[2].startswith("bowstring: 1,730 more")
    for verb in ("rows", "search"):
        status, out, err = run(verb, index, "ab")
        assert (status, out.count("\n"), err.split()[1]) == (0, 21, "some")
    for format in ("json", "csv"):
        assert run("locate", index, "ab", "--format", format)[1].count("\n") >= 900
        assert run("locate", index, "ab", "--format", format, "--limit", "7")[1].count("\n") in (
            7,
            8,
        )
    first = run("locate", index, "ab", "--limit", "5", "--seed", "1", "--format", "csv")
    assert first == run("locate", index, "ab", "--limit", "5", "--seed", "1", "--format", "csv")
    status, out, err = run("search", index, "ab AND ba", "--max-matches", "1000000")
    assert status == 0 and "weight" in out and "10 more" in err


def test_tokens(run: Run, tokens: str) -> None:
    assert run("count", tokens, "[2, 3]") == (0, "3\n", "")
    assert run("context", tokens, "[3, 2]", "--width", "1")[1].endswith("\t[2]\t[3, 2]\t[3]\n")
    assert run("search", tokens, "[[[1]], [[7], [3]]]")[1].startswith("row\tstart\tstop\n0\t")
    for query in ("2", "abc", "[2, ", '{"a": 1}'):
        status, _, err = run("count", tokens, query)
        assert status == 2 and "JSON list such as '[1, 2, 3]'" in err
    assert run("count", tokens, '["a"]')[0] == 2


def test_text(run: Run, path: str) -> None:
    assert run("text", path, 2, 1) == (0, "row\ttext\n2\tto be⏎→continued\n1\t\n", "")
    status, _, err = run("text", path, 99)
    assert status == 2 and "99" in err


def test_bytes(binary: str, run: Run, path: str) -> None:
    assert spawn("count", binary, b"\xff".decode("utf-8", "surrogateescape")).stdout == b"1\n"
    assert run("text", binary, 0, 1, "--format", "json")[1] == (
        '{"row": 0, "text": "a\\\\xffb"}\n{"row": 1, "text": "é"}\n'
    )
    assert run("text", binary, 0, "--format", "csv")[1] == "row,text\n0,a\\xffb\n"
    done = spawn("count", path, b"\xff".decode("utf-8", "surrogateescape"))
    assert done.returncode == 2
    assert b"UTF-8" in done.stderr and b"Traceback" not in done.stderr


def test_language_model(run: Run, path: str, tokens: str, tmp_path: Path) -> None:
    status, out, _ = run("lm", "prob", path, "zzto b", "e", "--format", "json")
    assert status == 0
    assert json.loads(out) == {"prob": 1.0, "count": 3, "prompt_count": 3, "suffix_length": 4}
    status, out, _ = run("lm", "prob", path, "zzto b", "e", "--exact", "--format", "json")
    assert (status, json.loads(out)) == (1, {"prob": None})
    status, out, _ = run("lm", "prob", tokens, "[2, 3]", "--end", "--format", "json")
    assert json.loads(out)["prob"] == 2 / 3
    status, out, _ = run("lm", "ntd", tokens, "[9, 3]", "--format", "json", "--limit", 1)
    assert status == 0
    row = {"token": None, "count": 2, "prob": 2 / 3, "suffix_length": 1}
    assert json.loads(out) == row
    (tmp_path / "held.txt").write_text("to be sure\n")
    status, out, _ = run("lm", "score", path, tmp_path / "held.txt")
    assert status == 0
    assert "predicted" in out and "suffix_length" in out
    status, out, _ = run("lm", "score", path, tmp_path / "held.txt", "--format", "json", "--end")
    assert len(out.splitlines()) == len("to be sure") + 1
    status, out, _ = run("lm", "generate", path, "or n", "--length", 2, "--temperature", 0)
    assert (status, out) == (0, "ot\n")
    status, _, err = run("lm", "prob", tokens, "[2]", "three")
    assert status == 2
    assert "TOKEN" in err
    assert run("lm")[0] == 2
    for arguments, message in (
        (("prob", path, "to"), "--end"),
        (("prob", path, "to", "b", "--end"), "--end"),
        (("prob", tokens, "[[2]]", "3"), "one list of tokens"),
        (("ntd", tokens, "2 3"), "PROMPT"),
        (("prob", tokens, "[null]", "3"), "whole numbers"),
        (("generate", tokens, "[1.5]"), "whole numbers"),
    ):
        status, _, err = run("lm", *arguments)
        assert status == 2
        assert message in err


def test_folders_of_infini_gram(run: Run, tmp_path: Path) -> None:
    infini_gram.write([[1, 2, 3], [2, 3, 2]], tmp_path, 2)
    assert run("count", tmp_path, "[2, 3]")[:2] == (0, "2\n")
    status, out, _ = run("lm", "prob", tmp_path, "[9, 2]", "3", "--format", "json")
    assert (status, json.loads(out)["suffix_length"]) == (0, 1)
    assert json.loads(run("info", tmp_path, "--format", "json")[1])["kind"] == "infini-gram"
    assert run("verify", tmp_path)[0] == 0
    (tmp_path / "table.0").write_bytes(bytes(7))
    assert run("verify", tmp_path)[0] == 2
    # It is not ours to change.
    assert run("compact", tmp_path)[0] == 2


def test_matches(run: Run, path: str) -> None:
    status, out, _ = run("matches", path, "want to be red", "--min-length", 4, "--format", "json")
    assert status == 0
    assert [json.loads(line)["match"] for line in out.splitlines()] == ["t to be", " red"]
    assert run("matches", path, "qqq")[0] == 1


def test_output_files(run: Run, path: str, tmp_path: Path) -> None:
    expected = bow.open(path).locate("to be")
    for name in ("a.parquet", "a.csv", "a.json", "a.jsonl", "a.txt"):
        assert run("locate", path, "to be", "--output", tmp_path / name) == (0, "", "")
    assert pq.read_table(tmp_path / "a.parquet").equals(expected)
    rows = [{"row": "0", "start": "0", "stop": "5"}]
    assert list(csv.DictReader((tmp_path / "a.csv").open()))[:1] == rows
    assert (tmp_path / "a.txt").read_text().startswith("row\tstart\tstop\n")
    lines = (tmp_path / "a.jsonl").read_text()
    assert lines == (tmp_path / "a.json").read_text()
    assert [json.loads(line) for line in lines.splitlines()] == expected.to_pylist()
    assert run("count", path, "to be", "--output", tmp_path / "n")[0] == 0
    assert (tmp_path / "n").read_text() == "3\n"
    status, _, err = run("count", path, "to be", "--output", tmp_path / "no" / "n")
    assert status == 2 and "No such file" in err


def test_parquet_through_a_pipe(path: str) -> None:
    done = spawn("context", path, "to be", "--format", "parquet")
    assert pq.read_table(io.BytesIO(done.stdout)).equals(bow.open(path).context("to be"))


def test_info(run: Run, path: str) -> None:
    status, out, _ = run("info", path)
    assert status == 0 and "rows       4\n" in out
    info = json.loads(run("info", path, "--format", "json")[1])
    assert info["rows"] == 4 and info["segments"][0]["rows"] == 4


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["unknown"],
        ["count"],
        ["count", "{path}"],
        ["count", "{path}", ""],
        ["count", "missing.bow", "a"],
        ["count", "/", "a"],
        ["locate", "{path}", "a", "--limit", "-1"],
        ["locate", "{path}", "a", "--limit", "x"],
        ["search", "{path}", "'open"],
        ["search", "{path}", "a AND b", "--max-matches", "5", "--limit", "2"],
        ["index", "a.txt"],
        ["count", "{path}", "a", "--format", "xml"],
        ["text", "{path}", "-1"],
    ],
    ids=" ".join,
)
def test_errors_are_short_and_exit_with_2(run: Run, path: str, arguments: list[str]) -> None:
    status, out, err = run(*(argument.format(path=path) for argument in arguments))
    assert (status, out) == (2, "")
    assert "bowstring" in err and "Traceback" not in err


def test_help(run: Run) -> None:
    status, out, _ = run("--help")
    assert status == 0 and "examples:" in out and "exit status" in out
    commands = "index count locate rows context search text info verify append compact demo"
    for command in commands.split():
        assert command in out
        status, help, _ = run(command, "--help")
        assert status == 0 and f"bowstring {command} " in help and "example:" in help
    assert run("--version") == (0, f"bowstring {bow.__version__}\n", "")


def test_ctrl_c(run: Run, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(bow.Index, "count", interrupted)
    assert run("count", path, "a") == (130, "", "")


@pytest.mark.skipif(os.name != "posix", reason="needs a POSIX shell")
def test_a_reader_that_goes_away(tmp_path: Path) -> None:
    bow.index(["a" * 100_000], path=tmp_path / "x.bow")
    command = f'{sys.executable} -m bowstring locate "{tmp_path}/x.bow" a --format csv; echo $? >&2'
    done = subprocess.run(
        ["sh", "-c", f"({command}) | head -n 1"], capture_output=True, check=False, timeout=120
    )
    assert done.stdout == b"row,start,stop\n"
    assert done.stderr == b"141\n"


# In a terminal


def in_terminal(*arguments: object) -> str:
    """Run with a terminal of 100 columns as standard output and error; give what it shows."""
    import pty  # POSIX alone has it

    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "bowstring", *map(str, arguments)],
        stdout=follower,
        stderr=follower,
        stdin=follower,
        env={**os.environ, "COLUMNS": "100", "TERM": "xterm-256color"},
    )
    os.close(follower)
    shown = b""
    while True:
        try:
            more = os.read(leader, 1 << 16)
        except OSError:  # Linux: the other end is closed
            break
        if not more:
            break
        shown += more
    process.wait(timeout=120)
    os.close(leader)
    return shown.decode()


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
def test_a_terminal(path: str, tmp_path: Path) -> None:
    shown = in_terminal("context", path, "be")
    assert "─" in shown and "\x1b[1;31mbe" in shown
    assert "⏎→continued" in shown
    shown = in_terminal("context", path, "not")
    assert "\x1b[31m red" not in shown and "␛[31m red" in shown
    assert "give --output" in in_terminal("count", path, "be", "--format", "parquet")
    (tmp_path / "a.txt").write_text("one\n")
    shown = in_terminal("index", tmp_path / "a.txt", "-o", tmp_path / "a.bow")
    assert "1 row, 3 symbols" in shown


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
def test_long_lines_keep_what_is_next_to_the_match(tmp_path: Path) -> None:
    bow.index(["left " * 40 + "NEEDLE" + " right" * 40], path=tmp_path / "a.bow")
    shown = in_terminal("context", tmp_path / "a.bow", "NEEDLE", "--width", "150")
    line = next(line for line in shown.splitlines() if "NEEDLE" in line)
    line = re.sub(r"\x1b\[[0-9;]*m", "", line)
    assert "left left" in line.partition("NEEDLE")[0]
    assert "right right" in line.partition("NEEDLE")[2]
    assert len(line) <= 100


# Reports


def test_progress(capsys: pytest.CaptureFixture[str]) -> None:
    seen = []
    with report.progress_callback(lambda *step: seen.append(step)) as callback:
        assert callback is not None
        callback("reading", 1, None)
    assert seen == [("reading", 1, None)]
    for nothing in (None, False):
        with report.progress_callback(nothing) as callback:
            assert callback is None
    with (
        pytest.raises(bow.UnsupportedType, match="progress is 'yes'"),
        report.progress_callback("yes"),
    ):
        pass
    with report.progress_callback(True) as callback:
        assert callback is not None
        callback("reading", 0, None)
        callback("reading", 1_500_000, 3_000_000)
        callback("sorting", 5, 4)
        callback("reading", 3_000_000, 3_000_000)
    out, err = capsys.readouterr()
    assert out == ""
    assert "reading" in err and "3 M / 3 M" in err and "sorting" in err


def test_a_bar_of_a_build_that_fails(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(bow.UnsupportedType):
        bow.index((value for value in ["a", 1]), progress=True)
    assert bow.index(["a"], progress=True).count("a") == 1
    assert "Traceback" not in capsys.readouterr().err


VALUES = st.none() | st.text() | st.binary() | st.lists(st.integers(0, 9), max_size=3)


@given(VALUES)
def test_what_is_visible_is_one_line(value: Any) -> None:
    shown = report.visible(value)
    assert len(shown.splitlines()) <= 1
    assert not set(shown) & {chr(code) for code in (*range(0x20), *range(0x7F, 0xA0))}


CELLS = st.tuples(st.none() | st.text(), st.none() | st.binary(), st.integers(0, 9))


@given(st.lists(CELLS))
def test_every_row_is_a_line(rows: list[tuple[str | None, bytes | None, int]]) -> None:
    types = (pa.string(), pa.binary(), pa.uint64())
    table = pa.table(
        [pa.array([row[at] for row in rows], type) for at, type in enumerate(types)],
        names=["text", "bytes", "number"],
    )
    out = io.StringIO()
    report.show_table(table, out)
    lines = out.getvalue().removesuffix("\n").split("\n")
    assert [line.count("\t") for line in lines] == [2] * (len(rows) + 1)

    file = io.BytesIO()
    report.write_table(table, "json", file)
    written = [json.loads(line) for line in file.getvalue().decode().split("\n")[:-1]]
    assert [row["text"] for row in written] == [row[0] for row in rows]

    file = io.BytesIO()
    report.write_table(table, "parquet", file)
    assert pq.read_table(file).equals(table)


@given(st.lists(CELLS))
def test_csv_comes_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str | None, bytes | None, int]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "written.csv"
    table = pa.table({"a,b": pa.array([row[0] for row in rows], "string"), "n": [1] * len(rows)})
    with path.open("wb") as file:
        report.write_table(table, "csv", file)
    assert as_array(path, "data", "a,b").to_pylist() == [row[0] for row in rows]


@pytest.mark.parametrize(
    ("number", "shown"),
    [(0, "0"), (999, "999"), (1000, "1 k"), (999_999, "1 M"), (1.5e9, "1.5 G"), (2e13, "20 T")],
)
def test_amounts(number: float, shown: str) -> None:
    assert report.amount(number) == shown


# The demo


def test_demo(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = tmp_path / "lib"
    (library / "site-packages").mkdir(parents=True)
    (library / "a.py").write_text("try:\n    import x\nexcept ImportError:\n    self.x = 'é'\n")
    (library / "b.py").write_text("import asyncio, subprocess\nexcept Exception as e: self.\n")
    (library / "latin.py").write_bytes(b"self. \xff")
    (library / "site-packages" / "c.py").write_text("self.")
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(library))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for _ in range(2):  # the second replaces the cache
        status, out, err = run("demo")
        assert (status, err) == (0, "")
        assert "2 files" in out and "the same count" in out and "ANOTHER" not in out
    index = bow.open(tmp_path / "cache" / "bowstring" / "demo.bow")
    assert len(index) == 2 and index.count("self.") == 2
    mine = tmp_path / "mine.bow"
    assert run("demo", "--path", mine)[0] == 0
    status, _, err = run("demo", "--path", mine)
    assert status == 2 and "mine.bow" in err
    (tmp_path / "none").mkdir()
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(tmp_path / "none"))
    assert "no Python source" in run("demo")[2]


@pytest.mark.parametrize(
    ("seconds", "shown"), [(2.5, "2.5 s"), (0.0123, "12.3 ms"), (4.2e-6, "4.2 µs")]
)
def test_durations(seconds: float, shown: str) -> None:
    assert demo._duration(seconds) == shown
