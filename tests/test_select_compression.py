"""Compression distances and alignment against CPython's own compressors and the formula."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bowstring as bow

# CPython may have been built with zlib-ng, which makes other bytes of the same text.
needs_zlib = pytest.mark.skipif(
    "ng" in zlib.ZLIB_RUNTIME_VERSION, reason=f"CPython has zlib {zlib.ZLIB_RUNTIME_VERSION}"
)

LENGTHS: dict[str, Callable[[bytes, int], int]] = {
    "gzip": lambda text, level: len(gzip.compress(text, level)),
    "zlib": lambda text, level: len(zlib.compress(text, level)),
    "deflate": lambda text, level: len(zlib.compress(text, level, -15)),
}

ROWS = ["the cat sat on the mat", None, "SELECT x FROM y WHERE z", "", "a cat sat on a mat", "é€𝄞"]
TARGET = ["on the mat sat the cat", "cats sit", None]


def distance(x: bytes, y: bytes, length: Callable[[bytes], int]) -> float:
    least, most = sorted([length(x), length(y)])
    return (length(x + y) - least) / most


def oracle(rows: Any, target: Any, compressor: str, level: int) -> list[list[float | None]]:
    def length(text: bytes) -> int:
        return LENGTHS[compressor](text, level)

    return [
        [None if x is None or y is None else distance(x, y, length) for y in target] for x in rows
    ]


texts = st.lists(
    st.one_of(
        st.none(),
        st.binary(max_size=200),
        st.text("abc ", max_size=700).map(str.encode),
        # Long enough for states that are copied, and for all of gzip's memory.
        st.tuples(st.binary(min_size=1, max_size=40), st.integers(1, 200)).map(
            lambda pair: pair[0] * pair[1]
        ),
    ),
    min_size=1,
    max_size=6,
)


@needs_zlib
@given(texts, texts, st.sampled_from(list(LENGTHS)), st.integers(1, 9))
def test_distances_are_those_of_cpython(rows: Any, target: Any, name: Any, level: int) -> None:
    expected = oracle(rows, target, name, level)
    column, other = (pa.array(values, pa.large_binary()) for values in (rows, target))
    found = bow.select.ncd(column, other, compressor=name, level=level)
    assert found.type == pa.list_(pa.float64(), len(target))
    assert found.to_pylist() == [
        None if row is None else values for row, values in zip(rows, expected, strict=True)
    ]
    size = min(len(rows), len(target))
    pairs = bow.select.ncd(column[:size], other[:size], pairs=True, compressor=name, level=level)
    assert pairs.to_pylist() == [expected[at][at] for at in range(size)]
    if any(one is not None for one in target):
        ranked = bow.select.align(column, other, compressor=name, level=level)
        means = {
            row: float(np.mean([1 - one for one in values if one is not None]))
            for row, values in enumerate(expected)
            if rows[row] is not None
        }
        assert sorted(ranked["row"].to_pylist()) == sorted(means)
        scores = ranked["score"].to_pylist()
        assert scores == sorted(scores, reverse=True)
        assert np.allclose(scores, [means[row] for row in ranked["row"].to_pylist()], atol=1e-12)
        assert ranked["rank"].to_pylist() == list(range(1, len(means) + 1))


@needs_zlib
def test_long_texts_and_many_targets() -> None:
    chance = np.random.default_rng(3)
    words = [chance.bytes(8) for _ in range(300)]

    def text(size: int) -> bytes:
        return b"".join(words[at] for at in chance.integers(0, 300, size))

    rows = [text(size) for size in (5000, 40, 9000)]
    target = [text(3) for _ in range(300)]
    target += [rows[0][::-1], rows[2]]
    found = bow.select.ncd(rows, target, level=6)
    expected = oracle(rows, target, "gzip", 6)
    assert found.values.to_numpy().reshape(3, -1).tolist() == expected


def test_the_best_come_first_and_equal_ones_in_order() -> None:
    found = bow.select.align(["b", "abcabc", None, "b"], ["abcabc"], 3)
    assert found.schema == pa.schema(
        [
            pa.field("row", pa.uint64(), nullable=False),
            pa.field("score", pa.float64(), nullable=False),
            pa.field("rank", pa.uint64(), nullable=False),
        ]
    )
    assert found["row"].to_pylist() == [1, 0, 3]
    assert found["score"][1] == found["score"][2]


def test_one_concatenation_is_one_text() -> None:
    one = bow.select.align(ROWS, ["".join(text for text in TARGET if text)])
    assert bow.select.align(ROWS, TARGET, concatenate=True) == one
    assert bow.select.align(ROWS, TARGET) != one


@pytest.mark.parametrize("name", ["gzip", "libdeflate", "lz4"])
def test_threads_and_layouts_change_nothing(name: Any) -> None:
    rows = [None if text is None else text * 30 for text in ROWS] * 40
    expected = bow.select.align(rows, TARGET, compressor=name, threads=1)
    plain = pa.array(rows)
    layouts = [
        plain.dictionary_encode(),
        plain.cast(pa.large_binary()),
        plain.cast(pa.string_view()),
        pa.chunked_array([plain[:7], plain[7:7], plain[7:]]),
        pa.concat_arrays([plain[:3], plain])[3:],
        iter(rows),
    ]
    for layout in layouts:
        assert bow.select.align(layout, TARGET, compressor=name, threads=3) == expected
    assert bow.select.align(pa.table({"a": rows, "b": rows}), TARGET, column="b", threads=2).equals(
        bow.select.align(rows, pa.table({"t": TARGET}), target_column="t")
    )


@pytest.mark.parametrize("name", ["libdeflate", "lz4"])
def test_other_compressors_tell_texts_apart(name: Any) -> None:
    rows = ["to be or not to be " * 40, "lorem ipsum", ""]
    found = bow.select.ncd(rows, rows, compressor=name).values.to_numpy().reshape(3, 3)
    assert found[0, 0] < 0.2 < found[0, 1]
    assert np.isfinite(found).all()


def test_frames_come_back_as_what_they_were() -> None:
    frame = pl.DataFrame({"text": ROWS})
    found = bow.select.align(frame, TARGET, 2, column="text")
    assert isinstance(found, pl.DataFrame)
    series = bow.select.align(pd.Series(ROWS, name="text"), pl.Series(TARGET), 2)
    assert isinstance(series, pd.DataFrame)
    plain = bow.select.align(ROWS, TARGET, 2).to_pylist()
    assert found.to_dicts() == series.to_dict("records") == plain
    lazy = bow.select.align(frame.lazy(), TARGET, 2)
    assert lazy.to_dicts() == plain


def test_no_rows() -> None:
    assert bow.select.align([], ["a"]).num_rows == 0
    assert bow.select.align([None], ["a"]).num_rows == 0
    assert bow.select.ncd([], ["a"]).to_pylist() == []
    assert bow.select.ncd([], [], pairs=True).to_pylist() == []


@pytest.mark.parametrize(
    ("arguments", "options", "error", "said"),
    [
        ((["a"], ["b"]), {"level": 0}, bow.InvalidInput, "level is 0"),
        ((["a"], ["b"]), {"level": 10}, bow.InvalidInput, "level is 10"),
        ((["a"], ["b"]), {"level": 2.5}, bow.UnsupportedType, "level is 2.5"),
        ((["a"], ["b"]), {"compressor": "lz4", "level": 3}, bow.InvalidInput, "lz4 has none"),
        ((["a"], ["b"]), {"compressor": "rar"}, bow.InvalidInput, "rar"),
        (
            (["a"], ["b"]),
            {"compressor": "libdeflate", "level": 13},
            bow.InvalidInput,
            "level is 13",
        ),
        ((["a"], ["b"]), {"compressor": None}, bow.UnsupportedType, "compressor"),
        ((["a"], []), {}, bow.InvalidInput, "target"),
        ((["a"], [None]), {"concatenate": True}, bow.InvalidInput, "target"),
        ((["a"], ["b"]), {"concatenate": 1}, bow.UnsupportedType, "concatenate"),
        ((["a", None], ["b"], 2), {}, bow.InvalidInput, "k is 2"),
        ((["a"], ["b"], -1), {}, bow.InvalidInput, "k is -1"),
        (([[1, 2]], ["b"]), {}, bow.UnsupportedType, "tokens"),
        ((["a"], [[1]]), {}, bow.UnsupportedType, "tokens"),
        (([1.5], ["b"]), {}, bow.UnsupportedType, "candidates"),
        ((["a"], "b"), {}, bow.InvalidInput, "target"),
        ((["a"], ["b"]), {"threads": 0}, bow.InvalidInput, "threads"),
        ((["a"], ["b"]), {"progress": 3}, bow.UnsupportedType, "progress"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    arguments: Any, options: Any, error: Any, said: str
) -> None:
    with pytest.raises(error, match=said):
        bow.select.align(*arguments, **options)


def test_columns_that_do_not_go_together_are_refused() -> None:
    with pytest.raises(bow.InvalidInput, match="a has 2 rows and b has 1"):
        bow.select.ncd(["a", "b"], ["c"], pairs=True)
    with pytest.raises(bow.InvalidInput, match="b has 0 rows"):
        bow.select.ncd(["a"], [])
    with pytest.raises(bow.UnsupportedType, match="pairs"):
        bow.select.ncd(["a"], ["b"], pairs=None)  # type: ignore[arg-type]


def test_progress_counts_pairs_and_can_stop() -> None:
    told: list[Any] = []
    rows = [str(at) * 50 for at in range(500)]
    bow.select.align(rows, rows[:20], progress=lambda *state: told.append(state))
    assert told[-1] == ("querying", 10_000, 10_000)

    def stop(*_: Any) -> None:
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        bow.select.align(rows, rows, progress=stop)


def test_ctrl_c_stops_a_long_text(run_python: Any) -> None:
    script = """
import os, random, signal, threading, time
import bowstring as bow
# A shell that runs this beside itself has it ignore the signal.
signal.signal(signal.SIGINT, signal.default_int_handler)
bow.select.align(["a"], ["a"])
letters = bytes(byte % 4 for byte in range(256))
text = random.Random(0).randbytes(30_000_000).translate(letters)
threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
begun = time.monotonic()
try:
    bow.select.align([text], [text])
except KeyboardInterrupt:
    assert time.monotonic() - begun < 20
    print("stopped")
else:
    print("not stopped")
"""
    assert run_python(script) == "stopped\n"
