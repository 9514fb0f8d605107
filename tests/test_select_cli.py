"""The commands `bowstring select` and `bowstring tokens`."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import bowstring as bow
from bowstring.cli import main

ROWS = ["the sum of two primes", "buy cheap watches", None, "every even number is a sum"]
TARGET = ["two primes", "an even sum"]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, list[Any], str]]:
    def call(*arguments: object) -> tuple[int, list[Any], str]:
        status = main([str(argument) for argument in (*arguments, "--format", "json")])
        out, err = capsys.readouterr()
        return status, [json.loads(line) for line in out.splitlines()], err

    return call


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    pq.write_table(pa.table({"id": [1, 2, 3, 4], "text": ROWS}), tmp_path / "pool.parquet")
    (tmp_path / "task.txt").write_text("\n".join(TARGET) + "\n")
    return tmp_path / "pool.parquet", tmp_path / "task.txt"


@pytest.mark.parametrize(
    ("method", "flags", "options"),
    [
        ("align", ["--level", "6", "--concatenate"], {"level": 6, "concatenate": True}),
        ("align", ["--compressor", "lz4"], {"compressor": "lz4"}),
        ("resample", ["--seed", "3", "--hash", "sha256"], {"seed": 3, "hash": "sha256"}),
        ("resample", ["--top", "--min-length", "4"], {"draw": False, "min_length": 4}),
        ("cover", ["--binary"], {"binary": True}),
        ("cover", ["--by", "rows"], {"by": "rows"}),
    ],
)
def test_the_command_gives_what_the_call_does(
    run: Any, files: Any, method: str, flags: Any, options: Any
) -> None:
    pool, task = files
    expected = getattr(bow.select, method)(ROWS, TARGET, 2, **options).to_pylist()
    asked = ("select", method, pool, "--column", "text", "--target", task, "-k", 2, *flags)
    assert run(*asked) == (0, expected, "")
    with_text = [row | {"text": ROWS[row["row"]]} for row in expected]
    assert run(*asked, "--text") == (0, with_text, "")


def test_select_says_what_is_wrong(run: Any, files: Any) -> None:
    pool, task = files
    asked = ("select", "align", pool, "--column", "text", "--target", task)
    for flags, said in ((["--level", 0], "level is 0"), (["-k", 9], "k is 9")):
        status, out, err = run(*asked, *flags)
        assert (status, out) == (2, [])
        assert said in err


def test_tokens_are_split_and_merged(run: Any, tmp_path: Path) -> None:
    vocabulary = [b"a", b"b", b"ab", b"abab"]
    ranks = tmp_path / "ranks.tiktoken"
    ranks.write_text(
        "".join(f"{base64.b64encode(one).decode()} {at}\n" for at, one in enumerate(vocabulary))
    )
    rows = [[3, 2, 0], None, [3] * 9]
    pq.write_table(pa.table({"ids": rows}), tmp_path / "ids.parquet")
    (tmp_path / "ids.txt").write_text("[3, 2, 0]\n")
    asked = ("--vocabulary", ranks, "--column", "ids")
    split = bow.tokens.stochastic_split(rows, vocabulary, 0.5, 4).to_pylist()
    options = ("--proportion", "0.5", "--seed", "4")
    status, out, _ = run("tokens", "split", tmp_path / "ids.parquet", *asked, *options)
    assert (status, [line["tokens"] for line in out]) == (0, split)
    status, out, _ = run("tokens", "merge", tmp_path / "ids.parquet", *asked)
    assert [line["text"] for line in out] == ["abababa", None, "abab" * 9]
    status, out, _ = run("tokens", "merge", tmp_path / "ids.txt", "--vocabulary", ranks)
    assert [line["text"] for line in out] == ["abababa"]
