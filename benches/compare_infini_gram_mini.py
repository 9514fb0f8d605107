"""An FM-index against infini-gram mini's engine over the same bytes, in the same run.

The engine is compiled from a checkout of its repository (`--source`), with pybind11 and a C++
compiler. Latencies are those of calls from Python with one query each. Its calls for a place and
for context take a rank that its `find` gave before, and that is not timed; ours find it too. It
never finds a tab: only patterns without one are asked.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import sysconfig
from pathlib import Path
from typing import Any

import corpora
import measure

BENCH = "infini-gram mini"
LENGTH = 20
CALLS = 400
BATCH = 1_000_000
SPAN = 1_000
# What each profile must reach: least ratio of the engine's time to ours.
GOALS = {
    "compact": {"count": 6, "place": 20, "context": 50, "build": 8},
    "fast": {"count": 10, "column": 40, "build": 8},
}
FIGURES = {
    "count": ("count, 20 bytes, one call", "count, peer"),
    "column": ("count, a column on 1 thread, a query; the peer's call", "count, peer"),
    "place": ("the place of what occurs once, one call", "place, peer"),
    "places": ("its place, a column on 1 thread, a query; the peer's call", "place, peer"),
    "context": (f"{SPAN:,} bytes around what occurs once, one call", "context, peer"),
    "contexts": (
        f"{SPAN:,} bytes around it, a column on 1 thread, a query; the peer's call",
        "context, peer",
    ),
}


def compile_engine(source: Path, folder: Path) -> None:
    """Compile the module that its users import, and the program that builds its index."""
    import pybind11

    common = ["c++", "-std=c++17", "-O3", "-w", "-I", source / "engine/src"]
    common += ["-I", source / "sdsl/include", "-L", source / "sdsl/lib"]
    libraries = ["-lsdsl", "-ldivsufsort", "-ldivsufsort64", "-pthread"]
    headers = [pybind11.get_include(), sysconfig.get_path("include")]
    module = folder / f"cpp_engine{sysconfig.get_config_var('EXT_SUFFIX')}"
    includes = [part for header in headers for part in ("-I", header)]
    sources = [source / "engine/src/cpp_engine.cpp", "-o", module]
    measure.command([*common, "-shared", "-fPIC", *includes, *sources, *libraries])
    program = [Path(__file__).parent / "infini_gram_mini.cpp", "-o", folder / "build"]
    measure.command([*common, "-no-pie", *program, *libraries])


def write_text(corpus: str, folder: Path) -> None:
    """Write the text as the engine wants it, a separator before each row, and the rows' starts."""
    import numpy as np

    text = np.fromfile(corpora.raw(corpus), np.uint8)
    separators = np.flatnonzero(text == corpora.SEPARATOR[0])
    np.concatenate([[corpora.SEPARATOR[0]], text]).astype(np.uint8).tofile(folder / "text")
    np.concatenate([[0], separators + 1]).astype("<u8").tofile(folder / "data_offset")


def build(corpus: str, path: str, profile: str) -> dict[str, float]:
    """Index the corpus; CPU seconds, and bytes a byte of text at the peak."""
    import bowstring as bow

    with measure.timed() as cost:
        bow.index(corpora.parquet(corpus), "text", path=path, kind="fm", profile=profile)
    return {"cpu": cost.cpu, "peak": measure.peak_memory() / corpora.text_bytes(corpus)}


def load_engine(folder: Path) -> Any:
    """Open the engine on what was built, in memory: the faster of its two ways."""
    module = next(folder.glob("cpp_engine.*"))
    spec = importlib.util.spec_from_file_location("cpp_engine", module)
    assert spec is not None and spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded.Engine([str(folder)], True, False)


def ask(folder: str, corpus: str, path: str, runs: int) -> dict[str, list[float]]:
    """Microseconds of each question to both, after their answers have been found equal."""
    import numpy as np
    import pyarrow as pa

    import bowstring as bow

    engine, index = load_engine(Path(folder)), bow.open(path)
    text = np.fromfile(corpora.raw(corpus), np.uint8)
    patterns = measure.sample_patterns(text, BATCH, LENGTH)
    patterns = patterns[(patterns != ord("\t")).all(axis=1)]
    some = measure.as_column(patterns[: 20 * CALLS])
    queries = some.to_pylist()
    counts = index.count(some).to_pylist()
    measure.check(counts == [engine.count(query).count for query in queries], "the counts")
    once = [query for query, count in zip(queries, counts, strict=True) if count == 1]
    asked = [(query, engine.find(query).segment_by_shard[0][0]) for query in once[:CALLS]]
    width = (SPAN - LENGTH) // 2
    for query, rank in asked:
        (here,) = index.context(query, width=width).to_pylist()
        theirs = engine.get_doc_by_rank(0, rank, LENGTH, width)
        measure.check(here["row"] == theirs.doc_ix, "the rows")
        ours = here["left"] + here["match"] + here["right"]
        measure.check(ours == theirs.text or not theirs.text.isascii(), "the contexts")
    column, unique = measure.as_column(patterns), pa.array(once)

    def middle(call: Any, queries: Any) -> float:
        return float(np.median(measure.latencies(call, queries))) / 1e3

    def a_query(call: Any, queries: Any, **options: Any) -> float:
        with measure.timed() as cost:
            call(queries, threads=1, **options)
        return cost.wall * 1e6 / len(queries)

    return measure.in_turn(
        {
            "count": lambda: middle(index.count, queries[:CALLS]),
            "count, peer": lambda: middle(engine.count, queries[:CALLS]),
            "column": lambda: a_query(index.count, column),
            "place": lambda: middle(lambda one: index.locate(one[0]), asked),
            "places": lambda: a_query(index.locate, unique),
            "place, peer": lambda: middle(
                lambda one: engine.get_doc_by_rank(0, one[1], 1, 0), asked
            ),
            "context": lambda: middle(lambda one: index.context(one[0], width=width), asked),
            "contexts": lambda: a_query(index.context, unique, width=width),
            "context, peer": lambda: middle(
                lambda one: engine.get_doc_by_rank(0, one[1], LENGTH, width), asked
            ),
        },
        runs,
    )


def compare(corpus: str, source: Path, runs: int) -> None:
    """Print every figure of both profiles."""
    size = corpora.text_bytes(corpus)
    with measure.scratch() as folder:
        compile_engine(source, folder)
        write_text(corpus, folder)
        program = [folder / "build", folder / "text", folder / "data.fm9"]
        peer, peak = measure.command(program, folder)
        for profile, goals in GOALS.items():
            path = str(folder / f"{profile}.bow")
            ours = measure.in_child(build, corpus=corpus, path=path, profile=profile)
            measure.report(
                *(BENCH, corpus, f"{profile}: build: CPU"),
                unit="s",
                ours=ours["cpu"],
                peer=peer.cpu,
                ratio="peer/ours",
                at_least=goals.get("build"),
            )
            measure.report(
                *(BENCH, corpus, f"{profile}: build: peak memory"),
                unit="bytes a byte of text",
                ours=ours["peak"],
                peer=peak / size,
                ratio="ours/peer",
            )
            measure.report(
                *(BENCH, corpus, f"{profile}: index on disk"),
                unit="bytes a byte of text",
                ours=measure.directory_bytes(Path(path)) / size,
                peer=(folder / "data.fm9").stat().st_size / size,
                ratio="ours/peer",
            )
            taken = measure.in_child(ask, folder=str(folder), corpus=corpus, path=path, runs=runs)
            for name, (figure, other) in FIGURES.items():
                measure.report(
                    *(BENCH, corpus, f"{profile}: {figure}"),
                    unit="us",
                    ours=taken[name],
                    peer=taken[other],
                    ratio="peer/ours",
                    at_least=goals.get(name),
                    runs=runs,
                )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpora", nargs="*", default=["linux100m"], metavar="CORPUS")
    parser.add_argument("--source", type=Path, help="checkout of the engine's repository")
    parser.add_argument("--runs", type=int, default=measure.RUNS)
    asked = parser.parse_args()
    measure.require_release()
    if asked.source is None or importlib.util.find_spec("pybind11") is None:
        measure.skip(BENCH, "needs pybind11, and --source, a checkout of xuhaoxh/infini-gram-mini")
        sys.exit(0)
    for corpus in asked.corpora:
        compare(corpus, asked.source.resolve(), asked.runs)


if __name__ == "__main__":
    main()
