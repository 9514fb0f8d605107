"""Importance resampling against its authors' package, data-selection.

Weights are checked to be equal before anything is timed: fitting and weighing, on one process each.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import tempfile
from pathlib import Path
from typing import Any

import corpora
import measure
import numpy as np
import pyarrow as pa

import bowstring as bow

BENCH = "dsir"


def peer(raw: Path, target: Path, cache: str) -> np.ndarray:
    from data_selection import HashedNgramDSIR

    found = HashedNgramDSIR([str(raw)], [str(target)], cache_dir=cache, num_proc=1)
    found.fit_importance_estimator(num_tokens_to_fit="all")
    found.compute_importance_weights()
    parts = sorted((Path(cache) / "log_importance_weights").glob("*.npy"))
    return np.concatenate([np.load(part) for part in parts])


def weights(found: pa.Table) -> np.ndarray:
    values = np.empty(found.num_rows)
    values[found["row"].to_numpy()] = found["score"].to_numpy()
    return values


def cost(work: Any) -> measure.Cost:
    with measure.timed() as taken:
        work()
    return taken


def compare(rows: int, peer_rows: int, runs: int, folder: Path) -> None:
    try:
        import data_selection  # noqa: F401
    except ImportError:
        measure.skip(BENCH, "data-selection is not installed")
        return
    texts = corpora.column("gcide")[: rows + 500].to_pylist()
    target, whole = texts[:500], pa.array(texts[500:])
    few = texts[500 : 500 + peer_rows]
    paths = {"raw": few, "target": target}
    for name, lines in paths.items():
        with (folder / f"{name}.jsonl").open("w") as file:
            file.writelines(json.dumps({"text": text}) + "\n" for text in lines)

    def theirs() -> np.ndarray:
        with contextlib.redirect_stderr(io.StringIO()), tempfile.TemporaryDirectory() as cache:
            return peer(folder / "raw.jsonl", folder / "target.jsonl", cache)

    mine = weights(bow.select.resample(few, target, hash="sha256", draw=False))
    measure.check(np.allclose(mine, theirs(), rtol=1e-9, atol=1e-9), "weights")
    megabytes = sum(len(text.encode()) for text in texts[500:]) / 1e6
    peer_megabytes = sum(len(text.encode()) for text in few) / 1e6
    others = [cost(theirs).cpu / peer_megabytes for _ in range(max(runs // 2, 1))]
    for hash, goal in (("sha256", 10), ("murmur3", 40)):

        def ours(hash: Any = hash) -> measure.Cost:
            return cost(lambda: bow.select.resample(whole, target, hash=hash, threads=1))

        taken = measure.in_turn({"ours": ours}, runs)["ours"]
        measure.report(
            *(BENCH, "gcide", f"weights, {hash}: CPU a megabyte"),
            unit="s/MB",
            ours=[one.cpu / megabytes for one in taken],
            peer=others,
            ratio="peer/ours",
            at_least=goal,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--peer-rows", type=int, default=4_000)
    parser.add_argument("--runs", type=int, default=measure.RUNS)
    arguments = parser.parse_args()
    measure.require_release()
    with tempfile.TemporaryDirectory() as folder:
        compare(arguments.rows, arguments.peer_rows, arguments.runs, Path(folder))


if __name__ == "__main__":
    main()
