"""`bowstring counts`, `rank`, `lexicon`, `ngram-model` and `vectors`: files in, tables out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import bowstring as bow
from bowstring.cli import main

TEXT = ["a red apple", "red apple pie", "blue sky", "Blue sea", "the sea and the sky", "apple"]


def printed(capsys: pytest.CaptureFixture[str], *arguments: Any) -> list[Any]:
    assert main([*map(str, arguments), "--format", "json"]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"text": TEXT, "number": range(len(TEXT))}), path)
    return path


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    path = tmp_path / "rows.txt"
    path.write_text("\n".join(TEXT) + "\n")
    return path


def test_counts(file: Path, lines: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = printed(capsys, "counts", "top", file, "--column", "text", "-n", 2, "-k", 3)
    assert found == bow.counts.top_ngrams(TEXT, 2, 3).to_pylist()
    found = printed(capsys, "counts", "top", lines, "-n", 3, "-k", 1, "--analyzer", "char")
    assert found == bow.counts.top_ngrams(TEXT, 3, 1, analyzer="char").to_pylist()
    counter = bow.counts.NGramCounter(ngram_range=(1, 2), min_df=2, max_df=0.5, stop_words=["sea"])
    stop = lines.with_name("stop.txt")
    stop.write_text("sea\n")
    options = ("--ngrams", 1, 2, "--min-df", 2, "--max-df", 0.5, "--stop-words", stop)
    assert printed(capsys, "counts", "terms", lines, *options) == (
        counter.frequencies(TEXT).to_pylist()
    )
    rows = counter.set_output(transform="arrow").fit_transform(TEXT).to_pylist()
    assert printed(capsys, "counts", "rows", lines, *options, "--threads", 2) == rows
    assert printed(capsys, "counts", "rows", lines, *options, "--limit", 2) == rows[:2]
    found = printed(capsys, "counts", "terms", lines, "--keep-case", "--token-pattern", r"\w+")
    assert {"term": "Blue", "count": 1, "rows": 1} in found


def test_rank(file: Path, lines: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved = tmp_path / "rows.bm25"
    build = ["rank", "build", str(file), "--column", "text", "-o", str(saved), "--method", "atire"]
    assert main([*build, "--k1", "1.2", "-b", "0.5"]) == 0
    assert "6 rows" in capsys.readouterr().out
    ranking = bow.rank.BM25(TEXT, method="atire", k1=1.2, b=0.5)
    found = printed(capsys, "rank", "search", saved, "red apple", "sky", "-k", 2)
    assert found == ranking.search(["red apple", "sky"], 2).to_pylist()
    found = printed(capsys, "rank", "search", saved, "--queries", lines, "--feedback", "rm3")
    expected = ranking.search(TEXT, feedback=bow.rank.Feedback("rm3")).to_pylist()
    assert found == expected
    assert main(["rank", "search", str(saved), "nothing"]) == 1
    assert main(["rank", "search", str(saved)]) == 2
    saved.write_bytes(saved.read_bytes()[:-1])
    capsys.readouterr()
    assert main(["rank", "search", str(saved), "red"]) == 2
    assert capsys.readouterr().err.startswith("bowstring: ")


def test_lexicon(lines: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--score", "npmi", "--min-count", 2, "--max-length", 2)
    lexicon = bow.lexicon.Lexicon(TEXT, score="npmi", min_count=2, max_length=2)
    found = printed(capsys, "lexicon", "phrases", lines, *options)
    assert found == lexicon.table().to_pylist()
    found = printed(capsys, "lexicon", "join", lines, *options, "--delimiter", "+")
    assert [row["text"] for row in found] == lexicon.join(TEXT, delimiter="+").to_pylist()
    assert "red+apple" in found[0]["text"]


def test_ngram_models(lines: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arpa = tmp_path / "rows.arpa"
    estimate = ["ngram-model", "estimate", str(lines), "-o", str(arpa), "--order", "3"]
    assert main([*estimate, "--lowercase"]) == 0
    capsys.readouterr()
    model = bow.counts.KneserNey(TEXT, order=3, lowercase=True)
    found = printed(capsys, "ngram-model", "score", arpa, lines, "--lowercase")
    assert found == model.score(TEXT).to_pylist()
    [row] = printed(capsys, "ngram-model", "perplexity", arpa, lines, "--lowercase")
    assert row["perplexity"] == model.perplexity(TEXT)


def test_vectors(lines: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = printed(capsys, "vectors", "cooccurrence", lines, "--weight", "harmonic")
    assert found == bow.vectors.Cooccurrence(TEXT, weight="harmonic").table().to_pylist()
    saved = tmp_path / "rows.arrow"
    assert main(["vectors", "cipher", str(lines), "-o", str(saved), "--bits", "5"]) == 0
    capsys.readouterr()
    found = printed(capsys, "vectors", "nearest", saved, "apple", "-k", 2)
    assert found == bow.vectors.BitCipher(TEXT, bits=5).nearest("apple", 2).to_pylist()


def test_errors_are_told(lines: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (
        ["counts", "top", "no/such.txt"],
        ["counts", "top", str(lines), "-n", "0"],
        ["counts", "terms", str(lines), "--min-df", "x"],
        ["lexicon", "phrases", str(lines), "--max-length", "1"],
        ["ngram-model", "estimate", str(lines), "-o", "x.arpa", "--order", "1"],
        ["ngram-model", "score", str(lines), str(lines)],
        ["vectors", "cipher", str(lines), "-o", "x.arrow", "--bits", "64"],
    ):
        assert main(arguments) == 2, arguments
        assert "bowstring" in capsys.readouterr().err
