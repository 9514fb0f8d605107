"""Taking duplicates out of a corpus, against google-research/deduplicate-text-datasets.

Both read the corpus as Parquet holds it, find every passage of 100 bytes that occurs twice, and
write what is left. Takes the program that the peer's repository builds (`--binary`); without it the
counts are checked that it gives for two of the corpora, and our own figures are taken.

    python benches/compare_duplicates.py [CORPUS ...] [--binary PATH]
"""

from __future__ import annotations

import argparse
import os
import struct
from pathlib import Path
from typing import Any

import corpora
import measure

BENCH = "duplicates"
LENGTH = 100

# What the peer finds with ff ff and a number of 32 bits before each document: positions whose
# window of 100 bytes occurs twice, and bytes that such windows cover. What an oracle of its own
# finds within rows: bytes covered by all copies, and by all but the first.
KNOWN = {
    "linux100m": (19_156_652, 30_976_879, 30_970_571, 23_160_903),
    "gcide": (90_436, 415_672, 412_016, 276_243),
}


def _blob(corpus: str) -> bytes:
    rows = enumerate(corpora.rows(corpus), 1)
    return b"".join(b"\xff\xff" + struct.pack("<I", number) + row.encode() for number, row in rows)


def counts(corpus: str) -> list[int]:
    """The peer's two counts, of the text as it has it, and the two within rows."""
    import numpy as np
    import pyarrow as pa

    import bowstring as bow

    passages = bow.duplicates([_blob(corpus)], min_length=LENGTH)
    starts, stops = (passages[name].to_numpy() for name in ("start", "stop"))
    # Starts and stops both ascend: what two passages share is counted once.
    before = np.concatenate([[0], stops[:-1]])
    covered = int((stops - np.maximum(starts, before)).sum())
    last = stops - LENGTH + 1
    before = np.concatenate([[0], last[:-1]])
    windows = int((last - np.maximum(starts, before)).sum())
    rows = corpora.column(corpus).cast(pa.large_binary())
    removed = [bow.deduplicate(rows, min_length=LENGTH, keep=keep).removed for keep in KEEPS]
    return [windows, covered, *removed]


KEEPS: tuple[Any, ...] = ("none", "first")


def ours(corpus: str, target: str) -> dict[str, float]:
    """Read, deduplicate and write, in a process of its own."""
    from bowstring.duplicates import deduplicate_parquet

    source = corpora.parquet(corpus)
    with measure.timed() as cost:
        deduplicate_parquet(source, target, "text", min_length=LENGTH, keep="none")
    return {"cpu": cost.cpu, "wall": cost.wall, "peak": measure.peak_memory()}


def peer(corpus: str, binary: Path, folder: Path) -> dict[str, float]:
    """The peer's steps, the suffix array in one piece or as its script has it, in four."""
    import compare_dedup

    text = folder / "text"
    text.write_bytes(_blob(corpus))
    cpu, peak = compare_dedup.four_parts(binary, text)
    cache = folder / "cache"
    cache.mkdir(exist_ok=True)
    common = ("--data-file", text, "--length-threshold", str(LENGTH), "--cache-dir", cache)
    threads = ("--num-threads", str(os.cpu_count()))
    for step in (("self-similar", *common, *threads), ("collect", *common)):
        cost, held = measure.command([binary, *step])
        cpu, peak = cpu + cost.cpu, max(peak, held)
    disk = measure.directory_bytes(folder)
    for file in (*cache.iterdir(), *folder.glob("text*")):
        file.unlink()
    return {"cpu": cpu, "peak": peak, "disk": disk}


def compare(corpus: str, binary: Path | None, runs: int) -> None:
    if corpus in KNOWN:
        found = measure.in_child(counts, corpus=corpus)
        measure.check(tuple(found) == KNOWN[corpus], f"the counts of {corpus}: {found}, which")
    size = corpora.text_bytes(corpus)
    with measure.scratch() as folder:
        target = str(folder / "clean.parquet")
        taken = [measure.in_child(ours, corpus=corpus, target=target) for _ in range(runs)]
        disk = Path(target).stat().st_size
        theirs = peer(corpus, binary, folder) if binary else None
    goal = 15 if corpus.startswith("linux") else 5
    for figure, key, unit, scale, least in (
        ("deduplicate, Parquet to Parquet: CPU", "cpu", "s", 1, goal),
        ("deduplicate: peak memory of the largest process", "peak", "bytes a byte", size, None),
    ):
        measure.report(
            *(BENCH, corpus, figure),
            unit=unit,
            ours=[one[key] / scale for one in taken],
            peer=theirs[key] / scale if theirs else None,
            ratio="peer/ours" if theirs else None,
            at_least=least if theirs else None,
            runs=runs,
        )
    measure.report(
        *(BENCH, corpus, "deduplicate: disk beside the corpus"),
        unit="bytes a byte",
        ours=disk / size,
        peer=theirs["disk"] / size if theirs else None,
        ratio="ours/peer" if theirs else None,
        at_most=0.5 if theirs else None,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpora", nargs="*", default=["linux100m", "gcide"], metavar="CORPUS")
    parser.add_argument("--binary", type=Path, help="the peer's program, dedup_dataset")
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    measure.require_release()
    for corpus in arguments.corpora:
        compare(corpus, arguments.binary and arguments.binary.resolve(), arguments.runs)


if __name__ == "__main__":
    main()
