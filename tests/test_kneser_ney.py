"""Kneser-Ney models against the formulas, their ARPA files, and their scores."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bowstring as bow
from bowstring.counts import KneserNey
from oracles.kneser_ney import Model

ROWS = st.lists(
    st.lists(st.sampled_from(["a", "b", "c", "d", "e", "f"]), max_size=9), min_size=1, max_size=9
)


def read(path: Path) -> tuple[dict[Any, float], dict[Any, float]]:
    """The probabilities and back-offs of an ARPA file."""
    log10, backoff = {}, {}
    for line in path.read_text().splitlines():
        parts = line.split("\t")
        if len(parts) > 1:
            gram = tuple(parts[1].split(" "))
            log10[gram] = float(parts[0])
            if len(parts) > 2:
                backoff[gram] = float(parts[2])
    return log10, backoff


def check(rows: list[list[str]], order: int, path: Path) -> None:
    expected = Model(rows, order)
    model = KneserNey([" ".join(row) for row in rows], order=order, threads=2)
    model.write_arpa(path)
    log10, backoff = read(path)
    assert log10.pop(("<s>",)) == 0
    assert log10.keys() == expected.log10.keys()
    for gram, value in expected.log10.items():
        assert math.isclose(log10[gram], value, abs_tol=1e-6), gram
    for gram, value in expected.backoff.items():
        assert math.isclose(backoff[gram], value, abs_tol=1e-6), gram
    assert all(value == 0 for gram, value in backoff.items() if gram not in expected.backoff)
    assert [d.fallback for d in model.discounts] == expected.fallback
    for found, wanted in zip(model.discounts, expected.discounts, strict=True):
        assert [found.one, found.two, found.more] == pytest.approx(wanted)
    asked = [*rows, ["z", "a", "b"], []]
    again = KneserNey.read_arpa(path)
    assert again.ngrams == model.ngrams
    for one in (model, again):
        scores = one.score([" ".join(row) for row in asked] + [None])
        assert scores["log10"][-1].as_py() is None
        for row, score in zip(asked, scores["log10"].to_pylist(), strict=False):
            assert math.isclose(score, expected.score(row), abs_tol=1e-5)
        assert scores["tokens"].to_pylist()[:-1] == [len(row) + 1 for row in asked]
        assert scores["unknown"].to_pylist()[-3] >= 1


def test_models_agree_with_the_formulas(new_path: Callable[[], Path]) -> None:
    @settings(max_examples=60)
    @given(ROWS, st.integers(2, 5))
    def small(rows: list[list[str]], order: int) -> None:
        check(rows, order, new_path())

    small()
    # Enough of it that counts of counts give discounts.
    chance = random.Random(3)
    words = [f"w{n}" for n in range(60)]
    weights = [1 / (n + 1) for n in range(60)]
    rows = [chance.choices(words, weights, k=chance.randrange(12)) for _ in range(400)]
    check(rows, 3, new_path())
    assert not all(Model(rows, 3).fallback)


def test_scores_are_those_of_a_table_of_probabilities() -> None:
    model = KneserNey(["a b a", "b a"], order=2)
    alone = model.score(["a", "b", "x"], start=False, stop=False)["log10"].to_pylist()
    following = model.score(["a a", "a b", "a x"], start=False, stop=False)["log10"].to_pylist()
    stopped = model.score(["a"], start=False)["log10"][0].as_py()
    total = sum(10 ** (value - alone[0]) for value in following) + 10 ** (stopped - alone[0])
    assert math.isclose(total, 1, abs_tol=1e-6)
    assert math.isnan(model.perplexity([None]))
    tokens = KneserNey([[1, 2, 3], [1, 2]], order=2, analyzer="token")
    assert tokens.score([[1, 2]])["unknown"].to_pylist() == [0]


def test_models_of_tokens_and_of_patterns_are_kept(tmp_path: Path) -> None:
    rows = [[1, 2, 10, 32], [10, 2, 1], None, []]
    model = KneserNey(rows, order=3, analyzer="token")
    path = tmp_path / "tokens.arpa"
    model.write_arpa(path)
    assert "\t10 32" in path.read_text()
    again = KneserNey.read_arpa(path, analyzer="token")
    asked = [*rows, [2, 10, 7]]
    scores = again.score(asked)
    assert scores.equals(model.score(asked))
    assert scores["unknown"].to_pylist() == [0, 0, None, 0, 1]
    lines = KneserNey.read_arpa(path).score(["1 2 10 32", "10 2 1", None, "", "2 10 7"])
    assert lines.equals(scores)
    # Tokens of the user's own pattern; white space in them is nothing that ARPA can hold.
    commas = KneserNey(["a b,c", "c,a b", None], order=2, analyzer="word", token_pattern="[^,]+")
    assert commas.score(["c,a b", None])["unknown"].to_pylist() == [0, None]
    with pytest.raises(bow.InvalidInput, match='token "a b"'):
        commas.write_arpa(tmp_path / "never.arpa")
    assert not (tmp_path / "never.arpa").exists()
    with pytest.raises(bow.UnsupportedType, match="the model is of tokens"):
        model.score(["a"])
    with pytest.raises(bow.UnsupportedType, match="the model is of text"):
        KneserNey(["a b"], order=2).score([[1]])
    with pytest.raises(bow.InvalidInput, match="row 1 is not UTF-8"):
        KneserNey(["a b"], order=2).score([b"a", b"\xff"])


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_scores_do_not_depend_on_threads(threads: int) -> None:
    chance = random.Random(5)
    rows = [" ".join(chance.choices("abcdefgh", k=chance.randrange(30))) for _ in range(900)]
    column = pa.chunked_array([rows[:1], rows[1:500], [None], rows[500:]])
    expected = KneserNey(column, order=4, threads=1).score(column)
    assert KneserNey(column, order=4, threads=threads).score(column).equals(expected)


def test_what_cannot_be_asked(tmp_path: Path) -> None:
    with pytest.raises(bow.InvalidInput, match="order is 1"):
        KneserNey(["a"], order=1)
    with pytest.raises(bow.InvalidInput, match="order is 17"):
        KneserNey(["a"], order=17)
    with pytest.raises(bow.InvalidInput, match="no rows"):
        KneserNey([None], order=2)
    with pytest.raises(bow.InvalidInput, match="<s>"):
        KneserNey(["a <s> b"], order=2)
    with pytest.raises(bow.InvalidInput, match="analyzer is 'char'"):
        KneserNey(["a"], analyzer="char")  # type: ignore[arg-type]
    good = tmp_path / "good.arpa"
    KneserNey(["a b", "b"], order=2).write_arpa(good)
    text = good.read_text()
    for number, broken in enumerate(
        (
            "",
            text.replace("\\end\\", ""),
            text.replace("ngram 2=", "ngram 2=9"),
            text.replace("\\2-grams:", "\\3-grams:"),
            text.replace("\ta b", "\ta q"),
            text.replace("-", "x", 1),
            text.replace("\\data\\", "\\nothing\\"),
        )
    ):
        path = tmp_path / f"{number}.arpa"
        path.write_text(broken)
        with pytest.raises(bow.InvalidInput, match="the model"):
            KneserNey.read_arpa(path)
