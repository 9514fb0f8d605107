"""`bowstring select`: files in, tables out, errors told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import bowstring as bow
from bowstring.cli import main

TEXT = ["a red apple", "red apple pie", "blue sky", "blue sea", "the sea and the sky", "apple"]


def printed(capsys: pytest.CaptureFixture[str], *arguments: Any) -> list[Any]:
    assert main(["select", *map(str, arguments), "--format", "json"]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "rows.parquet"
    vectors = [[float(len(text)), float(at)] for at, text in enumerate(TEXT)]
    costs = [len(text) for text in TEXT]
    pq.write_table(pa.table({"text": TEXT, "vector": vectors, "cost": costs}), path)
    return path


@pytest.mark.parametrize(
    "name", ["facility-location", "graph-cut", "feature-based", "max-coverage"]
)
def test_a_subset(name: str, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    function = getattr(bow.select, name.replace("-", "_"))
    found = printed(capsys, name, file, "--column", "text", "-k", 3)
    expected = function(TEXT, 3).to_pylist()
    assert found == [row | {"text": TEXT[row["row"]]} for row in expected]
    vectors = pq.read_table(file)["vector"]
    found = printed(capsys, name, file, "--column", "vector", "-k", 3, "--threads", 2)
    assert found == function(vectors, 3).to_pylist()
    found = printed(
        capsys, name, file, "--column", "text", "--costs", "cost", "--budget", 20, "--seed", 1
    )
    expected = function(TEXT, costs=list(map(len, TEXT)), budget=20)["row"].to_pylist()
    assert [row["row"] for row in found] == expected


def test_from_lines_to_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines, out = tmp_path / "rows.txt", tmp_path / "out.parquet"
    lines.write_text("\n".join(TEXT) + "\n")
    asked = ["select", "facility-location", str(lines), "-k", "2", "--neighbours", "3"]
    assert main([*asked, "--method", "stochastic", "--output", str(out)]) == 0
    found = pq.read_table(out)
    expected = bow.select.facility_location(TEXT, 2, neighbours=3, method="stochastic")
    assert found["row"].to_pylist() == expected["row"].to_pylist()
    assert main(asked) == 0
    assert capsys.readouterr().out.startswith("row\tgain\trank\ttext\n")


def test_importance(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = {
        "query": [0, 0, 1, 1],
        "source": ["a", "b", "a", "c"],
        "site": ["x", "y", "x", "y"],
        "utility": [0.0, 1.0, 0.0, 1.0],
    }
    table = pa.table(rows)
    parquet, lines, comma = (tmp_path / f"rows.{end}" for end in ("parquet", "jsonl", "csv"))
    pq.write_table(table, parquet)
    lines.write_text("".join(json.dumps(row) + "\n" for row in table.to_pylist()))
    comma.write_text(
        "query,source,site,utility\n"
        + "".join(",".join(map(str, row.values())) + "\n" for row in table.to_pylist())
    )
    expected = bow.select.importance(rows, k=1, steps=3, learning_rate=0.5)
    options = ["-k", 1, "--steps", 3, "--learning-rate", 0.5]
    for file in (parquet, lines, comma):
        assert printed(capsys, "importance", file, *options) == expected.table.to_pylist()
    grouped = bow.select.importance(rows, k=1, steps=3, learning_rate=0.5, groups="site")
    found = printed(capsys, "importance", parquet, *options, "--groups", "site")
    assert found == grouped.table.to_pylist()
    assert [
        row["source"] for row in printed(capsys, "importance", parquet, *options, "--drop")
    ] == ["a"]
    assert main(["select", "importance", str(parquet), *map(str, options), "--drop"]) == 0
    assert "utility 0 with all, 1 without these" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["facility-location", "FILE", "--column", "text", "-k", "7"], "k is 7"),
        (["facility-location", "FILE", "--column", "text"], "k is None"),
        (["facility-location", "FILE", "-k", "1"], "set column to one of"),
        (["max-coverage", "FILE", "--column", "text", "--budget", "1"], "belong together"),
        (
            ["max-coverage", "FILE", "--column", "text", "--budget", "1", "--costs", "price"],
            "--costs is 'price'",
        ),
        (["importance", "FILE"], "no column 'source'"),
        (["importance", "rows.xml"], "by its name"),
        (["importance", "nowhere.csv"], "No such file"),
    ],
)
def test_errors_are_told(
    arguments: list[str], message: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["select", *(str(file) if one == "FILE" else one for one in arguments)]) == 2
    assert message in capsys.readouterr().err
