"""Names that mean the same: links against their definitions, tables of every library, the truth."""

from __future__ import annotations

import math
from collections import defaultdict
from random import Random
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import bowstring as bow
import bowstring.polars  # registers .bow
from bowstring import link
from bowstring.frames import normalised

NAMES = st.lists(st.none() | st.text(" abCé.-", max_size=12), max_size=12)

COMPANIES = [
    "Xilinx Corporation",
    "Intel Corporation",
    "Realtek Semiconductor Corp.",
    "Raster Ops Corp.",
    "MAI Logic Incorporated",
    None,
    "",
    "Société Générale",
    "Unheard Of Limited",
]
ORGANISATIONS = [
    "RASTEROPS CORPORATION",
    "XILINX, Inc.",
    "Realtek Semiconducter Corporation",
    "societe generale s.a.",
    "MAI LOGIC INC",
    None,
    "Intel",
    "Another Corporation",
    "Something Else",
]
SAME = {0: 1, 1: 6, 2: 2, 3: 0, 4: 4, 7: 3}


def _pairs(table: pa.Table) -> dict[int, int]:
    return dict(zip(table["left"].to_pylist(), table["right"].to_pylist(), strict=True))


def test_what_means_the_same() -> None:
    found = link.link(COMPANIES, ORGANISATIONS, threshold=0.3)
    assert _pairs(found.matches) == SAME
    assert found.matches.schema.names == ["left", "right", "score", "margin", "rank"]
    assert [str(t) for t in found.matches.schema.types] == [
        "uint64", "uint64", "double", "double", "uint64",
    ]  # fmt: skip
    one = link.link(COMPANIES, ORGANISATIONS, threshold=0.3, relation="one_to_one")
    assert _pairs(one.matches) == SAME


def _grams(name: str) -> dict[str, float]:
    found: dict[str, float] = defaultdict(float)
    for word in name.split():
        padded = f" {word} "
        for at in range(len(padded) - 2):
            found[padded[at : at + 3]] += 1
    return found


def _osa(a: str, b: str) -> int:
    table = {(i, -1): i + 1 for i in range(-1, len(a))} | {
        (-1, j): j + 1 for j in range(-1, len(b))
    }
    for i in range(len(a)):
        for j in range(len(b)):
            table[i, j] = min(
                table[i - 1, j] + 1,
                table[i, j - 1] + 1,
                table[i - 1, j - 1] + (a[i] != b[j]),
            )
            if i and j and a[i] == b[j - 1] and a[i - 1] == b[j]:
                table[i, j] = min(table[i, j], table[i - 2, j - 2] + 1)
    return table[len(a) - 1, len(b) - 1]


class Oracle:
    """The score by its definition, all pairs."""

    def __init__(self, left: list[str | None], right: list[str | None]) -> None:
        self.names = list(dict.fromkeys(name for name in [*left, *right] if name))
        holders: dict[str, int] = defaultdict(int)
        words: dict[str, int] = defaultdict(int)
        for name in self.names:
            for gram in _grams(name):
                holders[gram] += 1
            for word in set(name.split()):
                words[word] += 1
        self.gram = {g: self._rarity(n) for g, n in holders.items()}
        self.word = {w: self._rarity(n) for w, n in words.items()}

    def _rarity(self, count: int) -> float:
        return math.log((1 + len(self.names)) / (1 + count)) + 1

    def cosine(self, a: str, b: str) -> float:
        x = {g: n * self.gram[g] for g, n in _grams(a).items()}
        y = {g: n * self.gram[g] for g, n in _grams(b).items()}
        dot = sum(v * y.get(g, 0) for g, v in x.items())
        return dot / math.sqrt(sum(v * v for v in x.values()) * sum(v * v for v in y.values()))

    def alike(self, a: str, b: str) -> float:
        if a == b:
            return 1.0
        longer, shorter = max(len(a), len(b)), min(len(a), len(b))
        edits = _osa(a, b)
        found = 1 - edits / longer if edits <= math.floor(0.35 * longer) else 0.0
        short, long = sorted((a, b), key=len)
        if shorter >= 3 and long.startswith(short):
            found = max(found, 0.8)
        return found

    def score(self, a: str, b: str) -> float:
        if a == b:
            return 1.0
        x, y = a.split(), b.split()
        pieces = []
        for i in range(len(x)):
            for j in range(len(y)):
                alike = self.alike(x[i], y[j])
                if alike > 0:
                    weight = self.word[x[i]] * self.word[y[j]]
                    pieces.append((alike**1.5, weight, (i, i + 1), (j, j + 1)))
                if i and x[i - 1] + x[i] == y[j]:
                    pieces.append((1.0, self.word[y[j]] ** 2, (i - 1, i + 1), (j, j + 1)))
                if j and y[j - 1] + y[j] == x[i]:
                    pieces.append((1.0, self.word[x[i]] ** 2, (i, i + 1), (j - 1, j + 1)))

        def order(piece: Any) -> Any:
            alike, weight, (i, i_end), (j, j_end) = piece
            return (-alike, -weight, i + j, abs(i - j), i_end + j_end)

        pieces.sort(key=order)
        left = [self.word[w] ** 2 for w in x]
        right = [self.word[w] ** 2 for w in y]
        free_x, free_y = set(range(len(x))), set(range(len(y)))
        kept = []
        for alike, _, (i, i_end), (j, j_end) in pieces:
            if not (set(range(i, i_end)) <= free_x and set(range(j, j_end)) <= free_y):
                continue
            free_x -= set(range(i, i_end))
            free_y -= set(range(j, j_end))
            if i_end - i == 2:
                left[i], left[i + 1] = right[j], 0.0
            elif j_end - j == 2:
                right[j], right[j + 1] = left[i], 0.0
            kept.append((alike, i, j))
        whole = math.sqrt(sum(left) * sum(right))
        words = sum(alike * math.sqrt(left[i] * right[j]) for alike, i, j in kept) / whole
        return min(1.0, 0.75 * words + 0.25 * self.cosine(a, b))


@settings(max_examples=60)
@given(NAMES, NAMES)
def test_scores_agree_with_the_definition(left: list[str | None], right: list[str | None]) -> None:
    found = link.link(
        pa.array(left, pa.string()),
        pa.array(right, pa.string()),
        relation="many",
        threshold=0,
        min_cosine=0,
        candidates=100,
    )
    a, b = (normalised(pa.array(side, pa.string())).to_pylist() for side in (left, right))
    oracle = Oracle(a, b)
    expected = {
        (i, j): oracle.score(x, y)
        for i, x in enumerate(a)
        for j, y in enumerate(b)
        if x and y and oracle.cosine(x, y) > 0
    }
    got = {
        (i, j): score
        for i, j, score in zip(
            *(found.matches[c].to_pylist() for c in ("left", "right", "score")), strict=True
        )
    }
    assert got == pytest.approx(expected, abs=1e-5)


@settings(max_examples=30)
@given(NAMES, NAMES, st.sampled_from(["best", "one_to_one", "many"]))
def test_any_names_link(left: list[Any], right: list[Any], relation: Any) -> None:
    left, right = pa.array(left, pa.string()), pa.array(right, pa.string())
    found = link.link(left, right, relation=relation, threshold=0.1)
    back = link.link(right, left, relation=relation, threshold=0.1)
    pairs = list(zip(*(found.matches[c].to_pylist() for c in ("left", "right")), strict=True))
    for i, j in pairs:
        assert left[i].is_valid and right[j].is_valid
        assert found.explain(i, j).score >= 0.1
    if relation == "many":
        others = zip(*(back.matches[c].to_pylist() for c in ("right", "left")), strict=True)
        assert sorted(pairs) == sorted(others)
    else:
        assert len({i for i, _ in pairs}) == len(pairs)
    if relation == "one_to_one":
        assert len({j for _, j in pairs}) == len(pairs)


def test_threads_and_chunks_change_nothing() -> None:
    left = [f"name{at} {'corp' * (at % 3)} x{at % 7}" for at in range(200)]
    right = [f"name{at}a {'corp' * (at % 2)} x{at % 5}" for at in range(200)]
    one = link.link(left, right, threads=1).matches
    assert link.link(left, right, threads=3).matches == one
    chunked = pa.chunked_array([left[:90], left[90:]])
    assert link.link(chunked, pa.array(right).dictionary_encode()).matches == one


@pytest.mark.parametrize("library", ["arrow", "polars", "pandas"])
def test_joins_of_every_library(library: str) -> None:
    left: Any = pa.table({"name": COMPANIES, "id": range(len(COMPANIES))})
    right: Any = pa.table({"name": ORGANISATIONS, "key": range(len(ORGANISATIONS))})
    if library == "polars":
        left, right = pl.DataFrame(left), pl.DataFrame(right)
    if library == "pandas":
        left, right = left.to_pandas(), right.to_pandas()

    def joined(how: Any) -> pa.Table:
        found = link.join(left, right, on="name", how=how, threshold=0.3)
        assert type(found) is type(left)
        return pa.Table.from_pandas(found) if library == "pandas" else pa.table(found)

    inner = joined("inner")
    assert inner.column_names[:4] == ["name", "id", "name_right", "key"]
    assert dict(zip(*(inner[c].to_pylist() for c in ("id", "key")), strict=True)) == SAME
    outer = joined("left")
    assert outer["id"].to_pylist() == list(range(len(COMPANIES)))
    assert outer["key"].null_count == outer["score"].null_count == len(COMPANIES) - len(SAME)
    assert joined("anti")["id"].to_pylist() == [5, 6, 8]
    full = joined("full")
    assert full.num_rows == len(COMPANIES) + len(ORGANISATIONS) - len(SAME)
    assert sorted(key for key in full["key"].to_pylist() if key == key and key is not None) == list(
        range(len(ORGANISATIONS))
    )
    if library == "polars":
        assert left.bow.join_names(right, on="name", threshold=0.3).shape == (len(SAME), 7)
        lazy = link.join(left.lazy(), right.lazy(), on="name", threshold=0.3)
        assert len(lazy) == len(SAME)


def test_lazy_frames_are_joined_when_they_are_collected() -> None:
    collected: list[int] = []
    left = pl.LazyFrame({"name": COMPANIES, "id": range(len(COMPANIES))})
    counted = left.map_batches(
        lambda frame: (collected.append(len(frame)), frame)[1], schema=left.collect_schema()
    )
    right = pl.DataFrame({"name": ORGANISATIONS, "key": range(len(ORGANISATIONS))})
    for other in (right, right.lazy(), right.to_arrow(), right.to_dict(as_series=False)):
        expected = left.collect().bow.join_names(right, on="name", how="full", threshold=0.3)
        joined = counted.bow.join_names(other, on="name", how="full", threshold=0.3)
        assert joined.collect_schema() == expected.schema
        assert not collected
        assert_frame_equal(joined.collect(), expected)
        assert collected.pop() == len(COMPANIES)
        # What is asked of the matches does not change what is compared.
        some = joined.filter(pl.col("id") == 5).select("key", "score")
        wanted = expected.filter(pl.col("id") == 5).select("key", "score")
        assert_frame_equal(some.collect(), wanted)
        assert collected.pop() == len(COMPANIES)
    found = left.bow.deduplicate_names("name", threshold=0.6)
    wanted = left.collect().bow.deduplicate_names("name", threshold=0.6)
    assert found.collect_schema() == wanted.schema
    assert_frame_equal(found.collect(), wanted)
    assert left.clear().bow.join_names(right, on="name").collect().shape == (0, 7)
    with pytest.raises(bow.InvalidInput, match="no column 'nope'"):
        left.bow.join_names(right, on="nope")


def test_relations_of_duckdb() -> None:
    duckdb = pytest.importorskip("duckdb")
    left = pa.table({"name": COMPANIES, "id": range(len(COMPANIES))})
    right = pa.table({"name": ORGANISATIONS, "key": range(len(ORGANISATIONS))})
    connection = duckdb.connect()
    relations = [connection.from_arrow(table) for table in (left, right)]
    expected = link.join(left, right, on="name", how="full", threshold=0.3)
    found = link.join(*relations, on="name", how="full", threshold=0.3)
    assert isinstance(found, pa.Table)
    assert found.to_pylist() == expected.to_pylist()
    # What is given back DuckDB reads by its name.
    counted = connection.sql("select count(*) from found where score > 0.3").fetchall()
    assert counted == [(len(SAME),)]
    clusters = link.deduplicate_names(connection.from_arrow(left), on="name")
    assert clusters == link.deduplicate_names(left, on="name")


def test_memory_bounds_the_work_and_not_the_answer() -> None:
    pick = Random(7)
    names = ["".join(pick.choices("abcdefgh", k=9)) + f" {pick.choice('xyz')}" for _ in range(3000)]
    other = [name[:4] + pick.choice("abc") + name[5:] for name in names]
    whole = link.link(names, other, relation="many", threshold=0.5, threads=1).matches
    # Room for the names, and for a part of the lists at a time.
    parts = link.link(names, other, relation="many", threshold=0.5, threads=1, memory="5MB")
    assert parts.matches == whole
    with pytest.raises(bow.OutOfBudget, match="memory is 100000 bytes"):
        link.link(names, other, memory=100_000)
    table = pa.table({"a": names, "b": other})
    with pytest.raises(bow.OutOfBudget, match="link fewer rows"):
        link.link(table, table, on=["a", "b"], memory="1MB")
    columns = link.link(table, table, on=["a", "b"], memory="100MB").matches
    assert columns == link.link(table, table, on=["a", "b"]).matches
    with pytest.raises(bow.InvalidInput, match="memory is 'much'"):
        link.link(names, other, memory="much")


def test_among_many_names_longer_grams_find_the_same() -> None:
    pick = Random(3)
    heads = ["".join(pick.choices("bcdfghklmnpr", k=8)) for _ in range(26_000)]
    left = [f"{head} holdings" for head in heads]
    right = [f"{head[:5]}{head[6:]} group" for head in heads]
    found = link.link(left, right, candidates=3)
    assert link.evaluate(found, [(at, at) for at in range(len(heads))]).f1 > 0.99


def test_few_matches_among_many_rows() -> None:
    pick = Random(5)

    def name() -> str:
        return " ".join("".join(pick.choices("abcdefghijklmnop", k=6)) for _ in range(3))

    left = [name() for _ in range(900)]
    right = [f"{one[:2]}x{one[3:]}" for one in left[:120]] + [name() for _ in range(900)]
    found = link.link(left, right)
    assert link.evaluate(found, [(at, at) for at in range(120)]).f1 > 0.95


def test_explanations() -> None:
    found = link.link(COMPANIES, ORGANISATIONS, threshold=0.3)
    why = found.explain(3, 0)
    first = why.table.to_pylist()[0]
    assert (first["left"], first["right"], first["similarity"]) == ("raster ops", "rasterops", 1.0)
    assert why.score == pytest.approx(sum(why.table["score"].to_pylist()) + why.grams)
    assert "raster ops ~ rasterops" in str(why)
    html = found.html()
    assert html.count('class="score"') == len(SAME)
    assert "<mark" in html
    hostile = link.link(["<b>x</b>"], ["<b>x</b>"], normalize=False, threshold=0.1)
    assert "<b>" not in hostile.html()
    with pytest.raises(bow.InvalidInput, match="no name"):
        found.explain(5, 0)
    with pytest.raises(bow.InvalidInput, match="9 rows"):
        found.explain(0, 99)
    with pytest.raises(bow.InvalidInput, match="match is 99"):
        link.explain(found, 99)


def test_how_much_of_the_left_the_right_holds() -> None:
    left, right = ["baidu"], ["baidu online network technology"]
    whole = link.link(left, right, threshold=0, symmetric=False).matches["score"][0].as_py()
    both = link.link(left, right, threshold=0).matches["score"][0].as_py()
    assert whole == pytest.approx(1.0)
    assert both < 0.8


def test_normalisation() -> None:
    given = pa.array(["Straße  Nº 5!", "\uff21\uff22\uff23-def", "", None, "O'Brien & Søn"])
    assert normalised(given).to_pylist() == ["strasse no 5", "abc def", "", None, "o brien søn"]
    exact = link.link(["ABC"], ["abc"], normalize=False, threshold=0.5, min_cosine=0)
    assert len(exact) == 0
    import pyarrow.compute as pc

    assert len(link.link(["ABC"], ["abc"], normalize=pc.utf8_lower)) == 1
    pytest.importorskip("cleanco")
    found = link.link(["Xilinx GmbH"], ["Xilinx Inc."], legal_forms=True)
    assert found.matches["score"].to_pylist() == [1.0]


def _people(count: int) -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
    firsts, lasts = (
        ["anna", "boris", "clara", "dmitri", "emma"],
        ["meier", "schulz", "koch", "lang"],
    )
    left: dict[str, list[Any]] = {"first": [], "last": [], "born": []}
    right: dict[str, list[Any]] = {"first": [], "last": [], "born": []}
    for at in range(count):
        first, last = firsts[at % 5], lasts[at % 4] + "abcdefghij"[at // 20 % 10]
        born = str(19000000 + 37 * at)
        left["first"].append(first)
        left["last"].append(last)
        left["born"].append(born)
        right["first"].append(None if at % 6 == 0 else first[:2] + "x" + first[2:])
        right["last"].append(last)
        right["born"].append(born if at % 4 else born[:-1] + "0")
    return left, right


def test_evidence_of_several_columns() -> None:
    left, right = _people(300)
    found = link.link(left, right, on=["first", "last", "born"], relation="one_to_one")
    truth = [(at, at) for at in range(300)]
    assert link.evaluate(found, truth).f1 > 0.97
    assert found.threshold == 0.5
    assert found.matches.schema.names[-1] == "bits"
    why = found.explain(6, 6)
    agreement = dict(zip(*(why.table[c].to_pylist() for c in ("column", "agreement")), strict=True))
    assert agreement == {"first": "missing", "last": "equal", "born": "equal"}
    assert why.table["bits"].to_pylist()[0] == 0
    rows = found.matches.to_pylist()
    for row in rows[:20]:
        why = found.explain(row["left"], row["right"])
        assert sum(why.table["bits"].to_pylist()) == pytest.approx(row["bits"])
        assert why.score == pytest.approx(row["score"], abs=1e-6)
    agreements = found.agreements.to_pylist()
    assert len(agreements) == 12
    for column in ("first", "last", "born"):
        of = [row for row in agreements if row["column"] == column]
        assert sum(row["same"] for row in of) == pytest.approx(1)
        assert sum(row["chance"] for row in of) == pytest.approx(1, abs=1e-3)
    assert (
        link.link(left, right, on=["first", "last", "born"], threads=1).matches
        == link.link(left, right, on=["first", "last", "born"], threads=3).matches
    )
    assert "born" not in found.html()


def test_evidence_does_not_depend_on_the_order_of_rows() -> None:
    generator = Random(3)
    letters = "abcdefghij"
    names = ["".join(generator.choices(letters, k=6)) for _ in range(300)]
    towns = [generator.choice(["Ulm", "Ulma", "Bonn", "Born", "Essen"]) for _ in names]
    typed = [name[:3] + generator.choice(letters) + name[4:] for name in names]

    def scores(order: list[int], turned: bool) -> dict[tuple[int, int], float]:
        left = {"name": [names[at] for at in order], "town": [towns[at] for at in order]}
        right = {"name": typed, "town": towns}
        one, other = (right, left) if turned else (left, right)
        found = link.link(one, other, on=["name", "town"], relation="many").matches.to_pylist()
        sides = ("right", "left") if turned else ("left", "right")
        return {(order[row[sides[0]]], row[sides[1]]): row["score"] for row in found}

    order = list(range(len(names)))
    expected = scores(order, False)
    assert expected
    shuffled = generator.sample(order, len(order))
    assert scores(shuffled, False) == pytest.approx(expected, abs=1e-9)
    # Each row has its own candidates, from which the weights are learned.
    assert scores(shuffled, True) == pytest.approx(expected, abs=1e-2)


@settings(max_examples=25)
@given(NAMES, NAMES)
def test_any_columns_link(one: list[Any], other: list[Any]) -> None:
    count = min(len(one), len(other))
    table = pa.table(
        {"a": pa.array(one[:count], pa.string()), "b": pa.array(other[:count], pa.string())}
    )
    found = link.link(table, table, on=["a", "b"], relation="many", threshold=0)
    assert all(0 <= score <= 1 for score in found.matches["score"].to_pylist())
    clusters = link.deduplicate_names(table, on=["a", "b"])
    assert len(clusters) == count


def test_deduplicated() -> None:
    names = ["Hewlett Packard", "Intel", None, "HEWLETT-PACKARD", "hewlett packard co", "intel", ""]
    found = link.deduplicate_names(names, threshold=0.6)
    assert found["cluster"].to_pylist() == [0, 1, 2, 0, 0, 1, 3]
    assert found["representative"].to_pylist() == [0, 1, 2, 0, 0, 1, 6]
    assert found["score"].to_pylist()[0] == 1
    assert link.deduplicate_names(pa.array([], pa.string())).num_rows == 0
    # Steps that are each small lead no further than the representative allows.
    chain = ["aaaaaaaa", "aaaaaaab", "aaaaaabb", "aaaaabbb", "aaaabbbb", "aaabbbbb", "aabbbbbb"]
    clusters = link.deduplicate_names(chain, threshold=0.6, min_cosine=0)["cluster"].to_pylist()
    assert 1 < len(set(clusters)) < len(chain)


def test_evaluation() -> None:
    matches = {"left": [0, 1, 2], "right": [0, 1, 9], "score": [0.9, 0.5, 0.7]}
    found = link.evaluate(matches, [(0, 0), (1, 1), (3, 3)])
    assert (found.precision, found.recall) == (2 / 3, 2 / 3)
    assert found.best_f1 == pytest.approx(2 / 3)
    assert found.curve["threshold"].to_pylist() == [0.9, 0.7, 0.5]
    assert found.curve["precision"].to_pylist() == [1, 0.5, 2 / 3]
    assert link.evaluate([], []).f1 == 1
    assert link.evaluate([], [(0, 0)]).f1 == 0
    assert link.evaluate([(0, 0), (0, 0)], [(0, 0)]).precision == 0.5
    pytest.importorskip("matplotlib")
    assert found.plot().axes[0].get_ylabel() == "precision"


def test_calibrated() -> None:
    pytest.importorskip("sklearn")
    found = link.link(COMPANIES, ORGANISATIONS, threshold=0.0, min_cosine=0.0)
    rows = found.matches.to_pylist()
    labels = {
        "left": [*(row["left"] for row in rows), 0, 1, 8],
        "right": [*(row["right"] for row in rows), 6, 1, 8],
        "match": [True] * len(rows) + [False] * 3,
    }
    table = found.calibrate(labels)
    order = sorted(zip(table["score"].to_pylist(), table["probability"].to_pylist(), strict=True))
    assert [p for _, p in order] == sorted(p for _, p in order)
    with pytest.raises(bow.InvalidInput, match="one kind"):
        found.calibrate({"left": [0], "right": [1], "match": [True]})


def test_automatic_threshold_is_between() -> None:
    random = Random(1)
    heads = ["".join(random.choices("abcdefghijklmnopqrst", k=8)) for _ in range(160)]
    left = [f"{head} corporation" for head in heads] + [f"none{at}q limited" for at in range(100)]
    right = [f"{head} inc" for head in heads] + [f"other{at}z gmbh" for at in range(100)]
    found = link.link(left, right)
    truth = [(at, at) for at in range(len(heads))]
    assert link.evaluate(found, truth).f1 > 0.9


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"threshold": 2}, bow.InvalidInput, "threshold is 2"),
        ({"threshold": math.nan}, bow.InvalidInput, "threshold is NaN"),
        ({"threshold": "high"}, bow.InvalidInput, "threshold is 'high'"),
        ({"candidates": 0}, bow.InvalidInput, "candidates is 0"),
        ({"min_cosine": -1}, bow.InvalidInput, "min_cosine is -1"),
        ({"relation": "all"}, bow.InvalidInput, "relation is 'all'"),
        ({"normalize": 3}, bow.UnsupportedType, "normalize is 3"),
        ({"threads": 0}, bow.InvalidInput, "threads is 0"),
        ({"progress": 3}, bow.UnsupportedType, "progress is 3"),
    ],
)
def test_options_that_cannot_be_meant(options: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        link.link(["a"], ["b"], **options)


def test_tables_that_cannot_be_meant() -> None:
    table = pa.table({"a": ["x"], "b": ["y"], "n": [1.5]})
    with pytest.raises(bow.InvalidInput, match="no column 'c'"):
        link.link(table, table, on="c")
    with pytest.raises(bow.InvalidInput, match="3 columns"):
        link.join(table, table)
    with pytest.raises(bow.InvalidInput, match="left_on names 1"):
        link.link(table, table, left_on="a", right_on=["a", "b"])
    with pytest.raises(bow.InvalidInput, match="how is 'cross'"):
        link.join(table, table, on="a", how="cross")  # type: ignore[arg-type]
    with pytest.raises(bow.UnsupportedType):
        link.join(5, table, on="a")
    with pytest.raises(bow.UnsupportedType):
        link.link([b"\xff"], ["a"])


def test_progress_and_interruption() -> None:
    seen: list[Any] = []
    link.link(["a b"] * 3, ["a"], progress=lambda *told: seen.append(told))
    assert seen
    assert seen[-1][0] == "querying"

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        link.link(["a"], ["a"], progress=stop)


SEEN = {
    "alias": [
        "Fannie Mae", "Federal National Mortgage Association", "fannie mae", "Freddie Mac", "FHLMC",
    ],
    "record": ["fnma", "fnma", "other", "fhlmc", "fhlmc"],
    "count": [3, 5, 1, 2, 2],
}  # fmt: skip


def test_alias_networks() -> None:
    network = link.AliasNetwork(SEEN)
    assert network.aliases == SEEN["alias"][:2] + SEEN["alias"][3:]
    long = "Federal National Mortgage Association"
    assert network.probability("fannie mae", long) == pytest.approx(3 / 4)
    assert network.probability("fannie mae", "Freddie Mac") == 0
    assert network.probability("unheard", long) == 0
    assert network.weight("Fannie Mae", long) == pytest.approx(3 / 8)
    assert network.weight(long, "Fannie Mae") == pytest.approx(5 / 8 * 3 / 4)
    assert network.clusters("record")["cluster"].to_pylist() == [0, 0, 1, 1]


@pytest.mark.parametrize(("method", "package"), [("markov", "scipy"), ("modularity", "networkx")])
def test_communities(method: Any, package: str) -> None:
    pytest.importorskip(package)
    network = link.AliasNetwork(SEEN)
    assert network.clusters(method)["cluster"].to_pylist() == [0, 0, 1, 1]
    assert link.AliasNetwork({"alias": [None], "record": ["x"]}).clusters(method).num_rows == 0
    left = ["FANNIE MAE", "Freddie Mac Corp", "Nobody"]
    right = ["Federal National Mortgage Association", "FHLMC"]
    found = network.link(left, right, method=method, threshold=0.4)
    assert _pairs(found) == {0: 0, 1: 1}
    assert found["via"].to_pylist() == ["Fannie Mae", "Freddie Mac"]
    assert found["score"].to_pylist()[0] == pytest.approx(1)
    # A direct answer that is nearer than the way through the network stands.
    assert network.link(["FHLMC"], ["FHLMC", "Freddie Mac"])["via"].to_pylist() == [None]


def test_networks_that_cannot_be_meant() -> None:
    with pytest.raises(bow.InvalidInput, match="count is 0"):
        link.AliasNetwork({"alias": ["a"], "record": ["r"], "count": [0]})
    with pytest.raises(bow.InvalidInput, match="no column"):
        link.AliasNetwork({"alias": ["a"]})
    network = link.AliasNetwork(SEEN)
    with pytest.raises(bow.InvalidInput, match="method is 'all'"):
        network.clusters("all")  # type: ignore[arg-type]
    with pytest.raises(bow.InvalidInput, match="penalty is 0"):
        network.link(["a"], ["b"], penalty=0.5)


def test_a_table_of_pandas_keeps_its_columns() -> None:
    left = pd.DataFrame({"score": [1.5], "name": ["Intel"]}, index=[7])
    found = link.join(left, left, on="name")
    first = ["score", "name", "score_right", "name_right"]
    assert list(found.columns) == [*first, "score_right_right", "margin", "rank"]
