"""Boolean search: the parser, the tightest stretch, and the estimate."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bowstring as bow
from oracles import search as oracle
from oracles.search import And, Or, Tree

RunPython = Callable[..., str]

TEXTS = ["a", "b", "ab", "ba", "aa", "c", "é", "(", "'", '"', "\\", "a AND b", " ", "x y", "or"]
BARE = re.compile(r"[A-Za-z]+")


def trees() -> st.SearchStrategy[Tree]:
    """Combinations of texts, nested at will."""
    return st.recursive(
        st.sampled_from(TEXTS),
        lambda inner: st.builds(
            lambda make, two: make(tuple(two)),
            st.sampled_from([And, Or]),
            st.lists(inner, min_size=1, max_size=3),
        ),
        max_leaves=6,
    )


@st.composite
def written(draw: st.DrawFn, tree: Tree, inside: type | None = None) -> str:
    """The combination as a query string, with only the parentheses it needs, or more."""
    space = draw(st.sampled_from([" ", "  ", "\t", "\n"]))
    if isinstance(tree, And | Or):
        word = "AND" if isinstance(tree, And) else "OR"
        parts = [draw(written(part, type(tree))) for part in tree.parts]
        text = f"{space}{word}{space}".join(parts)
        needed = isinstance(tree, Or) and inside is And and len(parts) > 1
        return f"({text})" if needed or draw(st.booleans()) else text
    if BARE.fullmatch(tree) and draw(st.booleans()):
        text = tree
    else:
        quote = draw(st.sampled_from("'\""))
        escaped = tree.replace("\\", "\\\\").replace(quote, "\\" + quote)
        # A backslash takes any character as it is, not only those that need one.
        if draw(st.booleans()):
            escaped = escaped.replace("a", "\\a")
        text = f"{quote}{escaped}{quote}"
    return f"({text})" if draw(st.booleans()) and draw(st.booleans()) else text


def rows_of_texts() -> st.SearchStrategy[list[str | None]]:
    row = st.lists(st.sampled_from([*TEXTS, "-", "--------"]), max_size=8).map("".join)
    return st.lists(st.none() | row, max_size=8)


@given(rows_of_texts(), trees(), st.none() | st.integers(1, 20), st.data())
def test_strings_parse_and_answer_like_the_oracle(
    rows: list[str | None], tree: Tree, within: int | None, data: st.DataObject
) -> None:
    query = data.draw(written(tree))
    right = oracle.search(rows, tree, within)
    column = pa.array(rows, pa.string())
    for index in (bow.index(column), bow.index(column, segment_symbols=120)):
        assert index.search(query, within=within).to_pylist() == right, query
        many = index.search([query, query], within=within, limit=2)
        assert many.to_pylist() == [
            {"query": number} | found for number in (0, 1) for found in right[:2]
        ]


@given(rows_of_texts(), st.data())
def test_nested_lists_are_an_and_of_ors(rows: list[str | None], data: st.DataObject) -> None:
    clauses = data.draw(
        st.lists(st.lists(st.sampled_from(TEXTS), min_size=1, max_size=3), min_size=1, max_size=3)
    )
    within = data.draw(st.none() | st.integers(1, 20))
    tree = And(tuple(Or(tuple(clause)) for clause in clauses))
    right = oracle.search(rows, tree, within)
    strings = bow.index(pa.array(rows, pa.string()))
    assert strings.search(clauses, within=within).to_pylist() == right
    encoded = [[text.encode() for text in clause] for clause in clauses]
    assert strings.search(encoded, within=within).to_pylist() == right
    raw = bow.index(pa.array(rows, pa.string()).cast(pa.binary()))
    assert raw.search(encoded, within=within).to_pylist() == right
    tokens = bow.index(
        pa.array([None if r is None else list(r.encode()) for r in rows], pa.list_(pa.uint16()))
    )
    ids = [[list(text) for text in clause] for clause in encoded]
    assert tokens.search(ids, within=within).to_pylist() == right


def test_precedence_and_quotes() -> None:
    rows = ["a", "b", "c", "a b", "b c", "a c", "a AND b", "it's", 'say "a"', "back\\slash"]
    index = bow.index(rows)

    def found(query: str) -> list[int]:
        numbers: list[int] = index.search(query)["row"].to_pylist()
        return numbers

    def holding(*texts: str) -> set[int]:
        return {n for n, row in enumerate(rows) if all(text in row for text in texts)}

    assert found("a OR b AND c") == sorted(holding("a") | holding("b", "c"))
    assert found("b AND c OR a") == sorted(holding("a") | holding("b", "c"))
    assert found("(a OR b) AND c") == sorted(holding("a", "c") | holding("b", "c"))
    assert found("'a AND b'") == [6]
    assert found(r"'it\'s'") == found('"it\'s"') == [7]
    assert found(r'"say \"a\""') == found("'say \"a\"'") == [8]
    assert found(r"'back\\slash'") == [9]
    assert found("((((a))))") == sorted(holding("a"))
    assert found("'a'AND'b'") == sorted(holding("a", "b"))
    assert found("(a)OR(b)") == sorted(holding("a") | holding("b"))
    assert found("'AND'") == [6]


@pytest.mark.parametrize(
    "query",
    [
        "",
        " ",
        "(",
        ")",
        "()",
        "(a",
        "a)",
        "((a)",
        "(a))",
        "a AND",
        "AND a",
        "AND",
        "OR",
        "a OR",
        "OR a",
        "a AND AND b",
        "a AND OR b",
        "a OR OR b",
        "a b",
        "a 'b'",
        "'a' 'b'",
        "'a",
        "a'",
        '"a',
        "'a\\",
        "'a\\'",
        "''",
        '""',
        "a AND ''",
        "NOT a",
        "a AND NOT b",
        "a (b)",
        "(a) b",
        "(a)(b)",
        "(a AND) b",
        "a AND (OR b)",
    ],
)
def test_queries_that_do_not_parse(query: str) -> None:
    index = bow.index(["a b"])
    for ask in (query, [query]):
        with pytest.raises(bow.InvalidInput) as raised:
            index.search(ask)
        assert type(raised.value) is bow.InvalidInput
        assert len(str(raised.value).split()) > 3


def test_a_parse_error_shows_where() -> None:
    index = bow.index(["a"])
    messages = set()
    for before in ("", "a AND ", "a AND a AND "):
        with pytest.raises(bow.InvalidInput) as raised:
            index.search(before + ")")
        messages.add(str(raised.value).replace(before + ")", "..."))
    assert len(messages) == 3, "the place is in the message, not only the query"


def test_nulls_and_columns_of_searches() -> None:
    index = bow.index(["a b", "b", None])
    for column in (
        ["a AND b", None, "b"],
        pa.array(["a AND b", None, "b"], pa.string_view()),
        pa.chunked_array([["a AND b", None], ["b"]]),
    ):
        assert index.search(column).to_pylist() == [
            {"query": 0, "row": 0, "start": 0, "stop": 3},
            {"query": 2, "row": 0, "start": 2, "stop": 3},
            {"query": 2, "row": 1, "start": 0, "stop": 1},
        ]
    assert index.search(pa.array([], pa.string())).num_rows == 0


_DEEP = """
import bowstring as bow
index = bow.index(["a b", "b", "c"])
def refused(query):
    try:
        index.search(query)
    except bow.InvalidInput as error:
        assert len(str(error)) < 1000, "the message does not repeat the query"
        return True
    return False
n = 100_000
assert refused("(" * n)
assert refused("(" * n + "a")
assert refused("a AND (" * n)
assert refused(")" * n)
assert refused("'" + "a" * n)
deep = "(" * n + "a" + ")" * n
assert refused(deep) or index.search(deep)["row"].to_pylist() == [0]
deep = "(b AND " * n + "a" + ")" * n
assert refused(deep) or index.search(deep)["row"].to_pylist() == [0]
assert index.search(" OR ".join(["c", "a"] * 5_000))["row"].to_pylist() == [0, 2]
assert index.search(" AND ".join(["a", "b"] * 5_000))["row"].to_pylist() == [0]
# Multiplied out, either of these has 2 ** 40 terms.
wide = " AND ".join(["(a OR b)"] * 40)
assert refused(wide) or index.search(wide)["row"].to_pylist() == [0, 1]
wide = " OR ".join(["(a AND b)"] * 40)
assert refused(wide) or index.search(wide)["row"].to_pylist() == [0]
wide = " AND ".join(["(a OR (b AND (a OR b)))"] * 40)
assert refused(wide) or index.search(wide)["row"].to_pylist() == [0, 1]
print("well")
"""


def test_queries_of_any_depth_and_width_end(run_python: RunPython) -> None:
    assert run_python(_DEEP, timeout=60) == "well\n"


def test_the_stretch_is_the_tightest_and_the_leftmost() -> None:
    index = bow.index(["a--b-a---b", "ab--ab", "b-a a-b", "aXb aYb"])
    assert index.search("a AND b").to_pylist() == [
        {"row": 0, "start": 3, "stop": 6},
        {"row": 1, "start": 0, "stop": 2},
        {"row": 2, "start": 0, "stop": 3},
        {"row": 3, "start": 0, "stop": 3},
    ]
    assert index.search("a AND b", within=2)["row"].to_pylist() == [1]
    assert index.search("a AND b", within=3)["row"].to_pylist() == [0, 1, 2, 3]
    assert index.search("aX AND Xb", within=3)["row"].to_pylist() == [3]
    # Occurrences may share symbols, or be one and the same.
    assert index.search("ab AND a AND b")["stop"].to_pylist() == [2]


# A rare and a frequent text; rows in which they stand many times, rows that miss one of them,
# and frequent matches whose neighbours in suffix order all come from the same few rows.
def _estimated() -> tuple[list[str], Tree]:
    rows = [
        "x" * (1 + number % 7) + ("y" if number % 3 else "") + "z" * (number % 11)
        for number in range(400)
    ]
    rows += ["x" * 60 + "q"] * 5 + ["x" * 40 + "y"] * 5
    return rows, And(("x", "y"))


@pytest.mark.parametrize("within", [None, 4])
@pytest.mark.parametrize("max_matches", [5, 50, 200])
def test_the_estimate_is_unbiased(max_matches: int, within: int | None) -> None:
    rows, tree = _estimated()
    index = bow.index(rows, segment_symbols=900)
    exact = {tuple(found.values()) for found in oracle.search(rows, tree, within)}
    assert len(exact) > 100
    estimates = []
    for seed in range(400):
        table = index.search("x AND y", within=within, max_matches=max_matches, seed=seed)
        found = list(
            zip(*(table[name].to_pylist() for name in ("row", "start", "stop")), strict=True)
        )
        assert set(found) <= exact
        assert found == sorted(found)
        estimates.append(sum(table["weight"].to_pylist()))
        assert all(table["approximate"].to_pylist())
    spread = float(np.std(estimates, ddof=1))
    assert spread > 0, "the sample depends on the seed"
    assert abs(float(np.mean(estimates)) - len(exact)) < 4.5 * spread / math.sqrt(len(estimates))
    # About as wide as independent draws are: a run of neighbours would be far wider.
    matches = sum(row.count("y") for row in rows)
    assert matches > max_matches
    assert spread < 3 * len(exact) / math.sqrt(max_matches)


def test_the_estimate_of_rows_that_hold_a_text_many_times() -> None:
    """A row drawn through any of its occurrences must not count once for each."""
    rows = ["ab" * (1 + 40 * (number % 2)) for number in range(200)]
    index = bow.index(rows)
    estimates = [
        sum(index.search("a AND b", max_matches=100, seed=seed)["weight"].to_pylist())
        for seed in range(400)
    ]
    spread = float(np.std(estimates, ddof=1))
    assert abs(float(np.mean(estimates)) - 200) < 4.5 * spread / math.sqrt(len(estimates))


def test_few_matches_are_all_looked_at() -> None:
    rows, tree = _estimated()
    index = bow.index(rows, segment_symbols=900)
    exact = oracle.search(rows, tree)
    table = index.search("x AND y", max_matches=10**6, seed=3)
    assert not any(table["approximate"].to_pylist())
    assert set(table["weight"].to_pylist()) == {1.0}
    assert table.select(["row", "start", "stop"]).to_pylist() == exact


def test_the_estimate_does_not_depend_on_the_segments(tmp_path: Any) -> None:
    rows, _ = _estimated()
    queries = ["x AND y", "x", "(x OR y) AND z", "q OR y"]
    tables = []
    for number, most in enumerate((None, 5_000, 1_000, 200)):
        path = None if number % 2 else tmp_path / f"{number}.bow"
        index = bow.index(rows, path=path, segment_symbols=most)
        tables.append(
            [
                index.search(queries, max_matches=40, seed=seed, threads=threads).to_pylist()
                for seed, threads in itertools.product(range(5), (1, 2))
            ]
        )
    assert tables[0][0]
    assert tables[0][0::2] == tables[0][1::2], "nor on the threads"
    assert all(table == tables[0] for table in tables)


def test_a_rare_text_beside_a_frequent_one() -> None:
    """Whichever clause leads, and however the others are looked for, the rows are the same."""
    rows = ["x" * 50 + ("rare" if number % 97 == 0 else "") for number in range(1000)]
    index = bow.index(rows)
    right = [number for number in range(1000) if number % 97 == 0]
    for query in ("x AND rare", "rare AND x", "(x OR rare) AND rare", "rare AND (x OR none)"):
        assert index.search(query)["row"].to_pylist() == right, query
        table = index.search(query, max_matches=100)
        assert len(table) == 0 or set(table["row"].to_pylist()) <= set(range(1000))
    assert index.search("x AND none").num_rows == 0
    assert index.search("rare OR none")["row"].to_pylist() == right
