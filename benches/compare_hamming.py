"""Hamming distances against what else counts them: SciPy, NumPy, RapidFuzz.

    python benches/compare_hamming.py [CORPUS] [--runs N] [--symbols N] [--grid] [--sums]

counts all windows of the first symbols of a corpus, of 4 and of 256 uniform symbols, at each
pattern length, checks that the contestants agree, and prints nanoseconds a window. What the peers
would take minutes for they are given a prefix of the text for. `--grid` runs every kernel of ours
alone, for the cost model: how far the plan is from the best of them.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import corpora
import measure
import numpy as np

import bowstring as bow

BENCH = "hamming"
LENGTHS = (8, 32, 128, 512, 2048, 8192, 65_536, 262_144)
KERNELS: dict[str, Any] = {"direct": 40_000, "sliced": 10**9, "fft": 10**9, "lists": 10**9}


def texts(corpus: str, symbols: int) -> dict[str, np.ndarray]:
    """The text of a corpus, and uniform ones."""
    draw = np.random.default_rng(1)
    whole = np.fromfile(corpora.raw(corpus), np.uint8, symbols)
    found = {corpus: whole}
    for alphabet in (4, 16, 64, 256):
        found[f"uniform{alphabet}"] = draw.integers(0, alphabet, len(whole), dtype=np.uint8)
    return found


def pattern_of(text: np.ndarray, length: int) -> np.ndarray:
    """A piece of the text, a twentieth of it changed."""
    draw = np.random.default_rng(2)
    start = len(text) // 3
    pattern = text[start : start + length].copy()
    changed = draw.random(length) < 0.05
    pattern[changed] = draw.permutation(pattern)[changed]
    return pattern


def scipy_distances(text: np.ndarray, pattern: np.ndarray) -> np.ndarray:
    """A convolution of indicators for each symbol of the pattern."""
    from scipy.signal import oaconvolve

    matches = np.zeros(len(text) - len(pattern) + 1)
    for symbol in np.unique(pattern):
        indicator = (pattern[::-1] == symbol).astype(np.float64)
        matches += oaconvolve((text == symbol).astype(np.float64), indicator, mode="valid")
    return len(pattern) - np.rint(matches).astype(np.int64)


def numpy_distances(text: np.ndarray, pattern: np.ndarray) -> np.ndarray:
    """A comparison of all windows for each position."""
    windows = len(text) - len(pattern) + 1
    distances = np.zeros(windows, np.uint32)
    for at, symbol in enumerate(pattern):
        distances += text[at : at + windows] != symbol
    return distances


def rapidfuzz_distances(text: np.ndarray, pattern: np.ndarray) -> np.ndarray:
    """A call a window."""
    from rapidfuzz.distance import Hamming

    data, needle = text.tobytes(), pattern.tobytes()
    length = len(needle)
    windows = range(len(data) - length + 1)
    return np.array([Hamming.distance(data[at : at + length], needle) for at in windows])


def ours(text: bytes, pattern: bytes, **options: Any) -> Any:
    return bow.hamming.distances(text, pattern, threads=1, **options)


def cpu(call: Callable[[], Any]) -> float:
    """CPU seconds of a call."""
    with measure.timed() as cost:
        call()
    return cost.cpu


def compare(name: str, text: np.ndarray, length: int, runs: int) -> None:
    pattern = pattern_of(text, length)
    data, needle = text.tobytes(), pattern.tobytes()
    distinct = len(np.unique(pattern))
    # About five seconds a run, of what each is known to take.
    prefix = {
        "scipy": (scipy_distances, 45e-9 * distinct),
        "numpy": (numpy_distances, 0.2e-9 * length),
        "rapidfuzz": (rapidfuzz_distances, 2e-7 + length * 2e-11),
    }
    windows = len(text) - length + 1
    target = np.empty_like(text)
    copied = measure.median([cpu(lambda: np.copyto(target, text)) for _ in range(runs)])
    ours(data, needle)
    taken = [cpu(lambda: ours(data, needle)) / windows * 1e9 for _ in range(runs)]
    plan = bow.hamming.plan(data, needle)
    steps = "+".join(f"{step.method}({step.symbols})" for step in plan.steps)
    measure.report(
        BENCH,
        name,
        f"m = {length}, all windows, one core",
        unit="ns a window",
        ours=taken,
        plan=steps,
        predicted=round(plan.nanoseconds, 2),
        copy=round(copied / windows * 1e9, 3),
    )
    for peer, (call, cost) in prefix.items():
        size = int(min(len(text), max(3 * length, 3.0 / cost)))
        if peer == "numpy" and length > 2048:
            continue
        if peer == "rapidfuzz" and length > 8192:
            continue
        try:
            part = text[:size]
            measure.check(
                (call(part, pattern) == ours(part.tobytes(), needle).to_numpy()).all(), peer
            )
        except ImportError:
            measure.skip(BENCH, f"{peer} is not installed")
            continue
        peers = [cpu(lambda p=part, c=call: c(p, pattern)) for _ in range(min(runs, 3))]
        measure.report(
            BENCH,
            name,
            f"m = {length} against {peer}",
            unit="ns a window",
            ours=taken,
            peer=[one / (size - length + 1) * 1e9 for one in peers],
            ratio="peer/ours",
        )


def grid(name: str, text: np.ndarray, length: int, runs: int) -> None:
    """Every kernel alone, and what the plan takes against the best of them."""
    pattern = pattern_of(text, length)
    data, needle = text.tobytes(), pattern.tobytes()
    windows = len(text) - length + 1
    alone = {}
    for kernel, most in KERNELS.items():
        if length > most or (kernel == "fft" and len(np.unique(pattern)) * length > 6e6):
            continue
        plan = bow.hamming.plan(data, needle, method=kernel)
        if plan.nanoseconds > 1500:
            continue
        ours(data, needle, method=kernel)
        alone[kernel] = (
            min(cpu(lambda k=kernel: ours(data, needle, method=k)) for _ in range(runs))
            / windows
            * 1e9
        )
    ours(data, needle)
    chosen = min(cpu(lambda: ours(data, needle)) for _ in range(runs)) / windows * 1e9
    plan = bow.hamming.plan(data, needle)
    measure.report(
        BENCH,
        name,
        f"m = {length}, the plan against the best kernel",
        unit="ns a window",
        ours=chosen,
        peer=min(alone.values()),
        ratio="ours/peer",
        at_most=1.3,
        kernels={kernel: round(taken, 2) for kernel, taken in alone.items()},
        plan="+".join(f"{s.method}({s.symbols},{s.nanoseconds:.1f})" for s in plan.steps),
    )


def near(name: str, text: np.ndarray, runs: int) -> None:
    """Windows within a few mismatches."""
    data = text.tobytes()
    for length, k in ((32, 3), (128, 4), (512, 16), (8192, 16), (65_536, 200)):
        needle = pattern_of(text, length).tobytes()
        bow.hamming.within(data, needle, k, threads=1)
        taken = [
            cpu(lambda n=needle, k=k: bow.hamming.within(data, n, k, threads=1))
            for _ in range(runs)
        ]
        measure.report(
            BENCH,
            name,
            f"within k = {k}, m = {length}",
            unit="ns a window",
            ours=[one / len(text) * 1e9 for one in taken],
        )


def estimates(name: str, text: np.ndarray, runs: int) -> None:
    data = text.tobytes()
    for length in (65_536, 262_144):
        needle = pattern_of(text, length).tobytes()
        for guarantee in ("additive", None):
            options: dict[str, Any] = {"guarantee": guarantee, "always": True, "threads": 1}
            found = bow.hamming.approximate(data, needle, **options)
            taken = [
                cpu(lambda n=needle, o=options: bow.hamming.approximate(data, n, **o))
                for _ in range(runs)
            ]
            measure.report(
                BENCH,
                name,
                f"approximate, {guarantee}, m = {length}",
                unit="ns a window",
                ours=[one / len(text) * 1e9 for one in taken],
                error=found.error,
            )


def indexed(corpus: str, runs: int) -> None:
    """Occurrences within three changes, through an index."""
    index = bow.index(corpora.parquet(corpus), "text", threads=1)
    raw = np.fromfile(corpora.raw(corpus), np.uint8)
    patterns = measure.sample_patterns(raw, 200, 32)
    taken = []
    for pattern in patterns:
        query = pattern.tobytes()
        begun = time.perf_counter()
        index.search_within(query, 3, threads=1)
        taken.append((time.perf_counter() - begun) * 1e3)
    measure.report(
        BENCH,
        corpus,
        "search_within, k = 3, m = 32",
        unit="ms",
        ours=taken,
        at_most=1.0,
        percentile90=round(float(np.percentile(taken, 90)), 3),
    )


def sums(runs: int) -> None:
    draw = np.random.default_rng(3)
    for size, universe in (
        (1000, 1 << 20),
        (10_000, 1 << 20),
        (10_000, 1 << 24),
        (100_000, 1 << 22),
    ):
        a, b = (draw.choice(universe, size, replace=False).astype(np.int64) for _ in range(2))

        def numpy_sums(a: np.ndarray = a, b: np.ndarray = b, universe: int = universe) -> Any:
            """The best of NumPy: a transform of the range."""
            length = 1 << (2 * universe - 1).bit_length()
            marks = [np.bincount(one, minlength=universe).astype(np.float64) for one in (a, b)]
            one, two = (np.fft.rfft(mark, length) for mark in marks)
            counts = np.rint(np.fft.irfft(one * two, length)).astype(np.int64)
            values = np.flatnonzero(counts)
            return values, counts[values]

        found = bow.hamming.sumset_counts(a, b)
        values, counts = numpy_sums()
        same = (found["value"].to_numpy() == values).all() and (
            found["count"].to_numpy() == counts
        ).all()
        measure.check(same, "sums")
        measure.report(
            BENCH,
            f"{size} + {size} of {universe}",
            "sumset_counts against NumPy's transform",
            unit="s",
            ours=[cpu(lambda a=a, b=b: bow.hamming.sumset_counts(a, b)) for _ in range(runs)],
            peer=[cpu(numpy_sums) for _ in range(min(runs, 3))],
            ratio="peer/ours",
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", nargs="?", default="gcide")
    parser.add_argument("--runs", type=int, default=measure.RUNS)
    parser.add_argument("--symbols", type=int, default=10_000_000)
    parser.add_argument("--lengths", type=int, nargs="*", default=LENGTHS)
    parser.add_argument("--texts", nargs="*", help="of the texts, these only")
    parser.add_argument("--grid", action="store_true", help="every kernel alone")
    parser.add_argument("--near", action="store_true", help="only within and approximate")
    parser.add_argument("--indexed", help="only search_within, over this corpus")
    parser.add_argument("--sums", action="store_true", help="only sums")
    arguments = parser.parse_args()
    measure.require_release()
    if arguments.sums:
        return sums(arguments.runs)
    if arguments.indexed:
        return indexed(arguments.indexed, arguments.runs)
    for name, text in texts(arguments.corpus, arguments.symbols).items():
        if arguments.texts and name not in arguments.texts:
            continue
        if arguments.near:
            near(name, text, arguments.runs)
            estimates(name, text, arguments.runs)
            continue
        for length in arguments.lengths:
            if length * 3 <= len(text):
                measured = grid if arguments.grid else compare
                measured(name, text, length, arguments.runs)
    return None


if __name__ == "__main__":
    main()
