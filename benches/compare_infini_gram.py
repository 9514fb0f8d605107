"""Counting against infini-gram's engine (PyPI `infini-gram`) over the same bytes.

Its files are written from our suffix array, which puts the suffixes in the same order; with
`--build` its own indexer is run too, for what that takes. Latencies are those of calls from
Python with one query each, for which both have a method; the peer has no call for many queries,
so its rate is that of such calls.
"""

from __future__ import annotations

import argparse
import functools
import importlib.util
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import compare_libsais
import corpora
import measure

if TYPE_CHECKING:
    import numpy as np

BENCH = "infini-gram"
LENGTH = 20
CHECKED = 2_000
BATCH = 1_000_000

# The engine finds its files by these words, anywhere in their path.
WORDS = ("tokenized", "table", "offset", "metadata", "metaoff", "unigram")


def write_peer_files(index: str, folder: str) -> None:
    """Write the engine's index: a separator before each row, pointers of as few bytes as do.

    Its text is ours with one more separator in front, so every suffix moves by one, and the
    whole text is the one suffix that ours lacks.
    """
    import numpy as np

    blocks = compare_libsais.blocks(index)
    text, suffixes = blocks["text"], blocks["suffix_array"]
    tokens = np.concatenate([[corpora.SEPARATOR[0]], text]).astype(np.uint8)
    tokens.tofile(Path(folder, "tokenized.0"))
    starts = np.concatenate([[0], blocks["row_ends"].astype("<u8") + 1])
    starts.astype("<u8").tofile(Path(folder, "offset.0"))
    place = first_above(tokens, suffixes)
    table = np.insert(suffixes.astype("<u4") + 1, place, 0)
    width = math.ceil(math.log2(len(tokens)) / 8)
    table.view(np.uint8).reshape(-1, 4)[:, :width].tofile(Path(folder, "table.0"))


def first_above(tokens: np.ndarray, suffixes: np.ndarray) -> int:
    """The rank that the suffix from 0 has among those from 1 on, which are sorted."""
    low, high = 0, len(suffixes)
    while low < high:
        middle = (low + high) // 2
        if _below(tokens, int(suffixes[middle]) + 1):
            low = middle + 1
        else:
            high = middle
    return low


def _below(tokens: np.ndarray, start: int) -> bool:
    """Whether the suffix from `start` on comes before the whole text."""
    piece = 1 << 16
    for at in range(0, len(tokens) - start, piece):
        suffix = tokens[start + at : start + at + piece].tobytes()
        whole = tokens[at : at + len(suffix)].tobytes()
        if suffix != whole:
            return suffix < whole
    return True


def open_peer(folder: str, prefetch: dict[str, int]) -> Any:
    """The peer's engine over bytes."""
    from infini_gram import engine

    made: Any = engine.InfiniGramEngine
    return made(folder, eos_token_id=0, vocab_size=255, token_dtype="u8", **prefetch)


PREFETCH: dict[str, dict[str, int]] = {
    "prefetch 0": dict.fromkeys(("ds_prefetch_depth", "sa_prefetch_depth", "od_prefetch_depth"), 0),
    "as shipped": {},
}


def _count(engine: Any, ids: list[int]) -> Any:
    return engine.count(input_ids=ids)


def ask(corpus: str, index: str, folder: str, runs: int) -> dict[str, Any]:
    """Check that all count the same, then time single calls, all contestants in one process."""
    import numpy as np

    import bowstring as bow

    text = np.memmap(corpora.raw(corpus), np.uint8, "r")
    patterns = measure.sample_patterns(text, CHECKED * (runs + 1), LENGTH)
    strings = measure.as_column(patterns).to_pylist()
    lists = patterns.tolist()
    mapped, held = bow.open(index), bow.index(corpora.column(corpus))
    engines = {name: open_peer(folder, prefetch) for name, prefetch in PREFETCH.items()}

    counts = [mapped.count(string) for string in strings]
    answers = [
        [held.count(string) for string in strings],
        held.count(measure.as_column(patterns)).to_pylist(),
        *([_count(engine, ids)["count"] for ids in lists] for engine in engines.values()),
    ]
    same = min(counts) > 0 and all(answer == counts for answer in answers)

    contestants = {
        "mapped": measure.in_slices(mapped.count, strings, CHECKED),
        "held": measure.in_slices(held.count, strings, CHECKED),
    }
    for name, engine in engines.items():
        call = functools.partial(_count, engine)
        contestants[name] = measure.in_slices(call, lists, CHECKED)
    taken = measure.in_turn(contestants, runs) if same else {}
    return {
        "same": same,
        "median": {
            name: [float(np.median(one)) / 1e3 for one in all] for name, all in taken.items()
        },
        "p99": {
            name: [float(np.percentile(one, 99)) / 1e3 for one in all]
            for name, all in taken.items()
        },
        "rate": {name: [len(one) / one.sum() * 1e9 for one in all] for name, all in taken.items()},
    }


def ask_many(corpus: str, index: str, number: int, runs: int) -> dict[str, list[float]]:
    """Queries a second of one column, on one thread and on all."""
    import numpy as np

    import bowstring as bow

    text = np.memmap(corpora.raw(corpus), np.uint8, "r")
    column = measure.as_column(measure.sample_patterns(text, number, LENGTH))
    mapped = bow.open(index)

    def rate(threads: int | None) -> float:
        with measure.timed() as cost:
            mapped.count(column, threads=threads)
        return number / cost.wall

    return measure.in_turn({"1": lambda: rate(1), "all": lambda: rate(None)}, runs)


def peer_build(folder: Path, cores: int) -> tuple[measure.Cost, int]:
    """Run the peer's own indexer; the text is there, so that it has only to sort."""
    (folder / "table.0").unlink()
    (folder / "in").mkdir()
    return measure.command(
        [
            *(sys.executable, "-m", "infini_gram.indexing", "--data_dir", folder / "in"),
            *("--save_dir", folder, "--token_dtype", "u8", "--shards", "1", "--ulimit", "4096"),
            *("--cpus", str(cores), "--mem", "8"),
        ]
    )


def compare(corpus: str, runs: int, number: int, build: bool) -> None:
    with measure.scratch() as folder:
        if found := [word for word in WORDS if word in str(folder)]:
            measure.skip(BENCH, f"the engine cannot open files under {folder}: {found[0]!r} in it")
            return
        index, peer = str(folder / "index.bow"), folder / "peer"
        peer.mkdir()
        built = measure.in_child(compare_libsais.build_on_disk, corpus=corpus, path=index)
        measure.in_child(write_peer_files, index=index, folder=str(peer))
        asked = measure.in_child(ask, corpus=corpus, index=index, folder=str(peer), runs=runs)
        measure.check(asked["same"], "the counts")
        many = measure.in_child(ask_many, corpus=corpus, index=index, number=number, runs=runs)
        best = "prefetch 0"
        for ours, where in (("mapped", "on disk"), ("held", "in memory")):
            for name in PREFETCH:
                for statistic in ("median", "p99"):
                    measure.report(
                        *(BENCH, corpus, f"count, one call, {where}, peer {name}: {statistic}"),
                        unit="us",
                        ours=asked[statistic][ours],
                        peer=asked[statistic][name],
                        ratio="peer/ours",
                        at_least=15 if (name, statistic) == (best, "median") else None,
                        runs=runs,
                        queries=CHECKED,
                    )
        for threads, goal in (("1", 100), ("all", None)):
            measure.report(
                *(BENCH, corpus, f"count, column on {threads} thread(s), peer's calls {best}"),
                unit="queries/s",
                ours=many[threads],
                peer=asked["rate"][best],
                ratio="ours/peer",
                at_least=goal,
                runs=runs,
                queries=number,
            )
        measure.report(
            *(BENCH, corpus, "count, column: all threads over one"),
            unit="times",
            ours=measure.median(many["all"]) / measure.median(many["1"]),
            runs=runs,
        )
        if build:
            cost, _ = peer_build(peer, 2)
            measure.report(
                *(BENCH, corpus, "build: CPU"),
                unit="s",
                ours=built["cpu"],
                peer=cost.cpu,
                ratio="peer/ours",
                runs=1,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpora", nargs="*", default=["linux100m"], metavar="CORPUS")
    parser.add_argument("--runs", type=int, default=measure.RUNS)
    parser.add_argument("--queries", type=int, default=BATCH, help="queries of the column")
    parser.add_argument("--build", action="store_true", help="run the peer's indexer too (minutes)")
    arguments = parser.parse_args()
    if importlib.util.find_spec("infini_gram") is None:
        measure.skip(BENCH, "not installed: pip install infini-gram")
        return
    measure.require_release()
    for corpus in arguments.corpora:
        compare(corpus, arguments.runs, arguments.queries, arguments.build)


if __name__ == "__main__":
    main()
