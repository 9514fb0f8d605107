"""Building an index against bare libsais, which sorts the same bytes and does nothing else.

Ours reads the column, checks it, sorts, and (on disk) writes files with checksums; it uses one
thread for a text that fits one segment, as libsais does here.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from pathlib import Path
from typing import Any

import corpora
import measure

BENCH = "libsais"


def bare_libsais() -> Path:
    """The program that runs libsais alone, compiled now if need be."""
    build = [
        *("cargo", "build", "--release", "--package", "bowstring-benches"),
        *("--example", "bare_libsais", "--message-format", "json"),
    ]
    top = Path(__file__).resolve().parent.parent
    done = subprocess.run(build, cwd=top, stdout=subprocess.PIPE, text=True, check=True)
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    return Path(next(message["executable"] for message in messages if message.get("executable")))


def run_bare(program: Path, text: Path, *output: Path) -> dict[str, Any]:
    """Sort the bytes of a file."""
    done = subprocess.run([program, text, *output], stdout=subprocess.PIPE, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def build_in_memory(corpus: str) -> dict[str, float]:
    """Index a column that is in memory."""
    import bowstring as bow

    column = corpora.column(corpus)
    measure.forget_peak()
    # The column counts, the libraries that read it do not.
    before = measure.memory() - column.nbytes
    with measure.timed() as cost:
        index = bow.index(column)
    peak = measure.peak_memory()
    assert index.info.rows == len(column)
    return vars(cost) | {"peak": peak, "before": before}


def build_on_disk(corpus: str, path: str, memory: str | None = None) -> dict[str, float]:
    """Index a Parquet file into a directory."""
    import bowstring as bow

    before = measure.memory()
    with measure.timed() as cost:
        bow.index(corpora.parquet(corpus), "text", path=path, memory=memory, overwrite=True)
    return vars(cost) | {"peak": measure.peak_memory(), "before": before}


def blocks(path: str) -> dict[str, Any]:
    """The blocks of an index of one segment, mapped: docs/format.md says where they are."""
    import numpy as np

    (segment,) = Path(path).glob("*.seg")
    with segment.open("rb") as file:
        head = file.read(24)
        header = json.loads(file.read(int.from_bytes(head[8:16], "little")))
    types = {"u8": "<u1", "u16": "<u2", "u32": "<u4", "u64": "<u8"}
    found = {}
    for name, block in header["blocks"].items():
        dtype = np.dtype(types[block["dtype"]])
        shape = block["length"] // dtype.itemsize
        found[name] = np.memmap(segment, dtype, "r", block["offset"], shape)
    return found


def same_arrays(path: str, text: str, suffixes: str) -> bool:
    """Whether an index holds that text, and its suffixes in that order."""
    import numpy as np

    ours = blocks(path)
    return np.array_equal(ours["text"], np.fromfile(text, "<u1")) and np.array_equal(
        ours["suffix_array"], np.fromfile(suffixes, "<u4")
    )


def compare(corpus: str, runs: int) -> None:
    program, text = bare_libsais(), corpora.raw(corpus)
    with measure.scratch() as folder:
        path, array = folder / "index.bow", folder / "suffixes.bin"
        measure.in_child(build_on_disk, corpus=corpus, path=str(path))
        run_bare(program, text, array)
        same = measure.in_child(same_arrays, path=str(path), text=str(text), suffixes=str(array))
        measure.check(same, "the suffix arrays")
        array.unlink()
        results = measure.in_turn(
            {
                "bare": lambda: run_bare(program, text),
                "memory": lambda: measure.in_child(build_in_memory, corpus=corpus),
                "disk": lambda: measure.in_child(build_on_disk, corpus=corpus, path=str(path)),
            },
            runs,
        )
        on_disk = measure.directory_bytes(path)
    size = corpora.text_bytes(corpus)
    for how in ("memory", "disk"):
        for figure, field, goal in (("CPU", "cpu", 1.25), ("wall", "wall", None)):
            measure.report(
                *(BENCH, corpus, f"build, {how}: {figure}"),
                unit="s",
                ours=[run[field] for run in results[how]],
                peer=[run[field] for run in results["bare"]],
                ratio="ours/peer",
                at_most=goal,
                runs=runs,
            )
        measure.report(
            *(BENCH, corpus, f"build, {how}: peak memory above that before"),
            unit="bytes a byte of text",
            ours=[(run["peak"] - run["before"]) / size for run in results[how]],
            peer=[run["peak"] / size for run in results["bare"]],
            at_most=6.5,
            runs=runs,
            whole_process=round(max(run["peak"] for run in results[how]) / size, 3),
        )
    measure.report(
        *(BENCH, corpus, "index on disk"),
        unit="bytes a byte of text",
        ours=on_disk / size,
        at_most=5.1,
        runs=1,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpora", nargs="*", default=["linux100m"], metavar="CORPUS")
    parser.add_argument("--runs", type=int, default=measure.RUNS)
    arguments = parser.parse_args()
    measure.require_release()
    for corpus in arguments.corpora:
        compare(corpus, arguments.runs)


if __name__ == "__main__":
    main()
