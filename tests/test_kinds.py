"""Kinds of index: what keeps theirs, what turns one into another, and the texts hard for them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given

import bowstring as bow
from oracles import infini_gram, search
from strategies import KINDS, Case, Kind, cases

NewPath = Callable[[], Path]

FORMS: list[tuple[str, str | None]] = [("suffix", None), ("fm", "fast"), ("fm", "compact")]


def _form(index: bow.Index) -> tuple[str, str | None]:
    return index.info.kind, index.info.profile


@pytest.mark.parametrize(("kind", "profile"), FORMS)
def test_an_index_keeps_its_kind(kind: str, profile: str | None, new_path: NewPath) -> None:
    for path in (None, new_path()):
        # An empty one has no segment that would tell.
        index = bow.index(pa.array([], pa.string()), path=path, kind=kind, profile=profile)
        assert _form(index) == (kind, profile)
        for text in ("banana", "bandana"):
            index.append([text])
        index.compact()
        assert _form(index) == (kind, profile)
        assert len(index.info.segments) == 1
        assert index.count("an") == 4
        if path is not None:
            assert _form(bow.open(path)) == (kind, profile)
            bow.open(path).verify()
            assert bow.index(["x"], path=path, overwrite=True).info.kind == "suffix"


def test_fast_is_the_default() -> None:
    assert _form(bow.index(["a"], kind="fm")) == ("fm", "fast")


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_any_kind_becomes_any_other(kind: Kind, new_path: NewPath) -> None:
    @given(cases(kind))
    def check(case: Case) -> None:
        queries = case.query_column()
        first = bow.index(case.column())
        counts, rows = first.count(queries), first.text(range(len(first)))
        for (one, other), path in itertools.product(itertools.permutations(FORMS, 2), [0, 1]):
            index = first.convert(one[0], profile=one[1])
            made = index.convert(other[0], new_path() if path else None, profile=other[1])
            assert _form(made) == other
            assert made.info.column == kind.name
            assert made.count(queries).equals(counts)
            assert made.text(range(len(made))).equals(rows)

    check()


def test_an_index_becomes_another_where_it_is(new_path: NewPath) -> None:
    path = new_path()
    index = bow.index(["banana", None, ""], path=path)
    with pytest.raises(bow.InvalidInput, match="overwrite=True"):
        index.convert("fm", path)
    assert _form(bow.open(path)) == ("suffix", None)
    index.convert("fm", path, profile="compact", overwrite=True)
    assert _form(bow.open(path)) == ("fm", "compact")
    assert bow.open(path).text(range(3)).to_pylist() == ["banana", None, ""]
    # What was mapped is still whole.
    assert index.count("an") == 2


def test_folders_of_infini_gram_become_indexes_of_ours(new_path: NewPath) -> None:
    folder = new_path()
    folder.mkdir()
    rows = [[1, 2, 1], [], [2, 1, 2, 1]]
    infini_gram.write(rows, folder, infini_gram.width_of(rows), 0)
    index = bow.interop.infini_gram.open(folder).convert("fm", profile="compact")
    assert index.count([2, 1]) == 3
    assert index.text(range(3)).to_pylist() == rows


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"kind": "tree"}, 'kind is "tree"; give "suffix" or "fm"'),
        ({"kind": "infini-gram"}, 'kind is "infini-gram"; give'),
        ({"kind": "fm", "profile": "small"}, 'profile is "small"; give "fast" or "compact"'),
        ({"kind": "suffix", "profile": "fast"}, 'profile is "fast", and an index of kind "suffix"'),
        ({"profile": "compact"}, 'profile is "compact", and an index of kind "suffix"'),
    ],
)
def test_kinds_that_there_are_not(how: dict[str, Any], message: str) -> None:
    with pytest.raises(bow.InvalidInput, match=message):
        bow.index(["a"], **how)
    if "kind" in how:
        with pytest.raises(bow.InvalidInput, match=message):
            bow.index(["a"]).convert(**how)


HARD: dict[str, list[Any]] = {
    "copies": ["the same row again and again\n" * 3] * 10_000,
    "one symbol": ["a" * 50_000, "a", ""],
    "empty rows": [""] * 1_000_000,
    "every byte": [bytes(range(256)) * 20, bytes(range(255, -1, -1))],
    "many tokens": [np.random.default_rng(1).integers(0, 50_000, 200_000).tolist()],
    "wide tokens": [np.random.default_rng(2).integers(0, 2**32 - 1, 20_000).tolist()],
}


@pytest.mark.parametrize("profile", ["fast", "compact"])
@pytest.mark.parametrize("name", HARD)
def test_texts_that_are_hard_for_a_compressed_index(
    name: str, profile: str, new_path: NewPath
) -> None:
    rows = HARD[name]
    column = pa.array(rows, pa.list_(pa.uint32()) if isinstance(rows[0], list) else None)
    suffix = bow.index(column)
    bow.index(column, path=(path := new_path()), kind="fm", profile=profile)
    index = bow.open(path)
    index.verify()
    longest = max(rows, key=len)
    queries = [longest[at : at + size] for at in range(0, 9_000, 450) for size in (1, 2, 5, 40)]
    asked = [query for query in queries if len(query)] or ["a"]
    one = pa.array(asked, column.type)
    assert index.count(one).equals(suffix.count(one))
    assert index.count(asked[0]) == suffix.count(asked[0])
    assert index.locate(one, limit=50).equals(suffix.locate(one, limit=50))
    some = np.linspace(0, len(rows) - 1, 50).astype(int).tolist()
    assert index.text(some).equals(suffix.text(some))
    if name == "copies":
        assert index.count("again and") == 30_000 == search.count(rows, "again and")
        assert index.info.bytes < index.info.symbols / (2 if profile == "fast" else 4)
