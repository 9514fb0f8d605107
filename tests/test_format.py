"""The files: read with NumPy alone, the same every time, and never trusted."""

from __future__ import annotations

import contextlib
import itertools
import json
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given

import bowstring as bow
from oracles import container, fm, search
from strategies import KINDS, Case, Kind, cases

NewPath = Callable[[], Path]
RunPython = Callable[..., str]

ROWS: dict[str, list[Any]] = {
    "string": ["to be, or not to be", None, "", "é€𝄞 to be", "banana" * 40],
    "binary": [bytes(range(256)), None, b"", b"\xff\xfe\0to be"],
    "tokens": [[1, 2, 3, 70_000], None, [], [2, 3] * 20],
}
TYPES = {"string": pa.string(), "binary": pa.binary(), "tokens": pa.list_(pa.int64())}


FORMS: dict[str, dict[str, Any]] = {
    "suffix": {},
    "fast": {"kind": "fm", "profile": "fast"},
    "compact": {"kind": "fm", "profile": "compact"},
}
"""How an index is made, by name."""


def _build(kind: str, path: Path, form: str = "suffix") -> Path:
    """Two segments, nulls, and in the larger one several keys."""
    index = bow.index(pa.array(ROWS[kind], TYPES[kind]), path=path, **FORMS[form])
    index.append(pa.array(ROWS[kind][-1:], TYPES[kind]))
    return path


GOLDEN = Path(__file__).parent / "data" / "format-1"


def _files(path: Path) -> list[str]:
    """The files that hold the index: its lock is empty."""
    return sorted(file.name for file in path.iterdir() if file.name != "lock")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ROWS)
def test_an_index_of_each_format_is_read_and_written_the_same(
    kind: str, form: str, new_path: NewPath
) -> None:
    """What `_build` wrote when the format was new: to change it takes a new format number."""
    golden = GOLDEN / (f"{kind}.bow" if form == "suffix" else f"{kind}-{form}.bow")
    index = bow.open(golden)
    index.verify()
    rows = [*ROWS[kind], ROWS[kind][-1]]
    assert index.text(range(len(rows))).to_pylist() == rows
    query = [2, 3] if kind == "tokens" else "to be" if kind == "string" else b"to be"
    assert index.count(query) == search.count(rows, query) > 0
    built = _build(kind, new_path(), form)
    assert _files(built) == _files(golden)
    for name in _files(built):
        assert (built / name).read_bytes() == (golden / name).read_bytes()


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_numpy_alone_reads_an_index(kind: Kind, new_path: NewPath) -> None:
    @given(cases(kind))
    def check(case: Case) -> None:
        path = new_path()
        index = bow.index(pa.array(case.pieces[0], kind.type), path=path)
        for piece in case.pieces[1:]:
            index.append(pa.array(piece, kind.type))
        manifest = container.read_manifest(path)
        assert manifest["magic"] == "bowstring"
        assert manifest["format"] == 1
        assert manifest["column"] == kind.name
        rows: list[Any] = []
        for segment in container.read_index(path):
            _check_segment(segment, kind.name)
            rows += _values(segment.rows(), kind.name)
        assert rows == case.rows

    check()


def _values(rows: list[Any], column: str) -> list[Any]:
    """Rows of symbols as Python has them."""
    values: list[Any] = []
    for row in rows:
        if row is None:
            values.append(None)
        elif column == "tokens":
            values.append(row.tolist())
        else:
            raw = row.astype(np.uint8).tobytes()
            values.append(raw.decode() if column == "string" else raw)
    return values


@pytest.mark.parametrize("profile", ["fast", "compact"])
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_numpy_alone_reads_a_compressed_index(kind: Kind, profile: str, new_path: NewPath) -> None:
    def check(rows: list[Any]) -> None:
        path = new_path()
        bow.index(pa.array(rows, kind.type), path=path, kind="fm", profile=profile)
        manifest = container.read_manifest(path)
        assert manifest["kind"] == {"fm": profile}
        read: list[Any] = []
        for one in container.read_index(path):
            segment = fm.FmSegment(one)
            assert one.header["kind"] == "fm"
            assert segment.meta["profile"] == profile
            text, begins = segment.text
            big = text.astype(f">u{segment.meta['width']}").tobytes()
            width = segment.meta["width"]
            suffixes = [big[width * begin :] for begin in begins]
            assert suffixes == sorted(suffixes)
            segment.check_samples()
            read += _values(one.rows(text), kind.name)
        assert read == rows

    @given(cases(kind))
    def check_each(case: Case) -> None:
        check(case.rows)

    check_each()
    if kind.name == "string":
        # Runs, blocks as they are, and lists of places.
        words = np.random.default_rng(1).choice(["ab", "ba", "cc" * 9, "d"], 1_500)
        check([" ".join(words[:1_000]), "a" * 2_000, "".join(words[1_000:])])


def _check_segment(segment: container.Segment, column: str) -> None:
    """Every block is what the format says it is, the suffix array above all."""
    header, blocks = segment.header, segment.blocks
    meta = header["meta"]
    assert header["format"] == 1
    assert header["kind"] == "suffix"
    assert meta["column"] == column
    text = blocks["text"]
    assert len(text) == meta["symbols"]
    assert text.dtype.itemsize == meta["width"]
    ends = blocks["row_ends"].astype(np.int64)
    assert len(ends) == meta["rows"]
    assert (np.diff(ends) > 0).all()
    assert (np.flatnonzero(text == meta["separator"]) == ends).all(), "one separator a row"
    if len(text):
        assert ends[-1] == len(text) - 1
    if "validity" in blocks:
        assert len(blocks["validity"]) == -(-meta["rows"] // 8)
        assert any(row is None for row in segment.rows())
    suffixes = blocks["suffix_array"]
    big = text.astype(f">u{meta['width']}").tobytes()
    width = meta["width"]
    assert sorted(suffixes.tolist()) == list(range(len(text)))
    at = [int(suffix) * width for suffix in suffixes]
    assert all(big[a:] < big[b:] for a, b in itertools.pairwise(at))
    keys, skips = _tree(big, at, width)
    assert blocks["keys"].tolist() == keys
    assert blocks["skips"].tolist() == skips


def _tree(big: bytes, at: list[int], width: int) -> tuple[list[int], list[int]]:
    """Make keys and skips as docs/format.md says; `at` is where suffixes start in `big`."""
    keys: list[int] = []
    skips: list[int] = []
    items = at[::96]
    while items:
        for node in range(0, len(items), 16):
            skip = 0
            if node + 16 < len(items):
                pair = zip(big[items[node] :], big[items[node + 16] :], strict=False)
                equal = sum(1 for _ in itertools.takewhile(lambda two: two[0] == two[1], pair))
                skip = min(equal // width, 65535)
            skips.append(skip)
            for item in items[node : node + 16]:
                start = item + skip * width
                keys.append(int.from_bytes(big[start : start + 8].ljust(8, b"\0"), "big"))
        items = items[::16] if len(items) > 16 else []
    return keys, skips


def test_the_tree_of_keys_has_several_levels(new_path: NewPath) -> None:
    random = np.random.default_rng(5)
    words = [
        "alpha ",
        "beta ",
        "gamma delta ",
        "".join("ab"[bit] for bit in random.integers(0, 2, 90)),
    ]
    text = "".join(words[at] for at in random.integers(0, 4, 2500))
    token_rows = [
        random.integers(0, 3, 30_000).tolist(),
        random.integers(65_000, 65_535, 9).tolist(),
    ]
    for column, name in (([text], "string"), (token_rows, "tokens")):
        path = new_path()
        bow.index(column, path=path)
        (segment,) = container.read_index(path)
        assert len(segment.blocks["skips"]) > 1 + 16
        assert segment.blocks["skips"].max() >= 2
        _check_segment(segment, name)


def test_equal_input_gives_equal_bytes(new_path: NewPath) -> None:
    for kind in ROWS:
        first, second = _build(kind, new_path()), _build(kind, new_path())
        assert _files(first) == ["000001.seg", "000002.seg", "manifest.json"]
        for name in _files(first):
            assert (first / name).read_bytes() == (second / name).read_bytes()


def test_neither_threads_nor_chunks_nor_layouts_change_the_bytes(new_path: NewPath) -> None:
    rows = [f"row {number} of text" for number in range(500)]
    column = pa.array(rows)
    files = []
    for data, threads in (
        (column, 1),
        (column, 2),
        (pa.chunked_array([rows[:77], rows[77:]]), 2),
        (pa.array(rows, pa.string_view()), None),
        (column.dictionary_encode(), 1),
        # Threads do not always end in the order in which they began.
        *[(column, 2)] * 30,
    ):
        path = new_path()
        bow.index(data, path=path, segment_symbols=3_000, threads=threads)
        files.append({name: (path / name).read_bytes() for name in _files(path)})
    assert len(files[0]) > 3
    assert all(names == files[0] for names in files)


def test_append_leaves_the_segments_that_are_there(new_path: NewPath) -> None:
    path = _build("string", new_path())
    before = {name: (path / name).read_bytes() for name in _files(path)}
    bow.open(path).append(["more"])
    assert _files(path) == ["000001.seg", "000002.seg", "000003.seg", "manifest.json"]
    for name in ("000001.seg", "000002.seg"):
        assert (path / name).read_bytes() == before[name]


def test_no_file_is_left_that_the_manifest_does_not_name(new_path: NewPath) -> None:
    path = _build("string", new_path())
    index = bow.open(path)
    index.compact()
    index.append(["more"])
    index.compact()
    bow.index(["new"], path=path, overwrite=True)
    named = {entry["file"] for entry in container.read_manifest(path)["segments"]}
    assert set(_files(path)) == named | {"manifest.json"}


def test_an_index_may_be_moved_and_read_only(new_path: NewPath) -> None:
    path = _build("string", new_path())
    moved = path.rename(path.with_suffix(".moved"))
    for name in _files(moved):
        (moved / name).chmod(0o444)
    assert bow.open(moved).count("to be") == 3
    assert bow.open(str(moved) + "/").count("to be") == 3


# What each damaged copy is put to, in a process of its own: damage must not end it.
_DAMAGED = """
import faulthandler, json, os, resource, signal, sys
import pyarrow as pa
import bowstring as bow

faulthandler.enable()
# Sizes that come from a damaged file must not be asked of the machine.
resource.setrlimit(resource.RLIMIT_AS, (16 << 30, 16 << 30))
folder, kind, mode, plan = sys.argv[1:]
REFUSALS = (bow.CorruptIndex, bow.IndexFormatError)
ASKED = {
    "string": (["be", "a", "anan", None], "to AND (be OR é)"),
    "binary": ([b"be", b"\\xff", b"\\x01\\x02", None], [[b"to"], [b"be", b"\\0"]]),
    "tokens": (pa.array([[2], [2, 3], [70_000], None]), [[[2]], [[3], [70_000]]]),
}[kind]

def ask(index):
    queries, search = ASKED
    for work in (
        lambda: index.info,
        lambda: len(index),
        lambda: index.count(queries),
        lambda: index.locate(queries),
        lambda: index.locate(queries, limit=3, seed=1),
        lambda: index.rows(queries),
        lambda: index.context(queries, width=10),
        lambda: index.text(range(min(len(index), 100))),
        lambda: index.text(range(min(len(index), 100)), 0, 2),
        lambda: index.search(search),
        lambda: index.search(search, within=9),
        lambda: index.search(search, max_matches=2),
    ):
        try:
            result = work()
            if isinstance(result, (pa.Table, pa.Array)):
                result.validate(full=True)
        except (bow.BowstringError, pa.ArrowInvalid) as error:
            assert str(error)

def attempt(case):
    signal.alarm(20)
    os.pwrite(note, json.dumps(case).encode().ljust(100), 0)
    try:
        index = bow.open(folder)
        if mode == "verify":
            index.verify()
            print("undetected:", case)
        else:
            ask(index)
    except REFUSALS as error:
        assert folder in str(error) or ".seg" in str(error) or "manifest" in str(error), error
    except BaseException as error:
        print(type(error).__name__, error, case)
    signal.alarm(0)

note = os.open(folder + ".case", os.O_RDWR | os.O_CREAT)
for name, size, flips in json.load(open(plan)):
    file = os.path.join(folder, name)
    whole = open(file, "rb").read()
    if size is not None:
        # A new file: nothing that may still be mapped is cut.
        os.unlink(file)
        open(file, "wb").write((whole + bytes(8192))[:size])
        attempt([name, "size", size])
    for at, bit in flips:
        with open(file, "r+b") as handle:
            os.pwrite(handle.fileno(), bytes([whole[at] ^ 1 << bit]), at)
            attempt([name, at, bit])
            os.pwrite(handle.fileno(), whole[at : at + 1], at)
    if size is not None:
        os.unlink(file)
        open(file, "wb").write(whole)
"""


def _run_damage(
    run_python: RunPython, path: Path, kind: str, mode: str, plan: list[tuple[str, Any, Any]]
) -> None:
    (listed := path.with_suffix(".plan")).write_text(json.dumps(plan))
    try:
        printed = run_python(_DAMAGED, path, kind, mode, listed, timeout=600)
    except AssertionError as error:
        case = path.with_name(path.name + ".case").read_text().strip()
        raise AssertionError(f"died on {case}: {error}") from None
    assert printed == "", printed[:2000]


def _flips(
    path: Path, random: np.random.Generator, step: int, every: bool
) -> list[tuple[str, Any, Any]]:
    """Of what is parsed every bit, or many; of the blocks one of every `step` bytes."""
    plan: list[tuple[str, Any, Any]] = []
    for name in _files(path):
        size = (path / name).stat().st_size
        parsed = size
        if name.endswith(".seg"):
            parsed = 24 + struct.unpack_from("<Q", (path / name).read_bytes(), 8)[0]
        flips = [
            (at, bit)
            for at in range(size)
            for bit in (
                range(8)
                if every or at < 24 or (at < parsed and at % 3 == 0)
                else [int(random.integers(8))] * (at % step == 0)
            )
        ]
        plan.append((name, None, flips))
    return plan


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ROWS)
def test_every_flipped_bit_is_found(
    kind: str, form: str, new_path: NewPath, run_python: RunPython, thorough: bool
) -> None:
    """By `open` or by `verify`, whichever byte of whichever file it is in, padding included."""
    path = _build(kind, new_path(), form)
    plan = _flips(path, np.random.default_rng(1), 1, thorough)
    assert sum(len(flips) for _, _, flips in plan) > 4_000
    _run_damage(run_python, path, kind, "verify", plan)
    bow.open(path).verify()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ROWS)
def test_no_flipped_bit_ends_the_process(
    kind: str, form: str, new_path: NewPath, run_python: RunPython, thorough: bool
) -> None:
    """Without `verify` an answer may be wrong; but it is an answer, or an error of ours."""
    path = _build(kind, new_path(), form)
    plan = _flips(path, np.random.default_rng(2), 3, thorough)
    _run_damage(run_python, path, kind, "ask", plan)


def test_every_other_length_is_found(
    new_path: NewPath, run_python: RunPython, thorough: bool
) -> None:
    """A file that lost its end, all of it, or grew."""
    path = _build("string", new_path())
    plan: list[tuple[str, Any, Any]] = []
    for name in _files(path):
        size = (path / name).stat().st_size
        cuts = set(range(0, size, 1 if thorough else 7)) | set(range(max(0, size - 80), size))
        plan += [(name, cut, []) for cut in sorted(cuts | {size + 1, size + 64, size + 4096})]
    _run_damage(run_python, path, "string", "verify", plan)
    bow.open(path).verify()


def test_lengths_are_checked_by_open_alone(new_path: NewPath) -> None:
    for name in ("000001.seg", "000002.seg", "manifest.json"):
        path = _build("string", new_path())
        whole = (path / name).read_bytes()
        for changed in (b"", whole[:-1], whole[: len(whole) // 2], whole + b"\0"):
            (path / name).unlink()
            (path / name).write_bytes(changed)
            with pytest.raises((bow.CorruptIndex, bow.IndexFormatError), match=name):
                bow.open(path)


def test_forged_files_are_accepted_when_they_tell_the_truth(new_path: NewPath) -> None:
    """Else the tests below would prove nothing."""
    for kind, rows in ROWS.items():
        path = _build(kind, new_path())
        container.forge(path)
        index = bow.open(path)
        index.verify()
        assert index.text(range(len(rows))).to_pylist() == rows


BLOCK_LIES: list[tuple[str, Any]] = [
    ("offset", 0),
    ("offset", 63),
    ("offset", 4097),
    ("offset", 1 << 20),
    ("offset", 2**63),
    ("offset", 2**64 - 64),
    ("offset", -64),
    ("offset", 1.5),
    ("offset", "4096"),
    ("offset", None),
    ("length", 0),
    ("length", 1),
    ("length", 1 << 30),
    ("length", 2**64 - 1),
    ("length", -1),
    ("dtype", "f64"),
    ("dtype", 7),
    ("crc32", -1),
    ("crc32", "0"),
]

HEADER_LIES: list[tuple[str, container.Edit]] = [
    *(
        (
            f"{block} {field} {lie}",
            lambda head, block=block, field=field, lie=lie: head["blocks"][block].update(
                {field: lie}
            ),
        )
        for block in ("text", "suffix_array", "row_ends", "keys", "skips", "validity")
        for field, lie in BLOCK_LIES
        if (block, field, lie) != ("validity", "length", 1)  # which is the truth
    ),
    *(
        (f"no {block}", lambda head, block=block: head["blocks"].pop(block))
        for block in ("text", "suffix_array", "row_ends", "keys", "skips")
    ),
    *(
        (f"{name} {lie}", lambda head, name=name, lie=lie: head["meta"].update({name: lie}))
        for name, lies in (
            ("rows", (0, 4, 6, 2**40, 2**63, -1, "5", None)),
            ("symbols", (0, 1, 2**31, 2**40, 2**64 - 1, -1, "1", None)),
            ("width", (0, 2, 3, 4, 8, -1, "1")),
            ("column", ("binary", "tokens", "words", 1, None)),
            ("separator", (256, 2**32, -1, "x", None)),
        )
        for lie in lies
    ),
    *(
        (f"{name} {lie!r}", lambda head, name=name, lie=lie: head.update({name: lie}))
        for name, lies in (
            ("format", (0, 2, 2**40, "1", None)),
            ("kind", ("fm", "", 1, None)),
            ("length", (0, 64, 2**63, -1, "1", None)),
            ("blocks", ({}, [], None)),
            ("meta", ({}, [], None)),
        )
        for lie in lies
    ),
    *(
        (f"without {name}", lambda head, name=name: head.pop(name))
        for name in ("blocks", "meta", "format", "kind", "length")
    ),
]


@pytest.mark.parametrize("lie", [lie for _, lie in HEADER_LIES], ids=[n for n, _ in HEADER_LIES])
def test_a_header_that_lies_is_refused(lie: container.Edit, new_path: NewPath) -> None:
    """With every checksum right, as a hostile writer has them."""
    path = _build("string", new_path())
    container.forge(path, header=lie)
    with pytest.raises((bow.CorruptIndex, bow.IndexFormatError), match=r"000001\.seg"):
        bow.open(path).verify()


MANIFEST_LIES: list[tuple[str, container.Edit]] = [
    *(
        (f"{name} {lie!r}", lambda m, name=name, lie=lie: m["segments"][0].update({name: lie}))
        for name, lies in (
            ("rows", (0, 4, 2**63, -1, "5", None)),
            ("symbols", (0, 1, 2**40, -1, None)),
            ("length", (0, 2**63, -1, None)),
            ("crc32", (0, -1, 2**40, None)),
            (
                "file",
                (
                    "000009.seg",
                    "",
                    ".",
                    "..",
                    "../000001.seg",
                    "a/b.seg",
                    "/etc/hostname",
                    "manifest.json",
                    "000001.seg\0",
                    1,
                    None,
                ),
            ),
        )
        for lie in lies
    ),
    *(
        (f"{name} {lie!r}", lambda m, name=name, lie=lie: m.update({name: lie}))
        for name, lies in (
            ("column", ("binary", "words", None)),
            ("format", (0, 2, "1", None)),
            ("magic", ("bowstrong", None)),
            ("segments", (None, {}, [{}], [1])),
        )
        for lie in lies
    ),
    *(
        (f"without {name}", lambda m, name=name: m.pop(name))
        for name in ("column", "format", "magic", "segments")
    ),
]


@pytest.mark.parametrize(
    "lie", [lie for _, lie in MANIFEST_LIES], ids=[n for n, _ in MANIFEST_LIES]
)
def test_a_manifest_that_lies_is_refused(lie: container.Edit, new_path: NewPath) -> None:
    path = _build("string", new_path())
    manifest = container.read_manifest(path)
    lie(manifest)
    container.write_manifest(path, manifest)
    with pytest.raises((bow.CorruptIndex, bow.IndexFormatError)):
        bow.open(path).verify()


_HOSTILE = (
    _DAMAGED[: _DAMAGED.index("def attempt")]
    + """
import numpy as np
from pathlib import Path

sys.path.insert(0, mode)
from oracles import container

WIDTHS = {"keys": "<u8", "skips": "<u2"}

def scramble(name, make):
    def edit(blocks):
        width = WIDTHS.get(name, "<u4") if name in MADE else "u1"
        blocks[name] = make(np.frombuffer(blocks[name], width))
    return edit

random = np.random.default_rng(1)
most = 2**32 - 1
MADE = {
    "suffix_array": [
        lambda a: np.full_like(a, most).tobytes(),
        lambda a: np.full_like(a, len(a)).tobytes(),
        lambda a: np.zeros_like(a).tobytes(),
        lambda a: a[::-1].tobytes(),
        lambda a: random.permutation(a).tobytes(),
        lambda a: random.integers(0, most, len(a), dtype="<u4").tobytes(),
    ],
    "row_ends": [
        lambda a: np.full_like(a, most).tobytes(),
        lambda a: np.zeros_like(a).tobytes(),
        lambda a: a[::-1].tobytes(),
        lambda a: random.integers(0, most, len(a), dtype="<u4").tobytes(),
        lambda a: (a + 1).astype("<u4").tobytes(),
        lambda a: np.concatenate([a[:-1], [2**31]]).astype("<u4").tobytes(),
    ],
    "keys": [
        lambda a: np.full_like(a, 2**64 - 1).tobytes(),
        lambda a: np.zeros_like(a).tobytes(),
        lambda a: a[::-1].tobytes(),
        lambda a: random.integers(0, 2**63, len(a)).astype("<u8").tobytes(),
    ],
    "skips": [
        lambda a: np.full_like(a, 2**16 - 1).tobytes(),
        lambda a: (a + 1).astype("<u2").tobytes(),
    ],
}
(segment, *_) = sorted(Path(folder).glob("*.seg"))
there = container.read_segment(segment).blocks
tries = [(name, make) for name, makes in MADE.items() for make in makes if name in there]
tries += [
    (name, make)
    for name in there
    if name not in MADE
    for make in (
        lambda a: random.bytes(a.nbytes),
        lambda a: bytes(a.nbytes),
        lambda a: bytes([255]) * a.nbytes,
        lambda a: a.tobytes()[::-1],
        lambda a: (np.frombuffer(a.tobytes(), "u1") ^ random.choice([0, 0, 0, 1, 128], a.nbytes))
        .astype("u1").tobytes(),
    )
]
kept = plan + ".kept"
os.rename(folder, kept)
import shutil
for number in range(200):
    name, make = tries[number % len(tries)]
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(kept, folder)
    edit = scramble(name, make)
    container.forge(Path(folder), blocks=edit)
    signal.alarm(20)
    os.write(2, f"{number} {name}\\n".encode())
    try:
        ask(bow.open(folder))
        bow.open(folder).compact()
        bow.open(folder).append(pa.array([], {"string": pa.string(), "binary": pa.binary(),
                                "tokens": pa.list_(pa.int64())}[kind]))
    except bow.BowstringError as error:
        assert str(error)
    except BaseException as error:
        print(type(error).__name__, error, number, name)
    signal.alarm(0)
"""
)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ROWS)
def test_hostile_blocks_do_not_end_the_process(
    kind: str, form: str, new_path: NewPath, run_python: RunPython
) -> None:
    """Numbers of a file with all checksums right point nowhere: an error, or any answer."""
    path = _build(kind, new_path(), form)
    here = Path(__file__).parent
    assert run_python(_HOSTILE, path, kind, here, path.with_suffix(".plan")) == ""


def test_foreign_files(new_path: NewPath, tmp_path: Path) -> None:
    path = _build("string", new_path())
    raw = (path / "000001.seg").read_bytes()
    foreign = [b"PAR1" + bytes(1000), b"{}", b"", bytes(5000), raw[:8] + bytes(5000)]
    for content in foreign:
        (path / "000001.seg").unlink()
        (path / "000001.seg").write_bytes(content)
        with pytest.raises((bow.CorruptIndex, bow.IndexFormatError), match=r"000001\.seg"):
            bow.open(path)
    for number, text in enumerate(
        [
            "hello",
            "",
            "[]",
            "{}",
            "null",
            '{"crc32": 0}',
            '{"manifest": {}, "crc32": 1}',
            '{"version": 3, "files": []}',
            "[" * 100_000,
            '{"a":' * 100_000,
            "\xff\xfe",
        ]
    ):
        other = tmp_path / f"{number}"
        other.mkdir()
        (other / "manifest.json").write_text(text, encoding="latin-1")
        with pytest.raises((bow.CorruptIndex, bow.IndexFormatError)):
            bow.open(other)


def test_a_deep_header_is_refused(new_path: NewPath) -> None:
    """Its checksum is right; parsing it must not exhaust the stack."""
    path = _build("string", new_path())
    deep = (b"[" * 100_000).ljust(100_008)
    deep = deep.ljust(-(-(len(deep) + 24) // 64) * 64 - 24)
    crc = zlib.crc32(deep)
    data = container.MAGIC + struct.pack("<QII", len(deep), crc, 0) + deep
    (path / "000001.seg").unlink()
    (path / "000001.seg").write_bytes(data)
    manifest = container.read_manifest(path)
    manifest["segments"][0] |= {"crc32": crc, "length": len(data)}
    container.write_manifest(path, manifest)
    with pytest.raises((bow.CorruptIndex, bow.IndexFormatError)):
        bow.open(path)


def test_newer_versions_say_that_they_are(new_path: NewPath) -> None:
    path = _build("string", new_path())
    container.forge(path, header=lambda head: head.update(format=2))
    with pytest.raises(bow.IndexFormatError, match="format 2"):
        bow.open(path)
    path = _build("string", new_path())
    manifest = container.read_manifest(path)
    # A newer manifest may hold what we do not know; its checksum is right.
    manifest |= {"format": 2, "novelty": [1.5, {"deep": None}]}
    container.write_manifest(path, manifest)
    with pytest.raises(bow.IndexFormatError, match="format 2"):
        bow.open(path)


def test_where_there_is_no_index(tmp_path: Path, new_path: NewPath) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("text")
    for missing in ("nothing", "empty"):
        with pytest.raises(FileNotFoundError, match=missing):
            bow.open(tmp_path / missing)
    with pytest.raises((bow.IndexFormatError, NotADirectoryError), match="file"):
        bow.open(tmp_path / "file")
    path = _build("string", new_path())
    (path / "000002.seg").unlink()
    with pytest.raises(bow.CorruptIndex, match=r"000002\.seg"):
        bow.open(path)


def test_a_damaged_index_is_not_added_to_but_may_be_replaced(new_path: NewPath) -> None:
    for name in ("manifest.json", "000001.seg"):
        path = _build("string", new_path())
        reader = bow.open(path)
        whole = (path / name).read_bytes()
        (path / name).unlink()
        (path / name).write_bytes(whole[:-1])
        for change in (lambda index: index.append(["more"]), bow.Index.compact):
            with pytest.raises((bow.CorruptIndex, bow.IndexFormatError), match=name):
                change(reader)
        with pytest.raises(bow.InvalidInput, match="overwrite"):
            bow.index(["new"], path=path)
        assert bow.index(["new"], path=path, overwrite=True).count("new") == 1
        bow.open(path).verify()


def test_paths_that_cannot_be_built_at(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    with pytest.raises((OSError, bow.BowstringError), match="file"):
        bow.index(["a"], path=tmp_path / "file")
    assert (tmp_path / "file").read_text() == "text"
    with pytest.raises((OSError, bow.BowstringError), match="file"):
        bow.index(["a"], path=tmp_path / "file", overwrite=True)
    assert (tmp_path / "file").read_text() == "text"
    # A directory of somebody else's is kept, whether or not an index may join it.
    for overwrite in (False, True):
        with contextlib.suppress(OSError, bow.BowstringError):
            bow.index(["a"], path=tmp_path / "full", overwrite=overwrite)
        assert (tmp_path / "full" / "notes.txt").read_text() == "mine"
    nested = bow.index(["a"], path=tmp_path / "ünder" / "sp ace.bow")
    assert nested.count("a") == bow.open(tmp_path / "ünder" / "sp ace.bow").count("a") == 1


def test_damage_behind_a_reader_is_no_crash(new_path: NewPath) -> None:
    """Files that are replaced or unlinked do not change what an open index answers."""
    path = _build("string", new_path())
    index = bow.open(path)
    before = index.locate("be").to_pylist()
    shutil.rmtree(path)
    assert index.locate("be").to_pylist() == before
    assert index.count("be") == search.count([*ROWS["string"], ROWS["string"][-1]], "be")
