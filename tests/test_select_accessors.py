"""Selections and tokens from within polars and pandas: as the functions, in the frame's rows."""

from __future__ import annotations

from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import bowstring as bow
import bowstring.pandas
import bowstring.polars
from bowstring import tokens

TEXTS = ["a red apple", None, "the sky", "red apple pie", "a red red sky"]
TARGET = ["red apple pie", "the red sky"]
VOCABULARY = {b"a": 0, b"b": 1, b"ab": 2, b"abb": 3, b"ba": 4}
TOKENS = [[3, 3, 2, 0] * 5, None, [], [4, 2, 3]]


def test_every_selection_takes_the_rows_of_its_numbers() -> None:
    held = {"n": list(range(4)), "text": [text for text in TEXTS if text is not None]}
    asked: dict[str, tuple[Any, ...]] = {
        "align": (TARGET, 2),
        "resample": (TARGET, 2),
        "cover": (TARGET, 2),
        "facility_location": (2,),
        "graph_cut": (2,),
        "feature_based": (2,),
        "max_coverage": (2,),
        "k_medoids": (2,),
    }
    for name, given in asked.items():
        found = getattr(bow.select, name)(held["text"], *given)
        frame = pl.DataFrame(held)
        chosen = frame.bow.select(name, *given, column="text")
        assert chosen["n"].to_list() == found["row"].to_pylist()
        assert chosen.columns == ["n", "text", *found.column_names[1:]]
        assert chosen["rank"].to_list() == [1, 2]
        labelled = pd.DataFrame(held, index=list("wxyz"))
        same = labelled.bow.select(name, *given, column="text")
        assert same.index.tolist() == ["wxyz"[row] for row in found["row"].to_pylist()]
        assert same.drop(columns="text").to_dict("list") == chosen.drop("text").to_dict(
            as_series=False
        )


def test_what_cannot_be_selected_by_is_refused() -> None:
    for frame in (pl.DataFrame({"rank": ["aa", "bb"]}), pd.DataFrame({"rank": ["aa", "bb"]})):
        with pytest.raises(bow.InvalidInput, match='give one of "align"'):
            frame.bow.select("sort", 1)
        with pytest.raises(bow.InvalidInput, match="has a column 'rank'"):
            frame.bow.select("max_coverage", 1, column="rank")


@pytest.mark.parametrize("texts", [TEXTS, [], [None, None]])
def test_alignment_is_that_of_each_row(texts: list[Any]) -> None:
    expected: list[Any] = [None] * len(texts)
    for row in bow.select.align(pa.array(texts, pa.string()), TARGET).to_pylist():
        expected[row["row"]] = row["score"]
    series = pl.Series("t", texts, pl.String)
    assert series.bow.alignment(TARGET).to_list() == expected
    frame = pl.LazyFrame({"t": series}).select(pl.col("t").bow.alignment(TARGET))
    assert frame.collect_schema() == {"t": pl.Float64()}
    for engine in ("in-memory", "streaming"):
        assert frame.collect(engine=engine)["t"].to_list() == expected
    labelled = pd.Series(texts, index=list("vwxyz")[: len(texts)], name="t", dtype="str")
    answer = labelled.bow.alignment(TARGET)
    assert answer.index.equals(labelled.index)
    assert pa.array(answer).to_pylist() == expected


@pytest.mark.parametrize("dtype", [pl.UInt16, pl.UInt32, pl.Int64])
def test_tokens_are_split_as_by_the_function(dtype: Any) -> None:
    expected = tokens.stochastic_split(TOKENS, VOCABULARY, 0.7, 5).to_pylist()
    series = pl.Series("t", TOKENS, pl.List(dtype))
    split = series.bow.stochastic_split(VOCABULARY, 0.7, 5)
    assert split.dtype == pl.List(dtype)
    assert split.to_list() == expected
    lazy = pl.LazyFrame({"t": series}).select(
        split=pl.col("t").bow.stochastic_split(VOCABULARY, 0.7, 5),
        bytes=pl.col("t").bow.stochastic_split(VOCABULARY, 0.7, 5).bow.merge_tokens(VOCABULARY),
    )
    assert lazy.collect_schema() == {"split": pl.List(dtype), "bytes": pl.Binary()}
    for engine in ("in-memory", "streaming"):
        assert lazy.collect(engine=engine)["split"].to_list() == expected
    merged = tokens.merge(TOKENS, VOCABULARY).to_pylist()
    assert lazy.collect()["bytes"].to_list() == merged
    labelled = pd.Series(TOKENS, index=list("wxyz"), name="t")
    answer = labelled.bow.stochastic_split(VOCABULARY, 0.7, 5)
    assert answer.index.tolist() == list("wxyz")
    assert pa.array(answer).to_pylist() == expected
    assert pa.array(answer.bow.merge_tokens(VOCABULARY)).to_pylist() == merged


def test_lists_of_one_length_cannot_grow() -> None:
    column = pl.Series([[2, 2]], dtype=pl.Array(pl.Int64, 2))
    with pytest.raises(bow.UnsupportedType, match="cast it to List"):
        column.bow.stochastic_split(VOCABULARY)
