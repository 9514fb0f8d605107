"""One content in every layout and from every library, and how much to generate."""

from __future__ import annotations

import faulthandler
import itertools
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from hypothesis import HealthCheck, settings

faulthandler.enable()

_CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large]
# The same inputs each time: a change is judged by what it changed. New ones are for `thorough`.
settings.register_profile(
    "fast",
    max_examples=25,
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=_CHECKS,
)
settings.register_profile(
    "thorough", settings.get_profile("fast"), max_examples=300, derandomize=False
)
PROFILE = os.environ.get("BOWSTRING_TEST_PROFILE", "fast")
settings.load_profile(PROFILE)

Values: TypeAlias = Sequence[Any]
"""A content: `str`, `bytes` or lists of ints, and None."""


@dataclass(frozen=True)
class Layout:
    """One way to hold a content."""

    name: str
    kind: str
    """The index it makes: `"string"`, `"binary"` or `"tokens"`."""
    make: Callable[[Values], Any]
    column: str | None = None
    """The column to ask for, where `make` gives several."""
    fits: Callable[[Values], bool] = lambda _: True
    """Whether this content can be held so at all."""


class Lender:
    """A producer that offers one method of the Arrow PyCapsule interface and nothing else."""

    def __init__(self, name: str, lend: Callable[..., Any]) -> None:
        self._lend = lend
        self.__class__ = type("Lender", (Lender,), {name: lambda self, *_: self._lend()})


def _no_nulls(values: Values) -> bool:
    return all(value is not None for value in values)


def _known(values: Values) -> bool:
    """Whether a library without declared types can tell what the content is."""
    return any(value is not None for value in values)


def _dense(values: Values) -> bool:
    """NumPy's fixed-width types know no null and strip zeros at the end."""
    return (
        _no_nulls(values)
        and _known(values)
        and not any(value[-1:] in ("\0", b"\0") for value in values)
    )


def _even(values: Values) -> bool:
    return _known(values) and len({len(value) for value in values if value is not None}) == 1


def _wide(values: Values) -> bool:
    return _even(values) and any(values)


def _array(type: pa.DataType) -> Callable[[Values], pa.Array]:
    return lambda values: pa.array(values, type)


def _dictionary(keys: pa.DataType, type: pa.DataType) -> Callable[[Values], pa.Array]:
    def make(values: Values) -> pa.Array:
        distinct = list(dict.fromkeys(value for value in values if value is not None))
        indices = [None if value is None else distinct.index(value) for value in values]
        return pa.DictionaryArray.from_arrays(pa.array(indices, keys), pa.array(distinct, type))

    return make


def _dictionary_with_null(type: pa.DataType) -> Callable[[Values], pa.Array]:
    """Nulls in the dictionary, not in the keys; values that repeat, and one never used."""

    def make(values: Values) -> pa.Array:
        dictionary = pa.array([*values, *values, None], type)
        keys = [at + len(values) * (at % 2) for at in range(len(values))]
        return pa.DictionaryArray.from_arrays(pa.array(keys, pa.int16()), dictionary)

    return make


def _sliced(type: pa.DataType) -> Callable[[Values], pa.Array]:
    """Neither the first nor the last value of the buffers, nor at a whole byte of the bitmap."""

    def make(values: Values) -> pa.Array:
        return pa.array([None, *values[:1], *values, *values[-1:]], type).slice(
            1 + len(values[:1]), len(values)
        )

    return make


def _chunked(type: pa.DataType) -> Callable[[Values], pa.ChunkedArray]:
    """A few chunks, empty ones among them and at both ends."""

    def make(values: Values) -> pa.ChunkedArray:
        cuts = [0, 0, len(values) // 3, len(values) // 3, 2 * len(values) // 3, len(values)]
        pieces = [values[a:b] for a, b in itertools.pairwise([*cuts, len(values)])]
        return pa.chunked_array([pa.array(piece, type) for piece in pieces], type)

    return make


def _many_chunks(type: pa.DataType) -> Callable[[Values], pa.ChunkedArray]:
    return lambda values: pa.chunked_array([pa.array([v], type) for v in values], type)


def _sliced_chunks(type: pa.DataType) -> Callable[[Values], pa.ChunkedArray]:
    def make(values: Values) -> pa.ChunkedArray:
        padded: pa.ChunkedArray = _chunked(type)([None, *values, None])
        return padded.slice(1, len(values))

    return make


def _full_null_slots(values: Values) -> pa.Array:
    """Null rows with text beneath them, as a mask over an array leaves them."""
    below = pa.array(["beneath" if value is None else value for value in values], pa.string())
    valid = np.packbits(np.array([v is not None for v in values], bool), bitorder="little")
    _, offsets, data = below.buffers()
    return pa.Array.from_buffers(
        pa.string(), len(values), [pa.py_buffer(valid.tobytes()), offsets, data]
    )


def _table(type: pa.DataType) -> Callable[[Values], pa.Table]:
    def make(values: Values) -> pa.Table:
        other = pa.array(range(len(values)), pa.int64())
        return pa.table({"number": other, "text": pa.array(values, type)})

    return make


def _reader(type: pa.DataType) -> Callable[[Values], pa.RecordBatchReader]:
    return lambda values: pa.RecordBatchReader.from_batches(
        pa.schema([pa.field("text", type)]),
        iter(pa.table({"text": _chunked(type)(values)}).to_batches()),
    )


def _polars(name: str) -> Callable[[Values], Any]:
    def make(values: Values) -> Any:
        import polars as pl

        match name:
            case "string":
                return pl.Series("text", values, pl.String)
            case "categorical":
                return pl.Series("text", values, pl.Categorical)
            case "enum":
                distinct = list(dict.fromkeys(value for value in values if value is not None))
                return pl.Series("text", values, pl.Enum(distinct))
            case "binary":
                return pl.Series("text", values, pl.Binary)
            case "list":
                return pl.Series("text", values, pl.List(pl.UInt32))
            case "array":
                width = next(len(value) for value in values if value is not None)
                return pl.Series("text", values, pl.Array(pl.Int64, width))
            case "chunks":
                half = len(values) // 2
                series = pl.Series("text", values[:half], pl.String)
                return series.append(pl.Series("text", values[half:], pl.String))
            case "frame":
                return pl.DataFrame(
                    {"number": range(len(values)), "text": pl.Series(values, dtype=pl.String)}
                )
            case _:
                return make_lazy(values)

    def make_lazy(values: Values) -> Any:
        import polars as pl

        frame = pl.LazyFrame({"text": pl.Series(values, dtype=pl.String)})
        return frame.with_columns(number=pl.lit(1))

    return make


def _pandas(dtype: Any) -> Callable[[Values], Any]:
    def make(values: Values) -> Any:
        import pandas as pd

        if isinstance(dtype, pa.DataType):
            return pd.Series(pa.array(values, dtype), dtype=pd.ArrowDtype(dtype))
        if dtype == "category":
            return pd.Series(values, dtype="str").astype("category")
        if dtype == "frame":
            return pd.DataFrame(
                {"number": range(len(values)), "text": pd.Series(values, dtype="str")}
            )
        # An index of its own, which must not be taken for row numbers.
        return pd.Series(values, dtype=dtype, index=range(len(values), 0, -1))

    return make


def _duckdb(type: pa.DataType) -> Callable[[Values], Any]:
    def make(values: Values) -> Any:
        import duckdb

        return duckdb.connect().from_arrow(_table(type)(values))

    return make


def _numpy_object(values: Values) -> Any:
    held = np.empty(len(values), dtype=object)
    held[:] = values
    return held


def _lent_stream(type: pa.DataType) -> Callable[[Values], Any]:
    return lambda values: Lender("__arrow_c_stream__", _chunked(type)(values).__arrow_c_stream__)


def _lent_array(type: pa.DataType) -> Callable[[Values], Any]:
    return lambda values: Lender("__arrow_c_array__", pa.array(values, type).__arrow_c_array__)


def _fixed_binary(values: Values) -> pa.Array:
    width = next(len(value) for value in values if value is not None)
    return pa.array(values, pa.binary(width))


def _fixed_list(values: Values) -> pa.Array:
    """Null rows hold nulls beneath them, and the slice starts inside of the child."""
    width = next(len(value) for value in values if value is not None)
    return pa.array([None, *values], pa.list_(pa.uint16(), width)).slice(1)


def _layouts() -> Iterator[Layout]:
    string, binary, tokens = pa.string(), pa.binary(), pa.list_(pa.uint16())

    def named(kind: str, type: pa.DataType) -> Iterator[Layout]:
        yield Layout(f"pyarrow-{type}", kind, _array(type))
        yield Layout(f"pyarrow-{type}-sliced", kind, _sliced(type))
        yield Layout(f"pyarrow-{type}-chunked", kind, _chunked(type))

    for type in (string, pa.large_string(), pa.string_view()):
        yield from named("string", type)
    for type in (binary, pa.large_binary(), pa.binary_view()):
        yield from named("binary", type)
    for item in (pa.uint16(), pa.uint32(), pa.uint64(), pa.int16(), pa.int32(), pa.int64()):
        yield Layout(f"pyarrow-list-{item}", "tokens", _array(pa.list_(item)))
    yield from named("tokens", pa.large_list(pa.int32()))

    yield Layout("list", "string", list, fits=_known)
    yield Layout("iterator", "string", iter, fits=_known)
    yield Layout("pyarrow-many-chunks", "string", _many_chunks(string))
    yield Layout("pyarrow-sliced-chunks", "string", _sliced_chunks(pa.large_string()))
    yield Layout("pyarrow-full-null-slots", "string", _full_null_slots)
    for keys, type in (
        (pa.int8(), string),
        (pa.uint32(), pa.large_string()),
        (pa.int64(), pa.string_view()),
    ):
        yield Layout(f"pyarrow-dictionary-{keys}-{type}", "string", _dictionary(keys, type))
    yield Layout("pyarrow-dictionary-null", "string", _dictionary_with_null(string))
    yield Layout("pyarrow-table", "string", _table(string), "text")
    yield Layout(
        "pyarrow-batch",
        "string",
        lambda v: _table(string)(v).to_batches()[0],
        "text",
        fits=lambda values: len(values) > 0,
    )
    yield Layout("pyarrow-reader", "string", _reader(string), "text")
    yield Layout("pyarrow-reader-one", "string", _reader(pa.string_view()))
    yield Layout("pyarrow-dataset", "string", lambda v: ds.dataset(_table(string)(v)), "text")
    yield Layout("stream-only", "string", _lent_stream(string))
    yield Layout("array-only", "string", _lent_array(pa.string_view()))
    yield Layout("polars-string", "string", _polars("string"))
    yield Layout("polars-chunks", "string", _polars("chunks"))
    yield Layout("polars-categorical", "string", _polars("categorical"))
    yield Layout("polars-enum", "string", _polars("enum"), fits=_known)
    yield Layout("polars-frame", "string", _polars("frame"), "text")
    yield Layout("polars-lazy", "string", _polars("lazy"), "text")
    yield Layout("pandas-object", "string", _pandas(object), fits=_known)
    yield Layout("pandas-str", "string", _pandas("str"))
    yield Layout("pandas-string", "string", _pandas("string"))
    yield Layout("pandas-category", "string", _pandas("category"))
    yield Layout("pandas-arrow", "string", _pandas(string))
    yield Layout("pandas-frame", "string", _pandas("frame"), "text")
    yield Layout("duckdb", "string", _duckdb(string), "text")
    yield Layout("numpy-object", "string", _numpy_object, fits=_known)
    yield Layout("numpy-U", "string", lambda v: np.array(v, dtype=np.str_), fits=_dense)

    yield Layout("list-bytes", "binary", list, fits=_known)
    yield Layout("pyarrow-fixed", "binary", _fixed_binary, fits=_wide)
    yield Layout("pyarrow-dictionary-binary", "binary", _dictionary(pa.uint16(), binary))
    yield Layout("pyarrow-table-binary", "binary", _table(binary), "text")
    yield Layout("polars-binary", "binary", _polars("binary"))
    yield Layout("pandas-arrow-binary", "binary", _pandas(pa.large_binary()))
    yield Layout("duckdb-blob", "binary", _duckdb(binary), "text")
    yield Layout("numpy-S", "binary", lambda v: np.array(v, dtype=np.bytes_), fits=_dense)

    yield Layout("list-list", "tokens", list, fits=lambda values: any(values))
    yield Layout("pyarrow-fixed-list", "tokens", _fixed_list, fits=_wide)
    yield Layout("pyarrow-list-sliced", "tokens", _sliced(tokens))
    yield Layout("pyarrow-list-many", "tokens", _many_chunks(tokens))
    yield Layout("pyarrow-table-list", "tokens", _table(tokens), "text")
    yield Layout("polars-list", "tokens", _polars("list"))
    yield Layout("polars-array", "tokens", _polars("array"), fits=_wide)
    yield Layout("pandas-arrow-list", "tokens", _pandas(tokens))
    yield Layout("duckdb-list", "tokens", _duckdb(pa.list_(pa.int32())), "text")
    yield Layout(
        "numpy-2d",
        "tokens",
        lambda v: np.array(v, dtype=np.int32),
        fits=lambda values: _wide(values) and _no_nulls(values),
    )
    yield Layout(
        "numpy-object-list",
        "tokens",
        _numpy_object,
        fits=lambda values: any(values) and not _even(values),
    )


LAYOUTS = tuple(_layouts())


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes `layout` runs once for each."""
    if "layout" in metafunc.fixturenames:
        metafunc.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)


@pytest.fixture(scope="session")
def thorough() -> bool:
    """Whether to take the time that the thorough profile allows."""
    return PROFILE == "thorough"


@pytest.fixture(scope="session")
def new_path(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """A path where nothing is yet, as often as asked."""
    folder = tmp_path_factory.mktemp("index")
    numbers = itertools.count()
    return lambda: folder / f"{next(numbers)}.bow"


@pytest.fixture(scope="session")
def run_python() -> Callable[..., str]:
    """Run a script in its own process, which must end well and in time; give what it printed."""

    def run(script: str, *arguments: object, timeout: float = 120) -> str:
        done = subprocess.run(
            [sys.executable, "-X", "faulthandler", "-c", script, *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert done.returncode == 0, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    return run
