"""Messy categories: keys against their definition, later data, every library, scikit-learn."""

from __future__ import annotations

import pickle
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bowstring as bow
from bowstring import _core

pytest.importorskip("sklearn")
from bowstring.categories import (
    Consolidate,
    NumberExtractor,
    OverlapEncoder,
    SubstringSearch,
    TextNormalizer,
    profile,
)

VALUES = st.lists(st.none() | st.text("abé𝄞 ", max_size=7), max_size=10)
VENDORS = [
    "Cisco Systems, Inc",
    "Cisco-Linksys, LLC",
    "Cisco SPVTG",
    "Intel Corporate",
    "Intel Corporation",
    None,
    "Hewlett Packard",
    "Hewlett Packard Enterprise",
    "Private",
]


def _substrings(value: str) -> set[str]:
    return {value[i:j] for i in range(len(value)) for j in range(i + 1, len(value) + 1)}


def _longest(keys: Iterable[str]) -> set[str]:
    keys = set(keys)
    return {key for key in keys if not any(key != other and key in other for other in keys)}


def _keys(values: Iterable[str | None], min_length: int, which: str) -> dict[str, int]:
    """All substrings of all values, counted."""
    distinct = {value for value in values if value}
    count: dict[str, int] = {}
    for value in distinct:
        for part in _substrings(value):
            count[part] = count.get(part, 0) + 1
    shared = {part for part, n in count.items() if n > 1 and len(part) >= min_length}
    if which == "maximal":
        keys = _longest(shared)
    else:
        keys = set().union(*(_longest(_substrings(value) & shared) for value in distinct), set())
    return {key: count[key] for key in keys}


@settings(max_examples=80)
@given(VALUES, st.integers(1, 3), st.sampled_from(["maximal", "per_value"]))
def test_keys_agree_with_the_definition(values: list[Any], least: int, which: str) -> None:
    found = pa.table(_core.overlap_keys(pa.array(values, pa.string()), least, which, None))
    keys = dict(zip(found["key"].to_pylist(), found["support"].to_pylist(), strict=True))
    assert keys == _keys(values, least, which)


@settings(max_examples=40)
@given(VALUES, VALUES, st.sampled_from(["maximal", "per_value"]))
def test_indicators_say_what_a_value_holds(train: list[Any], later: list[Any], keys: Any) -> None:
    encoder = OverlapEncoder(keys=keys, min_length=2, min_rows=1, max_features=None)
    encoder.fit(pa.array(train, pa.string()))
    names = encoder.keys_["key"].to_pylist()
    for values in (train, later):
        table = pa.array(values, pa.string())
        found = encoder.transform(table) if names else pa.table({})
        for key, column in zip(names, found.columns, strict=True):
            assert column.to_pylist() == [key in (value or "") for value in values]


@settings(max_examples=25)
@given(
    VALUES,
    VALUES,
    st.sampled_from(["indicators", "longest", "ordinal", "binary", "contained"]),
    st.sampled_from(["parse", "ignore"]),
    st.integers(1, 3),
)
def test_unseen_values_never_fail(
    train: list[Any], later: list[Any], encode: Any, unknown: Any, tiers: int
) -> None:
    encoder = OverlapEncoder(encode=encode, unknown=unknown, tiers=tiers, min_length=1)
    encoder.fit(pa.array(train, pa.string()))
    for values in (train, later, []):
        found = np.asarray(encoder.transform(np.array(values, dtype=object)))
        assert found.shape == (len(values), len(encoder.get_feature_names_out()))
        back = encoder.inverse_transform(found)
        assert len(back) == len(values)


def test_what_a_value_shares_is_not_hidden() -> None:
    hidden = OverlapEncoder(keys="maximal").fit(VENDORS)
    assert set(hidden.keys_["key"].to_pylist()) == {"Cisco S", "Hewlett Packard", "Intel Corporat"}
    shown = OverlapEncoder(keys="per_value").fit(VENDORS)
    assert shown.keys_["key"].to_pylist()[0] == "Cisco"
    assert shown.keys_["support"].to_pylist()[0] == 3
    names = shown.get_feature_names_out().tolist()
    later = shown.transform(["Cisco Meraki, Inc", "Unknown", None])
    assert later[:, names.index("x0_Cisco")].tolist() == [True, False, False]
    assert not later[1:].any()
    ignored = OverlapEncoder(unknown="ignore").fit(VENDORS).transform(["Cisco Meraki, Inc"])
    assert not ignored.any()


def test_encodings() -> None:
    longest = OverlapEncoder(encode="longest").fit(VENDORS)
    assert longest.transform(["Cisco SX", "Cisco", "new", None])[:, 0].tolist() == [
        "Cisco S", "Cisco", "new", None,
    ]  # fmt: skip
    null = OverlapEncoder(encode="longest", missing="null").fit(VENDORS)
    assert null.transform(["new"]).tolist() == [[None]]
    ordinal = OverlapEncoder(encode="ordinal").fit(VENDORS)
    numbers = ordinal.transform(["Cisco", "new", None])
    assert numbers[:, 0].tolist() == [1, 0, 0]
    assert ordinal.inverse_transform(numbers).to_pylist() == ["Cisco", None, None]
    binary = OverlapEncoder(encode="binary").fit(VENDORS)
    bits = binary.transform(VENDORS)
    assert bits.shape == (9, 3)
    assert len({tuple(row) for row in bits.tolist()}) == 5
    assert binary.inverse_transform(bits).to_pylist()[:3] == ["Cisco S", "Cisco", "Cisco S"]
    contained = OverlapEncoder(encode="contained").fit(VENDORS)
    assert contained.get_feature_names_out().tolist() == ["x0_Hewlett Packard"]
    assert contained.transform(VENDORS)[:, 0].tolist() == [False] * 6 + [True, True, False]
    tiers = OverlapEncoder(keys="maximal", encode="longest", tiers=2).fit(
        ["alphabet one", "alphabet onyx", "alphabet two", "alphabet twin"]
    )
    assert max(tiers.keys_["tier"].to_pylist()) == 2
    assert tiers.transform(["alphabet one"]).tolist()[0] == ["alphabet on", "alphabet "]


def test_limits_and_trimming() -> None:
    assert OverlapEncoder(max_features=1).fit(VENDORS).keys_.num_rows == 1
    assert OverlapEncoder(min_rows=3).fit(VENDORS).keys_["key"].to_pylist() == ["Cisco"]
    values = ["one, two", "one, three", "x one"]
    plain = OverlapEncoder(min_length=3).fit(values).keys_["key"].to_pylist()
    assert "one, t" in plain
    trimmed = OverlapEncoder(min_length=3, trim=True).fit(["a (one) b", "c (one) d"])
    assert trimmed.keys_["key"].to_pylist() == ["one"]
    sparse = OverlapEncoder(sparse_output=True).fit(VENDORS)
    matrix = sparse.transform(VENDORS)
    assert matrix.format == "csr"
    assert (matrix.toarray() == OverlapEncoder().fit(VENDORS).transform(VENDORS)).all()
    assert sparse.inverse_transform(matrix).to_pylist()[1] == "Cisco"
    folded = OverlapEncoder(normalize=True).fit(["CISCO one", "Cíisco two", "cisco three"])
    assert "cisco " in folded.keys_["key"].to_pylist()


@pytest.mark.parametrize("library", ["list", "numpy", "arrow", "polars", "pandas"])
@pytest.mark.parametrize("table", [False, True])
def test_every_library(library: str, table: bool) -> None:
    makers: dict[str, Any] = {
        "list": lambda: VENDORS,
        "numpy": lambda: np.array(VENDORS, dtype=object).reshape(-1, *([1] * table)),
        "arrow": lambda: pa.table({"v": VENDORS}) if table else pa.array(VENDORS),
        "polars": lambda: pl.DataFrame({"v": VENDORS}) if table else pl.Series("v", VENDORS),
        "pandas": lambda: (
            pd.DataFrame({"v": VENDORS}, index=range(9, 0, -1))
            if table
            else pd.Series(VENDORS, name="v", index=range(9, 0, -1))
        ),
    }
    data = makers[library]()
    kinds = {"list": np.ndarray, "numpy": np.ndarray, "arrow": pa.Table}
    kinds |= {"polars": pl.DataFrame, "pandas": pd.DataFrame}
    for one in (
        OverlapEncoder(),
        OverlapEncoder(encode="longest"),
        OverlapEncoder(encode="binary"),
        NumberExtractor(),
        SubstringSearch(["Cisco"]),
        Consolidate({"Intel": ["Intel Corporate", "Intel Corporation"]}),
    ):
        found = one.fit_transform(data)
        assert isinstance(found, kinds[library]), one
        assert found.shape[0] == len(VENDORS)
        if library in ("polars", "pandas"):
            assert list(found.columns) == one.get_feature_names_out().tolist()
            named = table or library != "list"
            assert all(name.startswith("v") for name in found.columns) == named
        if library == "pandas":
            assert found.index.tolist() == data.index.tolist()


def test_relations_of_duckdb_and_tables_of_lists() -> None:
    duckdb = pytest.importorskip("duckdb")
    table = pa.table({"v": VENDORS})
    expected = OverlapEncoder().fit_transform(table)
    assert OverlapEncoder().fit_transform(duckdb.connect().from_arrow(table)) == expected
    assert OverlapEncoder().fit_transform({"v": VENDORS}) == expected


@settings(max_examples=30)
@given(VALUES, st.integers(1, 3))
def test_rows_that_hold_a_key(values: list[Any], least: int) -> None:
    for which in ("maximal", "per_value", "whole"):
        found = pa.table(_core.overlap_keys(pa.array(values, pa.string()), least, which, None))
        for key, rows in zip(found["key"].to_pylist(), found["rows"].to_pylist(), strict=True):
            assert rows == sum(key in (value or "") for value in values)


def test_numbers() -> None:
    texts = ["2181 Buchanan Loop 98248", "-3.5 C", "none", None, "1,200.50 EUR"]
    first = NumberExtractor().fit(texts)
    assert first.transform(pa.array(texts))["x0_number"].to_pylist() == [2181, -3.5, None, None, 1]
    comma = NumberExtractor(style="comma", which="longest").fit_transform(pa.array(texts))
    assert comma["x0_number"].to_pylist() == [98248, -3.5, None, None, 1200.5]
    every = NumberExtractor(which="all").fit(["1 2", "3"])
    assert every.transform(pa.array(["4 5 6"])).to_pydict() == {
        "x0_number1": [4],
        "x0_number2": [5],
    }
    text = NumberExtractor(which="longest", as_text=True).fit_transform(["77 Mass Ave 02139"])
    assert text.tolist() == [["02139"]]
    signs = NumberExtractor().fit_transform(["-$5", "\u2212 5", "-€ 5", "a-$5", "+$5", "1-$5"])
    assert signs[:, 0].tolist() == [-5, 5, -5, 5, 5, 1]
    kilos = NumberExtractor(units=["KG", "$"]).fit_transform(["2 m 3 kg", "$ 7", "9"])
    assert kilos[:2, 0].tolist() == [3, 7]
    assert np.isnan(kilos[2, 0])
    # What was fitted is not fitted again: the same value gives the same number in any batch.
    assert first.transform(["none"]).tolist() != first.transform(["5"]).tolist()


def test_substrings() -> None:
    search = SubstringSearch({"cisco": "Cisco", "legal": ["Inc", "LLC", "Corp"]}).fit(VENDORS)
    found = search.transform(pa.array(VENDORS))
    assert found["x0_legal"].to_pylist() == [
        True, True, False, True, True, False, False, False, False,
    ]  # fmt: skip
    assert SubstringSearch(["INTEL"], ignore_case=True).fit_transform(["intel"]).tolist() == [
        [True]
    ]
    folded = SubstringSearch(["société"], normalize=True).fit_transform(["SOCIETE Generale"])
    assert folded.tolist() == [[True]]
    assert SubstringSearch([]).fit_transform(["a"]).shape == (1, 0)
    with pytest.raises(bow.InvalidInput, match="empty"):
        SubstringSearch([""]).fit(["a"])
    with pytest.raises(bow.UnsupportedType):
        SubstringSearch("abc").fit(["a"])


def test_consolidated() -> None:
    given = Consolidate({"Germany": ["DE", "Deutschland"], "UK": ["GB"]}, other="other")
    assert given.fit_transform(["de", "gb", "France", None])[:, 0].tolist() == [
        "Germany", "UK", "other", None,
    ]  # fmt: skip
    learned = Consolidate(threshold=0.3).fit(["Intel Corp", "Intel Corp", "INTEL corp.", "Acme"])
    assert learned.transform(["intel corp", "new"])[:, 0].tolist() == ["Intel Corp", "new"]
    with pytest.raises(bow.InvalidInput, match="under 'a' and 'b'"):
        Consolidate({"a": ["x"], "b": ["X"]}).fit(["x"])
    with pytest.raises(bow.UnsupportedType):
        Consolidate(5).fit(["x"])  # type: ignore[arg-type]
    with pytest.raises(bow.UnsupportedType, match="mapping is 5"):
        Consolidate({"a": 5}).fit(["x"])  # type: ignore[dict-item]


def test_normalised() -> None:
    column = pd.Series(["Société  Générale, S.A.", None, "SOCIETE GENERALE S A"], name="name")
    found = TextNormalizer().fit_transform(column)
    assert found["name"].tolist()[::2] == ["societe generale s a"] * 2
    assert found["name"].isna().tolist() == [False, True, False]
    upper = TextNormalizer(normalize=pc.utf8_upper).fit_transform(["Été", "x"])
    assert upper.tolist() == [["ÉTÉ"], ["X"]]
    with pytest.raises(bow.UnsupportedType, match="legal_forms is 'no'"):
        TextNormalizer(legal_forms="no").fit(["a"])  # type: ignore[arg-type]
    pytest.importorskip("cleanco")
    bare = TextNormalizer(legal_forms=True).fit_transform(["Intel GmbH", "Intel Inc.", "GmbH"])
    assert bare.tolist() == [["intel"], ["intel"], ["gmbh"]]


def test_profile() -> None:
    table = profile(["Room 12", "Room 7", "room  7", None, "", "Room 12"]).table
    kinds: dict[str, list[Any]] = {}
    for row in table.to_pylist():
        kinds.setdefault(row["kind"], []).append(row)
    assert kinds["rows"][0]["rows"] == 6
    assert kinds["null"][0]["rows"] == kinds["empty"][0]["rows"] == 1
    assert kinds["distinct"][0]["distinct"] == 4
    assert kinds["value"][0]["value"] == "Room 12"
    assert kinds["template"][0] == {
        "kind": "template", "value": "Aa 9", "rows": 3, "distinct": 2, "example": "Room 12",
    }  # fmt: skip
    assert kinds["prefix"][0]["value"] == "Room "
    assert kinds["number"][0]["distinct"] == 3
    assert kinds["near_duplicate"][0]["distinct"] == 2
    # What all values share is not hidden by what some of them share more of.
    addresses = [f"{name}{at}@gmail.com" for name in "ab" for at in range(20)]
    table = profile([*addresses, "a1@b.org"]).table
    found = {(row["kind"], row["value"]): row["rows"] for row in table.to_pylist()}
    assert found["suffix", "@gmail.com"] == 40
    assert "<script>" not in profile(["<script>a", "<script>b"]).html()
    assert profile(pa.array([], pa.string())).table.num_rows == 4


def test_what_was_held_comes_back() -> None:
    values = ["abcX1", "abcX2", "abcY1", "abcY2", "abcYQ"]
    for encode in ("longest", "ordinal", "indicators", "binary"):
        for missing in ("keep", "null"):
            encoder = OverlapEncoder(min_length=3, tiers=2, encode=encode, missing=missing)
            made = encoder.fit(values).transform(["abcX9", "abcZ", "zzz"])
            # The pattern of keys of the second was not fitted, so that its bits say nothing.
            second = None if encode == "binary" else "abc"
            assert encoder.inverse_transform(made).to_pylist() == ["abcX", second, None]


@pytest.mark.parametrize("one", [OverlapEncoder(min_length=2), NumberExtractor()])
def test_columns_without_any_text(one: Any) -> None:
    one.fit(["abc 1", "abc 2"])
    missing = float("nan")
    for none in (
        pd.DataFrame({"v": [missing, missing]}),
        pd.DataFrame({"v": []}),
        np.array([missing]),
        pa.array([None, missing], pa.float64()),
    ):
        assert one.transform(none).shape[0] == len(none)
    with pytest.raises(bow.UnsupportedType):
        one.transform(np.array([1.0, missing]))


@pytest.mark.parametrize(
    "one",
    [
        OverlapEncoder(),
        NumberExtractor(),
        SubstringSearch(["a"]),
        Consolidate(),
        TextNormalizer(),
    ],
    ids=lambda one: type(one).__name__,
)
def test_estimator_checks(one: Any) -> None:
    from sklearn.base import clone
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.estimator_checks import check_estimator

    check_estimator(one)
    with pytest.raises(NotFittedError):
        clone(one).transform(["a"])
    fitted = one.fit(["a1", "a2", "abcdef1", "abcdef2"])
    again = pickle.loads(pickle.dumps(fitted))
    values = ["abcdef", None, "3"]
    assert str(again.transform(values)) == str(fitted.transform(values))


def test_pipelines() -> None:
    from sklearn.compose import ColumnTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    frame = pd.DataFrame({"v": ["Cisco one", "Cisco two", "Intel 1", "Intel 2"] * 5})
    target = [0, 0, 1, 1] * 5
    made = ColumnTransformer(
        [
            ("raw", OverlapEncoder(), "v"),
            ("tiers", make_pipeline(Consolidate({}), OverlapEncoder(min_length=3)), "v"),
            ("found", SubstringSearch(["Cisco", "Intel"]), ["v"]),
        ]
    )
    model = make_pipeline(made, LogisticRegression()).fit(frame, target)
    assert model.score(frame, target) == 1
    assert model.predict(pd.DataFrame({"v": ["Cisco three", "never seen"]})).tolist()[0] == 0
    names = made.get_feature_names_out().tolist()
    assert "raw__v_Cisco " in names
    polars = made.set_output(transform="polars").fit_transform(frame)
    assert isinstance(polars, pl.DataFrame)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"keys": "all"}, "keys is 'all'"),
        ({"encode": "hash"}, "encode is 'hash'"),
        ({"min_length": 0}, "min_length is 0"),
        ({"max_features": 0}, "max_features is 0"),
        ({"encode": "binary", "sparse_output": True}, "sparse_output"),
    ],
)
def test_options_that_cannot_be_meant(options: Any, message: str) -> None:
    with pytest.raises(bow.InvalidInput, match=message):
        OverlapEncoder(**options).fit(["a"])


def test_columns_that_cannot_be_meant() -> None:
    with pytest.raises(bow.InvalidInput, match="2 columns"):
        OverlapEncoder().fit(pa.table({"a": ["x"], "b": ["y"]}))
    with pytest.raises(bow.UnsupportedType):
        OverlapEncoder().fit([b"\xff"])
    with pytest.raises(bow.UnsupportedType, match="normalize is 'yes'"):
        OverlapEncoder(normalize="yes").fit(["a"])  # type: ignore[arg-type]
    with pytest.raises(bow.UnsupportedType, match="units holds 5"):
        NumberExtractor(units=[5]).fit(["a"])  # type: ignore[list-item]
    with pytest.raises(bow.UnsupportedType, match="substrings holds 5"):
        SubstringSearch([5]).fit(["a"])  # type: ignore[list-item]
    with pytest.raises(bow.InvalidInput, match="style"):
        NumberExtractor(style="roman").fit(["a"])  # type: ignore[arg-type]
