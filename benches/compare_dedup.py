"""Building a suffix array against google-research/deduplicate-text-datasets.

Takes the program that its repository builds (`--binary`). Two ways to use it are measured: all of
the text in one piece, and what its README tells to do with a text of more than 10 MB, which is to
sort four parts and merge them.
"""

from __future__ import annotations

import argparse
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import compare_libsais
import corpora
import measure

BENCH = "deduplicate-text-datasets"
PARTS = 4
# Bytes that a part reads of the next one, so that the order of its last suffixes is right.
OVERLAP = 100_000


def one_piece(binary: Path, text: Path) -> tuple[float, int]:
    """Sort all of a text; the array is `text`.table.bin."""
    cost, peak = measure.command([binary, "make", "--data-file", text])
    return cost.cpu, peak


def four_parts(binary: Path, text: Path) -> tuple[float, int]:
    """Sort parts one after another and merge them; the array is `text`.table.bin."""
    size = text.stat().st_size
    step = size // PARTS
    cpu, peak = 0.0, 0
    merge: list[str | Path] = [binary, "merge", "--output-file", text.parent / "merged"]
    for part in range(PARTS):
        begin, end = str(part * step), str(min((part + 1) * step + OVERLAP, size))
        span = ("--start-byte", begin, "--end-byte", end)
        cost, held = measure.command([binary, "make-part", "--data-file", text, *span])
        cpu, peak = cpu + cost.cpu, max(peak, held)
        merge += ["--suffix-path", Path(f"{text}.part.{begin}-{end}")]
    cost, held = measure.command([*merge, "--num-threads", str(os.cpu_count())])
    with Path(f"{text}.table.bin").open("wb") as whole:
        for piece in sorted(text.parent.glob("merged.table.bin.*")):
            with piece.open("rb") as source:
                shutil.copyfileobj(source, whole)
            piece.unlink()
    for part_file in text.parent.glob(f"{text.name}.part.*"):
        part_file.unlink()
    return cpu + cost.cpu, max(peak, held)


def same_arrays(index: str, text: str) -> bool:
    """Whether the peer's array of the text is ours."""
    import numpy as np

    suffixes = compare_libsais.blocks(index)["suffix_array"]
    table = np.fromfile(f"{text}.table.bin", np.uint8).reshape(len(suffixes), -1)
    wide = np.zeros((len(suffixes), 4), np.uint8)
    wide[:, : table.shape[1]] = table
    return np.array_equal(wide.view("<u4").ravel(), suffixes)


def compare(corpus: str, binary: Path, runs: int, parts_runs: int) -> None:
    size = corpora.text_bytes(corpus)
    with measure.scratch() as folder:
        index, text = str(folder / "index.bow"), folder / "text"
        shutil.copyfile(corpora.raw(corpus), text)

        def ours() -> tuple[float, int]:
            built = measure.in_child(compare_libsais.build_on_disk, corpus=corpus, path=index)
            return built["cpu"], built["peak"]

        def checked(make: Callable[[Path, Path], tuple[float, int]]) -> None:
            make(binary, text)
            same = measure.in_child(same_arrays, index=index, text=str(text))
            measure.check(same, f"the suffix arrays ({make.__name__})")

        ours()
        checked(one_piece)
        results = measure.in_turn({"ours": ours, "peer": lambda: one_piece(binary, text)}, runs)
        _report(corpus, size, "one piece", results["ours"], results["peer"], None)
        if parts_runs:
            checked(four_parts)
            peer = [four_parts(binary, text) for _ in range(parts_runs)]
            _report(corpus, size, f"{PARTS} parts and merge", results["ours"], peer, 15)


def _report(
    corpus: str,
    size: int,
    how: str,
    ours: list[tuple[float, int]],
    peer: list[tuple[float, int]],
    goal: float | None,
) -> None:
    measure.report(
        *(BENCH, corpus, f"build, peer in {how}: CPU"),
        unit="s",
        ours=[cpu for cpu, _ in ours],
        peer=[cpu for cpu, _ in peer],
        ratio="peer/ours",
        at_least=goal,
        runs=len(ours),
    )
    measure.report(
        *(BENCH, corpus, f"build, peer in {how}: peak memory of the largest process"),
        unit="bytes a byte of text",
        ours=[peak / size for _, peak in ours],
        peer=[peak / size for _, peak in peer],
        ratio="peer/ours",
        runs=len(ours),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpora", nargs="*", default=["linux100m"], metavar="CORPUS")
    parser.add_argument("--binary", type=Path, help="the peer's program, dedup_dataset")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument(
        "--parts-runs", type=int, default=1, help="runs in four parts, minutes each; 0 for none"
    )
    arguments = parser.parse_args()
    if arguments.binary is None or not arguments.binary.exists():
        measure.skip(BENCH, "no program of the peer: build its repository and pass --binary PATH")
        return
    measure.require_release()
    for corpus in arguments.corpora:
        compare(corpus, arguments.binary.resolve(), arguments.runs, arguments.parts_runs)


if __name__ == "__main__":
    main()
